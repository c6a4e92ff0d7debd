package oracle

import (
	"fmt"
	"math/big"
	"slices"

	"github.com/b2bexporter/b2b_exporter/internal/record"
)

// inactiveBefore returns t moved back by inactive_after.
func (w *world) inactiveBefore(t int64) int64 {
	if w.InactiveDays > 0 {
		return w.calendar.daysBack(t, w.InactiveDays)
	}
	return t - w.InactiveFor.Microseconds()
}

// activeAt returns which of list are active at t.
func (w *world) activeAt(list []*customer, t int64) map[*customer]bool {
	recent := span{w.inactiveBefore(t), t}
	active := map[*customer]bool{}
	for _, c := range list {
		live := slices.ContainsFunc(c.subscriptions, func(s subscription) bool { return s.liveAt(t) })
		if live || c.salesIn(recent) > 0 {
			active[c] = true
		}
	}
	return active
}

// churn is the coming and going of customers over a period.
type churn struct {
	atStart, lost, reactivated int
	immature                   bool
}

func (w *world) churn(list []*customer, s span) churn {
	before, after := w.activeAt(list, s.start), w.activeAt(list, s.end)
	result := churn{atStart: len(before), immature: w.unread() || !w.firstSaleOK || w.firstSale > w.inactiveBefore(s.start)}
	for c := range before {
		if !after[c] {
			result.lost++
		}
	}
	for c := range after {
		if !before[c] && c.firstAt < s.start {
			result.reactivated++
		}
	}
	return result
}

func (c churn) reason() string {
	if c.immature {
		return immature
	}
	return ""
}

func (w *world) churnRatio(c churn) value {
	if w.ChurnRemaining {
		return divide(count(c.lost), count(c.atStart-c.lost), c.reason())
	}
	return divide(count(c.lost), count(c.atStart), c.reason())
}

// basisKinds returns the kinds of record that customers' orders come from.
func (w *world) basisKinds() []record.Kind {
	switch w.Basis {
	case BasisDeals:
		return []record.Kind{record.KindDeal}
	case BasisBoth:
		return []record.Kind{record.KindOrder, record.KindDeal}
	}
	return []record.Kind{record.KindOrder}
}

// unread reports whether a source that customers' orders come from has history left to read.
func (w *world) unread() bool {
	for _, s := range w.Sources {
		if !s.Read && slices.ContainsFunc(w.basisKinds(), s.delivers) {
			return true
		}
	}
	return false
}

func (w *world) unreadReason() string {
	if w.unread() {
		return immature
	}
	return ""
}

// newIn returns the customers whose first order lies in s.
func (w *world) newIn(s span) []*customer {
	var list []*customer
	for _, c := range w.customers {
		if c.bought && s.holds(c.firstAt) {
			list = append(list, c)
		}
	}
	return list
}

// returning returns the share of a period's buyers that had bought before it, and
// the share that bought twice in it.
func (w *world) returning(s span) (returning, repeat value) {
	buyers, before, twice := 0, 0, 0
	for _, c := range w.customers {
		n := c.salesIn(s)
		if n == 0 {
			continue
		}
		buyers++
		if c.sales[0].at < s.start {
			before++
		}
		if n >= 2 {
			twice++
		}
	}
	return divide(count(before), count(buyers), w.unreadReason()), divide(count(twice), count(buyers))
}

// atRisk returns how many customers are at risk at asOf, and their revenue.
func (w *world) atRisk(asOf int64) (int, *total) {
	n := 0
	revenue := &total{}
	for c := range w.activeAt(w.customers, asOf) {
		life := c.salesIn(span{always, asOf})
		if life < 3 {
			continue
		}
		own := c.intervals(span{always, asOf})
		twiceMedian := own[len(own)/2] + own[(len(own)-1)/2]
		since := asOf - c.sales[life-1].at
		if 4*since > 3*twiceMedian {
			n++
			revenue.join(c.net(w.calendar.window("365d", asOf)))
		}
	}
	return n, revenue
}

// lifetimeHistoric returns the mean worth so far of those of list that have ordered.
func (w *world) lifetimeHistoric(list []*customer, asOf int64) value {
	past := span{always, asOf}
	var all total
	n := 0
	for _, c := range list {
		if c.salesIn(past) > 0 {
			n++
			all.join(c.worth(past))
		}
	}
	return divide(&all.sum, count(n), all.reason(), w.unreadReason())
}

// lifetimePredicted returns m / c of the customers in list.
func (w *world) lifetimePredicted(list []*customer, asOf int64) value {
	today := w.calendar.dayOf(asOf)
	lost, atStart := 0, 0
	reasons := []string{w.unreadReason()}
	for k := range record.Day(6) {
		month := w.churn(list, span{w.calendar.firstInstant(today - 30*(k+1)), w.calendar.firstInstant(today - 30*k)})
		lost += month.lost
		atStart += month.atStart
		reasons = append(reasons, month.reason())
	}
	if len(w.activeAt(list, asOf)) < w.LifetimeMinimum {
		reasons = append(reasons, tooFew)
	}
	m, c := w.monthlyWorth(list, asOf), divide(count(lost), count(atStart))
	if r := firstReason(append(reasons, m.reason, c.reason)...); r != "" {
		return value{reason: r}
	}
	if c.number.Cmp(big.NewRat(1, 60)) < 0 {
		return value{number: new(big.Rat).Mul(m.number, count(60))}
	}
	return divide(m.number, c.number)
}

