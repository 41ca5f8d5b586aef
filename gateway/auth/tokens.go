package auth

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/gateway/problem"
)

// TokenLife is how long an API token may be used if nobody says otherwise, and MaxTokenLife how long at most.
const (
	TokenLife    = 90 * 24 * time.Hour
	MaxTokenLife = 400 * 24 * time.Hour
)

// Token is an API token as it is listed: never the secret.
type Token struct {
	Label     string // its name; one that was used is not used again
	Officer   string // id of whom it is bound to
	CreatedAt time.Time
	ExpiresAt time.Time // zero: never, which only the first token of a gateway is
	RevokedAt time.Time // zero if it was not
}

type tokenRow struct {
	Hash      []byte
	Label     string
	Officer   string
	CreatedAt int64 `gorm:"autoCreateTime:false"`
	ExpiresAt int64 // zero: never
	RevokedAt int64
}

func (tokenRow) TableName() string { return "auth_tokens" }

func (row tokenRow) toToken() Token {
	return Token{Label: row.Label, Officer: row.Officer, CreatedAt: timeOf(row.CreatedAt), ExpiresAt: timeOf(row.ExpiresAt), RevokedAt: timeOf(row.RevokedAt)}
}

// EnsureToken makes the API token of this label unless there is one, and the administrator of this name that it is bound to. made
// says whether it did; only then is keep called with the token, which is told this once. If keep fails the token is not made: one
// that nobody has would lock everybody out.
func (a *Auth) EnsureToken(ctx context.Context, label string, keep func(token string) error) (made bool, err error) {
	token, digest, err := newSecret()
	if err != nil {
		return false, err
	}
	now := a.now().UnixMicro()
	officer := officerRow{ID: strings.ReplaceAll(label, " ", "-"), Name: label, NameKey: keyOf(label), Role: string(Administrator), CreatedAt: now}
	row := tokenRow{Hash: digest, Label: label, Officer: officer.ID, CreatedAt: now}
	err = a.change(ctx, func(tx *gorm.DB) ([]statement.OfficerAction, error) {
		// Of several processes that start at once, one makes the token.
		done := tx.Clauses(clause.OnConflict{DoNothing: true}).Create(&row)
		if done.Error != nil || done.RowsAffected == 0 {
			return nil, done.Error
		}
		added := tx.Clauses(clause.OnConflict{DoNothing: true}).Create(&officer)
		if added.Error != nil {
			return nil, added.Error
		}
		made = true
		if err := keep(token); err != nil || added.RowsAffected == 0 {
			return nil, err
		}
		return []statement.OfficerAction{a.about(officer.toOfficer().Stated(), "officer.added", officer,
			"The first account of the gateway, with an API token of every role.", statement.Field{Name: "role", Value: officer.Role})}, nil
	})
	if err != nil {
		return false, fmt.Errorf("making the API token %q: %w", label, err)
	}
	return made, nil
}

