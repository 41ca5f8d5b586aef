package screening

import (
	"slices"

	"github.com/biter777/countries"
)

// notISO are codes that the library knows and ISO 3166-1 does not assign (any more).
var notISO = []string{"AN", "XK", "XX", "YU"}

// IsCountry is true for an ISO 3166-1 alpha-2 code in capitals.
func IsCountry(code string) bool {
	country := countries.ByName(code)
	return len(code) == 2 && country != countries.Unknown && country.Alpha2() == code && !slices.Contains(notISO, code)
}
