package notices

import (
	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/resellers/findings"
	"github.com/cipgate/cipgate/resellers/history"
	"github.com/cipgate/cipgate/resellers/policy"
)

// Each piece of evidence has an audience (standing.md, "Findings"). What an entry says about itself decides whether it is told at all
// (Address), and of what it names, what is told (Shown). What is left out leaves no trace: a notice that is not addressed takes no number,
// and a list is as long as what it holds.

// reads is what evidence an audience may be shown. The provider's own systems are no people who work on a matter.
func (a Audience) reads() history.Audience {
	switch {
	case a.IsOfficer():
		return history.ToNeedToKnow
	case a.IsSystem():
		return history.ToProvider
	}
	return history.ToReseller
}

// mayHear says whether an audience may be told an entry whole.
func (a Audience) mayHear(entry statement.Entry) bool {
	return history.AudienceIn(entry).MayShow(a.reads())
}

// Apart says that each audience is told a statement in its own way: findings and warnings, which rest on evidence. Such a notice is signed
// for whoever gets it also where nothing is left out, else the signature would say that something is. The two rules that find most rest on
// enrolments and attestations alone, and hide nothing.
func Apart(s statement.Statement) bool {
	switch said := s.(type) {
	case statement.FindingOpened:
		return said.Rule != policy.CIPMissing && said.Rule != policy.CIPStale
	case statement.WarningIssued:
		return true
	}
	return false
}

// Evidence are the leaf indexes of the entries by which Shown judges what of a statement is shown.
func Evidence(s statement.Statement) []int64 {
	if !Apart(s) {
		return nil
	}
	switch said := s.(type) {
	case statement.FindingOpened:
		return said.Evidence
	case statement.WarningIssued:
		leaves := make([]int64, len(said.Evidence))
		for i, e := range said.Evidence {
			leaves[i] = e.Entry
		}
		return leaves
	}
	return nil
}

// Shown is a statement as an audience may be told it. evidence are the entries at Evidence. The other orders of a case name findings alone,
// by ids that the reseller needs to answer them.
func Shown(s statement.Statement, evidence []statement.Entry, to Audience) statement.Statement {
	if !Apart(s) {
		return s
	}
	switch said := s.(type) {
	case statement.FindingOpened:
		told, _ := findings.Told(said, evidence, to.reads())
		return told
	case statement.WarningIssued:
		return findings.ToldWarning(said, evidence, to.reads())
	}
	return s
}
