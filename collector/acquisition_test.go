package collector_test

import (
	"testing"

	"github.com/b2bexporter/b2b_exporter/collector/internal/oracle"
	"github.com/b2bexporter/b2b_exporter/internal/record"
)

const cacKPI = "b2b_customer_acquisition_cost"

// Without any sales cost nothing is fully loaded, and the headline is on marketing cost.
func TestSalesCostsAreMissing(t *testing.T) {
	c := newMarketer(t)
	c.once("fair", "2024-05-09", record.Cost{Amount: units(90)})
	c.firstOrders(3, "c", "2024-05-09 12:00", "email", 10)
	out := c.compute("2024-05-10 12:00")
	check(t, out, map[string]string{
		costOf("marketing", "1d"): "30", costOf("fully_loaded", "1d"): none, salesCost("1d"): none,
		inWindow("b2b_cac_marketing_ratio", "1d"): none, inWindow("b2b_cac_payback_seconds", "1d"): none,
		inWindow("b2b_marginal_customer_acquisition_cost", "1d"): none,
		costOf("marketing", "today"):                             none, // nobody is new
	})
	checkReasons(t, out, map[string]string{
		"b2b_cac_marketing_ratio|1d": "source_missing", "b2b_ltv_cac_ratio|1d": "source_missing",
		cacKPI + "|1d": none, cacKPI + "|today": "zero_denominator",
	})

	// However long ago: there are sales costs.
	c.once("bonus", "2022-01-01", record.Cost{Amount: units(1), Category: record.CostSales})
	out = c.compute("2024-05-10 12:00")
	check(t, out, map[string]string{
		costOf("marketing", "1d"): "30", costOf("fully_loaded", "1d"): "30", salesCost("1d"): "0",
		inWindow("b2b_cac_marketing_ratio", "1d"):    "1",
		inWindow("b2b_cac_marketing_ratio", "today"): none, // nothing was spent
	})
	checkReasons(t, out, map[string]string{
		"b2b_cac_marketing_ratio|1d": none, "b2b_cac_marketing_ratio|today": "zero_denominator", "b2b_ltv_cac_ratio|1d": "immature",
	})

	c.remove("budget", "bonus", &record.Cost{})
	checkReasons(t, c.compute("2024-05-10 12:00"), map[string]string{"b2b_cac_marketing_ratio|1d": "source_missing"})
}

// The headline is fully loaded where there are sales costs, else of marketing.
func TestHeadlineOfAcquisitionCost(t *testing.T) {
	c := newMarketer(t)
	c.once("old", "2024-05-01", record.Cost{Amount: units(0)})
	c.order("old", "old", "2024-05-01 12:00", record.Order{})
	for day, cost := range map[string]int64{"2024-05-08": 10, "2024-05-09": 15} {
		c.once(day, day, record.Cost{Amount: units(cost)})
		c.order(day, day, day+" 12:00", record.Order{})
	}
	change := changeOf(cacKPI, "1d", "previous")
	check(t, c.compute("2024-05-10 00:00"), map[string]string{change: "0.5"})
	c.once("s8", "2024-05-08", record.Cost{Amount: units(40), Category: record.CostSales})
	c.once("s9", "2024-05-09", record.Cost{Amount: units(25), Category: record.CostSales})
	check(t, c.compute("2024-05-10 00:00"), map[string]string{change: "-0.2"}) // 40 against 50
}

// Paid: what ads cost by the new customers of the channels that had spend that is not 0.
func TestPaidAcquisitionCost(t *testing.T) {
	c := newMarketer(t)
	c.spend("s1", "2024-05-09", "paid_search", 60, record.Spend{})
	c.spend("s2", "2024-05-09", "email", 0, record.Spend{})
	c.once("c", "2024-05-09", record.Cost{Channel: "event", Amount: units(100)}) // no ads
	for channel, n := range map[string]int{"paid_search": 2, "email": 3, "event": 5} {
		c.firstOrders(n, channel, "2024-05-09 12:00", channel, 10)
	}
	out := c.compute("2024-05-10 12:00")
	check(t, out, map[string]string{
		costOf("paid", "1d"): "30", costOf("marketing", "1d"): "16", costOf("paid", "today"): none,
		inWindow("b2b_unpaid_new_customer_ratio", "1d"): "0.3", // e-mail's
	})
	// A spend of another day pays for nobody of this one.
	c.spend("s3", "2024-05-08", "email", 1, record.Spend{})
	check(t, c.compute("2024-05-10 12:00"), map[string]string{
		costOf("paid", "1d"): "30", costOf("paid", "7d"): "61/5", inWindow("b2b_unpaid_new_customer_ratio", "7d"): "0",
	})
}

