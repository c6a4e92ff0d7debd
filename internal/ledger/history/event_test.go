package history_test

import (
	"bytes"
	"errors"
	"math"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/b2bexporter/b2b_exporter/internal/ledger/history"
)

// drawEvent draws an event with only the fields that its kind and flags have.
func drawEvent(t *rapid.T) history.Event {
	round := func(label string, unit int64) int64 {
		n := rapid.OneOf(rapid.Int64(), rapid.Int64Range(-1e9, 1e9), rapid.SampledFrom([]int64{0, math.MinInt64, math.MaxInt64})).Draw(t, label)
		if rapid.Bool().Draw(t, label+" whole") {
			n -= n % unit
		}
		return n
	}
	text := func(label string) history.Dict {
		return history.Dict(rapid.OneOf(rapid.Uint32Range(0, 200), rapid.Uint32()).Draw(t, label))
	}
	money := func(label string) int64 { return round(label, 10_000) }
	e := history.Event{
		Kind:   history.Kind(rapid.IntRange(int(history.Order), int(history.Owned)).Draw(t, "kind")),
		Flags:  uint16(rapid.IntRange(0, 63).Draw(t, "flags")),
		T:      round("time", 1_000_000),
		Source: text("source"),
	}
	switch e.Kind {
	case history.Live, history.Checkout:
		e.End = round("end", 1_000_000)
	case history.Subscribed:
		e.End, e.Label = round("end", 1_000_000), text("label")
	case history.Quote, history.Known:
		e.Label = text("label")
	case history.Lead, history.Step, history.Owned:
		e.Label, e.Ref = text("label"), rapid.Int64().Draw(t, "ref")
	case history.Won, history.Answer:
		e.Ref = rapid.Int64().Draw(t, "ref")
	case history.Revenue:
		e.Currency, e.Gross, e.Discount = text("currency"), money("gross"), money("discount")
	case history.Order, history.Refund:
		e.Label, e.Territory, e.Currency = text("label"), text("territory"), text("currency")
		e.Gross = money("gross")
		if e.Has(history.HasDiscount) {
			e.Discount = money("discount")
		}
		if e.Has(history.HasCost) {
			e.Profit, e.Costed = money("profit"), money("costed")
		}
	}
	return e
}

func encode(events ...history.Event) []byte {
	var b []byte
	for _, e := range events {
		b = e.Append(b)
	}
	return b
}

func TestRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := rapid.SliceOfN(rapid.Custom(drawEvent), 0, 5).Draw(t, "events")
		before := history.Event{Kind: history.Known, T: 1}
		got, _, err := history.Decode(encode(want...), []history.Event{before}, nil)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(append([]history.Event{before}, want...), got); diff != "" {
			t.Errorf("events (-want +got):\n%s", diff)
		}
	})
}

func TestEdit(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		// Few different events, so that many are equal.
		pool := rapid.SliceOfN(rapid.Custom(drawEvent), 1, 3).Draw(t, "pool")
		of := rapid.SliceOfN(rapid.SampledFrom(pool), 0, 8)
		events, added := of.Draw(t, "events"), of.Draw(t, "added")
		b := encode(events...)
		model := slices.Clone(events)
		var remove, add [][]byte
		for _, e := range of.Draw(t, "removed") {
			if i := slices.Index(model, e); i >= 0 {
				model = slices.Delete(model, i, i+1)
				remove = append(remove, encode(e))
			}
		}
		for _, e := range added {
			model = append(model, e)
			add = append(add, encode(e))
		}
		b, err := history.Edit(b, remove, add)
		if err != nil {
			t.Fatal(err)
		}
		got, _, err := history.Decode(b, nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(got, model) {
			t.Errorf("edited to %v, want %v", got, model)
		}
	})
}

func TestEditOfAnAbsentEvent(t *testing.T) {
	order := history.Event{Kind: history.Order, T: 5_000_000, Gross: 10_000}
	similar := order
	similar.Gross++
	for name, b := range map[string][]byte{
		"empty": nil, "similar": encode(similar), "once only": encode(order), "damaged": {255, 1, 2},
	} {
		if _, err := history.Edit(b, [][]byte{encode(order), encode(order)}, nil); !errors.Is(err, history.ErrCorrupt) {
			t.Errorf("%s: %v, want ErrCorrupt", name, err)
		}
	}
}

