package demo

import (
	"math/rand/v2"
	"time"

	"github.com/b2bexporter/b2b_exporter/internal/window"
)

// Origin is where visitors come from: a campaign, or a channel that costs nothing.
type Origin struct {
	// Platform is the ad platform that reports its spend (google, linkedin); empty for none.
	Platform string
	// ID is that of the campaign on the platform; 0 for none.
	ID int64
	// Source, Medium and Campaign are its UTM parameters; Program what the campaign belongs to.
	Source, Medium, Campaign, Program string
	// Channel is the one of the vocabulary that the CRM knows it by.
	Channel string

	visits  float64 // a usual day, now
	leads   float64 // of a visit
	quality float64 // how likely its leads get on, where 1 is usual
	click   int64   // cents of euro that a click costs; 0 where none is paid
	begins  int     // days before the present
	// dearer: a click has become dearer, and its leads worse, since some time ago.
	dearer bool
}

// Activity is what an origin brought on one day. Numbers go together: visits come from
// clicks, which cost money, and leads from visits. Those of the past are as many as the CRM has
// leads of that day and origin.
type Activity struct {
	*Origin
	Cost        int64 // cents of euro
	Impressions int   // of ads
	Clicks      int   // on ads
	Visits      int   // of the web sites
	Leads       int
}

// Market is the company's marketing, day by day: the same numbers for the same day, whoever
// asks and when. What shows ads or visits takes its numbers from here.
type Market struct {
	seed    uint64
	scale   float64
	zone    *time.Location
	first   time.Time // the first day
	days    int       // whole days before the present one
	origins []*Origin
}

func newMarket(o Options, zone *time.Location) *Market {
	y, m, d := o.Now.Date()
	first := time.Date(y-years, m, d, 0, 0, 0, 0, zone)
	return &Market{seed: o.Seed, scale: o.Scale, zone: zone, first: first, days: int(civil(o.Now) - civil(first)), origins: origins()}
}

// origins returns the list. Their order is part of the random numbers.
func origins() []*Origin {
	const always = 10_000
	return []*Origin{
		{
			Platform: "google", ID: 21_000_000_001, Source: "google", Medium: "cpc", Campaign: "brand-search", Program: "search-ads",
			Channel: "paid_search", visits: 130, leads: 0.0413, quality: 1.3, click: 62, begins: always,
		},
		{
			Platform: "google", ID: 21_000_000_002, Source: "google", Medium: "cpc", Campaign: "bulk-packaging", Program: "search-ads",
			Channel: "paid_search", visits: 150, leads: 0.03068, quality: 1, click: 145, begins: always,
		},
		{
			Platform: "google", ID: 21_000_000_003, Source: "google", Medium: "cpc", Campaign: "safety-gear", Program: "search-ads",
			Channel: "paid_search", visits: 115, leads: 0.02832, quality: 0.95, click: 128, begins: 700,
		},
		{
			Platform: "google", ID: 21_000_000_004, Source: "google", Medium: "cpc", Campaign: "tools-generic", Program: "search-ads",
			Channel: "paid_search", visits: 160, leads: 0.02478, quality: 0.8, click: 118, begins: 900, dearer: true,
		},
		{
			Platform: "linkedin", ID: 310_000_001, Source: "linkedin", Medium: "paid_social", Campaign: "warehouse-managers", Program: "account-ads",
			Channel: "paid_social", visits: 45, leads: 0.0472, quality: 1.1, click: 410, begins: 420,
		},
		{Source: "google", Medium: "organic", Channel: "organic_search", visits: 560, leads: 0.01239, quality: 1, begins: always},
		{Source: "bing", Medium: "organic", Channel: "organic_search", visits: 60, leads: 0.01298, quality: 1, begins: always},
		{Source: "direct", Channel: "direct", visits: 300, leads: 0.00944, quality: 1.2, begins: always},
		{Source: "newsletter", Medium: "email", Campaign: "monthly-news", Program: "newsletter", Channel: "email", visits: 120, leads: 0.02006, quality: 1.1, begins: 950},
		{Source: "trade-directory.example", Medium: "referral", Channel: "referral", visits: 70, leads: 0.0236, quality: 0.9, begins: always},
		{Source: "linkedin", Medium: "social", Channel: "organic_social", visits: 50, leads: 0.01416, quality: 0.8, begins: 800},
		{Source: "reseller.example", Medium: "partner", Campaign: "partner-portal", Program: "partners", Channel: "partner", visits: 25, leads: 0.0472, quality: 1.4, begins: 600},
		{Source: "logistics-fair", Medium: "event", Campaign: "logistics-fair", Program: "fairs", Channel: "event", visits: 12, leads: 0.118, quality: 1.1, begins: always},
	}
}

