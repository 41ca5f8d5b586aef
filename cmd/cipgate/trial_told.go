package main

import (
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/sync/delivery"
	"github.com/cipgate/cipgate/sync/mail"
	"github.com/cipgate/cipgate/sync/notices"
)

// The mail addresses of the silent reseller, and of whom the gateway calls.
const (
	silentFirst  = "legal@silentcloud.example"
	silentSecond = "director@silentcloud.example"
	adasMail     = "ada.obi@provider.example"
)

// toldOf is what the provider sees of one notice, as far as the story looks.
type toldOf struct {
	Kind           string     `json:"kind"`
	JTI            string     `json:"jti"`
	State          string     `json:"state"`
	Tries          int        `json:"tries"`
	AcknowledgedAt *time.Time `json:"acknowledged_at"`
	Mails          []mailTold `json:"mails"`
	Later          []struct {
		Channel   string     `json:"channel"`
		State     string     `json:"state"`
		DueAt     *time.Time `json:"due_at"`
		SettledAt *time.Time `json:"settled_at"`
		Why       string     `json:"why"`
	} `json:"later"`
	Proofs []struct {
		Channel  string    `json:"channel"`
		ProvedAt time.Time `json:"proved_at"`
	} `json:"proofs"`
}

// mailTold is a notice on its way to one contact.
type mailTold struct {
	Second   bool   `json:"second"`
	State    string `json:"state"`
	Attempts []struct {
		At time.Time `json:"at"`
	} `json:"attempts"`
}

// toldAbout finds the newest notice of a kind.
func (s *story) toldAbout(p part, kind statement.Kind) (toldOf, error) {
	if _, err := s.state(p); err != nil {
		return toldOf{}, err
	}
	var list struct {
		Items []toldOf `json:"items"`
	}
	if err := s.officer.get(s.ctx, "/v1/resellers/"+p.id+"/notices?limit=100", &list); err != nil {
		return toldOf{}, err
	}
	for _, one := range slices.Backward(list.Items) {
		if one.Kind == string(kind) {
			return one, nil
		}
	}
	return toldOf{}, fmt.Errorf("%s was told of no %s", p.name, kind)
}

// reached lets a reseller's contacts confirm that mail reaches them: a second one too, if its address is given.
func (s *story) reached(program *Program, p part, second string) error {
	asks := map[string]any{"/contact/ask": nil}
	if second != "" {
		asks["/second-contact"] = map[string]string{"contact": second}
	}
	for path, body := range asks {
		var asked confirmationTold
		if err := s.officer.post(s.ctx, "/v1/resellers/"+p.id+path, body, &asked); err != nil {
			return err
		}
		if _, err := newClient(s.gateway, asked.Token).send(s.ctx, http.MethodPost, "/confirmations", "", nil); err != nil {
			return err
		}
	}
	s.day(program.clock.Now(), "%s: its contact and a second one follow the links they were given, and so confirm that mail reaches them.", p.name)
	return nil
}

// unread tells how the warning goes by one channel after another while nobody at the reseller answers.
func (s *story) unread(program *Program, p part) error {
	s.chapter("The inbox of " + p.name)
	first, err := s.box.take(s.ctx, silentFirst, "A warning was issued.")
	if err != nil {
		return err
	}
	warned, err := s.toldAbout(p, statement.KindWarningIssued)
	if err != nil {
		return err
	}
	s.day(program.clock.Now(), "A mail to its contact, %q: what happened, one link, and nothing of what was found. The same stands in its stream as a signed SET. Nobody reads the one or polls the other.", first.subject)
	s.check(warned.State == "waiting" && warned.Tries == 0 && len(warned.Proofs) == 0, "the SET was polled %d times, and nothing proves that the warning came", warned.Tries)

	if err := s.pass(program, 34); err != nil {
		return err
	}
	second, err := s.box.take(s.ctx, silentSecond, "A warning was issued.")
	if err != nil {
		return err
	}
	s.day(program.clock.Now(), "The second contact is mailed: %q.", second.subject)
	if err := s.pass(program, 36); err != nil {
		return err
	}
	call, _ := mail.Line(mail.MatterPhone)
	if _, err := s.box.take(s.ctx, adasMail, call); err != nil {
		return err
	}
	s.day(program.clock.Now(), "The officers are mailed: %q Nobody takes the telephone yet.", call)
	if err := s.pass(program, 38); err != nil {
		return err
	}
	s.day(program.clock.Now(), "Its superior would be told now. It is of tier 1, and the provider itself is above it.")
	return s.proofOf(p, statement.KindWarningIssued)
}

