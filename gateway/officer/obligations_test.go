package officer_test

import (
	"net/http"
	"testing"
	"time"

	"gorm.io/gorm"

	"github.com/cipgate/cipgate/gateway/auth"
	"github.com/cipgate/cipgate/gateway/officer"
	"github.com/cipgate/cipgate/migrations/migrationstest"
)

const aDay = 24 * time.Hour

// The reseller is restricted on day 44 and hides. Its closure is due on day 51, and waits until it is proved that it was told.
func TestAHiddenResellerIsCalledClosedAndReportedOverHTTP(t *testing.T) {
	migrationstest.Each(t, func(t *testing.T, db *gorm.DB) {
		h := newHall(t, db)
		for _, name := range []string{"Mara Lind", "Jon Reyes"} {
			h.officer(name, auth.Approver)
		}
		h.officer("Noel Ward", auth.Member)
		h.officer("Ida Berg", auth.Viewer)
		mara, jon, noel, ida := h.token("Mara Lind"), h.token("Jon Reyes"), h.token("Noel Ward"), h.token("Ida Berg")
		id := reseller.ID().String()
		calls := func() (got struct {
			Items []officer.Call `json:"items"`
		}) {
			t.Helper()
			ida.get("/v1/calls", &got)
			return got
		}
		type owed struct {
			Items []officer.Obligation `json:"items"`
			Next  string               `json:"next"`
		}
		list := func(query string) (got owed) {
			t.Helper()
			ida.get("/v1/obligations?"+query, &got)
			return got
		}
		h.until("restricted")
		if got := calls(); len(got.Items) != 0 {
			t.Errorf("to call at once: %+v", got)
		}
		mara.post("/v1/approvals/"+mara.approval().ID+"/approve", because, http.StatusOK)
		h.pass(5 * aDay)
		got := calls()
		if len(got.Items) != 1 || got.Items[0].Reseller != reseller || got.Items[0].Notice.Of != "restrict" || got.Items[0].Notice.For != "close" || got.Items[0].Notice.TriesNeeded != 2 {
			t.Fatalf("to call: %+v", got)
		}
		has(t, got.Items[0].Notice.Words, "Call, or send a courier, by")
		tries := func(unanswered bool, channel string) map[string]any {
			return map[string]any{"notice": got.Items[0].Notice.Notice, "channel": channel, "whom": "head of compliance", "at": h.at.Format(time.RFC3339), "unanswered": unanswered, "reason": "It rang."}
		}
		record := "/v1/resellers/" + id + "/notices/record"
		ida.post(record, tries(true, "call"), http.StatusForbidden)
		has(t, noel.post(record, tries(true, "meeting"), http.StatusUnprocessableEntity), "Whom nobody met, nobody told")
		has(t, noel.post(record, tries(true, "call"), http.StatusCreated), "nobody answered")
		h.pass(3 * aDay)
		if h.standing() != "restricted" {
			t.Fatalf("one try sufficed: %s", h.standing())
		}
		var one struct {
			Notice      officer.Notified     `json:"notice"`
			Obligations []officer.Obligation `json:"obligations"`
		}
		if ida.get("/v1/resellers/"+id+"/case", &one); len(one.Notice.Tries) != 1 || one.Notice.ProvedAt != nil || one.Notice.EndsAt == nil {
			t.Errorf("the case shows %+v", one.Notice)
		}
		noel.post(record, tries(true, "courier"), http.StatusCreated)
		if h.pass(aDay); h.standing() != "closing" || len(calls().Items) != 0 {
			t.Fatalf("two tries on two days, and a day for the reseller: %s", h.standing())
		}

		open := list("state=open").Items
		if len(open) != 2 || open[0].Kind != "closure-report" || open[0].About != reseller || open[0].State != "open" || open[1].Kind != "certification" || open[1].About != self {
			t.Fatalf("owed: %+v", open)
		}
		if ida.get("/v1/resellers/"+id+"/case", &one); len(one.Obligations) != 1 || one.Obligations[0].ID != open[0].ID {
			t.Errorf("the case shows %+v", one.Obligations)
		}
		first := list("limit=1")
		if second := list("limit=1&after=" + first.Next); len(second.Items) != 1 || second.Items[0].ID != open[1].ID {
			t.Errorf("page by page: %+v, %+v", first, second)
		}
		fulfil := "/v1/obligations/" + open[0].ID + "/fulfil"
		done := map[string]any{"reference": "IC3 I-17", "reason": "Reported."}
		ida.post(fulfil, done, http.StatusForbidden)
		noel.post(fulfil, because, http.StatusUnprocessableEntity)
		has(t, noel.post("/v1/obligations/none/fulfil", done, http.StatusNotFound), "GET /v1/obligations lists them")
		h.pass(4 * aDay)
		if late := list("state=overdue"); len(late.Items) != 1 || late.Items[0].State != "overdue" {
			t.Errorf("overdue: %+v", late)
		}
		noel.post(fulfil, done, http.StatusOK)
		has(t, mara.post(fulfil, done, http.StatusUnprocessableEntity), "it was fulfilled at")
		var ended officer.Obligation
		if ida.get("/v1/obligations/"+open[0].ID, &ended); ended.State != "fulfilled" || !ended.Late || ended.Reference != "IC3 I-17" || ended.EndedBy.Name != "Noel Ward" {
			t.Errorf("%+v", ended)
		}

		// What an authority asks for, and a waiver by two.
		asked := map[string]any{"kind": "department-request", "reseller": id, "request": "BIS-17", "what": "Its written CIP.", "received_at": h.at.Add(-aDay).Format(time.RFC3339)}
		var recorded struct {
			Obligation string    `json:"obligation"`
			DueAt      time.Time `json:"due_at"`
		}
		if noel.do(http.MethodPost, "/v1/obligations", asked, http.StatusCreated, &recorded); !recorded.DueAt.Equal(h.at.Add(9 * aDay)) {
			t.Errorf("%+v", recorded)
		}
		asked["received_at"] = h.at.Add(aDay).Format(time.RFC3339)
		has(t, noel.post("/v1/obligations", asked, http.StatusUnprocessableEntity), "a time that is past")
		delete(asked, "reseller")
		asked["kind"], asked["received_at"] = "certification", h.at.Format(time.RFC3339)
		noel.post("/v1/obligations", asked, http.StatusUnprocessableEntity)
		var proposed struct {
			JTI string `json:"jti"`
		}
		mara.do(http.MethodPost, "/v1/obligations/"+recorded.Obligation+"/waive", because, http.StatusCreated, &proposed)
		confirm := "/v1/proposals/" + proposed.JTI + "/confirm"
		has(t, mara.post(confirm, because, http.StatusForbidden), "nobody confirms what they proposed")
		has(t, mara.get("/v1/proposals", nil), "obligation.waived")
		jon.post(confirm, because, http.StatusOK)
		if ida.get("/v1/obligations/"+recorded.Obligation, &ended); ended.State != "waived" || ended.EndedBy.Name != "Jon Reyes" || ended.ProposedBy.Name != "Mara Lind" {
			t.Errorf("%+v", ended)
		}
		has(t, ida.get("/v1/obligations?state=ended", nil), "BIS-17")
		// About the gateway itself too.
		has(t, noel.post("/v1/obligations/"+open[1].ID+"/fulfil", done, http.StatusOK), "The obligation is fulfilled.")
		if next := list("state=open&kind=certification").Items; len(next) != 1 || next[0].Subject != "2" {
			t.Errorf("the next certification: %+v", next)
		}
		has(t, ida.get("/v1/resellers/"+id+"/history?limit=1000", nil), "nobody answered")
	})
}
