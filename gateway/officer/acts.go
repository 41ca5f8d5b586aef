package officer

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/gateway/problem"
	"github.com/cipgate/cipgate/resellers/desk"
	"github.com/cipgate/cipgate/resellers/escalation"
)

// Acts is what officers state about cases, and about the gateway's automation.
type Acts interface {
	Orderly
	Approve(ctx context.Context, by statement.Officer, id envelope.ID, approval, reason string) (desk.Acted, error)
	Refuse(ctx context.Context, by statement.Officer, id envelope.ID, approval, reason string) (desk.Acted, error)
	PlaceHold(ctx context.Context, by statement.Officer, id envelope.ID, hold desk.Hold) (desk.Acted, error)
	ProposeLift(ctx context.Context, by statement.Officer, id envelope.ID, hold, reason string) (desk.Acted, error)
	LiftHold(ctx context.Context, by statement.Officer, id envelope.ID, hold, reason string) (desk.Acted, error)
	GrantExtension(ctx context.Context, by statement.Officer, id envelope.ID, to time.Time, remediation, reason string) (desk.Acted, error)
	AcceptRemediation(ctx context.Context, by statement.Officer, id envelope.ID, remediation, reason string) (desk.Acted, error)
	RejectRemediation(ctx context.Context, by statement.Officer, id envelope.ID, remediation, reason string) (desk.Acted, error)
	DecideAppeal(ctx context.Context, by statement.Officer, id envelope.ID, remediation string, upheld bool, why string) (desk.Acted, error)
	RecordEvidence(ctx context.Context, by statement.Officer, id envelope.ID, found desk.Evidence) (string, desk.Acted, error)
	Inquire(ctx context.Context, by statement.Officer, id envelope.ID, question string, due time.Time) (string, time.Time, desk.Acted, error)
	RecordNotice(ctx context.Context, by statement.Officer, id envelope.ID, told desk.Told) (desk.Acted, error)
	MovePolicy(ctx context.Context, by statement.Officer, id envelope.ID, policy, reason string) (desk.Acted, error)
	Reinstate(ctx context.Context, by statement.Officer, id envelope.ID, whoseError, why string) (desk.Acted, error)
	ProposeLimit(ctx context.Context, by statement.Officer, id envelope.ID, to time.Time, reason string) (desk.Acted, error)
	ProposeRelease(ctx context.Context, by statement.Officer, guard escalation.GuardKind, until time.Time, reason string) (desk.Acted, error)
	TakeBack(ctx context.Context, by statement.Officer, proposal, reason string) (desk.Acted, error)
	Confirm(ctx context.Context, by statement.Officer, proposal, reason string) (desk.Acted, error)
	Proposals(ctx context.Context, limit int) ([]desk.Proposal, error)
	RecordObligation(ctx context.Context, by statement.Officer, asked desk.Requested) (string, desk.Acted, error)
	FulfilObligation(ctx context.Context, by statement.Officer, id, reference, reason string) (desk.Acted, error)
	ProposeWaiver(ctx context.Context, by statement.Officer, id, reason string) (desk.Acted, error)
	Automation(ctx context.Context) (escalation.House, error)
	Pause(ctx context.Context, by statement.Officer, reason string) (desk.Acted, error)
	Resume(ctx context.Context, by statement.Officer, reason string) (desk.Acted, error)
}

