package docket

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/go-json-experiment/json"
	"gorm.io/gorm"

	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/resellers/escalation"
	"github.com/cipgate/cipgate/resellers/policy"
)

// houseRow is what bears on every case, as it is stored.
type houseRow struct {
	ID        int
	House     string
	Resellers int64
	TrippedAt int64
	Policy    string
}

func (houseRow) TableName() string { return "docket_house" }

func (row houseRow) toHouse() (h escalation.House, err error) {
	if err := json.Unmarshal([]byte(row.House), &h); err != nil {
		return h, fmt.Errorf("reading what bears on every case: %w", err)
	}
	h.Counts.Resellers, h.Counts.Tripped = int(row.Resellers), row.TrippedAt > 0
	return h, nil
}

// House returns what bears on every case and is about none: outages, a pause, releases, and what of the guard's numbers is used up by
// what stands in the ledger.
func (d *Docket) House(ctx context.Context) (escalation.House, error) {
	return d.houseIn(d.db.WithContext(ctx), nil, d.now())
}

// Outages returns the gateway's own outages that stand in the ledger, the latest 64; those that touch are one.
func (d *Docket) Outages(ctx context.Context) ([]escalation.Span, error) {
	var row houseRow
	if err := d.db.WithContext(ctx).Where("id = 1").Take(&row).Error; err != nil {
		return nil, fmt.Errorf("reading which outages were recorded: %w", err)
	}
	h, err := row.toHouse()
	return h.Outages, err
}

// houseIn reads the house. With a reseller it counts what others reserved too, and nothing that this one did: so it is judged before a
// step of it leaves.
func (d *Docket) houseIn(db *gorm.DB, beside []byte, now time.Time) (escalation.House, error) {
	var row houseRow
	if err := db.Where("id = 1").Take(&row).Error; err != nil {
		return escalation.House{}, fmt.Errorf("reading what bears on every case: %w", err)
	}
	h, err := row.toHouse()
	if err != nil {
		return h, err
	}
	return h, d.count(db, &h.Counts, beside, now)
}

// ErrSuperseded says that another policy is in force than the one that this process was given, so that it must decide nothing.
var ErrSuperseded = errors.New("another policy is in force")

// bearing is what bears on every case at one moment, apart from the guard's numbers: the same while nothing of it changed.
type bearing struct{ house, policy string }

func bearingIn(db *gorm.DB) (bearing, error) {
	var row houseRow
	if err := db.Select("house, policy").Where("id = 1").Take(&row).Error; err != nil {
		return bearing{}, fmt.Errorf("reading what bears on every case: %w", err)
	}
	return bearing{row.House, row.Policy}, nil
}

// mayDecide returns an error that wraps ErrSuperseded if a process that was started with another policy put that one in force: two
// that judge by different policies would undo each other's deadlines.
func (d *Docket) mayDecide(b bearing) error {
	if ours := d.InForce().ID(); b.policy != "" && b.policy != ours {
		return fmt.Errorf("%w: the ledger says that %s is, and this gateway runs with %s: it takes no step and leaves that to those with %s. Restart it with that policy, or start every gateway with %s",
			ErrSuperseded, b.policy, ours, b.policy, ours)
	}
	return nil
}

// houseSheet is where entries about the gateway are folded, with what those about resellers change of their number.
type houseSheet struct {
	entries   []statement.Entry
	resellers int64
	guarded   []guardRow
	guard     policy.Guard // of the policy in force
}

// changesHouse says whether an entry about the gateway may change the house.
func changesHouse(e statement.Entry) bool {
	switch e.Statement.(type) {
	case statement.OutageRecorded, statement.OfficerAction, statement.PolicyActivated:
		return true
	}
	return false
}

// count notes what an entry about a reseller, of which this is the file before it, changes of the guard's numbers.
func (s *houseSheet) count(file File, e statement.Entry) {
	if e.By == e.About {
		return
	}
	switch e.Statement.(type) {
	case statement.EntityEnrolled:
		if !file.History.Enrolled() {
			s.resellers++
		}
	case statement.RelationshipTerminated:
		if file.Case.TerminatedAt.IsZero() && file.History.Enrolled() {
			s.resellers--
		}
	case statement.RelationshipReinstated:
		if !file.Case.TerminatedAt.IsZero() && file.History.Enrolled() {
			s.resellers++
		}
	}
	if row, counts := guardedBy(file, e.Statement, e.LeafIndex); counts {
		row.JTI = e.JTI
		s.guarded = append(s.guarded, row)
	}
}

