package desk

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/resellers/docket"
	"github.com/cipgate/cipgate/resellers/escalation"
	"github.com/cipgate/cipgate/resellers/policy"
)

// Hold is a time in which the steps of a case shall wait.
type Hold struct {
	Kind      escalation.HoldKind
	Authority string // exactly for a stay: who asked for it
	EndsAt    time.Time
	Reason    string
}

// longestStay bounds a stay, so that a slip of a century is found. A court that says longer says so again.
const longestStay = 400 * 24 * time.Hour

// PlaceHold lets the steps of an open case wait. An officer's hold ends inside the limit of the case; a stay may pass it, which is
// said. When it ends, the time that was unused comes back, and never less than the policy's hold return. Errors wrap ErrRefused,
// ErrMoved or docket.ErrNotFound.
func (d *Desk) PlaceHold(ctx context.Context, by statement.Officer, id envelope.ID, hold Hold) (Acted, error) {
	ends := second(hold.EndsAt)
	details := []statement.Field{field("kind", string(hold.Kind))}
	switch {
	case hold.Kind != escalation.HoldStay && hold.Authority != "":
		return Acted{}, refused("authority: wanted none, for only a stay has one. If a court or an authority asked for it, place a stay")
	case hold.Kind == escalation.HoldStay && strings.TrimSpace(hold.Authority) == "":
		return Acted{}, refused("authority: wanted the court or authority that asked for the stay, got nothing. Name it; for a pause of your own place a hold of kind officer")
	case hold.Kind == escalation.HoldStay && ends.After(d.now().Add(longestStay)):
		return Acted{}, refused("ends_at: wanted a time within %d days from now, got %s. Place it again when it has ended and still holds", longestStay/(24*time.Hour), shown(ends))
	case hold.Kind == escalation.HoldStay:
		details = append(details, field("authority", hold.Authority))
	}
	return d.act(ctx, id, func(file docket.File) ([]statement.Statement, error) {
		p, house, err := d.numbersOf(ctx, file)
		if err != nil {
			return nil, err
		}
		if err := escalation.MayHold(p, file.Entity, file.Case, house, hold.Kind, ends, d.now()); err != nil {
			return nil, ruled(err)
		}
		said, err := reasoned(by, escalation.ActionHeld, onCase(file.Case.ID), hold.Reason, details...)
		said.EndsAt = ends
		return one(said, err)
	})
}

// numbersOf are what the pure rules ask for beside a case.
func (d *Desk) numbersOf(ctx context.Context, file docket.File) (policy.Policy, escalation.House, error) {
	p, err := d.files.PolicyOf(file)
	if err != nil {
		return p, escalation.House{}, err
	}
	house, err := d.files.House(ctx)
	return p, house, err
}

// ProposeLift records that an officer wants a stay lifted; another one lifts it. Errors wrap ErrNotFound, ErrRefused, ErrMoved or
// docket.ErrNotFound.
func (d *Desk) ProposeLift(ctx context.Context, by statement.Officer, id envelope.ID, hold, reason string) (Acted, error) {
	return d.act(ctx, id, func(file docket.File) ([]statement.Statement, error) {
		if err := escalation.MayProposeLift(file.Case, hold, d.now()); err != nil {
			return nil, ruled(err)
		}
		switch h := holdOf(file, hold); {
		case h.Kind != escalation.HoldStay:
			return nil, refused("hold: wanted a stay, which two people lift, got a hold of kind %s. Lift it alone", h.Kind)
		case h.LiftProposedBy != nil:
			return nil, refused("hold: %s has proposed to lift it already. Another person lifts it now", h.LiftProposedBy.Name)
		}
		return one(reasoned(by, escalation.ActionLiftProposed, statement.Target{Type: "hold", ID: hold}, reason))
	})
}

// LiftHold ends a hold now: a stay if another officer proposed it. Errors wrap ErrMayNot, ErrNotFound, ErrRefused, ErrMoved or
// docket.ErrNotFound.
func (d *Desk) LiftHold(ctx context.Context, by statement.Officer, id envelope.ID, hold, reason string) (Acted, error) {
	return d.act(ctx, id, func(file docket.File) ([]statement.Statement, error) {
		if err := escalation.MayLift(file.Case, hold, by, d.now()); err != nil {
			return nil, ruled(err)
		}
		said, err := reasoned(by, escalation.ActionLifted, statement.Target{Type: "hold", ID: hold}, reason)
		said.ProposedBy = holdOf(file, hold).LiftProposedBy
		return one(said, err)
	})
}

func holdOf(file docket.File, id string) escalation.Hold {
	i := slices.IndexFunc(file.Case.Holds, func(h escalation.Hold) bool { return h.ID == id })
	if i < 0 {
		return escalation.Hold{}
	}
	return file.Case.Holds[i]
}
