package escalation

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/resellers/findings"
	"github.com/cipgate/cipgate/resellers/history"
	"github.com/cipgate/cipgate/resellers/policy"
)

const (
	reseller envelope.Entity = "https://reseller.example"
	gateway  envelope.Entity = "https://gateway.example"
	day                      = 24 * time.Hour
)

// start is day 0 of every life and story.
var start = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// tester is what testing.T, testing.B and rapid.T share.
type tester interface {
	Helper()
	Fatalf(format string, args ...any)
}

// life is one reseller with the ledger and the docket around it, in memory: it does what the docket does, in the same
// order, and checks after each decision what must always hold.
type life struct {
	t       tester
	policy  policy.Policy
	assess  func(policy.Policy, history.History, time.Time) ([]findings.Finding, time.Time)
	entries []statement.Entry
	history history.History
	c       Case
	house   House
	next    Step
	wake    time.Time // zero: never
	jtis    map[string]bool
	records records
}

// records are what a life's entries name beside the reseller, as the docket keeps them.
type records struct {
	customers map[string]history.Customer
	accounts  map[string]history.Account
}

func newRecords() records {
	return records{customers: map[string]history.Customer{}, accounts: map[string]history.Account{}}
}

// fold folds an entry with the customer that it names, if any. Each customer of a life has one account.
func (r records) fold(h history.History, e statement.Entry) history.History {
	if e.Customer == "" {
		return h.With(e)
	}
	var after history.Records
	h, after = h.WithRecords(history.Records{Customer: r.customers[e.Customer], Account: r.accounts[e.Customer]}, e)
	r.customers[e.Customer], r.accounts[e.Customer] = after.Customer, after.Account
	waiting, gone := h.Waiting.With([]history.Customer{after.Customer})
	for range gone {
		for _, c := range r.customers {
			if q, waiter, waits := c.Waits(); waits {
				waiting.Join(q, waiter)
			}
		}
	}
	h.Waiting = waiting
	return h
}

// ladderAlone is the shipped policy without the rules about orders and contacts, which have tests of their own: those of the ladder are
// about a reseller that falls short in one thing.
func ladderAlone() policy.Policy {
	p := policy.Default()
	p.Rules.OrderOverdue.On, p.Rules.ContactUnreachable.On = false, false
	return p
}

// automatically is the shipped policy with every step automatic: what it is silent about ends in termination.
func automatically() policy.Policy {
	p := ladderAlone()
	p.Case.Approvals, p.Case.Proof = policy.Approvals{}, policy.Proof{}
	return p
}

func newLife(t tester) *life {
	return &life{t: t, policy: automatically(), assess: assessed, jtis: map[string]bool{}, records: newRecords()}
}

// take commits an entry and folds it.
func (l *life) take(by envelope.Entity, at time.Time, jti string, s statement.Statement) {
	// Other resellers' entries stand between.
	l.takeOf("", by, at, jti, s)
}

// takeOf is take for an entry that names a customer.
func (l *life) takeOf(customer string, by envelope.Entity, at time.Time, jti string, s statement.Statement) {
	e := statement.Entry{LeafIndex: l.history.Seen() + 3, AcceptedAt: at, About: reseller, By: by, JTI: jti, Customer: customer, Statement: s}
	l.entries = append(l.entries, e)
	l.history, l.c = l.records.fold(l.history, e), l.c.With(e)
}

// account states that a customer's account was opened or closed.
func (l *life) account(at time.Time, customer, status string) {
	l.takeOf(customer, reseller, at, fmt.Sprint("account ", len(l.entries)),
		statement.AccountStatus{Account: "a", Status: status, On: statement.DateOf(at)})
}

// verify states that a customer was verified, with every element that is asked for.
func (l *life) verify(at time.Time, customer string) {
	l.takeOf(customer, reseller, at, fmt.Sprint("verification ", len(l.entries)), statement.CustomerVerification{
		Party: "customer", Form: "individual", Result: "verified", CheckedOn: statement.DateOf(at), RiskTier: "low",
		Collected: []string{"name", "address", "payment", "email", "telephone", "ip-addresses"}})
}

