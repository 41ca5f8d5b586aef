// Package officer is the API of the provider's people and systems: /v1, JSON, described by /openapi.json.
// It reads the docket and the ledger and records invitations; it decides nothing.
package officer

import (
	"context"
	"encoding/base64"
	"fmt"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humafiber"
	"github.com/gofiber/fiber/v2"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/gateway/problem"
	"github.com/cipgate/cipgate/resellers/docket"
	"github.com/cipgate/cipgate/resellers/escalation"
	"github.com/cipgate/cipgate/resellers/registry"
)

// Docket is what the API reads of the resellers' files.
type Docket interface {
	List(ctx context.Context, after *docket.Place, limit int) ([]docket.Line, error)
	Open(ctx context.Context, id envelope.ID) (docket.File, error)
	Outlook(file docket.File) (escalation.Prospect, error)
	Customers
}

// Ledger is what the API reads of the ledger.
type Ledger interface {
	Entries(ctx context.Context, from int64, limit int, kinds ...statement.Kind) ([]statement.Entry, error)
	About(ctx context.Context, id envelope.ID, from int64, limit int) ([]statement.Entry, error)
	Entry(ctx context.Context, leafIndex int64) (statement.Entry, error)
}

// Registry records invitations.
type Registry interface {
	Invite(ctx context.Context, invitation registry.Invitation) (registry.Invited, error)
}

// API answers /v1. Its fields are set once.
type API struct {
	Docket     Docket
	Ledger     Ledger
	Registry   Registry
	Enrolments Enrolments
	Records    Records
	Notices    Notices
	Streams    Streams
	Desk       Desk
	Screener   Screener
	Exempted   Exempted
	Officers   Officers
	Calendars  Calendars
	Cases      Cases
	Orders     Orders
	Reached    Reached
	Rehearsal  Rehearsal
	Now        func() time.Time // the gateway's clock
	Entity     envelope.Entity
	Version    string
	Log        *slog.Logger
}

// refusals tells huma our words once: it keeps them for the whole program, in which several gateways may be mounted.
var refusals sync.Once

// Mount registers /v1 and /openapi.json. Whoever mounts it puts authentication before /v1.
func (a API) Mount(app *fiber.App) {
	config := huma.DefaultConfig("cipgate", a.Version)
	config.Info.Description = "What the provider's officers and systems read and do. Problems are RFC 9457; lists are {items, next}; times are RFC 3339 UTC. A POST with an Idempotency-Key is done once: sent again within 24 hours it is answered as it was first. Each operation says which role it takes."
	config.OpenAPIPath = "/openapi"
	config.DocsPath = ""
	config.SchemasPath = ""
	config.CreateHooks = nil // no $schema member in every answer
	config.Components.SecuritySchemes = map[string]*huma.SecurityScheme{"token": {Type: "http", Scheme: "bearer"}}
	config.Security = []map[string][]string{{"token": {}}}
	refusals.Do(func() { huma.NewError = refusal })
	api := humafiber.New(app, config)
	register(api, a.Log, http.MethodGet, "/v1/resellers", "list-resellers", "Resellers with standing and next step, ordered by name", http.StatusOK, a.resellers)
	register(api, a.Log, http.MethodGet, "/v1/resellers/{id}", "get-reseller", "One reseller: standing, findings, case, and what comes next", http.StatusOK, a.reseller)
	register(api, a.Log, http.MethodGet, "/v1/resellers/{id}/history", "get-history", "What was said about one reseller, oldest first", http.StatusOK, a.history)
	register(api, a.Log, http.MethodGet, "/v1/entries", "list-entries", "The ledger's entries, in leaf order", http.StatusOK, a.entries)
	register(api, a.Log, http.MethodPost, "/v1/invitations", "invite", "Invite a reseller; the token is shown once", http.StatusCreated, a.invite)
	a.registerEnrolments(api)
	a.registerCustomers(api)
	a.registerRecords(api)
	a.registerNotices(api)
	a.registerStreams(api)
	a.registerCalendars(api)
	a.registerMeasures(api)
	a.registerExemptions(api)
	a.registerOfficers(api)
	a.registerApprovals(api)
	a.registerCases(api)
	a.registerActs(api)
	a.registerOrders(api)
	a.registerObligations(api)
	a.registerPolicies(api)
	a.registerOutages(api)
}

// register adds one operation whose errors are told by problem's table.
func register[In, Out any](api huma.API, log *slog.Logger, method, path, id, summary string, status int, handle func(context.Context, *In) (*Out, error)) {
	huma.Register(api, huma.Operation{Method: method, Path: path, OperationID: id, Summary: summary, DefaultStatus: status, BodyReadTimeout: -1,
		Description: describe(id), Errors: []int{http.StatusUnauthorized, http.StatusForbidden}},
		func(ctx context.Context, in *In) (*Out, error) {
			out, err := permitted(ctx, id, in, handle)
			if err != nil {
				if problem.Of(err).Ours {
					log.Error("request failed", "operation", id, "error", err)
				}
				return nil, &passed{err}
			}
			return out, nil
		})
}

