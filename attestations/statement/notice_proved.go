package statement

import (
	"errors"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// The channels by which a notice is proved (standing.md, "Proof of notice").
const (
	ChannelSETAcknowledged = "set-acknowledged" // the receiver acknowledged the SET (RFC 8935, section 2.2; RFC 8936, section 2.4)
	ChannelLinkOpened      = "link-opened"      // a contact opened the one-time link, with the code that was sent apart
	ChannelMailAnswered    = "mail-answered"    // a contact acknowledged or answered over that link
	ChannelCall            = "call"             // an officer recorded a call
	ChannelCourier         = "courier"          // an officer recorded a courier's receipt
)

// NoticeProved states that a notice reached whom it was for, once for each notice and channel. It is about the reseller that was
// told.
type NoticeProved struct {
	Notice      string    `json:"notice"`  // jti of the statement that was told
	Channel     string    `json:"channel"` // one of the channels above
	AddressedAt time.Time `json:"addressed_at"`
	SentAt      time.Time `json:"sent_at,omitzero"` // first sent or handed out; zero if only the addressing is known
	ProvedAt    time.Time `json:"proved_at"`
	Link        string    `json:"link,omitzero"`    // exactly for link-opened and mail-answered: the link's id, never its token
	Contact     string    `json:"contact,omitzero"` // which contact, by an id that names nobody
}

// Kind returns KindNoticeProved.
func (NoticeProved) Kind() Kind { return KindNoticeProved }

type noticeProved NoticeProved

// MarshalJSONTo writes its times as the schema asks for them.
func (s NoticeProved) MarshalJSONTo(to *jsontext.Encoder) error {
	return json.MarshalEncode(to, noticeProved(s), wholeSeconds)
}

func (s NoticeProved) check() error {
	var proved, sent error
	switch {
	case s.ProvedAt.Before(s.AddressedAt):
		proved = fault(s.Kind(), "a time that is not before addressed_at", "an earlier one", "Check which of the two is wrong.", "proved_at")
	case !s.SentAt.IsZero() && s.ProvedAt.Before(s.SentAt):
		proved = fault(s.Kind(), "a time that is not before sent_at", "an earlier one", "Check which of the two is wrong.", "proved_at")
	}
	if !s.SentAt.IsZero() && s.SentAt.Before(s.AddressedAt) {
		sent = fault(s.Kind(), "a time that is not before addressed_at", "an earlier one", "Check which of the two is wrong.", "sent_at")
	}
	return errors.Join(proved, sent)
}

// StatedByLink states what a person stated over a one-time link. The gateway signs that it was stated there, by whoever had the
// link and its code: it is never the reseller's own signature (protocol.md, "Notices").
type StatedByLink struct {
	Link        string      `json:"link"`    // the link's id, never its token
	Contact     string      `json:"contact"` // which contact the link was sent to, by an id that names nobody
	Notice      string      `json:"notice"`  // jti of the statement that it answers
	Remediation Remediation `json:"remediation"`
}

// Kind returns KindStatedByLink.
func (StatedByLink) Kind() Kind { return KindStatedByLink }

// RemediationOf is the remediation that an entry brings, whichever way it came: signed by the reseller itself, or stated over a
// one-time link, which the gateway signed. False if it brings none.
func RemediationOf(e Entry) (Remediation, bool) {
	switch s := e.Statement.(type) {
	case Remediation:
		return s, true
	case StatedByLink:
		return s.Remediation, e.By != e.About // what an entity says about itself is no word of the gateway
	}
	return Remediation{}, false
}

// check is what a remediation is held against when its reseller signs it.
func (s StatedByLink) check(issuedAt time.Time) error {
	if r := s.Remediation; r.Until != (Date{}) && DateOf(issuedAt.UTC().Add(-farthestWest)).After(r.Until) {
		return fault(s.Kind(), "a day that is not before the token's iat", "an earlier day", "Ask for time that is still to come.", "remediation", "until")
	}
	return uniqueCopies(s.Kind(), s.Remediation.Evidence, "remediation", "evidence")
}
