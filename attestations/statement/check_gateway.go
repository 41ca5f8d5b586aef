package statement

import "github.com/cipgate/cipgate/attestations/envelope"

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
