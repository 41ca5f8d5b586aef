package delivery

import (
	"errors"
	"slices"
	"testing"
	"time"

	"gorm.io/gorm"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/migrations/migrationstest"
)

var pollWanted = Wanted{Method: MethodPoll}

func TestAPollHandsOutUntilItIsAcknowledged(t *testing.T) {
	migrationstest.Each(t, func(t *testing.T, db *gorm.DB) {
		w := newWorld(t, db)
		tokens := w.states(5, acme) // before there is a stream: nothing is lost
		w.states(1, other)
		s := w.stream(toAcme, pollWanted)
		first := w.poll(toAcme, s.ID, Polling{MaxEvents: 2})
		if !slices.Equal(tokensOf(first), tokens[:2]) || !first.More || first.Sets[1].Sequence != 2 {
			t.Fatalf("first: %+v", first)
		}
		if again := w.poll(toAcme, s.ID, Polling{MaxEvents: 2}); !slices.Equal(tokensOf(again), tokens[:2]) {
			t.Errorf("not acknowledged, it is not handed out again: %v", jtisOf(again))
		}
		none := w.poll(toAcme, s.ID, Polling{MaxEvents: 0, Acknowledged: jtisOf(first)})
		if len(none.Sets) > 0 {
			t.Errorf("it asked for none: %v", jtisOf(none))
		}
		w.are(toAcme, Acknowledged, Acknowledged, Waiting, Waiting, Waiting)
		// One that it cannot take is set aside and shown, and does not keep the others.
		rest := w.poll(toAcme, s.ID, Polling{MaxEvents: -1, Faults: map[string]Fault{"jti-3": {"invalid_key", "no such\nkey"}}})
		if !slices.Equal(tokensOf(rest), tokens[3:]) || rest.More {
			t.Errorf("the rest: %v", jtisOf(rest))
		}
		parked := w.notices(toAcme)[2]
		if parked.State != Parked || parked.Err != "invalid_key" || parked.Description != "no such key" {
			t.Errorf("parked: %+v", parked)
		}
		// What nobody ever sent is no error, and what was acknowledged stays so.
		w.poll(toAcme, s.ID, Polling{MaxEvents: 0, Acknowledged: []string{"unknown", "jti-4", "jti-5"}, Faults: map[string]Fault{"jti-1": {"access_denied", ""}}})
		w.are(toAcme, Acknowledged, Acknowledged, Parked, Acknowledged, Acknowledged)
		w.are(toOther, Waiting)
		if list := w.notices(toAcme); list[0].Tries != 2 || len(list[0].Attempts) != 2 || list[3].Tries != 1 || list[3].AcknowledgedAt != epoch {
			t.Errorf("what was tried: %+v", list)
		}
		// An officer has it tried again.
		if got, err := w.Retry(t.Context(), toAcme, 3); err != nil || got.State != Waiting || got.Err != "" {
			t.Errorf("retried: %+v, %v", got, err)
		}
		if got := w.poll(toAcme, s.ID, Polling{MaxEvents: -1}); !slices.Equal(tokensOf(got), tokens[2:3]) {
			t.Errorf("after the retry: %v", jtisOf(got))
		}
		if _, err := w.Retry(t.Context(), toAcme, 99); !errors.Is(err, ErrNoNotice) {
			t.Errorf("a notice that is none: %v", err)
		}
		if got, err := w.Retry(t.Context(), toAcme, 1); err != nil || got.State != Acknowledged {
			t.Errorf("one that it has: %+v, %v", got, err)
		}
	})
}

