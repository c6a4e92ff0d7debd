package sql

import (
	"strings"
	"testing"

	"github.com/b2bexporter/b2b_exporter/internal/record"
)

func TestClickHouse(t *testing.T) {
	s := startClickHouse(t)
	s.exec(t,
		"CREATE TABLE many (id UInt32, placed_at DateTime, gross Decimal(12,2)) ENGINE = MergeTree() PARTITION BY tuple() ORDER BY (placed_at, id)",
		"INSERT INTO many SELECT number + 1, toDateTime('2020-01-01 00:00:00', 'UTC') + number + 1, toDecimal64(number + 1, 2) / toDecimal64(100, 0) FROM system.numbers LIMIT 1000000",
		"CREATE TABLE notes (id UInt32, note String) ENGINE = Memory", "INSERT INTO notes SELECT 1, 'jane@muster.example'",
	)
	t.Run("million rows", func(t *testing.T) { checkMillion(t, s) })
	t.Run("cut listing", func(t *testing.T) { checkCutListing(t, s) })
	t.Run("cancelled", func(t *testing.T) { checkCancelled(t, s) })
	t.Run("documented", func(t *testing.T) {
		s.exec(t,
			"CREATE TABLE sessions (started_at DateTime, channel String, pages UInt32, seconds UInt32) ENGINE = Memory",
			"INSERT INTO sessions SELECT toDateTime(today()) + 43200 + number, 'email', number, 2 FROM system.numbers LIMIT 3",
			"CREATE TABLE ad_costs (day Date, platform String, campaign_id String, campaign_name String, cost Decimal(18,4), clicks UInt32, impressions UInt32) ENGINE = Memory",
			"INSERT INTO ad_costs SELECT toDate('2026-03-01') + number % 2, 'google', '1', 'Brand', toDecimal64(1, 4), 1, 10 FROM system.numbers LIMIT 10",
		)
		checkDocumented(t, s, map[string]int{"warehouse traffic": 1, "warehouse spend": 2})
	})
	for name, c := range map[string]struct {
		column string
		want   record.Instant
	}{
		"DateTime":           {"toDateTime('2026-07-02 09:00:00', 'UTC')", at(t, "2026-07-02T09:00:00Z")},
		"DateTime of a zone": {"toDateTime('2026-07-02 09:00:00', 'Asia/Tokyo')", at(t, "2026-07-02T00:00:00Z")},
		"Date":               {"toDate('2026-07-02')", record.OnDate(record.DateDay(2026, 7, 2))},
		"Nullable(Date)":     {"toNullable(toDate('2026-07-02'))", record.OnDate(record.DateDay(2026, 7, 2))},
	} {
		t.Run(name, func(t *testing.T) {
			checkOrders(t, s, "SELECT toUInt64(18446744073709551615) AS id, "+c.column+" AS placed_at, toDecimal128('12345678901.123456', 6) AS gross, 'EUR' AS currency, toFixedString('de', 5) AS country, toUInt8(1) AS recurring",
				[]*record.Order{{Meta: record.Meta{ID: "18446744073709551615"}, PlacedAt: c.want, Gross: record.Micros(12_345_678_901_123_456), Country: "de", Recurring: true}}, nil)
		})
	}
	t.Run("null and float", func(t *testing.T) {
		day := record.OnDate(record.DateDay(2026, 7, 2))
		checkOrders(t, s, "SELECT toUUID('61f0c404-5cb3-11e7-907b-a6006ad3dba0') AS id, toDate('2026-07-02') AS placed_at, CAST(NULL AS Nullable(Float64)) AS gross, 'EUR' AS currency UNION ALL SELECT toUUID('61f0c404-5cb3-11e7-907b-a6006ad3dba1'), toDate('2026-07-02'), toNullable(0.1), 'EUR'",
			[]*record.Order{{Meta: record.Meta{ID: "61f0c404-5cb3-11e7-907b-a6006ad3dba0"}, PlacedAt: day}},
			[]string{`61f0c404-5cb3-11e7-907b-a6006ad3dba1: bad amount: gross is a floating-point number, which is not exact; cast it to a decimal type in the query`})
	})
	t.Run("errors", func(t *testing.T) {
		const list = "SELECT id, now() AS placed_at, toDecimal64(1, 2) AS gross, 'EUR' AS currency FROM notes"
		checkErrors(t, s, map[string]broken{
			"wrong password": {
				dsn: strings.Replace(s.dsn(s.address), testPassword, "other", 1), query: list,
				want: `queries\[0\]: connect: ClickHouse error 193: .*[Ww]rong password`,
			},
			"no server":      {dsn: s.dsn("127.0.0.1:1"), query: list, want: `queries\[0\]: connect: .*connection refused.*; check what dsn_file holds`},
			"bad DSN":        {dsn: "clickhouse://reader:" + testPassword + "@[x/y", query: list, want: `^DSN in file .*: the driver does not understand it`},
			"HTTP":           {dsn: "http://reader:" + testPassword + "@127.0.0.1:8123/default", query: list, want: `^DSN in file .*: it names the HTTP interface`},
			"unknown column": {query: "SELECT nr AS id FROM notes", want: `queries\[0\]: run the query: ClickHouse error 47: `},
			"value of a row": {query: "SELECT toUInt64(note) AS id, now() AS placed_at, toDecimal64(1, 2) AS gross, 'EUR' AS currency FROM notes", want: `ClickHouse error \d+ \(what the server says is not shown`},
			"write":          {query: "INSERT INTO notes SELECT 2, ''", want: `ClickHouse error 164: .*readonly`},
			"timeout": {
				query: "SELECT id, now() AS placed_at, toDecimal64(1, 2) AS gross, 'EUR' AS currency, sleep(3) FROM notes", timeout: 1e9,
				want: `timeout of 1s`,
			},
		})
	})
	t.Run("user who cannot write", func(t *testing.T) {
		src := open(t, s.driver, strings.Replace(s.dsn(s.address), "writer", "reader", 1), orders("SELECT id, placed_at, gross, 'EUR' AS currency FROM many LIMIT 3"))
		if got, err := fetchAll(t, src, "order", "", nil); err != nil || len(got.records) != 3 || !got.swept {
			t.Errorf("%d records, %v", len(got.records), err)
		}
	})
}
