package record

import (
	"math"
	"time"
)

// Instant is a moment with a resolution of one microsecond, a date without a
// time, or null (the zero value).
type Instant struct {
	N    int64       `cbor:"1,keyasint,omitempty"` // microseconds, or days, since 1970-01-01 UTC
	Form InstantForm `cbor:"2,keyasint,omitempty"`
	_    struct{}    `cbor:",toarray"`
}

// InstantForm tells what an Instant holds.
type InstantForm uint8

// The forms of an Instant.
const (
	FormNull InstantForm = iota
	FormMoment
	FormDate
)

// At returns the moment t, which must not be finer than a microsecond: what reads
// text checks that.
func At(t time.Time) Instant { return Instant{N: t.UnixMicro(), Form: FormMoment} }

// OnDate returns the date d without a time.
func OnDate(d Day) Instant { return Instant{N: int64(d), Form: FormDate} }

// IsNull reports whether there is no moment.
func (i Instant) IsNull() bool { return i.Form == FormNull }

// Resolve returns the instant in microseconds since 1970-01-01 UTC; a date
// becomes what firstInstant says of it. The instant must not be null.
func (i Instant) Resolve(firstInstant func(Day) int64) int64 {
	if i.Form == FormDate {
		return firstInstant(Day(i.N))
	}
	return i.N
}

// Day is a calendar day as days since 1970-01-01, without a zone.
type Day int32

// NoDay stands for a day that is not given.
const NoDay Day = math.MinInt32

// DayOf returns the calendar day that t shows in its own zone.
func DayOf(t time.Time) Day {
	y, m, d := t.Date()
	return DateDay(y, m, d)
}

// DateDay returns the day of a date; out-of-range months and days are normalised
// as time.Date does.
func DateDay(y int, m time.Month, d int) Day {
	return Day(time.Date(y, m, d, 0, 0, 0, 0, time.UTC).Unix() / 86400)
}

// Date returns the day's year, month and day of the month.
func (d Day) Date() (int, time.Month, int) { return time.Unix(int64(d)*86400, 0).UTC().Date() }

func (d Day) String() string { return time.Unix(int64(d)*86400, 0).UTC().Format(time.DateOnly) }
