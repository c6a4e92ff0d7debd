package sql

import (
	"context"
	dbsql "database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/b2bexporter/b2b_exporter/internal/record"
	"github.com/b2bexporter/b2b_exporter/sources/internal/rows"
)

// errEnough is the error of a sink that needs no more rows.
var errEnough = errors.New("enough rows were read")

// errTimeout says that a query was given up by its own timeout.
var errTimeout = errors.New("timeout of the query")

// sink takes what a query gives.
type sink struct {
	// columns is called before the first row, with the columns that fill a field and all
	// there are; it may be nil.
	columns func(used, all []string)
	// row takes a row and its mark. Its error ends the reading.
	row func(rows.Row, mark) error
}

// read runs a query in a read-only transaction and hands its rows to out, one by one.
// The error names the query; one of out is returned as it is.
func (s *Source) read(ctx context.Context, db *database, q query, from mark, zone *time.Location, out sink) error {
	ctx, cancel := context.WithTimeoutCause(ctx, s.options.timeout(), errTimeout)
	defer cancel()
	tx, err := db.BeginTx(ctx, &dbsql.TxOptions{ReadOnly: true})
	if err != nil {
		return fmt.Errorf("%w; check what dsn_file holds, and that the server can be reached from here", s.failed(ctx, db, q, "connect", err))
	}
	defer func() { _ = tx.Rollback() }() // there is nothing to undo
	queryCtx, err := s.engine.begin(ctx, tx, s.options.timeout())
	if err != nil {
		return s.failed(ctx, db, q, "prepare the connection", err)
	}
	var args []any
	if q.Increment != nil {
		args = append(args, s.engine.argument(from))
		if s.engine.placeholder() == "?" { // each is counted
			args = slices.Repeat(args, len(parameter.FindAllString(q.Query.Query, -1)))
		}
	}
	result, err := tx.QueryContext(queryCtx, q.bound(s.engine.placeholder()), args...)
	if err != nil {
		return s.failed(ctx, db, q, "run the query", err)
	}
	defer result.Close()
	// Closing reads what is left, unless the query is given up before.
	defer cancel()
	r, err := newReader(s.engine, q, from, result, zone)
	if err != nil {
		return fmt.Errorf("%s: %w", q.name, err)
	}
	if out.columns != nil {
		out.columns(r.mapping.Columns(), r.names)
	}
	for result.Next() {
		row, m, err := r.row()
		if err != nil {
			return fmt.Errorf("%s, row %d: %w", q.name, r.n, err)
		}
		if err := out.row(row, m); err != nil {
			return err
		}
	}
	if err := result.Err(); err != nil {
		return s.failed(ctx, db, q, fmt.Sprintf("read the rows after row %d", r.n), err)
	}
	return nil
}

// reader reads the rows of one result.
type reader struct {
	query    query
	result   *dbsql.Rows
	names    []string
	mapping  *rows.Mapping
	convert  []func(any) any
	values   []any
	pointers []any // to values
	ordered  int   // the column of the increment; -1 without one
	last     mark
	n        int // rows read
}

func newReader(e engine, q query, from mark, result *dbsql.Rows, zone *time.Location) (*reader, error) {
	types, err := result.ColumnTypes()
	if err != nil {
		return nil, fmt.Errorf("read the columns: %w", err)
	}
	r := &reader{
		query: q, result: result, ordered: -1, last: from,
		values: make([]any, len(types)), pointers: make([]any, len(types)), convert: make([]func(any) any, len(types)),
	}
	for i, column := range types {
		r.names = append(r.names, column.Name())
		r.pointers[i] = &r.values[i]
	}
	if r.mapping, err = q.Compile(r.names, zone); err != nil {
		return nil, fmt.Errorf("columns of the query: %w", err)
	}
	if q.Increment != nil {
		if r.ordered = slices.Index(r.names, q.Increment.Column); r.ordered < 0 {
			return nil, fmt.Errorf("the query gives no column %q, which increment.column names; it gives %q", q.Increment.Column, r.names)
		}
	}
	used := r.mapping.Columns()
	for i, column := range types {
		if i != r.ordered && !slices.Contains(used, column.Name()) {
			continue
		}
		if r.convert[i], err = e.converter(column.DatabaseTypeName()); err != nil {
			return nil, fmt.Errorf("column %q %w", column.Name(), err)
		}
	}
	return r, nil
}

// row returns the present row.
func (r *reader) row() (rows.Row, mark, error) {
	r.n++
	if err := r.result.Scan(r.pointers...); err != nil {
		return rows.Row{}, mark{}, fmt.Errorf("read the columns: %w", err)
	}
	for i, convert := range r.convert {
		if convert != nil && r.values[i] != nil {
			r.values[i] = convert(r.values[i])
		}
	}
	var m mark
	if r.ordered >= 0 {
		var err error
		if m, err = r.mark(r.values[r.ordered]); err != nil {
			return rows.Row{}, mark{}, fmt.Errorf("column %q %w", r.query.Increment.Column, err)
		}
	}
	return r.mapping.RowOfValues(r.values, fmt.Sprintf("%s, row %d", r.query.name, r.n)), m, nil
}

// mark returns the mark of a row, which must not be before the one of the row before.
func (r *reader) mark(value any) (mark, error) {
	m, err := markOf(value)
	if err != nil || m.form == formNone {
		return m, err
	}
	switch {
	case !m.sameSort(r.last):
		return m, fmt.Errorf("and increment.from (%s) cannot be compared: one is a number, the other a time", r.query.Increment.From)
	case r.n > 1 && m.before(r.last):
		return m, fmt.Errorf("is less than in the row before: end the query with ORDER BY %s", r.query.Increment.Column)
	}
	r.last = m
	return m, nil
}

// local takes a time for one without a zone.
func local(v any) any {
	if t, ok := v.(time.Time); ok {
		return rows.LocalTime(t)
	}
	return v
}

// date takes a time for the day that it shows.
func date(v any) any {
	if t, ok := v.(time.Time); ok {
		return record.DayOf(t)
	}
	return v
}

// number takes text for a number with a decimal point.
func number(v any) any {
	switch v := v.(type) {
	case string:
		return json.Number(v)
	case []byte:
		return json.Number(v)
	}
	return v
}
