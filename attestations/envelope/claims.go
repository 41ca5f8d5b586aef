package envelope

import (
	"fmt"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"
)

// Claims are the claims of a SET, RFC 8417, section 2.2.
type Claims struct {
	Issuer   Entity
	Audience []string
	IssuedAt time.Time // UTC
	JTI      string    // 1 to 255 printable ASCII characters
	EventURI string    // the name of the one event
	Event    []byte    // its value, a JSON object; must not be changed
	Subject  Subject   // zero if there is no sub_id
	TOE      time.Time // when the event happened, UTC; zero if not stated
	Txn      string    // empty if not stated
}

// The claims that mean something to us, by their place in an object's values. Those of RFC 7519 that a SET must not
// carry are among them: they are looked for.
const (
	claimIssuer = iota
	claimAudience
	claimIssuedAt
	claimJTI
	claimEvents
	claimSubjectID
	claimTOE
	claimTxn
	claimExpiry
	claimNotBefore
	claimSubject
)

var claimNames = []string{"iss", "aud", "iat", "jti", "events", "sub_id", "toe", "txn", "exp", "nbf", "sub"}

// MaxEntity is the length of the longest entity identifier, in bytes.
const MaxEntity = 1024

// readIssuer reads `iss` before anything is proved: a string, and one that can be looked up.
func readIssuer(value jsontext.Value) (Entity, error) {
	issuer, err := readText(value, "/claims/iss", "your entity identifier, a string")
	if err != nil {
		return "", err
	}
	if issuer == "" || len(issuer) > MaxEntity {
		return "", &Fault{
			Reason:  ErrMalformed,
			Pointer: "/claims/iss",
			Wanted:  fmt.Sprintf("your entity identifier, 1 to %d bytes", MaxEntity),
			Got:     fmt.Sprintf("%d bytes", len(issuer)),
			Fix:     "Set iss to the https URL that you enrolled with.",
		}
	}
	return Entity(issuer), nil
}

// readClaims reads every other claim and checks its form. With terms, it also holds audience and time against them.
func (p Parsed) readClaims(terms *Terms) (claims Claims, err error) {
	values := &p.claims.values
	claims.Issuer = p.issuer
	if claims.Audience, err = readAudience(values[claimAudience]); err != nil {
		return Claims{}, err
	}
	if terms != nil {
		if err := terms.meantFor(claims.Audience); err != nil {
			return Claims{}, err
		}
	}
	if claims.IssuedAt, err = readTime(values[claimIssuedAt], "/claims/iat"); err != nil {
		return Claims{}, err
	}
	if terms != nil {
		if err := terms.inTime(claims.IssuedAt); err != nil {
			return Claims{}, err
		}
	}
	if claims.JTI, err = readIdentifier(values[claimJTI], "/claims/jti"); err != nil {
		return Claims{}, err
	}
	if claims.EventURI, claims.Event, err = readEvent(values[claimEvents], p.claims.events); err != nil {
		return Claims{}, err
	}
	for _, place := range [...]int{claimExpiry, claimNotBefore, claimSubject} {
		if values[place] != nil {
			return Claims{}, notInASET(claimNames[place])
		}
	}
	if values[claimSubjectID] != nil {
		if claims.Subject, err = readSubject(values[claimSubjectID]); err != nil {
			return Claims{}, err
		}
	}
	if values[claimTOE] != nil {
		if claims.TOE, err = readTime(values[claimTOE], "/claims/toe"); err != nil {
			return Claims{}, err
		}
	}
	if values[claimTxn] != nil {
		if claims.Txn, err = readIdentifier(values[claimTxn], "/claims/txn"); err != nil {
			return Claims{}, err
		}
	}
	return claims, nil
}

// readIdentifier reads `jti` or `txn`: 1 to 255 printable ASCII characters (protocol.md, "Submissions").
func readIdentifier(value jsontext.Value, pointer string) (string, error) {
	const longest, wanted = 255, "a string of 1 to 255 printable ASCII characters"
	text, err := readText(value, pointer, wanted)
	if err != nil {
		return "", err
	}
	if text != "" && len(text) <= longest && printable(text) {
		return text, nil
	}
	got := "other characters"
	if printable(text) {
		got = fmt.Sprintf("%d characters", len(text))
	}
	return "", &Fault{
		Reason:  ErrMalformed,
		Pointer: pointer,
		Wanted:  wanted,
		Got:     got,
		Fix:     "Use a UUID (version 7 is best), a new one for each statement.",
	}
}

// events is what stands in the claim of that name: how many members, and the last of them.
type events struct {
	count       int
	name, value jsontext.Value
}

// readEvent reads `events`. RFC 8417 allows several events; here a statement is one, so that it can be accepted or
// refused as one (protocol.md, "Submissions").
func readEvent(value jsontext.Value, found events) (string, []byte, error) {
	if value.Kind() != '{' {
		return "", nil, notOneEvent(kindOf(value))
	}
	if found.count != 1 {
		return "", nil, notOneEvent(fmt.Sprintf("%d members", found.count))
	}
	uri, err := readText(found.name, "/claims/events", "the name of an event")
	switch {
	case err != nil:
		return "", nil, err
	case uri == "":
		return "", nil, notOneEvent("a member with an empty name")
	case found.value.Kind() != '{':
		fault := &Fault{
			Reason:  ErrMalformed,
			Pointer: "/claims/events",
			Wanted:  "the event's content, a JSON object",
			Got:     kindOf(found.value),
			Fix:     "Put the statement's members between { and }.",
		}
		if escaped := "/" + escape(uri); plain(escaped) {
			fault.Pointer += escaped
		}
		return "", nil, fault
	}
	return uri, found.value, nil
}

func notOneEvent(got string) error {
	return &Fault{
		Reason:  ErrMalformed,
		Pointer: "/claims/events",
		Wanted:  "an object with exactly one member: the event's name, such as urn:cipgate:event:cip-attestation:v1, and its content",
		Got:     got,
		Fix:     "Put one event into each token, and sign one token for each statement.",
	}
}

// escape writes a name as a token of a JSON Pointer, RFC 6901, section 3.
func escape(name string) string {
	return strings.ReplaceAll(strings.ReplaceAll(name, "~", "~0"), "/", "~1")
}

func notInASET(name string) error {
	fault := &Fault{
		Reason:  ErrMalformed,
		Pointer: "/claims/" + name,
		Wanted:  "no claim " + name,
		Got:     name,
		Fix:     "Remove " + name + ". A security event token states what happened; it does not expire.", // RFC 8417, section 2.2
	}
	if name == "sub" {
		fault.Fix = "Remove sub. Say whom the statement is about in sub_id." // OpenID Shared Signals 1.0, section 4.1
	}
	return fault
}
