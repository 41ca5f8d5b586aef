package main

import (
	"context"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/statement"
)

// story is the trial's: who takes part, and how to reach the gateway.
type story struct {
	teller
	ctx     context.Context
	officer *client // the provider's API, by the first account
	people  officers
	gateway string
	folder  string
	box     *postOffice
}

// part is a reseller of the story.
type part struct {
	*reseller
	name string
	id   string
}

// stands is a reseller as /v1 shows it, as far as the story looks.
type stands struct {
	Standing string `json:"standing"`
	NextStep struct {
		What   string    `json:"what"`
		At     time.Time `json:"at"`
		Unless string    `json:"unless"`
		Waits  string    `json:"waits_for"`
	} `json:"next_step"`
	LimitAt  time.Time `json:"limit_at"`
	Findings []struct {
		ID   string `json:"id"`
		Rule string `json:"rule"`
	} `json:"findings"`
}

func (s *story) tellAll(program *Program) error {
	s.chapter("cipgate trial: six foreign resellers of one U.S. provider")
	s.line("SANDBOX gateway at %s, files in %s.", s.gateway, s.folder)
	s.line("Policy: the proposed rule of 15 CFR part 7 (89 FR 5698): each reseller must have a Customer Identification Program (CIP) and say so. " +
		"On evidence that it has none, the provider must end the relationship within 30 days.")

	s.chapter("Enrolment")
	if err := s.hire(program); err != nil {
		return err
	}
	var parts [6]part
	for i, who := range []struct{ name, country, contact string }{
		{"Nordlys Hosting AS", "NO", "compliance@nordlys.example"},
		{"Tardio Nuvens Ltda", "BR", "cumprimento@tardio.example"},
		{"Silent Cloud Pte Ltd", "SG", silentFirst},
		{"Brisa Dados Lda", "PT", "juridico@brisa.example"},
		{"Kestrel Bulut AS", "TR", "uyum@kestrel.example"},
		{"Mirage Hosting KK", "JP", "legal@mirage.example"},
	} {
		enrolled, err := s.enrol(who.name, who.country, who.contact)
		if err != nil {
			return err
		}
		parts[i] = enrolled
		s.day(program.clock.Now(), "%s (%s) got an invitation, made its own keys, signed its entity configuration and enrolled.", who.name, who.country)
	}
	diligent, late, silent, accused, stayed, waking := parts[0], parts[1], parts[2], parts[3], parts[4], parts[5]
	if err := s.reached(program, silent, silentSecond); err != nil {
		return err
	}

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
	if err := s.dispute(program, accused); err != nil {
		return err
	}
	if err := s.fall(program, late, silent, stayed, waking); err != nil {
		return err
	}
	if err := s.ending(program, silent, waking); err != nil {
		return err
	}
	for _, still := range []part{diligent, late, accused, stayed, waking} {
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
		if got.NextStep.Waits != "" {
			next += "; " + got.NextStep.Waits
		}
		if got.NextStep.Unless != "" {
			next += ", unless " + got.NextStep.Unless
		}
	}
	s.check(got.Standing == standing, "%s stands at %s; %s", p.name, strings.ToUpper(got.Standing), next)
	return nil
}

// state reads a reseller's standing. The fold follows each commit by itself; moving the clock by nothing is
// how a sandbox is asked to have finished it.
func (s *story) state(p part) (stands, error) {
	var got stands
	if err := s.officer.post(s.ctx, "/sandbox/clock", map[string]string{"advance": "PT1S"}, &struct{}{}); err != nil {
		return got, err
	}
	err := s.officer.get(s.ctx, "/v1/resellers/"+p.id, &got)
	return got, err
}

// morning begins a story of a day's last hour an hour later: the guard counts by the day in UTC, and what is to fall due in the same minute
// must not fall on two days.
func (s *story) morning(program *Program) error {
	if s.start.UTC().Hour() < 23 {
		return nil
	}
	err := s.passTo(program, s.start.Add(time.Hour))
	s.start = program.clock.Now()
	return err
}

// pass moves the clock to a day of the story and tells what the gateway decided about the parts meanwhile.
func (s *story) pass(program *Program, day int, about ...part) error {
	return s.passTo(program, s.start.Add(time.Duration(day)*24*time.Hour), about...)
}

// passTo moves the clock to a time and tells what the gateway decided about the parts meanwhile.
func (s *story) passTo(program *Program, target time.Time, about ...part) error {
	before, err := program.ledger.Size(s.ctx)
	if err != nil {
		return err
	}
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
