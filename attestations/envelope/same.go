package envelope

import (
	"bytes"
	"fmt"
	"slices"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// SameContent says whether two SETs state the same: their claims apart from `iat` are equal in the canonical form of
// RFC 8785. Stock senders sign again with a new `iat` on each try, and that is the same statement; anything else under
// the same issuer and `jti` is a twin, and refused (protocol.md, "POST /events"). Headers and signatures do not count.
// Integers are compared digit by digit: RFC 8785 would hold two for equal that differ beyond 2^53. Neither signature is
// checked. Errors are those of Parse.
func SameContent(a, b []byte) (bool, error) {
	first, err := content(a)
	if err != nil {
		return false, err
	}
	second, err := content(b)
	if err != nil {
		return false, err
	}
	return bytes.Equal(first, second), nil
}

func content(raw []byte) ([]byte, error) {
	parsed, err := Parse(raw)
	if err != nil {
		return nil, err
	}
	canonical := jsontext.Value(slices.Clone(parsed.jws.payload))
	if err := canonical.Canonicalize(jsontext.CanonicalizeRawInts(false)); err != nil {
		return nil, fmt.Errorf("envelope: canonical form of the claims: %w", err)
	}
	var kept withoutIssuedAt
	if err := json.Unmarshal(canonical, &kept); err != nil {
		return nil, fmt.Errorf("envelope: canonical form of the claims: %w", err)
	}
	return kept, nil
}

// withoutIssuedAt gathers the members of a canonical object but `iat`. It only serves to be compared.
type withoutIssuedAt []byte

// UnmarshalJSONFrom appends names and values as they stand.
func (w *withoutIssuedAt) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	if _, err := d.ReadToken(); err != nil {
		return err
	}
	for d.PeekKind() != '}' {
		name, err := d.ReadValue()
		if err != nil {
			return err
		}
		isIssuedAt := string(name) == `"iat"`
		if !isIssuedAt {
			*w = append(append(*w, name...), ':')
		}
		value, err := d.ReadValue()
		if err != nil {
			return err
		}
		if !isIssuedAt {
			*w = append(append(*w, value...), ',')
		}
	}
	_, err := d.ReadToken()
	return err
}
