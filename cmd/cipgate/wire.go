package main

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/jackc/pgx/v5/pgconn"
	"golang.org/x/sync/semaphore"
	"gorm.io/gorm"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/intake"
	"github.com/cipgate/cipgate/attestations/ledger"
	"github.com/cipgate/cipgate/attestations/proof"
	"github.com/cipgate/cipgate/gateway/auth"
	"github.com/cipgate/cipgate/gateway/calendar"
	"github.com/cipgate/cipgate/gateway/dashboard"
	"github.com/cipgate/cipgate/gateway/docs"
	"github.com/cipgate/cipgate/gateway/documents"
	"github.com/cipgate/cipgate/gateway/edge"
	"github.com/cipgate/cipgate/gateway/enrolment"
	"github.com/cipgate/cipgate/gateway/events"
	"github.com/cipgate/cipgate/gateway/officer"
	"github.com/cipgate/cipgate/gateway/receipts"
	"github.com/cipgate/cipgate/gateway/sandbox"
	"github.com/cipgate/cipgate/gateway/signals"
	"github.com/cipgate/cipgate/gateway/standing"
	"github.com/cipgate/cipgate/gateway/streams"
	"github.com/cipgate/cipgate/gateway/wellknown"
	"github.com/cipgate/cipgate/migrations"
	"github.com/cipgate/cipgate/resellers/archive"
	"github.com/cipgate/cipgate/resellers/desk"
	"github.com/cipgate/cipgate/resellers/docket"
	"github.com/cipgate/cipgate/resellers/outages"
	"github.com/cipgate/cipgate/resellers/policy"
	"github.com/cipgate/cipgate/resellers/registry"
	"github.com/cipgate/cipgate/resellers/rehearsal"
	"github.com/cipgate/cipgate/sync/delivery"
	"github.com/cipgate/cipgate/sync/notices"
	"github.com/cipgate/cipgate/sync/outbound"
	"github.com/cipgate/cipgate/sync/trust"
)

// Program is a gateway, wired. Everything in it has one owner: this struct, whose Close stops it in order.
type Program struct {
	config   Config
	log      *slog.Logger
	clock    *clock
	wall     *clock // the machine's, also in a sandbox: people sign in and tokens expire by it, and nothing moves it
	db       *gorm.DB
	ledger   *ledger.Ledger
	outbound *outbound.Client
	registry *registry.Registry
	docket   *docket.Docket
	outages  *outages.Outages
	archive  *archive.Archive
	delivery *delivery.Delivery
	screener *docket.Screener
	auth     *auth.Auth
	desk     *desk.Desk
	road     *intake.Road
	server   *edge.Server
	keeper   *keeper
	pusher   *pusher
	attends  *attendant

	rehearsal *rehearsal.Rehearsal
	rehearser *rehearser
	inForce   inForce

	// draining is closed when the server is about to stop: nobody is kept waiting for news from then on.
	draining chan struct{}
	drain    func()

	drainTime time.Duration

	vkey string
	made []string // what the first start made, for the first-run text
}

