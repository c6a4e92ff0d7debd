package rollup

import (
	"context"
	"math/big"
	"slices"

	"github.com/b2bexporter/b2b_exporter/internal/ledger"
	"github.com/b2bexporter/b2b_exporter/internal/ledger/history"
	"github.com/b2bexporter/b2b_exporter/internal/record"
	"github.com/b2bexporter/b2b_exporter/internal/window"
)

// Money is a sum of amounts in the reporting currency, or the lack of one.
type Money struct {
	// Value is in units of the reporting currency; nil where it is undefined.
	Value *big.Rat
	// NoRate: an amount's currency has no rate on or before its day.
	NoRate bool
	// Records counts what was asked for an amount, Known what had one: a sum over records of
	// which none has the amount is undefined.
	Records, Known int64
}

// fractionBits is the resolution at which foreign sums of a day are converted: 2^-128 of
// 10^-6 of a unit, so that a sum of millions of them is exact to far below 10^-6.
const fractionBits = 128

// key is a currency and the day whose rate converts it.
type key struct {
	currency history.Dict
	day      window.Day
}

// foreign is a sum of amounts in a foreign currency.
type foreign struct {
	sum record.Int128
	n   int64
}

// bag is an exact sum of amounts in several currencies: the reporting one, and the
// others by day until they are converted.
type bag struct {
	home    record.Int128
	records int64 // events asked for an amount
	known   int64 // events that had one
	foreign map[key]*foreign
}

// addForeign adds an amount of n events (negative: takes them out).
func (b *bag) addForeign(k key, amount record.Int128, n int64) {
	if b.foreign == nil {
		b.foreign = map[key]*foreign{}
	}
	f := b.foreign[k]
	if f == nil {
		f = &foreign{}
		b.foreign[k] = f
	}
	f.sum = f.sum.Add(amount)
	f.n += n
	if f.n == 0 && f.sum.Sign() == 0 {
		delete(b.foreign, k)
	}
}

// addBag adds sign (1 or -1) times other.
func (b *bag) addBag(other *bag, sign int64) {
	b.home = b.home.Add(signed(other.home, sign))
	b.records += sign * other.records
	b.known += sign * other.known
	for k, f := range other.foreign {
		b.addForeign(k, signed(f.sum, sign), sign*f.n)
	}
}

// add adds sign (1 or -1) times what a customer brought.
func (b *bag) add(t *takings, sign int64) {
	b.home = b.home.Add(signed(t.home, sign))
	b.records += sign * t.records
	b.known += sign * t.known
	for i := range t.foreign {
		b.addForeign(t.foreign[i].key, signed(t.foreign[i].sum, sign), sign*t.foreign[i].n)
	}
}

// takings are what events of one customer brought: as a bag, but quick to fill again and
// again, for there are many customers and few amounts of each.
type takings struct {
	home           record.Int128
	records, known int64
	foreign        []takingsOf // a key can occur more than once
}

type takingsOf struct {
	key
	foreign
}

// reset empties t, and keeps its memory.
func (t *takings) reset() { *t = takings{foreign: t.foreign[:0]} }

// addForeign adds the amount of an event. Events are in the order of time.
func (t *takings) addForeign(k key, amount record.Int128) {
	if n := len(t.foreign); n > 0 && t.foreign[n-1].key == k {
		last := &t.foreign[n-1]
		last.sum = last.sum.Add(amount)
		last.n++
		return
	}
	t.foreign = append(t.foreign, takingsOf{k, foreign{amount, 1}})
}

func (t *takings) money(rates *rates) Money {
	var b bag
	b.add(t, 1)
	return b.money(rates)
}

