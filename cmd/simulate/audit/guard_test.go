package audit

import (
	"testing"
	"time"
)

// By the numbers of a policy that comes right behind a termination the day is judged with the resellers that are left.
func TestTheDayOfATerminationIsUsedUpByThePolicyThatComesBehindIt(t *testing.T) {
	now := begin.Add(12 * time.Hour)
	for share, wanted := range map[int]bool{71: true, 100: false} { // of two resellers one, or both
		a := New(provider, nil)
		a.shelf.known["text"] = &numbers{id: "p.2", guard: brakes{terminations: brake{count: 2, share: share}}}
		a.inForce = &numbers{id: "p.1", guard: brakes{terminations: brake{count: 1, share: 30}}}
		a.guard.crowds = []crowd{{begin.Add(-oneDay), 3}, {now, 2}}
		a.guard.day(now).terminations = 1
		a.Read(Entry{About: provider, By: provider, Kind: "policy-activated", AcceptedAt: now.Add(time.Second), JSON: []byte(`{"policy":"p.2","document":"text"}`)})
		if full, never := (&dossier{auditor: a}).full("terminate", now.Add(time.Hour)); full != wanted || never {
			t.Errorf("share of %d: full %t, never %t: %v", share, full, never, a.Found())
		}
	}
}
