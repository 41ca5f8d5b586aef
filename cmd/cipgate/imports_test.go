package main_test

import (
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/mod/modfile"
	"golang.org/x/mod/semver"
)

const module = "github.com/cipgate/cipgate"

// folders are the floors of the house, the highest first. Imports run down only.
var folders = []string{"cmd", "gateway", "sync", "resellers", "attestations"}

// apart are the top-level folders outside that order: cmd alone opens the store with migrations, deploy and tools hold modules
// of their own.
var apart = []string{"migrations", "deploy", "tools"}

// A room is a package of a folder, with the packages inside it. A pure one decides: the same input gives the same answer,
// so a decision can be replayed, rebuilt and backtested.
type room struct {
	name string
	pure bool
}

// rooms are each folder's rooms. A room imports only those that stand above it here.
var rooms = map[string][]room{
	"attestations": {
		{"envelope", true},
		{"statement", true},
		{"proof", true},
		{"ledger", false},
		{"intake", false},
	},
	"resellers": {
		{"policy", true},
		{"history", true},
		{"screening", true},
		{"findings", true},
		{"escalation", true},
		{"obligations", true},
		{"backtest", true},
		{"registry", false},
		{"outages", false},
		{"docket", false},
		{"archive", false},
		{"desk", false},
		{"rehearsal", false},
	},
	"sync": {
		{"notices", true},
		{"outbound", false},
		{"trust", false},
		{"mail", false},
		{"delivery", false},
		{"upstream", false},
		{"department", false},
	},
	"gateway": {
		{"problem", false},
		{"signals", false},
		{"edge", false},
		{"auth", false},
		{"events", false},
		{"enrolment", false},
		{"receipts", false},
		{"documents", false},
		{"wellknown", false},
		{"calendar", false},
		{"officer", false},
		{"streams", false},
		{"standing", false},
		{"dashboard", false},
		{"docs", false},
		{"sandbox", false},
	},
	"cmd": {
		{"cipgate", false},
		{"bench", false},
		{"simulate", false},
	},
}

// impure is what a pure room never imports, each with all below it: whatever reads or changes something that is not an
// argument, or waits. What only handles values is excepted.
var (
	impure = []string{
		"context", "database/sql", "log", "math/rand", "net", "os", "sync",
		"github.com/gofiber", "github.com/valyala/fasthttp", "gorm.io", "github.com/libtnb/sqlite", "github.com/jackc",
	}
	harmless = []string{"net/netip", "net/url"}
)

// constants is what a pure room may take of package sync: to compute a constant when it is first needed is to compute it. How often it
// was asked before changes no answer.
var constants = []string{"OnceValue", "OnceValues"}

// The clock's functions of package time. Whoever is pure does not wait either.
var (
	readsClock = []string{"Now", "Since", "Until"}
	waits      = []string{"After", "AfterFunc", "NewTicker", "NewTimer", "Sleep", "Tick"}
)

func TestEveryImportRunsDownAndPureRoomsStayPure(t *testing.T) {
	for _, file := range goFiles(t) {
		for _, spec := range file.syntax.Imports {
			if importPath(spec) == "sync" && len(usesBeside(file.syntax, "sync", constants)) == 0 {
				continue
			}
			if broken := judgeImport(file.folder(), importPath(spec)); broken != "" {
				t.Errorf("%s imports %s: %s", file.at(spec), spec.Path.Value, broken)
			}
		}
	}
}

func TestEveryPackageHasItsPlaceInTheHouse(t *testing.T) {
	for _, file := range goFiles(t) {
		if wrong := judgePlace(file.folder()); wrong != "" {
			t.Errorf("%s: %s", file.path, wrong)
		}
	}
}

func TestTheTopLevelFoldersAreThoseOfTheHouse(t *testing.T) {
	entries, err := os.ReadDir(root(t))
	if err != nil {
		t.Fatal(err)
	}
	known := slices.Concat(folders, apart, ignoredFolders(t))
	for _, entry := range entries {
		if entry.IsDir() && !strings.HasPrefix(entry.Name(), ".") && !slices.Contains(known, entry.Name()) {
			t.Errorf("%s/: the house has no such top-level folder, only %s and %s", entry.Name(), strings.Join(folders, ", "), strings.Join(apart, ", "))
		}
	}
}

