package registry

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"gorm.io/gorm"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/intake"
	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/migrations/migrationstest"
)

const ownHost = envelope.Entity("https://reseller.example/cip")

const ownAddress = "https://reseller.example/cip/.well-known/openid-federation"

func TestAResellerEnrolsUnderAHostOfItsOwn(t *testing.T) {
	migrationstest.Each(t, func(t *testing.T, db *gorm.DB) {
		w := newWorld(t, db)
		invited := w.invite("Example Cloud GmbH")
		a := w.applicant(ownHost)
		raw := a.signed(t)
		w.hosts[ownAddress] = string(raw)
		entity, err := w.Enrol(t.Context(), invited.Token, raw)
		if err != nil || entity.Entity != ownHost {
			t.Fatalf("enrolled as %q, %v", entity.Entity, err)
		}
		if !verifies(t, w.Registry, ownHost, a.statements) {
			t.Error("its key does not verify")
		}
		if _, err := w.Entity(t.Context(), invited.Entity.ID()); !errors.Is(err, ErrNotFound) {
			t.Errorf("the hosted identifier is enrolled too: %v", err)
		}
		delete(w.hosts, ownAddress)
		if again, err := w.Enrol(t.Context(), invited.Token, raw); err != nil || again.Entity != ownHost {
			t.Errorf("the same again: %v", err)
		}
		if _, err := w.Enrol(t.Context(), invited.Token, w.applicant(invited.Entity).signed(t)); !errors.Is(err, ErrTaken) {
			t.Errorf("the invitation used a second time: %v", err)
		}
		other := w.applicant(ownHost)
		w.hosts[ownAddress] = string(other.signed(t))
		if _, err := w.Enrol(t.Context(), w.invite("Other GmbH").Token, other.signed(t)); !errors.Is(err, ErrTaken) || !strings.Contains(err.Error(), "lost all its keys") {
			t.Errorf("an identifier that is taken: %v", err)
		}
		w.rebuiltAlike()
	})
}

func TestEachFailureOfAnOwnHostIsNamed(t *testing.T) {
	migrationstest.Each(t, func(t *testing.T, db *gorm.DB) {
		w := newWorld(t, db)
		invited := w.invite("Example Cloud GmbH")
		for _, c := range []struct {
			name, says string
			serve      func(a *applicant) string
		}{
			{"nothing", "no such host name is known", func(*applicant) string { return "" }},
			{"something else", "a self-signed entity configuration in force", func(*applicant) string { return "<html>" }},
			{"an expired one", "/claims/exp", func(a *applicant) string {
				old := *a
				old.claims = map[string]any{}
				for name, value := range a.claims {
					old.claims[name] = value
				}
				old.claims["exp"] = w.now.Unix()
				return string(old.signed(t))
			}},
			{"another entity's", "that of \"https://other.example\"", func(*applicant) string { return string(w.applicant("https://other.example").signed(t)) }},
			{"another federation key", "the same federation keys", func(*applicant) string { return string(w.applicant(ownHost).signed(t)) }},
			{"another statement key", "the same statement keys", func(a *applicant) string {
				other := w.applicant(ownHost)
				other.federation, other.claims["jwks"] = a.federation, a.claims["jwks"]
				return string(other.signed(t))
			}},
		} {
			a := w.applicant(ownHost)
			delete(w.hosts, ownAddress)
			if body := c.serve(a); body != "" {
				w.hosts[ownAddress] = body
			}
			_, err := w.Enrol(t.Context(), invited.Token, a.signed(t))
			if !errors.Is(err, ErrRefused) || !strings.Contains(err.Error(), c.says) || !strings.Contains(err.Error(), ownAddress) {
				t.Errorf("%s is served: wanted %q, got %v", c.name, c.says, err)
			}
		}
		// What lies under the gateway is given by invitation, and what is no identifier is none.
		for _, entity := range []envelope.Entity{self, self + "/e/somebody-else", self + "/docs", "https://Reseller.example", "https://reseller.example/"} {
			if _, err := w.Enrol(t.Context(), invited.Token, w.applicant(entity).signed(t)); !errors.Is(err, ErrRefused) || !strings.Contains(err.Error(), "/claims/iss") {
				t.Errorf("as %s: %v", entity, err)
			}
		}
		if size, err := w.log.Size(t.Context()); err != nil || size != 0 {
			t.Errorf("the ledger holds %d entries, %v", size, err)
		}
	})
}