// attestIncomplete attests a program of which one element is not in place.
func (l *life) attestIncomplete(at time.Time) {
	e := statement.Element{InPlace: true}
	l.take(reseller, at, "attestation", statement.CIPAttestation{Occasion: "change", Basis: "own", Elements: &statement.Elements{
		WrittenProgram: e, IdentificationData: e, AccessAddresses: e, IdentityVerification: e, BeneficialOwners: e,
		UnverifiedNoAccount: e, UnverifiedLimitedUse: e, UnverifiedClosure: e, UnverifiedRedress: e, Reverification: e,
		RecordRetention: e, CustomerDisclosure: e, ThirdPartyAccess: e, AIMisuse: e, RedFlags: statement.Element{}}})
}

func (l *life) enrol(at time.Time) {
	l.take(gateway, at, "enrolment", statement.EntityEnrolled{Entity: reseller, Name: "Example", Country: "DE"})
}

func (l *life) attest(at time.Time, occasion string) {
	l.take(reseller, at, "attestation", statement.CIPAttestation{Occasion: occasion})
}

func (l *life) exempt(at, until time.Time) {
	l.take(gateway, at, "exemption", statement.ExemptionGranted{Exemption: "e-1", GrantedBy: "Secretary", Until: until, Reference: "R-1"})
}

func (l *life) withdraw(at time.Time) {
	l.take(gateway, at, "withdrawal", statement.ExemptionWithdrawn{Exemption: "e-1", Reason: "revoked"})
}

// settle judges the reseller, as the docket does, and returns what was stated: once more where a case ended, for what falls short still
// is decided in a commit of its own.
func (l *life) settle(now time.Time) []statement.Statement {
	l.t.Helper()
	before := l.c.ID
	state := l.judge(now)
	if before != "" && l.c.ID != before {
		state = append(state, l.judge(now)...)
	}
	return state
}

// judge is one commit.
func (l *life) judge(now time.Time) []statement.Statement {
	l.t.Helper()
	before := l.c.ID
	found, turns := l.assess(l.policy, l.history, now)
	state, next, err := Decide(&l.policy, reseller, l.c, l.history, l.house, found, now)
	if err != nil {
		l.t.Fatalf("at %v: %v", now, err)
	}
	if again, _, _ := Decide(&l.policy, reseller, l.c, l.history, l.house, found, now); !reflect.DeepEqual(again, state) {
		l.t.Fatalf("decided twice at %v:\n%v\n%v", now, state, again)
	}
	assumed := l.c
	for _, s := range state {
		assumed = assumed.after(s, -1)
	}
	committed := now.Add(3 * time.Millisecond) // a commit takes its time
	for _, s := range state {
		jti := ID(reseller, s)
		if l.jtis[jti] {
			l.t.Fatalf("at %v a second statement under the jti of an earlier one: %+v", now, s)
		}
		l.jtis[jti] = true
		l.take(gateway, committed, jti, readBack(l.t, s))
	}
	if len(state) > 0 {
		l.checkFold(assumed, now, before != "" && assumed.ID != before)
	}
	if !next.At.IsZero() && next.Waits == "" && !next.At.After(wholeSecond(now)) {
		l.t.Fatalf("at %v the next step is due already: %+v", now, next)
	}
	l.next, l.wake = next, Wake(next, turns)
	return state
}

// checkFold checks that the case that came out of the ledger is the one that Decide assumed, that there is nothing left
// to state unless the case ended, and that case and history read back from JSON as they were.
func (l *life) checkFold(assumed Case, now time.Time, ended bool) {
	l.t.Helper()
	found, _ := l.assess(l.policy, l.history, now)
	if more, _, _ := Decide(&l.policy, reseller, l.c, l.history, l.house, found, now); len(more) > 0 && !ended {
		l.t.Fatalf("at %v, after everything was stated, still to state: %+v", now, more)
	}
	got := l.c
	assumed.Next, got.Next = 0, 0
	got.Findings = slices.Clone(got.Findings)
	for i := range got.Findings {
		got.Findings[i].Leaf = 0
	}
	assumed.Findings = slices.Clone(assumed.Findings)
	for i := range assumed.Findings {
		assumed.Findings[i].Leaf = 0
	}
	assumed.Told.Notices, got.Told.Notices = nil, nil // whoever decides does not know them yet
	if !reflect.DeepEqual(got, assumed) {
		l.t.Fatalf("at %v\nassumed %+v\nfolded  %+v", now, assumed, got)
	}
	if back := through(l.t, l.c); !reflect.DeepEqual(back, l.c) {
		l.t.Fatalf("a case read back as another:\n%+v\n%+v", l.c, back)
	}
	if back := through(l.t, l.history); !reflect.DeepEqual(back, l.history) {
		l.t.Fatalf("a history read back as another:\n%+v\n%+v", l.history, back)
	}
}

