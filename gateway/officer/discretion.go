package officer

import (
	"context"
	"fmt"
	"slices"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/ledger"
	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/gateway/auth"
	"github.com/cipgate/cipgate/resellers/findings"
	"github.com/cipgate/cipgate/resellers/history"
)

// Reads is what evidence who asks may be shown (standing.md, "Findings"): what is for those who need to know it, only whoever acts on
// resellers. A viewer sees what any of the provider's people may.
func Reads(ctx context.Context) history.Audience {
	if auth.Asking(ctx).Role.Includes(auth.Member) {
		return history.ToNeedToKnow
	}
	return history.ToProvider
}

// readsAll says that nothing is kept from who asks.
func readsAll(ctx context.Context) bool { return Reads(ctx) == history.ToNeedToKnow }

// counted is a count of entries some of which may not be for who asks: left out for whoever may not read all of them, since a count that
// is larger than a list tells what the list does not.
func counted(ctx context.Context, n int) *int {
	if !readsAll(ctx) {
		return nil
	}
	return &n
}

// Counted are figures as a page may show them to who asks: without how many reports of suspicious activity came in, for whoever may not
// read all of them.
func Counted(ctx context.Context, f history.Figures) history.Figures {
	if !readsAll(ctx) {
		f.SuspiciousReports, f.Statements = 0, 0
	}
	return f
}

// CountedOf is Counted of one customer.
func CountedOf(ctx context.Context, c history.Customer) history.Customer {
	if !readsAll(ctx) {
		c.Reports, c.EntryCount = 0, 0
	}
	return c
}

// Books is what the API and the pages read of the ledger.
type Books interface {
	Ledger
	Latest(ctx context.Context, id envelope.ID, before int64, limit int) ([]statement.Entry, error)
	At(ctx context.Context, leafIndexes ...int64) ([]statement.Entry, error)
	Size(ctx context.Context) (int64, error)
}

// Discreet is the ledger as whoever asks may read it: entries that are not for them are not there, and what a finding rests on is named
// only as far as it is for them. The API and the pages read it instead of the ledger, so that no list, page or count of theirs has to
// think of it.
type Discreet struct {
	Books
}

// Entries are the ledger's, without those that are not for who asks.
func (d Discreet) Entries(ctx context.Context, from int64, limit int, kinds ...statement.Kind) ([]statement.Entry, error) {
	return d.seek(ctx, limit, func(last *statement.Entry, limit int) ([]statement.Entry, error) {
		if last != nil {
			from = last.LeafIndex + 1
		}
		return d.Books.Entries(ctx, from, limit, kinds...)
	})
}

// About are the ledger's, without those that are not for who asks.
func (d Discreet) About(ctx context.Context, id envelope.ID, from int64, limit int) ([]statement.Entry, error) {
	return d.seek(ctx, limit, func(last *statement.Entry, limit int) ([]statement.Entry, error) {
		if last != nil {
			from = last.LeafIndex + 1
		}
		return d.Books.About(ctx, id, from, limit)
	})
}

// Latest are the ledger's, without those that are not for who asks.
func (d Discreet) Latest(ctx context.Context, id envelope.ID, before int64, limit int) ([]statement.Entry, error) {
	return d.seek(ctx, limit, func(last *statement.Entry, limit int) ([]statement.Entry, error) {
		if last != nil {
			before = last.LeafIndex
		}
		return d.Books.Latest(ctx, id, before, limit)
	})
}

// Entry is the ledger's; ledger.ErrNotFound also for one that is not for who asks.
func (d Discreet) Entry(ctx context.Context, leafIndex int64) (statement.Entry, error) {
	entry, err := d.Books.Entry(ctx, leafIndex)
	if err != nil {
		return entry, err
	}
	shown, err := d.shown(ctx, []statement.Entry{entry})
	if err == nil && len(shown) == 0 {
		err = fmt.Errorf("read entry %d of the ledger: %w", leafIndex, ledger.ErrNotFound)
	}
	if err != nil {
		return statement.Entry{}, err
	}
	return shown[0], nil
}

// seek reads on behind the last entry that was read, as many as were not shown, until a page holds as much as it would for whoever reads
// all: a page that is shorter would count what it does not show. An empty page is the end.
func (d Discreet) seek(ctx context.Context, limit int, read func(last *statement.Entry, limit int) ([]statement.Entry, error)) ([]statement.Entry, error) {
	var page []statement.Entry
	for last := (*statement.Entry)(nil); ; {
		entries, err := read(last, limit)
		if err != nil || len(entries) == 0 {
			return page, err
		}
		last = &entries[len(entries)-1]
		shown, err := d.shown(ctx, entries)
		if err != nil {
			return nil, err
		}
		page = append(page, shown...)
		if limit = len(entries) - len(shown); limit == 0 {
			return page, nil
		}
	}
}

// mostAtOnce is how many entries are read by their leaf indexes at once.
const mostAtOnce = 1000

// shown leaves out what is not for who asks, and of findings and warnings what they rest on and is not.
func (d Discreet) shown(ctx context.Context, entries []statement.Entry) ([]statement.Entry, error) {
	reader, shown := Reads(ctx), []statement.Entry{}
	var named []int64
	for _, e := range entries {
		if !history.AudienceIn(e).MayShow(reader) {
			continue
		}
		switch said := e.Statement.(type) {
		case statement.FindingOpened:
			if !readsAll(ctx) {
				named = append(named, said.Evidence...)
			}
		case statement.WarningIssued:
			for _, one := range said.Evidence {
				named = append(named, one.Entry)
			}
		}
		shown = append(shown, e)
	}
	if len(named) == 0 {
		return shown, nil
	}
	slices.Sort(named)
	var evidence []statement.Entry
	for some := range slices.Chunk(slices.Compact(named), mostAtOnce) {
		entries, err := d.At(ctx, some...)
		if err != nil {
			return nil, err
		}
		evidence = append(evidence, entries...)
	}
	for i := range shown {
		switch said := shown[i].Statement.(type) {
		case statement.FindingOpened:
			if !readsAll(ctx) {
				shown[i].Statement, _ = findings.Told(said, evidence, reader)
			}
		case statement.WarningIssued:
			shown[i].Statement = findings.ToldWarning(said, evidence, reader)
		}
	}
	return shown, nil
}
