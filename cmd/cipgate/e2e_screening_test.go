package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/migrations/migrationstest"
)

// listOf runs a command of this gateway that prints a list, as a script does.
func listOf[T any](p *process, command ...string) []T {
	p.t.Helper()
	var told struct {
		Items []T `json:"items"`
	}
	cipgate(p.t, append(command, "--json", "--url", p.base, "--data", p.data)...).read(p.t, &told)
	return told.Items
}

// officer runs a command of this gateway's officers to its end.
func (p *process) officer(command ...string) ended {
	p.t.Helper()
	return cipgate(p.t, append(command, "--url", p.base, "--data", p.data)...)
}

// verifies states what a reseller found out of a customer, or of an owner of it.
func (p *process) verifies(r *reseller, customer, event string) {
	p.t.Helper()
	file := filepath.Join(p.t.TempDir(), "event.json")
	if err := os.WriteFile(file, []byte(`{"`+statement.KindCustomerVerification.URI()+`": `+event+`}`), 0o600); err != nil {
		p.t.Fatal(err)
	}
	cipgate(p.t, "push", "--home", r.home, "--customer", customer, file).must(p.t)
}

func verified(party, home, more string) string {
	return `{"party": "` + party + `", "form": "individual", "result": "verified", "checked_on": "2026-02-10", "reasonable_belief": true, "risk_tier": "low",
		"method": "documentary", "countries": {"home": "` + home + `"}` + more + `}`
}

// whoIs names hits by measure and party, sorted.
func whoIs(hits []hitTold) string {
	var all []string
	for _, h := range hits {
		all = append(all, strings.TrimSpace(h.Measure+" "+h.Party+" "+h.Customer+" "+h.Owner))
	}
	slices.Sort(all)
	return strings.Join(all, "; ")
}

