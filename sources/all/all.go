// Package all lists the types of source that the exporter knows. A new one is a
// package of its own and an entry here.
package all

import (
	"fmt"
	"time"

	"github.com/b2bexporter/b2b_exporter/internal/config"
	"github.com/b2bexporter/b2b_exporter/sources"
	"github.com/b2bexporter/b2b_exporter/sources/csv"
	"github.com/b2bexporter/b2b_exporter/sources/ecb"
	"github.com/b2bexporter/b2b_exporter/sources/ga4"
	googleads "github.com/b2bexporter/b2b_exporter/sources/google_ads"
	"github.com/b2bexporter/b2b_exporter/sources/hubspot"
	"github.com/b2bexporter/b2b_exporter/sources/internal/apiclient"
	"github.com/b2bexporter/b2b_exporter/sources/json"
	"github.com/b2bexporter/b2b_exporter/sources/shopify"
	"github.com/b2bexporter/b2b_exporter/sources/sql"
	"github.com/b2bexporter/b2b_exporter/sources/stripe"
	"github.com/b2bexporter/b2b_exporter/sources/woocommerce"
)

// Deps are what sources share: metrics of requests, a logger, a user agent.
type Deps = apiclient.Deps

// NewMetrics returns the metrics of the requests of all sources, a prometheus.Collector.
func NewMetrics() *apiclient.Metrics { return apiclient.NewMetrics() }

// Type is a type of source.
type Type struct {
	Name string
	Help string
	// Interval is how often it is polled where the configuration does not say.
	Interval time.Duration
	// Options returns a pointer to new options that hold their defaults.
	Options func() config.Options
	// Open returns a source; options are what Options returned, decoded and valid.
	Open func(name string, options config.Options, deps Deps) (sources.Source, error)
}

// Types returns the list, by name.
func Types() []Type {
	return []Type{
		{
			Name: csv.Type, Help: "CSV files, also at a URL: exports of any system", Interval: 5 * time.Minute,
			Options: func() config.Options { return &csv.Options{} },
			Open: open(func(name string, o *csv.Options, deps Deps) (sources.Source, error) {
				return csv.New(name, *o, deps)
			}),
		},
		{
			Name: ecb.Type, Help: "euro reference rates of the European Central Bank", Interval: time.Hour,
			Options: func() config.Options { return ecb.DefaultOptions() },
			Open: open(func(name string, o *ecb.Options, deps Deps) (sources.Source, error) {
				return ecb.New(name, *o, deps)
			}),
		},
		{
			Name: ga4.Type, Help: "visits, referring domains and unique users of Google Analytics 4", Interval: time.Hour,
			Options: func() config.Options { return ga4.DefaultOptions() },
			Open: open(func(name string, o *ga4.Options, deps Deps) (sources.Source, error) {
				return ga4.New(name, *o, deps)
			}),
		},
		{
			Name: googleads.Type, Help: "cost, conversions and quality scores of Google Ads' campaigns", Interval: 30 * time.Minute,
			Options: func() config.Options { return googleads.DefaultOptions() },
			Open: open(func(name string, o *googleads.Options, deps Deps) (sources.Source, error) {
				return googleads.New(name, *o, deps)
			}),
		},
		{
			Name: hubspot.Type, Help: "contacts, companies and deals of HubSpot's CRM", Interval: 5 * time.Minute,
			Options: func() config.Options { return hubspot.DefaultOptions() },
			Open: open(func(name string, o *hubspot.Options, deps Deps) (sources.Source, error) {
				return hubspot.New(name, *o, deps)
			}),
		},
		{
			Name: json.Type, Help: "lists of any HTTP API that answers in JSON", Interval: 5 * time.Minute,
			Options: func() config.Options { return &json.Options{} },
			Open: open(func(name string, o *json.Options, deps Deps) (sources.Source, error) {
				return json.New(name, *o, deps)
			}),
		},
		{
			Name: shopify.Type, Help: "orders, refunds, customers, B2B companies and abandoned checkouts of Shopify", Interval: 5 * time.Minute,
			Options: func() config.Options { return shopify.DefaultOptions() },
			Open: open(func(name string, o *shopify.Options, deps Deps) (sources.Source, error) {
				return shopify.New(name, *o, deps)
			}),
		},
		{
			Name: sql.Type, Help: "queries of PostgreSQL, MySQL, MariaDB and ClickHouse", Interval: 15 * time.Minute,
			Options: func() config.Options { return &sql.Options{} },
			Open: open(func(name string, o *sql.Options, _ Deps) (sources.Source, error) {
				return sql.New(name, *o)
			}),
		},
		{
			Name: stripe.Type, Help: "customers, subscriptions and invoices of Stripe", Interval: 15 * time.Minute,
			Options: func() config.Options { return stripe.DefaultOptions() },
			Open: open(func(name string, o *stripe.Options, deps Deps) (sources.Source, error) {
				return stripe.New(name, *o, deps)
			}),
		},
		{
			Name: woocommerce.Type, Help: "orders, refunds and customers of WooCommerce", Interval: 5 * time.Minute,
			Options: func() config.Options { return woocommerce.DefaultOptions() },
			Open: open(func(name string, o *woocommerce.Options, deps Deps) (sources.Source, error) {
				return woocommerce.New(name, *o, deps)
			}),
		},
	}
}

// Options returns the constructors of options by type, as config wants them.
func Options() map[string]func() config.Options {
	m := map[string]func() config.Options{}
	for _, t := range Types() {
		m[t.Name] = t.Options
	}
	return m
}

// Open returns the configured source and how often it is polled.
func Open(c config.Source, deps Deps) (sources.Source, time.Duration, error) {
	for _, t := range Types() {
		if t.Name != c.Type {
			continue
		}
		src, err := t.Open(c.Name, c.Options, deps)
		if c.Interval > 0 {
			return src, c.Interval, err
		}
		return src, t.Interval, err
	}
	return nil, 0, fmt.Errorf("source %s: unknown type %q", c.Name, c.Type)
}

func open[O config.Options](f func(string, O, Deps) (sources.Source, error)) func(string, config.Options, Deps) (sources.Source, error) {
	return func(name string, options config.Options, deps Deps) (sources.Source, error) {
		o, ok := options.(O)
		if !ok {
			return nil, fmt.Errorf("source %s: options are %T, want %T", name, options, o)
		}
		return f(name, o, deps)
	}
}
