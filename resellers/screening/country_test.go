package screening

import "testing"

func TestACountryIsACodeThatISOAssigned(t *testing.T) {
	for code, want := range map[string]bool{
		"DE": true, "IR": true, "KP": true, "AN": false, "XK": false, "XX": false, "YU": false, "XA": false, "de": false, "DEU": false, "Germany": false, "": false, "EU": false,
	} {
		if got := IsCountry(code); got != want {
			t.Errorf("%q: %v", code, got)
		}
	}
}
