package collector

import (
	"fmt"
	"slices"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
)

// Snapshot is an exposition: metric families that were checked when they were made and
// never change, so that a scrape only hands them out.
type Snapshot struct {
	families []*dto.MetricFamily
	out      *Output
}

// NewSnapshot checks samples in a pedantic registry and returns them as a snapshot.
func NewSnapshot(out *Output) (*Snapshot, error) {
	descs := map[string]*prometheus.Desc{}
	for _, m := range Metrics() {
		if m.Own {
			continue
		}
		descs[m.Name] = m.desc()
	}
	metrics := make([]prometheus.Metric, 0, len(out.Samples))
	for _, s := range out.Samples {
		desc := descs[s.Metric]
		if desc == nil {
			return nil, fmt.Errorf("publish: metric %s is not in the table of metrics", s.Metric)
		}
		value, _ := s.Value.Float64()
		m, err := prometheus.NewConstMetric(desc, prometheus.GaugeValue, value, s.Labels...)
		if err != nil {
			return nil, fmt.Errorf("publish %s: %w", s.Metric, err)
		}
		metrics = append(metrics, m)
	}
	registry := prometheus.NewPedanticRegistry()
	if err := registry.Register(checked{descs, metrics}); err != nil {
		return nil, fmt.Errorf("publish: %w", err)
	}
	families, err := registry.Gather()
	if err != nil {
		return nil, fmt.Errorf("publish: %w", err)
	}
	return &Snapshot{families: families, out: out}, nil
}

// Failed returns the snapshot with every collector marked as failed, for when a later
// computation did not succeed.
func (s *Snapshot) Failed() *Snapshot {
	failed := &Snapshot{families: slices.Clone(s.families), out: s.out}
	zero := 0.0
	for i, f := range failed.families {
		if f.GetName() != "b2b_collector_success" {
			continue
		}
		marked := &dto.MetricFamily{Name: f.Name, Help: f.Help, Type: f.Type}
		for _, m := range f.GetMetric() {
			marked.Metric = append(marked.Metric, &dto.Metric{Label: m.GetLabel(), Gauge: &dto.Gauge{Value: &zero}})
		}
		failed.families[i] = marked
	}
	return failed
}

// Gather implements prometheus.Gatherer. The families must not be changed.
func (s *Snapshot) Gather() ([]*dto.MetricFamily, error) { return s.families, nil }

// Output returns what the snapshot was made from.
func (s *Snapshot) Output() *Output { return s.out }

// checked hands prepared metrics to the registry that checks them.
type checked struct {
	descs   map[string]*prometheus.Desc
	metrics []prometheus.Metric
}

func (c checked) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range c.descs {
		ch <- d
	}
}

func (c checked) Collect(ch chan<- prometheus.Metric) {
	for _, m := range c.metrics {
		ch <- m
	}
}
