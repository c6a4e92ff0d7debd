package rollup

import (
	"maps"
	"math/big"
	"slices"
	"strings"

	"github.com/b2bexporter/b2b_exporter/internal/ledger/history"
	"github.com/b2bexporter/b2b_exporter/internal/record"
)

// Costs are what marketing and sales cost in the days of a window.
type Costs struct {
	// Marketing are the configured costs and what was spent on ads.
	Marketing map[record.Class]Money
	Spend     map[record.Class]Money // on ads alone
	Sales     Money
	// Paid are the channels with a marketing cost that is not 0, Bought those with such a spend,
	// also where no rate tells what it was worth.
	Paid, Bought map[string]bool
}

// LeadCounts are the leads of one touch in a window.
type LeadCounts struct {
	Entries [Stages]int64 // that entered the stage in the window
	Created int64
	Closed  int64 // of those that entered lead in it: customers by the window's as_of
}

// LeadView holds what the leads of a window did.
type LeadView struct {
	By map[record.Class]LeadCounts
	// Reached: of those that entered a stage in the window, how many had reached another.
	Reached [Stages][Stages]int64
	// Created, and of them those that were answered, and answered again.
	Created, Answered, Followed int64
	// Responses are quantiles of the time to the first answer, in microseconds, by q.
	Responses map[string]int64
}

// OpenView holds the leads that are neither customers nor disqualified.
type OpenView struct {
	// Ages are quantiles of the time since they entered the stage that they are in, in
	// microseconds, by stage and q.
	Ages [StageCustomer]map[string]int64
	// Unanswered counts those without an answer by age: lt_1h, 1h_1d, 1d_7d, ge_7d.
	Unanswered map[string]int64
	// Answers: somebody keeps track of answers, so that leads can be without.
	Answers bool
}

// class returns what a touch is counted under.
func (e *Engine) class(touch history.Dict) record.Class {
	parts := history.SplitLabels(e.text(touch), 3)
	return record.Class{Channel: parts[0], Program: parts[1], Campaign: parts[2]}
}

func (e *Engine) acquisition(i int, v *WindowView) {
	w, t := e.plan.windows[i], &e.tot.windows[i]
	v.NewBy, v.NewFrom, v.Gain = map[record.Class]int64{}, map[string]int64{}, map[string]Money{}
	for touch, n := range t.newBy {
		if n != 0 {
			v.NewBy[e.class(touch)] += n
		}
	}
	from := t.newBy
	if e.o.LastTouch {
		from = t.newFrom
	}
	for touch, n := range from {
		if n != 0 {
			v.NewFrom[e.class(touch).Channel] += n
		}
	}
	gains, acquired := map[string]*bag{}, map[string]bool{}
	for class := range v.NewBy {
		acquired[class.Channel] = true
	}
	for channel, b := range t.gain {
		name := e.text(channel)
		if !acquired[name] {
			continue // what has been taken back
		}
		if gains[name] == nil {
			gains[name] = &bag{}
		}
		gains[name].addBag(b, 1)
	}
	for name, b := range gains {
		v.Gain[name] = b.money(e.rates)
	}
	v.Costs = e.costsIn(w.days)
	v.LaggedCosts = v.Costs
	if w.lagged != w.days {
		v.LaggedCosts = e.costsIn(w.lagged)
	}
	if w.moment >= 0 {
		m := e.momentView(w.moment)
		v.Value, v.ValueSince = m.Value, m.Since
	}
	v.Leads = e.leadView(&t.leads)
}

// costsIn returns the costs in the days with a number.
func (e *Engine) costsIn(n int) Costs {
	sums := e.costs.in(e.plan.days[n], e.o.Currency, e.rates)
	c := Costs{
		Marketing: map[record.Class]Money{}, Spend: map[record.Class]Money{}, Sales: sums.sales.money(),
		Paid: map[string]bool{}, Bought: map[string]bool{},
	}
	for class, sum := range sums.marketing {
		c.Marketing[class] = sum.money()
		if sum.paid {
			c.Paid[class.Channel] = true
		}
	}
	spent := map[record.Class]*bag{}
	for k, s := range e.tot.rows.byDays[n] {
		if k.kind != history.Spend {
			continue
		}
		labels := history.SplitLabels(e.text(k.labels), 4)
		class := record.Class{Channel: labels[1], Program: labels[2], Campaign: labels[3]}
		if spent[class] == nil {
			spent[class] = &bag{}
		}
		spent[class].addBag(s.money[history.SpendCost], 1)
		if s.spent > 0 {
			c.Paid[class.Channel], c.Bought[class.Channel] = true, true
		}
	}
	for class, b := range spent {
		c.Spend[class] = b.money(e.rates)
		c.Marketing[class] = AddMoney(c.Marketing[class], c.Spend[class])
	}
	return c
}

