package history

import (
	"slices"

	"github.com/cipgate/cipgate/attestations/statement"
)

// Hearing is what the reseller answered to its findings, and who may decide it. It is the one judge of that: the facts fold it and the
// case folds it (resellers/escalation), from the same entries, so neither takes a decision for one that the other does not. A decision
// that should not have got into the ledger decides nothing: after a termination, of an answer that does not wait, or by an officer who
// decided before what it is about.
type Hearing struct {
	Over     bool         `json:"over,omitzero"` // the relationship is terminated: nothing is answered or decided until that is taken back
	Case     string       `json:"case,omitzero"` // the latest case
	Findings []Heard      `json:"findings,omitzero"`
	Answers  []Answer     `json:"answers,omitzero"`  // that wait for an officer, at most 32 (withoutRepeated)
	Judged   []Judged     `json:"judged,omitzero"`   // disputes that were decided, of findings that are open
	Approved []string     `json:"approved,omitzero"` // ids of officers who approved a step of the latest case
	Evidence []RecordedBy `json:"evidence,omitzero"` // who recorded it, the latest 64
}

// Heard is an open finding.
type Heard struct {
	Finding  string   `json:"finding"`
	Severity string   `json:"severity"`
	First    int64    `json:"first,omitzero"` // the entry that it follows from first
	By       []string `json:"by,omitzero"`    // ids of officers who recorded its evidence
}

// Answer is an answer of the reseller's to an open finding, which waits for an officer.
type Answer struct {
	ID      string `json:"id"` // jti of the remediation
	Kind    string `json:"kind"`
	Finding string `json:"finding"`
	Ground  string `json:"ground,omitzero"`
}

// Judged is that an officer decided a dispute.
type Judged struct {
	Finding string `json:"finding"`
	By      string `json:"by"`
}

// RecordedBy is that an officer recorded evidence.
type RecordedBy struct {
	LeafIndex int64  `json:"leaf_index"`
	By        string `json:"by"`
}

// Ruling is what a decision of an answer comes to.
type Ruling struct {
	Answer   Answer
	First    int64 // the entry that its finding follows from first
	By       statement.Officer
	Upheld   bool   // the reseller was right, or got what it asked for
	Ends     bool   // an upheld dispute ends the finding, whatever the facts say
	Severity string // what an upheld dispute leaves of the severity; "" if it did not change that
}

// Cures says that the answer was accepted as what cures the finding, under a rule that asks for an officer.
func (r Ruling) Cures() bool { return r.Upheld && r.Answer.Kind == answerCure }

const (
	keptAnswers = 32
	keptJudged  = 64

	answerCure       = "cure"
	answerDispute    = "dispute"
	groundOfSeverity = "wrong-severity"

	actionApproved = "approval.granted"
	actionRejected = "remediation.rejected"
	actionExtended = "extension.granted"

	severityMinor    = "minor"
	severitySerious  = "serious"
	severityCritical = "critical"
)

// With returns the hearing with one more entry about the reseller, and what was decided with it; nil if nothing was.
func (g Hearing) With(e statement.Entry) (Hearing, *Ruling) {
	if said, answers := statement.RemediationOf(e); answers {
		return g.answered(said, e.JTI), nil
	}
	if e.By == e.About {
		return g, nil // what an entity says about itself is no word of the gateway
	}
	switch s := e.Statement.(type) {
	case statement.RelationshipReinstated:
		if g.Over {
			g.Over, g.Case, g.Approved = false, e.JTI, nil
		}
	case statement.OfficerAction:
		return g.acted(s, e.LeafIndex)
	case statement.AppealDecided:
		a, waits := g.waiting(s.Remediation)
		if waits && a.Kind == answerDispute && a.Finding == s.Finding {
			return g.decided(a, s.Decision == "upheld", s.By)
		}
	default:
		return g.After(e.Statement), nil
	}
	return g, nil
}

// After is With for what is decided about the reseller, as it will stand in the ledger.
func (g Hearing) After(s statement.Statement) Hearing {
	if g.Over {
		return g
	}
	switch s := s.(type) {
	case statement.FindingOpened:
		if slices.ContainsFunc(g.Findings, func(f Heard) bool { return f.Finding == s.Finding }) {
			return g
		}
		f := Heard{Finding: s.Finding, Severity: s.Severity, By: g.recordedBy(s.Evidence)}
		if len(s.Evidence) > 0 {
			f.First = s.Evidence[0]
		}
		g.Findings = append(slices.Clone(g.Findings), f)
		if s.Case != "" && s.Case != g.Case {
			g.Case, g.Approved = s.Case, nil
		}
	case statement.FindingCured:
		g.Findings = without(g.Findings, func(f Heard) bool { return f.Finding == s.Finding })
		g.Answers = without(g.Answers, func(a Answer) bool { return a.Finding == s.Finding })
		g.Judged = without(g.Judged, func(j Judged) bool { return j.Finding == s.Finding })
	case statement.RelationshipTerminated:
		g.Over = true
	}
	return g
}

