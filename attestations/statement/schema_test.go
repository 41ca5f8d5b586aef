package statement

import (
	"io/fs"
	"slices"
	"strings"
	"testing"
)

func TestEachSchemaSaysWhereEachOfItsMembersComesFrom(t *testing.T) {
	for _, k := range Kinds() {
		document := schemas[k]().document
		if document["$schema"] != "https://json-schema.org/draft/2020-12/schema" || document["$id"] != "urn:cipgate:schema:"+string(k)+":v1" {
			t.Errorf("%s: $schema %v, $id %v", k, document["$schema"], document["$id"])
		}
		if title, _ := document["title"].(string); title == "" {
			t.Errorf("%s has no title", k)
		}
		walk(document, "", func(at string, part map[string]any) {
			description, _ := part["description"].(string)
			if description == "" || !strings.HasSuffix(description, ".") && !strings.HasSuffix(description, ".)") {
				t.Errorf("%s%s: no description in sentences: %q", k, at, description)
			}
			if part["type"] == "object" && part["additionalProperties"] != false && !strings.Contains(at, "keys") {
				t.Errorf("%s%s takes members that it does not name", k, at)
			}
			_, pattern := part["pattern"]
			if _, worded := part["x-wanted"]; pattern != worded {
				t.Errorf("%s%s: a pattern is worded by x-wanted: pattern %v, worded %v", k, at, pattern, worded)
			}
			if _, bounded := part["maxItems"]; part["type"] == "array" && !bounded {
				t.Errorf("%s%s: a list without a bound", k, at)
			}
		})
	}
}

// The proposed rule is cited by section for whatever an entity states; what is not the rule's says so.
func TestEachMemberOfASubmissionCitesTheRuleOrSaysThatItIsOurs(t *testing.T) {
	for _, k := range Kinds() {
		if k.ByGateway() {
			continue
		}
		properties := schemas[k]().document["properties"].(map[string]any)
		for name, part := range properties {
			walk(part.(map[string]any), "/"+name, func(at string, part map[string]any) {
				d := part["description"].(string)
				if !strings.Contains(d, "15 CFR 7.30") && !strings.Contains(strings.ToLower(d), "ours") && d != "One change." {
					t.Errorf("%s%s: neither the rule nor ours: %q", k, at, d)
				}
			})
		}
	}
}

// A member that a condition asks for or rules out says under which, in words that end a refusal.
func TestEachConditionIsSaidAtTheMemberThatItIsAbout(t *testing.T) {
	for _, k := range Kinds() {
		walk(schemas[k]().document, "", func(at string, part map[string]any) {
			properties, _ := part["properties"].(map[string]any)
			conditions, _ := part["allOf"].([]any)
			for _, condition := range conditions {
				then := condition.(map[string]any)["then"].(map[string]any)
				required, _ := then["required"].([]any)
				var names []string
				for _, name := range required {
					names = append(names, name.(string))
				}
				forbidden, _ := then["properties"].(map[string]any)
				for name := range forbidden {
					names = append(names, name)
				}
				for _, name := range names {
					if where, _ := properties[name].(map[string]any)["x-where"].(string); where == "" || strings.HasSuffix(where, ".") {
						t.Errorf("%s%s/%s: no x-where to be read behind \"where\": %q", k, at, name, where)
					}
				}
			}
		})
	}
}

// walk visits each part of a schema that describes a value.
func walk(part map[string]any, at string, visit func(at string, part map[string]any)) {
	visit(at, part)
	properties, _ := part["properties"].(map[string]any)
	for name, p := range properties {
		if p, ok := p.(map[string]any); ok {
			walk(p, at+"/"+name, visit)
		}
	}
	if items, ok := part["items"].(map[string]any); ok {
		walk(items, at+"/0", visit)
	}
	definitions, _ := part["$defs"].(map[string]any)
	for name, p := range definitions {
		walk(p.(map[string]any), at+"/"+name, visit)
	}
}

func TestExamplesComeSmallestFirst(t *testing.T) {
	for _, k := range Kinds() {
		var lengths []int
		for _, example := range schemas[k]().examples {
			lengths = append(lengths, len(example))
		}
		if len(lengths) == 0 || !slices.IsSorted(lengths) {
			t.Errorf("%s: lengths %v", k, lengths)
		}
		if string(Example(k)) != string(schemas[k]().examples[0]) {
			t.Errorf("%s: Example is not the first of the schema's", k)
		}
	}
	if smallest := Example(KindCIPAttestation); len(smallest) > 200 {
		t.Errorf("the smallest attestation takes %d bytes: nobody copies that", len(smallest))
	}
	Example(KindCIPAttestation)[0] = 'x'
	if Example(KindCIPAttestation)[0] != '{' {
		t.Error("whoever changes an example changes it for all")
	}
}

func TestEachSchemaSaysWhetherATokenNamesItsSubject(t *testing.T) {
	for _, k := range Kinds() {
		want := map[customerRule]string{noCustomer: "none", mayNameCustomer: "opaque-or-none", mustNameCustomer: "opaque"}[forms[k].customer]
		if k.ByGateway() {
			want = "uri"
		}
		if got := schemas[k]().document["x-sub-id"]; got != want {
			t.Errorf("%s: x-sub-id %v, want %s", k, got, want)
		}
	}
}

func TestTheSchemasAreServedOneFileForEachKind(t *testing.T) {
	files, err := fs.ReadDir(Schemas(), ".")
	if err != nil {
		t.Fatal(err)
	}
	if len(files) != len(Kinds()) {
		t.Errorf("%d files for %d kinds", len(files), len(Kinds()))
	}
	for _, k := range Kinds() {
		served, err := fs.ReadFile(Schemas(), fileName(k))
		if err != nil || string(served) != string(Schema(k)) {
			t.Errorf("%s is not served as it is: %v", k, err)
		}
	}
}
