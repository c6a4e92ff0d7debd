package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/b2bexporter/b2b_exporter/collector"
	"github.com/b2bexporter/b2b_exporter/internal/ledger"
	"github.com/b2bexporter/b2b_exporter/internal/ledger/rollup"
	"github.com/b2bexporter/b2b_exporter/internal/poll"
	"github.com/b2bexporter/b2b_exporter/internal/record"
	"github.com/b2bexporter/b2b_exporter/sources/all"

	dto "github.com/prometheus/client_model/go"
)

// service polls and computes under one configuration after the other. What it serves
// is a snapshot, which stays while a configuration is replaced.
type service struct {
	command    *command
	log        *slog.Logger
	now        func() time.Time
	collectors []collector.Collector
	deps       all.Deps
	polls      *poll.Metrics
	reloads    *reloadMetrics

	snapshot  atomic.Pointer[collector.Snapshot]
	refreshed atomic.Int64 // when the snapshot was made, unix microseconds

	mu      sync.Mutex // one start, stop or reload at a time
	current atomic.Pointer[instance]
}

// instance is one configuration at work.
type instance struct {
	service   *service
	app       *app
	ledger    *ledger.Ledger
	engine    *rollup.Engine
	scheduler *poll.Scheduler
	refresher *poll.Refresher
	cancel    context.CancelFunc
	done      chan struct{}

	mu      sync.Mutex
	records map[record.Kind]int64 // held by the ledger; nil until they have been counted
}

// rebuildRetry is how long a failed rebuild of the ledger's derived state waits.
const rebuildRetry = 30 * time.Second

// open opens the ledger of a and sets up an instance that does not run yet.
func (s *service) open(ctx context.Context, a *app) (*instance, error) {
	l, err := ledger.Open(ctx, a.ledgerOptions(false))
	if err != nil {
		return nil, err
	}
	i := &instance{service: s, app: a, ledger: l, engine: a.engine(l), done: make(chan struct{})}
	i.refresher = poll.NewRefresher(l.Calendar(), s.now, s.log, i.refresh)
	jobs := make([]poll.Job, len(a.jobs))
	for k, j := range a.jobs {
		jobs[k] = poll.Job{Source: j.source, Interval: j.interval}
	}
	poller := &poll.Poller{Ledger: l, Log: s.log, Observer: i, Now: s.now, Windows: a.config.Windows, History: a.config.History}
	i.scheduler = poll.NewScheduler(poller, jobs, poll.Options{
		// A source mostly waits for its vendor: one that hangs must not keep others waiting.
		Concurrency: cmp.Or(s.command.concurrency, len(jobs)), Metrics: s.polls, Changed: i.refresher.Trigger,
	})
	return i, nil
}

// start makes an instance work.
func (s *service) start(ctx context.Context, i *instance) {
	ctx, i.cancel = context.WithCancel(ctx)
	go func() {
		defer close(i.done)
		i.run(ctx)
	}()
	s.current.Store(i)
}

// run derives anew what the configuration changed, while an older snapshot is served,
// and then polls and refreshes until the context ends.
func (i *instance) run(ctx context.Context) {
	if !i.prepare(ctx) {
		return
	}
	var work sync.WaitGroup
	work.Go(func() { i.refresher.Run(ctx) })
	work.Go(func() {
		if err := i.scheduler.Run(ctx); err != nil {
			i.service.log.Error("polling has ended; restart the exporter", "err", err)
		}
	})
	work.Wait()
}

// prepare brings the ledger's derived state up to date, however often that takes; false
// where the context has ended.
func (i *instance) prepare(ctx context.Context) bool {
	log := i.service.log
	told := i.service.now()
	for {
		err := i.ledger.Ready(ctx, func(share float64) {
			if now := i.service.now(); now.Sub(told) >= logEvery {
				told = now
				log.Info("deriving the ledger's state anew for the changed configuration", "done_percent", int(share*100))
			}
		})
		if err == nil {
			err = i.count(ctx)
		}
		if err == nil {
			return true
		}
		if ctx.Err() == nil {
			log.Error("the ledger cannot be made ready; trying again", "in", rebuildRetry, "err", err)
		}
		select {
		case <-ctx.Done():
			return false
		case <-time.After(rebuildRetry):
		}
	}
}

// count counts the ledger's records once; commits keep the count.
func (i *instance) count(ctx context.Context) (err error) {
	snap, err := i.ledger.Snapshot(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, snap.Close()) }()
	records, err := snap.Records(ctx)
	if err != nil {
		return err
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	i.records = records
	return nil
}

// Committed implements poll.Observer.
func (i *instance) Committed(c poll.Commit) {
	i.mu.Lock()
	defer i.mu.Unlock()
	for kind, outcomes := range c.Counts {
		i.records[kind] += int64(outcomes[ledger.Inserted] - outcomes[ledger.Deleted])
	}
}

