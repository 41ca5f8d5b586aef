// Package streams is the door at which receivers of Shared Signals manage their stream and poll it (OpenID Shared Signals
// Framework 1.0; RFC 8936). It reads requests and writes answers; what a stream is and what is delivered over it is delivery's.
//
// A reseller has one stream, and so has each system of the provider. Subjects are the entities of the chain: a stream tells of
// all that concern its receiver from the start (default_subjects ALL).
package streams

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/gofiber/fiber/v2"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/gateway/auth"
	"github.com/cipgate/cipgate/gateway/problem"
	"github.com/cipgate/cipgate/sync/delivery"
	"github.com/cipgate/cipgate/sync/notices"
)

// Delivery is what stands behind the door.
type Delivery interface {
	Create(ctx context.Context, audience notices.Audience, owner string, wanted delivery.Wanted) (delivery.Stream, error)
	Stream(ctx context.Context, audience notices.Audience, id string) (delivery.Stream, error)
	Streams(ctx context.Context, audience notices.Audience) ([]delivery.Stream, error)
	Configure(ctx context.Context, audience notices.Audience, id string, change func(delivery.Wanted) (delivery.Wanted, bool)) (delivery.Stream, error)
	Delete(ctx context.Context, audience notices.Audience, id string) error
	SetStatus(ctx context.Context, audience notices.Audience, id, status, reason string) (delivery.Stream, error)
	AddSubject(ctx context.Context, audience notices.Audience, id, subject string) error
	RemoveSubject(ctx context.Context, audience notices.Audience, id, subject string) error
	Verify(ctx context.Context, audience notices.Audience, id, state string) error
	Replay(ctx context.Context, audience notices.Audience, since time.Time) (int64, error)
	Poll(ctx context.Context, audience notices.Audience, id string, asked delivery.Polling, closing <-chan struct{}) (delivery.Polled, error)
}

// Doors are the addresses under /ssf. Their fields are set once.
type Doors struct {
	Delivery Delivery
	Keys     Keys
	Gateway  envelope.Entity
	// Receiver lets those in who may have a stream; auth.Clients makes it.
	Receiver fiber.Handler
	// Closing is closed when the server is about to stop: nobody is kept waiting then.
	Closing <-chan struct{}
}

// Mount registers the transmitter's configuration and /ssf.
func (d Doors) Mount(router fiber.Router) {
	for _, address := range auth.WellKnown(d.Gateway, "ssf-configuration") {
		router.Get(address, d.metadata)
	}
	router.Use("/ssf", d.Receiver, func(c *fiber.Ctx) error {
		c.Set(fiber.HeaderCacheControl, "no-store")
		return c.Next()
	})
	manage, read := auth.Needs(auth.ScopeManage), auth.Needs(auth.ScopeManage, auth.ScopeRead)
	router.Post("/ssf/streams", manage, d.create)
	router.Get("/ssf/streams", read, d.read)
	router.Patch("/ssf/streams", manage, d.configure(update))
	router.Put("/ssf/streams", manage, d.configure(replace))
	router.Delete("/ssf/streams", manage, d.remove)
	router.Get("/ssf/status", read, d.status)
	router.Post("/ssf/status", manage, d.setStatus)
	router.Post("/ssf/subjects/add", manage, d.addSubject)
	router.Post("/ssf/subjects/remove", manage, d.removeSubject)
	router.Post("/ssf/verify", read, d.verify)
	router.Post("/ssf/poll/:id", read, d.poll)
	router.Post("/ssf/replay", manage, d.replay)
	router.Get("/ssf/keys", read, d.keys)
	router.Put("/ssf/keys", manage, d.setKeys)
}

type authorizationScheme struct {
	SpecURN string `json:"spec_urn"`
}

// metadata is section 7.1.
type metadata struct {
	SpecVersion   string                `json:"spec_version"`
	Issuer        envelope.Entity       `json:"issuer"`
	JWKSURI       string                `json:"jwks_uri"`
	Methods       []string              `json:"delivery_methods_supported"`
	Configuration string                `json:"configuration_endpoint"`
	Status        string                `json:"status_endpoint"`
	AddSubject    string                `json:"add_subject_endpoint"`
	RemoveSubject string                `json:"remove_subject_endpoint"`
	Verification  string                `json:"verification_endpoint"`
	Schemes       []authorizationScheme `json:"authorization_schemes"`
	Subjects      string                `json:"default_subjects"`
	// Algorithms are what a stream may ask for in set_signing_alg. (Ours: the framework has no name for it.)
	Algorithms []string `json:"set_signing_alg_values_supported"`
	// Replay is where a receiver that lost what it had asks for it once more. (Ours.)
	Replay string `json:"replay_endpoint"`
	// Keys is where one of the provider's own systems registers the keys with which it signs that orders were carried out. (Ours.)
	Keys string `json:"system_keys_endpoint"`
}

