package ledger

import (
	"context"
	"database/sql"
)

// gathering collects units from rows of unit, node or chunk, and history.
type gathering struct {
	units []Unit
	at    map[int64]int // where a unit is
	nodes map[int64]bool
}

func (g *gathering) add(rows *sql.Rows) error {
	var unit, id int64
	var data []byte
	if err := rows.Scan(&unit, &id, &data); err != nil {
		return err
	}
	i, found := g.at[unit]
	if !found {
		i = len(g.units)
		g.at[unit], g.units = i, append(g.units, Unit{ID: unit})
	}
	g.units[i].Histories = append(g.units[i].Histories, data)
	if id > 0 {
		g.nodes[id] = true
	}
	return nil
}

// units returns the units that the touched nodes and chunks are in, and adds the nodes of
// those units to members. What is not written yet is in none.
func (w *writer) units(ctx context.Context, touched, members map[int64]bool) ([]Unit, error) {
	var nodes, chunks, groups []any
	for id, is := range touched {
		switch {
		case !is:
		case id < 0:
			chunks = append(chunks, id)
		default:
			nodes = append(nodes, id)
		}
	}
	g := gathering{at: map[int64]int{}, nodes: members}
	known := map[int64]bool{}
	if err := w.eachOf(ctx, "SELECT DISTINCT grp FROM node WHERE id IN (?) AND grp IS NOT NULL", nil, nodes, func(rows *sql.Rows) error {
		var grp int64
		if err := rows.Scan(&grp); err != nil {
			return err
		}
		if !known[grp] {
			known[grp] = true
			groups = append(groups, grp)
		}
		return nil
	}); err != nil {
		return nil, err
	}
	for _, part := range []struct {
		query string
		ids   []any
	}{
		{"SELECT id, id, data FROM chunk WHERE id IN (?)", chunks},
		{"SELECT id, id, data FROM node WHERE id IN (?) AND grp IS NULL", nodes},
		{"SELECT grp, id, data FROM node WHERE grp IN (?)", groups},
	} {
		if err := w.eachOf(ctx, part.query, nil, part.ids, g.add); err != nil {
			return nil, err
		}
	}
	return g.units, nil
}
