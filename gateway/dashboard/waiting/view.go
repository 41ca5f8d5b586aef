package waiting

import (
	"fmt"
	"time"

	"github.com/cipgate/cipgate/gateway/dashboard/frame"
	"github.com/cipgate/cipgate/gateway/officer"
	"github.com/cipgate/cipgate/resellers/desk"
	"github.com/cipgate/cipgate/resellers/escalation"
	"github.com/cipgate/cipgate/resellers/obligations"
)

// Approval is a step that waits for people, as a page shows it.
type Approval struct {
	Key      string
	Reseller Reseller
	Does     string
	State    string // who approved, and how many are missing
	Refused  string // who refused and why, empty if nobody did
	Whose    string // whom it is put before
	Silence  string
	Unproved string // what proof of notice it waits for beside
	StepAt   frame.Moment
	Limit    frame.Moment
	May      bool
	WhyNot   string
	Back     string // where its form leads back to
	Tone     string
}

// Reseller is whom something is about, with the page of it.
type Reseller struct {
	ID   string
	Name string
}

// ApprovalOf words an approval.
func ApprovalOf(a officer.Approval, back string, now time.Time) Approval {
	shown := Approval{Key: a.ID, Reseller: Reseller{a.ResellerID, a.Name}, Does: officer.Sentence(a.Does), Whose: whose(a, now), StepAt: frame.MomentOf(a.StepAt, now),
		May: a.MayApprove, WhyNot: a.WhyNot, Back: back, Silence: "Without an answer it waits, and the limit of the case with it.",
		Tone: frame.StepOf(escalation.Step{What: a.Does}, now).Tone}
	if a.Unproved != "" {
		shown.Unproved = officer.Sentence(a.Unproved)
	}
	if a.Silence == "acts" {
		shown.Silence = "Without an answer it is taken all the same."
	}
	if a.LimitAt != nil {
		shown.Limit = frame.MomentOf(*a.LimitAt, now)
	}
	shown.State = fmt.Sprintf("%s must approve", frame.Count(int64(a.Needed), "person", "different people"))
	for i, g := range a.Given {
		shown.State += map[bool]string{true: "; approved by ", false: " and "}[i == 0] + g.By.Name
	}
	if r := a.Refused; r != nil {
		shown.Refused = officer.Sentence(fmt.Sprintf("%s refused it at %s: %s", r.By.Name, officer.When(r.At), r.Reason))
	}
	return shown
}

// whose says whom a step is put before now, and whom next.
func whose(a officer.Approval, now time.Time) string {
	switch a.Whose {
	case "approver":
		return "Asked of the approvers since " + officer.When(a.AskedAt) + "; of their deputies from " + officer.When(a.DeputyAt) + " on."
	case "deputy":
		return "Asked of the approvers' deputies since " + officer.When(a.DeputyAt) + "; of the administrators from " + officer.When(a.AdministratorAt) + " on."
	case "administrator":
		return "Asked of the administrators since " + officer.When(a.AdministratorAt) + ": nobody has answered."
	}
	return "Asked from " + officer.When(a.AskedAt) + " on (" + frame.MomentOf(a.AskedAt, now).Relative + "); it may be approved now."
}

// Review is what a reseller answered and nobody has decided yet.
type Review struct {
	Reseller Reseller
	ID       string
	Words    string
	Finding  string
	At       frame.Moment
	Dispute  bool
	Time     bool   // asks for time
	Until    string // the day asked for, as the form's field takes it
	May      bool
	WhyNot   string
	Back     string
}

var kinds = map[string]string{"cure": "says that it cured a finding", "dispute": "disputes a finding", "extension-request": "asks for more time", "explanation": "explains itself"}

var grounds = map[string]string{"false-positive": "it says that nothing falls short", "compensating-control": "it says that something else does what the rule asks for",
	"wrong-severity": "it says that it is less serious"}

// ReviewOf words an answer.
func ReviewOf(r officer.Review, back string, now time.Time) Review {
	shown := Review{Reseller: Reseller{r.ResellerID, r.Name}, ID: r.ID, Words: kinds[r.Kind], Finding: r.Finding, At: frame.MomentOf(r.At, now),
		Dispute: r.Kind == escalation.AnswerDispute, Time: r.Kind == escalation.AnswerExtension, May: r.MayDecide, WhyNot: officer.Sentence(r.WhyNot), Back: back}
	if ground := grounds[r.Ground]; ground != "" {
		shown.Words += ": " + ground
	}
	if r.Until != "" {
		shown.Words += " until " + r.Until
		shown.Until = r.Until + "T12:00"
	}
	return shown
}

// Proposal is what one officer proposed and another must confirm.
type Proposal struct {
	ID      string
	About   Reseller // none: the gateway
	Words   string
	By      string
	Reason  string
	At      frame.Moment
	Expires frame.Moment
	May     bool
	Mine    bool // who asks proposed it, and may withdraw it
	WhyNot  string
	Back    string
	Page    string // on which it is decided, where a word does not do; empty if one does
}

// PolicyPage is the address of the page of a policy that was proposed.
func PolicyPage(proposal string) string { return "/policies/proposals/" + proposal }

// proposalOf words a proposal; may says whether who asks may confirm any.
func proposalOf(p desk.Proposal, asking string, denied error, back string, now time.Time) Proposal {
	shown := Proposal{ID: p.ID, Words: "Move the limit of the case to " + officer.When(p.EndsAt), By: p.By.Name, Reason: officer.Sentence(p.Reason),
		At: frame.MomentOf(p.ProposedAt, now), Expires: frame.MomentOf(p.ExpiresAt(), now), May: denied == nil && p.By.ID != asking, Mine: p.By.ID == asking, Back: back}
	if p.Action == desk.ActionPolicyActivated {
		shown.Words, shown.Page = "Put the policy "+p.Subject+" in force", PolicyPage(p.ID)
	} else if p.Action == escalation.ActionGuardReleased {
		shown.Words = fmt.Sprintf("Release the guard on %s until %s", p.Subject, officer.When(p.EndsAt))
	} else {
		shown.About = Reseller{p.About.ID().String(), string(p.About)}
	}
	if p.Action == obligations.ActionWaived {
		shown.Words = "Waive the obligation " + p.Subject
	}
	switch {
	case denied != nil && shown.Page != "":
		shown.WhyNot = "It takes the role administrator."
	case denied != nil:
		shown.WhyNot = "It takes the role approver."
	case !shown.May:
		shown.WhyNot = "You proposed it. Another officer confirms it."
	}
	return shown
}
