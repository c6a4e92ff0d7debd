package rows

import (
	"encoding/json"
	"math"
	"math/big"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/shopspring/decimal"

	"github.com/b2bexporter/b2b_exporter/internal/record"
)

// convertValues maps one row of values, whose columns have the fields' names.
func convertValues(t *testing.T, c Config, header []string, values ...any) (record.Record, string) {
	t.Helper()
	m, err := c.Compile(header, berlin(t))
	if err != nil {
		t.Fatal(err)
	}
	r, _, rejected := m.ConvertValues(values, "row 1")
	if rejected != nil {
		return nil, rejected.Detail
	}
	return r, ""
}

func TestConvertValuesTimes(t *testing.T) {
	newYork, err := time.LoadLocation("America/New_York")
	if err != nil {
		t.Fatal(err)
	}
	late := time.Date(2026, 7, 1, 20, 0, 0, 123_456_000, newYork) // in Berlin it is the next day
	tests := []struct {
		name      string
		value     any
		instant   record.Instant
		day       record.Day
		formatted string // time_format
	}{
		{"moment", late, instantOf(t, "2026-07-02T00:00:00.123456Z"), record.DateDay(2026, 7, 2), ""},
		{"moment despite time_format", late, instantOf(t, "2026-07-02T00:00:00.123456Z"), record.DateDay(2026, 7, 2), "02.01.2006"},
		{"pointer", &late, instantOf(t, "2026-07-02T00:00:00.123456Z"), record.DateDay(2026, 7, 2), ""},
		{"local", LocalTime(late), instantOf(t, "2026-07-01T18:00:00.123456Z"), record.DateDay(2026, 7, 1), ""},
		{"local in the gap", LocalTime(time.Date(2026, 3, 29, 2, 30, 0, 0, time.UTC)), instantOf(t, "2026-03-29T01:30:00Z"), record.DateDay(2026, 3, 29), ""},
		{"date", record.DateDay(2026, 7, 1), record.OnDate(record.DateDay(2026, 7, 1)), record.DateDay(2026, 7, 1), ""},
		{"text", "01.07.2026", record.OnDate(record.DateDay(2026, 7, 1)), record.DateDay(2026, 7, 1), "02.01.2006"},
		{"bytes", []byte(" 2026-07-01 "), record.OnDate(record.DateDay(2026, 7, 1)), record.DateDay(2026, 7, 1), ""},
		{"unix", int64(1_782_864_000), instantOf(t, "2026-07-01T00:00:00Z"), record.DateDay(2026, 7, 1), "unix"},
		{"unix at night", json.Number("1782856800"), instantOf(t, "2026-06-30T22:00:00Z"), record.DateDay(2026, 7, 1), "unix"},
		{"unix_ms", json.Number("1782864000123"), instantOf(t, "2026-07-01T00:00:00.123Z"), record.DateDay(2026, 7, 1), "unix_ms"},
		{"before 1970", "-1", instantOf(t, "1969-12-31T23:59:59Z"), record.DateDay(1970, 1, 1), "unix"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			c := Config{Record: record.KindSurvey, TimeFormat: test.formatted}
			r, bad := convertValues(t, c, []string{"id", "at", "score"}, 1, test.value, 9)
			if bad != "" {
				t.Fatal(bad)
			}
			if diff := cmp.Diff(test.instant, r.(*record.Survey).At, sameRecord); diff != "" {
				t.Errorf("instant (-want +got):\n%s", diff)
			}
			c.Record = record.KindBacklink
			r, bad = convertValues(t, c, []string{"day", "links"}, test.value, 9)
			if bad != "" || r.(*record.Backlink).Day != test.day {
				t.Errorf("day of %+v (%s), want %s", r, bad, test.day)
			}
		})
	}
}

