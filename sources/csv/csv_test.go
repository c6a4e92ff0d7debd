package csv

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/b2bexporter/b2b_exporter/internal/record"
	"github.com/b2bexporter/b2b_exporter/sources"
	"github.com/b2bexporter/b2b_exporter/sources/internal/apiclient"
	"github.com/b2bexporter/b2b_exporter/sources/internal/rows"
)

const header = "id,customer,placed_at,currency,gross\n"

func line(id any) string { return fmt.Sprintf("%v,C1,2026-03-01,EUR,10\n", id) }

// lines returns the rows of the orders from first to last.
func lines(first, last int) string {
	var b strings.Builder
	for i := first; i <= last; i++ {
		b.WriteString(line(i))
	}
	return b.String()
}

func write(t testing.TB, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

func zip(t testing.TB, content string) string {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write([]byte(content)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func orderFiles(path string) File {
	return File{Path: path, Config: rows.Config{Record: record.KindOrder}}
}

func newSource(t testing.TB, files ...File) *Source {
	t.Helper()
	s, err := New("erp", Options{Files: files}, apiclient.Deps{})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func request(cursor string) sources.Request {
	return sources.Request{Environment: sources.Environment{Zone: time.UTC, Currency: "EUR"}, Stream: "order", Cursor: cursor}
}

// fetch returns the pages of orders and the error that ended them.
func fetch(t testing.TB, s *Source, cursor string) ([]sources.Page, error) {
	t.Helper()
	var pages []sources.Page
	err := s.Fetch(t.Context(), request(cursor), func(_ context.Context, p sources.Page) error {
		pages = append(pages, p)
		return nil
	})
	return pages, err
}

func ids(pages []sources.Page) []string {
	var ids []string
	for _, p := range pages {
		for _, r := range p.Records {
			ids = append(ids, r.RecordMeta().ID)
		}
	}
	return ids
}

// mustFetchAll fetches a stream that has one page.
func mustFetchAll(t *testing.T, s *Source) sources.Page {
	t.Helper()
	pages, err := fetch(t, s, "")
	if err != nil {
		t.Fatal(err)
	}
	if len(pages) != 1 || !pages[0].Sweep || pages[0].Cursor == "" || pages[0].Progress != 1 {
		t.Fatalf("pages %+v, want one that ends the stream", pages)
	}
	return pages[0]
}

func TestStreams(t *testing.T) {
	refunds := File{Path: "r.csv", Config: rows.Config{Record: record.KindRefund}}
	s := newSource(t, refunds, orderFiles("a.csv"), orderFiles("b.csv"))
	want := []sources.Stream{
		{Name: "order", Kinds: []record.Kind{record.KindOrder}, Whole: true},
		{Name: "refund", Kinds: []record.Kind{record.KindRefund}, Whole: true},
	}
	if diff := cmp.Diff(want, s.Streams()); diff != "" {
		t.Errorf("streams (-want +got):\n%s", diff)
	}
	err := s.Fetch(t.Context(), sources.Request{Stream: "deal"}, nil)
	if err == nil || err.Error() != `source erp has no stream "deal"` {
		t.Errorf("error %v", err)
	}
}

func TestFetchPages(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "orders-1.csv"), header+lines(1, 3*rows.PageRows-10))
	write(t, filepath.Join(dir, "orders-2.csv"), header+lines(3*rows.PageRows-9, 3*rows.PageRows+2)+"bad,C1,,EUR,1\n")
	write(t, filepath.Join(dir, "other.csv"), "unrelated")
	s := newSource(t, orderFiles(filepath.Join(dir, "orders-*.csv")))
	pages, err := fetch(t, s, "")
	if err != nil {
		t.Fatal(err)
	}
	if got := ids(pages); len(got) != 3*rows.PageRows+2 || got[0] != "1" || got[len(got)-1] != fmt.Sprint(3*rows.PageRows+2) {
		t.Errorf("%d records", len(got))
	}
	var progress float64
	for i, p := range pages {
		last := i == len(pages)-1
		if n := len(p.Records) + len(p.Rejected); !last && n != rows.PageRows || last && n != 3 {
			t.Errorf("page %d has %d rows", i, n)
		}
		if p.Sweep != last || (p.Cursor != "") != last {
			t.Errorf("page %d: sweep %v, cursor %q", i, p.Sweep, p.Cursor)
		}
		if p.Progress < progress || p.Progress <= 0 || p.Progress > 1 {
			t.Errorf("page %d: progress %v after %v", i, p.Progress, progress)
		}
		progress = p.Progress
	}
	if where := pages[1].Where(0); where != fmt.Sprintf("orders-1.csv:%d", rows.PageRows+2) {
		t.Errorf("the second page begins with %s", where)
	}
	if last := pages[3]; last.Where(len(last.Records)-1) != "orders-2.csv:13" {
		t.Errorf("the last record is %s", last.Where(len(last.Records)-1))
	}
	if len(pages) != 4 {
		t.Errorf("%d pages, want 4", len(pages))
	}
}

func TestFullLastPageCarriesCursor(t *testing.T) {
	path := filepath.Join(t.TempDir(), "orders.csv")
	write(t, path, header+lines(1, rows.PageRows))
	if page := mustFetchAll(t, newSource(t, orderFiles(path))); len(page.Records) != rows.PageRows {
		t.Errorf("%d records", len(page.Records))
	}
}

func TestHeaderOnlyIsEmptyStream(t *testing.T) {
	path := filepath.Join(t.TempDir(), "orders.csv")
	write(t, path, header)
	if page := mustFetchAll(t, newSource(t, orderFiles(path))); len(page.Records) != 0 {
		t.Errorf("%d records", len(page.Records))
	}
}

func TestReplay(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "orders.csv")
	write(t, path, header+line(1))
	entry := orderFiles(filepath.Join(dir, "*.csv"))
	cursor := mustFetchAll(t, newSource(t, entry)).Cursor
	reads := func(change string, entry File, zone *time.Location, want bool) {
		t.Helper()
		req := request(cursor)
		req.Zone = zone
		got := false
		err := newSource(t, entry).Fetch(t.Context(), req, func(_ context.Context, p sources.Page) error {
			got, cursor = true, p.Cursor
			return nil
		})
		if err != nil {
			t.Fatalf("%s: %v", change, err)
		}
		if got != want {
			t.Errorf("%s: read again is %v, want %v", change, got, want)
		}
	}
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	reads("nothing", entry, time.UTC, false)
	reads("report zone", entry, berlin, true)
	zoned := entry
	zoned.Timezone = berlin
	reads("file's zone, the same as the report zone", zoned, berlin, false)
	reads("report zone under a file's own", zoned, time.UTC, false)
	zoned.Decimal = ","
	reads("option", zoned, time.UTC, true)
	zoned.Columns = map[string]string{"id": "id", "placed_at": "placed_at", "currency": "currency", "gross": "gross"}
	reads("columns", zoned, time.UTC, true)
	later := time.Now().Add(time.Hour)
	if err := os.Chtimes(path, later, later); err != nil {
		t.Fatal(err)
	}
	reads("modification time", zoned, time.UTC, true)
	write(t, path+".new", header+line(2))
	if err := errors.Join(os.Chtimes(path+".new", later, later), os.Rename(path+".new", path)); err != nil {
		t.Fatal(err)
	}
	reads("another file of the same size and time", zoned, time.UTC, true)
	write(t, filepath.Join(dir, "new.csv"), header)
	reads("another file", zoned, time.UTC, true)
	reads("nothing", zoned, time.UTC, false)
}

func BenchmarkFetch(b *testing.B) {
	const n = 20_000
	var text strings.Builder
	text.WriteString("id,customer,placed_at,currency,gross,discount,country\n")
	for i := range n {
		fmt.Fprintf(&text, "%d,%d,2010-12-01T08:26:00+00:00,GBP,139.12,0,United Kingdom\n", 536365+i, 17850+i%100)
	}
	path := filepath.Join(b.TempDir(), "orders.csv")
	write(b, path, text.String())
	s := newSource(b, orderFiles(path))
	b.SetBytes(int64(text.Len()))
	b.ReportAllocs()
	for b.Loop() {
		read := 0
		err := s.Fetch(b.Context(), request(""), func(_ context.Context, p sources.Page) error {
			read += len(p.Records)
			return nil
		})
		if err != nil || read != n {
			b.Fatalf("%d records, error %v", read, err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/n, "ns/row")
}
