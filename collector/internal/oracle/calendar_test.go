package oracle

import (
	"testing"
	"time"
)

func calendarIn(t *testing.T, zone string) *calendar {
	t.Helper()
	location, err := time.LoadLocation(zone)
	if err != nil {
		t.Fatal(err)
	}
	return newCalendar(location)
}

func utc(t int64) string { return time.UnixMicro(t).UTC().Format("2006-01-02T15:04") }

func TestFirstInstant(t *testing.T) {
	for _, test := range []struct {
		zone, want string
		y, m, d    int
	}{
		{"Europe/Berlin", "2024-03-30T23:00", 2024, 3, 31},
		{"Europe/Berlin", "2024-03-31T22:00", 2024, 4, 1},
		{"Asia/Kolkata", "2024-01-31T18:30", 2024, 2, 1},
		{"America/Sao_Paulo", "2018-11-04T03:00", 2018, 11, 4}, // begins at 01:00
		{"America/Sao_Paulo", "2019-02-16T02:00", 2019, 2, 16}, // 25 hours long
		{"America/Sao_Paulo", "2019-02-17T03:00", 2019, 2, 17},
		{"Pacific/Apia", "2011-12-30T10:00", 2011, 12, 30}, // a day that never was
	} {
		if got := utc(calendarIn(t, test.zone).firstInstant(date(test.y, test.m, test.d))); got != test.want {
			t.Errorf("%s: %d-%d-%d begins at %s, want %s", test.zone, test.y, test.m, test.d, got, test.want)
		}
	}
}

func TestWallClock(t *testing.T) {
	for _, test := range []struct {
		zone, want    string
		y, m, d, h, M int
	}{
		{"Europe/Berlin", "2024-03-31T01:30", 2024, 3, 31, 2, 30},       // in the gap: 03:30
		{"Europe/Berlin", "2024-10-27T00:30", 2024, 10, 27, 2, 30},      // twice: the first
		{"Australia/Lord_Howe", "2024-10-05T15:45", 2024, 10, 6, 2, 15}, // a gap of half an hour
		{"Australia/Lord_Howe", "2024-04-06T14:45", 2024, 4, 7, 1, 45},
		{"America/Sao_Paulo", "2018-11-04T03:30", 2018, 11, 4, 0, 30},
	} {
		clock := int64(test.h)*hour + int64(test.M)*60*second
		if got := utc(calendarIn(t, test.zone).at(date(test.y, test.m, test.d), clock)); got != test.want {
			t.Errorf("%s: %d-%d-%d %02d:%02d is %s, want %s", test.zone, test.y, test.m, test.d, test.h, test.M, got, test.want)
		}
	}
}

func TestWindows(t *testing.T) {
	c := calendarIn(t, "Europe/Berlin")
	endOfMarch := c.at(date(2024, 3, 31), 12*hour)
	firstOfMarch := c.at(date(2024, 3, 1), 9*hour)
	for _, test := range []struct {
		name       string
		got        span
		start, end string
	}{
		{"today", c.window("today", endOfMarch), "2024-03-30T23:00", "2024-03-31T10:00"},
		{"1d", c.window("1d", endOfMarch), "2024-03-29T23:00", "2024-03-30T23:00"},
		{"7d", c.window("7d", endOfMarch), "2024-03-23T23:00", "2024-03-30T23:00"},
		{"qtd", c.window("qtd", endOfMarch), "2023-12-31T23:00", "2024-03-31T10:00"},
		{"today previous", c.previous("today", endOfMarch), "2024-03-29T23:00", "2024-03-30T11:00"},
		{"today year ago", c.yearAgo("today", endOfMarch), "2023-03-30T22:00", "2023-03-31T10:00"},
		{"7d previous", c.previous("7d", endOfMarch), "2024-03-16T23:00", "2024-03-23T23:00"},
		{"mtd previous, clipped", c.previous("mtd", endOfMarch), "2024-01-31T23:00", "2024-02-29T11:00"},
		{"qtd previous", c.previous("qtd", endOfMarch), "2023-09-30T22:00", "2023-12-31T11:00"},
		{"ytd previous", c.previous("ytd", endOfMarch), "2022-12-31T23:00", "2023-03-31T10:00"},
		{"mtd year ago", c.yearAgo("mtd", endOfMarch), "2023-02-28T23:00", "2023-03-31T10:00"},
		{"1d year ago of 29 February", c.yearAgo("1d", firstOfMarch), "2023-02-27T23:00", "2023-02-28T23:00"},
		{"7d year ago", c.yearAgo("7d", firstOfMarch), "2023-02-22T23:00", "2023-02-28T23:00"},
	} {
		if start, end := utc(test.got.start), utc(test.got.end); start != test.start || end != test.end {
			t.Errorf("%s: [%s, %s), want [%s, %s)", test.name, start, end, test.start, test.end)
		}
	}
}
