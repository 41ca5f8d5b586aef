package registry

import (
	"fmt"
	"math/big"
	"regexp"
	"strconv"
	"strings"
)

// leiForm is the form of a Legal Entity Identifier (ISO 17442-1, section 5): 18 capitals or digits, then 2 check digits.
var leiForm = regexp.MustCompile(`^[0-9A-Z]{18}[0-9]{2}$`)

// wrongLEI says what is wrong with a Legal Entity Identifier, empty if nothing is. Its check digits are those of ISO/IEC
// 7064, MOD 97-10: with A = 10 to Z = 35 the whole, read as one number, leaves 1 when divided by 97. That it was issued,
// and to whom, is not known here.
func wrongLEI(lei string) string {
	if !leiForm.MatchString(lei) {
		return fmt.Sprintf("%d characters that are none", len(lei))
	}
	var digits strings.Builder
	for _, c := range lei {
		value := int(c - '0')
		if c >= 'A' {
			value = int(c-'A') + 10
		}
		digits.WriteString(strconv.Itoa(value))
	}
	number, ok := new(big.Int).SetString(digits.String(), 10)
	if !ok || number.Mod(number, big.NewInt(97)).Int64() != 1 {
		return "one whose check digits do not fit the rest"
	}
	return ""
}
