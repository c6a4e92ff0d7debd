package web

import (
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"runtime"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
)

// The benchmarks' exposition: 20,000 series.
const (
	benchFamilies = 100
	benchSeries   = 200 // of a family
)

const openMetrics = "application/openmetrics-text;version=1.0.0"

var (
	benchLabels  = []string{"window", "store", "country", "currency"}
	benchWindows = []string{"7d", "30d", "90d", "365d", "mtd", "qtd", "ytd", "today"}
)

func benchName(family int) string { return fmt.Sprintf("b2b_benchmark_quantity_%03d", family) }

func benchHelp(family int) string {
	return fmt.Sprintf("Quantity %d of the benchmark, from orders and refunds.", family)
}

func benchValues(i int) []string {
	return []string{benchWindows[i%len(benchWindows)], "eu-shop", "country-" + strconv.Itoa(i), "EUR"}
}

func benchValue(family, i int) float64 { return float64(family*benchSeries+i) * 1.37 }

// constMetrics hands out const metrics that are made once.
type constMetrics []prometheus.Metric

func newConstMetrics() constMetrics {
	var all constMetrics
	for f := range benchFamilies {
		desc := prometheus.NewDesc(benchName(f), benchHelp(f), benchLabels, nil)
		for i := range benchSeries {
			all = append(all, prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, benchValue(f, i), benchValues(i)...))
		}
	}
	return all
}

func (c constMetrics) Describe(ch chan<- *prometheus.Desc) {
	for i := 0; i < len(c); i += benchSeries {
		ch <- c[i].Desc()
	}
}

func (c constMetrics) Collect(ch chan<- prometheus.Metric) {
	for _, m := range c {
		ch <- m
	}
}

// families hands out prepared families.
type families []*dto.MetricFamily

func (f families) Gather() ([]*dto.MetricFamily, error) { return f, nil }

// gatherers are the ways of holding the same series.
func gatherers(tb testing.TB) map[string]prometheus.Gatherer {
	tb.Helper()
	consts := prometheus.NewRegistry()
	consts.MustRegister(newConstMetrics())
	vecs := prometheus.NewRegistry()
	for f := range benchFamilies {
		v := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: benchName(f), Help: benchHelp(f)}, benchLabels)
		for i := range benchSeries {
			v.WithLabelValues(benchValues(i)...).Set(benchValue(f, i))
		}
		vecs.MustRegister(v)
	}
	prepared, err := consts.Gather()
	if err != nil {
		tb.Fatal(err)
	}
	self := prometheus.NewRegistry()
	self.MustRegister(prometheus.NewGauge(prometheus.GaugeOpts{Name: "b2b_up", Help: "Self."}))
	logger := slog.New(slog.DiscardHandler)
	return map[string]prometheus.Gatherer{
		"gaugevecs":            vecs,
		"constmetrics":         consts,
		"constmetrics_checked": prometheus.Gatherers{self, consts},
		"prepared_checked":     prometheus.Gatherers{self, families(prepared)},
		"prepared":             merged{[]prometheus.Gatherer{self, families(prepared)}, logger},
	}
}

var benchOrder = []string{"gaugevecs", "constmetrics", "constmetrics_checked", "prepared_checked", "prepared"}

// BenchmarkGather is the part of a scrape before the encoding.
func BenchmarkGather(b *testing.B) {
	all := gatherers(b)
	for _, name := range benchOrder {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := all[name].Gather(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// sink is a response that keeps nothing but its size.
type sink struct {
	header http.Header
	status int
	bytes  int
}

func (s *sink) Header() http.Header  { return s.header }
func (s *sink) WriteHeader(code int) { s.status = code }
func (s *sink) Write(b []byte) (int, error) {
	s.bytes += len(b)
	return len(b), nil
}

func scrapeOnce(tb testing.TB, h http.Handler, accept, encoding string) int {
	r := httptest.NewRequestWithContext(tb.Context(), http.MethodGet, "/metrics", nil)
	r.Header.Set("Accept", accept)
	r.Header.Set("Accept-Encoding", encoding)
	w := &sink{header: http.Header{}, status: http.StatusOK}
	h.ServeHTTP(w, r)
	if w.status != http.StatusOK || w.bytes == 0 {
		tb.Fatalf("status %d, %d bytes", w.status, w.bytes)
	}
	return w.bytes
}

func benchHandler(tb testing.TB, g prometheus.Gatherer) http.Handler {
	tb.Helper()
	s, err := New(Options{Gatherers: prometheus.Gatherers{g}, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		tb.Fatal(err)
	}
	return s.Handler()
}

// BenchmarkScrape is a scrape through the whole handler.
func BenchmarkScrape(b *testing.B) {
	all := gatherers(b)
	for _, format := range []struct{ name, accept string }{{"text", "text/plain"}, {"openmetrics", openMetrics}} {
		for _, encoding := range []string{"identity", "gzip"} {
			for _, name := range benchOrder {
				b.Run(format.name+"/"+encoding+"/"+name, func(b *testing.B) {
					h := benchHandler(b, all[name])
					b.ReportAllocs()
					n := 0
					for b.Loop() {
						n = scrapeOnce(b, h, format.accept, encoding)
					}
					b.ReportMetric(float64(n), "bytes/scrape")
				})
			}
		}
	}
}

// BenchmarkScrapeLatency reports quantiles of a scrape's latency over loopback, at 10
// scrapes a second on one core. Run it with -benchtime=100x or more.
func BenchmarkScrapeLatency(b *testing.B) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	all := gatherers(b)
	for _, name := range []string{"gaugevecs", "prepared"} {
		b.Run(name, func(b *testing.B) { benchLatency(b, all[name]) })
	}
}

func benchLatency(b *testing.B, g prometheus.Gatherer) {
	server := httptest.NewServer(benchHandler(b, g))
	defer server.Close()
	client := server.Client()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	var took []time.Duration
	for b.Loop() {
		<-tick.C
		start := time.Now()
		scrapeOverHTTP(b, client, server.URL)
		took = append(took, time.Since(start))
	}
	slices.Sort(took)
	at := func(q float64) float64 {
		return float64(took[int(q*float64(len(took)-1))].Microseconds()) / 1000
	}
	b.ReportMetric(at(0.5), "p50-ms")
	b.ReportMetric(at(0.99), "p99-ms")
	b.ReportMetric(at(1), "max-ms")
}

func scrapeOverHTTP(tb testing.TB, client *http.Client, url string) {
	req, err := http.NewRequestWithContext(tb.Context(), http.MethodGet, url+"/metrics", nil)
	if err != nil {
		tb.Fatal(err)
	}
	req.Header.Set("Accept", openMetrics)
	req.Header.Set("Accept-Encoding", "gzip")
	resp, err := client.Do(req)
	if err != nil {
		tb.Fatal(err)
	}
	n, err := discard(resp)
	if err != nil || n == 0 || resp.StatusCode != http.StatusOK {
		tb.Fatalf("%s, %d bytes, %v", resp.Status, n, err)
	}
}

func discard(resp *http.Response) (int64, error) {
	defer resp.Body.Close()
	return io.Copy(io.Discard, resp.Body)
}
