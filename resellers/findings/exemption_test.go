package findings

import (
	"reflect"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/resellers/history"
	"github.com/cipgate/cipgate/resellers/policy"
)

// exempt folds an exemption into a life, from this time on until that.
func exempt(h history.History, from, until time.Duration) history.History {
	return h.With(statement.Entry{LeafIndex: h.Next + 3, AcceptedAt: start.Add(from), About: reseller, By: gateway,
		Statement: statement.ExemptionGranted{Exemption: "e", Until: start.Add(until)}})
}

func withdrawn(h history.History, at time.Duration) history.History {
	return h.With(statement.Entry{LeafIndex: h.Next + 3, AcceptedAt: start.Add(at), About: reseller, By: gateway,
		Statement: statement.ExemptionWithdrawn{Exemption: "e"}})
}

func TestUnderAnExemptionTheRulesOfTheProgramAreNotApplied(t *testing.T) {
	never := time.Duration(-1)
	for name, c := range map[string]struct {
		history history.History
		now     time.Duration
		open    string // id
		turns   time.Duration
	}{
		"exempt before anything was due":             {exempt(life(), 5*day, 400*day), 31 * day, "", 400 * day},
		"a nanosecond before it ends":                {exempt(life(), 5*day, 400*day), 400*day - time.Nanosecond, "", 400 * day},
		"at its end the whole time begins":           {exempt(life(), 5*day, 400*day), 400 * day, "", 430 * day},
		"which passes too":                           {exempt(life(), 5*day, 400*day), 430 * day, "cip.missing.20270307T000000Z", never},
		"exempt when the first attestation was late": {exempt(life(), 40*day, 400*day), 41 * day, "", 400 * day},
		"withdrawn":                                    {withdrawn(exempt(life(), 5*day, 400*day), 50*day), 50 * day, "", 80 * day},
		"withdrawn before it bore on anything":         {withdrawn(exempt(life(12*day), 20*day, 400*day), 50*day), 50 * day, "", 377 * day},
		"a year passes under it":                       {exempt(life(12*day), 20*day, 400*day), 399 * day, "", 400 * day},
		"and is over as it ends":                       {exempt(life(12*day), 20*day, 400*day), 400 * day, "cip.stale.20270205T000000Z", never},
		"an exemption that ends before a year is over": {exempt(life(12*day), 20*day, 100*day), 100 * day, "", 377 * day},
		"the same, when the year is over":              {exempt(life(12*day), 20*day, 100*day), 377 * day, "cip.stale.20270113T000000Z", never},
		"extended before it ended":                     {exempt(exempt(life(), 5*day, 50*day), 40*day, 90*day), 60 * day, "", 90 * day},
		"exempt anew after a time without":             {exempt(exempt(life(), 5*day, 50*day), 85*day, 90*day), 86 * day, "", 90 * day},
	} {
		t.Run(name, func(t *testing.T) {
			open, turns := assess(policy.Default(), c.history, start.Add(c.now))
			var id string
			if len(open) > 0 {
				id = open[0].ID
			}
			if id != c.open || len(open) > 1 {
				t.Errorf("open: %+v, wanted %q", open, c.open)
			}
			if c.turns == never && !turns.IsZero() || c.turns != never && !turns.Equal(start.Add(c.turns)) {
				t.Errorf("the answer turns at %v, wanted %v", turns, c.turns)
			}
		})
	}
}

func TestAFindingAfterAnExemptionNamesWhatEndedIt(t *testing.T) {
	h := withdrawn(exempt(life(), 5*day, 400*day), 50*day)
	open, _ := assess(policy.Default(), h, start.Add(80*day))
	if len(open) != 1 || !reflect.DeepEqual(open[0].Evidence, []int64{7, h.Exempt.EndLeaf}) {
		t.Errorf("got %+v", open)
	}
	if _, cured := curedOf(policy.Default(), h, open[0].Rule, open[0].Since, open[0].Evidence); cured {
		t.Error("an exemption that is over cured what opened after it")
	}
}

func TestAnExemptionCuresWhatWasOpenOfTheProgramAndNothingElse(t *testing.T) {
	h := exempt(life(), 40*day, 400*day)
	since := start.Add(30 * day)
	by, cured := curedOf(policy.Default(), h, "cip.missing", since, []int64{7})
	if want := (Cure{LeafIndex: h.Exempt.LeafIndex, AcceptedAt: start.Add(40 * day)}); !cured || by != want {
		t.Errorf("cured by %+v, %t, wanted %+v", by, cured, want)
	}
	for _, rule := range []string{"customer.prohibited", "report.late", "order.overdue", "evidence.recorded", "cipher.weak"} {
		if _, cured := curedOf(policy.Default(), h, rule, since, []int64{7}); cured {
			t.Errorf("it cured %s, which binds all the same", rule)
		}
	}
	attested := exempt(life(35*day), 40*day, 400*day)
	if by, cured := curedOf(policy.Default(), attested, "cip.missing", since, []int64{7}); !cured || by.LeafIndex != 10 {
		t.Errorf("the attestation came first, and it was cured by %+v, %t", by, cured)
	}
}

