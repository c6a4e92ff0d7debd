package oracle

import (
	"testing"

	"github.com/b2bexporter/b2b_exporter/internal/record"
)

// newSite returns a fixture with an analytics tool.
func newSite(t *testing.T) *fixture {
	f := newFixture(t)
	f.settings.Collectors = []string{Web}
	f.settings.Sources = append(f.settings.Sources, Source{Name: "site", Kinds: webKinds(), Read: true})
	return f
}

func (f *fixture) users(id, kind string, start, end record.Day, n float64) {
	f.add("site", id, &record.Users{Start: start, End: end, Kind: kind, Users: units(n)})
}

// Worked examples 1, 5, 9, 10 and 14.
func TestWebOfWorkedExamples(t *testing.T) {
	f := newSite(t)
	first, end := date(2024, 5, 1), date(2024, 5, 31)
	f.users("month", record.UsersTotal, first, end, 100)
	f.users("month returning", record.UsersReturning, first, end, 40)
	f.users("day", record.UsersTotal, end-1, end, 68_000)
	f.users("day returning", record.UsersReturning, end-1, end, 18_000)
	f.users("week", record.UsersTotal, end-7, end, 10)
	f.users("week new", record.UsersNew, end-7, end, 4)
	f.add("site", "t", &record.Traffic{
		Day: end - 1, By: record.ByTotal, Sessions: units(500), DownloadSessions: units(20), Downloads: units(35), Views: units(5000), Seconds: units(30_000),
		Engaged: units(450), Conversions: units(5),
	})
	f.check(f.compute("2024-05-31 12:00:00"), map[string]string{
		`b2b_web_users_new{site="site",window="1d"}`:                                                 "50000",
		`b2b_web_users{site="site",window="30d"}`:                                                    "100",
		`b2b_web_users_new{site="site",window="30d"}`:                                                "60",
		`b2b_web_users_returning{site="site",window="30d"}`:                                          "40",
		`b2b_web_users_returning{site="site",window="7d"}`:                                           "6",
		`b2b_web_repeat_visitor_ratio{site="site",window="30d"}`:                                     "2/5",
		`b2b_web_users{site="site",window="90d"}`:                                                    none,
		`b2b_web_users{site="site",window="today"}`:                                                  none,
		`b2b_web_download_ratio{site="site",window="1d"}`:                                            "1/25",
		`b2b_web_downloads{site="site",window="1d"}`:                                                 "35",
		`b2b_web_bounce_ratio{definition="not_engaged",site="site",window="1d"}`:                     "1/10",
		`b2b_web_bounce_ratio{definition="single_page",site="site",window="1d"}`:                     none,
		`b2b_web_pages_per_session{site="site",window="1d"}`:                                         "10",
		`b2b_web_session_duration_seconds{site="site",window="1d"}`:                                  "60",
		`b2b_web_conversion_ratio{site="site",window="1d"}`:                                          "1/100",
		`b2b_web_page_views{site="site",window="today"}`:                                             "0",
		`b2b_kpi_undefined{kpi="b2b_web_conversion_ratio",reason="zero_denominator",window="today"}`: "1",
	})
	// Example 10 by the other definition, and downloads where only these are known.
	f = newSite(t)
	f.add("site", "t", &record.Traffic{Day: end - 1, By: record.ByTotal, Sessions: units(50), SinglePage: units(5), Downloads: units(2)})
	f.check(f.compute("2024-05-31 12:00:00"), map[string]string{
		`b2b_web_bounce_ratio{definition="single_page",site="site",window="1d"}`: "1/10",
		`b2b_web_bounce_ratio{definition="not_engaged",site="site",window="1d"}`: none,
		`b2b_web_download_ratio{site="site",window="1d"}`:                        "1/25",
		`b2b_web_page_views{site="site",window="1d"}`:                            none,
	})
}

