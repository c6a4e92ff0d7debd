package hubspot

import (
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/b2bexporter/b2b_exporter/internal/record"
)

// lead makes a lead of a contact.
func (m *mapper) lead(o object) (record.Record, error) {
	opt := &m.source.options
	r := &record.Lead{
		Meta: record.Meta{ID: o.ID}, Keys: record.Keys{Email: o.value("email")},
		Touch: touch(o), Owner: m.owner(o), Account: record.RefTo(o.value("associatedcompanyid")),
	}
	if opt.ReferredByProperty != "" {
		r.ReferredBy = record.RefTo(o.value(opt.ReferredByProperty))
	}
	var err error
	if r.CreatedAt, err = instant(o, "createdate"); err != nil {
		return nil, err
	}
	for _, s := range []struct {
		at     *record.Instant
		stages []string
	}{
		{&r.MQLAt, opt.Lifecycle.MQL},
		{&r.SQLAt, opt.Lifecycle.SQL},
		{&r.OpportunityAt, opt.Lifecycle.Opportunity},
		{&r.CustomerAt, opt.Lifecycle.Customer},
	} {
		if *s.at, err = m.entered(o, s.stages); err != nil {
			return nil, err
		}
	}
	if r.DisqualifiedAt, err = m.disqualified(o, r.CreatedAt); err != nil {
		return nil, err
	}
	if opt.FirstResponseProperty != "" {
		if r.FirstResponseAt, err = instant(o, opt.FirstResponseProperty); err != nil {
			return nil, err
		}
	}
	return r, nil
}

// stageProperties returns the properties that date the entry into a lifecycle stage: the present
// ones, and for the vendor's own stages those that were there before.
func stageProperties(stage string) []string {
	names := []string{enteredProperty(stage)}
	own := []string{
		"subscriber", "lead", "marketingqualifiedlead", "salesqualifiedlead", "opportunity", "customer", "evangelist", "other",
	}
	if slices.Contains(own, stage) {
		names = append(names, "hs_lifecyclestage_"+stage+"_date")
	}
	return names
}

// entered returns when a contact entered one of stages for the first time. The properties are
// emptied where a contact goes back to an earlier stage; the history remembers.
func (m *mapper) entered(o object, stages []string) (record.Instant, error) {
	var first record.Instant
	for _, stage := range stages {
		for _, name := range stageProperties(stage) {
			at, err := instant(o, name)
			if err != nil {
				return at, err
			}
			first = earliest(first, at, m.zone())
		}
	}
	for _, rev := range o.History["lifecyclestage"] {
		if !slices.Contains(stages, rev.Value) {
			continue
		}
		at, ok := parseInstant(rev.Timestamp)
		if !ok {
			return at, &fieldError{"bad time", "the history of lifecyclestage", "dated"}
		}
		first = earliest(first, at, m.zone())
	}
	return first, nil
}

// disqualified returns since when a contact is disqualified; null where it is not now.
func (m *mapper) disqualified(o object, created record.Instant) (record.Instant, error) {
	opt := &m.source.options.Lifecycle
	byStatus, err := since(o, "hs_lead_status", opt.DisqualifiedStatus, created)
	if err != nil {
		return byStatus, err
	}
	byStage, err := since(o, "lifecyclestage", opt.Disqualified, created)
	return earliest(byStatus, byStage, m.zone()), err
}

// since returns from when on a property has had one of values; null where it has not now. Without a
// history it is since the contact's creation.
func since(o object, property string, values []string, created record.Instant) (record.Instant, error) {
	if !slices.Contains(values, o.value(property)) {
		return record.Instant{}, nil
	}
	type step struct {
		at   int64
		held bool
	}
	var steps []step
	for _, rev := range o.History[property] {
		t, err := time.Parse(time.RFC3339Nano, rev.Timestamp)
		if err != nil {
			return record.Instant{}, &fieldError{"bad time", "the history of " + property, "dated"}
		}
		steps = append(steps, step{t.UnixMilli(), slices.Contains(values, rev.Value)})
	}
	slices.SortStableFunc(steps, func(a, b step) int { return int(b.at - a.at) }) // newest first
	at := created
	for _, s := range steps {
		if !s.held {
			break
		}
		at = record.At(time.UnixMilli(s.at))
	}
	return at, nil
}

func (m *mapper) zone() *time.Location {
	if m.environment.Zone == nil {
		return time.UTC
	}
	return m.environment.Zone
}

// touch returns where a contact first came from (docs/sources/hubspot.md, "channels").
func touch(o object) record.Touch {
	source, first, second := o.value("hs_analytics_source"), o.value("hs_analytics_source_data_1"), o.value("hs_analytics_source_data_2")
	var t record.Touch
	switch source {
	case "":
	case "ORGANIC_SEARCH":
		t = record.Touch{Source: second, Medium: "organic", Channel: "organic_search"}
	case "PAID_SEARCH":
		t = record.Touch{Medium: "cpc", Campaign: first, Channel: "paid_search"}
	case "EMAIL_MARKETING":
		t = record.Touch{Medium: "email", Campaign: first, Channel: "email"}
	case "SOCIAL_MEDIA":
		t = record.Touch{Source: first, Medium: "social", Campaign: second, Channel: "organic_social"}
	case "PAID_SOCIAL":
		t = record.Touch{Source: first, Medium: "paid_social", Campaign: second, Channel: "paid_social"}
	case "REFERRALS", "AI_REFERRALS":
		t = record.Touch{Source: first, Medium: "referral", Channel: "referral"}
	case "DIRECT_TRAFFIC":
		t = record.Touch{Source: "direct", Channel: "direct"}
	case "OFFLINE":
		t = record.Touch{Source: first, Medium: "offline", Channel: "offline"}
	case "OTHER_CAMPAIGNS":
		// The channel is left to the rules and the default table, by the medium.
		t = record.Touch{Source: "other_campaigns", Medium: second, Campaign: first}
	default:
		t = record.Touch{Source: strings.ToLower(source), Channel: record.ChannelOther}
	}
	if page, err := url.Parse(o.value("hs_analytics_first_url")); err == nil {
		query := page.Query()
		for name, field := range map[string]*string{"utm_source": &t.Source, "utm_medium": &t.Medium, "utm_campaign": &t.Campaign} {
			if v := query.Get(name); v != "" {
				*field = v
			}
		}
	}
	for _, field := range []*string{&t.Source, &t.Medium, &t.Campaign} {
		if strings.Contains(*field, "@") { // an address must not become a label
			*field = ""
		}
	}
	return t
}
