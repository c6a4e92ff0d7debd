package csv

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/b2bexporter/b2b_exporter/internal/config"
	"github.com/b2bexporter/b2b_exporter/internal/record"
	"github.com/b2bexporter/b2b_exporter/sources/internal/apiclient"
	"github.com/b2bexporter/b2b_exporter/sources/internal/rows"
)

func parse(t *testing.T, files string) (*config.Config, error) {
	t.Helper()
	text := "timezone: Europe/Berlin\ncurrency: EUR\nledger: {path: b2b.db}\nsources:\n  - name: erp\n    type: csv\n    files:\n" + files
	return config.Parse("/etc/b2b.yml", []byte(text), config.Schema{
		Sources: map[string]func() config.Options{Type: func() config.Options { return &Options{} }},
	})
}

func TestOptions(t *testing.T) {
	c, err := parse(t, `
      - path: data/orders-*.csv
        record: order
        columns: {id: Invoice, customer: "Customer ID", placed_at: InvoiceDate, gross: Amount, currency: "=GBP"}
        time_format: "2006-01-02 15:04:05"
        timezone: Europe/London
        delimiter: "\t"
        encoding: windows-1252
        decimal: ","
        list_separator: "|"
      - {path: /data/refunds.csv, record: refund}
`)
	if err != nil {
		t.Fatal(err)
	}
	got := c.Sources[0].Options.(*Options)
	zone := got.Files[0].Timezone
	if zone.String() != "Europe/London" {
		t.Errorf("zone %v", zone)
	}
	got.Files[0].Timezone = nil
	want := &Options{Files: []File{
		{Path: "/etc/data/orders-*.csv", Delimiter: "\t", Encoding: "windows-1252", Config: rows.Config{
			Record: "order", TimeFormat: "2006-01-02 15:04:05", Decimal: ",", ListSeparator: "|",
			Columns: map[string]string{"id": "Invoice", "customer": "Customer ID", "placed_at": "InvoiceDate", "gross": "Amount", "currency": "=GBP"},
		}},
		{Path: "/data/refunds.csv", Config: rows.Config{Record: "refund"}},
	}}
	if diff := cmp.Diff(want, got, cmpopts.IgnoreUnexported(config.SecretRef{})); diff != "" {
		t.Errorf("options (-want +got):\n%s", diff)
	}
}

func TestOptionErrors(t *testing.T) {
	tests := []struct{ name, file, want string }{
		{"no record", `{path: a.csv}`, "sources[0].files[0].record: is missing; give the kind of record, such as order"},
		{"unknown record", `{path: a.csv, record: invoice}`, `sources[0].files[0].record: "invoice" is none of customer, order, `},
		{"no path", `{record: order}`, "sources[0].files[0].path: is missing; give a path or a glob pattern, or a url"},
		{"path and url", `{path: a.csv, url: "https://example.com/a.csv", record: order}`, "sources[0].files[0].path: give either path, or url and its options"},
		{"path and token", `{path: a.csv, bearer_token: x, record: order}`, "sources[0].files[0].path: give either path, or url and its options"},
		{"url", `{url: "ftp://example.com/a.csv", record: order}`, "sources[0].files[0].url: expected an http or https URL with a host"},
		{"token without url", `{bearer_token: x, record: order}`, "sources[0].files[0].url: expected an http or https URL with a host"},
		{
			"two credentials", `{url: "https://example.com", bearer_token: x, query: [{name: a, value: b}], record: order}`,
			"sources[0].files[0]: give one of bearer_token, basic_auth, oauth2 and query: the server expects one way",
		},
		{"glob", `{path: "a[.csv", record: order}`, `sources[0].files[0].path: "/etc/a[.csv" is no glob pattern: syntax error in pattern`},
		{
			"delimiter", `{path: a.csv, record: order, delimiter: ";;"}`,
			`sources[0].files[0].delimiter: ";;" is not one character such as ";" or "\t", in double quotes`,
		},
		{"quote as delimiter", `{path: a.csv, record: order, delimiter: '"'}`, `sources[0].files[0].delimiter: "\"" is not one character`},
		{
			"encoding", `{path: a.csv, record: order, encoding: ansi}`,
			`sources[0].files[0].encoding: "ansi" is no known encoding such as utf-8, windows-1252 or utf-16`,
		},
		{"encoding known but not supported", `{path: a.csv, record: order, encoding: iso-2022-kr}`, `sources[0].files[0].encoding: "iso-2022-kr" is no known`},
		{
			"field", `{path: a.csv, record: order, columns: {id: a, plced_at: b, placed_at: c, currency: d, gross: e}}`,
			`sources[0].files[0].columns.plced_at: order has no field "plced_at"; did you mean "placed_at"?`,
		},
		{
			"required field", `{path: a.csv, record: order, columns: {id: a}}`,
			"sources[0].files[0].columns: order needs a column for placed_at, currency, gross",
		},
		{"layout", `{path: a.csv, record: order, time_format: DD.MM.YYYY}`, `sources[0].files[0].time_format: "DD.MM.YYYY" gives no year`},
		{"decimal", `{path: a.csv, record: order, decimal: "'"}`, `sources[0].files[0].decimal: "'" is neither "." nor ","`},
		{"zone", `{path: a.csv, record: order, timezone: Berlin}`, "sources[0].files[0].timezone: "},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := parse(t, "      - "+test.file+"\n")
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v\nwant %s", err, test.want)
			}
		})
	}
	if _, err := parse(t, "      []\n"); err == nil || !strings.Contains(err.Error(), "sources[0].files: ") {
		t.Errorf("without files: error %v", err)
	}
}

