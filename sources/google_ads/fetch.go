package googleads

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/b2bexporter/b2b_exporter/internal/record"
	"github.com/b2bexporter/b2b_exporter/internal/window"
	"github.com/b2bexporter/b2b_exporter/sources"
	"github.com/b2bexporter/b2b_exporter/sources/internal/cursors"
)

const (
	// mostHistory is how far back there may be anything, in days.
	mostHistory = 11 * 366
	// pageRecords is how many records are emitted at once.
	pageRecords = 1000
)

// cursor is what the ledger keeps. Times are in seconds since 1970-01-01 UTC.
type cursor struct {
	// Read is when the last complete pass began; 0 before the first is done.
	Read int64 `json:"read,omitempty"`
	// Recent is when the newest days were read last.
	Recent int64 `json:"recent,omitempty"`
	// Known are the campaigns that may have records in the look-back, in ascending order: where
	// the vendor leaves a day of them out, what was read of it before must go.
	Known []int64 `json:"known,omitempty"`
	// Pass is a pass that is under way.
	Pass *pass `json:"pass,omitempty"`
}

// pass is a reading of all days from the newest down to First.
type pass struct {
	Began int64      `json:"began"`
	First record.Day `json:"first"`
	Last  record.Day `json:"last"`
	// Next is the newest day that was not read yet.
	Next record.Day `json:"next"`
	// Seen are the campaigns with records in the look-back, in ascending order.
	Seen []int64 `json:"seen,omitempty"`
}

// days is what the vendor says of some days.
type days struct {
	records  map[dayKey]record.Record
	rejected map[dayKey]sources.Rejection
	rounded  int
	// zero returns the record of a campaign that has none on a day, though it could have; nil for others.
	zero func(dayKey) record.Record
	// running are campaigns for which zero may return something.
	running []int64
}

// dayKey is a day of a campaign.
type dayKey struct {
	campaign int64
	day      record.Day
}

// String returns the ID of the day's record.
func (k dayKey) String() string { return fmt.Sprintf("%d@%s", k.campaign, k.day) }

func (k dayKey) compare(other dayKey) int {
	return cmp.Or(cmp.Compare(k.day, other.day), cmp.Compare(k.campaign, other.campaign))
}

// fetch is one Fetch of a stream.
type fetch struct {
	*Source
	stream
	facts   *facts
	request sources.Request
	cursor  cursor
	emit    sources.Emit
}

func (f *fetch) now() int64 { return f.request.Now.Unix() }

// dayOf returns the day of the account at a time in seconds.
func (f *fetch) dayOf(seconds int64) record.Day {
	return record.DayOf(time.Unix(seconds, 0).In(f.facts.zone))
}

func (f *fetch) lookback() record.Day { return record.Day(f.options.Lookback.Days) }

func (f *fetch) run(ctx context.Context) error {
	c := &f.cursor
	if c.Pass == nil && f.now()-c.Read >= int64(f.options.LookbackEvery.Seconds()) {
		if err := f.begin(ctx); err != nil {
			return err
		}
	}
	if p := c.Pass; p != nil {
		if err := f.pass(ctx, p); err != nil {
			return fmt.Errorf("read %s back to %s: %w", f.kind, p.First, err)
		}
		if p.Began == f.now() {
			return nil // it has read the newest days too
		}
	}
	// After a pause, the days that were new before it have changed since.
	first, last := min(f.facts.today, f.dayOf(c.Recent))-f.recent, f.facts.today
	if err := f.newest(ctx, first, last); err != nil {
		return fmt.Errorf("read %s from %s to %s: %w", f.kind, first, last, err)
	}
	return nil
}

// begin plans a pass: over the history the first time, then over the look-back.
func (f *fetch) begin(ctx context.Context) error {
	today := f.facts.today
	p := &pass{Began: f.now(), Last: today, Next: today, First: today - f.lookback() + 1}
	if f.cursor.Read == 0 {
		first, err := f.firstDay(ctx, f.floor(), today)
		if err != nil {
			return err
		}
		p.First = min(p.First, first)
	} else {
		// What was in the look-back then may have changed until it left it.
		p.First = min(today, f.dayOf(f.cursor.Read)) - f.lookback() + 1
	}
	f.cursor.Pass = p
	return nil
}

// floor returns the first day of the history that is wanted.
func (f *fetch) floor() record.Day {
	floor := f.facts.today - mostHistory
	switch h := f.request.History; {
	case h == window.Span{}:
		return floor
	case h.Days > 0:
		return max(floor, f.facts.today-record.Day(h.Days))
	default:
		return max(floor, record.DayOf(f.request.Now.Add(-h.Elapsed).In(f.facts.zone)))
	}
}

