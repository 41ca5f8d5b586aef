package officer

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/gateway/auth"
	"github.com/cipgate/cipgate/resellers/registry"
)

// Enrolments is what officers do about who is enrolled and with which keys. Who acts comes from the session or the
// token, never from the request.
type Enrolments interface {
	Applications(ctx context.Context, limit int) ([]registry.Application, error)
	ApproveEnrolment(ctx context.Context, id envelope.ID, by statement.Officer, reason string) (registry.Entity, error)
	RefuseEnrolment(ctx context.Context, id envelope.ID, by statement.Officer, reason string) error
	KeyList(ctx context.Context, id envelope.ID, limit int) ([]registry.Key, error)
	Marked(ctx context.Context, id envelope.ID, from int64, limit int) (marked []registry.MarkedEntry, next int64, err error)
	RevokeByOfficer(ctx context.Context, id envelope.ID, by statement.Officer, said registry.Revocation) (registry.Entity, error)
	ProposeRecovery(ctx context.Context, id envelope.ID, by statement.Officer, reason string) (string, error)
	ApproveRecovery(ctx context.Context, id envelope.ID, proposal string, by statement.Officer) (registry.Invited, error)
	AskContact(ctx context.Context, id envelope.ID, by statement.Officer) (registry.Confirmation, error)
	Contacts
	Moving
}

func (a API) registerEnrolments(api huma.API) {
	register(api, a.Log, http.MethodGet, "/v1/enrolments", "list-enrolments", "Enrolments that await an officer's approval, longest first", http.StatusOK, a.enrolments)
	register(api, a.Log, http.MethodPost, "/v1/enrolments/{id}/approve", "approve-enrolment", "Let an enrolment that waits become one", http.StatusOK, a.approveEnrolment)
	register(api, a.Log, http.MethodPost, "/v1/enrolments/{id}/refuse", "refuse-enrolment", "End an enrolment that waits; the reason is told to the reseller", http.StatusOK, a.refuseEnrolment)
	register(api, a.Log, http.MethodGet, "/v1/resellers/{id}/keys", "list-keys", "The keys that a reseller enrolled, those that ended too", http.StatusOK, a.keys)
	register(api, a.Log, http.MethodPost, "/v1/resellers/{id}/keys/revoke", "revoke-keys", "Refuse keys from now on; what was accepted since they were compromised is marked", http.StatusOK, a.revokeKeys)
	register(api, a.Log, http.MethodGet, "/v1/resellers/{id}/marked", "list-marked", "Entries signed by a key after it was compromised, in leaf order", http.StatusOK, a.marked)
	register(api, a.Log, http.MethodPost, "/v1/resellers/{id}/recovery", "propose-recovery", "Propose a new invitation for a reseller that lost all its keys", http.StatusCreated, a.proposeRecovery)
	register(api, a.Log, http.MethodPost, "/v1/resellers/{id}/recovery/{proposal}/approve", "approve-recovery", "Approve such an invitation as another person; the token is shown once", http.StatusCreated, a.approveRecovery)
	register(api, a.Log, http.MethodPost, "/v1/resellers/{id}/contact/ask", "ask-contact", "Make a link by which the contact confirms that it is reached; shown once", http.StatusCreated, a.askContact)
	a.registerContacts(api)
}

// officerIn is who asks, by the session or the token.
func officerIn(ctx context.Context) statement.Officer { return auth.Asking(ctx).Stated() }

// application is an enrolment that waits.
type application struct {
	ID         string          `json:"id"`
	Entity     envelope.Entity `json:"entity"`
	Name       string          `json:"name"`
	Country    string          `json:"country"`
	Contact    string          `json:"contact"`
	LEI        string          `json:"lei,omitempty"`
	Status     string          `json:"status"`
	ReceivedAt *time.Time      `json:"received_at,omitempty"`
}

func applicationOf(e registry.Entity) application {
	return application{ID: e.Entity.ID().String(), Entity: e.Entity, Name: e.Name, Country: e.Country, Contact: e.Contact, LEI: e.LEI, Status: e.Status}
}

