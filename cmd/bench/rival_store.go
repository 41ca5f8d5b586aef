package main

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/libtnb/sqlite"
	"gorm.io/driver/postgres"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"
	"gorm.io/gorm/logger"
)

// The rival's pool on PostgreSQL, as GORM's own documentation sets one up (gorm.io/docs/generic_interface.html).
const (
	documentedConnections = 100
	documentedIdle        = 10
)

// tunedConnections is the pool of the tuned rival, for each core. With 64 clients on 2 cores 4, 8, 12 and 16 connections were about as fast as
// each other; 64 were half as fast on one day and as fast on another.
const tunedConnections = 4

// rivalStore keeps submissions in one table, one transaction each, and who may send them in another.
type rivalStore struct {
	db *gorm.DB
}

// rivalReseller is read anew for each submission: another process may have terminated the relationship or changed the keys meanwhile.
type rivalReseller struct {
	Entity     string `gorm:"primaryKey"`
	Terminated bool
	JWKS       string `gorm:"column:jwks"` // of the keys in force
}

func (rivalReseller) TableName() string { return "rival_resellers" }

type rivalRow struct {
	ID         int64 `gorm:"primaryKey"`
	Issuer     string
	JTI        string `gorm:"column:jti"`
	Kind       string
	IssuedAt   time.Time
	AcceptedAt time.Time
	Digest     []byte
	Body       []byte
}

func (rivalRow) TableName() string { return "rival_entries" }

// rivalTables are %s for what the stores call differently: the id, the times, the bytes.
const rivalTables = `CREATE TABLE rival_entries (
	id %[1]s, issuer text NOT NULL, jti text NOT NULL, kind text NOT NULL, issued_at %[2]s NOT NULL, accepted_at %[2]s NOT NULL,
	digest %[3]s NOT NULL, body %[3]s NOT NULL, UNIQUE (issuer, jti))`

const rivalResellers = "CREATE TABLE rival_resellers (entity text PRIMARY KEY, terminated boolean NOT NULL, jwks text NOT NULL)"

// openRivalStore opens a database with as many connections as are given; 0 for the documented pool.
func openRivalStore(ctx context.Context, database string, connections int) (*rivalStore, error) {
	// pgx keeps statements prepared by itself, for less than GORM does: with PrepareStmt the database works a fifth more.
	config, idle := &gorm.Config{Logger: logger.Discard}, connections
	if connections == 0 {
		connections, idle = documentedConnections, documentedIdle
	}
	dialector, tables := postgres.Open(database), fmt.Sprintf(rivalTables, "bigserial PRIMARY KEY", "timestamptz", "bytea")
	if !strings.HasPrefix(database, "postgres") {
		// One connection writes: SQLite has one writer, and those who wait for it queue in the pool instead of polling.
		config.PrepareStmt, connections, idle = true, 1, 1
		dialector = sqlite.Open("file:" + (&url.URL{Path: database}).EscapedPath() +
			"?_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_pragma=busy_timeout(10000)&_txlock=immediate")
		tables = fmt.Sprintf(rivalTables, "INTEGER PRIMARY KEY AUTOINCREMENT", "TIMESTAMP", "BLOB")
	}
	db, err := gorm.Open(dialector, config)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", database, err)
	}
	s := &rivalStore{db: db}
	pool, err := db.DB()
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", database, err)
	}
	pool.SetMaxOpenConns(connections)
	pool.SetMaxIdleConns(idle)
	for _, statement := range []string{tables, rivalResellers, "CREATE INDEX rival_entries_digest ON rival_entries (digest)"} {
		if err := db.WithContext(ctx).Exec(statement).Error; err != nil {
			s.close()
			return nil, fmt.Errorf("make the rival's tables: %w", err)
		}
	}
	return s, nil
}

func (s *rivalStore) close() {
	if pool, err := s.db.DB(); err == nil {
		_ = pool.Close() // everything acknowledged is committed
	}
}

// enrol keeps who may send.
func (s *rivalStore) enrol(ctx context.Context, resellers []rivalReseller) error {
	if err := s.db.WithContext(ctx).CreateInBatches(resellers, 100).Error; err != nil {
		return fmt.Errorf("enrol the resellers: %w", err)
	}
	return nil
}

// errStands rolls the transaction back when nothing is to be written.
var errStands = errors.New("stands already")

// reseller reads an issuer's row; nil if nobody enrolled it. It is read before the transaction, not in it, which is a little faster: no
// connection is held while the signature is checked.
func (s *rivalStore) reseller(ctx context.Context, issuer string) (*rivalReseller, error) {
	found := &rivalReseller{}
	switch query := s.db.WithContext(ctx).Limit(1).Find(found, "entity = ?", issuer); {
	case query.Error != nil:
		return nil, fmt.Errorf("read the reseller: %w", query.Error)
	case query.RowsAffected == 0:
		return nil, nil
	}
	return found, nil
}

// add stores a submission in a transaction of its own, and returns the digest of what stands under its jti once that is on disk.
func (s *rivalStore) add(ctx context.Context, r rivalSubmission) (digest string, refusal *rivalRefusal, err error) {
	row := rivalRow{Issuer: r.issuer, JTI: r.jti, Kind: r.kind, IssuedAt: r.issuedAt, AcceptedAt: r.acceptedAt, Digest: r.digest[:], Body: []byte(r.token)}
	stands := row
	err = s.db.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		created := tx.Clauses(clause.OnConflict{DoNothing: true}).Create(&row)
		if created.Error != nil || created.RowsAffected == 1 {
			return created.Error
		}
		stands = rivalRow{}
		if err := tx.Where("issuer = ? AND jti = ?", r.issuer, r.jti).Take(&stands).Error; err != nil {
			return err
		}
		if !sameClaims(string(stands.Body), r.token) {
			refusal = refuse("invalid_request", "the same jti was used for another statement")
		}
		return errStands
	})
	if err != nil && !errors.Is(err, errStands) {
		return "", nil, fmt.Errorf("store a submission: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(stands.Digest), refusal, nil
}

// digests are those of all entries, one after the other.
func (s *rivalStore) digests(ctx context.Context) ([]byte, error) {
	var rows [][]byte
	if err := s.db.WithContext(ctx).Model(&rivalRow{}).Order("id").Pluck("digest", &rows).Error; err != nil {
		return nil, fmt.Errorf("read the digests: %w", err)
	}
	var all []byte
	for _, digest := range rows {
		all = append(all, digest...)
	}
	return all, nil
}
