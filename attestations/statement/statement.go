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
	Customer   string          // the entity's own opaque id of its customer that is meant; empty if none is
	JTI        string
	Digest     envelope.Digest
	Statement  Statement
	Erased     bool // names, contacts and free text were erased, so the token itself is gone (Residue)
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
	if wrong := check(s, claims); len(wrong) > 0 {
		return nil, wrong[0]
	}
	v.Keep(s)
	return s, nil
}

// Recall reads an entry back from the ledger: body is the compact JWS with this digest, or what Residue left of it. Signature,
// audience and time were checked when it was accepted, and the keys of then may be gone, so they are not asked for again. An error
// says that the ledger holds what this version of the program cannot read, and the fold must stop rather than pass over a fact.
func Recall(leafIndex int64, acceptedAt time.Time, digest envelope.Digest, body []byte) (Entry, error) {
	if IsResidue(body) {
		e, err := ofResidue(body)
		if err != nil {
			return Entry{}, fmt.Errorf("statement: recall entry %d: %w", leafIndex, err)
		}
		e.LeafIndex, e.AcceptedAt, e.Digest = leafIndex, acceptedAt, digest
		return e, nil
	}
	parsed, err := envelope.Parse(body)
	if err != nil {
		return Entry{}, fmt.Errorf("statement: recall entry %d: %w", leafIndex, err)
	}
	claims, err := parsed.Claims()
	if err != nil {
		return Entry{}, fmt.Errorf("statement: recall entry %d: %w", leafIndex, err)
	}
	return entryOf(leafIndex, acceptedAt, claims, digest, nil)
}

// Remember is Recall for a token that this process has just verified and committed: it gives the same entry, without reading the
// token again.
func Remember(leafIndex int64, acceptedAt time.Time, v envelope.Verified) (Entry, error) {
	said, _ := v.Kept().(Statement) // Decode keeps it
	return entryOf(leafIndex, acceptedAt, v.Claims(), v.Digest(), said)
}

// entryOf is the entry of a token. said is what it says, nil if that is still to be read.
func entryOf(leafIndex int64, acceptedAt time.Time, claims envelope.Claims, digest envelope.Digest, said Statement) (Entry, error) {
	kind, known := KindOf(claims.EventURI)
	if !known {
		return Entry{}, fmt.Errorf("statement: recall entry %d: %w", leafIndex, unknownEvent(claims.EventURI))
	}
	about, err := About(claims)
	if err != nil {
		return Entry{}, fmt.Errorf("statement: recall entry %d: %w", leafIndex, err)
	}
	if said == nil {
		said, err = forms[kind].decode(claims.Event)
	}
	if err != nil {
		return Entry{}, fmt.Errorf("statement: recall entry %d: a %s that this version cannot read: %w", leafIndex, kind, err)
	}
	return Entry{
		LeafIndex:  leafIndex,
		AcceptedAt: acceptedAt,
		About:      about,
		By:         claims.Issuer,
		Customer:   claims.Subject.ID,
		JTI:        claims.JTI,
		Digest:     digest,
		Statement:  said,
	}, nil
}
