package findings

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/resellers/history"
	"github.com/cipgate/cipgate/resellers/policy"
)

// book folds entries with the records that they name, as the docket does.
type book struct {
	h         history.History
	customers map[string]history.Customer
	accounts  map[string]history.Account
	leaf      int64
	said      []event
	stated    map[string]Finding
}

func newBook() *book {
	b := &book{h: life(), customers: map[string]history.Customer{}, accounts: map[string]history.Account{}, leaf: 9}
	return b
}

// say folds what the reseller states of a customer, "" being of itself, this long after the start.
func (b *book) say(at time.Duration, customer string, said statement.Statement) int64 {
	b.leaf++
	said = b.hear(said)
	e := statement.Entry{LeafIndex: b.leaf, AcceptedAt: start.Add(at), About: reseller, By: reseller, JTI: fmt.Sprint(b.leaf), Customer: customer, Statement: said}
	if said.Kind().ByGateway() {
		e.By = gateway
	}
	names := history.NamesIn(e)
	var after history.Records
	b.h, after = b.h.WithRecords(history.Records{Customer: b.customers[customer], Account: b.accounts[customer]}, e)
	if customer == "" {
		return b.leaf
	}
	b.customers[customer] = after.Customer
	if names.Account != "" {
		b.accounts[customer] = after.Account
	}
	waiting, gone := b.h.Waiting.With([]history.Customer{after.Customer})
	for range gone {
		for _, c := range b.customers {
			if q, waiter, waits := c.Waits(); waits {
				waiting.Join(q, waiter)
			}
		}
	}
	b.h.Waiting = waiting
	return b.leaf
}

func dayOf(at time.Duration) statement.Date { return statement.DateOf(start.Add(at)) }

// hear lets what an officer decides be about a finding that is open and an answer that waits, unless it names one. Who decides decided
// nothing before.
func (b *book) hear(said statement.Statement) statement.Statement {
	by := statement.Officer{ID: fmt.Sprint("officer ", b.leaf), Name: "Officer"}
	open := func(finding, kind string) string {
		id := fmt.Sprint("answer ", b.leaf)
		b.h.Hearing, _ = b.h.Hearing.With(statement.Entry{By: gateway, About: reseller, Statement: statement.FindingOpened{Finding: finding, Severity: "serious"}})
		b.h.Hearing, _ = b.h.Hearing.With(statement.Entry{By: reseller, About: reseller, JTI: id, Statement: statement.Remediation{RemediationKind: kind, Finding: finding}})
		return id
	}
	switch s := said.(type) {
	case statement.AppealDecided:
		if s.By = by; s.Remediation == "" {
			s.Remediation = open(s.Finding, "dispute")
		}
		return s
	case statement.OfficerAction:
		if len(s.Details) > 0 && s.Details[0].Name == "finding" {
			s.Officer, s.On = by, statement.Target{Type: "remediation", ID: open(s.Details[0].Value, "cure")}
		}
		return s
	}
	return said
}

func (b *book) account(at time.Duration, customer, status string) int64 {
	return b.say(at, customer, statement.AccountStatus{Account: "a", Status: status, On: dayOf(at)})
}

var everything = []string{"name", "address", "payment", "email", "telephone", "ip-addresses"}

func (b *book) verify(at time.Duration, customer, tier string, collected ...string) int64 {
	return b.say(at, customer, statement.CustomerVerification{Party: "customer", Form: "individual", Result: "verified", CheckedOn: dayOf(at),
		RiskTier: tier, Collected: collected})
}

func (b *book) attest(at time.Duration, basis string, copied string, inPlace bool) int64 {
	return b.say(at, "", attestation(basis, copied, inPlace))
}

func attestation(basis, copied string, inPlace bool) statement.CIPAttestation {
	said := statement.CIPAttestation{Occasion: "initial", Basis: basis}
	if basis != "adopted" {
		e := statement.Element{InPlace: true}
		said.Elements = &statement.Elements{WrittenProgram: e, IdentificationData: e, AccessAddresses: e, IdentityVerification: e,
			BeneficialOwners: e, UnverifiedNoAccount: e, UnverifiedLimitedUse: e, UnverifiedClosure: e, UnverifiedRedress: e,
			Reverification: e, RecordRetention: e, CustomerDisclosure: e, ThirdPartyAccess: e, AIMisuse: e,
			RedFlags: statement.Element{InPlace: inPlace}}
	}
	if copied != "" {
		said.Copy = &statement.Copy{SHA256: copied}
	}
	return said
}

