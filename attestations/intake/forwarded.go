package intake

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/ledger"
	"github.com/cipgate/cipgate/attestations/statement"
)

// Whoever has resellers of its own may forward what they state: wrapped unchanged, so that their signature holds (protocol.md,
// "Federation"). What is inside goes the road of a submission itself, and is appended in the same call as what it came in: both stand
// or neither. So a superior can neither put words into a subordinate's mouth nor bring those of somebody else's (threats.md,
// "malicious intermediate reseller"), and the subordinate may push the same itself: it stands once.

// read looks at what a submission says, and at what was forwarded in it, however deep. It returns all the sets, each inside the one
// before. Errors are as of Accept, with pointers that start at the outermost token.
func (r *Road) read(ctx context.Context, outer envelope.Verified) ([]envelope.Verified, error) {
	said, err := r.say(ctx, outer)
	if err != nil {
		return nil, err
	}
	sets, hops := []envelope.Verified{outer}, chain{issuers: []envelope.Entity{outer.Claims().Issuer}}
	for said.Kind() == statement.KindForwarded {
		forwarded := said.(statement.Forwarded)
		if wrong := r.Content.mayHold(forwarded, len(sets)); wrong != nil {
			return nil, within(hops.at(), wrong.Fault)
		}
		hops.forwarded = append(hops.forwarded, forwarded)
		inner, err := r.opened(ctx, sets[len(sets)-1], forwarded)
		if err != nil {
			return nil, within(hops.at(), err)
		}
		if said, err = r.say(ctx, inner); err != nil {
			return nil, within(hops.at(), err)
		}
		sets, hops.issuers = append(sets, inner), append(hops.issuers, inner.Claims().Issuer)
	}
	if wrong := hops.paths(); len(wrong) > 0 {
		return nil, wrong[0]
	}
	return sets, nil
}

// say reads a statement, and holds it against what the policy asks for and of whom its issuer may speak.
func (r *Road) say(ctx context.Context, v envelope.Verified) (statement.Statement, error) {
	said, err := statement.Decode(v)
	if err != nil {
		return nil, err
	}
	if wrong := r.Content.problems(said); len(wrong) > 0 {
		return nil, wrong[0].Fault
	}
	if err := r.speaks(ctx, v.Claims(), said); err != nil {
		return nil, err
	}
	return said, nil
}

// opened verifies what an issuer forwards.
func (r *Road) opened(ctx context.Context, outer envelope.Verified, forwarded statement.Forwarded) (envelope.Verified, error) {
	parsed, err := envelope.Parse([]byte(forwarded.Set))
	if err != nil {
		return envelope.Verified{}, err
	}
	superior := outer.Claims().Issuer
	if err := r.below(ctx, superior, parsed.Issuer()); err != nil {
		return envelope.Verified{}, err
	}
	keys, err := r.Issuers.Keys(ctx, parsed.Issuer())
	if err != nil {
		return envelope.Verified{}, err
	}
	verified, err := r.verifyInner(ctx, parsed, keys, superior)
	if err != nil {
		return envelope.Verified{}, err
	}
	claims := verified.Claims()
	if err := r.signedBefore(claims, forwarded.ReceivedAt); err != nil {
		return envelope.Verified{}, err
	}
	if kind, known := statement.KindOf(claims.EventURI); known {
		return verified, r.Issuers.MayState(ctx, claims.Issuer, kind)
	}
	return verified, nil
}

// below refuses what an entity forwards of one that is not its subordinate. Whether that one is somebody else's or not enrolled at
// all is not told.
func (r *Road) below(ctx context.Context, superior, issuer envelope.Entity) error {
	of, err := r.Issuers.Superior(ctx, issuer)
	if err != nil && !errors.Is(err, ErrIssuer) {
		return err
	}
	if err != nil || of != superior {
		return &envelope.Fault{Reason: ErrIssuer, Pointer: "/claims/iss", Wanted: "an entity that is enrolled here with the one that forwards as its superior",
			Got: "another", Fix: "Forward only what those right below you signed, as it came: whoever is further down is forwarded by its own superior first."}
	}
	return nil
}

func (r *Road) verifyInner(ctx context.Context, parsed envelope.Parsed, keys envelope.Keys, superior envelope.Entity) (envelope.Verified, error) {
	if err := r.queue(ctx); err != nil {
		return envelope.Verified{}, err
	}
	defer r.leave()
	verified, err := parsed.Verify(keys, r.innerTerms(parsed, superior))
	return verified, r.audience(err)
}

// innerTerms are the gateway's, but that what was forwarded may be meant for the superior that forwards it.
func (r *Road) innerTerms(parsed envelope.Parsed, superior envelope.Entity) envelope.Terms {
	terms := r.terms()
	claims, err := parsed.Claims() // what is wrong with them is told after the signature held
	if err == nil && !slices.Contains(claims.Audience, string(terms.Audience)) && slices.Contains(claims.Audience, string(superior)) {
		terms.Audience = superior
	}
	return terms
}

