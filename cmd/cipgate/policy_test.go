package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/cipgate/cipgate/resellers/policy"
)

// say runs the program and returns what it printed.
func say(t *testing.T, args ...string) (code int, out, problems string) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	code = run(t.Context(), args, &stdout, &stderr)
	return code, stdout.String(), stderr.String()
}

// policyFile writes the shipped policy with one piece replaced.
func policyFile(t *testing.T, old, replacement string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "ours.yaml")
	text := strings.Replace(policy.Default().Document(), old, replacement, 1)
	if text == policy.Default().Document() && old != replacement {
		t.Fatalf("the shipped policy has no %q", old)
	}
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func TestPolicyCommandsSayWhatIsWrongAndEndAsScriptsExpect(t *testing.T) {
	good, bad := policyFile(t, "value: 14d", "value: 13d"), policyFile(t, "value: 14d", "value: fortnight")
	for name, c := range map[string]struct {
		args []string
		code int
		says []string
	}{
		"a good file":             {[]string{"policy", "check", good}, exitDone, []string{"us-iaas-2024.5", "cip.missing, cip.stale", "off  cip.copy-missing", "cipgate serve --policy"}},
		"a bad file":              {[]string{"policy", "check", bad}, exitRefused, []string{"case.cure.value", `got "fortnight"`, "1 faults"}},
		"no file":                 {[]string{"policy", "check", bad + "x"}, exitRefused, []string{"no such file"}},
		"no argument":             {[]string{"policy", "check"}, exitRefused, []string{"accepts 1 arg"}},
		"the list":                {[]string{"policy", "show"}, exitDone, []string{"us-iaas-2024.5", "contract-baseline.4", "in-cert-2022.4"}},
		"one of them":             {[]string{"policy", "show", "in-cert-2022"}, exitDone, []string{"records.floor.value", "1827d"}},
		"a file":                  {[]string{"policy", "show", good}, exitDone, []string{"case.cure.value", "13d"}},
		"neither":                 {[]string{"policy", "show", "us-iaas-1999"}, exitRefused, []string{"us-iaas-2024", "no such file"}},
		"what differs":            {[]string{"policy", "diff", "us-iaas-2024", good}, exitDone, []string{"case.cure.value\n  - 14d\n  + 13d\n"}},
		"nothing differs":         {[]string{"policy", "diff", "us-iaas-2024", "us-iaas-2024.5"}, exitDone, []string{"say the same"}},
		"a bad file to compare":   {[]string{"policy", "diff", "us-iaas-2024", bad}, exitRefused, []string{"case.cure.value"}},
		"what differs, as JSON":   {[]string{"policy", "diff", "us-iaas-2024", good, "--json"}, exitDone, []string{`"changes":[{"field":"case.cure.value","before":"14d","after":"13d"}]`}},
		"one of them, as JSON":    {[]string{"policy", "show", "us-iaas-2024", "--json"}, exitDone, []string{`"name":"us-iaas-2024"`, `"cip.stale":{"name":"cip.stale"`}},
		"the list, as JSON":       {[]string{"policy", "show", "--json"}, exitDone, []string{`{"items":[{"policy":"us-iaas-2024.5"`}},
		"a good file, as JSON":    {[]string{"policy", "check", good, "--json"}, exitDone, []string{`"policy":"us-iaas-2024.5"`, `"refused":false`}},
		"a bad file, as JSON":     {[]string{"policy", "check", bad, "--json"}, exitRefused, []string{`"field":"case.cure.value"`, `"line":`, `"refused":true`}},
		"a subcommand nobody has": {[]string{"policy", "guess"}, exitRefused, []string{"unknown command"}},
	} {
		t.Run(name, func(t *testing.T) {
			code, out, problems := say(t, c.args...)
			if code != c.code {
				t.Errorf("exit code %d, wanted %d", code, c.code)
			}
			for _, says := range c.says {
				if !strings.Contains(out+problems, says) {
					t.Errorf("%q is not in\n%s%s", says, out, problems)
				}
			}
			if asJSON := strings.HasSuffix(name, "as JSON"); asJSON && !jsontext.Value(out).IsValid() {
				t.Errorf("no JSON: %s", out)
			}
		})
	}
}

func TestAPolicyPrintedAsAFileIsTheFile(t *testing.T) {
	code, out, _ := say(t, "policy", "show", "us-iaas-2024", "--file")
	if code != exitDone || out != policy.Default().Document() {
		t.Errorf("exit code %d, %d bytes", code, len(out))
	}
	var p policy.Policy
	_, out, _ = say(t, "policy", "show", "us-iaas-2024", "--json")
	if err := json.Unmarshal([]byte(out), &p); err != nil || p.Rules.CIPStale.Reminders.Value[0] != 60*policy.Day || p.Records.Floor != policy.Default().Records.Floor {
		t.Errorf("read back from JSON: %+v, %v", p.Rules.CIPStale, err)
	}
}
