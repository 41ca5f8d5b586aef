package main

import (
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/statement"
)

func TestWhatTheClientsPushIsGoodForTheGateway(t *testing.T) {
	now := time.Now()
	crowd := newCrowd(t, 2, 3)
	seen := map[string]bool{}
	for _, r := range crowd {
		keys, err := envelope.NewKeys(r.jwks())
		if err != nil {
			t.Fatal(err)
		}
		for _, token := range r.tokens {
			if len(token) < 1500 || len(token) > 1800 {
				t.Errorf("a token of %d bytes, want about 1,640", len(token))
			}
			parsed, err := envelope.Parse(token)
			if err != nil {
				t.Fatal(err)
			}
			verified, err := parsed.Verify(keys, envelope.Terms{Audience: audience, Now: now, MaxAge: time.Hour, MaxAhead: time.Minute})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := statement.Decode(verified); err != nil {
				t.Fatal(err)
			}
			id, err := uuid.Parse(verified.Claims().JTI)
			if err != nil || id.Version() != 7 || seen[id.String()] {
				t.Errorf("jti %q: want a new UUID of version 7", verified.Claims().JTI)
			}
			seen[id.String()] = true
		}
	}
}

func TestALoadEndsWhenAClientHasNothingLeftAndCountsWhatWasAcknowledged(t *testing.T) {
	crowd := newCrowd(t, 3, 20)
	address, store := serveRival(t, crowd)
	o, err := load{address: address, crowd: crowd, window: time.Hour, meter: func() usage { return usage{} }}.run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	total, usedUp := 0, false
	for _, count := range o.acknowledged {
		total += count
		usedUp = usedUp || count == 20
	}
	if !usedUp {
		t.Errorf("it ended with %v acknowledged, want 20 of one client", o.acknowledged)
	}
	if len(o.latencies) == 0 || len(o.latencies) > total || o.elapsed <= 0 {
		t.Errorf("%d latencies of %d acknowledged in %s", len(o.latencies), total, o.elapsed)
	}
	kept := digestsOf(t, store)
	if len(kept) != total {
		t.Errorf("%d are kept, %d were acknowledged", len(kept), total)
	}
	if err := keptAll(kept, crowd, o.acknowledged); err != nil {
		t.Error(err)
	}
}

func TestALoadFailsAtAnythingBut202(t *testing.T) {
	crowd := newCrowd(t, 2, 5)
	address, _ := serveRival(t, crowd)
	crowd[1].tokens[3] = crowd[0].tokens[0][:100]
	_, err := load{address: address, crowd: crowd, window: time.Hour, meter: func() usage { return usage{} }}.run(t.Context())
	if err == nil || !strings.Contains(err.Error(), "400") {
		t.Errorf("got %v, want the 400 in words", err)
	}
}

func TestALoadWhoseWarmUpUsesEverythingIsNoResult(t *testing.T) {
	crowd := newCrowd(t, 1, 1)
	address, _ := serveRival(t, crowd)
	_, err := load{address: address, crowd: crowd, warmup: time.Hour, window: time.Hour, meter: func() usage { return usage{} }}.run(t.Context())
	if err == nil || !strings.Contains(err.Error(), "--sign-for") {
		t.Errorf("got %v, want advice to sign more", err)
	}
}

func TestALostOrDoubledStatementIsFound(t *testing.T) {
	crowd := newCrowd(t, 2, 2)
	digest := func(client, n int) envelope.Digest { return envelope.DigestOf(crowd[client].tokens[n]) }
	kept := []envelope.Digest{digest(0, 0), digest(0, 1), digest(1, 0)}
	for _, c := range []struct {
		name         string
		kept         []envelope.Digest
		acknowledged []int
		whole        bool
	}{
		{"all", kept, []int{2, 1}, true},
		{"more than was acknowledged", kept, []int{1, 1}, true},
		{"one is lost", kept, []int{2, 2}, false},
		{"one is there twice", append(kept, digest(1, 0)), []int{2, 1}, false},
	} {
		if err := keptAll(c.kept, crowd, c.acknowledged); (err == nil) != c.whole {
			t.Errorf("%s: got %v", c.name, err)
		}
	}
}

func newCrowd(t *testing.T, count, tokens int) []reseller {
	t.Helper()
	crowd, err := newResellers(count)
	if err != nil {
		t.Fatal(err)
	}
	if err := signAll(crowd, tokens, time.Now()); err != nil {
		t.Fatal(err)
	}
	return crowd
}

// newRival is a rival that knows the crowd, on a database of its own.
func newRival(t *testing.T, database string, crowd []reseller) *rival {
	t.Helper()
	checker, err := newRivalChecker(string(audience), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	store := openStore(t, database)
	resellers := make([]rivalReseller, len(crowd))
	for i := range crowd {
		resellers[i] = rivalReseller{Entity: string(crowd[i].entity), JWKS: jwksOf(t, &crowd[i])}
	}
	if err := store.enrol(t.Context(), resellers); err != nil {
		t.Fatal(err)
	}
	return &rival{checker: checker, store: store}
}

func jwksOf(t *testing.T, r *reseller) string {
	t.Helper()
	jwks, err := json.Marshal(r.jwks())
	if err != nil {
		t.Fatal(err)
	}
	return string(jwks)
}

// serveRival serves a rival on SQLite until the test ends.
func serveRival(t *testing.T, crowd []reseller) (address string, _ *rivalStore) {
	t.Helper()
	contender := newRival(t, t.TempDir()+"/rival.db", crowd)
	app := newRivalApp(contender)
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- app.Listener(listener) }()
	t.Cleanup(func() {
		if err := app.ShutdownWithContext(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
	return listener.Addr().String(), contender.store
}

func openStore(t *testing.T, database string) *rivalStore {
	t.Helper()
	store, err := openRivalStore(t.Context(), database, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(store.close)
	return store
}

func digestsOf(t *testing.T, store *rivalStore) (digests []envelope.Digest) {
	t.Helper()
	all, err := store.digests(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for ; len(all) > 0; all = all[32:] {
		digests = append(digests, envelope.Digest(all[:32]))
	}
	return digests
}

// signed is a token with any header and claims.
func signed(r *reseller, header, claims string) string {
	encode := base64.RawURLEncoding.EncodeToString
	content := encode([]byte(header)) + "." + encode([]byte(claims))
	return content + "." + encode(ed25519.Sign(r.key, []byte(content)))
}
