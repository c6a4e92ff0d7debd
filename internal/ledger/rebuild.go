package ledger

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"

	"github.com/b2bexporter/b2b_exporter/internal/record"
)

// derivedTables hold nothing that the records do not tell.
var derivedTables = []string{"dependent", "node", "identity", "node_key", "chunk"}

// rebuildBatch is how many records one transaction of a rebuild derives.
const rebuildBatch = 5000

// Stale reports whether the derived state was made with other settings or sources, or
// not finished.
func (l *Ledger) Stale(ctx context.Context) (bool, error) {
	stored, err := meta(ctx, l.readers, "fingerprint")
	if err != nil {
		return false, fmt.Errorf("read the ledger's fingerprint: %w", err)
	}
	if string(stored) != l.settings.fingerprint() {
		return true, nil
	}
	return l.deliveryChanged(ctx)
}

// deliveryChanged reports whether the ledger holds records that count now and did not
// when the state was derived, or the other way round.
func (l *Ledger) deliveryChanged(ctx context.Context) (bool, error) {
	text, err := meta(ctx, l.readers, "delivered")
	if err != nil {
		return false, fmt.Errorf("read what the ledger's sources delivered: %w", err)
	}
	var before Settings
	if err := json.Unmarshal(text, &before.Delivered); err != nil {
		return false, fmt.Errorf("%w: what its sources delivered cannot be read: %w", ErrForeign, err)
	}
	rows, err := l.readers.QueryContext(ctx, "SELECT DISTINCT d.id, d.value FROM stream s JOIN dict d ON d.id = s.source")
	if err != nil {
		return false, fmt.Errorf("read sources: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var id int64
		var source string
		if err := rows.Scan(&id, &source); err != nil {
			return false, fmt.Errorf("read sources: %w", err)
		}
		for kind, number := range kindNumbers {
			if before.counts(source, kind) == l.settings.counts(source, kind) {
				continue
			}
			var held bool
			if err := l.readers.QueryRowContext(ctx, "SELECT EXISTS (SELECT 1 FROM record WHERE source = ? AND kind = ?)", id, number).
				Scan(&held); err != nil {
				return false, fmt.Errorf("read sources: %w", err)
			}
			if held {
				return true, nil
			}
		}
	}
	return false, rows.Err()
}

// noteDelivery remembers with which sources the state is derived.
func (l *Ledger) noteDelivery(ctx context.Context, q querier) error {
	text, err := json.Marshal(l.settings.Delivered)
	if err != nil {
		return err
	}
	return setMeta(ctx, q, "delivered", text)
}

// Rebuild derives everything from the records again. Commits wait meanwhile, readers
// do not. When it is interrupted the ledger stays Stale. Progress, which may be nil,
// hears the share that is done.
func (l *Ledger) Rebuild(ctx context.Context, progress func(share float64)) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	w := l.write
	if w == nil {
		return fmt.Errorf("%w: its derived state was made with other settings, and it is open for reading only; run \"b2b_exporter sync\"", ErrStale)
	}
	feed := l.feed
	l.feed = nil
	defer func() { l.feed = feed }()
	var last int64
	if err := w.tx(ctx, func() error {
		for _, table := range derivedTables {
			if err := w.exec(ctx, "DELETE FROM "+table); err != nil {
				return err
			}
		}
		if err := w.exec(ctx, "DELETE FROM meta WHERE name = 'fingerprint'"); err != nil {
			return err
		}
		_, err := w.one(ctx, "SELECT COALESCE(MAX(rid), 0) FROM record", nil, &last)
		return err
	}); err != nil {
		return fmt.Errorf("rebuild the ledger: %w", err)
	}
	if err := w.learn(ctx); err != nil {
		return fmt.Errorf("rebuild the ledger: %w", err)
	}
	for from := int64(0); from < last; {
		if err := w.tx(ctx, func() (err error) {
			from, err = w.deriveFrom(ctx, from, last)
			return err
		}); err != nil {
			return fmt.Errorf("rebuild the ledger: %w", err)
		}
		if progress != nil {
			progress(float64(from) / float64(last))
		}
	}
	if err := w.tx(ctx, func() error {
		if err := l.noteDelivery(ctx, w.conn); err != nil {
			return err
		}
		return setMeta(ctx, w.conn, "fingerprint", []byte(l.settings.fingerprint()))
	}); err != nil {
		return fmt.Errorf("rebuild the ledger: %w", err)
	}
	if feed != nil {
		feed.Reset()
	}
	return nil
}

// deriveFrom derives the records after number from, and returns the last it did.
func (w *writer) deriveFrom(ctx context.Context, from, last int64) (int64, error) {
	var batch []stored
	err := w.each(ctx, "SELECT rid, source, kind, id, data FROM record WHERE rid > ? ORDER BY rid LIMIT ?",
		[]any{from, rebuildBatch}, func(rows *sql.Rows) error {
			var s stored
			var kind int64
			var id string
			var data []byte
			if err := rows.Scan(&s.rid, &s.source, &kind, &id, &data); err != nil {
				return err
			}
			var err error
			s.rec, err = w.l.codec.Decode(kindOf(kind), id, data)
			batch = append(batch, s)
			return err
		})
	if err != nil {
		return 0, err
	}
	if len(batch) == 0 {
		return last, nil
	}
	records := make([]record.Record, len(batch))
	for i, s := range batch {
		records[i] = s.rec
	}
	if err := w.lookUpNodes(ctx, records); err != nil {
		return 0, err
	}
	for _, s := range batch {
		if err := w.depend(ctx, stored{}, s); err != nil {
			return 0, err
		}
		if err := w.identify(ctx, s.rid, s.source, identity{}, w.identityOf(s)); err != nil {
			return 0, err
		}
		// Dates resolve in the report zone, which may be what changed.
		if err := w.exec(ctx, "UPDATE record SET at = ?1 WHERE rid = ?2 AND at IS NOT ?1", w.dateOf(s.rec), s.rid); err != nil {
			return 0, err
		}
	}
	return batch[len(batch)-1].rid, w.withFacts(ctx, batch, true)
}

// Ready rebuilds the derived state where it is stale.
func (l *Ledger) Ready(ctx context.Context, progress func(share float64)) error {
	stale, err := l.Stale(ctx)
	switch {
	case err != nil:
		return err
	case stale:
		return l.Rebuild(ctx, progress)
	case l.write == nil:
		return nil
	}
	// Sources without records come and go without anything to derive.
	return l.update(ctx, func(w *writer) error { return l.noteDelivery(ctx, w.conn) })
}
