// Package rollup turns the ledger's histories into the sums and counts that KPIs are
// made of, at a moment. It keeps them: a change costs what it touched, and the
// passing of time costs the events that a window's end has passed over.
package rollup

import (
	"cmp"
	"slices"

	"github.com/b2bexporter/b2b_exporter/internal/record"
	"github.com/b2bexporter/b2b_exporter/internal/window"
)

// Role tells which of a KPI's windows a window is.
type Role int

// The roles.
const (
	Current Role = iota
	Previous
	YearAgo
	// The same for a running window up to the last midnight: what is known by day is
	// compared over complete days.
	CurrentDays
	PreviousDays
	YearAgoDays
	roles
)

// OfDays reports whether the role is one of complete days.
func (r Role) OfDays() bool { return r >= CurrentDays }

// Window is a window at the moment of its evaluation: AsOf for the current ones, its
// own end for those that are compared with.
type Window struct {
	Name window.Name
	Role Role
	window.Range
	AsOf int64

	start, end   edge
	days, lagged int // numbers of its days, and of those whose costs its new customers are held against
	moment       int // number of the moment AsOf, negative where it is not evaluated
}

// days are calendar days, up to but not including end.
type days struct{ first, end window.Day }

// Moment is where the KPIs without a window are evaluated: as_of, and the moments
// that it is compared with.
type Moment struct {
	At     int64
	at     edge
	months [7]edge      // bounds of the six 30-day windows that end with yesterday, ascending
	d90    window.Range // the last 90 days
	d365   window.Range // the last 365 days
	day    window.Range // the calendar day that it is in
	// valueOnly: only the lifetime value is asked for.
	valueOnly bool
	// riskSince: who has not ordered since and has no subscription is not active at any time
	// of the day.
	riskSince int64
}

// edge is a moment at which activity is asked for: the numbers, among the plan's
// points, of the moment and of the moment inactive_after before it.
type edge struct{ at, since int }

// The moments of a plan.
const (
	Now = iota
	Back30
	Back90
	Back365
	BackYear

	moments
)

// cohorts is how many calendar months of first orders are followed.
const cohorts = 13

// plan is every bound that the evaluation of a customer at as_of needs.
type plan struct {
	asOf    int64
	points  []int64 // ascending, distinct
	windows []Window
	moments []Moment     // the first are Now to BackYear
	last30  int          // number of the last 30 days
	days    []days       // distinct
	months  [cohorts]int // points: the beginnings of the cohorts' months, the last is the running one
	asOfAt  int          // point of as_of
	d365    edge         // bounds of the intervals' window; edge.since is its start, edge.at its end
	// moving are the bounds that move while as_of moves within its day, in the same order
	// in every plan; ranges are the calendar days that they are in.
	moving []int64
	ranges []window.Range
	from   window.Day // the first day that any window holds
}

// Options of a rollup.
type Options struct {
	Windows       []window.Name
	Currency      string
	InactiveAfter window.Span
	LastTouch     bool // a customer's channel is that of its last touch before its first order
	// CostLag is how many days before a window the costs of its new customers lie.
	CostLag int
	// Costs: there are costs, so that lifetime values are held against them.
	Costs bool
	// Tiers are the bounds between tiers of customers by recurring revenue in the reporting
	// currency, ascending; 100 and 1000 where there are none.
	Tiers []record.Amount
}

// newPlan lists the bounds for as_of.
func newPlan(c *window.Calendar, o Options, asOf int64) *plan {
	p := &plan{asOf: asOf}
	b := builder{c: c, inactive: o.InactiveAfter, index: map[int64]int{}}
	for role := range roles {
		for _, name := range o.Windows {
			if role.OfDays() && name.Days() > 0 {
				continue
			}
			w := Window{Name: name, Role: role, Range: rangeOf(c, name, role, asOf), AsOf: asOf, moment: -1}
			if role != Current {
				w.AsOf = w.End
			}
			if name.Days() == 0 && !role.OfDays() {
				p.moving = append(p.moving, w.End, c.Back(w.End, o.InactiveAfter))
			}
			if name.Days() == 0 {
				// Which of the two holds changes at the day's first instant: having both, the plans of
				// a day ask for the same days.
				first, today := c.Day(w.Start), c.Day(w.End)
				p.withLag(days{first, today}, o.CostLag)
				p.withLag(days{first, today + 1}, o.CostLag)
			}
			w.days, w.lagged = p.withLag(daysOf(c, w.Range), o.CostLag)
			p.windows = append(p.windows, w)
		}
	}
	p.last30 = p.day(daysOf(c, c.LastDays(30, asOf, 0)))
	for i, at := range [moments]int64{
		asOf, c.Back(asOf, window.Span{Days: 30}), c.Back(asOf, window.Span{Days: 90}), c.Back(asOf, window.Span{Days: 365}), c.BackYears(asOf, 1),
	} {
		m := newMoment(c, at)
		m.riskSince = c.Back(m.day.Start, o.InactiveAfter)
		p.moments = append(p.moments, m)
		p.moving = append(p.moving, p.moments[i].At, c.Back(at, o.InactiveAfter))
	}
	if o.Costs {
		p.valueWindows(c)
	}
	for i := range p.windows {
		w := &p.windows[i]
		if !w.Role.OfDays() {
			w.start, w.end = b.edge(w.Start), b.edge(w.End)
		}
	}
	for i := range p.moments {
		m := &p.moments[i]
		m.at = b.edge(m.At)
		for k := range 6 {
			month := c.LastDays(30, m.At, 30*k)
			m.months[6-k] = b.edge(month.End)
			m.months[5-k] = b.edge(month.Start)
		}
	}
	month := window.MonthStart(c.Day(asOf))
	for i := range cohorts {
		p.months[cohorts-1-i] = b.point(c.Start(window.AddMonths(month, -i)))
	}
	d365 := c.LastDays(365, asOf, 0)
	p.d365 = edge{at: b.point(d365.End), since: b.point(d365.Start)}
	p.asOfAt = b.point(asOf)
	p.number(b)
	for _, at := range p.moving {
		day := c.Day(at)
		p.ranges = append(p.ranges, window.Range{Start: c.Start(day), End: c.Start(day + 1)})
	}
	first := asOf
	for _, w := range p.windows {
		first = min(first, w.Start)
	}
	p.from = c.Day(first)
	return p
}