// What fell short in the second in which an exemption was withdrawn, and behind it, was never under it, also where the rule is off by then
// and nobody finds it any more.
func TestAnExemptionThatIsOverCuresNothingThatCameBehindIt(t *testing.T) {
	second := 50 * day
	short := func(h history.History, at time.Duration) (history.History, int64) {
		incomplete := statement.CIPAttestation{Elements: &statement.Elements{}}
		h = h.With(statement.Entry{LeafIndex: h.Next + 3, AcceptedAt: start.Add(at), About: reseller, By: reseller, Statement: incomplete})
		return h, h.Next - 1
	}
	behind, leaf := short(withdrawn(exempt(life(), 5*day, 400*day), second+100*time.Millisecond), second+100*time.Millisecond)
	since := start.Add(second)
	open, _ := assess(policy.Default(), behind, since.Add(time.Second))
	if !slices.ContainsFunc(open, func(f Finding) bool {
		return f.Rule == "cip.incomplete" && f.Since.Equal(since) && slices.Equal(f.Evidence, []int64{leaf})
	}) {
		t.Fatalf("open: %+v", open)
	}
	if by, cured := curedOf(policy.Default(), behind, "cip.incomplete", since, []int64{leaf}); cured {
		t.Errorf("cured by %+v", by)
	}
	before, leaf := short(life(), second)
	before = withdrawn(exempt(before, second+time.Millisecond, 400*day), second+100*time.Millisecond)
	if by, cured := curedOf(policy.Default(), before, "cip.incomplete", since, []int64{leaf}); !cured || by.LeafIndex != before.Exempt.LeafIndex {
		t.Errorf("what came before it: cured by %+v, %t", by, cured)
	}
}

// Under an exemption there is time until its end, and be it a part of a second: an outage in which it ends gives that back.
func TestAnExemptionGivesTheTimeUntilItsEnd(t *testing.T) {
	for at, given := range map[time.Duration]bool{49 * day: true, 50*day - time.Microsecond: true, 50 * day: false, 50*day + time.Microsecond: false} {
		h := exempt(life(), 5*day, 50*day)
		h = h.With(statement.Entry{LeafIndex: h.Next + 3, AcceptedAt: start.Add(at), About: reseller, By: reseller,
			Statement: statement.CIPAttestation{Elements: &statement.Elements{}}})
		open, _ := assess(policy.Default(), h, start.Add(50*day))
		i := slices.IndexFunc(open, func(f Finding) bool { return f.Rule == "cip.incomplete" })
		if i < 0 || !open[i].Since.Equal(start.Add(50*day)) || open[i].Given != given {
			t.Errorf("attested after %v: %+v, wanted given %t", at, open, given)
		}
	}
}

func TestARuleBesideTheProgramHoldsUnderAnExemption(t *testing.T) {
	h := exempt(life(), 5*day, 400*day)
	for name, bound := range map[string]bool{"cip.missing": false, "cip.copy-missing": false, "customer.prohibited": true, "report.late": true} {
		rule := policy.Rule{Name: name, After: policy.Number{Value: policy.Duration(30 * day)}}
		if got := afterExemption(rule, false, h.Exempt, start).IsZero(); got != bound {
			t.Errorf("%s: bound %v, wanted %v", name, got, bound)
		}
	}
}

func TestTheAnswerTurnsUnderAnExemptionAtTheTimeItSays(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := draw(t)
		from := time.Duration(rapid.Int64Range(0, int64(1500*day)).Draw(t, "from"))
		until := from + time.Duration(rapid.Int64Range(1, int64(1000*day)).Draw(t, "for"))
		h = exempt(h, from, until.Truncate(time.Second)+time.Second)
		if rapid.Bool().Draw(t, "withdrawn") {
			h = withdrawn(h, from+(until-from)/2)
		}
		now := start.Add(time.Duration(rapid.Int64Range(0, int64(3000*day)).Draw(t, "now")))
		open, turns := assess(policy.Default(), h, now)
		if h.Exempt.In(now) && len(open) > 0 {
			t.Fatalf("open under an exemption: %+v", open)
		}
		if turns.IsZero() {
			if later, _ := assess(policy.Default(), h, now.Add(5000*day)); !reflect.DeepEqual(later, open) {
				t.Fatalf("said never, and turned from %+v to %+v", open, later)
			}
			return
		}
		if !turns.After(now) {
			t.Fatalf("at %v the answer turns at %v", now, turns)
		}
		if before, _ := assess(policy.Default(), h, turns.Add(-time.Nanosecond)); !reflect.DeepEqual(before, open) {
			t.Fatalf("turned before %v: %+v to %+v", turns, open, before)
		}
		for _, f := range open {
			if _, cured := curedOf(policy.Default(), h, f.Rule, f.Since, f.Evidence); cured {
				t.Fatalf("open and cured: %+v", f)
			}
		}
	})
}
