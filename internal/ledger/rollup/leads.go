package rollup

import (
	"math/big"
	"slices"

	"github.com/b2bexporter/b2b_exporter/internal/ledger/history"
)

// Stage is a stage of the funnel.
type Stage int

// The stages, in order.
const (
	StageLead Stage = iota
	StageMQL
	StageSQL
	StageOpportunity
	StageCustomer

	Stages
)

func (s Stage) String() string {
	return [Stages]string{"lead", "mql", "sql", "opportunity", "customer"}[s]
}

// lead is a lead read into memory.
type lead struct {
	ref          int64
	touch        history.Dict
	own          [Stages]int64 // when it reached each stage, by what says so itself
	disqualified int64
	answers      []int64 // ascending
}

// created returns the lead's creation; never where it is not known.
func (l *lead) created() int64 { return l.own[StageLead] }

// entry returns when the lead entered a stage, as known at asOf: at its own time, else that
// of the earliest later stage. It is never where it has not.
func (l *lead) entry(s Stage, asOf int64) int64 {
	if l.own[s] < asOf {
		return l.own[s]
	}
	first := int64(never)
	for _, at := range l.own[s+1:] {
		if at < asOf {
			first = min(first, at)
		}
	}
	return first
}

// span returns the first and the last of the moments at which it can have entered a stage;
// from never on where there is none.
func (l *lead) span() (first, last int64) {
	first, last = never, always
	for _, at := range l.own {
		first = min(first, at)
		if at != never {
			last = max(last, at)
		}
	}
	return first, last
}

// answered returns how many answers there were before asOf, and the first.
func (l *lead) answered(asOf int64) (n int, first int64) {
	for n < len(l.answers) && l.answers[n] < asOf {
		n++
	}
	if n == 0 {
		return 0, never
	}
	return n, l.answers[0]
}

// readLeads puts together what the events of a unit say of its leads.
func (c *customer) readLeads() {
	c.funnel = c.funnel[:0]
	if len(c.leads) == 0 {
		return
	}
	index := make(map[int64]int, len(c.leads))
	for i := range c.leads {
		e := &c.leads[i]
		l := lead{ref: e.Ref, touch: e.Label, disqualified: never}
		for s := range l.own {
			l.own[s] = never
		}
		if e.Has(history.Created) {
			l.own[StageLead] = e.T
		}
		index[e.Ref] = len(c.funnel)
		c.funnel = append(c.funnel, l)
	}
	bought := int64(never) // by the customer, whatever counts as an order of it
	responses := map[int64]int64{}
	for i := range c.events {
		e := &c.events[i]
		if e.Kind == history.Order || e.Kind == history.Live || e.Kind == history.Won && e.Has(history.OfCustomer) {
			bought = min(bought, e.T)
		}
		at, ok := index[e.Ref]
		if !ok {
			continue
		}
		l := &c.funnel[at]
		switch e.Kind {
		case history.Step:
			if e.Label == history.StepResponse {
				responses[e.Ref] = e.T
			} else {
				l.reach(e)
			}
		case history.Won:
			l.own[StageCustomer] = min(l.own[StageCustomer], e.T)
		case history.Answer:
			l.answers = append(l.answers, e.T) // events are in the order of time
		}
	}
	for i := range c.funnel {
		l := &c.funnel[i]
		if at, ok := responses[l.ref]; ok && !slices.Contains(l.answers, at) {
			l.answers = append(l.answers, at)
			slices.Sort(l.answers)
		}
		l.close(c, bought)
	}
}

// reach notes a step that the CRM has a date of.
func (l *lead) reach(e *history.Event) {
	switch e.Label {
	case history.StepMQL:
		l.own[StageMQL] = e.T
	case history.StepSQL:
		l.own[StageSQL] = e.T
	case history.StepOpportunity:
		l.own[StageOpportunity] = e.T
	case history.StepCustomer:
		l.own[StageCustomer] = min(l.own[StageCustomer], e.T)
	case history.StepDisqualified:
		l.disqualified = e.T
	}
}

