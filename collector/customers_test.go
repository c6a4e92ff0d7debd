package collector_test

import (
	"testing"

	"github.com/b2bexporter/b2b_exporter/collector/internal/oracle"
	"github.com/b2bexporter/b2b_exporter/internal/record"
)

// 100 customers at the start, 10 leave: churn 0.10 on start, 0.1111 on remaining,
// retention 0.90.
func TestChurnOfAHundredCustomers(t *testing.T) {
	for _, test := range []struct {
		name, churn string
		remaining   bool
	}{
		{"on start", "0.10", false},
		{"on remaining", "10/90", true},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := newCompany(t, func(s *oracle.Settings) { s.ChurnRemaining = test.remaining })
			// The first order of all lies 180 days before every start, so that churn is known.
			c.order("old", "gone", "2023-01-01 00:00", record.Order{Gross: units(1)})
			// Active on 1 June, 174 days later, and no longer on 1 July, 204 days later.
			for i := range 100 {
				c.order(numbered("first", i), numbered("c", i), "2023-12-10 12:00", record.Order{Gross: units(10)})
				if i >= 10 {
					c.order(numbered("again", i), numbered("c", i), "2024-06-20 12:00", record.Order{Gross: units(10)})
				}
			}
			c.order("new", "new", "2024-06-20 12:00", record.Order{Gross: units(10)})
			c.order("back", "gone", "2024-06-21 12:00", record.Order{Gross: units(10)})
			out := c.compute("2024-07-01 00:00")
			check(t, out, in(map[string]string{
				"b2b_customers_at_start":       "100",
				"b2b_customers_lost":           "10",
				"b2b_customers_reactivated":    "1",
				"b2b_customer_churn_ratio":     test.churn,
				"b2b_customer_retention_ratio": "0.90",
				"b2b_returning_customer_ratio": "91/92", // the 90 and gone, of those and new
				"b2b_repeat_purchase_ratio":    "0",
			}, "window=30d"))
			check(t, out, in(map[string]string{
				"b2b_customers_at_start":       "0", // on 2 July 2023 gone was gone by two days
				"b2b_customers_lost":           "0",
				"b2b_customers_reactivated":    "1",
				"b2b_customer_churn_ratio":     none,
				"b2b_customer_retention_ratio": none,
				"b2b_returning_customer_ratio": "1/102",
				"b2b_repeat_purchase_ratio":    "90/102",
			}, "window=365d"))
			check(t, out, map[string]string{
				series("b2b_customers_new", "channel=unknown", "window=30d"):      "1",
				series("b2b_customers_new", "channel=unknown", "window=365d"):     "101",
				series("b2b_customers_new", "channel=unknown", "window=1d"):       "0",
				series("b2b_customers", "state=active"):                           "92",
				series("b2b_customers", "state=churned"):                          "10",
				series("b2b_customers", "state=prospect"):                         "0",
				series("b2b_cohort_retention_ratio", "cohort=2023-12", "month=6"): "0.90",
				series("b2b_customers_at_start", "window=today"):                  "92",
				series("b2b_customer_churn_ratio", "window=today"):                "0",
			})
		})
	}
}

// Active at t: a counted order in [t - inactive_after, t).
func TestActiveToTheInstant(t *testing.T) {
	c := newCompany(t, inZone("Europe/Berlin"))
	c.order("o1", "acme", "2024-01-10 12:00", record.Order{})
	state := func(s string) string { return series("b2b_customers", "state="+s) }
	// 180 calendar days later clocks show the same time, though one hour less has passed.
	for _, test := range []struct{ at, active, churned string }{
		{"2024-01-10 12:00", "0", "0"},
		{"2024-01-10 12:00:00.000001", "1", "0"},
		{"2024-07-08 12:00", "1", "0"},
		{"2024-07-08 12:00:00.000001", "0", "1"},
	} {
		check(t, c.compute(test.at), map[string]string{state("active"): test.active, state("churned"): test.churned})
	}
}

func TestCustomersStates(t *testing.T) {
	c := newCompany(t)
	at := c.at("2024-07-01 12:00")
	c.add("shop", "registered", &record.Customer{CreatedAt: at})
	c.add("shop", "undated", &record.Customer{})
	c.add("shop", "later", &record.Customer{CreatedAt: c.at("2024-07-10 12:00")})
	c.add("crm", "target", &record.Account{Target: true, CreatedAt: at})
	c.add("crm", "keyed", &record.Account{CreatedAt: at, Keys: record.Keys{Domain: "keyed.example.com"}})
	c.add("crm", "neither", &record.Account{CreatedAt: at})
	c.add("crm", "lead", &record.Lead{CreatedAt: at, Keys: record.Keys{Email: "jane@lead.example.com"}})
	c.order("cancelled", "tried", "2024-07-01 12:00", record.Order{State: record.StateCancelled})
	c.order("o1", "buyer", "2024-07-01 12:00", record.Order{})
	c.order("o2", "left", "2023-07-01 12:00", record.Order{})
	check(t, c.compute("2024-07-10 12:00"), map[string]string{
		series("b2b_customers", "state=active"):   "1",
		series("b2b_customers", "state=churned"):  "1",
		series("b2b_customers", "state=prospect"): "5", // registered, undated, target, keyed, tried
	})
}

