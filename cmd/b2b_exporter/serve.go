package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kingpin/v2"
	"github.com/hashicorp/go-cleanhttp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	versioncollector "github.com/prometheus/client_golang/prometheus/collectors/version"
	"github.com/prometheus/common/version"
	toolkit "github.com/prometheus/exporter-toolkit/web"
	"github.com/prometheus/exporter-toolkit/web/kingpinflag"

	"github.com/b2bexporter/b2b_exporter/collector"
	"github.com/b2bexporter/b2b_exporter/internal/poll"
	"github.com/b2bexporter/b2b_exporter/internal/web"
	"github.com/b2bexporter/b2b_exporter/sources/all"
)

const (
	listenAddress = ":9846"
	docsURL       = "https://github.com/b2bexporter/b2b_exporter/tree/main/docs"
)

// serveFlags are the flags of the service.
type serveFlags struct {
	web           *toolkit.FlagConfig
	telemetryPath string
	lifecycle     bool
	collectors    map[string]*bool
}

func (c *command) addServeFlags(k *kingpin.Application) {
	c.serve.web = kingpinflag.AddFlags(k, listenAddress)
	k.Flag("web.telemetry-path", "Path of the metrics.").Default("/metrics").StringVar(&c.serve.telemetryPath)
	k.Flag("web.enable-lifecycle", "Allow POST /-/reload.").BoolVar(&c.serve.lifecycle)
	c.serve.collectors = map[string]*bool{}
	for _, col := range collector.Collectors() {
		c.serve.collectors[col.Name()] = k.Flag("collector."+col.Name(), "Enable the collector "+col.Name()+".").Default("true").Bool()
	}
}

// enabled returns the collectors that no flag has switched off.
func (c *command) enabled() []collector.Collector {
	var list []collector.Collector
	for _, col := range collector.Collectors() {
		if on := c.serve.collectors[col.Name()]; on == nil || *on {
			list = append(list, col)
		}
	}
	return list
}

func (c *command) runCommand(k *kingpin.Application) (string, func(context.Context) error) {
	cmd := k.Command("run", "Poll the sources and serve the metrics.").Default()
	return cmd.FullCommand(), c.runService
}

func (c *command) healthCommand(k *kingpin.Application) (string, func(context.Context) error) {
	cmd := k.Command("health", "Ask a running exporter whether it is alive, and exit: 1 where it is not.")
	url := cmd.Flag("url", "Address of the exporter. Default: the listen address, on this machine.").String()
	return cmd.FullCommand(), func(ctx context.Context) error {
		if *url == "" {
			*url = "http://" + localAddress((*c.serve.web.WebListenAddresses)[0])
		}
		return web.Health(ctx, *url)
	}
}

// localAddress returns where a listen address is reached from the same machine.
func localAddress(listen string) string {
	host, port, err := net.SplitHostPort(listen)
	if err != nil {
		return listen
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return net.JoinHostPort(host, port)
}

// runService serves until the context ends.
func (c *command) runService(ctx context.Context) (err error) {
	cfg, err := c.loadConfig()
	if err != nil {
		return err
	}
	c.log.Info("starting b2b_exporter", "version", version.Info())
	// One pool of connections for all configurations: those of one that was replaced would
	// stay open until they have been idle for long.
	transport := cleanhttp.DefaultPooledTransport()
	defer transport.CloseIdleConnections()
	s := &service{
		command: c, log: c.log, now: c.now, collectors: c.enabled(), polls: poll.NewMetrics(), reloads: newReloadMetrics(c.now()),
		deps: all.Deps{Metrics: all.NewMetrics(), Logger: c.log, Transport: transport},
	}
	a, err := newApp(cfg, s.deps)
	if err != nil {
		return err
	}
	registry, err := c.selfRegistry(s)
	if err != nil {
		return err
	}
	server, err := web.New(web.Options{
		Gatherers: prometheus.Gatherers{registry, s}, TelemetryPath: c.serve.telemetryPath, Registerer: registry, Logger: c.log,
		Version: version.Version, Docs: docsURL, Ready: s.ready, Reload: s.reload, EnableLifecycle: c.serve.lifecycle,
		Config: func() ([]byte, error) { return s.current.Load().app.config.Redacted() },
		Status: s.status,
	})
	if err != nil {
		return err
	}
	i, err := s.open(ctx, a)
	if err != nil {
		return err
	}
	// Polls end when the service is closed, after the last request.
	s.start(context.WithoutCancel(ctx), i)
	defer func() { err = errors.Join(err, s.close()) }()
	stop := reloadOnHangup(ctx, s)
	defer stop()
	if err := server.Serve(ctx, c.serve.web); err != nil {
		return err
	}
	c.log.Info("stopped")
	return nil
}

// selfRegistry holds what the exporter counts about itself.
func (c *command) selfRegistry(s *service) (*prometheus.Registry, error) {
	registry := prometheus.NewRegistry()
	own := []prometheus.Collector{collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{})}
	if on := c.serve.collectors["exporter"]; on == nil || *on {
		own = append(own, versioncollector.NewCollector("b2b_exporter"), s.polls, s.deps.Metrics, s.reloads.ok, s.reloads.at)
	}
	for _, o := range own {
		if err := registry.Register(o); err != nil {
			return nil, fmt.Errorf("register the exporter's own metrics: %w", err)
		}
	}
	return registry, nil
}

// reloadOnHangup reloads the configuration on SIGHUP until stop is called.
func reloadOnHangup(ctx context.Context, s *service) (stop func()) {
	hangup := make(chan os.Signal, 1)
	signal.Notify(hangup, syscall.SIGHUP)
	ended := make(chan struct{})
	quit := make(chan struct{})
	go func() {
		defer close(ended)
		for {
			select {
			case <-quit:
				return
			case <-hangup:
				// Reload logs its failures itself.
				_ = s.reload(ctx)
			}
		}
	}()
	return func() {
		signal.Stop(hangup)
		close(quit)
		<-ended
	}
}
