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
	Entity        envelope.Entity
	Name          string
	Country       string // ISO 3166-1 alpha-2
	Superior      envelope.Entity
	Contact       string
	LEI           string
	Tier          int
	Status        string // active or terminated
	JWKS          []byte // statement keys, a JWK Set
	Federation    []byte // federation keys, a JWK Set
	Configuration string // the self-signed entity configuration, as it came
	EnrolledAt    time.Time
	EnrolledLeaf  int64
}

// Terminated says whether the relationship with the entity was ended.
func (e Entity) Terminated() bool { return e.Status == statusTerminated }

const (
	statusActive     = "active"
	statusTerminated = "terminated"
)

type entityRow struct {
	ID             []byte
	Entity         string
	Name           string
	Country        string
	Superior       string
	Contact        string
	LEI            string `gorm:"column:lei"`
	Tier           int
	Status         string
	JWKS           []byte `gorm:"column:jwks"`
	FederationJWKS []byte `gorm:"column:federation_jwks"`
	Configuration  string
	Invitation     string
	EnrolledLeaf   int64
	EnrolledAt     int64
	TerminatedAt   int64
}

func (entityRow) TableName() string { return "registry_entities" }

func (row entityRow) toEntity() Entity {
	return Entity{
		Entity: envelope.Entity(row.Entity), Name: row.Name, Country: row.Country,
		Superior: envelope.Entity(row.Superior), Contact: row.Contact, LEI: row.LEI, Tier: row.Tier,
		Status: row.Status, JWKS: row.JWKS, Federation: row.FederationJWKS, Configuration: row.Configuration,
		EnrolledAt: time.UnixMicro(row.EnrolledAt).UTC(), EnrolledLeaf: row.EnrolledLeaf,
	}
}

// Entity returns the enrolled entity with this id, or ErrNotFound.
func (r *Registry) Entity(ctx context.Context, id envelope.ID) (Entity, error) {
	var row entityRow
	err := r.db.WithContext(ctx).Where("id = ?", id[:]).Take(&row).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return Entity{}, ErrNotFound
	}
	if err != nil {
		return Entity{}, fmt.Errorf("looking up an entity: %w", err)
	}
	return row.toEntity(), nil
}
