package oracle

import (
	"testing"

	"github.com/b2bexporter/b2b_exporter/internal/record"
)

// Worked example 13: 100 customers at the start, 10 leave.
func TestChurnOfWorkedExample(t *testing.T) {
	for _, test := range []struct {
		remaining bool
		churn     string
	}{{false, "1/10"}, {true, "1/9"}} {
		f := newFixture(t)
		f.settings.ChurnRemaining = test.remaining
		f.order("old", "gone", "2023-01-01 00:00:00", record.Order{Gross: units(1)})
		for i := range 100 {
			f.order(numbered("first", i), numbered("c", i), "2023-12-10 12:00:00", record.Order{Gross: units(10)})
			if i >= 10 {
				f.order(numbered("again", i), numbered("c", i), "2024-06-20 12:00:00", record.Order{Gross: units(10)})
			}
		}
		f.order("new", "new", "2024-06-20 12:00:00", record.Order{Gross: units(10)})
		f.order("back", "gone", "2024-06-21 12:00:00", record.Order{Gross: units(10)})
		f.check(f.compute("2024-07-01 00:00:00"), map[string]string{
			`b2b_customers_at_start{window="30d"}`:                   "100",
			`b2b_customers_lost{window="30d"}`:                       "10",
			`b2b_customers_reactivated{window="30d"}`:                "1",
			`b2b_customers_new{channel="unknown",window="30d"}`:      "1",
			`b2b_customers_new{channel="unknown",window="365d"}`:     "101",
			`b2b_customer_churn_ratio{window="30d"}`:                 test.churn,
			`b2b_customer_churn_ratio{window="365d"}`:                none,
			`b2b_customer_retention_ratio{window="30d"}`:             "9/10",
			`b2b_returning_customer_ratio{window="30d"}`:             "91/92",
			`b2b_repeat_purchase_ratio{window="365d"}`:               "90/102",
			`b2b_customers{state="active"}`:                          "92",
			`b2b_customers{state="churned"}`:                         "10",
			`b2b_cohort_retention_ratio{cohort="2023-12",month="0"}`: "1",
			`b2b_cohort_retention_ratio{cohort="2023-12",month="6"}`: "9/10",
			`b2b_cohort_retention_ratio{cohort="2023-12",month="7"}`: "0",
			`b2b_cohort_retention_ratio{cohort="2023-12",month="8"}`: none,
		})
	}
}

func TestUnreadHistoryIsImmature(t *testing.T) {
	f := newFixture(t)
	f.settings.Sources[0].Read = false
	f.order("o1", "c1", "2023-01-01 00:00:00", record.Order{Gross: units(1)})
	f.order("o2", "c1", "2024-06-30 00:00:00", record.Order{Gross: units(1)})
	r := f.compute("2024-07-01 00:00:00")
	f.check(r, map[string]string{
		`b2b_customers_new{channel="unknown",window="1d"}`:              none,
		`b2b_returning_customer_ratio{window="1d"}`:                     none,
		`b2b_repeat_purchase_ratio{window="1d"}`:                        "0",
		`b2b_customer_lifetime_value{currency="EUR",method="historic"}`: none,
		`b2b_customers_at_start{window="1d"}`:                           "0",
	})
	for _, key := range []string{"b2b_customers_new|1d", "b2b_customer_churn_ratio|1d", "b2b_returning_customer_ratio|1d", "b2b_customer_lifetime_value|"} {
		if r.Undefined[key] != immature {
			t.Errorf("%s is undefined for %q, want %q", key, r.Undefined[key], immature)
		}
	}
}

