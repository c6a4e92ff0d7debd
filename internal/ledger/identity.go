package ledger

import (
	"bytes"
	"cmp"
	"context"
	"database/sql"
	"maps"
	"math"
	"slices"

	"github.com/b2bexporter/b2b_exporter/internal/record"
)

// identity is what a record says about who is who: the keys of a node and, for the
// records that are a customer, account or lead themselves, what they are.
type identity struct {
	node     record.Hash
	keys     []record.Hash
	explicit bool
	company  bool
	age      sql.NullInt64 // null: without a date, older than all
}

func (a identity) equal(b identity) bool {
	return a.node == b.node && a.explicit == b.explicit && a.company == b.company && a.age == b.age &&
		slices.Equal(a.keys, b.keys)
}

// about returns which customer, account or lead a record is or belongs to.
func about(rec record.Record) record.Ref {
	switch r := rec.(type) {
	case *record.Customer:
		return r.Self
	case *record.Account:
		return r.Self
	case *record.Lead:
		return r.Self
	case *record.Order:
		return r.Customer
	case *record.Refund:
		return r.Customer
	case *record.Checkout:
		return r.Customer
	case *record.Quote:
		return r.Customer
	case *record.Subscription:
		return r.Customer
	case *record.Deal:
		return r.Account
	}
	return record.Ref{}
}

// identityOf returns what a record says; none, or one that does not count, says nothing.
func (w *writer) identityOf(s stored) identity {
	if !w.counts(s) {
		return identity{}
	}
	switch r := s.rec.(type) {
	case *record.Customer:
		return w.explicit(r, r.Self, r.Keys.Sealed, r.Company)
	case *record.Account:
		return w.explicit(r, r.Self, r.Keys.Sealed, true)
	case *record.Lead:
		return w.explicit(r, r.Self, slices.Concat(r.Keys.Sealed, r.Account.Sealed), false)
	}
	return reference(about(s.rec))
}

func (w *writer) explicit(rec record.Record, self record.Ref, keys []record.Hash, company bool) identity {
	if self.IsNull() {
		return identity{} // a record without an ID
	}
	id := identity{node: self.Sealed[0], keys: slices.Concat(self.Sealed[1:], keys), explicit: true, company: company}
	id.age.Int64, id.age.Valid = w.earliest(rec.Dates()...)
	if !id.age.Valid {
		id.age.Int64 = 0
	}
	return id
}

// reference: an e-mail address used as a customer's ID is a key of that customer.
func reference(r record.Ref) identity {
	if len(r.Sealed) < 2 {
		return identity{}
	}
	return identity{node: r.Sealed[0], keys: r.Sealed[1:]}
}

// saying is what a record says about identity after a transaction.
type saying struct {
	identity
	number int64 // of its node
	source int64
	erase  bool // the ledger holds what it said before
}

// identify replaces what record rid said about identity by what it says now.
func (w *writer) identify(ctx context.Context, rid, source int64, before, after identity) error {
	if before.equal(after) {
		return nil
	}
	was, again := w.says[rid]
	is := saying{identity: after, source: source, erase: was.erase}
	if before.node != (record.Hash{}) {
		node, err := w.node(ctx, before.node)
		if err != nil {
			return err
		}
		w.dirty[node] = true
		is.erase = is.erase || !again
	}
	if after.node != (record.Hash{}) {
		var err error
		if is.number, err = w.node(ctx, after.node); err != nil {
			return err
		}
		w.dirty[is.number], w.keyed = true, true
	}
	w.says[rid] = is
	return nil
}

// writeIdentities writes what the transaction's records say about identity.
func (w *writer) writeIdentities(ctx context.Context) error {
	var identities, keys [][]any
	for _, rid := range slices.Sorted(maps.Keys(w.says)) {
		s := w.says[rid]
		if s.erase {
			for _, query := range []string{"DELETE FROM node_key WHERE rid = ?", "DELETE FROM identity WHERE rid = ?"} {
				if err := w.exec(ctx, query, rid); err != nil {
					return err
				}
			}
		}
		if s.number == 0 {
			continue
		}
		if s.explicit {
			identities = append(identities, []any{rid, s.number, s.source, s.company, s.age})
		}
		for i := range s.keys {
			keys = append(keys, []any{s.keys[i][:], s.number, rid})
		}
	}
	if err := w.insertAll(ctx, "INSERT INTO identity", identities); err != nil {
		return err
	}
	return w.insertAll(ctx, "INSERT OR IGNORE INTO node_key", keys)
}

