package oracle

import (
	"regexp"
	"testing"

	"github.com/b2bexporter/b2b_exporter/internal/record"
)

// newSpender returns a fixture that also has configured costs and ads, and where one
// customer is enough for a lifetime value.
func newSpender(t *testing.T) *fixture {
	f := newFixture(t)
	f.settings.Collectors = []string{Acquisition}
	f.settings.LifetimeMinimum = 1
	f.settings.Sources = append(f.settings.Sources,
		Source{Name: "budget", Kinds: []record.Kind{record.KindCost}, Read: true},
		Source{Name: "ads", Kinds: []record.Kind{record.KindSpend, record.KindAdQuality}, Read: true})
	return f
}

// cost puts a one-off cost of a day.
func (f *fixture) cost(id string, on record.Day, c record.Cost) {
	c.Period, c.From, c.To = record.PeriodOnce, on, on
	f.add("budget", id, &c)
}

// firstOrders puts n customers that ordered for the first time at placed through a channel.
func (f *fixture) firstOrders(n int, prefix, placed, channel string, amount float64) {
	for i := range n {
		f.order(numbered(prefix, i), numbered(prefix, i), placed, record.Order{Gross: units(amount), Touch: record.Touch{Channel: channel}})
	}
}

// Worked examples 3, 7, 8 and 11.
func TestCostsOfWorkedExamples(t *testing.T) {
	f := newSpender(t)
	f.cost("c1", date(2024, 5, 1), record.Cost{Category: record.CostMarketing, Amount: units(10_000), Channel: "paid_search"})
	f.cost("c2", date(2024, 5, 1), record.Cost{Category: record.CostMarketing, Amount: units(2_000), Channel: "organic_search"})
	for i := range 150 {
		channel := "paid_search"
		if i >= 100 {
			channel = "organic_search"
		}
		f.add("crm", numbered("l", i), &record.Lead{CreatedAt: f.at("2024-05-01 12:00:00"), Touch: record.Touch{Channel: channel}})
	}
	f.check(f.compute("2024-05-02 00:00:00"), map[string]string{
		`b2b_cost_per_lead_by_channel{channel="paid_search",currency="EUR",window="1d"}`:    "100",
		`b2b_cost_per_lead_by_channel{channel="organic_search",currency="EUR",window="1d"}`: "40",
		`b2b_cost_per_lead{currency="EUR",window="1d"}`:                                     "80",
		`b2b_cost_per_lead{currency="EUR",window="7d"}`:                                     "80",
		`b2b_cost_per_lead{currency="EUR",window="today"}`:                                  none,
	})

	f = newSpender(t)
	f.cost("c1", date(2024, 5, 1), record.Cost{Category: record.CostMarketing, Amount: units(20_000), Channel: "email"})
	f.firstOrders(2, "c", "2024-05-01 10:00:00", "email", 25_000)
	f.firstOrders(1, "other", "2024-05-01 10:00:00", "partner", 99)
	f.check(f.compute("2024-05-02 00:00:00"), map[string]string{
		`b2b_marketing_roi_ratio{window="1d"}`:                              "3/2",
		`b2b_marketing_roi_ratio_by_channel{channel="email",window="1d"}`:   "3/2",
		`b2b_marketing_roi_ratio_by_channel{channel="partner",window="1d"}`: none,
		`b2b_unpaid_new_customer_ratio{window="1d"}`:                        "1/3",
	})

	f = newSpender(t)
	f.cost("c1", date(2024, 5, 1), record.Cost{Category: record.CostMarketing, Amount: units(25_000)})
	f.firstOrders(100, "c", "2024-05-01 10:00:00", "email", 1)
	f.check(f.compute("2024-05-02 00:00:00"), map[string]string{
		`b2b_customer_acquisition_cost{basis="marketing",currency="EUR",window="1d"}`:                              "250",
		`b2b_customer_acquisition_cost{basis="fully_loaded",currency="EUR",window="1d"}`:                           none,
		`b2b_customer_acquisition_cost{basis="paid",currency="EUR",window="1d"}`:                                   none,
		`b2b_marketing_cost{channel="unknown",currency="EUR",window="1d"}`:                                         "25000",
		`b2b_marketing_cost{channel="unknown",currency="EUR",window="today"}`:                                      "0",
		`b2b_customer_acquisition_cost_by_channel{channel="email",currency="EUR",window="1d"}`:                     "0",
		`b2b_customer_acquisition_cost_by_campaign{campaign="unknown",channel="email",currency="EUR",window="1d"}`: "0",
		`b2b_customer_acquisition_cost_by_program{currency="EUR",program="unknown",window="1d"}`:                   "250",
		`b2b_kpi_undefined{kpi="b2b_cac_marketing_ratio",reason="source_missing",window="1d"}`:                     "1",
		`b2b_kpi_undefined{kpi="b2b_customer_acquisition_cost",reason="zero_denominator",window="today"}`:          "1",
	})

	f = newSpender(t)
	f.add("ads", "s1", &record.Spend{Day: date(2024, 5, 1), Touch: record.Touch{Source: "facebook", Medium: "cpc"}, Currency: "EUR", Cost: units(2_000)})
	f.add("ads", "free", &record.Spend{Day: date(2024, 5, 1), Touch: record.Touch{Medium: "email"}, Cost: units(0)}) // does not make e-mail paid
	f.firstOrders(10, "c", "2024-05-01 10:00:00", "paid_social", 1)
	f.firstOrders(10, "other", "2024-05-01 10:00:00", "email", 1)
	f.check(f.compute("2024-05-02 00:00:00"), map[string]string{
		`b2b_customer_acquisition_cost{basis="paid",currency="EUR",window="1d"}`:                     "200",
		`b2b_customer_acquisition_cost{basis="marketing",currency="EUR",window="1d"}`:                "100",
		`b2b_customer_acquisition_cost_by_channel{channel="paid_social",currency="EUR",window="1d"}`: "200",
		`b2b_marketing_originated_customers{window="1d"}`:                                            "20",
		`b2b_marketing_originated_customers{window="today"}`:                                         "0",
	})
}

