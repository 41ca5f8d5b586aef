package delivery

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm"

	"github.com/cipgate/cipgate/sync/mail"
	"github.com/cipgate/cipgate/sync/notices"
)

// A mail goes through these states. It is prepared with the notices it carries, in one transaction; it is sending from before the
// server is asked until it is known what came of it. So whoever finds one that is prepared or failed sends it, and nobody got it
// before; one that is sending was begun by somebody who was killed or lost the connection: whether it came is unknown, and it is
// sent again under the same Message-ID.
const (
	mailPrepared = "prepared"
	mailSending  = "sending"
	mailSent     = "sent"
	mailFailed   = "failed"
	mailRefused  = "refused"
)

const (
	byMail = "mail"
	// shownLines is how many notices a mail names; of the others it says how many there are.
	shownLines = 20
	// mostInMail is how many notices one mail stands for.
	mostInMail = 500
	// errMail is why a notice is parked that a mail server refused for good.
	errMail = "mail_refused"
)

type mailRow struct {
	ID        string
	Audience  string
	State     string
	CreatedAt int64 `gorm:"autoCreateTime:false"`
	SentAt    int64
}

func (mailRow) TableName() string { return "delivery_mails" }

// claimPeople takes the lease of up to limit people who are due and mailed by nobody, as claim does for streams.
func (d *Delivery) claimPeople(ctx context.Context, limit int) ([]personRow, error) {
	if d.Mail == nil {
		return nil, nil
	}
	claimed, err := takeLeases(ctx, d, limit, leases[personRow]{
		due: func(db *gorm.DB, now int64) *gorm.DB {
			return db.Where("next_at <= ? AND leased_until <= ?", now, now).Order("next_at, audience")
		},
		id:   func(row personRow) (column, value string) { return "audience", row.Audience },
		hold: func(row *personRow, lease string) { row.Lease = lease },
	})
	if err != nil {
		return nil, fmt.Errorf("looking for people to mail: %w", err)
	}
	return claimed, nil
}

// renewPerson takes the lease anew and reads the person's row as it is now, or returns errLost.
func (d *Delivery) renewPerson(ctx context.Context, claimed personRow) (row personRow, err error) {
	kept := d.DB.WithContext(ctx).Model(&personRow{}).Where("audience = ? AND lease = ?", claimed.Audience, claimed.Lease).
		Update("leased_until", d.Now().Add(leaseTime).UnixMicro())
	if kept.Error != nil {
		return row, fmt.Errorf("renewing a lease: %w", kept.Error)
	}
	if kept.RowsAffected == 0 {
		return row, errLost
	}
	if err := d.DB.WithContext(ctx).Where("audience = ?", claimed.Audience).Take(&row).Error; err != nil {
		return row, fmt.Errorf("reading a person's row: %w", err)
	}
	return row, nil
}

// releasePerson gives a lease back and says when the person is due again; false says that something came meanwhile.
func (d *Delivery) releasePerson(ctx context.Context, row personRow, nextAt int64, onlyIfQuiet bool) (released bool, err error) {
	query := d.DB.WithContext(ctx).Model(&personRow{}).Where("audience = ? AND lease = ?", row.Audience, row.Lease)
	if onlyIfQuiet {
		query = query.Where("wakes = ?", row.Wakes)
	}
	done := query.Updates(map[string]any{"lease": "", "leased_until": 0, "next_at": nextAt})
	if done.Error != nil {
		return false, fmt.Errorf("giving a lease back: %w", done.Error)
	}
	return done.RowsAffected == 1, nil
}

// mailAll mails a person whose lease is held, until nothing is due or a mail failed.
func (d *Delivery) mailAll(ctx context.Context, claimed personRow) error {
	for {
		row, err := d.renewPerson(ctx, claimed)
		if errors.Is(err, errLost) {
			return nil
		}
		if err != nil {
			return err
		}
		address, err := d.addressOf(row)
		if err != nil {
			return err
		}
		stands, err := d.standsAs(ctx, row, address)
		if err != nil {
			return err
		}
		if stands == mail.Nobody {
			if err := d.dropPerson(ctx, row); err != nil {
				return err
			}
			continue // unless something came while we looked, this was the last of it
		}
		open, at, err := d.nextMail(ctx, row)
		if err != nil {
			return err
		}
		if open == nil {
			if released, err := d.releasePerson(ctx, row, at, true); released || err != nil {
				return err
			}
			continue // something came while we looked
		}
		if goOn, err := d.mailOne(ctx, row, recipient{address, stands}, *open); !goOn || err != nil {
			return err
		}
	}
}