// comparable returns a value by which takings can be put in order: units of 2^-32 x
// 10^-6. A currency without a rate counts as nothing.
func (t *takings) comparable(rates *rates) record.Int128 {
	if len(t.foreign) == 0 {
		return record.Int128{Hi: t.home.Hi<<32 | int64(t.home.Lo>>32), Lo: t.home.Lo << 32}
	}
	n := t.home.Big()
	n.Lsh(n, 32)
	for i := range t.foreign {
		if converted, ok := rates.convert(t.foreign[i].key, t.foreign[i].sum); ok {
			n.Add(n, converted.Rsh(converted, fractionBits-32))
		}
	}
	return wide(n)
}

func signed(n record.Int128, sign int64) record.Int128 {
	if sign < 0 {
		return n.Neg()
	}
	return n
}

// total sums amounts that are converted already.
type total struct {
	home   record.Int128
	fixed  *big.Int // 2^-fractionBits x 10^-6 units; nil for none
	noRate bool
}

func (t *total) add(rates *rates, k key, sum record.Int128) {
	if k.currency == rates.home {
		t.home = t.home.Add(sum)
		return
	}
	converted, ok := rates.convert(k, sum)
	if !ok {
		t.noRate = true
		return
	}
	if t.fixed == nil {
		t.fixed = new(big.Int)
	}
	t.fixed.Add(t.fixed, converted)
}

func (t *total) plus(other *total, sign int64) {
	t.home = t.home.Add(signed(other.home, sign))
	t.noRate = t.noRate || other.noRate
	if other.fixed != nil {
		if t.fixed == nil {
			t.fixed = new(big.Int)
		}
		if sign < 0 {
			t.fixed.Sub(t.fixed, other.fixed)
		} else {
			t.fixed.Add(t.fixed, other.fixed)
		}
	}
}

// money finishes a total over records of which known had the amount.
func (t *total) money(records, known int64) Money {
	m := Money{NoRate: t.noRate, Records: records, Known: known}
	if t.noRate || records > 0 && known == 0 {
		return m
	}
	if t.fixed == nil {
		m.Value = big.NewRat(0, 1).SetFrac(t.home.Big(), big.NewInt(record.MicrosPerUnit))
		return m
	}
	n := t.home.Big()
	n.Lsh(n, fractionBits).Add(n, t.fixed)
	d := new(big.Int).Lsh(big.NewInt(record.MicrosPerUnit), fractionBits)
	m.Value = new(big.Rat).SetFrac(n, d)
	return m
}

func (b *bag) money(rates *rates) Money {
	t := total{home: b.home}
	for k, f := range b.foreign {
		t.add(rates, k, f.sum)
	}
	return t.money(b.records, b.known)
}

func wide(n *big.Int) record.Int128 {
	low := new(big.Int).And(n, new(big.Int).SetUint64(^uint64(0))).Uint64()
	return record.Int128{Hi: new(big.Int).Rsh(n, 64).Int64(), Lo: low}
}

// rates converts amounts to the reporting currency.
type rates struct {
	home history.Dict
	// quotes are the ways from a currency to the reporting one, in order of preference.
	quotes map[history.Dict][]quote
	cache  map[key]*factor
	// converted and rest are what convert works with: it is called for every day and currency.
	converted, rest big.Int
}

// quote is one way from a currency to the reporting one: by the published days of
// both against a reference. An empty list stands for the reference itself.
type quote struct{ from, to []published }

type published struct {
	day  window.Day
	rate record.Decimal
}

// noCurrency is the number of a currency that no event has.
const noCurrency = ^history.Dict(0)

// factor is a rate as a fraction; nil num where there is none.
type factor struct{ num, den *big.Int }

// last returns the last rate published on or before day.
func last(list []published, day window.Day) (*big.Rat, bool) {
	i, found := slices.BinarySearchFunc(list, day, func(p published, d window.Day) int { return int(p.day) - int(d) })
	if found {
		i++
	}
	if i == 0 {
		return nil, false
	}
	return list[i-1].rate.Rat(), true
}

