// Package ga4 is a fake of the Google Analytics Data API with a property in memory: the
// figures of its days, its unique users, and a token endpoint, with paging, quotas, data
// thresholds and errors as the vendor has them.
package ga4

import (
	"maps"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/b2bexporter/b2b_exporter/internal/record"
)

// Counts are the figures of a day, or of a part of it.
type Counts struct {
	Sessions, Engaged, Views, NewUsers int64
	// Seconds is the duration of all sessions.
	Seconds int64
	// KeyEvents may be a fraction of one, where the credit is shared; null is 0.
	KeyEvents record.Amount
}

// Visits are the figures of the sessions that came the same way.
type Visits struct {
	Source, Medium, Campaign string
	// Group is the default channel group, such as Organic Search.
	Group string
	Counts
}

// Figures are what was counted on a day. The parts need not add up to the total.
type Figures struct {
	Total     Counts
	Channels  []Visits
	Devices   map[string]Counts // by desktop, mobile, tablet, smart tv
	Countries map[string]Counts // by ISO code, or (not set)
	Ages      map[string]Counts // by bracket, or unknown
	// Downloads are the events file_download, DownloadSessions the sessions with one.
	Downloads, DownloadSessions int64
}

// Users are the different people of a range of days.
type Users struct{ Total, New int64 }

// Server is a property and serves the API for it. Its exported fields must be set before
// the first request. It is safe for concurrent use.
type Server struct {
	// Property is the only property there is; any where empty.
	Property string
	// Token is the access token that the token endpoint gives and the API accepts; any where empty.
	Token string
	// Zone and Currency are the property's.
	Zone, Currency string
	// Users counts the people of the days from start to end, both included; by default the
	// new users of the days for both numbers. It must not call the Server.
	Users func(start, end record.Day) Users
	// TokensPerDay, TokensPerHour and TokensPerProjectPerHour are the property's quotas. The day is Pacific.
	TokensPerDay, TokensPerHour, TokensPerProjectPerHour int
	// Threshold withholds rows of fewer sessions (users); Rows folds the values of a day's breakdown beyond that many into
	// (other). Neither where 0.
	Threshold int64
	Rows      int
	// Sampled marks every report as estimated from a sample; LostDates gives rows the date (other).
	Sampled, LostDates bool

	now     func() time.Time
	pacific *time.Location

	mu       sync.Mutex
	days     map[record.Day]Figures
	spent    map[string]int // tokens by quota and its period
	requests map[string]int
}

// New returns a property without data, whose clock is now.
func New(now func() time.Time) *Server {
	pacific, err := time.LoadLocation("America/Los_Angeles")
	if err != nil { // a machine without zone files: the quota's day begins at another hour
		pacific = time.FixedZone("PST", -8*60*60)
	}
	s := &Server{
		Zone: "Europe/Berlin", Currency: "EUR", now: now, pacific: pacific,
		TokensPerDay: 200_000, TokensPerHour: 40_000, TokensPerProjectPerHour: 14_000,
		days: map[record.Day]Figures{}, spent: map[string]int{}, requests: map[string]int{},
	}
	s.Users = s.sumNewUsers
	return s
}

// sumNewUsers takes every visitor for one who came once. The lock is held.
func (s *Server) sumNewUsers(start, end record.Day) Users {
	var u Users
	for day, f := range s.days {
		if day >= start && day <= end {
			u.Total += f.Total.NewUsers
			u.New += f.Total.NewUsers
		}
	}
	return u
}

// Handler returns the server itself, which serves the API and the token endpoint (/token).
func (s *Server) Handler() http.Handler { return s }

// SetDay replaces the figures of a day.
func (s *Server) SetDay(day record.Day, f Figures) {
	f.Channels = slices.Clone(f.Channels)
	f.Devices, f.Countries, f.Ages = maps.Clone(f.Devices), maps.Clone(f.Countries), maps.Clone(f.Ages)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.days[day] = f
}

// Requests returns how many requests came, by kind (runReport, batchRunReports, token), and how
// many reports were run (reports) for how many tokens (tokens).
func (s *Server) Requests() map[string]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.requests)
}