func (e *Engine) costSources() map[string][]string {
	sources := map[string][]string{}
	for category, names := range e.costs.sources {
		sources[category] = slices.Clone(names)
	}
	marketing := sources[record.CostMarketing]
	for k := range e.tot.rows.held {
		if name := e.text(k.source); k.kind == history.Spend && !slices.Contains(marketing, name) {
			marketing = append(marketing, name)
		}
	}
	sources[record.CostMarketing] = slices.Sorted(slices.Values(marketing))
	return sources
}

// AddMoney returns a + b, sums over different records.
func AddMoney(a, b Money) Money {
	sum := Money{NoRate: a.NoRate || b.NoRate, Records: a.Records + b.Records, Known: a.Known + b.Known}
	if sum.NoRate || sum.Records > 0 && sum.Known == 0 {
		return sum
	}
	sum.Value = new(big.Rat)
	for _, m := range []Money{a, b} {
		if m.Value != nil {
			sum.Value.Add(sum.Value, m.Value)
		}
	}
	return sum
}

func (e *Engine) leadView(t *leadTotals) LeadView {
	v := LeadView{
		By: map[record.Class]LeadCounts{}, Reached: t.reached, Created: t.created, Answered: t.answered, Followed: t.followed,
		Responses: quantilesOf(&t.responses, responseQuantiles()),
	}
	for touch, n := range t.by {
		class := e.class(touch)
		sum := v.By[class]
		for s := range Stages {
			sum.Entries[s] += n.entries[s]
		}
		sum.Created += n.created
		sum.Closed += n.closed
		v.By[class] = sum
	}
	return v
}

func quantilesOf(s *intervals, qs map[string]*big.Rat) map[string]int64 {
	values := map[string]int64{}
	for name, q := range qs {
		if us, ok := s.quantile(q); ok {
			values[name] = us
		}
	}
	return values
}

func (e *Engine) openView() OpenView {
	t := &e.tot.open
	v := OpenView{Unanswered: map[string]int64{}, Answers: e.tot.responses > 0}
	// Ages are kept from ageBase on, not from as_of.
	offset := ageBase - e.plan.asOf
	for s := range v.Ages {
		v.Ages[s] = quantilesOf(&t.ages[s], ageQuantiles())
		for q := range v.Ages[s] {
			v.Ages[s][q] -= offset
		}
	}
	const hour = int64(3600 * secondMicros)
	younger := func(age int64) int64 { return t.unanswered.below(age + offset) }
	bounds := []int64{younger(hour), younger(24 * hour), younger(7 * 24 * hour), t.unanswered.n}
	last := int64(0)
	for i, name := range []string{"lt_1h", "1h_1d", "1d_7d", "ge_7d"} {
		v.Unanswered[name] = bounds[i] - last
		last = bounds[i]
	}
	return v
}

const secondMicros = 1_000_000

// campaigns returns how campaigns are spelled, by what they are called anywhere: as ad
// platforms and costs have them, else as touches do. An ad platform's ID is a name, too.
func (e *Engine) campaigns() map[string]string {
	bought, own, ids := map[string]string{}, map[string]string{}, map[string]string{}
	spelled := func(in map[string]string, name string) {
		key := FoldCampaign(name)
		if other, ok := in[key]; key != "" && (!ok || name < other) {
			in[key] = name
		}
	}
	for name := range e.costs.names {
		spelled(bought, name)
	}
	var ads [][]string
	for k := range e.tot.rows.held {
		if k.kind == history.Spend {
			ads = append(ads, history.SplitLabels(e.text(k.labels), 6))
		}
	}
	for _, l := range ads {
		spelled(bought, l[3])
	}
	for touch := range e.tot.touches {
		spelled(own, e.class(touch).Campaign)
	}
	for _, l := range ads {
		name, id := bought[FoldCampaign(l[3])], l[4]
		if other, ok := ids[id]; id != "" && name != "" && (!ok || name < other) {
			ids[id] = name
		}
	}
	names := own
	maps.Copy(names, bought)
	for id, name := range ids {
		names[FoldCampaign(id)] = name
	}
	return names
}

// FoldCampaign returns a campaign's name as it is compared: without outer space and case.
func FoldCampaign(name string) string { return strings.ToLower(strings.TrimSpace(name)) }
