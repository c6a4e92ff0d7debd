// Package json reads records from any HTTP API that answers in JSON: it knows paging,
// increments and where an answer has its rows, and leaves the rest to the configuration.
package json

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	encjson "encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/b2bexporter/b2b_exporter/internal/record"
	"github.com/b2bexporter/b2b_exporter/sources"
	"github.com/b2bexporter/b2b_exporter/sources/internal/apiclient"
	"github.com/b2bexporter/b2b_exporter/sources/internal/cursors"
	"github.com/b2bexporter/b2b_exporter/sources/internal/rows"
)

// Type is the name of the type in a configuration.
const Type = "json"

// Source reads an API. Its streams are the kinds of record that its lists hold.
type Source struct {
	name  string
	lists []list
}

// list is an entry of the configuration.
type list struct {
	List
	client *apiclient.Client
}

// New returns a source of the lists in options. The error names the first option that
// is wrong.
func New(name string, options Options, deps apiclient.Deps) (*Source, error) {
	if err := options.check(); err != nil {
		return nil, fmt.Errorf("source %s: %w", name, err)
	}
	s := &Source{name: name}
	for i, l := range options.Lists {
		client, err := l.Client(name, Type, deps, l.classify)
		if err != nil {
			return nil, fmt.Errorf("source %s: lists[%d].%w", name, i, err)
		}
		s.lists = append(s.lists, list{l, client})
	}
	return s, nil
}

// Name returns the configured name.
func (s *Source) Name() string { return s.name }

// Type returns "json".
func (s *Source) Type() string { return Type }

// Streams returns a stream for each kind of record, named after it.
func (s *Source) Streams() []sources.Stream {
	var streams []sources.Stream
	for _, k := range record.Kinds() {
		if len(s.stream(string(k))) > 0 {
			streams = append(streams, sources.Stream{Name: string(k), Kinds: []record.Kind{k}})
		}
	}
	return streams
}

// stream returns the lists of a stream.
func (s *Source) stream(name string) []list {
	var lists []list
	for _, l := range s.lists {
		if string(l.Record) == name {
			lists = append(lists, l)
		}
	}
	return lists
}

// cursor is what the ledger keeps.
type cursor struct {
	// Read is when the last Fetch that came to its end began, Swept the last that read all
	// there is; in Unix seconds.
	Read  int64 `json:"read"`
	Swept int64 `json:"swept"`
	// Settings identifies how the lists are read: others make everything be read anew.
	Settings string `json:"settings"`
}

// Fetch reads what has changed since the cursor, or everything: where there is no
// cursor, where the configuration has changed, where a list has no increment, and from time to
// time to find what was deleted. A Fetch that has read everything sweeps.
func (s *Source) Fetch(ctx context.Context, req sources.Request, emit sources.Emit) error {
	lists := s.stream(req.Stream)
	if len(lists) == 0 {
		return fmt.Errorf("source %s has no stream %q", s.name, req.Stream)
	}
	var last cursor
	if err := cursors.Read(req, &last); err != nil {
		return err
	}
	settings, err := fingerprint(lists, req.Zone)
	if err != nil {
		return err
	}
	whole := last.Settings != settings || sweeps(lists, last, req.Now)
	p := &rows.Pager{Emit: emit, Currency: req.Currency}
	for i, l := range lists {
		r, err := newReader(l, req.Zone)
		if err != nil {
			return err
		}
		if !whole && l.Increment != nil {
			r.since = time.Unix(last.Read, 0).Add(-l.Increment.overlap())
		}
		if err := r.readAll(ctx, p, i == len(lists)-1); err != nil {
			return fmt.Errorf("read %s: %w", l.Name(), err)
		}
	}
	next := cursor{Read: req.Now.Unix(), Swept: last.Swept, Settings: settings}
	if whole {
		if err := p.AllRejected(); err != nil {
			return fmt.Errorf("stream %s: %w", req.Stream, err)
		}
		next.Swept = req.Now.Unix()
	}
	return p.Flush(ctx, 1, cursors.Text(next), whole)
}

// sweeps reports whether everything is to be read.
func sweeps(lists []list, last cursor, now time.Time) bool {
	every := time.Duration(0)
	for _, l := range lists {
		if l.Increment == nil {
			continue
		}
		if d := l.Increment.sweepEvery(); every == 0 || d < every {
			every = d
		}
	}
	return every == 0 || now.Sub(time.Unix(last.Swept, 0)) >= every
}

// fingerprint identifies how lists are read. Its first part is changed when they are to
// be read anew by a new version.
func fingerprint(lists []list, zone *time.Location) (string, error) {
	h := sha256.New()
	fmt.Fprintln(h, "json 1")
	for _, l := range lists {
		settings, zone := l.List, zone
		if settings.Timezone != nil {
			zone = settings.Timezone
		}
		settings.Timezone = nil // marshalled it would not tell zones apart
		text, err := encjson.Marshal(settings)
		if err != nil {
			return "", fmt.Errorf("identify the settings of %s: %w", l.Name(), err)
		}
		fmt.Fprintf(h, "%s %q\n", text, zone)
	}
	return hex.EncodeToString(h.Sum(nil)[:16]), nil
}

// Check reads the first page of each list.
func (s *Source) Check(ctx context.Context, env sources.Environment) []sources.Finding {
	findings := make([]sources.Finding, 0, len(s.lists))
	for _, l := range s.lists {
		finding := sources.Finding{Subject: fmt.Sprintf("%s %s", l.Record, l.Name())}
		finding.Detail, finding.Err = checkList(ctx, l, env)
		findings = append(findings, finding)
	}
	return findings
}

func checkList(ctx context.Context, l list, env sources.Environment) (string, error) {
	r, err := newReader(l, env.Zone)
	if err != nil {
		return "", err
	}
	var s rows.Sample
	at := position{page: l.Paging.firstPage()}
	got, err := r.readPage(ctx, at, func(row rows.Row) error {
		if !s.Full() {
			s.Add(row)
		}
		return nil
	})
	if err != nil {
		return "", err
	}
	var found, missing []string
	for i, path := range r.header {
		if r.found[i] {
			found = append(found, path)
		} else {
			missing = append(missing, path)
		}
	}
	s.Header(found, nil)
	detail, err := s.Describe()
	if len(missing) > 0 {
		detail += "; in no row of the first page " + strings.Join(missing, ", ")
	}
	if err != nil || !l.Paging.counted() {
		return detail, err
	}
	repeated, err := r.repeats(ctx, at, got)
	if repeated {
		detail += fmt.Sprintf("; the second page has the rows of the first: unless there is one page only, the API does not count by %s", l.Paging.Parameter)
	}
	return detail, err
}

var _ sources.Source = (*Source)(nil)
