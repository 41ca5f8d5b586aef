package reseller

import (
	"context"
	"fmt"
	"time"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/gateway/dashboard/frame"
	"github.com/cipgate/cipgate/gateway/dashboard/waiting"
	"github.com/cipgate/cipgate/gateway/officer"
	"github.com/cipgate/cipgate/resellers/docket"
)

// succession is who takes the verified customers if the relationship ends.
type succession struct {
	Shown    bool // a case is open
	Words    string
	Named    bool
	May      bool   // who asks may name one, or take it back
	Provider string // the provider's own identifier, which the form begins with
}

// above is a superior that leaves.
type above struct {
	ID     string
	Entity envelope.Entity
	Status string
	By     frame.Moment
}

// shownOrders is how many orders the page of one reseller shows: the newest.
const shownOrders = 20

// orders fills in the orders about a reseller, who takes its customers, and who stands above and below it.
func (from Sources) orders(ctx context.Context, v *view, file docket.File, now time.Time) error {
	id, back := file.ID(), "/resellers/"+v.ID
	found, err := from.Docket.Orders(ctx, docket.OrderFilter{Reseller: &id}, -1, shownOrders+1)
	if err != nil {
		return err
	}
	v.MoreOrders = len(found) > shownOrders
	all, err := officer.OrdersOf(ctx, from.Reached, found[:min(len(found), shownOrders)], now)
	if err != nil {
		return err
	}
	for _, o := range all {
		v.Orders = append(v.Orders, waiting.OrderOf(ctx, o, "", back, now))
	}
	if c := file.Case; c.ID != "" && c.TerminatedAt.IsZero() {
		_, denied := officer.Permit(ctx, "name-successor")
		v.Succession = succession{Shown: true, May: denied == nil, Provider: string(from.Self), Words: "If the relationship ends, every account that is left is ordered closed. Nobody is named to take verified customers."}
		if n := c.Successor; n != nil {
			v.Succession.Named = true
			v.Succession.Words = fmt.Sprintf("If the relationship ends, %s takes the accounts of verified customers until %s, and every other account is ordered closed. %s named it: %s",
				n.Entity, officer.When(n.Until), n.By.Name, officer.Sentence(n.Reason))
		}
	}
	if s := file.History.Superior; s.Leaves() {
		v.Above = above{ID: s.Entity.ID().String(), Entity: s.Entity, Status: s.Status, By: frame.MomentOf(s.FindBy, now)}
	}
	below, err := from.Docket.Below(ctx, id, nil, shownOrders+1)
	if err != nil {
		return err
	}
	switch n := len(below); {
	case n > shownOrders:
		v.Below = fmt.Sprintf("More than %d resellers stand right below it.", shownOrders)
	case n > 0:
		v.Below = frame.Count(int64(n), "reseller stands", "resellers stand") + " right below it."
	}
	return nil
}
