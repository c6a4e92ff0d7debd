package oracle

import (
	"testing"

	"github.com/b2bexporter/b2b_exporter/internal/record"
)

func TestMoneyOfAStore(t *testing.T) {
	f := newFixture(t)
	f.order("o1", "c1", "2024-05-01 10:00:00", record.Order{Gross: units(100), Discount: units(10), Cost: units(40), Country: "DE"})
	f.order("o2", "c2", "2024-05-02 10:00:00", record.Order{Gross: units(200), Country: "FR"})
	f.order("o3", "", "2024-05-02 11:00:00", record.Order{Country: "FR"})
	f.order("o4", "c1", "2024-05-03 10:00:00", record.Order{Gross: units(500), State: record.StateCancelled})
	f.order("o5", "", "2024-05-10 00:00:00", record.Order{Gross: units(7)}) // at as_of
	refund := func(id, order string, amount, cost record.Amount) {
		f.add("shop", id, &record.Refund{
			Order: order, Customer: record.RefTo("c2"), Country: "US", At: f.at("2024-05-04 10:00:00"), Amount: amount, Cost: cost, Currency: "EUR",
		})
	}
	refund("r1", "o1", units(30), units(5))               // all of it costed
	refund("r2", "o4", units(400), units(1))              // of an order that is not counted
	refund("r3", "gone", units(11), record.Amount{})      // its own customer and country
	refund("r4", "o2", record.Amount{}, record.Micros(1)) // without money

	r := f.compute("2024-05-10 00:00:00")
	f.check(r, map[string]string{
		`b2b_orders{channel="unknown",store="shop",window="30d"}`:                                      "3",
		`b2b_orders{channel="unknown",store="shop",window="7d"}`:                                       "0",
		`b2b_orders_by_territory{store="shop",territory="FR",window="30d"}`:                            "2",
		`b2b_revenue_gross{channel="unknown",currency="EUR",store="shop",window="30d"}`:                "300",
		`b2b_revenue_net{channel="unknown",currency="EUR",store="shop",window="30d"}`:                  "249",
		`b2b_revenue_net_by_territory{currency="EUR",store="shop",territory="DE",window="30d"}`:        "60",
		`b2b_revenue_net_by_territory{currency="EUR",store="shop",territory="US",window="30d"}`:        "-11",
		`b2b_revenue_discounts{currency="EUR",store="shop",window="30d"}`:                              "10",
		`b2b_revenue_refunds{currency="EUR",store="shop",window="30d"}`:                                "41",
		`b2b_gross_profit{currency="EUR",store="shop",window="30d"}`:                                   "25",
		`b2b_gross_profit{currency="EUR",store="shop",window="today"}`:                                 "0",
		`b2b_gross_profit{currency="EUR",store="shop",window="7d"}`:                                    "-25", // the refund alone
		`b2b_gross_profit_by_territory{currency="EUR",store="shop",territory="DE",window="30d"}`:       "25",
		`b2b_gross_profit_by_territory{currency="EUR",store="shop",territory="FR",window="30d"}`:       none,
		`b2b_profit_margin_ratio{store="shop",window="30d"}`:                                           "25/60",
		`b2b_average_order_value{currency="EUR",store="shop",window="30d"}`:                            "290/3",
		`b2b_revenue_per_customer{currency="EUR",window="30d"}`:                                        "249/2",
		`b2b_revenue_top_customer_ratio{window="30d"}`:                                                 "189/249",
		`b2b_kpi_undefined{kpi="b2b_checkout_abandonment_ratio",reason="source_missing",window="30d"}`: "1",
		`b2b_kpi_undefined{kpi="b2b_customer_lifetime_value",reason="immature",window=""}`:             "1",
	})
}

func TestPaidOrdersCountFromPayment(t *testing.T) {
	f := newFixture(t)
	f.settings.CountPaid = true
	f.order("o1", "", "2024-05-01 10:00:00", record.Order{Gross: units(100), PaidAt: f.at("2024-05-09 10:00:00")})
	f.order("o2", "", "2024-05-01 10:00:00", record.Order{Gross: units(50)})
	f.add("shop", "r1", &record.Refund{Order: "o2", At: f.at("2024-05-09 11:00:00"), Amount: units(50), Currency: "EUR"})
	f.check(f.compute("2024-05-10 00:00:00"), map[string]string{
		`b2b_orders{channel="unknown",store="shop",window="1d"}`:                     "1",
		`b2b_orders{channel="unknown",store="shop",window="30d"}`:                    "1",
		`b2b_revenue_net{channel="unknown",currency="EUR",store="shop",window="1d"}`: "100",
	})
}

