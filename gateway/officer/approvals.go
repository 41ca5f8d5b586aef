package officer

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/gateway/auth"
	"github.com/cipgate/cipgate/gateway/problem"
	"github.com/cipgate/cipgate/resellers/desk"
	"github.com/cipgate/cipgate/resellers/docket"
	"github.com/cipgate/cipgate/resellers/escalation"
	"github.com/cipgate/cipgate/resellers/obligations"
)

// Cases is what the API and the pages read of open cases.
type Cases interface {
	Open(ctx context.Context, id envelope.ID) (docket.File, error)
	Cases(ctx context.Context, after *envelope.ID, limit int) ([]docket.File, error)
	Approvals(ctx context.Context, file docket.File) ([]escalation.Approval, error)
	Asked(ctx context.Context, after *docket.AskedPlace, limit int) ([]docket.Asked, error)
	Answered(ctx context.Context, after *docket.AskedPlace, limit int) ([]docket.Answered, error)
	Calls(ctx context.Context, after *docket.AskedPlace, limit int) ([]docket.Call, error)
	Notice(ctx context.Context, file docket.File) (escalation.Notice, bool, error)
	Obligations(ctx context.Context, wanted docket.Wanted, after *docket.DuePlace, limit int) ([]obligations.Obligation, error)
	Obligation(ctx context.Context, id string) (obligations.Obligation, error)
}

func (a API) registerApprovals(api huma.API) {
	register(api, a.Log, http.MethodGet, "/v1/approvals", "list-approvals", "Steps of cases that people are asked about now, the one that falls due first first; what will be asked stands with each case", http.StatusOK, a.approvals)
	register(api, a.Log, http.MethodPost, "/v1/approvals/{approval}/approve", "approve-step", "Approve a step of a case", http.StatusOK, a.approveStep)
	register(api, a.Log, http.MethodPost, "/v1/approvals/{approval}/refuse", "refuse-step", "Refuse a step of a case", http.StatusOK, a.refuseStep)
}

// officerJSON is an officer as it stands in the ledger.
type officerJSON struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

func officerOf(o statement.Officer) officerJSON { return officerJSON{o.ID, o.Name} }

type grantJSON struct {
	By     officerJSON `json:"by"`
	At     time.Time   `json:"at"`
	Reason string      `json:"reason,omitempty" doc:"of a refusal"`
}

// Approval is a step that waits for people, as the API tells it.
type Approval struct {
	ID              string          `json:"id" doc:"names reseller and step; give it back to approve or refuse"`
	JTI             string          `json:"jti" doc:"that the step's statement will have"`
	ResellerID      string          `json:"reseller_id"`
	Reseller        envelope.Entity `json:"reseller"`
	Name            string          `json:"name"`
	Standing        string          `json:"standing"`
	Case            string          `json:"case"`
	Step            string          `json:"step" enum:"warn,restrict,close,terminate"`
	Does            string          `json:"does" doc:"in words"`
	Needed          int             `json:"needed" doc:"how many people, all of them different"`
	Given           []grantJSON     `json:"given"`
	Refused         *grantJSON      `json:"refused" doc:"null if nobody did; the step is then not taken until another officer approves it"`
	AskedAt         time.Time       `json:"asked_at"`
	DeputyAt        time.Time       `json:"deputy_at" doc:"from when it is the deputy's too"`
	AdministratorAt time.Time       `json:"administrator_at" doc:"from when it is the administrator's too"`
	Whose           string          `json:"whose,omitempty" enum:"approver,deputy,administrator" doc:"whom it is put before now; absent while it is not asked yet. Everybody with the role approver may approve at any time"`
	StepAt          time.Time       `json:"step_at" doc:"when the step falls due"`
	LimitAt         *time.Time      `json:"limit_at"`
	Silence         string          `json:"silence" enum:"acts,holds" doc:"what happens at step_at if nobody says anything"`
	Unproved        string          `json:"unproved,omitempty" doc:"what proof of notice the step waits for beside its approval"`
	MayApprove      bool            `json:"you_may_approve"`
	WhyNot          string          `json:"why_not,omitempty" doc:"why you may not"`
}

