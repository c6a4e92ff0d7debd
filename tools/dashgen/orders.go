package main

// orders is for sales and for whoever runs the stores.
func orders() board {
	b := board{
		uid: "b2b-orders", title: "Orders and revenue", windowed: true, from: "now-30d",
		question: "What sells, where, and at what profit?",
		answer:   "Orders and money of all stores, then by store, channel and territory.",
	}
	b.panels = append(
		[]panel{
			headline("b2b_revenue_net", "Net revenue", amount, "Gross revenue less discounts, less refunds dated in the window, without tax and shipping; all stores.",
				fromOrders, money("b2b_revenue_net")),
			headline("b2b_orders", "Orders", number, "Orders placed in the window; all stores.", fromOrders, total("b2b_orders")),
			headline("b2b_average_order_value", "Average order value", amount, "(Gross revenue - discounts) / orders; all stores. Refunds do not move it.",
				fromOrders, averageOrder(window, "currency")),
			grossProfit(),
			headline("b2b_checkout_abandonment_ratio", "Checkouts abandoned", percent, "Abandoned checkouts / (abandoned checkouts + orders), of the stores that report checkouts.",
				fromCheckout, abandonment(window)).precise(1),
			figure("Largest customer", percent, "Net revenue of the window's largest customer / net revenue of identified customers.", fromOrders,
				ratio("b2b_revenue_top_customer_ratio")).precise(1).colored(step{color: "green"}, step{0.1, "orange"}, step{0.25, "red"}),

			verdicts("b2b_revenue_net", "b2b_orders", "b2b_average_order_value", "b2b_checkout_abandonment_ratio"),
		}, trust()...)
	b.panels = append(b.panels,
		trend("Net revenue by store", amount, "Net revenue of the window as it stood at each moment, by store.", fromOrders,
			query{expr: money("b2b_revenue_net", "store"), legend: "{{store}}, {{currency}}"},
			query{expr: money("b2b_revenue_net"), legend: "all, {{currency}}"}).limits("b2b_revenue_net"),
		trend("Orders by store", number, "Orders of the window as they stood at each moment, by store.", fromOrders,
			query{expr: total("b2b_orders", "store"), legend: "{{store}}"}, query{expr: total("b2b_orders"), legend: "all"}).limits("b2b_orders"),
		compare("Net revenue by channel", amount, "Net revenue by the channel through which the customer first came.", fromOrders,
			money("b2b_revenue_net", "channel"), "{{channel}}, {{currency}}"),
		compare("Net revenue by territory", amount, "Net revenue by sales territory: the country of shipping, or what it is mapped to.", fromOrders,
			money("b2b_revenue_net_by_territory", "territory"), "{{territory}}, {{currency}}"),
		compare("Gross profit by territory", amount, "Net revenue less cost of goods of what has known costs, by sales territory.", fromOrders,
			money("b2b_gross_profit_by_territory", "territory"), "{{territory}}, {{currency}}"),
		trend("Profit margin by store", percent, "Gross profit / net revenue of what has known costs, by store.", fromOrders,
			query{expr: ratio("b2b_profit_margin_ratio"), legend: "{{store}}"}).limits("b2b_profit_margin_ratio"),
		trend("Checkouts abandoned by store", percent, "Abandoned checkouts / (abandoned checkouts + orders), by store.", fromCheckout,
			query{expr: ratio("b2b_checkout_abandonment_ratio"), legend: "{{store}}"}).limits("b2b_checkout_abandonment_ratio"),
		listing("Stores", "Each store's figures of the window. Refunds are dated by themselves, discounts by their orders.", fromOrders,
			[]key{{"store", "Store"}, {"currency", "Currency"}},
			column{"Net revenue", money("b2b_revenue_net", "store"), look{unit: amount, cell: "gauge", color: "blue"}},
			column{"Gross revenue", money("b2b_revenue_gross", "store"), look{unit: amount}},
			column{"Discounts", money("b2b_revenue_discounts", "store"), look{unit: amount}},
			column{"Refunds", money("b2b_revenue_refunds", "store"), look{unit: amount}},
			column{"Gross profit", money("b2b_gross_profit", "store"), look{unit: amount}},
			column{"Margin", sum(ratio("b2b_profit_margin_ratio"), "store"), look{unit: percent, digits: digits(1)}},
			column{"Orders", total("b2b_orders", "store"), look{unit: number}},
			column{"Order value", money("b2b_average_order_value", "store"), look{unit: amount}},
			column{"Abandoned", sum(ratio("b2b_checkout_abandonment_ratio"), "store"), look{unit: percent, digits: digits(1)}},
		).size(24, 6),
	)
	return b
}
