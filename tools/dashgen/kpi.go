package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
)

// direction says which change of a KPI is good.
type direction int

const (
	less direction = -1
	more direction = 1
)

// steps colours a change: the good direction green, the bad one red.
func (d direction) steps() []step {
	if d == less {
		return []step{{color: "green"}, {0.0001, "red"}}
	}
	return []step{{color: "red"}, {0, "green"}}
}

// kpi is a headline KPI: how it is called, which change is good, and its value in every
// window, as thresholds are compared with it.
type kpi struct {
	name, title string
	good        direction
	value       string
}

type kpis []kpi

// catalog returns the headline KPIs that the dashboards show.
func catalog() kpis {
	const every = `window=~".+"`
	amounts := func(metric string, matchers ...string) string {
		return sum(vector(metric, append([]string{every}, matchers...)...), "window", "currency")
	}
	counts := func(metric string, matchers ...string) string {
		return sum(vector(metric, append([]string{every}, matchers...)...), "window")
	}
	return kpis{
		{"b2b_revenue_net", "Net revenue", more, amounts("b2b_revenue_net")},
		{"b2b_orders", "Orders", more, counts("b2b_orders")},
		{"b2b_average_order_value", "Average order value", more, averageOrder(every, "window", "currency")},
		{"b2b_profit_margin_ratio", "Profit margin", more, ""},
		{"b2b_checkout_abandonment_ratio", "Checkouts abandoned", less, abandonment(every, "window")},
		{"b2b_customers_new", "New customers", more, counts("b2b_customers_new")},
		{"b2b_customer_churn_ratio", "Customer churn", less, counts("b2b_customer_churn_ratio")},
		{"b2b_returning_customer_ratio", "Returning customers", more, counts("b2b_returning_customer_ratio")},
		{"b2b_customer_lifetime_value", "Lifetime value", more, sum(vector("b2b_customer_lifetime_value", `method="predicted"`), "window", "currency")},
		{"b2b_customers_at_risk_revenue", "Revenue at risk", less, sum(vector("b2b_customers_at_risk_revenue"), "window", "currency")},
		{"b2b_marketing_cost", "Marketing cost", less, amounts("b2b_marketing_cost")},
		{"b2b_customer_acquisition_cost", "Acquisition cost", less, acquisitionCost(every, "window", "currency")},
		{"b2b_cac_marketing_ratio", "Marketing's share of CAC", less, counts("b2b_cac_marketing_ratio")},
		{"b2b_marketing_originated_customer_ratio", "Marketing-originated customers", more, counts("b2b_marketing_originated_customer_ratio")},
		{"b2b_marketing_roi_ratio", "Marketing ROI", more, counts("b2b_marketing_roi_ratio")},
		{"b2b_cost_per_lead", "Cost per lead", less, amounts("b2b_cost_per_lead")},
		{"b2b_ltv_cac_ratio", "LTV : CAC", more, counts("b2b_ltv_cac_ratio")},
		{"b2b_lead_to_close_ratio", "Lead to close", more, counts("b2b_lead_to_close_ratio", `method="cohort"`)},
		{"b2b_lead_response_seconds", "Lead response", less, counts("b2b_lead_response_seconds", `q="0.5"`)},
		{"b2b_lead_contact_ratio", "Leads contacted", more, counts("b2b_lead_contact_ratio")},
		{"b2b_mrr", "MRR", more, sum(vector("b2b_mrr"), "window", "currency")},
		{"b2b_net_revenue_retention_ratio", "Net retention", more, counts("b2b_net_revenue_retention_ratio")},
		{"b2b_mrr_churn_ratio", "MRR churn", less, counts("b2b_mrr_churn_ratio")},
		{"b2b_web_sessions", "Visits", more, counts("b2b_web_sessions")},
		{"b2b_web_conversion_ratio", "Conversions per visit", more, counts("b2b_web_conversions") + " / " + counts("b2b_web_sessions")},
		{"b2b_ad_cost", "Ad spend", less, amounts("b2b_ad_cost")},
		{
			"b2b_ad_cost_per_acquisition", "Cost per conversion", less,
			amounts("b2b_ad_cost") + " / ignoring (currency) group_left () (" + counts("b2b_ad_conversions") + " > 0)",
		},
		{"b2b_ad_click_through_ratio", "Click-through", more, counts("b2b_ad_clicks") + " / " + counts("b2b_ad_impressions")},
	}
}

