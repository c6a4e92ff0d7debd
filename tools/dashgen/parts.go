package main

import (
	"strings"

	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
)

// Where figures come from, for the descriptions.
const (
	fromOrders   = "orders and refunds of the stores."
	fromCheckout = "checkouts and orders of the stores."
	fromCosts    = "ad spend and the configured costs; customers by their first order."
	fromLeads    = "leads and activities of the CRM; orders of the stores."
	fromCRM      = "leads and activities of the CRM."
	fromPolls    = "the exporter's own account of its polls."
	fromItself   = "the exporter itself."
)

const (
	versusPrevious = "vs previous"
	versusYear     = "vs a year ago"
)

// figure is a number of the chosen window, without a comparison.
func figure(title, unit, formula, source, expr string) panel {
	return panel{
		title: title, formula: formula, source: source, w: 4, h: 4, unit: unit, shape: figures,
		queries: []query{{expr: expr, legend: caption(expr), instant: true}},
	}
}

// caption names a number: an amount by its currency, all others by the window.
func caption(expr string) string {
	switch {
	case strings.Contains(expr, "currency"):
		return "{{currency}}"
	case strings.Contains(expr, "$window"):
		return "last $window"
	}
	return "now"
}

// headline is a headline KPI with its change against the window before.
func headline(name, title, unit, formula, source, expr string) panel {
	p := figure(title, unit, formula+"\n\nBelow it the change against the previous window, as the exporter computes it from its ledger.", source, expr)
	p.queries = append(p.queries, query{expr: change(name, "previous"), legend: versusPrevious, instant: true})
	return p.named(versusPrevious, look{unit: percent, digits: digits(1), steps: catalog().find(name).good.steps()})
}

func digits(n float64) *float64 { return new(n) }

func (p panel) size(w, h uint32) panel {
	p.w, p.h = w, h
	return p
}

// to links to the dashboard that says more.
func (p panel) to(uid string) panel {
	p.link = uid
	return p
}

func (p panel) colored(steps ...step) panel {
	p.steps = steps
	return p
}

func (p panel) precise(n float64) panel {
	p.digits = digits(n)
	return p
}

// share marks a panel as one of ratios from 0 to 1.
func (p panel) share() panel {
	p.min, p.max = digits(0), digits(1)
	return p
}

// current marks a panel as one that does not depend on the chosen window.
func (p panel) current() panel {
	p.now = true
	return p
}

func (p panel) named(name string, l look) panel {
	if p.names == nil {
		p.names = map[string]look{}
	}
	p.names[name] = l
	return p
}

// trend is the course of something over time.
func trend(title, unit, formula, source string, queries ...query) panel {
	return panel{title: title, formula: formula, source: source, unit: unit, w: 12, h: 9, queries: queries, shape: lines}
}

// limits adds the configured thresholds of a headline KPI as dashed lines.
func (p panel) limits(kpi string) panel {
	p.queries = append(p.queries, query{expr: thresholds(kpi, window), legend: "{{severity}} threshold"})
	p.formula += " Dashed: the configured thresholds, where the window has any."
	return p.dashed()
}

// dashed draws thresholds as dashed lines.
func (p panel) dashed() panel {
	return p.named("warning threshold", look{color: "orange", dashed: true}).
		named("critical threshold", look{color: "red", dashed: true})
}

// compare shows the largest of several values as bars.
func compare(title, unit, formula, source, expr, legend string) panel {
	return panel{
		title: title, formula: formula, source: source, unit: unit, w: 8, h: 8, shape: bars, steps: []step{{color: "blue"}}, min: digits(0),
		queries: []query{{expr: "sort_desc(" + largest(expr) + ")", legend: legend, instant: true}},
	}
}

// column is a column of a table, with a query of its own.
type column struct {
	title, expr string
	look
}

// key is a label that makes the rows of a table, and the title of its column.
type key struct{ label, title string }

// listing is a table with a row for each combination of the labels, sorted by the first
// column that is not a label.
func listing(title, formula, source string, keys []key, columns ...column) panel {
	p := panel{title: title, formula: formula, source: source, w: 24, h: 9, unit: number}
	var order []string
	titles := map[string]string{}
	for _, k := range keys {
		order, titles[k.label] = append(order, k.label), k.title
	}
	for i, c := range columns {
		value := "Value"
		if len(columns) > 1 {
			value = "Value #" + string(rune('A'+i))
		}
		order, titles[value] = append(order, value), c.title
		p.queries = append(p.queries, query{expr: c.expr, instant: true})
		p = p.named(c.title, c.look)
	}
	p.shape = rows(order, titles, columns[0].title)
	return p
}

// state returns a text with a colour for a value.
func state(text, color string) dashboard.ValueMappingResult {
	return dashboard.ValueMappingResult{Text: &text, Color: &color}
}

// trust are the panels that say whether the figures are right and up to date.
func trust() []panel {
	return []panel{
		figure("Alerts firing", number, "Alerts of the exporter's rules that fire, without those that only hold back others.",
			"Prometheus's alerting rules.", `count(`+firing+`) or vector(0)`).current().colored(step{color: "green"}, step{1, "red"}).to("b2b-exporter"),
		figure("Streams down", number, "Streams of sources whose last poll failed.", fromPolls,
			"count("+vector("b2b_source_up")+" == 0) or vector(0)").current().colored(step{color: "green"}, step{1, "red"}).to("b2b-exporter"),
		figure("Data read", seconds, "Time since the stream that has been behind longest was last read to its end.", fromPolls,
			"max("+age("b2b_source_last_success_timestamp_seconds")+")").
			current().colored(step{color: "green"}, step{2 * 3600, "orange"}, step{26 * 3600, "red"}).to("b2b-exporter"),
	}
}

// firing are the alerts that fire, but those that are only there to hold back others.
const firing = `max without (instance, pod) (ALERTS{job="$job", alertname=~"B2B.+", alertname!="B2BKPIHeldBack", alertstate="firing"})`

// age returns the time since a timestamp.
func age(metric string, matchers ...string) string { return "time() - " + vector(metric, matchers...) }

// lost adds bars of what is below 0, by how much. Bars have one scale, and all begin at 0: the
// longest of those below would be the shortest.
func (p panel) lost(expr, legend string) panel {
	p.queries = append(p.queries, query{expr: "sort_desc(" + largest(expr) + ")", legend: legend, instant: true, color: "red"})
	return p
}
