package collector_test

import (
	"testing"

	"github.com/b2bexporter/b2b_exporter/collector/internal/oracle"
	"github.com/b2bexporter/b2b_exporter/internal/record"
)

// Customers of two shops that share a domain are one, until they no longer share it.
func TestMergedCustomers(t *testing.T) {
	c := newCompany(t, withShops("outlet"))
	c.add("shop", "7", &record.Customer{CreatedAt: c.at("2024-01-01 00:00"), Keys: record.Keys{Email: "jane@acme.example.com"}})
	c.add("outlet", "x", &record.Customer{CreatedAt: c.at("2024-02-01 00:00"), Keys: record.Keys{Domain: "www.example.com"}})
	c.order("o1", "7", "2024-06-01 12:00", record.Order{Gross: units(100)})
	c.orderOf("outlet", "o1", "x", "2024-07-09 12:00", record.Order{Gross: units(50)})
	c.order("o2", "other", "2024-07-09 12:00", record.Order{Gross: units(150)})
	one := map[string]string{
		series("b2b_customers", "state=active"):                              "2",
		series("b2b_customers_new", "channel=unknown", "window=1d"):          "1",
		series("b2b_returning_customer_ratio", "window=1d"):                  "1/2",
		series("b2b_repeat_purchase_ratio", "window=ytd"):                    "1/2",
		series("b2b_revenue_per_customer", "window=ytd"):                     "150",
		series("b2b_revenue_top_customer_ratio", "window=ytd"):               "1/2",
		series("b2b_customer_lifetime_value", "method=historic"):             "150",
		series("b2b_order_interval_seconds", "q=0.5"):                        "3283200", // 38 days
		series("b2b_orders", "store=outlet", "channel=unknown", "window=1d"): "1",
	}
	check(t, c.compute("2024-07-10 00:00"), one)

	c.add("outlet", "x", &record.Customer{CreatedAt: c.at("2024-02-01 00:00"), Keys: record.Keys{Domain: "bolt.example.net"}})
	check(t, c.compute("2024-07-10 00:00"), map[string]string{
		series("b2b_customers", "state=active"):                     "3",
		series("b2b_customers_new", "channel=unknown", "window=1d"): "2",
		series("b2b_returning_customer_ratio", "window=1d"):         "0",
		series("b2b_repeat_purchase_ratio", "window=ytd"):           "0",
		series("b2b_revenue_per_customer", "window=ytd"):            "100",
		series("b2b_order_interval_seconds", "q=0.5"):               none,
	})

	// An e-mail address of the first's joins them again; the CRM's account is a third of them.
	c.add("outlet", "x", &record.Customer{CreatedAt: c.at("2024-02-01 00:00"), Keys: record.Keys{Email: " Jane@ACME.example.com"}})
	c.add("crm", "acme", &record.Account{Target: true, CreatedAt: c.at("2023-01-01 00:00"), Keys: record.Keys{ExternalIDs: []string{"shop:7"}}})
	check(t, c.compute("2024-07-10 00:00"), one)
	check(t, c.compute("2024-07-10 00:00"), map[string]string{series("b2b_customers", "state=prospect"): "0"})
}

// Who writes from a free-mail address shares it with nobody but himself.
func TestFreeMailDoesNotMerge(t *testing.T) {
	c := newCompany(t)
	for id, email := range map[string]string{"1": "jane@gmail.com", "2": "joe@gmail.com", "3": "jane@GMAIL.com"} {
		c.add("shop", id, &record.Customer{Keys: record.Keys{Email: email}})
		c.order("o"+id, id, "2024-07-09 12:00", record.Order{})
	}
	check(t, c.compute("2024-07-10 00:00"), map[string]string{series("b2b_customers", "state=active"): "2"})
}

