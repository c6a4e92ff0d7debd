package web

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	dto "github.com/prometheus/client_model/go"
	toolkit "github.com/prometheus/exporter-toolkit/web"
)

// patience is how long a test waits for what must happen.
const patience = 10 * time.Second

// running is a server that Serve runs.
type running struct {
	addresses []string
	journal   *journal
	stop      context.CancelFunc
	done      chan error
}

// serve runs a server on one loopback port, or more, until the test ends.
func serve(t *testing.T, webConfig string, ports int, opts Options, change func(*limits)) *running {
	t.Helper()
	r := &running{journal: &journal{}, done: make(chan error, 1)}
	opts.Logger = r.journal.logger()
	s := newServer(t, opts)
	if change != nil {
		change(&s.limits)
	}
	ctx, stop := context.WithCancel(t.Context())
	r.stop = stop
	var listen []string
	for range ports {
		listen = append(listen, "127.0.0.1:0")
	}
	go func() {
		r.done <- s.Serve(ctx, &toolkit.FlagConfig{WebListenAddresses: &listen, WebConfigFile: &webConfig})
		close(r.done)
	}()
	t.Cleanup(func() {
		stop()
		for range r.done { // until it is closed
			continue
		}
	})
	listening := regexp.MustCompile(`msg="TLS is (?:dis|en)abled\.".* address=(\S+)`)
	eventually(t, "the server listens", func() bool {
		found := listening.FindAllStringSubmatch(r.journal.String(), -1)
		r.addresses = nil
		for _, f := range found {
			r.addresses = append(r.addresses, f[1])
		}
		return len(found) == ports
	})
	return r
}

func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	deadline := time.After(patience)
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for !is() {
		select {
		case <-deadline:
			t.Fatalf("waited in vain until %s", what)
		case <-tick.C:
		}
	}
}

// wait returns what Serve returned.
func (r *running) wait(t *testing.T) error {
	t.Helper()
	select {
	case err := <-r.done:
		return err
	case <-time.After(patience):
		t.Fatal("Serve did not return")
		return nil
	}
}

// get returns the status and the body of a URL.
func get(t *testing.T, client *http.Client, url, user, password string) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	if user != "" {
		req.SetBasicAuth(user, password)
	}
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(body)
}

// send sends a request without a body.
func send(t *testing.T, client *http.Client, method, url string) (*http.Response, error) {
	req, err := http.NewRequestWithContext(t.Context(), method, url, nil)
	if err != nil {
		return nil, err
	}
	return client.Do(req)
}

// newClient returns a client of its own, whose connections end with the test.
func newClient(t *testing.T, config *tls.Config) *http.Client {
	transport := &http.Transport{TLSClientConfig: config, ForceAttemptHTTP2: true}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport, Timeout: patience}
}

// Two addresses, so that the race detector sees whether they share anything.
func TestServeWithTLSAndBasicAuth(t *testing.T) {
	cert, pool := certificate(t)
	r := serve(t, webConfigFile(t, cert+basicAuth(t, "correct horse")), 2, Options{}, nil)
	client := newClient(t, &tls.Config{RootCAs: pool, ServerName: "exporter.example"})
	for _, address := range r.addresses {
		for _, path := range []string{"/metrics", "/", "/-/healthy"} {
			if status, body := get(t, client, "https://"+address+path, "", ""); status != 401 {
				t.Errorf("%s without a password: %d %s", path, status, body)
			}
			if status, body := get(t, client, "https://"+address+path, "prometheus", "battery"); status != 401 {
				t.Errorf("%s with a wrong password: %d %s", path, status, body)
			}
			if status, body := get(t, client, "https://"+address+path, "prometheus", "correct horse"); status != 200 {
				t.Errorf("%s: %d %s", path, status, body)
			}
		}
	}
	if _, body := get(t, client, "https://"+r.addresses[1]+"/metrics", "prometheus", "correct horse"); !strings.Contains(body, "\nb2b_one 1.5\n") {
		t.Errorf("/metrics: %q", body)
	}
	r.stop()
	if err := r.wait(t); err != nil {
		t.Errorf("Serve: %v", err)
	}
	if strings.Contains(r.journal.String(), "correct horse") {
		t.Error("the password is in the log")
	}
}

func TestServeFails(t *testing.T) {
	taken, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	s := newServer(t, Options{})
	none, free := "", []string{"127.0.0.1:0"}
	missing, wrong := filepath.Join(t.TempDir(), "no.yml"), webConfigFile(t, "tls: yes\n")
	for want, flags := range map[string]*toolkit.FlagConfig{
		"missing required flag":       nil,
		"no web listen address":       {WebConfigFile: &none, WebListenAddresses: &[]string{}},
		"address already in use":      {WebConfigFile: &none, WebListenAddresses: &[]string{"127.0.0.1:0", taken.Addr().String()}},
		"no.yml: no such file":        {WebConfigFile: &missing, WebListenAddresses: &free},
		"field tls not found in type": {WebConfigFile: &wrong, WebListenAddresses: &free},
	} {
		if err := s.Serve(t.Context(), flags); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Serve: %v, want %s", err, want)
		}
	}
}

// slow is a gatherer that waits to be released.
type slow struct{ started, release chan struct{} }

func newSlow() slow { return slow{make(chan struct{}), make(chan struct{})} }

func (s slow) Gather() ([]*dto.MetricFamily, error) {
	close(s.started)
	<-s.release
	return gauges("b2b_slow").Gather()
}

