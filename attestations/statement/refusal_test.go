package statement

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/cipgate/cipgate/attestations/envelope"
)

// A refusal names the place, what is wanted there, what stands there instead, and what to do.
func TestARefusalSaysWhatIsWrongAndWhatToDo(t *testing.T) {
	const schemaAt = " The schema is /schemas/cip-attestation.v1.json."
	contact := func(pairs ...string) string {
		return attestation(t, "responsible_contact", with(t, `{"name":"Ana Souza","email":"cip@reseller.example"}`, pairs...))
	}
	own := string(schemas[KindCIPAttestation]().examples[1])
	for name, test := range map[string]struct{ event, pointer, wanted, got, fix string }{
		"a member is missing": {
			attestation(t, "attested_on", ""), "/attested_on",
			"a day of this century as YYYY-MM-DD", "nothing", `Add "attested_on", such as "2025-01-15".`,
		},
		"everything is missing": {
			`{}`, "/attested_on",
			"a day of this century as YYYY-MM-DD", "nothing", `Add "attested_on", such as "2025-01-15". 3 more members need work.`,
		},
		"an adopted program without its agreement": {
			attestation(t, "agreement_id", ""), "/agreement_id",
			"one line of text without spaces at its ends", "nothing", `Add "agreement_id", such as "MSA-2025-014". It is required where the program is adopted or referenced.`,
		},
		"an own program without its elements": {
			attestation(t, "basis", `"own"`), "/elements",
			"an object with written_program, identification_data, access_addresses, 12 more", "nothing", `Add "elements". It is required where the program is not adopted.`,
		},
		"one element is missing": {
			with(t, own, "elements", withMember(t, `{"red_flags":{"in_place":true}}`, "red_flags", `{"in_place":true}`)), "/elements/access_addresses",
			"an object with in_place", "nothing", `Add "access_addresses", such as {"in_place":true}. 13 more members need work.`,
		},
		"the yearly one without the five attestations": {
			attestation(t, "occasion", `"annual"`), "/yearly_attestations",
			"an object with reviewed, updated_for_offerings, updated_for_threats, complies, resolutions_recorded", "nothing",
			`Add "yearly_attestations", such as {"complies":true,"resolutions_recorded":true,"reviewed":true,"updated_for_offerings":true,"updated_for_threats":true}. It is required where the occasion is annual.`,
		},
		"a change without saying which": {
			attestation(t, "occasion", `"change"`), "/material_changes",
			"a list", "nothing", `Add "material_changes", such as [{"on":"2025-06-01","what":"A new responsible contact."},{"on":"2025-05-20","what":"GPU instances are offered."}]. It is required where the occasion is a change.`,
		},
		"a list with nothing in it": {
			attestation(t, "material_changes", `[]`), "/material_changes",
			"at least 1 item", "0 items", "Fill the list, or leave it out if it is not required.",
		},
		"a list with too much in it": {
			attestation(t, "material_changes", "["+strings.Repeat(`{"what":"a","on":"2025-01-01"},`, 100)+`{"what":"a","on":"2025-01-01"}]`), "/material_changes",
			"at most 100 items", "101 items", "Send fewer; group what belongs together.",
		},
		"a misspelled member": {
			attestation(t, "attested_on", "", "attestedOn", `"2025-01-15"`), "/attestedOn",
			"no members but agreement_id, attested_on, basis, copy, elements, material_changes, occasion, responsible_contact, yearly_attestations",
			`"attestedOn"`, `Did you mean "attested_on"? One more member needs work.`,
		},
		"a member of another schema": {
			attestation(t, "customer_id", `"7"`), "/customer_id",
			"no members but agreement_id, attested_on, basis, copy, elements, material_changes, occasion, responsible_contact, yearly_attestations",
			`"customer_id"`, "Leave it out.",
		},
		"a member whose name may be a person's": {
			contact("Ana Souza, born 1980", `"x"`), "/responsible_contact",
			"no members but email, name, phone, title", "a member of another name", "Leave it out.",
		},
		"a member in a place with many": {
			with(t, own, "elements", withMember(t, elementsOf(t, own), "redflags", `{"in_place":true}`)), "/elements/redflags",
			"only members that the schema names", `"redflags"`, `Did you mean "red_flags"?`,
		},
		"a value of another type": {
			contact("name", `7`), "/responsible_contact/name",
			"one line of text without spaces at its ends", "a number", `Write a value such as "Ana Souza".`,
		},
		"null instead of leaving it out": {
			contact("title", `null`), "/responsible_contact/title",
			"one line of text without spaces at its ends", "null", `Write a value such as "Head of Compliance".`,
		},
		"a list where an object belongs": {
			attestation(t, "responsible_contact", `[]`), "/responsible_contact",
			"an object with name, email", "an array", `Write a value such as {"email":"cip@reseller.example","name":"Ana Souza"}.`,
		},
		"a word that is not one of the three": {
			attestation(t, "occasion", `"yearly"`), "/occasion",
			`one of "initial", "annual", "change"`, "another value", "Write one of them letter by letter.",
		},
		"a day that the calendar does not have": {
			attestation(t, "attested_on", `"2025-02-29"`), "/attested_on",
			"a day of this century as YYYY-MM-DD", "a text of another form", `Write it in this form, such as "2025-01-15".`,
		},
		"a mail address that is none": {
			contact("email", `"Ana Souza <cip@reseller.example>"`), "/responsible_contact/email",
			"an email address such as cip@reseller.example", "a text of another form", `Write it in this form, such as "cip@reseller.example".`,
		},
		"an empty text": {
			contact("name", `""`), "/responsible_contact/name",
			"one line of text without spaces at its ends", "0 characters", "Fill it in, or leave it out if it is not required.",
		},
		"a text that is too long": {
			contact("title", `"`+strings.Repeat("é", 201)+`"`), "/responsible_contact/title",
			"at most 200 characters", "201 characters", "Shorten it.",
		},
		"a number too small": {
			attestation(t, "copy", `{"sha256":"47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU","bytes":0}`), "/copy/bytes",
			"a whole number from 1 to 9007199254740991", "a smaller number", "Write a number inside these bounds.",
		},
		"a number that would take a year to write out": {
			attestation(t, "copy", `{"sha256":"47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU","bytes":1e999999999}`), "/copy/bytes",
			"a whole number from 1 to 9007199254740991", "a larger number", "Write a number inside these bounds.",
		},
		"a number that is not whole": {
			attestation(t, "copy", `{"sha256":"47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU","bytes":1.5}`), "/copy/bytes",
			"a whole number from 1 to 9007199254740991", "a number", "Write a value such as 48128.",
		},
		"an element that is answered by a word": {
			with(t, own, "elements", withMember(t, elementsOf(t, own), "red_flags", `{"in_place":"yes"}`)), "/elements/red_flags/in_place",
			"true or false", "a string", "Write a value such as true.",
		},
		"no object at all": {
			`[]`, "", "an object with occasion, basis, attested_on, responsible_contact", "an array",
			"Write an object with occasion, basis, attested_on, responsible_contact.",
		},
	} {
		_, err := read(KindCIPAttestation, []byte(test.event))
		want := &envelope.Fault{
			Reason: envelope.ErrMalformed, Pointer: "/claims/events/urn:cipgate:event:cip-attestation:v1" + test.pointer,
			Wanted: test.wanted, Got: test.got, Fix: test.fix + schemaAt,
		}
		if !reflect.DeepEqual(err, error(want)) {
			t.Errorf("%s:\ngot  %v\nwant %v", name, err, want)
		}
	}
}

