package statement

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cipgate/cipgate/attestations/envelope"
)

// inspected is a claims set of one event, signed by nobody.
func inspected(kind Kind, event string) envelope.Claims {
	return envelope.Claims{Issuer: "https://reseller.example", JTI: "j", IssuedAt: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC),
		EventURI: kind.URI(), Event: []byte(event)}
}

func TestInspectNamesEveryProblemWithItsSource(t *testing.T) {
	const inEvent = "/claims/events/urn:cipgate:event:cip-attestation:v1"
	for _, c := range []struct {
		name, event string
		sources     map[string]string // by pointer inside the event: a part of the source
	}{
		{"the smallest example", string(Example(KindCIPAttestation)), nil},
		{"everything at once", `{"occasion":"sometimes","basis":1,"attested_on":"2026-02-30","responsible_contact":{"name":"","email":"Ana"},"occassion":"initial"}`,
			map[string]string{"/occasion": "/schemas/cip-attestation.v1.json", "/basis": "7.303", "/attested_on": "schemas", "/responsible_contact/name": "schemas",
				"/responsible_contact/email": "schemas", "/occassion": "schemas"}},
		{"text that is no JSON", `{"occasion":`, map[string]string{"": "RFC 8259"}},
		{"a member twice", `{"basis":"own","basis":"own"}`, map[string]string{"": "RFC 8259"}},
		{"what no schema says", strings.Replace(string(Example(KindCIPAttestation)), "2025-01-15", "2027-01-15", 1), map[string]string{"/attested_on": "schemas"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, problems := Inspect(inspected(KindCIPAttestation, c.event))
			if (s == nil) != (len(c.sources) > 0) || len(problems) != len(c.sources) {
				t.Errorf("got %v and %d problems: %v", s, len(problems), problems)
			}
			for _, p := range problems {
				want, expected := c.sources[strings.TrimPrefix(p.Pointer, inEvent)]
				if !expected || !strings.Contains(p.Source, want) || !errors.Is(p.Fault, envelope.ErrMalformed) {
					t.Errorf("%v, from %q", p, p.Source)
				}
				if strings.Contains(p.Error(), "Ana") {
					t.Errorf("a personal value: %v", p)
				}
			}
		})
	}
	if _, problems := Inspect(envelope.Claims{EventURI: "urn:example:x"}); len(problems) != 1 || problems[0].Source == "" {
		t.Errorf("an event that nobody knows: %v", problems)
	}
}

// Every example of every submission is as good to Inspect as to Decode, and every one with a member left out as bad.
func TestInspectAndDecodeGiveOneVerdict(t *testing.T) {
	for _, kind := range Kinds() {
		if kind.ByGateway() {
			continue
		}
		for _, example := range schemas[kind].examples {
			whole := inspected(kind, string(example))
			whole.Subject = subjectFor(kind)
			broken := whole
			broken.Event = []byte(strings.Replace(string(example), `"`, `"x`, 1))
			for _, claims := range []envelope.Claims{whole, broken} {
				_, err := read(kind, claims.Event)
				if err == nil {
					_, err = About(claims)
				}
				s, problems := Inspect(claims)
				if first := (*envelope.Fault)(nil); errors.As(err, &first) && !slices.ContainsFunc(problems, func(p envelope.Problem) bool { return p.Pointer == first.Pointer }) {
					t.Errorf("%s: Decode says %v, Inspect %v", kind, first, problems)
				}
				if err != nil && s != nil {
					t.Errorf("%s: Decode says %v, Inspect nothing", kind, err)
				}
			}
		}
	}
}

func subjectFor(kind Kind) envelope.Subject {
	if forms[kind].customer == noCustomer {
		return envelope.Subject{}
	}
	return envelope.Subject{Format: "opaque", ID: "customer-1"}
}