func TestCostsAreSpreadOverDays(t *testing.T) {
	f := newSpender(t)
	f.add("budget", "salaries", &record.Cost{
		Category: record.CostSales, Amount: units(3100), Period: record.PeriodMonth, From: date(2024, 4, 30), To: record.NoDay,
	})
	f.add("budget", "fair", &record.Cost{
		Category: record.CostMarketing, Amount: units(90), Period: record.PeriodOnce, From: date(2024, 5, 9), To: date(2024, 5, 11), Currency: "USD",
	})
	f.add("ecb", "r1", &record.Rate{Day: date(2024, 1, 1), Currency: "USD", Reference: "EUR", PerReference: record.Decimal{Coefficient: 3, Known: true}})
	f.add("ecb", "r2", &record.Rate{Day: date(2024, 5, 10), Currency: "USD", Reference: "EUR", PerReference: record.Decimal{Coefficient: 2, Known: true}})
	r := f.compute("2024-05-10 12:00:00")
	f.check(r, map[string]string{
		`b2b_sales_cost{currency="EUR",window="today"}`:                       "100", // the running day whole
		`b2b_sales_cost{currency="EUR",window="7d"}`:                          "700",
		`b2b_sales_cost{currency="EUR",window="30d"}`:                         "3010/3", // 9 days of May, one of April
		`b2b_marketing_cost{channel="unknown",currency="EUR",window="1d"}`:    "10",
		`b2b_marketing_cost{channel="unknown",currency="EUR",window="today"}`: "15",
		`b2b_cac_marketing_ratio{window="mtd"}`:                               "25/1025",
	})
	f.add("budget", "gift", &record.Cost{Category: record.CostMarketing, Channel: "email", Period: record.PeriodOnce, From: date(2024, 5, 9), To: date(2024, 5, 9)})
	f.add("budget", "gold", &record.Cost{
		Category: record.CostMarketing, Channel: "event", Amount: units(1), Currency: "XAU", Period: record.PeriodOnce, From: date(2024, 5, 10), To: date(2024, 5, 10),
	})
	f.check(f.compute("2024-05-10 12:00:00"), map[string]string{
		`b2b_marketing_cost{channel="email",currency="EUR",window="1d"}`:                      none, // no amount
		`b2b_marketing_cost{channel="email",currency="EUR",window="today"}`:                   "0",
		`b2b_marketing_cost{channel="event",currency="EUR",window="today"}`:                   none, // no rate
		`b2b_kpi_undefined{kpi="b2b_marketing_cost",reason="no_rate",window="today"}`:         "1",
		`b2b_kpi_undefined{kpi="b2b_customer_acquisition_cost",reason="no_rate",window="7d"}`: none,
	})
}

