package record_test

import (
	"testing"
	"time"

	"github.com/b2bexporter/b2b_exporter/internal/record"
)

func TestInstant(t *testing.T) {
	moment := time.Date(2024, time.March, 31, 1, 30, 0, 123_000, time.UTC)
	firstInstant := func(d record.Day) int64 { return int64(d)*1000 + 7 }
	if got, want := record.At(moment).Resolve(firstInstant), moment.UnixMicro(); got != want {
		t.Errorf("a moment resolves to %d, want %d", got, want)
	}
	day := record.DateDay(2024, time.March, 31)
	if got, want := record.OnDate(day).Resolve(firstInstant), firstInstant(day); got != want {
		t.Errorf("a date resolves to %d, want %d", got, want)
	}
	var null record.Instant
	if !null.IsNull() || record.At(time.UnixMicro(0)).IsNull() || record.OnDate(0).IsNull() {
		t.Error("only the zero Instant is null: 1970-01-01 is a date like others")
	}
	if record.At(time.UnixMicro(0)) == record.OnDate(0) {
		t.Error("a moment and a date are not told apart")
	}
}

func TestDay(t *testing.T) {
	for _, test := range []struct {
		y    int
		m    time.Month
		d    int
		day  record.Day
		text string
	}{
		{1970, time.January, 1, 0, "1970-01-01"},
		{1969, time.December, 31, -1, "1969-12-31"},
		{2024, time.February, 29, 19782, "2024-02-29"},
		{2023, time.February, 29, 19417, "2023-03-01"},
		{2024, 13, 0, 20088, "2024-12-31"},
	} {
		day := record.DateDay(test.y, test.m, test.d)
		if day != test.day || day.String() != test.text {
			t.Errorf("DateDay(%d, %d, %d) = %d (%s), want %d (%s)", test.y, test.m, test.d, day, day, test.day, test.text)
		}
		if y, m, d := day.Date(); record.DateDay(y, m, d) != day {
			t.Errorf("%s.Date() = %d-%d-%d", day, y, m, d)
		}
	}
	// The day is what the clocks of the time's own zone show.
	eastern := time.Date(2024, time.May, 1, 23, 59, 0, 0, time.FixedZone("", -5*3600))
	if got, want := record.DayOf(eastern), record.DateDay(2024, time.May, 1); got != want {
		t.Errorf("DayOf(%s) = %s, want %s", eastern, got, want)
	}
}
