package rollup

import (
	"errors"
	"fmt"
	"math"
	"math/big"
	"slices"
	"strconv"
	"sync"
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

// mrrFigures are what a book says of a window.
type mrrFigures struct {
	start, end, fx Money
	moved          [Movements]Money
}

func figures(b *mrrBook, r window.Range) mrrFigures {
	return mrrFigures{b.standsAt(r.Start), b.standsAt(r.End), b.fx(r), b.moved(r)}
}

// identity is what is wrong with a window: start + movements = end.
func (w *mrrWorld) identity(f *mrrFigures, r window.Range) error {
	sum := new(big.Rat).Add(f.start.Value, f.fx.Value)
	for m, moved := range f.moved {
		if m := Movement(m); m == MovementContraction || m == MovementChurn {
			sum.Sub(sum, moved.Value)
		} else {
			sum.Add(sum, moved.Value)
		}
	}
	if sum.Cmp(f.end.Value) != 0 {
		return fmt.Errorf("start + movements = %s, the end is %s", sum, f.end.Value)
	}
	for t, m := range map[int64]Money{r.Start: f.start, r.End: f.end} {
		if want := w.at(t); m.Value.Cmp(want) != 0 {
			return fmt.Errorf("MRR is %s, want %s", m.Value, want)
		}
	}
	return nil
}

// moneys are amounts by currency.
type moneys [yen + 1]int64

// brings is what a customer brings at t, the sum of the changes before it.
func (w *mrrWorld) brings(customer int, t int64) (sum moneys) {
	for _, e := range w.customers[customer] {
		if e.T < t {
			sum[e.Currency] += e.Gross - e.Discount
		}
	}
	return sum
}

// at is what all customers bring at t, at the rates of its day.
func (w *mrrWorld) at(t int64) *big.Rat {
	var sum moneys
	for customer := range w.customers {
		for currency, amount := range w.brings(customer, t) {
			sum[currency] += amount
		}
	}
	return inMoney(w.gain(moneys{}, sum, w.calendar.Day(t)))
}

// gain is by how much b is worth more than a on a day, in 10^-6.
func (w *mrrWorld) gain(a, b moneys, day window.Day) *big.Rat {
	sum := new(big.Rat)
	for currency := range a {
		if a[currency] != b[currency] {
			rate, ok := w.rates.exact(history.Dict(currency), day)
			if !ok {
				panic("the test has no rate")
			}
			change := big.NewRat(b[currency]-a[currency], 1)
			sum.Add(sum, change.Mul(change, rate))
		}
	}
	return sum
}

// moved is what moved in a window, worked out instant by instant from what every customer
// brings before and after it, and whether it ever brought anything before.
func (w *mrrWorld) moved(r window.Range) [Movements]*big.Rat {
	var sums [Movements]*big.Rat
	for m := range sums {
		sums[m] = new(big.Rat)
	}
	for customer, events := range w.customers {
		had := func(t int64) bool {
			return slices.ContainsFunc(events, func(e history.Event) bool { return e.T < t && w.brings(customer, e.T+1) != moneys{} })
		}
		seen := map[int64]bool{}
		for _, e := range events {
			if e.T < r.Start || e.T >= r.End || seen[e.T] {
				continue
			}
			seen[e.T] = true
			before, after := w.brings(customer, e.T), w.brings(customer, e.T+1)
			gain := w.gain(before, after, w.calendar.Day(e.T))
			var m Movement
			switch nothing := (moneys{}); {
			case gain.Sign() == 0:
				continue
			case before == nothing && had(e.T):
				m = MovementReactivation
			case before == nothing:
				m = MovementNew
			case after == nothing:
				m = MovementChurn
			case gain.Sign() > 0:
				m = MovementExpansion
			default:
				m = MovementContraction
			}
			sums[m].Add(sums[m], gain.Abs(gain))
		}
	}
	for _, sum := range sums {
		inMoney(sum)
	}
	return sums
}

// classes is what is wrong with the movements of a window.
func (w *mrrWorld) classes(f *mrrFigures, r window.Range) error {
	for m, want := range w.moved(r) {
		if got := f.moved[m].Value; got.Cmp(want) != 0 {
			return fmt.Errorf("%s is %s, want %s", Movement(m), got, want)
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
	for customer := range rapid.SampledFrom([]int{2, 3, 1, 3}).Draw(t, "customers") {
		w.customers = append(w.customers, nil)
		for range rapid.SampledFrom([]int{1, 2, 1, 3}).Draw(t, "subscriptions") {
			currency := rapid.SampledFrom([]history.Dict{euro, dollar, yen}).Draw(t, "currency")
			times := rapid.SliceOfNDistinct(moment, 2, 6, rapid.ID[int64]).Draw(t, "times")
			slices.Sort(times)
			var before int64
			for _, at := range times {
				after := rapid.SampledFrom([]int64{100e6, 0, 0, 1, 333_333_333, 9_000_000_000_000_000}).Draw(t, "amount")
				w.step(customer, at, currency, before, after)
				before = after
			}
		}
	}
	return w
}

// mrrSeen counts histories, those with changes, and windows in which something moved.
type mrrSeen struct {
	histories, changed int
	moved              [Movements]int
	fx, all            int // all: each of the movements, and fx
}

func (s *mrrSeen) count(b *mrrBook, f *mrrFigures) {
	s.histories++
	if len(b.days) > 0 {
		s.changed++
	}
	kinds := 0
	for m, moved := range f.moved {
		if moved.Value.Sign() != 0 {
			s.moved[m]++
			kinds++
		}
	}
	if f.fx.Value.Sign() != 0 {
		s.fx++
		kinds++
	}
	if kinds > len(f.moved) {
		s.all++
	}
}

func (s *mrrSeen) add(other *mrrSeen) {
	s.histories += other.histories
	s.changed += other.changed
	for m, n := range other.moved {
		s.moved[m] += n
	}
	s.fx += other.fx
	s.all += other.all
}

// TestMRRIdentity holds four times as many histories as -rapid.checks says, a million in
// "make test", against what defines the figures. Over any window of any history what was held,
// what changed and what rates did to it add up to what is held, to the last digit, and each
// change is the movement that it is by what the customer had before, has after it, and ever had.
func TestMRRIdentity(t *testing.T) {
	first := window.DateDay(2024, time.March, 28) // clocks change on the fourth day
	bounds := []int64{0, 1, 3600e6, 43200e6}
	var seen mrrSeen
	var mu sync.Mutex
	t.Run("histories", func(t *testing.T) {
		for i := range 4 {
			t.Run(strconv.Itoa(i), func(t *testing.T) {
				t.Parallel()
				c := window.New(zone(t, "Europe/Berlin"))
				var part mrrSeen
				rapid.Check(t, func(t *rapid.T) {
					w := drawMRR(t, c, first)
					b := w.book()
					moment := func(name string, from, to int) int64 {
						return c.Start(first+window.Day(rapid.IntRange(from, to).Draw(t, name))) + rapid.SampledFrom(bounds).Draw(t, name)
					}
					r := window.Range{Start: moment("start", -1, 6), End: moment("end", 4, 10)}
					r.Start, r.End = min(r.Start, r.End), max(r.Start, r.End)
					f := figures(b, r)
					if err := errors.Join(w.identity(&f, r), w.classes(&f, r)); err != nil {
						t.Fatal(err)
					}
					part.count(b, &f)
				})
				mu.Lock()
				defer mu.Unlock()
				seen.add(&part)
			})
		}
	})
	few := seen.histories / 10
	for m, n := range seen.moved {
		if n < few {
			t.Errorf("%s in %d windows of %d: they test too little of it", Movement(m), n, seen.histories)
		}
	}
	if seen.fx < few || seen.all < few/2 || seen.histories-seen.changed > few {
		t.Errorf("windows and histories test too little: %+v", seen)
	}
}