// refusal words huma's own refusals (validation of parameters and bodies) without the values it was sent,
// which may be personal.
func refusal(status int, message string, errs ...error) huma.StatusError {
	details := make([]string, 0, len(errs))
	for _, err := range errs {
		if detailed, ok := err.(huma.ErrorDetailer); ok {
			details = append(details, fmt.Sprintf("%s: %s", detailed.ErrorDetail().Location, detailed.ErrorDetail().Message))
		}
	}
	if len(details) > 0 {
		message += ": " + strings.Join(details, "; ")
	}
	return &huma.ErrorModel{Status: status, Title: http.StatusText(status), Detail: message}
}

// passed brings an error of ours through huma to its status.
type passed struct{ err error }

func (p *passed) Error() string  { return p.err.Error() }
func (p *passed) Unwrap() error  { return p.err }
func (p *passed) GetStatus() int { return problem.Of(p.err).Status }

// MarshalJSON writes the RFC 9457 details that the problem table gives.
func (p *passed) MarshalJSON() ([]byte, error) { return problem.JSON(problem.Of(p.err)) }

// ContentType is that of problem details.
func (p *passed) ContentType(string) string { return "application/problem+json" }

// page is how lists are asked for.
type page struct {
	After string `query:"after" doc:"cursor: the next of the page before"`
	Limit int    `query:"limit" default:"100" minimum:"1" maximum:"1000"`
}

// list is how lists are answered.
type list[T any] struct {
	Body struct {
		Items []T    `json:"items"`
		Next  string `json:"next,omitempty" doc:"cursor of the next page; absent at the end"`
	}
}

type byID struct {
	ID string `path:"id" doc:"base64url SHA-256 of the entity identifier"`
}

func (b byID) parse() (envelope.ID, error) {
	id, err := envelope.ParseID(b.ID)
	if err != nil {
		return id, fmt.Errorf("%w: id: wanted the base64url SHA-256 of an entity identifier, 43 characters: %w", problem.ErrRequest, err)
	}
	return id, nil
}

func cursorOf(parts ...string) string {
	return base64.RawURLEncoding.EncodeToString([]byte(strings.Join(parts, "\x00")))
}

// parseCursor reads what cursorOf wrote of two parts.
func parseCursor(cursor string) ([]string, error) {
	text, err := base64.RawURLEncoding.DecodeString(cursor)
	found := strings.Split(string(text), "\x00")
	if err != nil || len(found) != 2 {
		return nil, fmt.Errorf("%w: after: wanted the `next` of the page before, got something else", problem.ErrRequest)
	}
	return found, nil
}

// leafAfter reads the cursor of a list in leaf order: the leaf index after which it goes on.
func leafAfter(cursor string) (from int64, err error) {
	if cursor == "" {
		return 0, nil
	}
	last, err := strconv.ParseInt(cursor, 10, 64)
	if err != nil || last < 0 {
		return 0, fmt.Errorf("%w: after: wanted the leaf index of the last entry seen, got something else", problem.ErrRequest)
	}
	return last + 1, nil
}

// nextLeaf is the cursor after a page of entries, empty at the end. A page that the ledger kept short because its entries
// are large is not the end, so that is asked.
func nextLeaf(entries []statement.Entry, limit int, read func(from int64, limit int) ([]statement.Entry, error)) (string, error) {
	if len(entries) == 0 {
		return "", nil
	}
	last := entries[len(entries)-1].LeafIndex
	if len(entries) < limit {
		if more, err := read(last+1, 1); err != nil || len(more) == 0 {
			return "", err
		}
	}
	return strconv.FormatInt(last, 10), nil
}

type invitationIn struct {
	Body struct {
		Name     string `json:"name" doc:"legal name"`
		Country  string `json:"country" doc:"ISO 3166-1 alpha-2"`
		Contact  string `json:"contact" doc:"e-mail address of a person at the reseller"`
		Superior string `json:"superior,omitempty" doc:"entity identifier of the superior; the gateway itself if absent"`
		LEI      string `json:"lei,omitempty" doc:"ISO 17442"`
		Approval bool   `json:"approval,omitempty" doc:"an officer must approve the enrolment before it counts"`
	}
}

type invitationOut struct {
	Body struct {
		URL       string          `json:"url"`
		Token     string          `json:"token"`
		Entity    envelope.Entity `json:"entity" doc:"the identifier that this gateway hosts for the reseller"`
		ExpiresAt time.Time       `json:"expires_at"`
	}
}

func (a API) invite(ctx context.Context, in *invitationIn) (*invitationOut, error) {
	invited, err := a.Registry.Invite(ctx, registry.Invitation{
		Name: in.Body.Name, Country: in.Body.Country, Contact: in.Body.Contact,
		Superior: envelope.Entity(in.Body.Superior), LEI: in.Body.LEI, Approval: in.Body.Approval,
	})
	if err != nil {
		return nil, err
	}
	return a.invited(invited), nil
}

func (a API) invited(invited registry.Invited) *invitationOut {
	out := &invitationOut{}
	out.Body.URL = string(a.Entity) + "/enrol#" + invited.Token
	out.Body.Token, out.Body.Entity, out.Body.ExpiresAt = invited.Token, invited.Entity, invited.ExpiresAt
	return out
}
