package collector_test

import (
	"bytes"
	"errors"
	"io/fs"
	"math"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus/testutil"
	dto "github.com/prometheus/client_model/go"
	"go.yaml.in/yaml/v3"

	"github.com/b2bexporter/b2b_exporter/collector"
)

func snapshot(t *testing.T, out *collector.Output) *collector.Snapshot {
	t.Helper()
	s, err := collector.NewSnapshot(out)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func gather(t *testing.T, s *collector.Snapshot) []*dto.MetricFamily {
	t.Helper()
	families, err := s.Gather()
	if err != nil {
		t.Fatal(err)
	}
	return families
}

func TestExpositionIsLinted(t *testing.T) {
	s := snapshot(t, rich(t))
	problems, err := testutil.GatherAndLint(s)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
	seen := map[string]bool{}
	for _, f := range gather(t, s) {
		seen[f.GetName()] = true
		m, ok := collector.Find(f.GetName())
		if !ok {
			t.Errorf("%s is not in the table", f.GetName())
			continue
		}
		if got := strings.ToLower(f.GetType().String()); got != m.Kind() {
			t.Errorf("%s is a %s, want a %s", m.Name, got, m.Kind())
		}
		if !strings.HasSuffix(f.GetHelp(), ".") || !strings.HasPrefix(f.GetHelp(), m.Help) {
			t.Errorf("help of %s: %q", m.Name, f.GetHelp())
		}
		for _, sample := range f.GetMetric() {
			lintSample(t, &m, sample)
		}
	}
	for _, m := range collector.Metrics() {
		if !m.Own && !seen[m.Name] {
			t.Errorf("the company has no sample of %s: nothing holds it", m.Name)
		}
	}
}

func lintSample(t *testing.T, m *collector.Metric, sample *dto.Metric) {
	t.Helper()
	v := sample.GetGauge().GetValue()
	switch {
	case math.IsNaN(v) || math.IsInf(v, 0):
		t.Errorf("%s is %v", m.Name, v)
	case m.Unit == "ratio" && !m.Free && (v < 0 || v > 1):
		t.Errorf("%s = %v, beyond its bounds: %v", m.Name, v, sample)
	}
	if sample.TimestampMs != nil {
		t.Errorf("a sample of %s has a timestamp", m.Name)
	}
	var labels []string
	for _, l := range sample.GetLabel() {
		labels = append(labels, l.GetName())
		if strings.Contains(l.GetValue(), "@") {
			t.Errorf("%s has %s=%q", m.Name, l.GetName(), l.GetValue())
		}
	}
	if diff := cmp.Diff(slices.Sorted(slices.Values(m.AllLabels())), labels); diff != "" {
		t.Errorf("labels of %s (-table +sample):\n%s", m.Name, diff)
	}
}

func TestTableOfMetrics(t *testing.T) {
	seen := map[string]bool{}
	names := map[string]bool{}
	for _, c := range collector.Collectors() {
		names[c.Name()] = true
	}
	for _, m := range collector.Metrics() {
		if seen[m.Name] {
			t.Errorf("%s is listed twice", m.Name)
		}
		seen[m.Name] = true
		if !names[m.Collector] {
			t.Errorf("%s is of collector %q, which there is not", m.Name, m.Collector)
		}
		words := strings.Split(m.Name, "_")
		last := words[len(words)-1]
		switch {
		case words[0] != "b2b":
			t.Errorf("%s does not begin with b2b_", m.Name)
		case slices.Contains(words, "percent"), slices.Contains(words, "percentage"):
			t.Errorf("%s: ratios are 0 to 1", m.Name)
		case last == "timestamp", slices.Contains(words, "timestamp") && last != "seconds":
			t.Errorf("%s: timestamps are in seconds", m.Name)
		case (m.Unit == "ratio") != slices.Contains(words, "ratio"):
			t.Errorf("%s has the unit %q", m.Name, m.Unit)
		case (m.Unit == "seconds") != (last == "seconds"):
			t.Errorf("%s has the unit %q", m.Name, m.Unit)
		case m.Money != (m.Unit == "currency"):
			t.Errorf("%s has the unit %q", m.Name, m.Unit)
		case (m.Kind() == "counter") != (last == "total"):
			t.Errorf("%s is a %s", m.Name, m.Kind())
		}
		if m.Help == "" || !strings.HasSuffix(m.Help, ".") || strings.TrimSpace(m.Help) != m.Help || strings.Contains(m.Help, "\n") {
			t.Errorf("help of %s: %q", m.Name, m.Help)
		}
		if m.Headline != (m.Worse != 0) {
			t.Errorf("%s: a headline says on which side trouble lies, and nothing else does", m.Name)
		}
		for _, l := range m.Bounded {
			if !slices.Contains(m.Labels, l) {
				t.Errorf("%s has no label %s to bound", m.Name, l)
			}
		}
	}
	for _, th := range collector.DefaultThresholds() {
		if m, ok := collector.Find(th.KPI); !ok || !m.Headline || !m.HasWindow() {
			t.Errorf("there is a threshold of %s, which is no headline with a window", th.KPI)
		}
	}
}

// contracted is a metric as the contract describes it.
type contracted struct {
	Name     string
	Kind     string
	Type     string
	Bounds   string
	Headline bool
	Labels   []string
}

// TestContract holds the table against the contract of all metrics, where that is at hand.
func TestContract(t *testing.T) {
	text, err := os.ReadFile("../../shared/kpis.yaml")
	if errors.Is(err, fs.ErrNotExist) {
		t.Skip("the contract is not at hand")
	}
	if err != nil {
		t.Fatal(err)
	}
	var contract struct{ Collectors map[string][]contracted }
	if err := yaml.Unmarshal(text, &contract); err != nil {
		t.Fatal(err)
	}
	type entry struct {
		Collector             string
		Labels                []string
		Money, Headline, Free bool
		Type                  string
	}
	want := map[string]entry{}
	for collector, list := range contract.Collectors {
		for _, m := range list {
			e := entry{collector, m.Labels, m.Kind == "money", m.Headline, m.Bounds == "free", m.Type}
			if e.Labels == nil {
				t.Errorf("the contract gives no labels for %s", m.Name)
			}
			if e.Type == "" {
				e.Type = "gauge"
			}
			want[m.Name] = e
		}
	}
	got := map[string]entry{}
	for _, m := range collector.Metrics() {
		e := entry{m.Collector, slices.Clone(m.Labels), m.Money, m.Headline, m.Free, m.Kind()}
		for i, l := range e.Labels {
			if slices.Contains(m.Bounded, l) {
				e.Labels[i] = l + "*"
			}
		}
		got[m.Name] = e
		w, ok := want[m.Name]
		if !ok {
			t.Errorf("%s is not in the contract", m.Name)
			continue
		}
		if diff := cmp.Diff(w, e); diff != "" {
			t.Errorf("%s (-contract +table):\n%s", m.Name, diff)
		}
	}
	for name, w := range want {
		if _, ok := got[name]; !ok && (w.Collector == "orders" || w.Collector == "customers") {
			t.Errorf("%s is not in the table", name)
		}
	}
}

func TestReferenceIsUpToDate(t *testing.T) {
	held, err := os.ReadFile("../docs/metrics.md")
	if err != nil {
		t.Fatal(err)
	}
	want := collector.Reference()
	if !bytes.Equal(held, []byte(want)) {
		t.Errorf("docs/metrics.md is not what the table of metrics says; run: go run ./cmd/b2b_exporter metrics > docs/metrics.md\n%s",
			cmp.Diff(strings.Split(want, "\n"), strings.Split(string(held), "\n")))
	}
	for _, m := range collector.Metrics() {
		if !strings.Contains(want, "| `"+m.Name+"` |") {
			t.Errorf("the reference does not tell of %s", m.Name)
		}
	}
}
