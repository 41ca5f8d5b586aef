package screening

import (
	"reflect"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/resellers/history"
	"github.com/cipgate/cipgate/resellers/policy"
)

const (
	reseller envelope.Entity = "https://reseller.example"
	gateway  envelope.Entity = "https://gateway.example"
	likeness                 = 90
)

func day(s string) statement.Date {
	d, err := statement.ParseDate(s)
	if err != nil {
		panic(err)
	}
	return d
}

func at(s string) time.Time { return begins(day(s)) }

// against is a measure of a country, determined, in force and expiring on these days.
func against(id, country string, days ...string) statement.SpecialMeasureImposed {
	return statement.SpecialMeasureImposed{
		Measure: id, Scope: statement.MeasureScope{Country: country}, Effect: "prohibit",
		DeterminedOn: day(days[0]), EffectiveOn: day(days[1]), ExpiresOn: day(days[2]), List: "list-2026.1", Source: "91 FR 1",
	}
}

// named is a measure of a person, in force for the year 2026.
func named(id string, names ...string) statement.SpecialMeasureImposed {
	said := against(id, "", "2025-06-01", "2026-01-01", "2026-12-31")
	said.Scope.Person = &statement.MeasuredPerson{Names: names[:1], Aliases: names[1:]}
	return said
}

func fromEntries(all ...statement.Statement) Measures {
	var m Measures
	for i, s := range all {
		m = m.With(statement.Entry{LeafIndex: int64(10 + i), About: gateway, By: gateway, Statement: s})
	}
	return m
}

func TestAMeasureIsInForceFromItsFirstDayToTheEndOfItsLast(t *testing.T) {
	m := fromEntries(against("a", "XA", "2025-06-01", "2026-01-01", "2026-12-31"))
	for when, want := range map[time.Time]bool{
		at("2026-01-01").Add(-time.Nanosecond): false, at("2026-01-01"): true,
		at("2027-01-01").Add(-time.Nanosecond): true, at("2027-01-01"): false,
	} {
		if got := len(m.InForce(when)) == 1; got != want {
			t.Errorf("in force at %s: %v", when, got)
		}
	}
	for from, want := range map[string]string{"2025-01-01": "2026-01-01", "2026-01-01": "2027-01-01", "2026-12-31": "2027-01-01"} {
		if got := m.Turns(at(from)); !got.Equal(at(want)) {
			t.Errorf("from %s on it turns at %s, wanted %s", from, got, want)
		}
	}
	if got := m.Turns(at("2027-01-01")); !got.IsZero() {
		t.Errorf("it is over and turns at %s", got)
	}
}

func TestAnExtensionFollowsWithoutAGap(t *testing.T) {
	m := fromEntries(
		against("a", "XA", "2025-06-01", "2026-01-01", "2026-12-31"),
		against("a", "XA", "2026-11-01", "2027-01-01", "2027-12-31"),
	)
	for when, version := range map[string]int{"2026-06-01": 1, "2026-12-31": 1, "2027-01-01": 2, "2027-12-31": 2} {
		if got := m.InForce(at(when)); len(got) != 1 || got[0].Version != version {
			t.Errorf("on %s: %+v, wanted version %d", when, got, version)
		}
	}
	// Stated from the same day on, the new version takes the old one's place at once.
	m = m.With(statement.Entry{LeafIndex: 30, Statement: against("a", "XA", "2026-11-01", "2027-01-01", "2028-12-31")})
	if got := m.InForce(at("2027-06-01")); len(got) != 1 || got[0].Version != 3 || got[0].LeafIndex != 30 {
		t.Errorf("replaced: %+v", got)
	}
	if got := m.Current(at("2026-06-01")); len(got) != 2 {
		t.Errorf("the version that never comes into force is still ahead: %+v", got)
	}
}

func TestALiftedMeasureEndsOnTheDayAndCanBeImposedAnew(t *testing.T) {
	m := fromEntries(
		against("a", "XA", "2025-06-01", "2026-01-01", "2026-12-31"),
		against("b", "XB", "2025-06-01", "2026-01-01", "2026-12-31"),
		statement.SpecialMeasureLifted{Measure: "a", LiftedOn: day("2026-05-01")},
		statement.SpecialMeasureLifted{Measure: "b", LiftedOn: day("2025-12-01")}, // before it came into force
		against("a", "XA", "2026-06-01", "2027-01-01", "2027-12-31"),
	)
	for when, want := range map[string][]int{"2026-04-30": {1}, "2026-05-01": nil, "2026-12-01": nil, "2027-01-01": {2}} {
		var got []int
		for _, v := range m.InForce(at(when)) {
			got = append(got, v.Version)
		}
		if !slices.Equal(got, want) {
			t.Errorf("on %s in force: %v, wanted %v", when, got, want)
		}
	}
	if got := m.Turns(at("2026-01-01")); !got.Equal(at("2026-05-01")) {
		t.Errorf("it turns at %s", got)
	}
}

