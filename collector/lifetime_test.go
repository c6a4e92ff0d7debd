package collector_test

import (
	"testing"

	"github.com/b2bexporter/b2b_exporter/collector/internal/oracle"
	"github.com/b2bexporter/b2b_exporter/internal/record"
)

func lifetime(method string) string { return series("b2b_customer_lifetime_value", "method="+method) }

func lifetimeOf(channel, method string) string {
	return series("b2b_customer_lifetime_value_by_channel", "method="+method, "channel="+channel)
}

// few lets the predicted lifetime value take n active customers, active for 90 days.
func few(n int) func(*oracle.Settings) {
	return func(s *oracle.Settings) { s.LifetimeMinimum, s.InactiveDays = n, 90 }
}

// loyal puts a customer that has ordered twice before 1 July 2024 and is active at the
// beginnings of all of the six 30-day windows before it: 3 January, 2 February, 3 March, 2 April,
// 2 May and 1 June. In the last 90 days, from 2 April on, it has ordered once, on 5 May.
func (c *company) loyal(customer string, last record.Order) {
	for i, placed := range []string{"2023-11-20 00:00", "2024-02-10 00:00"} {
		c.order(numbered(customer, i), customer, placed, record.Order{Gross: units(100), Cost: units(60), Touch: last.Touch})
	}
	c.order("last of "+customer, customer, "2024-05-05 00:00", last)
}

func TestLifetimeValue(t *testing.T) {
	c := newCompany(t, few(3))
	c.order("old", "gone", "2023-01-01 00:00", record.Order{Gross: units(40)})
	for _, customer := range []string{"acme", "bolt", "crest"} {
		c.loyal(customer, record.Order{Gross: units(100), Cost: units(60), Touch: record.Touch{Medium: "email"}})
	}
	// Active on 3 January and 2 February, lost in the second window.
	c.order("d1", "delta", "2023-12-01 00:00", record.Order{Gross: units(10)})
	c.refund("r1", "2024-06-02 00:00", record.Refund{Order: "last of acme", Amount: units(60)})
	out := c.compute("2024-07-01 00:00")
	check(t, out, map[string]string{
		// Profits of 60, 120 and 120 where all orders have costs, else net revenue of 40 and 10.
		lifetime("historic"):              "350/5",
		lifetimeOf("email", "historic"):   "300/3",
		lifetimeOf("unknown", "historic"): "50/2",
		// m: 40 each, less the refund of 60, by 3 months and 3 customers. c: 1 of 4 + 4 + 3 x 4.
		lifetime("predicted"): "400/3",
		// By e-mail nobody was lost: m x 60.
		lifetimeOf("email", "predicted"):   "400",
		lifetimeOf("unknown", "predicted"): none, // nobody is active
	})
	checkReasons(t, out, map[string]string{"b2b_customer_lifetime_value|": none})
}

// One order without costs makes a customer count with its net revenue.
func TestLifetimeValueOfNetRevenue(t *testing.T) {
	c := newCompany(t, few(2))
	c.order("old", "gone", "2023-01-01 00:00", record.Order{})
	c.loyal("acme", record.Order{Gross: units(100), Cost: units(60)})
	c.loyal("bolt", record.Order{Gross: units(100), Discount: units(10)})
	check(t, c.compute("2024-07-01 00:00"), map[string]string{
		lifetime("historic"):  "410/3", // 120, 290 and 0
		lifetime("predicted"): "1300",  // (40 + 90) / 3 / 2 x 60
	})
}

// A rate of loss below 1/60 a month counts as 1/60; one at it or above counts itself.
func TestLifetimeValueIsCappedAtSixtyMonths(t *testing.T) {
	for _, test := range []struct {
		name      string
		customers int
		want      string
	}{
		{"1/60 lost", 10, "800"}, // m = 40 / 3
		{"1/66 lost", 11, "800"},
		{"1/54 lost", 9, "720"},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := newCompany(t, few(1))
			c.order("old", "gone", "2023-01-01 00:00", record.Order{})
			for i := range test.customers - 1 {
				c.loyal(numbered("c", i), record.Order{Gross: units(100), Cost: units(60)})
			}
			// Active on 3 January to 1 June, lost on 30 June.
			c.order("x1", "x", "2023-11-20 00:00", record.Order{})
			c.order("x2", "x", "2024-02-10 00:00", record.Order{})
			c.order("x3", "x", "2024-04-01 00:00", record.Order{})
			check(t, c.compute("2024-07-01 00:00"), map[string]string{lifetime("predicted"): test.want})
		})
	}
}

func TestLifetimeValueUndefined(t *testing.T) {
	c := newCompany(t, few(3))
	c.loyal("acme", record.Order{Gross: units(100)})
	c.loyal("bolt", record.Order{Gross: units(100)})
	// The first order, 20 November, lies after 3 January less 90 days: nobody knows who was
	// active then. That comes before there being too few.
	out := c.compute("2024-07-01 00:00")
	check(t, out, map[string]string{lifetime("historic"): "300", lifetime("predicted"): none})
	checkReasons(t, out, map[string]string{"b2b_customer_lifetime_value|": "immature"})

	c.order("old", "gone", "2023-10-05 00:00", record.Order{}) // to the instant
	out = c.compute("2024-07-01 00:00")
	check(t, out, map[string]string{lifetime("historic"): "200", lifetime("predicted"): none})
	checkReasons(t, out, map[string]string{"b2b_customer_lifetime_value|": "too_few"})

	c.loyal("crest", record.Order{Gross: units(100)})
	// 300 / 3 / 3, and one of 4 + 5 x 3 lost.
	check(t, c.compute("2024-07-01 00:00"), map[string]string{lifetime("predicted"): "1900/3"})

	c.loyal("delta", record.Order{Gross: units(100), Currency: "USD"})
	out = c.compute("2024-07-01 00:00")
	check(t, out, map[string]string{lifetime("historic"): none, lifetime("predicted"): none})
	checkReasons(t, out, map[string]string{"b2b_customer_lifetime_value|": "no_rate"})
}
