package ledger_test

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/b2bexporter/b2b_exporter/internal/ledger"
	"github.com/b2bexporter/b2b_exporter/internal/ledger/history"
	"github.com/b2bexporter/b2b_exporter/internal/record"
)

// tell is a Feed that keeps the units it is told of, and says where it is told that
// one was other than it knows.
type tell struct {
	t      rapid.TB
	units  map[int64][]string
	resets int
	asleep bool
}

func newTell(t rapid.TB) *tell { return &tell{t: t, units: map[int64][]string{}} }

func (f *tell) Reset() { f.resets++ }

func (f *tell) Watching() bool { return !f.asleep }

func (f *tell) Apply(before, after []ledger.Unit) {
	seen := map[int64]bool{}
	for _, u := range before {
		if diff := cmp.Diff(f.units[u.ID], f.events(u)); diff != "" || seen[u.ID] {
			f.t.Errorf("unit %d (told twice: %t) was not what the feed is told (-known +told):\n%s", u.ID, seen[u.ID], diff)
		}
		seen[u.ID] = true
		delete(f.units, u.ID)
	}
	for _, u := range after {
		f.keep(u)
	}
}

func (f *tell) keep(u ledger.Unit) {
	if _, twice := f.units[u.ID]; twice {
		f.t.Errorf("unit %d is there twice", u.ID)
	}
	if events := f.events(u); len(events) > 0 {
		f.units[u.ID] = events
	}
}

// events returns a unit's events in some order of their own.
func (f *tell) events(u ledger.Unit) []string {
	f.t.Helper()
	var all []string
	for _, h := range u.Histories {
		events, _, err := history.Decode(h, nil, nil)
		if err != nil {
			f.t.Fatalf("unit %d: %v", u.ID, err)
		}
		for _, e := range events {
			all = append(all, fmt.Sprintf("%+v", e))
		}
	}
	slices.Sort(all)
	return all
}

// load makes the feed know what the ledger holds, as it must after a reset.
func (f *tell) load(ctx context.Context, t rapid.TB, l *ledger.Ledger) {
	t.Helper()
	f.units = map[int64][]string{}
	s, err := l.Snapshot(ctx, nil)
	if err != nil {
		t.Fatalf("snapshot: %v", err)
	}
	err = s.Each(ctx, func(u ledger.Unit) error { f.keep(u); return nil })
	if closeErr := s.Close(); err != nil || closeErr != nil {
		t.Fatalf("read units: %v, %v", err, closeErr)
	}
}

// compare holds what the feed was told against what the ledger has.
func (f *tell) compare(ctx context.Context, t rapid.TB, l *ledger.Ledger) {
	t.Helper()
	is := newTell(t)
	is.load(ctx, t, l)
	if diff := cmp.Diff(is.units, f.units); diff != "" {
		t.Errorf("what the feed was told is not what the ledger holds (-ledger +feed):\n%s", diff)
	}
}

func TestFeed(t *testing.T) {
	l := openReady(t, newPath(t))
	feed := newTell(t)
	l.SetFeed(feed)
	put(t, l, "shop", order("1", "a", 1), customer("a", 2, email("jane@example.com")), order("2", "", 3))
	put(t, l, "crm", customer("7", 4, domain("example.com")))
	if len(feed.units) != 2 {
		t.Errorf("the feed knows %d units, want a customer and a guest's order", len(feed.units))
	}
	feed.compare(t.Context(), t, l)
	put(t, l, "crm", customer("7", 4, domain("example.org")), &record.Cost{Meta: meta("1")})
	feed.compare(t.Context(), t, l)

	before := feed.resets
	if err := l.Rebuild(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	if feed.resets != before+1 {
		t.Errorf("a rebuild resets the feed %d times, want once", feed.resets-before)
	}
	feed.load(t.Context(), t, l)
	feed.asleep = true
	put(t, l, "shop", order("4", "c", 6))
	if len(feed.units) != 3 {
		t.Errorf("a feed that does not watch knows %d units, want the 3 of before", len(feed.units))
	}
	feed.asleep = false
	feed.load(t.Context(), t, l)
	put(t, l, "shop", order("4", "c", 7))
	feed.compare(t.Context(), t, l)
	l.SetFeed(nil)
	put(t, l, "shop", order("3", "b", 5))
	if len(feed.units) != 4 {
		t.Errorf("a feed that was taken away knows %d units, want the 4 of before", len(feed.units))
	}
}
