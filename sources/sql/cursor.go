package sql

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/b2bexporter/b2b_exporter/internal/record"
	"github.com/b2bexporter/b2b_exporter/sources/internal/rows"
)

// cursor is what the ledger keeps of a stream with increments.
type cursor struct {
	// Settings identifies the queries: others are read from their start.
	Settings string `json:"settings"`
	// Swept is when everything was listed last; in Unix seconds.
	Swept int64 `json:"swept"`
	// Marks says how far each query was read.
	Marks []mark `json:"marks"`
}

func parseCursor(text string) (c cursor, err error) {
	if text == "" {
		return cursor{}, nil
	}
	err = json.Unmarshal([]byte(text), &c)
	return c, err
}

func (c cursor) text() (string, error) {
	text, err := json.Marshal(c)
	return string(text), err
}

// sweepDue reports whether it is time to look for what was deleted.
func (c cursor) sweepDue(queries []query, now time.Time) bool {
	every := queries[0].Increment.sweepEvery()
	for _, q := range queries {
		every = min(every, q.Increment.sweepEvery())
	}
	return now.Sub(time.Unix(c.Swept, 0)) >= every
}

// fingerprint identifies the database and what is asked of it. Its first part is changed
// when everything is to be read anew by a new version.
func fingerprint(driver, identity string, queries []query, zone *time.Location) (string, error) {
	h := sha256.New()
	fmt.Fprintf(h, "sql 2\n%s %q\n", driver, identity)
	for _, q := range queries {
		settings, zone := q.Query, zone
		if settings.Timezone != nil {
			zone = settings.Timezone
		}
		settings.Timezone = nil // marshalled it would not tell zones apart
		text, err := json.Marshal(settings)
		if err != nil {
			return "", fmt.Errorf("identify the settings of %s: %w", q.name, err)
		}
		fmt.Fprintf(h, "%s %q\n", text, zone)
	}
	return hex.EncodeToString(h.Sum(nil)[:16]), nil
}

// mark is a value of the column that a query with an increment is ordered by.
type mark struct {
	form   form
	at     time.Time // of all forms but formInteger; shown in UTC
	number int64     // of formInteger
}

// form is a type of column that rows can be ordered by.
type form int

const (
	formNone form = iota
	formInteger
	formMoment
	formLocal // a date and a clock, without a zone
	formDate
)

// layout is how the marks of a form are written: as all engines read them.
func (f form) layout() string {
	if f == formDate {
		return time.DateOnly
	}
	return "2006-01-02 15:04:05.999999999"
}

// markOf returns the mark that a value as read returns it is; none for null.
func markOf(value any) (mark, error) {
	switch v := value.(type) {
	case nil:
		return mark{}, nil
	case int64:
		return mark{form: formInteger, number: v}, nil
	case uint64:
		if v > math.MaxInt64 {
			return mark{}, fmt.Errorf("%d is more than 63 bits hold", v)
		}
		return mark{form: formInteger, number: int64(v)}, nil
	case time.Time:
		return mark{form: formMoment, at: v.UTC()}, nil
	case rows.LocalTime:
		return mark{form: formLocal, at: asUTC(time.Time(v))}, nil
	case record.Day:
		year, month, day := v.Date()
		return mark{form: formDate, at: time.Date(year, month, day, 0, 0, 0, 0, time.UTC)}, nil
	}
	return mark{}, errors.New("is neither a time, a date nor a whole number; order by a column that is")
}

// asUTC returns the time in UTC that shows what t shows.
func asUTC(t time.Time) time.Time {
	year, month, day := t.Date()
	return time.Date(year, month, day, t.Hour(), t.Minute(), t.Second(), t.Nanosecond(), time.UTC)
}

// parseStart reads the value that everything is read from. Dates are moments: these are
// compared with columns of dates, too, by all engines.
func parseStart(text string) (mark, error) {
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		return mark{form: formInteger, number: n}, nil
	}
	for _, f := range []form{formDate, formLocal} {
		if t, err := time.Parse(f.layout(), text); err == nil {
			return mark{form: formMoment, at: t}, nil
		}
	}
	return mark{}, fmt.Errorf("%q is none of a date such as 2006-01-02, a time such as 2006-01-02 15:04:05 and a whole number", text)
}

// sameSort reports whether marks can be compared: both are numbers, or both are times.
func (m mark) sameSort(other mark) bool {
	return (m.form == formInteger) == (other.form == formInteger)
}

// before reports whether other is a mark and m is none, or a lesser one.
func (m mark) before(other mark) bool {
	switch {
	case other.form == formNone:
		return false
	case m.form == formNone:
		return true
	case m.form == formInteger:
		return m.number < other.number
	}
	return m.at.Before(other.at)
}

// clockAhead is how far the clock that dates the rows may be ahead, its zone included. What is
// dated later would hide all changes until then.
const clockAhead = 24 * time.Hour

// ahead reports whether m is a time that no change can have had by now.
func (m mark) ahead(now time.Time) bool {
	return m.form != formInteger && m.at.After(now.Add(clockAhead))
}

// minus returns the mark that is overlap before m; of a number m itself.
func (m mark) minus(overlap time.Duration) mark {
	if m.form != formInteger {
		m.at = m.at.Add(-overlap)
	}
	return m
}

// text returns the mark as the engines read it, moments in UTC.
func (m mark) text() string {
	if m.form == formInteger {
		return strconv.FormatInt(m.number, 10)
	}
	return m.at.Format(m.form.layout())
}

// prefix tells the forms apart in a cursor.
func (f form) prefix() string {
	switch f {
	case formInteger:
		return "integer "
	case formMoment:
		return "moment "
	case formLocal:
		return "local "
	case formDate:
		return "date "
	}
	return ""
}

// MarshalText implements encoding.TextMarshaler.
func (m mark) MarshalText() ([]byte, error) {
	if m.form == formNone {
		return nil, nil
	}
	return []byte(m.form.prefix() + m.text()), nil
}

// UnmarshalText implements encoding.TextUnmarshaler.
func (m *mark) UnmarshalText(data []byte) error {
	*m = mark{}
	if len(data) == 0 {
		return nil
	}
	for _, f := range []form{formInteger, formMoment, formLocal, formDate} {
		text, ok := strings.CutPrefix(string(data), f.prefix())
		if !ok {
			continue
		}
		var err error
		if m.form = f; f == formInteger {
			m.number, err = strconv.ParseInt(text, 10, 64)
		} else {
			m.at, err = time.Parse(f.layout(), text)
		}
		return err
	}
	return fmt.Errorf("%q is no mark", data)
}
