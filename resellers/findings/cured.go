package findings

import (
	"slices"
	"strings"
	"time"

	"github.com/cipgate/cipgate/resellers/history"
	"github.com/cipgate/cipgate/resellers/policy"
)

// Cure is the entry that cured a finding.
type Cure struct {
	LeafIndex  int64
	AcceptedAt time.Time
}

// Cured returns what cured a finding that was stated, if anything did: an entry after which the facts no longer fall short as it says,
// or an exemption from the rule that reaches beyond the time at which it opened. It asks for no time: a finding that is merely not
// assessed, by a node whose clock is behind, is not cured.
func Cured(p policy.Policy, h history.History, rule string, since time.Time, evidence []int64) (Cure, bool) {
	by, cured := cured(&p, &h, rule, since, evidence)
	if e := h.Exempt; e.ID != "" && exempted(rule) && since.Before(e.Until) && (!cured || e.LeafIndex < by.LeafIndex) {
		return Cure{LeafIndex: e.LeafIndex, AcceptedAt: e.Since}, true
	}
	return by, cured
}

func cured(p *policy.Policy, h *history.History, rule string, since time.Time, evidence []int64) (Cure, bool) {
	row := rowOf(rule)
	switch {
	case row != nil && row.spell != nil && len(evidence) > 0:
		return ended(*row.spell(h), evidence[0])
	case row != nil && lasts(rule):
		short, owed := row.judge(&p.Rules, h)
		return outlasted(h, short, owed, since, evidence)
	case row == nil && strings.HasPrefix(rule, policy.CustomPrefix):
		custom := slices.IndexFunc(p.Rules.Custom, func(c policy.CustomRule) bool { return c.Name == rule && c.On })
		figures := figuresOf(h)
		// One that is in no policy any more finds nothing.
		return outlasted(h, statedLast(h), custom >= 0 && p.Rules.Custom[custom].Holds(&figures), since, evidence)
	}
	attested, cured := h.FirstAfter(newest(evidence))
	return Cure{LeafIndex: attested.LeafIndex, AcceptedAt: attested.AcceptedAt}, cured
}

// ended is the cure of a finding about the spell that began with this entry. Of an earlier spell than the one that is known it knows
// only that it ended before that one began.
func ended(s history.Spell, began int64) (Cure, bool) {
	if s.LeafIndex > began {
		return Cure{LeafIndex: s.LeafIndex, AcceptedAt: s.Since}, true
	}
	return Cure{LeafIndex: s.EndLeaf, AcceptedAt: s.EndedAt}, s.LeafIndex == began && !s.EndedAt.IsZero()
}

// outlasted is the cure of a finding under a rule that lasts: the newest statement, if after it nothing falls short, or only later
// than it. What fell short before that statement is the same finding, going on.
func outlasted(h *history.History, short shortfall, owed bool, since time.Time, evidence []int64) (Cure, bool) {
	last := Cure{LeafIndex: h.Figures.LastStatedLeaf, AcceptedAt: h.Figures.LastStatedAt}
	same := short.since.Equal(since) && slices.Equal(short.evidence, evidence)
	if last.AcceptedAt.IsZero() || last.LeafIndex <= newest(evidence) || owed && (same || !short.since.After(last.AcceptedAt)) {
		return Cure{}, false
	}
	return last, true
}

// GoesOn is true if a finding that was stated is the one that is found now: under a rule of many things it goes on until none of them
// falls short, though by then it would have begun later and with other entries.
func GoesOn(p policy.Policy, h history.History, f Finding, rule string, since time.Time, evidence []int64) bool {
	if f.Rule != rule || !lasts(rule) {
		return false
	}
	_, cured := Cured(p, h, rule, since, evidence)
	return !cured
}

// newest is the leaf index of the newest of these entries, -1 of none.
func newest(evidence []int64) int64 {
	last := int64(-1)
	for _, leafIndex := range evidence {
		last = max(last, leafIndex)
	}
	return last
}
