package delivery

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"gorm.io/gorm"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/ledger"
	"github.com/cipgate/cipgate/attestations/ledger/ledgertest"
	"github.com/cipgate/cipgate/attestations/proof"
	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/migrations/migrationstest"
	"github.com/cipgate/cipgate/sync/notices"
	"github.com/cipgate/cipgate/sync/outbound"
)

func TestMain(m *testing.M) { migrationstest.Main(m) }

const (
	self  = envelope.Entity("https://provider.example")
	acme  = envelope.Entity("https://provider.example/e/acme")
	other = envelope.Entity("https://other.example")
)

var (
	toAcme  = notices.OfReseller(acme)
	toOther = notices.OfReseller(other)
	billing = notices.OfSystem("billing")
	epoch   = time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)
)

// world is a real ledger on a real store, with a clock that the test moves.
type world struct {
	*Delivery
	t      *testing.T
	now    time.Time
	ledger *ledger.Ledger
	signer envelope.Signer
	stated int
	owner  string // of the streams that are made
}

func newWorld(t *testing.T, db *gorm.DB) *world {
	t.Helper()
	w := &world{t: t, now: epoch}
	seed := make([]byte, ed25519.SeedSize)
	var err error
	if w.signer, err = envelope.NewSigner(ed25519.NewKeyFromSeed(seed)); err != nil {
		t.Fatal(err)
	}
	const origin = "provider.example/log"
	logKey, err := proof.NewLogSigner(origin, ed25519.NewKeyFromSeed(seed))
	if err != nil {
		t.Fatal(err)
	}
	clock := func() time.Time { return w.now }
	w.ledger, err = ledger.Open(t.Context(), ledger.Config{DB: db, Signer: logKey, Origin: origin, Bodies: ledgertest.Bodies(t), Now: clock})
	if err != nil {
		t.Fatal(err)
	}
	sender := outbound.New(true)
	t.Cleanup(func() {
		sender.Close()
		if err := w.ledger.Close(); err != nil {
			t.Error(err)
		}
	})
	w.Delivery = w.process(db, w.ledger, sender)
	return w
}

// process is a delivery as another process would have it.
func (w *world) process(db *gorm.DB, log Ledger, sender Sender) *Delivery {
	return New(Config{DB: db, Ledger: log, Signer: w.signer, Self: self, Sender: sender, Bodies: ledgertest.Bodies(w.t),
		Now: func() time.Time { return w.now }, Jitter: func() float64 { return 0 }, Log: slog.New(slog.DiscardHandler)})
}

// state puts a statement of the gateway about an entity into the ledger and returns its token.
func (w *world) state(kind statement.Kind, about envelope.Entity) string {
	w.t.Helper()
	w.stated++
	set, err := w.signer.Sign(envelope.Draft{Issuer: self, Audience: about, IssuedAt: w.now, JTI: fmt.Sprintf("jti-%d", w.stated), EventURI: kind.URI(),
		Event: jsontext.Value(statement.Example(kind)), Subject: envelope.Subject{Format: "uri", URI: string(about)}})
	if err != nil {
		w.t.Fatal(err)
	}
	if _, err := w.ledger.Append(w.t.Context(), set); err != nil {
		w.t.Fatal(err)
	}
	return string(set.Raw())
}

// states puts many into the ledger, and addresses them.
func (w *world) states(count int, about envelope.Entity) (tokens []string) {
	w.t.Helper()
	for range count {
		tokens = append(tokens, w.state(statement.KindStandingChanged, about))
	}
	w.must(w.Turn(w.t.Context()))
	return tokens
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) stream(audience notices.Audience, wanted Wanted) Stream {
	w.t.Helper()
	s, err := w.Create(w.t.Context(), audience, w.owner, wanted)
	w.must(err)
	return s
}

func (w *world) notices(audience notices.Audience) []Notice {
	w.t.Helper()
	list, err := w.Notices(w.t.Context(), audience, 0, 1000)
	w.must(err)
	return list
}

// turnOf pushes to a receiver whose lease is held, for a turn.
func (w *world) turnOf(d *Delivery, claimed streamRow) {
	w.t.Helper()
	if handed, err := d.pushAll(w.t.Context(), claimed); handed || err != nil {
		w.t.Fatalf("given on: %v, %v", handed, err)
	}
}

// numbered demands that an audience's notices tell these tokens once each, numbered from 1 in this order.
func (w *world) numbered(audience notices.Audience, tokens []string) {
	w.t.Helper()
	list := w.notices(audience)
	if len(list) != len(tokens) {
		w.t.Fatalf("%s has %d notices, want %d", audience, len(list), len(tokens))
	}
	for i, notice := range list {
		if notice.Sequence != int64(i)+1 || notice.Digest != envelope.DigestOf([]byte(tokens[i])) {
			w.t.Errorf("%s: notice %d tells %s", audience, notice.Sequence, notice.Digest)
		}
	}
}

