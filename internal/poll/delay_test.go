package poll

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestJitter(t *testing.T) {
	for _, test := range []struct {
		u    float64
		want time.Duration
	}{{0, 90 * time.Second}, {0.5, 100 * time.Second}, {0.75, 105 * time.Second}} {
		if got := jitter(100*time.Second, test.u); got != test.want {
			t.Errorf("jitter(100s, %v) = %s, want %s", test.u, got, test.want)
		}
	}
}

func TestBackoffGrows(t *testing.T) {
	for _, test := range []struct {
		failures  int
		interval  time.Duration
		low, high time.Duration
	}{
		{1, time.Hour, 30 * time.Second, time.Minute},
		{2, time.Hour, time.Minute, 2 * time.Minute},
		{3, time.Hour, 2 * time.Minute, 4 * time.Minute},
		{7, time.Hour, 32 * time.Minute, time.Hour},
		{8, time.Hour, 54 * time.Minute, 66 * time.Minute},
		{1 << 40, time.Hour, 54 * time.Minute, 66 * time.Minute},
		{1, 45 * time.Second, 30 * time.Second, 45 * time.Second},
		{2, 45 * time.Second, 40500 * time.Millisecond, 49500 * time.Millisecond},
		{5, time.Second, 30 * time.Second, 33 * time.Second},
	} {
		if got := backoff(test.failures, test.interval, 0); got != test.low {
			t.Errorf("backoff(%d, %s): at least %s, want %s", test.failures, test.interval, got, test.low)
		}
		if got := backoff(test.failures, test.interval, 1); got != test.high {
			t.Errorf("backoff(%d, %s): up to %s, want %s", test.failures, test.interval, got, test.high)
		}
	}
}

func TestBackoffBounds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		failures := rapid.IntRange(1, 1<<30).Draw(t, "failures")
		interval := time.Duration(rapid.Int64Range(1, int64(1000*time.Hour)).Draw(t, "interval"))
		u := rapid.Float64Range(0, 0.999).Draw(t, "u")
		got := backoff(failures, interval, u)
		if got < minBackoff {
			t.Errorf("backoff is %s, below %s", got, minBackoff)
		}
		if longest := max(interval, minBackoff); got > longest+longest/10 {
			t.Errorf("backoff is %s, more than a tenth above %s", got, longest)
		}
		if next := backoff(failures+1, interval, u); next < got-got/4 {
			t.Errorf("backoff falls from %s to %s", got, next)
		}
	})
}
