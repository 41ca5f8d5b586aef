package statement

import (
	"slices"
	"strings"

	"github.com/cipgate/cipgate/attestations/envelope"
)

// Each function here is a pattern of the schemas as code, since an expression takes longer than all other reading of a
// statement. TestEachFormOfTextIsThePatternOfTheSchema holds them to one verdict.

// isLine is true for one line of text that neither begins nor ends with a space.
func isLine(s string) bool {
	if s == "" || s[0] == ' ' || s[len(s)-1] == ' ' {
		return false
	}
	for i := range len(s) {
		if s[i] < ' ' || s[i] == 0x7f {
			return false
		}
	}
	return true
}

// isText is true for text with no control characters but tab and line ends.
func isText(s string) bool {
	for i := range len(s) {
		if c := s[i]; c < ' ' && c != '\t' && c != '\n' && c != '\r' || c == 0x7f {
			return false
		}
	}
	return s != ""
}

// isThisCentury is true for what looks like a day from 2000 to 2099; whether the calendar has it is another question.
func isThisCentury(s string) bool {
	if len(s) != len("2006-01-02") || s[0] != '2' || s[1] != '0' || s[4] != '-' || s[7] != '-' {
		return false
	}
	for _, i := range [...]int{2, 3, 5, 6, 8, 9} {
		if !isDigit(s[i]) {
			return false
		}
	}
	return true
}

// secondsUTC is how every time is written.
const secondsUTC = "2006-01-02T15:04:05Z"

// isMoment is true for what looks like a time of a day in this century; whether day and hour exist is another question.
func isMoment(s string) bool {
	if len(s) != len(secondsUTC) || !isThisCentury(s[:10]) || s[10] != 'T' || s[13] != ':' || s[16] != ':' || s[19] != 'Z' {
		return false
	}
	for _, i := range [...]int{11, 12, 14, 15, 17, 18} {
		if !isDigit(s[i]) {
			return false
		}
	}
	return s[17] < '6' // no leap second: few clocks can tell one
}

// isID is true for an identifier: a jti, an account, an owner.
func isID(s string) bool {
	for i := range len(s) {
		if s[i] <= ' ' || s[i] >= 0x7f {
			return false
		}
	}
	return s != ""
}

// isEntity is true for what looks like an entity identifier; envelope.ParseEntity says whether it is one.
func isEntity(s string) bool {
	rest, found := strings.CutPrefix(s, "https://")
	if !found {
		rest, found = strings.CutPrefix(s, "http://")
	}
	return found && isID(rest)
}

// isCountry is true for two capital letters, as of ISO 3166-1.
func isCountry(s string) bool {
	return len(s) == 2 && 'A' <= s[0] && s[0] <= 'Z' && 'A' <= s[1] && s[1] <= 'Z'
}

// isFieldName is true for the name of a field that a policy asks for.
func isFieldName(s string) bool {
	if s == "" || s[0] < 'a' || s[0] > 'z' {
		return false
	}
	for i := range len(s) {
		if c := s[i]; (c < 'a' || c > 'z') && !isDigit(c) && c != '_' {
			return false
		}
	}
	return true
}

// isScientific is true for a number in scientific form, of at most eight decimals and an exponent of at most two digits.
func isScientific(s string) bool {
	mantissa, exponent, found := strings.Cut(s, "e")
	first, decimals, dot := strings.Cut(mantissa, ".")
	if !found || len(first) != 1 || first == "0" || dot != (decimals != "") || len(decimals) > 8 ||
		exponent == "" || len(exponent) > 2 || len(exponent) == 2 && exponent[0] == '0' {
		return false
	}
	return isDigits(first) && isDigits(decimals) && isDigits(exponent)
}

func isDigits(s string) bool {
	for i := range len(s) {
		if !isDigit(s[i]) {
			return false
		}
	}
	return true
}

// isCompact returns a test for the compact form of JOSE with so many parts, none of them empty.
func isCompact(parts int) func(string) bool {
	return func(s string) bool {
		n := 0
		for part := range strings.SplitSeq(s, ".") {
			if n++; part == "" {
				return false
			}
			for i := range len(part) {
				if c := part[i]; !isAlphanumeric(c) && c != '-' && c != '_' {
					return false
				}
			}
		}
		return n == parts
	}
}

// oneOf returns a test for one of these words.
func oneOf(words ...string) func(string) bool {
	return func(s string) bool { return slices.Contains(words, s) }
}

func isDigest(s string) bool {
	_, err := envelope.ParseDigest(s)
	return err == nil
}

func isPhone(s string) bool {
	if len(s) < 6 || len(s) > 32 || s[0] != '+' || !isDigit(s[1]) {
		return false
	}
	for i := 2; i < len(s); i++ {
		if !isDigit(s[i]) && !strings.Contains(" ().-", s[i:i+1]) {
			return false
		}
	}
	return true
}

func isMediaType(s string) bool {
	major, minor, found := strings.Cut(s, "/")
	return found && isMediaName(major) && isMediaName(minor)
}

// isMediaName is true for a restricted name (RFC 6838, section 4.2).
func isMediaName(s string) bool {
	if s == "" || !isAlphanumeric(s[0]) {
		return false
	}
	for i := range len(s) {
		if !isAlphanumeric(s[i]) && !strings.Contains("!#$&^_.+-", s[i:i+1]) {
			return false
		}
	}
	return true
}

// isEmail is true for an address with a dot-atom before the sign and a host name after it: RFC 5321 without quoted
// local parts and address literals, which nobody's mail needs and every second mailer gets wrong.
func isEmail(s string) bool {
	at := strings.LastIndexByte(s, '@')
	if at < 1 || at > 64 || len(s) > 254 {
		return false
	}
	local, host := s[:at], s[at+1:]
	dot := true // an atom must follow
	for i := range len(local) {
		switch c := local[i]; {
		case c == '.' && !dot:
			dot = true
		case isAlphanumeric(c) || strings.Contains("!#$%&'*+/=?^_`{|}~-", local[i:i+1]):
			dot = false
		default:
			return false
		}
	}
	return !dot && isHostname(host)
}

func isHostname(s string) bool {
	if len(s) > 253 {
		return false
	}
	for label := range strings.SplitSeq(s, ".") {
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' {
			return false
		}
		for i := range len(label) {
			if !isAlphanumeric(label[i]) && label[i] != '-' {
				return false
			}
		}
	}
	return true
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

func isAlphanumeric(c byte) bool {
	return isDigit(c) || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}
