package auth

import (
	"context"
	"errors"
	"fmt"
	"time"

	"gorm.io/gorm"
)

// LinkLife is how long a sign-in link may be used.
const LinkLife = 15 * time.Minute

type linkRow struct {
	Hash      []byte
	Person    string
	ExpiresAt int64
}

func (linkRow) TableName() string { return "auth_links" }

// NewLink makes a one-time link for a person. The secret goes behind the # of the sign-in page's address,
// where no server, proxy or log sees it: {gateway}/sign-in#SECRET. Opening the page does not use it up,
// since mail filters open links; posting its form does.
func (a *Auth) NewLink(ctx context.Context, person string) (secret string, err error) {
	secret, digest, err := newSecret()
	if err != nil {
		return "", err
	}
	now := a.now()
	if err := a.db.WithContext(ctx).Where("expires_at <= ?", now.UnixMicro()).Delete(&linkRow{}).Error; err != nil {
		return "", fmt.Errorf("clearing expired sign-in links: %w", err)
	}
	row := linkRow{Hash: digest, Person: person, ExpiresAt: now.Add(LinkLife).UnixMicro()}
	if err := a.db.WithContext(ctx).Create(&row).Error; err != nil {
		return "", fmt.Errorf("keeping a sign-in link: %w", err)
	}
	return secret, nil
}

// useLink uses a link up inside a transaction and says whose it was. Of two that try at once, one succeeds.
func useLink(tx *gorm.DB, secret string, now time.Time) (person string, err error) {
	var row linkRow
	digest := digestOf(secret)
	err = tx.Where("hash = ? AND expires_at > ?", digest, now.UnixMicro()).Take(&row).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return "", errUnknown
	}
	if err != nil {
		return "", fmt.Errorf("looking up a sign-in link: %w", err)
	}
	used := tx.Where("hash = ?", digest).Delete(&linkRow{})
	if used.Error != nil {
		return "", fmt.Errorf("using up a sign-in link: %w", used.Error)
	}
	if used.RowsAffected == 0 {
		return "", errUnknown
	}
	return row.Person, nil
}
