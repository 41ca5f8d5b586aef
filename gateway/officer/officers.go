package officer

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/gateway/auth"
	"github.com/cipgate/cipgate/gateway/problem"
)

// Officers is what the API does about who may come in.
type Officers interface {
	Officers(ctx context.Context) ([]auth.Officer, error)
	Add(ctx context.Context, by statement.Officer, added auth.Officer) (auth.Officer, error)
	Change(ctx context.Context, by statement.Officer, name string, said auth.Change) (auth.Officer, error)
	Disable(ctx context.Context, by statement.Officer, name, reason string) (auth.Officer, error)
	Enable(ctx context.Context, by statement.Officer, name, reason string) (auth.Officer, error)
	LinkFor(ctx context.Context, by statement.Officer, name string) (secret string, whose auth.Officer, err error)
	Tokens(ctx context.Context, officer string) ([]auth.Token, error)
	CreateToken(ctx context.Context, by statement.Officer, name, label string, life time.Duration) (secret string, made auth.Token, err error)
	ExtendToken(ctx context.Context, by statement.Officer, label string, life time.Duration, reason string) (auth.Token, error)
	RevokeToken(ctx context.Context, by statement.Officer, label, reason string) (auth.Token, error)
}

func (a API) registerOfficers(api huma.API) {
	register(api, a.Log, http.MethodGet, "/v1/officers", "list-officers", "Officers by name, with their roles; those that were disabled too", http.StatusOK, a.officers)
	register(api, a.Log, http.MethodPost, "/v1/officers", "add-officer", "Make an account for a person, or a system, at the provider", http.StatusCreated, a.addOfficer)
	register(api, a.Log, http.MethodPost, "/v1/officers/{officer}/change", "change-officer", "Give an officer another role or mail address", http.StatusOK, a.changeOfficer)
	register(api, a.Log, http.MethodPost, "/v1/officers/{officer}/disable", "disable-officer", "Shut an officer out at once", http.StatusOK, a.disableOfficer)
	register(api, a.Log, http.MethodPost, "/v1/officers/{officer}/enable", "enable-officer", "Let an officer in again who was disabled", http.StatusOK, a.enableOfficer)
	register(api, a.Log, http.MethodPost, "/v1/officers/{officer}/link", "link-officer", "Make a one-time sign-in link for an officer; shown once", http.StatusCreated, a.linkOfficer)
	register(api, a.Log, http.MethodGet, "/v1/tokens", "list-tokens", "API tokens, the newest first, those that ended too; never a secret", http.StatusOK, a.tokens)
	register(api, a.Log, http.MethodPost, "/v1/tokens", "create-token", "Make an API token for an officer; its secret is shown once", http.StatusCreated, a.createToken)
	register(api, a.Log, http.MethodPost, "/v1/tokens/extend", "extend-token", "Let an API token last longer, also one that has expired", http.StatusOK, a.extendToken)
	register(api, a.Log, http.MethodPost, "/v1/tokens/revoke", "revoke-token", "End an API token at once", http.StatusOK, a.revokeToken)
}

// person is an officer as the API shows it.
type person struct {
	ID         string     `json:"id" doc:"stands in the ledger and never changes"`
	Name       string     `json:"name"`
	Role       auth.Role  `json:"role" enum:"viewer,officer,approver,administrator"`
	Mail       string     `json:"mail,omitempty" doc:"shown to administrators"`
	CreatedAt  time.Time  `json:"created_at"`
	DisabledAt *time.Time `json:"disabled_at" doc:"null while the officer may come in"`
}

func personOf(ctx context.Context, o auth.Officer) person {
	shown := person{ID: o.ID, Name: o.Name, Role: o.Role, CreatedAt: o.CreatedAt, DisabledAt: timeOf(o.DisabledAt)}
	if auth.Asking(ctx).Role.Includes(auth.Administrator) {
		shown.Mail = o.Mail
	}
	return shown
}

