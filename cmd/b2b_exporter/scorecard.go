package main

import (
	"fmt"
	"math/big"
	"slices"
	"strings"
	"time"

	"github.com/b2bexporter/b2b_exporter/collector"
	"github.com/b2bexporter/b2b_exporter/internal/poll"
	"github.com/b2bexporter/b2b_exporter/internal/web"
	"github.com/b2bexporter/b2b_exporter/internal/window"
)

const (
	// defaultWindow is what the page shows unless asked.
	defaultWindow = window.Days30
	// lateAfter is how old figures are when refreshes have failed, which are 5 minutes apart.
	lateAfter = 15 * time.Minute
	// errorLength bounds the errors on the page, in characters; the log has the rest.
	errorLength = 400
)

// status is what the page shows over the window that is asked for.
func (s *service) status(asked string) web.Status {
	now, i := s.now(), s.current.Load()
	cfg := i.app.config
	shown, known := choose(asked, cfg.Windows)
	status := web.Status{Sources: i.sources(now)}
	for _, w := range window.Names() {
		if slices.Contains(cfg.Windows, w) {
			status.Windows = append(status.Windows, choice(w, w == shown))
		}
	}
	b := &scorecard{window: shown, thresholds: i.app.thresholds()}
	if snapshot := s.snapshot.Load(); snapshot != nil {
		b.out = snapshot.Output()
		at := time.UnixMicro(s.refreshed.Load())
		status.AsOf, status.Notice = moment(at.In(cfg.Timezone), now), late(now.Sub(at))
	}
	if !known {
		status.Notice = strings.TrimSpace("The window that was asked for is not configured. " + status.Notice)
	}
	enabled := func(m collector.Metric) bool {
		return slices.ContainsFunc(s.collectors, func(c collector.Collector) bool { return c.Name() == m.Collector })
	}
	b.fill(&status, slices.DeleteFunc(collector.Headlines(), func(m collector.Metric) bool { return !enabled(m) }))
	return status
}

// late says so of figures that should have been replaced.
func late(age time.Duration) string {
	if age <= lateAfter {
		return ""
	}
	return fmt.Sprintf("These figures are %s old: they could not be computed anew; the log says why.", duration(age))
}

// choose returns the window to show: the default where none is asked for, or one that is
// not configured, which known tells.
func choose(asked string, configured []window.Name) (shown window.Name, known bool) {
	if slices.Contains(configured, window.Name(asked)) {
		return window.Name(asked), true
	}
	if slices.Contains(configured, defaultWindow) || len(configured) == 0 {
		return defaultWindow, asked == ""
	}
	return configured[0], asked == ""
}

// choice describes a window.
func choice(w window.Name, shown bool) web.Window {
	back := defaultWindow
	if slices.Contains([]window.Name{window.Days30, window.Days90, window.Days365}, w) {
		back = w
	}
	c := web.Window{Name: string(w), Shown: shown, Back: fmt.Sprintf("%d days ago", back.Days())}
	switch w {
	case window.Today:
		c.Label, c.Before = "Today", "yesterday until the same time"
	case window.Days1:
		c.Label, c.Before = "Yesterday", "the day before"
	case window.MTD:
		c.Label, c.Before = "This month", "last month until the same time"
	case window.QTD:
		c.Label, c.Before = "This quarter", "last quarter until the same time"
	case window.YTD:
		c.Label, c.Before = "This year", "last year until the same time"
	default:
		c.Label = fmt.Sprintf("%d days", w.Days())
		c.Before = "the " + c.Label + " before"
	}
	return c
}

// scorecard is the part of the page that shows KPIs.
type scorecard struct {
	window     window.Name
	thresholds []collector.Threshold
	out        *collector.Output // nil before KPIs have been computed
}

