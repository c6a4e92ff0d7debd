package oracle

import (
	"math/big"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/b2bexporter/b2b_exporter/internal/record"
)

// subscribe puts a subscription of the shop that starts with its first step; steps are
// moments and monthly amounts in turn, "" standing for an amount that is not known.
func (f *fixture) subscribe(id, customer string, s record.Subscription, steps ...string) {
	f.t.Helper()
	s.Customer = record.RefTo(customer)
	if s.Currency == "" {
		s.Currency = "EUR"
	}
	if s.State == "" {
		s.State = record.SubscriptionActive
	}
	for i := 0; i < len(steps); i += 2 {
		change := record.MRRChange{At: f.at(steps[i])}
		if steps[i+1] != "" {
			amount, _, err := record.ParseAmount(steps[i+1])
			if err != nil {
				f.t.Fatal(err)
			}
			change.MRR = amount
		}
		if s.StartedAt.IsNull() {
			s.StartedAt = change.At
		}
		s.History = append(s.History, change)
	}
	f.add("shop", id, &s)
}

// usd publishes how many dollars a euro is worth, in tenths.
func (f *fixture) usd(d record.Day, tenths int64) {
	f.add("ecb", "usd"+d.String(), &record.Rate{
		Day: d, Currency: "USD", Reference: "EUR", PerReference: record.Decimal{Coefficient: tenths, Scale: 1, Known: true},
	})
}

func (f *fixture) recurring(asOf string) Result {
	f.settings.Collectors = []string{Recurring}
	return f.compute(asOf)
}

func movement(name, window string) string {
	return `b2b_mrr_movement{currency="EUR",movement="` + name + `",window="` + window + `"}`
}

// 1,200 a year, 300 a quarter and 12 a week are 100, 100 and 52 a month.
func TestMonthlyRevenueByTier(t *testing.T) {
	f := newFixture(t)
	f.subscribe("s1", "c1", record.Subscription{}, "2024-01-01 00:00:00", "100")
	f.subscribe("s2", "c2", record.Subscription{}, "2024-01-01 00:00:00", "100")
	f.subscribe("s3", "c2", record.Subscription{}, "2024-01-01 00:00:00", "52")
	f.subscribe("s4", "c3", record.Subscription{}, "2024-05-10 00:00:00", "7") // at as_of
	f.subscribe("s5", "c4", record.Subscription{EndedAt: f.at("2024-05-10 00:00:00")}, "2024-01-01 00:00:00", "3")
	f.subscribe("s6", "c5", record.Subscription{EndedAt: f.at("2024-05-09 23:59:59")}, "2024-01-01 00:00:00", "5")
	f.check(f.recurring("2024-05-10 00:00:00"), map[string]string{
		`b2b_mrr{currency="EUR",tier="lt_100"}`:           "3",
		`b2b_mrr{currency="EUR",tier="100_1000"}`:         "252",
		`b2b_mrr{currency="EUR",tier="ge_1000"}`:          "0",
		`b2b_arr{currency="EUR"}`:                         "3060",
		`b2b_mrr_by_rep{currency="EUR",rep="unassigned"}`: "255",
		`b2b_subscribers{state="active"}`:                 "3",
		`b2b_subscribers{state="past_due"}`:               "0",
		`b2b_kpi_undefined{kpi="b2b_net_revenue_retention_ratio",reason="zero_denominator",window="365d"}`: "1",
	})
	f.settings.Tiers = []record.Amount{units(100.5), units(152)}
	f.check(f.recurring("2024-05-10 00:00:00"), map[string]string{
		`b2b_mrr{currency="EUR",tier="lt_100.5"}`:  "103",
		`b2b_mrr{currency="EUR",tier="100.5_152"}`: "0",
		`b2b_mrr{currency="EUR",tier="ge_152"}`:    "152",
	})
}

