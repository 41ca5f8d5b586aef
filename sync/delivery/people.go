package delivery

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/sync/mail"
	"github.com/cipgate/cipgate/sync/notices"
)

// Directory knows whom to mail, by mail address.
type Directory interface {
	// Contacts are the confirmed contacts of a reseller.
	Contacts(ctx context.Context, of envelope.Entity) ([]string, error)
	// SecondContacts are those of a reseller who are mailed what the first ones do not answer: confirmed ones, one at most.
	SecondContacts(ctx context.Context, of envelope.Entity) ([]string, error)
	// Officers are those who are mailed about all resellers, and Releasers those of them who may release the guard.
	Officers(ctx context.Context) ([]string, error)
	Releasers(ctx context.Context) ([]string, error)
}

// Mailer hands a letter to a server; mail.Server is one.
type Mailer interface {
	Send(ctx context.Context, letter mail.Letter) mail.Report
}

type personRow struct {
	Audience      string `gorm:"primaryKey"`
	About         string
	AddressSealed []byte
	Tries         int
	NextAt        int64
	Wakes         int64
	Lease         string
	LeasedUntil   int64
}

func (personRow) TableName() string { return "delivery_people" }

// person is somebody who may be mailed.
type person struct {
	audience notices.Audience
	about    envelope.Entity // the contact's reseller; empty for an officer
	address  string
}

// peopleOf fills in the chain's contacts of whom the entries are about and its officers, and returns them by their audience. It is
// asked before the transaction that addresses: the directory may use the same store.
func (d *Delivery) peopleOf(ctx context.Context, entries []statement.Entry, chain *notices.Chain) (map[string]person, error) {
	if d.Mail == nil || len(entries) == 0 {
		return nil, nil
	}
	people := map[string]person{}
	chain.Contacts = map[envelope.Entity][]notices.Audience{}
	var told []envelope.Entity
	for _, entry := range entries {
		told = append(told, notices.Hearers(entry)...)
	}
	for _, whom := range told {
		if _, asked := chain.Contacts[whom]; asked || whom == d.Self {
			continue
		}
		addresses, err := d.People.Contacts(ctx, whom)
		if err != nil {
			return nil, fmt.Errorf("looking for the contacts of %s: %w", whom, err)
		}
		chain.Contacts[whom] = nil
		for _, address := range addresses {
			audience := notices.OfContact(whom, address)
			if _, twice := people[string(audience)]; !twice {
				chain.Contacts[whom] = append(chain.Contacts[whom], audience)
				people[string(audience)] = person{audience, whom, address}
			}
		}
	}
	officers, err := d.People.Officers(ctx)
	if err != nil {
		return nil, fmt.Errorf("looking for the officers who are mailed: %w", err)
	}
	for _, address := range officers {
		audience := notices.OfOfficer(address)
		if _, twice := people[string(audience)]; !twice {
			chain.Officers = append(chain.Officers, audience)
			people[string(audience)] = person{audience: audience, address: address}
		}
	}
	return people, nil
}

// keepPerson keeps how a person is reached, inside a transaction.
func (d *Delivery) keepPerson(tx *gorm.DB, p person) error {
	sealed, err := d.Bodies.Encrypt([]byte(p.address), []byte(p.audience))
	if err != nil {
		return fmt.Errorf("encrypting an address: %w", err)
	}
	row := personRow{Audience: string(p.audience), About: string(p.about), AddressSealed: sealed, NextAt: never}
	// Written anew where it is there already: that holds the row, so that nobody who finds that person no longer mailed forgets it now.
	kept := clause.OnConflict{Columns: []clause.Column{{Name: "audience"}}, DoUpdates: clause.AssignmentColumns([]string{"address_sealed"})}
	if err := tx.Clauses(kept).Create(&row).Error; err != nil {
		return fmt.Errorf("keeping how a person is reached: %w", err)
	}
	return nil
}

// addressOf opens how a person is reached.
func (d *Delivery) addressOf(row personRow) (string, error) {
	address, err := d.Bodies.Decrypt(row.AddressSealed, []byte(row.Audience))
	if err != nil {
		return "", fmt.Errorf("the address of %s cannot be opened with the key that this gateway has", row.Audience)
	}
	return string(address), nil
}

