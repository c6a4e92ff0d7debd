package sql

import (
	"context"
	dbsql "database/sql"
	"database/sql/driver"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/b2bexporter/b2b_exporter/internal/config"
	"github.com/b2bexporter/b2b_exporter/internal/record"
	"github.com/b2bexporter/b2b_exporter/sources"
	"github.com/b2bexporter/b2b_exporter/sources/internal/apiclient"
	"github.com/b2bexporter/b2b_exporter/sources/internal/rows"
	"github.com/b2bexporter/b2b_exporter/sources/sourcetest"
)

const pageRows = 10

// httpEngine is an engine over HTTP, which the suite can refuse, hang and simulate time in.
type httpEngine struct {
	postgres
	transport http.RoundTripper
}

func (e httpEngine) open(dsn string) (*database, error) {
	target, err := url.Parse(dsn)
	if err != nil {
		return nil, errDSN
	}
	password, _ := target.User.Password()
	return &database{DB: dbsql.OpenDB(connector{e.transport, target}), identity: target.Host, secrets: []string{password}}, nil
}

func (httpEngine) begin(ctx context.Context, _ *dbsql.Tx, _ time.Duration) (context.Context, error) {
	return ctx, nil
}

// connector and what follows are a driver of database/sql that asks for rows by HTTP.
type connector struct {
	transport http.RoundTripper
	target    *url.URL
}

func (c connector) Connect(context.Context) (driver.Conn, error) { return conn{c}, nil }
func (c connector) Driver() driver.Driver                        { return nil }

type conn struct{ connector }

func (conn) Prepare(string) (driver.Stmt, error) { return nil, errors.ErrUnsupported }
func (conn) Begin() (driver.Tx, error)           { return nil, errors.ErrUnsupported }
func (conn) Close() error                        { return nil }
func (conn) Commit() error                       { return nil }
func (conn) Rollback() error                     { return nil }

func (c conn) BeginTx(_ context.Context, options driver.TxOptions) (driver.Tx, error) {
	if !options.ReadOnly {
		return nil, errors.New("the transaction can write")
	}
	return c, nil
}

func (c conn) QueryContext(ctx context.Context, _ string, args []driver.NamedValue) (driver.Rows, error) {
	target := *c.target
	if len(args) == 1 {
		target.RawQuery = url.Values{"cursor": {args[0].Value.(string)}}.Encode()
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, target.String(), http.NoBody)
	if err != nil {
		return nil, err
	}
	password, _ := c.target.User.Password()
	req.SetBasicAuth("reader", password)
	resp, err := c.transport.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode != http.StatusOK {
		resp.Body.Close()
		return nil, fmt.Errorf("the server says %s", resp.Status)
	}
	return &httpRows{body: resp.Body, decoder: json.NewDecoder(resp.Body)}, nil
}

type httpRow struct {
	ID      int64     `json:"id"`
	Placed  time.Time `json:"placed"`
	Changed time.Time `json:"changed"`
	Gross   *string   `json:"gross"`
	End     bool      `json:"end"`
}

type httpRows struct {
	body    io.Closer
	decoder *json.Decoder
}

func (*httpRows) Columns() []string { return []string{"id", "placed_at", "changed", "gross"} }
func (r *httpRows) Close() error    { return r.body.Close() }

func (*httpRows) ColumnTypeDatabaseTypeName(i int) string {
	return []string{"INT8", "TIMESTAMPTZ", "TIMESTAMPTZ", "NUMERIC"}[i]
}

func (r *httpRows) Next(values []driver.Value) error {
	var row httpRow
	if err := r.decoder.Decode(&row); err != nil {
		return fmt.Errorf("read a row: %v", err) //nolint:errorlint // io.EOF would be the end
	}
	if row.End {
		return io.EOF
	}
	values[0], values[1], values[2], values[3] = row.ID, row.Placed, row.Changed, nil
	if row.Gross != nil {
		values[3] = *row.Gross
	}
	return nil
}

