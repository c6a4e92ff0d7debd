package shopify

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/b2bexporter/b2b_exporter/sources"
	"github.com/b2bexporter/b2b_exporter/sources/internal/apiclient"
	"github.com/b2bexporter/b2b_exporter/sources/internal/cursors"
)

// cursor is what the ledger keeps of a stream.
type cursor struct {
	// High is the newest change that a finished reading has seen: the shop's time.
	High time.Time `json:"high,omitzero"`
	// Resume is where a first reading that did not end goes on.
	Resume time.Time `json:"resume,omitzero"`
	// Reviewed, Swept and Tried are when the last review and the last sweep that ended
	// were begun, and the last sweep at all. Swept is zero until the first reading has ended.
	Reviewed time.Time `json:"reviewed,omitzero"`
	Swept    time.Time `json:"swept,omitzero"`
	Tried    time.Time `json:"tried,omitzero"`
	// Bulk is the bulk operation that is under way.
	Bulk string `json:"bulk,omitempty"`
}

// reading is one Fetch.
type reading struct {
	*Source
	st   *stream
	req  sources.Request
	emit sources.Emit
	c    cursor // as it was committed last
	high time.Time
}

// Fetch reads what has changed since the cursor, with an overlap; sometimes more.
func (s *Source) Fetch(ctx context.Context, req sources.Request, emit sources.Emit) error {
	st, err := s.stream(req.Stream)
	if err != nil {
		return err
	}
	r := &reading{Source: s, st: st, req: req, emit: emit}
	if err := cursors.Read(req, &r.c); err != nil {
		return err
	}
	r.high = r.c.High
	// What polls names the source and the stream.
	if r.c.Swept.IsZero() {
		return r.first(ctx)
	}
	return r.increment(ctx)
}

// first reads everything, and goes on where an earlier attempt ended.
func (r *reading) first(ctx context.Context) error {
	if _, err := r.seesAllOrders(ctx); err != nil {
		return err
	}
	from := r.c.Resume
	if r.bulk() && from.IsZero() {
		since, done, err := r.readBulk(ctx, true)
		if err != nil {
			return err
		}
		if done {
			from = since
		}
	}
	return r.walk(ctx, time.Time{}, from, func(page *sources.Page, c *cursor, position time.Time, last bool) {
		c.Resume = position
		if last {
			c.end(r.req.Now, r.high)
		}
		page.Progress = -1
		if span := r.req.Now.Sub(r.origin(position)); span > 0 {
			page.Progress = min(max(1-float64(r.req.Now.Sub(position))/float64(span), 0), 1)
		}
	})
}

// origin is the time of the first record of this reading.
func (r *reading) origin(position time.Time) time.Time {
	if r.c.Resume.IsZero() {
		return position
	}
	return r.c.Resume
}

// end marks a reading of everything as done.
func (c *cursor) end(now, high time.Time) {
	*c = cursor{High: high, Reviewed: now, Swept: now, Tried: now}
}

// increment reads what is new and, where they are due, makes a review or a sweep.
func (r *reading) increment(ctx context.Context) error {
	now := r.req.Now
	since := r.c.High.Add(-overlap)
	if r.c.High.IsZero() {
		since = time.Time{} // there was nothing yet
	}
	review := r.options.Review > 0 && now.Sub(r.c.Reviewed) >= r.options.Review
	if review && r.st.byCreation {
		return r.relist(ctx, since)
	}
	if back := now.Add(-reviewBack); review && back.Before(since) {
		since = back
	}
	sweep := r.st.sweeps && r.options.Sweep > 0 && now.Sub(r.c.Swept) >= r.options.Sweep &&
		(r.c.Bulk != "" || now.Sub(r.c.Tried) >= sweepRetry || r.c.Tried.Equal(r.c.Swept))
	err := r.walk(ctx, since, time.Time{}, func(_ *sources.Page, c *cursor, _ time.Time, last bool) {
		if !last {
			return
		}
		c.High = r.high
		if review {
			c.Reviewed = now
		}
		if sweep && c.Bulk == "" {
			c.Tried = now
		}
	})
	if err != nil || !sweep {
		return err
	}
	return r.sweep(ctx)
}

// relist reads what has changed, and then the list of the last days again, so that the ledger
// finds what is not on it any more: a checkout that is completed may leave it without a word. The
// shop forgets those of earlier days by itself.
func (r *reading) relist(ctx context.Context, since time.Time) error {
	if err := r.walk(ctx, since, time.Time{}, func(_ *sources.Page, c *cursor, _ time.Time, last bool) {
		if last {
			c.High = r.high
		}
	}); err != nil {
		return err
	}
	from := r.req.Now.Add(-relistBack).Truncate(time.Second) // to which times are searched
	return r.walk(ctx, time.Time{}, from, func(page *sources.Page, c *cursor, _ time.Time, last bool) {
		if last {
			page.Sweep, page.SweepFrom = true, from
			c.High, c.Reviewed = r.high, r.req.Now
		}
	})
}

