package statement

import (
	"slices"
	"strings"
	"testing"

	"github.com/cipgate/cipgate/attestations/envelope"
)

// What one member says against another is told whole, also of what the gateway states: an officer mends it at once.
func TestOfTheGatewaysOwnKindsEveryFaultBetweenMembersIsNamed(t *testing.T) {
	const weak = `{"keys":[{"kty":"OKP","kid":"1"}]}`
	for _, c := range []struct {
		kind  Kind
		event string
		at    []string // pointers inside the event, in the order in which they are told
	}{
		{KindSpecialMeasureImposed, example(t, KindSpecialMeasureImposed, 0, "effective_on", `"2025-08-31"`, "expires_on", `"2025-08-30"`), []string{"/effective_on", "/expires_on"}},
		{KindExemptionGranted, example(t, KindExemptionGranted, 0, "granted_on", `"2027-07-03"`, "until", `"2026-02-01T00:00:00Z"`), []string{"/granted_on", "/until"}},
		{KindKeysChanged, example(t, KindKeysChanged, 1, "keys", weak, "overlap_until", `"2026-03-01T11:00:00Z"`, "old_kids", `["a","a"]`), []string{"/keys", "/overlap_until", "/old_kids/1"}},
		{KindEntityEnrolled, example(t, KindEntityEnrolled, 0, "superior", `"http://gateway.example"`, "federation_keys", weak, "keys", weak), []string{"/superior", "/federation_keys", "/keys"}},
		{KindSuperiorTold, example(t, KindSuperiorTold, 1, "superior", `"https://s.example/?x"`, "next_at", `"2026-03-01T12:00:00Z"`), []string{"/superior", "/next_at"}},
		{KindNoticeProved, example(t, KindNoticeProved, 0, "sent_at", `"2026-03-01T11:00:00Z"`, "proved_at", `"2026-03-01T10:00:00Z"`), []string{"/proved_at", "/sent_at"}},
	} {
		claims := inspected(c.kind, c.event)
		claims.Subject = envelope.Subject{Format: "uri", URI: "https://reseller.example"}
		_, problems := Inspect(claims)
		var at []string
		for _, p := range problems {
			at = append(at, strings.TrimPrefix(p.Pointer, pointer(c.kind)))
			if p.Wanted == "" || p.Got == "" || p.Fix == "" || p.Source == "" {
				t.Errorf("%s: not all is said: %+v", c.kind, p)
			}
		}
		if !slices.Equal(at, c.at) {
			t.Errorf("%s: %q, wanted %q in %s", c.kind, at, c.at, c.event)
		}
	}
}
