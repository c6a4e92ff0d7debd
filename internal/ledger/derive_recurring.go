package ledger

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/b2bexporter/b2b_exporter/internal/ledger/history"
	"github.com/b2bexporter/b2b_exporter/internal/record"
)

// step is a change of a subscription's monthly recurring revenue, which holds from a moment on.
type step struct {
	at  int64
	mrr record.Amount
}

// paid reports whether something is paid from the step on, be it known how much or not.
func (s step) paid() bool { return s.mrr.IsNull() || s.mrr.Micros != 0 }

// subscriptionFacts: when a subscription is live, in which state, and what it brings.
func (w *writer) subscriptionFacts(ctx context.Context, s stored, r *record.Subscription) ([]fact, error) {
	facts := w.known(s, r.Customer, r.Dates()...)
	if r.Customer.IsNull() {
		return facts, nil
	}
	currency, err := w.number(ctx, r.Currency)
	if err != nil {
		return nil, err
	}
	steps := w.steps(r)
	for _, events := range [][]history.Event{liveSpans(steps), revenueChanges(steps, currency), w.stateSpans(r, steps)} {
		for _, e := range events {
			e.Source = history.Dict(s.source)
			facts = append(facts, fact{customer: r.Customer.Sealed[0], event: e})
		}
	}
	return facts, nil
}

// liveSpans are the spans in which a subscription is live and paid.
func liveSpans(steps []step) []history.Event {
	var events []history.Event
	live := false
	for _, s := range steps {
		switch {
		case s.paid() && !live:
			events = append(events, history.Event{Kind: history.Live, T: s.at})
		case !s.paid() && live:
			events[len(events)-1].End = s.at
		}
		live = s.paid()
	}
	return events
}

// steps returns the subscription's history up to its end, where it falls to 0. Without a
// history it is not known what is paid.
func (w *writer) steps(r *record.Subscription) []step {
	started, hasStart := w.at(r.StartedAt)
	trialing := r.State == record.SubscriptionTrialing
	var steps []step
	for _, change := range r.History {
		if at, ok := w.at(change.At); ok {
			steps = append(steps, step{at, charged(change.MRR)})
		}
	}
	if len(r.History) == 0 && hasStart && !trialing {
		steps = []step{{at: started}}
	}
	if len(steps) == 0 {
		return nil
	}
	slices.SortStableFunc(steps, func(a, b step) int { return cmp.Compare(a.at, b.at) })
	// Of the steps at one moment the last holds.
	kept := steps[:0]
	for i, s := range steps {
		if i+1 == len(steps) || steps[i+1].at != s.at {
			kept = append(kept, s)
		}
	}
	steps = kept
	ended, hasEnd := w.at(r.EndedAt)
	if !hasEnd && r.State == record.SubscriptionEnded && !lapses(steps) {
		// When it ended is not known: for certain it was paid until the last change.
		ended, hasEnd = steps[len(steps)-1].at, true
	}
	if hasEnd {
		steps = slices.DeleteFunc(steps, func(s step) bool { return s.at >= ended })
	}
	if trialing {
		if !hasStart && len(steps) > 0 {
			started = steps[0].at
		}
		untilTrialEnds(steps, started)
	}
	if hasEnd && len(steps) > 0 {
		steps = append(steps, step{ended, record.Micros(0)})
	}
	return steps
}

// charged returns what an amount says of what is paid. A customer is never paid for subscribing:
// an amount below 0 says only that something is paid, not how much.
func charged(mrr record.Amount) record.Amount {
	if mrr.Micros < 0 {
		return record.Amount{}
	}
	return mrr
}

// lapses reports whether steps tell themselves when nothing was paid any more. What is paid
// after that is what goes on after a pause.
func lapses(steps []step) bool {
	paid := false
	for _, s := range steps {
		if paid && !s.paid() {
			return true
		}
		paid = s.paid()
	}
	return false
}

