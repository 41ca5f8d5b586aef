package dashboard_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"
	"gorm.io/gorm"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/gateway/auth"
	"github.com/cipgate/cipgate/gateway/officer"
	"github.com/cipgate/cipgate/gateway/problem"
	"github.com/cipgate/cipgate/migrations/migrationstest"
)

var root = statement.Officer{ID: "admin", Name: "admin"}

// browser is an officer who is signed in by a one-time link.
type browser struct {
	*world
	cookie string
}

// signIn makes an account, unless there is one, and signs it in.
func (w *world) signIn(name string, role auth.Role) browser {
	w.t.Helper()
	_, err := w.auth.Add(w.t.Context(), root, auth.Officer{Name: name, Role: role})
	if err != nil && !errors.Is(err, problem.ErrOfficer) {
		w.t.Fatal(err)
	}
	secret, err := w.auth.NewLink(w.t.Context(), name)
	w.must(err)
	got := w.send("/sign-in", url.Values{"secret": {secret}, "next": {"/"}})
	cookie, _, _ := strings.Cut(got.header.Get("Set-Cookie"), ";")
	if cookie == "" {
		w.t.Fatalf("%s is not signed in: %d", name, got.status)
	}
	return browser{w, cookie}
}

func (w *world) send(path string, form url.Values, header ...string) answer {
	w.t.Helper()
	request := httptest.NewRequestWithContext(w.t.Context(), http.MethodPost, path, strings.NewReader(form.Encode()))
	request.Header.Set("Content-Type", fiber.MIMEApplicationForm)
	request.Header.Set("Accept", "text/html")
	for i := 0; i < len(header); i += 2 {
		request.Header.Set(header[i], header[i+1])
	}
	got, err := w.app.Test(request, -1)
	w.must(err)
	defer got.Body.Close()
	body, err := io.ReadAll(got.Body)
	w.must(err)
	return answer{got.StatusCode, got.Header, string(body)}
}

func (b browser) see(path string) answer { return b.ask(path, "Cookie", b.cookie) }

// act sends a form of a page of ours.
func (b browser) act(name, item string, more ...string) answer {
	form := url.Values{"act": {name}, "item": {item}, "reason": {"So it is."}, "back": {"/approvals"}}
	for i := 0; i < len(more); i += 2 {
		form.Set(more[i], more[i+1])
	}
	return b.send("/acts", form, "Cookie", b.cookie, "Sec-Fetch-Site", "same-origin")
}

// asked is the approval that the reseller's case waits for.
func (w *world) asked(entity envelope.Entity) string {
	w.t.Helper()
	file, err := w.docket.Open(w.t.Context(), entity.ID())
	w.must(err)
	found, err := w.docket.Approvals(w.t.Context(), file)
	w.must(err)
	if len(found) != 1 {
		w.t.Fatalf("approvals: %+v", found)
	}
	return officer.Key(entity.ID(), found[0].ID)
}

// approve has an officer approve what waits, by the form of the page.
func (w *world) approve(entity envelope.Entity, name string) {
	w.t.Helper()
	got := w.signIn(name, auth.Approver).act("approve-step", w.asked(entity))
	if got.status != http.StatusSeeOther || got.header.Get("Location") != "/approvals?done=approve-step" {
		w.t.Fatalf("%d to %q: %s", got.status, got.header.Get("Location"), got.text())
	}
}

func TestTheFormOfAPageIsJudgedLikeTheAPI(t *testing.T) {
	migrationstest.Each(t, func(t *testing.T, db *gorm.DB) {
		w := newWorld(t, db, false)
		entity := w.enrol("Silent Ltd")[0]
		w.pass(45)
		key := w.asked(entity)
		mara, ida := w.signIn("Mara Lind", auth.Approver), w.signIn("Ida Berg", auth.Viewer)
		form := url.Values{"act": {"approve-step"}, "item": {key}, "reason": {"r"}, "back": {"/approvals"}}
		for name, c := range map[string]struct {
			got    answer
			status int
			words  string
		}{
			"another site's page":       {w.send("/acts", form, "Cookie", mara.cookie, "Sec-Fetch-Site", "cross-site"), 403, "must come from this gateway's own pages"},
			"nobody":                    {w.send("/acts", form), 303, ""},
			"a viewer":                  {ida.act("approve-step", key), 403, "approver or administrator"},
			"no reason":                 {mara.act("approve-step", key, "reason", " "), 400, "reason"},
			"an act that is none":       {mara.act("delete-everything", key), 400, "act"},
			"an approval that is none":  {mara.act("approve-step", "x"), 400, "approval"},
			"a time that is none":       {mara.act("place-case-hold", "", "reseller", entity.ID().String(), "kind", "officer", "until", "soon"), 400, "until"},
			"a reseller that is none":   {mara.act("lift-hold", "h", "reseller", "x"), 400, "reseller"},
			"a hold that is none":       {mara.act("lift-hold", "h", "reseller", entity.ID().String()), 404, "hold"},
			"an answer that is none":    {mara.act("uphold-appeal", "h", "reseller", entity.ID().String()), 404, "remediation"},
			"a proposal that is none":   {mara.act("confirm-proposal", "h"), 404, "proposal"},
			"led to another site after": {mara.act("refuse-step", key, "back", "https://evil.example/"), 303, ""},
		} {
			if c.got.status != c.status || !strings.Contains(c.got.text(), c.words) {
				t.Errorf("%s: %d %q, wanted %d with %q", name, c.got.status, c.got.text(), c.status, c.words)
			}
			if to := c.got.header.Get("Location"); strings.Contains(to, "evil") {
				t.Errorf("%s: led to %s", name, to)
			}
		}
		// The name of a form counts for nothing: who acts is whose session it is.
		jon := w.signIn("Jon Reyes", auth.Approver)
		if got := jon.act("approve-step", key, "officer", "ida", "by", "Ida Berg"); got.status != http.StatusSeeOther {
			t.Fatalf("%d: %s", got.status, got.text())
		}
		if got := jon.act("approve-step", key); got.status != http.StatusForbidden {
			t.Errorf("the same person twice: %d", got.status)
		}
		entries, err := w.ledger.About(t.Context(), entity.ID(), 0, 1000)
		w.must(err)
		said := entries[len(entries)-1].Statement.(statement.OfficerAction)
		if said.Action != "approval.granted" || said.Officer.Name != "Jon Reyes" {
			t.Errorf("%+v", said)
		}
	})
}

