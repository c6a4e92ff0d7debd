package ledger_test

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/b2bexporter/b2b_exporter/internal/ledger"
	"github.com/b2bexporter/b2b_exporter/internal/record"
)

func isStale(t testing.TB, l *ledger.Ledger) bool {
	t.Helper()
	stale, err := l.Stale(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return stale
}

// What is derived with other settings is stale until it is rebuilt, and then what those
// settings make of the records.
func TestSettingsMakeStale(t *testing.T) {
	path := newPath(t)
	dated := order("1", "a", 1)
	dated.PlacedAt, dated.Country = record.OnDate(record.DateDay(2024, time.January, 2)), "DE"
	dated.Touch.Campaign = "fair-2024"
	l := openReady(t, path)
	put(t, l, "shop", dated, customer("a", 30, email("jane@example.com")), customer("b", 31, email("joe@example.com")))
	if isStale(t, l) {
		t.Error("a ledger is stale after a commit")
	}
	closeLedger(t, l)

	known := []string{"known of shop @30 label=customer"}
	both := func(order string) view {
		return view{Customers: [][]string{{known[0], "known of shop @31 label=customer", order}}}
	}
	const plain = " gross=100000000EUR of=store of=customer"
	rule := func(pattern, channel string) func(*ledger.Settings) {
		return func(s *ledger.Settings) {
			s.Channels = record.ChannelRules{{Campaign: regexp.MustCompile(pattern), Class: record.Class{Channel: channel}}}
		}
	}
	for _, test := range []struct {
		name   string
		change func(*ledger.Settings)
		want   view
	}{
		{
			"zone", func(s *ledger.Settings) { s.Zone = time.FixedZone("west", -5*3600) },
			both("order of shop @29 label=unknown//fair-2024 territory=DE" + plain),
		},
		{
			"basis", func(s *ledger.Settings) { s.Basis = ledger.BasisDeals },
			view{Customers: [][]string{{
				"known of shop @24", known[0], "known of shop @31 label=customer",
				"order of shop @24 label=unknown//fair-2024 territory=DE gross=100000000EUR of=store",
			}}},
		},
		{
			"count", func(s *ledger.Settings) { s.CountPaid = true },
			view{Customers: [][]string{{"known of shop @24", known[0], "known of shop @31 label=customer"}}},
		},
		{"channel rules", rule("^fair-", "event"), both("order of shop @24 label=event//fair-2024 territory=DE" + plain)},
		{"another channel", rule("^fair-", "offline"), both("order of shop @24 label=offline//fair-2024 territory=DE" + plain)},
		{"another expression", rule("^show-", "offline"), both("order of shop @24 label=unknown//fair-2024 territory=DE" + plain)},
		{
			"territories", func(s *ledger.Settings) { s.Territories = map[string]string{"DE": "dach"} },
			both("order of shop @24 label=unknown//fair-2024 territory=dach" + plain),
		},
		{
			"free mail", func(s *ledger.Settings) { s.FreeMail = []string{"example.com"} },
			view{Customers: [][]string{{known[0], "order of shop @24 label=unknown//fair-2024 territory=DE" + plain}, {"known of shop @31 label=customer"}}},
		},
		{
			"sources", func(s *ledger.Settings) { s.Delivered = map[string][]record.Kind{"shop": {record.KindOrder}} },
			view{Customers: [][]string{{"order of shop @24 label=unknown//fair-2024 territory=DE" + plain}}},
		},
		{"no sources", func(s *ledger.Settings) { s.Delivered = map[string][]record.Kind{} }, view{}},
	} {
		t.Run(test.name, func(t *testing.T) {
			closeLedger(t, openReady(t, path)) // what is derived with the settings of before
			l, err := tryOpen(t.Context(), path, settings(test.change))
			if err != nil {
				t.Fatal(err)
			}
			defer closeLedger(t, l)
			if !isStale(t, l) {
				t.Fatal("the ledger is not stale")
			}
			var shares []float64
			if err := l.Ready(t.Context(), func(share float64) { shares = append(shares, share) }); err != nil {
				t.Fatal(err)
			}
			if isStale(t, l) {
				t.Error("the ledger is stale after it was made ready")
			}
			if len(shares) == 0 || shares[len(shares)-1] != 1 {
				t.Errorf("the progress is %v, want it to end with 1", shares)
			}
			if diff := cmp.Diff(test.want, look(t.Context(), t, l)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			again := func(float64) { t.Error("a ledger that is ready is rebuilt") }
			if err := l.Ready(t.Context(), again); err != nil {
				t.Fatal(err)
			}
		})
	}
}

// Settings that say the same do not rebuild: that would take hours for nothing.
func TestEqualSettingsAreNotStale(t *testing.T) {
	path := newPath(t)
	build := func() option {
		return settings(func(s *ledger.Settings) {
			s.Channels = record.ChannelRules{{Source: regexp.MustCompile("a"), Class: record.Class{Channel: "event"}}}
			s.Territories = map[string]string{"DE": "dach", "AT": "dach", "FR": "west"}
			s.FreeMail = []string{"b.example", "a.example"}
		})
	}
	closeLedger(t, openReady(t, path, build()))
	reordered := settings(func(s *ledger.Settings) { s.FreeMail = []string{"a.example", "b.example"} })
	l, err := tryOpen(t.Context(), path, build(), reordered)
	if err != nil {
		t.Fatal(err)
	}
	defer closeLedger(t, l)
	if isStale(t, l) {
		t.Error("the same settings make the ledger stale")
	}
}

// Sources that come and go without records change nothing.
func TestSourcesWithoutRecordsAreNotStale(t *testing.T) {
	path := newPath(t)
	delivers := func(d map[string][]record.Kind) option {
		return settings(func(s *ledger.Settings) { s.Delivered = d })
	}
	l := openReady(t, path, delivers(map[string][]record.Kind{"shop": {record.KindOrder}, "crm": {record.KindLead}}))
	put(t, l, "shop", order("1", "a", 1))
	begin(t.Context(), t, l, "crm", false)
	want := look(t.Context(), t, l)
	closeLedger(t, l)
	l, err := tryOpen(t.Context(), path, delivers(map[string][]record.Kind{"shop": {record.KindRefund, record.KindOrder}, "erp": {record.KindOrder}}))
	if err != nil {
		t.Fatal(err)
	}
	defer closeLedger(t, l)
	if isStale(t, l) {
		t.Error("the ledger is stale")
	}
	if err := l.Ready(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, look(t.Context(), t, l)); diff != "" {
		t.Errorf("(-before +after):\n%s", diff)
	}
}

func TestNewLedgerIsStale(t *testing.T) {
	l, err := tryOpen(t.Context(), newPath(t))
	if err != nil {
		t.Fatal(err)
	}
	defer closeLedger(t, l)
	if !isStale(t, l) {
		t.Error("a new ledger, of which nothing says with which settings it is derived, is not stale")
	}
}

// A rebuild that is interrupted leaves the ledger stale, the records as they are, and
// the next one does all of it.
func TestInterruptedRebuild(t *testing.T) {
	path := newPath(t)
	l := openReady(t, path)
	s := begin(t.Context(), t, l, "shop", false)
	for from := 0; from < scaled(12_000, 8_000); from += 4000 {
		batch := ledger.Batch{Cursor: fmt.Sprint(from)}
		for n := from; n < from+4000; n++ {
			batch.Records = append(batch.Records, order(fmt.Sprint(n), fmt.Sprint(n%700), n))
		}
		commitBatch(t.Context(), t, s, batch)
	}
	put(t, l, "shop", customer("1", 1, domain("example.com")), customer("2", 1, domain("example.com")))
	want := readState(t.Context(), t, path)

	feed := newTell(t)
	l.SetFeed(feed)
	for at := range 2 { // in the midst of its transactions
		ctx, cancel := context.WithCancel(t.Context())
		calls := 0
		err := l.Rebuild(ctx, func(float64) {
			if calls++; calls > at {
				cancel()
			}
		})
		cancel()
		if !errors.Is(err, context.Canceled) {
			t.Fatalf("interrupted after %d: %v", at, err)
		}
		if !isStale(t, l) {
			t.Errorf("interrupted after %d: the ledger is not stale", at)
		}
		if feed.resets != 0 {
			t.Errorf("interrupted after %d: the feed was reset", at)
		}
		if at == 0 {
			continue // the next one begins where the interrupted one is
		}
		closeLedger(t, l)
		if l, err = tryOpen(t.Context(), path); err != nil {
			t.Fatal(err)
		}
		defer closeLedger(t, l)
	}
	for last := int64(1); ; last = last*2 + 1 {
		ctx := newPatience(t.Context(), last)
		err := l.Ready(ctx, nil)
		ctx.cancel()
		if err == nil {
			break
		}
		if !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
		if !isStale(t, l) {
			t.Fatalf("interrupted after %d statements: the ledger is not stale", last)
		}
	}
	if diff := cmp.Diff(want, readState(t.Context(), t, path)); diff != "" {
		t.Errorf("after a resumed rebuild (-want +got):\n%s", diff)
	}
}

// Readers go on while the ledger is rebuilt.
func TestReadDuringRebuild(t *testing.T) {
	path := newPath(t)
	l := openReady(t, path)
	put(t, l, "shop", order("1", "a", 1))
	s := snapshot(t, l)
	before := look(t.Context(), t, l)
	reader := openReady(t, path, readOnly)
	during := false
	if err := l.Rebuild(t.Context(), func(float64) {
		during = true
		counts, err := snapshot(t, reader).Records(t.Context())
		if err != nil || counts[record.KindOrder] != 1 {
			t.Errorf("during a rebuild a reader finds %v, %v", counts, err)
		}
		units := 0
		if err := s.Each(t.Context(), func(ledger.Unit) error { units++; return nil }); err != nil || units != 1 {
			t.Errorf("a snapshot of before has %d units, %v; want 1", units, err)
		}
	}); err != nil {
		t.Fatal(err)
	}
	if !during {
		t.Error("the rebuild tells no progress")
	}
	if diff := cmp.Diff(before, look(t.Context(), t, l)); diff != "" {
		t.Errorf("a rebuild with the same settings changes (-before +after):\n%s", diff)
	}
}
