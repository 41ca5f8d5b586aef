package docket

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"gorm.io/gorm"
	"pgregory.net/rapid"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/migrations/migrationstest"
	"github.com/cipgate/cipgate/resellers/history"
	"github.com/cipgate/cipgate/resellers/screening"
)

const likeness = 90

func (w *world) screener(db *gorm.DB) *Screener {
	return NewScreener(db, w.ledger, self, likeness, w.clock)
}

// say states something as the gateway, about an entity.
func (w *world) say(about envelope.Entity, said statement.Statement) {
	w.t.Helper()
	w.stated++
	w.append(w.signer.Sign(envelope.Draft{Issuer: self, Audience: self, IssuedAt: w.now, JTI: fmt.Sprint("gateway-", w.stated),
		EventURI: said.Kind().URI(), Event: said, Subject: envelope.Subject{Format: "uri", URI: string(about)}}))
}

// against imposes a measure in force between two days after the epoch's, the second one included.
func (w *world) against(id string, scope statement.MeasureScope, from, last int) {
	w.t.Helper()
	day := func(n int) statement.Date { return statement.DateOf(epoch.AddDate(0, 0, n)) }
	w.say(self, statement.SpecialMeasureImposed{Measure: id, Scope: scope, Effect: "prohibit", DeterminedOn: day(min(from, 0)), EffectiveOn: day(from),
		ExpiresOn: day(last), List: "list-2026.1", Source: "91 FR 1"})
}

func country(code string) statement.MeasureScope { return statement.MeasureScope{Country: code} }

func person(names ...string) statement.MeasureScope {
	return statement.MeasureScope{Person: &statement.MeasuredPerson{Names: names}}
}

// name verifies a customer by name.
func (w *world) name(entity envelope.Entity, customer, country string, names ...string) {
	w.t.Helper()
	identity := &statement.Identity{Name: names[0]}
	if len(names) > 1 {
		identity.Aliases = names[1:]
	}
	w.state(entity, customer, statement.CustomerVerification{Party: "customer", Form: "individual", Result: "verified", CheckedOn: w.today(),
		ReasonableBelief: true, RiskTier: "low", Method: "documentary", Countries: &statement.Countries{Home: country}, Identity: identity})
}

