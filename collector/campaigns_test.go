package collector_test

import (
	"regexp"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/b2bexporter/b2b_exporter/collector/internal/oracle"
	"github.com/b2bexporter/b2b_exporter/internal/record"
)

func leadsBy(channel, campaign, w string) string {
	return series("b2b_leads_by_campaign", "channel="+channel, "campaign="+campaign, "window="+w)
}

// One campaign is spelled as ads and costs have it, whatever CRM and shop call it.
func TestCampaignsAreSpelledAlike(t *testing.T) {
	c := newMarketer(t)
	campaign := func(name string) record.Touch { return record.Touch{Channel: "email", Campaign: name} }
	c.spend("s1", "2024-05-09", "email", 90, record.Spend{Touch: record.Touch{Campaign: " Spring Sale "}, CampaignID: "77"})
	c.once("c1", "2024-05-09", record.Cost{Channel: "email", Campaign: "SPRING sale", Amount: units(30)})
	c.once("c2", "2024-05-09", record.Cost{Channel: "email", Campaign: "Fair", Amount: units(5)})
	for i, name := range []string{"spring sale", "77", " SPRING SALE", "autumn", "Autumn", "", "fair "} {
		c.order(numbered("o", i), numbered("c", i), "2024-05-09 12:00", record.Order{Touch: campaign(name)})
		c.lead(numbered("l", i), "2024-05-09 12:00", record.Lead{Touch: campaign(name)})
	}
	c.order("other", "other", "2024-05-09 12:00", record.Order{Touch: record.Touch{Channel: "sms", Campaign: "spring sale"}})
	out := c.compute("2024-05-10 12:00")
	// Of the two spellings of costs and ads the first by byte order.
	check(t, out, map[string]string{
		costByCampaign("email", "SPRING sale", "1d"): "40", // 120 / 3
		costByCampaign("email", "Spring Sale", "1d"): none,
		costByCampaign("email", "77", "1d"):          none,
		costByCampaign("sms", "SPRING sale", "1d"):   "0",
		costByCampaign("email", "Fair", "1d"):        "5",
		costByCampaign("email", "Autumn", "1d"):      "0",
		costByCampaign("email", "unknown", "1d"):     "0",
		leadsBy("email", "SPRING sale", "1d"):        "3",
		leadsBy("email", "Autumn", "1d"):             "2",
		leadsBy("email", "unknown", "1d"):            "1",
		leadsBy("email", "Fair", "1d"):               "1",
		leadsBy("email", "Fair", "today"):            "0",
	})
	if got, want := values(out, "b2b_leads_by_campaign", "campaign", "1d"), []string{"Autumn", "Fair", "SPRING sale", "unknown"}; !slices.Equal(got, want) {
		t.Errorf("campaigns are %v, want %v", got, want)
	}

	// Without the cost the ad platform's spelling is left, and without that the CRM's.
	c.remove("budget", "c1", &record.Cost{})
	check(t, c.compute("2024-05-10 12:00"), map[string]string{costByCampaign("email", "Spring Sale", "1d"): "30", leadsBy("email", "Spring Sale", "1d"): "3"})
	c.remove("ads", "s1", &record.Spend{})
	check(t, c.compute("2024-05-10 12:00"), map[string]string{
		leadsBy("email", "SPRING SALE", "1d"): "2", leadsBy("email", "77", "1d"): "1", costByCampaign("email", "SPRING SALE", "1d"): "0",
	})
}

// A campaign that an ad platform only knows by its ID is called that.
func TestCampaignsWithoutAName(t *testing.T) {
	c := newMarketer(t)
	c.spend("s1", "2024-05-09", "display", 8, record.Spend{CampaignID: "77"})
	c.spend("s2", "2024-05-09", "display", 6, record.Spend{})
	c.order("o1", "acme", "2024-05-09 12:00", record.Order{Touch: record.Touch{Channel: "display", Campaign: "77"}})
	c.order("o2", "bolt", "2024-05-09 12:00", record.Order{Touch: record.Touch{Channel: "display"}})
	check(t, c.compute("2024-05-10 12:00"), map[string]string{
		costByCampaign("display", "77", "1d"): "8", costByCampaign("display", "unknown", "1d"): "6",
	})
}

