package rollup

import (
	"cmp"
	"maps"
	"math/big"
	"slices"

	"github.com/b2bexporter/b2b_exporter/internal/ledger/history"
	"github.com/b2bexporter/b2b_exporter/internal/record"
	"github.com/b2bexporter/b2b_exporter/internal/window"
)

// mrrBook answers what recurring revenue was and how it moved, exactly. A day's rate
// holds from the first instant of the day on: the day's changes are worth what it says, and
// what was held when the day began is revalued at that instant. So over any window [s, e)
//
//	revenue(s) + changes in [s, e) + revaluations in (s, e] = revenue(e)
//
// where revenue(t), which counts the changes before t, is worth what the rate of t's day says.
type mrrBook struct {
	calendar *window.Calendar
	rates    *rates
	days     []bookDay // those with changes, ascending
	singles  map[window.Day]map[int64]map[Movement]*mrrSum
	worths   map[mrrKey]*worth
	drifts   map[window.Day]*worth
	abroad   bool // there are amounts in other currencies than the reporting one
}

// bookDay is a day with changes, and the revenue after it.
type bookDay struct {
	day   window.Day
	sums  [unclear + 1]*mrrSum
	after revenue
}

// worth is a sum of converted amounts.
type worth struct {
	home    record.Int128 // in 10^-6 units
	foreign *big.Rat      // in 10^-6 units of the reporting currency; nil for none
	noRate  bool
}

// worthOf converts revenue at given rates.
func (b *mrrBook) worthOf(r revenue, rate rateOf) *worth {
	w := &worth{}
	var abroad revenue
	for _, p := range r {
		if p.currency == b.rates.home {
			w.home = p.micros
		} else {
			abroad = append(abroad, p)
		}
	}
	if !abroad.zero() {
		v, ok := abroad.micros(rate)
		w.foreign, w.noRate = v, !ok
	}
	return w
}

// worthSum sums worths.
type worthSum struct {
	home    record.Int128
	foreign []*big.Rat
	noRate  bool
}

func (s *worthSum) add(w *worth) {
	s.home = s.home.Add(w.home)
	s.noRate = s.noRate || w.noRate
	if w.foreign != nil {
		s.foreign = append(s.foreign, w.foreign)
	}
}

// money returns the sum over records, of which known are told, times sign.
func (s *worthSum) money(records, known, sign int64) Money {
	m := Money{NoRate: s.noRate, Records: records, Known: known}
	if m.NoRate || records > 0 && known == 0 {
		return m
	}
	v := sumOf(s.foreign)
	v.Add(v, new(big.Rat).SetInt(s.home.Big()))
	m.Value = inMoney(v.Mul(v, big.NewRat(sign, 1)))
	return m
}

func newMRRBook(c *window.Calendar, r *rates, t *mrrTotals) *mrrBook {
	b := &mrrBook{
		calendar: c, rates: r, singles: t.singles, worths: map[mrrKey]*worth{}, drifts: map[window.Day]*worth{},
	}
	byDay := map[window.Day]*bookDay{}
	for k, sum := range t.sums {
		day := byDay[k.day]
		if day == nil {
			day = &bookDay{day: k.day}
			byDay[k.day] = day
		}
		day.sums[k.movement] = sum
	}
	var held revenue
	for _, day := range slices.Sorted(maps.Keys(byDay)) {
		d := byDay[day]
		d.after = slices.Clone(held)
		for _, sum := range d.sums {
			if sum != nil {
				d.after.addAll(sum.by, 1)
			}
		}
		held = d.after
		b.abroad = b.abroad || slices.ContainsFunc(held, func(p part) bool { return p.currency != r.home })
		b.days = append(b.days, *d)
	}
	return b
}

// from returns the number of the first day with changes that is not before day.
func (b *mrrBook) from(day window.Day) int {
	i, _ := slices.BinarySearchFunc(b.days, day, func(d bookDay, day window.Day) int { return cmp.Compare(d.day, day) })
	return i
}

// before returns the revenue when a day begins.
func (b *mrrBook) before(day window.Day) revenue {
	if i := b.from(day); i > 0 {
		return b.days[i-1].after
	}
	return nil
}

// at returns the revenue at t.
func (b *mrrBook) at(t int64) revenue {
	day := b.calendar.Day(t)
	held := b.before(day)
	for at, instant := range b.singles[day] {
		for _, sum := range instant {
			if at < t {
				held = held.plus(sum.by, 1)
			}
		}
	}
	return held
}

// standsAt returns what the revenue at t is worth then.
func (b *mrrBook) standsAt(t int64) Money {
	return b.at(t).money(b.rates.of(b.calendar.Day(t)))
}

