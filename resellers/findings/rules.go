package findings

import (
	"time"

	"github.com/cipgate/cipgate/resellers/history"
	"github.com/cipgate/cipgate/resellers/policy"
)

// shortfall is what the facts say under one rule, nothing new being said: since when it falls short, which may be ahead, and the
// entries from which that follows, at least one.
type shortfall struct {
	from     time.Time // from when its time runs
	since    time.Time // whole seconds
	evidence []int64
}

// row judges one rule.
type row struct {
	name string
	rule func(*policy.Rules) *policy.Rule
	// anew says that after an exemption the whole time of the rule runs again, since what it asks for was not asked for before.
	anew bool
	// short is false in its second answer if nothing is owed.
	short func(*policy.Rules, *history.History) (shortfall, bool)
	// spell, where the shortfall is one spell, is which.
	spell func(*history.History) *history.Spell
}

// judged lists the rules in the order in which their findings are returned. The custom ones come after them.
var judged = []row{
	// 15 CFR 7.303, proposed: a reseller maintains a CIP; it has not said so yet.
	{name: policy.CIPMissing, rule: func(r *policy.Rules) *policy.Rule { return &r.CIPMissing }, anew: true, short: missing},
	// 15 CFR 7.304, proposed: every year.
	{name: policy.CIPStale, rule: func(r *policy.Rules) *policy.Rule { return &r.CIPStale.Rule }, short: outOfDate},
	// 15 CFR 7.302 and 7.303, proposed: a reseller says itself that it does not implement what it must. It has attested all the same, so
	// it is cured of cip.missing and cip.stale, and this one begins in the same second: a case that is open goes on by its clock.
	{name: policy.CIPIncomplete, rule: func(r *policy.Rules) *policy.Rule { return &r.CIPIncomplete },
		spell: func(h *history.History) *history.Spell { return &h.Incomplete }},
	// 15 CFR 7.303, proposed: a written copy of each reseller's CIP is kept.
	{name: policy.CIPCopyMissing, rule: func(r *policy.Rules) *policy.Rule { return &r.CIPCopyMissing }, anew: true,
		spell: func(h *history.History) *history.Spell { return &h.CopyOwed }},
	// 15 CFR 7.302, proposed: what happens where identity cannot be verified.
	{name: policy.CustomerUnverified, rule: func(r *policy.Rules) *policy.Rule { return &r.CustomerUnverified.Rule }, short: unverified},
	// 15 CFR 7.302, proposed: accuracy is verified again periodically.
	{name: policy.CustomerStale, rule: func(r *policy.Rules) *policy.Rule { return &r.CustomerStale.Rule }, short: stale},
	// 15 CFR 7.302, proposed: what is collected of each customer.
	{name: policy.CustomerIncomplete, rule: func(r *policy.Rules) *policy.Rule { return &r.CustomerIncomplete },
		spell: func(h *history.History) *history.Spell { return &h.CustomersIncomplete }},
}

// rowOf returns the row of a rule; nil if it is a custom one, or one that this version does not know.
func rowOf(rule string) *row {
	for i := range judged {
		if judged[i].name == rule {
			return &judged[i]
		}
	}
	return nil
}

// lasts is true for a rule whose finding is one for as long as anything falls short under it, whoever else it is by then: a reseller
// that verifies one of many customers a day must not begin a new finding each day. Those of the first two rules are about one entry.
func lasts(rule string) bool { return rule != policy.CIPMissing && rule != policy.CIPStale }

func (r *row) judge(rules *policy.Rules, h *history.History) (shortfall, bool) {
	if r.spell != nil {
		return spell(*r.spell(h), time.Duration(r.rule(rules).After.Value))
	}
	return r.short(rules, h)
}

func missing(r *policy.Rules, h *history.History) (shortfall, bool) {
	return after(r.CIPMissing.After, h.EnrolledAt, h.EnrolledLeaf), len(h.Attestations) == 0
}

