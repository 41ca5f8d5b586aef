package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/google/uuid"
	"golang.org/x/mod/sumdb/note"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/proof"
	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/gateway/enrolment"
	"github.com/cipgate/cipgate/gateway/events"
	"github.com/cipgate/cipgate/sync/trust"
)

// reseller is the client side: one reseller's keys and what it knows of its provider's gateway, kept in
// its home folder.
type reseller struct {
	home  string
	about resellerFile

	federation, statements envelope.Signer
}

// resellerFile is home/reseller.json.
type resellerFile struct {
	Entity   envelope.Entity `json:"entity"`
	Gateway  string          `json:"gateway"`           // where it is reached
	Audience envelope.Entity `json:"audience"`          // how it is called in `aud`
	Superior envelope.Entity `json:"superior,omitzero"` // who stands right above; the gateway itself if empty
	LogVkey  string          `json:"log_vkey"`
	Sandbox  bool            `json:"sandbox,omitzero"` // the gateway's clock may be ahead of ours
	Pending  bool            `json:"pending,omitzero"` // when it enrolled, an officer had yet to approve it
}

const resellerFileName = "reseller.json"

// join enrols with an invitation: makes keys in home, signs the entity configuration, sends it. Where the
// home folder holds keys already, from a try that was cut short, it goes on with them.
func join(ctx context.Context, home, address string) (*reseller, error) {
	return joinAs(ctx, home, address, "")
}

// joinAs enrols under an identifier of the reseller's own; the one that the gateway hosts if it is empty.
func joinAs(ctx context.Context, home, address string, own envelope.Entity) (*reseller, error) {
	gateway, token, ok := strings.Cut(address, "/enrol#")
	if !ok || token == "" {
		return nil, wrong("wanted the enrolment address from your provider, such as https://cip.provider.example/enrol#TOKEN, got %q. Put it in quotes: the shell takes # for a comment", address)
	}
	before, err := enrolledIn(home)
	if err != nil {
		return nil, err
	}
	api := newClient(gateway, token)
	var invitation struct {
		Entity   envelope.Entity `json:"entity"`
		Audience envelope.Entity `json:"audience"`
		Superior envelope.Entity `json:"superior"`
		LogVkey  string          `json:"log_vkey"`
	}
	if err := api.get(ctx, "/enrolments", &invitation); err != nil {
		return nil, err
	}
	// Whoever is enrolled comes under another superior with the keys that it has.
	if before != "" && (before != invitation.Entity || own != "") {
		return nil, wrong("%s: this folder belongs to %s already, which this invitation is not for; give another --home for a second reseller", home, before)
	}
	var itself struct {
		Sandbox bool `json:"sandbox"`
	}
	if err := api.get(ctx, "/", &itself); err != nil {
		return nil, err
	}
	r := &reseller{home: home, about: resellerFile{Entity: invitation.Entity, Gateway: gateway, Audience: invitation.Audience,
		Superior: invitation.Superior, LogVkey: invitation.LogVkey, Sandbox: itself.Sandbox}}
	if own != "" {
		r.about.Entity = own
	}
	if err := r.openKeys(true); err != nil {
		return nil, err
	}
	now, err := r.now(ctx)
	if err != nil {
		return nil, err
	}
	configuration, err := r.configuration(now)
	if err != nil {
		return nil, err
	}
	if err := r.enrol(ctx, api, configuration, own != ""); err != nil {
		return nil, err
	}
	text, err := json.Marshal(r.about)
	if err != nil {
		return nil, fmt.Errorf("writing %s: %w", resellerFileName, err)
	}
	if err := os.WriteFile(filepath.Join(home, resellerFileName), append(text, '\n'), 0o600); err != nil {
		return nil, fmt.Errorf("keeping the enrolment: %w", err)
	}
	return r, nil
}