// fill adds the cards of metrics, in their order, which no value changes.
func (b *scorecard) fill(status *web.Status, metrics []collector.Metric) {
	for _, m := range metrics {
		card, missing := b.card(m)
		group := title(m.Collector)
		if missing {
			if n := len(status.Missing); n == 0 || status.Missing[n-1].Group != group {
				status.Missing = append(status.Missing, web.Missing{Group: group})
			}
			last := &status.Missing[len(status.Missing)-1]
			last.Titles = append(last.Titles, card.Title)
			continue
		}
		if n := len(status.Groups); n == 0 || status.Groups[n-1].Title != group {
			status.Groups = append(status.Groups, web.Group{Title: group})
		}
		last := &status.Groups[len(status.Groups)-1]
		last.Cards = append(last.Cards, card)
	}
	b.compare(status, metrics)
}

// card returns the card of a metric. Missing says that no source delivers what it needs.
func (b *scorecard) card(m collector.Metric) (card web.Card, missing bool) {
	card = web.Card{Title: title(m.Name), Help: m.Help, Now: !m.HasWindow()}
	c, ok := b.compared(m)
	now := c.Value
	switch {
	case !ok && b.out != nil && len(b.out.Failures) > 0:
		card.Reason = "could not be computed; the log says why"
		return card, false
	case !ok:
		card.Reason = "not computed yet"
		return card, false
	case !now.Defined():
		card.Reason = reason(now.Reason)
		return card, now.Reason == collector.SourceMissing
	}
	card.Value, card.Unit = written(m, now.Number, b.out.Currency())
	card.Change = b.change(m, c)
	at := ""
	if m.HasWindow() {
		at = string(b.window)
	}
	card.Level, card.Limit = b.level(m, at, now)
	return card, false
}

// compared returns a KPI's value in the window that is shown and what it is compared with. One
// without a window is compared with its value 30 days before where the window has no days.
func (b *scorecard) compared(m collector.Metric) (c collector.Compared, ok bool) {
	h, ok := b.headline(m.Name)
	if !ok {
		return c, false
	}
	c, ok = h.Windows[b.window]
	if m.HasWindow() {
		return c, ok
	}
	if !ok {
		c = h.Windows[defaultWindow]
	}
	return collector.Compared{Value: h.At.Value, Complete: h.At.Complete, Base: c.Base}, true
}

func (b *scorecard) headline(kpi string) (collector.Headline, bool) {
	if b.out == nil {
		return collector.Headline{}, false
	}
	i := slices.IndexFunc(b.out.Headlines, func(h collector.Headline) bool { return h.KPI == kpi })
	if i < 0 {
		return collector.Headline{}, false
	}
	return b.out.Headlines[i], true
}

// change compares a value with the one before, as b2b_kpi_change_ratio does: over the complete
// days on both sides where the KPI is known by day.
func (b *scorecard) change(m collector.Metric, c collector.Compared) web.Change {
	now, before := c.Complete, c.Base[collector.Previous]
	if now.Reason == collector.NoData && c.Value.Defined() {
		return web.Change{Reason: "no day is complete yet"}
	}
	for _, v := range []collector.Value{before, now} {
		if !v.Defined() {
			return web.Change{Reason: reason(v.Reason)}
		}
	}
	change := web.Change{Direction: web.Same, Before: b.text(m, before.Number)}
	if now.Number.Cmp(c.Value.Number) != 0 {
		change.Complete = b.text(m, now.Number)
	}
	by, moved := growth(m, now.Number, before.Number)
	if !moved {
		return change
	}
	change.By = by
	sign := now.Number.Cmp(before.Number)
	change.Direction = web.Up
	if sign < 0 {
		change.Direction = web.Down
	}
	switch sign * m.Worse {
	case 1:
		change.Verdict = web.Worse
	case -1:
		change.Verdict = web.Better
	}
	return change
}

