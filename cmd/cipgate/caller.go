package main

import (
	"context"

	"github.com/cipgate/cipgate/sync/delivery"
	"github.com/cipgate/cipgate/sync/mail"
)

// calledAtOnce bounds how many matters one look finds: those that fall due first.
const calledAtOnce = 200

// callOfficers mails officers about steps that wait for their approval, again when they become the deputy's and the administrator's, and
// about cases that do not move. Each is told once to each officer, however often it is called.
func (p *Program) callOfficers(ctx context.Context) error {
	if p.config.SMTP == "" {
		return nil
	}
	asked, err := p.docket.Asked(ctx, nil, calledAtOnce)
	if err != nil {
		return err
	}
	var matters []delivery.Matter
	for _, one := range asked {
		for _, a := range one.Approvals {
			matters = append(matters, delivery.Matter{Key: a.ID + " " + a.Whose(p.clock.Now()), Kind: mail.MatterApproval, About: one.File.Entity})
		}
	}
	watch, err := p.docket.Watch(ctx)
	if err != nil {
		return err
	}
	for _, stopped := range append(watch.Late, watch.Lost...) {
		matters = append(matters, delivery.Matter{Key: "late " + string(stopped.Entity) + " " + stopped.At.String(), Kind: mail.MatterLate, About: stopped.Entity})
	}
	return p.delivery.Call(ctx, matters...)
}
