package record_test

import (
	"regexp"
	"testing"

	"github.com/b2bexporter/b2b_exporter/internal/record"
)

func TestClassifyByDefault(t *testing.T) {
	for _, test := range []struct{ source, medium, channel, want string }{
		{want: "unknown"},
		{source: "direct", want: "direct"},
		{source: "(direct)", medium: "(none)", want: "direct"},
		{source: "direct", medium: "(not set)", want: "direct"},
		{source: "google", medium: "(none)", want: "other"},
		{source: "google", medium: "organic", want: "organic_search"},
		{source: "bing", medium: "SEO", want: "organic_search"},
		{source: "google", medium: "cpc", want: "paid_search"},
		{source: " Google ", medium: " CPC ", want: "paid_search"},
		{source: "l.facebook.com", medium: "ppc", want: "paid_social"},
		{source: "linkedin", medium: "paid-search", want: "paid_social"},
		{source: "dv360", medium: "cpm", want: "display"},
		{source: "youtube", medium: "video", want: "video"},
		{source: "anything", medium: "social", want: "organic_social"},
		{source: "meta", medium: "paidsocial", want: "paid_social"},
		{source: "mailchimp", medium: "E-Mail", want: "email"},
		{source: "spring", medium: "newsletter", want: "email"},
		{source: "twilio", medium: "sms", want: "sms"},
		{source: "blog.example", medium: "referral", want: "referral"},
		{source: "www.reddit.com", medium: "referral", want: "organic_social"},
		{source: "awin", medium: "affiliates", want: "affiliate"},
		{medium: "partner", want: "partner"},
		{medium: "Event", want: "event"},
		{medium: "webinar", want: "webinar"},
		{medium: "content", want: "content"},
		{medium: "offline", want: "offline"},
		{source: "xing.com", want: "organic_social"},
		{source: "blog.example", want: "other"},
		{source: "google", medium: "carrier pigeon", want: "other"},
		// What the source itself says comes before the table.
		{source: "google", medium: "cpc", channel: "partner", want: "partner"},
		{source: "google", medium: "cpc", channel: " Partner ", want: "partner"},
		{source: "google", medium: "cpc", channel: "no such channel", want: "paid_search"},
		{channel: "unknown", source: "google", medium: "cpc", want: "unknown"},
	} {
		touch := record.Touch{Source: test.source, Medium: test.medium, Channel: test.channel}
		if got := record.ChannelRules(nil).Classify(touch).Channel; got != test.want {
			t.Errorf("Classify(%+v) = %s, want %s", touch, got, test.want)
		}
		if !record.IsChannel(test.want) {
			t.Errorf("%q is not in the vocabulary", test.want)
		}
	}
}

func TestClassifyByRules(t *testing.T) {
	rules := record.ChannelRules{
		{Source: regexp.MustCompile(`^fair$`), Medium: regexp.MustCompile(`^stand$`), Class: record.Class{Channel: "event"}},
		{Source: regexp.MustCompile(`^fair$`), Class: record.Class{Channel: "offline"}},
		{Campaign: regexp.MustCompile(`^abm-`), Class: record.Class{Channel: "sales_outbound"}},
	}
	for _, test := range []struct {
		touch record.Touch
		want  string
	}{
		{record.Touch{Source: "fair", Medium: "stand", Campaign: "abm-1"}, "event"},
		{record.Touch{Source: "fair", Medium: "email"}, "offline"},
		{record.Touch{Source: "google", Medium: "cpc", Campaign: "abm-1", Channel: "email"}, "sales_outbound"},
		{record.Touch{Source: "google", Medium: "cpc", Campaign: "brand"}, "paid_search"},
		{record.Touch{Medium: "stand"}, "other"},
	} {
		if got := rules.Classify(test.touch).Channel; got != test.want {
			t.Errorf("Classify(%+v) = %s, want %s", test.touch, got, test.want)
		}
	}
	if got := (record.ChannelRules{{Class: record.Class{Channel: "partner"}}}).Classify(record.Touch{}).Channel; got != "partner" {
		t.Errorf("a rule without expressions gives %s, want partner: it matches everything", got)
	}
}

func TestChannels(t *testing.T) {
	seen := map[string]bool{}
	for _, c := range record.Channels() {
		if seen[c] || !record.IsChannel(c) {
			t.Errorf("channel %q: listed twice or not a channel", c)
		}
		seen[c] = true
	}
	for _, name := range []string{"", "Email", "search"} {
		if record.IsChannel(name) {
			t.Errorf("%q is a channel", name)
		}
	}
}
