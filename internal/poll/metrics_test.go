package poll

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/prometheus/common/expfmt"

	"github.com/b2bexporter/b2b_exporter/internal/record"
	"github.com/b2bexporter/b2b_exporter/sources"
)

// exposition returns the samples of m, without help and types, and lints it.
func exposition(t *testing.T, m *Metrics) string {
	t.Helper()
	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(m)
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	var text bytes.Buffer
	for _, family := range families {
		if _, err := expfmt.MetricFamilyToText(&text, family); err != nil {
			t.Fatal(err)
		}
	}
	problems, err := testutil.GatherAndLint(registry)
	if err != nil || len(problems) > 0 {
		t.Errorf("lint: %v %v", problems, err)
	}
	var samples strings.Builder
	for line := range strings.Lines(text.String()) {
		if !strings.HasPrefix(line, "#") && !strings.Contains(line, "_bucket{") {
			samples.WriteString(line)
		}
	}
	return samples.String()
}

func TestMetrics(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // it is 2000-01-01 00:00:00 UTC, 946684800
		p, _ := newPoller(t)
		m := NewMetrics()
		if got := exposition(t, m); got != "" {
			t.Errorf("before there is a scheduler:\n%s", got)
		}
		step := make(chan sources.Page)
		src := &fakeSource{name: "shop", streams: []string{"orders", "refunds"}, fetch: func(ctx context.Context, req sources.Request, emit sources.Emit) error {
			if req.Stream == "refunds" {
				return errors.New("refused")
			}
			for page := range step {
				if err := emit(ctx, page); err != nil {
					return err
				}
			}
			return nil
		}}
		_, stop := start(t, p, Options{Metrics: m}, Job{Source: src, Interval: 500 * time.Millisecond})
		synctest.Wait()
		const before = `b2b_source_poll_duration_seconds_sum{source="shop",vendor="fake"} 0
b2b_source_poll_duration_seconds_count{source="shop",vendor="fake"} 0
b2b_source_poll_interval_seconds{source="shop",vendor="fake"} 0.5
b2b_source_records_total{outcome="deleted",record="order",source="shop",vendor="fake"} 0
b2b_source_records_total{outcome="inserted",record="order",source="shop",vendor="fake"} 0
b2b_source_records_total{outcome="rejected",record="order",source="shop",vendor="fake"} 0
b2b_source_records_total{outcome="unchanged",record="order",source="shop",vendor="fake"} 0
b2b_source_records_total{outcome="updated",record="order",source="shop",vendor="fake"} 0
b2b_source_truncated{source="shop",stream="orders",vendor="fake"} 0
b2b_source_truncated{source="shop",stream="refunds",vendor="fake"} 0
b2b_source_up{source="shop",stream="orders",vendor="fake"} 0
b2b_source_up{source="shop",stream="refunds",vendor="fake"} 0
`
		if diff := cmp.Diff(before, exposition(t, m)); diff != "" {
			t.Errorf("before the first poll (-want +got):\n%s", diff)
		}
		pass(time.Second)
		step <- sources.Page{Records: []record.Record{order("1", time.Unix(946684000, 5e8))}, Progress: -1}
		synctest.Wait()
		if got := exposition(t, m); strings.Contains(got, "backfill") {
			t.Errorf("a backfill of which nothing is known:\n%s", got)
		}
		step <- sources.Page{
			Records:  []record.Record{order("1", time.Unix(946684000, 0)), order("2", time.Unix(946680000, 0)), order("2", time.Unix(946680000, 0))},
			Rejected: []sources.Rejection{{Kind: record.KindOrder, Reason: "bad"}}, Progress: 0.25, Truncated: true,
		}
		synctest.Wait()
		got := exposition(t, m)
		for _, want := range []string{
			`b2b_source_backfill_ratio{source="shop",stream="orders",vendor="fake"} 0.25`,
			`b2b_source_data_timestamp_seconds{source="shop",stream="orders",vendor="fake"} 9.466840005e+08`,
			`b2b_source_records_total{outcome="inserted",record="order",source="shop",vendor="fake"} 2`,
			`b2b_source_records_total{outcome="rejected",record="order",source="shop",vendor="fake"} 1`,
			`b2b_source_records_total{outcome="unchanged",record="order",source="shop",vendor="fake"} 1`,
			`b2b_source_records_total{outcome="updated",record="order",source="shop",vendor="fake"} 1`,
			`b2b_source_truncated{source="shop",stream="orders",vendor="fake"} 1`,
			`b2b_source_up{source="shop",stream="orders",vendor="fake"} 0`,
		} {
			if !strings.Contains(got, want+"\n") {
				t.Errorf("during the first poll there is no %s in\n%s", want, got)
			}
		}
		if strings.Contains(got, "last_success") {
			t.Errorf("a success before the first:\n%s", got)
		}
		pass(99 * time.Second) // until 946684900
		close(step)
		synctest.Wait()
		stop()
		got = exposition(t, m)
		for _, want := range []string{
			`b2b_source_backfill_ratio{source="shop",stream="orders",vendor="fake"} 1`,
			`b2b_source_last_success_timestamp_seconds{source="shop",stream="orders",vendor="fake"} 9.466849e+08`,
			`b2b_source_last_attempt_timestamp_seconds{source="shop",stream="refunds",vendor="fake"} 9.466849e+08`,
			`b2b_source_poll_duration_seconds_count{source="shop",vendor="fake"} 1`,
			`b2b_source_truncated{source="shop",stream="orders",vendor="fake"} 1`,
			`b2b_source_up{source="shop",stream="orders",vendor="fake"} 1`,
			`b2b_source_up{source="shop",stream="refunds",vendor="fake"} 0`,
		} {
			if !strings.Contains(got, want+"\n") {
				t.Errorf("after the poll there is no %s in\n%s", want, got)
			}
		}
		if strings.Contains(got, `last_success_timestamp_seconds{source="shop",stream="refunds"`) {
			t.Errorf("a success of a stream that failed:\n%s", got)
		}
	})
}

