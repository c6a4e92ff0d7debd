package ledger

import (
	"context"
	"database/sql"
	"embed"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"strings"
	"syscall"

	"modernc.org/sqlite" // the driver registers itself as "sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

//go:embed migrations/*.sql
var migrations embed.FS

// applicationID marks a SQLite file as a ledger (the bytes "b2bL").
const applicationID = 0x6232624c

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
	query := "?mode=ro&_pragma=busy_timeout(10000)"
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
	if err := db.QueryRowContext(ctx, check).Scan(&verdict); isDamage(err) {
		return damaged(err.Error())
	} else if err != nil {
		return fmt.Errorf("check the ledger: %w", err)
	}
	if verdict != "ok" {
		return damaged(verdict)
	}
	return nil
}

// isDamage tells what a file's content makes SQLite say from a full disk or a
// cancelled context.
func isDamage(err error) bool {
	var e *sqlite.Error
	if !errors.As(err, &e) {
		return false
	}
	code := e.Code()
	return code&0xff == sqlite3.SQLITE_CORRUPT || code&0xff == sqlite3.SQLITE_NOTADB || code == sqlite3.SQLITE_IOERR_SHORT_READ
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
	// What a crash has left, and the log of a ledger that is gone: it would be taken for
	// the new one's.
	if err := errors.Join(remove(fresh), removeLogs(fresh), removeLogs(path)); err != nil {
		return err
	}
	// The ledger holds the key of its hashes. SQLite gives its logs the same permissions.
	f, err := os.OpenFile(fresh, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	if err := f.Close(); err != nil {
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
		return errors.Join(err, remove(fresh), removeLogs(fresh))
	}
	return nil
}

func removeLogs(path string) error {
	return errors.Join(remove(path+"-journal"), remove(path+"-wal"), remove(path+"-shm"))
}

func remove(path string) error {
	if err := os.Remove(path); !errors.Is(err, fs.ErrNotExist) {
		return err
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

// diskError gives a full disk its own error.
func diskError(err error) error {
	var e *sqlite.Error
	// SQLite has a code of its own for the file that processes share beside the log.
	if errors.As(err, &e) && (e.Code()&0xff == sqlite3.SQLITE_FULL || e.Code() == sqlite3.SQLITE_IOERR_SHMSIZE) || errors.Is(err, syscall.ENOSPC) {
		return fmt.Errorf("%w: free some, and the next poll goes on where this one began: %w", ErrFull, err)
	}
	return err
}
