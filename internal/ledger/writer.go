package ledger

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"slices"
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
	// queries are those of eachOf and insertAll.
	queries map[batchQuery]string
	// nodes caches node numbers by hash, 0 where there is no such node; keyed tells whether any
	// node_key exists, dependents whether any dependent does: most stores have neither, and need
	// not be asked each time.
	nodes             map[record.Hash]int64
	lastNode          int64
	free              map[record.Hash]bool // domains that identify nobody
	keyed, dependents bool

	transaction
}

// transaction is what a transaction has learned and is going to write.
type transaction struct {
	held      map[target]held       // the present version, of records that were looked up
	named     map[target]bool       // whether others take attributes from it; absent where not known
	edits     map[int64]*edit       // by node (> 0) or chunk (< 0)
	says      map[int64]saying      // by the record's number
	dirty     map[int64]bool        // nodes whose keys changed
	created   map[int64]*newNode    // by node; written at the end
	createdAs map[record.Hash]int64 // their numbers
	dictStart int                   // how many texts there were
}

func newTransaction(texts int) transaction {
	return transaction{
		held: map[target]held{}, named: map[target]bool{}, edits: map[int64]*edit{}, says: map[int64]saying{},
		dirty: map[int64]bool{}, created: map[int64]*newNode{}, createdAs: map[record.Hash]int64{}, dictStart: texts,
	}
}

// newNode is a node that is written when the transaction ends.
type newNode struct {
	hash record.Hash
	grp  sql.NullInt64
	data []byte
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
	w := &writer{
		l: l, conn: conn, stmts: map[string]*sql.Stmt{}, queries: map[batchQuery]string{}, nodes: map[record.Hash]int64{}, free: l.freeMail(),
	}
	if err := w.learn(ctx); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return w, nil
}

// learn finds out what the ledger holds that is remembered between transactions.
func (w *writer) learn(ctx context.Context) error {
	clear(w.nodes)
	return w.conn.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM node_key), EXISTS (SELECT 1 FROM dependent),
		COALESCE((SELECT MAX(id) FROM node), 0)`).Scan(&w.keyed, &w.dependents, &w.lastNode)
}

func (w *writer) close() error {
	var errs []error
	for _, s := range w.stmts {
		errs = append(errs, s.Close())
	}
	return errors.Join(append(errs, w.conn.Close())...)
}

// tx runs f in a transaction, writes the collected edits, commits, and tells the
// feed. After an error nothing has changed.
func (w *writer) tx(ctx context.Context, f func() error) (err error) {
	w.transaction = newTransaction(len(w.l.dict.texts))
	if len(w.nodes) >= maxCachedNodes {
		clear(w.nodes)
	}
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
	id, known := w.nodes[hash]
	if !known {
		if _, err := w.one(ctx, "SELECT id FROM node WHERE hash = ?", []any{hash[:]}, &id); err != nil {
			return 0, err
		}
	}
	if id == 0 {
		w.lastNode++
		id = w.lastNode
		w.created[id], w.createdAs[hash] = &newNode{hash: hash}, id
		if w.keyed {
			// Another record may have named this one by an external id before it came.
			w.dirty[id] = true
		}
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
	if err := w.writeIdentities(ctx); err != nil {
		return nil, nil, err
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
	if err := w.rewriteAll(ctx); err != nil {
		return nil, nil, err
	}
	if err := w.writeNodes(ctx); err != nil {
		return nil, nil, err
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

// rewriteAll writes the histories that are edited, in the order of the pages that they are on.
func (w *writer) rewriteAll(ctx context.Context) error {
	return inBatches(slices.Sorted(maps.Keys(w.edits)), func(batch []int64) error {
		old := map[int64][]byte{}
		for _, table := range []string{"node", "chunk"} {
			if err := w.eachOf(ctx, "SELECT id, data FROM "+table+" WHERE id IN (?)", nil, w.old(batch, table), func(rows *sql.Rows) error {
				var unit int64
				var data []byte
				err := rows.Scan(&unit, &data)
				old[unit] = data
				return err
			}); err != nil {
				return err
			}
		}
		for _, unit := range batch {
			data, found := old[unit]
			if err := w.rewrite(ctx, unit, data, found); err != nil {
				return err
			}
		}
		return nil
	})
}

// old returns those of some units that are kept in a table and are not new.
func (w *writer) old(units []int64, table string) []any {
	var list []any
	for _, unit := range units {
		if tableOf(unit) == table && w.created[unit] == nil {
			list = append(list, unit)
		}
	}
	return list
}

// tableOf returns where the history of a unit is kept.
func tableOf(unit int64) string {
	if unit < 0 {
		return "chunk"
	}
	return "node"
}

// rewrite edits one history, found as data.
func (w *writer) rewrite(ctx context.Context, unit int64, data []byte, found bool) error {
	e := w.edits[unit]
	data, err := history.Edit(data, e.remove, e.add)
	if err != nil {
		return fmt.Errorf("edit history %d: %w; rebuild the ledger's derived state with \"b2b_exporter sync --rebuild\"", unit, err)
	}
	if created := w.created[unit]; created != nil {
		created.data = data
		return nil
	}
	switch table := tableOf(unit); {
	case table == "chunk" && len(data) == 0:
		return w.exec(ctx, "DELETE FROM chunk WHERE id = ?", unit)
	case found:
		return w.exec(ctx, "UPDATE "+table+" SET data = ? WHERE id = ?", notNull(data), unit)
	case table == "chunk":
		return w.exec(ctx, "INSERT INTO chunk (id, data) VALUES (?, ?)", unit, data)
	}
	return fmt.Errorf("history %d is missing; rebuild the ledger's derived state with \"b2b_exporter sync --rebuild\"", unit)
}

// notNull returns data as what SQLite does not take for NULL.
func notNull(data []byte) []byte {
	if data == nil {
		return []byte{}
	}
	return data
}

// writeNodes writes the nodes that are new.
func (w *writer) writeNodes(ctx context.Context) error {
	rows := make([][]any, 0, len(w.created))
	for _, id := range slices.Sorted(maps.Keys(w.created)) {
		n := w.created[id]
		rows = append(rows, []any{id, n.hash[:], n.grp, notNull(n.data)})
	}
	return w.insertAll(ctx, "INSERT INTO node (id, hash, grp, data)", rows)
}
