package history

import (
	"reflect"
	"testing"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/statement"
)

// What one of the provider's own systems signs of an order settles it, and is no word of the reseller: it stated nothing by that, nothing
// proves that it was reached, and after a termination it is no evidence of its own.
func TestASystemSettlesAnOrderAndSpeaksForNobody(t *testing.T) {
	system := envelope.SystemOf(gateway, "billing")
	ordered := at(2, gateway, statement.ClosureOrdered{Case: "c", Scope: "reseller-account"})
	ordered.JTI = "order"
	before := fold(enrolled(0, "Example"), ordered)
	if len(before.Orders.Open) != 1 {
		t.Fatalf("no order is open: %+v", before)
	}
	says := func(by envelope.Entity, outcome string) statement.Entry {
		return at(3, by, statement.OrderConfirmation{Order: "order", Outcome: outcome})
	}
	done, cannot, own := before.With(says(system, "done")), before.With(says(system, "cannot")), before.With(says(reseller, "done"))
	word := own.Orders.Carried[0].Word
	if word.By = system; len(done.Orders.Carried) != 1 || done.Orders.Carried[0].Word != word {
		t.Errorf("by whose word: %+v, and %+v", done.Orders.Carried, own.Orders.Carried)
	}
	own.Orders.Carried = done.Orders.Carried
	if len(done.Orders.Open) != 0 || len(cannot.Orders.Open) != 1 || !reflect.DeepEqual(done.Orders, own.Orders) {
		t.Errorf("done leaves %+v, cannot %+v, the reseller's own word %+v", done.Orders, cannot.Orders, own.Orders)
	}
	if own.Figures.Statements != 1 || done.Seen() != 3 {
		t.Errorf("by the reseller: %+v; by a system: %+v", own, done)
	}
	rest := done
	if rest.Orders, rest.Next = before.Orders, before.Next; !reflect.DeepEqual(rest, before) {
		t.Errorf("by a system more than the order changed: %+v", rest)
	}
	ended := before.With(at(3, gateway, statement.RelationshipTerminated{Case: "c"}))
	late := says(system, "done")
	late.LeafIndex = 4
	if after := ended.With(late); after.AfterTermination != 0 || len(after.Orders.Open) != 0 {
		t.Errorf("after the end: %+v", after)
	}
}
