package main

import (
	"context"
	"crypto/ed25519"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/uuid"
	"github.com/hashicorp/go-retryablehttp"
	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/keyset"
	"gorm.io/gorm"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/ledger"
	"github.com/cipgate/cipgate/attestations/proof"
	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/migrations"
	"github.com/cipgate/cipgate/sync/delivery"
	"github.com/cipgate/cipgate/sync/notices"
	"github.com/cipgate/cipgate/sync/outbound"
)

// gcPercent is how seldom `cipgate serve` collects garbage; this process does in its place.
const gcPercent = 300

// deliveryPlan is how delivery is measured.
type deliveryPlan struct {
	stores                         []string
	notices, receivers, dead, slow int
	postgres, folder               string
	profile, heapProfile           string
	asJSON                         bool
}

// drained is what came of one run.
type drained struct {
	Store     string  `json:"store"`
	Notices   int     `json:"notices"`
	Receivers int     `json:"receivers"`
	Dead      int     `json:"dead"`
	Slow      int     `json:"slow"`
	Live      int64   `json:"notices_to_live_receivers"`
	Addressed float64 `json:"addressed_per_second"`
	Bare      float64 `json:"bare_loop_per_second"`
	Cipgate   float64 `json:"cipgate_per_second"`
	Seconds   float64 `json:"cipgate_seconds"`
	CPU       float64 `json:"cipgate_cpu_us"`      // of this process, for each notice
	Kept      int64   `json:"acknowledged_stored"` // of all, when the live ones had theirs
	Proved    int64   `json:"proofs_in_ledger"`    // stated meanwhile
	Memory    course  `json:"memory"`
}

func readDeliveryPlan(args []string, stderr io.Writer) (*deliveryPlan, error) {
	p := &deliveryPlan{}
	flags := flag.NewFlagSet("bench delivery", flag.ContinueOnError)
	flags.SetOutput(stderr)
	stores := flags.String("stores", sqliteName+","+postgresName, "stores to measure on")
	quick := flags.Bool("quick", false, "2,000 notices to 50 receivers, to see whether it works")
	flags.IntVar(&p.notices, "notices", 100_000, "notices that wait at the beginning")
	flags.IntVar(&p.receivers, "receivers", 1000, "receivers, each with as many of them")
	flags.IntVar(&p.dead, "dead", 10, "how many of the receivers are dead: half refuse the connection, half never answer")
	flags.IntVar(&p.slow, "slow", 1, "how many of the receivers take a second for each")
	flags.StringVar(&p.postgres, "postgres", os.Getenv("CIPGATE_TEST_POSTGRES"), "postgres:// `URL` of a server on which databases may be made (default: a temporary one)")
	flags.StringVar(&p.folder, "folder", os.TempDir(), "folder to work in, on the disk to measure")
	flags.StringVar(&p.profile, "cpuprofile", "", "`file` to write a profile of cipgate's part to")
	flags.StringVar(&p.heapProfile, "heapprofile", "", "`file` to write what holds the memory to, with .start, .middle and .end behind it, in cipgate's part")
	flags.BoolVar(&p.asJSON, "json", false, "print every run as JSON")
	if err := flags.Parse(args); err != nil {
		return nil, fmt.Errorf("flags: %w", err)
	}
	if flags.NArg() > 0 {
		return nil, fmt.Errorf("wanted flags, got %q. See: bench delivery --help", flags.Arg(0))
	}
	if *quick {
		p.notices, p.receivers, p.dead, p.slow = 2000, 50, 2, 1
	}
	for _, name := range strings.Split(*stores, ",") {
		if name != sqliteName && name != postgresName {
			return nil, fmt.Errorf("--stores: wanted %s or %s or both with a comma between, got %q", sqliteName, postgresName, name)
		}
		p.stores = append(p.stores, name)
	}
	if p.dead < 0 || p.slow < 0 || p.receivers <= p.dead+p.slow || p.notices < p.receivers {
		return nil, errors.New("--notices, --receivers, --dead and --slow: wanted more receivers than dead and slow ones together, and a notice for each at least")
	}
	return p, nil
}