func (b *book) document(at time.Duration, sha256 string) int64 {
	return b.say(at, "", statement.DocumentReceived{Document: statement.Copy{SHA256: sha256}})
}

// only is the default policy with one rule on.
func only(t testing.TB, name string) policy.Policy {
	t.Helper()
	file := strings.ReplaceAll(policy.Default().Document(), "on: true", "on: false")
	before, rule, found := strings.Cut(file, "\n  "+name+":\n")
	if !found {
		t.Fatalf("the policy has no %s", name)
	}
	p, err := policy.Parse([]byte(before + "\n  " + name + ":\n" + strings.Replace(rule, "on: false", "on: true", 1)))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestEachRuleOpensAtItsMomentAndNotBefore(t *testing.T) {
	for name, c := range map[string]struct {
		rule     string
		life     func(b *book)
		since    time.Duration
		evidence int64 // 0: nothing ever opens
	}{
		"an element is not in place": {"cip.incomplete", func(b *book) { b.attest(12*day, "own", "", false) }, 12 * day, 10},
		"every element is":           {"cip.incomplete", func(b *book) { b.attest(12*day, "own", "", true) }, 0, 0},
		"the superior's elements":    {"cip.incomplete", func(b *book) { b.attest(12*day, "adopted", "", false) }, 0, 0},
		"it said so the second time": {"cip.incomplete", func(b *book) { b.attest(day, "own", "", true); b.attest(9*day, "own", "", false) }, 9 * day, 11},
		"twice is since the first":   {"cip.incomplete", func(b *book) { b.attest(day, "own", "", false); b.attest(9*day, "own", "", false) }, day, 10},
		"mended":                     {"cip.incomplete", func(b *book) { b.attest(day, "own", "", false); b.attest(9*day, "own", "", true) }, 0, 0},

		"no copy was named":       {"cip.copy-missing", func(b *book) { b.attest(day, "own", "", true) }, 31 * day, 10},
		"named and not handed in": {"cip.copy-missing", func(b *book) { b.attest(day, "own", "A", true) }, 31 * day, 10},
		"handed in":               {"cip.copy-missing", func(b *book) { b.attest(day, "own", "A", true); b.document(2*day, "A") }, 0, 0},
		"handed in once, named again": {"cip.copy-missing", func(b *book) {
			b.attest(day, "own", "A", true)
			b.document(2*day, "A")
			b.attest(40*day, "own", "A", true)
		}, 0, 0},
		"another one than is in force": {"cip.copy-missing", func(b *book) {
			b.attest(day, "own", "A", true)
			b.attest(5*day, "own", "B", true)
			b.document(6*day, "A")
		}, 31 * day, 10},
		"a new one": {"cip.copy-missing", func(b *book) {
			b.attest(day, "own", "A", true)
			b.document(2*day, "A")
			b.attest(50*day, "own", "B", true)
		}, 80 * day, 12},
		"adopted: the superior's own": {"cip.copy-missing", func(b *book) { b.attest(day, "adopted", "", true) }, 0, 0},

		"an account and no verification": {"customer.unverified", func(b *book) { b.account(day, "c", "opened") }, 31 * day, 10},
		"verified in time":               {"customer.unverified", func(b *book) { b.account(day, "c", "opened"); b.verify(30*day, "c", "low") }, 0, 0},
		"closed in time":                 {"customer.unverified", func(b *book) { b.account(day, "c", "opened"); b.account(30*day, "c", "closed") }, 0, 0},
		"the second one waits on": {"customer.unverified", func(b *book) {
			b.account(day, "c", "opened")
			b.account(2*day, "d", "opened")
			b.verify(3*day, "c", "low")
		}, 32 * day, 11},
		"always others, and too many": {"customer.unverified", func(b *book) {
			for i := range 40 {
				b.account(time.Duration(i+1)*day, fmt.Sprint("c", i), "opened")
				if i >= 5 { // each is verified within a week
					b.verify(time.Duration(i+1)*day+time.Hour, fmt.Sprint("c", i-5), "low")
				}
			}
		}, 32 * day, 11},
		"always another one, of few": {"customer.unverified", func(b *book) {
			for i := range 40 {
				b.account(time.Duration(i+1)*day, fmt.Sprint("c", i), "opened")
				b.verify(time.Duration(i+1)*day+time.Hour, fmt.Sprint("c", i), "low")
			}
		}, 0, 0},

		"a year old":     {"customer.stale", func(b *book) { b.account(0, "c", "opened"); b.verify(5*day, "c", "high") }, 370 * day, 11},
		"verified again": {"customer.stale", func(b *book) { b.account(0, "c", "opened"); b.verify(5*day, "c", "high"); b.verify(9*day, "c", "low") }, 374 * day, 12},
		"nothing open any more": {"customer.stale", func(b *book) {
			b.account(0, "c", "opened")
			b.verify(5*day, "c", "high")
			b.account(9*day, "c", "closed")
		}, 0, 0},
		"the oldest of two": {"customer.stale", func(b *book) {
			b.account(0, "c", "opened")
			b.account(0, "d", "opened")
			b.verify(9*day, "d", "low")
			b.verify(5*day, "c", "medium")
		}, 370 * day, 13},
		"two in the same second, of two tiers": {"customer.stale", func(b *book) {
			b.account(0, "c", "opened")
			b.account(0, "d", "opened")
			b.verify(5*day, "d", "high")
			b.verify(5*day, "c", "low")
		}, 370 * day, 13},

		"without an element": {"customer.incomplete", func(b *book) { b.account(day, "c", "opened"); b.verify(5*day, "c", "low", everything[1:]...) }, 5 * day, 11},
		"with every element": {"customer.incomplete", func(b *book) { b.account(day, "c", "opened"); b.verify(5*day, "c", "low", everything...) }, 0, 0},
		"who has no account": {"customer.incomplete", func(b *book) { b.verify(5*day, "c", "low") }, 0, 0},
		"who opens one":      {"customer.incomplete", func(b *book) { b.verify(5*day, "c", "low"); b.account(6*day, "c", "opened") }, 6 * day, 11},
		"who closed it": {"customer.incomplete", func(b *book) {
			b.account(day, "c", "opened")
			b.verify(5*day, "c", "low")
			b.account(6*day, "c", "closed")
		}, 0, 0},
		"one of two is mended": {"customer.incomplete", func(b *book) {
			b.account(day, "c", "opened")
			b.account(day, "d", "opened")
			b.verify(5*day, "c", "low")
			b.verify(6*day, "d", "low")
			b.verify(7*day, "c", "low", everything...)
		}, 5 * day, 12},
		"both are, and another came": {"customer.incomplete", func(b *book) {
			b.account(day, "c", "opened")
			b.account(day, "d", "opened")
			b.verify(5*day, "c", "low")
			b.verify(7*day, "c", "low", everything...)
			b.verify(8*day, "d", "low")
		}, 8 * day, 14},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBook()
			c.life(b)
			p := only(t, c.rule)
			if c.evidence == 0 {
				if open, turns := assess(p, b.h, start.Add(3000*day)); c.rule != "customer.stale" && len(open) > 0 || !turns.IsZero() {
					t.Fatalf("open: %+v, turns %v", open, turns)
				}
				return
			}
			since := start.Add(c.since)
			if open, turns := assess(p, b.h, since.Add(-time.Nanosecond)); len(open) > 0 || !turns.Equal(since) {
				t.Errorf("a nanosecond before: %+v, turns %v", open, turns)
			}
			want := fmt.Sprintf("%s.%s.%d", c.rule, since.Format("20060102T150405Z"), c.evidence)
			for _, now := range []time.Time{since, since.Add(time.Second), since.Add(3000 * day)} {
				open, turns := assess(p, b.h, now)
				if len(open) != 1 || open[0].ID != want || !open[0].Since.Equal(since) || !reflect.DeepEqual(open[0].Evidence, []int64{c.evidence}) {
					t.Fatalf("at %v: %+v, wanted %s", now, open, want)
				}
				if !turns.IsZero() {
					t.Errorf("it turns again at %v", turns)
				}
			}
		})
	}
}

