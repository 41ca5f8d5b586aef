package delivery

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"gorm.io/gorm"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/migrations/migrationstest"
	"github.com/cipgate/cipgate/sync/outbound"
)

func keySet(signer envelope.Signer) jose.JSONWebKeySet {
	return jose.JSONWebKeySet{Keys: []jose.JSONWebKey{signer.Public()}}
}

func TestAPushBringsTheLedgersOwnTokensInOrder(t *testing.T) {
	migrationstest.Each(t, func(t *testing.T, db *gorm.DB) {
		w := newWorld(t, db)
		r := newReceiver(t)
		wanted := r.wanted()
		wanted.Authorization = "Bearer of-their-choice"
		s := w.stream(toAcme, wanted)
		tokens := w.states(3, acme)
		w.must(w.Push(t.Context()))
		tokens = append(tokens, w.states(2, acme)...)
		w.must(w.Push(t.Context()))
		if !slices.Equal(r.tokens(), tokens) {
			t.Errorf("it got %d tokens, not those of the ledger in order", len(r.tokens()))
		}
		if slices.ContainsFunc(r.shown, func(shown string) bool { return shown != wanted.Authorization }) {
			t.Errorf("it was shown %q", r.shown)
		}
		for _, notice := range w.notices(toAcme) {
			if notice.State != Acknowledged || notice.Tries != 1 || len(notice.Attempts) != 1 || notice.Attempts[0].Status != http.StatusAccepted || notice.Attempts[0].Method != push {
				t.Errorf("%+v", notice)
			}
		}
		row, err := w.row(t.Context(), toAcme, s.ID)
		if err != nil || len(row.AuthorizationSealed) == 0 || strings.Contains(fmt.Sprint(string(row.AuthorizationSealed), row), "of-their-choice") {
			t.Errorf("the secret is kept as %+v, %v", row, err)
		}
		// Another address is not shown what the first was to be shown.
		elsewhere := newReceiver(t)
		if _, err := w.Configure(t.Context(), toAcme, s.ID, func(before Wanted) (Wanted, bool) { before.Endpoint = elsewhere.URL; return before, true }); err != nil {
			t.Fatal(err)
		}
		w.states(1, acme)
		w.must(w.Push(t.Context()))
		if !slices.Equal(elsewhere.shown, []string{""}) {
			t.Errorf("the other was shown %q", elsewhere.shown)
		}
	})
}

func TestAPushThatFailsIsTriedLaterAndTheNextWaitForIt(t *testing.T) {
	migrationstest.Each(t, func(t *testing.T, db *gorm.DB) {
		w := newWorld(t, db)
		r := newReceiver(t)
		r.answers(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "3600")
			w.WriteHeader(http.StatusServiceUnavailable)
		})
		w.stream(toAcme, r.wanted())
		tokens := w.states(2, acme)
		for _, c := range []struct {
			after time.Duration
			got   int
		}{{0, 1}, {0, 1}, {time.Hour - time.Microsecond, 1}, {time.Microsecond, 2}} {
			w.now = w.now.Add(c.after)
			w.must(w.Push(t.Context()))
			if got := r.tokens(); len(got) != c.got || got[0] != tokens[0] || got[len(got)-1] != tokens[0] {
				t.Errorf("at %s it got %d pushes, want %d of the first", w.now, len(got), c.got)
			}
		}
		if first := w.notices(toAcme)[0]; first.Tries != 2 || first.Attempts[0].Status != http.StatusServiceUnavailable || first.Attempts[0].Problem != "wanted status 202, got 503" {
			t.Errorf("%+v", first)
		}
		// Without a word from the receiver the wait doubles, and an officer need not wait.
		r.answers(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) })
		w.now = w.now.Add(time.Hour)
		w.must(w.Push(t.Context()))
		w.now = w.now.Add(39 * time.Second)
		w.must(w.Push(t.Context()))
		if got := len(r.tokens()); got != 3 {
			t.Errorf("it got %d pushes", got)
		}
		r.answers(nil)
		if _, err := w.Retry(t.Context(), toAcme, 1); err != nil {
			t.Fatal(err)
		}
		w.must(w.Push(t.Context()))
		w.are(toAcme, Acknowledged, Acknowledged)
		if got := r.tokens(); !slices.Equal(got[3:], tokens) {
			t.Errorf("at last it got %d", len(got))
		}
	})
}

