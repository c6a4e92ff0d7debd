package collector

import (
	"cmp"
	"maps"
	"math/big"
	"slices"
	"strings"

	"github.com/b2bexporter/b2b_exporter/internal/window"
)

// otherLabel is what the values that a bound leaves out are folded into.
const otherLabel = "other"

// labels are the values of a series: the one that may be bounded, which comes last, and
// those before it.
type labels struct {
	value  string
	before [2]string // the last ones may be empty
}

func labelled(value string, before ...string) labels {
	l := labels{value: label(value)}
	copy(l.before[:], before)
	return l
}

// list returns the values behind the window's.
func (l labels) list(w window.Name) []string {
	values := []string{string(w)}
	for _, b := range l.before {
		if b != "" {
			values = append(values, b)
		}
	}
	return append(values, l.value)
}

// series collects a labelled metric over all windows: which label sets occur in any
// of them, and what must be 0, absent or folded in each.
type series struct {
	windows []window.Name
	values  map[window.Name]map[labels]Value
	blanks  map[window.Name]map[labels]bool
	max     int
	bound   bool
}

func newSeries(in *Input) *series {
	s := &series{values: map[window.Name]map[labels]Value{}, blanks: map[window.Name]map[labels]bool{}, max: in.LabelMax}
	for _, w := range in.current() {
		s.windows = append(s.windows, w.Name)
		s.values[w.Name] = map[labels]Value{}
		s.blanks[w.Name] = map[labels]bool{}
	}
	return s
}

// set gives a label set its value in a window, in which it occurs.
func (s *series) set(w window.Name, value string, v Value, before ...string) {
	l := labelled(value, before...)
	if other, ok := s.values[w][l]; ok {
		v = other.plus(v)
	}
	s.values[w][l] = v
}

// blank says that a label set occurs in a window only without the amount: where it
// occurs in another window it is absent here, not 0.
func (s *series) blank(w window.Name, value string, before ...string) {
	s.blanks[w][labelled(value, before...)] = true
}

// label returns the value of a label for a name from a source. An e-mail address
// never becomes one.
func label(name string) string {
	if at := strings.IndexByte(name, '@'); at > 0 && strings.Contains(name[at:], ".") {
		return "unknown"
	}
	return strings.ToValidUTF8(name, "\uFFFD")
}

// plus returns v + w, two parts of one sum: what has no data adds nothing to what has.
func (v Value) plus(w Value) Value {
	switch {
	case v.Defined() && w.Reason == NoData:
		return v
	case w.Defined() && v.Reason == NoData:
		return w
	}
	if r := first(v, w); r != "" {
		return undefined(r)
	}
	return Value{Number: new(big.Rat).Add(v.Number, w.Number)}
}

// bounded makes the series keep only the largest values of its first label.
func (s *series) bounded() *series {
	s.bound = true
	return s
}

// emit puts out the series with labels window, those before, value.
func (s *series) emit(out *Output, metric string) {
	all := map[labels]bool{}
	for _, w := range s.windows {
		for l := range s.values[w] {
			all[l] = true
		}
	}
	for _, w := range s.windows {
		values := s.values[w]
		if folded, n := s.fold(values); n > 0 {
			values = folded
			out.Dropped[metric] = max(out.Dropped[metric], n)
		} else {
			values = maps.Clone(values)
			for l := range all {
				if _, ok := values[l]; !ok && !s.blanks[w][l] {
					values[l] = number(0)
				}
			}
		}
		for _, l := range slices.SortedFunc(maps.Keys(values), compareLabels) {
			out.add(metric, values[l], l.list(w)...)
		}
	}
}

func compareLabels(a, b labels) int {
	return cmp.Or(slices.Compare(a.before[:], b.before[:]), cmp.Compare(a.value, b.value))
}

// fold keeps the values of the first label with the largest sums over the others, ties
// by byte order, and returns how many it folded into "other".
func (s *series) fold(values map[labels]Value) (map[labels]Value, int) {
	kept, dropped := largest(values, s.max)
	if !s.bound || dropped == 0 {
		return nil, 0
	}
	return folded(values, kept), dropped
}

// largest returns which values of the first label have the largest sums over the others,
// ties by byte order, and how many are left out.
func largest(values map[labels]Value, n int) (kept map[string]bool, dropped int) {
	sums := map[string]*big.Rat{}
	for l, v := range values {
		if sums[l.value] == nil {
			sums[l.value] = new(big.Rat)
		}
		if v.Defined() {
			sums[l.value].Add(sums[l.value], v.Number)
		}
	}
	order := slices.SortedFunc(maps.Keys(sums), func(a, b string) int {
		return cmp.Or(sums[b].Cmp(sums[a]), cmp.Compare(a, b))
	})
	kept = map[string]bool{}
	for _, value := range order[:min(n, len(order))] {
		kept[value] = true
	}
	return kept, max(0, len(order)-n)
}

// folded sums what is not kept under "other".
func folded(values map[labels]Value, kept map[string]bool) map[labels]Value {
	sums := map[labels]Value{}
	for _, l := range slices.SortedFunc(maps.Keys(values), compareLabels) {
		to := l
		if !kept[l.value] {
			to.value = otherLabel
		}
		if v, ok := sums[to]; ok {
			sums[to] = v.plus(values[l])
		} else {
			sums[to] = values[l]
		}
	}
	return sums
}

// ratios collects the parts of a labelled ratio over all windows.
type ratios struct{ numerators, denominators *series }

func newRatios(in *Input) ratios { return ratios{newSeries(in), newSeries(in)} }

// emit puts out the ratios that are defined. A bounded one folds by its denominator.
func (r ratios) emit(out *Output, metric string, bounded bool) {
	for _, w := range r.denominators.windows {
		over, of := r.denominators.values[w], r.numerators.values[w]
		for l := range of {
			if _, ok := over[l]; !ok {
				over[l] = number(0)
			}
		}
		if kept, dropped := largest(over, r.denominators.max); bounded && dropped > 0 {
			over, of = folded(over, kept), folded(of, kept)
			out.Dropped[metric] = max(out.Dropped[metric], dropped)
		}
		for _, l := range slices.SortedFunc(maps.Keys(over), compareLabels) {
			numerator, ok := of[l]
			if !ok {
				numerator = number(0)
			}
			out.add(metric, numerator.over(over[l]), l.list(w)...)
		}
	}
}
