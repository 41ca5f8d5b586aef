package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/gofiber/fiber/v2"
	"golang.org/x/time/rate"

	"github.com/cipgate/cipgate/attestations/envelope"
)

// runRival is `bench rival`: the rival as a process of its own.
func runRival(ctx context.Context, args []string, stdout, stderr io.Writer) (err error) {
	flags := flag.NewFlagSet("bench rival", flag.ContinueOnError)
	flags.SetOutput(stderr)
	database := flags.String("database", "rival.db", "postgres:// URL, or a file for SQLite")
	listen := flags.String("listen", "127.0.0.1:8461", "address and port to serve on")
	connections := flags.Int("connections", 0, "size of the pool on PostgreSQL; 0 for what GORM's documentation shows")
	issuers := flags.String("issuers", "issuers.json", "`file` with the JWK Set of each issuer")
	if err := flags.Parse(args); err != nil {
		return fmt.Errorf("flags: %w", err)
	}
	text, err := os.ReadFile(*issuers)
	if err != nil {
		return fmt.Errorf("--issuers: %w", err)
	}
	keys := map[string]json.RawMessage{}
	if err := json.Unmarshal(text, &keys); err != nil {
		return fmt.Errorf("--issuers: %s: %w", *issuers, err)
	}
	checker, err := newRivalChecker(string(audience), time.Now)
	if err != nil {
		return err
	}
	store, err := openRivalStore(ctx, *database, *connections)
	if err != nil {
		return err
	}
	defer store.close()
	resellers := make([]rivalReseller, 0, len(keys))
	for entity, jwks := range keys {
		resellers = append(resellers, rivalReseller{Entity: entity, JWKS: string(jwks)})
	}
	if err := store.enrol(ctx, resellers); err != nil {
		return err
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", *listen)
	if err != nil {
		return fmt.Errorf("--listen: %w", err)
	}
	app := newRivalApp(&rival{checker: checker, store: store})
	failed := make(chan error, 1)
	go func() { failed <- app.Listener(listener) }()
	fmt.Fprintln(stdout, "rival ready on", listener.Addr())
	select {
	case err := <-failed:
		return fmt.Errorf("serve: %w", err)
	case <-ctx.Done():
	}
	if err := app.ShutdownWithTimeout(10 * time.Second); err != nil {
		return fmt.Errorf("stop: %w", err)
	}
	return <-failed
}

// rival takes submissions as the protocol wants them taken.
type rival struct {
	checker *rivalChecker
	store   *rivalStore
	keys    sync.Map // of *jose.JSONWebKeySet, by the text that was read
	rates   sync.Map // of *rate.Limiter, by issuer
}

// A limit that protects the server from one entity says nothing about how fast it is; the gateway gets the same.
const rivalRate = 1_000_000

func (r *rival) accept(ctx context.Context, body []byte) (digest string, _ *rivalRefusal, _ error) {
	token, refusal := r.checker.read(string(body))
	if refusal != nil {
		return "", refusal, nil
	}
	reseller, err := r.store.reseller(ctx, token.claims.Issuer)
	if err != nil {
		return "", nil, err
	}
	submission, refusal := r.believe(token, reseller)
	if refusal != nil {
		return "", refusal, nil
	}
	return r.store.add(ctx, submission)
}

func (r *rival) believe(token *rivalToken, reseller *rivalReseller) (rivalSubmission, *rivalRefusal) {
	if reseller == nil || reseller.Terminated {
		return rivalSubmission{}, refuse("invalid_issuer", "iss: %q is not enrolled, or was terminated", token.claims.Issuer)
	}
	keys, err := r.keysOf(reseller)
	if err != nil {
		return rivalSubmission{}, refuse("invalid_key", "the keys of %q: %v", reseller.Entity, err)
	}
	submission, refusal := r.checker.believe(token, keys)
	if refusal != nil {
		return rivalSubmission{}, refusal
	}
	limiter, known := r.rates.Load(reseller.Entity)
	if !known {
		limiter, _ = r.rates.LoadOrStore(reseller.Entity, rate.NewLimiter(rivalRate, rivalRate))
	}
	if !limiter.(*rate.Limiter).Allow() {
		return rivalSubmission{}, refuse("invalid_request", "more than %d submissions a second", rivalRate)
	}
	return submission, nil
}

// keysOf parses a key set once, not for each submission.
func (r *rival) keysOf(reseller *rivalReseller) (*jose.JSONWebKeySet, error) {
	if known, ok := r.keys.Load(reseller.JWKS); ok {
		return known.(*jose.JSONWebKeySet), nil
	}
	keys := &jose.JSONWebKeySet{}
	if err := json.Unmarshal([]byte(reseller.JWKS), keys); err != nil {
		return nil, err
	}
	r.keys.Store(reseller.JWKS, keys)
	return keys, nil
}

// newRivalApp is the rival's HTTP side.
func newRivalApp(r *rival) *fiber.App {
	app := fiber.New(fiber.Config{
		DisableStartupMessage: true, BodyLimit: envelope.MaxToken,
		ReadTimeout: 30 * time.Second, WriteTimeout: 60 * time.Second, IdleTimeout: 2 * time.Minute,
	})
	app.Post("/events", func(c *fiber.Ctx) error {
		if c.Get(fiber.HeaderContentType) != "application/secevent+jwt" || c.Get(fiber.HeaderContentEncoding) != "" {
			return c.SendStatus(fiber.StatusUnsupportedMediaType)
		}
		digest, refusal, err := r.accept(c.UserContext(), c.BodyRaw())
		switch {
		case err != nil:
			return err
		case refusal != nil:
			return c.Status(fiber.StatusBadRequest).JSON(refusal)
		}
		c.Set(fiber.HeaderLocation, "/receipts/"+digest)
		c.Status(fiber.StatusAccepted)
		return nil
	})
	// What the benchmark asks afterwards: the digest of every entry.
	app.Get("/digests", func(c *fiber.Ctx) error {
		digests, err := r.store.digests(c.UserContext())
		if err != nil {
			return err
		}
		return c.Send(digests)
	})
	return app
}

// startRival starts the rival as a process and tells it whose keys it is to know.
func startRival(ctx context.Context, program, folder, database string, connections int, crowd []reseller) (_ *server, err error) {
	keys := make(map[string]jose.JSONWebKeySet, len(crowd))
	for i := range crowd {
		keys[string(crowd[i].entity)] = crowd[i].jwks()
	}
	text, err := json.Marshal(keys)
	if err != nil {
		return nil, fmt.Errorf("write the rival's keys: %w", err)
	}
	issuers := filepath.Join(folder, "issuers.json")
	if err := os.WriteFile(issuers, text, 0o600); err != nil {
		return nil, fmt.Errorf("write the rival's keys: %w", err)
	}
	address, err := freeAddress(ctx)
	if err != nil {
		return nil, err
	}
	if database == "" {
		database = filepath.Join(folder, "rival.db")
	}
	running, _, err := startProcess(ctx, folder, program, "rival", "--database", database, "--listen", address, "--issuers", issuers,
		"--connections", strconv.Itoa(connections))
	if err != nil {
		return nil, err
	}
	return &server{process: running, address: address, stored: func(ctx context.Context) ([]envelope.Digest, error) {
		body, err := newCaller(address).call(ctx, http.MethodGet, "/digests", "", "", nil)
		if err != nil {
			return nil, err
		}
		var digests []envelope.Digest
		for ; len(body) >= len(envelope.Digest{}); body = body[len(envelope.Digest{}):] {
			digests = append(digests, envelope.Digest(body[:len(envelope.Digest{})]))
		}
		return digests, nil
	}}, nil
}
