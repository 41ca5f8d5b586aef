package auth

import (
	"context"
	"errors"
	"fmt"
	"net/mail"
	"strings"
	"time"
	"unicode"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/gateway/problem"
)

// Officer is a person at the provider, or one of its systems.
type Officer struct {
	ID         string // stands in the ledger and never changes
	Name       string
	Mail       string // may be empty; never in the ledger
	Role       Role
	CreatedAt  time.Time
	DisabledAt time.Time // zero if it may come in
}

// Stated is the officer as it stands in the ledger.
func (o Officer) Stated() statement.Officer { return statement.Officer{ID: o.ID, Name: o.Name} }

type officerRow struct {
	ID         string `gorm:"primaryKey"`
	Name       string
	NameKey    string // one person has one account: no two names differ by their case alone
	Mail       string
	MailKey    string
	Role       string
	CreatedAt  int64 `gorm:"autoCreateTime:false"`
	DisabledAt int64
}

func (officerRow) TableName() string { return "auth_officers" }

func (row officerRow) toOfficer() Officer {
	return Officer{ID: row.ID, Name: row.Name, Mail: row.Mail, Role: Role(row.Role), CreatedAt: timeOf(row.CreatedAt), DisabledAt: timeOf(row.DisabledAt)}
}

// timeOf is the time of microseconds, zero for none.
func timeOf(micros int64) time.Time {
	if micros == 0 {
		return time.Time{}
	}
	return time.UnixMicro(micros).UTC()
}

// maxOfficers is how many officers a gateway may have, those that were disabled counted.
const maxOfficers = 1000

// Officers lists the officers by name, those that were disabled too.
func (a *Auth) Officers(ctx context.Context) ([]Officer, error) {
	var rows []officerRow
	if err := a.db.WithContext(ctx).Order("name_key").Limit(maxOfficers).Find(&rows).Error; err != nil {
		return nil, fmt.Errorf("listing officers: %w", err)
	}
	officers := make([]Officer, len(rows))
	for i, row := range rows {
		officers[i] = row.toOfficer()
	}
	return officers, nil
}

// Find returns the officer with this id or name. Errors wrap problem.ErrNoSuchOfficer.
func (a *Auth) Find(ctx context.Context, name string) (Officer, error) {
	row, err := findOfficer(a.db.WithContext(ctx), name)
	return row.toOfficer(), err
}

// findOfficer looks for an id before a name that looks the same.
func findOfficer(db *gorm.DB, name string) (officerRow, error) {
	var rows []officerRow
	err := db.Where("id = ? OR name_key = ?", name, keyOf(name)).Order("name_key").Limit(2).Find(&rows).Error
	if err != nil {
		return officerRow{}, fmt.Errorf("looking for an officer: %w", err)
	}
	for _, row := range rows {
		if row.ID == name || len(rows) == 1 {
			return row, nil
		}
	}
	return officerRow{}, fmt.Errorf("%w: wanted the name or the id of an officer. `cipgate officer list` names them", problem.ErrNoSuchOfficer)
}

// Add makes an officer. Errors wrap problem.ErrRequest or problem.ErrOfficer.
func (a *Auth) Add(ctx context.Context, by statement.Officer, added Officer) (Officer, error) {
	row, err := rowOf(added)
	if err != nil {
		return Officer{}, err
	}
	if row.ID, err = newOfficerID(row.Name); err != nil {
		return Officer{}, err
	}
	row.CreatedAt = a.now().UnixMicro()
	err = a.change(ctx, func(tx *gorm.DB) ([]statement.OfficerAction, error) {
		var count int64
		if err := tx.Model(&officerRow{}).Count(&count).Error; err != nil {
			return nil, fmt.Errorf("counting officers: %w", err)
		}
		if count >= maxOfficers {
			return nil, fmt.Errorf("%w: wanted at most %d officers, there are as many", problem.ErrOfficer, maxOfficers)
		}
		// An id ends in so much chance that only a name or an address can be the same.
		made := tx.Clauses(clause.OnConflict{DoNothing: true}).Create(&row)
		if made.Error != nil {
			return nil, fmt.Errorf("keeping an officer: %w", made.Error)
		}
		if made.RowsAffected == 0 {
			return nil, fmt.Errorf("%w: an officer has this name or mail address already. One person has one account: change it, or enable it again", problem.ErrOfficer)
		}
		return []statement.OfficerAction{a.about(by, "officer.added", row, "An account was made.", statement.Field{Name: "role", Value: row.Role})}, nil
	})
	return row.toOfficer(), err
}

