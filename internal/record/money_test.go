package record_test

import (
	"errors"
	"fmt"
	"math"
	"math/big"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/b2bexporter/b2b_exporter/internal/record"
)

func TestParseAmount(t *testing.T) {
	for _, test := range []struct {
		text    string
		micros  int64
		rounded bool
	}{
		{text: "0"},
		{text: "-0.00"},
		{text: "1234.50", micros: 1_234_500_000},
		{text: "+5", micros: 5_000_000},
		{text: "-.5", micros: -500_000},
		{text: "5.", micros: 5_000_000},
		{text: "007", micros: 7_000_000},
		{text: "1e5", micros: 100_000_000_000},
		{text: "1E-3", micros: 1_000},
		{text: "12.5e+1", micros: 125_000_000},
		{text: "0.1", micros: 100_000}, // not what the nearest float is
		{text: "0.000001", micros: 1},
		{text: "1.1000000000000000000000000", micros: 1_100_000},
		{text: "0.0000005", rounded: true},
		{text: "0.0000015", micros: 2, rounded: true},
		{text: "0.0000025", micros: 2, rounded: true},
		{text: "0.00000250000000000000000001", micros: 3, rounded: true},
		{text: "-0.0000005", rounded: true},
		{text: "-0.0000015", micros: -2, rounded: true},
		{text: "-0.0000025", micros: -2, rounded: true},
		{text: "-0.0000026", micros: -3, rounded: true},
		{text: "1e-100", rounded: true},
		{text: "9223372036854.775807", micros: math.MaxInt64},
		{text: "-9223372036854.775808", micros: math.MinInt64},
		{text: "9223372036854.7758074", micros: math.MaxInt64, rounded: true},
	} {
		t.Run(test.text, func(t *testing.T) {
			a, rounded, err := record.ParseAmount(test.text)
			if err != nil {
				t.Fatal(err)
			}
			if a.IsNull() || a != record.Micros(test.micros) || rounded != test.rounded {
				t.Errorf("got %d micros, rounded %t; want %d, %t", a.Micros, rounded, test.micros, test.rounded)
			}
		})
	}
}

func TestParseAmountRefuses(t *testing.T) {
	for _, text := range []string{
		"9223372036854.775808", "-9223372036854.775809", "9223372036854.7758075", "9223372036855", "1e13", "-1e30",
	} {
		if a, _, err := record.ParseAmount(text); !errors.Is(err, record.ErrOverflow) || !a.IsNull() {
			t.Errorf("ParseAmount(%q) = %v, %v; want ErrOverflow", text, a, err)
		}
	}
	for _, text := range garbage {
		if a, _, err := record.ParseAmount(text); err == nil || !a.IsNull() {
			t.Errorf("ParseAmount(%q) = %v, %v; want an error", text, a, err)
		}
		if d, err := record.ParseDecimal(text); err == nil || d.Known {
			t.Errorf("ParseDecimal(%q) = %v, %v; want an error", text, d, err)
		}
	}
}

func TestRoundMicros(t *testing.T) {
	for _, test := range []struct{ n, d, want int64 }{
		{1, 2, 0},
		{3, 2, 2},
		{5, 2, 2},
		{-3, 2, -2},
		{-1, 2, 0},
		{7, 3, 2},
		{8, 3, 3},
		{-25_001, 10_000, -3},
		{4, 1, 4},
		{math.MaxInt64, 1, math.MaxInt64},
		{math.MinInt64, 1, math.MinInt64},
	} {
		a, rounded, err := record.RoundMicros(big.NewRat(test.n, test.d))
		if err != nil || a != record.Micros(test.want) || rounded != (test.d != 1) {
			t.Errorf("%d/%d: got %v, %t, %v; want %d", test.n, test.d, a, rounded, err, test.want)
		}
	}
	beyond := new(big.Rat).Add(new(big.Rat).SetInt64(math.MaxInt64), big.NewRat(1, 2))
	if a, _, err := record.RoundMicros(beyond); !errors.Is(err, record.ErrOverflow) || !a.IsNull() {
		t.Errorf("%v: got %v, %v; want ErrOverflow", beyond, a, err)
	}
}