func TestWhatAReceiverCannotTakeIsParkedAndTheNextGoesOn(t *testing.T) {
	migrationstest.Each(t, func(t *testing.T, db *gorm.DB) {
		w := newWorld(t, db)
		r := newReceiver(t)
		r.answers(func(w http.ResponseWriter, _ *http.Request) {
			r.answers(nil)
			w.WriteHeader(http.StatusBadRequest)
			_, _ = w.Write([]byte(`{"err":"invalid_request","description":"unknown event"}`))
		})
		w.stream(toAcme, r.wanted())
		w.states(2, acme)
		w.must(w.Push(t.Context()))
		w.are(toAcme, Parked, Acknowledged)
		if first := w.notices(toAcme)[0]; first.Err != "invalid_request" || first.Description != "unknown event" || first.Attempts[0].Problem != "invalid_request: unknown event" {
			t.Errorf("%+v", first)
		}
	})
}

func TestADeadReceiverSlowsNobody(t *testing.T) {
	migrationstest.Each(t, func(t *testing.T, db *gorm.DB) {
		w := newWorld(t, db)
		held := make(chan struct{})
		dead, alive := newReceiver(t), newReceiver(t)
		dead.received, alive.received = make(chan string, 10), make(chan string, 100)
		dead.answers(func(http.ResponseWriter, *http.Request) { <-held })
		w.stream(toAcme, dead.wanted())
		w.stream(toOther, alive.wanted())
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			w.Run(ctx)
		}()
		w.states(1, acme)
		<-dead.received // it hangs, and everything below happens meanwhile
		for range 20 {
			for _, want := range w.states(1, other) {
				if got := <-alive.received; got != want {
					t.Error("the living got another token")
				}
			}
		}
		stop()
		close(held)
		<-ended // it waits for what it began
		if first := w.notices(toAcme)[0]; first.State != Waiting {
			t.Errorf("nobody answered, and it is %s", first.State)
		}
	})
}

func TestAProcessKilledWhilePushingLeavesNothingUnsentAndNothingOutOfOrder(t *testing.T) {
	migrationstest.Each(t, func(t *testing.T, db *gorm.DB) {
		w := newWorld(t, db)
		r := newReceiver(t)
		w.stream(toAcme, r.wanted())
		sender := outbound.New(true)
		t.Cleanup(sender.Close)
		var tokens []string
		for after, died := 0, true; died; after++ {
			tokens = append(tokens, w.states(2, acme)...)
			k := &killer{after: after}
			died = w.process(k.mortal(t, db), w.ledger, mortalSender{sender, k}).Push(t.Context()) != nil || k.steps > after
			w.now = w.now.Add(leaseTime) // the lease of the dead runs out
		}
		w.now = w.now.Add(time.Hour)
		w.must(w.Push(t.Context()))
		for _, notice := range w.notices(toAcme) {
			if notice.State != Acknowledged {
				t.Errorf("notice %d is %s", notice.Sequence, notice.State)
			}
		}
		got := r.tokens()
		repeated := len(got) - len(tokens)
		if got = slices.Compact(got); !slices.Equal(got, tokens) {
			t.Errorf("it got %d tokens, want %d in order and each again only at once", len(got), len(tokens))
		}
		if repeated == 0 || len(tokens) < 20 {
			t.Errorf("%d were sent twice, of %d: nobody was killed between sending and keeping", repeated, len(tokens))
		}
	})
}

func TestALeaseKeepsOthersAway(t *testing.T) {
	migrationstest.Each(t, func(t *testing.T, db *gorm.DB) {
		w := newWorld(t, db)
		r := newReceiver(t)
		s := w.stream(toAcme, r.wanted())
		w.states(1, acme)
		claimed, err := w.claim(t.Context(), pool{}, 10)
		if err != nil || len(claimed) != 1 {
			t.Fatalf("claimed %d, %v", len(claimed), err)
		}
		if again, err := w.claim(t.Context(), pool{}, 10); err != nil || len(again) > 0 {
			t.Errorf("claimed by another: %d, %v", len(again), err)
		}
		w.now = w.now.Add(leaseTime)
		second, err := w.claim(t.Context(), pool{}, 10)
		if err != nil || len(second) != 1 {
			t.Fatalf("when the lease ran out: %d, %v", len(second), err)
		}
		w.turnOf(w.Delivery, claimed[0]) // who lost it sends nothing
		if len(r.tokens()) > 0 {
			t.Error("who lost the lease sent something")
		}
		if _, err := w.SetStatus(t.Context(), toAcme, s.ID, StatusPaused, ""); err != nil {
			t.Fatal(err)
		}
		w.turnOf(w.Delivery, second[0])
		if len(r.tokens()) > 0 {
			t.Error("a paused stream was pushed")
		}
	})
}

