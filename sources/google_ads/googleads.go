// Package googleads reads the campaigns' days and the keywords' quality of a Google Ads
// account as spend and ad quality.
package googleads

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/b2bexporter/b2b_exporter/internal/record"
	"github.com/b2bexporter/b2b_exporter/sources"
	"github.com/b2bexporter/b2b_exporter/sources/internal/apiclient"
	"github.com/b2bexporter/b2b_exporter/sources/internal/cursors"
)

// Type is what Source.Type returns.
const Type = "google_ads"

// platform is the name in the records' field platform.
const platform = "google"

// quotaOperations is the name of the limit of operations a day.
const quotaOperations = "operations"

// Source delivers spend and ad quality of one account.
type Source struct {
	name    string
	options Options
	client  *apiclient.Client

	mu    sync.Mutex
	known *facts
}

// New returns a source. An error says which option is wrong.
func New(name string, options Options, deps apiclient.Deps) (*Source, error) {
	for _, p := range options.problems() {
		return nil, fmt.Errorf("source %s: %s: %s", name, p[0], p[1])
	}
	header := http.Header{"Accept": {"application/json"}, "Content-Type": {"application/json"}}
	if options.LoginCustomerID != "" {
		header.Set("Login-Customer-Id", string(options.LoginCustomerID))
	}
	client, err := apiclient.New(apiclient.Config{
		Deps: deps, Source: name, Vendor: Type, BaseURL: options.URL, Header: header,
		Auth:     options.auth(),
		Limits:   []apiclient.Limit{apiclient.Daily(quotaOperations, options.DailyOperations, options.DailyShare, time.UTC)},
		Classify: classify,
		// A month of days of the largest account.
		MaxBody: 1 << 30,
	})
	if err != nil {
		return nil, fmt.Errorf("source %s: %w", name, err)
	}
	return &Source{name: name, options: options, client: client}, nil
}

// Name returns the configured name.
func (s *Source) Name() string { return s.name }

// Type returns "google_ads".
func (s *Source) Type() string { return Type }

// stream is what differs between the kinds.
type stream struct {
	kind record.Kind
	// chunk is how many days are read by one request.
	chunk record.Day
	// recent is how many days before today are read by every Fetch.
	recent record.Day
	// read reads the days from first to last.
	read func(ctx context.Context, s *Source, f *facts, first, last record.Day) (*days, error)
}

func streams() []stream {
	return []stream{
		{record.KindSpend, 31, 3, readSpend},
		// There are as many rows a day as keywords: a week of them is as much as a month of campaigns.
		{record.KindAdQuality, 7, 0, readQuality},
	}
}

// Streams returns a stream for each kind, with the kind's name.
func (s *Source) Streams() []sources.Stream {
	var list []sources.Stream
	for _, st := range streams() {
		list = append(list, sources.Stream{Name: string(st.kind), Kinds: []record.Kind{st.kind}})
	}
	return list
}

// Fetch reads all days the first time, newest first, then the newest days, and from time to time
// the whole look-back again.
func (s *Source) Fetch(ctx context.Context, req sources.Request, emit sources.Emit) error {
	i := slices.IndexFunc(streams(), func(st stream) bool { return string(st.kind) == req.Stream })
	if i < 0 {
		return fmt.Errorf("source %s has no stream %q", s.name, req.Stream)
	}
	var c cursor
	if err := cursors.Read(req, &c); err != nil {
		return err
	}
	st := streams()[i]
	known, err := s.facts(ctx, req.Now, st.kind == record.KindSpend)
	if err != nil {
		return err
	}
	f := fetch{Source: s, stream: st, facts: known, request: req, cursor: c, emit: emit}
	return f.run(ctx)
}

var _ sources.Source = (*Source)(nil)
