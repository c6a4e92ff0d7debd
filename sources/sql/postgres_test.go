package sql

import (
	"strings"
	"testing"

	"github.com/b2bexporter/b2b_exporter/internal/record"
)

func TestPostgreSQL(t *testing.T) {
	s := startPostgres(t)
	s.exec(t,
		"CREATE UNLOGGED TABLE many AS SELECT n AS id, timestamptz '2020-01-01' + n * interval '1 second' AS placed_at, n / 100.0::numeric(12,2) AS gross FROM generate_series(1, 1000000) n",
		"CREATE INDEX ON many (placed_at, id)", "ANALYZE many",
		"CREATE TABLE notes (id int, note text)", "INSERT INTO notes VALUES (1, 'jane@muster.example')",
	)
	t.Run("million rows", func(t *testing.T) { checkMillion(t, s) })
	t.Run("cut listing", func(t *testing.T) { checkCutListing(t, s) })
	t.Run("cancelled", func(t *testing.T) { checkCancelled(t, s) })
	t.Run("documented", func(t *testing.T) {
		s.exec(t,
			`CREATE TABLE orders (number text, customer_no text, placed_at timestamptz, net_total numeric, gross numeric, discount numeric, cost numeric,
				currency text, ship_country text, country text, status text, updated_at timestamptz)`,
			`INSERT INTO orders SELECT n::text, 'K17', timestamptz '2026-03-01 22:00:00Z' + n * interval '30 minutes', 10.50, 10.50, 0.25, NULL, 'EUR', 'DE', 'DE', 'open', now()
				FROM generate_series(1, 3) n`,
			"CREATE TABLE customers (no text, website text, sales_rep text)", "INSERT INTO customers VALUES ('K17', 'muster.example', 'Berg')",
		)
		checkDocumented(t, s, map[string]int{"erp order": 3, "erp customer": 1, "warehouse order": 2})
	})
	t.Run("increments", func(t *testing.T) { checkIncrements(t, s) })
	t.Run("values", func(t *testing.T) {
		one := record.Micros(1_500_000)
		checkOrders(t, s, `SELECT * FROM (VALUES
			('text', '2026-01-02T10:00:00+01:00', 1.5::numeric, NULL::text),
			('exact', '2026-01-02', 12345678901.123456::numeric, 'de')) AS v (id, placed_at, gross, country) CROSS JOIN (SELECT 'EUR' AS currency) c`,
			[]*record.Order{
				{Meta: record.Meta{ID: "text"}, PlacedAt: at(t, "2026-01-02T09:00:00Z"), Gross: one},
				{Meta: record.Meta{ID: "exact"}, PlacedAt: record.OnDate(record.DateDay(2026, 1, 2)), Gross: record.Micros(12_345_678_901_123_456), Country: "de"},
			}, nil)
	})
	for name, c := range map[string]struct {
		column string
		want   record.Instant
	}{
		"timestamptz": {"'2026-07-02 10:00:00+01'::timestamptz", at(t, "2026-07-02T09:00:00Z")},
		"timestamp":   {"'2026-07-02 10:00:00.25'::timestamp", at(t, "2026-07-02T08:00:00.25Z")},
		"date":        {"'2026-07-02'::date", record.OnDate(record.DateDay(2026, 7, 2))},
	} {
		t.Run(name, func(t *testing.T) {
			checkOrders(t, s, "SELECT '4711' AS id, "+c.column+" AS placed_at, NULL::numeric AS gross, 'EUR' AS currency, true AS recurring",
				[]*record.Order{{Meta: record.Meta{ID: "4711"}, PlacedAt: c.want, Recurring: true}}, nil)
		})
	}
	t.Run("rejected", func(t *testing.T) {
		checkOrders(t, s, `SELECT 'good' AS id, date '2026-01-02' AS placed_at, 2::bigint::numeric AS gross, 'EUR' AS currency
			UNION ALL SELECT 'never', 'infinity', 1, 'EUR' UNION ALL SELECT 'nan', '2026-01-02', 'NaN', 'EUR'`,
			[]*record.Order{{Meta: record.Meta{ID: "good"}, PlacedAt: record.OnDate(record.DateDay(2026, 1, 2)), Gross: record.Micros(2_000_000)}},
			[]string{
				`never: bad time: placed_at "infinity" is not a time as RFC 3339, 2006-01-02 15:04:05 or 2006-01-02; set time_format`,
				`nan: bad amount: gross "NaN": not a decimal number`,
			})
		checkOrders(t, s, `SELECT 'good' AS id, date '2026-01-02' AS placed_at, NULL::float8 AS gross, 'EUR' AS currency
			UNION ALL SELECT 'float', '2026-01-02', 0.1, 'EUR'`,
			[]*record.Order{{Meta: record.Meta{ID: "good"}, PlacedAt: record.OnDate(record.DateDay(2026, 1, 2))}},
			[]string{`float: bad amount: gross is a floating-point number, which is not exact; cast it to a decimal type in the query`})
	})
	t.Run("errors", func(t *testing.T) {
		const list = "SELECT id, now() AS placed_at, 1 AS gross, 'EUR' AS currency FROM notes"
		checkErrors(t, s, map[string]broken{
			"wrong password": {
				dsn: strings.Replace(s.dsn(s.address), testPassword, "other", 1), query: list,
				want: `queries\[0\]: connect: PostgreSQL error 28P01: password authentication failed for user "reader"`,
			},
			"no server":      {dsn: s.dsn("127.0.0.1:1"), query: list, want: `queries\[0\]: connect: .*connection refused.*; check what dsn_file holds`},
			"bad DSN":        {dsn: "postgres://reader:" + testPassword + "@[x/y", query: list, want: `^DSN in file .*: the driver does not understand it`},
			"unknown column": {query: "SELECT nr AS id FROM notes", want: `queries\[0\]: run the query: PostgreSQL error 42703: column "nr" does not exist`},
			"unmapped":       {query: "SELECT id FROM notes", want: `queries\[0\]: columns of the query: order needs a column for placed_at, currency, gross`},
			"no field":       {query: "SELECT note FROM notes", want: `queries\[0\]: columns of the query: `},
			"array":          {query: "SELECT ARRAY['1'] AS id, now() AS placed_at, 1 AS gross, 'EUR' AS currency", want: `queries\[0\]: column "id" is an array; make a text of it`},
			"value of a row": {query: "SELECT note::int AS id, now() AS placed_at, 1 AS gross, 'EUR' AS currency FROM notes", want: `PostgreSQL error 22P02 \(what the server says is not shown`},
			"write": {
				query: "WITH w AS (INSERT INTO notes VALUES (2, '') RETURNING id) SELECT id, now() AS placed_at, 1 AS gross, 'EUR' AS currency FROM w",
				want:  `PostgreSQL error 25006: cannot execute .* in a read-only transaction`,
			},
			"timeout": {
				query: "SELECT id, now() AS placed_at, 1 AS gross, 'EUR' AS currency, pg_sleep(20) FROM notes", timeout: 1e9,
				want: `not done after the timeout of 1s|PostgreSQL error 57014: canceling statement due to statement timeout`,
			},
		})
		var running int
		if err := s.admin.QueryRowContext(t.Context(), "SELECT count(*) FROM pg_stat_activity WHERE usename = 'reader' AND state = 'active' AND query LIKE '%pg_sleep%'").Scan(&running); err != nil || running > 0 {
			t.Errorf("%d queries still run after their timeout (%v)", running, err)
		}
	})
	t.Run("killed", func(t *testing.T) {
		src := open(t, s.driver, s.dsn(s.address), orders("SELECT id, placed_at, gross, 'EUR' AS currency FROM many"))
		got, err := fetchAll(t, src, "order", "", func(n int) {
			if n == 3 {
				s.exec(t, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'reader'")
			}
		})
		if err == nil || got.swept || !strings.Contains(err.Error(), "queries[0]: read the rows after row") {
			t.Errorf("a backend that was killed: %v, swept %v", err, got.swept)
		}
	})
}