func TestLifetimeValueAgainstCost(t *testing.T) {
	f := newSpender(t)
	f.settings.InactiveDays = 30
	f.order("old", "gone", "2023-10-01 00:00:00", record.Order{Gross: units(1)})
	for i, placed := range []string{"2023-11-20", "2023-12-15", "2024-01-10", "2024-02-05", "2024-03-02", "2024-03-28", "2024-04-20", "2024-05-15", "2024-06-10"} {
		f.order(numbered("o", i), "loyal", placed+" 00:00:00", record.Order{Gross: units(100)})
	}
	f.order("once", "once", "2024-02-20 00:00:00", record.Order{Gross: units(7)})
	f.firstOrders(2, "n", "2024-06-20 00:00:00", "email", 60)
	f.cost("m", date(2024, 6, 20), record.Cost{Category: record.CostMarketing, Amount: units(150)})
	f.cost("s", date(2024, 6, 20), record.Cost{Category: record.CostSales, Amount: units(50)})
	// On 1 July three are active; in 90d they brought 300 + 120. The loyal customer is there
	// at the start of all six periods, the one who bought once of one, and leaves in it.
	f.check(f.compute("2024-07-01 00:00:00"), map[string]string{
		`b2b_customer_acquisition_cost{basis="fully_loaded",currency="EUR",window="30d"}`: "100",
		`b2b_ltv_cac_ratio{window="30d"}`:                                                 "98/30", // 420 / 9 x 7 / 100
		`b2b_cac_payback_seconds{window="30d"}`:                                           "38880000/7",
		`b2b_marginal_customer_acquisition_cost{currency="EUR",window="30d"}`:             none, // before the first cost
		`b2b_ltv_cac_ratio{window="7d"}`:                                                  none,
	})
}

func TestMarginalCostAndLag(t *testing.T) {
	f := newSpender(t)
	f.add("budget", "first", &record.Cost{Category: record.CostSales, Amount: units(0), Period: record.PeriodMonth, From: date(2024, 1, 1), To: record.NoDay})
	f.order("first", "old", "2024-01-01 00:00:00", record.Order{Gross: units(1)})
	f.cost("m1", date(2024, 5, 1), record.Cost{Category: record.CostMarketing, Amount: units(100)})
	f.cost("m2", date(2024, 5, 2), record.Cost{Category: record.CostMarketing, Amount: units(160)})
	f.firstOrders(1, "a", "2024-05-01 10:00:00", "", 1)
	f.firstOrders(3, "b", "2024-05-02 10:00:00", "", 1)
	f.check(f.compute("2024-05-03 00:00:00"), map[string]string{
		`b2b_marginal_customer_acquisition_cost{currency="EUR",window="1d"}`:          "30",
		`b2b_marginal_customer_acquisition_cost{currency="EUR",window="today"}`:       none,
		`b2b_customer_acquisition_cost{basis="marketing",currency="EUR",window="1d"}`: "160/3",
	})
	f.settings.CACLagDays = 1
	f.check(f.compute("2024-05-03 00:00:00"), map[string]string{
		`b2b_customer_acquisition_cost{basis="marketing",currency="EUR",window="1d"}`: "100/3",
		`b2b_marginal_customer_acquisition_cost{currency="EUR",window="1d"}`:          "50",
		`b2b_marketing_cost{channel="unknown",currency="EUR",window="1d"}`:            "160",
	})
}