// untilTrialEnds takes out what is not paid because of the trial that a subscription is in.
// Where its steps do not tell of any time without payment since it started, what they say of
// the start is what will be paid after the trial.
func untilTrialEnds(steps []step, started int64) {
	if slices.ContainsFunc(steps, func(s step) bool { return s.at >= started && !s.paid() }) {
		return
	}
	for i := range steps {
		if steps[i].at <= started {
			steps[i].mrr = record.Micros(0)
		}
	}
}

// revenueChanges are the steps as changes of what was before.
func revenueChanges(steps []step, currency history.Dict) []history.Event {
	var events []history.Event
	before := record.Micros(0)
	for _, s := range steps {
		if s.mrr == before {
			continue
		}
		e := history.Event{Kind: history.Revenue, T: s.at, Currency: currency, Gross: s.mrr.Micros, Discount: before.Micros}
		if s.mrr.Known {
			e.Flags |= history.HasMoney
		}
		if before.Known {
			e.Flags |= history.HasDiscount
		}
		events = append(events, e)
		before = s.mrr
	}
	return events
}

// stateSpans are the spans in which a subscription is in a state that is counted. Only its
// present state is told, which counts for the past, too, save where the history shows
// another: what was paid for was active, and before anything was paid, one that has ended
// since was a trial.
func (w *writer) stateSpans(r *record.Subscription, steps []step) []history.Event {
	start, ok := w.at(r.StartedAt)
	if len(steps) > 0 && (!ok || steps[0].at < start) {
		start, ok = steps[0].at, true
	}
	ended, hasEnd := w.at(r.EndedAt)
	if !ok || hasEnd && ended <= start {
		return nil
	}
	var events []history.Event
	enter := func(at int64, state history.Dict) {
		if n := len(events); n > 0 && events[n-1].End == 0 {
			if events[n-1].Label == state {
				return
			}
			events[n-1].End = at
		}
		if state != 0 {
			events = append(events, history.Event{Kind: history.Subscribed, T: at, Label: state})
		}
	}
	paid := false
	if len(steps) == 0 || steps[0].at > start {
		enter(start, stateOf(r.State, false, hasEnd))
	}
	for _, s := range steps {
		paid = paid || s.paid()
		if !hasEnd || s.at < ended {
			enter(s.at, stateOf(r.State, s.paid(), hasEnd && !paid))
		}
	}
	if hasEnd {
		enter(ended, 0)
	}
	return events
}

// stateOf returns the state of a subscription at a time at which something is paid or not,
// 0 for none; trial says that one that has ended was a trial where nothing is.
func stateOf(present string, paid, trial bool) history.Dict {
	switch {
	case present == record.SubscriptionPastDue:
		return history.StatePastDue
	case present == record.SubscriptionTrialing && !paid, present == record.SubscriptionEnded && !paid && trial:
		return history.StateTrialing
	case present == record.SubscriptionEnded && !paid:
		return 0
	}
	return history.StateActive
}

func (w *writer) customerFacts(ctx context.Context, s stored, r *record.Customer) ([]fact, error) {
	facts, err := w.self(ctx, s, r.Self, r.Dates()...)
	if err != nil {
		return nil, err
	}
	return w.owned(ctx, s, facts, r.Self, r.Owner, 1, r.CreatedAt)
}

func (w *writer) accountFacts(ctx context.Context, s stored, r *record.Account) ([]fact, error) {
	var facts []fact
	if r.Target || len(r.Keys.Sealed) > 0 {
		var err error
		if facts, err = w.self(ctx, s, r.Self, r.Dates()...); err != nil {
			return nil, err
		}
	}
	return w.owned(ctx, s, facts, r.Self, r.Owner, 0, r.Dates()...)
}

// owned adds who looks after the customer that a record is; rank is the Ref of an Owned.
func (w *writer) owned(ctx context.Context, s stored, facts []fact, self record.Ref, owner string, rank int64, dates ...record.Instant) ([]fact, error) {
	if owner = strings.TrimSpace(owner); owner == "" || self.IsNull() {
		return facts, nil
	}
	e := history.Event{Kind: history.Owned, Source: history.Dict(s.source), Ref: rank}
	w.date(&e, dates...)
	var err error
	e.Label, err = w.number(ctx, owner)
	return append(facts, fact{customer: self.Sealed[0], event: e}), err
}
