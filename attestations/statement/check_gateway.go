package statement

import "github.com/cipgate/cipgate/attestations/envelope"

// checkGateway is check for what the gateway states. It returns the first fault: the gateway asks for no dry run.
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
	case OutageRecorded:
		if !s.From.Before(s.To) {
			return fault(s.Kind(), "a time that is after from", "an earlier one", "Check which of the two is wrong.", "to")
		}
	}
	return nil
}

func (s KeysChanged) check() error {
	k := s.Kind()
	if s.Keys != nil {
		if _, err := envelope.ParseKeys(s.Keys); err != nil {
			return fault(k, "a set of public keys that may sign", "another one", "Take in keys that protocol.md allows.", "keys")
		}
	}
	if !s.OverlapUntil.IsZero() && !s.OverlapUntil.After(s.ValidFrom) {
		return fault(k, "a time that is after valid_from", "an earlier one", "Check which of the two is wrong.", "overlap_until")
	}
	if s.CompromisedSince.After(s.ValidFrom) {
		return fault(k, "a time that is not after valid_from", "a later one", "Check which of the two is wrong.", "compromised_since")
	}
	return unique(k, s.OldKids, "old_kids")
}

func (s SpecialMeasureImposed) check() error {
	if s.DeterminedOn.After(s.EffectiveOn) {
		return fault(s.Kind(), "a day that is not before determined_on", "an earlier day", "Check which of the two is wrong.", "effective_on")
	}
	if s.EffectiveOn.After(s.ExpiresOn) {
		return fault(s.Kind(), "a day that is not before effective_on", "an earlier day", "Check which of the two is wrong.", "expires_on")
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