func TestMovements(t *testing.T) {
	f := newFixture(t)
	// A trial that is paid for, grows, shrinks, pauses, goes on and ends.
	f.subscribe("s1", "c1", record.Subscription{State: record.SubscriptionEnded, EndedAt: f.at("2024-05-09 10:00:00")},
		"2024-03-01 00:00:00", "0", "2024-05-03 00:00:00", "40", "2024-05-04 00:00:00", "70", "2024-05-05 00:00:00", "60",
		"2024-05-06 00:00:00", "0", "2024-05-07 00:00:00", "90", "2024-05-09 12:00:00", "1000")
	// One plan for another at one instant is one expansion; what was there stays.
	f.subscribe("s2", "c2", record.Subscription{EndedAt: f.at("2024-05-08 12:00:00")}, "2024-01-01 00:00:00", "200")
	f.subscribe("s3", "c2", record.Subscription{}, "2024-05-08 12:00:00", "215")
	f.subscribe("s4", "c3", record.Subscription{}, "2024-01-01 00:00:00", "300", "2024-05-09 00:00:00", "250", "2024-05-09 00:00:00", "280")
	r := f.recurring("2024-05-10 00:00:00")
	f.check(r, map[string]string{
		movement("new", "7d"): "40", movement("expansion", "7d"): "45", movement("contraction", "7d"): "30",
		movement("churn", "7d"): "150", movement("reactivation", "7d"): "90", movement("fx", "7d"): "0",
		movement("churn", "1d"): "90", movement("contraction", "1d"): "20", movement("new", "1d"): "0",
		movement("new", "365d"):                                "540",
		`b2b_net_revenue_retention_ratio{window="7d"}`:         "495/500",
		`b2b_gross_revenue_retention_ratio{window="7d"}`:       "480/500",
		`b2b_mrr_churn_ratio{window="7d"}`:                     "180/500",
		`b2b_mrr_churn_ratio{window="1d"}`:                     "110/605",
		`b2b_mrr{currency="EUR",tier="100_1000"}`:              "495",
		`b2b_mrr_forecast{currency="EUR",horizon="90d"}`:       "490", // 5 less in 90 days, once more
		`b2b_mrr_forecast{currency="EUR",horizon="month_end"}`: "4444/9",
	})
}

func TestMovementsInCurrencies(t *testing.T) {
	f := newFixture(t)
	f.usd(date(2024, 1, 1), 20)
	f.usd(date(2024, 5, 7), 25)
	f.usd(date(2024, 5, 8), 16)
	f.usd(date(2024, 5, 10), 10)
	// 100 USD are 50, then 40 (7 May), 62.5 (8 May) and 100 (10 May).
	f.subscribe("s1", "c1", record.Subscription{Currency: "USD"}, "2024-02-01 00:00:00", "100")
	// At the first instant of a day the rate goes first.
	f.subscribe("s2", "c2", record.Subscription{Currency: "USD"}, "2024-05-08 00:00:00", "32")
	// Dollars for euros of the same worth: no movement; for fewer: contraction.
	f.subscribe("s3", "c3", record.Subscription{EndedAt: f.at("2024-05-07 12:00:00")}, "2024-02-01 00:00:00", "10")
	f.subscribe("s4", "c3", record.Subscription{Currency: "USD", EndedAt: f.at("2024-05-09 12:00:00")}, "2024-05-07 12:00:00", "25")
	f.subscribe("s5", "c3", record.Subscription{}, "2024-05-09 12:00:00", "15")
	r := f.recurring("2024-05-10 12:00:00")
	f.check(r, map[string]string{
		// 7 May: 100 USD lose 10; 8 May: 125 USD gain 28.125; 10 May: 132 USD gain 49.5.
		movement("fx", "7d"): "541/8", movement("new", "7d"): "20", movement("contraction", "7d"): "5/8",
		movement("expansion", "7d"): "0", movement("churn", "7d"): "0",
		movement("fx", "1d"): "99/2", movement("fx", "today"): "0",
		`b2b_mrr{currency="EUR",tier="100_1000"}`:        "100",
		`b2b_mrr{currency="EUR",tier="lt_100"}`:          "47",
		`b2b_net_revenue_retention_ratio{window="7d"}`:   "115/110", // at 10 May's rates
		`b2b_gross_revenue_retention_ratio{window="7d"}`: "1",
		`b2b_mrr_churn_ratio{window="7d"}`:               "1/96",
	})
}

