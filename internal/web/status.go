package web

import "time"

// Status is what the page shows. All text is shown as it is.
type Status struct {
	// AsOf is the moment of the values that are exposed; zero before there are any.
	AsOf Moment
	// Notice is what a reader must know about all of the figures; may be empty.
	Notice  string
	Windows []Window // to choose from
	// Checked says that there are thresholds and KPIs to compare. Crossed are those that are
	// crossed, in any window, and Unchecked counts the KPIs that have a threshold and no value.
	Checked   bool
	Crossed   []Crossing
	Unchecked int
	Groups    []Group
	// Missing are the KPIs that no source delivers anything for.
	Missing []Missing
	Sources []Source
}

// Troubled returns how many streams do not deliver as they should.
func (s Status) Troubled() int {
	n := 0
	for _, src := range s.Sources {
		for _, st := range src.Streams {
			if c := st.Class(); c == "bad" || c == "warning" {
				n++
			}
		}
	}
	return n
}

// Window is a time over which KPIs are computed.
type Window struct {
	Name   string // as the query parameter window has it
	Label  string // such as "30 days"
	Before string // what it is compared with, such as "the 30 days before"
	Back   string // what KPIs without a window are compared with, such as "30 days ago"
	Shown  bool
}

// Level is how a KPI stands to its thresholds: the CSS class, too.
type Level string

// The levels. Unset is that of a KPI without a threshold or a value.
const (
	Unset    Level = ""
	OK       Level = "ok"
	Warning  Level = "warning"
	Critical Level = "critical"
)

// Crossing is a threshold that a KPI has crossed.
type Crossing struct {
	KPI    string // the title
	Level  Level
	Window Window // its name is empty for a KPI without one
	Value  string // with its unit
	Limit  string // such as "above 15.0 %"
}

// Group is a group of KPIs.
type Group struct {
	Title string
	Cards []Card
}

// Card shows a KPI.
type Card struct {
	Title string
	Help  string // what is counted
	// Now: the KPI has no window.
	Now         bool
	Value, Unit string // Value is empty where there is none; Unit may be
	Reason      string // why there is no value
	Change      Change
	Level       Level
	Limit       string // of the level, such as "above 15.0 %"
}

// Change compares a KPI with its value before. The zero Change: there is nothing to compare.
type Change struct {
	Direction Direction
	By        string // such as "8.2 %"; may be empty
	Verdict   Verdict
	Before    string // the value before with its unit
	Complete  string // the value over complete days, where that is what is compared and another one
	Reason    string // why there is no value before
}

// Direction is where a KPI has gone.
type Direction string

// The directions.
const (
	Up   Direction = "up"
	Down Direction = "down"
	Same Direction = "steady"
)

// Arrow returns the direction as a sign.
func (d Direction) Arrow() string {
	switch d {
	case Up:
		return "▲"
	case Down:
		return "▼"
	}
	return "="
}

// Verdict says whether a change is welcome; empty where that is open.
type Verdict string

// The verdicts.
const (
	Better Verdict = "better"
	Worse  Verdict = "worse"
)

// Missing are the titles of KPIs of a group that no source delivers anything for.
type Missing struct {
	Group  string
	Titles []string
}

// Moment is a time and how far it is from now, such as "3 min ago".
type Moment struct {
	At       time.Time // in the zone in which it is shown; zero where there is none
	Relative string
}

// RFC3339 returns the time in UTC, to the second.
func (m Moment) RFC3339() string { return m.At.UTC().Format(time.RFC3339) }

// Local returns the time in its own zone, to the minute.
func (m Moment) Local() string { return m.At.Format("2006-01-02 15:04 MST") }

// Source is a configured source.
type Source struct {
	Name, Vendor string
	Streams      []Stream
}

// Stream is a stream of a source.
type Stream struct {
	Name string
	// Up: the last poll succeeded.
	Up bool
	// Stale: the last success is so long ago that the KPIs that need the stream are absent.
	Stale bool
	// Truncated: the vendor cut its last answer short, so that the KPIs that need the stream
	// are absent.
	Truncated bool
	// Error is why the last poll failed; empty where it did not.
	Error string
	// Backfill is the percentage of the history that has been read while that goes on;
	// 0 where it is not known, and 100 when all has been read.
	Backfill    int
	LastSuccess Moment // zero before the first
	NextPoll    Moment // zero where none is planned
}

// State returns the stream's state in words, of which the page also takes the colour.
func (s Stream) State() string {
	switch {
	case s.Stale && s.Up:
		return "stale"
	case s.Stale:
		return "down, stale"
	case s.Up && s.Truncated:
		return "cut short"
	case s.Up:
		return "up"
	case s.Error == "" && s.LastSuccess.At.IsZero() && s.Backfill > 0:
		return "reading"
	case s.Error == "" && s.LastSuccess.At.IsZero():
		return "waiting"
	}
	return "down"
}

// Class returns the stream's CSS class.
func (s Stream) Class() string {
	switch s.State() {
	case "up":
		return "good"
	case "reading", "waiting":
		return "waiting"
	case "stale", "cut short":
		return "warning"
	}
	return "bad"
}
