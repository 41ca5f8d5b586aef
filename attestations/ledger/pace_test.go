package ledger

import (
	"testing"
	"time"
)

func TestPaceWaitsForAPartOfThoseThatComeAtOnce(t *testing.T) {
	var p pace
	if count, patience := p.wanted(); count != 0 || patience != 0 {
		t.Errorf("before the first commit it waits %s for %d", patience, count)
	}
	p.note(1, busy-2, time.Millisecond)
	if count, patience := p.wanted(); count != 0 || patience != 0 {
		t.Errorf("where %d come at once it waits %s for %d, so that few wait for nobody", busy-1, patience, count)
	}
	p.note(30, 34, 3*time.Millisecond)
	if count, patience := p.wanted(); count != 24 || patience != 3*time.Millisecond {
		t.Errorf("where 64 come at once it waits %s for %d, wanted as long as a commit takes for three in eight", patience, count)
	}
	p.note(1, 0, time.Minute)
	if count, patience := p.wanted(); count != 24 || patience != longestLinger {
		t.Errorf("after a commit that took a minute it waits %s for %d, wanted at most %s", patience, count, longestLinger)
	}
	p.note(1, 0, -time.Hour) // the clock was set back
	if _, patience := p.wanted(); patience > 0 {
		t.Errorf("after a commit that ended before it began it waits %s", patience)
	}
}

func TestPaceForgetsACrowdThatHasGone(t *testing.T) {
	var p pace
	p.note(64, 0, time.Millisecond)
	commits := 0
	for count := 1; count > 0; count, _ = p.wanted() {
		p.note(1, 0, time.Millisecond)
		if commits++; commits > 2*paceSpan {
			t.Fatalf("after %d commits of one it still waits for %d", commits, count)
		}
	}
	if commits < paceSpan {
		t.Errorf("it forgot after %d commits, wanted at least %d", commits, paceSpan)
	}
}

func TestQueueLingersUntilEnoughWait(t *testing.T) {
	const never = 24 * time.Hour // whoever waits this long is stuck
	fresh := func(waiting int) *queue {
		q := &queue{}
		q.init(100, 50)
		for range waiting {
			if err := q.put(&request{items: make([]item, 1)}); err != nil {
				t.Fatal(err)
			}
		}
		return q
	}
	fresh(0).linger(10, never) // nobody waits for it
	fresh(10).linger(10, never)
	fresh(50).linger(51, never) // no commit takes more
	fresh(1).linger(10, 0)
	fresh(1).linger(10, time.Nanosecond)

	q := fresh(1)
	go func() {
		for range 9 {
			_ = q.put(&request{items: make([]item, 1)}) // what was not put shows below
		}
	}()
	q.linger(10, never)
	if n := len(q.gather(nil)); n != 10 {
		t.Errorf("it lingered for 10 and found %d", n)
	}
	if err := q.put(&request{items: make([]item, 1)}); err != nil || !q.wait() {
		t.Errorf("who comes after it lingered wakes nobody: %v", err)
	}

	q = fresh(1)
	go q.close()
	q.linger(10, never)

	q = fresh(1)
	go func() { _ = q.put(&request{items: make([]item, 1), bytes: maxBatchBytes}) }()
	q.linger(10, never)
	if n := len(q.gather(nil)); n == 0 {
		t.Error("of a batch that is full by its bytes nothing is left")
	}
}
