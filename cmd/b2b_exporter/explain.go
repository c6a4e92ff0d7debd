package main

import (
	"context"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"time"

	"github.com/agnivade/levenshtein"
	"github.com/alecthomas/kingpin/v2"

	"github.com/b2bexporter/b2b_exporter/collector"
	"github.com/b2bexporter/b2b_exporter/internal/ledger"
	"github.com/b2bexporter/b2b_exporter/internal/ledger/rollup"
	"github.com/b2bexporter/b2b_exporter/internal/record"
	"github.com/b2bexporter/b2b_exporter/internal/window"
	"github.com/b2bexporter/b2b_exporter/sources/all"
)

// breakdownLength is how many series of a KPI are shown; the rest is summed up.
const breakdownLength = 10

func (c *command) explainCommand(k *kingpin.Application) (string, func(context.Context) error) {
	cmd := k.Command("explain", "Show how a headline KPI comes about: its formula and parts, what it is compared with, and its sources and how fresh they are.")
	kpi := cmd.Arg("kpi", "Name of the KPI, such as b2b_customer_churn_ratio.").Required().HintOptions(headlineNames()...).String()
	name := cmd.Flag("window", "Window of the KPI. Default: 30d.").PlaceHolder("WINDOW").String()
	asOf := cmd.Flag("as-of", "Moment to compute it for: RFC 3339, or a date or local time in the report zone. Default: now.").PlaceHolder("TIME").String()
	output := cmd.Flag("output", "Format: text or json.").Default("text").Enum("text", "json")
	return cmd.FullCommand(), func(ctx context.Context) error { return c.explain(ctx, *kpi, *name, *asOf, *output) }
}

// explain prints how a KPI's value at a moment comes about.
func (c *command) explain(ctx context.Context, kpi, name, asOf, output string) (err error) {
	m, err := headlineOf(kpi)
	if err != nil {
		return usageError{err}
	}
	cfg, err := c.loadConfig()
	if err != nil {
		return err
	}
	w, err := windowOf(m, name, cfg.Windows)
	if err != nil {
		return usageError{fmt.Errorf("--window: %w", err)}
	}
	a, err := newApp(cfg, all.Deps{Metrics: all.NewMetrics(), Logger: c.log})
	if err != nil {
		return err
	}
	x := &explainer{app: a, metric: m, window: w, at: c.now(), now: c.now()}
	if x.past = asOf != ""; x.past {
		if x.at, err = parseMoment(asOf, cfg.Timezone); err != nil {
			return usageError{fmt.Errorf("--as-of: %w", err)}
		}
	}
	l, err := c.openToRead(ctx, a)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, l.Close()) }()
	if !x.past {
		if err := checkClock(ctx, l, x.now); err != nil {
			return err
		}
	}
	if err := x.read(ctx, l); err != nil {
		return err
	}
	e, err := x.explain()
	if err != nil {
		return err
	}
	if output == "json" {
		return e.printJSON(c.stdout)
	}
	return e.printText(c.stdout)
}

// headlineNames returns the names of the KPIs that can be explained.
func headlineNames() []string {
	var names []string
	for _, m := range collector.Headlines() {
		names = append(names, m.Name)
	}
	return names
}

// headlineOf returns the headline KPI with a name. The error says which could be meant.
func headlineOf(name string) (collector.Metric, error) {
	m, known := collector.Find(name)
	if known && m.Headline {
		return m, nil
	}
	problem := fmt.Sprintf("there is no KPI %q", name)
	if known {
		problem = name + " is a metric, but no headline KPI"
	}
	names := headlineNames()
	// Those that are spelled nearly so, or whose name holds what was given.
	near := slices.DeleteFunc(slices.Clone(names), func(n string) bool {
		least := max(2, len(name)/5)
		return levenshtein.ComputeDistance(name, n) > least && levenshtein.ComputeDistance("b2b_"+name, n) > least &&
			(len(name) < 3 || !strings.Contains(n, name))
	})
	if len(near) > 0 {
		return m, fmt.Errorf("%s; did you mean %s?", problem, strings.Join(near, " or "))
	}
	return m, fmt.Errorf("%s; use one of: %s", problem, strings.Join(names, ", "))
}

// windowOf returns the window that a KPI is explained for: the one asked for, else the
// default; none where the KPI has none.
func windowOf(m collector.Metric, asked string, configured []window.Name) (window.Name, error) {
	if !m.HasWindow() {
		if asked != "" {
			return "", fmt.Errorf("%s has no window: it is a value at a moment; leave the flag out, and give --as-of for another moment", m.Name)
		}
		return "", nil
	}
	if asked != "" {
		if _, err := window.ParseName(asked); err != nil {
			return "", err
		}
	}
	w, ok := choose(asked, configured)
	if !ok {
		return "", fmt.Errorf("%s is not among the configured windows %v: use one of them, or add it to the key windows", asked, configured)
	}
	return w, nil
}

// explainer puts together what there is to tell about a KPI.
type explainer struct {
	app     *app
	metric  collector.Metric
	window  window.Name // empty where the KPI has none
	at, now time.Time
	past    bool // at was asked for: staleness is not looked at

	calendar *window.Calendar
	view     *rollup.View
	out      *collector.Output
	headline collector.Headline
}

