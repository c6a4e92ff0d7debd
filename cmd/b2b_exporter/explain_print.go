package main

import (
	"encoding/json"
	"fmt"
	"io"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/b2bexporter/b2b_exporter/collector"
	"github.com/b2bexporter/b2b_exporter/internal/record"
)

// explanation is what the command explain tells of a KPI. Moments are in the report zone.
type explanation struct {
	KPI      string    `json:"kpi"`
	Title    string    `json:"title"`
	Help     string    `json:"help"`
	Formula  string    `json:"formula"`
	AsOf     time.Time `json:"as_of"`
	Timezone string    `json:"timezone"`
	Window   *span     `json:"window,omitempty"`
	Unit     string    `json:"unit"` // as the metric reference gives it
	Currency string    `json:"currency,omitempty"`
	figure
	Advice      string       `json:"advice,omitempty"`
	Numerator   *part        `json:"numerator,omitempty"`
	Denominator *part        `json:"denominator,omitempty"`
	Breakdown   []series     `json:"breakdown,omitempty"`
	Rest        *rest        `json:"rest,omitempty"`
	Complete    *complete    `json:"complete_days,omitempty"`
	Comparisons []comparison `json:"comparisons"`
	Thresholds  []limit      `json:"thresholds,omitempty"`
	Settings    []setting    `json:"settings,omitempty"`
	Inputs      []input      `json:"inputs"`

	metric collector.Metric
	past   bool
	now    time.Time
	code   string // the reporting currency
}

// number is a number as JSON with all digits that a float64 holds, null where there is none.
type number struct{ *big.Rat }

// MarshalJSON implements json.Marshaler.
func (n number) MarshalJSON() ([]byte, error) {
	if n.Rat == nil {
		return []byte("null"), nil
	}
	value, _ := n.Float64()
	return strconv.AppendFloat(nil, value, 'g', -1, 64), nil
}

// figure is a value, or why there is none.
type figure struct {
	Value  number           `json:"value"`
	Reason collector.Reason `json:"reason,omitempty"`
}

func figureOf(v collector.Value) figure { return figure{number{v.Number}, v.Reason} }

// part is what a ratio is made of.
type part struct {
	Name string `json:"name"`
	Unit string `json:"unit"`
	figure
	Numerator   *part `json:"numerator,omitempty"`
	Denominator *part `json:"denominator,omitempty"`
}

// span is a window from Start up to but not including End. The days are those of a window
// of whole days.
type span struct {
	Name     string    `json:"name,omitempty"`
	Start    time.Time `json:"start"`
	End      time.Time `json:"end"`
	FirstDay string    `json:"first_day,omitempty"`
	LastDay  string    `json:"last_day,omitempty"`
	Days     int       `json:"days,omitempty"`
}

// series is one of those that make up a KPI in a window.
type series struct {
	Labels map[string]string `json:"labels"`
	Value  number            `json:"value"`
}

// rest is what a breakdown leaves out, and its sum where the KPI can be summed.
type rest struct {
	Series int    `json:"series"`
	Value  number `json:"sum"`
}

// complete is the KPI over the complete days of a running window: what comparisons are
// made with.
type complete struct {
	Span *span `json:"span"`
	figure
}

// comparison is a value that the KPI's is compared with.
type comparison struct {
	Versus string `json:"versus"`
	Span   *span  `json:"span"`
	figure
	Change       number           `json:"change"`
	ChangeReason collector.Reason `json:"change_reason,omitempty"`
}

// limit is a threshold that alerts compare the value with.
type limit struct {
	Severity string `json:"severity"`
	Side     string `json:"side"` // of the threshold on which trouble lies: above or below
	Value    number `json:"value"`
	Crossed  *bool  `json:"crossed"` // null where there is no value
}

type setting struct {
	Key   string `json:"key"`
	Value string `json:"value"`
}

// input is a stream of a source that the KPI is computed from.
type input struct {
	Source      string        `json:"source"`
	Type        string        `json:"type"`
	Stream      string        `json:"stream"`
	Kinds       []record.Kind `json:"records"`
	LastSuccess *time.Time    `json:"last_success"`
	Age         *float64      `json:"age_seconds"` // of the last success
	DataTime    *time.Time    `json:"newest_data"`
	Unread      bool          `json:"unread"` // never read to its end
	Stale       bool          `json:"stale"`
	Truncated   bool          `json:"truncated"`
	Error       string        `json:"error,omitempty"` // of the last attempt
}