// rowOf checks what is said of a new officer.
func rowOf(o Officer) (officerRow, error) {
	name := strings.Join(strings.Fields(o.Name), " ")
	if name == "" || len(name) > 200 || strings.ContainsFunc(name, unicode.IsControl) {
		return officerRow{}, fmt.Errorf("%w: name: wanted one line of at most 200 bytes", problem.ErrRequest)
	}
	if _, err := ParseRole(string(o.Role)); err != nil {
		return officerRow{}, err
	}
	address, err := addressOf(o.Mail)
	if err != nil {
		return officerRow{}, err
	}
	return officerRow{Name: name, NameKey: keyOf(name), Mail: address, MailKey: keyOf(address), Role: string(o.Role)}, nil
}

func addressOf(text string) (string, error) {
	if text == "" {
		return "", nil
	}
	parsed, err := mail.ParseAddress(text)
	if err != nil || parsed.Name != "" || len(text) > 254 { // RFC 5321, section 4.5.3.1.3, as erratum 1690 corrects it
		return "", fmt.Errorf("%w: mail: wanted one mail address alone, such as mara@provider.example", problem.ErrRequest)
	}
	return parsed.Address, nil
}

func keyOf(text string) string { return strings.ToLower(strings.Join(strings.Fields(text), " ")) }

// newOfficerID makes an id that a reader of the ledger recognises and that nobody had before.
func newOfficerID(name string) (string, error) {
	secret, _, err := newSecret()
	if err != nil {
		return "", err
	}
	readable := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z' || r >= '0' && r <= '9':
			return r
		case r == ' ' || r == '-':
			return '-'
		}
		return -1
	}, keyOf(name))
	return strings.Trim(readable, "-") + "-" + secret[:10], nil
}

// Change is what becomes of an officer; empty members stay as they are.
type Change struct {
	Role   Role
	Mail   string
	Reason string
}

// Change gives an officer another role or mail address, from its next request on. Errors wrap problem.ErrNoSuchOfficer,
// problem.ErrRequest or problem.ErrOfficer.
func (a *Auth) Change(ctx context.Context, by statement.Officer, name string, said Change) (Officer, error) {
	address, err := addressOf(said.Mail)
	if err != nil {
		return Officer{}, err
	}
	if said.Role == "" && address == "" {
		return Officer{}, fmt.Errorf("%w: wanted a role or a mail address, got neither", problem.ErrRequest)
	}
	if said.Role != "" {
		if _, err := ParseRole(string(said.Role)); err != nil {
			return Officer{}, err
		}
	}
	return a.alter(ctx, by, name, "officer.changed", said.Reason, func(row *officerRow) error {
		if said.Role != "" {
			row.Role = string(said.Role)
		}
		if address != "" {
			row.Mail, row.MailKey = address, keyOf(address)
		}
		return nil
	})
}

// Disable shuts an officer out from its next request on: its tokens, links and sessions end. Errors are those of Change.
func (a *Auth) Disable(ctx context.Context, by statement.Officer, name, reason string) (Officer, error) {
	return a.alter(ctx, by, name, "officer.disabled", reason, func(row *officerRow) error {
		if row.DisabledAt != 0 {
			return fmt.Errorf("%w: %s was disabled at %s already", problem.ErrOfficer, row.Name, timeOf(row.DisabledAt).Format(time.RFC3339))
		}
		row.DisabledAt = a.now().UnixMicro()
		return nil
	})
}

