package collector_test

import (
	"math/big"
	"testing"

	"github.com/b2bexporter/b2b_exporter/collector/internal/oracle"
	"github.com/b2bexporter/b2b_exporter/internal/record"
)

// subscription puts a subscription of the shop, in EUR where it names no currency; its history
// is given as moments and amounts, from the first of which on it has started.
func (c *company) subscription(id, customer string, s record.Subscription, history ...any) {
	c.Helper()
	s.Customer = record.RefTo(customer)
	if s.Currency == "" {
		s.Currency = "EUR"
	}
	if s.State == "" {
		s.State = record.SubscriptionActive
	}
	for i := 0; i < len(history); i += 2 {
		s.History = append(s.History, record.MRRChange{At: c.at(history[i].(string)), MRR: units(int64(history[i+1].(int)))})
	}
	if len(s.History) > 0 && s.StartedAt.IsNull() {
		s.StartedAt = s.History[0].At
	}
	c.add("shop", id, &s)
}

// movement is the series of a movement in a window.
func movement(window, kind string) string {
	return series("b2b_mrr_movement", "window="+window, "movement="+kind)
}

// moves returns movements of a window, those not given being 0.
func moves(window string, given map[string]string) map[string]string {
	want := map[string]string{}
	for _, kind := range []string{"new", "expansion", "contraction", "churn", "reactivation", "fx"} {
		want[movement(window, kind)] = "0"
		if v, ok := given[kind]; ok {
			want[movement(window, kind)] = v
		}
	}
	return want
}

func tier(name string) string { return series("b2b_mrr", "tier="+name) }

// Worked example 16: 1,200 a year, 300 a quarter and 12 a week are 100, 100 and 52 a month.
func TestWorkedExampleOfMRR(t *testing.T) {
	c := newCompany(t)
	c.subscription("year", "a", record.Subscription{}, "2024-01-01 00:00", 100)
	c.subscription("quarter", "b", record.Subscription{}, "2024-01-01 00:00", 100)
	c.subscription("week", "c", record.Subscription{}, "2024-01-01 00:00", 52)
	out := c.compute("2024-07-10 12:00")
	check(t, out, map[string]string{
		tier("lt_100"): "52", tier("100_1000"): "200", tier("ge_1000"): "0", series("b2b_arr"): "3024",
		series("b2b_subscribers", "state=active"): "3", series("b2b_mrr_by_rep", "rep=unassigned"): "252",
	})
	check(t, out, moves("30d", nil))
	check(t, out, moves("365d", map[string]string{"new": "252"}))
}

// The tier of a customer is that of all its subscriptions together, in the reporting currency.
func TestTiers(t *testing.T) {
	c := newCompany(t, func(s *oracle.Settings) { s.Tiers = []record.Amount{record.Micros(50_500_000), units(200)} })
	c.rate("USD", "2024-01-01", 200)
	c.subscription("1", "a", record.Subscription{}, "2024-01-01 00:00", 50)
	c.subscription("2", "b", record.Subscription{}, "2024-01-01 00:00", 30)
	c.subscription("3", "b", record.Subscription{Currency: "USD"}, "2024-01-01 00:00", 42) // 21
	c.subscription("4", "c", record.Subscription{Currency: "USD"}, "2024-01-01 00:00", 400)
	check(t, c.compute("2024-07-10 12:00"), map[string]string{tier("lt_50.5"): "50", tier("50.5_200"): "51", tier("ge_200"): "200"})
	c.subscription("5", "d", record.Subscription{Currency: "JPY"}, "2024-07-10 11:59", 1)
	out := c.compute("2024-07-10 12:00")
	check(t, out, map[string]string{
		tier("lt_50.5"): none, tier("50.5_200"): none, tier("ge_200"): none, series("b2b_arr"): none, movement("today", "new"): none, movement("1d", "new"): "0",
		series("b2b_mrr_forecast", "horizon=90d"): none, series("b2b_subscribers", "state=active"): "4",
	})
	checkReasons(t, out, map[string]string{"b2b_mrr|": "no_rate"})
}

