// Package signals tells operators how the gateway does: /healthz and /metrics. A refused submission leaves
// no other trace than its count here: the code, and where in the token the fault was.
package signals

import (
	"context"
	"errors"

	"github.com/gofiber/fiber/v2"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/valyala/fasthttp/fasthttpadaptor"

	"github.com/cipgate/cipgate/attestations/envelope"
	"github.com/cipgate/cipgate/attestations/intake"
	"github.com/cipgate/cipgate/gateway/problem"
)

// Counts are the gateway's metrics.
type Counts struct {
	registry *prometheus.Registry
	accepted *prometheus.CounterVec
	refused  *prometheus.CounterVec
}

// New makes the metrics, all at zero.
func New() *Counts {
	c := &Counts{
		registry: prometheus.NewRegistry(),
		accepted: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "cipgate_submissions_accepted_total",
			Help: "Submissions answered with 202; again says that the first receipt was given again.",
		}, []string{"again"}),
		refused: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "cipgate_requests_refused_total",
			Help: "Requests answered with an error, by code and by where the fault was.",
		}, []string{"code", "pointer"}),
	}
	c.registry.MustRegister(c.accepted, c.refused, collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return c
}

// Mount registers /healthz and /metrics.
func (c *Counts) Mount(router fiber.Router) {
	router.Get("/healthz", func(c *fiber.Ctx) error { return c.SendString("alive\n") })
	serve := fasthttpadaptor.NewFastHTTPHandler(promhttp.HandlerFor(c.registry, promhttp.HandlerOpts{}))
	router.Get("/metrics", func(c *fiber.Ctx) error {
		serve(c.Context())
		return nil
	})
}

// Refused counts a request that was answered with an error.
func (c *Counts) Refused(p problem.Problem, err error) {
	pointer := ""
	if fault := (*envelope.Fault)(nil); errors.As(err, &fault) {
		pointer = where(fault.Pointer)
	}
	c.refused.WithLabelValues(p.Code, pointer).Inc()
}

// where keeps the first two steps of a pointer: what a stranger wrote deeper down would make as many
// counters as he likes.
func where(pointer string) string {
	steps := 0
	for i, char := range pointer {
		if char == '/' {
			if steps++; steps > 2 {
				return pointer[:i]
			}
		}
	}
	if len(pointer) > 64 {
		return pointer[:64]
	}
	return pointer
}

type road interface {
	Accept(ctx context.Context, raw []byte) (intake.Accepted, error)
}

type counted struct {
	road
	accepted, again prometheus.Counter
}

// Count returns the road with its acceptances counted.
func (c *Counts) Count(r road) interface {
	Accept(ctx context.Context, raw []byte) (intake.Accepted, error)
} {
	return counted{road: r, accepted: c.accepted.WithLabelValues("no"), again: c.accepted.WithLabelValues("yes")}
}

func (c counted) Accept(ctx context.Context, raw []byte) (intake.Accepted, error) {
	accepted, err := c.road.Accept(ctx, raw)
	if err == nil {
		if accepted.Duplicate {
			c.again.Inc()
		} else {
			c.accepted.Inc()
		}
	}
	return accepted, err
}

// Accepted counts a submission that came in otherwise than by Count's road; again says that it stood before.
func (c *Counts) Accepted(again bool) {
	label := "no"
	if again {
		label = "yes"
	}
	c.accepted.WithLabelValues(label).Inc()
}
