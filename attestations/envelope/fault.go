package envelope

import (
	"errors"
	"strings"
)

// The reasons for which a token is refused. Each stands for one answer at the edge (protocol.md, "Submissions").
var (
	ErrTooLarge  = errors.New("the token is too large")
	ErrMalformed = errors.New("the token is malformed")
	ErrKey       = errors.New("no key for this token")
	ErrSignature = errors.New("the signature does not verify")
	ErrAudience  = errors.New("the token is meant for somebody else")
)

// Fault says what is wrong with a token, in words for the engineer who made it.
type Fault struct {
	Reason  error  // one of the sentinels above
	Pointer string // where: "/header/typ", "/claims/iat"
	Wanted  string // what the rule asks for
	Got     string // what was found instead; short, never a secret or a personal value
	Fix     string // what to do, a whole sentence
}

func (f *Fault) Error() string {
	var b strings.Builder
	if f.Pointer != "" {
		b.WriteString(f.Pointer)
		b.WriteString(": ")
	}
	b.WriteString("wanted ")
	b.WriteString(f.Wanted)
	b.WriteString(", got ")
	b.WriteString(f.Got)
	if f.Fix != "" {
		b.WriteString(". ")
		b.WriteString(f.Fix)
	}
	return b.String()
}

// Unwrap lets errors.Is find the reason.
func (f *Fault) Unwrap() error { return f.Reason }
