package delivery

import (
	"context"
	"errors"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"gorm.io/gorm"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/ledger"
	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/migrations/migrationstest"
	"github.com/cipgate/cipgate/sync/mail"
	"github.com/cipgate/cipgate/sync/notices"
)

const (
	ana = "ana@acme.example"
	kim = "kim@provider.example"
)

var toAna = notices.OfContact(acme, ana)

// mortalLedger is a ledger whose appending is a step, before and after.
type mortalLedger struct {
	Ledger
	*killer
}

func (m mortalLedger) Append(ctx context.Context, sets ...envelope.Verified) ([]ledger.Receipt, error) {
	if err := m.step(); err != nil {
		return nil, err
	}
	receipts, err := m.Ledger.Append(ctx, sets...)
	if killed := m.step(); killed != nil {
		return nil, killed
	}
	return receipts, err
}

// postbox takes letters and answers as it is told.
type postbox struct {
	mu      sync.Mutex
	letters []mail.Letter
	answers []mail.Report // of the next letters; then Sent
	killer  *killer       // sending is a step, before and after
}

func (p *postbox) Send(_ context.Context, letter mail.Letter) mail.Report {
	if p.killer != nil && p.killer.step() != nil {
		return mail.Report{Outcome: mail.Failed}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.letters = append(p.letters, letter)
	report := mail.Report{Outcome: mail.Sent, Status: 250}
	if len(p.answers) > 0 {
		report, p.answers = p.answers[0], p.answers[1:]
	}
	if p.killer != nil {
		_ = p.killer.step()
	}
	return report
}

func (p *postbox) subjects() (all []string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	// People are mailed at the same time; each gets its letters in order.
	slices.SortStableFunc(p.letters, func(a, b mail.Letter) int { return strings.Compare(a.To, b.To) })
	for _, letter := range p.letters {
		all = append(all, letter.To+": "+letter.Subject)
	}
	return all
}

// people is a directory.
type people struct{ contacts, officers, second, releasers []string }

func (p *people) Contacts(_ context.Context, of envelope.Entity) ([]string, error) {
	if of == acme {
		return p.contacts, nil
	}
	return nil, nil
}

func (p *people) SecondContacts(_ context.Context, of envelope.Entity) ([]string, error) {
	if of == acme {
		return p.second, nil
	}
	return nil, nil
}

func (p *people) Officers(context.Context) ([]string, error) { return p.officers, nil }

func (p *people) Releasers(context.Context) ([]string, error) { return p.releasers, nil }

// mails makes the world's delivery send mail.
func (w *world) mails(contacts, officers []string) (*postbox, *people) {
	box, known := &postbox{}, &people{contacts: contacts, officers: officers, releasers: officers}
	w.Mail, w.People = box, known
	return box, known
}

// at moves the clock to a time of the first day, and mails who is due.
func (w *world) at(clock string) {
	w.t.Helper()
	parsed, err := time.Parse("15:04", clock)
	w.must(err)
	w.now = time.Date(epoch.Year(), epoch.Month(), epoch.Day(), parsed.Hour(), parsed.Minute(), 0, 0, time.UTC)
	w.must(w.Turn(w.t.Context()))
	w.must(w.MailDue(w.t.Context()))
}

func (w *world) demand(box *postbox, want ...string) {
	w.t.Helper()
	if got := box.subjects(); !slices.Equal(got, want) {
		w.t.Errorf("mailed %q, want %q", got, want)
	}
}

func TestWhatIsNotUrgentIsMailedOnceWithTheHour(t *testing.T) {
	migrationstest.Each(t, func(t *testing.T, db *gorm.DB) {
		w := newWorld(t, db)
		box, _ := w.mails([]string{ana}, []string{kim})
		w.state(statement.KindWarningIssued, acme)
		w.state(statement.KindStandingChanged, acme)
		w.state(statement.KindStandingChanged, other) // its contact is not known
		w.at("09:20")
		w.demand(box)
		w.at("09:59")
		w.demand(box)
		w.at("10:00")
		w.demand(box, ana+": 2 notices", kim+": A warning was issued. It says what cures it, and by when")
		w.at("11:30")
		w.demand(box, ana+": 2 notices", kim+": A warning was issued. It says what cures it, and by when")
		w.are(toAna, Waiting, Waiting)
		for _, one := range w.notices(toAna) {
			if len(one.Attempts) != 1 || one.Attempts[0].Method != byMail || one.Attempts[0].Status != 250 || one.Attempts[0].Problem != "" {
				t.Errorf("%s: attempts %+v", one.Kind, one.Attempts)
			}
		}
		if text := box.letters[0].Text; strings.Contains(text, ana) || strings.Count(text, "https://provider.example/answer/") != 1 ||
			!strings.Contains(text, "You get this because you are the confirmed contact of\n"+string(acme)) {
			t.Errorf("the letter to the contact is:\n%s", text)
		}
		if text := box.letters[1].Text; strings.Contains(text, AnswerPath) || !strings.Contains(text, "https://provider.example/resellers") {
			t.Errorf("the letter to the officer is:\n%s", text)
		}
	})
}

func TestWhatIsCriticalIsMailedAtOnceUpToTheCap(t *testing.T) {
	migrationstest.Each(t, func(t *testing.T, db *gorm.DB) {
		w := newWorld(t, db)
		box, _ := w.mails([]string{ana}, nil)
		w.state(statement.KindStandingChanged, acme)
		for i := range notices.MostMails {
			w.state(statement.KindClosureOrdered, acme)
			w.at([]string{"09:01", "09:02", "09:03", "09:04", "09:05"}[i])
		}
		w.state(statement.KindClosureOrdered, acme)
		w.state(statement.KindRelationshipTerminated, acme)
		w.at("09:06")
		if got := box.subjects(); len(got) != notices.MostMails || got[0] != ana+": 2 notices" || got[1] != ana+": Accounts are to be closed: an order" {
			t.Errorf("mailed %q", got)
		}
		w.at("10:01")
		if got := box.subjects(); len(got) != notices.MostMails+1 || got[notices.MostMails] != ana+": 2 notices" {
			t.Errorf("mailed %q", got)
		}
	})
}

func TestAMailThatWasNotTakenIsTriedAgainUnderTheSameID(t *testing.T) {
	migrationstest.Each(t, func(t *testing.T, db *gorm.DB) {
		w := newWorld(t, db)
		box, _ := w.mails([]string{ana}, nil)
		box.answers = []mail.Report{{Outcome: mail.Failed, Status: 451, Problem: "later"}, {Outcome: mail.Unknown, Problem: "lost"}}
		w.state(statement.KindClosureOrdered, acme)
		w.at("09:10")
		w.at("09:10") // it waits
		w.demand(box, ana+": Accounts are to be closed: an order")
		w.at("09:11")
		w.at("09:12")
		w.at("09:30")
		if len(box.letters) != 3 || box.letters[0].ID != box.letters[1].ID || box.letters[1].ID != box.letters[2].ID {
			t.Fatalf("mailed %+v", box.letters)
		}
		var got []int
		for _, attempt := range w.notices(toAna)[0].Attempts {
			got = append(got, attempt.Status)
		}
		if !slices.Equal(got, []int{250, 0, 451}) {
			t.Errorf("attempts, the newest first: %v", got)
		}
	})
}

func TestANoticeWhoseMailIsRefusedForGoodIsParked(t *testing.T) {
	migrationstest.Each(t, func(t *testing.T, db *gorm.DB) {
		w := newWorld(t, db)
		box, _ := w.mails([]string{ana}, nil)
		box.answers = []mail.Report{{Outcome: mail.Refused, Status: 550, Problem: "the server refused the address for good"}}
		w.state(statement.KindClosureOrdered, acme)
		w.at("09:10")
		w.are(toAna, Parked)
		if one := w.notices(toAna)[0]; one.Err != errMail || one.Description != "the server refused the address for good" {
			t.Errorf("parked as %+v", one)
		}
		_, err := w.Retry(t.Context(), toAna, 1)
		w.must(err)
		w.at("09:11")
		w.are(toAna, Waiting)
		if len(box.letters) != 2 {
			t.Errorf("mailed %q", box.subjects())
		}
	})
}

func TestWhoIsNoLongerTheContactIsMailedNothingMore(t *testing.T) {
	migrationstest.Each(t, func(t *testing.T, db *gorm.DB) {
		w := newWorld(t, db)
		box, known := w.mails([]string{ana}, nil)
		w.state(statement.KindStandingChanged, acme)
		w.at("09:10")
		known.contacts = []string{"bo@acme.example"}
		w.at("10:00")
		w.demand(box)
		w.are(toAna, Dropped)
		w.state(statement.KindStandingChanged, acme)
		w.at("10:01")
		w.at("11:00")
		w.demand(box, "bo@acme.example: The standing changed")
	})
}

func TestOfficersAreCalledForAMatterOnceAndAtOnce(t *testing.T) {
	migrationstest.Each(t, func(t *testing.T, db *gorm.DB) {
		w := newWorld(t, db)
		box, known := w.mails(nil, []string{kim, "lee@provider.example"})
		asked := Matter{Key: "approval-1", Kind: mail.MatterApproval, About: acme}
		w.must(w.Call(t.Context(), asked))
		w.at("09:10")
		w.must(w.Call(t.Context(), asked, Matter{Key: "guard-1", Kind: mail.MatterGuard, About: self}))
		w.at("09:11")
		got := box.subjects()
		slices.Sort(got)
		want := []string{kim + ": A step waits for approval", kim + ": The guard stopped a mass action. Two people must look",
			"lee@provider.example: A step waits for approval", "lee@provider.example: The guard stopped a mass action. Two people must look"}
		if !slices.Equal(got, want) {
			t.Errorf("mailed %q", got)
		}
		// Each leads to where it is done.
		known.officers = []string{kim}
		w.must(w.Call(t.Context(), Matter{Key: "token billing", Kind: mail.MatterToken, About: self}))
		w.at("09:12")
		last := box.letters[len(box.letters)-1].Text
		if !strings.Contains(last, "Read it here:\nhttps://provider.example/outbox\n") || !strings.Contains(box.letters[0].Text, "https://provider.example/approvals\n") {
			t.Errorf("the first says %s\nthe last %s", box.letters[0].Text, last)
		}
	})
}

// idsOf are the letters' ids, each once, and how many letters there are.
func idsOf(letters []mail.Letter) (ids map[string]int) {
	ids = map[string]int{}
	for _, letter := range letters {
		ids[letter.ID]++
	}
	return ids
}

func TestNoNoticeIsInTwoMailsWhereverTheProcessIsKilled(t *testing.T) {
	migrationstest.Each(t, func(t *testing.T, db *gorm.DB) {
		w := newWorld(t, db)
		box, known := w.mails([]string{ana}, nil)
		died, twice := true, 0
		for after := 0; died; after++ {
			w.now = w.now.Add(2 * time.Hour)
			w.state(statement.KindClosureOrdered, acme)
			w.must(w.Turn(t.Context()))
			before := len(box.letters)
			k := &killer{after: after}
			mortal := w.process(k.mortal(t, db), w.ledger, nil)
			box.killer = k
			mortal.Mail, mortal.People = box, known
			if err := mortal.MailDue(t.Context()); err != nil && !errors.Is(err, errKilled) {
				t.Fatal(err)
			}
			died = k.steps > after
			tried := len(box.letters) - before
			box.killer = nil
			w.now = w.now.Add(leaseTime + time.Second) // the dead process's lease runs out
			w.must(w.MailDue(t.Context()))
			fresh := idsOf(box.letters[before:])
			if len(fresh) != 1 {
				t.Fatalf("killed after %d steps, one notice came in %d mails", after, len(fresh))
			}
			for _, times := range fresh {
				// Two letters only if the first was with the server when the process died, and then under one id.
				if times == 2 && tried == 1 {
					twice++
				} else if times != 1 {
					t.Errorf("killed after %d steps, the letter was sent %d times, %d of them by the dead process", after, times, tried)
				}
			}
		}
		if twice == 0 || len(box.letters) < 10 {
			t.Errorf("%d letters, %d twice: it was never killed while the server had the letter", len(box.letters), twice)
		}
		// Each notice is in exactly one mail.
		for _, one := range w.notices(toAna) {
			if one.State != Waiting || len(one.Attempts) == 0 {
				t.Errorf("notice %d is %s after %d attempts", one.Sequence, one.State, len(one.Attempts))
			}
		}
	})
}

var linkIn = regexp.MustCompile(`/answer/([A-Za-z0-9_-]{43})\n`)

// tokenIn is the token of the link in a letter.
func tokenIn(t *testing.T, letter mail.Letter) string {
	t.Helper()
	found := linkIn.FindStringSubmatch(letter.Text)
	if found == nil {
		t.Fatalf("there is no link in:\n%s", letter.Text)
	}
	if !strings.Contains(letter.HTML, found[1]) {
		t.Error("the HTML has another link")
	}
	return found[1]
}
