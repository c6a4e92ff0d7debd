package poll

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/b2bexporter/b2b_exporter/sources"
)

// Job is a source and when to poll it.
type Job struct {
	Source sources.Source
	// Interval is the time from the start of one poll to that of the next; an hour where it
	// is not positive.
	Interval time.Duration
	// Timeout is how long a stream may take for a page: a first read of hours goes on as
	// long as pages come. The larger of Interval and half an hour where it is not positive. A
	// source that waits longer for its vendor keeps itself alive by empty pages.
	Timeout time.Duration
}

// Options are the settings of a Scheduler that have defaults.
type Options struct {
	// Concurrency is how many sources are polled at a time; 4 where it is not positive.
	Concurrency int
	// Metrics shows the scheduler from the start of Run on; nil for none.
	Metrics *Metrics
	// Changed, where not nil, is called after each poll that changed what KPIs are computed
	// from. It must not block.
	Changed func()
}

// Scheduler polls sources, each on its own schedule.
//
// A source's streams are read together every interval, a tenth more or less. A stream
// that fails is read again by itself: after 30 seconds, then after twice as long each
// time up to the interval or, where its error has a method RetryAt() time.Time, not
// before that (and within two days, for a vendor may err in its dates). The other streams of the source keep their schedule.
type Scheduler struct {
	poller  *Poller
	options Options
	jobs    []*job
	slots   chan struct{} // as many as polls may run

	mu sync.Mutex // guards the streams' states
}

type job struct {
	Job
	streams []*stream
	regular time.Time // when the streams that did not fail are read next
}

type stream struct {
	sources.Stream
	state   State
	reading bool // true while it is read
}

// NewScheduler returns a scheduler of jobs, whose sources have different names.
func NewScheduler(p *Poller, jobs []Job, o Options) *Scheduler {
	if o.Concurrency <= 0 {
		o.Concurrency = defaultConcurrency
	}
	s := &Scheduler{poller: p, options: o, slots: make(chan struct{}, o.Concurrency)}
	for _, j := range jobs {
		if j.Interval <= 0 {
			j.Interval = defaultInterval
		}
		if j.Timeout <= 0 {
			j.Timeout = max(j.Interval, minTimeout)
		}
		scheduled := &job{Job: j}
		for _, st := range j.Source.Streams() {
			scheduled.streams = append(scheduled.streams, &stream{
				Stream: st,
				state:  State{Source: j.Source.Name(), Vendor: j.Source.Type(), Stream: st.Name, Backfill: -1},
			})
		}
		s.jobs = append(s.jobs, scheduled)
	}
	return s
}

// Run polls until the context ends. Then it cancels the polls, of which the page in
// flight is committed as a whole or not at all, and returns nil when all have ended:
// a source that does not obey its context holds it up. It fails where the state of
// the streams cannot be read from the ledger. It is called once.
func (s *Scheduler) Run(ctx context.Context) error {
	if err := s.restore(ctx); err != nil {
		return err
	}
	if s.options.Metrics != nil {
		s.options.Metrics.show(s)
	}
	var polls sync.WaitGroup
	for _, j := range s.jobs {
		if len(j.streams) > 0 {
			polls.Go(func() { s.loop(ctx, j) })
		}
	}
	<-ctx.Done()
	polls.Wait()
	return nil
}

// loop polls one source until the context ends.
func (s *Scheduler) loop(ctx context.Context, j *job) {
	s.mu.Lock()
	first := s.poller.Now().Add(portion(min(firstSpread, j.Interval/10), rand.Float64()))
	for _, st := range j.streams {
		st.state.NextPoll = first
	}
	s.mu.Unlock()
	timer := time.NewTimer(s.untilDue(j))
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		}
		select {
		case <-ctx.Done():
			return
		case s.slots <- struct{}{}:
		}
		s.poll(ctx, j)
		timer.Reset(s.untilDue(j))
	}
}

// untilDue returns how long it is until a stream is due.
func (s *Scheduler) untilDue(j *job) time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	next := j.streams[0].state.NextPoll
	for _, st := range j.streams {
		if st.state.NextPoll.Before(next) {
			next = st.state.NextPoll
		}
	}
	return next.Sub(s.poller.Now())
}

