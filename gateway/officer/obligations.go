package officer

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/gateway/problem"
	"github.com/cipgate/cipgate/resellers/desk"
	"github.com/cipgate/cipgate/resellers/docket"
	"github.com/cipgate/cipgate/resellers/escalation"
	"github.com/cipgate/cipgate/resellers/obligations"
)

func (a API) registerObligations(api huma.API) {
	register(api, a.Log, http.MethodGet, "/v1/obligations", "list-obligations", "What the provider owes an authority, the earliest due date before the others", http.StatusOK, a.obligations)
	register(api, a.Log, http.MethodGet, "/v1/obligations/{obligation}", "get-obligation", "One obligation", http.StatusOK, a.obligation)
	register(api, a.Log, http.MethodPost, "/v1/obligations", "record-obligation", "Record that an authority asked for something", http.StatusCreated, a.recordObligation)
	register(api, a.Log, http.MethodPost, "/v1/obligations/{obligation}/fulfil", "fulfil-obligation", "Record that an obligation was fulfilled", http.StatusOK, a.fulfilObligation)
	register(api, a.Log, http.MethodPost, "/v1/obligations/{obligation}/waive", "propose-waiver", "Propose that an obligation be waived", http.StatusCreated, a.proposeWaiver)
	register(api, a.Log, http.MethodGet, "/v1/calls", "list-calls", "Resellers that an officer must call now, since nothing proves that they were told of the last step, the most urgent before the others", http.StatusOK, a.calls)
}

// Obligation is what the provider owes an authority, as the API tells it.
type Obligation struct {
	ID          string          `json:"id"`
	Kind        string          `json:"kind" enum:"closure-report,activity-report,limit-crossed,ai-training,certification,department-request,follow-up"`
	About       envelope.Entity `json:"about" doc:"the reseller, or the gateway"`
	AboutID     string          `json:"about_id"`
	Subject     string          `json:"subject,omitempty" doc:"the case, the transaction, or the number of the certification"`
	What        string          `json:"what" doc:"what to do"`
	Source      string          `json:"source" doc:"where the duty stands"`
	Policy      string          `json:"policy" doc:"by which it is due"`
	State       string          `json:"state" enum:"open,overdue,fulfilled,waived"`
	OpenedAt    time.Time       `json:"opened_at"`
	OpenedBy    int64           `json:"opened_by" doc:"leaf index of the entry that opened it"`
	CountedFrom time.Time       `json:"counted_from"`
	DueAt       time.Time       `json:"due_at"`
	RemindAt    []time.Time     `json:"remind_at"`
	Request     string          `json:"request,omitempty" doc:"the authority's reference, of what it asked for"`
	EndedAt     *time.Time      `json:"ended_at"`
	EndedBy     *officerJSON    `json:"ended_by,omitempty"`
	ProposedBy  *officerJSON    `json:"proposed_by,omitempty" doc:"of a waiver"`
	Reference   string          `json:"reference,omitempty" doc:"of what was handed in"`
	Reason      string          `json:"reason,omitempty"`
	Late        bool            `json:"late" doc:"it was fulfilled after it was due"`
}

// ObligationOf words an obligation.
func ObligationOf(o obligations.Obligation, now time.Time) Obligation {
	shown := Obligation{ID: o.ID, Kind: o.Kind, About: o.About, AboutID: o.About.ID().String(), Subject: o.Subject, What: o.What, Source: o.Source, Policy: o.Policy,
		State: string(o.State(now)), OpenedAt: o.OpenedAt, OpenedBy: o.Leaf, CountedFrom: o.CountFrom, DueAt: o.DueAt, RemindAt: o.RemindAt, Request: o.Request,
		EndedAt: timeOf(o.Closed.At), Reference: o.Closed.Reference, Reason: o.Closed.Reason, Late: o.Late()}
	if shown.RemindAt == nil {
		shown.RemindAt = []time.Time{}
	}
	if o.Closed.How != "" {
		by := officerOf(o.Closed.By)
		shown.EndedBy = &by
	}
	if o.Closed.ProposedBy != nil {
		by := officerOf(*o.Closed.ProposedBy)
		shown.ProposedBy = &by
	}
	return shown
}

