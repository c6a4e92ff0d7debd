package poll

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/b2bexporter/b2b_exporter/internal/ledger"
	"github.com/b2bexporter/b2b_exporter/internal/record"
	"github.com/b2bexporter/b2b_exporter/sources"
)

type recorder struct {
	commits []Commit
	ends    []End
}

func (r *recorder) Committed(c Commit) { r.commits = append(r.commits, c) }
func (r *recorder) Ended(e End)        { r.ends = append(r.ends, e) }

func TestOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, _ := newPoller(t)
		var seen recorder
		p.Observer = &seen
		now := time.Now()
		var requests []sources.Request
		src := &fakeSource{name: "shop", fetch: func(ctx context.Context, req sources.Request, emit sources.Emit) error {
			requests = append(requests, req)
			time.Sleep(time.Second)
			if err := emit(ctx, sources.Page{
				Records: []record.Record{order("1", now.Add(-time.Hour)), order("2", now.Add(time.Hour))},
				Cursor:  "page 2", Progress: 0.5, Rounded: 2,
			}); err != nil {
				return err
			}
			return emit(ctx, sources.Page{
				Rejected: []sources.Rejection{{Kind: record.KindOrder, Reason: "bad amount"}}, Cursor: "end", Progress: 1, Truncated: true, Rounded: 1,
			})
		}}
		if err := p.Once(t.Context(), src); err != nil {
			t.Fatal(err)
		}
		wantCommits := []Commit{
			{
				Source: "shop", Stream: "orders", Progress: 0.5, DataTime: now.Add(-time.Hour),
				Counts: ledger.Counts{record.KindOrder: {ledger.Inserted: 2}},
			},
			{
				Source: "shop", Stream: "orders", Progress: 1, Truncated: true,
				Counts: ledger.Counts{record.KindOrder: {ledger.Rejected: 1}},
			},
		}
		if diff := cmp.Diff(wantCommits, seen.commits); diff != "" {
			t.Errorf("commits (-want +got):\n%s", diff)
		}
		wantEnds := []End{{
			Source: "shop", Stream: "orders", At: now.Add(time.Second), Took: time.Second, Rounded: 3, Truncated: true,
			Counts: ledger.Counts{record.KindOrder: {ledger.Inserted: 2, ledger.Rejected: 1}},
		}}
		if diff := cmp.Diff(wantEnds, seen.ends); diff != "" {
			t.Errorf("ends (-want +got):\n%s", diff)
		}
		want := ledger.Stream{
			Source: "shop", Name: "orders", Complete: true, Truncated: true,
			LastAttempt: now, LastSuccess: now.Add(time.Second), DataTime: now.Add(-time.Hour),
		}
		if diff := cmp.Diff(want, streamOf(t, p.Ledger, "shop", "orders")); diff != "" {
			t.Errorf("stream (-want +got):\n%s", diff)
		}
		if err := p.Once(t.Context(), src); err != nil {
			t.Fatal(err)
		}
		if requests[0].Cursor != "" || requests[1].Cursor != "end" {
			t.Errorf("cursors %q and %q, want none and the last committed", requests[0].Cursor, requests[1].Cursor)
		}
		if req := requests[1]; req.Zone.String() != "Europe/Berlin" || req.Currency != "EUR" || !req.Now.Equal(now.Add(time.Second)) {
			t.Errorf("environment %+v", req.Environment)
		}
	})
}

func TestOnceReadsTheOtherStreams(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, _ := newPoller(t)
		refused := errors.New("refused")
		src := &fakeSource{name: "shop", streams: []string{"a", "b", "c"}, fetch: func(ctx context.Context, req sources.Request, emit sources.Emit) error {
			if req.Stream == "b" {
				return refused
			}
			return emit(ctx, sources.Page{Records: []record.Record{order(req.Stream, time.Now())}})
		}}
		err := p.Once(t.Context(), src)
		if !errors.Is(err, refused) || err.Error() != "source shop, stream b: refused" {
			t.Errorf("error %v", err)
		}
		if n := orders(t, p.Ledger); n != 2 {
			t.Errorf("%d orders, want those of a and c", n)
		}
		if got := streamOf(t, p.Ledger, "shop", "b"); got.Error != "source shop, stream b: refused" || got.Complete {
			t.Errorf("stream b: %+v", got)
		}
	})
}

