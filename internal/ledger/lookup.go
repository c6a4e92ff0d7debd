package ledger

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"

	"github.com/b2bexporter/b2b_exporter/internal/record"
)

// target names a record, by the ID that it is stored under.
type target struct {
	source int64
	kind   record.Kind
	id     string
}

// held is a record as it is stored; rid is 0 where there is none.
type held struct {
	rid  int64
	data []byte
}

// lookUp asks for what a batch needs to know, for many records at a time: the versions that are
// held and, of those that change, whether others take attributes from them, and the nodes that
// they are about.
func (w *writer) lookUp(ctx context.Context, records []sealed) error {
	ids := map[target][]any{} // by source and kind
	for _, r := range records {
		if _, known := w.held[r.target]; !known {
			w.held[r.target] = held{}
			of := target{source: r.source, kind: r.kind}
			ids[of] = append(ids[of], r.id)
		}
	}
	for of, list := range ids {
		if err := w.lookUpHeld(ctx, of, list); err != nil {
			return err
		}
	}
	clear(ids)
	var changed []record.Record
	for _, r := range records {
		if r.deleted || !bytes.Equal(w.held[r.target].data, r.data) {
			of := target{source: r.source, kind: r.kind}
			ids[of] = append(ids[of], r.id)
			changed = append(changed, r.rec)
		}
	}
	for of, list := range ids {
		if err := w.lookUpNamed(ctx, of, list); err != nil {
			return err
		}
	}
	return w.lookUpNodes(ctx, changed)
}

// lookUpNodes asks for the nodes that records are about.
func (w *writer) lookUpNodes(ctx context.Context, records []record.Record) error {
	var hashes []any
	for _, r := range records {
		hash := hashOf(about(r))
		if _, known := w.nodes[hash]; known || hash == (record.Hash{}) {
			continue
		}
		w.nodes[hash] = 0
		hashes = append(hashes, hash[:])
	}
	return w.eachOf(ctx, "SELECT id, hash FROM node WHERE hash IN (?)", nil, hashes, func(rows *sql.Rows) error {
		var id int64
		var hash sql.RawBytes
		if err := rows.Scan(&id, &hash); err != nil {
			return err
		}
		w.nodes[record.Hash(hash)] = id
		return nil
	})
}

func (w *writer) lookUpHeld(ctx context.Context, of target, ids []any) error {
	return w.eachOf(ctx, "SELECT id, rid, data FROM record WHERE source = ?1 AND kind = ?2 AND id IN (?)",
		[]any{of.source, kindNumbers[of.kind]}, ids, func(rows *sql.Rows) error {
			t := of
			var h held
			if err := rows.Scan(&t.id, &h.rid, &h.data); err != nil {
				return err
			}
			w.held[t] = h
			return nil
		})
}

// isNamed reports whether records of a kind are some that others take attributes from.
func isNamed(kind record.Kind) bool { return kind == record.KindOrder || kind == record.KindLead }

func (w *writer) lookUpNamed(ctx context.Context, of target, ids []any) error {
	if !w.dependents || !isNamed(of.kind) {
		return nil
	}
	for _, id := range ids {
		t := of
		t.id = id.(string)
		w.named[t] = false // unless the answer says otherwise
	}
	return w.eachOf(ctx, "SELECT DISTINCT id FROM dependent WHERE source = ?1 AND kind = ?2 AND id IN (?)",
		[]any{of.source, kindNumbers[of.kind]}, ids, func(rows *sql.Rows) error {
			t := of
			err := rows.Scan(&t.id)
			w.named[t] = true
			return err
		})
}

// holds returns what is stored of a record.
func (w *writer) holds(ctx context.Context, t target) (held, error) {
	if h, known := w.held[t]; known {
		return h, nil
	}
	var h held
	_, err := w.one(ctx, "SELECT rid, data FROM record WHERE source = ? AND kind = ? AND id = ?",
		[]any{t.source, kindNumbers[t.kind], t.id}, &h.rid, &h.data)
	if err == nil {
		w.held[t] = h
	}
	return h, err
}

// find returns the record of a kind with a stored ID; its rec is nil where there is none.
func (w *writer) find(ctx context.Context, source int64, kind record.Kind, id string) (stored, error) {
	h, err := w.holds(ctx, target{source, kind, id})
	if err != nil || h.rid == 0 {
		return stored{}, err
	}
	rec, err := w.l.codec.Decode(kind, id, h.data)
	if err != nil {
		return stored{}, fmt.Errorf("%s %q: %w", kind, id, err)
	}
	return stored{rid: h.rid, source: source, rec: rec}, nil
}
