package poll

import "time"

const (
	// firstSpread keeps the first polls of many sources from starting in one moment.
	firstSpread = 5 * time.Second
	// minBackoff is the shortest wait after a failure.
	minBackoff = 30 * time.Second
	// maxRetryWait bounds how long a vendor's Retry-After is believed: limits of a day are
	// common, and a date years ahead is a mistake.
	maxRetryWait = 48 * time.Hour
	// minTimeout is how long a source may take for a page, at least: vendors throttle, and
	// prepare large answers, for minutes.
	minTimeout = 30 * time.Minute
	// defaultInterval is that of a job without one.
	defaultInterval = time.Hour
	// defaultConcurrency is how many sources are polled at a time.
	defaultConcurrency = 4
)

// The functions below take chance as an argument, u from [0, 1).

// portion returns the part u of d.
func portion(d time.Duration, u float64) time.Duration { return time.Duration(u * float64(d)) }

// jitter returns d, a tenth more or less.
func jitter(d time.Duration, u float64) time.Duration { return d - d/10 + portion(d/5, u) }

// backoff returns how long to wait after so many failures in a row, one or more. The
// wait doubles up to the interval, and is never shorter than minBackoff.
func backoff(failures int, interval time.Duration, u float64) time.Duration {
	longest := max(interval, minBackoff)
	// 20 doublings are a year.
	low := minBackoff << min(failures-1, 20)
	if low >= longest {
		return max(jitter(longest, u), minBackoff)
	}
	return low + portion(min(2*low, longest)-low, u)
}
