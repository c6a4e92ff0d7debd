package static

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/b2bexporter/b2b_exporter/internal/record"
	"github.com/b2bexporter/b2b_exporter/sources"
)

func someCosts() []record.Cost {
	return []record.Cost{
		{Meta: record.Meta{ID: "team"}, Name: "team", Category: record.CostSales, Currency: "EUR", Amount: record.Micros(5), Period: record.PeriodMonth, To: record.NoDay},
		{Meta: record.Meta{ID: "fair"}, Name: "fair", Category: record.CostMarketing, Currency: "EUR", Amount: record.Micros(7), Period: record.PeriodOnce},
	}
}

func someRates() []record.Rate {
	return []record.Rate{{
		Meta: record.Meta{ID: "USD@2026-01-01"}, Day: 20454, Currency: "USD", Reference: "EUR",
		PerReference: record.Decimal{Coefficient: 11, Scale: 1, Known: true},
	}}
}

func fetch(t *testing.T, s *Source, stream, cursor string) []sources.Page {
	t.Helper()
	var pages []sources.Page
	err := s.Fetch(t.Context(), sources.Request{Stream: stream, Cursor: cursor}, func(_ context.Context, p sources.Page) error {
		pages = append(pages, p)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return pages
}

func TestFetch(t *testing.T) {
	costs, rates := someCosts(), someRates()
	s := New("config", costs, rates)
	for stream, want := range map[string][]record.Record{"cost": {&costs[0], &costs[1]}, "rate": {&rates[0]}} {
		pages := fetch(t, s, stream, "")
		if len(pages) != 1 || !pages[0].Sweep || pages[0].Cursor == "" || pages[0].Progress != 1 {
			t.Fatalf("%s: pages %+v, want one that ends the stream", stream, pages)
		}
		if diff := cmp.Diff(want, pages[0].Records, cmpopts.IgnoreUnexported(record.Amount{}, record.Decimal{})); diff != "" {
			t.Errorf("%s (-want +got):\n%s", stream, diff)
		}
		if again := fetch(t, s, stream, pages[0].Cursor); again != nil {
			t.Errorf("%s: what has not changed is emitted again", stream)
		}
	}
}

func TestChangedContentIsEmitted(t *testing.T) {
	cursor := fetch(t, New("config", someCosts(), nil), "cost", "")[0].Cursor
	changed := someCosts()
	changed[1].Amount = record.Micros(8)
	if pages := fetch(t, New("config", changed, nil), "cost", cursor); len(pages) != 1 {
		t.Errorf("changed costs: %d pages", len(pages))
	}
	renamed := someCosts()
	renamed[1].ID = "fair-2"
	if pages := fetch(t, New("config", renamed, nil), "cost", cursor); len(pages) != 1 {
		t.Errorf("changed ID: %d pages", len(pages))
	}
	pages := fetch(t, New("config", nil, nil), "cost", cursor)
	if len(pages) != 1 || len(pages[0].Records) != 0 || !pages[0].Sweep {
		t.Errorf("removed costs: %+v, want a page that sweeps them", pages)
	}
}

// Sealing and the like happen in place.
func TestRecordsAreCopies(t *testing.T) {
	s := New("config", someCosts(), nil)
	fetch(t, s, "cost", "")[0].Records[0].(*record.Cost).Name = "changed"
	if got := fetch(t, s, "cost", "")[0].Records[0].(*record.Cost).Name; got != "team" {
		t.Errorf("the name became %s", got)
	}
}

func TestSource(t *testing.T) {
	s := New("config", someCosts(), someRates())
	if s.Name() != "config" || s.Type() != "static" || len(s.Streams()) != 2 {
		t.Errorf("name %s, type %s, streams %v", s.Name(), s.Type(), s.Streams())
	}
	if got := s.Check(t.Context(), sources.Environment{}); len(got) != 1 || got[0].Err != nil || got[0].Detail != "2 costs, 1 exchange rates" {
		t.Errorf("check: %+v", got)
	}
	if err := s.Fetch(t.Context(), sources.Request{Stream: "order"}, nil); err == nil || err.Error() != `source config has no stream "order"` {
		t.Errorf("error %v", err)
	}
}
