package delivery

import (
	"errors"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"gorm.io/gorm"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/migrations/migrationstest"
)

var codeIn = regexp.MustCompile(`Your code: ([0-9]{8})\n`)

// linked mails a finding to the contact and returns the link's token.
func (w *world) linked(box *postbox) string {
	w.t.Helper()
	w.state(statement.KindFindingOpened, acme)
	w.state(statement.KindClosureOrdered, acme)
	w.at("09:10")
	return tokenIn(w.t, box.letters[len(box.letters)-1])
}

// code asks for a code and returns it.
func (w *world) code(box *postbox, token string) string {
	w.t.Helper()
	w.must(w.SendCode(w.t.Context(), token))
	letter := box.letters[len(box.letters)-1]
	found := codeIn.FindStringSubmatch(letter.Text)
	if found == nil || letter.To != ana || !strings.Contains(letter.HTML, found[1]) || strings.Contains(letter.Text, token) {
		w.t.Fatalf("there is no code, or the link too, in the letter to %s:\n%s", letter.To, letter.Text)
	}
	return found[1]
}

func (w *world) open(box *postbox, token string) (session string) {
	w.t.Helper()
	session, err := w.Open(w.t.Context(), token, w.code(box, token))
	w.must(err)
	return session
}

func TestAContactReadsAndAcknowledgesOverALinkAndThatIsProof(t *testing.T) {
	migrationstest.Each(t, func(t *testing.T, db *gorm.DB) {
		w := newWorld(t, db)
		box, _ := w.mails([]string{ana}, nil)
		token := w.linked(box)
		link, err := w.Link(t.Context(), token)
		w.must(err)
		if link.About != acme || link.Contact != toAna.ID() || link.CodeSent || !link.ExpiresAt.Equal(w.now.Add(LinkLife)) {
			t.Errorf("the link is %+v", link)
		}
		w.provedBy("jti-1")
		session := w.open(box, token)
		w.now = w.now.Add(time.Minute)
		shown, err := w.Answering(t.Context(), token, session)
		w.must(err)
		if len(shown.Notices) != 2 || shown.Notices[0].Entry.Statement.Kind() != statement.KindFindingOpened || shown.Notices[0].Acknowledged || shown.Link.ID != link.ID {
			t.Fatalf("shown %+v", shown)
		}
		w.provedBy("jti-1", statement.ChannelLinkOpened)
		w.must(w.Acknowledge(t.Context(), token, session))
		w.must(w.Acknowledge(t.Context(), token, session)) // again
		w.are(toAna, Acknowledged, Acknowledged)
		w.provedBy("jti-1", statement.ChannelLinkOpened, statement.ChannelMailAnswered)
		w.must(w.Turn(t.Context()))
		proofs := w.proofs()
		if len(proofs) != 4 {
			t.Fatalf("%d proofs are in the ledger, want one for each of two notices and two channels", len(proofs))
		}
		for _, entry := range proofs {
			if said := entry.Statement.(statement.NoticeProved); entry.About != acme || said.Link != link.ID || said.Contact != toAna.ID() {
				t.Errorf("proved %+v about %s", said, entry.About)
			}
		}
	})
}

