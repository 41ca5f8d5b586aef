package auth

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/gofiber/fiber/v2"
	"gorm.io/gorm"
)

// SessionLife is how long a browser stays signed in.
const SessionLife = 12 * time.Hour

type sessionRow struct {
	Hash      []byte
	Officer   string // id
	ExpiresAt int64
}

func (sessionRow) TableName() string { return "auth_sessions" }

// signIn begins a session for the holder of a link's secret or of an API token, and returns the session's
// own secret. The error is errUnknown if the secret is neither.
func (a *Auth) signIn(ctx context.Context, secret string) (session string, err error) {
	session, digest, err := newSecret()
	if err != nil {
		return "", err
	}
	now := a.now()
	// A link is used up only together with the session it gives.
	err = a.db.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		officer, err := useLink(tx, secret, now)
		if errors.Is(err, errUnknown) {
			var holder Officer
			holder, _, err = a.tokenHolder(tx, secret)
			officer = holder.ID
		}
		if err != nil {
			return err
		}
		if err := tx.Where("expires_at <= ?", now.UnixMicro()).Delete(&sessionRow{}).Error; err != nil {
			return fmt.Errorf("clearing expired sessions: %w", err)
		}
		row := sessionRow{Hash: digest, Officer: officer, ExpiresAt: now.Add(SessionLife).UnixMicro()}
		if err := tx.Create(&row).Error; err != nil {
			return fmt.Errorf("keeping a session: %w", err)
		}
		return nil
	})
	if err != nil {
		return "", err
	}
	return session, nil
}

func (a *Auth) sessionHolder(ctx context.Context, session string) (Officer, error) {
	db := a.db.WithContext(ctx)
	var row sessionRow
	err := db.Where("hash = ? AND expires_at > ?", digestOf(session), a.now().UnixMicro()).Take(&row).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return Officer{}, errUnknown
	}
	if err != nil {
		return Officer{}, fmt.Errorf("looking up a session: %w", err)
	}
	return enabled(db, row.Officer)
}

func (a *Auth) signOut(ctx context.Context, session string) error {
	if err := a.db.WithContext(ctx).Where("hash = ?", digestOf(session)).Delete(&sessionRow{}).Error; err != nil {
		return fmt.Errorf("ending a session: %w", err)
	}
	return nil
}

// cookieName is that of the session's cookie. With the prefix __Host- a browser takes it over https alone
// and for this host alone, so that no neighbouring host can plant one (RFC 6265bis, section 4.1.3.2).
func (a *Auth) cookieName() string {
	if a.secure {
		return "__Host-cipgate-session"
	}
	return "cipgate-session"
}

// setCookie tells the browser its session; an empty session makes it forget.
func (a *Auth) setCookie(c *fiber.Ctx, session string) {
	cookie := &fiber.Cookie{
		Name: a.cookieName(), Value: session, Path: "/", HTTPOnly: true, Secure: a.secure,
		// Lax, so that a link in a mail opens the page it names; origin.go guards what changes anything.
		SameSite: fiber.CookieSameSiteLaxMode,
		MaxAge:   int(SessionLife / time.Second),
	}
	if session == "" {
		cookie.MaxAge, cookie.Expires = 0, time.Unix(0, 0)
	}
	c.Cookie(cookie)
}
