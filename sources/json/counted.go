package json

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/http"

	"github.com/b2bexporter/b2b_exporter/sources/internal/apiclient"
	"github.com/b2bexporter/b2b_exporter/sources/internal/rows"
)

// visit is a page that a count led to, as it was read.
type visit struct {
	position
	rows   int
	digest [sha256.Size]byte
}

// readCounted is readAll of a list whose pages are told apart by a count alone. Where a row
// is deleted meanwhile, or sorted behind, those after it move up, and one of them out of a page
// that is still to be read into one that was read already. So all pages but the last are read
// once more, and what has changed in them is added, too.
func (r *reader) readCounted(ctx context.Context, p *rows.Pager, ends bool) error {
	visits, err := r.count(ctx, p)
	if err != nil {
		return err
	}
	for _, v := range visits[:len(visits)-1] {
		got, list, err := r.gather(ctx, v.position)
		if err != nil {
			return fmt.Errorf("read again: %w", err)
		}
		if got.digest == v.digest {
			continue
		}
		if err := addAll(ctx, p, list); err != nil {
			return err
		}
	}
	if ends {
		return nil
	}
	return p.Flush(ctx, -1, "", false)
}

// count adds the rows of all pages and returns what it has read. All but the last page are flushed.
func (r *reader) count(ctx context.Context, p *rows.Pager) ([]visit, error) {
	var guard apiclient.PageGuard
	var visits []visit
	at := position{page: r.Paging.firstPage()}
	for {
		got, list, err := r.gather(ctx, at)
		if n := len(visits); n > 0 && r.Paging.endsWith(visits[n-1].rows) && isNotFound(err) {
			return visits, nil
		}
		if err != nil {
			return nil, err
		}
		visits = append(visits, visit{at, got.rows, got.digest})
		if r.Paging.endsWith(got.rows) && len(visits) > 1 && got.digest == visits[len(visits)-2].digest {
			return visits, nil
		}
		next, more, err := r.next(at, got)
		if err != nil {
			return nil, fmt.Errorf("page %d: %w", at.number+1, err)
		}
		if more {
			if err := guard.Next(string(got.digest[:])); err != nil {
				return nil, err
			}
		}
		if err := addAll(ctx, p, list); err != nil || !more {
			return visits, err
		}
		if err := p.Flush(ctx, -1, "", false); err != nil {
			return nil, err
		}
		at = next
	}
}

// isNotFound reports whether the API has no such page.
func isNotFound(err error) bool {
	refused, ok := errors.AsType[*apiclient.APIError](err)
	return ok && refused.Status == http.StatusNotFound
}

// gather reads a page and returns its rows, too.
func (r *reader) gather(ctx context.Context, at position) (page, []rows.Row, error) {
	var list []rows.Row
	got, err := r.readPage(ctx, at, func(row rows.Row) error {
		list = append(list, row)
		return nil
	})
	if err != nil {
		return page{}, nil, fmt.Errorf("page %d: %w", at.number+1, err)
	}
	return got, list, nil
}

func addAll(ctx context.Context, p *rows.Pager, list []rows.Row) error {
	for _, row := range list {
		if err := add(ctx, p, row); err != nil {
			return err
		}
	}
	return nil
}

// add adds a row, after it has flushed a page that is full.
func add(ctx context.Context, p *rows.Pager, row rows.Row) error {
	if p.Full() {
		if err := p.Flush(ctx, -1, "", false); err != nil {
			return err
		}
	}
	return p.Add(row)
}

// repeats reports whether the page after the one that was read, at at, has the same rows.
func (r *reader) repeats(ctx context.Context, at position, got page) (bool, error) {
	next, more, err := r.next(at, got)
	if err != nil || !more {
		return false, err
	}
	second, _, err := r.gather(ctx, next)
	if r.Paging.endsWith(got.rows) && isNotFound(err) {
		return false, nil
	}
	return err == nil && second.rows > 0 && second.digest == got.digest, err
}
