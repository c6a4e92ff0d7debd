package collector_test

import (
	"testing"

	"github.com/b2bexporter/b2b_exporter/internal/record"
)

// A monthly cost is spread evenly over the days of each calendar month that it covers.
func TestMonthlyCosts(t *testing.T) {
	t.Run("over a leap day", func(t *testing.T) {
		c := newMarketer(t)
		c.monthly("agency", "2024-02-29", "", record.Cost{Amount: units(2900), Channel: "email"})
		check(t, c.compute("2024-03-02 12:00"), map[string]string{
			marketingCost("email", "1d"):    "2900/31", // 1 March
			marketingCost("email", "today"): "2900/31", // the running day whole
			marketingCost("email", "mtd"):   "5800/31", // 1 and 2 March
			marketingCost("email", "7d"):    "6000/31", // 100 for 29 February, and 1 March
			marketingCost("email", "90d"):   "6000/31", // nothing before it began
			marketingCost("email", "qtd"):   "8900/31", // 100, and two days of March
			salesCost("7d"):                 none,      // nobody knows
			marketingCost("unknown", "7d"):  none,      // every cost has a channel
		})
	})
	t.Run("over a February of 28 days", func(t *testing.T) {
		c := newMarketer(t)
		c.monthly("agency", "2023-01-31", "", record.Cost{Amount: units(2800), Category: record.CostSales})
		check(t, c.compute("2023-03-01 00:00"), map[string]string{
			salesCost("1d"):  "100",      // 28 February
			salesCost("30d"): "89600/31", // 2800, and a day of January
			salesCost("mtd"): "0",        // not a moment of March has passed
		})
	})
	t.Run("until the last day", func(t *testing.T) {
		c := newMarketer(t)
		c.monthly("agency", "2024-03-31", "2024-04-15", record.Cost{Amount: units(3000)})
		check(t, c.compute("2024-04-20 12:00"), map[string]string{
			marketingCost("unknown", "7d"):  "300", // 13, 14 and 15 April
			marketingCost("unknown", "mtd"): "1500",
			marketingCost("unknown", "30d"): "49500/31", // 1500, and a day of March
			marketingCost("unknown", "1d"):  "0",
		})
	})
	t.Run("on a day of 23 hours", func(t *testing.T) {
		c := newMarketer(t, inZone("Europe/Berlin"))
		c.monthly("agency", "2024-03-01", "", record.Cost{Amount: units(3100)})
		check(t, c.compute("2024-04-01 00:00"), map[string]string{
			marketingCost("unknown", "1d"):  "100",
			marketingCost("unknown", "30d"): "3000",
		})
	})
}

