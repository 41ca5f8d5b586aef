package ledgertest

import (
	"sync"
	"testing"

	"github.com/cipgate/cipgate/attestations/ledger"
	"github.com/cipgate/cipgate/attestations/proof"
)

func twoGateways(t *testing.T, u *User) {
	const writers, each = 6, 40
	gateways := []*ledger.Ledger{u.open(t), u.open(t)}
	receipts := make([][]ledger.Receipt, len(gateways)*writers)
	var group sync.WaitGroup
	for i := range receipts {
		l, author := gateways[i%len(gateways)], NewAuthor(t, i)
		group.Go(func() {
			for n := range each {
				got, err := l.Append(t.Context(), author.State(t, n))
				if err != nil {
					t.Error(err)
					return
				}
				receipts[i] = append(receipts[i], got...)
			}
		})
	}
	group.Wait()

	seen := make(map[int64]bool)
	for _, own := range receipts {
		for i, receipt := range own {
			if seen[receipt.LeafIndex] || receipt.Duplicate {
				t.Errorf("leaf %d was given out twice", receipt.LeafIndex)
			}
			seen[receipt.LeafIndex] = true
			if i > 0 && receipt.LeafIndex <= own[i-1].LeafIndex {
				t.Errorf("a writer's statement %d stands before the one it made earlier", i)
			}
		}
	}
	want := int64(len(receipts) * each)
	for _, l := range gateways {
		if got := size(t, l); got != want || int64(len(seen)) != want {
			t.Errorf("%d entries and %d receipts, wanted %d", got, len(seen), want)
		}
	}
	// A receipt that one gave out is provable at the other, which has not committed it itself.
	for i, own := range receipts {
		other := gateways[(i+1)%len(gateways)]
		proved, _, err := other.Prove(t.Context(), own[0].Digest)
		if err != nil {
			t.Fatal(err)
		}
		if err := proof.Check(proved, own[0].Digest, verifier(t)); err != nil {
			t.Error(err)
		}
	}
}

func wakes(t *testing.T, u *User) {
	l := u.open(t)
	author := NewAuthor(t, 1)
	changed := l.Changed()
	select {
	case <-changed:
		t.Fatal("woken by nothing")
	default:
	}
	appended(t, l, author.State(t, 0))
	<-changed
	changed = l.Changed()
	appended(t, l, author.State(t, 0))
	select {
	case <-changed:
		t.Error("woken by a duplicate")
	default:
	}
	appended(t, l, author.State(t, 1))
	<-changed
}
