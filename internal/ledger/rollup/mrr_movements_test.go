package rollup

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/b2bexporter/b2b_exporter/internal/ledger/history"
	"github.com/b2bexporter/b2b_exporter/internal/record"
	"github.com/b2bexporter/b2b_exporter/internal/window"
)

// text writes money with two digits.
func (m Money) text() string {
	switch {
	case m.NoRate:
		return "no rate"
	case m.Value == nil:
		return "not known"
	}
	return m.Value.FloatString(2)
}

// told writes what moved, and what rates did.
func told(b *mrrBook, r window.Range) string {
	var list []string
	for m, moved := range b.moved(r) {
		if text := moved.text(); text != "0.00" {
			list = append(list, Movement(m).String()+" "+text)
		}
	}
	if text := b.fx(r).text(); text != "0.00" {
		list = append(list, "fx "+text)
	}
	return strings.Join(list, ", ")
}

const million = record.MicrosPerUnit

// Each of a few lives of customers, over a window in the middle of them.
func TestMRRMovements(t *testing.T) {
	c := window.New(time.UTC)
	day := func(n int) int64 { return c.Start(window.DateDay(2024, time.May, n)) }
	const noon = 43200e6
	for _, test := range []struct {
		name              string
		set               func(*mrrWorld)
		start, end, moved string
	}{
		{"new", func(w *mrrWorld) { w.step(0, day(12), euro, 0, 100*million) }, "0.00", "100.00", "new 100.00"},
		{"at the start of the window", func(w *mrrWorld) { w.step(0, day(10), euro, 0, 100*million) }, "0.00", "100.00", "new 100.00"},
		{"at its end", func(w *mrrWorld) { w.step(0, day(20), euro, 0, 100*million) }, "0.00", "0.00", ""},
		{"before it", func(w *mrrWorld) { w.step(0, day(10)-1, euro, 0, 100*million) }, "100.00", "100.00", ""},
		{"expansion and contraction", func(w *mrrWorld) {
			w.step(0, day(1), euro, 0, 100*million)
			w.step(0, day(12), euro, 100*million, 150*million)
			w.step(0, day(13), euro, 150*million, 120*million)
		}, "100.00", "120.00", "expansion 50.00, contraction 30.00"},
		{"a second subscription is expansion, the loss of one contraction", func(w *mrrWorld) {
			w.step(0, day(1), euro, 0, 100*million)
			w.step(0, day(12), euro, 0, 70*million)
			w.step(0, day(13), euro, 100*million, 0)
		}, "100.00", "70.00", "expansion 70.00, contraction 100.00"},
		{"churn and reactivation", func(w *mrrWorld) {
			w.step(0, day(1), euro, 0, 100*million)
			w.step(0, day(12), euro, 100*million, 0)
			w.step(0, day(13), euro, 0, 60*million)
		}, "100.00", "60.00", "churn 100.00, reactivation 60.00"},
		{"lost before the window", func(w *mrrWorld) {
			w.step(0, day(1), euro, 0, 100*million)
			w.step(0, day(2), euro, 100*million, 0)
			w.step(0, day(13), euro, 0, 60*million)
		}, "0.00", "60.00", "reactivation 60.00"},
		{"a plan that replaces another at one instant", func(w *mrrWorld) {
			w.step(0, day(1), euro, 0, 100*million)
			w.step(0, day(12)+noon, euro, 100*million, 0)
			w.step(0, day(12)+noon, euro, 0, 130*million)
		}, "100.00", "130.00", "expansion 30.00"},
		{"one that costs as much", func(w *mrrWorld) {
			w.step(0, day(1), euro, 0, 100*million)
			w.step(0, day(12), euro, 100*million, 0)
			w.step(0, day(12), euro, 0, 100*million)
		}, "100.00", "100.00", ""},
		{"two customers are not netted", func(w *mrrWorld) {
			w.step(0, day(1), euro, 0, 100*million)
			w.step(0, day(12), euro, 100*million, 0)
			w.step(1, day(12), euro, 0, 100*million)
		}, "100.00", "100.00", "new 100.00, churn 100.00"},
		{"two subscriptions from one instant on", func(w *mrrWorld) {
			w.step(0, day(12), euro, 0, 100*million)
			w.step(0, day(12), euro, 0, 70*million)
		}, "0.00", "170.00", "new 170.00"},
		{"both until one instant", func(w *mrrWorld) {
			w.step(0, day(1), euro, 0, 100*million)
			w.step(0, day(2), euro, 0, 70*million)
			w.step(0, day(12), euro, 100*million, 0)
			w.step(0, day(12), euro, 70*million, 0)
		}, "170.00", "0.00", "churn 170.00"},
		{"one after the other", func(w *mrrWorld) {
			w.step(0, day(1), euro, 0, 100*million)
			w.step(0, day(1), euro, 0, 70*million)
			w.step(0, day(12), euro, 100*million, 0)
			w.step(0, day(12)+1, euro, 70*million, 0)
		}, "170.00", "0.00", "contraction 100.00, churn 70.00"},
		{"one that ended as it began was never had", func(w *mrrWorld) {
			w.step(0, day(1), euro, 0, 100*million)
			w.step(0, day(1), euro, 100*million, 0)
			w.step(0, day(12), euro, 0, 60*million)
		}, "0.00", "60.00", "new 60.00"},
		{"what another customer had", func(w *mrrWorld) {
			w.step(0, day(1), euro, 0, 100*million)
			w.step(0, day(2), euro, 100*million, 0)
			w.step(1, day(12), euro, 0, 60*million)
		}, "0.00", "60.00", "new 60.00"},
		// A euro is worth 2 dollars, from the 15th on 2.5: what 100 dollars are worth falls from
		// 50 to 40.
		{"held while the rate changes", func(w *mrrWorld) { w.step(0, day(1), dollar, 0, 100*million) }, "50.00", "40.00", "fx -10.00"},
		{"bought before the rate changes", func(w *mrrWorld) { w.step(0, day(14)+noon, dollar, 0, 100*million) }, "0.00", "40.00", "new 50.00, fx -10.00"},
		{"bought at the very instant", func(w *mrrWorld) { w.step(0, day(15), dollar, 0, 100*million) }, "0.00", "40.00", "new 40.00"},
		{"lost just before it", func(w *mrrWorld) {
			w.step(0, day(1), dollar, 0, 100*million)
			w.step(0, day(15)-1, dollar, 100*million, 0)
		}, "50.00", "0.00", "churn 50.00"},
		{"lost at the very instant", func(w *mrrWorld) {
			w.step(0, day(1), dollar, 0, 100*million)
			w.step(0, day(15), dollar, 100*million, 0)
		}, "50.00", "0.00", "churn 40.00, fx -10.00"},
		{"from dollars to euros for less", func(w *mrrWorld) {
			w.step(0, day(1), dollar, 0, 100*million)
			w.step(0, day(12), dollar, 100*million, 0)
			w.step(0, day(12), euro, 0, 45*million)
		}, "50.00", "45.00", "contraction 5.00"},
		{"the same at a rate at which it is more", func(w *mrrWorld) {
			w.step(0, day(1), dollar, 0, 100*million)
			w.step(0, day(16), dollar, 100*million, 0)
			w.step(0, day(16), euro, 0, 45*million)
		}, "50.00", "45.00", "expansion 5.00, fx -10.00"},
		{"from dollars to as many euros as they are worth", func(w *mrrWorld) {
			w.step(0, day(1), dollar, 0, 100*million)
			w.step(0, day(12), dollar, 100*million, 0)
			w.step(0, day(12), euro, 0, 50*million)
		}, "50.00", "50.00", ""},
		{"from dollars to euros for more, at the rate of that day", func(w *mrrWorld) {
			w.step(0, day(1), dollar, 0, 100*million)
			w.step(0, day(15), dollar, 100*million, 0)
			w.step(0, day(15), euro, 0, 45*million)
		}, "50.00", "45.00", "expansion 5.00, fx -10.00"},
		{"what was lost in euros, in dollars", func(w *mrrWorld) {
			w.step(0, day(1), euro, 0, 100*million)
			w.step(0, day(2), euro, 100*million, 0)
			w.step(0, day(16), dollar, 0, 100*million)
		}, "0.00", "40.00", "reactivation 40.00"},
		{"one of two currencies", func(w *mrrWorld) {
			w.step(0, day(1), dollar, 0, 100*million)
			w.step(0, day(1), euro, 0, 30*million)
			w.step(0, day(12), dollar, 100*million, 0)
		}, "80.00", "30.00", "contraction 50.00"},
		// There is no rate of the yen.
		{"without a rate", func(w *mrrWorld) { w.step(0, day(12), yen, 0, 100*million) }, "0.00", "no rate", "new no rate, fx no rate"},
		{"lost without a rate, and gained with one", func(w *mrrWorld) {
			w.step(0, day(12), yen, 0, 100*million)
			w.step(0, day(13), yen, 100*million, 0)
			w.step(0, day(13), euro, 0, 50*million)
		}, "0.00", "50.00", "new no rate, expansion no rate, contraction no rate, fx no rate"},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := newMRRWorld(c)
			w.publish(dollar, window.DateDay(2024, time.January, 1), 2000)
			w.publish(dollar, window.DateDay(2024, time.May, 15), 2500)
			test.set(w)
			b, r := w.book(), window.Range{Start: day(10), End: day(20)}
			if got := b.standsAt(r.Start).text(); got != test.start {
				t.Errorf("start %s, want %s", got, test.start)
			}
			if got := b.standsAt(r.End).text(); got != test.end {
				t.Errorf("end %s, want %s", got, test.end)
			}
			if got := told(b, r); got != test.moved {
				t.Errorf("moved: %s, want %s", got, test.moved)
			}
		})
	}
}

