package apiclient

import (
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// maxHint bounds what a vendor may ask to wait, so that arithmetic on it cannot overflow.
const maxHint = 365 * 24 * time.Hour

// RetryAfter returns how long the header Retry-After asks to wait: seconds, also with
// decimals, or a date in HTTP's or RFC 3339's form.
func RetryAfter(h http.Header, now time.Time) (time.Duration, bool) {
	value := strings.TrimSpace(h.Get("Retry-After"))
	if value == "" {
		return 0, false
	}
	if seconds, err := strconv.ParseFloat(value, 64); err == nil {
		if math.IsNaN(seconds) || seconds < 0 {
			return 0, false
		}
		if seconds > maxHint.Seconds() {
			return maxHint, true
		}
		return time.Duration(seconds * float64(time.Second)), true
	}
	at, err := http.ParseTime(value)
	if err != nil {
		if at, err = time.Parse(time.RFC3339, value); err != nil {
			return 0, false
		}
	}
	return min(max(at.Sub(now), 0), maxHint), true
}
