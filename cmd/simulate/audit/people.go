package audit

import (
	"slices"
	"time"
)

// people is what officers did in the open case, and what the reseller answered.
type people struct {
	grants, refusals []grant
	approved         []string // who said that they approve a step since the latest case was opened: they decide no dispute
	holds            []hold
	extension        extension
	reviews          []review // that wait for a decision
	decisions        []review
}

type grant struct {
	approval, by string
	urgent       bool // of a closure at once: it is not one of the closure that comes in its turn
	lapsed       bool
}

type hold struct {
	id, kind     string
	placed, ends time.Time
	proposed     string // who proposed to lift it
}

type extension struct {
	stage time.Time // when the stage began in which it was given: it counts in that one
	to    time.Time
}

// review is a remediation of an open finding.
type review struct {
	id, kind, finding, ground string
	decided                   time.Time
	upheld                    bool
	by                        string
}

type span struct{ from, to time.Time }

// action is what an officer did.
type action struct {
	Officer struct {
		ID string `json:"id"`
	} `json:"officer"`
	Action string `json:"action"`
	On     struct {
		Type string `json:"type"`
		ID   string `json:"id"`
	} `json:"on"`
	EndsAt     time.Time `json:"ends_at"`
	ProposedBy struct {
		ID string `json:"id"`
	} `json:"proposed_by"`
	Details []struct {
		Name  string `json:"name"`
		Value string `json:"value"`
	} `json:"details"`
}

func (a action) detail(name string) string {
	for _, d := range a.Details {
		if d.Name == name {
			return d.Value
		}
	}
	return ""
}

// answer is a remediation, and the decision of one.
type answer struct {
	Kind        string `json:"kind"`
	Finding     string `json:"finding"`
	Ground      string `json:"ground"`
	Supersedes  string `json:"supersedes"`
	Remediation string `json:"remediation"`
	Decision    string `json:"decision"`
	By          struct {
		ID string `json:"id"`
	} `json:"by"`
	WhoseError string `json:"whose_error"`
}

// acted takes what people did.
func (d *dossier) acted(e Entry) error {
	at := e.AcceptedAt.Truncate(time.Second)
	switch e.Kind {
	case "remediation", "appeal-decided", "relationship-reinstated":
		var said answer
		if err := unmarshal(e.JSON, &said); err != nil {
			return err
		}
		switch {
		case e.Kind == "relationship-reinstated":
			if e.By == d.auditor.gateway {
				d.reinstated(e, said, at)
			}
		case d.file.terminated():
		case e.Kind == "remediation":
			d.answered(e, said)
		case e.By == d.auditor.gateway:
			d.appealed(e, said, at)
		}
	case "officer-action":
		var said action
		if err := unmarshal(e.JSON, &said); err != nil {
			return err
		}
		if e.By == d.auditor.gateway && !d.file.terminated() {
			d.officer(e, said, at)
		}
	}
	return nil
}