func TestBreakdownsAreNeverSummedToATotal(t *testing.T) {
	f := newSite(t)
	row := func(id string, d record.Day, r record.Traffic) {
		r.Day = d
		f.add("site", id, &r)
	}
	row("long ago", date(2024, 1, 1), record.Traffic{By: record.ByTotal, Sessions: units(1)})
	row("total", date(2024, 5, 1), record.Traffic{By: record.ByTotal, Sessions: units(100), Conversions: units(3)})
	row("before", date(2024, 4, 30), record.Traffic{By: record.ByTotal, Sessions: units(80)})
	row("email", date(2024, 5, 1), record.Traffic{
		By: record.ByChannel, Touch: record.Touch{Medium: "email"}, Sessions: units(60), Conversions: units(3), NewUsers: units(7),
	})
	row("news", date(2024, 5, 1), record.Traffic{By: record.ByChannel, Touch: record.Touch{Medium: "newsletter"}, Sessions: units(15)})
	row("mobile", date(2024, 5, 1), record.Traffic{By: record.ByDevice, Value: "mobile", Sessions: units(40)})
	row("fridge", date(2024, 5, 1), record.Traffic{By: record.ByDevice, Value: "fridge", Sessions: units(2)})
	row("country", date(2024, 5, 1), record.Traffic{By: record.ByCountry, Sessions: units(9)})
	row("age", date(2024, 5, 1), record.Traffic{By: record.ByAge, Value: "25-34", Sessions: units(8)})
	f.check(f.compute("2024-05-02 00:00:00"), map[string]string{
		`b2b_web_sessions{channel="email",site="site",window="1d"}`:                    "75",
		`b2b_web_sessions{channel="email",site="site",window="today"}`:                 "0",
		`b2b_web_conversions{channel="email",site="site",window="1d"}`:                 "3",
		`b2b_web_conversion_ratio_by_channel{channel="email",site="site",window="1d"}`: "1/25",
		`b2b_web_new_users_by_channel{channel="email",site="site",window="1d"}`:        "7",
		`b2b_web_sessions_by_device{device="mobile",site="site",window="1d"}`:          "40",
		`b2b_web_sessions_by_device{device="other",site="site",window="1d"}`:           "2",
		`b2b_web_sessions_by_country{country="unknown",site="site",window="1d"}`:       "9",
		`b2b_web_sessions_by_age{age="25-34",site="site",window="1d"}`:                 "8",
		`b2b_web_conversion_ratio{site="site",window="1d"}`:                            "3/100",
		`b2b_kpi_change_ratio{kpi="b2b_web_sessions",versus="previous",window="1d"}`:   "1/4",
	})
}

func TestPagesSearchesAndLinks(t *testing.T) {
	f := newSite(t)
	yesterday := date(2024, 5, 1)
	f.add("site", "p1", &record.Page{Day: yesterday, Page: "/prices", Sessions: units(40), Exits: units(10)})
	f.add("site", "p2", &record.Page{Day: yesterday, Page: "/docs", Sessions: units(30)})
	f.add("site", "s1", &record.Search{Day: yesterday, Clicks: units(5), Impressions: units(100), Position: units(4)})
	f.add("site", "s2", &record.Search{Day: yesterday - 1, Clicks: units(1), Impressions: units(300), Position: units(8)})
	for i, domain := range []string{"a.example", "a.example", "b.example", "c.example"} {
		f.add("site", numbered("r", i), &record.Referrer{Day: yesterday - record.Day(i%2), Domain: domain, Sessions: units(float64(3 - i))})
	}
	f.add("site", "b1", &record.Backlink{Day: yesterday, Links: units(12)})
	f.add("site", "b2", &record.Backlink{Day: yesterday + 2, Links: units(99)})
	f.check(f.compute("2024-05-02 00:00:00"), map[string]string{
		`b2b_web_exit_ratio{page="/prices",site="site",window="1d"}`: "1/4",
		`b2b_web_exit_ratio{page="/docs",site="site",window="1d"}`:   none,
		`b2b_web_search_clicks{site="site",window="7d"}`:             "6",
		`b2b_web_search_impressions{site="site",window="1d"}`:        "100",
		`b2b_web_search_position{site="site",window="7d"}`:           "7",
		`b2b_web_referring_domains{site="site",window="7d"}`:         "2", // none from c.example
		`b2b_web_referring_domains{site="site",window="today"}`:      "0",
		`b2b_web_backlinks{site="site"}`:                             "12",
	})
}
