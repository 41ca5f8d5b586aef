package screening

import (
	"slices"

	"golang.org/x/text/language"
	"golang.org/x/text/language/display"
)

// notISO are codes that CLDR takes for a country or an area and ISO 3166-1 does not assign (any more).
var notISO = []string{"AC", "AN", "CP", "CQ", "CS", "DG", "EA", "EZ", "FQ", "IC", "NT", "PC", "SU", "TA", "UN", "XK", "YU"}

// renamed are names that have changed since CLDR 32, whose the library's are.
var renamed = map[string]string{"MK": "North Macedonia", "SZ": "Eswatini"}

// IsCountry is true for an ISO 3166-1 alpha-2 code in capitals.
func IsCountry(code string) bool {
	region, err := language.ParseRegion(code)
	return err == nil && region.IsCountry() && region.String() == code && region.Canonicalize() == region && !slices.Contains(notISO, code)
}

// Country is a country's English name by CLDR; the code itself where ISO 3166-1 has none such.
func Country(code string) string {
	if !IsCountry(code) {
		return code
	}
	if name, newer := renamed[code]; newer {
		return name
	}
	return display.English.Regions().Name(language.MustParseRegion(code))
}
