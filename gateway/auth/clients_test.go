package auth_test

import (
	"context"
	"crypto/ed25519"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-json-experiment/json"
	"github.com/gofiber/fiber/v2"
	"golang.org/x/sync/semaphore"
	"gorm.io/gorm"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/intake"
	"github.com/cipgate/cipgate/gateway/auth"
	"github.com/cipgate/cipgate/migrations/migrationstest"
)

const (
	gatewayEntity = envelope.Entity("https://gateway.example/cip")
	clientEntity  = envelope.Entity("https://reseller.example")
)

// counter is a house with the token endpoint, and one client that is enrolled.
type counter struct {
	house
	signer envelope.Signer
	used   int
}

func seeded(t *testing.T, name byte) envelope.Signer {
	t.Helper()
	signer, err := envelope.NewSigner(seed(name))
	if err != nil {
		t.Fatal(err)
	}
	return signer
}

func seed(name byte) ed25519.PrivateKey {
	seed := make([]byte, ed25519.SeedSize)
	seed[0] = name
	return ed25519.NewKeyFromSeed(seed)
}

func openCounter(t *testing.T, db *gorm.DB) *counter {
	t.Helper()
	c := &counter{house: open(db, true), signer: seeded(t, 'r')}
	enrolled, err := envelope.NewKeys(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{c.signer.Public()}})
	if err != nil {
		t.Fatal(err)
	}
	clients := auth.Clients{Auth: c.Auth, Gateway: gatewayEntity, Verifying: semaphore.NewWeighted(1),
		Keys: func(_ context.Context, entity envelope.Entity) (envelope.Keys, error) {
			if entity != clientEntity {
				return envelope.Keys{}, fmt.Errorf("%w: not enrolled", intake.ErrIssuer)
			}
			return enrolled, nil
		}}
	clients.Mount(c.app, slog.New(slog.DiscardHandler))
	c.app.Use("/ssf", clients.Receiver())
	who := func(ctx *fiber.Ctx) error {
		receiver := auth.ReceiverOf(ctx)
		return ctx.SendString(string(receiver.Entity) + "|" + receiver.System)
	}
	c.app.Get("/ssf/read", auth.Needs(auth.ScopeManage, auth.ScopeRead), who)
	c.app.Get("/ssf/manage", auth.Needs(auth.ScopeManage), who)
	return c
}

// claims are those of an assertion that is good, with some changed; a nil takes one away.
func (c *counter) claims(changes map[string]any) map[string]any {
	c.used++
	claims := map[string]any{"iss": clientEntity, "sub": clientEntity, "aud": gatewayEntity, "iat": c.clock.at.Unix(), "exp": c.clock.at.Add(time.Minute).Unix(),
		"jti": fmt.Sprintf("assertion-%d", c.used)}
	maps.Copy(claims, changes)
	maps.DeleteFunc(claims, func(_ string, value any) bool { return value == nil })
	return claims
}

func (c *counter) assertion(t *testing.T, typ string, signer envelope.Signer, changes map[string]any) string {
	t.Helper()
	signed, err := signer.SignToken(typ, c.claims(changes))
	if err != nil {
		t.Fatal(err)
	}
	return string(signed)
}

// form is a request for a token with an assertion.
func form(assertion string) url.Values {
	return url.Values{"grant_type": {"client_credentials"}, "client_assertion_type": {"urn:ietf:params:oauth:client-assertion-type:jwt-bearer"}, "client_assertion": {assertion}}
}

type told struct {
	AccessToken string `json:"access_token"`
	TokenType   string `json:"token_type"`
	ExpiresIn   int    `json:"expires_in"`
	Scope       string `json:"scope"`
	Error       string `json:"error"`
	Description string `json:"error_description"`
}

func (c *counter) asks(t *testing.T, form url.Values) (int, told) {
	t.Helper()
	got := c.ask(t, http.MethodPost, "/oauth/token", form.Encode(), "Content-Type", fiber.MIMEApplicationForm)
	var said told
	if err := json.Unmarshal([]byte(got.body), &said, json.RejectUnknownMembers(true)); err != nil || got.header.Get("Cache-Control") != "no-store" {
		t.Fatalf("%d %s, Cache-Control %q: %v", got.status, got.body, got.header.Get("Cache-Control"), err)
	}
	return got.status, said
}

