package window_test

import (
	"maps"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/b2bexporter/b2b_exporter/internal/window"
)

// The properties are checked against definitions that look at a zone's clock minute by
// minute and know nothing of offsets or transitions. From 1973 on all offsets of these
// zones are whole minutes.

const (
	minute = int64(time.Minute / time.Microsecond)
	hour   = 60 * minute
)

// zones gives the zones with the oddest clocks, and caches their calendars.
type zones map[string]*window.Calendar

func newZones(t *testing.T) zones {
	zs := make(zones)
	for _, name := range []string{
		"UTC", "Europe/Berlin", "Europe/London", "America/New_York", "Asia/Kolkata", "Asia/Kathmandu",
		"Australia/Lord_Howe", "Antarctica/Troll", "America/St_Johns", "America/Havana", "Atlantic/Azores",
		"America/Sao_Paulo", "America/Asuncion", "America/Santiago", "Asia/Beirut", "Asia/Gaza", "Asia/Tehran", "Africa/Cairo",
		"Africa/Casablanca", "Pacific/Apia", "Pacific/Kwajalein", "Pacific/Kiritimati", "Pacific/Chatham",
	} {
		zs[name] = window.New(zone(t, name))
	}
	return zs
}

// draw gives a zone and a moment there: any one, or one within hours of a change of
// its clocks or of midnight, at times to the microsecond.
func (zs zones) draw(t *rapid.T) (*time.Location, *window.Calendar, int64) {
	name := rapid.SampledFrom(slices.Sorted(maps.Keys(zs))).Draw(t, "zone")
	loc, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	from, to := time.Date(1975, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2095, 1, 1, 0, 0, 0, 0, time.UTC)
	if rapid.Bool().Draw(t, "recent") {
		from, to = time.Date(1990, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
	}
	us := rapid.Int64Range(from.UnixMicro(), to.UnixMicro()).Draw(t, "moment")
	near := rapid.SampledFrom([]string{"", "change", "change", "midnight"}).Draw(t, "near")
	at := time.UnixMicro(us).In(loc)
	switch near {
	case "change":
		if start, _ := at.ZoneBounds(); start.Year() > 1974 {
			us = start.UnixMicro()
		}
	case "midnight":
		us -= int64(at.Hour())*hour + int64(at.Minute())*minute + int64(at.Second())*1e6 + int64(at.Nanosecond()/1000)
	}
	if near != "" {
		us += rapid.SampledFrom([]int64{0, -1, 1}).Draw(t, "microseconds")
		us += rapid.Int64Range(-12, 12).Draw(t, "quarters") * 15 * minute
	}
	return loc, zs[name], us
}

func dateAt(loc *time.Location, us int64) window.Day {
	return window.DateDay(time.UnixMicro(us).In(loc).Date())
}

// slowDay is the latest date that the clocks have shown in the two days up to us.
func slowDay(loc *time.Location, us int64) window.Day {
	latest := dateAt(loc, us)
	for v := us - us%minute; v > us-48*hour; v -= minute {
		latest = max(latest, dateAt(loc, v))
	}
	return latest
}

// slowStart is the first minute at which the clocks show d or a later date.
func slowStart(loc *time.Location, d window.Day) int64 {
	us := int64(d)*24*hour - 26*hour
	for dateAt(loc, us) < d {
		us += minute
	}
	return us
}

// wallAt is what the clocks show, as the microseconds of a clock in UTC.
func wallAt(loc *time.Location, us int64) int64 {
	t := time.UnixMicro(us).In(loc)
	return time.Date(t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), t.Second(), t.Nanosecond(), time.UTC).UnixMicro()
}

// slowLocal is the first moment at which the clocks show wall; where they never do
// and jump over it, the first moment at which they show it plus the length of the gap.
func slowLocal(loc *time.Location, wall int64) int64 {
	var gap int64
	before := wallAt(loc, wall-26*hour)
	for us := wall - 26*hour; us <= wall+26*hour; us += minute {
		shown := wallAt(loc, us)
		if shown == wall {
			return us
		}
		if before < wall && shown > wall {
			gap = shown - before - minute
		}
		before = shown
	}
	if gap == 0 {
		panic("the clocks neither show nor skip the wall clock")
	}
	return slowLocal(loc, wall+gap)
}

