package main

import (
	"net/url"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/migrations"
	"github.com/cipgate/cipgate/migrations/migrationstest"
)

// joined is a reseller that enrolled by the command line, with its home folder.
func (p *process) joined(name string) *reseller {
	p.t.Helper()
	home := filepath.Join(p.t.TempDir(), "home")
	cipgate(p.t, "join", "--home", home, p.invite(name)).must(p.t)
	r, err := openReseller(home)
	if err != nil {
		p.t.Fatal(err)
	}
	return r
}

// attest pushes an attestation.
func (p *process) attest(r *reseller) error {
	_, err := r.push(p.t.Context(), statement.KindCIPAttestation, attestation())
	return err
}

// attests is attest of a reseller from which it must be taken.
func (p *process) attests(r *reseller) {
	p.t.Helper()
	if err := p.attest(r); err != nil {
		p.t.Fatal(err)
	}
}

// advance moves the sandbox's clock, and with it everything that falls due.
func (p *process) advance(by string) {
	p.t.Helper()
	if err := p.admin().post(p.t.Context(), "/sandbox/clock", map[string]string{"advance": by}, &struct{}{}); err != nil {
		p.t.Fatal(err)
	}
}

// standing is a reseller's, by /v1.
func (p *process) standing(r *reseller) string {
	p.t.Helper()
	var got stands
	p.get("/v1/resellers/"+r.about.Entity.ID().String(), &got)
	return got.Standing
}

// answers are all that /v1 says about resellers, word for word.
func (p *process) answers() map[string]string {
	p.t.Helper()
	told := map[string]string{}
	tell := func(path string) {
		answer, err := p.admin().send(p.t.Context(), "GET", path, "", nil)
		if err != nil {
			p.t.Fatal(err)
		}
		told[path] = string(answer.body)
	}
	var list struct {
		Items []struct {
			ID string `json:"id"`
		} `json:"items"`
	}
	p.get("/v1/resellers", &list)
	tell("/v1/resellers")
	tell("/v1/entries?limit=1000")
	for _, reseller := range list.Items {
		tell("/v1/resellers/" + url.PathEscape(reseller.ID))
		tell("/v1/resellers/" + url.PathEscape(reseller.ID) + "/history?limit=1000")
	}
	return told
}

func TestRebuildGivesTheSameAnswersAndStatesNothing(t *testing.T) {
	t.Parallel()
	migrationstest.EachURL(t, func(t *testing.T, database string) {
		p := newProcess(t, database, "--sandbox", "--policy", automaticPolicy(t))
		p.start()
		diligent, late, silent := p.joined("Nordlys Hosting AS"), p.joined("Tardio Nuvens Ltda"), p.joined("Silent Cloud Pte Ltd")
		p.attests(diligent)
		p.advance("P31D")
		p.attests(late)
		p.advance("P31D")
		fresh := p.joined("Newcomer Hosting BV")
		p.advance("P31D")
		for _, one := range []struct {
			*reseller
			standing string
		}{{diligent, "good"}, {late, "good"}, {silent, "terminated"}, {fresh, "warned"}} {
			if got := p.standing(one.reseller); got != one.standing {
				t.Fatalf("%s stands at %s, the story wants %s", one.about.Entity, got, one.standing)
			}
		}
		before := p.answers()
		p.stop()
		spoil(t, database)
		cipgate(t, p.store("rebuild")...).must(t)
		p.start()
		after := p.answers()
		for path, wanted := range before {
			if after[path] != wanted {
				t.Errorf("%s was\n%s\nand is after the rebuild\n%s", path, wanted, after[path])
			}
		}
		if len(after) != len(before) {
			t.Errorf("%d answers before, %d after", len(before), len(after))
		}
		// The registry was folded again too: it still knows who may state.
		p.attests(fresh)
		if err := p.attest(silent); err == nil || !strings.Contains(err.Error(), "invalid_issuer") {
			t.Errorf("the terminated reseller's push: %v", err)
		}
		p.stop()
	})
}

// spoil takes from the store what only a rebuild brings back.
func spoil(t *testing.T, database string) {
	t.Helper()
	db, err := migrations.Open(t.Context(), database)
	if err != nil {
		t.Fatal(err)
	}
	for _, table := range []string{"docket_files", "registry_entities", "registry_keys"} {
		if result := db.Exec("DELETE FROM " + table); result.Error != nil || result.RowsAffected == 0 {
			t.Errorf("emptying %s: %d rows, %v", table, result.RowsAffected, result.Error)
		}
	}
	if err := migrations.Close(db); err != nil {
		t.Fatal(err)
	}
}
