package main

import (
	"crypto/sha256"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/migrations/migrationstest"
)

// A terminated reseller still hands in the written program that it attested while the relationship stood: it is kept as evidence and
// changes nothing. Nothing that it did not attest then is taken.
func TestATerminatedResellerHandsInOnlyWhatItHadAttested(t *testing.T) {
	t.Parallel()
	migrationstest.EachURL(t, func(t *testing.T, database string) {
		g := startGateway(t, database, walksAlone(t))
		r := g.enrol("Silent Cloud Pte Ltd")
		program, another := []byte("%PDF-1.7 Our program."), []byte("%PDF-1.7 Another program.")
		if _, err := r.push(t.Context(), statement.KindCIPAttestation, attestsCopy(program)); err != nil {
			t.Fatal(err)
		}
		if err := g.Advance(t.Context(), 365*24*time.Hour); err != nil { // the attestation goes stale, and is not renewed
			t.Fatal(err)
		}
		g.terminate(r)
		size := g.size()
		if _, err := r.handIn(t.Context(), "application/pdf", another); err == nil || !strings.Contains(err.Error(), "before the relationship was terminated") || strings.Contains(err.Error(), "Push the cip-attestation") {
			t.Errorf("what it never attested: %v", err)
		}
		if _, err := r.push(t.Context(), statement.KindCIPAttestation, attestsCopy(another)); err == nil || !strings.Contains(err.Error(), "terminated") {
			t.Errorf("attested now: %v", err)
		}
		if g.size() != size {
			t.Errorf("the ledger grew from %d to %d", size, g.size())
		}
		if _, err := r.handIn(t.Context(), "application/pdf", program); err != nil {
			t.Fatalf("what it had attested: %v", err)
		}
		g.settled()
		g.standsAs(r, "terminated")
		path := "/v1/resellers/" + r.about.Entity.ID().String() + "/documents/" + envelope.Digest(sha256.Sum256(program)).String()
		if response, text := g.do(http.MethodGet, path, http.Header{"Authorization": {"Bearer " + g.token}}, nil); response.StatusCode != http.StatusOK || text != string(program) {
			t.Errorf("an officer reads %d %s", response.StatusCode, text)
		}
		if g.size() != size+1 {
			t.Errorf("the ledger holds %d entries, wanted one more than %d", g.size(), size)
		}
	})
}

// After an erasure the store still checks: receipts, tree, standing, the signatures of what is left; and it is built anew the same.
func TestAfterAnErasureTheStoreStillChecksAndIsBuiltAnew(t *testing.T) {
	t.Parallel()
	migrationstest.EachURL(t, func(t *testing.T, database string) {
		p := newProcess(t, database, "--sandbox")
		p.start()
		r := p.joined("Nordlys Hosting AS")
		p.attests(r)
		p.verifies(r, "customer-1", verified("customer", "BR", ""))
		p.advance("P731D")
		path := "/v1/resellers/" + r.about.Entity.ID().String()
		var done struct {
			Statements int `json:"statements"`
		}
		if err := p.admin().post(t.Context(), path+"/erasures", map[string]string{"customer": "customer-1", "legal_basis": "Asked by letter."}, &done); err != nil || done.Statements != 1 {
			t.Fatalf("%+v, %v", done, err)
		}
		var marked struct {
			Items []struct{} `json:"items"`
		}
		p.get(path+"/marked", &marked)
		p.advance("PT1M")
		before := p.standing(r)
		p.stop()
		if got := cipgate(t, p.store("ledger", "check")...).must(t); !strings.Contains(got, "Erased: 1 erased submissions") {
			t.Errorf("ledger check says %s", got)
		}
		cipgate(t, p.store("rebuild")...).must(t)
		cipgate(t, p.store("ledger", "check")...).must(t)
		p.start()
		if after := p.standing(r); after != before {
			t.Errorf("it stood at %s, and after the rebuild at %s", before, after)
		}
		p.stop()
	})
}
