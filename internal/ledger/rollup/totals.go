package rollup

import (
	"github.com/b2bexporter/b2b_exporter/internal/ledger/history"
	"github.com/b2bexporter/b2b_exporter/internal/record"
	"github.com/b2bexporter/b2b_exporter/internal/window"
)

// windowTotals count customers in a window.
type windowTotals struct {
	newBy map[history.Dict]int64 // by touch
	new   int64
	// newFrom are they by first touch, where that is not what they are counted under.
	newFrom   map[history.Dict]int64
	gain      map[history.Dict]*bag // by channel: what the new customers brought
	orderers  int64                 // distinct customers that ordered
	returning int64                 // ... that had ordered before
	repeat    int64                 // ... twice or more
	atStart   int64
	lost      int64
	back      int64 // reactivated
	net       bag   // of identified customers
	top       top
	leads     leadTotals
	mrr       windowMRR
}

// momentTotals are what the KPIs without a window are made of.
type momentTotals struct {
	value    lifetime
	byChan   map[history.Dict]*lifetime // only at Now
	atRisk   int64
	riskedBy bag // net revenue of those over the last 365 days
}

// lifetime are the parts of the predicted lifetime value.
type lifetime struct {
	active        int64
	quarter       bag // what the active customers brought in the last 90 days
	atStart, lost int64
}

// historic are the parts of the historic lifetime value.
type historic struct {
	customers int64
	value     bag
}

type storeKey struct {
	store, label history.Dict
}

// totals are all sums and counts at a plan's as_of.
type totals struct {
	sales     *sales
	windows   []windowTotals
	moments   []momentTotals
	active    int64
	churned   int64
	prospects int64
	cohorts   [cohorts][cohorts]int64 // by month of the first order, by month number
	intervals intervals
	historic  map[history.Dict]*historic
	checkouts []map[history.Dict]int64 // by window: abandoned, by store
	quotes    []map[storeKey]int64     // by window
	// unmatched counts records that are a customer or lead and share it with no record of
	// another source, by source and kind.
	unmatched map[storeKey]int64
	open      openLeads
	rows      rowTotals
	mrr       mrrTotals
	// touches counts, by touch, the leads and orders that have it.
	touches map[history.Dict]int64
	// responses counts the leads of which the CRM knows the first answer.
	responses int64
	// first is the ledger's first order that counts as one of a customer, firsts how many there
	// are at that moment; with none left it must be looked for.
	first, firsts int64
}

func newTotals(c *window.Calendar, p *plan) *totals {
	t := &totals{
		sales: newSales(c, p), windows: make([]windowTotals, len(p.windows)), historic: map[history.Dict]*historic{},
		checkouts: make([]map[history.Dict]int64, len(p.windows)), quotes: make([]map[storeKey]int64, len(p.windows)),
		first: never, unmatched: map[storeKey]int64{}, moments: make([]momentTotals, len(p.moments)), rows: newRowTotals(p),
		mrr:     newMRRTotals(c, p),
		touches: map[history.Dict]int64{},
	}
	for i := range p.windows {
		t.windows[i].newBy, t.windows[i].newFrom = map[history.Dict]int64{}, map[history.Dict]int64{}
		t.windows[i].gain, t.windows[i].leads.by = map[history.Dict]*bag{}, map[history.Dict]*leadCounts{}
		t.checkouts[i] = map[history.Dict]int64{}
		t.quotes[i] = map[storeKey]int64{}
	}
	t.moments[Now].byChan = map[history.Dict]*lifetime{}
	return t
}

// evaluation adds customers to totals under a plan.
type evaluation struct {
	p     *plan
	t     *totals
	o     Options
	rates *rates
	text  func(history.Dict) string
	// channelOf returns the number of a touch's channel.
	channelOf func(history.Dict) history.Dict
	brought   takings // by the customer at hand, in the window or days at hand
}

// touches are the touches that a customer is counted under.
type touches struct{ counted, first, channel history.Dict }

func (ev *evaluation) touchesOf(c *customer) touches { return ev.touchesAt(c, ev.p.asOf) }

func (ev *evaluation) touchesAt(c *customer, asOf int64) touches {
	t := touches{counted: c.touch(asOf, ev.o.LastTouch, ev.text)}
	t.first, t.channel = t.counted, ev.channelOf(t.counted)
	if ev.o.LastTouch {
		t.first = c.touch(asOf, false, ev.text)
	}
	return t
}

// unit adds (sign 1) or takes out (sign -1) everything that a unit contributes.
func (ev *evaluation) unit(c *customer, sign int64) {
	if c.unit < 0 {
		ev.chunk(c, sign)
		return
	}
	t := ev.touchesOf(c)
	ev.sold(c, t.channel, sign)
	ev.customer(c, t, sign)
	ev.leads(c, sign)
	ev.revenue(c, sign)
	ev.match(c, sign)
	ev.name(c, sign)
}

