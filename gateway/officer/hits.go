package officer

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/gateway/problem"
	"github.com/cipgate/cipgate/resellers/docket"
)

// hit is somebody on file who falls under a version of a measure, or may.
type hit struct {
	ID         string          `json:"id"`
	Measure    string          `json:"measure"`
	Version    int64           `json:"measure_leaf_index" doc:"of the entry that imposed this version"`
	List       string          `json:"list" doc:"the list, with its version, that it was screened against"`
	Effect     string          `json:"effect" enum:"prohibit,condition"`
	Party      string          `json:"party" enum:"reseller,customer,owner"`
	ResellerID string          `json:"reseller_id"`
	Reseller   envelope.Entity `json:"reseller"`
	Customer   string          `json:"customer,omitempty" doc:"the reseller's opaque id"`
	Owner      string          `json:"owner,omitempty" doc:"the reseller's opaque id"`
	Ground     string          `json:"ground" enum:"country,name"`
	Places     []string        `json:"places,omitempty" doc:"by which of its countries"`
	Score      int             `json:"score" doc:"likeness in percent; a hint for an officer, nothing else"`
	Decided    string          `json:"decided" enum:"certain,hint"`
	Decision   string          `json:"decision" enum:"open,cleared,confirmed,none" doc:"of an officer; none where there is nothing to decide"`
	LeafIndex  int64           `json:"leaf_index" doc:"of the entry that says so of the party"`
	Since      time.Time       `json:"since" doc:"from when it holds, which may be ahead"`
	InForce    bool            `json:"in_force"`
}

func hitOf(h docket.Hit, now time.Time) hit {
	out := hit{ID: h.ID, Measure: h.Measure, Version: h.MeasureLeaf, List: h.List, Effect: "condition", Party: string(h.Role),
		ResellerID: h.Reseller.ID().String(), Reseller: h.Reseller, Customer: h.Customer, Owner: h.Owner, Ground: string(h.Ground), Places: h.Places,
		Score: h.Score, Decided: string(h.Decided), Decision: string(h.Decision), LeafIndex: h.LeafIndex, Since: h.Since,
		InForce: !now.Before(h.From) && now.Before(h.Until) && h.Decision != docket.Cleared}
	if h.Prohibits {
		out.Effect = "prohibit"
	}
	if h.Decision == "" {
		out.Decision = map[bool]string{true: "open", false: "none"}[h.Decided == "hint"]
	}
	return out
}

type hitsIn struct {
	After    string `query:"after" doc:"cursor: the next of the page before"`
	Limit    int    `query:"limit" default:"100" minimum:"1" maximum:"1000"`
	Reseller string `query:"reseller" doc:"id: base64url SHA-256 of the entity identifier"`
	Measure  string `query:"measure"`
	Open     bool   `query:"open" doc:"hints alone that no officer has looked at"`
	Cleared  bool   `query:"cleared" doc:"also the hints that an officer cleared, which are over"`
	InForce  bool   `query:"in_force" doc:"those under measures alone that are in force"`
}

func (a API) hits(ctx context.Context, in *hitsIn) (*list[hit], error) {
	wanted := docket.HitFilter{Measure: in.Measure, Open: in.Open, Stands: !in.Cleared, InForce: in.InForce}
	if in.Reseller != "" {
		id, err := (byID{in.Reseller}).parse()
		if err != nil {
			return nil, err
		}
		wanted.Reseller = &id
	}
	after, err := hitPlace(in.After)
	if err != nil {
		return nil, err
	}
	found, err := a.Screener.Hits(ctx, wanted, after, in.Limit)
	if err != nil {
		return nil, err
	}
	out := &list[hit]{}
	out.Body.Items = make([]hit, len(found))
	for i, h := range found {
		out.Body.Items[i] = hitOf(h, a.Now())
	}
	if len(found) == in.Limit {
		last := found[len(found)-1]
		out.Body.Next = cursorOf(strconv.FormatInt(last.MeasureLeaf, 10), last.ID)
	}
	return out, nil
}

func hitPlace(cursor string) (*docket.HitPlace, error) {
	if cursor == "" {
		return nil, nil //nolint:nilnil // the first page has no place before it
	}
	parts, err := parseCursor(cursor)
	if err != nil {
		return nil, err
	}
	leaf, err := strconv.ParseInt(parts[0], 10, 64)
	if err != nil {
		return nil, fmt.Errorf("%w: after: wanted the `next` of the page before, got something else", problem.ErrRequest)
	}
	return &docket.HitPlace{MeasureLeaf: leaf, ID: parts[1]}, nil
}

type decideIn struct {
	Hit  string `path:"hit"`
	Body struct {
		Reason string `json:"reason" minLength:"1" maxLength:"8000"`
	}
}

type hitOut struct {
	Body hit
}

func (a API) clearHit(ctx context.Context, in *decideIn) (*hitOut, error) {
	return a.decideHit(ctx, in, docket.Cleared)
}

func (a API) confirmHit(ctx context.Context, in *decideIn) (*hitOut, error) {
	return a.decideHit(ctx, in, docket.Confirmed)
}

func (a API) decideHit(ctx context.Context, in *decideIn, decision docket.Decision) (*hitOut, error) {
	h, err := a.Desk.DecideHit(ctx, officerIn(ctx), in.Hit, decision, in.Body.Reason)
	if err != nil {
		return nil, err
	}
	return &hitOut{Body: hitOf(h, a.Now())}, nil
}
