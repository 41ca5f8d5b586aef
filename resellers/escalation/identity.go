package escalation

import (
	"crypto/sha256"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/statement"
)

// decisions is the name space of the identifiers below.
var decisions = uuid.NewHash(sha256.New(), uuid.NameSpaceURL, []byte("urn:cipgate:decision"), 8)

// ID returns the jti of a decision: a UUID (version 8, RFC 9562) from the SHA-256 of what is decided. What it was
// decided from, and when, is left out. So two nodes that decide the same give it the same jti, also a second apart, and
// the ledger takes it once.
func ID(about envelope.Entity, s statement.Statement) string {
	// No part holds a NUL: entities are URLs, the rest are names and numbers of ours.
	what := strings.Join(append([]string{string(about), string(s.Kind())}, decided(s)...), "\x00")
	return uuid.NewHash(sha256.New(), decisions, []byte(what), 8).String()
}

// decided says what a decision can be only once about an entity.
func decided(s statement.Statement) []string {
	switch s := s.(type) {
	case statement.FindingOpened:
		return []string{s.Finding}
	case statement.FindingCured:
		return []string{s.Finding}
	case statement.WarningIssued:
		return []string{s.Case}
	case statement.RestrictionOrdered:
		return []string{s.Case, s.Order}
	case statement.ClosureOrdered:
		if s.Part > 1 {
			return []string{s.Case, s.Scope, strconv.Itoa(s.Part)}
		}
		return []string{s.Case, s.Scope}
	case statement.HandOverOrdered:
		return []string{s.Case, s.Order}
	case statement.OrderWithdrawn:
		return []string{s.Case, s.Order}
	case statement.RelationshipTerminated:
		return []string{s.Case}
	case statement.LimitPassed:
		return []string{s.Case, s.LimitAt.UTC().Format(time.RFC3339)}
	case statement.StandingChanged:
		return []string{strconv.Itoa(s.Number)}
	}
	// The facts about an entity are stated by their own rooms, under identifiers of their own.
	panic("escalation: a " + string(s.Kind()) + " is no decision about a reseller")
}
