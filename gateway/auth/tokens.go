package auth

import (
	"context"
	"errors"
	"fmt"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"
)

type tokenRow struct {
	Hash      []byte
	Label     string
	CreatedAt int64 `gorm:"autoCreateTime:false"`
}

func (tokenRow) TableName() string { return "auth_tokens" }

// EnsureToken makes the API token of this label unless there is one. made says whether it did; only then is keep
// called with the token, which is told this once. If keep fails the token is not made: one that nobody has would
// lock everybody out. Whoever shows the token acts under the label's name.
func (a *Auth) EnsureToken(ctx context.Context, label string, keep func(token string) error) (made bool, err error) {
	token, digest, err := newSecret()
	if err != nil {
		return false, err
	}
	row := tokenRow{Hash: digest, Label: label, CreatedAt: a.now().UnixMicro()}
	err = a.db.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		// Of several processes that start at once, one makes the token.
		done := tx.Clauses(clause.OnConflict{DoNothing: true}).Create(&row)
		if done.Error != nil || done.RowsAffected == 0 {
			return done.Error
		}
		made = true
		return keep(token)
	})
	if err != nil {
		return false, fmt.Errorf("making the API token %q: %w", label, err)
	}
	return made, nil
}

// CheckToken says whose API token this is; ok is false if it is nobody's.
func (a *Auth) CheckToken(ctx context.Context, token string) (person string, ok bool) {
	person, err := tokenHolder(a.db.WithContext(ctx), token)
	return person, err == nil
}

// errUnknown says that a secret is nobody's, or no longer. It does not leave the package.
var errUnknown = errors.New("unknown secret")

func tokenHolder(db *gorm.DB, token string) (string, error) {
	var row tokenRow
	err := db.Where("hash = ?", digestOf(token)).Take(&row).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return "", errUnknown
	}
	if err != nil {
		return "", fmt.Errorf("looking up an API token: %w", err)
	}
	return row.Label, nil
}
