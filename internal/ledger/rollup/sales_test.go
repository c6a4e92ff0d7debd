package rollup

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/b2bexporter/b2b_exporter/internal/ledger/history"
	"github.com/b2bexporter/b2b_exporter/internal/record"
	"github.com/b2bexporter/b2b_exporter/internal/window"
)

// A day's list of single events does not grow with what is taken back, and says
// the same afterwards.
func TestCompact(t *testing.T) {
	c := window.New(time.UTC)
	asOf := time.Date(2024, 7, 10, 12, 0, 0, 0, time.UTC).UnixMicro()
	p := newPlan(c, options(window.Span{Days: 180}), asOf)
	s := newSales(c, p)
	event := func(n int64) *history.Event {
		return &history.Event{
			Kind: history.Order, Flags: history.HasMoney | history.OfStore, T: asOf - n%7*3600e6, Source: 1, Territory: history.Dict(n % 3), Gross: n % 5,
		}
	}
	r := &rates{home: 0}
	sums := func() map[string]record.Int128 {
		all := map[string]record.Int128{}
		for _, w := range p.windows {
			for k, a := range s.window(r, w, func(k cellKey) (SalesKey, bool) {
				return SalesKey{Store: numbered("", int(k.label))}, k.dimension == byTerritory
			}) {
				all[numbered(string(w.Name), int(w.Role))+k.Store] = a.gross.home
				all[numbered(string(w.Name), int(w.Role))+k.Store+" orders"] = record.Wide(a.counts.orders)
			}
		}
		return all
	}
	today := c.Day(asOf)
	length := func() int { return len(s.parts[today]) }
	for n := range int64(200) {
		s.add(event(n), 1, 1)
	}
	want, held := sums(), length()
	if held != 400 || len(want) == 0 {
		t.Fatalf("%d entries, sums %v", held, want)
	}
	s.compact()
	if length() != held {
		t.Errorf("nothing was taken back, and %d of %d entries are left", length(), held)
	}
	// The same 200 orders change their channel back and forth.
	for range 10 {
		for n := range int64(200) {
			s.add(event(n), 1, -1)
			s.add(event(n), 2, 1)
			s.add(event(n), 2, -1)
			s.add(event(n), 1, 1)
		}
	}
	if diff := cmp.Diff(want, sums()); diff != "" {
		t.Errorf("before (-want +got):\n%s", diff)
	}
	if length() < 10*held {
		t.Fatalf("the list has %d entries: this tests nothing", length())
	}
	s.compact()
	if length() != held {
		t.Errorf("the list has %d entries, want %d", length(), held)
	}
	if diff := cmp.Diff(want, sums()); diff != "" {
		t.Errorf("after (-want +got):\n%s", diff)
	}
	// What is held can still be taken back.
	for n := range int64(200) {
		s.add(event(n), 1, -1)
	}
	if got := sums(); len(got) != 0 {
		t.Errorf("with everything taken back the sums are %v", got)
	}
}