func TestRates(t *testing.T) {
	f := newFixture(t)
	rate := func(source, reference, currency string, d record.Day, coefficient int64) {
		f.add(source, reference+currency+d.String(), &record.Rate{
			Day: d, Currency: currency, Reference: reference, PerReference: record.Decimal{Coefficient: coefficient, Scale: 1, Known: true},
		})
	}
	friday := date(2024, 5, 3)
	rate("ecb", "EUR", "USD", friday-10, 30)
	rate("ecb", "EUR", "USD", friday, 20)
	rate("ecb", "GBP", "CHF", friday, 40)
	rate("ecb", "GBP", "EUR", friday, 50)
	f.order("o1", "", "2024-05-05 10:00:00", record.Order{Gross: units(10), Currency: "USD"}) // Sunday: Friday's rate
	f.order("o2", "", "2024-05-05 10:00:00", record.Order{Gross: units(8), Currency: "CHF"})  // through GBP
	f.order("o3", "", "2024-05-02 23:59:59", record.Order{Gross: units(0), Currency: "CHF"})  // a day before the first rate
	r := f.compute("2024-05-06 00:00:00")
	f.check(r, map[string]string{
		`b2b_revenue_net{channel="unknown",currency="EUR",store="shop",window="1d"}`: "15",
		`b2b_revenue_net{channel="unknown",currency="EUR",store="shop",window="7d"}`: none,
		`b2b_orders{channel="unknown",store="shop",window="7d"}`:                     "3",
	})
	if got := r.Undefined["b2b_revenue_net|7d"]; got != noRate {
		t.Errorf("net revenue of 7d is undefined for %q, want %q", got, noRate)
	}
}

func TestLabelBound(t *testing.T) {
	f := newFixture(t)
	f.settings.LabelMax = 2
	for i, country := range []string{"AT", "AT", "DE", "FR", "US"} {
		f.order(numbered("o", i), "", "2024-05-09 10:00:00", record.Order{Gross: units(float64(10 - i)), Country: country})
	}
	f.order("early", "", "2024-05-06 10:00:00", record.Order{Gross: units(1), Country: "US"})
	f.check(f.compute("2024-05-10 00:00:00"), map[string]string{
		`b2b_orders_by_territory{store="shop",territory="AT",window="1d"}`:                        "2",
		`b2b_orders_by_territory{store="shop",territory="DE",window="1d"}`:                        "1", // a tie: byte order
		`b2b_orders_by_territory{store="shop",territory="other",window="1d"}`:                     "2",
		`b2b_orders_by_territory{store="shop",territory="US",window="1d"}`:                        none,
		`b2b_orders_by_territory{store="shop",territory="US",window="7d"}`:                        "2",
		`b2b_orders_by_territory{store="shop",territory="DE",window="7d"}`:                        none,
		`b2b_orders_by_territory{store="shop",territory="US",window="today"}`:                     "0", // does not fold
		`b2b_orders_by_territory{store="shop",territory="FR",window="today"}`:                     "0",
		`b2b_orders_by_territory{store="shop",territory="other",window="today"}`:                  none,
		`b2b_revenue_net_by_territory{currency="EUR",store="shop",territory="other",window="1d"}`: "13",
	})
}

func TestCheckoutsAndQuotes(t *testing.T) {
	f := newFixture(t)
	f.settings.Sources[0].Kinds = append(f.settings.Sources[0].Kinds, record.KindCheckout, record.KindQuote)
	f.order("o1", "", "2024-05-10 10:00:00", record.Order{Gross: units(1)})
	checkout := func(id, started, changed, completed string) {
		c := &record.Checkout{StartedAt: f.at(started)}
		if changed != "" {
			c.ChangedAt = f.at(changed)
		}
		if completed != "" {
			c.CompletedAt = f.at(completed)
		}
		f.add("shop", id, c)
	}
	checkout("abandoned", "2024-05-10 09:00:00", "", "")
	checkout("still on", "2024-05-10 09:00:00", "2024-05-10 11:00:01", "")
	checkout("just abandoned", "2024-05-10 09:00:00", "2024-05-10 11:00:00", "")
	checkout("completed", "2024-05-10 08:00:00", "", "2024-05-10 08:10:00")
	f.add("shop", "q1", &record.Quote{SentAt: f.at("2024-05-10 08:00:00"), DecidedAt: f.at("2024-05-10 09:00:00"), State: record.QuoteAccepted})
	f.add("shop", "q2", &record.Quote{SentAt: f.at("2024-05-10 08:00:00"), State: record.QuoteDraft})
	f.check(f.compute("2024-05-10 12:00:00"), map[string]string{
		`b2b_abandoned_checkouts{store="shop",window="today"}`:        "2",
		`b2b_checkout_abandonment_ratio{store="shop",window="today"}`: "2/3",
		`b2b_checkout_abandonment_ratio{store="shop",window="1d"}`:    none,
		`b2b_quotes{state="sent",store="shop",window="today"}`:        "1",
		`b2b_quotes{state="accepted",store="shop",window="today"}`:    "1",
		`b2b_quotes{state="expired",store="shop",window="today"}`:     "0",
	})
}

func TestChanges(t *testing.T) {
	f := newFixture(t)
	f.order("first", "", "2024-05-02 00:00:00", record.Order{})
	f.order("o1", "", "2024-05-08 10:00:00", record.Order{Gross: units(100)})
	f.order("o2", "", "2024-05-09 10:00:00", record.Order{Gross: units(150)})
	f.order("o3", "", "2024-05-09 11:00:00", record.Order{Gross: units(10)})
	f.check(f.compute("2024-05-10 00:00:00"), map[string]string{
		`b2b_kpi_change_ratio{kpi="b2b_orders",versus="previous",window="1d"}`:      "1",
		`b2b_kpi_change_ratio{kpi="b2b_revenue_net",versus="previous",window="1d"}`: "3/5",
		`b2b_kpi_change_ratio{kpi="b2b_orders",versus="previous",window="7d"}`:      none, // begins before the first record
		`b2b_kpi_change_ratio{kpi="b2b_orders",versus="year_ago",window="1d"}`:      none,
	})
}
