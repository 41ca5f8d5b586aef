package delivery

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"gorm.io/gorm"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/migrations/migrationstest"
	"github.com/cipgate/cipgate/sync/notices"
	"github.com/cipgate/cipgate/sync/outbound"
)

// hangingSender is a way out to receivers of which the dead take a connection and never answer.
type hangingSender struct {
	Sender
	reached chan string // told of each push to a dead one
}

const dead = "https://dead.example/"

func (h hangingSender) Check(string) error { return nil }

func (h hangingSender) Do(ctx context.Context, asked outbound.Request) (outbound.Answer, error) {
	if !strings.HasPrefix(asked.URL, dead) {
		return h.Sender.Do(ctx, asked)
	}
	h.reached <- asked.URL
	<-ctx.Done()
	return outbound.Answer{}, outbound.ErrUnreachable
}

func TestHoweverManyReceiversDoNotAnswerThoseThatDoWaitForNone(t *testing.T) {
	const many = 200
	migrationstest.Each(t, func(t *testing.T, db *gorm.DB) {
		w := newWorld(t, db)
		hanging, alive := hangingSender{w.Sender, make(chan string, many)}, newReceiver(t)
		w.Delivery = w.process(db, w.ledger, hanging)
		alive.received = make(chan string, 100)
		w.stream(toOther, alive.wanted())
		w.states(1, other)
		w.must(w.Push(t.Context()))
		<-alive.received
		for n := range many {
			one := envelope.Entity(fmt.Sprintf("https://provider.example/e/dead-%d", n))
			w.stream(notices.OfReseller(one), Wanted{Method: MethodPush, Endpoint: dead + fmt.Sprint(n)})
			w.state(statement.KindStandingChanged, one)
		}
		w.must(w.Turn(t.Context()))
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			w.Run(ctx)
		}()
		for range unprovenAtOnce { // all the places that they may take, for as long as this test wants; everything below happens meanwhile
			<-hanging.reached
		}
		for range 10 {
			for _, want := range w.states(1, other) {
				select {
				case got := <-alive.received:
					if got != want {
						t.Error("the living got another token")
					}
				case <-hanging.reached:
					t.Error("a dead one took a place of the living")
				}
			}
		}
		stop()
		<-ended
	})
}

func TestAReceiverTakesItsPlaceByWhetherItTookWhatItWasSent(t *testing.T) {
	migrationstest.Each(t, func(t *testing.T, db *gorm.DB) {
		w := newWorld(t, db)
		r := newReceiver(t)
		s := w.stream(toAcme, r.wanted())
		is := func(when string, proven bool) {
			t.Helper()
			row, err := w.row(t.Context(), toAcme, s.ID)
			w.must(err)
			if row.Proven != proven {
				t.Errorf("%s: proven is %t", when, row.Proven)
			}
		}
		is("a new one", false)
		w.states(2, acme)
		w.must(w.Push(t.Context()))
		is("one that took what it was sent", true)
		r.answers(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) })
		w.states(1, acme)
		w.must(w.Push(t.Context()))
		is("one that did not", false)
		// A receiver that changes its stream is tried at once, and has proved nothing by that.
		if _, err := w.Configure(t.Context(), toAcme, s.ID, func(before Wanted) (Wanted, bool) { return before, true }); err != nil {
			t.Fatal(err)
		}
		is("one that was changed", false)
		r.answers(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusBadRequest)
			_, _ = w.Write([]byte(`{"err":"invalid_request","description":"unknown event"}`))
		})
		w.must(w.Push(t.Context()))
		is("one that says that it cannot take it, for it answers", true)
		w.are(toAcme, Acknowledged, Acknowledged, Parked)
		// Of those that have proved nothing the one that failed less often comes first.
		for n, tries := range map[string]int{"often": 9, "once": 1, "new": 0} {
			one := envelope.Entity("https://provider.example/e/" + n)
			s := w.stream(notices.OfReseller(one), r.wanted())
			w.must(w.DB.Model(&streamRow{}).Where("id = ?", s.ID).Update("tries", tries).Error)
		}
		claimed, err := w.claim(t.Context(), pool{}, 10)
		w.must(err)
		if len(claimed) != 3 || !slices.IsSortedFunc(claimed, func(a, b streamRow) int { return a.Tries - b.Tries }) {
			t.Errorf("claimed %+v", claimed)
		}
	})
}