func TestAFindingAboutManyThingsGoesOnUntilNoneFallsShort(t *testing.T) {
	p := only(t, "customer.unverified")
	b := newBook()
	b.account(0, "c", "opened")
	b.account(5*day, "d", "opened")
	b.account(80*day, "e", "opened")
	open, _ := assess(p, b.h, start.Add(31*day))
	first := open[0]
	cured := func() (Cure, bool) { return curedOf(p, b.h, first.Rule, first.Since, first.Evidence) }
	if _, is := cured(); is {
		t.Fatal("cured by nothing")
	}
	b.say(32*day, "", statement.SuspiciousActivity{Certainty: "suspected"})
	if _, is := cured(); is {
		t.Error("cured by a statement about something else")
	}
	b.verify(40*day, "c", "low") // d has waited for more than 30 days by then
	next, _ := assess(p, b.h, start.Add(40*day))
	if _, is := cured(); is || len(next) != 1 || next[0].ID == first.ID || !goesOn(p, b.h, next[0], first.Rule, first.Since, first.Evidence) {
		t.Errorf("the next one fell short already: cured %t, found %+v", is, next)
	}
	leaf := b.verify(41*day, "d", "low")
	if by, is := cured(); !is || by != (Cure{LeafIndex: leaf, AcceptedAt: start.Add(41 * day)}) {
		t.Errorf("nobody waits too long: %+v, %t", by, is)
	}
	if goesOn(p, b.h, next[0], first.Rule, first.Since, first.Evidence) {
		t.Error("it was cured and goes on")
	}
}

