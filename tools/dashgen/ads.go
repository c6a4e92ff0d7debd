package main

import "fmt"

const fromAds = "the ad platforms, as they report."

// ads is for whoever buys advertising.
func ads() board {
	b := board{
		uid: "b2b-ads", title: "Advertising", windowed: true, from: "now-30d",
		question: "Which ads pay, and which cost more than they bring?",
		answer:   "Spend, clicks and conversions as the platforms report them, by platform and campaign.",
	}
	per := func(what, of string, by ...string) string {
		return fmt.Sprintf("%s / ignoring (currency) group_left () (%s > 0)", money(what, by...), total(of, by...))
	}
	b.panels = append(
		[]panel{
			headline("b2b_ad_cost", "Ad spend", amount, "What the platforms charge for the window's days.", fromAds, money("b2b_ad_cost")),
			headline("b2b_ad_cost_per_acquisition", "Cost per conversion", amount, "Ad spend / the platforms' own conversions.", fromAds, per("b2b_ad_cost", "b2b_ad_conversions")),
			headline("b2b_ad_click_through_ratio", "Click-through", percent, "Clicks / impressions.", fromAds,
				total("b2b_ad_clicks")+" / "+total("b2b_ad_impressions")).precise(2),
			figure("Cost per click", amount, "Ad spend / clicks.", fromAds, per("b2b_ad_cost", "b2b_ad_clicks")),
			figure("Conversions", number, "The platforms' own conversions, by their default settings.", fromAds, total("b2b_ad_conversions")),
			figure("Cost of a paid customer", amount, "Ad spend / new customers from the channels with spend.", fromCosts,
				sum(ratio("b2b_customer_acquisition_cost", `basis="paid"`), "currency")).to("b2b-acquisition"),

			verdicts("b2b_ad_cost", "b2b_ad_cost_per_acquisition", "b2b_ad_click_through_ratio", "b2b_customer_acquisition_cost"),
		}, trust()...)
	b.panels = append(b.panels,
		trend("Ad spend by platform", amount, "What each platform charges for the window's days, as it stood at each moment.", fromAds,
			query{expr: money("b2b_ad_cost", "platform"), legend: "{{platform}}, {{currency}}"},
			query{expr: money("b2b_ad_cost"), legend: "all, {{currency}}"}).limits("b2b_ad_cost"),
		trend("Cost per conversion by platform", amount, "Ad spend / the platform's own conversions.", fromAds,
			query{expr: money("b2b_ad_cost_per_acquisition", "platform"), legend: "{{platform}}, {{currency}}"}).limits("b2b_ad_cost_per_acquisition"),
		compare("Spend by campaign", amount, "What the platforms charge, by campaign.", fromAds, money("b2b_ad_cost", "campaign"), "{{campaign}}, {{currency}}"),
		compare("Conversions by campaign", number, "The platforms' own conversions, by campaign.", fromAds, total("b2b_ad_conversions", "campaign"), "{{campaign}}"),
		compare("Return on spend", percent, "Value of the conversions, as the platform was told / ad spend. Below 100 % less came back than was spent.", fromAds,
			sum(ratio("b2b_ad_return_on_spend_ratio"), "platform"), "{{platform}}").colored(step{color: "red"}, step{1, "orange"}, step{2, "green"}),
		listing("Campaigns", "What each campaign cost and brought, by the platforms' own account.", fromAds,
			[]key{{"campaign", "Campaign"}, {"platform", "Platform"}, {"channel", "Channel"}, {"currency", "Currency"}},
			column{"Spend", money("b2b_ad_cost", "campaign", "platform", "channel"), look{unit: amount, cell: "gauge", color: "blue"}},
			column{"Impressions", total("b2b_ad_impressions", "campaign", "platform", "channel"), look{unit: number}},
			column{"Clicks", total("b2b_ad_clicks", "campaign", "platform", "channel"), look{unit: number}},
			column{
				"Click-through", total("b2b_ad_clicks", "campaign", "platform", "channel") + " / " + total("b2b_ad_impressions", "campaign", "platform", "channel"),
				look{unit: percent, digits: digits(2)},
			},
			column{"Conversions", total("b2b_ad_conversions", "campaign", "platform", "channel"), look{unit: number, digits: digits(0)}},
			column{"Per conversion", per("b2b_ad_cost", "b2b_ad_conversions", "campaign", "platform", "channel"), look{unit: amount}},
		).size(24, 10),
		trend("Clicks and conversions", percent, "Click-through: clicks / impressions. Conversion: conversions / clicks.", fromAds,
			query{expr: sum(ratio("b2b_ad_click_through_ratio"), "platform"), legend: "{{platform}} click-through"},
			query{expr: sum(ratio("b2b_ad_conversion_ratio"), "platform"), legend: "{{platform}} conversion"}).limits("b2b_ad_click_through_ratio"),
		scores(),
	)
	return b
}

func scores() panel {
	return panel{
		title:   "Quality and relevance",
		formula: "On a scale from 1 to 10, weighted by impressions: Google's quality score of keywords, and Meta's rankings of quality, engagement and conversion.",
		source:  fromAds, now: true, w: 12, h: 9, unit: number, digits: digits(1), min: digits(0), max: digits(10), shape: bars,
		steps: []step{{color: "red"}, {4, "orange"}, {7, "green"}},
		queries: []query{
			{expr: sum(vector("b2b_ad_quality_score"), "platform"), legend: "{{platform}} quality", instant: true},
			{expr: sum(vector("b2b_ad_relevance_score"), "platform", "dimension"), legend: "{{platform}} {{dimension}}", instant: true},
		},
	}
}
