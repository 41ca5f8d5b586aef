// Package statement answers one question: what does a Security Event Token say?
//
// Decode gives the event inside a verified token its type, strictly: every member known, of its type, inside its
// bounds, and the dates in an order that can be true. Recall does the same for an entry read back from the ledger.
// What is refused is worded by the kind's JSON Schema, the same file that integrators read (schemas/), so the refusal
// and the documentation cannot differ.
//
// It does not decide who may state a kind (package intake), nor what a statement is worth (resellers/findings): an
// attestation that says "not in place" is as well formed as any other.
package statement

import (
	"fmt"
	"time"

	"github.com/cipgate/cipgate/attestations/envelope"
)

// Statement is the typed content of a SET: one of this package's structs, by value.
type Statement interface {
	Kind() Kind
}

// Basis says from what a decision of the gateway was made, so that anybody can make it again: the policy's version,
// the last entry about that entity that was seen, and the time it was judged at.
type Basis struct {
	Policy string    `json:"policy"` // such as us-iaas-2024.1
	Seen   int64     `json:"seen"`   // leaf index, -1 when there was none
	Now    time.Time `json:"now"`
}

// Entry is a statement in the ledger.
type Entry struct {
	LeafIndex  int64
	AcceptedAt time.Time // when the ledger took it: lateness counts from here, never from what the statement says
	About      envelope.Entity
	By         envelope.Entity // the issuer: the entity itself, or the gateway
	JTI        string
	Digest     envelope.Digest
	Statement  Statement
}

// Decode reads what a verified token says. Errors are *envelope.Fault with envelope.ErrMalformed; their pointer starts
// at /claims, and they never repeat a value that was sent.
func Decode(v envelope.Verified) (Statement, error) {
	claims := v.Claims()
	kind, known := KindOf(claims.EventURI)
	if !known {
		return nil, unknownEvent(claims.EventURI)
	}
	if _, err := About(claims); err != nil {
		return nil, err
	}
	s, err := read(kind, claims.Event)
	if err != nil {
		return nil, err
	}
	if err := check(s, claims); err != nil {
		return nil, err
	}
	return s, nil
}

// Recall reads an entry back from the ledger. Signature, audience and time were checked when it was accepted, and the
// keys of then may be gone, so they are not asked for again. An error says that the ledger holds what this version of
// the program cannot read, and the fold must stop rather than pass over a fact.
func Recall(leafIndex int64, acceptedAt time.Time, raw []byte) (Entry, error) {
	parsed, err := envelope.Parse(raw)
	if err != nil {
		return Entry{}, fmt.Errorf("statement: recall entry %d: %w", leafIndex, err)
	}
	claims, err := parsed.Claims()
	if err != nil {
		return Entry{}, fmt.Errorf("statement: recall entry %d: %w", leafIndex, err)
	}
	kind, known := KindOf(claims.EventURI)
	if !known {
		return Entry{}, fmt.Errorf("statement: recall entry %d: %w", leafIndex, unknownEvent(claims.EventURI))
	}
	about, err := About(claims)
	if err != nil {
		return Entry{}, fmt.Errorf("statement: recall entry %d: %w", leafIndex, err)
	}
	s, err := forms[kind].decode(claims.Event)
	if err != nil {
		return Entry{}, fmt.Errorf("statement: recall entry %d: a %s that this version cannot read: %w", leafIndex, kind, err)
	}
	return Entry{
		LeafIndex:  leafIndex,
		AcceptedAt: acceptedAt,
		About:      about,
		By:         claims.Issuer,
		JTI:        claims.JTI,
		Digest:     parsed.Digest(),
		Statement:  s,
	}, nil
}

// About returns the entity that a token is about. A submission is about its issuer; if it names a subject, that must
// be the issuer (streams of Shared Signals 1.0 always name one). A statement of the gateway names the entity as
// {"format": "uri"} (RFC 9493, section 3.2.7). Errors are *envelope.Fault.
func About(c envelope.Claims) (envelope.Entity, error) {
	kind, known := KindOf(c.EventURI)
	if !known {
		return "", unknownEvent(c.EventURI)
	}
	if !kind.ByGateway() {
		if c.Subject == (envelope.Subject{}) || c.Subject == aboutIssuer(c.Issuer) {
			return c.Issuer, nil
		}
		return "", &envelope.Fault{
			Reason:  envelope.ErrMalformed,
			Pointer: "/claims/sub_id",
			Wanted:  "no sub_id, or the issuer itself as {\"format\": \"uri\", \"uri\": iss}",
			Got:     "another subject",
			Fix:     "Leave sub_id out: a " + string(kind) + " is about the entity that signs it.",
		}
	}
	about, err := envelope.ParseEntity(c.Subject.URI)
	if err != nil || c.Subject.Format != "uri" {
		return "", &envelope.Fault{
			Reason:  envelope.ErrMalformed,
			Pointer: "/claims/sub_id",
			Wanted:  "the entity that the statement is about as {\"format\": \"uri\", \"uri\": entity identifier}",
			Got:     subjectWords(c.Subject),
			Fix:     "Name the entity by its entity identifier (RFC 9493, section 3.2.7).",
		}
	}
	return about, nil
}

func aboutIssuer(e envelope.Entity) envelope.Subject {
	return envelope.Subject{Format: "uri", URI: string(e)}
}

func subjectWords(s envelope.Subject) string {
	switch s.Format {
	case "":
		return "no sub_id"
	case "uri":
		return "a URI that is no entity identifier"
	default:
		return "a subject of another format"
	}
}
