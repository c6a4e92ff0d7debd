package ledger

import (
	"context"
	"database/sql"
	"slices"
	"strconv"
	"strings"
)

// batchSizes are how many values or rows one statement takes, the largest first: what is
// left over goes to smaller ones, so that few statements are prepared.
func batchSizes() []int { return []int{64, 8, 1} }

// batchQuery names a query that is made for a number of values or rows.
type batchQuery struct {
	query string
	size  int
}

func (w *writer) stmt(ctx context.Context, query string) (*sql.Stmt, error) {
	if s := w.stmts[query]; s != nil {
		return s, nil
	}
	s, err := w.conn.PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	w.stmts[query] = s
	return s, nil
}

// brief returns a context for one short statement: it is not begun after ctx has ended, but
// nothing waits for that meanwhile, which would cost goroutines for each.
func brief(ctx context.Context) (context.Context, error) {
	return context.WithoutCancel(ctx), ctx.Err()
}

func (w *writer) exec(ctx context.Context, query string, args ...any) error {
	_, err := w.result(ctx, query, args)
	return err
}

func (w *writer) insert(ctx context.Context, query string, args ...any) (int64, error) {
	res, err := w.result(ctx, query, args)
	if err != nil {
		return 0, err
	}
	return res.LastInsertId()
}

func (w *writer) result(ctx context.Context, query string, args []any) (sql.Result, error) {
	ctx, err := brief(ctx)
	if err != nil {
		return nil, err
	}
	s, err := w.stmt(ctx, query)
	if err != nil {
		return nil, err
	}
	return s.ExecContext(ctx, args...)
}

// one scans the first row and reports whether there was one.
func (w *writer) one(ctx context.Context, query string, args []any, dest ...any) (bool, error) {
	found := false
	err := w.each(ctx, query, args, func(rows *sql.Rows) error {
		if found {
			return nil
		}
		found = true
		return rows.Scan(dest...)
	})
	return found, err
}

// each calls f with every row, until ctx ends: there may be as many as there are records.
func (w *writer) each(ctx context.Context, query string, args []any, f func(*sql.Rows) error) error {
	short, err := brief(ctx)
	if err != nil {
		return err
	}
	s, err := w.stmt(short, query)
	if err != nil {
		return err
	}
	rows, err := s.QueryContext(short, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := f(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

// eachOf asks a query, in which (?) stands for a list, about many values, some at a time.
// The other arguments come first.
func (w *writer) eachOf(ctx context.Context, query string, args, values []any, f func(*sql.Rows) error) error {
	return inBatches(values, func(batch []any) error {
		return w.each(ctx, w.listing(query, len(args), len(batch)), slices.Concat(args, batch), f)
	})
}

// listing writes a list of n parameters, after those before it, for each (?) of a query.
func (w *writer) listing(query string, before, n int) string {
	key := batchQuery{query, n}
	if text := w.queries[key]; text != "" {
		return text
	}
	numbers := make([]string, n)
	for i := range numbers {
		numbers[i] = "?" + strconv.Itoa(before+i+1)
	}
	w.queries[key] = strings.ReplaceAll(query, "(?)", "("+strings.Join(numbers, ", ")+")")
	return w.queries[key]
}

// insertAll completes an INSERT with the values of rows, some rows at a time. All rows have
// as many values.
func (w *writer) insertAll(ctx context.Context, into string, rows [][]any) error {
	return inBatches(rows, func(batch [][]any) error {
		key := batchQuery{into, len(batch)}
		text := w.queries[key]
		if text == "" {
			row := "(" + strings.Repeat("?, ", len(batch[0])-1) + "?)"
			text = into + " VALUES " + row + strings.Repeat(", "+row, len(batch)-1)
			w.queries[key] = text
		}
		return w.exec(ctx, text, slices.Concat(batch...)...)
	})
}

// inBatches calls f with all of a list, in batches of the batchSizes.
func inBatches[T any](list []T, f func([]T) error) error {
	for _, size := range batchSizes() {
		for len(list) >= size {
			if err := f(list[:size:size]); err != nil {
				return err
			}
			list = list[size:]
		}
	}
	return nil
}
