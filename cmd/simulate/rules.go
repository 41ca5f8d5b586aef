package main

import (
	"bytes"

	"github.com/cipgate/cipgate/cmd/simulate/audit"
)

var ruleMember = []byte(`"rule":"`)

// ruleIn is the rule that a finding names; "" if an entry is about none. Whether the lives come to a rule is as telling as whether they come to a kind.
func ruleIn(e audit.Entry) string {
	if e.Kind != "finding-opened" && e.Kind != "finding-cured" {
		return ""
	}
	_, after, _ := bytes.Cut(e.JSON, ruleMember)
	rule, _, _ := bytes.Cut(after, []byte(`"`))
	return string(rule)
}