// Key names an approval with its reseller: all that is needed to find it.
func Key(reseller envelope.ID, approval string) string { return reseller.String() + "." + approval }

// ParseKey reads what Key wrote. Errors wrap problem.ErrRequest.
func ParseKey(key string) (reseller envelope.ID, approval string, err error) {
	id, approval, ok := strings.Cut(key, ".")
	reseller, err = envelope.ParseID(id)
	if !ok || err != nil || approval == "" {
		return reseller, "", fmt.Errorf("%w: approval: wanted the `id` of an approval as GET /v1/approvals lists it, got something else", problem.ErrRequest)
	}
	return reseller, approval, nil
}

// ApprovalsOf words the approvals of a file that still wait for somebody, as seen by who asks.
func ApprovalsOf(ctx context.Context, from Cases, file docket.File, now time.Time) ([]Approval, error) {
	found, err := from.Approvals(ctx, file)
	if err != nil {
		return nil, err
	}
	all := []Approval{}
	for _, one := range found {
		if one.Pending() {
			all = append(all, approvalOf(ctx, file, one, now))
		}
	}
	return all, nil
}

func approvalOf(ctx context.Context, file docket.File, found escalation.Approval, now time.Time) Approval {
	shown := Approval{ID: Key(file.ID(), found.ID), JTI: found.ID, ResellerID: file.ID().String(), Reseller: file.Entity, Name: file.History.Name,
		Standing: file.Case.Standing.String(), Case: found.Case, Step: found.Step, Does: found.Does, Needed: found.People, Given: []grantJSON{},
		AskedAt: found.AskedAt, DeputyAt: found.DeputyAt, AdministratorAt: found.AdministratorAt, Whose: found.Whose(now), StepAt: found.StepAt,
		LimitAt: timeOf(found.LimitAt), Silence: string(found.Silence), Unproved: found.Unproved}
	for _, g := range found.Given {
		shown.Given = append(shown.Given, grantJSON{By: officerOf(g.By), At: g.At})
	}
	if r := found.Refused; r != nil {
		shown.Refused = &grantJSON{By: officerOf(r.By), At: r.At, Reason: r.Reason}
	}
	shown.WhyNot = whyNot(ctx, found)
	shown.MayApprove = shown.WhyNot == ""
	return shown
}

// whyNot says why who asks may not approve; what is asked in earnest is judged by the desk.
func whyNot(ctx context.Context, found escalation.Approval) string {
	asking := auth.Asking(ctx)
	is := func(o statement.Officer) bool { return o.ID == asking.ID }
	switch {
	case !asking.Role.Includes(takes("approve-step")):
		return "It takes the role approver."
	case slices.ContainsFunc(found.Barred, is):
		return "You recorded the evidence behind the case. Another officer approves it."
	case slices.ContainsFunc(found.Given, func(g escalation.Grant) bool { return is(g.By) }):
		return "You approved it. Another officer must approve it too."
	case found.Refused != nil && is(found.Refused.By):
		return "You refused it. Another officer may approve it."
	}
	return ""
}

// askedPage is how many resellers about whom people are asked are read at once, and MostWaiting how many approvals the page lists.
const (
	askedPage   = 200
	MostWaiting = 500
)

// Waiting lists up to limit approvals that are put before people now, of those that are wanted, the one whose step falls due first first:
// those after a place. A reseller's are never parted, so there may be a few more. It says where the list goes on; nil if it ends.
// It reads the index of what is asked, not the cases.
func Waiting(ctx context.Context, from Cases, after *docket.AskedPlace, limit int, now time.Time, wanted func(Approval) bool) (all []Approval, next *docket.AskedPlace, err error) {
	all = []Approval{}
	for {
		asked, err := from.Asked(ctx, after, askedPage)
		if err != nil {
			return nil, nil, err
		}
		for _, one := range asked {
			var shown []Approval
			for _, found := range one.Approvals {
				if a := approvalOf(ctx, one.File, found, now); wanted(a) {
					shown = append(shown, a)
				}
			}
			if len(shown) > 0 && len(all) > 0 && len(all)+len(shown) > limit {
				return all, after, nil
			}
			all, after = append(all, shown...), &one.Place
		}
		if len(asked) < askedPage {
			return all, nil, nil
		}
	}
}

