package window_test

import (
	"testing"
	"time"
	_ "time/tzdata" // the tests must not depend on the machine's time zones

	"github.com/b2bexporter/b2b_exporter/internal/window"
)

func zone(t testing.TB, name string) *time.Location {
	t.Helper()
	loc, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return loc
}

// moment reads RFC 3339, whose offset makes every moment unambiguous.
func moment(t testing.TB, text string) int64 {
	t.Helper()
	at, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		t.Fatal(err)
	}
	return at.UnixMicro()
}

func day(t testing.TB, text string) window.Day {
	t.Helper()
	at, err := time.Parse(time.DateOnly, text)
	if err != nil {
		t.Fatal(err)
	}
	return window.DateDay(at.Date())
}

// show writes a moment as the zone's clocks show it, for failures.
func show(loc *time.Location, us int64) string {
	return time.UnixMicro(us).In(loc).Format("2006-01-02T15:04:05.999999Z07:00")
}

func TestStart(t *testing.T) {
	for _, tc := range []struct{ zone, day, want string }{
		{"UTC", "1970-01-01", "1970-01-01T00:00:00Z"},
		{"Europe/Berlin", "2024-03-31", "2024-03-31T00:00:00+01:00"},
		{"Europe/Berlin", "2024-04-01", "2024-04-01T00:00:00+02:00"},
		{"Asia/Kolkata", "2024-02-29", "2024-02-29T00:00:00+05:30"},
		{"Asia/Kathmandu", "2024-02-29", "2024-02-29T00:00:00+05:45"},
		{"Australia/Lord_Howe", "2024-04-08", "2024-04-08T00:00:00+10:30"},
		{"Australia/Lord_Howe", "2024-10-07", "2024-10-07T00:00:00+11:00"},
		// Midnight is skipped.
		{"America/Sao_Paulo", "2018-11-04", "2018-11-04T01:00:00-02:00"},
		{"Asia/Beirut", "2024-03-31", "2024-03-31T01:00:00+03:00"},
		{"Africa/Cairo", "2024-04-26", "2024-04-26T01:00:00+03:00"},
		{"America/Asuncion", "2023-10-01", "2023-10-01T01:00:00-03:00"},
		// The clocks go from 23:30 to 00:30: the day begins with the change.
		{"America/Toronto", "1919-03-31", "1919-03-31T00:30:00-04:00"},
		// Midnight comes twice: from 01:00 the clocks go back to 00:00.
		{"America/Havana", "2024-11-03", "2024-11-03T00:00:00-04:00"},
		// From 00:01 the clocks go back to 23:01 of the day before.
		{"America/St_Johns", "2010-11-07", "2010-11-07T00:00:00-02:30"},
		// The zone moved over the date line and skipped a day.
		{"Pacific/Apia", "2011-12-29", "2011-12-29T00:00:00-10:00"},
		{"Pacific/Apia", "2011-12-30", "2011-12-31T00:00:00+14:00"},
		{"Pacific/Apia", "2011-12-31", "2011-12-31T00:00:00+14:00"},
		// Far from the present; the last day of a leap year governed by a rule.
		{"Europe/Berlin", "1893-04-01", "1893-04-01T00:06:32+01:00"},
		{"America/New_York", "2088-12-31", "2088-12-31T00:00:00-05:00"},
		{"America/New_York", "2089-01-01", "2089-01-01T00:00:00-05:00"},
	} {
		loc := zone(t, tc.zone)
		if got, want := window.New(loc).Start(day(t, tc.day)), moment(t, tc.want); got != want {
			t.Errorf("%s: %s starts at %s, want %s", tc.zone, tc.day, show(loc, got), tc.want)
		}
	}
}

func TestDay(t *testing.T) {
	for _, tc := range []struct{ zone, at, want string }{
		{"UTC", "1969-12-31T23:59:59.999999Z", "1969-12-31"},
		{"UTC", "1970-01-01T00:00:00Z", "1970-01-01"},
		{"Europe/Berlin", "2024-10-27T23:59:59.999999+01:00", "2024-10-27"},
		{"Europe/Berlin", "2024-10-28T00:00:00+01:00", "2024-10-28"},
		{"America/Sao_Paulo", "2018-11-03T23:59:59.999999-03:00", "2018-11-03"},
		{"America/Sao_Paulo", "2018-11-04T01:00:00-02:00", "2018-11-04"},
		{"Pacific/Apia", "2011-12-29T23:59:59.999999-10:00", "2011-12-29"},
		{"Pacific/Apia", "2011-12-31T00:00:00+14:00", "2011-12-31"},
		{"America/St_Johns", "2010-11-06T23:30:00-02:30", "2010-11-06"},
		{"America/St_Johns", "2010-11-07T00:00:30-02:30", "2010-11-07"},
		{"America/St_Johns", "2010-11-06T23:30:00-03:30", "2010-11-07"}, // has begun already
		{"America/St_Johns", "1989-10-28T23:30:00-03:30", "1989-10-29"},
		{"America/New_York", "1989-12-31T23:59:59.999999-05:00", "1989-12-31"},
		{"America/New_York", "2060-12-31T00:00:00-05:00", "2060-12-31"},
		{"America/New_York", "2088-12-31T12:00:00-05:00", "2088-12-31"},
	} {
		if got := window.New(zone(t, tc.zone)).Day(moment(t, tc.at)); got != day(t, tc.want) {
			t.Errorf("%s: %s lies in %s, want %s", tc.zone, tc.at, got, tc.want)
		}
	}
}