// core is what every command that opens the store itself needs: the store and the rooms over it, but no
// server and nothing that runs by itself.
func core(ctx context.Context, config Config, log *slog.Logger) (_ *Program, err error) {
	p := &Program{config: config, log: log, clock: &clock{}, wall: &clock{}, drainTime: drainTime}
	p.draining = make(chan struct{})
	p.drain = sync.OnceFunc(func() { close(p.draining) })
	defer func() {
		if err != nil {
			err = errors.Join(err, p.Close(context.WithoutCancel(ctx)))
		}
	}()
	if err := os.MkdirAll(config.Data, 0o700); err != nil {
		return nil, wrong("--data: %v", err)
	}
	given, err := givenPolicy(config)
	if err != nil {
		return nil, err
	}
	first := policy.Default()
	if given != nil {
		first = *given
	}
	if err := config.fits(first); err != nil {
		return nil, err
	}
	p.db, err = migrations.Open(ctx, config.store())
	unreachable := (*pgconn.ConnectError)(nil)
	switch {
	case errors.Is(err, migrations.ErrURL), errors.Is(err, fs.ErrNotExist):
		return nil, wrong("--database: %v", err)
	case errors.As(err, &unreachable):
		return nil, later("--database: %v. Is the server running, and does it let this user in?", err)
	}
	if err != nil {
		return nil, err
	}
	keys, err := p.claim(ctx)
	if err != nil {
		return nil, err
	}
	statements, err := envelope.NewSigner(keys.statement)
	if err != nil {
		return nil, fmt.Errorf("the statement key: %w", err)
	}
	logSigner, err := proof.NewLogSigner(config.origin(), keys.log)
	if err != nil {
		return nil, fmt.Errorf("the log key: %w", err)
	}
	p.ledger, err = ledger.Open(ctx, ledger.Config{DB: p.db, Signer: logSigner, Origin: config.origin(), Bodies: keys.bodies, Now: p.clock.Now, MaxWaiting: config.Queue})
	if err != nil {
		return nil, err
	}
	self := config.entity()
	rules, err := p.choosePolicy(ctx, given)
	if err == nil {
		err = config.fits(rules)
	}
	if err != nil {
		return nil, err
	}
	p.inForce.now.Store(&rules)
	// In a sandbox gateways and resellers may live on one machine; else nobody's word leads to this one.
	p.outbound = outbound.New(config.Sandbox)
	p.registry = registry.New(registry.Config{DB: p.db, Ledger: p.ledger, Signer: statements, Self: self, Fetch: p.outbound, Rules: rules.Intake, Now: p.clock.Now})
	if err := p.openDocket(ctx, statements, rules); err != nil {
		return nil, err
	}
	p.archive = archive.New(archive.Config{DB: p.db, Ledger: p.ledger, Docket: p.docket, Signer: statements, Self: self,
		Bodies: keys.bodies, Records: rules.Records, Now: p.clock.Now})
	p.screener = docket.NewScreener(p.db, p.ledger, self, rules.SpecialMeasures.Likeness.Value, p.clock.Now)
	letters, err := mailer(config)
	if err != nil {
		return nil, err
	}
	p.delivery = delivery.New(delivery.Config{DB: p.db, Ledger: p.ledger, Signer: statements, Self: self, Sender: p.outbound,
		Bodies: keys.bodies, Now: p.clock.Now, Wall: p.wall.Now, Jitter: rand.Float64, Log: log, Mail: letters, People: directory{p}, Sandbox: config.Sandbox, Cases: noticed{p}})
	p.desk = desk.New(p.db, p.ledger, p.screener, p.docket, statements, self, rules.SpecialMeasures, p.clock.Now)
	p.rehearsal = rehearsal.New(rehearsal.Config{DB: p.db, Ledger: p.ledger, Docket: p.docket, Signer: statements, Self: self, Now: p.clock.Now,
		Adopt: p.adopt, Fits: config.fits})
	// People sign in by the real clock, also where a sandbox's was moved.
	p.auth = auth.New(p.db, p.wall.Now, strings.HasPrefix(config.PublicURL, "https:"))
	p.auth.RecordWith(p.desk)
	return p, p.routes(keys, rules, statements)
}

// openDocket opens the docket, which decides nothing behind an outage of the gateway that was not measured yet.
func (p *Program) openDocket(ctx context.Context, statements envelope.Signer, rules policy.Policy) (err error) {
	self := p.config.entity()
	p.outages = outages.New(outages.Config{DB: p.db, Ledger: p.ledger, Signer: statements, Self: self, Clock: clocks(p.clock), Log: p.log})
	p.docket, err = docket.New(ctx, p.db, p.ledger, statements, self, rules, p.clock.Now)
	if err == nil {
		p.docket.Wakeful(p.outages.Awake)
	}
	return err
}

// verifyingAtOnce is how many signatures of submissions are checked at once, so that half of the threads are left to all else; serve takes
// two for each core.
func verifyingAtOnce() int64 { return int64(max(1, runtime.GOMAXPROCS(0)/2)) }

// verifyingPatience is how long a submission waits for that before it is told to come again.
const verifyingPatience = 10 * time.Second

// documentBytes is how many bytes of documents may be in memory at once, each counted as the largest.
const documentBytes = 4 * archive.MaxDocument

// bulkBytes is how many bytes of streams may be read and not yet answered, over all of them.
const bulkBytes = 16 << 20

// claim finds out whose database this is. A new one is made this gateway's, with new keys.
func (p *Program) claim(ctx context.Context) (keyring, error) {
	folder := filepath.Join(p.config.Data, "keys")
	known, err := migrations.FindDeployment(ctx, p.db)
	isNew := errors.Is(err, migrations.ErrNew)
	if err != nil && !isNew {
		return keyring{}, err
	}
	if !isNew {
		if known.Sandbox != p.config.Sandbox {
			if known.Sandbox {
				return keyring{}, wrong("%s was used with --sandbox: what was tried there must never count as real. Start with --sandbox, or give a new --data folder or --database", migrations.Redacted(p.config.store()))
			}
			return keyring{}, wrong("%s was used without --sandbox: a sandbox's clock must never move real deadlines. Start without --sandbox, or give a new --data folder or --database", migrations.Redacted(p.config.store()))
		}
		if known.Entity != p.config.PublicURL {
			return keyring{}, wrong("--public-url: this ledger belongs to %s, got %s. An entity identifier never changes: start with --public-url %s", known.Entity, p.config.PublicURL, known.Entity)
		}
		p.clock.ahead.Store(int64(known.Ahead))
	}
	keys, made, err := openKeyring(folder, isNew)
	if err != nil {
		return keyring{}, err
	}
	if made {
		p.made = append(p.made, folder+string(filepath.Separator)+"   federation, statement and log keys, and the key that bodies are encrypted with; keep a copy, they cannot be made again")
	}
	p.vkey = proof.Vkey(p.config.origin(), keys.log.Public().(ed25519.PublicKey))
	if isNew {
		return keys, migrations.Claim(ctx, p.db, migrations.Deployment{Entity: p.config.PublicURL, LogVkey: p.vkey, Sandbox: p.config.Sandbox})
	}
	if known.LogVkey != p.vkey {
		return keyring{}, wrong("%s holds other keys than those that signed this ledger (%s): copy the folder from the gateway's other machine or from your backup", folder, known.LogVkey)
	}
	return keys, nil
}

