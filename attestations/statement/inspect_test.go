package statement

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

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
		{"everything at once", `{"occasion":"sometimes","basis":1,"attested_on":"2026-02-30","responsible_contact":{"name":"","email":"Ana"},"occasions":"initial"}`,
			map[string]string{"/occasion": "/schemas/cip-attestation.v1.json", "/basis": "7.303", "/attested_on": "schemas", "/responsible_contact/name": "schemas",
				"/responsible_contact/email": "schemas", "/occasions": "schemas"}},
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
		for _, example := range schemas[kind]().examples {
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

// What a schema cannot say is told at once too: each rule between members that is broken, and each thing that stands twice.
func TestInspectNamesEveryRuleBetweenMembersThatIsBroken(t *testing.T) {
	for _, c := range []struct {
		kind     Kind
		event    string
		pointers []string // inside the event, in order
	}{
		{KindCIPAttestation, `{"occasion":"change","basis":"adopted","agreement_id":"a","attested_on":"2026-04-01","responsible_contact":CONTACT,
			"material_changes":[{"what":"x","on":"2026-05-01"},{"what":"y","on":"2026-05-02"}]}`,
			[]string{"/attested_on", "/material_changes/0/on", "/material_changes/1/on"}},
		{KindCustomerVerification, `{"party":"customer","form":"entity","result":"verified","checked_on":"2026-04-01","reasonable_belief":false,
			"risk_tier":"low","method":"documentary","next_due":"2026-03-01","us_person":{"found":true,"reasonable_belief":false,"basis":"citizen","method":"documentary"},
			"countries":{"home":"BR","ownership":["BR","PT","BR","PT"]},"collected":["name","name"],"supersedes":"j"}`,
			[]string{"/reasonable_belief", "/us_person/reasonable_belief", "/us_person/basis", "/next_due", "/checked_on", "/collected/1",
				"/countries/ownership/2", "/countries/ownership/3", "/supersedes"}},
		{KindAITraining, `{"transaction":"t","state":"occurred","started_on":"2026-04-02","completed_on":"2026-04-01",
			"knowledge":[{"actor":"reseller","knew_at":"2026-03-02T00:00:00Z"},{"actor":"reseller","knew_at":"2026-03-03T00:00:00Z"}],
			"fields":[{"name":"a","value":"x"},{"name":"a","value":"y"}]}`,
			[]string{"/knowledge/0/knew_at", "/knowledge/1/knew_at", "/knowledge/1", "/started_on", "/completed_on", "/fields/1"}},
		{KindForwarded, `{"received_at":"2026-03-02T00:00:00Z","set":"e30.e30.AA","path":["https://a.example?x","https://a.example?x"]}`,
			[]string{"/path/0", "/path/1", "/received_at", "/path/1"}},
	} {
		t.Run(string(c.kind), func(t *testing.T) {
			contact := memberOf(t, Example(KindCIPAttestation), "responsible_contact")
			claims := inspected(c.kind, strings.Replace(c.event, "CONTACT", contact, 1))
			claims.Subject = subjectFor(c.kind)
			s, problems := Inspect(claims)
			var got []string
			for _, p := range problems {
				got = append(got, strings.TrimPrefix(p.Pointer, "/claims/events/"+c.kind.URI()))
				if p.Source == "" || p.Wanted == "" || p.Got == "" || p.Fix == "" {
					t.Errorf("a problem that does not say everything: %+v", p)
				}
			}
			slices.Sort(got)
			slices.Sort(c.pointers)
			if s != nil || !slices.Equal(got, c.pointers) {
				t.Errorf("got  %q\nwant %q", got, c.pointers)
			}
		})
	}
}

func memberOf(t *testing.T, event []byte, name string) string {
	t.Helper()
	var all map[string]jsontext.Value
	if err := json.Unmarshal(event, &all); err != nil {
		t.Fatal(err)
	}
	return string(all[name])
}