func TestDaysTileTime(t *testing.T) {
	zs := newZones(t)
	rapid.Check(t, func(t *rapid.T) {
		loc, c, us := zs.draw(t)
		d := c.Day(us)
		if want := slowDay(loc, us); d != want {
			t.Fatalf("Day(%s) = %s, want %s", show(loc, us), d, want)
		}
		start, end := c.Start(d), c.Start(d+1)
		if want := slowStart(loc, d); start != want {
			t.Fatalf("Start(%s) = %s, want %s", d, show(loc, start), show(loc, want))
		}
		if us < start || us >= end {
			t.Fatalf("%s lies in %s, but that is [%s, %s)", show(loc, us), d, show(loc, start), show(loc, end))
		}
		if first, last := c.Day(start), c.Day(end-1); first != d || last != d {
			t.Fatalf("%s begins in %s and ends in %s", d, first, last)
		}
	})
}

// TestEveryDay walks through all days of the years in question, and some before and
// after, where moments are looked up in another way.
func TestEveryDay(t *testing.T) {
	for name, c := range newZones(t) {
		loc := zone(t, name)
		for d := window.DateDay(1985, 1, 1); d < window.DateDay(2066, 1, 1); d++ {
			start, end := c.Start(d), c.Start(d+1)
			if start > end {
				t.Fatalf("%s: %s starts after %s", name, d, d+1)
			}
			if start == end {
				if dateAt(loc, start) == d {
					t.Errorf("%s: %s is empty, but the clocks show it at %s", name, d, show(loc, start))
				}
				continue
			}
			if length := end - start; length < 22*hour || length > 26*hour {
				t.Errorf("%s: %s is %d minutes long", name, d, length/minute)
			}
			if dateAt(loc, start) != d {
				t.Errorf("%s: %s starts at %s", name, d, show(loc, start))
			}
			if c.Day(start) != d || c.Day(end-1) != d {
				t.Errorf("%s: %s begins in %s and ends in %s", name, d, c.Day(start), c.Day(end-1))
			}
		}
	}
}

func TestLocalProperty(t *testing.T) {
	zs := newZones(t)
	rapid.Check(t, func(t *rapid.T) {
		loc, c, us := zs.draw(t)
		// A wall clock near what is shown: near a change it may be one that is skipped.
		wall := wallAt(loc, us) + rapid.Int64Range(-8, 8).Draw(t, "off")*15*minute
		w := time.UnixMicro(wall).UTC()
		got := c.Local(w.Year(), w.Month(), w.Day(), w.Hour(), w.Minute(), w.Second(), w.Nanosecond()/1000)
		if want := slowLocal(loc, wall); got != want {
			t.Fatalf("Local(%s) = %s, want %s", w.Format(time.DateTime), show(loc, got), show(loc, want))
		}
	})
}

// slowBack takes n days and months off the date that the clocks show and keeps the
// time of day.
func slowBack(loc *time.Location, us int64, days, months int) int64 {
	wall := wallAt(loc, us)
	shown := dateAt(loc, us)
	clock := wall - int64(shown)*24*hour
	return slowLocal(loc, int64(slowAddMonths(shown-window.Day(days), -months))*24*hour+clock)
}

func TestBackProperty(t *testing.T) {
	zs := newZones(t)
	rapid.Check(t, func(t *rapid.T) {
		loc, c, us := zs.draw(t)
		days := rapid.SampledFrom([]int{1, 7, 30, 180, 365}).Draw(t, "days")
		if got, want := c.Back(us, window.Span{Days: days}), slowBack(loc, us, days, 0); got != want {
			t.Fatalf("%d days before %s: %s, want %s", days, show(loc, us), show(loc, got), show(loc, want))
		}
		months := rapid.IntRange(1, 24).Draw(t, "months")
		if got, want := c.BackMonths(us, months), slowBack(loc, us, 0, months); got != want {
			t.Fatalf("%d months before %s: %s, want %s", months, show(loc, us), show(loc, got), show(loc, want))
		}
		elapsed := time.Duration(rapid.Int64Range(1, 1e6).Draw(t, "seconds")) * time.Second
		if got := c.Back(us, window.Span{Elapsed: elapsed}); us-got != elapsed.Microseconds() {
			t.Fatalf("%s before %s: %s", elapsed, show(loc, us), show(loc, got))
		}
	})
}

