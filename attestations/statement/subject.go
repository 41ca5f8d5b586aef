package statement

import (
	"github.com/cipgate/cipgate/attestations/envelope"
)

// About returns the entity that a token is about. A submission is about its issuer, also where it names a customer: the
// customer is the issuer's, and its id means something to the issuer alone; but for an order-confirmation of one of the provider's own
// systems, which names the reseller as the gateway does. A statement of the gateway names the entity as
// {"format": "uri"} (RFC 9493, section 3.2.7), itself where it is about the gateway as a whole. Errors are *envelope.Fault.
func About(c envelope.Claims) (envelope.Entity, error) {
	kind, known := KindOf(c.EventURI)
	if !known {
		return "", unknownEvent(c.EventURI)
	}
	if !kind.ByGateway() {
		if other, named := another(kind, c); named {
			return other, nil
		}
		if err := checkCustomer(kind, c); err != nil {
			return "", err
		}
		return c.Issuer, nil
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

// another is the reseller that a submission names beside its issuer, where its kind may name one. Whether the issuer may speak of it, this
// package does not know: intake asks (NotYours refuses).
func another(kind Kind, c envelope.Claims) (envelope.Entity, bool) {
	if !forms[kind].ofOthers || c.Subject.Format != "uri" || c.Subject == aboutIssuer(c.Issuer) {
		return "", false
	}
	about, err := envelope.ParseEntity(c.Subject.URI)
	return about, err == nil
}

// NotYours refuses a submission about somebody else than its issuer. It is nil for one that names nobody else.
func NotYours(c envelope.Claims) error {
	kind, _ := KindOf(c.EventURI)
	if _, named := another(kind, c); !named {
		return nil
	}
	return notAboutIssuer(kind)
}

func notAboutIssuer(kind Kind) *envelope.Fault {
	return &envelope.Fault{
		Reason:  envelope.ErrMalformed,
		Pointer: "/claims/sub_id",
		Wanted:  "no sub_id, or the issuer itself as {\"format\": \"uri\", \"uri\": iss}",
		Got:     "another subject",
		Fix:     "Leave sub_id out: a " + string(kind) + " is about the entity that signs it.",
	}
}

// checkCustomer holds a submission's sub_id against what its kind asks for. One that is about no customer may name its
// issuer, since streams of Shared Signals 1.0 always name a subject.
func checkCustomer(kind Kind, c envelope.Claims) error {
	rule := forms[kind].customer
	named := c.Subject.Format == "opaque"
	issuer := c.Subject == envelope.Subject{} || c.Subject == aboutIssuer(c.Issuer)
	if named && rule != noCustomer || issuer && rule != mustNameCustomer {
		return nil
	}
	f := notAboutIssuer(kind)
	const customer = "the customer as {\"format\": \"opaque\", \"id\": an id of your own}"
	switch rule {
	case mustNameCustomer:
		f.Wanted = customer
		f.Fix = "Name the customer by the id that you use for it in every statement, never by a name or a mail address."
		if c.Subject == (envelope.Subject{}) {
			f.Got = "no sub_id"
		}
	case mayNameCustomer:
		f.Wanted = customer + ", or no sub_id"
		f.Fix = "Leave sub_id out if no customer is known."
	case noCustomer:
	}
	return f
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
