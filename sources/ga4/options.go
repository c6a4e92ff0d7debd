package ga4

import (
	"fmt"
	"regexp"
	"slices"
	"time"

	"github.com/b2bexporter/b2b_exporter/internal/config"
	"github.com/b2bexporter/b2b_exporter/internal/record"
	"github.com/b2bexporter/b2b_exporter/sources/internal/apiclient"
)

// How finely visits are told apart by where they came from.
const (
	byCampaign     = "campaign"
	bySourceMedium = "source_medium"
	byGroup        = "group"
)

// mostLookback is how many days the cursor remembers.
const mostLookback = 90

// Options are the settings of a source of type ga4.
type Options struct {
	// URL is the address of the Data API, TokenURL that of the token endpoint.
	URL      string `yaml:"url"`
	TokenURL string `yaml:"token_url"`
	// Property is the number of the property.
	Property string `yaml:"property" required:"the number of the property"`
	// KeyFile is the JSON key of a service account.
	KeyFile config.SecretRef `yaml:"key_file"`
	// ClientID, ClientSecret and RefreshToken are an OAuth client and a user's consent.
	ClientID     string           `yaml:"client_id"`
	ClientSecret config.SecretRef `yaml:"client_secret"`
	RefreshToken config.SecretRef `yaml:"refresh_token"`
	// DailyShare is the part of the property's daily tokens that may be used.
	DailyShare float64 `yaml:"daily_share"`
	// Breakdowns are what visits are broken down by.
	Breakdowns []string `yaml:"breakdowns" enum:"channel,device,country,age"`
	// ChannelBy is how finely visits are told apart for the channel rules.
	ChannelBy string `yaml:"channel_by" enum:"campaign,source_medium,group"`
	// LookbackDays and KeyEventLookbackDays are read again once a day: all figures, and those
	// by channel. DeepLookbackDays are read again every DeepEvery.
	LookbackDays         int           `yaml:"lookback_days"`
	KeyEventLookbackDays int           `yaml:"key_event_lookback_days"`
	DeepLookbackDays     int           `yaml:"deep_lookback_days"`
	DeepEvery            time.Duration `yaml:"deep_every"`
}

// DefaultOptions returns the options with their defaults.
func DefaultOptions() *Options {
	return &Options{
		URL: "https://analyticsdata.googleapis.com", TokenURL: "https://oauth2.googleapis.com/token", DailyShare: 0.5,
		Breakdowns: []string{record.ByChannel, record.ByDevice, record.ByCountry, record.ByAge}, ChannelBy: byCampaign,
		LookbackDays: 3, KeyEventLookbackDays: 14, DeepLookbackDays: 30, DeepEvery: 30 * 24 * time.Hour,
	}
}

// Validate reports what cannot be right, as far as that shows without the account.
func (o *Options) Validate(v *config.Validator) {
	for _, p := range o.problems() {
		v.Errorf(p[0], "%s", p[1])
	}
}

// propertyForm is the number of a property. A measurement ID (G-...) belongs to a data stream.
var propertyForm = regexp.MustCompile(`^[0-9]{1,18}$`)

// problems returns pairs of a field's path and what is wrong with it.
func (o *Options) problems() [][2]string {
	var list [][2]string
	add := func(path, format string, args ...any) {
		list = append(list, [2]string{path, fmt.Sprintf(format, args...)})
	}
	if _, err := apiclient.ParseBaseURL(o.URL); err != nil {
		add("url", "%v: the address of the API, such as https://analyticsdata.googleapis.com", err)
	}
	if _, err := apiclient.ParseBaseURL(o.TokenURL); err != nil {
		add("token_url", "%v: the address that gives tokens, such as https://oauth2.googleapis.com/token", err)
	}
	if o.Property != "" && !propertyForm.MatchString(o.Property) {
		add("property", "%q is not the number of a property: take it from Admin > Property details, not the measurement ID (G-...)", o.Property)
	}
	user := o.ClientID != "" || o.ClientSecret.IsSet() || o.RefreshToken.IsSet()
	switch {
	case user && o.KeyFile.IsSet():
		add("key_file", "give either key_file or client_id, client_secret and refresh_token, not both")
	case !user && !o.KeyFile.IsSet():
		add("key_file", "give the key_file of a service account, or client_id, client_secret_file and refresh_token_file")
	case user && o.ClientID == "":
		add("client_id", "a refresh token needs the client_id of its OAuth client")
	case user && !o.ClientSecret.IsSet():
		add("client_secret", "a refresh token needs the secret of its OAuth client; give client_secret_file")
	case user && !o.RefreshToken.IsSet():
		add("refresh_token", "an OAuth client needs a user's refresh token; give refresh_token_file")
	}
	if !(o.DailyShare > 0 && o.DailyShare <= 1) {
		add("daily_share", "must be above 0 and at most 1")
	}
	for i, name := range o.Breakdowns {
		if slices.Contains(o.Breakdowns[:i], name) {
			add("breakdowns", "%s is listed twice", name)
		}
	}
	days := func(path string, n, least int) {
		if n < least || n > mostLookback {
			add(path, "must be between %d and %d days, found %d", least, mostLookback, n)
		}
	}
	days("lookback_days", o.LookbackDays, 2)
	days("key_event_lookback_days", o.KeyEventLookbackDays, o.LookbackDays)
	days("deep_lookback_days", o.DeepLookbackDays, o.KeyEventLookbackDays)
	if o.DeepEvery < 24*time.Hour {
		add("deep_every", "must be at least 24h: it reads many days again")
	}
	return list
}

var _ config.Options = (*Options)(nil)
