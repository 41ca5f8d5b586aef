package docket

import (
	"context"
	"fmt"
	"testing"

	"gorm.io/gorm"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/ledger"
	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/migrations/migrationstest"
	"github.com/cipgate/cipgate/resellers/escalation"
)

// chattyLedger has the reseller state something in front of each decision about it.
type chattyLedger struct {
	*ledger.Ledger
	state func()
	lost  int
}

func (c *chattyLedger) AppendAfter(ctx context.Context, seen ledger.Seen, sets ...envelope.Verified) ([]ledger.Receipt, error) {
	c.state()
	receipts, err := c.Ledger.AppendAfter(ctx, seen, sets...)
	if err != nil {
		c.lost++
	}
	return receipts, err
}

func (c *chattyLedger) AppendInTurn(ctx context.Context, seen ledger.Seen, decide ledger.Decider) ([]ledger.Receipt, error) {
	c.state()
	return c.Ledger.AppendInTurn(ctx, seen, decide)
}

func TestAResellerThatNeverStopsStatingIsDecidedUponAllTheSame(t *testing.T) {
	migrationstest.Each(t, func(t *testing.T, db *gorm.DB) {
		w := newWorld(t, db)
		stated := 0
		state := func() {
			event, err := exampleOn(w.now)
			if err != nil {
				t.Fatal(err)
			}
			stated++
			w.append(seeded(t, 'r').Sign(envelope.Draft{Issuer: late, Audience: self, IssuedAt: w.now,
				JTI: fmt.Sprintf("statement-%d", stated), EventURI: statement.KindCIPAttestation.URI(), Event: event}))
		}
		w.enrol(late)
		state()
		log := &chattyLedger{Ledger: w.ledger, state: state}
		d, err := w.docket(w.db, log)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := d.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		if log.lost != patience {
			t.Errorf("%d decisions were overtaken, wanted %d before the one in its turn", log.lost, patience)
		}
		file, err := d.Open(t.Context(), late.ID())
		if err != nil {
			t.Fatal(err)
		}
		decisions := 0
		entries, err := w.ledger.About(t.Context(), late.ID(), 0, 1000)
		if err != nil {
			t.Fatal(err)
		}
		for i, entry := range entries {
			changed, is := entry.Statement.(statement.StandingChanged)
			if !is {
				continue
			}
			decisions++
			if changed.Basis.Seen != entries[i-1].LeafIndex {
				t.Errorf("it was decided on all up to entry %d, with entry %d before it", changed.Basis.Seen, entries[i-1].LeafIndex)
			}
		}
		if decisions != 1 || file.Case.Standing != escalation.Good {
			t.Errorf("%d decisions, standing %q, wanted one and good", decisions, file.Case.Standing)
		}
	})
}
