package collector_test

import (
	"slices"
	"testing"

	"github.com/b2bexporter/b2b_exporter/collector/internal/oracle"
	"github.com/b2bexporter/b2b_exporter/internal/record"
)

const (
	shopSite = "shop.example.com"
	blogSite = "blog.example.com"
)

// bySite is the sample of a metric whose labels are the window and the site, and more.
func bySite(metric, site, w string, more ...string) string {
	return series(metric, append(more, "site="+site, "window="+w)...)
}

// total puts the total of the shop's site on a day.
func (c *company) total(id, day string, r record.Traffic) {
	c.Helper()
	r.Site, r.By = shopSite, record.ByTotal
	c.traffic(id, day, r)
}

// The examples that define visits.
func TestExamplesOfVisits(t *testing.T) {
	c := newMarketer(t)
	c.usersOf(record.UsersTotal, shopSite, "2024-05-30", "2024-05-31", 68_000)
	c.usersOf(record.UsersReturning, shopSite, "2024-05-30", "2024-05-31", 18_000)
	c.usersOf(record.UsersTotal, shopSite, "2024-05-01", "2024-05-31", 100)
	c.usersOf(record.UsersReturning, shopSite, "2024-05-01", "2024-05-31", 40)
	c.total("t1", "2024-05-30", record.Traffic{Sessions: units(500), DownloadSessions: units(20), Downloads: units(31)})
	c.total("t2", "2024-05-25", record.Traffic{Sessions: units(100), Views: units(1000), DownloadSessions: units(0)})
	c.traffic("t3", "2024-05-30", record.Traffic{Site: blogSite, By: record.ByTotal, Sessions: units(50), SinglePage: units(5)})
	check(t, c.compute("2024-05-31 12:00"), map[string]string{
		bySite("b2b_web_users_new", shopSite, "1d"):                              "50000",
		bySite("b2b_web_users_new", shopSite, "30d"):                             "60",
		bySite("b2b_web_repeat_visitor_ratio", shopSite, "30d"):                  "0.4",
		bySite("b2b_web_download_ratio", shopSite, "1d"):                         "0.04",
		bySite("b2b_web_bounce_ratio", blogSite, "1d", "definition=single_page"): "0.10",
		bySite("b2b_web_bounce_ratio", blogSite, "1d", "definition=not_engaged"): none,
		bySite("b2b_web_users", blogSite, "1d"):                                  none, // nobody asked
		bySite("b2b_web_download_ratio", shopSite, "7d"):                         "20/600",
		bySite("b2b_web_download_ratio", blogSite, "1d"):                         none,
	})
	c = newMarketer(t)
	c.total("t", "2024-05-30", record.Traffic{Sessions: units(100), Views: units(1000), Engaged: units(90), Seconds: units(4500), Downloads: units(4)})
	check(t, c.compute("2024-05-31 12:00"), map[string]string{
		bySite("b2b_web_pages_per_session", shopSite, "1d"):                      "10",
		bySite("b2b_web_session_duration_seconds", shopSite, "1d"):               "45",
		bySite("b2b_web_bounce_ratio", shopSite, "1d", "definition=not_engaged"): "0.10",
		bySite("b2b_web_bounce_ratio", shopSite, "1d", "definition=single_page"): none,   // never mixed
		bySite("b2b_web_download_ratio", shopSite, "1d"):                         "0.04", // downloads, where only these are known
		bySite("b2b_web_downloads", shopSite, "1d"):                              "4",
		bySite("b2b_web_downloads", shopSite, "today"):                           "0",
		bySite("b2b_web_pages_per_session", shopSite, "today"):                   none,
	})
}

