package hubspot

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/b2bexporter/b2b_exporter/internal/config"
	"github.com/b2bexporter/b2b_exporter/sources/internal/apiclient"
)

// Options are the settings of a source of type hubspot.
type Options struct {
	// URL is the address of the API.
	URL string `yaml:"url"`
	// AccessToken is the token of a service key or of a private app.
	AccessToken config.SecretRef `yaml:"access_token" required:"the token of a service key or private app"`
	// APIVersion is the dated version of the API, or v3.
	APIVersion string `yaml:"api_version" enum:"2026-09,2026-03,v3"`
	// Currency is that of deals without one; the reporting currency where empty.
	Currency string `yaml:"currency"`
	// DailyShare is the part of the account's daily requests that may be used.
	DailyShare float64 `yaml:"daily_share"`
	// ArchivedEvery is how often deleted records are listed, SweepEvery how often everything is.
	ArchivedEvery time.Duration `yaml:"archived_every"`
	SweepEvery    time.Duration `yaml:"sweep_every"`

	Lifecycle Lifecycle `yaml:"lifecycle"`

	// FirstResponseProperty and ReferredByProperty are properties of contacts.
	FirstResponseProperty string `yaml:"first_response_property"`
	ReferredByProperty    string `yaml:"referred_by_property"`

	// TargetProperty, TargetValues, TargetSinceProperty and TierProperty are for companies.
	TargetProperty      string       `yaml:"target_property"`
	TargetValues        []string     `yaml:"target_values"`
	TargetSinceProperty string       `yaml:"target_since_property"`
	TierProperty        string       `yaml:"tier_property"`
	ExternalIDs         []ExternalID `yaml:"external_ids"`

	// DiscountProperty, MarginProperty and OrderProperty are properties of deals.
	DiscountProperty string `yaml:"discount_property"`
	MarginProperty   string `yaml:"margin_property"`
	OrderProperty    string `yaml:"order_property"`
}

// Lifecycle says which of HubSpot's lifecycle stages and lead statuses are which of a lead's
// stages.
type Lifecycle struct {
	MQL         []string `yaml:"mql"`
	SQL         []string `yaml:"sql"`
	Opportunity []string `yaml:"opportunity"`
	Customer    []string `yaml:"customer"`
	// Disqualified are lifecycle stages, DisqualifiedStatus lead statuses.
	Disqualified       []string `yaml:"disqualified"`
	DisqualifiedStatus []string `yaml:"disqualified_status"`
}

// ExternalID is a property of companies that holds an ID of another system.
type ExternalID struct {
	Property string `yaml:"property" required:"a property of companies"`
	// Namespace is the name of the source that knows the ID.
	Namespace string `yaml:"namespace" required:"the name of the source that has the ID"`
}

// DefaultOptions returns the options with their defaults.
func DefaultOptions() *Options {
	return &Options{
		URL: "https://api.hubapi.com", APIVersion: "2026-09", DailyShare: 0.5,
		ArchivedEvery: time.Hour, SweepEvery: 24 * time.Hour,
		Lifecycle: Lifecycle{
			MQL: []string{"marketingqualifiedlead"}, SQL: []string{"salesqualifiedlead"},
			Opportunity: []string{"opportunity"}, Customer: []string{"customer"},
			DisqualifiedStatus: []string{"UNQUALIFIED"},
		},
		FirstResponseProperty: "hs_first_outreach_date",
		TargetProperty:        "hs_is_target_account", TargetValues: []string{"true"},
		TierProperty: "hs_ideal_customer_profile",
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
	if _, err := apiclient.ParseBaseURL(o.URL); err != nil {
		add("url", "%v: the address of the API, such as https://api.hubapi.com", err)
	}
	if o.Currency != "" && (len(o.Currency) != 3 || strings.Trim(o.Currency, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != "") {
		add("currency", "%q is not a currency code such as EUR", o.Currency)
	}
	if !(o.DailyShare > 0 && o.DailyShare <= 1) {
		add("daily_share", "must be above 0 and at most 1")
	}
	if o.ArchivedEvery < time.Minute {
		add("archived_every", "must be at least 1m")
	}
	if o.SweepEvery < time.Hour {
		add("sweep_every", "must be at least 1h: it lists every record")
	}
	property := regexp.MustCompile(`^[a-z][a-z0-9_]*$`)
	names := o.named()
	for i, e := range o.ExternalIDs {
		names[fmt.Sprintf("external_ids[%d].property", i)] = e.Property
		if e.Namespace == "" || strings.Contains(e.Namespace, ":") {
			add(fmt.Sprintf("external_ids[%d].namespace", i), "must be the name of a source, without a colon")
		}
	}
	for path, name := range names {
		if name != "" && !property.MatchString(name) {
			add(path, "%q is not the internal name of a property: lower-case letters, digits and underscores", name)
		}
	}
	return append(list, o.Lifecycle.problems()...)
}

func (l Lifecycle) problems() [][2]string {
	var list [][2]string
	form := regexp.MustCompile(`^[A-Za-z0-9_-]+$`)
	met := map[string]string{}
	for _, s := range l.stages() {
		for i, stage := range s.values {
			path := fmt.Sprintf("lifecycle.%s[%d]", s.name, i)
			switch {
			case !form.MatchString(stage):
				list = append(list, [2]string{path, fmt.Sprintf("%q is not the internal name of a lifecycle stage", stage)})
			case met[stage] != "":
				list = append(list, [2]string{path, fmt.Sprintf("%q is in %s already", stage, met[stage])})
			}
			met[stage] = "lifecycle." + s.name
		}
	}
	if slices.Contains(l.DisqualifiedStatus, "") {
		list = append(list, [2]string{"lifecycle.disqualified_status", "a status must not be empty"})
	}
	return list
}

type stageList struct {
	name   string
	values []string
}

func (l Lifecycle) stages() []stageList {
	return []stageList{
		{"mql", l.MQL}, {"sql", l.SQL}, {"opportunity", l.Opportunity}, {"customer", l.Customer}, {"disqualified", l.Disqualified},
	}
}

// named returns the options that name one property, by their key.
func (o *Options) named() map[string]string {
	return map[string]string{
		"first_response_property": o.FirstResponseProperty, "referred_by_property": o.ReferredByProperty,
		"target_property": o.TargetProperty, "target_since_property": o.TargetSinceProperty, "tier_property": o.TierProperty,
		"discount_property": o.DiscountProperty, "margin_property": o.MarginProperty, "order_property": o.OrderProperty,
	}
}

var _ config.Options = (*Options)(nil)
