package main

import (
	"context"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/b2bexporter/b2b_exporter/internal/fake"
	"github.com/b2bexporter/b2b_exporter/internal/fake/ecb"
)

// newBank returns the central bank's files, which have faults.
func newBank(t *testing.T) (*fake.Faults, string) {
	t.Helper()
	bank := ecb.New()
	for day := range 60 {
		date := noon().AddDate(0, 0, -1-day).Format(time.DateOnly)
		bank.Publish(date, "USD", "1.08")
		bank.Publish(date, "PLN", "4.31")
	}
	faults := fake.NewFaults(bank)
	server := httptest.NewServer(faults)
	t.Cleanup(server.Close)
	return faults, server.URL
}

// nobody returns a URL at which no one listens.
func nobody(t *testing.T) string {
	t.Helper()
	server := httptest.NewServer(http.NotFoundHandler())
	defer server.Close()
	return server.URL
}

// raw returns the URL of a server that answers with this text, headers included.
func raw(t *testing.T, answer string) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer conn.Close()
		if _, err := io.WriteString(conn, answer); err != nil {
			t.Error(err)
		}
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// withRates adds a source of rates to a configuration.
func withRates(config, name, url string) string {
	return config + fmt.Sprintf("  - {name: %s, type: ecb, url: %q, interval: 10s}\n", name, url)
}

func ratesUp(source string) string {
	return fmt.Sprintf(`b2b_source_up{source=%q,stream="rate",vendor="ecb"}`, source)
}

// fault is a way in which a vendor fails, and what the exporter must say of it.
type fault struct {
	fault fake.Fault
	says  []string
}

func faults() map[string]fault {
	status := func(status int, header ...string) fake.Fault {
		f := fake.Fault{Status: status, Header: http.Header{}}
		for i := 0; i < len(header); i += 2 {
			f.Header.Set(header[i], header[i+1])
		}
		return f
	}
	body := func(f fake.Fault, text string) fake.Fault {
		f.Body = text
		return f
	}
	tomorrow := time.Now().Add(24 * time.Hour).UTC()
	return map[string]fault{
		"throttles":             {status(429), []string{"rate limited until", "status 429"}},
		"throttles-for-seconds": {status(429, "Retry-After", "1"), []string{"rate limited until", "status 429"}},
		"throttles-until-a-date": {
			status(429, "Retry-After", tomorrow.Format(http.TimeFormat)), []string{"rate limited until " + tomorrow.Format("2006-01-02T15:"), "status 429"},
		},
		"throttles-for-ages": {
			status(429, "Retry-After", "99999999999"), []string{"rate limited until", "status 429"},
		},
		"is-in-maintenance": {status(503, "Retry-After", "3600"), []string{"rate limited until", "status 503"}},
		"fails":             {body(status(500), `{"message":"out of order"}`), []string{"status 500", "out of order"}},
		"announces-more":    {body(status(200, "Content-Length", "5000"), "<Envelope>"), []string{"cut short after 10 bytes"}},
		"breaks-off":        {fake.Fault{Cut: fake.CutConnection}, []string{"cut short"}},
		"sends-half":        {fake.Fault{Cut: fake.CutBody}, []string{"cut short", "ends in its middle"}},
		"drops":             {fake.Fault{Drop: true}, []string{"no answer in 4 tries", "EOF"}},
		"sends-a-page": {
			body(status(200, "Content-Type", "text/html"), "<!doctype html><title>Please sign in</title>"), []string{"an HTML page", "check the source's url"},
		},
		"expired":   {body(status(401), `{"message":"token expired"}`), []string{"the credentials were refused", "token expired", "not revoked"}},
		"forbidden": {body(status(403), `{"message":"no scope"}`), []string{"the credentials lack a permission", "no scope", "grant it"}},
	}
}

