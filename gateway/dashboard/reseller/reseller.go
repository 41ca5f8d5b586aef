// Package reseller is the page about one reseller: how it stands, what comes next, when, and unless what; what
// falls short and what cures it; the future if nothing happens; and the past, entry by entry, each with its
// receipt and with what it follows from; and what officers can do about it, by forms that waiting takes. It decides nothing: the
// future is escalation's, the words of the past are officer's.
package reseller

import (
	"context"
	_ "embed"
	"fmt"
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/gateway/dashboard/frame"
	"github.com/cipgate/cipgate/gateway/dashboard/notices"
	"github.com/cipgate/cipgate/gateway/dashboard/waiting"
	"github.com/cipgate/cipgate/gateway/officer"
	"github.com/cipgate/cipgate/gateway/problem"
	"github.com/cipgate/cipgate/resellers/docket"
	"github.com/cipgate/cipgate/resellers/escalation"
	"github.com/cipgate/cipgate/resellers/findings"
	"github.com/cipgate/cipgate/resellers/history"
	"github.com/cipgate/cipgate/resellers/policy"
	"github.com/cipgate/cipgate/sync/delivery"
)

// Docket is where the reseller's file comes from.
type Docket interface {
	officer.Cases
	officer.Orders
	Outlook(file docket.File) (escalation.Prospect, error)
}

// Ledger is where its history comes from.
type Ledger interface {
	Latest(ctx context.Context, id envelope.ID, before int64, limit int) ([]statement.Entry, error)
}

// Outbox is where its notices are.
type Outbox interface {
	Channels(ctx context.Context, about envelope.Entity, jtis []string) (map[string]delivery.Channels, error)
}

// Sources are what the page is made from.
type Sources struct {
	Docket  Docket
	Ledger  Ledger
	Outbox  Outbox               // how the notice of the last step goes; nil where nobody keeps that
	Reached officer.Reached      // when its orders were delivered
	Self    envelope.Entity      // the gateway
	Policy  func() policy.Policy // in force
	Now     func() time.Time
}

//go:embed page.html
var pageHTML string

var page = frame.Parse(waiting.Parts + waiting.Owed + waiting.Ordered + notices.Parts + pageHTML)

// Handler serves the page under an address that ends in the reseller's id.
func Handler(f frame.Frame, from Sources) fiber.Handler {
	return func(c *fiber.Ctx) error {
		id, err := envelope.ParseID(c.Params("id"))
		if err != nil {
			return fmt.Errorf("%w: no reseller has such an id", problem.ErrNoSuchPage)
		}
		before, err := beforeOf(c.Query("before"))
		if err != nil {
			return err
		}
		file, err := from.Docket.Open(c.UserContext(), id)
		if err != nil {
			return err
		}
		now := from.Now()
		// The page asks for itself every few seconds. If it would be the same again, nothing is read for it.
		edition, err := from.edition(c.UserContext(), file, now)
		if err != nil {
			return err
		}
		if c.Get("HX-Request") == "true" && c.Query("shown") == edition {
			return c.SendStatus(fiber.StatusNoContent)
		}
		past, older, err := newest(c.UserContext(), from.Ledger, id, before)
		if err != nil {
			return err
		}
		ahead, err := from.Docket.Outlook(file)
		if err != nil {
			return fmt.Errorf("looking ahead for %s: %w", file.Entity, err)
		}
		for i := range file.Case.Findings {
			file.Case.Findings[i].Evidence = findings.Visible(file.History, file.Case.Findings[i].Evidence, officer.Reads(c.UserContext()))
		}
		shown := fill(from.Policy(), f.Entity, file, ahead, past, now)
		shown.Here = fmt.Sprintf("/resellers/%s?shown=%s", id, edition)
		if shown.Newest = before == end; shown.Newest {
			if err := from.acts(c.UserContext(), &shown, file, now); err != nil {
				return err
			}
			if shown.Told, err = from.told(c.UserContext(), file, now); err != nil {
				return err
			}
			shown.Done = waiting.Done(c)
		}
		if older {
			shown.Older = fmt.Sprintf("/resellers/%s?before=%d", id, past[0].LeafIndex)
		}
		return f.Show(c, frame.Page{Title: shown.Name, Template: page, View: shown})
	}
}

// edition names what a page shows: the file as far as it was folded, and the minute, by which all its times are worded. To whoever may not
// read all it names the last entry that they may read: that something else came in is nothing to them.
func (from Sources) edition(ctx context.Context, file docket.File, now time.Time) (string, error) {
	seen := file.Seen()
	if officer.Reads(ctx) != history.ToNeedToKnow {
		seen = -1
		last, err := from.Ledger.Latest(ctx, file.ID(), end, 1)
		if err != nil {
			return "", fmt.Errorf("reading the history of a reseller: %w", err)
		}
		if len(last) > 0 {
			seen = last[0].LeafIndex
		}
	}
	return fmt.Sprintf("%d.%d", seen, now.Unix()/60), nil
}

const (
	// shownEntries is how many entries one page tells.
	shownEntries = 100
	// end is behind every entry.
	end = int64(math.MaxInt64)
)

func beforeOf(query string) (int64, error) {
	if query == "" {
		return end, nil
	}
	before, err := strconv.ParseInt(query, 10, 64)
	if err != nil || before < 0 {
		return 0, fmt.Errorf("%w: before: wanted the leaf index of an entry", problem.ErrRequest)
	}
	return before, nil
}

// newest returns the last entries about a reseller that stand before a leaf index, oldest first, and says
// whether there are older ones.
func newest(ctx context.Context, log Ledger, id envelope.ID, before int64) (entries []statement.Entry, older bool, err error) {
	for len(entries) <= shownEntries {
		// A page may be short where entries are large; only an empty one is the end.
		read, err := log.Latest(ctx, id, before, shownEntries+1-len(entries))
		if err != nil {
			return nil, false, fmt.Errorf("reading the history of a reseller: %w", err)
		}
		if len(read) == 0 {
			break
		}
		entries = append(entries, read...)
		before = read[len(read)-1].LeafIndex
	}
	if len(entries) > shownEntries {
		entries, older = entries[:shownEntries], true
	}
	slices.Reverse(entries)
	return entries, older, nil
}
