package statement

import (
	"strconv"
	"time"

	"github.com/cipgate/cipgate/attestations/envelope"
)

// check holds a statement against what a schema cannot say: one member against another, and against the token's claims.
func check(s Statement, c envelope.Claims) error {
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
	case FindingOpened:
		if s.Since.After(s.Opened) {
			return fault(s.Kind(), "a time that is not after opened", "a later one", "Check which of the two is wrong.", "since")
		}
	case StandingChanged:
		if s.Before == s.After {
			return fault(s.Kind(), "another standing than before", "the same", "State a change only where there is one.", "after")
		}
	case EntityEnrolled:
		return s.check(c.Subject)
	case KeysChanged:
		return s.check()
	case SpecialMeasureImposed:
		return s.check()
	case OfficerAction:
		return uniqueFields(s.Kind(), s.Details, "details")
	case RecordErased:
		return unique(s.Kind(), s.Digests, "digests")
	case OutageRecorded:
		if !s.From.Before(s.To) {
			return fault(s.Kind(), "a time that is after from", "an earlier one", "Check which of the two is wrong.", "to")
		}
	}
	return nil
}

// farthestEast is how far the earliest time zone is ahead of UTC: there, today begins first (Kiribati).
const farthestEast = 14 * time.Hour

func (a CIPAttestation) check(issuedAt time.Time) error {
	if a.AttestedOn.After(DateOf(issuedAt.UTC().Add(farthestEast))) {
		return fault(a.Kind(), "a day that is not after the token's iat", "a later day",
			"Attest what is so, on the day it is signed; and set the clock that writes iat.", "attested_on")
	}
	for i, change := range a.MaterialChanges {
		if change.On.After(a.AttestedOn) {
			return fault(a.Kind(), "a day that is not after attested_on", "a later day",
				"State a change once it has happened.", "material_changes", strconv.Itoa(i), "on")
		}
	}
	return nil
}

func (e EntityEnrolled) check(subject envelope.Subject) error {
	if subject.URI != string(e.Entity) {
		return fault(e.Kind(), "the entity that sub_id names", "another one", "Name the same entity in both.", "entity")
	}
	if _, err := envelope.ParseEntity(string(e.Superior)); err != nil {
		return fault(e.Kind(), "an entity identifier", "another text", "Write it as the superior was enrolled.", "superior")
	}
	if _, err := envelope.ParseKeys(e.FederationKeys); err != nil {
		return fault(e.Kind(), "a set of public keys that may sign", "another one", "Enrol keys that protocol.md allows.", "federation_keys")
	}
	if _, err := envelope.ParseKeys(e.Keys); err != nil {
		return fault(e.Kind(), "a set of public keys that may sign", "another one", "Enrol keys that protocol.md allows.", "keys")
	}
	return nil
}
