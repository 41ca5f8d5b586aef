package main

import (
	"cmp"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/google/uuid"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/migrations/migrationstest"
)

// Four tiers of a client that is not ours enrol with the real program, each invited below the one before, as deep as the policy
// allows; what the last states comes up through the three above it, and each token has a receipt of its own.
func TestAChainOfResellersEnrolsAndForwardsWithReceiptsForEachHop(t *testing.T) {
	t.Parallel()
	migrationstest.EachURL(t, func(t *testing.T, database string) {
		p := newProcess(t, database, "--intake-queue", "4") // the shortest that holds three hops
		p.start()
		program, args := node(t, "chain.mjs")
		talk := converse(t, program, args...)
		var chain []string
		invite := func(name string) ended {
			flags := []string{"invite", "--json", "--url", p.base, "--data", p.data, "--name", name, "--country", "DE", "--contact", "compliance@example.com"}
			if len(chain) > 0 {
				flags = append(flags, "--superior", chain[len(chain)-1])
			}
			return cipgate(t, flags...)
		}
		for range 4 {
			var made invited
			invite("Tier Cloud GmbH").read(t, &made)
			talk.says(made.URL)
			if chain = append(chain, talk.hears()); chain[len(chain)-1] != made.Entity {
				t.Fatalf("enrolled as %s, invited as %s", chain[len(chain)-1], made.Entity)
			}
		}
		if deeper := invite("Too Deep Cloud GmbH"); deeper.code != exitRefused || !strings.Contains(deeper.errors, "/superior") || !strings.Contains(deeper.errors, "of tier 4") || !strings.Contains(deeper.errors, "intake.max_path_length") {
			t.Errorf("a fifth tier: exit code %d, %s%s", deeper.code, deeper.out, deeper.errors)
		}
		talk.says("forward")
		var answer struct {
			pushedByOthers `json:",inline"`
			Tokens         []string `json:"tokens"`
		}
		if err := json.Unmarshal([]byte(talk.hears()), &answer); err != nil {
			t.Fatal(err)
		}
		talk.ends()
		if answer.Status != http.StatusAccepted || len(answer.Tokens) != 4 || answer.Location != "/receipts/"+answer.Digest {
			t.Fatalf("%d %s: %d tokens", answer.Status, answer.Refusal, len(answer.Tokens))
		}
		read := map[string]entryOfAPI{}
		for _, entry := range entriesOf(t, p.admin()) {
			read[entry.Digest] = entry
		}
		before := int64(-1)
		for i, token := range answer.Tokens {
			digest := envelope.DigestOf([]byte(token)).String()
			index := checkReceipt(t, p.receipt(digest), token, p.vkey)
			if before >= 0 && index != before+1 {
				t.Errorf("hop %d stands at %d, the one around it at %d", i, index, before)
			}
			before = index
			kind := statement.KindForwarded
			if i == 3 {
				kind = statement.KindCIPAttestation
			}
			if got := read[digest]; got.About != chain[i] || got.Kind != string(kind) {
				t.Errorf("hop %d in /v1/entries: %+v, wanted %s about %s", i, got, kind, chain[i])
			}
		}
		cipgate(t, p.store("ledger", "check")...).must(t)
		p.stop()
	})
}

// The subordinate itself may push: it is enrolled here with a key of its own. The same by two ways stands once.
func TestWhatAResellersResellerPushesItselfAndHasForwardedStandsOnce(t *testing.T) {
	t.Parallel()
	migrationstest.EachURL(t, func(t *testing.T, database string) {
		g := startGateway(t, database, nil)
		superior := below{g.enrol("Upper Cloud GmbH"), g}
		lower := g.enrolBelow(string(superior.about.Entity), "Lower Cloud GmbH")
		g.settled()
		inner := lower.state(statement.KindCIPAttestation)
		location := ""
		for i, token := range []string{inner, superior.wraps(inner), inner} {
			response, text := g.do(http.MethodPost, "/events", asSET, []byte(token))
			if response.StatusCode != http.StatusAccepted {
				t.Fatalf("%d: %d %s", i, response.StatusCode, text)
			}
			if i == 0 {
				location = response.Header.Get("Location")
			}
			if i == 2 && response.Header.Get("Location") != location {
				t.Errorf("the receipt of the same is %s, at first it was %s", response.Header.Get("Location"), location)
			}
		}
		g.settled()
		g.standsAs(lower.reseller, "good")
		g.standsAs(superior.reseller, "pending") // what it forwarded is nothing that it attested itself
		stands := slices.DeleteFunc(entriesOf(t, newClient(g.base, g.token)), func(e entryOfAPI) bool { return e.Digest != envelope.DigestOf([]byte(inner)).String() })
		if len(stands) != 1 {
			t.Errorf("it stands %d times", len(stands))
		}
	})
}

