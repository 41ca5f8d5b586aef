package customers

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/gateway/dashboard/frame"
	"github.com/cipgate/cipgate/resellers/docket"
	"github.com/cipgate/cipgate/resellers/escalation"
	"github.com/cipgate/cipgate/resellers/history"
	"github.com/cipgate/cipgate/resellers/screening"
)

// view is what the page shows.
type view struct {
	ID        string
	Name      string
	Facts     string // the numbers that no tab shows
	Query     string
	Tabs      []tab
	Countries []tab
	Rows      []row
	Nothing   string // why there are no rows
	First     bool   // the first page of the list
	Begin     string // address of the first page
	More      string // address of the page after this one, empty at the end
}

// tab leads to a part of the customers, with how many those are.
type tab struct {
	Words   string
	Count   string
	Address string
	Here    bool
}

type row struct {
	ID       string
	Country  string
	Risk     string
	Verified string       // the state and the age of the verification
	Since    frame.Moment // since when an account is open that should not be
	Notes    []string
	Owners   string
	Accounts string
	Tone     string
}

const unverified = "unverified"

// tabs are the parts of the customers, by the word in the address.
var tabs = []struct {
	show  string
	words string
	count func(history.Figures) int
}{
	{"", "All", func(f history.Figures) int { return f.Customers }},
	{unverified, "Account open, not verified", func(f history.Figures) int { return f.CustomersUnverified }},
	{string(docket.StateVerified), "Verified", func(f history.Figures) int { return f.CustomersVerified }},
	{string(docket.StateNotVerified), "Could not be verified", func(f history.Figures) int { return f.CustomersNotVerified }},
	{string(docket.StateUnstated), "Nothing stated", history.Figures.CustomersUnstated},
}

// shownCountries is how many countries have a link, those of most customers.
const shownCountries = 12

// fill makes the view of one page of the list. found holds one customer more than the page shows if another page follows.
func fill(file docket.File, wanted asked, found []history.Customer, size int, first bool, now time.Time) view {
	id, figures := file.ID(), file.History.Figures
	v := view{ID: id.String(), Name: cmp.Or(file.History.Name, string(file.Entity)), Facts: facts(figures), Query: wanted.id,
		First: first, Begin: wanted.address(id, ""), Nothing: nothing(wanted, figures)}
	for _, one := range tabs {
		v.Tabs = append(v.Tabs, tab{Words: one.words, Count: number(one.count(figures)),
			Address: asked{show: one.show, country: wanted.country}.address(id, ""), Here: wanted.id == "" && one.show == wanted.show})
	}
	v.Countries = countries(file, wanted)
	if len(found) > size {
		found = found[:size]
		v.More = wanted.address(id, cursorOf(wanted.filter().PlaceOf(found[size-1])))
	}
	for _, c := range found {
		v.Rows = append(v.Rows, rowOf(c, now))
	}
	return v
}

// countries lead to the customers of one country, and back from there.
func countries(file docket.File, wanted asked) []tab {
	counts := file.History.Figures.CustomersByCountry
	most := slices.SortedFunc(maps.Keys(counts), func(a, b string) int {
		return cmp.Or(cmp.Compare(counts[b], counts[a]), strings.Compare(a, b))
	})
	most = most[:min(len(most), shownCountries)]
	if wanted.country != "" && !slices.Contains(most, wanted.country) {
		most = append(most, wanted.country)
	}
	var links []tab
	for _, code := range most {
		link := tab{Words: screening.Country(code), Count: number(counts[code]), Here: code == wanted.country}
		if to := (asked{show: wanted.show, country: code}); !link.Here {
			link.Address = to.address(file.ID(), "")
		} else {
			link.Address = asked{show: wanted.show}.address(file.ID(), "")
		}
		links = append(links, link)
	}
	return links
}

func number(n int) string { return strings.TrimSuffix(frame.Count(int64(n), "", ""), " ") }