func TestShutdownLetsScrapesFinish(t *testing.T) {
	g := newSlow()
	r := serve(t, "", 1, Options{Gatherers: prometheus.Gatherers{g}}, nil)
	client := newClient(t, nil)
	type answer struct {
		status int
		body   string
	}
	scraped := make(chan answer, 1)
	go func() {
		resp, err := send(t, client, http.MethodGet, "http://"+r.addresses[0]+"/metrics")
		if err != nil {
			scraped <- answer{body: err.Error()}
			return
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		scraped <- answer{resp.StatusCode, fmt.Sprint(string(body), err)}
	}()
	<-g.started
	r.stop()
	eventually(t, "the port is closed", func() bool {
		conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", r.addresses[0])
		if err == nil {
			conn.Close()
		}
		return err != nil
	})
	select {
	case err := <-r.done:
		t.Fatalf("Serve returned %v before the scrape in flight had ended", err)
	default:
	}
	close(g.release)
	if got := <-scraped; got.status != 200 || !strings.HasSuffix(got.body, "b2b_slow 1.5\n<nil>") {
		t.Errorf("the scrape in flight: %d %q", got.status, got.body)
	}
	if err := r.wait(t); err != nil {
		t.Errorf("Serve: %v", err)
	}
}

func TestShutdownIsBounded(t *testing.T) {
	g := newSlow()
	r := serve(t, "", 1, Options{Gatherers: prometheus.Gatherers{g}}, func(l *limits) { l.shutdown = 20 * time.Millisecond })
	client := newClient(t, nil)
	failed := make(chan error, 1)
	go func() {
		resp, err := send(t, client, http.MethodGet, "http://"+r.addresses[0]+"/metrics")
		if err == nil {
			resp.Body.Close()
		}
		failed <- err
	}()
	<-g.started
	r.stop()
	if err := r.wait(t); !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "cut off after 20ms") {
		t.Errorf("Serve: %v", err)
	}
	if err := <-failed; err == nil {
		t.Error("the scrape in flight was answered")
	}
	close(g.release)
}

func TestShutdownEndsReload(t *testing.T) {
	started := make(chan struct{})
	r := serve(t, "", 1, Options{EnableLifecycle: true, Reload: func(ctx context.Context) error {
		close(started)
		<-ctx.Done()
		return context.Cause(ctx)
	}}, nil)
	client := newClient(t, nil)
	answered := make(chan string, 1)
	go func() {
		resp, err := send(t, client, http.MethodPost, "http://"+r.addresses[0]+"/-/reload")
		if err != nil {
			answered <- err.Error()
			return
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		answered <- fmt.Sprint(resp.StatusCode, " ", string(body), err)
	}()
	<-started
	r.stop()
	if got, want := <-answered, "500 failed to reload the configuration: context canceled\n<nil>"; got != want {
		t.Errorf("reload: %q, want %q", got, want)
	}
	if err := r.wait(t); err != nil {
		t.Errorf("Serve: %v", err)
	}
}

// A reload may take longer than an answer may otherwise.
func TestReloadOutlastsTheWriteTimeout(t *testing.T) {
	r := serve(t, "", 1, Options{EnableLifecycle: true, Reload: func(ctx context.Context) error {
		select {
		case <-time.After(150 * time.Millisecond):
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}}, func(l *limits) { l.write = 50 * time.Millisecond })
	resp, err := send(t, newClient(t, nil), http.MethodPost, "http://"+r.addresses[0]+"/-/reload")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != 200 {
		t.Errorf("reload: %s", resp.Status)
	}
}

func TestSlowHeaderIsCutOff(t *testing.T) {
	r := serve(t, "", 1, Options{}, func(l *limits) { l.readHeader = 50 * time.Millisecond })
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", r.addresses[0])
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(conn, "GET /metrics HTTP/1.1\r\nHost: exporter.example\r\nX-Slow: "); err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	answer, err := io.ReadAll(conn)
	if err != nil || len(answer) != 0 || time.Since(start) > patience/2 {
		t.Errorf("after %s: %q, %v; want the connection to be closed without an answer", time.Since(start), answer, err)
	}
}

// broken is the response of a client that has gone.
type broken struct {
	*httptest.ResponseRecorder
	writes int
}

func (b *broken) Write([]byte) (int, error) { b.writes++; return 0, errors.New("broken pipe") }

func TestClientGoesDuringScrape(t *testing.T) {
	for _, encoding := range []string{"identity", "gzip"} {
		t.Run(encoding, func(t *testing.T) {
			var j journal
			self := prometheus.NewRegistry()
			self.MustRegister(newConstMetrics())
			h := newServer(t, Options{Gatherers: prometheus.Gatherers{self}, Registerer: self, Logger: j.logger()}).Handler()
			client := &broken{ResponseRecorder: httptest.NewRecorder()}
			req := httptest.NewRequestWithContext(t.Context(), "GET", "/metrics", nil)
			req.Header.Set("Accept-Encoding", encoding)
			h.ServeHTTP(client, req)
			if client.writes != 1 {
				t.Errorf("%d writes to a client that has gone, want 1", client.writes)
			}
			if log := j.String(); strings.Count(log, "\n") != 1 || !strings.Contains(log, "level=DEBUG msg=\"the client of a scrape has gone\" err=\"broken pipe\"") {
				t.Errorf("log:\n%.400s", log)
			}
			want := "# HELP promhttp_metric_handler_errors_total Total number of internal errors encountered by the promhttp metric handler.\n" +
				"# TYPE promhttp_metric_handler_errors_total counter\n" +
				"promhttp_metric_handler_errors_total{cause=\"encoding\"} 0\npromhttp_metric_handler_errors_total{cause=\"gathering\"} 0\n"
			if err := testutil.GatherAndCompare(self, strings.NewReader(want), "promhttp_metric_handler_errors_total"); err != nil {
				t.Error(err)
			}
			if w := ask(t, h, "GET", "/metrics"); w.Code != 200 {
				t.Errorf("the next scrape: %d", w.Code)
			}
		})
	}
}
