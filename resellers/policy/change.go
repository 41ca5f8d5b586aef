package policy

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Changing is how another policy comes into force: the policy that it replaces says so.
type Changing struct {
	// BacktestWithin is how old the backtest of a policy may be that does more by itself than the one it replaces.
	BacktestWithin Number `json:"backtest_within"`
	// ProposalWithin is for how long another person may put a policy in force that one proposed. A file may leave it out.
	ProposalWithin Number `json:"proposal_within,omitzero"`
}

// LongestProposal is for how long what one officer proposes may be confirmed by another: of all that takes two, and of a policy if the
// policy in force does not say less. (Ours: who confirms must know what was meant.)
const LongestProposal = 14 * Day

// backtestWithin holds where the policy in force says nothing, being older than the section.
const backtestWithin = 7 * Day

// Oldest is how old a backtest may be.
func (c Changing) Oldest() Duration {
	if c.BacktestWithin.Value == 0 {
		return backtestWithin
	}
	return c.BacktestWithin.Value
}

// Fresh is for how long a proposed policy may be put in force.
func (c Changing) Fresh() Duration {
	if c.ProposalWithin.Value == 0 {
		return LongestProposal
	}
	return c.ProposalWithin.Value
}

func (r *reader) change(v value) Changing {
	f := r.optional(v, []string{"backtest_within"}, "proposal_within")
	c := Changing{BacktestWithin: r.number(f[0])}
	if f[1].node != nil {
		c.ProposalWithin = r.number(f[1])
		if c.ProposalWithin.Value > LongestProposal {
			r.fault(f[1], "at most "+LongestProposal.String()+", as of all that one proposes and another confirms", c.ProposalWithin.Value.String())
		}
	}
	return c
}

// TurnsUp returns in what a policy does more by itself than the one before it, or sooner: it asks fewer people, acts on silence where it
// held, raises the guard, opens findings that were not, makes them more severe, or shortens a deadline. Ordered as a case runs. None
// means that it only does less, or later, or changes words.
func TurnsUp(before, after Policy) []Change {
	t := turning{changes: []Change{}}
	t.rules(before.Rules, after.Rules)
	t.dates(before.Case, after.Case)
	t.people(before.Case, after.Case)
	t.guard(before.Guard, after.Guard)
	t.hours(before.Hours, after.Hours)
	return t.changes
}

// turning gathers what turns automation up.
type turning struct{ changes []Change }

func (t *turning) add(field, before, after string) {
	t.changes = append(t.changes, Change{Field: field, Before: before, After: after})
}

// shorter notes a time after which something falls due that shrinks.
func (t *turning) shorter(field string, before, after Duration) {
	if after < before {
		t.add(field, before.String(), after.String())
	}
}

// longer notes a time before something by which a step is taken that grows.
func (t *turning) longer(field string, before, after Duration) {
	if after > before {
		t.add(field, before.String(), after.String())
	}
}

func (t *turning) fewer(field string, before, after int) {
	if after < before {
		t.add(field, strconv.Itoa(before), strconv.Itoa(after))
	}
}

var severities = []Severity{"", Minor, Serious, AsRecorded, Critical}

func (t *turning) rules(before, after Rules) {
	was := map[string]Rule{}
	for _, rule := range before.All() {
		was[rule.Name] = rule
	}
	for _, rule := range after.All() {
		old := was[rule.Name]
		field := "rules." + rule.Name
		if !rule.On {
			continue
		}
		if !old.On {
			t.add(field+".on", "false", "true")
			continue // all else of it is new too
		}
		if slices.Index(severities, rule.Severity) > slices.Index(severities, old.Severity) {
			t.add(field+".severity", string(old.Severity), string(rule.Severity))
		}
		if rule.CuredBy == ByOfficer && old.CuredBy == ByFacts {
			t.add(field+".cured_by", "the facts", string(rule.CuredBy))
		}
		t.shorter(field+".after.value", old.After.Value, rule.After.Value)
	}
	if before.CIPCopyMissing.On && after.CIPCopyMissing.On {
		t.shorter("rules.cip.copy-missing.requested.value", before.CIPCopyMissing.Requested.Value, after.CIPCopyMissing.Requested.Value)
	}
	if before.CustomerUnverified.On && after.CustomerUnverified.On && share(after.CustomerUnverified.Share) < share(before.CustomerUnverified.Share) {
		t.add("rules.customer.unverified.share.value", strconv.Itoa(before.CustomerUnverified.Share.Value), strconv.Itoa(after.CustomerUnverified.Share.Value))
	}
	if before.CustomerStale.On && after.CustomerStale.On {
		t.shorter("rules.customer.stale.refresh.low.value", before.CustomerStale.Refresh.Low.Value, after.CustomerStale.Refresh.Low.Value)
		t.shorter("rules.customer.stale.refresh.medium.value", before.CustomerStale.Refresh.Medium.Value, after.CustomerStale.Refresh.Medium.Value)
		t.shorter("rules.customer.stale.refresh.high.value", before.CustomerStale.Refresh.High.Value, after.CustomerStale.Refresh.High.Value)
	}
	if before.ReportLate.On && after.ReportLate.On {
		t.shorter("rules.report.late.ai_training.value", before.ReportLate.AITraining.Value, after.ReportLate.AITraining.Value)
		t.shorter("rules.report.late.suspicious_activity.value", before.ReportLate.SuspiciousActivity.Value, after.ReportLate.SuspiciousActivity.Value)
		t.covered(before.ReportLate.Covered, after.ReportLate.Covered)
	}
	t.custom(before.Custom, after.Custom)
}