func TestAStreamThatCannotBeIsRefusedWithWordsThatSayWhy(t *testing.T) {
	w := newWorld(t, migrationstest.Open(t, migrationstest.URL(t, "sqlite")))
	long := strings.Repeat("x", 5000)
	for _, c := range []struct {
		wanted Wanted
		says   string
	}{
		{Wanted{}, "delivery.method: wanted urn:ietf:rfc:8935 or urn:ietf:rfc:8936"},
		{Wanted{Method: MethodPoll, Endpoint: "https://r.example"}, "the gateway says where to poll"},
		{Wanted{Method: MethodPush}, "delivery.endpoint_url"},
		{Wanted{Method: MethodPush, Endpoint: "http://r.example/"}, "wanted https, got http"},
		{Wanted{Method: MethodPush, Endpoint: "https://r.example/", Authorization: "x\r\nHost: y"}, "authorization_header"},
		{Wanted{Method: MethodPush, Endpoint: "https://r.example/", Authorization: long}, "authorization_header"},
		{Wanted{Method: MethodPoll, Description: long}, "description"},
		{Wanted{Method: MethodPoll, EventsRequested: []string{long}}, "events_requested"},
	} {
		if _, err := w.Create(t.Context(), toAcme, "", c.wanted); err == nil || !strings.Contains(err.Error(), c.says) || strings.Contains(err.Error(), "Host: y") {
			t.Errorf("wanted %q, got %v", c.says, err)
		}
	}
	w.stream(toAcme, pollWanted)
	if _, err := w.Create(t.Context(), toAcme, "", pollWanted); err == nil || !strings.Contains(err.Error(), "has a stream already") {
		t.Errorf("a second: %v", err)
	}
}

// Everything that is done to one stream at once: on PostgreSQL two that took their rows in different orders would block each other.
func TestNobodyBlocksAnother(t *testing.T) {
	migrationstest.Each(t, func(t *testing.T, db *gorm.DB) {
		w := newWorld(t, db)
		r := newReceiver(t)
		s := w.stream(toAcme, r.wanted())
		ctx, stop := context.WithCancel(t.Context())
		var running, done sync.WaitGroup
		running.Go(func() { w.Run(ctx) })
		for range 20 {
			w.state(statement.KindStandingChanged, acme)
			for _, act := range []func() error{
				func() error { return w.Turn(t.Context()) },
				func() error { return w.process(db, w.ledger, w.Sender).Turn(t.Context()) },
				func() error { _, err := w.Retry(t.Context(), toAcme, 1); return err },
				func() error {
					err := w.Verify(t.Context(), toAcme, s.ID, "")
					if errors.Is(err, ErrTooSoon) || errors.Is(err, ErrNoStream) {
						return nil
					}
					return err
				},
				func() error {
					err := w.Delete(t.Context(), toAcme, s.ID)
					if errors.Is(err, ErrNoStream) {
						return nil
					}
					return err
				},
			} {
				done.Go(func() {
					if err := act(); err != nil && !errors.Is(err, ErrNoNotice) {
						t.Error(err)
					}
				})
			}
			done.Wait()
			if list, err := w.Streams(t.Context(), toAcme); err != nil {
				t.Fatal(err)
			} else if len(list) == 0 {
				s = w.stream(toAcme, r.wanted())
			}
		}
		stop()
		running.Wait()
	})
}

func TestRetryAfterIsReadInSecondsOrAsADate(t *testing.T) {
	for header, want := range map[string]time.Duration{
		"120": 2 * time.Minute, " 120 ": 2 * time.Minute, epoch.Add(time.Hour).UTC().Format(http.TimeFormat): time.Hour,
		epoch.Add(-time.Hour).UTC().Format(http.TimeFormat): 0, "": 0, "-5": 0, "soon": 0, "1.5": 0, "99999999999999999999": 0,
	} {
		if got := retryAfter(header, epoch); got != want {
			t.Errorf("%q is %s, want %s", header, got, want)
		}
	}
}
