package ledger

import (
	"context"
	"fmt"
	"time"

	"github.com/b2bexporter/b2b_exporter/internal/record"
)

// Outcome is what became of a record.
type Outcome string

// The outcomes.
const (
	Inserted  Outcome = "inserted"
	Updated   Outcome = "updated"
	Unchanged Outcome = "unchanged"
	Deleted   Outcome = "deleted"
	Rejected  Outcome = "rejected"
)

// Counts counts records by kind and outcome.
type Counts map[record.Kind]map[Outcome]int

// Add counts n more records.
func (c Counts) Add(k record.Kind, o Outcome, n int) {
	if c[k] == nil {
		c[k] = map[Outcome]int{}
	}
	c[k][o] += n
}

// Merge adds other.
func (c Counts) Merge(other Counts) {
	for k, outcomes := range other {
		for o, n := range outcomes {
			c.Add(k, o, n)
		}
	}
}

// Changed returns how many records were inserted, updated or deleted.
func (c Counts) Changed() int {
	n := 0
	for _, outcomes := range c {
		n += outcomes[Inserted] + outcomes[Updated] + outcomes[Deleted]
	}
	return n
}

// Batch is what one transaction commits.
type Batch struct {
	Records []record.Record
	// Kept are records that could not be understood: what is held under their IDs stays.
	Kept []Kept
	// Cursor, where not empty, replaces the stream's cursor.
	Cursor string
	// Sweep deletes what the stream holds and no batch of the session held or kept.
	Sweep bool
	// SweepFrom, where not zero, spares records of an earlier date and those without any.
	SweepFrom time.Time
	// Truncated says that the vendor cut its answer short.
	Truncated bool
	// DataTime is the newest business time of the records; zero for none. The stream keeps
	// the newest of all batches.
	DataTime time.Time
}

// Kept names a record that stays as it is.
type Kept struct {
	Kind record.Kind
	ID   string
}

// Result is what a commit did.
type Result struct {
	Counts Counts
	// Duplicates are those of the batch's records that a whole listing had held before, with
	// another content: the first stays.
	Duplicates []int
}

// Session is one reading of one stream. It is not safe for concurrent use.
type Session struct {
	l      *Ledger
	sealer *record.Sealer
	source string
	number int64 // the dictionary's, of the source
	stream string
	kinds  []record.Kind
	whole  bool
	seen   bitmap
	Cursor string // as committed last
}

// Begin starts reading a stream of a source, whose pages hold the given kinds. In a
// whole session every record is listed once, so that a second one is a mistake.
func (l *Ledger) Begin(ctx context.Context, source, stream string, kinds []record.Kind, whole bool, now time.Time) (*Session, error) {
	s := &Session{l: l, sealer: l.Sealer(), source: source, stream: stream, kinds: kinds, whole: whole}
	err := l.update(ctx, func(w *writer) error {
		number, err := w.number(ctx, source)
		if err != nil {
			return err
		}
		s.number = int64(number)
		if err := w.exec(ctx, "INSERT OR IGNORE INTO stream (source, name) VALUES (?, ?)", s.number, stream); err != nil {
			return err
		}
		if err := w.exec(ctx, "UPDATE stream SET last_attempt = ? WHERE source = ? AND name = ?", now.UnixMicro(), s.number, stream); err != nil {
			return err
		}
		_, err = w.one(ctx, "SELECT cursor FROM stream WHERE source = ? AND name = ?", []any{s.number, stream}, &s.Cursor)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("begin %s/%s: %w", source, stream, err)
	}
	return s, nil
}

// update runs f in a transaction of the writer.
func (l *Ledger) update(ctx context.Context, f func(*writer) error) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.write == nil {
		return fmt.Errorf("ledger %s is open for reading only", l.path)
	}
	return l.write.tx(ctx, func() error { return f(l.write) })
}