// screen folds and screens until nothing is left to do.
func (w *world) screen(d *Docket, s *Screener) (next time.Time) {
	w.t.Helper()
	if err := d.CatchUp(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
	for more := true; more; {
		var err error
		if more, next, err = s.Screen(w.t.Context(), 1000); err != nil {
			w.t.Fatal(err)
		}
	}
	return next
}

func (w *world) hits(s *Screener, wanted HitFilter) []Hit {
	w.t.Helper()
	hits, err := s.Hits(w.t.Context(), wanted, nil, 10_000)
	if err != nil {
		w.t.Fatal(err)
	}
	return hits
}

// whom tells hits in words, in order.
func whom(hits []Hit) string {
	var told []string
	for _, h := range hits {
		told = append(told, strings.TrimSpace(fmt.Sprintf("%s %s %s %s", h.Measure, string(h.Role), h.Customer, h.Owner)))
	}
	slices.Sort(told)
	return strings.Join(told, "; ")
}

func (w *world) prohibited(d *Docket, entity envelope.Entity) screening.Prohibited {
	w.t.Helper()
	file, err := d.Open(w.t.Context(), entity.ID())
	if err != nil {
		w.t.Fatal(err)
	}
	return file.Prohibited
}

func midnight(days int) time.Time {
	return time.Date(epoch.Year(), epoch.Month(), epoch.Day()+days, 0, 0, 0, 0, time.UTC)
}

func TestAMeasureIsHeldAgainstEverybodyOnFileWhenItIsImposedAndWhenItComesIntoForce(t *testing.T) {
	migrationstest.Each(t, func(t *testing.T, db *gorm.DB) {
		w := newWorld(t, db)
		d, s := w.mustDocket(), w.screener(db)
		w.enrol(busy)
		w.verify(busy, "c-1", "BR", "low")
		w.verify(busy, "c-2", "IR", "low")
		w.own(busy, "c-1", "o-1", "IR")
		w.own(busy, "c-3", "o-1", "PT")
		w.account(busy, "c-1", "a-1", "opened")
		w.account(busy, "c-2", "a-1", "opened")
		if next := w.screen(d, s); !next.IsZero() {
			t.Errorf("without a measure it screens again at %s", next)
		}
		w.against("m-1", country("IR"), 10, 20)
		w.against("m-2", country("DE"), 10, 20)
		if next := w.screen(d, s); !next.Equal(midnight(10)) {
			t.Errorf("it screens again at %s", next)
		}
		const all = "m-1 customer c-2; m-1 owner c-1 o-1; m-2 reseller"
		if got := whom(w.hits(s, HitFilter{})); got != all {
			t.Errorf("when they were imposed: %s", got)
		}
		if got := w.hits(s, HitFilter{InForce: true}); len(got) > 0 {
			t.Errorf("in force before their day: %s", whom(got))
		}
		if got := w.prohibited(d, busy); !got.None() || !got.Turns.Equal(midnight(10)) {
			t.Errorf("prohibited before the day: %+v", got)
		}
		if got, err := s.Progress(t.Context()); err != nil || len(got) != 2 || !got[0].SinceImposed || got[0].SinceInForce {
			t.Errorf("screened: %+v, %v", got, err)
		}
		w.now = midnight(10)
		if next := w.screen(d, s); !next.Equal(midnight(21)) {
			t.Errorf("it screens again at %s", next)
		}
		got := w.hits(s, HitFilter{InForce: true})
		if whom(got) != all {
			t.Errorf("when they came into force: %s", whom(got))
		}
		for _, h := range got {
			if h.List != "list-2026.1" || h.Decided != screening.Certain || !h.Prohibits || h.Score != screening.Full || !h.Since.Equal(midnight(10)) || h.Reseller != busy {
				t.Errorf("%+v", h)
			}
		}
		if got := w.prohibited(d, busy); got.Customers != 2 || !got.Itself || !got.Since.Equal(midnight(10)) || !got.Turns.Equal(midnight(21)) || len(got.Evidence) != 5 {
			t.Errorf("prohibited: %+v", got)
		}
		if got, err := s.Progress(t.Context()); err != nil || len(got) != 2 || !got[1].SinceInForce {
			t.Errorf("screened: %+v, %v", got, err)
		}
		w.now = midnight(21)
		w.screen(d, s)
		if got := w.hits(s, HitFilter{}); len(got) > 0 {
			t.Errorf("they are over: %s", whom(got))
		}
		if got := w.prohibited(d, busy); !reflect.DeepEqual(got, screening.Prohibited{}) {
			t.Errorf("prohibited when all is over: %+v", got)
		}
	})
}

func TestWhoIsStatedLaterIsScreenedAsItComes(t *testing.T) {
	migrationstest.Each(t, func(t *testing.T, db *gorm.DB) {
		w := newWorld(t, db)
		d, s := w.mustDocket(), w.screener(db)
		w.enrol(busy)
		w.against("m-1", country("IR"), 0, 20)
		w.screen(d, s)
		w.verify(busy, "c-1", "IR", "low")
		w.own(busy, "c-2", "o-1", "IR")
		w.account(busy, "c-2", "a-1", "opened")
		w.account(busy, "c-3", "a-1", "opened")
		w.screen(d, s)
		if got := whom(w.hits(s, HitFilter{})); got != "m-1 customer c-1; m-1 owner c-2 o-1" {
			t.Errorf("as they came: %s", got)
		}
		w.now = w.now.Add(day)
		w.verify(busy, "c-1", "BR", "low") // moved away
		w.verify(busy, "c-2", "IR", "low")
		w.screen(d, s)
		if got := whom(w.hits(s, HitFilter{})); got != "m-1 customer c-2; m-1 owner c-2 o-1" {
			t.Errorf("after they moved: %s", got)
		}
		if got := w.prohibited(d, busy); got.Customers != 1 || !got.Since.Equal(epoch) {
			t.Errorf("prohibited: %+v", got)
		}
		w.enrol(late)
		w.say(late, statement.EntityEnrolled{Entity: late, Name: "late", Country: "IR", Superior: self, Contact: "c@example.com", Tier: 1, Invitation: "i",
			FederationKeys: enrolledKeys(t), Keys: enrolledKeys(t), Configuration: "a.b.c"})
		w.screen(d, s)
		id := late.ID()
		if got := whom(w.hits(s, HitFilter{Reseller: &id})); got != "m-1 reseller" {
			t.Errorf("a reseller that moved: %s", got)
		}
	})
}

func enrolledKeys(t *testing.T) []byte {
	t.Helper()
	keys, err := envelope.NewKeys(keySet(seeded(t, 'r')))
	if err != nil {
		t.Fatal(err)
	}
	return keys.Marshal()
}

func TestAMeasureThatIsExtendedOrLiftedIsScreenedForAsItThenStands(t *testing.T) {
	migrationstest.Each(t, func(t *testing.T, db *gorm.DB) {
		w := newWorld(t, db)
		d, s := w.mustDocket(), w.screener(db)
		w.enrol(busy)
		w.verify(busy, "c-1", "IR", "low")
		w.account(busy, "c-1", "a-1", "opened")
		w.against("m-1", country("IR"), 0, 9)
		w.against("m-1", country("IR"), 10, 29) // extended before it is over
		w.screen(d, s)
		if got := w.hits(s, HitFilter{}); len(got) != 2 || !got[0].Until.Equal(got[1].From) {
			t.Errorf("both versions: %+v", got)
		}
		if got := w.prohibited(d, busy); got.Customers != 1 || !got.Turns.Equal(midnight(10)) {
			t.Errorf("counted twice: %+v", got)
		}
		w.now = midnight(10)
		w.screen(d, s)
		if got := w.hits(s, HitFilter{}); len(got) != 1 || !got[0].From.Equal(midnight(10)) {
			t.Errorf("the extension alone: %+v", got)
		}
		w.say(self, statement.SpecialMeasureLifted{Measure: "m-1", LiftedOn: statement.DateOf(midnight(15)), Reason: "revoked", List: "list-2026.2", Source: "91 FR 2"})
		if next := w.screen(d, s); !next.Equal(midnight(15)) {
			t.Errorf("it screens again at %s", next)
		}
		if got := w.hits(s, HitFilter{InForce: true}); len(got) != 1 || !got[0].Until.Equal(midnight(15)) {
			t.Errorf("until it is lifted: %+v", got)
		}
		w.now = midnight(15)
		w.screen(d, s)
		if got := w.hits(s, HitFilter{}); len(got) > 0 || !w.prohibited(d, busy).None() {
			t.Errorf("lifted: %+v", got)
		}
	})
}

// decide states what an officer said of the one hit there is.
func (w *world) decide(h Hit, action string) {
	w.t.Helper()
	w.say(h.Reseller, statement.OfficerAction{Officer: statement.Officer{ID: "o-1", Name: "Mara Lind"}, Action: action,
		On: statement.Target{Type: "measure", ID: h.Measure}, Reason: "looked at", Details: DecisionDetails(h)})
}

func TestWhatAnOfficerSaidOfAHintIsRememberedForThatVersionAndParty(t *testing.T) {
	migrationstest.Each(t, func(t *testing.T, db *gorm.DB) {
		w := newWorld(t, db)
		d, s := w.mustDocket(), w.screener(db)
		only := func(decision Decision, say string) Hit {
			t.Helper()
			w.screen(d, s)
			hits := w.hits(s, HitFilter{})
			if len(hits) != 1 || hits[0].Decision != decision || hits[0].Decided != screening.Hint || hits[0].Ground != screening.ByName {
				t.Fatalf("%s: %+v", say, hits)
			}
			if open := len(w.hits(s, HitFilter{Open: true})); (open == 1) != (decision == "") {
				t.Errorf("%s: %d open", say, open)
			}
			if stands := len(w.hits(s, HitFilter{Stands: true})); (stands == 0) != (decision == Cleared) {
				t.Errorf("%s: %d stand", say, stands)
			}
			return hits[0]
		}
		w.enrol(busy)
		w.name(busy, "c-1", "BR", "Ghost Hostin", "Somebody")
		w.name(busy, "c-2", "BR", "Flower Meadows")
		w.verify(busy, "c-3", "BR", "low")
		w.account(busy, "c-1", "a-1", "opened")
		w.against("m-1", person("Ghost Hosting LLC"), 0, 99)
		hit := only("", "a hint")
		if hit.Score >= screening.Full || !w.prohibited(d, busy).None() {
			t.Errorf("a hint prohibits nobody: %+v", w.prohibited(d, busy))
		}
		w.decide(hit, ActionCleared)
		only(Cleared, "cleared")
		w.name(busy, "c-1", "BR", "Ghost Hostin")
		only(Cleared, "stated again")
		w.name(busy, "c-1", "BR", "Ghost Hosting")
		hit = only("", "more alike than what was cleared")
		w.decide(hit, ActionConfirmed)
		only(Confirmed, "confirmed")
		if got := w.prohibited(d, busy); got.Customers != 1 || !slices.Contains(got.Evidence, hit.MeasureLeaf) {
			t.Errorf("confirmed by a person: %+v", got)
		}
		w.name(busy, "c-1", "BR", "Ghost Hostin")
		only(Confirmed, "by another spelling")
		if err := s.Rebuild(t.Context()); err != nil {
			t.Fatal(err)
		}
		only(Confirmed, "after a rebuild")
		w.against("m-1", person("Ghost Hosting LLC"), 0, 199)
		only("", "under the next version")
		if got := w.prohibited(d, busy); !got.None() {
			t.Errorf("under the next version nobody has confirmed it: %+v", got)
		}
	})
}

func TestNobodyButTheGatewaysOfficersDecidesAHint(t *testing.T) {
	migrationstest.Each(t, func(t *testing.T, db *gorm.DB) {
		w := newWorld(t, db)
		d, s := w.mustDocket(), w.screener(db)
		w.enrol(busy)
		w.verify(busy, "c-1", "IR", "low")
		w.account(busy, "c-1", "a-1", "opened")
		w.against("m-1", country("IR"), 0, 99)
		w.screen(d, s)
		certain := w.hits(s, HitFilter{})[0]
		w.decide(certain, ActionCleared) // what is certain is nobody's to clear
		w.screen(d, s)
		if got := w.hits(s, HitFilter{}); len(got) != 1 || got[0].Decision != "" || w.prohibited(d, busy).Customers != 1 {
			t.Errorf("what is certain was cleared: %+v", got)
		}
		w.verify(busy, "c-1", "IR", "low")
		w.screen(d, s)
		if got := w.hits(s, HitFilter{}); len(got) != 1 || got[0].Decision != "" {
			t.Errorf("when it was screened again: %+v", got)
		}
		if _, err := s.Hit(t.Context(), "nobody"); !errors.Is(err, ErrNoHit) {
			t.Errorf("a hit of nobody: %v", err)
		}
	})
}

// dump is every row that was found, in one order.
func dump(t testing.TB, db *gorm.DB) []hitRow {
	t.Helper()
	var rows []hitRow
	if err := db.Order("id").Limit(100_000).Find(&rows).Error; err != nil {
		t.Fatal(err)
	}
	return rows
}

func TestAWalkGoesOnWhereAKilledProcessStoodAndEndsOnceForEachVersion(t *testing.T) {
	migrationstest.Each(t, func(t *testing.T, db *gorm.DB) {
		w := newWorld(t, db)
		d := w.mustDocket()
		w.enrol(busy)
		for i := range 3 * screenBatch {
			w.verify(busy, fmt.Sprintf("c-%04d", i), []string{"BR", "IR", "PT"}[i%3], "low")
		}
		w.against("m-1", country("IR"), 0, 99)
		if err := d.CatchUp(t.Context()); err != nil {
			t.Fatal(err)
		}
		// Two processes, of which each is killed after every step.
		steps := 0
		for more := true; more; steps++ {
			one, two := w.screener(db), w.screener(db)
			var err error
			if _, _, err = one.Screen(t.Context(), 1); err != nil {
				t.Fatal(err)
			}
			if more, _, err = two.Screen(t.Context(), 1); err != nil {
				t.Fatal(err)
			}
		}
		if got := len(dump(t, db)); got != screenBatch {
			t.Errorf("%d hits after %d steps", got, steps)
		}
		var at screeningRow
		if err := db.Where("id = 1").Take(&at).Error; err != nil {
			t.Fatal(err)
		}
		if at.Walk != walkOver || at.Turn > 20 {
			t.Errorf("it stands at %+v", at)
		}
		before := at.Turn
		w.screen(d, w.screener(db))
		if err := db.Where("id = 1").Take(&at).Error; err != nil {
			t.Fatal(err)
		}
		if at.Turn != before {
			t.Errorf("everybody was screened again, nothing being said: turn %d, was %d", at.Turn, before)
		}
	})
}

func TestAStepFromWhereSomebodyElseMovedOnWritesNothing(t *testing.T) {
	migrationstest.Each(t, func(t *testing.T, db *gorm.DB) {
		w := newWorld(t, db)
		d, s := w.mustDocket(), w.screener(db)
		w.enrol(busy)
		w.verify(busy, "c-1", "IR", "low")
		w.against("m-1", country("IR"), 0, 99)
		w.screen(d, s)
		stale := screeningRow{Turn: 1}
		err := s.write(t.Context(), stale, nil, func(tx *gorm.DB) error { return tx.Where("1 = 1").Delete(&hitRow{}).Error })
		if !errors.Is(err, errOvertaken) || len(dump(t, db)) != 1 {
			t.Errorf("got %v and %d hits", err, len(dump(t, db)))
		}
	})
}

// Whatever is said in whatever order, and however little is screened in between, what is found is what matching everybody on file
// against every current version gives; and the same after a rebuild.
func TestWhatIsFoundFollowsFromTheLedgerAlone(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		db := migrationstest.Open(t, migrationstest.URL(t, "sqlite"))
		w := newWorld(t, db)
		d, s := w.mustDocket(), w.screener(db)
		w.enrol(busy)
		countries, names := rapid.SampledFrom([]string{"IR", "BR", "DE"}), rapid.SampledFrom([]string{"Ghost Hosting", "Gost Hosting", "Flower Meadows", "Hosting Ghost"})
		customers := rapid.SampledFrom([]string{"c-1", "c-2", "c-3"})
		for range rapid.IntRange(5, 25).Draw(r, "events") {
			switch rapid.IntRange(0, 9).Draw(r, "what") {
			case 0:
				w.against(rapid.SampledFrom([]string{"m-1", "m-2"}).Draw(r, "measure"), country(countries.Draw(r, "country")), rapid.IntRange(0, 20).Draw(r, "from"), rapid.IntRange(20, 60).Draw(r, "last"))
			case 1:
				w.against(rapid.SampledFrom([]string{"p-1", "p-2"}).Draw(r, "measure"), person(names.Draw(r, "name")), rapid.IntRange(0, 20).Draw(r, "from"), rapid.IntRange(20, 60).Draw(r, "last"))
			case 2:
				w.say(self, statement.SpecialMeasureLifted{Measure: rapid.SampledFrom([]string{"m-1", "p-1"}).Draw(r, "measure"),
					LiftedOn: statement.DateOf(epoch.AddDate(0, 0, rapid.IntRange(0, 40).Draw(r, "lifted"))), Reason: "r", List: "l-1", Source: "s"})
			case 3, 4:
				w.verify(busy, customers.Draw(r, "customer"), countries.Draw(r, "country"), "low")
			case 5:
				w.name(busy, customers.Draw(r, "customer"), countries.Draw(r, "country"), names.Draw(r, "name"))
			case 6:
				w.own(busy, customers.Draw(r, "customer"), "o-1", countries.Draw(r, "country"))
			case 7:
				w.now = w.now.Add(time.Duration(rapid.IntRange(1, 240).Draw(r, "hours")) * time.Hour)
			case 8:
				if err := d.CatchUp(t.Context()); err != nil {
					r.Fatal(err)
				}
			case 9:
				if _, _, err := s.Screen(t.Context(), rapid.IntRange(1, 3).Draw(r, "steps")); err != nil {
					r.Fatal(err)
				}
				if hits := w.hits(s, HitFilter{Open: true}); len(hits) > 0 {
					w.decide(hits[0], rapid.SampledFrom([]string{ActionCleared, ActionConfirmed}).Draw(r, "decision"))
				}
			}
		}
		w.screen(d, s)
		found := dump(t, db)
		if got, want := idsOf(found), matched(r, w, d, s); !slices.Equal(got, want) {
			r.Fatalf("found %v, wanted %v", got, want)
		}
		for _, rebuild := range []func() error{func() error { return d.Rebuild(t.Context()) }, func() error { return s.Rebuild(t.Context()) }} {
			if err := rebuild(); err != nil {
				r.Fatal(err)
			}
		}
		if again := dump(t, db); !reflect.DeepEqual(again, found) {
			r.Fatalf("after a rebuild\n%+v\nwas\n%+v", again, found)
		}
	})
}

