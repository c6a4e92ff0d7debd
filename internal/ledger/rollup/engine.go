package rollup

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/b2bexporter/b2b_exporter/internal/ledger"
	"github.com/b2bexporter/b2b_exporter/internal/ledger/history"
	"github.com/b2bexporter/b2b_exporter/internal/record"
)

// Engine keeps the totals of a ledger up to date: with each commit, which it hears
// of as the ledger's Feed, and with the passing of time.
type Engine struct {
	l     *ledger.Ledger
	o     Options
	order []string // sources, in the order in which they are asked for rates

	queueMu sync.Mutex
	queue   []change
	queued  int
	reset   bool

	mu    sync.Mutex // one View at a time; guards everything below
	plan  *plan
	tot   *totals
	watch watchList
	rates *rates
	costs *costs
	known ratesState
	texts []string
	// channels are the numbers of touches' channels.
	channels map[history.Dict]history.Dict
	numbers  map[string]history.Dict
}

// change is what one commit did.
type change struct{ before, after []ledger.Unit }

// maxQueued is from how many changed units on reading everything again is cheaper than
// remembering them.
const maxQueued = 50_000

// ratesState tells whether rates must be read again.
type ratesState struct {
	version    int64
	currencies int
}

// New returns an engine for l and makes it the ledger's feed. Sources are asked for
// rates in the given order.
func New(l *ledger.Ledger, o Options, sources []string) *Engine {
	e := newEngine(l, o, sources)
	l.SetFeed(e)
	return e
}

func newEngine(l *ledger.Ledger, o Options, sources []string) *Engine {
	return &Engine{
		l: l, o: o, order: sources, reset: true, channels: map[history.Dict]history.Dict{}, numbers: map[string]history.Dict{},
	}
}

// Watching implements ledger.Feed.
func (e *Engine) Watching() bool {
	e.queueMu.Lock()
	defer e.queueMu.Unlock()
	return !e.reset
}

// Apply implements ledger.Feed.
func (e *Engine) Apply(before, after []ledger.Unit) {
	e.queueMu.Lock()
	defer e.queueMu.Unlock()
	if e.reset {
		return
	}
	e.queue = append(e.queue, change{before, after})
	if e.queued += len(before) + len(after); e.queued > maxQueued {
		e.forget()
	}
}

// Reset implements ledger.Feed.
func (e *Engine) Reset() {
	e.queueMu.Lock()
	defer e.queueMu.Unlock()
	e.forget()
}

func (e *Engine) forget() { e.queue, e.queued, e.reset = nil, 0, true }

// take returns what has come in since the last time.
func (e *Engine) take() (queue []change, reset bool) {
	e.queueMu.Lock()
	defer e.queueMu.Unlock()
	queue, reset = e.queue, e.reset
	e.queue, e.queued, e.reset = nil, 0, false
	return queue, reset
}

// View returns the figures of the ledger as it is now, at asOf (microseconds since
// 1970-01-01 UTC).
func (e *Engine) View(ctx context.Context, asOf int64) (_ *View, err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	var queue []change
	var reset bool
	snap, err := e.l.Snapshot(ctx, func() { queue, reset = e.take() })
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, snap.Close()) }()
	next := newPlan(e.l.Calendar(), e.o, asOf)
	ratesChanged, err := e.learn(ctx, snap)
	if err != nil {
		e.tot = nil
		return nil, err
	}
	abroad := e.tot != nil && e.tot.sales.abroad(e.rates.home)
	fresh := e.tot == nil || reset || ratesChanged && abroad || !next.follows(e.plan)
	if !fresh {
		err = e.follow(ctx, snap, queue, next)
	} else {
		err = e.build(ctx, snap, next)
	}
	if err == nil && !fresh && !e.exact() {
		err = e.build(ctx, snap, next)
	}
	if err != nil {
		// Totals that have taken in half of a change would be wrong from now on.
		e.tot = nil
		return nil, fmt.Errorf("compute totals: %w", err)
	}
	v, err := e.view(ctx, snap)
	if err == nil && reading(v.Streams) {
		// A source that is read for the first time changes almost everything: following that
		// would cost more than reading all again in the end.
		e.Reset()
	}
	return v, err
}

// reading reports whether any stream is being read for the first time. One that failed
// waits for its next poll.
func reading(streams []ledger.Stream) bool {
	return slices.ContainsFunc(streams, func(s ledger.Stream) bool { return !s.Complete && s.Error == "" })
}

// learn reads texts, and rates where they have changed.
func (e *Engine) learn(ctx context.Context, snap *ledger.Snapshot) (ratesChanged bool, err error) {
	e.texts = snap.Texts()
	currencies := map[string]history.Dict{}
	for _, channel := range record.Channels() {
		if n := slices.Index(e.texts, channel); n >= 0 {
			e.numbers[channel] = history.Dict(n)
		}
	}
	for i, text := range e.texts {
		if isCurrency(text) {
			currencies[text] = history.Dict(i)
		}
	}
	state := ratesState{snap.RatesVersion(), len(currencies)}
	if e.rates != nil && e.known == state {
		return false, nil
	}
	if e.rates, err = loadRates(ctx, snap, e.o.Currency, currencies, e.order); err != nil {
		return false, err
	}
	if e.costs, err = loadCosts(ctx, snap, e.o.Currency, currencies); err != nil {
		return false, err
	}
	e.known = state
	return true, nil
}

// channelOf returns the number of the channel of a touch. The ledger numbers it before any
// touch that has it.
func (e *Engine) channelOf(touch history.Dict) history.Dict {
	if n, ok := e.channels[touch]; ok {
		return n
	}
	channel, _, compound := strings.Cut(e.text(touch), history.Separator)
	n := touch
	if compound {
		n = e.numbers[channel]
	}
	e.channels[touch] = n
	return n
}

