package record

import (
	"regexp"
	"slices"
	"strings"
)

// Channels of the vocabulary.
const (
	ChannelUnknown = "unknown"
	ChannelOther   = "other"
)

// Channels returns the channel vocabulary.
func Channels() []string {
	return []string{
		"direct", "organic_search", "paid_search", "display", "video", "organic_social", "paid_social", "email", "sms",
		"referral", "affiliate", "partner", "event", "webinar", "content", "customer_referral", "sales_outbound",
		"offline", ChannelOther, ChannelUnknown,
	}
}

// IsChannel reports whether name is a channel of the vocabulary.
func IsChannel(name string) bool {
	return slices.Contains(Channels(), name)
}

// ChannelRule gives the touches that match all of its expressions a channel; a nil
// expression matches everything.
type ChannelRule struct {
	Source, Medium, Campaign *regexp.Regexp
	Channel                  string
}

// ChannelRules classify touches: the first matching rule, then the touch's own
// channel, then the default table.
type ChannelRules []ChannelRule

// Classify returns the channel of t.
func (rules ChannelRules) Classify(t Touch) string {
	for _, r := range rules {
		if matches(r.Source, t.Source) && matches(r.Medium, t.Medium) && matches(r.Campaign, t.Campaign) {
			return r.Channel
		}
	}
	if t.Channel != "" {
		if c := strings.ToLower(strings.TrimSpace(t.Channel)); IsChannel(c) {
			return c
		}
	}
	return defaultChannel(strings.ToLower(strings.TrimSpace(t.Source)), strings.ToLower(strings.TrimSpace(t.Medium)))
}

func matches(re *regexp.Regexp, text string) bool { return re == nil || re.MatchString(text) }

// defaultChannel is the documented table for the usual values of source and medium
// (docs/configuration.md, "channels").
func defaultChannel(source, medium string) string {
	switch medium {
	case "organic", "organic_search", "seo":
		return "organic_search"
	case "cpc", "ppc", "sem", "paidsearch", "paid_search", "paid-search":
		if isSocial(source) {
			return "paid_social"
		}
		return "paid_search"
	case "display", "banner", "cpm", "interstitial", "expandable":
		return "display"
	case "video", "cpv":
		return "video"
	case "social", "social-network", "social-media", "sm", "organic_social":
		return "organic_social"
	case "paid_social", "paid-social", "paidsocial", "social_paid":
		return "paid_social"
	case "email", "e-mail", "e_mail", "newsletter":
		return "email"
	case "sms":
		return "sms"
	case "referral", "link":
		if isSocial(source) {
			return "organic_social"
		}
		return "referral"
	case "affiliate", "affiliates":
		return "affiliate"
	case "partner", "event", "webinar", "content", "offline":
		return medium
	case "(none)", "none", "(not set)":
		if source == "(direct)" || source == "direct" {
			return "direct"
		}
	case "":
		switch {
		case source == "":
			return ChannelUnknown
		case source == "direct" || source == "(direct)":
			return "direct"
		case isSocial(source):
			return "organic_social"
		}
	}
	return ChannelOther
}

func isSocial(source string) bool {
	if source == "x" || source == "x.com" || strings.HasSuffix(source, ".x.com") {
		return true
	}
	for _, name := range []string{"facebook", "instagram", "linkedin", "twitter", "youtube", "tiktok", "pinterest", "xing", "reddit"} {
		if strings.Contains(source, name) {
			return true
		}
	}
	return false
}
