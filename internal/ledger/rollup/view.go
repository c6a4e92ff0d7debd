package rollup

import (
	"context"
	"math/big"

	"github.com/b2bexporter/b2b_exporter/internal/ledger"
	"github.com/b2bexporter/b2b_exporter/internal/record"
	"github.com/b2bexporter/b2b_exporter/internal/window"
)

// View holds the figures of a ledger at a moment. It is immutable.
type View struct {
	AsOf    int64 // microseconds since 1970-01-01 UTC
	Windows []WindowView
	// Moments are as_of (Now) and the moments that KPIs without a window are compared with.
	Moments [moments]MomentView

	Active, Churned, Prospects int64
	// Cohorts are the months of first orders, oldest first, the last is the running month.
	Cohorts []Cohort
	// Intervals are the quantiles of the time between orders, in microseconds, by q;
	// empty where there are no intervals.
	Intervals map[string]int64
	Historic  map[string]Historic // by channel
	Recurring RecurringView
	Open      OpenView
	// CostSources are the sources of the costs, by category; ad spend is one of marketing.
	CostSources map[string][]string
	// Campaigns are how campaigns are spelled, by FoldCampaign of what they are called.
	Campaigns map[string]string
	Held      Held
	// Quality are the judgements of ads of the last 30 days.
	Quality map[QualityKey]Quality
	// FirstOrder is the first order that counts as one of a customer; ok is false without any.
	FirstOrder   int64
	HasFirst     bool
	FirstRecords map[string]int64 // by source: its earliest dated record
	Streams      []ledger.Stream
	// Unmatched counts customers, accounts and leads that no other source knows, by source
	// (Store) and kind of record (Label).
	Unmatched map[SalesKey]int64
}

// WindowView holds the figures of one window.
type WindowView struct {
	Window
	// Since is inactive_after before the window's start: churn is known only where the
	// ledger's first order is not later.
	Since       int64
	ByChannel   map[SalesKey]Sales // only of current windows
	ByTerritory map[SalesKey]Sales // only of current windows
	ByStore     map[string]Sales
	Checkouts   map[string]int64   // abandoned, by store
	Quotes      map[SalesKey]int64 // by store and state, only of current windows

	New          int64
	NewByChannel map[string]int64
	Orderers     int64 // distinct customers that ordered
	Returning    int64
	Repeat       int64
	AtStart      int64 // active at the window's start
	Lost         int64
	Reactivated  int64
	Net          Money // of identified customers; only of current windows
	Largest      Money // net revenue of the largest of them; nil without any

	NewBy   map[record.Class]int64 // new customers by what they are counted under
	NewFrom map[string]int64       // ... by the channel of their first touch
	Gain    map[string]Money       // what they brought in the window, by channel
	Costs   Costs
	// LaggedCosts are those that the window's new customers are held against.
	LaggedCosts Costs
	// Value is the lifetime value at the window's as_of, ValueSince inactive_after before the
	// first of its months; only of windows that others are compared with by day.
	Value      Lifetime
	ValueSince int64
	Leads      LeadView
	Recurring  RecurringWindow // only of windows that are not of complete days

	Ads       map[AdKey]Ads
	Traffic   map[TrafficKey]Traffic
	Users     map[UsersKey]*big.Rat // different visitors of exactly the window's days
	Referrers map[string]int64      // domains that sent visits, by site
}

// MomentView holds the figures of one moment.
type MomentView struct {
	At            int64
	MRR           Money // monthly recurring revenue, at the rates of the day
	Value         Lifetime
	ByChannel     map[string]Lifetime // only Now
	AtRisk        int64
	AtRiskRevenue Money
	Months        [6]window.Range // the windows of Value's churn, latest last
	Since         int64           // inactive_after before the first of Months
}

// Lifetime are the parts of the predicted lifetime value.
type Lifetime struct {
	Active        int64
	Quarter       Money // what the active customers brought in the last 90 days
	AtStart, Lost int64 // summed over six windows of 30 days
}

// Historic are the parts of the historic lifetime value.
type Historic struct {
	Customers int64
	Value     Money
}

// Cohort is a month of first orders.
type Cohort struct {
	Month   window.Day // its first day
	Size    int64
	Ordered []int64 // by month number: how many ordered in it
}

// quantiles returns those of the time between orders that are exposed.
func quantiles() map[string]*big.Rat {
	return map[string]*big.Rat{"0.5": big.NewRat(1, 2), "0.8": big.NewRat(4, 5)}
}

