package oracle

import (
	"math/big"
	"slices"

	"github.com/b2bexporter/b2b_exporter/internal/record"
)

// sources returns the names of the sources that deliver one of kinds.
func (w *world) sources(kinds ...record.Kind) []string {
	var names []string
	for _, s := range w.Sources {
		if slices.ContainsFunc(kinds, s.delivers) {
			names = append(names, s.Name)
		}
	}
	return names
}

// stores returns the sources that deliver orders and, where given, also the kind also.
func (w *world) stores(also ...record.Kind) []string {
	var names []string
	for _, s := range w.Sources {
		if s.delivers(record.KindOrder) && (len(also) == 0 || s.delivers(also[0])) {
			names = append(names, s.Name)
		}
	}
	return names
}

// storeSums is what a store, or several together, sold in a period.
type storeSums struct {
	orders                                 int
	gross, discounts, refunds, net, placed total // placed: gross - discounts
	costed, profit                         total
	anything                               bool // there is any order or refund
}

func (w *world) storeSums(stores []string, s span) *storeSums {
	in := map[string]bool{}
	for _, name := range stores {
		in[name] = true
	}
	sums := &storeSums{}
	for _, o := range w.counted {
		if !in[o.source] || !s.holds(o.at) {
			continue
		}
		sums.anything = true
		sums.orders++
		sums.gross.add(o.gross)
		sums.discounts.add(o.given)
		sums.placed.add(o.net)
		sums.net.add(o.net)
		if o.profit.known {
			sums.costed.add(o.costed)
			sums.profit.add(o.profit)
		}
	}
	for _, r := range w.refunds {
		if !in[r.source] || !s.holds(r.at) {
			continue
		}
		sums.anything = true
		sums.refunds.add(r.amount)
		sums.net.subtract(r.amount)
		if r.profit.known {
			sums.costed.subtract(r.costed)
			sums.profit.subtract(r.profit)
		}
	}
	return sums
}

func (s *storeSums) averageOrderValue() value {
	return divide(&s.placed.sum, count(s.orders), s.placed.reason())
}

func (s *storeSums) margin() value {
	return divide(&s.profit.sum, &s.costed.sum, s.costed.reason(), s.profit.reason())
}

// abandoned counts the checkouts of stores that were started in s and abandoned at asOf.
func (w *world) abandoned(stores []string, s span, asOf int64) int {
	n := 0
	for _, r := range w.records {
		c, ok := r.Record.(*record.Checkout)
		if !ok || !c.CompletedAt.IsNull() {
			continue
		}
		started, ok := w.calendar.resolve(c.StartedAt)
		if !ok || !s.holds(started) {
			continue
		}
		last := started
		if changed, ok := w.calendar.resolve(c.ChangedAt); ok {
			last = max(last, changed)
		}
		for _, name := range stores {
			if name == r.Source && last+hour <= asOf {
				n++
			}
		}
	}
	return n
}

func (w *world) abandonment(stores []string, s span, asOf int64) value {
	abandoned := w.abandoned(stores, s, asOf)
	return divide(count(abandoned), count(abandoned+w.storeSums(stores, s).orders))
}

// quotes counts a store's quotes that entered state in s.
func (w *world) quotes(store, state string, s span) int {
	n := 0
	for _, r := range w.records {
		q, ok := r.Record.(*record.Quote)
		if !ok || r.Source != store {
			continue
		}
		entered := q.DecidedAt
		matches := q.State == state
		if state == record.QuoteSent {
			entered, matches = q.SentAt, q.State != record.QuoteDraft
		}
		if t, dated := w.calendar.resolve(entered); dated && matches && s.holds(t) {
			n++
		}
	}
	return n
}