func (r *rates) factor(k key) *factor {
	if f := r.cache[k]; f != nil {
		return f
	}
	f := &factor{}
	for _, q := range r.quotes[k.currency] {
		rate := big.NewRat(1, 1)
		if q.to != nil {
			to, ok := last(q.to, k.day)
			if !ok {
				continue
			}
			rate.Set(to)
		}
		if q.from != nil {
			from, ok := last(q.from, k.day)
			if !ok {
				continue
			}
			rate.Quo(rate, from)
		}
		f.num, f.den = rate.Num(), rate.Denom()
		break
	}
	r.cache[k] = f
	return f
}

// convert returns sum (10^-6 units) in units of 2^-fractionBits x 10^-6 of the
// reporting currency; ok is false where there is no rate. The number is the caller's to
// change, until the next call.
func (r *rates) convert(k key, sum record.Int128) (*big.Int, bool) {
	f := r.factor(k)
	if f.num == nil {
		return nil, false
	}
	n := &r.converted
	if low := int64(sum.Lo); record.Wide(low) == sum {
		n.SetInt64(low)
	} else {
		n.Set(sum.Big())
	}
	n.Mul(n, f.num).Lsh(n, fractionBits)
	n.QuoRem(n, f.den, &r.rest)
	return n, true
}

// loadRates reads the rates of the given currencies. Sources are asked in the given
// order, references of one source in byte order.
func loadRates(ctx context.Context, s *ledger.Snapshot, home string, currencies map[string]history.Dict, order []string) (*rates, error) {
	r := &rates{home: noCurrency, quotes: map[history.Dict][]quote{}, cache: map[key]*factor{}}
	abroad := len(currencies)
	if n, ok := currencies[home]; ok {
		r.home = n
		abroad--
	}
	if abroad == 0 {
		return r, nil
	}
	type origin struct{ source, reference string }
	lists := map[origin]map[string][]published{}
	unsure := map[string]bool{}
	err := s.Rates(ctx, func(sr ledger.SourceRate) error {
		_, used := currencies[sr.Rate.Currency]
		if !used && sr.Rate.Currency != home || sr.Rate.PerReference.Coefficient <= 0 {
			return nil
		}
		at := origin{sr.Source, sr.Rate.Reference}
		if at.reference == "" {
			// Without one it is the reporting currency, unless that is listed itself: then nobody
			// knows what the rates are measured in, and none of them is used.
			at.reference = home
			if sr.Rate.Currency == home {
				unsure[sr.Source] = unsure[sr.Source] || sr.Rate.PerReference.Rat().Cmp(big.NewRat(1, 1)) != 0
				return nil
			}
		}
		if lists[at] == nil {
			lists[at] = map[string][]published{}
		}
		lists[at][sr.Rate.Currency] = append(lists[at][sr.Rate.Currency], published{window.Day(sr.Rate.Day), sr.Rate.PerReference})
		return nil
	})
	if err != nil {
		return nil, err
	}
	for _, source := range order {
		var references []string
		for at, byCurrency := range lists {
			if at.source != source || unsure[source] {
				continue
			}
			references = append(references, at.reference)
			for _, list := range byCurrency {
				slices.SortStableFunc(list, func(a, b published) int { return int(a.day) - int(b.day) })
			}
		}
		slices.Sort(references)
		for _, reference := range references {
			for currency, number := range currencies {
				if q, ok := quoteOf(lists[origin{source, reference}], currency, home, reference); ok {
					r.quotes[number] = append(r.quotes[number], q)
				}
			}
		}
	}
	return r, nil
}

// quoteOf returns the way from currency to home over reference, where there is one.
func quoteOf(lists map[string][]published, currency, home, reference string) (q quote, ok bool) {
	if currency != reference {
		if q.from = lists[currency]; q.from == nil {
			return q, false
		}
	}
	if home != reference {
		if q.to = lists[home]; q.to == nil {
			return q, false
		}
	}
	return q, true
}
