package archive

import (
	"testing"
	"time"

	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/resellers/policy"
)

func date(text string) statement.Date {
	d, err := statement.ParseDate(text)
	if err != nil {
		panic(err)
	}
	return d
}

func moment(text string) time.Time {
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		panic(err)
	}
	return t
}

func TestACustomersRecordsAreKeptFromTheLaterOfClosingAndLastAccess(t *testing.T) {
	p := policy.Default().Records
	stated := func(acceptedAt, account, status, on string) statement.Entry {
		return statement.Entry{AcceptedAt: moment(acceptedAt), Customer: "c", Statement: statement.AccountStatus{Account: account, Status: status, On: date(on)}}
	}
	verified := func(acceptedAt string) statement.Entry {
		return statement.Entry{AcceptedAt: moment(acceptedAt), Customer: "c", Statement: statement.CustomerVerification{}}
	}
	for _, test := range []struct {
		name    string
		entries []statement.Entry
		open    bool
		from    string
	}{
		{"one account, closed", []statement.Entry{stated("2026-01-02T08:00:00Z", "a", "opened", "2026-01-01"), stated("2026-03-05T08:00:00Z", "a", "closed", "2026-03-03")}, false, "2026-03-04T00:00:00Z"},
		{"an account that is open", []statement.Entry{stated("2026-01-02T08:00:00Z", "a", "opened", "2026-01-01")}, true, ""},
		{"a limited account is open", []statement.Entry{stated("2026-01-02T08:00:00Z", "a", "limited", "2026-01-01")}, true, ""},
		{"one of two is open", []statement.Entry{stated("2026-01-02T08:00:00Z", "a", "closed", "2026-01-01"), stated("2026-01-02T08:00:00Z", "b", "opened", "2026-01-01")}, true, ""},
		{"closed, then accessed once more", []statement.Entry{stated("2026-03-05T08:00:00Z", "a", "closed", "2026-03-03"), stated("2026-05-05T08:00:00Z", "a", "last-accessed", "2026-05-01")}, false, "2026-05-02T00:00:00Z"},
		{"two accounts, the later counts", []statement.Entry{stated("2026-03-05T08:00:00Z", "a", "closed", "2026-03-03"), stated("2026-02-05T08:00:00Z", "b", "closed", "2026-02-03")}, false, "2026-03-04T00:00:00Z"},
		{"opened again", []statement.Entry{stated("2026-03-05T08:00:00Z", "a", "closed", "2026-03-03"), stated("2026-04-05T08:00:00Z", "a", "restored", "2026-04-03")}, true, ""},
		{"a day that was not over when it was stated", []statement.Entry{stated("2026-03-03T08:00:00Z", "a", "closed", "2026-03-03")}, false, "2026-03-03T08:00:00Z"},
		{"no account was stated", []statement.Entry{verified("2026-03-03T08:00:00Z"), verified("2026-06-03T08:00:00Z")}, false, "2026-06-03T08:00:00Z"},
		{"verified after closing", []statement.Entry{stated("2026-03-05T08:00:00Z", "a", "closed", "2026-03-03"), verified("2026-06-03T08:00:00Z")}, false, "2026-03-04T00:00:00Z"},
	} {
		got := customerTerm(p, test.entries)
		if got.Open != test.open {
			t.Errorf("%s: open %v", test.name, got.Open)
		}
		if test.open {
			continue
		}
		from := moment(test.from)
		if !got.Floor.Equal(from.AddDate(0, 0, 730)) || !got.Until.Equal(from.AddDate(0, 0, 1826)) {
			t.Errorf("%s: from %s to %s, wanted 730 and 1826 days after %s", test.name, got.Floor, got.Until, from)
		}
	}
}

func TestAProgramIsKeptFromWhenAnotherTookItsPlaceOrTheRelationshipEnded(t *testing.T) {
	p := policy.Default().Records
	replaced, terminated := moment("2026-03-03T08:00:00Z"), moment("2026-02-02T08:00:00Z")
	if got := programTerm(p, time.Time{}, time.Time{}); !got.Open {
		t.Errorf("the newest of a reseller in business: %+v", got)
	}
	for _, test := range []struct{ replaced, terminated, from time.Time }{
		{replaced, time.Time{}, replaced}, {time.Time{}, terminated, terminated}, {replaced, terminated, terminated},
	} {
		if got := programTerm(p, test.replaced, test.terminated); got.Open || !got.Floor.Equal(test.from.AddDate(0, 0, 730)) {
			t.Errorf("replaced %v, terminated %v: %+v", test.replaced, test.terminated, got)
		}
	}
}
