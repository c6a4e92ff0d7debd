// Package woocommerce reads the orders, refunds and customers of a WooCommerce shop by
// its REST API, version 3.
package woocommerce

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/b2bexporter/b2b_exporter/internal/record"
	"github.com/b2bexporter/b2b_exporter/sources"
	"github.com/b2bexporter/b2b_exporter/sources/internal/apiclient"
)

// Type is what Source.Type returns.
const Type = "woocommerce"

// The streams.
const (
	streamOrder    = "order"
	streamCustomer = "customer"
)

const (
	// overlap is how far a poll goes back behind the newest change that was seen, and for how long:
	// times have no fractions of seconds, and a change is listed only after it was saved.
	overlap = 10 * time.Minute
	// sweepRetry is how long a sweep that failed is not tried again.
	sweepRetry = 6 * time.Hour
	// maxPageSize is what the API gives at once.
	maxPageSize = 100
	// decimals is how exact amounts are asked for: as exact as they are kept.
	decimals = "6"
)

// Source delivers the records of one shop.
type Source struct {
	name    string
	options Options
	client  *apiclient.Client
	logger  *slog.Logger
	size    *pageSize
	streams []*stream
}

// stream is how one stream is read.
type stream struct {
	sources.Stream
	path string
	// lists together hold the whole stream; a record is in one of them at a time.
	lists []list
	// newest is what a list is sorted by to find what is new, and at the time of a record that
	// stands for it.
	newest string
	at     func(stamp) string
	// filtered says that a list can be asked for what has changed since.
	filtered bool
	// sweep is how often everything is read again.
	sweep time.Duration
	add   func(ctx context.Context, raw json.RawMessage, page *sources.Page) error
}

// list is a list of the API: the arguments that select it.
type list struct {
	name  string
	query url.Values
}

// New returns a source.
func New(name string, options Options, deps apiclient.Deps) (*Source, error) {
	return open(name, options, deps, maxPageSize)
}

// open returns a source that asks for at most size records at once.
func open(name string, options Options, deps apiclient.Deps, size int) (*Source, error) {
	s := &Source{name: name, options: options, logger: deps.SourceLogger(name), size: newPageSize(size)}
	var err error
	s.client, err = apiclient.New(apiclient.Config{
		Deps: deps, Source: name, Vendor: Type, BaseURL: options.URL, Auth: options.auth(),
		Header: http.Header{"Accept": {"application/json"}}, Classify: classify,
		// The shop has no limit of its own; what it can bear is left to its buyers.
		Limits: []apiclient.Limit{apiclient.Bucket("requests", 2, float64(options.RequestsPerSecond))},
	})
	if err != nil {
		return nil, fmt.Errorf("source %s: %w", name, err)
	}
	for _, st := range []*stream{
		{
			Stream: sources.Stream{Name: streamOrder, Kinds: []record.Kind{record.KindOrder, record.KindRefund}},
			path:   pathOrders,
			// The trash is not a part of "any", not even where it is asked for with it.
			lists:  []list{orderList("any"), orderList("trash")},
			newest: "modified", at: func(s stamp) string { return s.Modified }, filtered: true,
			sweep: options.Sweep, add: s.addOrder,
		},
		{
			Stream: sources.Stream{Name: streamCustomer, Kinds: []record.Kind{record.KindCustomer}},
			path:   pathCustomers,
			lists:  []list{{name: "all", query: url.Values{"role": {"all"}, "_fields": {customerFields}}}},
			newest: "registered_date", at: func(s stamp) string { return s.Created },
			sweep: options.CustomerSweep, add: s.addCustomer,
		},
	} {
		if slices.Contains(options.Streams, st.Name) {
			s.streams = append(s.streams, st)
		}
	}
	return s, nil
}

func orderList(status string) list {
	return list{name: status, query: url.Values{"status": {status}, "dp": {decimals}, "_fields": {orderFields}}}
}

// Name returns the configured name.
func (s *Source) Name() string { return s.name }

// Type returns "woocommerce".
func (s *Source) Type() string { return Type }

// Streams returns the configured streams.
func (s *Source) Streams() []sources.Stream {
	all := make([]sources.Stream, len(s.streams))
	for i, st := range s.streams {
		all[i] = st.Stream
	}
	return all
}

func (s *Source) stream(name string) (*stream, error) {
	for _, st := range s.streams {
		if st.Name == name {
			return st, nil
		}
	}
	return nil, fmt.Errorf("source %s has no stream %q", s.name, name)
}

var _ sources.Source = (*Source)(nil)
