package history

import (
	"time"

	"github.com/cipgate/cipgate/attestations/statement"
)

// Exemption is what a reseller is, or was last, exempt from the duty of a Customer Identification Program by (15 CFR 7.306, proposed).
// It stands beside the standing. The zero Exemption is none.
type Exemption struct {
	ID         string         `json:"id,omitzero"`
	Since      time.Time      `json:"since,omitzero"` // when the ledger took it
	Until      time.Time      `json:"until,omitzero"` // the first moment at which it no longer holds; when it was withdrawn, if it was
	Conditions string         `json:"conditions,omitzero"`
	GrantedOn  statement.Date `json:"granted_on,omitzero"`
	GrantedBy  string         `json:"granted_by,omitzero"`
	Reference  string         `json:"reference,omitzero"`
	Withdrawn  bool           `json:"withdrawn,omitzero"`
	LeafIndex  int64          `json:"leaf_index,omitzero"` // of the entry that granted it
	EndLeaf    int64          `json:"end_leaf,omitzero"`   // of the entry that says when it ends: the same, or the one that withdrew it
}

// In says whether the exemption holds at a time.
func (e Exemption) In(now time.Time) bool {
	return e.ID != "" && !now.Before(e.Since) && now.Before(e.Until)
}

// granted takes the newest exemption. One that is extended, whether under its own id or by a new one, has held since it began, unless
// there was a time without.
func (h History) granted(s statement.ExemptionGranted, leafIndex int64, at time.Time) History {
	next := Exemption{ID: s.Exemption, Since: at, Until: s.Until.UTC(), Conditions: s.Conditions, GrantedOn: s.GrantedOn, GrantedBy: s.GrantedBy,
		Reference: s.Reference, LeafIndex: leafIndex, EndLeaf: leafIndex}
	if !next.Until.After(at) {
		return h // it was over before it was taken
	}
	if h.Exempt.In(at) {
		next.Since = h.Exempt.Since
	}
	h.Exempt = next
	return h
}

func (h History) withdrawn(s statement.ExemptionWithdrawn, leafIndex int64, at time.Time) History {
	if h.Exempt.ID == s.Exemption && h.Exempt.In(at) {
		h.Exempt.Until, h.Exempt.EndLeaf, h.Exempt.Withdrawn = at, leafIndex, true
	}
	return h
}
