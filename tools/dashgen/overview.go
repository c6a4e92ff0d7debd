package main

// overview is for those who run the company.
func overview() board {
	b := board{
		uid: "b2b-overview", title: "Executive overview", windowed: true, from: "now-30d",
		question: "Is the business healthy?",
		answer:   "What it sells, wins, keeps and spends, against the time before and the configured thresholds.",
	}
	b.panels = append(
		[]panel{
			headline("b2b_revenue_net", "Net revenue", amount, "Gross revenue less discounts, less refunds dated in the window, without tax and shipping; all stores.",
				fromOrders, money("b2b_revenue_net")).to("b2b-orders"),
			headline("b2b_orders", "Orders", number, "Orders placed in the window; all stores.", fromOrders, total("b2b_orders")).to("b2b-orders"),
			headline("b2b_customers_new", "New customers", number, "Customers whose first order falls in the window.", fromOrders, total("b2b_customers_new")).to("b2b-customers"),
			headline("b2b_customer_churn_ratio", "Customer churn", percent, "Customers lost in the window / customers active at its start.",
				fromOrders, ratio("b2b_customer_churn_ratio")).precise(1).to("b2b-customers"),
			headline("b2b_customer_acquisition_cost", "Cost of a new customer", amount, "(Marketing + sales cost) / new customers; marketing cost alone where no sales costs are configured.",
				fromCosts, acquisitionCost(window, "currency")).to("b2b-acquisition"),
			lifetimeToCost().to("b2b-acquisition"),

			headline("b2b_average_order_value", "Average order value", amount, "(Gross revenue - discounts) / orders; all stores. Refunds do not move it.",
				fromOrders, averageOrder(window, "currency")).to("b2b-orders"),
			grossProfit().to("b2b-orders"),
			headline("b2b_returning_customer_ratio", "Returning customers", percent, "Customers that ordered in the window and also before it / customers that ordered in the window.",
				fromOrders, ratio("b2b_returning_customer_ratio")).precise(1).to("b2b-customers"),
			revenueAtRisk().to("b2b-customers"),
			headline("b2b_lead_to_close_ratio", "Lead to close", percent, "Share of the leads created in the window that have become customers since. It rises while leads of the window are still open.",
				fromLeads, ratio("b2b_lead_to_close_ratio", `method="cohort"`)).precise(1).to("b2b-funnel"),
			headline("b2b_marketing_roi_ratio", "Marketing ROI", percent, "(Gain - cost) / cost over the channels with cost; the gain is what the window's new customers brought in it.",
				fromCosts, ratio("b2b_marketing_roi_ratio")).colored(step{color: "red"}, step{0, "green"}).to("b2b-acquisition"),

			verdicts("b2b_revenue_net", "b2b_orders", "b2b_average_order_value", "b2b_checkout_abandonment_ratio", "b2b_customers_new", "b2b_customer_churn_ratio",
				"b2b_customers_at_risk_revenue", "b2b_customer_lifetime_value", "b2b_customer_acquisition_cost", "b2b_ltv_cac_ratio", "b2b_marketing_roi_ratio",
				"b2b_cost_per_lead", "b2b_lead_to_close_ratio", "b2b_lead_response_seconds"),
		}, trust()...)
	b.panels = append(b.panels,
		trend("Net revenue", amount, "Net revenue of the window as it stood at each moment.", fromOrders,
			query{expr: money("b2b_revenue_net"), legend: "{{currency}}, last $window"}).limits("b2b_revenue_net"),
		trend("Customers won and lost", number, "Customers whose first order falls in the window, and those active at its start and not at its end.", fromOrders,
			query{expr: total("b2b_customers_new"), legend: "new"}, query{expr: ratio("b2b_customers_lost"), legend: "lost"}).
			named("new", look{color: "green"}).named("lost", look{color: "red"}).limits("b2b_customers_new"),
		compare("Net revenue by channel", amount, "Net revenue by the channel through which the customer first came.", fromOrders, money("b2b_revenue_net", "channel"), "{{channel}}, {{currency}}"),
		compare("Net revenue by territory", amount, "Net revenue by sales territory: the country of shipping, or what it is mapped to.", fromOrders,
			money("b2b_revenue_net_by_territory", "territory"), "{{territory}}, {{currency}}"),
		compare("New customers by channel", number, "Customers whose first order falls in the window, by the channel through which they first came.", fromOrders,
			total("b2b_customers_new", "channel"), "{{channel}}"),
		changes("More is better", more),
		changes("Less is better", less),
	)
	return b
}

func lifetimeToCost() panel {
	return headline("b2b_ltv_cac_ratio", "LTV : CAC", number,
		"Predicted lifetime value / fully loaded acquisition cost. Below 1 a customer costs more than it brings; 3 is what is commonly aimed at.",
		fromCosts, ratio("b2b_ltv_cac_ratio")).precise(1).colored(step{color: "red"}, step{1, "orange"}, step{3, "green"})
}

func grossProfit() panel {
	p := figure("Gross profit", amount, "Net revenue less cost of goods, only over what has known costs; all stores. Below it the change of the profit margin against the previous window.",
		fromOrders, money("b2b_gross_profit"))
	p.queries = append(p.queries, query{expr: change("b2b_profit_margin_ratio", "previous"), legend: "margin vs previous", instant: true})
	return p.named("margin vs previous", look{unit: percent, digits: digits(1), steps: more.steps()})
}

func revenueAtRisk() panel {
	return headline("b2b_customers_at_risk_revenue", "Revenue at risk", amount,
		"Net revenue of the last 365 days of the active customers whose last order is longer ago than 1.5 times the median of their own intervals. The change is against as many days ago as the window has.",
		fromOrders, sum(vector("b2b_customers_at_risk_revenue"), "currency"))
}
