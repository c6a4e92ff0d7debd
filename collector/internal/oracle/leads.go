package oracle

import (
	"math"
	"slices"

	"github.com/b2bexporter/b2b_exporter/internal/record"
)

// never is later than everything.
const never = math.MaxInt64

// The stages of a lead.
const (
	stageLead = iota
	stageMQL
	stageSQL
	stageOpportunity
	stageCustomer
	stages
)

func stageName(stage int) string {
	return [stages]string{"lead", "mql", "sql", "opportunity", "customer"}[stage]
}

// lead is a lead with all that happened to it, whenever that was.
type lead struct {
	*record.Lead
	source       string
	class        record.Class
	customer     *customer
	own          [stages]int64 // when it entered each stage by itself, or never
	disqualified int64
	answers      []int64
}

func (w *world) addLeads() {
	for _, r := range w.records {
		rec, ok := r.Record.(*record.Lead)
		if !ok {
			continue
		}
		l := &lead{Lead: rec, source: r.Source, class: w.Channels.Classify(rec.Touch), customer: w.customerOf(rec.Self)}
		for stage, at := range [stages]record.Instant{rec.CreatedAt, rec.MQLAt, rec.SQLAt, rec.OpportunityAt, rec.CustomerAt} {
			l.own[stage] = w.orNever(at)
		}
		l.disqualified = w.orNever(rec.DisqualifiedAt)
		w.close(l)
		w.answer(l)
		w.funnel = append(w.funnel, l)
		w.answered = w.answered || !rec.FirstResponseAt.IsNull()
	}
	w.answered = w.answered || len(w.sources(record.KindActivity)) > 0
}

func (w *world) orNever(i record.Instant) int64 {
	if t, ok := w.calendar.resolve(i); ok {
		return t
	}
	return never
}

// close sets when the lead became a customer: never where its company was one before.
func (w *world) close(l *lead) {
	created := l.own[stageLead]
	before := false // the company bought before the lead was created
	buy := func(at int64) { before = before || created != never && at < created }
	for _, o := range w.counted {
		if o.customer == l.customer {
			buy(o.at)
		}
	}
	for _, s := range l.customer.subscriptions {
		if s.started {
			buy(s.start)
		}
	}
	for _, r := range w.records {
		deal, ok := r.Record.(*record.Deal)
		if !ok || deal.State != record.DealWon {
			continue
		}
		at, closed := w.calendar.resolve(deal.ClosedAt)
		if !closed {
			continue
		}
		names := r.Source == l.source && deal.Lead == l.ID
		if names {
			l.own[stageCustomer] = min(l.own[stageCustomer], at)
		}
		if names || w.buyerOf(r.Source, deal) == l.customer {
			buy(at)
		}
	}
	if l.customer.bought && l.customer.firstAt >= created {
		l.own[stageCustomer] = min(l.own[stageCustomer], l.customer.firstAt)
	}
	if before {
		l.own[stageCustomer] = never
	}
}

// answer collects when people reached out to the lead.
func (w *world) answer(l *lead) {
	for _, r := range w.records {
		a, ok := r.Record.(*record.Activity)
		if !ok || r.Source != l.source || a.Lead != l.ID || a.Incoming || a.Automated || a.Planned {
			continue
		}
		kinds := []string{record.ActivityCall, record.ActivityEmail, record.ActivitySMS, record.ActivityMeeting}
		if at, done := w.calendar.resolve(a.At); done && slices.Contains(kinds, a.Type) {
			l.answers = append(l.answers, at)
		}
	}
	if at, ok := w.calendar.resolve(l.FirstResponseAt); ok && !slices.Contains(l.answers, at) {
		l.answers = append(l.answers, at)
	}
	slices.Sort(l.answers)
}

// entry returns when the lead entered a stage as known at t, or never.
func (l *lead) entry(stage int, t int64) int64 {
	if l.own[stage] < t {
		return l.own[stage]
	}
	first := int64(never)
	for _, later := range l.own[stage+1:] {
		if later < t {
			first = min(first, later)
		}
	}
	return first
}

// enters reports whether the lead enters a stage in s as known at t.
func (l *lead) enters(stage int, s span, t int64) bool { return s.holds(l.entry(stage, t)) }

// furthest returns the last stage that the lead has entered at t; ok is false where
// there is none.
func (l *lead) furthest(t int64) (stage int, ok bool) {
	for stage := stageCustomer; stage >= stageLead; stage-- {
		if l.own[stage] < t {
			return stage, true
		}
	}
	return 0, false
}

// open reports whether the lead is neither customer nor disqualified at t.
func (l *lead) open(t int64) bool { return l.own[stageCustomer] >= t && l.disqualified >= t }

// answersBefore returns how often the lead had been answered before t.
func (l *lead) answersBefore(t int64) int {
	n, _ := slices.BinarySearch(l.answers, t)
	return n
}
