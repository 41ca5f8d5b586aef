package findings

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/resellers/policy"
)

// A second formulation of every rule: slow, over all that was said, with the numbers of standing.md written out, and without a line of
// the package or of history. It knows only whether a rule falls short at a moment; when it opens, what cures it and what is ahead
// follow by asking that at every moment at which anything can turn.
type oracle struct {
	said []event
}

type event struct {
	leaf     int64
	at       time.Time
	customer string
	said     statement.Statement
}

func (o *oracle) until(t time.Time) []event {
	i := 0
	for i < len(o.said) && !o.said[i].at.After(t) {
		i++
	}
	return o.said[:i]
}

// short says whether a rule falls short at a moment, as far as anything was said until then.
func (o *oracle) short(rule string, t time.Time) bool {
	said := o.until(t)
	passed := func(since time.Time, days float64) bool {
		return !t.Before(since.Add(time.Duration(days * float64(day))))
	}
	switch rule {
	case "cip.missing":
		return len(attestations(said)) == 0 && passed(start, 30)
	case "cip.stale":
		all := attestations(said)
		return len(all) > 0 && passed(all[len(all)-1].at, 365)
	case "cip.incomplete":
		all := attestations(said)
		return len(all) > 0 && lacks(all[len(all)-1].said.(statement.CIPAttestation))
	case "cip.copy-missing":
		if since, owed := copyOwed(said); owed && passed(since, 30) {
			return true
		}
		return anyOf(said, func(e event, later []event) bool {
			asked, is := e.said.(statement.CIPRequested)
			return is && passed(e.at, 7) && !t.Before(asked.DueAt) && !given(said, later, asked.Request)
		})
	case "customer.unverified":
		for _, c := range names(said) {
			if waits, ran := unverifiedFor(said, c, t); waits && ran >= 30*day {
				return true
			}
		}
		since, more := tooMany(said)
		return more && passed(since, 30)
	case "customer.stale":
		return slices.ContainsFunc(names(said), func(c string) bool {
			v, verified := verification(said, c)
			on := v.CheckedOn
			return verified && isOpen(said, c) && passed(time.Date(on.Year, on.Month, on.Day, 0, 0, 0, 0, time.UTC), 365)
		})
	case "customer.incomplete":
		return slices.ContainsFunc(names(said), func(c string) bool {
			v, verified := verification(said, c)
			return verified && isOpen(said, c) && len(v.Collected) < 6
		})
	case "customer.prohibited":
		for _, e := range slices.Backward(said) {
			if s, is := e.said.(statement.ScreeningChanged); is {
				return s.Customers > 0 || s.Itself
			}
		}
		return false
	case "report.late":
		return anyOf(said, func(e event, later []event) bool {
			switch s := e.said.(type) {
			case statement.SuspiciousActivity:
				return e.at.Sub(s.DiscoveredAt) > 3*day && !accepted(later, "report.late", -1)
			case statement.TransactionCovered:
				if s.Ground == "reported" {
					return s.ReportedAt.Sub(s.KnewAt) > 15*day && !accepted(later, "report.late", -1)
				}
				for i, l := range later {
					if r, is := l.said.(statement.AITraining); is && r.Transaction == s.Transaction {
						return l.at.Sub(e.at) > 15*day && !accepted(later[:i], "report.late", e.leaf) && !accepted(later[i:], "report.late", -1)
					}
				}
				return passed(e.at, 15) && !accepted(later, "report.late", e.leaf)
			}
			return false
		})
	case "abuse.unanswered":
		return anyOf(said, func(e event, later []event) bool {
			asked, is := e.said.(statement.InformationRequested)
			return is && passed(e.at, 5) && !t.Before(asked.DueAt) && !anyOf(later, func(l event, _ []event) bool {
				r, is := l.said.(statement.Remediation)
				return is && r.Inquiry == asked.Inquiry
			})
		})
	case "order.overdue":
		return anyOf(said, func(e event, later []event) bool {
			s, is := e.said.(statement.ClosureOrdered)
			return is && passed(e.at, 3) && !carriedOut(fmt.Sprint(e.leaf), later) && !anyOf(later, func(l event, _ []event) bool {
				withdrawn, _ := l.said.(statement.OrderWithdrawn)
				return withdrawn.Order == s.Scope
			})
		})
	case "contact.unreachable":
		// The first thing that was asked since somebody was last reached, and the channel that could prove it.
		for i, e := range said {
			if asks(e.said) && !anyOf(said[i+1:], func(l event, _ []event) bool { return reached(l.said) }) {
				known, is := channel(said)
				return is && passed(e.at, 7) && passed(known, 7)
			}
		}
		return false
	case "contact.unconfirmed":
		since := start
		for _, e := range said {
			if s, is := e.said.(statement.OfficerAction); is && s.Action == "contact.confirmed" {
				since = e.at
			}
		}
		return passed(since, 90)
	}
	panic("the oracle does not know " + rule)
}