// From trial to paid, through plans, to the end and back.
func TestLifeOfASubscriber(t *testing.T) {
	c := newCompany(t)
	c.subscription("1", "acme", record.Subscription{State: record.SubscriptionEnded, EndedAt: c.at("2024-07-05 00:00")},
		"2024-06-01 00:00", 0, "2024-06-15 00:00", 100, "2024-06-20 12:00", 150, "2024-06-25 00:00", 120)
	c.subscription("2", "acme", record.Subscription{State: record.SubscriptionPastDue}, "2024-07-08 00:00", 60)
	for _, test := range []struct {
		asOf, mrr, state string
		moved            map[string]string // in mtd
	}{
		{"2024-06-10 00:00", "0", "trialing", nil},
		{"2024-06-15 00:00", "0", "trialing", nil}, // what changes at this instant does not count yet
		{"2024-06-15 00:00:00.000001", "100", "active", map[string]string{"new": "100"}},
		{"2024-06-30 00:00", "120", "active", map[string]string{"new": "100", "expansion": "50", "contraction": "30"}},
		{"2024-07-05 00:00", "120", "active", nil},
		{"2024-07-06 00:00", "0", "", map[string]string{"churn": "120"}},
		{"2024-07-10 00:00", "60", "past_due", map[string]string{"churn": "120", "reactivation": "60"}},
	} {
		out := c.compute(test.asOf)
		mrr, _ := new(big.Rat).SetString(test.mrr)
		want := map[string]string{series("b2b_arr"): mrr.Mul(mrr, big.NewRat(12, 1)).RatString()}
		for _, state := range []string{"active", "past_due", "trialing"} {
			want[series("b2b_subscribers", "state="+state)] = map[bool]string{true: "1", false: "0"}[state == test.state]
		}
		check(t, out, want)
		check(t, out, moves("mtd", test.moved))
	}
}

// A trial after months that were paid for leaves those as they were, while it lasts and after it.
func TestTrialAfterPayment(t *testing.T) {
	history := []any{"2024-01-01 00:00", 100, "2024-07-01 00:00", 0, "2024-07-20 00:00", 100}
	c := newCompany(t)
	c.subscription("1", "a", record.Subscription{State: record.SubscriptionTrialing}, history...)
	out := c.compute("2024-07-10 12:00")
	check(t, out, moves("365d", map[string]string{"new": "100", "churn": "100"}))
	check(t, out, map[string]string{
		series("b2b_arr"): "0", series("b2b_subscribers", "state=trialing"): "1", series("b2b_subscribers", "state=active"): "0",
		changeOf("b2b_mrr", "30d", "previous"):          "-1",
		series("b2b_mrr_forecast", "horizon=month_end"): "6850/90", // 0 + 100 - 21.5 x 100 / 90
	})
	c = newCompany(t)
	c.subscription("1", "a", record.Subscription{}, history...)
	check(t, c.compute("2024-07-25 12:00"), moves("365d", map[string]string{"new": "100", "churn": "100", "reactivation": "100"}))
}

// A subscription that has ended nobody knows when counts as long as it is known to have been
// paid; one that is paused and will go on counts again when it does.
func TestEndedWithoutDate(t *testing.T) {
	ended := record.Subscription{State: record.SubscriptionEnded}
	c := newCompany(t)
	c.subscription("1", "a", ended, "2024-01-01 00:00", 100)
	c.subscription("2", "b", ended, "2024-01-01 00:00", 50, "2024-03-01 00:00", 70)
	c.subscription("3", "c", ended, "2024-01-01 00:00", 20, "2024-02-01 00:00", 0, "2024-07-20 00:00", 30)
	out := c.compute("2024-07-10 12:00")
	check(t, out, moves("365d", map[string]string{"new": "70", "churn": "70"}))
	check(t, out, map[string]string{
		series("b2b_arr"): "0", series("b2b_subscribers", "state=active"): "0", series("b2b_mrr_forecast", "horizon=month_end"): "30",
	})
	check(t, c.compute("2024-02-10 12:00"), map[string]string{series("b2b_arr"): "600", series("b2b_subscribers", "state=active"): "1"})
}

