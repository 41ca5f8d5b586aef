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
// an exemption from the rule that was granted after what it follows from and reaches beyond the time at which it opened, or an officer
// who settled it. It asks for no time: a finding that is merely not assessed, by a node whose clock is behind, is not cured.
func Cured(p *policy.Policy, h *history.History, rule string, since time.Time, evidence []int64) (Cure, bool) {
	of := ruleOf(p, rule)
	by, is := Cure{}, false
	if of == nil || of.CuredBy != policy.ByOfficer {
		by, is = cured(p, h, rule, evidence)
		if e := h.Exempt; endedBy(e, rule, since, evidence) && (!is || e.LeafIndex < by.LeafIndex) {
			by, is = Cure{LeafIndex: e.LeafIndex, AcceptedAt: e.Since}, true
		}
	}
	if len(h.Settled) > 0 {
		if s, done := settlement(h, of, idOf(rule, since, evidence)); done && (!is || s.LeafIndex < by.LeafIndex) {
			return Cure{LeafIndex: s.LeafIndex, AcceptedAt: s.At}, true
		}
	}
	return by, is
}

// settlement is how an officer settled a finding. Accepting a remediation settles only what the facts do not cure.
func settlement(h *history.History, rule *policy.Rule, id string) (history.Settled, bool) {
	s, done := h.Settlement(id)
	return s, done && (s.Upheld || rule != nil && rule.CuredBy == policy.ByOfficer)
}

// ruleOf returns a rule of the policy by its name, whether it is on or not; nil if the policy does not name it.
func ruleOf(p *policy.Policy, name string) *policy.Rule {
	if row := rowOf(name); row != nil {
		if rule := row.rule(&p.Rules); rule.Name != "" {
			return rule
		}
		return nil
	}
	for i := range p.Rules.Custom {
		if p.Rules.Custom[i].Name == name {
			return &p.Rules.Custom[i].Rule
		}
	}
	return nil
}

func cured(p *policy.Policy, h *history.History, rule string, evidence []int64) (Cure, bool) {
	row := rowOf(rule)
	switch {
	case rule == policy.ContactUnconfirmed:
		return Cure{LeafIndex: h.Contact.LeafIndex, AcceptedAt: h.Contact.At}, h.Contact.LeafIndex > newest(evidence)
	case row != nil && row.spell != nil && row.last == nil && len(evidence) > 0:
		return ended(*row.spell(h), evidence[0])
	case row != nil && lasts(rule):
		if row.each != nil {
			return Cure{}, false // facts for good
		}
		last := Cure{LeafIndex: h.Figures.LastStatedLeaf, AcceptedAt: h.Figures.LastStatedAt}
		if row.last != nil {
			last = row.last(h, newest(evidence))
		}
		short, owed := row.judge(&p.Rules, h)
		return outlasted(last, short, owed, evidence)
	case row == nil && strings.HasPrefix(rule, policy.CustomPrefix):
		custom := slices.IndexFunc(p.Rules.Custom, func(c policy.CustomRule) bool { return c.Name == rule && c.On })
		figures := figuresOf(h)
		// One that is in no policy any more finds nothing.
		return outlasted(Cure{LeafIndex: h.Figures.LastStatedLeaf, AcceptedAt: h.Figures.LastStatedAt}, statedLast(h),
			custom >= 0 && p.Rules.Custom[custom].Holds(&figures), evidence)
	}
	attested, cured := h.FirstAfter(newest(evidence))
	return Cure{LeafIndex: attested.LeafIndex, AcceptedAt: attested.AcceptedAt}, cured
}

// ended is the cure of a finding about the spell that began with this entry, or grew with it: when that spell ended, though another one
// began before anybody looked. Of a file that was folded before ends were kept it knows only that it ended before that other one began.
func ended(s history.Spell, began int64) (Cure, bool) {
	end, is := s.EndAfter(began)
	if !is && s.LeafIndex > began {
		return Cure{LeafIndex: s.LeafIndex, AcceptedAt: s.Since}, true
	}
	return Cure{LeafIndex: end.LeafIndex, AcceptedAt: end.At}, is
}

// outlasted is the cure of a finding under a rule that lasts: the last entry that can have ended it, if after it nothing falls short,
// or only later than it. What fell short before that entry is the same finding, going on; and so is what follows first from the same
// entry, though a policy that came since gives it more time. What began behind that entry did not fall short before it, also where it
// may not last at all, and falls short from the first moment of its second on.
func outlasted(last Cure, short shortfall, owed bool, evidence []int64) (Cure, bool) {
	same := owed && len(evidence) > 0 && short.evidence[0] == evidence[0]
	goesOn := owed && short.evidence[0] <= last.LeafIndex && !short.since.After(last.AcceptedAt)
	if last.AcceptedAt.IsZero() || last.LeafIndex <= newest(evidence) || same || goesOn {
		return Cure{}, false
	}
	return last, true
}

// GoesOn is true if a finding that was stated is the one that is found now: under a rule of many things it goes on until none of them
// falls short, though by then it would have begun later and with other entries; and under a rule about one entry until that is cured,
// though a policy that came since gives another time.
func GoesOn(p *policy.Policy, h *history.History, f Finding, rule string, since time.Time, evidence []int64) bool {
	if f.Rule != rule || rowOf(rule) != nil && rowOf(rule).each != nil { // each piece of evidence is a finding of its own
		return false
	}
	// What is about one entry is the same for as long as it is about that one. Another policy may say since another time, and the time
	// that it says must not open a second finding of what is open.
	if !lasts(rule) && (len(evidence) == 0 || len(f.Evidence) == 0 || evidence[0] != f.Evidence[0]) {
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