func anyOf(said []event, is func(e event, later []event) bool) bool {
	for i, e := range said {
		if is(e, said[i+1:]) {
			return true
		}
	}
	return false
}

// settles says whether an officer accepts a remediation of this finding.
func settles(s statement.Statement, finding string) bool {
	said, is := s.(statement.OfficerAction)
	return is && said.Action == "remediation.accepted" && said.Details[0].Value == finding
}

// accepted says whether an officer accepted a remediation of a finding under a rule: of that which rests on this entry, unless it is -1.
func accepted(said []event, rule string, leaf int64) bool {
	return anyOf(said, func(e event, _ []event) bool {
		s, is := e.said.(statement.OfficerAction)
		if !is || s.Action != "remediation.accepted" {
			return false
		}
		finding := s.Details[0].Value
		return strings.HasPrefix(finding, rule+".") && (leaf < 0 || strings.HasSuffix(finding, fmt.Sprint(".", leaf)))
	})
}

func attestations(said []event) []event {
	var all []event
	for _, e := range said {
		if _, is := e.said.(statement.CIPAttestation); is {
			all = append(all, e)
		}
	}
	return all
}

func lacks(a statement.CIPAttestation) bool { return a.Elements != nil && !a.Elements.RedFlags.InPlace }

// copyOwed goes through what was said and returns since when the written program is owed without a break.
func copyOwed(said []event) (since time.Time, owed bool) {
	for i, e := range said {
		now := owesCopy(said[:i+1])
		if now && !owed {
			since = e.at
		}
		owed = now
	}
	return since, owed
}

func owesCopy(said []event) bool {
	all := attestations(said)
	if len(all) == 0 {
		return false
	}
	a := all[len(all)-1].said.(statement.CIPAttestation)
	if a.Basis == "adopted" && a.Copy == nil {
		return false
	}
	if a.Copy == nil {
		return true
	}
	inHand := anyOf(said, func(e event, later []event) bool {
		first, is := e.said.(statement.CIPAttestation)
		return is && first.Copy != nil && first.Copy.SHA256 == a.Copy.SHA256 && anyOf(later, func(l event, _ []event) bool {
			d, is := l.said.(statement.DocumentReceived)
			return is && d.Document.SHA256 == a.Copy.SHA256
		})
	})
	return !inHand && a.Basis != "adopted"
}

// carriedOut says whether an order was by the reseller's word: the word that counts was done, and nothing that supersedes it said otherwise.
func carriedOut(order string, said []event) bool {
	word := ""
	for _, e := range said {
		c, _ := e.said.(statement.OrderConfirmation)
		corrects := word != "" && c.Supersedes == word
		switch {
		case c.Order != order:
		case c.Outcome == "done" && (word == "" || corrects):
			word = fmt.Sprint(e.leaf)
		case corrects:
			word = ""
		}
	}
	return word != ""
}