type limitIn struct {
	Limit int `query:"limit" default:"100" minimum:"1" maximum:"1000"`
}

func (a API) enrolments(ctx context.Context, in *limitIn) (*list[application], error) {
	waiting, err := a.Enrolments.Applications(ctx, in.Limit)
	if err != nil {
		return nil, err
	}
	out := &list[application]{}
	out.Body.Items = make([]application, len(waiting))
	for i, one := range waiting {
		out.Body.Items[i] = applicationOf(one.Entity)
		out.Body.Items[i].ReceivedAt = timeOf(one.ReceivedAt)
	}
	return out, nil
}

type reasonIn struct {
	ID   string `path:"id" doc:"base64url SHA-256 of the entity identifier"`
	Body struct {
		Reason string `json:"reason" minLength:"1" maxLength:"8000"`
	}
}

type applicationOut struct {
	Body application
}

func (a API) approveEnrolment(ctx context.Context, in *reasonIn) (*applicationOut, error) {
	id, err := (byID{in.ID}).parse()
	if err != nil {
		return nil, err
	}
	entity, err := a.Enrolments.ApproveEnrolment(ctx, id, officerIn(ctx), in.Body.Reason)
	if err != nil {
		return nil, err
	}
	return &applicationOut{Body: applicationOf(entity)}, nil
}

type decidedOut struct {
	Body struct {
		Status string `json:"status"`
	}
}

func (a API) refuseEnrolment(ctx context.Context, in *reasonIn) (*decidedOut, error) {
	id, err := (byID{in.ID}).parse()
	if err != nil {
		return nil, err
	}
	if err := a.Enrolments.RefuseEnrolment(ctx, id, officerIn(ctx), in.Body.Reason); err != nil {
		return nil, err
	}
	out := &decidedOut{}
	out.Body.Status = "refused"
	return out, nil
}

// key is one key of a reseller.
type key struct {
	KeyID            string     `json:"kid"`
	Thumbprint       string     `json:"thumbprint" doc:"RFC 7638"`
	Purpose          string     `json:"purpose" enum:"statement,federation"`
	ValidFrom        time.Time  `json:"valid_from"`
	ValidUntil       *time.Time `json:"valid_until" doc:"null while nobody has ended it"`
	Reason           string     `json:"reason,omitempty" doc:"why it ends"`
	CompromisedSince *time.Time `json:"compromised_since" doc:"null if it is not known to be; what it signed and was accepted later is marked"`
}

type keysOut struct {
	Body struct {
		Items []key `json:"items"`
	}
}

// maxKeys is how many keys are shown, those in force first.
const maxKeys = 1000

func (a API) keys(ctx context.Context, in *byID) (*keysOut, error) {
	id, err := in.parse()
	if err != nil {
		return nil, err
	}
	found, err := a.Enrolments.KeyList(ctx, id, maxKeys)
	if err != nil {
		return nil, err
	}
	out := &keysOut{}
	out.Body.Items = make([]key, len(found))
	for i, k := range found {
		out.Body.Items[i] = key{KeyID: k.KeyID, Thumbprint: k.Thumbprint, Purpose: k.Purpose, ValidFrom: k.ValidFrom,
			ValidUntil: timeOf(k.ValidUntil), Reason: k.Reason, CompromisedSince: timeOf(k.CompromisedSince)}
	}
	return out, nil
}

type revokeIn struct {
	ID   string `path:"id" doc:"base64url SHA-256 of the entity identifier"`
	Body struct {
		KeyIDs           []string   `json:"kids" minItems:"1" maxItems:"32"`
		Purpose          string     `json:"purpose,omitempty" enum:"statement,federation" doc:"statement if absent"`
		CompromisedSince *time.Time `json:"compromised_since,omitempty" doc:"since when somebody else may have used them; absent if they are only taken away"`
		Reason           string     `json:"reason" minLength:"1" maxLength:"8000"`
	}
}

