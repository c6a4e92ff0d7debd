package sourcetest

import (
	"bytes"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/b2bexporter/b2b_exporter/internal/record"
	"github.com/b2bexporter/b2b_exporter/sources"
)

// ledger stands in for the real one: it keeps the encoded records of one stream, with
// the rules of sources.Page.
type ledger struct {
	codec  *record.Codec
	sealer *record.Sealer
	source string
	kinds  []record.Kind
	whole  bool

	rows    map[rowKey][]byte
	dates   map[rowKey]int64 // the earliest of each row
	cursor  string
	cursors []string // every cursor that was committed
	pages   int
	changes int             // rows that a commit wrote or deleted
	seen    map[rowKey]bool // in the present Fetch
}

type rowKey struct {
	kind record.Kind
	id   string
}

func (k rowKey) String() string { return fmt.Sprintf("%s %q", k.kind, k.id) }

func newLedger(source string, stream sources.Stream) (*ledger, error) {
	codec, err := record.NewCodec()
	if err != nil {
		return nil, err
	}
	return &ledger{
		codec: codec, sealer: record.NewSealer([]byte("sourcetest")), source: source,
		kinds: stream.Kinds, whole: stream.Whole,
		rows: map[rowKey][]byte{}, dates: map[rowKey]int64{},
	}, nil
}

// begin starts a Fetch.
func (l *ledger) begin() { l.seen = map[rowKey]bool{} }

// row seals and encodes a record.
func (l *ledger) row(r record.Record) (rowKey, []byte, error) {
	key := rowKey{r.RecordKind(), r.RecordMeta().ID}
	if key.id == "" {
		return key, nil, fmt.Errorf("a record of kind %s has no ID", key.kind)
	}
	if !slices.Contains(l.kinds, key.kind) {
		return key, nil, fmt.Errorf("%s: the stream does not declare the kind", key)
	}
	r.Seal(l.sealer, l.source)
	data, err := l.codec.Encode(r)
	return key, data, err
}

// commit takes a page over as a whole, or returns what is wrong with it.
func (l *ledger) commit(page sources.Page) error {
	if page.Progress > 1 {
		return fmt.Errorf("the page's progress is %v, above 1", page.Progress)
	}
	for _, r := range page.Records {
		key, data, err := l.row(r)
		if err != nil {
			return err
		}
		if l.whole && l.seen[key] {
			return fmt.Errorf("%s: delivered twice by one Fetch of a stream that is whole", key)
		}
		l.seen[key] = true
		old, held := l.rows[key]
		switch {
		case r.RecordMeta().Deleted && held:
			delete(l.rows, key)
			l.changes++
		case !r.RecordMeta().Deleted && !bytes.Equal(old, data):
			l.rows[key] = data
			l.dates[key] = dated(r)
			l.changes++
		}
	}
	for _, r := range page.Rejected {
		l.seen[rowKey{r.Kind, r.ID}] = true
	}
	if page.Sweep {
		for key := range l.rows {
			if !l.seen[key] && l.dates[key] >= sweepFrom(page) {
				delete(l.rows, key)
				l.changes++
			}
		}
	}
	if page.Cursor != "" {
		l.cursor = page.Cursor
		l.cursors = append(l.cursors, page.Cursor)
	}
	l.pages++
	return nil
}

// dated returns the earliest date of a record in microseconds; of one without any it lies before
// all others.
func dated(r record.Record) int64 {
	var dates []int64
	for _, at := range r.Dates() {
		if !at.IsNull() {
			dates = append(dates, at.Resolve(func(d record.Day) int64 { return int64(d) * 24 * time.Hour.Microseconds() }))
		}
	}
	if len(dates) == 0 {
		return math.MinInt64
	}
	return slices.Min(dates)
}

// sweepFrom returns the earliest date of a record that the sweep of a page is about.
func sweepFrom(page sources.Page) int64 {
	if page.SweepFrom.IsZero() {
		return math.MinInt64
	}
	return page.SweepFrom.UnixMicro()
}

// diff says how the rows differ from want; empty where they do not.
func (l *ledger) diff(want []record.Record) (string, error) {
	var out strings.Builder
	wanted := map[rowKey][]byte{}
	for _, r := range want {
		key, data, err := l.row(copied(r))
		if err != nil {
			return "", fmt.Errorf("the harness wants %w", err)
		}
		wanted[key] = data
	}
	problems := 0
	note := func(format string, args ...any) {
		if problems++; problems <= 5 {
			fmt.Fprintf(&out, "\n\t"+format, args...)
		}
	}
	for _, key := range sortedKeys(wanted) {
		got, held := l.rows[key]
		switch {
		case !held:
			note("%s is missing", key)
		case !bytes.Equal(got, wanted[key]):
			g, err := l.codec.Decode(key.kind, key.id, got)
			if err != nil {
				return "", err
			}
			w, err := l.codec.Decode(key.kind, key.id, wanted[key])
			if err != nil {
				return "", err
			}
			note("%s differs (-want +got):\n%s", key, cmp.Diff(w, g, cmp.Exporter(func(reflect.Type) bool { return true })))
		}
	}
	for _, key := range sortedKeys(l.rows) {
		if _, ok := wanted[key]; !ok {
			note("%s should not be there", key)
		}
	}
	if problems > 5 {
		fmt.Fprintf(&out, "\n\tand %d more", problems-5)
	}
	return out.String(), nil
}

// copied returns a copy of a record, because sealing changes it.
func copied(r record.Record) record.Record {
	c := record.New(r.RecordKind())
	reflect.ValueOf(c).Elem().Set(reflect.ValueOf(r).Elem())
	return c
}

func sortedKeys(rows map[rowKey][]byte) []rowKey {
	keys := make([]rowKey, 0, len(rows))
	for key := range rows {
		keys = append(keys, key)
	}
	slices.SortFunc(keys, func(a, b rowKey) int {
		return strings.Compare(string(a.kind)+a.id, string(b.kind)+b.id)
	})
	return keys
}
