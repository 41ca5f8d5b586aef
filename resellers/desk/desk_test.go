package desk

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"gorm.io/gorm"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/ledger"
	"github.com/cipgate/cipgate/attestations/ledger/ledgertest"
	"github.com/cipgate/cipgate/attestations/proof"
	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/migrations/migrationstest"
	"github.com/cipgate/cipgate/resellers/docket"
	"github.com/cipgate/cipgate/resellers/policy"
)

func TestMain(m *testing.M) { migrationstest.Main(m) }

const self = envelope.Entity("https://provider.example")

var (
	now  = time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)
	mara = statement.Officer{ID: "mara", Name: "Mara Lind"}
)

// newDesks returns desks of several processes on one store.
func newDesks(t *testing.T, db *gorm.DB, numbers policy.SpecialMeasures, count int) (*ledger.Ledger, []*Desk) {
	t.Helper()
	clock := func() time.Time { return now }
	const origin = "provider.example/log"
	key := ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))
	logKey, err := proof.NewLogSigner(origin, key)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := envelope.NewSigner(key)
	if err != nil {
		t.Fatal(err)
	}
	log, err := ledger.Open(t.Context(), ledger.Config{DB: db, Signer: logKey, Origin: origin, Bodies: ledgertest.Bodies(t), Now: clock})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := log.Close(); err != nil {
			t.Error(err)
		}
	})
	files, err := docket.New(t.Context(), db, log, signer, self, policy.Default(), clock)
	if err != nil {
		t.Fatal(err)
	}
	desks := make([]*Desk, count)
	for i := range desks {
		desks[i] = New(db, log, docket.NewScreener(db, log, self, 90, clock), files, signer, self, numbers, clock)
	}
	return log, desks
}

func day(text string) statement.Date {
	d, err := statement.ParseDate(text)
	if err != nil {
		panic(err)
	}
	return d
}

func measure(id string) statement.SpecialMeasureImposed {
	return statement.SpecialMeasureImposed{Measure: id, Scope: statement.MeasureScope{Country: "KP"}, Effect: "prohibit", DeterminedOn: day("2025-07-01"),
		EffectiveOn: day("2026-02-01"), ExpiresOn: day("2027-01-31"), List: "list-2026.1", Source: "91 FR 1"}
}

func said(t *testing.T, log *ledger.Ledger, kind statement.Kind) []statement.Entry {
	t.Helper()
	entries, err := log.Entries(t.Context(), 0, 1000, kind)
	if err != nil {
		t.Fatal(err)
	}
	return entries
}

func TestOfOfficersWhoActAtOnceEachIsHeardAndTheSameIsSaidOnce(t *testing.T) {
	migrationstest.Each(t, func(t *testing.T, db *gorm.DB) {
		log, desks := newDesks(t, db, policy.Default().SpecialMeasures, 4)
		failed := make(chan error, 2*len(desks))
		var all sync.WaitGroup
		for i, d := range desks {
			for _, id := range []string{"same", fmt.Sprint("own-", i)} {
				all.Go(func() {
					// Who is overtaken again and again is told so, and sends it again.
					for {
						_, err := d.Impose(context.WithoutCancel(t.Context()), mara, measure(id))
						if !errors.Is(err, ErrMoved) {
							failed <- err
							return
						}
					}
				})
			}
		}
		all.Wait()
		close(failed)
		for err := range failed {
			if err != nil {
				t.Error(err)
			}
		}
		count := map[string]int{}
		for _, e := range said(t, log, statement.KindSpecialMeasureImposed) {
			count[e.Statement.(statement.SpecialMeasureImposed).Measure]++
		}
		if len(count) != len(desks)+1 {
			t.Errorf("imposed: %v", count)
		}
		for id, times := range count {
			if times != 1 {
				t.Errorf("%s was imposed %d times", id, times)
			}
		}
		if acted := len(said(t, log, statement.KindOfficerAction)); acted != len(count) {
			t.Errorf("%d actions for %d measures", acted, len(count))
		}
	})
}

func TestThePolicySaysWhetherAMeasureOutsideTheRuleIsRefusedOrWarnedOf(t *testing.T) {
	migrationstest.Each(t, func(t *testing.T, db *gorm.DB) {
		strict := policy.Default().SpecialMeasures
		lenient := strict
		lenient.Outside.Value = policy.WarnOfIt
		_, desks := newDesks(t, db, strict, 1)
		long := measure("long")
		long.ExpiresOn = day("2028-01-31")
		if _, err := desks[0].Impose(t.Context(), mara, long); !errors.Is(err, ErrRefused) || !strings.Contains(err.Error(), "15 CFR 7.307") {
			t.Errorf("strict: %v", err)
		}
		desks[0].Adopt(lenient)
		imposed, err := desks[0].Impose(t.Context(), mara, long)
		if err != nil || len(imposed.Warnings) != 1 || imposed.Measure.Version != 1 {
			t.Errorf("lenient: %+v, %v", imposed, err)
		}
		other := long
		other.Scope.Country = "IR"
		if _, err := desks[0].Impose(t.Context(), mara, other); !errors.Is(err, ErrRefused) {
			t.Errorf("a slip is refused by any policy: %v", err)
		}
	})
}

func TestTheProviderItselfIsExemptedOnce(t *testing.T) {
	migrationstest.Each(t, func(t *testing.T, db *gorm.DB) {
		log, desks := newDesks(t, db, policy.Default().SpecialMeasures, 1)
		grant := statement.ExemptionGranted{Exemption: "e-1", GrantedBy: "Secretary", GrantedOn: day("2026-02-27"), Until: now.AddDate(1, 0, 0), Reference: "R"}
		for range 2 {
			held, err := desks[0].Exempt(t.Context(), self, mara, grant)
			if err != nil || !held.In(now) || held.GrantedOn != grant.GrantedOn {
				t.Fatalf("%+v, %v", held, err)
			}
		}
		granted := said(t, log, statement.KindExemptionGranted)
		if len(granted) != 1 || granted[0].About != self || granted[0].Statement.(statement.ExemptionGranted).RecordedBy != mara {
			t.Errorf("%+v", granted)
		}
		held, err := desks[0].Withdraw(t.Context(), self, mara, statement.ExemptionWithdrawn{Exemption: "e-1", Reason: "revoked"})
		if err != nil || held.In(now) || !held.Withdrawn {
			t.Errorf("withdrawn: %+v, %v", held, err)
		}
		if _, err := desks[0].Exempt(t.Context(), "https://nobody.example", mara, grant); !errors.Is(err, docket.ErrNotFound) {
			t.Errorf("of nobody: %v", err)
		}
	})
}