// CreateToken makes an API token for an officer, by name or id, and returns its secret, which is told this once. life is how long
// it may be used, TokenLife if zero. Errors wrap problem.ErrNoSuchOfficer, problem.ErrRequest or problem.ErrOfficer.
func (a *Auth) CreateToken(ctx context.Context, by statement.Officer, name, label string, life time.Duration) (secret string, made Token, err error) {
	if life, err = lifeOf(life); err != nil {
		return "", made, err
	}
	if label != strings.Join(strings.Fields(label), " ") || label == "" || len(label) > 100 || strings.ContainsFunc(label, unicode.IsControl) {
		return "", made, fmt.Errorf("%w: label: wanted one line of 1 to 100 bytes, by which the token is known", problem.ErrRequest)
	}
	secret, digest, err := newSecret()
	if err != nil {
		return "", made, err
	}
	err = a.change(ctx, func(tx *gorm.DB) ([]statement.OfficerAction, error) {
		whose, err := findOfficer(tx, name)
		if err != nil {
			return nil, err
		}
		if whose.DisabledAt != 0 {
			return nil, fmt.Errorf("%w: %s is disabled. Enable the account first", problem.ErrOfficer, whose.Name)
		}
		now := a.now()
		row := tokenRow{Hash: digest, Label: label, Officer: whose.ID, CreatedAt: now.UnixMicro(), ExpiresAt: now.Add(life).UnixMicro()}
		done := tx.Clauses(clause.OnConflict{DoNothing: true}).Create(&row)
		if done.Error != nil {
			return nil, fmt.Errorf("keeping an API token: %w", done.Error)
		}
		if done.RowsAffected == 0 {
			return nil, fmt.Errorf("%w: label: a token had this name before. Choose another: a name once used says in the ledger which token it was", problem.ErrOfficer)
		}
		made = row.toToken()
		return []statement.OfficerAction{a.about(by, "token.created", whose, "An API token was made.", statement.Field{Name: "token", Value: label},
			statement.Field{Name: "expires_at", Value: made.ExpiresAt.Format(time.RFC3339)})}, nil
	})
	if err != nil {
		return "", Token{}, err
	}
	return secret, made, nil
}

// maxTokens is how many tokens are listed, the newest first.
const maxTokens = 1000

// Tokens lists the API tokens, the newest first, those that ended too; those of one officer if id is not empty.
func (a *Auth) Tokens(ctx context.Context, officer string) ([]Token, error) {
	query := a.db.WithContext(ctx).Order("created_at DESC, label").Limit(maxTokens)
	if officer != "" {
		query = query.Where("officer = ?", officer)
	}
	var rows []tokenRow
	if err := query.Find(&rows).Error; err != nil {
		return nil, fmt.Errorf("listing API tokens: %w", err)
	}
	tokens := make([]Token, len(rows))
	for i, row := range rows {
		tokens[i] = row.toToken()
	}
	return tokens, nil
}

// RevokeToken ends an API token at once. Errors wrap problem.ErrNoSuchOfficer, problem.ErrRequest or problem.ErrOfficer.
func (a *Auth) RevokeToken(ctx context.Context, by statement.Officer, label, reason string) (revoked Token, err error) {
	if err := checkReason(reason); err != nil {
		return Token{}, err
	}
	err = a.change(ctx, func(tx *gorm.DB) ([]statement.OfficerAction, error) {
		row, err := findToken(tx, label)
		if err != nil {
			return nil, err
		}
		done := tx.Model(&tokenRow{}).Where("label = ? AND revoked_at = 0", label).Update("revoked_at", a.now().UnixMicro())
		if done.Error != nil {
			return nil, fmt.Errorf("revoking an API token: %w", done.Error)
		}
		if done.RowsAffected == 0 {
			return nil, fmt.Errorf("%w: this token was revoked at %s already", problem.ErrOfficer, timeOf(row.RevokedAt).Format(time.RFC3339))
		}
		row.RevokedAt = a.now().UnixMicro()
		revoked = row.toToken()
		whose, err := findOfficer(tx, row.Officer)
		if err != nil {
			return nil, err
		}
		return []statement.OfficerAction{a.about(by, "token.revoked", whose, reason, statement.Field{Name: "token", Value: label})}, nil
	})
	return revoked, err
}

