package ledger

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/b2bexporter/b2b_exporter/internal/ledger/history"
)

// dictionary numbers the texts that histories use. Numbers are never reused.
type dictionary struct {
	texts   []string
	numbers map[string]history.Dict
}

func loadDictionary(ctx context.Context, db *sql.DB) (dictionary, error) {
	d := dictionary{texts: []string{""}, numbers: map[string]history.Dict{"": 0}}
	rows, err := db.QueryContext(ctx, "SELECT id, value FROM dict ORDER BY id")
	if err != nil {
		return d, err
	}
	defer rows.Close()
	for rows.Next() {
		var id int
		var text string
		if err := rows.Scan(&id, &text); err != nil {
			return d, err
		}
		if id != len(d.texts) {
			return d, fmt.Errorf("%w: dictionary number %d follows %d", ErrForeign, id, len(d.texts)-1)
		}
		d.add(text)
	}
	return d, rows.Err()
}

func (d *dictionary) add(text string) history.Dict {
	n := history.Dict(len(d.texts))
	d.texts = append(d.texts, text)
	d.numbers[text] = n
	return n
}

// truncate forgets what was added after the dictionary had n texts.
func (d *dictionary) truncate(n int) {
	for _, text := range d.texts[n:] {
		delete(d.numbers, text)
	}
	d.texts = d.texts[:n]
}
