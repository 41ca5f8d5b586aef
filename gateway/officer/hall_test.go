package officer_test

import (
	"crypto/ed25519"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-json-experiment/json"
	"github.com/gofiber/fiber/v2"
	"gorm.io/gorm"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/ledger"
	"github.com/cipgate/cipgate/attestations/ledger/ledgertest"
	"github.com/cipgate/cipgate/attestations/proof"
	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/gateway/auth"
	"github.com/cipgate/cipgate/gateway/officer"
	"github.com/cipgate/cipgate/gateway/problem"
	officers "github.com/cipgate/cipgate/resellers/desk"
	"github.com/cipgate/cipgate/resellers/docket"
	"github.com/cipgate/cipgate/resellers/policy"
)

// hall is a gateway with a reseller that is enrolled and says nothing, a clock that the test moves, and officers who come in by
// token or by session.
type hall struct {
	t      *testing.T
	at     time.Time
	ledger *ledger.Ledger
	docket *docket.Docket
	signer envelope.Signer
	auth   *auth.Auth
	app    *fiber.App
	tokens int
}

func newHall(t *testing.T, db *gorm.DB) *hall {
	t.Helper()
	h := &hall{t: t, at: now}
	clock := func() time.Time { return h.at }
	const origin = "provider.example/log"
	key := ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))
	logKey, err := proof.NewLogSigner(origin, key)
	h.must(err)
	signer, err := envelope.NewSigner(key)
	h.must(err)
	h.ledger, err = ledger.Open(t.Context(), ledger.Config{DB: db, Signer: logKey, Origin: origin, Bodies: ledgertest.Bodies(t), Now: clock})
	h.must(err)
	t.Cleanup(func() { h.must(h.ledger.Close()) })
	h.docket, err = docket.New(t.Context(), db, h.ledger, signer, self, policy.Default(), clock)
	h.must(err)
	h.must(h.docket.Activate(t.Context()))
	screener := docket.NewScreener(db, h.ledger, self, 90, clock)
	desk := officers.New(db, h.ledger, screener, h.docket, signer, self, policy.Default().SpecialMeasures, clock)
	// People sign in by a clock that stands still, so that months of a case do not end their tokens.
	h.auth = auth.New(db, func() time.Time { return now }, false)
	h.auth.RecordWith(desk)
	quiet := slog.New(slog.DiscardHandler)
	h.app = fiber.New(fiber.Config{Immutable: true, ErrorHandler: problem.Details(quiet)})
	h.auth.Mount(h.app)
	h.app.Use("/v1", h.auth.API())
	officer.API{Docket: h.docket, Ledger: h.ledger, Entity: self, Version: "1", Log: quiet, Screener: screener, Exempted: h.docket, Cases: h.docket,
		Officers: h.auth, Desk: desk, Now: clock}.Mount(h.app)
	h.signer = signer
	h.enrol(reseller, "Aurora")
	h.pass(0)
	return h
}

// enrol states that an entity came in.
func (h *hall) enrol(entity envelope.Entity, name string) {
	h.t.Helper()
	keys, err := envelope.NewKeys(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{h.signer.Public()}})
	h.must(err)
	enrolled, err := h.signer.Sign(envelope.Draft{Issuer: self, Audience: self, IssuedAt: h.at, JTI: "enrolled " + name, EventURI: statement.KindEntityEnrolled.URI(),
		Subject: envelope.Subject{Format: "uri", URI: string(entity)},
		Event: statement.EntityEnrolled{Entity: entity, Name: name, Country: "DE", Superior: self, Contact: "c@example.com", Tier: 1,
			Invitation: "i", FederationKeys: keys.Marshal(), Keys: keys.Marshal(), Configuration: "a.b.c"}})
	h.must(err)
	_, err = h.ledger.Append(h.t.Context(), enrolled)
	h.must(err)
}

func (h *hall) must(err error) {
	h.t.Helper()
	if err != nil {
		h.t.Fatal(err)
	}
}