// standsAs says what a person is to be mailed as today: a contact of then is told nothing that is for the contact of today.
func (d *Delivery) standsAs(ctx context.Context, row personRow, address string) (mail.Role, error) {
	is := func(addresses []string, err error) (bool, error) {
		if err != nil {
			return false, fmt.Errorf("looking whether %s is still to be mailed: %w", row.Audience, err)
		}
		return slices.ContainsFunc(addresses, func(one string) bool { return strings.EqualFold(one, address) }), nil
	}
	if !notices.Audience(row.Audience).IsContact() {
		if current, err := is(d.People.Officers(ctx)); err != nil || !current {
			return mail.Nobody, err
		}
		return mail.Officer, nil
	}
	if first, err := is(d.People.Contacts(ctx, envelope.Entity(row.About))); err != nil || first {
		return mail.Contact, err
	}
	if second, err := is(d.People.SecondContacts(ctx, envelope.Entity(row.About))); err != nil || second {
		return mail.SecondContact, err
	}
	return mail.Nobody, nil
}

// forgetAfter is when the outbox of a contact who was taken off is looked at.
const forgetAfter = time.Minute

// forgetsContact makes an outbox be looked at whose contact an officer took off, or named another one in place of: inside the transaction
// that moves the cursor past that. Who is mailed no more by then is dropped, and the address with it. The registry forgets its own copy
// right after it stated that, so a moment is left for it.
func (d *Delivery) forgetsContact(tx *gorm.DB, entry statement.Entry) error {
	audience, gone := notices.ContactGone(entry, d.Self)
	if !gone {
		return nil
	}
	err := tx.Model(&personRow{}).Where("audience = ?", string(audience)).Updates(map[string]any{"wakes": gorm.Expr("wakes + 1"), "next_at": d.Now().Add(forgetAfter).UnixMicro()}).Error
	if err != nil {
		return fmt.Errorf("waking the outbox of a contact that was taken off: %w", err)
	}
	return nil
}

// wakePerson makes a person's outbox be looked at, unless it waits after a try that failed.
func wakePerson(tx *gorm.DB, audience string) error {
	err := tx.Model(&personRow{}).Where("audience = ?", audience).Updates(map[string]any{
		"wakes":   gorm.Expr("wakes + 1"),
		"next_at": gorm.Expr("CASE WHEN tries = 0 THEN 0 ELSE next_at END"),
	}).Error
	if err != nil {
		return fmt.Errorf("waking a person's outbox: %w", err)
	}
	return nil
}

// Matter is something of the gateway's own that officers are called for at once: a step that waits for approval, the guard.
type Matter struct {
	Key   string          // what it is, so that it is told once: such as the approval's id
	Kind  string          // one of package mail's matters
	About envelope.Entity // the reseller, or the gateway itself
	// Releasers says that those alone are called who may release the guard.
	Releasers bool
}

// Call mails officers about matters at once, each once for each officer, however often it is called. Without mail it does nothing:
// the matters are on the dashboard.
func (d *Delivery) Call(ctx context.Context, matters ...Matter) error {
	if d.Mail == nil || len(matters) == 0 {
		return nil
	}
	addresses, err := d.People.Officers(ctx)
	if err != nil {
		return fmt.Errorf("looking for the officers who are mailed: %w", err)
	}
	releasers, err := d.People.Releasers(ctx)
	if err != nil {
		return fmt.Errorf("looking for the officers who may release the guard: %w", err)
	}
	slices.Sort(addresses)
	called := false
	for _, address := range slices.Compact(addresses) {
		audience := notices.OfOfficer(address)
		fresh, err := d.uncalled(ctx, audience, slices.DeleteFunc(slices.Clone(matters), func(m Matter) bool {
			return m.Releasers && !slices.Contains(releasers, address)
		}))
		if err != nil {
			return err
		}
		if len(fresh) == 0 {
			continue
		}
		err = d.DB.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
			if err := d.keepPerson(tx, person{audience: audience, address: address}); err != nil {
				return err
			}
			return d.number(tx, string(audience), fresh)
		})
		if isTaken(err) { // another process called for it meanwhile
			continue
		}
		if err != nil {
			return fmt.Errorf("calling an officer: %w", err)
		}
		called = true
	}
	if called {
		d.announce()
	}
	return nil
}

// uncalled are those matters that an officer was not called for.
func (d *Delivery) uncalled(ctx context.Context, audience notices.Audience, matters []Matter) (fresh []noticeRow, err error) {
	for _, matter := range matters {
		var known []noticeRow
		err := d.DB.WithContext(ctx).Select("sequence").Where("audience = ? AND jti = ?", string(audience), matter.Key).Order("sequence").Limit(1).Find(&known).Error
		if err != nil {
			return nil, fmt.Errorf("looking whether an officer was called: %w", err)
		}
		if len(known) == 0 {
			fresh = append(fresh, noticeRow{Audience: string(audience), Kind: matter.Kind, About: string(matter.About), LeafIndex: -1,
				Digest: []byte{}, JTI: matter.Key, Token: []byte{}, Urgent: true})
		}
	}
	return fresh, nil
}
