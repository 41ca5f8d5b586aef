package policy

import (
	_ "embed"
	"fmt"
	"strings"
)

var (
	//go:embed us-iaas-2024.yaml
	usIaaS2024 []byte
	//go:embed contract-baseline.yaml
	contractBaseline []byte
	//go:embed in-cert-2022.yaml
	inCERT2022 []byte
)

// Default returns the policy that a gateway judges by unless it is given another one.
func Default() Policy { return shipped(usIaaS2024) }

// Shipped returns the policies that the program carries, the default first.
func Shipped() []Policy {
	return []Policy{Default(), shipped(contractBaseline), shipped(inCERT2022)}
}

// Named returns the policy of this name, or with this ID, that the program carries.
func Named(name string) (Policy, error) {
	var names []string
	for _, p := range Shipped() {
		if p.Name == name || p.ID() == name {
			return p, nil
		}
		names = append(names, p.Name)
	}
	return Policy{}, fmt.Errorf("policy: no policy that this program carries is called %q: wanted one of %s", name, strings.Join(names, ", "))
}

func shipped(file []byte) Policy {
	p, err := Parse(file)
	if err != nil {
		// The bytes are part of the program, and a test parses them.
		panic(fmt.Sprintf("policy: an embedded policy does not parse: %v", err))
	}
	return p
}