// Enable lets an officer in again who was disabled: by a new link, or by its tokens that were not revoked. Errors are those of Change.
func (a *Auth) Enable(ctx context.Context, by statement.Officer, name, reason string) (Officer, error) {
	return a.alter(ctx, by, name, "officer.enabled", reason, func(row *officerRow) error {
		if row.DisabledAt == 0 {
			return fmt.Errorf("%w: %s is not disabled", problem.ErrOfficer, row.Name)
		}
		row.DisabledAt = 0
		return nil
	})
}

// alter changes an officer in one transaction with what is recorded of it.
func (a *Auth) alter(ctx context.Context, by statement.Officer, name, action, reason string, change func(*officerRow) error) (Officer, error) {
	var row officerRow
	err := a.change(ctx, func(tx *gorm.DB) ([]statement.OfficerAction, error) {
		if err := checkReason(reason); err != nil {
			return nil, err
		}
		// Of two administrators who shut each other out at the same time, one must stay.
		administrators, err := lockAdministrators(tx)
		if err != nil {
			return nil, err
		}
		if row, err = findOfficer(tx, name); err != nil {
			return nil, err
		}
		was := row
		if err := change(&row); err != nil {
			return nil, err
		}
		if len(administrators) == 1 && administrators[0].ID == row.ID && (row.DisabledAt != 0 || row.Role != string(Administrator)) {
			return nil, fmt.Errorf("%w: %s is the last administrator, and without one nobody could be let in. Make another officer an administrator first", problem.ErrOfficer, row.Name)
		}
		changed := tx.Model(&officerRow{}).Where("id = ?", row.ID).Select("mail", "mail_key", "role", "disabled_at").Updates(row)
		if errors.Is(changed.Error, gorm.ErrDuplicatedKey) {
			return nil, fmt.Errorf("%w: another officer has this mail address. One person has one account", problem.ErrOfficer)
		}
		if changed.Error != nil {
			return nil, fmt.Errorf("changing an officer: %w", changed.Error)
		}
		if row.DisabledAt != 0 {
			if err := endAccess(tx, row.ID); err != nil {
				return nil, err
			}
		}
		details := []statement.Field{{Name: "role", Value: row.Role}}
		if was.Role != row.Role {
			details = append(details, statement.Field{Name: "role_before", Value: was.Role})
		}
		if was.Mail != row.Mail {
			details = append(details, statement.Field{Name: "mail", Value: "changed"})
		}
		return []statement.OfficerAction{a.about(by, action, row, reason, details...)}, nil
	})
	return row.toOfficer(), err
}

// lockAdministrators reads the administrators who may come in and holds them until the transaction ends.
func lockAdministrators(tx *gorm.DB) ([]officerRow, error) {
	var rows []officerRow
	err := tx.Clauses(clause.Locking{Strength: "UPDATE"}).Where("role = ? AND disabled_at = 0", string(Administrator)).Order("id").Limit(maxOfficers).Find(&rows).Error
	if err != nil {
		return nil, fmt.Errorf("reading the administrators: %w", err)
	}
	return rows, nil
}

// endAccess ends links and sessions. Tokens are looked at beside their officer, and come back with it.
func endAccess(tx *gorm.DB, officer string) error {
	if err := tx.Where("officer = ?", officer).Delete(&linkRow{}).Error; err != nil {
		return fmt.Errorf("ending sign-in links: %w", err)
	}
	if err := tx.Where("officer = ?", officer).Delete(&sessionRow{}).Error; err != nil {
		return fmt.Errorf("ending sessions: %w", err)
	}
	return nil
}

func checkReason(reason string) error {
	if strings.TrimSpace(reason) == "" || len(reason) > 8000 {
		return fmt.Errorf("%w: reason: wanted 1 to 8000 bytes, why this is done; it stands in the ledger", problem.ErrRequest)
	}
	return nil
}
