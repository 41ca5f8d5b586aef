package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"filippo.io/torchwood"
	"github.com/go-json-experiment/json"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/proof"
	"github.com/cipgate/cipgate/gateway/enrolment"
	"github.com/cipgate/cipgate/sync/trust"
)

// shipped is how a released cipgate is built: without C.
const shipped = "CGO_ENABLED=0"

// buildGateway builds cipgate in an environment that differs by settings.
func buildGateway(ctx context.Context, folder string, settings ...string) (string, error) {
	program := filepath.Join(folder, "cipgate")
	build := exec.CommandContext(ctx, "go", "build", "-o", program, module+"/cmd/cipgate")
	build.Env = append(os.Environ(), settings...)
	if said, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build cipgate: %w: %s", err, bytes.TrimSpace(said))
	}
	return program, nil
}

// startGateway starts `cipgate serve` on a new database and enrols the crowd over HTTP, as an officer and the resellers would.
func startGateway(ctx context.Context, program, folder, database string, crowd []reseller) (_ *server, err error) {
	address, err := freeAddress(ctx)
	if err != nil {
		return nil, err
	}
	data := filepath.Join(folder, "data")
	arguments := []string{"serve", "--json", "--listen", address, "--public-url", string(audience), "--data", data,
		// A limit that protects the gateway from one entity says nothing about how fast it is.
		"--intake-rate", "1000000", "--intake-burst", "1000000"}
	if database != "" {
		arguments = append(arguments, "--database", database)
	}
	running, line, err := startProcess(ctx, folder, program, arguments...)
	if err != nil {
		return nil, err
	}
	s := &server{process: running, address: address}
	defer func() {
		if err != nil {
			_ = running.stop() // err says more
		}
	}()
	var said struct {
		LogVkey string `json:"log_vkey"`
	}
	if err := json.Unmarshal([]byte(line), &said); err != nil {
		return nil, fmt.Errorf("read what cipgate said at its start: %w: %s", err, line)
	}
	verifier, err := note.NewVerifier(said.LogVkey)
	if err != nil {
		return nil, fmt.Errorf("read the log's key: %w", err)
	}
	token, err := os.ReadFile(filepath.Join(data, "admin.token"))
	if err != nil {
		return nil, fmt.Errorf("read the API token: %w", err)
	}
	for i := range crowd {
		if err := enrol(ctx, newCaller(address), strings.TrimSpace(string(token)), &crowd[i]); err != nil {
			return nil, fmt.Errorf("enrol %s: %w", crowd[i].name, err)
		}
	}
	s.stored = func(ctx context.Context) ([]envelope.Digest, error) { return readLog(ctx, address, verifier) }
	return s, nil
}

func enrol(ctx context.Context, gateway *caller, token string, r *reseller) error {
	wanted, err := json.Marshal(map[string]string{"name": r.name, "country": "DE", "contact": "cip@reseller.example"})
	if err != nil {
		return fmt.Errorf("write the invitation: %w", err)
	}
	answer, err := gateway.call(ctx, http.MethodPost, "/v1/invitations", token, "application/json", wanted)
	if err != nil {
		return err
	}
	var invited struct {
		Token  string          `json:"token"`
		Entity envelope.Entity `json:"entity"`
	}
	if err := json.Unmarshal(answer, &invited); err != nil {
		return fmt.Errorf("read the invitation: %w", err)
	}
	if invited.Entity != r.entity {
		return fmt.Errorf("the gateway hosts it as %s; its statements are signed as %s", invited.Entity, r.entity)
	}
	statements, err := trust.PublicKeys(r.statements)
	if err != nil {
		return err
	}
	configuration, err := trust.Reseller{Entity: r.entity, Superior: audience, Audience: audience,
		Federation: r.federation, Statements: statements, Lifetime: 24 * time.Hour}.Configuration(time.Now())
	if err != nil {
		return err
	}
	_, err = gateway.call(ctx, http.MethodPost, "/enrolments", invited.Token, enrolment.MediaType, configuration)
	return err
}

// readLog reads the whole log with a client that is not ours, which checks that each entry is in the tree of the signed
// checkpoint.
func readLog(ctx context.Context, address string, verifier note.Verifier) ([]envelope.Digest, error) {
	signed, err := newCaller(address).call(ctx, http.MethodGet, "/log/checkpoint", "", "", nil)
	if err != nil {
		return nil, err
	}
	checkpoint, err := proof.OpenCheckpoint(signed, verifier)
	if err != nil {
		return nil, err
	}
	fetcher, err := torchwood.NewTileFetcher("http://" + address + "/log")
	if err != nil {
		return nil, fmt.Errorf("read the log: %w", err)
	}
	client, err := torchwood.NewClient(fetcher)
	if err != nil {
		return nil, fmt.Errorf("read the log: %w", err)
	}
	tree := tlog.Tree{N: checkpoint.Size, Hash: checkpoint.Root}
	digests := make([]envelope.Digest, 0, tree.N)
	for int64(len(digests)) < tree.N { // it leaves the last tile, which is not full, to a call of its own
		before := len(digests)
		for _, entry := range client.Entries(ctx, tree, int64(before)) {
			if len(entry) != len(envelope.Digest{}) {
				return nil, fmt.Errorf("read the log: an entry of %d bytes", len(entry))
			}
			digests = append(digests, envelope.Digest(entry))
		}
		if err := client.Err(); err != nil || len(digests) == before {
			return nil, fmt.Errorf("read the log: %d of %d entries: %w", len(digests), tree.N, err)
		}
	}
	return digests, nil
}

// caller asks a server now and then; the load has connections of its own.
type caller struct {
	base string
	http http.Client
}

func newCaller(address string) *caller {
	return &caller{base: "http://" + address, http: http.Client{Timeout: time.Minute}}
}

// call returns the body of a successful answer.
func (c *caller) call(ctx context.Context, method, path, token, mediaType string, body []byte) (_ []byte, err error) {
	request, err := http.NewRequestWithContext(ctx, method, c.base+path, bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w", method, path, err)
	}
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	if mediaType != "" {
		request.Header.Set("Content-Type", mediaType)
	}
	response, err := c.http.Do(request)
	if err != nil {
		return nil, err // names method and URL
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, fmt.Errorf("%s %s: read the answer: %w", method, path, err)
	}
	if response.StatusCode >= http.StatusMultipleChoices {
		return nil, fmt.Errorf("%s %s: %s: %s", method, path, response.Status, bytes.TrimSpace(answer))
	}
	return answer, nil
}
