package statement

import (
	"errors"

	"github.com/cipgate/cipgate/attestations/envelope"
)

// checkGateway is check for what the gateway states. It joins every fault: an officer who records a measure or an exemption mends all
// of it at once.
func checkGateway(s Statement, c envelope.Claims) error {
	switch s := s.(type) {
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
	case ExemptionGranted:
		return s.check(c.IssuedAt)
	case OfficerAction:
		return uniqueFields(s.Kind(), s.Details, "details")
	case RecordErased:
		return unique(s.Kind(), s.Digests, "digests")
	case NoticeProved:
		return s.check()
	case ScreeningChanged:
		return s.check()
	case PolicyShadowed:
		return s.check()
	case SuperiorTold:
		return s.check()
	case ClosureOrdered:
		return s.check()
	case StatedByLink:
		return s.check(c.IssuedAt)
	case OutageRecorded:
		if !s.From.Before(s.To) {
			return fault(s.Kind(), "a time that is after from", "an earlier one", "Check which of the two is wrong.", "to")
		}
	}
	return nil
}

func (s KeysChanged) check() error {
	k := s.Kind()
	var keys, overlap, since error
	if s.Keys != nil {
		if _, err := envelope.ParseKeys(s.Keys); err != nil {
			keys = fault(k, "a set of public keys that may sign", "another one", "Take in keys that protocol.md allows.", "keys")
		}
	}
	if !s.OverlapUntil.IsZero() && !s.OverlapUntil.After(s.ValidFrom) {
		overlap = fault(k, "a time that is after valid_from", "an earlier one", "Check which of the two is wrong.", "overlap_until")
	}
	if s.CompromisedSince.After(s.ValidFrom) {
		since = fault(k, "a time that is not after valid_from", "a later one", "Check which of the two is wrong.", "compromised_since")
	}
	return errors.Join(keys, overlap, since, unique(k, s.OldKids, "old_kids"))
}

func (s SpecialMeasureImposed) check() error {
	var effective, expires error
	if s.DeterminedOn.After(s.EffectiveOn) {
		effective = fault(s.Kind(), "a day that is not before determined_on", "an earlier day", "Check which of the two is wrong.", "effective_on")
	}
	if s.EffectiveOn.After(s.ExpiresOn) {
		expires = fault(s.Kind(), "a day that is not before effective_on", "an earlier day", "Check which of the two is wrong.", "expires_on")
	}
	return errors.Join(effective, expires)
}

func (e EntityEnrolled) check(subject envelope.Subject) error {
	var entity, superior, federation, keys error
	if subject.URI != string(e.Entity) {
		entity = fault(e.Kind(), "the entity that sub_id names", "another one", "Name the same entity in both.", "entity")
	}
	if _, err := envelope.ParseEntity(string(e.Superior)); err != nil {
		superior = fault(e.Kind(), "an entity identifier", "another text", "Write it as the superior was enrolled.", "superior")
	}
	if _, err := envelope.ParseKeys(e.FederationKeys); err != nil {
		federation = fault(e.Kind(), "a set of public keys that may sign", "another one", "Enrol keys that protocol.md allows.", "federation_keys")
	}
	if _, err := envelope.ParseKeys(e.Keys); err != nil {
		keys = fault(e.Kind(), "a set of public keys that may sign", "another one", "Enrol keys that protocol.md allows.", "keys")
	}
	return errors.Join(entity, superior, federation, keys)
}
