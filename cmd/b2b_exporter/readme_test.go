package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/b2bexporter/b2b_exporter/collector"
	"github.com/b2bexporter/b2b_exporter/internal/window"
	"github.com/b2bexporter/b2b_exporter/sources/all"
)

// sourcesTable lists the types of source as the README shows them.
func sourcesTable() string {
	var b strings.Builder
	b.WriteString("| type | reads | polled every |\n|---|---|---|\n")
	for _, s := range all.Types() {
		fmt.Fprintf(&b, "| [`%s`](docs/sources/%s.md) | %s | %s |\n", s.Name, s.Name, s.Help, window.Span{Elapsed: s.Interval})
	}
	return b.String()
}

// collectorsTable lists the collectors as the README shows them.
func collectorsTable() string {
	var b strings.Builder
	b.WriteString("| collector | computes | metrics |\n|---|---|---|\n")
	for _, c := range collector.Collectors() {
		n := 0
		for _, m := range collector.Metrics() {
			if m.Collector == c.Name() {
				n++
			}
		}
		fmt.Fprintf(&b, "| [`%s`](docs/metrics.md#collector-%s) | %s | %d |\n", c.Name(), c.Name(), c.Subject(), n)
	}
	return b.String()
}

// The README's tables are what the code says.
func TestReadmeTables(t *testing.T) {
	path := filepath.Join("..", "..", "README.md")
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	readme := string(data)
	for name, table := range map[string]string{"sources": sourcesTable(), "collectors": collectorsTable()} {
		place := regexp.MustCompile("<!-- " + name + " -->\n\n?(?:\\|.*\n)*\n?")
		if !place.MatchString(readme) {
			t.Fatalf("the README has no place for the table of %s", name)
		}
		readme = place.ReplaceAllLiteralString(readme, "<!-- "+name+" -->\n\n"+table+"\n")
	}
	if *update {
		if err := os.WriteFile(path, []byte(readme), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(strings.Split(readme, "\n"), strings.Split(string(data), "\n")); diff != "" {
		t.Errorf("the tables are not those of the code; run go test ./cmd/b2b_exporter -run TestReadmeTables -update (-want +got):\n%s", diff)
	}
}

// Every type of source has its page.
func TestSourcesAreDocumented(t *testing.T) {
	for _, s := range all.Types() {
		if _, err := os.Stat(filepath.Join("..", "..", "docs", "sources", s.Name+".md")); err != nil {
			t.Errorf("source %s: %v", s.Name, err)
		}
	}
}
