package main

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	// The driver is registered by name here: this file speaks SQL to the server itself, not through GORM.
	_ "github.com/jackc/pgx/v5/stdlib"
)

const (
	sqliteName   = "sqlite"
	postgresName = "postgres"

	module = "github.com/cipgate/cipgate"
)

// withPostgres starts this program again under tools/with-postgres.sh, which brings a temporary cluster up, names it in
// CIPGATE_TEST_POSTGRES, and takes it away afterwards. It returns only if that fails.
func withPostgres(ctx context.Context, args []string) error {
	root, err := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Dir}}", module).Output()
	if err != nil {
		return fmt.Errorf("find the repository, which starts a temporary PostgreSQL: %w. Run this inside of it, or name a server with --postgres", err)
	}
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find this program: %w", err)
	}
	script := filepath.Join(strings.TrimSpace(string(root)), "tools", "with-postgres.sh")
	command := append([]string{script, "--durable", self}, args...)
	return fmt.Errorf("start %s: %w", script, syscall.Exec(script, command, os.Environ()))
}

func hasPostgres() bool {
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	return err == nil && len(found) > 0
}

// cluster is the PostgreSQL server that databases are made on.
type cluster struct {
	admin      *sql.DB
	url        *url.URL
	version    string
	postmaster int // its process, 0 if it is not on this machine
}

func openCluster(ctx context.Context, storeURL string) (_ *cluster, err error) {
	c := &cluster{}
	if c.url, err = url.Parse(storeURL); err != nil {
		return nil, errors.New("--postgres: wanted postgres://user@host/database")
	}
	if c.admin, err = sql.Open("pgx", storeURL); err != nil {
		return nil, fmt.Errorf("--postgres: %w", err)
	}
	var fsync, commit string
	var backend int
	err = c.admin.QueryRowContext(ctx, "SELECT current_setting('fsync'), current_setting('synchronous_commit'), current_setting('server_version'), pg_backend_pid()").
		Scan(&fsync, &commit, &c.version, &backend)
	switch {
	case err != nil:
		return nil, errors.Join(fmt.Errorf("--postgres: %w", err), c.close())
	case fsync != "on" || commit == "off":
		return nil, errors.Join(fmt.Errorf("--postgres: wanted a server that keeps what it commits, got fsync %s and synchronous_commit %s: its figures would mean nothing", fsync, commit), c.close())
	}
	c.version, _, _ = strings.Cut(c.version, " ") // the package's own version follows
	if s, err := readStat(backend); err == nil && isLocal(c.url) {
		c.postmaster = s.parent
	}
	return c, nil
}

// isLocal says whether the server's processes are this machine's.
func isLocal(u *url.URL) bool {
	socket := u.Query().Get("host")
	return strings.HasPrefix(socket, "/") || socket == "" && (u.Hostname() == "localhost" || u.Hostname() == "127.0.0.1" || u.Hostname() == "::1")
}

// time is what the server's processes have spent.
func (c *cluster) time() time.Duration {
	if c.postmaster == 0 {
		return unknown
	}
	return familyTime(c.postmaster)
}

func (c *cluster) close() error { return c.admin.Close() }

// fresh makes an empty database, after the server has written out what earlier ones left behind.
func (c *cluster) fresh(ctx context.Context) (storeURL string, drop func(context.Context) error, err error) {
	name := "cipgate_bench_" + strings.ToLower(rand.Text())
	for _, statement := range []string{"CREATE DATABASE " + name + " TEMPLATE template0", "CHECKPOINT"} {
		if _, err := c.admin.ExecContext(ctx, statement); err != nil {
			return "", nil, fmt.Errorf("%s: %w", statement, err)
		}
	}
	named := *c.url
	named.Path = "/" + name
	return named.String(), func(ctx context.Context) error {
		if _, err := c.admin.ExecContext(ctx, "DROP DATABASE "+name+" WITH (FORCE)"); err != nil {
			return fmt.Errorf("drop database %s: %w", name, err)
		}
		return nil
	}, nil
}
