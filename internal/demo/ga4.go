package demo

import (
	"fmt"
	"math"
	"net/http"
	"sync"
	"time"

	"github.com/b2bexporter/b2b_exporter/internal/fake/ga4"
	"github.com/b2bexporter/b2b_exporter/internal/record"
)

// site shows the visits of the company's web site as a property of Google Analytics 4.
type site struct {
	property *ga4.Server
	market   *Market
	now      func() time.Time

	mu  sync.Mutex
	at  time.Time // when the property was brought up to date last
	day int       // the present day then
}

// measuredDays is for how long before the present visits were counted: so long that a month and a
// quarter can be compared with the year before.
const measuredDays = 460

func newSite(m *Market, now func() time.Time) *site {
	s := &site{property: ga4.New(now), market: m, now: now, day: m.days - measuredDays}
	s.property.Zone, s.property.Users = reportZone, s.users
	return s
}

func (s *site) source(url string) string {
	return "{name: website, type: ga4, interval: 5m, property: \"300000001\", url: " + url + ", token_url: " + url + "/token, " + credentials + "}"
}

// changes returns none: the property is brought up to date when it is asked.
func (s *site) changes(*Batch) []change { return nil }

func (s *site) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.update()
	s.property.ServeHTTP(w, r)
}

// update brings the days up to date that were not over, once a minute.
func (s *site) update() {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	if now.Sub(s.at) < time.Minute {
		return
	}
	today := s.market.dayOf(now)
	for d := s.day; d <= today; d++ {
		s.property.SetDay(s.market.civil(d), s.figures(d, now))
	}
	s.at, s.day = now, today
}

// figures returns what was counted on a day by now.
func (s *site) figures(d int, now time.Time) ga4.Figures {
	share := s.market.share(d, now)
	var f ga4.Figures
	for _, a := range s.market.day(d) {
		n := part(int64(a.Visits), share)
		if n == 0 {
			continue
		}
		counts := ga4.Counts{
			Sessions: n, Engaged: n * engaged(a.Origin) / 100, Views: n * 31 / 10, NewUsers: n * newcomers(a.Origin) / 100, Seconds: n * (95 + engaged(a.Origin)),
			KeyEvents: record.Micros(part(int64(a.Leads), share) * record.MicrosPerUnit),
		}
		f.Total = plus(f.Total, counts)
		f.Channels = append(f.Channels, visits(d, a.Origin, counts)...)
	}
	f.Devices, f.Countries, f.Ages = split(f.Total, devices()), split(f.Total, countries()), split(f.Total, ages())
	f.Downloads, f.DownloadSessions = f.Total.Sessions*6/100, f.Total.Sessions*4/100
	return f
}

// engaged returns the percentage of sessions that are engaged.
func engaged(o *Origin) int64 { return int64(44 + 16*o.quality) }

// newcomers returns the percentage of sessions that are somebody's first.
func newcomers(o *Origin) int64 {
	switch o.Channel {
	case "direct", "email", "partner":
		return 18
	case "paid_search", "paid_social":
		return 71
	}
	return 58
}

// visits returns the sessions of a day by how the property names where they came from.
func visits(d int, o *Origin, c ga4.Counts) []ga4.Visits {
	v := ga4.Visits{Source: o.Source, Medium: o.Medium, Campaign: o.Campaign, Counts: c}
	switch o.Channel {
	case "direct":
		v.Source, v.Medium, v.Campaign, v.Group = "(direct)", "(none)", "(direct)", "Direct"
	case "organic_search":
		v.Campaign, v.Group = "(organic)", "Organic Search"
	case "paid_search":
		v.Group = "Paid Search"
	case "paid_social":
		v.Group = "Paid Social"
	case "organic_social":
		v.Campaign, v.Group = "(not set)", "Organic Social"
	case "email":
		v.Group = "Email"
	case "referral":
		return referrals(d, o, c)
	default:
		v.Group = "Unassigned"
	}
	return []ga4.Visits{v}
}

