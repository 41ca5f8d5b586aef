// Package migrations opens the store and brings its schema to what this binary expects. It decides how connections are
// made (durability, time zone, who may write) and which schema stands; it knows nothing of what the rooms keep in it.
//
// PostgreSQL is named by a postgres:// URL, SQLite by sqlite://path or a plain path. Both hand out one *gorm.DB whose times
// are UTC with microseconds. The schema changes only through the numbered files in postgres/ and sqlite/, which carry the
// same numbers and names; they run forward only, and several processes may start at once.
package migrations

import (
	"context"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"strings"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/logger"
)

//go:embed postgres/*.sql sqlite/*.sql
var files embed.FS

// ErrURL is the reason of an Open that was refused before anything was touched: what was given names no store.
var ErrURL = errors.New("this names no store")

// Open opens the store that storeURL names and migrates it. What it returns is closed with Close.
//
// On SQLite one connection writes, every transaction begins IMMEDIATE, and statements that begin with SELECT run outside of
// transactions on read-only connections beside it, so a long page never holds up a commit.
func Open(ctx context.Context, storeURL string) (*gorm.DB, error) {
	if isPostgres(storeURL) {
		return openPostgres(ctx, storeURL)
	}
	path, err := sqlitePath(storeURL)
	if err != nil {
		return nil, err
	}
	return openSQLite(ctx, path)
}

// Close gives back every connection of db. Transactions and rows must have ended.
func Close(db *gorm.DB) error {
	pool, err := db.DB()
	if err != nil {
		return fmt.Errorf("close the store: %w", err)
	}
	if err := pool.Close(); err != nil {
		return fmt.Errorf("close the store: %w", err)
	}
	return nil
}

// Redacted is storeURL without its password, for messages and logs.
func Redacted(storeURL string) string {
	scheme, _, isURL := strings.Cut(storeURL, "://")
	if !isURL || scheme == "sqlite" {
		return storeURL
	}
	u, err := url.Parse(storeURL)
	if err != nil {
		return scheme + "://(unreadable)"
	}
	if _, has := u.User.Password(); has {
		u.User = url.User(u.User.Username())
	}
	if query := u.Query(); query.Has("password") || query.Has("sslpassword") {
		query.Del("password")
		query.Del("sslpassword")
		u.RawQuery = query.Encode()
	}
	return u.String()
}

func isPostgres(storeURL string) bool {
	return strings.HasPrefix(storeURL, "postgres://") || strings.HasPrefix(storeURL, "postgresql://")
}

func sqlitePath(storeURL string) (string, error) {
	path, scheme := strings.CutPrefix(storeURL, "sqlite://")
	switch {
	case path == "":
		return "", fmt.Errorf("open the store: %w: wanted postgres://user@host/database, sqlite://path or a path, got nothing. Name a file, such as cipgate.db", ErrURL)
	case strings.Contains(path, ":memory:"):
		return "", fmt.Errorf("open the store: %w: wanted a file, got %q, which forgets everything at exit. Name a file, such as cipgate.db", ErrURL, path)
	case !scheme && strings.Contains(path, "://"):
		return "", fmt.Errorf("open the store: %w: wanted postgres://user@host/database, sqlite://path or a path, got %q. Check the scheme", ErrURL, Redacted(path))
	case scheme && strings.Contains(path, "?"):
		return "", fmt.Errorf("open the store: %w: wanted sqlite://path without parameters, got %q. Drop what follows the question mark: how the file is opened is not a choice", ErrURL, path)
	}
	return path, nil
}

// config is the same for both stores, so a room behaves alike on both.
func config() *gorm.Config {
	return &gorm.Config{
		SkipDefaultTransaction: true, // a single statement is a transaction already
		TranslateError:         true, // gorm.ErrDuplicatedKey instead of a driver's code
		Logger:                 logger.Discard,
		// Every time in a row is stated by the room that writes it, from its own clock. GORM asks for one only to fill
		// CreatedAt and UpdatedAt by itself; the zero time shows at once where a room relied on that.
		NowFunc: func() time.Time { return time.Time{} },
	}
}

// folder is the migrations of one store, as goose wants them.
func folder(store string) (fs.FS, error) {
	sub, err := fs.Sub(files, store)
	if err != nil {
		return nil, fmt.Errorf("read the embedded migrations of %s: %w", store, err)
	}
	return sub, nil
}

// Fingerprint changes when any migration does: what may keep a migrated database for later names it with this.
func Fingerprint() (string, error) {
	hash := sha256.New()
	err := fs.WalkDir(files, ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := files.ReadFile(path)
		if err != nil {
			return err
		}
		fmt.Fprintf(hash, "%s %d\n%s", path, len(text), text)
		return nil
	})
	if err != nil {
		return "", fmt.Errorf("read the embedded migrations: %w", err)
	}
	return hex.EncodeToString(hash.Sum(nil)[:8]), nil
}