// However vendors fail, each failing source is down and says why wherever one looks, and
// the shop goes on.
func TestVendorFaults(t *testing.T) {
	t.Parallel()
	config := often(shopConfig)
	all := faults()
	urls := map[string]string{"refuses": nobody(t)}
	for name, f := range all {
		vendor, url := newBank(t)
		vendor.Set(f.fault, 0, -1)
		urls[name] = url
	}
	all["refuses"] = fault{says: []string{"no answer in 4 tries", "connection refused", "check the address"}}
	urls["announces-less"] = raw(t, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\n<Envelope></Envelope>")
	all["announces-less"] = fault{says: []string{"cut short after 5 bytes", "ends in its middle"}}
	for name, url := range urls {
		config = withRates(config, name, url)
	}
	checks := checkEach(t, urls)
	e := serve(t, newClock(noon()).now, newShop(t, map[string]string{"b2b.yml": config}))
	e.await(t, shopOrders7d, "3")
	for deadline := time.Now().Add(patience); ; time.Sleep(200 * time.Millisecond) {
		text, waiting := e.scrape(t), 0
		if got := valueIn(text, shopOrders7d); got != "3" {
			t.Fatalf("%q orders of the shop, want 3", got)
		}
		for name := range all {
			if got := valueIn(text, ratesUp(name)); got != "0" {
				t.Fatalf("%s: up is %q, want 0", name, got)
			}
			if !strings.Contains(e.logs.String(), "logged_source="+name+" ") {
				waiting++
			}
		}
		if waiting == 0 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d sources have not failed:\n%s", waiting, e.logs)
		}
	}
	write(t, e.dir, "orders.csv", shopOrders+"4,c2,2026-06-30T12:00:00Z,EUR,1.00\n")
	e.await(t, shopOrders7d, "4")
	page := html.UnescapeString(e.get(t, "/"))
	for name, f := range all {
		for where, text := range map[string]string{"log": lines(e.logs.String(), "logged_source="+name+" "), "page": lines(page, "source "+name+","), "check": <-checks[name]} {
			for _, says := range f.says {
				if !strings.Contains(text, says) {
					t.Errorf("%s: the %s does not say %q:\n%s", name, where, says, text)
				}
			}
		}
		logged := strings.Count(e.logs.String(), "logged_source="+name+" ")
		polled := e.value(t, fmt.Sprintf("b2b_source_poll_duration_seconds_count{source=%q,vendor=\"ecb\"}", name))
		if n, err := strconv.Atoi(polled); err != nil || logged > n {
			t.Errorf("%s: %d lines in the log tell of %s polls that failed", name, logged, polled)
		}
	}
	if t.Failed() {
		t.Log(e.logs)
	}
}

// lines returns the lines that hold a text.
func lines(text, with string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		if strings.Contains(line, with) {
			b.WriteString(line)
		}
	}
	return b.String()
}

// checkEach runs check for each of the URLs, all at a time, and returns the rows of what failed.
func checkEach(t *testing.T, urls map[string]string) map[string]chan string {
	t.Helper()
	rows := map[string]chan string{}
	var checks sync.WaitGroup
	t.Cleanup(checks.Wait)
	for name, url := range urls {
		dir := newShop(t, map[string]string{"b2b.yml": withRates(shopConfig, name, url)})
		found := make(chan string, 1)
		rows[name] = found
		checks.Go(func() {
			r := runIn(t, dir, "check")
			r.fails(t, 1)
			if !strings.Contains(r.out, "0 rejected") {
				t.Errorf("%s: check does not find the shop well:\n%s", name, r.out)
			}
			found <- lines(r.out, name+" ")
		})
	}
	return rows
}

