package poll

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/b2bexporter/b2b_exporter/internal/record"
	"github.com/b2bexporter/b2b_exporter/sources"
)

// polls returns a source that notes when it was polled and then does what f does.
func polls(name string, times *moments, f func(ctx context.Context, emit sources.Emit) error) *fakeSource {
	return &fakeSource{name: name, fetch: func(ctx context.Context, _ sources.Request, emit sources.Emit) error {
		times.note(time.Now())
		if f == nil {
			return nil
		}
		return f(ctx, emit)
	}}
}

// gaps returns the times between successive polls.
func gaps(times []time.Time) []time.Duration {
	var between []time.Duration
	for i := 1; i < len(times); i++ {
		between = append(between, times[i].Sub(times[i-1]))
	}
	return between
}

func wantWithin(t *testing.T, what string, got, low, high time.Duration) {
	t.Helper()
	if got < low || got > high {
		t.Errorf("%s: %s, want %s to %s", what, got, low, high)
	}
}

func TestSchedule(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, _ := newPoller(t)
		began := time.Now()
		var fast, slow moments
		s, stop := start(t, p, Options{},
			Job{Source: polls("fast", &fast, nil), Interval: time.Minute},
			Job{Source: polls("slow", &slow, nil)}, // every hour
		)
		time.Sleep(12 * time.Hour)
		synctest.Wait()
		for _, st := range s.States() {
			interval := map[string]time.Duration{"fast": time.Minute, "slow": time.Hour}[st.Source]
			wantWithin(t, st.Source+": next poll after the last", st.NextPoll.Sub(st.LastAttempt), interval*9/10, interval*11/10)
		}
		stop()
		for name, times := range map[string][]time.Time{"fast": fast.all(), "slow": slow.all()} {
			wantWithin(t, name+": first poll", times[0].Sub(began), 0, firstSpread)
			different := map[time.Duration]bool{}
			for i, gap := range gaps(times) {
				interval := map[string]time.Duration{"fast": time.Minute, "slow": time.Hour}[name]
				wantWithin(t, fmt.Sprintf("%s: gap %d", name, i), gap, interval*9/10, interval*11/10)
				different[gap] = true
			}
			if len(different) < 5 {
				t.Errorf("%s: the gaps are %v, not jittered", name, different)
			}
		}
		if len(fast.all()) < 640 || len(slow.all()) < 10 {
			t.Errorf("%d and %d polls, want about 720 and 12", len(fast.all()), len(slow.all()))
		}
	})
}

func TestNoOverlap(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, _ := newPoller(t)
		var running, all atomic.Int32
		var times moments
		took := 3 * time.Minute // longer than the interval
		src := polls("shop", &times, func(context.Context, sources.Emit) error {
			if running.Add(1) > 1 {
				t.Error("two polls at a time")
			}
			all.Add(1)
			time.Sleep(took)
			running.Add(-1)
			return nil
		})
		_, stop := start(t, p, Options{}, Job{Source: src, Interval: time.Minute})
		time.Sleep(time.Hour)
		stop()
		if n := all.Load(); n < 15 {
			t.Errorf("%d polls in an hour, want about 19", n)
		}
		for i, gap := range gaps(times.all()) {
			if rest := gap - took; rest < 6*time.Second {
				t.Errorf("poll %d began %s after the one before had ended, which gives the vendor no rest", i+1, rest)
			}
		}
	})
}

func TestConcurrencyIsLimited(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, _ := newPoller(t)
		var running, most, all atomic.Int32
		var jobs []Job
		for i := range 10 {
			jobs = append(jobs, Job{Interval: time.Hour, Source: &fakeSource{
				name: fmt.Sprint(i), fetch: func(context.Context, sources.Request, sources.Emit) error {
					all.Add(1)
					most.Store(max(most.Load(), running.Add(1)))
					time.Sleep(time.Minute)
					running.Add(-1)
					return nil
				},
			}})
		}
		_, stop := start(t, p, Options{}, jobs...)
		time.Sleep(10 * time.Minute)
		stop()
		if most.Load() != 4 || all.Load() != 10 {
			t.Errorf("%d of %d polls at a time, want 4 of 10", most.Load(), all.Load())
		}
	})
}

func TestBackoffAfterFailures(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, logged := newPoller(t)
		var times moments
		var works atomic.Bool
		src := polls("shop", &times, func(context.Context, sources.Emit) error {
			if !works.Load() {
				return errors.New("server error")
			}
			return nil
		})
		s, stop := start(t, p, Options{}, Job{Source: src, Interval: 10 * time.Minute})
		time.Sleep(time.Hour)
		synctest.Wait()
		st := s.States()[0]
		if st.Up || st.Failures != len(times.all()) || st.Error != "source shop, stream orders: server error" || !st.LastSuccess.IsZero() {
			t.Errorf("state %+v after %d failures", st, len(times.all()))
		}
		failed := len(times.all())
		if n := strings.Count(logged.String(), `level=ERROR msg="poll failed" source=shop`); n != failed {
			t.Errorf("%d failures were logged, want %d", n, failed)
		}
		for i, gap := range gaps(times.all()) {
			low := min(minBackoff<<i, 9*time.Minute)
			wantWithin(t, fmt.Sprintf("gap %d", i), gap, low, min(2*minBackoff<<i, 11*time.Minute))
		}
		works.Store(true)
		time.Sleep(time.Hour)
		synctest.Wait()
		if st := s.States()[0]; !st.Up || st.Failures != 0 || st.Error != "" {
			t.Errorf("state %+v after a success", st)
		}
		for i, gap := range gaps(times.all()[failed:]) {
			wantWithin(t, fmt.Sprintf("gap %d after the recovery", i), gap, 9*time.Minute, 11*time.Minute)
		}
		works.Store(false)
		failed = len(times.all()) // the next poll fails
		time.Sleep(15 * time.Minute)
		stop()
		wantWithin(t, "first gap after another failure", gaps(times.all()[failed:])[0], minBackoff, 2*minBackoff)
	})
}

