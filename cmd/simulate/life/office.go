package life

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/resellers/escalation"
)

// office is the provider's officers. What they do is stated as it comes, also what the desk would refuse: a fold must stand that.
type office struct {
	manner int    // 0 silent, 1 approves, 2 whatever
	file   string // the case that was warned of last
	holds  []string
	judge  statement.Officer // who decided a dispute last
}

var officers = []statement.Officer{{ID: "o-1", Name: "Ada"}, {ID: "o-2", Name: "Ben"}, {ID: "o-3", Name: "Cleo"}, {ID: "o-4", Name: "Dan"}, {ID: "o-5", Name: "Eve"}}

// acts is what officers do about a reseller now.
func (o *office) acts(r *reseller, now time.Time) []Draft {
	if o.manner == 0 && r.r.IntN(4) > 0 {
		return nil
	}
	by := officers[r.r.IntN(len(officers))]
	another := officers[r.r.IntN(len(officers))]
	if len(r.disputes) > 0 && r.r.IntN(3) == 0 {
		i := r.r.IntN(len(r.disputes))
		if o.judge.ID != "" && r.r.IntN(3) == 0 {
			by = o.judge // of an appeal against what the same officer decided, too
		}
		o.judge = by
		remediation, finding, _ := strings.Cut(r.disputes[i], " ")
		r.disputes = slices.Delete(r.disputes, i, i+1)
		return []Draft{r.record(statement.AppealDecided{Remediation: remediation, Finding: finding, By: by, Why: "Read.",
			Decision: []string{"upheld", "rejected", "rejected"}[r.r.IntN(3)]})}
	}
	if r.standing == "terminated" {
		if r.r.IntN(6) > 0 {
			return nil
		}
		return []Draft{r.record(statement.RelationshipReinstated{Why: "It was ours.", WhoseError: []string{"provider", "reseller"}[r.r.IntN(2)], By: by, Case: o.file})}
	}
	if o.file == "" {
		return nil
	}
	if r.r.IntN(20) == 0 {
		return []Draft{o.records(r, by, now)}
	}
	if r.r.IntN(6) == 0 {
		if r.r.IntN(3) == 0 { // twice in one day, or in two
			return []Draft{r.told(by, now), r.told(another, now)}
		}
		return []Draft{r.told(by, now)}
	}
	if len(r.cures) > 0 && r.urgent() && r.r.IntN(3) == 0 {
		return []Draft{o.settles(r, by, r.cures[len(r.cures)-1])}
	}
	did := statement.OfficerAction{Officer: by, Reason: "Read and weighed.", On: statement.Target{Type: "case", ID: o.file}}
	ends := func(days int) time.Time {
		return now.Add(time.Hour + time.Duration(r.r.Int64N(int64(time.Duration(days)*day)))).Truncate(time.Second)
	}
	what := r.r.IntN(24)
	if o.manner == 1 && what > 10 && r.r.IntN(3) > 0 {
		what = 0
	}
	switch {
	case what < 11: // approve what comes next
		did.Action, did.On.Type = "approval.granted", "approval"
		did.On.ID = o.approval(r, r.standing)
		if r.r.IntN(2) == 0 { // two at once
			second := did
			second.Officer = another
			return []Draft{r.record(did), r.record(second)}
		}
	case what < 13:
		did.Action, did.On.Type, did.On.ID = "approval.refused", "approval", o.approval(r, r.standing)
	case what < 16:
		did.Action, did.EndsAt = "hold.placed", ends(12)
		did.Details = []statement.Field{{Name: "kind", Value: []string{"officer", "customer-harm", "stay"}[r.r.IntN(3)]}}
		placed := r.record(did)
		o.holds = append(o.holds, placed.JTI)
		return []Draft{placed}
	case what < 19 && len(o.holds) > 0:
		return o.lifts(r, did, another)
	case what < 21:
		did.Action, did.EndsAt = "extension.granted", ends(20)
	case what == 21:
		did.Action, did.EndsAt, did.ProposedBy = "limit.extended", ends(60), &another
	case what >= 22 && len(r.cures) > 0:
		return []Draft{o.settles(r, by, r.cures[r.r.IntN(len(r.cures))])}
	default:
		return nil
	}
	return []Draft{r.record(did)}
}

// lifts ends a hold, or proposes it.
func (o *office) lifts(r *reseller, did statement.OfficerAction, another statement.Officer) []Draft {
	did.Action, did.On = []string{"hold.lifted", "hold.lift-proposed"}[r.r.IntN(2)], statement.Target{Type: "hold", ID: o.holds[r.r.IntN(len(o.holds))]}
	if r.r.IntN(2) != 0 {
		return []Draft{r.record(did)}
	}
	// One proposes it and lifts it, or two do.
	did.Action, did.On.ID = "hold.lift-proposed", o.holds[len(o.holds)-1]
	second := did
	second.Action = "hold.lifted"
	if r.r.IntN(2) == 0 {
		second.Officer = another
	}
	return []Draft{r.record(did), r.record(second)}
}

// settles decides a cure, of which the jti and behind a space the finding is given.
func (o *office) settles(r *reseller, by statement.Officer, cure string) Draft {
	id, finding, _ := strings.Cut(cure, " ")
	return r.record(statement.OfficerAction{Officer: by, Action: []string{"remediation.accepted", "remediation.accepted", "remediation.rejected"}[r.r.IntN(3)], Reason: "Read.",
		On: statement.Target{Type: "remediation", ID: id}, Details: []statement.Field{{Name: "finding", Value: finding}}})
}

// records puts evidence against the reseller on record.
func (o *office) records(r *reseller, by statement.Officer, now time.Time) Draft {
	return r.record(statement.OfficerAction{Officer: by, Action: "evidence.recorded", On: statement.Target{Type: "reseller", ID: string(r.entity)}, Reason: "Found.",
		Details: []statement.Field{
			{Name: "evidence", Value: fmt.Sprintf("e-%d", r.stated)}, {Name: "ground", Value: "cip-failure"},
			{Name: "severity", Value: []string{"serious", "critical"}[r.r.IntN(2)]}, {Name: "audience", Value: "reseller"},
			{Name: "received_at", Value: now.Add(-time.Duration(r.r.IntN(400)) * time.Hour).UTC().Truncate(time.Second).Format(time.RFC3339)},
		}})
}

// approval is the id of what is approved at a standing.
func (o *office) approval(r *reseller, standing string) string {
	if r.r.IntN(5) == 0 { // of any step, though nobody knows yet whether it comes
		standing = []string{"warned", "restricted", "closing"}[r.r.IntN(3)]
	}
	switch standing {
	case "warned":
		if r.urgent() && r.r.IntN(2) == 0 {
			return escalation.ID(r.entity, statement.ClosureOrdered{Case: o.file, Scope: escalation.CloseAccount})
		}
		return escalation.ID(r.entity, statement.RestrictionOrdered{Case: o.file, Order: escalation.NoNewAccounts})
	case "restricted":
		return escalation.ID(r.entity, statement.ClosureOrdered{Case: o.file, Scope: escalation.CloseAccount})
	case "closing":
		return escalation.ID(r.entity, statement.RelationshipTerminated{Case: o.file})
	}
	return fmt.Sprintf("nothing-%d", r.stated)
}