// table is a table of orders.
type table struct {
	mu   sync.Mutex
	rows map[int]httpRow
}

func (b *table) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if _, password, _ := r.BasicAuth(); password != testPassword {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	from, err := time.Parse("2006-01-02 15:04:05.999999999", r.URL.Query().Get("cursor"))
	b.mu.Lock()
	list := slices.SortedFunc(maps.Values(b.rows), func(a, b httpRow) int {
		if c := a.Changed.Compare(b.Changed); c != 0 {
			return c
		}
		return int(a.ID - b.ID)
	})
	b.mu.Unlock() // a reader that pauses stops no writer
	encoder := json.NewEncoder(w)
	for _, row := range append(list, httpRow{End: true}) {
		if err != nil || row.End || !row.Changed.Before(from) {
			_ = encoder.Encode(row) // an error means that the client has gone
		}
	}
}

func (b *table) account() sourcetest.Account {
	locked := func(f func()) {
		b.mu.Lock()
		defer b.mu.Unlock()
		f()
	}
	return sourcetest.Account{
		Handler: b,
		Put: func(n int, value record.Amount, at time.Time) {
			locked(func() {
				row := httpRow{ID: int64(n), Placed: at.Truncate(time.Microsecond), Changed: at.Truncate(time.Microsecond)}
				if old, ok := b.rows[n]; ok {
					row.Placed = old.Placed
				}
				if !value.IsNull() {
					text := fmt.Sprintf("%d.%06d", value.Micros/1e6, value.Micros%1e6)
					row.Gross = &text
				}
				b.rows[n] = row
			})
		},
		Delete: func(n int, _ time.Time) { locked(func() { delete(b.rows, n) }) },
		Merge:  func(from, _ int, _ time.Time) { locked(func() { delete(b.rows, from) }) },
		Want: func() []record.Record {
			var want []record.Record
			locked(func() {
				for n, row := range b.rows {
					o := &record.Order{Meta: record.Meta{ID: strconv.Itoa(n)}, PlacedAt: record.At(row.Placed), Currency: "EUR"}
					if row.Gross != nil {
						o.Gross, _, _ = record.ParseAmount(*row.Gross)
					}
					want = append(want, o)
				}
			})
			return want
		},
	}
}

// The suite tries what the source makes of rows and cursors. What servers say in their own
// protocols is tried with the servers.
func TestConformance(t *testing.T) {
	skip := map[string]string{}
	for _, name := range []string{
		"expired token", "missing scope", "throttling", "long Retry-After", "errors inside a 200", "server and network errors",
		"truncated answer", "HTML instead of data", "the same cursor for ever", "secrets",
	} {
		skip[name] = "is a fault of HTTP APIs"
	}
	for name, q := range map[string]Query{
		"whole": {Query: "SELECT * FROM orders"},
		"increments": {
			Query:     "SELECT * FROM orders WHERE changed >= :cursor ORDER BY changed, id",
			Increment: &Increment{Column: "changed", From: "2000-01-01"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			q.Config = rows.Config{Record: record.KindOrder, Columns: map[string]string{
				"id": "id", "placed_at": "placed_at", "gross": "gross", "currency": "=EUR",
			}}
			sourcetest.Run(t, sourcetest.Harness{
				Stream:  "order",
				Account: func() sourcetest.Account { return (&table{rows: map[int]httpRow{}}).account() },
				Open: func(base string, deps apiclient.Deps) (sources.Source, error) {
					target, err := url.Parse(base)
					if err != nil {
						return nil, err
					}
					target.User = url.UserPassword("reader", testPassword)
					options := Options{DSN: config.LiteralSecret(target.String()), Queries: []Query{q}}
					src, err := newSource("warehouse", options, httpEngine{transport: deps.Transport})
					if err != nil {
						return nil, err
					}
					src.pageRows = pageRows
					return src, nil
				},
				Secrets: []string{testPassword}, PageSize: pageRows,
				Settle: 25 * time.Hour, Interval: 25 * time.Hour / 2,
				Skip: skip,
			})
		})
	}
}
