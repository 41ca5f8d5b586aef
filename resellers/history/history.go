// Package history is what one reseller did and when, folded from the ledger's entries about it. It judges nothing:
// whether what it did was enough is decided in findings, from these facts and a policy.
//
// A History is small, bounded, and the same on every node that folded the same entries, so it may be stored, dropped
// and folded again. The zero History is that of an entity about which nothing was said.
package history

import (
	"slices"
	"time"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/statement"
)

// kept is how many attestations a History holds: the first and the latest ones. The ledger has them all.
const kept = 16

// History is the facts about one reseller.
type History struct {
	Entity       envelope.Entity `json:"entity,omitzero"`
	Name         string          `json:"name,omitzero"`
	Country      string          `json:"country,omitzero"` // ISO 3166-1 alpha-2
	EnrolledAt   time.Time       `json:"enrolled_at,omitzero"`
	EnrolledLeaf int64           `json:"enrolled_leaf,omitzero"`
	Superior     Superior        `json:"superior,omitzero"`

	// Attestations are those accepted before a termination, in the order of the ledger: the first one ever, then the
	// latest. AttestationCount counts those that are no longer held too.
	Attestations     []Attestation `json:"attestations,omitzero"`
	AttestationCount int           `json:"attestation_count,omitzero"`

	// Copies are the written programs that attestations named, the latest 16.
	Copies []Copy `json:"copies,omitzero"`

	// Incomplete is since when the latest attestations say that an element is not in place, and CopyOwed since when the written
	// program that the latest one stands for is not in hand.
	Incomplete Spell `json:"incomplete,omitzero"`
	CopyOwed   Spell `json:"copy_owed,omitzero"`

	Exempt Exemption `json:"exempt,omitzero"`

	TerminatedAt time.Time `json:"terminated_at,omitzero"`
	// AfterTermination counts the submissions accepted after the termination: evidence, which changes nothing
	// (protocol.md, "Identity and keys").
	AfterTermination int `json:"after_termination,omitzero"`

	Figures Figures `json:"figures,omitzero"`

	// CustomersIncomplete is since when a customer was verified without an element that 7.302 asks for. Shares are since when
	// how much of the customers is unverified; see UnverifiedShare. Both follow from the Figures.
	CustomersIncomplete Spell   `json:"customers_incomplete,omitzero"`
	Shares              []Share `json:"shares,omitzero"`
	// Waiting is which customers have waited longest. Whoever folds Records keeps it (Waiting.With).
	Waiting Waiting `json:"waiting,omitzero"`

	// What the provider asked for and is not done: information, the written program, orders, and reports of trainings that became
	// covered when the definition moved.
	Inquiries   Debts `json:"inquiries,omitzero"`
	CIPRequests Debts `json:"cip_requests,omitzero"`
	Orders      Debts `json:"orders,omitzero"`
	Trainings   Debts `json:"trainings,omitzero"`

	// LateSuspicions and LateTrainings are how late reports came, and Reports the latest ones of suspicious activity.
	LateSuspicions []Late   `json:"late_suspicions,omitzero"`
	LateTrainings  []Late   `json:"late_trainings,omitzero"`
	Reports        []Report `json:"reports,omitzero"`

	// Unproved is since when a notice that asks something of the reseller is on its way by a channel that could prove it, and no notice
	// was proved since; Contact when its contact was confirmed last.
	Reach    Reach   `json:"reach,omitzero"`
	Unproved Spell   `json:"unproved,omitzero"`
	Contact  Contact `json:"contact,omitzero"`

	Prohibited Prohibited `json:"prohibited,omitzero"`
	Evidence   []Evidence `json:"evidence,omitzero"`
	Settled    []Settled  `json:"settled,omitzero"`
	// Hearing says what of the decisions of officers counts.
	Hearing Hearing `json:"hearing,omitzero"`

	// Next is the lowest leaf index that an entry not yet folded can have. It is not the leaf index last seen, so that
	// the zero History is an empty one.
	Next int64 `json:"next"`
}

// Attestation is one accepted attestation.
type Attestation struct {
	LeafIndex  int64     `json:"leaf_index"`
	AcceptedAt time.Time `json:"accepted_at"` // when the ledger took it, which is what lateness counts from
	Occasion   string    `json:"occasion"`    // "initial", "annual" or "change"

	Copy       string   `json:"copy,omitzero"`         // digest of the written program, base64url; empty if none was named
	NotInPlace []string `json:"not_in_place,omitzero"` // elements of 15 CFR 7.302, proposed, that it says are not in place
}

// Seen is the leaf index of the last entry that was folded, or -1: what AppendAfter asks for.
func (h History) Seen() int64 { return h.Next - 1 }

// Enrolled says whether the entity was ever enrolled. Nothing is expected of one that was not.
func (h History) Enrolled() bool { return !h.EnrolledAt.IsZero() }

// Latest returns the last attestation that was accepted.
func (h History) Latest() (Attestation, bool) {
	if len(h.Attestations) == 0 {
		return Attestation{}, false
	}
	return h.Attestations[len(h.Attestations)-1], true
}

