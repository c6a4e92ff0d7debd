package rollup

import (
	"slices"

	"github.com/b2bexporter/b2b_exporter/internal/record"
)

// topSize is how many of the largest customers of a window are kept by name: enough
// for the largest to be known after many of them have changed.
const topSize = 64

// candidate is one of the largest customers and what it brought.
type candidate struct {
	order record.Int128
	value takings
}

// top knows the largest of many values, of which it keeps the topSize largest and a
// bound that the others do not exceed.
type top struct {
	kept    map[int64]candidate // by unit
	least   record.Int128       // the smallest kept, while topSize are kept
	bound   record.Int128
	bounded bool // there are others
}

// add adds a unit whose value is v. What it brought is the caller's to change afterwards.
func (t *top) add(unit int64, v record.Int128, brought *takings) {
	if t.kept == nil {
		t.kept = map[int64]candidate{}
	}
	if len(t.kept) < topSize {
		t.keep(unit, v, brought)
		return
	}
	if v.Cmp(t.least) <= 0 {
		t.exclude(v)
		return
	}
	for u, kept := range t.kept {
		if kept.order == t.least {
			delete(t.kept, u)
			break
		}
	}
	t.exclude(t.least)
	t.keep(unit, v, brought)
}

func (t *top) keep(unit int64, v record.Int128, brought *takings) {
	value := *brought
	value.foreign = slices.Clone(value.foreign)
	t.kept[unit] = candidate{v, value}
	t.least = t.smallest()
}

func (t *top) exclude(v record.Int128) {
	if !t.bounded || v.Cmp(t.bound) > 0 {
		t.bound, t.bounded = v, true
	}
}

// smallest matters only when all places are taken.
func (t *top) smallest() (least record.Int128) {
	if len(t.kept) < topSize {
		return least
	}
	first := true
	for _, v := range t.kept {
		if first || v.order.Cmp(least) < 0 {
			least, first = v.order, false
		}
	}
	return least
}

func (t *top) remove(unit int64) { delete(t.kept, unit) }

// largest returns the unit with the largest value. Exact is false where one that is
// not kept may be larger: then everything must be added again.
func (t *top) largest() (unit int64, found, exact bool) {
	var most record.Int128
	for u, v := range t.kept {
		if c := v.order.Cmp(most); !found || c > 0 || c == 0 && u < unit {
			unit, most, found = u, v.order, true
		}
	}
	return unit, found, !t.bounded || found && most.Cmp(t.bound) >= 0
}
