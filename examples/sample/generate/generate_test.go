package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

// The files are what the generator makes: who reads it knows what is in them.
func TestFilesAreGenerated(t *testing.T) {
	dir := t.TempDir()
	if err := generate(dir); err != nil {
		t.Fatal(err)
	}
	generated, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil {
		t.Fatal(err)
	}
	kept, err := filepath.Glob("../data/*")
	if err != nil {
		t.Fatal(err)
	}
	if len(generated) == 0 || len(generated) != len(kept) {
		t.Errorf("%d files are generated, and %d are kept", len(generated), len(kept))
	}
	size := 0
	for _, path := range generated {
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(filepath.Join("../data", filepath.Base(path)))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("data/%s is not what the generator writes; run: go run ./examples/sample/generate", filepath.Base(path))
		}
		size += len(got)
	}
	if limit := 300_000; size > limit {
		t.Errorf("the files have %d bytes together, more than the %d that an example may have", size, limit)
	}
}

func TestGenerateNeedsADirectory(t *testing.T) {
	if err := generate(filepath.Join(t.TempDir(), "none")); err == nil {
		t.Error("files were written into a directory that is not there")
	}
}