// member is a node as the grouping sees it.
type member struct {
	id        int64
	hash      record.Hash
	grp       sql.NullInt64
	keys      []record.Hash
	rank      int // 0 company, 1 other record, 2 only referred to
	age       int64
	companies []int64 // sources of which it is a company
}

// component returns the new group of every node whose group changes because of the
// dirty nodes, and (in touched) every node of those new groups.
func (w *writer) component(ctx context.Context, touched map[int64]bool) (map[int64]sql.NullInt64, error) {
	if len(w.dirty) == 0 {
		return nil, nil
	}
	members, err := w.connected(ctx)
	if err != nil {
		return nil, err
	}
	changed := map[int64]sql.NullInt64{}
	for _, group := range cluster(members) {
		grp := sql.NullInt64{Int64: slices.Min(group), Valid: len(group) > 1}
		if !grp.Valid {
			grp.Int64 = 0
		}
		same := true
		for _, id := range group {
			if members[id].grp != grp {
				changed[id] = grp
				same = false
			}
		}
		for _, id := range group {
			touched[id] = touched[id] || !same
		}
	}
	return changed, nil
}

// connected returns all nodes that are connected to the dirty ones, or were grouped with them.
func (w *writer) connected(ctx context.Context) (map[int64]*member, error) {
	members := map[int64]*member{}
	keys, groups := map[record.Hash]bool{}, map[int64]bool{} // those that were followed
	var reached []*member
	reach := func(id int64) {
		if members[id] == nil {
			members[id] = &member{id: id, rank: 2, age: math.MaxInt64}
			reached = append(reached, members[id])
		}
	}
	for id := range w.dirty {
		reach(id)
	}
	for len(reached) > 0 {
		next := reached
		reached = nil
		if err := w.loadMembers(ctx, members, next); err != nil {
			return nil, err
		}
		var newKeys, newGroups []any
		for _, m := range next {
			if m.grp.Valid && !groups[m.grp.Int64] {
				groups[m.grp.Int64] = true
				newGroups = append(newGroups, m.grp.Int64)
			}
			for _, key := range m.keys {
				if !keys[key] {
					keys[key] = true
					newKeys = append(newKeys, bytes.Clone(key[:]))
				}
				if id, created := w.createdAs[key]; created {
					reach(id)
				}
			}
		}
		found := func(rows *sql.Rows) error {
			var id int64
			err := rows.Scan(&id)
			if err == nil {
				reach(id)
			}
			return err
		}
		if err := w.eachOf(ctx, "SELECT id FROM node WHERE grp IN (?)", nil, newGroups, found); err != nil {
			return nil, err
		}
		if err := w.eachOf(ctx, "SELECT id FROM node WHERE hash IN (?) UNION ALL SELECT node FROM node_key WHERE hash IN (?)",
			nil, newKeys, found); err != nil {
			return nil, err
		}
	}
	return members, nil
}

