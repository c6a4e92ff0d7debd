// Package collector turns the ledger's figures at a moment into samples: one file
// per collector. It knows no vendor, no HTTP and no clock.
package collector

import (
	"fmt"
	"maps"
	"math/big"
	"runtime/debug"
	"slices"
	"time"

	"github.com/b2bexporter/b2b_exporter/internal/ledger/rollup"
	"github.com/b2bexporter/b2b_exporter/internal/record"
	"github.com/b2bexporter/b2b_exporter/internal/window"
)

// Collector computes the samples of its metrics.
type Collector interface {
	Name() string
	// Subject says in a few words what it is about.
	Subject() string
	// Collect adds the collector's samples and headlines.
	Collect(in *Input, out *Output)
}

// Collectors returns all collectors, in the order of the reference. Goals and exporter come
// last: they tell of what the others have put out.
func Collectors() []Collector {
	return []Collector{orders{}, recurring{}, customers{}, acquisition{}, funnel{}, web{}, ads{}, goals{}, exporter{}}
}

// Source is a configured source.
type Source struct {
	Name    string
	Streams []Stream
}

// Stream is a part of a source that is read by itself, and how it stands.
type Stream struct {
	Name  string
	Kinds []record.Kind
	// Unread: it has never been read to its end.
	Unread bool
	// Stale: its last success is older than the configured staleness.
	Stale bool
	// Truncated: the vendor cut its last answer short.
	Truncated bool
}

// Options are the settings that samples depend on.
type Options struct {
	Currency string
	Basis    string // what counts as an order of a customer: orders, deals, both
	// ChurnRemaining divides churn by those that remained instead of those at the start.
	ChurnRemaining bool
	// LifetimeMinimum is how many active customers the predicted lifetime value takes.
	LifetimeMinimum int
	LabelMax        int // values a bounded label keeps
	// Marketing are the channels of marketing.
	Marketing  []string
	FunnelSite string // whose visitors turn into customers; the only site where empty
	Thresholds []Threshold
}

// Threshold is a configured alert threshold of a headline KPI.
type Threshold struct {
	KPI, Window, Severity string
	Value                 record.Decimal
}

// Input is what samples are computed from.
type Input struct {
	View    *rollup.View
	Sources []Source
	Ledger  LedgerInfo
	// Past: as_of lies in the past, where nothing is known of what was scheduled then.
	Past bool
	Options
}

// WithStreams marks the streams of sources with how the view's ledger says they stand. At
// now, streams whose last success is more than staleness ago are stale; with a
// zero now nothing is.
func WithStreams(view *rollup.View, sources []Source, now time.Time, staleness time.Duration) []Source {
	type name struct{ source, stream string }
	success := map[name]time.Time{}
	unread, truncated := map[name]bool{}, map[name]bool{}
	for _, s := range view.Streams {
		n := name{s.Source, s.Name}
		success[n], unread[n], truncated[n] = s.LastSuccess, !s.Complete, s.Truncated
	}
	marked := make([]Source, len(sources))
	for i, src := range sources {
		marked[i] = Source{Name: src.Name, Streams: slices.Clone(src.Streams)}
		for k := range marked[i].Streams {
			st := &marked[i].Streams[k]
			n := name{src.Name, st.Name}
			_, known := success[n]
			st.Unread = !known || unread[n]
			st.Truncated = truncated[n]
			st.Stale = !st.Unread && !now.IsZero() && now.Sub(success[n]) > staleness
		}
	}
	return marked
}

// delivers reports whether a source delivers a kind of record.
func (s *Source) delivers(kind record.Kind) bool {
	return slices.ContainsFunc(s.Streams, func(st Stream) bool { return slices.Contains(st.Kinds, kind) })
}

// gate returns why what depends on these kinds of record of a source cannot be
// trusted; empty where it can.
func (s *Source) gate(kinds ...record.Kind) Reason {
	var worst Value
	worst = number(0)
	for _, st := range s.Streams {
		if !slices.ContainsFunc(st.Kinds, func(k record.Kind) bool { return slices.Contains(kinds, k) }) {
			continue
		}
		if st.Stale {
			worst = worst.unless(Stale)
		}
		if st.Truncated {
			worst = worst.unless(Truncated)
		}
		if st.Unread {
			worst = worst.unless(Immature)
		}
	}
	return worst.Reason
}

// delivering returns the sources that deliver a kind of record.
func (in *Input) delivering(kind record.Kind) []Source {
	var list []Source
	for _, s := range in.Sources {
		if s.delivers(kind) {
			list = append(list, s)
		}
	}
	return list
}

// sourcesOf returns the names of the sources that deliver any of kinds.
func (in *Input) sourcesOf(kinds ...record.Kind) []string {
	var names []string
	for _, s := range in.Sources {
		if slices.ContainsFunc(kinds, s.delivers) {
			names = append(names, s.Name)
		}
	}
	return names
}

