package sourcetest

import (
	"context"
	"errors"
	"maps"
	"slices"
	"testing"

	"github.com/b2bexporter/b2b_exporter/internal/record"
	"github.com/b2bexporter/b2b_exporter/sources"
)

// script delivers pages, and finds what it is told.
type script struct {
	sources.Source
	pages    []sources.Page
	findings []sources.Finding
	asked    []sources.Request
}

func (s *script) Fetch(ctx context.Context, req sources.Request, emit sources.Emit) error {
	s.asked = append(s.asked, req)
	for _, page := range s.pages {
		if err := emit(ctx, page); err != nil {
			return err
		}
	}
	return nil
}

func (s *script) Check(context.Context, sources.Environment) []sources.Finding { return s.findings }

func orders(ids ...string) (list []record.Record) {
	for _, id := range ids {
		list = append(list, &record.Order{Meta: record.Meta{ID: id}})
	}
	return list
}

func TestPollerKeepsPages(t *testing.T) {
	s := &script{}
	p := NewPoller(t, func() sources.Environment { return sources.Environment{Currency: "EUR"} })
	p.Source = s
	for _, test := range []struct {
		name   string
		pages  []sources.Page
		want   []string
		cursor string
	}{
		{"the first", []sources.Page{{Records: orders("1", "2", "3"), Cursor: "a"}, {Records: orders("4")}}, []string{"1", "2", "3", "4"}, "a"},
		{"a deletion", []sources.Page{{Records: []record.Record{record.Tombstone(record.KindOrder, "1")}, Cursor: "b"}}, []string{"2", "3", "4"}, "b"},
		{
			"a sweep keeps what was read or rejected",
			[]sources.Page{{Records: orders("3")}, {Rejected: []sources.Rejection{{ID: "4"}}, Sweep: true}},
			[]string{"3", "4"},
			"b",
		},
	} {
		s.pages = test.pages
		p.Poll("order")
		if got := slices.Sorted(maps.Keys(p.Held["order"])); !slices.Equal(got, test.want) || p.Cursors["order"] != test.cursor || len(p.Pages) != len(test.pages) {
			t.Errorf("%s: %v are held, the cursor is %q, of %d pages; want %v, %q", test.name, got, p.Cursors["order"], len(p.Pages), test.want, test.cursor)
		}
	}
	if last := s.asked[2]; last.Stream != "order" || last.Cursor != "b" || last.Currency != "EUR" || len(p.Rejected) != 1 {
		t.Errorf("asked for %+v; %d are rejected", last, len(p.Rejected))
	}
	stop := errors.New("stop")
	p.OnPage = func(sources.Page) error { return stop }
	s.pages = []sources.Page{{Records: orders("5"), Cursor: "c"}}
	if err := p.TryPoll("order"); !errors.Is(err, stop) || p.Held["order"]["5"] != nil || p.Cursors["order"] != "b" {
		t.Errorf("got %v, %v are held", err, p.Held["order"])
	}
}

func TestPollerChecks(t *testing.T) {
	p := NewPoller(t, func() sources.Environment { return sources.Environment{} })
	p.Source = &script{findings: []sources.Finding{{Subject: "a", Detail: "well"}, {Subject: "b", Err: errors.New("bad")}}}
	if got, want := p.Check(), map[string]string{"a": "well", "b": "ERROR bad"}; !maps.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}
