package shopify

import (
	"strings"

	"github.com/b2bexporter/b2b_exporter/internal/record"
)

// touch is the first visit that led to the order; null where the shop has seen none, or
// has not found it yet.
func (o *order) touch() record.Touch {
	if o.CustomerJourneySummary == nil || o.CustomerJourneySummary.FirstVisit == nil {
		return record.Touch{}
	}
	v := o.CustomerJourneySummary.FirstVisit
	if u := v.UTMParameters; u != nil && (u.Source != "" || u.Medium != "" || u.Campaign != "") {
		return record.Touch{Source: u.Source, Medium: u.Medium, Campaign: u.Campaign}
	}
	return record.Touch{Source: v.Source, Medium: strings.ToLower(v.SourceType), Channel: v.channel()}
}

// channel maps the visits that the default table of channels does not know
// (docs/sources/shopify.md, "Channels"); empty for the others.
func (v *visit) channel() string {
	source := strings.ToLower(strings.TrimSpace(v.Source))
	// The default table knows the social networks by their names.
	social := source != "direct" && record.ChannelRules(nil).Classify(record.Touch{Source: source}).Channel == "organic_social"
	search := isSearchEngine(source)
	switch v.SourceType {
	case "ABANDONED_CART", "TRANSACTIONAL":
		return "email"
	case "AD", "RETARGETING":
		switch {
		case social:
			return "paid_social"
		case search:
			return "paid_search"
		}
		return "display"
	case "POST", "MESSAGE":
		switch {
		case social:
			return "organic_social"
		case v.SourceType == "POST":
			return "content"
		}
	case "":
		switch {
		case search:
			return "organic_search"
		case source == "email":
			return "email"
		case source == "unknown", source == "an unknown source":
			return record.ChannelUnknown
		case !social && strings.Contains(source, "."):
			return "referral"
		}
	}
	return ""
}

func isSearchEngine(source string) bool {
	for _, name := range []string{"google", "bing", "yahoo", "duckduckgo", "ecosia", "baidu", "yandex", "naver", "qwant", "startpage"} {
		if strings.HasPrefix(strings.TrimPrefix(source, "www."), name) {
			return true
		}
	}
	return false
}
