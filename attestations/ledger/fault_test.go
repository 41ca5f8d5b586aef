package ledger_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"gorm.io/gorm"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/ledger"
	"github.com/cipgate/cipgate/attestations/ledger/ledgertest"
	"github.com/cipgate/cipgate/migrations/migrationstest"
)

func openLedger(tb testing.TB, db *gorm.DB) *ledger.Ledger {
	tb.Helper()
	signer, _ := ledgertest.LogKey(tb)
	var clock ledgertest.Clock
	l, err := ledger.Open(tb.Context(), ledger.Config{DB: db, Signer: signer, Origin: ledgertest.Origin, Bodies: ledgertest.Bodies(tb), Now: clock.Now})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := l.Close(); err != nil {
			tb.Error(err)
		}
	})
	return l
}

// fault is what happens to one commit.
type fault struct {
	name      string
	around    func(commit func() error) error
	unknown   bool // what the callers are told
	persisted bool // what is true
}

var errInjected = errors.New("injected")

func unknownOutcome() error { return fmt.Errorf("%w: %w", ledger.ErrUnknownOutcome, errInjected) }

var faults = []fault{
	{
		name:   "the store refuses before the commit",
		around: func(func() error) error { return errInjected },
	},
	{
		name:    "the connection is lost before the commit reaches the store",
		around:  func(func() error) error { return unknownOutcome() },
		unknown: true,
	},
	{
		name: "the connection is lost after the commit",
		around: func(commit func() error) error {
			if err := commit(); err != nil {
				return err
			}
			return unknownOutcome()
		},
		unknown: true, persisted: true,
	},
}

// TestAfterAFaultTheLogIsWholeAndGoesOn: the callers are told the truth or that nobody knows it, stating the same again tells, and
// the whole log is checked after each step.
func TestAfterAFaultTheLogIsWholeAndGoesOn(t *testing.T) {
	for _, test := range faults {
		t.Run(test.name, func(t *testing.T) {
			migrationstest.Each(t, func(t *testing.T, db *gorm.DB) {
				l := openLedger(t, db)
				faulty := false
				ledger.Around(l, func(commit func() error) error {
					if faulty {
						faulty = false
						return test.around(commit)
					}
					return commit()
				})
				author := ledgertest.NewAuthor(t, 1)
				mustAppend(t, l, author.State(t, 0))
				before := mustCheckpoint(t, l)

				faulty = true
				_, err := l.Append(t.Context(), author.State(t, 1), author.State(t, 2))
				if !errors.Is(err, errInjected) || errors.Is(err, ledger.ErrUnknownOutcome) != test.unknown {
					t.Errorf("the callers are told %v", err)
				}
				if err := l.Able(t.Context()); !errors.Is(err, errInjected) {
					t.Errorf("after it the ledger is able: %v", err)
				}
				if err := l.Able(t.Context()); err != nil {
					t.Errorf("and nothing has failed since it was asked: %v", err)
				}
				if persisted := mustCheckpoint(t, l) != before; persisted != test.persisted {
					t.Errorf("the checkpoint has moved: %v, wanted %v", persisted, test.persisted)
				}
				mustCheck(t, l)

				receipts := mustAppend(t, l, author.State(t, 1), author.State(t, 2), author.State(t, 3))
				for i, receipt := range receipts {
					if receipt.LeafIndex != int64(i+1) || receipt.Duplicate != (test.persisted && i < 2) {
						t.Errorf("stated again: receipt %d is %+v", i, receipt)
					}
				}
				mustCheck(t, l)
				if _, _, err := l.Prove(t.Context(), author.State(t, 2).Digest()); err != nil {
					t.Error(err)
				}
			})
		})
	}
}