func TestAtRiskAndIntervals(t *testing.T) {
	f := newFixture(t)
	// Every 10 days, then 15 days and nothing: at risk only after more than 15 days.
	for i, placed := range []string{"2024-05-01 00:00:00", "2024-05-11 00:00:00", "2024-05-21 00:00:00"} {
		f.order(numbered("a", i), "c1", placed, record.Order{Gross: units(100)})
	}
	f.order("b1", "c2", "2024-05-01 00:00:00", record.Order{Gross: units(5)})
	f.order("b2", "c2", "2024-05-03 00:00:00", record.Order{Gross: units(5)})
	f.add("shop", "r1", &record.Refund{Order: "a1", At: f.at("2024-05-22 00:00:00"), Amount: units(30), Currency: "EUR"})
	f.check(f.compute("2024-06-05 00:00:00"), map[string]string{
		`b2b_customers_at_risk`:                         "0",
		`b2b_customers_at_risk_revenue{currency="EUR"}`: "0",
		`b2b_order_interval_seconds{q="0.5"}`:           "864000", // of 2, 10, 10 days
		`b2b_order_interval_seconds{q="0.8"}`:           "864000",
	})
	f.check(f.compute("2024-06-05 00:00:01"), map[string]string{
		`b2b_customers_at_risk`:                         "1",
		`b2b_customers_at_risk_revenue{currency="EUR"}`: "270",
	})
}

func TestLifetimeValues(t *testing.T) {
	f := newFixture(t)
	f.settings.LifetimeMinimum = 3
	f.settings.InactiveDays = 90
	f.order("old", "gone", "2023-01-01 00:00:00", record.Order{Gross: units(40)})
	for i := range 3 {
		customer := numbered("c", i)
		f.order("first"+customer, customer, "2023-11-20 00:00:00", record.Order{Gross: units(100), Cost: units(60)})
		f.order("spring"+customer, customer, "2024-02-10 00:00:00", record.Order{Gross: units(100), Cost: units(60)})
		f.order("summer"+customer, customer, "2024-05-05 00:00:00", record.Order{Gross: units(100), Cost: units(60)})
	}
	f.order("first of d", "d", "2023-12-01 00:00:00", record.Order{Gross: units(10)})
	f.add("shop", "r", &record.Refund{Order: "summerc0", At: f.at("2024-06-02 00:00:00"), Amount: units(60), Currency: "EUR"})
	// The six 30-day windows that end on 1 July start on 3 January, 2 February, 3 March,
	// 2 April, 2 May and 1 June. c0, c1 and c2 are active at all of these, d at the first
	// two and lost in the second: 1 of 20. In 90d c0 to c2 earn 40 each, less the refund of 60.
	f.check(f.compute("2024-07-01 00:00:00"), map[string]string{
		`b2b_customer_lifetime_value{currency="EUR",method="historic"}`:                               "350/5", // 3 x 120 - 60 + 40 + 10
		`b2b_customer_lifetime_value{currency="EUR",method="predicted"}`:                              "400/3", // (60 / 3 / 3) / (1 / 20)
		`b2b_customer_lifetime_value_by_channel{channel="unknown",currency="EUR",method="predicted"}`: "400/3",
	})

	f.settings.LifetimeMinimum = 4
	if got := f.compute("2024-07-01 00:00:00").Undefined["b2b_customer_lifetime_value|"]; got != tooFew {
		t.Errorf("below the minimum lifetime value is undefined for %q, want %q", got, tooFew)
	}
}

func TestSubscriptions(t *testing.T) {
	f := newFixture(t)
	f.add("shop", "s1", &record.Subscription{
		Customer: record.RefTo("c1"), StartedAt: f.at("2023-01-01 00:00:00"), State: record.SubscriptionActive,
		History: []record.MRRChange{{At: f.at("2024-06-10 00:00:00"), MRR: units(10)}, {At: f.at("2024-06-30 00:00:00"), MRR: units(0)}},
	})
	f.add("shop", "s2", &record.Subscription{Customer: record.RefTo("c2"), StartedAt: f.at("2024-06-30 12:00:00"), State: record.SubscriptionTrialing})
	f.add("shop", "s3", &record.Subscription{
		Customer: record.RefTo("c3"), StartedAt: f.at("2023-01-01 12:00:00"), EndedAt: f.at("2024-07-01 00:00:00"), State: record.SubscriptionEnded,
	})
	f.check(f.compute("2024-07-01 00:00:00"), map[string]string{
		`b2b_customers_new{channel="unknown",window="30d"}`: "1",
		`b2b_customers_at_start{window="1d"}`:               "2",
		`b2b_customers_lost{window="1d"}`:                   "1",
		`b2b_customers{state="active"}`:                     "1", // still live at the very instant of its end
		`b2b_customers{state="churned"}`:                    "1",
		`b2b_customers{state="prospect"}`:                   "1",
		`b2b_returning_customer_ratio{window="30d"}`:        none,
	})
}