func (a API) revokeKeys(ctx context.Context, in *revokeIn) (*keysOut, error) {
	id, err := (byID{in.ID}).parse()
	if err != nil {
		return nil, err
	}
	said := registry.Revocation{Purpose: in.Body.Purpose, KeyIDs: slices.Clone(in.Body.KeyIDs), Reason: in.Body.Reason}
	if in.Body.CompromisedSince != nil {
		said.CompromisedSince = *in.Body.CompromisedSince
	}
	if _, err := a.Enrolments.RevokeByOfficer(ctx, id, officerIn(ctx), said); err != nil {
		return nil, err
	}
	return a.keys(ctx, &byID{in.ID})
}

// markedEntry is an entry that somebody else than its issuer may have signed.
type markedEntry struct {
	LeafIndex        int64     `json:"leaf_index"`
	AcceptedAt       time.Time `json:"accepted_at"`
	Kind             string    `json:"kind"`
	KeyID            string    `json:"kid"`
	CompromisedSince time.Time `json:"compromised_since"`
	Digest           string    `json:"digest" doc:"its receipt is at /receipts/{digest}"`
}

func (a API) marked(ctx context.Context, in *historyIn) (*list[markedEntry], error) {
	id, err := (byID{in.ID}).parse()
	if err != nil {
		return nil, err
	}
	from, err := leafAfter(in.After)
	if err != nil {
		return nil, err
	}
	found, next, err := a.Enrolments.Marked(ctx, id, from, in.Limit)
	if err != nil {
		return nil, err
	}
	out := &list[markedEntry]{}
	out.Body.Items = make([]markedEntry, len(found))
	for i, one := range found {
		out.Body.Items[i] = markedEntry{LeafIndex: one.LeafIndex, AcceptedAt: one.AcceptedAt, Kind: string(one.Statement.Kind()),
			KeyID: one.KeyID, CompromisedSince: one.CompromisedSince, Digest: one.Digest.String()}
	}
	if next > 0 {
		out.Body.Next = strconv.FormatInt(next-1, 10)
	}
	return out, nil
}

type proposalOut struct {
	Body struct {
		Proposal string `json:"proposal"`
		Status   string `json:"status"`
		Next     string `json:"next_step"`
	}
}

func (a API) proposeRecovery(ctx context.Context, in *reasonIn) (*proposalOut, error) {
	id, err := (byID{in.ID}).parse()
	if err != nil {
		return nil, err
	}
	proposal, err := a.Enrolments.ProposeRecovery(ctx, id, officerIn(ctx), in.Body.Reason)
	if err != nil {
		return nil, err
	}
	out := &proposalOut{}
	out.Body.Proposal, out.Body.Status = proposal, "proposed"
	out.Body.Next = "Another person approves: POST /v1/resellers/" + in.ID + "/recovery/" + proposal + "/approve"
	return out, nil
}

type approveRecoveryIn struct {
	ID       string `path:"id" doc:"base64url SHA-256 of the entity identifier"`
	Proposal string `path:"proposal"`
}

func (a API) approveRecovery(ctx context.Context, in *approveRecoveryIn) (*invitationOut, error) {
	id, err := (byID{in.ID}).parse()
	if err != nil {
		return nil, err
	}
	invited, err := a.Enrolments.ApproveRecovery(ctx, id, in.Proposal, officerIn(ctx))
	if err != nil {
		return nil, err
	}
	return a.invited(invited), nil
}

type confirmationOut struct {
	Body struct {
		URL       string    `json:"url" doc:"give it to the contact"`
		Token     string    `json:"token"`
		Contact   string    `json:"contact"`
		ExpiresAt time.Time `json:"expires_at"`
	}
}

func (a API) askContact(ctx context.Context, in *byID) (*confirmationOut, error) {
	id, err := in.parse()
	if err != nil {
		return nil, err
	}
	asked, err := a.Enrolments.AskContact(ctx, id, officerIn(ctx))
	if err != nil {
		return nil, err
	}
	return a.confirmationOf(asked), nil
}

func (a API) confirmationOf(asked registry.Confirmation) *confirmationOut {
	out := &confirmationOut{}
	out.Body.URL = string(a.Entity) + "/confirm/" + asked.Token
	out.Body.Token, out.Body.Contact, out.Body.ExpiresAt = asked.Token, asked.Contact, asked.ExpiresAt
	return out
}
