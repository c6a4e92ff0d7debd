package collector

import (
	"slices"

	"github.com/b2bexporter/b2b_exporter/internal/ledger/rollup"
	"github.com/b2bexporter/b2b_exporter/internal/record"
)

// orders computes what the stores sold.
type orders struct{}

func (orders) Name() string    { return "orders" }
func (orders) Subject() string { return "what the stores sold" }

func ordersMetrics() []Metric {
	list := []Metric{
		{
			Name: "b2b_orders", Headline: true, Worse: -1, Labels: []string{"window", "store", "channel"},
			Help:    "Orders placed in the window: counted orders of the store, by the customer's channel.",
			Formula: "orders placed in the window, over all stores and channels",
			Kinds:   []record.Kind{record.KindOrder}, Settings: []string{"orders.count"},
		}, {
			Name: "b2b_orders_by_territory", Labels: []string{"window", "store", "territory"}, Bounded: []string{"territory"},
			Help: "Orders placed in the window, by sales territory.",
		}, {
			Name: "b2b_revenue_gross", Money: true, Labels: []string{"window", "store", "channel"},
			Help: "Price x quantity of the product lines of the window's orders, before discounts and returns, without tax and shipping.",
		}, {
			Name: "b2b_revenue_net", Money: true, Headline: true, Worse: -1, Labels: []string{"window", "store", "channel"},
			Help:    "Gross revenue less discounts of the window's orders, less refunds dated in the window.",
			Formula: "gross revenue - discounts of the window's orders - refunds dated in the window, over all stores and channels",
			Kinds:   []record.Kind{record.KindOrder, record.KindRefund}, Settings: []string{"orders.count"},
		}, {
			Name: "b2b_revenue_net_by_territory", Money: true, Labels: []string{"window", "store", "territory"}, Bounded: []string{"territory"},
			Help: "Net revenue of the window, by sales territory.",
		}, {
			Name: "b2b_revenue_discounts", Money: true, Labels: []string{"window", "store"},
			Help: "Discounts given on the window's orders.",
		}, {
			Name: "b2b_revenue_refunds", Money: true, Labels: []string{"window", "store"},
			Help: "Product part of the refunds dated in the window.",
		}, {
			Name: "b2b_gross_profit", Money: true, Labels: []string{"window", "store"},
			Help: "Net revenue less cost of goods of the window, only over what has known costs.",
		}, {
			Name: "b2b_gross_profit_by_territory", Money: true, Labels: []string{"window", "store", "territory"}, Bounded: []string{"territory"},
			Help: "Gross profit of the window, by sales territory.",
		}, {
			Name: "b2b_profit_margin_ratio", Unit: "ratio", Free: true, Headline: true, Worse: -1, Labels: []string{"window", "store"},
			Help:    "Gross profit / net revenue of what has known costs.",
			Formula: "gross profit / net revenue, both of what has known costs, over all stores",
			Ratio:   &Ratio{Part{Name: "gross profit of what has known costs", Unit: "currency"}, Part{Name: "net revenue of what has known costs", Unit: "currency"}},
			Kinds:   []record.Kind{record.KindOrder, record.KindRefund}, Settings: []string{"orders.count"},
		}, {
			Name: "b2b_average_order_value", Money: true, Headline: true, Worse: -1, Labels: []string{"window", "store"},
			Help:    "(Gross revenue - discounts) / orders of the window; refunds do not move it.",
			Formula: "(gross revenue - discounts) / orders, over all stores",
			Ratio:   &Ratio{Part{Name: "gross revenue - discounts of the window's orders", Unit: "currency"}, Part{Name: "orders placed in the window"}},
			Kinds:   []record.Kind{record.KindOrder}, Settings: []string{"orders.count"},
		}, {
			Name: "b2b_revenue_top_customer_ratio", Unit: "ratio", Free: true, Labels: []string{"window"},
			Help: "Net revenue of the window's largest customer / net revenue of identified customers.",
		}, {
			Name: "b2b_revenue_per_customer", Money: true, Labels: []string{"window"},
			Help: "Net revenue of identified customers / distinct customers that ordered in the window.",
		}, {
			Name: "b2b_abandoned_checkouts", Labels: []string{"window", "store"},
			Help: "Checkouts started in the window, not completed and unchanged for an hour.",
		}, {
			Name: "b2b_checkout_abandonment_ratio", Unit: "ratio", Headline: true, Worse: 1, Labels: []string{"window", "store"},
			Help:    "Abandoned checkouts / (abandoned checkouts + orders), where the store reports checkouts.",
			Formula: "abandoned checkouts / (abandoned checkouts + orders), over the stores that report checkouts",
			Ratio:   &Ratio{Part{Name: "abandoned checkouts started in the window"}, Part{Name: "abandoned checkouts + orders"}},
			Kinds:   []record.Kind{record.KindOrder, record.KindCheckout}, Settings: []string{"orders.count"},
		}, {
			Name: "b2b_quotes", Labels: []string{"window", "store", "state"},
			Help: "Store quotes that were sent, accepted, declined or expired in the window.",
		},
	}
	return complete("orders", list)
}

