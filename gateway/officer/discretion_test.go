package officer_test

import (
	"context"
	"errors"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/ledger"
	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/gateway/officer"
)

// shelf is entries in memory, read in pages as the ledger's are: about one entity, each at its place.
type shelf []statement.Entry

func (s shelf) Entries(_ context.Context, from int64, limit int, _ ...statement.Kind) ([]statement.Entry, error) {
	from = min(max(from, 0), int64(len(s)))
	return slices.Clone(s[from:min(from+int64(limit), int64(len(s)))]), nil
}

func (s shelf) About(ctx context.Context, _ envelope.ID, from int64, limit int) ([]statement.Entry, error) {
	return s.Entries(ctx, from, limit)
}

func (s shelf) Latest(_ context.Context, _ envelope.ID, before int64, limit int) ([]statement.Entry, error) {
	before = min(before, int64(len(s)))
	page := slices.Clone(s[max(0, before-int64(limit)):before])
	slices.Reverse(page)
	return page, nil
}

func (s shelf) Entry(_ context.Context, leafIndex int64) (statement.Entry, error) {
	if leafIndex >= int64(len(s)) {
		return statement.Entry{}, ledger.ErrNotFound
	}
	return s[leafIndex], nil
}

func (s shelf) At(_ context.Context, leafIndexes ...int64) (found []statement.Entry, err error) {
	for _, i := range leafIndexes {
		found = append(found, s[i])
	}
	return found, nil
}

func (s shelf) Size(context.Context) (int64, error) { return int64(len(s)), nil }

// Whoever may not read all reads, page by page and in both directions, every entry that is for them and no other, and a page is empty
// at the end alone.
func TestWhoMayNotReadAllReadsWhatIsForThemAndNothingOfTheRest(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var all shelf
		var want []int64
		hidden := map[int64]bool{}
		for i := range int64(rapid.IntRange(0, 30).Draw(t, "entries")) {
			e := statement.Entry{LeafIndex: i}
			switch rapid.IntRange(0, 3).Draw(t, "kind") {
			case 0:
				e.Statement, hidden[i] = statement.SuspiciousActivity{Audience: "need-to-know"}, true
			case 1:
				e.Statement = statement.SuspiciousActivity{Audience: "provider"}
			case 2:
				evidence := []int64{}
				for j := range i {
					evidence = append(evidence, j)
				}
				e.Statement = statement.FindingOpened{Evidence: evidence}
			default:
				e.Statement = statement.StandingChanged{}
			}
			if all = append(all, e); !hidden[i] {
				want = append(want, i)
			}
		}
		limit := rapid.IntRange(1, 5).Draw(t, "limit")
		d, ctx := officer.Discreet{Books: all}, context.Background() // nobody: no more than a viewer
		check := func(e statement.Entry) {
			if said, is := e.Statement.(statement.FindingOpened); is {
				if slices.ContainsFunc(said.Evidence, func(i int64) bool { return hidden[i] }) || said.Evidence == nil {
					t.Fatalf("entry %d names the evidence %v", e.LeafIndex, said.Evidence)
				}
			}
		}
		var up, down []int64
		for from := int64(0); ; {
			page, err := d.Entries(ctx, from, limit)
			again, _ := d.About(ctx, envelope.ID{}, from, limit)
			if err != nil || len(page) > limit || len(again) != len(page) {
				t.Fatalf("%d and %d, %v", len(page), len(again), err)
			}
			if len(page) == 0 {
				break
			}
			for _, e := range page {
				check(e)
				up = append(up, e.LeafIndex)
			}
			from = page[len(page)-1].LeafIndex + 1
		}
		for before := int64(len(all)); ; {
			page, err := d.Latest(ctx, envelope.ID{}, before, limit)
			if err != nil {
				t.Fatal(err)
			}
			if len(page) == 0 {
				break
			}
			for _, e := range page {
				check(e)
				down = append(down, e.LeafIndex)
			}
			before = page[len(page)-1].LeafIndex
		}
		slices.Reverse(down)
		if !slices.Equal(up, want) || !slices.Equal(down, want) {
			t.Fatalf("up %v, down %v, wanted %v", up, down, want)
		}
		for i := range all {
			e, err := d.Entry(ctx, int64(i))
			if hidden[int64(i)] != errors.Is(err, ledger.ErrNotFound) {
				t.Fatalf("entry %d: %v", i, err)
			}
			if err == nil {
				check(e)
			}
		}
		for i, e := range all { // what is shown to one must not change what the next one reads
			if said, is := e.Statement.(statement.FindingOpened); is && len(said.Evidence) != i {
				t.Fatalf("entry %d was changed", i)
			}
		}
	})
}
