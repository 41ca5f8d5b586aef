package delivery

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"gorm.io/gorm"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/migrations/migrationstest"
	"github.com/cipgate/cipgate/resellers/escalation"
	"github.com/cipgate/cipgate/resellers/policy"
	"github.com/cipgate/cipgate/sync/notices"
)

const (
	lex   = "lex@acme.example"
	above = envelope.Entity("https://above.example")
	day   = 24 * time.Hour
)

var toLex = notices.OfContact(acme, lex)

// folded are the cases as the ledger has them, each folded anew.
type folded struct {
	about    func(ctx context.Context, id envelope.ID) ([]statement.Entry, error)
	rules    policy.Proof
	superior envelope.Entity
}

func (f *folded) Told(ctx context.Context, about envelope.Entity) (escalation.Told, policy.Proof, int64, error) {
	entries, err := f.about(ctx, about.ID())
	c := escalation.Case{}
	for _, e := range entries {
		c = c.With(e)
	}
	return c.Told, f.rules, c.Seen(), err
}

func (f *folded) Superior(context.Context, envelope.Entity) (envelope.Entity, error) {
	return f.superior, nil
}

// proves makes the world's delivery take later channels on days 3, 5 and 7, with a contact, a second one and an officer.
func (w *world) proves(superior envelope.Entity) (*postbox, *people, *folded) {
	w.t.Helper()
	box, known := w.mails([]string{ana}, []string{kim})
	known.second = []string{lex}
	after := func(days int) policy.Number { return policy.Number{Value: policy.Duration(time.Duration(days) * day)} }
	f := &folded{superior: superior, rules: policy.Proof{SecondContact: after(3), Phone: after(5), Superior: after(7)},
		about: func(ctx context.Context, id envelope.ID) ([]statement.Entry, error) {
			return w.ledger.About(ctx, id, 0, 1000)
		}}
	w.Cases = f
	return box, known, f
}

// says puts a statement about acme into the ledger.
func (w *world) says(jti string, said statement.Statement) {
	w.t.Helper()
	set, err := w.signer.Sign(envelope.Draft{Issuer: self, Audience: acme, IssuedAt: w.now, JTI: jti, EventURI: said.Kind().URI(), Event: said,
		Subject: envelope.Subject{Format: "uri", URI: string(acme)}})
	w.must(err)
	_, err = w.ledger.Append(w.t.Context(), set)
	w.must(err)
}

func (w *world) basis() statement.Basis { return statement.Basis{Policy: "us-iaas-2024.4", Now: w.now} }

// warns opens a case against acme, and warns it.
func (w *world) warns(n int) (jti string) {
	w.t.Helper()
	finding, jti := fmt.Sprintf("finding-%d", n), fmt.Sprintf("warning-%d", n)
	w.says(finding, statement.FindingOpened{Basis: w.basis(), Finding: finding, Rule: "cip.missing", Severity: "serious", Since: w.now, Opened: w.now, Cure: "hand it in", Case: finding})
	w.says(jti, statement.WarningIssued{Basis: w.basis(), Case: finding, Findings: []string{finding}, CureBy: w.now.Add(14 * day), LimitAt: w.now.Add(30 * day),
		ToCure: []string{"hand it in"}, Dispute: "dispute it"})
	return jti
}

func (w *world) cures(n int) {
	w.t.Helper()
	finding := fmt.Sprintf("finding-%d", n)
	w.says("cured-"+finding, statement.FindingCured{Basis: w.basis(), Finding: finding, Rule: "cip.missing"})
}

// pass moves the clock, and does what a gateway does meanwhile.
func (w *world) pass(by time.Duration) {
	w.t.Helper()
	w.now = w.now.Add(by)
	w.must(w.Turn(w.t.Context()))
	w.must(w.MailDue(w.t.Context()))
}

// tookLater are the later channels of a notice with their states, in order.
func (w *world) tookLater(jti string) (all []string) {
	w.t.Helper()
	by, err := w.Channels(w.t.Context(), acme, []string{jti})
	w.must(err)
	for _, one := range by[jti].Later {
		text := string(one.Channel) + " " + string(one.State)
		if one.Why != "" {
			text += ": " + one.Why
		}
		all = append(all, text)
	}
	return all
}

func (w *world) later(jti string, want ...string) {
	w.t.Helper()
	if got := w.tookLater(jti); !slices.Equal(got, want) {
		w.t.Errorf("%s took %q, want %q", jti, got, want)
	}
}

