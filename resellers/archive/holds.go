package archive

import (
	"context"
	"fmt"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/statement"
)

// What officers do about records, as it stands in their officer-action.
const (
	actionHold    = "legal-hold.placed"
	actionRelease = "legal-hold.released"
	actionErase   = "records.erased"
)

// Hold keeps records from being erased: a court, an authority or a dispute needs them.
type Hold struct {
	ID         string
	Customer   string // the reseller's opaque id; empty: everything of the reseller
	Officer    string
	Reason     string
	PlacedAt   time.Time
	EndsAt     time.Time // zero: when it is released
	ReleasedAt time.Time // zero if it was not
}

// Holds says whether it keeps something from being erased at now.
func (h Hold) holds(customer string, now time.Time) bool {
	return h.ReleasedAt.IsZero() && (h.EndsAt.IsZero() || now.Before(h.EndsAt)) && (h.Customer == "" || h.Customer == customer)
}

type holdRow struct {
	ID         string `gorm:"primaryKey"`
	EntityID   []byte
	Customer   string
	Officer    string
	Reason     string
	PlacedAt   int64
	EndsAt     int64
	ReleasedAt int64
}

func (holdRow) TableName() string { return "archive_holds" }

func (row holdRow) toHold() Hold {
	at := func(micros int64) time.Time {
		if micros == 0 {
			return time.Time{}
		}
		return time.UnixMicro(micros).UTC()
	}
	return Hold{ID: row.ID, Customer: row.Customer, Officer: row.Officer, Reason: row.Reason,
		PlacedAt: at(row.PlacedAt), EndsAt: at(row.EndsAt), ReleasedAt: at(row.ReleasedAt)}
}

// maxHolds is how many holds one reseller may have, released ones counted.
const maxHolds = 1000

// Holds lists the legal holds on a reseller's records, in the order in which they were placed, those that ended too.
func (a *Archive) Holds(ctx context.Context, id envelope.ID) ([]Hold, error) {
	var rows []holdRow
	if err := a.DB.WithContext(ctx).Where("entity_id = ?", id[:]).Order("id").Limit(maxHolds).Find(&rows).Error; err != nil {
		return nil, fmt.Errorf("listing legal holds: %w", err)
	}
	holds := make([]Hold, len(rows))
	for i, row := range rows {
		holds[i] = row.toHold()
	}
	return holds, nil
}

// Place keeps a reseller's records, or those of one customer, from being erased until the hold is released or ends. It
// returns the hold's id. Errors wrap ErrRefused, or docket.ErrNotFound if there is no such reseller.
func (a *Archive) Place(ctx context.Context, by statement.Officer, id envelope.ID, customer, reason string, endsAt time.Time) (string, error) {
	file, err := a.Docket.Open(ctx, id)
	if err != nil {
		return "", err
	}
	if !endsAt.IsZero() && !endsAt.After(a.Now()) {
		return "", refused("ends_at: wanted a time to come, or none for a hold that stands until it is released, got %s", endsAt.UTC().Format(time.RFC3339))
	}
	known, err := a.Holds(ctx, id)
	if err != nil {
		return "", err
	}
	if len(known) == maxHolds {
		return "", refused("wanted at most %d legal holds on one reseller, there are as many. Place one on the reseller as a whole", maxHolds)
	}
	jti, err := newJTI()
	if err != nil {
		return "", err
	}
	said := statement.OfficerAction{Officer: by, Action: actionHold, On: target(file.Entity, customer), Reason: reason, EndsAt: endsAt.UTC().Truncate(time.Second)}
	if err := a.state(ctx, file.Entity, jti, said); err != nil {
		return "", err
	}
	return jti, a.CatchUp(ctx)
}

// Release ends a hold. Errors wrap ErrNotFound or ErrRefused.
func (a *Archive) Release(ctx context.Context, by statement.Officer, id envelope.ID, hold, reason string) error {
	file, err := a.Docket.Open(ctx, id)
	if err != nil {
		return err
	}
	known, err := a.Holds(ctx, id)
	if err != nil {
		return err
	}
	for _, one := range known {
		if one.ID != hold {
			continue
		}
		if !one.ReleasedAt.IsZero() {
			return refused("the hold %s was released at %s already", hold, one.ReleasedAt.Format(time.RFC3339))
		}
		jti, err := newJTI()
		if err != nil {
			return err
		}
		said := statement.OfficerAction{Officer: by, Action: actionRelease, On: target(file.Entity, one.Customer), Reason: reason,
			Details: []statement.Field{{Name: "hold", Value: hold}}}
		if err := a.state(ctx, file.Entity, jti, said); err != nil {
			return err
		}
		return a.CatchUp(ctx)
	}
	return fmt.Errorf("%w: hold %.64q of this reseller", ErrNotFound, hold)
}

func target(entity envelope.Entity, customer string) statement.Target {
	if customer == "" {
		return statement.Target{Type: "reseller", ID: string(entity)}
	}
	return statement.Target{Type: "customer", ID: customer}
}

// foldHold notes what an officer-action says about holds; others change nothing.
func foldHold(tx *gorm.DB, e statement.Entry, said statement.OfficerAction) error {
	switch said.Action {
	case actionHold:
		id := e.About.ID()
		row := holdRow{ID: e.JTI, EntityID: id[:], Officer: said.Officer.Name, Reason: said.Reason, PlacedAt: e.AcceptedAt.UnixMicro()}
		if said.On.Type == "customer" {
			row.Customer = said.On.ID
		}
		if !said.EndsAt.IsZero() {
			row.EndsAt = said.EndsAt.UnixMicro()
		}
		return tx.Clauses(clause.OnConflict{DoNothing: true}).Create(&row).Error
	case actionRelease:
		for _, detail := range said.Details {
			if detail.Name == "hold" {
				return tx.Model(&holdRow{}).Where("id = ? AND released_at = 0", detail.Value).Update("released_at", e.AcceptedAt.UnixMicro()).Error
			}
		}
	}
	return nil
}