func (e *explanation) printJSON(w io.Writer) error {
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	return encoder.Encode(e)
}

// printText prints an explanation for people: a paragraph for each question.
func (e *explanation) printText(w io.Writer) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintf(table, "%s (%s)\n%s\n\n", e.Title, e.KPI, e.Help)
	fmt.Fprintf(table, "FORMULA\t%s\n", e.Formula)
	if e.Window != nil {
		fmt.Fprintf(table, "WINDOW\t%s: %s\n", e.Window.Name, e.Window)
	}
	fmt.Fprintf(table, "AS OF\t%s in %s\n", e.AsOf.Format(minute), e.Timezone)
	fmt.Fprintf(table, "VALUE\t%s\n", e.value(e.figure))
	if e.Complete != nil && e.Complete.Value.Rat != nil {
		fmt.Fprintf(table, "COMPARED\t%s over complete days, %s\n", e.value(e.Complete.figure), e.Complete.Span)
	}
	if e.Advice != "" {
		fmt.Fprintf(table, "TO DO\t%s\n", e.Advice)
	}
	for _, print := range []func(io.Writer){e.printParts, e.printBreakdown, e.printComparisons, e.printThresholds, e.printSettings, e.printInputs} {
		print(table)
	}
	return table.Flush()
}

// minute is how moments are written for people.
const minute = "2006-01-02 15:04"

// String writes a window for people: its days, or its moments where it ends within a day.
func (s *span) String() string {
	switch {
	case s.Start.Equal(s.End):
		return s.Start.Format(minute)
	case s.Days == 1:
		return s.FirstDay
	case s.Days > 1:
		return s.FirstDay + " to " + s.LastDay
	}
	return s.Start.Format(minute) + " to " + s.End.Format(minute)
}

// value writes a value of the KPI, with what people read of it.
func (e *explanation) value(f figure) string {
	if f.Value.Rat == nil {
		return fmt.Sprintf("none: %s (%s)", reason(f.Reason), f.Reason)
	}
	text := exact(e.metric.Unit, f.Value.Rat, e.code)
	if e.metric.Unit == "seconds" || e.metric.Unit == "ratio" && !multiple(e.metric) {
		value, unit := written(e.metric, f.Value.Rat, e.code)
		text += " (" + strings.TrimSpace(value+" "+unit) + ")"
	}
	return text
}

// exact writes a number in its unit with the digits that are needed to follow a calculation.
func exact(unit string, n *big.Rat, code string) string {
	switch {
	case unit == "currency":
		return decimal(n, 2) + " " + code
	case unit == "ratio":
		return decimal(n, 4)
	case unit == "seconds":
		return decimal(n, 0) + " s"
	case n.IsInt():
		return decimal(n, 0)
	}
	return decimal(n, 4)
}

func (e *explanation) printParts(w io.Writer) {
	if e.Numerator == nil {
		return
	}
	fmt.Fprintln(w)
	e.printPart(w, "NUMERATOR", 0, e.Numerator)
	e.printPart(w, "DENOMINATOR", 0, e.Denominator)
}

// printPart prints a part and, below it, what that is made of.
func (e *explanation) printPart(w io.Writer, heading string, depth int, p *part) {
	indent := strings.Repeat("    ", depth)
	operator := indent
	if heading == "=" || heading == "/" {
		operator, heading = indent[2:]+heading+" ", ""
	}
	text := "none: " + reason(p.Reason)
	if p.Value.Rat != nil {
		text = exact(p.Unit, p.Value.Rat, e.code)
	}
	fmt.Fprintf(w, "%s\t%s%s\t%s%s\n", heading, operator, text, indent, p.Name)
	if p.Numerator != nil {
		e.printPart(w, "=", depth+1, p.Numerator)
		e.printPart(w, "/", depth+1, p.Denominator)
	}
}

