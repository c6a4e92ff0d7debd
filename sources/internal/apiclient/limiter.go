package apiclient

import (
	"context"
	"sync"
	"time"
)

// limiter holds all limits of an account.
type limiter struct {
	limits []Limit
	// longest is how long a request may wait inside the client.
	longest time.Duration
	slots   chan struct{} // one for each request under way
	turn    chan struct{} // the one request that waits for the limits; the others queue for it

	mu     sync.Mutex
	paused time.Time
	// taken and finished are the cost of all requests that were sent, and of those that
	// are over.
	taken, finished int
}

// ticket is the permission to send one request.
type ticket struct {
	cost int
	// finished is the limiter's count when the request was sent.
	finished int
}

func newLimiter(limits []Limit, concurrency int, longest time.Duration) *limiter {
	return &limiter{
		limits: limits, longest: longest,
		slots: make(chan struct{}, concurrency), turn: make(chan struct{}, 1),
	}
}

// acquire waits until a request may be sent. It returns a *RateLimitedError, without
// its endpoint, where that is too far away.
func (l *limiter) acquire(ctx context.Context, cost int) (ticket, error) {
	select {
	case l.slots <- struct{}{}:
	case <-ctx.Done():
		return ticket{}, ctx.Err()
	}
	t, err := l.wait(ctx, cost)
	if err != nil {
		<-l.slots
	}
	return t, err
}

func (l *limiter) wait(ctx context.Context, cost int) (ticket, error) {
	select {
	case l.turn <- struct{}{}:
		defer func() { <-l.turn }()
	case <-ctx.Done():
		return ticket{}, ctx.Err()
	}
	for {
		now := time.Now()
		t, wait, quota := l.tryTake(now, cost)
		if wait <= 0 {
			return t, nil
		}
		deadline, limited := ctx.Deadline()
		if wait > l.longest || limited && deadline.Before(now.Add(wait)) {
			return ticket{}, &RateLimitedError{Until: now.Add(wait), Quota: quota}
		}
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return ticket{}, ctx.Err()
		}
	}
}

// tryTake returns the longest wait that a limit asks for and its name, or takes from
// all limits.
func (l *limiter) tryTake(now time.Time, cost int) (ticket, time.Duration, string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	wait, quota := l.paused.Sub(now), ""
	for _, limit := range l.limits {
		if d := limit.delay(now, cost); d > wait {
			wait, quota = d, limit.name()
		}
	}
	if wait > 0 {
		return ticket{}, wait, quota
	}
	for _, limit := range l.limits {
		limit.take(now, cost)
	}
	l.taken += cost
	return ticket{cost: cost, finished: l.finished}, 0, ""
}

// release ends a request.
func (l *limiter) release(t ticket) {
	<-l.slots
	l.mu.Lock()
	defer l.mu.Unlock()
	l.finished += t.cost
}

// observe takes over what the answer to the request of t says.
func (l *limiter) observe(t ticket, signals []Signal) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	// All that was under way together with t: answers overtake each other.
	overlap := l.taken - t.finished - t.cost
	for _, s := range signals {
		for _, limit := range l.limits {
			if limit.name() == s.Quota {
				limit.observe(now, s, overlap)
			}
		}
	}
}

// pause lets no request go before until: one throttled answer is enough.
func (l *limiter) pause(until time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if until.After(l.paused) {
		l.paused = until
	}
}
