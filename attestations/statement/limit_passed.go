package statement

import (
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// LimitPassed states, once for each limit, that the limit of a case passed before the case ended: nothing passes it silently.
type LimitPassed struct {
	Basis    `json:"basis"`
	Case     string    `json:"case"`
	Findings []string  `json:"findings"`
	LimitAt  time.Time `json:"limit_at"` // the limit that passed
	Why      string    `json:"why"`      // what the case waits for, or which step comes too late
}

// Kind returns KindLimitPassed.
func (LimitPassed) Kind() Kind { return KindLimitPassed }

type limitPassed LimitPassed

// MarshalJSONTo writes its times as the schema asks for them.
func (s LimitPassed) MarshalJSONTo(to *jsontext.Encoder) error {
	return json.MarshalEncode(to, limitPassed(s), wholeSeconds)
}
