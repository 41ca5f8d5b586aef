package delivery

import (
	"bytes"
	"errors"
	"testing"
	"time"

	"gorm.io/gorm"

	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/migrations/migrationstest"
	"github.com/cipgate/cipgate/sync/notices"
)

// takesOff is what an officer states about the second contact, as the registry words it.
func (w *world) takesOff(jti, action string, details ...statement.Field) {
	w.t.Helper()
	w.says(jti, statement.OfficerAction{Officer: statement.Officer{ID: "o", Name: "Kim"}, Action: action, Reason: "She left.",
		On: statement.Target{Type: "reseller", ID: string(acme)}, Details: details})
}

// address is what is kept of how a person is reached; nil if nothing is.
func (w *world) address(whom notices.Audience) []byte {
	w.t.Helper()
	var rows []personRow
	w.must(w.DB.WithContext(w.t.Context()).Where("audience = ?", string(whom)).Find(&rows).Error)
	if len(rows) == 0 {
		return nil
	}
	return rows[0].AddressSealed
}

func TestTheAddressOfAContactWhoIsNoneAnyMoreIsForgotten(t *testing.T) {
	migrationstest.Each(t, func(t *testing.T, db *gorm.DB) {
		w := newWorld(t, db)
		box, known, _ := w.proves(above)
		w.warns(1)
		w.pass(0)
		w.pass(3 * day)
		box.subjects() // in order of whom they are to: the second contact's are the last
		token := tokenIn(t, box.letters[len(box.letters)-1])
		if _, err := w.Link(t.Context(), token); err != nil {
			t.Fatal(err)
		}
		// Taken off and named again at once: nothing is lost.
		w.takesOff("off-1", "contact.second-taken-off", statement.Field{Name: "contact", Value: toLex.ID()})
		w.pass(0)
		w.pass(forgetAfter)
		w.are(toLex, Waiting)
		if w.address(toLex) == nil {
			t.Fatal("the second contact of today is forgotten")
		}
		for _, one := range []struct {
			jti, action string
			details     []statement.Field
		}{
			{"off-2", "contact.second-taken-off", []statement.Field{{Name: "contact", Value: toLex.ID()}}},
			{"named-2", "contact.second-named", []statement.Field{{Name: "contact", Value: "another"}, {Name: "replaces", Value: toLex.ID()}}},
		} {
			known.second = nil
			w.takesOff(one.jti, one.action, one.details...)
			w.pass(0)
			w.pass(forgetAfter)
			if kept := w.address(toLex); kept != nil {
				t.Errorf("after %s the address is kept", one.action)
			}
			if _, err := w.Link(t.Context(), token); !errors.Is(err, ErrNoLink) {
				t.Errorf("the link of whom was forgotten: %v", err)
			}
			w.are(toLex, Dropped)
			// Somebody else's is kept, and a mail that comes back to that person starts anew.
			if w.address(toAna) == nil {
				t.Error("the first contact is forgotten too")
			}
			known.second = []string{lex}
			before := w.address(toAna)
			w.must(w.DB.WithContext(t.Context()).Transaction(func(tx *gorm.DB) error {
				return w.keepPerson(tx, person{audience: toLex, about: acme, address: lex})
			}))
			if address, err := w.addressOf(personRow{Audience: string(toLex), AddressSealed: w.address(toLex)}); err != nil || address != lex || !bytes.Equal(before, w.address(toAna)) {
				t.Errorf("named again, kept is %q, %v", address, err)
			}
		}
	})
}

// What comes for somebody while the mailer finds that this person is mailed no more is not lost with it.
func TestWhatComesWhileAPersonIsForgottenIsKept(t *testing.T) {
	migrationstest.Each(t, func(t *testing.T, db *gorm.DB) {
		w := newWorld(t, db)
		w.mails([]string{ana}, []string{kim})
		w.state(statement.KindWarningIssued, acme)
		w.must(w.Turn(t.Context()))
		w.now = w.now.Add(time.Hour)
		claimed, err := w.claimPeople(t.Context(), 10)
		w.must(err)
		for _, row := range claimed {
			if row.Audience != string(toAna) {
				continue
			}
			stale, err := w.renewPerson(t.Context(), row)
			w.must(err)
			w.state(statement.KindWarningIssued, acme)
			w.must(w.Turn(t.Context()))
			w.must(w.dropPerson(t.Context(), stale))
			w.are(toAna, Waiting, Waiting)
			fresh, err := w.renewPerson(t.Context(), row)
			w.must(err)
			w.must(w.dropPerson(t.Context(), fresh))
			w.are(toAna, Dropped, Dropped)
			return
		}
		t.Fatal("the contact's outbox is not due")
	})
}
