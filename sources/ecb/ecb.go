// Package ecb reads the euro foreign exchange reference rates of the European Central
// Bank.
package ecb

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/b2bexporter/b2b_exporter/internal/config"
	"github.com/b2bexporter/b2b_exporter/internal/record"
	"github.com/b2bexporter/b2b_exporter/sources"
	"github.com/b2bexporter/b2b_exporter/sources/internal/apiclient"
	"github.com/b2bexporter/b2b_exporter/sources/internal/cursors"
)

// Type is what Source.Type returns.
const Type = "ecb"

const (
	reference = "EUR"
	stream    = string(record.KindRate)

	daily   = "/eurofxref-daily.xml"
	recent  = "/eurofxref-hist-90d.xml"
	history = "/eurofxref-hist.xml"

	// recentDays is how far back the 90-day file is relied on.
	recentDays = 80
	// reviewDays is how often the 90-day file is read although nothing is missing, because
	// a correction of a past day shows only there.
	reviewDays = 7
	// pageDays is how many days one page holds.
	pageDays = 16
)

// Options are the settings of a source of type ecb.
type Options struct {
	// URL is the folder of the files.
	URL string `yaml:"url"`
}

// DefaultOptions returns the options with their defaults.
func DefaultOptions() *Options {
	return &Options{URL: "https://www.ecb.europa.eu/stats/eurofxref"}
}

// Validate reports a URL that cannot be one.
func (o *Options) Validate(v *config.Validator) {
	if _, err := apiclient.ParseBaseURL(o.URL); err != nil {
		v.Errorf("url", "%v: the folder that holds eurofxref-daily.xml", err)
	}
}

// Source delivers the reference rates.
type Source struct {
	name   string
	client *apiclient.Client

	mu    sync.Mutex
	known validator
}

// validator lets the server say that the daily file is still the one that led to cursor.
type validator struct{ cursor, etag, modified string }

// New returns a source.
func New(name string, options Options, deps apiclient.Deps) (*Source, error) {
	client, err := apiclient.New(apiclient.Config{Deps: deps, Source: name, Vendor: Type, BaseURL: options.URL})
	if err != nil {
		return nil, fmt.Errorf("source %s: %w", name, err)
	}
	return &Source{name: name, client: client}, nil
}

// Name returns the configured name.
func (s *Source) Name() string { return s.name }

// Type returns "ecb".
func (s *Source) Type() string { return Type }

// Streams returns the one stream, of rates.
func (s *Source) Streams() []sources.Stream {
	return []sources.Stream{{Name: stream, Kinds: []record.Kind{record.KindRate}}}
}

// cursor is what the ledger keeps.
type cursor struct {
	// Day is the newest day that was read.
	Day record.Day `json:"day"`
	// Reviewed is the day on which a file of many days was read as a whole; 0 before.
	Reviewed record.Day `json:"reviewed,omitempty"`
}

// Fetch reads the shortest file that holds what is new since the cursor.
func (s *Source) Fetch(ctx context.Context, req sources.Request, emit sources.Emit) error {
	if req.Stream != stream {
		return fmt.Errorf("source %s has no stream %q", s.name, req.Stream)
	}
	today := record.DayOf(req.Now.UTC())
	if req.Cursor == "" {
		return s.many(ctx, history, cursor{}, today, emit)
	}
	var c cursor
	if err := cursors.Read(req, &c); err != nil {
		return err
	}
	newest, v, err := s.newest(ctx, req.Cursor)
	if err != nil {
		return err
	}
	// Whether a weekday between the cursor and the newest day was a holiday, only the
	// longer files tell.
	switch missing := newest.day - c.Day; {
	case missing > recentDays:
		return s.many(ctx, history, c, today, emit)
	case newest.day > nextWeekday(c.Day) || today-c.Reviewed >= reviewDays:
		return s.many(ctx, recent, c, today, emit)
	case newest.rates == nil && newest.rejected == nil || missing < 0:
		return nil // not modified, or a cache that is behind
	}
	c.Day = newest.day
	page := sources.Page{Records: newest.rates, Rejected: newest.rejected, Cursor: cursors.Text(c), Progress: 1}
	if err := emit(ctx, page); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	v.cursor = page.Cursor
	s.known = v
	return nil
}

