package oracle

import (
	"math/big"
	"slices"
	"strings"

	"github.com/b2bexporter/b2b_exporter/internal/record"
)

// The movements of recurring revenue.
const (
	movementNew          = "new"
	movementExpansion    = "expansion"
	movementContraction  = "contraction"
	movementChurn        = "churn"
	movementReactivation = "reactivation"
)

func movements() []string {
	return []string{movementNew, movementExpansion, movementContraction, movementChurn, movementReactivation}
}

// mrrEvent is what changed of a customer's recurring revenue at one instant.
type mrrEvent struct {
	at       int64
	movement string // empty where nothing is gained or lost, or where no rate tells which it is
	change   total  // at the rates of its day, signed
	told     bool   // it is known by how much any subscription changed
	unclear  bool   // expansion or contraction: no rate tells which
}

// addMRREvents nets the changes of every customer at each instant.
func (w *world) addMRREvents() {
	for _, c := range w.customers {
		var instants []int64
		for _, s := range c.subscriptions {
			for _, step := range s.steps {
				instants = append(instants, step.at)
			}
		}
		slices.Sort(instants)
		had := false
		for _, at := range slices.Compact(instants) {
			before, after := c.mrrAt(at), c.mrrAt(at+1)
			if change := after.without(before); len(change) > 0 {
				e := mrrEvent{at: at, change: *w.worth(change, w.calendar.dayOf(at))}
				sign, ok := w.direction(change, w.calendar.dayOf(at))
				e.unclear = !ok
				e.movement = movementOf(sign, before.any(), after.any(), had)
				e.told = slices.ContainsFunc(c.subscriptions, func(s subscription) bool {
					was, is := s.mrrAt(at), s.mrrAt(at+1)
					return was != is && was.Known && is.Known
				})
				w.mrrEvents = append(w.mrrEvents, e)
			}
			had = had || after.any()
		}
	}
}

// movementOf returns the movement of a change with a sign of a customer that had something
// before, has something after it, and had something at any time before.
func movementOf(sign int, before, after, had bool) string {
	switch {
	case sign == 0:
		return ""
	case !before && had:
		return movementReactivation
	case !before:
		return movementNew
	case !after:
		return movementChurn
	case sign > 0:
		return movementExpansion
	}
	return movementContraction
}

// moved returns the changes in s by movement, as amounts that are not negative. Where it
// is known of none how large it is, none of the movements is known.
func (w *world) moved(s span) map[string]*total {
	sums := map[string]*total{}
	for _, m := range movements() {
		sums[m] = &total{}
	}
	changes, told := 0, 0
	for _, e := range w.mrrEvents {
		if !s.holds(e.at) {
			continue
		}
		changes++
		if e.told {
			told++
		}
		if e.unclear {
			sums[movementExpansion].noRate = true
			sums[movementContraction].noRate = true
		}
		if sum := sums[e.movement]; sum != nil {
			sum.sum.Add(&sum.sum, new(big.Rat).Abs(&e.change.sum))
			sum.noRate = sum.noRate || e.change.noRate
		}
	}
	for _, sum := range sums {
		sum.records, sum.known = changes, told
	}
	return sums
}

// fx returns what the changes of rates did to the revenue held: a day's rates hold from its
// first instant on, so that what was held then is revalued, and what changes then is worth
// what the new rates say. The end's own day is in it, as MRR at a moment is worth what the
// rates of that moment's day say.
func (w *world) fx(s span) *total {
	t := &total{}
	for d := w.calendar.dayOf(s.start) + 1; d <= w.calendar.dayOf(s.end); d++ {
		for currency, x := range w.heldAt(w.calendar.firstInstant(d)) {
			if x.micros == 0 {
				continue
			}
			before, after := w.rates.factor(currency, d-1), w.rates.factor(currency, d)
			if before == nil || after == nil {
				t.noRate = true
				continue
			}
			change := new(big.Rat).Sub(after, before)
			t.sum.Add(&t.sum, change.Mul(change, big.NewRat(x.micros, record.MicrosPerUnit)))
		}
	}
	return t
}