// gateAll returns why what joins the sources that deliver any of kinds cannot be trusted.
func (in *Input) gateAll(kinds ...record.Kind) Reason {
	worst := number(0)
	for i := range in.Sources {
		worst = worst.unless(in.Sources[i].gate(kinds...))
	}
	return worst.Reason
}

// gateOf returns why what these sources deliver of a kind cannot be trusted.
func (in *Input) gateOf(sources []string, kind record.Kind) Reason {
	worst := number(0)
	for i := range in.Sources {
		if slices.Contains(sources, in.Sources[i].Name) {
			worst = worst.unless(in.Sources[i].gate(kind))
		}
	}
	return worst.Reason
}

// trusted returns the names, in order, all of whose sources can be trusted with a kind.
func (in *Input) trusted(held map[string][]string, kind record.Kind) []string {
	var names []string
	for _, name := range slices.Sorted(maps.Keys(held)) {
		if in.gateOf(held[name], kind) == "" {
			names = append(names, name)
		}
	}
	return names
}

// current returns the windows that samples are for.
func (in *Input) current() []*rollup.WindowView {
	var list []*rollup.WindowView
	for i := range in.View.Windows {
		if in.View.Windows[i].Role == rollup.Current {
			list = append(list, &in.View.Windows[i])
		}
	}
	return list
}

// window returns a window in a role; every configured one has all of them.
func (in *Input) window(name window.Name, role rollup.Role) *rollup.WindowView {
	i := slices.IndexFunc(in.View.Windows, func(w rollup.WindowView) bool { return w.Name == name && w.Role == role })
	return &in.View.Windows[i]
}

// Sample is one value of a metric.
type Sample struct {
	Metric string
	Labels []string // the values of the metric's AllLabels
	Value  *big.Rat
}

// Output collects samples and headlines.
type Output struct {
	Samples   []Sample
	Headlines []Headline
	// Dropped counts, by metric, the label values that the bound folded into "other" in the
	// window in which it folded most.
	Dropped map[string]int
	// Failures are the errors of collectors that put out nothing.
	Failures []error

	currency string
	money    map[string]bool
}

// Headline is a KPI's total: by window, or (HasWindow false) at moments.
type Headline struct {
	KPI       string
	HasWindow bool
	Windows   map[window.Name]Compared
	// At is the value of a KPI without a window; Windows hold what it is compared with: its
	// own value 30, 90 and 365 days before, and a year before.
	At Compared
	// Sources are those that it depends on.
	Sources []string
}

// Compared is a value and what it is compared with, by versus.
type Compared struct {
	Value Value
	// Complete is what Base is compared with: Value, but over complete days only for a running
	// window of a KPI that is known by day.
	Complete Value
	Base     map[string]Value
}

// Change returns how the value compares: value / base - 1, undefined where the base is
// not above 0.
func (c Compared) Change(versus string) Value {
	base := c.Base[versus]
	if base.Defined() && base.Number.Sign() <= 0 {
		return undefined(ZeroDenominator)
	}
	return c.Complete.over(base).minus(number(1))
}

// The comparisons, the label versus.
const (
	Previous = "previous"
	YearAgo  = "year_ago"
)

// NewOutput returns an empty output.
func NewOutput(o Options) *Output {
	out := &Output{Dropped: map[string]int{}, currency: o.Currency, money: map[string]bool{}}
	for _, m := range Metrics() {
		out.money[m.Name] = m.Money
	}
	return out
}

// Run runs collectors. One that panics puts out nothing, and does not keep the others
// from it. Now is asked for how long each takes.
func Run(in *Input, collectors []Collector, now func() time.Time) *Output {
	out := NewOutput(in.Options)
	var list []timed
	for _, c := range collectors {
		began := now()
		err := out.collect(in, c)
		if err != nil {
			out.Failures = append(out.Failures, err)
		}
		list = append(list, timed{c.Name(), now().Sub(began), err == nil})
	}
	if slices.ContainsFunc(collectors, func(c Collector) bool { return c == exporter{} }) {
		out.addTimed(list)
	}
	return out
}

func (out *Output) collect(in *Input, c Collector) (err error) {
	samples, headlines := len(out.Samples), len(out.Headlines)
	defer func() {
		if r := recover(); r != nil {
			out.Samples, out.Headlines = out.Samples[:samples], out.Headlines[:headlines]
			err = fmt.Errorf("collector %s: panic: %v\n%s", c.Name(), r, debug.Stack())
		}
	}()
	c.Collect(in, out)
	return nil
}

// Currency returns the currency of the samples that are money.
func (out *Output) Currency() string { return out.currency }

// add adds a sample where there is a value.
func (out *Output) add(metric string, v Value, labels ...string) {
	if !v.Defined() {
		return
	}
	labels = slices.Clone(labels)
	if out.money[metric] {
		labels = append(labels, out.currency)
	}
	out.Samples = append(out.Samples, Sample{Metric: metric, Labels: labels, Value: v.Number})
}
