package collector_test

import (
	"testing"

	"github.com/b2bexporter/b2b_exporter/collector/internal/oracle"
	"github.com/b2bexporter/b2b_exporter/internal/record"
)

func byPlatform(metric, platform, w string) string {
	return series(metric, "platform="+platform, "window="+w)
}

func adsOf(metric, platform, channel, campaign, w string) string {
	return series(metric, "platform="+platform, "channel="+channel, "campaign="+campaign, "window="+w)
}

// The examples that define what ads bring.
func TestExamplesOfAds(t *testing.T) {
	c := newMarketer(t)
	const day = "2024-05-30"
	c.spend("g", day, "display", 500, record.Spend{
		Platform: "google", Impressions: units(1000), Clicks: units(50), Conversions: record.Micros(2_500_000), ConversionValue: units(750),
	})
	c.spend("m", day, "paid_social", 100, record.Spend{Platform: "meta", Clicks: units(10), Conversions: units(0)})
	out := c.compute("2024-05-31 12:00")
	check(t, out, map[string]string{
		byPlatform("b2b_ad_click_through_ratio", "google", "1d"):   "0.05",
		byPlatform("b2b_ad_cost_per_click", "meta", "1d"):          "10",
		byPlatform("b2b_ad_cost_per_click", "google", "1d"):        "10",
		byPlatform("b2b_ad_cost_per_acquisition", "google", "1d"):  "200",
		byPlatform("b2b_ad_conversion_ratio", "google", "1d"):      "0.05", // fractions are kept
		byPlatform("b2b_ad_return_on_spend_ratio", "google", "1d"): "1.5",
		byPlatform("b2b_ad_click_through_ratio", "meta", "1d"):     none, // its impressions are not known
		byPlatform("b2b_ad_cost_per_acquisition", "meta", "1d"):    none, // nobody converted
		byPlatform("b2b_ad_return_on_spend_ratio", "meta", "1d"):   none,
		byPlatform("b2b_ad_cost_per_click", "meta", "today"):       none,

		adsOf("b2b_ad_conversions", "google", "display", "unknown", "1d"):   "2.5",
		adsOf("b2b_ad_impressions", "google", "display", "unknown", "1d"):   "1000",
		adsOf("b2b_ad_impressions", "meta", "paid_social", "unknown", "1d"): none,
		adsOf("b2b_ad_clicks", "meta", "paid_social", "unknown", "1d"):      "10",
		adsOf("b2b_ad_cost", "meta", "paid_social", "unknown", "1d"):        "100",
		adsOf("b2b_ad_cost", "google", "display", "unknown", "today"):       "0",
	})
	checkReasons(t, out, map[string]string{
		"b2b_ad_cost|1d": none, "b2b_ad_cost|today": none, "b2b_ad_click_through_ratio|today": "zero_denominator",
		"b2b_ad_cost_per_acquisition|1d": none,
	})
}

// A campaign is spelled alike everywhere, bounded by what the metric itself sums, and
// follows what the platform restates.
func TestAdsByCampaign(t *testing.T) {
	c := newMarketer(t, func(s *oracle.Settings) { s.LabelMax = 2 })
	for i, of := range []struct {
		campaign     string
		cost, clicks int64
	}{{"Brand", 10, 1}, {"brand ", 9, 2}, {"Spring", 8, 30}, {"Summer", 8, 40}, {"", 6, 5}} {
		c.spend(numbered("s", i), "2024-05-29", "display", of.cost, record.Spend{Platform: "google", Touch: record.Touch{Campaign: of.campaign}, Clicks: units(of.clicks)})
	}
	c.spend("y", "2024-05-30", "display", 1, record.Spend{Platform: "google", Touch: record.Touch{Campaign: "Summer"}})
	cost := func(campaign, w string) string { return adsOf("b2b_ad_cost", "google", "display", campaign, w) }
	clicks := func(campaign, w string) string {
		return adsOf("b2b_ad_clicks", "google", "display", campaign, w)
	}
	check(t, c.compute("2024-05-31 12:00"), map[string]string{
		cost("Brand", "7d"): "19", cost("Summer", "7d"): "9", cost("other", "7d"): "14", cost("Spring", "7d"): none,
		clicks("Summer", "7d"): "40", clicks("Spring", "7d"): "30", clicks("other", "7d"): "8",
		cost("Summer", "1d"): "1", cost("Brand", "1d"): "0", cost("unknown", "1d"): "0", cost("other", "1d"): none,
		clicks("Summer", "1d"):                              none, // not known
		byPlatform("b2b_ad_cost_per_click", "google", "7d"): "42/78",
	})
	// Clicks that are taken back make the day cheaper.
	c.spend("s000", "2024-05-29", "display", 4, record.Spend{Platform: "google", Touch: record.Touch{Campaign: "Brand"}, Clicks: units(1)})
	c.remove("ads", "s003", &record.Spend{})
	check(t, c.compute("2024-05-31 12:00"), map[string]string{
		cost("Brand", "7d"): "13", cost("Spring", "7d"): "8", cost("other", "7d"): "7",
	})
}

