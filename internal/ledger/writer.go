package ledger

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"github.com/b2bexporter/b2b_exporter/internal/ledger/history"
	"github.com/b2bexporter/b2b_exporter/internal/record"
)

// kindNumbers are how kinds are stored; a number is never given to another kind.
var kindNumbers = map[record.Kind]int64{
	record.KindCustomer: 1, record.KindOrder: 2, record.KindRefund: 3, record.KindCheckout: 4, record.KindQuote: 5,
	record.KindSubscription: 6, record.KindLead: 7, record.KindAccount: 8, record.KindDeal: 9, record.KindRate: 10,
	record.KindCost:       11,
	record.KindActivity:   12,
	record.KindEngagement: 13,
	record.KindSpend:      14,
	record.KindAdQuality:  15,
	record.KindTraffic:    16,
	record.KindUsers:      17,
	record.KindPage:       18,
	record.KindReferrer:   19,
	record.KindSearch:     20,
	record.KindBacklink:   21,
	record.KindEmail:      22,
	record.KindAttendance: 23,
	record.KindSurvey:     24,
	record.KindReferral:   25,
	record.KindTie:        26,
	record.KindMember:     27,
	record.KindSocial:     28,
	record.KindTimeEntry:  29,
}

func kindOf(number int64) record.Kind {
	for k, n := range kindNumbers {
		if n == number {
			return k
		}
	}
	return ""
}

// writer is the one connection that writes, with its statements. A transaction
// collects what it does to histories and identities and writes that once, at its end.
type writer struct {
	l     *Ledger
	conn  *sql.Conn
	stmts map[string]*sql.Stmt
	// nodes caches node numbers by hash; keyed tells whether any node_key exists, dependents
	// whether any dependent does: most stores have neither, and need not be asked each time.
	nodes             map[record.Hash]int64
	free              map[record.Hash]bool // domains that identify nobody
	keyed, dependents bool
	queries           [maxKeys + 1]string // of sharing, by number of keys

	edits     map[int64]*edit       // by node (> 0) or chunk (< 0)
	dirty     map[int64]bool        // nodes whose keys changed
	created   map[int64]record.Hash // nodes that are new
	dictStart int
}

// edit is what a transaction takes out of and puts into one history.
type edit struct{ remove, add [][]byte }

// maxCachedNodes bounds the cache of node numbers, at about 40 bytes each.
const maxCachedNodes = 1 << 17

func newWriter(ctx context.Context, l *Ledger) (*writer, error) {
	conn, err := l.db.Conn(ctx)
	if err != nil {
		return nil, err
	}
	w := &writer{l: l, conn: conn, stmts: map[string]*sql.Stmt{}, nodes: map[record.Hash]int64{}, free: l.freeMail()}
	if err := w.learn(ctx); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return w, nil
}

// learn finds out what the ledger holds that is remembered between transactions.
func (w *writer) learn(ctx context.Context) error {
	clear(w.nodes)
	return w.conn.QueryRowContext(ctx, "SELECT EXISTS (SELECT 1 FROM node_key), EXISTS (SELECT 1 FROM dependent)").
		Scan(&w.keyed, &w.dependents)
}