func idsOf(rows []hitRow) []string {
	var ids []string
	for _, row := range rows {
		ids = append(ids, row.ID)
	}
	return ids
}

// matched is what matching everybody on file gives, without a screener's tables.
func matched(r *rapid.T, w *world, d *Docket, s *Screener) []string {
	measures, err := s.Measures(w.t.Context())
	if err != nil {
		r.Fatal(err)
	}
	file, err := d.Open(w.t.Context(), busy.ID())
	if err != nil {
		r.Fatal(err)
	}
	parties := []screening.Party{screening.ResellerParty(file.History)}
	add := func(customer, owner string, v history.Verification) {
		if v.JTI == "" {
			return
		}
		entry, err := w.ledger.Entry(w.t.Context(), v.LeafIndex)
		if err != nil {
			r.Fatal(err)
		}
		parties = append(parties, screening.StatedParty(busy, customer, owner, v, entry.Statement.(statement.CustomerVerification).Identity))
	}
	customers, err := d.Customers(w.t.Context(), busy.ID(), CustomerFilter{}, nil, 100)
	if err != nil {
		r.Fatal(err)
	}
	for _, c := range customers {
		add(c.ID, "", c.Verification)
		owners, err := d.Owners(w.t.Context(), busy.ID(), c.ID, 100)
		if err != nil {
			r.Fatal(err)
		}
		for _, o := range owners {
			add(c.ID, o.ID, o.Verification)
		}
	}
	var ids []string
	for _, p := range parties {
		for _, h := range screening.Match(measures, p, likeness, w.now) {
			ids = append(ids, h.ID)
		}
	}
	slices.Sort(ids)
	return ids
}
