package apiclient

import (
	"slices"
	"time"

	"golang.org/x/time/rate"
)

// Limit is one limit that the vendor sets for the account, as far as it is known
// beforehand; the vendor's signals correct it. A Limit belongs to one Client.
type Limit interface {
	// name is the limit's name in signals, errors and the label "quota".
	name() string
	// delay returns how long a request of that cost must wait; 0 if it may go.
	delay(now time.Time, cost int) time.Duration
	// take accounts for a request that goes.
	take(now time.Time, cost int)
	// observe takes over what the vendor says in an answer. Overlap is the cost of the
	// other requests of which the vendor may not have known when it said so.
	observe(now time.Time, s Signal, overlap int)
}

// Signal is what an answer says about one limit.
type Signal struct {
	Quota string
	// Size is the bucket's size or the requests allowed in a window; 0 where not told.
	Size int
	// Remaining is what is left of Size; negative where not told.
	Remaining int
	// PerSecond is how fast a bucket fills up; 0 where not told.
	PerSecond float64
	// Reset is how long until a window begins anew; 0 where not told.
	Reset time.Duration
}

// pace is the share of a rate that is used: requests arrive at the vendor closer
// together than they were sent, by as much as the network's delay varies.
const pace = 0.97

// bucket is a leaky or token bucket.
type bucket struct {
	quota   string
	limiter *rate.Limiter
}

// Bucket returns a limit that allows size units at once and fills up by perSecond,
// which must be above 0: a token bucket, a leaky bucket (its free room), or a bucket of cost points
// (Request.Cost). Size comes on top of what fills up: where the vendor counts requests by
// the second or minute, Window is the limit.
func Bucket(quota string, size int, perSecond float64) Limit {
	return &bucket{quota: quota, limiter: rate.NewLimiter(rate.Limit(perSecond*pace), burst(size))}
}

// burst is the part of a bucket's size that is used at once.
func burst(size int) int { return max(int(float64(size)*pace), 1) }

func (b *bucket) name() string { return b.quota }

func (b *bucket) delay(now time.Time, cost int) time.Duration {
	missing := float64(min(cost, b.limiter.Burst())) - b.limiter.TokensAt(now)
	if missing <= 0 {
		return 0
	}
	seconds := missing / float64(b.limiter.Limit())
	if seconds > maxHint.Seconds() {
		return maxHint
	}
	// Rounded up: a nanosecond too early would mean to wait once more.
	return time.Duration(seconds*float64(time.Second)) + time.Microsecond
}

func (b *bucket) take(now time.Time, cost int) {
	b.limiter.ReserveN(now, min(cost, b.limiter.Burst()))
}

// observe makes the bucket as full as the vendor's. A rate.Limiter cannot be filled,
// so that a new one is emptied to the same level.
func (b *bucket) observe(now time.Time, s Signal, overlap int) {
	limit, size, left := b.limiter.Limit(), b.limiter.Burst(), int(b.limiter.TokensAt(now))
	if s.Size > 0 {
		size = burst(s.Size)
	}
	if s.PerSecond > 0 {
		limit = rate.Limit(s.PerSecond * pace)
	}
	if s.Remaining >= 0 {
		left = s.Remaining - overlap
	}
	b.limiter = rate.NewLimiter(limit, size)
	b.limiter.ReserveN(now, min(max(size-left, 0), size))
}

// window is a limit on requests within a time, whether the vendor counts in fixed
// windows or in rolling ones.
type window struct {
	quota string
	size  int
	per   time.Duration
	sent  []time.Time // within the last per, oldest first, an entry per unit of cost
	// left and until are the vendor's word on its present window; until is zero without one.
	left  int
	until time.Time
}

// Window returns a limit of size requests in any period of length per.
func Window(quota string, size int, per time.Duration) Limit {
	// The same reserve as pace, in the form that suits a window.
	return &window{quota: quota, size: max(size, 1), per: time.Duration(float64(per) * (2 - pace))}
}

func (w *window) name() string { return w.quota }

func (w *window) delay(now time.Time, cost int) time.Duration {
	cost = min(cost, w.size)
	var wait time.Duration
	if over := len(w.sent) + cost - w.size; over > 0 {
		wait = w.sent[over-1].Add(w.per).Sub(now)
	}
	if now.Before(w.until) && w.left < cost {
		wait = max(wait, w.until.Sub(now))
	}
	return max(wait, 0)
}

func (w *window) take(now time.Time, cost int) {
	old := 0
	for old < len(w.sent) && now.Sub(w.sent[old]) >= w.per {
		old++
	}
	w.sent = slices.Delete(w.sent, 0, old)
	for range min(cost, w.size) {
		w.sent = append(w.sent, now)
	}
	if extra := len(w.sent) - w.size; extra > 0 {
		w.sent = slices.Delete(w.sent, 0, extra)
	}
	w.left -= cost
}

func (w *window) observe(now time.Time, s Signal, overlap int) {
	if s.Size > 0 {
		w.size = s.Size
		if extra := len(w.sent) - w.size; extra > 0 {
			w.sent = slices.Delete(w.sent, 0, extra)
		}
	}
	if s.Remaining < 0 {
		return
	}
	w.left = s.Remaining - overlap
	switch {
	case s.Reset > 0:
		w.until = now.Add(s.Reset)
	case !now.Before(w.until):
		// Without a word on the reset, the rest is taken to last for a whole window.
		w.until = now.Add(w.per)
	}
}

// daily is a budget of requests a day.
type daily struct {
	quota string
	size  int
	share float64
	zone  *time.Location
	day   time.Time // the midnight at which day began
	used  int
	// left and until are the vendor's word; until is zero without one.
	left  int
	until time.Time
}

// Daily returns a limit of size requests a day, that begins at midnight in zone. Only
// share of it (above 0, up to 1) is used: the rest is left to the account's other tools. Where the
// vendor tells what remains, theirs counts against the share too; where it does not, a restart forgets
// what was used.
func Daily(quota string, size int, share float64, zone *time.Location) Limit {
	return &daily{quota: quota, size: size, share: share, zone: zone}
}

func (d *daily) name() string { return d.quota }

func (d *daily) midnight(now time.Time, days int) time.Time {
	y, m, day := now.In(d.zone).Date()
	return time.Date(y, m, day+days, 0, 0, 0, 0, d.zone)
}

func (d *daily) roll(now time.Time) {
	if today := d.midnight(now, 0); !today.Equal(d.day) {
		d.day, d.used = today, 0
	}
}

func (d *daily) delay(now time.Time, cost int) time.Duration {
	d.roll(now)
	reserve := d.size - int(float64(d.size)*d.share)
	if now.Before(d.until) && d.left-cost < reserve {
		return d.until.Sub(now)
	}
	if d.used+cost > d.size-reserve {
		return d.midnight(now, 1).Sub(now)
	}
	return 0
}

func (d *daily) take(now time.Time, cost int) {
	d.roll(now)
	d.used += cost
	d.left -= cost
}

func (d *daily) observe(now time.Time, s Signal, overlap int) {
	if s.Size > 0 {
		d.size = s.Size
	}
	if s.Remaining < 0 {
		return
	}
	d.left, d.until = s.Remaining-overlap, d.midnight(now, 1)
	if s.Reset > 0 {
		d.until = now.Add(s.Reset)
	}
}
