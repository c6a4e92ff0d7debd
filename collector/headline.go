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
	return in.compared(kpi, from, gate, value, func(_ window.Name, role rollup.Role) rollup.Role { return role })
}

// byDays is a headline with a window a part of which is known by day: running windows are
// compared over complete days.
func (in *Input) byDays(kpi string, from []string, gate Reason, value func(*rollup.WindowView) Value) Headline {
	return in.compared(kpi, from, gate, value, ofDays)
}

// ofDays returns the role in which a window takes part in comparisons of what is known by day.
func ofDays(name window.Name, role rollup.Role) rollup.Role {
	if name.Days() > 0 {
		return role
	}
	return role + rollup.CurrentDays
}

func (in *Input) compared(kpi string, from []string, gate Reason, value func(*rollup.WindowView) Value, role func(window.Name, rollup.Role) rollup.Role) Headline {
	h := Headline{KPI: kpi, HasWindow: true, Windows: map[window.Name]Compared{}, Sources: from}
	for _, w := range in.current() {
		c := Compared{Value: value(w).unless(gate), Base: map[string]Value{}}
		if c.Complete = c.Value; role(w.Name, rollup.Current) != rollup.Current {
			days := in.window(w.Name, role(w.Name, rollup.Current))
			if c.Complete = value(days).unless(gate); days.Start == days.End {
				c.Complete = undefined(NoData) // no day is complete
			}
		}
		for versus, r := range map[string]rollup.Role{Previous: rollup.Previous, YearAgo: rollup.YearAgo} {
			base := in.window(w.Name, role(w.Name, r))
			c.Base[versus] = value(base).unless(gate).unless(in.before(base, from))
		}
		h.Windows[w.Name] = c
	}
	return h
}

// before says why a window cannot be compared with: it begins before the first record of one
// of the sources.
func (in *Input) before(w *rollup.WindowView, sources []string) Reason {
	if since, known := in.since(sources); !known || w.Start < since {
		return Immature
	}
	return ""
}

// atMoment is a headline without a window.
func (in *Input) atMoment(kpi string, from []string, gate Reason, value func(*rollup.MomentView) Value) Headline {
	now := value(&in.View.Moments[rollup.Now]).unless(gate)
	h := Headline{KPI: kpi, Windows: map[window.Name]Compared{}, Sources: from}
	h.At = Compared{Value: now, Complete: now}
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
		h.Windows[name] = Compared{Value: now, Complete: now, Base: map[string]Value{
			Previous: base(moment), YearAgo: base(rollup.BackYear),
		}}
	}
	return h
}
