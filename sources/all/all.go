// Package all lists the types of source that the exporter knows. A new one is a
// package of its own, a line here and a page in docs/sources. What sources share is below
// sources/internal: apiclient (requests, credentials, limits, typed errors), cursors, findings
// (of checks) and rows (records of tables); their tests have sourcetest (conformance, a poller,
// options) and internal/fake (faults of vendors, keys).
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
		of(csv.Type, "CSV files, also at a URL: exports of any system", 5*time.Minute, zero[csv.Options], csv.New),
		of(ecb.Type, "euro reference rates of the European Central Bank", time.Hour, ecb.DefaultOptions, ecb.New),
		of(ga4.Type, "visits, referring domains and unique users of Google Analytics 4", time.Hour, ga4.DefaultOptions, ga4.New),
		of(googleads.Type, "cost, conversions and quality scores of Google Ads' campaigns", 30*time.Minute, googleads.DefaultOptions, googleads.New),
		of(hubspot.Type, "contacts, companies and deals of HubSpot's CRM", 5*time.Minute, hubspot.DefaultOptions, hubspot.New),
		of(json.Type, "lists of any HTTP API that answers in JSON", 5*time.Minute, zero[json.Options], json.New),
		of(shopify.Type, "orders, refunds, customers, B2B companies and abandoned checkouts of Shopify", 5*time.Minute, shopify.DefaultOptions, shopify.New),
		of(sql.Type, "queries of PostgreSQL, MySQL, MariaDB and ClickHouse", 15*time.Minute, zero[sql.Options],
			func(name string, options sql.Options, _ Deps) (*sql.Source, error) { return sql.New(name, options) }),
		of(stripe.Type, "customers, subscriptions and invoices of Stripe", 15*time.Minute, stripe.DefaultOptions, stripe.New),
		of(woocommerce.Type, "orders, refunds and customers of WooCommerce", 5*time.Minute, woocommerce.DefaultOptions, woocommerce.New),
	}
}

// zero returns options whose defaults are their zero values.
func zero[O any]() *O { return new(O) }

// of returns a type whose options are of the type O.
func of[O any, S sources.Source, P interface {
	*O
	config.Options
}](name, help string, interval time.Duration, defaults func() P, open func(string, O, Deps) (S, error)) Type {
	return Type{
		Name: name, Help: help, Interval: interval,
		Options: func() config.Options { return defaults() },
		Open: func(name string, options config.Options, deps Deps) (sources.Source, error) {
			o, ok := options.(P)
			if !ok {
				return nil, fmt.Errorf("source %s: options are %T, want %T", name, options, o)
			}
			src, err := open(name, *o, deps)
			if err != nil {
				return nil, err // and not a nil pointer, which is no nil Source
			}
			return src, nil
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
