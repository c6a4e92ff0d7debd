package ledger_test

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/b2bexporter/b2b_exporter/internal/ledger"
	"github.com/b2bexporter/b2b_exporter/internal/record"
)

func TestLock(t *testing.T) {
	path := newPath(t)
	l := openReady(t, path)
	_, err := tryOpen(t.Context(), path)
	if !errors.Is(err, ledger.ErrLocked) {
		t.Fatalf("a second writer: %v, want ErrLocked", err)
	}
	for _, part := range []string{path, fmt.Sprintf("process %d ", os.Getpid()), "ledger.path"} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("the message %q does not say %q", err, part)
		}
	}
	put(t, l, "shop", order("1", "a", 1)) // the refused one has taken nothing away
	closeLedger(t, l)
	wantPartition(t, openReady(t, path), "1")
}

func TestReaderBesideAWriter(t *testing.T) {
	path := newPath(t)
	if _, err := tryOpen(t.Context(), path, readOnly); !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), "sync") {
		t.Errorf("a reader of no ledger: %v", err)
	}
	l := openReady(t, path)
	reader := openReady(t, path, readOnly)
	for n := range 3 {
		// Each commit adds texts that the reader has not seen yet.
		o := order(fmt.Sprint(n), fmt.Sprint(n), n)
		o.Country = fmt.Sprint("country ", n)
		put(t, l, fmt.Sprint("shop ", n), o)
		if diff := cmp.Diff(look(t.Context(), t, l), look(t.Context(), t, reader)); diff != "" {
			t.Errorf("after commit %d (-writer +reader):\n%s", n, diff)
		}
	}
	if a, b := l.Sealer().DomainHash("x"), reader.Sealer().DomainHash("x"); a != b {
		t.Error("the reader has another key")
	}
	if err := reader.Rebuild(t.Context(), nil); !errors.Is(err, ledger.ErrStale) {
		t.Errorf("a reader rebuilds: %v", err)
	}
	other := settings(func(s *ledger.Settings) { s.CountPaid = true })
	stale, err := tryOpen(t.Context(), path, readOnly, other)
	if err != nil {
		t.Fatal(err)
	}
	defer closeLedger(t, stale)
	if err := stale.Ready(t.Context(), nil); !errors.Is(err, ledger.ErrStale) || !strings.Contains(err.Error(), "sync") {
		t.Errorf("a reader with other settings gets ready: %v", err)
	}
}

