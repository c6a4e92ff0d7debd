package apiclient

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// HeaderSignal reads a limit from headers, such as X-RateLimit-Limit, -Remaining and
// -Reset.
type HeaderSignal struct {
	Quota string
	// Size, Remaining and Reset are names of headers; empty for those that the vendor has not.
	Size, Remaining, Reset string
	// ResetUnit is the unit of Reset where it counts the time that is left; a second where
	// zero. A Reset beyond the year 2001 is taken for Unix seconds.
	ResetUnit time.Duration
}

// epoch is the smallest number of seconds that is a date and not a time that is left.
const epoch = 1_000_000_000

// Read returns the signal; false where the answer has none.
func (h HeaderSignal) Read(header http.Header, now time.Time) (Signal, bool) {
	s := Signal{Quota: h.Quota, Remaining: -1}
	remaining, ok := leadingInt(header.Get(h.Remaining))
	if !ok {
		return s, false
	}
	s.Remaining = max(remaining, 0)
	if size, ok := leadingInt(header.Get(h.Size)); ok {
		s.Size = max(size, 0)
	}
	if reset, err := strconv.ParseFloat(strings.TrimSpace(header.Get(h.Reset)), 64); err == nil && reset > 0 {
		switch {
		case reset >= epoch && h.ResetUnit == 0:
			s.Reset = max(time.Unix(int64(reset), 0).Sub(now), 0)
		case h.ResetUnit == 0:
			s.Reset = min(time.Duration(min(reset, epoch)*float64(time.Second)), maxHint)
		default:
			s.Reset = min(time.Duration(min(reset, epoch)*float64(h.ResetUnit)), maxHint)
		}
	}
	return s, true
}

// UsedSignal reads a leaky bucket from a header that says "used/size", such as
// X-Shopify-Shop-Api-Call-Limit: 32/40.
func UsedSignal(quota, value string) (Signal, bool) {
	used, size, found := strings.Cut(value, "/")
	u, okUsed := leadingInt(used)
	n, okSize := leadingInt(size)
	if !found || !okUsed || !okSize || n <= 0 {
		return Signal{}, false
	}
	return Signal{Quota: quota, Size: n, Remaining: max(n-u, 0)}, true
}

// leadingInt reads "100", and "100, 100;w=60" as the RateLimit headers' drafts have it.
func leadingInt(value string) (int, bool) {
	value, _, _ = strings.Cut(value, ",")
	value, _, _ = strings.Cut(value, ";")
	n, err := strconv.Atoi(strings.TrimSpace(value))
	return n, err == nil
}