func TestThePageOfApprovalsListsWhatWaitsForWhoAsksTheMostUrgentFirst(t *testing.T) {
	migrationstest.Each(t, func(t *testing.T, db *gorm.DB) {
		w := newWorld(t, db, false)
		w.enrol("Late Ltd")
		w.pass(2)
		w.enrol("Later Ltd")
		mara := w.signIn("Mara Lind", auth.Approver)
		mara.see("/approvals").shows(t, "What waits for you", "Mara Lind, with the role approver", "Steps to approve", "None that is asked of you now.", "Answers of resellers to decide", "None.", "Proposals to confirm", "None.")
		w.pass(48)
		mara, ida := w.signIn("Mara Lind", auth.Approver), w.signIn("Ida Berg", auth.Viewer)
		mara.see("/approvals").shows(t, "Steps to approve", "Late Ltd", "Closing: ", "Falls due", "1 person must approve", "Approve", "Refuse", "Later Ltd", "Approve")
		ida.see("/approvals").shows(t, "None that is asked of you now.", "Waits for others", "Late Ltd", "It takes the role approver.")
		if strings.Contains(ida.see("/approvals").html, `value="approve-step"`) {
			t.Error("a viewer is shown a button to approve")
		}
		mara.see("/approvals?done=refuse-step").shows(t, "Recorded. You refused the step.")
		if got := mara.see("/approvals?done=<script>"); strings.Contains(got.html, "<script>") || strings.Contains(got.text(), "Recorded") {
			t.Error("the address says what was done")
		}
	})
}

func TestAStayIsPlacedAndLiftedByTwoPeopleOnThePage(t *testing.T) {
	migrationstest.Each(t, func(t *testing.T, db *gorm.DB) {
		w := newWorld(t, db, false)
		entity := w.enrol("Silent Ltd")[0]
		w.pass(45)
		mara, jon := w.signIn("Mara Lind", auth.Member), w.signIn("Jon Reyes", auth.Member)
		id, until := entity.ID().String(), w.now.Add(48*time.Hour).Format("2006-01-02T15:04")
		if got := mara.act("place-case-hold", "", "reseller", id, "kind", "stay", "authority", "District Court", "until", until, "back", pageOf(entity)); got.header.Get("Location") != pageOf(entity)+"?done=place-case-hold" {
			t.Fatalf("%d: %s", got.status, got.text())
		}
		file, err := w.docket.Open(t.Context(), entity.ID())
		w.must(err)
		hold := file.Case.Holds[0].ID
		mara.see(pageOf(entity)).shows(t, "Holds", "A stay of District Court, until", "Mara Lind placed it", "Propose to lift")
		if got := mara.act("propose-lift", hold, "reseller", id); got.status != http.StatusSeeOther {
			t.Fatalf("%d: %s", got.status, got.text())
		}
		if got := mara.act("lift-hold", hold, "reseller", id); got.status != http.StatusForbidden {
			t.Errorf("the one who proposed lifts it: %d", got.status)
		}
		jon.see(pageOf(entity)).shows(t, "Mara Lind proposed to lift it.", "Lift")
		if got := jon.act("lift-hold", hold, "reseller", id); got.status != http.StatusSeeOther {
			t.Errorf("%d: %s", got.status, got.text())
		}
		if strings.Contains(jon.see(pageOf(entity)).text(), "District Court, until") {
			t.Error("a hold that was lifted is shown as in force")
		}
	})
}

func TestADisputeIsDecidedOnThePage(t *testing.T) {
	migrationstest.Each(t, func(t *testing.T, db *gorm.DB) {
		w := newWorld(t, db, false)
		entity := w.enrol("Silent Ltd")[0]
		w.pass(45)
		file, err := w.docket.Open(t.Context(), entity.ID())
		w.must(err)
		set, err := seeded(t, 'r').Sign(envelope.Draft{Issuer: entity, Audience: self, IssuedAt: w.now, JTI: "dispute-1", EventURI: statement.KindRemediation.URI(),
			Event: map[string]any{"kind": "dispute", "text": "We had attested.", "finding": file.Case.Findings[0].ID, "ground": "false-positive"}})
		w.must(err)
		_, err = w.ledger.Append(t.Context(), set)
		w.must(err)
		w.pass(0)
		jon := w.signIn("Jon Reyes", auth.Approver)
		jon.see("/approvals").shows(t, "Answers of resellers to decide", "Silent Ltd", "disputes a finding: it says that nothing falls short", "The reseller is right", "The finding stands")
		if got := jon.act("uphold-appeal", "dispute-1", "reseller", entity.ID().String()); got.status != http.StatusSeeOther {
			t.Fatalf("%d: %s", got.status, got.text())
		}
		w.pass(0)
		jon.see(pageOf(entity)).shows(t, "Open findings", "None: nothing falls short.", "An appeal was upheld.")
	})
}
