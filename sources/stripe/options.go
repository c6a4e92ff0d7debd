package stripe

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/b2bexporter/b2b_exporter/internal/config"
	"github.com/b2bexporter/b2b_exporter/sources/internal/apiclient"
)

// Options are the settings of a source of type stripe.
type Options struct {
	// URL is the address of the API.
	URL string `yaml:"url"`
	// APIKey is a restricted key with permissions to read.
	APIKey config.SecretRef `yaml:"api_key" required:"a restricted key with permissions to read"`
	// Account is a connected account (acct_...) that a platform's key reads; its own where empty.
	Account string `yaml:"account"`
	// Invoices says that invoices are delivered as orders, and credit notes as refunds.
	Invoices bool `yaml:"invoices"`
	// CountPaused are the behaviours of paused collection that do not end recurring revenue.
	CountPaused []string `yaml:"count_paused"`
	// DomainMetadata is a key of a customer's metadata that holds the customer's domain.
	DomainMetadata string       `yaml:"domain_metadata"`
	ExternalIDs    []ExternalID `yaml:"external_ids"`
	// RequestsPerSecond are sent at most.
	RequestsPerSecond int `yaml:"requests_per_second"`
	// SweepEvery is how often everything is listed.
	SweepEvery time.Duration `yaml:"sweep_every"`
}

// ExternalID is a key of a customer's metadata that holds an ID of another system.
type ExternalID struct {
	Metadata string `yaml:"metadata" required:"a key of customers' metadata"`
	// Namespace is the name of the source that knows the ID.
	Namespace string `yaml:"namespace" required:"the name of the source that has the ID"`
}

// DefaultOptions returns the options with their defaults.
func DefaultOptions() *Options {
	return &Options{URL: "https://api.stripe.com", RequestsPerSecond: 20, SweepEvery: 24 * time.Hour}
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
	if _, err := apiclient.ParseBaseURL(o.URL); err != nil {
		add("url", "%v: the address of the API, such as https://api.stripe.com", err)
	}
	if o.Account != "" && !regexp.MustCompile(`^acct_[A-Za-z0-9]+$`).MatchString(o.Account) {
		add("account", "%q is not the ID of an account, such as acct_1032D82eZvKYlo2C", o.Account)
	}
	behaviours := []string{"keep_as_draft", "mark_uncollectible", "void"}
	for i, b := range o.CountPaused {
		if !slices.Contains(behaviours, b) {
			add(fmt.Sprintf("count_paused[%d]", i), "%q is none of %s", b, strings.Join(behaviours, ", "))
		}
	}
	for i, e := range o.ExternalIDs {
		if e.Metadata == "" {
			add(fmt.Sprintf("external_ids[%d].metadata", i), "must be a key of customers' metadata")
		}
		if e.Namespace == "" || strings.Contains(e.Namespace, ":") {
			add(fmt.Sprintf("external_ids[%d].namespace", i), "must be the name of a source, without a colon")
		}
	}
	if o.RequestsPerSecond < 1 || o.RequestsPerSecond > 100 {
		add("requests_per_second", "must be between 1 and 100: Stripe allows 25 for each endpoint by default")
	}
	if o.SweepEvery < time.Hour {
		add("sweep_every", "must be at least 1h: it lists every object")
	}
	return list
}

var _ config.Options = (*Options)(nil)