func (e *Engine) view(ctx context.Context, snap *ledger.Snapshot) (*View, error) {
	t, p, c := e.tot, e.plan, e.l.Calendar()
	v := &View{
		AsOf: p.asOf, Active: t.active, Churned: t.churned, Prospects: t.prospects,
		Intervals: map[string]int64{}, Historic: map[string]Historic{},
		FirstOrder: t.first, HasFirst: t.first != never,
	}
	var err error
	if v.FirstRecords, err = snap.FirstRecords(ctx); err != nil {
		return nil, err
	}
	if v.Streams, err = snap.Streams(ctx); err != nil {
		return nil, err
	}
	book := newMRRBook(c, e.rates, &t.mrr)
	for i := range p.windows {
		w := e.windowView(i)
		if !w.Role.OfDays() {
			w.Recurring = e.recurringWindow(i, book)
		}
		v.Windows = append(v.Windows, w)
	}
	for i := range v.Moments {
		v.Moments[i] = e.momentView(i)
		v.Moments[i].MRR = book.standsAt(v.Moments[i].At)
	}
	v.Recurring = e.recurringView(book)
	v.Quality, v.Held = e.quality(), e.held()
	v.Open, v.Campaigns = e.openView(), e.campaigns()
	v.CostSources = e.costSources()
	for i, month := range p.months {
		n := cohorts - i
		v.Cohorts = append(v.Cohorts, Cohort{
			Month: c.Day(p.points[month]), Size: t.cohorts[i][0], Ordered: append([]int64(nil), t.cohorts[i][:n]...),
		})
	}
	for name, q := range quantiles() {
		if us, ok := t.intervals.quantile(q); ok {
			v.Intervals[name] = us
		}
	}
	v.Unmatched = map[SalesKey]int64{}
	for k, n := range t.unmatched {
		kind := string(record.KindLead)
		if k.label != leadKind {
			kind = e.text(k.label)
		}
		v.Unmatched[SalesKey{e.text(k.store), kind}] = n
	}
	byName := map[string]*historic{}
	for channel, h := range t.historic {
		name := e.text(channel)
		if byName[name] == nil {
			byName[name] = &historic{}
		}
		byName[name].customers += h.customers
		byName[name].value.addBag(&h.value, 1)
	}
	for name, h := range byName {
		if h.customers == 0 {
			continue
		}
		v.Historic[name] = Historic{h.customers, h.value.money(e.rates)}
	}
	return v, nil
}

func (e *Engine) windowView(i int) WindowView {
	w, t := e.plan.windows[i], &e.tot.windows[i]
	v := WindowView{
		Window: w, Since: e.plan.points[w.start.since], New: t.new, Orderers: t.orderers, Returning: t.returning, Repeat: t.repeat, AtStart: t.atStart,
		Lost: t.lost, Reactivated: t.back,
		ByStore: map[string]Sales{}, Checkouts: map[string]int64{}, NewByChannel: map[string]int64{},
	}
	e.acquisition(i, &v)
	e.days(w, &v)
	if w.Role.OfDays() {
		return v
	}
	s := e.tot.sales
	channels, stores := s.window(e.rates, w, e.keyOf(byChannel)), map[string]*accumulator{}
	for k, a := range channels {
		if stores[k.Store] == nil {
			stores[k.Store] = &accumulator{}
		}
		stores[k.Store].plus(a)
	}
	for store, a := range stores {
		v.ByStore[store] = a.sales()
	}
	for store, n := range e.tot.checkouts[i] {
		v.Checkouts[e.text(store)] += n
	}
	if w.Role != Current {
		return v
	}
	v.ByChannel, v.ByTerritory = map[SalesKey]Sales{}, map[SalesKey]Sales{}
	for k, a := range channels {
		v.ByChannel[k] = a.sales()
	}
	for k, a := range s.window(e.rates, w, e.keyOf(byTerritory)) {
		v.ByTerritory[k] = a.sales()
	}
	v.Quotes = map[SalesKey]int64{}
	for k, n := range e.tot.quotes[i] {
		v.Quotes[SalesKey{e.text(k.store), e.text(k.label)}] += n
	}
	for class, n := range v.NewBy {
		v.NewByChannel[class.Channel] += n
	}
	v.Net = t.net.money(e.rates)
	if unit, ok, _ := t.top.largest(); ok {
		b := t.top.kept[unit]
		v.Largest = b.value.money(e.rates)
	}
	return v
}

// keyOf returns how cells of a dimension are labelled.
func (e *Engine) keyOf(d dimension) func(cellKey) (SalesKey, bool) {
	return func(k cellKey) (SalesKey, bool) { return SalesKey{e.text(k.store), e.text(k.label)}, k.dimension == d }
}

func (e *Engine) momentView(i int) MomentView {
	m, t := &e.plan.moments[i], &e.tot.moments[i]
	v := MomentView{At: m.At, AtRisk: t.atRisk, AtRiskRevenue: t.riskedBy.money(e.rates), Value: e.lifetime(&t.value)}
	v.Since = e.plan.points[m.months[0].since]
	for k := range v.Months {
		v.Months[k] = window.Range{Start: e.plan.points[m.months[k].at], End: e.plan.points[m.months[k+1].at]}
	}
	if t.byChan == nil {
		return v
	}
	byName := map[string]*lifetime{}
	for channel, l := range t.byChan {
		name := e.text(channel)
		if byName[name] == nil {
			byName[name] = &lifetime{}
		}
		to := byName[name]
		to.active += l.active
		to.atStart += l.atStart
		to.lost += l.lost
		to.quarter.addBag(&l.quarter, 1)
	}
	v.ByChannel = map[string]Lifetime{}
	for name, l := range byName {
		v.ByChannel[name] = e.lifetime(l)
	}
	return v
}

func (e *Engine) lifetime(l *lifetime) Lifetime {
	return Lifetime{Active: l.active, Quarter: l.quarter.money(e.rates), AtStart: l.atStart, Lost: l.lost}
}

var _ ledger.Feed = (*Engine)(nil)
