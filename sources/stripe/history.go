package stripe

import (
	"errors"
	"math/big"
	"slices"
	"time"

	"github.com/b2bexporter/b2b_exporter/internal/record"
)

// errDiscount says that a discount is known by its ID only.
var errDiscount = errors.New("discounts: the coupon of a discount is not told")

// step is a change of monthly recurring revenue, in 10^-6 of the currency's unit; null where it
// is not known.
type step struct {
	At  int64  `json:"t"`
	MRR *int64 `json:"m"`
}

// past is what was learned of a subscription's history and Stripe does not keep: its steps
// before Cut. From then on the subscription's present terms tell.
type past struct {
	Cut   int64  `json:"cut"`
	Steps []step `json:"steps,omitempty"`
	// Suspended says that Cut began a state without revenue that the vendor does not date.
	Suspended bool `json:"suspended,omitempty"`
}

// segment is a time for which a schedule plans terms.
type segment struct {
	from     int64
	trialEnd int64
	terms    terms
}

// timeline is what one version of a subscription says of all times.
type timeline struct {
	sub     *subscription
	catalog *catalog
	terms   terms // at present
	// begun are the phases of schedules that have begun, planned those that have not.
	begun, planned []segment
	// end is when the service has ended or will; 0 where that is not told.
	end int64
	// since is when a state began that the vendor does not date.
	since int64
	// lapsed says that the subscription ended while it was in such a state.
	lapsed bool
	counts func(behaviour string) bool
}

// undated reports whether the subscription is in a state without revenue whose beginning the
// vendor does not tell.
func (l *timeline) undated() bool {
	s := l.sub
	return l.lapsed || s.Status == "unpaid" || s.Status == "paused" || s.PauseCollection != nil && !l.counts(s.PauseCollection.Behavior)
}

// periodStart is when the running period began: the best guess of when an undated state did.
func (l *timeline) periodStart() int64 {
	start := int64(0)
	for _, it := range l.sub.Items.Data {
		if it.CurrentPeriodStart > 0 && (start == 0 || it.CurrentPeriodStart < start) {
			start = it.CurrentPeriodStart
		}
	}
	return max(start, l.sub.StartDate)
}

func (l *timeline) suspended(t int64) bool {
	if !l.undated() || t < l.since {
		return false
	}
	p := l.sub.PauseCollection
	return p == nil || p.ResumesAt == 0 || t < p.ResumesAt || l.sub.Status == "unpaid" || l.sub.Status == "paused"
}

func (l *timeline) trial(t int64, s segment) bool {
	if s.trialEnd > 0 && t >= s.from && t < s.trialEnd {
		return true
	}
	return t >= l.sub.TrialStart && t < l.sub.TrialEnd
}

// segmentAt returns what is agreed for a moment.
func (l *timeline) segmentAt(t int64) segment {
	for _, s := range slices.Backward(l.planned) {
		if t >= s.from {
			return s
		}
	}
	n := len(l.begun)
	if n == 0 || t >= l.begun[n-1].from {
		return segment{terms: l.terms}
	}
	i := n - 2
	for i > 0 && t < l.begun[i].from {
		i--
	}
	return l.begun[max(i, 0)]
}

// value returns the monthly recurring revenue at a moment; nil where it is not known.
func (l *timeline) value(t int64) (*big.Rat, error) {
	s := l.segmentAt(t)
	switch {
	case l.end > 0 && t >= l.end, l.sub.Status == "incomplete", l.trial(t, s), l.suspended(t):
		return new(big.Rat), nil
	}
	return l.catalog.mrr(s.terms, l.sub.Currency, t)
}

// moments returns when the revenue may change, in order; the first is the start.
func (l *timeline) moments() []int64 {
	s := l.sub
	list := []int64{s.StartDate, s.TrialStart, s.TrialEnd, l.end}
	if l.undated() {
		list = append(list, l.since)
		if s.PauseCollection != nil {
			list = append(list, s.PauseCollection.ResumesAt)
		}
	}
	for _, seg := range slices.Concat(l.begun, l.planned, []segment{{terms: l.terms}}) {
		list = append(list, seg.from, seg.trialEnd)
		for _, d := range seg.terms.discounts {
			list = append(list, d.Start, d.End)
		}
		for _, it := range seg.terms.items {
			for _, d := range it.Discounts {
				if d.Object != nil {
					list = append(list, d.Object.Start, d.Object.End)
				}
			}
		}
	}
	slices.Sort(list)
	list = slices.Compact(list)
	return slices.DeleteFunc(list, func(t int64) bool { return t < s.StartDate || l.end > 0 && t > max(l.end, s.StartDate) })
}

// steps returns the history that this version of the subscription and what was learned make
// together, and how many amounts were rounded.
func (l *timeline) steps(known past) (list []step, rounded int, err error) {
	moments := l.moments()
	if known.Cut > 0 {
		list = slices.Clone(known.Steps)
		moments = slices.DeleteFunc(moments, func(t int64) bool { return t < known.Cut })
		moments = slices.Compact(slices.Insert(moments, 0, known.Cut))
	}
	for _, t := range moments {
		v, err := l.value(t)
		if err != nil {
			return nil, 0, err
		}
		next, inexact := step{At: t}, false
		if v != nil {
			a, cut, err := micros(v, l.sub.Currency)
			if err != nil {
				return nil, 0, err
			}
			next.MRR, inexact = &a.Micros, cut
		}
		if n := len(list); n > 0 && same(list[n-1].MRR, next.MRR) {
			continue
		}
		list = append(list, next)
		if inexact {
			rounded++
		}
	}
	return list, rounded, nil
}

func same(a, b *int64) bool { return a == nil && b == nil || a != nil && b != nil && *a == *b }

// changes makes a record's history of steps.
func changes(steps []step) []record.MRRChange {
	list := make([]record.MRRChange, len(steps))
	for i, s := range steps {
		list[i].At = record.At(time.Unix(s.At, 0))
		if s.MRR != nil {
			list[i].MRR = record.Micros(*s.MRR)
		}
	}
	return list
}