// share is from which percentage on there are too many; none is never.
func share(p Percent) int {
	if p.Value == 0 {
		return 101
	}
	return p.Value
}

// covered notes a definition that covers trainings which the one before does not.
func (t *turning) covered(before, after Covered) {
	const field = "rules.report.late.covered."
	if after.Unstated.Value == CoveredIt && before.Unstated.Value != CoveredIt {
		t.add(field+"unstated.value", before.Unstated.Value, after.Unstated.Value)
	}
	for _, threshold := range after.Thresholds.Value {
		modality, operations, _ := threshold.read()
		of := []string{modality}
		if modality == AnyModality {
			of = modalities[1:]
		}
		for _, one := range of { // what just reaches it must have been covered before, of each modality
			if !before.Covers(strconv.FormatFloat(operations, 'g', -1, 64), []string{one}) {
				t.add(field+"thresholds.value", fmt.Sprint(before.Thresholds.Value), fmt.Sprint(after.Thresholds.Value))
				return
			}
		}
	}
}

// custom notes rules of the provider's own that ask something else: which of two expressions is true more often nobody can say.
func (t *turning) custom(before, after []CustomRule) {
	was := map[string]CustomRule{}
	for _, rule := range before {
		was[rule.Name] = rule
	}
	for _, rule := range after {
		if old := was[rule.Name]; rule.On && old.On && old.When != rule.When {
			t.add("rules."+rule.Name+".when", old.When, rule.When)
		}
	}
}

// dates notes deadlines of a case that come sooner. How numbers play together is asked of a case that is found on time.
func (t *turning) dates(before, after Case) {
	if after.ClockStart == FromEvidence && before.ClockStart == FromAwareness {
		t.add("case.clock_start.value", string(before.ClockStart), string(after.ClockStart))
	}
	t.shorter("case.limit.value", before.Limit.Value, after.Limit.Value)
	t.shorter("case.cure.value", before.Cure.Value, after.Cure.Value)
	t.longer("case.cure_margin.value", before.CureMargin.Value, after.CureMargin.Value)
	t.shorter("case.cure_floor.value", before.CureFloor.Value, after.CureFloor.Value)
	t.shorter("case.restriction.value", before.Restriction.Value, after.Restriction.Value)
	t.longer("case.closing_margin.value", before.ClosingMargin.Value, after.ClosingMargin.Value)
	t.longer("case.termination_margin.value", before.TerminationMargin.Value, after.TerminationMargin.Value)
	t.shorter("case.step_floor.value", before.StepFloor.Value, after.StepFloor.Value)
	t.shorter("case.hold_return.value", before.HoldReturn.Value, after.HoldReturn.Value)
	if after.Repeat.Count.Value > 0 {
		if before.Repeat.Count.Value == 0 {
			t.add("case.repeat.count.value", "none", strconv.Itoa(after.Repeat.Count.Value))
		} else {
			t.fewer("case.repeat.count.value", before.Repeat.Count.Value, after.Repeat.Count.Value)
			t.longer("case.repeat.within.value", before.Repeat.Within.Value, after.Repeat.Within.Value)
			t.fewer("case.repeat.cure_share.value", before.Repeat.CureShare.Value, after.Repeat.CureShare.Value)
		}
	}
	if before.Close.Implicated() && !after.Close.Implicated() {
		t.add("case.close.scope.value", CloseImplicated, CloseReseller)
	}
	if before.Close.Known() && after.Close.Known() {
		t.shorter("case.close.window.value", before.Close.Window.Value, after.Close.Window.Value)
	}
	was, is := found(before), found(after)
	for i, date := range []string{"cured by", "closed at", "terminated at"} {
		if is[i] < was[i] {
			t.add("a case found on time: "+date, "day "+was[i].String(), "day "+is[i].String())
		}
	}
}

// found is how long after a case was found on time it must be cured, is closed and is terminated.
func found(c Case) [3]Duration {
	start := time.Unix(0, 0).UTC()
	limit := c.LimitAt(start, start)
	cureBy := c.CureBy(start, limit)
	closesAt := c.ClosesAt(cureBy, cureBy, limit)
	return [3]Duration{Duration(cureBy.Sub(start)), Duration(closesAt.Sub(start)), Duration(c.TerminatesAt(closesAt, limit).Sub(start))}
}

