package record

import (
	"errors"
	"fmt"
	"math/big"
	"math/bits"

	"github.com/shopspring/decimal"
)

// MicrosPerUnit is the resolution of stored money: 10^-6 of a currency's unit.
const MicrosPerUnit = 1_000_000

// Amount is an exact amount in units of 10^-6, or null (the zero value).
type Amount struct {
	Micros int64    `cbor:"1,keyasint,omitempty"`
	Known  bool     `cbor:"2,keyasint,omitempty"`
	_      struct{} `cbor:",toarray"`
}

// Micros returns the amount of n x 10^-6.
func Micros(n int64) Amount { return Amount{Micros: n, Known: true} }

// IsNull reports whether the amount is not known.
func (a Amount) IsNull() bool { return !a.Known }

// OrZero returns the amount's micros, 0 for null: for optional parts of a sum
// (a discount) whose absence means none.
func (a Amount) OrZero() int64 { return a.Micros }

// ErrOverflow is returned for an amount beyond ±9.2 x 10^12 units.
var ErrOverflow = errors.New("amount is beyond the ledger's range of ±9.2 x 10^12")

// ParseAmount reads a decimal such as "1234.50" exactly. What is finer than 10^-6
// is rounded half to even, which rounded reports. Thousands separators, currency
// signs and percent signs are errors.
func ParseAmount(text string) (a Amount, rounded bool, err error) {
	d, err := parseDecimal(text)
	if err != nil {
		return Amount{}, false, err
	}
	r := d.RoundBank(6)
	n := r.Shift(6).BigInt()
	if !n.IsInt64() {
		return Amount{}, false, ErrOverflow
	}
	return Micros(n.Int64()), !r.Equal(d), nil
}

// RoundMicros returns the amount of so many millionths, rounded half to even; rounded
// reports whether they were no whole number. The only error is ErrOverflow.
func RoundMicros(micros *big.Rat) (a Amount, rounded bool, err error) {
	n, rest := new(big.Int).QuoRem(micros.Num(), micros.Denom(), new(big.Int))
	rounded = rest.Sign() != 0
	twice := rest.Abs(rest).Lsh(rest, 1)
	if c := twice.Cmp(micros.Denom()); c > 0 || c == 0 && n.Bit(0) == 1 {
		n.Add(n, big.NewInt(int64(micros.Sign())))
	}
	if !n.IsInt64() {
		return Amount{}, false, ErrOverflow
	}
	return Micros(n.Int64()), rounded, nil
}

// parseDecimal bounds the length and the exponent first: 1e999999999 would be
// expanded to as many digits.
func parseDecimal(text string) (decimal.Decimal, error) {
	if len(text) > 64 {
		return decimal.Decimal{}, fmt.Errorf("a number of %d characters is too long", len(text))
	}
	d, err := decimal.NewFromString(text)
	if err != nil {
		return decimal.Decimal{}, errors.New("not a decimal number")
	}
	if e := d.Exponent(); e > 30 || e < -100 {
		return decimal.Decimal{}, errors.New("the number's exponent is out of range")
	}
	return d, nil
}

// Decimal is an exact decimal number Coefficient x 10^-Scale; the zero value is null.
type Decimal struct {
	Coefficient int64    `cbor:"1,keyasint,omitempty"`
	Scale       uint8    `cbor:"2,keyasint,omitempty"`
	Known       bool     `cbor:"3,keyasint,omitempty"`
	_           struct{} `cbor:",toarray"`
}

// ParseDecimal reads a decimal of up to 18 significant digits exactly.
func ParseDecimal(text string) (Decimal, error) {
	d, err := parseDecimal(text)
	if err != nil {
		return Decimal{}, err
	}
	scale := max(0, -d.Exponent())
	c := d.Shift(scale).BigInt()
	if !c.IsInt64() {
		return Decimal{}, errors.New("the number has more than 18 significant digits")
	}
	return Decimal{Coefficient: c.Int64(), Scale: uint8(scale), Known: true}, nil
}

// Rat returns the decimal as a rational number.
func (d Decimal) Rat() *big.Rat {
	scale := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(d.Scale)), nil)
	return new(big.Rat).SetFrac(big.NewInt(d.Coefficient), scale)
}

// Int128 is a signed 128-bit integer: sums of micros do not overflow it.
type Int128 struct {
	Hi int64
	Lo uint64
}

// Wide returns n as an Int128.
func Wide(n int64) Int128 { return Int128{Hi: n >> 63, Lo: uint64(n)} }

// Add returns a + b.
func (a Int128) Add(b Int128) Int128 {
	lo, carry := bits.Add64(a.Lo, b.Lo, 0)
	return Int128{Hi: a.Hi + b.Hi + int64(carry), Lo: lo}
}

// Neg returns -a.
func (a Int128) Neg() Int128 {
	lo, borrow := bits.Sub64(0, a.Lo, 0)
	return Int128{Hi: -a.Hi - int64(borrow), Lo: lo}
}

// Sub returns a - b.
func (a Int128) Sub(b Int128) Int128 { return a.Add(b.Neg()) }

// Sign returns -1, 0 or 1.
func (a Int128) Sign() int {
	switch {
	case a.Hi < 0:
		return -1
	case a.Hi == 0 && a.Lo == 0:
		return 0
	}
	return 1
}

// Cmp compares a and b as -1, 0 or 1.
func (a Int128) Cmp(b Int128) int {
	switch {
	case a == b:
		return 0
	case a.Hi < b.Hi || a.Hi == b.Hi && a.Lo < b.Lo:
		return -1
	}
	return 1
}

// Big returns a as a big.Int.
func (a Int128) Big() *big.Int {
	n := new(big.Int).Lsh(big.NewInt(a.Hi), 64)
	return n.Add(n, new(big.Int).SetUint64(a.Lo))
}
