package sql

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/b2bexporter/b2b_exporter/internal/config"
	"github.com/b2bexporter/b2b_exporter/internal/record"
	"github.com/b2bexporter/b2b_exporter/sources"
	"github.com/b2bexporter/b2b_exporter/sources/internal/rows"
)

// million is how many rows the engines list at once.
const million = 1_000_000

func berlin(t *testing.T) *time.Location {
	t.Helper()
	zone, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	return zone
}

func environment(t *testing.T) sources.Environment {
	t.Helper()
	return sources.Environment{Zone: berlin(t), Currency: "EUR", Now: time.Date(2026, 3, 2, 9, 30, 0, 0, time.UTC)}
}

// open returns a source of queries for orders, in EUR.
func open(t *testing.T, driver, dsn string, queries ...Query) *Source {
	t.Helper()
	for i := range queries {
		if queries[i].Record == "" {
			queries[i].Record = record.KindOrder
		}
	}
	src, err := New("warehouse", Options{Driver: driver, DSN: config.FileSecret(secretFile(t, dsn)), Queries: queries})
	if err != nil {
		t.Fatal(err)
	}
	return src
}

func orders(statement string) Query { return Query{Query: statement} }

// result is what a Fetch emitted.
type result struct {
	records  map[string]record.Record
	rejected []string
	pages    int
	swept    bool
	cursor   string
}

func fetchAll(t *testing.T, src *Source, stream, cursor string, page func(n int)) (result, error) {
	t.Helper()
	got := result{records: map[string]record.Record{}, cursor: cursor}
	err := src.Fetch(t.Context(), sources.Request{Environment: environment(t), Stream: stream, Cursor: cursor}, func(_ context.Context, p sources.Page) error {
		for _, r := range p.Records {
			got.records[r.RecordMeta().ID] = r
		}
		for _, r := range p.Rejected {
			got.rejected = append(got.rejected, r.ID+": "+r.Reason+": "+r.Detail)
		}
		if p.Cursor != "" {
			got.cursor = p.Cursor
		}
		got.swept = got.swept || p.Sweep
		got.pages++
		if page != nil {
			page(got.pages)
		}
		return nil
	})
	return got, err
}

func at(t *testing.T, text string) record.Instant {
	t.Helper()
	moment, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		t.Fatal(err)
	}
	return record.At(moment)
}

