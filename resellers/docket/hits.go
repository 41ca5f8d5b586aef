package docket

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"gorm.io/gorm"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/resellers/screening"
)

// ErrNoHit says that nobody falls under a measure by this id, or no longer.
var ErrNoHit = errors.New("no such hit")

// Decision is what an officer said of a hint.
type Decision string

// The decisions; none while nobody has looked.
const (
	Cleared   Decision = "cleared"   // it is somebody else
	Confirmed Decision = "confirmed" // it is the person that the measure names
)

// The actions by which an officer's decision stands in the ledger, and the names of its details.
const (
	ActionCleared   = "screening-hit.cleared"
	ActionConfirmed = "screening-hit.confirmed"

	detailHit     = "hit"
	detailVersion = "measure_entry"
	detailScore   = "score"
)

// DecisionDetails are the details with which an officer's action names the hit that it is about.
func DecisionDetails(h Hit) []statement.Field {
	return []statement.Field{
		{Name: detailHit, Value: h.ID},
		{Name: detailVersion, Value: strconv.FormatInt(h.MeasureLeaf, 10)},
		{Name: "list", Value: h.List},
		{Name: detailScore, Value: strconv.Itoa(h.Score)},
	}
}

// Hit is somebody on file who falls under a version of a measure, or may.
type Hit struct {
	ID          string
	MeasureLeaf int64 // of the entry that imposed this version
	Measure     string
	List        string // with its version
	Prohibits   bool
	Role        screening.Role
	Reseller    envelope.Entity // itself, or whose customer it is
	Customer    string
	Owner       string
	Ground      screening.Ground
	Places      []string
	Score       int // percent
	Decided     screening.Decided
	Decision    Decision
	LeafIndex   int64     // of the entry that says so of the party
	Since       time.Time // from when it holds
	From, Until time.Time // of the measure
}

// hitRow is a hit as it is stored.
type hitRow struct {
	ID          string
	MeasureLeaf int64
	Measure     string
	List        string
	Prohibits   bool
	Party       string
	ResellerID  []byte
	Reseller    string
	Key         []byte
	Customer    string
	CustomerKey []byte
	Owner       string
	Ground      string
	Places      string
	Score       int
	Decided     string
	Decision    string
	LeafIndex   int64
	SinceAt     int64
	FromAt      int64
	UntilAt     int64
}

func (hitRow) TableName() string { return "docket_hits" }

// decisionRow is what an officer said of a hit.
type decisionRow struct {
	Hit         string `gorm:"primaryKey"`
	MeasureLeaf int64
	Decision    string
	Score       int
	Officer     string
	DecidedAt   int64
	LeafIndex   int64
}

func (decisionRow) TableName() string { return "docket_hit_decisions" }

func decisionOf(said statement.OfficerAction, e statement.Entry) (decisionRow, bool) {
	row := decisionRow{Officer: said.Officer.ID, DecidedAt: e.AcceptedAt.UnixMicro(), LeafIndex: e.LeafIndex}
	switch said.Action {
	case ActionCleared:
		row.Decision = string(Cleared)
	case ActionConfirmed:
		row.Decision = string(Confirmed)
	default:
		return row, false
	}
	var errVersion, errScore error
	for _, d := range said.Details {
		switch d.Name {
		case detailHit:
			row.Hit = d.Value
		case detailVersion:
			row.MeasureLeaf, errVersion = strconv.ParseInt(d.Value, 10, 64)
		case detailScore:
			row.Score, errScore = strconv.Atoi(d.Value)
		}
	}
	return row, row.Hit != "" && errVersion == nil && errScore == nil
}

func hitRowOf(h screening.Hit) hitRow {
	id := h.Party.Reseller.ID()
	key := recordKey(id[:])
	switch h.Party.Role {
	case screening.Customer:
		key = keyOf(id, h.Party.Customer)
	case screening.Owner:
		key = keyOf(id, h.Party.Customer, h.Party.Owner)
	case screening.Reseller:
	}
	return hitRow{
		ID: h.ID, MeasureLeaf: h.Measure.LeafIndex, Measure: h.Measure.ID, List: h.List, Prohibits: h.Prohibits, Party: string(h.Party.Role),
		ResellerID: id[:], Reseller: string(h.Party.Reseller), Key: []byte(key), Customer: h.Party.Customer, CustomerKey: []byte(keyOf(id, h.Party.Customer)), Owner: h.Party.Owner,
		Ground: string(h.Ground), Places: strings.Join(h.Places, " "), Score: h.Score, Decided: string(h.Decided), LeafIndex: h.Party.LeafIndex,
		SinceAt: h.Since.UnixMicro(), FromAt: h.Measure.From.UnixMicro(), UntilAt: h.Measure.Until.UnixMicro(),
	}
}

