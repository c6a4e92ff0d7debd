package window

import (
	"math"
	"time"
)

const dayMicros = int64(24 * time.Hour / time.Microsecond)

// Calendar maps moments to the days of a time zone and back. It is immutable and
// safe for concurrent use.
//
// Days tile time: a day lasts from the first moment at which the zone's clocks show
// it or a later one to the next day's. It is not always 24 hours long, does not
// always begin at 00:00, and is empty where a zone skips it.
type Calendar struct {
	loc *time.Location
	// starts holds the starts of the days from firstDay on: finding the day of each
	// record by time.Time would cost more than summing it.
	starts   []int64
	firstDay Day
}

// New returns the calendar of a zone.
func New(loc *time.Location) *Calendar {
	first, last := DateDay(1990, time.January, 1), DateDay(2060, time.December, 31)
	c := &Calendar{loc: loc, firstDay: first, starts: make([]int64, 0, last-first+1)}
	for d := first; d <= last; d++ {
		c.starts = append(c.starts, dayStart(loc, d))
	}
	return c
}

// Start returns the first moment of d. A day that the zone skips starts where the
// next one does.
func (c *Calendar) Start(d Day) int64 {
	if i := int(d) - int(c.firstDay); i >= 0 && i < len(c.starts) {
		return c.starts[i]
	}
	return dayStart(c.loc, d)
}

// Day returns the day that holds the moment us. It is the date that the zone's
// clocks show then, save where they are turned back over midnight: the new day,
// once begun, goes on.
func (c *Calendar) Day(us int64) Day {
	last := len(c.starts) - 1
	if us < c.starts[0] || us >= c.starts[last] {
		return c.farDay(us)
	}
	// Right but for what the zone's offset has changed since the table's first day.
	i := min(int((us-c.starts[0])/dayMicros), last-1)
	for us < c.starts[i] {
		i--
	}
	for us >= c.starts[i+1] {
		i++
	}
	return c.firstDay + Day(i)
}

func (c *Calendar) farDay(us int64) Day {
	d, _ := splitWall(wallOf(c.loc, us))
	for dayStart(c.loc, d+1) <= us {
		d++
	}
	return d
}

// Local returns the moment of a wall clock in the calendar's zone, as the function
// Local does.
func (c *Calendar) Local(y int, m time.Month, d, h, minute, s, us int) int64 {
	return Local(c.loc, y, m, d, h, minute, s, us)
}

// Local returns the moment of a wall clock in loc. One that the zone's clocks skip is
// moved on by the length of the gap; one that they show twice is the first. Values out
// of range are normalised as time.Date does.
func Local(loc *time.Location, y int, m time.Month, d, h, minute, s, us int) int64 {
	wall := time.Date(y, m, d, h, minute, s, 0, time.UTC).UnixMicro() + int64(us)
	_, at := reach(loc, wall)
	return at
}

// Back returns the moment that lies s before us: for days the same wall clock that
// many calendar days earlier, as Local resolves it.
func (c *Calendar) Back(us int64, s Span) int64 {
	if s.Days == 0 {
		return us - s.Elapsed.Microseconds()
	}
	_, at := reach(c.loc, wallOf(c.loc, us)-int64(s.Days)*dayMicros)
	return at
}

// BackMonths returns the moment n months before us: the same wall clock on the same
// day of the month or, where that month is shorter, on its last day.
func (c *Calendar) BackMonths(us int64, n int) int64 {
	d, clock := splitWall(wallOf(c.loc, us))
	_, at := reach(c.loc, int64(AddMonths(d, -n))*dayMicros+clock)
	return at
}

// BackYears returns the moment n years before us; 29 February becomes 28 February.
func (c *Calendar) BackYears(us int64, n int) int64 { return c.BackMonths(us, 12*n) }

func dayStart(loc *time.Location, d Day) int64 {
	first, _ := reach(loc, int64(d)*dayMicros)
	return first
}

// wallOf returns what the clocks of loc show at us, as the microseconds since
// 1970-01-01 of a clock without a zone.
func wallOf(loc *time.Location, us int64) int64 {
	_, offset := time.UnixMicro(us).In(loc).Zone()
	return us + int64(offset)*int64(time.Second/time.Microsecond)
}

// splitWall returns the day and the time of day of a wall clock.
func splitWall(wall int64) (Day, int64) {
	clock := wall % dayMicros
	if clock < 0 {
		clock += dayMicros
	}
	return Day((wall - clock) / dayMicros), clock
}

// reach finds where the clocks of loc come to wall. It returns the first moment at
// which they show it or a later one, and the moment of wall itself, which is another
// where they skip it. time.Date does not say which of two moments it chooses, so that
// it cannot serve here.
func reach(loc *time.Location, wall int64) (first, moment int64) {
	// No zone is a day away from UTC: its clocks do not show wall yet.
	t := time.UnixMicro(wall - dayMicros).In(loc)
	start, before := int64(math.MinInt64), int64(0)
	for {
		offset, end := stretch(t)
		at := wall - offset
		if at < start { // skipped: by the old offset it lies the length of the gap further on
			return start, wall - before
		}
		if at < end {
			return at, at
		}
		start, before, t = end, offset, time.UnixMicro(end).In(loc)
	}
}

// stretch returns the offset from UTC in force at t and a moment up to which it
// stays in force, in microseconds.
func stretch(t time.Time) (offset, end int64) {
	_, seconds := t.Zone()
	offset = int64(seconds) * int64(time.Second/time.Microsecond)
	_, bound := t.ZoneBounds()
	if bound.IsZero() {
		return offset, math.MaxInt64
	}
	if !bound.After(t) {
		// Beyond its table of transitions package time takes every year to have 365 days,
		// so that a leap year's last day lies after its own bound.
		bound = t.Truncate(24 * time.Hour).Add(24 * time.Hour)
	}
	return offset, bound.UnixMicro()
}