func (a API) registerActs(api huma.API) {
	post := func(path, id, summary string, handle func(context.Context, *actIn) (*actedOut, error)) {
		register(api, a.Log, http.MethodPost, path, id, summary, http.StatusOK, handle)
	}
	register(api, a.Log, http.MethodPost, "/v1/resellers/{id}/case/holds", "place-case-hold", "Let the steps of a case wait until a time", http.StatusCreated, a.placeCaseHold)
	post("/v1/resellers/{id}/case/holds/{item}/propose-lift", "propose-lift", "Propose that a stay be lifted", a.proposeLift)
	post("/v1/resellers/{id}/case/holds/{item}/lift", "lift-hold", "End a hold now", a.liftHold)
	register(api, a.Log, http.MethodPost, "/v1/resellers/{id}/case/extension", "grant-extension", "Move the next step of a case to a later time within its limit", http.StatusCreated, a.grantExtension)
	register(api, a.Log, http.MethodPost, "/v1/resellers/{id}/case/limit", "propose-limit", "Propose that the limit of a case be moved", http.StatusCreated, a.proposeLimit)
	register(api, a.Log, http.MethodPost, "/v1/resellers/{id}/case/policy", "move-policy", "Pin a case to another version of the policy", http.StatusOK, a.movePolicy)
	post("/v1/resellers/{id}/remediations/{item}/accept", "accept-remediation", "Take what a reseller said as a cure", a.acceptRemediation)
	post("/v1/resellers/{id}/remediations/{item}/reject", "reject-remediation", "Say that it cures nothing, or that no more time is given", a.rejectRemediation)
	post("/v1/resellers/{id}/appeals/{item}/uphold", "uphold-appeal", "Decide a dispute for the reseller", a.upholdAppeal)
	post("/v1/resellers/{id}/appeals/{item}/reject", "reject-appeal", "Decide a dispute against the reseller", a.rejectAppeal)
	register(api, a.Log, http.MethodPost, "/v1/evidence", "record-evidence", "Record evidence against a reseller; it opens a finding", http.StatusCreated, a.recordEvidence)
	register(api, a.Log, http.MethodPost, "/v1/resellers/{id}/inquiries", "inquire", "Ask a reseller a question that it must answer; no finding yet", http.StatusCreated, a.inquire)
	register(api, a.Log, http.MethodPost, "/v1/resellers/{id}/notices/record", "record-notice", "Record that a reseller was told of something by call, courier or in a meeting", http.StatusCreated, a.recordNotice)
	register(api, a.Log, http.MethodPost, "/v1/resellers/{id}/reinstatement", "reinstate", "Take a termination back", http.StatusCreated, a.reinstate)
	register(api, a.Log, http.MethodGet, "/v1/proposals", "list-proposals", "What one officer proposed and another must confirm, the oldest first", http.StatusOK, a.proposals)
	register(api, a.Log, http.MethodPost, "/v1/proposals/{proposal}/confirm", "confirm-proposal", "Confirm, as another person, what was proposed", http.StatusOK, a.confirm)
	register(api, a.Log, http.MethodPost, "/v1/proposals/{proposal}/withdraw", "withdraw-proposal", "Take back what you proposed, a policy too", http.StatusOK, a.takeBack)
	register(api, a.Log, http.MethodPost, "/v1/guard/releases", "propose-release", "Propose that what the guard holds back go on until a time", http.StatusCreated, a.proposeRelease)
	register(api, a.Log, http.MethodGet, "/v1/automation", "get-automation", "Whether irreversible steps are taken by themselves", http.StatusOK, a.automation)
	register(api, a.Log, http.MethodPost, "/v1/automation/pause", "pause-automation", "Let every irreversible step wait, of all resellers", http.StatusOK, a.pause)
	register(api, a.Log, http.MethodPost, "/v1/automation/resume", "resume-automation", "Let irreversible steps be taken again", http.StatusOK, a.resume)
}

// actIn is an act on something of one reseller, with its reason.
type actIn struct {
	ID   string `path:"id" doc:"base64url SHA-256 of the entity identifier"`
	Item string `path:"item" doc:"what is acted on: of a hold its id, of an answer its jti"`
	Body struct {
		Reason string `json:"reason" minLength:"1" maxLength:"8000" doc:"stands in the ledger"`
	}
}

// act is one of the desk's acts on something of one reseller.
func act(ctx context.Context, in *actIn, next string, do func(ctx context.Context, by statement.Officer, id envelope.ID, item, reason string) (desk.Acted, error)) (*actedOut, error) {
	id, err := (byID{in.ID}).parse()
	if err != nil {
		return nil, err
	}
	item, err := unescaped("what is acted on", in.Item)
	if err != nil {
		return nil, err
	}
	acted, err := do(ctx, officerIn(ctx), id, item, in.Body.Reason)
	return actedOf(acted, next, err)
}

func (a API) proposeLift(ctx context.Context, in *actIn) (*actedOut, error) {
	return act(ctx, in, "Another officer lifts it.", a.Desk.ProposeLift)
}

