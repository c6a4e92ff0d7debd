package rollup

import (
	"github.com/b2bexporter/b2b_exporter/internal/ledger/history"
	"github.com/b2bexporter/b2b_exporter/internal/window"
)

// mrrKey is under what changes of recurring revenue are summed.
type mrrKey struct {
	day      window.Day
	movement Movement
}

// mrrSum is a sum of changes.
type mrrSum struct {
	by      revenue
	changes int64
	told    int64 // of which it is known how much
}

func (s *mrrSum) add(c *mrrChange, sign int64) {
	s.by.addAll(c.by, sign)
	s.changes += sign
	if c.told {
		s.told += sign
	}
}

// mrrTotals are the changes of recurring revenue by day, since the first, and those single
// ones that lie in days in which a window ends or that are still to come.
type mrrTotals struct {
	sums    map[mrrKey]*mrrSum
	partial map[window.Day]bool
	future  window.Day // from this day on all are kept
	singles map[window.Day]map[int64]map[Movement]*mrrSum

	tiers map[int]revenue // of the customers in each tier
	// untiered counts customers of which no rate tells their tier.
	untiered    int64
	owners      map[history.Dict]*ownerTotals // 0: of customers that nobody looks after
	subscribers [history.StateTrialing + 1]int64
}

// ownerTotals are what the customers of a sales representative bring.
type ownerTotals struct {
	customers int64
	revenue   revenue
}

// windowMRR is what the customers with recurring revenue at a window's start bring.
type windowMRR struct {
	then, now revenue
	kept      revenue // the lower of the two, customer by customer
}

func newMRRTotals(c *window.Calendar, p *plan) mrrTotals {
	t := mrrTotals{
		sums: map[mrrKey]*mrrSum{}, partial: map[window.Day]bool{}, singles: map[window.Day]map[int64]map[Movement]*mrrSum{},
		future: c.Day(p.asOf), tiers: map[int]revenue{}, owners: map[history.Dict]*ownerTotals{},
	}
	for i := range p.windows {
		t.partial[c.Day(p.windows[i].End)] = true
	}
	for i := range p.moments {
		t.partial[c.Day(p.moments[i].At)] = true
	}
	return t
}

// add adds changes of a customer, or takes them out.
func (t *mrrTotals) add(list []mrrChange, sign int64) {
	for i := range list {
		c := &list[i]
		k := mrrKey{c.day, c.movement}
		sum := t.sums[k]
		if sum == nil {
			sum = &mrrSum{}
			t.sums[k] = sum
		}
		if sum.add(c, sign); sum.changes == 0 {
			delete(t.sums, k)
		}
		if t.partial[c.day] || c.day >= t.future {
			t.single(c, sign)
		}
	}
}

func (t *mrrTotals) single(c *mrrChange, sign int64) {
	day := t.singles[c.day]
	if day == nil {
		day = map[int64]map[Movement]*mrrSum{}
		t.singles[c.day] = day
	}
	instant := day[c.t]
	if instant == nil {
		instant = map[Movement]*mrrSum{}
		day[c.t] = instant
	}
	sum := instant[c.movement]
	if sum == nil {
		sum = &mrrSum{}
		instant[c.movement] = sum
	}
	if sum.add(c, sign); sum.changes > 0 {
		return
	}
	if delete(instant, c.movement); len(instant) == 0 {
		delete(day, c.t)
	}
}

// revenue adds what a customer's subscriptions bring; of its changes only the days' sums do
// not depend on as_of.
func (ev *evaluation) revenue(c *customer, sign int64) {
	if len(c.revenue) == 0 && len(c.states) == 0 {
		return
	}
	for i := range c.revenue {
		ev.t.sales.used[c.revenue[i].Currency] = true
	}
	list := ev.changes(c)
	ev.t.mrr.add(list, sign)
	ev.standing(c, list, sign)
}

// changes returns how the revenue from a customer changed.
func (ev *evaluation) changes(c *customer) []mrrChange {
	return mrrChanges(c.revenue, ev.t.sales.calendar.Day, ev.rates.exact)
}

// moveRevenue takes a customer from one as_of to another.
func moveRevenue(from, to *evaluation, c *customer) {
	if len(c.revenue) == 0 && len(c.states) == 0 {
		return
	}
	list := from.changes(c)
	from.standing(c, list, -1)
	to.standing(c, list, 1)
}

// standing adds what a customer brings at as_of and over the windows, and its state.
func (ev *evaluation) standing(c *customer, list []mrrChange, sign int64) {
	t, asOf := &ev.t.mrr, ev.p.asOf
	if state := c.state(asOf); state != 0 {
		t.subscribers[state] += sign
	}
	if len(list) == 0 {
		return
	}
	for i := range ev.p.windows {
		if w := &ev.p.windows[i]; !w.Role.OfDays() {
			ev.retained(w, &ev.t.windows[i].mrr, list, sign)
		}
	}
	now := standing(list, asOf)
	if len(now) == 0 {
		return
	}
	if v, ok := now.micros(ev.ratesAt(asOf)); !ok {
		t.untiered += sign
	} else if v.Sign() != 0 {
		tier := ev.o.tier(v)
		sum := t.tiers[tier]
		sum.addAll(now, sign)
		t.tiers[tier] = sum
	}
	owner := c.owner(asOf, ev.text)
	sum := t.owners[owner]
	if sum == nil {
		sum = &ownerTotals{}
		t.owners[owner] = sum
	}
	sum.customers += sign
	if sum.revenue.addAll(now, sign); sum.customers == 0 {
		delete(t.owners, owner)
	}
}

// retained adds a customer with recurring revenue at a window's start, at the rates of its end.
func (ev *evaluation) retained(w *Window, t *windowMRR, list []mrrChange, sign int64) {
	then, now := standing(list, w.Start), standing(list, w.End)
	if len(then) == 0 {
		return
	}
	rate := ev.ratesAt(w.End)
	least, ok := lower(then, now, rate)
	if !ok {
		least = now // of which the value is not known, either
	}
	t.then.addAll(then, sign)
	t.now.addAll(now, sign)
	t.kept.addAll(least, sign)
}

// ratesAt returns the rates of the day that a moment is in.
func (ev *evaluation) ratesAt(t int64) rateOf { return ev.rates.of(ev.t.sales.calendar.Day(t)) }

// state returns the state of a customer's subscriptions at t, 0 without any.
func (c *customer) state(t int64) history.Dict {
	best := history.Dict(0)
	for i := range c.states {
		e := &c.states[i]
		if e.T < t && (e.End == 0 || e.End >= t) && (best == 0 || e.Label < best) {
			best = e.Label
		}
	}
	return best
}

// owner returns who looks after a customer as known at t: who the oldest account says,
// without an account that says so the oldest customer record; of several as old the first
// by name. It is 0 for nobody.
func (c *customer) owner(t int64, text func(history.Dict) string) history.Dict {
	var best *history.Event
	for i := range c.owners {
		e := &c.owners[i]
		if e.T >= t {
			continue
		}
		if best == nil || e.Ref < best.Ref || e.Ref == best.Ref && (e.T < best.T || e.T == best.T && text(e.Label) < text(best.Label)) {
			best = e
		}
	}
	if best == nil {
		return 0
	}
	return best.Label
}