// pass lets time go by, each step of a case taken when it is due.
func (h *hall) pass(much time.Duration) {
	h.t.Helper()
	for end := h.at.Add(much); ; {
		next, err := h.docket.Sweep(h.t.Context())
		h.must(err)
		if next.IsZero() || next.After(end) {
			h.at = end
			_, err := h.docket.Sweep(h.t.Context())
			h.must(err)
			return
		}
		h.at = next
	}
}

// standing is how the reseller stands.
func (h *hall) standing() string {
	h.t.Helper()
	file, err := h.docket.Open(h.t.Context(), reseller.ID())
	h.must(err)
	return file.Case.Standing.String()
}

// until lets days go by until the reseller stands so.
func (h *hall) until(standing string) {
	h.t.Helper()
	for range 120 {
		if h.standing() == standing {
			return
		}
		h.pass(24 * time.Hour)
	}
	h.t.Fatalf("it never became %s; it is %s", standing, h.standing())
}

// caller is an officer with a way in.
type caller struct {
	*hall
	header []string
}

var byRoot = statement.Officer{ID: "admin", Name: "admin"}

// officer makes an account.
func (h *hall) officer(name string, role auth.Role) auth.Officer {
	h.t.Helper()
	added, err := h.auth.Add(h.t.Context(), byRoot, auth.Officer{Name: name, Role: role, Mail: strings.ToLower(strings.Fields(name)[0]) + "@provider.example"})
	h.must(err)
	return added
}

// token lets an officer in by an API token.
func (h *hall) token(name string) caller {
	h.t.Helper()
	h.tokens++
	secret, _, err := h.auth.CreateToken(h.t.Context(), byRoot, name, fmt.Sprint("token ", h.tokens), 0)
	h.must(err)
	return caller{h, []string{"Authorization", "Bearer " + secret}}
}

// session lets an officer in by a one-time link.
func (h *hall) session(name string) caller {
	h.t.Helper()
	secret, err := h.auth.NewLink(h.t.Context(), name)
	h.must(err)
	request := httptest.NewRequestWithContext(h.t.Context(), http.MethodPost, "/sign-in", strings.NewReader(url.Values{"secret": {secret}, "next": {"/"}}.Encode()))
	request.Header.Set("Content-Type", fiber.MIMEApplicationForm)
	got, err := h.app.Test(request, -1)
	h.must(err)
	defer got.Body.Close()
	for _, cookie := range got.Cookies() {
		return caller{h, []string{"Cookie", cookie.Name + "=" + cookie.Value, "Sec-Fetch-Site", "same-origin"}}
	}
	h.t.Fatal("not signed in")
	return caller{}
}

// do sends a request and reads the answer, or fails the test if it has another status.
func (c caller) do(method, path string, body any, status int, into any) string {
	c.t.Helper()
	text, err := json.Marshal(body)
	c.must(err)
	request := httptest.NewRequestWithContext(c.t.Context(), method, path, strings.NewReader(string(text)))
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(c.header); i += 2 {
		request.Header.Set(c.header[i], c.header[i+1])
	}
	got, err := c.app.Test(request, -1)
	c.must(err)
	defer got.Body.Close()
	read, err := io.ReadAll(got.Body)
	c.must(err)
	if got.StatusCode != status {
		c.t.Fatalf("%s %s: %d, wanted %d: %s", method, path, got.StatusCode, status, read)
	}
	if into != nil {
		c.must(json.Unmarshal(read, into))
	}
	return string(read)
}

func (c caller) get(path string, into any) string {
	c.t.Helper()
	return c.do(http.MethodGet, path, nil, http.StatusOK, into)
}

func (c caller) post(path string, body any, status int) string {
	c.t.Helper()
	return c.do(http.MethodPost, path, body, status, nil)
}

var because = map[string]any{"reason": "So it is."}

// approval is the one of the case that waits, asked already or not.
func (c caller) approval() officer.Approval {
	c.t.Helper()
	var got struct {
		Approvals []officer.Approval `json:"approvals"`
	}
	c.get("/v1/resellers/"+reseller.ID().String()+"/case", &got)
	if len(got.Approvals) != 1 {
		c.t.Fatalf("approvals: %+v", got.Approvals)
	}
	return got.Approvals[0]
}
