package sql

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	chdriver "github.com/ClickHouse/clickhouse-go/v2"
	mydriver "github.com/go-sql-driver/mysql"
	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/b2bexporter/b2b_exporter/internal/config"
	"github.com/b2bexporter/b2b_exporter/internal/record"
	"github.com/b2bexporter/b2b_exporter/sources/internal/rows"
)

func TestOptions(t *testing.T) {
	changed := func(from string) *Increment { return &Increment{Column: "changed", From: from} }
	second := time.Second
	for name, c := range map[string]struct {
		queries []Query
		timeout time.Duration
		want    []string
	}{
		"good": {queries: []Query{
			{Query: "SELECT 1"},
			{Query: "SELECT ':cursor2'", Config: rows.Config{Record: record.KindCustomer}},
			{Query: "WHERE at >= :cursor::timestamptz", Increment: changed("2020-01-01 10:00:00"), Config: rows.Config{Record: record.KindRefund}},
		}},
		"no record":            {queries: []Query{{Query: "SELECT 1", Config: rows.Config{Record: "ordr"}}}, want: []string{`queries[0].record: "ordr" is none of`}},
		"a cast is none":       {queries: []Query{{Query: "SELECT x::cursor", Increment: changed("0")}}, want: []string{"queries[0].query: must hold :cursor"}},
		"cursor, no increment": {queries: []Query{{Query: "SELECT :cursor"}}, want: []string{"queries[0].increment: is missing"}},
		"increment, no cursor": {queries: []Query{{Query: "SELECT 1", Increment: changed("0")}}, want: []string{"queries[0].query: must hold :cursor, as in WHERE changed >= :cursor ORDER BY changed"}},
		"bad from":             {queries: []Query{{Query: ":cursor", Increment: changed("yesterday")}}, want: []string{`queries[0].increment.from: "yesterday" is none of`}},
		"overlap of a number":  {queries: []Query{{Query: ":cursor", Increment: &Increment{Column: "n", From: "0", Overlap: &second}}}, want: []string{"queries[0].increment.overlap: is for columns of times"}},
		"mixed":                {queries: []Query{{Query: "SELECT 1"}, {Query: ":cursor", Increment: changed("0")}}, want: []string{"queries[1].increment: all queries of the record order need one, or none"}},
		"short":                {queries: []Query{{Query: "SELECT 1"}}, timeout: time.Millisecond, want: []string{"timeout: must be a second or more"}},
	} {
		t.Run(name, func(t *testing.T) {
			for i := range c.queries {
				if c.queries[i].Record == "" {
					c.queries[i].Record = record.KindOrder
				}
			}
			o := Options{Driver: "postgres", DSN: config.LiteralSecret("x"), Timeout: c.timeout, Queries: c.queries}
			var got []string
			for _, p := range o.problems() {
				got = append(got, p.Path+": "+p.Text)
			}
			if !slices.EqualFunc(got, c.want, strings.HasPrefix) {
				t.Errorf("problems %q, want %q", got, c.want)
			}
			if _, err := New("x", o); (err != nil) != (len(c.want) > 0) {
				t.Errorf("New returned %v", err)
			}
		})
	}
	if _, err := New("x", Options{Driver: "oracle"}); err == nil || !strings.Contains(err.Error(), `driver: "oracle" is none of`) {
		t.Errorf("an unknown driver: %v", err)
	}
}

func TestBound(t *testing.T) {
	q := Query{Query: "SELECT a::cursor, ':x' FROM t WHERE a >= :cursor OR (b>=:cursor)"}
	if got, want := q.bound("$1"), "SELECT a::cursor, ':x' FROM t WHERE a >= $1 OR (b>=$1)"; got != want {
		t.Errorf("bound: %s\nwant: %s", got, want)
	}
}