// complete fills in what all metrics of a collector have in common.
func complete(collector string, list []Metric) []Metric {
	for i := range list {
		list[i].Collector = collector
		if list[i].Money {
			list[i].Unit = "currency"
		}
	}
	return list
}

func (orders) Collect(in *Input, out *Output) {
	stores := in.stores()
	for _, s := range stores {
		if s.ordersGate != "" {
			continue
		}
		s.counts(in, out)
		if s.revenueGate == "" {
			s.revenue(in, out)
		}
	}
	byChannel(in, out, stores)
	byTerritory(in, out, stores)
	concentration(in, out)
	out.Headlines = append(out.Headlines, ordersHeadlines(in, stores)...)
}

// store is a source that delivers orders.
type store struct {
	Source
	ordersGate  Reason // why its orders cannot be trusted
	revenueGate Reason // ... orders and refunds
	checkouts   bool
	quotes      bool
	costed      bool // it has records with known costs in some window
}

func (in *Input) stores() []store {
	var list []store
	for _, src := range in.delivering(record.KindOrder) {
		s := store{
			Source: src, ordersGate: src.gate(record.KindOrder), revenueGate: src.gate(record.KindOrder, record.KindRefund),
			checkouts: src.delivers(record.KindCheckout), quotes: src.delivers(record.KindQuote),
		}
		for _, w := range in.current() {
			s.costed = s.costed || w.ByStore[s.Name].Costed > 0
		}
		list = append(list, s)
	}
	return list
}

// counts puts out what is counted of a store.
func (s *store) counts(in *Input, out *Output) {
	for _, w := range in.current() {
		name := string(w.Name)
		if s.checkouts && s.gate(record.KindCheckout) == "" {
			abandoned := number(w.Checkouts[s.Name])
			out.add("b2b_abandoned_checkouts", abandoned, name, s.Name)
			out.add("b2b_checkout_abandonment_ratio", abandonment(w.Checkouts[s.Name], w.ByStore[s.Name].Orders), name, s.Name)
		}
		if s.quotes && s.gate(record.KindQuote) == "" {
			for _, state := range []string{record.QuoteSent, record.QuoteAccepted, record.QuoteDeclined, record.QuoteExpired} {
				out.add("b2b_quotes", number(w.Quotes[rollup.SalesKey{Store: s.Name, Label: state}]), name, s.Name, state)
			}
		}
		out.add("b2b_average_order_value", averageOrder(w.ByStore[s.Name]), name, s.Name)
		out.add("b2b_revenue_discounts", money(w.ByStore[s.Name].Discounts), name, s.Name)
	}
}

// revenue puts out the sums of a store that its refunds are part of.
func (s *store) revenue(in *Input, out *Output) {
	for _, w := range in.current() {
		name, sales := string(w.Name), w.ByStore[s.Name]
		out.add("b2b_revenue_refunds", money(sales.Refunds), name, s.Name)
		if s.costed {
			out.add("b2b_gross_profit", money(sales.Profit), name, s.Name)
		}
		out.add("b2b_profit_margin_ratio", margin(sales), name, s.Name)
	}
}

func abandonment(abandoned, orders int64) Value {
	return number(abandoned).over(number(abandoned + orders))
}

func averageOrder(s rollup.Sales) Value { return money(s.Ordered).over(number(s.Orders)) }

// margin is undefined, zero_denominator, where nothing has costs.
func margin(s rollup.Sales) Value {
	if s.Costed == 0 {
		return undefined(ZeroDenominator)
	}
	return money(s.Profit).over(money(s.CostedNet))
}

// trusted returns the sales of the stores that gate lets through.
func trusted(sales map[rollup.SalesKey]rollup.Sales, stores []store, gate func(*store) Reason) map[rollup.SalesKey]rollup.Sales {
	kept := map[rollup.SalesKey]rollup.Sales{}
	for k, v := range sales {
		i := slices.IndexFunc(stores, func(s store) bool { return s.Name == k.Store })
		if i >= 0 && gate(&stores[i]) == "" {
			kept[k] = v
		}
	}
	return kept
}

func gateOrders(s *store) Reason  { return s.ordersGate }
func gateRevenue(s *store) Reason { return s.revenueGate }