func TestAnEnrolledKeyGetsAShortTokenAndOnlyItsHashIsKept(t *testing.T) {
	migrationstest.Each(t, func(t *testing.T, db *gorm.DB) {
		c := openCounter(t, db)
		for _, typ := range []string{"JWT", "client-authentication+jwt"} {
			status, got := c.asks(t, form(c.assertion(t, typ, c.signer, nil)))
			if status != http.StatusOK || got.TokenType != "Bearer" || got.ExpiresIn != 600 || got.Scope != "ssf.manage ssf.read" {
				t.Fatalf("%s: %d %+v", typ, status, got)
			}
			bearer := "Bearer " + got.AccessToken
			if a := c.ask(t, http.MethodGet, "/ssf/manage", "", "Authorization", bearer); a.status != http.StatusOK || a.body != string(clientEntity)+"|" {
				t.Errorf("%d %s", a.status, a.body)
			}
			if a := c.ask(t, http.MethodGet, "/v1/me", "", "Authorization", bearer); a.status != http.StatusUnauthorized {
				t.Errorf("an access token at /v1: %d", a.status)
			}
			var kept int64
			if err := db.Table("auth_access").Where("hash = ?", []byte(got.AccessToken)).Count(&kept).Error; err != nil || kept != 0 {
				t.Errorf("the token itself is kept: %d, %v", kept, err)
			}
			c.clock.at = c.clock.at.Add(10 * time.Minute)
			if a := c.ask(t, http.MethodGet, "/ssf/read", "", "Authorization", bearer); a.status != http.StatusUnauthorized ||
				!strings.Contains(a.header.Get("Www-Authenticate"), "/.well-known/oauth-protected-resource") {
				t.Errorf("expired: %d %v", a.status, a.header)
			}
		}
		// Most libraries name no type.
		plain, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.EdDSA, Key: jose.JSONWebKey{Key: seed('r'), KeyID: c.signer.KeyID()}}, nil)
		if err != nil {
			t.Fatal(err)
		}
		claims, err := json.Marshal(c.claims(nil))
		if err != nil {
			t.Fatal(err)
		}
		signed, err := plain.Sign(claims)
		if err != nil {
			t.Fatal(err)
		}
		untyped, err := signed.CompactSerialize()
		if err != nil {
			t.Fatal(err)
		}
		if status, got := c.asks(t, form(untyped)); status != http.StatusOK {
			t.Errorf("without typ: %d %+v", status, got)
		}
		narrow := form(c.assertion(t, "JWT", c.signer, map[string]any{"aud": []string{"https://other.example", string(gatewayEntity) + "/oauth/token"}}))
		narrow.Set("scope", "ssf.read")
		narrow.Set("client_id", string(clientEntity))
		status, got := c.asks(t, narrow)
		if status != http.StatusOK || got.Scope != "ssf.read" {
			t.Fatalf("a narrow one: %d %+v", status, got)
		}
		for path, want := range map[string]int{"/ssf/read": http.StatusOK, "/ssf/manage": http.StatusForbidden} {
			if a := c.ask(t, http.MethodGet, path, "", "Authorization", "Bearer "+got.AccessToken); a.status != want {
				t.Errorf("%s with ssf.read: %d", path, a.status)
			}
		}
		// A system of the provider shows the API token that an officer made for it.
		if a := c.ask(t, http.MethodGet, "/ssf/manage", "", "Authorization", "Bearer "+token(t, c.house)); a.status != http.StatusOK || a.body != "|admin" {
			t.Errorf("a system: %d %s", a.status, a.body)
		}
	})
}

