package delivery

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/ledger"
	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/resellers/escalation"
	"github.com/cipgate/cipgate/resellers/policy"
	"github.com/cipgate/cipgate/sync/mail"
	"github.com/cipgate/cipgate/sync/notices"
)

// A step's notice takes further channels while nothing proves that the reseller knows of it: notices says which and when, by the policy
// that the case is pinned to. Each has a row from when the step was addressed, and is taken once:
//
//   - The second contact is told in the transaction that settles the row.
//   - What calls officers, and what states in the ledger that the superior is told, does the same when it is done again, so it comes before
//     the row is settled.
//
// After an outage all that fell due is taken at once, in order. A proof that came meanwhile, or a case that went on, spares the rest.

// Cases is what delivery reads of the cases; it decides none.
type Cases interface {
	// Told is the step of the reseller's case that was taken last, by which policy it is proved, and up to which entry that is folded.
	Told(ctx context.Context, about envelope.Entity) (told escalation.Told, rules policy.Proof, seen int64, err error)
	// Superior is the entity above a reseller; empty if that is the provider.
	Superior(ctx context.Context, of envelope.Entity) (envelope.Entity, error)
}

// LaterState is what became of a later channel.
type LaterState string

// The states of a later channel.
const (
	LaterDue    LaterState = "due"    // its time has not come, or whom it needs is not known yet
	LaterTaken  LaterState = "taken"  // the notice went by it
	LaterSpared LaterState = "spared" // it was not needed, or there is none
)

type channelRow struct {
	About       string
	JTI         string `gorm:"column:jti"`
	Channel     notices.Later
	Kind        string
	LeafIndex   int64
	Digest      []byte
	AddressedAt int64
	DueAt       int64
	NextAt      int64
	State       LaterState
	SettledAt   int64
	Why         string
	Audience    string
}

func (channelRow) TableName() string { return "delivery_channels" }

const (
	// laterPage is how many channels are looked at in one turn.
	laterPage = 200
	// laterGlance is when a channel is looked at again whose policy may have moved, laterMissing when one is that lacks a person, and
	// laterFailed when one is that could not be taken.
	laterGlance  = 24 * time.Hour
	laterMissing = time.Hour
	laterFailed  = time.Minute
)

// takesLater keeps, inside the transaction that addresses an entry, that its notice takes the later channels.
func (d *Delivery) takesLater(tx *gorm.DB, entry statement.Entry) error {
	if d.Cases == nil || !notices.TakesLater(entry, d.Self) {
		return nil
	}
	rows := make([]channelRow, len(notices.Laters))
	for i, channel := range notices.Laters {
		rows[i] = channelRow{About: string(entry.About), JTI: entry.JTI, Channel: channel, Kind: string(entry.Statement.Kind()),
			LeafIndex: entry.LeafIndex, Digest: entry.Digest[:], AddressedAt: d.Now().UnixMicro(), State: LaterDue}
	}
	if err := tx.Clauses(clause.OnConflict{DoNothing: true}).Create(&rows).Error; err != nil {
		return fmt.Errorf("keeping by which channels a notice goes later: %w", err)
	}
	return nil
}

// takeLater takes the later channels that are due. stated says that something was stated in the ledger that is to be addressed.
func (d *Delivery) takeLater(ctx context.Context) (stated bool, err error) {
	if d.Cases == nil {
		return false, nil
	}
	var rows []channelRow
	err = d.DB.WithContext(ctx).Where("next_at <= ?", d.Now().UnixMicro()).Order("next_at, about, jti, due_at").Limit(laterPage).Find(&rows).Error
	if err != nil {
		return false, fmt.Errorf("looking for notices that take another channel: %w", err)
	}
	slices.SortStableFunc(rows, func(a, b channelRow) int { return a.Channel.Order() - b.Channel.Order() })
	var failed []error
	for _, row := range rows {
		did, err := d.takeOne(ctx, row)
		if err != nil {
			failed = append(failed, fmt.Errorf("telling %s of %s by the channel %s: %w", row.About, row.JTI, row.Channel, err))
			failed = append(failed, d.defers(ctx, row, timeOrZero(row.DueAt), d.Now().Add(laterFailed), row.Why)) // those behind it wait for nothing
		}
		stated = stated || did
	}
	return stated, errors.Join(failed...)
}

