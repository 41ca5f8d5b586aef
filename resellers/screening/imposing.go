package screening

import (
	"fmt"
	"slices"
	"time"

	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/resellers/policy"
)

// Outside is a number of the rule that a measure does not keep, for the officer who imposes it.
type Outside struct {
	Field  string // expires_on, effective_on, scope
	Wanted string
	Got    string
	Source string // where the number stands
	// Mend says that it is no number of the rule but a slip: whatever the policy says, it is refused.
	Mend bool
}

func (o Outside) String() string {
	text := fmt.Sprintf("%s: wanted %s, got %s", o.Field, o.Wanted, o.Got)
	if o.Source != "" {
		text += " (" + o.Source + ")"
	}
	return text
}

// Check holds a measure that is to be imposed, or extended, against the policy's numbers and what was imposed before under the same
// id. What it returns is refused or only warned of, as the policy says.
func Check(p policy.SpecialMeasures, m Measures, said statement.SpecialMeasureImposed) []Outside {
	var outside []Outside
	next := measureOf(said)
	before, extends := m.last(said.Measure)
	from := next.From
	if extends {
		outside = append(outside, sameScope(before, next)...)
		if next.Until.Before(before.Until) {
			outside = append(outside, Outside{Field: "expires_on", Wanted: "a day that is not before " + lastDay(before.Until) + ", when this measure expires already",
				Got: lastDay(next.Until), Mend: true})
		}
		if before.Until.After(from) {
			from = before.Until // an extension adds so much to what there is
		}
	}
	if latest := p.Longest.From(from); next.Until.After(latest) {
		outside = append(outside, Outside{Field: "expires_on", Wanted: lastDay(latest) + " at the latest, " + p.Longest.Value.Words() + " unless it is extended later",
			Got: lastDay(next.Until), Source: p.Longest.Source})
	}
	// Whom it hits has had the notice when a measure is extended.
	if earliest := p.Notice.From(begins(said.DeterminedOn)); !extends && next.From.Before(earliest) {
		outside = append(outside, Outside{Field: "effective_on",
			Wanted: earliest.Format(time.DateOnly) + " at the earliest, " + p.Notice.Value.Words() + " after it was determined",
			Got:    said.EffectiveOn.String(), Source: p.Notice.Source})
	}
	return outside
}

// last returns the newest version of a measure that an extension can build on: one that was lifted is imposed anew.
func (m Measures) last(id string) (Measure, bool) {
	versions := m.Of(id)
	if len(versions) == 0 || versions[len(versions)-1].Lifted {
		return Measure{}, false
	}
	return versions[len(versions)-1], true
}

func sameScope(before, next Measure) []Outside {
	if before.Country == next.Country && (before.Country != "" || slices.ContainsFunc(next.Names, func(name string) bool { return slices.Contains(before.Names, name) })) {
		return nil
	}
	return []Outside{{Field: "scope", Wanted: "the jurisdiction or person that this measure was imposed on", Got: "another", Mend: true}}
}

// lastDay is the last day before a midnight.
func lastDay(until time.Time) string { return until.AddDate(0, 0, -1).Format(time.DateOnly) }