// checkOrders compares what a query gives; rejected are the rejected rows.
func checkOrders(t *testing.T, s *server, statement string, want []*record.Order, rejected []string) {
	t.Helper()
	q := orders(statement)
	q.Decimal = "," // of texts: numbers of a database have a point
	got, err := fetchAll(t, open(t, s.driver, s.dsn(s.address), q), "order", "", nil)
	if err != nil {
		t.Fatal(err)
	}
	byID := map[string]record.Record{}
	for _, r := range want {
		r.Currency = "EUR"
		byID[r.ID] = r
	}
	if diff := cmp.Diff(byID, got.records, cmpopts.IgnoreUnexported(record.Instant{}, record.Amount{})); diff != "" {
		t.Errorf("records (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(rejected, got.rejected); diff != "" {
		t.Errorf("rejected (-want +got):\n%s", diff)
	}
}

// broken is a query that fails.
type broken struct {
	dsn, query string
	timeout    time.Duration
	want       string // a pattern
}

// checkErrors runs queries that fail, in a Fetch and in a check.
func checkErrors(t *testing.T, s *server, cases map[string]broken) {
	t.Helper()
	for _, name := range slices.Sorted(maps.Keys(cases)) {
		c := cases[name]
		t.Run(name, func(t *testing.T) {
			if c.dsn == "" {
				c.dsn = s.dsn(s.address)
			}
			src := open(t, s.driver, c.dsn, orders(c.query))
			src.options.Timeout = c.timeout
			got, err := fetchAll(t, src, "order", "", nil)
			if err == nil {
				t.Fatalf("no error, but %d records", len(got.records))
			}
			if got.swept {
				t.Error("a Fetch that failed has swept")
			}
			texts := []string{err.Error(), fmt.Sprintf("%+v", err)}
			for _, f := range src.Check(t.Context(), environment(t)) {
				if f.Err == nil {
					t.Errorf("the check of %s found nothing wrong: %s", f.Subject, f.Detail)
					continue
				}
				texts = append(texts, f.Err.Error(), f.Detail)
			}
			pattern := regexp.MustCompile(c.want)
			if !pattern.MatchString(texts[0]) || !pattern.MatchString(texts[2]) {
				t.Errorf("errors\n%s\nwant %s", strings.Join(texts, "\n"), c.want)
			}
			for _, text := range texts {
				noSecret(t, text)
				if strings.Contains(text, "jane@muster.example") {
					t.Errorf("a value of a row is shown: %s", text)
				}
			}
		})
	}
}

// checkMillion reads a table "many" of a million rows, over a network that breaks in the
// middle.
func checkMillion(t *testing.T, s *server) {
	t.Helper()
	network := startProxy(t, s.address)
	none := time.Duration(0)
	src := open(t, s.driver, s.dsn(network.address), Query{
		Query:     "SELECT id, placed_at, gross, 'EUR' AS currency FROM many WHERE placed_at >= :cursor ORDER BY placed_at, id",
		Increment: &Increment{Column: "placed_at", From: "1971-01-01", Overlap: &none},
	})
	held := make([]int64, million+1) // by ID: the amount
	cursor, effects, read, pages := "", 0, 0, 0
	swept := false
	// Early: what is under way when the connection breaks still arrives, and on loopback that is
	// megabytes.
	breakAt := 20
	before, most := liveHeap(), uint64(0)
	emit := func(_ context.Context, p sources.Page) error {
		for _, r := range p.Records {
			id, err := strconv.Atoi(r.RecordMeta().ID)
			if err != nil {
				return err
			}
			if amount := r.(*record.Order).Gross.Micros; held[id] != amount {
				held[id] = amount
				effects++
			}
		}
		read += len(p.Records)
		if len(p.Rejected) > 0 {
			return fmt.Errorf("rejected: %v", p.Rejected[0])
		}
		if p.Cursor != "" {
			cursor = p.Cursor
		}
		swept = swept || p.Sweep
		if pages++; pages%25 == 0 {
			most = max(most, liveHeap())
		}
		if pages == breakAt {
			network.breakAll()
		}
		return nil
	}
	request := sources.Request{Environment: environment(t), Stream: "order"}
	err := src.Fetch(t.Context(), request, emit)
	if err == nil {
		t.Fatalf("no error after %d rows, though the connection was cut", read)
	}
	if !strings.HasPrefix(err.Error(), "queries[0]: read the rows after row ") {
		t.Errorf("a cut connection is shown as %v", err)
	}
	if swept || cursor == "" || read < breakAt*rows.PageRows || read == million {
		t.Fatalf("after the cut: swept %v, cursor %q, %d rows", swept, cursor, read)
	}
	request.Cursor = cursor
	if err := src.Fetch(t.Context(), request, emit); err != nil {
		t.Fatal(err)
	}
	if effects != million {
		t.Errorf("%d effects of %d rows", effects, million)
	}
	if again := read - million; again > rows.PageRows {
		t.Errorf("%d rows were read again after the cut", again)
	}
	for id := 1; id <= million; id++ {
		if want := int64(id) * 10_000; held[id] != want {
			t.Fatalf("order %d has the amount %d, want %d", id, held[id], want)
		}
	}
	const bound = 48 << 20
	if most > before+bound {
		t.Errorf("the heap grew from %d to %d bytes, by more than %d", before, most, bound)
	}
	t.Logf("%d pages, the heap grew by %d KiB", pages, (int64(most)-int64(before))/1024)
	// What has changed since is little.
	request.Cursor, read, breakAt = cursor, 0, -1
	if err := src.Fetch(t.Context(), request, emit); err != nil || read != 1 || effects != million {
		t.Errorf("a poll without changes: %v, %d rows, %d effects in all", err, read, effects)
	}
}

func liveHeap() uint64 {
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return stats.HeapAlloc
}

// checkWhole lists a million rows without an increment, breaks the connection and lists again.
func checkCutListing(t *testing.T, s *server) {
	t.Helper()
	network := startProxy(t, s.address)
	src := open(t, s.driver, s.dsn(network.address), orders("SELECT id, placed_at, gross, 'EUR' AS currency FROM many WHERE id <= 30000"))
	if streams := src.Streams(); len(streams) != 1 || !streams[0].Whole {
		t.Errorf("streams %+v, want one that is whole", streams)
	}
	network.breakAfter(300_000)
	got, err := fetchAll(t, src, "order", "", nil)
	if err == nil || got.swept || len(got.records) == 30_000 {
		t.Errorf("a listing that was cut: %v, swept %v, %d records", err, got.swept, len(got.records))
	}
	got, err = fetchAll(t, src, "order", got.cursor, nil)
	if err != nil || !got.swept || len(got.records) != 30_000 {
		t.Errorf("a whole listing: %v, swept %v, %d records", err, got.swept, len(got.records))
	}
	// A check reads little of it.
	for _, f := range src.Check(t.Context(), environment(t)) {
		if f.Err != nil || !strings.Contains(f.Detail, "of the first 100 rows 0 rejected") {
			t.Errorf("check: %v, %s", f.Err, f.Detail)
		}
	}
}

// checkCancelled cancels a Fetch in the middle.
func checkCancelled(t *testing.T, s *server) {
	t.Helper()
	src := open(t, s.driver, s.dsn(s.address), orders("SELECT id, placed_at, gross, 'EUR' AS currency FROM many"))
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	err := src.Fetch(ctx, sources.Request{Environment: environment(t), Stream: "order"}, func(context.Context, sources.Page) error {
		cancel()
		return nil
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("a Fetch that was cancelled returned %v", err)
	}
	stop := errors.New("the ledger is full")
	err = src.Fetch(t.Context(), sources.Request{Environment: environment(t), Stream: "order"}, func(context.Context, sources.Page) error { return stop })
	if !errors.Is(err, stop) {
		t.Errorf("for an error of Emit, Fetch returned %v", err)
	}
}