// What is not known is neither 0 nor a loss, as long as nothing else is known.
func TestMRRNotKnown(t *testing.T) {
	c := window.New(time.UTC)
	day := func(n int) int64 { return c.Start(window.DateDay(2024, time.May, n)) }
	r := window.Range{Start: day(10), End: day(20)}
	w := newMRRWorld(c)
	w.customers = [][]history.Event{{{Kind: history.Revenue, Flags: history.HasDiscount, T: day(12), Currency: euro}}}
	b := w.book()
	if stands, moved := b.standsAt(r.End).text(), b.moved(r)[MovementNew].text(); stands != "not known" || moved != "not known" {
		t.Errorf("one subscription: MRR %s, new %s", stands, moved)
	}
	if stands, moved := b.standsAt(r.Start).text(), b.moved(window.Range{Start: day(1), End: day(10)})[MovementNew].text(); stands != "0.00" || moved != "0.00" {
		t.Errorf("before it: MRR %s, new %s", stands, moved)
	}
	w.step(1, day(13), euro, 0, 70*million)
	b = w.book()
	if stands, moved := b.standsAt(r.End).text(), b.moved(r)[MovementNew].text(); stands != "70.00" || moved != "70.00" {
		t.Errorf("with another that is known: MRR %s, new %s", stands, moved)
	}
}

