package audit

import (
	"slices"
	"time"
)

// Proof of notice: what cannot be taken back waits until it is proved that the reseller was told of the step before, and never so long
// that who hides gains by it.

// proving is what a policy says of it. A policy that says nothing lets nothing wait.
type proving struct {
	steps                   map[string]bool
	unanswered              int // so many tries that nobody answered, on different days, count
	goesOn                  bool
	phone, superior, margin time.Duration
}

func readProving(b branch, length func(b branch, names ...string) time.Duration) proving {
	p := proving{steps: map[string]bool{}, unanswered: whole(b.down("unanswered")["value"]), goesOn: b.down("at_limit")["value"] == "goes-on",
		phone: length(b, "phone"), superior: length(b, "superior"), margin: length(b, "margin")}
	steps, _ := b.down("steps")["value"].([]any)
	for _, step := range steps {
		if name, is := step.(string); is {
			p.steps[name] = true
		}
	}
	return p
}

// notice is what was stated of the step that was taken last, and what tells that it arrived.
type notice struct {
	at       time.Time
	standing string   // to which the step led
	jtis     []string // of its statement, and of the change of standing that says the same
	proved   time.Time
	tries    []time.Time // that nobody answered
}

// tells begins the notice of a step.
func (d *dossier) tells(e Entry, standing string) {
	d.file.notice = notice{at: d.group.now, standing: standing, jtis: []string{e.JTI}}
}

// retells takes the change of standing that goes with it.
func (d *dossier) retells(e Entry, said decision) {
	n := &d.file.notice
	if len(n.jtis) == 1 && said.After == n.standing {
		n.jtis = append(n.jtis, e.JTI)
	}
}

// proves takes an entry that may say that the notice arrived.
func (d *dossier) proves(e Entry) error {
	n := &d.file.notice
	if n.at.IsZero() {
		return nil
	}
	accepted := e.AcceptedAt.Truncate(time.Second)
	when := func(at time.Time) time.Time { return later(n.at, earlier(at.Truncate(time.Second), accepted)) }
	arrived := func(of string, at time.Time) {
		if n.proved.IsZero() && slices.Contains(n.jtis, of) {
			n.proved = when(at)
		}
	}
	own := e.By == d.auditor.gateway
	switch e.Kind {
	case "notice-proved":
		var said struct {
			Notice   string    `json:"notice"`
			ProvedAt time.Time `json:"proved_at"`
		}
		if err := unmarshal(e.JSON, &said); err != nil {
			return err
		}
		if own {
			arrived(said.Notice, said.ProvedAt)
		}
	case "order-confirmation":
		var said struct {
			Order string `json:"order"`
		}
		if err := unmarshal(e.JSON, &said); err != nil {
			return err
		}
		if e.By == e.About {
			arrived(said.Order, accepted)
		}
	case "officer-action":
		var said action
		if err := unmarshal(e.JSON, &said); err != nil {
			return err
		}
		if !own || said.Action != "notice.recorded" {
			return nil
		}
		at := accepted
		if told, err := time.Parse(time.RFC3339, said.detail("at")); err == nil {
			at = told
		}
		if said.detail("answered") != "no" {
			arrived(said.On.ID, at)
			return nil
		}
		day := func(t time.Time) string { return t.UTC().Format(time.DateOnly) }
		at = when(at)
		known := slices.ContainsFunc(n.tries, func(t time.Time) bool { return day(t) == day(at) })
		if slices.Contains(n.jtis, said.On.ID) && !known && len(n.tries) < 9 {
			n.tries = append(n.tries, at)
			slices.SortFunc(n.tries, time.Time.Compare)
		}
	}
	return nil
}

// told is when the reseller counts as told of the last step; zero if it does not.
func (d *dossier) told() time.Time {
	n, p := d.file.notice, d.file.policy.proof
	if !n.proved.IsZero() || p.unanswered == 0 || len(n.tries) < p.unanswered {
		return n.proved
	}
	return later(n.tries[p.unanswered-1], n.at.Add(p.phone))
}

// needsProof says whether a step waits. What is closed at once waits for nothing.
func (d *dossier) needsProof(m move) bool {
	return !d.file.notice.at.IsZero() && d.file.policy.proof.steps[m.step] && !(m.step == "close" && d.urgent())
}

// lastly is when a step is taken without proof, where the policy lets it.
func (d *dossier) lastly(m move) time.Time {
	end, p := m.latest, d.file.policy.proof
	if m.step == "terminate" {
		end = d.limit().Add(-p.margin)
	}
	if !d.file.notice.at.Before(end) { // the limit has passed anyway: each channel is tried first
		return d.file.notice.at.Add(p.superior)
	}
	return end
}

// afterProof is when a step falls due with the proof, or without it. It leaves the reseller the policy's floor behind the proof, but not
// past the limit.
func (d *dossier) afterProof(m move, at time.Time) time.Time {
	if !d.needsProof(m) {
		return d.inHours(at)
	}
	told, end, p := d.told(), d.lastly(m), d.file.policy.proof
	floor := told.Add(d.file.policy.stepFloor)
	switch {
	case told.IsZero() && !p.goesOn:
		return d.inHours(at) // and waits
	case told.IsZero():
		if at = d.inHours(at); at.Before(end) {
			at = d.inHours(end)
		}
		return at
	case told.Before(end):
		return d.inHours(later(at, earlier(floor, end)))
	case p.goesOn:
		return d.inHours(later(at, end))
	case told.Before(d.limit()):
		return d.inHours(later(at, told))
	}
	return d.inHours(later(at, floor))
}

// unproved says whether a step must not be taken for want of proof, whatever the time.
func (d *dossier) unproved(m move) bool {
	return d.needsProof(m) && d.told().IsZero() && !d.file.policy.proof.goesOn
}
