package collector_test

import (
	"context"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/b2bexporter/b2b_exporter/collector"
	"github.com/b2bexporter/b2b_exporter/collector/internal/oracle"
	"github.com/b2bexporter/b2b_exporter/internal/ledger"
	"github.com/b2bexporter/b2b_exporter/internal/ledger/rollup"
	"github.com/b2bexporter/b2b_exporter/internal/record"
	"github.com/b2bexporter/b2b_exporter/internal/window"
)

// fataler is what tests and property checks have in common.
type fataler interface {
	Helper()
	Fatalf(format string, args ...any)
}

// world is a ledger with its engine, and the settings that the oracle shares.
type world struct {
	ledger   *ledger.Ledger
	engine   *rollup.Engine
	settings oracle.Settings
	freeMail []string
	sealer   *record.Sealer
}

func windowNames(names []string) []window.Name {
	list := make([]window.Name, len(names))
	for i, n := range names {
		list[i] = window.Name(n)
	}
	return list
}

func newWorld(t fataler, dir string, s oracle.Settings, freeMail []string) *world {
	t.Helper()
	ctx := context.Background()
	delivered := map[string][]record.Kind{}
	for _, src := range s.Sources {
		delivered[src.Name] = src.Kinds
	}
	// With a key of its own every ledger would order equally old customers differently.
	keyFile := filepath.Join(dir, "key")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatalf("make %s: %v", dir, err)
	}
	if err := os.WriteFile(keyFile, []byte("a key for tests, all the same"), 0o600); err != nil {
		t.Fatalf("write key: %v", err)
	}
	l, err := ledger.Open(ctx, ledger.Options{
		KeyFile: keyFile,
		Path:    filepath.Join(dir, "b2b.db"),
		Settings: ledger.Settings{
			Zone: s.Zone, Currency: s.Currency, Basis: ledger.Basis(s.Basis), CountPaid: s.CountPaid, Channels: s.Channels,
			Territories: s.Territories, FreeMail: freeMail, Delivered: delivered,
		},
	})
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	if err := l.Ready(ctx, nil); err != nil {
		t.Fatalf("ready: %v", err)
	}
	s.Collectors = []string{oracle.Orders, oracle.Customers, oracle.Acquisition, oracle.Funnel, oracle.Web, oracle.Ads, oracle.Recurring}
	w := &world{ledger: l, settings: s, freeMail: freeMail, sealer: l.Sealer()}
	w.engine = w.newEngine()
	w.settings.FreeMail = ledger.FreeMail(w.sealer, freeMail)
	for _, src := range s.Sources {
		for _, k := range src.Kinds {
			session, err := l.Begin(ctx, src.Name, string(k), []record.Kind{k}, false, time.Unix(0, 0))
			if err != nil {
				t.Fatalf("begin: %v", err)
			}
			if err := session.End(ctx, time.Unix(0, 0), nil, false); err != nil {
				t.Fatalf("end: %v", err)
			}
		}
	}
	return w
}

func (w *world) newEngine() *rollup.Engine {
	span := window.Span{Days: w.settings.InactiveDays}
	if span.Days == 0 {
		span.Elapsed = w.settings.InactiveFor
	}
	var order []string
	for _, s := range w.settings.Sources {
		order = append(order, s.Name)
	}
	return rollup.New(w.ledger, rollup.Options{
		Windows: windowNames(w.settings.Windows), Currency: w.settings.Currency, InactiveAfter: span, LastTouch: w.settings.LastTouch,
		CostLag: w.settings.CACLagDays, Costs: true, Tiers: w.settings.Tiers,
	}, order)
}

// commit writes records of one source.
func (w *world) commit(t fataler, source string, records ...record.Record) {
	t.Helper()
	ctx := context.Background()
	session, err := w.ledger.Begin(ctx, source, "all", record.Kinds(), false, time.Unix(0, 0))
	if err != nil {
		t.Fatalf("begin: %v", err)
	}
	if _, err := session.Commit(ctx, ledger.Batch{Records: records}); err != nil {
		t.Fatalf("commit: %v", err)
	}
	// While a stream is read for the first time, figures are not followed but made anew.
	if err := session.End(ctx, time.Unix(0, 0), nil, false); err != nil {
		t.Fatalf("end: %v", err)
	}
}

