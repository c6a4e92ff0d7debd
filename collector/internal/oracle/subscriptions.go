package oracle

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/b2bexporter/b2b_exporter/internal/record"
)

// mrrStep is a change of a subscription's monthly recurring revenue, which holds from
// then on. A null amount is unknown.
type mrrStep struct {
	at  int64
	mrr record.Amount
}

// steps returns the changes of what a subscription brings, one an instant, up to its end,
// where it falls to 0. Without a history it is not known what it brings.
func (w *world) steps(r *record.Subscription) []mrrStep {
	said := map[int64]record.Amount{}
	for _, change := range r.History {
		if at, dated := w.calendar.resolve(change.At); dated {
			said[at] = change.MRR
			if change.MRR.Micros < 0 { // what is sold costs something, or nothing
				said[at] = record.Amount{}
			}
		}
	}
	started, hasStart := w.calendar.resolve(r.StartedAt)
	if len(r.History) == 0 && hasStart && r.State != record.SubscriptionTrialing {
		said[started] = record.Amount{}
	}
	instants := slices.Sorted(maps.Keys(said))
	if len(instants) == 0 {
		return nil
	}
	end, ends := w.endOfService(r, said, instants)
	if ends {
		instants = slices.DeleteFunc(instants, func(at int64) bool { return at >= end })
	}
	if r.State == record.SubscriptionTrialing && len(instants) > 0 {
		if !hasStart {
			started = instants[0]
		}
		takeOutTrial(said, instants, started)
	}
	var list []mrrStep
	for _, at := range instants {
		list = append(list, mrrStep{at, said[at]})
	}
	if ends && len(list) > 0 {
		list = append(list, mrrStep{end, record.Micros(0)})
	}
	return list
}

// endOfService returns the date of the end. One that has ended without a date has ended
// where its amounts fall to 0, which they may do for a pause and rise again; if they never
// do, nobody knows for how long the last of them was paid, and it is left out.
func (w *world) endOfService(r *record.Subscription, said map[int64]record.Amount, instants []int64) (end int64, ok bool) {
	if end, ok = w.calendar.resolve(r.EndedAt); ok || r.State != record.SubscriptionEnded {
		return end, ok
	}
	for i := 1; i < len(instants); i++ {
		if brings(said[instants[i-1]]) && !brings(said[instants[i]]) {
			return 0, false
		}
	}
	return instants[len(instants)-1], true
}

// takeOutTrial takes from what a trialing subscription says what is not paid. A trial is told
// by an amount of 0 from the start on. Where there is none, nothing is told of the trial, which
// then has been on since the start, and what is said of the start is the price to come.
func takeOutTrial(said map[int64]record.Amount, instants []int64, started int64) {
	told := false
	for _, at := range instants {
		told = told || at >= started && !brings(said[at])
	}
	for _, at := range instants {
		if at <= started && !told {
			said[at] = record.Micros(0)
		}
	}
}

// mrrAt returns what the subscription brings at t: what the last step before t says.
func (s subscription) mrrAt(t int64) record.Amount {
	mrr := record.Micros(0)
	for _, step := range s.steps {
		if step.at < t {
			mrr = step.mrr
		}
	}
	return mrr
}

// paidBefore reports whether the subscription has ever brought anything before t.
func (s subscription) paidBefore(t int64) bool {
	return slices.ContainsFunc(s.steps, func(step mrrStep) bool { return step.at < t && brings(step.mrr) })
}

// brings reports whether mrr is anything, be it known how much or not.
func brings(mrr record.Amount) bool { return mrr.IsNull() || mrr.Micros != 0 }

// stateAt returns the state of a subscription at t; empty where it is in none that
// counts. It is the present state save where the dates tell of another.
func (s subscription) stateAt(t int64) string {
	begun, ok := s.world.calendar.resolve(s.record.StartedAt)
	if len(s.steps) > 0 && (!ok || s.steps[0].at < begun) {
		begun, ok = s.steps[0].at, true
	}
	ended, hasEnd := s.world.calendar.resolve(s.record.EndedAt)
	if !ok || begun >= t || hasEnd && ended < t {
		return ""
	}
	paid := brings(s.mrrAt(t))
	switch s.record.State {
	case record.SubscriptionTrialing:
		if !paid {
			return record.SubscriptionTrialing
		}
	case record.SubscriptionEnded:
		switch {
		case paid:
		case hasEnd && !s.paidBefore(t):
			return record.SubscriptionTrialing
		default:
			return ""
		}
	case record.SubscriptionPastDue:
		return record.SubscriptionPastDue
	}
	return record.SubscriptionActive
}