// outOfDate counts from accepted_at, never from what the statement claims.
func outOfDate(r *policy.Rules, h *history.History) (shortfall, bool) {
	latest, attested := h.Latest()
	return after(r.CIPStale.After, latest.AcceptedAt, latest.LeafIndex), attested
}

func after(n policy.Number, from time.Time, leafIndex int64) shortfall {
	return shortfall{from, wholeSecond(n.From(from)), []int64{leafIndex}}
}

// spell is the shortfall of what may last this long. What may not last at all falls short from the second of its entry on, rounded
// down: rounded up, an entry that cures one finding and begins another would end a case before the other one joins it.
func spell(s history.Spell, allowed time.Duration) (shortfall, bool) {
	since := s.Since.UTC().Truncate(time.Second)
	if allowed > 0 {
		since = wholeSecond(s.Since.Add(allowed))
	}
	return shortfall{s.Since, since, []int64{s.LeafIndex}}, s.Lasts()
}

// unverified is whatever comes first: the customer that has waited longest, or too large a share of all of them.
func unverified(r *policy.Rules, h *history.History) (short shortfall, owed bool) {
	rule := &r.CustomerUnverified
	if first := h.Waiting.Unverified; !first.Nobody() {
		short, owed = after(rule.After, first.Since, first.LeafIndex), true
	}
	if share, more := h.UnverifiedShare(rule.Share.Value); more && rule.Share.Value > 0 {
		if many := after(rule.After, share.Since, share.LeafIndex); !owed || many.since.Before(short.since) {
			short, owed = many, true
		}
	}
	return short, owed
}

// stale is the verification that grew, or will grow, too old for its risk tier first.
func stale(r *policy.Rules, h *history.History) (short shortfall, owed bool) {
	refresh := &r.CustomerStale.Refresh
	for _, tier := range [...]struct {
		waiter *history.Waiter
		after  *policy.Number
	}{{&h.Waiting.High, &refresh.High}, {&h.Waiting.Medium, &refresh.Medium}, {&h.Waiting.Low, &refresh.Low}} {
		if tier.waiter.Nobody() {
			continue
		}
		if old := after(*tier.after, tier.waiter.Since, tier.waiter.LeafIndex); !owed || old.since.Before(short.since) {
			short, owed = old, true
		}
	}
	return short, owed
}

// statedLast is the shortfall of a custom rule. Its expression knows no time, so the answer turned with a statement: the newest one is
// the latest that it can have been, and when it was accepted is what the rule is counted from.
func statedLast(h *history.History) shortfall {
	if h.Figures.LastStatedAt.IsZero() {
		return shortfall{h.EnrolledAt, wholeSecond(h.EnrolledAt), []int64{h.EnrolledLeaf}}
	}
	last := h.Figures.LastStatedAt
	return shortfall{last, last.Truncate(time.Second), []int64{h.Figures.LastStatedLeaf}}
}

// figuresOf are the figures of which custom rules are made.
func figuresOf(h *history.History) policy.Figures {
	f := &h.Figures
	return policy.Figures{
		Country: h.Country, Attestations: h.AttestationCount, Statements: f.Statements,
		Customers: f.Customers, CustomersVerified: f.CustomersVerified, CustomersNotVerified: f.CustomersNotVerified,
		CustomersUnstated: f.CustomersUnstated(), CustomersUS: f.CustomersUS, CustomersUnverified: f.CustomersUnverified,
		UnverifiedAccounts: f.UnverifiedAccounts, CustomersIncomplete: f.CustomersIncomplete,
		Owners: f.Owners, OwnersVerified: f.OwnersVerified, OwnersUS: f.OwnersUS,
		Accounts: f.Accounts, AccountsOpen: f.AccountsOpen, AccountsLimited: f.AccountsLimited, AccountsNotOpened: f.AccountsNotOpened,
		TrainingsPlanned: f.TrainingsPlanned, TrainingsOccurred: f.TrainingsOccurred, SuspiciousReports: f.SuspiciousReports,
		CustomersByCountry: f.CustomersByCountry, ForeignOwnersByCountry: f.ForeignOwnersByCountry,
	}
}
