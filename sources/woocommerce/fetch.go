package woocommerce

import (
	"context"
	"fmt"
	"maps"
	"strconv"
	"time"

	"github.com/b2bexporter/b2b_exporter/sources"
	"github.com/b2bexporter/b2b_exporter/sources/internal/apiclient"
	"github.com/b2bexporter/b2b_exporter/sources/internal/cursors"
)

// cursor is what the ledger keeps of a stream.
type cursor struct {
	// High is, for each list, the newest change that a finished reading has seen.
	High map[string]high `json:"high,omitempty"`
	// List, Offset and Last are where a first reading that did not end goes on: in which list,
	// after how many records, and after which ID.
	List   int   `json:"list,omitempty"`
	Offset int   `json:"offset,omitempty"`
	Last   int64 `json:"last,omitempty"`
	// Swept and Tried are when the last sweep that ended was begun, and the last one at all. Swept
	// is zero until the first reading has ended.
	Swept time.Time `json:"swept,omitzero"`
	Tried time.Time `json:"tried,omitzero"`
}

// high is the newest change of a list.
type high struct {
	// At is the change by the shop's clock, and Seen by the exporter's when a reading was begun that
	// found nothing newer for the first time.
	At   time.Time `json:"at,omitzero"`
	Seen time.Time `json:"seen,omitzero"`
	// Settled says that so did a reading that was begun the overlap later: nothing older is
	// still to come.
	Settled bool `json:"settled,omitempty"`
}

// since returns after what a list is to be read; zero for all of it.
func (h high) since() time.Time {
	if h.At.IsZero() || h.Settled {
		return h.At
	}
	return h.At.Add(-overlap)
}

// reading is one Fetch.
type reading struct {
	*Source
	st   *stream
	req  sources.Request
	emit sources.Emit
	c    cursor // as it was committed last
}

// Fetch reads what has changed since the cursor, with an overlap; now and then everything.
func (s *Source) Fetch(ctx context.Context, req sources.Request, emit sources.Emit) error {
	st, err := s.stream(req.Stream)
	if err != nil {
		return err
	}
	r := &reading{Source: s, st: st, req: req, emit: emit}
	if err := cursors.Read(req, &r.c); err != nil {
		return err
	}
	if r.c.List < 0 || r.c.List >= len(st.lists) || r.c.Offset < 0 {
		return fmt.Errorf("read the cursor of the stream %s: there is no list %d from %d on", st.Name, r.c.List, r.c.Offset)
	}
	if r.c.High == nil {
		r.c.High = map[string]high{}
	}
	// What polls names the source and the stream.
	if r.c.Swept.IsZero() {
		return r.first(ctx)
	}
	sweep := r.due()
	if sweep {
		r.c.Tried = req.Now // kept with what is new, before the sweep can fail
	}
	if err := r.increment(ctx); err != nil || !sweep {
		return err
	}
	return r.sweep(ctx)
}

// due says whether it is time for a sweep.
func (r *reading) due() bool {
	now := r.req.Now
	return now.Sub(r.c.Swept) >= r.st.sweep && (r.c.Tried.Equal(r.c.Swept) || now.Sub(r.c.Tried) >= sweepRetry)
}

// end marks a reading of everything as done.
func (c *cursor) end(begun time.Time) {
	c.List, c.Offset, c.Last = 0, 0, 0
	c.Swept, c.Tried = begun, begun
}

