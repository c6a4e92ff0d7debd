package csv

import (
	"bufio"
	"bytes"
	"compress/gzip"
	encsv "encoding/csv"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"

	"github.com/b2bexporter/b2b_exporter/sources/internal/rows"
)

// maxRowBytes bounds a row: a file without line ends, or with a quote that is never
// closed, must not be held in memory as a whole.
const maxRowBytes = 1 << 20

// reader reads the rows of one file.
type reader struct {
	path    string
	info    fs.FileInfo // as listed; nil for what was read of a URL
	file    *os.File    // nil for what was read of a URL
	raw     *counter
	limit   *limiter
	csv     *encsv.Reader
	header  []string
	mapping *rows.Mapping
	place   []byte // of a row, as where makes it
}

// openRows opens f and reads its header.
func openRows(f file, entry File, zone *time.Location) (*reader, error) {
	if f.info == nil {
		r := &reader{path: f.path, raw: &counter{r: bytes.NewReader(f.body)}}
		return r, r.start(entry, zone)
	}
	opened, err := os.Open(f.path)
	if err != nil {
		return nil, fmt.Errorf("open file: %w", err)
	}
	r := &reader{path: f.path, info: f.info, file: opened, raw: &counter{r: opened}}
	if err := r.start(entry, zone); err != nil {
		opened.Close()
		return nil, err
	}
	return r, nil
}

func (r *reader) start(entry File, zone *time.Location) error {
	if err := r.unchanged(); err != nil {
		return err
	}
	comma, err := entry.comma()
	if err != nil {
		return fmt.Errorf("%s: delimiter %w", r.path, err)
	}
	charset, err := entry.charset()
	if err != nil {
		return fmt.Errorf("%s: encoding %w", r.path, err)
	}
	content, err := unzip(bufio.NewReaderSize(r.raw, 1<<16))
	if err != nil {
		return r.failed(err)
	}
	var decoder transform.Transformer = transform.Nop // rows check UTF-8 where it matters
	if charset != nil {
		decoder = charset.NewDecoder()
	}
	r.limit = &limiter{r: transform.NewReader(content, unicode.BOMOverride(decoder))}
	r.csv = encsv.NewReader(r.limit)
	r.csv.Comma = comma
	r.csv.ReuseRecord = true

	header, err := r.csv.Read()
	switch {
	case errors.Is(err, io.EOF):
		return fmt.Errorf("%s: the file is empty; it needs a header, also where it has no rows", r.path)
	case err != nil:
		return r.failed(fmt.Errorf("header: %w", err))
	}
	r.header = slices.Clone(header)
	r.mapping, err = entry.Compile(r.header, zone)
	switch {
	case errors.Is(err, rows.ErrNoHeader):
		return fmt.Errorf("%s: %w; is it a header, and are delimiter (%q) and encoding the file's?", r.path, err, comma)
	case err != nil:
		return fmt.Errorf("%s: %w", r.path, err)
	}
	return nil
}

// unzip returns the content of what may be compressed, by its first bytes.
func unzip(r *bufio.Reader) (io.Reader, error) {
	magic, err := r.Peek(2)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	if !bytes.Equal(magic, []byte{0x1f, 0x8b}) {
		return r, nil
	}
	return gzip.NewReader(r)
}

func (r *reader) close() {
	if r.file != nil {
		r.file.Close()
	}
}

// next returns the next row; more is false at the end of the file.
func (r *reader) next() (converted rows.Row, more bool, err error) {
	fields, err := r.csv.Read()
	r.limit.rowEnd = r.csv.InputOffset()
	if errors.Is(err, io.EOF) {
		return rows.Row{}, false, nil
	}
	malformed, ok := errors.AsType[*encsv.ParseError](err)
	if err != nil && !ok {
		return rows.Row{}, false, r.failed(err)
	}
	if malformed == nil {
		line, _ := r.csv.FieldPos(0)
		converted = r.mapping.Row(fields, r.where(line))
		if rejected := converted.Rejected; rejected != nil && rejected.Reason == rows.ReasonEncoding {
			rejected.Detail += "; set encoding to the file's own, such as windows-1252"
		}
		return converted, true, nil
	}
	// A quote too many or too few may have drawn whole rows into one field. They cannot
	// be told from deleted ones.
	multiline := malformed.Line > malformed.StartLine ||
		slices.ContainsFunc(fields, func(field string) bool { return strings.Contains(field, "\n") })
	where := r.where(malformed.StartLine)
	switch {
	case multiline:
		return rows.Row{}, false, r.failed(fmt.Errorf("line %d: the row does not end where it should and may have drawn in the rows after it: look for a quote that is missing or not doubled", malformed.StartLine))
	case errors.Is(malformed, encsv.ErrFieldCount):
		converted = r.mapping.Row(fields, where)
	default:
		converted.Rejected = r.mapping.Reject(fields, where, rows.ReasonQuoting,
			fmt.Sprintf("column %d of the line: %v", malformed.Column, malformed.Err))
	}
	return converted, true, nil
}

func (r *reader) where(line int) string {
	r.place = append(append(r.place[:0], filepath.Base(r.path)...), ':')
	r.place = strconv.AppendInt(r.place, int64(line), 10)
	return string(r.place)
}

// failed describes an error of reading, which a change of the file explains better.
func (r *reader) failed(err error) error {
	if changed := r.unchanged(); changed != nil {
		return changed
	}
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("read %s: the compressed file is cut off; copy it again: %w", r.path, err)
	}
	return fmt.Errorf("read %s: %w", r.path, err)
}

// unchanged returns ErrChanged unless the open file, and the one at its path, is what was listed.
func (r *reader) unchanged() error {
	if r.file == nil {
		return nil
	}
	opened, err := r.file.Stat()
	if err != nil {
		return fmt.Errorf("check whether the file changed: %w", err)
	}
	atPath, err := os.Stat(r.path)
	if err != nil || !same(opened, r.info) || !same(atPath, r.info) {
		return fmt.Errorf("%s: %w", r.path, ErrChanged)
	}
	return nil
}

// bytesRead returns how much of the file, compressed or not, was read.
func (r *reader) bytesRead() int64 { return r.raw.n }

// counter counts what is read through it.
type counter struct {
	r io.Reader
	n int64
}

func (c *counter) Read(b []byte) (int, error) {
	n, err := c.r.Read(b)
	c.n += int64(n)
	return n, err
}

// limiter fails where a row is longer than maxRowBytes.
type limiter struct {
	r              io.Reader
	offset, rowEnd int64
}

func (l *limiter) Read(b []byte) (int, error) {
	if l.offset-l.rowEnd > maxRowBytes {
		return 0, fmt.Errorf("a row is longer than %d bytes: look for a quote that is not closed, or for line ends other than LF and CRLF", maxRowBytes)
	}
	n, err := l.r.Read(b)
	l.offset += int64(n)
	return n, err
}