// A live subscription keeps a customer active, and its start is a first order; it is
// not an order otherwise.
func TestSubscribersAreActive(t *testing.T) {
	c := newCompany(t)
	c.order("old", "gone", "2022-01-01 00:00", record.Order{})
	c.add("shop", "s1", &record.Subscription{
		Customer: record.RefTo("acme"), StartedAt: c.at("2023-01-01 00:00"), State: record.SubscriptionActive,
	})
	c.add("shop", "s2", &record.Subscription{Customer: record.RefTo("bolt"), StartedAt: c.at("2024-06-30 00:00"), State: record.SubscriptionTrialing})
	c.add("shop", "s3", &record.Subscription{
		Customer: record.RefTo("crest"), StartedAt: c.at("2024-06-30 12:00"), EndedAt: c.at("2024-07-09 12:00"), State: record.SubscriptionEnded,
	})
	out := c.compute("2024-07-10 00:00")
	check(t, out, map[string]string{
		series("b2b_customers", "state=active"):                           "1",
		series("b2b_customers", "state=churned"):                          "2",
		series("b2b_customers", "state=prospect"):                         "1",
		series("b2b_customers_new", "channel=unknown", "window=30d"):      "1",
		series("b2b_customers_at_start", "window=1d"):                     "2",
		series("b2b_customers_lost", "window=1d"):                         "1",
		series("b2b_customer_churn_ratio", "window=1d"):                   "1/2",
		series("b2b_returning_customer_ratio", "window=30d"):              none, // nobody ordered
		series("b2b_cohort_retention_ratio", "cohort=2024-06", "month=0"): "1",
		series("b2b_cohort_retention_ratio", "cohort=2024-06", "month=1"): "0",
	})
}

// Churn over [s, e) takes an order at or before s - inactive_after.
func TestChurnMatures(t *testing.T) {
	c := newCompany(t)
	c.order("o1", "acme", "2024-01-02 00:00", record.Order{Gross: units(1)}) // 180 days before 30 June
	c.order("o2", "bolt", "2024-06-01 00:00", record.Order{Gross: units(1)})
	churn := func(w string) string { return series("b2b_customer_churn_ratio", "window="+w) }
	retention := func(w string) string { return series("b2b_customer_retention_ratio", "window="+w) }
	out := c.compute("2024-07-01 12:00")
	check(t, out, map[string]string{
		churn("1d"): "1/2", retention("1d"): "1/2", // from 30 June on: acme is lost
		churn("7d"): none, retention("7d"): none,
		// Who was there and who went is known all the same.
		series("b2b_customers_at_start", "window=7d"): "2",
		series("b2b_customers_lost", "window=7d"):     "1",
	})
	checkReasons(t, out, map[string]string{"b2b_customer_churn_ratio|1d": none, "b2b_customer_churn_ratio|7d": "immature"})
	// An hour less of history is too little, a guest's order is as good as any.
	c.order("o1", "acme", "2024-01-02 01:00", record.Order{Gross: units(1)})
	check(t, c.compute("2024-07-01 12:00"), map[string]string{churn("1d"): none, churn("today"): "0"})
	c.order("o3", "", "2024-01-02 00:00", record.Order{Gross: units(1)})
	check(t, c.compute("2024-07-01 12:00"), map[string]string{churn("1d"): "1/2"})
}

func TestCohorts(t *testing.T) {
	c := newCompany(t)
	for id, months := range map[string][]string{
		"acme":  {"2023-05-31 23:59:59", "2023-06-01 00:00"}, // before the last 13 months
		"bolt":  {"2023-07-01 00:00", "2023-07-20 00:00", "2023-09-01 00:00", "2024-07-01 00:00"},
		"crest": {"2023-07-31 23:59:59.999999", "2023-08-31 00:00", "2023-09-30 00:00"},
		"delta": {"2024-07-05 00:00"},
	} {
		for i, placed := range months {
			c.order(numbered(id, i), id, placed, record.Order{Gross: units(1)})
		}
	}
	out := c.compute("2024-07-10 00:00")
	share := func(cohort, month string) string {
		return series("b2b_cohort_retention_ratio", "cohort="+cohort, "month="+month)
	}
	check(t, out, map[string]string{
		share("2023-05", "0"): none,
		share("2023-06", "0"): none, // nobody's first order
		share("2023-07", "0"): "1", share("2023-07", "1"): "1/2", share("2023-07", "2"): "1", share("2023-07", "3"): "0",
		share("2023-07", "11"): "0",
		share("2023-07", "12"): "1/2", // the running month
		share("2023-07", "13"): none,
		share("2024-07", "0"):  "1", share("2024-07", "1"): none, // is yet to come
	})
}

