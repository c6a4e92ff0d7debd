package rollup

import (
	"math/big"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/b2bexporter/b2b_exporter/internal/ledger/history"
	"github.com/b2bexporter/b2b_exporter/internal/record"
	"github.com/b2bexporter/b2b_exporter/internal/window"
)

const home history.Dict = 1

// randomRates draws rates of two foreign currencies and the reporting one against a
// reference, for days 10 to 30.
func randomRates(t *rapid.T) *rates {
	list := func() []published {
		var l []published
		for _, day := range rapid.SliceOfNDistinct(rapid.Int32Range(10, 30), 1, 6, rapid.ID[int32]).Draw(t, "days") {
			l = append(l, published{window.Day(day), record.Decimal{
				Coefficient: rapid.Int64Range(1, 9_999_999).Draw(t, "coefficient"), Scale: uint8(rapid.IntRange(0, 6).Draw(t, "scale")), Known: true,
			}})
		}
		slices.SortFunc(l, func(a, b published) int { return int(a.day) - int(b.day) })
		return l
	}
	to := list()
	return &rates{home: home, cache: map[key]*factor{}, quotes: map[history.Dict][]quote{
		2: {{from: list(), to: to}}, 3: {{to: to}, {from: list()}},
	}}
}

// convertExactly converts micros as the rules say, in fractions.
func convertExactly(r *rates, k key, micros int64) (*big.Rat, bool) {
	amount := big.NewRat(micros, record.MicrosPerUnit)
	if k.currency == home {
		return amount, true
	}
	lastOf := func(list []published) *big.Rat {
		var rate *big.Rat
		for _, p := range list {
			if p.day <= k.day {
				rate = p.rate.Rat()
			}
		}
		return rate
	}
	for _, q := range r.quotes[k.currency] {
		from, to := big.NewRat(1, 1), big.NewRat(1, 1)
		if q.from != nil {
			from = lastOf(q.from)
		}
		if q.to != nil {
			to = lastOf(q.to)
		}
		if from != nil && to != nil {
			return amount.Mul(amount, to).Quo(amount, from), true
		}
	}
	return nil, false
}

// Sums of converted amounts are exact to far below what is exposed, in whatever
// order they were added, taken out and joined.
func TestConversion(t *testing.T) {
	tolerance := big.NewRat(1, 1_000_000_000_000_000)
	rapid.Check(t, func(t *rapid.T) {
		r := randomRates(t)
		exact := new(big.Rat)
		noRate := false
		var sum, other bag
		var brought takings
		var converted total
		records := int64(rapid.IntRange(0, 40).Draw(t, "records"))
		for range records {
			k := key{history.Dict(rapid.IntRange(1, 4).Draw(t, "currency")), window.Day(rapid.IntRange(5, 35).Draw(t, "day"))}
			if k.currency == 4 && rapid.IntRange(0, 9).Draw(t, "rare") > 0 {
				k.currency = home // of currency 4 there is no rate at all
			}
			micros := rapid.Int64Range(-9_000_000_000_000_000_000, 9_000_000_000_000_000_000).Draw(t, "micros")
			var part takings
			for _, to := range []*takings{&part, &brought} {
				to.records++
				to.known++
				if k.currency == home {
					to.home = to.home.Add(record.Wide(micros))
				} else {
					to.addForeign(k, record.Wide(micros))
				}
			}
			// Some are added twice and taken out once.
			to := &sum
			if rapid.Bool().Draw(t, "elsewhere") {
				to = &other
			}
			to.add(&part, 1)
			if rapid.Bool().Draw(t, "again") {
				to.add(&part, 1)
				to.add(&part, -1)
			}
			// Others come and go.
			gone := takings{records: 1, known: 1}
			gone.addForeign(key{4, k.day}, record.Wide(micros))
			sum.add(&gone, 1)
			sum.add(&gone, -1)
			var one total
			one.add(r, k, record.Wide(micros))
			converted.plus(&one, 1)
			converted.plus(&one, -1)
			converted.plus(&one, 1)
			if v, ok := convertExactly(r, k, micros); ok {
				exact.Add(exact, v)
			} else {
				noRate = true
			}
		}
		sum.addBag(&other, 1)
		for name, got := range map[string]Money{
			"bag": sum.money(r), "takings": brought.money(r), "total": converted.money(records, records),
		} {
			switch {
			case got.NoRate != noRate || got.Records != records || got.Known != records:
				t.Fatalf("%s: %+v, want no rate %v of %d", name, got, noRate, records)
			case noRate != (got.Value == nil):
				t.Fatalf("%s: the value is %v", name, got.Value)
			case noRate:
			case new(big.Rat).Abs(new(big.Rat).Sub(got.Value, exact)).Cmp(tolerance) >= 0:
				t.Fatalf("%s: %s, want %s", name, got.Value.FloatString(30), exact.FloatString(30))
			}
		}
	})
}

// What is in the reporting currency only is exact to the last digit.
func TestHomeIsExact(t *testing.T) {
	b := bag{home: record.Wide(1<<62 - 1).Add(record.Wide(1<<62 - 1)).Add(record.Wide(1)), records: 3, known: 3}
	want, _ := new(big.Rat).SetString("9223372036854.775807")
	if got := b.money(&rates{home: home}); got.Value.Cmp(want) != 0 {
		t.Errorf("the sum is %s", got.Value.FloatString(7))
	}
	if got := (&bag{records: 2}).money(&rates{}); got.Value != nil || got.NoRate {
		t.Errorf("a sum over what has no amount is %+v", got)
	}
	if got := (&bag{}).money(&rates{}); got.Value == nil || got.Value.Sign() != 0 {
		t.Errorf("a sum over nothing is %+v", got)
	}
}

// Takings are put in order by their value, of which what has no rate is no part.
func TestComparable(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := randomRates(t)
		draw := func() (takings, *big.Rat) {
			var b takings
			exact := new(big.Rat)
			for range rapid.IntRange(0, 4).Draw(t, "n") {
				k := key{history.Dict(rapid.IntRange(1, 4).Draw(t, "currency")), window.Day(rapid.IntRange(5, 35).Draw(t, "day"))}
				micros := rapid.Int64Range(-1_000_000_000_000, 1_000_000_000_000).Draw(t, "micros")
				if k.currency == home {
					b.home = b.home.Add(record.Wide(micros))
				} else {
					b.addForeign(k, record.Wide(micros))
				}
				if v, ok := convertExactly(r, k, micros); ok {
					exact.Add(exact, v)
				}
			}
			return b, exact
		}
		a, exactA := draw()
		b, exactB := draw()
		// They are told apart from a millionth of a millionth on.
		if d := new(big.Rat).Sub(exactA, exactB); new(big.Rat).Abs(d).Cmp(big.NewRat(1, 1_000_000_000_000)) > 0 {
			if got := a.comparable(r).Cmp(b.comparable(r)); got != d.Sign() {
				t.Fatalf("%s compared with %s is %d", exactA.FloatString(20), exactB.FloatString(20), got)
			}
		}
	})
}