func TestWholeDayWindowsProperty(t *testing.T) {
	zs := newZones(t)
	rapid.Check(t, func(t *rapid.T) {
		loc, c, asOf := zs.draw(t)
		n := rapid.SampledFrom(window.Names()[1:6]).Draw(t, "window")
		today := slowDay(loc, asOf)
		this, previous, yearAgo := c.Window(n, asOf), c.Previous(n, asOf), c.YearAgo(n, asOf)

		if this.End != slowStart(loc, today) || this.End > asOf {
			t.Fatalf("%s at %s ends at %s", n, show(loc, asOf), show(loc, this.End))
		}
		if previous.End != this.Start {
			t.Fatalf("%s previous at %s ends at %s, not at %s", n, show(loc, asOf), show(loc, previous.End), show(loc, this.Start))
		}
		days := window.Day(n.Days())
		checkDates(t, loc, this, today-days, today)
		checkDates(t, loc, previous, today-2*days, today-days)
		first, last := slowAddMonths(today-days, -12), slowAddMonths(today-1, -12)
		if want := (window.Range{Start: slowStart(loc, first), End: slowStart(loc, last+1)}); yearAgo != want {
			t.Fatalf("%s year ago at %s: [%s, %s), want %s to %s", n, show(loc, asOf), show(loc, yearAgo.Start), show(loc, yearAgo.End), first, last)
		}
	})
}

// checkDates goes through r hour by hour: the clocks must show the dates from first up
// to end, which is not one of them, and no others.
func checkDates(t *rapid.T, loc *time.Location, r window.Range, first, end window.Day) {
	shown := make(map[window.Day]bool)
	latest := dateAt(loc, r.Start)
	for us := r.Start; us < r.End; us += hour {
		latest = max(latest, dateAt(loc, us)) // a date shown again after the next one is over
		shown[latest] = true
	}
	for d := first; d < end; d++ {
		if !shown[d] && dateAt(loc, slowStart(loc, d)) == d {
			t.Errorf("[%s, %s) does not hold %s", show(loc, r.Start), show(loc, r.End), d)
		}
		delete(shown, d)
	}
	for d := range shown {
		t.Errorf("[%s, %s) holds %s", show(loc, r.Start), show(loc, r.End), d)
	}
}

func TestRunningWindowsProperty(t *testing.T) {
	zs := newZones(t)
	months := map[window.Name]int{window.MTD: 1, window.QTD: 3, window.YTD: 12}
	rapid.Check(t, func(t *rapid.T) {
		loc, c, asOf := zs.draw(t)
		n := rapid.SampledFrom([]window.Name{window.Today, window.MTD, window.QTD, window.YTD}).Draw(t, "window")
		today := slowDay(loc, asOf)
		// begin walks back from a day to the first of its period.
		begin := func(d window.Day) window.Day {
			for n != window.Today {
				if _, m, dom := d.Date(); dom == 1 && (int(m)-1)%months[n] == 0 {
					break
				}
				d--
			}
			return d
		}
		before, end := today-1, slowBack(loc, asOf, 1, 0)
		if n != window.Today {
			before, end = slowAddMonths(today, -months[n]), slowBack(loc, asOf, 0, months[n])
		}
		for what, tc := range map[string]struct {
			got   window.Range
			first window.Day
			end   int64
		}{
			"":          {c.Window(n, asOf), begin(today), asOf},
			" previous": {c.Previous(n, asOf), begin(before), end},
			" year ago": {c.YearAgo(n, asOf), slowAddMonths(begin(today), -12), slowBack(loc, asOf, 0, 12)},
		} {
			start := slowStart(loc, tc.first)
			if want := (window.Range{Start: start, End: max(start, tc.end)}); tc.got != want {
				t.Errorf("%s%s at %s: [%s, %s), want [%s, %s)", n, what, show(loc, asOf),
					show(loc, tc.got.Start), show(loc, tc.got.End), show(loc, want.Start), show(loc, want.End))
			}
		}
	})
}
