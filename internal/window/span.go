package window

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Span is a duration: a number of calendar days, which keep the wall clock, or
// elapsed time. At most one of the two is set.
type Span struct {
	Days    int
	Elapsed time.Duration
}

// maxSpanDays is a century: longer durations are slips of the pen, and bounding
// them keeps moments far from overflow.
const maxSpanDays = 36525

var (
	spanDays    = regexp.MustCompile(`^[0-9]+d$`)
	spanElapsed = regexp.MustCompile(`^([0-9]+h)?([0-9]+m)?([0-9]+s)?$`)
	spanMixed   = regexp.MustCompile(`^[0-9]+d([0-9]+[hms])+$`)
)

// ParseSpan reads a duration: days ("180d") or hours, minutes and seconds ("36h",
// "90m", "45s", "1h30m"), as whole numbers. It must be longer than 0 and at most 36525
// days. Errors say what is wrong with text and what would be right.
func ParseSpan(text string) (Span, error) {
	const usage = "use whole days (180d), or hours, minutes and seconds in that order (36h, 90m, 1h30m)"
	var s Span
	var err error
	switch {
	case spanDays.MatchString(text):
		s.Days, err = strconv.Atoi(strings.TrimSuffix(text, "d"))
	case text != "" && spanElapsed.MatchString(text):
		s.Elapsed, err = time.ParseDuration(text)
	case spanMixed.MatchString(text):
		return Span{}, fmt.Errorf("duration %q mixes calendar days with elapsed time: %s", text, usage)
	default:
		return Span{}, fmt.Errorf("%q is not a duration: %s", text, usage)
	}
	// The forms are checked, so that an error can only be a number out of range.
	if err != nil || s.Days > maxSpanDays || s.Elapsed > maxSpanDays*24*time.Hour {
		return Span{}, fmt.Errorf("duration %q is too long: use at most %dd", text, maxSpanDays)
	}
	if s == (Span{}) {
		return Span{}, fmt.Errorf("duration %q must be longer than 0", text)
	}
	return s, nil
}

// String returns the duration in the form that ParseSpan reads.
func (s Span) String() string {
	if s.Days != 0 {
		return strconv.Itoa(s.Days) + "d"
	}
	text := s.Elapsed.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}