// Visitors are never added: what was asked for exactly a window is all that is known of it.
func TestVisitorsAreNeverAdded(t *testing.T) {
	c := newMarketer(t)
	for _, day := range []string{"2024-05-28", "2024-05-29", "2024-05-30"} {
		c.users(shopSite, day, c.moment(day).AddDate(0, 0, 1).Format("2006-01-02"), 10)
	}
	c.usersOf(record.UsersNew, shopSite, "2024-05-30", "2024-05-31", 4)
	out := c.compute("2024-05-31 12:00")
	check(t, out, map[string]string{
		bySite("b2b_web_users", shopSite, "1d"):                "10",
		bySite("b2b_web_users_new", shopSite, "1d"):            "4",
		bySite("b2b_web_users_returning", shopSite, "1d"):      "6",
		bySite("b2b_web_repeat_visitor_ratio", shopSite, "1d"): "0.6",
		bySite("b2b_web_users", shopSite, "7d"):                none,
		bySite("b2b_web_users", shopSite, "today"):             none,
	})
	// For a past as_of there is what was asked then.
	check(t, c.compute("2024-05-30 12:00"), map[string]string{
		bySite("b2b_web_users", shopSite, "1d"): "10", bySite("b2b_web_users_new", shopSite, "1d"): none,
	})
}

// Breakdowns are never crossed, nor summed where the tool gives a total.
func TestBreakdowns(t *testing.T) {
	c := newMarketer(t)
	const day = "2024-05-30"
	c.total("t", day, record.Traffic{Sessions: units(100), Conversions: units(3)})
	for id, r := range map[string]record.Traffic{
		"email":  {By: record.ByChannel, Touch: record.Touch{Medium: "email"}, Sessions: units(60), Conversions: units(3), NewUsers: units(7)},
		"news":   {By: record.ByChannel, Touch: record.Touch{Medium: "newsletter"}, Sessions: units(15)},
		"direct": {By: record.ByChannel, Touch: record.Touch{Source: "(direct)", Medium: "(none)"}, Sessions: units(5), NewUsers: units(0)},
		"mobile": {By: record.ByDevice, Value: " Mobile", Sessions: units(40)},
		"fridge": {By: record.ByDevice, Value: "fridge", Sessions: units(2)},
		"DE":     {By: record.ByCountry, Value: "DE", Sessions: units(9)},
		"":       {By: record.ByCountry, Sessions: units(1)},
		"age":    {By: record.ByAge, Value: "25-34", Sessions: units(8)},
	} {
		r.Site = shopSite
		c.traffic("row "+id, day, r)
	}
	const sessions = "b2b_web_sessions"
	out := c.compute("2024-05-31 12:00")
	check(t, out, map[string]string{
		bySite(sessions, shopSite, "1d", "channel=email"):                              "75",
		bySite(sessions, shopSite, "1d", "channel=direct"):                             "5",
		bySite(sessions, shopSite, "today", "channel=email"):                           "0",
		bySite("b2b_web_new_users_by_channel", shopSite, "1d", "channel=email"):        "7",
		bySite("b2b_web_conversions", shopSite, "1d", "channel=email"):                 "3",
		bySite("b2b_web_conversions", shopSite, "1d", "channel=direct"):                none, // not known
		bySite("b2b_web_conversion_ratio_by_channel", shopSite, "1d", "channel=email"): "0.04",
		bySite("b2b_web_sessions_by_device", shopSite, "1d", "device=mobile"):          "40",
		bySite("b2b_web_sessions_by_device", shopSite, "1d", "device=other"):           "2",
		bySite("b2b_web_sessions_by_country", shopSite, "1d", "country=DE"):            "9",
		bySite("b2b_web_sessions_by_country", shopSite, "1d", "country=unknown"):       "1",
		bySite("b2b_web_sessions_by_age", shopSite, "1d", "age=25-34"):                 "8",
		bySite("b2b_web_conversion_ratio", shopSite, "1d"):                             "0.03", // of the total
	})
	// Without a total, the channels are all there is.
	c.remove("web", "t", &record.Traffic{})
	check(t, c.compute("2024-05-31 12:00"), map[string]string{bySite("b2b_web_conversion_ratio", shopSite, "1d"): "3/80"})
}

