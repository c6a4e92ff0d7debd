// Package hubspot reads contacts, companies and deals of HubSpot's CRM as leads, accounts
// and deals.
package hubspot

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
const Type = "hubspot"

// Source delivers leads, accounts and deals.
type Source struct {
	name    string
	options Options
	client  *apiclient.Client
	// searches is a client of its own, because its requests have a limit that no others have.
	searches *apiclient.Client

	mu    sync.Mutex
	known *directory
}

// New returns a source. An error says which option is wrong.
func New(name string, options Options, deps apiclient.Deps) (*Source, error) {
	for _, p := range options.problems() {
		return nil, fmt.Errorf("source %s: %s: %s", name, p[0], p[1])
	}
	cfg := apiclient.Config{
		Deps: deps, Source: name, Vendor: Type, BaseURL: options.URL,
		Auth:   apiclient.Header("Authorization", "Bearer ", apiclient.FromConfig(options.AccessToken)),
		Header: http.Header{"Accept": {"application/json"}},
		Limits: []apiclient.Limit{
			// The smallest plan's, until an answer tells the account's.
			apiclient.Window(quotaBurst, 100, 10*time.Second),
			apiclient.Daily(quotaDaily, 250_000, options.DailyShare, time.UTC),
		},
		Classify: classify, Signals: signals,
	}
	client, err := apiclient.New(cfg)
	if err != nil {
		return nil, fmt.Errorf("source %s: %w", name, err)
	}
	// Five searches a second are allowed to all of the account's tools together.
	cfg.Limits = []apiclient.Limit{apiclient.Window(quotaSearch, 4, time.Second)}
	searches, err := apiclient.New(cfg)
	if err != nil {
		return nil, fmt.Errorf("source %s: %w", name, err)
	}
	return &Source{name: name, options: options, client: client, searches: searches}, nil
}

// Name returns the configured name.
func (s *Source) Name() string { return s.name }

// Type returns "hubspot".
func (s *Source) Type() string { return Type }

// stream is what differs between the three kinds.
type stream struct {
	kind     record.Kind
	object   string
	modified string   // the property that holds the time of the last change
	history  []string // properties whose history is needed
}

func streams() []stream {
	return []stream{
		{record.KindLead, "contacts", "lastmodifieddate", []string{"lifecyclestage", "hs_lead_status"}},
		{record.KindAccount, "companies", "hs_lastmodifieddate", nil},
		{record.KindDeal, "deals", "hs_lastmodifieddate", nil},
	}
}

// pageSize is how many records are read at once.
func (st stream) pageSize() int {
	if len(st.history) > 0 {
		return mostWithHistory
	}
	return mostListed
}

// Streams returns a stream for each kind, with the kind's name.
func (s *Source) Streams() []sources.Stream {
	var list []sources.Stream
	for _, st := range streams() {
		list = append(list, sources.Stream{Name: string(st.kind), Kinds: []record.Kind{st.kind}})
	}
	return list
}

// Fetch reads everything the first time, then what has changed and what was deleted, and from
// time to time everything again.
func (s *Source) Fetch(ctx context.Context, req sources.Request, emit sources.Emit) error {
	i := slices.IndexFunc(streams(), func(st stream) bool { return string(st.kind) == req.Stream })
	if i < 0 {
		return fmt.Errorf("source %s has no stream %q", s.name, req.Stream)
	}
	var c cursor
	if err := cursors.Read(req, &c); err != nil {
		return err
	}
	m, err := s.newMapper(ctx, streams()[i], req.Environment)
	if err != nil {
		return err
	}
	f := fetch{Source: s, stream: streams()[i], now: req.Now.UnixMilli(), cursor: c, emit: emit, mapper: m}
	return f.run(ctx)
}

var _ sources.Source = (*Source)(nil)