func TestLocal(t *testing.T) {
	for _, tc := range []struct {
		zone             string
		month            time.Month
		year, day        int
		hour, minute, us int
		want             string
	}{
		{"Asia/Kathmandu", 2, 2024, 29, 12, 34, 567, "2024-02-29T12:34:00.000567+05:45"},
		{"Asia/Kathmandu", 14, 2023, 30, 12, 34, 0, "2024-03-01T12:34:00+05:45"}, // normalised
		// In a gap: moved on by an hour, by half an hour, by a day.
		{"Europe/Berlin", 3, 2024, 31, 1, 59, 999999, "2024-03-31T01:59:00.999999+01:00"},
		{"Europe/Berlin", 3, 2024, 31, 2, 0, 0, "2024-03-31T03:00:00+02:00"},
		{"Europe/Berlin", 3, 2024, 31, 2, 30, 0, "2024-03-31T03:30:00+02:00"},
		{"Europe/Berlin", 3, 2024, 31, 3, 0, 0, "2024-03-31T03:00:00+02:00"},
		{"America/New_York", 3, 2024, 10, 2, 30, 0, "2024-03-10T03:30:00-04:00"},
		{"Australia/Lord_Howe", 10, 2024, 6, 2, 10, 0, "2024-10-06T02:40:00+11:00"},
		{"America/Sao_Paulo", 11, 2018, 4, 0, 30, 0, "2018-11-04T01:30:00-02:00"},
		{"America/Toronto", 3, 1919, 31, 0, 0, 0, "1919-03-31T01:00:00-04:00"},
		{"Pacific/Apia", 12, 2011, 30, 15, 0, 0, "2011-12-31T15:00:00+14:00"},
		// Twice: the first.
		{"Europe/Berlin", 10, 2024, 27, 2, 0, 0, "2024-10-27T02:00:00+02:00"},
		{"Europe/Berlin", 10, 2024, 27, 2, 59, 999999, "2024-10-27T02:59:00.999999+02:00"},
		{"Europe/Berlin", 10, 2024, 27, 3, 0, 0, "2024-10-27T03:00:00+01:00"},
		{"America/New_York", 11, 2024, 3, 1, 30, 0, "2024-11-03T01:30:00-04:00"},
		{"Australia/Lord_Howe", 4, 2024, 7, 1, 45, 0, "2024-04-07T01:45:00+11:00"},
		{"America/St_Johns", 11, 2010, 6, 23, 30, 0, "2010-11-06T23:30:00-02:30"},
	} {
		loc := zone(t, tc.zone)
		want := moment(t, tc.want)
		if got := window.Local(loc, tc.year, tc.month, tc.day, tc.hour, tc.minute, 0, tc.us); got != want {
			t.Errorf("%s: Local = %s, want %s", tc.zone, show(loc, got), tc.want)
		}
		if got := window.New(loc).Local(tc.year, tc.month, tc.day, tc.hour, tc.minute, 0, tc.us); got != want {
			t.Errorf("%s: Calendar.Local = %s, want %s", tc.zone, show(loc, got), tc.want)
		}
	}
}