// heldAt returns what all customers' subscriptions bring at t.
func (w *world) heldAt(t int64) holdings {
	all := holdings{}
	for _, c := range w.customers {
		for currency, x := range c.mrrAt(t) {
			sum := all[currency]
			all[currency] = holding{sum.micros + x.micros, sum.live + x.live, sum.known + x.known}
		}
	}
	return all
}

// mrr returns the monthly recurring revenue at t, at t's rates.
func (w *world) mrr(t int64) *total { return w.worth(w.heldAt(t), w.calendar.dayOf(t)) }

// mrrRetention returns net and gross revenue retention over s, at the rates of its end.
func (w *world) mrrRetention(s span) (net, gross value) {
	var then, now, kept total
	rates := w.calendar.dayOf(s.end)
	for _, c := range w.customers {
		before, after := c.mrrAt(s.start), c.mrrAt(s.end)
		if len(before) == 0 {
			continue
		}
		was, is := w.worth(before, rates), w.worth(after, rates)
		then.join(was)
		now.join(is)
		sign, ok := w.direction(after.without(before), rates)
		if sign < 0 {
			kept.join(is)
		} else {
			kept.join(was)
		}
		kept.noRate = kept.noRate || !ok
	}
	return divide(&now.sum, &then.sum, now.reason(), then.reason()), divide(&kept.sum, &then.sum, kept.reason(), then.reason())
}

// mrrChurn returns the churn and contraction of s as a share of the revenue at its start.
func (w *world) mrrChurn(s span) value {
	moved, start := w.moved(s), w.mrr(s.start)
	churn, contraction := moved[movementChurn], moved[movementContraction]
	return divide(new(big.Rat).Add(&churn.sum, &contraction.sum), &start.sum, churn.reason(), contraction.reason(), start.reason())
}

// mrrForecast returns the revenue to expect at horizon: what is there at asOf, what is
// scheduled before horizon, and the mean daily net movement of 90 days for the days left.
func (w *world) mrrForecast(asOf, horizon int64) value {
	now, net := w.mrr(asOf), &total{}
	for m, sum := range w.moved(w.calendar.window("90d", asOf)) {
		net.records, net.known, net.noRate = sum.records, sum.known, net.noRate || sum.noRate
		if m == movementContraction || m == movementChurn {
			net.sum.Sub(&net.sum, &sum.sum)
		} else {
			net.sum.Add(&net.sum, &sum.sum)
		}
	}
	scheduled := &total{}
	if !w.Past {
		scheduled = w.scheduled(asOf, horizon)
	}
	if r := firstReason(now.reason(), net.reason(), scheduled.reason()); r != "" {
		return value{reason: r}
	}
	days := big.NewRat(horizon-asOf, day)
	forecast := new(big.Rat).Mul(&net.sum, days)
	forecast.Quo(forecast, count(90))
	forecast.Add(forecast, &now.sum)
	return value{number: forecast.Add(forecast, &scheduled.sum)}
}

// scheduled returns by how much the changes from asOf until horizon raise the revenue, at
// asOf's rates.
func (w *world) scheduled(asOf, horizon int64) *total {
	t := w.worth(w.heldAt(horizon).without(w.heldAt(asOf)), w.calendar.dayOf(asOf))
	t.records, t.known = 0, 0
	for _, e := range w.mrrEvents {
		if asOf <= e.at && e.at < horizon {
			t.records++
			if e.told {
				t.known++
			}
		}
	}
	return t
}