// runDelivery measures how fast notices that wait reach those receivers that are neither dead nor slow, beside a loop of the same HTTP
// client that keeps nothing: no order, no lease, no attempt, no proof.
func runDelivery(ctx context.Context, args []string, stdout, stderr io.Writer) (err error) {
	p, err := readDeliveryPlan(args, stderr)
	if err != nil {
		return err
	}
	wantsPostgres := strings.Contains(strings.Join(p.stores, " "), postgresName)
	if wantsPostgres && p.postgres == "" {
		if err := withPostgres(ctx, append([]string{"delivery"}, args...)); err != nil {
			return err
		}
	}
	folder, err := os.MkdirTemp(p.folder, "cipgate-bench-")
	if err != nil {
		return fmt.Errorf("make a folder to work in: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	var server *cluster
	if wantsPostgres {
		if server, err = openCluster(ctx, p.postgres); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, server.close()) }()
	}
	if os.Getenv("GOGC") == "" {
		defer debug.SetGCPercent(debug.SetGCPercent(gcPercent))
	}
	var results []drained
	for _, store := range p.stores {
		one, err := p.measure(ctx, folder, store, server, stderr)
		if err != nil {
			return fmt.Errorf("delivery on %s: %w", store, err)
		}
		results = append(results, one)
		if !p.asJSON {
			fmt.Fprintln(stdout, one)
		}
	}
	if p.asJSON {
		if err := json.MarshalWrite(stdout, results, jsontext.WithIndent("  ")); err != nil {
			return fmt.Errorf("write the results: %w", err)
		}
		fmt.Fprintln(stdout)
	}
	return nil
}

// String is what one reads of a run.
func (d drained) String() string {
	return fmt.Sprintf(`%s: %d notices wait for %d receivers, %d of them dead, %d slow; %d are for the others
  addressed   %8.0f/s
  bare loop   %8.0f/s
  cipgate     %8.0f/s  %.2f of the bare loop, %.1f s, %.0f us of processor time each, with %d proofs stated in the ledger meanwhile
%s
  stored as acknowledged: %d`,
		d.Store, d.Notices, d.Receivers, d.Dead, d.Slow, d.Live, d.Addressed, d.Bare, d.Cipgate, d.Cipgate/d.Bare, d.Seconds, d.CPU, d.Proved, d.Memory, d.Kept)
}

// office is a gateway's delivery with a ledger, and nothing else of a gateway.
type office struct {
	db       *gorm.DB
	ledger   *ledger.Ledger
	signer   envelope.Signer
	sender   *outbound.Client
	delivery *delivery.Delivery
}

func (o *office) close() error {
	o.sender.Close()
	return errors.Join(o.ledger.Close(), migrations.Close(o.db))
}

func openOffice(ctx context.Context, store string) (_ *office, err error) {
	o := &office{sender: outbound.New(true)}
	if o.db, err = migrations.Open(ctx, store); err != nil {
		return nil, err
	}
	_, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		return nil, fmt.Errorf("make a key: %w", err)
	}
	if o.signer, err = envelope.NewSigner(private); err != nil {
		return nil, err
	}
	const origin = "gateway.example/log"
	logKey, err := proof.NewLogSigner(origin, private)
	if err != nil {
		return nil, err
	}
	handle, err := keyset.NewHandle(aead.AES256GCMKeyTemplate())
	if err != nil {
		return nil, fmt.Errorf("make a key for bodies: %w", err)
	}
	bodies, err := aead.New(handle)
	if err != nil {
		return nil, fmt.Errorf("make a key for bodies: %w", err)
	}
	if o.ledger, err = ledger.Open(ctx, ledger.Config{DB: o.db, Signer: logKey, Origin: origin, Bodies: bodies, Now: time.Now}); err != nil {
		return nil, errors.Join(err, migrations.Close(o.db))
	}
	o.delivery = delivery.New(delivery.Config{DB: o.db, Ledger: o.ledger, Signer: o.signer, Self: audience, Sender: o.sender, Bodies: bodies,
		Now: time.Now, Jitter: rand.Float64, Log: slog.New(slog.DiscardHandler)})
	return o, nil
}

func resellerNumber(n int) envelope.Entity {
	return envelope.Entity(fmt.Sprintf("%s/e/reseller-%d", audience, n))
}