type obligationsIn struct {
	After string `query:"after" doc:"cursor: the next of the page before"`
	Limit int    `query:"limit" default:"100" minimum:"1" maximum:"1000"`
	State string `query:"state" enum:"open,overdue,ended" doc:"open: every one that is; overdue: those whose date has passed; ended: fulfilled or waived; left out: all"`
	Kind  string `query:"kind" enum:"closure-report,activity-report,limit-crossed,ai-training,certification,department-request,follow-up"`
	About string `query:"about" maxLength:"100" doc:"id of one reseller, or of the gateway"`
}

func (a API) obligations(ctx context.Context, in *obligationsIn) (*list[Obligation], error) {
	wanted := docket.Wanted{Kind: in.Kind, State: obligations.State(in.State)}
	if in.State == "ended" {
		wanted.State = obligations.State(obligations.Fulfilled)
	}
	if in.About != "" {
		id, err := (byID{in.About}).parse()
		if err != nil {
			return nil, err
		}
		wanted.About = &id
	}
	after, err := duePlaceOf(in.After)
	if err != nil {
		return nil, err
	}
	found, err := a.Cases.Obligations(ctx, wanted, after, in.Limit)
	if err != nil {
		return nil, err
	}
	out := &list[Obligation]{}
	out.Body.Items = make([]Obligation, len(found))
	for i, o := range found {
		out.Body.Items[i] = ObligationOf(o, a.Now())
	}
	if len(found) == in.Limit {
		last := found[len(found)-1]
		out.Body.Next = cursorOf(strconv.FormatInt(last.DueAt.UnixMicro(), 10), last.ID)
	}
	return out, nil
}

func duePlaceOf(cursor string) (*docket.DuePlace, error) {
	if cursor == "" {
		return nil, nil
	}
	parts, err := parseCursor(cursor)
	if err != nil {
		return nil, err
	}
	micros, err := strconv.ParseInt(parts[0], 10, 64)
	if err != nil {
		return nil, fmt.Errorf("%w: after: wanted the `next` of the page before, got something else", problem.ErrRequest)
	}
	return &docket.DuePlace{DueAt: time.UnixMicro(micros).UTC(), ID: parts[1]}, nil
}

type oneObligation struct {
	Obligation string `path:"obligation" doc:"id, as it is listed"`
}

type obligationOut struct{ Body Obligation }

func (a API) obligation(ctx context.Context, in *oneObligation) (*obligationOut, error) {
	o, err := a.Cases.Obligation(ctx, in.Obligation)
	if err != nil {
		return nil, fmt.Errorf("obligation: wanted the id of one that GET /v1/obligations lists: %w", err)
	}
	return &obligationOut{ObligationOf(o, a.Now())}, nil
}

type recordObligationIn struct {
	Body struct {
		Kind       string    `json:"kind" enum:"department-request,follow-up"`
		Reseller   string    `json:"reseller,omitempty" maxLength:"100" doc:"id of the reseller that it is about; left out if it is about none"`
		Request    string    `json:"request" minLength:"1" maxLength:"500" doc:"the authority's reference"`
		What       string    `json:"what" minLength:"1" maxLength:"8000" doc:"what it asked for; stands in the ledger"`
		ReceivedAt time.Time `json:"received_at" doc:"the time counts from there"`
	}
}

type recordedObligationOut struct {
	Body struct {
		Obligation string    `json:"obligation" doc:"its id"`
		DueAt      time.Time `json:"due_at"`
		LeafIndex  int64     `json:"leaf_index"`
		Digest     string    `json:"digest" doc:"its receipt is at /receipts/{digest}"`
	}
}

func (a API) recordObligation(ctx context.Context, in *recordObligationIn) (*recordedObligationOut, error) {
	asked := desk.Requested{Kind: in.Body.Kind, Request: in.Body.Request, What: in.Body.What, ReceivedAt: in.Body.ReceivedAt}
	if in.Body.Reseller != "" {
		id, err := (byID{in.Body.Reseller}).parse()
		if err != nil {
			return nil, err
		}
		asked.Reseller = &id
	}
	obligation, acted, err := a.Desk.RecordObligation(ctx, officerIn(ctx), asked)
	if err != nil {
		return nil, err
	}
	o, err := a.Cases.Obligation(ctx, obligation)
	if err != nil {
		return nil, err
	}
	out := &recordedObligationOut{}
	out.Body.Obligation, out.Body.DueAt, out.Body.LeafIndex, out.Body.Digest = obligation, o.DueAt, acted.LeafIndex, acted.Digest.String()
	return out, nil
}