// given says whether a request for the program was answered: by a document that names it, or by the program in force then.
func given(said, later []event, request string) bool {
	return anyOf(later, func(e event, _ []event) bool {
		d, is := e.said.(statement.DocumentReceived)
		if !is {
			return false
		}
		all := attestations(said[:slices.IndexFunc(said, func(o event) bool { return o.leaf == e.leaf })])
		latest := len(all) > 0 && all[len(all)-1].said.(statement.CIPAttestation).Copy != nil &&
			all[len(all)-1].said.(statement.CIPAttestation).Copy.SHA256 == d.Document.SHA256
		return d.Request == request || latest
	})
}

func names(said []event) []string {
	var all []string
	for _, e := range said {
		if e.customer != "" && !slices.Contains(all, e.customer) {
			all = append(all, e.customer)
		}
	}
	return all
}

func verification(said []event, customer string) (v statement.CustomerVerification, verified bool) {
	for _, e := range said {
		if s, is := e.said.(statement.CustomerVerification); is && e.customer == customer && !v.CheckedOn.After(s.CheckedOn) {
			v, verified = s, s.Result == "verified"
		}
	}
	return v, verified
}

func isOpen(said []event, customer string) bool {
	for _, e := range slices.Backward(said) {
		if s, is := e.said.(statement.AccountStatus); is && e.customer == customer {
			return s.Status != "closed"
		}
	}
	return false
}

// unverifiedFor adds up how long a customer had an open account and was not verified, since it last was.
func unverifiedFor(said []event, customer string, t time.Time) (waits bool, ran time.Duration) {
	for i, e := range said {
		until := t
		if i+1 < len(said) {
			until = said[i+1].at
		}
		_, verified := verification(said[:i+1], customer)
		waits = isOpen(said[:i+1], customer) && !verified
		switch {
		case waits:
			ran += until.Sub(e.at)
		case verified:
			ran = 0
		}
	}
	return waits, ran
}

// tooMany returns since when more than five percent of the customers, in whole ones rounded up, wait.
func tooMany(said []event) (since time.Time, more bool) {
	for i, e := range said {
		all, waiting := names(said[:i+1]), 0
		for _, c := range all {
			if waits, _ := unverifiedFor(said[:i+1], c, e.at); waits {
				waiting++
			}
		}
		exceeds := waiting > 1 && 100*(waiting-1) >= 5*len(all)
		if exceeds && !more {
			since = e.at
		}
		more = exceeds
	}
	return since, more
}

func asks(s statement.Statement) bool {
	switch s := s.(type) {
	case statement.InformationRequested, statement.CIPRequested, statement.RestrictionOrdered, statement.ClosureOrdered:
		return true
	case statement.TransactionCovered:
		return s.Ground == "definition-moved"
	}
	return false
}

func reached(s statement.Statement) bool {
	switch s := s.(type) {
	case statement.NoticeProved, statement.Remediation, statement.OrderConfirmation, statement.CIPAttestation:
		return true
	case statement.OfficerAction:
		return s.Action == "notice.recorded" && len(s.Details) == 0
	}
	return false
}

// channel is since when a channel is known that could prove a notice: it proved one, or an officer tried it, and none has paused it since.
func channel(said []event) (since time.Time, known bool) {
	paused := false
	for _, e := range said {
		s, acted := e.said.(statement.OfficerAction)
		_, proved := e.said.(statement.NoticeProved)
		switch {
		case (proved || acted && s.Action == "notice.recorded" || paused && acted && s.Action == "stream.enabled") && !known:
			since, known, paused = e.at, true, false
		case acted && s.Action == "stream.paused" && known:
			known, paused = false, true
		}
	}
	return since, known
}

