package statement

import (
	"errors"
	"fmt"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/cipgate/cipgate/attestations/envelope"
)

// ErrNotErasable says that a statement is one of those that the gateway itself runs on: keys, decisions, policies.
var ErrNotErasable = errors.New("only what an entity stated, or a person over a link, can be erased")

// Erased stands where a name or a text stood that was erased.
const Erased = "erased"

// erasedEmail stands where an address stood. The domain can never exist (RFC 2606, section 2).
const erasedEmail = "erased@erased.invalid"

// erasedSet stands where a SET stood that was forwarded. It has the form of a compact JWS and says nothing.
const erasedSet = "e30.e30.AA"

// residue is what is left of a statement when it is erased: whom it concerned, under which jti, and the facts that standing rests
// on, so that folding the ledger again gives the same. Its signature cannot be checked any more; that it once was, the log proves.
type residue struct {
	Issuer   envelope.Entity `json:"iss"`
	About    envelope.Entity `json:"about,omitzero"` // of what a person stated over a link, which the gateway signed: the reseller
	JTI      string          `json:"jti"`
	EventURI string          `json:"event"`
	Customer string          `json:"customer,omitzero"` // the reseller's opaque id, which names nobody without the reseller's records
	Facts    jsontext.Value  `json:"facts"`
}

// Residue is what remains of a compact JWS when names, addresses, contacts and free text are erased from it. Errors are
// ErrNotErasable for what the gateway states, and those of a token that cannot be read.
func Residue(raw []byte) ([]byte, error) {
	parsed, err := envelope.Parse(raw)
	if err != nil {
		return nil, fmt.Errorf("statement: erase: %w", err)
	}
	claims, err := parsed.Claims()
	if err != nil {
		return nil, fmt.Errorf("statement: erase: %w", err)
	}
	entry, err := entryOf(0, claims.IssuedAt, claims, parsed.Digest(), nil)
	if err != nil {
		return nil, fmt.Errorf("statement: erase: %w", err)
	}
	facts, err := withoutPersons(entry.Statement)
	if err != nil {
		return nil, err
	}
	left := residue{Issuer: claims.Issuer, JTI: claims.JTI, EventURI: claims.EventURI, Customer: entry.Customer}
	if entry.About != entry.By {
		left.About = entry.About
	}
	if left.Facts, err = json.Marshal(facts); err != nil {
		return nil, fmt.Errorf("statement: write what is left of a %s: %w", entry.Statement.Kind(), err)
	}
	text, err := json.Marshal(left)
	if err != nil {
		return nil, fmt.Errorf("statement: write what is left of a %s: %w", entry.Statement.Kind(), err)
	}
	return text, nil
}

// Erasable is true for what may name people and is erased when it has had its time: what entities state, and what a person states over a
// link. What the gateway decides never is.
func (k Kind) Erasable() bool { return !k.ByGateway() || k == KindStatedByLink }

// IsResidue says whether a body is what Residue wrote, and not a compact JWS.
func IsResidue(body []byte) bool { return len(body) > 0 && body[0] == '{' }

// ofResidue is the entry that a residue stands for.
func ofResidue(body []byte) (e Entry, err error) {
	var left residue
	if err := json.Unmarshal(body, &left, strict); err != nil {
		return Entry{}, fmt.Errorf("what is left of an erased statement cannot be read: %w", err)
	}
	kind, known := KindOf(left.EventURI)
	if !known || !kind.Erasable() {
		return Entry{}, unknownEvent(left.EventURI)
	}
	about := left.Issuer
	if kind.ByGateway() {
		if about = left.About; about == "" {
			return Entry{}, fmt.Errorf("what is left of a %s cannot be read: it does not say about whom it was", kind)
		}
	}
	e = Entry{About: about, By: left.Issuer, JTI: left.JTI, Customer: left.Customer, Erased: true}
	if e.Statement, err = forms[kind].decode(left.Facts); err != nil {
		return Entry{}, fmt.Errorf("what is left of a %s cannot be read: %w", kind, err)
	}
	return e, nil
}

// withoutPersons keeps the facts: results, days, countries, digests, opaque ids. It keeps the form too, so that a statement without
// persons still fits its schema.
func withoutPersons(s Statement) (Statement, error) {
	switch s := s.(type) {
	case CIPAttestation:
		return s.withoutPersons(), nil
	case CustomerVerification:
		s.Identity = nil
		return s, nil
	case AccountStatus:
		return s, nil
	case SuspiciousActivity:
		s.Description = Erased
		s.Disclosures = append([]Disclosure(nil), s.Disclosures...)
		for i := range s.Disclosures {
			s.Disclosures[i].Reference = ""
		}
		return s, nil
	case AITraining:
		s.Practices, s.WeightSecurity = erasedIf(s.Practices), erasedIf(s.WeightSecurity)
		s.Fields = append([]Field(nil), s.Fields...)
		for i := range s.Fields {
			s.Fields[i].Value = Erased
		}
		return s, nil
	case Remediation:
		s.Text = Erased
		return s, nil
	case StatedByLink:
		s.Remediation.Text = Erased // what a person typed; who it was the statement does not say
		return s, nil
	case OrderConfirmation:
		s.Reason = erasedIf(s.Reason)
		return s, nil
	case Forwarded:
		s.Set, s.JWE = erasedSet, "" // what was inside stands as an entry of its own, and is erased there
		return s, nil
	}
	return nil, fmt.Errorf("%w: this is a %s", ErrNotErasable, s.Kind())
}

func (a CIPAttestation) withoutPersons() CIPAttestation {
	a.ResponsibleContact = Contact{Name: Erased, Email: erasedEmail}
	if a.Elements != nil {
		elements := *a.Elements
		elements.withoutNotes()
		a.Elements = &elements
	}
	a.MaterialChanges = append([]MaterialChange(nil), a.MaterialChanges...)
	for i := range a.MaterialChanges {
		a.MaterialChanges[i].What = Erased
	}
	return a
}

func (e *Elements) withoutNotes() {
	for _, element := range []*Element{
		&e.WrittenProgram, &e.IdentificationData, &e.AccessAddresses, &e.IdentityVerification, &e.BeneficialOwners, &e.UnverifiedNoAccount,
		&e.UnverifiedLimitedUse, &e.UnverifiedClosure, &e.UnverifiedRedress, &e.Reverification, &e.RecordRetention, &e.CustomerDisclosure,
		&e.ThirdPartyAccess, &e.AIMisuse, &e.RedFlags,
	} {
		element.Note = ""
	}
	if e.ResellerOversight != nil {
		e.ResellerOversight = &Element{InPlace: e.ResellerOversight.InPlace}
	}
}

func erasedIf(text string) string {
	if text == "" {
		return ""
	}
	return Erased
}
