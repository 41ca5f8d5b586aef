package desk

import (
	"context"
	"slices"
	"strings"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/resellers/docket"
)

// StreamChange is what an officer does to the stream over which somebody is told: a reseller's, or a system's of the provider.
type StreamChange struct {
	Reseller envelope.ID // zero for a system of the provider
	System   string      // the label of its token
	Status   string      // enabled, paused; of a system also disabled
	Told     string      // what the receiver is told as the reason; may be empty
	Reason   string      // for the record
}

const maxTold = 1000 // bytes

// ChangeStream records that a stream is paused, disabled or enabled again; delivery carries it out and tells the receiver. Errors wrap
// ErrRefused, ErrMoved or docket.ErrNotFound.
func (d *Desk) ChangeStream(ctx context.Context, by statement.Officer, change StreamChange) (Acted, error) {
	allowed := []string{"enabled", "paused"}
	if change.System != "" {
		allowed = append(allowed, "disabled")
	}
	switch {
	case change.System == "" && change.Status == "disabled":
		return Acted{}, refused("status: wanted enabled or paused, got disabled: what a reseller is told is mandatory, for steps and their deadlines rest on it. Pause it instead: everything is kept until it is enabled again")
	case !slices.Contains(allowed, change.Status):
		return Acted{}, refused("status: wanted %s, got another one", strings.Join(allowed, ", "))
	case len(change.Told) > maxTold:
		return Acted{}, refused("told: wanted at most %d bytes, got %d", maxTold, len(change.Told))
	}
	var details []statement.Field
	if change.System != "" {
		details = append(details, field("system", change.System))
	}
	if strings.TrimSpace(change.Told) != "" {
		details = append(details, field("told", change.Told))
	}
	action := "stream." + change.Status
	if change.System != "" {
		said, err := reasoned(by, action, d.onSelf(), change.Reason, details...)
		if err != nil {
			return Acted{}, err
		}
		return d.house(ctx, "", said)
	}
	return d.act(ctx, change.Reseller, func(file docket.File) ([]statement.Statement, error) {
		return one(reasoned(by, action, statement.Target{Type: "reseller", ID: string(file.Entity)}, change.Reason, details...))
	})
}

// RotateNoticeKey records that a new key signs for streams that ask for RS256.
func (d *Desk) RotateNoticeKey(ctx context.Context, by statement.Officer, reason string) (Acted, error) {
	said, err := reasoned(by, "stream.key-rotated", d.onSelf(), reason)
	if err != nil {
		return Acted{}, err
	}
	return d.house(ctx, "", said)
}