// Counters go on with the next configuration; what it does not have is gone.
func TestMetricsOfTheNextScheduler(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, _ := newPoller(t)
		m := NewMetrics()
		job := func(name string) Job {
			return Job{Interval: time.Hour, Source: &fakeSource{name: name, fetch: func(ctx context.Context, _ sources.Request, emit sources.Emit) error {
				return emit(ctx, sources.Page{Records: []record.Record{order("1", time.Unix(0, 0))}})
			}}}
		}
		for range 2 {
			_, stop := start(t, p, Options{Metrics: m}, job("kept"), job("dropped"))
			pass(time.Minute)
			stop()
		}
		_, stop := start(t, p, Options{Metrics: m}, job("kept"))
		pass(time.Minute)
		stop()
		got := exposition(t, m)
		if strings.Contains(got, "dropped") {
			t.Errorf("a source that is not polled any more is shown:\n%s", got)
		}
		for _, want := range []string{
			`b2b_source_poll_duration_seconds_count{source="kept",vendor="fake"} 3`,
			`b2b_source_records_total{outcome="inserted",record="order",source="kept",vendor="fake"} 1`,
			`b2b_source_records_total{outcome="unchanged",record="order",source="kept",vendor="fake"} 2`,
		} {
			if !strings.Contains(got, want+"\n") {
				t.Errorf("there is no %s in\n%s", want, got)
			}
		}
	})
}

// A restart does not forget how the sources were.
func TestRestore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "test.db")
		var out logs
		p := &Poller{Ledger: openLedgerAt(t, path), Log: out.logger(), Now: time.Now}
		var later atomic.Bool
		src := &fakeSource{name: "shop", streams: []string{"good", "bad", "broken"}, fetch: func(ctx context.Context, req sources.Request, emit sources.Emit) error {
			switch {
			case req.Stream == "bad", req.Stream == "broken" && later.Load():
				return fmt.Errorf("%s is not there", req.Stream)
			}
			return emit(ctx, sources.Page{Records: []record.Record{order(req.Stream, time.Now())}, Truncated: req.Stream == "good"})
		}}
		s, stop := start(t, p, Options{}, Job{Source: src, Interval: 10 * time.Minute})
		pass(5 * time.Minute)
		later.Store(true)
		pass(8 * time.Minute)
		stop()
		before := s.States()
		if err := p.Ledger.Close(); err != nil {
			t.Fatal(err)
		}
		pass(time.Hour)

		p.Ledger = openLedgerAt(t, path)
		src.streams = append(src.streams, "new")
		s, stop = start(t, p, Options{}, Job{Source: src, Interval: 10 * time.Hour})
		synctest.Wait()
		after := s.States()
		stop()
		for i := range before {
			if before[i].LastAttempt.IsZero() || before[i].Stream != "bad" && before[i].DataTime.IsZero() {
				t.Fatalf("nothing to remember: %+v", before[i])
			}
			before[i].Failures = min(before[i].Failures, 1) // all that is known
			before[i].NextPoll = after[i].NextPoll
		}
		before = append(before, State{Source: "shop", Vendor: "fake", Stream: "new", Backfill: -1, NextPoll: after[3].NextPoll})
		if diff := cmp.Diff(before, after, cmpopts.EquateApproxTime(time.Microsecond)); diff != "" {
			t.Errorf("states (-before +after the restart):\n%s", diff)
		}
		if !after[0].Up || !after[0].Truncated || after[1].Up || after[2].Up || !after[2].Complete {
			t.Errorf("states %+v", after)
		}
	})
}
