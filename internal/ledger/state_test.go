package ledger_test

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"

	"pgregory.net/rapid"

	"github.com/b2bexporter/b2b_exporter/internal/ledger"
	"github.com/b2bexporter/b2b_exporter/internal/ledger/history"
)

// state is all that a ledger holds, without the numbers by which it holds it: two
// ledgers that were told the same are equal.
type state struct {
	Records, Cursors []string
	// Derived from the records:
	Groups                         []string // the nodes of each customer, and its events
	Nobody                         []string // events
	Identities, Keys, Dependencies []string
}

// readState reads the file at path.
func readState(ctx context.Context, t rapid.TB, path string) state {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+path+"?mode=ro&_pragma=busy_timeout(10000)")
	if err != nil {
		t.Fatalf("open %s: %v", path, err)
	}
	defer db.Close()
	// lines returns the rows of a query, each as a text.
	lines := func(query string) []string {
		t.Helper()
		rows, err := db.QueryContext(ctx, query)
		if err != nil {
			t.Fatalf("%s: %v", query, err)
		}
		defer rows.Close()
		var all []string
		for rows.Next() {
			var line string
			if err := rows.Scan(&line); err != nil {
				t.Fatalf("%s: %v", query, err)
			}
			all = append(all, line)
		}
		if err := rows.Err(); err != nil {
			t.Fatalf("%s: %v", query, err)
		}
		slices.Sort(all)
		return all
	}
	const record = `(SELECT d.value || ' ' || r.kind || ' ' || r.id FROM record r JOIN dict d ON d.id = r.source WHERE r.rid = x.rid)`
	s := state{
		Records: lines(`SELECT d.value || ' ' || kind || ' ' || r.id || ' ' || IFNULL(at, '-') || ' ' || hex(data)
			FROM record r JOIN dict d ON d.id = source`),
		Cursors: lines(`SELECT d.value || ' ' || name || ' ' || cursor FROM stream JOIN dict d ON d.id = source`),
		Identities: lines(`SELECT ` + record + ` || ' is ' || hex(n.hash) || ' ' || x.company || ' ' || IFNULL(x.age, '-')
			FROM identity x JOIN node n ON n.id = x.node`),
		Keys: lines(`SELECT ` + record + ` || ' knows ' || hex(n.hash) || ' by ' || hex(x.hash)
			FROM node_key x JOIN node n ON n.id = x.node`),
		Dependencies: lines(`SELECT ` + record + ` || ' needs ' || d.value || ' ' || x.kind || ' ' || x.id
			FROM dependent x JOIN dict d ON d.id = x.source`),
	}
	texts := map[history.Dict]string{}
	for _, line := range lines("SELECT id || ' ' || value FROM dict") {
		var n history.Dict
		if _, err := fmt.Sscan(line, &n); err != nil {
			t.Fatalf("dictionary %q: %v", line, err)
		}
		_, texts[n], _ = strings.Cut(line, " ")
	}
	events := func(data ...[]byte) []string {
		t.Helper()
		lines, err := eventTexts(func(n history.Dict) string { return texts[n] }, ledger.Unit{Histories: data})
		if err != nil {
			t.Fatalf("a history: %v", err)
		}
		return lines
	}
	// A node without records, keys and events is what a deleted record has left, and no
	// customer.
	type group struct {
		nodes []string
		data  [][]byte
	}
	groups := map[int64]*group{}
	each(ctx, t, db, `SELECT IFNULL(grp, id), hex(hash), data FROM node n WHERE length(data) > 0
		OR EXISTS (SELECT 1 FROM identity i WHERE i.node = n.id) OR EXISTS (SELECT 1 FROM node_key k WHERE k.node = n.id)`,
		func(rows *sql.Rows) error {
			var id int64
			var hash string
			var data []byte
			err := rows.Scan(&id, &hash, &data)
			if groups[id] == nil {
				groups[id] = &group{}
			}
			groups[id].nodes, groups[id].data = append(groups[id].nodes, hash), append(groups[id].data, data)
			return err
		})
	for _, g := range groups {
		slices.Sort(g.nodes)
		s.Groups = append(s.Groups, strings.Join(g.nodes, " ")+": "+strings.Join(events(g.data...), "; "))
	}
	slices.Sort(s.Groups)
	var chunks [][]byte
	each(ctx, t, db, "SELECT data FROM chunk", func(rows *sql.Rows) error {
		var data []byte
		err := rows.Scan(&data)
		chunks = append(chunks, data)
		return err
	})
	s.Nobody = events(chunks...)
	return s
}

func each(ctx context.Context, t rapid.TB, db *sql.DB, query string, f func(*sql.Rows) error) {
	t.Helper()
	rows, err := db.QueryContext(ctx, query)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	defer rows.Close()
	for rows.Next() {
		if err := f(rows); err != nil {
			t.Fatalf("%s: %v", query, err)
		}
	}
	if err := rows.Err(); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
}
