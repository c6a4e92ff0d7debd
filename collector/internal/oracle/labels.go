package oracle

import (
	"math/big"
	"slices"
	"strings"
)

// cell is one label set of a metric in one window.
type cell struct {
	total
	// own counts the records of the metric's own data, any also those that leave it
	// undefined (orders without costs, for profit).
	own, any int
}

// labelSet is a store, empty where the metric has no such label, and one more label.
type labelSet struct{ store, value string }

type cells map[labelSet]*cell

func (c cells) at(l labelSet) *cell {
	if c[l] == nil {
		c[l] = &cell{}
	}
	return c[l]
}

// add adds a record of the metric's own data.
func (c cells) add(l labelSet, m money) {
	x := c.at(l)
	x.own++
	x.any++
	x.total.add(m)
}

func (c cells) subtract(l labelSet, m money) {
	x := c.at(l)
	x.own++
	x.any++
	x.total.subtract(m)
}

// family is a metric with a label of open values beside window and store.
type family struct {
	name, label string
	currency    string // empty for counts
	bounded     bool
}

// exportFamily exports a metric from its cells by window: the label sets of its own
// data in every window, and the bound.
func (e *evaluation) exportFamily(f family, byWindow []cells) {
	everywhere := map[labelSet]bool{}
	for _, c := range byWindow {
		for l, x := range c {
			if x.own > 0 {
				everywhere[l] = true
			}
		}
	}
	for i, window := range e.windows {
		shown := cells{}
		if kept, folds := e.keptValues(byWindow[i]); f.bounded && folds {
			for l, x := range byWindow[i] {
				if x.own == 0 {
					continue
				}
				if !slices.Contains(kept, l.value) {
					l.value = "other"
				}
				shown.at(l).own++
				shown.at(l).join(&x.total)
			}
		} else {
			for l := range everywhere {
				shown[l] = byWindow[i].at(l)
			}
		}
		for l, x := range shown {
			if x.own == 0 && x.any > 0 {
				continue
			}
			pairs := []string{"window", window.name, f.label, l.value}
			if l.store != "" {
				pairs = append(pairs, "store", l.store)
			}
			if f.currency != "" {
				pairs = append(pairs, "currency", f.currency)
			}
			e.exportIf(f.name, x.value(), pairs...)
		}
	}
}

// keptValues returns the values with the largest sums over all stores, as many as the
// bound allows, and whether there are more. What cannot be converted counts nothing.
func (e *evaluation) keptValues(c cells) (kept []string, folds bool) {
	sums := map[string]*big.Rat{}
	for l, x := range c {
		if x.own == 0 {
			continue
		}
		if sums[l.value] == nil {
			sums[l.value] = new(big.Rat)
			kept = append(kept, l.value)
		}
		if !x.noRate {
			sums[l.value].Add(sums[l.value], &x.sum)
		}
	}
	slices.SortFunc(kept, func(a, b string) int {
		if c := sums[b].Cmp(sums[a]); c != 0 {
			return c
		}
		return strings.Compare(a, b)
	})
	if len(kept) > e.LabelMax {
		return kept[:e.LabelMax], true
	}
	return kept, false
}
