package oracle

import (
	"testing"

	"github.com/b2bexporter/b2b_exporter/internal/record"
)

func newAdvertiser(t *testing.T) *fixture {
	f := newSpender(t)
	f.settings.Collectors = []string{Ads}
	return f
}

// Worked examples 4 and 12.
func TestAdsOfWorkedExamples(t *testing.T) {
	f := newAdvertiser(t)
	f.add("ads", "s", &record.Spend{
		Day: date(2024, 5, 1), Platform: "google", Impressions: units(1000), Clicks: units(50), Conversions: units(2.5), Cost: units(500), ConversionValue: units(750),
	})
	f.add("ads", "m", &record.Spend{Day: date(2024, 5, 1), Platform: "meta", Clicks: units(10), Cost: units(100)})
	r := f.compute("2024-05-02 00:00:00")
	f.check(r, map[string]string{
		`b2b_ad_click_through_ratio{platform="google",window="1d"}`:                                    "1/20",
		`b2b_ad_click_through_ratio{platform="meta",window="1d"}`:                                      none,
		`b2b_ad_cost_per_click{currency="EUR",platform="google",window="1d"}`:                          "10",
		`b2b_ad_cost_per_click{currency="EUR",platform="meta",window="1d"}`:                            "10",
		`b2b_ad_cost_per_click{currency="EUR",platform="meta",window="today"}`:                         none,
		`b2b_ad_cost_per_acquisition{currency="EUR",platform="google",window="1d"}`:                    "200",
		`b2b_ad_conversion_ratio{platform="google",window="1d"}`:                                       "1/20",
		`b2b_ad_return_on_spend_ratio{platform="google",window="1d"}`:                                  "3/2",
		`b2b_kpi_undefined{kpi="b2b_ad_click_through_ratio",reason="zero_denominator",window="today"}`: "1",
	})
}

func TestRestatedSpend(t *testing.T) {
	f := newAdvertiser(t)
	f.settings.LabelMax = 2
	touch := func(campaign string) record.Touch {
		return record.Touch{Source: "google", Medium: "cpc", Campaign: campaign}
	}
	for i, campaign := range []string{"Brand", "brand", "Spring", "Summer", ""} {
		f.add("ads", numbered("s", i), &record.Spend{
			Day: date(2024, 5, 1), Platform: "google", Touch: touch(campaign), Cost: units(float64(10 - i)), Clicks: units(float64(i)),
		})
	}
	f.add("ads", "yesterday", &record.Spend{Day: date(2024, 5, 2), Platform: "google", Touch: touch("Summer"), Cost: units(1)})
	cost := func(campaign, window string) string {
		return Key("b2b_ad_cost", map[string]string{"campaign": campaign, "channel": "paid_search", "platform": "google", "currency": "EUR", "window": window})
	}
	f.check(f.compute("2024-05-03 12:00:00"), map[string]string{
		cost("Brand", "7d"):      "19",
		cost("Spring", "7d"):     "8", // Summer is as dear, and later in the alphabet
		cost("other", "7d"):      "14",
		cost("Summer", "7d"):     none,
		cost("Summer", "1d"):     "1",
		cost("Brand", "1d"):      "0",
		cost("Brand", "today"):   "0",
		cost("unknown", "today"): "0",
	})
	// The platform takes clicks back: the day becomes cheaper.
	f.records[0].Record.(*record.Spend).Cost = units(4)
	f.check(f.compute("2024-05-03 12:00:00"), map[string]string{
		cost("Brand", "7d"): "13",
		`b2b_kpi_change_ratio{kpi="b2b_ad_cost",versus="previous",window="1d"}`:    "-33/34",
		`b2b_kpi_change_ratio{kpi="b2b_ad_cost",versus="previous",window="today"}`: none,
	})
}

func TestVariantsAndQuality(t *testing.T) {
	f := newAdvertiser(t)
	variant := func(id, campaign, name string, clicks, conversions float64) {
		f.add("ads", id, &record.Spend{
			Day: date(2024, 5, 1), Platform: "google", Touch: record.Touch{Campaign: campaign}, Variant: name, Clicks: units(clicks), Conversions: units(conversions),
		})
	}
	variant("1", "Brand", "A", 100, 10)
	variant("2", "Brand", "B", 100, 12.5)
	variant("3", "Spring", "C", 10, 1)
	variant("4", "Spring", "", 10, 1)
	quality := func(id string, d record.Day, dimension string, score, impressions float64) {
		f.add("ads", id, &record.AdQuality{Day: d, Platform: "google", Dimension: dimension, Score: units(score), Impressions: units(impressions)})
	}
	quality("1", date(2024, 5, 1), "quality_score", 8, 300)
	quality("2", date(2024, 4, 30), "quality_score", 4, 100)
	quality("3", date(2024, 4, 1), "quality_score", 1, 9000) // 31 days ago
	quality("4", date(2024, 5, 2), "quality_score", 1, 9000) // today
	quality("5", date(2024, 5, 1), "engagement", 5, 1)
	ratio := func(campaign, name string) string {
		return Key("b2b_ad_variant_conversion_ratio", map[string]string{"campaign": campaign, "variant": name, "platform": "google", "window": "1d"})
	}
	f.check(f.compute("2024-05-02 12:00:00"), map[string]string{
		ratio("Brand", "A"):                       "1/10",
		ratio("Brand", "B"):                       "1/8",
		ratio("Spring", "C"):                      "1/10",
		ratio("Spring", ""):                       none,
		`b2b_ad_quality_score{platform="google"}`: "7",
		`b2b_ad_relevance_score{dimension="engagement",platform="google"}`: "5",
	})
	f.settings.LabelMax = 1
	f.check(f.compute("2024-05-02 12:00:00"), map[string]string{
		ratio("Brand", "A"):     "1/10", // as many clicks as B
		ratio("Brand", "other"): "1/8",
		ratio("other", "other"): "1/10",
		ratio("Spring", "C"):    none,
	})
}
