// Package notices decides who hears of an entry of the ledger, and when a notice that could not be brought is tried again.
//
// A reseller hears of what the gateway decided about it, and of nothing else: not of what it stated itself, not of another
// reseller but that a step of its subordinate's is due and unproved (later.go), not of what the gateway keeps on record of itself or of its officers. The provider's own systems hear of every
// decision. An entry is told whole or not at all, but for
// evidence that is not for who is told (shown.go). People are mailed that something
// happened (people.go): a reseller's contact about what the reseller hears of, officers about steps and answers.
//
// It sends nothing and keeps nothing (package delivery), and does not decide what is stated (resellers/escalation).
package notices

import (
	"slices"
	"strings"
	"time"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/statement"
)

// Audience is whoever notices are numbered for: a reseller, or one of the provider's own systems.
type Audience string

const systemPrefix = "system:" // no entity identifier begins so

// OfReseller is the audience that a reseller is.
func OfReseller(entity envelope.Entity) Audience { return Audience(entity) }

// OfSystem is the audience that one of the provider's own systems is, by the label of its API token.
func OfSystem(label string) Audience { return Audience(systemPrefix + label) }

// IsSystem says whether the audience is one of the provider's own systems.
func (a Audience) IsSystem() bool { return strings.HasPrefix(string(a), systemPrefix) }

// Entity is how a token names the audience in `aud`: the reseller itself; the gateway for the provider's own systems, which
// have no identifier of their own.
func (a Audience) Entity(self envelope.Entity) envelope.Entity {
	if a.IsSystem() {
		return self
	}
	return envelope.Entity(a)
}

// Chain is who may hear of anything.
type Chain struct {
	Self    envelope.Entity // the gateway
	Systems []Audience      // the provider's own systems that have a stream
	// Contacts are the confirmed contacts of each reseller, and Officers those who are mailed about all of them; none where the
	// gateway sends no mail.
	Contacts map[envelope.Entity][]Audience
	Officers []Audience
}

// Notice says that an audience hears of an entry.
type Notice struct {
	Audience Audience
	// About is the reseller that is told, also where a system or an officer hears of it beside: what proves the notice proves it of that one.
	About envelope.Entity
	// Mandatory says that the audience cannot decline it: steps and their deadlines rest on its having been told.
	Mandatory bool
	// Urgent says that a person is mailed at once, and does not wait for the hour.
	Urgent bool
}

// toReseller are the kinds that the reseller they are about hears of. All of them are decisions it must be told of: a shortfall,
// a step, a request, an answer (standing.md, "The case"). Of superior-told its superior hears, and not the reseller.
var toReseller = []statement.Kind{
	statement.KindFindingOpened, statement.KindFindingCured, statement.KindStandingChanged,
	statement.KindWarningIssued, statement.KindRestrictionOrdered, statement.KindClosureOrdered, statement.KindOrderWithdrawn,
	statement.KindRelationshipTerminated, statement.KindRelationshipReinstated, statement.KindAppealDecided,
	statement.KindInformationRequested, statement.KindCIPRequested, statement.KindDocumentReceived,
	statement.KindExemptionGranted, statement.KindExemptionWithdrawn, statement.KindTransactionCovered,
	statement.KindHandOverOrdered, statement.KindSuperiorChanged,
	statement.KindSuperiorTold,
}

// Address returns who hears of an entry, each audience once: first the reseller, then systems, contacts and officers in the chain's
// order.
func Address(entry statement.Entry, chain Chain) []Notice {
	kind, concerned := entry.Statement.Kind(), Hearers(entry)
	var told []Notice
	if kind.ByGateway() && entry.By == chain.Self {
		if concerned[0] == chain.Self || !slices.Contains(toReseller, kind) {
			concerned = nil
		}
		for _, whom := range concerned {
			told = append(told, Notice{Audience: OfReseller(whom), About: whom, Mandatory: true})
		}
		for _, system := range chain.Systems {
			if !system.mayHear(entry) {
				continue // evidence for those who need to know it
			}
			told = append(told, Notice{Audience: system, About: entry.About})
		}
		for _, whom := range concerned {
			for _, contact := range chain.Contacts[whom] {
				told = append(told, Notice{Audience: contact, About: whom, Mandatory: true, Urgent: urgent(entry)})
			}
		}
	}
	if toOfficer(entry, chain.Self) {
		for _, officer := range chain.Officers {
			told = append(told, Notice{Audience: officer, About: entry.About, Mandatory: true, Urgent: urgent(entry)})
		}
	}
	return told
}

// Kinds are what an audience may hear of, in the order of statement.Kinds.
func Kinds(audience Audience) []statement.Kind {
	return slices.DeleteFunc(statement.Kinds(), func(kind statement.Kind) bool {
		switch {
		case audience.IsOfficer():
			return !slices.Contains(toOfficers, kind)
		case audience.IsSystem():
			return !kind.ByGateway()
		default:
			return !slices.Contains(toReseller, kind)
		}
	})
}

// Addressed are all kinds that anybody may hear of.
func Addressed() []statement.Kind {
	return slices.DeleteFunc(statement.Kinds(), func(kind statement.Kind) bool {
		return !kind.ByGateway() && !slices.Contains(toOfficers, kind)
	})
}

const (
	// FirstWait is the longest wait after the first try.
	FirstWait = 10 * time.Second
	// LongestWait is the longest wait after any try.
	LongestWait = 24 * time.Hour
)

// NextTry is when a notice is tried again after tries that failed, 1 or more. The wait doubles with each try up to LongestWait;
// jitter, from 0 to 1, shortens it by up to a half, so that receivers that failed together are not tried together. retryAfter is
// what the receiver asked for, zero if nothing: the wait is no shorter than that, and no longer than LongestWait even so.
func NextTry(tries int, now time.Time, jitter float64, retryAfter time.Duration) time.Time {
	wait := LongestWait
	if tries = max(tries, 1); tries < 20 { // more would be longer than LongestWait, and then than a Duration holds
		wait = min(FirstWait<<(tries-1), LongestWait)
	}
	wait -= time.Duration(min(max(jitter, 0), 1) * float64(wait/2))
	return now.Add(min(max(wait, retryAfter), LongestWait))
}
