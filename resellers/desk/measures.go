package desk

import (
	"context"
	"fmt"
	"reflect"
	"strings"

	"github.com/google/uuid"

	"github.com/cipgate/cipgate/attestations/ledger"
	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/resellers/docket"
	"github.com/cipgate/cipgate/resellers/policy"
	"github.com/cipgate/cipgate/resellers/screening"
)

// Imposed is a special measure as it was recorded.
type Imposed struct {
	Measure  screening.Measure
	Warnings []string // where it does not keep the rule's numbers and the policy lets it through
}

// Impose records a special measure, or another version of one: its extension. The same again changes nothing. Errors wrap ErrRefused
// or are the ledger's.
func (d *Desk) Impose(ctx context.Context, by statement.Officer, said statement.SpecialMeasureImposed) (Imposed, error) {
	if err := wellKnown(said.Scope); err != nil {
		return Imposed{}, err
	}
	for range attempts {
		measures, err := d.screener.Measures(ctx)
		if err != nil {
			return Imposed{}, err
		}
		if last, ok := lastOf(measures, said.Measure); ok && same(last, said) {
			return Imposed{Measure: last}, nil
		}
		warnings, err := d.outside(screening.Check(*d.numbers.Load(), measures, said))
		if err != nil {
			return Imposed{}, err
		}
		err = d.stateMeasure(ctx, by, measures, "special-measure.imposed", said.Measure, "As published: "+said.Source, said)
		if overtaken(err) {
			continue
		}
		if err != nil {
			return Imposed{}, err
		}
		if measures, err = d.screener.Measures(ctx); err != nil {
			return Imposed{}, err
		}
		last, _ := lastOf(measures, said.Measure)
		return Imposed{Measure: last, Warnings: warnings}, nil
	}
	return Imposed{}, fmt.Errorf("%w: read the special measures again and send it once more", ErrMoved)
}

// Lift records that a special measure no longer holds from a day on. Errors wrap ErrRefused or ErrNotFound, or are the ledger's.
func (d *Desk) Lift(ctx context.Context, by statement.Officer, said statement.SpecialMeasureLifted) (screening.Measure, error) {
	for range attempts {
		measures, err := d.screener.Measures(ctx)
		if err != nil {
			return screening.Measure{}, err
		}
		last, ok := lastOf(measures, said.Measure)
		switch {
		case !ok:
			return screening.Measure{}, fmt.Errorf("%w: GET /v1/special-measures lists the special measures", ErrNotFound)
		case last.Lifted:
			return screening.Measure{}, refused("lifted_on: wanted a measure that was not lifted, got one that was, to end at %s", last.Until.Format("2006-01-02"))
		case last.Over(d.now()):
			return screening.Measure{}, refused("lifted_on: wanted a measure that is in force or will be, got one that is over since %s", last.Until.Format("2006-01-02"))
		}
		err = d.stateMeasure(ctx, by, measures, "special-measure.lifted", said.Measure, said.Reason, said)
		if overtaken(err) {
			continue
		}
		if err != nil {
			return screening.Measure{}, err
		}
		if measures, err = d.screener.Measures(ctx); err != nil {
			return screening.Measure{}, err
		}
		last, _ = lastOf(measures, said.Measure)
		return last, nil
	}
	return screening.Measure{}, fmt.Errorf("%w: read the special measures again and send it once more", ErrMoved)
}

// stateMeasure appends what is said of a measure, and who said it, if nothing else was said of any measure since.
func (d *Desk) stateMeasure(ctx context.Context, by statement.Officer, measures screening.Measures, action, measure, reason string, said statement.Statement) error {
	name := fmt.Sprintf("urn:cipgate:%s:%s:%d", said.Kind(), measure, measures.Seen())
	stated, err := d.sign(d.self, uuid.NewSHA1(uuid.NameSpaceURL, []byte(name)).String(), said)
	if err != nil {
		return err
	}
	acted, err := d.sign(d.self, uuid.NewSHA1(uuid.NameSpaceURL, []byte(name+":action")).String(), statement.OfficerAction{
		Officer: by, Action: action, On: statement.Target{Type: "measure", ID: measure}, Reason: reason})
	if err != nil {
		return err
	}
	if _, err := d.ledger.AppendAfter(ctx, ledger.Seen{About: d.self.ID(), LeafIndex: measures.Seen()}, stated, acted); err != nil {
		return fmt.Errorf("recording a special measure: %w", err)
	}
	return nil
}

// outside refuses what does not keep the rule's numbers, or says so, as the policy has it.
func (d *Desk) outside(found []screening.Outside) (warnings []string, err error) {
	var wrong []string
	for _, o := range found {
		if o.Mend || d.numbers.Load().Outside.Value == policy.RefuseIt {
			wrong = append(wrong, o.String())
		} else {
			warnings = append(warnings, o.String())
		}
	}
	if len(wrong) > 0 {
		return nil, refused("%s. Check the days against what was published; a policy with special_measures.outside: warn lets another reading of the rule through", strings.Join(wrong, "; "))
	}
	return warnings, nil
}

func wellKnown(scope statement.MeasureScope) error {
	codes := []string{scope.Country}
	if scope.Person != nil {
		codes = scope.Person.Countries
	}
	for _, code := range codes {
		if !screening.IsCountry(code) {
			return refused("scope: wanted a country by its ISO 3166-1 alpha-2 code in capitals, such as KP, got another text. Look the code up in ISO 3166-1; for a person give its names")
		}
	}
	return nil
}

func lastOf(measures screening.Measures, id string) (screening.Measure, bool) {
	versions := measures.Of(id)
	if len(versions) == 0 {
		return screening.Measure{}, false
	}
	return versions[len(versions)-1], true
}

// same is true if the newest version says what is said again.
func same(last screening.Measure, said statement.SpecialMeasureImposed) bool {
	again := screening.Measures{}.With(statement.Entry{LeafIndex: last.LeafIndex, Statement: said}).All()[0]
	again.Version = last.Version
	return reflect.DeepEqual(again, last)
}

// DecideHit records what an officer says of a hint: that it is the person that the measure names, or somebody else. It returns the
// hit as it was. Errors wrap docket.ErrNoHit or ErrRefused, or are the ledger's.
func (d *Desk) DecideHit(ctx context.Context, by statement.Officer, id string, decision docket.Decision, reason string) (docket.Hit, error) {
	hit, err := d.screener.Hit(ctx, id)
	if err != nil {
		return docket.Hit{}, err
	}
	if hit.Decided != screening.Hint {
		return docket.Hit{}, refused("wanted a hit by name, which is a hint, got one by country, which is a fact. Ask the reseller for a correction if the country is wrong")
	}
	action := docket.ActionCleared
	if decision == docket.Confirmed {
		action = docket.ActionConfirmed
	}
	number, err := uuid.NewV7()
	if err != nil {
		return docket.Hit{}, fmt.Errorf("making a jti: %w", err)
	}
	set, err := d.sign(hit.Reseller, number.String(), statement.OfficerAction{Officer: by, Action: action,
		On: statement.Target{Type: "measure", ID: hit.Measure}, Reason: reason, Details: docket.DecisionDetails(hit)})
	if err != nil {
		return docket.Hit{}, err
	}
	if _, err := d.ledger.Append(ctx, set); err != nil {
		return docket.Hit{}, fmt.Errorf("recording what an officer says of a hit: %w", err)
	}
	hit.Decision = decision
	return hit, nil
}