// close finds out when the lead became a customer: by the CRM, a won deal of its own, or
// its customer's first order. Leads of those that were customers before never do.
func (l *lead) close(c *customer, bought int64) {
	created := l.created()
	if created == never {
		return
	}
	before := bought
	for i := range c.events {
		if e := &c.events[i]; e.Kind == history.Won && e.Ref == l.ref {
			before = min(before, e.T)
		}
	}
	if before < created {
		l.own[StageCustomer] = never
		return
	}
	l.own[StageCustomer] = min(l.own[StageCustomer], c.first)
}

// leadCounts are the leads of one touch in a window.
type leadCounts struct {
	entries [Stages]int64
	created int64
	closed  int64 // of those that entered lead in the window: customers by its as_of
}

func (n *leadCounts) empty() bool { return *n == leadCounts{} }

// leadTotals count leads in a window.
type leadTotals struct {
	by map[history.Dict]*leadCounts // by touch
	// reached: of those that entered a stage in the window, how many had reached another by its
	// as_of.
	reached                     [Stages][Stages]int64
	created, answered, followed int64
	responses                   intervals
}

// openLeads are the leads that are neither customers nor disqualified at as_of.
type openLeads struct {
	ages       [StageCustomer]intervals // since they entered their furthest stage
	unanswered intervals
}

// ageBase less a time is larger the longer ago that is, and never negative: ages at a moment
// that moves can be kept as that.
const ageBase = int64(1) << 62

// leads adds the unit's leads.
func (ev *evaluation) leads(c *customer, sign int64) {
	for i := range c.funnel {
		l := &c.funnel[i]
		first, last := l.span()
		for k := range ev.p.windows {
			if w := &ev.p.windows[k]; first < w.End && last >= w.Start {
				ev.leadWindow(l, k, sign)
			}
		}
		ev.openLead(l, sign)
	}
}

func (ev *evaluation) leadWindow(l *lead, i int, sign int64) {
	w, t := &ev.p.windows[i], &ev.t.windows[i].leads
	within := func(at int64) bool { return at >= w.Start && at < w.End && at < w.AsOf }
	var entries [Stages]int64
	counts := within(l.created())
	for s := range Stages {
		entries[s] = l.entry(s, w.AsOf)
		counts = counts || within(entries[s])
	}
	if !counts {
		return
	}
	n := t.by[l.touch]
	if n == nil {
		n = &leadCounts{}
		t.by[l.touch] = n
	}
	for s := range Stages {
		if !within(entries[s]) {
			continue
		}
		n.entries[s] += sign
		for to := s + 1; to < Stages; to++ {
			if entries[to] != never {
				t.reached[s][to] += sign
			}
		}
		if s == StageLead && entries[StageCustomer] != never {
			n.closed += sign
		}
	}
	if within(l.created()) {
		n.created += sign
		t.answer(l, w.AsOf, sign)
	}
	if n.empty() {
		delete(t.by, l.touch)
	}
}

// answer counts a lead that was created in the window.
func (t *leadTotals) answer(l *lead, asOf, sign int64) {
	t.created += sign
	n, first := l.answered(asOf)
	if n > 0 {
		t.answered += sign
		t.responses.add(max(0, first-l.created()), sign)
	}
	if n > 1 {
		t.followed += sign
	}
}

func (ev *evaluation) openLead(l *lead, sign int64) {
	asOf, t := ev.p.asOf, &ev.t.open
	if l.disqualified < asOf || l.entry(StageCustomer, asOf) != never {
		return
	}
	for s := StageOpportunity; s >= StageLead; s-- {
		if at := l.entry(s, asOf); at != never {
			t.ages[s].add(ageBase-at, sign)
			break
		}
	}
	if created := l.created(); created < asOf {
		if n, _ := l.answered(asOf); n == 0 {
			t.unanswered.add(ageBase-created, sign)
		}
	}
}

// responseQuantiles returns those of the response time that are exposed.
func responseQuantiles() map[string]*big.Rat {
	return map[string]*big.Rat{"0.5": big.NewRat(1, 2), "0.9": big.NewRat(9, 10), "0.95": big.NewRat(19, 20)}
}

// ageQuantiles returns those of the age in a stage that are exposed.
func ageQuantiles() map[string]*big.Rat {
	return map[string]*big.Rat{"0.5": big.NewRat(1, 2), "0.9": big.NewRat(9, 10)}
}
