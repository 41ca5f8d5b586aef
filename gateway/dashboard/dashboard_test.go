package dashboard_test

import (
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"gorm.io/gorm"

	"github.com/cipgate/cipgate/migrations/migrationstest"
)

func TestTheListTellsHowEachResellerStandsAndWhatComesNext(t *testing.T) {
	migrationstest.Each(t, func(t *testing.T, db *gorm.DB) {
		w := newWorld(t, db, false)
		w.attest(w.enrol("Boreal AS")[0], 1)
		w.enrol("Aurora GmbH")
		w.pass(30)
		w.open("/resellers").shows(t,
			"Resellers", "2 resellers: 1 warned, 1 good.",
			"Aurora GmbH", "Germany", "warned", "Restricted: no new accounts may be opened.", "in 14 days", "14 Apr 2026 09:00 UTC", "Unless there is", "in 30 days", "30 Apr 2026 09:00 UTC",
			"Boreal AS", "good", "Due: ", "in 335 days", "1 Mar 2027 09:00 UTC", "Otherwise: ", "no open case",
			"cipgate 1.2.3", "ledger of 7 entries")
	})
}

func TestTheListGoesOnPageByPageAndShowsEachResellerOnce(t *testing.T) {
	migrationstest.Each(t, func(t *testing.T, db *gorm.DB) {
		w := newWorld(t, db, false)
		var names []string
		for i := range 101 {
			names = append(names, fmt.Sprintf("Reseller %03d", i))
		}
		names[40], names[60] = names[50], names[50] // names need not be unique
		w.enrol(unique(names)...)
		link := regexp.MustCompile(`<a href="(/resellers\?after=[^"]+)" rel="next">`)
		row := regexp.MustCompile(`<th scope="row"><a href="(/resellers/[^"]+)">`)
		var seen []string
		pages := 0
		for at := "/resellers"; at != ""; pages++ {
			got := w.open(at)
			for _, found := range row.FindAllStringSubmatch(got.html, -1) {
				seen = append(seen, found[1])
			}
			at = ""
			if next := link.FindStringSubmatch(got.html); next != nil {
				at = next[1]
				got.shows(t, "50 resellers on this page: 50 pending.")
			}
		}
		slices.Sort(seen)
		if len(slices.Compact(seen)) != len(unique(names)) || len(seen) != len(unique(names)) || pages != 2 {
			t.Errorf("%d rows on %d pages, %d of them different; wanted %d on 2", len(seen), pages, len(slices.Compact(seen)), len(unique(names)))
		}
	})
}

func unique(names []string) []string {
	return slices.Compact(slices.Sorted(slices.Values(names)))
}

func TestOneResellersPageTellsItsWholeFall(t *testing.T) {
	migrationstest.Each(t, func(t *testing.T, db *gorm.DB) {
		w := newWorld(t, db, true)
		entity := w.enrol("Silent Ltd")[0]
		w.open(pageOf(entity)).shows(t, "Silent Ltd", "pending", "What comes next", "Due: ", "31 Mar 2026 09:00 UTC", "Otherwise: ",
			"Open findings", "None", "If nothing happens", "The limit of the case passes", "Closing: ", "waits for the approval of one officer", "Restricted: ", "Warned: ", "Now", "1 Mar 2026 09:00 UTC", "Silent Ltd (Germany) was enrolled.")
		w.pass(45)
		w.open(pageOf(entity)).shows(t, "restricted", "It may open no new accounts.", "What comes next", "Closing: ", "in 6 days", "21 Apr 2026 09:00 UTC", "Unless there is", "It waits for the approval", "Limit of this case", "30 Apr 2026 09:00 UTC",
			"Open findings", "serious", "What cures it", "Cure time ended", "a cure still ends the case", "cip.missing", "15 CFR 7.303", "entry 0",
			"Waits for approval", "Closing: ", "1 person must approve", "it may be approved now", "Without an answer it waits", "Approve", "Refuse",
			"If nothing happens", "Closing: ", "Approval: one officer", "15 CFR 7.303(d), proposed: take steps to close",
			"Now", "15 Apr 2026 09:00 UTC", "ordered to open no new accounts", "Next: ", "Why: the cure time of the warning has ended", "policy us-iaas-2024",
			"was warned", "shortfall was found", "Why: rule cip.missing", "evidence: entry 0", "was enrolled")
		w.approve(entity, "Mara Lind")
		w.notify(entity) // proof of notice, without which the closing waits
		w.pass(7)
		w.open(pageOf(entity)).shows(t, "closing", "Waits for approval", "Terminated: ", "2 different people must approve")
		w.approve(entity, "Mara Lind")
		w.open(pageOf(entity)).shows(t, "closing", "approved by Mara Lind")
		w.approve(entity, "Jon Reyes")
		w.pass(30)
		got := w.open(pageOf(entity))
		got.shows(t, "terminated", "Nothing: the relationship is terminated.", "The relationship ended", "What was not cured", "Nothing more is due.", "Now", "The relationship with the reseller was ended.",
			"Jon Reyes approved a step of the case.", "Mara Lind approved a step of the case.")
		receipts := regexp.MustCompile(`<a href="/receipts/[\w-]{43}">receipt</a>`).FindAllString(got.html, -1)
		entries, err := w.ledger.About(t.Context(), entity.ID(), 0, 100)
		w.must(err)
		if slices.Sort(receipts); len(slices.Compact(receipts)) != len(entries) {
			t.Errorf("%d different receipts for %d entries", len(slices.Compact(receipts)), len(entries))
		}
	})
}

