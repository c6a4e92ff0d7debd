package web

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	dto "github.com/prometheus/client_model/go"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// journal is a log that tests read.
type journal struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (j *journal) Write(b []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.buf.Write(b)
}

func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.buf.String()
}

func (j *journal) logger() *slog.Logger {
	return slog.New(slog.NewTextHandler(j, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

// gauges returns a gatherer of gauges named names.
func gauges(names ...string) *prometheus.Registry {
	r := prometheus.NewRegistry()
	for _, name := range names {
		g := prometheus.NewGauge(prometheus.GaugeOpts{Name: name, Help: "A gauge."})
		g.Set(1.5)
		r.MustRegister(g)
	}
	return r
}

// newServer returns a server of options, to which it adds those that are needed.
func newServer(t *testing.T, opts Options) *Server {
	t.Helper()
	if opts.Logger == nil {
		opts.Logger = slog.New(slog.DiscardHandler)
	}
	if opts.Gatherers == nil {
		opts.Gatherers = prometheus.Gatherers{gauges("b2b_one"), gauges("b2b_two")}
	}
	s, err := New(opts)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// ask sends a request with headers, given as names and values in turn, to h.
func ask(t *testing.T, h http.Handler, method, target string, headers ...string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, target, nil)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func reloadWith(err error) func(context.Context) error {
	return func(context.Context) error { return err }
}

func TestEndpoints(t *testing.T) {
	all := newServer(t, Options{
		TelemetryPath:   "/kpis",
		EnableLifecycle: true,
		Reload:          reloadWith(nil),
		Ready:           func() error { return nil },
		Config:          func() ([]byte, error) { return []byte("timezone: Europe/Berlin\n"), nil },
	}).Handler()
	failing := newServer(t, Options{
		EnableLifecycle: true,
		Reload:          reloadWith(errors.New("b2b.yml:3: timezone: unknown")),
		Ready:           func() error { return errors.New("stream eu-shop/order has not been read") },
		Config:          func() ([]byte, error) { return nil, errors.New("no configuration") },
	}).Handler()
	panicking := newServer(t, Options{
		EnableLifecycle: true,
		Reload:          func(context.Context) error { panic("reload") },
		Ready:           func() error { panic("ready") },
		Config:          func() ([]byte, error) { panic("config") },
	}).Handler()
	panickingPage := newServer(t, Options{Status: func(string) Status { panic("status") }}).Handler()
	bare := newServer(t, Options{}).Handler()

	for _, test := range []struct {
		name           string
		handler        http.Handler
		method, target string
		status         int
		allow, body    string
	}{
		{"telemetry", all, "GET", "/kpis", 200, "", "# HELP b2b_one A gauge.\n# TYPE b2b_one gauge\nb2b_one 1.5\n# HELP b2b_two A gauge.\n# TYPE b2b_two gauge\nb2b_two 1.5\n"},
		{"telemetry of one family", all, "GET", "/kpis?name[]=b2b_two", 200, "", "# HELP b2b_two A gauge.\n# TYPE b2b_two gauge\nb2b_two 1.5\n"},
		{"default telemetry path is free", all, "GET", "/metrics", 404, "", "404 page not found\n"},
		{"telemetry by POST", all, "POST", "/kpis", 405, "GET, HEAD", "Method Not Allowed\n"},
		{"healthy", all, "GET", "/-/healthy", 200, "", "b2b_exporter is healthy.\n"},
		{"healthy though not ready", failing, "GET", "/-/healthy", 200, "", "b2b_exporter is healthy.\n"},
		{"healthy by POST", all, "POST", "/-/healthy", 405, "GET, HEAD", "Method Not Allowed\n"},
		{"ready", all, "GET", "/-/ready", 200, "", "b2b_exporter is ready.\n"},
		{"always ready", bare, "GET", "/-/ready", 200, "", "b2b_exporter is ready.\n"},
		{"not ready", failing, "GET", "/-/ready", 503, "", "b2b_exporter is not ready: stream eu-shop/order has not been read\n"},
		{"ready panics", panicking, "GET", "/-/ready", 500, "", "internal error: the log says more\n"},
		{"ready by DELETE", all, "DELETE", "/-/ready", 405, "GET, HEAD", "Method Not Allowed\n"},
		{"reload", all, "POST", "/-/reload", 200, "", "The configuration was reloaded.\n"},
		{"reload by PUT", all, "PUT", "/-/reload", 200, "", "The configuration was reloaded.\n"},
		{"reload by GET", all, "GET", "/-/reload", 405, "POST, PUT", "Method Not Allowed\n"},
		{"reload fails", failing, "POST", "/-/reload", 500, "", "failed to reload the configuration: b2b.yml:3: timezone: unknown\n"},
		{"reload panics", panicking, "POST", "/-/reload", 500, "", "internal error: the log says more\n"},
		{"reload after a panic", panicking, "POST", "/-/reload", 500, "", "internal error: the log says more\n"},
		{"reload is off", bare, "POST", "/-/reload", 403, "", "Lifecycle API is not enabled: start b2b_exporter with --web.enable-lifecycle.\n"},
		{"reload by GET is off", bare, "GET", "/-/reload", 405, "POST, PUT", "Method Not Allowed\n"},
		{"config", all, "GET", "/config", 200, "", "timezone: Europe/Berlin\n"},
		{"config fails", failing, "GET", "/config", 500, "", "failed to show the configuration: no configuration\n"},
		{"config panics", panicking, "GET", "/config", 500, "", "internal error: the log says more\n"},
		{"config by POST", all, "POST", "/config", 405, "GET, HEAD", "Method Not Allowed\n"},
		{"no config", bare, "GET", "/config", 404, "", "404 page not found\n"},
		{"page panics", panickingPage, "GET", "/", 500, "", "internal error: the log says more\n"},
		{"page by POST", all, "POST", "/", 405, "GET, HEAD", "Method Not Allowed\n"},
		{"unknown", all, "GET", "/debug/pprof/", 404, "", "404 page not found\n"},
		{"below a page", all, "GET", "/kpis/", 404, "", "404 page not found\n"},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := ask(t, test.handler, test.method, test.target)
			if w.Code != test.status || w.Body.String() != test.body || w.Header().Get("Allow") != test.allow {
				t.Errorf("%s %s: %d, Allow %q, %q; want %d, Allow %q, %q", test.method, test.target,
					w.Code, w.Header().Get("Allow"), w.Body, test.status, test.allow, test.body)
			}
			if got := w.Header().Get("X-Content-Type-Options"); got != "nosniff" {
				t.Errorf("X-Content-Type-Options: %q", got)
			}
			if got := w.Header().Get("Referrer-Policy"); got != "no-referrer" {
				t.Errorf("Referrer-Policy: %q", got)
			}
			policy := w.Header().Get("Content-Security-Policy")
			if !strings.HasPrefix(policy, "default-src 'none'; style-src 'sha256-") || !strings.HasSuffix(policy, "; frame-ancestors 'none'") {
				t.Errorf("Content-Security-Policy: %q", policy)
			}
			if got := w.Header().Get("Content-Type"); !strings.HasPrefix(got, "text/plain;") {
				t.Errorf("Content-Type: %q", got)
			}
		})
	}
}

func TestPanicIsLogged(t *testing.T) {
	var j journal
	s := newServer(t, Options{Logger: j.logger(), Config: func() ([]byte, error) { panic("no such map") }})
	ask(t, s.Handler(), "GET", "/config")
	for _, want := range []string{"level=ERROR", `endpoint="GET /config"`, `panic="no such map"`, "TestPanicIsLogged"} {
		if !strings.Contains(j.String(), want) {
			t.Errorf("the log lacks %s:\n%s", want, j.String())
		}
	}
}

func TestNegotiation(t *testing.T) {
	h := newServer(t, Options{}).Handler()
	for _, test := range []struct{ accept, contentType, end string }{
		{"", "text/plain; version=0.0.4; charset=utf-8; escaping=underscores", "b2b_two 1.5\n"},
		{"text/html,*/*;q=0.8", "text/plain; version=0.0.4; charset=utf-8; escaping=underscores", "b2b_two 1.5\n"},
		{"application/openmetrics-text;version=1.0.0", "application/openmetrics-text; version=1.0.0; charset=utf-8; escaping=underscores", "b2b_two 1.5\n# EOF\n"},
	} {
		for _, encoding := range []string{"", "gzip", "gzip, zstd, br", "br", "identity"} {
			w := ask(t, h, "GET", "/metrics", "Accept", test.accept, "Accept-Encoding", encoding)
			if got := w.Header().Get("Content-Type"); w.Code != 200 || got != test.contentType {
				t.Errorf("Accept %q: %d, Content-Type %q, want %q", test.accept, w.Code, got, test.contentType)
			}
			want := ""
			if strings.HasPrefix(encoding, "gzip") {
				want = "gzip"
			}
			if got := w.Header().Get("Content-Encoding"); got != want {
				t.Errorf("Accept-Encoding %q: Content-Encoding %q, want %q", encoding, got, want)
			}
			body := io.Reader(w.Body)
			if want != "" {
				z, err := gzip.NewReader(body)
				if err != nil {
					t.Fatal(err)
				}
				body = z
			}
			text, err := io.ReadAll(body)
			if err != nil || !strings.HasSuffix(string(text), test.end) {
				t.Errorf("Accept %q, Accept-Encoding %q: %v, %q does not end with %q", test.accept, encoding, err, text, test.end)
			}
		}
	}
}

func TestGatherersFail(t *testing.T) {
	panics := prometheus.GathererFunc(func() ([]*dto.MetricFamily, error) { panic("no snapshot") })
	fails := prometheus.GathererFunc(func() ([]*dto.MetricFamily, error) { return nil, errors.New("no snapshot") })
	for _, test := range []struct {
		name      string
		gatherers prometheus.Gatherers
		status    int
		body, log string
	}{
		{"one fails", prometheus.Gatherers{fails, gauges("b2b_one")}, 200, "\nb2b_one 1.5\n", "error gathering metrics: no snapshot"},
		{"one panics", prometheus.Gatherers{gauges("b2b_one"), panics}, 200, "\nb2b_one 1.5\n", `panic="no snapshot"`},
		{"all fail", prometheus.Gatherers{fails, panics}, 500, "gather metrics: panic: no snapshot", "TestGatherersFail"},
		{
			"both have a family",
			prometheus.Gatherers{gauges("b2b_two", "b2b_one"), gauges("b2b_one", "b2b_zero")},
			200,
			"# HELP b2b_one A gauge.\n# TYPE b2b_one gauge\nb2b_one 1.5\n# HELP b2b_two A gauge.\n# TYPE b2b_two gauge\nb2b_two 1.5\n# HELP b2b_zero", "metric family b2b_one comes from two gatherers",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			var j journal
			self := prometheus.NewRegistry()
			h := newServer(t, Options{Gatherers: test.gatherers, Logger: j.logger(), Registerer: self}).Handler()
			w := ask(t, h, "GET", "/metrics")
			if w.Code != test.status || !strings.Contains(w.Body.String(), test.body) {
				t.Errorf("%d %q, want %d %q", w.Code, w.Body, test.status, test.body)
			}
			if !strings.Contains(j.String(), test.log) {
				t.Errorf("the log lacks %q:\n%s", test.log, j.String())
			}
			want := `
				# HELP promhttp_metric_handler_errors_total Total number of internal errors encountered by the promhttp metric handler.
				# TYPE promhttp_metric_handler_errors_total counter
				promhttp_metric_handler_errors_total{cause="encoding"} 0
				promhttp_metric_handler_errors_total{cause="gathering"} 1
			`
			if err := testutil.GatherAndCompare(self, strings.NewReader(want), "promhttp_metric_handler_errors_total"); err != nil {
				t.Error(err)
			}
		})
	}
}

// The families belong to the gatherers: many scrapes read them at a time.
func TestScrapesShareFamilies(t *testing.T) {
	prepared, err := gauges("b2b_c", "b2b_a", "b2b_b").Gather()
	if err != nil {
		t.Fatal(err)
	}
	h := newServer(t, Options{Gatherers: prometheus.Gatherers{gauges("b2b_ab"), families(prepared)}}).Handler()
	want := ask(t, h, "GET", "/metrics").Body.String()
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 20 {
				if got := ask(t, h, "GET", "/metrics").Body.String(); got != want {
					t.Errorf("got %q, want %q", got, want)
				}
			}
		})
	}
	wg.Wait()
	var names []string
	for _, f := range prepared {
		names = append(names, f.GetName())
	}
	if got := strings.Join(names, " "); got != "b2b_a b2b_b b2b_c" {
		t.Errorf("the prepared families are %s after the scrapes", got)
	}
}