// audience words the refusal of a forwarded token that is meant for neither.
func (r *Road) audience(err error) error {
	fault := (*envelope.Fault)(nil)
	if !errors.As(err, &fault) || !errors.Is(fault.Reason, envelope.ErrAudience) {
		return err
	}
	told := *fault
	told.Wanted = fmt.Sprintf("%q, or the entity that forwards", string(r.Audience))
	told.Fix = "Have it signed again with one of the two as aud."
	return &told
}

// signedBefore refuses what was forwarded before it was signed. How long it lay with the superior is no reason to refuse it, as long
// as its iat is in time; that is on record.
func (r *Road) signedBefore(inner envelope.Claims, receivedAt time.Time) error {
	if !inner.IssuedAt.After(receivedAt.Add(r.MaxAhead)) {
		return nil
	}
	return &envelope.Fault{Reason: envelope.ErrMalformed, Pointer: "/claims/iat", Wanted: "a time that is not after received_at of what it came in",
		Got: "a later one", Fix: "Write into received_at when the SET came in; and set both clocks."}
}

// mayHold refuses what this gateway cannot open, or will not: hops is how often it was wrapped.
func (c Content) mayHold(f statement.Forwarded, hops int) *envelope.Problem {
	if f.JWE != "" {
		return &envelope.Problem{Source: "RFC 7516; ours, not in the rule", Fault: &envelope.Fault{Reason: envelope.ErrMalformed,
			Pointer: inEvent(f, "jwe"), Wanted: "an open SET in the member set", Got: "a sealed one",
			Fix: "This gateway publishes no key to seal to, so it cannot open what is sealed. Forward the SET as it was signed."}}
	}
	if hops > c.MaxPathLength.Most {
		return &envelope.Problem{Source: "policy intake.max_path_length: " + c.MaxPathLength.Source, Fault: &envelope.Fault{Reason: envelope.ErrMalformed,
			Pointer: inEvent(f, "set"), Wanted: fmt.Sprintf("a SET that was forwarded %d times at most", c.MaxPathLength.Most),
			Got: "one that was forwarded more often", Fix: "Ask the provider how deep resale may go: its policy says so."}}
	}
	return nil
}

// inside is the way from a token into the one that is wrapped in it.
var inside = inEvent(statement.Forwarded{}, "set")

// within puts a fault into its place in the outermost token.
func within(at string, err error) error {
	fault := (*envelope.Fault)(nil)
	if at == "" || !errors.As(err, &fault) {
		return err
	}
	told := *fault
	told.Pointer = at + told.Pointer
	return &told
}

// chain is who wrapped whose SET: the first of the issuers forwarded what the second signed, and so on.
type chain struct {
	issuers   []envelope.Entity
	forwarded []statement.Forwarded
}

// at is where in the outermost token the last SET that was forwarded stands.
func (c chain) at() string { return strings.Repeat(inside, len(c.forwarded)) }

// paths holds each stated path against the hops that the signatures prove: who signed first, and who wrapped that, up to whoever
// wrapped what this one wraps.
func (c chain) paths() []error {
	var all []error
	for i, forwarded := range c.forwarded {
		if err := pathFits(forwarded, c.issuers[i+1:]); err != nil {
			all = append(all, within(strings.Repeat(inside, i), err))
		}
	}
	return all
}

// pathFits is paths for one hop; through are the issuers of what is inside, the innermost last.
func pathFits(f statement.Forwarded, through []envelope.Entity) error {
	if f.Path == nil {
		return nil
	}
	stated := slices.Clone(f.Path)
	slices.Reverse(stated)
	if slices.Equal(stated, through) {
		return nil
	}
	return &envelope.Fault{Reason: envelope.ErrMalformed, Pointer: inEvent(f, "path"), Wanted: "the issuers of the SETs inside, the innermost first",
		Got: "another list", Fix: "Leave path out, or name who signed the innermost SET and then each that wrapped it, without yourself."}
}

// notAppended words why the ledger did not take a submission's sets: where it is because of one inside, that is named.
func notAppended(sets []envelope.Verified, err error) error {
	twin := (*ledger.TwinError)(nil)
	if errors.As(err, &twin) {
		for i, set := range sets {
			if claims := set.Claims(); i > 0 && claims.Issuer == twin.Issuer && claims.JTI == twin.JTI {
				return within(strings.Repeat(inside, i), innerTwin())
			}
		}
	}
	return fmt.Errorf("appending the submission: %w", err)
}

func innerTwin() *envelope.Fault {
	return &envelope.Fault{Reason: ledger.ErrTwin, Pointer: "/claims/jti", Wanted: "a jti that its issuer has not used for another statement",
		Got: "one that stands in the ledger with other claims", Fix: "What stands came first, perhaps from the issuer itself. Ask the issuer which of the two it means; nothing of this was stored."}
}
