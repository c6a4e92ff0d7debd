package history_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/b2bexporter/b2b_exporter/internal/ledger/history"
)

// drawRow draws a row with only the values that it knows.
func drawRow(t *rapid.T) history.Row {
	text := func(label string) history.Dict { return history.Dict(rapid.Uint32().Draw(t, label)) }
	r := history.Row{
		Kind: history.Kind(rapid.IntRange(int(history.Spend), int(history.AfterRows)-1).Draw(t, "kind")),
		Day:  rapid.Int32().Draw(t, "day"), Source: text("source"), Labels: text("labels"), Currency: text("currency"),
		Known: uint16(rapid.IntRange(0, 1<<history.Measures-1).Draw(t, "known")),
	}
	if r.Kind == history.Users {
		r.End = rapid.Int32().Draw(t, "end")
	}
	for i := range r.Values {
		if r.Has(i) {
			r.Values[i] = rapid.Int64().Draw(t, "value")
		}
	}
	return r
}

func TestRowRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rows := rapid.SliceOfN(rapid.Custom(drawRow), 0, 5).Draw(t, "rows")
		event := rapid.Custom(drawEvent).Draw(t, "event")
		b := encode(event)
		for i := range rows {
			b = rows[i].Append(b)
		}
		before := history.Row{Kind: history.Traffic, Day: 1}
		events, got, err := history.Decode(b, nil, []history.Row{before})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(append([]history.Row{before}, rows...), got); diff != "" {
			t.Errorf("rows (-want +got):\n%s", diff)
		}
		if !slices.Equal(events, []history.Event{event}) {
			t.Errorf("events are %v, want %v", events, event)
		}
	})
}

// A row is taken out as an event is, and not for another that only looks like it.
func TestEditOfRows(t *testing.T) {
	row := history.Row{Kind: history.Spend, Day: 7, Labels: 3, Known: 1, Values: [history.Measures]int64{5}}
	free, unknown := row, row
	free.Values[0] = 0
	unknown.Known, unknown.Values[0] = 0, 0
	event := encode(history.Event{Kind: history.Known, T: 1})
	b := slices.Concat(unknown.Append(nil), event, row.Append(nil), row.Append(nil))
	b, err := history.Edit(b, [][]byte{row.Append(nil)}, [][]byte{free.Append(nil)})
	if err != nil {
		t.Fatal(err)
	}
	_, rows, err := history.Decode(b, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]history.Row{unknown, row, free}, rows); diff != "" {
		t.Errorf("rows (-want +got):\n%s", diff)
	}
	for name, absent := range map[string]history.Row{
		"another day":  {Kind: history.Spend, Day: 8, Labels: 3, Known: 1, Values: [history.Measures]int64{5}},
		"another kind": {Kind: history.Traffic, Day: 7, Labels: 3, Known: 1, Values: [history.Measures]int64{5}},
	} {
		if _, err := history.Edit(slices.Clone(b), [][]byte{absent.Append(nil)}, nil); !errors.Is(err, history.ErrCorrupt) {
			t.Errorf("%s: %v, want ErrCorrupt", name, err)
		}
	}
}

func TestDecodeOfDamagedRows(t *testing.T) {
	row := history.Row{Kind: history.Users, Day: 300, End: 300, Source: 300, Labels: 300, Currency: 300, Known: 1, Values: [history.Measures]int64{1 << 40}}
	whole := row.Append(nil)
	for n := 1; n < len(whole); n++ {
		_, rows, err := history.Decode(slices.Concat(whole, whole[:n]), nil, nil)
		if !errors.Is(err, history.ErrCorrupt) {
			t.Errorf("cut after %d of %d bytes: %v, want ErrCorrupt", n, len(whole), err)
		}
		if !slices.Equal(rows, []history.Row{row}) {
			t.Errorf("cut after %d bytes: what precedes the damage is %v", n, rows)
		}
	}
	tooMany, noKind := row, row
	tooMany.Known = 1 << history.Measures
	noKind.Kind = history.AfterRows
	for name, r := range map[string]history.Row{"a measure that no row has": tooMany, "a kind that no row has": noKind} {
		if _, _, err := history.Decode(r.Append(nil), nil, nil); !errors.Is(err, history.ErrCorrupt) {
			t.Errorf("%s: %v, want ErrCorrupt", name, err)
		}
	}
}

// Labels come apart as they were joined, but for the separator within one.
func TestLabels(t *testing.T) {
	for _, test := range []struct {
		labels []string
		n      int
		want   []string
	}{
		{[]string{"google", "", "Spring"}, 3, []string{"google", "", "Spring"}},
		{[]string{"google"}, 3, []string{"google", "", ""}},
		{[]string{"a\x1fb", "c"}, 2, []string{"a b", "c"}},
		{nil, 1, []string{""}},
		{[]string{"a", "b", "c"}, 1, []string{"a", "b", "c"}},
	} {
		if diff := cmp.Diff(test.want, history.SplitLabels(history.JoinLabels(test.labels...), test.n)); diff != "" {
			t.Errorf("%q (-want +got):\n%s", test.labels, diff)
		}
	}
}
