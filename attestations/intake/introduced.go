package intake

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/statement"
)

// Customers says of which customers an entity has stated anything. The road asks it only where an account closes, and of nobody who
// cannot sign for the entity.
type Customers interface {
	// Introduced returns those of the customers that the entity has introduced (statement.Introduces) in anything that was committed
	// before the call, here or by another gateway. What was once introduced stays so.
	Introduced(ctx context.Context, of envelope.Entity, ids []string) (map[string]bool, error)
}

// named is what a set says of a customer.
type named struct {
	customer   statement.Customer
	introduces bool
	presumes   bool
}

// mayPresume tells by the types of its sets alone what most submissions are: of no account, so that they pay nothing.
func mayPresume(submission []envelope.Verified) bool {
	return slices.ContainsFunc(submission, func(set envelope.Verified) bool { return set.Claims().EventURI == accountStatus })
}

var accountStatus = statement.KindAccountStatus.URI()

// namedIn looks at one set.
func namedIn(set envelope.Verified) (named, error) {
	kind, known := statement.KindOf(set.Claims().EventURI)
	if !known || !statement.Introduces(kind) {
		return named{}, nil
	}
	entry, err := statement.Remember(0, time.Time{}, set)
	if err != nil {
		return named{}, fmt.Errorf("looking for the customer of a submission: %w", err)
	}
	return named{customer: statement.Customer{Of: entry.About, ID: entry.Customer}, introduces: true, presumes: statement.Presumes(entry.Statement)}, nil
}

// introduced says of each submission, in their order, why it is refused for the customer that it presumes; nil where it is not. What
// an earlier one of them introduces counts, unless that is refused itself: they are appended in one call, in this order.
func (r *Road) introduced(ctx context.Context, submissions [][]envelope.Verified) ([]error, error) {
	refused := make([]error, len(submissions))
	if r.Customers == nil || !slices.ContainsFunc(submissions, mayPresume) {
		return refused, nil
	}
	sets := make([][]named, len(submissions))
	before, unsure := map[statement.Customer]bool{}, map[envelope.Entity][]string{}
	for i, submission := range submissions {
		sets[i] = make([]named, len(submission))
		for j, set := range submission {
			n, err := namedIn(set)
			if err != nil {
				return nil, err
			}
			sets[i][j] = n
			switch {
			case n.presumes && !before[n.customer]:
				unsure[n.customer.Of] = append(unsure[n.customer.Of], n.customer.ID)
			case n.introduces:
				before[n.customer] = true
			}
		}
	}
	known, err := r.ask(ctx, unsure)
	if err != nil {
		return nil, err
	}
	for i := range sets {
		for j, n := range sets[i] {
			switch {
			case n.presumes && !known[n.customer]:
				refused[i] = within(strings.Repeat(inside, j), statement.NotIntroduced())
			case n.introduces:
				known[n.customer] = true
			}
		}
	}
	return refused, nil
}

func (r *Road) ask(ctx context.Context, unsure map[envelope.Entity][]string) (map[statement.Customer]bool, error) {
	known := map[statement.Customer]bool{}
	for entity, ids := range unsure {
		found, err := r.Customers.Introduced(ctx, entity, ids)
		if err != nil {
			return nil, fmt.Errorf("asking whether a customer was stated before: %w", err)
		}
		for id, introduced := range found {
			known[statement.Customer{Of: entity, ID: id}] = introduced
		}
	}
	return known, nil
}

// meets is introduced for the dry run: of one token, or of what is wrapped in it.
func (i *Inspection) meets(ctx context.Context, r *Road, l letter) error {
	if r.Customers == nil || l.said == nil || !l.signed || !statement.Presumes(l.said) {
		return nil
	}
	known, err := r.ask(ctx, map[envelope.Entity][]string{l.claims.Issuer: {l.claims.Subject.ID}})
	if err != nil {
		return err
	}
	fault := (*envelope.Fault)(nil)
	if !known[statement.Customer{Of: l.claims.Issuer, ID: l.claims.Subject.ID}] && errors.As(statement.NotIntroduced(), &fault) {
		i.inside(l.at, envelope.Problem{Fault: fault, Source: statement.NotIntroducedSource})
	}
	return nil
}
