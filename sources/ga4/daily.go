package ga4

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/b2bexporter/b2b_exporter/internal/record"
	"github.com/b2bexporter/b2b_exporter/internal/window"
	"github.com/b2bexporter/b2b_exporter/sources"
	"github.com/b2bexporter/b2b_exporter/sources/internal/cursors"
)

// cursor is what the ledger keeps of a stream of daily figures.
type cursor struct {
	// Shape is what decides which records there are: with another one everything is read again.
	Shape string `json:"shape"`
	// First is the first day with visits, looked for from the day Asked on. All days from Oldest to Newest were read; none where
	// Newest is zero.
	First  record.Day `json:"first,omitempty"`
	Asked  record.Day `json:"asked,omitempty"`
	Oldest record.Day `json:"oldest,omitempty"`
	Newest record.Day `json:"newest,omitempty"`
	// Daily and Deep are when the last days and many days were read again last, in milliseconds
	// since 1970-01-01 UTC.
	Daily int64 `json:"daily,omitempty"`
	Deep  int64 `json:"deep,omitempty"`
	// Rows is how many records of a report and day there are, to delete those that go.
	Rows map[string]map[record.Day]int `json:"rows,omitempty"`
	// Cut are the days of a report of which the vendor has left a part out.
	Cut map[string][]record.Day `json:"cut,omitempty"`
}

func newCursor(shape string) cursor {
	return cursor{Shape: shape, Rows: map[string]map[record.Day]int{}, Cut: map[string][]record.Day{}}
}

// forget drops what is too old to be read again, or to be part of a window.
func (c *cursor) forget(today, newest record.Day) {
	oldest := today - mostLookback
	if newest > 0 { // after a pause, days before it are read again
		oldest = min(oldest, newest-mostLookback)
	}
	for _, days := range c.Rows {
		for day := range days {
			if day < oldest {
				delete(days, day)
			}
		}
	}
	for name, days := range c.Cut {
		c.Cut[name] = slices.DeleteFunc(days, func(day record.Day) bool { return day < today-longestWindow })
		if len(c.Cut[name]) == 0 {
			delete(c.Cut, name)
		}
	}
}

// longestWindow is the days of the longest window, a leap year to date.
const longestWindow = 366

// count notes how many records a report has of a day and returns how many there were.
func (c *cursor) count(name string, day record.Day, n int) (before int) {
	if c.Rows[name] == nil {
		c.Rows[name] = map[record.Day]int{}
	}
	before = c.Rows[name][day]
	if c.Rows[name][day] = n; n == 0 {
		delete(c.Rows[name], day)
	}
	return before
}

// stream is what differs between the streams of daily figures.
type stream struct {
	kind    record.Kind
	reports []report
	records func(*reading) // makes the records of a reading
}

// fetch is one Fetch of a stream of daily figures.
type fetch struct {
	*Source
	stream
	env    sources.Environment
	emit   sources.Emit
	today  record.Day
	start  record.Day // the first day that is wanted
	cursor cursor
	newest record.Day // the cursor's, at the beginning
	// replace says that the records held have another shape: no page before the last has a cursor,
	// so that one Fetch lists everything.
	replace bool
}

// reading is what reports say of days, and the page that is made of it.
type reading struct {
	*fetch
	days   span
	tables map[string]table // by the report's name
	page   sources.Page
}

// earliest is the first day that the API takes.
func earliest() record.Day { return record.DateDay(2015, time.August, 14) }

// daily reads a stream of daily figures.
func (s *Source) daily(ctx context.Context, req sources.Request, emit sources.Emit, st stream) error {
	c := newCursor("")
	if err := cursors.Read(req, &c); err != nil {
		return err
	}
	f := &fetch{Source: s, stream: st, env: req.Environment, emit: emit, cursor: c}
	calendar := window.New(req.Zone)
	now := req.Now.UnixMicro()
	f.today, f.start = record.Day(calendar.Day(now)), earliest()
	if req.History != (window.Span{}) {
		f.start = max(f.start, record.Day(calendar.Day(calendar.Back(now, req.History))))
	}
	if shape := s.shape(req.Stream); c.Shape != shape {
		f.replace = req.Cursor != ""
		f.cursor = newCursor(shape)
	}
	f.newest = f.cursor.Newest
	return f.run(ctx)
}

// shape returns what decides which records a stream has.
func (s *Source) shape(stream string) string {
	if stream == streamTraffic {
		return strings.Join([]string{s.options.Property, s.options.ChannelBy, strings.Join(slices.Sorted(slices.Values(s.options.Breakdowns)), ",")}, " ")
	}
	return s.options.Property
}

func (f *fetch) run(ctx context.Context) error {
	if f.newest == 0 {
		return f.begin(ctx)
	}
	if err := f.reach(ctx); err != nil {
		return fmt.Errorf("find the first day with visits: %w", err)
	}
	if err := f.refresh(ctx); err != nil {
		return fmt.Errorf("read the newest days again: %w", err)
	}
	return f.backfill(ctx)
}

// begin finds the first day with visits and reads from today back to it.
func (f *fetch) begin(ctx context.Context) error {
	first, found, err := f.firstDay(ctx)
	if err != nil {
		return fmt.Errorf("find the first day with visits: %w", err)
	}
	if !found {
		// Nothing was counted yet, so that there is nothing of which to say that it is zero.
		return f.emit(ctx, sources.Page{Sweep: f.replace, Progress: 1})
	}
	c, now := &f.cursor, f.env.Now.UnixMilli()
	c.First, c.Asked, c.Oldest, c.Daily, c.Deep = first, f.start, f.today+1, now, now
	return f.backfill(ctx)
}