// TestFaultsAmongManyCallersLoseNothingThatWasPromised: each caller tries until it is told that its statement stands.
func TestFaultsAmongManyCallersLoseNothingThatWasPromised(t *testing.T) {
	migrationstest.Each(t, func(t *testing.T, db *gorm.DB) {
		l := openLedger(t, db)
		commits := 0 // only the committing goroutine counts
		ledger.Around(l, func(commit func() error) error {
			commits++
			if commits%3 == 0 {
				return faults[commits/3%len(faults)].around(commit)
			}
			return commit()
		})
		const callers, each = 8, 25
		var group sync.WaitGroup
		for i := range callers {
			author := ledgertest.NewAuthor(t, i)
			group.Go(func() {
				last := int64(-1)
				for n := range each {
					set := author.State(t, n)
					receipts, err := l.Append(t.Context(), set)
					for errors.Is(err, errInjected) {
						receipts, err = l.Append(t.Context(), set)
					}
					if err != nil {
						t.Error(err)
						return
					}
					if receipts[0].LeafIndex <= last {
						t.Errorf("statement %d stands at %d, the one before at %d", n, receipts[0].LeafIndex, last)
					}
					last = receipts[0].LeafIndex
				}
			})
		}
		group.Wait()
		if size, err := l.Size(t.Context()); err != nil || size != callers*each {
			t.Errorf("%d entries, wanted %d: %v", size, callers*each, err)
		}
		mustCheck(t, l)
	})
}

// TestNothingShowsWhatIsNotCommitted holds a commit up at its end and looks.
func TestNothingShowsWhatIsNotCommitted(t *testing.T) {
	migrationstest.Each(t, func(t *testing.T, db *gorm.DB) {
		l := openLedger(t, db)
		begun, goOn := make(chan struct{}), make(chan struct{})
		ledger.Around(l, func(commit func() error) error {
			begun <- struct{}{}
			<-goOn
			return commit()
		})
		set := ledgertest.NewAuthor(t, 1).State(t, 0)
		answer := make(chan error)
		before, changed := mustCheckpoint(t, l), l.Changed()
		go func() {
			_, err := l.Append(t.Context(), set)
			answer <- err
		}()
		<-begun
		select {
		case <-changed:
			t.Error("followers are woken")
		case err := <-answer:
			t.Errorf("the caller is answered: %v", err)
		default:
		}
		if mustCheckpoint(t, l) != before {
			t.Error("the checkpoint has moved")
		}
		if _, _, err := l.Prove(t.Context(), set.Digest()); !errors.Is(err, ledger.ErrNotFound) {
			t.Errorf("a proof: %v", err)
		}
		if _, err := l.Tile(t.Context(), 0, 0, 1); !errors.Is(err, ledger.ErrNotFound) {
			t.Errorf("a tile: %v", err)
		}
		close(goOn)
		if err := <-answer; err != nil {
			t.Error(err)
		}
		<-changed
	})
}

// TestACallerThatGivesUpDuringItsCommitIsToldSo: before it, nothing was stored; during it, nobody knows yet.
func TestACallerThatGivesUpDuringItsCommitIsToldSo(t *testing.T) {
	migrationstest.Each(t, func(t *testing.T, db *gorm.DB) {
		l := openLedger(t, db)
		begun, goOn := make(chan struct{}), make(chan struct{})
		held := false // only the first commit is
		ledger.Around(l, func(commit func() error) error {
			err := commit()
			if !held {
				held = true
				close(begun)
				<-goOn
			}
			return err
		})
		author := ledgertest.NewAuthor(t, 1)
		answer := make(chan error)
		add := func(ctx context.Context, n int) {
			_, err := l.Append(ctx, author.State(t, n))
			answer <- err
		}
		ctx, giveUp := context.WithCancel(t.Context())
		go add(ctx, 0)
		<-begun
		giveUp()
		if err := <-answer; !errors.Is(err, ledger.ErrUnknownOutcome) || !errors.Is(err, context.Canceled) {
			t.Errorf("during its commit: %v", err)
		}
		ctx, giveUp = context.WithCancel(t.Context())
		giveUp()
		go add(ctx, 1)
		if err := <-answer; errors.Is(err, ledger.ErrUnknownOutcome) || !errors.Is(err, context.Canceled) {
			t.Errorf("while it waits: %v", err)
		}
		close(goOn)
		receipts := mustAppend(t, l, author.State(t, 0), author.State(t, 1))
		if !receipts[0].Duplicate || receipts[1].Duplicate {
			t.Errorf("stated again: %+v", receipts)
		}
	})
}