// A vendor that is slow costs nobody else anything, and delivers in the end.
func TestSlowVendor(t *testing.T) {
	t.Parallel()
	bank, _ := newBank(t)
	answer := make(chan struct{})
	slow := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		<-answer
		bank.ServeHTTP(w, r)
	}))
	t.Cleanup(slow.Close)
	release := sync.OnceFunc(func() { close(answer) })
	t.Cleanup(release) // before the server is closed, which waits for its requests
	e := serve(t, newClock(noon()).now, newShop(t, map[string]string{"b2b.yml": withRates(often(shopConfig), "bank", slow.URL)}))
	e.await(t, shopOrders7d, "3")
	if got := valueIn(e.scrape(t), ratesUp("bank")); got != "0" {
		t.Errorf("before the vendor has answered, up is %q, want 0", got)
	}
	write(t, e.dir, "orders.csv", shopOrders+"4,c2,2026-06-30T12:00:00Z,EUR,1.00\n")
	e.await(t, shopOrders7d, "4")
	release()
	e.await(t, ratesUp("bank"), "1")
	e.await(t, `b2b_source_records_total{outcome="inserted",record="rate",source="bank",vendor="ecb"}`, "120")
}

// A vendor that hangs in the middle of an answer holds up neither scrapes, nor the other
// sources, nor a reload, nor the end.
func TestHangingVendor(t *testing.T) {
	t.Parallel()
	bank, url := newBank(t)
	bank.Set(fake.Fault{Hang: true}, 0, -1)
	config := withRates(often(shopConfig), "bank", url)
	e := serve(t, newClock(noon()).now, newShop(t, map[string]string{"b2b.yml": config}), "--web.enable-lifecycle")
	eventually(t, "the bank is asked", func() bool { return bank.Requests() > 0 })
	e.await(t, shopOrders7d, "3")
	if got := valueIn(e.scrape(t), ratesUp("bank")); got != "0" {
		t.Errorf("up is %q, want 0", got)
	}
	if page := e.get(t, "/"); !strings.Contains(page, "waiting") {
		t.Errorf("the page does not say that the source has not delivered yet:\n%s", page)
	}
	began := time.Now()
	e.reload(t, http.StatusOK)
	write(t, e.dir, "orders.csv", shopOrders+"4,c2,2026-06-30T12:00:00Z,EUR,1.00\n")
	e.await(t, shopOrders7d, "4")
	if strings.Contains(e.logs.String(), "poll failed") {
		t.Errorf("the poll that the reload interrupted is logged as failed:\n%s", e.logs)
	}
	if code := e.stop(); code != 0 {
		t.Errorf("exit code %d, want 0:\n%s", code, e.logs)
	}
	if took := time.Since(began); took > patience/2 {
		t.Errorf("a reload and the end took %s while a vendor hung", took)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
	defer cancel()
	out := &logs{}
	c := &command{stdout: out, stderr: io.Discard, now: noon}
	if code := c.run(ctx, []string{"--config.file=" + filepath.Join(e.dir, "b2b.yml"), "check"}); code != 1 {
		t.Errorf("check of a vendor that hangs: exit code %d, want 1", code)
	}
	if !strings.Contains(lines(out.String(), "bank "), "deadline exceeded") {
		t.Errorf("check does not say that the time was up:\n%s", out)
	}
}

// When the vendor is well again, so is the source.
func TestVendorRecovers(t *testing.T) {
	t.Parallel()
	bank, url := newBank(t)
	bank.Set(fake.Fault{Status: http.StatusForbidden}, 0, -1)
	clock := newClock(noon())
	e := serve(t, clock.now, newShop(t, map[string]string{"b2b.yml": withRates(often(shopConfig), "bank", url)}), "--web.enable-lifecycle")
	eventually(t, "the failure is logged", func() bool { return strings.Contains(e.logs.String(), "logged_source=bank ") })
	bank.Clear()
	e.reload(t, http.StatusOK) // polls at once, not after the wait for a vendor that failed
	e.await(t, ratesUp("bank"), "1")
	if page := e.get(t, "/"); strings.Contains(page, "lack a permission") {
		t.Errorf("the page still shows the failure:\n%s", page)
	}
}