type approvalsIn struct {
	After string `query:"after" doc:"cursor: the next of the page before"`
	Limit int    `query:"limit" default:"100" minimum:"1" maximum:"1000" doc:"those of one reseller are never parted, so there may be a few more"`
	Mine  bool   `query:"mine" doc:"those alone that you may approve"`
}

func (a API) approvals(ctx context.Context, in *approvalsIn) (*list[Approval], error) {
	after, err := askedPlaceOf(in.After)
	if err != nil {
		return nil, err
	}
	found, next, err := Waiting(ctx, a.Cases, after, in.Limit, a.Now(), func(one Approval) bool { return one.MayApprove || !in.Mine })
	if err != nil {
		return nil, err
	}
	out := &list[Approval]{}
	if out.Body.Items = found; next != nil {
		out.Body.Next = askedCursor(*next)
	}
	return out, nil
}

// askedCursor is where a list of what people are asked goes on; askedPlaceOf reads it.
func askedCursor(place docket.AskedPlace) string {
	return cursorOf(strconv.FormatInt(place.At.UnixMicro(), 10), place.ID.String())
}

// askedPlaceOf reads such a cursor; nil where the list begins.
func askedPlaceOf(cursor string) (*docket.AskedPlace, error) {
	if cursor == "" {
		return nil, nil
	}
	parts, err := parseCursor(cursor)
	if err != nil {
		return nil, err
	}
	micros, notAt := strconv.ParseInt(parts[0], 10, 64)
	id, notID := envelope.ParseID(parts[1])
	if notAt != nil || notID != nil {
		return nil, fmt.Errorf("%w: after: wanted the `next` of the page before, got something else", problem.ErrRequest)
	}
	return &docket.AskedPlace{At: time.UnixMicro(micros).UTC(), ID: id}, nil
}

type approvalIn struct {
	Approval string `path:"approval" doc:"id, as it is listed"`
	Body     struct {
		Reason string `json:"reason" minLength:"1" maxLength:"8000" doc:"stands in the ledger"`
	}
}

// actedOut is what was recorded.
type actedOut struct {
	Body struct {
		JTI       string    `json:"jti"`
		LeafIndex int64     `json:"leaf_index"`
		Digest    string    `json:"digest" doc:"its receipt is at /receipts/{digest}"`
		At        time.Time `json:"at"`
		Next      string    `json:"next_step" doc:"in words"`
	}
}

func actedOf(acted desk.Acted, next string, err error) (*actedOut, error) {
	if err != nil {
		return nil, err
	}
	out := &actedOut{}
	out.Body.JTI, out.Body.LeafIndex, out.Body.Digest, out.Body.At, out.Body.Next = acted.JTI, acted.LeafIndex, acted.Digest.String(), acted.At, next
	return out, nil
}

func (a API) approveStep(ctx context.Context, in *approvalIn) (*actedOut, error) {
	id, approval, err := ParseKey(in.Approval)
	if err != nil {
		return nil, err
	}
	acted, err := a.Desk.Approve(ctx, officerIn(ctx), id, approval, in.Body.Reason)
	return actedOf(acted, "The step is taken when its time has come and as many people have approved it as the policy asks.", err)
}

func (a API) refuseStep(ctx context.Context, in *approvalIn) (*actedOut, error) {
	id, approval, err := ParseKey(in.Approval)
	if err != nil {
		return nil, err
	}
	acted, err := a.Desk.Refuse(ctx, officerIn(ctx), id, approval, in.Body.Reason)
	return actedOf(acted, "The step is not taken until another officer approves it, or the case moves on.", err)
}
