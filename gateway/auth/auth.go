// Package auth says who is asking. A program shows an API token; a browser shows a session, which began with
// a one-time link or a pasted token. Either is bound to an officer: an id that never changes, a name, and a role,
// which Need judges for every way in. What becomes of officers and tokens is recorded in the ledger.
//
// It keeps no secret, only SHA-256 digests, and looks secrets up by digest: neither a stolen table nor the
// time that a comparison takes helps to guess one. A session cannot be used from another site's page.
//
// It does not say which act takes which role: the API's table of operations does. It shows no page either: dashboard/signin does,
// and posts to what is mounted here.
package auth

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"time"

	"gorm.io/gorm"
)

// Auth is the shell around its tables. Make one with New; it is safe for concurrent use, also by several
// processes on one database.
type Auth struct {
	db     *gorm.DB
	now    func() time.Time
	secure bool

	recorder Recorder // nil: records wait
}

// New makes an Auth. now is the wall clock, also in a sandbox: moving the sandbox's clock signs nobody out.
// secure says that the gateway is reached over https: the session's cookie is then sent over https alone.
func New(db *gorm.DB, now func() time.Time, secure bool) *Auth {
	return &Auth{db: db, now: now, secure: secure}
}

// secretBytes makes 256 bits: nobody guesses such a secret, so a plain SHA-256 keeps it well.
const secretBytes = 32

// newSecret returns a fresh secret as its holder is told it, and the digest under which it is kept.
func newSecret() (secret string, digest []byte, err error) {
	random := make([]byte, secretBytes)
	if _, err := rand.Read(random); err != nil {
		return "", nil, fmt.Errorf("making a secret: %w", err)
	}
	secret = base64.RawURLEncoding.EncodeToString(random)
	return secret, digestOf(secret), nil
}

func digestOf(secret string) []byte {
	sum := sha256.Sum256([]byte(secret))
	return sum[:]
}
