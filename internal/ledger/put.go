package ledger

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"reflect"
	"slices"
	"time"

	"github.com/b2bexporter/b2b_exporter/internal/record"
)

// sealed is a record as it is going to be stored.
type sealed struct {
	target
	rec     record.Record
	data    []byte
	deleted bool
}

// seal prepares records for being stored.
func (s *Session) seal(records []record.Record) ([]sealed, error) {
	list := make([]sealed, len(records))
	for i, rec := range records {
		kind, meta := rec.RecordKind(), rec.RecordMeta()
		id := s.sealer.StoredID(s.source, kind, meta.ID)
		// The caller may commit its record again, should this fail: sealed twice it would be another.
		rec = clone(rec)
		rec.Seal(s.sealer, s.source)
		data, err := s.l.codec.Encode(rec)
		if err != nil {
			return nil, fmt.Errorf("write %s: %w", kind, err)
		}
		list[i] = sealed{target: target{s.number, kind, id}, rec: rec, data: data, deleted: meta.Deleted}
	}
	return list, nil
}

// put writes one record. It returns its number, 0 where it is gone.
func (w *writer) put(ctx context.Context, s sealed, duplicate func(rid int64) bool) (int64, Outcome, error) {
	was, err := w.holds(ctx, s.target)
	if err != nil {
		return 0, "", err
	}
	found := was.rid != 0
	before := stored{rid: was.rid, source: s.source}
	after := stored{rid: was.rid, source: s.source, rec: s.rec}
	outcome := Inserted
	switch {
	case s.deleted:
		after.rec, outcome = nil, Deleted
	case found:
		outcome = Updated
	}
	switch {
	case !found && s.deleted:
		return 0, Unchanged, nil
	case found && !s.deleted && bytes.Equal(was.data, s.data):
		return was.rid, Unchanged, nil
	case found && duplicate(was.rid):
		return was.rid, Rejected, nil
	case found:
		if before.rec, err = w.l.codec.Decode(s.kind, s.id, was.data); err != nil {
			return 0, "", err
		}
	}
	rid, err := w.replace(ctx, before, after, s.kind, s.id, s.data)
	if s.deleted {
		rid = 0
	}
	return rid, outcome, err
}

// clone returns a copy of rec that can be sealed without changing it.
func clone(rec record.Record) record.Record {
	original := reflect.ValueOf(rec).Elem()
	c := reflect.New(original.Type())
	c.Elem().Set(original)
	return c.Interface().(record.Record)
}

// replace turns before into after (either rec may be nil), in the record and in all
// that is derived from it and from the records that name it.
func (w *writer) replace(ctx context.Context, before, after stored, kind record.Kind, id string, data []byte) (int64, error) {
	dependents, err := w.dependentsOf(ctx, before.source, kind, id)
	if err != nil {
		return 0, err
	}
	change := append(slices.Clone(dependents), before)
	if err := w.withFacts(ctx, change, false); err != nil {
		return 0, err
	}
	switch {
	case after.rec == nil:
		err = w.exec(ctx, "DELETE FROM record WHERE rid = ?", before.rid)
	case before.rec == nil:
		after.rid, err = w.insert(ctx, "INSERT INTO record (source, kind, id, at, data) VALUES (?, ?, ?, ?, ?)",
			after.source, kindNumbers[kind], id, w.dateOf(after.rec), data)
	default:
		err = w.exec(ctx, "UPDATE record SET at = ?, data = ? WHERE rid = ?", w.dateOf(after.rec), data, before.rid)
	}
	if err != nil {
		return 0, err
	}
	w.held[target{before.source, kind, id}] = held{}
	if after.rec != nil {
		w.held[target{before.source, kind, id}] = held{after.rid, data}
	}
	if err := w.depend(ctx, before, after); err != nil {
		return 0, err
	}
	if err := w.identify(ctx, max(before.rid, after.rid), before.source, w.identityOf(before), w.identityOf(after)); err != nil {
		return 0, err
	}
	return after.rid, w.withFacts(ctx, append(dependents, after), true)
}

func (w *writer) withFacts(ctx context.Context, records []stored, put bool) error {
	for _, s := range records {
		if s.rec == nil {
			continue
		}
		facts, err := w.facts(ctx, s)
		if err != nil {
			return err
		}
		if err := w.edit(ctx, s.rid, facts, put); err != nil {
			return err
		}
	}
	return nil
}