func TestASilentResellersNoticeTakesEachChannelInOrderAndOnce(t *testing.T) {
	migrationstest.Each(t, func(t *testing.T, db *gorm.DB) {
		w := newWorld(t, db)
		box, _, _ := w.proves(above)
		jti := w.warns(1)
		w.pass(0)
		w.pass(time.Hour)
		first := []string{ana + ": 2 notices", kim + ": 2 notices"}
		w.demand(box, first...)
		w.later(jti, "second-contact due", "phone due", "superior due")
		w.pass(3*day - time.Hour - time.Second)
		w.demand(box, first...)
		w.pass(time.Second)
		w.demand(box, ana+": 2 notices", kim+": 2 notices", lex+": A warning was issued. It says what cures it, and by when")
		if text := box.letters[2].Text; !strings.Contains(text, "the second contact of\n"+string(acme)) || strings.Contains(text, lex) || tokenIn(t, box.letters[2]) == "" {
			t.Errorf("the second contact is told:\n%s", text)
		}
		w.pass(2 * day)
		w.pass(2 * day)
		for range 3 { // nothing twice
			w.pass(day)
		}
		want := []string{ana + ": 2 notices", kim + ": 2 notices", kim + ": Nothing proves that a reseller knows of a step. Somebody must call, and record it",
			lex + ": A warning was issued. It says what cures it, and by when"}
		w.demand(box, want...)
		w.later(jti, "second-contact taken", "phone taken", "superior taken")
		told, err := w.ledger.Entries(t.Context(), 0, 100, statement.KindSuperiorTold)
		w.must(err)
		if len(told) != 1 || told[0].About != acme || told[0].By != self {
			t.Fatalf("the ledger says of the superior: %+v", told)
		}
		said := told[0].Statement.(statement.SuperiorTold)
		if want := (statement.SuperiorTold{Superior: above, Notice: jti, Standing: "warned", StatedAt: epoch, NextAt: epoch.Add(14 * day)}); said != want {
			t.Errorf("the superior is told %+v, want %+v", said, want)
		}
		// The superior hears of that, the reseller does not; and of what the step rests on the superior hears nothing.
		if of := w.notices(notices.OfReseller(above)); len(of) != 1 || of[0].Kind != string(statement.KindSuperiorTold) {
			t.Errorf("the superior has %+v", of)
		}
		for _, one := range w.notices(toAcme) {
			if one.Kind == string(statement.KindSuperiorTold) {
				t.Error("the reseller is told what its superior is told")
			}
		}
	})
}

func TestTheSuperiorsAcknowledgementProvesNothingOfTheReseller(t *testing.T) {
	migrationstest.Each(t, func(t *testing.T, db *gorm.DB) {
		w := newWorld(t, db)
		w.proves(above)
		jti := w.warns(1)
		s := w.stream(notices.OfReseller(above), Wanted{Method: MethodPoll})
		w.pass(0)
		w.pass(7 * day)
		got := w.poll(notices.OfReseller(above), s.ID, Polling{MaxEvents: -1})
		if len(got.Sets) != 1 || got.Sets[0].JTI != notices.ToldID(acme, jti) {
			t.Fatalf("the superior polls %+v", got)
		}
		parsed, err := envelope.Parse(got.Sets[0].Token)
		w.must(err)
		claims, err := parsed.Claims()
		w.must(err)
		if !slices.Contains(claims.Audience, string(above)) || claims.Subject.URI != string(acme) {
			t.Errorf("it is told of %+v, for %v", claims.Subject, claims.Audience)
		}
		w.poll(notices.OfReseller(above), s.ID, Polling{Acknowledged: jtisOf(got)})
		w.pass(0)
		w.provedBy(jti)
		proofs := w.proofs()
		if len(proofs) != 1 || proofs[0].About != above {
			t.Errorf("proved %+v", proofs)
		}
		by, err := w.Channels(t.Context(), acme, []string{jti})
		w.must(err)
		last := by[jti].Later[2]
		if len(last.Ways) != 1 || last.Ways[0].State != Acknowledged || last.Ways[0].Contact != "" {
			t.Errorf("on the case the superior stands as %+v", last)
		}
	})
}

func TestAProofSparesTheChannelsThatFollow(t *testing.T) {
	migrationstest.Each(t, func(t *testing.T, db *gorm.DB) {
		w := newWorld(t, db)
		box, _, _ := w.proves(above)
		jti := w.warns(1)
		w.pass(0)
		w.pass(3 * day)
		box.subjects() // in order of whom they are to: the second contact's are the last
		token := tokenIn(t, box.letters[len(box.letters)-1])
		code := func() string {
			w.must(w.SendCode(t.Context(), token))
			return codeIn.FindStringSubmatch(box.letters[len(box.letters)-1].Text)[1]
		}
		session, err := w.Open(t.Context(), token, code())
		w.must(err)
		w.must(w.Acknowledge(t.Context(), token, session))
		for range 6 {
			w.pass(day)
		}
		w.later(jti, "second-contact taken", "phone spared: the notice was proved", "superior spared: the notice was proved")
		if got := w.notices(notices.OfReseller(above)); len(got) > 0 {
			t.Errorf("the superior is told all the same: %+v", got)
		}
		for _, proof := range w.proofs() {
			if said := proof.Statement.(statement.NoticeProved); said.Contact != toLex.ID() {
				t.Errorf("proved by %s, want the second contact", said.Contact)
			}
		}
	})
}

