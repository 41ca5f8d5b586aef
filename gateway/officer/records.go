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
	"github.com/cipgate/cipgate/resellers/archive"
)

// Records is what officers do about documents, erasures and legal holds. Who acts comes from the session or the token.
type Records interface {
	Documents(ctx context.Context, id envelope.ID, limit int) ([]archive.Document, error)
	Open(ctx context.Context, id envelope.ID, digest envelope.Digest) (archive.Document, []byte, error)
	Holds(ctx context.Context, id envelope.ID) ([]archive.Hold, error)
	Place(ctx context.Context, by statement.Officer, id envelope.ID, customer, reason string, endsAt time.Time) (string, error)
	Release(ctx context.Context, by statement.Officer, id envelope.ID, hold, reason string) error
	Erase(ctx context.Context, by statement.Officer, id envelope.ID, wanted archive.Erasure) (archive.Erased, error)
}

func (a API) registerRecords(api huma.API) {
	register(api, a.Log, http.MethodGet, "/v1/resellers/{id}/documents", "list-documents", "Written programs that a reseller handed in, newest first", http.StatusOK, a.documents)
	register(api, a.Log, http.MethodGet, "/v1/resellers/{id}/documents/{digest}", "get-document", "A written program itself", http.StatusOK, a.document)
	register(api, a.Log, http.MethodGet, "/v1/resellers/{id}/holds", "list-holds", "Legal holds on a reseller's records, in the order in which they were placed", http.StatusOK, a.holds)
	register(api, a.Log, http.MethodPost, "/v1/resellers/{id}/holds", "place-hold", "Keep records from being erased", http.StatusCreated, a.placeHold)
	register(api, a.Log, http.MethodPost, "/v1/resellers/{id}/holds/{hold}/release", "release-hold", "End a legal hold", http.StatusOK, a.releaseHold)
	register(api, a.Log, http.MethodPost, "/v1/resellers/{id}/erasures", "erase-records", "Erase names, contacts and free text of one customer's records, or of an attestation and its document", http.StatusOK, a.erase)
}

type documentJSON struct {
	Digest     string     `json:"digest"`
	MediaType  string     `json:"media_type"`
	Bytes      int64      `json:"bytes"`
	ReceivedAt time.Time  `json:"received_at"`
	ErasedAt   *time.Time `json:"erased_at,omitempty"`
}

type resellerIn struct {
	ID    string `path:"id" doc:"base64url SHA-256 of the entity identifier"`
	Limit int    `query:"limit" default:"100" minimum:"1" maximum:"1000"`
}

func (a API) documents(ctx context.Context, in *resellerIn) (*list[documentJSON], error) {
	id, err := (byID{in.ID}).parse()
	if err != nil {
		return nil, err
	}
	found, err := a.Records.Documents(ctx, id, in.Limit)
	if err != nil {
		return nil, err
	}
	out := &list[documentJSON]{}
	out.Body.Items = make([]documentJSON, len(found))
	for i, d := range found {
		out.Body.Items[i] = documentJSON{Digest: d.Digest.String(), MediaType: d.MediaType, Bytes: d.Size, ReceivedAt: d.ReceivedAt, ErasedAt: timeOf(d.ErasedAt)}
	}
	return out, nil
}

type documentIn struct {
	ID     string `path:"id" doc:"base64url SHA-256 of the entity identifier"`
	Digest string `path:"digest" doc:"base64url SHA-256 of the document"`
}

// documentOut is always a download: what a reseller wrote is never shown as a page of ours.
type documentOut struct {
	ContentType        string `header:"Content-Type"`
	ContentDisposition string `header:"Content-Disposition"`
	Body               []byte
}

func (a API) document(ctx context.Context, in *documentIn) (*documentOut, error) {
	id, err := (byID{in.ID}).parse()
	if err != nil {
		return nil, err
	}
	digest, err := parseDigest("/digest", in.Digest)
	if err != nil {
		return nil, err
	}
	document, body, err := a.Records.Open(ctx, id, digest)
	if err != nil {
		return nil, err
	}
	return &documentOut{ContentType: document.MediaType, ContentDisposition: fmt.Sprintf("attachment; filename=%q", digest.String()), Body: body}, nil
}

func parseDigest(where, text string) (envelope.Digest, error) {
	digest, err := envelope.ParseDigest(text)
	if err != nil {
		return digest, fmt.Errorf("%w: %s: %w", problem.ErrRequest, where, err)
	}
	return digest, nil
}

