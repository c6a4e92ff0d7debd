package main

import (
	"fmt"
	"time"

	googleadsfake "github.com/b2bexporter/b2b_exporter/internal/fake/googleads"
	"github.com/b2bexporter/b2b_exporter/internal/record"
)

// How late an account of ads changes a day, in days.
const (
	latestConversion = 28 // after the click
	latestCredit     = 20
)

// Campaigns of the account.
const (
	campaignAlways  int64 = 1 + iota
	campaignPaused        // for some days
	campaignRenamed       // within the look-back of its first day
	campaignRemoved
)

// adDay is what a campaign did on a day, as far as the account knows by now.
type adDay struct {
	cost                int64 // in units of 10^-6
	impressions, clicks int64
	conversions, value  int64 // in hundredths
	gone                bool
}

// adAccount is an account of ads whose past changes.
type adAccount struct {
	*world
	server *googleadsfake.Server
	zone   *time.Location
}

func (a *adAccount) plan() {
	pause, resume, begin, end := a.polled+10, a.polled+a.days()/3, a.polled+a.days()/4, a.polled+a.days()/2
	campaign := func(day record.Day, c googleadsfake.Campaign) {
		a.at(startOf(day, a.zone), func() { a.server.AddCampaign(c) })
	}
	campaign(a.first, googleadsfake.Campaign{ID: campaignAlways, Name: "Brand", Start: a.first})
	for day, status := range map[record.Day]string{a.first: "ENABLED", pause: "PAUSED", resume: "ENABLED"} {
		campaign(day, googleadsfake.Campaign{ID: campaignPaused, Name: "Catalogue", Type: "SHOPPING", Status: status, Start: a.first})
	}
	for day, name := range map[record.Day]string{begin: "Film", begin + 12: "Film for the fair"} {
		campaign(day, googleadsfake.Campaign{ID: campaignRenamed, Name: name, Type: "VIDEO", Start: begin})
	}
	for day, status := range map[record.Day]string{a.first: "ENABLED", end: "REMOVED"} {
		campaign(day, googleadsfake.Campaign{ID: campaignRemoved, Name: "Fair", Type: "DISPLAY", Status: status, Start: a.first})
	}
	for id := campaignAlways; id <= campaignRemoved; id++ {
		a.server.AddKeyword(googleadsfake.Keyword{ID: id, Campaign: id, AdGroup: id, Text: "valves"})
		for day := a.first; day <= a.last; day++ {
			idle := id == campaignPaused && day >= pause && day < resume || id == campaignRenamed && day < begin || id == campaignRemoved && day >= end
			if !idle {
				a.planDay(id, day)
			}
		}
	}
}

// planDay plans what happens to a campaign's day, on it and later.
func (a *adAccount) planDay(id int64, day record.Day) {
	d, r := &adDay{}, a.random
	change := func(at time.Time, fn func()) {
		a.at(at, func() {
			fn()
			a.put(id, day, d)
		})
	}
	moment := func() time.Time { return a.within(startOf(day, a.zone), 23*time.Hour) }
	for range 6 {
		cost, impressions, clicks := r.Int64N(9_000_000), r.Int64N(400), r.Int64N(9)
		change(moment(), func() { d.cost, d.impressions, d.clicks = d.cost+cost, d.impressions+impressions, d.clicks+clicks })
	}
	for n := range r.IntN(6) {
		click, share, value := moment(), 25+r.Int64N(76), 5_000+r.Int64N(90_000)
		last := click.AddDate(0, 0, latestConversion)
		booked := last
		if n > 0 {
			booked = a.within(click, time.Duration(r.Float64()*float64(last.Sub(click))))
		}
		change(booked, func() { d.conversions, d.value = d.conversions+share, d.value+value })
		if booked.Before(last) && r.IntN(8) == 0 { // it is taken back
			change(a.within(booked, last.Sub(booked)), func() { d.conversions, d.value = d.conversions-share, d.value-value })
		}
	}
	credit := func(after int, percent int64) {
		change(moment().AddDate(0, 0, after), func() { d.cost -= d.cost * percent / 100 })
	}
	if r.IntN(3) == 0 {
		credit(1+r.IntN(3), 1+r.Int64N(20))
	}
	if day%15 == 0 {
		credit(latestCredit, 35)
	}
	if (int64(day)+id)%17 == 0 { // all of the day was invalid
		change(moment().AddDate(0, 0, 5), func() { d.gone = true })
	}
}

// put tells the account what a day is by now.
func (a *adAccount) put(id int64, day record.Day, d *adDay) {
	if d.gone {
		a.server.ClearDay(id, day)
		a.server.SetQuality(id, day, 0, 0)
		return
	}
	decimal := func(n int64) string { return fmt.Sprintf("%d.%02d", n/100, n%100) }
	a.server.SetDay(id, day, googleadsfake.Metrics{
		CostMicros: d.cost, Impressions: d.impressions, Clicks: d.clicks,
		Conversions: decimal(d.conversions), Value: decimal(d.value),
	})
	a.server.SetQuality(id, day, 1+int(day)%10, d.impressions)
}