func TestEachAssertionThatShowsNobodyIsRefused(t *testing.T) {
	migrationstest.Each(t, func(t *testing.T, db *gorm.DB) {
		c := openCounter(t, db)
		stranger := seeded(t, 's')
		for name, assertion := range map[string]string{
			"no JWT":                     "a.b",
			"signed by another key":      c.assertion(t, "JWT", stranger, nil),
			"a SET":                      c.assertion(t, "secevent+jwt", c.signer, nil),
			"an entity statement":        c.assertion(t, "entity-statement+jwt", c.signer, nil),
			"of somebody else":           c.assertion(t, "JWT", c.signer, map[string]any{"iss": "https://other.example", "sub": "https://other.example"}),
			"about somebody else":        c.assertion(t, "JWT", c.signer, map[string]any{"sub": "https://other.example"}),
			"for another gateway":        c.assertion(t, "JWT", c.signer, map[string]any{"aud": "https://other.example"}),
			"for nobody":                 c.assertion(t, "JWT", c.signer, map[string]any{"aud": nil}),
			"expired":                    c.assertion(t, "JWT", c.signer, map[string]any{"exp": c.clock.at.Add(-time.Minute).Unix()}),
			"that never expires":         c.assertion(t, "JWT", c.signer, map[string]any{"exp": nil}),
			"that expires in a year":     c.assertion(t, "JWT", c.signer, map[string]any{"exp": c.clock.at.Add(365 * 24 * time.Hour).Unix()}),
			"of the future":              c.assertion(t, "JWT", c.signer, map[string]any{"nbf": c.clock.at.Add(time.Hour).Unix()}),
			"without jti":                c.assertion(t, "JWT", c.signer, map[string]any{"jti": nil}),
			"with a jti of another type": c.assertion(t, "JWT", c.signer, map[string]any{"jti": 7}),
		} {
			if status, got := c.asks(t, form(assertion)); status != http.StatusUnauthorized || got.Error != "invalid_client" || got.AccessToken != "" {
				t.Errorf("%s: %d %+v", name, status, got)
			}
		}
		once := form(c.assertion(t, "JWT", c.signer, nil))
		if status, _ := c.asks(t, once); status != http.StatusOK {
			t.Errorf("the first time: %d", status)
		}
		if status, got := c.asks(t, once); status != http.StatusUnauthorized || !strings.Contains(got.Description, "used before") {
			t.Errorf("the second time: %d %+v", status, got)
		}
		for _, one := range []struct{ name, value, want string }{
			{"grant_type", "password", "unsupported_grant_type"}, {"client_assertion_type", "", "invalid_client"}, {"scope", "admin", "invalid_scope"},
			{"client_id", "https://other.example", "invalid_client"},
		} {
			asked := form(c.assertion(t, "JWT", c.signer, nil))
			asked.Set(one.name, one.value)
			if _, got := c.asks(t, asked); got.Error != one.want {
				t.Errorf("%s=%s: %+v", one.name, one.value, got)
			}
			asked.Add("grant_type", "client_credentials")
			if _, got := c.asks(t, asked); got.Error != "invalid_request" {
				t.Errorf("twice: %+v", got)
			}
		}
	})
}

func TestTheMetadataIsServedAtTheRootAndBehindTheNameWithThePathInserted(t *testing.T) {
	c := openCounter(t, migrationstest.Open(t, migrationstest.URL(t, "sqlite")))
	for path, want := range map[string]string{
		"/.well-known/oauth-authorization-server":     `"token_endpoint":"https://gateway.example/cip/oauth/token"`,
		"/.well-known/oauth-authorization-server/cip": `"token_endpoint_auth_methods_supported":["private_key_jwt"]`,
		"/.well-known/oauth-protected-resource":       `"authorization_servers":["https://gateway.example/cip"]`,
		"/.well-known/oauth-protected-resource/cip":   `"resource":"https://gateway.example/cip"`,
	} {
		if a := c.ask(t, http.MethodGet, path, ""); a.status != http.StatusOK || !strings.Contains(a.body, want) {
			t.Errorf("%s: %d %s", path, a.status, a.body)
		}
	}
	if a := c.ask(t, http.MethodGet, "/.well-known/oauth-authorization-server/other", ""); a.status != http.StatusNotFound {
		t.Errorf("another's: %d", a.status)
	}
}
