package oracle

import (
	"math/big"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/b2bexporter/b2b_exporter/internal/record"
)

func TestGeneratedHistoriesReachEverything(t *testing.T) {
	names, reasons := map[string]bool{}, map[string]bool{}
	predicted, folded := false, false
	histories := rapid.Custom(Generate)
	for seed := range 150 {
		h := histories.Example(seed)
		h.Settings.Collectors = allCollectors()
		records, s := h.Seal(record.NewSealer([]byte("key")))
		result := Compute(records, s, h.AsOf)
		for key := range result.Series {
			name, _, _ := strings.Cut(key, "{")
			names[name] = true
			predicted = predicted || strings.Contains(key, `lifetime_value{`) && strings.Contains(key, "predicted")
			folded = folded || strings.Contains(key, `territory="other"`) && s.Territories == nil
		}
		for _, reason := range result.Undefined {
			reasons[reason] = true
		}
	}
	for _, name := range []string{
		"b2b_orders", "b2b_orders_by_territory", "b2b_revenue_gross", "b2b_revenue_net", "b2b_revenue_net_by_territory",
		"b2b_revenue_discounts", "b2b_revenue_refunds", "b2b_gross_profit", "b2b_gross_profit_by_territory",
		"b2b_profit_margin_ratio", "b2b_average_order_value", "b2b_revenue_top_customer_ratio", "b2b_revenue_per_customer",
		"b2b_abandoned_checkouts", "b2b_checkout_abandonment_ratio", "b2b_quotes",
		"b2b_customers", "b2b_customers_new", "b2b_customers_at_start", "b2b_customers_lost", "b2b_customers_reactivated",
		"b2b_customer_churn_ratio", "b2b_customer_retention_ratio", "b2b_returning_customer_ratio",
		"b2b_repeat_purchase_ratio", "b2b_order_interval_seconds", "b2b_customer_lifetime_value",
		"b2b_customer_lifetime_value_by_channel", "b2b_cohort_retention_ratio", "b2b_customers_at_risk",
		"b2b_customers_at_risk_revenue", "b2b_kpi_change_ratio", "b2b_kpi_undefined",
		"b2b_marketing_cost", "b2b_sales_cost", "b2b_customer_acquisition_cost", "b2b_customer_acquisition_cost_by_channel",
		"b2b_customer_acquisition_cost_by_campaign", "b2b_customer_acquisition_cost_by_program", "b2b_cac_marketing_ratio",
		"b2b_marketing_originated_customers", "b2b_marketing_originated_customer_ratio", "b2b_marketing_roi_ratio",
		"b2b_marketing_roi_ratio_by_channel", "b2b_cost_per_lead", "b2b_cost_per_lead_by_channel", "b2b_ltv_cac_ratio",
		"b2b_cac_payback_seconds", "b2b_marginal_customer_acquisition_cost", "b2b_unpaid_new_customer_ratio",
		"b2b_funnel_entries", "b2b_funnel_conversion_ratio", "b2b_lead_to_close_ratio", "b2b_lead_to_close_ratio_by_channel",
		"b2b_leads_by_campaign", "b2b_lead_stage_age_seconds", "b2b_lead_response_seconds", "b2b_leads_unanswered",
		"b2b_lead_contact_ratio", "b2b_lead_follow_up_ratio", "b2b_visitor_to_customer_ratio",
		"b2b_web_sessions", "b2b_web_sessions_by_device", "b2b_web_sessions_by_country", "b2b_web_sessions_by_age", "b2b_web_users",
		"b2b_web_users_new", "b2b_web_users_returning", "b2b_web_new_users_by_channel", "b2b_web_repeat_visitor_ratio",
		"b2b_web_page_views", "b2b_web_pages_per_session", "b2b_web_session_duration_seconds", "b2b_web_bounce_ratio",
		"b2b_web_exit_ratio", "b2b_web_conversions", "b2b_web_conversion_ratio", "b2b_web_conversion_ratio_by_channel",
		"b2b_web_downloads", "b2b_web_download_ratio", "b2b_web_search_clicks", "b2b_web_search_impressions",
		"b2b_web_search_position", "b2b_web_referring_domains", "b2b_web_backlinks",
		"b2b_ad_cost", "b2b_ad_impressions", "b2b_ad_clicks", "b2b_ad_conversions", "b2b_ad_click_through_ratio",
		"b2b_ad_cost_per_click", "b2b_ad_cost_per_acquisition", "b2b_ad_conversion_ratio", "b2b_ad_return_on_spend_ratio",
		"b2b_mrr", "b2b_arr", "b2b_mrr_by_rep", "b2b_mrr_movement", "b2b_subscribers", "b2b_net_revenue_retention_ratio",
		"b2b_gross_revenue_retention_ratio", "b2b_mrr_churn_ratio", "b2b_mrr_forecast",
		"b2b_ad_quality_score", "b2b_ad_relevance_score", "b2b_ad_variant_conversion_ratio",
	} {
		if !names[name] {
			t.Errorf("%s: in none of the histories", name)
		}
	}
	for _, reason := range []string{sourceMissing, noRate, immature, tooFew, noData, zeroDenominator} {
		if !reasons[reason] {
			t.Errorf("reason %s: in none of the histories", reason)
		}
	}
	if !predicted || !folded {
		t.Errorf("predicted lifetime value seen: %v, folded territory seen: %v; want both", predicted, folded)
	}
}

