package delivery

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/sync/notices"
)

// Channels is by which ways a notice went to a reseller beside its own software, and what proves that it came.
type Channels struct {
	// Software is the notice on its way to the reseller's own software; nil where it was not addressed yet.
	Software *Notice
	Mails    []Mailing
	Proofs   []Proof // the earliest first
	Later    []Later // the channels that a step's notice takes while nothing proves it, in their order; none of other notices
}

// Later is one of those channels.
type Later struct {
	Channel   notices.Later
	State     LaterState
	DueAt     time.Time // zero while that is not known yet
	SettledAt time.Time // when it was taken or spared; zero while it is due
	Why       string    // why it was spared, or what it waits for
	Superior  envelope.Entity
	Ways      []Mailing // to the superior, its software and its contacts
}

// Mailing is a notice on its way to one contact of the reseller.
type Mailing struct {
	Contact string // an id that names nobody; empty for the superior's software
	Second  bool   // it is the second contact
	Notice
}

// OutboxID names it among all notices.
func (m Mailing) OutboxID() string { return NoticeID(notices.AsContact(m.Contact), m.Sequence) }

// maxContacts is how many contacts a notice is looked up for.
const maxContacts = 100

// Channels returns, by jti, by which ways a reseller's notices with these jtis went, and what proves them.
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
	second, err := d.laters(ctx, about, jtis, by)
	if err != nil {
		return nil, err
	}
	ways, err := d.waysOf(ctx, about, jtis)
	if err != nil {
		return nil, err
	}
	for _, way := range ways {
		channels := by[way.JTI]
		if way.Contact == "" {
			channels.Software = &way.Notice
		} else {
			way.Second = second[way.JTI] == way.Contact
			channels.Mails = append(channels.Mails, way)
		}
		by[way.JTI] = channels
	}
	return by, nil
}

// laters adds the later channels of notices, and returns by jti which contact the second one was.
func (d *Delivery) laters(ctx context.Context, about envelope.Entity, jtis []string, by map[string]Channels) (second map[string]string, err error) {
	var rows []channelRow
	err = d.DB.WithContext(ctx).Where("about = ? AND jti IN ?", string(about), jtis).Order("jti, channel").Limit(len(notices.Laters) * len(jtis)).Find(&rows).Error
	if err != nil {
		return nil, fmt.Errorf("looking for the later channels of notices: %w", err)
	}
	slices.SortStableFunc(rows, func(a, b channelRow) int { return a.Channel.Order() - b.Channel.Order() })
	second = map[string]string{}
	for _, row := range rows {
		one := Later{Channel: row.Channel, State: row.State, DueAt: timeOrZero(row.DueAt), SettledAt: timeOrZero(row.SettledAt), Why: row.Why}
		switch {
		case row.Channel == notices.SecondContact && row.Audience != "":
			second[row.JTI] = notices.Audience(row.Audience).ID()
		case row.Channel == notices.Superior && row.Audience != "":
			one.Superior = envelope.Entity(row.Audience)
			if one.Ways, err = d.waysOf(ctx, one.Superior, []string{notices.ToldID(about, row.JTI)}); err != nil {
				return nil, err
			}
		}
		channels := by[row.JTI]
		channels.Later = append(channels.Later, one)
		by[row.JTI] = channels
	}
	return second, nil
}

// waysOf are an entity's notices with these jtis: to its software, and to its contacts.
func (d *Delivery) waysOf(ctx context.Context, about envelope.Entity, jtis []string) (all []Mailing, err error) {
	var rows []noticeRow
	err = d.DB.WithContext(ctx).Where("about = ? AND jti IN ? AND (audience = ? OR audience LIKE ?)", string(about), jtis,
		string(notices.OfReseller(about)), string(notices.ContactAudiences)).
		Order("audience, sequence").Limit(maxContacts * len(jtis)).Find(&rows).Error
	if err != nil {
		return nil, fmt.Errorf("looking for the ways of notices: %w", err)
	}
	for _, name := range slices.Compact(audiencesOf(rows)) {
		audience := notices.Audience(name)
		var of []noticeRow
		for _, row := range rows {
			if row.Audience == name {
				of = append(of, row)
			}
		}
		came, err := d.withAttempts(ctx, of)
		if err != nil {
			return nil, err
		}
		contact := ""
		if audience.IsContact() {
			contact = audience.ID()
		}
		for _, one := range came {
			all = append(all, Mailing{Contact: contact, Notice: one})
		}
	}
	return all, nil
}

func audiencesOf(rows []noticeRow) (all []string) {
	for _, row := range rows {
		all = append(all, row.Audience)
	}
	return all
}