// releases says that by an entry two people released the guard of this kind. It looks at the newest release, not at how many there are:
// only the latest are held.
func releases(before, after []escalation.Release, kind escalation.GuardKind) bool {
	n, had := len(after), len(before)
	return n > 0 && after[n-1].Guard == kind && (had == 0 || after[n-1] != before[had-1])
}

// trips notes that the guard on findings tripped: that with a finding which stands in the ledger, behind whatever released it last, its
// number was reached. What was only reserved trips nothing: it may never be stated, and nobody could say why findings are held back.
func (s houseSheet) trips(tx *gorm.DB, h escalation.House, found []guardRow, released int64) error {
	brake, within := s.guard.Findings, time.Duration(s.guard.Findings.Within).Microseconds()
	if len(found) == 0 || brake.Count == 0 {
		return nil
	}
	reaches := func(from, last int64) (bool, error) {
		var resellers int64
		err := tx.Model(&guardRow{}).Where("kind = ? AND at > ? AND leaf_index >= 0 AND leaf_index <= ?", escalation.GuardFindings, from-within, last).
			Distinct("reseller_id").Count(&resellers).Error
		if err != nil {
			return false, fmt.Errorf("counting findings for the guard: %w", err)
		}
		return int(resellers) >= brake.Allowed(h.Counts.Resellers), nil
	}
	first, last := found[0].At, found[len(found)-1].LeafIndex
	for _, row := range found {
		first = min(first, row.At)
	}
	if any, err := reaches(first, last); err != nil || !any {
		return err
	}
	for _, row := range found {
		if row.LeafIndex <= released || h.ReleasedAt(escalation.GuardFindings, time.UnixMicro(row.At)) {
			continue
		}
		is, err := reaches(row.At, row.LeafIndex)
		if err != nil {
			return err
		}
		if is {
			err := tx.Model(&houseRow{}).Where("id = 1 AND tripped_at = 0").Update("tripped_at", row.At).Error
			if err != nil {
				return fmt.Errorf("holding findings back: %w", err)
			}
			return nil
		}
	}
	return nil
}

// write folds into the stored house what a page of entries changed. Whoever calls it holds the cursor's row, so nobody else folds
// meanwhile. A statement about the gateway wakes every file that it can bear on.
func (s houseSheet) write(tx *gorm.DB) error {
	if err := writeGuarded(tx, s.guarded); err != nil {
		return fmt.Errorf("counting for the guard: %w", err)
	}
	if s.resellers != 0 {
		err := tx.Model(&houseRow{}).Where("id = 1").Update("resellers", gorm.Expr("resellers + ?", s.resellers)).Error
		if err != nil {
			return fmt.Errorf("counting resellers: %w", err)
		}
	}
	found := slices.DeleteFunc(slices.Clone(s.guarded), func(r guardRow) bool { return r.Kind != string(escalation.GuardFindings) })
	if len(s.entries) == 0 && len(found) == 0 {
		return nil
	}
	var row houseRow
	if err := tx.Where("id = 1").Take(&row).Error; err != nil {
		return fmt.Errorf("reading what bears on every case: %w", err)
	}
	h, err := row.toHouse()
	if err != nil {
		return err
	}
	changes, wakes, released := map[string]any{}, false, int64(-1)
	for _, e := range s.entries {
		if said, activated := e.Statement.(statement.PolicyActivated); activated {
			wakes, changes["policy"] = true, said.Policy // by another policy the answer may turn today that slept until next year
		}
		before := h.Releases
		if h = h.With(e); releases(before, h.Releases, escalation.GuardFindings) {
			changes["tripped_at"], released = 0, e.LeafIndex // two people say that these findings are no fault of ours
		}
	}
	text, err := json.Marshal(h, json.Deterministic(true))
	if err != nil {
		return fmt.Errorf("writing what bears on every case: %w", err)
	}
	if string(text) == row.House && len(changes) == 0 && !wakes {
		return s.trips(tx, h, found, released) // what it says bears on no case
	}
	changes["house"] = string(text)
	if err := tx.Model(&houseRow{}).Where("id = 1").Updates(changes).Error; err != nil {
		return fmt.Errorf("writing what bears on every case: %w", err)
	}
	if err := s.trips(tx, h, found, released); err != nil {
		return err
	}
	// A file that was set aside is tried again too: this may be what it waits for.
	err = tx.Model(&fileRow{}).Where("standing <> ? AND next_at > ?", escalation.Terminated.String(), atOnce).Update("next_at", atOnce).Error
	if err != nil {
		return fmt.Errorf("waking the files that a statement about the gateway bears on: %w", err)
	}
	return nil
}