// proofOf tells by which channels a notice went, each with how far it came, as the case shows it.
func (s *story) proofOf(p part, kind statement.Kind) error {
	told, err := s.toldAbout(p, kind)
	if err != nil {
		return err
	}
	s.line("Proof of notice, of the %s to %s:", kind, p.name)
	row := func(channel, sent, delivered, acknowledged string) {
		fmt.Fprintf(s.out, "      %-26s  %-16s  %-14s  %s\n", channel, sent, delivered, acknowledged)
	}
	row("channel", "sent", "delivered", "acknowledged")
	polled, acknowledged := "waits", "no"
	if told.Tries > 0 {
		polled = "polled"
	}
	if told.AcknowledgedAt != nil {
		acknowledged = onDay(*told.AcknowledgedAt)
	}
	row("SET to its software", "in its stream", polled, acknowledged)
	slices.SortStableFunc(told.Mails, func(a, b mailTold) int { // the first contact's before the second's
		switch {
		case a.Second == b.Second:
			return 0
		case b.Second:
			return -1
		}
		return 1
	})
	for _, m := range told.Mails {
		words, sent := "mail to its contact", "no"
		if m.Second {
			words = "mail to its second contact"
		}
		if n := len(m.Attempts); n > 0 {
			sent = onDay(m.Attempts[n-1].At)
		}
		acknowledged := "no"
		if m.State == string(delivery.Acknowledged) {
			acknowledged = "yes, by the link"
		}
		row(words, sent, sent, acknowledged)
	}
	for _, l := range told.Later {
		words := map[string]string{string(notices.Phone): "officers asked to call", string(notices.Superior): "its superior"}[l.Channel]
		switch {
		case words == "":
		case l.State == string(delivery.LaterTaken):
			row(words, onDay(*l.SettledAt), "-", "-")
		case l.State == string(delivery.LaterSpared):
			row(words, "not needed", "-", l.Why)
		case len(told.Proofs) > 0:
			row(words, "not needed", "-", "the notice was proved")
		case l.DueAt != nil:
			row(words, "due "+onDay(*l.DueAt), "-", "-")
		}
	}
	for _, proof := range told.Proofs {
		s.check(true, "proved by %s at %s", proof.Channel, proof.ProvedAt.Format("2 Jan 15:04"))
	}
	if len(told.Proofs) == 0 {
		s.check(true, "proved by nothing")
	}
	return nil
}

func onDay(at time.Time) string { return at.Format("2 Jan 15:04") }

// ordered tells an order that a reseller reads by its software, acknowledges, and confirms to have carried out.
func (s *story) ordered(program *Program, p part) error {
	subscribed, err := p.subscribe(s.ctx)
	if err != nil {
		return err
	}
	if err := subscribed.signIn(s.ctx); err != nil {
		return err
	}
	order, none := "", 0
	for more := true; more; {
		var got []received
		if got, more, _, err = subscribed.poll(s.ctx, said{AtOnce: true}); err != nil {
			return err
		}
		have := said{AtOnce: true, MaxEvents: &none}
		for _, one := range got {
			have.Ack = append(have.Ack, one.JTI)
			if one.claims.EventURI == statement.KindRestrictionOrdered.URI() {
				order = one.JTI
			}
		}
		if _, _, _, err = subscribed.poll(s.ctx, have); err != nil {
			return err
		}
	}
	s.day(program.clock.Now(), "%s polls its stream: signed SETs, among them the order to open no new accounts. Its software checks each and acknowledges it.", p.name)
	if _, err := p.push(s.ctx, statement.KindOrderConfirmation, map[string]string{"order": order, "outcome": "done", "on": program.clock.Now().UTC().Format(time.DateOnly)}); err != nil {
		return err
	}
	s.day(program.clock.Now(), "%s confirms that it carried the order out: a signed statement too.", p.name)
	return s.proofOf(p, statement.KindRestrictionOrdered)
}
