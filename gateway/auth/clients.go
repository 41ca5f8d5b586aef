package auth

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"golang.org/x/sync/semaphore"
	"gorm.io/gorm"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/intake"
	"github.com/cipgate/cipgate/gateway/problem"
)

// The scopes of an access token, as receivers of Shared Signals ask for them (CAEP Interoperability Profile 1.0, section 2.7.2).
const (
	ScopeRead   = "ssf.read"
	ScopeManage = "ssf.manage"
)

var scopes = []string{ScopeManage, ScopeRead}

const (
	// AccessLife is how long an access token may be used.
	AccessLife = 10 * time.Minute
	// assertionLife is how far ahead an assertion may expire: so long its jti is remembered.
	assertionLife = time.Hour
	// skew is by how much two clocks may differ.
	skew = time.Minute

	maxAssertion = 16 << 10
)

// Clients lets enrolled entities in, as OAuth 2.0 clients that show who they are by a signature (RFC 7523, section 2.2): an
// entity's identifier is its client_id, its statement key signs the assertion, and each assertion serves once. So may a system of the
// provider that registered a key, in place of its API token and no longer than that is in force.
type Clients struct {
	Auth    *Auth
	Gateway envelope.Entity
	// Keys are the statement keys of an entity that are in force.
	Keys func(ctx context.Context, entity envelope.Entity) (envelope.Keys, error)
	// Verifying bounds how many signatures are checked at once.
	Verifying *semaphore.Weighted
}

type accessRow struct {
	Hash      []byte
	Client    string
	Scope     string
	ExpiresAt int64
}

func (accessRow) TableName() string { return "auth_access" }

type assertionRow struct {
	Hash      []byte
	ExpiresAt int64
}

func (assertionRow) TableName() string { return "auth_assertions" }

// assertionClaims are those of RFC 7523, section 3.
type assertionClaims struct {
	Issuer   string         `json:"iss"`
	Subject  string         `json:"sub"`
	Audience jsontext.Value `json:"aud"`
	Expires  float64        `json:"exp"`
	From     float64        `json:"nbf"`
	JTI      string         `json:"jti"`
}

func unauthentic(format string, args ...any) error {
	return fmt.Errorf("%w: %s", problem.ErrClient, fmt.Sprintf(format, args...))
}

// tokenEndpoint is where access tokens are given out.
func (c Clients) tokenEndpoint() string { return string(c.Gateway) + "/oauth/token" }

// authenticate says which entity signed an assertion. client is the client_id of the request, empty if there was none. Errors wrap
// problem.ErrClient.
func (c Clients) authenticate(ctx context.Context, assertion, client string) (envelope.Entity, error) {
	token, err := parseAssertion(assertion)
	if err != nil {
		return "", err
	}
	var claims assertionClaims
	if err := json.Unmarshal(token.Payload(), &claims); err != nil {
		return "", unauthentic("client_assertion: wanted the claims iss, sub, aud, exp and jti of RFC 7523, section 3, got others")
	}
	entity := envelope.Entity(claims.Issuer)
	if claims.Issuer == "" || claims.Issuer != claims.Subject || client != "" && client != claims.Issuer {
		return "", unauthentic("client_assertion: wanted iss, sub and client_id to be your entity identifier, got different ones")
	}
	keys, err := c.Keys(ctx, entity)
	if errors.Is(err, intake.ErrIssuer) {
		return "", unauthentic("client_assertion: iss: %v", err)
	}
	if err != nil {
		return "", err
	}
	if err := c.verify(ctx, token, keys); err != nil {
		return "", err
	}
	if label, is := envelope.SystemLabel(c.Gateway, entity); is {
		if _, err := c.Auth.ownerOf(ctx, label); errors.Is(err, intake.ErrIssuer) {
			return "", unauthentic("client_assertion: iss: %v", err)
		} else if err != nil {
			return "", err
		}
	}
	return entity, c.judge(ctx, claims)
}

// parseAssertion reads a JWT of a type that an assertion may have, or of none, which is how most libraries write it. It is no SET,
// no entity statement and no key request: those name their types.
func parseAssertion(assertion string) (envelope.Token, error) {
	if assertion == "" || len(assertion) > maxAssertion {
		return envelope.Token{}, unauthentic("client_assertion: wanted a JWT of at most %d bytes, signed by your statement key", maxAssertion)
	}
	var first error
	for _, typ := range []string{"JWT", "client-authentication+jwt", ""} {
		token, err := envelope.ParseToken([]byte(assertion), typ)
		if err == nil {
			return token, nil
		}
		if first == nil {
			first = err
		}
	}
	return envelope.Token{}, unauthentic("client_assertion: %v", first)
}

