package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/b2bexporter/b2b_exporter/internal/ledger/history"
	"github.com/b2bexporter/b2b_exporter/internal/record"
	"github.com/b2bexporter/b2b_exporter/internal/window"
)

// Snapshot reads the ledger as it was when the snapshot was taken.
type Snapshot struct {
	l     *Ledger
	tx    *sql.Tx
	texts []string
	rates int64
}

// Snapshot takes a snapshot. Begin, which may be nil, is called when no commit can come
// between it and the snapshot. The caller closes it.
func (l *Ledger) Snapshot(ctx context.Context, begin func()) (*Snapshot, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	tx, err := l.readers.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return nil, fmt.Errorf("read ledger %s: %w", l.path, err)
	}
	s := &Snapshot{l: l, tx: tx}
	// SQLite takes its snapshot at the first read, not at BEGIN. A reader beside another
	// process learns here what that has added to the dictionary.
	var texts int
	if err := tx.QueryRowContext(ctx, "SELECT COUNT(*) FROM dict").Scan(&texts); err != nil {
		return nil, errors.Join(fmt.Errorf("read ledger %s: %w", l.path, err), tx.Rollback())
	}
	if texts+1 != len(l.dict.texts) {
		if l.dict, err = loadDictionary(ctx, l.readers); err != nil {
			return nil, errors.Join(fmt.Errorf("read ledger %s: %w", l.path, err), tx.Rollback())
		}
	}
	s.texts, s.rates = slices.Clone(l.dict.texts), l.rates
	if begin != nil {
		begin()
	}
	return s, nil
}

// Close ends the snapshot.
func (s *Snapshot) Close() error {
	if err := s.tx.Rollback(); err != nil && !errors.Is(err, sql.ErrTxDone) {
		return fmt.Errorf("close snapshot: %w", err)
	}
	return nil
}

// Text returns the text that number stands for.
func (s *Snapshot) Text(number history.Dict) string {
	if int(number) < len(s.texts) {
		return s.texts[number]
	}
	return ""
}

// Texts returns all texts, by number.
func (s *Snapshot) Texts() []string { return s.texts }

// RatesVersion changes whenever this process has committed a change of a rate or a cost.
func (s *Snapshot) RatesVersion() int64 { return s.rates }

// Each calls f with every unit. The unit's memory is reused.
func (s *Snapshot) Each(ctx context.Context, f func(Unit) error) error {
	for _, query := range []string{
		"SELECT id, data FROM node WHERE grp IS NULL",
		"SELECT grp, data FROM node WHERE grp IS NOT NULL ORDER BY grp",
		"SELECT id, data FROM chunk",
	} {
		if err := s.eachOf(ctx, query, f); err != nil {
			return fmt.Errorf("read histories: %w", err)
		}
	}
	return nil
}

// eachOf calls f with the units that a query gives: successive rows of one ID are one unit.
func (s *Snapshot) eachOf(ctx context.Context, query string, f func(Unit) error) error {
	rows, err := s.tx.QueryContext(ctx, query)
	if err != nil {
		return err
	}
	defer rows.Close()
	var unit Unit
	var memory []byte // of its histories
	var id int64
	var data sql.RawBytes
	for rows.Next() {
		if err := rows.Scan(&id, &data); err != nil {
			return err
		}
		if len(unit.Histories) > 0 && id != unit.ID {
			if err := f(unit); err != nil {
				return err
			}
			unit.Histories, memory = unit.Histories[:0], memory[:0]
		}
		unit.ID = id
		memory = append(memory, data...)
		unit.Histories = append(unit.Histories, memory[len(memory)-len(data):])
	}
	if err := rows.Err(); err != nil || len(unit.Histories) == 0 {
		return err
	}
	return f(unit)
}

func (s *Snapshot) histories(ctx context.Context, query string, id int64) ([][]byte, error) {
	rows, err := s.tx.QueryContext(ctx, query, id)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var histories [][]byte
	for rows.Next() {
		var data []byte
		if err := rows.Scan(&data); err != nil {
			return nil, err
		}
		histories = append(histories, data)
	}
	return histories, rows.Err()
}

// Load returns the unit with an ID that Each or a Feed has given.
func (s *Snapshot) Load(ctx context.Context, id int64) (Unit, error) {
	query := "SELECT data FROM node WHERE id = ?1 AND grp IS NULL UNION ALL SELECT data FROM node WHERE grp = ?1"
	if id < 0 {
		query = "SELECT data FROM chunk WHERE id = ?1"
	}
	histories, err := s.histories(ctx, query, id)
	if err != nil {
		return Unit{}, fmt.Errorf("read history %d: %w", id, err)
	}
	return Unit{ID: id, Histories: histories}, nil
}

// Stream is the state of a source's stream.
type Stream struct {
	Source, Name string
	// Complete: the stream has been read to its end at least once.
	Complete bool
	// Truncated: the vendor cut its last answer short.
	Truncated                bool
	LastAttempt, LastSuccess time.Time // zero before the first
	DataTime                 time.Time // the newest business time that was delivered; zero where there is none
	Error                    string    // of the last attempt; empty where it succeeded
}

