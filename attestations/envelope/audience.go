package envelope

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// texts reads an array of strings.
type texts struct {
	pointer string
	list    []string
}

// UnmarshalJSONFrom refuses an element that is not a string, and names it.
func (t *texts) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	if _, err := d.ReadToken(); err != nil {
		return err
	}
	for d.PeekKind() != ']' {
		value, err := d.ReadValue()
		if err != nil {
			return err
		}
		pointer := t.pointer
		if value.Kind() != '"' {
			pointer += "/" + strconv.Itoa(len(t.list))
		}
		text, err := readText(value, pointer, "a string")
		if err != nil {
			return err
		}
		t.list = append(t.list, text)
	}
	_, err := d.ReadToken()
	return err
}

// readAudience reads `aud`: a string or an array of strings, RFC 7519, section 4.1.3. No audience at all is meant for
// nobody, and so not for us.
func readAudience(value jsontext.Value) ([]string, error) {
	const pointer, wanted = "/claims/aud", "a string, or an array of strings"
	switch value.Kind() {
	case '"':
		audience, err := readText(value, pointer, wanted)
		if err != nil {
			return nil, err
		}
		return []string{audience}, nil
	case '[':
		audience := texts{pointer: pointer}
		if err := json.Unmarshal(value, &audience); err != nil {
			return nil, notStrictJSON(pointer, err)
		}
		return audience.list, nil
	}
	fault := &Fault{
		Reason:  ErrMalformed,
		Pointer: pointer,
		Wanted:  wanted,
		Got:     kindOf(value),
		Fix:     "Set aud to the gateway's entity identifier.",
	}
	if value == nil {
		fault.Reason = ErrAudience
	}
	return nil, fault
}

// meantFor asks whether the audience holds ours, letter by letter.
func (t *Terms) meantFor(audience []string) error {
	if t.Audience != "" && slices.Contains(audience, string(t.Audience)) {
		return nil
	}
	got := "an empty array"
	if len(audience) > 0 {
		got = short(audience[0])
		if len(audience) > 1 {
			got += fmt.Sprintf(" and %d more", len(audience)-1)
		}
	}
	return &Fault{
		Reason:  ErrAudience,
		Pointer: "/claims/aud",
		Wanted:  strconv.QuoteToASCII(string(t.Audience)),
		Got:     got,
		Fix:     "Set aud to the gateway's entity identifier, letter by letter as it stands here.",
	}
}
