package auth

import (
	"context"
	"fmt"

	"github.com/go-json-experiment/json"
	"github.com/google/uuid"
	"gorm.io/gorm"

	"github.com/cipgate/cipgate/attestations/statement"
)

// Recorder puts what became of officers and their tokens on record in the ledger, about the gateway itself. The same jti again
// with the same words changes nothing.
type Recorder interface {
	RecordOfficer(ctx context.Context, jti string, said statement.OfficerAction) error
}

// recordRow is what waits to stand in the ledger. It is kept in one transaction with what it tells of, so that neither is without
// the other for longer than the ledger takes.
type recordRow struct {
	JTI    string `gorm:"primaryKey"`
	Said   string // an officer-action as JSON
	MadeAt int64
}

func (recordRow) TableName() string { return "auth_records" }

// RecordWith names who records. Without one, records wait. Call it before the first request.
func (a *Auth) RecordWith(recorder Recorder) { a.recorder = recorder }

// change changes something of officers or tokens together with what is to be recorded of it, and then has it recorded.
func (a *Auth) change(ctx context.Context, do func(tx *gorm.DB) ([]statement.OfficerAction, error)) error {
	err := a.db.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		said, err := do(tx)
		if err != nil {
			return err
		}
		return a.keepRecords(tx, said...)
	})
	if err != nil {
		return err
	}
	return a.Record(ctx)
}

func (a *Auth) keepRecords(tx *gorm.DB, said ...statement.OfficerAction) error {
	for _, one := range said {
		jti, err := uuid.NewV7()
		if err != nil {
			return fmt.Errorf("making a jti: %w", err)
		}
		text, err := json.Marshal(one)
		if err != nil {
			return fmt.Errorf("writing a record: %w", err)
		}
		if err := tx.Create(&recordRow{JTI: jti.String(), Said: string(text), MadeAt: a.now().UnixMicro()}).Error; err != nil {
			return fmt.Errorf("keeping a record: %w", err)
		}
	}
	return nil
}

// recordPage is how many records are read at once.
const recordPage = 100

// Record has recorded in the ledger what still waits for it, such as after the process was killed.
func (a *Auth) Record(ctx context.Context) error {
	for a.recorder != nil {
		var rows []recordRow
		if err := a.db.WithContext(ctx).Order("made_at, jti").Limit(recordPage).Find(&rows).Error; err != nil {
			return fmt.Errorf("reading what is to be recorded of officers: %w", err)
		}
		if len(rows) == 0 {
			break
		}
		for _, row := range rows {
			var said statement.OfficerAction
			if err := json.Unmarshal([]byte(row.Said), &said); err != nil {
				return fmt.Errorf("reading a record of an officer: %w", err)
			}
			if err := a.recorder.RecordOfficer(ctx, row.JTI, said); err != nil {
				return err
			}
			if err := a.db.WithContext(ctx).Where("jti = ?", row.JTI).Delete(&recordRow{}).Error; err != nil {
				return fmt.Errorf("clearing a record that stands in the ledger: %w", err)
			}
		}
	}
	return nil
}

// about is an action about the account of an officer. The recorder says which gateway it is of. A mail address is never in it.
func (a *Auth) about(by statement.Officer, action string, row officerRow, reason string, details ...statement.Field) statement.OfficerAction {
	return statement.OfficerAction{Officer: by, Action: action, Reason: reason, On: statement.Target{Type: "gateway"},
		Details: append([]statement.Field{{Name: "officer", Value: row.ID}, {Name: "name", Value: row.Name}}, details...)}
}
