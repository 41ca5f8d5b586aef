package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/spf13/cobra"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/statement"
)

func trialCommand() *cobra.Command {
	var data, listen string
	var exit bool
	cmd := &cobra.Command{
		Use:   "trial",
		Short: "The main job in one go, on this machine, with nothing to set up",
		Long: `trial starts a sandbox gateway, enrols three foreign resellers over HTTP, pushes real signed statements,
lets one reseller be late and one fall silent, moves the sandbox's clock, and tells what happens. Then it stays up with
the dashboard. With --exit it ends instead, with exit code 1 if anything was not as told.`,
		Example: "  cipgate trial\n  cipgate trial --exit",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return trial(cmd.Context(), trialWish{data: data, listen: listen, exit: exit}, cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	cmd.Flags().StringVar(&data, "data", "", "folder to keep what the trial makes (default: a temporary one, removed at the end)")
	cmd.Flags().StringVar(&listen, "listen", "127.0.0.1:0", "address and port for the sandbox gateway; port 0 takes a free one")
	cmd.Flags().BoolVar(&exit, "exit", false, "end after the story")
	return cmd
}

type trialWish struct {
	data, listen string
	exit         bool
}

// trial runs the story against a gateway in this process, over real HTTP.
func trial(ctx context.Context, wish trialWish, stdout, stderr io.Writer) (err error) {
	began := time.Now()
	kept := wish.data != ""
	if _, port, err := net.SplitHostPort(wish.listen); err != nil || port == "" {
		return wrong("--listen: wanted ADDRESS:PORT such as 127.0.0.1:8460, got %q", wish.listen)
	}
	if !kept {
		if wish.data, err = os.MkdirTemp("", "cipgate-trial-"); err != nil {
			return fmt.Errorf("making a folder for the trial: %w", err)
		}
		defer func() { err = errors.Join(err, os.RemoveAll(wish.data)) }()
	}
	listener, err := net.Listen("tcp", wish.listen)
	if err != nil {
		return later("--listen %s: %v. Choose another port", wish.listen, err)
	}
	config := defaults()
	config.Data, config.Listen, config.Sandbox = filepath.Join(wish.data, "gateway"), listener.Addr().String(), true
	if err := config.check(); err != nil {
		return errors.Join(err, listener.Close())
	}
	program, err := open(ctx, config, slog.New(slog.NewTextHandler(stderr, &slog.HandlerOptions{Level: slog.LevelWarn})))
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	serving, stop := context.WithCancel(ctx)
	served := make(chan error, 1)
	go func() { served <- program.Serve(serving, listener) }()
	defer func() {
		stop()
		err = errors.Join(err, <-served, program.Close(context.WithoutCancel(ctx)))
	}()

	token, err := os.ReadFile(filepath.Join(config.Data, "admin.token"))
	if err != nil {
		return fmt.Errorf("reading the admin token: %w", err)
	}
	s := &story{
		teller:  teller{out: stdout, start: program.clock.Now()},
		ctx:     ctx,
		officer: newClient(config.PublicURL, strings.TrimSpace(string(token))),
		gateway: config.PublicURL, folder: wish.data,
	}
	if err := s.tellAll(program); err != nil {
		return fmt.Errorf("the story broke off: %w", err)
	}
	s.chapter("The end")
	if s.failed > 0 {
		s.line("%d things were NOT as told; see above.", s.failed)
		return &exitError{exitFailed, fmt.Errorf("%d things were not as told", s.failed)}
	}
	s.line("Everything was as told, in %s. Real keys, real HTTP, a real store; only the clock was moved.", time.Since(began).Round(10*time.Millisecond))
	if wish.exit {
		return nil
	}
	link, err := program.auth.NewLink(ctx, "visitor of the trial")
	if err != nil {
		return err
	}
	s.line("")
	s.line("Look at it:  %s/sign-in#%s", s.gateway, link)
	ends := "is removed then"
	if kept {
		ends = "stays"
	}
	s.line("Stop with Ctrl-C; what the trial made in %s %s.", wish.data, ends)
	select {
	case <-ctx.Done():
		return nil
	case err := <-served:
		served <- err // the deferred function waits for it
		return err
	}
}

// story is the trial's: who takes part, and how to reach the gateway.
type story struct {
	teller
	ctx     context.Context
	officer *client // the provider's API
	gateway string
	folder  string
}

// part is a reseller of the story.
type part struct {
	*reseller
	name string
	id   string
}

// state is a reseller as /v1 shows it, as far as the story looks.
type state struct {
	Standing string `json:"standing"`
	NextStep struct {
		What   string    `json:"what"`
		At     time.Time `json:"at"`
		Unless string    `json:"unless"`
	} `json:"next_step"`
	LimitAt time.Time `json:"limit_at"`
}

func (s *story) tellAll(program *Program) error {
	s.chapter("cipgate trial: three foreign resellers of one U.S. provider")
	s.line("SANDBOX gateway at %s, files in %s.", s.gateway, s.folder)
	s.line("Policy: the proposed rule of 15 CFR part 7 (89 FR 5698): each reseller must have a Customer Identification Program (CIP) and say so. " +
		"On evidence that it has none, the provider must end the relationship within 30 days.")

	s.chapter("Enrolment")
	var parts [3]part
	for i, who := range []struct{ name, country, contact string }{
		{"Nordlys Hosting AS", "NO", "compliance@nordlys.example"},
		{"Tardio Nuvens Ltda", "BR", "cumprimento@tardio.example"},
		{"Silent Cloud Pte Ltd", "SG", "legal@silentcloud.example"},
	} {
		enrolled, err := s.enrol(who.name, who.country, who.contact)
		if err != nil {
			return err
		}
		parts[i] = enrolled
		s.day(program.clock.Now(), "%s (%s) got an invitation, made its own keys, signed its entity configuration and enrolled.", who.name, who.country)
	}
	diligent, late, silent := parts[0], parts[1], parts[2]

	s.chapter("A statement's road in")
	first, err := s.attest(diligent, program)
	if err != nil {
		return err
	}
	if err := s.expect(diligent, "good"); err != nil {
		return err
	}
	if err := s.altered(first, program); err != nil {
		return err
	}
	if err := s.forged(diligent, silent, program); err != nil {
		return err
	}

	s.chapter("A reseller's fall")
	s.line("Nobody does anything now. The sandbox's clock moves; the gateway decides by itself, and signs each decision into its ledger.")
	if err := s.pass(program, 29); err != nil {
		return err
	}
	if err := s.expect(silent, "pending"); err != nil {
		return err
	}
	if err := s.pass(program, 31, late, silent); err != nil {
		return err
	}
	if err := s.expect(late, "warned"); err != nil {
		return err
	}
	if err := s.pass(program, 45, late, silent); err != nil {
		return err
	}
	if err := s.expect(silent, "restricted"); err != nil {
		return err
	}
	if _, err := s.attest(late, program); err != nil {
		return err
	}
	if err := s.expect(late, "good"); err != nil {
		return err
	}
	if err := s.pass(program, 52, silent); err != nil {
		return err
	}
	if err := s.expect(silent, "closing"); err != nil {
		return err
	}
	if err := s.pass(program, 60, silent); err != nil {
		return err
	}
	if err := s.expect(silent, "terminated"); err != nil {
		return err
	}
	if err := s.refused(silent, program); err != nil {
		return err
	}
	for _, still := range []part{diligent, late} {
		if err := s.expect(still, "good"); err != nil {
			return err
		}
	}
	return s.proofs(program)
}

// enrol invites a reseller by the provider's API and lets it join with keys of its own.
func (s *story) enrol(name, country, contact string) (part, error) {
	var made invited
	err := s.officer.post(s.ctx, "/v1/invitations", map[string]string{"name": name, "country": country, "contact": contact}, &made)
	if err != nil {
		return part{}, err
	}
	joined, err := join(s.ctx, filepath.Join(s.folder, "resellers", filepath.Base(made.Entity)), made.URL)
	if err != nil {
		return part{}, err
	}
	return part{reseller: joined, name: name, id: joined.about.Entity.ID().String()}, nil
}

// attest pushes a real CIP attestation and checks its receipt.
func (s *story) attest(p part, program *Program) (pushed, error) {
	kind := statement.CIPAttestation{}.Kind()
	event, err := dated(statement.Example(kind), program.clock.Now())
	if err != nil {
		return pushed{}, err
	}
	done, err := p.push(s.ctx, kind, event)
	if err != nil {
		return pushed{}, err
	}
	if _, _, err := p.keep(done); err != nil {
		return pushed{}, err
	}
	s.day(program.clock.Now(), "%s states that its CIP is in place: a signed token of %d bytes, answered 202 once it was on disk.", p.name, len(done.Token))
	s.check(true, "its receipt proves that it is entry %d of the log, checked with the log's public key alone", done.Receipt.LeafIndex)
	return done, nil
}

// dated returns the example with today's date, so that it is true when it is stated.
func dated(example jsontext.Value, now time.Time) (jsontext.Value, error) {
	return replaceMember(example, "attested_on", now.UTC().Format(time.DateOnly))
}

// altered checks that a receipt does not hold for a token that was changed by one character.
func (s *story) altered(p pushed, program *Program) error {
	other := envelope.DigestOf(append([]byte("x"), p.Token[1:]...))
	text, err := p.Receipt.MarshalText()
	if err != nil {
		return err
	}
	err = checkText(text, other, program.vkey)
	s.check(err != nil, "the same receipt does not hold for a token in which one character was changed")
	return nil
}

// forged checks that nobody can state in another's name.
func (s *story) forged(victim, forger part, program *Program) error {
	imposter := *forger.reseller
	imposter.about.Entity = victim.about.Entity
	kind := statement.CIPAttestation{}.Kind()
	_, err := imposter.push(s.ctx, kind, jsontext.Value(statement.Example(kind)))
	s.day(program.clock.Now(), "%s signs a statement in the name of %s and pushes it.", forger.name, victim.name)
	s.check(err != nil && strings.Contains(err.Error(), "invalid_key"), "refused: %s", brief(err))
	return nil
}

// refused checks that a terminated reseller's statements are no longer taken.
func (s *story) refused(p part, program *Program) error {
	kind := statement.CIPAttestation{}.Kind()
	_, err := p.push(s.ctx, kind, jsontext.Value(statement.Example(kind)))
	s.day(program.clock.Now(), "%s wakes up and pushes an attestation.", p.name)
	s.check(err != nil && strings.Contains(err.Error(), "invalid_issuer"), "refused: %s", brief(err))
	return nil
}

func brief(err error) string {
	if err == nil {
		return "it was NOT refused"
	}
	_, text, _ := strings.Cut(err.Error(), "answered ")
	if text == "" {
		text = err.Error()
	}
	return text
}

// expect checks a reseller's standing as the provider's API tells it.
func (s *story) expect(p part, standing string) error {
	got, err := s.state(p)
	if err != nil {
		return err
	}
	next := "nothing is due"
	if !got.NextStep.At.IsZero() {
		next = fmt.Sprintf("next: %s on %s", got.NextStep.What, got.NextStep.At.Format("2 Jan 2006"))
		if got.NextStep.Unless != "" {
			next += ", unless " + got.NextStep.Unless
		}
	}
	s.check(got.Standing == standing, "%s stands at %s; %s", p.name, strings.ToUpper(got.Standing), next)
	return nil
}

// state reads a reseller's standing. The fold follows each commit by itself; moving the clock by nothing is
// how a sandbox is asked to have finished it.
func (s *story) state(p part) (state, error) {
	var got state
	if err := s.officer.post(s.ctx, "/sandbox/clock", map[string]string{"advance": "PT1S"}, &struct{}{}); err != nil {
		return got, err
	}
	err := s.officer.get(s.ctx, "/v1/resellers/"+p.id, &got)
	return got, err
}

// pass moves the clock to a day of the story and tells what the gateway decided about the parts meanwhile.
func (s *story) pass(program *Program, day int, about ...part) error {
	before, err := program.ledger.Size(s.ctx)
	if err != nil {
		return err
	}
	target := s.start.Add(time.Duration(day) * 24 * time.Hour)
	by := target.Sub(program.clock.Now()).Round(time.Second)
	if err := s.officer.post(s.ctx, "/sandbox/clock", map[string]string{"advance": fmt.Sprintf("PT%dS", int(by.Seconds()))}, &struct{}{}); err != nil {
		return err
	}
	for _, p := range about {
		if err := s.decisions(p, before); err != nil {
			return err
		}
	}
	return nil
}

// decisions tells what the ledger took about a reseller since a leaf index.
func (s *story) decisions(p part, since int64) error {
	var history struct {
		Items []struct {
			LeafIndex  int64     `json:"leaf_index"`
			AcceptedAt time.Time `json:"accepted_at"`
			Kind       string    `json:"kind"`
			Headline   string    `json:"headline"`
		} `json:"items"`
	}
	if err := s.officer.get(s.ctx, "/v1/resellers/"+p.id+"/history?limit=1000", &history); err != nil {
		return err
	}
	for _, entry := range history.Items {
		if entry.LeafIndex >= since && entry.Kind != "standing-changed" {
			s.day(entry.AcceptedAt, "%s: %s", p.name, entry.Headline)
		}
	}
	return nil
}

// proofs checks every entry of the ledger as an outsider could.
func (s *story) proofs(program *Program) error {
	s.chapter("What can be proved")
	if err := program.ledger.Check(s.ctx); err != nil {
		return err
	}
	var entries struct {
		Items []struct {
			Digest string `json:"digest"`
			Kind   string `json:"kind"`
		} `json:"items"`
	}
	if err := s.officer.get(s.ctx, "/v1/entries?limit=1000", &entries); err != nil {
		return err
	}
	proved := 0
	for _, entry := range entries.Items {
		digest, err := envelope.ParseDigest(entry.Digest)
		if err != nil {
			return err
		}
		text, err := newClient(s.gateway, "").receipt(s.ctx, digest)
		if err != nil {
			return err
		}
		if err := checkText(text, digest, program.vkey); err == nil {
			proved++
		}
	}
	s.check(proved == len(entries.Items) && proved > 0, "all %d entries of the ledger, statements and decisions, have a receipt that verifies with the public key alone", len(entries.Items))
	s.check(true, "the Merkle tree was computed again from the entries and agrees with the signed checkpoint")
	a, err := s.officer.send(s.ctx, http.MethodGet, "/log/checkpoint", "", nil)
	if err != nil {
		return err
	}
	s.line("")
	s.line("The newest checkpoint, which anybody can fetch and keep:")
	for _, line := range strings.Split(strings.TrimSpace(string(a.body)), "\n") {
		fmt.Fprintln(s.out, "      "+line)
	}
	return nil
}