// enrolledIn is which reseller a folder belongs to; empty if it belongs to none.
func enrolledIn(home string) (envelope.Entity, error) {
	text, err := os.ReadFile(filepath.Join(home, resellerFileName))
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("reading the enrolment: %w", err)
	}
	var file resellerFile
	if err := json.Unmarshal(text, &file); err != nil {
		return "", wrong("%s: %v", filepath.Join(home, resellerFileName), err)
	}
	return file.Entity, nil
}

// enrol sends the entity configuration. The gateway asks an own host for it too, so it is written down to be served there.
func (r *reseller) enrol(ctx context.Context, api *client, configuration []byte, ownHost bool) error {
	path := filepath.Join(r.home, configurationFile)
	if ownHost {
		if err := os.WriteFile(path, configuration, 0o600); err != nil {
			return fmt.Errorf("writing the entity configuration: %w", err)
		}
	}
	a, err := api.send(ctx, http.MethodPost, "/enrolments", enrolment.MediaType, configuration)
	if coded := (*exitError)(nil); ownHost && errors.As(err, &coded) {
		return &exitError{coded.code, fmt.Errorf("%w\nIf that is not done yet, %sThen type the same command again", err, serveThis(path, r.about.Entity))}
	}
	if err != nil {
		return err
	}
	var told struct {
		Status string `json:"status"`
	}
	if err := json.Unmarshal(a.body, &told); err != nil {
		return fmt.Errorf("reading what %s answered: %w", r.about.Gateway, err)
	}
	r.about.Pending = told.Status == "pending"
	return nil
}

// openReseller reads back what join made.
func openReseller(home string) (*reseller, error) {
	text, err := os.ReadFile(filepath.Join(home, resellerFileName))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, wrong("%s holds no enrolment. Begin with: cipgate join 'ENROLMENT-ADDRESS'", home)
	}
	if err != nil {
		return nil, fmt.Errorf("reading the enrolment: %w", err)
	}
	r := &reseller{home: home}
	if err := json.Unmarshal(text, &r.about); err != nil {
		return nil, wrong("%s: %v", filepath.Join(home, resellerFileName), err)
	}
	return r, r.openKeys(false)
}

func (r *reseller) openKeys(mayMake bool) error {
	if mayMake {
		if err := os.MkdirAll(r.home, 0o700); err != nil {
			return wrong("--home: %v", err)
		}
	}
	for _, one := range []struct {
		name   string
		signer *envelope.Signer
	}{{"federation.pem", &r.federation}, {"statement.pem", &r.statements}} {
		path := filepath.Join(r.home, one.name)
		if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) && mayMake {
			if err := makeKey(path); err != nil {
				return err
			}
		}
		key, err := readKey(path)
		if err != nil {
			return err
		}
		if *one.signer, err = envelope.NewSigner(key); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
	}
	return nil
}

// now is the time to put into `iat`: this machine's, or a sandbox's, whose clock may have been moved.
func (r *reseller) now(ctx context.Context) (time.Time, error) {
	if !r.about.Sandbox {
		return time.Now(), nil
	}
	return newClient(r.about.Gateway, "").sandboxTime(ctx)
}

// sandboxTime asks a sandbox for its time.
func (c *client) sandboxTime(ctx context.Context) (time.Time, error) {
	var clock struct {
		Now time.Time `json:"now"`
	}
	err := c.get(ctx, "/sandbox/clock", &clock)
	return clock.Now, err
}

// configuration signs what the reseller says of itself (OpenID Federation 1.1, section 3).
func (r *reseller) configuration(now time.Time) ([]byte, error) {
	statements, err := trust.PublicKeys(r.statements)
	if err != nil {
		return nil, err
	}
	return trust.Reseller{
		Entity: r.about.Entity, Superior: cmp.Or(r.about.Superior, r.about.Audience), Audience: r.about.Audience,
		Federation: r.federation, Statements: statements, Lifetime: 365 * 24 * time.Hour,
	}.Configuration(now)
}

