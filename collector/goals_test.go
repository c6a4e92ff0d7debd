package collector_test

import (
	"testing"

	"github.com/b2bexporter/b2b_exporter/collector"
	"github.com/b2bexporter/b2b_exporter/internal/record"
)

func changeOf(kpi, w, versus string) string {
	return series("b2b_kpi_change_ratio", "kpi="+kpi, "window="+w, "versus="+versus)
}

// A headline is compared with itself in the window before and a year before.
func TestChanges(t *testing.T) {
	c := newCompany(t)
	c.order("first", "", "2023-01-01 00:00", record.Order{})
	c.order("o1", "acme", "2024-07-09 12:00", record.Order{Gross: units(300)}) // yesterday
	c.order("o2", "acme", "2024-07-08 12:00", record.Order{Gross: units(100)}) // the day before
	c.order("o3", "acme", "2024-07-08 13:00", record.Order{Gross: units(100)})
	c.order("o4", "acme", "2023-07-09 12:00", record.Order{Gross: units(75)})
	// Today until noon, and yesterday and a year ago until then, to the instant.
	c.order("o5", "acme", "2024-07-10 11:00", record.Order{Gross: units(90)})
	c.order("o6", "acme", "2024-07-09 11:59:59.999999", record.Order{Gross: units(60)})
	c.order("o7", "acme", "2023-07-10 12:00", record.Order{Gross: units(1)})
	c.refund("r1", "2024-06-20 12:00", record.Refund{Amount: units(1000)})
	out := c.compute("2024-07-10 12:00")
	check(t, out, map[string]string{
		changeOf("b2b_revenue_net", "1d", "previous"):         "0.8", // 360 against 200
		changeOf("b2b_revenue_net", "1d", "year_ago"):         "3.8", // against 75
		changeOf("b2b_orders", "1d", "previous"):              "0",
		changeOf("b2b_orders", "1d", "year_ago"):              "1",
		changeOf("b2b_average_order_value", "1d", "previous"): "0.8",
		changeOf("b2b_revenue_net", "today", "previous"):      "0.5", // 90 against 60
		changeOf("b2b_revenue_net", "today", "year_ago"):      none,  // nothing was sold a year ago
		changeOf("b2b_revenue_net", "mtd", "previous"):        none,  // 1 to 10 June: nothing either
		changeOf("b2b_revenue_net", "30d", "previous"):        none,
		changeOf("b2b_revenue_net", "7d", "previous"):         none,
		// The base of 30d is 0 a year ago, that of 365d lies before the first record.
		changeOf("b2b_revenue_net", "365d", "previous"):  none,
		changeOf("b2b_customers_new", "30d", "previous"): none, // 0
	})
}

// A comparison whose base begins before the first record of its source is immature.
func TestChangesMature(t *testing.T) {
	c := newCompany(t)
	c.order("o1", "acme", "2024-07-09 12:00", record.Order{Gross: units(30)})
	c.order("o2", "acme", "2024-07-08 12:00", record.Order{Gross: units(10)})
	previous := changeOf("b2b_revenue_net", "1d", "previous")
	check(t, c.compute("2024-07-10 00:00"), map[string]string{previous: none}) // the base begins at midnight
	c.add("shop", "7", &record.Customer{CreatedAt: c.at("2024-07-08 00:00")})  // whatever is dated counts
	check(t, c.compute("2024-07-10 00:00"), map[string]string{previous: "2"})
	c.add("shop", "7", &record.Customer{CreatedAt: c.at("2024-07-08 00:00:00.000001")})
	check(t, c.compute("2024-07-10 00:00"), map[string]string{previous: none})
}

// With several stores the latest of their first records decides, and a store without
// any leaves nothing to compare.
func TestChangesOfSeveralStores(t *testing.T) {
	c := newCompany(t, withShops("outlet"))
	for i, placed := range []string{"2024-01-01 12:00", "2024-07-08 12:00", "2024-07-09 12:00"} {
		c.order(numbered("o", i), "", placed, record.Order{Gross: units(10)})
	}
	previous := changeOf("b2b_revenue_net", "1d", "previous")
	check(t, c.compute("2024-07-10 00:00"), map[string]string{previous: none})
	c.orderOf("outlet", "o1", "", "2024-07-08 12:00", record.Order{Gross: units(20)})
	check(t, c.compute("2024-07-10 00:00"), map[string]string{previous: none})
	c.orderOf("outlet", "o0", "", "2024-07-07 12:00", record.Order{Gross: units(20)})
	check(t, c.compute("2024-07-10 00:00"), map[string]string{previous: "-2/3"}) // 10 against 10 + 20
}

