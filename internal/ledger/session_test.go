package ledger_test

import (
	"bytes"
	"database/sql"
	"errors"
	"os"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/b2bexporter/b2b_exporter/internal/ledger"
	"github.com/b2bexporter/b2b_exporter/internal/record"
)

func TestOutcomes(t *testing.T) {
	l := openReady(t, newPath(t))
	edited := func() record.Record { o := order("1", "a", 1); o.Gross = record.Micros(5); return o }
	for _, step := range []struct {
		name string
		rec  record.Record
		want string
	}{
		{"first", order("1", "a", 1), "inserted 1"},
		{"again", order("1", "a", 1), "unchanged 1"},
		{"edited", edited(), "updated 1"},
		{"edited again", edited(), "unchanged 1"},
		{"deleted", deleted(order("1", "a", 1)), "deleted 1"},
		{"deleted again", deleted(order("1", "a", 1)), "unchanged 1"},
		{"never there", deleted(order("2", "a", 1)), "unchanged 1"},
		{"back", edited(), "inserted 1"},
	} {
		counts := put(t, l, "shop", step.rec)
		if got := outcomes(counts, record.KindOrder); got != step.want {
			t.Errorf("%s: %s, want %s", step.name, got, step.want)
		}
	}
}

func TestOneIDOfSeveralKindsAndSources(t *testing.T) {
	l := openReady(t, newPath(t))
	for _, k := range record.Kinds() {
		for _, source := range []string{"shop", "other shop"} {
			r := record.New(k)
			r.RecordMeta().ID = "1"
			if got := outcomes(put(t, l, source, r), k); got != "inserted 1" {
				t.Errorf("%s 1 of %s: %s, want inserted", k, source, got)
			}
		}
	}
	s := snapshot(t, l)
	counts, err := s.Records(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range record.Kinds() {
		if counts[k] != 2 {
			t.Errorf("%d records of kind %s, want 2", counts[k], k)
		}
	}
}

// In one batch the last version of a record holds, as if they had come one by one.
func TestOneRecordTwiceInABatch(t *testing.T) {
	l := openReady(t, newPath(t))
	counts := put(t, l, "shop", order("1", "a", 1), order("1", "b", 2), order("2", "a", 3), deleted(order("2", "", 0)))
	if got := outcomes(counts, record.KindOrder); got != "deleted 1, inserted 2, updated 1" {
		t.Error(got)
	}
	wantPartition(t, l, "2")
}

// An odd ID or text is the vendor's business; the ledger keeps it as it is.
func TestOddTexts(t *testing.T) {
	l := openReady(t, newPath(t))
	for _, id := range []string{"", " ", "a\x00b", "a", "\xff", "ü", "'; DROP TABLE record; --"} {
		build := func(hours int) []record.Record {
			o := order(id, id, hours)
			o.Country, o.Touch.Source = id, id
			return []record.Record{
				o, customer(id, 1, external(id)), lead(id, 1, email(id)), &record.Account{Meta: meta(id), Target: true},
				&record.Deal{Meta: meta(id), Account: record.RefTo(id), Lead: id, Order: id},
				&record.Refund{Meta: meta(id), Order: id, At: moment(1)},
			}
		}
		for _, step := range []struct {
			hours int
			want  string
		}{{1, "inserted 1"}, {1, "unchanged 1"}, {2, "updated 1"}} {
			if got := outcomes(put(t, l, "shop", build(step.hours)...), record.KindOrder); got != step.want {
				t.Errorf("id %q: %s, want %s", id, got, step.want)
			}
		}
	}
	before := look(t.Context(), t, l)
	if err := l.Rebuild(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(before, look(t.Context(), t, l)); diff != "" {
		t.Errorf("rebuilding changes (-before +after):\n%s", diff)
	}
}

// files returns the bytes of a ledger: the file and its write-ahead log.
func files(t testing.TB, path string) []byte {
	t.Helper()
	var all []byte
	for _, suffix := range []string{"", "-wal"} {
		b, err := os.ReadFile(path + suffix)
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			t.Fatal(err)
		}
		all = append(all, b...)
	}
	return all
}

func TestUnchangedWritesNothing(t *testing.T) {
	path := newPath(t)
	l := openReady(t, path)
	records := func() []record.Record {
		return []record.Record{
			order("1", "a", 1), customer("a", 1, email("jane@example.com")), lead("1", 2, email("joe@example.com")),
			&record.Refund{Meta: meta("1"), Order: "1", At: moment(3), Amount: record.Micros(1)},
			&record.Deal{Meta: meta("1"), Lead: "1", Order: "shop:1", State: record.DealWon, ClosedAt: moment(4)},
			&record.Rate{Meta: meta("2024-01-01 USD"), Day: 19723, Currency: "USD", Reference: "EUR"},
		}
	}
	s := begin(t.Context(), t, l, "shop", true)
	commitBatch(t.Context(), t, s, ledger.Batch{Records: records(), Cursor: "c", DataTime: time.Unix(9, 0)})

	beside, err := sql.Open("sqlite", "file:"+path+"?mode=ro")
	if err != nil {
		t.Fatal(err)
	}
	defer beside.Close()
	beside.SetMaxOpenConns(1) // the version is of a connection
	version := func() (n int) {
		t.Helper()
		if err := beside.QueryRowContext(t.Context(), "PRAGMA data_version").Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	bytesBefore, versionBefore := files(t, path), version()
	for name, batch := range map[string]ledger.Batch{
		"records": {Records: records()},
		"cursor":  {Records: records(), Cursor: "c"},
		"time":    {Records: records(), DataTime: time.Unix(9, 0)},
		"sweep":   {Records: records(), Sweep: true},
		"kept":    {Kept: []ledger.Kept{{Kind: record.KindOrder, ID: "1"}, {Kind: record.KindOrder, ID: "none"}}},
		"absent":  {Records: []record.Record{deleted(order("9", "a", 1)), deleted(lead("9", 1, record.Keys{}))}},
		"nothing": {},
	} {
		if n := commitBatch(t.Context(), t, s, batch).Counts.Changed(); n != 0 {
			t.Errorf("%s: %d records changed", name, n)
		}
		if !bytes.Equal(bytesBefore, files(t, path)) || version() != versionBefore {
			t.Errorf("%s: the ledger was written to", name)
		}
	}
	commitBatch(t.Context(), t, s, ledger.Batch{Records: []record.Record{order("2", "a", 5)}})
	if version() == versionBefore || bytes.Equal(bytesBefore, files(t, path)) {
		t.Error("a new order does not show: this test sees no change at all")
	}
}

func TestCursor(t *testing.T) {
	path := newPath(t)
	l := openReady(t, path)
	s := begin(t.Context(), t, l, "shop", false)
	if s.Cursor != "" {
		t.Errorf("a new stream has the cursor %q", s.Cursor)
	}
	commitBatch(t.Context(), t, s, ledger.Batch{Records: []record.Record{order("1", "a", 1)}, Cursor: "page 2"})
	commitBatch(t.Context(), t, s, ledger.Batch{Records: []record.Record{order("2", "a", 2)}})
	if s.Cursor != "page 2" {
		t.Errorf("the cursor is %q after a batch without one, want the one before", s.Cursor)
	}
	if got := begin(t.Context(), t, l, "other", false).Cursor; got != "" {
		t.Errorf("another source's stream has the cursor %q", got)
	}
	closeLedger(t, l)
	l = openReady(t, path)
	if got := begin(t.Context(), t, l, "shop", false).Cursor; got != "page 2" {
		t.Errorf("after opening the ledger again the cursor is %q", got)
	}
}

func TestDataTime(t *testing.T) {
	path := newPath(t)
	l := openReady(t, path)
	s := begin(t.Context(), t, l, "shop", false)
	begin(t.Context(), t, l, "other", false)
	stored := func(i int) time.Time {
		t.Helper()
		streams, err := snapshot(t, l).Streams(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return streams[i].DataTime // by name: other, shop
	}
	for _, step := range []struct{ given, want time.Time }{
		{time.Time{}, time.Time{}},
		{time.Unix(5, 1000), time.Unix(5, 1000)},
		{time.Unix(7, 0), time.Unix(7, 0)},
		{time.Unix(6, 0), time.Unix(7, 0)},
		{time.Time{}, time.Unix(7, 0)},
	} {
		commitBatch(t.Context(), t, s, ledger.Batch{DataTime: step.given})
		if got := stored(1); !got.Equal(step.want) {
			t.Errorf("after a batch up to %s the stream's newest time is %s, want %s", step.given, got, step.want)
		}
	}
	if got := stored(0); !got.IsZero() {
		t.Errorf("another source's newest time is %s", got)
	}
	closeLedger(t, l)
	l = openReady(t, path)
	if got := stored(1); !got.Equal(time.Unix(7, 0)) {
		t.Errorf("after opening the ledger again the newest time is %s", got)
	}
}

func TestSweep(t *testing.T) {
	l := openReady(t, newPath(t))
	put(t, l, "shop", order("1", "a", 1), order("2", "a", 2), order("3", "a", 3), order("4", "a", 4), order("5", "a", 5),
		customer("a", 1, record.Keys{}), lead("old", 2, record.Keys{}))
	put(t, l, "other", order("1", "b", 6))

	s, err := l.Begin(t.Context(), "shop", "orders", []record.Kind{record.KindOrder, record.KindLead}, false, time.Unix(0, 0))
	if err != nil {
		t.Fatal(err)
	}
	commitBatch(t.Context(), t, s, ledger.Batch{Records: []record.Record{order("1", "a", 1), order("6", "a", 7)}})
	commitBatch(t.Context(), t, s, ledger.Batch{Kept: []ledger.Kept{{Kind: record.KindOrder, ID: "2"}}})
	changed := order("3", "a", 8)
	res := commitBatch(t.Context(), t, s, ledger.Batch{
		Records: []record.Record{changed}, Kept: []ledger.Kept{{Kind: record.KindLead, ID: "old"}}, Sweep: true,
	})
	if got := outcomes(res.Counts, record.KindOrder); got != "deleted 2, updated 1" {
		t.Errorf("sweep: %s; want 4 and 5 deleted, 3 updated", got)
	}
	// Order 1 was listed, 2 kept, 3 changed and 6 new; kinds of other streams and other
	// sources' records are not this stream's.
	wantPartition(t, l, "1 2 7 8", "2", "6")
	res = commitBatch(t.Context(), t, begin(t.Context(), t, l, "shop", false), ledger.Batch{Sweep: true})
	if res.Counts.Changed() != 6 {
		t.Errorf("a listing of nothing deletes %d records, want all 6", res.Counts.Changed())
	}
	wantPartition(t, l, "6")
}

// A sweep of what is dated from a moment on spares what is older or has no date.
func TestSweepFrom(t *testing.T) {
	l := openReady(t, newPath(t))
	undated := order("5", "a", 0)
	undated.PlacedAt = record.Instant{}
	put(t, l, "shop", order("1", "a", 1), order("2", "a", 2), order("3", "a", 3), order("4", "a", 4), undated)
	s := begin(t.Context(), t, l, "shop", false)
	from := moment(3)
	res := commitBatch(t.Context(), t, s, ledger.Batch{
		Records: []record.Record{order("4", "a", 4)}, Sweep: true, SweepFrom: time.UnixMicro(from.N),
	})
	if got := outcomes(res.Counts, record.KindOrder); got != "deleted 1, unchanged 1" {
		t.Errorf("sweep: %s; want 3 deleted, 4 unchanged", got)
	}
	if got := commitBatch(t.Context(), t, s, ledger.Batch{Records: []record.Record{order("1", "a", 1), order("2", "a", 2), undated}}); got.Counts.Changed() != 0 {
		t.Errorf("the sweep changed what is older: %v", got.Counts)
	}
}

func TestDuplicatesOfAWholeListing(t *testing.T) {
	l := openReady(t, newPath(t))
	s := begin(t.Context(), t, l, "files", true)
	res := commitBatch(t.Context(), t, s, ledger.Batch{Records: []record.Record{
		order("1", "a", 1), order("1", "a", 1), order("1", "b", 2), order("2", "a", 3),
	}})
	if diff := cmp.Diff([]int{2}, res.Duplicates); diff != "" {
		t.Errorf("duplicates (-want +got):\n%s", diff)
	}
	if got := outcomes(res.Counts, record.KindOrder); got != "inserted 2, rejected 1, unchanged 1" {
		t.Error(got)
	}
	res = commitBatch(t.Context(), t, s, ledger.Batch{Records: []record.Record{
		order("3", "a", 4), order("2", "c", 5), deleted(order("1", "", 0)),
	}})
	if diff := cmp.Diff([]int{1, 2}, res.Duplicates); diff != "" {
		t.Errorf("duplicates of an earlier page (-want +got):\n%s", diff)
	}
	wantPartition(t, l, "1 3 4")
	// In the next listing the same record may have changed.
	s = begin(t.Context(), t, l, "files", true)
	res = commitBatch(t.Context(), t, s, ledger.Batch{Records: []record.Record{order("1", "b", 2)}})
	if got := outcomes(res.Counts, record.KindOrder); got != "updated 1" || len(res.Duplicates) != 0 {
		t.Errorf("%s, duplicates %v", got, res.Duplicates)
	}
	// A stream that is not whole tells changes, in which a record may come twice.
	s = begin(t.Context(), t, l, "api", false)
	res = commitBatch(t.Context(), t, s, ledger.Batch{Records: []record.Record{order("1", "a", 1), order("1", "a", 2)}})
	if len(res.Duplicates) != 0 {
		t.Errorf("changes of a record are taken for duplicates: %v", res.Duplicates)
	}
}

func TestCounts(t *testing.T) {
	c := ledger.Counts{}
	c.Add(record.KindOrder, ledger.Inserted, 2)
	c.Merge(ledger.Counts{
		record.KindOrder:  {ledger.Inserted: 1, ledger.Unchanged: 5, ledger.Rejected: 7},
		record.KindRefund: {ledger.Updated: 1, ledger.Deleted: 3},
	})
	want := ledger.Counts{
		record.KindOrder:  {ledger.Inserted: 3, ledger.Unchanged: 5, ledger.Rejected: 7},
		record.KindRefund: {ledger.Updated: 1, ledger.Deleted: 3},
	}
	if diff := cmp.Diff(want, c); diff != "" {
		t.Errorf("counts (-want +got):\n%s", diff)
	}
	if got := c.Changed(); got != 7 {
		t.Errorf("%d records changed, want 7", got)
	}
}
