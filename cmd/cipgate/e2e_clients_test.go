package main

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/migrations/migrationstest"
)

// foreignClients are the programs in testdata/clients, none of which holds code of ours.
var foreignClients = []struct {
	name  string
	start func(t *testing.T) (program string, args []string)
}{
	{"jose from npm", func(t *testing.T) (string, []string) { return node(t, "push.mjs") }},
	{"jose from Debian", func(t *testing.T) (string, []string) {
		for _, program := range []string{"jose", "curl"} {
			if _, err := exec.LookPath(program); err != nil {
				lacks(t, program, "apt-get install "+program)
			}
		}
		return "/bin/sh", []string{filepath.Join(clients, "push.sh")}
	}},
	{"python3-jwcrypto", func(t *testing.T) (string, []string) {
		const python = "/usr/bin/python3" // Debian's, whatever else is on the PATH
		if err := exec.CommandContext(t.Context(), python, "-c", "import jwcrypto").Run(); err != nil {
			lacks(t, "python3-jwcrypto", "apt-get install python3-jwcrypto")
		}
		return python, []string{filepath.Join(clients, "push.py")}
	}},
}

const clients = "testdata/clients"

// lacks skips a test for which a client is missing. Where all are promised to be there it fails.
func lacks(t *testing.T, what, install string) {
	t.Helper()
	if os.Getenv("CIPGATE_REQUIRE_CLIENTS") == "1" {
		t.Fatalf("%s is missing, and CIPGATE_REQUIRE_CLIENTS=1: %s", what, install)
	}
	t.Skipf("%s is missing; `make setup` or: %s", what, install)
}

// node is how a script of testdata/clients is run. It lies in a folder beside the packages that `make setup` installs, so that it
// imports them as everybody does.
func node(t *testing.T, script string, args ...string) (program string, all []string) {
	t.Helper()
	modules, err := filepath.Abs("../../tools/e2e/node_modules")
	if err != nil {
		t.Fatal(err)
	}
	if program, err = exec.LookPath("node"); err != nil {
		lacks(t, "node", "apt-get install nodejs npm")
	}
	if _, err := os.Stat(filepath.Join(modules, "jose")); err != nil {
		lacks(t, "jose from npm", "npm ci --prefix tools/e2e")
	}
	folder := t.TempDir()
	if err := os.CopyFS(folder, os.DirFS(clients)); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(modules, filepath.Join(folder, "node_modules")); err != nil {
		t.Fatal(err)
	}
	return program, append([]string{filepath.Join(folder, script)}, args...)
}

// pushedByOthers is the line that each client prints for an answer.
type pushedByOthers struct {
	Status   int    `json:"status"`
	Location string `json:"location"`
	Digest   string `json:"digest"`
	Token    string `json:"token"`
	Refusal  string `json:"refusal"`
}

func readAnswer(t *testing.T, line string) pushedByOthers {
	t.Helper()
	var answer pushedByOthers
	if err := json.Unmarshal([]byte(line), &answer); err != nil {
		t.Fatalf("a client printed %q: %v", line, err)
	}
	return answer
}

func TestClientsThatAreNotOursEnrolPushAndHoldAReceipt(t *testing.T) {
	t.Parallel()
	migrationstest.EachURL(t, func(t *testing.T, database string) {
		p := newProcess(t, database)
		p.start()
		for _, client := range foreignClients {
			t.Run(client.name, func(t *testing.T) {
				p := p.within(t)
				program, args := client.start(t)
				answer := readAnswer(t, runToEnd(t, nil, program, append(args, p.invite(client.name))...).must(t))
				digest := sha256.Sum256([]byte(answer.Token))
				if wanted := base64.RawURLEncoding.EncodeToString(digest[:]); answer.Digest != wanted || answer.Location != "/receipts/"+wanted {
					t.Fatalf("the token's digest is %s, the client says %s, Location says %s", wanted, answer.Digest, answer.Location)
				}
				receipt := p.receipt(answer.Digest)
				index := checkReceipt(t, receipt, answer.Token, p.vkey)
				if entries := p.audit(checkpointOf(receipt)); entries[index] != answer.Digest {
					t.Errorf("entry %d of the log is %s, by the receipt it is %s", index, entries[index], answer.Digest)
				}
				proves(t, p, answer, receipt, index)
			})
		}
		p.stop()
	})
}

