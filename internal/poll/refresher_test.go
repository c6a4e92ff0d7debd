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

	"github.com/b2bexporter/b2b_exporter/internal/window"
)

// refreshes runs a Refresher in a bubble.
type refreshes struct {
	*Refresher
	offset atomic.Int64 // of its clock, a time.Duration
	logs   logs
	times  moments // what refresh was given
	at     moments // when that was by the bubble's clock, which is never set back
}

func startRefresher(t *testing.T, zone string, refresh func(ctx context.Context) error) *refreshes {
	t.Helper()
	loc, err := time.LoadLocation(zone)
	if err != nil {
		t.Fatal(err)
	}
	var r refreshes
	clock := func() time.Time { return time.Now().Add(time.Duration(r.offset.Load())) }
	r.Refresher = NewRefresher(window.New(loc), clock, r.logs.logger(), func(ctx context.Context, now time.Time) error {
		r.times.note(now)
		r.at.note(time.Now())
		if refresh == nil {
			return nil
		}
		return refresh(ctx)
	})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { r.Run(ctx); close(done) }()
	t.Cleanup(func() { cancel(); <-done })
	synctest.Wait()
	return &r
}

// pass lets time pass.
func pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func TestRefreshesAsTimePasses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := startRefresher(t, "UTC", nil)
		began := time.Now()
		pass(7 * time.Minute)
		r.Trigger()
		pass(10 * time.Minute)
		var got []time.Duration
		for _, at := range r.times.all() {
			got = append(got, at.Sub(began))
		}
		want := []time.Duration{0, 5 * time.Minute, 7 * time.Minute, 12 * time.Minute, 17 * time.Minute}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("refreshed after %v, want %v", got, want)
		}
	})
}

func TestTriggersAreCoalesced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var running atomic.Int32
		r := startRefresher(t, "UTC", func(context.Context) error {
			if running.Add(1) > 1 {
				t.Error("two refreshes at a time")
			}
			time.Sleep(time.Minute)
			running.Add(-1)
			return nil
		})
		for range 50 {
			r.Trigger()
			pass(time.Second)
		}
		pass(time.Minute)
		if len(r.times.all()) != 2 {
			t.Errorf("%d refreshes after triggers during the first, want one more", len(r.times.all()))
		}
		pass(2 * time.Minute)
		if len(r.times.all()) != 2 {
			t.Errorf("%d refreshes, want no third", len(r.times.all()))
		}
	})
}

func TestRefreshFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var fails atomic.Bool
		fails.Store(true)
		r := startRefresher(t, "UTC", func(context.Context) error {
			if fails.Load() {
				return errors.New("no view")
			}
			return nil
		})
		r.Trigger()
		pass(time.Second)
		pass(5 * time.Minute)
		if r.Failures() != 3 || len(r.times.all()) != 3 {
			t.Errorf("%d failures of %d refreshes, want 3 of 3: at the start, triggered, and 5 minutes later", r.Failures(), len(r.times.all()))
		}
		if n := strings.Count(r.logs.String(), "no view"); n != 3 {
			t.Errorf("logged %d times", n)
		}
		fails.Store(false)
		pass(time.Hour)
		if r.Failures() != 3 || len(r.times.all()) != 15 {
			t.Errorf("%d failures of %d refreshes after it worked again", r.Failures(), len(r.times.all()))
		}
	})
}

// A refresh that the stop interrupts is no failure.
func TestRefresherStops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out logs
		ctx, cancel := context.WithCancel(t.Context())
		r := NewRefresher(window.New(time.UTC), time.Now, out.logger(), func(ctx context.Context, _ time.Time) error {
			<-ctx.Done()
			time.Sleep(time.Second)
			return ctx.Err()
		})
		done := make(chan time.Time)
		go func() { r.Run(ctx); done <- time.Now() }()
		synctest.Wait()
		began := time.Now()
		r.Trigger()
		cancel()
		if got := (<-done).Sub(began); got != time.Second {
			t.Errorf("Run returned after %s, want when the refresh has ended and before another", got)
		}
		if r.Failures() != 0 || out.String() != "" {
			t.Errorf("%d failures, logged: %s", r.Failures(), out.String())
		}
	})
}

