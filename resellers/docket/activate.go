package docket

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/google/uuid"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/ledger"
	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/resellers/policy"
)

// readShelf puts every policy that the ledger says was ever in force on a shelf, with p as the one in force now.
func (d *Docket) readShelf(ctx context.Context, p policy.Policy) (policy.Shelf, error) {
	var earlier []policy.Policy
	_, err := d.activations(ctx, func(_ int64, said statement.PolicyActivated) error {
		read, err := policy.ParseEarlier([]byte(said.Document))
		if err != nil {
			return fmt.Errorf("reading policy %s back from the ledger: %w", said.Policy, err)
		}
		earlier = append(earlier, read)
		return nil
	})
	if err != nil {
		return policy.Shelf{}, err
	}
	return policy.NewShelf(p, earlier...)
}

// activations calls do for every policy-activated in the ledger, oldest first. They are few. It returns the leaf index of
// the last entry about the gateway, whatever it says: special measures and outages stand there too. It is -1 if none does.
func (d *Docket) activations(ctx context.Context, do func(leafIndex int64, said statement.PolicyActivated) error) (seen int64, err error) {
	for seen = -1; ; {
		entries, err := d.ledger.About(ctx, d.self.ID(), seen+1, page)
		if err != nil {
			return -1, fmt.Errorf("reading the gateway's own entries: %w", err)
		}
		for _, entry := range entries {
			if said, ok := entry.Statement.(statement.PolicyActivated); ok {
				if err := do(entry.LeafIndex, said); err != nil {
					return -1, err
				}
			}
			seen = entry.LeafIndex
		}
		if len(entries) == 0 {
			return seen, nil
		}
	}
}

// Activate states in the ledger that the policy in force is in force, unless that is what stands there already. It
// comes before the first decision by that policy. Of several processes that start at once, one states it.
func (d *Docket) Activate(ctx context.Context) error {
	inForce := d.shelf.InForce()
	last, lastID := int64(-1), ""
	seen, err := d.activations(ctx, func(leafIndex int64, said statement.PolicyActivated) error {
		last, lastID = leafIndex, said.Policy
		return nil
	})
	if err != nil || lastID == inForce.ID() {
		return err
	}
	set, err := d.signer.Sign(envelope.Draft{
		Issuer: d.self, Audience: d.self, IssuedAt: d.now(),
		JTI:      uuid.NewSHA1(uuid.NameSpaceURL, []byte("urn:cipgate:policy-activated:"+inForce.ID()+":"+strconv.FormatInt(last, 10))).String(),
		EventURI: statement.KindPolicyActivated.URI(), Subject: envelope.Subject{Format: "uri", URI: string(d.self)},
		Event: statement.PolicyActivated{Policy: inForce.ID(), Digest: inForce.Digest(), Replaces: lastID,
			EffectiveAt: d.now(), Document: inForce.Document()},
	})
	if err != nil {
		return fmt.Errorf("signing the activation of policy %s: %w", inForce.ID(), err)
	}
	_, err = d.ledger.AppendAfter(ctx, ledger.Seen{About: d.self.ID(), LeafIndex: seen}, set)
	if errors.Is(err, ledger.ErrMoved) || errors.Is(err, ledger.ErrTwin) {
		return d.Activate(ctx) // another process was first; look again at what it stated
	}
	if err != nil {
		return fmt.Errorf("stating that policy %s is in force: %w", inForce.ID(), err)
	}
	return nil
}