func (a API) liftHold(ctx context.Context, in *actIn) (*actedOut, error) {
	return act(ctx, in, "The time that was unused when it began comes back, and at least what the policy says.", a.Desk.LiftHold)
}

func (a API) acceptRemediation(ctx context.Context, in *actIn) (*actedOut, error) {
	return act(ctx, in, "Where the rule asks for an officer's word, the finding is cured by it.", a.Desk.AcceptRemediation)
}

func (a API) rejectRemediation(ctx context.Context, in *actIn) (*actedOut, error) {
	return act(ctx, in, "The case goes on.", a.Desk.RejectRemediation)
}

func (a API) upholdAppeal(ctx context.Context, in *actIn) (*actedOut, error) {
	return act(ctx, in, "The finding goes; where its severity alone was disputed, that goes down.",
		func(ctx context.Context, by statement.Officer, id envelope.ID, item, reason string) (desk.Acted, error) {
			return a.Desk.DecideAppeal(ctx, by, id, item, true, reason)
		})
}

func (a API) rejectAppeal(ctx context.Context, in *actIn) (*actedOut, error) {
	return act(ctx, in, "The finding stands and the case goes on; the next irreversible step leaves the time that the policy says.",
		func(ctx context.Context, by statement.Officer, id envelope.ID, item, reason string) (desk.Acted, error) {
			return a.Desk.DecideAppeal(ctx, by, id, item, false, reason)
		})
}

type caseHoldIn struct {
	ID   string `path:"id" doc:"base64url SHA-256 of the entity identifier"`
	Body struct {
		Kind      escalation.HoldKind `json:"kind" enum:"officer,customer-harm,stay"`
		Authority string              `json:"authority,omitempty" maxLength:"500" doc:"exactly for a stay: the court or authority that asked for it"`
		EndsAt    time.Time           `json:"ends_at" doc:"every hold has an end; only a stay may pass the limit of the case"`
		Reason    string              `json:"reason" minLength:"1" maxLength:"8000" doc:"stands in the ledger"`
	}
}

func (a API) placeCaseHold(ctx context.Context, in *caseHoldIn) (*actedOut, error) {
	id, err := (byID{in.ID}).parse()
	if err != nil {
		return nil, err
	}
	acted, err := a.Desk.PlaceHold(ctx, officerIn(ctx), id, desk.Hold{Kind: in.Body.Kind, Authority: in.Body.Authority, EndsAt: in.Body.EndsAt, Reason: in.Body.Reason})
	return actedOf(acted, "The hold's id is this jti. The steps of the case wait until it ends or is lifted.", err)
}

type extensionIn struct {
	ID   string `path:"id" doc:"base64url SHA-256 of the entity identifier"`
	Body struct {
		Until       time.Time `json:"until" doc:"when the next step is taken now; within the limit"`
		Remediation string    `json:"remediation,omitempty" maxLength:"255" doc:"jti of the extension-request that this answers, if one asked"`
		Reason      string    `json:"reason" minLength:"1" maxLength:"8000" doc:"stands in the ledger"`
	}
}

func (a API) grantExtension(ctx context.Context, in *extensionIn) (*actedOut, error) {
	id, err := (byID{in.ID}).parse()
	if err != nil {
		return nil, err
	}
	acted, err := a.Desk.GrantExtension(ctx, officerIn(ctx), id, in.Body.Until, in.Body.Remediation, in.Body.Reason)
	return actedOf(acted, "The next step of the case is taken then, if nothing is cured.", err)
}

type limitProposalIn struct {
	ID   string `path:"id" doc:"base64url SHA-256 of the entity identifier"`
	Body struct {
		LimitAt time.Time `json:"limit_at" doc:"the new limit, after the one that is"`
		Reason  string    `json:"reason" minLength:"1" maxLength:"8000" doc:"stands in the ledger"`
	}
}

