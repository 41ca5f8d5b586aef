package ledger

import (
	"fmt"
	"sync"
	"time"
)

const (
	// maxBatchBytes bounds one commit: 512 statements of the largest size would be 128 MiB in one message.
	maxBatchBytes = 8 << 20
	// maxWaitingBytes bounds the memory of what waits.
	maxWaitingBytes = 256 << 20
)

// queue is where requests wait for the committing goroutine, in the order in which they came.
type queue struct {
	mu         sync.Mutex
	requests   []*request
	sets       int
	bytes      int
	closed     bool
	maxWaiting int
	maxBatch   int
	wanted     int           // how many requests must wait before whoever lingers is woken
	wake       chan struct{} // holds a token while there may be something to look at
}

func (q *queue) init(maxWaiting, maxBatch int) {
	q.maxWaiting, q.maxBatch, q.wake = maxWaiting, maxBatch, make(chan struct{}, 1)
}

// put never waits.
func (q *queue) put(r *request) error {
	if len(r.items) > q.maxBatch {
		return fmt.Errorf("wanted at most %d statements in one call, got %d", q.maxBatch, len(r.items))
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return ErrClosed
	}
	if q.sets+len(r.items) > q.maxWaiting || q.bytes+r.bytes > maxWaitingBytes {
		return fmt.Errorf("%w: %d of %d", ErrFull, q.sets, q.maxWaiting)
	}
	q.requests = append(q.requests, r)
	q.sets += len(r.items)
	q.bytes += r.bytes
	if q.enough() {
		q.signal()
	}
	return nil
}

// gather moves what waits to the end of batch, as long as one commit can take it.
func (q *queue) gather(batch []*request) []*request {
	sets, bytes := 0, 0
	for _, r := range batch {
		sets, bytes = sets+len(r.items), bytes+r.bytes
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	n := 0
	for ; n < len(q.requests); n++ {
		r := q.requests[n]
		if len(batch) > 0 && (sets+len(r.items) > q.maxBatch || bytes+r.bytes > maxBatchBytes) {
			break
		}
		batch = append(batch, r)
		sets, bytes = sets+len(r.items), bytes+r.bytes
		q.sets, q.bytes = q.sets-len(r.items), q.bytes-r.bytes
	}
	kept := copy(q.requests, q.requests[n:])
	clear(q.requests[kept:])
	q.requests = q.requests[:kept]
	return batch
}

// wait returns true when something may wait, false when nothing does nor ever will.
func (q *queue) wait() bool {
	q.mu.Lock()
	ended := q.closed && len(q.requests) == 0
	q.mu.Unlock()
	if ended {
		return false
	}
	<-q.wake
	return true
}

// linger waits until as many requests wait as are wanted, or patience is over. It returns at once where nothing waits.
func (q *queue) linger(wanted int, patience time.Duration) {
	defer q.lacks(0)
	if patience <= 0 || !q.lacks(wanted) {
		return
	}
	over := time.NewTimer(patience)
	defer over.Stop()
	for q.lacks(wanted) {
		select {
		case <-q.wake:
		case <-over.C:
			return
		}
	}
}

// lacks says whether some wait, and fewer than are wanted; from then on it takes as many to wake whoever lingers.
func (q *queue) lacks(wanted int) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.wanted = wanted
	return len(q.requests) > 0 && !q.enough() && !q.closed
}

// enough says whether the next commit need not wait for more, or could take no more. Whoever asks holds the lock.
func (q *queue) enough() bool {
	return len(q.requests) >= q.wanted || q.sets >= q.maxBatch || q.bytes >= maxBatchBytes
}

// waiting is how many requests wait.
func (q *queue) waiting() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.requests)
}

func (q *queue) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
	q.signal()
}

func (q *queue) signal() {
	select {
	case q.wake <- struct{}{}:
	default:
	}
}
