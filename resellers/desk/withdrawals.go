package desk

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"gorm.io/gorm"

	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/resellers/docket"
)

// ActionWithdrawn takes back what one officer proposed, before another confirmed it.
const ActionWithdrawn = "proposal.withdrawn"

// TakeBack withdraws what by proposed: nobody can confirm it any more. Errors wrap ErrMayNot, ErrNotFound, ErrRefused, ErrMoved or
// docket.ErrNotFound.
func (d *Desk) TakeBack(ctx context.Context, by statement.Officer, proposal, reason string) (Acted, error) {
	entry, said, err := d.proposal(ctx, proposal)
	if err != nil {
		return Acted{}, err
	}
	if said.Officer.ID != by.ID {
		return Acted{}, fmt.Errorf("%w: %s proposed this, and whoever proposed it withdraws it. Others let it be: it is confirmed by nobody else's silence", ErrMayNot, said.Officer.Name)
	}
	withdrawn, err := reasoned(by, ActionWithdrawn, said.On, reason, field("proposal", proposal), field("proposed", said.Action))
	if err != nil {
		return Acted{}, err
	}
	jti := uuid.NewSHA1(uuid.NameSpaceURL, []byte("urn:cipgate:withdrawn:"+proposal)).String()
	if entry.About == d.self {
		return d.house(ctx, jti, withdrawn)
	}
	return d.actUnder(ctx, entry.About.ID(), jti, func(docket.File) ([]statement.Statement, error) { return one(withdrawn, nil) })
}

// foldWithdrawn closes what whoever proposed it has taken back.
func foldWithdrawn(tx *gorm.DB, proposal string, by statement.Officer, at int64) error {
	return tx.Model(&proposalRow{}).Where("id = ? AND officer = ? AND closed_at = 0", proposal, by.ID).Update("closed_at", at).Error
}
