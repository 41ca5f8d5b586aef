package auth

import (
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/intake"
	"github.com/cipgate/cipgate/gateway/problem"
)

const assertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

// WellKnown returns the addresses of one of an entity's well-known documents: at the root, and with the entity's path inserted
// behind the name (RFC 8615; RFC 8414, section 3.1; OpenID Shared Signals Framework 1.0, section 7.2.1).
func WellKnown(entity envelope.Entity, name string) []string {
	addresses := []string{"/.well-known/" + name}
	if at, err := url.Parse(string(entity)); err == nil && at.Path != "" {
		addresses = append(addresses, addresses[0]+at.Path)
	}
	return addresses
}

// Mount registers POST /oauth/token and what says where it is.
func (c Clients) Mount(router fiber.Router, log *slog.Logger) {
	tell := problem.OAuth(log)
	router.Post("/oauth/token", func(ctx *fiber.Ctx) error {
		if err := c.postToken(ctx); err != nil {
			return tell(ctx, err)
		}
		return nil
	})
	for _, address := range WellKnown(c.Gateway, "oauth-authorization-server") {
		router.Get(address, c.serverMetadata)
	}
	for _, address := range WellKnown(c.Gateway, "oauth-protected-resource") {
		router.Get(address, c.resourceMetadata)
	}
}

type tokenJSON struct {
	AccessToken string `json:"access_token"`
	TokenType   string `json:"token_type"`
	ExpiresIn   int    `json:"expires_in"` // seconds
	Scope       string `json:"scope"`
}

// postToken answers RFC 6749, section 4.4.
func (c Clients) postToken(ctx *fiber.Ctx) error {
	form, err := url.ParseQuery(string(ctx.BodyRaw()))
	if err != nil {
		return fmt.Errorf("%w: wanted a form, application/x-www-form-urlencoded", problem.ErrTokenRequest)
	}
	for name, values := range form {
		if len(values) > 1 { // RFC 6749, section 3.2
			return fmt.Errorf("%w: %.40q stands there more than once", problem.ErrTokenRequest, name)
		}
	}
	if form.Get("grant_type") != "client_credentials" {
		return fmt.Errorf("%w: wanted grant_type=client_credentials", problem.ErrGrant)
	}
	if form.Get("client_assertion_type") != assertionType {
		return unauthentic("wanted client_assertion_type=%s with a client_assertion (private_key_jwt)", assertionType)
	}
	scope, err := scopeOf(form.Get("scope"))
	if err != nil {
		return err
	}
	entity, err := c.authenticate(ctx.UserContext(), form.Get("client_assertion"), form.Get("client_id"))
	if err != nil {
		return err
	}
	token, err := c.grant(ctx.UserContext(), entity, scope)
	if err != nil {
		return err
	}
	ctx.Set(fiber.HeaderCacheControl, "no-store")
	return ctx.JSON(tokenJSON{token, "Bearer", int(AccessLife / time.Second), scope})
}

// serverMetadata is RFC 8414, section 2.
type serverMetadata struct {
	Issuer         envelope.Entity `json:"issuer"`
	TokenEndpoint  string          `json:"token_endpoint"`
	JWKSURI        string          `json:"jwks_uri"`
	Scopes         []string        `json:"scopes_supported"`
	ResponseTypes  []string        `json:"response_types_supported"` // none: there is no authorization endpoint
	GrantTypes     []string        `json:"grant_types_supported"`
	AuthMethods    []string        `json:"token_endpoint_auth_methods_supported"`
	AuthAlgorithms []string        `json:"token_endpoint_auth_signing_alg_values_supported"`
}

func (c Clients) serverMetadata(ctx *fiber.Ctx) error {
	return ctx.JSON(serverMetadata{Issuer: c.Gateway, TokenEndpoint: c.tokenEndpoint(), JWKSURI: string(c.Gateway) + "/jwks.json", Scopes: scopes,
		ResponseTypes: []string{}, GrantTypes: []string{"client_credentials"}, AuthMethods: []string{"private_key_jwt"},
		AuthAlgorithms: []string{"EdDSA", "Ed25519", "ES256", "ES384", "PS256", "RS256"}})
}

