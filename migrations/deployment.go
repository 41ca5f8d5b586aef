package migrations

import (
	"context"
	"errors"
	"fmt"
	"time"

	"gorm.io/gorm"
)

// Deployment is what a database was made for. Its identity never changes: a ledger belongs to one gateway,
// its checkpoints to one log key, and a sandbox never becomes real nor the other way round.
type Deployment struct {
	Entity  string // the gateway's entity identifier
	LogVkey string // verifier key of the log (C2SP signed-note)
	Sandbox bool
	Ahead   time.Duration // how far a sandbox's clock was moved
}

// ErrNew says that the database belongs to no gateway yet.
var ErrNew = errors.New("the database belongs to no gateway yet")

type deploymentRow struct {
	ID          int
	Entity      string
	LogVkey     string
	Sandbox     bool
	ClockOffset int64
}

func (deploymentRow) TableName() string { return "deployment" }

// FindDeployment returns what db was made for, or ErrNew.
func FindDeployment(ctx context.Context, db *gorm.DB) (Deployment, error) {
	var row deploymentRow
	err := db.WithContext(ctx).Where("id = 1").Take(&row).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return Deployment{}, ErrNew
	}
	if err != nil {
		return Deployment{}, fmt.Errorf("reading whose database this is: %w", err)
	}
	return Deployment{Entity: row.Entity, LogVkey: row.LogVkey, Sandbox: row.Sandbox,
		Ahead: time.Duration(row.ClockOffset) * time.Microsecond}, nil
}

// Claim records what a new database is for.
func Claim(ctx context.Context, db *gorm.DB, d Deployment) error {
	row := deploymentRow{ID: 1, Entity: d.Entity, LogVkey: d.LogVkey, Sandbox: d.Sandbox, ClockOffset: d.Ahead.Microseconds()}
	if err := db.WithContext(ctx).Create(&row).Error; err != nil {
		return fmt.Errorf("recording whose database this is: %w", err)
	}
	return nil
}

// MoveClock records how far a sandbox's clock was moved, so that it goes on from there after a restart.
func MoveClock(ctx context.Context, db *gorm.DB, ahead time.Duration) error {
	err := db.WithContext(ctx).Model(&deploymentRow{}).Where("id = 1 AND sandbox AND clock_offset < ?", ahead.Microseconds()).
		Update("clock_offset", ahead.Microseconds()).Error
	if err != nil {
		return fmt.Errorf("recording the sandbox's clock: %w", err)
	}
	return nil
}
