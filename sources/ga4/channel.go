package ga4

import (
	"strings"

	"github.com/b2bexporter/b2b_exporter/internal/record"
)

// groupChannel returns the channel of a default channel group (docs/sources/ga4.md); none where
// source and medium say more.
func groupChannel(group string) string {
	switch strings.ToLower(strings.TrimSpace(group)) {
	case "", "(not set)", "unassigned":
		return ""
	case other:
		return record.ChannelUnknown
	case "direct":
		return "direct"
	case "organic search", "organic shopping":
		return "organic_search"
	case "paid search", "paid shopping", "cross-network":
		return "paid_search"
	case "organic social":
		return "organic_social"
	case "paid social":
		return "paid_social"
	case "organic video", "paid video":
		return "video"
	case "display":
		return "display"
	case "email":
		return "email"
	case "sms":
		return "sms"
	case "affiliates":
		return "affiliate"
	case "referral", "ai assistant", "ai assistants":
		return "referral"
	}
	return record.ChannelOther
}

// touch returns what a session's source, medium, campaign and channel group say.
func touch(source, medium, campaign, group string) record.Touch {
	t := record.Touch{Source: told(source), Medium: told(medium), Campaign: told(campaign), Channel: groupChannel(group)}
	// (direct), (organic) and (referral) stand where there is no campaign.
	if strings.HasPrefix(t.Campaign, "(") && t.Campaign != other {
		t.Campaign = ""
	}
	return t
}

// told returns a value; empty where there is none, or where it may be a person's address.
func told(text string) string {
	text = strings.TrimSpace(text)
	if text == "(not set)" || strings.Contains(text, "@") {
		return ""
	}
	return text
}
