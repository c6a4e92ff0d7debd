package hubspot

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/b2bexporter/b2b_exporter/internal/record"
	"github.com/b2bexporter/b2b_exporter/sources"
	"github.com/b2bexporter/b2b_exporter/sources/internal/apiclient"
	"github.com/b2bexporter/b2b_exporter/sources/internal/cursors"
)

const (
	// overlap is read again each time: the search index may learn of a change late.
	overlap = 10 * time.Minute
	// holdback is not read yet: the index lags by some seconds.
	holdback = time.Minute
	// committed is how many records of a listing are committed together: a commit writes almost as
	// much for the 50 of an answer.
	committed = 400
)

// cursor is what the ledger keeps. Times are in milliseconds since 1970-01-01 UTC.
type cursor struct {
	// Began and After are a first read that is under way.
	Began int64  `json:"began,omitempty"`
	After string `json:"after,omitempty"`
	// Read is the time before which every change was read; 0 before the first read is done.
	Read int64 `json:"read,omitempty"`
	// From, Until and ID are a search of changes that is under way, and the last ID of it.
	From  int64  `json:"from,omitempty"`
	Until int64  `json:"until,omitempty"`
	ID    uint64 `json:"id,omitempty"`
	// Archived and Swept are when deleted records and all records were listed last.
	Archived int64 `json:"archived,omitempty"`
	Swept    int64 `json:"swept,omitempty"`
}

// fetch is one Fetch of a stream.
type fetch struct {
	*Source
	stream
	now    int64
	cursor cursor
	emit   sources.Emit
	mapper *mapper
}

func (f *fetch) run(ctx context.Context) error {
	fresh := f.cursor.Read == 0
	if fresh {
		if err := f.first(ctx); err != nil {
			return fmt.Errorf("read all %s: %w", f.object, err)
		}
	}
	// An interrupted search is finished first, and a first read of hours is caught up with.
	for again := !fresh; again || f.cursor.Read < f.now-holdback.Milliseconds(); again = false {
		if err := f.changes(ctx); err != nil {
			return fmt.Errorf("read changed %s: %w", f.object, err)
		}
	}
	if f.now-f.cursor.Archived >= f.options.ArchivedEvery.Milliseconds() {
		if err := f.archived(ctx); err != nil {
			return fmt.Errorf("read deleted %s: %w", f.object, err)
		}
	}
	if f.now-f.cursor.Swept >= f.options.SweepEvery.Milliseconds() {
		if err := f.sweep(ctx); err != nil {
			return fmt.Errorf("sweep %s: %w", f.object, err)
		}
	}
	return nil
}

// first lists everything. It goes on where it was interrupted; then deletions in the part that was
// read before wait for the next sweep.
func (f *fetch) first(ctx context.Context) error {
	whole := f.cursor.After == ""
	if whole {
		f.cursor.Began = f.now
	}
	return f.all(ctx, f.cursor.After, func(page *sources.Page, after string) {
		f.cursor.After = after
		if after == "" {
			began := f.cursor.Began
			f.cursor = cursor{Read: began, Archived: began, Swept: began}
			page.Sweep, page.Progress = whole, 1
		}
		page.Cursor = cursors.Text(f.cursor)
	})
}

// sweep lists everything again: what is not there any more was deleted for good, and a change
// that the search did not find is found here.
func (f *fetch) sweep(ctx context.Context) error {
	return f.all(ctx, "", func(page *sources.Page, after string) {
		if after == "" {
			f.cursor.Swept = f.now
			page.Sweep, page.Cursor, page.Progress = true, cursors.Text(f.cursor), 1
		}
	})
}

// all lists the records behind after; finish completes each page, which holds several answers and
// whose successor comes after next.
func (f *fetch) all(ctx context.Context, after string, finish func(page *sources.Page, next string)) error {
	var (
		guard apiclient.PageGuard
		page  sources.Page
	)
	send := func() error {
		finish(&page, after)
		whole := page
		page = sources.Page{}
		return f.emit(ctx, whole)
	}
	for {
		next, err := f.answer(ctx, &guard, after, &page)
		if err != nil {
			if len(page.Records) > 0 {
				err = errors.Join(err, send()) // what was read need not be read again
			}
			return err
		}
		after = next
		if after != "" && len(page.Records) < committed {
			continue
		}
		if err := send(); err != nil || after == "" {
			return err
		}
	}
}

// answer adds the records of one answer to a page, and returns behind which the next one begins.
func (f *fetch) answer(ctx context.Context, guard *apiclient.PageGuard, after string, page *sources.Page) (next string, err error) {
	if err := guard.Next(after); err != nil {
		return "", err
	}
	body, err := f.list(ctx, f.object, f.pageSize(), after, false, f.mapper.properties, f.history)
	if err != nil {
		return "", err
	}
	got, err := f.mapper.page(ctx, body.Results)
	if err != nil {
		return "", err
	}
	page.Progress = got.Progress
	page.Records = append(page.Records, got.Records...)
	page.Rejected = append(page.Rejected, got.Rejected...)
	page.Rounded += got.Rounded
	return body.Paging.Next.After, nil
}

// changes reads what was changed since the last time. A record that is changed while this goes on
// may leave the window: the next one finds it.
func (f *fetch) changes(ctx context.Context) error {
	c := &f.cursor
	if c.Until == 0 {
		c.From, c.Until, c.ID = c.Read-overlap.Milliseconds(), max(c.Read, f.now-holdback.Milliseconds()), 0
	}
	for {
		found, more, err := f.search(ctx, f.object, f.modified, c.From, c.Until, c.ID)
		if err != nil {
			return err
		}
		if more && len(found) == 0 {
			return &apiclient.LoopError{}
		}
		for last := false; !last; {
			part := found[:min(len(found), f.pageSize())]
			found = found[len(part):]
			if last = len(found) == 0; last && !more {
				c.Read, c.From, c.Until, c.ID = c.Until, 0, 0, 0
			} else {
				c.ID = part[len(part)-1]
			}
			if err := f.readPage(ctx, part); err != nil {
				return err
			}
		}
		if !more {
			return nil
		}
	}
}

// readPage reads records that were found and emits them with the cursor.
func (f *fetch) readPage(ctx context.Context, found []uint64) error {
	page := sources.Page{Progress: -1}
	if len(found) > 0 {
		ids := make([]string, len(found))
		for i, n := range found {
			ids[i] = strconv.FormatUint(n, 10)
		}
		// The search index may be behind: the records themselves are not.
		objects, err := f.read(ctx, f.object, ids, f.mapper.properties, f.history)
		if err != nil {
			return err
		}
		if page, err = f.mapper.page(ctx, objects); err != nil {
			return err
		}
	}
	page.Cursor = cursors.Text(f.cursor)
	return f.emit(ctx, page)
}

// archived lists the records that users have deleted in the last 90 days.
func (f *fetch) archived(ctx context.Context) error {
	var guard apiclient.PageGuard
	after := ""
	for {
		if err := guard.Next(after); err != nil {
			return err
		}
		body, err := f.list(ctx, f.object, mostListed, after, true, nil, nil)
		if err != nil {
			return err
		}
		page := sources.Page{Progress: -1}
		for _, o := range body.Results {
			if o.Archived && o.ID != "" {
				page.Records = append(page.Records, record.Tombstone(f.kind, o.ID))
			}
		}
		if after = body.Paging.Next.After; after == "" {
			f.cursor.Archived = f.now
			page.Cursor = cursors.Text(f.cursor)
		}
		if err := f.emit(ctx, page); err != nil {
			return err
		}
		if after == "" {
			return nil
		}
	}
}
