package window_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/b2bexporter/b2b_exporter/internal/window"
)

func TestDateDay(t *testing.T) {
	for _, tc := range []struct {
		y    int
		m    time.Month
		d    int
		want window.Day
		text string
	}{
		{1970, 1, 1, 0, "1970-01-01"},
		{1969, 12, 31, -1, "1969-12-31"},
		{2000, 2, 29, 11016, "2000-02-29"},
		{2023, 14, 30, 19783, "2024-03-01"},
		{1600, 3, 1, -135080, "1600-03-01"},
	} {
		d := window.DateDay(tc.y, tc.m, tc.d)
		if d != tc.want || d.String() != tc.text {
			t.Errorf("DateDay(%d, %d, %d) = %d, %s, want %d, %s", tc.y, tc.m, tc.d, d, d, tc.want, tc.text)
		}
	}
}

func TestPeriodStarts(t *testing.T) {
	for _, tc := range []struct{ day, month, quarter, year string }{
		{"2024-01-01", "2024-01-01", "2024-01-01", "2024-01-01"},
		{"2024-02-29", "2024-02-01", "2024-01-01", "2024-01-01"},
		{"2024-03-31", "2024-03-01", "2024-01-01", "2024-01-01"},
		{"2024-04-01", "2024-04-01", "2024-04-01", "2024-01-01"},
		{"2024-09-30", "2024-09-01", "2024-07-01", "2024-01-01"},
		{"2024-12-31", "2024-12-01", "2024-10-01", "2024-01-01"},
		{"1969-11-15", "1969-11-01", "1969-10-01", "1969-01-01"},
	} {
		d := day(t, tc.day)
		if got := window.MonthStart(d); got != day(t, tc.month) {
			t.Errorf("MonthStart(%s) = %s, want %s", d, got, tc.month)
		}
		if got := window.QuarterStart(d); got != day(t, tc.quarter) {
			t.Errorf("QuarterStart(%s) = %s, want %s", d, got, tc.quarter)
		}
		if got := window.YearStart(d); got != day(t, tc.year) {
			t.Errorf("YearStart(%s) = %s, want %s", d, got, tc.year)
		}
	}
}

func TestAddMonths(t *testing.T) {
	for _, tc := range []struct {
		day  string
		n    int
		want string
	}{
		{"2024-03-31", -1, "2024-02-29"},
		{"2023-03-31", -1, "2023-02-28"},
		{"2024-01-31", 1, "2024-02-29"},
		{"2024-01-31", 3, "2024-04-30"},
		{"2024-02-29", -12, "2023-02-28"},
		{"2024-02-29", -48, "2020-02-29"},
		{"2024-02-29", 12, "2025-02-28"},
		{"2023-12-31", 2, "2024-02-29"},
		{"2024-01-15", -1, "2023-12-15"},
		{"2024-05-17", 0, "2024-05-17"},
	} {
		if got := window.AddMonths(day(t, tc.day), tc.n); got != day(t, tc.want) {
			t.Errorf("AddMonths(%s, %d) = %s, want %s", tc.day, tc.n, got, tc.want)
		}
	}
}

// slowAddMonths shortens the day of the month until the date exists.
func slowAddMonths(d window.Day, n int) window.Day {
	y, m, dom := time.Unix(int64(d)*86400, 0).UTC().Date()
	for ; ; dom-- {
		want := ((int(m)-1+n)%12+12)%12 + 1
		if at := time.Date(y, m+time.Month(n), dom, 0, 0, 0, 0, time.UTC); int(at.Month()) == want {
			return window.Day(at.Unix() / 86400)
		}
	}
}

func TestAddMonthsProperty(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := window.Day(rapid.Int32Range(-20000, 60000).Draw(t, "day"))
		n := rapid.IntRange(-60, 60).Draw(t, "months")
		if got, want := window.AddMonths(d, n), slowAddMonths(d, n); got != want {
			t.Fatalf("AddMonths(%s, %d) = %s, want %s", d, n, got, want)
		}
	})
}
