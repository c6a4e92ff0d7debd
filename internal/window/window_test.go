package window_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/b2bexporter/b2b_exporter/internal/window"
)

func TestNames(t *testing.T) {
	days := map[window.Name]int{"1d": 1, "7d": 7, "30d": 30, "90d": 90, "365d": 365}
	want := []window.Name{"today", "1d", "7d", "30d", "90d", "365d", "mtd", "qtd", "ytd"}
	if got := window.Names(); !slices.Equal(got, want) {
		t.Errorf("Names() = %v, want %v", got, want)
	}
	for _, n := range want {
		if got, err := window.ParseName(string(n)); err != nil || got != n {
			t.Errorf("ParseName(%q) = %q, %v", n, got, err)
		}
		if got := n.Days(); got != days[n] {
			t.Errorf("%s has %d days, want %d", n, got, days[n])
		}
	}
}

func TestParseNameUnknown(t *testing.T) {
	_, err := window.ParseName("14d")
	const want = `unknown window "14d": use one of [today 1d 7d 30d 90d 365d mtd qtd ytd]`
	if err == nil || err.Error() != want {
		t.Errorf("ParseName(14d): error %v, want %s", err, want)
	}
}

func TestUnknownNamePanics(t *testing.T) {
	c := window.New(time.UTC)
	for what, f := range map[string]func(window.Name, int64) window.Range{
		"Window": c.Window, "Previous": c.Previous, "YearAgo": c.YearAgo,
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s does not panic for an unknown name", what)
				}
			}()
			f("14d", 0)
		}()
	}
}

// rangeOf reads "START END" in RFC 3339.
func rangeOf(t *testing.T, text string) window.Range {
	t.Helper()
	start, end, _ := strings.Cut(text, " ")
	return window.Range{Start: moment(t, start), End: moment(t, end)}
}

func check(t *testing.T, what string, loc *time.Location, got window.Range, want string) {
	t.Helper()
	if got != rangeOf(t, want) {
		t.Errorf("%s: %s = [%s, %s), want [%s)", loc, what, show(loc, got.Start), show(loc, got.End), want)
	}
}

// TestWindowsOfOneMoment lists every window and comparison window of one moment, of
// which some lie on the other side of a clock change.
func TestWindowsOfOneMoment(t *testing.T) {
	loc := zone(t, "Europe/London")
	c := window.New(loc)
	asOf := moment(t, "2011-12-10T12:00:00Z")
	for _, tc := range []struct {
		name                    window.Name
		this, previous, yearAgo string
	}{
		{
			window.Today, "2011-12-10T00:00:00Z 2011-12-10T12:00:00Z",
			"2011-12-09T00:00:00Z 2011-12-09T12:00:00Z", "2010-12-10T00:00:00Z 2010-12-10T12:00:00Z",
		},
		{
			window.Days1, "2011-12-09T00:00:00Z 2011-12-10T00:00:00Z",
			"2011-12-08T00:00:00Z 2011-12-09T00:00:00Z", "2010-12-09T00:00:00Z 2010-12-10T00:00:00Z",
		},
		{
			window.Days7, "2011-12-03T00:00:00Z 2011-12-10T00:00:00Z",
			"2011-11-26T00:00:00Z 2011-12-03T00:00:00Z", "2010-12-03T00:00:00Z 2010-12-10T00:00:00Z",
		},
		{
			window.Days30, "2011-11-10T00:00:00Z 2011-12-10T00:00:00Z",
			"2011-10-11T00:00:00+01:00 2011-11-10T00:00:00Z", "2010-11-10T00:00:00Z 2010-12-10T00:00:00Z",
		},
		{
			window.Days90, "2011-09-11T00:00:00+01:00 2011-12-10T00:00:00Z",
			"2011-06-13T00:00:00+01:00 2011-09-11T00:00:00+01:00", "2010-09-11T00:00:00+01:00 2010-12-10T00:00:00Z",
		},
		{
			window.Days365, "2010-12-10T00:00:00Z 2011-12-10T00:00:00Z",
			"2009-12-10T00:00:00Z 2010-12-10T00:00:00Z", "2009-12-10T00:00:00Z 2010-12-10T00:00:00Z",
		},
		{
			window.MTD, "2011-12-01T00:00:00Z 2011-12-10T12:00:00Z",
			"2011-11-01T00:00:00Z 2011-11-10T12:00:00Z", "2010-12-01T00:00:00Z 2010-12-10T12:00:00Z",
		},
		{
			window.QTD, "2011-10-01T00:00:00+01:00 2011-12-10T12:00:00Z",
			"2011-07-01T00:00:00+01:00 2011-09-10T12:00:00+01:00", "2010-10-01T00:00:00+01:00 2010-12-10T12:00:00Z",
		},
		{
			window.YTD, "2011-01-01T00:00:00Z 2011-12-10T12:00:00Z",
			"2010-01-01T00:00:00Z 2010-12-10T12:00:00Z", "2010-01-01T00:00:00Z 2010-12-10T12:00:00Z",
		},
	} {
		check(t, string(tc.name), loc, c.Window(tc.name, asOf), tc.this)
		check(t, string(tc.name)+" previous", loc, c.Previous(tc.name, asOf), tc.previous)
		check(t, string(tc.name)+" year ago", loc, c.YearAgo(tc.name, asOf), tc.yearAgo)
	}
}

