package findings

import (
	"slices"
	"strings"
	"time"

	"github.com/cipgate/cipgate/resellers/history"
	"github.com/cipgate/cipgate/resellers/policy"
)

// The rules about what the provider asked for, and about what was reported, recorded and found.

// undone is what was asked for and falls due first: this long after the ledger took the request, or by the date that the reseller was
// told, whichever is later. Nobody falls short before the date that it was told.
func undone(debts *history.Debts, within policy.Number) (short shortfall, owed bool) {
	for i := range debts.Open {
		debt := &debts.Open[i]
		due := within.From(debt.At)
		if debt.DueAt.After(due) {
			due = debt.DueAt
		}
		if due = wholeSecond(due); !owed || due.Before(short.since) {
			short, owed = shortfall{from: debt.At, since: due, evidence: []int64{debt.LeafIndex}}, true
		}
	}
	return short, owed
}

// done is the entry that settled a debt last.
func done(debts *history.Debts) Cure {
	return Cure{LeafIndex: debts.DoneLeaf, AcceptedAt: debts.DoneAt}
}

// copyMissing is whatever comes first: the program that an attestation stands for, or one that was requested.
func copyMissing(r *policy.Rules, h *history.History) (shortfall, bool) {
	short, owed := spell(h.CopyOwed, time.Duration(r.CIPCopyMissing.After.Value))
	if r.CIPCopyMissing.Requested.Value == 0 {
		return short, owed // a policy of an earlier version knew no requests
	}
	if asked, is := undone(&h.CIPRequests, r.CIPCopyMissing.Requested); is && (!owed || asked.since.Before(short.since)) {
		return asked, true
	}
	return short, owed
}

// copyGiven is the last entry that can have ended either. Where none was ever requested, it is the one that ended the spell in which
// these entries lay, though the program is owed anew.
func copyGiven(h *history.History, after int64) Cure {
	requested, s := done(&h.CIPRequests), &h.CopyOwed
	last, is := ended(*s, after)
	switch {
	case !is:
		return requested
	case requested.AcceptedAt.IsZero() && len(h.CIPRequests.Open) == 0:
		return last
	}
	for later, more := s.EndAfter(last.LeafIndex); more; later, more = s.EndAfter(last.LeafIndex) {
		last = Cure{LeafIndex: later.LeafIndex, AcceptedAt: later.At}
	}
	if last.LeafIndex > requested.LeafIndex || requested.AcceptedAt.IsZero() {
		return last
	}
	return requested
}

// prohibited is since when the first one is, which the screener may have stated later.
func prohibited(_ *policy.Rules, h *history.History) (shortfall, bool) {
	p := &h.Prohibited
	if !p.Spell.Lasts() {
		return shortfall{}, false
	}
	since, evidence := p.From, append([]int64{p.Spell.LeafIndex}, p.Evidence...)
	if p.Grew.LeafIndex > p.Spell.LeafIndex && settledBefore(h, policy.CustomerProhibited, p.Grew.LeafIndex) {
		// What an officer settled was about fewer.
		since, evidence = p.Grew.Since, append(evidence[:1:1], p.Grew.LeafIndex)
	}
	return shortfall{from: since, since: since.UTC().Truncate(time.Second), evidence: evidence}, true
}

// settledBefore says whether an officer settled a finding under a rule before this entry.
func settledBefore(h *history.History, rule string, leafIndex int64) bool {
	return slices.ContainsFunc(h.Settled, func(s history.Settled) bool {
		return s.LeafIndex < leafIndex && strings.HasPrefix(s.Finding, rule+".")
	})
}

// late is the report that came too late first, or that is owed and did not come. What came late stays late: only an officer ends it.
func late(r *policy.Rules, h *history.History) (short shortfall, owed bool) {
	rule := &r.ReportLate
	first := func(from, since time.Time, leafIndex int64) {
		if !owed || since.Before(short.since) {
			short, owed = shortfall{from: from, since: since, evidence: []int64{leafIndex}}, true
		}
	}
	if step, is := history.FirstLate(h.LateSuspicions, time.Duration(rule.SuspiciousActivity.Value)); is {
		first(step.At, step.At.Truncate(time.Second), step.LeafIndex)
	}
	if step, is := history.FirstLate(h.LateTrainings, time.Duration(rule.AITraining.Value)); is {
		first(step.At, step.At.Truncate(time.Second), step.LeafIndex)
	}
	for i := range h.Trainings.Open {
		debt := &h.Trainings.Open[i]
		first(debt.At, wholeSecond(rule.AITraining.From(debt.At)), debt.LeafIndex)
	}
	return short, owed
}

// unconfirmed counts from when the contact was confirmed last, or else from the enrolment, which named it.
func unconfirmed(r *policy.Rules, h *history.History) (shortfall, bool) {
	from, leafIndex := h.EnrolledAt, h.EnrolledLeaf
	if !h.Contact.At.IsZero() {
		from, leafIndex = h.Contact.At, h.Contact.LeafIndex
	}
	return after(r.ContactUnconfirmed.After, from, leafIndex), true
}

// recorded is each piece of evidence, with the severity that the officer gave it, since the provider got it.
func recorded(h *history.History) []shortfall {
	if len(h.Evidence) == 0 {
		return nil
	}
	all := make([]shortfall, len(h.Evidence))
	for i, e := range h.Evidence {
		all[i] = shortfall{from: e.ReceivedAt, since: e.ReceivedAt.Truncate(time.Second), evidence: []int64{e.LeafIndex},
			severity: policy.Severity(e.Severity)}
	}
	return all
}