func TestNewChecksOptions(t *testing.T) {
	for _, test := range []struct {
		options Options
		want    string
	}{
		{Options{}, "source erp: there are no files"},
		{Options{Files: []File{orderFiles("a.csv"), orderFiles("[")}}, `source erp: files[1].path: "[" is no glob pattern: syntax error in pattern`},
	} {
		if _, err := New("erp", test.options, apiclient.Deps{}); err == nil || err.Error() != test.want {
			t.Errorf("error %v, want %s", err, test.want)
		}
	}
}

// The document's tables are the code's.
func TestDocumentedFields(t *testing.T) {
	path := filepath.Join("..", "..", "docs", "sources", "csv.md")
	document, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	const begin, end = "<!-- begin fields -->\n", "<!-- end fields -->"
	before, rest, ok := strings.Cut(string(document), begin)
	got, after, closed := strings.Cut(rest, end)
	if !ok || !closed {
		t.Fatalf("%s has no %s and %s", path, begin, end)
	}
	want := "\n" + rows.Markdown() + "\n"
	if os.Getenv("UPDATE_DOCS") != "" {
		if err := os.WriteFile(path, []byte(before+begin+want+end+after), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s is out of date: run UPDATE_DOCS=1 go test ./sources/csv (-want +got):\n%s", path, diff)
	}
}

// What the document's example says happens.
func TestDocumentedExample(t *testing.T) {
	document, err := os.ReadFile(filepath.Join("..", "..", "docs", "sources", "csv.md"))
	if err != nil {
		t.Fatal(err)
	}
	block := func(language string) string {
		_, rest, _ := strings.Cut(string(document), "```"+language+"\n")
		text, _, ok := strings.Cut(rest, "```")
		if !ok {
			t.Fatalf("there is no block of %s", language)
		}
		return text
	}
	_, files, _ := strings.Cut(block("yaml"), "    files:\n")
	c, err := parse(t, files)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "orders.csv")
	write(t, path, block("csv"))
	entry := c.Sources[0].Options.(*Options).Files[0]
	entry.Path = path
	page := mustFetchAll(t, newSource(t, entry))
	if len(page.Records) != 2 || len(page.Rejected) != 1 {
		t.Fatalf("%d records, %d rejected", len(page.Records), len(page.Rejected))
	}
	r := page.Rejected[0]
	if said := fmt.Sprintf("`%s, %s: %s`", r.Where, r.Reason, r.Detail); !strings.Contains(string(document), said) {
		t.Errorf("the document does not say %s", said)
	}
	first, guest := page.Records[0].(*record.Order), page.Records[1].(*record.Order)
	if at := first.PlacedAt.N; at != time.Date(2010, 12, 1, 8, 26, 0, 0, time.UTC).UnixMicro() {
		t.Errorf("placed at %d", at)
	}
	if first.Currency != "GBP" || first.Gross != record.Micros(139_120_000) || !guest.Customer.IsNull() {
		t.Errorf("orders %+v, %+v", first, guest)
	}
}
