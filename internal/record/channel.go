package record

import (
	"cmp"
	"regexp"
	"slices"
	"strings"
	"unicode"
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

// Class is what a touch is counted under.
type Class struct {
	Channel string // of the vocabulary, never empty
	// Program is a marketing program or initiative; empty where no rule names one.
	Program string
	// Campaign is the campaign's name; empty where the touch has none.
	Campaign string
}

// ChannelRule tells of the touches that match all of its expressions what they are
// counted under. A nil expression matches everything; what is empty it leaves to others.
type ChannelRule struct {
	Source, Medium, Campaign *regexp.Regexp
	Class                    Class
}

// ChannelRules classify touches: channel, program and campaign each come from the first
// matching rule that names one. Without, the channel is the touch's own, then
// that of the default table; the campaign is the touch's own.
type ChannelRules []ChannelRule

// Classify returns what t is counted under.
func (rules ChannelRules) Classify(t Touch) Class {
	var c Class
	for _, r := range rules {
		if !matches(r.Source, t.Source) || !matches(r.Medium, t.Medium) || !matches(r.Campaign, t.Campaign) {
			continue
		}
		c.Channel = cmp.Or(c.Channel, r.Class.Channel)
		c.Program = cmp.Or(c.Program, r.Class.Program)
		c.Campaign = cmp.Or(c.Campaign, r.Class.Campaign)
	}
	c.Campaign = cmp.Or(c.Campaign, oneLine(t.Campaign))
	if c.Channel != "" {
		return c
	}
	if own := strings.ToLower(strings.TrimSpace(t.Channel)); IsChannel(own) {
		c.Channel = own
		return c
	}
	c.Channel = defaultChannel(strings.ToLower(strings.TrimSpace(t.Source)), strings.ToLower(strings.TrimSpace(t.Medium)))
	return c
}

// oneLine returns a name without control characters and outer space.
func oneLine(name string) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, name))
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