func (w *writer) close() error {
	var errs []error
	for _, s := range w.stmts {
		errs = append(errs, s.Close())
	}
	return errors.Join(append(errs, w.conn.Close())...)
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

func (w *writer) exec(ctx context.Context, query string, args ...any) error {
	s, err := w.stmt(ctx, query)
	if err != nil {
		return err
	}
	_, err = s.ExecContext(ctx, args...)
	return err
}

func (w *writer) insert(ctx context.Context, query string, args ...any) (int64, error) {
	s, err := w.stmt(ctx, query)
	if err != nil {
		return 0, err
	}
	res, err := s.ExecContext(ctx, args...)
	if err != nil {
		return 0, err
	}
	return res.LastInsertId()
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

func (w *writer) each(ctx context.Context, query string, args []any, f func(*sql.Rows) error) error {
	s, err := w.stmt(ctx, query)
	if err != nil {
		return err
	}
	rows, err := s.QueryContext(ctx, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := f(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

// tx runs f in a transaction, writes the collected edits, commits, and tells the
// feed. After an error nothing has changed.
func (w *writer) tx(ctx context.Context, f func() error) (err error) {
	w.edits, w.dirty, w.dictStart = map[int64]*edit{}, map[int64]bool{}, len(w.l.dict.texts)
	w.created = map[int64]record.Hash{}
	if err := ctx.Err(); err != nil {
		return err
	}
	// The driver says of a statement that was done when the context ended that it failed:
	// the two that begin and end the transaction are not cancelled.
	if _, err := w.conn.ExecContext(context.WithoutCancel(ctx), "BEGIN IMMEDIATE"); err != nil {
		return diskError(err)
	}
	defer func() {
		// A panic, which the poll that caused it survives, must not leave the transaction open.
		if r := recover(); r != nil {
			panic(errors.Join(fmt.Errorf("%v", r), w.rollback(ctx)))
		}
	}()
	var before, after []Unit
	err = f()
	if err == nil {
		before, after, err = w.flush(ctx)
	}
	if err == nil {
		_, err = w.conn.ExecContext(context.WithoutCancel(ctx), "COMMIT")
	}
	if err != nil {
		return diskError(errors.Join(err, w.rollback(ctx)))
	}
	if w.l.feed != nil && len(before)+len(after) > 0 {
		w.l.feed.Apply(before, after)
	}
	return nil
}

// rollback undoes the transaction and forgets what it taught, also after the
// context has ended.
func (w *writer) rollback(ctx context.Context) error {
	ctx = context.WithoutCancel(ctx)
	w.l.dict.truncate(w.dictStart)
	// SQLite may have rolled back already, as it does on a full disk.
	_, _ = w.conn.ExecContext(ctx, "ROLLBACK")
	return w.learn(ctx)
}

// number returns the dictionary's number of text, adding it where it is new. The texts
// become labels, which must be UTF-8.
func (w *writer) number(ctx context.Context, text string) (history.Dict, error) {
	text = strings.ToValidUTF8(text, "\uFFFD")
	if n, ok := w.l.dict.numbers[text]; ok {
		return n, nil
	}
	n := w.l.dict.add(text)
	return n, w.exec(ctx, "INSERT INTO dict VALUES (?, ?)", int64(n), text)
}

// node returns the number of the node with hash, making it where there is none.
func (w *writer) node(ctx context.Context, hash record.Hash) (int64, error) {
	if id, ok := w.nodes[hash]; ok {
		return id, nil
	}
	var id int64
	found, err := w.one(ctx, "SELECT id FROM node WHERE hash = ?", []any{hash[:]}, &id)
	if err != nil {
		return 0, err
	}
	if !found {
		if id, err = w.insert(ctx, "INSERT INTO node (hash) VALUES (?)", hash[:]); err != nil {
			return 0, err
		}
		w.created[id] = hash
		if w.keyed {
			// Another record may have named this one by an external id before it came.
			w.dirty[id] = true
		}
	}
	if len(w.nodes) >= maxCachedNodes {
		clear(w.nodes)
	}
	w.nodes[hash] = id
	return id, nil
}

// chunkRecords is how many successive records without a customer share a chunk: large
// enough to be few, small enough to be rewritten cheaply.
const chunkRecords = 64

func chunkOf(rid int64) int64 { return -(rid/chunkRecords + 1) }

// edit notes that the facts of a record are taken out of or put into histories.
func (w *writer) edit(ctx context.Context, rid int64, facts []fact, put bool) error {
	for _, f := range facts {
		unit := chunkOf(rid)
		if f.customer != (record.Hash{}) {
			var err error
			if unit, err = w.node(ctx, f.customer); err != nil {
				return err
			}
		}
		e := w.edits[unit]
		if e == nil {
			e = &edit{}
			w.edits[unit] = e
		}
		enc := f.encode()
		if put {
			e.put(enc)
		} else {
			e.take(enc)
		}
	}
	return nil
}

func (e *edit) put(enc []byte) {
	if !cancel(&e.remove, enc) {
		e.add = append(e.add, enc)
	}
}

func (e *edit) take(enc []byte) {
	if !cancel(&e.add, enc) {
		e.remove = append(e.remove, enc)
	}
}

// cancel takes enc out of list, where it is in it.
func cancel(list *[][]byte, enc []byte) bool {
	for i, other := range *list {
		if bytes.Equal(other, enc) {
			*list = append((*list)[:i], (*list)[i+1:]...)
			return true
		}
	}
	return false
}

// flush writes the collected edits and returns the units that they touched, as they
// were and as they are (only where a feed wants to know).
func (w *writer) flush(ctx context.Context) (before, after []Unit, err error) {
	for unit, e := range w.edits {
		if len(e.remove)+len(e.add) == 0 {
			delete(w.edits, unit)
		}
	}
	watch := w.l.feed != nil && w.l.feed.Watching()
	touched := map[int64]bool{}
	for unit := range w.edits {
		touched[unit] = true
	}
	regrouped, err := w.component(ctx, touched)
	if err != nil {
		return nil, nil, err
	}
	members := map[int64]bool{}
	if watch {
		if before, err = w.units(ctx, touched, members); err != nil {
			return nil, nil, err
		}
	}
	if err := w.regroup(ctx, regrouped); err != nil {
		return nil, nil, err
	}
	for unit, e := range w.edits {
		if err := w.rewrite(ctx, unit, e); err != nil {
			return nil, nil, err
		}
	}
	if watch {
		// A group that lost a member holds others that nothing else touched.
		for node := range members {
			touched[node] = true
		}
		if after, err = w.units(ctx, touched, members); err != nil {
			return nil, nil, err
		}
	}
	return before, after, nil
}

func (w *writer) rewrite(ctx context.Context, unit int64, e *edit) error {
	table, found := "node", true
	var data []byte
	var err error
	if unit < 0 {
		table = "chunk"
		found, err = w.one(ctx, "SELECT data FROM chunk WHERE id = ?", []any{unit}, &data)
	} else if _, created := w.created[unit]; !created { // one that is new has no history yet
		_, err = w.one(ctx, "SELECT data FROM node WHERE id = ?", []any{unit}, &data)
	}
	if err != nil {
		return err
	}
	if data, err = history.Edit(data, e.remove, e.add); err != nil {
		return fmt.Errorf("edit history %d: %w; rebuild the ledger's derived state with \"b2b_exporter sync --rebuild\"", unit, err)
	}
	if data == nil {
		data = []byte{}
	}
	switch {
	case table == "node":
		return w.exec(ctx, "UPDATE node SET data = ? WHERE id = ?", data, unit)
	case len(data) == 0:
		return w.exec(ctx, "DELETE FROM chunk WHERE id = ?", unit)
	case found:
		return w.exec(ctx, "UPDATE chunk SET data = ? WHERE id = ?", data, unit)
	}
	return w.exec(ctx, "INSERT INTO chunk VALUES (?, ?)", unit, data)
}

// units returns the units that the given nodes and chunks are in, and adds the
// nodes of those units to members.
func (w *writer) units(ctx context.Context, touched, members map[int64]bool) ([]Unit, error) {
	var units []Unit
	done := map[int64]bool{}
	for id, is := range touched {
		if !is {
			continue
		}
		unit := Unit{ID: id}
		query, key := "SELECT id, data FROM chunk WHERE id = ?", id
		if id > 0 {
			var grp sql.NullInt64
			if _, err := w.one(ctx, "SELECT grp FROM node WHERE id = ?", []any{id}, &grp); err != nil {
				return nil, err
			}
			query = "SELECT id, data FROM node WHERE id = ?"
			if grp.Valid {
				unit.ID, key = grp.Int64, grp.Int64
				query = "SELECT id, data FROM node WHERE grp = ?"
			}
		}
		if done[unit.ID] {
			continue
		}
		done[unit.ID] = true
		err := w.each(ctx, query, []any{key}, func(rows *sql.Rows) error {
			var member int64
			var data []byte
			if err := rows.Scan(&member, &data); err != nil {
				return err
			}
			if member > 0 {
				members[member] = true
			}
			unit.Histories = append(unit.Histories, data)
			return nil
		})
		if err != nil {
			return nil, err
		}
		units = append(units, unit)
	}
	return units, nil
}