func (d *dossier) officer(e Entry, said action, at time.Time) {
	p, here := &d.file.people, d.file.id != "" && said.On.ID == d.file.id
	g := grant{approval: said.On.ID, by: said.Officer.ID}
	g.urgent = d.urgent() && g.approval == identity(d.entity, move{kind: "closure-ordered"}.identity(d.file.id))
	same := func(o grant) bool { return o.approval == g.approval && o.by == g.by && !o.lapsed }
	switch said.Action {
	case "approval.granted":
		if d.cases > 0 {
			p.approved = append(p.approved, g.by)
		}
		// The same person twice counts once, and nobody takes their own refusal back. Of a step that is not known yet nobody can approve.
		if d.asked(said.On.ID) && !d.barred(g.by) && !slices.ContainsFunc(p.refusals, same) && !slices.ContainsFunc(p.grants, same) {
			p.refusals = slices.DeleteFunc(p.refusals, func(o grant) bool { return o.approval == g.approval })
			p.grants = append(p.grants, g)
		}
	case "approval.refused":
		if d.asked(said.On.ID) && !slices.ContainsFunc(p.refusals, same) {
			p.grants = slices.DeleteFunc(p.grants, same)
			p.refusals = append(p.refusals, g)
		}
	case "hold.placed":
		if here && said.EndsAt.After(at) {
			p.holds = append(p.holds, hold{id: e.JTI, kind: said.detail("kind"), placed: at, ends: said.EndsAt})
		}
	case "hold.lift-proposed", "hold.lifted":
		for i := range p.holds {
			h := &p.holds[i]
			switch {
			case h.id != said.On.ID || at.Before(h.placed) || !at.Before(h.ends):
			case said.Action == "hold.lift-proposed":
				h.proposed = said.Officer.ID
			case h.kind != "stay" || h.proposed != "" && h.proposed != said.Officer.ID: // it takes two to lift a stay
				h.ends = at
			}
		}
	case "extension.granted":
		if here && !said.EndsAt.IsZero() {
			p.extension = extension{stage: d.file.began(), to: said.EndsAt}
			d.decides(said.detail("remediation"), said.Officer.ID, true, at)
		}
	case "remediation.accepted", "remediation.rejected":
		r := d.decides(said.On.ID, said.Officer.ID, said.Action == "remediation.accepted", at)
		if r != nil && r.upheld && r.kind == "cure" {
			if o := d.open[r.finding]; o != nil && d.policy().rules[o.rule].byOfficer {
				d.settles(e, o, false)
			}
		}
	case "evidence.recorded":
		s := shortfall{owed: true, since: at, evidence: []int64{e.Leaf}, severity: "serious", by: said.Officer.ID}
		if said.detail("severity") == "critical" {
			s.severity = "critical"
		}
		if received, err := time.Parse(time.RFC3339, said.detail("received_at")); err == nil && received.Before(at) {
			s.since = received
		}
		d.facts.recorded = append(d.facts.recorded, s)
	case "limit.extended":
		if here && !d.file.limit.IsZero() && said.EndsAt.After(d.file.limit) && said.ProposedBy.ID != "" && said.ProposedBy.ID != said.Officer.ID {
			d.file.limit = said.EndsAt
		}
	case "policy.moved":
		if moved := d.auditor.known(said.detail("policy")); here && moved != nil {
			d.file.policy = moved
		}
	}
}

// urgent says that the account is to be closed at once.
func (d *dossier) urgent() bool { return slices.ContainsFunc(d.behind(), (*finding).urgent) }

// calms notes that nothing asks for a closure at once any more: what people said of that they did not say of any other.
func (d *dossier) calms() {
	if d.urgent() {
		return
	}
	p := &d.file.people
	for i := range p.grants {
		p.grants[i].lapsed = p.grants[i].lapsed || p.grants[i].urgent
	}
	p.refusals = slices.DeleteFunc(p.refusals, func(o grant) bool { return o.urgent })
}

// asked says whether a step that the case can take asks people under this id.
func (d *dossier) asked(approval string) bool {
	return slices.ContainsFunc(d.moves(), func(m move) bool { return identity(d.entity, m.identity(d.file.id)) == approval })
}

// barred says that an officer recorded the evidence that a step is about: nobody approves what they proposed.
func (d *dossier) barred(officer string) bool {
	return slices.ContainsFunc(d.behind(), func(o *finding) bool { return o.by == officer })
}

// settles notes that an officer settled a finding. Evidence and late reports are facts for good: with the finding they are settled too.
func (d *dossier) settles(e Entry, o *finding, upheld bool) {
	if o.upheld && !upheld {
		return // what an appeal found wrong is not mended by what is accepted after it
	}
	o.settledLeaf, o.settledAt, o.upheld = e.Leaf, e.AcceptedAt, upheld
	switch o.rule {
	case "evidence.recorded":
		d.facts.recorded = slices.DeleteFunc(d.facts.recorded, func(s shortfall) bool { return s.evidence[0] == o.evidence[0] })
	case "report.late":
		d.facts.late = nil
	case overdue:
		if upheld { // what was wrongly ordered is owed no more
			d.facts.duties.ends(e, func(order owedOrder) bool { return order.leaf == o.evidence[0] })
		}
	case "abuse.unanswered":
		for i := range d.facts.inquiries {
			if q := &d.facts.inquiries[i]; upheld && q.leaf == o.evidence[0] && !q.answered { // what was wrongly asked is asked no more
				q.answered, d.facts.answeredLeaf, d.facts.answeredAt = true, e.Leaf, e.AcceptedAt
			}
		}
	}
}

