package dashboards

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// quiet lists queries that rightly find nothing on the demo, by dashboard, panel and
// query, and why.
func quiet() map[string]string {
	return map[string]string{
		"b2b-funnel/Leads answered/B":                "the demo's CRM logs one activity for each lead",
		"b2b-ads/Quality and relevance/B":            "the demo does not advertise where relevance is ranked",
		"b2b-recurring/MRR churn/B":                  "the base may be none, which nothing can be compared with",
		"b2b-exporter/KPIs without a value/A":        "all may have one",
		"b2b-overview/LTV : CAC/B":                   "the predicted lifetime value of a small company may have been undefined a window ago",
		"b2b-acquisition/LTV : CAC/B":                "the same",
		"b2b-customers/Lifetime value/B":             "the same",
		"b2b-overview/Marketing ROI/B":               "the base may have been a loss, which nothing can be compared with",
		"b2b-acquisition/Marketing ROI/B":            "the same",
		"b2b-acquisition/The next customer's cost/A": "there is none where new customers did not rise",
	}
}

// Every query finds something on the metrics of the demo, as a real Prometheus stores
// them.
func TestQueriesFindData(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("starts the demo and a Prometheus")
	}
	prometheus, err := exec.LookPath("prometheus")
	switch {
	case err != nil && os.Getenv("REQUIRE_PROMETHEUS") != "":
		t.Fatalf("%v; on Debian: apt-get install prometheus", err)
	case err != nil:
		t.Skipf("%v; on Debian: apt-get install prometheus", err)
	}
	program := filepath.Join(t.TempDir(), "b2b_exporter")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", program, "./cmd/b2b_exporter")
	build.Dir = ".."
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	demo, server := freeAddress(t), freeAddress(t)
	run(t, program, "demo", "--demo.scale=0.2", "--web.listen-address="+demo)
	dir := t.TempDir()
	config := "global: {scrape_interval: 1s}\nscrape_configs: [{job_name: b2b_exporter, static_configs: [{targets: [" + demo + "]}]}]\n"
	if err := os.WriteFile(filepath.Join(dir, "prometheus.yml"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	run(t, prometheus, "--config.file="+filepath.Join(dir, "prometheus.yml"), "--storage.tsdb.path="+filepath.Join(dir, "data"), "--web.listen-address="+server)

	missing := map[string]string{}
	for _, b := range boards(t) {
		for p, q := range b.queries() {
			// A dashed line is only there for windows with thresholds.
			if name := b.UID + "/" + p.Title + "/" + q.RefID; !strings.Contains(q.LegendFormat, "threshold") {
				missing[name] = strings.NewReplacer("$job", "b2b_exporter", "$window", "30d", "$__rate_interval", "1m").Replace(q.Expr)
			}
		}
	}
	for name, why := range quiet() {
		if missing[name] == "" || why == "" {
			t.Errorf("%s is on the list (%s) and no query, or has no reason", name, why)
		}
	}
	// The demo is read in some seconds, and rates need a second scrape.
	deadline := time.Now().Add(5 * time.Minute)
	for ; ; time.Sleep(time.Second) {
		for name, expr := range missing {
			switch n, err := ask(t, server, expr); {
			case errors.Is(err, syscall.ECONNREFUSED): // it is starting
			case err != nil:
				t.Fatalf("%s: %s: %v", name, expr, err)
			case n > 0:
				delete(missing, name)
			}
		}
		open := maps.Clone(missing)
		maps.DeleteFunc(open, func(name, _ string) bool { return quiet()[name] != "" })
		if len(open) == 0 {
			return
		}
		if time.Now().After(deadline) {
			for name, expr := range open {
				t.Errorf("%s finds nothing: %s", name, expr)
			}
			return
		}
	}
}

// ask returns how many series a query finds.
func ask(t *testing.T, server, expr string) (int, error) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+server+"/api/v1/query?"+url.Values{"query": {expr}}.Encode(), nil)
	if err != nil {
		return 0, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	var answer struct {
		Status, Error string
		Data          struct{ Result []json.RawMessage }
	}
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil {
		return 0, err
	}
	if answer.Status != "success" {
		return 0, fmt.Errorf("%s: %s", resp.Status, answer.Error)
	}
	return len(answer.Data.Result), nil
}

// run runs a program until the test ends.
func run(t *testing.T, program string, args ...string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), program, args...)
	var said strings.Builder
	cmd.Dir, cmd.Stdout, cmd.Stderr = t.TempDir(), &said, &said
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 10 * time.Second
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Wait() // it is interrupted at the end of the test
		if t.Failed() {
			t.Logf("%s:\n%s", program, said.String())
		}
	})
}

// freeAddress returns an address of this machine at which nobody listens.
func freeAddress(t *testing.T) string {
	t.Helper()
	var config net.ListenConfig
	l, err := config.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}
