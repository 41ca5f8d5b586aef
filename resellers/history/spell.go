package history

import (
	"slices"
	"time"

	"github.com/cipgate/cipgate/attestations/statement"
)

// Spell is the time in which something held without a break: the latest one, with when earlier ones ended. The zero Spell is that of
// what never held.
type Spell struct {
	Since     time.Time `json:"since,omitzero"`      // when the ledger took the entry that it began with
	LeafIndex int64     `json:"leaf_index,omitzero"` // of that entry
	EndedAt   time.Time `json:"ended_at,omitzero"`   // when it took the one that ended it; zero while it lasts
	EndLeaf   int64     `json:"end_leaf,omitzero"`

	// Earlier are the ends of the spells before it, the oldest first and the latest 8: one may end and the next begin before anybody
	// looks, and what was found of the one before ended all the same.
	Earlier []End `json:"earlier,omitzero"`
}

// End is when a spell ended.
type End struct {
	At        time.Time `json:"at"`
	LeafIndex int64     `json:"leaf_index"` // of the entry that ended it
}

const keptEnds = 8

// EndAfter returns the first end of a spell after an entry that lay in one: false if that one lasts. Where more ends came since than are
// held it returns the first that it holds.
func (s Spell) EndAfter(leafIndex int64) (End, bool) {
	for _, end := range s.Earlier {
		if end.LeafIndex > leafIndex {
			return end, true
		}
	}
	return End{At: s.EndedAt, LeafIndex: s.EndLeaf}, !s.EndedAt.IsZero() && s.EndLeaf > leafIndex
}

// Lasts is true from the entry that begins a spell until the one that ends it.
func (s Spell) Lasts() bool { return !s.Since.IsZero() && s.EndedAt.IsZero() }

// with begins or ends a spell, where an entry makes something hold that did not, or the other way round.
func (s Spell) with(holds bool, leafIndex int64, at time.Time) Spell {
	switch {
	case holds && !s.Lasts():
		next := Spell{Since: at, LeafIndex: leafIndex, Earlier: s.Earlier}
		if !s.EndedAt.IsZero() {
			// Histories are values: nobody appends to what the one we came from keeps.
			next.Earlier = append(slices.Clone(s.Earlier[max(0, len(s.Earlier)+1-keptEnds):]), End{At: s.EndedAt, LeafIndex: s.EndLeaf})
		}
		return next
	case !holds && s.Lasts():
		s.EndedAt, s.EndLeaf = at, leafIndex
	}
	return s
}

// notInPlace returns the elements of which an attestation says that they are not in place, in the order of the statement. An
// adopted program is the superior's, and so are its elements.
func notInPlace(e *statement.Elements) []string {
	if e == nil {
		return nil
	}
	var absent []string
	for _, element := range []struct {
		name string
		is   statement.Element
	}{
		{"written_program", e.WrittenProgram}, {"identification_data", e.IdentificationData}, {"access_addresses", e.AccessAddresses},
		{"identity_verification", e.IdentityVerification}, {"beneficial_owners", e.BeneficialOwners},
		{"unverified_no_account", e.UnverifiedNoAccount}, {"unverified_limited_use", e.UnverifiedLimitedUse},
		{"unverified_closure", e.UnverifiedClosure}, {"unverified_redress", e.UnverifiedRedress}, {"reverification", e.Reverification},
		{"record_retention", e.RecordRetention}, {"customer_disclosure", e.CustomerDisclosure},
		{"third_party_access", e.ThirdPartyAccess}, {"ai_misuse", e.AIMisuse}, {"red_flags", e.RedFlags},
	} {
		if !element.is.InPlace {
			absent = append(absent, element.name)
		}
	}
	if e.ResellerOversight != nil && !e.ResellerOversight.InPlace {
		absent = append(absent, "reseller_oversight")
	}
	return absent
}

// Share is since when more than a share of a reseller's customers has an open account and is not verified though it should be. A share
// is counted in whole customers, rounded up: of ten customers, more than five percent are two.
type Share struct {
	Percent   int       `json:"percent"` // the highest whole percentage that was exceeded without a break since then
	Since     time.Time `json:"since"`
	LeafIndex int64     `json:"leaf_index"`
}

// shared notes the share of unverified customers as of an entry. Each step is higher and younger than the one before, so that for every
// percentage the time since when it was exceeded can be read off, and there are a hundred at most.
func shared(steps []Share, f Figures, leafIndex int64, at time.Time) []Share {
	percent := 0
	if f.CustomersUnverified > 1 {
		percent = 100 * (f.CustomersUnverified - 1) / f.Customers
	}
	keep := len(steps)
	for keep > 0 && steps[keep-1].Percent > percent {
		keep--
	}
	highest := 0
	if keep > 0 {
		highest = steps[keep-1].Percent
	}
	if highest == percent {
		if keep == 0 {
			return nil
		}
		return steps[:keep:keep] // histories are values: nobody appends to what the one we came from keeps
	}
	next := Share{Percent: percent, Since: at, LeafIndex: leafIndex}
	if keep < len(steps) {
		next.Since, next.LeafIndex = steps[keep].Since, steps[keep].LeafIndex // it was never less since the step above this one began
	}
	return append(slices.Clone(steps[:keep]), next)
}

// UnverifiedShare returns since when more than this percentage of all customers was unverified without a break; false if it is not.
func (h History) UnverifiedShare(percent int) (Share, bool) {
	for _, step := range h.Shares {
		if step.Percent >= percent {
			return step, true
		}
	}
	return Share{}, false
}