// sweep reads everything, so that the ledger finds what is not there any more.
func (r *reading) sweep(ctx context.Context) error {
	// Orders that are hidden are not deleted.
	if all, err := r.seesAllOrders(ctx); err != nil || !all {
		return err
	}
	var from time.Time
	if r.bulk() {
		since, done, err := r.readBulk(ctx, false)
		if err != nil || !done && r.c.Bulk != "" {
			return err // the file is not ready: the next poll looks again
		}
		if done {
			from = since
		}
	}
	return r.walk(ctx, time.Time{}, from, func(page *sources.Page, c *cursor, _ time.Time, last bool) {
		if last {
			page.Sweep = true
			c.end(r.req.Now, r.high)
		}
	})
}

// seesAllOrders reports whether the shop lists all that the stream is about.
func (r *reading) seesAllOrders(ctx context.Context) (bool, error) {
	if r.st.Name != streamOrder {
		return true, nil
	}
	settings, err := r.settings(ctx)
	if err != nil {
		return false, err
	}
	if settings.has(scopeAllOrders) {
		return true, nil
	}
	r.logger.Warn("the shop hides orders older than 60 days and does not tell which orders were deleted; grant the scope", "scope", scopeAllOrders)
	return false, nil
}

// bulk says whether the stream is read as a whole by bulk operations.
func (r *reading) bulk() bool { return r.options.Bulk && r.st.Name == streamOrder }

// connection is a page of a list.
type connection struct {
	PageInfo pageInfo          `json:"pageInfo"`
	Nodes    []json.RawMessage `json:"nodes"`
}

type pageInfo struct {
	HasNextPage bool   `json:"hasNextPage"`
	EndCursor   string `json:"endCursor"`
}

// walk reads the list from the position on (a time of change, or of creation where it
// is sorted by that) and emits its pages. Before each is emitted, mark says what its cursor holds. The API's
// own cursors are never kept: they are made for one query.
func (r *reading) walk(ctx context.Context, since, position time.Time, mark func(page *sources.Page, c *cursor, position time.Time, last bool)) error {
	var (
		guard apiclient.PageGuard
		after string
		depth int
		begin = position
	)
	for {
		if err := guard.Next(after); err != nil {
			return err
		}
		list, err := r.list(ctx, r.filter(since, begin), after)
		if err != nil {
			return err
		}
		page := sources.Page{Progress: -1}
		for _, raw := range list.Nodes {
			at, err := r.st.add(ctx, raw, &page)
			if err != nil {
				return err
			}
			if at == nil {
				at = &stamp{}
				if err := json.Unmarshal(raw, at); err != nil {
					return fmt.Errorf("read a record of %s: %w", r.st.field, err)
				}
			}
			if at.UpdatedAt.After(r.high) {
				r.high = at.UpdatedAt
			}
			position = at.UpdatedAt
			if r.st.byCreation {
				position = at.CreatedAt
			}
		}
		depth += len(list.Nodes)
		last := !list.PageInfo.HasNextPage
		c := r.c
		mark(&page, &c, position, last)
		if err := r.send(ctx, page, c); err != nil || last {
			return err
		}
		after = list.PageInfo.EndCursor
		if after == "" {
			return &apiclient.LoopError{Pages: depth}
		}
		if depth >= maxDepth && position.After(begin) {
			guard, after, depth, begin = apiclient.PageGuard{}, "", 0, position
		}
	}
}

// send emits a page with its cursor.
func (r *reading) send(ctx context.Context, page sources.Page, c cursor) error {
	page.Cursor = cursors.Text(c)
	if err := r.emit(ctx, page); err != nil {
		return err
	}
	r.c = c
	return nil
}

// list reads one page.
func (r *reading) list(ctx context.Context, filter, after string) (*connection, error) {
	variables := map[string]any{"filter": filter}
	if after != "" {
		variables["after"] = after
	}
	if r.st.Name == streamOrder {
		variables["lines"] = linesPerOrder
	}
	data, err := sized[map[string]*connection](ctx, r.Source, r.st.pacer, r.st.document, variables)
	if err != nil {
		return nil, err
	}
	if data[r.st.field] == nil {
		return nil, &apiclient.FormatError{Endpoint: "POST " + r.path, Detail: "the data lacks the list " + r.st.field}
	}
	return data[r.st.field], nil
}

// filter is a search for what changed at since or later and stands at begin or later
// in the list.
func (r *reading) filter(since, begin time.Time) string {
	var terms []string
	add := func(field string, t time.Time) {
		// In UTC and in quotes: offsets are not understood, and a bare colon is a term's.
		if !t.IsZero() {
			terms = append(terms, field+":>='"+t.UTC().Format("2006-01-02T15:04:05Z")+"'")
		}
	}
	if r.st.byCreation {
		add("created_at", begin)
	} else if begin.After(since) {
		since = begin
	}
	add("updated_at", since)
	return strings.Join(terms, " AND ")
}