// monthlyWorth returns what an active customer of list is worth in a month.
func (w *world) monthlyWorth(list []*customer, asOf int64) value {
	active := w.activeAt(list, asOf)
	var quarter total
	for c := range active {
		quarter.join(c.worth(w.calendar.window("90d", asOf)))
	}
	return divide(&quarter.sum, count(3*len(active)), quarter.reason(), w.unreadReason())
}

// customers exports the collector customers; nothing where no source delivers orders.
func (e *evaluation) customers() {
	if len(e.sources(e.basisKinds()...)) == 0 {
		return
	}
	e.customerStates()
	e.newCustomers()
	for _, w := range e.windows {
		c := e.churn(e.world.customers, w.span)
		e.export("b2b_customers_at_start", count(c.atStart), "window", w.name)
		e.export("b2b_customers_lost", count(c.lost), "window", w.name)
		e.export("b2b_customers_reactivated", count(c.reactivated), "window", w.name)
		e.exportIf("b2b_customer_churn_ratio", e.churnRatio(c), "window", w.name)
		e.exportIf("b2b_customer_retention_ratio", divide(count(c.atStart-c.lost), count(c.atStart), c.reason()), "window", w.name)
		returning, repeat := e.returning(w.span)
		e.exportIf("b2b_returning_customer_ratio", returning, "window", w.name)
		e.exportIf("b2b_repeat_purchase_ratio", repeat, "window", w.name)
	}
	e.orderIntervals()
	e.lifetimeValues()
	e.cohorts()
	n, revenue := e.atRisk(e.asOf)
	e.export("b2b_customers_at_risk", count(n))
	e.exportIf("b2b_customers_at_risk_revenue", revenue.value(), "currency", e.Currency)
}

func (e *evaluation) customerStates() {
	active := e.activeAt(e.world.customers, e.asOf)
	churned, prospects := 0, 0
	for _, c := range e.world.customers {
		bought := c.bought && c.firstAt < e.asOf
		switch {
		case bought && !active[c]:
			churned++
		case !bought && c.known && c.knownFrom < e.asOf:
			prospects++
		}
	}
	e.export("b2b_customers", count(len(active)), "state", "active")
	e.export("b2b_customers", count(churned), "state", "churned")
	e.export("b2b_customers", count(prospects), "state", "prospect")
}

func (e *evaluation) newCustomers() {
	if e.unread() {
		return
	}
	byWindow := e.makeCells()
	for i, w := range e.windows {
		for _, c := range e.newIn(w.span) {
			byWindow[i].add(labelled(e.channel(c)), one)
		}
	}
	e.exportFamily(family{name: "b2b_customers_new", label: "channel"}, byWindow)
}

func (e *evaluation) orderIntervals() {
	var all []int64
	for _, c := range e.world.customers {
		all = append(all, c.intervals(e.calendar.window("365d", e.asOf))...)
	}
	slices.Sort(all)
	if len(all) == 0 {
		return
	}
	for q, tenths := range map[string]int{"0.5": 5, "0.8": 8} {
		rank := (tenths*len(all) + 9) / 10
		e.export("b2b_order_interval_seconds", big.NewRat(all[rank-1], second), "q", q)
	}
}

func (e *evaluation) lifetimeValues() {
	byChannel := map[string][]*customer{}
	for _, c := range e.world.customers {
		byChannel[e.channel(c)] = append(byChannel[e.channel(c)], c)
	}
	for method, of := range map[string]func([]*customer, int64) value{"historic": e.lifetimeHistoric, "predicted": e.lifetimePredicted} {
		e.exportIf("b2b_customer_lifetime_value", of(e.world.customers, e.asOf), "method", method, "currency", e.Currency)
		for channel, list := range byChannel {
			e.exportIf("b2b_customer_lifetime_value_by_channel", of(list, e.asOf), "method", method, "channel", channel, "currency", e.Currency)
		}
	}
}

// cohorts exports the share of each of the last 13 months' new customers that ordered
// in each month since.
func (e *evaluation) cohorts() {
	y, m, _ := ymd(e.calendar.dayOf(e.asOf))
	month := func(back int) span { // cut at asOf
		return span{
			e.calendar.firstInstant(date(y, m-back, 1)),
			min(e.asOf, e.calendar.firstInstant(date(y, m-back+1, 1))),
		}
	}
	for back := range 13 {
		cohort := e.newIn(month(back))
		year, of, _ := ymd(date(y, m-back, 1))
		for number := range back + 1 {
			ordered := 0
			for _, c := range cohort {
				if number == 0 || c.salesIn(month(back-number)) > 0 {
					ordered++
				}
			}
			e.exportIf("b2b_cohort_retention_ratio", divide(count(ordered), count(len(cohort))),
				"cohort", fmt.Sprintf("%04d-%02d", year, of), "month", fmt.Sprint(number))
		}
	}
}