// are demands the states of an audience's notices, in order.
func (w *world) are(audience notices.Audience, want ...State) {
	w.t.Helper()
	var got []State
	for _, notice := range w.notices(audience) {
		got = append(got, notice.State)
	}
	if !slices.Equal(got, want) {
		w.t.Errorf("the notices of %s are %v, want %v", audience, got, want)
	}
}

// poll polls at once.
func (w *world) poll(audience notices.Audience, id string, asked Polling) Polled {
	w.t.Helper()
	asked.AtOnce = true
	got, err := w.Poll(w.t.Context(), audience, id, asked, nil)
	w.must(err)
	return got
}

func tokensOf(p Polled) (tokens []string) {
	for _, set := range p.Sets {
		tokens = append(tokens, string(set.Token))
	}
	return tokens
}

func jtisOf(p Polled) (ids []string) {
	for _, set := range p.Sets {
		ids = append(ids, set.JTI)
	}
	return ids
}

// receiver takes pushes over real HTTP and remembers them.
type receiver struct {
	*httptest.Server
	mu       sync.Mutex
	got      []string
	shown    []string         // Authorization headers
	answer   http.HandlerFunc // nil: 202
	received chan string      // told of each, if it is not nil
}

func newReceiver(t *testing.T) *receiver {
	t.Helper()
	r := &receiver{}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		body, err := io.ReadAll(request.Body)
		if err != nil || request.Method != http.MethodPost || request.Header.Get("Content-Type") != "application/secevent+jwt" || request.Header.Get("Accept") != "application/json" {
			t.Errorf("%s %s, %s: %v", request.Method, request.Header.Get("Content-Type"), request.Header.Get("Accept"), err)
		}
		r.mu.Lock()
		r.got, r.shown = append(r.got, string(body)), append(r.shown, request.Header.Get("Authorization"))
		answer := r.answer
		r.mu.Unlock()
		if r.received != nil {
			r.received <- string(body)
		}
		if answer != nil {
			answer(w, request)
			return
		}
		w.WriteHeader(http.StatusAccepted)
	}))
	t.Cleanup(r.Close)
	return r
}

func (r *receiver) answers(answer http.HandlerFunc) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.answer = answer
}

func (r *receiver) tokens() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.got)
}

func (r *receiver) wanted() Wanted { return Wanted{Method: MethodPush, Endpoint: r.URL + "/events"} }

// errKilled is what a process gets from the moment it is killed.
var errKilled = errors.New("killed")

// killer kills a process at one of its steps: from there on nothing it does has an effect.
type killer struct {
	mu    sync.Mutex
	after int // steps that still succeed; negative: immortal
	steps int
}

func (k *killer) step() error {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.steps++
	if k.after >= 0 && k.steps > k.after {
		return errKilled
	}
	return nil
}

// mortal returns a handle to the store whose every statement is a step.
func (k *killer) mortal(t *testing.T, db *gorm.DB) *gorm.DB {
	t.Helper()
	hook := func(tx *gorm.DB) {
		if err := k.step(); err != nil {
			_ = tx.AddError(err)
		}
	}
	fresh, err := gorm.Open(db.Dialector, &gorm.Config{SkipDefaultTransaction: true, TranslateError: true, ConnPool: db.ConnPool, Logger: db.Logger})
	if err != nil {
		t.Fatal(err)
	}
	callbacks := fresh.Callback()
	err = errors.Join(
		callbacks.Create().Before("gorm:create").Register("kill", hook),
		callbacks.Query().Before("gorm:query").Register("kill", hook),
		callbacks.Update().Before("gorm:update").Register("kill", hook),
		callbacks.Delete().Before("gorm:delete").Register("kill", hook),
	)
	if err != nil {
		t.Fatal(err)
	}
	return fresh
}

// mortalSender is a way out whose sending is a step, before and after: a process may be killed when the receiver has the notice
// and it has not heard of it.
type mortalSender struct {
	Sender
	*killer
}

func (m mortalSender) Do(ctx context.Context, asked outbound.Request) (outbound.Answer, error) {
	if err := m.step(); err != nil {
		return outbound.Answer{}, err
	}
	answer, err := m.Sender.Do(ctx, asked)
	if killed := m.step(); killed != nil {
		return outbound.Answer{}, killed
	}
	return answer, err
}
