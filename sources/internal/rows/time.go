package rows

import (
	"errors"
	"fmt"
	"time"

	"github.com/b2bexporter/b2b_exporter/internal/record"
	"github.com/b2bexporter/b2b_exporter/internal/window"
)

// layout is a form of times.
type layout struct {
	text         string // as of package time
	clock, zoned bool   // it holds a time of day, an offset from UTC
}

// timeReader reads times in one layout, or in the default ones where it is empty.
type timeReader struct {
	layout layout
	zone   *time.Location // of texts without an offset
}

// instant returns the moment or date that text says, or why it says none.
func (r timeReader) instant(text string) (i record.Instant, why string) {
	t, l, why := r.parse(text)
	switch {
	case why != "":
		return record.Instant{}, why
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
	t, _, why := r.parse(text)
	if why != "" {
		return record.NoDay, why
	}
	return record.DayOf(t), ""
}

func (r timeReader) parse(text string) (t time.Time, l layout, why string) {
	l = r.layout
	if l.text == "" {
		l = defaultLayout(text)
	}
	t, err := time.Parse(l.text, text)
	switch {
	case err != nil && r.layout.text == "":
		return t, l, "is not a time as RFC 3339, 2006-01-02 15:04:05 or 2006-01-02; set time_format"
	case err != nil:
		return t, l, fmt.Sprintf("is not a time of the form %s", l.text)
	case t.Nanosecond()%1000 != 0 || beyondNanosecond(text):
		return t, l, "is finer than a microsecond"
	}
	return t, l, ""
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
