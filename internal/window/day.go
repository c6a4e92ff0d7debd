package window

import "time"

// Day is a calendar day as days since 1970-01-01, without a zone.
type Day int32

// DateDay returns the day of a date; out-of-range months and days are normalised
// as time.Date does.
func DateDay(y int, m time.Month, d int) Day {
	return Day(time.Date(y, m, d, 0, 0, 0, 0, time.UTC).Unix() / 86400)
}

// Date returns the day's year, month and day of the month.
func (d Day) Date() (int, time.Month, int) { return d.midnight().Date() }

// String returns the day as YYYY-MM-DD.
func (d Day) String() string { return d.midnight().Format(time.DateOnly) }

func (d Day) midnight() time.Time { return time.Unix(int64(d)*86400, 0).UTC() }

// MonthStart returns the first day of d's month.
func MonthStart(d Day) Day { return periodStart(d, 1) }

// QuarterStart returns the first day of d's calendar quarter.
func QuarterStart(d Day) Day { return periodStart(d, 3) }

// YearStart returns the first day of d's year.
func YearStart(d Day) Day { return periodStart(d, 12) }

// periodStart returns the first day of the period of that many months, a divisor
// of 12, that holds d.
func periodStart(d Day, months int) Day {
	y, m, _ := d.Date()
	return DateDay(y, m-(m-1)%time.Month(months), 1)
}

// AddMonths returns the day n months after d, before it for a negative n. Where
// that month has no such day it is the month's last: a month after 31 January is
// 28 or 29 February.
func AddMonths(d Day, n int) Day {
	y, m, dom := d.Date()
	first := DateDay(y, m+time.Month(n), 1)
	next := DateDay(y, m+time.Month(n)+1, 1)
	return min(first+Day(dom-1), next-1)
}
