package collector_test

import (
	"maps"
	"testing"

	"github.com/b2bexporter/b2b_exporter/collector/internal/oracle"
	"github.com/b2bexporter/b2b_exporter/internal/record"
)

// sold is a shop whose sales are easy to add up.
func sold(t *testing.T) *company {
	c := newCompany(t)
	ads := record.Touch{Source: "google", Medium: "cpc"}
	c.order("o1", "acme", "2024-07-10 09:00", record.Order{Gross: units(100), Discount: units(10), Cost: units(50), Country: "DE", Touch: ads})
	c.order("o2", "acme", "2024-07-10 10:00", record.Order{Gross: units(50), Country: "FR", Touch: record.Touch{Medium: "email"}})
	c.order("o3", "", "2024-07-09 08:00", record.Order{Gross: units(200), Cost: units(120)})
	c.order("o4", "bolt", "2024-06-20 08:00", record.Order{
		Gross: units(400), Discount: units(40), Cost: units(200), CostedNet: units(300), Country: "DE", Touch: ads,
	})
	c.refund("r1", "2024-07-10 11:00", record.Refund{Order: "o1", Amount: units(20)})
	// None of these counts.
	c.order("draft", "acme", "2024-07-10 09:30", record.Order{Gross: units(1), State: record.StateDraft})
	c.order("test", "acme", "2024-07-10 09:30", record.Order{Gross: units(1), State: record.StateTest})
	c.order("cancelled", "acme", "2024-07-10 09:30", record.Order{Gross: units(1), State: record.StateCancelled})
	c.order("at as_of", "acme", "2024-07-10 12:00", record.Order{Gross: units(1)})
	return c
}

func TestSales(t *testing.T) {
	out := sold(t).compute("2024-07-10 12:00")
	shop := []string{"store=shop"}
	for _, test := range []struct {
		window string
		want   map[string]string
	}{
		{"today", map[string]string{ // o1, o2 and r1
			"b2b_revenue_discounts":   "10",
			"b2b_revenue_refunds":     "20",
			"b2b_gross_profit":        "20",    // (90 - 50) - 20: the refund gives no cost back
			"b2b_profit_margin_ratio": "20/70", // of 90 - 20
			"b2b_average_order_value": "70",    // (90 + 50) / 2
		}},
		{"1d", map[string]string{ // o3
			"b2b_revenue_discounts":   none, // no order says whether it had one
			"b2b_revenue_refunds":     "0",
			"b2b_gross_profit":        "80",
			"b2b_profit_margin_ratio": "0.4",
			"b2b_average_order_value": "200",
		}},
		{"30d", map[string]string{ // o3 and o4
			"b2b_revenue_discounts":   "40",
			"b2b_revenue_refunds":     "0",
			"b2b_gross_profit":        "180",     // 80 + 300 - 200
			"b2b_profit_margin_ratio": "180/500", // of 200 + 300
			"b2b_average_order_value": "280",     // (200 + 360) / 2
		}},
		{"mtd", map[string]string{ // o1, o2, o3 and r1
			"b2b_revenue_discounts":   "10",
			"b2b_revenue_refunds":     "20",
			"b2b_gross_profit":        "100",
			"b2b_profit_margin_ratio": "100/270",
			"b2b_average_order_value": "340/3",
		}},
		{"ytd", map[string]string{ // everything
			"b2b_revenue_discounts":   "50",
			"b2b_gross_profit":        "200",
			"b2b_average_order_value": "175",
		}},
	} {
		check(t, out, in(test.want, append(shop, "window="+test.window)...))
	}
	// A customer's channel is that of its first order, whatever later orders say.
	for _, test := range []struct {
		metric, window, paid, guests string
	}{
		{"b2b_orders", "today", "2", "0"},
		{"b2b_orders", "1d", "0", "1"},
		{"b2b_orders", "30d", "1", "1"},
		{"b2b_revenue_gross", "today", "150", "0"},
		{"b2b_revenue_gross", "30d", "400", "200"},
		{"b2b_revenue_net", "today", "120", "0"}, // 90 + 50 - 20
		{"b2b_revenue_net", "1d", "0", "200"},
		{"b2b_revenue_net", "30d", "360", "200"},
		{"b2b_revenue_net", "ytd", "480", "200"},
	} {
		check(t, out, map[string]string{
			series(test.metric, "store=shop", "channel=paid_search", "window="+test.window): test.paid,
			series(test.metric, "store=shop", "channel=unknown", "window="+test.window):     test.guests,
			series(test.metric, "store=shop", "channel=email", "window="+test.window):       none,
		})
	}
}

