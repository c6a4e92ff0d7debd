package main

import (
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/b2bexporter/b2b_exporter/collector"
	"github.com/b2bexporter/b2b_exporter/internal/demo"
	"github.com/b2bexporter/b2b_exporter/internal/fake"
)

// watchedDemo is the demo's company, of whose shops one can be made to fail. The clock is almost
// an hour slow, and the rules allow an hour: as soon as polls fail, what was read last is stale 12
// seconds later.
type watchedDemo struct {
	*exporter
	config string
	faults *fake.Faults
}

func newWatchedDemo(t *testing.T) *watchedDemo {
	t.Helper()
	now := newClock(time.Now().Add(-3590 * time.Second)).now
	company, err := demo.Start(t.Context(), demo.Options{Seed: 1, Scale: 0.05}, now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := company.Close(); err != nil {
			t.Error(err)
		}
	})
	d := &watchedDemo{config: string(company.Config())}
	found := regexp.MustCompile(`name: eu-shop, .* url: (http://[^,]+)`).FindStringSubmatch(d.config)
	if found == nil {
		t.Fatalf("no address of the shop in\n%s", d.config)
	}
	address, err := url.Parse(found[1])
	if err != nil {
		t.Fatal(err)
	}
	proxy := httputil.NewSingleHostReverseProxy(address)
	proxy.Transport = &http.Transport{DisableKeepAlives: true}
	d.faults = fake.NewFaults(proxy)
	front := httptest.NewServer(d.faults)
	t.Cleanup(front.Close)
	d.replace(t, found[1], front.URL)
	d.replace(t, "interval: 30s", "interval: 1s")
	d.replace(t, "interval: 5m", "interval: 5s")
	dir := t.TempDir()
	write(t, dir, "b2b.yml", d.config)
	d.exporter = serve(t, now, dir, "--web.enable-lifecycle")
	return d
}

// replace changes the configuration.
func (d *watchedDemo) replace(t *testing.T, text, with string) {
	t.Helper()
	changed := strings.ReplaceAll(d.config, text, with)
	if changed == d.config {
		t.Fatalf("there is no %q in\n%s", text, d.config)
	}
	d.config = changed
}

// reconfigure lets the exporter load the configuration, and with it compute its KPIs.
func (d *watchedDemo) reconfigure(t *testing.T) {
	t.Helper()
	write(t, d.dir, "b2b.yml", d.config)
	d.reload(t, http.StatusOK)
}

// TestDemoAlerts follows an alert from the demo to who is to be told: it fires, is held back while a
// shop cannot be read, its end is told also then, and it ends when the threshold is met.
func TestDemoAlerts(t *testing.T) {
	t.Parallel()
	tool(t, "prometheus") // before the demo is made up
	const beyond, revenue, source = "B2BKPIBeyondThreshold", "kpi=b2b_revenue_net", "source=eu-shop"
	d := newWatchedDemo(t)
	eventually(t, "all streams are read", func() bool {
		streams, up := d.up(t)
		return streams > 15 && up == streams
	})
	m := newMonitoring(t, strings.TrimPrefix(d.url, "http://"))

	description := m.inbox.await(t, "pager", "firing", beyond, revenue)
	for _, want := range []string{"b2b_revenue_net of window 30d is ", ", below its critical threshold of 400000.00.", "b2b_exporter explain b2b_revenue_net --window=30d;"} {
		if !strings.Contains(description, want) {
			t.Errorf("the alert does not say %q: %s", want, description)
		}
	}
	eventually(t, "all headlines have a value before anything is withdrawn", func() bool {
		return m.query(t, "count(count by (kpi) (kpi:b2b_kpi_value:total))") == strconv.Itoa(len(collector.Headlines()))
	})

	d.faults.Set(fake.Fault{Status: http.StatusForbidden, Body: `{"errors":"revoked"}`}, 0, -1)
	if text := m.inbox.await(t, "tickets", "firing", "B2BSourceDown", source); !strings.Contains(text, "source eu-shop (shopify)") {
		t.Errorf("the alert does not say which source is down: %s", text)
	}
	m.awaitState(t, "suppressed", beyond, revenue, "severity=critical")
	eventually(t, "revenue is not fresh any more", func() bool { return m.query(t, `kpi:b2b_kpi_fresh:bool{`+quoted(revenue)+`}`) == "0" })
	// What keeps it firing over an outage is 2 seconds here.
	m.inbox.await(t, "pager", "resolved", beyond, revenue)
	d.replace(t, "\nledger:", "\nstaleness: 10s\nledger:")
	d.reconfigure(t)
	d.await(t, `b2b_kpi_undefined{kpi="b2b_revenue_net",reason="stale",window="30d"}`, "1")
	if text := m.inbox.await(t, "pager", "firing", "B2BSourceStale", source); !strings.Contains(text, "KPIs that need it have been withdrawn") {
		t.Errorf("the alert does not say what stale data mean: %s", text)
	}
	m.checkSelectors(t)

	d.faults.Clear()
	d.replace(t, "\nstaleness: 10s\n", "\n")
	d.reconfigure(t) // and poll at once
	m.inbox.await(t, "tickets", "resolved", "B2BSourceDown", source)
	m.inbox.await(t, "pager", "resolved", "B2BSourceStale", source)
	m.awaitState(t, "active", beyond, revenue, "severity=critical")
	told := len(m.inbox.find("pager", "resolved", beyond, revenue))
	d.replace(t, "warning: 600000, critical: 400000", "warning: 1")
	d.reconfigure(t)
	eventually(t, "the pager gets that revenue is above its threshold", func() bool {
		return len(m.inbox.find("pager", "resolved", beyond, revenue)) > told
	})
}

// quoted returns a label that is given as name=value as PromQL has it.
func quoted(label string) string {
	name, value, _ := strings.Cut(label, "=")
	return name + `="` + value + `"`
}

// checkSelectors checks that all that the rules look at has been there, and that queries
// of runbooks are understood.
func (m *monitoring) checkSelectors(t *testing.T) {
	t.Helper()
	used := m.selectors(t)
	if len(used) < 60 {
		t.Errorf("only %d selectors found in the rules: %q", len(used), used)
	}
	for _, selector := range used {
		if m.series(t, selector) == 0 {
			t.Errorf("%s has no series", selector)
		}
	}
	for _, query := range runbookQueries(t) {
		if _, err := get(t, "http://"+m.prometheus+"/api/v1/query?"+url.Values{"query": {query}}.Encode()); err != nil {
			t.Errorf("Prometheus does not understand a query of a runbook: %v", err)
		}
	}
}

// runbookQueries returns what stands in the code blocks of the runbooks.
func runbookQueries(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("..", "..", "alerts", "runbooks", "*.md"))
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(data)) {
			if query, code := strings.CutPrefix(line, "      "); code {
				list = append(list, strings.TrimSpace(query))
			}
		}
	}
	if len(list) < 20 {
		t.Fatalf("only %d queries found in %d runbooks", len(list), len(files))
	}
	return list
}
