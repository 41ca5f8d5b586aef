package signals

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/cipgate/cipgate/resellers/escalation"
)

// Outages is what is watched of the gateway's own outages.
type Outages struct {
	MarkedAt func(ctx context.Context) (time.Time, error)         // when the gateway took submissions last, by the machine's clock
	Recorded func(ctx context.Context) ([]escalation.Span, error) // those that stand in the ledger; those that touch are one
	Machine  func() time.Time
}

// WatchOutages adds the figures of the gateway's own outages to /metrics.
func (c *Counts) WatchOutages(outages Outages) { c.registry.MustRegister(measured{outages}) }

// measured reads the figures when they are asked for.
type measured struct{ outages Outages }

var (
	markAge        = prometheus.NewDesc("cipgate_mark_age_seconds", "For how long no process of the gateway has marked that it takes submissions. Above 60: call somebody; above 300 it is recorded as an outage.", nil, nil)
	outagesCount   = prometheus.NewDesc("cipgate_outages_recorded", "Outages of the gateway that stand in the ledger, of the latest 64.", nil, nil)
	outagesSeconds = prometheus.NewDesc("cipgate_outages_recorded_seconds", "How long they lasted together: as much was given back.", nil, nil)
	outagesEnded   = prometheus.NewDesc("cipgate_outage_ended_timestamp_seconds", "When the latest of them ended; 0 if none stands in the ledger.", nil, nil)
)

// Describe and Collect are prometheus.Collector's.
func (measured) Describe(to chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{markAge, outagesCount, outagesSeconds, outagesEnded} {
		to <- d
	}
}

func (m measured) Collect(to chan<- prometheus.Metric) {
	ctx := context.Background()
	marked, err := m.outages.MarkedAt(ctx)
	if err != nil {
		to <- prometheus.NewInvalidMetric(markAge, err)
		return
	}
	recorded, err := m.outages.Recorded(ctx)
	if err != nil {
		to <- prometheus.NewInvalidMetric(outagesCount, err)
		return
	}
	gauge := func(d *prometheus.Desc, value float64) {
		to <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, value)
	}
	if !marked.IsZero() {
		gauge(markAge, max(0, m.outages.Machine().Sub(marked).Seconds()))
	}
	seconds, ended := 0.0, 0.0
	for _, span := range recorded {
		seconds, ended = seconds+span.To.Sub(span.From).Seconds(), float64(span.To.Unix())
	}
	gauge(outagesCount, float64(len(recorded)))
	gauge(outagesSeconds, seconds)
	gauge(outagesEnded, ended)
}