// orders exports the collector orders.
func (e *evaluation) orders() {
	e.ordersByLabel()
	for _, store := range e.stores() {
		one := []string{store}
		hasCosts := false
		for _, w := range e.windows {
			hasCosts = hasCosts || e.storeSums(one, w.span).profit.records > 0
		}
		for _, w := range e.windows {
			sums := e.storeSums(one, w.span)
			e.exportIf("b2b_revenue_discounts", sums.discounts.value(), "window", w.name, "store", store, "currency", e.Currency)
			e.exportIf("b2b_revenue_refunds", sums.refunds.value(), "window", w.name, "store", store, "currency", e.Currency)
			e.exportIf("b2b_average_order_value", sums.averageOrderValue(), "window", w.name, "store", store, "currency", e.Currency)
			if hasCosts {
				if sums.profit.records > 0 || !sums.anything {
					e.exportIf("b2b_gross_profit", sums.profit.value(), "window", w.name, "store", store, "currency", e.Currency)
				}
				e.exportIf("b2b_profit_margin_ratio", sums.margin(), "window", w.name, "store", store)
			}
		}
	}
	for _, w := range e.windows {
		for _, store := range e.stores(record.KindCheckout) {
			e.export("b2b_abandoned_checkouts", count(e.abandoned([]string{store}, w.span, e.asOf)), "window", w.name, "store", store)
			e.exportIf("b2b_checkout_abandonment_ratio", e.abandonment([]string{store}, w.span, e.asOf), "window", w.name, "store", store)
		}
		for _, store := range e.stores(record.KindQuote) {
			for _, state := range []string{record.QuoteSent, record.QuoteAccepted, record.QuoteDeclined, record.QuoteExpired} {
				e.export("b2b_quotes", count(e.quotes(store, state, w.span)), "window", w.name, "store", store, "state", state)
			}
		}
		e.customerRevenue(w)
	}
}

// ordersByLabel exports what is labelled with the channel or the territory.
func (e *evaluation) ordersByLabel() {
	orders, gross, net := e.makeCells(), e.makeCells(), e.makeCells()
	ordersIn, netIn, profitIn := e.makeCells(), e.makeCells(), e.makeCells()
	for i, w := range e.windows {
		for _, o := range e.counted {
			if !w.holds(o.at) {
				continue
			}
			channel, territory := labelled(e.channel(o.customer), o.source), labelled(o.territory, o.source)
			orders[i].add(channel, one)
			gross[i].add(channel, o.gross)
			net[i].add(channel, o.net)
			ordersIn[i].add(territory, one)
			netIn[i].add(territory, o.net)
			if o.profit.known {
				profitIn[i].add(territory, o.profit)
			} else {
				profitIn[i].at(territory).any++
			}
		}
		for _, r := range e.refunds {
			if !w.holds(r.at) {
				continue
			}
			channel, territory := labelled(e.channel(r.customer), r.source), labelled(r.territory, r.source)
			net[i].subtract(channel, r.amount)
			netIn[i].subtract(territory, r.amount)
			if r.profit.known {
				profitIn[i].subtract(territory, r.profit)
			} else {
				profitIn[i].at(territory).any++
			}
		}
	}
	store := []string{"store"}
	e.exportFamily(family{name: "b2b_orders", label: "channel", others: store}, orders)
	e.exportFamily(family{name: "b2b_revenue_gross", label: "channel", others: store, currency: e.Currency}, gross)
	e.exportFamily(family{name: "b2b_revenue_net", label: "channel", others: store, currency: e.Currency}, net)
	e.exportFamily(family{name: "b2b_orders_by_territory", label: "territory", others: store, bounded: true}, ordersIn)
	e.exportFamily(family{name: "b2b_revenue_net_by_territory", label: "territory", others: store, currency: e.Currency, bounded: true}, netIn)
	e.exportFamily(family{name: "b2b_gross_profit_by_territory", label: "territory", others: store, currency: e.Currency, bounded: true}, profitIn)
}

// customerRevenue exports the net revenue by customer in a window.
func (e *evaluation) customerRevenue(w namedSpan) {
	var all total
	var largest *big.Rat
	buyers := 0
	for _, c := range e.world.customers {
		net := c.net(w.span)
		all.join(net)
		if net.known > 0 && (largest == nil || net.sum.Cmp(largest) > 0) {
			largest = &net.sum
		}
		if c.salesIn(w.span) > 0 {
			buyers++
		}
	}
	e.exportIf("b2b_revenue_per_customer", divide(&all.sum, count(buyers), all.reason()), "window", w.name, "currency", e.Currency)
	if largest != nil {
		e.exportIf("b2b_revenue_top_customer_ratio", divide(largest, &all.sum, all.reason()), "window", w.name)
	}
}
