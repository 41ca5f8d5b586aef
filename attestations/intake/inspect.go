package intake

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/ledger"
	"github.com/cipgate/cipgate/attestations/statement"
)

// Inspection is what Accept would find, all of it at once, were a submission sent now.
type Inspection struct {
	Problems []envelope.Problem
	// Signed says that the signature holds: who asks is who states.
	Signed bool
	// Duplicate says that the same was accepted before: sent again, it is answered with its first receipt and changes
	// nothing.
	Duplicate bool
	// Entry is how the statement would stand in the ledger, but for its leaf index and digest; zero if there is any problem.
	Entry statement.Entry
}

// Inspect is the dry run of Accept. It stores nothing, and takes nothing of the issuer's rate. To whoever cannot sign
// for the issuer it tells no more than Accept: of the issuer and its keys, the one fault that Accept would answer; what
// the issuer may state and has stated before, only after the signature held. Everything else follows from what was sent,
// the time, and what is published. Errors are ErrBusy, the store's, or those of Issuers that are no fault of the token.
func (r *Road) Inspect(ctx context.Context, raw []byte) (Inspection, error) {
	if err := r.queue(ctx); err != nil {
		return Inspection{}, err
	}
	defer r.leave()
	seen := envelope.Inspect(raw, r.terms())
	found := Inspection{Problems: seen.Problems}
	if seen.Issuer != "" {
		if err := found.ask(ctx, r, seen); err != nil {
			return Inspection{}, err
		}
	}
	letters, err := found.open(ctx, r, seen, found.read(r, seen), raw)
	if err != nil {
		return Inspection{}, err
	}
	for _, l := range letters {
		if err := errors.Join(found.meets(ctx, r, l), found.speaks(ctx, r, l)); err != nil {
			return Inspection{}, err
		}
	}
	found.enter(r, seen)
	for _, l := range letters {
		if found.Signed && len(found.Problems) == 0 {
			if err := found.stands(ctx, r, l); err != nil {
				return Inspection{}, err
			}
		}
	}
	return found, nil
}

// InspectClaims is the dry run of claims that nobody has signed yet: of their form alone, since nobody has proved who
// asks.
func (r *Road) InspectClaims(ctx context.Context, claims []byte) (Inspection, error) {
	if err := r.queue(ctx); err != nil {
		return Inspection{}, err
	}
	defer r.leave()
	seen := envelope.InspectClaims(claims, r.terms())
	found := Inspection{Problems: seen.Problems}
	letters, err := found.open(ctx, r, seen, found.read(r, seen), nil)
	if err != nil {
		return Inspection{}, err
	}
	for _, l := range letters {
		if err := found.speaks(ctx, r, l); err != nil {
			return Inspection{}, err
		}
	}
	found.enter(r, seen)
	return found, nil
}

// ask looks at who says it: the issuer, its key, the signature, and what it may state.
func (i *Inspection) ask(ctx context.Context, r *Road, seen envelope.Inspected) error {
	keys, err := r.Issuers.Keys(ctx, seen.Issuer)
	if err != nil {
		return i.add(err, "RFC 8935, section 2.4, invalid_issuer")
	}
	faults := seen.Signature(keys)
	i.Problems = append(i.Problems, faults...)
	i.Signed = seen.Signable() && len(faults) == 0
	if kind, known := statement.KindOf(seen.Claims.EventURI); known && i.Signed && seen.Readable {
		if err := r.Issuers.MayState(ctx, seen.Issuer, kind); errors.Is(err, ErrIssuer) {
			return i.add(err, "RFC 8935, section 2.4, invalid_issuer")
		} else if err != nil {
			return i.add(err, "RFC 8935, section 2.4, access_denied")
		}
	}
	return nil
}

// add takes a fault in; what is none is the gateway's own error.
func (i *Inspection) add(err error, source string) error {
	fault := (*envelope.Fault)(nil)
	if !errors.As(err, &fault) {
		return err
	}
	i.Problems = append(i.Problems, envelope.Problem{Fault: fault, Source: source})
	return nil
}

// read looks at what the statement says, if its claims could be read. A place that the envelope found wrong is not told
// twice. The statement is nil if there is none to look into.
func (i *Inspection) read(r *Road, seen envelope.Inspected) statement.Statement {
	if !seen.Readable {
		return nil
	}
	kind, known := statement.KindOf(seen.Claims.EventURI)
	if known && kind.ByGateway() {
		if !slices.ContainsFunc(i.Problems, func(p envelope.Problem) bool { return errors.Is(p.Reason, ErrMayNot) }) {
			i.Problems = append(i.Problems, envelope.Problem{Source: "RFC 8935, section 2.4, access_denied",
				Fault: &envelope.Fault{Reason: ErrMayNot, Pointer: "/claims/events", Wanted: "an event type that a reseller states", Got: kind.URI(),
					Fix: "Only the gateway states events of this type. The types a reseller may state are listed in the integrator's guide at /docs."}})
		}
		return nil
	}
	said, problems := statement.Inspect(seen.Claims)
	for _, p := range problems {
		if !slices.ContainsFunc(seen.Problems, func(q envelope.Problem) bool { return strings.HasPrefix(q.Pointer+"/", p.Pointer+"/") }) {
			i.Problems = append(i.Problems, p)
		}
	}
	if said == nil {
		return nil
	}
	i.Problems = append(i.Problems, r.Content.problems(said)...)
	return said
}

