package oracle

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/b2bexporter/b2b_exporter/internal/record"
)

// Instants are microseconds since 1970-01-01 UTC, days are days since then.
const (
	second = int64(1_000_000)
	hour   = 3600 * second
	day    = 24 * hour
)

// span is the half-open period [start, end).
type span struct{ start, end int64 }

func (s span) holds(t int64) bool { return s.start <= t && t < s.end }

// calendar reads clocks in one zone.
type calendar struct {
	zone   *time.Location
	firsts map[record.Day]int64 // firstInstant's results
}

func newCalendar(zone *time.Location) *calendar {
	return &calendar{zone: zone, firsts: map[record.Day]int64{}}
}

// segment is a period during which the zone's clocks keep one distance to UTC.
type segment struct {
	span
	offset int64
}

// segments returns, in order, the segments around what clocks show as local.
func (c *calendar) segments(local int64) []segment {
	from, to := local-3*day, local+3*day
	var list []segment
	for from < to {
		t := time.UnixMicro(from).In(c.zone)
		_, offset := t.Zone()
		end := to
		if _, next := t.ZoneBounds(); !next.IsZero() && next.UnixMicro() < to {
			end = next.UnixMicro()
		}
		list = append(list, segment{span{from, end}, int64(offset) * second})
		from = end
	}
	return list
}

// show returns the date and the time of day that clocks show at t.
func (c *calendar) show(t int64) (record.Day, int64) {
	_, offset := time.UnixMicro(t).In(c.zone).Zone()
	local := t + int64(offset)*second
	d := local / day
	if local%day < 0 {
		d--
	}
	return record.Day(d), local - d*day
}

func (c *calendar) dayOf(t int64) record.Day {
	d, _ := c.show(t)
	return d
}

// firstInstant returns the first instant at which clocks show d; of a day that the
// zone skips, the first of the next.
func (c *calendar) firstInstant(d record.Day) int64 {
	if t, ok := c.firsts[d]; ok {
		return t
	}
	begin := int64(d) * day
	list := c.segments(begin)
	for _, end := range []int64{begin + day, begin + 2*day} {
		for _, s := range list {
			t := max(s.start, begin-s.offset)
			if t < s.end && t+s.offset < end {
				c.firsts[d] = t
				return t
			}
		}
	}
	panic(fmt.Sprintf("no instant on or after %s in %s", d, c.zone))
}

// at returns the instant at which clocks show the time of day clock on d: the first
// where they do twice, and moved on by the length of the gap where they never do.
func (c *calendar) at(d record.Day, clock int64) int64 {
	local := int64(d)*day + clock
	list := c.segments(local)
	for _, s := range list {
		if s.holds(local - s.offset) {
			return local - s.offset
		}
	}
	for i, s := range list[1:] {
		before := list[i]
		if before.end+before.offset <= local && local < s.start+s.offset {
			return local - before.offset
		}
	}
	panic(fmt.Sprintf("no instant for %s +%dus in %s", d, clock, c.zone))
}

// resolve returns the instant that i stands for; ok is false for null.
func (c *calendar) resolve(i record.Instant) (t int64, ok bool) {
	switch i.Form {
	case record.FormMoment:
		return i.N, true
	case record.FormDate:
		return c.firstInstant(record.Day(i.N)), true
	}
	return 0, false
}

// earliest returns the earliest instant among dates; ok is false where there is none.
func (c *calendar) earliest(dates []record.Instant) (first int64, ok bool) {
	for _, i := range dates {
		if t, set := c.resolve(i); set && (!ok || t < first) {
			first, ok = t, true
		}
	}
	return first, ok
}

// daysBack returns the instant n calendar days before t with the same wall clock.
func (c *calendar) daysBack(t int64, n int) int64 {
	d, clock := c.show(t)
	return c.at(d-record.Day(n), clock)
}

// yearBack returns the instant a year before t with the same wall clock.
func (c *calendar) yearBack(t int64) int64 {
	d, clock := c.show(t)
	return c.at(addMonths(d, -12), clock)
}

func date(y, m, d int) record.Day {
	return record.Day(time.Date(y, time.Month(m), d, 0, 0, 0, 0, time.UTC).Unix() / 86400)
}

func ymd(d record.Day) (year, month, dayOfMonth int) {
	t := time.Unix(int64(d)*86400, 0).UTC()
	return t.Year(), int(t.Month()), t.Day()
}

// addMonths moves d by n months; the day of the month is clipped to the month's length.
func addMonths(d record.Day, n int) record.Day {
	y, m, dayOfMonth := ymd(d)
	first := date(y, m+n, 1)
	length := int(date(y, m+n+1, 1) - first)
	return first + record.Day(min(dayOfMonth, length)-1)
}

// wholeDays returns the number of days of a window such as 30d.
func wholeDays(window string) (int, bool) {
	digits, isDays := strings.CutSuffix(window, "d")
	n, err := strconv.Atoi(digits)
	return n, isDays && err == nil
}

// runningStart returns the first day of the running window that holds d.
func runningStart(window string, d record.Day) record.Day {
	y, m, _ := ymd(d)
	switch window {
	case "today":
		return d
	case "mtd":
		return date(y, m, 1)
	case "qtd":
		return date(y, m-(m-1)%3, 1)
	case "ytd":
		return date(y, 1, 1)
	}
	panic("unknown window " + window)
}

// window returns a window at asOf.
func (c *calendar) window(name string, asOf int64) span {
	today := c.dayOf(asOf)
	if n, ok := wholeDays(name); ok {
		return span{c.firstInstant(today - record.Day(n)), c.firstInstant(today)}
	}
	return span{c.firstInstant(runningStart(name, today)), asOf}
}

// previous returns the window that a window at asOf is compared with as versus="previous".
func (c *calendar) previous(name string, asOf int64) span {
	today, clock := c.show(asOf)
	if n, ok := wholeDays(name); ok {
		return span{c.firstInstant(today - 2*record.Day(n)), c.firstInstant(today - record.Day(n))}
	}
	last := today - 1
	switch name {
	case "mtd":
		last = addMonths(today, -1)
	case "qtd":
		last = addMonths(today, -3)
	case "ytd":
		last = addMonths(today, -12)
	}
	return span{c.firstInstant(runningStart(name, last)), c.at(last, clock)}
}

// yearAgo returns the window that a window at asOf is compared with as versus="year_ago".
func (c *calendar) yearAgo(name string, asOf int64) span {
	today, clock := c.show(asOf)
	if n, ok := wholeDays(name); ok {
		first, last := addMonths(today-record.Day(n), -12), addMonths(today-1, -12)
		return span{c.firstInstant(first), c.firstInstant(last + 1)}
	}
	return span{c.firstInstant(addMonths(runningStart(name, today), -12)), c.at(addMonths(today, -12), clock)}
}
