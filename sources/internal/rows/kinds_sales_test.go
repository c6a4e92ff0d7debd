package rows_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/b2bexporter/b2b_exporter/internal/ledger"
	"github.com/b2bexporter/b2b_exporter/internal/ledger/rollup"
	"github.com/b2bexporter/b2b_exporter/internal/record"
	"github.com/b2bexporter/b2b_exporter/internal/window"
)

// recurring returns what recurring revenue subscriptions make in the month that day ends.
func recurring(t *testing.T, subscriptions []record.Record, day time.Time) string {
	t.Helper()
	l, err := ledger.Open(t.Context(), ledger.Options{
		Path: filepath.Join(t.TempDir(), "b2b.db"), Settings: ledger.Settings{Zone: day.Location(), Currency: "EUR", Basis: ledger.BasisOrders},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	if err := l.Ready(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	session, err := l.Begin(t.Context(), "billing", "subscription", []record.Kind{record.KindSubscription}, true, day)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := session.Commit(t.Context(), ledger.Batch{Records: subscriptions}); err != nil {
		t.Fatal(err)
	}
	if err := session.End(t.Context(), day, nil, false); err != nil {
		t.Fatal(err)
	}
	engine := rollup.New(l, rollup.Options{Windows: []window.Name{window.MTD}, Currency: "EUR", InactiveAfter: window.Span{Days: 180}}, []string{"billing"})
	v, err := engine.View(t.Context(), day.UnixMicro())
	if err != nil {
		t.Fatal(err)
	}
	w := v.Windows[0].Recurring
	row := "| " + day.Month().String()
	for _, m := range []rollup.Money{w.Moved[rollup.MovementNew], w.Moved[rollup.MovementExpansion], w.Moved[rollup.MovementChurn], w.End} {
		row += " | " + m.Value.RatString()
	}
	return row + fmt.Sprintf(" | %d | %d |", v.Recurring.Active, v.Recurring.Trialing)
}

// TestDocumentedSubscriptions computes what docs/sources/csv.md shows of trials, prices and ends.
func TestDocumentedSubscriptions(t *testing.T) {
	document, err := os.ReadFile(filepath.Join("..", "..", "..", "docs", "sources", "csv.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(document), "\n### Subscriptions\n")
	section, _, _ = strings.Cut(section, "\n### ")
	_, file, _ := strings.Cut(section, "```text\n")
	file, months, ok := strings.Cut(file, "```")
	if !ok {
		t.Fatal("there is no example")
	}
	read := func(file string) []record.Record {
		t.Helper()
		records, rejected := example{
			source: "sources:\n  - name: billing\n    type: csv\n    files: [{path: /data/subscriptions.csv, record: subscription}]\n",
			data:   map[string]string{"/data/subscriptions.csv": file},
		}.run(t)
		if len(rejected) > 0 {
			t.Fatalf("rejected %q", rejected)
		}
		return records
	}
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	end := func(month time.Month) time.Time {
		return time.Date(2026, month+1, 1, 0, 0, 0, 0, berlin).Add(-time.Microsecond)
	}
	for month := time.January; month <= time.June; month++ {
		if row := recurring(t, read(file), end(month)); !strings.Contains(months, row) {
			t.Errorf("the rows make %s", row)
		}
	}
	// The trial and what was paid after it in one row, which the document warns of.
	const trial, paid = "S1-trial,17850,ended,2026-01-01,2026-01-15,EUR,0\n", "S1-1,17850,ended,2026-01-15,"
	merged := strings.Replace(strings.Replace(file, trial, "", 1), paid, "S1,17850,ended,2026-01-01,", 1)
	if row, want := recurring(t, read(merged), time.Date(2026, time.January, 10, 0, 0, 0, 0, berlin)), "| January | 100 | 0 | 0 | 100 | 1 | 0 |"; row != want {
		t.Errorf("in one row the trial is %s, want %s", row, want)
	}
}
