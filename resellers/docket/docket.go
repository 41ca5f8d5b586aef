// Package docket keeps every case moving. It is the shell around the deciders in findings and escalation:
// it folds the ledger into one file a reseller, judges a file whenever something new was said about its
// reseller or a time came at which the answer turns, and states in the ledger what was decided.
//
// The ledger is the truth. A file is a fold of it and may be dropped at any time (Rebuild). What keeps the
// docket exact when it is killed between any two steps:
//
//   - Turn moves its cursor and the files in one transaction, and only from where the cursor was read, so
//     each entry is folded once, whichever of several processes does it. A file about which something must
//     be stated gets the next_at "at once" there.
//   - Settle computes what must be stated from the file alone. It appends only if nothing newer about the
//     reseller stands in the ledger, and under a jti computed from what is decided: deciding twice, here or
//     elsewhere, states once. It never writes the file's history or case; its own statements come back by
//     the fold like everybody's.
//   - Killed after the append: the fold finds the statements. Killed before: next_at still says "at once".
//
// It decides nothing and carries nothing out.
package docket

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sync/atomic"
	"time"

	"gorm.io/gorm"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/ledger"
	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/resellers/escalation"
	"github.com/cipgate/cipgate/resellers/history"
	"github.com/cipgate/cipgate/resellers/policy"
	"github.com/cipgate/cipgate/resellers/screening"
)

// ErrNotFound says that the docket holds no file about this entity.
var ErrNotFound = errors.New("no file about this entity")

// Ledger is what the docket needs of the ledger: to read what was said, and to state what was decided.
type Ledger interface {
	Entries(ctx context.Context, from int64, limit int, kinds ...statement.Kind) ([]statement.Entry, error)
	Size(ctx context.Context) (int64, error)
	About(ctx context.Context, id envelope.ID, from int64, limit int) ([]statement.Entry, error)
	AppendAfter(ctx context.Context, seen ledger.Seen, sets ...envelope.Verified) ([]ledger.Receipt, error)
	AppendInTurn(ctx context.Context, seen ledger.Seen, decide ledger.Decider) ([]ledger.Receipt, error)
}

// Docket is the shell around its files. Make one with New; it is safe for concurrent use, also by several
// processes on one database.
type Docket struct {
	db     *gorm.DB
	ledger Ledger
	signer envelope.Signer
	self   envelope.Entity
	now    func() time.Time

	// shelves is the shelf by which it judges now: another one once another policy was adopted.
	shelves atomic.Pointer[policy.Shelf]

	definitions definitions

	// awake is asked before a file is settled; see Wakeful.
	awake func(ctx context.Context) (looked bool, err error)
}

// Wakeful lets Sweep ask before each file whether time passed in which the gateway could take no submissions. If it says that it looked,
// what it may have stated is folded before anything is decided. Set it before the first Sweep.
func (d *Docket) Wakeful(awake func(ctx context.Context) (looked bool, err error)) { d.awake = awake }

// New returns the docket of the gateway self, which judges by p and signs what it states with signer. Earlier
// policies, to which open cases may be pinned, are read from the ledger.
func New(ctx context.Context, db *gorm.DB, log Ledger, signer envelope.Signer, self envelope.Entity, p policy.Policy, now func() time.Time) (*Docket, error) {
	d := &Docket{db: db, ledger: log, signer: signer, self: self, now: now}
	shelf, err := d.readShelf(ctx, p)
	if err != nil {
		return nil, err
	}
	d.shelves.Store(&shelf)
	return d, nil
}

// File is all that the docket holds about one reseller.
type File struct {
	Entity  envelope.Entity
	History history.History
	Case    escalation.Case
	NextAt  time.Time // when it is judged again, nothing new being said; zero if at once or never

	// Prohibited is whom of the reseller's customers a special measure in force prohibits, as Open found it. The fold does not know.
	Prohibited screening.Prohibited
	// House is what bears on every case, as Open found it.
	House escalation.House
}

// Seen is the leaf index of the newest entry about the reseller that was folded; -1 if none was.
func (f File) Seen() int64 { return f.History.Seen() }

// ID is the file's id: that of its entity.
func (f File) ID() envelope.ID { return f.Entity.ID() }

const (
	atOnce = int64(0)
	never  = int64(math.MaxInt64)
)

func microsOrNever(t time.Time) int64 {
	if t.IsZero() {
		return never
	}
	return t.UnixMicro()
}

func microsOrZero(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

func timeOrZero(micros int64) time.Time {
	if micros == never || micros == atOnce {
		return time.Time{}
	}
	return time.UnixMicro(micros).UTC()
}

// Open returns the file about the entity with this id, or ErrNotFound.
func (d *Docket) Open(ctx context.Context, id envelope.ID) (File, error) {
	file, err := d.open(ctx, id)
	if err != nil {
		return File{}, err
	}
	if file.House, err = d.House(ctx); err != nil {
		return file, err
	}
	file.House.Holdings, err = d.holdings(ctx, file, d.now())
	return file, err
}

// open is Open without the house.
func (d *Docket) open(ctx context.Context, id envelope.ID) (File, error) {
	var row fileRow
	err := d.db.WithContext(ctx).Where("id = ?", id[:]).Take(&row).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return File{}, ErrNotFound
	}
	if err != nil {
		return File{}, fmt.Errorf("opening a file: %w", err)
	}
	file, err := row.toFile()
	if err != nil {
		return File{}, err
	}
	file.Prohibited, err = prohibited(ctx, d.db, id, d.now())
	return file, err
}

// Outlook returns how the reseller of a file stands now, what it owes, and what comes if nothing is done, by the policy
// that its case is pinned to.
func (d *Docket) Outlook(file File) (escalation.Prospect, error) {
	p, err := d.PolicyOf(file)
	if err != nil {
		return escalation.Prospect{}, err
	}
	return escalation.Outlook(p, file.Entity, file.Case, file.History, file.House, d.now())
}

// PolicyOf returns the policy by which a file is judged: the one that its case is pinned to, or the one in force.
// The guard is the one in force: it brakes the gateway, not the case.
func (d *Docket) PolicyOf(file File) (policy.Policy, error) {
	shelf := *d.shelves.Load()
	p, err := shelf.For(file.Case.Policy)
	p.Guard = shelf.InForce().Guard
	return p, err
}