// dropPerson drops what waits for somebody who is no longer to be mailed, and forgets the address. What was mailed stays on record, by
// an id that names nobody. It does nothing if something came for that person since the row was read.
func (d *Delivery) dropPerson(ctx context.Context, row personRow) error {
	err := d.DB.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		gone := tx.Where("audience = ? AND lease = ? AND wakes = ?", row.Audience, row.Lease, row.Wakes).Delete(&personRow{})
		if gone.Error != nil || gone.RowsAffected == 0 {
			return gone.Error
		}
		if err := tx.Model(&noticeRow{}).Where("audience = ? AND state IN ?", row.Audience, []State{Waiting, Parked}).Update("state", Dropped).Error; err != nil {
			return err
		}
		return tx.Model(&mailRow{}).Where("audience = ? AND state IN ?", row.Audience, []string{mailPrepared, mailSending, mailFailed}).
			Update("state", mailRefused).Error
	})
	if err != nil {
		return fmt.Errorf("dropping what waited for somebody who is no longer mailed: %w", err)
	}
	return nil
}

// nextMail is the mail to send now: one that was begun, or a new one if it is time. Else nil, and when to look again.
func (d *Delivery) nextMail(ctx context.Context, row personRow) (open *mailRow, at int64, err error) {
	db, now := d.DB.WithContext(ctx), d.Now()
	var begun []mailRow
	err = db.Where("audience = ? AND state IN ?", row.Audience, []string{mailPrepared, mailSending, mailFailed}).Order("created_at, id").Limit(1).Find(&begun).Error
	if err != nil {
		return nil, 0, fmt.Errorf("looking for mails that were begun: %w", err)
	}
	if len(begun) == 1 {
		return &begun[0], 0, nil
	}
	var first []noticeRow
	unmailed := db.Where("audience = ? AND state = ? AND mail = ''", row.Audience, Waiting).Session(&gorm.Session{})
	if err := unmailed.Order("urgent DESC, sequence").Limit(1).Find(&first).Error; err != nil {
		return nil, 0, fmt.Errorf("looking for what to mail: %w", err)
	}
	if len(first) == 0 {
		return nil, never, nil
	}
	var recent []mailRow
	err = db.Where("audience = ? AND state = ? AND sent_at > ?", row.Audience, mailSent, now.Add(-time.Hour).UnixMicro()).
		Order("sent_at DESC, id").Limit(notices.MostMails).Find(&recent).Error
	if err != nil {
		return nil, 0, fmt.Errorf("looking for what was mailed: %w", err)
	}
	sent := make([]time.Time, len(recent))
	for i, one := range recent {
		sent[len(recent)-1-i] = timeOrZero(one.SentAt)
	}
	if due := notices.MailAt(timeOrZero(first[0].AddressedAt), first[0].Urgent, sent, now); due.After(now) {
		return nil, due.UnixMicro(), nil
	}
	prepared, err := d.prepare(ctx, row.Audience)
	return prepared, 0, err
}

// prepare puts what waits for a person into one mail.
func (d *Delivery) prepare(ctx context.Context, audience string) (*mailRow, error) {
	id, err := uuid.NewRandom()
	if err != nil {
		return nil, fmt.Errorf("making a mail's id: %w", err)
	}
	row := mailRow{ID: id.String(), Audience: audience, State: mailPrepared, CreatedAt: d.Now().UnixMicro()}
	err = d.DB.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		if err := lock(tx, audience); err != nil {
			return err
		}
		var last []noticeRow
		waits := tx.Where("audience = ? AND state = ? AND mail = ''", audience, Waiting).Session(&gorm.Session{})
		if err := waits.Select("sequence").Order("sequence").Limit(mostInMail).Find(&last).Error; err != nil {
			return err
		}
		if len(last) == 0 {
			return errLost
		}
		if err := tx.Create(&row).Error; err != nil {
			return err
		}
		return waits.Model(&noticeRow{}).Where("sequence <= ?", last[len(last)-1].Sequence).Update("mail", row.ID).Error
	})
	if err != nil {
		return nil, fmt.Errorf("preparing a mail: %w", err)
	}
	return &row, nil
}

// recipient is where a person is mailed, and as what.
type recipient struct {
	address string
	stands  mail.Role
}