// newest reads the daily file; the publication is that of the cursor, without rates,
// where the file has not changed since.
func (s *Source) newest(ctx context.Context, from string) (publication, validator, error) {
	s.mu.Lock()
	v := s.known
	s.mu.Unlock()
	header := http.Header{}
	if v.cursor == from && v.etag != "" {
		header.Set("If-None-Match", v.etag)
	}
	if v.cursor == from && v.modified != "" {
		header.Set("If-Modified-Since", v.modified)
	}
	r, err := s.client.Do(ctx, apiclient.Request{Path: daily, Header: header})
	if err != nil {
		return publication{}, v, fmt.Errorf("read the daily rates: %w", err)
	}
	if r.Status == http.StatusNotModified {
		var c cursor
		if err := json.Unmarshal([]byte(from), &c); err != nil {
			return publication{}, v, fmt.Errorf("read the cursor of the stream rate: %w", err)
		}
		return publication{day: c.Day}, v, nil
	}
	days, err := parse("GET "+daily, r)
	if err != nil {
		return publication{}, v, fmt.Errorf("read the daily rates: %w", err)
	}
	v = validator{etag: r.Header.Get("ETag"), modified: r.Header.Get("Last-Modified")}
	return days[len(days)-1], v, nil
}

// many reads a file of many days and emits it oldest first, so that a crash loses only
// what is read again. Of the history, the days before the cursor are left out.
func (s *Source) many(ctx context.Context, file string, c cursor, today record.Day, emit sources.Emit) error {
	r, err := s.client.Do(ctx, apiclient.Request{Path: file})
	if err != nil {
		return fmt.Errorf("read the rates of many days: %w", err)
	}
	days, err := parse("GET "+file, r)
	if err != nil {
		return fmt.Errorf("read the rates of many days: %w", err)
	}
	first := 0
	for file == history && first < len(days)-1 && days[first].day < c.Day {
		first++
	}
	for first < len(days) {
		last := min(first+pageDays, len(days))
		page := sources.Page{Progress: float64(last) / float64(len(days))}
		for _, p := range days[first:last] {
			page.Records = append(page.Records, p.rates...)
			page.Rejected = append(page.Rejected, p.rejected...)
			c.Day = max(c.Day, p.day)
		}
		if last == len(days) {
			c.Reviewed = today
		}
		page.Cursor = cursors.Text(c)
		if err := emit(ctx, page); err != nil {
			return err
		}
		first = last
	}
	return nil
}

// nextWeekday returns the first day after d that is no Saturday or Sunday.
func nextWeekday(d record.Day) record.Day {
	for {
		d++
		y, m, day := d.Date()
		switch time.Date(y, m, day, 0, 0, 0, 0, time.UTC).Weekday() {
		case time.Saturday, time.Sunday:
		default:
			return d
		}
	}
}

// Check reads the daily file.
func (s *Source) Check(ctx context.Context, env sources.Environment) []sources.Finding {
	newest, _, err := s.newest(ctx, "")
	finding := sources.Finding{Subject: "stream " + stream, Err: err}
	if err == nil {
		finding.Detail = fmt.Sprintf("%d currencies, newest day %s", len(newest.rates), newest.day)
		if env.Currency != reference && !newest.has(env.Currency) {
			finding.Err = fmt.Errorf("the reporting currency %s has no reference rate; give its rates in the configuration (rates)", env.Currency)
		}
	}
	return []sources.Finding{finding}
}

func (p publication) has(currency string) bool {
	for _, r := range p.rates {
		if rate, ok := r.(*record.Rate); ok && rate.Currency == currency {
			return true
		}
	}
	return false
}

var (
	_ sources.Source = (*Source)(nil)
	_ config.Options = (*Options)(nil)
)
