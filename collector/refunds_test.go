package collector_test

import (
	"testing"

	"github.com/b2bexporter/b2b_exporter/collector/internal/oracle"
	"github.com/b2bexporter/b2b_exporter/internal/record"
)

func net(channel, w string) string {
	return series("b2b_revenue_net", "store=shop", "channel="+channel, "window="+w)
}

func netIn(territory, w string) string {
	return series("b2b_revenue_net_by_territory", "store=shop", "territory="+territory, "window="+w)
}

// A refund counts on its own day, whichever day its order is of.
func TestRefundsCountOnTheirOwnDay(t *testing.T) {
	c := newCompany(t)
	paid := record.Touch{Medium: "cpc"}
	c.order("o1", "acme", "2024-06-30 09:00", record.Order{Gross: units(100), Discount: units(10), Touch: paid, Country: "DE"})
	c.refund("r1", "2024-07-09 09:00", record.Refund{Order: "o1", Amount: units(30)})
	// The vendor dates this one before its order.
	c.refund("r2", "2024-06-29 09:00", record.Refund{Order: "o1", Amount: units(5)})
	out := c.compute("2024-07-10 12:00")
	check(t, out, map[string]string{
		net("paid_search", "1d"):                                               "-30",
		net("paid_search", "7d"):                                               "-30",
		net("paid_search", "30d"):                                              "55", // 90 - 30 - 5
		net("paid_search", "mtd"):                                              "-30",
		netIn("DE", "1d"):                                                      "-30",
		series("b2b_revenue_refunds", "store=shop", "window=1d"):               "30",
		series("b2b_revenue_refunds", "store=shop", "window=30d"):              "35",
		series("b2b_average_order_value", "store=shop", "window=30d"):          "90",
		series("b2b_average_order_value", "store=shop", "window=1d"):           none,
		series("b2b_orders", "store=shop", "channel=paid_search", "window=1d"): "0",
		// Acme gave nothing and ordered nothing that day, so that nobody's share is a KPI.
		series("b2b_revenue_per_customer", "window=1d"): none,
	})
}

// A refund takes over its order's customer, country and currency as soon as the order
// is there, does not count where the order does not, and stands by itself otherwise.
func TestRefundsFollowTheirOrders(t *testing.T) {
	c := newCompany(t)
	refund := record.Refund{Order: "o1", Amount: units(30), Currency: "EUR", Country: "FR", Customer: record.RefTo("bolt")}
	c.order("b1", "bolt", "2024-07-01 09:00", record.Order{Gross: units(7), Country: "AT", Touch: record.Touch{Medium: "email"}})
	c.refund("r1", "2024-07-09 09:00", refund)
	alone := map[string]string{
		net("email", "1d"): "-30", net("paid_search", "1d"): none,
		netIn("FR", "1d"): "-30", netIn("DE", "1d"): none,
	}
	check(t, c.compute("2024-07-10 12:00"), alone)

	order := record.Order{Gross: units(100), Country: "DE", Touch: record.Touch{Medium: "cpc"}}
	c.order("o1", "acme", "2024-07-08 09:00", order)
	check(t, c.compute("2024-07-10 12:00"), map[string]string{
		net("email", "1d"): "0", net("paid_search", "1d"): "-30", net("paid_search", "7d"): "70",
		netIn("FR", "1d"): none, netIn("DE", "1d"): "-30",
	})

	order.State = record.StateCancelled
	c.order("o1", "acme", "2024-07-08 09:00", order)
	check(t, c.compute("2024-07-10 12:00"), map[string]string{
		net("email", "1d"): "0", net("paid_search", "1d"): none, netIn("FR", "1d"): none, netIn("DE", "1d"): none,
		series("b2b_revenue_refunds", "store=shop", "window=1d"): "0",
	})

	c.remove("shop", "o1", &record.Order{})
	check(t, c.compute("2024-07-10 12:00"), alone)

	c.remove("shop", "r1", &record.Refund{})
	check(t, c.compute("2024-07-10 12:00"), map[string]string{
		net("email", "1d"): "0", series("b2b_revenue_refunds", "store=shop", "window=1d"): "0",
	})
}