// turning are the moments after one at which, nothing being said, a rule can turn.
func (o *oracle) turning(after time.Time) []time.Time {
	var all []time.Time
	add := func(t time.Time) {
		if t.After(after) {
			all = append(all, t)
		}
	}
	from := []time.Time{start}
	for i, e := range o.said {
		from = append(from, e.at)
		for _, c := range names(o.said[:i+1]) {
			_, ran := unverifiedFor(o.said[:i+1], c, e.at)
			add(e.at.Add(30*day - ran))
		}
		switch s := e.said.(type) {
		case statement.InformationRequested:
			add(s.DueAt)
		case statement.CIPRequested:
			add(s.DueAt)
		case statement.CustomerVerification:
			from = append(from, time.Date(s.CheckedOn.Year, s.CheckedOn.Month, s.CheckedOn.Day, 0, 0, 0, 0, time.UTC))
		}
	}
	for _, t := range from {
		for _, days := range []int{3, 5, 7, 15, 30, 90, 365} {
			add(t.Add(time.Duration(days) * day))
		}
	}
	slices.SortFunc(all, time.Time.Compare)
	return slices.Compact(all)
}

// live says this and that of every kind, and calls before and after each statement. What officers settle is what is found.
func live(t *rapid.T, b *book, before func(at time.Time), after func(at time.Time, e event)) {
	now := time.Duration(0)
	p := all(t)
	pick := func(label string, from ...string) string { return rapid.SampledFrom(from).Draw(t, label) }
	hours := func(label string, most int) time.Duration {
		return time.Duration(rapid.IntRange(0, most).Draw(t, label)) * time.Hour
	}
	for range rapid.IntRange(3, 30).Draw(t, "statements") {
		now += hours("after", rapid.SampledFrom([]int{24, 24 * 12, 24 * 40, 24 * 400}).Draw(t, "at most")) + time.Duration(rapid.IntRange(0, 3599).Draw(t, "seconds"))*time.Second
		e := event{at: start.Add(now)}
		customer := pick("customer", "c", "d")
		switch rapid.IntRange(0, 20).Draw(t, "what") {
		case 0, 1:
			e.said = attestation(pick("basis", "own", "own", "adopted"), pick("copy", "", "A", "B"), rapid.Bool().Draw(t, "in place"))
		case 2:
			e.said = statement.DocumentReceived{Document: statement.Copy{SHA256: pick("document", "A", "B")}, Request: pick("request", "", "r1", "r2")}
		case 3:
			e.said = statement.CIPRequested{Request: pick("request", "r1", "r2"), DueAt: e.at.Add(hours("due", 24*20))}
		case 4, 5, 6:
			e.customer, e.said = customer, statement.AccountStatus{Account: "a", Status: pick("status", "opened", "opened", "closed"), On: statement.DateOf(e.at)}
		case 7, 18, 19, 20:
			e.customer, e.said = customer, statement.CustomerVerification{Party: "customer", Form: "individual", Result: pick("result", "verified", "not-verified"),
				CheckedOn: statement.DateOf(e.at), RiskTier: pick("tier", "low", "high"), Collected: everything[rapid.IntRange(0, 1).Draw(t, "missing"):]}
		case 8:
			e.said = statement.ScreeningChanged{Number: len(b.said) + 1, Customers: rapid.IntRange(0, 2).Draw(t, "prohibited"), Since: e.at}
		case 9:
			e.said = statement.SuspiciousActivity{Certainty: "suspected", DiscoveredAt: e.at.Add(-hours("discovered", 24*6)), Audience: "provider"}
		case 10:
			e.said = statement.TransactionCovered{Transaction: pick("transaction", "t1", "t2"), Ground: pick("ground", "reported", "definition-moved"),
				KnewAt: e.at.Add(-hours("knew", 24*30)), ReportedAt: e.at}
		case 11:
			e.customer, e.said = customer, statement.AITraining{Transaction: pick("transaction", "t1", "t2"), State: "occurred"}
		case 12:
			e.said = statement.InformationRequested{Inquiry: pick("inquiry", "i1", "i2"), DueAt: e.at.Add(hours("due", 24*10))}
		case 13:
			e.said = statement.Remediation{RemediationKind: "explanation", Inquiry: pick("inquiry", "", "i1", "i2")}
		case 14:
			e.said = statement.ClosureOrdered{Scope: pick("order", "o1", "o2")}
		case 15:
			said := statement.OrderConfirmation{Order: fmt.Sprint(rapid.IntRange(int(max(10, b.leaf-4)), int(b.leaf+1)).Draw(t, "order")), Outcome: pick("outcome", "done", "partly")}
			for _, earlier := range b.said {
				if c, is := earlier.said.(statement.OrderConfirmation); is && rapid.Bool().Draw(t, "corrects") {
					said.Order, said.Supersedes = c.Order, fmt.Sprint(earlier.leaf)
				}
			}
			e.said = said
			if rapid.Bool().Draw(t, "withdrawn") {
				e.said = statement.OrderWithdrawn{Order: pick("order", "o1", "o2")}
			}
		case 16:
			e.said = statement.NoticeProved{Notice: "n"}
		case 17:
			e.said = officers(t, b, p, e.at)
		}
		if again(b.said, e.said) {
			continue // what was asked already is asked under another name
		}
		before(e.at)
		e.leaf = b.say(now, e.customer, e.said)
		b.said = append(b.said, e)
		after(e.at, e)
	}
}