// loadMembers reads what is known of the nodes in list, which are among the members.
func (w *writer) loadMembers(ctx context.Context, members map[int64]*member, list []*member) error {
	ids := make([]any, len(list))
	var old []any
	for i, m := range list {
		ids[i] = m.id
		if c := w.created[m.id]; c != nil {
			m.hash = c.hash
			m.keys = append(m.keys, m.hash)
		} else {
			old = append(old, m.id)
		}
	}
	if err := w.eachOf(ctx, "SELECT id, hash, grp FROM node WHERE id IN (?)", nil, old, func(rows *sql.Rows) error {
		var id int64
		var hash sql.RawBytes
		var grp sql.NullInt64
		if err := rows.Scan(&id, &hash, &grp); err != nil {
			return err
		}
		m := members[id]
		m.hash, m.grp = record.Hash(hash), grp
		m.keys = append(m.keys, m.hash)
		return nil
	}); err != nil {
		return err
	}
	if err := w.eachOf(ctx, "SELECT DISTINCT node, hash FROM node_key WHERE node IN (?)", nil, ids, func(rows *sql.Rows) error {
		var id int64
		var hash sql.RawBytes
		if err := rows.Scan(&id, &hash); err != nil {
			return err
		}
		if key := record.Hash(hash); !w.free[key] {
			members[id].keys = append(members[id].keys, key)
		}
		return nil
	}); err != nil {
		return err
	}
	return w.eachOf(ctx, "SELECT node, source, company, age FROM identity WHERE node IN (?)", nil, ids, func(rows *sql.Rows) error {
		var id, source int64
		var company bool
		var age sql.NullInt64
		if err := rows.Scan(&id, &source, &company, &age); err != nil {
			return err
		}
		members[id].identified(source, company, age)
		return nil
	})
}

// identified adds what a record says that is the node.
func (m *member) identified(source int64, company bool, age sql.NullInt64) {
	m.rank = min(m.rank, 1)
	if company {
		m.rank = 0
		m.companies = append(m.companies, source)
	}
	if !age.Valid {
		age.Int64 = math.MinInt64
	}
	m.age = min(m.age, age.Int64)
}

func (w *writer) regroup(ctx context.Context, changed map[int64]sql.NullInt64) error {
	for id, grp := range changed {
		if c := w.created[id]; c != nil {
			c.grp = grp
			continue
		}
		if err := w.exec(ctx, "UPDATE node SET grp = ? WHERE id = ?", grp, id); err != nil {
			return err
		}
	}
	return nil
}

// group is a set of nodes that are one customer.
type group struct {
	first     int // rank of its first node, in the order of processing
	nodes     []*member
	companies map[int64]bool
	into      *group // where it was merged
}

func (g *group) root() *group {
	for g.into != nil {
		g = g.into
	}
	return g
}

// cluster joins nodes that share a key, transitively, except that two companies of
// one source stay apart and what matches both joins the older. Companies come
// first, then other records, then what is only referred to; the older before the
// younger: so the result does not depend on the order in which records arrived.
func cluster(members map[int64]*member) [][]int64 {
	order := make([]*member, 0, len(members))
	for _, m := range members {
		order = append(order, m)
	}
	slices.SortFunc(order, func(a, b *member) int {
		return cmp.Or(cmp.Compare(a.rank, b.rank), cmp.Compare(a.age, b.age), bytes.Compare(a.hash[:], b.hash[:]))
	})
	byKey := map[record.Hash][]*group{}
	var all []*group
	for i, m := range order {
		g := &group{first: i, nodes: []*member{m}, companies: map[int64]bool{}}
		for _, source := range m.companies {
			g.companies[source] = true
		}
		all = append(all, g)
		var candidates []*group
		for _, key := range m.keys {
			for _, c := range byKey[key] {
				if c = c.root(); !slices.Contains(candidates, c) {
					candidates = append(candidates, c)
				}
			}
		}
		slices.SortFunc(candidates, func(a, b *group) int { return cmp.Compare(a.first, b.first) })
		for _, c := range candidates {
			if !g.conflicts(c) {
				g.absorb(c)
			}
		}
		for _, key := range m.keys {
			byKey[key] = append(byKey[key], g)
		}
	}
	var groups [][]int64
	for _, g := range all {
		if g.into == nil {
			ids := make([]int64, len(g.nodes))
			for i, m := range g.nodes {
				ids[i] = m.id
			}
			groups = append(groups, ids)
		}
	}
	return groups
}

func (g *group) conflicts(other *group) bool {
	for source := range g.companies {
		if other.companies[source] {
			return true
		}
	}
	return false
}

func (g *group) absorb(other *group) {
	other.into = g
	g.first = min(g.first, other.first)
	g.nodes = append(g.nodes, other.nodes...)
	for source := range other.companies {
		g.companies[source] = true
	}
}