// Nobody is paid for a subscription: what an amount below 0 stands for is not known, and ratios
// keep within their bounds.
func TestRevenueBelowNothing(t *testing.T) {
	c := newCompany(t)
	c.subscription("1", "a", record.Subscription{}, "2024-01-01 00:00", -50)
	out := c.compute("2024-07-10 12:00")
	check(t, out, map[string]string{tier("lt_100"): none, series("b2b_subscribers", "state=active"): "1"})
	checkReasons(t, out, map[string]string{"b2b_mrr|": "no_data"})
	c.subscription("2", "b", record.Subscription{}, "2024-01-01 00:00", 100, "2024-07-08 00:00", 80)
	out = c.compute("2024-07-10 12:00")
	check(t, out, moves("30d", map[string]string{"contraction": "20"}))
	check(t, out, in(map[string]string{
		"b2b_net_revenue_retention_ratio": "4/5", "b2b_gross_revenue_retention_ratio": "4/5", "b2b_mrr_churn_ratio": "1/5",
	}, "window=30d"))
}

// A customer is in the first of its subscriptions' states.
func TestStateOfSubscribers(t *testing.T) {
	c := newCompany(t)
	for customer, states := range map[string][]string{
		"a": {"past_due", "active"}, "b": {"trialing", "past_due"}, "c": {"trialing", "ended"}, "d": {"ended"},
	} {
		for _, state := range states {
			s := record.Subscription{State: state, StartedAt: c.at("2024-01-01")}
			c.subscription(customer+state, customer, s)
		}
	}
	// What is stated for a trial begins after it.
	c.subscription("trial", "e", record.Subscription{State: record.SubscriptionTrialing}, "2024-07-01 00:00", 500)
	out := c.compute("2024-07-10 00:00")
	check(t, out, map[string]string{
		series("b2b_subscribers", "state=active"): "1", series("b2b_subscribers", "state=past_due"): "1", series("b2b_subscribers", "state=trialing"): "2",
		// None of the others' MRR is known.
		tier("lt_100"): none, tier("100_1000"): none, series("b2b_arr"): none,
	})
	checkReasons(t, out, map[string]string{"b2b_mrr|": "no_data"})
}

// The account's owner comes before the customer record's, the older before the younger.
func TestRepresentatives(t *testing.T) {
	c := newCompany(t)
	for i, customer := range []string{"a", "b", "c", "d", "e"} {
		c.subscription(customer, customer, record.Subscription{}, "2024-01-01 00:00", 1<<i)
	}
	shop := func(id, owner string) {
		c.add("shop", id, &record.Customer{Owner: owner, CreatedAt: c.at("2024-02-01")})
	}
	account := func(id, of, owner, created string) {
		c.add("crm", id, &record.Account{Owner: owner, CreatedAt: c.at(created), Keys: record.Keys{ExternalIDs: []string{"shop:" + of}}})
	}
	shop("a", "ada")
	shop("b", "ada")
	account("b1", "b", "bob", "2024-03-01")
	shop("c", "")
	account("c1", "c", "eve", "2024-07-10 12:00") // not known yet
	shop("d", " dora ")
	want := map[string]string{"ada": "1", "bob": "2", "unassigned": "20", "dora": "8", "eve": none} // of c and e
	rep := func(name string) string { return series("b2b_mrr_by_rep", "rep="+name) }
	out := c.compute("2024-07-10 12:00")
	for name, v := range want {
		check(t, out, map[string]string{rep(name): v})
	}
	account("b0", "b", "zoe", "2024-02-01")
	for i, owner := range []string{"tom", "sam", "tim"} { // as old as each other
		c.add("shop", []string{"e", "e1", "e2"}[i], &record.Customer{Owner: owner, CreatedAt: c.at("2024-03-01"), Keys: record.Keys{Email: "jane@example.com"}})
	}
	check(t, c.compute("2024-07-10 12:00:00.000001"), map[string]string{rep("bob"): none, rep("zoe"): "2", rep("eve"): "4", rep("sam"): "16", rep("unassigned"): none})
}

