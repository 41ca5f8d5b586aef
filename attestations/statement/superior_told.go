package statement

import (
	"errors"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/cipgate/cipgate/attestations/envelope"
)

// SuperiorTold states that the superior of a reseller is told of a step whose notice nothing proves to have reached the reseller. It is
// about that reseller, and holds nothing of what the step rests on: the chain may see that a step is due, and no more.
type SuperiorTold struct {
	Superior envelope.Entity `json:"superior"`         // who is told
	Notice   string          `json:"notice"`           // jti of the statement that the reseller was told
	Standing string          `json:"standing"`         // warned, restricted, closing
	StatedAt time.Time       `json:"stated_at"`        // when that was stated
	NextAt   time.Time       `json:"next_at,omitzero"` // when the next step is due, as that statement says
}

// Kind returns KindSuperiorTold.
func (SuperiorTold) Kind() Kind { return KindSuperiorTold }

type superiorTold SuperiorTold

// MarshalJSONTo writes its times as the schema asks for them.
func (s SuperiorTold) MarshalJSONTo(to *jsontext.Encoder) error {
	return json.MarshalEncode(to, superiorTold(s), wholeSeconds)
}

func (s SuperiorTold) check() error {
	var superior, next error
	if _, err := envelope.ParseEntity(string(s.Superior)); err != nil {
		superior = fault(s.Kind(), "an entity identifier", "another text", "Write it as the superior was enrolled.", "superior")
	}
	if !s.NextAt.IsZero() && s.NextAt.Before(s.StatedAt) {
		next = fault(s.Kind(), "a time that is not before stated_at", "an earlier one", "Check which of the two is wrong.", "next_at")
	}
	return errors.Join(superior, next)
}
