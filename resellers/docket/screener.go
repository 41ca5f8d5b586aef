package docket

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"gorm.io/gorm"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/resellers/screening"
)

// Screener holds every reseller, customer and owner on file against the special measures. It is a shell around package screening,
// and follows both the ledger and the docket:
//
//   - Whoever is enrolled or verified is screened against all measures (follow.go's entries, never beyond the docket's cursor).
//   - When a measure is imposed or extended, and again when it comes into force, everybody on file is screened against that version,
//     in a walk by key, a batch at a time (walk.go). All versions that wait begin one walk together.
//   - When a version is over, what was found under it goes. The ledger keeps what officers said of it.
//
// Each step is one transaction, which moves the turn from where it was read: of several processes one takes a step, a killed one's
// successor goes on where it stood, and a walk ends once for each version. What is found depends on the ledger alone, never on when
// or how often somebody looked, so Rebuild gives the same rows.
type Screener struct {
	db       *gorm.DB
	ledger   ScreenerLedger
	self     envelope.Entity
	likeness atomic.Int64
	now      func() time.Time

	mu       sync.Mutex // held for one step
	measures screening.Measures
	lookedTo int64 // entries before it are no business of the screener's
	rested   rest
}

// ScreenerLedger is what the screener reads of the ledger.
type ScreenerLedger interface {
	Entries(ctx context.Context, from int64, limit int, kinds ...statement.Kind) ([]statement.Entry, error)
	About(ctx context.Context, id envelope.ID, from int64, limit int) ([]statement.Entry, error)
	At(ctx context.Context, leafIndexes ...int64) ([]statement.Entry, error)
}

// NewScreener returns the screener of the gateway self. likeness is from which likeness of two names on, in percent, an officer looks
// (policy.SpecialMeasures).
func NewScreener(db *gorm.DB, log ScreenerLedger, self envelope.Entity, likeness int, now func() time.Time) *Screener {
	s := &Screener{db: db, ledger: log, self: self, now: now}
	s.Adopt(likeness)
	return s
}

// screeningRow is how far screening has come.
type screeningRow struct {
	ID       int
	Turn     int64
	NextLeaf int64
	Walk     string
	AtKey    []byte
	// Likeness is from which likeness of two names on everybody was screened; 0 while nobody was.
	Likeness int64
}

func (screeningRow) TableName() string { return "docket_screening" }

// measureRow is a version of a measure that is in force or will be.
type measureRow struct {
	LeafIndex int64 `gorm:"primaryKey;autoIncrement:false"`
	Measure   string
	FromAt    int64
	UntilAt   int64
	Screened  int
	Walking   int
}

func (measureRow) TableName() string { return "docket_measures" }

// How far everybody on file is screened against a version.
const (
	sinceImposed = 1
	sinceInForce = 2
)

// wanted is how far it should be.
func (row measureRow) wanted(now time.Time) int {
	if now.UnixMicro() >= row.FromAt {
		return sinceInForce
	}
	return sinceImposed
}

// screenBatch is how many parties are screened in one transaction.
const screenBatch = 500

// maxMeasures bounds how many versions are current at once.
const maxMeasures = 100_000

// rest remembers that there was nothing to do, and until what changes.
type rest struct {
	turn, seen, folded int64
	until              time.Time // zero: until something is said
}

// Screen takes steps until everybody is screened or it has taken so many. It says whether there is more to do, and if not, when
// there will be, nothing new being said: zero if never.
func (s *Screener) Screen(ctx context.Context, steps int) (more bool, next time.Time, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for range steps {
		if more, err = s.step(ctx); err != nil || !more {
			return more, s.rested.until, err
		}
	}
	return true, time.Time{}, nil
}

// step takes one step, in the order in which nothing is missed: which measures there are, whom new entries name, who is on file.
func (s *Screener) step(ctx context.Context) (more bool, err error) {
	if err := s.refresh(ctx); err != nil {
		return false, err
	}
	at, folded, err := s.position(ctx)
	if err != nil {
		return false, err
	}
	now := s.now()
	if s.resting(at, folded, now) {
		return false, nil
	}
	var rows []measureRow
	if err := s.db.WithContext(ctx).Order("leaf_index").Limit(maxMeasures).Find(&rows).Error; err != nil {
		return false, fmt.Errorf("reading the measures that are screened for: %w", err)
	}
	for _, take := range []func() (bool, error){
		func() (bool, error) { return s.moveLikeness(ctx, at) },
		func() (bool, error) { return s.sync(ctx, at, folded, rows, now) },
		func() (bool, error) { return s.follow(ctx, at, folded, rows, now) },
		func() (bool, error) { return s.walk(ctx, at, rows, now) },
	} {
		took, err := take()
		if errors.Is(err, errOvertaken) {
			return true, nil
		}
		if err != nil || took {
			return took, err
		}
	}
	s.rested = rest{turn: at.Turn, seen: s.measures.Seen(), folded: folded, until: s.measures.Turns(now)}
	return false, nil
}

func (s *Screener) resting(at screeningRow, folded int64, now time.Time) bool {
	r := s.rested
	return r.turn == at.Turn && at.Turn > 0 && at.Likeness == s.likeness.Load() && r.seen == s.measures.Seen() && r.folded == folded && (r.until.IsZero() || now.Before(r.until))
}

