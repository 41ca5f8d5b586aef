package migrationstest

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"syscall"
)

var errNoPostgres = errors.New("no PostgreSQL on this machine: install it (Debian: apt-get install postgresql), " +
	"or name a server with CIPGATE_TEST_POSTGRES=postgres://user:password@host/postgres")

// keeper is the shell script that minds the server. It waits on a pipe that the test binary holds open and never writes to:
// when the binary goes, killed or not, the kernel closes the pipe, the server is stopped and its folder removed.
const keeper = `
"$1/pg_ctl" -D "$2/data" -l "$2/log" -o "$3" -w -t 60 start >"$2/start" 2>&1 && echo ready || cat "$2/start" "$2/log"
read -r _
"$1/pg_ctl" -D "$2/data" -m immediate -w stop >/dev/null 2>&1
cd / && rm -rf "$2"
`

// cluster is the one this binary started.
var cluster struct {
	sync.Mutex
	pipe io.Closer
	cmd  *exec.Cmd
}

// startCluster makes a cluster in a folder of its own, reached through a socket in that folder, and returns the URL of its
// maintenance database. The server refuses to run as root, so root starts it as the package's own user.
func startCluster(ctx context.Context) (storeURL string, err error) {
	bin, err := findPostgres()
	if err != nil {
		return "", err
	}
	folder, err := os.MkdirTemp(shortTemp(), "cipgate-postgres-")
	if err != nil {
		return "", fmt.Errorf("make a folder for PostgreSQL: %w", err)
	}
	kept := false
	defer func() {
		if !kept {
			err = errors.Join(err, os.RemoveAll(folder))
		}
	}()
	// An interrupt at the terminal goes to the tests alone; the pipe tells the keeper.
	attributes := &syscall.SysProcAttr{Setpgid: true}
	if os.Geteuid() == 0 {
		if attributes.Credential, err = packageUser(); err != nil {
			return "", err
		}
		if err := os.Chown(folder, int(attributes.Credential.Uid), int(attributes.Credential.Gid)); err != nil {
			return "", fmt.Errorf("give the folder to PostgreSQL's user: %w", err)
		}
	}
	initdb := exec.CommandContext(ctx, filepath.Join(bin, "initdb"), "-D", filepath.Join(folder, "data"),
		"-U", "cipgate", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync", "--no-instructions")
	initdb.Dir, initdb.SysProcAttr = folder, attributes
	if out, err := initdb.CombinedOutput(); err != nil {
		return "", fmt.Errorf("initdb: %w: %s", err, out)
	}

	// Not CommandContext: the keeper outlives every test, and ends by its pipe.
	keep := exec.Command("/bin/sh", "-c", keeper, "keeper", bin, folder, "-k "+folder+" -c listen_addresses= -c max_connections=300"+durability())
	keep.Dir, keep.SysProcAttr = folder, attributes
	pipe, err := keep.StdinPipe()
	if err != nil {
		return "", fmt.Errorf("make the keeper's pipe: %w", err)
	}
	answer, err := keep.StdoutPipe()
	if err != nil {
		return "", fmt.Errorf("make the keeper's pipe: %w", err)
	}
	if err := keep.Start(); err != nil {
		return "", fmt.Errorf("start PostgreSQL: %w", err)
	}
	kept = true
	cluster.Lock()
	cluster.pipe, cluster.cmd = pipe, keep
	cluster.Unlock()

	said, err := bufio.NewReader(answer).ReadString('\n')
	if err != nil || said != "ready\n" {
		rest, _ := io.ReadAll(answer) // only to say more
		stopCluster()
		return "", errors.Join(fmt.Errorf("start PostgreSQL: %s%s", said, rest), err)
	}
	return "postgres://cipgate@/postgres?host=" + url.QueryEscape(folder), nil
}

// stopCluster stops the server, if this binary started one, and waits until its folder is gone.
func stopCluster() {
	cluster.Lock()
	defer cluster.Unlock()
	if cluster.cmd == nil {
		return
	}
	cluster.pipe.Close()
	if err := cluster.cmd.Wait(); err != nil {
		fmt.Fprintln(os.Stderr, "migrationstest: the keeper of PostgreSQL:", err)
	}
	cluster.cmd = nil
}

// durability: tests need no disk, so the server may forget to sync. Benchmarks measure it, so there it must not.
func durability() string {
	if bench := flag.Lookup("test.bench"); bench != nil && bench.Value.String() != "" {
		return ""
	}
	return " -c fsync=off -c full_page_writes=off"
}

// findPostgres is the folder with the newest server's programs: Debian's place first, which is not on the PATH.
func findPostgres() (string, error) {
	if found, err := filepath.Glob("/usr/lib/postgresql/*/bin/postgres"); err == nil && len(found) > 0 {
		newest := slices.MaxFunc(found, func(a, b string) int { return majorVersion(a) - majorVersion(b) })
		return filepath.Dir(newest), nil
	}
	found, err := exec.LookPath("postgres")
	if err != nil {
		return "", errNoPostgres
	}
	if found, err = filepath.EvalSymlinks(found); err != nil { // initdb lies beside the real one
		return "", fmt.Errorf("find PostgreSQL's programs: %w", err)
	}
	return filepath.Dir(found), nil
}

func majorVersion(path string) int {
	major, err := strconv.Atoi(filepath.Base(filepath.Dir(filepath.Dir(path))))
	if err != nil {
		return 0
	}
	return major
}

// packageUser is the user that Debian's package made for the server.
func packageUser() (*syscall.Credential, error) {
	account, err := user.Lookup("postgres")
	if err != nil {
		return nil, fmt.Errorf("%w (it does not run as root, and there is no user postgres)", errNoPostgres)
	}
	uid, errUID := strconv.ParseUint(account.Uid, 10, 32)
	gid, errGID := strconv.ParseUint(account.Gid, 10, 32)
	if err := errors.Join(errUID, errGID); err != nil {
		return nil, fmt.Errorf("look up PostgreSQL's user: %w", err)
	}
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
}

// shortTemp: a socket's path may have 107 bytes (unix(7)), which some machines' temporary folders use up.
func shortTemp() string {
	if temp := os.TempDir(); len(temp) < 60 {
		return temp
	}
	return "/tmp"
}
