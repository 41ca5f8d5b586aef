package dashboard_test

import (
	"crypto/ed25519"
	"fmt"
	"html"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"
	"gorm.io/gorm"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/ledger"
	"github.com/cipgate/cipgate/attestations/ledger/ledgertest"
	"github.com/cipgate/cipgate/attestations/proof"
	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/gateway/auth"
	"github.com/cipgate/cipgate/gateway/dashboard"
	"github.com/cipgate/cipgate/gateway/officer"
	"github.com/cipgate/cipgate/gateway/problem"
	"github.com/cipgate/cipgate/migrations/migrationstest"
	"github.com/cipgate/cipgate/resellers/desk"
	"github.com/cipgate/cipgate/resellers/docket"
	"github.com/cipgate/cipgate/resellers/policy"
	"github.com/cipgate/cipgate/resellers/rehearsal"
)

func TestMain(m *testing.M) { migrationstest.Main(m) }

const self = envelope.Entity("https://provider.example")

// world is a gateway that nobody has to talk to over a network: a real ledger and docket on a real store,
// the dashboard over them, and a clock that the test moves.
type world struct {
	t      *testing.T
	now    time.Time
	ledger *ledger.Ledger
	docket *docket.Docket
	signer envelope.Signer
	app    *fiber.App
	auth   *auth.Auth
	desk   *desk.Desk
	db     *gorm.DB
	token  string

	rehearsal *rehearsal.Rehearsal
	told      int // of customers
}

func newWorld(t *testing.T, db *gorm.DB, sandbox bool) *world {
	t.Helper()
	w := &world{t: t, db: db, now: time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC), signer: seeded(t, 's')}
	clock := func() time.Time { return w.now }
	const origin = "provider.example/log"
	key, err := proof.NewLogSigner(origin, ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize)))
	w.must(err)
	w.ledger, err = ledger.Open(t.Context(), ledger.Config{DB: db, Signer: key, Origin: origin, Bodies: ledgertest.Bodies(t), Now: clock})
	w.must(err)
	t.Cleanup(func() {
		if err := w.ledger.Close(); err != nil {
			t.Error(err)
		}
	})
	w.docket, err = docket.New(t.Context(), db, w.ledger, w.signer, self, policy.Default(), clock)
	w.must(err)
	known := auth.New(db, clock, true)
	_, err = known.EnsureToken(t.Context(), "admin", func(token string) error {
		w.token = token
		return nil
	})
	w.must(err)
	w.app = fiber.New(fiber.Config{Immutable: true, StrictRouting: true, CaseSensitive: true,
		ErrorHandler: problem.Details(slog.New(slog.DiscardHandler))})
	w.auth = known
	w.desk = desk.New(db, w.ledger, docket.NewScreener(db, w.ledger, self, 90, clock), w.docket, w.signer, self, policy.Default().SpecialMeasures, clock)
	known.Mount(w.app)
	pages := dashboard.New(dashboard.Config{Docket: w.docket, Acts: w.desk, Ledger: officer.Discreet{Books: w.ledger}, Policy: policy.Default, Now: clock, Rehearsal: w.rehearse(clock),
		Entity: self, Sandbox: sandbox, Version: "1.2.3"})
	w.app.Get("/", pages.Home)
	pages.Mount(w.app, known.Page())
	return w
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func seeded(t *testing.T, name byte) envelope.Signer {
	t.Helper()
	seed := make([]byte, ed25519.SeedSize)
	seed[0] = name
	signer, err := envelope.NewSigner(ed25519.NewKeyFromSeed(seed))
	if err != nil {
		t.Fatal(err)
	}
	return signer
}

// enrol states that resellers of these names came in, as the registry does, and has them judged.
func (w *world) enrol(names ...string) []envelope.Entity {
	w.t.Helper()
	keys, err := envelope.NewKeys(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{seeded(w.t, 'r').Public()}})
	w.must(err)
	entities, sets := make([]envelope.Entity, len(names)), make([]envelope.Verified, len(names))
	for i, name := range names {
		id := uuid.NewSHA1(uuid.NameSpaceURL, []byte(name)).String()
		entities[i] = self + "/e/" + envelope.Entity(id)
		sets[i], err = w.signer.Sign(envelope.Draft{Issuer: self, Audience: self, IssuedAt: w.now, JTI: id,
			EventURI: statement.KindEntityEnrolled.URI(), Subject: envelope.Subject{Format: "uri", URI: string(entities[i])},
			Event: statement.EntityEnrolled{Entity: entities[i], Name: name, Country: "DE", Superior: self,
				Contact: "compliance@example.com", Tier: 1, Invitation: id,
				FederationKeys: keys.Marshal(), Keys: keys.Marshal(), Configuration: "a.b.c"}})
		w.must(err)
	}
	_, err = w.ledger.Append(w.t.Context(), sets...)
	w.must(err)
	w.pass(0)
	return entities
}

// attest states so many times what the reseller states, and has it judged.
func (w *world) attest(entity envelope.Entity, times int) {
	w.t.Helper()
	sets := make([]envelope.Verified, times)
	for i := range sets {
		var err error
		sets[i], err = seeded(w.t, 'r').Sign(envelope.Draft{Issuer: entity, Audience: self, IssuedAt: w.now, JTI: fmt.Sprintf("%d-%d", w.now.Unix(), i),
			EventURI: statement.KindCIPAttestation.URI(), Event: jsontext.Value(statement.Example(statement.KindCIPAttestation))})
		w.must(err)
	}
	_, err := w.ledger.Append(w.t.Context(), sets...)
	w.must(err)
	w.pass(0)
}

// pass lets days go by, each step of a case taken when it is due.
func (w *world) pass(days int) {
	w.t.Helper()
	for end := w.now.AddDate(0, 0, days); ; {
		next, err := w.docket.Sweep(w.t.Context())
		w.must(err)
		if next.IsZero() || next.After(end) {
			w.now = end
			return
		}
		w.now = next
	}
}

// answer is what a browser got.
type answer struct {
	status int
	header http.Header
	html   string
}

var (
	space = regexp.MustCompile(`\s+`)
	tag   = regexp.MustCompile(`<[^>]*>`)
)

// text is the page as a person reads it.
func (a answer) text() string {
	return html.UnescapeString(space.ReplaceAllString(tag.ReplaceAllString(a.html, " "), " "))
}

// shows checks that a person can read each of these on the page, in this order.
func (a answer) shows(t *testing.T, all ...string) {
	t.Helper()
	rest := a.text()
	for _, wanted := range all {
		_, after, ok := strings.Cut(rest, wanted)
		if !ok {
			t.Errorf("%q does not stand (any more) in %q", wanted, rest)
			return
		}
		rest = after
	}
}

// open asks for a page as a signed-in browser does.
func (w *world) open(path string, header ...string) answer {
	w.t.Helper()
	return w.ask(path, append([]string{"Authorization", "Bearer " + w.token}, header...)...)
}

func (w *world) ask(path string, header ...string) answer {
	w.t.Helper()
	request := httptest.NewRequestWithContext(w.t.Context(), http.MethodGet, path, nil)
	request.Header.Set("Accept", "text/html,application/xhtml+xml,*/*;q=0.8")
	for i := 0; i < len(header); i += 2 {
		request.Header.Set(header[i], header[i+1])
	}
	got, err := w.app.Test(request, -1)
	w.must(err)
	defer got.Body.Close()
	body, err := io.ReadAll(got.Body)
	w.must(err)
	return answer{got.StatusCode, got.Header, string(body)}
}

func pageOf(entity envelope.Entity) string { return fmt.Sprintf("/resellers/%s", entity.ID()) }