func TestWhatAContactStatesIsSignedByTheGatewayAsStatedOverTheLink(t *testing.T) {
	migrationstest.Each(t, func(t *testing.T, db *gorm.DB) {
		w := newWorld(t, db)
		box, _ := w.mails([]string{ana}, nil)
		token := w.linked(box)
		session := w.open(box, token)
		shown, err := w.Answering(t.Context(), token, session)
		w.must(err)
		finding := shown.Notices[0].Answerable.Findings[0]
		dispute := statement.Remediation{RemediationKind: "dispute", Finding: finding, Ground: "false-positive", Text: "It was handed in on paper."}
		receipt, err := w.State(t.Context(), token, session, 1, dispute)
		w.must(err)
		again, err := w.State(t.Context(), token, session, 1, dispute)
		if err != nil || again.LeafIndex != receipt.LeafIndex {
			t.Errorf("the same again: entry %d, %v, want entry %d", again.LeafIndex, err, receipt.LeafIndex)
		}
		entries, err := w.ledger.Entries(t.Context(), 0, 100, statement.KindStatedByLink, statement.KindRemediation)
		w.must(err)
		if len(entries) != 1 || entries[0].By != self || entries[0].About != acme || entries[0].LeafIndex != receipt.LeafIndex {
			t.Fatalf("the ledger holds %+v", entries)
		}
		said := entries[0].Statement.(statement.StatedByLink)
		if said.Link != shown.Link.ID || said.Contact != toAna.ID() || said.Notice != "jti-1" || said.Remediation.Text != dispute.Text {
			t.Errorf("stated %+v", said)
		}
		if read, ok := statement.RemediationOf(entries[0]); !ok || read.Finding != finding {
			t.Errorf("it is read as %+v, %t", read, ok)
		}
		w.are(toAna, Acknowledged, Waiting)
		other := dispute
		other.Text = "In other words."
		for name, c := range map[string]struct {
			sequence int64
			said     statement.Remediation
			want     error
		}{
			"in other words":           {1, other, ErrAnswered},
			"a finding of nobody":      {1, statement.Remediation{RemediationKind: "explanation", Finding: "x", Text: "x"}, ErrNotAsked},
			"a notice of another mail": {3, dispute, ErrNoNotice},
			"a dispute without ground": {2, statement.Remediation{RemediationKind: "dispute", Finding: shown.Notices[1].Answerable.Findings[0], Text: "x"}, envelope.ErrMalformed},
		} {
			if _, err := w.State(t.Context(), token, session, c.sequence, c.said); !errors.Is(err, c.want) {
				t.Errorf("%s: %v, want %v", name, err, c.want)
			}
		}
	})
}

func TestTheCodeCannotBeGuessed(t *testing.T) {
	migrationstest.Each(t, func(t *testing.T, db *gorm.DB) {
		w := newWorld(t, db)
		box, _ := w.mails([]string{ana}, nil)
		token := w.linked(box)
		code := w.code(box, token)
		wrong := "00000000"
		if code == wrong {
			wrong = "00000001"
		}
		var guessing sync.WaitGroup
		var mu sync.Mutex
		refused := map[error]int{}
		for range 3 * maxGuesses {
			guessing.Go(func() {
				_, err := w.Open(t.Context(), token, wrong)
				mu.Lock()
				defer mu.Unlock()
				for _, one := range []error{ErrCode, ErrLocked} {
					if errors.Is(err, one) {
						refused[one]++
					}
				}
			})
		}
		guessing.Wait()
		if refused[ErrCode] != maxGuesses || refused[ErrLocked] != 2*maxGuesses {
			t.Errorf("of %d guesses at once %v were looked at", 3*maxGuesses, refused)
		}
		if _, err := w.Open(t.Context(), token, code); !errors.Is(err, ErrLocked) {
			t.Errorf("the right code after too many wrong ones: %v", err)
		}
		w.now = w.now.Add(time.Hour)
		if err := w.SendCode(t.Context(), token); !errors.Is(err, ErrLocked) {
			t.Errorf("a new code after too many wrong ones: %v", err)
		}
	})
}

