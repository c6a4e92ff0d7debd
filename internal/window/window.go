// Package window is the exporter's calendar: the days of a time zone, the windows
// over which KPIs are computed, and the windows they are compared with. Moments are
// microseconds since 1970-01-01 UTC. It is pure: it reads no clock.
package window

import "fmt"

// Name is the name of a window: the label "window".
type Name string

// The windows. Those of days are whole days that end with yesterday; the others run
// from the first moment of the day, month, quarter or year until now.
const (
	Today   Name = "today"
	Days1   Name = "1d"
	Days7   Name = "7d"
	Days30  Name = "30d"
	Days90  Name = "90d"
	Days365 Name = "365d"
	MTD     Name = "mtd"
	QTD     Name = "qtd"
	YTD     Name = "ytd"
)

// Names returns every window, in the order in which documentation lists them.
func Names() []Name {
	return []Name{Today, Days1, Days7, Days30, Days90, Days365, MTD, QTD, YTD}
}

// ParseName returns the window called text. The error lists the names there are.
func ParseName(text string) (Name, error) {
	for _, n := range Names() {
		if string(n) == text {
			return n, nil
		}
	}
	return "", fmt.Errorf("unknown window %q: use one of %v", text, Names())
}

// Days returns the number of days of a window of whole days, 0 for a running one.
func (n Name) Days() int {
	switch n {
	case Days1:
		return 1
	case Days7:
		return 7
	case Days30:
		return 30
	case Days90:
		return 90
	case Days365:
		return 365
	}
	return 0
}

// months returns the months of the period of a running window, 0 for the day.
func (n Name) months() int {
	switch n {
	case Today:
		return 0
	case MTD:
		return 1
	case QTD:
		return 3
	case YTD:
		return 12
	}
	// Taking it for some other window would give a wrong number without a word.
	panic(fmt.Sprintf("window: no window is named %q", n))
}

// Range is a half-open interval of time: it holds the moments from Start up to but
// not including End, and none where the two are equal.
type Range struct{ Start, End int64 }

// Window returns the window n as it stands at asOf. It panics, as Previous and
// YearAgo do, where n is not one of Names.
func (c *Calendar) Window(n Name, asOf int64) Range {
	if days := n.Days(); days > 0 {
		return c.LastDays(days, asOf, 0)
	}
	return c.upTo(asOf, n.firstDay(c.Day(asOf)))
}

// Previous returns the window before n: for whole days as many days before, for
// today yesterday until the same wall clock, for month, quarter and year the last
// one until the same time of its day.
func (c *Calendar) Previous(n Name, asOf int64) Range {
	if days := n.Days(); days > 0 {
		return c.LastDays(days, asOf, days)
	}
	today, months := c.Day(asOf), n.months()
	if months == 0 {
		return c.upTo(c.Back(asOf, Span{Days: 1}), today-1)
	}
	return c.upTo(c.BackMonths(asOf, months), n.firstDay(AddMonths(today, -months)))
}

// YearAgo returns the window n a year earlier: for whole days those from the same
// first to the same last date, so that it may be a day longer or shorter; otherwise
// from the same date to the same wall clock. 29 February becomes 28 February.
func (c *Calendar) YearAgo(n Name, asOf int64) Range {
	today := c.Day(asOf)
	if days := n.Days(); days > 0 {
		first, last := AddMonths(today-Day(days), -12), AddMonths(today-1, -12)
		return Range{Start: c.Start(first), End: c.Start(last + 1)}
	}
	return c.upTo(c.BackYears(asOf, 1), AddMonths(n.firstDay(today), -12))
}

// LastDays returns the n whole days that end with yesterday, moved back by skip
// days.
func (c *Calendar) LastDays(n int, asOf int64, skip int) Range {
	end := c.Day(asOf) - Day(skip)
	return Range{Start: c.Start(end - Day(n)), End: c.Start(end)}
}

// firstDay returns the first day of the running window n on the day d.
func (n Name) firstDay(d Day) Day {
	if months := n.months(); months > 0 {
		return periodStart(d, months)
	}
	return d
}

// upTo returns the range from the start of first to end. While clocks that were
// turned back over midnight show the old day again, the same wall clock of another
// day lies before that day's successor: the range is empty then.
func (c *Calendar) upTo(end int64, first Day) Range {
	start := c.Start(first)
	return Range{Start: start, End: max(start, end)}
}
