// Package googleads is a fake of the Google Ads API with an account in memory: campaigns,
// their days, keywords' quality and experiments, which are read by queries in GAQL, with
// tokens, limits and errors as the vendor has them.
package googleads

import (
	"crypto/rsa"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/shopspring/decimal"

	"github.com/b2bexporter/b2b_exporter/internal/record"
)

// Account is the account that is served.
type Account struct {
	ID       string // digits only
	Name     string
	Currency string         // ISO 4217
	Zone     *time.Location // UTC where nil
	Manager  bool           // the account has accounts below it and no campaigns
}

// Server is an account and serves the API for it. Its exported fields must be set before
// the first request. It is safe for concurrent use.
type Server struct {
	// ClientID, ClientSecret and RefreshToken are what gets an access token; any where empty.
	ClientID, ClientSecret, RefreshToken string
	// ServiceAccount is the public key of the service account that gets an access token; none where nil.
	ServiceAccount *rsa.PublicKey
	// AccessToken is what is issued and accepted.
	AccessToken string
	// Manager is the manager account that requests must name; none where empty.
	Manager string
	// Daily is how many operations a day (of UTC) are allowed; any where 0.
	Daily int
	// ChunkRows is how many rows a chunk of a stream has.
	ChunkRows int

	now     func() time.Time
	account Account

	mu        sync.Mutex
	campaigns map[int64]Campaign
	days      map[campaignDay]Metrics
	keywords  map[int64]Keyword
	scores    map[keywordDay]quality
	arms      []Arm
	clients   []Account
	requests  map[string]int
	queries   map[string]bool
	today     int // operations
	counted   record.Day
	breaks    int
}

type campaignDay struct {
	campaign int64
	day      record.Day
}

type keywordDay struct {
	keyword int64
	day     record.Day
}

type quality struct {
	score       int
	impressions int64
}

// Campaign is a campaign. Status is ENABLED, PAUSED or REMOVED, and Type the vendor's advertising
// channel type; ENABLED and SEARCH where empty.
type Campaign struct {
	ID           int64
	Name         string
	Status, Type string
	Start, End   record.Day // the last one included; no end where it is 0
}

// Metrics are what a campaign did on a day. Conversions and Value, in the account's currency, are
// decimals, 0 where empty.
type Metrics struct {
	CostMicros          int64 // in units of 10^-6 of the account's currency
	Impressions, Clicks int64
	Conversions, Value  string
	CostUnknown         bool // the cost is left out of answers
}

// Keyword is a keyword of a campaign.
type Keyword struct {
	ID, Campaign, AdGroup int64
	Text                  string
}

// Arm is an arm of an experiment, which runs from Start to End, and the campaign that it is run
// by. Status is the experiment's; ENABLED where empty.
type Arm struct {
	Experiment, Name, Status string
	Control                  bool
	Campaign                 int64
	Start, End               record.Day
}

// New returns an account without campaigns, whose clock is now.
func New(now func() time.Time, account Account) *Server {
	if account.Zone == nil {
		account.Zone = time.UTC
	}
	return &Server{
		AccessToken: "ya29.fake", ChunkRows: 10_000, now: now, account: account,
		campaigns: map[int64]Campaign{}, days: map[campaignDay]Metrics{}, keywords: map[int64]Keyword{},
		scores: map[keywordDay]quality{}, requests: map[string]int{}, queries: map[string]bool{},
	}
}

// AddCampaign adds a campaign, or replaces the one with its ID.
func (s *Server) AddCampaign(c Campaign) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if c.Status == "" {
		c.Status = "ENABLED"
	}
	if c.Type == "" {
		c.Type = "SEARCH"
	}
	s.campaigns[c.ID] = c
}

// SetDay sets what a campaign did on a day of the account's zone. A day that is not over yet, or
// has not begun, may be set: answers hold no day after today.
func (s *Server) SetDay(campaign int64, day record.Day, m Metrics) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.days[campaignDay{campaign, day}] = m
}

// ClearDay makes a campaign have done nothing on a day.
func (s *Server) ClearDay(campaign int64, day record.Day) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.days, campaignDay{campaign, day})
}

// Convert books conversions and their value, decimals that may be negative, on the day of the
// click that led to them.
func (s *Server) Convert(campaign int64, click record.Day, conversions, value string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	key := campaignDay{campaign, click}
	m := s.days[key]
	for _, f := range []struct {
		field *string
		more  string
	}{{&m.Conversions, conversions}, {&m.Value, value}} {
		sum, err := add(*f.field, f.more)
		if err != nil {
			return fmt.Errorf("convert on %s: %w", click, err)
		}
		*f.field = sum
	}
	s.days[key] = m
	return nil
}

func add(a, b string) (string, error) {
	sum := decimal.Zero
	for _, text := range []string{a, b} {
		if text == "" {
			continue
		}
		d, err := decimal.NewFromString(text)
		if err != nil {
			return "", fmt.Errorf("%q is not a decimal: %w", text, err)
		}
		sum = sum.Add(d)
	}
	return sum.String(), nil
}

// AddKeyword adds a keyword, or replaces the one with its ID.
func (s *Server) AddKeyword(k Keyword) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.keywords[k.ID] = k
}

// SetQuality sets the quality score of a keyword on a day, 1 to 10 or 0 where the vendor knows
// none, and its impressions.
func (s *Server) SetQuality(keyword int64, day record.Day, score int, impressions int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.scores[keywordDay{keyword, day}] = quality{score, impressions}
}

// AddArm adds an arm of an experiment.
func (s *Server) AddArm(a Arm) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if a.Status == "" {
		a.Status = "ENABLED"
	}
	s.arms = append(s.arms, a)
}

// AddClient adds an account below the account, which is a manager.
func (s *Server) AddClient(a Account) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.clients = append(s.clients, a)
}

// BreakStreams lets the next n answers end with an error after the first chunk.
func (s *Server) BreakStreams(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.breaks = n
}

// Requests returns how many requests came, by the resource that was queried; those for tokens
// are under "token".
func (s *Server) Requests() map[string]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.requests)
}

// Queries returns every query that was answered, once.
func (s *Server) Queries() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Sorted(maps.Keys(s.queries))
}