// One tier is skipped, another reseller's is brought, and a superior that was terminated brings nothing any more.
func TestOnlyWhoStandsRightAboveForwards(t *testing.T) {
	t.Parallel()
	migrationstest.EachURL(t, func(t *testing.T, database string) {
		g := startGateway(t, database, walksAlone(t))
		top, stranger := below{g.enrol("Upper Cloud GmbH"), g}, below{g.enrol("Another Cloud GmbH"), g}
		middle := g.enrolBelow(string(top.about.Entity), "Middle Cloud GmbH")
		bottom := g.enrolBelow(string(middle.about.Entity), "Bottom Cloud GmbH")
		g.settled()
		size := g.size()
		for name, token := range map[string]string{
			"a tier is skipped":     top.wraps(bottom.state(statement.KindCIPAttestation)),
			"another reseller's":    stranger.wraps(middle.state(statement.KindCIPAttestation)),
			"the superior's own":    middle.wraps(top.state(statement.KindCIPAttestation)),
			"what it signed itself": top.wraps(top.state(statement.KindCIPAttestation)),
		} {
			response, text := g.do(http.MethodPost, "/events", asSET, []byte(token))
			if response.StatusCode != 400 || !strings.Contains(text, `"err":"invalid_issuer"`) || !strings.Contains(text, "forwarded:v1/set/claims/iss") {
				t.Errorf("%s: %d %s", name, response.StatusCode, text)
			}
		}
		if g.size() != size {
			t.Errorf("the ledger grew from %d to %d", size, g.size())
		}
		// The one above falls silent and is terminated; those below attest and stand.
		for range 2 {
			if err := g.Advance(t.Context(), 31*24*time.Hour); err != nil {
				t.Fatal(err)
			}
			for _, below := range []below{middle, bottom} {
				if response, text := g.do(http.MethodPost, "/events", asSET, []byte(below.state(statement.KindCIPAttestation))); response.StatusCode != http.StatusAccepted {
					t.Fatalf("%d %s", response.StatusCode, text)
				}
			}
		}
		g.standsAs(top.reseller, "terminated")
		response, text := g.do(http.MethodPost, "/events", asSET, []byte(top.wraps(middle.state(statement.KindCIPAttestation))))
		if response.StatusCode != 400 || !strings.Contains(text, `"err":"invalid_issuer"`) || !strings.Contains(text, "terminated") {
			t.Errorf("forwarded by a terminated one: %d %s", response.StatusCode, text)
		}
		if _, err := g.inviteBelow(string(top.about.Entity), "Late Cloud GmbH"); err == nil || !strings.Contains(err.Error(), "/superior") || !strings.Contains(err.Error(), "terminated at") {
			t.Errorf("invited below a terminated one: %v", err)
		}
		if _, err := g.inviteBelow("https://stranger.example", "Late Cloud GmbH"); err == nil || !strings.Contains(err.Error(), "/superior") || !strings.Contains(err.Error(), "not enrolled here") {
			t.Errorf("invited below a stranger: %v", err)
		}
	})
}

func TestAQueueThatCouldNeverHoldTheLongestChainIsRefusedAtTheStart(t *testing.T) {
	t.Parallel()
	p := newProcess(t, migrationstest.URL(t, "sqlite"))
	got := cipgate(t, append(p.store("serve"), "--intake-queue", "3")...)
	if got.code != exitRefused {
		t.Errorf("exit code %d", got.code)
	}
	for _, says := range []string{"--intake-queue", "at least 4, got 3", "intake.max_path_length 3", "503"} {
		if !strings.Contains(got.errors, says) {
			t.Errorf("it does not say %q: %s", says, got.errors)
		}
	}
}

