package docket

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/google/uuid"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/ledger"
	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/resellers/policy"
)

// Activation is that a policy was put in force, as the ledger holds it.
type Activation struct {
	Policy    policy.Policy // as its file says; see policy.ParseEarlier
	LeafIndex int64
	At        time.Time
}

// Activations returns which policies were put in force, the oldest first, with the leaf index of the last entry about the gateway,
// whatever it says: special measures and outages stand there too. It is -1 if none does. They are few.
func Activations(ctx context.Context, log interface {
	About(ctx context.Context, id envelope.ID, from int64, limit int) ([]statement.Entry, error)
}, self envelope.Entity) (all []Activation, seen int64, err error) {
	for seen = -1; ; {
		entries, err := log.About(ctx, self.ID(), seen+1, page)
		if err != nil {
			return nil, -1, fmt.Errorf("reading the gateway's own entries: %w", err)
		}
		for _, entry := range entries {
			seen = entry.LeafIndex
			said, is := entry.Statement.(statement.PolicyActivated)
			if !is || entry.By != self {
				continue
			}
			p, err := policy.ParseEarlier([]byte(said.Document))
			if err != nil {
				return nil, -1, fmt.Errorf("reading policy %s back from the ledger: %w", said.Policy, err)
			}
			all = append(all, Activation{Policy: p, LeafIndex: entry.LeafIndex, At: said.EffectiveAt})
		}
		if len(entries) == 0 {
			return all, seen, nil
		}
	}
}

// InForce is the policy by which this process opens new cases.
func (d *Docket) InForce() policy.Policy { return d.shelves.Load().InForce() }

// Shelf holds the policies that were ever in force, with p in place of the one that is. An error says that p is another file than the
// one that was in force under its ID.
func (d *Docket) Shelf(ctx context.Context, p policy.Policy) (policy.Shelf, error) {
	return d.readShelf(ctx, p)
}

// readShelf puts every policy that the ledger says was ever in force on a shelf, with p as the one in force now.
func (d *Docket) readShelf(ctx context.Context, p policy.Policy) (policy.Shelf, error) {
	all, _, err := Activations(ctx, d.ledger, d.self)
	if err != nil {
		return policy.Shelf{}, err
	}
	return shelfOf(p, all)
}

func shelfOf(p policy.Policy, all []Activation) (policy.Shelf, error) {
	earlier := make([]policy.Policy, len(all))
	for i, a := range all {
		earlier[i] = a.Policy
	}
	return policy.NewShelf(p, earlier...)
}

// Adopt judges by the policy that the ledger says is in force from here on, if it is another one than this process was given, and
// returns it. What an earlier file does not say to the shells is as shipped.
func (d *Docket) Adopt(ctx context.Context) (policy.Policy, error) {
	all, _, err := Activations(ctx, d.ledger, d.self)
	if err != nil || len(all) == 0 {
		return d.InForce(), err
	}
	last := all[len(all)-1].Policy
	if ours := d.InForce(); ours.ID() == last.ID() {
		return ours, nil
	}
	last = last.Completed(policy.Default())
	shelf, err := shelfOf(last, all)
	if err != nil {
		return d.InForce(), err
	}
	d.shelves.Store(&shelf)
	return last, nil
}

// Activate states in the ledger that the policy in force is in force, unless that is what stands there already. It
// comes before the first decision by that policy. Of several processes that start at once, one states it.
func (d *Docket) Activate(ctx context.Context) error {
	inForce := d.InForce()
	_, err := d.ActivateAs(ctx, inForce, func(all []Activation) ([]envelope.Verified, error) {
		if len(all) > 0 && all[len(all)-1].Policy.ID() == inForce.ID() {
			return nil, errStands
		}
		return nil, nil
	})
	if errors.Is(err, errStands) {
		return nil
	}
	return err
}

var errStands = errors.New("this policy is in force already")

// ActivateAs states in the ledger that a policy is in force, in one commit with what beside returns of the activations before it: who did
// it, such as. It does so only if nothing newer about the gateway stands there; else beside is asked again. After an error of beside
// nothing is stated. The receipt is of the activation.
func (d *Docket) ActivateAs(ctx context.Context, p policy.Policy, beside func([]Activation) ([]envelope.Verified, error)) (ledger.Receipt, error) {
	for {
		all, seen, err := Activations(ctx, d.ledger, d.self)
		if err != nil {
			return ledger.Receipt{}, err
		}
		more, err := beside(all)
		if err != nil {
			return ledger.Receipt{}, err
		}
		if _, err := shelfOf(p, all); err != nil {
			return ledger.Receipt{}, err
		}
		set, err := d.activation(p, all)
		if err != nil {
			return ledger.Receipt{}, err
		}
		receipts, err := d.ledger.AppendAfter(ctx, ledger.Seen{About: d.self.ID(), LeafIndex: seen}, append([]envelope.Verified{set}, more...)...)
		if errors.Is(err, ledger.ErrMoved) || errors.Is(err, ledger.ErrTwin) {
			continue // another process was first; look again at what it stated
		}
		if err != nil {
			return ledger.Receipt{}, fmt.Errorf("stating that policy %s is in force: %w", p.ID(), err)
		}
		return receipts[0], nil
	}
}

func (d *Docket) activation(p policy.Policy, all []Activation) (envelope.Verified, error) {
	last, lastID := int64(-1), ""
	if len(all) > 0 {
		last, lastID = all[len(all)-1].LeafIndex, all[len(all)-1].Policy.ID()
	}
	set, err := d.signer.Sign(envelope.Draft{
		Issuer: d.self, Audience: d.self, IssuedAt: d.now(),
		JTI:      uuid.NewSHA1(uuid.NameSpaceURL, []byte("urn:cipgate:policy-activated:"+p.ID()+":"+strconv.FormatInt(last, 10))).String(),
		EventURI: statement.KindPolicyActivated.URI(), Subject: envelope.Subject{Format: "uri", URI: string(d.self)},
		Event: statement.PolicyActivated{Policy: p.ID(), Digest: p.Digest(), Replaces: lastID,
			EffectiveAt: d.now(), Document: p.Document()},
	})
	if err != nil {
		return envelope.Verified{}, fmt.Errorf("signing the activation of policy %s: %w", p.ID(), err)
	}
	// What a fold could not read back must never get into the ledger.
	if _, err := statement.Decode(set); err != nil {
		return envelope.Verified{}, fmt.Errorf("an activation of policy %s that breaks its own schema: %w", p.ID(), err)
	}
	return set, nil
}