func TestACuredResellersPastStaysOnItsPage(t *testing.T) {
	migrationstest.Each(t, func(t *testing.T, db *gorm.DB) {
		w := newWorld(t, db, false)
		entity := w.enrol("Late Ltda")[0]
		w.pass(46)
		w.attest(entity, 1)
		w.open(pageOf(entity)).shows(t, "good", "Nothing falls short.", "Due: ", "None: nothing falls short.", "Now",
			"The order to open no new accounts was taken back.", "A shortfall was cured", "by the reseller", "The reseller attested its customer identification program", "ordered to open no new accounts")
	})
}

func TestALongHistoryIsReadPageByPage(t *testing.T) {
	migrationstest.Each(t, func(t *testing.T, db *gorm.DB) {
		w := newWorld(t, db, false)
		entity := w.enrol("Busy Inc")[0]
		w.attest(entity, 120)
		told := regexp.MustCompile(`<li id="entry-(\d+)"`)
		first := w.open(pageOf(entity))
		older := regexp.MustCompile(`<a href="([^"]+)">Older entries</a>`).FindStringSubmatch(first.html)
		if older == nil {
			t.Fatal("the first page leads to no older entries")
		}
		second := w.open(strings.ReplaceAll(older[1], "&amp;", "&"))
		second.shows(t, "Back to now", "was enrolled")
		if strings.Contains(second.html, "If nothing happens") {
			t.Error("a page of the past shows the future")
		}
		var leaves []string
		for _, page := range []answer{first, second} {
			for _, found := range told.FindAllStringSubmatch(page.html, -1) {
				leaves = append(leaves, found[1])
			}
		}
		entries, err := w.ledger.About(t.Context(), entity.ID(), 0, 1000)
		w.must(err)
		var wanted []string
		for _, entry := range slices.Backward(entries) {
			wanted = append(wanted, fmt.Sprint(entry.LeafIndex))
		}
		if !slices.Equal(leaves, wanted) {
			t.Errorf("entries on the pages: %v, wanted %v", leaves, wanted)
		}
	})
}

func TestAHostileNameStaysText(t *testing.T) {
	const hostile = `<script>alert(1)</script>"><img src=x onerror=alert(2)> & 'Söhne' {{.}} javascript:alert(3)`
	migrationstest.Each(t, func(t *testing.T, db *gorm.DB) {
		w := newWorld(t, db, false)
		entity := w.enrol(hostile)[0]
		w.pass(31)
		for _, path := range []string{"/resellers", pageOf(entity)} {
			got := w.open(path)
			got.shows(t, hostile)
			inert(t, path, got)
		}
	})
}

// inert checks that a page runs and styles nothing in line, and asks nobody else for anything.
func inert(t *testing.T, path string, got answer) {
	t.Helper()
	for _, never := range []string{`<script>`, `<script [^s]`, `<img src=x`, `<style`, `<[^>]*\sstyle=`, `<[^>]*\son\w+=`, `(?:src|href|action)="(?:https?:)?//`, `href="javascript`} {
		if found := regexp.MustCompile(never).FindString(got.html); found != "" {
			t.Errorf("%s has %q", path, found)
		}
	}
	for header, wanted := range map[string]string{
		"Content-Security-Policy": "default-src 'self';", "X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY",
		"Referrer-Policy": "same-origin", "Cache-Control": "no-store", "Content-Type": "text/html; charset=utf-8",
	} {
		if value := got.header.Get(header); !strings.HasPrefix(value, wanted) {
			t.Errorf("%s: %s is %q, wanted %q", path, header, value, wanted)
		}
	}
	if csp := got.header.Get("Content-Security-Policy"); strings.Contains(csp, "unsafe") {
		t.Errorf("%s: %s", path, csp)
	}
}

