package envelope

import (
	"fmt"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// Subject is whom the event is about, in one of two forms of RFC 9493: "opaque" with ID, or "uri" with URI. The zero
// Subject is none.
type Subject struct{ Format, ID, URI string }

const (
	subjectFormat = iota
	subjectID
	subjectURI
)

var subjectNames = []string{"format", "id", "uri"}

// readSubject reads `sub_id`. Of the forms of RFC 9493 those with a mail address or a telephone number are not taken:
// personal data stays with the reseller.
func readSubject(value jsontext.Value) (Subject, error) {
	fields, err := readObject(value, "/claims/sub_id", subjectNames)
	if err != nil {
		return Subject{}, err
	}
	format, err := readText(fields.values[subjectFormat], "/claims/sub_id/format", `"opaque" or "uri"`)
	if err != nil {
		return Subject{}, err
	}
	subject := Subject{Format: format}
	switch format {
	case "opaque":
		subject.ID, err = readOpaque(fields.values[subjectID])
	case "uri":
		subject.URI, err = readURI(fields.values[subjectURI])
	default:
		err = notASubject("/claims/sub_id/format", "another format")
	}
	if err != nil {
		return Subject{}, err
	}
	if fields.members != 2 { // RFC 9493, section 3: what the format does not name must not stand there
		return Subject{}, notASubject("/claims/sub_id", fmt.Sprintf("%d members", fields.members))
	}
	return subject, nil
}

func notASubject(pointer, got string) error {
	return &Fault{
		Reason:  ErrMalformed,
		Pointer: pointer,
		Wanted:  `{"format":"opaque","id":...} or {"format":"uri","uri":...}, and no other member`,
		Got:     got,
		Fix:     "Name a customer by an opaque id of your own, never by a name, a mail address or a telephone number.",
	}
}

func readOpaque(value jsontext.Value) (string, error) {
	const longest, pointer, wanted = 255, "/claims/sub_id/id", "an opaque id of 1 to 255 bytes without control characters"
	id, err := readText(value, pointer, wanted)
	if err != nil {
		return "", err
	}
	control := strings.ContainsFunc(id, func(r rune) bool { return r < 0x20 || r >= 0x7f && r < 0xa0 })
	if id != "" && len(id) <= longest && !control {
		return id, nil
	}
	got := fmt.Sprintf("%d bytes", len(id))
	if control {
		got = "a control character"
	}
	return "", &Fault{
		Reason:  ErrMalformed,
		Pointer: pointer,
		Wanted:  wanted,
		Got:     got,
		Fix:     "Use a short id, such as a UUID, that means something to you alone.",
	}
}

func readURI(value jsontext.Value) (string, error) {
	const pointer, wanted = "/claims/sub_id/uri", "a URI with its scheme, at most 1024 ASCII characters"
	uri, err := readText(value, pointer, wanted)
	if err != nil {
		return "", err
	}
	if absoluteURI(uri) {
		return uri, nil
	}
	return "", &Fault{
		Reason:  ErrMalformed,
		Pointer: pointer,
		Wanted:  wanted,
		Got:     fmt.Sprintf("%d bytes that are not one", len(uri)),
		Fix:     "Use an entity identifier, which is an https URL, or a URN.",
	}
}

// absoluteURI asks for a scheme, and for no character that a URI cannot hold, RFC 3986, sections 2 and 3.1.
func absoluteURI(uri string) bool {
	scheme, rest, found := strings.Cut(uri, ":")
	if !found || scheme == "" || rest == "" || len(uri) > MaxEntity || !printable(uri) || strings.ContainsAny(uri, " \"<>\\^`{|}") {
		return false
	}
	for i := range len(scheme) {
		if c := scheme[i] | 0x20; c >= 'a' && c <= 'z' {
			continue
		}
		if i == 0 || !strings.Contains("0123456789+-.", scheme[i:i+1]) {
			return false
		}
	}
	return true
}
