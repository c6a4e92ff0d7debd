package oracle

import (
	"math/big"
	"slices"
	"strings"

	"github.com/b2bexporter/b2b_exporter/internal/record"
)

// The reasons for an undefined value, the first that holds being the one given.
const (
	sourceMissing   = "source_missing"
	noRate          = "no_rate"
	immature        = "immature"
	tooFew          = "too_few"
	noData          = "no_data"
	zeroDenominator = "zero_denominator"
)

// firstReason returns the reason that goes before the others; empty where all are.
func firstReason(reasons ...string) string {
	for _, r := range []string{sourceMissing, noRate, immature, tooFew, noData, zeroDenominator} {
		if slices.Contains(reasons, r) {
			return r
		}
	}
	return ""
}

// value is a number, or the reason why there is none.
type value struct {
	number *big.Rat
	reason string
}

func count(n int) *big.Rat { return new(big.Rat).SetInt64(int64(n)) }

// divide returns a / b unless reasons hold or b is zero.
func divide(a, b *big.Rat, reasons ...string) value {
	if b.Sign() == 0 {
		reasons = append(reasons, zeroDenominator)
	}
	if r := firstReason(reasons...); r != "" {
		return value{reason: r}
	}
	return value{number: new(big.Rat).Quo(a, b)}
}

// money is an amount in units of the reporting currency. It is not known where the
// record does not have it; number is nil where it cannot be converted.
type money struct {
	known  bool
	number *big.Rat
}

// one counts a record.
var one = money{known: true, number: big.NewRat(1, 1)}

// minus returns a - b of one record: it has both amounts or none.
func (a money) minus(b money) money {
	if !a.known || a.number == nil || b.number == nil {
		return a
	}
	return money{true, new(big.Rat).Sub(a.number, b.number)}
}

// total adds records up.
type total struct {
	sum            big.Rat
	records, known int
	noRate         bool
}

func (t *total) add(m money)      { t.put(m, false) }
func (t *total) subtract(m money) { t.put(m, true) }

func (t *total) put(m money, negative bool) {
	t.records++
	if !m.known {
		return
	}
	t.known++
	switch {
	case m.number == nil:
		t.noRate = true
	case negative:
		t.sum.Sub(&t.sum, m.number)
	default:
		t.sum.Add(&t.sum, m.number)
	}
}

func (t *total) join(other *total) {
	t.sum.Add(&t.sum, &other.sum)
	t.records += other.records
	t.known += other.known
	t.noRate = t.noRate || other.noRate
}

// reason says why the sum is undefined; empty where it is not.
func (t *total) reason() string {
	switch {
	case t.noRate:
		return noRate
	case t.records > 0 && t.known == 0:
		return noData
	}
	return ""
}

func (t *total) value() value {
	if r := t.reason(); r != "" {
		return value{reason: r}
	}
	return value{number: &t.sum}
}

// rates converts amounts into the reporting currency.
type rates struct {
	currency string
	tables   []rateTable
	factors  map[currencyDay]*big.Rat
}

// rateTable is what one source published against one reference, by currency, sorted by day.
type rateTable struct {
	reference string
	published map[string][]*record.Rate
}

type currencyDay struct {
	currency string
	day      record.Day
}

func newRates(records []Record, s Settings) *rates {
	r := &rates{currency: s.Currency, factors: map[currencyDay]*big.Rat{}}
	for _, source := range s.Sources {
		byReference := map[string]map[string][]*record.Rate{}
		for _, rec := range records {
			rate, ok := rec.Record.(*record.Rate)
			if !ok || rec.Source != source.Name || !rate.PerReference.Known || rate.PerReference.Coefficient == 0 {
				continue
			}
			if byReference[rate.Reference] == nil {
				byReference[rate.Reference] = map[string][]*record.Rate{}
			}
			byReference[rate.Reference][rate.Currency] = append(byReference[rate.Reference][rate.Currency], rate)
		}
		var tables []rateTable
		for reference, published := range byReference {
			for _, list := range published {
				slices.SortFunc(list, func(a, b *record.Rate) int {
					if a.Day != b.Day {
						return int(a.Day - b.Day)
					}
					return strings.Compare(a.ID, b.ID)
				})
			}
			tables = append(tables, rateTable{reference, published})
		}
		slices.SortFunc(tables, func(a, b rateTable) int { return strings.Compare(a.reference, b.reference) })
		r.tables = append(r.tables, tables...)
	}
	return r
}

// on returns the last rate of currency published on or before d, or nil.
func (t rateTable) on(currency string, d record.Day) *big.Rat {
	if currency == t.reference {
		return big.NewRat(1, 1)
	}
	var last *big.Rat
	for _, rate := range t.published[currency] {
		if rate.Day <= d {
			p := rate.PerReference
			scale := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(p.Scale)), nil)
			last = new(big.Rat).SetFrac(big.NewInt(p.Coefficient), scale)
		}
	}
	return last
}

// factor returns what one unit of currency was worth on d, or nil.
func (r *rates) factor(currency string, d record.Day) *big.Rat {
	if currency == r.currency {
		return big.NewRat(1, 1)
	}
	key := currencyDay{currency, d}
	if f, ok := r.factors[key]; ok {
		return f
	}
	r.factors[key] = nil
	for _, t := range r.tables {
		from, to := t.on(currency, d), t.on(r.currency, d)
		if from != nil && to != nil {
			r.factors[key] = new(big.Rat).Quo(to, from)
			break
		}
	}
	return r.factors[key]
}

// convert returns micros of a currency on d as money.
func (r *rates) convert(micros int64, currency string, d record.Day) money {
	f := r.factor(currency, d)
	if f == nil {
		return money{known: true}
	}
	return money{true, new(big.Rat).Mul(big.NewRat(micros, 1_000_000), f)}
}

// convertAmount is convert of an amount that may be null.
func (r *rates) convertAmount(a record.Amount, currency string, d record.Day) money {
	if a.IsNull() {
		return money{}
	}
	return r.convert(a.Micros, currency, d)
}
