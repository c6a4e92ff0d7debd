package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/b2bexporter/b2b_exporter/internal/ledger"
	"github.com/b2bexporter/b2b_exporter/sources/all"
)

func TestSyncTwice(t *testing.T) {
	dir := newShop(t, nil)
	r := runIn(t, dir, "sync").ok(t)
	synced(t, r.out, "shop", "order", "3 0 0 0 0 0 ok")
	synced(t, r.out, "shop", "refund", "1 0 0 0 0 0 ok")
	before := runIn(t, dir, "kpis").ok(t).out

	r = runIn(t, dir, "sync").ok(t)
	synced(t, r.out, "shop", "order", "0 0 0 0 0 0 ok")
	synced(t, r.out, "shop", "refund", "0 0 0 0 0 0 ok")

	// A file that is written anew is read again.
	write(t, dir, "orders.csv", strings.Replace(shopOrders, "25.50", "30.00", 1))
	r = runIn(t, dir, "sync").ok(t)
	synced(t, r.out, "shop", "order", "0 1 2 0 0 0 ok")
	write(t, dir, "orders.csv", shopOrders[:strings.Index(shopOrders, "3,c2")])
	r = runIn(t, dir, "sync").ok(t)
	synced(t, r.out, "shop", "order", "0 0 2 1 0 0 ok")
	if runIn(t, dir, "kpis").ok(t).out == before {
		t.Error("the figures are those of before the changes")
	}
	write(t, dir, "orders.csv", shopOrders)
	runIn(t, dir, "sync").ok(t)
	if got := runIn(t, dir, "kpis").ok(t).out; got != before {
		t.Errorf("the files are as they were, and the figures are not:\n%s\nwant\n%s", got, before)
	}
}

func TestSyncRebuild(t *testing.T) {
	dir := newShop(t, nil)
	runIn(t, dir, "sync").ok(t)
	before := runIn(t, dir, "kpis").ok(t).out
	r := runIn(t, dir, "sync", "--rebuild").ok(t)
	synced(t, r.out, "shop", "order", "0 0 0 0 0 0 ok")
	if got := runIn(t, dir, "kpis").ok(t).out; got != before {
		t.Errorf("after a rebuild the figures are\n%s\nwant\n%s", got, before)
	}
}

const twoSources = shopConfig + `  - name: erp
    type: csv
    files:
      - {path: erp-*.csv, record: order}
`

func TestSyncWithABrokenSource(t *testing.T) {
	dir := newShop(t, map[string]string{"b2b.yml": strings.Replace(twoSources, "name: shop", "name: zz-shop", 1)})
	r := runIn(t, dir, "sync").fails(t, 1, "source=erp", "stream order", "erp-*.csv", "no file")
	synced(t, r.out, "zz-shop", "order", "3 0 0 0 0 0 ok")
	synced(t, r.out, "zz-shop", "refund", "1 0 0 0 0 0 ok")
	synced(t, r.out, "erp", "order", "0 0 0 0 0 0 FAILED")

	// What the other delivered is printed, and the exit code tells of the failure.
	r = runIn(t, dir, "kpis", "--sync", "--output=prometheus").fails(t, 1, "source=erp", "FAILED")
	if want := `b2b_orders{channel="unknown",store="zz-shop",window="7d"} 3`; !strings.Contains(r.out, want) {
		t.Errorf("no %s in\n%s", want, r.out)
	}
	if strings.Contains(r.out, "FAILED") {
		t.Error("the table of the poll is between the figures")
	}
	// What joins both sources cannot be trusted.
	if want := `b2b_kpi_undefined{kpi="b2b_orders",reason="immature",window="7d"} 1`; !strings.Contains(r.out, want) {
		t.Errorf("no %s in\n%s", want, r.out)
	}

	write(t, dir, "erp-1.csv", "id,placed_at,currency,gross\n1,2026-06-30,EUR,5\n")
	r = runIn(t, dir, "sync").ok(t)
	synced(t, r.out, "erp", "order", "1 0 0 0 0 0 ok")
}

func TestSyncRejectsRows(t *testing.T) {
	dir := newShop(t, map[string]string{"orders.csv": shopOrders +
		"4,c2,2026-06-30T11:00:00Z,EUR,1.234.56\n" +
		"5,c2,2026-06-30T11:00:00Z,EUR,many\n" +
		"6,c2,30 June,EUR,1\n" +
		"7,c2,2026-06-30T11:00:00Z,EUR,1.00000049\n" +
		"2,c1,2026-06-30T10:00:00Z,EUR,51.00\n"})
	r := runIn(t, dir, "sync").ok(t)
	synced(t, r.out, "shop", "order", "4 0 0 0 4 1 ok")
	for text, want := range map[string]int{
		`reason="bad amount"`: 1, "orders.csv:5": 1, "orders.csv:6": 0,
		`reason="bad time"`: 1, "orders.csv:7": 1,
		`reason="duplicate id"`: 1, "orders.csv:9": 1,
	} {
		if got := strings.Count(r.errors, text); got != want {
			t.Errorf("%q is logged %d times, want %d:\n%s", text, got, want, r.errors)
		}
	}
	if got := last(row(t, runIn(t, dir, "kpis", "--match=b2b_orders").ok(t).out, "b2b_orders", "window=7d")); got != "4" {
		t.Errorf("7 days: %s orders, want 4 orders: those that could be read", got)
	}
}

