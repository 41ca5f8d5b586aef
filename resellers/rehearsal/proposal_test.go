package rehearsal

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"gorm.io/gorm"

	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/migrations/migrationstest"
	"github.com/cipgate/cipgate/resellers/docket"
	"github.com/cipgate/cipgate/resellers/policy"
)

func TestWhoMayPutInForceWhatWasProposed(t *testing.T) {
	lenient, other := next(t, 90, firstWithin, firstWithinLong), next(t, 90, firstWithin, firstWithinTen)
	by := func(who statement.Officer, id string, leaf int64, p policy.Policy) Proposal {
		return Proposal{ID: id, LeafIndex: leaf, Policy: p.ID(), Digest: p.Digest(), Replaces: "us-iaas-2024.4", By: who, At: epoch, ExpiresAt: epoch.Add(14 * dayH)}
	}
	began := docket.Activation{Policy: policy.Default(), LeafIndex: 0}
	since := docket.Activation{Policy: policy.Default(), LeafIndex: 9}
	admin := statement.Officer{ID: "admin", Name: "Administrator"}
	for name, c := range map[string]struct {
		all  []Proposal
		by   statement.Officer
		last docket.Activation
		now  time.Time
		id   string // of the proposal that is picked
		is   error
		says string
	}{
		"none":                          {nil, mara, began, epoch, "", ErrNotProposed, lenient.Digest()},
		"of another person":             {[]Proposal{by(jon, "p-1", 5, lenient)}, mara, began, epoch, "p-1", nil, ""},
		"of the same person":            {[]Proposal{by(mara, "p-1", 5, lenient)}, mara, began, epoch, "p-1", ErrMayNot, "A second person runs, until 2026-03-15T09:00:00Z: cipgate policy activate --proposal p-1"},
		"of the first account":          {[]Proposal{by(admin, "p-1", 5, lenient)}, admin, began, epoch, "p-1", ErrMayNot, "nobody puts in force what they proposed"},
		"of both":                       {[]Proposal{by(jon, "p-1", 5, lenient), by(mara, "p-2", 6, lenient)}, mara, began, epoch, "p-1", nil, ""},
		"of two others":                 {[]Proposal{by(jon, "p-1", 5, lenient), by(admin, "p-2", 6, lenient)}, mara, began, epoch, "p-2", nil, ""},
		"in its last second":            {[]Proposal{by(jon, "p-1", 5, lenient)}, mara, began, epoch.Add(14*dayH - time.Second), "p-1", nil, ""},
		"too long ago":                  {[]Proposal{by(jon, "p-1", 5, lenient)}, mara, began, epoch.Add(14 * dayH), "", ErrNotProposed, "could be put in force until 2026-03-15T09:00:00Z"},
		"to replace another":            {[]Proposal{by(jon, "p-1", 5, lenient)}, mara, since, epoch, "", ErrNotProposed, "came into force since"},
		"of another text":               {[]Proposal{by(jon, "p-1", 5, other)}, mara, began, epoch, "", ErrNotProposed, "byte for byte"},
		"of another text, too old":      {[]Proposal{by(jon, "p-1", 5, other)}, mara, began, epoch.Add(15 * dayH), "", ErrNotProposed, "nobody proposed"},
		"of the same person, too old":   {[]Proposal{by(mara, "p-1", 5, lenient)}, mara, began, epoch.Add(15 * dayH), "", ErrNotProposed, "Propose it again"},
		"an old one and one of oneself": {[]Proposal{by(jon, "p-1", 1, lenient), by(mara, "p-2", 6, lenient)}, mara, docket.Activation{Policy: policy.Default(), LeafIndex: 3}, epoch, "p-2", ErrMayNot, "p-2"},
	} {
		got, err := choose(c.all, c.by, lenient, c.last, c.now)
		if err == nil {
			err = got.Why
		}
		if got.ID != c.id || !errors.Is(err, c.is) || c.is == nil && err != nil || !strings.Contains(fmt.Sprint(err), c.says) {
			t.Errorf("%s: picked %q, %v; wanted %q, %v that says %q", name, got.ID, err, c.id, c.is, c.says)
		}
	}
}

func TestWhatMovesOtherwiseThanProposedIsNamed(t *testing.T) {
	was := []statement.Field{field("counted_on", "2026-03-01"), field("moving", "2"), field("warned", "2"), field("opens", "cip.missing 2"), field("moved", "a")}
	for name, c := range map[string]struct {
		now   []statement.Field
		words string
	}{
		"nothing but the day": {[]statement.Field{field("counted_on", "2026-03-02"), field("moving", "2"), field("warned", "2"), field("opens", "cip.missing 2"), field("moved", "a")}, ""},
		"numbers": {[]statement.Field{field("moving", "3"), field("restricted", "1"), field("opens", "cip.missing 2"), field("moved", "b")},
			"moving: 2 when proposed, 3 now; restricted: none when proposed, 1 now; warned: 2 when proposed, none now"},
		"others, as many": {[]statement.Field{field("moving", "2"), field("warned", "2"), field("opens", "cip.missing 2"), field("moved", "b")},
			"of whom, and on which days: as listed then when proposed, otherwise now"},
	} {
		if got := inWords(differ(was, c.now)); got != c.words {
			t.Errorf("%s: %q, wanted %q", name, got, c.words)
		}
	}
}

