package collector_test

import (
	"slices"
	"testing"

	"github.com/b2bexporter/b2b_exporter/collector"
)

// A stream takes down what costs, leads and visits are joined to.
func TestGatesOfMarketing(t *testing.T) {
	costs := []string{"b2b_marketing_cost", "b2b_sales_cost", "b2b_cac_marketing_ratio"}
	acquired := []string{
		cacKPI, "b2b_customer_acquisition_cost_by_channel", "b2b_customer_acquisition_cost_by_campaign",
		"b2b_customer_acquisition_cost_by_program", "b2b_marketing_roi_ratio", "b2b_marketing_roi_ratio_by_channel", "b2b_ltv_cac_ratio",
		"b2b_cac_payback_seconds", "b2b_marginal_customer_acquisition_cost", "b2b_unpaid_new_customer_ratio",
	}
	origins := []string{"b2b_marketing_originated_customers", "b2b_marketing_originated_customer_ratio"}
	perLead := []string{"b2b_cost_per_lead", "b2b_cost_per_lead_by_channel"}
	closing := []string{
		"b2b_funnel_entries", "b2b_funnel_conversion_ratio", "b2b_lead_to_close_ratio", "b2b_lead_to_close_ratio_by_channel", "b2b_lead_stage_age_seconds",
	}
	answers := []string{"b2b_lead_response_seconds", contactRatio, followUpRatio}
	adFigures := metricsOf("ads", "b2b_ad_quality_score", "b2b_ad_relevance_score")
	visitors := []string{"b2b_web_users", "b2b_web_users_new", "b2b_web_users_returning", "b2b_web_repeat_visitor_ratio"}
	visits := metricsOf("web", append(visitors, "b2b_web_referring_domains")...)
	const toCustomer, open = "b2b_visitor_to_customer_ratio", "b2b_leads_unanswered"
	buying := slices.Concat(acquired, origins, closing, []string{toCustomer, open})

	c := newRich(t)
	before := c.gated(richAsOf, func(streamsOf) {})
	for _, test := range []struct {
		streams []string
		gone    []string
	}{
		{[]string{"budget/cost"}, slices.Concat(costs, acquired, perLead)},
		{[]string{"ads/spend"}, slices.Concat(costs, acquired, perLead, adFigures)},
		{[]string{"ads/ad_quality"}, []string{"b2b_ad_quality_score", "b2b_ad_relevance_score"}},
		{[]string{"crm/lead"}, slices.Concat(buying, perLead, answers, []string{"b2b_leads_by_campaign"})},
		{[]string{"crm/activity"}, append(slices.Clone(answers), open)},
		{[]string{"crm/deal"}, append(slices.Clone(closing), open)}, // a won deal makes its lead a customer
		{[]string{"shop/order", "shop/refund", "shop/customer", "shop/subscription", "crm/account"}, buying},
		{[]string{"shop/checkout", "shop/quote", "ecb/rate"}, nil},
		{[]string{"web/users"}, append(slices.Clone(visitors), toCustomer)},
		{[]string{"web/traffic"}, visits},
		{[]string{"web/referrer"}, []string{"b2b_web_referring_domains"}},
	} {
		var headlines, undefined []string
		for _, h := range collector.Headlines() {
			if slices.Contains([]string{"acquisition", "funnel", "web", "ads"}, h.Collector) {
				headlines = append(headlines, h.Name+"|30d")
				if slices.Contains(test.gone, h.Name) {
					undefined = append(undefined, h.Name+"|30d")
				}
			}
		}
		for _, stream := range test.streams {
			t.Run(stream, func(t *testing.T) {
				// What the stores sold and who their customers are, other tests say.
				all := gone(before, c.gated(richAsOf, func(s streamsOf) { stale(s[stream]) }))
				others := slices.DeleteFunc(all, func(name string) bool {
					m, known := collector.Find(name)
					return known && !slices.Contains([]string{"orders", "recurring", "customers"}, m.Collector)
				})
				c.checkGate(t, richAsOf, before, headlines, gateTest{stream, slices.Concat(test.gone, others), undefined})
			})
		}
	}
}

// metricsOf returns the metrics of a collector but for some.
func metricsOf(name string, but ...string) []string {
	var list []string
	for _, m := range collector.Metrics() {
		if m.Collector == name && !slices.Contains(but, m.Name) {
			list = append(list, m.Name)
		}
	}
	return list
}

// Where several reasons hold for what costs and customers are joined to, the first is given.
func TestReasonsOfMarketingInOrder(t *testing.T) {
	c := newRich(t)
	for _, test := range []struct {
		name   string
		change func(streamsOf)
		want   map[string]string
	}{
		{"costs unread, orders truncated", func(s streamsOf) { unread(s["budget/cost"]); truncated(s["shop/order"]) }, map[string]string{
			"b2b_marketing_cost|30d": "immature", cacKPI + "|30d": "truncated", "b2b_cost_per_lead|30d": "immature",
			"b2b_marketing_originated_customer_ratio|30d": "truncated",
		}},
		{"costs truncated, leads stale", func(s streamsOf) { truncated(s["ads/spend"]); stale(s["crm/lead"]) }, map[string]string{
			"b2b_marketing_cost|30d": "truncated", "b2b_cost_per_lead|30d": "stale", cacKPI + "|30d": "stale", contactRatio + "|30d": "stale",
		}},
		{"a gate comes before nobody having been new", func(s streamsOf) { unread(s["budget/cost"]) }, map[string]string{
			cacKPI + "|today": "immature", "b2b_cost_per_lead|today": "immature",
		}},
	} {
		t.Run(test.name, func(t *testing.T) { checkReasons(t, c.gated(richAsOf, test.change), test.want) })
	}
	// An unread source is still one: what its first costs will be is not known.
	c = newMarketer(t)
	checkReasons(t, c.gated(richAsOf, func(s streamsOf) { unread(s["ads/spend"]) }), map[string]string{"b2b_marketing_cost|30d": "immature"})
}
