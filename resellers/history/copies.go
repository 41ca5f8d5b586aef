package history

import (
	"slices"
	"time"
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

// received notes that the document itself is in hand. With that of the program that the latest attestation stands for, none is owed.
func (h History) received(sha256 string, leafIndex int64, at time.Time) History {
	if latest, attested := h.Latest(); attested && latest.Copy == sha256 {
		h.CopyOwed = h.CopyOwed.with(false, leafIndex, at)
	}
	for i, one := range h.Copies {
		if one.SHA256 == sha256 && one.ReceivedAt.IsZero() {
			h.Copies = slices.Clone(h.Copies)
			h.Copies[i].ReceivedAt = at
		}
	}
	return h
}