// TestRoundMicrosByDefinition holds the rounding against what it means.
func TestRoundMicrosByDefinition(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		exact := big.NewRat(rapid.Int64().Draw(t, "numerator"), rapid.Int64Range(2, 1e9).Draw(t, "denominator"))
		a, rounded, err := record.RoundMicros(exact)
		if err != nil {
			t.Fatal(err)
		}
		off := new(big.Rat).Sub(exact, new(big.Rat).SetInt64(a.Micros))
		half := new(big.Rat).Abs(off).Cmp(big.NewRat(1, 2))
		if half > 0 || half == 0 && a.Micros%2 != 0 || rounded != (off.Sign() != 0) {
			t.Errorf("%v became %d, rounded: %t", exact, a.Micros, rounded)
		}
	})
}

// garbage is no number, or one whose expansion would take more memory than it is worth.
var garbage = []string{
	"", " ", "-", "+", ".", "-.", "e5", "1e", "1e+", "1e+-3", "1e1.5", "--5", "+-5", "1-5", "1.-5", ".-5", ".+5",
	"1..2", "1.2.3", " 1", "1 ", "1\n", "1\x00", "1,000", "1.000,50", "1'000", "1_000", "1 000", "0x10", "0b1", "1/2",
	"NaN", "nan", "Inf", "-inf", "∞", "١٢", "１", "$5", "5€", "EUR 5", "50%", "(5)", "null", "true", "\xff",
	"1e31", "1e101", "1e-101", "1e999999999", "1e-999999999", "1e2147483648", "1e99999999999999999999",
	strings.Repeat("9", 65), strings.Repeat("0", 65), "0." + strings.Repeat("0", 64) + "1",
}

// drawDecimal draws a decimal number's text and its exact value.
func drawDecimal(t *rapid.T) (string, *big.Rat) {
	text := rapid.SampledFrom([]string{"", "-", "+"}).Draw(t, "sign") +
		rapid.StringMatching(`(0|[1-9][0-9]{0,15})(\.[0-9]{0,24})?`).Draw(t, "digits")
	if rapid.Bool().Draw(t, "exponent") {
		text += fmt.Sprintf("e%d", rapid.IntRange(-20, 5).Draw(t, "power"))
	}
	exact, ok := new(big.Rat).SetString(strings.TrimPrefix(text, "+"))
	if !ok {
		t.Fatalf("big.Rat does not read %q", text)
	}
	return text, exact
}

// halfToEven rounds r to an integer.
func halfToEven(r *big.Rat) *big.Int {
	twice := new(big.Int).Lsh(r.Num(), 1)
	floor := new(big.Int)
	rest := new(big.Int)
	floor.DivMod(twice.Add(twice, r.Denom()), new(big.Int).Lsh(r.Denom(), 1), rest) // floor(r + 1/2)
	if rest.Sign() == 0 && floor.Bit(0) == 1 {
		floor.Sub(floor, big.NewInt(1))
	}
	return floor
}

func TestParseAmountIsExact(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text, exact := drawDecimal(t)
		micros := new(big.Rat).Mul(exact, big.NewRat(record.MicrosPerUnit, 1))
		want := halfToEven(micros)
		a, rounded, err := record.ParseAmount(text)
		if !want.IsInt64() {
			if !errors.Is(err, record.ErrOverflow) {
				t.Fatalf("ParseAmount(%q): %v, want ErrOverflow", text, err)
			}
			return
		}
		if err != nil {
			t.Fatalf("ParseAmount(%q): %v", text, err)
		}
		if a != record.Micros(want.Int64()) {
			t.Errorf("ParseAmount(%q) = %d micros, want %s", text, a.Micros, want)
		}
		if rounded == micros.IsInt() {
			t.Errorf("ParseAmount(%q): rounded %t, but exactly it is %s micros", text, rounded, micros)
		}
	})
}

// coefficient returns the digits of the number text, whose value is exact, as an integer.
func coefficient(text string, exact *big.Rat) *big.Int {
	mantissa, power, _ := strings.Cut(text, "e")
	_, fraction, _ := strings.Cut(mantissa, ".")
	n, _ := strconv.Atoi(power) // 0 without an exponent
	shift := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(max(0, len(fraction)-n))), nil)
	return new(big.Rat).Mul(exact, new(big.Rat).SetInt(shift)).Num()
}

