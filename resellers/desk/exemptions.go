package desk

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/ledger"
	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/resellers/docket"
	"github.com/cipgate/cipgate/resellers/history"
)

// Exempt records that the Secretary exempted a reseller, or the provider, whose entity is the gateway's. The same exemption with
// another end or other words replaces what was stated of it; the same again changes nothing. Errors wrap ErrRefused or
// docket.ErrNotFound, or are the ledger's.
func (d *Desk) Exempt(ctx context.Context, about envelope.Entity, by statement.Officer, said statement.ExemptionGranted) (history.Exemption, error) {
	said.RecordedBy = by
	said.Until = said.Until.UTC().Truncate(time.Second)
	return d.exemption(ctx, about, said.Exemption, said, func(h history.Exemption) (done bool, err error) {
		if !h.In(d.now()) {
			return false, nil
		}
		if h.ID != said.Exemption {
			return false, refused("exemption: wanted %s, which is in force, got another one. Extend it under its own id, or withdraw it first", h.ID)
		}
		return h.Until.Equal(said.Until) && h.Conditions == said.Conditions && h.GrantedBy == said.GrantedBy && h.GrantedOn == said.GrantedOn &&
			h.Reference == said.Reference, nil
	})
}

// Withdraw records that an exemption no longer holds. Errors wrap ErrNotFound, ErrRefused or docket.ErrNotFound, or are the ledger's.
func (d *Desk) Withdraw(ctx context.Context, about envelope.Entity, by statement.Officer, said statement.ExemptionWithdrawn) (history.Exemption, error) {
	said.RecordedBy = by
	return d.exemption(ctx, about, said.Exemption, said, func(h history.Exemption) (done bool, err error) {
		switch {
		case h.ID != said.Exemption:
			return false, fmt.Errorf("%w: GET /v1/exemptions lists the exemptions", ErrNotFound)
		case !h.In(d.now()):
			return false, refused("exemption: wanted one that holds, got one that is over since %s", h.Until.Format(time.RFC3339))
		}
		return false, nil
	})
}

// Exemption returns what an entity is exempt by, or was last.
func (d *Desk) Exemption(ctx context.Context, about envelope.Entity) (history.Exemption, error) {
	h, err := d.historyOf(ctx, about)
	return h.Exempt, err
}

// exemption states what is said unless check finds that it stands already or cannot, and if nothing else was stated about the entity
// meanwhile.
func (d *Desk) exemption(ctx context.Context, about envelope.Entity, id string, said statement.Statement, check func(history.Exemption) (done bool, err error)) (history.Exemption, error) {
	for range attempts {
		h, err := d.historyOf(ctx, about)
		if err != nil {
			return history.Exemption{}, err
		}
		if !h.TerminatedAt.IsZero() {
			return history.Exemption{}, refused("reseller: wanted one whose relationship stands, got one whose relationship was terminated")
		}
		if done, err := check(h.Exempt); err != nil || done {
			return h.Exempt, err
		}
		name := fmt.Sprintf("urn:cipgate:%s:%s:%s:%d", said.Kind(), about, id, h.Seen())
		set, err := d.sign(about, uuid.NewSHA1(uuid.NameSpaceURL, []byte(name)).String(), said)
		if err != nil {
			return history.Exemption{}, err
		}
		_, err = d.ledger.AppendAfter(ctx, ledger.Seen{About: about.ID(), LeafIndex: h.Seen()}, set)
		if overtaken(err) {
			continue
		}
		if err != nil {
			return history.Exemption{}, fmt.Errorf("recording an exemption: %w", err)
		}
		return d.Exemption(ctx, about)
	}
	return history.Exemption{}, fmt.Errorf("%w: read the exemptions again and send it once more", ErrMoved)
}

// entryPage is how many entries are read at once.
const entryPage = 500

// historyOf is what the docket holds of a reseller, with what was stated since. Of the gateway itself it holds nothing: its few
// entries are read.
func (d *Desk) historyOf(ctx context.Context, about envelope.Entity) (history.History, error) {
	var h history.History
	if about != d.self {
		file, err := d.files.Open(ctx, about.ID())
		if errors.Is(err, docket.ErrNotFound) {
			return h, fmt.Errorf("%w: wanted the entity identifier of a reseller that is enrolled here. GET /v1/resellers lists them", docket.ErrNotFound)
		}
		if err != nil {
			return h, err
		}
		h = file.History
	}
	for {
		entries, err := d.ledger.About(ctx, about.ID(), h.Seen()+1, entryPage)
		if err != nil {
			return h, fmt.Errorf("reading exemptions: %w", err)
		}
		if len(entries) == 0 {
			return h, nil
		}
		for _, e := range entries {
			if about == d.self {
				e.By = "" // the Secretary exempts the provider; the gateway only records it
			}
			h = h.With(e)
		}
	}
}
