package oracle

import (
	"fmt"

	"pgregory.net/rapid"

	"github.com/b2bexporter/b2b_exporter/internal/record"
)

func webKinds() []record.Kind {
	return []record.Kind{
		record.KindTraffic, record.KindUsers, record.KindReferrer, record.KindPage, record.KindSearch, record.KindBacklink,
	}
}

// day draws a report day.
func (g *generator) day(label string) record.Day {
	t, _ := g.calendar.resolve(g.instant(label))
	return g.calendar.dayOf(t)
}

// amountOf draws a number of things up to most or, seldom, null.
func (g *generator) amountOf(label string, most int64) record.Amount {
	if g.chance("no "+label, 10) {
		return record.Amount{}
	}
	return record.Micros(rapid.Int64Range(0, most).Draw(g.t, label) * record.MicrosPerUnit)
}

// beside draws an instant close to t, any other or, in some draws, null.
func (g *generator) beside(label string, t int64) record.Instant {
	switch rapid.IntRange(0, 5).Draw(g.t, label) {
	case 0, 1:
		return record.Instant{}
	case 2:
		return g.instant(label)
	}
	t += pick(g, "after", 0, 1, -1, hour, hour-1, -hour, day, day-1, 7*day, 7*day-1, 25*day)
	return record.Instant{N: t, Form: record.FormMoment}
}

// lead puts a lead whose dates may be in any order.
func (g *generator) lead(id string) {
	l := &record.Lead{
		Keys: g.keys(), CreatedAt: g.maybe("created", 5), Touch: g.touch(), Account: g.account(),
	}
	if g.chance("campaign", 2) {
		l.Touch.Campaign = pick(g, "spelling", "spring sale", " Spring Sale", "SPRING SALE", "c-1", "newsletter", "Newsletter ", "brand", "c-2")
	}
	at, dated := g.calendar.resolve(l.CreatedAt)
	if !dated {
		at, _ = g.calendar.resolve(g.instant("about"))
	}
	g.created[id] = at
	l.MQLAt, l.SQLAt = g.beside("mql", at), g.beside("sql", at)
	l.OpportunityAt, l.CustomerAt = g.beside("opportunity", at), g.beside("customer", at)
	if g.chance("disqualified", 4) {
		l.DisqualifiedAt = g.beside("disqualified at", at)
	}
	if g.chance("responded", 4) {
		l.FirstResponseAt = g.beside("response", at)
	}
	g.put(crm, id, l)
}

func (g *generator) activity() *record.Activity {
	a := &record.Activity{
		Type: pick(g, "type", record.ActivityCall, record.ActivityEmail, record.ActivitySMS, record.ActivityMeeting, "note"),
		At:   g.maybe("at", 10), Account: g.account(),
		Incoming: g.chance("incoming", 6), Automated: g.chance("automated", 6), Planned: g.chance("planned", 6),
	}
	if !g.chance("no lead", 8) {
		a.Lead = fmt.Sprintf("l%d", rapid.IntRange(1, idsOf(record.KindLead)+1).Draw(g.t, "lead"))
	}
	if created, ok := g.created[a.Lead]; ok && !g.chance("any time", 4) {
		a.At = g.beside("at", created)
	}
	return a
}

func (g *generator) cost() *record.Cost {
	c := &record.Cost{
		Category: pick(g, "category", record.CostMarketing, record.CostMarketing, record.CostSales),
		Currency: pick(g, "currency", g.currencies...), Amount: g.amount("amount", 12), From: g.day("from"),
		Period:   pick(g, "period", record.PeriodMonth, record.PeriodOnce),
		Channel:  pick(g, "channel", "", "email", "paid_search", "event", "partner"),
		Program:  pick(g, "program", "", "", "launch", "retention", "fair"),
		Campaign: pick(g, "campaign", "", "", "SPRING sale", "newsLETTER ", "Autumn"),
	}
	c.To = c.From + pick(g, "length", record.Day(0), 1, 13, 30, 400)
	if c.Period == record.PeriodMonth && g.chance("open end", 2) {
		c.To = record.NoDay
	}
	if g.chance("reporting currency", 6) {
		c.Currency = ""
	}
	return c
}

func (g *generator) spend() *record.Spend {
	s := &record.Spend{
		Day: g.day("day"), Platform: "google", Touch: record.Touch{Source: "google", Medium: "cpc"},
		Program: pick(g, "program", "", "", "launch"), Variant: pick(g, "variant", "", "A", "B", "C"),
		Currency: pick(g, "currency", g.currencies...), Cost: g.amount("cost", 10),
		Impressions: g.amountOf("impressions", 1000), Clicks: g.amountOf("clicks", 50),
		Conversions: g.amountOf("conversions", 5), ConversionValue: g.amount("value", 3),
	}
	if g.chance("meta", 3) {
		s.Platform, s.Touch = "meta", record.Touch{Source: "facebook", Medium: "cpc"}
	}
	if s.Conversions.Known {
		s.Conversions.Micros /= 3
	}
	switch rapid.IntRange(0, 3).Draw(g.t, "campaign") {
	case 0:
		s.CampaignID, s.Touch.Campaign = "c-1", pick(g, "name", "Spring Sale", "spring sale", "SPRING SALE ")
	case 1:
		s.CampaignID, s.Touch.Campaign = "c-2", pick(g, "name", "Brand", "brand")
	case 2:
		s.Touch.Campaign = "Summer"
	}
	return s
}

// backlinks puts the inbound links known on a day.
func (g *generator) backlinks(source string) {
	d := g.day("day")
	g.put(source, d.String(), &record.Backlink{Day: d, Site: source, Links: g.amountOf("links", 900)})
}

// users puts the users of a window, which each poll replaces.
func (g *generator) users(source string) {
	name := pick(g, "window", g.history.Settings.Windows...)
	s := g.calendar.window(name, g.asOf)
	if g.chance("of before", 3) {
		s = g.calendar.previous(name, g.asOf)
	}
	d := g.calendar.daysOf(s, 0)
	kind := pick(g, "users", record.UsersTotal, record.UsersTotal, record.UsersNew, record.UsersReturning)
	g.put(source, fmt.Sprintf("%s-%s-%s", d.from, d.to, kind), &record.Users{
		Site: source, Start: d.from, End: d.to, Kind: kind, Users: g.amountOf("users", 100),
	})
}

func (g *generator) traffic(source string) *record.Traffic {
	r := &record.Traffic{
		Day: g.day("day"), Site: source, By: pick(g, "by", record.ByTotal, record.ByTotal, record.ByChannel, record.ByChannel, record.ByDevice, record.ByCountry, record.ByAge),
		Sessions: record.Micros(rapid.Int64Range(0, 100).Draw(g.t, "sessions") * record.MicrosPerUnit), Views: g.amountOf("views", 500),
		Seconds: g.amountOf("seconds", 5000), Conversions: g.amountOf("conversions", 9), NewUsers: g.amountOf("new users", 50),
		Downloads: g.amountOf("downloads", 30),
	}
	// A tool defines a bounce in one way, and counts sessions with downloads or does not.
	part := record.Micros(r.Sessions.Micros / 2)
	if source == website {
		r.Engaged, r.DownloadSessions = part, part
	} else {
		r.SinglePage = part
	}
	switch r.By {
	case record.ByChannel:
		r.Touch = g.touch()
	case record.ByDevice:
		r.Value = pick(g, "device", "desktop", "mobile", "tablet")
	case record.ByCountry:
		r.Value = pick(g, "country", "DE", "AT", "FR", "")
	case record.ByAge:
		r.Value = pick(g, "age", "18-24", "25-34", "")
	}
	return r
}