func TestRevenueWithoutRates(t *testing.T) {
	f := newFixture(t)
	f.usd(date(2024, 5, 8), 20)
	f.subscribe("s1", "c1", record.Subscription{Currency: "USD"}, "2024-02-01 00:00:00", "100")
	f.subscribe("s2", "c2", record.Subscription{}, "2024-02-01 00:00:00", "10", "2024-05-03 12:00:00", "30", "2024-05-04 12:00:00", "0")
	f.subscribe("s3", "c3", record.Subscription{EndedAt: f.at("2024-05-05 12:00:00")}, "2024-02-01 00:00:00", "10")
	f.subscribe("s4", "c3", record.Subscription{Currency: "USD"}, "2024-05-05 12:00:00", "25")
	f.check(f.recurring("2024-05-10 12:00:00"), map[string]string{
		`b2b_mrr{currency="EUR",tier="lt_100"}`: "125/2",
		// Nobody knows whether 25 USD were more than 10 EUR.
		movement("expansion", "7d"): none, movement("contraction", "7d"): none,
		movement("new", "7d"): "0", movement("churn", "7d"): "30", movement("fx", "7d"): none,
		movement("new", "1d"): "0", movement("fx", "1d"): "0",
		`b2b_mrr_churn_ratio{window="7d"}`:                                          none,
		`b2b_kpi_undefined{kpi="b2b_mrr_churn_ratio",reason="no_rate",window="7d"}`: "1",
		`b2b_net_revenue_retention_ratio{window="7d"}`:                              "25/28",
		`b2b_mrr_forecast{currency="EUR",horizon="90d"}`:                            none,
	})
}

// What a customer has on top of what it had needs no rate to be kept.
func TestGrossRetentionNeedsNoRateOfExpansion(t *testing.T) {
	f := newFixture(t)
	f.subscribe("s1", "c1", record.Subscription{}, "2024-02-01 00:00:00", "10")
	f.subscribe("s2", "c1", record.Subscription{Currency: "USD"}, "2024-05-05 12:00:00", "25")
	f.check(f.recurring("2024-05-10 12:00:00"), map[string]string{
		`b2b_gross_revenue_retention_ratio{window="7d"}`: "1",
		`b2b_net_revenue_retention_ratio{window="7d"}`:   none,
		movement("expansion", "7d"):                      none, movement("contraction", "7d"): "0", movement("new", "7d"): "0",
	})
}

func TestRevenueThatIsNotKnown(t *testing.T) {
	f := newFixture(t)
	f.subscribe("s1", "c1", record.Subscription{StartedAt: f.at("2024-05-05 00:00:00")})
	f.subscribe("s2", "c2", record.Subscription{}, "2024-05-06 00:00:00", "")
	f.check(f.recurring("2024-05-10 00:00:00"), map[string]string{
		`b2b_mrr{currency="EUR",tier="lt_100"}`:                       none,
		`b2b_mrr{currency="EUR",tier="ge_1000"}`:                      none,
		`b2b_arr{currency="EUR"}`:                                     none,
		`b2b_subscribers{state="active"}`:                             "2",
		movement("new", "7d"):                                         none,
		movement("new", "1d"):                                         "0",
		movement("fx", "7d"):                                          "0",
		`b2b_kpi_undefined{kpi="b2b_mrr",reason="no_data",window=""}`: "1",
		`b2b_kpi_undefined{kpi="b2b_net_revenue_retention_ratio",reason="no_data",window="1d"}`: "1",
	})
	f.subscribe("s3", "c1", record.Subscription{}, "2024-05-07 00:00:00", "30")
	f.check(f.recurring("2024-05-10 00:00:00"), map[string]string{
		`b2b_mrr{currency="EUR",tier="lt_100"}`: "30",
		movement("new", "7d"):                   "30",
	})
}