// run settles at now and at every time at which the docket would be woken until then.
func (l *life) run(from, until time.Time) {
	l.t.Helper()
	l.settle(from)
	for !l.wake.IsZero() && !l.wake.After(until) {
		at := l.wake
		if l.settle(at); l.wake.Equal(at) {
			l.t.Fatalf("woken at %v, and asked to be woken then again; next %+v", at, l.next)
		}
	}
}

// replayed folds all entries again from nothing.
func (l *life) replayed() (history.History, Case) {
	var h history.History
	var c Case
	again := newRecords()
	for _, e := range l.entries {
		h, c = again.fold(h, e), c.With(e)
	}
	return h, c
}

// through sends a value through JSON.
func through[T any](t tester, v T) T {
	t.Helper()
	text, err := json.Marshal(v, json.Deterministic(true))
	if err != nil {
		t.Fatalf("writing %T: %v", v, err)
	}
	var back T
	if err := json.Unmarshal(text, &back, json.RejectUnknownMembers(true)); err != nil {
		t.Fatalf("reading %T back: %v", v, err)
	}
	return back
}

// readBack is the statement as it stands in the ledger.
func readBack(t tester, s statement.Statement) statement.Statement {
	t.Helper()
	switch s := s.(type) {
	case statement.FindingOpened:
		return through(t, s)
	case statement.FindingCured:
		return through(t, s)
	case statement.StandingChanged:
		return through(t, s)
	case statement.WarningIssued:
		return through(t, s)
	case statement.RestrictionOrdered:
		return through(t, s)
	case statement.ClosureOrdered:
		return through(t, s)
	case statement.OrderWithdrawn:
		return through(t, s)
	case statement.RelationshipTerminated:
		return through(t, s)
	case statement.HandOverOrdered:
		return through(t, s)
	case statement.LimitPassed:
		return through(t, s)
	}
	t.Fatalf("Decide stated a %T", s)
	return nil
}

// line is one thing that happened, in the words of a story.
type line struct {
	at   time.Time
	what string
}

func (l line) String() string { return onDay(l.at) + "  " + l.what }

// onDay writes a time as stories do: "day 44", or "day 44 00:00:01".
func onDay(at time.Time) string {
	since := at.Sub(start)
	s := fmt.Sprintf("day %d", since/day)
	if rest := since % day; rest != 0 {
		s += fmt.Sprintf(" %02d:%02d:%02d", rest/time.Hour, rest%time.Hour/time.Minute, rest%time.Minute/time.Second)
	}
	return s
}

// told says in the words of a story what the gateway stated, in order.
func (l *life) told() []line {
	var told []line
	for _, e := range l.entries {
		var at time.Time
		var what string
		switch s := e.Statement.(type) {
		case statement.FindingOpened:
			at, what = s.Basis.Now, "opens "+s.Rule
		case statement.FindingCured:
			at, what = s.Basis.Now, "cures "+s.Rule
		case statement.RestrictionOrdered:
			at, what = s.Basis.Now, "orders "+s.Order
		case statement.ClosureOrdered:
			at, what = s.Basis.Now, "orders "+s.Scope
		case statement.OrderWithdrawn:
			at, what = s.Basis.Now, "withdraws "+s.Order
		case statement.StandingChanged:
			at, what = s.Basis.Now, s.After
		case statement.LimitPassed:
			at, what = s.Basis.Now, "passes limit"
		default:
			continue
		}
		told = append(told, line{at, what})
	}
	return told
}

func lines(told []line) string {
	words := make([]string, len(told))
	for i, l := range told {
		words[i] = "  expect " + l.String()
	}
	return strings.Join(words, "\n")
}

// assessed is findings.Assess of values, which some tests have in its place.
func assessed(p policy.Policy, h history.History, now time.Time) ([]findings.Finding, time.Time) {
	return findings.Assess(&p, &h, now)
}
