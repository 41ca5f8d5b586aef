package obligations

import (
	"errors"
	"reflect"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"pgregory.net/rapid"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/resellers/escalation"
	"github.com/cipgate/cipgate/resellers/policy"
)

const (
	gateway  envelope.Entity = "https://gateway.example"
	reseller envelope.Entity = "https://reseller.example"
	day                      = 24 * time.Hour
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func said(about, by envelope.Entity, at time.Time, s statement.Statement) statement.Entry {
	return statement.Entry{LeafIndex: 7, AcceptedAt: at, About: about, By: by, JTI: "jti-7", Statement: s}
}

func action(name, on, id string, details ...statement.Field) statement.OfficerAction {
	return statement.OfficerAction{Officer: statement.Officer{ID: "mara", Name: "Mara"}, Action: name, On: statement.Target{Type: on, ID: id}, Reason: "a reason", Details: details}
}

func TestWhatOpensAnObligationAndWhenItIsDue(t *testing.T) {
	open := escalation.Case{ID: "c", LimitAt: noon}
	closing, passed, extended, terminated := open, open, open, open
	closing.ClosingAt, passed.PassedLimit, extended.LimitAt, terminated.TerminatedAt = noon, noon, noon.Add(10*day), noon.Add(time.Second)
	basis := statement.Basis{Now: noon}
	knew := noon.Add(-5 * day)
	for name, c := range map[string]struct {
		before, after escalation.Case
		by            envelope.Entity
		said          statement.Statement
		kind          string
		subject       string
		due           time.Time // zero: nothing is opened
	}{
		"an account ordered closed":                {open, closing, gateway, statement.ClosureOrdered{Basis: basis, Case: "c"}, policy.ClosureReport, "c", noon.Add(3 * day)},
		"a further order of the same closure":      {closing, closing, gateway, statement.ClosureOrdered{Basis: basis, Case: "c"}, "", "", time.Time{}},
		"a closure that a reseller states":         {open, open, reseller, statement.ClosureOrdered{Basis: basis, Case: "c"}, "", "", time.Time{}},
		"a limit that passed":                      {open, passed, gateway, statement.LimitPassed{Basis: basis, Case: "c", LimitAt: noon}, policy.LimitCrossed, "c", noon.Add(10 * day)},
		"the same said again":                      {passed, passed, gateway, statement.LimitPassed{Basis: basis, Case: "c", LimitAt: noon}, "", "", time.Time{}},
		"a limit that two officers moved":          {open, extended, gateway, action(escalation.ActionLimitExtended, "case", "c"), policy.LimitCrossed, "c", noon.Add(10 * day)},
		"one that one officer would have moved":    {open, open, gateway, action(escalation.ActionLimitExtended, "case", "c"), "", "", time.Time{}},
		"a termination after the limit":            {open, terminated, gateway, statement.RelationshipTerminated{Basis: basis, Case: "c"}, policy.LimitCrossed, "c", noon.Add(10 * day)},
		"one of which the limit was said to pass":  {passed, terminated, gateway, statement.RelationshipTerminated{Basis: basis, Case: "c"}, "", "", time.Time{}},
		"a covered training":                       {open, open, gateway, statement.TransactionCovered{Transaction: "t", Ground: statement.CoveredAsReported, KnewAt: knew}, policy.AITrainingReport, "t", knew.Add(15 * day)},
		"one that began before anybody knew":       {open, open, gateway, statement.TransactionCovered{Transaction: "t", Ground: statement.CoveredAsReported, KnewAt: knew, StartedOn: statement.DateOf(noon.Add(-20 * day))}, policy.AITrainingReport, "t", noon.Truncate(day).Add(10 * day)},
		"one that begins later":                    {open, open, gateway, statement.TransactionCovered{Transaction: "t", Ground: statement.CoveredAsReported, KnewAt: knew, StartedOn: statement.DateOf(noon.Add(day))}, policy.AITrainingReport, "t", knew.Add(15 * day)},
		"one that is covered anew":                 {open, open, gateway, statement.TransactionCovered{Transaction: "t", Ground: statement.CoveredAnew, KnewAt: knew, StartedOn: statement.DateOf(noon.Add(-90 * day))}, policy.AITrainingReport, "t", noon.Add(15 * day)},
		"a request of the Department":              {open, open, gateway, action(ActionRecorded, On, "o-1", statement.Field{Name: DetailKind, Value: "department-request"}, statement.Field{Name: DetailReceived, Value: "2026-02-28T12:00:00Z"}), policy.DepartmentRequest, "", noon.Add(9 * day)},
		"one that would have come tomorrow":        {open, open, gateway, action(ActionRecorded, On, "o-1", statement.Field{Name: DetailKind, Value: "follow-up"}, statement.Field{Name: DetailReceived, Value: "2026-03-02T12:00:00Z"}), policy.FollowUp, "", noon.Add(15 * day)},
		"a kind that nobody records":               {open, open, gateway, action(ActionRecorded, On, "o-1", statement.Field{Name: DetailKind, Value: "certification"}), "", "", time.Time{}},
		"suspected activity, which is off shipped": {open, open, reseller, statement.SuspiciousActivity{}, "", "", time.Time{}},
	} {
		p := policy.Default()
		got := Opened(&p, c.before, c.after, said(reseller, c.by, noon, c.said))
		if c.due.IsZero() {
			if len(got) > 0 {
				t.Errorf("%s opened %+v", name, got)
			}
			continue
		}
		if len(got) != 1 || got[0].Kind != c.kind || got[0].Subject != c.subject || !got[0].DueAt.Equal(c.due) || got[0].About != reseller || got[0].Policy != p.ID() ||
			got[0].What == "" || got[0].Source == "" || got[0].Leaf != 7 {
			t.Errorf("%s opened %+v, wanted it due %s", name, got, c.due)
		}
	}
	if p, err := policy.Named("in-cert-2022"); err != nil {
		t.Error(err)
	} else if got := Opened(&p, open, open, said(reseller, reseller, noon, statement.SuspiciousActivity{})); len(got) != 1 || !got[0].DueAt.Equal(noon.Add(6*time.Hour)) || len(got[0].RemindAt) != 1 {
		t.Errorf("CERT-In is told within 6 hours, and officers are reminded 3 hours before: %+v", got)
	}
	p := policy.Default()
	p.Obligations = policy.Obligations{}
	if got := Opened(&p, open, closing, said(reseller, gateway, noon, statement.ClosureOrdered{Basis: basis, Case: "c"})); len(got) > 0 {
		t.Errorf("a policy without obligations opened %+v", got)
	}
}

func TestTheSameIsOpenedUnderTheSameIDAndAnotherLimitUnderAnother(t *testing.T) {
	p := policy.Default()
	open := escalation.Case{ID: "c", LimitAt: noon}
	moved := open
	moved.LimitAt = noon.Add(day)
	again := moved
	again.PassedLimit = noon.Add(day)
	byOfficers := Opened(&p, open, moved, said(reseller, gateway, noon, action(escalation.ActionLimitExtended, "case", "c")))[0]
	byTime := Opened(&p, moved, again, said(reseller, gateway, noon.Add(day), statement.LimitPassed{Case: "c", LimitAt: noon.Add(day)}))[0]
	if byOfficers.ID == byTime.ID {
		t.Error("two limits are one obligation")
	}
	crossed := open
	crossed.PassedLimit = noon
	if same := Opened(&p, open, crossed, said(reseller, gateway, noon, statement.LimitPassed{Case: "c", LimitAt: noon}))[0]; same.ID != byOfficers.ID {
		t.Error("one limit is two obligations")
	}
}

func TestOnlyAReferenceFulfilsAndOnlyTwoWaive(t *testing.T) {
	p := policy.Default()
	closing := escalation.Case{ID: "c", ClosingAt: noon}
	o := Opened(&p, escalation.Case{ID: "c"}, closing, said(reseller, gateway, noon, statement.ClosureOrdered{Basis: statement.Basis{Now: noon}, Case: "c"}))[0]
	if got := o.RemindAt; len(got) != 1 || !got[0].Equal(noon.Add(2*day)) || !o.Reminded(noon.Add(2*day)).Equal(got[0]) || !o.Reminded(noon).IsZero() {
		t.Errorf("reminded at %v", got)
	}
	waived := action(ActionWaived, On, o.ID)
	byTwo := waived
	byTwo.ProposedBy = &statement.Officer{ID: "jon", Name: "Jon"}
	bySame := waived
	bySame.ProposedBy = &statement.Officer{ID: "mara", Name: "Mara"}
	reference := statement.Field{Name: DetailReference, Value: "R-1"}
	for name, c := range map[string]struct {
		about envelope.Entity
		said  statement.OfficerAction
		how   How
	}{
		"a reference":                 {reseller, action(ActionFulfilled, On, o.ID, reference), Fulfilled},
		"none":                        {reseller, action(ActionFulfilled, On, o.ID), ""},
		"of another obligation":       {reseller, action(ActionFulfilled, On, "another", reference), ""},
		"about another entity":        {gateway, action(ActionFulfilled, On, o.ID, reference), ""},
		"of something else":           {reseller, action(ActionFulfilled, "case", o.ID, reference), ""},
		"a waiver by one":             {reseller, waived, ""},
		"a waiver by the same person": {reseller, bySame, ""},
		"a waiver by two":             {reseller, byTwo, Waived},
	} {
		after := o.With(said(c.about, gateway, noon.Add(4*day), c.said))
		if after.Closed.How != c.how || after.Late() != (c.how == Fulfilled) {
			t.Errorf("%s: %+v", name, after.Closed)
		}
		if err := after.MayEnd(); (err == nil) != (c.how == "") || err != nil && !errors.Is(err, ErrEnded) {
			t.Errorf("%s: %v", name, err)
		}
		if again := after.With(said(reseller, gateway, noon.Add(5*day), byTwo)); c.how != "" && !reflect.DeepEqual(again, after) {
			t.Errorf("%s: ended a second time", name)
		}
	}
	for name, by := range map[string]*statement.Officer{"nobody": nil, "the same": bySame.ProposedBy} {
		if err := o.MayWaive(statement.Officer{ID: "mara"}, by); !errors.Is(err, ErrOneOfTwo) {
			t.Errorf("proposed by %s: %v", name, err)
		}
	}
	if err := o.MayWaive(statement.Officer{ID: "mara"}, byTwo.ProposedBy); err != nil {
		t.Error(err)
	}
	if o.State(o.DueAt) != Open || o.State(o.DueAt.Add(time.Second)) != Overdue {
		t.Error("it is overdue from the moment after it is due")
	}
}

func TestCertificationsFollowFromOneAnotherAndNobodyGainsByBeingLate(t *testing.T) {
	p := policy.Default()
	activated := said(gateway, gateway, noon, statement.PolicyActivated{Policy: p.ID()})
	first := OpenedByHouse(&p, activated)[0]
	activated.AcceptedAt = noon.Add(90 * day)
	if again := OpenedByHouse(&p, activated)[0]; again.ID != first.ID {
		t.Error("another policy opens a second first certification")
	}
	if _, follows := first.Follows(&p); follows {
		t.Error("one that is open is followed")
	}
	done := first.With(said(gateway, gateway, noon.Add(400*day), action(ActionFulfilled, On, first.ID, statement.Field{Name: DetailReference, Value: "R"})))
	next, follows := done.Follows(&p)
	if !follows || !next.DueAt.Equal(noon.Add(730*day)) || next.Subject != "2" || next.ID == first.ID || !done.Late() {
		t.Errorf("%+v", next)
	}
}

// Whatever officers record, in any order: an obligation ends at most once, by what may end it, and reads back as it was.
func TestAnObligationEndsOnceWhateverIsRecorded(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := policy.Default()
		o := OpenedByHouse(&p, said(gateway, gateway, noon, statement.PolicyActivated{Policy: p.ID()}))[0]
		ended := Closed{}
		for i := range rapid.IntRange(1, 8).Draw(t, "acts") {
			s := action(rapid.SampledFrom([]string{ActionFulfilled, ActionWaived, ActionRecorded, "case.closed"}).Draw(t, "action"), rapid.SampledFrom([]string{On, "case"}).Draw(t, "on"),
				rapid.SampledFrom([]string{o.ID, "another"}).Draw(t, "id"))
			if rapid.Bool().Draw(t, "reference") {
				s.Details = []statement.Field{{Name: DetailReference, Value: "R"}}
			}
			if by := rapid.SampledFrom([]string{"", "mara", "jon"}).Draw(t, "proposed"); by != "" {
				s.ProposedBy = &statement.Officer{ID: by, Name: by}
			}
			e := said(rapid.SampledFrom([]envelope.Entity{gateway, reseller}).Draw(t, "about"), gateway, noon.Add(time.Duration(i)*day), s)
			o = o.With(e)
			may := e.About == gateway && s.On.Type == On && s.On.ID == o.ID &&
				(s.Action == ActionFulfilled && len(s.Details) > 0 || s.Action == ActionWaived && s.ProposedBy != nil && s.ProposedBy.ID == "jon")
			if may && ended.How == "" {
				ended = o.Closed
				if ended.How == "" {
					t.Fatalf("%+v ends nothing", s)
				}
			}
			if !reflect.DeepEqual(o.Closed, ended) {
				t.Fatalf("ended by %+v: %+v, and was %+v", s, o.Closed, ended)
			}
		}
		text, err := json.Marshal(o, json.Deterministic(true))
		if err != nil {
			t.Fatal(err)
		}
		var back Obligation
		if err := json.Unmarshal(text, &back, json.RejectUnknownMembers(true)); err != nil || !reflect.DeepEqual(back, o) {
			t.Fatalf("%v: read back as %+v, was %+v", err, back, o)
		}
	})
}