func TestParseDecimalIsExact(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text, exact := drawDecimal(t)
		d, err := record.ParseDecimal(text)
		if !coefficient(text, exact).IsInt64() {
			if err == nil {
				t.Errorf("ParseDecimal(%q) = %s: it has too many digits", text, d.Rat())
			}
			return
		}
		if err != nil {
			t.Fatalf("ParseDecimal(%q): %v", text, err)
		}
		if !d.Known || d.Rat().Cmp(exact) != 0 {
			t.Errorf("ParseDecimal(%q) = %s, want %s", text, d.Rat(), exact)
		}
	})
}

func TestParseDecimal(t *testing.T) {
	for text, want := range map[string]record.Decimal{
		"0":                    {Known: true},
		"1.0850":               {Coefficient: 10850, Scale: 4, Known: true},
		"-3e2":                 {Coefficient: -300, Known: true},
		"9223372036854775807":  {Coefficient: math.MaxInt64, Known: true},
		"1e-100":               {Coefficient: 1, Scale: 100, Known: true},
		"0.000000000000000001": {Coefficient: 1, Scale: 18, Known: true},
	} {
		if got, err := record.ParseDecimal(text); err != nil || got != want {
			t.Errorf("ParseDecimal(%q) = %+v, %v; want %+v", text, got, err, want)
		}
	}
	if d, err := record.ParseDecimal("9223372036854775808"); err == nil || d.Known {
		t.Errorf("a coefficient of 2^63 gives %+v, %v; want an error", d, err)
	}
}

func drawInt128(t *rapid.T, label string) (record.Int128, *big.Int) {
	edges := rapid.SampledFrom([]uint64{0, 1, math.MaxInt64, math.MaxInt64 + 1, math.MaxUint64})
	half := rapid.OneOf(rapid.Uint64(), edges)
	// Two of them can be added without leaving 128 bits.
	a := record.Int128{Hi: int64(half.Draw(t, label+" high")) >> 2, Lo: half.Draw(t, label+" low")}
	want := new(big.Int).Lsh(big.NewInt(a.Hi), 64)
	return a, want.Add(want, new(big.Int).SetUint64(a.Lo))
}

func TestInt128(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, wideA := drawInt128(t, "a")
		b, wideB := drawInt128(t, "b")
		if a.Big().Cmp(wideA) != 0 {
			t.Fatalf("%+v.Big() = %s, want %s", a, a.Big(), wideA)
		}
		for name, pair := range map[string][2]*big.Int{
			"add":    {a.Add(b).Big(), new(big.Int).Add(wideA, wideB)},
			"sub":    {a.Sub(b).Big(), new(big.Int).Sub(wideA, wideB)},
			"negate": {a.Neg().Big(), new(big.Int).Neg(wideA)},
		} {
			if pair[0].Cmp(pair[1]) != 0 {
				t.Errorf("%s of %s and %s = %s, want %s", name, wideA, wideB, pair[0], pair[1])
			}
		}
		if got, want := a.Cmp(b), wideA.Cmp(wideB); got != want {
			t.Errorf("compare %s with %s = %d, want %d", wideA, wideB, got, want)
		}
		if got, want := a.Cmp(a), 0; got != want {
			t.Errorf("compare %s with itself = %d", wideA, got)
		}
		if got, want := a.Sign(), wideA.Sign(); got != want {
			t.Errorf("sign of %s = %d, want %d", wideA, got, want)
		}
		n := rapid.Int64().Draw(t, "n")
		if got := record.Wide(n).Big(); got.Cmp(big.NewInt(n)) != 0 {
			t.Errorf("Wide(%d) = %s", n, got)
		}
	})
}

func TestNullAmount(t *testing.T) {
	var null record.Amount
	if !null.IsNull() || null.OrZero() != 0 {
		t.Errorf("the zero Amount is %+v, OrZero %d; want null and 0", null, null.OrZero())
	}
	if zero := record.Micros(0); zero.IsNull() || zero == null {
		t.Error("an amount of 0 is null")
	}
}
