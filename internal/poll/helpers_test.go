package poll

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/b2bexporter/b2b_exporter/internal/ledger"
	"github.com/b2bexporter/b2b_exporter/internal/record"
	"github.com/b2bexporter/b2b_exporter/sources"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// fakeSource is a source of orders whose streams are what fetch makes them.
type fakeSource struct {
	name    string
	streams []string // "orders" where empty
	whole   bool
	fetch   func(ctx context.Context, req sources.Request, emit sources.Emit) error
}

func (f *fakeSource) Name() string { return f.name }
func (f *fakeSource) Type() string { return "fake" }
func (f *fakeSource) Streams() []sources.Stream {
	names := f.streams
	if names == nil {
		names = []string{"orders"}
	}
	var streams []sources.Stream
	for _, name := range names {
		streams = append(streams, sources.Stream{Name: name, Kinds: []record.Kind{record.KindOrder}, Whole: f.whole})
	}
	return streams
}

func (f *fakeSource) Fetch(ctx context.Context, req sources.Request, emit sources.Emit) error {
	return f.fetch(ctx, req, emit)
}

func (f *fakeSource) Check(context.Context, sources.Environment) []sources.Finding { return nil }

// order returns an order placed at a time.
func order(id string, at time.Time) *record.Order {
	return &record.Order{Meta: record.Meta{ID: id}, PlacedAt: record.At(at), Currency: "EUR", Gross: record.Micros(1e6)}
}

// logs keeps what is logged, for tests to read while others log.
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

func (l *logs) logger() *slog.Logger {
	return slog.New(slog.NewTextHandler(l, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

// moments are noted by one goroutine and read by another.
type moments struct {
	mu    sync.Mutex
	times []time.Time
}

func (m *moments) note(t time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.times = append(m.times, t)
}

func (m *moments) all() []time.Time {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.times)
}

// openLedger opens a new ledger, which the end of the test closes.
func openLedger(t *testing.T) *ledger.Ledger {
	t.Helper()
	return openLedgerAt(t, filepath.Join(t.TempDir(), "test.db"))
}

func openLedgerAt(t *testing.T, path string) *ledger.Ledger {
	t.Helper()
	zone, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	l, err := ledger.Open(t.Context(), ledger.Options{
		Path: path, Settings: ledger.Settings{Zone: zone, Currency: "EUR", Basis: ledger.BasisOrders},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := l.Ready(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	return l
}

// newPoller returns a poller with a ledger of its own, and what it logs.
func newPoller(t *testing.T) (*Poller, *logs) {
	t.Helper()
	var out logs
	return &Poller{Ledger: openLedger(t), Log: out.logger(), Now: time.Now}, &out
}

// start runs the scheduler of some jobs; stop ends it and waits.
func start(t *testing.T, p *Poller, o Options, jobs ...Job) (s *Scheduler, stop func()) {
	t.Helper()
	s = NewScheduler(p, jobs, o)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	stop = sync.OnceFunc(func() {
		t.Helper()
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	t.Cleanup(stop)
	return s, stop
}

// streamOf returns what the ledger holds of a stream.
func streamOf(t *testing.T, l *ledger.Ledger, source, name string) ledger.Stream {
	t.Helper()
	s, err := l.Snapshot(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}()
	streams, err := s.Streams(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, stream := range streams {
		if stream.Source == source && stream.Name == name {
			return stream
		}
	}
	return ledger.Stream{}
}

// orders returns how many orders the ledger holds.
func orders(t *testing.T, l *ledger.Ledger) int64 {
	t.Helper()
	s, err := l.Snapshot(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	counts, err := s.Records(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return counts[record.KindOrder]
}

// retryError is an error whose vendor says when to come back.
type retryError struct{ at time.Time }

func (e retryError) Error() string      { return fmt.Sprintf("rate limited until %s", e.at) }
func (e retryError) RetryAt() time.Time { return e.at }