func TestAReceiverWithMuchToTakeGivesItsPlaceToOthersThatAreDue(t *testing.T) {
	migrationstest.Each(t, func(t *testing.T, db *gorm.DB) {
		w := newWorld(t, db)
		slow, quick := newReceiver(t), newReceiver(t)
		w.stream(toAcme, slow.wanted())
		w.stream(toOther, quick.wanted())
		w.states(1, acme)
		w.states(1, other)
		w.must(w.Push(t.Context()))
		tokens := w.states(6, acme)
		var passed atomic.Int64 // each push of the slow one takes half a turn
		d := w.process(db, w.ledger, w.Sender)
		d.Now = func() time.Time { return w.now.Add(time.Duration(passed.Load())) }
		slow.answers(func(w http.ResponseWriter, _ *http.Request) {
			passed.Add(int64(turnTime / 2))
			w.WriteHeader(http.StatusAccepted)
		})
		claim := func() streamRow {
			t.Helper()
			claimed, err := d.claim(t.Context(), pool{proven: true}, 1)
			w.must(err)
			if len(claimed) != 1 {
				t.Fatal("nobody is due")
			}
			return claimed[0]
		}
		first := claim()
		w.states(1, other)
		w.turnOf(d, first)
		if got := len(slow.tokens()) - 1; first.Audience != string(toAcme) || got != 2 {
			t.Fatalf("in its turn %s got %d", first.Audience, got)
		}
		if next := claim(); next.Audience != string(toOther) {
			t.Errorf("then came %s", next.Audience)
		} else {
			w.turnOf(d, next)
		}
		for range 2 {
			w.turnOf(d, claim())
		}
		if got := slow.tokens()[1:]; !slices.Equal(got, tokens) || len(quick.tokens()) != 2 {
			t.Errorf("in three turns the slow one got %d in another order, and the other %d", len(got), len(quick.tokens()))
		}
	})
}

// A new receiver begins in the places of those of whom nobody knows whether they answer. Once it did, it goes on in the others', in order.
func TestANewReceiverThatAnswersGoesOnInThePlacesOfThoseThatDo(t *testing.T) {
	migrationstest.Each(t, func(t *testing.T, db *gorm.DB) {
		w := newWorld(t, db)
		r := newReceiver(t)
		w.stream(toAcme, r.wanted())
		tokens := w.states(3*readAhead, acme)
		w.now = w.now.Add(time.Hour)
		claimed, err := w.claim(t.Context(), pool{}, 1)
		if err != nil || len(claimed) != 1 || !w.pushing.begin(claimed[0].ID, 1) {
			t.Fatalf("%d, %v", len(claimed), err)
		}
		// Somebody waits with a free place.
		given := make(chan streamRow)
		go func() { given <- <-w.provenNow }()
		handed := false
		for range 100 { // until it waits indeed
			if handed, err = w.pushAll(t.Context(), claimed[0]); handed || err != nil || len(r.tokens()) == len(tokens) {
				break
			}
		}
		if err != nil || !handed {
			t.Fatalf("it was not given on after %d, %v", len(r.tokens()), err)
		}
		now := <-given
		if got := len(r.tokens()); !now.Proven || now.Lease != claimed[0].Lease || got == 0 || got == len(tokens) {
			t.Errorf("it was given on after %d: %+v", got, now)
		}
		w.turnOf(w.Delivery, now)
		if got := r.tokens(); !slices.Equal(got, tokens) {
			t.Errorf("it got %d of %d in order", len(got), len(tokens))
		}
		// Another process has places for it too: nobody holds it any more.
		w.states(1, acme)
		if claimed, err = w.claim(t.Context(), pool{proven: true}, 1); err != nil || len(claimed) != 1 {
			t.Errorf("%d streams are due, %v", len(claimed), err)
		}
	})
}

// A pusher gives its stream back a moment before it ends. Who takes the stream in this moment must not keep it from everybody.
func TestAStreamThatIsTakenWhileItsPusherEndsIsDueAtOnceAfterwards(t *testing.T) {
	migrationstest.Each(t, func(t *testing.T, db *gorm.DB) {
		w := newWorld(t, db)
		s := w.stream(toAcme, newReceiver(t).wanted())
		w.states(1, acme)
		w.must(w.Turn(t.Context()))
		if !w.pushing.begin(s.ID, 1) {
			t.Fatal("somebody pushes it")
		}
		unproven := pools[1]
		if taken, err := w.toPush(t.Context(), unproven, 10); err != nil || len(taken) != 0 {
			t.Errorf("took %v, %v, of which its pusher is still here", taken, err)
		}
		w.pushing.end(s.ID)
		if taken, err := w.toPush(t.Context(), unproven, 10); err != nil || len(taken) != 1 || taken[0].ID != s.ID {
			t.Errorf("took %v, %v once its pusher had ended, before any lease ran out", taken, err)
		}
	})
}
