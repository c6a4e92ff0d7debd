package collector

import (
	"github.com/b2bexporter/b2b_exporter/internal/ledger/rollup"
	"github.com/b2bexporter/b2b_exporter/internal/window"
)

// since returns the latest of the first records of sources: what lies before it cannot
// be compared with. ok is false where one of them has no record at all.
func (in *Input) since(sources []string) (at int64, ok bool) {
	for i, s := range sources {
		f, known := in.View.FirstRecords[s]
		if !known {
			return 0, false
		}
		if i == 0 || f > at {
			at = f
		}
	}
	return at, len(sources) > 0
}

// byWindow is a headline with a window: its total as value says, from the given
// sources, unless gate says why it cannot be trusted.
func (in *Input) byWindow(kpi string, from []string, gate Reason, value func(*rollup.WindowView) Value) Headline {
	h := Headline{KPI: kpi, HasWindow: true, Windows: map[window.Name]Compared{}, Sources: from}
	for _, w := range in.current() {
		h.Windows[w.Name] = Compared{Value: value(w).unless(gate), Base: map[string]Value{}}
	}
	since, known := in.since(from)
	for versus, role := range map[string]rollup.Role{versusPrevious: rollup.Previous, versusYearAgo: rollup.YearAgo} {
		for _, w := range in.role(role) {
			base := value(w).unless(gate)
			if !known || w.Start < since {
				base = base.unless(Immature)
			}
			h.Windows[w.Name].Base[versus] = base
		}
	}
	return h
}

// atMoment is a headline without a window.
func (in *Input) atMoment(kpi string, from []string, gate Reason, value func(*rollup.MomentView) Value) Headline {
	now := value(&in.View.Moments[rollup.Now]).unless(gate)
	h := Headline{KPI: kpi, Windows: map[window.Name]Compared{}, Sources: from}
	h.At = Compared{Value: now}
	since, known := in.since(from)
	base := func(moment int) Value {
		m := &in.View.Moments[moment]
		v := value(m).unless(gate)
		if !known || m.At <= since {
			v = v.unless(Immature)
		}
		return v
	}
	for name, moment := range map[window.Name]int{window.Days30: rollup.Back30, window.Days90: rollup.Back90, window.Days365: rollup.Back365} {
		h.Windows[name] = Compared{Value: now, Base: map[string]Value{
			versusPrevious: base(moment), versusYearAgo: base(rollup.BackYear),
		}}
	}
	return h
}