// A vendor's wish concerns the stream that it was asked for.
func TestRetryAt(t *testing.T) {
	for _, after := range []time.Duration{24 * time.Hour, time.Second, -time.Hour} {
		t.Run(after.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p, _ := newPoller(t)
				var ordersAt, refundsAt moments
				var until atomic.Pointer[time.Time]
				src := &fakeSource{name: "shop", streams: []string{"orders", "refunds"}, fetch: func(_ context.Context, req sources.Request, _ sources.Emit) error {
					if req.Stream == "refunds" {
						refundsAt.note(time.Now())
						return nil
					}
					ordersAt.note(time.Now())
					// As HTTP has it, in whole seconds.
					wish := time.Now().Add(after).Truncate(time.Second)
					if until.CompareAndSwap(nil, &wish) {
						return fmt.Errorf("list orders: %w", retryError{wish})
					}
					return nil
				}}
				s, stop := start(t, p, Options{}, Job{Source: src, Interval: time.Hour})
				time.Sleep(10 * time.Second)
				synctest.Wait()
				earliest := ordersAt.all()[0].Add(minBackoff)
				if until.Load().After(earliest) {
					earliest = *until.Load()
				}
				next := s.States()[0].NextPoll
				wantWithin(t, "next poll after the wish", next.Sub(earliest), 0, minBackoff)
				time.Sleep(30 * time.Hour)
				stop()
				orders, refunds := ordersAt.all(), refundsAt.all()
				if !orders[1].Equal(next) {
					t.Errorf("read again at %s, planned at %s", orders[1], next)
				}
				for i, gap := range gaps(refunds) {
					wantWithin(t, fmt.Sprintf("refunds: gap %d", i), gap, 54*time.Minute, 66*time.Minute)
				}
				// When it works again it is read together with the others.
				if last, other := orders[len(orders)-1], refunds[len(refunds)-1]; !last.Equal(other) {
					t.Errorf("orders last read at %s, refunds at %s", last, other)
				}
			})
		})
	}
}

func TestChanged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, _ := newPoller(t)
		var called atomic.Int32
		var pages atomic.Pointer[[]sources.Page]
		var times moments
		src := polls("shop", &times, func(ctx context.Context, emit sources.Emit) error {
			for _, page := range *pages.Load() {
				if err := emit(ctx, page); err != nil {
					return err
				}
			}
			return nil
		})
		pages.Store(&[]sources.Page{})
		_, stop := start(t, p, Options{Changed: func() { called.Add(1) }}, Job{Source: src, Interval: time.Hour})
		for _, step := range []struct {
			name  string
			pages []sources.Page
			want  int32
		}{
			{"read to its end for the first time", nil, 1},
			{"nothing", nil, 0},
			{"an order", []sources.Page{{Records: []record.Record{order("1", time.Unix(0, 0))}}}, 1},
			{"the same", []sources.Page{{Records: []record.Record{order("1", time.Unix(0, 0))}}}, 0},
			{"cut short", []sources.Page{{Truncated: true}}, 1},
			{"cut short again", []sources.Page{{Truncated: true}}, 0},
			{"whole again", nil, 1},
		} {
			before := len(times.all())
			called.Store(0)
			pages.Store(&step.pages)
			for len(times.all()) == before {
				time.Sleep(time.Minute)
				synctest.Wait()
			}
			if n := called.Load(); n != step.want {
				t.Errorf("%s: called %d times, want %d", step.name, n, step.want)
			}
		}
		stop()
	})
}

func TestRunNeedsTheLedger(t *testing.T) {
	p, _ := newPoller(t)
	if err := p.Ledger.Close(); err != nil {
		t.Fatal(err)
	}
	if err := NewScheduler(p, nil, Options{}).Run(t.Context()); err == nil {
		t.Error("no error of a closed ledger")
	}
}

// Without anything to poll Run still ends with its context.
func TestRunWithoutJobs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, _ := newPoller(t)
		_, stop := start(t, p, Options{}, Job{Source: &fakeSource{name: "none", streams: []string{}}, Interval: time.Minute})
		began := time.Now()
		time.Sleep(time.Hour)
		stop()
		if got := time.Since(began); got != time.Hour {
			t.Errorf("Run ended after %s", got)
		}
	})
}

// TestRetryAtInYears: a date that cannot be meant does not silence a source.
func TestRetryAtInYears(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, _ := newPoller(t)
		src := &fakeSource{name: "shop", streams: []string{"orders"}, fetch: func(context.Context, sources.Request, sources.Emit) error {
			return retryError{time.Now().Add(365 * 24 * time.Hour)}
		}}
		s, stop := start(t, p, Options{}, Job{Source: src, Interval: time.Hour})
		time.Sleep(10 * time.Second)
		synctest.Wait()
		wantWithin(t, "wait", time.Until(s.States()[0].NextPoll), 47*time.Hour, 49*time.Hour)
		stop()
	})
}
