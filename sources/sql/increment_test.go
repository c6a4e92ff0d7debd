package sql

import (
	"context"
	"fmt"
	"maps"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/b2bexporter/b2b_exporter/internal/config"
	"github.com/b2bexporter/b2b_exporter/internal/record"
	"github.com/b2bexporter/b2b_exporter/sources"
	"github.com/b2bexporter/b2b_exporter/sources/internal/rows"
)

// A row that is dated in the future is read, and hides no change that comes after it.
func TestDatedInTheFuture(t *testing.T) {
	now := environment(t).Now
	b := &table{rows: map[int]httpRow{}}
	account := b.account()
	server := httptest.NewServer(account.Handler)
	defer server.Close()
	put := func(id int, ahead time.Duration) { account.Put(id, record.Micros(int64(id)), now.Add(ahead)) }
	put(1, -3*time.Hour)
	put(2, -2*time.Hour)
	put(3, 73*365*24*time.Hour)
	put(4, 12*time.Hour) // as the table's zone has it
	q := Query{
		Query: "SELECT * FROM orders WHERE changed >= :cursor ORDER BY changed, id", Increment: &Increment{Column: "changed", From: "2000-01-01"},
		Config: rows.Config{Record: record.KindOrder, Columns: map[string]string{"id": "id", "placed_at": "placed_at", "gross": "gross", "currency": "=EUR"}},
	}
	dsn := strings.Replace(server.URL, "://", "://reader:"+testPassword+"@", 1)
	src, err := newSource("warehouse", Options{DSN: config.LiteralSecret(dsn), Queries: []Query{q}}, httpEngine{transport: server.Client().Transport})
	if err != nil {
		t.Fatal(err)
	}
	cursor := ""
	for _, poll := range []struct {
		id    int // of the row that has changed
		ahead time.Duration
		want  string
	}{
		{1, -time.Hour, "[1 2 3 4]"},
		{2, 12*time.Hour + time.Minute, "[2 3 4]"},
		{5, 12*time.Hour + 2*time.Minute, "[2 3 4 5]"},
		{6, 13 * time.Hour, "[2 3 4 5 6]"},
		{1, 14 * time.Hour, "[1 3 6]"},
	} {
		put(poll.id, poll.ahead)
		got, err := fetchAll(t, src, "order", cursor, nil)
		if ids := fmt.Sprint(slices.Sorted(maps.Keys(got.records))); err != nil || ids != poll.want {
			t.Errorf("after a change of %d: %s, want %s; error %v", poll.id, ids, poll.want, err)
		}
		cursor = got.cursor
	}
}

// checkIncrements tries increments on a table "changes" of PostgreSQL.
func checkIncrements(t *testing.T, s *server) {
	t.Helper()
	s.exec(t,
		"CREATE TABLE changes (id int PRIMARY KEY, n int, day date, at timestamptz)",
		"INSERT INTO changes SELECT n, n, date '2026-01-01' + n, timestamptz '2026-03-01 00:00:00Z' + n * interval '1 minute' FROM generate_series(1, 30) n",
	)
	list := func(where string) string {
		return "SELECT id, at AS placed_at, 1 AS gross, 'EUR' AS currency, n, day, at, id::text AS name FROM changes WHERE " + where
	}
	for name, c := range map[string]struct {
		increment Increment
		order     string
		again     int // rows that the next poll reads
	}{
		"number": {Increment{Column: "n", From: "0"}, "n", 1},
		"day":    {Increment{Column: "day", From: "2020-01-01"}, "day", 2},
		"moment": {Increment{Column: "at", From: "2020-01-01"}, "at", 11},
	} {
		t.Run(name, func(t *testing.T) {
			src := open(t, s.driver, s.dsn(s.address), Query{Query: list(c.order + " >= :cursor ORDER BY " + c.order), Increment: &c.increment})
			first, err := fetchAll(t, src, "order", "", nil)
			if err != nil || len(first.records) != 30 || !first.swept {
				t.Fatalf("first: %d records, swept %v, %v", len(first.records), first.swept, err)
			}
			next, err := fetchAll(t, src, "order", first.cursor, nil)
			if err != nil || len(next.records) != c.again || next.swept {
				t.Errorf("next: %d records, want %d; swept %v, %v", len(next.records), c.again, next.swept, err)
			}
			// Another query is another listing.
			src.queries[0].Query.Query += ", id"
			anew, err := fetchAll(t, src, "order", next.cursor, nil)
			if err != nil || len(anew.records) != 30 || !anew.swept {
				t.Errorf("with another query: %d records, swept %v, %v", len(anew.records), anew.swept, err)
			}
		})
	}
	for name, c := range map[string]struct {
		column, from, order, want string
	}{
		"not ordered":      {"n", "0", "n DESC", `queries[0], row 2: column "n" is less than in the row before: end the query with ORDER BY n`},
		"no such column":   {"changed", "0", "n", `the query gives no column "changed", which increment.column names`},
		"number or time":   {"at", "0", "n", `column "at" and increment.from (0) cannot be compared`},
		"text as a cursor": {"name", "0", "n", `column "name" is neither a time, a date nor a whole number`},
	} {
		t.Run(name, func(t *testing.T) {
			src := open(t, s.driver, s.dsn(s.address), Query{
				Query: list("n >= :cursor ORDER BY " + c.order), Increment: &Increment{Column: c.column, From: c.from},
			})
			got, err := fetchAll(t, src, "order", "", nil)
			if err == nil || !strings.Contains(err.Error(), c.want) || got.swept {
				t.Errorf("Fetch returned %v, swept %v; want %s", err, got.swept, c.want)
			}
		})
	}
	t.Run("deleted", func(t *testing.T) {
		src := open(t, s.driver, s.dsn(s.address), Query{Query: list("at >= :cursor ORDER BY at"), Increment: &Increment{Column: "at", From: "2020-01-01"}})
		first, err := fetchAll(t, src, "order", "", nil)
		if err != nil {
			t.Fatal(err)
		}
		s.exec(t, "DELETE FROM changes WHERE id = 7")
		env := environment(t)
		env.Now = env.Now.Add(24 * time.Hour)
		listed := map[string]record.Record{}
		swept := false
		err = src.Fetch(t.Context(), sources.Request{Environment: env, Stream: "order", Cursor: first.cursor}, func(_ context.Context, p sources.Page) error {
			for _, r := range p.Records {
				listed[r.RecordMeta().ID] = r
			}
			swept = swept || p.Sweep
			return nil
		})
		if ids := slices.Collect(maps.Keys(listed)); err != nil || !swept || len(ids) != 29 || slices.Contains(ids, "7") {
			t.Errorf("after a day: %v, swept %v, listed %v", err, swept, ids)
		}
	})
}
