package history

import (
	"slices"
	"time"

	"github.com/cipgate/cipgate/attestations/statement"
)

// keptCopies is how many written programs a History remembers: the latest.
const keptCopies = 16

// Copy is a written program that an attestation named by its digest.
type Copy struct {
	SHA256     string    `json:"sha256"`               // base64url
	NamedAt    time.Time `json:"named_at"`             // when the first attestation that names it was accepted
	ReceivedAt time.Time `json:"received_at,omitzero"` // when the document itself was in hand; zero if it is not
}

// Copy returns the written program with this digest; false if none of the latest 16 that were named has it.
func (h History) Copy(sha256 string) (Copy, bool) {
	for _, one := range h.Copies {
		if one.SHA256 == sha256 {
			return one, true
		}
	}
	return Copy{}, false
}

// named notes that an attestation names a written program.
func (h History) named(sha256 string, at time.Time) History {
	if _, known := h.Copy(sha256); known {
		return h
	}
	held := slices.Clone(h.Copies) // histories are values: the one we came from keeps its own
	if len(held) == keptCopies {
		held = slices.Delete(held, 0, 1)
	}
	h.Copies = append(held, Copy{SHA256: sha256, NamedAt: at})
	return h
}

// received notes that a document is in hand. With that of the program that the latest attestation stands for, none is owed, and every
// request for it is answered; another document answers the request that it names.
func (h History) received(said statement.DocumentReceived, leafIndex int64, at time.Time) History {
	sha256, answers := said.Document.SHA256, called(said.Request)
	if latest, attested := h.Latest(); attested && latest.Copy == sha256 {
		h.CopyOwed = h.CopyOwed.with(false, leafIndex, at)
		answers = func(Debt) bool { return true }
	}
	h.CIPRequests = h.CIPRequests.settled(leafIndex, at, answers)
	for i, one := range h.Copies {
		if one.SHA256 == sha256 && one.ReceivedAt.IsZero() {
			h.Copies = slices.Clone(h.Copies)
			h.Copies[i].ReceivedAt = at
		}
	}
	return h
}
