package envelope

import (
	"bytes"
	"encoding/base64"
	"fmt"
)

const (
	// MaxToken is the size of the largest token, in bytes.
	MaxToken = 256 << 10
	// MaxHeader is the size of the largest JWS header, in bytes of JSON.
	MaxHeader = 16 << 10
)

// jws is a compact JWS taken apart, RFC 7515, section 7.1.
type jws struct {
	raw       []byte // all of it; a copy, so that nobody changes it under us
	signed    []byte // what the signature is over: header, dot, payload, as they came
	header    []byte // JSON
	payload   []byte
	signature []byte
	algorithm string
	keyID     string
}

// split takes a compact JWS apart. Each part must be the one base64url text of its bytes: a second text of the same
// statement would have a second digest, and be a second statement.
func split(raw []byte) (jws, error) {
	if len(raw) > MaxToken {
		return jws{}, &Fault{
			Reason: ErrTooLarge,
			Wanted: fmt.Sprintf("a token of at most %d bytes", MaxToken),
			Got:    fmt.Sprintf("%d bytes", len(raw)),
			Fix:    "Send less in one statement: refer to long documents by their digest.",
		}
	}
	first := bytes.IndexByte(raw, '.')
	last := bytes.LastIndexByte(raw, '.')
	if first < 0 || first == last || bytes.IndexByte(raw[first+1:last], '.') >= 0 {
		return jws{}, notThreeParts(raw)
	}
	if base64.RawURLEncoding.DecodedLen(first) > MaxHeader {
		return jws{}, &Fault{
			Reason:  ErrMalformed,
			Pointer: "/header",
			Wanted:  fmt.Sprintf("a header of at most %d bytes", MaxHeader),
			Got:     fmt.Sprintf("%d bytes", base64.RawURLEncoding.DecodedLen(first)),
			Fix:     "Put only alg, kid and typ into the header. Certificates and keys are not needed there.",
		}
	}

	// One buffer holds the copy and, behind it, the three decoded parts.
	buffer := make([]byte, len(raw), len(raw)+base64.RawURLEncoding.DecodedLen(len(raw)))
	copy(buffer, raw)
	token := jws{raw: buffer[:len(raw):len(raw)], signed: buffer[:last:last]}
	rest := buffer[len(raw):cap(buffer)]
	for _, part := range [...]struct {
		pointer string
		encoded []byte
		decoded *[]byte
	}{
		{"/header", token.raw[:first], &token.header},
		{"/claims", token.raw[first+1 : last], &token.payload},
		{"/signature", token.raw[last+1:], &token.signature},
	} {
		n, ok := decodePart(rest, part.encoded)
		if !ok {
			return jws{}, notBase64(part.pointer, raw)
		}
		*part.decoded, rest = rest[:n:n], rest[n:]
	}
	return token, nil
}

// base64url refuses unused bits that are not zero, RFC 4648, section 3.5.
var base64url = base64.RawURLEncoding.Strict()

// decodePart decodes into dst and says whether the bytes encode to this text again. The decoder passes over line
// breaks, so they are looked for first; everything else that is not canonical it refuses itself.
func decodePart(dst, encoded []byte) (n int, ok bool) {
	if bytes.IndexByte(encoded, '\n') >= 0 || bytes.IndexByte(encoded, '\r') >= 0 {
		return 0, false
	}
	n, err := base64url.Decode(dst, encoded)
	return n, err == nil
}

func notThreeParts(raw []byte) error {
	fault := &Fault{
		Reason: ErrMalformed,
		Wanted: "a compact JWS: three parts in base64url with a dot between them, header.claims.signature",
		Got:    fmt.Sprintf("%d parts", bytes.Count(raw, []byte{'.'})+1),
		Fix:    "Send the token exactly as your JOSE library made it in compact form.",
	}
	switch dots := bytes.Count(raw, []byte{'.'}); {
	case len(raw) == 0:
		fault.Got = "nothing"
	case bytes.HasPrefix(bytes.TrimSpace(raw), []byte{'{'}):
		fault.Got = "a JSON object"
		fault.Fix = "Sign the claims and send the compact form, not JSON."
	case dots == 4:
		fault.Got = "five parts, as an encrypted token has"
		fault.Fix = "Sign the token (JWS); do not encrypt it (JWE)."
	case dots == 0:
		fault.Got = "no dot"
	}
	return fault
}