// recurring exports the collector recurring; nothing where no source delivers subscriptions.
func (e *evaluation) recurring() {
	if len(e.sources(record.KindSubscription)) == 0 {
		return
	}
	e.mrrByTier()
	e.mrrByRep()
	if v := e.mrr(e.asOf).value(); v.reason == "" {
		e.export("b2b_arr", new(big.Rat).Mul(v.number, count(12)), "currency", e.Currency)
	}
	for _, state := range subscriberStates() {
		n := 0
		for _, c := range e.world.customers {
			if c.subscriberState(e.asOf) == state {
				n++
			}
		}
		e.export("b2b_subscribers", count(n), "state", state)
	}
	for _, w := range e.windows {
		for movement, sum := range e.moved(w.span) {
			e.exportIf("b2b_mrr_movement", sum.value(), "window", w.name, "movement", movement, "currency", e.Currency)
		}
		e.exportIf("b2b_mrr_movement", e.fx(w.span).value(), "window", w.name, "movement", "fx", "currency", e.Currency)
		net, gross := e.mrrRetention(w.span)
		e.exportIf("b2b_net_revenue_retention_ratio", net, "window", w.name)
		e.exportIf("b2b_gross_revenue_retention_ratio", gross, "window", w.name)
		e.exportIf("b2b_mrr_churn_ratio", e.mrrChurn(w.span), "window", w.name)
	}
	today := e.calendar.dayOf(e.asOf)
	nextMonth := e.calendar.firstInstant(addMonths(runningStart("mtd", today), 1))
	e.exportIf("b2b_mrr_forecast", e.mrrForecast(e.asOf, nextMonth), "horizon", "month_end", "currency", e.Currency)
	e.exportIf("b2b_mrr_forecast", e.mrrForecast(e.asOf, e.calendar.daysBack(e.asOf, -90)), "horizon", "90d", "currency", e.Currency)
}

// tiers returns the bounds between tiers.
func (w *world) tiers() []record.Amount {
	if len(w.Tiers) == 0 {
		return []record.Amount{record.Micros(100 * record.MicrosPerUnit), record.Micros(1000 * record.MicrosPerUnit)}
	}
	return w.Tiers
}

// tierName returns the name of the tier above n bounds.
func (w *world) tierName(n int) string {
	bounds := w.tiers()
	name := func(a record.Amount) string {
		return strings.TrimSuffix(strings.TrimRight(big.NewRat(a.Micros, record.MicrosPerUnit).FloatString(6), "0"), ".")
	}
	switch n {
	case 0:
		return "lt_" + name(bounds[0])
	case len(bounds):
		return "ge_" + name(bounds[n-1])
	}
	return name(bounds[n-1]) + "_" + name(bounds[n])
}

// mrrByTier exports what the customers in each tier bring. A customer of which no rate
// tells the tier might be in any.
func (e *evaluation) mrrByTier() {
	sums := make([]total, len(e.tiers())+1)
	d := e.calendar.dayOf(e.asOf)
	for _, c := range e.world.customers {
		worth := e.worth(c.mrrAt(e.asOf), d)
		n := 0
		for _, bound := range e.tiers() {
			if worth.sum.Cmp(big.NewRat(bound.Micros, record.MicrosPerUnit)) >= 0 {
				n++
			}
		}
		sums[n].sum.Add(&sums[n].sum, &worth.sum)
	}
	all := e.mrr(e.asOf)
	for n := range sums {
		sums[n].records, sums[n].known, sums[n].noRate = all.records, all.known, all.noRate
		e.exportIf("b2b_mrr", sums[n].value(), "tier", e.tierName(n), "currency", e.Currency)
	}
}

// mrrByRep exports what the customers of each sales representative bring.
func (e *evaluation) mrrByRep() {
	byRep := cells{}
	d := e.calendar.dayOf(e.asOf)
	for _, c := range e.world.customers {
		if mrr := c.mrrAt(e.asOf); len(mrr) > 0 {
			cell := byRep.at(labelled(c.ownerAt(e.asOf)))
			cell.own++
			cell.join(e.worth(mrr, d))
		}
	}
	kept, folds := e.keptValues(byRep)
	shown := cells{}
	for l, x := range byRep {
		if folds && !slices.Contains(kept, l.value) {
			l.value = "other"
		}
		shown.at(l).join(&x.total)
	}
	for l, x := range shown {
		e.exportIf("b2b_mrr_by_rep", x.value(), "rep", l.value, "currency", e.Currency)
	}
}
