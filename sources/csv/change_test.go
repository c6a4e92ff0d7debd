package csv

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/b2bexporter/b2b_exporter/sources"
	"github.com/b2bexporter/b2b_exporter/sources/internal/rows"
)

func TestFileChangesWhileRead(t *testing.T) {
	later := time.Now().Add(time.Hour)
	changes := map[string]func(path string) error{
		"shrinks": func(path string) error { return os.Truncate(path, 70_000) },
		"grows": func(path string) error {
			f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
			if err != nil {
				return err
			}
			_, err = f.WriteString(line("new"))
			return errors.Join(err, f.Close())
		},
		"is replaced": func(path string) error {
			content, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			if err := os.WriteFile(path+".new", content, 0o600); err != nil {
				return err
			}
			return os.Rename(path+".new", path)
		},
		"is written anew in its old size": func(path string) error {
			f, err := os.OpenFile(path, os.O_WRONLY, 0)
			if err != nil {
				return err
			}
			_, err = f.WriteString("xx")
			return errors.Join(err, f.Close(), os.Chtimes(path, later, later))
		},
		"is removed": os.Remove,
	}
	// IDs that do not compress, so that a file is longer than what is read ahead.
	var text strings.Builder
	text.WriteString(header)
	for i := range 3 * rows.PageRows {
		text.WriteString(line(fmt.Sprintf("%x", sha256.Sum256([]byte{byte(i), byte(i >> 8)}))))
	}
	for name, change := range changes {
		for _, content := range []string{text.String(), zip(t, text.String())} {
			t.Run(fmt.Sprintf("%s, %d bytes", name, len(content)), func(t *testing.T) {
				path := filepath.Join(t.TempDir(), "orders.csv")
				write(t, path, content)
				pages := 0
				err := newSource(t, orderFiles(path)).Fetch(t.Context(), request(""), func(_ context.Context, p sources.Page) error {
					if pages++; p.Sweep {
						t.Error("a torn file is swept")
					}
					return change(path)
				})
				if !errors.Is(err, ErrChanged) || !strings.Contains(err.Error(), path) {
					t.Errorf("error %v, want ErrChanged of %s", err, path)
				}
				if pages != 1 {
					t.Errorf("%d pages, want only the one before the change", pages)
				}
			})
		}
	}
}

func TestFilesChangeAmongEachOther(t *testing.T) {
	tests := map[string]func(dir string) error{
		"a file that was read":   func(dir string) error { return os.Truncate(filepath.Join(dir, "a.csv"), int64(len(header))) },
		"a file is added":        func(dir string) error { return os.WriteFile(filepath.Join(dir, "c.csv"), []byte(header), 0o600) },
		"a file not read so far": func(dir string) error { return os.Remove(filepath.Join(dir, "z.csv")) },
	}
	for name, change := range tests {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			write(t, filepath.Join(dir, "a.csv"), header+lines(1, 10))
			write(t, filepath.Join(dir, "b.csv"), header+lines(11, rows.PageRows+20))
			write(t, filepath.Join(dir, "z.csv"), header+lines(rows.PageRows+21, rows.PageRows+30))
			err := newSource(t, orderFiles(filepath.Join(dir, "*.csv"))).Fetch(t.Context(), request(""),
				func(_ context.Context, p sources.Page) error {
					if p.Sweep {
						t.Error("swept")
					}
					return change(dir)
				})
			if err == nil {
				t.Error("no error")
			}
		})
	}
}

func TestCancellation(t *testing.T) {
	path := filepath.Join(t.TempDir(), "orders.csv")
	write(t, path, header+lines(1, 3*rows.PageRows))
	ctx, cancel := context.WithCancel(t.Context())
	pages := 0
	err := newSource(t, orderFiles(path)).Fetch(ctx, request(""), func(context.Context, sources.Page) error {
		pages++
		cancel()
		return nil
	})
	if !errors.Is(err, context.Canceled) || pages != 1 {
		t.Errorf("error %v after %d pages", err, pages)
	}
}

func TestEmitErrorIsReturned(t *testing.T) {
	path := filepath.Join(t.TempDir(), "orders.csv")
	write(t, path, header+lines(1, 2*rows.PageRows))
	full := errors.New("disk full")
	pages := 0
	err := newSource(t, orderFiles(path)).Fetch(t.Context(), request(""), func(context.Context, sources.Page) error {
		pages++
		return full
	})
	if !errors.Is(err, full) || pages != 1 {
		t.Errorf("error %v after %d pages", err, pages)
	}
}