// Programs come from the channel rules, else from what names them.
func TestPrograms(t *testing.T) {
	c := newMarketer(t, func(s *oracle.Settings) {
		s.Channels = record.ChannelRules{{Campaign: regexp.MustCompile("(?i)^spring"), Class: record.Class{Program: "launch"}}}
	})
	spring := record.Touch{Channel: "email", Campaign: "Spring Sale"}
	c.spend("s1", "2024-05-09", "email", 60, record.Spend{Touch: spring, Program: "ignored"})
	c.spend("s2", "2024-05-09", "email", 10, record.Spend{Touch: record.Touch{Campaign: "Brand"}, Program: "always on"})
	c.once("c1", "2024-05-09", record.Cost{Channel: "event", Program: "launch", Amount: units(40)})
	c.once("c2", "2024-05-09", record.Cost{Channel: "event", Amount: units(7)})
	for i, touch := range []record.Touch{spring, {Channel: "sms", Campaign: "spring mailing"}, {}, {Channel: "email", Campaign: "Brand"}} {
		c.order(numbered("o", i), numbered("c", i), "2024-05-09 12:00", record.Order{Touch: touch})
	}
	check(t, c.compute("2024-05-10 12:00"), map[string]string{
		costByProgram("launch", "1d"):    "50",  // 100 by two customers
		costByProgram("unknown", "1d"):   "3.5", // 7 by two customers whose campaigns are of no program
		costByProgram("always on", "1d"): none,
		costByProgram("ignored", "1d"):   none,
		costByProgram("launch", "today"): none,
	})
}

// A bounded ratio keeps the values with the largest denominators and folds the parts of
// the others.
func TestBoundedAcquisitionCost(t *testing.T) {
	c := newMarketer(t, func(s *oracle.Settings) { s.LabelMax = 2 })
	for _, of := range []struct {
		campaign, channel string
		customers         int
		cost              int64
	}{
		{"a", "email", 3, 30}, {"b", "email", 1, 100}, {"b", "sms", 1, 0}, {"c", "email", 1, 1000}, {"d", "email", 1, 20}, {"e", "sms", 0, 5}, {"", "sms", 1, 2},
	} {
		id := of.campaign + of.channel
		c.once(id, "2024-05-09", record.Cost{Channel: of.channel, Campaign: of.campaign, Program: "p" + of.campaign, Amount: units(of.cost)})
		for i := range of.customers {
			c.order(numbered(id, i), numbered(id, i), "2024-05-09 12:00", record.Order{Touch: record.Touch{Channel: of.channel, Campaign: of.campaign}})
			c.lead(numbered(id, i), "2024-05-09 12:00", record.Lead{Touch: record.Touch{Channel: of.channel, Campaign: of.campaign}})
		}
	}
	out := c.compute("2024-05-10 12:00")
	check(t, out, map[string]string{
		costByCampaign("email", "a", "1d"):     "10",
		costByCampaign("email", "b", "1d"):     "100", // two customers, over all channels
		costByCampaign("sms", "b", "1d"):       "0",
		costByCampaign("email", "other", "1d"): "510", // c and d
		costByCampaign("sms", "other", "1d"):   "7",   // e and unknown
		costByCampaign("email", "c", "1d"):     none,
		leadsBy("email", "a", "1d"):            "3",
		leadsBy("email", "other", "1d"):        "2",
		leadsBy("sms", "other", "1d"):          "1",
		leadsBy("email", "a", "today"):         "0", // nothing is folded where nothing occurs
		costByProgram("unknown", "1d"):         "0", // all customers, and none of the cost
	})
	want := map[string]int{
		"b2b_customer_acquisition_cost_by_campaign": 4, // c, d, e and unknown
		"b2b_customer_acquisition_cost_by_program":  5,
		"b2b_leads_by_campaign":                     3, // no lead is e's
	}
	for metric, n := range want {
		if diff := cmp.Diff(n, out.Dropped[metric]); diff != "" {
			t.Errorf("values of %s that were folded (-want +got):\n%s", metric, diff)
		}
	}
}

// No e-mail address becomes a campaign or program.
func TestAddressesAreNoCampaigns(t *testing.T) {
	c := newMarketer(t)
	const address = "jane@acme.example.com"
	c.once("c", "2024-05-09", record.Cost{Channel: "email", Campaign: address, Program: address, Amount: units(4)})
	c.order("o", "acme", "2024-05-09 12:00", record.Order{Touch: record.Touch{Channel: "email", Campaign: address}})
	c.lead("l", "2024-05-09 12:00", record.Lead{Touch: record.Touch{Channel: "email", Campaign: address}})
	out := c.gated("2024-05-10 12:00", func(streamsOf) {})
	check(t, out, map[string]string{
		costByCampaign("email", "unknown", "1d"): "4", costByProgram("unknown", "1d"): "4", leadsBy("email", "unknown", "1d"): "1",
	})
}