// officers is what an officer puts on record: that a contact was reached or confirmed, evidence, or that a finding is settled.
func officers(t *rapid.T, b *book, p policy.Policy, at time.Time) statement.Statement {
	action := rapid.SampledFrom([]string{"contact.confirmed", "notice.recorded", "evidence.recorded", "remediation.accepted", "remediation.accepted",
		"stream.paused", "stream.enabled"}).Draw(t, "action")
	said := statement.OfficerAction{Action: action}
	switch action {
	case "notice.recorded":
		if rapid.Bool().Draw(t, "in vain") {
			said.Details = []statement.Field{{Name: "answered", Value: "no"}}
		}
	case "evidence.recorded":
		said.Details = []statement.Field{{Name: "evidence", Value: fmt.Sprint("e", len(b.said))}, {Name: "ground", Value: "cip-failure"},
			{Name: "severity", Value: rapid.SampledFrom([]string{"serious", "critical"}).Draw(t, "severity")},
			{Name: "received_at", Value: at.Add(-time.Hour).Format(time.RFC3339)}, {Name: "audience", Value: "need-to-know"}}
	case "remediation.accepted":
		finding := "none"
		open, _ := assess(p, b.h, at)
		for _, f := range open {
			if f.Rule == "evidence.recorded" {
				finding = f.ID
			}
		}
		if late, stated := b.stated["report.late"]; stated && rapid.Bool().Draw(t, "late") {
			finding = late.ID // as it was opened, whatever it would be called now
		}
		said.Details = []statement.Field{{Name: "finding", Value: finding}}
	}
	return said
}

// again is true for a request by the id of one that was made before, of which the rules say nothing.
func again(said []event, next statement.Statement) bool {
	id := func(s statement.Statement) string {
		switch s := s.(type) {
		case statement.InformationRequested:
			return s.Inquiry
		case statement.CIPRequested:
			return s.Request
		case statement.TransactionCovered:
			if s.Ground == "definition-moved" {
				return s.Transaction
			}
		}
		return ""
	}
	return id(next) != "" && anyOf(said, func(e event, _ []event) bool { return id(e.said) == id(next) })
}

