package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/cipgate/cipgate/resellers/policy"
)

// people is how many people a step of the shipped policy waits for.
var people = regexp.MustCompile(`(?m)^(\s+(?:people|critical): )[12]$`)

// automaticPolicy writes the shipped policy with no step that waits for people, for tests that walk to the end of a case alone.
func automaticPolicy(t *testing.T) string {
	t.Helper()
	text := strings.Replace(policy.Default().Document(), "policy: us-iaas-2024", "policy: automatic", 1)
	text = strings.Replace(text, "value: [close, terminate]", "value: []", 1) // nor does a step wait for proof of notice
	file := filepath.Join(t.TempDir(), "automatic.yaml")
	if err := os.WriteFile(file, []byte(people.ReplaceAllString(text, "${1}0")), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// walksAlone makes a sandbox whose cases run to their end without anybody.
func walksAlone(t *testing.T) func(*Config) {
	t.Helper()
	return func(c *Config) { c.Sandbox, c.Policy = true, automaticPolicy(t) }
}
