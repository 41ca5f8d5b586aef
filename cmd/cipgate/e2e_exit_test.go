package main

import (
	"crypto/rand"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/note"

	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/migrations"
	"github.com/cipgate/cipgate/migrations/migrationstest"
)

// exits checks that the program ends with this exit code, and for another than 0 that its words name each of these.
func (e ended) exits(t *testing.T, code int, says ...string) {
	t.Helper()
	if e.code != code {
		t.Errorf("exit code %d, wanted %d: %s%s", e.code, code, e.out, e.errors)
	}
	if code != exitDone && !strings.HasPrefix(e.errors, "cipgate: ") {
		t.Errorf("the error does not begin with the program's name: %q", e.errors)
	}
	for _, word := range says {
		if !strings.Contains(e.errors, word) {
			t.Errorf("the error does not name %q: %s", word, e.errors)
		}
	}
}

func TestWrongUsageEndsWith2AndSaysWhatWasWanted(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	written := func(name, text string) string {
		path := filepath.Join(folder, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	data, absent := filepath.Join(folder, "data"), filepath.Join(folder, "absent")
	for _, c := range []struct {
		name string
		args []string
		says []string
	}{
		{"a command nobody knows", []string{"sreve"}, []string{"sreve"}},
		{"a flag nobody knows", []string{"serve", "--nonsense"}, []string{"--nonsense", "cipgate serve --help"}},
		{"a flag's value that is none", []string{"serve", "--intake-queue", "many"}, []string{"--intake-queue", "many"}},
		{"an argument too many", []string{"serve", "now"}, []string{"now"}},
		{"an argument too few", []string{"verify"}, []string{"cipgate verify --help"}},
		{"no address to listen on", []string{"serve", "--data", data, "--listen", "8460"}, []string{"--listen", "127.0.0.1:8460", `"8460"`}},
		{"a gateway for everybody without a name", []string{"serve", "--data", data, "--listen", "0.0.0.0:8460"}, []string{"--public-url"}},
		{"a name that is no https address", []string{"serve", "--data", data, "--public-url", "http://cip.provider.example"}, []string{"--public-url", "https"}},
		{"a store that is none", []string{"serve", "--data", data, "--listen", freePort(t), "--database", "mysql://db/cipgate"}, []string{"--database", "mysql://db/cipgate", "postgres://"}},
		{"a configuration file that is not there", []string{"serve", "--config", filepath.Join(folder, "absent.yaml")}, []string{"absent.yaml"}},
		{"a configuration with a misspelt key", []string{"serve", "--config", written("cipgate.yaml", "lisen: 127.0.0.1:1\n")}, []string{"lisen"}},
		{"a policy that is not there", []string{"serve", "--data", data, "--listen", freePort(t), "--policy", filepath.Join(folder, "absent.yaml")}, []string{"--policy", "absent.yaml"}},
		{"a policy that is none", []string{"serve", "--data", data, "--listen", freePort(t), "--policy", written("policy.yaml", "name: x\n")}, []string{"--policy", "policy.yaml"}},
		{"a check of a gateway that is not there", []string{"ledger", "check", "--data", absent}, []string{"--data", absent}},
		{"a rebuild of a gateway that is not there", []string{"rebuild", "--data", absent}, []string{"--data", absent}},
		{"an invitation without a token", []string{"invite", "--data", data}, []string{"--token", "--data"}},
		{"an enrolment address without a token", []string{"join", "--home", folder, "https://cip.provider.example/"}, []string{"/enrol#TOKEN"}},
		{"a push before enrolment", []string{"push", "--home", folder, "x.json"}, []string{"cipgate join"}},
		{"a kind nobody knows", []string{"new", "cip-attestatoin"}, []string{"cip-attestatoin", "cip-attestation"}},
		{"a kind that only the gateway states", []string{"new", "warning-issued"}, []string{"warning-issued"}},
		{"verify without a receipt", []string{"verify", written("token.jwt", "a.b.c")}, []string{"--receipt"}},
		{"verify of what is no token", []string{"verify", written("no.jwt", "hello"), "--receipt", written("r", "x"), "--log-key", "k"}, []string{"TOKEN-FILE"}},
		{"verify of what is not there", []string{"verify", filepath.Join(folder, "absent.jwt"), "--receipt", "r", "--log-key", "k"}, []string{"absent.jwt"}},
	} {
		t.Run(c.name, func(t *testing.T) { cipgate(t, c.args...).exits(t, exitRefused, c.says...) })
	}
	if _, err := os.Stat(absent); err == nil {
		t.Error("looking for a gateway made one")
	}
}

func TestWhatMayMendItselfEndsWith3(t *testing.T) {
	t.Parallel()
	p := newProcess(t, migrationstest.URL(t, "sqlite"))
	p.start()
	other := filepath.Join(t.TempDir(), "data")
	cipgate(t, "serve", "--listen", p.host(), "--data", other).exits(t, exitRetry, p.host(), "another port")
	if _, err := os.Stat(other); err == nil {
		t.Errorf("a gateway that could not start left %s behind", other)
	}
	address, home := p.invite("Example Cloud GmbH"), filepath.Join(t.TempDir(), "home")
	cipgate(t, "join", "--home", home, address).must(t)
	events := filepath.Join(t.TempDir(), "attestation.json")
	if err := os.WriteFile(events, []byte(cipgate(t, "new", "cip-attestation").must(t)), 0o600); err != nil {
		t.Fatal(err)
	}
	p.stop()
	cipgate(t, "push", "--home", home, events).exits(t, exitRetry, p.base)
	cipgate(t, "invite", "--url", p.base, "--data", p.data, "--name", "X", "--country", "DE", "--contact", "a@example.com").exits(t, exitRetry, p.base)
	p.start()
	cipgate(t, "push", "--home", home, events).exits(t, exitDone)
	p.stop()
}

func TestAGatewayRefusesAStoreThatIsNotItsOwn(t *testing.T) {
	t.Parallel()
	migrationstest.EachURL(t, func(t *testing.T, database string) {
		p := newProcess(t, database)
		p.start()
		p.stop()
		serve := func(flags ...string) ended { return cipgate(t, append([]string{"serve"}, flags...)...) }
		cipgate(t, append(p.store("serve"), "--sandbox")...).exits(t, exitRefused, "--sandbox")
		cipgate(t, append(p.store("serve"), "--public-url", "https://other.example")...).exits(t, exitRefused, p.base, "https://other.example")
		elsewhere := filepath.Join(t.TempDir(), "data")
		serve("--data", elsewhere, "--database", database, "--listen", freePort(t), "--public-url", p.base).exits(t, exitRefused, elsewhere, "backup")
		stranger := newProcess(t, filepath.Join(t.TempDir(), "other.db"))
		stranger.start()
		stranger.stop()
		serve("--data", stranger.data, "--database", database, "--listen", freePort(t), "--public-url", p.base).exits(t, exitRefused, p.vkey)
		p.start()
		p.stop()
	})
	t.Run("a sandbox's", func(t *testing.T) {
		p := newProcess(t, migrationstest.URL(t, "sqlite"), "--sandbox")
		p.start()
		p.stop()
		cipgate(t, append(p.store("serve"), "--sandbox=false")...).exits(t, exitRefused, "sandbox")
	})
}

func TestARefusedInvitationEnrolmentOrPushEndsWith2AndTheGatewaysWords(t *testing.T) {
	t.Parallel()
	p := newProcess(t, migrationstest.URL(t, "sqlite"))
	p.start()
	invite := func(flags ...string) ended {
		return cipgate(t, append([]string{"invite", "--url", p.base, "--data", p.data}, flags...)...)
	}
	invite("--name", "X", "--country", "Germany", "--contact", "a@example.com").exits(t, exitRefused, "country", "Germany")
	invite("--name", "X", "--country", "US", "--contact", "a@example.com").exits(t, exitRefused, "country", "US")
	invite("--name", "X", "--country", "DE", "--contact", "nobody").exits(t, exitRefused, "contact")
	invite("--token", "wrong", "--name", "X", "--country", "DE", "--contact", "a@example.com").exits(t, exitRefused, "401")

	address, homes := p.invite("Example Cloud GmbH"), t.TempDir()
	home := filepath.Join(homes, "first")
	cipgate(t, "join", "--home", filepath.Join(homes, "none"), p.base+"/enrol#wrong").exits(t, exitRefused, "invitation")
	cipgate(t, "join", "--home", home, address).exits(t, exitDone)
	cipgate(t, "join", "--home", home, p.invite("Another Cloud GmbH")).exits(t, exitRefused, home, "another --home")
	cipgate(t, "join", "--home", filepath.Join(homes, "second"), address).exits(t, exitRefused, "409")

	push := func(text string) ended {
		path := filepath.Join(homes, "file")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return cipgate(t, "push", "--home", home, path)
	}
	push("hello").exits(t, exitRefused, "cipgate new")
	push("{}").exits(t, exitRefused, "exactly one event")
	push(`{"urn:cipgate:event:nothing:v1": {}}`).exits(t, exitRefused, "urn:cipgate:event:nothing:v1")
	push(strings.Replace(cipgate(t, "new", "cip-attestation").must(t), `"initial"`, `"sometimes"`, 1)).exits(t, exitRefused, "400", "invalid_request", "/occasion")
	push("a.b.c").exits(t, exitRefused, "400", "invalid_request")
	p.stop()
}

func TestWhatDoesNotHoldEndsWith1(t *testing.T) {
	t.Parallel()
	migrationstest.EachURL(t, func(t *testing.T, database string) {
		p := newProcess(t, database)
		p.start()
		first, second := p.pushed("Example Cloud GmbH"), p.pushed("Beispiel Wolke AG")
		verify := func(token, receipt, vkey string, flags ...string) ended {
			return cipgate(t, append([]string{"verify", token, "--receipt", receipt, "--log-key", vkey}, flags...)...)
		}
		verify(first.Token, first.Receipt, p.vkey).exits(t, exitDone)
		verify(first.Token, second.Receipt, p.vkey).exits(t, exitFailed, "NOT proved")
		_, otherLog, err := note.GenerateKey(rand.Reader, p.host()+"/log")
		if err != nil {
			t.Fatal(err)
		}
		verify(first.Token, first.Receipt, otherLog).exits(t, exitFailed, "NOT proved", "signature")
		gateways := filepath.Join(t.TempDir(), "jwks.json")
		if _, text := p.fetch("/jwks.json", ""); os.WriteFile(gateways, []byte(text), 0o600) != nil {
			t.Fatal("writing " + gateways)
		}
		verify(first.Token, first.Receipt, p.vkey, "--keys", gateways).exits(t, exitFailed, "NOT signed by these keys")
		p.stop()

		cipgate(t, p.store("ledger", "check")...).exits(t, exitDone)
		rewrite(t, database, first.LeafIndex, second.LeafIndex)
		cipgate(t, p.store("ledger", "check")...).exits(t, exitFailed, fmt.Sprintf("entry %d", second.LeafIndex))
	})
}

// rewrite puts one entry's body in another's place, by somebody who may do everything to the database.
func rewrite(t *testing.T, database string, from, to int64) {
	t.Helper()
	db, err := migrations.Open(t.Context(), database)
	if err != nil {
		t.Fatal(err)
	}
	guard := map[string]string{"sqlite": "ledger_entries_update", "postgres": "ledger_entries_erase_only ON ledger_entries"}[db.Name()]
	for _, statement := range []string{
		"DROP TRIGGER " + guard,
		fmt.Sprintf("UPDATE ledger_entries SET body = (SELECT body FROM ledger_entries WHERE leaf_index = %d) WHERE leaf_index = %d", from, to),
	} {
		if err := db.Exec(statement).Error; err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
	if err := migrations.Close(db); err != nil {
		t.Fatal(err)
	}
}

// pushedByUs is what `cipgate push --json` prints.
type pushedByUs struct {
	Digest    string `json:"digest"`
	LeafIndex int64  `json:"leaf_index"`
	Token     string `json:"token"`   // path
	Receipt   string `json:"receipt"` // path
}

// pushed is the smallest attestation of a new reseller, by the command line alone.
func (p *process) pushed(name string) pushedByUs {
	p.t.Helper()
	folder := p.t.TempDir()
	home, file := filepath.Join(folder, "home"), filepath.Join(folder, "attestation.json")
	cipgate(p.t, "join", "--home", home, p.invite(name)).must(p.t)
	if err := os.WriteFile(file, []byte(cipgate(p.t, "new", "cip-attestation").must(p.t)), 0o600); err != nil {
		p.t.Fatal(err)
	}
	var done pushedByUs
	cipgate(p.t, "push", "--home", home, file, "--json").read(p.t, &done)
	return done
}

func TestEveryCommandSpeaksJSONToScripts(t *testing.T) {
	t.Parallel()
	p := newProcess(t, migrationstest.URL(t, "sqlite"))
	p.start() // reads the line of serve --json
	done := p.pushed("Example Cloud GmbH")
	members := func(e ended, wanted ...string) {
		t.Helper()
		var object map[string]any
		e.read(t, &object)
		for _, member := range wanted {
			if _, has := object[member]; !has {
				t.Errorf("%s has no member %q", e.out, member)
			}
		}
	}
	home := filepath.Join(t.TempDir(), "home")
	members(cipgate(t, "join", "--json", "--home", home, p.invite("Beispiel Wolke AG")), "entity", "gateway", "audience", "log_vkey")
	members(cipgate(t, "invite", "--json", "--url", p.base, "--data", p.data, "--name", "X", "--country", "DE", "--contact", "a@example.com"),
		"url", "token", "entity", "expires_at")
	members(cipgate(t, "new", "--json", "cip-attestation"), statement.KindCIPAttestation.URI())
	members(cipgate(t, "verify", "--json", done.Token, "--receipt", done.Receipt, "--log-key", p.vkey), "digest", "issuer", "log", "leaf_index", "tree_size")
	p.stop()
	members(cipgate(t, p.store("ledger", "check", "--json")...), "entries")
	members(cipgate(t, p.store("rebuild", "--json")...), "entries")

	var settings []map[string]string
	cipgate(t, p.store("config", "print", "--json")...).read(t, &settings)
	if len(settings) == 0 {
		t.Error("config print --json knows no setting")
	}
}
