package demo

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/b2bexporter/b2b_exporter/internal/fake/ga4"
	"github.com/b2bexporter/b2b_exporter/internal/record"
)

// The property counts the visits and the leads of the market, and each breakdown has all of them.
func TestFigures(t *testing.T) {
	c := newCompany(t, Options{Seed: 1})
	s := newSite(c.Market, present)
	for d := c.Market.days - 60; d < c.Market.days; d++ {
		f := s.figures(d, present())
		visits, leads := int64(0), int64(0)
		for _, a := range c.Market.day(d) {
			visits += int64(a.Visits)
			leads += int64(a.Leads)
		}
		if f.Total.Sessions != visits || f.Total.KeyEvents.Micros != leads*1_000_000 {
			t.Fatalf("day %d: %d sessions, %d key events; the market has %d visits, %d leads", d, f.Total.Sessions, f.Total.KeyEvents.Micros/1_000_000, visits, leads)
		}
		if f.Total.NewUsers > visits || f.Total.Engaged > visits || f.DownloadSessions > f.Downloads {
			t.Fatalf("day %d: numbers do not go together: %+v", d, f.Total)
		}
		channels := int64(0)
		for _, v := range f.Channels {
			if v.Group == "" || v.Source == "" {
				t.Fatalf("day %d: visits from nowhere: %+v", d, v)
			}
			channels += v.Sessions
		}
		if channels != visits {
			t.Fatalf("day %d: %d sessions by channel, %d in all", d, channels, visits)
		}
		for what, parts := range map[string]map[string]ga4.Counts{
			"devices": f.Devices, "countries": f.Countries, "ages": f.Ages,
		} {
			sum := ga4.Counts{KeyEvents: record.Micros(0)}
			for _, part := range parts {
				sum = plus(sum, part)
			}
			if diff := cmp.Diff(f.Total, sum); diff != "" {
				t.Fatalf("day %d: total (-) and sum of the %s (+):\n%s", d, what, diff)
			}
		}
	}
}

// A day grows while it lasts.
func TestFiguresOfToday(t *testing.T) {
	c := newCompany(t, Options{Seed: 1})
	s := newSite(c.Market, present)
	last := int64(-1)
	for now := c.Market.date(c.Market.days); now.Before(c.Market.date(c.Market.days + 1)); now = now.Add(3 * time.Hour) {
		n := s.figures(c.Market.days, now).Total.Sessions
		if n < last {
			t.Errorf("%s: %d sessions, before %d", now, n, last)
		}
		last = n
	}
	if whole := s.figures(c.Market.days, c.Market.date(c.Market.days+1)).Total.Sessions; last <= 0 || whole < last {
		t.Errorf("%d sessions in the evening, %d on the whole day", last, whole)
	}
}

// The longer a range, the more people, but those who come again are counted once.
func TestUsers(t *testing.T) {
	c := newCompany(t, Options{Seed: 1})
	s := newSite(c.Market, present)
	yesterday := c.Market.civil(c.Market.days - 1)
	day := s.users(yesterday, yesterday)
	for _, days := range []record.Day{2, 7, 30, 90, 365} {
		before := s.users(yesterday-days+2, yesterday)
		u := s.users(yesterday-days+1, yesterday)
		first := s.users(yesterday-days+1, yesterday-days+1)
		if u.Total <= before.Total || u.New != before.New+first.New || u.Total > before.Total+first.Total {
			t.Errorf("%d days: %+v, without the first %+v, the first alone %+v", days, u, before, first)
		}
		if returning := u.Total - u.New; returning > (day.Total-day.New)*int64(days) || returning > u.Total*6/10 {
			t.Errorf("%d days: %+v, on the last %+v: too many come back", days, u, day)
		}
	}
	year := s.users(yesterday-364, yesterday)
	if back := year.Total - year.New; back < 15_000 || back > 60_000 {
		t.Errorf("%+v in a year: want some ten thousands who come back", year)
	}
}
