package sql

import (
	"strings"
	"testing"

	"github.com/b2bexporter/b2b_exporter/internal/record"
)

func TestMariaDB(t *testing.T) {
	s := startMariaDB(t)
	s.exec(t,
		"USE shop",
		"CREATE TABLE many (id INT PRIMARY KEY, placed_at DATETIME NOT NULL, gross DECIMAL(12,2) NOT NULL, KEY (placed_at, id)) ENGINE = Aria TRANSACTIONAL = 0",
		"INSERT INTO many SELECT seq, '2020-01-01' + INTERVAL seq SECOND, seq / 100.0 FROM seq_1_to_1000000",
		"CREATE TABLE notes (id INT, note TEXT)", "INSERT INTO notes VALUES (1, 'jane@muster.example')",
		`CREATE TABLE vals (id VARCHAR(20), at_moment TIMESTAMP(6) NULL, at_local DATETIME(3) NULL, at_date DATE NULL, gross DECIMAL(20,6), bought DOUBLE,
			flag BIT(1), tiny TINYINT(1), big BIGINT UNSIGNED, kind ENUM('a', 'de'))`,
		"SET time_zone = '+00:00'",
		`INSERT INTO vals VALUES ('full', '2026-07-02 09:00:00.25', '2026-07-02 10:00:00.25', '2026-07-02', 12345678901.123456, 0.1, 1, 1, 18446744073709551615, 'de'),
			('empty', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL), ('zero', NULL, '0000-00-00', '0000-00-00', 0, 0, 0, 0, 0, 'a')`,
	)
	t.Run("million rows", func(t *testing.T) { checkMillion(t, s) })
	t.Run("cut listing", func(t *testing.T) { checkCutListing(t, s) })
	t.Run("cancelled", func(t *testing.T) { checkCancelled(t, s) })
	amount := record.Micros(12_345_678_901_123_456)
	for column, want := range map[string]record.Instant{
		"at_moment": at(t, "2026-07-02T09:00:00.25Z"), "at_local": at(t, "2026-07-02T08:00:00.25Z"), "at_date": record.OnDate(record.DateDay(2026, 7, 2)),
	} {
		t.Run(column, func(t *testing.T) {
			missing := []string{`empty: missing value: placed_at is empty`, `zero: missing value: placed_at is empty`}
			checkOrders(t, s, "SELECT id, "+column+" AS placed_at, gross, 'EUR' AS currency, flag AS recurring, kind AS country FROM vals",
				[]*record.Order{{Meta: record.Meta{ID: "full"}, PlacedAt: want, Gross: amount, Recurring: true, Country: "de"}}, missing)
		})
	}
	t.Run("numbers", func(t *testing.T) {
		day := record.OnDate(record.DateDay(2026, 7, 2))
		checkOrders(t, s, "SELECT big AS id, DATE '2026-07-02' AS placed_at, bought AS gross, 'EUR' AS currency, tiny AS recurring FROM vals WHERE big IS NOT NULL UNION ALL SELECT 7, '2026-07-02', NULL, 'EUR', 0",
			[]*record.Order{{Meta: record.Meta{ID: "7"}, PlacedAt: day}},
			[]string{
				`18446744073709551615: bad amount: gross is a floating-point number, which is not exact; cast it to a decimal type in the query`,
				`0: bad amount: gross is a floating-point number, which is not exact; cast it to a decimal type in the query`,
			})
	})
	t.Run("errors", func(t *testing.T) {
		const list = "SELECT id, NOW() AS placed_at, 1 AS gross, 'EUR' AS currency FROM notes"
		checkErrors(t, s, map[string]broken{
			"wrong password": {
				dsn: strings.Replace(s.dsn(s.address), testPassword, "other", 1), query: list,
				want: `queries\[0\]: connect: MySQL error 1045 \(28000\): Access denied for user 'reader'`,
			},
			"no server":      {dsn: s.dsn("127.0.0.1:1"), query: list, want: `queries\[0\]: connect: .*connection refused.*; check what dsn_file holds`},
			"bad DSN":        {dsn: "reader:" + testPassword + "@127.0.0.1", query: list, want: `^DSN in file .*: the driver does not understand it`},
			"unknown column": {query: "SELECT nr AS id FROM notes", want: `queries\[0\]: run the query: MySQL error 1054 \(42S22\): Unknown column 'nr'`},
			"value of a row": {
				query: "SELECT CAST(note AS UNSIGNED) AS id, NOW() AS placed_at, EXTRACTVALUE('<a/>', CONCAT('jane@muster.example', '[')) AS gross, 'EUR' AS currency FROM notes",
				want:  `MySQL error 1105 \(HY000\) \(what the server says is not shown`,
			},
			"write":          {query: "INSERT INTO notes VALUES (2, '') RETURNING id", want: `MySQL error 1792 \(25006\): Cannot execute statement in a READ ONLY transaction`},
			"two statements": {query: "COMMIT; INSERT INTO notes VALUES (2, '')", want: `MySQL error 1064 \(42000\)`},
			"timeout": {
				query: "SELECT id, NOW() AS placed_at, 1 AS gross, 'EUR' AS currency, SLEEP(20) FROM notes", timeout: 1e9,
				want: `not done after the timeout of 1s|MySQL error 1969 \(70100\): Query execution was interrupted`,
			},
		})
	})
}