// Origins returns all origins, in the order of their activities.
func (m *Market) Origins() []*Origin { return m.origins }

// Day returns what every origin brought on the day of t, in the zone of the company's
// books, as a whole. Before the first day there is nothing; after the present one it goes on.
func (m *Market) Day(t time.Time) []Activity {
	return m.day(m.dayOf(t))
}

// dayOf returns the number of the day that holds t.
func (m *Market) dayOf(t time.Time) int { return int(civil(t.In(m.zone)) - civil(m.first)) }

// civil returns the calendar day of t.
func civil(t time.Time) window.Day { return window.DateDay(t.Date()) }

func (m *Market) day(d int) []Activity {
	if d < 0 {
		return nil
	}
	list := make([]Activity, 0, len(m.origins))
	for i, o := range m.origins {
		if m.days-d > o.begins {
			continue
		}
		r := rand.New(rand.NewPCG(m.seed, uint64(2+d*len(m.origins)+i)))
		a := Activity{Origin: o}
		share, fewer := 1.0, 1.0
		if o.click > 0 {
			share, fewer = 0.93, 1/(1+0.35*m.dearer(o, d)) // clicks that become visits; a budget buys less of what is dearer
		}
		a.Visits = whole(r, o.visits*fewer*m.scale*m.growth(d)*m.weekday(d)*m.season(d)*m.fair(o, d)*(0.8+0.4*r.Float64()))
		a.Leads = min(whole(r, float64(a.Visits)*o.leads*(0.75+0.5*r.Float64())/(1+0.5*m.dearer(o, d))), a.Visits)
		if o.click > 0 {
			a.Clicks = whole(r, float64(a.Visits)/share)
			a.Impressions = a.Clicks*(14+r.IntN(12)) + r.IntN(40)
			a.Cost = int64(float64(a.Clicks) * float64(o.click) * (1 + m.dearer(o, d)) * (0.92 + 0.16*r.Float64()))
		}
		list = append(list, a)
	}
	return list
}

// share returns how much of a day's visits has come by t, from 0 to 1: most come between six
// and eight, some around the clock.
func (m *Market) share(d int, t time.Time) float64 {
	if d < m.dayOf(t) {
		return 1
	}
	between := func(from, to float64) float64 {
		return min(max((t.Sub(m.date(d)).Hours()-from)/(to-from), 0), 1)
	}
	return 0.85*between(6, 20) + 0.15*between(0, 24)
}

// date returns the first instant of the d-th day.
func (m *Market) date(d int) time.Time { return m.first.AddDate(0, 0, d) }

// growth of the business: 1 at present, about a third at the beginning.
func (m *Market) growth(d int) float64 { return 0.34 + 0.66*float64(d)/float64(m.days) }

// season: more is packed and sent before Christmas, less is done in summer.
func (m *Market) season(d int) float64 {
	return [...]float64{0.92, 0.95, 1.04, 1.0, 1.02, 0.97, 0.86, 0.82, 1.06, 1.13, 1.22, 1.01}[m.date(d).Month()-1]
}

func (m *Market) weekday(d int) float64 {
	return [...]float64{0.3, 1.25, 1.28, 1.27, 1.2, 1.1, 0.6}[m.date(d).Weekday()]
}

// fair: a trade fair brings most of its visits in three days of March and September.
func (m *Market) fair(o *Origin, d int) float64 {
	if o.Channel != "event" {
		return 1
	}
	day := m.date(d)
	if month := day.Month(); (month == time.March || month == time.September) && day.Day() >= 17 && day.Day() <= 19 {
		return 45
	}
	return 0.3
}

// dearer returns by how much more a click costs than it did: from nothing to 2.2 within
// four months of the last half year.
func (m *Market) dearer(o *Origin, d int) float64 {
	if !o.dearer {
		return 0
	}
	const since, within = 170, 120
	return 2.2 * min(max(float64(d-(m.days-since))/within, 0), 1)
}
