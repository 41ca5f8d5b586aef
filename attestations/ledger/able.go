package ledger

import (
	"context"
	"fmt"
)

// Able says whether this process could append now: nil, or why it could not. It reads what a commit would build on, which must continue
// what this process has seen committed, and it is not able if the last commit since it was asked before has failed: whoever asks again
// and again learns of a store that answers and takes nothing. It appends nothing, and keeps nobody waiting.
func (l *Ledger) Able(ctx context.Context) error {
	failure := l.failure.Swap(nil)
	if _, err := l.sign.load(ctx, l.db, l.known.Load()); err != nil {
		return fmt.Errorf("ask whether the ledger could be appended to: %w", err)
	}
	if failure != nil {
		return fmt.Errorf("the last commit to the ledger failed: %w", *failure)
	}
	return nil
}

// noteOutcome remembers what became of the last commit that was tried.
func (l *Ledger) noteOutcome(err error) {
	if err == nil {
		l.failure.Store(nil)
		return
	}
	failed := err // so that a commit that comes through allocates nothing
	l.failure.Store(&failed)
}