// By channel: customers without cost cost 0, a cost without customers is no ratio.
func TestAcquisitionCostByChannel(t *testing.T) {
	c := newMarketer(t)
	c.once("c1", "2024-05-09", record.Cost{Channel: "event", Amount: units(90)})
	c.once("c2", "2024-05-09", record.Cost{Channel: "video", Amount: units(10)})
	c.once("s", "2024-05-09", record.Cost{Category: record.CostSales, Channel: "event", Amount: units(1000)})
	c.firstOrders(3, "e", "2024-05-09 12:00", "event", 10)
	c.firstOrders(2, "m", "2024-05-09 12:00", "email", 10)
	check(t, c.compute("2024-05-10 12:00"), map[string]string{
		costByChannel("event", "1d"): "30", costByChannel("email", "1d"): "0", costByChannel("video", "1d"): none,
		costByChannel("event", "today"): none,
		costOf("fully_loaded", "1d"):    "220",
	})
}

// A lag moves the days of costs that new customers are held against, and nothing else.
func TestLagOfCosts(t *testing.T) {
	c := newMarketer(t, few(1), func(s *oracle.Settings) { s.CACLagDays = 7 })
	c.once("then", "2024-05-02", record.Cost{Channel: "event", Amount: units(60)})
	c.once("then s", "2024-05-02", record.Cost{Category: record.CostSales, Amount: units(20)})
	c.spend("then a", "2024-05-02", "paid_search", 40, record.Spend{})
	c.once("now", "2024-05-09", record.Cost{Channel: "email", Amount: units(9)})
	c.order("old", "old", "2023-01-01 12:00", record.Order{})
	c.firstOrders(2, "e", "2024-05-09 12:00", "event", 45)
	c.firstOrders(2, "p", "2024-05-09 12:00", "paid_search", 45)
	c.firstOrders(1, "m", "2024-05-09 12:00", "email", 45)
	c.lead("l", "2024-05-09 12:00", record.Lead{})
	out := c.compute("2024-05-10 00:00")
	check(t, out, map[string]string{
		costOf("marketing", "1d"):                                 "20",
		costOf("fully_loaded", "1d"):                              "24",
		costOf("paid", "1d"):                                      "20",
		costByChannel("event", "1d"):                              "30",
		costByChannel("email", "1d"):                              "0",
		costByCampaign("event", "unknown", "1d"):                  "30",
		inWindow("b2b_cac_marketing_ratio", "1d"):                 "100/120",
		inWindow("b2b_cac_payback_seconds", "1d"):                 "4147200", // 24 / (225 / 3 / 5) of 30 days
		marketingCost("event", "1d"):                              "0",
		marketingCost("email", "1d"):                              "9",
		salesCost("1d"):                                           "0",
		inWindow("b2b_cost_per_lead", "1d"):                       "9",
		inWindow("b2b_marketing_roi_ratio", "1d"):                 "4", // e-mail's 45 for 9
		inWindow("b2b_unpaid_new_customer_ratio", "1d"):           "0.8",
		inWindow("b2b_marginal_customer_acquisition_cost", "30d"): none, // before the first cost
		costOf("marketing", "7d"):                                 "20", // 26 April to 2 May
		marketingCost("event", "30d"):                             "60",
		costOf("marketing", "30d"):                                "20",
	})
}

