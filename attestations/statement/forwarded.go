package statement

import (
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/cipgate/cipgate/attestations/envelope"
)

// Forwarded wraps a subordinate's SET as it came in, in the open or sealed to the provider. Who signed it, and whether
// that holds, is not asked here: the inner SET goes the whole road of a submission itself.
type Forwarded struct {
	ReceivedAt time.Time         `json:"received_at"`   // when the entity that forwards took it in
	Set        string            `json:"set,omitzero"`  // a compact JWS; exactly where there is no JWE
	JWE        string            `json:"jwe,omitzero"`  // compact, sealed to the provider's key (RFC 7516)
	Path       []envelope.Entity `json:"path,omitzero"` // the entities that it came through before, the first one first
}

// Kind returns KindForwarded.
func (Forwarded) Kind() Kind { return KindForwarded }

type forwarded Forwarded

// MarshalJSONTo writes its time as the schema asks for it.
func (f Forwarded) MarshalJSONTo(to *jsontext.Encoder) error {
	return json.MarshalEncode(to, forwarded(f), wholeSeconds)
}

var forwardedMembers = members{required: 1, names: []string{"received_at", "set", "jwe", "path"}}

// The inner SET may have 64 KiB (protocol.md, "Submissions"); sealed, it is a third longer, and its header comes on top.
const (
	maxInnerSet = 64 << 10
	maxInnerJWE = 96 << 10
)

// UnmarshalJSONFrom reads what was forwarded and refuses what its schema refuses.
func (f *Forwarded) UnmarshalJSONFrom(from *jsontext.Decoder) error { return next(from, f) }

func (f *Forwarded) read(from *scan) error {
	err := forwardedMembers.object(from, func(i int) error {
		switch i {
		case 0:
			return moment(from, &f.ReceivedAt)
		case 1:
			return text(from, &f.Set, maxInnerSet, isCompactJWS)
		case 2:
			return text(from, &f.JWE, maxInnerJWE, isCompactJWE)
		default:
			return list(from, 16, func() error {
				var e envelope.Entity
				err := entity(from, &e)
				f.Path = append(f.Path, e)
				return err
			})
		}
	})
	if err != nil {
		return err
	}
	if (f.Set == "") == (f.JWE == "") {
		return errForm
	}
	return nil
}

var (
	isCompactJWS = isCompact(3)
	isCompactJWE = isCompact(5)
)