func TestDecodeOfDamage(t *testing.T) {
	order := history.Event{
		Kind: history.Order, Flags: history.HasMoney | history.HasDiscount | history.HasCost, T: 1, Source: 300, Label: 300,
		Territory: 300, Currency: 300, Gross: 1 << 40, Discount: 1 << 40, Profit: 1 << 40, Costed: 1 << 40,
	}
	live := history.Event{Kind: history.Live, T: 1, End: 1 << 40}
	lead := history.Event{Kind: history.Lead, T: 1, Label: 300, Ref: 300}
	step := history.Event{Kind: history.Step, T: 1, Label: history.StepMQL, Ref: 300}
	answer := history.Event{Kind: history.Answer, T: 1, Ref: 300}
	for _, e := range []history.Event{order, live, lead, step, answer} {
		whole := encode(e)
		for n := 1; n < len(whole); n++ {
			events, _, err := history.Decode(append(encode(live), whole[:n]...), nil, nil)
			if !errors.Is(err, history.ErrCorrupt) {
				t.Errorf("kind %d cut after %d of %d bytes: %v, want ErrCorrupt", e.Kind, n, len(whole), err)
			}
			if !slices.Equal(events, []history.Event{live}) {
				t.Errorf("kind %d cut after %d bytes: what precedes the damage is %v", e.Kind, n, events)
			}
		}
	}
	for name, b := range map[string][]byte{
		"no kind": {0, 0, 0, 0}, "unknown kind": {63, 0, 0, 0},
		"endless number": append([]byte{byte(history.Known)}, bytes.Repeat([]byte{0x80}, 11)...),
	} {
		if _, _, err := history.Decode(b, nil, nil); !errors.Is(err, history.ErrCorrupt) {
			t.Errorf("%s: %v, want ErrCorrupt", name, err)
		}
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte{1, 255, 255, 3})
	f.Add(encode(history.Event{Kind: history.Order, Flags: history.HasMoney | history.HasCost, T: 7, Gross: -1, Costed: math.MinInt64}))
	f.Add(encode(history.Event{Kind: history.Live, T: math.MaxInt64, End: math.MinInt64}, history.Event{Kind: history.Quote, Label: 1}))
	f.Fuzz(func(t *testing.T, b []byte) {
		events, rows, err := history.Decode(b, nil, nil)
		if err != nil && !errors.Is(err, history.ErrCorrupt) {
			t.Fatalf("%v is no ErrCorrupt", err)
		}
		// What was decoded has an encoding of its own that says the same.
		encoded := encode(events...)
		for i := range rows {
			encoded = rows[i].Append(encoded)
		}
		again, againRows, err := history.Decode(encoded, nil, nil)
		if err != nil || !slices.Equal(again, events) || !slices.Equal(againRows, rows) {
			t.Fatalf("decoded %v and %v, and after encoding it %v and %v, %v", events, rows, again, againRows, err)
		}
		_, err = history.Edit(bytes.Clone(b), [][]byte{encode(history.Event{Kind: history.Known})}, nil)
		if err != nil && !errors.Is(err, history.ErrCorrupt) {
			t.Fatalf("%v is no ErrCorrupt", err)
		}
	})
}

func TestSortByTime(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		events := make([]history.Event, rapid.IntRange(0, 20).Draw(t, "n"))
		for i := range events {
			events[i] = history.Event{T: rapid.Int64Range(-3, 3).Draw(t, "time"), Gross: int64(i)}
		}
		want := slices.Clone(events)
		slices.SortStableFunc(want, func(a, b history.Event) int { return int(a.T - b.T) })
		history.SortByTime(events)
		if !slices.Equal(events, want) {
			t.Errorf("sorted to %v, want %v", events, want)
		}
	})
	extremes := []history.Event{{T: math.MaxInt64}, {T: math.MinInt64}}
	history.SortByTime(extremes)
	if extremes[0].T != math.MinInt64 {
		t.Error("the extreme times are out of order")
	}
}

func TestNet(t *testing.T) {
	for _, test := range []struct {
		event history.Event
		want  int64
	}{
		{history.Event{Kind: history.Order, Gross: 100, Discount: 30}, 70},
		{history.Event{Kind: history.Order, Gross: 100, Discount: 130}, -30},
		{history.Event{Kind: history.Order}, 0},
		{history.Event{Kind: history.Refund, Gross: 40}, -40},
	} {
		if got := test.event.Net(); got != test.want {
			t.Errorf("net of %+v is %d, want %d", test.event, got, test.want)
		}
	}
}
