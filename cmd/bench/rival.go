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
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/gofiber/fiber/v2"

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
	keys := map[string]jose.JSONWebKeySet{}
	if err := json.Unmarshal(text, &keys); err != nil {
		return fmt.Errorf("--issuers: %s: %w", *issuers, err)
	}
	checker, err := newRivalChecker(keys, string(audience), time.Now)
	if err != nil {
		return err
	}
	store, err := openRivalStore(ctx, *database, *connections)
	if err != nil {
		return err
	}
	defer store.close()
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", *listen)
	if err != nil {
		return fmt.Errorf("--listen: %w", err)
	}
	app := newRivalApp(checker, store)
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

// newRivalApp is the rival's HTTP side.
func newRivalApp(checker *rivalChecker, store *rivalStore) *fiber.App {
	app := fiber.New(fiber.Config{
		DisableStartupMessage: true, BodyLimit: envelope.MaxToken,
		ReadTimeout: 30 * time.Second, WriteTimeout: 60 * time.Second, IdleTimeout: 2 * time.Minute,
	})
	app.Post("/events", func(c *fiber.Ctx) error {
		if c.Get(fiber.HeaderContentType) != "application/secevent+jwt" {
			return c.SendStatus(fiber.StatusUnsupportedMediaType)
		}
		submission, refusal := checker.check(string(c.BodyRaw()))
		if refusal != nil {
			return c.Status(fiber.StatusBadRequest).JSON(refusal)
		}
		stored, err := store.add(c.UserContext(), submission)
		if err != nil {
			return err
		}
		if stored.twin {
			return c.Status(fiber.StatusBadRequest).JSON(refuse("invalid_request", "the same jti was used for another statement"))
		}
		c.Set(fiber.HeaderLocation, "/receipts/"+stored.digest)
		c.Status(fiber.StatusAccepted)
		return nil
	})
	// What the benchmark asks afterwards: the digest of every entry.
	app.Get("/digests", func(c *fiber.Ctx) error {
		digests, err := store.digests(c.UserContext())
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
