package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/prometheus/common/version"

	"github.com/b2bexporter/b2b_exporter/collector"
	"github.com/b2bexporter/b2b_exporter/internal/config"
	"github.com/b2bexporter/b2b_exporter/internal/ledger"
	"github.com/b2bexporter/b2b_exporter/internal/ledger/rollup"
	"github.com/b2bexporter/b2b_exporter/internal/record"
	"github.com/b2bexporter/b2b_exporter/internal/window"
	"github.com/b2bexporter/b2b_exporter/sources"
	"github.com/b2bexporter/b2b_exporter/sources/all"
	"github.com/b2bexporter/b2b_exporter/sources/static"
)

// configuredSource is the name of the source of what stands in the configuration itself.
const configuredSource = "configuration"

// staticInterval is how often what stands in the configuration is looked at. It changes
// only with the configuration, but must not look stale.
const staticInterval = time.Hour

// job is a source and how often it is polled.
type job struct {
	source   sources.Source
	interval time.Duration
}

// app is a configuration and what it sets up.
type app struct {
	config *config.Config
	jobs   []job
}

// loadConfig reads the configuration file, or the configuration that is given in its place.
func (c *command) loadConfig() (*config.Config, error) {
	schema := config.Schema{Sources: all.Options()}
	for _, m := range collector.Headlines() {
		schema.KPIs = append(schema.KPIs, config.KPI{Name: m.Name, HasWindow: m.HasWindow(), HigherIsWorse: m.Worse > 0})
	}
	if c.config != nil {
		return config.Parse(c.configFile, c.config, schema)
	}
	return config.Load(c.configFile, schema)
}

// newApp opens the sources of a configuration.
func newApp(cfg *config.Config, deps all.Deps) (*app, error) {
	a := &app{config: cfg}
	deps.UserAgent = "b2b_exporter/" + version.Version
	if len(cfg.Costs)+len(cfg.Rates) > 0 {
		a.jobs = append(a.jobs, job{static.New(configuredSource, cfg.Costs, cfg.Rates), staticInterval})
	}
	var errs []error
	for _, s := range cfg.Sources {
		if s.Name == configuredSource {
			errs = append(errs, fmt.Errorf("line %d: a source cannot be called %q: that is the source of what stands in the configuration; choose another name",
				s.Line, configuredSource))
			continue
		}
		src, interval, err := all.Open(s, deps)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		a.jobs = append(a.jobs, job{src, interval})
	}
	return a, errors.Join(errs...)
}

// openLedger opens the ledger and brings what is derived in it up to date with the
// configuration. Progress hears of that.
func (a *app) openLedger(ctx context.Context, readOnly bool, progress func(float64)) (*ledger.Ledger, error) {
	l, err := ledger.Open(ctx, a.ledgerOptions(readOnly))
	if err != nil {
		return nil, err
	}
	if err := l.Ready(ctx, progress); err != nil {
		return nil, errors.Join(err, l.Close())
	}
	return l, nil
}

func (a *app) ledgerOptions(readOnly bool) ledger.Options {
	cfg := a.config
	o := ledger.Options{
		Path: cfg.Ledger.Path, KeyFile: cfg.Ledger.Key.File(), ReadOnly: readOnly,
		Settings: ledger.Settings{
			Zone: cfg.Timezone, Currency: cfg.Currency, Basis: ledger.Basis(cfg.Customers.Basis),
			CountPaid: cfg.Orders.Count == config.CountPaid, Channels: cfg.Channels, Territories: cfg.Territories,
			FreeMail: cfg.Customers.FreeMail, Delivered: map[string][]record.Kind{},
		},
	}
	for _, j := range a.jobs {
		for _, s := range j.source.Streams() {
			o.Settings.Delivered[j.source.Name()] = append(o.Settings.Delivered[j.source.Name()], s.Kinds...)
		}
	}
	return o
}

// engine returns what computes figures from the ledger.
func (a *app) engine(l *ledger.Ledger) *rollup.Engine {
	var order []string
	for _, j := range a.jobs {
		order = append(order, j.source.Name())
	}
	return rollup.New(l, rollup.Options{
		Windows: a.config.Windows, Currency: a.config.Currency, InactiveAfter: a.config.Customers.InactiveAfter,
		LastTouch: a.config.Attribution == config.LastTouch, CostLag: a.config.CAC.Lag.Days, Costs: a.delivers(record.KindCost, record.KindSpend),
		Tiers: a.config.Recurring.Tiers,
	}, order)
}

// delivers reports whether any source delivers any of kinds.
func (a *app) delivers(kinds ...record.Kind) bool {
	return slices.ContainsFunc(a.jobs, func(j job) bool {
		return slices.ContainsFunc(j.source.Streams(), func(s sources.Stream) bool {
			return slices.ContainsFunc(s.Kinds, func(k record.Kind) bool { return slices.Contains(kinds, k) })
		})
	})
}

// sources returns the sources as collectors know them.
func (a *app) sources() []collector.Source {
	var list []collector.Source
	for _, j := range a.jobs {
		src := collector.Source{Name: j.source.Name()}
		for _, s := range j.source.Streams() {
			src.Streams = append(src.Streams, collector.Stream{Name: s.Name, Kinds: s.Kinds})
		}
		list = append(list, src)
	}
	return list
}

// compute turns a view into samples. At now sources can be stale; with a zero now,
// for a past as_of, none is.
func (a *app) compute(view *rollup.View, now time.Time, collectors []collector.Collector, info collector.LedgerInfo) *collector.Output {
	cfg := a.config
	in := &collector.Input{
		View: view, Ledger: info, Past: now.IsZero(), Sources: collector.WithStreams(view, a.sources(), now, cfg.Staleness),
		Options: collector.Options{
			Currency: cfg.Currency, Basis: string(cfg.Customers.Basis),
			ChurnRemaining:  cfg.Customers.ChurnDenominator == config.ChurnRemaining,
			LifetimeMinimum: cfg.Customers.LifetimeMinimum, LabelMax: cfg.Labels.Max, Thresholds: a.thresholds(),
			Marketing: cfg.Marketing, FunnelSite: cfg.Funnel.Site,
		},
	}
	return collector.Run(in, collectors, time.Now)
}

// thresholds returns the configured thresholds and, for KPIs and windows without any,
// those that are shipped.
func (a *app) thresholds() []collector.Threshold {
	var list []collector.Threshold
	for _, t := range a.config.Thresholds {
		for severity, value := range map[string]record.Decimal{"warning": t.Warning, "critical": t.Critical} {
			if value.Known {
				list = append(list, collector.Threshold{KPI: t.KPI, Window: string(t.Window), Severity: severity, Value: value})
			}
		}
	}
	configured := len(list)
	for _, d := range collector.DefaultThresholds() {
		taken := slices.ContainsFunc(list[:configured], func(t collector.Threshold) bool { return t.KPI == d.KPI && t.Window == d.Window })
		shown := slices.ContainsFunc(a.config.Windows, func(w window.Name) bool { return string(w) == d.Window })
		if !taken && (shown || d.Window == "") {
			list = append(list, d)
		}
	}
	return list
}
