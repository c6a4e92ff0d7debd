package poll

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"runtime/debug"
	"slices"
	"time"

	"github.com/b2bexporter/b2b_exporter/internal/ledger"
	"github.com/b2bexporter/b2b_exporter/internal/record"
	"github.com/b2bexporter/b2b_exporter/internal/window"
	"github.com/b2bexporter/b2b_exporter/sources"
)

// reading is the reading of one stream.
type reading struct {
	p       *Poller
	src     sources.Source
	stream  sources.Stream
	session *ledger.Session

	committed func(Commit) // hears of each page before the Poller's Observer; may be nil
	// timeout is how long the source may take for a page.
	timeout time.Duration
	// stalled, where not nil, is called when it took longer, in a goroutine of its own: the
	// source has been cancelled, but may never return.
	stalled func(error)

	end    End
	failed error // of the first page that was not committed
}

// fetch has the source emit its pages. It turns a panic of the source into an error,
// and cancels a source of which no page comes for the timeout.
func (r *reading) fetch(ctx context.Context, req sources.Request) (err error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	stall := fmt.Errorf("cancelled, because no page came for %s; check whether the vendor answers, it is read again later", r.timeout)
	timer := time.AfterFunc(r.timeout, func() {
		cancel(stall)
		if r.stalled != nil {
			r.stalled(stall)
		}
	})
	defer timer.Stop()
	defer func() {
		if v := recover(); v != nil {
			r.p.Log.ErrorContext(ctx, "source panicked", "source", r.src.Name(), "stream", r.stream.Name,
				"panic", v, "stack", string(debug.Stack()))
			err = fmt.Errorf("panic in the source: %v; this is a mistake in the exporter, please report it with the stack in the log", v)
		}
	}()
	err = r.src.Fetch(ctx, req, func(ctx context.Context, page sources.Page) error {
		// The time that a page waits for the ledger is not the source's.
		timer.Stop()
		defer timer.Reset(r.timeout)
		return r.emit(ctx, page)
	})
	if err == nil {
		return r.failed
	}
	if errors.Is(context.Cause(ctx), stall) {
		return fmt.Errorf("%w: %w", stall, err)
	}
	return err
}

// emit commits a page. After one that failed nothing more is committed: a source that
// went on regardless would move its cursor past what is missing.
func (r *reading) emit(ctx context.Context, page sources.Page) error {
	if r.failed == nil {
		r.failed = r.commit(ctx, page)
	}
	return r.failed
}

func (r *reading) commit(ctx context.Context, page sources.Page) error {
	if err := r.check(page); err != nil {
		return err
	}
	batch := ledger.Batch{
		Records: page.Records, Cursor: page.Cursor, Sweep: page.Sweep, SweepFrom: page.SweepFrom, Truncated: page.Truncated, DataTime: r.dataTime(page),
	}
	for _, rejection := range page.Rejected {
		if rejection.ID != "" {
			batch.Kept = append(batch.Kept, ledger.Kept{Kind: rejection.Kind, ID: rejection.ID})
		}
	}
	res, err := r.session.Commit(ctx, batch)
	if err != nil {
		return err
	}
	for _, rejection := range page.Rejected {
		res.Counts.Add(rejection.Kind, ledger.Rejected, 1)
		r.reject(ctx, rejection)
	}
	for _, i := range res.Duplicates {
		duplicate := sources.Rejection{
			Kind: page.Records[i].RecordKind(), Reason: "duplicate id",
			Detail: "an earlier record of this listing has the same id and another content; the earlier one counts",
		}
		if page.Where != nil {
			duplicate.Where = page.Where(i)
		}
		r.reject(ctx, duplicate)
	}
	r.end.Counts.Merge(res.Counts)
	r.end.Rounded += page.Rounded
	r.end.Truncated = r.end.Truncated || page.Truncated
	c := Commit{
		Source: r.end.Source, Stream: r.end.Stream, Progress: page.Progress, Counts: res.Counts,
		DataTime: batch.DataTime, Truncated: page.Truncated,
	}
	if r.committed != nil {
		r.committed(c)
	}
	if r.p.Observer != nil {
		r.p.Observer.Committed(c)
	}
	return nil
}

// check refuses a page that the ledger could not take or would not find again.
func (r *reading) check(page sources.Page) error {
	for i, rec := range page.Records {
		if rec == nil || reflect.ValueOf(rec).IsNil() {
			return fmt.Errorf("record %d of a page is nil; this is a mistake in the exporter, please report it", i)
		}
		if !slices.Contains(r.stream.Kinds, rec.RecordKind()) {
			return fmt.Errorf("record %d of a page is of kind %s, which the stream does not deliver; this is a mistake in the exporter, please report it",
				i, rec.RecordKind())
		}
	}
	return nil
}

// dataTime returns the newest date of the page's records up to now; zero for none.
func (r *reading) dataTime(page sources.Page) time.Time {
	now, newest := r.p.Now().UnixMicro(), int64(0)
	calendar := r.p.Ledger.Calendar()
	firstInstant := func(d record.Day) int64 { return calendar.Start(window.Day(d)) }
	for _, rec := range page.Records {
		if rec.RecordMeta().Deleted {
			continue
		}
		for _, date := range rec.Dates() {
			if date.IsNull() {
				continue
			}
			if us := date.Resolve(firstInstant); us <= now {
				newest = max(newest, us)
			}
		}
	}
	if newest == 0 {
		return time.Time{}
	}
	return time.UnixMicro(newest)
}

type rejectionKey struct {
	source, stream, reason string
	kind                   record.Kind
}

// reject logs a rejection, the first of each reason so that it is seen.
func (r *reading) reject(ctx context.Context, rejection sources.Rejection) {
	level, note := slog.LevelDebug, ""
	key := rejectionKey{r.end.Source, r.end.Stream, rejection.Reason, rejection.Kind}
	if _, told := r.p.told.LoadOrStore(key, true); !told {
		level, note = slog.LevelWarn, "others of the same reason are logged at level debug"
	}
	r.p.Log.Log(ctx, level, "record rejected", "source", r.end.Source, "stream", r.end.Stream, "record", rejection.Kind,
		"reason", rejection.Reason, "where", rejection.Where, "detail", rejection.Detail, "note", note)
}