// Ad spend is compared over complete days, and converted at its day.
func TestChangesOfAds(t *testing.T) {
	c := newMarketer(t)
	c.rate("USD", "2024-05-01", 200)
	c.rate("USD", "2024-05-02", 400)
	c.spend("first", "2024-01-01", "display", 0, record.Spend{Platform: "google"})
	for day, cost := range map[string]int64{"2024-05-01": 80, "2024-05-02": 400, "2024-05-03": 5000, "2024-04-01": 10, "2024-04-02": 60, "2024-04-03": 900} {
		currency := ""
		if day > "2024-05" {
			currency = "USD"
		}
		c.spend(day, day, "display", cost, record.Spend{Platform: "google", Currency: currency, Clicks: units(10)})
	}
	check(t, c.compute("2024-05-03 12:00"), map[string]string{
		adsOf("b2b_ad_cost", "google", "display", "unknown", "mtd"): "1390", // 40, 100 and 1250
		changeOf("b2b_ad_cost", "mtd", "previous"):                  "1",    // 140 against 70
		changeOf("b2b_ad_cost", "1d", "previous"):                   "1.5",  // 100 against 40
		changeOf("b2b_ad_cost", "today", "previous"):                none,
		changeOf("b2b_ad_click_through_ratio", "1d", "previous"):    none,
	})
}

// Variants are the arms of the platform's experiments; what has none is no variant.
func TestVariants(t *testing.T) {
	given := func(labelMax int) *company {
		c := newMarketer(t, func(s *oracle.Settings) { s.LabelMax = labelMax })
		for _, of := range []struct {
			campaign, variant   string
			clicks, conversions int64
		}{{"Brand", "A", 100, 10}, {"Brand", "B", 100, 20}, {"Spring", "C", 10, 1}, {"Spring", "", 1000, 500}} {
			c.spend(of.campaign+of.variant, "2024-05-30", "display", 1, record.Spend{
				Platform: "google", Touch: record.Touch{Campaign: of.campaign}, Variant: of.variant, Clicks: units(of.clicks), Conversions: units(of.conversions),
			})
		}
		return c
	}
	ratio := func(campaign, variant string) string {
		return series("b2b_ad_variant_conversion_ratio", "platform=google", "campaign="+campaign, "variant="+variant, "window=1d")
	}
	check(t, given(50).compute("2024-05-31 12:00"), map[string]string{
		ratio("Brand", "A"): "0.1", ratio("Brand", "B"): "0.2", ratio("Spring", "C"): "0.1", ratio("Spring", "unknown"): none,
	})
	// A has as many clicks as B, and comes first.
	check(t, given(1).compute("2024-05-31 12:00"), map[string]string{
		ratio("Brand", "A"): "0.1", ratio("Brand", "other"): "0.2", ratio("other", "other"): "0.1", ratio("Brand", "B"): none,
	})
}

// Scores of the last 30 days, weighted by impressions.
func TestScoresOfAds(t *testing.T) {
	c := newMarketer(t)
	for i, q := range []struct {
		day, dimension     string
		score, impressions int64
	}{
		{"2024-05-30", "quality_score", 8, 300},
		{"2024-05-01", "quality_score", 4, 100}, // the first of 30 days
		{"2024-04-30", "quality_score", 1, 9000},
		{"2024-05-31", "quality_score", 1, 9000}, // today
		{"2024-05-30", "engagement", 5, 1},
		{"2024-05-30", "conversion", 5, 0}, // seen by nobody
	} {
		c.add("ads", numbered("q", i), &record.AdQuality{
			Day: c.day(q.day), Platform: "google", Dimension: q.dimension, Score: units(q.score), Impressions: units(q.impressions),
		})
	}
	check(t, c.compute("2024-05-31 12:00"), map[string]string{
		series("b2b_ad_quality_score", "platform=google"):                           "7",
		series("b2b_ad_relevance_score", "platform=google", "dimension=engagement"): "5",
		series("b2b_ad_relevance_score", "platform=google", "dimension=conversion"): none,
	})
}
