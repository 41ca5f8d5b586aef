package envelope

import (
	"testing"

	"pgregory.net/rapid"
)

func TestASystemOfTheProviderHasOneIdentifierAndItIsOne(t *testing.T) {
	const gateway = Entity("https://provider.example/gateway")
	for label, want := range map[string]Entity{
		"billing":       gateway + "/systems/billing",
		"iam-2_prod.eu": gateway + "/systems/iam-2_prod.eu",
		"Billing EU":    gateway + "/systems/Billing~20EU",
		"..":            gateway + "/systems/~2E.",
		"a/b~c%":        gateway + "/systems/a~2Fb~7Ec~25",
	} {
		if got := SystemOf(gateway, label); got != want {
			t.Errorf("%q: %s, want %s", label, got, want)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		label := rapid.StringN(1, 60, 100).Draw(t, "label")
		entity := SystemOf(gateway, label)
		if parsed, err := ParseEntity(string(entity)); err != nil || parsed != entity {
			t.Fatalf("%q: %s is no identifier: %v", label, entity, err)
		}
		if back, ok := SystemLabel(gateway, entity); !ok || back != label {
			t.Fatalf("%q came back as %q, %t", label, back, ok)
		}
	})
	for _, other := range []Entity{gateway, gateway + "/systems", gateway + "/systems/", gateway + "/e/acme", "https://other.example/systems/billing",
		gateway + "/systems/~2", gateway + "/systems/~zz", gateway + "/systems/~62illing", gateway + "/systems/a~2f", gateway + "/systems/a~+1", gateway + "/systems/a/b"} {
		if label, ok := SystemLabel(gateway, other); ok {
			t.Errorf("%s is the system %q", other, label)
		}
	}
}
