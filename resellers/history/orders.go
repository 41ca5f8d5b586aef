package history

import (
	"cmp"
	"slices"
	"time"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/statement"
)

// ActionOrderConfirmed is an officer's action, or that of one of the provider's own systems: an order was carried out, or cannot be. Its
// details are "outcome", as order-confirmation names it, and "on", the day.
const ActionOrderConfirmed = "order.confirmed"

// OutcomeDone is the outcome of an order that was carried out whole.
const OutcomeDone = "done"

// Word is who said of an order that it was carried out, and in which statement. An order (escalation.Ordered) and the facts fold what is
// said by the same rules, TakenBack and SaidAnew, so that neither takes an order for done that the other does not.
type Word struct {
	JTI     string          `json:"jti"`
	By      envelope.Entity `json:"by,omitzero"`      // a reseller, or by its signature one of the provider's own systems
	Officer string          `json:"officer,omitzero"` // or the id of somebody of the provider's
}

// corrects says whether a later word supersedes this one, and is of whoever said it: nobody corrects what another said.
func (w Word) corrects(by Word, supersedes string) bool {
	return supersedes != "" && supersedes == w.JTI && by.By == w.By && by.Officer == w.Officer
}

// TakenBack says whether a later word of an order takes this one back: it was not carried out, or not wholly. The later one counts.
func (w Word) TakenBack(by Word, outcome, supersedes string) bool {
	return outcome != OutcomeDone && w.corrects(by, supersedes)
}

// SaidAnew says whether a later word corrects this one and says all the same that the order was carried out, on another day perhaps. It
// is the one that can be taken back from then on.
func (w Word) SaidAnew(by Word, outcome, supersedes string) bool {
	return outcome == OutcomeDone && w.corrects(by, supersedes)
}

// Carried is an order that counts as carried out by somebody's word.
type Carried struct {
	Debt Debt `json:"debt"`
	Word Word `json:"word"`
}

// carriedOut folds what the provider's own people and systems say of an order. It proves nothing of what the reseller was told.
func (h History) carriedOut(said statement.OfficerAction, e statement.Entry) History {
	return h.carried(said.On.ID, detail(said, "outcome"), detail(said, "supersedes"), Word{JTI: e.JTI, Officer: said.Officer.ID}, e)
}

// settledBySystem folds the same where one of the provider's own systems signed it: what is stated about the reseller by another is no
// statement of its own.
func (h History) settledBySystem(said statement.OrderConfirmation, e statement.Entry) History {
	return h.carried(said.Order, said.Outcome, said.Supersedes, Word{JTI: e.JTI, By: e.By}, e)
}

func (h History) carried(order, outcome, supersedes string, by Word, e statement.Entry) History {
	at := e.AcceptedAt.UTC()
	if outcome == OutcomeDone {
		h.Orders = h.Orders.carried(order, supersedes, by, e.LeafIndex, at)
	} else {
		h.Orders = h.Orders.reopened(order, outcome, supersedes, by).answered(order, outcome, at)
	}
	return h
}

// carried takes out an order that was carried out, and keeps by whose word: that may be corrected.
func (d Debts) carried(order, supersedes string, by Word, leafIndex int64, at time.Time) Debts {
	if i := slices.IndexFunc(d.Open, called(order)); i >= 0 {
		held := slices.Clone(d.Carried)
		if len(held) == keptDebts {
			held = slices.Delete(held, 0, 1)
		}
		d.Carried = append(held, Carried{Debt: d.Open[i], Word: by})
		return d.settled(leafIndex, at, called(order))
	}
	if i := slices.IndexFunc(d.Carried, func(c Carried) bool { return called(order)(c.Debt) && c.Word.SaidAnew(by, OutcomeDone, supersedes) }); i >= 0 {
		d.Carried = slices.Clone(d.Carried)
		d.Carried[i].Word = by
	}
	return d
}

// reopened puts an order back of which whoever said that it was carried out says now that it was not, or not wholly. It is owed since it
// was given, as if nobody had said so.
func (d Debts) reopened(order, outcome, supersedes string, by Word) Debts {
	taken := func(c Carried) bool { return called(order)(c.Debt) && c.Word.TakenBack(by, outcome, supersedes) }
	i := slices.IndexFunc(d.Carried, taken)
	if i < 0 {
		return d
	}
	d.Open = append(slices.Clone(d.Open), d.Carried[i].Debt)
	slices.SortFunc(d.Open, func(a, b Debt) int { return cmp.Compare(a.LeafIndex, b.LeafIndex) })
	if len(d.Open) > keptDebts {
		d.Open = d.Open[:keptDebts:keptDebts]
	}
	d.Carried = without(d.Carried, taken)
	return d
}

// ended takes out what is asked for no more, also of what was carried out: no correction brings that back.
func (d Debts) ended(leafIndex int64, at time.Time, which func(Debt) bool) Debts {
	d.Carried = without(d.Carried, func(c Carried) bool { return which(c.Debt) })
	return d.settled(leafIndex, at, which)
}