func TestConvertValuesNumbers(t *testing.T) {
	text, none := "1.5", (*string)(nil)
	tests := []struct {
		value          any
		amount, number record.Amount
		bad            string // of the amount
	}{
		{"1.5", record.Micros(1_500_000), record.Micros(1_500_000), ""},
		{[]byte("1.5"), record.Micros(1_500_000), record.Micros(1_500_000), ""},
		{json.Number("1.5e0"), record.Micros(1_500_000), record.Micros(1_500_000), ""},
		{decimal.RequireFromString("1.5"), record.Micros(1_500_000), record.Micros(1_500_000), ""},
		{big.NewInt(2), record.Micros(2_000_000), record.Micros(2_000_000), ""},
		{int64(2), record.Micros(2_000_000), record.Micros(2_000_000), ""},
		{uint8(2), record.Micros(2_000_000), record.Micros(2_000_000), ""},
		{&text, record.Micros(1_500_000), record.Micros(1_500_000), ""},
		{none, record.Amount{}, record.Amount{}, ""},
		{nil, record.Amount{}, record.Amount{}, ""},
		{"", record.Amount{}, record.Amount{}, ""},
		{0, record.Micros(0), record.Micros(0), ""},
		{1.5, record.Amount{}, record.Micros(1_500_000), "cost is a floating-point number, which is not exact; cast it to a decimal type in the query"},
		{float32(0.1), record.Amount{}, record.Micros(100_000), "cost is a floating-point number, which is not exact; cast it to a decimal type in the query"},
	}
	header := []string{"day", "currency", "cost", "clicks"}
	for _, test := range tests {
		r, bad := convertValues(t, Config{Record: record.KindSpend}, header, "2026-03-01", "EUR", test.value, nil)
		if bad != test.bad || bad == "" && r.(*record.Spend).Cost != test.amount {
			t.Errorf("%T %v is the amount %+v (%q), want %+v (%q)", test.value, test.value, r, bad, test.amount, test.bad)
		}
		r, bad = convertValues(t, Config{Record: record.KindSpend}, header, "2026-03-01", "EUR", nil, test.value)
		if bad != "" || r.(*record.Spend).Clicks != test.number {
			t.Errorf("%T %v is the number %+v (%q), want %+v", test.value, test.value, r, bad, test.number)
		}
	}
}

// A decimal comma is one of texts.
func TestConvertValuesWithComma(t *testing.T) {
	header := []string{"day", "currency", "cost", "clicks"}
	r, bad := convertValues(t, Config{Record: record.KindSpend, Decimal: ","}, header, "2026-03-01", "EUR", json.Number("1.5"), "2,5")
	if bad != "" {
		t.Fatal(bad)
	}
	if s := r.(*record.Spend); s.Cost != record.Micros(1_500_000) || s.Clicks != record.Micros(2_500_000) {
		t.Errorf("spend %+v", s)
	}
}

func TestConvertValuesOfOtherTypes(t *testing.T) {
	header := []string{"id", "company", "external_ids", "country"}
	r, bad := convertValues(t, Config{Record: record.KindCustomer}, header, int64(7), true, []any{"erp:1", nil, json.Number("2")}, "DE")
	if bad != "" {
		t.Fatal(bad)
	}
	want := &record.Customer{Meta: record.Meta{ID: "7"}, Company: true, Keys: record.Keys{ExternalIDs: []string{"erp:1", "2"}}, Country: "DE"}
	if diff := cmp.Diff(want, r, sameRecord); diff != "" {
		t.Errorf("record (-want +got):\n%s", diff)
	}
	for _, test := range []struct {
		value any
		want  string
	}{
		{[]any{"DE"}, "country is a list; map one of its elements"},
		{map[string]any{"code": "DE"}, "country is an object; map one of its fields"},
		{[]any{map[string]any{}}, "country is a list of more than single values"},
		{struct{}{}, "country is of the type struct {}, which no field takes"},
		{math.NaN(), "country is not a finite number"},
		{"\xff", "country is not valid UTF-8"},
	} {
		if _, bad := convertValues(t, Config{Record: record.KindCustomer}, header, "7", nil, nil, test.value); bad != test.want {
			t.Errorf("%v: %q, want %q", test.value, bad, test.want)
		}
	}
	for _, test := range []struct{ format, text, want string }{
		{"unix", "1.5", `at "1.5" is not a whole number of seconds since 1970, as time_format unix says`},
		{"unix", "1782864000123", `at "1782864000123" is not a whole number of seconds since 1970, as time_format unix says`},
		{"unix_ms", "2026-07-01", `at "2026-07-01" is not a whole number of milliseconds since 1970, as time_format unix_ms says`},
	} {
		c := Config{Record: record.KindSurvey, TimeFormat: test.format}
		if _, bad := convertValues(t, c, []string{"id", "at", "score"}, 1, test.text, 9); bad != test.want {
			t.Errorf("%s: %q, want %q", test.text, bad, test.want)
		}
	}
	fine := time.Date(2026, 7, 1, 0, 0, 0, 1, time.UTC)
	if _, bad := convertValues(t, Config{Record: record.KindSurvey}, []string{"id", "at", "score"}, 1, fine, 9); bad != `at "2026-07-01T00:00:00.000000001Z" is finer than a microsecond` {
		t.Errorf("a time of a nanosecond: %q", bad)
	}
	if _, bad := convertValues(t, Config{Record: record.KindCustomer}, header, "7"); bad != "the row has 1 columns, the header 4" {
		t.Errorf("a short row: %q", bad)
	}
}
