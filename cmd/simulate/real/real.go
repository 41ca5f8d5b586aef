// Package real is the whole gateway under a life: the real ledger and docket on SQLite, signatures, schemas and tree included, with two
// nodes on one database. Beside the faults that a life asks for it kills nodes on its own account, at any statement to the store, and
// starts them again: that must change nothing.
package real

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"time"

	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/keyset"
	"github.com/tink-crypto/tink-go/v2/tink"
	"gorm.io/gorm"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/ledger"
	"github.com/cipgate/cipgate/attestations/proof"
	"github.com/cipgate/cipgate/cmd/simulate/audit"
	"github.com/cipgate/cipgate/cmd/simulate/life"
	"github.com/cipgate/cipgate/migrations"
	"github.com/cipgate/cipgate/resellers/docket"
	"github.com/cipgate/cipgate/resellers/policy"
)

// Engine is a gateway of two nodes. It is used by one goroutine.
type Engine struct {
	ctx      context.Context
	db       *gorm.DB
	ledger   *ledger.Ledger
	now      time.Time
	gateway  envelope.Signer
	reseller envelope.Signer
	policy   policy.Policy
	nodes    [2]*node
	sweeps   int
	stood    *held
	written  []audit.Entry
	deaths   *rand.Rand
	Killed   int // how often a node was killed on the engine's own account
}

// node is a process: a docket with its own view of store and ledger, which fail from when it is killed.
type node struct {
	docket *docket.Docket
	killer *killer
}

// New starts a gateway whose store lies in a folder. seed says when nodes are killed.
func New(ctx context.Context, folder string, seed uint64) (*Engine, error) {
	e := &Engine{ctx: ctx, deaths: rand.New(rand.NewPCG(seed, 0x646561746873)), now: life.Epoch}
	var err error
	if e.gateway, err = signer('g'); err != nil {
		return nil, err
	}
	if e.reseller, err = signer('r'); err != nil {
		return nil, err
	}
	if e.db, err = migrations.Open(ctx, "sqlite://"+filepath.Join(folder, "simulated.db")); err != nil {
		return nil, fmt.Errorf("open a store: %w", err)
	}
	key, err := bodies()
	if err != nil {
		return nil, errors.Join(err, migrations.Close(e.db))
	}
	const origin = "provider.example/log"
	log, err := proof.NewLogSigner(origin, ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize)))
	if err == nil {
		e.ledger, err = ledger.Open(ctx, ledger.Config{DB: e.db, Signer: log, Origin: origin, Bodies: key, Now: e.clock})
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open a ledger: %w", err), migrations.Close(e.db))
	}
	return e, nil
}

func signer(name byte) (envelope.Signer, error) {
	seed := make([]byte, ed25519.SeedSize)
	seed[0] = name
	s, err := envelope.NewSigner(ed25519.NewKeyFromSeed(seed))
	if err != nil {
		return s, fmt.Errorf("make a key: %w", err)
	}
	return s, nil
}

func bodies() (tink.AEAD, error) {
	handle, err := keyset.NewHandle(aead.AES256GCMKeyTemplate())
	if err != nil {
		return nil, fmt.Errorf("make the key of bodies: %w", err)
	}
	key, err := aead.New(handle)
	if err != nil {
		return nil, fmt.Errorf("make the key of bodies: %w", err)
	}
	return key, nil
}

// Close stops the gateway. The ledger is checked whole: its tree over what it holds.
func (e *Engine) Close() error {
	return errors.Join(e.ledger.Check(e.ctx), e.ledger.Close(), migrations.Close(e.db))
}

func (e *Engine) clock() time.Time { return e.now }

// State appends what somebody states.
func (e *Engine) State(now time.Time, said life.Draft) error {
	e.now = now
	by := e.gateway
	subject := envelope.Subject{Format: "uri", URI: string(said.About)}
	if said.By != life.Gateway {
		by = e.reseller
		if !said.Statement.Kind().ByGateway() {
			subject = envelope.Subject{}
		}
	}
	if said.Customer != "" {
		subject = envelope.Subject{Format: "opaque", ID: said.Customer}
	}
	set, err := by.Sign(envelope.Draft{Issuer: said.By, Audience: life.Gateway, IssuedAt: now, JTI: said.JTI, EventURI: said.Statement.Kind().URI(),
		Event: said.Statement, Subject: subject})
	if err != nil {
		return fmt.Errorf("sign a %s: %w", said.Statement.Kind(), err)
	}
	if _, err = e.ledger.Append(e.ctx, set); err != nil {
		return fmt.Errorf("append a %s: %w", said.Statement.Kind(), err)
	}
	return nil
}

// Activate starts the nodes with a policy.
func (e *Engine) Activate(now time.Time, p policy.Policy) error {
	e.now = now
	replaces := e.policy.ID()
	if e.policy.Name == "" {
		replaces = ""
	}
	if replaces == p.ID() {
		return nil
	}
	// What docket.Activate states, under an id that does not depend on its name space.
	if err := e.State(now, life.Activation(p, replaces, now)); err != nil {
		return err
	}
	e.policy = p
	for i := range e.nodes {
		if err := e.start(i, -1); err != nil {
			return err
		}
		if err := e.nodes[i].docket.Activate(e.ctx); err != nil { // it stands there already
			return fmt.Errorf("activate a policy: %w", err)
		}
	}
	return nil
}

