package officer

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/gateway/problem"
	"github.com/cipgate/cipgate/resellers/desk"
	"github.com/cipgate/cipgate/resellers/docket"
	"github.com/cipgate/cipgate/resellers/history"
	"github.com/cipgate/cipgate/resellers/screening"
)

// Desk records what officers state: of cases, special measures and exemptions.
type Desk interface {
	Acts
	ChangeStream(ctx context.Context, by statement.Officer, change desk.StreamChange) (desk.Acted, error)
	RotateNoticeKey(ctx context.Context, by statement.Officer, reason string) (desk.Acted, error)
	Impose(ctx context.Context, by statement.Officer, said statement.SpecialMeasureImposed) (desk.Imposed, error)
	Lift(ctx context.Context, by statement.Officer, said statement.SpecialMeasureLifted) (screening.Measure, error)
	DecideHit(ctx context.Context, by statement.Officer, id string, decision docket.Decision, reason string) (docket.Hit, error)
	Exempt(ctx context.Context, about envelope.Entity, by statement.Officer, said statement.ExemptionGranted) (history.Exemption, error)
	Withdraw(ctx context.Context, about envelope.Entity, by statement.Officer, said statement.ExemptionWithdrawn) (history.Exemption, error)
	Exemption(ctx context.Context, about envelope.Entity) (history.Exemption, error)
}

// Screener is what the API reads of special measures and of whom they hit.
type Screener interface {
	Measures(ctx context.Context) (screening.Measures, error)
	Progress(ctx context.Context) ([]docket.Progress, error)
	Hits(ctx context.Context, wanted docket.HitFilter, after *docket.HitPlace, limit int) ([]docket.Hit, error)
}

func (a API) registerMeasures(api huma.API) {
	register(api, a.Log, http.MethodGet, "/v1/special-measures", "list-special-measures", "Special measures by version, in the order in which they were imposed", http.StatusOK, a.measures)
	register(api, a.Log, http.MethodPost, "/v1/special-measures", "impose-special-measure", "Record a special measure as it was published; under an id that is known, its extension", http.StatusCreated, a.impose)
	register(api, a.Log, http.MethodPost, "/v1/special-measures/{measure}/lift", "lift-special-measure", "Record that a special measure no longer holds from a day on", http.StatusOK, a.lift)
	register(api, a.Log, http.MethodGet, "/v1/screening/hits", "list-screening-hits", "Resellers, customers and owners under a special measure, and hints by name that await an officer", http.StatusOK, a.hits)
	register(api, a.Log, http.MethodPost, "/v1/screening/hits/{hit}/clear", "clear-screening-hit", "Say that a hint by name is somebody else; remembered for this version and party", http.StatusOK, a.clearHit)
	register(api, a.Log, http.MethodPost, "/v1/screening/hits/{hit}/confirm", "confirm-screening-hit", "Say that a hint by name is the person that the measure names", http.StatusOK, a.confirmHit)
}

// measure is one version of a special measure.
type measure struct {
	ID           string   `json:"id"`
	Version      int      `json:"version" doc:"counts from 1; an extension is the next"`
	LeafIndex    int64    `json:"leaf_index" doc:"of the entry that imposed it"`
	Country      string   `json:"country,omitempty" doc:"ISO 3166-1 alpha-2; absent for a person's"`
	Names        []string `json:"names,omitempty" doc:"of the person"`
	Countries    []string `json:"countries,omitempty" doc:"that the measure names with the person"`
	Effect       string   `json:"effect" enum:"prohibit,condition"`
	Conditions   string   `json:"conditions,omitempty"`
	DeterminedOn string   `json:"determined_on"`
	EffectiveAt  string   `json:"effective_at"`
	EndsAt       string   `json:"ends_at" doc:"the first moment at which it is not in force, by expiry, lifting, or the next version"`
	Status       string   `json:"status" enum:"ahead,in-force,over"`
	Lifted       bool     `json:"lifted"`
	Screened     string   `json:"screened,omitempty" enum:"pending,since-imposed,since-in-force" doc:"how far everybody on file was held against it"`
	List         string   `json:"list" doc:"with its version"`
	Source       string   `json:"source"`
}

func measureOf(m screening.Measure, now time.Time) measure {
	out := measure{ID: m.ID, Version: m.Version, LeafIndex: m.LeafIndex, Country: m.Country, Names: m.Names, Countries: m.Countries, Effect: m.Effect,
		Conditions: m.Conditions, DeterminedOn: m.Determined.String(), EffectiveAt: m.From.Format(time.RFC3339), EndsAt: m.Until.Format(time.RFC3339),
		Status: "ahead", Lifted: m.Lifted, List: m.List, Source: m.Source}
	switch {
	case m.InForce(now):
		out.Status = "in-force"
	case m.Over(now):
		out.Status = "over"
	}
	return out
}

