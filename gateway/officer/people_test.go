package officer_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"gorm.io/gorm"

	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/gateway/auth"
	"github.com/cipgate/cipgate/gateway/officer"
	"github.com/cipgate/cipgate/migrations/migrationstest"
)

// waysIn are the ways in which an officer comes in.
var waysIn = map[string]func(*hall, string) caller{"token": (*hall).token, "session": (*hall).session}

// eachWay runs a test on both stores, for each way in.
func eachWay(t *testing.T, test func(t *testing.T, h *hall, enter func(name string) caller)) {
	for name, way := range waysIn {
		t.Run(name, func(t *testing.T) {
			migrationstest.Each(t, func(t *testing.T, db *gorm.DB) {
				h := newHall(t, db)
				test(t, h, func(name string) caller { return way(h, name) })
			})
		})
	}
}

func has(t *testing.T, text, words string) {
	t.Helper()
	if !strings.Contains(text, words) {
		t.Errorf("%q does not stand in %s", words, text)
	}
}

func TestTwoPeopleEndARelationshipWhicheverWayTheyComeIn(t *testing.T) {
	eachWay(t, func(t *testing.T, h *hall, enter func(string) caller) {
		for _, name := range []string{"Mara Lind", "Jon Reyes"} {
			h.officer(name, auth.Approver)
		}
		h.officer("Ida Berg", auth.Viewer)
		h.officer("Noel Ward", auth.Member)
		mara, jon, ida, noel := enter("Mara Lind"), enter("Jon Reyes"), enter("Ida Berg"), enter("Noel Ward")
		h.until("restricted")
		asked := ida.approval()
		if asked.MayApprove || asked.WhyNot == "" || asked.Needed != 1 || asked.Step != "close" {
			t.Errorf("a viewer sees %+v", asked)
		}
		approve := "/v1/approvals/" + asked.ID + "/approve"
		for _, wrong := range []caller{ida, noel} {
			has(t, wrong.post(approve, because, http.StatusForbidden), "approver or administrator")
		}
		if h.pass(20 * 24 * time.Hour); h.standing() != "restricted" {
			t.Fatalf("who may not approve did: %s", h.standing())
		}
		if asked = mara.approval(); !asked.MayApprove {
			t.Errorf("an approver sees %+v", asked)
		}
		mara.post(approve, because, http.StatusOK)
		h.pass(0)
		asked = mara.approval()
		if h.standing() != "closing" || asked.Step != "terminate" || asked.Needed != 2 {
			t.Fatalf("%s, %+v", h.standing(), asked)
		}
		approve = "/v1/approvals/" + asked.ID + "/approve"
		mara.post(approve, because, http.StatusOK)
		has(t, mara.post(approve, because, http.StatusForbidden), "two people")
		// The same person by the other ways in is the same person.
		for _, way := range waysIn {
			has(t, way(h, "Mara Lind").post(approve, because, http.StatusForbidden), "two people")
		}
		if asked = mara.approval(); asked.MayApprove || len(asked.Given) != 1 || asked.Given[0].By.Name != "Mara Lind" {
			t.Errorf("%+v", asked)
		}
		if h.pass(30 * 24 * time.Hour); h.standing() != "closing" {
			t.Fatalf("one person ended it: %s", h.standing())
		}
		jon.post(approve, because, http.StatusOK)
		if h.pass(0); h.standing() != "terminated" {
			t.Errorf("it is %s, wanted terminated", h.standing())
		}
	})
}

func TestNobodyActsInAnothersName(t *testing.T) {
	eachWay(t, func(t *testing.T, h *hall, enter func(string) caller) {
		added := h.officer("Mara Lind", auth.Approver)
		h.officer("Jon Reyes", auth.Approver)
		mara := enter("Mara Lind")
		h.until("restricted")
		approve := "/v1/approvals/" + mara.approval().ID + "/approve"
		for _, forged := range []map[string]any{
			{"reason": "r", "officer": map[string]any{"id": "jon", "name": "Jon Reyes"}}, {"reason": "r", "by": "Jon Reyes"}, {"reason": "r", "proposed_by": "jon"},
		} {
			has(t, mara.post(approve, forged, http.StatusUnprocessableEntity), "unexpected property")
		}
		forged := mara
		forged.header = append(slices.Clone(mara.header), "X-Officer", "Jon Reyes", "X-Forwarded-User", "jon")
		forged.post(approve, because, http.StatusOK)
		entries, err := h.ledger.Entries(t.Context(), 0, 1000, statement.KindOfficerAction)
		h.must(err)
		said := entries[len(entries)-1].Statement.(statement.OfficerAction)
		if said.Action != "approval.granted" || said.Officer != added.Stated() {
			t.Errorf("%+v", said)
		}
	})
}

func TestWhoRecordsEvidenceApprovesNoStepOfTheCase(t *testing.T) {
	eachWay(t, func(t *testing.T, h *hall, enter func(string) caller) {
		h.officer("Mara Lind", auth.Approver)
		h.officer("Jon Reyes", auth.Approver)
		mara, jon := enter("Mara Lind"), enter("Jon Reyes")
		found := map[string]any{"reseller": reseller.ID().String(), "ground": "cip-failure", "severity": "critical", "description": "No program exists.",
			"received_at": h.at.Format(time.RFC3339)}
		var recorded struct {
			Evidence string `json:"evidence"`
			Digest   string `json:"digest"`
		}
		mara.do(http.MethodPost, "/v1/evidence", found, http.StatusCreated, &recorded)
		if recorded.Evidence == "" || recorded.Digest == "" {
			t.Errorf("%+v", recorded)
		}
		h.pass(time.Hour)
		asked := mara.approval()
		if asked.Step != "close" || asked.MayApprove {
			t.Fatalf("%s: %+v", h.standing(), asked)
		}
		has(t, mara.post("/v1/approvals/"+asked.ID+"/approve", because, http.StatusForbidden), "recorded the evidence")
		jon.post("/v1/approvals/"+asked.ID+"/approve", because, http.StatusOK)
		found["reseller"] = "nobody"
		has(t, mara.post("/v1/evidence", found, http.StatusBadRequest), "43 characters")
		delete(found, "severity")
		has(t, mara.post("/v1/evidence", found, http.StatusUnprocessableEntity), "severity")
	})
}

