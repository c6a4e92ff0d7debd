package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/alecthomas/kingpin/v2"
	"github.com/prometheus/common/expfmt"

	"github.com/b2bexporter/b2b_exporter/collector"
	"github.com/b2bexporter/b2b_exporter/internal/ledger"
	"github.com/b2bexporter/b2b_exporter/internal/window"
	"github.com/b2bexporter/b2b_exporter/sources/all"
)

func (c *command) kpisCommand(k *kingpin.Application) (string, func(context.Context) error) {
	cmd := k.Command("kpis", "Compute the KPIs from the ledger and print them.")
	asOf := cmd.Flag("as-of", "Moment to compute them for: RFC 3339, or a date or local time in the report zone. Default: now.").PlaceHolder("TIME").String()
	output := cmd.Flag("output", "Format: prometheus, json or table.").Default("table").Enum("prometheus", "json", "table")
	match := cmd.Flag("match", "Only metrics whose whole name matches this regular expression.").PlaceHolder("NAME").Default(".*").String()
	sync := cmd.Flag("sync", "Poll every source first, as sync does.").Bool()
	return cmd.FullCommand(), func(ctx context.Context) error { return c.kpis(ctx, *asOf, *output, *match, *sync) }
}

// kpis prints all samples at a moment.
func (c *command) kpis(ctx context.Context, asOf, output, match string, sync bool) (err error) {
	names, err := regexp.Compile("^(?:" + match + ")$")
	if err != nil {
		return usageError{fmt.Errorf("--match: %w", err)}
	}
	cfg, err := c.loadConfig()
	if err != nil {
		return err
	}
	a, err := newApp(cfg, all.Deps{Metrics: all.NewMetrics(), Logger: c.log})
	if err != nil {
		return err
	}
	var at, now time.Time
	if asOf != "" {
		if at, err = parseMoment(asOf, cfg.Timezone); err != nil {
			return usageError{fmt.Errorf("--as-of: %w", err)}
		}
	}
	open := c.openToRead
	if sync {
		open = c.openToWrite
	}
	l, err := open(ctx, a)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, l.Close()) }()
	if sync {
		// What the other sources delivered is printed also where one failed.
		failure := c.poll(ctx, a, l, c.stderr)
		if failure != nil && !errors.Is(failure, errFailed) {
			return failure
		}
		defer func() {
			if err == nil {
				err = failure
			}
		}()
	}
	if asOf == "" {
		at, now = c.now(), c.now()
		if err := checkClock(ctx, l, now); err != nil {
			return err
		}
	}
	view, err := a.engine(l).View(ctx, at.UnixMicro())
	if err != nil {
		return err
	}
	// What the exporter says about itself says nothing about a command.
	kpis := slices.DeleteFunc(c.enabled(), func(col collector.Collector) bool { return col.Name() == "exporter" })
	out := a.compute(view, now, kpis, collector.LedgerInfo{})
	out.Samples = slices.DeleteFunc(out.Samples, func(s collector.Sample) bool { return !names.MatchString(s.Metric) })
	snapshot, err := collector.NewSnapshot(out)
	if err != nil {
		return err
	}
	switch output {
	case "prometheus":
		return printPrometheus(c.stdout, snapshot)
	case "json":
		return printJSON(c.stdout, out)
	}
	return printTable(c.stdout, out)
}

// openToRead opens the ledger beside a process that may be writing to it. Only where
// its derived state must be rebuilt first does it take the lock.
func (c *command) openToRead(ctx context.Context, a *app) (*ledger.Ledger, error) {
	l, err := a.openLedger(ctx, true, nil)
	if !errors.Is(err, ledger.ErrStale) {
		return l, err
	}
	return c.openToWrite(ctx, a)
}

// checkClock refuses a clock that shows an earlier time than when the ledger was last
// read into: everything since would be left out, and look like a fall.
func checkClock(ctx context.Context, l *ledger.Ledger, now time.Time) (err error) {
	snap, err := l.Snapshot(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, snap.Close()) }()
	last, err := snap.Clock(ctx)
	if err != nil {
		return err
	}
	if now.Before(last.Add(-time.Minute)) {
		return fmt.Errorf("the clock shows %s, but sources were read into the ledger at %s: set the clock right; where it was wrong then, run \"sync --reset-clock\"",
			now.UTC().Format(time.RFC3339), last.UTC().Format(time.RFC3339))
	}
	return nil
}