// each calls f with the sums that a window is made of, and what they are worth.
func (b *mrrBook) each(r window.Range, f func(Movement, *mrrSum, *worth)) {
	last := b.calendar.Day(r.End)
	for i := b.from(b.calendar.Day(r.Start)); i < len(b.days) && b.days[i].day <= last; i++ {
		d := &b.days[i]
		rate := b.rates.of(d.day)
		if b.calendar.Start(d.day) >= r.Start && b.calendar.Start(d.day+1) <= r.End {
			for m, sum := range d.sums {
				if sum != nil {
					f(Movement(m), sum, b.worth(mrrKey{d.day, Movement(m)}, sum, rate))
				}
			}
			continue
		}
		for at, instant := range b.singles[d.day] {
			for m, sum := range instant {
				if at >= r.Start && at < r.End {
					f(m, sum, b.worthOf(sum.by, rate))
				}
			}
		}
	}
}

// worth returns what a day's changes are worth, which several windows ask for.
func (b *mrrBook) worth(k mrrKey, sum *mrrSum, rate rateOf) *worth {
	w := b.worths[k]
	if w == nil {
		w = b.worthOf(sum.by, rate)
		b.worths[k] = w
	}
	return w
}

// moved returns what the changes in a window came to, by movement.
func (b *mrrBook) moved(r window.Range) (moved [Movements]Money) {
	var sums [unclear + 1]worthSum
	var changes, told, unrated int64
	b.each(r, func(m Movement, sum *mrrSum, w *worth) {
		sums[m].add(w)
		changes += sum.changes
		told += sum.told
		if m == unclear {
			unrated += sum.changes
		}
	})
	for m := range moved {
		sign := int64(1)
		switch Movement(m) {
		case MovementExpansion:
			sums[m].noRate = sums[m].noRate || unrated > 0
		case MovementContraction:
			sums[m].noRate = sums[m].noRate || unrated > 0
			sign = -1
		case MovementChurn:
			sign = -1
		}
		moved[m] = sums[m].money(changes, told, sign)
	}
	return moved
}

// net returns by how much the changes in a window raised the revenue.
func (b *mrrBook) net(r window.Range) Money {
	var sum worthSum
	var changes, told int64
	b.each(r, func(_ Movement, s *mrrSum, w *worth) {
		sum.add(w)
		changes += s.changes
		told += s.told
	})
	return sum.money(changes, told, 1)
}

// fx returns what the changes of rates did to the revenue held over a window.
func (b *mrrBook) fx(r window.Range) Money {
	var sum worthSum
	if b.abroad {
		for day := b.calendar.Day(r.Start) + 1; day <= b.calendar.Day(r.End); day++ {
			sum.add(b.drift(day))
		}
	}
	return sum.money(0, 0, 1)
}

// drift revalues what was held when a day began, at that day's rates instead of those of the
// day before.
func (b *mrrBook) drift(day window.Day) *worth {
	if w := b.drifts[day]; w != nil {
		return w
	}
	var abroad revenue
	for _, p := range b.before(day) {
		if p.currency != b.rates.home {
			abroad = append(abroad, p)
		}
	}
	w := &worth{}
	if !abroad.zero() {
		is, was := b.rates.of(day), b.rates.of(day-1)
		v, ok := abroad.micros(func(currency history.Dict) (*big.Rat, bool) {
			after, ok := is(currency)
			before, known := was(currency)
			if !ok || !known {
				return nil, false
			}
			return new(big.Rat).Sub(after, before), true
		})
		w.noRate = !ok
		if ok && v.Sign() != 0 {
			w.foreign = v
		}
	}
	b.drifts[day] = w
	return w
}

// scheduled returns what the changes in a range of days to come amount to, at given rates.
func (b *mrrBook) scheduled(r window.Range, rate rateOf) Money {
	var all mrrSum
	for _, day := range b.singles {
		for at, instant := range day {
			if at < r.Start || at >= r.End {
				continue
			}
			for _, sum := range instant {
				all.by.addAll(sum.by, 1)
				all.changes += sum.changes
				all.told += sum.told
			}
		}
	}
	var sum worthSum
	sum.add(b.worthOf(all.by, rate))
	return sum.money(all.changes, all.told, 1)
}

// exact returns what a unit of a currency was worth on a day.
func (r *rates) exact(currency history.Dict, day window.Day) (*big.Rat, bool) {
	if currency == r.home {
		return big.NewRat(1, 1), true
	}
	f := r.factor(key{currency, day})
	if f.num == nil {
		return nil, false
	}
	return new(big.Rat).SetFrac(f.num, f.den), true
}

// of returns the rates of a day.
func (r *rates) of(day window.Day) rateOf {
	return func(currency history.Dict) (*big.Rat, bool) { return r.exact(currency, day) }
}
