package ledgertest

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/keyset"

	"github.com/cipgate/cipgate/attestations/ledger"
	"github.com/cipgate/cipgate/attestations/proof"
	"github.com/cipgate/cipgate/migrations/migrationstest"
)

// holdHead keeps every commit waiting, as another gateway's would, until release is called.
func (u *User) holdHead(t *testing.T) (release func()) {
	t.Helper()
	tx := migrationstest.Open(t, u.url).Begin()
	if err := tx.Exec("UPDATE ledger_head SET size = size WHERE id = 1").Error; err != nil {
		t.Fatal(err)
	}
	return func() {
		if err := tx.Rollback().Error; err != nil {
			t.Fatal(err)
		}
	}
}

func fullQueue(t *testing.T, u *User) {
	l := u.open(t, func(c *ledger.Config) { c.MaxWaiting, c.MaxBatch = 2, 1 })
	author := NewAuthor(t, 1)
	release := u.holdHead(t)
	const callers = 10
	answers := make(chan error, callers)
	for n := range callers {
		go func() {
			_, err := l.Append(t.Context(), author.State(t, n))
			answers <- err
		}()
	}
	// One may be in the commit that is held up, two wait, the others are refused at once.
	for range callers - 3 {
		if err := <-answers; !errors.Is(err, ledger.ErrFull) {
			t.Errorf("got %v, wanted ErrFull", err)
		}
	}
	release()
	stored := int64(0)
	for range 3 {
		switch err := <-answers; {
		case err == nil:
			stored++
		case !errors.Is(err, ledger.ErrFull):
			t.Error(err)
		}
	}
	if got := size(t, l); got != stored || stored < 2 {
		t.Errorf("%d entries, %d were answered, at least 2 had waited", got, stored)
	}
	appended(t, l, author.State(t, callers))
}

func closing(t *testing.T, u *User) {
	l := u.open(t)
	author := NewAuthor(t, 1)
	release := u.holdHead(t)
	const callers = 20
	answers := make(chan error, callers)
	for n := range callers {
		go func() {
			_, err := l.Append(t.Context(), author.State(t, n))
			answers <- err
		}()
	}
	closed := make(chan error)
	go func() { closed <- l.Close() }()
	release()
	stored := int64(0)
	for range callers {
		switch err := <-answers; {
		case err == nil:
			stored++
		case !errors.Is(err, ledger.ErrClosed):
			t.Error(err)
		}
	}
	if err := <-closed; err != nil {
		t.Error(err)
	}
	// Whoever was let in is stored, whoever was not is told so, and reading goes on.
	if got := size(t, l); got != stored {
		t.Errorf("%d entries, %d were answered", got, stored)
	}
	if _, err := l.Append(t.Context(), author.State(t, callers)); !errors.Is(err, ledger.ErrClosed) {
		t.Errorf("after closing: %v", err)
	}
}

func givingUp(t *testing.T, u *User) {
	l := u.open(t, func(c *ledger.Config) { c.MaxBatch = 1 })
	author := NewAuthor(t, 1)
	release := u.holdHead(t)
	ctx, giveUp := context.WithCancel(t.Context())
	const callers = 5
	answers := make(chan error, callers)
	for n := range callers {
		go func() {
			_, err := l.Append(ctx, author.State(t, n))
			answers <- err
		}()
	}
	giveUp()
	unknown := int64(0)
	for range callers {
		err := <-answers
		if !errors.Is(err, context.Canceled) {
			t.Errorf("got %v, wanted the context's error", err)
		}
		if errors.Is(err, ledger.ErrUnknownOutcome) {
			unknown++
		}
	}
	release()
	// One commit at most had begun. Closing waits for it; who was told that nothing was stored was told the truth.
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if got := size(t, l); got > unknown || unknown > 1 {
		t.Errorf("%d entries, of %d the outcome was unknown", got, unknown)
	}
}

func anotherLog(t *testing.T, u *User) {
	signer, _ := LogKey(t)
	appended(t, u.open(t), NewAuthor(t, 1).State(t, 0))
	otherName, err := proof.NewLogSigner("other.example/log", Key("other"))
	if err != nil {
		t.Fatal(err)
	}
	otherKey, err := proof.NewLogSigner(Origin, Key("other"))
	if err != nil {
		t.Fatal(err)
	}
	db, key := migrationstest.Open(t, u.url), Bodies(t)
	otherHandle, err := keyset.NewHandle(aead.AES256GCMKeyTemplate())
	if err != nil {
		t.Fatal(err)
	}
	otherBodies, err := aead.New(otherHandle)
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name   string
		config ledger.Config
		want   string
	}{
		{"no clock", ledger.Config{DB: db, Signer: signer, Bodies: key, Origin: Origin}, "a clock are needed"},
		{"another origin than the key's", ledger.Config{DB: db, Signer: signer, Origin: "x.example", Bodies: key, Now: u.clock.Now}, `the log is "x.example", its key is of "` + Origin},
		{"another log", ledger.Config{DB: db, Signer: otherName, Origin: "other.example/log", Bodies: key, Now: u.clock.Now}, `set up as "other.example/log"`},
		{"another key", ledger.Config{DB: db, Signer: otherKey, Origin: Origin, Bodies: key, Now: u.clock.Now}, "signed by another key"},
		{"no key for bodies", ledger.Config{DB: db, Signer: signer, Origin: Origin, Now: u.clock.Now}, "a key for bodies"},
		{"another key for bodies", ledger.Config{DB: db, Signer: signer, Origin: Origin, Bodies: otherBodies, Now: u.clock.Now}, "with another key for bodies"},
	} {
		if _, err := ledger.Open(t.Context(), test.config); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v", test.name, err)
		}
	}
}
