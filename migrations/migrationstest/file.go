package migrationstest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/cipgate/cipgate/migrations"
)

// migratedFile is what a migrated and closed SQLite database holds: read once, then copied. Running every migration again takes ten times as
// long, and there are some thousand tests.
var migratedFile = sync.OnceValues(func() (_ []byte, err error) {
	folder, err := os.MkdirTemp("", "cipgate-template-")
	if err != nil {
		return nil, fmt.Errorf("make a folder for the template: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	path := filepath.Join(folder, "cipgate.db")
	db, err := migrations.Open(context.Background(), path)
	if err != nil {
		return nil, err
	}
	if err := migrations.Close(db); err != nil { // the last one to close it writes its log into the file
		return nil, err
	}
	if _, err := os.Stat(path + "-wal"); err == nil {
		return nil, errors.New("the template's log was left behind: a copy of the file alone would lack it")
	}
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read the template: %w", err)
	}
	return content, nil
})

// File writes an empty migrated SQLite database to path.
func File(tb testing.TB, path string) {
	tb.Helper()
	content, err := migratedFile()
	if err != nil {
		tb.Fatalf("migrationstest: make the template: %v", err)
	}
	if err := os.WriteFile(path, content, 0o600); err != nil {
		tb.Fatalf("migrationstest: %v", err)
	}
}