func TestBack(t *testing.T) {
	for _, tc := range []struct{ zone, at, span, want string }{
		{"Europe/Berlin", "2024-04-01T12:00:00+02:00", "1d", "2024-03-31T12:00:00+02:00"},
		{"Europe/Berlin", "2024-04-01T12:00:00+02:00", "2d", "2024-03-30T12:00:00+01:00"},
		{"Europe/Berlin", "2024-04-01T12:00:00+02:00", "48h", "2024-03-30T11:00:00+01:00"},
		{"Europe/Berlin", "2024-04-01T02:30:00.000001+02:00", "1d", "2024-03-31T03:30:00.000001+02:00"},
		{"Europe/Berlin", "2024-10-28T02:30:00+01:00", "1d", "2024-10-27T02:30:00+02:00"},
		{"Europe/Berlin", "2024-10-28T02:30:00+01:00", "24h", "2024-10-27T02:30:00+01:00"},
		{"Europe/Berlin", "2024-10-27T02:30:00+01:00", "1d", "2024-10-26T02:30:00+02:00"},
		{"Asia/Kolkata", "1970-01-01T00:00:00+05:30", "1d", "1969-12-31T00:00:00+05:30"},
		{"Pacific/Apia", "2011-12-31T12:00:00+14:00", "1d", "2011-12-31T12:00:00+14:00"},
		{"Pacific/Apia", "2011-12-31T12:00:00+14:00", "2d", "2011-12-29T12:00:00-10:00"},
		{"America/New_York", "2024-11-03T12:00:00-05:00", "1h30m", "2024-11-03T10:30:00-05:00"},
	} {
		loc := zone(t, tc.zone)
		span, err := window.ParseSpan(tc.span)
		if err != nil {
			t.Fatal(err)
		}
		if got := window.New(loc).Back(moment(t, tc.at), span); got != moment(t, tc.want) {
			t.Errorf("%s: %s before %s is %s, want %s", tc.zone, tc.span, tc.at, show(loc, got), tc.want)
		}
	}
}

func TestBackMonths(t *testing.T) {
	for _, tc := range []struct {
		zone, at string
		months   int
		want     string
	}{
		{"Europe/Berlin", "2024-03-31T12:00:00.000007+02:00", 1, "2024-02-29T12:00:00.000007+01:00"},
		{"Europe/Berlin", "2023-03-31T12:00:00+02:00", 1, "2023-02-28T12:00:00+01:00"},
		{"Europe/Berlin", "2024-03-31T12:00:00+02:00", 4, "2023-11-30T12:00:00+01:00"},
		{"Europe/Berlin", "2024-05-31T02:30:00+02:00", 2, "2024-03-31T03:30:00+02:00"},
		{"Europe/Berlin", "2024-11-27T02:30:00+01:00", 1, "2024-10-27T02:30:00+02:00"},
		{"Europe/Berlin", "2024-01-15T00:00:00+01:00", 1, "2023-12-15T00:00:00+01:00"},
		{"America/New_York", "2024-02-29T23:59:59.999999-05:00", 12, "2023-02-28T23:59:59.999999-05:00"},
		{"America/New_York", "2025-02-28T12:00:00-05:00", 12, "2024-02-28T12:00:00-05:00"},
		{"America/Sao_Paulo", "2018-12-04T00:15:00-02:00", 1, "2018-11-04T01:15:00-02:00"},
		{"UTC", "1970-01-31T06:00:00Z", 11, "1969-02-28T06:00:00Z"},
	} {
		loc := zone(t, tc.zone)
		c := window.New(loc)
		if got := c.BackMonths(moment(t, tc.at), tc.months); got != moment(t, tc.want) {
			t.Errorf("%s: %d months before %s is %s, want %s", tc.zone, tc.months, tc.at, show(loc, got), tc.want)
		}
		if tc.months == 12 {
			if got := c.BackYears(moment(t, tc.at), 1); got != moment(t, tc.want) {
				t.Errorf("%s: a year before %s is %s, want %s", tc.zone, tc.at, show(loc, got), tc.want)
			}
		}
	}
}

func TestDayDoesNotAllocate(t *testing.T) {
	c := window.New(zone(t, "Europe/Berlin"))
	for _, at := range []string{"2024-10-27T02:30:00+01:00", "1980-01-01T00:00:00+01:00", "2100-01-01T00:00:00+01:00"} {
		us := moment(t, at)
		if n := testing.AllocsPerRun(100, func() { c.Day(us) }); n != 0 {
			t.Errorf("Day(%s) allocates %v times", at, n)
		}
	}
}

func BenchmarkDay(b *testing.B) {
	c := window.New(zone(b, "Europe/Berlin"))
	from := moment(b, "2014-01-01T00:00:00+01:00")
	const step, years = 7_919_000_003, 10 * 365 * 86_400_000_000 // orders do not come sorted by day
	b.ReportAllocs()
	var us int64
	for b.Loop() {
		us = (us + step) % years
		c.Day(from + us)
	}
}

func BenchmarkBack(b *testing.B) {
	c := window.New(zone(b, "Europe/Berlin"))
	at := moment(b, "2024-06-01T12:00:00+02:00")
	b.ReportAllocs()
	for b.Loop() {
		c.Back(at, window.Span{Days: 180})
	}
}

func BenchmarkNew(b *testing.B) {
	loc := zone(b, "Europe/Berlin")
	for b.Loop() {
		window.New(loc)
	}
}
