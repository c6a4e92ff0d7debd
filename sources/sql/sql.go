// Package sql reads records from the databases that a company has already: a query for
// each kind of record, which the engine answers. It only reads, and holds no result in memory.
package sql

import (
	"context"
	"fmt"

	"github.com/b2bexporter/b2b_exporter/internal/record"
	"github.com/b2bexporter/b2b_exporter/sources"
	"github.com/b2bexporter/b2b_exporter/sources/internal/rows"
)

// Type is the name of the type in a configuration.
const Type = "sql"

// Source reads a database. Its streams are the kinds of record that its queries give.
type Source struct {
	name    string
	options Options
	engine  engine
	queries []query
	// pageRows is how many rows are committed together.
	pageRows int
}

// query is an entry of the configuration.
type query struct {
	Query
	name string
}

// New returns a source of the queries in options. The error names the first option that
// is wrong.
func New(name string, options Options) (*Source, error) {
	e, err := engineOf(options.Driver)
	if err != nil {
		return nil, fmt.Errorf("source %s: %w", name, err)
	}
	return newSource(name, options, e)
}

func newSource(name string, options Options, e engine) (*Source, error) {
	if err := options.check(); err != nil {
		return nil, fmt.Errorf("source %s: %w", name, err)
	}
	s := &Source{name: name, options: options, engine: e, pageRows: rows.PageRows}
	for i, q := range options.Queries {
		s.queries = append(s.queries, query{q, fmt.Sprintf("queries[%d]", i)})
	}
	return s, nil
}

// Name returns the configured name.
func (s *Source) Name() string { return s.name }

// Type returns "sql".
func (s *Source) Type() string { return Type }

// Streams returns a stream for each kind of record, named after it.
func (s *Source) Streams() []sources.Stream {
	var streams []sources.Stream
	for _, k := range record.Kinds() {
		if queries := s.stream(string(k)); len(queries) > 0 {
			streams = append(streams, sources.Stream{
				Name: string(k), Kinds: []record.Kind{k}, Whole: queries[0].Increment == nil,
			})
		}
	}
	return streams
}

// stream returns the queries of a stream: all with an increment, or none.
func (s *Source) stream(name string) []query {
	var queries []query
	for _, q := range s.queries {
		if string(q.Record) == name {
			queries = append(queries, q)
		}
	}
	return queries
}

// Fetch runs the queries of a stream. Without increments it lists everything and sweeps.
// With them it reads from the cursor on, which each page moves, so that a connection
// that breaks costs no more than a page; and from time to time everything once more, to
// find what was deleted. The error names the query.
func (s *Source) Fetch(ctx context.Context, req sources.Request, emit sources.Emit) error {
	queries := s.stream(req.Stream)
	if len(queries) == 0 {
		return fmt.Errorf("source %s has no stream %q", s.name, req.Stream)
	}
	db, err := s.open()
	if err != nil {
		return err
	}
	defer db.Close()
	f := &fetch{source: s, db: db, queries: queries, env: req.Environment, emit: emit}
	if queries[0].Increment == nil {
		return f.list(ctx, "")
	}
	settings, err := fingerprint(s.options.Driver, db.identity, queries, req.Zone)
	if err != nil {
		return err
	}
	last, err := parseCursor(req.Cursor)
	if err != nil {
		return fmt.Errorf("read the cursor of the stream %s: %w", req.Stream, err)
	}
	return f.increment(ctx, last, settings)
}

// fetch is one Fetch of a stream.
type fetch struct {
	source  *Source
	db      *database
	queries []query
	env     sources.Environment
	emit    sources.Emit
}

// pager gathers rows into pages.
type pager struct {
	rows.Pager
	size, left int // rows of a page, until this one is full
}

func (f *fetch) pager() *pager {
	return &pager{Pager: rows.Pager{Emit: f.emit, Currency: f.env.Currency}, size: f.source.pageRows, left: f.source.pageRows}
}

// add adds a row, after flush has emptied a page that is full.
func (p *pager) add(row rows.Row, flush func() error) error {
	if p.left == 0 {
		if err := flush(); err != nil {
			return err
		}
		p.left = p.size
	}
	p.left--
	return p.Add(row)
}

// list reads everything and sweeps. The cursor goes with the last page.
func (f *fetch) list(ctx context.Context, cursor string) error {
	p := f.pager()
	for _, q := range f.queries {
		err := f.source.read(ctx, f.db, q, q.start(), f.env.Zone, sink{row: func(row rows.Row, _ mark) error {
			return p.add(row, func() error { return p.Flush(ctx, -1, "", false) })
		}})
		if err != nil {
			return err
		}
	}
	if err := p.AllRejected(); err != nil {
		return fmt.Errorf("stream %s: %w", f.queries[0].Record, err)
	}
	return p.Flush(ctx, 1, cursor, true)
}

// increment reads what has changed since the cursor, or everything where it was made
// with other settings.
func (f *fetch) increment(ctx context.Context, at cursor, settings string) error {
	now := f.env.Now
	whole := at.Settings != settings || len(at.Marks) != len(f.queries)
	if whole {
		first := at.Settings == ""
		at = cursor{Settings: settings, Marks: make([]mark, len(f.queries))}
		if first { // the ledger holds nothing that could have been deleted
			at.Swept = now.Unix()
		}
	}
	p := f.pager()
	flush := func(progress float64, sweep bool) error {
		text, err := at.text()
		if err != nil {
			return fmt.Errorf("write the cursor of the stream %s: %w", f.queries[0].Record, err)
		}
		return p.Flush(ctx, progress, text, sweep)
	}
	for i, q := range f.queries {
		from := q.start()
		if at.Marks[i].form != formNone {
			from = at.Marks[i].minus(q.Increment.overlap())
		}
		err := f.source.read(ctx, f.db, q, from, f.env.Zone, sink{row: func(row rows.Row, m mark) error {
			if err := p.add(row, func() error { return flush(-1, false) }); err != nil {
				return err
			}
			if at.Marks[i].before(m) && !m.ahead(now) {
				at.Marks[i] = m
			}
			return nil
		}})
		if err != nil {
			return err
		}
	}
	if whole {
		if err := p.AllRejected(); err != nil {
			return fmt.Errorf("stream %s: %w", f.queries[0].Record, err)
		}
		at.Swept = now.Unix()
		return flush(1, true)
	}
	if !at.sweepDue(f.queries, now) {
		return flush(1, false)
	}
	// What has changed is kept, whatever becomes of the listing.
	if err := flush(-1, false); err != nil {
		return err
	}
	at.Swept = now.Unix()
	text, err := at.text()
	if err != nil {
		return fmt.Errorf("write the cursor of the stream %s: %w", f.queries[0].Record, err)
	}
	if err := f.list(ctx, text); err != nil {
		return fmt.Errorf("list everything to find what was deleted: %w", err)
	}
	return nil
}

var _ sources.Source = (*Source)(nil)
