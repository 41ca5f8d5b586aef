package history

import (
	"time"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/statement"
)

// Audience is who may be shown a piece of evidence. Each is wider than the next: what the reseller may see, everybody here may.
type Audience string

// The audiences, as statements name them. The zero Audience is ToReseller.
const (
	ToReseller   Audience = "reseller"     // whom it is about
	ToChain      Audience = "chain"        // and those above it, not the reseller
	ToProvider   Audience = "provider"     // the provider's officers
	ToNeedToKnow Audience = "need-to-know" // those of them who work on the matter
)

var strictness = map[Audience]int{"": 0, ToReseller: 0, ToChain: 1, ToProvider: 2, ToNeedToKnow: 3}

// MayShow says whether evidence with this audience may be shown to a reader. A word that nobody knows is taken for the strictest.
func (a Audience) MayShow(reader Audience) bool {
	want, known := strictness[a]
	if !known {
		want = strictness[ToNeedToKnow]
	}
	return want <= strictness[reader]
}

// audienceOf reads an audience as a statement names it.
func audienceOf(word string) Audience {
	a := Audience(word)
	if _, known := strictness[a]; !known {
		return ToNeedToKnow
	}
	if a == ToReseller {
		return "" // what most evidence is, and is not written down
	}
	return a
}

// AudienceIn is who may be shown an entry whole, by what the entry itself says: evidence that an officer recorded, a report of suspicious
// activity, and what forwards one. It stays when the facts that follow from the entry are settled, or the names in it erased. Who stated
// an entry knows it anyway.
func AudienceIn(e statement.Entry) Audience {
	switch said := e.Statement.(type) {
	case statement.OfficerAction:
		if said.Action == ActionEvidence {
			return audienceOf(detail(said, detailAudience))
		}
	case statement.SuspiciousActivity:
		return audienceOf(said.Audience)
	case statement.Forwarded:
		if said.Set == "" || e.Erased {
			return "" // it is sealed, or what was inside stands elsewhere alone
		}
		set := []byte(said.Set)
		inner, err := statement.Recall(e.LeafIndex, e.AcceptedAt, envelope.DigestOf(set), set)
		if err != nil {
			return ToNeedToKnow // nobody can say what is in it
		}
		return AudienceIn(inner)
	}
	return ""
}

// AudienceOf is who may be shown an entry that is evidence. What no rule restricts, the reseller may see.
func (h History) AudienceOf(leafIndex int64) Audience {
	for _, e := range h.Evidence {
		if e.LeafIndex == leafIndex {
			return e.Audience
		}
	}
	for _, steps := range [][]Late{h.LateSuspicions, h.LateTrainings} {
		for _, step := range steps {
			if step.LeafIndex == leafIndex {
				return step.Audience
			}
		}
	}
	return ""
}

// ReceivedAt is when what an entry holds was in hand: as whoever recorded evidence says, never after it was recorded; else when it was
// accepted.
func ReceivedAt(e statement.Entry) time.Time {
	if said, is := e.Statement.(statement.OfficerAction); is && said.Action == ActionEvidence {
		if received, err := time.Parse(time.RFC3339, detail(said, detailReceivedAt)); err == nil && received.Before(e.AcceptedAt) {
			return received.UTC()
		}
	}
	return e.AcceptedAt.UTC().Truncate(time.Second)
}
