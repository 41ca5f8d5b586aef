package ledgertest

import (
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/ledger"
	"github.com/cipgate/cipgate/attestations/proof"
	"github.com/cipgate/cipgate/attestations/statement"
)

func entriesInOrder(t *testing.T, u *User) {
	l := u.open(t)
	first, second := NewAuthor(t, 1), NewAuthor(t, 2)
	var sets []envelope.Verified
	for n := range 7 {
		sets = append(sets, first.State(t, n), second.State(t, n))
	}
	for i, set := range sets {
		receipt := appended(t, l, set)[0]
		want := ledger.Receipt{LeafIndex: int64(i), Digest: set.Digest(), AcceptedAt: Noon}
		if receipt != want {
			t.Fatalf("receipt %+v, wanted %+v", receipt, want)
		}
	}

	// Pages, from any place.
	var read []statement.Entry
	for from := int64(0); ; from = read[len(read)-1].LeafIndex + 1 {
		page, err := l.Entries(t.Context(), from, 4)
		if err != nil {
			t.Fatal(err)
		}
		if len(page) == 0 {
			break
		}
		read = append(read, page...)
	}
	for i, entry := range read {
		if entry.LeafIndex != int64(i) || entry.Digest != sets[i].Digest() || !entry.AcceptedAt.Equal(Noon) || entry.By != sets[i].Claims().Issuer {
			t.Errorf("entry %d reads back as %+v", i, entry)
		}
	}
	if len(read) != len(sets) {
		t.Errorf("%d entries, wanted %d", len(read), len(sets))
	}

	about, err := l.About(t.Context(), second.Entity.ID(), 4, 3)
	if err != nil {
		t.Fatal(err)
	}
	if got := leafIndexes(about); !slices.Equal(got, []int64{5, 7, 9}) {
		t.Errorf("about the second from 4 on: %v", got)
	}
	latest, err := l.Latest(t.Context(), second.Entity.ID(), 9, 2)
	if err != nil || !slices.Equal(leafIndexes(latest), []int64{7, 5}) {
		t.Errorf("the latest about the second before 9: %v, %v", leafIndexes(latest), err)
	}
	kinds, err := l.Entries(t.Context(), 3, 2, statement.KindPolicyActivated, statement.KindCIPAttestation)
	if err != nil || !slices.Equal(leafIndexes(kinds), []int64{3, 4}) {
		t.Errorf("attestations from 3 on: %v, %v", leafIndexes(kinds), err)
	}
	if none, err := l.Entries(t.Context(), 0, 10, statement.KindPolicyActivated); err != nil || len(none) != 0 {
		t.Errorf("policies: %v, %v", leafIndexes(none), err)
	}
	one, err := l.Entry(t.Context(), 5)
	if err != nil || one.Digest != sets[5].Digest() {
		t.Errorf("entry 5: %+v, %v", one, err)
	}
	raw, receipt, err := l.Raw(t.Context(), sets[5].Digest())
	if err != nil || string(raw) != string(sets[5].Raw()) || receipt.LeafIndex != 5 || !receipt.AcceptedAt.Equal(Noon) || receipt.Digest != sets[5].Digest() {
		t.Errorf("entry 5 by its digest: %+v, %v", receipt, err)
	}
	if _, err := l.Entries(t.Context(), 0, 0); err == nil || !strings.Contains(err.Error(), "at least 1") {
		t.Errorf("no limit: %v", err)
	}
}

func leafIndexes(entries []statement.Entry) []int64 {
	var indexes []int64
	for _, entry := range entries {
		indexes = append(indexes, entry.LeafIndex)
	}
	return indexes
}

func oneCallOneCommit(t *testing.T, u *User) {
	l := u.open(t)
	before := checkpoint(t, l)
	if before.Size != 0 || before.Origin != Origin {
		t.Fatalf("a new log's checkpoint is %+v", before)
	}
	changed := l.Changed()
	u.clock.Move(1234567 * time.Nanosecond)
	receipts := appended(t, l, statements(t, NewAuthor(t, 1), 0, 5)...)
	for i, receipt := range receipts {
		if receipt.LeafIndex != int64(i) || !receipt.AcceptedAt.Equal(Noon.Add(1234*time.Microsecond)) {
			t.Errorf("receipt %d: %+v", i, receipt)
		}
	}
	<-changed
	if after := checkpoint(t, l); after.Size != 5 || size(t, l) != 5 {
		t.Errorf("the checkpoint after it is %+v", after)
	}
}