func TestALongPollIsAnsweredWhenSomethingComes(t *testing.T) {
	migrationstest.Each(t, func(t *testing.T, db *gorm.DB) {
		w := newWorld(t, db)
		s := w.stream(toAcme, pollWanted)
		answered := make(chan Polled)
		closing := make(chan struct{})
		wait := func() {
			got, err := w.Poll(t.Context(), toAcme, s.ID, Polling{MaxEvents: -1}, closing)
			if err != nil {
				t.Error(err)
			}
			answered <- got
		}
		go wait()
		tokens := w.states(1, acme)
		got := <-answered
		for range maxPolls { // others wait already: it is answered at once
			if !w.polling.begin(s.ID, maxPolls) {
				t.Error("a poll that was answered keeps its place")
			}
		}
		if _, err := w.Poll(t.Context(), toOther, s.ID, Polling{}, nil); !errors.Is(err, ErrNoStream) {
			t.Errorf("another's stream: %v", err)
		}
		full := w.stream(toOther, pollWanted)
		for range maxPolls {
			w.polling.begin(full.ID, maxPolls)
		}
		if got, err := w.Poll(t.Context(), toOther, full.ID, Polling{MaxEvents: -1}, nil); err != nil || len(got.Sets) > 0 {
			t.Errorf("one too many: %v, %v", jtisOf(got), err)
		}
		for range maxPolls {
			w.polling.end(s.ID)
		}
		if !slices.Equal(tokensOf(got), tokens) {
			t.Errorf("it was answered with %v", jtisOf(got))
		}
		w.poll(toAcme, s.ID, Polling{MaxEvents: 0, Acknowledged: jtisOf(got)})
		go wait()
		close(closing) // the gateway stops: nobody keeps it waiting
		if got := <-answered; len(got.Sets) > 0 {
			t.Errorf("stopping, it was answered with %v", jtisOf(got))
		}
	})
}

func TestAPausedStreamKeepsEverything(t *testing.T) {
	migrationstest.Each(t, func(t *testing.T, db *gorm.DB) {
		w := newWorld(t, db)
		polled := w.stream(toAcme, pollWanted)
		r := newReceiver(t)
		pushed := w.stream(toOther, r.wanted())
		for _, one := range []Stream{polled, pushed} {
			got, err := w.SetStatus(t.Context(), one.Audience, one.ID, StatusPaused, "maintenance")
			if err != nil || got.Status != StatusPaused || got.Reason != "maintenance" {
				t.Fatalf("paused: %+v, %v", got, err)
			}
			if _, err := w.SetStatus(t.Context(), one.Audience, one.ID, statusDisabled, ""); !errors.Is(err, ErrMandatory) {
				t.Errorf("disabled: %v", err)
			}
		}
		first, second := w.states(3, acme), w.states(3, other)
		w.must(w.Push(t.Context()))
		if got := w.poll(toAcme, polled.ID, Polling{MaxEvents: -1}); len(got.Sets) > 0 || len(r.tokens()) > 0 {
			t.Errorf("paused, they got %d and %d", len(got.Sets), len(r.tokens()))
		}
		for _, one := range []Stream{polled, pushed} {
			if _, err := w.SetStatus(t.Context(), one.Audience, one.ID, StatusEnabled, ""); err != nil {
				t.Fatal(err)
			}
		}
		w.must(w.Push(t.Context()))
		if got := w.poll(toAcme, polled.ID, Polling{MaxEvents: -1}); !slices.Equal(tokensOf(got), first) || !slices.Equal(r.tokens(), second) {
			t.Errorf("resumed, they got %v and %d", jtisOf(got), len(r.tokens()))
		}
	})
}