// routes builds the server: every door of the gateway, named once.
func (p *Program) routes(keys keyring, rules policy.Policy, statements envelope.Signer) error {
	federation, err := envelope.NewSigner(keys.federation)
	if err != nil {
		return fmt.Errorf("the federation key: %w", err)
	}
	published, err := trust.PublicKeys(statements)
	if err != nil {
		return err
	}
	self := p.config.entity()
	itself := trust.Gateway{Entity: self, Name: p.config.name(), Federation: federation, Statements: published, Lifetime: 24 * time.Hour}
	counts := signals.New()
	systems := auth.Systems{Enrolled: p.registry, Auth: p.auth, Gateway: self, Reaches: func(ctx context.Context, label string, reseller envelope.Entity, order string) (bool, error) {
		return p.delivery.Reaches(ctx, notices.OfSystem(label), reseller, order)
	}}
	p.road = &intake.Road{
		Issuers: systems, Systems: systems, Customers: p.docket, Ledger: p.ledger, Audience: self, Now: p.clock.Now,
		MaxAge: time.Duration(rules.Intake.MaxAge.Value), MaxAhead: time.Duration(rules.Intake.MaxAhead.Value),
		Rates: intake.NewRates(p.config.Rate, p.config.Burst), Content: contentOf(rules.Intake),
		// Checking a signature is pure computing, and the scheduler looks at the network only when a processor runs out of it: the
		// one that is left over commits, answers and reads meanwhile.
		Verifying: semaphore.NewWeighted(verifyingAtOnce()),
		Patience:  verifyingPatience,
		Holding:   semaphore.NewWeighted(bulkBytes),
	}
	p.inForce.roads.now.Store(p.road)
	pages := dashboard.New(dashboard.Config{Docket: p.docket, Acts: p.desk, Rehearsal: p.rehearsal, Ledger: officer.Discreet{Books: p.ledger}, Contacts: p.registry, Answers: p.delivery, Outbox: p.delivery, Tokens: p.auth, Reached: p.delivery, Policy: p.policyNow, Now: p.clock.Now, Wall: p.wall.Now,
		Entity: self, Sandbox: p.config.Sandbox, Version: programVersion()})
	doors := events.Doors{Road: counts.Count(&p.inForce.roads), Stream: &p.inForce.roads, Counts: counts, Preview: p.docket.Preview, Gateway: p.config.entity(),
		Knows: func(ctx context.Context, token string) bool {
			_, ok := p.auth.CheckToken(ctx, token)
			return ok
		}, LineTimeout: p.config.readTimeout(), Now: time.Now, Log: p.log}
	submissions := func(app *fiber.App) { doors.Mount(app) }
	rest := func(app *fiber.App) {
		counts.Mount(app)
		counts.MountCases(app, p.docket)
		counts.WatchOutages(signals.Outages{MarkedAt: p.outages.MarkedAt, Recorded: p.docket.Outages, Machine: p.outages.Clock.Machine})
		app.Get("/readyz", func(c *fiber.Ctx) error {
			if _, err := p.ledger.Size(c.UserContext()); err != nil {
				return fmt.Errorf("%w: %w", ledger.ErrUnknownOutcome, err)
			}
			return c.SendString("ready\n")
		})
		wellknown.Board{Gateway: itself, Registry: p.registry, LogVkey: p.vkey, Version: programVersion(),
			Sandbox: p.config.Sandbox, Now: p.clock.Now, Home: pages.Home, Keys: p.delivery.PublicKeys}.Mount(app)
		receipts.Shelf{Ledger: p.ledger, Vkey: p.vkey, Policy: func() string { return p.policyNow().ID() }}.Mount(app)
		documents.Desk{Archive: p.archive, Issuers: p.registry, Audience: self, Now: p.clock.Now, Clock: time.Now,
			Patience: p.config.readTimeout(), Held: semaphore.NewWeighted(documentBytes)}.Mount(app)
		enrolment.Desk{Registry: p.registry, Gateway: itself, LogVkey: p.vkey, Now: p.clock.Now}.Mount(app)
		if p.config.Sandbox {
			sandbox.Mount(app, p)
		}
		clients := auth.Clients{Auth: p.auth, Gateway: self, Keys: systems.Keys, Verifying: p.road.Verifying}
		clients.Mount(app, p.log)
		streams.Doors{Delivery: p.delivery, Keys: p.registry, Gateway: self, Receiver: clients.Receiver(), Closing: p.draining}.Mount(app)
		standing.Door{Docket: p.docket, Gateway: self, Signer: statements, Receiver: clients.Receiver(), Now: p.clock.Now}.Mount(app)
		feeds := calendar.NewFeeds(p.db, p.clock.Now)
		calendar.Calendar{Feeds: feeds, Docket: p.docket, Entity: self, Sandbox: p.config.Sandbox}.Mount(app)
		app.Use("/v1", p.auth.API(), p.auth.Idempotent(keys.bodies))
		officer.API{Docket: p.docket, Ledger: officer.Discreet{Books: p.ledger}, Registry: p.registry, Enrolments: p.registry, Records: p.archive, Notices: p.delivery, Streams: p.delivery, Calendars: feeds, Entity: self,
			Desk: p.desk, Screener: p.screener, Exempted: p.docket, Officers: p.auth, Cases: p.docket, Orders: p.docket, Reached: p.delivery, Rehearsal: p.rehearsal, Now: p.clock.Now,
			Version: programVersion(), Log: p.log}.Mount(app)
		p.auth.Mount(app)
		docs.Library{Frame: pages.Frame()}.Mount(app)
		pages.Mount(app, p.auth.Page())
	}
	p.server = edge.New(p.log, p.config.readTimeout(), submissions, rest, counts.Refused)
	return nil
}

