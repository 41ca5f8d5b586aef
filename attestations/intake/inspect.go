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
	found.read(r, seen)
	if found.Signed && len(found.Problems) == 0 {
		if err := found.stands(ctx, r, seen.Claims, raw); err != nil {
			return Inspection{}, err
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
	found.read(r, seen)
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
		if err := r.Issuers.MayState(ctx, seen.Issuer, kind); err != nil {
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
// twice.
func (i *Inspection) read(r *Road, seen envelope.Inspected) {
	if !seen.Readable {
		return
	}
	kind, known := statement.KindOf(seen.Claims.EventURI)
	if known && kind.ByGateway() {
		if !slices.ContainsFunc(i.Problems, func(p envelope.Problem) bool { return errors.Is(p.Reason, ErrMayNot) }) {
			i.Problems = append(i.Problems, envelope.Problem{Source: "RFC 8935, section 2.4, access_denied",
				Fault: &envelope.Fault{Reason: ErrMayNot, Pointer: "/claims/events", Wanted: "an event type that a reseller states", Got: kind.URI(),
					Fix: "Only the gateway states events of this type. The types a reseller may state are listed in the integrator's guide at /docs."}})
		}
		return
	}
	said, problems := statement.Inspect(seen.Claims)
	for _, p := range problems {
		if !slices.ContainsFunc(seen.Problems, func(q envelope.Problem) bool { return strings.HasPrefix(q.Pointer+"/", p.Pointer+"/") }) {
			i.Problems = append(i.Problems, p)
		}
	}
	if about, err := statement.About(seen.Claims); len(i.Problems) == 0 && err == nil {
		i.Entry = statement.Entry{AcceptedAt: r.Now(), About: about, By: seen.Issuer, Customer: seen.Claims.Subject.ID,
			JTI: seen.Claims.JTI, Statement: said}
	}
}

// stands looks for what was stated under the same jti.
func (i *Inspection) stands(ctx context.Context, r *Road, claims envelope.Claims, raw []byte) error {
	_, err := r.Ledger.Stated(ctx, claims.Issuer, claims.JTI, raw)
	switch twin := (*ledger.TwinError)(nil); {
	case errors.Is(err, ledger.ErrNotFound):
		return nil
	case errors.As(err, &twin):
		i.Entry = statement.Entry{}
		i.Problems = append(i.Problems, envelope.Problem{Source: "RFC 7519, section 4.1.7; RFC 8935, section 2",
			Fault: &envelope.Fault{Reason: ledger.ErrTwin, Pointer: "/claims/jti", Wanted: "a jti that you have not used for another statement",
				Got: "one that stands in the ledger with other claims", Fix: "Use a new jti for a new statement."}})
		return nil
	}
	i.Duplicate = err == nil
	return err
}