// ExtendToken lets an API token last until life from now, also one that has expired: whoever holds it goes on with it. Errors wrap
// problem.ErrNoSuchOfficer, problem.ErrRequest or problem.ErrOfficer.
func (a *Auth) ExtendToken(ctx context.Context, by statement.Officer, label string, life time.Duration, reason string) (extended Token, err error) {
	if err := checkReason(reason); err != nil {
		return Token{}, err
	}
	if life, err = lifeOf(life); err != nil {
		return Token{}, err
	}
	err = a.change(ctx, func(tx *gorm.DB) ([]statement.OfficerAction, error) {
		row, err := findToken(tx, label)
		if err != nil {
			return nil, err
		}
		until := a.now().Add(life)
		switch {
		case row.RevokedAt != 0:
			return nil, fmt.Errorf("%w: this token was revoked at %s, and stays so. Make another: cipgate token create", problem.ErrOfficer, timeOf(row.RevokedAt).Format(time.RFC3339))
		case row.ExpiresAt == 0:
			return nil, fmt.Errorf("%w: this token does not expire", problem.ErrOfficer)
		case until.UnixMicro() <= row.ExpiresAt:
			return nil, fmt.Errorf("%w: expires_in: wanted a later end than this token has, %s. End it sooner: cipgate token revoke", problem.ErrOfficer, timeOf(row.ExpiresAt).Format(time.RFC3339))
		}
		done := tx.Model(&tokenRow{}).Where("label = ? AND revoked_at = 0", label).Update("expires_at", until.UnixMicro())
		if done.Error != nil {
			return nil, fmt.Errorf("extending an API token: %w", done.Error)
		}
		if done.RowsAffected == 0 {
			return nil, fmt.Errorf("%w: this token was revoked just now, and stays so", problem.ErrOfficer)
		}
		row.ExpiresAt = until.UnixMicro()
		extended = row.toToken()
		whose, err := findOfficer(tx, row.Officer)
		if err != nil {
			return nil, err
		}
		return []statement.OfficerAction{a.about(by, "token.extended", whose, reason, statement.Field{Name: "token", Value: label},
			statement.Field{Name: "expires_at", Value: extended.ExpiresAt.Format(time.RFC3339)})}, nil
	})
	return extended, err
}

// lifeOf is how long a token may be used: as long as is asked for.
func lifeOf(asked time.Duration) (time.Duration, error) {
	if asked == 0 {
		asked = TokenLife
	}
	if asked < time.Minute || asked > MaxTokenLife {
		return 0, fmt.Errorf("%w: expires_in: wanted a time from a minute to %d days", problem.ErrRequest, MaxTokenLife/(24*time.Hour))
	}
	return asked, nil
}

func findToken(tx *gorm.DB, label string) (row tokenRow, err error) {
	err = tx.Where("label = ?", label).Take(&row).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return row, fmt.Errorf("%w: wanted the label of an API token. `cipgate token list` names them", problem.ErrNoSuchOfficer)
	}
	if err != nil {
		return row, fmt.Errorf("looking for an API token: %w", err)
	}
	return row, nil
}

// CheckToken says whose API token this is; ok is false if it is nobody's.
func (a *Auth) CheckToken(ctx context.Context, token string) (person string, ok bool) {
	holder, _, err := a.tokenHolder(a.db.WithContext(ctx), token)
	return holder.Name, err == nil
}

// errUnknown says that a secret is nobody's, or no longer. It does not leave the package.
var errUnknown = errors.New("unknown secret")

// tokenHolder says whose a token is, and its label.
func (a *Auth) tokenHolder(db *gorm.DB, token string) (holder Officer, label string, err error) {
	var row tokenRow
	err = db.Where("hash = ? AND revoked_at = 0 AND (expires_at = 0 OR expires_at > ?)", digestOf(token), a.now().UnixMicro()).Take(&row).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return Officer{}, "", errUnknown
	}
	if err != nil {
		return Officer{}, "", fmt.Errorf("looking up an API token: %w", err)
	}
	holder, err = enabled(db, row.Officer)
	return holder, row.Label, err
}

// enabled returns the officer with this id if it may come in, else errUnknown.
func enabled(db *gorm.DB, id string) (Officer, error) {
	var row officerRow
	err := db.Where("id = ? AND disabled_at = 0", id).Take(&row).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return Officer{}, errUnknown
	}
	if err != nil {
		return Officer{}, fmt.Errorf("looking up an officer: %w", err)
	}
	return row.toOfficer(), nil
}
