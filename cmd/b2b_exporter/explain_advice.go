package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/b2bexporter/b2b_exporter/collector"
	"github.com/b2bexporter/b2b_exporter/internal/config"
	"github.com/b2bexporter/b2b_exporter/internal/ledger/rollup"
	"github.com/b2bexporter/b2b_exporter/internal/record"
)

// advice says what to do about a KPI that has no value.
func (x *explainer) advice(r collector.Reason) string {
	cfg := x.app.config
	switch r {
	case collector.SourceMissing:
		return x.missing()
	case collector.Stale:
		return fmt.Sprintf("see below which stream was last read more than %s ago, and why; the exporter polls while it runs, sync polls once", duration(cfg.Staleness))
	case collector.Truncated:
		return "see below which stream is truncated: its source cut its last answer short, and the log of that poll says where"
	case collector.NoRate:
		return fmt.Sprintf("amounts in other currencies than %s have no exchange rate: add a source of type ecb, or rates to the configuration that begin before the amounts' days", cfg.Currency)
	case collector.Immature:
		return x.immature()
	case collector.TooFew:
		return fmt.Sprintf("it takes at least %d active customers (customers.lifetime_minimum)", cfg.Customers.LifetimeMinimum)
	case collector.NoData:
		return "there are records, but none holds what it is computed from; the sources' documentation says what each delivers"
	case collector.ZeroDenominator:
		if x.metric.HasWindow() {
			return "nothing to divide by happened in the window: ask for a longer one by --window"
		}
		return "nothing to divide by has happened yet"
	}
	return ""
}

// missing says what to configure for a KPI that no source delivers anything for.
func (x *explainer) missing() string {
	const costs = "add entries of the categories marketing and sales to costs in the configuration"
	kinds := slices.DeleteFunc(x.metric.Inputs(string(x.app.config.Customers.Basis)), func(k record.Kind) bool {
		needed := slices.Contains(x.metric.Kinds, k) || k == record.KindOrder || k == record.KindDeal
		return !needed || x.app.delivers(k)
	})
	var texts []string
	if len(kinds) > 0 {
		texts = append(texts, "configure a source of what none delivers ("+list(kinds)+")")
	}
	if slices.Contains(x.metric.Kinds, record.KindCost) {
		texts = append(texts, costs)
	}
	return strings.Join(texts, ", or ")
}

// immature says since when there would have to be records.
func (x *explainer) immature() string {
	if slices.ContainsFunc(x.inputs(), func(in input) bool { return in.Unread }) {
		return "a stream below has not been read to its end yet: wait for it, or run sync"
	}
	// Lifetime values tell how many customers leave in a month from the half year before now.
	since, instead := x.view.Moments[rollup.Now].Since, ""
	if x.metric.HasWindow() && !slices.Contains(x.metric.Settings, "customers.lifetime_minimum") {
		i := slices.IndexFunc(x.view.Windows, func(w rollup.WindowView) bool { return w.Name == x.window && w.Role == rollup.Current })
		since, instead = x.view.Windows[i].Since, ", or ask for a shorter window"
	}
	first := "there is none"
	if x.view.HasFirst {
		first = "the first is of " + x.moment(x.view.FirstOrder).Format(minute)
	}
	return fmt.Sprintf("it takes an order of %s or before, and %s: let the source deliver older ones%s", x.moment(since).Format(minute), first, instead)
}

// settingOf returns how a key is set that a KPI depends on.
func settingOf(cfg *config.Config, key string) string {
	switch key {
	case "attribution":
		return string(cfg.Attribution)
	case "cac.lag":
		return fmt.Sprintf("%dd", cfg.CAC.Lag.Days)
	case "customers.basis":
		return string(cfg.Customers.Basis)
	case "customers.churn_denominator":
		return string(cfg.Customers.ChurnDenominator)
	case "customers.inactive_after":
		return cfg.Customers.InactiveAfter.String()
	case "customers.lifetime_minimum":
		return fmt.Sprint(cfg.Customers.LifetimeMinimum)
	case "marketing_channels":
		return strings.Join(cfg.Marketing, ", ")
	case "orders.count":
		return string(cfg.Orders.Count)
	}
	return ""
}