// FirstAfter returns the first attestation behind this leaf index. Of those between the very first and the latest ones
// that are held it cannot know, and returns the first it holds.
func (h History) FirstAfter(leafIndex int64) (Attestation, bool) {
	for _, a := range h.Attestations {
		if a.LeafIndex > leafIndex {
			return a, true
		}
	}
	return Attestation{}, false
}

// With returns the history with one more entry. Entries come in the order of the ledger; one that was folded before, or
// is about another entity, changes nothing. Every entry about the entity moves Seen, whatever it says. The Figures of
// customers and what is theirs stay as they are: those take WithRecords.
func (h History) With(e statement.Entry) History {
	if h.passes(e) {
		return h
	}
	h.Entity = e.About
	h.Next = e.LeafIndex + 1
	acceptedAt := e.AcceptedAt.UTC()
	var ruling *Ruling
	h.Hearing, ruling = h.Hearing.With(e)
	if ruling != nil {
		h = h.ruled(*ruling, e.LeafIndex, acceptedAt)
	}
	if said, is := e.Statement.(statement.OrderConfirmation); is && e.By != e.About {
		return h.settledBySystem(said, e)
	}
	if !e.Statement.Kind().ByGateway() {
		if !h.TerminatedAt.IsZero() {
			h.AfterTermination++
			return h
		}
		h.Figures = h.Figures.stated(e)
	}
	// What an entity says about itself is no word of the gateway, whatever kind it claims to be.
	if e.Statement.Kind().ByGateway() && e.By == e.About {
		if s, own := e.Statement.(statement.EntityEnrolled); own {
			return h.enrolled(s, e.LeafIndex, acceptedAt)
		}
		return h
	}
	if said, answers := statement.RemediationOf(e); answers {
		return h.remedied(said, e)
	}
	return h.told(e, acceptedAt)
}

// told is the history with what a statement says that counts by its kind.
func (h History) told(e statement.Entry, acceptedAt time.Time) History {
	switch s := e.Statement.(type) {
	case statement.EntityEnrolled:
		return h.enrolled(s, e.LeafIndex, acceptedAt)
	case statement.CIPAttestation:
		return h.attested(s, e.LeafIndex, acceptedAt)
	case statement.SuspiciousActivity:
		return h.suspected(s, e)
	case statement.AITraining:
		return h.trained(s, e.LeafIndex, acceptedAt)
	case statement.OrderConfirmation:
		return h.confirmed(s, e)
	case statement.DocumentReceived:
		return h.received(s, e.LeafIndex, acceptedAt)
	case statement.ExemptionGranted:
		return h.granted(s, e.LeafIndex, acceptedAt) // nobody exempts itself
	case statement.ExemptionWithdrawn:
		return h.withdrawn(s, e.LeafIndex, acceptedAt)
	case statement.OfficerAction:
		return h.acted(s, e)
	case statement.NoticeProved:
		return h.proved(e.LeafIndex, acceptedAt)
	case statement.ScreeningChanged:
		return h.screened(s, e.LeafIndex, acceptedAt)
	case statement.TransactionCovered:
		return h.covered(s, e.LeafIndex, acceptedAt)
	case statement.SuperiorChanged:
		h.Superior = h.Superior.told(s)
	case statement.RelationshipTerminated:
		if h.TerminatedAt.IsZero() {
			h.TerminatedAt = acceptedAt
		}
	case statement.RelationshipReinstated:
		return h.reinstated(e.LeafIndex, acceptedAt)
	default:
		return h.asked(e)
	}
	return h
}

// passes is true for an entry that changes nothing: it was folded before, or is about another entity.
func (h History) passes(e statement.Entry) bool {
	return e.LeafIndex < h.Next || h.Entity != "" && h.Entity != e.About
}

// enrolled takes the newest name and country. The first enrolment stays the one that counts: whoever lost its keys and
// enrols again does not get new time.
func (h History) enrolled(s statement.EntityEnrolled, leafIndex int64, at time.Time) History {
	h.Name, h.Country = s.Name, s.Country
	h.Superior = h.Superior.under(s.Superior)
	if !h.Enrolled() {
		h.EnrolledAt, h.EnrolledLeaf = at, leafIndex
	}
	return h
}

func (h History) attested(s statement.CIPAttestation, leafIndex int64, at time.Time) History {
	a := Attestation{LeafIndex: leafIndex, AcceptedAt: at, Occasion: s.Occasion, NotInPlace: notInPlace(s.Elements)}
	h = h.hears(leafIndex, at)
	owed := s.Basis != "adopted" // whoever adopted its superior's program has no written program of its own
	if s.Copy != nil {
		a.Copy = s.Copy.SHA256
		h = h.named(a.Copy, at)
		named, _ := h.Copy(a.Copy)
		owed = owed && named.ReceivedAt.IsZero()
	}
	h.Incomplete = h.Incomplete.with(len(a.NotInPlace) > 0, leafIndex, at)
	h.CopyOwed = h.CopyOwed.with(owed, leafIndex, at)
	held := slices.Clone(h.Attestations) // histories are values: the one we came from keeps its own
	if len(held) == kept {
		held = slices.Delete(held, 1, 2)
	}
	h.Attestations = append(held, a)
	h.AttestationCount++
	return h
}
