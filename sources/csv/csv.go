// Package csv reads records from CSV files, on a disk or at a URL: exports of systems
// that have no API of their own here. Files are read again as a whole when one of them changes.
package csv

import (
	"context"
	"fmt"

	"github.com/b2bexporter/b2b_exporter/internal/record"
	"github.com/b2bexporter/b2b_exporter/sources"
	"github.com/b2bexporter/b2b_exporter/sources/internal/apiclient"
	"github.com/b2bexporter/b2b_exporter/sources/internal/rows"
)

// Type is the name of the type in a configuration.
const Type = "csv"

// Source reads CSV files. Its streams are the kinds of record that the files hold.
type Source struct {
	name    string
	entries []entry
}

// New returns a source of the files in options. The error names the first option
// that is wrong. deps are for files at URLs.
func New(name string, options Options, deps apiclient.Deps) (*Source, error) {
	if err := options.check(); err != nil {
		return nil, fmt.Errorf("source %s: %w", name, err)
	}
	s := &Source{name: name}
	for i, f := range options.Files {
		e := entry{File: f}
		if f.Path == "" {
			client, err := f.Client(name, Type, deps, nil)
			if err != nil {
				return nil, fmt.Errorf("source %s: files[%d].%w", name, i, err)
			}
			e.download = &download{client: client, url: f.URL, name: f.name()}
		}
		s.entries = append(s.entries, e)
	}
	return s, nil
}

// Name returns the configured name.
func (s *Source) Name() string { return s.name }

// Type returns "csv".
func (s *Source) Type() string { return Type }

// Streams returns a stream for each kind of record, named after it.
func (s *Source) Streams() []sources.Stream {
	var streams []sources.Stream
	for _, k := range record.Kinds() {
		if len(s.stream(string(k))) > 0 {
			streams = append(streams, sources.Stream{Name: string(k), Kinds: []record.Kind{k}, Whole: true})
		}
	}
	return streams
}

// stream returns the entries of a stream.
func (s *Source) stream(name string) []entry {
	var entries []entry
	for _, e := range s.entries {
		if string(e.Record) == name {
			entries = append(entries, e)
		}
	}
	return entries
}

// Fetch reads all files of a stream if one of them, or the configuration, has
// changed since the cursor. Its last page sweeps. An error names the file; where a
// file changed while it was read, errors.Is(err, ErrChanged).
func (s *Source) Fetch(ctx context.Context, req sources.Request, emit sources.Emit) error {
	entries := s.stream(req.Stream)
	if len(entries) == 0 {
		return fmt.Errorf("source %s has no stream %q", s.name, req.Stream)
	}
	found, err := list(ctx, entries)
	if err != nil {
		return err
	}
	cursor, err := fingerprint(found, req.Zone)
	if err != nil || cursor == req.Cursor {
		return err
	}
	if err := load(ctx, found); err != nil {
		return err
	}
	p := &pager{Pager: rows.Pager{Emit: emit, Currency: req.Currency}}
	for _, l := range found {
		for _, f := range l.files {
			p.total += f.size()
		}
	}
	for _, l := range found {
		for _, f := range l.files {
			if err := p.read(ctx, f, l.entry.File, req.Environment); err != nil {
				return err
			}
		}
	}
	// Sweeping deletes: only if what was read is still all there is.
	again, err := relist(found)
	if err != nil {
		return err
	}
	switch now, err := fingerprint(again, req.Zone); {
	case err != nil:
		return err
	case now != cursor:
		return fmt.Errorf("files of stream %s: %w", req.Stream, ErrChanged)
	}
	return p.Flush(ctx, 1, cursor, true)
}

// pager gathers rows into pages and knows how far it is.
type pager struct {
	rows.Pager
	total int64 // bytes of all files
	done  int64 // bytes of the files that were read to their ends
}

// read adds the rows of one file and emits the pages that get full.
func (p *pager) read(ctx context.Context, f file, entry File, env sources.Environment) error {
	r, err := openRows(f, entry, env.Zone)
	if err != nil {
		return err
	}
	defer r.close()
	for {
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("read %s: %w", f.path, err)
		}
		converted, more, err := r.next()
		if err != nil {
			return err
		}
		if !more {
			break
		}
		// A full page waits for the next row: the last one is to carry the cursor.
		if p.Full() {
			if err := r.unchanged(); err != nil {
				return err
			}
			if err := p.Flush(ctx, p.progress(r.bytesRead()), "", false); err != nil {
				return err
			}
		}
		if err := p.Add(converted); err != nil {
			return err
		}
	}
	p.done += f.size()
	return r.unchanged()
}

func (p *pager) progress(bytes int64) float64 {
	if p.total == 0 {
		return -1
	}
	return min(1, float64(p.done+bytes)/float64(p.total))
}

var _ sources.Source = (*Source)(nil)