// NextLater is when the next later channel is due; zero if none is. One that lacks somebody is not among them.
func (d *Delivery) NextLater(ctx context.Context) (time.Time, error) {
	var rows []channelRow
	err := d.DB.WithContext(ctx).Select("due_at").Where("next_at < ? AND why = '' AND due_at > ?", never, d.Now().UnixMicro()).Order("due_at").Limit(1).Find(&rows).Error
	if err != nil {
		return time.Time{}, fmt.Errorf("looking when a notice takes another channel: %w", err)
	}
	if len(rows) == 0 {
		return time.Time{}, nil
	}
	return timeOrZero(rows[0].DueAt), nil
}

// takeOne looks at one channel: whether it is needed, whether its time has come, and takes it.
func (d *Delivery) takeOne(ctx context.Context, row channelRow) (stated bool, err error) {
	about := envelope.Entity(row.About)
	told, rules, seen, err := d.Cases.Told(ctx, about)
	if err != nil {
		return false, err
	}
	if seen < row.LeafIndex { // the case does not know of the step yet
		return false, nil
	}
	why, err := d.sparedBy(ctx, row, told)
	if err != nil {
		return false, err
	}
	at, asked := row.Channel.From(rules, told.At)
	switch {
	case why != "":
		return false, d.spare(ctx, row, why)
	case !asked:
		return false, d.spare(ctx, row, "the policy of the case takes no such channel")
	case at.After(d.Now()):
		return false, d.defers(ctx, row, at, at, "")
	}
	switch row.Channel {
	case notices.SecondContact:
		return false, d.tellSecond(ctx, row, at)
	case notices.Phone:
		return false, d.callForCall(ctx, row, at)
	case notices.Superior:
		return d.tellSuperior(ctx, row, at)
	}
	return false, nil
}

// sparedBy is why a channel is not needed: empty if it is.
func (d *Delivery) sparedBy(ctx context.Context, row channelRow, told escalation.Told) (string, error) {
	if !slices.Contains(told.Notices, row.JTI) {
		return "the step that was taken last is another one, or the case ended", nil
	}
	if !told.Proved.At.IsZero() {
		return "the notice was proved", nil
	}
	proofs, err := d.Proofs(ctx, envelope.Entity(row.About), told.Notices)
	if err != nil {
		return "", err
	}
	if len(proofs) > 0 { // not in the ledger yet, or not folded
		return "the notice was proved", nil
	}
	return "", nil
}

// settleLater settles a channel inside a transaction. False says that another process did.
func (d *Delivery) settleLater(tx *gorm.DB, row channelRow, state LaterState, why, audience string) (bool, error) {
	done := tx.Model(&channelRow{}).Where("about = ? AND jti = ? AND channel = ? AND state = ?", row.About, row.JTI, row.Channel, LaterDue).
		Updates(map[string]any{"state": state, "settled_at": d.Now().UnixMicro(), "why": why, "audience": audience, "due_at": row.DueAt, "next_at": never})
	if done.Error != nil {
		return false, fmt.Errorf("settling a channel: %w", done.Error)
	}
	return done.RowsAffected == 1, nil
}

func (d *Delivery) spare(ctx context.Context, row channelRow, why string) error {
	_, err := d.settleLater(d.DB.WithContext(ctx), row, LaterSpared, why, "")
	return err
}

// defers looks again later: when the channel is due, or, for want of somebody, from time to time.
func (d *Delivery) defers(ctx context.Context, row channelRow, due, again time.Time, why string) error {
	if soon := d.Now().Add(laterGlance); again.After(soon) {
		again = soon
	}
	err := d.DB.WithContext(ctx).Model(&channelRow{}).Where("about = ? AND jti = ? AND channel = ? AND state = ?", row.About, row.JTI, row.Channel, LaterDue).
		Updates(map[string]any{"due_at": microsOf(due), "next_at": again.UnixMicro(), "why": why}).Error
	if err != nil {
		return fmt.Errorf("noting when a channel is due: %w", err)
	}
	return nil
}

