package poll

import (
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/b2bexporter/b2b_exporter/internal/ledger"
	"github.com/b2bexporter/b2b_exporter/sources"
)

// Metrics shows how the polls of a Scheduler go. It is a prometheus.Collector. Its
// counters outlive the scheduler, so that they go on when the configuration is reloaded.
type Metrics struct {
	up, lastAttempt, lastSuccess, dataTime, backfill, truncated, interval *prometheus.Desc

	duration *prometheus.HistogramVec
	records  *prometheus.CounterVec

	mu        sync.Mutex
	scheduler *Scheduler // whose state is shown; nil before the first
}

// NewMetrics returns Metrics that are not registered anywhere yet.
func NewMetrics() *Metrics {
	ofSource := []string{"source", "vendor"}
	ofStream := []string{"source", "vendor", "stream"}
	desc := func(name, help string, labels []string) *prometheus.Desc {
		return prometheus.NewDesc(name, help, labels, nil)
	}
	return &Metrics{
		up: desc("b2b_source_up",
			"Whether the last poll of the stream succeeded (1) or not (0, also until the first has ended).", ofStream),
		lastAttempt: desc("b2b_source_last_attempt_timestamp_seconds",
			"When the last poll of the stream began, in unix time.", ofStream),
		lastSuccess: desc("b2b_source_last_success_timestamp_seconds",
			"When the stream was last read to its end, in unix time; absent before the first time.", ofStream),
		dataTime: desc("b2b_source_data_timestamp_seconds",
			"Newest business time of the records that the stream has delivered, such as an order's, in unix time; dates in the future do not count.", ofStream),
		backfill: desc("b2b_source_backfill_ratio",
			"Share of the stream's configured history that has been read; absent while it is not known.", ofStream),
		truncated: desc("b2b_source_truncated",
			"Whether the vendor cut its last answer short (1), so that KPIs on it are not published, or not (0).", ofStream),
		interval: desc("b2b_source_poll_interval_seconds",
			"Configured time from one poll of the source to the next.", ofSource),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "b2b_source_poll_duration_seconds",
			Help:    "Durations of the polls of the source, failed ones included and interrupted ones not.",
			Buckets: []float64{0.1, 0.5, 1, 5, 15, 60, 300, 900, 3600, 14400},
		}, ofSource),
		records: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "b2b_source_records_total",
			Help: "Records read from the source, by kind (record) and by what became of them in the ledger (outcome: inserted, updated, unchanged, deleted or rejected).",
		}, []string{"source", "vendor", "record", "outcome"}),
	}
}

// Describe implements prometheus.Collector.
func (m *Metrics) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{m.up, m.lastAttempt, m.lastSuccess, m.dataTime, m.backfill, m.truncated, m.interval} {
		ch <- d
	}
	m.duration.Describe(ch)
	m.records.Describe(ch)
}

// Collect implements prometheus.Collector.
func (m *Metrics) Collect(ch chan<- prometheus.Metric) {
	m.duration.Collect(ch)
	m.records.Collect(ch)
	m.mu.Lock()
	s := m.scheduler
	m.mu.Unlock()
	if s == nil {
		return
	}
	for _, j := range s.jobs {
		ch <- prometheus.MustNewConstMetric(m.interval, prometheus.GaugeValue, j.Interval.Seconds(), j.Source.Name(), j.Source.Type())
	}
	for _, st := range s.States() {
		m.collect(ch, st)
	}
}

func (m *Metrics) collect(ch chan<- prometheus.Metric, st State) {
	gauge := func(d *prometheus.Desc, value float64) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, value, st.Source, st.Vendor, st.Stream)
	}
	timestamp := func(d *prometheus.Desc, t time.Time) {
		if !t.IsZero() {
			gauge(d, float64(t.UnixMicro())/1e6)
		}
	}
	flag := func(d *prometheus.Desc, is bool) {
		value := 0.0
		if is {
			value = 1
		}
		gauge(d, value)
	}
	flag(m.up, st.Up)
	flag(m.truncated, st.Truncated)
	timestamp(m.lastAttempt, st.LastAttempt)
	timestamp(m.lastSuccess, st.LastSuccess)
	timestamp(m.dataTime, st.DataTime)
	if st.Backfill >= 0 {
		gauge(m.backfill, st.Backfill)
	}
}

// show makes the metrics those of s: the series that are known beforehand start at 0,
// and those of sources that s does not poll go.
func (m *Metrics) show(s *Scheduler) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.scheduler != nil {
		for _, old := range m.scheduler.jobs {
			if !slices.ContainsFunc(s.jobs, func(j *job) bool {
				return j.Source.Name() == old.Source.Name() && j.Source.Type() == old.Source.Type()
			}) {
				labels := prometheus.Labels{"source": old.Source.Name(), "vendor": old.Source.Type()}
				m.duration.DeletePartialMatch(labels)
				m.records.DeletePartialMatch(labels)
			}
		}
	}
	outcomes := []ledger.Outcome{ledger.Inserted, ledger.Updated, ledger.Unchanged, ledger.Deleted, ledger.Rejected}
	for _, j := range s.jobs {
		m.duration.WithLabelValues(j.Source.Name(), j.Source.Type())
		for _, st := range j.streams {
			for _, kind := range st.Kinds {
				for _, outcome := range outcomes {
					m.records.WithLabelValues(j.Source.Name(), j.Source.Type(), string(kind), string(outcome))
				}
			}
		}
	}
	m.scheduler = s
}

// polled counts a poll of a source.
func (m *Metrics) polled(src sources.Source, took time.Duration) {
	m.duration.WithLabelValues(src.Name(), src.Type()).Observe(took.Seconds())
}

// committed counts the records of a page.
func (m *Metrics) committed(src sources.Source, counts ledger.Counts) {
	for kind, outcomes := range counts {
		for outcome, n := range outcomes {
			m.records.WithLabelValues(src.Name(), src.Type(), string(kind), string(outcome)).Add(float64(n))
		}
	}
}
