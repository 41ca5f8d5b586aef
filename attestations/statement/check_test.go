package statement

import (
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
)

// What a schema cannot say is refused at the member that is wrong.
func TestOneMemberIsHeldAgainstAnother(t *testing.T) {
	changed := func(on string) string {
		return attestation(t, "occasion", `"change"`, "attested_on", `"2026-06-30"`, "material_changes", `[{"what":"a","on":"2026-06-30"},{"what":"b","on":"`+on+`"}]`)
	}
	finding := string(Example(KindFindingOpened))
	enrolled := string(Example(KindEntityEnrolled))
	for name, test := range map[string]struct {
		kind    Kind
		event   string
		at      time.Time
		pointer string // after the event's; empty: accepted
	}{
		"attested on the day of iat":                   {KindCIPAttestation, attestation(t, "attested_on", `"2026-07-01"`), noon, ""},
		"attested tomorrow, where tomorrow has begun":  {KindCIPAttestation, attestation(t, "attested_on", `"2026-07-02"`), noon, ""},
		"attested tomorrow, which has begun nowhere":   {KindCIPAttestation, attestation(t, "attested_on", `"2026-07-02"`), noon.Add(-2*time.Hour - time.Second), "/attested_on"},
		"attested the day after tomorrow":              {KindCIPAttestation, attestation(t, "attested_on", `"2026-07-03"`), noon, "/attested_on"},
		"attested next year":                           {KindCIPAttestation, attestation(t, "attested_on", `"2027-01-01"`), noon, "/attested_on"},
		"attested years ago is for the policy":         {KindCIPAttestation, attestation(t, "attested_on", `"2001-01-01"`), noon, ""},
		"changes up to the day of the attestation":     {KindCIPAttestation, changed("2025-01-01"), noon, ""},
		"a change after the attestation":               {KindCIPAttestation, changed("2026-07-01"), noon, "/material_changes/1/on"},
		"a finding true when it was found":             {KindFindingOpened, finding, noon, ""},
		"a finding true after it was found":            {KindFindingOpened, with(t, finding, "since", `"2026-03-01T12:00:01Z"`), noon, "/since"},
		"a standing that did not change":               {KindStandingChanged, with(t, string(Example(KindStandingChanged)), "before", `"warned"`), noon, "/after"},
		"enrolled as another entity than the subject":  {KindEntityEnrolled, with(t, enrolled, "entity", `"https://other.example"`), noon, "/entity"},
		"enrolled under what is no entity identifier":  {KindEntityEnrolled, with(t, enrolled, "superior", `"http://gateway.example"`), noon, "/superior"},
		"enrolled with a key that signs nothing":       {KindEntityEnrolled, with(t, enrolled, "keys", `{"keys":[{"kty":"OKP","kid":"1"}]}`), noon, "/keys"},
		"enrolled with a federation key without curve": {KindEntityEnrolled, with(t, enrolled, "federation_keys", `{"keys":[{"kty":"OKP","kid":"1"}]}`), noon, "/federation_keys"},
	} {
		d := draft(test.kind, []byte(test.event))
		d.IssuedAt = test.at
		_, err := Decode(sign(t, d))
		want := ""
		if test.pointer != "" {
			want = "/claims/events/" + test.kind.URI() + test.pointer
		}
		if got := pointerOf(err); got != want || (want == "") != (err == nil) {
			t.Errorf("%s: %v", name, err)
		}
		if err != nil && strings.Contains(err.Error(), "other.example") {
			t.Errorf("%s: the refusal repeats what was sent: %v", name, err)
		}
	}
}

func TestADayIsReadAsItIsWritten(t *testing.T) {
	for text, want := range map[string]Date{
		"2026-03-01": {2026, time.March, 1},
		"2024-02-29": {2024, time.February, 29},
		"0001-12-31": {1, time.December, 31},
	} {
		got, err := ParseDate(text)
		if err != nil || got != want || got.String() != text {
			t.Errorf("%s: %v, %v", text, got, err)
		}
		var read Date
		if written, err := json.Marshal(want); err != nil || string(written) != `"`+text+`"` || json.Unmarshal(written, &read) != nil || read != want {
			t.Errorf("%s: written as %s, %v, and read as %v", text, written, err, read)
		}
	}
	for _, text := range []string{"", "2026-3-1", "2026-02-29", "2026-13-01", "2026-03-01 ", "2026-03-01T00:00:00Z", "+2026-03-01", "26-03-01"} {
		if got, err := ParseDate(text); err == nil {
			t.Errorf("%q was read as %v", text, got)
		}
	}
	days := []Date{{2025, 12, 31}, {2026, 1, 1}, {2026, 1, 2}, {2026, 2, 1}, {2027, 1, 1}}
	for i, a := range days {
		for j, b := range days {
			if a.After(b) != (i > j) {
				t.Errorf("%s after %s: %v", a, b, a.After(b))
			}
		}
	}
}