func TestCmdAloneReadsTheClock(t *testing.T) {
	for _, file := range goFiles(t) {
		folder := file.folder()
		if top, _, _ := strings.Cut(folder, "/"); top == "cmd" {
			continue
		}
		for _, name := range uses(file.syntax, "time", readsClock) {
			t.Errorf("%s calls time.%s: now is an argument of whatever decides and the Now field of whatever acts; cmd alone reads the clock", file.at(name), name.Name)
		}
		if !isPure(folder) {
			continue
		}
		for _, name := range uses(file.syntax, "time", waits) {
			t.Errorf("%s calls time.%s: %s is pure, and what is pure does not wait", file.at(name), name.Name, folder)
		}
	}
}

// The judges must be able to say no.
func TestTheHouseRefuses(t *testing.T) {
	const (
		down  = "imports run down only"
		above = "stands above"
		pure  = "is pure"
		tests = "only tests"
	)
	for _, c := range []struct{ from, imports, want string }{
		{"gateway/events", module + "/attestations/intake", ""},
		{"attestations/intake", module + "/gateway/problem", down},
		{"resellers/docket", module + "/sync/delivery", down},
		{"sync/delivery", module + "/cmd/cipgate", down},
		{"resellers/findings", module + "/resellers/history", ""},
		{"resellers/history", module + "/resellers/findings", above},
		{"attestations/ledger/tiles", module + "/attestations/ledger", ""},
		{"attestations/ledger", module + "/attestations/intake", above},
		{"gateway/dashboard/reseller", module + "/gateway/dashboard/assets", ""},
		{"resellers/findings", module + "/attestations/statement", ""},
		{"resellers/backtest", module + "/attestations/ledger", pure},
		{"resellers/backtest/report", module + "/attestations/ledger", pure},
		{"resellers/docket", module + "/attestations/ledger", ""},
		{"resellers/findings", "context", pure},
		{"resellers/findings", "math/rand/v2", pure},
		{"resellers/findings", "sync/atomic", pure},
		{"resellers/findings", "log/slog", pure},
		{"attestations/envelope", "net/http", pure},
		{"attestations/envelope", "net/url", ""},
		{"attestations/envelope", "network.example/value", ""},
		{"attestations/statement", "gorm.io/gorm", pure},
		{"sync/notices", "github.com/gofiber/fiber/v2", pure},
		{"sync/delivery", "net/http", ""},
		{"cmd/cipgate", module + "/migrations", ""},
		{"attestations/ledger", module + "/migrations", "cmd alone"},
		{"migrations", module + "/attestations/envelope", "nothing of ours"},
		{"cmd/cipgate", module + "/migrations/migrationstest", tests},
		{"attestations/ledger", module + "/attestations/ledger/ledgertest", tests},
		{"attestations/ledger/ledgertest", module + "/migrations/migrationstest", ""},
		{"gateway/events", module + "/attestations/utils", "no room utils"},
		{"gateway/events", module + "/pkg/utils", "no folder pkg"},
		{"gateway/events", module + "/tools/fuzz", "modules of their own"},
		{"gateway/events", module + "/sync", "in the rooms of sync/"},
		{"gateway/events", module, "no package at the project's root"},
	} {
		got := judgeImport(c.from, c.imports)
		if (c.want == "") != (got == "") || !strings.Contains(got, c.want) {
			t.Errorf("%s imports %s: got %q, want %q", c.from, c.imports, got, c.want)
		}
	}
}