func TestSubscribers(t *testing.T) {
	f := newFixture(t)
	trial := record.Subscription{State: record.SubscriptionTrialing}
	f.subscribe("s1", "c1", trial, "2024-04-01 00:00:00", "0", "2024-05-20 00:00:00", "10")
	// What a trialing subscription states for its start is the price to come.
	f.subscribe("s2", "c2", trial, "2024-04-01 00:00:00", "50")
	f.subscribe("s3", "c2", record.Subscription{State: record.SubscriptionPastDue}, "2024-04-01 00:00:00", "20")
	f.subscribe("s4", "c3", record.Subscription{State: record.SubscriptionPastDue}, "2024-04-01 00:00:00", "20")
	f.subscribe("s5", "c3", record.Subscription{}, "2024-05-09 23:59:59", "1")
	ended := record.Subscription{State: record.SubscriptionEnded, EndedAt: f.at("2024-05-08 12:00:00")}
	f.subscribe("s6", "c4", ended, "2024-04-01 00:00:00", "0", "2024-04-15 00:00:00", "30")
	f.subscribe("s7", "c5", record.Subscription{State: record.SubscriptionEnded}, "2024-04-01 00:00:00", "30", "2024-05-08 12:00:00", "0")
	for asOf, want := range map[string][3]string{ // active, past due, trialing
		"2024-05-10 00:00:00": {"1", "1", "1"},
		"2024-05-21 00:00:00": {"2", "1", "0"},
		"2024-05-01 00:00:00": {"2", "2", "1"},
		"2024-04-10 00:00:00": {"1", "2", "2"},
		"2024-04-01 00:00:00": {"0", "0", "0"},
	} {
		f.check(f.recurring(asOf), map[string]string{
			`b2b_subscribers{state="active"}`: want[0], `b2b_subscribers{state="past_due"}`: want[1], `b2b_subscribers{state="trialing"}`: want[2],
		})
	}
	f.check(f.recurring("2024-05-10 00:00:00"), map[string]string{`b2b_mrr{currency="EUR",tier="lt_100"}`: "41"})
}

// What was paid before a trial was paid; a price of which it is not said when it begins is the
// one after the trial.
func TestTrialsOfSubscriptions(t *testing.T) {
	const trialing, active = record.SubscriptionTrialing, record.SubscriptionActive
	for _, test := range []struct {
		name, state               string
		steps                     []string
		arr, came, lost, forecast string // now, new and churn in 365d, and in 90 days
		trials                    string
	}{
		// What was lost in the last 90 days is expected to be lost in the next, too.
		{"after what was paid", trialing, []string{"2024-01-01 00:00:00", "100", "2024-05-05 00:00:00", "0", "2024-05-20 00:00:00", "100"}, "0", "100", "100", "0", "1"},
		{"that was paid for", active, []string{"2024-01-01 00:00:00", "100", "2024-05-05 00:00:00", "0", "2024-05-08 00:00:00", "100"}, "1200", "100", "100", "100", "0"},
		{"of which nothing is said", trialing, []string{"2024-01-01 00:00:00", "100"}, "0", "0", "0", "0", "1"},
		{"with its end", trialing, []string{"2024-05-01 00:00:00", "0", "2024-05-20 00:00:00", "100"}, "0", "0", "0", "100", "1"},
		{"and a change of its price", trialing, []string{"2024-05-01 00:00:00", "100", "2024-05-20 00:00:00", "120"}, "0", "0", "0", "120", "1"},
	} {
		t.Run(test.name, func(t *testing.T) {
			f := newFixture(t)
			f.subscribe("s1", "c1", record.Subscription{State: test.state}, test.steps...)
			f.check(f.recurring("2024-05-10 00:00:00"), map[string]string{
				`b2b_arr{currency="EUR"}`: test.arr, movement("new", "365d"): test.came, movement("churn", "365d"): test.lost,
				`b2b_mrr_forecast{currency="EUR",horizon="90d"}`: test.forecast, `b2b_subscribers{state="trialing"}`: test.trials,
			})
		})
	}
}

