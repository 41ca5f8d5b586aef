package delivery

import (
	"context"
	"fmt"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/sync/notices"
)

// shown returns the event that a notice tells its audience, and whether that is signed apart from the ledger's: what evidence is not for
// it is left out. The entries that are its evidence say who may be shown them, so this reads them; of other kinds it reads nothing.
func (d *Delivery) shown(ctx context.Context, row noticeRow, claims envelope.Claims, raw []byte) (event jsontext.Value, apart bool, err error) {
	event = jsontext.Value(claims.Event)
	if claims.EventURI != statement.KindFindingOpened.URI() && claims.EventURI != statement.KindWarningIssued.URI() {
		return event, false, nil
	}
	entry, err := statement.Recall(row.LeafIndex, claims.IssuedAt, envelope.DigestOf(raw), raw)
	if err != nil {
		return nil, false, fmt.Errorf("reading what notice %d tells: %w", row.Sequence, err)
	}
	if !notices.Apart(entry.Statement) {
		return event, false, nil
	}
	told, err := d.toldTo(ctx, row, entry.Statement)
	if err != nil {
		return nil, false, err
	}
	if event, err = json.Marshal(told); err != nil {
		return nil, false, fmt.Errorf("writing what notice %d tells: %w", row.Sequence, err)
	}
	return event, true, nil
}

// toldTo is a statement as the audience of a notice may be told it.
func (d *Delivery) toldTo(ctx context.Context, row noticeRow, said statement.Statement) (statement.Statement, error) {
	asked := notices.Evidence(said)
	if len(asked) == 0 {
		return notices.Shown(said, nil, notices.Audience(row.Audience)), nil
	}
	evidence, err := d.Ledger.At(ctx, asked...)
	if err != nil {
		return nil, fmt.Errorf("reading who may be shown the evidence of notice %d: %w", row.Sequence, err)
	}
	return notices.Shown(said, evidence, notices.Audience(row.Audience)), nil
}
