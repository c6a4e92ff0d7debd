package csv

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// ErrChanged says that a file changed while it was read.
var ErrChanged = errors.New("changed while being read; will be read again at the next poll (write to another name and rename, so that no half is seen)")

// file is a file as it was when it was listed, or what was read of a URL.
type file struct {
	path string      // or the URL without its query
	info fs.FileInfo // nil for a URL

	digest string // of what the URL holds
	body   []byte // nil where it was not read again
}

func (f file) size() int64 {
	if f.info == nil {
		return int64(len(f.body))
	}
	return f.info.Size()
}

// entry is an entry of the configuration.
type entry struct {
	File
	download *download // nil for files at a path
}

// listing is the files of one entry of the configuration, by path.
type listing struct {
	entry entry
	files []file
}

// list finds the files of entries, and reads those at URLs that have changed. An entry
// without a file is an error: a mistyped path or a missing volume must not look like an
// empty company.
func list(ctx context.Context, entries []entry) ([]listing, error) {
	found := make([]listing, 0, len(entries))
	for _, e := range entries {
		l := listing{entry: e}
		var err error
		if e.download == nil {
			l.files, err = glob(e.Path)
		} else {
			var f file
			f, err = e.download.fetch(ctx, false)
			l.files = []file{f}
		}
		if err != nil {
			return nil, err
		}
		found = append(found, l)
	}
	return found, nil
}

// relist finds the files at paths once more.
func relist(before []listing) ([]listing, error) {
	found := slices.Clone(before)
	for i, l := range found {
		if l.entry.download != nil {
			continue
		}
		files, err := glob(l.entry.Path)
		if err != nil {
			return nil, err
		}
		found[i].files = files
	}
	return found, nil
}

func glob(pattern string) ([]file, error) {
	paths, err := filepath.Glob(pattern)
	if err != nil {
		return nil, fmt.Errorf("list %s: %w", pattern, err)
	}
	if len(paths) == 0 {
		return nil, fmt.Errorf("no file matches %s: check the path and that its volume is mounted and readable", pattern)
	}
	slices.Sort(paths)
	files := make([]file, 0, len(paths))
	for _, path := range paths {
		info, err := os.Stat(path)
		if err != nil {
			return nil, fmt.Errorf("list files: %w", err)
		}
		// Opening a pipe would block.
		if !info.Mode().IsRegular() {
			return nil, fmt.Errorf("%s is not a regular file: make the pattern %s narrower", path, pattern)
		}
		files = append(files, file{path: path, info: info})
	}
	return files, nil
}

// same reports whether a and b are the same file with the same content, as far as
// that can be told without reading it.
func same(a, b fs.FileInfo) bool {
	return os.SameFile(a, b) && a.Size() == b.Size() && a.ModTime().Equal(b.ModTime())
}

// fingerprint identifies the files and how they are read. Its first part is changed
// when equal files are to be read anew by a new version.
func fingerprint(found []listing, zone *time.Location) (string, error) {
	h := sha256.New()
	fmt.Fprintln(h, "csv 1")
	for _, l := range found {
		entry, zone := l.entry.File, zone
		if entry.Timezone != nil {
			zone = entry.Timezone
		}
		entry.Timezone = nil // marshalled it would not tell zones apart
		settings, err := json.Marshal(entry)
		if err != nil {
			return "", fmt.Errorf("identify the settings of %s: %w", entry.name(), err)
		}
		fmt.Fprintf(h, "%s %q\n", settings, zone)
		for _, f := range l.files {
			if f.info == nil {
				fmt.Fprintf(h, "%q %s\n", f.path, f.digest)
				continue
			}
			fmt.Fprintf(h, "%q %d %d %d\n", f.path, f.info.Size(), f.info.ModTime().UnixNano(), inode(f.info))
		}
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}