func byChannel(in *Input, out *Output, stores []store) {
	counts, gross, net := newSeries(in), newSeries(in), newSeries(in)
	for _, w := range in.current() {
		for k, s := range trusted(w.ByChannel, stores, gateOrders) {
			if s.Orders > 0 {
				counts.set(w.Name, k.Label, number(s.Orders), k.Store)
				gross.set(w.Name, k.Label, money(s.Gross), k.Store)
			}
		}
		for k, s := range trusted(w.ByChannel, stores, gateRevenue) {
			if s.Records > 0 {
				net.set(w.Name, k.Label, money(s.Net), k.Store)
			}
		}
	}
	counts.emit(out, "b2b_orders")
	gross.emit(out, "b2b_revenue_gross")
	net.emit(out, "b2b_revenue_net")
}

func byTerritory(in *Input, out *Output, stores []store) {
	counts, net, profit := newSeries(in), newSeries(in), newSeries(in)
	for _, w := range in.current() {
		for k, s := range trusted(w.ByTerritory, stores, gateOrders) {
			if s.Orders > 0 {
				counts.set(w.Name, territory(k.Label), number(s.Orders), k.Store)
			}
		}
		for k, s := range trusted(w.ByTerritory, stores, gateRevenue) {
			if s.Records > 0 {
				net.set(w.Name, territory(k.Label), money(s.Net), k.Store)
				if s.Costed > 0 {
					profit.set(w.Name, territory(k.Label), money(s.Profit), k.Store)
				} else {
					profit.blank(w.Name, territory(k.Label), k.Store)
				}
			}
		}
	}
	counts.bounded().emit(out, "b2b_orders_by_territory")
	net.bounded().emit(out, "b2b_revenue_net_by_territory")
	profit.bounded().emit(out, "b2b_gross_profit_by_territory")
}

// territory returns the label's value for a country or territory.
func territory(name string) string {
	if name == "" {
		return "unknown"
	}
	return name
}

// concentration puts out how revenue is spread over customers.
func concentration(in *Input, out *Output) {
	if customersGate(in) != "" {
		return
	}
	for _, w := range in.current() {
		largest := undefined(ZeroDenominator)
		if w.Largest.Records > 0 {
			largest = money(w.Largest)
		}
		out.add("b2b_revenue_top_customer_ratio", largest.over(money(w.Net)), string(w.Name))
		out.add("b2b_revenue_per_customer", money(w.Net).over(number(w.Orderers)), string(w.Name))
	}
}

// ordersHeadlines are the totals over all stores.
func ordersHeadlines(in *Input, stores []store) []Headline {
	total := func(w *rollup.WindowView, of func(*store) bool) (sum rollup.Sales, abandoned int64) {
		for i := range stores {
			if of == nil || of(&stores[i]) {
				s := w.ByStore[stores[i].Name]
				sum.Orders += s.Orders
				sum.Costed += s.Costed
				sum.Ordered = rollup.AddMoney(sum.Ordered, s.Ordered)
				sum.Net = rollup.AddMoney(sum.Net, s.Net)
				sum.Profit = rollup.AddMoney(sum.Profit, s.Profit)
				sum.CostedNet = rollup.AddMoney(sum.CostedNet, s.CostedNet)
				abandoned += w.Checkouts[stores[i].Name]
			}
		}
		return sum, abandoned
	}
	withCheckouts := func(s *store) bool { return s.checkouts }
	gateCheckouts := func(s *store) Reason { return s.gate(record.KindOrder, record.KindCheckout) }
	kpis := []struct {
		name  string
		of    func(*store) bool
		gate  func(*store) Reason
		value func(rollup.Sales, int64) Value
	}{
		{"b2b_orders", nil, gateOrders, func(s rollup.Sales, _ int64) Value { return number(s.Orders) }},
		{"b2b_revenue_net", nil, gateRevenue, func(s rollup.Sales, _ int64) Value { return money(s.Net) }},
		{"b2b_profit_margin_ratio", nil, gateRevenue, func(s rollup.Sales, _ int64) Value { return margin(s) }},
		{"b2b_average_order_value", nil, gateOrders, func(s rollup.Sales, _ int64) Value { return averageOrder(s) }},
		{"b2b_checkout_abandonment_ratio", withCheckouts, gateCheckouts, func(s rollup.Sales, abandoned int64) Value {
			return abandonment(abandoned, s.Orders)
		}},
	}
	var list []Headline
	for _, k := range kpis {
		gate := number(0)
		var from []string
		for i := range stores {
			if k.of == nil || k.of(&stores[i]) {
				from = append(from, stores[i].Name)
				gate = gate.unless(k.gate(&stores[i]))
			}
		}
		if len(from) == 0 {
			gate = undefined(SourceMissing)
		}
		list = append(list, in.byWindow(k.name, from, gate.Reason, func(w *rollup.WindowView) Value {
			return k.value(total(w, k.of))
		}))
	}
	return list
}
