package collector

import (
	"maps"
	"slices"

	"github.com/b2bexporter/b2b_exporter/internal/record"
)

// goals puts out how the headline KPIs of the other collectors compare.
type goals struct{}

func (goals) Name() string    { return "goals" }
func (goals) Subject() string { return "changes, thresholds, and why a KPI has no value" }

func goalsMetrics() []Metric {
	return complete("goals", []Metric{
		{
			Name: "b2b_kpi_change_ratio", Unit: "ratio", Free: true, Labels: []string{"kpi", "window", "versus"},
			Help: "Value of a headline KPI / its value in the comparison window - 1 (versus: previous, year_ago).",
		}, {
			Name: "b2b_kpi_threshold", Labels: []string{"kpi", "window", "severity"},
			Help: "Configured alert threshold of a headline KPI, in the KPI's own unit, for alert rules to compare with.",
		}, {
			Name: "b2b_kpi_source_info", Labels: []string{"kpi", "source"},
			Help: "1 where a headline KPI depends on the source, to gate and inhibit alerts.",
		}, {
			Name: "b2b_kpi_undefined", Labels: []string{"kpi", "window", "reason"},
			Help: "1 where a headline KPI has no value, and why.",
		},
	})
}

func (goals) Collect(in *Input, out *Output) {
	for _, h := range out.Headlines {
		for _, source := range h.Sources {
			out.add("b2b_kpi_source_info", number(1), h.KPI, source)
		}
		for _, w := range slices.Sorted(maps.Keys(h.Windows)) {
			c := h.Windows[w]
			for _, versus := range []string{Previous, YearAgo} {
				out.add("b2b_kpi_change_ratio", c.Change(versus), h.KPI, string(w), versus)
			}
			if h.HasWindow && !c.Value.Defined() {
				out.add("b2b_kpi_undefined", number(1), h.KPI, string(w), string(c.Value.Reason))
			}
		}
		if !h.HasWindow && !h.At.Value.Defined() {
			out.add("b2b_kpi_undefined", number(1), h.KPI, "", string(h.At.Value.Reason))
		}
	}
	for _, t := range in.Thresholds {
		out.add("b2b_kpi_threshold", Value{Number: t.Value.Rat()}, t.KPI, t.Window, t.Severity)
	}
}

// DefaultThresholds are those of a configuration that sets none for the KPI and window.
func DefaultThresholds() []Threshold {
	return []Threshold{
		{"b2b_customer_churn_ratio", "90d", "warning", record.Decimal{Coefficient: 20, Scale: 2, Known: true}},
		{"b2b_customer_churn_ratio", "90d", "critical", record.Decimal{Coefficient: 30, Scale: 2, Known: true}},
		{"b2b_mrr_churn_ratio", "30d", "warning", record.Decimal{Coefficient: 5, Scale: 2, Known: true}},
		{"b2b_mrr_churn_ratio", "30d", "critical", record.Decimal{Coefficient: 10, Scale: 2, Known: true}},
		{"b2b_checkout_abandonment_ratio", "30d", "warning", record.Decimal{Coefficient: 80, Scale: 2, Known: true}},
	}
}