// rangeOf returns a window's range in a role.
func rangeOf(c *window.Calendar, name window.Name, role Role, asOf int64) window.Range {
	r := [roles]func(window.Name, int64) window.Range{
		c.Window, c.Previous, c.YearAgo, c.Window, c.Previous, c.YearAgo,
	}[role](name, asOf)
	if role.OfDays() {
		r.End = max(r.Start, c.Start(c.Day(r.End)))
	}
	return r
}

// daysOf returns the days whose first instant lies in r.
func daysOf(c *window.Calendar, r window.Range) days {
	after := func(t int64) window.Day {
		d := c.Day(t)
		if c.Start(d) < t {
			d++
		}
		return d
	}
	first := after(r.Start)
	return days{first, max(first, after(r.End))}
}

// withLag returns the numbers of d and of the days as long before it as costs are.
func (p *plan) withLag(d days, lag int) (own, lagged int) {
	return p.day(d), p.day(days{d.first - window.Day(lag), d.end - window.Day(lag)})
}

// day returns the number of d.
func (p *plan) day(d days) int {
	i := slices.Index(p.days, d)
	if i < 0 {
		i = len(p.days)
		p.days = append(p.days, d)
	}
	return i
}

func newMoment(c *window.Calendar, at int64) Moment {
	day := c.Day(at)
	m := Moment{At: at, d90: c.LastDays(90, at, 0), d365: c.LastDays(365, at, 0)}
	m.day = window.Range{Start: c.Start(day), End: c.Start(day + 1)}
	return m
}

// valueWindows has the lifetime value evaluated at the end of every window that is part of
// a comparison of what is known by day.
func (p *plan) valueWindows(c *window.Calendar) {
	for i := range p.windows {
		w := &p.windows[i]
		if w.Role == Current || w.Name.Days() == 0 && !w.Role.OfDays() {
			continue
		}
		w.moment = slices.IndexFunc(p.moments, func(m Moment) bool { return m.valueOnly && m.At == w.AsOf })
		if w.moment < 0 {
			m := newMoment(c, w.AsOf)
			m.valueOnly = true
			w.moment = len(p.moments)
			p.moments = append(p.moments, m)
		}
	}
}

// builder gives points numbers in the order of asking; number puts them in order.
type builder struct {
	c        *window.Calendar
	inactive window.Span
	index    map[int64]int
	points   []int64
}

func (b *builder) point(at int64) int {
	i, ok := b.index[at]
	if !ok {
		i = len(b.points)
		b.index[at] = i
		b.points = append(b.points, at)
	}
	return i
}

func (b *builder) edge(at int64) edge {
	return edge{at: b.point(at), since: b.point(b.c.Back(at, b.inactive))}
}

// number sorts the points and renumbers everything that refers to them.
func (p *plan) number(b builder) {
	order := make([]int, len(b.points))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(i, j int) int { return cmp.Compare(b.points[i], b.points[j]) })
	place := make([]int, len(order))
	p.points = make([]int64, len(order))
	for to, from := range order {
		place[from] = to
		p.points[to] = b.points[from]
	}
	renumber := func(e *edge) { e.at, e.since = place[e.at], place[e.since] }
	for i := range p.windows {
		renumber(&p.windows[i].start)
		renumber(&p.windows[i].end)
	}
	for i := range p.moments {
		renumber(&p.moments[i].at)
		for k := range p.moments[i].months {
			renumber(&p.moments[i].months[k])
		}
	}
	for i := range p.months {
		p.months[i] = place[p.months[i]]
	}
	renumber(&p.d365)
	p.asOfAt = place[p.asOfAt]
}

// follows reports whether p can be reached from before by moving the moving bounds
// within their days: everything else must be the same.
func (p *plan) follows(before *plan) bool {
	if p.from != before.from || len(p.moving) != len(before.moving) || !slices.Equal(p.days, before.days) ||
		len(p.moments) != len(before.moments) {
		return false
	}
	for i, at := range p.moving {
		if r := before.ranges[i]; at < r.Start || at >= r.End {
			return false
		}
	}
	for i, w := range p.windows {
		other := before.windows[i]
		if w.Start != other.Start || (w.Name.Days() > 0 || w.Role.OfDays()) && w.End != other.End {
			return false
		}
	}
	for i := range p.moments {
		if p.moments[i].valueOnly && p.moments[i].At != before.moments[i].At {
			return false
		}
		if p.moments[i].d90 != before.moments[i].d90 || p.moments[i].d365 != before.moments[i].d365 {
			return false
		}
	}
	return p.points[p.months[cohorts-1]] == before.points[before.months[cohorts-1]]
}

// watched reports whether a moving bound can pass over t before the day is over.
func (p *plan) watched(t int64) bool {
	for _, r := range p.ranges {
		if t >= r.Start && t < r.End {
			return true
		}
	}
	return false
}