func TestACaseThatEndsSparesItsChannels(t *testing.T) {
	migrationstest.Each(t, func(t *testing.T, db *gorm.DB) {
		w := newWorld(t, db)
		box, _, _ := w.proves(above)
		jti := w.warns(1)
		w.pass(0)
		w.pass(day)
		w.cures(1)
		w.pass(0)
		w.pass(9 * day)
		const why = " spared: the step that was taken last is another one, or the case ended"
		w.later(jti, "second-contact"+why, "phone"+why, "superior"+why)
		for _, letter := range box.letters {
			if letter.To == lex {
				t.Errorf("the second contact is mailed %s", letter.Subject)
			}
		}
	})
}

func TestAfterAnOutageWhatIsLateGoesOutAtOnceInOrder(t *testing.T) {
	migrationstest.Each(t, func(t *testing.T, db *gorm.DB) {
		w := newWorld(t, db)
		box, known, _ := w.proves(above)
		known.second = nil
		jti := w.warns(1)
		w.now = w.now.Add(10 * day) // nobody addressed it
		w.pass(0)
		if got := w.tookLater(jti); len(got) != 3 || !strings.HasPrefix(got[0], "second-contact due: waits for a second contact") || got[1] != "phone taken" || got[2] != "superior taken" {
			t.Errorf("took %q", got)
		}
		known.second = []string{lex} // now somebody is named
		w.pass(time.Hour)
		w.later(jti, "second-contact taken", "phone taken", "superior taken")
		if got := w.notices(toLex); len(got) != 1 || len(got[0].Attempts) != 1 {
			t.Errorf("the second contact has %+v", got)
		}
		if len(box.letters) < 3 {
			t.Errorf("mailed %q", box.subjects())
		}
	})
}

func TestWithoutASuperiorOrAPolicyForItAChannelIsSpared(t *testing.T) {
	migrationstest.Each(t, func(t *testing.T, db *gorm.DB) {
		w := newWorld(t, db)
		_, _, f := w.proves("")
		f.rules.Phone = policy.Number{}
		jti := w.warns(1)
		w.pass(0)
		w.pass(8 * day)
		w.later(jti, "second-contact taken", "phone spared: the policy of the case takes no such channel", "superior spared: there is none: the provider itself is above this reseller")
		w.cures(1)
		f.rules = policy.Proof{}
		other := w.warns(2)
		w.pass(0)
		w.pass(8 * day)
		const none = " spared: the policy of the case takes no such channel"
		w.later(other, "second-contact"+none, "phone"+none, "superior"+none)
	})
}

func TestACallThatNobodyAnsweredSparesNothing(t *testing.T) {
	migrationstest.Each(t, func(t *testing.T, db *gorm.DB) {
		w := newWorld(t, db)
		w.proves(above)
		jti := w.warns(1)
		w.pass(0)
		w.pass(5 * day)
		w.says("call-1", statement.OfficerAction{Officer: statement.Officer{ID: "o", Name: "Kim"}, Action: "notice.recorded", Reason: "Nobody took the call.",
			On: statement.Target{Type: "notice", ID: jti}, Details: []statement.Field{{Name: "channel", Value: "call"}, {Name: "whom", Value: "the switchboard"},
				{Name: "at", Value: w.now.Format(time.RFC3339)}, {Name: "answered", Value: escalation.Unanswered}}})
		w.pass(2 * day)
		w.provedBy(jti)
		w.later(jti, "second-contact taken", "phone taken", "superior taken")
	})
}

func TestEachChannelIsTakenOnceWhereverTheProcessIsKilled(t *testing.T) {
	migrationstest.Each(t, func(t *testing.T, db *gorm.DB) {
		w := newWorld(t, db)
		box, known, f := w.proves(above)
		n := 0
		for after, died := 0, true; died; after += 2 {
			n++
			jti := w.warns(n)
			w.must(w.Turn(t.Context()))
			w.now = w.now.Add(8 * day)
			k := &killer{after: after}
			mortal := w.process(k.mortal(t, db), mortalLedger{w.ledger, k}, nil)
			mortal.Mail, mortal.People, mortal.Cases = box, known, f
			err := mortal.Turn(t.Context())
			if died = k.steps > after; err != nil && !errors.Is(err, errKilled) {
				t.Fatal(err)
			}
			w.now = w.now.Add(laterFailed)
			w.must(w.Turn(t.Context()))
			w.later(jti, "second-contact taken", "phone taken", "superior taken")
			w.cures(n)
		}
		told, err := w.ledger.Entries(t.Context(), 0, 1000, statement.KindSuperiorTold)
		w.must(err)
		called := 0
		for _, one := range w.notices(notices.OfOfficer(kim)) {
			if strings.HasPrefix(one.JTI, "phone ") {
				called++
			}
		}
		if n < 8 || len(told) != n || called != n || len(w.notices(toLex)) != n || len(w.notices(notices.OfReseller(above))) != n {
			t.Errorf("of %d warnings the superior was told in %d entries and %d notices, the officer called %d times, the second contact told %d times",
				n, len(told), len(w.notices(notices.OfReseller(above))), called, len(w.notices(toLex)))
		}
	})
}
