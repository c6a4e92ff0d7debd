package main

import (
	"math/big"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/text/currency"

	"github.com/b2bexporter/b2b_exporter/collector"
	"github.com/b2bexporter/b2b_exporter/internal/web"
)

// title makes words of the name of a metric or a collector: b2b_revenue_net is "Net
// revenue".
func title(name string) string {
	words := strings.Split(strings.TrimPrefix(name, "b2b_"), "_")
	n := len(words) - 1
	switch last := words[n]; last {
	case "net", "gross", "new":
		words = append([]string{last}, words[:n]...)
	case "revenue":
		if n > 0 {
			words = append([]string{"revenue", "of"}, words[:n]...)
		}
	case "seconds":
		words[n] = "time"
	case "ratio":
		switch {
		case slices.Contains(words, "margin") || slices.Contains(words, "roi"):
			words = words[:n] // which say that they are ratios
		case !slices.Contains(words, "cac"):
			words[n] = "rate"
		}
	}
	var b strings.Builder
	acronym := false
	for i, w := range words {
		before := acronym
		acronym = slices.Contains([]string{"arr", "cac", "ltv", "mql", "mrr", "roi", "sql"}, w)
		switch {
		case before && acronym:
			b.WriteByte(':')
		case i > 0:
			b.WriteByte(' ')
		}
		switch {
		case acronym:
			w = strings.ToUpper(w)
		case i == 0:
			w = strings.ToUpper(w[:1]) + w[1:]
		}
		b.WriteString(w)
	}
	return b.String()
}

// reason says in words why a KPI has no value.
func reason(r collector.Reason) string {
	switch r {
	case collector.SourceMissing:
		return "no source delivers it"
	case collector.Stale:
		return "a source has not been read for too long"
	case collector.Truncated:
		return "a source has not delivered all of it"
	case collector.NoRate:
		return "an exchange rate is missing"
	case collector.Immature:
		return "history does not reach back far enough"
	case collector.TooFew:
		return "too few to tell"
	case collector.NoData:
		return "nothing to compute it from"
	case collector.ZeroDenominator:
		return "nothing to divide by"
	case "":
		return "not compared"
	}
	return strings.ReplaceAll(string(r), "_", " ")
}

// multiple reports whether a ratio tells how many times over a cost comes back, which
// people read as a number; of other ratios they read percent.
func multiple(m collector.Metric) bool {
	words := strings.Split(m.Name, "_")
	return m.Free && slices.ContainsFunc([]string{"cac", "roi", "return"}, func(w string) bool { return slices.Contains(words, w) })
}

// written writes a value of a metric for people. The unit is empty where the value has
// none or holds it.
func written(m collector.Metric, n *big.Rat, code string) (value, unit string) {
	million := big.NewRat(1e6, 1)
	large := new(big.Rat).Abs(n).Cmp(big.NewRat(1e8, 1)) >= 0
	switch {
	case m.Money && large:
		return decimal(new(big.Rat).Quo(n, million), 1), "million " + code
	case m.Money:
		return decimal(n, digits(n, code)), code
	case m.Unit == "seconds":
		seconds, _ := n.Float64()
		return duration(time.Duration(seconds * float64(time.Second))), ""
	case m.Unit == "ratio" && multiple(m):
		return decimal(n, 2), ""
	case m.Unit == "ratio":
		return decimal(new(big.Rat).Mul(n, big.NewRat(100, 1)), 1), "%"
	case large:
		return decimal(new(big.Rat).Quo(n, million), 1), "million"
	case n.IsInt():
		return decimal(n, 0), ""
	}
	return decimal(n, 1), ""
}

// digits returns how many decimals of an amount are shown: the currency's, and none of
// thousands.
func digits(n *big.Rat, code string) int {
	unit, err := currency.ParseISO(code)
	if err != nil || new(big.Rat).Abs(n).Cmp(big.NewRat(1000, 1)) >= 0 {
		return 0
	}
	scale, _ := currency.Standard.Rounding(unit)
	return scale
}

// decimal writes a number with a comma after each thousand.
func decimal(n *big.Rat, digits int) string {
	text, negative := strings.CutPrefix(n.FloatString(digits), "-")
	whole, fraction, _ := strings.Cut(text, ".")
	for i := len(whole) - 3; i > 0; i -= 3 {
		whole = whole[:i] + "," + whole[i:]
	}
	if fraction != "" {
		whole += "." + fraction
	}
	if negative && strings.Trim(text, "0.") != "" {
		return "−" + whole
	}
	return whole
}

// growth writes how much a value has grown or fallen: in percent of the one before, or
// in percentage points where it is a percentage itself. By is empty where the one before is
// not above 0; moved is false where it has not, or by less than can be shown.
func growth(m collector.Metric, now, before *big.Rat) (by string, moved bool) {
	difference := new(big.Rat).Sub(now, before)
	difference.Abs(difference)
	hundred := big.NewRat(100, 1)
	unit := "%"
	switch {
	case difference.Sign() == 0:
		return "", false
	case m.Unit == "ratio" && !multiple(m):
		unit = "points"
	case before.Sign() <= 0:
		return "", true
	default:
		difference.Quo(difference, before)
	}
	difference.Mul(difference, hundred)
	if difference.Cmp(big.NewRat(1000, 1)) >= 0 {
		return decimal(difference, 0) + " " + unit, true
	}
	text := decimal(difference, 1)
	return text + " " + unit, text != "0.0"
}

// duration writes a duration in its two largest units.
func duration(d time.Duration) string {
	if d < 0 {
		return "−" + duration(-d)
	}
	steps := []struct {
		unit time.Duration
		name string
	}{{24 * time.Hour, "d"}, {time.Hour, "h"}, {time.Minute, "min"}, {time.Second, "s"}}
	for i, s := range steps[:3] {
		next := steps[i+1]
		rounded := d.Round(next.unit)
		if rounded < s.unit {
			continue
		}
		text := strconv.FormatInt(int64(rounded/s.unit), 10) + " " + s.name
		if rest := rounded % s.unit / next.unit; rest > 0 {
			text += " " + strconv.FormatInt(int64(rest), 10) + " " + next.name
		}
		return text
	}
	return strconv.FormatInt(int64(d.Round(time.Second)/time.Second), 10) + " s"
}

// moment describes a time relative to now, to the minute.
func moment(at, now time.Time) web.Moment {
	if at.IsZero() {
		return web.Moment{}
	}
	m := web.Moment{At: at, Relative: "just now"}
	switch d := now.Sub(at); {
	case d >= time.Minute:
		m.Relative = duration(d.Truncate(time.Minute)) + " ago"
	case d < 0:
		m.Relative = "in " + duration((time.Minute - 1 - d).Truncate(time.Minute))
	}
	return m
}