// Ended implements poll.Observer. The scheduler logs what failed, once for all streams of
// a source and not where the poll was stopped.
func (i *instance) Ended(e poll.End) {
	i.service.log.Debug("stream read", "source", e.Source, "stream", e.Stream, "took", e.Took,
		"changed", e.Counts.Changed(), "rounded", e.Rounded, "err", e.Err)
}

// refresh computes and publishes. When that fails the last snapshot stays, marked as
// failed, until it is older than the staleness: figures must not freeze unnoticed.
func (i *instance) refresh(ctx context.Context, now time.Time) error {
	s := i.service
	snapshot, err := i.compute(ctx, now)
	if err == nil {
		s.snapshot.Store(snapshot)
		s.refreshed.Store(now.UnixMicro())
		return nil
	}
	if last := s.snapshot.Load(); last != nil {
		if now.Sub(time.UnixMicro(s.refreshed.Load())) > i.app.config.Staleness {
			s.snapshot.Store(nil)
		} else {
			s.snapshot.Store(last.Failed())
		}
	}
	return err
}

func (i *instance) compute(ctx context.Context, now time.Time) (*collector.Snapshot, error) {
	view, err := i.engine.View(ctx, now.UnixMicro())
	if err != nil {
		return nil, err
	}
	size, err := i.ledger.Size()
	if err != nil {
		return nil, err
	}
	i.mu.Lock()
	info := collector.LedgerInfo{Records: maps.Clone(i.records), Bytes: size}
	i.mu.Unlock()
	out := i.app.compute(view, now, i.service.collectors, info)
	for _, failure := range out.Failures {
		i.service.log.Error("collector failed", "err", failure)
	}
	return collector.NewSnapshot(out)
}

// stop ends an instance: the page in flight is committed as a whole or not at all.
func (i *instance) stop() error {
	i.cancel()
	<-i.done
	return i.ledger.Close()
}

// reload puts the configuration file's present content to work: all of it or, with an
// error, nothing.
func (s *service) reload(ctx context.Context) (err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	defer func() { s.reloads.done(err == nil, s.now()) }()
	defer func() {
		if err != nil {
			s.log.Error("the configuration was not reloaded; the old one stays", "err", err)
		}
	}()
	cfg, err := s.command.loadConfig()
	if err != nil {
		return err
	}
	a, err := newApp(cfg, s.deps)
	if err != nil {
		return err
	}
	// Polls outlive the request that asked for the reload.
	ctx = context.WithoutCancel(ctx)
	old := s.current.Load()
	if err := old.stop(); err != nil {
		s.log.Error("closing the ledger failed", "err", err)
	}
	next, err := s.open(ctx, a)
	if err == nil {
		s.start(ctx, next)
		s.forget(old.app, a)
		s.log.Info("configuration reloaded")
		return nil
	}
	back, backErr := s.open(ctx, old.app)
	if backErr != nil {
		return errors.Join(err, fmt.Errorf("the old configuration cannot be put to work again either; restart the exporter: %w", backErr))
	}
	s.start(ctx, back)
	return err
}

// forget drops the request metrics of sources that are configured no more.
func (s *service) forget(old, now *app) {
	kept := map[string]bool{}
	for _, j := range now.jobs {
		kept[j.source.Name()] = true
	}
	for _, j := range old.jobs {
		if !kept[j.source.Name()] {
			s.deps.Metrics.Forget(j.source.Name())
		}
	}
}

// close ends the service.
func (s *service) close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.current.Load().stop()
}

// Gather implements prometheus.Gatherer: it hands out the snapshot.
func (s *service) Gather() ([]*dto.MetricFamily, error) {
	if snapshot := s.snapshot.Load(); snapshot != nil {
		return snapshot.Gather()
	}
	return nil, nil
}

// ready returns why nothing is served yet.
func (s *service) ready() error {
	if s.snapshot.Load() == nil {
		return errors.New("the KPIs have not been computed yet")
	}
	return nil
}

// reloadMetrics tell how the last reload of the configuration went.
type reloadMetrics struct {
	ok, at prometheus.Gauge
}

func newReloadMetrics(now time.Time) *reloadMetrics {
	m := &reloadMetrics{
		ok: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "b2b_config_last_reload_successful", Help: "1 if the last reload of the configuration succeeded, else 0.",
		}),
		at: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "b2b_config_last_reload_success_timestamp_seconds", Help: "Unix time of the last successful reload of the configuration.",
		}),
	}
	m.done(true, now)
	return m
}

func (m *reloadMetrics) done(ok bool, now time.Time) {
	if !ok {
		m.ok.Set(0)
		return
	}
	m.ok.Set(1)
	m.at.Set(float64(now.UnixMicro()) / 1e6)
}