func (e *explanation) printBreakdown(w io.Writer) {
	if len(e.Breakdown) == 0 {
		return
	}
	labels, summed := shownLabels(e.metric), additive(e.metric)
	heading := strings.ToUpper(strings.Join(labels, "\t")) + "\tVALUE"
	if summed = summed && e.Value.Rat != nil && e.Value.Sign() > 0; summed {
		heading += "\tSHARE"
	}
	fmt.Fprintln(w, "\n"+heading)
	row := func(cells []string, n number) {
		cells = append(cells, e.value(figure{Value: n}))
		if summed {
			share := new(big.Rat).Quo(n.Rat, e.Value.Rat)
			cells = append(cells, decimal(share.Mul(share, big.NewRat(100, 1)), 1)+" %")
		}
		fmt.Fprintln(w, strings.Join(cells, "\t"))
	}
	for _, s := range e.Breakdown {
		var cells []string
		for _, l := range labels {
			cells = append(cells, s.Labels[l])
		}
		row(cells, s.Value)
	}
	if e.Rest == nil {
		return
	}
	cells := append([]string{fmt.Sprintf("%d more", e.Rest.Series)}, slices.Repeat([]string{""}, len(labels)-1)...)
	if e.Rest.Value.Rat == nil {
		fmt.Fprintln(w, cells[0])
		return
	}
	row(cells, e.Rest.Value)
}

func (e *explanation) printComparisons(w io.Writer) {
	when := "WINDOW"
	if e.Window == nil {
		when = "MOMENT"
	}
	fmt.Fprintf(w, "\nCOMPARED WITH\t%s\tVALUE\tCHANGE\n", when)
	for _, c := range e.Comparisons {
		name := strings.ReplaceAll(c.Versus, "_", " ")
		if e.Window == nil && c.Span.Name != "" {
			name += " " + c.Span.Name
		}
		change := "none"
		switch {
		case c.Value.Rat == nil:
		case c.Change.Rat != nil:
			change = decimal(new(big.Rat).Mul(c.Change.Rat, big.NewRat(100, 1)), 1) + " %"
			if c.Change.Sign() > 0 {
				change = "+" + change
			}
		case c.Value.Sign() <= 0:
			change = "none: the value compared with is not above 0"
		default:
			change = "none: " + reason(c.ChangeReason)
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", name, c.Span, e.value(c.figure), change)
	}
}

func (e *explanation) printThresholds(w io.Writer) {
	if len(e.Thresholds) == 0 {
		return
	}
	fmt.Fprintln(w, "\nTHRESHOLD\tVALUE\tSTATE")
	for _, t := range e.Thresholds {
		state := "no value to compare"
		if t.Crossed != nil {
			state = "not crossed"
			if *t.Crossed {
				state = "CROSSED"
			}
		}
		fmt.Fprintf(w, "%s\t%s %s\t%s\n", t.Severity, t.Side, e.value(figure{Value: t.Value}), state)
	}
}

func (e *explanation) printSettings(w io.Writer) {
	if len(e.Settings) == 0 {
		return
	}
	fmt.Fprintln(w, "\nSETTING\tVALUE")
	for _, s := range e.Settings {
		fmt.Fprintf(w, "%s\t%s\n", s.Key, s.Value)
	}
}

func (e *explanation) printInputs(w io.Writer) {
	if len(e.Inputs) == 0 {
		fmt.Fprintln(w, "\nNo source delivers what it is computed from.")
		return
	}
	fmt.Fprintln(w, "\nSOURCE\tTYPE\tSTREAM\tRECORDS\tLAST SUCCESS\tNEWEST DATA\tSTATE")
	for _, in := range e.Inputs {
		read, newest := "never", ""
		if in.LastSuccess != nil {
			read = in.LastSuccess.Format(minute) + ", " + moment(*in.LastSuccess, e.now).Relative
		}
		if in.DataTime != nil {
			newest = in.DataTime.Format(minute)
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", in.Source, in.Type, in.Stream, list(in.Kinds), read, newest, in.state())
	}
	if e.past {
		fmt.Fprintln(w, "Sources are never stale for a moment that is asked for by --as-of.")
	}
}

// list writes kinds of record for people.
func list(kinds []record.Kind) string {
	names := make([]string, len(kinds))
	for i, k := range kinds {
		names[i] = string(k)
	}
	return strings.Join(names, ", ")
}

// state says in words how a stream stands.
func (in *input) state() string {
	var states []string
	for _, s := range []struct {
		holds bool
		text  string
	}{
		{in.Unread, "not read to its end yet"},
		{in.Stale, "stale"},
		{in.Truncated, "truncated"},
		{in.Error != "", "the last attempt failed: " + strings.ReplaceAll(in.Error, "\n", "; ")},
	} {
		if s.holds {
			states = append(states, s.text)
		}
	}
	if len(states) == 0 {
		return "ok"
	}
	return strings.Join(states, ", ")
}
