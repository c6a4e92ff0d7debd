package rows

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/b2bexporter/b2b_exporter/internal/record"
)

func TestValidate(t *testing.T) {
	full := func(changes map[string]string) map[string]string {
		columns := map[string]string{"id": "a", "placed_at": "b", "currency": "=EUR", "gross": "d"}
		for k, v := range changes {
			columns[k] = v
			if v == "-" {
				delete(columns, k)
			}
		}
		return columns
	}
	tests := []struct {
		name   string
		config Config
		want   []Problem
	}{
		{"columns", Config{Columns: full(nil)}, nil},
		{"no columns", Config{}, nil},
		{"unknown kind", Config{Record: "ordr"}, []Problem{{
			"record",
			`"ordr" is none of customer, order, refund, checkout, quote, subscription, lead, account, engagement, deal, activity, ` +
				`spend, ad_quality, traffic, users, page, referrer, search, backlink, email, attendance, survey, referral, tie, member, ` +
				`social, time_entry, rate, cost; did you mean "order"?`,
		}}},
		{"misspelt field", Config{Columns: full(map[string]string{"plced_at": "b", "placed_at": "-"})}, []Problem{
			{"columns.plced_at", `order has no field "plced_at"; did you mean "placed_at"?`},
			{"columns", "order needs a column for placed_at"},
		}},
		{"unlike any field", Config{Columns: full(map[string]string{"warehouse": "b"})}, []Problem{
			{"columns.warehouse", `order has no field "warehouse"`},
		}},
		{"field of another kind", Config{Columns: full(map[string]string{"started_at": "b"})}, []Problem{
			{"columns.started_at", `order has no field "started_at"`},
		}},
		{"several missing", Config{Columns: map[string]string{"id": "a", "placed_at": "b"}}, []Problem{
			{"columns", "order needs a column for currency, gross"},
		}},
		{"empty column", Config{Columns: full(map[string]string{"gross": " "})}, []Problem{
			{"columns.gross", `names no column; write a column's name, or "=" and a constant`},
		}},
		{"constant id", Config{Columns: full(map[string]string{"id": "=1"})}, []Problem{
			{"columns.id", "is the same for all rows; it must name a column"},
		}},
		{"empty constant", Config{Columns: full(map[string]string{"currency": "="})}, []Problem{
			{"columns.currency", "is empty, and order needs it"},
		}},
		{"bad constant", Config{Columns: full(map[string]string{"currency": "=EURO"})}, []Problem{
			{"columns.currency", `"EURO" is not an ISO 4217 code such as EUR`},
		}},
		{"amount without currency", Config{Record: record.KindDeal, Columns: map[string]string{"id": "a", "state": "b", "amount": "c"}}, []Problem{
			{"columns", `amount needs a column for currency, or a constant: currency: "=EUR"`},
		}},
		{"probability without currency", Config{Record: record.KindDeal, Columns: map[string]string{"id": "a", "state": "b", "probability": "c"}}, nil},
		{"refund with order", Config{Record: record.KindRefund, Columns: map[string]string{"id": "a", "at": "b", "amount": "c", "order": "d"}}, nil},
		{"refund without order", Config{Record: record.KindRefund, Columns: map[string]string{"id": "a", "at": "b", "amount": "c"}}, []Problem{
			{"columns", `amount needs a column for currency, or a constant: currency: "=EUR"`},
		}},
		{"decimal", Config{Decimal: ";"}, []Problem{{"decimal", `";" is neither "." nor ","`}}},
		{"layout of another language", Config{TimeFormat: "YYYY-MM-DD"}, []Problem{{
			"time_format",
			`"YYYY-MM-DD" gives no year, month and day; write it as 2 January 2006, 15:04:05 would be written: "2006-01-02 15:04:05"`,
		}}},
		{"layout without year", Config{TimeFormat: "Mon 02 Jan 15:04"}, []Problem{{
			"time_format",
			`"Mon 02 Jan 15:04" gives no year, month and day; write it as 2 January 2006, 15:04:05 would be written: "2006-01-02 15:04:05"`,
		}}},
		{"layout with half a clock", Config{TimeFormat: "2006-01-02 03:04"}, []Problem{{
			"time_format",
			`"2006-01-02 03:04" has a clock that cannot tell 4 h from 16 h; write 15 for the hour, or 03 and PM`,
		}}},
		{"layout with an abbreviation", Config{TimeFormat: "2006-01-02 15:04 MST"}, []Problem{{
			"time_format",
			`"2006-01-02 15:04 MST" has the abbreviation of a zone, which does not tell the offset: use -07:00, or timezone`,
		}}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if test.config.Record == "" {
				test.config.Record = record.KindOrder
			}
			if diff := cmp.Diff(test.want, test.config.Validate()); diff != "" {
				t.Errorf("problems (-want +got):\n%s", diff)
			}
		})
	}
}

func TestCompileHeader(t *testing.T) {
	mapped := Config{Record: record.KindOrder, Columns: map[string]string{
		"id": "Invoice", "placed_at": "Date", "currency": "=EUR", "gross": "Amount",
	}}
	tests := []struct {
		name   string
		config Config
		header []string
		want   string
	}{
		{
			"missing", mapped,
			[]string{"Invoce", "Date", "Amount"},
			`there is no column "Invoice"; did you mean "Invoce"?; the header has "Invoce", "Date", "Amount"`,
		},
		{"duplicate", mapped, []string{"Invoice", "Date", "Amount", "Date"}, `column "Date" occurs twice in the header`},
		{"duplicate after trimming", mapped, []string{"Invoice", "Date", "Amount", "Note", " Note"}, `column "Note" occurs twice in the header`},
		{"without a name", mapped, []string{"Invoice", "Date", "Amount", " "}, `column 4 of the header has no name`},
		{"no header shows nothing", mapped, []string{"4711", "Jane Doe", "Jane Doe"}, `the first line has none of the mapped columns among its 3`},
		{
			"names of its own",
			Config{Record: record.KindOrder},
			[]string{"id", "plced_at", "currency", "gross"},
			`order needs a column for placed_at; the header has "id", "plced_at", "currency", "gross"`,
		},
		{
			"none of its own",
			Config{Record: record.KindOrder},
			[]string{"id;placed_at;currency;gross"},
			`the first line has none of the mapped columns among its 1`,
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := test.config.Compile(test.header, time.UTC)
			if err == nil || err.Error() != test.want {
				t.Errorf("error %v, want %s", err, test.want)
			}
		})
	}
	if _, err := mapped.Compile([]string{"x"}, time.UTC); !errors.Is(err, ErrNoHeader) {
		t.Errorf("error %v is not ErrNoHeader", err)
	}
}

func TestTablesBeginWithMeta(t *testing.T) {
	for _, k := range record.Kinds() {
		table, ok := kindOf(k)
		if !ok {
			t.Fatalf("%s has no table", k)
		}
		if table.fields[0].Name != "id" || table.fields[1].Name != "deleted" {
			t.Errorf("%s begins with %s, %s", k, table.fields[0].Name, table.fields[1].Name)
		}
		if !table.fields[0].Required && table.deriveID == nil {
			t.Errorf("%s may have no ID", k)
		}
		if (table.deriveID == nil) != (table.named == 0) || 2+table.named > len(table.fields) {
			t.Errorf("%s makes an ID of its first %d fields", k, table.named)
		}
		seen := map[string]bool{}
		for _, f := range table.fields {
			if seen[f.Name] {
				t.Errorf("%s has two fields %s", k, f.Name)
			}
			seen[f.Name] = true
		}
	}
}
