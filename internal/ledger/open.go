// Package ledger keeps what the sources delivered, the latest version of each
// record, in one SQLite file, and what is derived from it per customer. Records
// and the cursor that follows them are committed together; a record that is
// unchanged writes nothing; the derived state is kept up to date for what a
// commit touched and can be rebuilt from the records at any time.
package ledger

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/b2bexporter/b2b_exporter/internal/record"
	"github.com/b2bexporter/b2b_exporter/internal/window"
)

// Errors that callers tell apart.
var (
	// ErrLocked: another process has the ledger open for writing.
	ErrLocked = errors.New("ledger is locked")
	// ErrForeign: the file is not a ledger, or is damaged. It has not been touched.
	ErrForeign = errors.New("not a usable ledger")
	// ErrStale: the derived state does not fit the settings and cannot be rebuilt by a reader.
	ErrStale = errors.New("ledger must be rebuilt")
	// ErrFull: the disk is full. The ledger is as it was before the commit.
	ErrFull = errors.New("no space left for the ledger")
)

// Options say which ledger to open and how.
type Options struct {
	Path string
	// KeyFile holds the key of the hashes; where empty the key lives in the ledger.
	KeyFile  string
	Settings Settings
	// ReadOnly opens beside a writing process: nothing is written, migrated or rebuilt.
	ReadOnly bool
}

// Ledger is an open ledger: one writer, many readers. Its methods are safe for
// concurrent use.
type Ledger struct {
	path     string
	settings Settings
	calendar *window.Calendar
	codec    *record.Codec
	sealKey  []byte // of the hashes
	lock     *os.File
	readers  *sql.DB

	mu    sync.Mutex // guards everything below
	db    *sql.DB
	write *writer
	dict  dictionary
	feed  Feed
	rates int64 // counts the commits that changed rates
}

// Feed is told what each commit changed in the units that KPIs are computed from. It
// is called after the commit, in order, and must not call the ledger.
type Feed interface {
	// Watching reports whether the feed wants to hear of changes: not while it is going to
	// read everything anew anyway.
	Watching() bool
	// Apply hands over the units as they were and as they are.
	Apply(before, after []Unit)
	// Reset says that everything may have changed.
	Reset()
}

// Unit is what KPIs are computed from by itself: a customer with the histories of
// all records that are this customer, or (ID < 0) a chunk of events that belong
// to no customer.
type Unit struct {
	ID        int64
	Histories [][]byte
}

// Open opens the ledger at o.Path, and creates it where there is none. It takes the
// lock, refuses a file that is no ledger without touching it, migrates, and
// leaves the derived state alone: see Stale and Rebuild.
func Open(ctx context.Context, o Options) (_ *Ledger, err error) {
	l := &Ledger{path: o.Path, settings: o.Settings, calendar: window.New(o.Settings.Zone)}
	if l.codec, err = record.NewCodec(); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("open ledger %s: %w", o.Path, diskError(err)), l.Close())
		}
	}()
	if !o.ReadOnly {
		if err := os.MkdirAll(filepath.Dir(o.Path), 0o700); err != nil {
			return nil, err
		}
		if l.lock, err = lockFile(o.Path + ".lock"); err != nil {
			return nil, err
		}
	}
	empty, err := inspect(ctx, o.Path)
	switch {
	case err != nil:
		return nil, err
	case empty && o.ReadOnly:
		return nil, fmt.Errorf("%w; run \"b2b_exporter sync\" first", fs.ErrNotExist)
	case empty:
		if err := create(ctx, o.Path); err != nil {
			return nil, err
		}
	}
	if l.readers, err = openDB(o.Path, true); err != nil {
		return nil, err
	}
	l.db = l.readers
	if !o.ReadOnly {
		if l.db, err = openDB(o.Path, false); err != nil {
			return nil, err
		}
		l.db.SetMaxOpenConns(1)
		if err := migrate(ctx, l.db); err != nil {
			return nil, err
		}
	}
	if l.sealKey, err = l.key(ctx, o); err != nil {
		return nil, err
	}
	if l.dict, err = loadDictionary(ctx, l.readers); err != nil {
		return nil, err
	}
	if !o.ReadOnly {
		if l.write, err = newWriter(ctx, l); err != nil {
			return nil, err
		}
	}
	return l, nil
}

// Close releases the ledger and its lock.
func (l *Ledger) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	var errs []error
	if l.write != nil {
		errs = append(errs, l.write.close())
	}
	// The last connection to close empties the write-ahead log into the file, which a reader
	// cannot do.
	if l.readers != nil {
		errs = append(errs, l.readers.Close())
	}
	if l.db != nil {
		errs = append(errs, l.db.Close())
	}
	if l.lock != nil {
		errs = append(errs, l.lock.Close())
	}
	l.write, l.lock = nil, nil
	return errors.Join(errs...)
}

// SetFeed makes f hear of every commit from now on; nil for none.
func (l *Ledger) SetFeed(f Feed) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.feed = f
}

// key returns the key of the hashes. A ledger remembers a hash of it, so that another
// key file cannot silently turn every customer into a stranger.
func (l *Ledger) key(ctx context.Context, o Options) ([]byte, error) {
	var key []byte
	var err error
	other := errors.New("this ledger was written with a ledger.key_file; configure it again")
	if o.KeyFile != "" {
		key, err = readKey(o.KeyFile)
		other = fmt.Errorf("ledger.key_file %s is not the key that this ledger was written with; restore that key, or start a new ledger", o.KeyFile)
	} else {
		key, err = l.ownKey(ctx, o.ReadOnly)
	}
	if err != nil {
		return nil, err
	}
	probe := record.NewSealer(key).DomainHash("key check")
	stored, err := l.metaOrSet(ctx, "key_check", probe[:], o.ReadOnly)
	if err != nil {
		return nil, err
	}
	if string(stored) != string(probe[:]) {
		return nil, other
	}
	return key, nil
}

func readKey(path string) ([]byte, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read ledger.key_file: %w", err)
	}
	key := []byte(strings.TrimSpace(string(text)))
	if len(key) < 16 {
		return nil, fmt.Errorf("ledger.key_file %s holds %d bytes; give it at least 16", path, len(key))
	}
	return key, nil
}

// ownKey returns the key that lives in the ledger, and makes it where the ledger has
// been written with none; nil where it has been written with a key file.
func (l *Ledger) ownKey(ctx context.Context, readOnly bool) ([]byte, error) {
	check, err := meta(ctx, l.db, "key_check")
	if err != nil {
		return nil, err
	}
	if check != nil {
		return meta(ctx, l.db, "key")
	}
	fresh := make([]byte, 32)
	if _, err := rand.Read(fresh); err != nil {
		return nil, err
	}
	return l.metaOrSet(ctx, "key", fresh, readOnly)
}

// metaOrSet returns the value stored under name, and stores value where there is none.
func (l *Ledger) metaOrSet(ctx context.Context, name string, value []byte, readOnly bool) ([]byte, error) {
	stored, err := meta(ctx, l.db, name)
	if err != nil || stored != nil || readOnly {
		return stored, err
	}
	return value, setMeta(ctx, l.db, name, value)
}

type querier interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
}

// meta returns a stored value; nil where there is none.
func meta(ctx context.Context, q querier, name string) ([]byte, error) {
	var value []byte
	err := q.QueryRowContext(ctx, "SELECT value FROM meta WHERE name = ?", name).Scan(&value)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	return value, err
}

func setMeta(ctx context.Context, q querier, name string, value []byte) error {
	_, err := q.ExecContext(ctx, "INSERT OR REPLACE INTO meta VALUES (?, ?)", name, value)
	return err
}
