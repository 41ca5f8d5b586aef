package delivery

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/ledger"
	"github.com/cipgate/cipgate/sync/notices"
)

// errGone says that what the notice tells was erased from the ledger.
var errGone = errors.New("the statement was erased")

// token returns what is sent for a notice: the ledger's own token if the receiver is among its audience. A receiver must refuse
// one that is meant for somebody else (RFC 7519, section 4.1.3), and most of what the provider's own systems hear of is meant for
// the reseller: that is stated again for the receiver, under the same jti and time, with the digest of the entry in the log as `txn`.
func (d *Delivery) token(ctx context.Context, row noticeRow) ([]byte, error) {
	if len(row.Token) > 0 {
		return row.Token, nil
	}
	raw, _, err := d.Ledger.Raw(ctx, envelope.Digest(row.Digest))
	if errors.Is(err, ledger.ErrErased) {
		return nil, errGone
	}
	if err != nil {
		return nil, fmt.Errorf("reading what notice %d tells: %w", row.Sequence, err)
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
	if slices.Contains(claims.Audience, string(receiver)) {
		return raw, nil
	}
	again, err := d.Signer.Sign(envelope.Draft{Issuer: d.Self, Audience: receiver, IssuedAt: claims.IssuedAt, JTI: claims.JTI,
		EventURI: claims.EventURI, Event: jsontext.Value(claims.Event), Subject: claims.Subject, TOE: claims.TOE, Txn: envelope.Digest(row.Digest).String()})
	if err != nil {
		return nil, fmt.Errorf("signing notice %d for %s: %w", row.Sequence, receiver, err)
	}
	return again.Raw(), nil
}