// referrals shares visits among the origin's domain and some smaller ones.
func referrals(d int, o *Origin, c ga4.Counts) []ga4.Visits {
	domains := []portion{
		{o.Source, 52},
		{"trade-press.example", 17},
		{"packaging-forum.example", 12},
		{"chamber.example", 8},
		{"price-finder.example", 6},
		{"supplier-list.example", 3},
		{fmt.Sprintf("blog-%d.example", d/6%40), 2}, // each writes once in a while
	}
	var list []ga4.Visits
	parts := split(c, domains)
	for _, p := range domains {
		if n := parts[p.value]; n.Sessions > 0 {
			list = append(list, ga4.Visits{Source: p.value, Medium: "referral", Campaign: "(referral)", Group: "Referral", Counts: n})
		}
	}
	return list
}

// portion is how many percent of the visits a value has.
type portion struct {
	value   string
	percent int64
}

func devices() []portion {
	return []portion{{"desktop", 68}, {"mobile", 27}, {"tablet", 4}, {"smart tv", 1}}
}

func countries() []portion {
	return []portion{{"US", 24}, {"GB", 23}, {"DE", 19}, {"FR", 8}, {"NL", 8}, {"AT", 6}, {"CA", 5}, {"PL", 4}, {"(not set)", 3}}
}

func ages() []portion {
	return []portion{{"unknown", 41}, {"25-34", 17}, {"35-44", 19}, {"45-54", 13}, {"55-64", 7}, {"18-24", 2}, {"65+", 1}}
}

// split shares counts among values, without remainder.
func split(c ga4.Counts, values []portion) map[string]ga4.Counts {
	parts := make(map[string]ga4.Counts, len(values))
	upTo := func(percent int64) ga4.Counts {
		return ga4.Counts{
			Sessions: c.Sessions * percent / 100, Engaged: c.Engaged * percent / 100, Views: c.Views * percent / 100,
			NewUsers: c.NewUsers * percent / 100, Seconds: c.Seconds * percent / 100,
			KeyEvents: record.Micros(c.KeyEvents.Micros * percent / 100),
		}
	}
	sum, before := int64(0), ga4.Counts{}
	for _, p := range values {
		sum += p.percent
		after := upTo(sum)
		parts[p.value] = minus(after, before)
		before = after
	}
	return parts
}

func plus(a, b ga4.Counts) ga4.Counts {
	return ga4.Counts{
		Sessions: a.Sessions + b.Sessions, Engaged: a.Engaged + b.Engaged, Views: a.Views + b.Views, NewUsers: a.NewUsers + b.NewUsers,
		Seconds: a.Seconds + b.Seconds, KeyEvents: record.Micros(a.KeyEvents.Micros + b.KeyEvents.Micros),
	}
}

func minus(a, b ga4.Counts) ga4.Counts {
	return ga4.Counts{
		Sessions: a.Sessions - b.Sessions, Engaged: a.Engaged - b.Engaged, Views: a.Views - b.Views, NewUsers: a.NewUsers - b.NewUsers,
		Seconds: a.Seconds - b.Seconds, KeyEvents: record.Micros(a.KeyEvents.Micros - b.KeyEvents.Micros),
	}
}

// regulars is how many visits of people who have been here before it takes until many of them
// are met again.
const regulars = 9000

// users counts the people of a range of days. Somebody is new only once, so that these can be
// summed; of the others the longer the range the fewer have not been met in it before.
func (s *site) users(start, end record.Day) ga4.Users {
	now := s.now()
	fresh, again := int64(0), 0.0
	for d := max(int(start-s.market.civil(0)), s.market.days-measuredDays); s.market.civil(d) <= end; d++ {
		share := s.market.share(d, now)
		for _, a := range s.market.day(d) {
			n := part(int64(a.Visits), share)
			first := n * newcomers(a.Origin) / 100
			fresh += first
			again += float64(n - first)
		}
	}
	some := regulars * s.market.scale
	return ga4.Users{Total: fresh + int64(some*math.Log1p(again/some)), New: fresh}
}
