package shopify

import (
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/b2bexporter/b2b_exporter/internal/config"
	"github.com/b2bexporter/b2b_exporter/sources/internal/apiclient"
)

// oldestVersion is the first version of the API that has every field that is asked for.
const oldestVersion = "2026-01"

// Options are the settings of a source of type shopify.
type Options struct {
	// URL is the shop's own address, https://NAME.myshopify.com.
	URL string `yaml:"url" required:"the shop's address, such as https://example.myshopify.com"`
	// ClientID and ClientSecret are those of an app of the shop's organisation.
	ClientID     string           `yaml:"client_id"`
	ClientSecret config.SecretRef `yaml:"client_secret"`
	// AccessToken is the token of an app that has one which does not expire.
	AccessToken config.SecretRef `yaml:"access_token"`
	// Version is the version of the API.
	Version string `yaml:"api_version"`
	// Streams are the streams that are read.
	Streams []string `yaml:"streams" enum:"order,customer,company,checkout"`
	// Bulk lets Shopify prepare all orders as a file where they are read as a whole.
	Bulk bool `yaml:"bulk"`
	// Review is how often the changes of the last 60 days are read again; never where
	// 0.
	Review time.Duration `yaml:"review"`
	// Sweep is how often everything is read again to find what was deleted;
	// never where 0.
	Sweep time.Duration `yaml:"sweep"`
	// ExternalIDs is the namespace of the external IDs of companies; the source's name
	// where empty.
	ExternalIDs string `yaml:"external_id_namespace"`
}

// DefaultOptions returns the options with their defaults.
func DefaultOptions() *Options {
	return &Options{
		Version: "2026-10", Streams: []string{streamOrder, streamCustomer, streamCompany, streamCheckout},
		Review: 24 * time.Hour, Sweep: 7 * 24 * time.Hour,
	}
}

var versionForm = regexp.MustCompile(`^20[0-9]{2}-(01|04|07|10)$`)

// Validate reports addresses, credentials, versions and intervals that cannot work.
func (o *Options) Validate(v *config.Validator) {
	if o.URL != "" {
		if _, err := apiclient.ParseBaseURL(o.URL); err != nil {
			v.Errorf("url", "%v: the shop's own address, such as https://example.myshopify.com", err)
		}
	}
	switch app := o.ClientID != "" || o.ClientSecret.IsSet(); {
	case app && o.AccessToken.IsSet():
		v.Errorf("access_token", "give either access_token or client_id and client_secret, not both")
	case !app && !o.AccessToken.IsSet():
		v.Errorf("client_id", "give client_id and client_secret_file of an app, or access_token_file")
	case app && o.ClientID == "":
		v.Errorf("client_id", "client_secret needs the client_id of the same app")
	case app && !o.ClientSecret.IsSet():
		v.Errorf("client_secret", "client_id needs the client secret of the same app; give client_secret_file")
	}
	if !versionForm.MatchString(o.Version) || o.Version < oldestVersion {
		v.Errorf("api_version", "expected a version such as 2026-10, not before %s, found %q", oldestVersion, o.Version)
	}
	if len(o.Streams) == 0 {
		v.Errorf("streams", "expected at least one of order, customer, company, checkout")
	}
	for i, name := range o.Streams {
		if slices.Contains(o.Streams[:i], name) {
			v.Errorf("streams", "%s is listed twice", name)
		}
	}
	if o.Review < time.Hour {
		v.Errorf("review", "expected 1h or more, found %s", o.Review)
	}
	if o.Sweep < time.Hour {
		v.Errorf("sweep", "expected 1h or more, found %s", o.Sweep)
	}
	if strings.Contains(o.ExternalIDs, ":") {
		v.Errorf("external_id_namespace", "must hold no colon")
	}
}

// auth returns how requests are authenticated.
func (o Options) auth() apiclient.Auth {
	const header = "X-Shopify-Access-Token"
	if o.AccessToken.IsSet() {
		return apiclient.Header(header, "", apiclient.FromConfig(o.AccessToken))
	}
	grant := apiclient.ClientCredentials{
		TokenURL: strings.TrimRight(o.URL, "/") + "/admin/oauth/access_token",
		ClientID: o.ClientID, Secret: apiclient.FromConfig(o.ClientSecret),
	}
	return apiclient.OAuth2(grant.Grant(), header, "")
}

var _ config.Options = (*Options)(nil)