// TestADatabaseThatHasLostItsEndIsNotAppendedTo: restored from a backup under a running gateway.
func TestADatabaseThatHasLostItsEndIsNotAppendedTo(t *testing.T) {
	for _, test := range []struct {
		name    string
		regrown int // statements that another gateway appends after the restore
	}{
		{"shorter than before", 0},
		{"grown again to the same size", 2},
		{"grown again and longer", 300},
	} {
		t.Run(test.name, func(t *testing.T) {
			migrationstest.EachURL(t, func(t *testing.T, url string) {
				l := openLedger(t, migrationstest.Open(t, url))
				author := ledgertest.NewAuthor(t, 1)
				for n := range 10 {
					mustAppend(t, l, author.State(t, n))
				}
				early := mustCheckpoint(t, l)
				mustAppend(t, l, author.State(t, 10), author.State(t, 11))

				other := migrationstest.Open(t, url)
				tamper(t, other,
					"DELETE FROM ledger_entries WHERE leaf_index >= 10",
					"DELETE FROM ledger_jtis WHERE leaf_index >= 10",
					"UPDATE ledger_head SET size = 10, checkpoint = '"+early+"'")
				second := openLedger(t, other)
				for n := range test.regrown {
					mustAppend(t, second, author.State(t, 100+n))
				}
				for range 2 {
					if _, err := l.Append(t.Context(), author.State(t, 12)); err == nil || !strings.Contains(err.Error(), "restored from a backup") {
						t.Errorf("got %v, wanted a refusal", err)
					}
					if err := l.Able(t.Context()); err == nil || !strings.Contains(err.Error(), "restored from a backup") {
						t.Errorf("it says that it could append: %v", err)
					}
				}
				if err := second.Able(t.Context()); err != nil {
					t.Error(err)
				}
				mustCheck(t, second)
			})
		})
	}
}

// tamper changes what the triggers protect, as whoever owns the database can.
func tamper(t *testing.T, db *gorm.DB, statements ...string) {
	t.Helper()
	drop := map[string][]string{
		"postgres": {
			"ALTER TABLE ledger_entries DISABLE TRIGGER USER", "ALTER TABLE ledger_erasures DISABLE TRIGGER USER", "ALTER TABLE ledger_tiles DISABLE TRIGGER USER", "ALTER TABLE ledger_head DISABLE TRIGGER USER",
		},
		"sqlite": {
			"DROP TRIGGER IF EXISTS ledger_entries_update", "DROP TRIGGER IF EXISTS ledger_entries_delete", "DROP TRIGGER IF EXISTS ledger_tiles_update",
			"DROP TRIGGER IF EXISTS ledger_tiles_delete", "DROP TRIGGER IF EXISTS ledger_head_grows",
		},
	}
	for _, statement := range append(drop[db.Name()], statements...) {
		if err := db.Exec(statement).Error; err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
}

func mustAppend(t *testing.T, l *ledger.Ledger, sets ...envelope.Verified) []ledger.Receipt {
	t.Helper()
	receipts, err := l.Append(t.Context(), sets...)
	if err != nil {
		t.Fatal(err)
	}
	return receipts
}

func mustCheckpoint(t *testing.T, l *ledger.Ledger) string {
	t.Helper()
	checkpoint, err := l.Checkpoint(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return string(checkpoint)
}

func mustCheck(t *testing.T, l *ledger.Ledger) {
	t.Helper()
	if err := l.Check(t.Context()); err != nil {
		t.Error(err)
	}
}

func states(t *testing.T, author ledgertest.Author, from, to int) []envelope.Verified {
	t.Helper()
	var sets []envelope.Verified
	for n := from; n < to; n++ {
		sets = append(sets, author.State(t, n))
	}
	return sets
}
