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

// ISO 3166-1 assigns 249 codes.
func TestEachCountryHasANameAndThereAre249(t *testing.T) {
	count := 0
	for first := 'A'; first <= 'Z'; first++ {
		for second := 'A'; second <= 'Z'; second++ {
			if code := string([]rune{first, second}); IsCountry(code) {
				count++
				if name := Country(code); name == code || name == "" || name == "Unknown Region" {
					t.Errorf("%s is named %q", code, name)
				}
			}
		}
	}
	if count != 249 {
		t.Errorf("%d codes are assigned", count)
	}
	for code, want := range map[string]string{"DE": "Germany", "IN": "India", "IR": "Iran", "MK": "North Macedonia", "SZ": "Eswatini", "XK": "XK", "ZZ": "ZZ", "Germany": "Germany", "": ""} {
		if got := Country(code); got != want {
			t.Errorf("%q is named %q, wanted %q", code, got, want)
		}
	}
}