// enter says how the statement would stand, if nothing is wrong.
func (i *Inspection) enter(r *Road, seen envelope.Inspected) {
	if len(i.Problems) > 0 {
		return
	}
	said, _ := statement.Inspect(seen.Claims)
	if about, err := statement.About(seen.Claims); err == nil && said != nil {
		i.Entry = statement.Entry{AcceptedAt: r.Now(), About: about, By: seen.Issuer, Customer: seen.Claims.Subject.ID,
			JTI: seen.Claims.JTI, Statement: said}
	}
}

// letter is a token that is looked at: the one that was sent, or one inside it.
type letter struct {
	at     string // where it stands in the one that was sent
	claims envelope.Claims
	raw    []byte
	said   statement.Statement // nil if it could not be read
	signed bool                // by its issuer, and so was everything around it
}

// open looks at what was forwarded in a token, however deep. Of whose it is, and whether its signature holds, it asks only
// once the signature of whoever forwards it held.
func (i *Inspection) open(ctx context.Context, r *Road, seen envelope.Inspected, said statement.Statement, raw []byte) ([]letter, error) {
	letters, hops, known := []letter{{claims: seen.Claims, raw: raw, said: said, signed: i.Signed}}, chain{issuers: []envelope.Entity{seen.Issuer}}, i.Signed
	for said != nil && said.Kind() == statement.KindForwarded {
		forwarded := said.(statement.Forwarded)
		if wrong := r.Content.mayHold(forwarded, len(letters)); wrong != nil {
			i.inside(hops.at(), *wrong)
			return letters, nil //nolint:nilerr // a fault of the token is told in the inspection, not an error of looking
		}
		hops.forwarded = append(hops.forwarded, forwarded)
		part := Inspection{}
		inner, err := part.hop(ctx, r, seen.Issuer, forwarded, known)
		if err != nil {
			return nil, err
		}
		said, seen, known = part.read(r, inner), inner, part.Signed
		i.inside(hops.at(), part.Problems...)
		letters = append(letters, letter{at: hops.at(), claims: inner.Claims, raw: []byte(forwarded.Set), said: said, signed: known})
		hops.issuers = append(hops.issuers, inner.Issuer)
	}
	if slices.Contains(hops.issuers, "") { // one could not be read, which is told
		return letters, nil
	}
	for _, err := range hops.paths() {
		if err := i.add(err, "ours, not in the rule; /schemas/forwarded.v1.json"); err != nil {
			return nil, err
		}
	}
	return letters, nil
}

// hop looks at the form of what an issuer forwards, and at who says it if whoever asks may know.
func (i *Inspection) hop(ctx context.Context, r *Road, superior envelope.Entity, forwarded statement.Forwarded, mayKnow bool) (envelope.Inspected, error) {
	terms, raw := r.terms(), []byte(forwarded.Set)
	if parsed, err := envelope.Parse(raw); err == nil {
		terms = r.innerTerms(parsed, superior)
	}
	seen := envelope.Inspect(raw, terms)
	for _, p := range seen.Problems {
		if err := i.add(r.audience(p.Fault), p.Source); err != nil {
			return seen, err
		}
	}
	if seen.Issuer != "" && mayKnow {
		err := r.below(ctx, superior, seen.Issuer)
		if err != nil {
			err = i.add(err, "RFC 8935, section 2.4, invalid_issuer")
		} else {
			err = i.ask(ctx, r, seen)
		}
		if err != nil {
			return seen, err
		}
	}
	if !seen.Readable {
		return seen, nil
	}
	if err := r.signedBefore(seen.Claims, forwarded.ReceivedAt); err != nil {
		return seen, i.add(err, "ours, not in the rule; /schemas/forwarded.v1.json")
	}
	return seen, nil
}

// inside takes problems in at their place in the token that was sent.
func (i *Inspection) inside(at string, problems ...envelope.Problem) {
	for _, p := range problems {
		told := *p.Fault
		told.Pointer = at + told.Pointer
		i.Problems = append(i.Problems, envelope.Problem{Fault: &told, Source: p.Source})
	}
}

// stands looks for what was stated under the same jti.
func (i *Inspection) stands(ctx context.Context, r *Road, l letter) error {
	_, err := r.Ledger.Stated(ctx, l.claims.Issuer, l.claims.JTI, l.raw)
	switch twin := (*ledger.TwinError)(nil); {
	case errors.Is(err, ledger.ErrNotFound):
		return nil
	case errors.As(err, &twin):
		told := &envelope.Fault{Reason: ledger.ErrTwin, Pointer: "/claims/jti", Wanted: "a jti that you have not used for another statement",
			Got: "one that stands in the ledger with other claims", Fix: "Use a new jti for a new statement."}
		if l.at != "" {
			told = innerTwin()
		}
		i.Entry = statement.Entry{}
		i.inside(l.at, envelope.Problem{Source: "RFC 7519, section 4.1.7; RFC 8935, section 2", Fault: told})
		return nil
	}
	if l.at == "" {
		i.Duplicate = err == nil
	}
	return err
}