// resourceMetadata is RFC 9728, section 2.
type resourceMetadata struct {
	Resource      envelope.Entity   `json:"resource"`
	Servers       []envelope.Entity `json:"authorization_servers"`
	Scopes        []string          `json:"scopes_supported"`
	BearerMethods []string          `json:"bearer_methods_supported"`
}

func (c Clients) resourceMetadata(ctx *fiber.Ctx) error {
	return ctx.JSON(resourceMetadata{Resource: c.Gateway, Servers: []envelope.Entity{c.Gateway}, Scopes: scopes, BearerMethods: []string{"header"}})
}

// Receiver is who manages a stream: an enrolled entity, or one of the provider's own systems by the label of its API token.
type Receiver struct {
	Entity envelope.Entity // empty for a system
	System string          // empty for an entity
	// Officer is whose token a system shows; nobody for an entity.
	Officer Officer
	scopes  []string
}

type receiverKey struct{}

// ReceiverOf returns who is asking, behind Clients.Receiver.
func ReceiverOf(c *fiber.Ctx) Receiver {
	receiver, _ := c.Locals(receiverKey{}).(Receiver)
	return receiver
}

// Receiver lets a request through that shows an access token or an API token as a bearer. Sessions are for people, and are not
// looked at. Errors wrap problem.ErrUnauthenticated.
func (c Clients) Receiver() fiber.Handler {
	metadata := string(c.Gateway) + "/.well-known/oauth-protected-resource"
	return func(ctx *fiber.Ctx) error {
		scheme, token, _ := strings.Cut(ctx.Get(fiber.HeaderAuthorization), " ")
		receiver, err := Receiver{}, errUnknown
		if token = strings.TrimSpace(token); strings.EqualFold(scheme, "Bearer") && token != "" {
			receiver, err = c.holder(ctx, token)
		}
		if errors.Is(err, errUnknown) {
			challenge := fmt.Sprintf("Bearer resource_metadata=%q", metadata) // RFC 9728, section 5.1
			if token != "" {                                                  // RFC 6750, section 3.1: none for who shows nothing
				challenge += `, error="invalid_token"`
			}
			ctx.Set(fiber.HeaderWWWAuthenticate, challenge)
			return fmt.Errorf("%w: show an access token from POST /oauth/token as `Authorization: Bearer TOKEN`; they are good for %s. A system of the provider shows an API token",
				problem.ErrUnauthenticated, AccessLife)
		}
		if err != nil {
			return err
		}
		ctx.Locals(receiverKey{}, receiver)
		return ctx.Next()
	}
}

func (c Clients) holder(ctx *fiber.Ctx, token string) (Receiver, error) {
	access, err := c.Auth.accessHolder(ctx.UserContext(), token)
	if label, is := envelope.SystemLabel(c.Gateway, envelope.Entity(access.Client)); err == nil && is {
		owner, err := c.Auth.ownerOf(ctx.UserContext(), label)
		if errors.Is(err, intake.ErrIssuer) {
			return Receiver{}, errUnknown
		}
		return Receiver{System: label, Officer: owner, scopes: strings.Fields(access.Scope)}, err
	}
	if err == nil {
		return Receiver{Entity: envelope.Entity(access.Client), scopes: strings.Fields(access.Scope)}, nil
	}
	if !errors.Is(err, errUnknown) {
		return Receiver{}, err
	}
	holder, label, err := c.Auth.tokenHolder(c.Auth.db.WithContext(ctx.UserContext()), token)
	return Receiver{System: label, Officer: holder, scopes: scopes}, err
}

// Needs lets a request through whose token has one of the scopes. Errors wrap problem.ErrForbidden.
func Needs(oneOf ...string) fiber.Handler {
	return func(c *fiber.Ctx) error {
		has := ReceiverOf(c).scopes
		if !slices.ContainsFunc(oneOf, func(scope string) bool { return slices.Contains(has, scope) }) {
			c.Set(fiber.HeaderWWWAuthenticate, fmt.Sprintf(`Bearer error="insufficient_scope", scope=%q`, oneOf[0])) // RFC 6750, section 3.1
			return fmt.Errorf("%w: this takes an access token with the scope %s. Ask POST /oauth/token for it", problem.ErrForbidden, strings.Join(oneOf, " or "))
		}
		return c.Next()
	}
}