func TestOfficersAreManagedByAdministratorsAlone(t *testing.T) {
	eachWay(t, func(t *testing.T, h *hall, enter func(string) caller) {
		var admin string
		_, err := h.auth.EnsureToken(t.Context(), "admin", func(token string) error { admin = token; return nil })
		h.must(err)
		root := caller{h, []string{"Authorization", "Bearer " + admin}}
		var added struct {
			ID   string `json:"id"`
			Role string `json:"role"`
			Mail string `json:"mail"`
		}
		root.do(http.MethodPost, "/v1/officers", map[string]any{"name": "Mara Lind", "role": "approver", "mail": "mara@provider.example"}, http.StatusCreated, &added)
		if added.Role != "approver" || added.Mail == "" {
			t.Errorf("%+v", added)
		}
		root.post("/v1/officers", map[string]any{"name": "Mara Lind", "role": "viewer"}, http.StatusUnprocessableEntity)
		mara := enter("Mara Lind")
		if text := mara.get("/v1/officers", nil); strings.Contains(text, "@") || !strings.Contains(text, added.ID) {
			t.Errorf("an approver sees %s", text)
		}
		of := "/v1/officers/" + added.ID
		for path, body := range map[string]any{
			"/v1/officers": map[string]any{"name": "X", "role": "administrator"}, of + "/change": map[string]any{"role": "administrator", "reason": "r"},
			of + "/disable": because, of + "/enable": because, of + "/link": nil, "/v1/tokens": map[string]any{"officer": added.ID, "label": "mine"},
			"/v1/tokens/revoke": map[string]any{"label": "admin", "reason": "r"},
		} {
			has(t, mara.post(path, body, http.StatusForbidden), "Not allowed")
		}
		mara.do(http.MethodGet, "/v1/tokens", nil, http.StatusForbidden, nil)
		var link struct {
			URL string `json:"url"`
		}
		root.do(http.MethodPost, of+"/link", nil, http.StatusCreated, &link)
		has(t, link.URL, string(self)+"/sign-in#")
		root.post("/v1/tokens", map[string]any{"officer": "mara lind", "label": "laptop", "expires_in": 3600}, http.StatusCreated)
		root.post("/v1/tokens/revoke", map[string]any{"label": "laptop", "reason": "r"}, http.StatusOK)
		if text := root.get("/v1/tokens?officer="+added.ID, nil); !strings.Contains(text, "laptop") || strings.Contains(text, `"token"`) {
			t.Errorf("tokens: %s", text)
		}
		root.post(of+"/disable", because, http.StatusOK)
		mara.do(http.MethodGet, "/v1/officers", nil, http.StatusUnauthorized, nil)
		has(t, root.post("/v1/officers/admin/disable", because, http.StatusUnprocessableEntity), "the last administrator")
		root.post("/v1/officers/nobody/disable", because, http.StatusNotFound)
		entries, err := h.ledger.Entries(t.Context(), 0, 1000, statement.KindOfficerAction)
		h.must(err)
		var actions []string
		for _, e := range entries {
			said := e.Statement.(statement.OfficerAction)
			if e.About != self || said.On != (statement.Target{Type: "gateway", ID: string(self)}) {
				t.Errorf("%+v is about %s", said, e.About)
			}
			actions = append(actions, said.Action)
		}
		for _, wanted := range []string{"officer.added", "officer.linked", "token.created", "token.revoked", "officer.disabled"} {
			if !slices.Contains(actions, wanted) {
				t.Errorf("%s is not recorded: %v", wanted, actions)
			}
		}
	})
}

func TestEveryOperationNamesItsRoleAndAViewerChangesNothing(t *testing.T) {
	migrationstest.Each(t, func(t *testing.T, db *gorm.DB) {
		h := newHall(t, db)
		h.officer("Ida Berg", auth.Viewer)
		ida := h.token("Ida Berg")
		var document struct {
			Paths map[string]map[string]struct {
				ID          string `json:"operationId"`
				Summary     string `json:"summary"`
				Description string `json:"description"`
				Body        any    `json:"requestBody"`
			} `json:"paths"`
		}
		ida.get("/openapi.json", &document)
		if len(document.Paths) < 40 {
			t.Fatalf("%d paths", len(document.Paths))
		}
		for path, methods := range document.Paths {
			for method, operation := range methods {
				if !officer.HasRow(operation.ID) {
					t.Errorf("%s %s (%s) stands in no row of permissions.go", method, path, operation.ID)
				}
				if operation.Summary == "" || !strings.Contains(operation.Description, "Takes the role ") {
					t.Errorf("%s is described as %q, %q", operation.ID, operation.Summary, operation.Description)
				}
				if method == "get" {
					continue
				}
				if strings.Contains(operation.Description, "role viewer") {
					t.Errorf("a viewer may %s", operation.ID)
				}
			}
		}
	})
}