// Commit writes a batch and its cursor in one transaction: all of it or, with an
// error, nothing.
func (s *Session) Commit(ctx context.Context, b Batch) (Result, error) {
	// Other sessions need not wait for this.
	records, err := s.seal(b.Records)
	if err != nil {
		return Result{}, fmt.Errorf("commit %s/%s: %w", s.source, s.stream, err)
	}
	res := Result{Counts: Counts{}}
	// What the transaction marks as seen holds only when it commits.
	var marked []int64
	err = s.l.update(ctx, func(w *writer) error {
		res, marked = Result{Counts: Counts{}}, marked[:0]
		source := s.number
		if err := w.lookUp(ctx, records); err != nil {
			return fmt.Errorf("look up records: %w", err)
		}
		inBatch := map[int64]bool{}
		for i, rec := range records {
			rid, outcome, err := w.put(ctx, rec, func(rid int64) bool {
				return s.whole && (s.seen.has(rid) || inBatch[rid])
			})
			if err != nil {
				return fmt.Errorf("write %s: %w", rec.kind, err)
			}
			if outcome == Rejected {
				res.Duplicates = append(res.Duplicates, i)
			}
			res.Counts.Add(rec.kind, outcome, 1)
			if rid != 0 {
				marked = append(marked, rid)
				if s.whole {
					inBatch[rid] = true
				}
			}
		}
		for _, k := range b.Kept {
			h, err := w.holds(ctx, target{source, k.Kind, s.sealer.StoredID(s.source, k.Kind, k.ID)})
			if err != nil {
				return err
			}
			if h.rid != 0 {
				marked = append(marked, h.rid)
			}
		}
		if b.Sweep {
			seen := s.seen.clone()
			seen.add(marked)
			if err := w.sweep(ctx, source, s.kinds, b.SweepFrom, seen, res.Counts); err != nil {
				return fmt.Errorf("delete what is no longer listed: %w", err)
			}
		}
		if b.Truncated {
			if err := w.exec(ctx, "UPDATE stream SET truncated = 1 WHERE source = ? AND name = ?", source, s.stream); err != nil {
				return err
			}
		}
		if !b.DataTime.IsZero() {
			if err := w.exec(ctx, `UPDATE stream SET data_time = ?1 WHERE source = ?2 AND name = ?3
				AND (data_time IS NULL OR data_time < ?1)`, b.DataTime.UnixMicro(), source, s.stream); err != nil {
				return err
			}
		}
		if b.Cursor == "" {
			return nil
		}
		return w.exec(ctx, "UPDATE stream SET cursor = ?1 WHERE source = ?2 AND name = ?3 AND cursor <> ?1", b.Cursor, source, s.stream)
	})
	if err != nil {
		return Result{}, fmt.Errorf("commit %s/%s: %w", s.source, s.stream, err)
	}
	s.seen.add(marked)
	s.l.noteRates(res.Counts)
	if b.Cursor != "" {
		s.Cursor = b.Cursor
	}
	return res, nil
}

// noteRates notes a change of what a Snapshot's RatesVersion is about.
func (l *Ledger) noteRates(counts Counts) {
	changed := 0
	for _, kind := range []record.Kind{record.KindRate, record.KindCost} {
		for _, outcome := range []Outcome{Inserted, Updated, Deleted} {
			changed += counts[kind][outcome]
		}
	}
	if changed == 0 {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.rates++
}

// End notes how the reading ended: with nil the stream is complete up to now, which
// an error leaves as it was.
func (s *Session) End(ctx context.Context, now time.Time, failure error, truncated bool) error {
	err := s.l.update(ctx, func(w *writer) error {
		if failure != nil {
			return w.exec(ctx, "UPDATE stream SET error = ? WHERE source = ? AND name = ?", failure.Error(), s.number, s.stream)
		}
		if err := w.exec(ctx, "UPDATE stream SET error = '', complete = 1, truncated = ?, last_success = ? WHERE source = ? AND name = ?",
			truncated, now.UnixMicro(), s.number, s.stream); err != nil {
			return err
		}
		// A clock that was set back does not hide that from who asks next.
		last, err := clock(ctx, w.conn)
		if err != nil || !now.After(last) {
			return err
		}
		return setClock(ctx, w.conn, now)
	})
	if err != nil {
		return fmt.Errorf("end %s/%s: %w", s.source, s.stream, err)
	}
	return nil
}

// ResetClock makes now the latest moment at which a reading ended, after a reading under
// a clock that was wrong.
func (l *Ledger) ResetClock(ctx context.Context, now time.Time) error {
	if err := l.update(ctx, func(w *writer) error { return setClock(ctx, w.conn, now) }); err != nil {
		return fmt.Errorf("reset the ledger's clock: %w", err)
	}
	return nil
}

// clock returns the latest moment at which a reading ended; zero where none has.
func clock(ctx context.Context, q querier) (time.Time, error) {
	text, err := meta(ctx, q, "clock")
	if err != nil || text == nil {
		return time.Time{}, err
	}
	return time.Parse(time.RFC3339Nano, string(text))
}

func setClock(ctx context.Context, q querier, now time.Time) error {
	return setMeta(ctx, q, "clock", []byte(now.UTC().Format(time.RFC3339Nano)))
}
