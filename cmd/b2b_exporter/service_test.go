package main

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// patience is how long a test waits for what must come: much longer than it takes.
const patience = 2 * time.Minute

// eventually waits until a condition holds.
func eventually(t testing.TB, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !holds(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%s: not within %s", what, patience)
		}
	}
}

// clock goes as a real one does, from a moment on, and can be put forward.
type clock struct {
	from, began time.Time
	forward     atomic.Int64
}

func newClock(from time.Time) *clock { return &clock{from: from, began: time.Now()} }

func (c *clock) now() time.Time {
	return c.from.Add(time.Since(c.began) + time.Duration(c.forward.Load()))
}

func (c *clock) put(forward time.Duration) { c.forward.Add(int64(forward)) }

// logs is what a service writes, for tests to read meanwhile.
type logs struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logs) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logs) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// exporter is a running service.
type exporter struct {
	url  string
	dir  string
	logs *logs
	// stop ends the service and returns its exit code.
	stop func() int
	// scrapes and slowest tell of the scrapes.
	scrapes int
	slowest time.Duration
}

var listening = regexp.MustCompile(`msg="Listening on" address=(\S+)`)

// awaitURL returns where a service listens as soon as it says so. Ended, which has room for
// one, gets the exit code.
func awaitURL(t testing.TB, l *logs, ended chan int) string {
	t.Helper()
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); {
		if m := listening.FindStringSubmatch(l.String()); m != nil {
			return "http://" + m[1]
		}
		select {
		case code := <-ended:
			ended <- code
			t.Fatalf("the service ended with exit code %d:\n%s", code, l)
		case <-time.After(10 * time.Millisecond):
		}
	}
	t.Fatalf("the service does not listen:\n%s", l)
	return ""
}

// serve runs a service on the configuration b2b.yml in dir until the test ends, with a
// reload by POST unless args say otherwise.
func serve(t *testing.T, now func() time.Time, dir string, args ...string) *exporter {
	t.Helper()
	e := &exporter{dir: dir, logs: &logs{}}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan int, 1)
	c := &command{stdout: io.Discard, stderr: e.logs, now: now}
	args = append([]string{"--config.file=" + filepath.Join(dir, "b2b.yml"), "--web.listen-address=127.0.0.1:0"}, args...)
	go func() { ended <- c.run(ctx, append(args, "run")) }()
	e.stop = sync.OnceValue(func() int {
		cancel()
		return <-ended
	})
	t.Cleanup(func() {
		t.Logf("%d scrapes, the slowest took %s", e.scrapes, e.slowest)
		if code := e.stop(); code != 0 {
			t.Errorf("the service ended with exit code %d, want 0:\n%s", code, e.logs)
		}
	})
	e.url = awaitURL(t, e.logs, ended)
	return e
}

// client opens a connection for each request, so that none is left when a service ends.
func client() *http.Client {
	return &http.Client{Timeout: patience, Transport: &http.Transport{DisableKeepAlives: true}}
}

// request returns status and body of an answer.
func (e *exporter) request(t testing.TB, method, path string) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, e.url+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := client().Do(req)
	if err != nil {
		t.Fatalf("%v\n%s", err, e.logs)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatalf("%s %s: %v", method, path, err)
	}
	return resp.StatusCode, string(body)
}

// get returns the body of an answer with status 200.
func (e *exporter) get(t testing.TB, path string) string {
	t.Helper()
	status, body := e.request(t, http.MethodGet, path)
	if status != http.StatusOK {
		t.Fatalf("GET %s: status %d: %s", path, status, body)
	}
	return body
}

// scrape returns the exposition, for which a scraper must not wait long.
func (e *exporter) scrape(t *testing.T) string {
	t.Helper()
	began := time.Now()
	text := e.get(t, "/metrics")
	took := time.Since(began)
	if took > 2*time.Second && !raceEnabled {
		t.Errorf("a scrape took %s, want less than 2 s", took)
	}
	e.scrapes++
	e.slowest = max(e.slowest, took)
	return text
}

// value returns the value of a series as it is written, empty where it is not exposed.
func (e *exporter) value(t *testing.T, series string) string {
	t.Helper()
	return valueIn(e.get(t, "/metrics"), series)
}