// state puts the notices' statements into the ledger, each receiver's in turn, and makes the streams.
func (o *office) state(ctx context.Context, p *deliveryPlan, to *receivers) (token []byte, err error) {
	for n := range p.receivers {
		wanted := delivery.Wanted{Method: delivery.MethodPush, Endpoint: to.address(n)}
		if _, err := o.delivery.Create(ctx, notices.OfReseller(resellerNumber(n)), "", wanted); err != nil {
			return nil, err
		}
	}
	const batch = 200
	var sets []envelope.Verified
	for i := range p.notices {
		jti, err := uuid.NewV7()
		if err != nil {
			return nil, fmt.Errorf("make a jti: %w", err)
		}
		about := resellerNumber(i % p.receivers)
		set, err := o.signer.Sign(envelope.Draft{Issuer: audience, Audience: about, IssuedAt: time.Now(), JTI: jti.String(),
			EventURI: statement.KindStandingChanged.URI(), Event: jsontext.Value(statement.Example(statement.KindStandingChanged)),
			Subject: envelope.Subject{Format: "uri", URI: string(about)}})
		if err != nil {
			return nil, err
		}
		if sets, token = append(sets, set), set.Raw(); len(sets) == batch || i == p.notices-1 {
			if _, err := o.ledger.Append(ctx, sets...); err != nil {
				return nil, err
			}
			sets = nil
		}
	}
	return token, nil
}

func (p *deliveryPlan) measure(ctx context.Context, folder, store string, server *cluster, progress io.Writer) (d drained, err error) {
	d = drained{Store: store, Notices: p.notices, Receivers: p.receivers, Dead: p.dead, Slow: p.slow}
	to, err := p.startReceivers(ctx, folder)
	if err != nil {
		return d, err
	}
	defer func() { err = errors.Join(err, to.process.stop()) }()
	storeURL := filepath.Join(folder, "delivery.db")
	if store == postgresName {
		var drop func(context.Context) error
		if storeURL, drop, err = server.fresh(ctx); err != nil {
			return d, err
		}
		defer func() { err = errors.Join(err, drop(context.WithoutCancel(ctx))) }()
	}
	o, err := openOffice(ctx, storeURL)
	if err != nil {
		return d, err
	}
	defer func() { err = errors.Join(err, o.close()) }()
	fmt.Fprintf(progress, "bench: %s: states %d notices\n", store, p.notices)
	token, err := o.state(ctx, p, to)
	if err != nil {
		return d, err
	}
	begun := time.Now()
	if err := o.delivery.Turn(ctx); err != nil {
		return d, err
	}
	d.Addressed = float64(p.notices) / time.Since(begun).Seconds()
	for n := range to.live() {
		d.Live += int64((p.notices - n + p.receivers - 1) / p.receivers)
	}
	fmt.Fprintf(progress, "bench: %s: the bare loop\n", store)
	if d.Bare, err = p.bareLoop(ctx, to, token, d.Live); err != nil {
		return d, err
	}
	if _, err := to.took(ctx, true); err != nil {
		return d, err
	}
	fmt.Fprintf(progress, "bench: %s: cipgate\n", store)
	return d, p.drain(ctx, o, to, &d)
}

func (p *deliveryPlan) startReceivers(ctx context.Context, folder string) (*receivers, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find this program: %w", err)
	}
	running, line, err := startProcess(ctx, folder, self, "receivers")
	if err != nil {
		return nil, err
	}
	shut, err := freeAddress(ctx)
	if err != nil {
		return nil, errors.Join(err, running.stop())
	}
	address := strings.TrimSpace(line)
	return &receivers{process: running, base: "http://" + address, shut: "http://" + shut, count: p.receivers, dead: p.dead, slow: p.slow, counting: newCaller(address)}, nil
}

