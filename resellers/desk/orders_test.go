package desk

import (
	"testing"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/resellers/docket"
	"github.com/cipgate/cipgate/resellers/escalation"
)

func TestOnlyWhoConfirmedAnOrderTakesThatBack(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		w.until(escalation.Restricted)
		order := escalation.ID(aurora, statement.RestrictionOrdered{Case: w.file().Case.ID, Order: escalation.NoNewAccounts})
		done := Carried{Outcome: "done", Reason: "Closed in billing."}
		_, err := w.ConfirmOrder(ctx, jon, "another", done)
		refuses(t, err, docket.ErrNoOrder, "GET /v1/orders")
		_, err = w.ConfirmOrder(ctx, jon, order, Carried{Outcome: "perhaps", Reason: "r"})
		refuses(t, err, ErrRefused, "done, partly or cannot")
		_, err = w.ConfirmOrder(ctx, jon, order, Carried{Outcome: "done", Reason: " "})
		refuses(t, err, ErrRefused, "reason")
		_, err = w.ConfirmOrder(ctx, jon, order, Carried{Outcome: "done", On: statement.DateOf(w.at.AddDate(0, 0, 1)), Reason: "r"})
		refuses(t, err, ErrRefused, "not later than")
		stands := func(state, by string) {
			t.Helper()
			o, err := w.files.Order(ctx, order)
			w.must(err)
			if o.State() != state || o.Confirmed.Officer.ID != by {
				t.Errorf("the order is %s, by %q; wanted %s by %q", o.State(), o.Confirmed.Officer.ID, state, by)
			}
		}
		_, err = w.ConfirmOrder(ctx, ida, order, Carried{Outcome: "partly", Reason: "One account is left."})
		w.must(err)
		stands(escalation.OrderOpen, "")
		_, err = w.ConfirmOrder(ctx, jon, order, done)
		w.must(err)
		stands(escalation.OrderConfirmed, "jon")
		if said := w.last(); said.Officer != jon || said.On.ID != order || said.Details[1].Value != statement.DateOf(w.at).String() {
			t.Errorf("%+v", said)
		}
		_, err = w.ConfirmOrder(ctx, ida, order, done)
		refuses(t, err, ErrRefused, "by Jon Reyes already")
		_, err = w.ConfirmOrder(ctx, ida, order, Carried{Outcome: "cannot", Reason: "It was not."})
		refuses(t, err, ErrRefused, "Who said so corrects it")
		_, err = w.ConfirmOrder(ctx, jon, order, Carried{Outcome: "cannot", Reason: "It was another one."})
		w.must(err)
		stands(escalation.OrderOpen, "")
	})
}

func TestASuccessorIsEnrolledStandsWellAndNotBelow(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		const other, below = envelope.Entity("https://other.example"), envelope.Entity("https://below.example")
		ctx, id := t.Context(), aurora.ID()
		enrolled := func(entity, superior envelope.Entity, tier int) {
			t.Helper()
			first, err := w.log.About(ctx, id, 0, 1)
			w.must(err)
			said := first[0].Statement.(statement.EntityEnrolled)
			said.Entity, said.Superior, said.Tier = entity, superior, tier
			set, err := w.sign(entity, "enrolled-"+string(entity), said)
			w.must(err)
			_, err = w.log.Append(ctx, set)
			w.must(err)
		}
		until := w.at.AddDate(1, 0, 0)
		_, err := w.NameSuccessor(ctx, jon, id, other, until, "Agreed.")
		refuses(t, err, ErrRefused, "wanted a reseller with an open case")
		w.until(escalation.Warned)
		enrolled(other, self, 1)
		enrolled(below, aurora, 2)
		w.pass(0)
		for successor, says := range map[envelope.Entity]string{
			"": "got nothing", aurora: "the reseller itself", below: "stands below it", "https://nobody.example": "not enrolled here",
		} {
			_, err := w.NameSuccessor(ctx, jon, id, successor, until, "Agreed.")
			refuses(t, err, ErrRefused, says)
		}
		_, err = w.NameSuccessor(ctx, jon, id, other, w.file().Case.LimitAt, "Agreed.")
		refuses(t, err, ErrRefused, "ends after that")
		_, err = w.DropSuccessor(ctx, jon, id, "r")
		refuses(t, err, ErrNotFound, "no successor is named")
		for _, successor := range []envelope.Entity{self, other} {
			_, err = w.NameSuccessor(ctx, jon, id, successor, until, "Agreed.")
			w.must(err)
			if n := w.file().Case.Successor; n == nil || n.Entity != successor || n.By != jon {
				t.Errorf("%+v", n)
			}
		}
		_, err = w.DropSuccessor(ctx, ida, id, "They changed their mind.")
		w.must(err)
		if n := w.file().Case.Successor; n != nil {
			t.Errorf("taken back, and %+v", n)
		}
		w.pass(31 * day24) // the other one says nothing either, and is warned
		_, err = w.NameSuccessor(ctx, jon, id, other, until, "Agreed.")
		refuses(t, err, ErrRefused, "without an open case")
	})
}