func valueIn(exposition, series string) string {
	for line := range strings.Lines(exposition) {
		if value, ok := strings.CutPrefix(line, series+" "); ok {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// await waits until a series has a value; empty for one that is not exposed.
func (e *exporter) await(t *testing.T, series, want string) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for {
		got := e.value(t, series)
		if got == want {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s: %q, want %q\n%s", series, got, want, e.logs)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// reload asks for a reload and checks the status of the answer.
func (e *exporter) reload(t *testing.T, want int) string {
	t.Helper()
	status, body := e.request(t, http.MethodPost, "/-/reload")
	if status != want {
		t.Fatalf("POST /-/reload: status %d, want %d: %s\n%s", status, want, body, e.logs)
	}
	return body
}

// often is the shop's configuration with a source that is polled every second.
func often(config string) string {
	return strings.ReplaceAll(config, "    type: csv\n", "    type: csv\n    interval: 1s\n")
}

// Series of the shop.
const (
	shopUp       = `b2b_source_up{source="shop",stream="order",vendor="csv"}`
	shopOrders7d = `b2b_orders{channel="unknown",store="shop",window="7d"}`
	reloaded     = `b2b_config_last_reload_successful`
)

// newService serves a shop and waits until its orders count.
func newService(t *testing.T, now func() time.Time, changes map[string]string, args ...string) *exporter {
	t.Helper()
	if changes == nil {
		changes = map[string]string{"b2b.yml": often(shopConfig)}
	}
	e := serve(t, now, newShop(t, changes), append([]string{"--web.enable-lifecycle"}, args...)...)
	e.await(t, shopOrders7d, "3")
	return e
}

func TestServiceFollowsItsFiles(t *testing.T) {
	t.Parallel()
	e := newService(t, newClock(noon()).now, nil)
	if got := e.value(t, shopUp); got != "1" {
		t.Errorf("up: %q, want 1", got)
	}
	write(t, e.dir, "orders.csv", shopOrders+"4,c2,2026-06-30T12:00:00Z,EUR,1.00\n")
	e.await(t, shopOrders7d, "4")
	e.await(t, `b2b_source_records_total{outcome="inserted",record="order",source="shop",vendor="csv"}`, "4")
	if err := os.Remove(filepath.Join(e.dir, "orders.csv")); err != nil {
		t.Fatal(err)
	}
	e.await(t, shopUp, "0")
	if got := e.value(t, shopOrders7d); got != "4" {
		t.Errorf("with a file that is gone there are %q orders, want 4: what was read stays", got)
	}
	if page := e.get(t, "/"); !strings.Contains(page, "orders.csv") {
		t.Errorf("the page does not say which file is gone:\n%s", page)
	}
}

func TestReadyOnlyWithKPIs(t *testing.T) {
	t.Parallel()
	dir := newShop(t, nil)
	runIn(t, dir, "sync").ok(t)
	// The first look at the clock is the service's own; computing waits for the second.
	clock, held := newClock(noon()), make(chan struct{})
	var looks atomic.Int64
	e := serve(t, func() time.Time {
		if looks.Add(1) > 1 {
			<-held
		}
		return clock.now()
	}, dir)
	release := sync.OnceFunc(func() { close(held) })
	defer release()
	status, body := e.request(t, http.MethodGet, "/-/ready")
	if status != http.StatusServiceUnavailable || !strings.Contains(body, "not been computed") {
		t.Errorf("before the KPIs are computed: status %d: %s", status, body)
	}
	if status, body := e.request(t, http.MethodGet, "/-/healthy"); status != http.StatusOK {
		t.Errorf("before the KPIs are computed, it is alive: status %d: %s", status, body)
	}
	if got := e.value(t, shopOrders7d); got != "" {
		t.Errorf("before the KPIs are computed: %s orders", got)
	}
	release()
	eventually(t, "ready", func() bool {
		status, _ := e.request(t, http.MethodGet, "/-/ready")
		return status == http.StatusOK
	})
	if got := e.value(t, shopOrders7d); got != "3" {
		t.Errorf("ready with %q orders, want the ledger's 3", got)
	}
}

func TestStaleness(t *testing.T) {
	t.Parallel()
	clock := newClock(noon())
	config := "staleness: 1h\n" + often(shopConfig)
	e := newService(t, clock.now, map[string]string{"b2b.yml": config})
	if err := os.Rename(filepath.Join(e.dir, "orders.csv"), filepath.Join(e.dir, "away.csv")); err != nil {
		t.Fatal(err)
	}
	e.await(t, shopUp, "0")
	if got := e.value(t, shopOrders7d); got != "3" {
		t.Errorf("%q orders right after the source failed, want 3", got)
	}
	clock.put(2 * time.Hour)
	e.reload(t, http.StatusOK) // computes anew
	e.await(t, `b2b_kpi_undefined{kpi="b2b_orders",reason="stale",window="7d"}`, "1")
	if got := e.value(t, shopOrders7d); got != "" {
		t.Errorf("a stale source still has %s orders", got)
	}
	if page := e.get(t, "/"); !strings.Contains(page, "down, stale") {
		t.Errorf("the page does not say that the source is stale:\n%s", page)
	}
	if err := os.Rename(filepath.Join(e.dir, "away.csv"), filepath.Join(e.dir, "orders.csv")); err != nil {
		t.Fatal(err)
	}
	e.reload(t, http.StatusOK) // polls at once
	e.await(t, shopOrders7d, "3")
	e.await(t, shopUp, "1")
	e.await(t, `b2b_kpi_undefined{kpi="b2b_orders",reason="stale",window="7d"}`, "")
}

// After a weekend without the exporter, everything in the ledger is stale until the first
// poll, and nothing in the files has changed.
func TestStalenessAfterDowntime(t *testing.T) {
	t.Parallel()
	dir := newShop(t, map[string]string{"b2b.yml": often(shopConfig)})
	runIn(t, dir, "sync").ok(t)
	e := serve(t, newClock(noon().Add(48*time.Hour)).now, dir)
	e.await(t, shopOrders7d, "3")
}