// Which of two revenues is the lower depends on the rates of what they differ in.
func TestLower(t *testing.T) {
	of := func(euros, yens int64) revenue {
		var r revenue
		r.add(part{currency: euro, micros: record.Wide(euros), live: 1, known: 1}, 1)
		r.add(part{currency: yen, micros: record.Wide(yens), live: 1, known: 1}, 1)
		return r
	}
	w := newMRRWorld(window.New(time.UTC))
	w.publish(yen, 0, 250) // a yen is worth 4 euros
	for _, test := range []struct {
		a, b, least revenue
		day         window.Day
		ok          bool
	}{
		{of(5, 1), of(7, 1), of(5, 1), 0, true},
		{of(7, 1), of(5, 1), of(5, 1), 0, true},
		{of(5, 2), of(7, 1), of(7, 1), 0, true}, // 13 and 11
		{of(7, 1), of(5, 2), of(7, 1), 0, true},
		{nil, of(7, 1), nil, 0, true},
		{of(5, 1), of(7, 1), of(5, 1), -1, true}, // before any rate
		{of(5, 2), of(7, 1), of(5, 2), -1, false},
	} {
		least, ok := lower(test.a, test.b, w.rates.of(test.day))
		if ok != test.ok || !slices.Equal(least, test.least) {
			t.Errorf("lower of %v and %v: %v, %v, want %v, %v", test.a, test.b, least, ok, test.least, test.ok)
		}
	}
}
