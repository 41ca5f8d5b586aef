package signals

import (
	"context"
	"fmt"

	"github.com/gofiber/fiber/v2"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/cipgate/cipgate/resellers/docket"
)

// Cases is what is watched: whether every open case is on its way.
type Cases interface {
	Watch(ctx context.Context) (docket.Watch, error)
}

// MountCases registers /healthz/cases, which is 200 while every open case has its next step ahead, and 503 with what is wrong otherwise:
// what an outside heartbeat asks for, so that its silence calls somebody. /healthz/obligations is the same for what people owe: 503 while
// an obligation is overdue, or a call that an officer should have made. The same figures are in /metrics.
func (c *Counts) MountCases(router fiber.Router, cases Cases) {
	c.registry.MustRegister(watched{cases})
	router.Get("/healthz/cases", func(c *fiber.Ctx) error {
		watch, err := cases.Watch(c.UserContext())
		if err != nil {
			return err
		}
		if alarm := watch.Alarm(); alarm != "" {
			return c.Status(fiber.StatusServiceUnavailable).SendString(alarm + "\n")
		}
		return c.SendString(fmt.Sprintf("every open case is on its way: %d open, %d of them wait for somebody\n", watch.Open, watch.Waiting))
	})
	router.Get("/healthz/obligations", func(c *fiber.Ctx) error {
		watch, err := cases.Watch(c.UserContext())
		if err != nil {
			return err
		}
		if alarm := watch.Duties.Alarm(); alarm != "" {
			return c.Status(fiber.StatusServiceUnavailable).SendString(alarm + "\n")
		}
		return c.SendString(fmt.Sprintf("nothing that people owe is overdue: %d obligations are open, %d calls wait for an officer\n", watch.Duties.Open, watch.Duties.Calls))
	})
}

// watched reads the figures of a Watch when they are asked for.
type watched struct{ cases Cases }

var (
	casesOpen     = prometheus.NewDesc("cipgate_cases_open", "Open cases.", nil, nil)
	casesWaiting  = prometheus.NewDesc("cipgate_cases_waiting", "Open cases whose next step waits for somebody.", nil, nil)
	casesLate     = prometheus.NewDesc("cipgate_cases_late", "Open cases whose next step is late and waits for nobody. Not zero: call somebody.", nil, nil)
	casesLost     = prometheus.NewDesc("cipgate_cases_lost", "Open cases without a next step. Not zero: call somebody.", nil, nil)
	dutiesOpen    = prometheus.NewDesc("cipgate_obligations_open", "Obligations toward an authority that are open.", nil, nil)
	dutiesOverdue = prometheus.NewDesc("cipgate_obligations_overdue", "Of them, those whose date has passed. Not zero: call the compliance officers.", nil, nil)
	callsOpen     = prometheus.NewDesc("cipgate_calls_open", "Resellers that an officer must call, since nothing proves that they were told.", nil, nil)
	callsLate     = prometheus.NewDesc("cipgate_calls_late", "Of them, those whose step is due. Not zero: call the compliance officers.", nil, nil)
	filesBehind   = prometheus.NewDesc("cipgate_files_behind_seconds", "For how long the file is due that nobody has judged for longest.", nil, nil)
)

// Describe and Collect are prometheus.Collector's.
func (watched) Describe(to chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{casesOpen, casesWaiting, casesLate, casesLost, filesBehind, dutiesOpen, dutiesOverdue, callsOpen, callsLate} {
		to <- d
	}
}

func (w watched) Collect(to chan<- prometheus.Metric) {
	watch, err := w.cases.Watch(context.Background())
	if err != nil {
		to <- prometheus.NewInvalidMetric(casesOpen, err)
		return
	}
	gauge := func(d *prometheus.Desc, value float64) {
		to <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, value)
	}
	gauge(casesOpen, float64(watch.Open))
	gauge(casesWaiting, float64(watch.Waiting))
	gauge(casesLate, float64(watch.LateCount))
	gauge(casesLost, float64(watch.LostCount))
	gauge(filesBehind, watch.Behind.Seconds())
	gauge(dutiesOpen, float64(watch.Duties.Open))
	gauge(dutiesOverdue, float64(watch.Duties.OverdueCount))
	gauge(callsOpen, float64(watch.Duties.Calls))
	gauge(callsLate, float64(watch.Duties.LateCalls))
}