// pass reads what is left of a pass, newest first: it goes on where it was interrupted.
func (f *fetch) pass(ctx context.Context, p *pass) error {
	for f.cursor.Pass != nil {
		first, last := max(p.First, p.Next-f.chunk+1), p.Next
		found, err := f.read(ctx, f.Source, f.facts, first, last)
		if err != nil {
			return err
		}
		p.Seen = union(p.Seen, found.campaigns(f.facts.today-f.lookback()))
		list := f.complete(found, first, last)
		p.Next = first - 1
		progress := 1.0
		if p.Next < p.First {
			f.finish()
		} else if f.cursor.Read == 0 {
			progress = float64(p.Last-p.Next) / float64(p.Last-p.First+1)
		}
		if err := f.pages(ctx, list, found, progress); err != nil {
			return err
		}
	}
	return nil
}

// finish ends a pass.
func (f *fetch) finish() {
	c := &f.cursor
	c.Read, c.Recent, c.Known, c.Pass = c.Pass.Began, max(c.Recent, c.Pass.Began), c.Pass.Seen, nil
}

// newest reads the newest days.
func (f *fetch) newest(ctx context.Context, first, last record.Day) error {
	for last >= first {
		from := max(first, last-f.chunk+1)
		found, err := f.read(ctx, f.Source, f.facts, from, last)
		if err != nil {
			return err
		}
		list := f.complete(found, from, last)
		f.cursor.Known = union(f.cursor.Known, found.campaigns(f.facts.today-f.lookback()))
		if from == first {
			f.cursor.Recent = f.now()
		}
		if err := f.pages(ctx, list, found, -1); err != nil {
			return err
		}
		last = from - 1
	}
	return nil
}

// complete returns the records of the days, with those of days that the vendor leaves out: zero
// where the campaign is running, else the word that there is none.
func (f *fetch) complete(found *days, first, last record.Day) []record.Record {
	all := maps.Clone(found.records)
	for _, id := range union(f.cursor.Known, found.running) {
		_, known := slices.BinarySearch(f.cursor.Known, id)
		for day := first; day <= last; day++ {
			key := dayKey{id, day}
			if _, rejected := found.rejected[key]; rejected || all[key] != nil {
				continue
			}
			if zero := found.zero(key); zero != nil {
				all[key] = zero
			} else if known {
				all[key] = record.Tombstone(f.kind, key.String())
			}
		}
	}
	list := make([]record.Record, 0, len(all))
	for _, key := range slices.SortedFunc(maps.Keys(all), dayKey.compare) {
		list = append(list, all[key])
	}
	return list
}

// campaigns returns the campaigns with records or rejections behind a day, in ascending order.
func (d *days) campaigns(behind record.Day) []int64 {
	var ids []int64
	for key := range d.records {
		if key.day > behind {
			ids = append(ids, key.campaign)
		}
	}
	for key := range d.rejected {
		if key.day > behind {
			ids = append(ids, key.campaign)
		}
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

// union returns what is in a or b, in ascending order.
func union(a, b []int64) []int64 {
	all := slices.Concat(a, b)
	slices.Sort(all)
	return slices.Compact(all)
}

// pages emits the records of some days. The cursor comes with the last of them.
func (f *fetch) pages(ctx context.Context, list []record.Record, found *days, progress float64) error {
	for last := false; !last; {
		n := min(len(list), pageRecords)
		page := sources.Page{Records: list[:n], Progress: -1}
		list = list[n:]
		if last = len(list) == 0; last {
			page.Rejected = slices.SortedFunc(maps.Values(found.rejected), func(a, b sources.Rejection) int { return cmp.Compare(a.ID, b.ID) })
			page.Rounded, page.Cursor, page.Progress = found.rounded, cursors.Text(f.cursor), progress
		}
		if err := f.emit(ctx, page); err != nil {
			return err
		}
	}
	return nil
}

// fieldError says what is wrong with a field of a row. It does not quote the value.
type fieldError struct{ field, expected string }

func (e *fieldError) Error() string { return e.field + ": is not " + e.expected }

// rejection returns the word that a row could not be understood.
func rejection(kind record.Kind, key dayKey, err error) sources.Rejection {
	r := sources.Rejection{
		Kind: kind, ID: key.String(), Reason: "bad value", Detail: err.Error(),
		Where: fmt.Sprintf("campaign %d on %s", key.campaign, key.day),
	}
	if _, ok := errors.AsType[*fieldError](err); ok {
		r.Reason = "bad number"
	}
	return r
}