// refresh folds what was said of measures since. They are few, and stand among the gateway's own entries.
func (s *Screener) refresh(ctx context.Context) error {
	for {
		entries, err := s.ledger.About(ctx, s.self.ID(), s.measures.Seen()+1, page)
		if err != nil {
			return fmt.Errorf("reading special measures: %w", err)
		}
		if len(entries) == 0 {
			return nil
		}
		s.measures = s.measures.With(entries...)
	}
}

// Measures returns the special measures that the ledger holds now.
func (s *Screener) Measures(ctx context.Context) (screening.Measures, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	err := s.refresh(ctx)
	return s.measures, err
}

// position is how far screening has come, and up to which entry the docket has folded.
func (s *Screener) position(ctx context.Context) (at screeningRow, folded int64, err error) {
	if err := s.db.WithContext(ctx).Where("id = 1").Take(&at).Error; err != nil {
		return at, 0, fmt.Errorf("reading how far screening has come: %w", err)
	}
	var cursor cursorRow
	if err := s.db.WithContext(ctx).Where("id = 1").Take(&cursor).Error; err != nil {
		return at, 0, fmt.Errorf("reading the docket's cursor: %w", err)
	}
	return at, cursor.NextLeaf, nil
}

// write takes a step from where it was read: at, and what moves of it.
func (s *Screener) write(ctx context.Context, at screeningRow, moves map[string]any, change func(tx *gorm.DB) error) error {
	err := s.db.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		set := map[string]any{"turn": at.Turn + 1}
		for name, value := range moves {
			set[name] = value
		}
		moved := tx.Model(&screeningRow{}).Where("id = 1 AND turn = ?", at.Turn).Updates(set)
		if moved.Error != nil {
			return moved.Error
		}
		if moved.RowsAffected == 0 {
			return errOvertaken
		}
		return change(tx)
	})
	if err != nil {
		return fmt.Errorf("screening: %w", err)
	}
	return nil
}

// sync brings the versions that are screened for to what the ledger and the time say.
func (s *Screener) sync(ctx context.Context, at screeningRow, folded int64, rows []measureRow, now time.Time) (bool, error) {
	known := make(map[int64]measureRow, len(rows))
	for _, row := range rows {
		known[row.LeafIndex] = row
	}
	var begun, moved []measureRow
	for _, m := range s.measures.Current(now) {
		row := measureRow{LeafIndex: m.LeafIndex, Measure: m.ID, FromAt: m.From.UnixMicro(), UntilAt: m.Until.UnixMicro()}
		old, ok := known[m.LeafIndex]
		switch {
		case !ok:
			begun = append(begun, row)
		case old.UntilAt != row.UntilAt:
			moved = append(moved, row)
		}
		delete(known, m.LeafIndex)
	}
	if len(begun)+len(moved)+len(known) == 0 {
		return false, nil
	}
	moves := map[string]any{}
	if len(rows) == 0 { // what was said before is on file, or about a hit that nobody could have seen
		moves["next_leaf"] = min(begun[0].LeafIndex, folded)
		s.lookedTo = 0
	}
	return true, s.write(ctx, at, moves, func(tx *gorm.DB) error {
		for leafIndex := range known {
			if err := forget(tx, leafIndex); err != nil {
				return err
			}
		}
		for _, row := range moved {
			set := map[string]any{"until_at": row.UntilAt}
			if err := tx.Model(&measureRow{}).Where("leaf_index = ?", row.LeafIndex).Updates(set).Error; err != nil {
				return err
			}
			if err := tx.Model(&hitRow{}).Where("measure_leaf = ?", row.LeafIndex).Updates(set).Error; err != nil {
				return err
			}
		}
		if len(known)+len(moved) > 0 {
			if err := markAgain(tx, nil); err != nil {
				return err
			}
		}
		if len(begun) == 0 {
			return nil
		}
		return tx.CreateInBatches(begun, screenBatch).Error
	})
}

// forget drops a version that is over, with what was found under it.
func forget(tx *gorm.DB, leafIndex int64) error {
	for _, rows := range []any{&hitRow{}, &decisionRow{}} {
		if err := tx.Where("measure_leaf = ?", leafIndex).Delete(rows).Error; err != nil {
			return err
		}
	}
	return tx.Where("leaf_index = ?", leafIndex).Delete(&measureRow{}).Error
}

// Rebuild drops what was found and screens everybody again, by what the docket holds. Run it after Docket.Rebuild, while no other
// process screens.
func (s *Screener) Rebuild(ctx context.Context) error {
	at, _, err := s.position(ctx)
	if err != nil {
		return err
	}
	afresh := map[string]any{"next_leaf": 0, "walk": walkOver, "at_key": beforeAll}
	err = s.write(ctx, at, afresh, func(tx *gorm.DB) error {
		for _, rows := range []any{&hitRow{}, &decisionRow{}, &measureRow{}} {
			if err := tx.Where("1 = 1").Delete(rows).Error; err != nil {
				return err
			}
		}
		return s.markTold(tx)
	})
	if err != nil {
		return fmt.Errorf("emptying what was found: %w", err)
	}
	for more := true; more; {
		if more, _, err = s.Screen(ctx, page); err != nil {
			return err
		}
	}
	return nil
}
