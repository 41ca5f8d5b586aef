package history

import (
	"time"

	"github.com/cipgate/cipgate/attestations/statement"
)

// The officer's actions that stop a reseller's stream, so that what is stated waits, and let it go on.
const (
	actionStreamPaused  = "stream.paused"
	actionStreamEnabled = "stream.enabled"
)

// Reach is what is known of whether a reseller can be reached.
type Reach struct {
	// Asked says that a notice is on its way that asks something, and since then none was proved and nothing was answered.
	Asked bool `json:"asked,omitzero"`
	// Channel says that a channel is known that could prove one: it proved one before, or an officer tried it.
	Channel bool `json:"channel,omitzero"`
	// Paused says that an officer paused what was the channel.
	Paused bool `json:"paused,omitzero"`
}

// asks folds a notice that asks something.
func (h History) asks(leafIndex int64, at time.Time) History {
	h.Reach.Asked = true
	return h.unproved(leafIndex, at)
}

// hears folds that the reseller answered, or did what was asked: who does that was reached.
func (h History) hears(leafIndex int64, at time.Time) History {
	h.Reach.Asked = false
	return h.unproved(leafIndex, at)
}

// proved folds that a channel proved a notice, whichever it was: by that one the next can be proved too.
func (h History) proved(leafIndex int64, at time.Time) History {
	h.Reach = Reach{Channel: true}
	return h.unproved(leafIndex, at)
}

// tried folds what an officer recorded of a call or a courier. One that nobody answered went by a channel that could have proved it.
func (h History) tried(said statement.OfficerAction, leafIndex int64, at time.Time) History {
	if detail(said, detailAnswered) != "no" {
		return h.proved(leafIndex, at)
	}
	h.Reach.Channel, h.Reach.Paused = true, false
	return h.unproved(leafIndex, at)
}

// streamed folds that an officer stopped the reseller's stream, or let it go on. What we pause reaches nobody, by our own doing; and what
// is let go on is a channel if it was one.
func (h History) streamed(action string, leafIndex int64, at time.Time) History {
	switch {
	case action == actionStreamPaused && h.Reach.Channel:
		h.Reach.Channel, h.Reach.Paused = false, true
	case action == actionStreamEnabled && h.Reach.Paused:
		h.Reach.Channel, h.Reach.Paused = true, false
	}
	return h.unproved(leafIndex, at)
}

// unproved is since when both hold: something is asked, and there is a channel that could prove that it arrived.
func (h History) unproved(leafIndex int64, at time.Time) History {
	h.Unproved = h.Unproved.with(h.Reach.Asked && h.Reach.Channel, leafIndex, at)
	return h
}
