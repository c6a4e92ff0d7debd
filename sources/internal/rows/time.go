package rows

import (
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/b2bexporter/b2b_exporter/internal/record"
	"github.com/b2bexporter/b2b_exporter/internal/window"
)

// layout is a form of times.
type layout struct {
	text         string // as of package time
	clock, zoned bool   // it holds a time of day, an offset from UTC
	// unit is what the time since 1970-01-01 UTC is counted in, where it is; text is then its name.
	unit time.Duration
}

// timeReader reads times in one layout, or in the default ones where it is empty.
type timeReader struct {
	layout layout
	zone   *time.Location // of texts without an offset
}

// instantOf returns the moment or date of a cell, or why it has none.
func (r timeReader) instantOf(c cell) (i record.Instant, why string) {
	switch c.form {
	case formMoment:
		return r.resolve(c.at, layout{clock: true, zoned: true})
	case formLocal:
		return r.resolve(c.at, layout{clock: true})
	case formDate:
		return r.resolve(c.at, layout{})
	}
	return r.instant(c.text)
}

// dayOf returns the calendar day of a cell, or why it has none: of a moment the day in
// the reader's zone.
func (r timeReader) dayOf(c cell) (d record.Day, why string) {
	switch c.form {
	case formMoment:
		return record.DayOf(c.at.In(r.zone)), ""
	case formLocal, formDate:
		return record.DayOf(c.at), ""
	}
	return r.day(c.text)
}

// instant returns the moment or date that text says, or why it says none.
func (r timeReader) instant(text string) (i record.Instant, why string) {
	t, l, why := r.parse(text)
	if why != "" {
		return record.Instant{}, why
	}
	return r.resolve(t, l)
}

// resolve returns the moment or date that t, which was written in the form l, stands for.
func (r timeReader) resolve(t time.Time, l layout) (i record.Instant, why string) {
	switch {
	case t.Nanosecond()%1000 != 0:
		return record.Instant{}, tooFine
	case !l.clock:
		return record.OnDate(record.DayOf(t)), ""
	case l.zoned:
		return record.At(t), ""
	}
	year, month, day := t.Date()
	hour, minute, second := t.Clock()
	micros := window.Local(r.zone, year, month, day, hour, minute, second, t.Nanosecond()/1000)
	return record.Instant{N: micros, Form: record.FormMoment}, ""
}

// day returns the calendar day that text shows, or why it shows none.
func (r timeReader) day(text string) (d record.Day, why string) {
	t, l, why := r.parse(text)
	if why != "" {
		return record.NoDay, why
	}
	if l.unit != 0 {
		t = t.In(r.zone)
	}
	return record.DayOf(t), ""
}

func (r timeReader) parse(text string) (t time.Time, l layout, why string) {
	l = r.layout
	if l.text == "" {
		l = defaultLayout(text)
	}
	if l.unit != 0 {
		t, why = sinceEpoch(text, l)
		return t, l, why
	}
	t, err := time.Parse(l.text, text)
	switch {
	case err != nil && r.layout.text == "":
		return t, l, "is not a time as RFC 3339, 2006-01-02 15:04:05 or 2006-01-02; set time_format"
	case err != nil:
		return t, l, fmt.Sprintf("is not a time of the form %s", l.text)
	case t.Nanosecond()%1000 != 0 || beyondNanosecond(text):
		return t, l, tooFine
	}
	return t, l, ""
}

const tooFine = "is finer than a microsecond"

// lastUnix is the last second of the year 9999: a number beyond it is of another unit.
const lastUnix = 253_402_300_799

func sinceEpoch(text string, l layout) (t time.Time, why string) {
	n, err := strconv.ParseInt(text, 10, 64)
	if perSecond := int64(time.Second / l.unit); err != nil || n/perSecond > lastUnix || n/perSecond < -lastUnix {
		return time.Time{}, fmt.Sprintf("is not a whole number of %ss since 1970, as time_format %s says", unitName(l.unit), l.text)
	}
	if l.unit == time.Second {
		return time.Unix(n, 0).UTC(), ""
	}
	return time.UnixMilli(n).UTC(), ""
}

func unitName(unit time.Duration) string {
	if unit == time.Second {
		return "second"
	}
	return "millisecond"
}

// defaultLayout returns the only one of the default layouts that can fit text.
func defaultLayout(text string) layout {
	if len(text) <= len(time.DateOnly) {
		return layout{text: time.DateOnly}
	}
	n := len(text)
	zoned := text[n-1] == 'Z' || n >= len("2006-01-02T15:04:05-07:00") && (text[n-6] == '+' || text[n-6] == '-')
	space := text[len(time.DateOnly)] == ' '
	switch {
	case zoned && space:
		return layout{text: "2006-01-02 15:04:05Z07:00", clock: true, zoned: true}
	case zoned:
		return layout{text: time.RFC3339, clock: true, zoned: true}
	case space:
		return layout{text: time.DateTime, clock: true}
	}
	return layout{text: "2006-01-02T15:04:05", clock: true}
}

// beyondNanosecond reports whether a fraction in text has a tenth digit other than
// zero, which time.Parse drops.
func beyondNanosecond(text string) bool {
	for i := 0; i < len(text); i++ {
		if text[i] != '.' && text[i] != ',' {
			continue
		}
		for digits := 1; i+digits < len(text) && text[i+digits] >= '0' && text[i+digits] <= '9'; digits++ {
			if digits > 9 && text[i+digits] != '0' {
				return true
			}
		}
	}
	return false
}

// newLayout examines a time_format; empty stands for the default layouts.
func newLayout(text string) (layout, error) {
	if text == "" {
		return layout{}, nil
	}
	switch text {
	case "unix":
		return layout{text: text, clock: true, zoned: true, unit: time.Second}, nil
	case "unix_ms":
		return layout{text: text, clock: true, zoned: true, unit: time.Millisecond}, nil
	}
	sample := time.Date(2001, 2, 3, 16, 5, 6, 0, time.UTC)
	back, err := time.Parse(text, sample.Format(text))
	if err != nil || back.Year() != 2001 || back.Month() != 2 || back.Day() != 3 {
		return layout{}, errors.New(`gives no year, month and day; write it as 2 January 2006, 15:04:05 would be written: "2006-01-02 15:04:05"`)
	}
	in := func(name string, offset int) string {
		return sample.In(time.FixedZone(name, offset)).Add(-time.Duration(offset) * time.Second).Format(text)
	}
	if in("AAA", 3600) != in("BBB", 3600) {
		return layout{}, errors.New("has the abbreviation of a zone, which does not tell the offset: use -07:00, or timezone")
	}
	l := layout{text: text, zoned: in("", 3600) != in("", 7200)}
	hour, minute, second := back.Clock()
	l.clock = hour != 0 || minute != 0 || second != 0
	if l.clock && hour != sample.Hour() {
		return layout{}, errors.New("has a clock that cannot tell 4 h from 16 h; write 15 for the hour, or 03 and PM")
	}
	return l, nil
}

// CheckTimeFormat returns what is wrong with a text as Config.TimeFormat.
func CheckTimeFormat(text string) error {
	_, err := newLayout(text)
	return err
}
