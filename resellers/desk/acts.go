package desk

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/ledger"
	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/resellers/docket"
)

// Acted is what was recorded.
type Acted struct {
	JTI       string
	LeafIndex int64
	Digest    envelope.Digest
	At        time.Time
}

// judge looks at a file as it stands in this moment, with all that the ledger holds about the reseller, and says what is to be stated.
type judge func(docket.File) ([]statement.Statement, error)

// act states something about a reseller. What judge says is appended only if nothing newer was said of the reseller meanwhile, else
// judge is asked again. Errors are those of judge, wrap ErrMoved or docket.ErrNotFound, or are the ledger's.
func (d *Desk) act(ctx context.Context, id envelope.ID, judge judge) (Acted, error) {
	number, err := uuid.NewV7()
	if err != nil {
		return Acted{}, fmt.Errorf("making a jti: %w", err)
	}
	return d.actUnder(ctx, id, number.String(), judge)
}

// actUnder is act under a jti that says what is done, so that it is done once. What is stated beside has a jti that follows from it.
func (d *Desk) actUnder(ctx context.Context, id envelope.ID, jti string, judge judge) (Acted, error) {
	for range attempts {
		file, err := d.file(ctx, id)
		if err != nil {
			return Acted{}, err
		}
		said, err := judge(file)
		if err != nil {
			return Acted{}, err
		}
		sets := make([]envelope.Verified, len(said))
		for i, one := range said {
			under := jti
			if i > 0 {
				under = beside(jti, one)
			}
			if sets[i], err = d.sign(file.Entity, under, one); err != nil {
				return Acted{}, err
			}
		}
		receipts, err := d.ledger.AppendAfter(ctx, ledger.Seen{About: id, LeafIndex: file.Seen()}, sets...)
		if errors.Is(err, ledger.ErrMoved) {
			continue
		}
		if errors.Is(err, ledger.ErrTwin) {
			return Acted{}, fmt.Errorf("%w: another officer did the same a moment ago. Look at the case again", ErrMoved)
		}
		if err != nil {
			return Acted{}, fmt.Errorf("recording what an officer did: %w", err)
		}
		return d.acted(ctx, jti, receipts[0])
	}
	return Acted{}, fmt.Errorf("%w: look at the case again and send it once more", ErrMoved)
}

// beside is the jti of what is stated together with something under another.
func beside(jti string, said statement.Statement) string {
	return uuid.NewSHA1(uuid.NameSpaceURL, []byte("urn:cipgate:beside:"+jti+":"+string(said.Kind()))).String()
}

// acted folds what was recorded, so that whoever asks next sees it. What follows from it is decided where everything is.
func (d *Desk) acted(ctx context.Context, jti string, receipt ledger.Receipt) (Acted, error) {
	if err := d.files.CatchUp(ctx); err != nil {
		return Acted{}, fmt.Errorf("folding what was recorded: %w", err)
	}
	return Acted{JTI: jti, LeafIndex: receipt.LeafIndex, Digest: receipt.Digest, At: receipt.AcceptedAt}, nil
}

// house states something about the gateway itself.
func (d *Desk) house(ctx context.Context, jti string, said statement.Statement) (Acted, error) {
	if jti == "" {
		number, err := uuid.NewV7()
		if err != nil {
			return Acted{}, fmt.Errorf("making a jti: %w", err)
		}
		jti = number.String()
	}
	set, err := d.sign(d.self, jti, said)
	if err != nil {
		return Acted{}, err
	}
	receipts, err := d.ledger.Append(ctx, set)
	if errors.Is(err, ledger.ErrTwin) {
		return Acted{}, fmt.Errorf("%w: another officer did the same a moment ago", ErrMoved)
	}
	if err != nil {
		return Acted{}, fmt.Errorf("recording what an officer did: %w", err)
	}
	return d.acted(ctx, jti, receipts[0])
}

// file is what the docket holds of a reseller, with what was stated since.
func (d *Desk) file(ctx context.Context, id envelope.ID) (docket.File, error) {
	file, err := d.files.Open(ctx, id)
	if errors.Is(err, docket.ErrNotFound) {
		// One that was enrolled a moment ago is in the ledger, and not yet folded.
		if err := d.files.CatchUp(ctx); err != nil {
			return file, fmt.Errorf("folding what is new: %w", err)
		}
		file, err = d.files.Open(ctx, id)
	}
	if errors.Is(err, docket.ErrNotFound) {
		return file, fmt.Errorf("%w: wanted the id of a reseller that is enrolled here. GET /v1/resellers lists them", docket.ErrNotFound)
	}
	if err != nil {
		return file, err
	}
	for {
		entries, err := d.ledger.About(ctx, id, file.Seen()+1, entryPage)
		if err != nil {
			return file, fmt.Errorf("reading what was said of a reseller: %w", err)
		}
		if len(entries) == 0 {
			return file, nil
		}
		for _, e := range entries {
			file.History, file.Case = file.History.With(e), file.Case.With(e)
		}
	}
}

// reasoned is an action with its reason, checked.
func reasoned(by statement.Officer, action string, on statement.Target, reason string, details ...statement.Field) (statement.OfficerAction, error) {
	if strings.TrimSpace(reason) == "" {
		return statement.OfficerAction{}, refused("reason: wanted why this is done, in words that a court could read, got nothing")
	}
	return statement.OfficerAction{Officer: by, Action: action, On: on, Reason: reason, Details: details}, nil
}

func onCase(id string) statement.Target { return statement.Target{Type: "case", ID: id} }
func (d *Desk) onSelf() statement.Target {
	return statement.Target{Type: "gateway", ID: string(d.self)}
}
func second(t time.Time) time.Time             { return t.UTC().Truncate(time.Second) }
func shown(t time.Time) string                 { return t.UTC().Format(time.RFC3339) }
func field(name, value string) statement.Field { return statement.Field{Name: name, Value: value} }

// openCase refuses what is done about a case where none is open, or where it has ended in a termination.
func openCase(file docket.File) error {
	switch c := file.Case; {
	case !c.TerminatedAt.IsZero():
		return refused("case: wanted one that is open, got one that ended in the termination of %s. A wrong termination is taken back by a reinstatement", shown(c.TerminatedAt))
	case c.ID == "":
		return refused("case: wanted a reseller with an open case, got one without. GET /v1/cases lists the open ones")
	}
	return nil
}
