package obligations

import (
	"errors"
	"fmt"
	"time"

	"github.com/cipgate/cipgate/attestations/statement"
)

// Why an officer may not end an obligation. Each comes in a sentence that says what was wanted and what to do.
var (
	ErrEnded    = errors.New("the obligation has ended")
	ErrOneOfTwo = errors.New("it takes two different officers")
)

// MayEnd says whether the obligation may be fulfilled, or its waiver proposed.
func (o Obligation) MayEnd() error {
	if o.Closed.How != "" {
		return fmt.Errorf("obligations: %w: it was %s at %s by %s; read it again", ErrEnded, o.Closed.How, o.Closed.At.Format(time.RFC3339), o.Closed.By.Name)
	}
	return nil
}

// MayWaive says whether an officer may waive what another one proposed to.
func (o Obligation) MayWaive(by statement.Officer, proposedBy *statement.Officer) error {
	if err := o.MayEnd(); err != nil {
		return err
	}
	if proposedBy == nil || proposedBy.ID == by.ID {
		return fmt.Errorf("obligations: %w to waive what is owed to an authority: one proposes it and another one confirms", ErrOneOfTwo)
	}
	return nil
}