// name counts the touches of a unit's orders and leads, and the answers known by CRMs.
func (ev *evaluation) name(c *customer, sign int64) {
	for i := range c.events {
		switch e := &c.events[i]; {
		case e.Kind == history.Lead, e.Kind == history.Order && e.Has(history.OfCustomer):
			if ev.channelOf(e.Label) == e.Label {
				break // it has no campaign
			}
			if ev.t.touches[e.Label] += sign; ev.t.touches[e.Label] == 0 {
				delete(ev.t.touches, e.Label)
			}
		case e.Kind == history.Step && e.Label == history.StepResponse:
			ev.t.responses += sign
		}
	}
}

// match counts the records of a unit that only one source knows.
func (ev *evaluation) match(c *customer, sign int64) {
	for i := range c.events {
		if c.events[i].Source != c.events[0].Source {
			return
		}
	}
	for i := range c.events {
		e := &c.events[i]
		switch {
		case e.Kind == history.Known && e.Label != 0:
			ev.t.unmatched[storeKey{e.Source, e.Label}] += sign
		case e.Kind == history.Lead:
			ev.t.unmatched[storeKey{e.Source, leadKind}] += sign
		}
	}
}

// leadKind stands for the kind of leads, whose events have their channel as label.
const leadKind = ^history.Dict(0) - 2

// move takes a customer from one as_of to another, under which it may count otherwise.
func move(from, to *evaluation, c *customer) {
	if c.unit < 0 {
		from.chunkWindows(c, -1)
		to.chunkWindows(c, 1)
		return
	}
	before, after := from.touchesOf(c), to.touchesOf(c)
	if before.channel != after.channel {
		from.sold(c, before.channel, -1)
		to.sold(c, after.channel, 1)
	}
	from.customer(c, before, -1)
	to.customer(c, after, 1)
	from.leads(c, -1)
	to.leads(c, 1)
	moveRevenue(from, to, c)
}

// sold adds what the stores sold to the customer.
func (ev *evaluation) sold(c *customer, channel history.Dict, sign int64) {
	for i := range c.events {
		e := &c.events[i]
		if e.Kind != history.Order && e.Kind != history.Refund {
			continue
		}
		if e.Has(history.OfStore) {
			ev.t.sales.add(e, channel, sign)
		} else {
			ev.t.sales.used[e.Currency] = true
		}
		if e.Kind == history.Order && e.Has(history.OfCustomer) {
			ev.t.ordered(e.T, sign)
		}
	}
}

// ordered keeps the first order.
func (t *totals) ordered(at, sign int64) {
	switch {
	case at == t.first:
		t.firsts += sign
	case at < t.first && sign > 0:
		t.first, t.firsts = at, 1
	}
}

func (ev *evaluation) chunk(c *customer, sign int64) {
	ev.sold(c, unknownTouch, sign)
	ev.name(c, sign)
	ev.chunkWindows(c, sign)
	ev.rows(c, sign)
}

// chunkWindows adds checkouts and quotes.
func (ev *evaluation) chunkWindows(c *customer, sign int64) {
	for i := range c.events {
		e := &c.events[i]
		if e.Kind != history.Checkout && e.Kind != history.Quote {
			continue
		}
		for k := range ev.p.windows {
			w := &ev.p.windows[k]
			switch {
			case e.T < w.Start || e.T >= w.End:
			case e.Kind == history.Quote:
				ev.t.quotes[k][storeKey{e.Source, e.Label}] += sign
			case e.End <= w.AsOf:
				ev.t.checkouts[k][e.Source] += sign
			}
		}
	}
}

// customer adds what counts customers.
func (ev *evaluation) customer(c *customer, by touches, sign int64) {
	p, t := ev.p, ev.t
	c.place(p)
	switch {
	case c.first >= p.asOf:
		if c.known < p.asOf {
			t.prospects += sign
		}
	case c.active(p, p.moments[Now].at):
		t.active += sign
	default:
		t.churned += sign
	}
	if len(c.orders) == 0 && len(c.live) == 0 && len(c.money) == 0 {
		return
	}
	for i := range p.windows {
		ev.window(c, i, by, sign)
	}
	for i := range p.moments {
		ev.moment(c, i, by.channel, sign)
	}
	ev.cohort(c, sign)
	for i := max(1, c.position[p.d365.since]); i < c.position[p.d365.at]; i++ {
		t.intervals.add(c.orders[i]-c.orders[i-1], sign)
	}
	if c.position[p.asOfAt] > 0 {
		ev.lifetimeSoFar(c, by.channel, sign)
	}
}

func (ev *evaluation) window(c *customer, i int, by touches, sign int64) {
	w, t := &ev.p.windows[i], &ev.t.windows[i]
	if c.first >= w.Start && c.first < w.End {
		ev.acquired(c, i, by, sign)
	}
	if w.Role.OfDays() {
		return
	}
	if n := c.ordered(w.start.at, w.end.at); n > 0 {
		t.orderers += sign
		if c.position[w.start.at] > 0 {
			t.returning += sign
		}
		if n > 1 {
			t.repeat += sign
		}
	}
	start, end := c.active(ev.p, w.start), c.active(ev.p, w.end)
	switch {
	case start:
		t.atStart += sign
		if !end {
			t.lost += sign
		}
	case end && c.first < w.Start:
		t.back += sign
	}
	if w.Role != Current {
		return
	}
	events := c.between(w.Range)
	if len(events) == 0 {
		return
	}
	net := ev.net(events)
	t.net.add(net, sign)
	if net.known == 0 {
		return
	}
	if sign > 0 {
		t.top.add(c.unit, net.comparable(ev.rates), net)
	} else {
		t.top.remove(c.unit)
	}
}

