package ledger_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/b2bexporter/b2b_exporter/internal/ledger"
	"github.com/b2bexporter/b2b_exporter/internal/record"
)

// snapshot takes a snapshot, which ends with the test.
func snapshot(t testing.TB, l *ledger.Ledger) *ledger.Snapshot {
	t.Helper()
	s, err := l.Snapshot(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func TestStreams(t *testing.T) {
	l := openReady(t, newPath(t))
	streams := func() []ledger.Stream {
		t.Helper()
		s, err := snapshot(t, l).Streams(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	want := func(name string, s ...ledger.Stream) {
		t.Helper()
		if diff := cmp.Diff(s, streams(), cmpopts.EquateApproxTime(0)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	beginAt := func(minute int) (*ledger.Session, time.Time) {
		t.Helper()
		at := time.Date(2024, time.May, 1, 12, minute, 0, 0, time.UTC)
		s, err := l.Begin(t.Context(), "shop", "orders", []record.Kind{record.KindOrder}, false, at)
		if err != nil {
			t.Fatal(err)
		}
		return s, at
	}
	end := func(s *ledger.Session, at time.Time, failure error, truncated bool) {
		t.Helper()
		if err := s.End(t.Context(), at, failure, truncated); err != nil {
			t.Fatal(err)
		}
	}
	clock := func(want time.Time) {
		t.Helper()
		got, err := snapshot(t, l).Clock(t.Context())
		if err != nil || !got.Equal(want) {
			t.Errorf("the clock was last seen at %s, %v; want %s", got, err, want)
		}
	}

	want("before the first")
	clock(time.Time{})
	s, at := beginAt(0)
	want("attempted", ledger.Stream{Source: "shop", Name: "orders", LastAttempt: at})
	end(s, at.Add(time.Second), errors.New("no answer"), false)
	want("failed", ledger.Stream{Source: "shop", Name: "orders", LastAttempt: at, Error: "no answer"})
	clock(time.Time{})

	s, at = beginAt(1)
	commitBatch(t.Context(), t, s, ledger.Batch{Truncated: true})
	success := at.Add(1500 * time.Millisecond)
	end(s, success, nil, true)
	want("truncated", ledger.Stream{
		Source: "shop", Name: "orders", LastAttempt: at, LastSuccess: success, Complete: true, Truncated: true,
	})
	clock(success)

	s, at = beginAt(2)
	end(s, at, errors.New("no answer"), false)
	want("failed after a success", ledger.Stream{
		Source: "shop", Name: "orders", LastAttempt: at, LastSuccess: success, Complete: true, Truncated: true, Error: "no answer",
	})
	clock(success)

	s, at = beginAt(3)
	end(s, at.Add(time.Nanosecond), nil, false)
	want("well", ledger.Stream{Source: "shop", Name: "orders", LastAttempt: at, LastSuccess: at, Complete: true})
	clock(at.Add(time.Nanosecond))
}

func TestFirstRecords(t *testing.T) {
	l := openReady(t, newPath(t))
	put(t, l, "shop", order("1", "a", 9), lead("1", 5, record.Keys{}), &record.Customer{Meta: meta("undated")},
		&record.Rate{Meta: meta("r"), Day: 1})
	put(t, l, "crm", &record.Account{Meta: meta("1"), CreatedAt: record.OnDate(record.DateDay(2024, time.January, 2))})
	put(t, l, "empty", &record.Account{Meta: meta("1")})
	got, err := snapshot(t, l).FirstRecords(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	first := map[string]int64{"shop": moment(5).N, "crm": moment(24).N}
	if diff := cmp.Diff(first, got); diff != "" {
		t.Errorf("first records (-want +got):\n%s", diff)
	}
}

func TestRates(t *testing.T) {
	l := openReady(t, newPath(t))
	rate := func(id string, coefficient int64) *record.Rate {
		return &record.Rate{
			Meta: meta(id), Day: 19723, Currency: "USD", Reference: "EUR",
			PerReference: record.Decimal{Coefficient: coefficient, Scale: 2, Known: true},
		}
	}
	read := func() (map[string]int64, int64) {
		t.Helper()
		s := snapshot(t, l)
		rates := map[string]int64{}
		if err := s.Rates(t.Context(), func(r ledger.SourceRate) error {
			rates[r.Source+" "+r.Rate.ID+" "+r.Rate.Currency] = r.Rate.PerReference.Coefficient
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		return rates, s.RatesVersion()
	}
	_, before := read()
	put(t, l, "ecb", rate("1", 110), rate("2", 111))
	put(t, l, "own", rate("1", 99))
	rates, first := read()
	if diff := cmp.Diff(map[string]int64{"ecb 1 USD": 110, "ecb 2 USD": 111, "own 1 USD": 99}, rates); diff != "" {
		t.Errorf("rates (-want +got):\n%s", diff)
	}
	put(t, l, "ecb", rate("1", 110), order("1", "a", 1))
	_, same := read()
	put(t, l, "ecb", rate("1", 112), deleted(rate("2", 111)))
	rates, after := read()
	if diff := cmp.Diff(map[string]int64{"ecb 1 USD": 112, "own 1 USD": 99}, rates); diff != "" {
		t.Errorf("rates after a correction (-want +got):\n%s", diff)
	}
	if first == before || same != first || after == same {
		t.Errorf("versions of the rates: %d, written %d, unchanged %d, corrected %d", before, first, same, after)
	}
}

// A snapshot does not see what is committed after it, and hinders nobody.
func TestSnapshotStandsStill(t *testing.T) {
	l := openReady(t, newPath(t))
	put(t, l, "shop", order("1", "a", 1))
	var inside bool
	s, err := l.Snapshot(t.Context(), func() { inside = true })
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if !inside {
		t.Error("Snapshot did not call begin")
	}
	put(t, l, "shop", order("2", "a", 2), order("3", "b", 3), deleted(order("1", "a", 1)))
	counts, err := s.Records(t.Context())
	if err != nil || counts[record.KindOrder] != 1 {
		t.Errorf("%d orders, %v; want the one of then", counts[record.KindOrder], err)
	}
	units := 0
	if err := s.Each(t.Context(), func(ledger.Unit) error { units++; return nil }); err != nil || units != 1 {
		t.Errorf("%d customers, %v; want the one of then", units, err)
	}
	stop := errors.New("stop")
	if err := s.Each(t.Context(), func(ledger.Unit) error { return stop }); !errors.Is(err, stop) {
		t.Errorf("Each returns %v, want the caller's error", err)
	}
	size, err := l.Size()
	if err != nil || size < 4096 {
		t.Errorf("the ledger has %d bytes, %v", size, err)
	}
}

func TestSnapshotLoad(t *testing.T) {
	l := openReady(t, newPath(t))
	put(t, l, "shop", order("1", "a", 1), order("2", "b", 2), customer("a", 1, email("x@example.com")),
		customer("b", 2, email("x@example.com")), order("3", "c", 3), order("4", "", 4))
	s := snapshot(t, l)
	units := 0
	if err := s.Each(t.Context(), func(u ledger.Unit) error {
		units++
		want, err := eventTexts(s.Text, u)
		if err != nil {
			return err
		}
		again, err := s.Load(t.Context(), u.ID)
		if err != nil {
			return err
		}
		got, err := eventTexts(s.Text, again)
		if diff := cmp.Diff(want, got); diff != "" || again.ID != u.ID {
			t.Errorf("unit %d loads as %d (-want +got):\n%s", u.ID, again.ID, diff)
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if units != 3 {
		t.Errorf("%d units, want 2 customers and a guest's order", units)
	}
	for _, id := range []int64{1 << 40, -1 << 40} {
		if u, err := s.Load(t.Context(), id); err != nil || len(u.Histories) != 0 {
			t.Errorf("unit %d, which is not there: %v, %v", id, u, err)
		}
	}
}
