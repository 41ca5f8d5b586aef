package intake_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-jose/go-jose/v4"
	"golang.org/x/sync/semaphore"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/intake"
	"github.com/cipgate/cipgate/attestations/ledger"
	"github.com/cipgate/cipgate/attestations/ledger/ledgertest"
	"github.com/cipgate/cipgate/attestations/statement"
	"github.com/cipgate/cipgate/migrations/migrationstest"
)

func TestMain(m *testing.M) { migrationstest.Main(m) }

// enrolled are issuers whose keys are those of ledgertest's authors.
type enrolled map[envelope.Entity]envelope.Keys

func (e enrolled) Keys(_ context.Context, issuer envelope.Entity) (envelope.Keys, error) {
	keys, known := e[issuer]
	if !known {
		return envelope.Keys{}, &envelope.Fault{Reason: intake.ErrIssuer, Pointer: "/claims/iss", Wanted: "an entity that is enrolled", Got: "another", Fix: "Enrol first."}
	}
	return keys, nil
}

func (enrolled) MayState(_ context.Context, issuer envelope.Entity, kind statement.Kind) error {
	if strings.HasSuffix(string(issuer), "-13.example") {
		panic("a fault of ours")
	}
	if kind.ByGateway() {
		return &envelope.Fault{Reason: intake.ErrMayNot, Pointer: "/claims/events", Wanted: "an event type that a reseller states", Got: kind.URI(), Fix: "Leave it to the gateway."}
	}
	return nil
}

// Superior: reseller-1 is below the gateway, reseller-2 below reseller-1, and so on.
func (e enrolled) Superior(_ context.Context, entity envelope.Entity) (envelope.Entity, error) {
	if _, known := e[entity]; !known {
		return "", intake.ErrIssuer
	}
	var n int
	if _, err := fmt.Sscanf(string(entity), "https://reseller-%d.example", &n); err != nil || n < 2 {
		return ledgertest.Gateway, err
	}
	return envelope.Entity(fmt.Sprintf("https://reseller-%d.example", n-1)), nil
}

// newRoad is a road to a ledger on a store, for authors 0 to 15.
func newRoad(tb testing.TB, store string, maxWaiting int) *intake.Road {
	tb.Helper()
	signer, _ := ledgertest.LogKey(tb)
	l, err := ledger.Open(tb.Context(), ledger.Config{DB: migrationstest.Open(tb, migrationstest.URL(tb, store)), Signer: signer,
		Origin: ledgertest.Origin, Bodies: ledgertest.Bodies(tb), Now: time.Now, MaxWaiting: maxWaiting})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := l.Close(); err != nil {
			tb.Error(err)
		}
	})
	return roadTo(tb, l)
}

func roadTo(tb testing.TB, l intake.Appender) *intake.Road {
	tb.Helper()
	issuers := enrolled{}
	for n := range 16 {
		author := ledgertest.NewAuthor(tb, n)
		public, err := envelope.NewSigner(ledgertest.Key(string(author.Entity)))
		if err != nil {
			tb.Fatal(err)
		}
		if issuers[author.Entity], err = envelope.NewKeys(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{public.Public()}}); err != nil {
			tb.Fatal(err)
		}
	}
	return &intake.Road{Issuers: issuers, Ledger: l, Audience: ledgertest.Gateway, Now: func() time.Time { return ledgertest.Noon },
		MaxAge: 24 * time.Hour, MaxAhead: time.Minute, Verifying: semaphore.NewWeighted(4), Holding: semaphore.NewWeighted(1 << 20)}
}

// from is a stream of these lines.
func from(lines [][]byte) func() (intake.Line, error) {
	next := 0
	return func() (intake.Line, error) {
		if next == len(lines) {
			return intake.Line{}, io.EOF
		}
		next++
		return intake.Line{Raw: lines[next-1]}, nil
	}
}

// take streams lines and returns what became of each.
func take(t *testing.T, road *intake.Road, lines [][]byte) []intake.Outcome {
	t.Helper()
	var all []intake.Outcome
	err := road.Bulk(t.Context(), nil, from(lines), func(outcomes []intake.Outcome) error {
		all = append(all, outcomes...)
		return nil
	})
	if err != nil || len(all) != len(lines) {
		t.Fatalf("%d lines, %d outcomes, %v", len(lines), len(all), err)
	}
	return all
}

func tokens(tb testing.TB, author, first, count int) [][]byte {
	tb.Helper()
	by := ledgertest.NewAuthor(tb, author)
	var lines [][]byte
	for n := range count {
		lines = append(lines, by.State(tb, first+n).Raw())
	}
	return lines
}

func TestAStreamIsLargerThanTheLedgersQueueAndAllOfItGoesIn(t *testing.T) {
	for _, store := range migrationstest.Stores {
		t.Run(store, func(t *testing.T) {
			road := newRoad(t, store, 7)
			for i, outcome := range take(t, road, tokens(t, 1, 0, 600)) {
				if outcome.Err != nil || outcome.Receipt.LeafIndex != int64(i) {
					t.Fatalf("line %d: entry %d, %v", i, outcome.Receipt.LeafIndex, outcome.Err)
				}
			}
		})
	}
}

