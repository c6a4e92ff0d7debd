package csv

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"

	"github.com/b2bexporter/b2b_exporter/internal/record"
	"github.com/b2bexporter/b2b_exporter/sources"
	"github.com/b2bexporter/b2b_exporter/sources/internal/rows"
)

func TestForms(t *testing.T) {
	text := header + "1,Müller,2026-03-01,EUR,10\n2,\"Smith, \"\"Bob\"\"\nLtd\",2026-03-01,EUR,10\n"
	windows, err := charmap.Windows1252.NewEncoder().String(text)
	if err != nil {
		t.Fatal(err)
	}
	utf16 := func(e unicode.Endianness, bom unicode.BOMPolicy) string {
		encoded, err := unicode.UTF16(e, bom).NewEncoder().String(text)
		if err != nil {
			t.Fatal(err)
		}
		return encoded
	}
	tests := []struct {
		name, content       string
		encoding, delimiter string
	}{
		{name: "plain", content: text},
		{name: "byte order mark", content: "\xef\xbb\xbf" + text},
		{name: "CRLF", content: strings.ReplaceAll(text, "\n", "\r\n")},
		{name: "no line end at the end", content: strings.TrimSuffix(text, "\n")},
		{name: "empty lines", content: "\n" + strings.Replace(text, "\n1,", "\n\n\n1,", 1) + "\n"},
		{name: "gzip", content: zip(t, text)},
		{name: "gzip in two members", content: zip(t, text[:50]) + zip(t, text[50:])},
		{name: "gzip with byte order mark", content: zip(t, "\xef\xbb\xbf"+text)},
		{name: "windows-1252", content: windows, encoding: "windows-1252"},
		{name: "IANA name", content: windows, encoding: "ISO_8859-1:1987"},
		{name: "utf-8 by name", content: text, encoding: "utf8"},
		{name: "UTF-16 with a mark", content: utf16(unicode.BigEndian, unicode.UseBOM)},
		{name: "UTF-16 without a mark", content: utf16(unicode.LittleEndian, unicode.IgnoreBOM), encoding: "utf-16"},
		{name: "UTF-16, gzip", content: zip(t, utf16(unicode.LittleEndian, unicode.UseBOM))},
		{name: "mark before option", content: "\xef\xbb\xbf" + text, encoding: "windows-1252"},
		{name: "semicolon", content: strings.ReplaceAll(text, ",", ";"), delimiter: ";"},
		{name: "tab", content: strings.ReplaceAll(text, ",", "\t"), delimiter: "\t"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "orders.csv")
			write(t, path, test.content)
			entry := orderFiles(path)
			entry.Encoding, entry.Delimiter = test.encoding, test.delimiter
			page := mustFetchAll(t, newSource(t, entry))
			if len(page.Records) != 2 || page.Rejected != nil {
				t.Fatalf("%d records, rejected %+v", len(page.Records), page.Rejected)
			}
			first, second := page.Records[0].(*record.Order), page.Records[1].(*record.Order)
			name := "Smith, \"Bob\"\nLtd"
			if test.delimiter != "" {
				name = strings.ReplaceAll(name, ",", test.delimiter)
			}
			if first.Customer.ID != "Müller" || first.ID != "1" || second.Customer.ID != name {
				t.Errorf("customers %q, %q", first.Customer.ID, second.Customer.ID)
			}
		})
	}
}

func TestBadRows(t *testing.T) {
	content := header +
		"1,\"two\nlines\",2026-03-01,EUR,10\n" + // 2, 3
		"2,C1,2026-03-01,EUR,1.000.00\n" + // 4
		"3,C1,2026-03-01\n" + // 5
		"4,C\"1,2026-03-01,EUR,10\n" + // 6
		"5,\"C\" 1,2026-03-01,EUR,10\n" + // 7
		"6,M\xfcller,2026-03-01,EUR,10\n" + // 8
		"7,C1,2026-03-01,EUR,10,11\n" + // 9
		"\n" + // 10
		",C1,2026-03-01,EUR,10\n" + // 11
		"8,C1,2026-03-01,EUR,10\n" +
		"9,C1,2026-03-01,EUR,0.0000001\n" +
		"8,C1,2026-03-01,EUR,12\n" +
		"10,\"C1,2026-03-01,EUR,10" // 15
	path := filepath.Join(t.TempDir(), "orders.csv")
	write(t, path, content)
	page := mustFetchAll(t, newSource(t, orderFiles(path)))
	if diff := cmp.Diff([]string{"1", "8", "9", "8"}, ids([]sources.Page{page})); diff != "" {
		t.Errorf("records (-want +got):\n%s", diff)
	}
	if page.Rounded != 1 {
		t.Errorf("%d amounts rounded, want 1", page.Rounded)
	}
	var want []sources.Rejection
	for _, r := range [][4]string{
		{"2", rows.ReasonAmount, "orders.csv:4", `gross "1.000.00": not a decimal number`},
		{"3", rows.ReasonColumns, "orders.csv:5", "the row has 3 columns, the header 5"},
		{"4", rows.ReasonQuoting, "orders.csv:6", `column 4 of the line: bare " in non-quoted-field`},
		{"5", rows.ReasonQuoting, "orders.csv:7", `column 5 of the line: extraneous or missing " in quoted-field`},
		{"6", rows.ReasonEncoding, "orders.csv:8", "customer is not valid UTF-8; set encoding to the file's own, such as windows-1252"},
		{"7", rows.ReasonColumns, "orders.csv:9", "the row has 6 columns, the header 5"},
		{"", rows.ReasonMissing, "orders.csv:11", "id is empty"},
		{"10", rows.ReasonQuoting, "orders.csv:15", `column 25 of the line: extraneous or missing " in quoted-field`},
	} {
		want = append(want, sources.Rejection{Kind: record.KindOrder, ID: r[0], Reason: r[1], Where: r[2], Detail: r[3]})
	}
	if diff := cmp.Diff(want, page.Rejected); diff != "" {
		t.Errorf("rejected (-want +got):\n%s", diff)
	}
}

