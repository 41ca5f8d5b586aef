package ledger

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/proof"
	"github.com/cipgate/cipgate/attestations/statement"
)

// jtiKey stands for an issuer and a jti. A UUID keeps its order, so that an index over keys of time-ordered UUIDs (version 7)
// grows at its end; what is not a UUID in its one canonical form is hashed.
type jtiKey [32]byte

func keyOf(issuer envelope.Entity, jti string) (key jtiKey) {
	id := issuer.ID()
	copy(key[:16], id[:])
	if u, err := uuid.Parse(jti); err == nil && u.String() == jti {
		copy(key[16:], u[:])
		return key
	}
	hash := sha256.Sum256([]byte(jti))
	copy(key[16:], hash[:])
	return key
}

// item is one set, with all that the commit needs computed by the goroutine that brought it.
type item struct {
	set     envelope.Verified
	entry   statement.Entry // as it will stand, but for its place and time
	weight  int             // of entry, in bytes
	sealed  []byte          // the body as it is stored
	leaf    proof.Hash
	about   envelope.ID
	key     jtiKey
	receipt int // its place in the request's receipts
}

// request is one call of Append.
type request struct {
	items    []item // what is still to be stored; duplicates are taken out as they are found
	seen     *Seen
	decide   Decider // nil if the items are decided already
	bytes    int
	receipts []Receipt
	err      error
	done     chan struct{} // closed when receipts or err stand
	settled  bool          // done is closed; only the committing goroutine uses it

	state atomic.Int32
	again []repeat
}

// repeat is a set that came twice in one call: it shares the first one's receipt.
type repeat struct{ receipt, first int }

// The states of a request. The one that moves it out of waiting decides what becomes of it.
const (
	waiting int32 = iota
	taken
	withdrawn
)

// take is false if the caller has given up.
func (r *request) take() bool {
	return r.state.CompareAndSwap(waiting, taken) || r.state.Load() == taken
}
func (r *request) withdraw() bool { return r.state.CompareAndSwap(waiting, withdrawn) }

func newRequest(seen *Seen, sets []envelope.Verified, bodies bodies) (*request, error) {
	r := &request{seen: seen, done: make(chan struct{})}
	return r, r.hold(sets, bodies)
}

// hold puts the sets into the request, in place of what it held before.
func (r *request) hold(sets []envelope.Verified, bodies bodies) error {
	r.items, r.receipts, r.again, r.bytes = make([]item, 0, len(sets)), make([]Receipt, len(sets)), nil, 0
	for i, set := range sets {
		if set.IsZero() {
			return errors.New("a set that nobody verified")
		}
		entry, err := statement.Remember(-1, time.Time{}, set)
		if err != nil {
			return fmt.Errorf("what a set says: %w", err)
		}
		next := item{
			set:     set,
			entry:   entry,
			weight:  weightOf(entry),
			leaf:    proof.LeafHash(entry.Digest),
			about:   entry.About.ID(),
			key:     keyOf(entry.By, entry.JTI),
			receipt: i,
		}
		first, err := r.find(next)
		if err != nil {
			return err
		}
		if first >= 0 {
			r.again = append(r.again, repeat{receipt: i, first: first})
			continue
		}
		if next.sealed, err = bodies.seal(entry.Digest, set.Raw()); err != nil {
			return err
		}
		r.items = append(r.items, next)
		r.bytes += len(set.Raw())
	}
	return nil
}

// find looks for the same statement among the items before, and returns its receipt's place or -1.
func (r *request) find(next item) (int, error) {
	for _, earlier := range r.items {
		if earlier.key != next.key {
			continue
		}
		same, err := sameStatement(next, earlier.entry.Digest, earlier.set.Raw())
		if err != nil {
			return -1, err
		}
		if !same {
			return -1, next.twin(Receipt{})
		}
		return earlier.receipt, nil
	}
	return -1, nil
}

func (i item) twin(first Receipt) error {
	claims := i.set.Claims()
	return &TwinError{Issuer: claims.Issuer, JTI: claims.JTI, First: first}
}

// sameStatement says whether an item states what stands under its key: the same bytes, or the same claims apart from iat,
// since stock senders sign again on each try.
func sameStatement(i item, digest envelope.Digest, raw []byte) (bool, error) {
	if i.entry.Digest == digest {
		return true, nil
	}
	same, err := sameContent(i.set.Raw(), raw)
	if err != nil {
		return false, fmt.Errorf("compare with what stands under the same jti: %w", err)
	}
	return same, nil
}

// sameContent compares a token with the body of an entry. What was erased cannot be compared: its jti is used, and a new statement
// needs a new one.
func sameContent(raw, body []byte) (bool, error) {
	if statement.IsResidue(body) {
		return false, nil
	}
	return envelope.SameContent(raw, body)
}

// settle answers the caller.
func (r *request) settle(err error) {
	r.err, r.settled = err, true
	for _, repeated := range r.again {
		r.receipts[repeated.receipt] = r.receipts[repeated.first]
		r.receipts[repeated.receipt].Duplicate = true
	}
	close(r.done)
}