func TestTwoPeoplePutAPolicyInForceByteForByteAndWhatMovesIsCountedAgain(t *testing.T) {
	migrationstest.Each(t, func(t *testing.T, db *gorm.DB) {
		w := newWorld(t, db)
		ctx := t.Context()
		w.enrol("aurora")
		lenient, other := next(t, 90, firstWithin, firstWithinLong), next(t, 90, firstWithin, firstWithinTen)
		look := func(p policy.Policy) string {
			t.Helper()
			moves, err := w.Consequences(ctx, p)
			w.must(err)
			return moves.Shown
		}
		proposed, err := w.Propose(ctx, mara, lenient, look(lenient), "It asks too soon.")
		w.must(err)
		if proposed.By != mara || proposed.Document != lenient.Document() || proposed.Digest != lenient.Digest() || proposed.Replaces != policy.Default().ID() ||
			!proposed.ExpiresAt.Equal(epoch.Add(14*dayH)) || proposed.Backtest != "" || w.docket.InForce().ID() != policy.Default().ID() {
			t.Errorf("%+v", proposed)
		}
		if _, err := w.Propose(ctx, jon, lenient, look(lenient), "I too."); !errors.Is(err, ErrRefused) || !strings.Contains(fmt.Sprint(err), "Mara Lind proposed this very file") {
			t.Errorf("proposed twice: %v", err)
		}
		if _, err := w.Activate(ctx, mara, lenient, look(lenient), "Because."); !errors.Is(err, ErrMayNot) || !strings.Contains(fmt.Sprint(err), "A second person runs") {
			t.Errorf("by who proposed it: %v", err)
		}
		if _, err := w.Activate(ctx, jon, other, "whatever", "Because."); !errors.Is(err, ErrNotProposed) || !strings.Contains(fmt.Sprint(err), "byte for byte") {
			t.Errorf("another text under the same name: %v", err)
		}
		if _, err := w.Proposal(ctx, "unheard-of"); !errors.Is(err, ErrNotFound) {
			t.Error(err)
		}
		// More moves than was proposed: who activates is shown so, and the ledger keeps both.
		w.enrol("borealis")
		moves, err := w.Consequences(ctx, lenient)
		w.must(err)
		pending, err := w.Pending(ctx, jon, lenient, moves)
		w.must(err)
		if words := inWords(pending.Differs); pending.Why != nil || words != "resellers: 1 when proposed, 2 now; moving: 1 when proposed, 2 now; steps: 1 when proposed, 2 now; obligations move: closure-report 1 when proposed, closure-report 2 now" {
			t.Errorf("%v, %q", pending.Why, words)
		}
		// Another policy comes into force between what was judged and the commit: then nothing is done.
		between := w.again()
		between.Docket = overtaken{w.docket, func() {
			_, err := w.docket.ActivateAs(ctx, next(t, 89), nobodyBeside)
			w.must(err)
		}}
		size, err := w.log.Size(ctx)
		w.must(err)
		if _, err := between.Activate(ctx, jon, lenient, moves.Shown, "The board decided."); !errors.Is(err, ErrNotProposed) || !strings.Contains(fmt.Sprint(err), "us-iaas-2024.89 came into force since") {
			t.Errorf("overtaken: %v", err)
		}
		if after, err := w.log.Size(ctx); err != nil || after != size+1 {
			t.Errorf("%d entries more, %v: wanted the other activation alone", after-size, err)
		}
		w.must(w.Adopt(ctx))
		if _, err := w.Propose(ctx, mara, lenient, look(lenient), "It asks too soon."); err != nil {
			t.Errorf("proposed again, to replace the other one: %v", err)
		}
		done, err := w.Activate(ctx, jon, lenient, look(lenient), "The board decided.")
		w.must(err)
		entries, err := w.log.About(ctx, self.ID(), done.LeafIndex+1, 1)
		w.must(err)
		said, is := entries[0].Statement.(statement.OfficerAction)
		if !is || said.Officer != jon || said.ProposedBy == nil || *said.ProposedBy != mara || detail(said, "proposal") != done.Proposal.ID || detail(said, "reason_proposed") != "It asks too soon." ||
			detail(said, "moving") != "2" || detail(said, "differs") != "" {
			t.Errorf("%+v", entries[0])
		}
		// It was used up: the policy before comes back, and the old word counts no more.
		w.must(w.docket.CatchUp(ctx))
		if _, err := w.docket.ActivateAs(ctx, next(t, 89), nobodyBeside); err != nil {
			t.Fatal(err)
		}
		w.must(w.Adopt(ctx))
		if _, err := w.Activate(ctx, jon, lenient, look(lenient), "Once more."); !errors.Is(err, ErrNotProposed) {
			t.Errorf("by a proposal that was used: %v", err)
		}
	})
}
