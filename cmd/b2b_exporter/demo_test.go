package main

import (
	"context"
	"io"
	"maps"
	"net/http"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/b2bexporter/b2b_exporter/collector"
)

// newDemo serves the demo until the test ends.
func newDemo(t testing.TB, now func() time.Time, args ...string) *exporter {
	t.Helper()
	e := &exporter{logs: &logs{}}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan int, 1)
	c := &command{stdout: io.Discard, stderr: e.logs, now: now}
	args = append([]string{"--web.listen-address=127.0.0.1:0", "--web.enable-lifecycle", "demo"}, args...)
	go func() { ended <- c.run(ctx, args) }()
	e.stop = sync.OnceValue(func() int {
		cancel()
		return <-ended
	})
	t.Cleanup(func() {
		if code := e.stop(); code != 0 {
			t.Errorf("the demo ended with exit code %d, want 0:\n%s", code, e.logs)
		}
	})
	e.url = awaitURL(t, e.logs, ended)
	return e
}

// up returns how many streams there are, and how many have been read.
func (e *exporter) up(t testing.TB) (streams, up int) {
	t.Helper()
	for line := range strings.Lines(e.get(t, "/metrics")) {
		if strings.HasPrefix(line, "b2b_source_up{") {
			streams++
			if strings.HasSuffix(line, " 1\n") {
				up++
			}
		}
	}
	return streams, up
}

func (e *exporter) records(t *testing.T, kind string) int {
	t.Helper()
	n, err := strconv.Atoi(e.value(t, `b2b_ledger_records{record="`+kind+`"}`))
	if err != nil {
		return 0 // there is no such series yet
	}
	return n
}

func TestDemo(t *testing.T) {
	temp := t.TempDir()
	t.Setenv("TMPDIR", temp)
	clock := newClock(noon())
	e := newDemo(t, clock.now, "--demo.scale=0.03")
	eventually(t, "all streams are read", func() bool {
		streams, up := e.up(t)
		return streams > 15 && up == streams
	})
	// The last stream's records are computed a moment after it was read.
	eventually(t, "all kinds of record count", func() bool {
		text := e.get(t, "/metrics")
		for _, series := range []string{
			`b2b_orders{channel="organic_search",store="eu-shop",window="365d"}`,
			`b2b_revenue_net{channel="paid_search",currency="EUR",store="uk-shop",window="365d"}`,
			`b2b_revenue_refunds{currency="EUR",store="us-shop",window="365d"}`,
			`b2b_profit_margin_ratio{store="eu-shop",window="365d"}`,
			`b2b_checkout_abandonment_ratio{store="eu-shop",window="365d"}`,
			`b2b_customers{state="active"}`,
			`b2b_customers{state="prospect"}`,
			`b2b_customers_new{channel="partner",window="365d"}`,
			`b2b_customer_churn_ratio{window="90d"}`,
			`b2b_kpi_threshold{kpi="b2b_customer_churn_ratio",severity="warning",window="90d"}`,
			`b2b_ledger_records{record="deal"}`,
		} {
			if v := valueIn(text, series); v == "" || v == "0" {
				return false
			}
		}
		return true
	})
	eventually(t, "all metrics are exposed but those that the demo's systems cannot give", func() bool {
		return !slices.ContainsFunc(notExposed(e.get(t, "/metrics")), func(name string) bool { return notInDemo()[name] == "" })
	})
	exposition := e.get(t, "/metrics")
	checkMetrics(t, exposition)
	checkUndefined(t, exposition)
	checkChurn(t, exposition)
	if strings.Contains(e.logs.String(), "record rejected") {
		t.Errorf("records were rejected:\n%s", e.logs)
	}
	if page := e.get(t, "/config"); strings.Contains(page, "access_token: demo") {
		t.Error("the page of the configuration shows a token")
	}
	orders, leads, refunds := e.records(t, "order"), e.records(t, "lead"), e.records(t, "refund")
	const views = `b2b_web_page_views{site="website",window="today"}`
	viewed := numberIn(t, exposition, views)
	clock.put(3 * time.Hour)
	e.reload(t, http.StatusOK) // polls at once
	eventually(t, "orders, leads and refunds have come", func() bool {
		return e.records(t, "order") > orders && e.records(t, "lead") > leads && e.records(t, "refund") > refunds
	})
	eventually(t, "pages have been viewed", func() bool { return numberIn(t, e.get(t, "/metrics"), views) > viewed })
	if code := e.stop(); code != 0 {
		t.Errorf("exit code %d, want 0", code)
	}
	if left, err := filepath.Glob(filepath.Join(temp, "*")); err != nil || len(left) > 0 {
		t.Errorf("the demo has left %q behind (%v)", left, err)
	}
}

func numberIn(t *testing.T, exposition, series string) float64 {
	t.Helper()
	n, err := strconv.ParseFloat(valueIn(exposition, series), 64)
	if err != nil {
		t.Errorf("%s: %v", series, err)
	}
	return n
}

// notInDemo are the metrics that the demo does not expose, and why.
func notInDemo() map[string]string {
	return map[string]string{
		"b2b_ad_relevance_score":   "Google rates keywords; rankings of relevance are Meta's",
		"b2b_lead_follow_up_ratio": "HubSpot's source reads the first answer to a lead, no later activities",
		"b2b_quotes":               "Shopify has no quotes",
	}
}

// notExposed returns the metrics that are not exposed, in order.
func notExposed(exposition string) []string {
	var list []string
	for _, m := range collector.Metrics() {
		if !strings.Contains(exposition, "\n# TYPE "+m.Name+" ") {
			list = append(list, m.Name)
		}
	}
	slices.Sort(list)
	return list
}

func checkMetrics(t *testing.T, exposition string) {
	t.Helper()
	if diff := cmp.Diff(slices.Sorted(maps.Keys(notInDemo())), notExposed(exposition)); diff != "" {
		t.Errorf("metrics that the demo cannot give (-) and does not expose (+):\n%s", diff)
	}
}

// undefinedSeries is a series that says why a headline has no value.
var undefinedSeries = regexp.MustCompile(`(?m)^b2b_kpi_undefined\{kpi="([^"]*)",reason="([^"]*)",window="([^"]*)"\} 1$`)

// checkUndefined: headlines have values, but that a company so small may win nobody for some days.
func checkUndefined(t *testing.T, exposition string) {
	t.Helper()
	for _, found := range undefinedSeries.FindAllStringSubmatch(exposition, -1) {
		kpi, reason, window := found[1], found[2], found[3]
		few := slices.Contains([]string{"today", "1d", "7d", "mtd", "qtd"}, window)
		if !few || reason != string(collector.ZeroDenominator) {
			t.Errorf("%s in the window %q is undefined: %s", kpi, window, reason)
		}
	}
}

// checkChurn: the wave of customers that leave crosses the threshold of the alert.
func checkChurn(t *testing.T, exposition string) {
	t.Helper()
	churn := numberIn(t, exposition, `b2b_customer_churn_ratio{window="90d"}`)
	warning := numberIn(t, exposition, `b2b_kpi_threshold{kpi="b2b_customer_churn_ratio",severity="warning",window="90d"}`)
	if churn <= warning || churn > 0.4 {
		t.Errorf("churn is %v, want above the warning's %v and up to 0.4", churn, warning)
	}
}

func TestDemoRefusesScales(t *testing.T) {
	runIn(t, t.TempDir(), "demo", "--demo.scale=-3").fails(t, 1, "scale", "-3")
	runIn(t, t.TempDir(), "demo", "--demo.seed=x").fails(t, 2, "x")
}
