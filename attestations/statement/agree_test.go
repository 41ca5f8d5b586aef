package statement

import (
	"bytes"
	stdjson "encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"pgregory.net/rapid"

	"github.com/cipgate/cipgate/attestations/envelope"
)

// agree holds the typed decode and the schema to one verdict about an event. The schema is asked in two ways: by our
// reading of JSON and by the library's own, which knows no stand-ins for numbers.
func agree(t rapid.TB, k Kind, event []byte) {
	t.Helper()
	s, err := read(k, event)
	value, notJSON := anyOf(event)
	if notJSON != nil {
		t.Fatalf("%s: %s: %v", k, event, notJSON)
	}
	refusal := schemas[k]().refuse(k, value)
	if (err == nil) != (refusal == nil) {
		t.Fatalf("%s: %s\nread:   %v\nschema: %v", k, event, err, refusal)
	}
	if _, decodeErr := forms[k].decode(event); forms[k].exact && (decodeErr == nil) != (refusal == nil) {
		t.Fatalf("%s: %s\ndecode alone: %v\nschema:       %v", k, event, decodeErr, refusal)
	}
	if !mayPanic(event) {
		theirReading, err := jsonschema.UnmarshalJSON(bytes.NewReader(event))
		if err != nil {
			t.Fatalf("%s: %s: %v", k, event, err)
		}
		if theirs := schemas[k]().compiled.Validate(theirReading); (theirs == nil) != (refusal == nil) {
			t.Fatalf("%s: %s\nour reading of JSON:   %v\nthe library's reading: %v", k, event, refusal, theirs)
		}
	}
	if err != nil {
		return
	}
	if s.Kind() != k {
		t.Fatalf("%s was decoded as %s", k, s.Kind())
	}
	written, err := json.Marshal(s)
	if err != nil {
		t.Fatalf("%s: %s: write it again: %v", k, event, err)
	}
	if again, err := read(k, written); err != nil || again.Kind() != k {
		t.Fatalf("%s: %s\nwritten again as %s: %v", k, event, written, err)
	}
}

// mayPanic is true for an exponent that the library's own reading of numbers does not survive.
func mayPanic(event []byte) bool {
	lower := bytes.ToLower(event)
	for i := bytes.IndexByte(lower, 'e'); i >= 0; {
		digits := 0
		for _, c := range lower[i+1:] {
			if c >= '0' && c <= '9' {
				digits++
			} else if c != '+' && c != '-' {
				break
			}
		}
		if digits > 4 {
			return true
		}
		next := bytes.IndexByte(lower[i+1:], 'e')
		if next < 0 {
			break
		}
		i += 1 + next
	}
	return false
}

// FuzzDecodeAgreesWithSchema looks for an event that the typed decode takes and the schema refuses, or the reverse.
func FuzzDecodeAgreesWithSchema(f *testing.F) {
	for i, k := range kinds {
		for _, example := range schemas[k]().examples {
			f.Add(uint8(i), []byte(example))
		}
	}
	for _, event := range []string{
		`{}`, `null`, `[]`, `{"occasion":null}`, `{"occ\u0061sion":"initial"}`,
		`{"occasion":"initial","basis":"own","attested_on":"2025-01-15","responsible_contact":{"name":"A","email":"a@b"},"elements":{}}`,
		`{"occasion":"initial","basis":"adopted","agreement_id":"x","attested_on":"2025-01-15","responsible_contact":{"name":"A","email":"a@b","phone":"+123456"},"copy":{"sha256":"47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU","bytes":1.0e1,"media_type":"a/b"}}`,
	} {
		f.Add(uint8(0), []byte(event))
	}
	f.Fuzz(func(t *testing.T, which uint8, event []byte) {
		k := kinds[int(which)%len(kinds)]
		if !jsontext.Value(event).IsValid() {
			_, _ = forms[k].decode(event) // the envelope refused it before; if it had not, nothing may panic
			return
		}
		agree(t, k, event)
	})
}

// The fuzzer seldom leaves JSON that is well formed; here an example is changed at one place or two, as people do.
func TestDecodeAndSchemaAgreeOnExamplesChangedByHand(t *testing.T) {
	type sample struct {
		kind    Kind
		example []byte
	}
	var samples []sample
	for _, k := range kinds {
		for _, example := range schemas[k]().examples {
			samples = append(samples, sample{k, example})
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		chosen := rapid.SampledFrom(samples).Draw(t, "example")
		var value any
		if err := stdjson.Unmarshal(chosen.example, &value); err != nil {
			t.Fatal(err)
		}
		for range rapid.IntRange(1, 2).Draw(t, "changes") {
			value = changed(t, value, membersOf(chosen.kind)...)
		}
		text, err := stdjson.Marshal(value)
		if err != nil {
			t.Fatal(err)
		}
		agree(t, chosen.kind, text)
	})
}