func TestWindow(t *testing.T) {
	for _, tc := range []struct {
		zone, asOf string
		name       window.Name
		want       string
	}{
		// At a day's, month's, quarter's or year's first moment the new one has begun.
		{"UTC", "2024-01-01T00:00:00Z", "today", "2024-01-01T00:00:00Z 2024-01-01T00:00:00Z"},
		{"UTC", "2024-01-01T00:00:00Z", "1d", "2023-12-31T00:00:00Z 2024-01-01T00:00:00Z"},
		{"UTC", "2024-01-01T00:00:00Z", "ytd", "2024-01-01T00:00:00Z 2024-01-01T00:00:00Z"},
		{"UTC", "2023-12-31T23:59:59.999999Z", "1d", "2023-12-30T00:00:00Z 2023-12-31T00:00:00Z"},
		{"UTC", "2023-12-31T23:59:59.999999Z", "ytd", "2023-01-01T00:00:00Z 2023-12-31T23:59:59.999999Z"},
		// A day of 23 and one of 25 hours.
		{"Europe/Berlin", "2024-04-01T09:00:00+02:00", "1d", "2024-03-31T00:00:00+01:00 2024-04-01T00:00:00+02:00"},
		{"America/New_York", "2024-11-04T09:00:00-05:00", "1d", "2024-11-03T00:00:00-04:00 2024-11-04T00:00:00-05:00"},
		// The second 02:30.
		{"Europe/Berlin", "2024-10-27T02:30:00+01:00", "today", "2024-10-27T00:00:00+02:00 2024-10-27T02:30:00+01:00"},
		// A day that begins at 01:00, and one that does not exist.
		{"America/Sao_Paulo", "2018-11-05T09:00:00-02:00", "1d", "2018-11-04T01:00:00-02:00 2018-11-05T00:00:00-02:00"},
		{"Pacific/Apia", "2011-12-31T09:00:00+14:00", "1d", "2011-12-31T00:00:00+14:00 2011-12-31T00:00:00+14:00"},
		{"Pacific/Apia", "2011-12-31T09:00:00+14:00", "7d", "2011-12-24T00:00:00-10:00 2011-12-31T00:00:00+14:00"},
		// Clocks turned back from 00:01 on the first of the month: it goes on.
		{"America/St_Johns", "2009-10-31T23:30:00-03:30", "mtd", "2009-11-01T00:00:00-02:30 2009-10-31T23:30:00-03:30"},
	} {
		loc := zone(t, tc.zone)
		check(t, string(tc.name)+" at "+tc.asOf, loc, window.New(loc).Window(tc.name, moment(t, tc.asOf)), tc.want)
	}
}

