package csv

import (
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

// file is a file as it was when it was listed.
type file struct {
	path string
	info fs.FileInfo
}

// listing is the files of one entry of the configuration, by path.
type listing struct {
	entry File
	files []file
}

// list finds the files of entries. An entry without a file is an error: a mistyped
// path or a missing volume must not look like an empty company.
func list(entries []File) ([]listing, error) {
	found := make([]listing, 0, len(entries))
	for _, entry := range entries {
		files, err := glob(entry.Path)
		if err != nil {
			return nil, err
		}
		found = append(found, listing{entry, files})
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
		files = append(files, file{path, info})
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
		entry, zone := l.entry, zone
		if entry.Timezone != nil {
			zone = entry.Timezone
		}
		entry.Timezone = nil // marshalled it would not tell zones apart
		settings, err := json.Marshal(entry)
		if err != nil {
			return "", fmt.Errorf("identify the settings of %s: %w", entry.Path, err)
		}
		fmt.Fprintf(h, "%s %q\n", settings, zone)
		for _, f := range l.files {
			fmt.Fprintf(h, "%q %d %d %d\n", f.path, f.info.Size(), f.info.ModTime().UnixNano(), inode(f.info))
		}
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}