// The headline joins all sites, and compares running windows over complete days.
func TestChangesOfVisits(t *testing.T) {
	c := newMarketer(t)
	c.total("first", "2024-01-01", record.Traffic{Sessions: units(1)})
	for day, n := range map[string]int64{"2024-04-01": 10, "2024-04-02": 20, "2024-04-03": 900, "2024-05-01": 40, "2024-05-02": 50, "2024-05-03": 7} {
		c.total(day, day, record.Traffic{Sessions: units(n), Conversions: units(n / 10)})
	}
	c.traffic("blog", "2024-05-02", record.Traffic{Site: blogSite, By: record.ByTotal, Sessions: units(30), Conversions: units(0)})
	out := c.compute("2024-05-03 12:00")
	check(t, out, map[string]string{
		changeOf("b2b_web_sessions", "mtd", "previous"):         "3", // 120 of two days against 30
		changeOf("b2b_web_sessions", "1d", "previous"):          "1", // 80 against 40
		changeOf("b2b_web_sessions", "today", "previous"):       none,
		changeOf("b2b_web_sessions", "1d", "year_ago"):          none,
		changeOf("b2b_web_conversion_ratio", "mtd", "previous"): "-0.25", // 9 of 120 against 3 of 30
	})
	checkReasons(t, out, map[string]string{
		"b2b_web_sessions|today": none, "b2b_web_conversion_ratio|1d": none,
	})
	checkReasons(t, c.compute("2024-06-10 12:00"), map[string]string{"b2b_web_sessions|1d": none, "b2b_web_conversion_ratio|1d": "zero_denominator"})
}

// Domains that sent visits count once in a window, however often they did.
func TestReferringDomains(t *testing.T) {
	c := newMarketer(t)
	for i, r := range []record.Referrer{
		{Day: c.day("2024-05-30"), Domain: "a.example.org", Sessions: units(3)},
		{Day: c.day("2024-05-29"), Domain: "a.example.org", Sessions: units(1)},
		{Day: c.day("2024-05-29"), Domain: "b.example.org", Sessions: units(1)},
		{Day: c.day("2024-05-30"), Domain: "c.example.org", Sessions: units(0)}, // restated
		{Day: c.day("2024-05-30"), Domain: "d.example.org"},
	} {
		r.Site = shopSite
		c.add("web", numbered("r", i), &r)
	}
	check(t, c.compute("2024-05-31 12:00"), map[string]string{
		bySite("b2b_web_referring_domains", shopSite, "1d"): "1", bySite("b2b_web_referring_domains", shopSite, "7d"): "2",
		bySite("b2b_web_referring_domains", shopSite, "today"): "0",
	})
}

// Of two tools a stream takes down the sites that it tells of.
func TestGatesOfSites(t *testing.T) {
	c := newMarketer(t, func(s *oracle.Settings) {
		s.Sources = append(s.Sources, oracle.Source{Name: "web2", Kinds: []record.Kind{record.KindTraffic}})
	})
	c.total("t", "2024-05-30", record.Traffic{Sessions: units(10), Views: units(20)})
	c.add("web2", "t", &record.Traffic{Day: c.day("2024-05-30"), Site: blogSite, By: record.ByTotal, Sessions: units(5), Views: units(20)})
	out := c.gated("2024-05-31 12:00", func(s streamsOf) { truncated(s["web2/traffic"]) })
	check(t, out, map[string]string{bySite("b2b_web_page_views", shopSite, "1d"): "20", bySite("b2b_web_page_views", blogSite, "1d"): none})
	checkReasons(t, out, map[string]string{"b2b_web_sessions|1d": "truncated"})
	if got := values(c.gated("2024-05-31 12:00", func(streamsOf) {}), "b2b_web_page_views", "site", "1d"); !slices.Equal(got, []string{blogSite, shopSite}) {
		t.Errorf("page views of %v", got)
	}
}