// sqliteFile makes a SQLite file by statements.
func sqliteFile(t testing.TB, path string, statements ...string) {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+path)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range statements {
		if _, err := db.ExecContext(t.Context(), s); err != nil {
			t.Fatal(err)
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}

// filledLedger makes a ledger of some pages.
func filledLedger(t testing.TB, path string) {
	t.Helper()
	l := openReady(t, path)
	s := begin(t.Context(), t, l, "shop", false)
	for n := range 30 {
		commitBatch(t.Context(), t, s, page(n))
	}
	closeLedger(t, l)
}

func edit(t testing.TB, path string, change func([]byte) []byte) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, change(b), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestForeignFilesAreRefused(t *testing.T) {
	for _, test := range []struct {
		name, says string
		make       func(t testing.TB, path string)
	}{
		{"text", "no SQLite file", func(t testing.TB, path string) {
			if err := os.WriteFile(path, bytes.Repeat([]byte("Dear diary\n"), 500), 0o600); err != nil {
				t.Fatal(err)
			}
		}},
		{"short text", "no SQLite file", func(t testing.TB, path string) {
			if err := os.WriteFile(path, []byte("x"), 0o600); err != nil {
				t.Fatal(err)
			}
		}},
		{"another program's", "another program", func(t testing.TB, path string) {
			sqliteFile(t, path, "CREATE TABLE meta (name, value)", "INSERT INTO meta VALUES (1, 2)")
		}},
		{"another program's with a log", "another program", func(t testing.TB, path string) {
			sqliteFile(t, path, "PRAGMA journal_mode(WAL)", "PRAGMA application_id = 7", "CREATE TABLE record (rid)")
		}},
		{"truncated", "damaged", func(t testing.TB, path string) {
			filledLedger(t, path)
			edit(t, path, func(b []byte) []byte { return b[:len(b)/2] })
		}},
		{"header only", "damaged", func(t testing.TB, path string) {
			filledLedger(t, path)
			edit(t, path, func(b []byte) []byte { return b[:100] })
		}},
		{"a page of zeros", "damaged", func(t testing.TB, path string) {
			filledLedger(t, path)
			edit(t, path, func(b []byte) []byte { clear(b[8192:12288]); return b })
		}},
		{"garbage", "damaged", func(t testing.TB, path string) {
			filledLedger(t, path)
			edit(t, path, func(b []byte) []byte {
				for i := len(b) / 3; i < len(b)/3*2; i++ {
					b[i] = byte(i*7 + i>>8)
				}
				return b
			})
		}},
		{"newer", "newer version", func(t testing.TB, path string) {
			filledLedger(t, path)
			sqliteFile(t, path, "PRAGMA user_version = 9999")
		}},
		{"newer without a log", "newer version", func(t testing.TB, path string) {
			filledLedger(t, path)
			sqliteFile(t, path, "PRAGMA journal_mode(DELETE)", "PRAGMA user_version = 9999")
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			path := newPath(t)
			test.make(t, path)
			before, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			for name, options := range map[string][]option{"writer": nil, "reader": {readOnly}} {
				l, err := tryOpen(t.Context(), path, options...)
				if err == nil {
					closeLedger(t, l)
				}
				if !errors.Is(err, ledger.ErrForeign) || !strings.Contains(err.Error(), test.says) || !strings.Contains(err.Error(), path) {
					t.Errorf("%s: %v; want ErrForeign that says %q", name, err, test.says)
				}
			}
			after, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(before, after) {
				t.Error("the file has been changed")
			}
			beside, err := filepath.Glob(path + "?*")
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff([]string{path + ".lock"}, beside); diff != "" {
				t.Errorf("files beside it (-want +got):\n%s", diff)
			}
		})
	}
}

func TestOpenOfNoFile(t *testing.T) {
	dir := t.TempDir()
	if _, err := tryOpen(t.Context(), dir); !errors.Is(err, ledger.ErrForeign) || !strings.Contains(err.Error(), "directory") {
		t.Errorf("a directory: %v", err)
	}
	text := filepath.Join(dir, "text")
	if err := os.WriteFile(text, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := tryOpen(t.Context(), filepath.Join(text, "test.db")); err == nil {
		t.Error("opened a ledger below a file")
	}
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	path := filepath.Join(dir, "a?b%20#", "test.db") // characters that mean something in a URI
	if _, err := tryOpen(cancelled, path); !errors.Is(err, context.Canceled) {
		t.Errorf("with a cancelled context: %v", err)
	}
	l := openReady(t, path)
	put(t, l, "shop", order("1", "a", 1))
	if _, err := os.Stat(path); err != nil {
		t.Error(err)
	}
	closeLedger(t, l)
	if l, err := tryOpen(cancelled, path); err == nil {
		closeLedger(t, l)
		t.Error("opened with a cancelled context")
	} else if errors.Is(err, ledger.ErrForeign) {
		t.Errorf("a cancelled context is taken for damage: %v", err)
	}
	wantPartition(t, openReady(t, path), "1")
}

// An empty file is taken for a new ledger, and what a crash or a deleted ledger has left
// beside it is not taken for its content.
func TestOpenOfAnEmptyFile(t *testing.T) {
	path := newPath(t)
	l := openReady(t, path)
	put(t, l, "shop", order("1", "a", 1))
	log, err := os.ReadFile(path + "-wal")
	if err != nil {
		t.Fatal(err)
	}
	closeLedger(t, l)
	for suffix, content := range map[string][]byte{"": nil, "-wal": log, ".new": []byte("x"), ".new-wal": log} {
		if err := os.WriteFile(path+suffix, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := tryOpen(t.Context(), path, readOnly); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a reader of an empty file: %v", err)
	}
	l = openReady(t, path)
	wantPartition(t, l)
	put(t, l, "shop", order("2", "a", 2))
	closeLedger(t, l)
	wantPartition(t, openReady(t, path), "2")
	if left, err := filepath.Glob(path + ".new*"); err != nil || left != nil {
		t.Errorf("left beside the ledger: %v, %v", left, err)
	}
}

// A copy of the files at any moment, as a crash leaves them, is a ledger.
func TestOpenAfterACrash(t *testing.T) {
	path := newPath(t)
	l := openReady(t, path)
	s := begin(t.Context(), t, l, "shop", false)
	for n := range 3 {
		commitBatch(t.Context(), t, s, page(n))
		copied := newPath(t)
		for _, suffix := range []string{"", "-wal"} {
			b, err := os.ReadFile(path + suffix)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(copied+suffix, b, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		crashed := openReady(t, copied)
		if diff := cmp.Diff(look(t.Context(), t, l), look(t.Context(), t, crashed)); diff != "" {
			t.Errorf("after page %d (-ledger +copy):\n%s", n, diff)
		}
		if got := begin(t.Context(), t, crashed, "shop", false).Cursor; got != s.Cursor {
			t.Errorf("the copy's cursor is %q, want %q", got, s.Cursor)
		}
	}
}

func TestKeyFile(t *testing.T) {
	dir := t.TempDir()
	write := func(name, content string) string {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	good, same := write("good", "0123456789abcdef"), write("same", "\n 0123456789abcdef \n")
	other, short := write("other", "fedcba9876543210"), write("short", "0123456789abcde ")
	with, without := filepath.Join(dir, "with.db"), filepath.Join(dir, "without.db")

	l := openReady(t, with, keyFile(good))
	put(t, l, "shop", order("1", "a", 1))
	if got, want := l.Sealer().DomainHash("x"), record.NewSealer([]byte("0123456789abcdef")).DomainHash("x"); got != want {
		t.Error("the key is not what the file holds")
	}
	closeLedger(t, l)
	closeLedger(t, openReady(t, without))

	for _, test := range []struct {
		name, ledger, key, says string
	}{
		{"another key", with, other, "is not the key"},
		{"no key file any more", with, "", "configure it again"},
		{"a key file for a ledger with its own", without, good, "is not the key"},
		{"a short key", with, short, "at least 16"},
		{"no such file", with, filepath.Join(dir, "none"), "ledger.key_file"},
	} {
		for name, options := range map[string][]option{"writer": {keyFile(test.key)}, "reader": {keyFile(test.key), readOnly}} {
			before := files(t, test.ledger)
			l, err := tryOpen(t.Context(), test.ledger, options...)
			if err == nil {
				closeLedger(t, l)
			}
			if err == nil || !strings.Contains(err.Error(), test.says) || errors.Is(err, ledger.ErrForeign) {
				t.Errorf("%s, %s: %v; want an error that says %q", test.name, name, err, test.says)
			}
			if err != nil && (strings.Contains(err.Error(), "012345") || strings.Contains(err.Error(), "fedcba")) {
				t.Errorf("%s: the message holds the key: %v", test.name, err)
			}
			if !bytes.Equal(before, files(t, test.ledger)) {
				t.Errorf("%s, %s: the ledger has been written to", test.name, name)
			}
		}
	}
	// A key file may be rewritten with other white space.
	wantPartition(t, openReady(t, with, keyFile(same)), "1")
	// Two ledgers of their own have keys of their own.
	a, b := openReady(t, without), openReady(t, newPath(t))
	if a.Sealer().DomainHash("x") == b.Sealer().DomainHash("x") {
		t.Error("two ledgers have the same key")
	}
}

func TestPlainTextIsNotStored(t *testing.T) {
	path := newPath(t)
	l := openReady(t, path)
	secret := "secret@secret-company.example"
	keys := record.Keys{Email: secret, Domain: "secret-domain.example", ExternalIDs: []string{"crm:" + secret}}
	put(t, l, "shop", customer(secret, 1, keys), order("1", secret, 1), lead(secret, 1, keys),
		&record.Account{Meta: meta(secret), Keys: keys, Parent: record.RefTo(secret)},
		&record.Deal{Meta: meta("1"), Lead: secret, Account: record.RefTo(secret)},
		&record.Refund{Meta: meta("1"), Customer: record.RefTo(secret)},
		&record.Checkout{Meta: meta("1"), Customer: record.RefTo(secret)},
		&record.Quote{Meta: meta("1"), Customer: record.RefTo(secret)},
		&record.Subscription{Meta: meta("1"), Customer: record.RefTo(secret)})
	if bytes.Contains(files(t, path), []byte("secret")) {
		t.Error("the write-ahead log holds an address, domain or ID in plain text")
	}
	closeLedger(t, l)
	if bytes.Contains(files(t, path), []byte("secret")) {
		t.Error("the ledger holds an address, domain or ID in plain text")
	}
}

// TestPermissions: the ledger holds the key of its hashes.
func TestPermissions(t *testing.T) {
	path := newPath(t)
	l, err := tryOpen(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if err := l.Ready(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	for _, suffix := range []string{"", "-wal", ".lock"} {
		info, err := os.Stat(path + suffix)
		if err != nil {
			t.Fatal(err)
		}
		if mode := info.Mode().Perm(); mode != 0o600 {
			t.Errorf("%s has permissions %o, want 600", path+suffix, mode)
		}
	}
}
