// Package web is the exporter's HTTP side: the exposition, the health and lifecycle
// endpoints, the redacted configuration and a page for people. It knows nothing of
// what it shows: everything is handed to it as functions.
package web

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"path"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	toolkit "github.com/prometheus/exporter-toolkit/web"
	"golang.org/x/sync/errgroup"
)

// maxScrapes is how many scrapes are answered at a time; more get 503. It is
// node_exporter's default.
const maxScrapes = 40

// Options are what a Server shows and does. Its functions are called by several
// requests at a time, except Reload; one that panics is answered with 500 and logged.
type Options struct {
	// Gatherers give the exposition. No family may come from two of them, and each must
	// have checked what it returns, as a prometheus.Registry does. The families are not changed.
	Gatherers prometheus.Gatherers
	// TelemetryPath is the path of the exposition; /metrics where empty.
	TelemetryPath string
	// Registerer, where not nil, gets the metrics promhttp_metric_handler_*.
	Registerer prometheus.Registerer
	Logger     *slog.Logger
	Version    string // shown on the page
	Docs       string // URL of the documentation, linked from the page; may be empty

	// Ready returns nil when the exporter is ready, else why it is not. Nil: always ready.
	Ready func() error
	// Reload loads the configuration again. One call runs at a time. Its context ends when
	// Serve is told to stop, but not when the client goes away: a client with a short
	// timeout must not keep a long reload from ever succeeding. Reload logs its own failures.
	Reload func(context.Context) error
	// EnableLifecycle allows POST /-/reload; it needs Reload.
	EnableLifecycle bool
	// Config returns the configuration as YAML without its secrets. Nil: no /config.
	Config func() ([]byte, error)
	// Status returns what the page shows over the window that is asked for, empty where none
	// is. It must be cheap: it is called for each request. Nil: a page of links.
	Status func(window string) Status
}

// limits bound what a client may cost.
type limits struct {
	readHeader, read, write, idle time.Duration
	shutdown                      time.Duration // for the requests in flight
}

func defaultLimits() limits {
	return limits{
		readHeader: 5 * time.Second,
		read:       10 * time.Second,
		// Longer than any usual scrape_timeout, so that Prometheus is the one that gives up.
		write: 2 * time.Minute,
		// Longer than any usual scrape_interval, so that scrapes share a connection.
		idle: 5 * time.Minute,
		// Prometheus's default scrape_timeout, well within Kubernetes' 30 s.
		shutdown: 10 * time.Second,
	}
}

// Server serves the exporter's endpoints.
type Server struct {
	opts    Options
	limits  limits
	page    *page
	handler http.Handler
	// reloading holds a token while a reload runs.
	reloading chan struct{}
}

// New returns a Server. It fails where an option is missing or the telemetry path
// cannot be served.
func New(opts Options) (*Server, error) {
	if opts.TelemetryPath == "" {
		opts.TelemetryPath = "/metrics"
	}
	switch {
	case opts.Logger == nil:
		return nil, errors.New("set up the web server: no logger")
	case len(opts.Gatherers) == 0:
		return nil, errors.New("set up the web server: no gatherers")
	case opts.EnableLifecycle && opts.Reload == nil:
		return nil, errors.New("set up the web server: the lifecycle endpoints are enabled without a reload function")
	}
	if err := checkTelemetryPath(opts.TelemetryPath); err != nil {
		return nil, fmt.Errorf("set up the web server: %w", err)
	}
	page, err := newPage()
	if err != nil {
		return nil, fmt.Errorf("set up the web server: %w", err)
	}
	s := &Server{opts: opts, limits: defaultLimits(), page: page, reloading: make(chan struct{}, 1)}
	s.handler = s.routes()
	return s, nil
}

// checkTelemetryPath refuses paths that http.ServeMux would panic on, never match, or
// that are taken.
func checkTelemetryPath(p string) error {
	switch {
	case !strings.HasPrefix(p, "/") || path.Clean(p) != p || strings.ContainsAny(p, "{}?#% \t\r\n"):
		return fmt.Errorf("telemetry path %q: want a plain absolute path such as /metrics", p)
	case p == "/" || p == "/config" || p == "/-" || strings.HasPrefix(p, "/-/"):
		return fmt.Errorf("telemetry path %q is taken by another endpoint: choose another, such as /metrics", p)
	}
	return nil
}

// Handler returns the handler of all endpoints.
func (s *Server) Handler() http.Handler { return s.handler }

