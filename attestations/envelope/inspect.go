package envelope

import (
	"bytes"
	"errors"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// Problem is a fault with the place where its rule stands: a section of an RFC, a number of the policy, a schema.
type Problem struct {
	*Fault
	Source string
}

// Inspected is all that is wrong with the form of a token or its claims, and what could be read all the same.
type Inspected struct {
	Problems []Problem
	Issuer   Entity // empty if `iss` could not be read
	// Claims are the claims, if Readable. What a problem names in them is left out, or is what it should have been.
	Claims   Claims
	Readable bool // `events` was read, so that the statement can be looked at
	token    jws
	signable bool // the header was read, so that the signature can be looked at
}

// Inspect looks for everything that is wrong with a SET, where Parse and Verify stop at the first. It asks the very
// checks that they ask, again and again, with what they found put right each time; so it says what they say. Where text
// is no JSON there is nothing to put right, and what stands behind is not looked at. Neither keys nor signature are
// asked for: see Signature.
func Inspect(raw []byte, terms Terms) Inspected {
	var found Inspected
	if trimmed := bytes.TrimSpace(raw); len(trimmed) != len(raw) && len(trimmed) > 0 {
		found.add(notBase64("", raw))
		raw = trimmed
	}
	token, err := split(raw)
	if err != nil && !found.salvage(raw, err, &token) {
		return found
	}
	found.token = token
	if token.header != nil {
		found.inspectHeader()
	}
	if token.payload != nil {
		found.inspectClaims(token.payload, terms)
	}
	return found
}

// InspectClaims is Inspect for claims that nobody has signed yet.
func InspectClaims(claims []byte, terms Terms) Inspected {
	var found Inspected
	if len(claims) > MaxToken {
		found.add(&Fault{Reason: ErrTooLarge, Wanted: "claims of at most " + strconv.Itoa(MaxToken) + " bytes",
			Got: strconv.Itoa(len(claims)) + " bytes", Fix: "Send less in one statement: refer to long documents by their digest."})
		return found
	}
	found.inspectClaims(claims, terms)
	return found
}

// Signature asks, of an inspected token, what Verify asks of key and signature. Beside an `alg` that nobody knows, a
// `kid` that nobody has is told too; beyond that it says no more about the issuer's keys than Verify.
func (i Inspected) Signature(keys Keys) []Problem {
	if !i.signable {
		return nil
	}
	var found Inspected
	token := i.token
	err := token.verify(keys)
	found.add(err)
	if fault := (*Fault)(nil); errors.As(err, &fault) && fault.Pointer == "/header/alg" && !slices.Contains(algorithms, token.algorithm) {
		token.algorithm = EdDSA
		if err := token.verify(keys); errors.As(err, &fault) && fault.Pointer == "/header/kid" {
			found.add(err)
		}
	}
	return found.Problems
}

// Signable says that the header was read without a problem, so that Signature can say that the signature holds.
func (i Inspected) Signable() bool { return i.signable }

func (i *Inspected) add(err error) {
	if fault := (*Fault)(nil); errors.As(err, &fault) {
		i.Problems = append(i.Problems, Problem{Fault: fault, Source: sourceOf(fault)})
	}
}

// salvage decodes what it can of a token of three parts that split refused. It is false where nothing can be read.
func (i *Inspected) salvage(raw []byte, refused error, token *jws) bool {
	parts := bytes.Split(raw, []byte{'.'})
	fault := (*Fault)(nil)
	if len(parts) != 3 || len(raw) > MaxToken || !errors.As(refused, &fault) || base64url.DecodedLen(len(parts[0])) > MaxHeader {
		i.add(refused)
		return false
	}
	*token = jws{raw: raw, signed: raw[:len(parts[0])+1+len(parts[1])]}
	for n, part := range []struct {
		pointer string
		decoded *[]byte
	}{{"/header", &token.header}, {"/claims", &token.payload}, {"/signature", &token.signature}} {
		decoded := make([]byte, base64url.DecodedLen(len(parts[n])))
		if length, ok := decodePart(decoded, parts[n]); ok {
			*part.decoded = decoded[:length]
		} else {
			i.add(notBase64(part.pointer, raw))
		}
	}
	return true
}

// inspectHeader leaves the token with the header as it came, but for its fields: a signature is asked for only if the
// header was read as it came.
func (i *Inspected) inspectHeader() {
	token := i.token
	faults := mended(token.header, "/header", headerNames, headerMends, func(text []byte) error {
		token.header = text
		return token.readHeader(SETType)
	})
	for n, fault := range faults {
		if n == 0 || fault.Pointer != "/header" { // the JOSE library reads the header as it came, and would name what was named
			i.add(fault)
		}
	}
	i.signable = len(faults) == 0 && token.signature != nil && token.payload != nil
	i.token.algorithm, i.token.keyID = token.algorithm, token.keyID
}

func (i *Inspected) inspectClaims(text []byte, terms Terms) {
	mends := map[string]string{"iss": `"urn:x"`, "aud": strconv.Quote(string(terms.Audience)), "iat": strconv.FormatInt(terms.Now.Unix(), 10),
		"jti": `"x"`, "events": `{"urn:x":{}}`}
	var claims Claims
	read := false
	faults := mended(text, "/claims", claimNames, mends, func(text []byte) error {
		object, err := readSET(text)
		if err != nil {
			return err
		}
		issuer, err := readIssuer(object.values[claimIssuer])
		if err != nil {
			return err
		}
		claims, err = Parsed{issuer: issuer, claims: object}.readClaims(&terms)
		read = err == nil
		return err
	})
	issuer, events := read, read
	for _, fault := range faults {
		i.add(fault)
		switch memberIn(fault.Pointer, "/claims") {
		case "iss":
			issuer = false
		case "events":
			events = false
		}
	}
	if issuer {
		i.Issuer = claims.Issuer
	} else if claims.Subject.Format == "uri" {
		claims.Subject = Subject{} // whether it is the issuer cannot be told
	}
	if i.Readable = events; events {
		i.Claims = claims
	}
}

// headerMends is what a good header says, by parameter; every other one may be left out.
var headerMends = map[string]string{"alg": `"` + EdDSA + `"`, "typ": `"` + SETType + `"`}

// maxMends bounds the work on one part: the few members that are known can be wrong in a few ways each.
const maxMends = 24

// mended asks check about an object, puts right the member that it names, and asks again, until it has nothing to say.
// It returns what was said, each thing once.
func mended(text []byte, pointer string, names []string, mends map[string]string, check func([]byte) error) []*Fault {
	members, isObject := membersOf(text)
	var faults []*Fault
	tried := map[string]int{}
	for range maxMends {
		err := check(text)
		fault := (*Fault)(nil)
		if !errors.As(err, &fault) {
			break
		}
		if !slices.ContainsFunc(faults, func(f *Fault) bool { return *f == *fault }) {
			faults = append(faults, fault)
		}
		name := memberIn(fault.Pointer, pointer)
		if name == "" || !isObject || tried[name] > 2 {
			break
		}
		tried[name]++
		members = members.mend(name, names, mends)
		text = members.text()
	}
	return faults
}

// memberIn is the member of the object at base that a pointer leads into, empty if it leads to no member.
func memberIn(pointer, base string) string {
	rest, ok := strings.CutPrefix(pointer, base+"/")
	if !ok {
		return ""
	}
	name, _, _ := strings.Cut(rest, "/")
	return strings.ReplaceAll(strings.ReplaceAll(name, "~1", "/"), "~0", "~")
}

// member is one member of an object as it stands.
type member struct {
	name   string
	quoted []byte
	value  []byte
}

type members []member

// membersOf takes an object apart, whose names may stand twice; false if it is none.
func membersOf(text []byte) (members, bool) {
	from := jsontext.NewDecoder(bytes.NewBuffer(text), jsontext.AllowDuplicateNames(true))
	if from.PeekKind() != '{' {
		return nil, false
	}
	if _, err := from.ReadToken(); err != nil {
		return nil, false
	}
	var all members
	for from.PeekKind() != '}' {
		quoted, err := from.ReadValue()
		if err != nil {
			return nil, false
		}
		quoted = bytes.Clone(quoted)
		name, err := jsontext.AppendUnquote(nil, quoted)
		if err != nil {
			return nil, false
		}
		value, err := from.ReadValue()
		if err != nil {
			return nil, false
		}
		all = append(all, member{name: string(name), quoted: quoted, value: bytes.Clone(value)})
	}
	return all, true
}

// mend puts a member right: one that stands twice, or in another letter case, stands once; then its value is replaced
// by a good one, or it is left out.
func (m members) mend(name string, known []string, mends map[string]string) members {
	place := -1
	for i, one := range m {
		other := one.name != name && strings.EqualFold(one.name, name) && slices.Contains(known, name)
		if other || one.name == name && place >= 0 {
			return slices.Delete(slices.Clone(m), i, i+1)
		}
		if one.name == name {
			place = i
		}
	}
	if place >= 0 {
		m = slices.Delete(slices.Clone(m), place, place+1)
	}
	if value, ok := mends[name]; ok {
		m = append(m, member{name: name, quoted: []byte(strconv.Quote(name)), value: []byte(value)})
	}
	return m
}

func (m members) text() []byte {
	text := []byte{'{'}
	for i, one := range m {
		if i > 0 {
			text = append(text, ',')
		}
		text = append(append(append(text, one.quoted...), ':'), one.value...)
	}
	return append(text, '}')
}
