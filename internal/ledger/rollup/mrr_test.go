package rollup

import (
	"flag"
	"fmt"
	"math"
	"math/big"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/b2bexporter/b2b_exporter/internal/ledger/history"
	"github.com/b2bexporter/b2b_exporter/internal/record"
	"github.com/b2bexporter/b2b_exporter/internal/window"
)

// Currencies of the tests; the first is the reporting one.
const (
	euro history.Dict = 1 + iota
	dollar
	yen
)

// mrrWorld are changes of a few customers over a few days, with rates that change daily.
type mrrWorld struct {
	calendar  *window.Calendar
	rates     *rates
	customers [][]history.Event
}

func newMRRWorld(c *window.Calendar) *mrrWorld {
	return &mrrWorld{calendar: c, rates: &rates{home: euro, quotes: map[history.Dict][]quote{}, cache: map[key]*factor{}}}
}

// publish says how many units of a currency a euro is worth from a day on, in thousandths.
func (w *mrrWorld) publish(currency history.Dict, day window.Day, thousandths int64) {
	if len(w.rates.quotes[currency]) == 0 {
		w.rates.quotes[currency] = []quote{{}}
	}
	q := &w.rates.quotes[currency][0]
	q.from = append(q.from, published{day, record.Decimal{Coefficient: thousandths, Scale: 3, Known: true}})
}

// step adds a change of a subscription of a customer, which is created as needed.
func (w *mrrWorld) step(customer int, t int64, currency history.Dict, before, after int64) {
	for len(w.customers) <= customer {
		w.customers = append(w.customers, nil)
	}
	w.customers[customer] = append(w.customers[customer], history.Event{
		Kind: history.Revenue, Flags: history.HasMoney | history.HasDiscount, T: t, Currency: currency, Gross: after, Discount: before,
	})
}

func (w *mrrWorld) changes(customer int) []mrrChange {
	events := slices.Clone(w.customers[customer])
	history.SortByTime(events)
	return mrrChanges(events, w.calendar.Day, w.rates.exact)
}

// book sums up everything; customers are added, and the odd ones taken out and added again.
func (w *mrrWorld) book() *mrrBook {
	t := &mrrTotals{
		sums: map[mrrKey]*mrrSum{}, singles: map[window.Day]map[int64]map[Movement]*mrrSum{},
		future: math.MinInt32, // all windows of the tests may begin and end within a day
	}
	for i := range w.customers {
		list := w.changes(i)
		t.add(list, 1)
		if i%2 == 1 {
			t.add(list, -1)
			t.add(list, 1)
		}
	}
	return newMRRBook(w.calendar, w.rates, t)
}

// at is the revenue at t, worked out change by change.
func (w *mrrWorld) at(t int64) *big.Rat {
	sum := new(big.Rat)
	for _, events := range w.customers {
		for _, e := range events {
			if e.T < t {
				rate, ok := w.rates.exact(e.Currency, w.calendar.Day(t))
				if !ok {
					panic("the test has no rate")
				}
				amount := big.NewRat(e.Gross-e.Discount, record.MicrosPerUnit)
				sum.Add(sum, amount.Mul(amount, rate))
			}
		}
	}
	return sum
}

// identity is what is wrong with a window: start + movements = end.
func (w *mrrWorld) identity(b *mrrBook, r window.Range) error {
	start, end, fx := b.standsAt(r.Start), b.standsAt(r.End), b.fx(r)
	sum := new(big.Rat).Add(start.Value, fx.Value)
	for m, moved := range b.moved(r) {
		if moved.Value.Sign() < 0 {
			return fmt.Errorf("%s is %s", Movement(m), moved.Value)
		}
		if m := Movement(m); m == MovementContraction || m == MovementChurn {
			sum.Sub(sum, moved.Value)
		} else {
			sum.Add(sum, moved.Value)
		}
	}
	if sum.Cmp(end.Value) != 0 {
		return fmt.Errorf("start + movements = %s, the end is %s", sum, end.Value)
	}
	for t, m := range map[int64]Money{r.Start: start, r.End: end} {
		if want := w.at(t); m.Value.Cmp(want) != 0 {
			return fmt.Errorf("MRR is %s, want %s", m.Value, want)
		}
	}
	return nil
}

// drawMRR draws subscriptions whose changes often fall on one instant, or on midnight.
func drawMRR(t *rapid.T, c *window.Calendar, first window.Day) *mrrWorld {
	const days = 9
	w := newMRRWorld(c)
	moment := rapid.Custom(func(t *rapid.T) int64 {
		day := first + window.Day(rapid.IntRange(0, days-1).Draw(t, "day"))
		return c.Start(day) + rapid.SampledFrom([]int64{0, 0, 1, 7200e6, 43200e6, -1}).Draw(t, "clock")
	})
	for _, currency := range []history.Dict{dollar, yen} {
		w.publish(currency, first-5, rapid.Int64Range(1, 2000).Draw(t, "rate"))
		for day := range window.Day(days + 1) {
			if rapid.IntRange(0, 2).Draw(t, "published") > 0 {
				w.publish(currency, first+day, rapid.Int64Range(1, 2000).Draw(t, "rate"))
			}
		}
	}
	for customer := range rapid.IntRange(1, 3).Draw(t, "customers") {
		w.customers = append(w.customers, nil)
		for range rapid.IntRange(0, 3).Draw(t, "subscriptions") {
			currency := rapid.SampledFrom([]history.Dict{euro, dollar, yen}).Draw(t, "currency")
			times := rapid.SliceOfNDistinct(moment, 0, 4, rapid.ID[int64]).Draw(t, "times")
			slices.Sort(times)
			var before int64
			for _, at := range times {
				after := rapid.SampledFrom([]int64{0, 0, 1, 100e6, 333_333_333, 9_000_000_000_000_000}).Draw(t, "amount")
				w.step(customer, at, currency, before, after)
				before = after
			}
		}
	}
	return w
}

// rounds is how often a property is checked as many times as -rapid.checks says: pure ones are
// cheap. Where that is given, once.
func rounds() int {
	if checks := flag.Lookup("rapid.checks"); checks.Value.String() != checks.DefValue || raceEnabled {
		return 1
	}
	return 1000
}

// Over any window of any history what was held, what changed and what rates did to it add
// up to what is held, to the last digit.
func TestMRRIdentity(t *testing.T) {
	c := window.New(zone(t, "Europe/Berlin"))
	first := window.DateDay(2024, time.March, 28) // clocks change on the fourth day
	bounds := []int64{0, 1, 3600e6, 43200e6}
	for range rounds() {
		rapid.Check(t, func(t *rapid.T) {
			w := drawMRR(t, c, first)
			b := w.book()
			moment := func(name string) int64 {
				return c.Start(first+window.Day(rapid.IntRange(-2, 10).Draw(t, name))) + rapid.SampledFrom(bounds).Draw(t, name)
			}
			r := window.Range{Start: moment("start"), End: moment("end")}
			r.Start, r.End = min(r.Start, r.End), max(r.Start, r.End)
			if err := w.identity(b, r); err != nil {
				t.Fatal(err)
			}
		})
	}
}
