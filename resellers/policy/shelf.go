package policy

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// ErrUnknown says that a case is pinned to a policy whose file this gateway was not given.
var ErrUnknown = errors.New("policy not on the shelf")

// Shelf holds every policy a gateway was given: the one in force, by which new cases are opened, and earlier ones, to
// which cases that are still open are pinned (standing.md, "Policy pinned").
type Shelf struct {
	inForce  Policy
	versions map[string]Policy
}

// NewShelf puts policies on a shelf. Two different files under one ID are refused: a decision's basis names the ID, and
// must always mean the same text.
func NewShelf(inForce Policy, earlier ...Policy) (Shelf, error) {
	s := Shelf{inForce: inForce, versions: map[string]Policy{inForce.ID(): inForce}}
	for _, p := range earlier {
		if other, taken := s.versions[p.ID()]; taken && other.Digest() != p.Digest() {
			return Shelf{}, fmt.Errorf("policy: two different files are both %s (SHA-256 %s and %s): raise the version of the changed one",
				p.ID(), other.Digest(), p.Digest())
		}
		s.versions[p.ID()] = p
	}
	return s, nil
}

// InForce returns the policy by which new cases are opened.
func (s Shelf) InForce() Policy { return s.inForce }

// For returns the policy that a case is pinned to, or the one in force where it is pinned to none (""). The error wraps
// ErrUnknown: judging the case by another policy instead would move its deadlines unseen.
func (s Shelf) For(pinned string) (Policy, error) {
	if pinned == "" {
		return s.inForce, nil
	}
	p, known := s.versions[pinned]
	if !known {
		return Policy{}, fmt.Errorf("policy: %w: a case is pinned to %s, and the gateway was given only %s: start it with that file too",
			ErrUnknown, pinned, strings.Join(s.ids(), ", "))
	}
	return p, nil
}

func (s Shelf) ids() []string {
	var ids []string
	for id := range s.versions {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return ids
}
