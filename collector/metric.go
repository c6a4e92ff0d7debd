package collector

import (
	"fmt"
	"slices"
	"strings"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/b2bexporter/b2b_exporter/internal/record"
)

// Metric describes a metric that the exporter exposes. The descriptors, the metric
// reference and the tests of the exposition all come from the list that Metrics returns.
type Metric struct {
	Name      string
	Collector string
	// Help says what is counted, from which records.
	Help   string
	Labels []string // without currency
	// Bounded are the labels whose values are bounded by labels.max.
	Bounded []string
	// Money: the value is in units of the label currency, which the metric has in addition.
	Money bool
	// Unit is the base unit: "seconds", "ratio", "currency", or "" for a number of things.
	Unit string
	// Free: a ratio that may leave 0..1.
	Free bool
	// Headline: the metric has change, threshold and undefined series.
	Headline bool
	// Worse says of a headline on which side of its thresholds trouble lies: above (+1) or
	// below (-1).
	Worse int
	Type  string // gauge where empty
	// Own: the metric is not part of a snapshot; what counts it exposes it, always up to date.
	Own bool

	// The rest says of a headline how its total comes about.

	Formula string // in one line
	Ratio   *Ratio // what the total is made of where it is a ratio
	// ByDay: a part is known by day, so that running windows are compared over complete days.
	ByDay bool
	// Kinds are the kinds of record that it is computed from, OfCustomers that those that say
	// who bought and who is who come on top.
	Kinds       []record.Kind
	OfCustomers bool
	// Settings are the keys of the configuration that change what it means.
	Settings []string
}

// Ratio names what Value.Parts returns.
type Ratio struct{ Numerator, Denominator Part }

// Part is what a ratio is made of. Its unit is one that a metric can have.
type Part struct {
	Name  string
	Unit  string
	Ratio *Ratio // its own parts
}

// Inputs returns the kinds of record that a headline is computed from where basis says
// what counts as an order of a customer.
func (m *Metric) Inputs(basis string) []record.Kind {
	kinds := slices.Clone(m.Kinds)
	if m.OfCustomers {
		o := Options{Basis: basis}
		for _, k := range o.customerKinds() {
			if !slices.Contains(kinds, k) {
				kinds = append(kinds, k)
			}
		}
	}
	return kinds
}

// HasWindow reports whether the metric has the label window.
func (m *Metric) HasWindow() bool { return slices.Contains(m.Labels, "window") }

// AllLabels returns the labels in the order of a sample's values.
func (m *Metric) AllLabels() []string {
	if m.Money {
		return append(slices.Clone(m.Labels), "currency")
	}
	return m.Labels
}

// Kind returns the metric's type.
func (m *Metric) Kind() string {
	if m.Type == "" {
		return "gauge"
	}
	return m.Type
}

// cachedNote ends the help of every KPI: its values are those of the last snapshot,
// whose sources' freshness other metrics tell.
const cachedNote = " Computed when records change and every 5 minutes, not at the scrape."

// desc returns the metric's descriptor.
func (m *Metric) desc() *prometheus.Desc {
	return prometheus.NewDesc(m.Name, m.Help+cachedNote, m.AllLabels(), nil)
}

// Metrics returns all metrics, by collector.
func Metrics() []Metric {
	return slices.Concat(ordersMetrics(), recurringMetrics(), customersMetrics(), acquisitionMetrics(), funnelMetrics(), webMetrics(), adsMetrics(), goalsMetrics(), exporterMetrics())
}

// Find returns the metric with a name.
func Find(name string) (Metric, bool) {
	list := Metrics()
	i := slices.IndexFunc(list, func(m Metric) bool { return m.Name == name })
	if i < 0 {
		return Metric{}, false
	}
	return list[i], true
}

// Headlines returns the metrics that have change, threshold and undefined series.
func Headlines() []Metric {
	return slices.DeleteFunc(Metrics(), func(m Metric) bool { return !m.Headline })
}

// Reference returns the metric reference as Markdown.
func Reference() string {
	var b strings.Builder
	b.WriteString(referenceIntro)
	collector := ""
	for _, m := range Metrics() {
		if m.Collector != collector {
			collector = m.Collector
			fmt.Fprintf(&b, "\n## Collector `%s`\n\n| Metric | Type | Unit | Labels | Meaning |\n|---|---|---|---|---|\n", collector)
		}
		unit := m.Unit
		if unit == "" {
			unit = "number"
		}
		labels := make([]string, 0, len(m.Labels)+1)
		for _, l := range m.AllLabels() {
			if slices.Contains(m.Bounded, l) {
				l += " (bounded)"
			}
			labels = append(labels, l)
		}
		help := m.Help
		if m.Headline {
			help += " **Headline.**"
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s | %s |\n", m.Name, m.Kind(), unit, strings.Join(labels, ", "), help)
	}
	return b.String()
}
