package escalation

import "time"

// When the limit of a case begins to run: when the facts made a finding behind it true, and not before the policy of the case judged
// them. A number that a new policy changes may say that something fell short a year ago; nobody was told so, and no limit passes in the
// second in which it begins.

// InForce is that a policy was put in force.
type InForce struct {
	Policy    string    `json:"policy"`
	Since     time.Time `json:"since"`
	LeafIndex int64     `json:"leaf_index"` // of the entry that says so
}

// inForceKept is how many a House holds: the latest.
const inForceKept = 64

// PutInForce is the house once a policy is put in force, by the entry at that leaf index.
func (h House) PutInForce(policy string, since time.Time, leafIndex int64) House {
	h.InForce = kept(h.InForce, InForce{Policy: policy, Since: wholeSecond(since), LeafIndex: leafIndex}, inForceKept)
	return h
}

// limit is the limit of the case, or the one that it will have once it is warned.
func (s *situation) limit() time.Time {
	if !s.c.LimitAt.IsZero() {
		return s.c.LimitAt
	}
	since, opened := s.firstFact()
	return s.policy.Case.LimitAt(since, opened)
}

// firstFact is since when the earliest finding behind the case counts, and when it was opened: the clock starts there. One that was
// open when a termination was taken back starts it anew.
func (s *situation) firstFact() (since, opened time.Time) {
	for i, f := range s.c.Behind() {
		counts := latter(f.Since, s.judgedSince(first(f.Evidence)))
		if i == 0 || counts.Before(since) || counts.Equal(since) && f.OpenedAt.Before(opened) {
			since, opened = counts, f.OpenedAt
		}
	}
	if s.c.Reinstated && since.Before(s.c.Since) {
		return s.c.Since, s.c.OpenedAt
	}
	return since, opened
}

// judgedSince is from when on the policy of the case judged what follows from an entry: zero if it was in force when the ledger took it.
// Before it was in force, and while an earlier case kept another one, nothing fell short of it.
func (s *situation) judgedSince(leaf int64) (since time.Time) {
	id := s.policy.ID()
	var put InForce
	for _, one := range s.house.InForce { // the last one before the case was opened; the first one, where the case was moved to it
		if one.Policy == id && (put.Policy == "" || !one.Since.After(s.c.OpenedAt)) {
			put = one
		}
	}
	if put.LeafIndex >= leaf {
		since = put.Since
	}
	for _, past := range s.c.Past {
		if past.Policy != id && past.Seen >= leaf {
			since = latter(since, past.EndedAt)
		}
	}
	return since
}
