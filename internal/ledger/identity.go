package ledger

import (
	"bytes"
	"cmp"
	"context"
	"database/sql"
	"math"
	"slices"
	"strconv"
	"strings"

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
	case *record.Order:
		return reference(r.Customer)
	case *record.Refund:
		return reference(r.Customer)
	case *record.Checkout:
		return reference(r.Customer)
	case *record.Quote:
		return reference(r.Customer)
	case *record.Subscription:
		return reference(r.Customer)
	case *record.Deal:
		return reference(r.Account)
	}
	return identity{}
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

// identify replaces what record rid said about identity by what it says now.
func (w *writer) identify(ctx context.Context, rid, source int64, before, after identity) error {
	if before.equal(after) {
		return nil
	}
	if before.node != (record.Hash{}) {
		node, err := w.node(ctx, before.node)
		if err != nil {
			return err
		}
		w.dirty[node] = true
		if err := w.exec(ctx, "DELETE FROM node_key WHERE rid = ?", rid); err != nil {
			return err
		}
		if err := w.exec(ctx, "DELETE FROM identity WHERE rid = ?", rid); err != nil {
			return err
		}
	}
	if after.node == (record.Hash{}) {
		return nil
	}
	node, err := w.node(ctx, after.node)
	if err != nil {
		return err
	}
	w.dirty[node], w.keyed = true, true
	if after.explicit {
		if err := w.exec(ctx, "INSERT INTO identity VALUES (?, ?, ?, ?, ?)", rid, node, source, after.company, after.age); err != nil {
			return err
		}
	}
	for _, key := range after.keys {
		if err := w.exec(ctx, "INSERT OR IGNORE INTO node_key VALUES (?, ?, ?)", key[:], node, rid); err != nil {
			return err
		}
	}
	return nil
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
	// All that are connected to the dirty nodes, and all that were grouped with them.
	members := map[int64]*member{}
	seen := map[record.Hash]bool{}
	var queue []int64
	reach := func(id int64) {
		if members[id] == nil {
			members[id] = &member{id: id, rank: 2, age: math.MaxInt64}
			queue = append(queue, id)
		}
	}
	for id := range w.dirty {
		reach(id)
	}
	reachAll := func(query string, args ...any) error {
		return w.each(ctx, query, args, func(rows *sql.Rows) error {
			var id int64
			if err := rows.Scan(&id); err != nil {
				return err
			}
			reach(id)
			return nil
		})
	}
	for len(queue) > 0 {
		m := members[queue[len(queue)-1]]
		queue = queue[:len(queue)-1]
		if err := w.loadMember(ctx, m); err != nil {
			return nil, err
		}
		if m.grp.Valid {
			if err := reachAll("SELECT id FROM node WHERE grp = ?", m.grp.Int64); err != nil {
				return nil, err
			}
		}
		var keys []any
		for _, key := range m.keys {
			if !seen[key] {
				seen[key] = true
				keys = append(keys, bytes.Clone(key[:]))
			}
		}
		for chunk := range slices.Chunk(keys, maxKeys) {
			if err := reachAll(w.sharing(len(chunk)), chunk...); err != nil {
				return nil, err
			}
		}
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

// maxKeys is how many keys are looked up by one statement.
const maxKeys = 8

// sharing asks for the nodes that any of n keys leads to.
func (w *writer) sharing(n int) string {
	if query := w.queries[n]; query != "" {
		return query
	}
	numbers := make([]string, n)
	for i := range numbers {
		numbers[i] = "?" + strconv.Itoa(i+1)
	}
	list := strings.Join(numbers, ", ")
	w.queries[n] = "SELECT id FROM node WHERE hash IN (" + list + ") UNION ALL SELECT node FROM node_key WHERE hash IN (" + list + ")"
	return w.queries[n]
}

func (w *writer) loadMember(ctx context.Context, m *member) error {
	var hash []byte
	var created bool
	if m.hash, created = w.created[m.id]; !created {
		if _, err := w.one(ctx, "SELECT hash, grp FROM node WHERE id = ?", []any{m.id}, &hash, &m.grp); err != nil {
			return err
		}
		m.hash = record.Hash(hash)
	}
	m.keys = append(m.keys, m.hash)
	err := w.each(ctx, "SELECT DISTINCT hash FROM node_key WHERE node = ?", []any{m.id}, func(rows *sql.Rows) error {
		if err := rows.Scan(&hash); err != nil {
			return err
		}
		if key := record.Hash(hash); !w.free[key] {
			m.keys = append(m.keys, key)
		}
		return nil
	})
	if err != nil {
		return err
	}
	return w.each(ctx, "SELECT source, company, age FROM identity WHERE node = ?", []any{m.id}, func(rows *sql.Rows) error {
		var source int64
		var company bool
		var age sql.NullInt64
		if err := rows.Scan(&source, &company, &age); err != nil {
			return err
		}
		m.rank = min(m.rank, 1)
		if company {
			m.rank = 0
			m.companies = append(m.companies, source)
		}
		if !age.Valid {
			age.Int64 = math.MinInt64
		}
		m.age = min(m.age, age.Int64)
		return nil
	})
}

func (w *writer) regroup(ctx context.Context, changed map[int64]sql.NullInt64) error {
	for id, grp := range changed {
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