// applies is somebody whose enrolment waits for an officer.
func (w *world) applies(name string) (Invited, *applicant) {
	w.t.Helper()
	invited, err := w.Invite(w.t.Context(), Invitation{Name: name, Country: "DE", Contact: "compliance@example.com", Approval: true})
	if err != nil {
		w.t.Fatal(err)
	}
	a := w.applicant(invited.Entity)
	waiting, err := w.Enrol(w.t.Context(), invited.Token, a.signed(w.t))
	if err != nil || !waiting.Pending() || waiting.Entity != invited.Entity {
		w.t.Fatalf("after the enrolment: %+v, %v", waiting, err)
	}
	return invited, a
}

func TestAnEnrolmentWaitsForAnOfficer(t *testing.T) {
	migrationstest.Each(t, func(t *testing.T, db *gorm.DB) {
		w := newWorld(t, db)
		invited, a := w.applies("Example Cloud GmbH")
		id := invited.Entity.ID()
		if _, err := w.Keys(t.Context(), invited.Entity); !errors.Is(err, intake.ErrIssuer) || !strings.Contains(err.Error(), "awaits approval") {
			t.Errorf("while it waits: %v", err)
		}
		if again, err := w.Enrol(t.Context(), invited.Token, a.signed(t)); err != nil || !again.Pending() {
			t.Errorf("the same again while it waits: %+v, %v", again, err)
		}
		if _, err := w.Enrol(t.Context(), invited.Token, w.applicant(invited.Entity).signed(t)); !errors.Is(err, ErrTaken) {
			t.Errorf("another configuration while it waits: %v", err)
		}
		if waiting, err := w.Applications(t.Context(), 10); err != nil || len(waiting) != 1 || waiting[0].Entity.Name != "Example Cloud GmbH" || !waiting[0].ReceivedAt.Equal(w.now) {
			t.Errorf("waiting: %+v, %v", waiting, err)
		}
		if size, err := w.log.Size(t.Context()); err != nil || size != 0 {
			t.Errorf("what waits is a fact already: %d, %v", size, err)
		}
		if _, err := w.ApproveEnrolment(t.Context(), id, mara, ""); !errors.Is(err, ErrRefused) {
			t.Errorf("without a reason: %v", err)
		}
		w.now = w.now.Add(60 * 24 * time.Hour) // the configuration itself has expired by then
		approved, err := w.ApproveEnrolment(t.Context(), id, mara, "Checked against the register.")
		if err != nil || approved.Status != statusActive || !approved.EnrolledAt.Equal(w.now) {
			t.Fatalf("approved: %+v, %v", approved, err)
		}
		if !verifies(t, w.Registry, invited.Entity, a.statements) {
			t.Error("its key does not verify")
		}
		if _, err := w.ApproveEnrolment(t.Context(), id, jon, "Again."); err != nil {
			t.Errorf("approved again: %v", err)
		}
		if err := w.RefuseEnrolment(t.Context(), id, jon, "No."); !errors.Is(err, ErrTaken) {
			t.Errorf("refused after it was approved: %v", err)
		}
		entries, err := w.log.About(t.Context(), id, 0, 10)
		if err != nil || len(entries) != 2 {
			t.Fatalf("in the ledger: %+v, %v", entries, err)
		}
		if action, ok := entries[1].Statement.(statement.OfficerAction); !ok || action.Officer != mara || action.Action != "enrolment.approved" || action.On.ID != string(invited.Entity) {
			t.Errorf("in the ledger: %+v", entries[1])
		}
		w.rebuiltAlike()
	})
}