func TestSalesByTerritory(t *testing.T) {
	out := sold(t).compute("2024-07-10 12:00")
	for _, test := range []struct {
		metric, window, de, fr, unknown string
	}{
		{"b2b_orders_by_territory", "today", "1", "1", "0"},
		{"b2b_orders_by_territory", "30d", "1", "0", "1"},
		{"b2b_revenue_net_by_territory", "today", "70", "50", "0"},
		{"b2b_revenue_net_by_territory", "ytd", "430", "50", "200"},
		{"b2b_gross_profit_by_territory", "today", "20", none, "0"}, // nothing sold to FR has costs
		{"b2b_gross_profit_by_territory", "30d", "100", none, "80"},
	} {
		check(t, out, map[string]string{
			series(test.metric, "store=shop", "territory=DE", "window="+test.window):      test.de,
			series(test.metric, "store=shop", "territory=FR", "window="+test.window):      test.fr,
			series(test.metric, "store=shop", "territory=unknown", "window="+test.window): test.unknown,
		})
	}
}

func TestTerritoriesAreMapped(t *testing.T) {
	c := newCompany(t, func(s *oracle.Settings) { s.Territories = map[string]string{"DE": "DACH", "AT": "DACH", "": "nowhere"} })
	for i, country := range []string{"DE", "AT", "AT", "FR", ""} {
		c.order(numbered("o", i), "", "2024-07-10 09:00", record.Order{Gross: units(10), Country: country})
	}
	check(t, c.compute("2024-07-10 12:00"), map[string]string{
		series("b2b_orders_by_territory", "store=shop", "window=today", "territory=DACH"):    "3",
		series("b2b_orders_by_territory", "store=shop", "window=today", "territory=FR"):      "1",
		series("b2b_orders_by_territory", "store=shop", "window=today", "territory=unknown"): "1",
		series("b2b_orders_by_territory", "store=shop", "window=today", "territory=nowhere"): none,
	})
}

// Guests count in what the shop sold and in nothing that counts customers.
func TestCustomersRevenue(t *testing.T) {
	c := newCompany(t)
	c.order("o1", "acme", "2024-07-09 09:00", record.Order{Gross: units(100)})
	c.order("o2", "acme", "2024-07-09 10:00", record.Order{Gross: units(100)})
	c.order("o3", "bolt", "2024-07-09 11:00", record.Order{Gross: units(100)})
	c.order("o4", "", "2024-07-09 12:00", record.Order{Gross: units(5000)})
	c.refund("r1", "2024-07-09 13:00", record.Refund{Order: "o3", Amount: units(60)})
	c.refund("r2", "2024-07-09 13:00", record.Refund{Order: "o4", Amount: units(1000)})
	check(t, c.compute("2024-07-10 00:00"), map[string]string{
		series("b2b_orders", "store=shop", "window=1d", "channel=unknown"):      "4",
		series("b2b_revenue_net", "store=shop", "window=1d", "channel=unknown"): "4240", // 300 + 5000 - 60 - 1000
		series("b2b_revenue_per_customer", "window=1d"):                         "120",  // (200 + 40) / 2
		series("b2b_revenue_top_customer_ratio", "window=1d"):                   "200/240",
		series("b2b_customers_new", "window=1d", "channel=unknown"):             "2",
		series("b2b_customers", "state=active"):                                 "2",
		// Nobody ordered today.
		series("b2b_revenue_per_customer", "window=today"):                    none,
		series("b2b_revenue_top_customer_ratio", "window=today"):              none,
		series("b2b_average_order_value", "store=shop", "window=today"):       none,
		series("b2b_orders", "store=shop", "window=today", "channel=unknown"): "0",
		series("b2b_revenue_discounts", "store=shop", "window=today"):         "0",
	})
}

// The largest customer may bring more than all together, where others gave back.
func TestTopCustomerRatioIsFree(t *testing.T) {
	c := newCompany(t)
	c.order("o1", "acme", "2024-07-09 09:00", record.Order{Gross: units(300)})
	c.order("o2", "bolt", "2024-01-09 09:00", record.Order{Gross: units(300)})
	c.refund("r1", "2024-07-09 13:00", record.Refund{Order: "o2", Amount: units(100)})
	check(t, c.compute("2024-07-10 00:00"), map[string]string{
		series("b2b_revenue_top_customer_ratio", "window=1d"): "1.5", // 300 / (300 - 100)
		series("b2b_revenue_per_customer", "window=1d"):       "200", // only acme ordered
	})
}