func TestPrevious(t *testing.T) {
	for _, tc := range []struct {
		zone, asOf string
		name       window.Name
		want       string
	}{
		{"UTC", "2024-03-31T12:00:00Z", "mtd", "2024-02-01T00:00:00Z 2024-02-29T12:00:00Z"},
		{"UTC", "2024-05-31T12:00:00Z", "qtd", "2024-01-01T00:00:00Z 2024-02-29T12:00:00Z"},
		{"UTC", "2024-02-29T12:00:00Z", "ytd", "2023-01-01T00:00:00Z 2023-02-28T12:00:00Z"},
		{"UTC", "2024-03-01T00:00:00Z", "mtd", "2024-02-01T00:00:00Z 2024-02-01T00:00:00Z"},
		{"UTC", "2024-03-01T00:00:00Z", "today", "2024-02-29T00:00:00Z 2024-02-29T00:00:00Z"},
		{"UTC", "2024-03-01T12:00:00Z", "1d", "2024-02-28T00:00:00Z 2024-02-29T00:00:00Z"},
		// The same wall clock lies in a gap, or comes twice.
		{"Europe/Berlin", "2024-04-01T02:30:00+02:00", "today", "2024-03-31T00:00:00+01:00 2024-03-31T03:30:00+02:00"},
		{"Europe/Berlin", "2024-10-28T02:30:00+01:00", "today", "2024-10-27T00:00:00+02:00 2024-10-27T02:30:00+02:00"},
		{"America/Sao_Paulo", "2018-11-05T00:15:00-02:00", "today", "2018-11-04T01:00:00-02:00 2018-11-04T01:15:00-02:00"},
		{"Australia/Lord_Howe", "2024-11-06T02:10:00+11:00", "mtd", "2024-10-01T00:00:00+10:30 2024-10-06T02:40:00+11:00"},
		// The clocks show the day before again: of the last month nothing has passed.
		{"America/St_Johns", "2009-10-31T23:30:00-03:30", "mtd", "2009-10-01T00:00:00-02:30 2009-10-01T00:00:00-02:30"},
	} {
		loc := zone(t, tc.zone)
		check(t, string(tc.name)+" previous at "+tc.asOf, loc, window.New(loc).Previous(tc.name, moment(t, tc.asOf)), tc.want)
	}
}

func TestYearAgo(t *testing.T) {
	for _, tc := range []struct {
		zone, asOf string
		name       window.Name
		want       string
	}{
		{"UTC", "2024-02-29T12:00:00Z", "today", "2023-02-28T00:00:00Z 2023-02-28T12:00:00Z"},
		{"UTC", "2024-02-29T12:00:00Z", "mtd", "2023-02-01T00:00:00Z 2023-02-28T12:00:00Z"},
		{"UTC", "2024-02-29T12:00:00Z", "qtd", "2023-01-01T00:00:00Z 2023-02-28T12:00:00Z"},
		// From 29 February, to it, and over it in the year before.
		{"UTC", "2024-03-01T12:00:00Z", "1d", "2023-02-28T00:00:00Z 2023-03-01T00:00:00Z"},
		{"UTC", "2024-03-07T12:00:00Z", "7d", "2023-02-28T00:00:00Z 2023-03-07T00:00:00Z"},
		{"UTC", "2025-03-01T12:00:00Z", "1d", "2024-02-28T00:00:00Z 2024-02-29T00:00:00Z"},
		{"UTC", "2025-03-04T12:00:00Z", "7d", "2024-02-25T00:00:00Z 2024-03-04T00:00:00Z"},
		{"UTC", "2024-12-31T12:00:00Z", "365d", "2023-01-01T00:00:00Z 2023-12-31T00:00:00Z"},
		// The day a year earlier begins at 01:00.
		{"America/Sao_Paulo", "2019-11-04T00:15:00-03:00", "today", "2018-11-04T01:00:00-02:00 2018-11-04T01:15:00-02:00"},
		{"America/Sao_Paulo", "2019-11-05T12:00:00-03:00", "1d", "2018-11-04T01:00:00-02:00 2018-11-05T00:00:00-02:00"},
		{"Pacific/Apia", "2012-12-31T12:00:00+14:00", "1d", "2011-12-31T00:00:00+14:00 2011-12-31T00:00:00+14:00"},
	} {
		loc := zone(t, tc.zone)
		check(t, string(tc.name)+" year ago at "+tc.asOf, loc, window.New(loc).YearAgo(tc.name, moment(t, tc.asOf)), tc.want)
	}
}

func TestLastDays(t *testing.T) {
	loc := zone(t, "Europe/Berlin")
	c := window.New(loc)
	asOf := moment(t, "2024-04-03T12:00:00+02:00")
	check(t, "3 days", loc, c.LastDays(3, asOf, 0), "2024-03-31T00:00:00+01:00 2024-04-03T00:00:00+02:00")
	check(t, "3 days, 3 days earlier", loc, c.LastDays(3, asOf, 3), "2024-03-28T00:00:00+01:00 2024-03-31T00:00:00+01:00")
	check(t, "14 days", loc, c.LastDays(14, asOf, 1), "2024-03-19T00:00:00+01:00 2024-04-02T00:00:00+02:00")
}
