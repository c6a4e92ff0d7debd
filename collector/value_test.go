package collector

import (
	"math/big"
	"testing"

	"github.com/b2bexporter/b2b_exporter/internal/ledger/rollup"
)

// reasons are in the documented order: where several hold, the first is given.
func reasons() []Reason {
	return []Reason{"source_missing", "stale", "truncated", "no_rate", "immature", "too_few", "no_data", "zero_denominator"}
}

func TestFirstReason(t *testing.T) {
	for i, a := range reasons() {
		for j, b := range reasons() {
			want := reasons()[min(i, j)]
			v, w := undefined(a), undefined(b)
			for name, got := range map[string]Reason{
				"over": v.over(w).Reason, "minus": v.minus(w).Reason, "plus": v.plus(w).Reason, "unless": v.unless(b).Reason,
			} {
				if got != want {
					t.Errorf("%s of %s and %s is %s, want %s", name, a, b, got, want)
				}
			}
		}
		one := number(1)
		for name, got := range map[string]Value{
			"over": one.over(undefined(a)), "minus": one.minus(undefined(a)), "unless": one.unless(a), "times": undefined(a).times(big.NewRat(2, 1)),
		} {
			if got.Defined() || got.Reason != a {
				t.Errorf("%s with %s is %v", name, a, got)
			}
		}
		if got := one.plus(undefined(a)); got.Defined() != (a == NoData) {
			t.Errorf("1 and what is undefined because of %s is %v: only what has no data adds nothing", a, got)
		}
	}
	if v := number(1).unless(""); !v.Defined() {
		t.Errorf("without a reason 1 is %v", v)
	}
	// What divides by zero is worth less than any other reason.
	if v := number(1).over(number(0)); v.Defined() || v.Reason != ZeroDenominator {
		t.Errorf("1 / 0 is %v", v)
	}
}

func TestAddMoney(t *testing.T) {
	sum := func(n int64) rollup.Money { return rollup.Money{Value: big.NewRat(n, 1), Records: 1, Known: 1} }
	unknown, noRate := rollup.Money{Records: 1}, rollup.Money{NoRate: true, Records: 1, Known: 1}
	for _, test := range []struct {
		name string
		a, b rollup.Money
		want Value
	}{
		{"two amounts", sum(2), sum(3), number(5)},
		{"nothing", rollup.Money{}, rollup.Money{}, number(0)},
		{"an amount and nothing", sum(2), rollup.Money{}, number(2)},
		{"an amount and one not known", sum(2), unknown, number(2)},
		{"none known", unknown, unknown, undefined(NoData)},
		{"none known, and nothing", unknown, rollup.Money{}, undefined(NoData)},
		{"no rate", sum(2), noRate, undefined(NoRate)},
		{"no rate, and none known", unknown, noRate, undefined(NoRate)},
	} {
		for _, pair := range [][2]rollup.Money{{test.a, test.b}, {test.b, test.a}} {
			got := money(rollup.AddMoney(pair[0], pair[1]))
			if got.Reason != test.want.Reason || got.Defined() && got.Number.Cmp(test.want.Number) != 0 {
				t.Errorf("%s: %v, want %v", test.name, got, test.want)
			}
		}
	}
	a := sum(2)
	rollup.AddMoney(a, sum(3))
	if a.Value.Cmp(big.NewRat(2, 1)) != 0 {
		t.Errorf("what was added to has become %s", a.Value)
	}
}

func TestLabel(t *testing.T) {
	for name, want := range map[string]string{
		"DE": "DE", "": "", "@home": "@home", "North @ South": "North @ South",
		"jane@example.com": "unknown", "Jane <jane@example.com>": "unknown", "mailto:jane@example.com?subject=x": "unknown",
		"\xff": "\uFFFD", "Österreich": "Österreich",
	} {
		if got := label(name); got != want {
			t.Errorf("label of %q is %q, want %q", name, got, want)
		}
	}
}

// A change is undefined where the base is not above 0.
func TestChange(t *testing.T) {
	for _, test := range []struct{ value, base, want Value }{
		{number(3), number(2), Value{Number: big.NewRat(1, 2)}},
		{number(-3), number(2), Value{Number: big.NewRat(-5, 2)}},
		{number(0), number(2), number(-1)},
		{number(3), number(0), undefined(ZeroDenominator)},
		{number(3), number(-2), undefined(ZeroDenominator)},
		{number(3), undefined(Immature), undefined(Immature)},
		{undefined(NoRate), undefined(Immature), undefined(NoRate)},
	} {
		got := relative(test.value, test.base)
		if got.Reason != test.want.Reason || got.Defined() && got.Number.Cmp(test.want.Number) != 0 {
			t.Errorf("change of %v to %v is %v, want %v", test.base, test.value, got, test.want)
		}
	}
}

// relative is the change of a value against a base.
func relative(value, base Value) Value {
	return Compared{Value: value, Complete: value, Base: map[string]Value{Previous: base}}.Change(Previous)
}