type holdJSON struct {
	ID         string     `json:"id"`
	Customer   string     `json:"customer,omitempty" doc:"the reseller's opaque id; absent: everything of the reseller"`
	Officer    string     `json:"officer"`
	Reason     string     `json:"reason"`
	PlacedAt   time.Time  `json:"placed_at"`
	EndsAt     *time.Time `json:"ends_at,omitempty"`
	ReleasedAt *time.Time `json:"released_at,omitempty"`
}

func (a API) holds(ctx context.Context, in *byID) (*list[holdJSON], error) {
	id, err := (byID{in.ID}).parse()
	if err != nil {
		return nil, err
	}
	found, err := a.Records.Holds(ctx, id)
	if err != nil {
		return nil, err
	}
	out := &list[holdJSON]{}
	out.Body.Items = make([]holdJSON, len(found))
	for i, h := range found {
		out.Body.Items[i] = holdJSON{ID: h.ID, Customer: h.Customer, Officer: h.Officer, Reason: h.Reason, PlacedAt: h.PlacedAt, EndsAt: timeOf(h.EndsAt), ReleasedAt: timeOf(h.ReleasedAt)}
	}
	return out, nil
}

type holdIn struct {
	ID   string `path:"id" doc:"base64url SHA-256 of the entity identifier"`
	Body struct {
		Customer string    `json:"customer,omitempty" maxLength:"255"`
		Reason   string    `json:"reason" minLength:"1" maxLength:"8000"`
		EndsAt   time.Time `json:"ends_at,omitempty" doc:"absent for a hold that stands until it is released"`
	}
}

type holdOut struct {
	Body struct {
		ID string `json:"id"`
	}
}

func (a API) placeHold(ctx context.Context, in *holdIn) (*holdOut, error) {
	id, err := (byID{in.ID}).parse()
	if err != nil {
		return nil, err
	}
	out := &holdOut{}
	out.Body.ID, err = a.Records.Place(ctx, officerIn(ctx), id, in.Body.Customer, in.Body.Reason, in.Body.EndsAt)
	if err != nil {
		return nil, err
	}
	return out, nil
}

type releaseIn struct {
	ID   string `path:"id" doc:"base64url SHA-256 of the entity identifier"`
	Hold string `path:"hold" maxLength:"255"`
	Body struct {
		Reason string `json:"reason" minLength:"1" maxLength:"8000"`
	}
}

func (a API) releaseHold(ctx context.Context, in *releaseIn) (*decidedOut, error) {
	id, err := (byID{in.ID}).parse()
	if err != nil {
		return nil, err
	}
	if err := a.Records.Release(ctx, officerIn(ctx), id, in.Hold, in.Body.Reason); err != nil {
		return nil, err
	}
	out := &decidedOut{}
	out.Body.Status = "released"
	return out, nil
}

type eraseIn struct {
	ID   string `path:"id" doc:"base64url SHA-256 of the entity identifier"`
	Body struct {
		Customer   string `json:"customer,omitempty" maxLength:"255" doc:"the reseller's opaque id; or give attestation or answer"`
		Program    string `json:"attestation,omitempty" doc:"digest of a cip-attestation, erased with the document that it names; or give customer"`
		Answer     string `json:"answer,omitempty" doc:"digest of a remediation or a stated-by-link, whose words are erased; or give one of the others"`
		LegalBasis string `json:"legal_basis" minLength:"1" maxLength:"2000" doc:"by what right, and who asked"`
	}
}

type eraseOut struct {
	Body struct {
		Statements int `json:"statements"`
		Documents  int `json:"documents"`
	}
}

func (a API) erase(ctx context.Context, in *eraseIn) (*eraseOut, error) {
	id, err := (byID{in.ID}).parse()
	if err != nil {
		return nil, err
	}
	wanted := archive.Erasure{Customer: in.Body.Customer, LegalBasis: in.Body.LegalBasis}
	named := 0
	for _, one := range []string{in.Body.Customer, in.Body.Program, in.Body.Answer} {
		if one != "" {
			named++
		}
	}
	if named != 1 {
		return nil, fmt.Errorf("%w: wanted customer, attestation or answer, one of the three. Name what is to be erased", problem.ErrRequest)
	}
	if in.Body.Answer != "" {
		if wanted.Answer, err = parseDigest("/answer", in.Body.Answer); err != nil {
			return nil, err
		}
	}
	if in.Body.Program != "" {
		if wanted.Program, err = parseDigest("/attestation", in.Body.Program); err != nil {
			return nil, err
		}
	}
	done, err := a.Records.Erase(ctx, officerIn(ctx), id, wanted)
	if err != nil {
		return nil, err
	}
	out := &eraseOut{}
	out.Body.Statements, out.Body.Documents = done.Statements, done.Documents
	return out, nil
}
