package ledger_test

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/b2bexporter/b2b_exporter/internal/ledger"
	"github.com/b2bexporter/b2b_exporter/internal/record"
)

// key names a record.
type key struct {
	source string
	kind   record.Kind
	id     string
}

// model is what a ledger should hold: the last version of each record.
type model map[key]record.Record

// tell brings a record up to date and returns what should become of it, where the
// model can tell.
func (m model) tell(source string, r record.Record) ledger.Outcome {
	k := key{source, r.RecordKind(), r.RecordMeta().ID}
	_, held := m[k]
	switch deleted := r.RecordMeta().Deleted; {
	case deleted && held:
		delete(m, k)
		return ledger.Deleted
	case deleted:
		return ledger.Unchanged
	}
	same := held && reflect.DeepEqual(m[k], r)
	m[k] = clone(r)
	switch {
	case same:
		return ledger.Unchanged
	case held:
		return ledger.Updated
	}
	return ledger.Inserted
}

// fewOrMany draws small numbers mostly, else some that are too large for one statement.
func fewOrMany(least, few, many int) *rapid.Generator[int] {
	small := rapid.IntRange(least, few)
	return rapid.OneOf(small, small, small, rapid.IntRange(few, many))
}

// After any history of commits the ledger holds the last versions, what is derived
// from them is what a rebuild derives, what a ledger derives that is told only the last
// versions in another order, and what a feed has been told.
func TestDerivedStateDependsOnRecordsOnly(t *testing.T) {
	keyPath := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(keyPath, []byte("the same key for all"), 0o600); err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(rt *rapid.T) {
		ctx := t.Context()
		seed := rapid.Uint64().Draw(rt, "seed")
		w := world{r: rand.New(rand.NewPCG(seed, 0)), ids: fewOrMany(2, 12, 150).Draw(rt, "ids"), sharing: 3}
		how := w.anySettings()
		path := newPath(t)
		l := openReady(t, path, how, keyFile(keyPath))
		defer closeLedger(rt, l)
		feed := newTell(rt)
		l.SetFeed(feed)
		held := model{}
		sizes := rapid.SliceOfN(fewOrMany(1, 30, 200), 1, 12).Draw(rt, "commits")
		for _, size := range sizes {
			source := w.source()
			var batch ledger.Batch
			want := ledger.Counts{}
			for range size {
				r := w.record()
				batch.Records = append(batch.Records, r)
				want.Add(r.RecordKind(), held.tell(source, r), 1)
			}
			s := begin(ctx, rt, l, source, false)
			if diff := cmp.Diff(want, commitBatch(ctx, rt, s, batch).Counts); diff != "" {
				rt.Fatalf("counts (-want +got):\n%s", diff)
			}
			if w.r.IntN(10) == 0 { // what comes after a rebuild is derived from what it made
				if err := l.Rebuild(ctx, nil); err != nil {
					rt.Fatal(err)
				}
				feed.load(ctx, rt, l)
			}
		}
		feed.compare(ctx, rt, l)
		told := readState(ctx, rt, path)
		if len(told.Records) != len(held) {
			rt.Fatalf("%d records, want %d", len(told.Records), len(held))
		}
		if err := l.Rebuild(ctx, nil); err != nil {
			rt.Fatal(err)
		}
		if diff := cmp.Diff(readState(ctx, rt, path), told); diff != "" {
			rt.Fatalf("what was kept up to date is not what a rebuild makes (-rebuilt +kept):\n%s", diff)
		}
		other := newPath(t)
		tellLastVersions(t, rt, openReady(t, other, how, keyFile(keyPath)), held, w.r)
		second := readState(ctx, rt, other)
		second.Cursors, told.Cursors = nil, nil
		if diff := cmp.Diff(second, told); diff != "" {
			rt.Fatalf("the history shows: (-told the last versions only +told all):\n%s", diff)
		}
	})
}

// tellLastVersions commits what a model holds in a random order, and closes the ledger.
func tellLastVersions(t *testing.T, rt *rapid.T, l *ledger.Ledger, held model, random *rand.Rand) {
	bySource := map[string][]record.Record{}
	for k, r := range held {
		bySource[k.source] = append(bySource[k.source], r)
	}
	sessions := map[string]*ledger.Session{}
	for len(bySource) > 0 {
		for source, records := range bySource { // in Go's random order
			if sessions[source] == nil {
				sessions[source] = begin(t.Context(), rt, l, source, true)
			}
			random.Shuffle(len(records), func(i, j int) { records[i], records[j] = records[j], records[i] })
			n := random.IntN(len(records)) + 1
			commitBatch(t.Context(), rt, sessions[source], ledger.Batch{Records: records[:n]})
			if bySource[source] = records[n:]; n == len(records) {
				delete(bySource, source)
			}
		}
	}
	closeLedger(rt, l)
}

// A listing that sweeps leaves what it held and nothing else of its kinds.
func TestSweepLeavesWhatWasListed(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		ctx := t.Context()
		w := world{r: rand.New(rand.NewPCG(rapid.Uint64().Draw(rt, "seed"), 0)), ids: 6, sharing: 3}
		path := newPath(t)
		l := openReady(t, path, w.anySettings())
		defer closeLedger(rt, l)
		var first ledger.Batch
		for range 60 {
			first.Records = append(first.Records, w.record())
		}
		commitBatch(ctx, rt, begin(ctx, rt, l, "shop", false), first)
		listing := begin(ctx, rt, l, "shop", true)
		listed := model{}
		for page := range 3 {
			var batch ledger.Batch
			for range w.r.IntN(10) {
				r := w.record()
				r.RecordMeta().Deleted = false
				if _, twice := listed[key{"shop", r.RecordKind(), r.RecordMeta().ID}]; !twice {
					listed.tell("shop", r)
					batch.Records = append(batch.Records, r)
				}
			}
			batch.Sweep = page == 2
			commitBatch(ctx, rt, listing, batch)
		}
		kept := readState(ctx, rt, path)
		if len(kept.Records) != len(listed) {
			rt.Fatalf("%d records are left of a listing of %d", len(kept.Records), len(listed))
		}
		if err := l.Rebuild(ctx, nil); err != nil {
			rt.Fatal(err)
		}
		if diff := cmp.Diff(readState(ctx, rt, path), kept); diff != "" {
			rt.Fatalf("after a sweep (-rebuilt +kept):\n%s", diff)
		}
	})
}

func TestReadStateSeesSomething(t *testing.T) {
	path := newPath(t)
	l := openReady(t, path, basis(ledger.BasisBoth))
	put(t, l, "shop", order("1", "a", 1), customer("a", 2, email("jane@example.com")), order("2", "", 3), refund("r", "1", 4))
	s := readState(t.Context(), t, path)
	if len(s.Records) != 4 || len(s.Cursors) != 1 || len(s.Groups) != 1 || len(s.Identities) != 1 || len(s.Keys) != 2 ||
		len(s.Dependencies) != 1 || len(s.Nobody) != 1 || !strings.Contains(s.Groups[0], "order of shop @1") {
		t.Errorf("the state is %+v", s)
	}
}