func (a API) proposeLimit(ctx context.Context, in *limitProposalIn) (*actedOut, error) {
	id, err := (byID{in.ID}).parse()
	if err != nil {
		return nil, err
	}
	acted, err := a.Desk.ProposeLimit(ctx, officerIn(ctx), id, in.Body.LimitAt, in.Body.Reason)
	return actedOf(acted, "Another officer confirms: POST /v1/proposals/"+acted.JTI+"/confirm", err)
}

type movePolicyIn struct {
	ID   string `path:"id" doc:"base64url SHA-256 of the entity identifier"`
	Body struct {
		Policy string `json:"policy" minLength:"1" maxLength:"200" doc:"such as us-iaas-2024.4; one that this gateway has or had in force"`
		Reason string `json:"reason" minLength:"1" maxLength:"8000" doc:"stands in the ledger"`
	}
}

func (a API) movePolicy(ctx context.Context, in *movePolicyIn) (*actedOut, error) {
	id, err := (byID{in.ID}).parse()
	if err != nil {
		return nil, err
	}
	acted, err := a.Desk.MovePolicy(ctx, officerIn(ctx), id, in.Body.Policy, in.Body.Reason)
	return actedOf(acted, "The case is judged by it from here on.", err)
}

type evidenceIn struct {
	Body struct {
		Reseller    string    `json:"reseller" doc:"id: base64url SHA-256 of the entity identifier"`
		Ground      string    `json:"ground" enum:"cip-failure,no-good-faith-effort,increased-risk" doc:"15 CFR 7.303(d), proposed"`
		Severity    string    `json:"severity" enum:"serious,critical"`
		Description string    `json:"description" minLength:"1" maxLength:"8000" doc:"what was found; stands in the ledger, so name no person"`
		ReceivedAt  time.Time `json:"received_at" doc:"when the provider had it; the clock of the rule starts there"`
		Audience    string    `json:"audience,omitempty" enum:"reseller,chain,provider,need-to-know" doc:"who may read it; the reseller if absent"`
	}
}

type evidenceOut struct {
	Body struct {
		Evidence  string    `json:"evidence" doc:"its id"`
		LeafIndex int64     `json:"leaf_index"`
		Digest    string    `json:"digest" doc:"its receipt is at /receipts/{digest}"`
		At        time.Time `json:"at"`
		Next      string    `json:"next_step"`
	}
}

func (a API) recordEvidence(ctx context.Context, in *evidenceIn) (*evidenceOut, error) {
	id, err := envelope.ParseID(in.Body.Reseller)
	if err != nil {
		return nil, fmt.Errorf("%w: reseller: wanted the id of a reseller, the base64url SHA-256 of its entity identifier, 43 characters: %w", problem.ErrRequest, err)
	}
	evidence, acted, err := a.Desk.RecordEvidence(ctx, officerIn(ctx), id, desk.Evidence{Ground: in.Body.Ground, Severity: in.Body.Severity,
		Description: in.Body.Description, ReceivedAt: in.Body.ReceivedAt, Audience: in.Body.Audience})
	if err != nil {
		return nil, err
	}
	out := &evidenceOut{}
	out.Body.Evidence, out.Body.LeafIndex, out.Body.Digest, out.Body.At = evidence, acted.LeafIndex, acted.Digest.String(), acted.At
	out.Body.Next = "A finding is opened, and the case goes to closing through the approvals that the policy asks for, which somebody else than you gives."
	return out, nil
}

type inquiryIn struct {
	ID   string `path:"id" doc:"base64url SHA-256 of the entity identifier"`
	Body struct {
		Question string     `json:"question" minLength:"1" maxLength:"8000" doc:"is sent to the reseller"`
		DueAt    *time.Time `json:"due_at,omitempty" doc:"5 days from now if absent"`
	}
}

type inquiryOut struct {
	Body struct {
		Inquiry   string    `json:"inquiry" doc:"its id, which the answer names"`
		DueAt     time.Time `json:"due_at"`
		LeafIndex int64     `json:"leaf_index"`
		Digest    string    `json:"digest" doc:"its receipt is at /receipts/{digest}"`
	}
}