// All times between two orders of one customer, the later of them in the last 365 days.
func TestOrderIntervals(t *testing.T) {
	c := newCompany(t)
	for id, orders := range map[string][]string{
		"acme":  {"2024-06-01 00:00", "2024-06-02 00:00", "2024-06-04 00:00", "2024-06-07 00:00"}, // 1, 2 and 3 days
		"bolt":  {"2023-07-10 23:00", "2023-07-11 00:00"},                                         // an hour: the first instant of 365d
		"crest": {"2023-07-09 23:00", "2023-07-10 23:59:59.999999"},                               // before that
		"delta": {"2023-12-31 00:00", "2024-07-09 23:59:59.999999"},                               // about 191 days, just yesterday
		"eagle": {"2024-07-01 00:00", "2024-07-10 00:00"},                                         // today
		"fox":   {"2024-07-01 00:00"},
	} {
		for i, placed := range orders {
			c.order(numbered(id, i), id, placed, record.Order{})
		}
	}
	// 3600 s, 1, 2, 3 and about 191 days: the third and the fourth of five.
	check(t, c.compute("2024-07-10 12:00"), map[string]string{
		series("b2b_order_interval_seconds", "q=0.5"): "172800",
		series("b2b_order_interval_seconds", "q=0.8"): "259200",
	})
	check(t, newCompany(t).compute("2024-07-10 12:00"), map[string]string{series("b2b_order_interval_seconds", "q=0.5"): none})
}

// Past 1.5 times the median of its own intervals, not at it.
func TestAtRisk(t *testing.T) {
	c := newCompany(t)
	place := func(id string, days ...string) {
		for i, day := range days {
			c.order(numbered(id, i), id, "2024-05-"+day+" 00:00", record.Order{Gross: units(100)})
		}
	}
	place("acme", "01", "11", "21")       // 10 and 10 days: at risk after 15, on 5 June
	place("bolt", "01", "02", "21", "22") // 1, 19 and 1 days: after 1.5, at noon on 23 May
	place("crest", "01", "05", "15")      // 4 and 10 days, median 7: after 10.5, at noon on 25 May
	place("delta", "01", "02")            // two orders are too few
	c.refund("r1", "2024-05-22 00:00", record.Refund{Order: "acme001", Amount: units(30)})
	for _, test := range []struct{ at, n, revenue string }{
		{"2024-05-23 12:00", "0", "0"},
		{"2024-05-23 12:00:00.000001", "1", "400"},
		{"2024-05-25 12:00", "1", "400"},
		{"2024-05-25 12:00:00.000001", "2", "700"},
		{"2024-06-05 00:00", "2", "700"},
		{"2024-06-05 00:00:00.000001", "3", "970"},
		// Once it is no longer active, a customer is not at risk but lost.
		{"2024-11-17 00:00:00.000001", "1", "400"}, // acme's 20 May + 180 days is 16 November, bolt's a day later
		{"2024-11-18 00:00:00.000001", "0", "0"},
	} {
		check(t, c.compute(test.at), map[string]string{
			series("b2b_customers_at_risk"): test.n, series("b2b_customers_at_risk_revenue"): test.revenue,
		})
	}
}

// Its subscription keeps a customer active who has not ordered for long; that it
// comes to be at risk must not be missed while the day runs.
func TestSubscribersAtRisk(t *testing.T) {
	c := newCompany(t)
	for i, placed := range []string{"2022-01-01 00:00", "2022-07-20 00:00", "2023-02-05 00:00"} { // 200 and 200 days
		c.order(numbered("o", i), "acme", placed, record.Order{Gross: units(100)})
	}
	c.add("shop", "s1", &record.Subscription{Customer: record.RefTo("acme"), StartedAt: c.at("2022-01-01 00:00"), State: record.SubscriptionActive})
	// 300 days after 5 February 2023.
	for _, test := range []struct{ at, n, revenue string }{
		{"2023-12-02 00:00", "0", "0"},
		{"2023-12-02 00:00:00.000001", "1", "100"},
		{"2023-12-02 12:00", "1", "100"},
	} {
		check(t, c.compute(test.at), map[string]string{
			series("b2b_customers_at_risk"): test.n, series("b2b_customers_at_risk_revenue"): test.revenue,
		})
	}
}
