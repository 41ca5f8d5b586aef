package desk

import (
	"context"

	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/resellers/escalation"
)

// Automation says whether irreversible steps wait, and of what two people released the guard.
func (d *Desk) Automation(ctx context.Context) (escalation.House, error) {
	if err := d.files.CatchUp(ctx); err != nil {
		return escalation.House{}, err
	}
	return d.files.House(ctx)
}

// Pause lets every irreversible step wait, of all resellers, until somebody resumes. Facts and deadlines go on. Errors wrap ErrRefused.
func (d *Desk) Pause(ctx context.Context, by statement.Officer, reason string) (Acted, error) {
	house, err := d.Automation(ctx)
	if err != nil {
		return Acted{}, err
	}
	if house.Paused != nil {
		return Acted{}, refused("automation: %s paused it at %s already", house.Paused.By.Name, shown(house.Paused.Since))
	}
	said, err := reasoned(by, escalation.ActionPaused, d.onSelf(), reason)
	if err != nil {
		return Acted{}, err
	}
	return d.house(ctx, "", said)
}

// Resume lets irreversible steps be taken again; those that fell due meanwhile are taken as the policy has it. Errors wrap ErrRefused.
func (d *Desk) Resume(ctx context.Context, by statement.Officer, reason string) (Acted, error) {
	house, err := d.Automation(ctx)
	if err != nil {
		return Acted{}, err
	}
	if house.Paused == nil {
		return Acted{}, refused("automation: wanted it paused, it is not")
	}
	said, err := reasoned(by, escalation.ActionResumed, d.onSelf(), reason)
	if err != nil {
		return Acted{}, err
	}
	return d.house(ctx, "", said)
}
