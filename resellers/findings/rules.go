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
	severity policy.Severity // where it is not the rule's
	anew     time.Duration   // after which it is found again once an officer settled it; 0 if it is not
	exempt   bool            // an exemption ended at since
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
	// each, where every piece of evidence is a finding of its own, is all of them.
	each func(*history.History) []shortfall
	// last, where it is not the newest statement, is the entry after these leaf indexes that can have ended the shortfall last.
	last func(h *history.History, after int64) Cure
}

// judged lists the rules in the order in which their findings are returned. The custom ones come after them.
var judged = []row{
	// 15 CFR 7.303, proposed: a reseller maintains a CIP; it has not said so yet.
	{name: policy.CIPMissing, rule: func(r *policy.Rules) *policy.Rule { return &r.CIPMissing }, anew: true, short: missing},
	// 15 CFR 7.304, proposed: every year.
	{name: policy.CIPStale, rule: func(r *policy.Rules) *policy.Rule { return &r.CIPStale }, short: outOfDate},
	// 15 CFR 7.302 and 7.303, proposed: a reseller says itself that it does not implement what it must. It has attested all the same, so
	// it is cured of cip.missing and cip.stale, and this one begins in the same second: a case that is open goes on by its clock.
	{name: policy.CIPIncomplete, rule: func(r *policy.Rules) *policy.Rule { return &r.CIPIncomplete },
		spell: func(h *history.History) *history.Spell { return &h.Incomplete }},
	// 15 CFR 7.303, proposed: a written copy of each reseller's CIP is kept, and given on request.
	{name: policy.CIPCopyMissing, rule: func(r *policy.Rules) *policy.Rule { return &r.CIPCopyMissing.Rule }, anew: true,
		short: copyMissing, last: copyGiven},
	// 15 CFR 7.302, proposed: what happens where identity cannot be verified.
	{name: policy.CustomerUnverified, rule: func(r *policy.Rules) *policy.Rule { return &r.CustomerUnverified.Rule }, short: unverified},
	// 15 CFR 7.302, proposed: accuracy is verified again periodically.
	{name: policy.CustomerStale, rule: func(r *policy.Rules) *policy.Rule { return &r.CustomerStale.Rule }, short: stale},
	// 15 CFR 7.302, proposed: what is collected of each customer.
	{name: policy.CustomerIncomplete, rule: func(r *policy.Rules) *policy.Rule { return &r.CustomerIncomplete },
		spell: func(h *history.History) *history.Spell { return &h.CustomersIncomplete }},
	// 15 CFR 7.307, proposed: a special measure prohibits opening or maintaining an account.
	{name: policy.CustomerProhibited, rule: func(r *policy.Rules) *policy.Rule { return &r.CustomerProhibited }, short: prohibited,
		spell: func(h *history.History) *history.Spell { return &h.Prohibited.Spell }},
	// 15 CFR 7.303 and 7.308, proposed: what is reported, and by when.
	{name: policy.ReportLate, rule: func(r *policy.Rules) *policy.Rule { return &r.ReportLate.Rule }, short: late},
	// 15 CFR 7.303(d), proposed: good-faith efforts against malicious use.
	{name: policy.AbuseUnanswered, rule: func(r *policy.Rules) *policy.Rule { return &r.AbuseUnanswered },
		short: func(r *policy.Rules, h *history.History) (shortfall, bool) {
			return undone(&h.Inquiries, r.AbuseUnanswered.After)
		},
		last: func(h *history.History, _ int64) Cure { return done(&h.Inquiries) }},
	// 15 CFR 7.303(d), proposed: steps to close the account.
	{name: policy.OrderOverdue, rule: func(r *policy.Rules) *policy.Rule { return &r.OrderOverdue },
		short: func(r *policy.Rules, h *history.History) (shortfall, bool) {
			return undone(&h.Orders, r.OrderOverdue.After)
		},
		last: func(h *history.History, _ int64) Cure { return done(&h.Orders) }},
	// Ours: who cannot be reached can be told of nothing. Where no channel could have reached it that is not the reseller's doing.
	{name: policy.ContactUnreachable, rule: func(r *policy.Rules) *policy.Rule { return &r.ContactUnreachable },
		spell: func(h *history.History) *history.Spell { return &h.Unproved }},
	{name: policy.ContactUnconfirmed, rule: func(r *policy.Rules) *policy.Rule { return &r.ContactUnconfirmed }, short: unconfirmed},
	// 15 CFR 7.303(d), proposed: evidence of a failure, or of no good faith.
	{name: policy.EvidenceRecorded, rule: func(r *policy.Rules) *policy.Rule { return &r.EvidenceRecorded }, each: recorded},
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
// that verifies one of many customers a day must not begin a new finding each day. Those of the three others are about one entry.
func lasts(rule string) bool {
	return rule != policy.CIPMissing && rule != policy.CIPStale && rule != policy.ContactUnconfirmed
}

func (r *row) judge(rules *policy.Rules, h *history.History) (shortfall, bool) {
	if r.short == nil {
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
	return shortfall{from: from, since: wholeSecond(n.From(from)), evidence: []int64{leafIndex}, anew: time.Duration(n.Value)}
}

// spell is the shortfall of what may last this long. What may not last at all falls short from the second of its entry on, rounded
// down: rounded up, an entry that cures one finding and begins another would end a case before the other one joins it.
func spell(s history.Spell, allowed time.Duration) (shortfall, bool) {
	since := s.Since.UTC().Truncate(time.Second)
	if allowed > 0 {
		since = wholeSecond(s.Since.Add(allowed))
	}
	return shortfall{from: s.Since, since: since, evidence: []int64{s.LeafIndex}, anew: allowed}, s.Lasts()
}

// unverified is whatever comes first: the customer that has waited longest, or too large a share of all of them.
func unverified(r *policy.Rules, h *history.History) (short shortfall, owed bool) {
	rule := &r.CustomerUnverified
	if first := h.Waiting.Unverified; !first.Nobody() {
		short, owed = after(rule.After, first.Since, first.LeafIndex), true
		if reopened := wholeSecond(first.From); short.since.Before(reopened) {
			short.since = reopened // its time was up when its accounts were closed, and runs no more than that anew
		}
	}
	if share, more := h.UnverifiedShare(rule.Share.Value); more && rule.Share.Value > 0 {
		if many := after(rule.After, share.Since, share.LeafIndex); !owed || many.since.Before(short.since) {
			short, owed = many, true
		}
	}
	return short, owed
}

// stale is the verification that grew, or will grow, too old for its risk tier first. Of those that do so in the same second it is the
// first customer's by id, whatever its tier, as in each queue: a reseller gets one finding, and which one must not follow from the tiers.
func stale(r *policy.Rules, h *history.History) (short shortfall, owed bool) {
	refresh, customer := &r.CustomerStale.Refresh, ""
	for _, tier := range [...]struct {
		waiter *history.Waiter
		after  *policy.Number
	}{{&h.Waiting.High, &refresh.High}, {&h.Waiting.Medium, &refresh.Medium}, {&h.Waiting.Low, &refresh.Low}} {
		if tier.waiter.Nobody() {
			continue
		}
		old := after(*tier.after, tier.waiter.Since, tier.waiter.LeafIndex)
		if !owed || old.since.Before(short.since) || old.since.Equal(short.since) && tier.waiter.Customer < customer {
			short, owed, customer = old, true, tier.waiter.Customer
		}
	}
	return short, owed
}

// statedLast is the shortfall of a custom rule. Its expression knows no time, so the answer turned with a statement: the newest one is
// the latest that it can have been, and when it was accepted is what the rule is counted from.
func statedLast(h *history.History) shortfall {
	if h.Figures.LastStatedAt.IsZero() {
		return shortfall{from: h.EnrolledAt, since: wholeSecond(h.EnrolledAt), evidence: []int64{h.EnrolledLeaf}}
	}
	last := h.Figures.LastStatedAt
	return shortfall{from: last, since: last.Truncate(time.Second), evidence: []int64{h.Figures.LastStatedLeaf}}
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