func TestASystemOfTheProviderHearsEverythingInItsOwnName(t *testing.T) {
	migrationstest.Each(t, func(t *testing.T, db *gorm.DB) {
		w := newWorld(t, db)
		w.states(1, acme) // before it has a stream
		s := w.stream(billing, pollWanted)
		original := w.state(statement.KindClosureOrdered, acme)
		own := w.state(statement.KindPolicyActivated, self)
		w.state(statement.KindStandingChanged, other)
		w.must(w.Turn(t.Context()))
		w.must(w.RemoveSubject(t.Context(), billing, s.ID, string(other)))
		got := w.poll(billing, s.ID, Polling{MaxEvents: -1})
		if len(got.Sets) != 2 || string(got.Sets[1].Token) != own {
			t.Fatalf("got %v", jtisOf(got))
		}
		// What is meant for the reseller is stated again for the system, and says which entry of the log it is.
		parsed, err := envelope.Parse(got.Sets[0].Token)
		w.must(err)
		keys, err := envelope.NewKeys(keySet(w.signer))
		w.must(err)
		set, err := parsed.Verify(keys, envelope.Terms{Audience: self, Now: w.now})
		w.must(err)
		first, err := envelope.Parse([]byte(original))
		w.must(err)
		claims, err := first.Claims()
		w.must(err)
		if again := set.Claims(); again.JTI != claims.JTI || string(again.Event) != string(claims.Event) || again.Subject != claims.Subject ||
			!again.IssuedAt.Equal(claims.IssuedAt) || again.Txn != envelope.DigestOf([]byte(original)).String() {
			t.Errorf("stated again as %+v, was %+v", again, claims)
		}
		w.must(w.AddSubject(t.Context(), billing, s.ID, string(other)))
		if got := w.poll(billing, s.ID, Polling{MaxEvents: -1}); len(got.Sets) != 3 {
			t.Errorf("with the subject again: %v", jtisOf(got))
		}
		if _, err := w.SetStatus(t.Context(), billing, s.ID, statusDisabled, ""); err != nil {
			t.Fatal(err)
		}
		w.states(1, acme)
		if got := len(w.notices(billing)); got != 3 {
			t.Errorf("disabled, it was told more: %d", got)
		}
		w.must(w.Delete(t.Context(), billing, s.ID))
		w.are(billing, Dropped, Dropped, Dropped)
	})
}

func TestAVerificationComesBackWithItsStateAndNotTooOften(t *testing.T) {
	migrationstest.Each(t, func(t *testing.T, db *gorm.DB) {
		w := newWorld(t, db)
		s := w.stream(toAcme, Wanted{Method: MethodPoll, EventsRequested: []string{"urn:example:none-of-ours"}})
		w.states(1, acme) // not requested, so it waits, and holds nothing up
		w.must(w.Verify(t.Context(), toAcme, s.ID, "opaque state"))
		got := w.poll(toAcme, s.ID, Polling{MaxEvents: -1})
		if len(got.Sets) != 1 || len(s.Delivered) > 0 {
			t.Fatalf("got %d, delivers %v", len(got.Sets), s.Delivered)
		}
		parsed, err := envelope.Parse(got.Sets[0].Token)
		w.must(err)
		claims, err := parsed.Claims()
		w.must(err)
		if claims.EventURI != VerificationURI || string(claims.Event) != `{"state":"opaque state"}` || claims.Subject != (envelope.Subject{Format: "opaque", ID: s.ID}) ||
			!slices.Equal(claims.Audience, []string{string(acme)}) {
			t.Errorf("got %+v", claims)
		}
		w.now = w.now.Add(MinVerificationInterval - time.Microsecond)
		if err := w.Verify(t.Context(), toAcme, s.ID, ""); !errors.Is(err, ErrTooSoon) {
			t.Errorf("too soon: %v", err)
		}
		w.now = w.now.Add(time.Microsecond)
		w.must(w.Verify(t.Context(), toAcme, s.ID, ""))
		w.are(toAcme, Waiting, Waiting, Waiting)
		if _, err := w.Configure(t.Context(), toAcme, s.ID, func(before Wanted) (Wanted, bool) { before.EventsRequested = nil; return before, true }); err != nil {
			t.Fatal(err)
		}
		if got := w.poll(toAcme, s.ID, Polling{MaxEvents: -1}); len(got.Sets) != 3 {
			t.Errorf("everything requested, it gets %d", len(got.Sets))
		}
	})
}
