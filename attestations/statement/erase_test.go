package statement

import (
	"bytes"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/cipgate/cipgate/attestations/envelope"
)

// personal are values that stand in the schemas' examples and mean a person, or are free text that may name one.
func personal(t *testing.T, event jsontext.Value) [][]byte {
	t.Helper()
	var found [][]byte
	var walk func(name string, value any, inside bool)
	walk = func(name string, value any, inside bool) {
		inside = inside || name == "responsible_contact" || name == "identity"
		switch v := value.(type) {
		case map[string]any:
			for name, member := range v {
				walk(name, member, inside)
			}
		case []any:
			for _, member := range v {
				walk(name, member, inside)
			}
		case string:
			switch name {
			case "note", "what", "description", "text", "practices", "weight_security", "value":
				inside = true
			}
			if inside && len(v) > 2 { // a country's code may stand elsewhere too
				found = append(found, []byte(v))
			}
		}
	}
	var value any
	if err := json.Unmarshal(event, &value); err != nil {
		t.Fatal(err)
	}
	walk("", value, false)
	return found
}

func TestWhatIsErasedIsGoneAndWhatStandingRestsOnIsLeft(t *testing.T) {
	persons := 0
	for _, kind := range Kinds() {
		if !kind.Erasable() {
			continue
		}
		for n, event := range schemas[kind]().examples {
			set := sign(t, draft(kind, event))
			residue, err := Residue(set.Raw())
			if err != nil {
				t.Fatalf("%s, example %d: %v", kind, n, err)
			}
			for _, value := range personal(t, event) {
				persons++
				if bytes.Contains(residue, value) {
					t.Errorf("%s, example %d: %q is left in %s", kind, n, value, residue)
				}
			}
			at := time.Unix(1_800_000_000, 0).UTC()
			before, err := Recall(7, at, set.Digest(), set.Raw())
			if err != nil {
				t.Fatal(err)
			}
			after, err := Recall(7, at, set.Digest(), residue)
			if err != nil {
				t.Fatalf("%s, example %d: %s cannot be read back: %v", kind, n, residue, err)
			}
			if !after.Erased || before.Erased {
				t.Errorf("%s, example %d: erased before %v, after %v", kind, n, before.Erased, after.Erased)
			}
			again, err := Residue(set.Raw())
			if err != nil || !bytes.Equal(again, residue) {
				t.Errorf("%s, example %d: erasing it again leaves %s, %v", kind, n, again, err)
			}
			after.Erased = false
			if reflect.TypeOf(after.Statement) != reflect.TypeOf(before.Statement) {
				t.Errorf("%s, example %d became a %T", kind, n, after.Statement)
			}
			before.Statement, after.Statement = nil, nil
			if before != after {
				t.Errorf("%s, example %d: %+v became %+v", kind, n, before, after)
			}
		}
	}
	if persons < 10 {
		t.Errorf("the examples name %d persons and texts: too few to say anything", persons)
	}
}

// What was forwarded stands as an entry of its own: of the one that wraps it is left when it came in and through whom.
func TestOfWhatForwardsNothingThatIsInsideIsLeft(t *testing.T) {
	inner := sign(t, draft(KindSuspiciousActivity, Example(KindSuspiciousActivity)))
	event, err := json.Marshal(Forwarded{ReceivedAt: time.Unix(1_800_000_000, 0).UTC(), Set: string(inner.Raw()), Path: []envelope.Entity{"https://below.example"}})
	if err != nil {
		t.Fatal(err)
	}
	residue, err := Residue(sign(t, draft(KindForwarded, event)).Raw())
	if err != nil {
		t.Fatal(err)
	}
	for part := range strings.SplitSeq(string(inner.Raw()), ".") {
		if bytes.Contains(residue, []byte(part)) {
			t.Errorf("%q is left in %s", part, residue)
		}
	}
	entry, err := ofResidue(residue)
	if err != nil {
		t.Fatal(err)
	}
	if left := entry.Statement.(Forwarded); !left.ReceivedAt.Equal(time.Unix(1_800_000_000, 0)) || len(left.Path) != 1 {
		t.Errorf("left is %+v", left)
	}
}

func TestWhatTheGatewayRunsOnCannotBeErased(t *testing.T) {
	set := sign(t, draft(KindEntityEnrolled, Example(KindEntityEnrolled)))
	if _, err := Residue(set.Raw()); !errors.Is(err, ErrNotErasable) {
		t.Errorf("an entity-enrolled: %v", err)
	}
}

func FuzzResidue(f *testing.F) {
	for _, kind := range Kinds() {
		if kind.Erasable() {
			f.Add([]byte(`{"iss":"https://a.example","jti":"1","event":"` + kind.URI() + `","facts":` + string(Example(kind)) + `}`))
		}
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		if !IsResidue(body) {
			return
		}
		entry, err := Recall(0, time.Time{}, envelope.Digest{}, body)
		if err == nil && (!entry.Erased || !entry.Statement.Kind().Erasable()) {
			t.Errorf("%s is a %s", body, entry.Statement.Kind())
		}
	})
}
