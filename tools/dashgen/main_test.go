package main

import (
	"os"
	"path/filepath"
	"testing"
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