func (d *dossier) answered(e Entry, said answer) {
	if d.open[said.Finding] == nil {
		return
	}
	p := &d.file.people
	if said.Supersedes != "" {
		p.reviews = slices.DeleteFunc(p.reviews, func(r review) bool { return r.id == said.Supersedes })
	}
	p.reviews = append(p.reviews, review{id: e.JTI, kind: said.Kind, finding: said.Finding, ground: said.Ground})
	if len(p.reviews) <= mostReviews {
		return
	}
	last := map[[3]string]int{} // where each answer was given last
	for i, r := range p.reviews {
		last[[3]string{r.finding, r.kind, r.ground}] = i
	}
	goes := len(p.reviews) - 1
	for i, r := range p.reviews {
		if last[[3]string{r.finding, r.kind, r.ground}] > i {
			goes = i
			break
		}
	}
	p.reviews = slices.Delete(p.reviews, goes, goes+1)
}

// mostReviews is how many answers wait at once. Of more the oldest goes that was repeated since, and no other answer for it; where none
// was, the newest.
const mostReviews = 32

// decides notes that an officer decided an answer of the reseller's; it is nil if that officer may not.
func (d *dossier) decides(id, officer string, upheld bool, at time.Time) *review {
	p := &d.file.people
	i := slices.IndexFunc(p.reviews, func(r review) bool { return r.id == id })
	if i < 0 {
		return nil
	}
	r := p.reviews[i]
	// Who approved a step, or decided a dispute of the same finding, decided what is appealed.
	if o := d.open[r.finding]; r.kind == "dispute" && o != nil && o.by == officer {
		return nil
	}
	if r.kind == "dispute" && (slices.Contains(p.approved, officer) ||
		slices.ContainsFunc(p.decisions, func(o review) bool { return o.kind == "dispute" && o.finding == r.finding && o.by == officer })) {
		return nil
	}
	r.by, r.upheld, r.decided = officer, upheld, at
	p.reviews = slices.Delete(p.reviews, i, i+1)
	p.decisions = append(p.decisions, r)
	return &r
}

func (d *dossier) appealed(e Entry, said answer, at time.Time) {
	waits := slices.ContainsFunc(d.file.people.reviews, func(r review) bool {
		return r.id == said.Remediation && r.kind == "dispute" && r.finding == said.Finding
	})
	if !waits {
		return
	}
	r := d.decides(said.Remediation, said.By.ID, said.Decision == "upheld", at)
	o := d.open[said.Finding]
	if r == nil || !r.upheld || o == nil {
		return
	}
	switch {
	case r.ground != "wrong-severity" || o.severity == "minor":
		d.settles(e, o, true)
	case o.severity == "critical":
		o.severity = "serious"
	default:
		o.severity, o.file = "minor", ""
	}
	d.calms()
	d.over(at, e.Leaf)
}

// reinstated takes a termination back: what is still open begins anew, in a case whose clock starts here.
func (d *dossier) reinstated(e Entry, said answer, at time.Time) {
	if !d.file.terminated() {
		return
	}
	f := d.file
	d.past = append(d.past, past{openedAt: f.openedAt, wrong: said.WhoseError != "reseller", policy: f.policy.id, endedAt: at, seen: e.Leaf})
	d.file, d.facts.terminated = file{}, false
	for i := range d.facts.inquiries { // what was asked before is not asked any more
		if q := &d.facts.inquiries[i]; !q.answered {
			q.answered, d.facts.answeredLeaf, d.facts.answeredAt = true, e.Leaf, e.AcceptedAt
		}
	}
	d.file.people.reviews, d.file.people.decisions = f.people.reviews, f.people.decisions
	for _, o := range d.open {
		if o.file != "" {
			o.file = e.JTI
			d.file.id, d.file.policy, d.file.openedAt, d.file.reinstated = e.JTI, f.policy, at, true
		}
	}
}
