package escalation

import (
	"time"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/resellers/history"
	"github.com/cipgate/cipgate/resellers/policy"
)

// Guarded says what of the guard holds back a step of the case that is due, for which nothing else is wanted; empty if nothing does.
func Guarded(p policy.Policy, about envelope.Entity, c Case, h history.History, house House, now time.Time) GuardKind {
	s := situation{policy: &p, about: about, c: c, history: h, house: house, now: wholeSecond(now)}
	for _, m := range s.moves() {
		at := s.at(m)
		if !m.irreversible() || s.now.Before(at) {
			continue
		}
		kind, _ := s.house.Guard(s.policy.Guard, m.step, s.accountsOf(m), s.now)
		if kind != "" && s.heldBack(m, s.now).why == guardHolds(kind) && s.unproved(m, s.now).why == "" {
			return kind
		}
	}
	return ""
}

func guardHolds(kind GuardKind) string { return "the guard on " + guardWords[kind] + " holds it back" }
