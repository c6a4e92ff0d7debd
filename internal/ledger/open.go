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
	"embed"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"

	"modernc.org/sqlite" // the driver registers itself as "sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/b2bexporter/b2b_exporter/internal/ledger/history"
	"github.com/b2bexporter/b2b_exporter/internal/record"
	"github.com/b2bexporter/b2b_exporter/internal/window"
)

//go:embed migrations/*.sql
var migrations embed.FS

// applicationID marks a SQLite file as a ledger (the bytes "b2bL").
const applicationID = 0x6232624c

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
	lock     *os.File
	readers  *sql.DB

	mu     sync.Mutex // guards everything below
	db     *sql.DB
	write  *writer
	sealer *record.Sealer
	dict   dictionary
	feed   Feed
	rates  int64 // counts the commits that changed rates
}

// Feed is told what each commit changed in the units that KPIs are computed from. It
// is called after the commit, in order, and must not call the ledger.
type Feed interface {
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
	key, err := l.key(ctx, o)
	if err != nil {
		return nil, err
	}
	l.sealer = record.NewSealer(key)
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
	if l.db != nil && l.db != l.readers {
		errs = append(errs, l.db.Close())
	}
	if l.readers != nil {
		errs = append(errs, l.readers.Close())
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

// lockFile takes an advisory lock, which ends with the process however that ends.
func lockFile(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		holder, _ := io.ReadAll(io.LimitReader(f, 32))
		closeErr := f.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, errors.Join(fmt.Errorf("%w: process %s has it open; stop that process or give this one its own ledger.path",
				ErrLocked, strings.TrimSpace(string(holder))), closeErr)
		}
		return nil, errors.Join(fmt.Errorf("lock %s: %w", path, err), closeErr)
	}
	pid := fmt.Sprintf("%-10d\n", os.Getpid())
	if _, err := f.WriteAt([]byte(pid), 0); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

func openDB(path string, readOnly bool) (*sql.DB, error) {
	q := url.Values{}
	q.Add("_pragma", "busy_timeout(10000)")
	if readOnly {
		q.Set("mode", "ro")
		q.Add("_pragma", "cache_size(-4096)")
	} else {
		q.Add("_pragma", "journal_mode(WAL)")
		q.Add("_pragma", "synchronous(NORMAL)")
		q.Add("_pragma", "cache_size(-24576)")
		q.Add("_pragma", "wal_autocheckpoint(4000)")
		q.Add("_pragma", "journal_size_limit(67108864)")
	}
	q.Add("_pragma", "temp_store(MEMORY)")
	return sql.Open("sqlite", "file:"+(&url.URL{Path: path}).EscapedPath()+"?"+q.Encode())
}

// quickCheckLimit is the size up to which a whole ledger is checked when it is
// opened; in larger ones damage shows when the damaged page is read.
const quickCheckLimit = 32 << 20

// inspect refuses a file that is not an intact ledger, without writing to it. Empty
// says that there is no file, or nothing in it.
func inspect(ctx context.Context, path string) (empty bool, err error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return true, nil
	}
	if err != nil {
		return false, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return false, err
	}
	if info.IsDir() {
		return false, fmt.Errorf("%w: it is a directory; set ledger.path to a file", ErrForeign)
	}
	if info.Size() == 0 {
		return true, nil
	}
	return false, inspectContent(ctx, path, f, info.Size())
}

func inspectContent(ctx context.Context, path string, f io.Reader, size int64) error {
	header := make([]byte, 100)
	if _, err := io.ReadFull(f, header); err != nil || string(header[:16]) != "SQLite format 3\x00" {
		return fmt.Errorf("%w: it is no SQLite file and has been left untouched; set ledger.path to another file", ErrForeign)
	}
	// The application_id stands at offset 68 of a SQLite file's header.
	if id := binary.BigEndian.Uint32(header[68:]); id != applicationID {
		return fmt.Errorf("%w: it is another program's SQLite file and has been left untouched; set ledger.path to another file", ErrForeign)
	}
	// A newer one is refused here, before it is opened for writing.
	if err := checkVersion(int(binary.BigEndian.Uint32(header[60:]))); err != nil {
		return err
	}
	query := "?mode=ro"
	if _, err := os.Stat(path + "-wal"); errors.Is(err, fs.ErrNotExist) {
		query += "&immutable=1"
		pageSize := int64(binary.BigEndian.Uint16(header[16:]))
		if pageSize == 1 {
			pageSize = 65536
		}
		if want := pageSize * int64(binary.BigEndian.Uint32(header[28:])); want > size {
			return damaged(fmt.Sprintf("it should have %d bytes and has %d", want, size))
		}
	}
	db, err := sql.Open("sqlite", "file:"+(&url.URL{Path: path}).EscapedPath()+query)
	if err != nil {
		return err
	}
	defer db.Close()
	check := "PRAGMA integrity_check('meta')"
	if size <= quickCheckLimit {
		check = "PRAGMA quick_check(1)"
	}
	var verdict string
	if err := db.QueryRowContext(ctx, check).Scan(&verdict); err != nil {
		return damaged(err.Error())
	}
	if verdict != "ok" {
		return damaged(verdict)
	}
	return nil
}