func TestDealsCountAsOrders(t *testing.T) {
	deals := func(basis string) Result {
		f := newFixture(t)
		f.settings.Basis = basis
		f.order("o1", "c1", "2024-06-30 10:00:00", record.Order{Gross: units(100)})
		closed := f.at("2024-06-30 12:00:00")
		f.add("crm", "d1", &record.Deal{State: record.DealWon, ClosedAt: closed, Amount: units(100), Currency: "EUR", Order: "shop:o1"})
		f.add("crm", "l1", &record.Lead{CreatedAt: f.at("2024-06-01 00:00:00"), Touch: record.Touch{Channel: "partner"}})
		f.add("crm", "d2", &record.Deal{State: record.DealWon, ClosedAt: closed, Amount: units(50), Currency: "EUR", Lead: "l1"})
		f.add("crm", "d3", &record.Deal{State: record.DealWon, ClosedAt: closed, Currency: "EUR", Account: record.RefTo("a1")})
		f.add("crm", "d4", &record.Deal{State: record.DealLost, ClosedAt: closed, Currency: "EUR", Account: record.RefTo("a2")})
		return f.compute("2024-07-01 00:00:00")
	}
	f := newFixture(t)
	f.check(deals(BasisOrders), map[string]string{
		`b2b_revenue_per_customer{currency="EUR",window="1d"}`: "100",
		`b2b_customers{state="active"}`:                        "1",
		`b2b_customers{state="prospect"}`:                      "2",
	})
	f.check(deals(BasisDeals), map[string]string{
		`b2b_revenue_per_customer{currency="EUR",window="1d"}`: "25",
		`b2b_customers_new{channel="partner",window="1d"}`:     "1",
		`b2b_customers{state="active"}`:                        "2",
		`b2b_customers{state="prospect"}`:                      "2",
	})
	f.check(deals(BasisBoth), map[string]string{
		`b2b_revenue_per_customer{currency="EUR",window="1d"}`: "50",
		`b2b_customers{state="active"}`:                        "3",
	})
}

func TestChannelOfACustomer(t *testing.T) {
	const first, last = false, true
	for _, test := range []struct {
		name      string
		lastTouch bool
		leads     []string // when created
		order     string   // the channel of the first order
		want      string
	}{
		{"no lead, first touch", first, nil, "email", "email"},
		{"earliest lead", first, []string{"2024-06-05 00:00:00", "2024-06-02 00:00:00"}, "email", "channel1"},
		{"a lead after as_of does not count", first, []string{"2024-08-01 00:00:00"}, "email", "email"},
		{"a lead after the order does", first, []string{"2024-06-25 00:00:00"}, "email", "channel0"},
		{"last touch: the order", last, []string{"2024-06-05 00:00:00"}, "email", "email"},
		{"last touch: the latest lead before the order", last, []string{"2024-06-02 00:00:00", "2024-06-05 00:00:00", "2024-06-25 00:00:00"}, "", "channel1"},
		{"last touch: nothing", last, nil, "", "unknown"},
	} {
		t.Run(test.name, func(t *testing.T) {
			f := newFixture(t)
			f.settings.LastTouch = test.lastTouch
			names := []string{"partner", "webinar", "event"}
			for i, created := range test.leads {
				f.add("crm", numbered("l", i), &record.Lead{
					Keys: record.Keys{ExternalIDs: []string{"shop:c1"}}, CreatedAt: f.at(created), Touch: record.Touch{Channel: names[i]},
				})
			}
			f.order("o1", "c1", "2024-06-20 00:00:00", record.Order{Gross: units(1), Touch: record.Touch{Channel: test.order}})
			want := test.want
			for i, name := range names {
				if want == numbered("channel", i) {
					want = name
				}
			}
			f.check(f.compute("2024-07-01 00:00:00"), map[string]string{
				Key("b2b_customers_new", map[string]string{"window": "30d", "channel": want}):           "1",
				Key("b2b_orders", map[string]string{"window": "30d", "store": "shop", "channel": want}): "1",
			})
		})
	}
}
