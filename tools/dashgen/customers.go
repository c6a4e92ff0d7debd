package main

import "strconv"

// customers is for whoever looks after customers.
func customers() board {
	b := board{
		uid: "b2b-customers", title: "Customers and retention", windowed: true, from: "now-30d",
		question: "Who buys, who stays, and who is about to leave?",
		answer:   "Customers are companies, recognised across stores and CRM.",
	}
	b.panels = append(
		[]panel{
			figure("Active customers", number, "Customers that ordered within the configured time, or have a live subscription.", fromOrders,
				vector("b2b_customers", `state="active"`)).current(),
			headline("b2b_customers_new", "New customers", number, "Customers whose first order falls in the window.", fromOrders, total("b2b_customers_new")),
			headline("b2b_customer_churn_ratio", "Customer churn", percent, "Customers lost in the window / customers active at its start.",
				fromOrders, ratio("b2b_customer_churn_ratio")).precise(1),
			headline("b2b_returning_customer_ratio", "Returning customers", percent, "Customers that ordered in the window and also before it / customers that ordered in the window.",
				fromOrders, ratio("b2b_returning_customer_ratio")).precise(1),
			headline("b2b_customer_lifetime_value", "Lifetime value", amount,
				"Predicted: monthly gross profit, else net revenue, of an active customer / monthly churn. The change is against as many days ago as the window has.",
				fromOrders, sum(vector("b2b_customer_lifetime_value", `method="predicted"`), "currency")),
			revenueAtRisk(),

			verdicts("b2b_customers_new", "b2b_customer_churn_ratio", "b2b_returning_customer_ratio", "b2b_customer_lifetime_value", "b2b_customers_at_risk_revenue"),
		}, trust()...)
	b.panels = append(b.panels,
		trend("Customer churn", percent, "Customers lost in the window / customers active at its start, as it stood at each moment.", fromOrders,
			query{expr: ratio("b2b_customer_churn_ratio"), legend: "churn, last $window"}).limits("b2b_customer_churn_ratio"),
		trend("Won, won back and lost", number, "New: first order in the window. Won back: not active at its start, active at its end, first order before. Lost: active at its start and not at its end.", fromOrders,
			query{expr: total("b2b_customers_new"), legend: "new"}, query{expr: ratio("b2b_customers_reactivated"), legend: "won back"},
			query{expr: ratio("b2b_customers_lost"), legend: "lost"}).
			named("new", look{color: "green"}).named("won back", look{color: "blue"}).named("lost", look{color: "red"}),
		compare("Customers by state", number, "Active: ordered within the configured time. Churned: ordered once, and not since. Prospect: known, never ordered.", fromOrders,
			sum(vector("b2b_customers"), "state"), "{{state}}").current(),
		compare("New customers by channel", number, "Customers whose first order falls in the window, by the channel through which they first came.", fromOrders,
			total("b2b_customers_new", "channel"), "{{channel}}"),
		compare("Lifetime value by channel", amount, "Predicted lifetime value of the customers that came through a channel; absent for channels with few active customers.", fromOrders,
			sum(vector("b2b_customer_lifetime_value_by_channel", `method="predicted"`), "channel", "currency"), "{{channel}}, {{currency}}").current(),
		cohorts(),
		trend("Active customers", number, "Customers that ordered within the configured time, and those of them that are past their own usual interval.", fromOrders,
			query{expr: vector("b2b_customers", `state="active"`), legend: "active"}, query{expr: vector("b2b_customers_at_risk"), legend: "at risk"}).
			named("active", look{color: "blue"}).named("at risk", look{color: "orange"}).current().size(8, 8),
		trend("How they buy", percent, "Returning: also ordered before the window. Repeat: two or more orders in it. Each / customers that ordered in the window.", fromOrders,
			query{expr: ratio("b2b_returning_customer_ratio"), legend: "returning"}, query{expr: ratio("b2b_repeat_purchase_ratio"), legend: "repeat"}).size(8, 8),
		daysBetween(),
	)
	return b
}

// cohorts is the table of who came when and still orders.
func cohorts() panel {
	columns, titles := []string{}, map[string]string{`cohort\month`: "First order in"}
	p := panel{
		title:   "Cohorts: who still orders",
		formula: "Of the customers whose first order was in a month, the share that ordered in each month since; month 0 is that of the first order, and the last filled column of a row is the running month.",
		source:  fromOrders, now: true, w: 24, h: 15, unit: percent, digits: digits(0), min: digits(0), max: digits(1),
		queries: []query{{expr: vector("b2b_cohort_retention_ratio"), instant: true}},
		// The darker, the more of them are still there.
		steps: []step{{color: "#0f3d2a"}, {0.2, "#14532d"}, {0.35, "#166534"}, {0.5, "#1d7a3f"}, {0.6, "#2b8f45"}, {0.7, "#46a758"}, {0.8, "#5bb86c"}},
	}
	for month := range 13 {
		name := strconv.Itoa(month)
		columns, titles[name] = append(columns, name), "Month "+name
		p = p.named("Month "+name, look{cell: "color-background"})
	}
	p = p.named("First order in", look{width: 110})
	p.shape = matrix("cohort", "month", columns, titles)
	return p
}

func daysBetween() panel {
	of := func(q string) string { return vector("b2b_order_interval_seconds", `q="`+q+`"`) }
	return panel{
		title:   "Time between orders",
		formula: "Time between consecutive orders of a customer whose later order lies in the last 365 days: what half of them and what 8 of 10 do not exceed.",
		source:  fromOrders, now: true, w: 8, h: 8, unit: seconds, digits: digits(1), min: digits(0), shape: bars, steps: []step{{color: "blue"}},
		queries: []query{{expr: of("0.5"), legend: "half", instant: true}, {expr: of("0.8"), legend: "8 of 10", instant: true}},
	}
}