func (d Doors) metadata(c *fiber.Ctx) error {
	base := string(d.Gateway)
	return c.JSON(metadata{SpecVersion: "1_0", Issuer: d.Gateway, JWKSURI: base + "/jwks.json", Methods: []string{delivery.MethodPush, delivery.MethodPoll},
		Configuration: base + "/ssf/streams", Status: base + "/ssf/status", AddSubject: base + "/ssf/subjects/add", RemoveSubject: base + "/ssf/subjects/remove",
		Verification: base + "/ssf/verify", Schemes: []authorizationScheme{{"urn:ietf:rfc:6749"}, {"urn:ietf:rfc:6750"}}, Subjects: "ALL",
		Algorithms: delivery.Algorithms(), Replay: base + "/ssf/replay", Keys: base + "/ssf/keys"})
}

// audience is who asks, as notices are numbered for it.
func audience(c *fiber.Ctx) notices.Audience {
	receiver := auth.ReceiverOf(c)
	if receiver.System != "" {
		return notices.OfSystem(receiver.System)
	}
	return notices.OfReseller(receiver.Entity)
}

// decode reads a request's JSON object. Members that nobody knows are passed over, as the framework's extensions need it.
func decode(c *fiber.Ctx, into any) error {
	if err := json.Unmarshal(c.BodyRaw(), into); err != nil {
		return fmt.Errorf("%w: the body is not the JSON object that is wanted here: %w", problem.ErrRequest, withoutValue(err))
	}
	return nil
}

// withoutValue keeps where a JSON error is, and not what stands there.
func withoutValue(err error) error {
	var at string
	if semantic := (*json.SemanticError)(nil); errors.As(err, &semantic) {
		at = string(semantic.JSONPointer)
	} else if syntactic := (*jsontext.SyntacticError)(nil); errors.As(err, &syntactic) {
		return fmt.Errorf("not JSON at byte %d", syntactic.ByteOffset)
	}
	return fmt.Errorf("another type than wanted at %q", at)
}

// deliveryJSON is a stream's delivery, section 6.1.
type deliveryJSON struct {
	Method        string `json:"method"`
	Endpoint      string `json:"endpoint_url,omitzero"`
	Authorization string `json:"authorization_header,omitzero"`
}

// configuration is a stream's configuration as a receiver sends it, section 8.1.1. A pointer is nil where the member is absent.
type configuration struct {
	StreamID    string         `json:"stream_id"`
	Delivery    *deliveryJSON  `json:"delivery"`
	Requested   *[]string      `json:"events_requested"`
	Description *string        `json:"description"`
	Issuer      *string        `json:"iss"`
	Audience    jsontext.Value `json:"aud"`
	Supported   *[]string      `json:"events_supported"`
	MinInterval *int           `json:"min_verification_interval"`
	Algorithm   *string        `json:"set_signing_alg"`
}

// streamJSON is a stream's configuration as it is answered. What is sent along with a push is not told again.
type streamJSON struct {
	StreamID    string          `json:"stream_id"`
	Issuer      envelope.Entity `json:"iss"`
	Audience    envelope.Entity `json:"aud"`
	Delivery    deliveryJSON    `json:"delivery"`
	Supported   []string        `json:"events_supported"`
	Requested   []string        `json:"events_requested,omitempty"`
	Delivered   []string        `json:"events_delivered"`
	MinInterval int             `json:"min_verification_interval"` // seconds
	Description string          `json:"description,omitempty"`
	Algorithm   string          `json:"set_signing_alg"`
}

func (d Doors) pollURL(id string) string { return string(d.Gateway) + "/ssf/poll/" + id }

func supported(audience notices.Audience) []string {
	uris := []string{}
	for _, kind := range notices.Kinds(audience) {
		uris = append(uris, kind.URI())
	}
	return uris
}

func (d Doors) show(s delivery.Stream) streamJSON {
	shown := streamJSON{StreamID: s.ID, Issuer: d.Gateway, Audience: s.Audience.Entity(d.Gateway), Delivery: deliveryJSON{Method: s.Method, Endpoint: s.Endpoint},
		Supported: supported(s.Audience), Requested: s.EventsRequested, Delivered: slices.Clone(s.Delivered), MinInterval: int(delivery.MinVerificationInterval.Seconds()),
		Description: s.Description, Algorithm: s.Algorithm}
	if s.Method == delivery.MethodPoll {
		shown.Delivery.Endpoint = d.pollURL(s.ID)
	}
	if shown.Delivered == nil {
		shown.Delivered = []string{}
	}
	return shown
}
