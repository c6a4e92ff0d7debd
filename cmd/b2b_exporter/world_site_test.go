package main

import (
	"maps"
	"slices"
	"time"

	ga4fake "github.com/b2bexporter/b2b_exporter/internal/fake/ga4"
	"github.com/b2bexporter/b2b_exporter/internal/record"
)

// How long an analytics tool changes a day after its end.
const (
	settling  = 48 * time.Hour
	crediting = 12 * 24 * time.Hour // which channel brought a key event
)

// webSite is a site whose analytics change their past.
type webSite struct {
	*world
	server *ga4fake.Server
	zone   *time.Location
	shown  map[record.Day]ga4fake.Figures
}

func (s *webSite) plan() {
	s.server.Users = s.users
	for day := s.first; day <= s.last; day++ {
		s.planDay(day)
	}
}

// planDay plans what happens to a day, on it and later.
func (s *webSite) planDay(day record.Day) {
	start, end := startOf(day, s.zone), startOf(day+1, s.zone)
	full := s.figures()
	const steps = 8
	for i := range int64(steps) {
		s.at(start.Add(end.Sub(start)*time.Duration(i+1)/(steps+1)), func() {
			s.put(day, each(full, func(n int64) int64 { return n * (i + 1) / steps }))
		})
	}
	// Up and down, the last time when the day is about to be final.
	for _, at := range []time.Time{s.within(end, settling), s.within(end, settling), end.Add(settling - time.Minute)} {
		s.at(at, func() { s.put(day, s.revised(s.shown[day])) })
	}
	for _, at := range []time.Time{s.within(end, crediting), s.within(end, crediting), end.Add(crediting - time.Minute)} {
		s.at(at, func() { s.put(day, s.credited(s.shown[day])) })
	}
	switch {
	case day%19 == 0: // the tool drops the day
		s.at(end.Add(settling-time.Hour/2), func() { s.put(day, ga4fake.Figures{}) })
	case day%23 == 0: // ... and finds it again
		var lost ga4fake.Figures
		s.at(end.Add(10*time.Hour), func() {
			lost = s.shown[day]
			s.put(day, ga4fake.Figures{})
		})
		s.at(end.Add(22*time.Hour), func() { s.put(day, lost) })
	}
}

func (s *webSite) put(day record.Day, f ga4fake.Figures) {
	s.shown[day] = f
	s.server.SetDay(day, f)
}

// users are fewer than the sum of the days' visitors. The server's lock is held.
func (s *webSite) users(start, end record.Day) ga4fake.Users {
	var u ga4fake.Users
	for day, f := range s.shown {
		if day >= start && day <= end {
			u.Total += f.Total.Sessions
			u.New += f.Total.NewUsers
		}
	}
	return ga4fake.Users{Total: u.Total * 7 / 10, New: u.New * 6 / 10}
}

// figures returns those of a whole day.
func (s *webSite) figures() ga4fake.Figures {
	counts := func(size int64) ga4fake.Counts {
		n := size/2 + s.random.Int64N(size)
		return ga4fake.Counts{
			Sessions: n, Engaged: n * 6 / 10, Views: n*3 + s.random.Int64N(size), NewUsers: n / 2, Seconds: n * (40 + s.random.Int64N(90)),
			KeyEvents: record.Micros(n * 50_000),
		}
	}
	f := ga4fake.Figures{
		Total:     counts(800),
		Devices:   map[string]ga4fake.Counts{"desktop": counts(500), "mobile": counts(200), "tablet": counts(20)},
		Countries: map[string]ga4fake.Counts{"DE": counts(400), "AT": counts(90), "PL": counts(60), "(not set)": counts(9)},
		Ages:      map[string]ga4fake.Counts{"25-34": counts(200), "35-44": counts(200), "unknown": counts(200)},
		Downloads: 10 + s.random.Int64N(50), DownloadSessions: 5 + s.random.Int64N(5),
	}
	for _, v := range []ga4fake.Visits{
		{Source: "google", Medium: "cpc", Campaign: "Brand", Group: "Paid Search"},
		{Source: "google", Medium: "cpc", Campaign: "Catalogue", Group: "Paid Shopping"},
		{Source: "google", Medium: "organic", Group: "Organic Search"},
		{Source: "(direct)", Medium: "(none)", Group: "Direct"},
		{Source: "news.example", Medium: "referral", Group: "Referral"},
		{Source: "fair.example", Medium: "referral", Group: "Referral"},
		{Source: "letter", Medium: "email", Campaign: "Spring", Group: "Email"},
	} {
		v.Counts = counts(120)
		f.Channels = append(f.Channels, v)
	}
	return f
}

// revised returns figures a tenth more or less; one channel and one country may vanish.
func (s *webSite) revised(f ga4fake.Figures) ga4fake.Figures {
	f = each(f, func(n int64) int64 { return n * (900 + s.random.Int64N(201)) / 1000 })
	if n := len(f.Channels); n > 0 && s.random.IntN(4) == 0 {
		i := s.random.IntN(n)
		f.Channels = slices.Delete(f.Channels, i, i+1)
		delete(f.Countries, "(not set)")
	}
	return f
}

// credited moves some credit for key events from one channel to another.
func (s *webSite) credited(f ga4fake.Figures) ga4fake.Figures {
	f = each(f, func(n int64) int64 { return n })
	if n := len(f.Channels); n > 1 {
		i, j := s.random.IntN(n), s.random.IntN(n)
		moved := f.Channels[i].KeyEvents.Micros / 3
		f.Channels[i].KeyEvents.Micros -= moved
		f.Channels[j].KeyEvents.Micros += moved
	}
	return f
}

// each returns figures of which every number is what fn makes of it.
func each(f ga4fake.Figures, fn func(int64) int64) ga4fake.Figures {
	counts := func(c ga4fake.Counts) ga4fake.Counts {
		return ga4fake.Counts{
			Sessions: fn(c.Sessions), Engaged: fn(c.Engaged), Views: fn(c.Views), NewUsers: fn(c.NewUsers), Seconds: fn(c.Seconds),
			KeyEvents: record.Micros(fn(c.KeyEvents.Micros)),
		}
	}
	parts := func(list map[string]ga4fake.Counts) map[string]ga4fake.Counts {
		changed := map[string]ga4fake.Counts{}
		for _, name := range slices.Sorted(maps.Keys(list)) { // so that chance is the same each time
			changed[name] = counts(list[name])
		}
		return changed
	}
	f.Total = counts(f.Total)
	f.Channels = slices.Clone(f.Channels)
	for i := range f.Channels {
		f.Channels[i].Counts = counts(f.Channels[i].Counts)
	}
	f.Devices, f.Countries, f.Ages = parts(f.Devices), parts(f.Countries), parts(f.Ages)
	f.Downloads, f.DownloadSessions = fn(f.Downloads), fn(f.DownloadSessions)
	return f
}