func (g Hearing) recordedBy(evidence []int64) (by []string) {
	for _, r := range g.Evidence {
		if slices.Contains(evidence, r.LeafIndex) && !slices.Contains(by, r.By) {
			by = append(by, r.By)
		}
	}
	return by
}

// answered takes an answer to an open finding. What it supersedes waits no more.
func (g Hearing) answered(said statement.Remediation, id string) Hearing {
	if g.Over || !slices.ContainsFunc(g.Findings, func(f Heard) bool { return f.Finding == said.Finding }) {
		return g
	}
	if said.Supersedes != "" {
		g.Answers = without(g.Answers, func(a Answer) bool { return a.ID == said.Supersedes })
	}
	g.Answers = append(slices.Clone(g.Answers), Answer{ID: id, Kind: said.RemediationKind, Finding: said.Finding, Ground: said.Ground})
	if len(g.Answers) > keptAnswers {
		g.Answers = withoutRepeated(g.Answers)
	}
	return g
}

// withoutRepeated takes out the oldest answer that was given again since, to the same finding in the same sense: the newest says it too, and
// whoever repeats one answer must not lose another for want of a place, least of all a dispute. Where none was repeated the newest goes:
// the ledger has it, and nobody decides more than this at once.
func withoutRepeated(answers []Answer) []Answer {
	for i, a := range answers {
		again := func(b Answer) bool { return a.Finding == b.Finding && a.Kind == b.Kind && a.Ground == b.Ground }
		if slices.ContainsFunc(answers[i+1:], again) {
			return slices.Delete(answers, i, i+1)
		}
	}
	return answers[:keptAnswers:keptAnswers]
}

// acted takes what an officer did that bears on it.
func (g Hearing) acted(s statement.OfficerAction, leafIndex int64) (Hearing, *Ruling) {
	if g.Over {
		return g, nil
	}
	switch s.Action {
	case actionApproved:
		if s.On.Type == "approval" && g.Case != "" && !slices.Contains(g.Approved, s.Officer.ID) {
			g.Approved = append(slices.Clone(g.Approved), s.Officer.ID)
		}
	case ActionEvidence:
		held := slices.Clone(g.Evidence)
		if len(held) == keptJudged {
			held = slices.Delete(held, 0, 1)
		}
		g.Evidence = append(held, RecordedBy{LeafIndex: leafIndex, By: s.Officer.ID})
	case ActionAccepted, actionRejected:
		if a, waits := g.waiting(s.On.ID); waits && s.On.Type == "remediation" {
			return g.decided(a, s.Action == ActionAccepted, s.Officer)
		}
	case actionExtended:
		if a, waits := g.waiting(detail(s, "remediation")); waits && s.On.ID == g.Case && !s.EndsAt.IsZero() {
			return g.decided(a, true, s.Officer)
		}
	}
	return g, nil
}

func (g Hearing) waiting(id string) (Answer, bool) {
	i := slices.IndexFunc(g.Answers, func(a Answer) bool { return a.ID == id })
	if i < 0 {
		return Answer{}, false
	}
	return g.Answers[i], true
}

// Waits says whether an answer waits for a decision.
func (g Hearing) Waits(answer string) bool {
	_, waits := g.waiting(answer)
	return waits && !g.Over
}

// Decided says whether an officer decided before what an answer is about: recorded the evidence, approved a step of the case, or decided
// an earlier dispute of the same finding. Such an officer decides no dispute.
func (g Hearing) Decided(officer statement.Officer, answer string) bool {
	a, waits := g.waiting(answer)
	if !waits || a.Kind != answerDispute {
		return false
	}
	return slices.Contains(g.Approved, officer.ID) ||
		slices.ContainsFunc(g.Findings, func(f Heard) bool { return f.Finding == a.Finding && slices.Contains(f.By, officer.ID) }) ||
		slices.Contains(g.Judged, Judged{Finding: a.Finding, By: officer.ID})
}

// decided takes a decision of an answer, if this officer may decide it.
func (g Hearing) decided(a Answer, upheld bool, by statement.Officer) (Hearing, *Ruling) {
	if !g.Waits(a.ID) || g.Decided(by, a.ID) {
		return g, nil
	}
	ruling := Ruling{Answer: a, By: by, Upheld: upheld}
	for _, f := range g.Findings {
		if f.Finding == a.Finding {
			ruling.First = f.First
		}
	}
	g.Answers = without(g.Answers, func(o Answer) bool { return o.ID == a.ID })
	if a.Kind != answerDispute {
		return g, &ruling
	}
	g.Judged = append(slices.Clone(g.Judged), Judged{Finding: a.Finding, By: by.ID})
	if !upheld {
		return g, &ruling
	}
	g.Findings = slices.Clone(g.Findings)
	for i := range g.Findings {
		f := &g.Findings[i]
		switch {
		case f.Finding != a.Finding:
		case a.Ground != groundOfSeverity || f.Severity == severityMinor:
			ruling.Ends = true
		case f.Severity == severityCritical:
			f.Severity, ruling.Severity = severitySerious, severitySerious
		default:
			f.Severity, ruling.Severity = severityMinor, severityMinor
		}
	}
	return g, &ruling
}