// read takes the figures at the moment from the ledger.
func (x *explainer) read(ctx context.Context, l *ledger.Ledger) (err error) {
	x.calendar = l.Calendar()
	x.view, err = x.app.engine(l).View(ctx, x.at.UnixMicro())
	return err
}

// stalenessAt is the moment at which sources can be stale, zero where they cannot.
func (x *explainer) stalenessAt() time.Time {
	if x.past {
		return time.Time{}
	}
	return x.now
}

// explain computes the KPI by its own collector and explains it.
func (x *explainer) explain() (*explanation, error) {
	own := slices.DeleteFunc(collector.Collectors(), func(col collector.Collector) bool { return col.Name() != x.metric.Collector })
	x.out = x.app.compute(x.view, x.stalenessAt(), own, collector.LedgerInfo{})
	if err := errors.Join(x.out.Failures...); err != nil {
		return nil, err
	}
	i := slices.IndexFunc(x.out.Headlines, func(h collector.Headline) bool { return h.KPI == x.metric.Name })
	if i < 0 {
		return nil, fmt.Errorf("explain %s: its collector does not compute it", x.metric.Name)
	}
	x.headline = x.out.Headlines[i]
	m, cfg := x.metric, x.app.config
	c := x.headline.At
	if m.HasWindow() {
		c = x.headline.Windows[x.window]
	}
	e := &explanation{
		KPI: m.Name, Title: title(m.Name), Help: m.Help, Formula: m.Formula, Unit: m.Unit, AsOf: x.at.In(cfg.Timezone), Timezone: cfg.Timezone.String(),
		figure: figureOf(c.Value), Inputs: x.inputs(), metric: m, past: x.past, now: x.now, code: cfg.Currency,
	}
	if m.Unit == "" {
		e.Unit = "number"
	}
	if m.Money {
		e.Currency = cfg.Currency
	}
	if m.HasWindow() {
		e.Window = x.span(x.window, rollup.Current)
		if days := x.role(rollup.Current); days != rollup.Current {
			e.Complete = &complete{Span: x.span(x.window, days), figure: figureOf(c.Complete)}
		}
	}
	e.Numerator, e.Denominator = partsOf(m.Ratio, c.Value)
	e.Breakdown, e.Rest = x.breakdown()
	e.Comparisons = x.comparisons(c)
	for _, t := range x.app.thresholds() {
		if t.KPI == m.Name && t.Window == string(x.window) {
			e.Thresholds = append(e.Thresholds, limitOf(m, t, c.Value))
		}
	}
	slices.SortFunc(e.Thresholds, func(a, b limit) int { return -strings.Compare(a.Severity, b.Severity) })
	for _, key := range m.Settings {
		e.Settings = append(e.Settings, setting{key, settingOf(cfg, key)})
	}
	if !c.Value.Defined() {
		e.Advice = x.advice(c.Value.Reason)
	}
	return e, nil
}

// partsOf returns what a ratio was made of, nil where that is not known.
func partsOf(r *collector.Ratio, v collector.Value) (numerator, denominator *part) {
	n, d, ok := v.Parts()
	if r == nil || !ok {
		return nil, nil
	}
	return partOf(r.Numerator, n), partOf(r.Denominator, d)
}

func partOf(named collector.Part, v collector.Value) *part {
	p := &part{Name: named.Name, Unit: named.Unit, figure: figureOf(v)}
	if p.Unit == "" {
		p.Unit = "number"
	}
	p.Numerator, p.Denominator = partsOf(named.Ratio, v)
	return p
}

// span returns a window in a role.
func (x *explainer) span(name window.Name, role rollup.Role) *span {
	i := slices.IndexFunc(x.view.Windows, func(w rollup.WindowView) bool { return w.Name == name && w.Role == role })
	r := x.view.Windows[i].Range
	s := &span{Name: string(name), Start: x.moment(r.Start), End: x.moment(r.End)}
	first, end := x.calendar.Day(r.Start), x.calendar.Day(r.End)
	if r.End > r.Start && x.calendar.Start(end) == r.End {
		s.FirstDay, s.LastDay, s.Days = first.String(), (end - 1).String(), int(end-first)
	}
	return s
}

func (x *explainer) moment(us int64) time.Time { return time.UnixMicro(us).In(x.app.config.Timezone) }

