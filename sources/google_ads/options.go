package googleads

import (
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/b2bexporter/b2b_exporter/internal/config"
	"github.com/b2bexporter/b2b_exporter/internal/window"
	"github.com/b2bexporter/b2b_exporter/sources/internal/apiclient"
)

// Options are the settings of a source of type google_ads.
type Options struct {
	// URL and TokenURL are the addresses of the API and of what issues access tokens.
	URL      string `yaml:"url"`
	TokenURL string `yaml:"token_url"`
	// APIVersion is the major version of the API.
	APIVersion string `yaml:"api_version"`

	// CustomerID is the account, LoginCustomerID the manager account through which it is reached.
	CustomerID      CustomerID `yaml:"customer_id" required:"the account's ID, such as 123-456-7890"`
	LoginCustomerID CustomerID `yaml:"login_customer_id"`

	// ClientID, ClientSecret and RefreshToken belong together.
	ClientID     string           `yaml:"client_id"`
	ClientSecret config.SecretRef `yaml:"client_secret"`
	RefreshToken config.SecretRef `yaml:"refresh_token"`
	// ServiceAccount is the JSON key of a service account, instead of them.
	ServiceAccount config.SecretRef `yaml:"service_account"`
	// DeveloperToken is sent where it is set.
	DeveloperToken config.SecretRef `yaml:"developer_token"`

	// Lookback is how many days are read again, LookbackEvery how often.
	Lookback      window.Span   `yaml:"lookback"`
	LookbackEvery time.Duration `yaml:"lookback_every"`
	// Experiments says that the arms of experiments are read.
	Experiments bool `yaml:"experiments"`
	// DailyOperations is how many operations a day the Google Cloud project has, DailyShare the
	// part of them that may be used.
	DailyOperations int     `yaml:"daily_operations"`
	DailyShare      float64 `yaml:"daily_share"`
}

// CustomerID is the ID of an account, digits only.
type CustomerID string

// UnmarshalText reads 1234567890 and 123-456-7890.
func (c *CustomerID) UnmarshalText(text []byte) error {
	id := strings.ReplaceAll(string(text), "-", "")
	if !customerForm.MatchString(id) {
		return fmt.Errorf("%.20q is not an account's ID such as 123-456-7890", text)
	}
	*c = CustomerID(id)
	return nil
}

var (
	customerForm = regexp.MustCompile(`^\d{10}$`)
	versionForm  = regexp.MustCompile(`^v\d+$`)
)

// longestWindow is the longest conversion window in days.
const longestWindow = 90

// DefaultOptions returns the options with their defaults.
func DefaultOptions() *Options {
	return &Options{
		URL: "https://googleads.googleapis.com", TokenURL: "https://oauth2.googleapis.com/token", APIVersion: "v26",
		Lookback: window.Span{Days: 30}, LookbackEvery: 24 * time.Hour, Experiments: true,
		// What a project gets without asking.
		DailyOperations: 2880, DailyShare: 0.5,
	}
}

// Validate reports what cannot be right, as far as that shows without the account.
func (o *Options) Validate(v *config.Validator) {
	for _, p := range o.problems() {
		v.Errorf(p[0], "%s", p[1])
	}
}

// problems returns pairs of a field's path and what is wrong with it.
func (o *Options) problems() [][2]string {
	var list [][2]string
	add := func(path, format string, args ...any) {
		list = append(list, [2]string{path, fmt.Sprintf(format, args...)})
	}
	for path, text := range map[string]string{"url": o.URL, "token_url": o.TokenURL} {
		if _, err := apiclient.ParseBaseURL(text); err != nil {
			add(path, "%v", err)
		}
	}
	if !versionForm.MatchString(o.APIVersion) {
		add("api_version", "%.20q is not a version such as v26", o.APIVersion)
	}
	for path, id := range map[string]CustomerID{"customer_id": o.CustomerID, "login_customer_id": o.LoginCustomerID} {
		if id != "" && !customerForm.MatchString(string(id)) {
			add(path, "%.20q is not an account's ID of ten digits", id)
		}
	}
	o.checkCredentials(add)
	if o.Lookback.Days < 1 || o.Lookback.Days > longestWindow {
		add("lookback", "must be between 1d and %dd: the longest conversion window", longestWindow)
	}
	if o.LookbackEvery < time.Hour {
		add("lookback_every", "must be at least 1h")
	}
	if o.DailyOperations < 1 {
		add("daily_operations", "must be at least 1: 2880 for the access level Explorer, 15000 for Basic")
	}
	if !(o.DailyShare > 0 && o.DailyShare <= 1) {
		add("daily_share", "must be above 0 and at most 1")
	}
	return list
}

// checkCredentials wants either a service account or all that a refresh token needs.
func (o *Options) checkCredentials(add func(path, format string, args ...any)) {
	if o.ServiceAccount.IsSet() {
		if o.ClientID != "" || o.ClientSecret.IsSet() || o.RefreshToken.IsSet() {
			add("service_account", "give either a service account or client_id, client_secret and refresh_token")
		}
		return
	}
	for _, f := range []struct {
		path string
		set  bool
	}{
		{"client_id", o.ClientID != ""}, {"client_secret", o.ClientSecret.IsSet()}, {"refresh_token", o.RefreshToken.IsSet()},
	} {
		if !f.set {
			add(f.path, "is missing: give client_id, client_secret and refresh_token, or service_account_file")
		}
	}
}

var _ config.Options = (*Options)(nil)
