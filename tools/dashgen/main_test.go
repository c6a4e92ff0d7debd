package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/prometheus/prometheus/promql/parser"
)

const dashboards = "../../dashboards"

// What is committed is what the generator makes.
func TestGenerated(t *testing.T) {
	want := map[string]bool{}
	for _, b := range boards() {
		text, err := b.JSON()
		if err != nil {
			t.Fatal(err)
		}
		want[b.fileName()] = true
		committed, err := os.ReadFile(filepath.Join(dashboards, b.fileName()))
		if err != nil {
			t.Error(err)
		} else if string(committed) != string(text) {
			t.Errorf("%s is not what the generator makes: run make dashboards", b.fileName())
		}
	}
	files, err := filepath.Glob(filepath.Join(dashboards, "*.json"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if !want[filepath.Base(f)] {
			t.Errorf("%s: the generator does not make it", f)
		}
	}
}

// Every query is PromQL.
func TestParses(t *testing.T) {
	p := parser.NewParser(parser.Options{})
	values := strings.NewReplacer("$__rate_interval", "4m")
	found := 0
	for _, b := range boards() {
		for _, panel := range b.panels {
			for _, q := range panel.queries {
				found++
				if _, err := p.ParseExpr(values.Replace(q.expr)); err != nil {
					t.Errorf("%s, %s: %s: %v", b.uid, panel.title, q.expr, err)
				}
			}
		}
	}
	if found < 100 {
		t.Errorf("only %d queries", found)
	}
}
