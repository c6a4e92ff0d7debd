// Package shopify reads the orders, refunds, customers, companies and abandoned
// checkouts of a Shopify shop by the GraphQL Admin API.
package shopify

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"time"

	"github.com/b2bexporter/b2b_exporter/internal/record"
	"github.com/b2bexporter/b2b_exporter/sources"
	"github.com/b2bexporter/b2b_exporter/sources/internal/apiclient"
)

// Type is what Source.Type returns.
const Type = "shopify"

// The streams.
const (
	streamOrder    = "order"
	streamCustomer = "customer"
	streamCompany  = "company"
	streamCheckout = "checkout"
)

const (
	// overlap is how far a poll goes back behind the newest change that was seen: lists
	// come from a search index, which changes reach late.
	overlap = time.Hour
	// reviewBack is how far a review goes back: what does not touch an order's time of
	// change (visits that are attributed later) comes soon after it.
	reviewBack = 60 * 24 * time.Hour
	// relistBack is how far back a review of checkouts lists them all: the time after which one is hardly
	// ever completed.
	relistBack = 30 * 24 * time.Hour
	// sweepRetry is how long a sweep that failed is not tried again.
	sweepRetry = 6 * time.Hour
	// maxDepth is how deep one list is paged: beyond 25,000 the API may refuse.
	maxDepth = 20_000
	// linesPerOrder is how many items come with an order; the others are asked for.
	linesPerOrder = 20
	// maxDownload is the longest file of a bulk operation, in bytes.
	maxDownload = 1 << 40
)

// Source delivers the records of one shop.
type Source struct {
	name     string
	options  Options
	path     string
	client   *apiclient.Client
	download *apiclient.Client // for files elsewhere, without credentials
	logger   *slog.Logger
	nested   *pacer // of the items of one order
	streams  []*stream
}

// stream is how one stream is read.
type stream struct {
	sources.Stream
	document string
	field    string // of the data, that holds the list
	// byCreation says that the list cannot be sorted by the time of change.
	byCreation bool
	sweeps     bool
	pacer      *pacer
	// add adds the records of a node to a page and returns its times; nil where the node is
	// rejected because of its form.
	add func(ctx context.Context, raw json.RawMessage, page *sources.Page) (*stamp, error)
}

// New returns a source.
func New(name string, options Options, deps apiclient.Deps) (*Source, error) {
	return open(name, options, deps, maxPageSize)
}

// open returns a source that asks for at most pageSize records at once.
func open(name string, options Options, deps apiclient.Deps, pageSize int) (*Source, error) {
	s := &Source{name: name, options: options, logger: deps.SourceLogger(name), path: "/admin/api/" + options.Version + "/graphql.json"}
	s.nested = newPacer(min(100, pageSize), pageSize)
	var err error
	s.client, err = apiclient.New(apiclient.Config{
		Deps: deps, Source: name, Vendor: Type, BaseURL: options.URL, Auth: options.auth(),
		Header:   http.Header{"Content-Type": {"application/json"}, "Accept": {"application/json"}},
		Classify: classify, Signals: signals,
		// The smallest bucket there is, until the first answer tells the shop's.
		Limits: []apiclient.Limit{apiclient.Bucket(quotaCost, 1000, 50)},
	})
	if err != nil {
		return nil, fmt.Errorf("source %s: %w", name, err)
	}
	s.download, err = apiclient.New(apiclient.Config{
		Deps: deps, Source: name, Vendor: Type, BaseURL: options.URL, MaxBody: maxDownload,
	})
	if err != nil {
		return nil, fmt.Errorf("source %s: %w", name, err)
	}
	for _, st := range []*stream{
		{
			Stream:   sources.Stream{Name: streamOrder, Kinds: []record.Kind{record.KindOrder, record.KindRefund}},
			document: queryOrders, field: "orders", sweeps: true, pacer: newPacer(min(25, pageSize), pageSize), add: s.addOrder,
		},
		{
			Stream:   sources.Stream{Name: streamCustomer, Kinds: []record.Kind{record.KindCustomer}},
			document: queryCustomers, field: "customers", sweeps: true, pacer: newPacer(min(100, pageSize), pageSize), add: s.addCustomer,
		},
		{
			Stream:   sources.Stream{Name: streamCompany, Kinds: []record.Kind{record.KindCustomer}},
			document: queryCompanies, field: "companies", sweeps: true, pacer: newPacer(min(100, pageSize), pageSize), add: s.addCompany,
		},
		{
			Stream:   sources.Stream{Name: streamCheckout, Kinds: []record.Kind{record.KindCheckout}},
			document: queryCheckouts, field: "abandonedCheckouts", byCreation: true, pacer: newPacer(min(100, pageSize), pageSize), add: s.addCheckout,
		},
	} {
		if slices.Contains(options.Streams, st.Name) {
			s.streams = append(s.streams, st)
		}
	}
	return s, nil
}

// Name returns the configured name.
func (s *Source) Name() string { return s.name }

// Type returns "shopify".
func (s *Source) Type() string { return Type }

// Streams returns the configured streams.
func (s *Source) Streams() []sources.Stream {
	list := make([]sources.Stream, len(s.streams))
	for i, st := range s.streams {
		list[i] = st.Stream
	}
	return list
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