func checkpoint(t *testing.T, l *ledger.Ledger) proof.Checkpoint {
	t.Helper()
	signed, err := l.Checkpoint(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	head, err := proof.OpenCheckpoint(signed, verifier(t))
	if err != nil {
		t.Fatal(err)
	}
	return head
}

func survivesReopening(t *testing.T, u *User) {
	author := NewAuthor(t, 1)
	sets := statements(t, author, 0, 300)
	first := u.open(t)
	appended(t, first, sets[:257]...)
	before := checkpoint(t, first)
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}

	second := u.open(t)
	if after := checkpoint(t, second); after != before {
		t.Errorf("reopened at %+v, closed at %+v", after, before)
	}
	again, err := second.Append(t.Context(), sets[256])
	if err != nil || !again[0].Duplicate || again[0].LeafIndex != 256 {
		t.Errorf("stated again after reopening: %+v, %v", again, err)
	}
	receipts := appended(t, second, sets[257:]...)
	if receipts[0].LeafIndex != 257 || receipts[42].LeafIndex != 299 {
		t.Errorf("went on at %d up to %d", receipts[0].LeafIndex, receipts[42].LeafIndex)
	}
}

func timeNeverRunsBackwards(t *testing.T, u *User) {
	l := u.open(t)
	author := NewAuthor(t, 1)
	for n, step := range []struct{ move, want time.Duration }{
		{0, 0},
		{time.Minute, time.Minute},
		{-time.Hour, time.Minute},               // set back: stands still until the clock has caught up
		{30 * time.Minute, time.Minute},         // still behind
		{2 * time.Hour, 91 * time.Minute},       // past it
		{-91*time.Minute - 1, 91 * time.Minute}, // before the log's beginning
	} {
		u.clock.Move(step.move)
		if got := appended(t, l, author.State(t, n))[0].AcceptedAt; !got.Equal(Noon.Add(step.want)) {
			t.Errorf("after %v accepted at %v, wanted %v", step.move, got, Noon.Add(step.want))
		}
	}
}

func unusualCalls(t *testing.T, u *User) {
	l := u.open(t, func(c *ledger.Config) { c.MaxBatch = 2 })
	author := NewAuthor(t, 1)
	if receipts, err := l.Append(t.Context()); err != nil || len(receipts) != 0 {
		t.Errorf("nothing: %v, %v", receipts, err)
	}
	if _, err := l.Append(t.Context(), envelope.Verified{}); err == nil || !strings.Contains(err.Error(), "nobody verified") {
		t.Errorf("a set that nobody verified: %v", err)
	}
	if _, err := l.Append(t.Context(), statements(t, author, 0, 3)...); err == nil || !strings.Contains(err.Error(), "at most 2 statements in one call, got 3") {
		t.Errorf("more than a commit takes: %v", err)
	}
	unknown := author.Draft(9)
	unknown.EventURI = "urn:example:unknown"
	if _, err := l.Append(t.Context(), author.Sign(t, unknown)); !errors.Is(err, envelope.ErrMalformed) {
		t.Errorf("an event that nobody knows: %v", err)
	}
	if got := size(t, l); got != 0 {
		t.Errorf("%d entries", got)
	}
}

// entriesRemembered: what a gateway has just committed it reads from memory, and that must be what stands in the database.
func entriesRemembered(t *testing.T, u *User) {
	here, elsewhere := u.open(t), u.open(t)
	author := NewAuthor(t, 1)
	states := 0
	state := func(l *ledger.Ledger) {
		appended(t, l, author.State(t, states))
		states++
	}
	compare := func() {
		t.Helper()
		other := u.open(t) // has committed nothing, so it remembers nothing
		for from := range int64(states) + 1 {
			for _, kinds := range [][]statement.Kind{nil, {statement.KindCIPAttestation}, {statement.KindFindingOpened}} {
				for _, l := range []*ledger.Ledger{here, elsewhere} {
					got, err := l.Entries(t.Context(), from, 3, kinds...)
					if err != nil {
						t.Fatal(err)
					}
					want, err := other.Entries(t.Context(), from, 3, kinds...)
					if err != nil {
						t.Fatal(err)
					}
					// A page from memory may be shorter, but is empty only if there is nothing.
					if len(got) > len(want) || len(got) == 0 && len(want) > 0 || len(got) > 0 && !reflect.DeepEqual(got, want[:len(got)]) {
						t.Errorf("%d entries, from %d on, of %q: %+v, wanted %+v", states, from, kinds, got, want)
					}
				}
			}
		}
	}
	for range 4 {
		state(here)
	}
	compare()
	for range 2 {
		state(elsewhere) // leaves a gap in what here remembers
	}
	compare()
	for range 3 {
		state(here)
	}
	compare()
}
