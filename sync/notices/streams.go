package notices

import (
	"strings"
	"time"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/statement"
)

// What officers do to a stream: about the reseller whose it is, or about the gateway for one of the provider's own systems, which a
// detail names. What follows the prefix is the stream's status from then on.
const (
	actionStreamEnabled  = streamPrefix + "enabled"
	actionStreamPaused   = streamPrefix + "paused"
	actionStreamDisabled = streamPrefix + "disabled" // of a system of the provider: a reseller's notices are mandatory

	detailSystem = "system" // which of the provider's systems, by the label of its token
	detailTold   = "told"   // what the receiver is told as the reason; nothing if it is left out

	streamPrefix = "stream."

	// A token that is ended leaves its system's stream disabled: else what is stated would go on to whoever lost the token.
	actionTokenRevoked = "token.revoked"
	// Until when a token is in force. One that has expired leaves its system's stream standing still.
	actionTokenCreated  = "token.created"
	actionTokenExtended = "token.extended"
	detailExpires       = "expires_at"
	detailToken         = "token"
	toldRevoked         = "The token of this receiver was ended."

	// The account of whoever's token it is: while it is disabled nothing goes to its systems, and all is kept.
	actionOfficerDisabled = "officer.disabled"
	actionOfficerEnabled  = "officer.enabled"
	detailOfficer         = "officer"
)

// ToldShutOut is what the receiver is told whose stream stopped with the account of its officer, and what officers read of it.
const ToldShutOut = "The account that the token of this receiver belongs to is disabled. Everything is kept until it is enabled again."

// ToldLapsed is what the receiver is told whose stream stopped since the token of its system has expired, and what officers read of it.
const ToldLapsed = "The token of this receiver has expired. Everything is kept until an administrator extends it."

// How long before the token of one of the provider's own systems expires officers are told: once, and once more.
const (
	TokenNotice = 14 * 24 * time.Hour
	TokenLast   = 3 * 24 * time.Hour
)

// Token is until when the API token is in force that a system of the provider would be registered by.
type Token struct {
	Audience Audience
	Until    time.Time
}

// TokenChanged reads until when a token is in force; false if an entry does not say so.
func TokenChanged(entry statement.Entry, self envelope.Entity) (token Token, ok bool) {
	said, is := entry.Statement.(statement.OfficerAction)
	if !is || entry.By != self || entry.About != self || said.Action != actionTokenCreated && said.Action != actionTokenExtended {
		return Token{}, false
	}
	for _, detail := range said.Details {
		switch detail.Name {
		case detailToken:
			token.Audience = OfSystem(detail.Value)
		case detailExpires:
			until, err := time.Parse(time.RFC3339, detail.Value)
			if err != nil {
				return Token{}, false
			}
			token.Until = until
		}
	}
	return token, token.Audience != "" && !token.Until.IsZero()
}

// OwnerChanged reads whose account was disabled, or enabled again; false if an entry is no such thing.
func OwnerChanged(entry statement.Entry, self envelope.Entity) (officer string, disabled, ok bool) {
	said, is := entry.Statement.(statement.OfficerAction)
	if !is || entry.By != self || entry.About != self || said.Action != actionOfficerDisabled && said.Action != actionOfficerEnabled {
		return "", false, false
	}
	for _, detail := range said.Details {
		if detail.Name == detailOfficer {
			officer = detail.Value
		}
	}
	return officer, said.Action == actionOfficerDisabled, officer != ""
}

// StreamChange is what an officer did to a stream.
type StreamChange struct {
	Audience Audience
	Status   string // enabled, paused, disabled
	Told     string
}

// StreamChanged reads what an officer did to a stream; false if an entry is no such thing.
func StreamChanged(entry statement.Entry, self envelope.Entity) (change StreamChange, ok bool) {
	said, is := entry.Statement.(statement.OfficerAction)
	if !is || entry.By != self {
		return StreamChange{}, false
	}
	system := ""
	for _, detail := range said.Details {
		switch detail.Name {
		case detailSystem:
			system = detail.Value
		case detailTold:
			change.Told = detail.Value
		case detailToken:
			if said.Action == actionTokenRevoked && entry.About == self {
				return StreamChange{Audience: OfSystem(detail.Value), Status: "disabled", Told: toldRevoked}, true
			}
		}
	}
	change.Audience, change.Status = OfReseller(entry.About), strings.TrimPrefix(said.Action, streamPrefix)
	switch said.Action {
	case actionStreamEnabled, actionStreamPaused:
	case actionStreamDisabled:
		if entry.About != self {
			return StreamChange{}, false
		}
	default:
		return StreamChange{}, false
	}
	if entry.About == self {
		change.Audience = OfSystem(system)
	}
	return change, entry.About != self || system != ""
}
