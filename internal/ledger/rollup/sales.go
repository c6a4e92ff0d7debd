package rollup

import (
	"maps"
	"slices"

	"github.com/b2bexporter/b2b_exporter/internal/ledger/history"
	"github.com/b2bexporter/b2b_exporter/internal/record"
	"github.com/b2bexporter/b2b_exporter/internal/window"
)

// dimension tells what a cell's label is.
type dimension uint8

const (
	byChannel dimension = iota
	byTerritory
)

// cellKey is a combination of labels for which sales are summed.
type cellKey struct {
	store     history.Dict
	dimension dimension
	label     history.Dict
	currency  history.Dict
}

// sums are additive figures of orders and refunds.
type sums struct {
	orders, priced, discounted, refunds, refunded, costed int64 // events: all, with gross, with discount, ...
	gross, discount, refund, profit, costedNet            record.Int128
}

// add adds one event, sign times.
func (s *sums) add(e *history.Event, sign int64) {
	amount := func(micros int64) record.Int128 { return record.Wide(sign * micros) }
	if e.Kind == history.Refund {
		s.refunds += sign
		if e.Has(history.HasMoney) {
			s.refunded += sign
			s.refund = s.refund.Add(amount(e.Gross))
		}
		if e.Has(history.HasCost) {
			s.costed += sign
			s.profit = s.profit.Sub(amount(e.Profit))
			s.costedNet = s.costedNet.Sub(amount(e.Costed))
		}
		return
	}
	s.orders += sign
	if e.Has(history.HasMoney) {
		s.priced += sign
		s.gross = s.gross.Add(amount(e.Gross))
		s.discount = s.discount.Add(amount(e.Discount))
		if e.Has(history.HasDiscount) {
			s.discounted += sign
		}
	}
	if e.Has(history.HasCost) {
		s.costed += sign
		s.profit = s.profit.Add(amount(e.Profit))
		s.costedNet = s.costedNet.Add(amount(e.Costed))
	}
}

// entry is one event of a day in which a window ends, or its taking back (sign -1).
type entry struct {
	t    int64
	cell cellKey
	sign int64
	e    history.Event
}

// sales are the sums of orders and refunds by day, and the single events of the days
// in which windows end.
type sales struct {
	calendar *window.Calendar
	from     window.Day
	cells    map[cellKey]map[window.Day]*sums
	parts    map[window.Day][]entry
	used     map[history.Dict]bool // currencies
	// last are the cells of the event before: those of one customer are mostly the same.
	last [2]struct {
		key  cellKey
		days map[window.Day]*sums
	}
}

func newSales(c *window.Calendar, p *plan) *sales {
	s := &sales{
		calendar: c, from: p.from, cells: map[cellKey]map[window.Day]*sums{}, parts: map[window.Day][]entry{},
		used: map[history.Dict]bool{},
	}
	for _, w := range p.windows {
		if w.Name.Days() == 0 {
			s.parts[c.Day(w.End)] = nil
		}
	}
	return s
}

// add adds an event of a store, sign times, under the customer's channel.
func (s *sales) add(e *history.Event, channel history.Dict, sign int64) {
	if e.Currency != s.last[0].key.currency || s.last[0].days == nil {
		s.used[e.Currency] = true
	}
	day := s.calendar.Day(e.T)
	if day < s.from {
		return
	}
	part, partial := s.parts[day]
	for i, k := range [2]cellKey{
		{e.Source, byChannel, channel, e.Currency}, {e.Source, byTerritory, e.Territory, e.Currency},
	} {
		last := &s.last[i]
		if last.key != k || last.days == nil {
			last.key, last.days = k, s.cells[k]
			if last.days == nil {
				last.days = map[window.Day]*sums{}
				s.cells[k] = last.days
			}
		}
		sum := last.days[day]
		if sum == nil {
			sum = &sums{}
			last.days[day] = sum
		}
		sum.add(e, sign)
		if partial {
			part = append(part, entry{e.T, k, sign, *e})
		}
	}
	if partial {
		s.parts[day] = part
	}
}

// SalesKey is a store and a channel or territory.
type SalesKey struct{ Store, Label string }

// Sales are what a store sold in a window, under one label.
type Sales struct {
	Orders, Refunded, Records int64 // Records: orders and refunds
	Priced                    int64 // orders with a gross amount
	Gross, Discounts, Refunds Money
	Ordered                   Money // gross - discounts
	Net                       Money // ordered - refunds
	Costed                    int64 // orders and refunds with known costs
	Profit, CostedNet         Money
}

// accumulator sums cells of several currencies and days for one window and label.
type accumulator struct {
	counts                                     sums
	gross, discount, refund, profit, costedNet total
	given                                      total // discounts, of orders whose discount is known
}