func TestMeasuresAreAValueAndFoldOnce(t *testing.T) {
	m := fromEntries(against("a", "XA", "2025-06-01", "2026-01-01", "2026-12-31"))
	lifted := m.With(statement.Entry{LeafIndex: 11, Statement: statement.SpecialMeasureLifted{Measure: "a", LiftedOn: day("2026-02-01")}})
	if len(m.InForce(at("2026-06-01"))) != 1 || len(lifted.InForce(at("2026-06-01"))) != 0 {
		t.Error("lifting a measure changed the measures that it was lifted from")
	}
	again := lifted.With(statement.Entry{LeafIndex: 10, Statement: against("a", "XA", "2025-06-01", "2026-01-01", "2026-12-31")})
	if !reflect.DeepEqual(again, lifted) || again.Seen() != 11 {
		t.Errorf("an entry folded again: %+v", again)
	}
}

func TestACountryMatchIsCertainAndSaysByWhichCountry(t *testing.T) {
	m := fromEntries(against("a", "XA", "2025-06-01", "2026-01-01", "2026-12-31"))
	now := at("2026-03-01")
	for name, c := range map[string]struct {
		verification history.Verification
		places       []string
	}{
		"lives there":              {history.Verification{Home: "XA"}, []string{"home"}},
		"does business there":      {history.Verification{Home: "DE", PrincipalPlace: "XA"}, []string{"principal-place"}},
		"is owned from there":      {history.Verification{Home: "DE", Ownership: []string{"FR", "XA"}}, []string{"ownership"}},
		"all at once":              {history.Verification{Home: "XA", PrincipalPlace: "XA", Ownership: []string{"XA"}}, []string{"home", "principal-place", "ownership"}},
		"elsewhere":                {history.Verification{Home: "DE", PrincipalPlace: "FR", Ownership: []string{"IT"}}, nil},
		"of which nothing is said": {history.Verification{}, nil},
	} {
		c.verification.AcceptedAt = at("2026-02-01")
		hits := Match(m, StatedParty(reseller, "c", "", c.verification, nil), likeness, now)
		if c.places == nil {
			if len(hits) > 0 {
				t.Errorf("%s: %+v", name, hits)
			}
			continue
		}
		if len(hits) != 1 {
			t.Fatalf("%s: %+v", name, hits)
		}
		hit := hits[0]
		if hit.Ground != ByCountry || hit.Decided != Certain || hit.Score != Full || !hit.Prohibits || hit.List != "list-2026.1" ||
			!slices.Equal(hit.Places, c.places) || !hit.InForce(now) || !hit.Since.Equal(at("2026-02-01")) {
			t.Errorf("%s: %+v", name, hit)
		}
	}
}

func TestAHitIsShownBeforeItsDayAndHoldsFromIt(t *testing.T) {
	m := fromEntries(against("a", "XA", "2025-06-01", "2026-01-01", "2026-12-31"))
	p := StatedParty(reseller, "c", "o", history.Verification{Home: "XA", AcceptedAt: at("2025-07-01")}, nil)
	before := Match(m, p, likeness, at("2025-08-01"))
	if len(before) != 1 || before[0].InForce(at("2025-08-01")) || !before[0].Since.Equal(at("2026-01-01")) || before[0].Party.Role != Owner {
		t.Errorf("before: %+v", before)
	}
	then := Match(m, p, likeness, at("2026-01-01"))
	if !reflect.DeepEqual(then, before) {
		t.Errorf("the day made another hit of it: %+v", then)
	}
	if after := Match(m, p, likeness, at("2027-01-01")); len(after) > 0 {
		t.Errorf("after: %+v", after)
	}
}

func TestANameIsAHintHoweverAlikeItIs(t *testing.T) {
	m := fromEntries(named("p", "Ghost Hosting LLC", "Призрак Хостинг"))
	for name, want := range map[string]bool{
		"Ghost Hosting": true, "HOSTING, GHOST": true, "Gost Hosting Ltd.": true, "Prizrak Khosting": true,
		"Meadow Flowers": false, "": false, "LLC": false,
	} {
		p := StatedParty(reseller, "c", "", history.Verification{Home: "DE"}, &statement.Identity{Name: name})
		hits := Match(m, p, likeness, at("2026-03-01"))
		if (len(hits) == 1) != want {
			t.Errorf("%q: %+v", name, hits)
		}
		for _, hit := range hits {
			if hit.Decided != Hint || hit.Ground != ByName || hit.Score < likeness {
				t.Errorf("%q: %+v", name, hit)
			}
		}
	}
	alias := StatedParty(reseller, "c", "", history.Verification{}, &statement.Identity{Name: "Other", Aliases: []string{"Ghost Hosting"}})
	if hits := Match(m, alias, likeness, at("2026-03-01")); len(hits) != 1 || hits[0].Score != Full {
		t.Errorf("by its alias: %+v", hits)
	}
	company := ResellerParty(history.History{Entity: reseller, Name: "Ghost Hosting GmbH", Country: "DE"})
	if hits := Match(m, company, likeness, at("2026-03-01")); len(hits) != 1 || hits[0].Party.Role != Reseller {
		t.Errorf("a reseller by its name: %+v", hits)
	}
}

