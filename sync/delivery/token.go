package delivery

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/ledger"
	"github.com/cipgate/cipgate/sync/notices"
)

// errGone says that what the notice tells was erased from the ledger.
var errGone = errors.New("the statement was erased")

// token returns what is sent for a notice: the ledger's own token if the receiver is among its audience and its stream asks for no other
// algorithm. A receiver must refuse one that is meant for somebody else (RFC 7519, section 4.1.3), and most of what the provider's own
// systems hear of is meant for the reseller; some receivers know RS256 alone; and not all evidence is for everybody, so that findings and warnings are told apart (shown.go). For them
// the same is signed anew, under the same jti and time, with the digest of the entry in the log as `txn`: that entry stays the proof.
// known is what raws read a moment ago.
func (d *Delivery) token(ctx context.Context, row noticeRow, algorithm string, known map[envelope.Digest][]byte) ([]byte, error) {
	raw, logged := row.Token, ""
	if len(raw) == 0 {
		var err error
		if raw, err = d.raw(ctx, row, known); err != nil {
			return nil, err
		}
		logged = envelope.Digest(row.Digest).String()
	} else if algorithm == AlgorithmEdDSA {
		return raw, nil
	}
	parsed, err := envelope.Parse(raw)
	if err != nil {
		return nil, fmt.Errorf("reading what notice %d tells: %w", row.Sequence, err)
	}
	claims, err := parsed.Claims()
	if err != nil {
		return nil, fmt.Errorf("reading what notice %d tells: %w", row.Sequence, err)
	}
	receiver := notices.Audience(row.Audience).Entity(d.Self)
	event, apart, err := d.shown(ctx, row, claims, raw)
	if err != nil {
		return nil, err
	}
	if slices.Contains(claims.Audience, string(receiver)) && algorithm == AlgorithmEdDSA && !apart {
		return raw, nil
	}
	again, err := d.sign(ctx, algorithm, envelope.Draft{Issuer: d.Self, Audience: receiver, IssuedAt: claims.IssuedAt, JTI: claims.JTI,
		EventURI: claims.EventURI, Event: event, Subject: claims.Subject, TOE: claims.TOE, Txn: logged})
	if err != nil {
		return nil, fmt.Errorf("signing notice %d for %s: %w", row.Sequence, receiver, err)
	}
	return again, nil
}

// raw is what the ledger holds of a notice; known is what was read of it a moment ago, and may be nil.
func (d *Delivery) raw(ctx context.Context, row noticeRow, known map[envelope.Digest][]byte) ([]byte, error) {
	if raw, ok := known[envelope.Digest(row.Digest)]; ok {
		return raw, nil
	}
	raw, _, err := d.Ledger.Raw(ctx, envelope.Digest(row.Digest))
	if errors.Is(err, ledger.ErrErased) {
		return nil, errGone
	}
	if err != nil {
		return nil, fmt.Errorf("reading what notice %d tells: %w", row.Sequence, err)
	}
	return raw, nil
}

// raws reads what the ledger holds of notices at once.
func (d *Delivery) raws(ctx context.Context, rows []noticeRow) (map[envelope.Digest][]byte, error) {
	var digests []envelope.Digest
	for _, row := range rows {
		if len(row.Token) == 0 {
			digests = append(digests, envelope.Digest(row.Digest))
		}
	}
	if len(digests) < 2 {
		return nil, nil
	}
	known, err := d.Ledger.Raws(ctx, digests...)
	if err != nil {
		return nil, fmt.Errorf("reading what notices tell: %w", err)
	}
	return known, nil
}

// sign signs for a stream. RS256 takes a hundred times as long as EdDSA: one at a time, so that a receiver that polls the same again and
// again keeps one processor busy and no more.
func (d *Delivery) sign(ctx context.Context, algorithm string, draft envelope.Draft) ([]byte, error) {
	signer, err := d.signerFor(ctx, algorithm)
	if err != nil {
		return nil, err
	}
	if algorithm != AlgorithmEdDSA {
		select {
		case d.signing <- struct{}{}:
			defer func() { <-d.signing }()
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	signed, err := signer.Sign(draft)
	if err != nil {
		return nil, err
	}
	return signed.Raw(), nil
}