// mailOne sends one mail and keeps what came of it. goOn says that the next may be sent.
func (d *Delivery) mailOne(ctx context.Context, to personRow, who recipient, m mailRow) (goOn bool, err error) {
	var rows []noticeRow
	if err := d.DB.WithContext(ctx).Where("mail = ? AND state = ?", m.ID, Waiting).Order("sequence").Limit(mostInMail).Find(&rows).Error; err != nil {
		return false, fmt.Errorf("reading what a mail tells: %w", err)
	}
	if len(rows) == 0 { // all of it was answered over the link of an earlier try
		return true, d.settleMail(ctx, to, m, rows, nil, map[string]any{"state": mailSent, "sent_at": m.CreatedAt}, nil)
	}
	now := d.Now()
	told := make([]mail.Told, len(rows))
	for i, row := range rows {
		told[i] = mail.Told{Kind: row.Kind, At: timeOrZero(row.AddressedAt)}
	}
	link, until, err := d.beginMail(ctx, to, m, mail.Door(told), now)
	if err != nil {
		return false, err
	}
	digest := mail.Digest{Gateway: string(d.Self), Sandbox: d.Sandbox, Reseller: to.About, As: who.stands, Link: link, LinkUntil: until}
	digest.Told = told[:min(len(told), shownLines)]
	digest.More = len(told) - len(digest.Told)
	letter := mail.Letter{ID: m.ID, To: who.address, At: now}
	if letter.Subject, letter.Text, letter.HTML, err = digest.Write(); err != nil {
		return false, err
	}
	report := d.Mail.Send(ctx, letter)
	ended := d.Now()
	if report.Outcome == mail.Failed && ctx.Err() != nil { // we are stopping: that is no fault of the server's
		_, err := d.releasePerson(context.WithoutCancel(ctx), to, 0, false)
		return false, err
	}
	attempt := &Attempt{At: now, Method: byMail, Status: report.Status, Latency: ended.Sub(now), Problem: report.Problem,
		Request: fmt.Sprintf("mail %s, which tells %d of the notices that wait", m.ID, len(rows))}
	again := notices.NextTry(to.Tries+1, ended, d.Jitter(), 0).UnixMicro()
	later := map[string]any{"tries": to.Tries + 1, "next_at": again, "lease": "", "leased_until": 0}
	switch report.Outcome {
	case mail.Sent:
		return true, d.settleMail(ctx, to, m, rows, attempt, map[string]any{"state": mailSent, "sent_at": ended.UnixMicro()}, map[string]any{"tries": 0})
	case mail.Refused:
		return true, d.settleMail(ctx, to, m, rows, attempt, map[string]any{"state": mailRefused}, map[string]any{"tries": 0})
	case mail.Unknown: // it stays sending
		return false, d.settleMail(ctx, to, m, rows, attempt, nil, later)
	default:
		return false, d.settleMail(ctx, to, m, rows, attempt, map[string]any{"state": mailFailed}, later)
	}
}

// beginMail notes that a mail is being handed over, and makes the link that it carries. An officer's leads to a page of the dashboard.
func (d *Delivery) beginMail(ctx context.Context, to personRow, m mailRow, door string, now time.Time) (link string, until time.Time, err error) {
	link = string(d.Self) + door
	err = d.DB.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		if notices.Audience(to.Audience).IsContact() {
			until = now.Add(LinkLife)
			token, err := makeLink(tx, to, m, now)
			if err != nil {
				return err
			}
			link = string(d.Self) + AnswerPath + token
		}
		return tx.Model(&mailRow{}).Where("id = ?", m.ID).Update("state", mailSending).Error
	})
	if err != nil {
		return "", time.Time{}, fmt.Errorf("beginning a mail: %w", err)
	}
	return link, until, nil
}

// settleMail keeps what came of a try to mail, together; also when we are stopping: what was sent was sent.
func (d *Delivery) settleMail(ctx context.Context, to personRow, m mailRow, rows []noticeRow, a *Attempt, change, personChange map[string]any) error {
	err := d.DB.WithContext(context.WithoutCancel(ctx)).Transaction(func(tx *gorm.DB) error {
		if err := lock(tx, to.Audience); err != nil {
			return err
		}
		if a != nil {
			if err := attempted(tx, rows, *a); err != nil {
				return err
			}
		}
		if change != nil {
			if err := tx.Model(&mailRow{}).Where("id = ?", m.ID).Updates(change).Error; err != nil {
				return err
			}
		}
		if change["state"] == mailRefused {
			err := tx.Model(&noticeRow{}).Where("mail = ? AND state = ?", m.ID, Waiting).
				Updates(map[string]any{"state": Parked, "err": errMail, "description": cut(a.Problem, maxProblem)}).Error
			if err != nil {
				return err
			}
		}
		if personChange == nil {
			return nil
		}
		return tx.Model(&personRow{}).Where("audience = ? AND lease = ?", to.Audience, to.Lease).Updates(personChange).Error
	})
	if err != nil {
		return fmt.Errorf("keeping what came of a mail: %w", err)
	}
	return nil
}