// pushed is a statement that the gateway took.
type pushed struct {
	Digest  envelope.Digest
	Token   []byte
	Receipt proof.Receipt
}

// push signs one event and sends it, then fetches the receipt and checks it: a 202 that could not be proved
// is an error. event is the value of the one member of `events`.
func (r *reseller) push(ctx context.Context, kind statement.Kind, event any) (pushed, error) {
	token, err := r.sign(ctx, kind, event, "")
	if err != nil {
		return pushed{}, err
	}
	return r.send(ctx, token)
}

// sign signs one event as of now, under a jti of its own. customer is the opaque id of the customer that it is about, if any.
func (r *reseller) sign(ctx context.Context, kind statement.Kind, event any, customer string) ([]byte, error) {
	now, err := r.now(ctx)
	if err != nil {
		return nil, err
	}
	id, err := uuid.NewV7()
	if err != nil {
		return nil, fmt.Errorf("making a jti: %w", err)
	}
	draft := envelope.Draft{Issuer: r.about.Entity, Audience: r.about.Audience, IssuedAt: now,
		JTI: id.String(), EventURI: kind.URI(), Event: event}
	if customer != "" {
		draft.Subject = envelope.Subject{Format: "opaque", ID: customer}
	}
	set, err := r.statements.Sign(draft)
	if err != nil {
		return nil, fmt.Errorf("signing: %w", err)
	}
	return set.Raw(), nil
}

// send pushes a signed token and checks its receipt.
func (r *reseller) send(ctx context.Context, token []byte) (pushed, error) {
	api := newClient(r.about.Gateway, "")
	if _, err := api.send(ctx, http.MethodPost, "/events", events.MediaType, token); err != nil {
		return pushed{}, err
	}
	got := pushed{Digest: envelope.DigestOf(token), Token: token}
	text, err := api.receipt(ctx, got.Digest)
	if err != nil {
		return got, err
	}
	if err := checkText(text, got.Digest, r.about.LogVkey); err != nil {
		return got, fmt.Errorf("the receipt of %s: %w", got.Digest, err)
	}
	if got.Receipt, err = proof.ParseReceipt(text); err != nil {
		return got, fmt.Errorf("the receipt of %s: %w", got.Digest, err)
	}
	return got, nil
}

// checkText checks a receipt as it was served against the log's public key.
func checkText(text []byte, digest envelope.Digest, vkey string) error {
	receipt, err := proof.ParseReceipt(text)
	if err != nil {
		return err
	}
	verifier, err := note.NewVerifier(vkey)
	if err != nil {
		return fmt.Errorf("the log's key: %w", err)
	}
	return proof.Check(receipt, digest, verifier)
}

// keep stores a token and its receipt side by side in home/receipts.
func (r *reseller) keep(p pushed) (tokenPath, receiptPath string, err error) {
	folder := filepath.Join(r.home, "receipts")
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return "", "", fmt.Errorf("keeping the receipt: %w", err)
	}
	tokenPath = filepath.Join(folder, p.Digest.String()+".jwt")
	receiptPath = filepath.Join(folder, p.Digest.String()+".tlog-proof")
	text, err := p.Receipt.MarshalText()
	if err != nil {
		return "", "", fmt.Errorf("keeping the receipt: %w", err)
	}
	if err := errors.Join(os.WriteFile(tokenPath, p.Token, 0o600), os.WriteFile(receiptPath, text, 0o600)); err != nil {
		return "", "", fmt.Errorf("keeping the receipt: %w", err)
	}
	return tokenPath, receiptPath, nil
}

// receipt fetches a receipt as text (C2SP tlog-proof).
func (c *client) receipt(ctx context.Context, digest envelope.Digest) ([]byte, error) {
	plain := *c
	plain.accept = "text/plain"
	a, err := plain.send(ctx, http.MethodGet, "/receipts/"+digest.String(), "", nil)
	return a.body, err
}