// Gain: what the window's new customers brought in it, gross profit where every order of
// a customer has costs.
func TestReturnOfMarketing(t *testing.T) {
	c := newMarketer(t)
	email := record.Touch{Channel: "email"}
	c.once("c1", "2024-05-09", record.Cost{Channel: "email", Amount: units(40)})
	c.once("c2", "2024-05-09", record.Cost{Channel: "event", Amount: units(10)})
	c.once("c3", "2024-05-09", record.Cost{Channel: "sms", Amount: units(0)})
	c.once("s", "2024-05-09", record.Cost{Category: record.CostSales, Amount: units(5000)}) // not a matter of marketing
	c.order("a1", "acme", "2024-05-09 09:00", record.Order{Gross: units(100), Cost: units(70), Touch: email})
	c.order("a2", "acme", "2024-05-09 10:00", record.Order{Gross: units(50), Discount: units(10), Cost: units(20)})
	c.order("b1", "bolt", "2024-05-09 09:00", record.Order{Gross: units(60), Cost: units(1), Touch: email})
	c.order("b2", "bolt", "2024-05-09 10:00", record.Order{Gross: units(40)}) // costs nobody knows
	c.refund("rb", "2024-05-09 11:00", record.Refund{Order: "b2", Amount: units(15)})
	c.order("old", "crest", "2024-05-01 09:00", record.Order{Gross: units(500), Touch: email}) // not new
	c.order("c", "crest", "2024-05-09 09:00", record.Order{Gross: units(500), Touch: email})
	c.order("d", "delta", "2024-05-09 09:00", record.Order{Gross: units(1000), Touch: record.Touch{Channel: "partner"}}) // free
	c.order("e", "eagle", "2024-05-09 09:00", record.Order{Gross: units(9), Touch: record.Touch{Channel: "sms"}})
	c.order("f", "fox", "2024-05-10 09:00", record.Order{Gross: units(77), Touch: email}) // today
	byChannel := func(channel, w string) string {
		return series("b2b_marketing_roi_ratio_by_channel", "channel="+channel, "window="+w)
	}
	out := c.compute("2024-05-10 12:00")
	check(t, out, map[string]string{
		byChannel("email", "1d"):                        "2.375", // 50 of acme, 85 of bolt, for 40
		byChannel("event", "1d"):                        "-1",    // nothing came of it
		byChannel("partner", "1d"):                      none,
		byChannel("sms", "1d"):                          none,  // costs nothing
		inWindow("b2b_marketing_roi_ratio", "1d"):       "1.7", // 135 for 50
		inWindow("b2b_marketing_roi_ratio", "today"):    none,
		inWindow("b2b_marketing_roi_ratio", "mtd"):      "23.24", // and crest's 1000, fox's 77, eagle's not
		inWindow("b2b_unpaid_new_customer_ratio", "1d"): "0.5",   // delta and eagle
	})
	checkReasons(t, out, map[string]string{"b2b_marketing_roi_ratio|today": "zero_denominator"})
}

// Originated is always by first touch, whatever new customers are counted under.
func TestOriginatedByMarketing(t *testing.T) {
	for _, test := range []struct {
		name       string
		change     func(*oracle.Settings)
		n, ratio   string
		email, own string // cost by channel
	}{
		{"first touch", func(*oracle.Settings) {}, "2", "0.5", "30", "0"},
		{"last touch", func(s *oracle.Settings) { s.LastTouch = true }, "2", "0.5", none, "0"},
		{"other channels are marketing", func(s *oracle.Settings) { s.MarketingChannels = []string{"direct", "partner"} }, "1", "0.25", "30", "0"},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := newMarketer(t, test.change)
			c.once("c", "2024-05-09", record.Cost{Channel: "email", Amount: units(30)})
			for customer, touches := range map[string][2]string{ // of its lead, of its order
				"acme": {"email", "direct"}, "bolt": {"", "partner"}, "crest": {"offline", ""}, "delta": {"sales_outbound", "offline"},
			} {
				c.add("shop", customer, &record.Customer{})
				if touches[0] != "" {
					c.lead("l"+customer, "2024-05-01 12:00", record.Lead{
						Keys: record.Keys{ExternalIDs: []string{"shop:" + customer}}, Touch: record.Touch{Channel: touches[0]},
					})
				}
				c.order("o"+customer, customer, "2024-05-09 12:00", record.Order{Touch: record.Touch{Channel: touches[1]}})
			}
			check(t, c.compute("2024-05-10 12:00"), map[string]string{
				inWindow("b2b_marketing_originated_customers", "1d"):         test.n,
				inWindow("b2b_marketing_originated_customer_ratio", "1d"):    test.ratio,
				inWindow("b2b_marketing_originated_customers", "today"):      "0",
				inWindow("b2b_marketing_originated_customer_ratio", "today"): none,
				costByChannel("email", "1d"):                                 test.email,
				costByChannel("partner", "1d"):                               test.own,
			})
		})
	}
}