// A source that goes on after a page that was not committed must not lose it.
func TestNothingIsCommittedAfterAFailedPage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, _ := newPoller(t)
		src := &fakeSource{name: "shop", fetch: func(ctx context.Context, _ sources.Request, emit sources.Emit) error {
			cancelled, cancel := context.WithCancel(ctx)
			cancel()
			_ = emit(cancelled, sources.Page{Records: []record.Record{order("1", time.Now())}, Cursor: "1"})
			_ = emit(ctx, sources.Page{Records: []record.Record{order("2", time.Now())}, Cursor: "2"})
			return nil
		}}
		if err := p.Once(t.Context(), src); !errors.Is(err, context.Canceled) {
			t.Errorf("error %v, want that of the first page", err)
		}
		if n := orders(t, p.Ledger); n != 0 {
			t.Errorf("%d orders were committed", n)
		}
		if got := streamOf(t, p.Ledger, "shop", "orders"); got.Complete || got.Error == "" {
			t.Errorf("stream %+v, want a failed one", got)
		}
	})
}

func TestBadPages(t *testing.T) {
	for name, test := range map[string]struct {
		rec  record.Record
		want string
	}{
		"nil":        {nil, "record 1 of a page is nil"},
		"nil order":  {(*record.Order)(nil), "record 1 of a page is nil"},
		"other kind": {&record.Lead{Meta: record.Meta{ID: "1"}}, "record 1 of a page is of kind lead"},
	} {
		t.Run(name, func(t *testing.T) {
			p, _ := newPoller(t)
			src := &fakeSource{name: "shop", fetch: func(ctx context.Context, _ sources.Request, emit sources.Emit) error {
				return emit(ctx, sources.Page{Records: []record.Record{order("1", time.Now()), test.rec}})
			}}
			if err := p.Once(t.Context(), src); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v, want %q in it", err, test.want)
			}
			if n := orders(t, p.Ledger); n != 0 {
				t.Errorf("%d orders of the bad page were committed", n)
			}
		})
	}
}

func TestRejectionsAreLoggedOncePerReason(t *testing.T) {
	p, logged := newPoller(t)
	src := &fakeSource{name: "shop", whole: true, fetch: func(ctx context.Context, _ sources.Request, emit sources.Emit) error {
		other := order("1", time.Now())
		other.Country = "DE"
		return emit(ctx, sources.Page{
			Records: []record.Record{order("1", time.Unix(0, 0)), other},
			Where:   func(i int) string { return []string{"line 1", "line 2"}[i] },
			Rejected: []sources.Rejection{
				{Kind: record.KindOrder, ID: "7", Reason: "bad amount", Where: "line 3"},
				{Kind: record.KindOrder, Reason: "bad amount", Where: "line 4"},
				{Kind: record.KindOrder, Reason: "bad date", Where: "line 5"},
			},
		})
	}}
	for range 3 {
		if err := p.Once(t.Context(), src); err != nil {
			t.Fatal(err)
		}
	}
	for _, want := range []string{"bad amount", "bad date", "duplicate id"} {
		warnings := 0
		for line := range strings.Lines(logged.String()) {
			if strings.Contains(line, "level=WARN") && strings.Contains(line, want) {
				warnings++
			}
		}
		if warnings != 1 {
			t.Errorf("%d warnings of %q, want 1", warnings, want)
		}
	}
	if text := logged.String(); !strings.Contains(text, `reason="duplicate id" where="line 2"`) || strings.Count(text, "line 4") != 3 {
		t.Errorf("logged:\n%s", text)
	}
}

// A sweep keeps the record that was rejected by its ID.
func TestRejectedRecordsStay(t *testing.T) {
	p, _ := newPoller(t)
	var rejected []sources.Rejection
	src := &fakeSource{name: "shop", fetch: func(ctx context.Context, req sources.Request, emit sources.Emit) error {
		if req.Cursor == "" {
			return emit(ctx, sources.Page{Records: []record.Record{order("1", time.Unix(0, 0)), order("2", time.Unix(0, 0))}, Cursor: "c"})
		}
		return emit(ctx, sources.Page{Rejected: rejected, Sweep: true})
	}}
	for _, step := range []struct {
		rejected []sources.Rejection
		want     int64
	}{
		{nil, 2},
		{[]sources.Rejection{{Kind: record.KindOrder, ID: "2", Reason: "bad amount"}}, 1},
		{nil, 0},
	} {
		rejected = step.rejected
		if err := p.Once(t.Context(), src); err != nil {
			t.Fatal(err)
		}
		if n := orders(t, p.Ledger); n != step.want {
			t.Errorf("%d orders, want %d", n, step.want)
		}
	}
}

func TestDataTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // it is midnight, UTC, of 2000-01-01
		p, _ := newPoller(t)
		day := func(d int) record.Instant { return record.OnDate(record.DateDay(2000, time.January, d)) }
		berlin := func(d int) time.Time { return time.Date(2000, time.January, d, 0, 0, 0, 0, p.Ledger.Settings().Zone) }
		for name, test := range map[string]struct {
			records []record.Record
			want    time.Time
		}{
			"nothing":  {nil, time.Time{}},
			"no dates": {[]record.Record{&record.Order{}}, time.Time{}},
			"newest of all dates": {[]record.Record{
				order("1", time.Now().Add(-3*time.Hour)),
				&record.Order{PlacedAt: record.At(time.Now().Add(-4 * time.Hour)), PaidAt: record.At(time.Now().Add(-2 * time.Hour))},
			}, time.Now().Add(-2 * time.Hour)},
			"now":              {[]record.Record{order("1", time.Now())}, time.Now()},
			"the future":       {[]record.Record{order("1", time.Now().Add(time.Microsecond))}, time.Time{}},
			"a day in Berlin":  {[]record.Record{&record.Order{PlacedAt: day(1)}}, berlin(1)},
			"a day to come":    {[]record.Record{&record.Order{PlacedAt: day(2)}}, time.Time{}},
			"deleted":          {[]record.Record{&record.Order{Meta: record.Meta{Deleted: true}, PlacedAt: day(1)}}, time.Time{}},
			"days of validity": {[]record.Record{&record.Rate{Day: record.DateDay(1999, time.May, 1)}}, time.Time{}},
		} {
			got := (&reading{p: p}).dataTime(sources.Page{Records: test.records})
			if !got.Equal(test.want) {
				t.Errorf("%s: %s, want %s", name, got, test.want)
			}
		}
	})
}

// To be stopped is no failure of the source: after a restart it is as it was before.
func TestInterruptedReading(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, _ := newPoller(t)
		block := false
		src := &fakeSource{name: "shop", streams: []string{"a", "b"}, fetch: func(ctx context.Context, req sources.Request, emit sources.Emit) error {
			if !block {
				return nil
			}
			if err := emit(ctx, sources.Page{Records: []record.Record{order(req.Stream, time.Now())}, Cursor: "1"}); err != nil {
				return err
			}
			<-ctx.Done()
			return ctx.Err()
		}}
		if err := p.Once(t.Context(), src); err != nil {
			t.Fatal(err)
		}
		before := streamOf(t, p.Ledger, "shop", "a")
		block = true
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := p.Once(ctx, src); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("error %v, want that of the context", err)
		}
		after := streamOf(t, p.Ledger, "shop", "a")
		after.DataTime = before.DataTime
		if diff := cmp.Diff(before, after); diff != "" {
			t.Errorf("the stream's state changed (-before +after):\n%s", diff)
		}
		if n := orders(t, p.Ledger); n != 1 {
			t.Errorf("%d orders, want that of the page before the stop: nothing of b", n)
		}
	})
}

func TestOnceTellsOfALedgerThatFails(t *testing.T) {
	p, _ := newPoller(t)
	var seen recorder
	p.Observer = &seen
	if err := p.Ledger.Close(); err != nil {
		t.Fatal(err)
	}
	src := &fakeSource{name: "shop", fetch: func(context.Context, sources.Request, sources.Emit) error { return nil }}
	if err := p.Once(t.Context(), src); err == nil {
		t.Error("no error of a closed ledger")
	}
	if len(seen.ends) != 1 || seen.ends[0].Err == nil {
		t.Errorf("the observer heard %+v, want one failure", seen.ends)
	}
}
