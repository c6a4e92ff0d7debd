package collector_test

import (
	"bytes"
	"math/big"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/prometheus/common/expfmt"

	"github.com/b2bexporter/b2b_exporter/collector"
	"github.com/b2bexporter/b2b_exporter/internal/record"
)

// text returns a snapshot as it is scraped.
func text(t *testing.T, s *collector.Snapshot) string {
	t.Helper()
	var b bytes.Buffer
	for _, f := range gather(t, s) {
		if _, err := expfmt.MetricFamilyToText(&b, f); err != nil {
			t.Fatal(err)
		}
	}
	return b.String()
}

// Many scrape one snapshot at the same time, in all formats, by itself and beside
// others: it stays as it was published.
func TestSnapshotNeverChanges(t *testing.T) {
	out := rich(t)
	s := snapshot(t, out)
	published := text(t, s)
	for _, sample := range out.Samples {
		sample.Value.SetInt64(-1)
		for i := range sample.Labels {
			sample.Labels[i] = "changed"
		}
	}
	beside := prometheus.NewRegistry()
	beside.MustRegister(prometheus.NewGauge(prometheus.GaugeOpts{Name: "b2b_aside", Help: "Aside."}))
	handlers := []http.Handler{
		promhttp.HandlerFor(s, promhttp.HandlerOpts{EnableOpenMetrics: true}),
		promhttp.HandlerFor(prometheus.Gatherers{beside, s}, promhttp.HandlerOpts{EnableOpenMetrics: true}),
	}
	var scrapes sync.WaitGroup
	for _, accept := range []string{
		"text/plain", "application/openmetrics-text; version=1.0.0",
		"application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited",
	} {
		for _, h := range handlers {
			for range 2 {
				scrapes.Go(func() {
					request := httptest.NewRequest(http.MethodGet, "/metrics", nil)
					request.Header.Set("Accept", accept)
					answer := httptest.NewRecorder()
					h.ServeHTTP(answer, request)
					if answer.Code != http.StatusOK || !strings.Contains(answer.Body.String(), "b2b_revenue_net") {
						t.Errorf("%s: status %d", accept, answer.Code)
					}
				})
			}
		}
	}
	scrapes.Go(func() { s.Failed() })
	scrapes.Wait()
	if got := text(t, s); got != published {
		t.Error("the snapshot has changed after it was published")
	}
	if s.Output() != out {
		t.Error("the snapshot does not tell what it was made from")
	}
}

// After a computation that did not succeed the old values stay, marked as failed.
func TestFailedSnapshot(t *testing.T) {
	s := snapshot(t, rich(t))
	was := strings.Split(text(t, s), "\n")
	is := strings.Split(text(t, s.Failed()), "\n")
	if len(was) != len(is) {
		t.Fatalf("there are %d lines, were %d", len(is), len(was))
	}
	marked := 0
	for i := range was {
		want := was[i]
		if strings.HasPrefix(want, "b2b_collector_success{") {
			want = strings.TrimSuffix(want, " 1") + " 0"
			marked++
		}
		if is[i] != want {
			t.Errorf("the line is %s, want %s", is[i], want)
		}
	}
	if marked != len(collector.Collectors()) {
		t.Errorf("%d collectors are marked, want %d", marked, len(collector.Collectors()))
	}
}

func TestSnapshotRefuses(t *testing.T) {
	one := big.NewRat(1, 1)
	good := collector.Sample{Metric: "b2b_customers", Labels: []string{"active"}, Value: one}
	for _, test := range []struct {
		name, says string
		samples    []collector.Sample
	}{
		{"a label set twice", "b2b_customers", []collector.Sample{good, good}},
		{"a metric that the table does not have", "b2b_customer", []collector.Sample{good, {Metric: "b2b_customer", Value: one}}},
		{"a metric that a snapshot is not for", "b2b_source_up", []collector.Sample{{
			Metric: "b2b_source_up", Labels: []string{"shop", "csv", "order"}, Value: one,
		}}},
		{"too few labels", "b2b_revenue_refunds", []collector.Sample{{Metric: "b2b_revenue_refunds", Labels: []string{"1d", "shop"}, Value: one}}},
		{"a label that is no UTF-8", "b2b_customers", []collector.Sample{{Metric: "b2b_customers", Labels: []string{"\xff"}, Value: one}}},
	} {
		t.Run(test.name, func(t *testing.T) {
			s, err := collector.NewSnapshot(&collector.Output{Samples: test.samples})
			if err == nil || !strings.Contains(err.Error(), test.says) || s != nil {
				t.Errorf("the snapshot is %v, the error %v", s, err)
			}
		})
	}
	if _, err := collector.NewSnapshot(&collector.Output{Samples: []collector.Sample{good}}); err != nil {
		t.Errorf("a good sample: %v", err)
	}
	if families := gather(t, snapshot(t, &collector.Output{})); len(families) != 0 {
		t.Errorf("nothing gives %d families", len(families))
	}
}

// failing panics in the middle of its work.
type failing struct{}

func (failing) Name() string    { return "failing" }
func (failing) Subject() string { return "failing" }

func (failing) Collect(_ *collector.Input, out *collector.Output) {
	out.Samples = append(out.Samples, collector.Sample{Metric: "b2b_customers", Labels: []string{"active"}, Value: big.NewRat(1, 1)})
	out.Headlines = append(out.Headlines, collector.Headline{KPI: "b2b_orders"})
	panic("out of order")
}

// A collector that fails puts out nothing, and says so.
func TestOneFailingCollector(t *testing.T) {
	c := newCompany(t)
	c.order("o1", "acme", "2024-07-09 12:00", record.Order{})
	c.commit(t, "shop", c.pending["shop"]...)
	view, err := c.engine.View(t.Context(), c.moment("2024-07-10 12:00").UnixMicro())
	if err != nil {
		t.Fatal(err)
	}
	all := append([]collector.Collector{failing{}}, collector.Collectors()...)
	out := collector.Run(&collector.Input{View: view, Options: collector.Options{Currency: "EUR"}}, all, asOfClock(c.moment("2024-07-10")))
	if len(out.Failures) != 1 || !strings.Contains(out.Failures[0].Error(), "collector failing: panic: out of order") {
		t.Errorf("failures are %v", out.Failures)
	}
	check(t, out, map[string]string{
		series("b2b_customers", "state=active"):                       none,
		series("b2b_collector_success", "collector=failing"):          "0",
		series("b2b_collector_success", "collector=orders"):           "1",
		series("b2b_collector_success", "collector=exporter"):         "1",
		series("b2b_collector_duration_seconds", "collector=failing"): "0",
	})
	snapshot(t, out)
}
