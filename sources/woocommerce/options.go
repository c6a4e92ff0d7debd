package woocommerce

import (
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/b2bexporter/b2b_exporter/internal/config"
	"github.com/b2bexporter/b2b_exporter/sources/internal/apiclient"
)

// How the orders of guests are taken.
const (
	guestsAnonymous = "anonymous"
	guestsEmail     = "email"
)

// Options are the settings of a source of type woocommerce.
type Options struct {
	// URL is the shop's address as the shop itself knows it.
	URL string `yaml:"url" required:"the shop's address, such as https://shop.example.com"`
	// Key and Secret are those of an API key that may read.
	Key    config.SecretRef `yaml:"consumer_key" required:"the consumer key (ck_...) of an API key that may read"`
	Secret config.SecretRef `yaml:"consumer_secret" required:"the consumer secret (cs_...) of the same API key"`
	// QueryAuth sends both in the query, for servers that drop the header Authorization.
	QueryAuth bool `yaml:"query_auth"`
	// Streams are the streams that are read.
	Streams []string `yaml:"streams" enum:"order,customer"`
	// Statuses says what statuses of orders mean, beside the default ones.
	Statuses map[string]string `yaml:"statuses" enum:"counted,cancelled,draft,test"`
	// Guests says whether orders without an account belong to the address of their bill.
	Guests string `yaml:"guests" enum:"anonymous,email"`
	// CompanyNames makes accounts one customer whose bills go to the same company.
	CompanyNames bool `yaml:"company_names"`
	// CompanyMeta is the field of accounts that holds the company's ID in another system, and
	// ExternalIDs the namespace of these IDs; the source's name where empty.
	CompanyMeta string `yaml:"company_meta"`
	ExternalIDs string `yaml:"external_id_namespace"`
	// CostMeta and UnitCostMeta are fields of an order's lines that plugins keep costs in: of
	// all units, or of one.
	CostMeta     string `yaml:"cost_meta"`
	UnitCostMeta string `yaml:"unit_cost_meta"`
	// CostCurrency is the currency of costs; the order's where empty.
	CostCurrency string `yaml:"cost_currency"`
	// RequestsPerSecond is how many requests the shop gets at most.
	RequestsPerSecond int `yaml:"requests_per_second"`
	// Sweep is how often all orders are read again to find what was deleted, and
	// CustomerSweep how often all customers are, to find what has changed.
	Sweep         time.Duration `yaml:"sweep"`
	CustomerSweep time.Duration `yaml:"customer_sweep"`
}

// DefaultOptions returns the options with their defaults.
func DefaultOptions() *Options {
	return &Options{
		Streams: []string{streamOrder, streamCustomer}, Guests: guestsAnonymous, CostMeta: "_wc_cog_item_total_cost",
		RequestsPerSecond: 2, Sweep: 7 * 24 * time.Hour, CustomerSweep: 24 * time.Hour,
	}
}

// Validate reports addresses, names, rates and intervals that cannot work.
func (o *Options) Validate(v *config.Validator) {
	if o.URL != "" {
		base, err := apiclient.ParseBaseURL(o.URL)
		switch {
		case err != nil:
			v.Errorf("url", "%v: the shop's address, such as https://shop.example.com", err)
		case strings.Contains(base.Path, "/wp-json"):
			v.Errorf("url", "give the shop's address without /wp-json")
		case o.QueryAuth && base.Scheme != "https":
			v.Errorf("query_auth", "is for https alone: over http requests are signed and the secret is not sent")
		}
	}
	if len(o.Streams) == 0 {
		v.Errorf("streams", "expected at least one of order, customer")
	}
	for i, name := range o.Streams {
		if slices.Contains(o.Streams[:i], name) {
			v.Errorf("streams", "%s is listed twice", name)
		}
	}
	for status := range o.Statuses {
		if strings.HasPrefix(status, "wc-") {
			v.Errorf("statuses", "%s: give the status without wc-, as the API does", status)
		}
	}
	if strings.Contains(o.ExternalIDs, ":") {
		v.Errorf("external_id_namespace", "must hold no colon")
	}
	if o.RequestsPerSecond < 1 || o.RequestsPerSecond > 100 {
		v.Errorf("requests_per_second", "expected 1 to 100, found %d", o.RequestsPerSecond)
	}
	if o.Sweep < time.Hour {
		v.Errorf("sweep", "expected 1h or more, found %s", o.Sweep)
	}
	if o.CustomerSweep < time.Hour {
		v.Errorf("customer_sweep", "expected 1h or more, found %s", o.CustomerSweep)
	}
}

// auth returns how requests are authenticated: over plain HTTP the shop takes signatures
// only.
func (o Options) auth() apiclient.Auth {
	key, secret := apiclient.FromConfig(o.Key), apiclient.FromConfig(o.Secret)
	base, err := url.Parse(o.URL)
	switch {
	case err == nil && base.Scheme == "http":
		return apiclient.OAuth1(key, secret)
	case o.QueryAuth:
		return apiclient.Query(map[string]apiclient.SecretFunc{"consumer_key": key, "consumer_secret": secret})
	}
	return apiclient.Basic(key, secret)
}

var _ config.Options = (*Options)(nil)