func (row hitRow) toHit() Hit {
	return Hit{
		ID: row.ID, MeasureLeaf: row.MeasureLeaf, Measure: row.Measure, List: row.List, Prohibits: row.Prohibits, Role: screening.Role(row.Party),
		Reseller: envelope.Entity(row.Reseller), Customer: row.Customer, Owner: row.Owner, Ground: screening.Ground(row.Ground),
		Places: strings.Fields(row.Places), Score: row.Score, Decided: screening.Decided(row.Decided), Decision: Decision(row.Decision),
		LeafIndex: row.LeafIndex, Since: time.UnixMicro(row.SinceAt).UTC(), From: time.UnixMicro(row.FromAt).UTC(), Until: time.UnixMicro(row.UntilAt).UTC(),
	}
}

// storeHits writes hits whose parties have none under these versions, with what officers said of them before. A hit that is more alike
// than the one that was cleared is looked at again.
func storeHits(tx *gorm.DB, hits []screening.Hit) error {
	rows := make([]hitRow, len(hits))
	for i, h := range hits {
		rows[i] = hitRowOf(h)
	}
	slices.SortFunc(rows, func(a, b hitRow) int { return strings.Compare(a.ID, b.ID) })
	for batch := range slices.Chunk(rows, screenBatch) {
		ids := make([]string, len(batch))
		for i, row := range batch {
			ids[i] = row.ID
		}
		var said []decisionRow
		if err := tx.Where("hit IN ?", ids).Order("hit").Limit(len(ids)).Find(&said).Error; err != nil {
			return err
		}
		for _, d := range said {
			i := slices.Index(ids, d.Hit)
			if batch[i].Ground == string(screening.ByName) && (d.Decision == string(Confirmed) || batch[i].Score <= d.Score) {
				batch[i].Decision = d.Decision
			}
		}
		if err := tx.Create(&batch).Error; err != nil {
			return err
		}
	}
	return nil
}

// HitFilter says which hits are listed: all if it is zero, else those that fit all that is given.
type HitFilter struct {
	Reseller *envelope.ID
	Measure  string
	Open     bool // hints that no officer has looked at
	Stands   bool // without hints that an officer cleared: for this version and party they are over
	InForce  bool // under measures that are in force
}

// HitPlace is where a list of hits goes on: after this one.
type HitPlace struct {
	MeasureLeaf int64
	ID          string
}

// Hits returns up to limit hits after a place, ordered by the version of the measure.
func (s *Screener) Hits(ctx context.Context, wanted HitFilter, after *HitPlace, limit int) ([]Hit, error) {
	query := s.db.WithContext(ctx).Order("measure_leaf, id").Limit(limit)
	if wanted.Reseller != nil {
		query = query.Where("reseller_id = ?", wanted.Reseller[:])
	}
	if wanted.Measure != "" {
		query = query.Where("measure_leaf IN (SELECT leaf_index FROM docket_measures WHERE measure = ?)", wanted.Measure)
	}
	if wanted.Open {
		query = query.Where("decided = 'hint' AND decision = ''")
	}
	if wanted.Stands {
		query = query.Where("decision <> 'cleared'")
	}
	if wanted.InForce {
		now := s.now().UnixMicro()
		query = query.Where("measure_leaf IN (SELECT leaf_index FROM docket_measures WHERE from_at <= ? AND until_at > ?)", now, now)
	}
	if after != nil {
		query = query.Where("(measure_leaf, id) > (?, ?)", after.MeasureLeaf, after.ID)
	}
	var rows []hitRow
	if err := query.Find(&rows).Error; err != nil {
		return nil, fmt.Errorf("listing hits: %w", err)
	}
	hits := make([]Hit, len(rows))
	for i, row := range rows {
		hits[i] = row.toHit()
	}
	return hits, nil
}

// Hit returns one hit, or ErrNoHit.
func (s *Screener) Hit(ctx context.Context, id string) (Hit, error) {
	var row hitRow
	err := s.db.WithContext(ctx).Where("id = ?", id).Take(&row).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return Hit{}, ErrNoHit
	}
	if err != nil {
		return Hit{}, fmt.Errorf("reading a hit: %w", err)
	}
	return row.toHit(), nil
}

// Progress is how far everybody on file is screened against a version of a measure.
type Progress struct {
	MeasureLeaf  int64
	SinceImposed bool
	SinceInForce bool
}

// Progress returns how far screening is for the versions that are current, in the ledger's order.
func (s *Screener) Progress(ctx context.Context) ([]Progress, error) {
	var rows []measureRow
	if err := s.db.WithContext(ctx).Order("leaf_index").Limit(maxMeasures).Find(&rows).Error; err != nil {
		return nil, fmt.Errorf("reading how far measures are screened for: %w", err)
	}
	all := make([]Progress, len(rows))
	for i, row := range rows {
		all[i] = Progress{MeasureLeaf: row.LeafIndex, SinceImposed: row.Screened >= sinceImposed, SinceInForce: row.Screened >= sinceInForce}
	}
	return all, nil
}
