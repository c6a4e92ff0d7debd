package rollup

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/b2bexporter/b2b_exporter/internal/ledger"
	"github.com/b2bexporter/b2b_exporter/internal/record"
	"github.com/b2bexporter/b2b_exporter/internal/window"
)

func noon() int64 { return time.Date(2024, 7, 10, 12, 0, 0, 0, time.UTC).UnixMicro() }

// shopOrder is an order some hours before noon.
func shopOrder(id, customer string, hours int, gross int64, currency string) *record.Order {
	return &record.Order{
		Meta: record.Meta{ID: id}, Customer: record.RefTo(customer), Currency: currency, Gross: units(gross),
		PlacedAt: record.At(time.UnixMicro(noon()).Add(-time.Duration(hours) * time.Hour)),
	}
}

func deleted(id string) *record.Order { return &record.Order{Meta: record.Meta{ID: id, Deleted: true}} }

// afresh returns the figures of an engine that has just been started.
func afresh(t *testing.T, l *ledger.Ledger, e *Engine, asOf int64) *View {
	t.Helper()
	return view(t, newEngine(l, e.o, e.order), asOf)
}

// The largest customer is found again when all that were known to be large are gone,
// and the first order when that is gone.
func TestReadsAgainWhatItForgot(t *testing.T) {
	l := newLedger(t, time.UTC)
	e := New(l, options(window.Span{Days: 180}), []string{"shop"})
	var records []record.Record
	const customers = topSize + 10
	for i := range customers {
		records = append(records, shopOrder(numbered("o", i), numbered("c", i), 1+i, int64(i+1), "EUR"))
	}
	commit(t, l, records...)
	largest := func(want int64) {
		t.Helper()
		v := view(t, e, noon())
		compareViews(t, "largest", v, afresh(t, l, e, noon()))
		for _, w := range v.Windows {
			if w.Name == window.MTD && w.Role == Current {
				if w.Largest.Value == nil || !w.Largest.Value.IsInt() || w.Largest.Value.Num().Int64() != want {
					t.Errorf("the largest customer of mtd brought %v, want %d", w.Largest.Value, want)
				}
			}
		}
	}
	largest(customers)
	records = nil
	for i := 5; i < customers; i++ {
		records = append(records, deleted(numbered("o", i)))
	}
	commit(t, l, records...)
	largest(5)
	if v := view(t, e, noon()); v.FirstOrder != noon()-5*3600e6 {
		t.Errorf("the first order is %s before noon", time.Duration(noon()-v.FirstOrder)*time.Microsecond)
	}
	for i := range 5 {
		commit(t, l, deleted(numbered("o", i)))
	}
	if v := view(t, e, noon()); v.HasFirst || v.Active != 0 {
		t.Errorf("without any order there is a first one: %v, %d active", v.HasFirst, v.Active)
	}
}

// A rate that is new, late or gone changes what is converted already.
func TestFollowsRates(t *testing.T) {
	l := newLedger(t, time.UTC)
	e := New(l, options(window.Span{Days: 180}), []string{"shop"})
	rate := func(day int, coefficient int64) *record.Rate {
		return &record.Rate{
			Meta: record.Meta{ID: numbered("r", day)}, Day: record.DateDay(2024, 7, day), Currency: "USD", Reference: "EUR",
			PerReference: record.Decimal{Coefficient: coefficient, Scale: 2, Known: true},
		}
	}
	check := func(when, want string) {
		t.Helper()
		v := view(t, e, noon())
		compareViews(t, when, v, afresh(t, l, e, noon()))
		for _, w := range v.Windows {
			if w.Name != window.MTD || w.Role != Current {
				continue
			}
			got := "no rate"
			if !w.Net.NoRate {
				got = w.Net.Value.FloatString(2)
			}
			if got != want {
				t.Errorf("%s: net revenue of mtd is %s, want %s", when, got, want)
			}
		}
	}
	commit(t, l, shopOrder("o1", "acme", 1, 100, "EUR"))
	check("without any foreign amount", "100.00")
	commit(t, l, shopOrder("o2", "acme", 1, 100, "USD"))
	check("without a rate", "no rate")
	commit(t, l, rate(8, 200))
	check("with a rate of the day before yesterday", "150.00")
	commit(t, l, rate(9, 100))
	check("with a later one", "200.00")
	commit(t, l, &record.Rate{Meta: record.Meta{ID: "r9", Deleted: true}})
	check("without it", "150.00")
	commit(t, l, rate(8, 0))
	check("with a rate of 0, which is none", "no rate")
	commit(t, l, deleted("o2"))
	check("without the foreign order", "100.00")
}

