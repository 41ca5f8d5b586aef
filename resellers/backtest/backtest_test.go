package backtest_test

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/resellers/backtest"
	"github.com/cipgate/cipgate/resellers/escalation"
	"github.com/cipgate/cipgate/resellers/findings"
	"github.com/cipgate/cipgate/resellers/history"
	"github.com/cipgate/cipgate/resellers/policy"
)

const (
	gateway  envelope.Entity = "https://provider.example"
	reseller envelope.Entity = "https://provider.example/e/reseller"
	day                      = 24 * time.Hour
)

var start = time.Date(2026, 1, 1, 8, 0, 0, 0, time.UTC)

// file is a policy under which every step is taken by itself.
func file(t interface{ Fatal(...any) }) string {
	text, err := os.ReadFile("../policy/testdata/us-iaas-2024.2.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func earlier(t interface{ Fatal(...any) }, text string) policy.Policy {
	p, err := policy.ParseEarlier([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// past is a ledger about one reseller, with what the deciders stated live.
type past struct {
	t       interface{ Fatal(...any) }
	policy  policy.Policy
	history history.History
	c       escalation.Case
	entries []statement.Entry
	wake    time.Time
}

func (p *past) fold(at time.Time, by envelope.Entity, said statement.Statement) {
	e := statement.Entry{LeafIndex: p.history.Next + 3, AcceptedAt: at, About: reseller, By: by, JTI: fmt.Sprint("jti-", len(p.entries)), Statement: said}
	p.entries = append(p.entries, e)
	p.history, p.c = p.history.With(e), p.c.With(e)
}

func (p *past) judge(now time.Time) {
	found, turns := findings.Assess(&p.policy, &p.history, now)
	states, next, err := escalation.Decide(&p.policy, reseller, p.c, p.history, escalation.House{}, found, now)
	if err != nil {
		p.t.Fatal(err)
	}
	for _, said := range states {
		p.fold(now, gateway, said)
	}
	p.wake = escalation.Wake(next, turns)
}

// runTo wakes the deciders whenever they asked for it.
func (p *past) runTo(to time.Time) {
	for !p.wake.IsZero() && !p.wake.After(to) {
		p.judge(p.wake)
	}
}

func (p *past) says(at time.Time, by envelope.Entity, said statement.Statement) {
	p.runTo(at)
	if p.c.Standing == escalation.Terminated && by == reseller {
		return // refused at the door
	}
	p.fold(at, by, said)
	p.judge(at)
}

func enrolled() statement.EntityEnrolled {
	return statement.EntityEnrolled{Name: "Reseller", Country: "PT", Superior: gateway}
}

func attested(at time.Time) statement.CIPAttestation {
	return statement.CIPAttestation{Occasion: "annual", AttestedOn: statement.DateOf(at)}
}

// drawn is a past with random gaps between attestations.
func drawn(t *rapid.T, p policy.Policy) (*past, time.Time) {
	lived := &past{t: t, policy: p}
	now := start
	lived.says(now, gateway, enrolled())
	for range rapid.IntRange(0, 6).Draw(t, "attestations") {
		now = now.Add(time.Duration(rapid.Int64Range(1, int64(450*day/time.Microsecond)).Draw(t, "gap")) * time.Microsecond)
		lived.says(now, reseller, attested(now))
	}
	now = now.Add(time.Duration(rapid.Int64Range(0, int64(450*day/time.Second)).Draw(t, "quiet")) * time.Second)
	lived.runTo(now)
	return lived, now
}

func replayed(t interface{ Fatal(...any) }, p policy.Policy, entries []statement.Entry, until time.Time) []backtest.Stated {
	r := backtest.New(p, nil, reseller)
	for _, e := range entries {
		if err := r.Take(e); err != nil {
			t.Fatal(err)
		}
	}
	lines, err := r.Until(until)
	if err != nil {
		t.Fatal(err)
	}
	return lines
}

func was(entries []statement.Entry) []backtest.Stated {
	var lines []backtest.Stated
	for _, e := range entries {
		if line, happened := backtest.Was(e); happened {
			lines = append(lines, line)
		}
	}
	return lines
}

func TestUnderThePolicyOfThenEverythingHappensAsItDid(t *testing.T) {
	p := earlier(t, file(t))
	rapid.Check(t, func(t *rapid.T) {
		lived, until := drawn(t, p)
		got, wanted := replayed(t, p, lived.entries, until), was(lived.entries)
		if !slices.Equal(got, wanted) {
			t.Fatalf("replayed\n%v\nwanted\n%v", got, wanted)
		}
		report := backtest.NewReport(p, until)
		report.Add(reseller, len(lived.entries), wanted, got)
		if report.Differing != 0 || !maps.Equal(report.Was.Findings, report.Would.Findings) || report.Was.Terminated != report.Would.Terminated {
			t.Fatalf("%+v", report)
		}
	})
}

// stricter asks for the first attestation within 10 days instead of 30.
func stricter(t *testing.T) policy.Policy {
	text := file(t)
	mended := strings.Replace(strings.Replace(text, "value: 30d", "value: 10d", 1), "version: 2", "version: 9", 1)
	if mended == text {
		t.Fatal("the policy's numbers are no longer where this test changes them")
	}
	return earlier(t, mended)
}

func TestAStricterPolicyWouldHaveWarnedSooner(t *testing.T) {
	lived := &past{t: t, policy: earlier(t, file(t))}
	lived.says(start, gateway, enrolled())
	lived.says(start.Add(20*day), reseller, attested(start.Add(20*day)))
	until := start.Add(100 * day)
	lived.runTo(until)

	got := replayed(t, stricter(t), lived.entries, until)
	wanted := []backtest.Stated{
		{At: start.Add(10 * day), What: backtest.FindingOpened, Rule: "cip.missing"},
		{At: start.Add(10 * day), What: "warned"},
		{At: start.Add(20 * day), What: "good"},
	}
	alike := func(a, b backtest.Stated) bool { return a.At.Equal(b.At) && a.What == b.What && a.Rule == b.Rule }
	if !slices.EqualFunc(got, wanted, alike) {
		t.Fatalf("got %v", got)
	}
	report := backtest.NewReport(policy.Policy{Name: "stricter"}, until)
	report.Add(reseller, len(lived.entries), was(lived.entries), got)
	if report.Differing != 1 || report.Would.Warned != 1 || report.Was.Warned != 0 || len(report.Differences) != 1 || len(report.Differences[0].Was) != 0 {
		t.Errorf("%+v", report)
	}
}

func TestAfterATerminationSilenceTellsNothing(t *testing.T) {
	lived := &past{t: t, policy: stricter(t)}
	lived.says(start, gateway, enrolled())
	lived.runTo(start.Add(300 * day))
	if lived.c.Standing != escalation.Terminated {
		t.Fatalf("it stands at %s", lived.c.Standing)
	}
	// Terminated on day 39 under the stricter one. Under the other it is warned on day 30 and has time until day 44.
	got := replayed(t, earlier(t, file(t)), lived.entries, start.Add(300*day))
	if last := got[len(got)-1]; last.What != "warned" {
		t.Errorf("the replay ends with %+v", last)
	}
}

// Whoever must approve has approved, so a replay under the shipped policy comes as far as the automatic one.
func TestApprovalsAreGivenWhenTheyAreAskedFor(t *testing.T) {
	lived := &past{t: t, policy: earlier(t, file(t))}
	lived.says(start, gateway, enrolled())
	got := replayed(t, policy.Default(), lived.entries, start.Add(100*day))
	var standings []string
	for _, line := range got {
		if line.What != backtest.FindingOpened {
			standings = append(standings, fmt.Sprintf("%s on day %g", line.What, line.At.Sub(start).Hours()/24))
		}
	}
	// And its notices are taken as proved when an officer would be asked to call, so each step comes at its time.
	if wanted := []string{"warned on day 30", "restricted on day 44", "closing on day 51", "terminated on day 59"}; !slices.Equal(standings, wanted) {
		t.Errorf("got %v, wanted %v", standings, wanted)
	}
}

// Who has waited longest is the same as if all customers were looked at each time. Of four or fewer, two are too large a share.
func TestWhoWaitedLongestIsFoundAmongManyCustomers(t *testing.T) {
	text := strings.Replace(file(t), "version: 2", "version: 9", 1)
	p := earlier(t, text)
	rapid.Check(t, func(t *rapid.T) {
		r := backtest.New(p, nil, reseller)
		entries := []statement.Entry{{AcceptedAt: start, About: reseller, By: gateway, Statement: enrolled()}}
		since := map[string]time.Time{}
		var many time.Time // since when two or more are unverified
		now := start.Add(day)
		take := func(customer string, said statement.Statement) {
			entries = append(entries, statement.Entry{LeafIndex: int64(len(entries)), AcceptedAt: now, About: reseller, By: reseller, Customer: customer,
				JTI: fmt.Sprint(len(entries)), Statement: said})
		}
		take("", attested(now))
		for range rapid.IntRange(1, 25).Draw(t, "statements") {
			now = now.Add(time.Duration(rapid.IntRange(1, 30).Draw(t, "hours")) * time.Hour)
			customer := rapid.SampledFrom([]string{"a", "b", "c", "d"}).Draw(t, "customer")
			if _, waits := since[customer]; !waits {
				take(customer, statement.AccountStatus{Account: "1", Status: "opened", On: statement.DateOf(now), Plan: "paid", Products: []string{"storage"}})
				since[customer] = now
			} else if rapid.Bool().Draw(t, "verified") {
				take(customer, statement.CustomerVerification{Party: "customer", Form: "individual", Result: "verified", CheckedOn: statement.DateOf(now),
					RiskTier: "low", Method: "documentary", Countries: &statement.Countries{Home: "BR"},
					Collected: []string{"name", "address", "payment", "email", "telephone", "ip-addresses"}})
				since[customer] = time.Time{}
			}
			waiting := 0
			for _, at := range since {
				if !at.IsZero() {
					waiting++
				}
			}
			if waiting < 2 {
				many = time.Time{}
			} else if many.IsZero() {
				many = now
			}
		}
		for _, e := range entries {
			if err := r.Take(e); err != nil {
				t.Fatal(err)
			}
		}
		lines, err := r.Until(now.Add(29 * day))
		if err != nil {
			t.Fatal(err)
		}
		var first time.Time
		for _, at := range since {
			if !at.IsZero() && (first.IsZero() || at.Before(first)) {
				first = at
			}
		}
		if !many.IsZero() && many.Before(first) {
			first = many // the first of those is verified by now, and there were others all the time
		}
		opened := slices.IndexFunc(lines, func(l backtest.Stated) bool { return l.Rule == policy.CustomerUnverified })
		due := first.Add(30 * day)
		if wanted := !first.IsZero() && !due.After(now.Add(29*day)); wanted && opened < 0 {
			t.Fatalf("nobody verified who waits, or too many, since %s, and no finding: %v", first, lines)
		} else if !wanted && opened >= 0 && lines[opened].At.After(now) {
			t.Fatalf("a finding at %s though the first waits, or too many do, since %s", lines[opened].At, first)
		}
	})
}
