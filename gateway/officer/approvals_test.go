package officer_test

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"time"

	"gorm.io/gorm"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/gateway/auth"
	"github.com/cipgate/cipgate/gateway/officer"
	"github.com/cipgate/cipgate/migrations/migrationstest"
	"github.com/cipgate/cipgate/resellers/docket"
)

// indexed lets nobody read all cases.
type indexed struct{ *docket.Docket }

var errScanned = errors.New("all cases were read")

func (indexed) Cases(context.Context, *envelope.ID, int) ([]docket.File, error) {
	return nil, errScanned
}

func TestApprovalsAreListedByWhenTheirStepFallsDueOnceTheyAreAskedPageByPage(t *testing.T) {
	migrationstest.Each(t, func(t *testing.T, db *gorm.DB) {
		h := newHall(t, db)
		h.officer("Mara Lind", auth.Approver)
		h.officer("Ida Berg", auth.Viewer)
		mara, ida := h.token("Mara Lind"), h.token("Ida Berg")
		names := map[string]int{"Aurora": 0}
		for i, name := range []string{"Boreal", "Cirrus"} {
			h.pass(24 * time.Hour)
			h.enrol(envelope.Entity(string(self)+"/e/"+name), name)
			names[name] = i + 1
		}
		type page struct {
			Items []officer.Approval `json:"items"`
			Next  string             `json:"next"`
		}
		list := func(of caller, query string) (got page) {
			t.Helper()
			of.get("/v1/approvals?"+query, &got)
			return got
		}
		h.until("restricted")
		if got := list(mara, ""); len(got.Items) != 0 || got.Next != "" {
			t.Fatalf("nobody is asked yet: %+v", got)
		}
		h.pass(8 * 24 * time.Hour) // all three closures are asked about, and one is due
		after := ""
		for i := range len(names) {
			got := list(mara, "limit=1&mine=true&after="+after)
			if len(got.Items) != 1 || names[got.Items[0].Name] != i || got.Items[0].Step != "close" || got.Items[0].Whose == "" || (got.Next == "") != (i == len(names)-1) {
				t.Fatalf("page %d: %+v", i, got)
			}
			after = got.Next
		}
		if got := list(ida, "mine=true"); len(got.Items) != 0 {
			t.Errorf("a viewer may approve %+v", got.Items)
		}
		if got := list(ida, ""); len(got.Items) != len(names) {
			t.Errorf("a viewer sees %+v", got.Items)
		}
		for _, wrong := range []string{"?", "bm9uZQ", "bm9uZQBub25l"} {
			has(t, mara.do(http.MethodGet, "/v1/approvals?after="+wrong, nil, http.StatusBadRequest, nil), "wanted the `next` of the page before")
		}
		every := func(officer.Approval) bool { return true }
		found, next, err := officer.Waiting(t.Context(), indexed{h.docket}, nil, 2, h.at, every)
		if err != nil || len(found) != 2 || next == nil {
			t.Fatalf("%+v, %v, %v", found, next, err)
		}
		found, next, err = officer.Waiting(t.Context(), indexed{h.docket}, next, 2, h.at, every)
		if err != nil || len(found) != 1 || next != nil || found[0].Name != "Cirrus" {
			t.Errorf("%+v, %v, %v", found, next, err)
		}
	})
}
