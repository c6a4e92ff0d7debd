package main

import (
	"bufio"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/b2bexporter/b2b_exporter/collector"
	"github.com/b2bexporter/b2b_exporter/internal/ledger"
	"github.com/b2bexporter/b2b_exporter/internal/ledger/rollup"
	"github.com/b2bexporter/b2b_exporter/internal/poll"
	"github.com/b2bexporter/b2b_exporter/internal/record"
	"github.com/b2bexporter/b2b_exporter/sources/all"
)

// The benchmarks' company: orders spread evenly over benchDays days that end at
// benchEnd, one customer for ten orders, three currencies of which two are rare,
// every twentieth order a guest's. BENCH_ORDERS sets how many (default 100,000).
const benchDays = 1095

func benchEnd() time.Time { return time.Date(2026, 6, 30, 12, 0, 0, 0, time.UTC) }

func benchOrders(b *testing.B) int {
	b.Helper()
	text := os.Getenv("BENCH_ORDERS")
	if text == "" {
		return 100_000
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		b.Fatalf("BENCH_ORDERS: %v", err)
	}
	return n
}

const benchConfig = `timezone: Europe/Berlin
currency: EUR
ledger: {path: b2b.db}
rates:
  - {currency: USD, per_reference: 1.08}
  - {currency: PLN, per_reference: 4.31}
sources:
  - name: shop
    type: csv
    files:
      - {path: orders.csv, record: order}
`

func benchRow(w io.Writer, r *rand.Rand, i, orders int) {
	at := benchEnd().Add(-time.Duration(orders-i) * (benchDays * 24 * time.Hour / time.Duration(orders)))
	customer := strconv.Itoa(r.IntN(max(1, orders/10)))
	if i%20 == 0 {
		customer = ""
	}
	currency := "EUR"
	switch i % 50 {
	case 7:
		currency = "USD"
	case 8:
		currency = "PLN"
	}
	fmt.Fprintf(w, "%d,%s,%s,%s,%d.%02d,%d.00,%d.00,%s,%s\n", i, customer, at.Format(time.RFC3339), currency,
		50+r.IntN(950), r.IntN(100), r.IntN(20), 20+r.IntN(30), [4]string{"DE", "FR", "AT", "PL"}[r.IntN(4)], [3]string{"google", "news", ""}[r.IntN(3)])
}

// benchDir writes the company's files into a directory.
func benchDir(b *testing.B, orders int) string {
	b.Helper()
	dir := b.TempDir()
	f, err := os.Create(filepath.Join(dir, "orders.csv"))
	if err != nil {
		b.Fatal(err)
	}
	w := bufio.NewWriterSize(f, 1<<20)
	fmt.Fprintln(w, "id,customer,placed_at,currency,gross,discount,cost,country,source")
	r := rand.New(rand.NewPCG(1, 2))
	for i := range orders {
		benchRow(w, r, i, orders)
	}
	if err := w.Flush(); err != nil {
		b.Fatal(err)
	}
	if err := f.Close(); err != nil {
		b.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "b2b.yml"), []byte(benchConfig), 0o600); err != nil {
		b.Fatal(err)
	}
	return dir
}

func openBench(b *testing.B, dir string) (*app, *ledger.Ledger) {
	b.Helper()
	c := &command{configFile: filepath.Join(dir, "b2b.yml"), log: slog.New(slog.DiscardHandler), stdout: io.Discard, stderr: io.Discard}
	cfg, err := c.loadConfig()
	if err != nil {
		b.Fatal(err)
	}
	a, err := newApp(cfg, all.Deps{Metrics: all.NewMetrics(), Logger: c.log})
	if err != nil {
		b.Fatal(err)
	}
	l, err := a.openLedger(b.Context(), false, nil)
	if err != nil {
		b.Fatal(err)
	}
	return a, l
}

func readAll(b *testing.B, a *app, l *ledger.Ledger) {
	b.Helper()
	p := &poll.Poller{
		Ledger: l, Log: slog.New(slog.DiscardHandler), Now: time.Now,
	}
	for _, j := range a.jobs {
		if err := p.Once(b.Context(), j.source); err != nil {
			b.Fatal(err)
		}
	}
}

// cpu returns the processor time that the process has used.
func cpu(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// resident returns the process's resident memory in MiB: now, and at its peak.
func resident(b *testing.B) (now, peak float64) {
	b.Helper()
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		b.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		name, value, _ := strings.Cut(line, ":")
		kb, _ := strconv.ParseFloat(strings.TrimSuffix(strings.TrimSpace(value), " kB"), 64)
		switch name {
		case "VmRSS":
			now = kb / 1024
		case "VmHWM":
			peak = kb / 1024
		}
	}
	return now, peak
}