// Each refusal of what was forwarded, over HTTP, with its place inside the token that came.
func TestEveryRefusalOfWhatIsForwardedNamesThePlaceInside(t *testing.T) {
	t.Parallel()
	migrationstest.EachURL(t, func(t *testing.T, database string) {
		data := t.TempDir()
		g := startGateway(t, database, func(c *Config) { c.Data = data })
		top := below{g.enrol("Upper Cloud GmbH"), g}
		middle := g.enrolBelow(string(top.about.Entity), "Middle Cloud GmbH")
		bottom := g.enrolBelow(string(middle.about.Entity), "Bottom Cloud GmbH")
		now := g.clock.Now()
		inner := newForge(t, middle.reseller, now)
		taken := inner.with("claims", "jti", uuid.NewString())
		if response, text := g.do(http.MethodPost, "/events", asSET, []byte(taken.signed())); response.StatusCode != http.StatusAccepted {
			t.Fatalf("%d %s", response.StatusCode, text)
		}
		g.settled()
		outer := func(event map[string]any) string {
			f := newForge(t, top.reseller, now)
			event["received_at"] = cmp.Or(event["received_at"], any(now.UTC().Format("2006-01-02T15:04:05Z")))
			return f.with("claims", "events", map[string]any{statement.KindForwarded.URI(): event}).signed()
		}
		holds := func(f forge) string { return outer(map[string]any{"set": f.signed()}) }
		good := inner.signed()
		twice := top.wraps(middle.wraps(bottom.state(statement.KindCIPAttestation)))
		const inside = "/claims/events/urn:cipgate:event:forwarded:v1/set"
		type refusal struct{ token, err, at string }
		refused := func(name string, c refusal) {
			t.Helper()
			size := g.size()
			response, text := g.do(http.MethodPost, "/events", asSET, []byte(c.token))
			if response.StatusCode != 400 || !strings.Contains(text, `"err":"`+c.err+`"`) || !strings.Contains(text, c.at) {
				t.Errorf("%s: %d %s", name, response.StatusCode, text)
			}
			if g.size() != size {
				t.Errorf("%s: the ledger grew from %d to %d", name, size, g.size())
			}
		}
		for name, c := range map[string]refusal{
			"no token":                    {outer(map[string]any{"set": "e30.e30.AA"}), "invalid_request", inside + "/header/typ"},
			"an altered signature":        {outer(map[string]any{"set": good[:len(good)-86] + encode(make([]byte, 64))}), "authentication_failed", inside},
			"an unknown key":              {holds(inner.with("header", "kid", "other")), "invalid_key", inside + "/header/kid"},
			"meant for another":           {holds(inner.with("claims", "aud", "https://other.example")), "invalid_audience", inside + "/claims/aud"},
			"too old":                     {holds(inner.with("claims", "iat", now.Add(-31*24*time.Hour).Unix())), "invalid_request", inside + "/claims/iat"},
			"not what its schema says":    {holds(inner.event("basis", "borrowed")), "invalid_request", inside + "/claims/events/urn:cipgate:event:cip-attestation:v1/basis"},
			"what the gateway states":     {holds(inner.states(statement.KindStandingChanged)), "access_denied", inside + "/claims/events"},
			"over 64 KiB":                 {holds(inner.with("claims", "x", strings.Repeat("x", 66<<10))), "invalid_request", inside},
			"a jti that stands otherwise": {holds(taken.event("attested_on", "2026-01-05")), "invalid_request", inside + "/claims/jti"},
			"received before it was signed": {outer(map[string]any{"set": good, "received_at": now.Add(-time.Hour).UTC().Format("2006-01-02T15:04:05Z")}),
				"invalid_request", inside + "/claims/iat"},
			"another path":               {outer(map[string]any{"set": good, "path": []string{"https://other.example"}}), "invalid_request", "/claims/events/urn:cipgate:event:forwarded:v1/path"},
			"neither set nor jwe":        {outer(map[string]any{}), "invalid_request", "/claims/events/urn:cipgate:event:forwarded:v1"},
			"sealed to a key nobody has": {newForge(t, top.reseller, now).seals(now).signed(), "invalid_request", "/claims/events/urn:cipgate:event:forwarded:v1/jwe"},
		} {
			refused(name, c)
		}
		if response, text := g.do(http.MethodPost, "/events", asSET, []byte(outer(map[string]any{"set": good, "path": []string{string(middle.about.Entity)}}))); response.StatusCode != http.StatusAccepted {
			t.Errorf("what every case changes: %d %s", response.StatusCode, text)
		}

		// Under a policy of less hops, what was let in deeper is forwarded no more.
		shallow := policyFile(t, "max_path_length:\n    value: 3", "max_path_length:\n    value: 1")
		text, err := os.ReadFile(shallow)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(shallow, []byte(strings.Replace(string(text), "policy: us-iaas-2024", "policy: shallow", 1)), 0o600); err != nil {
			t.Fatal(err)
		}
		deskOf{g, g.token}.activate(shallow)
		g.settled()
		refused("forwarded more often than the policy allows", refusal{twice, "invalid_request", inside + inside})
	})
}