// elementsOf returns the elements of an attestation.
func elementsOf(t *testing.T, event string) string {
	t.Helper()
	s, err := read(KindCIPAttestation, []byte(event))
	if err != nil {
		t.Fatal(err)
	}
	return string(compact(s.(CIPAttestation).Elements))
}

func TestARefusalOfTheGatewaysOwnStatementsIsWordedAsWell(t *testing.T) {
	enrolled := string(Example(KindEntityEnrolled))
	for name, test := range map[string]struct {
		kind                      Kind
		event, pointer, got, want string
	}{
		"a time with a fraction": {
			KindFindingOpened, with(t, string(Example(KindFindingOpened)), "since", `"2026-03-01T12:00:00.5Z"`),
			"/since", "a text of another form", "a time in UTC, whole seconds, as 2026-03-01T12:00:00Z",
		},
		"a leaf index below none": {
			KindFindingOpened, with(t, string(Example(KindFindingOpened)), "evidence", `[0,-1]`),
			"/evidence/1", "a smaller number", "a whole number from 0 to 9007199254740991",
		},
		"a basis without its policy": {
			KindFindingCured, with(t, string(Example(KindFindingCured)), "basis", `{"seen":1,"now":"2026-03-01T12:00:00Z"}`),
			"/basis/policy", "nothing", "a policy's name and version such as us-iaas-2024.1",
		},
		"a private key": {
			KindEntityEnrolled, with(t, enrolled, "keys", `{"keys":[{"kty":"OKP","kid":"1","d":"secret"}]}`),
			"/keys/keys/0/d", "one", "no such member here",
		},
	} {
		_, err := read(test.kind, []byte(test.event))
		fault, ok := errors.AsType[*envelope.Fault](err)
		if !ok || fault.Pointer != "/claims/events/"+test.kind.URI()+test.pointer || fault.Got != test.got || fault.Wanted != test.want {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestTextThatIsNoJSONIsRefusedAsSuch(t *testing.T) {
	for _, text := range []string{"", "{", `{"a":1,"a":2}`, `{} {}`, "{}x", "{\"a\":\"\xff\"}", `{"a":"\ud800"}`} {
		_, err := read(KindCIPAttestation, []byte(text))
		if fault, ok := errors.AsType[*envelope.Fault](err); !ok || fault.Got != "another text" {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestASlipOfThePenIsRecognised(t *testing.T) {
	known := []string{"attested_on", "basis", "elements"}
	for name, want := range map[string]string{
		"attestedOn": "attested_on", "attested-on": "attested_on", "attestedon": "attested_on", "Basis": "basis",
		"bases": "basis", "elemnts": "elements", "element": "elements", "customer": "", "x": "",
	} {
		if got := closest(name, known); got != want {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
	}
	for _, test := range []struct {
		a, b string
		want int
	}{{"", "", 0}, {"", "abc", 3}, {"abc", "", 3}, {"kitten", "sitting", 3}, {"flaw", "lawn", 2}, {"same", "same", 0}} {
		if got := distance(test.a, test.b); got != test.want {
			t.Errorf("%s to %s: %d, want %d", test.a, test.b, got, test.want)
		}
	}
}

func TestAPointerEscapesWhatJSONPointerReserves(t *testing.T) {
	if got, want := pointer(KindFindingCured, "a/b", "~"), "/claims/events/urn:cipgate:event:finding-cured:v1/a~1b/~0"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
