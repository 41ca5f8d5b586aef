package dashboard_test

import (
	"net/http"
	"strings"
	"testing"

	"gorm.io/gorm"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/gateway/auth"
	"github.com/cipgate/cipgate/migrations/migrationstest"
	"github.com/cipgate/cipgate/resellers/docket"
)

// notify has an officer record, by the form of the page, that the reseller was told of the last step of its case; more are further fields.
func (w *world) notify(entity envelope.Entity, more ...string) answer {
	w.t.Helper()
	file, err := w.docket.Open(w.t.Context(), entity.ID())
	w.must(err)
	fields := append([]string{"reseller", entity.ID().String(), "kind", "call", "until", w.now.UTC().Format("2006-01-02T15:04"), "whom", "head of compliance"}, more...)
	got := w.signIn("Noel Ward", auth.Member).act("record-notice", file.Case.Told.Notices[0], fields...)
	if got.status != http.StatusSeeOther {
		w.t.Fatalf("%d: %s", got.status, got.text())
	}
	return got
}

// Restricted on day 44, the closing waits for proof; two calls that nobody answers let it go on, and what is owed by it is fulfilled late.
func TestACallIsRecordedAndAnObligationFulfilledOnThePages(t *testing.T) {
	migrationstest.Each(t, func(t *testing.T, db *gorm.DB) {
		w := newWorld(t, db, false)
		entity := w.enrol("Silent Ltd")[0]
		w.pass(45)
		w.open(pageOf(entity)).shows(t, "What the next step waits for", "It is not proved that the reseller was told of its restriction", "from 19 Apr 2026 09:00 UTC on")
		if page := w.open("/approvals").text(); strings.Contains(page, "Resellers to call") {
			t.Error("a call before its day is a task")
		}
		w.approve(entity, "Mara Lind")
		w.pass(4)
		w.open("/approvals").shows(t, "Resellers to call", "Silent Ltd", "Call, or send a courier, by 21 Apr 2026 09:00 UTC", "nobody answered")
		w.notify(entity, "unanswered", "yes")
		w.pass(1)
		w.notify(entity, "unanswered", "yes")
		w.pass(1)
		w.open(pageOf(entity)).shows(t, "closing", "Owed to an authority", "Report the suspected or actual malicious activity", "Fulfilled", "Propose to waive", "nobody answered")
		w.open("/obligations").shows(t, "What is owed to an authority", "in 3 days", "https://provider.example/e/", "report at a closure", "15 CFR 7.303(d), proposed")
		w.pass(4)
		w.open("/obligations").shows(t, "1 overdue.", "overdue")
		w.open("/approvals").shows(t, "1 obligations toward an authority are overdue.")
		all, err := w.docket.Obligations(t.Context(), docket.Wanted{}, nil, 10)
		w.must(err)
		noel := w.signIn("Noel Ward", auth.Member)
		if got := noel.act("fulfil-obligation", all[0].ID, "back", "/obligations"); got.status != http.StatusUnprocessableEntity || !strings.Contains(got.text(), "reference: wanted") {
			t.Errorf("without a reference: %d %s", got.status, got.text())
		}
		if got := w.signIn("Ida Berg", auth.Viewer).act("fulfil-obligation", all[0].ID, "reference", "R"); got.status != http.StatusForbidden {
			t.Errorf("by a viewer: %d", got.status)
		}
		if got := noel.act("fulfil-obligation", all[0].ID, "reference", "IC3 I-17", "back", "/obligations"); got.header.Get("Location") != "/obligations?done=fulfil-obligation" {
			t.Errorf("%d to %q", got.status, got.header.Get("Location"))
		}
		w.open("/obligations?done=fulfil-obligation").shows(t, "Recorded. The obligation is fulfilled.", "Nothing is owed.")
		w.open("/obligations?state=ended").shows(t, "Noel Ward fulfilled it", "reference IC3 I-17", "That was after it was due.")
	})
}