// A cost that is paid once is spread evenly over its days, the last one included.
func TestCostsPaidOnce(t *testing.T) {
	c := newMarketer(t)
	c.spread("fair", "2024-02-28", "2024-03-01", record.Cost{Amount: units(90), Channel: "event"})
	c.once("stand", "2024-02-29", record.Cost{Amount: units(7), Channel: " Event "})
	c.spread("video", "2024-02-29", "", record.Cost{Amount: units(5), Channel: "video"}) // of a single day
	c.once("gifts", "2024-02-29", record.Cost{Amount: units(3), Channel: "presents"})    // no channel of the vocabulary
	undated := record.Cost{Category: record.CostMarketing, Period: record.PeriodOnce, From: record.NoDay, To: record.NoDay, Amount: units(1000), Channel: "sms"}
	c.add("budget", "undated", &undated)
	c.add("budget", "weekly", &record.Cost{Category: record.CostMarketing, Period: "week", From: c.day("2024-02-01"), To: record.NoDay, Amount: units(1000), Channel: "sms"})
	c.once("rent", "2024-02-29", record.Cost{Category: "rent", Amount: units(1000), Channel: "sms"})
	out := c.compute("2024-03-01 12:00")
	check(t, out, map[string]string{
		marketingCost("event", "today"):     "30",
		marketingCost("event", "1d"):        "37",
		marketingCost("event", "7d"):        "67",
		marketingCost("event", "qtd"):       "97",
		marketingCost("video", "1d"):        "5",
		marketingCost("video", "today"):     "0",
		marketingCost("unknown", "1d"):      "3",
		marketingCost("presents", "1d"):     none,
		marketingCost("sms", "ytd"):         none,
		inWindow("b2b_sales_cost", "today"): none,
	})
	checkReasons(t, out, map[string]string{"b2b_marketing_cost|1d": none, "b2b_cac_marketing_ratio|1d": "source_missing"})

	// What changes or goes takes its part away.
	c.spread("fair", "2024-02-29", "2024-02-29", record.Cost{Amount: units(20), Channel: "event"})
	c.remove("budget", "stand", &record.Cost{})
	check(t, c.compute("2024-03-01 12:00"), map[string]string{
		marketingCost("event", "today"): "0", marketingCost("event", "1d"): "20", marketingCost("event", "qtd"): "20",
	})
	for _, id := range []string{"fair", "video", "gifts", "undated", "weekly", "rent"} {
		c.remove("budget", id, &record.Cost{})
	}
	check(t, c.compute("2024-03-01 12:00"), map[string]string{marketingCost("event", "1d"): none, marketingCost("video", "1d"): none})
}

// Each day's part is converted at that day's rate; without one there is no sum.
func TestCostsInOtherCurrencies(t *testing.T) {
	c := newMarketer(t)
	c.rate("USD", "2024-01-01", 300)
	c.rate("USD", "2024-05-10", 200)
	c.spread("fair", "2024-05-09", "2024-05-11", record.Cost{Amount: units(180), Currency: "USD"})
	c.monthly("salaries", "2024-05-01", "", record.Cost{Category: record.CostSales, Amount: units(3100)})
	c.spend("s", "2024-05-10", "paid_search", 50, record.Spend{Currency: "USD"})
	out := c.compute("2024-05-10 12:00")
	check(t, out, map[string]string{
		marketingCost("unknown", "1d"):             "20", // 60 at 3
		marketingCost("unknown", "today"):          "30", // 60 at 2
		marketingCost("unknown", "mtd"):            "50",
		marketingCost("paid_search", "today"):      "25",
		salesCost("mtd"):                           "1000",
		inWindow("b2b_cac_marketing_ratio", "mtd"): "75/1075",
		inWindow("b2b_cac_marketing_ratio", "1d"):  "20/120",
	})

	// Yesterday nobody knew what a pound was worth.
	c.once("london", "2024-05-09", record.Cost{Amount: units(10), Currency: "GBP", Channel: "event"})
	out = c.compute("2024-05-10 12:00")
	check(t, out, map[string]string{
		marketingCost("event", "1d"):               none,
		marketingCost("event", "today"):            "0",
		marketingCost("unknown", "1d"):             "20", // another channel's does not suffer
		inWindow("b2b_cac_marketing_ratio", "1d"):  none,
		inWindow("b2b_cac_marketing_ratio", "mtd"): none,
		salesCost("1d"):                            "100",
	})
	checkReasons(t, out, map[string]string{
		"b2b_marketing_cost|1d": "no_rate", "b2b_marketing_cost|today": none, "b2b_cac_marketing_ratio|1d": "no_rate",
		"b2b_customer_acquisition_cost|1d": "no_rate", "b2b_cost_per_lead|1d": "no_rate", "b2b_marketing_roi_ratio|1d": "no_rate",
	})
	c.rate("GBP", "2024-05-09", 50)
	check(t, c.compute("2024-05-10 12:00"), map[string]string{
		marketingCost("event", "1d"): "20", inWindow("b2b_cac_marketing_ratio", "1d"): "40/140",
	})
}