// More representatives than labels.max: the smallest are folded.
func TestRepresentativesAreBounded(t *testing.T) {
	c := newCompany(t, func(s *oracle.Settings) { s.LabelMax = 2 })
	for i, owner := range []string{"ada", "bob", "eve", ""} {
		c.add("shop", numbered("c", i), &record.Customer{Owner: owner})
		c.subscription(numbered("s", i), numbered("c", i), record.Subscription{}, "2024-01-01 00:00", 40-10*i)
	}
	out := c.compute("2024-07-10 12:00")
	check(t, out, in(map[string]string{"b2b_mrr_by_rep": "40"}, "rep=ada"))
	check(t, out, in(map[string]string{"b2b_mrr_by_rep": "30"}, "rep=bob"))
	check(t, out, in(map[string]string{"b2b_mrr_by_rep": "30"}, "rep=other"))
	if out.Dropped["b2b_mrr_by_rep"] != 2 {
		t.Errorf("%d values were dropped, want 2", out.Dropped["b2b_mrr_by_rep"])
	}
}

// Retention is of the customers that were there, at the rates of the window's end; churn
// at those of its days.
func TestRetention(t *testing.T) {
	c := newCompany(t)
	c.rate("USD", "2024-01-01", 200)
	c.rate("USD", "2024-06-25", 250)
	const before, within = "2024-05-01 00:00", "2024-06-20 00:00"
	c.subscription("1", "grows", record.Subscription{}, before, 100, within, 160)
	c.subscription("2", "shrinks", record.Subscription{}, before, 100, within, 40)
	c.subscription("3", "goes", record.Subscription{Currency: "USD"}, before, 100, within, 0)
	c.subscription("4", "comes", record.Subscription{}, within, 70)
	c.subscription("5", "stays", record.Subscription{Currency: "USD"}, before, 100)
	out := c.compute("2024-07-10 12:00")
	// Then: 100 + 100 + 40 + 40, now: 160 + 40 + 0 + 40. Lost: 60 and 50 of 300 at the start.
	check(t, out, in(map[string]string{
		"b2b_net_revenue_retention_ratio": "240/280", "b2b_gross_revenue_retention_ratio": "180/280", "b2b_mrr_churn_ratio": "110/300",
	}, "window=30d"))
	check(t, out, moves("30d", map[string]string{"new": "70", "expansion": "60", "contraction": "60", "churn": "50", "fx": "-10"}))
	checkReasons(t, out, map[string]string{
		"b2b_net_revenue_retention_ratio|30d": none, "b2b_net_revenue_retention_ratio|365d": "zero_denominator", "b2b_mrr_churn_ratio|365d": "zero_denominator",
	})
}

// A running window is compared with the same part of the period before.
func TestChurnIsCompared(t *testing.T) {
	c := newCompany(t)
	c.subscription("1", "a", record.Subscription{}, "2024-01-01 00:00", 100, "2024-07-09 11:00", 80, "2024-07-09 13:00", 10, "2024-07-10 09:00", 9)
	// Today 1 of 10, yesterday until noon 20 of 100.
	check(t, c.compute("2024-07-10 12:00"), map[string]string{changeOf("b2b_mrr_churn_ratio", "today", "previous"): "-1/2"})
	check(t, c.compute("2024-07-10 13:00"), map[string]string{changeOf("b2b_mrr_churn_ratio", "today", "previous"): "-1/2"})
	// A microsecond later the change of 13:00 is in it: 90 of 100.
	check(t, c.compute("2024-07-10 13:00:00.000001"), map[string]string{changeOf("b2b_mrr_churn_ratio", "today", "previous"): "-8/9"})
	// MRR itself is compared with what it was 30, 90 and 365 days before, and a year before.
	check(t, c.compute("2024-07-10 12:00"), map[string]string{
		changeOf("b2b_mrr", "30d", "previous"): "-91/100", changeOf("b2b_mrr", "90d", "previous"): "-91/100", changeOf("b2b_mrr", "365d", "previous"): none,
	})
}