// poll reads the streams of a source that are due, and plans when they are again. It
// holds a slot, which it gives back.
func (s *Scheduler) poll(ctx context.Context, j *job) {
	// A source that hangs and does not even obey its context would keep the slot for ever.
	release := sync.OnceFunc(func() { <-s.slots })
	defer release()
	began := s.poller.Now()
	due := s.due(j, began)
	errs := make([]error, len(due))
	changed := false
	for i, st := range due {
		var streamChanged bool
		streamChanged, errs[i] = s.read(ctx, j, st, release)
		changed = changed || streamChanged
		if ctx.Err() != nil {
			break
		}
	}
	if changed && s.options.Changed != nil {
		s.options.Changed()
	}
	if ctx.Err() != nil {
		return
	}
	ended := s.poller.Now()
	if s.options.Metrics != nil {
		s.options.Metrics.polled(j.Source, ended.Sub(began))
	}
	s.plan(j, due, errs, began, ended)
	if err := errors.Join(errs...); err != nil {
		s.poller.Log.ErrorContext(ctx, "poll failed", "source", j.Source.Name(), "vendor", j.Source.Type(),
			"next_poll_in", s.untilDue(j).Round(time.Second).String(), "err", err)
	}
}

// due returns the streams of a source to be read now.
func (s *Scheduler) due(j *job, now time.Time) []*stream {
	s.mu.Lock()
	defer s.mu.Unlock()
	var due []*stream
	for _, st := range j.streams {
		if !st.state.NextPoll.After(now) {
			due = append(due, st)
		}
	}
	return due
}

// read reads one stream and keeps its state. Changed says that KPIs may be other ones now.
func (s *Scheduler) read(ctx context.Context, j *job, st *stream, release func()) (changed bool, err error) {
	s.mu.Lock()
	st.reading, st.state.LastAttempt = true, s.poller.Now()
	before := st.state
	s.mu.Unlock()
	r := &reading{
		src: j.Source, stream: st.Stream, timeout: j.Timeout,
		committed: func(c Commit) {
			s.mu.Lock()
			defer s.mu.Unlock()
			st.state.committed(c)
			if s.options.Metrics != nil {
				s.options.Metrics.committed(j.Source, c.Counts)
			}
		},
		stalled: func(err error) {
			release()
			s.stalled(ctx, j, st, err)
		},
	}
	err = s.poller.read(ctx, r)
	s.mu.Lock()
	defer s.mu.Unlock()
	st.reading = false
	// To be stopped is no failure of the source.
	if err == nil || ctx.Err() == nil {
		st.state.ended(r.end)
	}
	changed = r.end.Counts.Changed() > 0 || st.state.Complete != before.Complete || st.state.Truncated != before.Truncated
	return changed || recovered(before, st.state, j.Interval), err
}

// recovered reports whether a stream was read after a failure or later than planned: what
// was absent because it was stale is back also where no record has changed.
func recovered(before, after State, interval time.Duration) bool {
	return after.Up && (!before.Up || after.LastSuccess.Sub(before.LastSuccess) > interval+interval/4)
}

// stalled shows at once that a stream hangs, for it may do so for ever.
func (s *Scheduler) stalled(ctx context.Context, j *job, st *stream, err error) {
	s.mu.Lock()
	hangs := st.reading // it may have ended in the same moment
	if hangs {
		st.state.Up, st.state.Error = false, err.Error()
	}
	s.mu.Unlock()
	if hangs {
		s.poller.Log.WarnContext(ctx, "source hangs", "source", j.Source.Name(), "stream", st.Name, "err", err)
	}
}

// plan decides when the streams that were read are due again.
func (s *Scheduler) plan(j *job, read []*stream, errs []error, began, ended time.Time) {
	// One draw for all, so that streams that fail alike are read together again.
	u := rand.Float64()
	if !began.Before(j.regular) {
		j.regular = began.Add(jitter(j.Interval, u))
		// A poll that takes longer than its interval leaves its vendor some rest.
		if rest := ended.Add(j.Interval / 10); rest.After(j.regular) {
			j.regular = rest
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, st := range read {
		var limited interface{ RetryAt() time.Time }
		switch {
		case errs[i] == nil:
			st.state.NextPoll = j.regular
		case errors.As(errs[i], &limited) && !limited.RetryAt().IsZero():
			wait := min(max(limited.RetryAt().Sub(ended), minBackoff), maxRetryWait)
			st.state.NextPoll = ended.Add(wait + portion(minBackoff, u))
		default:
			st.state.NextPoll = ended.Add(backoff(st.state.Failures, j.Interval, u))
		}
	}
}