// parseMoment reads a moment with a zone, or a date or wall clock in zone.
func parseMoment(text string, zone *time.Location) (time.Time, error) {
	if t, err := time.Parse(time.RFC3339Nano, text); err == nil {
		return t, nil
	}
	for _, layout := range []string{time.DateOnly, "2006-01-02T15:04", "2006-01-02T15:04:05", "2006-01-02 15:04", time.DateTime} {
		t, err := time.Parse(layout, text)
		if err != nil {
			continue
		}
		y, m, d := t.Date()
		return time.UnixMicro(window.Local(zone, y, m, d, t.Hour(), t.Minute(), t.Second(), 0)), nil
	}
	return time.Time{}, fmt.Errorf("%q is no time; write 2026-01-31T12:00:00Z, 2026-01-31T12:00 or 2026-01-31", text)
}

func printPrometheus(w io.Writer, snapshot *collector.Snapshot) error {
	families, err := snapshot.Gather()
	if err != nil {
		return err
	}
	for _, f := range families {
		if _, err := expfmt.MetricFamilyToText(w, f); err != nil {
			return fmt.Errorf("print: %w", err)
		}
	}
	return nil
}

// sample is a sample as JSON. Value is a decimal with all digits that a float64 holds.
type sample struct {
	Metric string            `json:"metric"`
	Labels map[string]string `json:"labels"`
	Value  json.Number       `json:"value"`
}

func printJSON(w io.Writer, out *collector.Output) error {
	labels := labelNames()
	samples := []sample{}
	for _, s := range sorted(out.Samples) {
		j := sample{Metric: s.Metric, Labels: map[string]string{}}
		for i, name := range labels[s.Metric] {
			j.Labels[name] = s.Labels[i]
		}
		value, _ := s.Value.Float64()
		j.Value = json.Number(strconv.FormatFloat(value, 'g', -1, 64))
		samples = append(samples, j)
	}
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	return encoder.Encode(samples)
}

// printTable prints samples for people: money with two digits, ratios with four.
func printTable(w io.Writer, out *collector.Output) error {
	labels := labelNames()
	units := map[string]string{}
	for _, m := range collector.Metrics() {
		units[m.Name] = m.Unit
	}
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "METRIC\tLABELS\tVALUE")
	for _, s := range sorted(out.Samples) {
		var text strings.Builder
		for i, name := range labels[s.Metric] {
			if name != "currency" && s.Labels[i] != "" {
				text.WriteString(name + "=" + s.Labels[i] + " ")
			}
		}
		value := s.Value.FloatString(0)
		switch {
		case units[s.Metric] == "currency":
			value = s.Value.FloatString(2) + " " + s.Labels[len(s.Labels)-1]
		case units[s.Metric] == "ratio" || !s.Value.IsInt():
			value = s.Value.FloatString(4)
		}
		fmt.Fprintf(table, "%s\t%s\t%s\n", s.Metric, text.String(), value)
	}
	return table.Flush()
}

func labelNames() map[string][]string {
	names := map[string][]string{}
	for _, m := range collector.Metrics() {
		names[m.Name] = m.AllLabels()
	}
	return names
}

// sorted puts samples in the order of the reference, then of their labels, windows from
// the shortest.
func sorted(samples []collector.Sample) []collector.Sample {
	place := map[string]int{}
	for i, m := range collector.Metrics() {
		place[m.Name] = i
	}
	windows := map[string]int{}
	for i, w := range window.Names() {
		windows[string(w)] = i
	}
	list := slices.Clone(samples)
	slices.SortStableFunc(list, func(a, b collector.Sample) int {
		if c := cmp.Compare(place[a.Metric], place[b.Metric]); c != 0 {
			return c
		}
		for i := range a.Labels {
			x, xIs := windows[a.Labels[i]]
			y, yIs := windows[b.Labels[i]]
			if xIs && yIs && x != y {
				return cmp.Compare(x, y)
			}
			if c := cmp.Compare(a.Labels[i], b.Labels[i]); c != 0 {
				return c
			}
		}
		return 0
	})
	return list
}