// The forecast goes on as the last 90 days went, and takes what is scheduled at today's rates,
// unless it is for a past moment.
func TestForecast(t *testing.T) {
	for _, test := range []struct {
		past       bool
		month, d90 string
	}{
		{false, "1550", "2270"}, // 1470 + 11 x 10 - 30, 1470 + 90 x 10 - 30 - 100 + 50 - 20
		{true, "1580", "2370"},
	} {
		c := newCompany(t, func(s *oracle.Settings) { s.Past = test.past })
		c.rate("USD", "2024-01-01", 200)
		c.rate("USD", "2024-06-20", 250) // what that does is no movement of a customer's
		c.subscription("new", "a", record.Subscription{}, "2024-06-15 00:00", 900)
		c.subscription("old", "b", record.Subscription{}, "2024-01-01 00:00", 700, "2024-04-21 23:59:59", 500,
			"2024-08-01 00:00", 400, "2024-10-18 23:59:59", 450, "2024-10-19 00:00", 0)
		c.subscription("ending", "c", record.Subscription{EndedAt: c.at("2024-07-31 23:59:59")}, "2024-01-01 00:00", 30)
		c.subscription("abroad", "d", record.Subscription{Currency: "USD"}, "2024-01-01 00:00", 100, "2024-09-01 00:00", 50)
		check(t, c.compute("2024-07-21 00:00"), map[string]string{
			series("b2b_mrr_forecast", "horizon=month_end"): test.month, series("b2b_mrr_forecast", "horizon=90d"): test.d90, series("b2b_arr"): "17640",
		})
	}
}

// The 90 days of a forecast keep the wall clock: in Berlin an hour is lost or gained in them.
func TestForecastAcrossClocks(t *testing.T) {
	c := newCompany(t, inZone("Europe/Berlin"))
	c.subscription("1", "a", record.Subscription{}, "2024-08-01 00:00", 90, "2024-12-09 00:59:59", 50, "2024-12-09 01:00", 0)
	check(t, c.compute("2024-09-10 01:00"), map[string]string{
		series("b2b_mrr_forecast", "horizon=90d"):       "3361/24", // 90 + 1 x (90 + 1/24) - 40
		series("b2b_mrr_forecast", "horizon=month_end"): "2663/24", // 90 + 20 + 23/24
	})
}

// Without a source of subscriptions there is nothing to say; with one that was never read not yet.
func TestRecurringGates(t *testing.T) {
	c := newCompany(t, func(s *oracle.Settings) { s.Sources = s.Sources[1:] })
	out := c.compute("2024-07-10 12:00")
	check(t, out, map[string]string{tier("lt_100"): none, series("b2b_arr"): none, movement("30d", "new"): none, series("b2b_subscribers", "state=active"): none})
	checkReasons(t, out, map[string]string{
		"b2b_mrr|": "source_missing", "b2b_net_revenue_retention_ratio|30d": "source_missing", "b2b_mrr_churn_ratio|30d": "source_missing",
	})

	c = newCompany(t)
	c.subscription("1", "a", record.Subscription{}, "2024-01-01 00:00", 100)
	c.compute("2024-07-10 12:00")
	out = c.gated("2024-07-10 12:00", func(s streamsOf) { unread(s["shop/subscription"]) })
	check(t, out, map[string]string{tier("100_1000"): none, series("b2b_mrr_by_rep", "rep=unassigned"): none})
	checkReasons(t, out, map[string]string{"b2b_mrr|": "immature", "b2b_net_revenue_retention_ratio|30d": "immature"})
	out = c.gated("2024-07-10 12:00", func(s streamsOf) { stale(s["crm/account"]) })
	check(t, out, map[string]string{tier("100_1000"): "100", series("b2b_mrr_by_rep", "rep=unassigned"): none})
}