func microsOf(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

// tellSecond addresses the notice to the second contact, and settles the channel with it.
func (d *Delivery) tellSecond(ctx context.Context, row channelRow, due time.Time) error {
	if d.Mail == nil {
		return d.spare(ctx, row, "this gateway sends no mail")
	}
	about := envelope.Entity(row.About)
	addresses, err := d.People.SecondContacts(ctx, about)
	if err != nil {
		return fmt.Errorf("looking for the second contact: %w", err)
	}
	if len(addresses) == 0 {
		return d.defers(ctx, row, due, d.Now().Add(laterMissing), "waits for a second contact: none is on record that confirmed that it is reached")
	}
	to := person{audience: notices.OfContact(about, addresses[0]), about: about, address: addresses[0]}
	row.DueAt = due.UnixMicro()
	return d.DB.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		ours, err := d.settleLater(tx, row, LaterTaken, "", string(to.audience))
		if err != nil || !ours {
			return err
		}
		if err := d.keepPerson(tx, to); err != nil {
			return err
		}
		if err := lock(tx, string(to.audience)); err != nil {
			return err
		}
		var known []noticeRow
		if err := tx.Select("sequence").Where("audience = ? AND jti = ?", string(to.audience), row.JTI).Order("sequence").Limit(1).Find(&known).Error; err != nil {
			return fmt.Errorf("looking whether somebody was told: %w", err)
		}
		if len(known) > 0 { // the same address was the first contact's when the step was addressed
			return nil
		}
		return d.number(tx, string(to.audience), []noticeRow{{Audience: string(to.audience), Kind: row.Kind, About: row.About, LeafIndex: row.LeafIndex,
			Digest: row.Digest, JTI: row.JTI, Token: []byte{}, Urgent: true}})
	})
}

// callForCall mails officers that somebody must telephone. The task itself stands on the case (escalation).
func (d *Delivery) callForCall(ctx context.Context, row channelRow, due time.Time) error {
	err := d.Call(ctx, Matter{Key: "phone " + row.JTI, Kind: mail.MatterPhone, About: envelope.Entity(row.About)})
	if err != nil {
		return err
	}
	row.DueAt = due.UnixMicro()
	_, err = d.settleLater(d.DB.WithContext(ctx), row, LaterTaken, "", "")
	return err
}

// tellSuperior states in the ledger that the superior is told. That entry is addressed as any other.
func (d *Delivery) tellSuperior(ctx context.Context, row channelRow, due time.Time) (stated bool, err error) {
	about := envelope.Entity(row.About)
	superior, err := d.Cases.Superior(ctx, about)
	if err != nil {
		return false, fmt.Errorf("looking for the superior: %w", err)
	}
	if superior == "" {
		return false, d.spare(ctx, row, "there is none: the provider itself is above this reseller")
	}
	entry, err := d.entry(ctx, noticeRow{LeafIndex: row.LeafIndex, Digest: row.Digest})
	if err != nil {
		return false, err
	}
	step, ok := notices.StepOf(entry.Statement)
	if !ok {
		return false, fmt.Errorf("entry %d states no step", row.LeafIndex)
	}
	said := statement.SuperiorTold{Superior: superior, Notice: row.JTI, Standing: step.Standing, StatedAt: entry.AcceptedAt, NextAt: step.NextAt}
	if said.NextAt.Before(said.StatedAt) {
		said.NextAt = time.Time{}
	}
	set, err := d.Signer.Sign(envelope.Draft{Issuer: d.Self, Audience: superior, IssuedAt: d.Now(), JTI: notices.ToldID(about, row.JTI), EventURI: said.Kind().URI(),
		Event: said, Subject: envelope.Subject{Format: "uri", URI: row.About}})
	if err != nil {
		return false, fmt.Errorf("signing what the superior is told: %w", err)
	}
	// Another superior was told of the same notice before: it has moved since, and is told of the next one.
	if _, err := d.Ledger.Append(ctx, set); err != nil && !errors.Is(err, ledger.ErrTwin) {
		return false, fmt.Errorf("stating that the superior is told: %w", err)
	}
	row.DueAt = due.UnixMicro()
	_, err = d.settleLater(d.DB.WithContext(ctx), row, LaterTaken, "", string(notices.OfReseller(superior)))
	return true, err
}