// Streams returns the state of all streams that were ever read.
func (s *Snapshot) Streams(ctx context.Context) ([]Stream, error) {
	rows, err := s.tx.QueryContext(ctx, `SELECT d.value, s.name, s.complete, s.truncated, s.last_attempt, s.last_success, s.data_time, s.error
		FROM stream s JOIN dict d ON d.id = s.source ORDER BY d.value, s.name`)
	if err != nil {
		return nil, fmt.Errorf("read streams: %w", err)
	}
	defer rows.Close()
	var streams []Stream
	for rows.Next() {
		var st Stream
		var attempt, success, data sql.NullInt64
		if err := rows.Scan(&st.Source, &st.Name, &st.Complete, &st.Truncated, &attempt, &success, &data, &st.Error); err != nil {
			return nil, fmt.Errorf("read streams: %w", err)
		}
		if attempt.Valid {
			st.LastAttempt = time.UnixMicro(attempt.Int64)
		}
		if success.Valid {
			st.LastSuccess = time.UnixMicro(success.Int64)
		}
		if data.Valid {
			st.DataTime = time.UnixMicro(data.Int64)
		}
		streams = append(streams, st)
	}
	return streams, rows.Err()
}

// FirstRecords returns, by source, the earliest date of any of its records, in
// microseconds since 1970-01-01 UTC.
func (s *Snapshot) FirstRecords(ctx context.Context) (map[string]int64, error) {
	rows, err := s.tx.QueryContext(ctx, `SELECT d.value, (SELECT MIN(r.at) FROM record r WHERE r.source = d.id AND r.at IS NOT NULL)
		FROM dict d WHERE d.id IN (SELECT source FROM stream)`)
	if err != nil {
		return nil, fmt.Errorf("read first records: %w", err)
	}
	defer rows.Close()
	first := map[string]int64{}
	for rows.Next() {
		var source string
		var at sql.NullInt64
		if err := rows.Scan(&source, &at); err != nil {
			return nil, fmt.Errorf("read first records: %w", err)
		}
		if at.Valid {
			first[source] = at.Int64
		}
	}
	return first, rows.Err()
}

// SourceRate is a published rate and the source that published it.
type SourceRate struct {
	Source string
	Rate   record.Rate
}

// Rates calls f with every rate, those of one source in the order of their IDs.
func (s *Snapshot) Rates(ctx context.Context, f func(SourceRate) error) error {
	return s.records(ctx, record.KindRate, func(source string, r record.Record) error {
		return f(SourceRate{Source: source, Rate: *r.(*record.Rate)})
	})
}

// Costs calls f with every cost that counts, and its source.
func (s *Snapshot) Costs(ctx context.Context, f func(source string, cost record.Cost) error) error {
	return s.records(ctx, record.KindCost, func(source string, r record.Record) error {
		if !s.l.settings.counts(source, record.KindCost) {
			return nil
		}
		return f(source, *r.(*record.Cost))
	})
}

// records calls f with every record of a kind, those of one source in the order of their IDs.
func (s *Snapshot) records(ctx context.Context, kind record.Kind, f func(source string, r record.Record) error) error {
	rows, err := s.tx.QueryContext(ctx, `SELECT d.value, r.id, r.data FROM record r JOIN dict d ON d.id = r.source
		WHERE r.source IN (SELECT source FROM stream) AND r.kind = ? ORDER BY r.source, r.id`, kindNumbers[kind])
	if err != nil {
		return fmt.Errorf("read records of kind %s: %w", kind, err)
	}
	defer rows.Close()
	for rows.Next() {
		var source, id string
		var data sql.RawBytes
		if err := rows.Scan(&source, &id, &data); err != nil {
			return fmt.Errorf("read records of kind %s: %w", kind, err)
		}
		rec, err := s.l.codec.Decode(kind, id, data)
		if err != nil {
			return fmt.Errorf("read records of kind %s: %w", kind, err)
		}
		if err := f(source, rec); err != nil {
			return err
		}
	}
	return rows.Err()
}

// Records returns how many records of each kind the ledger holds.
func (s *Snapshot) Records(ctx context.Context) (map[record.Kind]int64, error) {
	rows, err := s.tx.QueryContext(ctx, "SELECT kind, COUNT(*) FROM record GROUP BY kind")
	if err != nil {
		return nil, fmt.Errorf("count records: %w", err)
	}
	defer rows.Close()
	counts := map[record.Kind]int64{}
	for rows.Next() {
		var kind, n int64
		if err := rows.Scan(&kind, &n); err != nil {
			return nil, fmt.Errorf("count records: %w", err)
		}
		counts[kindOf(kind)] = n
	}
	return counts, rows.Err()
}

// Clock returns the latest moment at which a reading ended, zero where none has: a
// clock that shows an earlier time has been set back.
func (s *Snapshot) Clock(ctx context.Context) (time.Time, error) { return clock(ctx, s.tx) }

// Size returns the ledger's size on disk in bytes, its write-ahead log included.
func (l *Ledger) Size() (int64, error) {
	var size int64
	for _, suffix := range []string{"", "-wal"} {
		info, err := os.Stat(l.path + suffix)
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err != nil {
			return 0, fmt.Errorf("size of ledger: %w", err)
		}
		size += info.Size()
	}
	return size, nil
}

// Calendar returns the calendar of the report zone.
func (l *Ledger) Calendar() *window.Calendar { return l.calendar }

// Settings returns what the ledger was opened with.
func (l *Ledger) Settings() Settings { return l.settings }

// Sealer returns a new Sealer with the ledger's key.
func (l *Ledger) Sealer() *record.Sealer { return record.NewSealer(l.sealKey) }