// Of what has ended without a date, only what the next change bounds is known to have been paid.
func TestEndedWithoutDate(t *testing.T) {
	ended := record.Subscription{State: record.SubscriptionEnded}
	for _, test := range []struct {
		name                      string
		steps                     []string
		arr, came, lost, forecast string
	}{
		{"one price", []string{"2024-01-01 00:00:00", "100"}, "0", "0", "0", "0"},
		{"an unknown price", []string{"2024-01-01 00:00:00", ""}, "0", "0", "0", "0"},
		{"a later price", []string{"2024-01-01 00:00:00", "100", "2024-02-01 00:00:00", "150"}, "0", "100", "100", "0"},
		{"a price after a trial", []string{"2024-01-01 00:00:00", "0", "2024-01-15 00:00:00", "100"}, "0", "0", "0", "0"},
		{"an end in the history", []string{"2024-01-01 00:00:00", "100", "2024-02-01 00:00:00", "0"}, "0", "100", "100", "0"},
		{"a pause with an end", []string{"2024-01-01 00:00:00", "100", "2024-02-01 00:00:00", "0", "2024-05-20 00:00:00", "100"}, "0", "100", "100", "100"},
	} {
		t.Run(test.name, func(t *testing.T) {
			f := newFixture(t)
			f.subscribe("s1", "c1", ended, test.steps...)
			f.check(f.recurring("2024-05-10 00:00:00"), map[string]string{
				`b2b_arr{currency="EUR"}`: test.arr, movement("new", "365d"): test.came, movement("churn", "365d"): test.lost,
				`b2b_mrr_forecast{currency="EUR",horizon="90d"}`: test.forecast,
				`b2b_subscribers{state="active"}`:                "0", `b2b_subscribers{state="trialing"}`: "0",
			})
		})
	}
}

// An amount below 0 is none that anybody is charged.
func TestRevenueBelowNothing(t *testing.T) {
	f := newFixture(t)
	f.subscribe("s1", "c1", record.Subscription{}, "2024-01-01 00:00:00", "-50")
	f.check(f.recurring("2024-05-10 00:00:00"), map[string]string{
		`b2b_mrr{currency="EUR",tier="lt_100"}`: none, movement("new", "365d"): none, `b2b_subscribers{state="active"}`: "1",
	})
	f.subscribe("s2", "c2", record.Subscription{}, "2024-01-01 00:00:00", "100", "2024-05-08 00:00:00", "80")
	f.check(f.recurring("2024-05-10 00:00:00"), map[string]string{
		`b2b_mrr{currency="EUR",tier="lt_100"}`: "80", movement("new", "365d"): "100", movement("contraction", "365d"): "20",
		`b2b_gross_revenue_retention_ratio{window="30d"}`: "4/5", `b2b_mrr_churn_ratio{window="30d"}`: "1/5",
	})
}

func TestRevenueByRep(t *testing.T) {
	f := newFixture(t)
	f.settings.Sources[1].Kinds = append(f.settings.Sources[1].Kinds, record.KindSubscription)
	company := func(id, owner, created string) {
		f.add("crm", id, &record.Account{Owner: owner, CreatedAt: f.at(created), Keys: record.Keys{ExternalIDs: []string{"erp:" + id[:2]}}})
	}
	company("a1", "Zoë", "2024-02-01 00:00:00")
	company("a2", "", "2024-02-01 00:00:00")
	company("a3", "Cy", "2024-05-10 00:00:00") // at as_of
	for i, amount := range []string{"10", "20", "40", "80"} {
		id := numbered("a", i+1)
		f.add("shop", "c"+id, &record.Customer{Owner: " Ann ", CreatedAt: f.at("2024-01-01 00:00:00"), Keys: record.Keys{ExternalIDs: []string{"erp:" + id}}})
		f.subscribe("s"+id, "c"+id, record.Subscription{}, "2024-01-01 00:00:00", amount)
	}
	f.subscribe("s5", "c5", record.Subscription{}, "2024-01-01 00:00:00", "5")
	f.check(f.recurring("2024-05-10 00:00:00"), map[string]string{
		`b2b_mrr_by_rep{currency="EUR",rep="Zoë"}`:        "10",
		`b2b_mrr_by_rep{currency="EUR",rep="Ann"}`:        "140",
		`b2b_mrr_by_rep{currency="EUR",rep="Cy"}`:         none,
		`b2b_mrr_by_rep{currency="EUR",rep="unassigned"}`: "5",
	})
	f.settings.LabelMax = 1
	f.check(f.recurring("2024-05-10 00:00:00"), map[string]string{
		`b2b_mrr_by_rep{currency="EUR",rep="Ann"}`:   "140",
		`b2b_mrr_by_rep{currency="EUR",rep="other"}`: "15",
	})
}

