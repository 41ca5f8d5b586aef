package officer

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/resellers/docket"
	"github.com/cipgate/cipgate/resellers/escalation"
	"github.com/cipgate/cipgate/resellers/findings"
	"github.com/cipgate/cipgate/resellers/history"
	"github.com/cipgate/cipgate/resellers/obligations"
)

func (a API) registerCases(api huma.API) {
	register(api, a.Log, http.MethodGet, "/v1/cases", "list-cases", "Resellers with an open case, ordered by id, with what officers did and what waits for them", http.StatusOK, a.cases)
	register(api, a.Log, http.MethodGet, "/v1/resellers/{id}/case", "get-case", "The open case of one reseller: its clock, holds, answers, decisions and approvals", http.StatusOK, a.oneCase)
	register(api, a.Log, http.MethodGet, "/v1/findings", "list-findings", "Open findings of all resellers, ordered by reseller", http.StatusOK, a.findings)
	register(api, a.Log, http.MethodGet, "/v1/reviews", "list-reviews", "What resellers answered and nobody has decided yet, the oldest first: cures, disputes, requests for time, explanations", http.StatusOK, a.reviews)
}

type holdOfCase struct {
	ID             string       `json:"id"`
	Kind           string       `json:"kind" enum:"officer,customer-harm,stay"`
	Authority      string       `json:"authority,omitempty" doc:"of a stay: who asked for it"`
	Reason         string       `json:"reason"`
	By             officerJSON  `json:"by"`
	PlacedAt       time.Time    `json:"placed_at"`
	EndsAt         time.Time    `json:"ends_at"`
	LiftProposedBy *officerJSON `json:"lift_proposed_by" doc:"of a stay, which two people lift; null if nobody proposed it"`
	LiftedAt       *time.Time   `json:"lifted_at"`
	InForce        bool         `json:"in_force"`
}

// Review is what a reseller answered and nobody has decided yet.
type Review struct {
	ID         string          `json:"id" doc:"jti of the remediation"`
	ResellerID string          `json:"reseller_id,omitempty"`
	Reseller   envelope.Entity `json:"reseller,omitempty"`
	Name       string          `json:"name,omitempty"`
	Kind       string          `json:"kind" enum:"cure,dispute,extension-request,explanation"`
	Finding    string          `json:"finding"`
	Ground     string          `json:"ground,omitempty"`
	Until      string          `json:"until,omitempty" doc:"the day asked for"`
	At         time.Time       `json:"at"`
	MayDecide  bool            `json:"you_may_decide"`
	WhyNot     string          `json:"why_not,omitempty"`
}

type decision struct {
	Review
	Upheld    bool        `json:"upheld" doc:"the reseller was right, or got what it asked for"`
	By        officerJSON `json:"by"`
	Why       string      `json:"why"`
	DecidedAt time.Time   `json:"decided_at"`
}

type limitExtension struct {
	At         time.Time   `json:"at"`
	From       time.Time   `json:"from"`
	To         time.Time   `json:"to"`
	By         officerJSON `json:"by"`
	ProposedBy officerJSON `json:"proposed_by"`
	Reason     string      `json:"reason"`
}

// openCaseJSON is an open case with what officers did about it.
type openCaseJSON struct {
	ResellerID string          `json:"reseller_id"`
	Reseller   envelope.Entity `json:"reseller"`
	Name       string          `json:"name"`
	Standing   string          `json:"standing"`
	caseJSON
	ClosesAt        *time.Time       `json:"closes_at"`
	TerminatesAt    *time.Time       `json:"terminates_at"`
	LimitAt         *time.Time       `json:"limit_at"`
	ExtendedTo      *time.Time       `json:"extended_to" doc:"of the stage it is in; null if no time was granted"`
	Findings        []finding        `json:"findings"`
	Holds           []holdOfCase     `json:"holds"`
	PendingReview   []Review         `json:"pending_review"`
	Decisions       []decision       `json:"decisions"`
	LimitExtensions []limitExtension `json:"limit_extensions"`
	Approvals       []Approval       `json:"approvals" doc:"steps that wait for people"`
	Successor       *SuccessorJSON   `json:"successor" doc:"who takes the verified customers if the relationship ends; null: every account is ordered closed then"`

	Notice      *Notified    `json:"notice" doc:"how far it is proved that the reseller was told of the last step; null if the next one waits for no proof"`
	Obligations []Obligation `json:"obligations,omitempty" doc:"what is owed about this reseller; a list of cases leaves them out"`
}