// drain runs delivery, and the recording of proofs beside it as the gateway does, until the live receivers have all that is theirs.
func (p *deliveryPlan) drain(ctx context.Context, o *office, to *receivers, d *drained) error {
	before, err := o.ledger.Size(ctx)
	if err != nil {
		return err
	}
	endProfile, err := startProfile(p.profile)
	if err != nil {
		return err
	}
	debug.FreeOSMemory() // what was needed to state them is not counted
	if err := writeHeap(p.heapProfile, "start"); err != nil {
		return errors.Join(err, endProfile())
	}
	watch, half := newWatch(d.Live, memory), false
	spent, begun := processTime(os.Getpid()), time.Now()
	running, stop := context.WithCancel(ctx)
	var both sync.WaitGroup
	both.Go(func() { o.delivery.Run(running) })
	var failed error
	both.Go(func() {
		const pace = 500 * time.Millisecond // the keeper's
		for running.Err() == nil {
			if err := o.delivery.Turn(running); err != nil && running.Err() == nil {
				failed = errors.Join(failed, err)
				return
			}
			select {
			case <-running.Done():
			case <-time.After(pace):
			}
		}
	})
	_, err = to.until(ctx, d.Live, func(taken int64) error {
		if watch.note(taken); half || taken < d.Live/2 {
			return nil
		}
		half = true
		return writeHeap(p.heapProfile, "middle")
	})
	if err == nil {
		d.Kept, err = o.kept(ctx, d.Live)
	}
	ended := time.Now()
	d.Memory = watch.end()
	used := processTime(os.Getpid()) - spent
	err = errors.Join(err, writeHeap(p.heapProfile, "end"))
	stop()
	both.Wait()
	if err := errors.Join(err, failed, endProfile()); err != nil {
		return err
	}
	d.Seconds = ended.Sub(begun).Seconds()
	d.Cipgate, d.CPU = float64(d.Live)/d.Seconds, float64(used.Microseconds())/float64(d.Live)
	after, err := o.ledger.Size(ctx)
	d.Proved = after - before
	return err
}

// kept waits until as many notices are stored as acknowledged as reached their receivers, and counts them: what is answered is stored a
// moment later, with the answers of others.
func (o *office) kept(ctx context.Context, wanted int64) (kept int64, err error) {
	for late := time.Now().Add(time.Minute); ; {
		if err := o.db.WithContext(ctx).Raw("SELECT COUNT(*) FROM delivery_notices WHERE state = 'acknowledged'").Scan(&kept).Error; err != nil {
			return kept, fmt.Errorf("count what was kept: %w", err)
		}
		if kept >= wanted {
			return kept, nil
		}
		if time.Now().After(late) {
			return kept, fmt.Errorf("%d notices reached their receivers a minute ago, and of them %d are stored as acknowledged", wanted, kept)
		}
		select {
		case <-ctx.Done():
			return kept, ctx.Err()
		case <-time.After(glance):
		}
	}
}

// bareLoop sends as many to the same receivers by the same client, each receiver's one after the other, and forgets them.
func (p *deliveryPlan) bareLoop(ctx context.Context, to *receivers, token []byte, live int64) (perSecond float64, err error) {
	const workers = 256 // as many as delivery pushes at once
	client := retryablehttp.NewClient()
	client.Logger, client.RetryMax = nil, 0
	client.HTTPClient.Timeout = outbound.Timeout
	client.HTTPClient.Transport = &http.Transport{MaxIdleConnsPerHost: workers, DisableCompression: true}
	defer client.HTTPClient.CloseIdleConnections()
	sending, stop := context.WithCancel(ctx)
	var next atomic.Int64
	var all sync.WaitGroup
	begun := time.Now()
	for range workers {
		all.Go(func() {
			for n := int(next.Add(1)) - 1; n < to.count; n = int(next.Add(1)) - 1 {
				for range (p.notices - n + p.receivers - 1) / p.receivers {
					if post(sending, client, to.address(n), token) != nil {
						break // a dead one: a bare loop has nothing to try it again with
					}
				}
			}
		})
	}
	ended, err := to.until(ctx, live, func(int64) error { return nil })
	stop() // the slow and the hung are not waited for
	all.Wait()
	return float64(live) / ended.Sub(begun).Seconds(), err
}

func post(ctx context.Context, client *retryablehttp.Client, address string, token []byte) error {
	request, err := retryablehttp.NewRequestWithContext(ctx, http.MethodPost, address, token)
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/secevent+jwt")
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, response.Body)
	return errors.Join(err, response.Body.Close())
}