func TestACodeOpensOnceAndNotForLong(t *testing.T) {
	migrationstest.Each(t, func(t *testing.T, db *gorm.DB) {
		w := newWorld(t, db)
		box, known := w.mails([]string{ana}, nil)
		token := w.linked(box)
		if _, err := w.Open(t.Context(), token, ""); !errors.Is(err, ErrCode) {
			t.Errorf("no code before one was sent: %v", err)
		}
		first := w.code(box, token)
		if err := w.SendCode(t.Context(), token); !errors.Is(err, ErrCodeSoon) {
			t.Errorf("a second code at once: %v", err)
		}
		session, err := w.Open(t.Context(), token, first)
		w.must(err)
		if _, err := w.Open(t.Context(), token, first); !errors.Is(err, ErrCode) {
			t.Errorf("the same code again: %v", err)
		}
		w.now = w.now.Add(CodeInterval)
		second := w.code(box, token)
		w.now = w.now.Add(CodeLife)
		if _, err := w.Open(t.Context(), token, second); !errors.Is(err, ErrCode) {
			t.Errorf("a code that is too old: %v", err)
		}
		if _, err := w.Answering(t.Context(), token, session); err != nil {
			t.Errorf("the session: %v", err)
		}
		for _, shown := range []string{"", "x", token} {
			if _, err := w.Answering(t.Context(), token, shown); !errors.Is(err, ErrNoSession) {
				t.Errorf("session %q: %v", shown, err)
			}
			if err := w.Acknowledge(t.Context(), token, shown); !errors.Is(err, ErrNoSession) {
				t.Errorf("acknowledging with session %q: %v", shown, err)
			}
		}
		w.now = w.now.Add(SessionLife)
		if _, err := w.Answering(t.Context(), token, session); !errors.Is(err, ErrNoSession) {
			t.Errorf("a session that is over: %v", err)
		}
		for range maxCodes - 2 {
			w.now = w.now.Add(CodeInterval)
			w.code(box, token)
		}
		w.now = w.now.Add(CodeInterval)
		if err := w.SendCode(t.Context(), token); !errors.Is(err, ErrLocked) {
			t.Errorf("one code more than there may be: %v", err)
		}
		known.contacts = nil
		if _, err := w.Link(t.Context(), token); !errors.Is(err, ErrNoLink) {
			t.Errorf("somebody who is no longer the contact: %v", err)
		}
		known.contacts = []string{ana}
		w.now = w.now.Add(LinkLife)
		for _, one := range []string{token, "", strings.Repeat("A", 43)} {
			if _, err := w.Link(t.Context(), one); !errors.Is(err, ErrNoLink) {
				t.Errorf("a link that is over, or none: %v", err)
			}
		}
	})
}

func TestNoSecretIsKept(t *testing.T) {
	migrationstest.Each(t, func(t *testing.T, db *gorm.DB) {
		w := newWorld(t, db)
		box, _ := w.mails([]string{ana}, nil)
		token := w.linked(box)
		code := w.code(box, token)
		session, err := w.Open(t.Context(), token, code)
		w.must(err)
		w.now = w.now.Add(CodeInterval)
		next := w.code(box, token)
		for _, table := range []string{"delivery_links", "delivery_mails", "delivery_people", "delivery_notices", "delivery_attempts", "delivery_proofs"} {
			var rows []map[string]any
			if err := db.Table(table).Limit(1000).Find(&rows).Error; err != nil {
				t.Fatal(err)
			}
			for _, row := range rows {
				for column, value := range row {
					text := ""
					switch v := value.(type) {
					case string:
						text = v
					case []byte:
						text = string(v)
					}
					for _, secret := range []string{token, code, next, session, ana} {
						if strings.Contains(text, secret) {
							t.Errorf("%s.%s holds a secret", table, column)
						}
					}
				}
			}
		}
	})
}

func TestAnInquiryIsAnsweredOverALink(t *testing.T) {
	migrationstest.Each(t, func(t *testing.T, db *gorm.DB) {
		w := newWorld(t, db)
		box, _ := w.mails([]string{ana}, nil)
		set, err := w.signer.Sign(envelope.Draft{Issuer: self, Audience: acme, IssuedAt: w.now, JTI: "inquiry-1", EventURI: statement.KindInformationRequested.URI(),
			Event: jsontext.Value(`{"inquiry":"q-1","question":"What was it?","due_at":"2026-03-06T00:00:00Z"}`), Subject: envelope.Subject{Format: "uri", URI: string(acme)}})
		w.must(err)
		_, err = w.ledger.Append(t.Context(), set)
		w.must(err)
		w.at("09:10")
		w.at("10:00")
		token := tokenIn(t, box.letters[0])
		session := w.open(box, token)
		_, err = w.State(t.Context(), token, session, 1, statement.Remediation{RemediationKind: "explanation", Inquiry: "q-1", Text: "A load test."})
		w.must(err)
		w.are(toAna, Acknowledged)
	})
}