func (a API) inquire(ctx context.Context, in *inquiryIn) (*inquiryOut, error) {
	id, err := (byID{in.ID}).parse()
	if err != nil {
		return nil, err
	}
	var due time.Time
	if in.Body.DueAt != nil {
		due = *in.Body.DueAt
	}
	inquiry, until, acted, err := a.Desk.Inquire(ctx, officerIn(ctx), id, in.Body.Question, due)
	if err != nil {
		return nil, err
	}
	out := &inquiryOut{}
	out.Body.Inquiry, out.Body.DueAt, out.Body.LeafIndex, out.Body.Digest = inquiry, until, acted.LeafIndex, acted.Digest.String()
	return out, nil
}

type recordNoticeIn struct {
	ID   string `path:"id" doc:"base64url SHA-256 of the entity identifier"`
	Body struct {
		Notice  string    `json:"notice" minLength:"1" maxLength:"255" doc:"jti of what this gateway stated and the reseller was told"`
		Channel string    `json:"channel" enum:"call,courier,meeting"`
		Whom    string    `json:"whom" minLength:"1" maxLength:"200" doc:"the role of whom was told; no name"`
		At      time.Time `json:"at"`
		Reason  string    `json:"reason" minLength:"1" maxLength:"8000" doc:"what was said, and how it is known that it arrived"`

		Unanswered bool `json:"unanswered,omitempty" doc:"nobody answered: a try, of which the policy says how many on different days count as proof"`
	}
}

func (a API) recordNotice(ctx context.Context, in *recordNoticeIn) (*actedOut, error) {
	id, err := (byID{in.ID}).parse()
	if err != nil {
		return nil, err
	}
	b := in.Body
	acted, err := a.Desk.RecordNotice(ctx, officerIn(ctx), id, desk.Told{Notice: b.Notice, Channel: b.Channel, Whom: b.Whom, At: b.At, Reason: b.Reason, Unanswered: b.Unanswered})
	if b.Unanswered {
		return actedOf(acted, "It is a try that nobody answered. The case's proof of notice says how many more are needed.", err)
	}
	return actedOf(acted, "It is proof of notice.", err)
}

type reinstateIn struct {
	ID   string `path:"id" doc:"base64url SHA-256 of the entity identifier"`
	Body struct {
		WhoseError string `json:"whose_error" enum:"gateway,provider,superior,reseller,nobody"`
		Reason     string `json:"reason" minLength:"1" maxLength:"8000" doc:"stands in the ledger"`
	}
}

func (a API) reinstate(ctx context.Context, in *reinstateIn) (*actedOut, error) {
	id, err := (byID{in.ID}).parse()
	if err != nil {
		return nil, err
	}
	acted, err := a.Desk.Reinstate(ctx, officerIn(ctx), id, in.Body.WhoseError, in.Body.Reason)
	return actedOf(acted, "The orders of the case are withdrawn; what is still open begins anew, with its own clock.", err)
}

// proposal is what one officer proposed and another must confirm.
type proposal struct {
	ID         string          `json:"id"`
	About      envelope.Entity `json:"about"`
	Action     string          `json:"action" enum:"limit.extended,guard.released,obligation.waived"`
	Subject    string          `json:"subject" doc:"the case, what of the guard, or the obligation"`
	EndsAt     *time.Time      `json:"ends_at" doc:"the new limit, or until when the guard is released; null of a waiver"`
	Reason     string          `json:"reason"`
	ProposedBy officerJSON     `json:"proposed_by"`
	ProposedAt time.Time       `json:"proposed_at"`
	ExpiresAt  time.Time       `json:"expires_at"`
	MayConfirm bool            `json:"you_may_confirm"`
}

// ConfirmedBy is the operation by which another person confirms what was proposed.
func ConfirmedBy(p desk.Proposal) string {
	if p.Action == desk.ActionPolicyActivated {
		return "activate-policy"
	}
	return "confirm-proposal"
}

func (a API) proposals(ctx context.Context, in *limitIn) (*list[proposal], error) {
	found, err := a.Desk.Proposals(ctx, in.Limit)
	if err != nil {
		return nil, err
	}
	out := &list[proposal]{}
	out.Body.Items = make([]proposal, len(found))
	for i, p := range found {
		by, denied := Permit(ctx, ConfirmedBy(p))
		out.Body.Items[i] = proposal{ID: p.ID, About: p.About, Action: p.Action, Subject: p.Subject, EndsAt: timeOf(p.EndsAt), Reason: p.Reason, ProposedBy: officerOf(p.By),
			ProposedAt: p.ProposedAt, ExpiresAt: p.ExpiresAt(), MayConfirm: denied == nil && by.ID != p.By.ID}
	}
	return out, nil
}

