// Command generate writes the CSV files of the sample company, Nordkiste: a made-up
// wholesaler of packaging supplies. Its random numbers have a fixed seed and nothing
// depends on the clock, so that the same files come out wherever it runs.
package main

import (
	"encoding/csv"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	_ "time/tzdata" // machines without zone files write the same times
)

func main() {
	dir := flag.String("dir", "examples/sample/data", "directory that the files are written to")
	flag.Parse()
	if err := generate(*dir); err != nil {
		fmt.Fprintf(os.Stderr, "generate: %v\n", err)
		os.Exit(1)
	}
}

// generate writes all files into dir.
func generate(dir string) error {
	tables, err := tables()
	if err != nil {
		return err
	}
	for _, t := range tables {
		if err := t.write(dir); err != nil {
			return fmt.Errorf("write %s: %w", t.name, err)
		}
	}
	return nil
}

// tables returns the content of all files.
func tables() ([]*table, error) {
	c, err := newCompany()
	if err != nil {
		return nil, err
	}
	c.found()
	c.trade()
	c.followUp()
	return []*table{
		c.shopCustomers(), c.shopOrders(), c.shopRefunds(), c.shopCheckouts(), c.shopQuotes(),
		c.erpCustomers(), c.erpOrders(), c.erpRefunds(), c.erpLeads(),
	}, nil
}

// table is the content of a file.
type table struct {
	name   string
	comma  rune
	header []string
	rows   [][]string
}

func (t *table) add(cells ...string) { t.rows = append(t.rows, cells) }

func (t *table) write(dir string) error {
	f, err := os.Create(filepath.Join(dir, t.name))
	if err != nil {
		return err
	}
	w := csv.NewWriter(f)
	w.Comma = t.comma
	if err := w.Write(t.header); err != nil {
		return err
	}
	if err := w.WriteAll(t.rows); err != nil {
		return err
	}
	return f.Close()
}