func TestForecast(t *testing.T) {
	f := newFixture(t)
	f.subscribe("s1", "c1", record.Subscription{EndedAt: f.at("2024-07-01 00:00:00")}, "2024-01-01 00:00:00", "100",
		"2024-05-10 12:00:00", "130", "2024-06-01 00:00:00", "150")
	f.subscribe("s2", "c2", record.Subscription{}, "2024-05-01 00:00:00", "90")
	f.subscribe("s3", "c3", record.Subscription{}, "2024-08-08 12:00:00", "9") // at the horizon
	// 21.5 days to the end of the month.
	f.check(f.recurring("2024-05-10 12:00:00"), map[string]string{
		`b2b_mrr_forecast{currency="EUR",horizon="month_end"}`: "483/2", // 190 + 30 + 21.5
		`b2b_mrr_forecast{currency="EUR",horizon="90d"}`:       "180",   // 190 + 30 + 20 - 150 + 90
	})
	f.settings.Past = true
	f.check(f.recurring("2024-05-10 12:00:00"), map[string]string{
		`b2b_mrr_forecast{currency="EUR",horizon="month_end"}`: "423/2",
		`b2b_mrr_forecast{currency="EUR",horizon="90d"}`:       "280",
	})
}

// MRR at the start and what moved it are the MRR at the end, exactly.
func TestMovementsAddUp(t *testing.T) {
	seen := 0
	rapid.Check(t, func(t *rapid.T) {
		h := Generate(t)
		h.Settings.Collectors = []string{Recurring}
		records, s := h.Seal(record.NewSealer([]byte("key")))
		w := newWorld(records, s)
		for _, name := range []string{"today", "1d", "7d", "30d", "90d", "365d", "mtd", "qtd", "ytd"} {
			for _, period := range []span{w.calendar.window(name, h.AsOf.UnixMicro()), w.calendar.previous(name, h.AsOf.UnixMicro())} {
				seen += movementsAddUp(t, w, name, period)
			}
		}
	})
	if seen == 0 {
		t.Error("no window had movements and an effect of rates: nothing was tested")
	}
}

// movementsAddUp checks one window, and returns 1 where both customers and rates moved.
func movementsAddUp(t *rapid.T, w *world, name string, s span) int {
	start, end, fx := w.mrr(s.start), w.mrr(s.end), w.fx(s)
	moved := w.moved(s)
	noRate := start.noRate || end.noRate || fx.noRate
	sum := new(big.Rat).Add(&start.sum, &fx.sum)
	gained := false
	for m, x := range moved {
		noRate = noRate || x.noRate
		if x.sum.Sign() < 0 {
			t.Errorf("%s: %s is %s", name, m, x.sum.RatString())
		}
		gained = gained || x.sum.Sign() > 0
		if strings.HasPrefix(m, "c") {
			sum.Sub(sum, &x.sum)
		} else {
			sum.Add(sum, &x.sum)
		}
	}
	if noRate {
		return 0
	}
	if sum.Cmp(&end.sum) != 0 {
		t.Errorf("%s: MRR goes from %s to %s, the movements to %s", name, start.sum.RatString(), end.sum.RatString(), sum.RatString())
	}
	if gained && fx.sum.Sign() != 0 {
		return 1
	}
	return 0
}