func TestAnIncompleteAttestationCuresNoneOfItsOwnAndADocumentOnlyItsOwn(t *testing.T) {
	p := policy.Default()
	b := newBook()
	first := b.attest(12*day, "own", "A", false)
	for name, want := range map[string]bool{"cip.missing": true, "cip.incomplete": false, "cip.copy-missing": false} {
		evidence := []int64{first}
		if name == "cip.missing" {
			evidence = []int64{7}
		}
		if _, cured := curedOf(p, b.h, name, start.Add(12*day), evidence); cured != want {
			t.Errorf("%s: cured %t", name, cured)
		}
	}
	b.attest(13*day, "own", "A", false)
	if _, cured := curedOf(p, b.h, "cip.incomplete", start.Add(12*day), []int64{first}); cured {
		t.Error("saying it again cured it")
	}
	document := b.document(14*day, "A")
	if by, cured := curedOf(p, b.h, "cip.copy-missing", start.Add(42*day), []int64{first}); !cured || by.LeafIndex != document {
		t.Errorf("the document: %+v, %t", by, cured)
	}
	last := b.attest(15*day, "own", "A", true)
	if by, cured := curedOf(p, b.h, "cip.incomplete", start.Add(12*day), []int64{first}); !cured || by.LeafIndex != last {
		t.Errorf("the complete one: %+v, %t", by, cured)
	}
}

