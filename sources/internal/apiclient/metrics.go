package apiclient

import (
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Metrics counts the requests of all clients. It is a prometheus.Collector.
type Metrics struct {
	requests *prometheus.CounterVec
	retries  *prometheus.CounterVec
	duration *prometheus.HistogramVec
	quota    *prometheus.GaugeVec
}

// NewMetrics returns Metrics that are not registered anywhere yet.
func NewMetrics() *Metrics {
	return &Metrics{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "b2b_api_requests_total",
			Help: "Requests sent to the vendor's API, token requests included, by the class of the answer's status (code: 2xx, 3xx, 4xx, 5xx, or none where no answer came).",
		}, []string{"source", "vendor", "code"}),
		retries: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "b2b_api_retries_total",
			Help: "Requests that were sent again, by reason: throttled, server_error or network.",
		}, []string{"source", "vendor", "reason"}),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "b2b_api_request_duration_seconds",
			Help:    "Time from sending a request to the vendor's API to the headers of its answer, or to the failure.",
			Buckets: []float64{0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60},
		}, []string{"vendor"}),
		quota: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "b2b_api_quota_remaining_ratio",
			Help: "What is left of a limit of the vendor's API by its last answer, as a share of the limit.",
		}, []string{"source", "vendor", "quota"}),
	}
}

// Describe implements prometheus.Collector.
func (m *Metrics) Describe(ch chan<- *prometheus.Desc) {
	m.requests.Describe(ch)
	m.retries.Describe(ch)
	m.duration.Describe(ch)
	m.quota.Describe(ch)
}

// Collect implements prometheus.Collector.
func (m *Metrics) Collect(ch chan<- prometheus.Metric) {
	m.requests.Collect(ch)
	m.retries.Collect(ch)
	m.duration.Collect(ch)
	m.quota.Collect(ch)
}

// Forget removes the series of a source that is no longer configured.
func (m *Metrics) Forget(source string) {
	labels := prometheus.Labels{"source": source}
	m.requests.DeletePartialMatch(labels)
	m.retries.DeletePartialMatch(labels)
	m.quota.DeletePartialMatch(labels)
}

// Reasons of retries.
const (
	reasonThrottled   = "throttled"
	reasonServerError = "server_error"
	reasonNetwork     = "network"
)

// sourceMetrics are one client's part of Metrics.
type sourceMetrics struct {
	metrics        *Metrics
	source, vendor string
}

// forSource returns the part of a source, with all series that are known beforehand at 0.
func (m *Metrics) forSource(source, vendor string) *sourceMetrics {
	for _, code := range []string{"2xx", "3xx", "4xx", "5xx", "none"} {
		m.requests.WithLabelValues(source, vendor, code)
	}
	for _, reason := range []string{reasonThrottled, reasonServerError, reasonNetwork} {
		m.retries.WithLabelValues(source, vendor, reason)
	}
	m.duration.WithLabelValues(vendor)
	return &sourceMetrics{metrics: m, source: source, vendor: vendor}
}

// request counts a request; status is 0 where no answer came.
func (s *sourceMetrics) request(status int, took time.Duration) {
	code := "none"
	if class := status / 100; class >= 2 && class <= 5 {
		code = strconv.Itoa(class) + "xx"
	}
	s.metrics.requests.WithLabelValues(s.source, s.vendor, code).Inc()
	s.metrics.duration.WithLabelValues(s.vendor).Observe(took.Seconds())
}

func (s *sourceMetrics) retry(reason string) {
	s.metrics.retries.WithLabelValues(s.source, s.vendor, reason).Inc()
}

func (s *sourceMetrics) remaining(quota string, ratio float64) {
	s.metrics.quota.WithLabelValues(s.source, s.vendor, quota).Set(ratio)
}
