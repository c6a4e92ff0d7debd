package main

import "fmt"

const fromSubscriptions = "subscriptions of the billing system."

// recurring is for finance and whoever looks after subscriptions.
func recurring() board {
	b := board{
		uid: "b2b-recurring", title: "Recurring revenue", windowed: true, from: "now-30d",
		question: "Does recurring revenue grow, and does it stay?",
		answer:   "Monthly recurring revenue as it stands now, what moved it in the window, and how much of it customers keep.",
	}
	mrr := headline("b2b_mrr", "MRR", amount,
		"Live subscriptions, normalised to a month, net of discounts in force, without tax, metered and one-off items. The change is against as many days ago as the window has.",
		fromSubscriptions, sum(vector("b2b_mrr"), "currency"))
	b.panels = append(
		[]panel{
			mrr,
			figure("ARR", amount, "12 x MRR.", fromSubscriptions, sum(vector("b2b_arr"), "currency")).current(),
			headline("b2b_net_revenue_retention_ratio", "Net retention", percent, "MRR at the window's end of the customers that had any at its start / their MRR then.",
				fromSubscriptions, ratio("b2b_net_revenue_retention_ratio")).precise(1),
			figure("Gross retention", percent, "The same, without what grew: for each customer the smaller of then and now.", fromSubscriptions,
				ratio("b2b_gross_revenue_retention_ratio")).precise(1),
			headline("b2b_mrr_churn_ratio", "MRR churn", percent, "(Churn + contraction) / MRR at the window's start.", fromSubscriptions, ratio("b2b_mrr_churn_ratio")).precise(1),
			forecast(),

			verdicts("b2b_mrr", "b2b_net_revenue_retention_ratio", "b2b_mrr_churn_ratio"),
		}, trust()...)
	b.panels = append(b.panels,
		trend("MRR by account size", amount, "Monthly recurring revenue by tier of the customer's total.", fromSubscriptions,
			query{expr: sum(vector("b2b_mrr"), "tier", "currency"), legend: "{{tier}}, {{currency}}"},
			query{expr: sum(vector("b2b_mrr"), "currency"), legend: "all, {{currency}}"},
			query{expr: thresholds("b2b_mrr", `window=""`), legend: "{{severity}} threshold"}).dashed().current(),
		trend("Retention", percent, "Net: with what grew. Gross: without.", fromSubscriptions,
			query{expr: ratio("b2b_net_revenue_retention_ratio"), legend: "net"}, query{expr: ratio("b2b_gross_revenue_retention_ratio"), legend: "gross"}).
			limits("b2b_net_revenue_retention_ratio"),
		movements(),
		compare("MRR by sales rep", amount, "MRR of the accounts that each sales rep owns.", fromSubscriptions, sum(vector("b2b_mrr_by_rep"), "rep", "currency"), "{{rep}}, {{currency}}").current(),
		compare("Subscribers", number, "Customers with a subscription, by state.", fromSubscriptions, sum(vector("b2b_subscribers"), "state"), "{{state}}").current(),
	)
	return b
}

func movements() panel {
	moved := func(which string) string {
		return sum(vector("b2b_mrr_movement", window, which), "movement", "currency")
	}
	return compare("What moved MRR", amount, "Sums of the window's changes, in red those that took away. fx is what exchange rates did.", fromSubscriptions,
		moved(`movement=~"new|expansion|reactivation"`)+" or "+moved(`movement="fx"`)+" >= 0", "{{movement}}, {{currency}}").
		lost(moved(`movement=~"churn|contraction"`)+" or -("+moved(`movement="fx"`)+" < 0)", "lost by {{movement}}, {{currency}}")
}

func forecast() panel {
	at := func(horizon string) string {
		return sum(vector("b2b_mrr_forecast", fmt.Sprintf("horizon=%q", horizon)), "currency")
	}
	p := figure("MRR forecast", amount, "MRR now, the scheduled changes up to then, and the mean daily movement of the last 90 days for each day up to then: in 90 days, and at the end of the month.",
		fromSubscriptions, at("90d")).current()
	p.queries[0].legend = "in 90 days, {{currency}}"
	p.queries = append(p.queries, query{expr: at("month_end"), legend: "month's end, {{currency}}", instant: true})
	return p
}