func (c Clients) verify(ctx context.Context, token envelope.Token, keys envelope.Keys) error {
	if err := c.Verifying.Acquire(ctx, 1); err != nil {
		return fmt.Errorf("waiting to check an assertion: %w", err)
	}
	defer c.Verifying.Release(1)
	if err := token.Verify(keys); err != nil {
		return unauthentic("client_assertion: %v", err)
	}
	return nil
}

// judge holds the claims of an assertion whose signature is good against what RFC 7523, section 3, asks, and uses it up.
func (c Clients) judge(ctx context.Context, claims assertionClaims) error {
	now := c.Auth.now()
	expires := time.Unix(int64(claims.Expires), 0)
	switch {
	case !c.meantForUs(claims.Audience):
		return unauthentic("client_assertion: aud: wanted %s (the issuer of /.well-known/oauth-authorization-server)", c.Gateway)
	case claims.Expires < 1 || claims.Expires > 1<<40 || !expires.After(now.Add(-skew)):
		return unauthentic("client_assertion: exp: wanted a time that is not past; this gateway's is %s", now.UTC().Format(time.RFC3339))
	case expires.After(now.Add(assertionLife)):
		return unauthentic("client_assertion: exp: wanted at most %s from now", assertionLife)
	case claims.From > float64(now.Add(skew).Unix()):
		return unauthentic("client_assertion: nbf: wanted a time that has come")
	case claims.JTI == "" || len(claims.JTI) > 255:
		return unauthentic("client_assertion: jti: wanted 1 to 255 characters, new for each assertion")
	}
	db := c.Auth.db.WithContext(ctx)
	if err := db.Where("expires_at <= ?", now.Add(-2*skew).UnixMicro()).Delete(&assertionRow{}).Error; err != nil {
		return fmt.Errorf("clearing used assertions: %w", err)
	}
	used := sha256.Sum256([]byte(claims.Issuer + "\x00" + claims.JTI))
	err := db.Create(&assertionRow{Hash: used[:], ExpiresAt: expires.UnixMicro()}).Error
	if errors.Is(err, gorm.ErrDuplicatedKey) {
		return unauthentic("client_assertion: jti: this assertion was used before; sign a new one for each request")
	}
	if err != nil {
		return fmt.Errorf("using up an assertion: %w", err)
	}
	return nil
}

// meantForUs takes the gateway's identifier, and the token endpoint's address as RFC 7523 first had it.
func (c Clients) meantForUs(audience jsontext.Value) bool {
	var one string
	var many []string
	if json.Unmarshal(audience, &one) == nil {
		many = []string{one}
	} else if json.Unmarshal(audience, &many) != nil {
		return false
	}
	return slices.Contains(many, string(c.Gateway)) || slices.Contains(many, c.tokenEndpoint())
}

// grant gives out an access token. The token is told this once.
func (c Clients) grant(ctx context.Context, entity envelope.Entity, scope string) (string, error) {
	token, digest, err := newSecret()
	if err != nil {
		return "", err
	}
	now := c.Auth.now()
	db := c.Auth.db.WithContext(ctx)
	if err := db.Where("expires_at <= ?", now.UnixMicro()).Delete(&accessRow{}).Error; err != nil {
		return "", fmt.Errorf("clearing expired access tokens: %w", err)
	}
	if err := db.Create(&accessRow{Hash: digest, Client: string(entity), Scope: scope, ExpiresAt: now.Add(AccessLife).UnixMicro()}).Error; err != nil {
		return "", fmt.Errorf("keeping an access token: %w", err)
	}
	return token, nil
}

// scopeOf reads the scope that is asked for: both if none is.
func scopeOf(asked string) (string, error) {
	names := strings.Fields(asked)
	if len(names) == 0 {
		names = scopes
	}
	for _, name := range names {
		if !slices.Contains(scopes, name) {
			return "", fmt.Errorf("%w: wanted %s, got another", problem.ErrScope, strings.Join(scopes, " or "))
		}
	}
	return strings.Join(names, " "), nil
}

// accessHolder says whose access token this is, or errUnknown.
func (a *Auth) accessHolder(ctx context.Context, token string) (accessRow, error) {
	var row accessRow
	err := a.db.WithContext(ctx).Where("hash = ? AND expires_at > ?", digestOf(token), a.now().UnixMicro()).Take(&row).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return row, errUnknown
	}
	if err != nil {
		return row, fmt.Errorf("looking up an access token: %w", err)
	}
	return row, nil
}
