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

// rivalStore keeps submissions in one table, one transaction each.
type rivalStore struct {
	db *gorm.DB
}

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
	for _, statement := range []string{tables, "CREATE INDEX rival_entries_digest ON rival_entries (digest)"} {
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

// rivalStored says what stands under a submission's issuer and jti.
type rivalStored struct {
	digest string // base64url
	twin   bool   // it is another statement
}

// errStands rolls the transaction back when nothing is to be written.
var errStands = errors.New("stands already")

// add stores a submission in a transaction of its own, and returns once it is on disk.
func (s *rivalStore) add(ctx context.Context, r rivalSubmission) (rivalStored, error) {
	row := rivalRow{Issuer: r.issuer, JTI: r.jti, Kind: r.kind, IssuedAt: r.issuedAt, AcceptedAt: r.acceptedAt, Digest: r.digest[:], Body: []byte(r.token)}
	stored := rivalStored{digest: base64.RawURLEncoding.EncodeToString(r.digest[:])}
	err := s.db.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		created := tx.Clauses(clause.OnConflict{DoNothing: true}).Create(&row)
		if created.Error != nil || created.RowsAffected == 1 {
			return created.Error
		}
		var first rivalRow
		if err := tx.Where("issuer = ? AND jti = ?", r.issuer, r.jti).Take(&first).Error; err != nil {
			return err
		}
		stored.twin = string(first.Digest) != string(r.digest[:])
		return errStands
	})
	if err != nil && !errors.Is(err, errStands) {
		return rivalStored{}, fmt.Errorf("store a submission: %w", err)
	}
	return stored, nil
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