func TestAFaultOfOursInOneLineEndsNeitherTheProcessNorTheStream(t *testing.T) {
	road := newRoad(t, "sqlite", 0)
	lines := append(tokens(t, 1, 0, 1), append(tokens(t, 13, 1, 1), tokens(t, 2, 2, 1)...)...)
	got := take(t, road, lines)
	if got[0].Err != nil || got[1].Err == nil || got[2].Err != nil {
		t.Errorf("%v, %v, %v", got[0].Err, got[1].Err, got[2].Err)
	}
}

func TestAStreamThatNobodyAnswersEndsAndHoldsNothing(t *testing.T) {
	road := newRoad(t, "sqlite", 0)
	gone := errors.New("the client is gone")
	lines := from(tokens(t, 1, 0, 2000))
	ended := false
	err := road.Bulk(t.Context(), nil, func() (intake.Line, error) {
		if ended {
			return intake.Line{}, io.EOF
		}
		return lines()
	}, func([]intake.Outcome) error { return gone })
	ended = true
	if !errors.Is(err, gone) {
		t.Errorf("got %v", err)
	}
	if !road.Holding.TryAcquire(1 << 20) {
		t.Error("something is held still")
	}
}

// memory is a ledger that stores nothing, so that time in a test can stand still while it answers.
type memory struct{ appended int }

func (m *memory) Append(_ context.Context, sets ...envelope.Verified) ([]ledger.Receipt, error) {
	m.appended += len(sets)
	return make([]ledger.Receipt, len(sets)), nil
}

func (m *memory) Stated(context.Context, envelope.Entity, string, []byte) (ledger.Receipt, error) {
	return ledger.Receipt{}, ledger.ErrNotFound
}

func TestAStreamWaitsForItsRateAndForNothingOnceItDrains(t *testing.T) {
	lines := tokens(t, 1, 0, 20)
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		road := roadTo(t, &memory{})
		road.Now = func() time.Time { return ledgertest.Noon.Add(time.Since(start)) }
		road.Rates = intake.NewRates(2, 1)
		for i, outcome := range take(t, road, lines) {
			if outcome.Err != nil {
				t.Errorf("line %d: %v", i, outcome.Err)
			}
		}
		if took := time.Since(start); took < 9*time.Second || took > 10*time.Second {
			t.Errorf("20 lines at 2 a second took %s", took)
		}
		road.Rates = intake.NewRates(0.05, 1) // the next in 20 seconds: longer than a line waits
		got := take(t, road, lines[:2])
		if got[0].Err != nil || !errors.Is(got[1].Err, intake.ErrRate) {
			t.Errorf("%v, %v", got[0].Err, got[1].Err)
		}
		road.Rates = intake.NewRates(1, 1)
		draining := make(chan struct{})
		close(draining)
		start = time.Now()
		road.Now = func() time.Time { return ledgertest.Noon.Add(time.Since(start)) }
		var refused int
		err := road.Bulk(t.Context(), draining, from(lines), func(outcomes []intake.Outcome) error {
			for _, outcome := range outcomes {
				if errors.Is(outcome.Err, intake.ErrRate) {
					refused++
				}
			}
			return nil
		})
		if err != nil || refused != 19 || time.Since(start) != 0 {
			t.Errorf("%d refused after %s, %v", refused, time.Since(start), err)
		}
	})
}

// BenchmarkBulk measures lines a second of one stream, and of four at once, from bytes to the disk.
func BenchmarkBulk(b *testing.B) {
	for _, store := range migrationstest.Stores {
		for _, streams := range []int{1, 4} {
			b.Run(fmt.Sprintf("%s/streams=%d", store, streams), func(b *testing.B) {
				road := newRoad(b, store, 0)
				road.Verifying = semaphore.NewWeighted(int64(4 * runtime.GOMAXPROCS(0)))
				road.Holding = semaphore.NewWeighted(16 << 20)
				share := b.N/streams + 1
				var all [][][]byte
				for n := range streams {
					all = append(all, tokens(b, n, 0, share))
				}
				b.ReportAllocs()
				b.ResetTimer()
				done := make(chan error, streams)
				for _, lines := range all {
					go func() {
						done <- road.Bulk(b.Context(), nil, from(lines), func(outcomes []intake.Outcome) error {
							for _, outcome := range outcomes {
								if outcome.Err != nil {
									return outcome.Err
								}
							}
							return nil
						})
					}()
				}
				for range streams {
					if err := <-done; err != nil {
						b.Fatal(err)
					}
				}
				b.StopTimer()
				b.ReportMetric(float64(streams*share)/b.Elapsed().Seconds(), "lines/s")
			})
		}
	}
}