// level returns the worst threshold that a value crosses. One that crosses none is OK,
// with the threshold that it would cross first as the limit.
func (b *scorecard) level(m collector.Metric, window string, v collector.Value) (level web.Level, limit string) {
	side := "below"
	if m.Worse > 0 {
		side = "above"
	}
	for _, severity := range []web.Level{web.Critical, web.Warning} {
		for _, t := range b.thresholds {
			if t.KPI != m.Name || t.Window != window || t.Severity != string(severity) {
				continue
			}
			text := side + " " + b.text(m, t.Value.Rat())
			if c := v.Number.Cmp(t.Value.Rat()); c > 0 && m.Worse > 0 || c < 0 && m.Worse <= 0 {
				return severity, text
			}
			level, limit = web.OK, string(severity)+" "+text
		}
	}
	return level, limit
}

// text writes a value with its unit.
func (b *scorecard) text(m collector.Metric, n *big.Rat) string {
	value, unit := written(m, n, b.out.Currency())
	return strings.TrimSpace(value + " " + unit)
}

// compare compares with all thresholds, and adds those that are crossed, critical ones
// first.
func (b *scorecard) compare(status *web.Status, metrics []collector.Metric) {
	for _, m := range metrics {
		h, _ := b.headline(m.Name)
		for _, w := range append([]window.Name{""}, window.Names()...) {
			v, ok := h.Windows[w]
			if !h.HasWindow {
				v, ok = h.At, w == "" && h.KPI != ""
			}
			if ok && b.limited(m, string(w)) {
				b.check(status, m, w, v.Value)
			}
		}
	}
	slices.SortStableFunc(status.Crossed, func(a, b web.Crossing) int { return strings.Compare(string(a.Level), string(b.Level)) })
}

// limited reports whether a KPI has a threshold in a window.
func (b *scorecard) limited(m collector.Metric, window string) bool {
	return slices.ContainsFunc(b.thresholds, func(t collector.Threshold) bool { return t.KPI == m.Name && t.Window == window })
}

// check compares a value with its thresholds. A KPI that no source delivers anything for
// is none to worry about.
func (b *scorecard) check(status *web.Status, m collector.Metric, w window.Name, v collector.Value) {
	if v.Reason == collector.SourceMissing {
		return
	}
	status.Checked = true
	if !v.Defined() {
		status.Unchecked++
		return
	}
	level, limit := b.level(m, string(w), v)
	if level == web.OK {
		return
	}
	crossing := web.Crossing{KPI: title(m.Name), Level: level, Value: b.text(m, v.Number), Limit: limit}
	if w != "" {
		crossing.Window = choice(w, false)
	}
	status.Crossed = append(status.Crossed, crossing)
}

// sources returns the sources in the order of the configuration, and how they stand.
func (i *instance) sources(now time.Time) []web.Source {
	var list []web.Source
	for _, st := range i.scheduler.States() {
		if n := len(list); n == 0 || list[n-1].Name != st.Source {
			list = append(list, web.Source{Name: st.Source, Vendor: st.Vendor})
		}
		last := &list[len(list)-1]
		last.Streams = append(last.Streams, i.stream(st, now))
	}
	return list
}

func (i *instance) stream(st poll.State, now time.Time) web.Stream {
	cfg := i.app.config
	s := web.Stream{
		Name: st.Stream, Up: st.Up, Truncated: st.Truncated, Error: short(st.Error),
		Stale:       !st.LastSuccess.IsZero() && now.Sub(st.LastSuccess) > cfg.Staleness,
		LastSuccess: moment(st.LastSuccess.In(cfg.Timezone), now), NextPoll: moment(st.NextPoll.In(cfg.Timezone), now),
	}
	if !st.NextPoll.IsZero() && !st.NextPoll.After(now) {
		s.NextPoll.Relative = "due"
	}
	if st.Backfill > 0 {
		s.Backfill = int(st.Backfill * 100)
	}
	return s
}

// short cuts an error to what fits on the page.
func short(text string) string {
	if r := []rune(text); len(r) > errorLength {
		return string(r[:errorLength]) + "… (the log has the rest)"
	}
	return text
}