// breakdown returns the series of the KPI in the window, largest first, and what is left
// beyond those that are shown. Series that add nothing to the total are left out.
func (x *explainer) breakdown() ([]series, *rest) {
	labels := x.metric.AllLabels()
	var list []series
	for _, s := range x.out.Samples {
		if s.Metric != x.metric.Name {
			continue
		}
		row := series{Labels: map[string]string{}, Value: number{s.Value}}
		for i, name := range labels {
			if name != "currency" {
				row.Labels[name] = s.Labels[i]
			}
		}
		if row.Labels["window"] == string(x.window) {
			delete(row.Labels, "window")
			list = append(list, row)
		}
	}
	if len(shownLabels(x.metric)) == 0 {
		return nil, nil
	}
	if additive(x.metric) {
		list = slices.DeleteFunc(list, func(s series) bool { return s.Value.Sign() == 0 })
	}
	slices.SortStableFunc(list, func(a, b series) int { return b.Value.Cmp(a.Value.Rat) })
	if len(list) <= breakdownLength+1 {
		return list, nil
	}
	left := &rest{Series: len(list) - breakdownLength}
	if additive(x.metric) {
		left.Value.Rat = new(big.Rat)
		for _, s := range list[breakdownLength:] {
			left.Value.Add(left.Value.Rat, s.Value.Rat)
		}
	}
	return list[:breakdownLength], left
}

// additive reports whether a KPI's total is the sum of its series.
func additive(m collector.Metric) bool { return m.Ratio == nil && m.Unit != "seconds" }

// shownLabels returns the labels that tell the series of a KPI in a window apart.
func shownLabels(m collector.Metric) []string {
	return slices.DeleteFunc(slices.Clone(m.Labels), func(l string) bool { return l == "window" })
}

// comparisons returns what a value is compared with. That of a KPI without a window is
// compared with its own at earlier moments.
func (x *explainer) comparisons(c collector.Compared) []comparison {
	if !x.metric.HasWindow() {
		var list []comparison
		for name, moment := range map[window.Name]int{window.Days30: rollup.Back30, window.Days90: rollup.Back90, window.Days365: rollup.Back365} {
			at := x.moment(x.view.Moments[moment].At)
			list = append(list, comparisonOf(collector.Previous, &span{Name: string(name), Start: at, End: at}, x.headline.Windows[name]))
		}
		slices.SortFunc(list, func(a, b comparison) int { return b.Span.Start.Compare(a.Span.Start) })
		at := x.moment(x.view.Moments[rollup.BackYear].At)
		return append(list, comparisonOf(collector.YearAgo, &span{Start: at, End: at}, x.headline.Windows[window.Days365]))
	}
	return []comparison{
		comparisonOf(collector.Previous, x.span(x.window, x.role(rollup.Previous)), c),
		comparisonOf(collector.YearAgo, x.span(x.window, x.role(rollup.YearAgo)), c),
	}
}

// role returns the role in which the window takes part in comparisons.
func (x *explainer) role(r rollup.Role) rollup.Role {
	if x.metric.ByDay && x.window.Days() == 0 {
		return r + rollup.CurrentDays
	}
	return r
}

func comparisonOf(versus string, s *span, c collector.Compared) comparison {
	change := c.Change(versus)
	return comparison{Versus: versus, Span: s, figure: figureOf(c.Base[versus]), Change: number{change.Number}, ChangeReason: change.Reason}
}

func limitOf(m collector.Metric, t collector.Threshold, v collector.Value) limit {
	side := "below"
	if m.Worse > 0 {
		side = "above"
	}
	l := limit{Severity: t.Severity, Side: side, Value: number{t.Value.Rat()}}
	if v.Defined() {
		crossed := v.Number.Cmp(l.Value.Rat)*m.Worse > 0
		l.Crossed = &crossed
	}
	return l
}

// inputs returns the streams that a KPI is computed from, and how they stand. Those of
// exchange rates are among them where there is money.
func (x *explainer) inputs() []input {
	kinds := x.metric.Inputs(string(x.app.config.Customers.Basis))
	states := map[[2]string]ledger.Stream{}
	for _, s := range x.view.Streams {
		states[[2]string{s.Source, s.Name}] = s
	}
	var list []input
	for i, src := range collector.WithStreams(x.view, x.app.sources(), x.stalenessAt(), x.app.config.Staleness) {
		for _, st := range src.Streams {
			used := slices.ContainsFunc(st.Kinds, func(k record.Kind) bool {
				return slices.Contains(kinds, k) && slices.Contains(x.headline.Sources, src.Name) || k == record.KindRate && ofMoney(x.metric)
			})
			if !used {
				continue
			}
			state := states[[2]string{src.Name, st.Name}]
			in := input{
				Source: src.Name, Type: x.app.jobs[i].source.Type(), Stream: st.Name, Kinds: st.Kinds,
				LastSuccess: zoned(state.LastSuccess, x.app.config.Timezone), DataTime: zoned(state.DataTime, x.app.config.Timezone),
				Unread: st.Unread, Stale: st.Stale, Truncated: st.Truncated, Error: short(state.Error),
			}
			if in.LastSuccess != nil {
				age := x.now.Sub(*in.LastSuccess).Seconds()
				in.Age = &age
			}
			list = append(list, in)
		}
	}
	return list
}

// zoned returns a moment in a zone, nil where there is none.
func zoned(t time.Time, zone *time.Location) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.In(zone)
	return &t
}

// ofMoney reports whether a KPI or a part of it is an amount of money.
func ofMoney(m collector.Metric) bool {
	return m.Money || m.Ratio != nil && (m.Ratio.Numerator.Unit == "currency" || m.Ratio.Denominator.Unit == "currency")
}