// submissions are the names of what a reseller may state.
func submissions() []string {
	var names []string
	for _, kind := range statement.Kinds() {
		if !kind.ByGateway() {
			names = append(names, string(kind))
		}
	}
	return names
}

// Each client pushes the smallest example of every event type, in one run. On PostgreSQL one of them is enough: what differs between
// the clients ends before the store.
func TestClientsThatAreNotOursPushEveryEventType(t *testing.T) {
	t.Parallel()
	for _, store := range migrationstest.Stores {
		t.Run(store, func(t *testing.T) {
			g := startGateway(t, migrationstest.URL(t, store), nil)
			for i, client := range foreignClients {
				if store == "postgres" && i > 0 {
					break
				}
				t.Run(client.name, func(t *testing.T) {
					g := g.within(t)
					program, args := client.start(t)
					invited := g.invite(client.name)
					talk := converse(t, program, append(append(args, invited.URL), submissions()...)...)
					lines := []string{talk.hears()} // so it is enrolled
					below := g.enrolBelow(invited.Entity, "Below "+client.name)
					inner := below.state(statement.KindAccountStatus)
					talk.says(inner)
					lines = append(lines, talk.ends()...)
					if len(lines) != len(submissions()) {
						t.Fatalf("%d kinds, %d answers: %q", len(submissions()), len(lines), lines)
					}
					read := map[string]entryOfAPI{}
					for _, entry := range entriesOf(t, newClient(g.base, g.token)) {
						read[entry.Digest] = entry
					}
					for n, kind := range submissions() {
						answer := readAnswer(t, lines[n])
						if answer.Status != http.StatusAccepted || answer.Location != "/receipts/"+answer.Digest {
							t.Errorf("%s: %d, Location %q", kind, answer.Status, answer.Location)
						}
						if got := read[answer.Digest]; got.Kind != kind || got.About != invited.Entity {
							t.Errorf("%s: in /v1/entries it is %+v", kind, got)
						}
					}
					if got := read[envelope.DigestOf([]byte(inner)).String()]; got.Kind != string(statement.KindAccountStatus) || got.About != string(below.about.Entity) {
						t.Errorf("what was forwarded is %+v", got)
					}
				})
			}
		})
	}
}

// checkpointOf is the checkpoint that a receipt carries.
func checkpointOf(receipt string) []byte {
	_, checkpoint, _ := strings.Cut(receipt, "\n\n")
	return []byte(checkpoint)
}

// proves lets `cipgate verify` check a token with its receipt, and the same token with one bit changed.
func proves(t *testing.T, p *process, answer pushedByOthers, receipt string, index int64) {
	t.Helper()
	folder := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(folder, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	token, proof := write("token.jwt", answer.Token), write("token.tlog-proof", receipt)
	var got checked
	cipgate(t, "verify", token, "--receipt", proof, "--log-key", p.vkey, "--json").read(t, &got)
	if got.Digest != answer.Digest || got.LeafIndex != index {
		t.Errorf("verify says %+v", got)
	}
	altered := write("altered.jwt", withOtherEnd(answer.Token))
	if e := cipgate(t, "verify", altered, "--receipt", proof, "--log-key", p.vkey); e.code != exitFailed || !strings.Contains(e.errors, "NOT proved") {
		t.Errorf("verify of an altered token: exit code %d, %s%s", e.code, e.out, e.errors)
	}
}

// withOtherEnd changes a token's signature so that it is still well formed.
func withOtherEnd(token string) string {
	dot := strings.LastIndexByte(token, '.')
	signature, err := base64.RawURLEncoding.DecodeString(token[dot+1:])
	if err != nil {
		panic(err)
	}
	signature = slices.Clone(signature)
	signature[0] ^= 1
	return token[:dot+1] + base64.RawURLEncoding.EncodeToString(signature)
}