func TestEachPartyHasItsOwnHitUnderEachVersion(t *testing.T) {
	m := fromEntries(
		against("a", "XA", "2025-06-01", "2026-01-01", "2026-12-31"),
		against("a", "XA", "2026-11-01", "2027-01-01", "2027-12-31"),
	)
	seen := map[string]bool{}
	v := history.Verification{Home: "XA"}
	for _, p := range []Party{
		ResellerParty(history.History{Entity: reseller, Country: "XA"}), StatedParty(reseller, "c", "", v, nil), StatedParty(reseller, "c", "o", v, nil),
		StatedParty(reseller, "d", "", v, nil), StatedParty("https://other.example", "c", "", v, nil), StatedParty(reseller, "", "c", v, nil),
	} {
		hits := Match(m, p, likeness, at("2026-03-01"))
		if len(hits) != 2 {
			t.Fatalf("%+v", hits)
		}
		for _, hit := range hits {
			if seen[hit.ID] {
				t.Errorf("the id of another hit: %+v", hit)
			}
			seen[hit.ID] = true
		}
	}
}

func TestMatchDoesNotDependOnTheOrderOfMeasuresOrNames(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		names := rapid.SliceOfN(rapid.StringMatching(`[A-Z][a-z]{2,8} [A-Z][a-z]{2,8}`), 2, 6).Draw(t, "names")
		var said []statement.Statement
		for i, name := range names {
			said = append(said, named(string(rune('a'+i)), name))
		}
		said = append(said, against("x", "XA", "2025-06-01", "2026-01-01", "2026-12-31"))
		shuffled := rapid.Permutation(said).Draw(t, "order")
		aliases := rapid.Permutation(names[1:]).Draw(t, "aliases")
		v := history.Verification{Home: "XA"}
		scores := func(all []statement.Statement, identity statement.Identity) map[string]int {
			found := map[string]int{}
			for _, hit := range Match(fromEntries(all...), StatedParty(reseller, "c", "", v, &identity), likeness, at("2026-03-01")) {
				found[hit.Measure.ID] = hit.Score
			}
			return found
		}
		a := scores(said, statement.Identity{Name: names[0], Aliases: names[1:]})
		b := scores(shuffled, statement.Identity{Name: names[0], Aliases: aliases})
		if !reflect.DeepEqual(a, b) || len(a) != len(said) {
			t.Fatalf("%v and %v", a, b)
		}
	})
}

func TestTheNumbersOfTheRuleAreHeldAgainstWhatIsImposed(t *testing.T) {
	numbers := policy.Default().SpecialMeasures
	existing := fromEntries(
		against("a", "XA", "2025-06-01", "2026-01-01", "2026-12-31"), named("p", "Ghost Host"),
		against("gone", "XB", "2025-06-01", "2026-01-01", "2026-12-31"), statement.SpecialMeasureLifted{Measure: "gone", LiftedOn: day("2026-02-01")},
	)
	other := named("p", "Somebody Else")
	same := named("p", "Ghost Hosting", "Ghost Host")
	for name, c := range map[string]struct {
		said  statement.SpecialMeasureImposed
		field string // empty: inside
		mend  bool
	}{
		"365 days after 180":             {against("n", "XC", "2025-01-01", "2025-06-30", "2026-06-29"), "", false},
		"a day longer":                   {against("n", "XC", "2025-01-01", "2025-06-30", "2026-06-30"), "expires_on", false},
		"a day sooner":                   {against("n", "XC", "2025-01-01", "2025-06-29", "2026-06-01"), "effective_on", false},
		"an extension, without notice":   {against("a", "XA", "2026-12-15", "2027-01-01", "2027-12-31"), "", false},
		"restated with a later end":      {against("a", "XA", "2025-06-01", "2026-01-01", "2027-12-31"), "", false},
		"an extension of too long":       {against("a", "XA", "2026-12-15", "2027-01-01", "2028-01-01"), "expires_on", false},
		"an extension that is shorter":   {against("a", "XA", "2025-06-01", "2026-01-01", "2026-11-30"), "expires_on", true},
		"an extension to another":        {against("a", "XZ", "2026-12-15", "2027-01-01", "2027-12-31"), "scope", true},
		"to another person":              {other, "scope", true},
		"of the person by a new name":    {same, "", false},
		"a lifted one, anew":             {against("gone", "XB", "2026-03-01", "2026-08-28", "2027-08-27"), "", false},
		"a lifted one, anew, at once":    {against("gone", "XB", "2026-03-01", "2026-03-02", "2026-08-27"), "effective_on", false},
		"a lifted one has no scope left": {against("gone", "XD", "2026-03-01", "2026-08-28", "2027-08-27"), "", false},
	} {
		got := Check(numbers, existing, c.said)
		if c.field == "" {
			if len(got) > 0 {
				t.Errorf("%s: %v", name, got)
			}
			continue
		}
		if len(got) != 1 || got[0].Field != c.field || got[0].Mend != c.mend || got[0].String() == "" || (got[0].Source == "") != c.mend {
			t.Errorf("%s: %v", name, got)
		}
	}
}
