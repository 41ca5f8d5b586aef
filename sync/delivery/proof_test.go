package delivery

import (
	"errors"
	"testing"
	"time"

	"gorm.io/gorm"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/migrations/migrationstest"
)

// proofs are the proofs that the ledger holds, in order.
func (w *world) proofs() (all []statement.Entry) {
	w.t.Helper()
	all, err := w.ledger.Entries(w.t.Context(), 0, 1000, statement.KindNoticeProved)
	w.must(err)
	return all
}

func TestWhatAResellerAcknowledgesIsProvedOnceInTheLedger(t *testing.T) {
	migrationstest.Each(t, func(t *testing.T, db *gorm.DB) {
		w := newWorld(t, db)
		s, system := w.stream(toAcme, Wanted{Method: MethodPoll}), w.stream(billing, Wanted{Method: MethodPoll})
		w.states(2, acme)
		addressed := w.now
		w.now = w.now.Add(time.Minute)
		told := jtisOf(w.poll(toAcme, s.ID, Polling{MaxEvents: -1}))
		sent := w.now
		w.now = w.now.Add(time.Hour)
		w.poll(toAcme, s.ID, Polling{MaxEvents: 0, Acknowledged: told[:1]})
		w.poll(billing, system.ID, Polling{MaxEvents: 0, Acknowledged: told})
		proved := w.now
		w.must(w.Turn(t.Context()))
		w.now = w.now.Add(time.Hour)
		w.poll(toAcme, s.ID, Polling{MaxEvents: 0, Acknowledged: told[:1]}) // again
		w.must(w.Turn(t.Context()))
		got := w.proofs()
		want := statement.NoticeProved{Notice: told[0], Channel: statement.ChannelSETAcknowledged, AddressedAt: addressed, SentAt: sent, ProvedAt: proved}
		if len(got) != 1 || got[0].About != acme || got[0].By != self || got[0].Statement != want {
			t.Errorf("proved %+v, want %+v about %s", got, want, acme)
		}
		by, err := w.Proofs(t.Context(), acme, told)
		w.must(err)
		if len(by) != 1 || len(by[told[0]]) != 1 || by[told[0]][0] != (Proof{Channel: want.Channel, AddressedAt: addressed, SentAt: sent, ProvedAt: proved}) {
			t.Errorf("on the case %+v", by)
		}
	})
}

func TestACallThatAnOfficerRecordedIsShownAndNotStatedAgain(t *testing.T) {
	migrationstest.Each(t, func(t *testing.T, db *gorm.DB) {
		w := newWorld(t, db)
		w.states(1, acme)
		called := w.now.Add(time.Hour)
		w.now = w.now.Add(2 * time.Hour)
		set, err := w.signer.Sign(envelope.Draft{Issuer: self, Audience: self, IssuedAt: w.now, JTI: "call-1", EventURI: statement.KindOfficerAction.URI(),
			Subject: envelope.Subject{Format: "uri", URI: string(acme)},
			Event: statement.OfficerAction{Officer: statement.Officer{ID: "o", Name: "Kim"}, Action: "notice.recorded", Reason: "No answer by mail.",
				On:      statement.Target{Type: "notice", ID: "jti-1"},
				Details: []statement.Field{{Name: "channel", Value: "call"}, {Name: "whom", Value: "head of compliance"}, {Name: "at", Value: called.Format(time.RFC3339)}}}})
		w.must(err)
		_, err = w.ledger.Append(t.Context(), set)
		w.must(err)
		w.must(w.Turn(t.Context()))
		w.provedBy("jti-1", statement.ChannelCall)
		by, err := w.Channels(t.Context(), acme, []string{"jti-1"})
		w.must(err)
		if got := by["jti-1"].Proofs; len(got) != 1 || !got[0].ProvedAt.Equal(called) || !got[0].AddressedAt.Equal(epoch) {
			t.Errorf("on the case %+v", got)
		}
		if got := w.proofs(); len(got) > 0 {
			t.Errorf("it was stated again: %+v", got)
		}
	})
}

func TestAVerificationEventProvesNothing(t *testing.T) {
	migrationstest.Each(t, func(t *testing.T, db *gorm.DB) {
		w := newWorld(t, db)
		s := w.stream(toAcme, Wanted{Method: MethodPoll})
		w.must(w.Verify(t.Context(), toAcme, s.ID, "x"))
		w.poll(toAcme, s.ID, Polling{MaxEvents: -1, Acknowledged: jtisOf(w.poll(toAcme, s.ID, Polling{MaxEvents: -1}))})
		w.must(w.Turn(t.Context()))
		if got := w.proofs(); len(got) > 0 {
			t.Errorf("proved %+v", got)
		}
	})
}

func TestAProofIsRecordedOnceWhereverTheProcessIsKilled(t *testing.T) {
	migrationstest.Each(t, func(t *testing.T, db *gorm.DB) {
		w := newWorld(t, db)
		s := w.stream(toAcme, Wanted{Method: MethodPoll})
		stated := map[string]bool{}
		for after, died := 0, true; died; after++ {
			w.states(1, acme)
			w.now = w.now.Add(time.Second)
			told := jtisOf(w.poll(toAcme, s.ID, Polling{MaxEvents: -1}))
			w.poll(toAcme, s.ID, Polling{MaxEvents: 0, Acknowledged: told})
			for _, jti := range told {
				stated[jti] = true
			}
			k := &killer{after: after}
			log := mortalLedger{w.ledger, k}
			err := w.process(k.mortal(t, db), log, nil).record(t.Context())
			if died = err != nil; died && !errors.Is(err, errKilled) {
				t.Fatal(err)
			}
			w.must(w.record(t.Context()))
		}
		seen := map[string]bool{}
		for _, entry := range w.proofs() {
			notice := entry.Statement.(statement.NoticeProved).Notice
			if seen[notice] || !stated[notice] {
				t.Errorf("%s proved twice, or never acknowledged", notice)
			}
			seen[notice] = true
		}
		if len(seen) != len(stated) || len(stated) < 4 {
			t.Errorf("%d proved, %d acknowledged", len(seen), len(stated))
		}
	})
}

// provedBy demands the channels that prove a notice, in the order of time.
func (w *world) provedBy(jti string, want ...string) {
	w.t.Helper()
	by, err := w.Proofs(w.t.Context(), acme, []string{jti})
	w.must(err)
	var got []string
	for _, proof := range by[jti] {
		got = append(got, proof.Channel)
	}
	if len(got) != len(want) {
		w.t.Errorf("%s is proved by %v, want %v", jti, got, want)
		return
	}
	for i := range got {
		if got[i] != want[i] {
			w.t.Errorf("%s is proved by %v, want %v", jti, got, want)
		}
	}
}