// The whole of screening with the binary and over HTTP: a measure is recorded half a year ahead, whoever is on file and whoever comes
// is held against it, and everybody again when it comes into force; a name is a hint that an officer ends; what is extended goes on,
// what is lifted hits nobody any more; and a rebuild finds the same.
func TestSpecialMeasuresAreScreenedFromTheCommandLineToTheLastHit(t *testing.T) {
	t.Parallel()
	migrationstest.EachURL(t, func(t *testing.T, database string) {
		p := newProcess(t, database, "--sandbox", "--policy", policyFile(t, "value: refuse\n    source: >-\n      Nothing in 15 CFR", "value: accept\n    source: >-\n      Nothing in 15 CFR"))
		p.start()
		r := p.joined("Nordlys Hosting AS")
		p.attests(r)
		p.verifies(r, "c-1", verified("customer", "IR", ""))
		p.verifies(r, "c-2", verified("customer", "DE", ""))
		p.verifies(r, "c-2", verified("owner", "IR", `, "owner": {"id": "o-1", "basis": "control"}`))
		p.verifies(r, "c-3", verified("customer", "BR", `, "identity": {"name": "Maria Souza"}`))
		now, err := newClient(p.base, "").sandboxTime(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		day := func(days int) string { return now.AddDate(0, 0, days).UTC().Format(time.DateOnly) }
		published := []string{"--list", "us-special-measures-2026.11", "--source", "91 FR 1"}
		impose := func(more ...string) ended {
			return p.officer(append(append([]string{"measures", "impose", "--effect", "prohibit", "--determined-on", day(0)}, published...), more...)...)
		}
		early := impose("--id", "m-1", "--country", "IR", "--effective-on", day(100), "--expires-on", day(300))
		if early.code != exitRefused || !strings.Contains(early.errors, "effective_on") || !strings.Contains(early.errors, "180 days") {
			t.Errorf("sooner than the rule allows: %d %s", early.code, early.errors)
		}
		if got := impose("--id", "m-1", "--country", "IR", "--effective-on", day(190), "--expires-on", day(300)).must(t); !strings.Contains(got, "m-1, version 1: ahead") || !strings.Contains(got, "from "+day(190)+" until "+day(301)) {
			t.Errorf("imposed: %s", got)
		}
		impose("--id", "p-1", "--name", "Mariah Souza", "--effective-on", day(190), "--expires-on", day(300)).must(t)
		p.advance("PT1M")
		if got := whoIs(listOf[hitTold](p, "hits", "list")); got != "m-1 customer c-1; m-1 owner c-2 o-1; p-1 customer c-3" {
			t.Errorf("on file: %s", got)
		}
		p.verifies(r, "c-4", verified("customer", "IR", ""))
		p.advance("PT1M")
		all := listOf[hitTold](p, "hits", "list", "--measure", "m-1")
		if got := whoIs(all); got != "m-1 customer c-1; m-1 customer c-4; m-1 owner c-2 o-1" || slices.ContainsFunc(all, func(h hitTold) bool { return h.InForce }) {
			t.Errorf("stated after it was imposed: %s", got)
		}
		screened := func() (words []string) {
			for _, m := range listOf[measureTold](p, "measures", "list", "--current") {
				words = append(words, m.ID+" "+m.Status+" "+m.Screened)
			}
			return words
		}
		if got := screened(); !slices.Equal(got, []string{"m-1 ahead since-imposed", "p-1 ahead since-imposed"}) {
			t.Errorf("screened: %q", got)
		}

		hint := listOf[hitTold](p, "hits", "list", "--open")
		if len(hint) != 1 || hint[0].Customer != "c-3" || hint[0].Decided != "hint" || hint[0].Score < 90 || hint[0].Score >= 100 {
			t.Fatalf("the hint: %+v", hint)
		}
		if got := p.officer("hits", "clear", hint[0].ID); got.code != exitRefused {
			t.Errorf("cleared without a reason: %d %s", got.code, got.out)
		}
		if got := p.officer("hits", "clear", hint[0].ID, "--reason", "Another date of birth.").must(t); !strings.Contains(got, "over") {
			t.Errorf("cleared: %s", got)
		}
		p.advance("PT1M")
		if got := listOf[hitTold](p, "hits", "list", "--measure", "p-1"); len(got) != 0 {
			t.Errorf("after it was cleared: %+v", got)
		}
		if got := listOf[hitTold](p, "hits", "list", "--measure", "p-1", "--cleared"); len(got) != 1 || got[0].Decision != "cleared" {
			t.Errorf("what is over: %+v", got)
		}

		p.advance("P191D") // both come into force, and all history is screened again
		if got := screened(); !slices.Equal(got, []string{"m-1 in-force since-in-force", "p-1 in-force since-in-force"}) {
			t.Errorf("screened when they came into force: %q", got)
		}
		if got := whoIs(listOf[hitTold](p, "hits", "list", "--in-force")); got != "m-1 customer c-1; m-1 customer c-4; m-1 owner c-2 o-1" {
			t.Errorf("in force: %s", got)
		}

		before := listOf[hitTold](p, "hits", "list", "--cleared")
		p.stop()
		cipgate(t, p.store("rebuild")...).must(t)
		p.start()
		p.advance("PT1S")
		after := listOf[hitTold](p, "hits", "list", "--cleared")
		if !slices.EqualFunc(before, after, func(a, b hitTold) bool {
			return a.ID == b.ID && a.Decision == b.Decision && a.Since == b.Since && a.Score == b.Score
		}) {
			t.Errorf("before the rebuild %+v, after %+v", before, after)
		}

		extended := p.officer(append([]string{"measures", "extend", "p-1", "--determined-on", day(191), "--expires-on", day(400)}, published...)...).must(t)
		if !strings.Contains(extended, "p-1, version 2: ahead") || !strings.Contains(extended, "from "+day(301)+" until "+day(401)) || !strings.Contains(extended, "Mariah Souza") {
			t.Errorf("extended: %s", extended)
		}
		if got := p.officer(append([]string{"measures", "lift", "m-1", "--on", day(191), "--reason", "Revoked."}, published...)...).must(t); !strings.Contains(got, "m-1, version 1: lifted") {
			t.Errorf("lifted: %s", got)
		}
		p.advance("PT1M")
		if got := whoIs(listOf[hitTold](p, "hits", "list")); got != "p-1 customer c-3" { // the hint under the version to come is nobody's word yet
			t.Errorf("after it was lifted: %s", got)
		}
		for _, refused := range [][]string{
			append([]string{"measures", "extend", "m-1", "--determined-on", day(191), "--expires-on", day(400)}, published...),
			append([]string{"measures", "extend", "m-9", "--determined-on", day(191), "--expires-on", day(400)}, published...),
			append([]string{"measures", "lift", "m-1", "--on", day(191), "--reason", "Again."}, published...),
		} {
			if got := p.officer(refused...); got.code != exitRefused || got.errors == "" {
				t.Errorf("%q: %d %s%s", refused, got.code, got.out, got.errors)
			}
		}
		p.stop()
	})
}

func TestExemptionsAreGrantedListedExtendedAndWithdrawnFromTheCommandLine(t *testing.T) {
	t.Parallel()
	migrationstest.EachURL(t, func(t *testing.T, database string) {
		p := newProcess(t, database, "--sandbox")
		p.start()
		r := p.joined("Nordlys Hosting AS")
		p.advance("PT1M")
		now, err := newClient(p.base, "").sandboxTime(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		day := func(days int) string { return now.AddDate(0, 0, days).UTC().Format(time.DateOnly) }
		if got := p.officer("exemptions", "list").must(t); !strings.Contains(got, "Nobody is exempt") {
			t.Errorf("before: %s", got)
		}
		grant := func(until string) ended {
			return p.officer("exemptions", "grant", "--reseller", string(r.about.Entity), "--id", "ex-1", "--by", "Secretary of Commerce", "--on", day(0), "--until", until,
				"--conditions", "A report every quarter.", "--reference", "BIS-1")
		}
		if got := grant(day(100) + "T00:00:00Z").must(t); !strings.Contains(got, "ex-1: in force") || !strings.Contains(got, "A report every quarter.") {
			t.Errorf("granted: %s", got)
		}
		grant(day(200) + "T00:00:00Z").must(t)
		p.advance("P150D") // silent all the while, and exempt
		if got := p.standing(r); got == "terminated" || got == "warned" {
			t.Errorf("while it is exempt it stands at %s", got)
		}
		held := listOf[exemptionTold](p, "exemptions", "list")
		if len(held) != 1 || !held[0].InForce || held[0].Of != "reseller" || held[0].Until.Format(time.DateOnly) != day(200) {
			t.Errorf("held: %+v", held)
		}
		if got := p.officer("exemptions", "withdraw", "ex-1", "--reseller", string(r.about.Entity), "--reason", "The conditions were not kept.").must(t); !strings.Contains(got, "ex-1: withdrawn") {
			t.Errorf("withdrawn: %s", got)
		}
		if got := p.officer("exemptions", "grant", "--id", "ex-2", "--by", "Secretary of Commerce", "--on", day(0), "--until", day(300)+"T00:00:00Z", "--reference", "BIS-2"); got.code != exitRefused || !strings.Contains(got.errors, "reseller") {
			t.Errorf("of nobody: %d %s", got.code, got.errors)
		}
		p.advance("P31D") // the time for a first attestation runs from the end of the exemption
		if got := p.standing(r); got != "warned" {
			t.Errorf("with the rules applied again it stands at %s", got)
		}
		p.stop()
	})
}
