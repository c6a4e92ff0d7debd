package oracle

import (
	"bytes"
	"cmp"
	"math"
	"slices"

	"github.com/b2bexporter/b2b_exporter/internal/record"
)

// always is the age of what has no date.
const always = math.MinInt64

// node is one thing that customers are made of: a customer or account record (both
// under one ID are one node), a lead, or something that records only refer to.
type node struct {
	hash     record.Hash
	explicit bool   // it has a record of its own
	company  string // the source that it is a company of
	dates    []record.Instant
	keys     []record.Hash

	known     bool  // it makes what it belongs to a customer
	knownFrom int64 // since when; always where a record has no date

	age     int64
	members *cluster
}

// cluster is what shares keys, in the order of joining.
type cluster struct {
	nodes    []*node
	keys     map[record.Hash]bool
	customer *customer
}

// graph groups records into customers.
type graph struct {
	calendar *calendar
	freeMail map[record.Hash]bool
	nodes    map[record.Hash]*node
}

// newGraph returns the nodes of records, each with the cluster that it belongs to.
func newGraph(records []Record, s Settings, c *calendar) *graph {
	g := &graph{calendar: c, freeMail: s.FreeMail, nodes: map[record.Hash]*node{}}
	for _, r := range records {
		g.addRecord(r)
	}
	g.join()
	return g
}

func (g *graph) node(hash record.Hash) *node {
	n := g.nodes[hash]
	if n == nil {
		n = &node{hash: hash, keys: []record.Hash{hash}}
		g.nodes[hash] = n
	}
	return n
}

// of returns the node that ref names, or nil.
func (g *graph) of(ref record.Ref) *node {
	if len(ref.Sealed) == 0 {
		return nil
	}
	return g.nodes[ref.Sealed[0]]
}

func (g *graph) addRecord(r Record) {
	switch rec := r.Record.(type) {
	case *record.Customer:
		n := g.own(rec.Self, rec.Keys, rec.Dates())
		if rec.Company {
			n.company = r.Source
		}
		g.know(n, rec.Dates())
	case *record.Account:
		n := g.own(rec.Self, rec.Keys, rec.Dates())
		n.company = r.Source
		if rec.Target || len(rec.Keys.Sealed) > 0 {
			g.know(n, rec.Dates())
		}
	case *record.Lead:
		n := g.own(rec.Self, rec.Keys, rec.Dates())
		g.refer(rec.Account)
		n.keys = append(n.keys, rec.Account.Sealed...)
	case *record.Order:
		g.know(g.refer(rec.Customer), rec.Dates())
	case *record.Refund:
		g.know(g.refer(rec.Customer), rec.Dates())
	case *record.Checkout:
		g.know(g.refer(rec.Customer), rec.Dates())
	case *record.Quote:
		g.know(g.refer(rec.Customer), rec.Dates())
	case *record.Subscription:
		g.know(g.refer(rec.Customer), rec.Dates())
	case *record.Deal:
		g.know(g.refer(rec.Account), rec.Dates())
	}
}

// own adds a record that is a node by itself.
func (g *graph) own(self record.Ref, keys record.Keys, dates []record.Instant) *node {
	n := g.refer(self)
	n.explicit = true
	n.keys = append(n.keys, keys.Sealed...)
	n.dates = append(n.dates, dates...)
	return n
}

// refer adds what ref names, with the address that its ID may be; nil for a null ref.
func (g *graph) refer(ref record.Ref) *node {
	if len(ref.Sealed) == 0 {
		return nil
	}
	n := g.node(ref.Sealed[0])
	n.keys = append(n.keys, ref.Sealed[1:]...)
	return n
}

// know makes n known since the earliest of dates.
func (g *graph) know(n *node, dates []record.Instant) {
	if n == nil {
		return
	}
	from, ok := g.calendar.earliest(dates)
	if !ok {
		from = always
	}
	if !n.known || from < n.knownFrom {
		n.known, n.knownFrom = true, from
	}
}

// rank orders nodes for joining: companies, other records, then what is only referred to.
func (n *node) rank() int {
	switch {
	case n.company != "":
		return 0
	case n.explicit:
		return 1
	}
	return 2
}

// join forms the clusters: each node, older ones first, joins the clusters that it
// shares a key with, unless that puts two companies of one source together.
func (g *graph) join() {
	var nodes []*node
	for _, n := range g.nodes {
		n.age = always
		if first, ok := g.calendar.earliest(n.dates); ok {
			n.age = first
		}
		nodes = append(nodes, n)
	}
	slices.SortFunc(nodes, func(a, b *node) int {
		return cmp.Or(cmp.Compare(a.rank(), b.rank()), cmp.Compare(a.age, b.age), bytes.Compare(a.hash[:], b.hash[:]))
	})
	place := map[*node]int{}
	for i, n := range nodes {
		place[n] = i
	}

	holders := map[record.Hash]map[*cluster]bool{} // the clusters that have a key
	for _, n := range nodes {
		found := map[*cluster]bool{}
		grown := &cluster{nodes: []*node{n}, keys: map[record.Hash]bool{}}
		for _, k := range n.keys {
			if g.freeMail[k] {
				continue
			}
			grown.keys[k] = true
			for c := range holders[k] {
				found[c] = true
			}
		}
		var candidates []*cluster
		for c := range found {
			candidates = append(candidates, c)
		}
		slices.SortFunc(candidates, func(a, b *cluster) int { return place[firstOf(a, place)] - place[firstOf(b, place)] })
		for _, c := range candidates {
			if !conflict(grown, c) {
				for k := range c.keys {
					delete(holders[k], c)
					grown.keys[k] = true
				}
				grown.nodes = append(grown.nodes, c.nodes...)
			}
		}
		for k := range grown.keys {
			if holders[k] == nil {
				holders[k] = map[*cluster]bool{}
			}
			holders[k][grown] = true
		}
		for _, member := range grown.nodes {
			member.members = grown
		}
	}
}

func firstOf(c *cluster, place map[*node]int) *node {
	return slices.MinFunc(c.nodes, func(a, b *node) int { return place[a] - place[b] })
}

// conflict reports whether a and b together hold two companies of one source.
func conflict(a, b *cluster) bool {
	for _, x := range a.nodes {
		for _, y := range b.nodes {
			if x.company != "" && x.company == y.company {
				return true
			}
		}
	}
	return false
}