// start starts a node that will be killed after so many steps; never if that is negative.
func (e *Engine) start(i, after int) error {
	k := &killer{after: after}
	db, err := k.mortal(e.db)
	if err != nil {
		return err
	}
	d, err := docket.New(e.ctx, db, &mortal{Ledger: e.ledger, killer: k, engine: e}, e.gateway, life.Gateway, e.policy, e.clock)
	if err != nil {
		return fmt.Errorf("start a node: %w", err)
	}
	e.nodes[i] = &node{docket: d, killer: k}
	return nil
}

// Sweep lets the nodes settle in turn.
func (e *Engine) Sweep(now time.Time, fault life.Fault) (hit bool, err error) {
	e.now = now
	e.sweeps++
	i := e.sweeps % len(e.nodes)
	n := e.nodes[i]
	if fault.What == life.None && e.deaths.IntN(3) == 0 { // killed anywhere; the other one takes over at once
		n.killer.fault, n.killer.after = life.Fault{}, n.killer.steps+e.deaths.IntN(20)
		_, err := n.docket.Sweep(e.ctx)
		if errors.Is(err, errKilled) {
			e.Killed++
			if err := e.start(i, -1); err != nil {
				return false, err
			}
			i = 1 - i
			n = e.nodes[i]
		} else if err != nil && !strings.Contains(err.Error(), "it is still due after") {
			return false, fmt.Errorf("sweep: %w", err)
		}
		n.killer.after = -1
	}
	n.killer.fault, n.killer.stated, n.killer.hit = fault, 0, false
	_, err = n.docket.Sweep(e.ctx)
	hit = n.killer.hit
	n.killer.fault = life.Fault{}
	switch {
	case errors.Is(err, errKilled) && hit:
		return true, e.start(i, -1)
	case err != nil && strings.Contains(err.Error(), "it is still due after"):
		return false, fmt.Errorf("sweep: %w: %w", life.ErrStuck, err)
	case err != nil:
		return false, fmt.Errorf("sweep: %w", err)
	}
	return hit, nil
}

// held is what a node that stands still was about to state.
type held struct {
	seen ledger.Seen
	sets []envelope.Verified
}

// Resume lets the node that stands still go on.
func (e *Engine) Resume(now time.Time) (taken bool, err error) {
	e.now = now
	h := e.stood
	if e.stood = nil; h == nil {
		return false, nil
	}
	_, err = e.ledger.AppendAfter(e.ctx, h.seen, h.sets...)
	switch {
	case errors.Is(err, ledger.ErrMoved) || errors.Is(err, ledger.ErrTwin):
		return false, nil
	case err != nil:
		return false, fmt.Errorf("append what stood still: %w", err)
	}
	return true, nil
}

// Wakes is when something must be settled next, by the docket's own rows.
func (e *Engine) Wakes() (time.Time, error) {
	size, err := e.ledger.Size(e.ctx)
	if err != nil {
		return time.Time{}, fmt.Errorf("read the size of the ledger: %w", err)
	}
	var cursor int64
	if err := e.db.Raw("SELECT next_leaf FROM docket_cursor WHERE id = 1").Scan(&cursor).Error; err != nil {
		return time.Time{}, fmt.Errorf("read the docket's cursor: %w", err)
	}
	if cursor < size {
		return time.Unix(0, 0).UTC(), nil
	}
	var next *int64
	if err := e.db.Raw("SELECT min(next_at) FROM docket_files WHERE next_at < 9223372036854775807").Scan(&next).Error; err != nil {
		return time.Time{}, fmt.Errorf("read when a file falls due: %w", err)
	}
	if next == nil {
		return time.Time{}, nil
	}
	return time.UnixMicro(*next).UTC(), nil
}

// Entries returns the ledger from a leaf index on, with what was signed.
func (e *Engine) Entries(from int64) ([]audit.Entry, error) {
	for {
		known := int64(len(e.written))
		entries, err := e.ledger.Entries(e.ctx, known, 1000)
		if err != nil {
			return nil, fmt.Errorf("read the ledger: %w", err)
		}
		if len(entries) == 0 {
			return e.written[min(from, known):], nil
		}
		for _, entry := range entries {
			raw, _, err := e.ledger.Raw(e.ctx, entry.Digest)
			if err != nil {
				return nil, fmt.Errorf("read entry %d: %w", entry.LeafIndex, err)
			}
			parsed, err := envelope.Parse(raw)
			if err != nil {
				return nil, fmt.Errorf("read entry %d: %w", entry.LeafIndex, err)
			}
			claims, err := parsed.Claims()
			if err != nil {
				return nil, fmt.Errorf("read entry %d: %w", entry.LeafIndex, err)
			}
			e.written = append(e.written, audit.Entry{Leaf: entry.LeafIndex, AcceptedAt: entry.AcceptedAt, About: string(entry.About), By: string(entry.By),
				Customer: entry.Customer, JTI: entry.JTI, Kind: string(entry.Statement.Kind()), JSON: bytes.Clone(claims.Event)})
		}
	}
}