// The order in which records are given must not matter, nor may computing change them.
func TestOrderOfRecordsDoesNotMatter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := Generate(t)
		h.Settings.Collectors = allCollectors()
		records, s := h.Seal(record.NewSealer([]byte("key")))
		first := Compute(records, s, h.AsOf)
		slices.Reverse(records)
		if diff := cmp.Diff(first, Compute(records, s, h.AsOf), compareRats()); diff != "" {
			t.Fatalf("records in reverse order change the result (-as given +reversed):\n%s", diff)
		}
	})
}

// Different labels cut the same orders, and what has no value says why.
func TestLabelsAddUp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := Generate(t)
		h.Settings.Collectors = allCollectors()
		records, s := h.Seal(record.NewSealer([]byte("key")))
		result := Compute(records, s, h.AsOf)
		for _, w := range s.Windows {
			byChannel, byTerritory := sumOf(result, "b2b_orders", w), sumOf(result, "b2b_orders_by_territory", w)
			if byChannel.Cmp(byTerritory) != 0 {
				t.Errorf("%s: %s orders by channel, %s by territory", w, byChannel.RatString(), byTerritory.RatString())
			}
			_, missing := result.Undefined["b2b_revenue_net|"+w]
			channels, territories := sumOf(result, "b2b_revenue_net", w), sumOf(result, "b2b_revenue_net_by_territory", w)
			if !missing && channels.Cmp(territories) != 0 {
				t.Errorf("%s: %s net revenue by channel, %s by territory", w, channels.RatString(), territories.RatString())
			}
		}
	})
}

func allCollectors() []string {
	return []string{Orders, Customers, Acquisition, Funnel, Web, Ads, Recurring}
}

func compareRats() cmp.Option {
	return cmp.Comparer(func(a, b *big.Rat) bool { return a.Cmp(b) == 0 })
}

func sumOf(r Result, metric, window string) *big.Rat {
	sum := new(big.Rat)
	for key, number := range r.Series {
		if strings.HasPrefix(key, metric+"{") && strings.Contains(key, `window="`+window+`"`) {
			sum.Add(sum, number)
		}
	}
	return sum
}

func BenchmarkCompute(b *testing.B) {
	histories := rapid.Custom(Generate)
	for seed := range 200 {
		h := histories.Example(seed)
		h.Settings.Collectors = allCollectors()
		records, s := h.Seal(record.NewSealer([]byte("key")))
		if len(records) < 150 || len(s.Windows) < 9 {
			continue
		}
		for b.Loop() {
			Compute(records, s, h.AsOf)
		}
		b.ReportMetric(float64(len(records)), "records")
		return
	}
	b.Fatal("no long history")
}

// What a period costs is what its days cost, and who has reached a stage has reached
// the ones before it.
func TestDaysAndStagesAddUp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := Generate(t)
		h.Settings.Collectors = []string{Funnel}
		records, s := h.Seal(record.NewSealer([]byte("key")))
		w := newWorld(records, s)
		period := w.calendar.daysOf(w.calendar.window("30d", h.AsOf.UnixMicro()), 0)
		var byDay total
		for d := period.from; d < period.to; d++ {
			byDay.join(w.costsIn(days{d, d + 1}).all())
		}
		whole := w.costsIn(period).all()
		if byDay.sum.Cmp(&whole.sum) != 0 || byDay.noRate != whole.noRate {
			t.Errorf("30 days cost %s, their sum is %s", whole.sum.RatString(), byDay.sum.RatString())
		}
		result := Compute(records, s, h.AsOf)
		for _, window := range s.Windows {
			for from := range stages {
				last := big.NewRat(1, 1)
				for to := from + 1; to < stages; to++ {
					ratio := result.Series[Key("b2b_funnel_conversion_ratio", map[string]string{
						"window": window, "from": stageName(from), "to": stageName(to), "method": methodCohort,
					})]
					if ratio == nil {
						continue
					}
					if ratio.Cmp(last) > 0 {
						t.Errorf("%s: %s of those from %s reach %s, fewer the stage before", window, ratio.RatString(), stageName(from), stageName(to))
					}
					last = ratio
				}
			}
		}
	})
}
