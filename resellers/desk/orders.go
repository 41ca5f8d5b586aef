package desk

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/resellers/docket"
	"github.com/cipgate/cipgate/resellers/escalation"
	"github.com/cipgate/cipgate/resellers/history"
)

// Carried is what somebody of the provider's, or one of its own systems, says of an order.
type Carried struct {
	Outcome string         // done, partly, cannot
	On      statement.Date // the day it was carried out, or found impossible; today if zero
	Reason  string         // how that is known, or why it cannot be
}

// ConfirmOrder records that an order was carried out, or why it cannot be, by the word of the provider's own people and systems. The
// reseller's word is an order-confirmation. Errors wrap docket.ErrNoOrder, ErrRefused or ErrMoved.
func (d *Desk) ConfirmOrder(ctx context.Context, by statement.Officer, jti string, said Carried) (Acted, error) {
	if said.Outcome != history.OutcomeDone && said.Outcome != "partly" && said.Outcome != "cannot" {
		return Acted{}, refused("outcome: wanted done, partly or cannot, got %.40q", said.Outcome)
	}
	today := statement.DateOf(d.now().UTC())
	if said.On == (statement.Date{}) {
		said.On = today
	}
	if said.On.After(today) {
		return Acted{}, refused("on: wanted the day it was carried out, or found impossible, not later than %s", today)
	}
	if err := d.files.CatchUp(ctx); err != nil {
		return Acted{}, fmt.Errorf("folding what is new: %w", err)
	}
	order, err := d.files.Order(ctx, jti)
	if err != nil {
		return Acted{}, err
	}
	return d.act(ctx, order.About.ID(), func(docket.File) ([]statement.Statement, error) {
		order, err := d.files.Order(ctx, jti) // as it stands when it is asked again
		if err != nil {
			return nil, err
		}
		details := []statement.Field{field("outcome", said.Outcome), field("on", said.On.String()), field("order", order.Name)}
		switch confirmed := order.Confirmed; {
		case order.State() == escalation.OrderWithdrawn:
			return nil, refused("order: it was withdrawn at %s, so there is nothing to carry out any more", shown(order.WithdrawnAt))
		case confirmed.At.IsZero():
		case said.Outcome == history.OutcomeDone:
			return nil, refused("order: it was confirmed at %s by %s already", shown(confirmed.At), whoConfirmed(confirmed))
		case confirmed.Officer.ID != by.ID:
			return nil, refused("order: %s confirmed it at %s. Who said so corrects it: a reseller by an order-confirmation that supersedes its own", whoConfirmed(confirmed), shown(confirmed.At))
		default:
			details = append(details, field("supersedes", confirmed.JTI))
		}
		return one(reasoned(by, history.ActionOrderConfirmed, statement.Target{Type: "order", ID: jti}, said.Reason, details...))
	})
}

func whoConfirmed(c escalation.Carried) string {
	if c.By != "" {
		return string(c.By)
	}
	return c.Officer.Name
}

// NameSuccessor records who takes the verified customers of a reseller if its relationship ends, and until when: an enrolled reseller
// that stands well and not below this one, or the gateway itself for the provider. It replaces who was named before. Errors wrap
// ErrRefused, ErrMoved or docket.ErrNotFound.
func (d *Desk) NameSuccessor(ctx context.Context, by statement.Officer, id envelope.ID, successor envelope.Entity, until time.Time, reason string) (Acted, error) {
	until = second(until)
	return d.act(ctx, id, func(file docket.File) ([]statement.Statement, error) {
		if err := openCase(file); err != nil {
			return nil, err
		}
		p, house, err := d.numbersOf(ctx, file)
		if err != nil {
			return nil, err
		}
		if err := escalation.MayName(p, file.Entity, file.Case, house, successor, until, d.now()); err != nil {
			return nil, ruled(err)
		}
		if err := d.succeeds(ctx, file.Entity, successor); err != nil {
			return nil, err
		}
		said, err := reasoned(by, escalation.ActionSuccessorNamed, onCase(file.Case.ID), reason, field("successor", string(successor)))
		said.EndsAt = until
		return one(said, err)
	})
}

// succeeds refuses a successor that cannot take customers over: one that is not enrolled, whose own case is open, or that stands below the
// reseller whose relationship ends.
func (d *Desk) succeeds(ctx context.Context, reseller, successor envelope.Entity) error {
	if successor == d.self {
		return nil
	}
	if strings.TrimSpace(string(successor)) == "" {
		return refused("successor: wanted the entity identifier of an enrolled reseller, or of this gateway (%s) for the provider itself, got nothing", d.self)
	}
	file, err := d.files.Open(ctx, successor.ID())
	if errors.Is(err, docket.ErrNotFound) || err == nil && !file.History.Enrolled() {
		return refused("successor: wanted an enrolled reseller, or this gateway (%s) for the provider itself, got %.200q, which is not enrolled here. GET /v1/resellers lists who is", d.self, string(successor))
	}
	if err != nil {
		return err
	}
	if standing := file.Case.Standing; standing >= escalation.Warned {
		return refused("successor: wanted a reseller without an open case, got %s, which is %s. Name another one, or this gateway (%s) for the provider itself", successor, standing, d.self)
	}
	for above := file.History.Superior.Entity; above != "" && above != d.self; above = file.History.Superior.Entity {
		if above == reseller {
			return refused("successor: wanted a reseller that does not sell for the one whose relationship ends, got %s, which stands below it. Enrol it under another superior first, or name another one", successor)
		}
		if file, err = d.files.Open(ctx, above.ID()); err != nil {
			return fmt.Errorf("looking who stands above %s: %w", successor, err)
		}
	}
	return nil
}

// DropSuccessor takes back who takes the verified customers: every account is ordered closed again. Errors wrap ErrNotFound, ErrRefused,
// ErrMoved or docket.ErrNotFound.
func (d *Desk) DropSuccessor(ctx context.Context, by statement.Officer, id envelope.ID, reason string) (Acted, error) {
	return d.act(ctx, id, func(file docket.File) ([]statement.Statement, error) {
		if err := escalation.MayDrop(file.Case); err != nil {
			return nil, fmt.Errorf("%w: %w", ErrNotFound, rule{err})
		}
		return one(reasoned(by, escalation.ActionSuccessorDropped, onCase(file.Case.ID), reason))
	})
}
