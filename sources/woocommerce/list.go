package woocommerce

import (
	"context"
	"maps"
	"net/url"
	"strconv"
	"time"

	"github.com/b2bexporter/b2b_exporter/sources/internal/apiclient"
)

const (
	// naive is how the API writes times, and how it wants them: with a zone, also with Z,
	// modified_after is turned into the shop's zone even where dates_are_gmt says that it is UTC, and hides
	// the changes of as many hours.
	naive = "2006-01-02T15:04:05"
	// clockAhead is how far the shop's clock may be ahead. What is dated later would hide all
	// changes until then.
	clockAhead = 24 * time.Hour
	// maxRestarts is how often a list may be begun anew because records were deleted while it
	// was read.
	maxRestarts = 5
	// maxStalls is how many pages in a row may hold nothing new.
	maxStalls = 3
)

// query returns the arguments for a part of a list: changed after since, where that is not
// zero.
func (r *reading) query(l list, since time.Time, by, order string, offset, size int) url.Values {
	q := maps.Clone(l.query)
	q.Set("orderby", by)
	q.Set("order", order)
	q.Set("per_page", strconv.Itoa(size))
	q.Set("offset", strconv.Itoa(offset))
	if r.st.filtered && !since.IsZero() {
		q.Set("modified_after", since.UTC().Format(naive))
		q.Set("dates_are_gmt", "true")
	}
	return q
}

// newestPage is a page of a list from its newest record down.
type newestPage struct {
	rows      []row
	high, low time.Time // of its records; zero where it has none
	complete  bool      // there are no others
}

// newest reads what is newest in a list, after the first offset records.
func (r *reading) newest(ctx context.Context, l list, since time.Time, offset int) (newestPage, error) {
	size := r.size.get()
	rows, _, err := r.rows(ctx, r.st.path, r.query(l, since, r.st.newest, "desc", offset, size))
	if err != nil {
		return newestPage{}, err
	}
	p := newestPage{rows: rows, complete: len(rows) < size}
	for _, row := range rows {
		// A time that is none is the record's to be rejected for.
		at, err := time.Parse(naive, r.st.at(row.stamp))
		if err != nil {
			continue
		}
		if at.After(p.high) && at.Before(r.req.Now.Add(clockAhead)) {
			p.high = at
		}
		if p.low.IsZero() || at.Before(p.low) {
			p.low = at
		}
	}
	return p, nil
}

// position is where in a list, sorted by ID, a reading is: after offset records, the last of which
// has the ID last. Total is how many there are; negative where not known.
type position struct {
	offset int
	last   int64
	total  int
}

// walk reads a list from a position on in the order of IDs, which changes do not move. Every page begins with the
// last record of the one before: where that has moved forward, a record was deleted, another one may have been skipped,
// and the list is begun anew.
func (r *reading) walk(ctx context.Context, l list, since time.Time, from position, mark marker) error {
	at, restarts, stalls := from, 0, 0
	for {
		size, begin := r.size.get(), at.offset
		if at.last != 0 {
			begin = max(at.offset-1, 0)
		}
		rows, total, err := r.rows(ctx, r.st.path, r.query(l, since, "id", "asc", begin, size))
		if err != nil {
			return err
		}
		for i := range rows[min(1, len(rows)):] {
			if rows[i+1].ID <= rows[i].ID {
				return &apiclient.FormatError{Endpoint: "GET " + r.st.path, Detail: "the list is not sorted by ID, as it was asked for"}
			}
		}
		if at.last != 0 && (len(rows) == 0 || rows[0].ID > at.last) {
			if restarts++; restarts > maxRestarts {
				return &apiclient.LoopError{Pages: at.offset / size}
			}
			r.logger.Debug("a record was deleted while a list was read, beginning anew", "stream", r.st.Name, "list", l.name, "after", at.offset)
			at, stalls = position{}, 0
			continue
		}
		last := len(rows) < size
		fresh := rows
		for len(fresh) > 0 && fresh[0].ID <= at.last {
			fresh = fresh[1:]
		}
		at.offset, at.total = begin+len(rows), total
		if len(fresh) > 0 {
			at.last, stalls = fresh[len(fresh)-1].ID, 0
		} else if stalls++; stalls > maxStalls && !last {
			return &apiclient.LoopError{Pages: at.offset / size}
		}
		if err := r.send(ctx, fresh, at, last, mark); err != nil || last {
			return err
		}
	}
}