func (l kpis) find(name string) kpi {
	return l[slices.IndexFunc(l, func(k kpi) bool { return k.name == name })]
}

// averageOrder returns what an order is worth over all stores, by labels.
func averageOrder(window string, by ...string) string {
	counted := slices.DeleteFunc(slices.Clone(by), func(l string) bool { return l == "currency" })
	return fmt.Sprintf("(%s - %s) / on (%s) group_left () %s",
		sum(vector("b2b_revenue_gross", window), by...), sum(vector("b2b_revenue_discounts", window), by...),
		strings.Join(counted, ", "), sum(vector("b2b_orders", window), counted...))
}

// abandonment returns the share of checkouts that were abandoned over all stores that
// report checkouts, by labels.
func abandonment(window string, by ...string) string {
	lost := vector("b2b_abandoned_checkouts", window)
	ordered := fmt.Sprintf("(%s and on (store, window) %s)", sum(vector("b2b_orders", window), "store", "window"), lost)
	return fmt.Sprintf("%s / (%s + %s)", sum(lost, by...), sum(lost, by...), sum(ordered, by...))
}

// acquisitionCost returns what a new customer costs, by labels: fully loaded, or in
// marketing where no sales costs are configured.
func acquisitionCost(window string, by ...string) string {
	of := func(basis string) string {
		return sum(vector("b2b_customer_acquisition_cost", window, fmt.Sprintf("basis=%q", basis)), by...)
	}
	return of("fully_loaded") + " or " + of("marketing")
}

// verdicts shows which of the KPIs are on the wrong side of their configured thresholds.
func verdicts(names ...string) panel {
	var parts []string
	for _, name := range names {
		k := catalog().find(name)
		op := ">"
		if k.good == less {
			op = "<"
		}
		// Each threshold that is broken counts 1, so that warning and critical make 2.
		parts = append(parts, fmt.Sprintf(`label_replace(sum by (window, currency) (%s %s bool on (window) group_left (currency) (%s)), "kpi", %q, "", "")`,
			thresholds(k.name, `window=~".*"`), op, k.value, k.title))
	}
	// Without any threshold the panel says so.
	parts = []string{"(\n" + strings.Join(parts, "\nor\n") + "\n)", `label_replace(vector(-1), "kpi", "no threshold configured", "", "")`}
	return panel{
		title: "Against thresholds", formula: "Headline KPIs with configured thresholds, in the windows that the thresholds are for: on the wrong side of none, one or both.",
		source: "the thresholds of the exporter's configuration.", now: true, w: 12, h: 4, unit: number, shape: lamps,
		queries: []query{{expr: strings.Join(parts, "\nor on ()\n"), legend: "{{kpi}} {{window}}", instant: true}},
		texts:   map[string]dashboard.ValueMappingResult{"-1": state("none", "#6e7687"), "0": state("ok", "green"), "1": state("warning", "orange"), "2": state("critical", "red")},
		steps:   []step{{color: "#6e7687"}, {0, "green"}, {1, "orange"}, {2, "red"}},
	}
}

// changes is a table of how headline KPIs changed of which the same direction is good.
func changes(title string, good direction) panel {
	var names []string
	titles := map[string]dashboard.ValueMappingResult{}
	for _, k := range catalog() {
		if k.good == good {
			names = append(names, k.name)
			titles[k.name] = dashboard.ValueMappingResult{Text: &k.title}
		}
	}
	of := func(versus string) string {
		return vector("b2b_kpi_change_ratio", fmt.Sprintf("kpi=~%q", strings.Join(names, "|")), window, fmt.Sprintf("versus=%q", versus))
	}
	colored := look{unit: percent, digits: digits(1), steps: good.steps(), cell: "color-text", width: 130}
	return listing(title, "Value / value of the comparison window - 1, of the headline KPIs.", "the exporter's ledger; no history of Prometheus is needed.",
		[]key{{"kpi", "KPI"}},
		column{versusPrevious, "max by (kpi) (" + of("previous") + ")", colored},
		column{versusYear, "max by (kpi) (" + of("year_ago") + ")", colored},
	).named("KPI", look{texts: titles}).size(12, 14)
}