// After a Reset, too many changes, or a View that failed halfway, everything is read again.
func TestStartsOver(t *testing.T) {
	l := newLedger(t, time.UTC)
	e := New(l, options(window.Span{Days: 180}), []string{"shop"})
	n := 0
	change := func() {
		n++
		commit(t, l, shopOrder(numbered("o", n), numbered("c", n), n, 10, "EUR"))
	}
	check := func(when string) {
		t.Helper()
		v := view(t, e, noon())
		compareViews(t, when, v, afresh(t, l, e, noon()))
		if v.Active != int64(n) {
			t.Errorf("%s: %d customers are active, want %d", when, v.Active, n)
		}
	}
	change()
	check("at first")
	change()
	e.Reset()
	change()
	check("after a reset")

	e.Apply(make([]ledger.Unit, maxQueued), make([]ledger.Unit, 1))
	if len(e.queue) != 0 || !e.reset {
		t.Errorf("%d changes are queued, reset %v", len(e.queue), e.reset)
	}
	change()
	check("after too many changes")

	change()
	stopped, stop := context.WithCancel(t.Context())
	stop()
	if v, err := e.View(stopped, noon()); !errors.Is(err, context.Canceled) || v != nil {
		t.Errorf("stopped: %v, %v", v, err)
	}
	check("after one that was stopped")

	// A history that cannot be read leaves totals of which nobody knows what they hold.
	change()
	e.Apply([]ledger.Unit{{ID: 1, Histories: [][]byte{{0xff}}}}, nil)
	if v, err := e.View(t.Context(), noon()); err == nil || v != nil {
		t.Errorf("with a damaged history: %v, %v", v, err)
	}
	check("after a damaged history")
}

// The figures that were handed out stay as they are when others are computed.
func TestViewsAreImmutable(t *testing.T) {
	l := newLedger(t, time.UTC)
	e := New(l, options(window.Span{Days: 180}), []string{"shop"})
	commit(t, l, shopOrder("o1", "acme", 1, 100, "EUR"), shopOrder("o2", "acme", 30, 100, "USD"))
	before := view(t, e, noon())
	same := afresh(t, l, e, noon())
	commit(t, l, shopOrder("o3", "bolt", 2, 500, "EUR"), deleted("o2"))
	if v := view(t, e, noon()+60e6); v.Active != 2 {
		t.Errorf("%d customers are active", v.Active)
	}
	compareViews(t, "after others were computed", before, same)
}

// While a stream is read for the first time nothing is followed: all of it is read again.
func TestFirstReadingIsNotFollowed(t *testing.T) {
	l := newLedger(t, time.UTC)
	e := New(l, options(window.Span{Days: 180}), []string{"shop"})
	session, err := l.Begin(t.Context(), "shop", "orders", record.Kinds(), false, time.Unix(0, 0))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := session.Commit(t.Context(), ledger.Batch{Records: []record.Record{shopOrder("o", "c", 1, 7, "EUR")}}); err != nil {
		t.Fatal(err)
	}
	view(t, e, noon())
	if e.Watching() {
		t.Error("the first reading of a stream is followed")
	}
	if err := session.End(t.Context(), time.Unix(0, 0), errors.New("refused"), false); err != nil {
		t.Fatal(err)
	}
	if view(t, e, noon()); !e.Watching() {
		t.Error("a stream that failed keeps the others from being followed")
	}
	commit(t, l, shopOrder("p", "c", 2, 7, "EUR"))
	compareViews(t, "after the first reading", view(t, e, noon()), afresh(t, l, e, noon()))
}
