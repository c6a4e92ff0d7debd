// Command dashgen writes the Grafana dashboards of b2b_exporter: dashgen DIRECTORY.
package main

import (
	"fmt"
	"os"
	"path/filepath"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "dashgen: want one argument, the directory that the dashboards are written to")
		os.Exit(2)
	}
	if err := write(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "dashgen:", err)
		os.Exit(1)
	}
}

// boards returns all dashboards.
func boards() []board {
	return []board{overview(), orders(), customers(), recurring(), acquisition(), funnel(), web(), ads(), exporter()}
}

// fileName returns the name of a dashboard's file.
func (b board) fileName() string { return b.uid + ".json" }

func write(dir string) error {
	for _, b := range boards() {
		text, err := b.JSON()
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(dir, b.fileName()), text, 0o644); err != nil {
			return fmt.Errorf("write dashboard %s: %w", b.uid, err)
		}
	}
	return nil
}