func (a API) openCase(ctx context.Context, file docket.File) (openCaseJSON, error) {
	c := file.Case
	out := openCaseJSON{ResellerID: file.ID().String(), Reseller: file.Entity, Name: file.History.Name, Standing: c.Standing.String(), caseJSON: caseOf(c),
		ClosesAt: timeOf(c.ClosesAt), TerminatesAt: timeOf(c.TerminatesAt), LimitAt: timeOf(c.LimitAt), Findings: findingsOf(ctx, file.History, c.Behind()),
		Holds: []holdOfCase{}, PendingReview: ReviewsOf(ctx, file), Decisions: []decision{}, LimitExtensions: []limitExtension{}}
	out.Successor = successorOf(c)
	if stage, ok := c.Stage(); ok && c.Extension.Stage == stage {
		out.ExtendedTo = timeOf(c.Extension.To)
	}
	for _, h := range c.Holds {
		shown := holdOfCase{ID: h.ID, Kind: string(h.Kind), Authority: h.Authority, Reason: h.Reason, By: officerOf(h.By), PlacedAt: h.PlacedAt, EndsAt: h.EndsAt,
			LiftedAt: timeOf(h.LiftedAt), InForce: h.In(a.Now())}
		if h.LiftProposedBy != nil {
			by := officerOf(*h.LiftProposedBy)
			shown.LiftProposedBy = &by
		}
		out.Holds = append(out.Holds, shown)
	}
	for _, d := range c.Decisions {
		out.Decisions = append(out.Decisions, decision{Review: reviewOf(d.Review), Upheld: d.Upheld, By: officerOf(d.By), Why: d.Why, DecidedAt: d.Decided})
	}
	for _, l := range c.LimitExtensions {
		out.LimitExtensions = append(out.LimitExtensions, limitExtension{At: l.At, From: l.From, To: l.To, By: officerOf(l.By), ProposedBy: officerOf(l.ProposedBy), Reason: l.Reason})
	}
	notice, waits, err := a.Cases.Notice(ctx, file)
	if err != nil {
		return out, err
	}
	if waits {
		shown := NotifiedOf(notice)
		out.Notice = &shown
	}
	out.Approvals, err = ApprovalsOf(ctx, a.Cases, file, a.Now())
	return out, err
}

// ObligationsOf are what is open of a reseller's obligations, the one that is due first first.
func ObligationsOf(ctx context.Context, from Cases, id envelope.ID, now time.Time) ([]Obligation, error) {
	found, err := from.Obligations(ctx, docket.Wanted{About: &id, State: obligations.Open}, nil, mostObligations)
	all := make([]Obligation, len(found))
	for i, o := range found {
		all[i] = ObligationOf(o, now)
	}
	return all, err
}

// mostObligations is how many a case shows.
const mostObligations = 50

func caseOf(c escalation.Case) caseJSON {
	return caseJSON{ID: c.ID, Policy: c.Policy, Since: c.Since, OpenedAt: c.OpenedAt, WarnedAt: timeOf(c.WarnedAt),
		CureBy: timeOf(c.CureBy), RestrictedAt: timeOf(c.RestrictedAt), ClosingAt: timeOf(c.ClosingAt), TerminatedAt: timeOf(c.TerminatedAt)}
}

// findingsOf are open findings with the evidence that who asks may be shown.
func findingsOf(ctx context.Context, h history.History, open []escalation.Open) []finding {
	found := []finding{}
	for _, f := range open {
		found = append(found, finding{ID: f.ID, Rule: f.Rule, Severity: f.Severity, Since: f.Since,
			OpenedAt: f.OpenedAt, Evidence: orEmpty(findings.Visible(h, f.Evidence, Reads(ctx))), Cure: f.Cure, Leaf: f.Leaf})
	}
	return found
}

func reviewOf(r escalation.Review) Review {
	return Review{ID: r.ID, Kind: r.Kind, Finding: r.Finding, Ground: r.Ground, Until: r.Until, At: r.At}
}

