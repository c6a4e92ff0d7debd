package hubspot

import (
	"net/http"
	"slices"
	"strconv"
	"time"
)

// limits counts requests.
type limits struct {
	day             time.Time
	today           int
	burst, searches []time.Time
}

// limit refuses a request that is too many, or tells how many are left.
func (s *Server) limit(header http.Header, search bool) *fault {
	now := s.now()
	if day := now.UTC().Truncate(24 * time.Hour); !day.Equal(s.sent.day) {
		s.sent.day, s.sent.today = day, 0
	}
	within := func(list []time.Time, d time.Duration) []time.Time {
		return slices.DeleteFunc(list, func(t time.Time) bool { return now.Sub(t) >= d })
	}
	s.sent.burst = within(s.sent.burst, 10*time.Second)
	s.sent.searches = within(s.sent.searches, time.Second)
	refuse := func(policy, message string) *fault {
		body := failure("RATE_LIMITS", message)
		body["errorType"], body["policyName"] = "RATE_LIMIT", policy
		return &fault{http.StatusTooManyRequests, body}
	}
	switch {
	case s.sent.today >= s.Daily:
		return refuse("DAILY", "You have reached your daily limit.")
	case len(s.sent.burst) >= s.Burst:
		return refuse("TEN_SECONDLY_ROLLING", "You have reached your ten_secondly_rolling limit.")
	case search && len(s.sent.searches) >= s.Searches:
		return refuse("SECONDLY", "You have reached your secondly limit.")
	}
	s.sent.today++
	s.sent.burst = append(s.sent.burst, now)
	if search {
		s.sent.searches = append(s.sent.searches, now)
		return nil
	}
	for name, n := range map[string]int{
		"Max": s.Burst, "Remaining": s.Burst - len(s.sent.burst), "Interval-Milliseconds": 10_000,
		"Daily": s.Daily, "Daily-Remaining": s.Daily - s.sent.today,
	} {
		header.Set("X-HubSpot-RateLimit-"+name, strconv.Itoa(n))
	}
	return nil
}
