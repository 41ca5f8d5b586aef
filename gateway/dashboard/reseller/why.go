package reseller

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/gateway/auth"
	"github.com/cipgate/cipgate/gateway/dashboard/frame"
	"github.com/cipgate/cipgate/gateway/dashboard/waiting"
	"github.com/cipgate/cipgate/gateway/officer"
	"github.com/cipgate/cipgate/resellers/docket"
	"github.com/cipgate/cipgate/resellers/escalation"
	"github.com/cipgate/cipgate/resellers/policy"
)

// rowOf is the row of the escalation's table that states such a kind: what decides is the same row.
func rowOf(p policy.Policy, kind statement.Kind) (escalation.Row, bool) {
	for _, row := range escalation.Table(p) {
		if slices.Contains(row.States, kind) {
			return row, true
		}
	}
	return escalation.Row{}, false
}

// stepTo is the kind of the statement by which a case comes to a standing.
var stepTo = map[string]statement.Kind{
	"warned": statement.KindWarningIssued, "restricted": statement.KindRestrictionOrdered, "closing": statement.KindClosureOrdered,
	"terminated": statement.KindRelationshipTerminated,
}

func futureOf(p policy.Policy, s escalation.Step, now time.Time) future {
	f := future{Step: frame.StepOf(s, now)}
	name, _, _ := strings.Cut(s.What, ":")
	if kind, ok := stepTo[name]; ok {
		if row, ok := rowOf(p, kind); ok {
			f.When, f.Source = row.When, officer.Sentence("approval: "+row.Approval)+" "+officer.Sentence("source: "+row.Source)
		}
	}
	return f
}

// whyOf says what a statement of the gateway follows from: the rule of the policy or the row of the table, the evidence, the version of
// the policy that decided, and what it leads to. Of what others stated it says nothing: they stated it.
func whyOf(p policy.Policy, s statement.Statement) why {
	var w why
	if row, ok := rowOf(p, s.Kind()); ok {
		w.When, w.Source = row.When, row.Source
	}
	switch said := s.(type) {
	case statement.FindingOpened:
		w.Policy, w.Rule, w.Evidence = said.Basis.Policy, said.Rule, said.Evidence
		w.Next = officer.Sentence("cured by " + said.Cure)
	case statement.FindingCured:
		w.Policy, w.Rule, w.Evidence = said.Basis.Policy, said.Rule, []int64{said.CuredBy}
	case statement.StandingChanged:
		w.Policy = said.Basis.Policy
	case statement.WarningIssued:
		w.Policy, w.Next = said.Basis.Policy, "Unless cured by "+officer.When(said.CureBy)+", it may open no new accounts."
	case statement.RestrictionOrdered:
		w.Policy, w.Next = said.Basis.Policy, officer.Sentence(said.Next+", at "+officer.When(said.NextAt)+" unless cured")
	case statement.ClosureOrdered:
		w.Policy, w.Next = said.Basis.Policy, "Unless cured by "+officer.When(said.TerminatesAt)+", the relationship ends."
	case statement.OrderWithdrawn:
		w.Policy = said.Basis.Policy
	case statement.RelationshipTerminated:
		w.Policy = said.Basis.Policy
	case statement.LimitPassed:
		w.Policy = said.Basis.Policy
	case statement.InformationRequested:
		w.Next = "The reseller answers by " + officer.When(said.DueAt) + "."
	}
	if rule, known := p.Rule(w.Rule); known && rule.Source != "" {
		w.Source = rule.Source
	}
	return w
}

var holdWords = map[escalation.HoldKind]string{
	escalation.HoldOfficer: "An officer's hold", escalation.HoldCustomerHarm: "A hold, since customers would be harmed", escalation.HoldStay: "A stay",
}

// acts fills what officers can do about a case, as seen by who asks.
func (from Sources) acts(ctx context.Context, v *view, file docket.File, now time.Time) error {
	back := "/resellers/" + v.ID
	asked, err := officer.ApprovalsOf(ctx, from.Docket, file, now)
	if err != nil {
		return err
	}
	for _, a := range asked {
		v.Approvals = append(v.Approvals, waiting.ApprovalOf(a, back, now))
	}
	if err := from.orders(ctx, v, file, now); err != nil {
		return err
	}
	notice, waits, err := from.Docket.Notice(ctx, file)
	if err != nil {
		return err
	}
	if waits {
		v.Notice = waiting.CallOf(ctx, waiting.Reseller{ID: v.ID}, officer.NotifiedOf(notice), back, now)
	}
	owed, err := officer.ObligationsOf(ctx, from.Docket, file.ID(), now)
	if err != nil {
		return err
	}
	for _, o := range owed {
		v.Obligations = append(v.Obligations, waiting.ObligationOf(ctx, o, v.Name, back, now))
	}
	for _, r := range officer.ReviewsOf(ctx, file) {
		v.Reviews = append(v.Reviews, waiting.ReviewOf(r, back, now))
	}
	_, denied := officer.Permit(ctx, "place-case-hold")
	v.MayHold = denied == nil && file.Case.ID != "" && file.Case.TerminatedAt.IsZero()
	by := auth.Asking(ctx).Stated()
	_, deniedLift := officer.Permit(ctx, "lift-hold")
	for _, h := range file.Case.Holds {
		if !h.In(now) {
			continue
		}
		shown := hold{ID: h.ID, Kind: holdWords[h.Kind], Words: officer.Sentence(h.By.Name + " placed it: " + h.Reason), Ends: frame.MomentOf(h.EndsAt, now)}
		if h.Authority != "" {
			shown.Kind += " of " + h.Authority
		}
		if h.LiftProposedBy != nil {
			shown.Proposed = h.LiftProposedBy.Name
		}
		shown.Lift = deniedLift == nil && escalation.MayLift(file.Case, h.ID, by, now) == nil
		shown.Propose = deniedLift == nil && h.Kind == escalation.HoldStay && h.LiftProposedBy == nil
		v.Holds = append(v.Holds, shown)
	}
	return nil
}
