package notices

import (
	"crypto/sha256"
	"encoding/base64"
	"slices"
	"strings"
	"time"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/resellers/escalation"
)

const (
	contactPrefix = "contact:"
	officerPrefix = "officer:"
)

// PersonID names a person in the ledger and in the outbox without naming anybody: 96 bits of a digest of whom it stands for (a
// reseller for its contact, empty for an officer) and the mail address in small letters.
func PersonID(of envelope.Entity, address string) string {
	sum := sha256.Sum256([]byte(string(of) + "\x00" + strings.ToLower(address)))
	return base64.RawURLEncoding.EncodeToString(sum[:12])
}

// OfContact is the audience that a reseller's contact is, by mail.
func OfContact(of envelope.Entity, address string) Audience {
	return Audience(contactPrefix + PersonID(of, address))
}

// AsContact is the audience of the contact with this PersonID.
func AsContact(id string) Audience { return Audience(contactPrefix + id) }

// OfOfficer is the audience that an officer is, by mail.
func OfOfficer(address string) Audience { return Audience(officerPrefix + PersonID("", address)) }

// ContactAudiences matches every contact's audience, as SQL's LIKE does.
const ContactAudiences = Audience(contactPrefix + "%")

// IsContact says whether the audience is a reseller's contact.
func (a Audience) IsContact() bool { return strings.HasPrefix(string(a), contactPrefix) }

// IsOfficer says whether the audience is an officer.
func (a Audience) IsOfficer() bool { return strings.HasPrefix(string(a), officerPrefix) }

// IsPerson says whether the audience is told by mail.
func (a Audience) IsPerson() bool { return a.IsContact() || a.IsOfficer() }

// ID is the part of a person's audience that names it, as PersonID made it.
func (a Audience) ID() string {
	_, id, _ := strings.Cut(string(a), ":")
	return id
}

// ContactGone is the second contact that an officer took off, or named another one in place of; false if an entry says neither.
func ContactGone(entry statement.Entry, self envelope.Entity) (gone Audience, ok bool) {
	said, is := entry.Statement.(statement.OfficerAction)
	if !is || entry.By != self {
		return "", false
	}
	name, is := map[string]string{"contact.second-taken-off": "contact", "contact.second-named": "replaces"}[said.Action]
	if !is {
		return "", false
	}
	for _, detail := range said.Details {
		if detail.Name == name {
			return AsContact(detail.Value), true
		}
	}
	return "", false
}

// toOfficers are the kinds that officers are mailed about: the steps of a case, and what a reseller says that somebody must read.
var toOfficers = []statement.Kind{
	statement.KindRemediation, statement.KindOrderConfirmation, statement.KindSuspiciousActivity, statement.KindStatedByLink,
	statement.KindFindingOpened, statement.KindWarningIssued, statement.KindRestrictionOrdered, statement.KindClosureOrdered,
	statement.KindHandOverOrdered,
	statement.KindOrderWithdrawn, statement.KindRelationshipTerminated, statement.KindRelationshipReinstated, statement.KindAppealDecided,
	statement.KindLimitPassed,
}

// toOfficer says whether officers are mailed about an entry. A gateway's kind counts only from the gateway, and what resellers say from
// the reseller: that one of the provider's own systems did what it was told, nobody need read.
func toOfficer(entry statement.Entry, self envelope.Entity) bool {
	kind := entry.Statement.Kind()
	if !kind.ByGateway() && entry.By != entry.About {
		return false
	}
	return slices.Contains(toOfficers, kind) && entry.About != self && kind.ByGateway() == (entry.By == self)
}

// urgent says whether people are mailed about an entry at once: it is critical (standing.md, "The case": closing and what follows),
// and does not wait for the hour.
func urgent(entry statement.Entry) bool {
	switch said := entry.Statement.(type) {
	case statement.FindingOpened:
		return said.Severity == "critical"
	case statement.ClosureOrdered, statement.RelationshipTerminated, statement.LimitPassed, statement.SuperiorTold:
		return true
	}
	return false
}

const (
	// MostMails is how many mails one person gets in an hour: what comes on top waits and is told together.
	MostMails = 5
	hour      = time.Hour
)

// MailAt is when a person is mailed what waits: at once if some of it is urgent, else at the next full hour after the first of it
// was addressed. sent are the times of the mails to this person within the last hour, the oldest first: after MostMails in an hour
// even what is urgent waits until the first of them is an hour old, and what is not urgent comes once in an hour at most.
func MailAt(firstAddressed time.Time, urgent bool, sent []time.Time, now time.Time) time.Time {
	at := firstAddressed.UTC().Truncate(hour).Add(hour)
	if urgent {
		at = firstAddressed
	} else if len(sent) > 0 {
		at = later(at, sent[len(sent)-1].UTC().Truncate(hour).Add(hour))
	}
	if len(sent) >= MostMails {
		at = later(at, sent[len(sent)-MostMails].Add(hour))
	}
	return later(at, now)
}

func later(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}

// Told is what an officer recorded of having told a reseller: of which statement, by which channel, when.
type Told struct {
	Notice  string // jti
	Channel string
	At      time.Time
}

// ToldBy reads an officer's record of having told a reseller otherwise than by SET or mail; false if an entry is none.
func ToldBy(entry statement.Entry, self envelope.Entity) (told Told, ok bool) {
	said, is := entry.Statement.(statement.OfficerAction)
	if !is || said.Action != "notice.recorded" || entry.By != self || entry.About == self {
		return Told{}, false
	}
	told = Told{Notice: said.On.ID, At: entry.AcceptedAt}
	for _, detail := range said.Details {
		switch detail.Name {
		case "answered":
			if detail.Value == escalation.Unanswered { // a try, which proves nothing by itself: escalation counts them
				return Told{}, false
			}
		case "channel":
			told.Channel = detail.Value
		case "at":
			if at, err := time.Parse(time.RFC3339, detail.Value); err == nil {
				told.At = at.UTC()
			}
		}
	}
	return told, told.Channel != ""
}
