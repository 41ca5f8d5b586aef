package statement

import (
	"strconv"
	"strings"
)

// wholeness says what a JSON number is.
type wholeness int

const (
	whole    wholeness = iota // a whole number of at most 18 digits
	fraction                  // not a whole number
	huge                      // a whole number of more digits
)

// wholeNumber reads the spelling of a JSON number exactly: 1, 1.0 and 10e-1 are the same whole number (JSON Schema
// 2020-12 core, section 6.3). It never computes a power, so that 1e999999999 costs no more than 1.
func wholeNumber(spelling string) (int64, wholeness) {
	rest, negative := strings.CutPrefix(spelling, "-")
	power := int64(0)
	if i := strings.IndexAny(rest, "eE"); i >= 0 {
		written, err := strconv.ParseInt(rest[i+1:], 10, 64)
		if err != nil { // more digits than 64 bits: the sign is all that counts
			written = 1 << 62
			if rest[i+1] == '-' {
				written = -written
			}
		}
		power, rest = written, rest[:i]
	}
	before, after, _ := strings.Cut(rest, ".")
	digits := strings.TrimLeft(before+after, "0")
	power -= int64(len(after))
	short := strings.TrimRight(digits, "0")
	power += int64(len(digits) - len(short))
	switch {
	case short == "":
		return 0, whole
	case power < 0:
		return 0, fraction
	case power > 18 || int64(len(short))+power > 18:
		return 0, huge
	}
	n, err := strconv.ParseInt(short+strings.Repeat("0", int(power)), 10, 64)
	if err != nil {
		return 0, huge // not reached: 18 digits fit
	}
	if negative {
		n = -n
	}
	return n, whole
}