func facts(f history.Figures) string {
	words := []string{
		frame.Count(int64(f.AccountsOpen), "open account", "open accounts"),
		frame.Count(int64(f.Owners), "beneficial owner", "beneficial owners"),
	}
	if f.TrainingsPlanned > 0 || f.TrainingsOccurred > 0 {
		words = append(words, fmt.Sprintf("AI trainings: %s planned, %s occurred", number(f.TrainingsPlanned), number(f.TrainingsOccurred)))
	}
	if f.SuspiciousReports > 0 {
		words = append(words, frame.Count(int64(f.SuspiciousReports), "report", "reports")+" of suspicious activity")
	}
	if f.AccountsNotOpened > 0 {
		words = append(words, frame.Count(int64(f.AccountsNotOpened), "account", "accounts")+" of which it was never stated that it opened")
	}
	return strings.Join(words, " · ")
}

func nothing(wanted asked, f history.Figures) string {
	switch {
	case wanted.id != "":
		return "The reseller stated nothing of a customer with this id. Ids are compared exactly, with capital and small letters."
	case f.Customers == 0:
		return "The reseller has stated nothing of any customer yet. It does so by customer-verification and account-status."
	}
	return "No customer is among these."
}

func rowOf(c history.Customer, now time.Time) row {
	v := c.Verification
	r := row{ID: c.ID, Country: screening.Country(v.Home), Risk: v.RiskTier, Since: frame.MomentOf(c.UnverifiedSince, now),
		Owners:   ofAll(c.Owners, c.OwnersVerified, "owner", "owners", "verified"),
		Accounts: ofAll(c.Accounts, c.AccountsOpen, "account", "accounts", "open"), Tone: frame.BadgeOf(escalation.Pending).Tone}
	switch {
	case v.Verified():
		r.Verified, r.Tone = "Verified "+age(v.VerifiedOn, now), frame.BadgeOf(escalation.Good).Tone
		if v.NextDue != (statement.Date{}) {
			r.Notes = append(r.Notes, "To be verified again by "+day(v.NextDue)+".")
		}
	case v.Result == history.NotVerified:
		r.Verified = "Could not be verified, last tried " + age(v.CheckedOn, now)
		if v.VerifiedOn != (statement.Date{}) {
			r.Notes = append(r.Notes, "It was verified "+age(v.VerifiedOn, now)+".")
		}
		if len(v.Actions) > 0 {
			r.Notes = append(r.Notes, "What is done: "+strings.Join(v.Actions, ", ")+".")
		}
	default:
		r.Verified = "Nothing stated yet"
	}
	if c.US() {
		r.Notes = append(r.Notes, "Found to be a U.S. person, with all its owners: it need not be verified.")
	} else if len(v.Missing) > 0 {
		r.Notes = append(r.Notes, "Not said to be in hand: "+strings.Join(v.Missing, ", ")+".")
	}
	if c.Reports > 0 {
		r.Notes = append(r.Notes, frame.Count(int64(c.Reports), "report", "reports")+" of suspicious activity.")
	}
	if c.Unverified() {
		r.Tone = frame.BadgeOf(escalation.Warned).Tone
	}
	return r
}

// ofAll says of how many a thing holds: 1 of 2 accounts open.
func ofAll(all, some int, one, many, holds string) string {
	switch {
	case all == 0:
		return "no " + many
	case all == some:
		return frame.Count(int64(all), one, many) + " " + holds
	}
	return number(some) + " of " + frame.Count(int64(all), one, many) + " " + holds
}

// age words how long ago a day was, and the day.
func age(d statement.Date, now time.Time) string {
	days := int64(now.UTC().Truncate(24*time.Hour).Sub(midnight(d)) / (24 * time.Hour))
	ago := frame.Count(days, "day", "days") + " ago"
	if days <= 0 { // where the sun rises earlier it may be tomorrow already
		ago = "today"
	}
	return ago + ", on " + day(d)
}

func day(d statement.Date) string { return midnight(d).Format("2 Jan 2006") }

func midnight(d statement.Date) time.Time {
	return time.Date(d.Year, d.Month, d.Day, 0, 0, 0, 0, time.UTC)
}