// open wires a whole gateway and starts what runs by itself. What it made on its first start is told by
// firstRun. Close it.
func open(ctx context.Context, config Config, log *slog.Logger) (*Program, error) {
	p, err := core(ctx, config, log)
	if err != nil {
		return nil, err
	}
	if err := p.start(ctx); err != nil {
		return nil, errors.Join(err, p.Close(context.WithoutCancel(ctx)))
	}
	return p, nil
}

// firstOfficer is whose the first API token and the sign-in links of a start are: one account, which counts as one person.
const firstOfficer = "admin"

func (p *Program) start(ctx context.Context) error {
	if err := p.docket.Activate(ctx); err != nil {
		return err
	}
	path := filepath.Join(p.config.Data, "admin.token")
	made, err := p.auth.EnsureToken(ctx, firstOfficer, func(token string) error {
		return os.WriteFile(path, []byte(token+"\n"), 0o600)
	})
	if err != nil {
		return err
	}
	if made {
		p.made = append(p.made, path+"   the API token with every role; keep it secret")
	}
	// What a start before this one was killed over.
	if err := p.auth.Record(ctx); err != nil {
		return err
	}
	if err := p.registry.CatchUp(ctx); err != nil {
		return err
	}
	p.keeper, p.pusher, p.rehearser, p.attends = keep(p), pushNotices(p), rehearse(p), attend(p)
	return nil
}

// Serve answers on the listener until ctx ends, then drains.
func (p *Program) Serve(ctx context.Context, listener net.Listener) error {
	failed := make(chan error, 1)
	go func() { failed <- p.server.Serve(listener) }()
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	p.drain()
	drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), p.drainTime)
	defer cancel()
	err := p.server.Shutdown(drain)
	if errors.Is(err, context.DeadlineExceeded) {
		// A request that never ends, or is never read, is no reason to end otherwise than in order: nothing was acknowledged for it.
		p.log.Warn("cut off the requests that were still open", "after", p.drainTime)
		err = nil
	}
	return errors.Join(err, <-failed)
}

// drainTime is how long open requests may take after a SIGTERM.
const drainTime = 20 * time.Second

// Close stops what runs, in this order: nobody decides any more, what was gathered is committed, the store
// is closed. The server was drained by Serve.
func (p *Program) Close(_ context.Context) error {
	var errs []error
	if p.keeper != nil {
		p.keeper.stop()
	}
	if p.pusher != nil {
		p.pusher.stop()
	}
	if p.rehearser != nil {
		p.rehearser.stop()
	}
	if p.attends != nil {
		p.attends.stop()
	}
	p.drain()
	if p.outbound != nil {
		p.outbound.Close()
	}
	if p.ledger != nil {
		errs = append(errs, p.ledger.Close())
	}
	if p.db != nil {
		errs = append(errs, migrations.Close(p.db))
	}
	return errors.Join(errs...)
}