// BenchmarkIngest reads the company's file into committed rows and derived state.
func BenchmarkIngest(b *testing.B) {
	orders := benchOrders(b)
	b.ReportAllocs()
	for b.Loop() {
		b.StopTimer()
		dir := benchDir(b, orders)
		a, l := openBench(b, dir)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		used := cpu(b)
		b.StartTimer()
		readAll(b, a, l)
		b.StopTimer()
		used = cpu(b) - used
		runtime.ReadMemStats(&after)
		_, peak := resident(b)
		b.ReportMetric(float64(orders)/used.Seconds(), "orders/cpu-s")
		b.ReportMetric(float64(after.Mallocs-before.Mallocs)/float64(orders), "allocs/order")
		b.ReportMetric(peak, "peak-MiB")
		if err := l.Close(); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
	}
}

// BenchmarkKPIs measures what the figures cost: from an opened ledger, after a change of
// 1,000 orders, after five minutes without any, and at midnight.
func BenchmarkKPIs(b *testing.B) {
	orders := benchOrders(b)
	dir := benchDir(b, orders)
	a, l := openBench(b, dir)
	readAll(b, a, l)
	if err := l.Close(); err != nil {
		b.Fatal(err)
	}
	b.Run("open", func(b *testing.B) {
		for b.Loop() {
			used := cpu(b)
			a, l := openBench(b, dir)
			compute(b, a, a.engine(l), benchEnd())
			b.ReportMetric((cpu(b)-used).Seconds()*1000, "cpu-ms/op")
			now, _ := resident(b)
			b.ReportMetric(now, "MiB")
			if err := l.Close(); err != nil {
				b.Fatal(err)
			}
		}
	})
	a, l = openBench(b, dir)
	defer l.Close()
	engine := a.engine(l)
	asOf := benchEnd()
	compute(b, a, engine, asOf)
	b.Run("change1000", func(b *testing.B) {
		r := rand.New(rand.NewPCG(3, 4))
		for b.Loop() {
			b.StopTimer()
			used := cpu(b)
			change(b, l, r, orders)
			b.ReportMetric((cpu(b)-used).Seconds()*1000, "commit-cpu-ms/op")
			used = cpu(b)
			b.StartTimer()
			asOf = asOf.Add(time.Second)
			compute(b, a, engine, asOf)
			b.ReportMetric((cpu(b)-used).Seconds()*1000, "cpu-ms/op")
		}
	})
	b.Run("pass5min", func(b *testing.B) {
		for b.Loop() {
			used := cpu(b)
			asOf = asOf.Add(5 * time.Minute)
			compute(b, a, engine, asOf)
			b.ReportMetric((cpu(b)-used).Seconds()*1000, "cpu-ms/op")
		}
	})
	b.Run("midnight", func(b *testing.B) {
		for b.Loop() {
			used := cpu(b)
			asOf = asOf.Add(24 * time.Hour)
			compute(b, a, engine, asOf)
			b.ReportMetric((cpu(b)-used).Seconds()*1000, "cpu-ms/op")
		}
	})
	now, peak := resident(b)
	b.Logf("%d orders: %.0f MiB resident, %.0f at the peak", orders, now, peak)
}

// compute brings the KPIs up to date, without the check of the exposition.
func compute(b *testing.B, a *app, engine *rollup.Engine, asOf time.Time) {
	b.Helper()
	view, err := engine.View(b.Context(), asOf.UnixMicro())
	if err != nil {
		b.Fatal(err)
	}
	if out := a.compute(view, time.Time{}, collector.Collectors(), collector.LedgerInfo{}); len(out.Samples) == 0 {
		b.Fatal("no samples")
	}
}

// change commits 1,000 orders anywhere in the history with another amount.
func change(b *testing.B, l *ledger.Ledger, r *rand.Rand, orders int) {
	b.Helper()
	session, err := l.Begin(b.Context(), "shop", "order", []record.Kind{record.KindOrder}, false, time.Now())
	if err != nil {
		b.Fatal(err)
	}
	var batch ledger.Batch
	for range 1000 {
		i := r.IntN(orders)
		at := benchEnd().Add(-time.Duration(orders-i) * (benchDays * 24 * time.Hour / time.Duration(orders)))
		o := &record.Order{
			Customer: record.RefTo(strconv.Itoa(r.IntN(max(1, orders/10)))), PlacedAt: record.At(at.Truncate(time.Second)), Currency: "EUR",
			Gross: record.Micros(int64(r.IntN(1000_00)) * 10_000), Country: "DE",
		}
		o.ID = strconv.Itoa(i)
		batch.Records = append(batch.Records, o)
	}
	if _, err := session.Commit(b.Context(), batch); err != nil {
		b.Fatal(err)
	}
}