// isCurrency reports whether a text has the form of a currency code. Other texts of
// that form only cost the looking for rates that nothing needs.
func isCurrency(text string) bool {
	if len(text) != 3 {
		return false
	}
	for _, c := range text {
		if c < 'A' || c > 'Z' {
			return false
		}
	}
	return true
}

func (e *Engine) text(n history.Dict) string {
	if int(n) < len(e.texts) {
		return e.texts[n]
	}
	return "unknown"
}

func (e *Engine) evaluation(p *plan) *evaluation {
	return &evaluation{p: p, t: e.tot, o: e.o, rates: e.rates, text: e.text, channelOf: e.channelOf}
}

// build reads everything.
func (e *Engine) build(ctx context.Context, snap *ledger.Snapshot, p *plan) error {
	e.plan, e.tot, e.watch = p, newTotals(e.l.Calendar(), p), watchList{}
	clear(e.costs.cached)
	ev := e.evaluation(p)
	var c customer
	err := snap.Each(ctx, func(u ledger.Unit) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := c.load(u); err != nil {
			return err
		}
		ev.unit(&c, 1)
		e.watch.add(ev, &c)
		return nil
	})
	e.watch.sort()
	return err
}

// follow takes in what has changed, and goes on to the next plan.
func (e *Engine) follow(ctx context.Context, snap *ledger.Snapshot, queue []change, next *plan) error {
	ev := e.evaluation(e.plan)
	var c customer
	for _, ch := range queue {
		for _, u := range ch.before {
			if err := c.load(u); err != nil {
				return err
			}
			ev.unit(&c, -1)
		}
		for _, u := range ch.after {
			if err := c.load(u); err != nil {
				return err
			}
			ev.unit(&c, 1)
			e.watch.add(ev, &c)
		}
	}
	to := e.evaluation(next)
	for _, unit := range e.watch.passed(e.plan, next) {
		u, err := snap.Load(ctx, unit)
		if err != nil {
			return err
		}
		if err := c.load(u); err != nil {
			return err
		}
		move(ev, to, &c)
	}
	e.tot.sales.compact()
	e.plan = next
	return nil
}

// exact reports whether the totals hold all that a view needs.
func (e *Engine) exact() bool {
	if e.tot.first != never && e.tot.firsts == 0 {
		return false
	}
	for i := range e.tot.windows {
		if _, _, exact := e.tot.windows[i].top.largest(); !exact {
			return false
		}
	}
	return true
}

// abroad reports whether any amount is in another currency than the reporting one.
func (s *sales) abroad(home history.Dict) bool {
	for currency := range s.used {
		if currency != home {
			return true
		}
	}
	return false
}

// watchList knows which units may count otherwise once a moving bound has passed over a
// moment of the day. A unit that is listed in vain only costs its evaluation.
type watchList struct {
	sorted []watch
	added  []watch
}

type watch struct {
	t    int64
	unit int64
}

// maxAdded is how many entries are looked through one by one before they are sorted in.
const maxAdded = 4096

// add lists the moments of a customer at which it may count otherwise.
func (l *watchList) add(ev *evaluation, c *customer) {
	p := ev.p
	note := func(t int64) {
		if p.watched(t) {
			l.added = append(l.added, watch{t, c.unit})
		}
	}
	for i := range c.events {
		e := &c.events[i]
		if c.unit < 0 && e.Kind != history.Checkout && e.Kind != history.Quote {
			continue
		}
		note(e.T)
		if e.End != 0 {
			note(e.End)
		}
	}
	if c.unit < 0 {
		return
	}
	for i := range p.moments {
		if p.moments[i].valueOnly {
			continue
		}
		l.risks(&p.moments[i], c, note)
	}
}

// risks lists when a customer comes to be at risk on a moment's day: at most once
// between two of its orders.
func (l *watchList) risks(m *Moment, c *customer, note func(int64)) {
	at := int(c.position[m.at.at])
	for n := at; n > 0; n-- {
		if c.orders[n-1] < m.riskSince && len(c.live) == 0 {
			break
		}
		if t, ok := c.riskAfter(n); ok {
			note(t)
		}
		if c.orders[n-1] < m.day.Start {
			break
		}
	}
	for n := at + 1; n <= len(c.orders) && c.orders[n-1] < m.day.End; n++ {
		if t, ok := c.riskAfter(n); ok {
			note(t)
		}
	}
}

func (l *watchList) sort() {
	l.sorted = append(l.sorted, l.added...)
	l.added = nil
	slices.SortFunc(l.sorted, func(a, b watch) int { return cmp.Or(cmp.Compare(a.t, b.t), cmp.Compare(a.unit, b.unit)) })
	l.sorted = slices.Compact(l.sorted)
}

// passed returns the units at whose moments a moving bound passed on its way from one
// plan to the next, in either direction.
func (l *watchList) passed(from, to *plan) []int64 {
	if len(l.added) > maxAdded {
		l.sort()
	}
	units := map[int64]bool{}
	for i := range from.moving {
		low, high := min(from.moving[i], to.moving[i]), max(from.moving[i], to.moving[i])
		if low == high {
			continue
		}
		at, _ := slices.BinarySearchFunc(l.sorted, low, func(w watch, t int64) int { return cmp.Compare(w.t, t) })
		for ; at < len(l.sorted) && l.sorted[at].t <= high; at++ {
			units[l.sorted[at].unit] = true
		}
		for _, w := range l.added {
			if w.t >= low && w.t <= high {
				units[w.unit] = true
			}
		}
	}
	list := make([]int64, 0, len(units))
	for unit := range units {
		list = append(list, unit)
	}
	slices.Sort(list)
	return list
}
