package findings

import (
	"strings"
	"time"

	"github.com/cipgate/cipgate/resellers/history"
	"github.com/cipgate/cipgate/resellers/policy"
)

// exempted is true for the rules that an exemption exempts from: those of the program itself (15 CFR 7.306, proposed). Special
// measures, the provider's orders and reports, those of AI training among them, bind all the same.
func exempted(rule string) bool { return strings.HasPrefix(rule, "cip.") }

// afterExemption is when a shortfall opens at the earliest if its time runs into an exemption; zero if it does not. Under one, nothing
// falls short of the program. Its end is known in advance: what was never handed in has its whole time from then on, and what grew
// old meanwhile is due at the end.
func afterExemption(rule policy.Rule, anew bool, exempt history.Exemption, from time.Time) time.Time {
	switch {
	case exempt.ID == "" || !exempted(rule.Name) || !exempt.Until.After(from):
		return time.Time{}
	case anew:
		return wholeSecond(rule.After.From(exempt.Until))
	}
	return wholeSecond(exempt.Until)
}

// exempted moves a shortfall behind an exemption that its time runs into: under one, nothing falls short of the program.
func (r *row) exempted(rule *policy.Rule, s shortfall, exempt history.Exemption) shortfall {
	if exempt.ID == "" {
		return s
	}
	if after := afterExemption(*rule, r.anew, exempt, s.from); after.After(s.since) {
		s.since, s.evidence, s.exempt = after, append(s.evidence, exempt.EndLeaf), true
	}
	return s
}

// endedBy says that an exemption ends what fell short of the program. What came behind its grant it never ended: either it reached that
// too, which then fell short only once it was over, or it was over before. In the second in which it was withdrawn the times do not tell,
// since what may not last at all falls short from the first moment of its second on; the order of the ledger does.
func endedBy(e history.Exemption, rule string, since time.Time, evidence []int64) bool {
	return e.ID != "" && exempted(rule) && since.Before(e.Until) && newest(evidence) < e.LeafIndex
}