func TestTheClockIsFoundUnderEveryName(t *testing.T) {
	const source = `package p
import (
	clock "time"
	"net/http"
)
var now = clock.Now
func f(http.Handler) clock.Duration { clock.Sleep(1); return clock.Since(now()) }`
	syntax, err := parser.ParseFile(token.NewFileSet(), "p.go", source, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, name := range uses(syntax, "time", slices.Concat(readsClock, waits)) {
		found = append(found, name.Name)
	}
	if want := []string{"Now", "Sleep", "Since"}; !slices.Equal(found, want) {
		t.Errorf("found %v, want %v", found, want)
	}
}

func TestAPureRoomMayComputeAConstantOnce(t *testing.T) {
	for source, want := range map[string]int{
		`import "sync"; var a = sync.OnceValue(f); var b = sync.OnceValues(g)`: 0,
		`import "sync"; var a = sync.OnceValue(f); var b sync.Mutex`:           1,
		`import s "sync"; func f(m *s.Map) s.Locker { return new(s.Mutex) }`:   3,
	} {
		syntax, err := parser.ParseFile(token.NewFileSet(), "p.go", "package p; "+source, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		if got := usesBeside(syntax, "sync", constants); len(got) != want {
			t.Errorf("%s: %d uses of what is no constant, wanted %d", source, len(got), want)
		}
	}
}

// `go mod tidy` falls back to the lowest version that any dependency asks for. These were chosen higher, by hand.
func TestPinnedDependenciesHaveNotFallenBack(t *testing.T) {
	required := requirements(t, filepath.Join(root(t), "go.mod"))
	for _, pin := range []struct{ module, least, why string }{
		{"github.com/gofiber/fiber/v2", "v2.52.15", "the version that was read and tried"},
		{"github.com/valyala/fasthttp", "v1.78.0", "with the 1.51 that fiber asks for, two request-smuggling attacks stored statements"},
		{"golang.org/x/crypto", "v0.58.0", "the version that was read and tried"},
		{"github.com/klauspost/compress", "v1.20.3", "the version that was read and tried"},
	} {
		if got := required[pin.module]; semver.Compare(got, pin.least) < 0 {
			t.Errorf("go.mod requires %s %q, want at least %s: %s. Run: go get %s@%s", pin.module, got, pin.least, pin.why, pin.module, pin.least)
		}
	}

	// modernc.org/sqlite is C translated against one version of modernc.org/libc, and works with that one only.
	const sqlite, libc = "modernc.org/sqlite", "modernc.org/libc"
	want := requirements(t, moduleFile(t, sqlite))[libc]
	if got := required[libc]; got != want {
		t.Errorf("go.mod requires %s %q, want %s exactly, which %s %s is translated against. Run: go get %s@%s", libc, got, want, sqlite, required[sqlite], libc, want)
	}
}

// judgeImport is the rule that the package in folder from breaks by importing imported, or "".
func judgeImport(from, imported string) string {
	if isTestSupport(from) {
		return ""
	}
	inside, ours := strings.CutPrefix(imported, module)
	if !ours || inside != "" && inside[0] != '/' {
		if isPure(from) && isBelowAny(imported, impure) && !isBelowAny(imported, harmless) {
			return fmt.Sprintf("%s is pure: it takes arguments and returns answers, and touches nothing else", from)
		}
		return ""
	}
	to := strings.TrimPrefix(inside, "/")
	if wrong := judgePlace(to); wrong != "" {
		return wrong
	}
	if isTestSupport(to) {
		return fmt.Sprintf("only tests import %s", to)
	}

	fromFolder, fromRoom := place(from)
	toFolder, toRoom := place(to)
	switch {
	case fromFolder == "migrations":
		if toFolder != "migrations" {
			return "migrations is the schema and imports nothing of ours"
		}
	case toFolder == "migrations":
		if fromFolder != "cmd" {
			return "cmd alone opens the store and hands it down"
		}
	case slices.Index(folders, toFolder) < slices.Index(folders, fromFolder):
		return fmt.Sprintf("imports run down only: %s", strings.Join(folders, " > "))
	case toFolder == fromFolder && roomIndex(toFolder, toRoom) > roomIndex(fromFolder, fromRoom):
		return fmt.Sprintf("%s stands above %s in %s/, and a room imports only what stands above it", fromRoom, toRoom, fromFolder)
	}
	if isPure(from) && !isPure(to) {
		return fmt.Sprintf("%s is pure, %s is not", from, to)
	}
	return ""
}

// judgePlace says what is wrong with a package in this folder of the module, or "".
func judgePlace(folder string) string {
	top, name := place(folder)
	switch {
	case top == "migrations":
		return ""
	case slices.Contains(apart, top):
		return fmt.Sprintf("%s/ holds modules of their own, no package of this one", top)
	case top == "" || top == ".":
		return "there is no package at the project's root"
	case !slices.Contains(folders, top):
		return fmt.Sprintf("the house has no folder %s, only %s and %s", top, strings.Join(folders, ", "), strings.Join(apart, ", "))
	case name == "":
		return fmt.Sprintf("packages live in the rooms of %s/, not in the folder itself", top)
	case roomIndex(top, name) < 0:
		return fmt.Sprintf("%s/ has no room %s. A new one is a decision: give it its place in imports_test.go", top, name)
	}
	return ""
}

// place is the folder and the room of a package.
func place(folder string) (top, name string) {
	top, below, _ := strings.Cut(folder, "/")
	name, _, _ = strings.Cut(below, "/")
	return top, name
}

func roomIndex(folder, name string) int {
	return slices.IndexFunc(rooms[folder], func(r room) bool { return r.name == name })
}

func isPure(folder string) bool {
	top, name := place(folder)
	return slices.Contains(rooms[top], room{name, true})
}

// isTestSupport: ledger/ledgertest, migrations/migrationstest. They belong to the tests that import them.
func isTestSupport(folder string) bool {
	return path.Base(folder) == path.Base(path.Dir(folder))+"test"
}

func isBelowAny(imported string, prefixes []string) bool {
	return slices.ContainsFunc(prefixes, func(p string) bool { return imported == p || strings.HasPrefix(imported, p+"/") })
}

// uses are the uses of the named functions of a package, called or passed on; usesBeside those of everything else in it.
func uses(syntax *ast.File, imported string, names []string) []*ast.Ident {
	return usesThat(syntax, imported, func(name string) bool { return slices.Contains(names, name) })
}

func usesBeside(syntax *ast.File, imported string, names []string) []*ast.Ident {
	return usesThat(syntax, imported, func(name string) bool { return !slices.Contains(names, name) })
}

func usesThat(syntax *ast.File, imported string, wanted func(name string) bool) []*ast.Ident {
	var local string
	for _, spec := range syntax.Imports {
		if importPath(spec) == imported {
			local = path.Base(imported)
			if spec.Name != nil {
				local = spec.Name.Name
			}
		}
	}
	if local == "" {
		return nil
	}
	var found []*ast.Ident
	ast.Inspect(syntax, func(node ast.Node) bool {
		selector, ok := node.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		if left, ok := selector.X.(*ast.Ident); ok && left.Name == local && wanted(selector.Sel.Name) {
			found = append(found, selector.Sel)
		}
		return true
	})
	return found
}

// A source is a Go file of the program: not a test, not testdata, not of another module.
type source struct {
	path   string // from the project's root, with slashes
	syntax *ast.File
	set    *token.FileSet
}

func (s source) folder() string { return path.Dir(s.path) }

func (s source) at(node ast.Node) string {
	return fmt.Sprintf("%s:%d", s.path, s.set.Position(node.Pos()).Line)
}

func goFiles(t *testing.T) []source {
	t.Helper()
	top := root(t)
	ignored := ignoredFolders(t)
	var files []source
	err := filepath.WalkDir(top, func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		relative, err := filepath.Rel(top, name)
		if err != nil {
			return err
		}
		relative = filepath.ToSlash(relative)
		if entry.IsDir() {
			if relative == "." {
				return nil
			}
			_, err := os.Stat(filepath.Join(name, "go.mod"))
			if err == nil || strings.ContainsAny(entry.Name()[:1], "._") || entry.Name() == "testdata" || slices.Contains(ignored, relative) {
				return fs.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(relative, ".go") || strings.HasSuffix(relative, "_test.go") {
			return nil
		}
		set := token.NewFileSet()
		syntax, err := parser.ParseFile(set, name, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		files = append(files, source{relative, syntax, set})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(files) == 0 {
		t.Fatalf("no Go file under %s", top)
	}
	return files
}

func importPath(spec *ast.ImportSpec) string {
	p, err := strconv.Unquote(spec.Path.Value)
	if err != nil { // the parser has read it
		panic(err)
	}
	return p
}

// ignoredFolders are the folders that .gitignore names from the root: /name/.
func ignoredFolders(t *testing.T) []string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root(t), ".gitignore"))
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "/") && strings.HasSuffix(line, "/") {
			found = append(found, strings.Trim(line, "/"))
		}
	}
	return found
}

// root is the project's root: this test lives two folders below it.
func root(t *testing.T) string {
	t.Helper()
	top, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	return top
}

// requirements are the versions that a go.mod asks for, by module.
func requirements(t *testing.T, file string) map[string]string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := modfile.ParseLax(file, text, nil)
	if err != nil {
		t.Fatal(err)
	}
	versions := make(map[string]string)
	for _, require := range parsed.Require {
		versions[require.Mod.Path] = require.Mod.Version
	}
	return versions
}

// moduleFile is a dependency's go.mod in the module cache, where it lies since the program was built with it.
func moduleFile(t *testing.T, name string) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", "list", "-m", "-json", name).Output()
	if err != nil {
		t.Fatalf("go list -m -json %s: %v", name, err)
	}
	var listed struct{ GoMod string }
	if err := json.Unmarshal(out, &listed); err != nil {
		t.Fatal(err)
	}
	return listed.GoMod
}
