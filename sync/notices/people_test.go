package notices

import (
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/statement"
)

var (
	contact = OfContact(reseller, "Ana@reseller.example")
	officer = OfOfficer("kim@provider.example")
	people  = Chain{Self: self, Contacts: map[envelope.Entity][]Audience{reseller: {contact}}, Officers: []Audience{officer}}
)

func TestAPersonIsNamedByAnIDThatNamesNobody(t *testing.T) {
	if contact != OfContact(reseller, "ana@RESELLER.example") {
		t.Error("the same address in other letters is another person")
	}
	if contact == OfContact("https://other.example", "ana@reseller.example") || contact.ID() == OfOfficer("ana@reseller.example").ID() {
		t.Error("a contact of one reseller is that of another, or an officer")
	}
	if strings.Contains(string(contact), "ana") || len(contact.ID()) != 16 {
		t.Errorf("named %s", contact)
	}
	if !contact.IsContact() || !contact.IsPerson() || contact.IsOfficer() || contact.IsSystem() || !officer.IsOfficer() || !officer.IsPerson() || OfReseller(reseller).IsPerson() {
		t.Error("an audience is taken for another")
	}
}

func TestContactsAreMailedAboutWhatTheirResellerHearsOfAndOfficersAboutStepsAndAnswers(t *testing.T) {
	for _, kind := range statement.Kinds() {
		by := reseller
		if kind.ByGateway() {
			by = self
		}
		var got []Audience
		for _, notice := range Address(statement.Entry{About: reseller, By: by, Statement: said(kind)}, people) {
			got = append(got, notice.Audience)
			if !slices.Contains(Kinds(notice.Audience), kind) || !slices.Contains(Addressed(), kind) {
				t.Errorf("%s hears of %s, which is not among what it may hear of", notice.Audience, kind)
			}
		}
		var want []Audience
		if slices.Contains(toReseller, kind) {
			want = append(want, OfReseller(reseller), contact)
		}
		if slices.Contains(toOfficers, kind) {
			want = append(want, officer)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s is told to %v, want %v", kind, got, want)
		}
	}
	for name, entry := range map[string]statement.Entry{
		"another's contact":                 {About: "https://other.example", By: self, Statement: said(statement.KindStandingChanged)},
		"a gateway's kind by its reseller":  {About: reseller, By: reseller, Statement: said(statement.KindWarningIssued)},
		"an order done by a system of ours": {About: reseller, By: envelope.SystemOf(self, "billing"), Statement: said(statement.KindOrderConfirmation)},
		"a submission by the gateway":       {About: reseller, By: self, Statement: said(statement.KindRemediation)},
	} {
		for _, notice := range Address(entry, people) {
			if notice.Audience.IsPerson() {
				t.Errorf("%s: told to %s", name, notice.Audience)
			}
		}
	}
}

func TestOnlyWhatIsCriticalIsMailedAtOnce(t *testing.T) {
	for want, all := range map[bool][]statement.Statement{
		true:  {statement.FindingOpened{Severity: "critical"}, statement.ClosureOrdered{}, statement.RelationshipTerminated{}},
		false: {statement.FindingOpened{Severity: "serious"}, statement.WarningIssued{}, statement.RestrictionOrdered{}, statement.OrderWithdrawn{}},
	} {
		for _, s := range all {
			for _, notice := range Address(statement.Entry{About: reseller, By: self, Statement: s}, people) {
				if notice.Urgent != (want && notice.Audience.IsPerson()) {
					t.Errorf("%s to %s: urgent %t", s.Kind(), notice.Audience, notice.Urgent)
				}
			}
		}
	}
}

func TestWhenAPersonIsMailed(t *testing.T) {
	at := func(clock string) time.Time {
		parsed, err := time.Parse("15:04", clock)
		if err != nil {
			t.Fatal(err)
		}
		return parsed
	}
	times := func(clocks ...string) (all []time.Time) {
		for _, clock := range clocks {
			all = append(all, at(clock))
		}
		return all
	}
	for name, c := range map[string]struct {
		first  string
		urgent bool
		sent   []time.Time
		now    string
		want   string
	}{
		"what waits comes with the hour":                     {"09:20", false, nil, "09:21", "10:00"},
		"on the hour it waits for the next":                  {"09:00", false, nil, "09:00", "10:00"},
		"what is urgent comes at once":                       {"09:20", true, times("09:10"), "09:20", "09:20"},
		"what is late comes now":                             {"07:00", false, nil, "09:30", "09:30"},
		"once in an hour":                                    {"07:59", false, times("08:01"), "08:30", "09:00"},
		"five in an hour, then what is urgent waits":         {"09:20", true, times("09:01", "09:02", "09:03", "09:04", "09:05"), "09:20", "10:01"},
		"five in an hour, the oldest of which is long ago":   {"09:20", true, times("08:21", "08:22", "08:23", "09:18", "09:19"), "09:20", "09:21"},
		"six in an hour: the oldest of the last five counts": {"09:20", true, times("08:30", "08:31", "08:32", "08:33", "08:34", "08:35"), "09:20", "09:31"},
	} {
		if got := MailAt(at(c.first), c.urgent, c.sent, at(c.now)); !got.Equal(at(c.want)) {
			t.Errorf("%s: %s, want %s", name, got.Format("15:04"), c.want)
		}
	}
}

func TestNobodyEverGetsMoreMailsInAnHourThanTheCap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		now := time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)
		var sent []time.Time
		for range rapid.IntRange(1, 40).Draw(t, "mails") {
			now = now.Add(time.Duration(rapid.IntRange(0, 1800).Draw(t, "seconds")) * time.Second)
			recent := slices.DeleteFunc(slices.Clone(sent), func(at time.Time) bool { return now.Sub(at) >= time.Hour })
			at := MailAt(now, rapid.Bool().Draw(t, "urgent"), recent, now)
			if at.Before(now) {
				t.Fatalf("at %s, now is %s", at, now)
			}
			now, sent = at, append(sent, at)
			within := 0
			for _, one := range sent {
				if now.Sub(one) < time.Hour {
					within++
				}
			}
			if within > MostMails {
				t.Fatalf("%d mails within the hour up to %s", within, now)
			}
		}
	})
}

func TestAnOfficersRecordOfACallIsRead(t *testing.T) {
	at := time.Date(2026, 3, 5, 8, 0, 0, 0, time.UTC)
	said := statement.OfficerAction{Action: "notice.recorded", On: statement.Target{Type: "notice", ID: "jti-1"},
		Details: []statement.Field{{Name: "channel", Value: "call"}, {Name: "whom", Value: "head of compliance"}, {Name: "at", Value: "2026-03-05T08:00:00Z"}}}
	entry := statement.Entry{About: reseller, By: self, AcceptedAt: at.Add(time.Hour), Statement: said}
	if told, ok := ToldBy(entry, self); !ok || told != (Told{"jti-1", "call", at}) {
		t.Errorf("read as %+v, %t", told, ok)
	}
	byItself, other := entry, entry
	byItself.By = reseller
	said.Action = "hold.placed"
	other.Statement = said
	for _, entry := range []statement.Entry{byItself, other, {About: reseller, By: self, Statement: statement.OrderWithdrawn{}}} {
		if told, ok := ToldBy(entry, self); ok {
			t.Errorf("%+v is read as %+v", entry, told)
		}
	}
}