// acquired adds a new customer of a window, and what it brought in it.
func (ev *evaluation) acquired(c *customer, i int, by touches, sign int64) {
	w, t := &ev.p.windows[i], &ev.t.windows[i]
	if w.Role != Current {
		by = ev.touchesAt(c, w.AsOf)
	}
	t.new += sign
	t.newBy[by.counted] += sign
	if ev.o.LastTouch {
		t.newFrom[by.first] += sign
	}
	gain := t.gain[by.channel]
	if gain == nil {
		gain = &bag{}
		t.gain[by.channel] = gain
	}
	gain.add(ev.worth(c.between(w.Range)), sign)
}

// net returns the net revenue of events, until something else is asked for.
func (ev *evaluation) net(events []history.Event) *takings {
	b := &ev.brought
	b.reset()
	for i := range events {
		e := &events[i]
		b.records++
		if e.Has(history.HasMoney) {
			b.known++
			ev.put(e, e.Net())
		}
	}
	return b
}

// profit returns the gross profit of events, until something else is asked for.
func (ev *evaluation) profit(events []history.Event) *takings {
	b := &ev.brought
	b.reset()
	for i := range events {
		e := &events[i]
		b.records++
		if e.Has(history.HasCost) {
			b.known++
			amount := e.Profit
			if e.Kind == history.Refund {
				amount = -amount
			}
			ev.put(e, amount)
		}
	}
	return b
}

func (ev *evaluation) put(e *history.Event, amount int64) {
	b := &ev.brought
	if e.Currency == ev.rates.home {
		b.home = b.home.Add(record.Wide(amount))
		return
	}
	b.addForeign(key{e.Currency, ev.t.sales.calendar.Day(e.T)}, record.Wide(amount))
}

// worth returns the gross profit of events where there are orders among them and all have
// costs, else their net revenue, until something else is asked for.
func (ev *evaluation) worth(events []history.Event) *takings {
	costed := false
	for i := range events {
		if events[i].Kind == history.Order {
			if costed = events[i].Has(history.HasCost); !costed {
				break
			}
		}
	}
	if costed {
		return ev.profit(events)
	}
	return ev.net(events)
}

func (ev *evaluation) moment(c *customer, i int, channel history.Dict, sign int64) {
	m, t := &ev.p.moments[i], &ev.t.moments[i]
	active := c.active(ev.p, m.at)
	var atStart, lost int64
	was := c.active(ev.p, m.months[0])
	for k := 1; k < len(m.months); k++ {
		is := c.active(ev.p, m.months[k])
		if was {
			atStart += sign
			if !is {
				lost += sign
			}
		}
		was = is
	}
	var events []history.Event
	if active {
		events = c.between(m.d90)
	}
	quarter := ev.worth(events)
	t.value.add(quarter, active, atStart, lost, sign)
	if t.byChan != nil && (active || atStart != 0) {
		if t.byChan[channel] == nil {
			t.byChan[channel] = &lifetime{}
		}
		t.byChan[channel].add(quarter, active, atStart, lost, sign)
	}
	if !active || m.valueOnly {
		return
	}
	if from, ok := c.riskAfter(int(c.position[m.at.at])); ok && from <= m.At {
		t.atRisk += sign
		t.riskedBy.add(ev.net(c.between(m.d365)), sign)
	}
}

func (l *lifetime) add(quarter *takings, active bool, atStart, lost, sign int64) {
	if active {
		l.active += sign
	}
	l.quarter.add(quarter, sign)
	l.atStart += atStart
	l.lost += lost
}

// cohort: the share of a month's new customers that ordered in each month since.
func (ev *evaluation) cohort(c *customer, sign int64) {
	p := ev.p
	if c.first >= p.asOf || c.first < p.points[p.months[0]] {
		return
	}
	from := cohorts - 1
	for p.points[p.months[from]] > c.first {
		from--
	}
	for month := from; month < cohorts; month++ {
		end := p.asOfAt
		if month+1 < cohorts {
			end = p.months[month+1]
		}
		if month == from || c.ordered(p.months[month], end) > 0 {
			ev.t.cohorts[from][month-from] += sign
		}
	}
}

func (ev *evaluation) lifetimeSoFar(c *customer, channel history.Dict, sign int64) {
	h := ev.t.historic[channel]
	if h == nil {
		h = &historic{}
		ev.t.historic[channel] = h
	}
	h.customers += sign
	h.value.add(ev.worth(c.between(window.Range{Start: always, End: ev.p.asOf})), sign)
}
