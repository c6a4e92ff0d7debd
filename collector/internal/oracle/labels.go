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

// labelSet is the value of the label that a family is about, and those of its others.
type labelSet struct {
	value  string
	others [2]string
}

// labelled returns the label set of a value and of the other labels.
func labelled(value string, others ...string) labelSet {
	l := labelSet{value: value}
	copy(l.others[:], others)
	return l
}

type cells map[labelSet]*cell

func (c cells) at(l labelSet) *cell {
	if c[l] == nil {
		c[l] = &cell{}
	}
	return c[l]
}

// makeCells returns cells for each window.
func (e *evaluation) makeCells() []cells {
	list := make([]cells, len(e.windows))
	for i := range list {
		list[i] = cells{}
	}
	return list
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

// family is a metric with a label of open values beside window and others.
type family struct {
	name, label string
	others      []string
	currency    string // empty for counts
	bounded     bool
}

// pairs returns the names and values of a label set in a window.
func (f family) pairs(window string, l labelSet) []string {
	pairs := []string{"window", window, f.label, l.value}
	for i, name := range f.others {
		pairs = append(pairs, name, l.others[i])
	}
	if f.currency != "" {
		pairs = append(pairs, "currency", f.currency)
	}
	return pairs
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
			e.exportIf(f.name, x.value(), f.pairs(window.name, l)...)
		}
	}
}

// keptValues returns the values with the largest sums over the other labels, as many as the
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

// ratioCell is one label set of a ratio in one window.
type ratioCell struct{ above, below total }

type ratioCells map[labelSet]*ratioCell

func (c ratioCells) at(l labelSet) *ratioCell {
	if c[l] == nil {
		c[l] = &ratioCell{}
	}
	return c[l]
}

// exportRatios exports a ratio from the cells of a window. The bound keeps the values
// with the largest denominators.
func (e *evaluation) exportRatios(f family, window string, c ratioCells) {
	below := cells{}
	for l, x := range c {
		below.at(l).own++
		below.at(l).join(&x.below)
	}
	kept, folds := e.keptValues(below)
	shown := ratioCells{}
	for l, x := range c {
		if f.bounded && folds && !slices.Contains(kept, l.value) {
			l.value = "other"
		}
		shown.at(l).above.join(&x.above)
		shown.at(l).below.join(&x.below)
	}
	for l, x := range shown {
		e.exportIf(f.name, divide(&x.above.sum, &x.below.sum, x.above.reason(), x.below.reason()), f.pairs(window, l)...)
	}
}