// reach looks for earlier visits where more history is wanted than before.
func (f *fetch) reach(ctx context.Context) error {
	c := &f.cursor
	if f.start >= c.Asked {
		return nil
	}
	first, found, err := f.firstDay(ctx)
	if err != nil {
		return err
	}
	if c.Asked = f.start; found {
		c.First = min(c.First, first)
	}
	return nil
}

// firstDay returns the first wanted day with visits.
func (f *fetch) firstDay(ctx context.Context) (first record.Day, found bool, err error) {
	r := report{metrics: []string{"sessions"}}
	// Two rows, because (other) comes before all days.
	q := r.over(span{f.start, f.today}, true, 2)
	a, err := f.first(ctx, q)
	if err != nil {
		return 0, false, err
	}
	rows, err := f.read(q, a)
	if err != nil {
		return 0, false, err
	}
	for _, r := range rows {
		if day, ok := parseDay(r.dimensions[0]); ok {
			return day, true, nil
		}
	}
	return f.start, len(rows) > 0, nil
}

// backfill reads the history that was not read yet, the newest days first.
func (f *fetch) backfill(ctx context.Context) error {
	c, start := &f.cursor, max(f.start, f.cursor.First)
	for c.Oldest > start {
		days := span{max(start, c.Oldest-record.Day(f.chunkDays)), c.Oldest - 1}
		done := days.from == start
		err := f.readDays(ctx, days, f.reports, func(page *sources.Page) {
			c.Oldest, c.Newest = days.from, max(c.Newest, days.to)
			page.Progress = float64(f.today-days.from) / float64(max(f.today-start, 1))
			page.Sweep = f.replace && done
		})
		if err != nil {
			return fmt.Errorf("read the history: %w", err)
		}
	}
	return nil
}

// refresh reads the days again that may have changed since they were read.
func (f *fetch) refresh(ctx context.Context) error {
	c, now := &f.cursor, f.env.Now.UnixMilli()
	// What was the newest day then was not over, and the one before it not final. What was in a
	// look-back then may have changed until it left it.
	last := min(f.today, f.newest, record.DayOf(time.UnixMilli(c.Daily).In(f.env.Zone)))
	back := func(days int) record.Day { return last - record.Day(days-1) }
	daily := now-c.Daily >= (24 * time.Hour).Milliseconds()
	if deep := now-c.Deep >= f.options.DeepEvery.Milliseconds(); deep {
		return f.again(ctx, span{back(f.options.DeepLookbackDays), f.today}, f.reports, func() { c.Daily, c.Deep = now, now })
	}
	if !daily {
		return f.again(ctx, span{back(2), f.today}, f.reports, func() {})
	}
	from := back(f.options.LookbackDays)
	if attributed := f.attributed(); len(attributed) > 0 && f.options.KeyEventLookbackDays > f.options.LookbackDays {
		if err := f.again(ctx, span{back(f.options.KeyEventLookbackDays), from - 1}, attributed, func() {}); err != nil {
			return err
		}
	}
	return f.again(ctx, span{from, f.today}, f.reports, func() { c.Daily = now })
}

// attributed returns the reports whose key events move for longer, with the credit that channels get.
func (f *fetch) attributed() []report {
	return slices.DeleteFunc(slices.Clone(f.reports), func(r report) bool { return r.name != record.ByChannel })
}

// again reads days, the oldest first, and calls done before the last page is emitted. Days that the history
// does not reach are left out.
func (f *fetch) again(ctx context.Context, days span, reports []report, done func()) error {
	days.from = max(days.from, f.start)
	for from := days.from; from <= days.to; from += record.Day(f.chunkDays) {
		part := span{from, min(from+record.Day(f.chunkDays)-1, days.to)}
		err := f.readDays(ctx, part, reports, func(page *sources.Page) {
			f.cursor.Newest = max(f.cursor.Newest, part.to)
			page.Progress = -1
			if part.to == days.to {
				done()
			}
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// readDays reads reports over days and emits a page, which finish completes.
func (f *fetch) readDays(ctx context.Context, days span, reports []report, finish func(*sources.Page)) error {
	queries := make([]query, len(reports))
	for i, r := range reports {
		queries[i] = r.over(days, true, f.pageRows)
	}
	list, err := f.Source.run(ctx, queries)
	if err != nil {
		return fmt.Errorf("days %s to %s: %w", days.from, days.to, err)
	}
	r := &reading{fetch: f, days: days, tables: map[string]table{}}
	for i, t := range list {
		r.tables[reports[i].name] = t
		f.observe(ctx, f.env, reports[i].name, t.meta)
		f.uncut(reports[i].name, days)
	}
	f.records(r)
	finish(&r.page)
	f.cursor.forget(f.today, f.newest)
	r.page.Truncated = len(f.cursor.Cut) > 0
	if !f.replace || r.page.Sweep {
		r.page.Cursor = cursors.Text(f.cursor)
	}
	return f.emit(ctx, r.page)
}

// cut notes that the vendor left out a part of a report on days.
func (f *fetch) cut(name string, days span) {
	f.uncut(name, days)
	for day := days.from; day <= days.to; day++ {
		f.cursor.Cut[name] = append(f.cursor.Cut[name], day)
	}
}

// uncut forgets what cut has noted.
func (f *fetch) uncut(name string, days span) {
	f.cursor.Cut[name] = slices.DeleteFunc(f.cursor.Cut[name], func(day record.Day) bool { return day >= days.from && day <= days.to })
	if len(f.cursor.Cut[name]) == 0 {
		delete(f.cursor.Cut, name)
	}
}
