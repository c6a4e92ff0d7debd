package collector_test

import (
	"testing"

	"github.com/b2bexporter/b2b_exporter/collector/internal/oracle"
	"github.com/b2bexporter/b2b_exporter/internal/record"
)

// Every amount is converted at the last rate published on or before its own day.
func TestCurrencies(t *testing.T) {
	c := newCompany(t, inZone("Europe/Berlin"))
	// 5 July 2024 is a Friday: nothing is published on Saturday and Sunday.
	c.rate("USD", "2024-07-04", 100)
	c.rate("USD", "2024-07-05", 125)
	c.rate("USD", "2024-07-08", 200)
	c.rate("GBP", "2024-07-05", 80)
	c.order("thu", "acme", "2024-07-04 23:59:59", record.Order{Gross: units(100), Currency: "USD"})                         // 100
	c.order("fri", "acme", "2024-07-05 00:00", record.Order{Gross: units(100), Currency: "USD"})                            // 80
	c.order("sat", "acme", "2024-07-06 12:00", record.Order{Gross: units(100), Discount: units(50), Currency: "USD"})       // 80 - 40
	c.order("sun", "acme", "2024-07-07 23:59:59.999999", record.Order{Gross: units(100), Cost: units(75), Currency: "USD"}) // 80, cost 60
	c.order("mon", "acme", "2024-07-08 00:00", record.Order{Gross: units(100), Currency: "USD"})                            // 50
	c.order("gbp", "acme", "2024-07-07 12:00", record.Order{Gross: units(40), Currency: "GBP"})                             // 50
	c.order("eur", "acme", "2024-07-07 12:00", record.Order{Gross: units(7)})
	// A refund takes its order's currency, but the rate of its own day.
	c.refund("r1", "2024-07-08 12:00", record.Refund{Order: "thu", Amount: units(10)})
	gross := func(w string) string {
		return series("b2b_revenue_gross", "store=shop", "channel=unknown", "window="+w)
	}
	out := c.compute("2024-07-09 00:00")
	check(t, out, map[string]string{
		gross("7d"): "447", // 100 + 80 + 80 + 80 + 50 + 50 + 7
		gross("1d"): "50",
		series("b2b_revenue_discounts", "store=shop", "window=7d"): "40",
		series("b2b_revenue_refunds", "store=shop", "window=1d"):   "5",
		net("unknown", "7d"): "402",
		series("b2b_gross_profit", "store=shop", "window=7d"):        "20",
		series("b2b_profit_margin_ratio", "store=shop", "window=7d"): "1/4",
		series("b2b_average_order_value", "store=shop", "window=7d"): "407/7",
		series("b2b_revenue_per_customer", "window=7d"):              "402",
	})
	check(t, c.compute("2024-07-08 00:00"), map[string]string{gross("1d"): "137", gross("7d"): "397"}) // 80 + 50 + 7; all but Monday's

	// A rate that arrives late touches the days from its own on.
	c.rate("USD", "2024-07-07", 160)
	check(t, c.compute("2024-07-08 00:00"), map[string]string{gross("1d"): "119.5", gross("7d"): "379.5"}) // 62.5 + 50 + 7
}

// With another reporting currency both ways go over the published reference.
func TestCrossRates(t *testing.T) {
	c := newCompany(t, func(s *oracle.Settings) { s.Currency = "GBP" })
	c.rate("USD", "2024-07-05", 125)
	c.rate("GBP", "2024-07-05", 80)
	c.order("usd", "", "2024-07-06 12:00", record.Order{Gross: units(100), Currency: "USD"})
	c.order("eur", "", "2024-07-06 12:00", record.Order{Gross: units(100), Currency: "EUR"})
	c.order("gbp", "", "2024-07-06 12:00", record.Order{Gross: units(100), Currency: "GBP"})
	check(t, c.compute("2024-07-07 00:00"), map[string]string{
		// 100 / 1.25 x 0.8 + 100 x 0.8 + 100
		series("b2b_revenue_gross", "store=shop", "channel=unknown", "window=1d", "currency=GBP"): "244",
		series("b2b_revenue_gross", "store=shop", "channel=unknown", "window=1d", "currency=EUR"): none,
	})
}

// What cannot be converted is undefined, never left out of a sum.
func TestNoRate(t *testing.T) {
	c := newCompany(t)
	c.rate("USD", "2024-07-05", 125)
	c.order("eur", "acme", "2024-07-01 12:00", record.Order{Gross: units(100), Cost: units(50), Country: "DE"})
	c.order("early", "acme", "2024-07-04 12:00", record.Order{Gross: units(100), Cost: units(50), Currency: "USD", Country: "US"})
	c.order("yen", "bolt", "2024-07-09 12:00", record.Order{Gross: units(100), Currency: "JPY", Country: "JP"})
	out := c.compute("2024-07-10 12:00")
	orders := func(w string) string { return series("b2b_orders", "store=shop", "channel=unknown", "window="+w) }
	check(t, out, map[string]string{
		orders("1d"): "1", orders("mtd"): "3",
		net("unknown", "today"): "0", net("unknown", "1d"): none, net("unknown", "mtd"): none,
		netIn("DE", "mtd"): "100", netIn("US", "mtd"): none, netIn("JP", "mtd"): none, netIn("JP", "today"): "0",
		series("b2b_gross_profit", "store=shop", "window=1d"):         none,
		series("b2b_gross_profit", "store=shop", "window=mtd"):        none,
		series("b2b_average_order_value", "store=shop", "window=mtd"): none,
		series("b2b_revenue_per_customer", "window=mtd"):              none,
		series("b2b_revenue_top_customer_ratio", "window=mtd"):        none,
		series("b2b_customers_new", "channel=unknown", "window=mtd"):  "2",
		series("b2b_customer_lifetime_value", "method=historic"):      none,
		series("b2b_repeat_purchase_ratio", "window=mtd"):             "1/2",
	})
	checkReasons(t, out, map[string]string{
		"b2b_revenue_net|mtd": "no_rate", "b2b_revenue_net|today": none, "b2b_average_order_value|1d": "no_rate",
		"b2b_profit_margin_ratio|mtd": "no_rate", "b2b_orders|mtd": none,
		// The yen order has no costs: there is nothing to divide.
		"b2b_profit_margin_ratio|1d": "zero_denominator",
	})
	// The order is kept: once there is a rate, everything is as it should be.
	c.rate("JPY", "2024-07-01", 16000)
	c.rate("USD", "2024-07-01", 100)
	out = c.compute("2024-07-10 12:00")
	check(t, out, map[string]string{
		net("unknown", "1d"): "5/8", net("unknown", "mtd"): "1605/8",
		series("b2b_gross_profit", "store=shop", "window=mtd"): "100",
	})
	checkReasons(t, out, map[string]string{"b2b_revenue_net|mtd": none})
}
