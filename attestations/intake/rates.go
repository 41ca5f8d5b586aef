package intake

import (
	"fmt"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/cipgate/cipgate/attestations/envelope"
)

// Rates limits how many submissions a second each issuer may have accepted by this process. It is asked
// only after the signature held, so nobody can use up the rate of another entity (threats.md, "stranger").
type Rates struct {
	perSecond float64
	burst     int

	mu      sync.Mutex
	buckets map[envelope.Entity]*rate.Limiter // one for each enrolled issuer that ever sent, so bounded by enrolment
}

// NewRates limits each issuer to perSecond submissions a second, after a burst of at most burst.
func NewRates(perSecond float64, burst int) *Rates {
	return &Rates{perSecond: perSecond, burst: burst, buckets: map[envelope.Entity]*rate.Limiter{}}
}

// RateError says that an issuer sent more than its rate, and when it may send again.
type RateError struct {
	PerSecond  float64
	Burst      int
	RetryAfter time.Duration
}

func (e *RateError) Error() string {
	return fmt.Sprintf("more than %g submissions a second (after a burst of %d); the next is taken in %s",
		e.PerSecond, e.Burst, e.RetryAfter.Round(time.Millisecond))
}

// Unwrap lets errors.Is find ErrRate.
func (e *RateError) Unwrap() error { return ErrRate }

func (r *Rates) take(issuer envelope.Entity, now time.Time) error {
	if r == nil {
		return nil
	}
	r.mu.Lock()
	bucket, ok := r.buckets[issuer]
	if !ok {
		bucket = rate.NewLimiter(rate.Limit(r.perSecond), r.burst)
		r.buckets[issuer] = bucket
	}
	r.mu.Unlock()
	reservation := bucket.ReserveN(now, 1)
	if wait := reservation.DelayFrom(now); wait > 0 {
		reservation.CancelAt(now)
		return &RateError{PerSecond: r.perSecond, Burst: r.burst, RetryAfter: wait}
	}
	return nil
}