func TestTooManyScrapes(t *testing.T) {
	release, started := make(chan struct{}), make(chan struct{})
	slow := prometheus.GathererFunc(func() ([]*dto.MetricFamily, error) {
		started <- struct{}{}
		<-release
		return gauges("b2b_one").Gather()
	})
	h := newServer(t, Options{Gatherers: prometheus.Gatherers{slow}}).Handler()
	var wg sync.WaitGroup
	for range maxScrapes {
		wg.Go(func() {
			if w := ask(t, h, "GET", "/metrics"); w.Code != 200 {
				t.Errorf("a scrape within the limit: %d", w.Code)
			}
		})
		<-started
	}
	if w := ask(t, h, "GET", "/metrics"); w.Code != 503 || !strings.HasPrefix(w.Body.String(), "Limit of concurrent requests reached (40)") {
		t.Errorf("a scrape beyond the limit: %d %s", w.Code, w.Body)
	}
	close(release)
	wg.Wait()
}

func TestNewRefuses(t *testing.T) {
	good := Options{Logger: slog.New(slog.DiscardHandler), Gatherers: prometheus.Gatherers{gauges("b2b_one")}}
	for want, change := range map[string]func(*Options){
		"no logger":                 func(o *Options) { o.Logger = nil },
		"no gatherers":              func(o *Options) { o.Gatherers = nil },
		"without a reload function": func(o *Options) { o.EnableLifecycle = true },
		`telemetry path "metrics": want a plain absolute path`:             func(o *Options) { o.TelemetryPath = "metrics" },
		`telemetry path "/metrics/": want a plain absolute path`:           func(o *Options) { o.TelemetryPath = "/metrics/" },
		`telemetry path "/a/../metrics": want a plain absolute path`:       func(o *Options) { o.TelemetryPath = "/a/../metrics" },
		`telemetry path "/{x": want a plain absolute path`:                 func(o *Options) { o.TelemetryPath = "/{x" },
		`telemetry path "/my metrics": want a plain absolute path`:         func(o *Options) { o.TelemetryPath = "/my metrics" },
		`telemetry path "/" is taken by another endpoint`:                  func(o *Options) { o.TelemetryPath = "/" },
		`telemetry path "/config" is taken by another endpoint`:            func(o *Options) { o.TelemetryPath = "/config" },
		`telemetry path "/-/ready" is taken by another endpoint: choose a`: func(o *Options) { o.TelemetryPath = "/-/ready" },
	} {
		opts := good
		change(&opts)
		if _, err := New(opts); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("New: %v, want %s", err, want)
		}
	}
	if _, err := New(good); err != nil {
		t.Errorf("New: %v", err)
	}
}

// The web configuration file may set headers of its own.
func TestHeadersOfTheConfigurationStay(t *testing.T) {
	h := newServer(t, Options{}).Handler()
	w := httptest.NewRecorder()
	w.Header().Set("Content-Security-Policy", "default-src 'self'")
	h.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), "GET", "/", nil))
	if got := w.Header().Get("Content-Security-Policy"); got != "default-src 'self'" {
		t.Errorf("Content-Security-Policy: %q", got)
	}
}