// Change in cost by change in new customers, where these rose.
func TestMarginalAcquisitionCost(t *testing.T) {
	marginal := func(w string) string { return inWindow("b2b_marginal_customer_acquisition_cost", w) }
	c := newMarketer(t)
	c.salaries("2024-01-01")
	c.once("first", "2024-01-01", record.Cost{Amount: units(0)})
	c.order("first", "old", "2024-01-01 00:00", record.Order{})
	c.once("m8", "2024-05-08", record.Cost{Amount: units(100)})
	c.once("s8", "2024-05-08", record.Cost{Amount: units(20), Category: record.CostSales})
	c.once("m9", "2024-05-09", record.Cost{Amount: units(160)})
	c.once("s9", "2024-05-09", record.Cost{Amount: units(30), Category: record.CostSales})
	c.firstOrders(1, "a", "2024-05-08 12:00", "", 1)
	c.firstOrders(3, "b", "2024-05-09 12:00", "", 1)
	check(t, c.compute("2024-05-10 12:00"), map[string]string{
		marginal("1d"):    "35",   // (190 - 120) / (3 - 1)
		marginal("7d"):    "77.5", // 310 / 4
		marginal("mtd"):   "77.5", // of complete days: 1 to 9 May against 1 to 9 April
		marginal("today"): none,   // no complete day
		marginal("365d"):  none,   // the year before lies before the first cost
		marginal("ytd"):   none,
	})
	// As many as before, and fewer: the cost of one more is not known.
	c.firstOrders(2, "c", "2024-05-08 13:00", "", 1)
	check(t, c.compute("2024-05-10 12:00"), map[string]string{marginal("1d"): none, marginal("7d"): "310/6"})
	c.firstOrders(1, "d", "2024-05-08 14:00", "", 1)
	check(t, c.compute("2024-05-10 12:00"), map[string]string{marginal("1d"): none})
	// More customers at less cost: what one more cost is negative.
	for _, id := range []string{"c000", "c001", "d000"} {
		c.remove("shop", id, &record.Order{})
	}
	c.once("m9", "2024-05-09", record.Cost{Amount: units(50)})
	check(t, c.compute("2024-05-10 12:00"), map[string]string{marginal("1d"): "-20"})
}

// The first cost of either category, and the shop's first record, must lie before what is compared with.
func TestMarginalAcquisitionCostMatures(t *testing.T) {
	marginal := inWindow("b2b_marginal_customer_acquisition_cost", "1d")
	for _, test := range []struct{ name, marketing, sales, order, want string }{
		{"all on the day before", "2024-05-08", "2024-05-08", "2024-05-08 00:00", "5"},
		{"marketing costs later", "2024-05-09", "2024-05-08", "2024-05-08 00:00", "5"}, // of a source that has others before
		{"costs later", "2024-05-09", "2024-05-09", "2024-05-08 00:00", none},
		{"orders later", "2024-05-08", "2024-05-08", "2024-05-08 00:00:01", none},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := newMarketer(t)
			c.once("m", test.marketing, record.Cost{Amount: units(0)})
			c.once("s", test.sales, record.Cost{Amount: units(0), Category: record.CostSales})
			c.once("now", "2024-05-09", record.Cost{Amount: units(10)})
			c.order("old", "old", test.order, record.Order{})
			c.firstOrders(3, "n", "2024-05-09 12:00", "", 1)
			check(t, c.compute("2024-05-10 00:00"), map[string]string{marginal: test.want})
		})
	}
}