func TestCheckouts(t *testing.T) {
	c := newCompany(t)
	c.order("o1", "acme", "2024-07-10 09:00", record.Order{Gross: units(1)})
	c.add("shop", "c1", &record.Checkout{StartedAt: c.at("2024-07-10 10:00")})
	c.add("shop", "c2", &record.Checkout{StartedAt: c.at("2024-07-10 10:00"), ChangedAt: c.at("2024-07-10 10:30")})
	c.add("shop", "c3", &record.Checkout{StartedAt: c.at("2024-07-09 23:30")})
	c.add("shop", "c4", &record.Checkout{StartedAt: c.at("2024-07-10 08:00"), CompletedAt: c.at("2024-07-10 09:00")})
	abandoned := func(w string) string { return series("b2b_abandoned_checkouts", "store=shop", "window="+w) }
	ratio := func(w string) string { return series("b2b_checkout_abandonment_ratio", "store=shop", "window="+w) }
	// Abandoned once an hour has passed since the last change, to the instant.
	check(t, c.compute("2024-07-10 10:59:59.999999"), map[string]string{abandoned("today"): "0", ratio("today"): "0"})
	check(t, c.compute("2024-07-10 11:00"), map[string]string{abandoned("today"): "1", ratio("today"): "1/2"})
	check(t, c.compute("2024-07-10 11:29:59.999999"), map[string]string{abandoned("today"): "1"})
	check(t, c.compute("2024-07-10 11:30"), map[string]string{
		abandoned("today"): "2", ratio("today"): "2/3",
		abandoned("1d"): "1", ratio("1d"): "1", // no order at all that day
		abandoned("mtd"): "3", ratio("mtd"): "3/4",
		abandoned("30d"): "1",
	})
	// A checkout of yesterday counts yesterday, once its hour has passed today.
	check(t, c.compute("2024-07-10 00:29:59.999999"), map[string]string{abandoned("1d"): "0", ratio("1d"): none})
	check(t, c.compute("2024-07-10 00:30"), map[string]string{abandoned("1d"): "1", ratio("1d"): "1"})
	// What is completed after all was never abandoned.
	c.add("shop", "c1", &record.Checkout{StartedAt: c.at("2024-07-10 10:00"), CompletedAt: c.at("2024-07-10 14:00")})
	check(t, c.compute("2024-07-10 11:30"), map[string]string{abandoned("today"): "1", ratio("today"): "1/2"})
}

func TestQuotes(t *testing.T) {
	c := newCompany(t)
	for id, q := range map[string]*record.Quote{
		"draft":    {State: record.QuoteDraft},
		"sent":     {State: record.QuoteSent, SentAt: c.at("2024-07-09 10:00")},
		"accepted": {State: record.QuoteAccepted, SentAt: c.at("2024-07-08 10:00"), DecidedAt: c.at("2024-07-09 00:00")},
		"declined": {State: record.QuoteDeclined, SentAt: c.at("2024-07-09 10:00"), DecidedAt: c.at("2024-07-09 11:00")},
		"expired":  {State: record.QuoteExpired, SentAt: c.at("2024-06-09 10:00"), DecidedAt: c.at("2024-07-10 00:00")},
	} {
		c.add("shop", id, q)
	}
	out := c.compute("2024-07-10 12:00")
	for w, want := range map[string][4]string{ // sent, accepted, declined, expired
		"today": {"0", "0", "0", "1"},
		"1d":    {"2", "1", "1", "0"},
		"7d":    {"3", "1", "1", "0"},
		"ytd":   {"4", "1", "1", "1"},
	} {
		for i, state := range []string{"sent", "accepted", "declined", "expired"} {
			check(t, out, map[string]string{series("b2b_quotes", "store=shop", "window="+w, "state="+state): want[i]})
		}
		check(t, out, map[string]string{series("b2b_quotes", "store=shop", "window="+w, "state=draft"): none})
	}
}

// A day is one of the report zone: 23 hours long where clocks go forward.
func TestDaysOfTheZone(t *testing.T) {
	c := newCompany(t, inZone("Europe/Berlin"))
	for i, placed := range []string{
		"2024-03-30T22:59:59.999999Z", "2024-03-30T23:00:00Z", "2024-03-31T21:59:59.999999Z", "2024-03-31T22:00:00Z",
	} {
		c.order(numbered("o", i), "", placed, record.Order{Gross: units(1)})
	}
	// A date without a time is the first instant of that day in the zone.
	c.add("shop", "date", &record.Order{PlacedAt: record.OnDate(record.DayOf(c.moment("2024-04-01"))), Currency: "EUR", Gross: units(1)})
	want := map[string]string{}
	for w, n := range map[string]string{"today": "2", "1d": "2", "7d": "3", "mtd": "2", "qtd": "2", "ytd": "5"} {
		maps.Copy(want, in(map[string]string{"b2b_orders": n}, "store=shop", "channel=unknown", "window="+w))
	}
	check(t, c.compute("2024-04-01 00:00:00.000001"), want)
}

// With orders.count paid, orders count from their payment.
func TestPaidOrders(t *testing.T) {
	c := newCompany(t, func(s *oracle.Settings) { s.CountPaid = true })
	c.order("o1", "acme", "2024-06-01 09:00", record.Order{Gross: units(10), PaidAt: c.at("2024-07-09 09:00")})
	c.order("o2", "bolt", "2024-07-09 09:00", record.Order{Gross: units(10)})
	check(t, c.compute("2024-07-10 00:00"), map[string]string{
		series("b2b_orders", "store=shop", "channel=unknown", "window=1d"):  "1",
		series("b2b_orders", "store=shop", "channel=unknown", "window=ytd"): "1",
		series("b2b_customers", "state=active"):                             "1",
		series("b2b_customers", "state=prospect"):                           "1",
	})
}
