package sourcetest

import (
	"context"
	"testing"

	"github.com/b2bexporter/b2b_exporter/internal/record"
	"github.com/b2bexporter/b2b_exporter/sources"
)

// Poller polls a source and keeps what it gets by the rules of sources.Page, for tests
// that look at the records themselves.
type Poller struct {
	// Source is polled. A test replaces it as a restart does.
	Source sources.Source
	// Environment returns what a request says of the company.
	Environment func() sources.Environment
	// OnPage sees a page before it is kept; its error ends the poll. It may be nil.
	OnPage func(sources.Page) error

	Cursors  map[string]string                   // by stream
	Held     map[string]map[string]record.Record // by stream and ID
	Rejected []sources.Rejection                 // by all polls
	Pages    []sources.Page                      // of the last poll

	t *testing.T
}

// NewPoller returns a Poller without a source.
func NewPoller(t *testing.T, environment func() sources.Environment) *Poller {
	return &Poller{Environment: environment, Cursors: map[string]string{}, Held: map[string]map[string]record.Record{}, t: t}
}

// TryPoll polls a stream.
func (p *Poller) TryPoll(stream string) error {
	p.Pages = nil
	if p.Held[stream] == nil {
		p.Held[stream] = map[string]record.Record{}
	}
	held, seen := p.Held[stream], map[string]bool{}
	req := sources.Request{Environment: p.Environment(), Stream: stream, Cursor: p.Cursors[stream]}
	return p.Source.Fetch(p.t.Context(), req, func(_ context.Context, page sources.Page) error {
		if p.OnPage != nil {
			if err := p.OnPage(page); err != nil {
				return err
			}
		}
		p.Pages = append(p.Pages, page)
		p.Rejected = append(p.Rejected, page.Rejected...)
		for _, r := range page.Rejected {
			seen[r.ID] = true
		}
		for _, r := range page.Records {
			id := r.RecordMeta().ID
			seen[id] = true
			held[id] = r
			if r.RecordMeta().Deleted {
				delete(held, id)
			}
		}
		for id, r := range held {
			if page.Sweep && !seen[id] && dated(r) >= sweepFrom(page) {
				delete(held, id)
			}
		}
		if page.Cursor != "" {
			p.Cursors[stream] = page.Cursor
		}
		return nil
	})
}

// Poll polls a stream and ends the test where that fails.
func (p *Poller) Poll(stream string) {
	p.t.Helper()
	if err := p.TryPoll(stream); err != nil {
		p.t.Fatal(err)
	}
}

// Check returns what the source's check finds, by subject; errors begin with "ERROR ".
func (p *Poller) Check() map[string]string {
	texts := map[string]string{}
	for _, f := range p.Source.Check(p.t.Context(), p.Environment()) {
		texts[f.Subject] = f.Detail
		if f.Err != nil {
			texts[f.Subject] = "ERROR " + f.Err.Error()
		}
	}
	return texts
}