// output computes all samples at asOf.
func (w *world) output(t fataler, engine *rollup.Engine, asOf time.Time) *collector.Output {
	t.Helper()
	view, err := engine.View(context.Background(), asOf.UnixMicro())
	if err != nil {
		t.Fatalf("view: %v", err)
	}
	var list []collector.Source
	for _, s := range w.settings.Sources {
		src := collector.Source{Name: s.Name}
		for _, k := range s.Kinds {
			src.Streams = append(src.Streams, collector.Stream{Name: string(k), Kinds: []record.Kind{k}})
		}
		list = append(list, src)
	}
	return collector.Run(&collector.Input{
		View: view, Sources: collector.WithStreams(view, list, time.Time{}, 0), Past: w.settings.Past,
		Options: collector.Options{
			Currency: w.settings.Currency, Basis: w.settings.Basis, ChurnRemaining: w.settings.ChurnRemaining,
			LifetimeMinimum: w.settings.LifetimeMinimum, LabelMax: w.settings.LabelMax,
			Marketing: marketing(w.settings.MarketingChannels), FunnelSite: w.settings.FunnelSite,
		},
	}, slices.DeleteFunc(collector.Collectors(), func(c collector.Collector) bool {
		return c.Name() != "goals" && !slices.Contains(w.settings.Collectors, c.Name())
	}), asOfClock(asOf))
}

// marketing returns the channels of marketing, by default what the oracle takes.
func marketing(channels []string) []string {
	if len(channels) > 0 {
		return channels
	}
	return slices.DeleteFunc(record.Channels(), func(c string) bool {
		return slices.Contains([]string{"direct", "sales_outbound", "offline", "other", "unknown"}, c)
	})
}

// keyed returns samples by the oracle's keys, and which KPIs are undefined and why.
func keyed(out *collector.Output) (series map[string]*big.Rat, undefined map[string]string) {
	metrics := map[string]collector.Metric{}
	for _, m := range collector.Metrics() {
		metrics[m.Name] = m
	}
	series, undefined = map[string]*big.Rat{}, map[string]string{}
	for _, s := range out.Samples {
		if s.Metric == "b2b_kpi_source_info" {
			continue // the oracle knows values, not what they depend on
		}
		m := metrics[s.Metric]
		labels := map[string]string{}
		for i, name := range m.AllLabels() {
			labels[name] = s.Labels[i]
		}
		if s.Metric == "b2b_kpi_undefined" {
			undefined[labels["kpi"]+"|"+labels["window"]] = labels["reason"]
		}
		series[oracle.Key(s.Metric, labels)] = s.Value
	}
	return series, undefined
}

// tolerance is what sums over converted amounts may differ by.
var tolerance = big.NewRat(1, 1_000_000_000_000)

// differences lists where two expositions differ, at most a few.
func differences(got, want map[string]*big.Rat) []string {
	// The oracle computes some that no source feeds yet.
	exposed := map[string]bool{}
	for _, m := range collector.Metrics() {
		exposed[m.Name] = true
	}
	var list []string
	for k, v := range want {
		if name, _, _ := strings.Cut(k, "{"); !exposed[name] {
			continue
		}
		g, ok := got[k]
		switch {
		case !ok:
			list = append(list, fmt.Sprintf("missing %s, want %s", k, v.FloatString(6)))
		case new(big.Rat).Abs(new(big.Rat).Sub(g, v)).Cmp(tolerance) > 0:
			list = append(list, fmt.Sprintf("%s = %s, want %s", k, g.FloatString(19), v.FloatString(19)))
		}
	}
	for k, v := range got {
		if _, ok := want[k]; !ok {
			list = append(list, fmt.Sprintf("unexpected %s %s", k, v.FloatString(6)))
		}
	}
	slices.Sort(list)
	if len(list) > 12 {
		list = append(list[:12], fmt.Sprintf("... and %d more", len(list)-12))
	}
	return list
}

func compare(t fataler, out *collector.Output, want oracle.Result, when string) {
	t.Helper()
	series, undefined := keyed(out)
	if d := differences(series, want.Series); len(d) > 0 {
		t.Fatalf("%s:\n%s", when, strings.Join(d, "\n"))
	}
	for k, reason := range want.Undefined {
		if undefined[k] != reason {
			t.Fatalf("%s: %s undefined because of %q, want %q", when, k, undefined[k], reason)
		}
	}
}

func keyedSeries(out *collector.Output) map[string]*big.Rat {
	series, _ := keyed(out)
	return series
}

// clone returns a copy that committing may seal.
func clone(rec record.Record) record.Record {
	v := reflect.New(reflect.TypeOf(rec).Elem())
	v.Elem().Set(reflect.ValueOf(rec).Elem())
	return v.Interface().(record.Record)
}

// asOfClock is a clock that stands still.
func asOfClock(t time.Time) func() time.Time { return func() time.Time { return t } }
