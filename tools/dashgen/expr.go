package main

import (
	"fmt"
	"strings"
)

// vector returns a selector of a metric: of the job that the reader chose, one series for all
// replicas of an exporter, which serve the same values.
func vector(metric string, matchers ...string) string {
	return fmt.Sprintf("max without (instance, pod, job) (%s)", selector(metric, matchers...))
}

// selector returns a selector of a metric of the job that the reader chose.
func selector(metric string, matchers ...string) string {
	return metric + "{" + strings.Join(append([]string{`job="$job"`}, matchers...), ", ") + "}"
}

// window is the matcher of the window that the reader chose.
const window = `window="$window"`

// total returns the sum of a metric in the chosen window by labels.
func total(metric string, by ...string) string {
	return sum(vector(metric, window), by...)
}

// money returns the sum of amounts in the chosen window by labels, and always by currency.
func money(metric string, by ...string) string {
	return sum(vector(metric, window), append(by, "currency")...)
}

// ratio returns a metric in the chosen window whose other labels the matchers fix.
func ratio(metric string, matchers ...string) string {
	return vector(metric, append([]string{window}, matchers...)...)
}

func sum(expr string, by ...string) string {
	if len(by) == 0 {
		return "sum(" + expr + ")"
	}
	return fmt.Sprintf("sum by (%s) (%s)", strings.Join(by, ", "), expr)
}

// largest returns the series with the largest values, as many as a panel has room for.
func largest(expr string) string { return "topk(8, " + expr + ")" }

// change returns by how much a headline KPI differs from its value of another window.
func change(kpi, versus string) string {
	return vector("b2b_kpi_change_ratio", fmt.Sprintf("kpi=%q", kpi), window, fmt.Sprintf("versus=%q", versus))
}

// thresholds returns the configured thresholds of a headline KPI by severity.
func thresholds(kpi, matcher string) string {
	return vector("b2b_kpi_threshold", fmt.Sprintf("kpi=%q", kpi), matcher)
}

// rate returns the sum of a counter's increase per second by labels.
func rate(metric string, by ...string) string {
	return sum("rate("+selector(metric)+"[$__rate_interval])", by...)
}