func (a *accumulator) add(r *rates, k key, s *sums) {
	a.count(s)
	if s.priced != 0 {
		a.gross.add(r, k, s.gross)
		a.discount.add(r, k, s.discount)
	}
	if s.discounted != 0 {
		a.given.add(r, k, s.discount)
	}
	if s.refunded != 0 {
		a.refund.add(r, k, s.refund)
	}
	if s.costed != 0 {
		a.profit.add(r, k, s.profit)
		a.costedNet.add(r, k, s.costedNet)
	}
}

func (a *accumulator) count(s *sums) {
	a.counts.orders += s.orders
	a.counts.priced += s.priced
	a.counts.discounted += s.discounted
	a.counts.refunds += s.refunds
	a.counts.refunded += s.refunded
	a.counts.costed += s.costed
}

// plus adds what other holds.
func (a *accumulator) plus(other *accumulator) {
	a.count(&other.counts)
	a.gross.plus(&other.gross, 1)
	a.discount.plus(&other.discount, 1)
	a.given.plus(&other.given, 1)
	a.refund.plus(&other.refund, 1)
	a.profit.plus(&other.profit, 1)
	a.costedNet.plus(&other.costedNet, 1)
}

func (a *accumulator) sales() Sales {
	c := &a.counts
	var ordered, net total
	ordered.plus(&a.gross, 1)
	ordered.plus(&a.discount, -1)
	net.plus(&ordered, 1)
	net.plus(&a.refund, -1)
	return Sales{
		Orders: c.orders, Refunded: c.refunds, Records: c.orders + c.refunds, Priced: c.priced, Costed: c.costed,
		Gross:     a.gross.money(c.orders, c.priced),
		Discounts: a.given.money(c.orders, c.discounted),
		Refunds:   a.refund.money(c.refunds, c.refunded),
		Ordered:   ordered.money(c.orders, c.priced),
		Net:       net.money(c.orders+c.refunds, c.priced+c.refunded),
		Profit:    a.profit.money(c.orders+c.refunds, c.costed),
		CostedNet: a.costedNet.money(c.orders+c.refunds, c.costed),
	}
}

// window sums the sales of one window by keyOf; cells for which it says no are left out.
func (s *sales) window(r *rates, w Window, keyOf func(cellKey) (SalesKey, bool)) map[SalesKey]*accumulator {
	out := map[SalesKey]*accumulator{}
	first, end := s.calendar.Day(w.Start), s.calendar.Day(w.End)
	last := s.part(end, w.Range)
	for k, days := range s.cells {
		to, ok := keyOf(k)
		if !ok {
			continue
		}
		a := out[to]
		if a == nil {
			a = &accumulator{}
			out[to] = a
		}
		if len(days) <= int(end-first) {
			for day, sum := range days {
				if day >= first && day < end {
					a.add(r, key{k.currency, day}, sum)
				}
			}
		} else {
			for day := first; day < end; day++ {
				if sum := days[day]; sum != nil {
					a.add(r, key{k.currency, day}, sum)
				}
			}
		}
		if sum := last[k]; sum != nil {
			a.add(r, key{k.currency, end}, sum)
		}
	}
	maps.DeleteFunc(out, func(_ SalesKey, a *accumulator) bool { return a.counts.orders == 0 && a.counts.refunds == 0 })
	return out
}

// part sums the events of a day in which a window ends. One that ends at the day's beginning
// holds none of them.
func (s *sales) part(day window.Day, r window.Range) map[cellKey]*sums {
	part := map[cellKey]*sums{}
	for i := range s.parts[day] {
		p := &s.parts[day][i]
		if p.t < r.Start || p.t >= r.End {
			continue
		}
		if part[p.cell] == nil {
			part[p.cell] = &sums{}
		}
		part[p.cell].add(&p.e, p.sign)
	}
	return part
}

// compact joins what was taken back with what it took back, where a day's list has
// grown to more than twice what it holds.
func (s *sales) compact() {
	for day, part := range s.parts {
		held := int64(0)
		for i := range part {
			held += part[i].sign
		}
		if int64(len(part)) <= 2*held+1024 {
			continue
		}
		type identity struct {
			cell cellKey
			e    history.Event
		}
		count := map[identity]int64{}
		for i := range part {
			count[identity{part[i].cell, part[i].e}] += part[i].sign
		}
		kept := part[:0]
		for id, n := range count {
			for range n {
				kept = append(kept, entry{id.e.T, id.cell, 1, id.e})
			}
		}
		s.parts[day] = slices.Clip(kept)
	}
}