// A headline without a window is compared with itself 30, 90 and 365 days and a year before.
func TestChangesWithoutWindow(t *testing.T) {
	c := newCompany(t, few(1))
	c.order("old", "gone", "2022-01-01 00:00", record.Order{})
	// At risk from 5 June 2024 on: 10 days apart three times, then no more.
	for i, placed := range []string{"2024-05-01 00:00", "2024-05-11 00:00", "2024-05-21 00:00"} {
		c.order(numbered("a", i), "acme", placed, record.Order{Gross: units(100)})
	}
	for i, placed := range []string{"2024-03-01 00:00", "2024-03-02 00:00", "2024-06-13 00:00", "2024-06-14 00:00"} {
		c.order(numbered("b", i), "bolt", placed, record.Order{Gross: units(75)})
	}
	const kpi = "b2b_customers_at_risk_revenue"
	out := c.compute("2024-07-10 12:00")
	check(t, out, map[string]string{
		series(kpi):                       "600", // 300 of acme and 300 of bolt
		changeOf(kpi, "30d", "previous"):  "1",   // on 10 June acme's 300 were
		changeOf(kpi, "90d", "previous"):  none,  // on 11 April nobody was
		changeOf(kpi, "365d", "previous"): none,
		changeOf(kpi, "30d", "year_ago"):  none,
	})
}

// The base moment must come after the first record of every source that contributes.
func TestChangesWithoutWindowMature(t *testing.T) {
	c := newCompany(t, withShops("outlet"))
	for i, placed := range []string{"2024-05-01 00:00", "2024-05-11 00:00", "2024-05-21 00:00"} {
		c.order(numbered("a", i), "acme", placed, record.Order{Gross: units(100)})
	}
	change := changeOf("b2b_customers_at_risk_revenue", "30d", "previous")
	for _, test := range []struct{ first, want string }{
		{"2024-06-10 12:00:00.000001", none}, {"2024-06-10 12:00", none}, {"2024-06-10 11:59:59.999999", "0"},
	} {
		c.add("outlet", "7", &record.Customer{CreatedAt: c.at(test.first)})
		check(t, c.compute("2024-07-10 12:00"), map[string]string{change: test.want})
	}
}

// A headline without a value has a reason, the window being empty where it has none.
func TestUndefinedHeadlines(t *testing.T) {
	out := newCompany(t).compute("2024-07-10 12:00")
	for _, h := range collector.Headlines() {
		w := ""
		if h.HasWindow() {
			w = "1d"
		}
		reason := map[string]string{
			"b2b_orders": none, "b2b_revenue_net": none, "b2b_customers_new": none, "b2b_customers_at_risk_revenue": none, "b2b_mrr": none,
			"b2b_customer_churn_ratio": "immature", "b2b_customer_lifetime_value": "immature",
			// Nobody tells what marketing costs, or records answers.
			"b2b_marketing_cost": "source_missing", "b2b_customer_acquisition_cost": "source_missing", "b2b_cac_marketing_ratio": "source_missing",
			"b2b_marketing_roi_ratio": "source_missing", "b2b_cost_per_lead": "source_missing", "b2b_ltv_cac_ratio": "source_missing",
			"b2b_lead_response_seconds": "no_data", "b2b_lead_contact_ratio": "no_data",
		}[h.Name]
		switch {
		case h.Collector == "web" || h.Collector == "ads": // it has neither an analytics tool nor ads
			reason = "source_missing"
		case reason == "":
			reason = "zero_denominator"
		}
		checkReasons(t, out, map[string]string{h.Name + "|" + w: reason})
		check(t, out, map[string]string{
			series("b2b_kpi_undefined", "kpi="+h.Name, "window="+w, "reason="+reason): map[bool]string{true: none, false: "1"}[reason == none],
		})
	}
}

func TestThresholds(t *testing.T) {
	c := newCompany(t)
	view, err := c.engine.View(t.Context(), c.moment("2024-07-10 12:00").UnixMicro())
	if err != nil {
		t.Fatal(err)
	}
	out := collector.Run(&collector.Input{View: view, Options: collector.Options{Currency: "EUR", Thresholds: append(
		collector.DefaultThresholds(),
		collector.Threshold{KPI: "b2b_customer_lifetime_value", Severity: "warning", Value: record.Decimal{Coefficient: 12345, Scale: 1, Known: true}},
	)}}, collectors(), asOfClock(c.moment("2024-07-10")))
	threshold := func(kpi, w, severity string) string {
		return series("b2b_kpi_threshold", "kpi="+kpi, "window="+w, "severity="+severity)
	}
	check(t, out, map[string]string{
		threshold("b2b_customer_churn_ratio", "90d", "warning"):        "0.20",
		threshold("b2b_customer_churn_ratio", "90d", "critical"):       "0.30",
		threshold("b2b_mrr_churn_ratio", "30d", "warning"):             "0.05",
		threshold("b2b_mrr_churn_ratio", "30d", "critical"):            "0.10",
		threshold("b2b_checkout_abandonment_ratio", "30d", "warning"):  "0.80",
		threshold("b2b_checkout_abandonment_ratio", "30d", "critical"): none,
		threshold("b2b_customer_lifetime_value", "", "warning"):        "1234.5",
	})
}
