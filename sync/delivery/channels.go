package delivery

import (
	"context"
	"fmt"
	"slices"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/sync/notices"
)

// Channels is by which ways a notice went to a reseller beside its own software, and what proves that it came.
type Channels struct {
	Mails  []Mailing
	Proofs []Proof // the earliest first
}

// Mailing is a notice on its way to one contact of the reseller.
type Mailing struct {
	Contact string // an id that names nobody
	Notice
}

// maxContacts is how many contacts a notice is looked up for.
const maxContacts = 100

// Channels returns, by jti, the mails and the proofs of a reseller's notices with these jtis.
func (d *Delivery) Channels(ctx context.Context, about envelope.Entity, jtis []string) (map[string]Channels, error) {
	by := map[string]Channels{}
	if len(jtis) == 0 {
		return by, nil
	}
	proofs, err := d.Proofs(ctx, about, jtis)
	if err != nil {
		return nil, err
	}
	for jti, all := range proofs {
		by[jti] = Channels{Proofs: all}
	}
	var rows []noticeRow
	err = d.DB.WithContext(ctx).Where("about = ? AND jti IN ? AND audience LIKE ?", string(about), jtis, string(notices.ContactAudiences)).
		Order("audience, sequence").Limit(maxContacts * len(jtis)).Find(&rows).Error
	if err != nil {
		return nil, fmt.Errorf("looking for the mails of notices: %w", err)
	}
	for _, contact := range slices.Compact(audiencesOf(rows)) {
		var of []noticeRow
		for _, row := range rows {
			if row.Audience == contact {
				of = append(of, row)
			}
		}
		mailed, err := d.withAttempts(ctx, of)
		if err != nil {
			return nil, err
		}
		for _, one := range mailed {
			channels := by[one.JTI]
			channels.Mails = append(channels.Mails, Mailing{Contact: notices.Audience(contact).ID(), Notice: one})
			by[one.JTI] = channels
		}
	}
	return by, nil
}

func audiencesOf(rows []noticeRow) (all []string) {
	for _, row := range rows {
		all = append(all, row.Audience)
	}
	return all
}
