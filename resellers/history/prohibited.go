package history

import (
	"slices"
	"time"

	"github.com/cipgate/cipgate/attestations/statement"
)

// Prohibited is whom a special measure in force prohibits from having an account, as the screener stated it last: customers with an
// open account, or the reseller itself. The zero Prohibited is that of a reseller about which it never stated anything.
type Prohibited struct {
	Spell     Spell     `json:"spell,omitzero"`     // since it is so
	Grew      Spell     `json:"grew,omitzero"`      // since it is as many as that, or more
	From      time.Time `json:"from,omitzero"`      // from when on the first of them is, which the screener may have seen later
	Customers int       `json:"customers,omitzero"` // how many
	Itself    bool      `json:"itself,omitzero"`
	Evidence  []int64   `json:"evidence,omitzero"` // leaf indexes: of measures, and of what says so of the first of them
	Number    int       `json:"number,omitzero"`   // of the newest statement about it
}

// screened folds what the screener found.
func (h History) screened(said statement.ScreeningChanged, leafIndex int64, at time.Time) History {
	if said.Number <= h.Prohibited.Number {
		return h // it was overtaken
	}
	p := h.Prohibited
	holds := said.Customers > 0 || said.Itself
	begins := holds && !p.Spell.Lasts()
	p.Spell = p.Spell.with(holds, leafIndex, at)
	if holds && (said.Customers > p.Customers || said.Itself && !p.Itself) {
		p.Grew = Spell{Since: at, LeafIndex: leafIndex}
	}
	p.Customers, p.Itself, p.Evidence, p.Number = said.Customers, said.Itself, slices.Clone(said.Evidence), said.Number
	if begins {
		p.From = at
		if since := said.Since.UTC(); !said.Since.IsZero() && since.Before(at) {
			p.From = since
		}
	}
	h.Prohibited = p
	return h
}
