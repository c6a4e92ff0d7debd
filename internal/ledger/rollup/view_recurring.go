package rollup

import (
	"math/big"
	"strings"

	"github.com/b2bexporter/b2b_exporter/internal/ledger/history"
	"github.com/b2bexporter/b2b_exporter/internal/record"
	"github.com/b2bexporter/b2b_exporter/internal/window"
)

// RecurringView holds recurring revenue at as_of.
type RecurringView struct {
	ByTier []TierView       // ascending
	ByRep  map[string]Money // by the owner of the account, "" where nobody is
	// Active, PastDue and Trialing count customers, each in the first of the states that one of
	// its subscriptions is in.
	Active, PastDue, Trialing int64
	// Net is by how much the changes of the last 90 days raised it.
	Net      Money
	Horizons []Horizon
}

// TierView is what the customers in a tier bring.
type TierView struct {
	Name    string // such as lt_100, 100_1000 and ge_1000
	Revenue Money
}

// Horizon is a moment for which recurring revenue is forecast.
type Horizon struct {
	Name  string // month_end or 90d
	Until int64
	// Scheduled are the changes from as_of on that are dated before Until.
	Scheduled Money
}

// RecurringWindow holds how recurring revenue went in a window.
type RecurringWindow struct {
	Start, End Money // as it stood, each at the rates of its day
	// Moved are what the changes came to, each at the rates of its day, never negative.
	Moved [Movements]Money
	// FX is what changes of rates did to what was held, negative where it lost; only of current
	// windows.
	FX Money
	// Then and Now are what the customers with revenue at the start brought then and bring at
	// the end, Kept the lower of both customer by customer, all at the rates of the end.
	Then, Now, Kept Money
}

// tiers returns the bounds between tiers, in 10^-6 units of the reporting currency.
func (o *Options) tiers() []record.Amount {
	if len(o.Tiers) == 0 {
		return []record.Amount{record.Micros(100 * record.MicrosPerUnit), record.Micros(1000 * record.MicrosPerUnit)}
	}
	return o.Tiers
}

// tier returns the number of the tier of what is worth so much, in 10^-6 units.
func (o *Options) tier(micros *big.Rat) int {
	n := 0
	for _, bound := range o.tiers() {
		if micros.Cmp(new(big.Rat).SetInt64(bound.Micros)) >= 0 {
			n++
		}
	}
	return n
}

func (o *Options) tierName(n int) string {
	bounds := o.tiers()
	text := func(i int) string {
		units := big.NewRat(bounds[i].Micros, record.MicrosPerUnit).FloatString(6)
		return strings.TrimRight(strings.TrimRight(units, "0"), ".")
	}
	switch n {
	case 0:
		return "lt_" + text(0)
	case len(bounds):
		return "ge_" + text(n-1)
	}
	return text(n-1) + "_" + text(n)
}

func (e *Engine) recurringView(b *mrrBook) RecurringView {
	t, p := &e.tot.mrr, e.plan
	today := b.calendar.Day(p.asOf)
	rate := e.rates.of(today)
	total := b.standsAt(p.asOf)
	v := RecurringView{
		ByRep: map[string]Money{}, Active: t.subscribers[history.StateActive], PastDue: t.subscribers[history.StatePastDue],
		Trialing: t.subscribers[history.StateTrialing], Net: b.net(p.moments[Now].d90),
	}
	for n := range len(e.o.tiers()) + 1 {
		m := Money{Records: total.Records, Known: total.Known}
		micros, ok := t.tiers[n].micros(rate)
		// What no rate tells the tier of might be in any of them.
		m.NoRate = !ok || t.untiered > 0
		if !m.NoRate && (m.Records == 0 || m.Known > 0) {
			m.Value = inMoney(micros)
		}
		v.ByTier = append(v.ByTier, TierView{e.o.tierName(n), m})
	}
	for owner, sum := range t.owners {
		v.ByRep[e.text(owner)] = sum.revenue.money(rate)
	}
	month := window.AddMonths(window.MonthStart(today), 1)
	for _, h := range []Horizon{
		{Name: "month_end", Until: b.calendar.Start(month)},
		{Name: "90d", Until: b.calendar.Back(p.asOf, window.Span{Days: -90})}, // the same wall clock
	} {
		h.Scheduled = b.scheduled(window.Range{Start: p.asOf, End: h.Until}, rate)
		v.Horizons = append(v.Horizons, h)
	}
	return v
}

func (e *Engine) recurringWindow(i int, b *mrrBook) RecurringWindow {
	w, t := e.plan.windows[i], &e.tot.windows[i].mrr
	rate := e.rates.of(b.calendar.Day(w.End))
	v := RecurringWindow{
		Start: b.standsAt(w.Start), End: b.standsAt(w.End), Moved: b.moved(w.Range),
		Then: t.then.money(rate), Now: t.now.money(rate), Kept: t.kept.money(rate),
	}
	if w.Role == Current {
		v.FX = b.fx(w.Range)
	}
	return v
}
