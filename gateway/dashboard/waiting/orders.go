package waiting

import (
	"context"
	_ "embed"
	"fmt"
	"time"

	"github.com/cipgate/cipgate/gateway/dashboard/frame"
	"github.com/cipgate/cipgate/gateway/officer"
	"github.com/cipgate/cipgate/resellers/escalation"
)

// Ordered is the template "order", for every page that shows one.
//
//go:embed orders.html
var Ordered string

// Order is an order and what became of it, as a page shows it.
type Order struct {
	ID        string
	What      string
	State     string
	Tone      string
	Reseller  Reseller // none on the reseller's own page
	At        frame.Moment
	Due       frame.Moment // while it is open
	Overdue   bool
	Came      []Came // how far it came, in order
	Said      string // what was said of it last, where that is not its confirmation
	Accounts  string
	Successor string
	Entry     int64
	May       bool // who asks may say whether it was carried out
	Back      string
}

// Came is one step of an order's way.
type Came struct {
	Words string
	At    frame.Moment
}

// whoSaid names who said something of an order.
func whoSaid(as, by string) string {
	if as == officer.SaidBySystem {
		return "the provider's system " + by
	}
	return by
}

// OrderOf words an order. name is the reseller's; empty on its own page.
func OrderOf(ctx context.Context, o officer.Order, name, back string, now time.Time) Order {
	shown := Order{ID: o.ID, What: officer.Sentence(o.What), State: o.State, Tone: toneOf(o), At: frame.MomentOf(o.OrderedAt, now), Overdue: o.Overdue != nil,
		Successor: string(o.Successor), Entry: o.LeafIndex, Back: back}
	if name != "" {
		shown.Reseller = Reseller{o.ResellerID, name}
	}
	came := func(words string, at *time.Time) {
		if at != nil {
			shown.Came = append(shown.Came, Came{words, frame.MomentOf(*at, now)})
		}
	}
	came("delivered", o.Delivered)
	came("acknowledged, by "+channelWords(o.AcknowledgedBy), o.Acknowledged)
	confirmed := "confirmed by " + whoSaid(o.ConfirmedAs, o.ConfirmedBy)
	if o.ConfirmedOn != "" {
		confirmed += ", carried out on " + o.ConfirmedOn
	}
	came(confirmed, o.Confirmed)
	came("withdrawn", o.Withdrawn)
	open := o.State != escalation.OrderConfirmed && o.State != escalation.OrderWithdrawn
	if open {
		if o.DueAt != nil {
			shown.Due = frame.MomentOf(*o.DueAt, now)
		}
		_, denied := officer.Permit(ctx, "confirm-order")
		shown.May = denied == nil
	}
	if a := o.Answer; a != nil && a.Outcome != "done" {
		shown.Said = fmt.Sprintf("By %s at %s: %s. Entry %d says why.", whoSaid(a.As, a.By), officer.When(a.At), outcomes[a.Outcome], a.LeafIndex)
	}
	switch {
	case o.Successor != "":
		shown.Accounts = frame.Count(int64(o.Accounts), "open account", "open accounts") + " when it was ordered"
	case o.Total > o.Accounts:
		shown.Accounts = fmt.Sprintf("%s of %d, part %d of %d", frame.Count(int64(o.Accounts), "account", "accounts"), o.Total, o.Part, o.Parts)
	case o.Total > 0:
		shown.Accounts = frame.Count(int64(o.Accounts), "account", "accounts")
	}
	return shown
}

var outcomes = map[string]string{"done": "it is done", "partly": "it is done in part", "cannot": "it cannot be done"}

func channelWords(channel string) string {
	switch channel {
	case "set-acknowledged":
		return "its software"
	case "link-opened", "mail-answered":
		return "a contact, over the link in the mail"
	case escalation.ByConfirmation:
		return "its own answer"
	}
	return channel
}

func toneOf(o officer.Order) string {
	switch {
	case o.Overdue != nil:
		return frame.BadgeOf(escalation.Closing).Tone
	case o.State == escalation.OrderConfirmed:
		return frame.BadgeOf(escalation.Good).Tone
	case o.State == escalation.OrderWithdrawn:
		return frame.BadgeOf(escalation.Pending).Tone
	}
	return frame.BadgeOf(escalation.Restricted).Tone
}
