package findings

import (
	"cmp"
	"slices"

	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/resellers/history"
)

// Audience is who may be shown a piece of evidence, or who reads. What one may see, everybody after it may.
type Audience = history.Audience

// The audiences, from the one that may see least.
const (
	ToReseller   = history.ToReseller
	ToChain      = history.ToChain
	ToProvider   = history.ToProvider
	ToNeedToKnow = history.ToNeedToKnow
)

// audiences are who may be shown each of these entries; nil if the reseller may be shown all of them.
func audiences(h *history.History, evidence []int64) []Audience {
	if len(h.Evidence) == 0 && len(h.LateSuspicions) == 0 && len(h.LateTrainings) == 0 {
		return nil
	}
	var all []Audience
	for i, leafIndex := range evidence {
		if a := h.AudienceOf(leafIndex); a != "" && all == nil {
			all = make([]Audience, len(evidence))
			for j := range i {
				all[j] = ToReseller
			}
			all[i] = a
		} else if all != nil {
			if all[i] = a; a == "" {
				all[i] = ToReseller
			}
		}
	}
	return all
}

// For returns the finding as a reader may see it: without the evidence that is not for it, and without a word that any was left out.
// A report of suspicious activity must not tip off its subject. The id stays as it is: a leaf index says nothing but that the public
// log has such an entry.
func (f Finding) For(reader Audience) Finding {
	if f.Audiences == nil {
		return f
	}
	evidence, shown := f.Evidence, f.Audiences
	f.Evidence, f.Audiences = nil, nil
	for i, a := range shown {
		if a.MayShow(reader) {
			f.Evidence, f.Audiences = append(f.Evidence, evidence[i]), append(f.Audiences, a)
		}
	}
	return f
}

// Visible returns which of the entries behind a finding that was stated a reader may be shown.
func Visible(h history.History, evidence []int64, reader Audience) []int64 {
	return Finding{Evidence: evidence, Audiences: audiences(&h, evidence)}.For(reader).Evidence
}

// Told returns a finding that was stated as a reader may be told it, and whether anything was left out. evidence are the entries that it
// names; one that is not among them is not shown. Unlike Visible it asks the entries and not the history, so it holds for findings that
// were settled long ago.
func Told(said statement.FindingOpened, evidence []statement.Entry, reader Audience) (statement.FindingOpened, bool) {
	shown := []int64{}
	for _, leafIndex := range said.Evidence {
		i := slices.IndexFunc(evidence, func(e statement.Entry) bool { return e.LeafIndex == leafIndex })
		if i >= 0 && history.AudienceIn(evidence[i]).MayShow(reader) {
			shown = append(shown, leafIndex)
		}
	}
	if len(shown) == len(said.Evidence) {
		return said, false
	}
	said.Evidence = shown
	return said, true
}

// ToldWarning returns a warning as a reader may be told it: the entries it rests on that are for the reader, each with what it is, and
// without a word that any was left out. evidence are the entries that it names, in the ledger's order; one that is not among them is not
// shown.
func ToldWarning(said statement.WarningIssued, evidence []statement.Entry, reader Audience) statement.WarningIssued {
	var shown []statement.Evidence
	for _, named := range said.Evidence {
		i, found := slices.BinarySearchFunc(evidence, named.Entry, func(e statement.Entry, leafIndex int64) int { return cmp.Compare(e.LeafIndex, leafIndex) })
		if !found || !history.AudienceIn(evidence[i]).MayShow(reader) {
			continue
		}
		e := evidence[i]
		one := statement.Evidence{Entry: e.LeafIndex, Kind: string(e.Statement.Kind()), ReceivedAt: history.ReceivedAt(e), Digest: e.Digest.String()}
		if e.By == e.About {
			one.JTI = e.JTI
		}
		shown = append(shown, one)
	}
	said.Evidence = shown
	return said
}
