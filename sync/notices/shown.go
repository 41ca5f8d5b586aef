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

// Evidence are the leaf indexes of the entries by which Shown judges what of a statement is shown; none where all of it is, as of the two
// rules that find most and rest on enrolments and attestations alone.
func Evidence(s statement.Statement) []int64 {
	said, is := s.(statement.FindingOpened)
	if !is || said.Rule == policy.CIPMissing || said.Rule == policy.CIPStale {
		return nil
	}
	return said.Evidence
}

// Shown is a statement as an audience may be told it, and whether anything was left out. evidence are the entries at Evidence. The order
// of a case names findings alone, by ids that the reseller needs to answer them.
func Shown(s statement.Statement, evidence []statement.Entry, to Audience) (statement.Statement, bool) {
	if said, is := s.(statement.FindingOpened); is && len(Evidence(s)) > 0 {
		return findings.Told(said, evidence, to.reads())
	}
	return s, false
}