// all is the default policy with every rule of standing.md on, and none of its own.
func all(t interface{ Fatal(...any) }) policy.Policy {
	p, err := policy.Parse([]byte(strings.ReplaceAll(policy.Default().Document(), "on: false", "on: true")))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestEveryRuleOpensIsCuredAndIsAheadAsASecondFormulationSays(t *testing.T) {
	p := all(t)
	var rules []string
	for _, rule := range p.Rules.All() {
		if rule.Name != "evidence.recorded" { // each piece is a finding of its own; below
			rules = append(rules, rule.Name)
		}
	}
	seen := map[string][3]int{} // how often each opened, was cured, was ahead
	rapid.Check(t, func(t *rapid.T) {
		b, o := newBook(), &oracle{}
		open := map[string]Finding{} // as escalation states them
		b.stated = open
		count := func(rule string, what int) { n := seen[rule]; n[what]++; seen[rule] = n }
		look := func(at time.Time, leaf int64) {
			found, _ := assess(p, b.h, at)
			for _, rule := range rules {
				i := slices.IndexFunc(found, func(f Finding) bool { return f.Rule == rule })
				short := o.short(rule, at)
				if short != (i >= 0) {
					t.Fatalf("at %v after entry %d %s falls short: %t, found %+v", at, b.leaf, rule, short, found)
				}
				f, known := open[rule]
				if known {
					by, cured := curedOf(p, b.h, rule, f.Since, f.Evidence)
					if rule == "report.late" && cured && short && settles(o.said[len(o.said)-1].said, f.ID) {
						open[rule] = found[i] // another report is owed still: that is a finding of its own
						continue
					}
					if cured == short && (rule != "cip.missing" || short) && rule != "cip.stale" && rule != "contact.unconfirmed" {
						t.Fatalf("at %v after entry %d %s falls short: %t, cured: %t, %+v", at, b.leaf, rule, short, cured, f)
					}
					if !short {
						if !cured || by.LeafIndex != leaf || !by.AcceptedAt.Equal(at) {
							t.Fatalf("entry %d at %v cured %+v, and it says %t, %+v", leaf, at, f, cured, by)
						}
						count(rule, 1)
						delete(open, rule)
					}
				} else if short {
					count(rule, 0)
					open[rule] = found[i]
				}
			}
		}
		live(t, b, func(at time.Time) {
			// What falls short by time alone, nothing being said.
			if n := len(o.said); n > 0 {
				for _, turns := range o.turning(o.said[n-1].at) {
					if turns.Before(at) {
						look(turns, -1)
					}
				}
			}
		}, func(at time.Time, e event) {
			o.said = append(o.said, e)
			look(at, e.leaf)
			ahead := aheadOf(p, b.h, at)
			turning := o.turning(at)
			for _, rule := range rules {
				if o.short(rule, at) {
					continue
				}
				i := slices.IndexFunc(turning, func(t time.Time) bool { return o.short(rule, t) })
				j := slices.IndexFunc(ahead, func(f Finding) bool { return f.Rule == rule })
				if (i >= 0) != (j >= 0) || i >= 0 && !ahead[j].Since.Equal(turning[i]) {
					t.Fatalf("at %v after entry %d %s: ahead %+v, wanted %v", at, b.leaf, rule, ahead, turning[max(i, 0):min(i+1, len(turning))])
				}
				if i >= 0 {
					count(rule, 2)
				}
			}
			pieces(t, p, b, at)
		})
	})
	for _, rule := range rules {
		if n := seen[rule]; n[0]+n[1]+n[2] == 0 {
			t.Errorf("%s never opened, was cured or ahead: the lives that are drawn miss it", rule)
		}
	}
}

// pieces holds the evidence that officers recorded against the findings under its rule.
func pieces(t *rapid.T, p policy.Policy, b *book, at time.Time) {
	want := map[string]string{}
	anyOf(b.said, func(e event, later []event) bool {
		if s, is := e.said.(statement.OfficerAction); is && s.Action == "evidence.recorded" && !accepted(later, "evidence.recorded", e.leaf) {
			want[fmt.Sprintf("evidence.recorded.%s.%d", e.at.Add(-time.Hour).Format("20060102T150405Z"), e.leaf)] = s.Details[2].Value
		}
		return false
	})
	got := map[string]string{}
	found, _ := assess(p, b.h, at)
	for _, f := range found {
		if f.Rule != "evidence.recorded" {
			continue
		}
		got[f.ID] = string(f.Severity)
		if _, cured := curedOf(p, b.h, f.Rule, f.Since, f.Evidence); cured {
			t.Fatalf("found and cured: %+v", f)
		}
		if shown := f.For(ToProvider); len(shown.Evidence) > 0 || shown.ID != f.ID || len(f.For(ToNeedToKnow).Evidence) != 1 {
			t.Fatalf("shown to the provider's officers: %+v", shown)
		}
	}
	if !reflect.DeepEqual(got, want) {
		t.Fatalf("found %v, wanted %v", got, want)
	}
}