func damaged(how string) error {
	return fmt.Errorf("%w: it is damaged (%s) and has been left untouched; restore a backup, or move it away and read everything again with \"b2b_exporter sync\"",
		ErrForeign, how)
}

// create makes an empty ledger at path, where it appears complete: of one that is made
// in place the mark stands only in the write-ahead log at first, so that after a crash,
// or to a reader beside it, it would look like another program's.
func create(ctx context.Context, path string) error {
	fresh := path + ".new"
	remove := func() error {
		var errs []error
		for _, suffix := range []string{"", "-journal", "-wal", "-shm"} {
			if err := os.Remove(fresh + suffix); !errors.Is(err, fs.ErrNotExist) {
				errs = append(errs, err)
			}
		}
		return errors.Join(errs...)
	}
	if err := remove(); err != nil { // what a crash has left
		return err
	}
	db, err := openDB(fresh, false)
	if err != nil {
		return err
	}
	err = migrate(ctx, db)
	if err == nil {
		_, err = db.ExecContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)")
	}
	if err = errors.Join(err, db.Close()); err == nil {
		err = os.Rename(fresh, path)
	}
	if err != nil {
		return errors.Join(err, remove())
	}
	return nil
}

// migrationNames returns the migrations in their order: the n-th makes schema n.
func migrationNames() ([]string, error) { return fs.Glob(migrations, "migrations/*.sql") }

func checkVersion(version int) error {
	names, err := migrationNames()
	if err != nil {
		return err
	}
	if version > len(names) {
		return fmt.Errorf("%w: it was written by a newer version of b2b_exporter (schema %d, this one knows %d); upgrade, or use another file",
			ErrForeign, version, len(names))
	}
	return nil
}

func migrate(ctx context.Context, db *sql.DB) error {
	names, err := migrationNames()
	if err != nil {
		return err
	}
	var version int
	if err := db.QueryRowContext(ctx, "PRAGMA user_version").Scan(&version); err != nil {
		return err
	}
	if err := checkVersion(version); err != nil {
		return err
	}
	for i := version; i < len(names); i++ {
		script, err := migrations.ReadFile(names[i])
		if err != nil {
			return err
		}
		if err := inTx(ctx, db, func(tx *sql.Tx) error {
			// PRAGMA takes no parameters.
			_, err := tx.ExecContext(ctx, fmt.Sprintf("%s; PRAGMA application_id = %d; PRAGMA user_version = %d", script, applicationID, i+1))
			return err
		}); err != nil {
			return fmt.Errorf("migrate with %s: %w", names[i], err)
		}
	}
	return nil
}

func inTx(ctx context.Context, db *sql.DB, f func(*sql.Tx) error) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	if err := f(tx); err != nil {
		return errors.Join(err, tx.Rollback())
	}
	return tx.Commit()
}

// key returns the key of the hashes. A ledger remembers a hash of it, so that another
// key file cannot silently turn every customer into a stranger.
func (l *Ledger) key(ctx context.Context, o Options) ([]byte, error) {
	if o.KeyFile != "" {
		text, err := os.ReadFile(o.KeyFile)
		if err != nil {
			return nil, fmt.Errorf("read ledger.key_file: %w", err)
		}
		key := []byte(strings.TrimSpace(string(text)))
		if len(key) < 16 {
			return nil, fmt.Errorf("ledger.key_file %s holds %d bytes; give it at least 16", o.KeyFile, len(key))
		}
		probe := record.NewSealer(key).DomainHash("key check")
		stored, err := l.metaOrSet(ctx, "key_check", probe[:], o.ReadOnly)
		if err != nil {
			return nil, err
		}
		if string(stored) != string(probe[:]) {
			return nil, fmt.Errorf("ledger.key_file %s is not the key that this ledger was written with; restore that key, or start a new ledger", o.KeyFile)
		}
		return key, nil
	}
	fresh := make([]byte, 32)
	if _, err := rand.Read(fresh); err != nil {
		return nil, err
	}
	key, err := l.metaOrSet(ctx, "key", fresh, o.ReadOnly)
	if err != nil {
		return nil, err
	}
	probe := record.NewSealer(key).DomainHash("key check")
	stored, err := l.metaOrSet(ctx, "key_check", probe[:], o.ReadOnly)
	if err != nil {
		return nil, err
	}
	if string(stored) != string(probe[:]) {
		return nil, errors.New("this ledger was written with a ledger.key_file; configure it again")
	}
	return key, nil
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

// diskError gives a full disk its own error.
func diskError(err error) error {
	var e *sqlite.Error
	if errors.As(err, &e) && e.Code()&0xff == sqlite3.SQLITE_FULL || errors.Is(err, syscall.ENOSPC) {
		return fmt.Errorf("%w: free some, and the next poll goes on where this one began: %w", ErrFull, err)
	}
	return err
}

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
