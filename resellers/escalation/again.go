package escalation

import (
	"slices"
	"strconv"
	"time"

	"github.com/cipgate/cipgate/resellers/findings"
)

// Ended is how far findings under one rule reach that were opened and are open no more. One that is younger, or follows from a later
// entry, cannot have been opened before.
type Ended struct {
	Rule  string    `json:"rule"`
	Since time.Time `json:"since"` // of the youngest of them
	Leaf  int64     `json:"leaf"`  // the latest of the entries that they follow from first
}

// identity is under which id a shortfall is opened. A finding that was opened once may come again with the same facts: a customer's
// account is closed, which cures it, and opened again. It is another finding then, with a jti and a case of its own, or the ledger
// would refuse it for ever. Its number is how many findings were opened of the reseller, which every node and every replay counts the
// same, and which no other one has.
func (c Case) identity(f findings.Finding) string {
	before := slices.ContainsFunc(c.Ended, func(e Ended) bool {
		return e.Rule == f.Rule && !f.Since.After(e.Since) && first(f.Evidence) <= e.Leaf
	})
	if !before {
		return f.ID
	}
	return f.ID + findings.Again + strconv.Itoa(c.Opened+1)
}

// over notes that a finding is open no more.
func (c Case) over(o Open) Case {
	c.Ended = slices.Clone(c.Ended)
	for i := range c.Ended {
		if e := &c.Ended[i]; e.Rule == o.Rule {
			e.Since, e.Leaf = latter(e.Since, o.Since), max(e.Leaf, first(o.Evidence))
			return c
		}
	}
	c.Ended = append(c.Ended, Ended{Rule: o.Rule, Since: o.Since, Leaf: first(o.Evidence)})
	return c
}

// newest is the newest entry that a finding follows from; -1 if it names none.
func newest(evidence []int64) int64 {
	last := int64(-1)
	for _, leaf := range evidence {
		last = max(last, leaf)
	}
	return last
}

// first is the entry that a finding follows from first; -1 if it names none.
func first(evidence []int64) int64 {
	if len(evidence) == 0 {
		return -1
	}
	return evidence[0]
}
