package woocommerce

import (
	"strings"

	"github.com/b2bexporter/b2b_exporter/internal/record"
)

// attribution is what the names of the fields begin with in which the shop keeps where an
// order came from.
const attribution = "_wc_order_attribution_"

// touch is the visit that the shop attributes the order to; null where it has seen none.
func (o *order) touch() record.Touch {
	t := record.Touch{
		Source: o.attributed("utm_source"), Medium: o.attributed("utm_medium"), Campaign: o.attributed("utm_campaign"),
	}
	switch kind := o.attributed("source_type"); kind {
	case "organic", "referral":
		if t.Medium == "" {
			t.Medium = kind
		}
	case "typein":
		// The default table wants both.
		t.Source, t.Medium = "(direct)", "(none)"
	case "admin", "mobile_app":
		// Made by the shop's own people: from where the buyer came is not known.
		return record.Touch{Source: kind, Channel: record.ChannelUnknown}
	}
	return t
}

// attributed returns a field of the attribution; empty for the words that stand for none.
func (o *order) attributed(name string) string {
	switch text := o.Meta.text(attribution + name); strings.ToLower(text) {
	case "(none)", "(not set)", "unknown":
		return ""
	default:
		return text
	}
}