// Without an order and a customer a refund is a guest's, of the country it names.
func TestRefundsWithoutOrder(t *testing.T) {
	c := newCompany(t)
	c.refund("r1", "2024-07-09 09:00", record.Refund{Amount: units(30), Country: "DE"})
	c.refund("r2", "2024-07-09 09:00", record.Refund{Amount: units(3)})
	c.refund("r3", "2024-07-09 09:00", record.Refund{}) // its amount is not known
	out := c.compute("2024-07-10 12:00")
	check(t, out, map[string]string{
		net("unknown", "1d"): "-33", netIn("DE", "1d"): "-30", netIn("unknown", "1d"): "-3",
		series("b2b_revenue_refunds", "store=shop", "window=1d"):           "33",
		series("b2b_orders", "store=shop", "window=1d", "channel=unknown"): none,
		series("b2b_gross_profit", "store=shop", "window=1d"):              none,
		series("b2b_customers", "state=active"):                            "0",
	})
	// The headline is a sum: it may be below 0.
	checkReasons(t, out, map[string]string{"b2b_revenue_net|1d": none, "b2b_revenue_net|today": none})
}

// A sum over refunds of which none has an amount is not 0.
func TestRefundsWithoutAmount(t *testing.T) {
	c := newCompany(t)
	c.refund("r1", "2024-07-09 09:00", record.Refund{})
	out := c.compute("2024-07-10 12:00")
	check(t, out, map[string]string{
		net("unknown", "1d"): none, net("unknown", "today"): "0",
		series("b2b_revenue_refunds", "store=shop", "window=1d"): none,
	})
	checkReasons(t, out, map[string]string{"b2b_revenue_net|1d": "no_data", "b2b_revenue_net|today": none})
}

// A refund gives cost back only where the vendor says so.
func TestCostsOfRefunds(t *testing.T) {
	for _, test := range []struct {
		name           string
		order          record.Order
		refund         record.Refund
		profit, margin string
	}{
		{
			"the whole order has costs",
			record.Order{Gross: units(100), Cost: units(60)},
			record.Refund{Amount: units(20)},
			"20", "20/80",
		}, {
			"restocked",
			record.Order{Gross: units(100), Cost: units(60)},
			record.Refund{Amount: units(20), Cost: units(12)},
			"32", "32/80", // 40 - (20 - 12)
		}, {
			"part of the order has costs",
			record.Order{Gross: units(100), Cost: units(30), CostedNet: units(50)},
			record.Refund{Amount: units(20)},
			"20", "20/50",
		}, {
			"part of the refund has costs",
			record.Order{Gross: units(100), Cost: units(30), CostedNet: units(50)},
			record.Refund{Amount: units(20), Cost: units(5), CostedAmount: units(10)},
			"15", "15/40", // 20 - (10 - 5), of 50 - 10
		}, {
			"only the refund has costs",
			record.Order{Gross: units(100)},
			record.Refund{Amount: units(20), Cost: units(15)},
			"-5", "1/4", // -5 of -20
		}, {
			"sold below cost",
			record.Order{Gross: units(100), Discount: units(50), Cost: units(60)},
			record.Refund{},
			"-10", "-1/5",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := newCompany(t)
			test.refund.Order = "o1"
			c.order("o1", "acme", "2024-07-09 08:00", test.order)
			c.refund("r1", "2024-07-09 09:00", test.refund)
			check(t, c.compute("2024-07-10 00:00"), map[string]string{
				series("b2b_gross_profit", "store=shop", "window=1d"):        test.profit,
				series("b2b_profit_margin_ratio", "store=shop", "window=1d"): test.margin,
			})
		})
	}
}

// The refund of an order that counts from its payment does not count before that.
func TestRefundsOfUnpaidOrders(t *testing.T) {
	c := newCompany(t, func(s *oracle.Settings) { s.CountPaid = true })
	order := record.Order{Gross: units(100)}
	c.order("o1", "acme", "2024-07-08 08:00", order)
	c.refund("r1", "2024-07-09 09:00", record.Refund{Order: "o1", Amount: units(10)})
	check(t, c.compute("2024-07-10 00:00"), map[string]string{net("unknown", "1d"): none})
	order.PaidAt = c.at("2024-07-08 09:00")
	c.order("o1", "acme", "2024-07-08 08:00", order)
	check(t, c.compute("2024-07-10 00:00"), map[string]string{net("unknown", "1d"): "-10", net("unknown", "7d"): "90"})
}