func TestBadFiles(t *testing.T) {
	good := header + line(1)
	cut := zip(t, good+lines(2, 2000))
	tests := []struct{ name, content, want string }{
		{"empty", "", "the file is empty; it needs a header, also where it has no rows"},
		{"only line ends", "\n\n", "the file is empty; it needs a header, also where it has no rows"},
		{"empty gzip", zip(t, ""), "the file is empty; it needs a header, also where it has no rows"},
		{"missing column", "id,customer,placed_at,currency\n", `order needs a column for gross; the header has "id", "customer", "placed_at", "currency"`},
		{"duplicate column", "id,placed_at,currency,gross,id\n", `column "id" occurs twice in the header`},
		{"column without a name", "id,placed_at,currency,gross,\n", "column 5 of the header has no name"},
		{"no header", line(1), `the first line has none of the mapped columns among its 5; is it a header, and are delimiter (',') and encoding the file's?`},
		{
			"other delimiter", strings.ReplaceAll(good, ",", ";"),
			`the first line has none of the mapped columns among its 1; is it a header, and are delimiter (',') and encoding the file's?`,
		},
		{"quote in the header", "id,\"pla\"ced_at\n", "header: "},
		{"truncated gzip", cut[:len(cut)/2], "the compressed file is cut off; copy it again: unexpected EOF"},
		{"damaged gzip", cut[:len(cut)-8] + "damaged!", "gzip: invalid checksum"},
		{
			"rows drawn into a quoted field", header + line(1) + "2,\"C1,2026-03-01,EUR,10\n" + lines(3, 9) + "10,\"C\",2026-03-01,EUR,10\n",
			"line 3: the row does not end where it should and may have drawn in the rows after it: look for a quote that is missing or not doubled",
		},
		{
			"quote that closes in another row", header + "2,\"C1,2026-03-01,EUR,10\n3,\"\n",
			"line 2: the row does not end where it should and may have drawn in the rows after it: look for a quote that is missing or not doubled",
		},
		{"endless row", header + "1,\"" + strings.Repeat("x", maxRowBytes+1<<16), "a row is longer than 1048576 bytes"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			write(t, filepath.Join(dir, "a.csv"), good)
			bad := filepath.Join(dir, "b.csv")
			write(t, bad, test.content)
			pages, err := fetch(t, newSource(t, orderFiles(filepath.Join(dir, "*.csv"))), "")
			if err == nil || !strings.Contains(err.Error(), test.want) || !strings.Contains(err.Error(), bad) {
				t.Errorf("error %v, want the file %s and %s", err, bad, test.want)
			}
			if len(pages) != 0 {
				t.Errorf("%d pages", len(pages))
			}
			if err != nil && strings.Contains(err.Error(), "C1") {
				t.Errorf("the error shows a cell: %v", err)
			}
		})
	}
}

func TestUnreadablePaths(t *testing.T) {
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "d.csv"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Join(dir, "gone"), filepath.Join(dir, "link.csv")); err != nil {
		t.Fatal(err)
	}
	for pattern, want := range map[string]string{
		"none-*.csv": "no file matches " + filepath.Join(dir, "none-*.csv") + ": check the path and that its volume is mounted and readable",
		"d.csv":      "is not a regular file: make the pattern",
		"link.csv":   "no such file",
	} {
		pages, err := fetch(t, newSource(t, orderFiles(filepath.Join(dir, pattern))), "old")
		if err == nil || !strings.Contains(err.Error(), want) || pages != nil {
			t.Errorf("%s: error %v, %d pages, want %s", pattern, err, len(pages), want)
		}
	}
}
