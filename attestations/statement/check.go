package statement

import (
	"errors"
	"strconv"
	"time"

	"github.com/cipgate/cipgate/attestations/envelope"
)

// check holds a statement against what a schema cannot say: one member against another, and against the token's claims. It returns
// everything that is wrong, in the order in which Decode tells the first.
func check(s Statement, c envelope.Claims) []error {
	switch s := s.(type) {
	case CIPAttestation:
		return s.check(c.IssuedAt)
	case CustomerVerification:
		return s.check(c)
	case AccountStatus:
		return s.check(c)
	case SuspiciousActivity:
		return s.check(c)
	case AITraining:
		return s.check(c)
	case Remediation:
		return s.check(c)
	case OrderConfirmation:
		return s.check(c)
	case Forwarded:
		return s.check(c)
	default:
		return faults(checkGateway(s, c))
	}
}

// faults are those that there are. A statement without any, as most are, costs no memory.
func faults(found ...error) []error {
	var all []error
	for _, err := range found {
		var several interface{ Unwrap() []error }
		if errors.As(err, &several) {
			all = append(all, several.Unwrap()...)
		} else if err != nil {
			all = append(all, err)
		}
	}
	return all
}

// farthestEast is how far the earliest time zone is ahead of UTC: there, today begins first (Kiribati).
const farthestEast = 14 * time.Hour

func (a CIPAttestation) check(issuedAt time.Time) []error {
	var all []error
	if a.AttestedOn.After(DateOf(issuedAt.UTC().Add(farthestEast))) {
		all = append(all, fault(a.Kind(), "a day that is not after the token's iat", "a later day",
			"Attest what is so, on the day it is signed; and set the clock that writes iat.", "attested_on"))
	}
	for i, change := range a.MaterialChanges {
		if change.On.After(a.AttestedOn) {
			all = append(all, fault(a.Kind(), "a day that is not after attested_on", "a later day",
				"State a change once it has happened.", "material_changes", strconv.Itoa(i), "on"))
		}
	}
	return all
}
