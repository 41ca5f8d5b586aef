package screening

import (
	"slices"
	"time"

	"github.com/cipgate/cipgate/attestations/statement"
)

// Measure is one version of a special measure: as it was imposed, or extended. What was screened against one version says nothing
// about the next, so results and officers' words belong to a version.
type Measure struct {
	ID         string
	Version    int   // counts from 1
	LeafIndex  int64 // of the entry that imposed or extended it; names the version
	Country    string
	Names      []string // of the person, aliases too; none if it is a jurisdiction's
	Countries  []string // that the measure names with the person: for the officer, nothing is decided by them
	Effect     string   // prohibit, condition
	Conditions string
	Determined statement.Date
	// From is when it comes into force, Until the first moment at which it is no longer. A version that another one followed, or
	// that was lifted, ends there. Until is not after From where it never came, or comes, into force.
	From, Until time.Time
	List        string // with its version
	Source      string
	Lifted      bool

	folded []foldedName
}

// Prohibits is true if accounts are prohibited, false if they are allowed under conditions.
func (m Measure) Prohibits() bool { return m.Effect == "prohibit" }

// InForce is true from From until Until.
func (m Measure) InForce(now time.Time) bool { return !now.Before(m.From) && now.Before(m.Until) }

// Over is true for what is not in force and will never be.
func (m Measure) Over(now time.Time) bool { return !m.Until.After(m.From) || !now.Before(m.Until) }

// Measures are the special measures that the ledger holds. The zero Measures are none.
type Measures struct {
	versions []Measure // in the ledger's order
	next     int64
}

// Seen is the leaf index of the last entry that was folded, or -1.
func (m Measures) Seen() int64 { return m.next - 1 }

// All returns every version that was ever imposed, in the ledger's order.
func (m Measures) All() []Measure { return slices.Clone(m.versions) }

// Current returns the versions that are in force or will be.
func (m Measures) Current(now time.Time) []Measure {
	return slices.DeleteFunc(m.All(), func(v Measure) bool { return v.Over(now) })
}

// InForce returns the versions that are in force.
func (m Measures) InForce(now time.Time) []Measure {
	return slices.DeleteFunc(m.All(), func(v Measure) bool { return !v.InForce(now) })
}

// Turns returns when, nothing new being said, a measure next comes into force or ends; zero if none does.
func (m Measures) Turns(now time.Time) time.Time {
	var turns time.Time
	for _, v := range m.versions {
		for _, at := range [...]time.Time{v.From, v.Until} {
			if v.Until.After(v.From) && at.After(now) && (turns.IsZero() || at.Before(turns)) {
				turns = at
			}
		}
	}
	return turns
}

// Of returns the versions under this id, oldest first; nil if there is no such measure.
func (m Measures) Of(id string) []Measure {
	var versions []Measure
	for _, v := range m.versions {
		if v.ID == id {
			versions = append(versions, v)
		}
	}
	return versions
}

// Only returns the measures without those versions that keep is false for.
func (m Measures) Only(keep func(Measure) bool) Measures {
	m.versions = slices.DeleteFunc(m.All(), func(v Measure) bool { return !keep(v) })
	return m
}

// With returns the measures with more entries. Entries come in the order of the ledger; one that was folded before changes nothing,
// nor does what is no special measure.
func (m Measures) With(entries ...statement.Entry) Measures {
	m.versions = m.All() // measures are values: those we came from keep their own
	for _, e := range entries {
		if e.LeafIndex < m.next {
			continue
		}
		m.next = e.LeafIndex + 1
		switch said := e.Statement.(type) {
		case statement.SpecialMeasureImposed:
			m.versions = imposed(m.versions, said, e.LeafIndex)
		case statement.SpecialMeasureLifted:
			lifted(m.versions, said)
		}
	}
	return m
}

// imposed adds a version. What the version before says holds until the new one comes into force.
func imposed(versions []Measure, said statement.SpecialMeasureImposed, leafIndex int64) []Measure {
	next := measureOf(said)
	next.LeafIndex, next.Version = leafIndex, 1
	for i := range versions {
		if v := &versions[i]; v.ID == next.ID {
			next.Version = v.Version + 1
			v.Until = earlier(v.Until, next.From)
		}
	}
	return append(versions, next)
}

func lifted(versions []Measure, said statement.SpecialMeasureLifted) {
	for i := range versions {
		if v := &versions[i]; v.ID == said.Measure {
			v.Until = earlier(v.Until, begins(said.LiftedOn))
			v.Lifted = true
		}
	}
}

func measureOf(said statement.SpecialMeasureImposed) Measure {
	measure := Measure{
		ID: said.Measure, Country: said.Scope.Country, Effect: said.Effect, Conditions: said.Conditions, Determined: said.DeterminedOn,
		From: begins(said.EffectiveOn), Until: begins(said.ExpiresOn).AddDate(0, 0, 1), List: said.List, Source: said.Source,
	}
	if person := said.Scope.Person; person != nil {
		measure.Names = slices.Concat(person.Names, person.Aliases)
		measure.Countries = person.Countries
		measure.folded = folded(measure.Names)
	}
	return measure
}

// begins is when a day begins, UTC.
func begins(d statement.Date) time.Time {
	return time.Date(d.Year, d.Month, d.Day, 0, 0, 0, 0, time.UTC)
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

// NamePersons says whether one of the measures that are in force or will be is against a person: else no name is of use.
func (m Measures) NamePersons(now time.Time) bool {
	return slices.ContainsFunc(m.versions, func(v Measure) bool { return v.Country == "" && !v.Over(now) })
}