// first reads everything, and goes on where an earlier attempt ended.
func (r *reading) first(ctx context.Context) error {
	for i := r.c.List; i < len(r.st.lists); i++ {
		l := r.st.lists[i]
		mark := func(page *sources.Page, c *cursor, at position, last bool) {
			c.List, c.Offset, c.Last = i, at.offset, at.last
			if at.total > 0 {
				page.Progress = min(float64(at.offset)/float64(at.total), 1)
			}
			switch {
			case last && i+1 == len(r.st.lists):
				c.end(r.req.Now)
			case last:
				c.List, c.Offset, c.Last = i+1, 0, 0
			}
		}
		from := position{offset: r.c.Offset, last: r.c.Last}
		if from.offset == 0 {
			// What changes while the list is read is newer than what is newest now.
			newest, err := r.newest(ctx, l, time.Time{}, 0)
			if err != nil {
				return err
			}
			r.c.High[l.name] = high{At: newest.high}
			if newest.complete {
				if err := r.send(ctx, newest.rows, position{}, true, mark); err != nil {
					return err
				}
				continue
			}
		}
		if err := r.walk(ctx, l, time.Time{}, from, mark); err != nil {
			return err
		}
	}
	return nil
}

// increment reads what is new in each list.
func (r *reading) increment(ctx context.Context) error {
	for _, l := range r.st.lists {
		since := r.c.High[l.name].since()
		var err error
		if r.st.filtered {
			err = r.changed(ctx, l, since)
		} else {
			err = r.added(ctx, l, since)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// changed reads what has changed since: one page mostly. More are read in the order of the
// IDs, because what changes meanwhile would move within the order of changes.
func (r *reading) changed(ctx context.Context, l list, since time.Time) error {
	newest, err := r.newest(ctx, l, since, 0)
	if err != nil {
		return err
	}
	mark := r.raise(l, newest.high)
	if newest.complete {
		return r.send(ctx, newest.rows, position{}, true, mark)
	}
	return r.walk(ctx, l, since, position{}, mark)
}

// added reads what was added since, the newest first: what was added meanwhile only moves
// the others to where they are read again.
func (r *reading) added(ctx context.Context, l list, since time.Time) error {
	var (
		guard apiclient.PageGuard
		top   time.Time
	)
	for offset := 0; ; {
		newest, err := r.newest(ctx, l, since, offset)
		if err != nil {
			return err
		}
		if newest.high.After(top) {
			top = newest.high
		}
		last := newest.complete || !since.IsZero() && !newest.low.After(since)
		if !last {
			if err := guard.Next(strconv.FormatInt(newest.rows[len(newest.rows)-1].ID, 10)); err != nil {
				return err
			}
		}
		if err := r.send(ctx, newest.rows, position{}, last, r.raise(l, top)); err != nil || last {
			return err
		}
		offset += len(newest.rows)
	}
}

// marker says what the cursor of a page holds, which is about to be emitted: the list has
// been read up to at, and to its end where last is true.
type marker func(page *sources.Page, c *cursor, at position, last bool)

// raise returns the marker for what is new in a list, which keeps its newest change at the
// end.
func (r *reading) raise(l list, newest time.Time) marker {
	return func(_ *sources.Page, c *cursor, _ position, last bool) {
		if !last {
			return
		}
		h := c.High[l.name]
		switch {
		case newest.After(h.At):
			h = high{At: newest}
		case h.Seen.IsZero():
			h.Seen = r.req.Now
		case r.req.Now.Sub(h.Seen) >= overlap:
			h.Settled = true
		}
		c.High = maps.Clone(c.High)
		c.High[l.name] = h
	}
}

// sweep reads everything, so that the ledger finds what is not there any more.
func (r *reading) sweep(ctx context.Context) error {
	for i, l := range r.st.lists {
		err := r.walk(ctx, l, time.Time{}, position{}, func(page *sources.Page, c *cursor, _ position, last bool) {
			if last && i+1 == len(r.st.lists) {
				page.Sweep = true
				c.end(r.req.Now)
			}
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// send emits the records of rows.
func (r *reading) send(ctx context.Context, rows []row, at position, last bool, mark marker) error {
	page, c := sources.Page{Progress: -1}, r.c
	mark(&page, &c, at, last)
	for _, row := range rows {
		if err := r.st.add(ctx, row.raw, &page); err != nil {
			return err
		}
	}
	page.Cursor = cursors.Text(c)
	if err := r.emit(ctx, page); err != nil {
		return err
	}
	r.c = c
	return nil
}