func TestMark(t *testing.T) {
	moment := time.Date(2026, 3, 29, 1, 30, 0, 250_000_000, time.UTC)
	zone := time.FixedZone("", 7200)
	for name, c := range map[string]struct {
		value             any
		json, text, minus string
	}{
		"null":    {nil, `""`, "", ""},
		"integer": {int64(-7), `"integer -7"`, "-7", "-7"},
		"large":   {uint64(1) << 62, `"integer 4611686018427387904"`, "4611686018427387904", "4611686018427387904"},
		"moment":  {moment.In(zone), `"moment 2026-03-29 01:30:00.25"`, "2026-03-29 01:30:00.25", "2026-03-29 01:20:00.25"},
		"local":   {rows.LocalTime(moment.In(zone)), `"local 2026-03-29 03:30:00.25"`, "2026-03-29 03:30:00.25", "2026-03-29 03:20:00.25"},
		"date":    {record.DateDay(2026, 3, 29), `"date 2026-03-29"`, "2026-03-29", "2026-03-28"},
	} {
		t.Run(name, func(t *testing.T) {
			m, err := markOf(c.value)
			if err != nil {
				t.Fatal(err)
			}
			data, err := json.Marshal(m)
			if err != nil || string(data) != c.json {
				t.Errorf("as JSON %s (%v), want %s", data, err, c.json)
			}
			var back mark
			if err := json.Unmarshal(data, &back); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(m, back, cmp.AllowUnexported(mark{})); diff != "" {
				t.Errorf("read again (-want +got):\n%s", diff)
			}
			if m.form == formNone {
				return
			}
			if got := m.text(); got != c.text {
				t.Errorf("text %s, want %s", got, c.text)
			}
			if got := m.minus(10 * time.Minute).text(); got != c.minus {
				t.Errorf("minus 10m: %s, want %s", got, c.minus)
			}
			if m.before(m) || !(mark{}).before(m) || m.before(mark{}) {
				t.Error("the order of marks is wrong")
			}
			times := m.form != formInteger
			if m.ahead(moment.Add(-22*time.Hour)) || m.ahead(moment.Add(24*time.Hour)) || m.ahead(moment.Add(-50*time.Hour)) != times {
				t.Error("it is wrong how far ahead the mark is")
			}
		})
	}
	for _, bad := range []any{"2026-01-01", 1.5, uint64(1) << 63} {
		if m, err := markOf(bad); err == nil {
			t.Errorf("%v became the mark %v", bad, m)
		}
	}
	var m mark
	if err := m.UnmarshalText([]byte("other 1")); err == nil {
		t.Error("a mark of no form was read")
	}
}

// TestExplain tries what the servers of the tests do not say.
func TestExplain(t *testing.T) {
	const value = "jane of Muster"
	for name, c := range map[string]struct {
		engine engine
		err    error
		want   string
	}{
		"data":     {postgres{}, &pgconn.PgError{Code: "22003", Message: value}, "PostgreSQL error 22003" + hidden},
		"raised":   {postgres{}, &pgconn.PgError{Code: "P0001", Message: value}, "PostgreSQL error P0001" + hidden},
		"range":    {mysql{}, &mydriver.MySQLError{Number: 1690, SQLState: [5]byte{'2', '2', '0', '0', '3'}, Message: value}, "MySQL error 1690 (22003)" + hidden},
		"MySQL":    {mysql{}, &mydriver.MySQLError{Number: 3024, SQLState: [5]byte{'H', 'Y', '0', '0', '0'}, Message: "maximum statement execution time exceeded"}, "MySQL error 3024 (HY000): maximum statement execution time exceeded"},
		"readonly": {clickHouse{}, &chdriver.Exception{Code: 164, Message: "Cannot modify"}, "ClickHouse error 164: Cannot modify; give the user a profile with readonly = 2, so that a query's time can be limited"},
	} {
		t.Run(name, func(t *testing.T) {
			got, ok := c.engine.explain(c.err)
			if !ok || got != c.want {
				t.Errorf("explained as %q, want %q", got, c.want)
			}
			if text, ok := c.engine.explain(errors.New("other")); ok {
				t.Errorf("an error of nobody is explained as %q", text)
			}
		})
	}
}

func TestRedact(t *testing.T) {
	db := &database{secrets: []string{testPassword, "", "abc"}}
	got := db.redact("no\nroute for " + testPassword + " of jane@muster.example abc")
	if want := "no route for " + mask + " of [address] abc"; got != want {
		t.Errorf("redacted: %s\nwant: %s", got, want)
	}
	if got := db.redact(strings.Repeat("ä", 1000)); len([]rune(got)) != maxMessage+3 {
		t.Errorf("a long text has %d characters", len([]rune(got)))
	}
}
