package auth

import (
	"context"
	"errors"
	"fmt"
	"time"

	"gorm.io/gorm"

	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/gateway/problem"
)

// LinkLife is how long a sign-in link may be used.
const LinkLife = 15 * time.Minute

type linkRow struct {
	Hash      []byte
	Officer   string // id
	ExpiresAt int64
}

func (linkRow) TableName() string { return "auth_links" }

// NewLink makes a one-time link for an officer, by name or id. The secret goes behind the # of the sign-in page's
// address, where no server, proxy or log sees it: {gateway}/sign-in#SECRET. Opening the page does not use it up,
// since mail filters open links; posting its form does. Errors wrap problem.ErrNoSuchOfficer or problem.ErrOfficer.
func (a *Auth) NewLink(ctx context.Context, name string) (secret string, err error) {
	err = a.db.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		secret, _, err = a.makeLink(tx, name)
		return err
	})
	return secret, err
}

// LinkFor is NewLink by another officer, which is recorded: whoever has the link acts under the officer's name.
func (a *Auth) LinkFor(ctx context.Context, by statement.Officer, name string) (secret string, whose Officer, err error) {
	err = a.change(ctx, func(tx *gorm.DB) ([]statement.OfficerAction, error) {
		var row officerRow
		if secret, row, err = a.makeLink(tx, name); err != nil {
			return nil, err
		}
		whose = row.toOfficer()
		return []statement.OfficerAction{a.about(by, "officer.linked", row, "A one-time sign-in link was made.")}, nil
	})
	return secret, whose, err
}

func (a *Auth) makeLink(tx *gorm.DB, name string) (secret string, whose officerRow, err error) {
	if whose, err = findOfficer(tx, name); err != nil {
		return "", whose, err
	}
	if whose.DisabledAt != 0 {
		return "", whose, fmt.Errorf("%w: %s is disabled since %s. Enable the account first", problem.ErrOfficer, whose.Name, timeOf(whose.DisabledAt).Format(time.RFC3339))
	}
	secret, digest, err := newSecret()
	if err != nil {
		return "", whose, err
	}
	now := a.now()
	if err := tx.Where("expires_at <= ?", now.UnixMicro()).Delete(&linkRow{}).Error; err != nil {
		return "", whose, fmt.Errorf("clearing expired sign-in links: %w", err)
	}
	row := linkRow{Hash: digest, Officer: whose.ID, ExpiresAt: now.Add(LinkLife).UnixMicro()}
	if err := tx.Create(&row).Error; err != nil {
		return "", whose, fmt.Errorf("keeping a sign-in link: %w", err)
	}
	return secret, whose, nil
}

// useLink uses a link up inside a transaction and says whose it was: an officer's id. Of two that try at once, one succeeds.
func useLink(tx *gorm.DB, secret string, now time.Time) (officer string, err error) {
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
	return row.Officer, nil
}