func TestFileThatDisappears(t *testing.T) {
	dir := newShop(t, nil)
	runIn(t, dir, "sync").ok(t)
	before := runIn(t, dir, "kpis").ok(t).out
	if err := os.Remove(filepath.Join(dir, "orders.csv")); err != nil {
		t.Fatal(err)
	}
	r := runIn(t, dir, "sync").fails(t, 1, "orders.csv", "stream order")
	synced(t, r.out, "shop", "order", "0 0 0 0 0 0 FAILED")
	synced(t, r.out, "shop", "refund", "0 0 0 0 0 0 ok")
	if got := runIn(t, dir, "kpis").ok(t).out; got != before {
		t.Errorf("a file that is gone changed the figures to\n%s\nfrom\n%s", got, before)
	}
}

func TestOneWriter(t *testing.T) {
	dir := newShop(t, nil)
	runIn(t, dir, "sync").ok(t)
	before := runIn(t, dir, "kpis").ok(t).out
	l := openLedgerOf(t, dir)
	holder := fmt.Sprintf("process %d has it open", os.Getpid())
	for _, args := range [][]string{{"sync"}, {"sync", "--rebuild"}, {"kpis", "--sync"}} {
		runIn(t, dir, args...).fails(t, 1, "b2b.db", holder, "ledger.path")
	}
	if got := runIn(t, dir, "kpis").ok(t).out; got != before {
		t.Errorf("beside a writer the figures are\n%s\nwant\n%s", got, before)
	}
	if r := runIn(t, dir, "check").ok(t); row(t, r.out, "ledger")[2] != "ok" {
		t.Errorf("check beside a writer:\n%s", r.out)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	runIn(t, dir, "sync").ok(t)
}

// openLedgerOf opens the ledger of dir as another process would.
func openLedgerOf(t *testing.T, dir string) *ledger.Ledger {
	t.Helper()
	c := &command{configFile: filepath.Join(dir, "b2b.yml"), stdout: io.Discard, stderr: io.Discard, now: noon}
	cfg, err := c.loadConfig()
	if err != nil {
		t.Fatal(err)
	}
	a, err := newApp(cfg, all.Deps{Metrics: all.NewMetrics()})
	if err != nil {
		t.Fatal(err)
	}
	l, err := a.openLedger(t.Context(), false, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Errorf("close the ledger: %v", err)
		}
	})
	return l
}

func TestForeignLedger(t *testing.T) {
	dir := newShop(t, map[string]string{"b2b.db": "my novel, chapter one"})
	for _, args := range [][]string{{"sync"}, {"kpis"}, {"kpis", "--sync"}} {
		runIn(t, dir, args...).fails(t, 1, "b2b.db", "untouched")
	}
	text, err := os.ReadFile(filepath.Join(dir, "b2b.db"))
	if err != nil || string(text) != "my novel, chapter one" {
		t.Errorf("the file holds %q now (%v)", text, err)
	}
}

// Wherever a poll is interrupted, what was read is kept and the next one goes on.
func TestSyncInterrupted(t *testing.T) {
	undisturbed := newShop(t, nil)
	runIn(t, undisturbed, "sync").ok(t)
	want := runIn(t, undisturbed, "kpis").ok(t).out
	for n := 1; ; n++ {
		dir := newShop(t, nil)
		ctx, cancel := context.WithCancel(t.Context())
		var errs bytes.Buffer
		reads := 0
		c := &command{stdout: io.Discard, stderr: &errs, now: func() time.Time {
			if reads++; reads == n {
				cancel()
			}
			return noon()
		}}
		code := c.run(ctx, []string{"--config.file=" + filepath.Join(dir, "b2b.yml"), "sync"})
		cancel()
		if reads < n {
			if n < 4 {
				t.Errorf("the clock is read %d times, so that nothing has been interrupted", reads)
			}
			return
		}
		result{code, "", errs.String()}.fails(t, 1, "what was read is kept")
		runIn(t, dir, "sync").ok(t)
		if got := runIn(t, dir, "kpis").ok(t).out; got != want {
			t.Errorf("interrupted at the clock's %d. time, the figures are\n%s\nwant\n%s", n, got, want)
		}
	}
}

func TestSyncClockSetBack(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "orders.csv", "id,placed_at,currency,gross\n1,2026-06-01T10:00:00Z,EUR,10\n")
	config := filepath.Join(dir, "b2b.yml")
	write(t, dir, "b2b.yml", "timezone: UTC\ncurrency: EUR\nledger: {path: b2b.db}\nsources:\n  - {name: shop, type: csv, files: [{path: orders.csv, record: order}]}\n")
	at := time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)
	sync := func(now time.Time, args ...string) (int, string) {
		var stdout, stderr bytes.Buffer
		c := &command{stdout: &stdout, stderr: &stderr, now: func() time.Time { return now }}
		return c.run(t.Context(), append([]string{"--config.file=" + config, "sync"}, args...)), stderr.String()
	}
	if code, text := sync(at); code != 0 {
		t.Fatalf("first sync: %d %s", code, text)
	}
	for range 2 { // the refusal does not make the next one forget
		if code, text := sync(at.Add(-time.Hour)); code != 1 || !strings.Contains(text, "--reset-clock") {
			t.Fatalf("sync with a clock an hour back: %d %s", code, text)
		}
	}
	if code, text := sync(at.Add(-time.Hour), "--reset-clock"); code != 0 {
		t.Fatalf("sync --reset-clock: %d %s", code, text)
	}
	if code, text := sync(at.Add(-time.Hour)); code != 0 {
		t.Fatalf("sync afterwards: %d %s", code, text)
	}
}
