package officer

import (
	"maps"
	"slices"

	"github.com/cipgate/cipgate/resellers/backtest"
)

// Moved is how often one thing moves when a policy comes into force.
type Moved struct {
	What  string
	Count int
}

// TellMoves tells what moves in words for people, over all resellers, and leaves out what does not.
func TellMoves(m backtest.Moves) (told []Moved) {
	add := func(what string, n int) {
		if n > 0 {
			told = append(told, Moved{what, n})
		}
	}
	each := func(what string, counts map[string]int) {
		for _, name := range slices.Sorted(maps.Keys(counts)) {
			add(what+name, counts[name])
		}
	}
	each("findings that open now: ", m.Totals.Opens)
	each("findings that are no more: ", m.Totals.Closes)
	add("cases that open now", m.Totals.Cases)
	add("cases that end now", m.Totals.CasesEnd)
	add("warned now", m.Totals.Warned)
	add("restricted now", m.Totals.Restricted)
	add("accounts ordered closed now", m.Totals.Closing)
	add("terminated now", m.Totals.Terminated)
	add("whose steps ahead are others, or on other days", m.Totals.Steps)
	add("trainings that become covered, each to report", m.Totals.Covered)
	each("obligations to an authority that begin: ", m.Totals.Clocks.Begin)
	each("obligations that would begin and do not: ", m.Totals.Clocks.End)
	each("obligations that are due otherwise: ", m.Totals.Clocks.Move)
	add("open cases, which keep their policy", m.Pinned)
	add("open obligations, which keep their dates", m.Owed)
	return told
}
