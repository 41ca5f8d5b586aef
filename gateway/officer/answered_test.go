package officer_test

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"gorm.io/gorm"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/gateway/auth"
	"github.com/cipgate/cipgate/gateway/officer"
	"github.com/cipgate/cipgate/migrations/migrationstest"
)

// answers states what a reseller says of the one finding that is open about it.
func (h *hall) answers(entity envelope.Entity, name string) {
	h.t.Helper()
	file, err := h.docket.Open(h.t.Context(), entity.ID())
	h.must(err)
	said, err := h.signer.Sign(envelope.Draft{Issuer: entity, Audience: self, IssuedAt: h.at, JTI: "answer-of-" + name, EventURI: statement.KindRemediation.URI(),
		Event: statement.Remediation{RemediationKind: "dispute", Text: "It was sent.", Ground: "false-positive", Finding: file.Case.Findings[0].ID}})
	h.must(err)
	_, err = h.ledger.Append(h.t.Context(), said)
	h.must(err)
	h.pass(time.Second)
}

func TestAnswersAreListedTheOldestFirstPageByPageUntilTheyAreDecided(t *testing.T) {
	migrationstest.Each(t, func(t *testing.T, db *gorm.DB) {
		h := newHall(t, db)
		h.officer("Mara Lind", auth.Approver)
		h.officer("Ida Berg", auth.Viewer)
		mara, ida := h.token("Mara Lind"), h.token("Ida Berg")
		names := []string{"Cirrus", "Boreal", "Dune"}
		of := func(name string) envelope.Entity { return envelope.Entity(string(self) + "/e/" + name) }
		for _, name := range []string{"Boreal", "Cirrus", "Dune"} {
			h.enrol(of(name), name)
		}
		h.until("warned")
		for _, name := range names {
			h.answers(of(name), name)
		}
		list := func(who caller) (found []string) {
			t.Helper()
			for after, pages := "", 0; pages == 0 || after != ""; pages++ {
				var page struct {
					Items []officer.Review `json:"items"`
					Next  string           `json:"next"`
				}
				who.get("/v1/reviews?limit=1&after="+after, &page)
				for _, r := range page.Items {
					found = append(found, fmt.Sprintf("%s of %s, %t", r.Kind, r.Name, r.MayDecide))
				}
				after = page.Next
			}
			return found
		}
		if got, wanted := fmt.Sprint(list(mara)), "[dispute of Cirrus, true dispute of Boreal, true dispute of Dune, true]"; got != wanted {
			t.Errorf("listed %s, wanted %s", got, wanted)
		}
		mara.post("/v1/resellers/"+of("Boreal").ID().String()+"/appeals/answer-of-Boreal/uphold", because, http.StatusOK)
		h.pass(time.Second)
		if got, wanted := fmt.Sprint(list(ida)), "[dispute of Cirrus, false dispute of Dune, false]"; got != wanted {
			t.Errorf("listed %s, wanted %s", got, wanted)
		}
		has(t, mara.do(http.MethodGet, "/v1/reviews?after=bm9uZQ", nil, http.StatusBadRequest, nil), "wanted the `next` of the page before")
	})
}