func TestEveryPageIsGuardedAndLoadsWhatIsThere(t *testing.T) {
	migrationstest.Each(t, func(t *testing.T, db *gorm.DB) {
		w := newWorld(t, db, true)
		entity := w.enrol("Aurora GmbH")[0]
		loads := regexp.MustCompile(`(?:src|href)="(/assets/[^"]+)"`)
		for path, status := range map[string]int{
			"/resellers": 200, pageOf(entity): 200, "/sign-in": 200, "/enrol": 200, "/resellers/none": 404, "/nowhere": 404,
		} {
			got := w.open(path)
			if got.status != status {
				t.Errorf("%s: %d, wanted %d", path, got.status, status)
			}
			inert(t, path, got)
			got.shows(t, "SANDBOX · ", " · provider.example", "SANDBOX", "cipgate", "provider.example")
			for _, asset := range loads.FindAllStringSubmatch(got.html, -1) {
				file := w.ask(asset[1])
				if file.status != http.StatusOK || file.html == "" || !strings.Contains(file.header.Get("Cache-Control"), "immutable") {
					t.Errorf("%s loads %s: %d, %q", path, asset[1], file.status, file.header.Get("Cache-Control"))
				}
			}
		}
	})
}

func TestWithoutSandboxNoPageSaysSo(t *testing.T) {
	w := newWorld(t, migrationstest.Open(t, migrationstest.URL(t, "sqlite")), false)
	if got := w.open("/resellers"); strings.Contains(strings.ToUpper(got.html), "SANDBOX") {
		t.Error("a real gateway calls itself a sandbox")
	}
}

func TestAnEmptyGatewaySaysWhatToDoNext(t *testing.T) {
	w := newWorld(t, migrationstest.Open(t, migrationstest.URL(t, "sqlite")), false)
	w.open("/resellers").shows(t, "No reseller is enrolled yet", `cipgate invite --name "Example Cloud GmbH" --country DE --contact compliance@example.com`)
}

func TestWhatShowsResellersAsksToSignInAndTheRestDoesNot(t *testing.T) {
	w := newWorld(t, migrationstest.Open(t, migrationstest.URL(t, "sqlite")), false)
	entity := w.enrol("Aurora GmbH")[0]
	for _, path := range []string{"/resellers", pageOf(entity), "/resellers/none"} {
		if got := w.ask(path); got.status != http.StatusSeeOther || !strings.HasPrefix(got.header.Get("Location"), "/sign-in?next=") {
			t.Errorf("%s: %d to %q", path, got.status, got.header.Get("Location"))
		}
	}
	w.ask("/enrol").shows(t, "Enrol as a reseller", "openssl genpkey", "https://provider.example", "within 30 days")
	w.ask("/sign-in?next=//evil.example").shows(t, "Sign in")
	if got := w.ask("/"); got.status != http.StatusSeeOther || got.header.Get("Location") != "/resellers" {
		t.Errorf("/: %d to %q", got.status, got.header.Get("Location"))
	}
}

func TestAPageThatWouldBeTheSameIsNotSentAgain(t *testing.T) {
	w := newWorld(t, migrationstest.Open(t, migrationstest.URL(t, "sqlite")), false)
	entity := w.enrol("Aurora GmbH")[0]
	again := regexp.MustCompile(`hx-get="([^"]+)"`).FindStringSubmatch(w.open(pageOf(entity)).html)[1]
	if got := w.open(again, "HX-Request", "true"); got.status != http.StatusNoContent {
		t.Errorf("nothing happened: %d, wanted 204", got.status)
	}
	w.attest(entity, 1)
	if got := w.open(again, "HX-Request", "true"); got.status != http.StatusOK {
		t.Errorf("an entry came in: %d, wanted 200", got.status)
	}
}

func TestAProgramGetsErrorsAsProblems(t *testing.T) {
	w := newWorld(t, migrationstest.Open(t, migrationstest.URL(t, "sqlite")), false)
	for path, status := range map[string]int{"/resellers/none": 404, "/resellers?after=x": 400, "/nowhere": 404, "/assets/none.css": 404} {
		got := w.open(path, "Accept", "application/json")
		if got.status != status || got.header.Get("Content-Type") != "application/problem+json" {
			t.Errorf("%s: %d, %q; wanted %d", path, got.status, got.header.Get("Content-Type"), status)
		}
		if got := w.open(path); got.status != status || !strings.HasPrefix(got.header.Get("Content-Type"), "text/html") {
			t.Errorf("%s to a browser: %d, %q; wanted %d", path, got.status, got.header.Get("Content-Type"), status)
		}
	}
}
