package desk

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/resellers/docket"
	"github.com/cipgate/cipgate/resellers/obligations"
)

const actionWaiverProposed = "obligation.waiver-proposed"

// Requested is what an authority asked of the provider.
type Requested struct {
	Kind       string // policy.DepartmentRequest or policy.FollowUp
	Reseller   *envelope.ID
	Request    string    // the authority's reference
	What       string    // what it asked for
	ReceivedAt time.Time // its time counts from there
}

// RecordObligation records that an authority asked for something, which is due by the policy in force. It returns the obligation's id.
// Errors wrap ErrRefused, ErrMoved or docket.ErrNotFound.
func (d *Desk) RecordObligation(ctx context.Context, by statement.Officer, asked Requested) (id string, acted Acted, err error) {
	received := second(asked.ReceivedAt)
	p, err := d.files.PolicyOf(docket.File{})
	if err != nil {
		return "", acted, err
	}
	_, on := p.Obligations.Duty(asked.Kind)
	switch {
	case !slices.Contains(obligations.Recordable(), asked.Kind):
		return "", acted, refused("kind: wanted %s, got another one. The others follow from what the ledger says", strings.Join(obligations.Recordable(), " or "))
	case !on:
		return "", acted, refused("kind: wanted an obligation that the policy in force has on, got %s, which %s has off or does not name", asked.Kind, p.ID())
	case strings.TrimSpace(asked.Request) == "":
		return "", acted, refused("request: wanted the authority's reference of what it asked for, got nothing")
	case asked.ReceivedAt.IsZero() || received.After(d.now()):
		return "", acted, refused("received_at: wanted when it was received, a time that is past, got %s", shown(received))
	}
	number, err := uuid.NewV7()
	if err != nil {
		return "", acted, fmt.Errorf("making an obligation's id: %w", err)
	}
	id = number.String()
	said, err := reasoned(by, obligations.ActionRecorded, statement.Target{Type: obligations.On, ID: id}, asked.What, field(obligations.DetailKind, asked.Kind),
		field(obligations.DetailRequest, asked.Request), field(obligations.DetailReceived, shown(received)))
	if err != nil {
		return "", acted, err
	}
	if asked.Reseller == nil {
		acted, err = d.house(ctx, id, said)
		return id, acted, err
	}
	acted, err = d.actUnder(ctx, *asked.Reseller, id, func(docket.File) ([]statement.Statement, error) { return one(said, nil) })
	return id, acted, err
}

// FulfilObligation records that an obligation was fulfilled, with the reference of what was handed in. Errors wrap ErrRefused, ErrNotFound
// or ErrMoved.
func (d *Desk) FulfilObligation(ctx context.Context, by statement.Officer, id, reference, reason string) (Acted, error) {
	if strings.TrimSpace(reference) == "" {
		return Acted{}, refused("reference: wanted the reference of what was handed in, such as the number of the report, got nothing")
	}
	said, err := reasoned(by, obligations.ActionFulfilled, statement.Target{Type: obligations.On, ID: id}, reason, field(obligations.DetailReference, reference))
	if err != nil {
		return Acted{}, err
	}
	return d.end(ctx, id, said, obligations.Obligation.MayEnd)
}

// ProposeWaiver proposes that an obligation be waived, which another officer confirms. Errors wrap ErrRefused, ErrNotFound or ErrMoved.
func (d *Desk) ProposeWaiver(ctx context.Context, by statement.Officer, id, reason string) (Acted, error) {
	said, err := reasoned(by, actionWaiverProposed, statement.Target{Type: obligations.On, ID: id}, reason)
	if err != nil {
		return Acted{}, err
	}
	number, err := uuid.NewV7()
	if err != nil {
		return Acted{}, fmt.Errorf("making a jti: %w", err)
	}
	return d.onObligation(ctx, id, number.String(), said, obligations.Obligation.MayEnd)
}

// end records what ends an obligation, under a jti of which there is one: what two officers do at once is done once.
func (d *Desk) end(ctx context.Context, id string, said statement.OfficerAction, may func(obligations.Obligation) error) (Acted, error) {
	jti := uuid.NewSHA1(uuid.NameSpaceURL, []byte("urn:cipgate:obligation-ended:"+id)).String()
	return d.onObligation(ctx, id, jti, said, may)
}

func (d *Desk) onObligation(ctx context.Context, id, jti string, said statement.OfficerAction, may func(obligations.Obligation) error) (Acted, error) {
	o, err := d.obligation(ctx, id, may)
	if err != nil {
		return Acted{}, err
	}
	if o.About == d.self {
		return d.house(ctx, jti, said)
	}
	return d.actUnder(ctx, o.About.ID(), jti, func(docket.File) ([]statement.Statement, error) {
		if _, err := d.obligation(ctx, id, may); err != nil {
			return nil, err
		}
		return one(said, nil)
	})
}

// obligation is an obligation as it stands with all that the ledger holds, if that may be done about it.
func (d *Desk) obligation(ctx context.Context, id string, may func(obligations.Obligation) error) (obligations.Obligation, error) {
	if err := d.files.CatchUp(ctx); err != nil {
		return obligations.Obligation{}, fmt.Errorf("folding what is new: %w", err)
	}
	o, err := d.files.Obligation(ctx, id)
	if errors.Is(err, docket.ErrNoObligation) {
		return o, fmt.Errorf("%w: wanted the id of an obligation. GET /v1/obligations lists them", ErrNotFound)
	}
	if err != nil {
		return o, err
	}
	if err := may(o); err != nil {
		return o, fmt.Errorf("%w: %w", ErrRefused, err)
	}
	return o, nil
}