// people notes steps that wait for fewer people, or for no word of theirs, or for less proof that the reseller was told.
func (t *turning) people(before, after Case) {
	for _, step := range []struct {
		name    string
		was, is Approval
	}{
		{"warn", before.Approvals.Warn, after.Approvals.Warn}, {"restrict", before.Approvals.Restrict, after.Approvals.Restrict},
		{"close", before.Approvals.Close, after.Approvals.Close}, {"terminate", before.Approvals.Terminate, after.Approvals.Terminate},
	} {
		field := "case.approvals." + step.name
		t.fewer(field+".people", step.was.People, step.is.People)
		t.fewer(field+".critical", step.was.Critical, step.is.Critical)
		asked := step.was.People+step.was.Critical > 0 && step.is.People+step.is.Critical > 0
		if asked && step.was.Silence == SilenceHolds && step.is.Silence != SilenceHolds {
			t.add(field+".silence", string(step.was.Silence), string(step.is.Silence))
		}
	}
	t.shorter("case.approval_lead.value", before.ApprovalLead.Value, after.ApprovalLead.Value)
	for _, step := range before.Proof.Steps.Value {
		if !after.Proof.AsksFor(step) {
			t.add("case.proof.steps.value", strings.Join(before.Proof.Steps.Value, ", "), strings.Join(after.Proof.Steps.Value, ", "))
			break
		}
	}
	if before.Proof.AtLimit.Value == Waits && after.Proof.AtLimit.Value == GoesOn {
		t.add("case.proof.at_limit.value", Waits, GoesOn)
	}
	t.longer("case.proof.margin.value", before.Proof.Margin.Value, after.Proof.Margin.Value)
	if was, is := before.Proof.Unanswered.Value, after.Proof.Unanswered.Value; is > 0 && (was == 0 || is < was) && len(before.Proof.Steps.Value) > 0 {
		t.add("case.proof.unanswered.value", strconv.Itoa(was), strconv.Itoa(is))
	}
}

// guard notes a brake that lets more through, or is gone.
func (t *turning) guard(before, after Guard) {
	looser := func(field string, was, is int) {
		switch {
		case was == 0: // nothing was held
		case is == 0:
			t.add(field, strconv.Itoa(was), "none")
		case is > was:
			t.add(field, strconv.Itoa(was), strconv.Itoa(is))
		}
	}
	looser("guard.closures.count", before.Closures.Count, after.Closures.Count)
	looser("guard.closures.share", before.Closures.Share, after.Closures.Share)
	looser("guard.terminations.count", before.Terminations.Count, after.Terminations.Count)
	looser("guard.terminations.share", before.Terminations.Share, after.Terminations.Share)
	looser("guard.accounts.value", before.Accounts.Value, after.Accounts.Value)
	looser("guard.findings.count", before.Findings.Count, after.Findings.Count)
	looser("guard.findings.share", before.Findings.Share, after.Findings.Share)
	if before.Findings.Count > 0 && after.Findings.Count > 0 {
		t.shorter("guard.findings.within", before.Findings.Within, after.Findings.Within)
	}
}

// hours notes irreversible steps that may be taken when they might not.
func (t *turning) hours(before, after Hours) {
	if !before.On {
		return
	}
	field := func(name string) string { return "hours." + name }
	if !after.On {
		t.add(field("on"), "true", "false")
		return
	}
	if slices.ContainsFunc(after.Weekdays, func(day string) bool { return !slices.Contains(before.Weekdays, day) }) {
		t.add(field("weekdays"), fmt.Sprint(before.Weekdays), fmt.Sprint(after.Weekdays))
	}
	if slices.ContainsFunc(before.Blackout, func(day string) bool { return !slices.Contains(after.Blackout, day) }) {
		t.add(field("blackout"), fmt.Sprint(before.Blackout), fmt.Sprint(after.Blackout))
	}
	if after.Zone != before.Zone || after.From < before.From || after.To > before.To {
		t.add(field("from .. to"), before.From+" .. "+before.To+" "+before.Zone, after.From+" .. "+after.To+" "+after.Zone)
	}
}

// Completed is the policy with what shells ask of the policy in force, and an earlier file does not say, from another one: what a
// submission must meet, how long records are kept, the numbers of special measures. What cases are decided by stays as the file has it.
func (p Policy) Completed(from Policy) Policy {
	if p.Intake.MaxPathLength.Value == 0 {
		p.Intake.MaxPathLength = from.Intake.MaxPathLength
	}
	if p.Intake.Identity.Value == "" {
		p.Intake.Identity = from.Intake.Identity
	}
	if p.Intake.AITrainingFields.Source == "" {
		p.Intake.AITrainingFields = from.Intake.AITrainingFields
	}
	if p.Intake.Enrolment.Value == "" {
		p.Intake.Enrolment = from.Intake.Enrolment
	}
	if p.SpecialMeasures.Likeness.Value == 0 {
		p.SpecialMeasures = from.SpecialMeasures
	}
	if p.Records.Floor.Value == 0 {
		p.Records = from.Records
	}
	return p
}