type confirmIn struct {
	Proposal string `path:"proposal"`
	Body     struct {
		Reason string `json:"reason" minLength:"1" maxLength:"8000" doc:"stands in the ledger, beside that of whoever proposed it"`
	}
}

func (a API) confirm(ctx context.Context, in *confirmIn) (*actedOut, error) {
	acted, err := a.Desk.Confirm(ctx, officerIn(ctx), in.Proposal, in.Body.Reason)
	return actedOf(acted, "It is in force.", err)
}

func (a API) takeBack(ctx context.Context, in *confirmIn) (*actedOut, error) {
	acted, err := a.Desk.TakeBack(ctx, officerIn(ctx), in.Proposal, in.Body.Reason)
	return actedOf(acted, "It is withdrawn: nobody can confirm it any more.", err)
}

type releaseGuardIn struct {
	Body struct {
		Guard  escalation.GuardKind `json:"guard" enum:"closures,terminations,accounts,findings"`
		Until  time.Time            `json:"until" doc:"at most 7 days from now"`
		Reason string               `json:"reason" minLength:"1" maxLength:"8000" doc:"stands in the ledger"`
	}
}

func (a API) proposeRelease(ctx context.Context, in *releaseGuardIn) (*actedOut, error) {
	acted, err := a.Desk.ProposeRelease(ctx, officerIn(ctx), in.Body.Guard, in.Body.Until, in.Body.Reason)
	return actedOf(acted, "Another officer confirms: POST /v1/proposals/"+acted.JTI+"/confirm", err)
}

type releaseJSON struct {
	Guard      escalation.GuardKind `json:"guard"`
	From       time.Time            `json:"from"`
	Until      time.Time            `json:"until"`
	By         officerJSON          `json:"by"`
	ProposedBy officerJSON          `json:"proposed_by"`
}

type automationOut struct {
	Body struct {
		Paused   bool          `json:"paused" doc:"irreversible steps wait, of all resellers"`
		Since    *time.Time    `json:"since" doc:"null while it is not paused"`
		By       *officerJSON  `json:"by"`
		Reason   string        `json:"reason,omitempty"`
		Releases []releaseJSON `json:"guard_releases" doc:"in force now"`
	}
}

func (a API) automation(ctx context.Context, _ *struct{}) (*automationOut, error) {
	house, err := a.Desk.Automation(ctx)
	if err != nil {
		return nil, err
	}
	out := &automationOut{}
	out.Body.Releases = []releaseJSON{}
	if p := house.Paused; p != nil {
		by := officerOf(p.By)
		out.Body.Paused, out.Body.Since, out.Body.By, out.Body.Reason = true, &p.Since, &by, p.Reason
	}
	for _, r := range house.Releases {
		if now := a.Now(); !now.Before(r.From) && now.Before(r.Until) {
			out.Body.Releases = append(out.Body.Releases, releaseJSON{r.Guard, r.From, r.Until, officerOf(r.By), officerOf(r.ProposedBy)})
		}
	}
	return out, nil
}

type reasonAloneIn struct {
	Body struct {
		Reason string `json:"reason" minLength:"1" maxLength:"8000" doc:"stands in the ledger"`
	}
}

func (a API) pause(ctx context.Context, in *reasonAloneIn) (*actedOut, error) {
	acted, err := a.Desk.Pause(ctx, officerIn(ctx), in.Body.Reason)
	return actedOf(acted, "Irreversible steps wait until somebody resumes: POST /v1/automation/resume", err)
}

func (a API) resume(ctx context.Context, in *reasonAloneIn) (*actedOut, error) {
	acted, err := a.Desk.Resume(ctx, officerIn(ctx), in.Body.Reason)
	return actedOf(acted, "What fell due meanwhile is taken now, where nothing else holds it back.", err)
}