func (a API) measures(ctx context.Context, in *page) (*list[measure], error) {
	from, err := leafAfter(in.After)
	if err != nil {
		return nil, err
	}
	known, err := a.Screener.Measures(ctx)
	if err != nil {
		return nil, err
	}
	progress, err := a.Screener.Progress(ctx)
	if err != nil {
		return nil, err
	}
	all := slices.DeleteFunc(known.All(), func(m screening.Measure) bool { return m.LeafIndex < from })
	out := &list[measure]{}
	if len(all) > in.Limit {
		all = all[:in.Limit]
		out.Body.Next = strconv.FormatInt(all[len(all)-1].LeafIndex, 10)
	}
	out.Body.Items = make([]measure, len(all))
	for i, m := range all {
		out.Body.Items[i] = measureOf(m, a.Now())
		out.Body.Items[i].Screened = screened(progress, m, a.Now())
	}
	return out, nil
}

// screened says how far everybody on file was held against a version; empty for one that is over.
func screened(progress []docket.Progress, m screening.Measure, now time.Time) string {
	i := slices.IndexFunc(progress, func(p docket.Progress) bool { return p.MeasureLeaf == m.LeafIndex })
	switch {
	case m.Over(now):
		return ""
	case i >= 0 && progress[i].SinceInForce:
		return "since-in-force"
	case i >= 0 && progress[i].SinceImposed:
		return "since-imposed"
	}
	return "pending"
}

type imposeIn struct {
	Body struct {
		ID           string   `json:"id" minLength:"1" maxLength:"255" doc:"yours; the same in an extension"`
		Country      string   `json:"country,omitempty" doc:"ISO 3166-1 alpha-2; a jurisdiction's measure has this and no names"`
		Names        []string `json:"names,omitempty" maxItems:"20" doc:"of the person"`
		Aliases      []string `json:"aliases,omitempty" maxItems:"100"`
		Countries    []string `json:"countries,omitempty" maxItems:"250" doc:"that the measure names with the person"`
		Effect       string   `json:"effect" enum:"prohibit,condition"`
		Conditions   string   `json:"conditions,omitempty" doc:"exactly where the effect is condition"`
		DeterminedOn string   `json:"determined_on" format:"date"`
		EffectiveOn  string   `json:"effective_on" format:"date" doc:"its first day, UTC"`
		ExpiresOn    string   `json:"expires_on" format:"date" doc:"its last day, UTC"`
		List         string   `json:"list" doc:"the list it was read from, with its version"`
		Source       string   `json:"source" doc:"where it was published"`
	}
}

type imposedOut struct {
	Body struct {
		measure
		Warnings []string `json:"warnings" doc:"where it does not keep the numbers of the rule and the policy lets it through"`
	}
}

func (a API) impose(ctx context.Context, in *imposeIn) (*imposedOut, error) {
	b := in.Body
	said := statement.SpecialMeasureImposed{Measure: b.ID, Effect: b.Effect, Conditions: b.Conditions, List: b.List, Source: b.Source,
		Scope: statement.MeasureScope{Country: b.Country}}
	if len(b.Names)+len(b.Aliases)+len(b.Countries) > 0 {
		said.Scope.Person = &statement.MeasuredPerson{Names: b.Names, Aliases: b.Aliases, Countries: b.Countries}
	}
	var err error
	if said.DeterminedOn, err = parseDay("determined_on", b.DeterminedOn); err != nil {
		return nil, err
	}
	if said.EffectiveOn, err = parseDay("effective_on", b.EffectiveOn); err != nil {
		return nil, err
	}
	if said.ExpiresOn, err = parseDay("expires_on", b.ExpiresOn); err != nil {
		return nil, err
	}
	imposed, err := a.Desk.Impose(ctx, officerIn(ctx), said)
	if err != nil {
		return nil, err
	}
	out := &imposedOut{}
	out.Body.measure, out.Body.Warnings = measureOf(imposed.Measure, a.Now()), orEmpty(imposed.Warnings)
	return out, nil
}

func parseDay(field, text string) (statement.Date, error) {
	d, err := statement.ParseDate(text)
	if err != nil {
		return d, fmt.Errorf("%w: %s: wanted a day as YYYY-MM-DD, got something else", problem.ErrRequest, field)
	}
	return d, nil
}

type liftIn struct {
	Measure string `path:"measure"`
	Body    struct {
		LiftedOn string `json:"lifted_on" format:"date" doc:"from which day it no longer holds, UTC"`
		Reason   string `json:"reason" minLength:"1" maxLength:"8000"`
		List     string `json:"list" doc:"the list that says so, with its version"`
		Source   string `json:"source" doc:"where it was published"`
	}
}

type measureOut struct {
	Body measure
}

func (a API) lift(ctx context.Context, in *liftIn) (*measureOut, error) {
	on, err := parseDay("lifted_on", in.Body.LiftedOn)
	if err != nil {
		return nil, err
	}
	lifted, err := a.Desk.Lift(ctx, officerIn(ctx), statement.SpecialMeasureLifted{Measure: in.Measure, LiftedOn: on, Reason: in.Body.Reason,
		List: in.Body.List, Source: in.Body.Source})
	if err != nil {
		return nil, err
	}
	return &measureOut{Body: measureOf(lifted, a.Now())}, nil
}
