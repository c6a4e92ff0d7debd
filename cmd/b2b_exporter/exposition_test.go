package main

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

// parse returns the samples of an exposition by name and sorted labels.
func parse(t *testing.T, text string) map[string]float64 {
	t.Helper()
	parser := expfmt.NewTextParser(model.LegacyValidation)
	families, err := parser.TextToMetricFamilies(strings.NewReader(text))
	if err != nil {
		t.Fatalf("read the exposition: %v", err)
	}
	samples := map[string]float64{}
	for name, family := range families {
		for _, m := range family.GetMetric() {
			labels := map[string]string{}
			for _, pair := range m.GetLabel() {
				labels[pair.GetName()] = pair.GetValue()
			}
			value := m.GetGauge().GetValue()
			if m.GetGauge() == nil {
				value = m.GetUntyped().GetValue()
			}
			samples[key(name, labels)] = value
		}
	}
	return samples
}

func key(metric string, labels map[string]string) string {
	pairs := make([]string, 0, len(labels))
	for _, name := range slices.Sorted(maps.Keys(labels)) {
		pairs = append(pairs, fmt.Sprintf("%s=%q", name, labels[name]))
	}
	return metric + "{" + strings.Join(pairs, ",") + "}"
}

// metric returns the name in a key.
func metric(key string) string {
	name, _, _ := strings.Cut(key, "{")
	return name
}

// near reports whether a value is what is expected: counts exactly, money to the cent,
// ratios to 1e-9.
func near(key string, got, want float64) bool {
	switch {
	case strings.Contains(key, "currency="):
		return math.Abs(got-want) <= 0.005
	case strings.HasSuffix(metric(key), "_ratio"):
		return math.Abs(got-want) <= 1e-9*math.Max(1, math.Abs(want))
	}
	return got == want
}