// Lifetime value and payback are held against the fully loaded cost.
func TestValueAgainstAcquisitionCost(t *testing.T) {
	c := newMarketer(t, few(1))
	c.order("old", "gone", "2023-01-01 00:00", record.Order{Gross: units(40)})
	for _, customer := range []string{"acme", "bolt"} {
		c.loyal(customer, record.Order{Gross: units(100), Cost: units(60)})
	}
	// Lost in the second of the six windows: with acme and bolt 1 of 14 are.
	c.order("d", "delta", "2023-12-01 00:00", record.Order{Gross: units(10)})
	c.firstOrders(2, "new", "2024-06-20 00:00", "email", 50)
	c.once("m", "2024-06-20", record.Cost{Amount: units(25)})
	c.once("s", "2024-06-20", record.Cost{Amount: units(5), Category: record.CostSales})
	out := c.compute("2024-07-01 00:00")
	check(t, out, map[string]string{
		// m: 40 + 40 + 50 + 50 in 90 days, by 3 months and 4 customers.
		lifetime("predicted"):                      "210", // 15 x 14
		costOf("fully_loaded", "30d"):              "15",
		inWindow("b2b_ltv_cac_ratio", "30d"):       "14",
		inWindow("b2b_cac_payback_seconds", "30d"): "2592000", // a month
		costOf("fully_loaded", "365d"):             "6",       // of five new customers
		inWindow("b2b_ltv_cac_ratio", "365d"):      "35",
		inWindow("b2b_ltv_cac_ratio", "7d"):        none, // nobody is new
	})
	checkReasons(t, out, map[string]string{"b2b_ltv_cac_ratio|30d": none, "b2b_ltv_cac_ratio|7d": "zero_denominator"})
	// Nobody new for nothing: there is no ratio to a cost of 0, and nothing to pay back.
	c.once("m", "2024-06-20", record.Cost{Amount: units(0)})
	c.once("s", "2024-06-20", record.Cost{Amount: units(0), Category: record.CostSales})
	check(t, c.compute("2024-07-01 00:00"), map[string]string{
		inWindow("b2b_ltv_cac_ratio", "30d"): none, inWindow("b2b_cac_payback_seconds", "30d"): "0",
	})
}

// Running windows are compared over complete days on both sides.
func TestComparisonsOfCostsUseCompleteDays(t *testing.T) {
	c := newMarketer(t)
	c.once("first", "2024-01-01", record.Cost{Amount: units(0)})
	c.order("first", "first", "2024-01-01 00:00", record.Order{})
	for day, cost := range map[string]int64{"2024-04-01": 20, "2024-04-02": 30, "2024-04-03": 70, "2024-05-01": 60, "2024-05-02": 90, "2024-05-03": 1000} {
		c.once(day, day, record.Cost{Amount: units(cost)})
	}
	for i, placed := range []string{"2024-04-01 12:00", "2024-04-03 09:00", "2024-05-01 09:00", "2024-05-02 23:59:59.999999", "2024-05-03 09:00"} {
		c.order(numbered("o", i), numbered("c", i), placed, record.Order{})
	}
	out := c.compute("2024-05-03 12:00")
	check(t, out, map[string]string{
		marketingCost("unknown", "mtd"):                     "1150",
		changeOf("b2b_marketing_cost", "mtd", "previous"):   "2", // 150 of 1 and 2 May against 50
		costOf("marketing", "mtd"):                          "1150/3",
		changeOf(cacKPI, "mtd", "previous"):                 "0.5", // 150 / 2 against 50 / 1
		changeOf("b2b_marketing_cost", "today", "previous"): none,
		changeOf("b2b_marketing_cost", "1d", "previous"):    "0.5", // 90 against 60
		changeOf("b2b_marketing_cost", "mtd", "year_ago"):   none,
		// What is not known by day is compared as it stands: 3 new customers against 2 until 12:00.
		changeOf("b2b_customers_new", "mtd", "previous"): "0.5",
	})
}