type personOut struct {
	Body person
}

func personOutOf(ctx context.Context, o auth.Officer, err error) (*personOut, error) {
	if err != nil {
		return nil, err
	}
	return &personOut{Body: personOf(ctx, o)}, nil
}

func (a API) officers(ctx context.Context, _ *struct{}) (*list[person], error) {
	found, err := a.Officers.Officers(ctx)
	if err != nil {
		return nil, err
	}
	out := &list[person]{}
	out.Body.Items = make([]person, len(found))
	for i, o := range found {
		out.Body.Items[i] = personOf(ctx, o)
	}
	return out, nil
}

// unescaped reads a part of a path that may hold any character, percent-encoded.
func unescaped(name, part string) (string, error) {
	text, err := url.PathUnescape(part)
	if err != nil {
		return "", fmt.Errorf("%w: %s: wanted it percent-encoded", problem.ErrRequest, name)
	}
	return text, nil
}

type addOfficerIn struct {
	Body struct {
		Name string    `json:"name" minLength:"1" maxLength:"200" doc:"the person's own, as colleagues know it; one person has one account"`
		Role auth.Role `json:"role" enum:"viewer,officer,approver,administrator"`
		Mail string    `json:"mail,omitempty" doc:"where approvals that wait are told"`
	}
}

func (a API) addOfficer(ctx context.Context, in *addOfficerIn) (*personOut, error) {
	added, err := a.Officers.Add(ctx, officerIn(ctx), auth.Officer{Name: in.Body.Name, Role: in.Body.Role, Mail: in.Body.Mail})
	return personOutOf(ctx, added, err)
}

type changeOfficerIn struct {
	Officer string `path:"officer" doc:"id or name"`
	Body    struct {
		Role   auth.Role `json:"role,omitempty" enum:"viewer,officer,approver,administrator"`
		Mail   string    `json:"mail,omitempty"`
		Reason string    `json:"reason" minLength:"1" maxLength:"8000"`
	}
}

func (a API) changeOfficer(ctx context.Context, in *changeOfficerIn) (*personOut, error) {
	name, err := unescaped("officer", in.Officer)
	if err != nil {
		return nil, err
	}
	changed, err := a.Officers.Change(ctx, officerIn(ctx), name, auth.Change{Role: in.Body.Role, Mail: in.Body.Mail, Reason: in.Body.Reason})
	return personOutOf(ctx, changed, err)
}

type officerReasonIn struct {
	Officer string `path:"officer" doc:"id or name"`
	Body    struct {
		Reason string `json:"reason" minLength:"1" maxLength:"8000"`
	}
}

func (a API) disableOfficer(ctx context.Context, in *officerReasonIn) (*personOut, error) {
	name, err := unescaped("officer", in.Officer)
	if err != nil {
		return nil, err
	}
	disabled, err := a.Officers.Disable(ctx, officerIn(ctx), name, in.Body.Reason)
	return personOutOf(ctx, disabled, err)
}

func (a API) enableOfficer(ctx context.Context, in *officerReasonIn) (*personOut, error) {
	name, err := unescaped("officer", in.Officer)
	if err != nil {
		return nil, err
	}
	enabled, err := a.Officers.Enable(ctx, officerIn(ctx), name, in.Body.Reason)
	return personOutOf(ctx, enabled, err)
}

type linkIn struct {
	Officer string `path:"officer" doc:"id or name"`
}

type linkOut struct {
	Body struct {
		URL       string `json:"url" doc:"give it to the officer, by a way that nobody else reads"`
		Officer   person `json:"officer"`
		ExpiresIn string `json:"expires_in" doc:"ISO 8601 duration"`
	}
}