type fulfilIn struct {
	Obligation string `path:"obligation" doc:"id, as it is listed"`
	Body       struct {
		Reference string `json:"reference" minLength:"1" maxLength:"500" doc:"of what was handed in, such as the number of the report"`
		Reason    string `json:"reason" minLength:"1" maxLength:"8000" doc:"what was done; stands in the ledger"`
	}
}

func (a API) fulfilObligation(ctx context.Context, in *fulfilIn) (*actedOut, error) {
	acted, err := a.Desk.FulfilObligation(ctx, officerIn(ctx), in.Obligation, in.Body.Reference, in.Body.Reason)
	return actedOf(acted, "The obligation is fulfilled.", err)
}

type waiveIn struct {
	Obligation string `path:"obligation" doc:"id, as it is listed"`
	Body       struct {
		Reason string `json:"reason" minLength:"1" maxLength:"8000" doc:"why nothing is owed; stands in the ledger"`
	}
}

func (a API) proposeWaiver(ctx context.Context, in *waiveIn) (*actedOut, error) {
	acted, err := a.Desk.ProposeWaiver(ctx, officerIn(ctx), in.Obligation, in.Body.Reason)
	return actedOf(acted, "Another officer confirms it: POST /v1/proposals/{jti}/confirm. Until then it is owed.", err)
}

// Call is a call that an officer must make now, as the API tells it.
type Call struct {
	ResellerID string          `json:"reseller_id"`
	Reseller   envelope.Entity `json:"reseller"`
	Name       string          `json:"name"`
	Notice     Notified        `json:"notice"`
}

// Notified is how far it is proved that a reseller was told of the last step of its case, which the next one waits for.
type Notified struct {
	Notice          string     `json:"notice" doc:"jti of the statement that the reseller must be told of: give it to POST /v1/resellers/{id}/notices/record"`
	Of              string     `json:"of" enum:"warn,restrict,close" doc:"the step that it stated"`
	For             string     `json:"for" enum:"close,terminate" doc:"the step that waits"`
	StatedAt        time.Time  `json:"stated_at"`
	ProvedAt        *time.Time `json:"proved_at"`
	Channel         string     `json:"channel,omitempty" doc:"by which it was proved first"`
	Tries           []triedAt  `json:"tries" doc:"of officers, that nobody answered, on different days"`
	TriesNeeded     int        `json:"tries_needed" doc:"so many count as proof; 0 if none do"`
	SecondContactAt time.Time  `json:"second_contact_at"`
	CallAt          time.Time  `json:"call_at" doc:"from when an officer must call, or send a courier"`
	CallBy          time.Time  `json:"call_by" doc:"by when, so that the step is taken at its time"`
	SuperiorAt      time.Time  `json:"superior_at"`
	EndsAt          *time.Time `json:"ends_at" doc:"when the step is taken even without proof; null if it waits for as long as it takes"`
	Words           string     `json:"words" doc:"what is so, and what to do"`
}

type triedAt struct {
	Channel string    `json:"channel"`
	At      time.Time `json:"at"`
}

// NotifiedOf words what is proved of a notice.
func NotifiedOf(n escalation.Notice) Notified {
	shown := Notified{Notice: n.Notice, Of: n.Of, For: n.For, StatedAt: n.Told, ProvedAt: timeOf(n.Proved.At), Channel: n.Proved.Channel, Tries: []triedAt{}, TriesNeeded: n.Needed,
		SecondContactAt: n.SecondContactAt, CallAt: n.CallAt, CallBy: n.CallBy, SuperiorAt: n.SuperiorAt, EndsAt: timeOf(n.EndsAt), Words: n.Words}
	for _, try := range n.Tries {
		shown.Tries = append(shown.Tries, triedAt(try))
	}
	return shown
}

// CallOf words a call that must be made.
func CallOf(c docket.Call) Call {
	return Call{ResellerID: c.File.ID().String(), Reseller: c.File.Entity, Name: c.File.History.Name, Notice: NotifiedOf(c.Notice)}
}

func (a API) calls(ctx context.Context, in *page) (*list[Call], error) {
	after, err := askedPlaceOf(in.After)
	if err != nil {
		return nil, err
	}
	found, err := a.Cases.Calls(ctx, after, in.Limit)
	if err != nil {
		return nil, err
	}
	out := &list[Call]{}
	out.Body.Items = make([]Call, len(found))
	for i, c := range found {
		out.Body.Items[i] = CallOf(c)
	}
	if len(found) == in.Limit {
		out.Body.Next = askedCursor(found[len(found)-1].Place)
	}
	return out, nil
}
