package ledgertest

import (
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/ledger"
)

// signedLater is the same statement with another iat, as stock senders make it when they try again.
func signedLater(t *testing.T, author Author, n int) envelope.Verified {
	t.Helper()
	draft := author.Draft(n)
	draft.IssuedAt = draft.IssuedAt.Add(time.Minute)
	return author.Sign(t, draft)
}

// twin is another statement under the same jti.
func twin(t *testing.T, author Author, n int) envelope.Verified {
	t.Helper()
	draft := author.Draft(n)
	draft.Event = author.Draft(n + 1_000_000).Event
	return author.Sign(t, draft)
}

func sameAgain(t *testing.T, u *User) {
	l := u.open(t)
	author, other := NewAuthor(t, 1), NewAuthor(t, 2)
	plain := author.Draft(0)
	plain.JTI = "no-uuid" // its key is a hash
	named := author.Sign(t, plain)
	firsts := appended(t, l, author.State(t, 0), author.State(t, 1), named)
	u.clock.Move(time.Hour)

	for _, test := range []struct {
		name string
		sets []envelope.Verified
		want []ledger.Receipt
	}{
		{"the same bytes", []envelope.Verified{author.State(t, 1)}, firsts[1:2]},
		{"signed again later", []envelope.Verified{signedLater(t, author, 1)}, firsts[1:2]},
		{"a jti that is no UUID", []envelope.Verified{named}, firsts[2:3]},
		{"both", []envelope.Verified{signedLater(t, author, 1), author.State(t, 0)}, []ledger.Receipt{firsts[1], firsts[0]}},
		{"twice in one call", []envelope.Verified{author.State(t, 0), signedLater(t, author, 0)}, []ledger.Receipt{firsts[0], firsts[0]}},
	} {
		t.Run(test.name, func(t *testing.T) {
			receipts := appended(t, l, test.sets...)
			for i, got := range receipts {
				want := test.want[i]
				want.Duplicate = true
				if got != want {
					t.Errorf("receipt %d is %+v, wanted the first one %+v", i, got, want)
				}
			}
		})
	}
	if got := size(t, l); got != 3 {
		t.Errorf("%d entries, wanted 3", got)
	}

	// The same jti of another issuer is another statement, and what is new comes in beside what stands.
	draft := other.Draft(0)
	draft.JTI = author.Draft(0).JTI
	receipts := appended(t, l, author.State(t, 0), other.Sign(t, draft), author.State(t, 2), author.State(t, 2))
	for i, want := range []struct {
		leafIndex int64
		duplicate bool
	}{{0, true}, {3, false}, {4, false}, {4, true}} {
		if receipts[i].LeafIndex != want.leafIndex || receipts[i].Duplicate != want.duplicate {
			t.Errorf("receipt %d is %+v, wanted %+v", i, receipts[i], want)
		}
	}
}

func twins(t *testing.T, u *User) {
	l := u.open(t)
	author := NewAuthor(t, 1)
	first := appended(t, l, author.State(t, 0))[0]
	first.Duplicate = true

	_, err := l.Append(t.Context(), author.State(t, 1), twin(t, author, 0), author.State(t, 2))
	refused, is := errors.AsType[*ledger.TwinError](err)
	if !errors.Is(err, ledger.ErrTwin) || !is {
		t.Fatalf("got %v, wanted a twin's refusal", err)
	}
	if refused.Issuer != author.Entity || refused.JTI != author.Draft(0).JTI || refused.First != first {
		t.Errorf("the refusal names %+v", refused)
	}
	if _, err := l.Append(t.Context(), author.State(t, 3), twin(t, author, 3)); !errors.Is(err, ledger.ErrTwin) {
		t.Errorf("twins in one call: %v", err)
	}
	if got := size(t, l); got != 1 {
		t.Errorf("%d entries, wanted 1: nothing of the refused calls", got)
	}
}

// otherCallsGoOn: calls that are gathered into one commit are still judged each for itself. Whether they are gathered is
// up to chance; what each is answered is not.
func otherCallsGoOn(t *testing.T, u *User) {
	l := u.open(t)
	author, bystander := NewAuthor(t, 1), NewAuthor(t, 2)
	appended(t, l, author.State(t, 0))

	const calls = 40
	var group sync.WaitGroup
	for n := range calls {
		group.Go(func() {
			switch n % 4 {
			case 0: // a twin of what stands
				if _, err := l.Append(t.Context(), twin(t, author, 0)); !errors.Is(err, ledger.ErrTwin) {
					t.Errorf("call %d: %v, wanted a twin's refusal", n, err)
				}
			case 1: // a guard that does not hold
				seen := ledger.Seen{About: author.Entity.ID(), LeafIndex: -1}
				if _, err := l.AppendAfter(t.Context(), seen, author.State(t, 100+n)); !errors.Is(err, ledger.ErrMoved) {
					t.Errorf("call %d: %v, wanted ErrMoved", n, err)
				}
			case 2: // the same from all of these: one is first, the others are duplicates of it
				if receipts, err := l.Append(t.Context(), bystander.State(t, 7)); err != nil || receipts[0].Digest != bystander.State(t, 7).Digest() {
					t.Errorf("call %d: %+v, %v", n, receipts, err)
				}
			default:
				if receipts, err := l.Append(t.Context(), bystander.State(t, 100+n)); err != nil || receipts[0].Duplicate {
					t.Errorf("call %d: %+v, %v", n, receipts, err)
				}
			}
		})
	}
	group.Wait()
	if got, want := size(t, l), int64(1+1+calls/4); got != want {
		t.Errorf("%d entries, wanted %d", got, want)
	}
}