// A cost without an amount is not 0.
func TestCostsWithoutAmount(t *testing.T) {
	c := newMarketer(t)
	c.once("fair", "2024-05-09", record.Cost{Channel: "event"})
	out := c.compute("2024-05-10 12:00")
	check(t, out, map[string]string{marketingCost("event", "1d"): none, marketingCost("event", "today"): "0"})
	checkReasons(t, out, map[string]string{"b2b_marketing_cost|1d": "no_data", "b2b_marketing_cost|today": none})
	c.once("stand", "2024-05-09", record.Cost{Channel: "event", Amount: units(4)})
	check(t, c.compute("2024-05-10 12:00"), map[string]string{marketingCost("event", "1d"): "4"})
}

// What platforms spend is a cost of marketing, by day, and follows what they restate.
func TestAdSpendIsMarketingCost(t *testing.T) {
	c := newMarketer(t)
	c.spend("s1", "2024-05-08", "display", 40, record.Spend{})
	c.spend("s2", "2024-05-09", "display", 100, record.Spend{})
	c.spend("s3", "2024-05-10", "", 9, record.Spend{Touch: record.Touch{Source: "facebook", Medium: "cpc"}})
	c.once("c", "2024-05-09", record.Cost{Channel: "display", Amount: units(1)})
	check(t, c.compute("2024-05-10 12:00"), map[string]string{
		marketingCost("display", "1d"): "101", marketingCost("display", "7d"): "141", marketingCost("display", "today"): "0",
		marketingCost("paid_social", "today"): "9",
	})
	c.spend("s2", "2024-05-09", "display", 60, record.Spend{})
	c.remove("ads", "s1", &record.Spend{})
	c.add("ads", "s4", &record.Spend{Day: c.day("2024-05-08"), Touch: record.Touch{Channel: "video"}}) // what it cost is not known
	out := c.compute("2024-05-10 12:00")
	check(t, out, map[string]string{
		marketingCost("display", "1d"): "61", marketingCost("display", "7d"): "61",
		marketingCost("video", "7d"): none, marketingCost("video", "1d"): "0",
	})
	checkReasons(t, out, map[string]string{"b2b_marketing_cost|7d": none}) // 70 are known
}

// Without any cost or ad platform nobody knows what marketing costs.
func TestMarketingCostsAreMissing(t *testing.T) {
	c := newCompany(t) // no ads
	c.firstOrders(1, "c", "2024-05-09 12:00", "email", 10)
	out := c.compute("2024-05-10 12:00")
	for _, metric := range []string{"b2b_marketing_roi_ratio", "b2b_unpaid_new_customer_ratio", "b2b_cost_per_lead", "b2b_cac_payback_seconds"} {
		check(t, out, map[string]string{inWindow(metric, "1d"): none})
	}
	check(t, out, map[string]string{costByChannel("email", "1d"): none, costOf("marketing", "1d"): none})
	checkReasons(t, out, map[string]string{
		"b2b_marketing_cost|1d": "source_missing", "b2b_customer_acquisition_cost|1d": "source_missing", "b2b_cost_per_lead|1d": "source_missing",
		"b2b_marketing_roi_ratio|1d": "source_missing", "b2b_marketing_originated_customer_ratio|1d": none,
	})
	// An ad platform that has not been used yet cost nothing.
	c = newMarketer(t)
	c.firstOrders(1, "c", "2024-05-09 12:00", "email", 10)
	out = c.compute("2024-05-10 12:00")
	check(t, out, map[string]string{
		costOf("marketing", "1d"): "0", costByChannel("email", "1d"): "0", inWindow("b2b_unpaid_new_customer_ratio", "1d"): "1",
		inWindow("b2b_marketing_roi_ratio", "1d"): none, costOf("paid", "1d"): none,
	})
	checkReasons(t, out, map[string]string{"b2b_marketing_cost|1d": none, "b2b_marketing_roi_ratio|1d": "zero_denominator"})
}
