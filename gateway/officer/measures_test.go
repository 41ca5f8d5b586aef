package officer_test

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/gofiber/fiber/v2"
	"gorm.io/gorm"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/gateway/auth"
	"github.com/cipgate/cipgate/gateway/officer"
	"github.com/cipgate/cipgate/gateway/problem"
	"github.com/cipgate/cipgate/migrations/migrationstest"
	officers "github.com/cipgate/cipgate/resellers/desk"
	"github.com/cipgate/cipgate/resellers/docket"
	"github.com/cipgate/cipgate/resellers/policy"
)

// window is the desk with a screener, and an officer who is known by a token.
type window struct {
	*desk
	screener *docket.Screener
	token    string
}

func newWindow(t *testing.T, db *gorm.DB) *window {
	t.Helper()
	w := &window{desk: newDesk(t, db)}
	clock := func() time.Time { return now }
	w.screener = docket.NewScreener(db, w.ledger, self, policy.Default().SpecialMeasures.Likeness.Value, clock)
	known := auth.New(db, clock, true)
	made, err := known.EnsureToken(t.Context(), "Mara Lind", func(token string) error { w.token = token; return nil })
	if err != nil || !made {
		t.Fatal(made, err)
	}
	quiet := slog.New(slog.DiscardHandler)
	w.app = fiber.New(fiber.Config{Immutable: true, ErrorHandler: problem.Details(quiet)})
	w.app.Use("/v1", known.API())
	officer.API{Docket: w.docket, Ledger: w.ledger, Entity: self, Version: "1", Log: quiet, Screener: w.screener, Exempted: w.docket, Cases: w.docket, Officers: known, Now: clock,
		Desk: officers.New(db, w.ledger, w.screener, w.docket, w.signer, self, policy.Default().SpecialMeasures, clock)}.Mount(w.app)
	keys, err := w.signer.Public().MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	set := []byte(`{"keys":[` + string(keys) + `]}`)
	enrolled, err := w.signer.Sign(envelope.Draft{Issuer: self, Audience: self, IssuedAt: now, JTI: "enrolled", EventURI: statement.KindEntityEnrolled.URI(),
		Subject: envelope.Subject{Format: "uri", URI: string(reseller)},
		Event: statement.EntityEnrolled{Entity: reseller, Name: "Aurora", Country: "DE", Superior: self, Contact: "c@example.com", Tier: 1,
			Invitation: "i", FederationKeys: set, Keys: set, Configuration: "a.b.c"}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.ledger.Append(t.Context(), enrolled); err != nil {
		t.Fatal(err)
	}
	return w
}

// settle folds and screens all there is.
func (w *window) settle() {
	w.t.Helper()
	if err := w.docket.CatchUp(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
	if more, _, err := w.screener.Screen(w.t.Context(), 1000); err != nil || more {
		w.t.Fatal(more, err)
	}
}

// call sends a request as the officer and reads the answer, or fails if it has another status.
func call[T any](w *window, method, path, body string, status int) (answer T, text string) {
	w.t.Helper()
	request := httptest.NewRequestWithContext(w.t.Context(), method, path, strings.NewReader(body))
	request.Header.Set("Authorization", "Bearer "+w.token)
	request.Header.Set("Content-Type", "application/json")
	got, err := w.app.Test(request, -1)
	if err != nil {
		w.t.Fatal(err)
	}
	defer got.Body.Close()
	read, err := io.ReadAll(got.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	if got.StatusCode != status {
		w.t.Fatalf("%s %s: status %d, wanted %d: %s", method, path, got.StatusCode, status, read)
	}
	if status < http.StatusBadRequest {
		if err := json.Unmarshal(read, &answer); err != nil {
			w.t.Fatalf("%s %s: %v in %s", method, path, err, read)
		}
	}
	return answer, string(read)
}

type (
	measureSeen struct {
		ID       string `json:"id"`
		Version  int    `json:"version"`
		Status   string `json:"status"`
		Screened string `json:"screened"`
		List     string `json:"list"`
		EndsAt   string `json:"ends_at"`
		Lifted   bool   `json:"lifted"`
	}
	hitSeen struct {
		ID       string `json:"id"`
		Measure  string `json:"measure"`
		List     string `json:"list"`
		Party    string `json:"party"`
		Customer string `json:"customer"`
		Score    int    `json:"score"`
		Decided  string `json:"decided"`
		Decision string `json:"decision"`
		InForce  bool   `json:"in_force"`
	}
	seen[T any] struct {
		Items []T    `json:"items"`
		Next  string `json:"next"`
	}
)

const iran = `{"id": "m-1", "country": "IR", "effect": "prohibit", "determined_on": "2025-07-01", "effective_on": "2026-02-01", "expires_on": "2027-01-31", "list": "list-2026.1", "source": "91 FR 1"}`

func TestASpecialMeasureIsImposedScreenedForExtendedAndLifted(t *testing.T) {
	migrationstest.Each(t, func(t *testing.T, db *gorm.DB) {
		w := newWindow(t, db)
		w.verify("c-1", "IR", "low")
		w.verify("c-2", "BR", "low")
		imposed, _ := call[measureSeen](w, http.MethodPost, "/v1/special-measures", iran, http.StatusCreated)
		if imposed.Version != 1 || imposed.Status != "in-force" {
			t.Errorf("imposed: %+v", imposed)
		}
		again, _ := call[measureSeen](w, http.MethodPost, "/v1/special-measures", iran, http.StatusCreated)
		if again.Version != 1 {
			t.Errorf("the same again made another version: %+v", again)
		}
		if all, _ := call[seen[measureSeen]](w, http.MethodGet, "/v1/special-measures", "", http.StatusOK); len(all.Items) != 1 || all.Items[0].Screened != "pending" {
			t.Errorf("before anybody was screened: %+v", all)
		}
		w.settle()
		if all, _ := call[seen[measureSeen]](w, http.MethodGet, "/v1/special-measures", "", http.StatusOK); all.Items[0].Screened != "since-in-force" {
			t.Errorf("after everybody was: %+v", all)
		}
		hits, _ := call[seen[hitSeen]](w, http.MethodGet, "/v1/screening/hits?in_force=true&measure=m-1", "", http.StatusOK)
		if len(hits.Items) != 1 || hits.Items[0].Customer != "c-1" || hits.Items[0].List != "list-2026.1" || hits.Items[0].Decision != "none" || !hits.Items[0].InForce {
			t.Errorf("hits: %+v", hits)
		}
		extension := strings.NewReplacer("2027-01-31", "2028-01-31", "list-2026.1", "list-2026.2").Replace(iran)
		if extended, _ := call[measureSeen](w, http.MethodPost, "/v1/special-measures", extension, http.StatusCreated); extended.Version != 2 || extended.EndsAt != "2028-02-01T00:00:00Z" {
			t.Errorf("extended: %+v", extended)
		}
		w.settle()
		if hits, _ := call[seen[hitSeen]](w, http.MethodGet, "/v1/screening/hits", "", http.StatusOK); len(hits.Items) != 1 || hits.Items[0].List != "list-2026.2" {
			t.Errorf("under the extension: %+v", hits)
		}
		first, _ := call[seen[measureSeen]](w, http.MethodGet, "/v1/special-measures?limit=1", "", http.StatusOK)
		rest, _ := call[seen[measureSeen]](w, http.MethodGet, "/v1/special-measures?limit=1&after="+first.Next, "", http.StatusOK)
		if first.Items[0].Status != "over" || len(rest.Items) != 1 || rest.Items[0].Version != 2 || rest.Next != "" {
			t.Errorf("page by page: %+v, %+v", first, rest)
		}
		lift := `{"lifted_on": "2026-02-20", "reason": "revoked", "list": "list-2026.3", "source": "91 FR 2"}`
		if lifted, _ := call[measureSeen](w, http.MethodPost, "/v1/special-measures/m-1/lift", lift, http.StatusOK); !lifted.Lifted || lifted.Status != "over" {
			t.Errorf("lifted: %+v", lifted)
		}
		w.settle()
		if hits, _ := call[seen[hitSeen]](w, http.MethodGet, "/v1/screening/hits", "", http.StatusOK); len(hits.Items) != 0 {
			t.Errorf("after it was lifted: %+v", hits)
		}
		call[any](w, http.MethodPost, "/v1/special-measures/m-1/lift", lift, http.StatusUnprocessableEntity)
		call[any](w, http.MethodPost, "/v1/special-measures/nobody/lift", lift, http.StatusNotFound)
		acted := w.acted(self)
		if len(acted) != 3 || acted[0].Officer.Name != "Mara Lind" || acted[0].On.ID != "m-1" || acted[2].Action != "special-measure.lifted" || acted[2].Reason != "revoked" {
			t.Errorf("who did it: %+v", acted)
		}
	})
}

// acted is what officers did about an entity, by the ledger.
func (w *window) acted(about envelope.Entity) []statement.OfficerAction {
	w.t.Helper()
	entries, err := w.ledger.About(w.t.Context(), about.ID(), 0, 100)
	if err != nil {
		w.t.Fatal(err)
	}
	var acted []statement.OfficerAction
	for _, e := range entries {
		if said, ok := e.Statement.(statement.OfficerAction); ok {
			acted = append(acted, said)
		}
	}
	return acted
}

func TestAMeasureThatCannotBeIsRefusedAndNothingIsRecorded(t *testing.T) {
	migrationstest.Each(t, func(t *testing.T, db *gorm.DB) {
		w := newWindow(t, db)
		for name, c := range map[string]struct {
			old, replacement string
			status           int
			says             string
		}{
			"longer than the rule allows":    {"2027-01-31", "2027-02-01", 422, "expires_on: wanted 2027-01-31 at the latest, 365 days"},
			"sooner than the rule allows":    {"2025-07-01", "2025-12-01", 422, "effective_on: wanted 2026-05-30 at the earliest, 180 days"},
			"a country that is none":         {`"IR"`, `"XK"`, 422, "ISO 3166-1"},
			"a country and a person":         {`"country": "IR"`, `"country": "IR", "names": ["Maria Souza"]`, 422, "/scope/country"},
			"against nobody":                 {`"country": "IR", `, ``, 422, "scope"},
			"a condition that nobody states": {`"prohibit"`, `"condition"`, 422, "/conditions"},
			"an effect that is none":         {`"prohibit"`, `"forbid"`, 422, "effect"},
			"a day that is none":             {"2026-02-01", "2026-02-30", 422, "effective_on"},
			"expired before":                 {"2027-01-31", "2026-01-31", 422, "/expires_on"},
			"a list that has no version":     {`"list-2026.1"`, `"the list"`, 422, "/list"},
		} {
			body := strings.Replace(iran, c.old, c.replacement, 1)
			if body == iran {
				t.Fatalf("%s: nothing replaced", name)
			}
			if _, text := call[any](w, http.MethodPost, "/v1/special-measures", body, c.status); !strings.Contains(text, c.says) || strings.Contains(text, "Maria Souza") {
				t.Errorf("%s: %s", name, text)
			}
		}
		if size, err := w.ledger.Size(t.Context()); err != nil || size != 1 {
			t.Errorf("%d entries, %v", size, err)
		}
	})
}

func TestAnOfficerClearsOrConfirmsAHintWithAReasonThatIsOnRecord(t *testing.T) {
	migrationstest.Each(t, func(t *testing.T, db *gorm.DB) {
		w := newWindow(t, db)
		w.verify("c-1", "IR", "low") // by the name of Maria Souza
		person := strings.Replace(strings.Replace(iran, `"country": "IR"`, `"names": ["Souza, Mariah"]`, 1), "m-1", "p-1", 1)
		call[measureSeen](w, http.MethodPost, "/v1/special-measures", iran, http.StatusCreated)
		call[measureSeen](w, http.MethodPost, "/v1/special-measures", person, http.StatusCreated)
		w.settle()
		open, _ := call[seen[hitSeen]](w, http.MethodGet, "/v1/screening/hits?open=true", "", http.StatusOK)
		if len(open.Items) != 1 || open.Items[0].Measure != "p-1" || open.Items[0].Decided != "hint" || open.Items[0].Decision != "open" || open.Items[0].Score >= 100 {
			t.Fatalf("open: %+v", open)
		}
		hint := open.Items[0].ID
		call[any](w, http.MethodPost, "/v1/screening/hits/"+hint+"/clear", `{}`, http.StatusUnprocessableEntity)
		cleared, _ := call[hitSeen](w, http.MethodPost, "/v1/screening/hits/"+hint+"/clear", `{"reason": "another date of birth"}`, http.StatusOK)
		w.settle()
		if open, _ := call[seen[hitSeen]](w, http.MethodGet, "/v1/screening/hits?open=true", "", http.StatusOK); cleared.Decision != "cleared" || len(open.Items) != 0 {
			t.Errorf("cleared: %+v, and open %+v", cleared, open)
		}
		// It is over with the officer's word, and is not listed any more unless that is asked for.
		stands, _ := call[seen[hitSeen]](w, http.MethodGet, "/v1/screening/hits", "", http.StatusOK)
		over, _ := call[seen[hitSeen]](w, http.MethodGet, "/v1/screening/hits?cleared=true&measure=p-1", "", http.StatusOK)
		if len(stands.Items) != 1 || stands.Items[0].Measure != "m-1" || len(over.Items) != 1 || over.Items[0].Decision != "cleared" || over.Items[0].InForce {
			t.Errorf("after it was cleared: %+v, and with what is over: %+v", stands, over)
		}
		call[hitSeen](w, http.MethodPost, "/v1/screening/hits/"+hint+"/confirm", `{"reason": "the passport says so"}`, http.StatusOK)
		w.settle()
		all, _ := call[seen[hitSeen]](w, http.MethodGet, "/v1/screening/hits?limit=1", "", http.StatusOK)
		rest, _ := call[seen[hitSeen]](w, http.MethodGet, "/v1/screening/hits?limit=1&after="+all.Next, "", http.StatusOK)
		if len(all.Items) != 1 || len(rest.Items) != 1 || rest.Items[0].Decision != "confirmed" {
			t.Fatalf("page by page: %+v, %+v", all, rest)
		}
		call[any](w, http.MethodPost, "/v1/screening/hits/"+all.Items[0].ID+"/clear", `{"reason": "x"}`, http.StatusUnprocessableEntity)
		call[any](w, http.MethodPost, "/v1/screening/hits/nobody/clear", `{"reason": "x"}`, http.StatusNotFound)
		acted := w.acted(reseller)
		if len(acted) != 2 || acted[0].Action != docket.ActionCleared || acted[1].Reason != "the passport says so" || acted[1].Officer.ID != "Mara-Lind" {
			t.Errorf("on record: %+v", acted)
		}
	})
}

type exemptionSeen struct {
	ID      string `json:"id"`
	About   string `json:"about"`
	Of      string `json:"of"`
	Until   string `json:"until"`
	InForce bool   `json:"in_force"`
}

const grant = `{"reseller": "https://provider.example/e/aurora", "id": "e-1", "granted_by": "Secretary of Commerce", "granted_on": "2026-02-27", "until": "2027-03-01T00:00:00Z", "conditions": "A report every quarter.", "reference": "BIS-1"}`

func TestAnExemptionIsGrantedShownBesideTheStandingExtendedAndWithdrawn(t *testing.T) {
	migrationstest.Each(t, func(t *testing.T, db *gorm.DB) {
		w := newWindow(t, db)
		w.settle()
		granted, _ := call[exemptionSeen](w, http.MethodPost, "/v1/exemptions", grant, http.StatusCreated)
		if !granted.InForce || granted.Of != "reseller" || granted.About != string(reseller) {
			t.Errorf("granted: %+v", granted)
		}
		call[exemptionSeen](w, http.MethodPost, "/v1/exemptions", grant, http.StatusCreated) // the same again
		provider := strings.Replace(strings.Replace(grant, `"reseller": "https://provider.example/e/aurora"`, `"provider": true`, 1), "e-1", "e-9", 1)
		call[exemptionSeen](w, http.MethodPost, "/v1/exemptions", provider, http.StatusCreated)
		w.settle()
		type line struct {
			Standing string `json:"standing"`
			Exempt   string `json:"exempt_until"`
		}
		if got, _ := call[seen[line]](w, http.MethodGet, "/v1/resellers", "", http.StatusOK); len(got.Items) != 1 || got.Items[0].Exempt != "2027-03-01T00:00:00Z" || got.Items[0].Standing != "pending" {
			t.Errorf("in the list: %+v", got)
		}
		if got, _ := call[line](w, http.MethodGet, "/v1/resellers/"+reseller.ID().String(), "", http.StatusOK); got.Exempt != "2027-03-01T00:00:00Z" {
			t.Errorf("on its own: %+v", got)
		}
		if got, _ := call[seen[exemptionSeen]](w, http.MethodGet, "/v1/exemptions", "", http.StatusOK); len(got.Items) != 2 || got.Items[0].Of != "provider" || got.Items[1].ID != "e-1" {
			t.Errorf("listed: %+v", got)
		}
		call[any](w, http.MethodPost, "/v1/exemptions", strings.Replace(grant, "e-1", "e-2", 1), http.StatusUnprocessableEntity)
		if extended, _ := call[exemptionSeen](w, http.MethodPost, "/v1/exemptions", strings.Replace(grant, "2027-03", "2028-03", 1), http.StatusCreated); extended.Until != "2028-03-01T00:00:00Z" {
			t.Errorf("extended: %+v", extended)
		}
		withdraw := `{"reseller": "https://provider.example/e/aurora", "reason": "not kept up to date"}`
		call[any](w, http.MethodPost, "/v1/exemptions/e-7/withdraw", withdraw, http.StatusNotFound)
		if got, _ := call[exemptionSeen](w, http.MethodPost, "/v1/exemptions/e-1/withdraw", withdraw, http.StatusOK); got.InForce {
			t.Errorf("withdrawn: %+v", got)
		}
		call[any](w, http.MethodPost, "/v1/exemptions/e-1/withdraw", withdraw, http.StatusUnprocessableEntity)
		w.settle()
		if got, _ := call[seen[line]](w, http.MethodGet, "/v1/resellers", "", http.StatusOK); got.Items[0].Exempt != "" {
			t.Errorf("in the list after it was withdrawn: %+v", got)
		}
		if size, err := w.ledger.Size(t.Context()); err != nil || size != 5 {
			t.Errorf("%d entries, %v: an enrolment, two exemptions, an extension and a withdrawal", size, err)
		}
	})
}

func TestAnExemptionOfNobodyIsRefused(t *testing.T) {
	migrationstest.Each(t, func(t *testing.T, db *gorm.DB) {
		w := newWindow(t, db)
		w.settle()
		for name, c := range map[string]struct {
			old, replacement string
			status           int
		}{
			"of a reseller that nobody enrolled": {"e/aurora", "e/nobody", 404},
			"of what is no entity":               {"https://provider.example/e/aurora", "aurora", 400},
			"of both":                            {`{"reseller"`, `{"provider": true, "reseller"`, 400},
			"of nobody":                          {`"reseller": "https://provider.example/e/aurora", `, ``, 400},
			"of the gateway by its name":         {"https://provider.example/e/aurora", "https://provider.example", 400},
			"that is over":                       {"2027-03-01T00:00:00Z", "2026-02-28T00:00:00Z", 422},
			"that is still to be granted":        {"2026-02-27", "2026-03-09", 422},
			"without end":                        {`"until": "2027-03-01T00:00:00Z", `, ``, 422},
		} {
			body := strings.Replace(grant, c.old, c.replacement, 1)
			if body == grant {
				t.Fatalf("%s: nothing replaced", name)
			}
			call[any](w, http.MethodPost, "/v1/exemptions", body, c.status)
		}
		if size, err := w.ledger.Size(t.Context()); err != nil || size != 1 {
			t.Errorf("%d entries, %v", size, err)
		}
	})
}
