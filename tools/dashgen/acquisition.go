package main

// acquisition is for marketing.
func acquisition() board {
	b := board{
		uid: "b2b-acquisition", title: "Acquisition", windowed: true, from: "now-30d",
		question: "What does a new customer cost, and is it worth it?",
		answer:   "Costs of marketing and sales against the customers that they bring, by channel, campaign and program.",
	}
	share := func(title, name, formula string) panel {
		return headline(name, title, percent, formula, fromCosts, ratio(name)).precise(1)
	}
	b.panels = append(
		[]panel{
			headline("b2b_customer_acquisition_cost", "Cost of a new customer", amount, "(Marketing + sales cost) / new customers; marketing cost alone where no sales costs are configured.",
				fromCosts, acquisitionCost(window, "currency")),
			lifetimeToCost(),
			figure("Payback", seconds, "Fully loaded acquisition cost / monthly gross profit, else net revenue, of an active customer.", fromCosts, ratio("b2b_cac_payback_seconds")).
				precise(1).colored(step{color: "green"}, step{365 * 86400, "orange"}, step{730 * 86400, "red"}),
			headline("b2b_marketing_cost", "Marketing cost", amount, "Ad spend and configured marketing costs of the window's days.", fromCosts, money("b2b_marketing_cost")),
			headline("b2b_cost_per_lead", "Cost per lead", amount, "Marketing cost / leads created in the CRM.", "ad spend and the configured costs; leads of the CRM.", money("b2b_cost_per_lead")),
			headline("b2b_marketing_roi_ratio", "Marketing ROI", percent, "(Gain - cost) / cost over the channels with cost; the gain is what the window's new customers brought in it.",
				fromCosts, ratio("b2b_marketing_roi_ratio")).colored(step{color: "red"}, step{0, "green"}),

			headline("b2b_customers_new", "New customers", number, "Customers whose first order falls in the window.", fromOrders, total("b2b_customers_new")),
			share("From marketing", "b2b_marketing_originated_customer_ratio", "New customers whose first touch was a marketing channel / new customers."),
			figure("Without any cost", percent, "New customers from channels without marketing cost in the window / new customers.", fromCosts, ratio("b2b_unpaid_new_customer_ratio")).precise(1),
			share("Marketing's share of CAC", "b2b_cac_marketing_ratio", "Marketing cost / (marketing + sales cost)."),
			figure("The next customer's cost", amount, "Change in fully loaded cost / change in new customers against the previous window. Without a value where new customers did not rise.",
				fromCosts, money("b2b_marginal_customer_acquisition_cost")),
			figure("Sales cost", amount, "Configured sales costs of the window's days: salaries, commissions, tools.", "the configured costs.", money("b2b_sales_cost")),

			verdicts("b2b_customer_acquisition_cost", "b2b_ltv_cac_ratio", "b2b_marketing_cost", "b2b_cost_per_lead", "b2b_marketing_roi_ratio", "b2b_cac_marketing_ratio",
				"b2b_marketing_originated_customer_ratio", "b2b_customers_new"),
		}, trust()...)
	b.panels = append(b.panels,
		trend("Cost of a new customer", amount, "Marketing: marketing cost / new customers. Fully loaded: with sales cost. Paid: ad spend / new customers of the channels with spend.", fromCosts,
			query{expr: money("b2b_customer_acquisition_cost", "basis"), legend: "{{basis}}, {{currency}}"}).limits("b2b_customer_acquisition_cost"),
		trend("Cost", amount, "Costs of the window's days, as they stood at each moment.", fromCosts,
			query{expr: money("b2b_marketing_cost"), legend: "marketing, {{currency}}"}, query{expr: money("b2b_sales_cost"), legend: "sales, {{currency}}"}),
		compare("Cost of a new customer by channel", amount, "Marketing cost of the channel / new customers whose first touch it was.", fromCosts,
			money("b2b_customer_acquisition_cost_by_channel", "channel"), "{{channel}}, {{currency}}"),
		compare("Marketing ROI by channel", percent, "(Gain - cost) / cost of the channel; in red what part of the cost was lost.", fromCosts,
			sum(ratio("b2b_marketing_roi_ratio_by_channel"), "channel")+" >= 0", "{{channel}}").
			lost("-("+sum(ratio("b2b_marketing_roi_ratio_by_channel"), "channel")+" < 0)", "lost on {{channel}}"),
		compare("Marketing cost by channel", amount, "Ad spend and configured marketing costs of the channel.", fromCosts, money("b2b_marketing_cost", "channel"), "{{channel}}, {{currency}}"),
		listing("Channels", "What each channel cost and brought. A channel without cost has no cost per customer, one without customers neither.", fromCosts,
			[]key{{"channel", "Channel"}, {"currency", "Currency"}},
			column{"Marketing cost", money("b2b_marketing_cost", "channel"), look{unit: amount, cell: "gauge", color: "blue"}},
			column{"New customers", total("b2b_customers_new", "channel"), look{unit: number}},
			column{"Per customer", money("b2b_customer_acquisition_cost_by_channel", "channel"), look{unit: amount}},
			column{"Per lead", money("b2b_cost_per_lead_by_channel", "channel"), look{unit: amount}},
			column{"ROI", sum(ratio("b2b_marketing_roi_ratio_by_channel"), "channel"), look{unit: percent, digits: digits(0), cell: "color-text", steps: more.steps()}},
			column{"Lifetime value", sum(vector("b2b_customer_lifetime_value_by_channel", `method="predicted"`), "channel", "currency"), look{unit: amount}},
		),
		listing("Campaigns", "Marketing cost of the campaign / new customers attributed to it, the dearest first.", fromCosts,
			[]key{{"campaign", "Campaign"}, {"channel", "Channel"}, {"currency", "Currency"}},
			column{"Per customer", money("b2b_customer_acquisition_cost_by_campaign", "campaign", "channel"), look{unit: amount, cell: "gauge", color: "blue"}},
		).size(12, 9),
		listing("Programs", "Marketing cost of the program / new customers attributed to it, as costs and channel rules name programs.", fromCosts,
			[]key{{"program", "Program"}, {"currency", "Currency"}},
			column{"Per customer", money("b2b_customer_acquisition_cost_by_program", "program"), look{unit: amount, cell: "gauge", color: "blue"}},
		).size(12, 9),
	)
	return b
}
