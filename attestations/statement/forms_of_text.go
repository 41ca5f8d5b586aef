package statement

import (
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