// wantedBase64 is what each part of a token must be.
const wantedBase64 = "base64url as RFC 7515 has it: letters, digits, - and _, with no padding, no white space and no unused bits"

func notBase64(pointer string, raw []byte) error {
	if len(bytes.TrimSpace(raw)) != len(raw) {
		return &Fault{
			Reason: ErrMalformed,
			Wanted: "the token and nothing around it",
			Got:    "white space before or behind the token",
			Fix:    "Remove it. Often it is a line break at the end of a file: with curl use --data-binary and a file without it.",
		}
	}
	return &Fault{
		Reason:  ErrMalformed,
		Pointer: pointer,
		Wanted:  wantedBase64,
		Got:     "text that does not encode to itself again",
		Fix:     "Send the token exactly as your JOSE library made it. If you encode by hand, use base64url without padding.",
	}
}

// The header parameters that mean something to us or to JOSE (RFC 7515, section 4.1; RFC 7797). Only the first three
// are used.
const (
	headerAlgorithm = iota
	headerKeyID
	headerType
	headerCritical
	headerUnencoded
)

var headerNames = []string{"alg", "kid", "typ", "crit", "b64", "cty", "jwk", "jku", "x5c", "x5t", "x5t#S256", "x5u"}

// readHeader reads the protected header. A header parameter that we do not know is passed over, as RFC 7515, section
// 4, wants it; one that would change how the token is read is refused.
func (j *jws) readHeader(typ string) error {
	header, err := readObject(j.header, "/header", headerNames)
	if err != nil {
		return err
	}
	if header.values[headerCritical] != nil {
		return &Fault{
			Reason:  ErrMalformed,
			Pointer: "/header/crit",
			Wanted:  "no header parameter crit",
			Got:     "crit",
			Fix:     "Remove crit from the header. No extension of JWS is supported.",
		}
	}
	if header.values[headerUnencoded] != nil {
		return &Fault{
			Reason:  ErrMalformed,
			Pointer: "/header/b64",
			Wanted:  "no header parameter b64",
			Got:     "b64",
			Fix:     "Remove b64 from the header, and encode the claims in base64url as usual.",
		}
	}
	got := ""
	if typ != "" || header.values[headerType] != nil {
		if got, err = readText(header.values[headerType], "/header/typ", typ); err != nil {
			return err
		}
	}
	if !sameType(got, typ) {
		return &Fault{
			Reason:  ErrMalformed,
			Pointer: "/header/typ",
			Wanted:  typ,
			Got:     short(got),
			Fix:     "Set typ in the header to " + typ + ". It says what kind of token this is.",
		}
	}
	algorithm := header.values[headerAlgorithm]
	if j.algorithm = knownAlgorithm(algorithm); j.algorithm == "" {
		if j.algorithm, err = readText(algorithm, "/header/alg", "the name of the signature algorithm, such as EdDSA"); err != nil {
			return err
		}
	}
	if header.values[headerKeyID] != nil {
		if j.keyID, err = readText(header.values[headerKeyID], "/header/kid", "the id of your key, a string"); err != nil {
			return err
		}
	}
	used := 2 // alg and typ
	if header.values[headerKeyID] != nil {
		used++
	}
	if header.members > used {
		// None of the others is used: jwk, jku, x5c and x5u never select a key (RFC 8725, section 3.10). But a jwk that is
		// no key, or a private one, makes no JWS header (RFC 7515, sections 4.1.3 and 5.2), whichever algorithm verifies.
		_, err := j.reread()
		return err
	}
	return nil
}

// sameType compares media types as RFC 7515, section 4.1.9, has it: "application/" may be left out, letter case does
// not count.
func sameType(got, want string) bool {
	const prefix = "application/"
	if len(got) > len(prefix) && equalFoldASCII(got[:len(prefix)], prefix) {
		got = got[len(prefix):]
	}
	return equalFoldASCII(got, want)
}

// equalFoldASCII ignores the case of a to z alone; strings.EqualFold would also take a long s or a Kelvin sign.
func equalFoldASCII(a, b string) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range len(a) {
		if a[i] != b[i] && (a[i]|0x20 != b[i]|0x20 || a[i]|0x20 < 'a' || a[i]|0x20 > 'z') {
			return false
		}
	}
	return true
}