// ReviewsOf are the answers that wait for an officer, as seen by who asks.
func ReviewsOf(ctx context.Context, file docket.File) []Review {
	found := []Review{}
	for _, r := range file.Case.Reviews {
		shown := reviewOf(r)
		shown.ResellerID, shown.Reseller, shown.Name = file.ID().String(), file.Entity, file.History.Name
		operation := "accept-remediation"
		if r.Kind == escalation.AnswerDispute {
			operation = "uphold-appeal"
		}
		by, err := Permit(ctx, operation)
		if err == nil {
			err = file.Case.MayDecide(by, r.ID)
		}
		if shown.MayDecide = err == nil; err != nil {
			shown.WhyNot = strings.TrimPrefix(err.Error(), "escalation: ")
		}
		found = append(found, shown)
	}
	return found
}

// afterID reads the cursor of a list that is ordered by resellers' ids.
func afterID(cursor string) (*envelope.ID, error) {
	if cursor == "" {
		return nil, nil //nolint:nilnil // the first page has no place before it
	}
	id, err := (byID{cursor}).parse()
	return &id, err
}

func (a API) cases(ctx context.Context, in *page) (*list[openCaseJSON], error) {
	after, err := afterID(in.After)
	if err != nil {
		return nil, err
	}
	out := &list[openCaseJSON]{}
	out.Body.Items = []openCaseJSON{}
	files, err := a.Cases.Cases(ctx, after, in.Limit)
	if err != nil {
		return nil, err
	}
	for _, file := range files {
		if file.Case.ID == "" {
			continue // minor findings alone
		}
		shown, err := a.openCase(ctx, file)
		if err != nil {
			return nil, err
		}
		out.Body.Items = append(out.Body.Items, shown)
	}
	if len(files) == in.Limit {
		out.Body.Next = files[len(files)-1].ID().String()
	}
	return out, nil
}

type openCaseOut struct {
	Body openCaseJSON
}

func (a API) oneCase(ctx context.Context, in *byID) (*openCaseOut, error) {
	id, err := in.parse()
	if err != nil {
		return nil, err
	}
	file, err := a.Docket.Open(ctx, id)
	if err != nil {
		return nil, err
	}
	shown, err := a.openCase(ctx, file)
	if err != nil {
		return nil, err
	}
	shown.Obligations, err = ObligationsOf(ctx, a.Cases, id, a.Now())
	return &openCaseOut{Body: shown}, err
}

// findingOfReseller is an open finding in a list of many resellers.
type findingOfReseller struct {
	ResellerID string          `json:"reseller_id"`
	Reseller   envelope.Entity `json:"reseller"`
	Name       string          `json:"name"`
	Case       string          `json:"case,omitempty" doc:"that it is behind; absent for a minor one"`
	finding
}

// resellersPage is a page of a list in which one reseller has several items: the limit counts resellers.
type resellersPage struct {
	After string `query:"after" doc:"cursor: the next of the page before"`
	Limit int    `query:"limit" default:"100" minimum:"1" maximum:"1000" doc:"of how many resellers; what is open of one stands together"`
}

func (a API) findings(ctx context.Context, in *resellersPage) (*list[findingOfReseller], error) {
	after, err := afterID(in.After)
	if err != nil {
		return nil, err
	}
	files, err := a.Cases.Cases(ctx, after, in.Limit)
	if err != nil {
		return nil, err
	}
	out := &list[findingOfReseller]{}
	out.Body.Items = []findingOfReseller{}
	for _, file := range files {
		for i, f := range findingsOf(ctx, file.History, file.Case.Findings) {
			out.Body.Items = append(out.Body.Items, findingOfReseller{file.ID().String(), file.Entity, file.History.Name, file.Case.Findings[i].Case, f})
		}
	}
	if len(files) == in.Limit {
		out.Body.Next = files[len(files)-1].ID().String()
	}
	return out, nil
}

func (a API) reviews(ctx context.Context, in *resellersPage) (*list[Review], error) {
	after, err := askedPlaceOf(in.After)
	if err != nil {
		return nil, err
	}
	found, err := a.Cases.Answered(ctx, after, in.Limit)
	if err != nil {
		return nil, err
	}
	out := &list[Review]{}
	out.Body.Items = []Review{}
	for _, one := range found {
		out.Body.Items = append(out.Body.Items, ReviewsOf(ctx, one.File)...)
	}
	if len(found) == in.Limit {
		out.Body.Next = askedCursor(found[len(found)-1].Place)
	}
	return out, nil
}