func (w *writer) dateOf(rec record.Record) sql.NullInt64 {
	us, ok := w.earliest(rec.Dates()...)
	if !ok {
		us = 0
	}
	return sql.NullInt64{Int64: us, Valid: ok}
}

// targets returns the records that one takes attributes from.
func (w *writer) targets(ctx context.Context, s stored) ([]target, error) {
	switch r := s.rec.(type) {
	case *record.Refund:
		if r.Order != "" {
			return []target{{s.source, record.KindOrder, r.Order}}, nil
		}
	case *record.Deal:
		var targets []target
		if r.Lead != "" {
			targets = append(targets, target{s.source, record.KindLead, r.Lead})
		}
		if r.Order != "" {
			source, id, err := w.orderOf(ctx, s.source, r.Order)
			if err != nil {
				return nil, err
			}
			targets = append(targets, target{source, record.KindOrder, id})
		}
		return targets, nil
	}
	return nil, nil
}

// depend keeps the list of who takes attributes from whom.
func (w *writer) depend(ctx context.Context, before, after stored) error {
	was, err := w.targets(ctx, before)
	if err != nil {
		return err
	}
	is, err := w.targets(ctx, after)
	if err != nil {
		return err
	}
	if slices.Equal(was, is) {
		return nil
	}
	for _, t := range was {
		if err := w.exec(ctx, "DELETE FROM dependent WHERE source = ? AND kind = ? AND id = ? AND rid = ?",
			t.source, kindNumbers[t.kind], t.id, before.rid); err != nil {
			return err
		}
	}
	for _, t := range is {
		w.dependents, w.named[t] = true, true
		if err := w.exec(ctx, "INSERT INTO dependent VALUES (?, ?, ?, ?)", t.source, kindNumbers[t.kind], t.id, after.rid); err != nil {
			return err
		}
	}
	return nil
}

func (w *writer) dependentsOf(ctx context.Context, source int64, kind record.Kind, id string) ([]stored, error) {
	if !w.dependents || !isNamed(kind) {
		return nil, nil
	}
	if named, known := w.named[target{source, kind, id}]; known && !named {
		return nil, nil
	}
	var list []stored
	err := w.each(ctx, `SELECT r.rid, r.source, r.kind, r.id, r.data FROM dependent d JOIN record r ON r.rid = d.rid
		WHERE d.source = ? AND d.kind = ? AND d.id = ?`, []any{source, kindNumbers[kind], id}, func(rows *sql.Rows) error {
		var s stored
		var number int64
		var recID string
		var data []byte
		if err := rows.Scan(&s.rid, &s.source, &number, &recID, &data); err != nil {
			return err
		}
		var err error
		s.rec, err = w.l.codec.Decode(kindOf(number), recID, data)
		list = append(list, s)
		return err
	})
	return list, err
}

// sweep deletes the records of a source and kinds that were not seen; with a date only those
// dated then or later.
func (w *writer) sweep(ctx context.Context, source int64, kinds []record.Kind, from time.Time, seen bitmap, counts Counts) error {
	query, since := "SELECT rid, id FROM record WHERE source = ? AND kind = ?", []any(nil)
	if !from.IsZero() {
		query, since = query+" AND at >= ?", []any{from.UnixMicro()}
	}
	for _, kind := range kinds {
		of := target{source: source, kind: kind}
		var gone []any // the IDs of what was not seen
		err := w.each(ctx, query, append([]any{source, kindNumbers[kind]}, since...), func(rows *sql.Rows) error {
			var rid int64
			var id string
			if err := rows.Scan(&rid, &id); err != nil {
				return err
			}
			if !seen.has(rid) {
				gone = append(gone, id)
			}
			return nil
		})
		if err != nil {
			return err
		}
		if err := w.lookUpHeld(ctx, of, gone); err != nil {
			return err
		}
		if err := w.lookUpNamed(ctx, of, gone); err != nil {
			return err
		}
		for _, id := range gone {
			of.id = id.(string)
			was, err := w.find(ctx, source, kind, of.id)
			if err != nil {
				return err
			}
			if _, err := w.replace(ctx, was, stored{source: source}, kind, of.id, nil); err != nil {
				return fmt.Errorf("record %d: %w", was.rid, err)
			}
		}
		counts.Add(kind, Deleted, len(gone))
	}
	return nil
}
