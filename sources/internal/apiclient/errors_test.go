package apiclient

import (
	"errors"
	"fmt"
	"testing"
	"time"
)

// The scheduler, which does not know this package, finds out when to try again.
func TestRateLimitedErrorTellsWhenToRetry(t *testing.T) {
	until := time.Date(2026, time.March, 1, 12, 0, 0, 0, time.UTC)
	err := fmt.Errorf("list orders: %w", &RateLimitedError{Until: until})
	var limited interface{ RetryAt() time.Time }
	if !errors.As(err, &limited) || !limited.RetryAt().Equal(until) {
		t.Errorf("%v does not tell to retry at %s", err, until)
	}
}
