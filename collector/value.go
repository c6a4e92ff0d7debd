package collector

import (
	"math/big"
	"time"

	"github.com/b2bexporter/b2b_exporter/internal/ledger/rollup"
)

// Reason says why a KPI has no value.
type Reason string

// The reasons, the first that holds is given.
const (
	SourceMissing   Reason = "source_missing"
	Stale           Reason = "stale"
	Truncated       Reason = "truncated"
	NoRate          Reason = "no_rate"
	Immature        Reason = "immature"
	TooFew          Reason = "too_few"
	NoData          Reason = "no_data"
	ZeroDenominator Reason = "zero_denominator"
)

// rank orders reasons; a value that exists comes last.
func (r Reason) rank() int {
	for i, other := range []Reason{SourceMissing, Stale, Truncated, NoRate, Immature, TooFew, NoData, ZeroDenominator} {
		if r == other {
			return i
		}
	}
	return len("12345678")
}

// Value is an exact number, or the reason for which there is none.
type Value struct {
	Number *big.Rat // nil where Reason is set
	Reason Reason

	parts *parts // of a ratio
}

// parts are what a ratio was made of.
type parts struct{ numerator, denominator Value }

// Parts returns what a ratio was made of; ok is false for other values.
func (v Value) Parts() (numerator, denominator Value, ok bool) {
	if v.parts == nil {
		return Value{}, Value{}, false
	}
	return v.parts.numerator, v.parts.denominator, true
}

func undefined(r Reason) Value { return Value{Reason: r} }

func number(n int64) Value { return Value{Number: new(big.Rat).SetInt64(n)} }

// money returns the value of a sum of money.
func money(m rollup.Money) Value {
	switch {
	case m.NoRate:
		return undefined(NoRate)
	case m.Value == nil && m.Records > 0:
		return undefined(NoData)
	case m.Value == nil:
		return number(0)
	}
	return Value{Number: m.Value}
}

// amount returns the value of a sum of numbers.
func amount(s rollup.Sum) Value {
	switch {
	case s.Records > 0 && s.Known == 0:
		return undefined(NoData)
	case s.Value == nil:
		return number(0)
	}
	return Value{Number: s.Value}
}

// Defined reports whether there is a number.
func (v Value) Defined() bool { return v.Number != nil }

// first returns the reason of the values that comes first, empty where all are defined.
func first(values ...Value) Reason {
	var reason Reason
	for _, v := range values {
		if !v.Defined() && v.Reason.rank() < reason.rank() {
			reason = v.Reason
		}
	}
	return reason
}

// over returns v / d, and remembers both.
func (v Value) over(d Value) Value {
	ratio := Value{parts: &parts{v, d}}
	switch ratio.Reason = first(v, d); {
	case ratio.Reason != "":
	case d.Number.Sign() == 0:
		ratio.Reason = ZeroDenominator
	default:
		ratio.Number = new(big.Rat).Quo(v.Number, d.Number)
	}
	return ratio
}

// times returns v x f.
func (v Value) times(f *big.Rat) Value {
	if !v.Defined() {
		return v
	}
	return Value{Number: new(big.Rat).Mul(v.Number, f)}
}

// add returns v + w.
func (v Value) add(w Value) Value {
	if r := first(v, w); r != "" {
		return undefined(r)
	}
	return Value{Number: new(big.Rat).Add(v.Number, w.Number)}
}

// minus returns v - w.
func (v Value) minus(w Value) Value {
	if r := first(v, w); r != "" {
		return undefined(r)
	}
	return Value{Number: new(big.Rat).Sub(v.Number, w.Number)}
}

// unless returns v, or undefined for a reason that is set and comes before v's own.
func (v Value) unless(r Reason) Value {
	if r != "" && r.rank() < v.Reason.rank() {
		return Value{Reason: r, parts: v.parts}
	}
	return v
}

// seconds returns a duration in seconds.
func seconds(d time.Duration) *big.Rat { return big.NewRat(d.Nanoseconds(), int64(time.Second)) }

func salesKey(store, label string) rollup.SalesKey {
	return rollup.SalesKey{Store: store, Label: label}
}