func (a API) linkOfficer(ctx context.Context, in *linkIn) (*linkOut, error) {
	name, err := unescaped("officer", in.Officer)
	if err != nil {
		return nil, err
	}
	secret, whose, err := a.Officers.LinkFor(ctx, officerIn(ctx), name)
	if err != nil {
		return nil, err
	}
	out := &linkOut{}
	out.Body.URL, out.Body.Officer = string(a.Entity)+"/sign-in#"+secret, personOf(ctx, whose)
	out.Body.ExpiresIn = fmt.Sprintf("PT%dM", auth.LinkLife/time.Minute)
	return out, nil
}

// token is an API token without its secret.
type token struct {
	Label     string     `json:"label"`
	Officer   string     `json:"officer" doc:"id of whom it is bound to"`
	CreatedAt time.Time  `json:"created_at"`
	ExpiresAt *time.Time `json:"expires_at" doc:"null: never, which only the first token of a gateway is"`
	RevokedAt *time.Time `json:"revoked_at"`
}

func tokenOf(t auth.Token) token {
	return token{Label: t.Label, Officer: t.Officer, CreatedAt: t.CreatedAt, ExpiresAt: timeOf(t.ExpiresAt), RevokedAt: timeOf(t.RevokedAt)}
}

type tokensIn struct {
	Officer string `query:"officer" doc:"id: this officer's alone"`
}

func (a API) tokens(ctx context.Context, in *tokensIn) (*list[token], error) {
	found, err := a.Officers.Tokens(ctx, in.Officer)
	if err != nil {
		return nil, err
	}
	out := &list[token]{}
	out.Body.Items = make([]token, len(found))
	for i, t := range found {
		out.Body.Items[i] = tokenOf(t)
	}
	return out, nil
}

type createTokenIn struct {
	Body struct {
		Officer   string `json:"officer" minLength:"1" maxLength:"255" doc:"id or name"`
		Label     string `json:"label" minLength:"1" maxLength:"100" doc:"by which it is known; one that was used is not used again"`
		ExpiresIn int64  `json:"expires_in,omitempty" minimum:"60" maximum:"34560000" doc:"seconds; 90 days if absent"`
	}
}

type createdTokenOut struct {
	Body struct {
		token
		Secret string `json:"token" doc:"shown once"`
	}
}

func (a API) createToken(ctx context.Context, in *createTokenIn) (*createdTokenOut, error) {
	secret, made, err := a.Officers.CreateToken(ctx, officerIn(ctx), in.Body.Officer, in.Body.Label, time.Duration(in.Body.ExpiresIn)*time.Second)
	if err != nil {
		return nil, err
	}
	out := &createdTokenOut{}
	out.Body.token, out.Body.Secret = tokenOf(made), secret
	return out, nil
}

type extendTokenIn struct {
	Body struct {
		Label     string `json:"label" minLength:"1" maxLength:"100"`
		ExpiresIn int64  `json:"expires_in,omitempty" minimum:"60" maximum:"34560000" doc:"seconds from now; 90 days if absent"`
		Reason    string `json:"reason" minLength:"1" maxLength:"8000"`
	}
}

func (a API) extendToken(ctx context.Context, in *extendTokenIn) (*tokenOut, error) {
	extended, err := a.Officers.ExtendToken(ctx, officerIn(ctx), in.Body.Label, time.Duration(in.Body.ExpiresIn)*time.Second, in.Body.Reason)
	if err != nil {
		return nil, err
	}
	return &tokenOut{Body: tokenOf(extended)}, nil
}

type revokeTokenIn struct {
	Body struct {
		Label  string `json:"label" minLength:"1" maxLength:"100"`
		Reason string `json:"reason" minLength:"1" maxLength:"8000"`
	}
}

type tokenOut struct {
	Body token
}

func (a API) revokeToken(ctx context.Context, in *revokeTokenIn) (*tokenOut, error) {
	revoked, err := a.Officers.RevokeToken(ctx, officerIn(ctx), in.Body.Label, in.Body.Reason)
	if err != nil {
		return nil, err
	}
	return &tokenOut{Body: tokenOf(revoked)}, nil
}