// subscriberState returns the first of the states that a subscription of the customer is
// in at t; empty for none.
func (c *customer) subscriberState(t int64) string {
	for _, state := range subscriberStates() {
		if slices.ContainsFunc(c.subscriptions, func(s subscription) bool { return s.stateAt(t) == state }) {
			return state
		}
	}
	return ""
}

func subscriberStates() []string {
	return []string{record.SubscriptionActive, record.SubscriptionPastDue, record.SubscriptionTrialing}
}

// holding is recurring revenue in one currency: that of live subscriptions, of which
// known tell how much.
type holding struct {
	micros      int64
	live, known int
}

// holdings is recurring revenue by currency.
type holdings map[string]holding

// mrrAt returns what the customer's subscriptions bring at t.
func (c *customer) mrrAt(t int64) holdings {
	h := holdings{}
	for _, s := range c.subscriptions {
		mrr := s.mrrAt(t)
		if !brings(mrr) {
			continue
		}
		sum := h[s.record.Currency]
		sum.live++
		if mrr.Known {
			sum.known++
			sum.micros += mrr.Micros
		}
		h[s.record.Currency] = sum
	}
	return h
}

// without returns h - other; what did not change is not in it.
func (h holdings) without(other holdings) holdings {
	difference := holdings{}
	for _, currencies := range []holdings{h, other} {
		for c := range currencies {
			d := holding{h[c].micros - other[c].micros, h[c].live - other[c].live, h[c].known - other[c].known}
			if d != (holding{}) {
				difference[c] = d
			}
		}
	}
	return difference
}

// any reports whether a known amount is not 0.
func (h holdings) any() bool {
	for _, x := range h {
		if x.micros != 0 {
			return true
		}
	}
	return false
}

// direction returns the sign of what h is worth on d; ok is false where currencies go both
// ways and no rate tells which prevails.
func (w *world) direction(h holdings, d record.Day) (sign int, ok bool) {
	worth := w.worth(h, d)
	if !worth.noRate {
		return worth.sum.Sign(), true
	}
	ups, downs := false, false
	for _, x := range h {
		ups = ups || x.micros > 0
		downs = downs || x.micros < 0
	}
	switch {
	case ups && downs:
		return 0, false
	case ups:
		return 1, true
	}
	return -1, true
}

// worth converts h at the rates of a day.
func (w *world) worth(h holdings, d record.Day) *total {
	t := &total{}
	for currency, x := range h {
		t.records += x.live
		t.known += x.known
		if x.micros == 0 {
			continue
		}
		if m := w.rates.convert(x.micros, currency, d); m.number != nil {
			t.sum.Add(&t.sum, m.number)
		} else {
			t.noRate = true
		}
	}
	return t
}

// ownership is a record's word on who looks after a customer.
type ownership struct {
	owner   string
	account bool  // an account says so, not a customer record
	from    int64 // since when the record is known; always where it has no date
}

func (w *world) addOwners() {
	for _, r := range w.records {
		var self record.Ref
		o := ownership{from: always}
		switch rec := r.Record.(type) {
		case *record.Account:
			self, o.owner, o.account = rec.Self, rec.Owner, true
		case *record.Customer:
			self, o.owner = rec.Self, rec.Owner
		default:
			continue
		}
		if from, dated := w.calendar.earliest(r.Record.Dates()); dated {
			o.from = from
		}
		o.owner = strings.TrimSpace(o.owner)
		if c := w.customerOf(self); c != nil && o.owner != "" {
			c.owners = append(c.owners, o)
		}
	}
}

// ownerAt returns who looks after the customer, from what is known at t: accounts before
// customer records, older ones first, then the first by name.
func (c *customer) ownerAt(t int64) string {
	best := ownership{owner: "unassigned"}
	found := false
	for _, o := range c.owners {
		if o.from >= t {
			continue
		}
		better := cmp.Or(cmp.Compare(o.from, best.from), strings.Compare(o.owner, best.owner)) < 0
		if !found || o.account && !best.account || o.account == best.account && better {
			best, found = o, true
		}
	}
	return best.owner
}