func TestCampaignsAndPrograms(t *testing.T) {
	f := newSpender(t)
	f.settings.Channels = record.ChannelRules{{Campaign: regexp.MustCompile("(?i)^spring"), Class: record.Class{Program: "launch"}}}
	touch := func(campaign string) record.Touch { return record.Touch{Channel: "email", Campaign: campaign} }
	f.add("ads", "s1", &record.Spend{Day: date(2024, 5, 1), Touch: touch("Spring Sale "), CampaignID: "77", Cost: units(90)})
	f.add("ads", "s2", &record.Spend{Day: date(2024, 5, 1), Touch: touch("Brand"), Program: "always", Cost: units(10)})
	f.cost("c", date(2024, 5, 1), record.Cost{Category: record.CostMarketing, Channel: "email", Campaign: "spring sale", Program: "launch", Amount: units(30)})
	for i, campaign := range []string{"SPRING SALE", "77", "spring sale", "Autumn", "autumn", ""} {
		f.order(numbered("o", i), numbered("c", i), "2024-05-01 10:00:00", record.Order{Gross: units(1), Touch: touch(campaign)})
	}
	byCampaign := func(campaign string) string {
		return Key("b2b_customer_acquisition_cost_by_campaign", map[string]string{"campaign": campaign, "channel": "email", "currency": "EUR", "window": "1d"})
	}
	byProgram := func(program string) string {
		return Key("b2b_customer_acquisition_cost_by_program", map[string]string{"program": program, "currency": "EUR", "window": "1d"})
	}
	f.check(f.compute("2024-05-02 00:00:00"), map[string]string{
		byCampaign("Spring Sale"): "40",
		byCampaign("Brand"):       none,
		byCampaign("Autumn"):      "0",
		byCampaign("unknown"):     "0",
		byProgram("launch"):       "60", // two of the three name the campaign, one its ID
		byProgram("unknown"):      "0",
		byProgram("always"):       none,
	})
	f.settings.LabelMax = 1
	f.check(f.compute("2024-05-02 00:00:00"), map[string]string{
		byCampaign("Spring Sale"): "40",
		byCampaign("other"):       "10/3",
		byProgram("unknown"):      "0", // the most customers
		byProgram("other"):        "65",
	})
}

func TestOriginatedIsFirstTouch(t *testing.T) {
	f := newSpender(t)
	f.settings.LastTouch = true
	lead := func(id, customer, channel string) {
		f.add("crm", id, &record.Lead{
			Keys: record.Keys{ExternalIDs: []string{"shop:" + customer}}, CreatedAt: f.at("2024-04-01 00:00:00"), Touch: record.Touch{Channel: channel},
		})
	}
	lead("l1", "a0", "email")
	f.firstOrders(1, "a", "2024-05-01 10:00:00", "direct", 1)
	f.firstOrders(1, "b", "2024-05-01 10:00:00", "direct", 1)
	f.firstOrders(1, "c", "2024-05-01 10:00:00", "direct", 1)
	f.cost("c", date(2024, 5, 1), record.Cost{Category: record.CostMarketing, Channel: "direct", Amount: units(9)})
	want := map[string]string{
		`b2b_marketing_originated_customer_ratio{window="1d"}`:                                  "1/3",
		`b2b_customer_acquisition_cost_by_channel{channel="email",currency="EUR",window="1d"}`:  none,
		`b2b_customer_acquisition_cost_by_channel{channel="direct",currency="EUR",window="1d"}`: "3",
	}
	f.check(f.compute("2024-05-02 00:00:00"), want)
	f.settings.MarketingChannels = []string{"direct"}
	f.check(f.compute("2024-05-02 00:00:00"), map[string]string{`b2b_marketing_originated_customer_ratio{window="1d"}`: "2/3"})
}

func TestComparisonsOfCostsUseCompleteDays(t *testing.T) {
	f := newSpender(t)
	f.cost("first", date(2024, 1, 1), record.Cost{Category: record.CostMarketing, Amount: units(1)})
	for d := date(2024, 4, 1); d <= date(2024, 5, 3); d++ {
		f.cost(d.String(), d, record.Cost{Category: record.CostMarketing, Amount: units(float64(100 + d - date(2024, 4, 1)))})
	}
	f.check(f.compute("2024-05-03 12:00:00"), map[string]string{
		`b2b_marketing_cost{channel="unknown",currency="EUR",window="mtd"}`:                       "393", // 1 to 3 May
		`b2b_kpi_change_ratio{kpi="b2b_marketing_cost",versus="previous",window="mtd"}`:           "60/201",
		`b2b_kpi_change_ratio{kpi="b2b_marketing_cost",versus="previous",window="today"}`:         none,
		`b2b_kpi_change_ratio{kpi="b2b_marketing_cost",versus="previous",window="1d"}`:            "1/130",
		`b2b_kpi_change_ratio{kpi="b2b_marketing_cost",versus="previous",window="90d"}`:           none, // before the first cost
		`b2b_kpi_change_ratio{kpi="b2b_customer_acquisition_cost",versus="previous",window="1d"}`: none,
	})
}