// First touch: the channel of the earliest lead, else that of the first order.
func TestChannelOfTheFirstTouch(t *testing.T) {
	for _, test := range []struct {
		name           string
		last           bool
		leads          map[string]string // channel by date
		first, between string            // channels of two orders
		want           string
	}{
		{"the lead's", false, map[string]string{"2024-06-01": "event"}, "email", "sms", "event"},
		{"the earliest lead's", false, map[string]string{"2024-06-01": "event", "2024-05-01": "webinar"}, "email", "sms", "webinar"},
		{"the lead's, though it came later", false, map[string]string{"2024-07-08": "event"}, "email", "sms", "event"},
		{"without a lead, the first order's", false, nil, "email", "sms", "email"},
		{"of two leads at once the first by name", false, map[string]string{"2024-06-01 ": "webinar", "2024-06-01": "event"}, "", "", "event"},
		{"a lead not yet known", false, map[string]string{"2024-07-10": "event"}, "email", "", "email"},
		{"none", false, nil, "", "sms", "unknown"},
		{"last: the first order's", true, map[string]string{"2024-06-01": "event"}, "email", "sms", "email"},
		{"last: the latest lead's before it", true, map[string]string{"2024-06-01": "event", "2024-06-20": "webinar", "2024-07-08": "sms"}, "", "sms", "webinar"},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := newCompany(t, func(s *oracle.Settings) { s.LastTouch = test.last })
			c.add("shop", "7", &record.Customer{Keys: record.Keys{Email: "jane@example.com"}})
			for day, channel := range test.leads {
				c.add("crm", "lead "+day+channel, &record.Lead{
					CreatedAt: c.at(day[:10]), Keys: record.Keys{Email: "jane@example.com"}, Touch: record.Touch{Channel: channel},
				})
			}
			c.order("o1", "7", "2024-07-01 12:00", record.Order{Gross: units(5), Touch: record.Touch{Channel: test.first}})
			c.order("o2", "7", "2024-07-09 12:00", record.Order{Gross: units(5), Touch: record.Touch{Channel: test.between}})
			check(t, c.compute("2024-07-10 00:00"), map[string]string{
				series("b2b_orders", "store=shop", "window=1d", "channel="+test.want):       "1",
				series("b2b_revenue_net", "store=shop", "window=30d", "channel="+test.want): "10",
				series("b2b_customers_new", "window=30d", "channel="+test.want):             "1",
			})
		})
	}
}

// With basis deals, won deals are what customers are counted by; what the shop sold stays.
func TestDealsAsOrders(t *testing.T) {
	for _, test := range []struct {
		basis             string
		customers, repeat string
		perCustomer, top  string
	}{
		{oracle.BasisOrders, "1", "1", "100", "1"},
		{oracle.BasisDeals, "1", "1", "650", "1"},        // 300 + 350
		{oracle.BasisBoth, "2", "1/2", "225", "350/450"}, // 100 and 350: the other deal is the order
	} {
		t.Run(test.basis, func(t *testing.T) {
			c := newCompany(t, func(s *oracle.Settings) { s.Basis = test.basis })
			c.order("o1", "acme", "2024-07-09 12:00", record.Order{Gross: units(100)})
			c.order("o2", "acme", "2024-07-09 13:00", record.Order{})
			for id, d := range map[string]*record.Deal{
				"ordered": {Order: "shop:o1", State: record.DealWon, ClosedAt: c.at("2024-07-09 08:00"), Amount: units(300)},
				"own":     {State: record.DealWon, ClosedAt: c.at("2024-07-09 08:00"), Amount: units(350)},
				"lost":    {State: record.DealLost, ClosedAt: c.at("2024-07-09 08:00"), Amount: units(7)},
				"open":    {State: record.DealOpen, CreatedAt: c.at("2024-07-09 08:00"), Amount: units(7)},
			} {
				d.Account, d.Currency = record.RefTo("bolt"), "EUR"
				c.add("crm", id, d)
			}
			check(t, c.compute("2024-07-10 00:00"), map[string]string{
				series("b2b_customers", "state=active"):               test.customers,
				series("b2b_repeat_purchase_ratio", "window=1d"):      test.repeat,
				series("b2b_revenue_per_customer", "window=1d"):       test.perCustomer,
				series("b2b_revenue_top_customer_ratio", "window=1d"): test.top,
				net("unknown", "1d"):                                  "100",
			})
		})
	}
}