func TestARefusedEnrolmentIsToldWithItsReason(t *testing.T) {
	migrationstest.Each(t, func(t *testing.T, db *gorm.DB) {
		w := newWorld(t, db)
		invited, a := w.applies("Example Cloud GmbH")
		id := invited.Entity.ID()
		for range 2 {
			if err := w.RefuseEnrolment(t.Context(), id, mara, "Its register number belongs to another company."); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := w.Enrol(t.Context(), invited.Token, a.signed(t)); !errors.Is(err, ErrTaken) || !strings.Contains(err.Error(), "register number") {
			t.Errorf("the reseller is told %v", err)
		}
		if _, err := w.ApproveEnrolment(t.Context(), id, jon, "Yes."); !errors.Is(err, ErrTaken) {
			t.Errorf("approved after it was refused: %v", err)
		}
		if _, err := w.Keys(t.Context(), invited.Entity); !errors.Is(err, intake.ErrIssuer) || strings.Contains(err.Error(), "awaits") {
			t.Errorf("its statements: %v", err)
		}
		// It has no file: the action stands about the gateway.
		entries, err := w.log.About(t.Context(), self.ID(), 0, 10)
		if err != nil || len(entries) != 1 {
			t.Errorf("in the ledger: %+v, %v", entries, err)
		}
		if _, err := w.ApproveEnrolment(t.Context(), envelope.Entity("https://nobody.example").ID(), mara, "x"); !errors.Is(err, ErrNotFound) {
			t.Errorf("of nobody: %v", err)
		}
	})
}

func TestAKeyThatWasEnrolledMeanwhileIsNotApproved(t *testing.T) {
	migrationstest.Each(t, func(t *testing.T, db *gorm.DB) {
		w := newWorld(t, db)
		invited, a := w.applies("Example Cloud GmbH")
		second := w.invite("Other GmbH")
		b := w.applicant(second.Entity)
		b.claims["metadata"] = map[string]any{"cipgate": map[string]any{"jwks": keysOf(t, a.statements)}}
		if _, err := w.Enrol(t.Context(), second.Token, b.signed(t)); err != nil {
			t.Fatal(err)
		}
		if _, err := w.ApproveEnrolment(t.Context(), invited.Entity.ID(), mara, "Checked."); !errors.Is(err, ErrTaken) {
			t.Errorf("got %v", err)
		}
	})
}

func TestWhoLostAllKeysComesBackByTwoOfficers(t *testing.T) {
	migrationstest.Each(t, func(t *testing.T, db *gorm.DB) {
		w := newWorld(t, db)
		other := w.process()
		a, entity := w.enrolled("Example Cloud GmbH")
		id := entity.Entity.ID()
		w.states(entity.Entity, a.statements, "before")
		w.now = w.now.Add(time.Hour)
		if !verifies(t, other, entity.Entity, a.statements) {
			t.Fatal("the other process does not know the first key")
		}
		proposal, err := w.ProposeRecovery(t.Context(), id, mara, "Their disk broke.")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.ApproveRecovery(t.Context(), id, proposal, mara); !errors.Is(err, ErrSamePerson) || !strings.Contains(err.Error(), "mara") {
			t.Errorf("by the one who proposed it: %v", err)
		}
		invited, err := w.ApproveRecovery(t.Context(), id, proposal, jon)
		if err != nil || invited.Entity != entity.Entity {
			t.Fatalf("invited %+v, %v", invited, err)
		}
		if _, err := w.ApproveRecovery(t.Context(), id, proposal, jon); !errors.Is(err, ErrTaken) {
			t.Errorf("approved again: %v", err)
		}
		if !verifies(t, w.Registry, entity.Entity, a.statements) {
			t.Error("the old key ended before a new one came")
		}
		if _, err := w.Enrol(t.Context(), invited.Token, w.applicant(ownHost).signed(t)); !errors.Is(err, ErrRefused) || !strings.Contains(err.Error(), "/claims/iss") {
			t.Errorf("for another entity: %v", err)
		}
		a.claims["exp"] = w.now.Add(time.Hour).Unix()
		if _, err := w.Enrol(t.Context(), invited.Token, a.signed(t)); !errors.Is(err, ErrTaken) {
			t.Errorf("with the old keys: %v", err)
		}
		b := w.applicant(entity.Entity)
		again, err := w.Enrol(t.Context(), invited.Token, b.signed(t))
		if err != nil || !again.EnrolledAt.Equal(entity.EnrolledAt) || again.Configuration != string(b.signed(t)) {
			t.Fatalf("came back as %+v, %v", again, err)
		}
		if err := other.CatchUp(t.Context()); err != nil {
			t.Fatal(err)
		}
		for name, process := range map[string]*Registry{"this process": w.Registry, "another process": other} {
			if verifies(t, process, entity.Entity, a.statements) || !verifies(t, process, entity.Entity, b.statements) {
				t.Errorf("%s takes the wrong keys", name)
			}
		}
		if _, err := w.Rotate(t.Context(), id, w.request(TypeKeySet, a.federation, entity.Entity, map[string]any{"keys": jwks(newSigner(t))})); !errors.Is(err, ErrRefused) {
			t.Errorf("the lost federation key still rotates: %v", err)
		}
		w.states(entity.Entity, b.statements, "after")
		if audited, err := w.Audit(t.Context()); err != nil || audited.Submissions != 2 || audited.Marked != 0 {
			t.Errorf("audited %+v, %v", audited, err)
		}
		if _, err := w.Enrol(t.Context(), invited.Token, b.signed(t)); err != nil {
			t.Errorf("the same again: %v", err)
		}
		w.rebuiltAlike()
		late, err := w.ProposeRecovery(t.Context(), id, mara, "Again.")
		if err != nil {
			t.Fatal(err)
		}
		w.now = w.now.Add(RecoveryLife)
		if _, err := w.ApproveRecovery(t.Context(), id, late, jon); !errors.Is(err, ErrTaken) {
			t.Errorf("approved after its time: %v", err)
		}
		for name, err := range map[string]error{
			"no such proposal": func() error { _, err := w.ApproveRecovery(t.Context(), id, "x", jon); return err }(),
			"no such entity":   func() error { _, err := w.ProposeRecovery(t.Context(), ownHost.ID(), jon, "x"); return err }(),
		} {
			if !errors.Is(err, ErrNotFound) {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
}

func TestAContactConfirmsOverTheLinkItWasGiven(t *testing.T) {
	migrationstest.Each(t, func(t *testing.T, db *gorm.DB) {
		w := newWorld(t, db)
		_, entity := w.enrolled("Example Cloud GmbH")
		id := entity.Entity.ID()
		if !entity.ContactConfirmedAt.IsZero() {
			t.Errorf("confirmed from the start: %s", entity.ContactConfirmedAt)
		}
		asked, err := w.AskContact(t.Context(), id, mara)
		if err != nil || asked.Contact != "compliance@example.com" {
			t.Fatalf("asked %+v, %v", asked, err)
		}
		w.now = w.now.Add(time.Hour)
		at := w.now
		for range 2 { // a link that is followed twice says the same
			confirmed, err := w.ConfirmContact(t.Context(), asked.Token)
			if err != nil || !confirmed.ContactConfirmedAt.Equal(at) {
				t.Errorf("confirmed at %s, %v", confirmed.ContactConfirmedAt, err)
			}
			w.now = w.now.Add(time.Hour)
		}
		w.rebuiltAlike()
		if kept, err := w.Entity(t.Context(), id); err != nil || !kept.ContactConfirmedAt.Equal(at) {
			t.Errorf("after the rebuild: %s, %v", kept.ContactConfirmedAt, err)
		}
		w.now = w.now.Add(ConfirmationLife)
		for name, token := range map[string]string{"expired": asked.Token, "no such link": "x"} {
			if _, err := w.ConfirmContact(t.Context(), token); !errors.Is(err, ErrInvitation) || !strings.Contains(err.Error(), name) {
				t.Errorf("%s: %v", name, err)
			}
		}
		if _, err := w.AskContact(t.Context(), ownHost.ID(), mara); !errors.Is(err, ErrNotFound) {
			t.Errorf("of nobody: %v", err)
		}
	})
}

func TestAHostedConfigurationFollowsItsKeys(t *testing.T) {
	migrationstest.Each(t, func(t *testing.T, db *gorm.DB) {
		w := newWorld(t, db)
		a, entity := w.enrolled("Example Cloud GmbH")
		id, next := entity.Entity.ID(), newSigner(t)
		a.claims["metadata"] = map[string]any{"cipgate": map[string]any{"jwks": keysOf(t, next)}}
		if _, err := w.Publish(t.Context(), id, a.signed(t)); !errors.Is(err, ErrRefused) || !strings.Contains(err.Error(), "/claims/metadata/cipgate/jwks/keys/0") {
			t.Errorf("before the rotation: %v", err)
		}
		if _, err := w.Rotate(t.Context(), id, w.request(TypeKeySet, a.federation, entity.Entity, map[string]any{"keys": jwks(next)})); err != nil {
			t.Fatal(err)
		}
		raw := a.signed(t)
		if _, err := w.Publish(t.Context(), id, raw); err != nil {
			t.Fatal(err)
		}
		w.rebuiltAlike()
		if now, err := w.Entity(t.Context(), id); err != nil || now.Configuration != string(raw) {
			t.Errorf("served: %v", err)
		}
		if _, err := w.Publish(t.Context(), ownHost.ID(), raw); !errors.Is(err, ErrRefused) || !strings.Contains(err.Error(), "/claims/iss") {
			t.Errorf("under another id: %v", err)
		}
		if _, err := w.Publish(t.Context(), ownHost.ID(), w.applicant(ownHost).signed(t)); !errors.Is(err, ErrRefused) || !strings.Contains(err.Error(), "Serve it yourself") {
			t.Errorf("of an own host: %v", err)
		}
	})
}

func TestALegalEntityIdentifierHasItsCheckDigits(t *testing.T) {
	for lei, wrong := range map[string]string{
		"5493001KJTIIGC8Y1R12": "", // in the examples of GLEIF
		"529900T8BM49AURSDO55": "",
		"7ZW8QJWVPR4P1J1KQY45": "",
		"5493001KJTIIGC8Y1R13": "check digits",
		"5493001KJTIIGC8Y1R21": "check digits",
		"5493001kJTIIGC8Y1R12": "20 characters that are none",
		"5493001KJTIIGC8Y1R1A": "20 characters that are none",
		"5493001KJTIIGC8Y1R1":  "19 characters that are none",
		"":                     "0 characters that are none",
	} {
		if got := wrongLEI(lei); (got == "") != (wrong == "") || !strings.Contains(got, wrong) {
			t.Errorf("%q: got %q, want %q", lei, got, wrong)
		}
	}
}

func TestEveryCodeOfISO3166IsACountryAndNoOther(t *testing.T) {
	taken := 0
	for first := 'A'; first <= 'Z'; first++ {
		for second := 'A'; second <= 'Z'; second++ {
			in := Invitation{Name: "N", Contact: "a@b.example", Superior: self, Country: fmt.Sprintf("%c%c", first, second)}
			err := in.check()
			if err == nil || in.Country == "US" { // which is a country, and not a foreign one
				taken++
			}
		}
	}
	if taken != 249 { // assigned codes, ISO 3166-1:2020 and its newsletters
		t.Errorf("%d codes are taken for countries", taken)
	}
}