// custom is the default policy with no rule but this one.
func custom(t testing.TB, when string) policy.Policy {
	t.Helper()
	file := strings.ReplaceAll(policy.Default().Document(), "on: true", "on: false")
	p, err := policy.Parse([]byte(strings.Replace(file, "\ncase:\n", "\n  custom.ours:\n    on: true\n    when: "+when+
		"\n    severity: serious\n    finding: Too many\n    cure: fewer\n    source: Contract\n    status: ours\n\ncase:\n", 1)))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestACustomRuleHoldsFromTheStatementThatMadeItTrueUntilTheOneThatDidNot(t *testing.T) {
	p := custom(t, "figures.accounts_open > 1 && !('KP' in figures.customers_by_country)")
	b := newBook()
	b.account(day, "c", "opened")
	if open, turns := assess(p, b.h, start.Add(9*day)); len(open) > 0 || !turns.IsZero() {
		t.Fatalf("one account: %+v", open)
	}
	second := b.account(2*day, "d", "opened")
	open, _ := assess(p, b.h, start.Add(9*day))
	if len(open) != 1 || open[0].Rule != "custom.ours" || !open[0].Since.Equal(start.Add(2*day)) || open[0].Evidence[0] != second || open[0].Cures != "fewer" {
		t.Fatalf("two accounts: %+v", open)
	}
	b.verify(3*day, "c", "low")
	f := open[0]
	next, _ := assess(p, b.h, start.Add(9*day))
	if _, cured := curedOf(p, b.h, f.Rule, f.Since, f.Evidence); cured || len(next) != 1 || !goesOn(p, b.h, next[0], f.Rule, f.Since, f.Evidence) {
		t.Errorf("another statement: cured %t, found %+v", cured, next)
	}
	closed := b.account(4*day, "c", "closed")
	if by, cured := curedOf(p, b.h, f.Rule, f.Since, f.Evidence); !cured || by.LeafIndex != closed {
		t.Errorf("one account again: %+v, %t", by, cured)
	}
	if open, _ := assess(p, b.h, start.Add(9*day)); len(open) > 0 {
		t.Errorf("still %+v", open)
	}
}

func TestEveryFigureIsFilled(t *testing.T) {
	h := history.History{Country: "DE", AttestationCount: 1, Figures: history.Figures{
		Statements: 1, Customers: 9, CustomersVerified: 1, CustomersNotVerified: 1, CustomersUS: 1, CustomersUnverified: 1, UnverifiedAccounts: 1,
		CustomersIncomplete: 1, Owners: 1, OwnersVerified: 1, OwnersUS: 1, Accounts: 1, AccountsOpen: 1, AccountsLimited: 1,
		AccountsNotOpened: 1, TrainingsPlanned: 1, TrainingsOccurred: 1, SuspiciousReports: 1,
		CustomersByCountry: map[string]int{"DE": 1}, ForeignOwnersByCountry: map[string]int{"DE": 1},
	}}
	figures := reflect.ValueOf(figuresOf(&h))
	for i := range figures.NumField() {
		if figures.Field(i).IsZero() {
			t.Errorf("%s is always nought", figures.Type().Field(i).Name)
		}
	}
}

func TestARemindersDatesAreThoseBeforeTheFindingThatAreNotOver(t *testing.T) {
	h := life(0)
	for now, want := range map[time.Duration][]time.Duration{
		0: {305 * day, 335 * day, 358 * day}, 305*day - 1: {305 * day, 335 * day, 358 * day}, 305 * day: {335 * day, 358 * day},
		357 * day: {358 * day}, 358 * day: nil,
	} {
		ahead := aheadOf(policy.Default(), h, start.Add(now))
		var dates []time.Time
		for _, at := range want {
			dates = append(dates, start.Add(at))
		}
		if len(ahead) != 1 || !reflect.DeepEqual(ahead[0].Reminders, dates) {
			t.Errorf("at %v: %+v, wanted %v", now, ahead, dates)
		}
	}
	for _, f := range aheadOf(policy.Default(), life(), start) {
		if f.Rule == "cip.missing" && f.Reminders != nil {
			t.Error("a rule without reminders reminds")
		}
	}
}

// every is the default policy with every rule on and a custom one.
func every(t testing.TB) policy.Policy {
	t.Helper()
	file := strings.ReplaceAll(policy.Default().Document(), "on: false", "on: true")
	p, err := policy.Parse([]byte(strings.Replace(file, "\ncase:\n", "\n  custom.ours:\n    on: true\n    when: figures.accounts_open * 2 > figures.customers + 1"+
		"\n    severity: minor\n    finding: Too many\n    cure: fewer\n    source: Contract\n    status: ours\n\ncase:\n", 1)))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// wander states this and that, and calls after each statement.
func wander(t *rapid.T, b *book, after func(now time.Duration)) {
	now := time.Duration(0)
	for range rapid.IntRange(1, 25).Draw(t, "statements") {
		now += time.Duration(rapid.Int64Range(0, int64(40*day)).Draw(t, "after")).Truncate(time.Microsecond)
		customer := rapid.SampledFrom([]string{"c", "d", "e"}).Draw(t, "customer")
		switch rapid.IntRange(0, 8).Draw(t, "what") {
		case 0:
			b.attest(now, rapid.SampledFrom([]string{"own", "adopted"}).Draw(t, "basis"), rapid.SampledFrom([]string{"", "A", "B"}).Draw(t, "copy"), rapid.Bool().Draw(t, "in place"))
		case 1:
			b.document(now, rapid.SampledFrom([]string{"A", "B"}).Draw(t, "document"))
		case 2, 3, 4:
			b.account(now, customer, rapid.SampledFrom([]string{"opened", "opened", "closed"}).Draw(t, "status"))
		case 5:
			b.say(now, "", statement.SuspiciousActivity{Certainty: "suspected"})
		default:
			b.verify(now, customer, rapid.SampledFrom([]string{"low", "medium", "high"}).Draw(t, "tier"), everything[rapid.IntRange(0, 1).Draw(t, "missing"):]...)
		}
		after(now)
	}
}

func TestWithEveryRuleOnTheAnswerTurnsWhenItSaysAndIsTheSameEachTime(t *testing.T) {
	p := every(t)
	rapid.Check(t, func(t *rapid.T) {
		b := newBook()
		wander(t, b, func(now time.Duration) {
			at := start.Add(now)
			for range 12 {
				open, turns := assess(p, b.h, at)
				if again, same := assess(p, b.h, at); !reflect.DeepEqual(open, again) || !same.Equal(turns) {
					t.Fatalf("asked twice: %+v and %+v", open, again)
				}
				if turns.IsZero() {
					if later, _ := assess(p, b.h, at.Add(20000*day)); !reflect.DeepEqual(later, open) {
						t.Fatalf("said never, and turned from %+v to %+v", open, later)
					}
					return
				}
				before, _ := assess(p, b.h, turns.Add(-time.Nanosecond))
				then, _ := assess(p, b.h, turns)
				if !turns.After(at) || !reflect.DeepEqual(before, open) || len(then) <= len(open) {
					t.Fatalf("at %v turns at %v: open %+v, before %+v, then %+v", at, turns, open, before, then)
				}
				at = turns
			}
			t.Fatal("it turns for ever")
		})
	})
}

func TestAFindingThatIsOpenIsFoundAgainUntilAnEntryCuresIt(t *testing.T) {
	p := every(t)
	rapid.Check(t, func(t *rapid.T) {
		b := newBook()
		open := map[string]Finding{} // as escalation keeps them
		wander(t, b, func(now time.Duration) {
			found, _ := assess(p, b.h, start.Add(now))
			for id, f := range open {
				by, cured := curedOf(p, b.h, f.Rule, f.Since, f.Evidence)
				still := false
				for _, g := range found {
					still = still || g.ID == id || goesOn(p, b.h, g, f.Rule, f.Since, f.Evidence)
				}
				switch {
				case still && cured && f.Rule != "cip.missing" && f.Rule != "cip.stale":
					for _, g := range found {
						if g.ID == id {
							t.Fatalf("open and cured by %+v: %+v", by, f)
						}
					}
				case !still && !cured:
					t.Fatalf("after entry %d forgotten: %+v; found %+v", b.leaf, f, found)
				}
				if cured {
					if by.LeafIndex <= f.Evidence[0] || by.LeafIndex > b.leaf || by.AcceptedAt.IsZero() {
						t.Fatalf("cured by %+v: %+v", by, f)
					}
					delete(open, id)
				}
			}
			for _, f := range found {
				known := false
				for _, o := range open {
					known = known || o.ID == f.ID || goesOn(p, b.h, f, o.Rule, o.Since, o.Evidence)
				}
				if !known {
					open[f.ID] = f
				}
			}
			if len(open) != len(found) {
				t.Fatalf("after entry %d open %+v\nfound %+v", b.leaf, open, found)
			}
		})
	})
}

// What judging a reseller costs with every rule on: of each rule something is ahead or open.
func BenchmarkAssess(b *testing.B) {
	book := newBook()
	book.attest(day, "own", "A", false)
	for i := range 100 {
		book.account(time.Duration(i)*time.Hour, fmt.Sprint("c", i), "opened")
		if i%10 > 0 {
			book.verify(time.Duration(i)*time.Hour, fmt.Sprint("c", i), "low")
		}
	}
	for _, c := range []struct {
		name string
		p    policy.Policy
	}{{"shipped", policy.Default()}, {"every rule and a custom one", every(b)}} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if open, _ := assess(c.p, book.h, start.Add(100*day)); len(open) < 3 {
					b.Fatal(open)
				}
			}
		})
	}
}