func (s *Server) routes() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET "+s.opts.TelemetryPath, s.telemetry())
	mux.Handle("GET /-/healthy", s.recovered(s.healthy))
	mux.Handle("GET /-/ready", s.recovered(s.ready))
	// A page of another site must not be able to make a browser reload the exporter.
	reload := http.NewCrossOriginProtection().Handler(s.recovered(s.reload))
	mux.Handle("POST /-/reload", reload)
	mux.Handle("PUT /-/reload", reload)
	if s.opts.Config != nil {
		mux.Handle("GET /config", s.recovered(s.config))
	}
	mux.Handle("GET /{$}", s.recovered(s.index))
	return s.secured(mux)
}

// telemetry returns the handler of the exposition.
func (s *Server) telemetry() http.Handler {
	h := promhttp.HandlerFor(s.gatherer(), promhttp.HandlerOpts{
		ErrorLog:      slog.NewLogLogger(s.opts.Logger.Handler(), slog.LevelError),
		ErrorHandling: promhttp.ContinueOnError,
		Registry:      s.opts.Registerer,
		// Not whatever else is linked into the binary.
		OfferedCompressions: []promhttp.Compression{promhttp.Identity, promhttp.Gzip},
		MaxRequestsInFlight: maxScrapes,
		EnableOpenMetrics:   true,
		// Without CoalesceGather: a slow client would hand its old values to the scrapes that
		// overlap it.
	})
	h = forgivingWrites(s.opts.Logger, h)
	if s.opts.Registerer != nil {
		h = promhttp.InstrumentMetricHandler(s.opts.Registerer, h)
	}
	return h
}

// stopKey is the key of the context that Serve was given, in those of its requests.
type stopKey struct{}

// Serve listens on the addresses of flags, with TLS and basic auth as its web
// configuration file says, until ctx ends. It then lets the requests in flight finish,
// for 10 s at most, and returns nil, or an error where they did not. It returns an
// error at once when an address cannot be listened on or the web configuration file is wrong.
func (s *Server) Serve(ctx context.Context, flags *toolkit.FlagConfig) error {
	group, ctx := errgroup.WithContext(ctx)
	for _, f := range split(flags) {
		group.Go(func() error { return s.serve(ctx, f) })
	}
	return group.Wait()
}

// split returns one FlagConfig for each listen address: the toolkit changes the
// http.Server that it is given, so that listeners that share one race.
func split(flags *toolkit.FlagConfig) []*toolkit.FlagConfig {
	if flags == nil || flags.WebListenAddresses == nil || len(*flags.WebListenAddresses) < 2 ||
		flags.WebSystemdSocket != nil && *flags.WebSystemdSocket {
		return []*toolkit.FlagConfig{flags}
	}
	var all []*toolkit.FlagConfig
	for _, address := range *flags.WebListenAddresses {
		f := *flags
		f.WebListenAddresses = &[]string{address}
		all = append(all, &f)
	}
	return all
}

func (s *Server) serve(ctx context.Context, flags *toolkit.FlagConfig) error {
	// The contexts of requests do not end with ctx: those in flight may finish.
	base := context.WithValue(context.WithoutCancel(ctx), stopKey{}, ctx)
	server := &http.Server{
		Handler:           s.handler,
		BaseContext:       func(net.Listener) context.Context { return base },
		ReadHeaderTimeout: s.limits.readHeader,
		ReadTimeout:       s.limits.read,
		WriteTimeout:      s.limits.write,
		IdleTimeout:       s.limits.idle,
		MaxHeaderBytes:    64 << 10,
		ErrorLog:          slog.NewLogLogger(s.opts.Logger.Handler(), slog.LevelWarn),
	}
	served := make(chan error, 1)
	go func() { served <- toolkit.ListenAndServe(server, flags, s.opts.Logger) }()
	select {
	case err := <-served:
		return fmt.Errorf("serve HTTP: %w", err)
	case <-ctx.Done():
	}
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.limits.shutdown)
	defer cancel()
	err := server.Shutdown(grace)
	if err != nil {
		err = fmt.Errorf("stop serving HTTP: requests were cut off after %s: %w", s.limits.shutdown, errors.Join(err, server.Close()))
	}
	if served := <-served; !errors.Is(served, http.ErrServerClosed) {
		err = errors.Join(err, fmt.Errorf("serve HTTP: %w", served))
	}
	return err
}