// membersOf returns the names of a kind's members at any depth, and one that no kind has: an example may lack the member
// that a condition is about.
func membersOf(k Kind) []string {
	names := map[string]bool{"unknown": true}
	walk(schemas[k]().document, "", func(_ string, part map[string]any) {
		properties, _ := part["properties"].(map[string]any)
		for name := range properties {
			names[name] = true
		}
	})
	return slices.Sorted(maps.Keys(names))
}

// changed returns the value with one thing changed somewhere in it: a member of names, for one.
func changed(t *rapid.T, value any, names ...string) any {
	switch value := value.(type) {
	case map[string]any:
		own := slices.Sorted(maps.Keys(value))
		if len(own) > 0 && rapid.IntRange(0, 9).Draw(t, "into") > 2 {
			name := rapid.SampledFrom(own).Draw(t, "member")
			value[name] = changed(t, value[name], names...)
			return value
		}
		switch name := rapid.SampledFrom(append(own, names...)).Draw(t, "at"); rapid.IntRange(0, 3).Draw(t, "what") {
		case 0:
			delete(value, name)
		case 1:
			value[strings.ToUpper(name)] = other(t)
		case 2:
			value[name] = other(t)
		default:
			return other(t)
		}
		return value
	case []any:
		if len(value) > 0 && rapid.Bool().Draw(t, "into") {
			i := rapid.IntRange(0, len(value)-1).Draw(t, "item")
			value[i] = changed(t, value[i], names...)
			return value
		}
		return append(value, other(t))
	case string:
		return rapid.SampledFrom([]any{value + "x", value + " ", strings.ToUpper(value), "", value[:len(value)/2], other(t)}).Draw(t, "text")
	default:
		return other(t)
	}
}

// other returns a value that may or may not fit.
func other(t *rapid.T) any {
	return rapid.SampledFrom([]any{
		nil, true, false, stdjson.Number("0"), stdjson.Number("1"), stdjson.Number("-1"), stdjson.Number("2.0"), stdjson.Number("1e2"),
		stdjson.Number("0.5"), stdjson.Number("9007199254740991"), stdjson.Number("9007199254740992"), stdjson.Number("1e400"), stdjson.Number("-1e25"),
		"", " ", "x", "own", "adopted", "referenced", "initial", "annual", "change", "good", "minor",
		"owner", "customer", "verified", "not-verified", "control", "ownership", "opened", "closed", "order", "other", "occurred", "planned",
		"dispute", "explanation", "extension-request", "cannot", "done", "rotation", "compromise", "condition", "BR", "1e26", "a.b.c", "a.b.c.d.e", "https://a.example",
		"2025-01-15", "2025-02-30", "1999-01-01", "2026-03-01T12:00:00Z", "2026-03-01T24:00:00Z", "2026-03-01T12:00:60Z", "2026-03-01T12:00:00+00:00",
		"a@b", "é\n", strings.Repeat("x", 201), strings.Repeat("é", 200), strings.Repeat("x", 2001),
		[]any{}, []any{stdjson.Number("3")}, []any{"closed"}, []any{"other"}, []any{"x", "x"}, map[string]any{"home": "BR"}, map[string]any{"id": "x", "basis": "control"}, map[string]any{}, map[string]any{"in_place": true}, map[string]any{"in_place": true, "note": ""},
		[]any{map[string]any{"what": "x", "on": "2025-01-15"}}, map[string]any{"sha256": envelope.DigestOf(nil).String()},
	}).Draw(t, "other")
}

// A refusal must not carry a person's data into a log: whatever is sent, and however it is wrong, no text of it comes back.
func TestARefusalNeverRepeatsAValue(t *testing.T) {
	const secret = "Zacharias Quill 1980"
	rapid.Check(t, func(t *rapid.T) {
		k := rapid.SampledFrom(kinds).Draw(t, "kind")
		example := rapid.SampledFrom(schemas[k]().examples).Draw(t, "example")
		var value any
		if err := stdjson.Unmarshal(example, &value); err != nil {
			t.Fatal(err)
		}
		value = spoiled(t, value, secret)
		text, err := stdjson.Marshal(value)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := read(k, text); err != nil && strings.Contains(err.Error(), "Quill") {
			t.Fatalf("%s: %s\n%v", k, text, err)
		}
	})
}

// spoiled puts the secret somewhere: as a text, in the place of an object, or as a member's name.
func spoiled(t *rapid.T, value any, secret string) any {
	object, ok := value.(map[string]any)
	if !ok || len(object) == 0 {
		return rapid.SampledFrom([]any{secret, " " + secret, []any{secret}, map[string]any{secret: secret}}).Draw(t, "spoiled")
	}
	if rapid.IntRange(0, 4).Draw(t, "name") == 0 {
		object[secret] = secret
		return object
	}
	names := make([]string, 0, len(object))
	for name := range object {
		names = append(names, name)
	}
	slices.Sort(names)
	name := rapid.SampledFrom(names).Draw(t, "member")
	object[name] = spoiled(t, object[name], secret)
	return object
}
