package notices

import (
	"slices"

	"github.com/cipgate/cipgate/attestations/statement"
)

// Answerable is what a person may answer of a notice: the findings that it names, or the inquiry.
type Answerable struct {
	Findings []string
	Inquiry  string
}

// AnswerableOf is what may be answered of a statement by a remediation; nothing of most.
func AnswerableOf(s statement.Statement) Answerable {
	switch said := s.(type) {
	case statement.FindingOpened:
		return Answerable{Findings: []string{said.Finding}}
	case statement.WarningIssued:
		return Answerable{Findings: said.Findings}
	case statement.RestrictionOrdered:
		return Answerable{Findings: said.Findings}
	case statement.ClosureOrdered:
		return Answerable{Findings: said.Findings}
	case statement.HandOverOrdered:
		return Answerable{Findings: said.Findings}
	case statement.RelationshipTerminated:
		return Answerable{Findings: said.Findings}
	case statement.InformationRequested:
		return Answerable{Inquiry: said.Inquiry}
	}
	return Answerable{}
}

// Nothing says that a notice asks for no answer.
func (a Answerable) Nothing() bool { return len(a.Findings) == 0 && a.Inquiry == "" }

// Takes says whether a remediation answers one of what may be answered, and nothing else.
func (a Answerable) Takes(r statement.Remediation) bool {
	if r.Finding == "" {
		return a.Inquiry != "" && r.Inquiry == a.Inquiry
	}
	return slices.Contains(a.Findings, r.Finding) && (r.Inquiry == "" || r.Inquiry == a.Inquiry)
}
