package poll

import (
	"context"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/b2bexporter/b2b_exporter/internal/window"
)

const (
	// refreshInterval is how old what is served may become: running windows and activity
	// change as time passes.
	refreshInterval = 5 * time.Minute
	// clockTolerance is how far a clock that is being corrected may go back.
	clockTolerance = time.Minute
	// clockPatience is how long a clock that was set back may be wrong.
	clockPatience = 10 * time.Minute
)

// Refresher has the KPIs computed again: when it starts, when it is triggered, at
// each midnight of the report zone, and 5 minutes after the last time.
//
// While the clock shows a time more than a minute before that of the last refresh it
// does not refresh, because a KPI of an earlier moment would replace that of a later
// one. When the clock has reached the time again, or after 10 minutes in which it did
// not, the clock is believed.
type Refresher struct {
	refresh  func(ctx context.Context, now time.Time) error
	calendar *window.Calendar
	now      func() time.Time
	log      *slog.Logger

	trigger  chan struct{}
	failures atomic.Int64

	// Of the goroutine that runs:
	last time.Time // what the last refresh was given; zero before the first
	// setBack is when it was noticed that the clock was set back; zero where it was not. It
	// is never compared with what now returns.
	setBack time.Time
}

// NewRefresher returns a Refresher that calls refresh, never twice at a time, with what
// now returns.
func NewRefresher(calendar *window.Calendar, now func() time.Time, log *slog.Logger, refresh func(ctx context.Context, now time.Time) error) *Refresher {
	return &Refresher{refresh: refresh, calendar: calendar, now: now, log: log, trigger: make(chan struct{}, 1)}
}

// Trigger asks for a refresh. It does not wait: triggers that come during a refresh lead
// to one more.
func (r *Refresher) Trigger() {
	select {
	case r.trigger <- struct{}{}:
	default:
	}
}

// Failures returns how many refreshes have failed.
func (r *Refresher) Failures() int64 { return r.failures.Load() }

// Run refreshes until the context ends and no refresh is under way.
func (r *Refresher) Run(ctx context.Context) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		case <-r.trigger:
		}
		if ctx.Err() != nil {
			return
		}
		now := r.now()
		if r.believes(now) {
			r.last = now
			if err := r.refresh(ctx, now); err != nil && ctx.Err() == nil {
				r.failures.Add(1)
				r.log.ErrorContext(ctx, "refresh failed; what was computed before is served on", "err", err)
			}
		}
		timer.Reset(r.wait())
	}
}

// believes reports whether the clock may be right.
func (r *Refresher) believes(now time.Time) bool {
	// Wall clocks are compared: the monotonic one is never set back.
	back := r.last.Round(0).Sub(now.Round(0))
	switch {
	case r.last.IsZero() || back <= clockTolerance:
		if !r.setBack.IsZero() {
			r.log.Info("clock has reached the time of the last refresh again", "now", now)
		}
	case r.setBack.IsZero():
		r.setBack = time.Now()
		r.log.Warn("clock was set back; nothing is refreshed until it has reached the last refresh again, or for 10 minutes",
			"now", now, "last_refresh", r.last)
		return false
	case time.Since(r.setBack) < clockPatience:
		return false
	default:
		r.log.Warn("clock was set back and stays; it is believed now", "now", now, "last_refresh", r.last)
	}
	r.setBack = time.Time{}
	return true
}

// wait returns how long to sleep before the next refresh that nothing triggers.
func (r *Refresher) wait() time.Duration {
	now := r.now()
	if !r.setBack.IsZero() {
		return min(r.last.Round(0).Sub(now.Round(0)), clockPatience-time.Since(r.setBack))
	}
	// A day that the zone skips is empty, and begins with the next.
	tomorrow := r.calendar.Day(now.UnixMicro()) + 1
	return min(refreshInterval, time.UnixMicro(r.calendar.Start(tomorrow)).Sub(now))
}