// Every midnight of the report zone is met exactly, also on the days on
// which clocks change, at the ends of months, and in a zone that has no midnight then.
func TestRefreshesAtMidnight(t *testing.T) {
	for _, test := range []struct {
		zone string
		from time.Time
		want []string // in UTC
	}{
		{"Europe/Berlin", time.Date(2026, time.March, 28, 12, 34, 56, 789, time.UTC), []string{
			"2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z", "2026-03-30T22:00:00Z", "2026-03-31T22:00:00Z", "2026-04-01T22:00:00Z",
		}},
		{"Europe/Berlin", time.Date(2026, time.October, 24, 12, 1, 0, 0, time.UTC), []string{
			"2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z", "2026-10-26T23:00:00Z",
		}},
		{"Europe/Berlin", time.Date(2028, time.February, 28, 12, 1, 0, 0, time.UTC), []string{
			"2028-02-28T23:00:00Z", "2028-02-29T23:00:00Z", "2028-03-01T23:00:00Z",
		}},
		{"America/Santiago", time.Date(2026, time.September, 5, 12, 1, 0, 0, time.UTC), []string{
			"2026-09-06T04:00:00Z", "2026-09-07T03:00:00Z",
		}},
		{"Pacific/Apia", time.Date(2011, time.December, 29, 12, 1, 0, 0, time.UTC), []string{ // without 30 December
			"2011-12-30T10:00:00Z", "2011-12-31T10:00:00Z",
		}},
	} {
		t.Run(test.zone+" "+test.from.Format(time.DateOnly), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				loc, err := time.LoadLocation(test.zone)
				if err != nil {
					t.Fatal(err)
				}
				offset := time.Until(test.from)
				var times []time.Time
				var out logs
				r := NewRefresher(window.New(loc), func() time.Time { return time.Now().Add(offset) }, out.logger(),
					func(_ context.Context, now time.Time) error { times = append(times, now); return nil })
				ctx, cancel := context.WithTimeout(t.Context(), time.Duration(len(test.want))*24*time.Hour)
				defer cancel()
				r.Run(ctx)
				var midnights []string
				for i, now := range times {
					if i == 0 {
						continue
					}
					if gap := now.Sub(times[i-1]); gap > refreshInterval || gap <= 0 {
						t.Errorf("%s after %s: not within 5 minutes", now, times[i-1])
					}
					// The first refresh of a day.
					if now.In(loc).Day() != times[i-1].In(loc).Day() {
						midnights = append(midnights, now.UTC().Format(time.RFC3339Nano))
					}
				}
				if fmt.Sprint(midnights) != fmt.Sprint(test.want) {
					t.Errorf("days begin with the refreshes at\n%v, want\n%v", midnights, test.want)
				}
				if out.String() != "" {
					t.Errorf("logged: %s", out.String())
				}
			})
		})
	}
}

func TestClockSetBack(t *testing.T) {
	for _, test := range []struct {
		name string
		back time.Duration
		// corrected, where positive, is when the clock is set right again.
		corrected time.Duration
		want      time.Duration // the first refresh after it was set back
	}{
		{"a little", 50 * time.Second, 0, time.Second},
		{"until it is reached again", 6 * time.Minute, 0, 6*time.Minute - 1*time.Second},
		{"until it is set right", 3 * time.Hour, 4 * time.Minute, 4*time.Minute + time.Second},
		{"for good", 3 * time.Hour, 0, clockPatience + time.Second},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := startRefresher(t, "UTC", nil)
				before := len(r.times.all())
				pass(time.Second)
				setBack := time.Now().Add(-time.Second) // when the clock showed what the last refresh was given
				r.offset.Store(-int64(test.back))
				for i := range 20 * 60 {
					if test.corrected > 0 && time.Duration(i)*time.Second == test.corrected {
						r.offset.Store(0)
					}
					if i%10 == 0 {
						r.Trigger() // polls go on
					}
					pass(time.Second)
				}
				times, at := r.times.all(), r.at.all()
				got := at[before].Sub(setBack)
				wantWithin(t, "first refresh", got, test.want-time.Minute, test.want+10*time.Second)
				for i, now := range times[1:] {
					if back := times[i].Sub(now); back > clockTolerance && test.name != "for good" {
						t.Errorf("refresh %d goes back by %s", i+1, back)
					}
				}
				if gap := time.Since(at[len(at)-1]); gap > 11*time.Second {
					t.Errorf("last refresh %s ago: it does not go on", gap)
				}
				warnings := strings.Count(r.logs.String(), "clock was set back; nothing is refreshed")
				if want := min(int(test.back/time.Minute), 1); warnings != want {
					t.Errorf("%d warnings, want %d:\n%s", warnings, want, r.logs.String())
				}
			})
		})
	}
}

// Also where nothing triggers, the clock is believed in time.
func TestClockSetBackWithoutTriggers(t *testing.T) {
	for back, want := range map[time.Duration]time.Duration{
		// It is noticed 5 minutes after the last refresh.
		time.Hour:       refreshInterval + clockPatience,
		7 * time.Minute: 7 * time.Minute,
	} {
		synctest.Test(t, func(t *testing.T) {
			r := startRefresher(t, "UTC", nil)
			pass(time.Second) // away from midnight
			r.Trigger()
			pass(0)
			last := time.Now()
			r.offset.Store(-int64(back))
			pass(time.Hour)
			if got := r.at.all()[2].Sub(last); got != want {
				t.Errorf("set back by %s: refreshed after %s, want %s", back, got, want)
			}
		})
	}
}
