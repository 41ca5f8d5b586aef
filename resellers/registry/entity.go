package registry

import (
	"context"
	"errors"
	"fmt"
	"time"

	"gorm.io/gorm"

	"github.com/cipgate/cipgate/attestations/envelope"
)

// Entity is an enrolled entity as it stands now.
type Entity struct {
	Entity             envelope.Entity
	Name               string
	Country            string // ISO 3166-1 alpha-2
	Superior           envelope.Entity
	Contact            string
	ContactConfirmedAt time.Time // when the contact last confirmed that it is reached; zero if it never did
	LEI                string
	Tier               int
	Status             string // active or terminated; pending for what an enrolment that awaits approval will be
	JWKS               []byte // statement keys in force, a JWK Set
	Federation         []byte // federation keys in force, a JWK Set
	Configuration      string // the newest self-signed entity configuration, as it came
	EnrolledAt         time.Time
	EnrolledLeaf       int64
}

// Terminated says whether the relationship with the entity was ended.
func (e Entity) Terminated() bool { return e.Status == statusTerminated }

// Pending says whether the enrolment awaits an officer's approval.
func (e Entity) Pending() bool { return e.Status == statusPending }

const (
	statusActive     = "active"
	statusTerminated = "terminated"
	statusPending    = "pending" // stands in no row: an entity whose enrolment waits is none yet
)

type entityRow struct {
	ID                 []byte
	Entity             string
	Name               string
	Country            string
	Superior           string
	Contact            string
	ContactConfirmedAt int64
	LEI                string `gorm:"column:lei"`
	Tier               int
	Status             string
	Configuration      string
	Invitation         string
	EnrolledLeaf       int64
	EnrolledAt         int64
	TerminatedAt       int64
	KeyChanges         int // counts the keys-changed entries about it: each states which change it is
}

func (entityRow) TableName() string { return "registry_entities" }

func (row entityRow) toEntity() Entity {
	e := Entity{
		Entity: envelope.Entity(row.Entity), Name: row.Name, Country: row.Country,
		Superior: envelope.Entity(row.Superior), Contact: row.Contact, LEI: row.LEI, Tier: row.Tier,
		Status: row.Status, Configuration: row.Configuration,
		EnrolledAt: timeOf(row.EnrolledAt), EnrolledLeaf: row.EnrolledLeaf,
	}
	if row.ContactConfirmedAt != 0 {
		e.ContactConfirmedAt = timeOf(row.ContactConfirmedAt)
	}
	return e
}

// Entity returns the enrolled entity with this id, or ErrNotFound.
func (r *Registry) Entity(ctx context.Context, id envelope.ID) (Entity, error) {
	row, err := r.row(ctx, "id = ?", id[:])
	if err != nil {
		return Entity{}, err
	}
	return r.entity(ctx, row)
}

// row reads one entity's row, or ErrNotFound.
func (r *Registry) row(ctx context.Context, where string, value any) (entityRow, error) {
	var row entityRow
	err := r.db.WithContext(ctx).Where(where, value).Take(&row).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return row, ErrNotFound
	}
	if err != nil {
		return row, fmt.Errorf("looking up an entity: %w", err)
	}
	return row, nil
}

// entity adds to a row the keys in force and what the entity says of itself since.
func (r *Registry) entity(ctx context.Context, row entityRow) (Entity, error) {
	e := row.toEntity()
	now, id := r.now(), e.Entity.ID()
	spans, err := r.spans(ctx, id, now)
	if err != nil {
		return Entity{}, err
	}
	for purpose, into := range map[string]*[]byte{PurposeStatement: &e.JWKS, PurposeFederation: &e.Federation} {
		keys, err := setOf(inForce(spans, purpose, now))
		if err != nil {
			return Entity{}, fmt.Errorf("reading the %s keys of %s: %w", purpose, e.Entity, err)
		}
		*into = keys.Marshal()
	}
	var newer configurationRow
	err = r.db.WithContext(ctx).Where("entity_id = ?", id[:]).Take(&newer).Error
	switch {
	case err == nil:
		e.Configuration = newer.Configuration
	case !errors.Is(err, gorm.ErrRecordNotFound):
		return Entity{}, fmt.Errorf("looking up what an entity says of itself: %w", err)
	}
	return e, nil
}

// configurationRow is a self-signed configuration that came after the enrolment.
type configurationRow struct {
	EntityID      []byte
	Configuration string
	ReceivedAt    int64
}

func (configurationRow) TableName() string { return "registry_configurations" }
