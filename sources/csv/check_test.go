package csv

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/b2bexporter/b2b_exporter/internal/record"
	"github.com/b2bexporter/b2b_exporter/sources"
	"github.com/b2bexporter/b2b_exporter/sources/internal/rows"
)

func TestCheck(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "good-1.csv"), "id,note,placed_at,currency,gross\n1,,2026-03-01,EUR,0.0000001\n2,,2026-03-01,EUR,x\n3,,2026-03-01,EUR,y\n")
	write(t, filepath.Join(dir, "good-2.csv"), header+lines(4, 200))
	write(t, filepath.Join(dir, "bad.csv"), header+"1,jane@example.com,yesterday,EUR,1\n")
	write(t, filepath.Join(dir, "late-1.csv"), header+lines(1, 200))
	write(t, filepath.Join(dir, "late-2.csv"), "id,gross\n")
	files := []File{
		orderFiles(filepath.Join(dir, "good-*.csv")),
		orderFiles(filepath.Join(dir, "bad.csv")),
		orderFiles(filepath.Join(dir, "late-*.csv")),
		{Path: filepath.Join(dir, "none.csv"), Config: rows.Config{Record: record.KindDeal}},
	}
	got := newSource(t, files...).Check(t.Context(), sources.Environment{Zone: time.UTC})
	want := []struct{ subject, detail, err string }{
		{"order " + files[0].Path, "; columns id, placed_at, currency, gross; not used note; of the first 100 rows 2 rejected; " +
			`first at good-1.csv:3, bad amount: gross "x": not a decimal number; 1 amounts rounded to 10^-6`, ""},
		{"order " + files[1].Path, "; of the first 1 rows 1 rejected; first at bad.csv:2, bad time: placed_at \"yesterday\"", "every row that was read is rejected"},
		{"order " + files[2].Path, "", `late-2.csv: order needs a column for placed_at, currency; the header has "id", "gross"`},
		{"deal " + files[3].Path, "", "no file matches"},
	}
	if len(got) != len(want) {
		t.Fatalf("%d findings, want %d", len(got), len(want))
	}
	for i, w := range want {
		if got[i].Subject != w.subject || !strings.Contains(got[i].Detail, w.detail) {
			t.Errorf("finding %q: %q\nwant %q: %q", got[i].Subject, got[i].Detail, w.subject, w.detail)
		}
		switch err := got[i].Err; {
		case (err == nil) != (w.err == ""):
			t.Errorf("%s: error %v, want %q", w.subject, err, w.err)
		case err != nil && !strings.Contains(err.Error(), w.err):
			t.Errorf("%s: error %v, want %q", w.subject, err, w.err)
		}
		if strings.Contains(got[i].Detail, "jane") {
			t.Errorf("a cell is shown: %s", got[i].Detail)
		}
	}
}
