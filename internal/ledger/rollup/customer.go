package rollup

import (
	"cmp"
	"math"
	"slices"
	"sort"

	"github.com/b2bexporter/b2b_exporter/internal/ledger"
	"github.com/b2bexporter/b2b_exporter/internal/ledger/history"
	"github.com/b2bexporter/b2b_exporter/internal/window"
)

// never is the time of what has not happened; always of what has no date and so was
// always so.
const (
	never  = math.MaxInt64
	always = math.MinInt64
)

// unknownTouch is the number of the touch of what has none; its channel is unknown.
const unknownTouch = ^history.Dict(0) - 1

// customer is a unit read into memory, and where the plan's points fall in it.
// One is used again and again.
type customer struct {
	unit   int64
	events []history.Event // by time
	rows   []history.Row

	orders   []int64         // times of what counts as an order, ascending
	money    []history.Event // orders and refunds of the customer, by time
	live     []history.Event // paid subscriptions, by start
	leads    []history.Event // by time; those without a date first
	funnel   []lead
	revenue  []history.Event // changes of what subscriptions bring, by time
	states   []history.Event // of subscriptions
	owners   []history.Event
	first    int64   // the first order or start of a subscription
	known    int64   // from when the customer is known
	position []int32 // by point of the plan: how many orders are before it

	intervals []int64 // scratch
}

// load decodes a unit.
func (c *customer) load(u ledger.Unit) error {
	c.unit = u.ID
	c.events, c.rows = c.events[:0], c.rows[:0]
	var err error
	for _, h := range u.Histories {
		if c.events, c.rows, err = history.Decode(h, c.events, c.rows); err != nil {
			return err
		}
	}
	c.orders, c.money, c.live, c.leads, c.funnel = c.orders[:0], c.money[:0], c.live[:0], c.leads[:0], c.funnel[:0]
	c.revenue, c.states, c.owners = c.revenue[:0], c.states[:0], c.owners[:0]
	c.first, c.known = never, never
	if u.ID < 0 {
		return nil
	}
	history.SortByTime(c.events)
	for i := range c.events {
		e := &c.events[i]
		switch e.Kind {
		case history.Order, history.Refund:
			if !e.Has(history.OfCustomer) {
				break
			}
			c.money = append(c.money, *e)
			if e.Kind == history.Order {
				c.orders = append(c.orders, e.T)
				c.first = min(c.first, e.T)
				c.known = min(c.known, e.T)
			}
		case history.Live:
			c.live = append(c.live, *e)
			c.first = min(c.first, e.T)
		case history.Revenue:
			c.revenue = append(c.revenue, *e)
		case history.Subscribed:
			c.states = append(c.states, *e)
		case history.Owned:
			if e.Has(history.Always) {
				e.T = always
			}
			c.owners = append(c.owners, *e)
		case history.Known:
			if e.Has(history.Always) {
				c.known = always
			}
			c.known = min(c.known, e.T)
		case history.Lead:
			if e.Has(history.Always) {
				e.T = always
			}
			c.leads = append(c.leads, *e)
		}
	}
	history.SortByTime(c.leads)
	c.readLeads()
	return nil
}

// place finds the plan's points among the orders.
func (c *customer) place(p *plan) {
	c.position = slices.Grow(c.position[:0], len(p.points))[:len(p.points)]
	n := int32(0)
	for i, at := range p.points {
		for int(n) < len(c.orders) && c.orders[n] < at {
			n++
		}
		c.position[i] = n
	}
}

// ordered returns how many orders lie between two points.
func (c *customer) ordered(from, to int) int32 { return c.position[to] - c.position[from] }

// active reports whether there was an order within inactive_after before the edge,
// or a live subscription at it.
func (c *customer) active(p *plan, e edge) bool {
	if c.ordered(e.since, e.at) > 0 {
		return true
	}
	at := p.points[e.at]
	for i := range c.live {
		if c.live[i].T < at && (c.live[i].End == 0 || c.live[i].End >= at) {
			return true
		}
	}
	return false
}

// between returns the money events in a window.
func (c *customer) between(r window.Range) []history.Event {
	// By index: events are large, and this is asked for every window of every customer.
	after := func(t int64) int { return sort.Search(len(c.money), func(i int) bool { return c.money[i].T >= t }) }
	from, to := after(r.Start), after(r.End)
	return c.money[from:max(from, to)]
}

// touch returns the touch that the customer is counted under as of a moment. Ties go to
// the name that comes first, so that the order of arrival does not matter.
func (c *customer) touch(asOf int64, lastTouch bool, text func(history.Dict) string) history.Dict {
	best := unknownTouch
	better := func(label history.Dict) {
		if best == unknownTouch || text(label) < text(best) {
			best = label
		}
	}
	first := unknownTouch
	if c.first < asOf {
		for i := range c.money {
			if c.money[i].Kind == history.Order && c.money[i].T == c.first {
				better(c.money[i].Label)
			}
		}
		first, best = best, unknownTouch
		for i := range c.live {
			if c.live[i].T == c.first && text(unknownTouch) < text(first) {
				first = unknownTouch
			}
		}
	}
	if lastTouch {
		if text(first) != text(unknownTouch) {
			return first
		}
		// The latest lead before the order, and those of the same moment.
		until := min(asOf, c.first)
		n, _ := slices.BinarySearchFunc(c.leads, until, func(e history.Event, t int64) int { return cmp.Compare(e.T, t) })
		for i := n - 1; i >= 0 && c.leads[i].T == c.leads[n-1].T; i-- {
			better(c.leads[i].Label)
		}
		return best
	}
	for i := range c.leads {
		if c.leads[i].T >= asOf || c.leads[i].T != c.leads[0].T {
			break
		}
		better(c.leads[i].Label)
	}
	if best != unknownTouch {
		return best
	}
	return first
}

// riskAfter returns from when a customer whose first n orders are known is at risk:
// once the time since the last of them exceeds 1.5 times the median of the
// intervals between them. It takes three orders; ok is false below.
func (c *customer) riskAfter(n int) (from int64, ok bool) {
	if n < 3 {
		return 0, false
	}
	c.intervals = c.intervals[:0]
	for i := 1; i < n; i++ {
		c.intervals = append(c.intervals, c.orders[i]-c.orders[i-1])
	}
	slices.Sort(c.intervals)
	k := len(c.intervals)
	twice := c.intervals[(k-1)/2] + c.intervals[k/2] // of the median
	// 4 (t - last) > 3 twice, in whole microseconds.
	return c.orders[n-1] + 3*twice/4 + 1, true
}
