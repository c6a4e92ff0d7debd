package main

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	versioncollector "github.com/prometheus/client_golang/prometheus/collectors/version"

	"github.com/b2bexporter/b2b_exporter/collector"
	"github.com/b2bexporter/b2b_exporter/internal/poll"
	"github.com/b2bexporter/b2b_exporter/sources/all"
)

// TestOwnMetricsAreInTheTable holds the descriptors of the metrics that are exposed by
// what counts them against the table of metrics, and the other way round.
func TestOwnMetricsAreInTheTable(t *testing.T) {
	reloads := newReloadMetrics(time.Unix(0, 0))
	descs := make(chan *prometheus.Desc, 100)
	for _, c := range []prometheus.Collector{
		versioncollector.NewCollector("b2b_exporter"), poll.NewMetrics(), all.NewMetrics(), reloads.ok, reloads.at,
	} {
		c.Describe(descs)
	}
	close(descs)
	var described []string
	for d := range descs {
		described = append(described, d.String())
	}
	for _, m := range collector.Metrics() {
		if !m.Own {
			continue
		}
		found := false
		for _, d := range described {
			if !strings.Contains(d, fmt.Sprintf("fqName: %q", m.Name)) {
				continue
			}
			found = true
			// The build information comes from a library, which has its own words and constants.
			if m.Name != "b2b_exporter_build_info" && (!strings.Contains(d, fmt.Sprintf("help: %q", m.Help)) ||
				!strings.Contains(d, "variableLabels: {"+strings.Join(m.Labels, ",")+"}")) {
				t.Errorf("%s is described as %s, the table says %q %v", m.Name, d, m.Help, m.Labels)
			}
		}
		if !found {
			t.Errorf("%s is in the table and nothing exposes it", m.Name)
		}
	}
	for _, d := range described {
		name, _, _ := strings.Cut(strings.TrimPrefix(d, `Desc{fqName: "`), `"`)
		if m, ok := collector.Find(name); !ok || !m.Own {
			t.Errorf("%s is exposed and not in the table as such", name)
		}
	}
}
