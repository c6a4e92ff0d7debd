package csv

import (
	"context"
	"path/filepath"
	"strings"
	"testing"

	"github.com/b2bexporter/b2b_exporter/internal/record"
	"github.com/b2bexporter/b2b_exporter/sources"
	"github.com/b2bexporter/b2b_exporter/sources/internal/rows"
)

// TestRatesWithoutReference: they are per unit of the reporting currency (EUR here),
// unless the list shows that they cannot be.
func TestRatesWithoutReference(t *testing.T) {
	for name, test := range map[string]struct{ rows, wantErr string }{
		"per the reporting currency":            {"2026-01-02,USD,1.08\n2026-01-02,EUR,1\n", ""},
		"the reporting currency is one of them": {"2026-01-02,USD,1.25\n2026-01-02,EUR,1.15\n", `rates.csv:3: the rates are per unit of another currency than EUR`},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "rates.csv")
			write(t, path, "day,currency,per_reference\n"+test.rows)
			req := request("")
			req.Stream, req.Currency = string(record.KindRate), "EUR"
			src := newSource(t, File{Path: path, Config: rows.Config{Record: record.KindRate}})
			n := 0
			err := src.Fetch(t.Context(), req, func(_ context.Context, p sources.Page) error {
				n += len(p.Records)
				return nil
			})
			switch {
			case test.wantErr == "" && (err != nil || n != 2):
				t.Errorf("%d records, %v", n, err)
			case test.wantErr != "" && (err == nil || n != 0 || !strings.Contains(err.Error(), test.wantErr)):
				t.Errorf("%d records, error %v, want %q", n, err, test.wantErr)
			}
		})
	}
}
