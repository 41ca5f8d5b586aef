package officer

import (
	"context"
	"fmt"
	"time"

	"github.com/cipgate/cipgate/gateway/problem"
	"github.com/cipgate/cipgate/resellers/backtest"
	"github.com/cipgate/cipgate/resellers/rehearsal"
)

// shadowJSON is the policy that runs beside the one in force.
type shadowJSON struct {
	Running   bool       `json:"running"`
	Policy    string     `json:"policy,omitempty"`
	Digest    string     `json:"digest,omitempty" doc:"SHA-256 of its file, base64url"`
	Since     *time.Time `json:"since,omitempty"`
	LeafIndex *int64     `json:"leaf_index,omitempty" doc:"of the entry that started it"`
	By        string     `json:"by,omitempty"`
	Reason    string     `json:"reason,omitempty"`
	// Latest is the report of the last day that is over.
	Latest *dayJSON `json:"latest,omitempty" doc:"the last day that is over, without names"`
	Next   string   `json:"next_step"`
}

// dayJSON is a day of a shadow.
type dayJSON struct {
	MadeAt time.Time `json:"made_at"`
	backtest.Day
}

type shadowOut struct {
	Body shadowJSON
}

func shadowOf(runs rehearsal.Shadow) shadowJSON {
	if runs.None() {
		return shadowJSON{Next: "None runs. Start one: POST /v1/policies/shadow"}
	}
	return shadowJSON{Running: true, Policy: runs.Policy.ID(), Digest: runs.Policy.Digest(), Since: &runs.At, LeafIndex: &runs.From, By: runs.By.Name, Reason: runs.Why,
		Next: "Each day is reported when it is over, UTC: GET /v1/policies/shadow/reports"}
}

func (a API) shadow(ctx context.Context, _ *struct{}) (*shadowOut, error) {
	runs, _, err := a.Rehearsal.Shadow(ctx)
	if err != nil {
		return nil, err
	}
	out := &shadowOut{Body: shadowOf(runs)}
	if runs.None() {
		return out, nil
	}
	reports, err := a.Rehearsal.Reports(ctx, runs.ID, "", 1)
	if err != nil {
		return nil, err
	}
	if len(reports) > 0 {
		told := dayOf(reports[0], false)
		out.Body.Latest = &told
	}
	return out, nil
}

func dayOf(report rehearsal.Report, names bool) dayJSON {
	if !names {
		report.Names = []backtest.Apart{}
	}
	return dayJSON{MadeAt: report.MadeAt, Day: report.Day}
}

func (a API) startShadow(ctx context.Context, in *triedIn) (*shadowOut, error) {
	p, err := rehearsal.Document(in.Body.Document)
	if err != nil {
		return nil, err
	}
	runs, err := a.Rehearsal.StartShadow(ctx, officerIn(ctx), p, in.Body.Reason)
	if err != nil {
		return nil, err
	}
	return &shadowOut{Body: shadowOf(runs)}, nil
}

type stopIn struct {
	Body struct {
		Reason string `json:"reason" minLength:"1" maxLength:"8000" doc:"stands in the ledger"`
	}
}

func (a API) stopShadow(ctx context.Context, in *stopIn) (*shadowOut, error) {
	ran, err := a.Rehearsal.StopShadow(ctx, officerIn(ctx), in.Body.Reason)
	if err != nil {
		return nil, err
	}
	out := &shadowOut{Body: shadowOf(ran)}
	out.Body.Running, out.Body.Next = false, "It runs no more. What it would have done stands in its reports."
	return out, nil
}

type reportsIn struct {
	After string `query:"after" doc:"cursor: the next of the page before"`
	Limit int    `query:"limit" default:"31" minimum:"1" maximum:"366"`
}

func (a API) shadowReports(ctx context.Context, in *reportsIn) (*list[dayJSON], error) {
	if _, err := time.Parse(time.DateOnly, in.After); in.After != "" && err != nil {
		return nil, fmt.Errorf("%w: after: wanted the `next` of the page before, a day as YYYY-MM-DD, got something else", problem.ErrRequest)
	}
	runs, err := a.Rehearsal.LastShadow(ctx)
	if err != nil {
		return nil, err
	}
	reports, err := a.Rehearsal.Reports(ctx, runs.ID, in.After, in.Limit)
	if err != nil {
		return nil, err
	}
	out := &list[dayJSON]{}
	out.Body.Items = make([]dayJSON, len(reports))
	for i, report := range reports {
		out.Body.Items[i] = dayOf(report, false)
	}
	if len(reports) == in.Limit {
		out.Body.Next = reports[len(reports)-1].Day.Day
	}
	return out, nil
}

type dayIn struct {
	Day string `path:"day" doc:"YYYY-MM-DD, UTC; or latest"`
}

type dayOut struct {
	Body dayJSON
}

func (a API) shadowReport(ctx context.Context, in *dayIn) (*dayOut, error) {
	runs, err := a.Rehearsal.LastShadow(ctx)
	if err != nil {
		return nil, err
	}
	if in.Day == "latest" {
		reports, err := a.Rehearsal.Reports(ctx, runs.ID, "", 1)
		if err != nil {
			return nil, err
		}
		if len(reports) == 0 {
			return nil, fmt.Errorf("%w: no day of the shadow is over yet: each is reported when it is, UTC", rehearsal.ErrNotFound)
		}
		return &dayOut{Body: dayOf(reports[0], true)}, nil
	}
	report, err := a.Rehearsal.ReportOf(ctx, runs.ID, in.Day)
	if err != nil {
		return nil, err
	}
	return &dayOut{Body: dayOf(report, true)}, nil
}
