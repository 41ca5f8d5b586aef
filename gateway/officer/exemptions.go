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
	"github.com/cipgate/cipgate/resellers/docket"
	"github.com/cipgate/cipgate/resellers/history"
)

// Exempted lists who is exempt.
type Exempted interface {
	Exempted(ctx context.Context, after *envelope.ID, limit int) ([]docket.File, error)
}

func (a API) registerExemptions(api huma.API) {
	register(api, a.Log, http.MethodGet, "/v1/exemptions", "list-exemptions", "Who is exempt, or was last: the provider first", http.StatusOK, a.exemptions)
	register(api, a.Log, http.MethodPost, "/v1/exemptions", "grant-exemption", "Record that the Secretary exempted a reseller or the provider; under an id that is known, its extension", http.StatusCreated, a.exempt)
	register(api, a.Log, http.MethodPost, "/v1/exemptions/{exemption}/withdraw", "withdraw-exemption", "Record that an exemption no longer holds", http.StatusOK, a.withdrawExemption)
}

// exemption is what an entity is exempt by, or was last.
type exemption struct {
	ID         string          `json:"id"`
	About      envelope.Entity `json:"about" doc:"a reseller, or this gateway for the provider"`
	Of         string          `json:"of" enum:"provider,reseller"`
	GrantedBy  string          `json:"granted_by"`
	GrantedOn  string          `json:"granted_on"`
	Since      time.Time       `json:"since" doc:"when it was recorded; it holds from then on"`
	Until      time.Time       `json:"until" doc:"the first moment at which it no longer holds; when it was withdrawn, if it was"`
	Conditions string          `json:"conditions,omitempty"`
	Reference  string          `json:"reference"`
	InForce    bool            `json:"in_force"`
	Withdrawn  bool            `json:"withdrawn"`
	LeafIndex  int64           `json:"leaf_index"`
}

func (a API) exemptionOf(about envelope.Entity, e history.Exemption) exemption {
	out := exemption{ID: e.ID, About: about, Of: "reseller", GrantedBy: e.GrantedBy, GrantedOn: e.GrantedOn.String(), Since: e.Since, Until: e.Until,
		Conditions: e.Conditions, Reference: e.Reference, InForce: e.In(a.Now()), Withdrawn: e.Withdrawn, LeafIndex: e.LeafIndex}
	if about == a.Entity {
		out.Of = "provider"
	}
	return out
}

func (a API) exemptions(ctx context.Context, in *page) (*list[exemption], error) {
	out := &list[exemption]{}
	out.Body.Items = []exemption{}
	var after *envelope.ID
	if in.After != "" {
		id, err := (byID{in.After}).parse()
		if err != nil {
			return nil, err
		}
		after = &id
	} else {
		held, err := a.Desk.Exemption(ctx, a.Entity)
		if err != nil {
			return nil, err
		}
		if held.ID != "" {
			out.Body.Items = append(out.Body.Items, a.exemptionOf(a.Entity, held))
		}
	}
	files, err := a.Exempted.Exempted(ctx, after, in.Limit)
	if err != nil {
		return nil, err
	}
	for _, file := range files {
		out.Body.Items = append(out.Body.Items, a.exemptionOf(file.Entity, file.History.Exempt))
	}
	if len(files) == in.Limit {
		out.Body.Next = files[len(files)-1].ID().String()
	}
	return out, nil
}

// exemptEntity is who an exemption is of: a reseller, or the provider.
func exemptEntity(reseller string, provider bool, gateway envelope.Entity) (envelope.Entity, error) {
	if (reseller == "") != provider {
		return "", fmt.Errorf("%w: wanted either reseller with an entity identifier or provider: true, got both or neither", problem.ErrRequest)
	}
	if provider {
		return gateway, nil
	}
	if reseller == string(gateway) {
		return "", fmt.Errorf("%w: reseller: wanted a reseller, got this gateway. For the provider give provider: true", problem.ErrRequest)
	}
	entity, err := envelope.ParseEntity(reseller)
	if err != nil {
		return "", fmt.Errorf("%w: reseller: %w", problem.ErrRequest, err)
	}
	return entity, nil
}

type exemptIn struct {
	Body struct {
		Reseller   string    `json:"reseller,omitempty" doc:"entity identifier; absent if it is the provider"`
		Provider   bool      `json:"provider,omitempty" doc:"true if it is the provider"`
		ID         string    `json:"id" minLength:"1" maxLength:"255" doc:"yours; the same in an extension"`
		GrantedBy  string    `json:"granted_by" doc:"the Secretary, or to whom that was delegated"`
		GrantedOn  string    `json:"granted_on" format:"date"`
		Until      time.Time `json:"until" doc:"the first moment at which it no longer holds"`
		Conditions string    `json:"conditions,omitempty"`
		Reference  string    `json:"reference" doc:"of the Department's decision"`
	}
}

type exemptionOut struct {
	Body exemption
}

func (a API) exempt(ctx context.Context, in *exemptIn) (*exemptionOut, error) {
	about, err := exemptEntity(in.Body.Reseller, in.Body.Provider, a.Entity)
	if err != nil {
		return nil, err
	}
	on, err := parseDay("granted_on", in.Body.GrantedOn)
	if err != nil {
		return nil, err
	}
	held, err := a.Desk.Exempt(ctx, about, officerIn(ctx), statement.ExemptionGranted{Exemption: in.Body.ID, GrantedBy: in.Body.GrantedBy, GrantedOn: on,
		Until: in.Body.Until, Conditions: in.Body.Conditions, Reference: in.Body.Reference})
	if err != nil {
		return nil, err
	}
	return &exemptionOut{Body: a.exemptionOf(about, held)}, nil
}

type withdrawIn struct {
	Exemption string `path:"exemption"`
	Body      struct {
		Reseller  string `json:"reseller,omitempty" doc:"entity identifier; absent if it is the provider"`
		Provider  bool   `json:"provider,omitempty" doc:"true if it is the provider"`
		Reason    string `json:"reason" minLength:"1" maxLength:"8000"`
		Reference string `json:"reference,omitempty" doc:"of the Department's decision, if there is one"`
	}
}

func (a API) withdrawExemption(ctx context.Context, in *withdrawIn) (*exemptionOut, error) {
	about, err := exemptEntity(in.Body.Reseller, in.Body.Provider, a.Entity)
	if err != nil {
		return nil, err
	}
	held, err := a.Desk.Withdraw(ctx, about, officerIn(ctx), statement.ExemptionWithdrawn{Exemption: in.Exemption, Reason: in.Body.Reason, Reference: in.Body.Reference})
	if err != nil {
		return nil, err
	}
	return &exemptionOut{Body: a.exemptionOf(about, held)}, nil
}
