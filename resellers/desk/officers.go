package desk

import (
	"context"
	"fmt"

	"github.com/cipgate/cipgate/attestations/statement"
)

// RecordOfficer puts on record what became of an officer's account or token, about the gateway itself. The same jti again with the
// same words changes nothing. Errors are the ledger's, or wrap ErrRefused.
func (d *Desk) RecordOfficer(ctx context.Context, jti string, said statement.OfficerAction) error {
	said.On = statement.Target{Type: "gateway", ID: string(d.self)}
	set, err := d.sign(d.self, jti, said)
	if err != nil {
		return err
	}
	if _, err := d.ledger.Append(ctx, set); err != nil {
		return fmt.Errorf("recording what became of an officer: %w", err)
	}
	return nil
}
