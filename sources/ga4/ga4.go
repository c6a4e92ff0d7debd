// Package ga4 reads visits, unique users and referring domains of a Google Analytics 4
// property through the Data API.
package ga4

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/b2bexporter/b2b_exporter/internal/record"
	"github.com/b2bexporter/b2b_exporter/sources"
	"github.com/b2bexporter/b2b_exporter/sources/internal/apiclient"
)

// Type is what Source.Type returns.
const Type = "ga4"

// Names of the streams.
const (
	streamTraffic  = "traffic"
	streamReferrer = "referrer"
	streamUsers    = "users"
)

// Source delivers the visits of one property, which is one site.
type Source struct {
	name    string
	options Options
	client  *apiclient.Client
	logger  *slog.Logger

	// How much is asked for at once.
	pageRows  int // of one answer
	batchSize int // reports of one request
	chunkDays int // days of one report

	mu    sync.Mutex
	noted map[string]bool // what was logged already
}

// New returns a source. An error says which option is wrong.
func New(name string, options Options, deps apiclient.Deps) (*Source, error) {
	for _, p := range options.problems() {
		return nil, fmt.Errorf("source %s: %s: %s", name, p[0], p[1])
	}
	pacific, err := time.LoadLocation("America/Los_Angeles")
	if err != nil {
		return nil, fmt.Errorf("source %s: load the zone of Google's days: %w", name, err)
	}
	q := &quotas{}
	client, err := apiclient.New(apiclient.Config{
		Deps: deps, Source: name, Vendor: Type, BaseURL: options.URL,
		Auth:     options.auth(),
		Header:   http.Header{"Accept": {"application/json"}},
		Limits:   limits(options.DailyShare, pacific),
		Classify: classify, Signals: q.signals,
	})
	if err != nil {
		return nil, fmt.Errorf("source %s: %w", name, err)
	}
	return &Source{
		name: name, options: options, client: client, logger: deps.SourceLogger(name),
		pageRows: mostRows, batchSize: mostReports, chunkDays: 30, noted: map[string]bool{},
	}, nil
}

// Name returns the configured name, which is also the records' site.
func (s *Source) Name() string { return s.name }

// Type returns "ga4".
func (s *Source) Type() string { return Type }

// Streams returns the streams traffic, referrer and users.
func (s *Source) Streams() []sources.Stream {
	return []sources.Stream{
		{Name: streamTraffic, Kinds: []record.Kind{record.KindTraffic}},
		{Name: streamReferrer, Kinds: []record.Kind{record.KindReferrer}},
		{Name: streamUsers, Kinds: []record.Kind{record.KindUsers}},
	}
}

// Fetch reads the newest days again, now and then older ones, and what is left of the history;
// of the users, all windows.
func (s *Source) Fetch(ctx context.Context, req sources.Request, emit sources.Emit) error {
	switch req.Stream {
	case streamTraffic:
		return s.daily(ctx, req, emit, stream{record.KindTraffic, s.trafficReports(s.options.Breakdowns), (*reading).traffic})
	case streamReferrer:
		return s.daily(ctx, req, emit, stream{record.KindReferrer, []report{referrerReport()}, (*reading).referrers})
	case streamUsers:
		return s.users(ctx, req, emit)
	}
	return fmt.Errorf("source %s has no stream %q", s.name, req.Stream)
}

// note logs what an operator should know about the property, once.
func (s *Source) note(ctx context.Context, message string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	key := fmt.Sprint(append([]any{message}, args...)...)
	if s.noted[key] {
		return
	}
	s.noted[key] = true
	s.logger.WarnContext(ctx, message, args...) //nolint:sloglint // the callers' messages are constants
}

// observe logs what an answer says about how far it can be relied on.
func (s *Source) observe(ctx context.Context, env sources.Environment, name string, m metadata) {
	if m.TimeZone != "" && !sameZone(m.TimeZone, env.Zone, env.Now) {
		s.note(ctx, "the property's days are taken as days of the report time zone, which is another one",
			"property_zone", m.TimeZone, "report_zone", env.Zone.String())
	}
	if list := m.caveats(); len(list) > 0 {
		s.note(ctx, "the vendor has reservations about a report", "report", name, "reservations", strings.Join(list, "; "))
	}
}

// caveats says how far an answer can be relied on.
func (m metadata) caveats() []string {
	var list []string
	if m.Thresholded {
		list = append(list, "small values may be withheld (data thresholds)")
	}
	if m.Other {
		list = append(list, "values are folded into (other)")
	}
	if len(m.Sampling) > 0 {
		list = append(list, "estimated from a sample")
	}
	if len(m.Truncation) > 0 {
		list = append(list, "days are left out")
	}
	if len(m.Restriction.Metrics) > 0 {
		list = append(list, "metrics are hidden from these credentials")
	}
	return list
}

// sameZone reports whether two zones have the same time now and half a year ago.
func sameZone(name string, zone *time.Location, now time.Time) bool {
	if name == zone.String() {
		return true
	}
	its, err := time.LoadLocation(name)
	if err != nil {
		return false
	}
	return !slices.ContainsFunc([]time.Time{now, now.AddDate(0, -6, 0)}, func(t time.Time) bool {
		_, a := t.In(its).Zone()
		_, b := t.In(zone).Zone()
		return a != b
	})
}

var _ sources.Source = (*Source)(nil)
