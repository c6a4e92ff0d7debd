package rollup

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/b2bexporter/b2b_exporter/internal/record"
)

// The largest is that of all values whenever it says that it is exact, and it says so
// wherever it can.
func TestTop(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var s top
		all := map[int64]int64{}
		for unit := range rapid.Int64Range(0, 2*topSize).Draw(t, "units") {
			all[unit] = rapid.Int64Range(-9, 9).Draw(t, "value")
			s.add(unit, record.Wide(all[unit]), &takings{home: record.Wide(all[unit])})
		}
		check := func() bool {
			t.Helper()
			most, some := int64(0), false
			for _, v := range all {
				if !some || v > most {
					most, some = v, true
				}
			}
			unit, found, exact := s.largest()
			switch {
			case !exact && !s.bounded:
				t.Fatalf("all values are kept, and it is not exact")
			case exact && found != some:
				t.Fatalf("found %v, want %v", found, some)
			case exact && found && (all[unit] != most || s.kept[unit].value.home != record.Wide(most)):
				t.Fatalf("the largest of %v is %d of unit %d, want %d", all, all[unit], unit, most)
			case !exact && found && all[unit] > s.bound.Big().Int64():
				t.Fatalf("%d is larger than what all others are at most, %d, and it is not exact", all[unit], s.bound.Big().Int64())
			}
			return exact
		}
		if !check() {
			t.Fatal("nothing has been taken out, and it is not exact")
		}
		t.Repeat(map[string]func(*rapid.T){
			"change": func(t *rapid.T) {
				unit := rapid.Int64Range(0, 2*topSize).Draw(t, "unit")
				s.remove(unit)
				all[unit] = rapid.Int64Range(-9, 9).Draw(t, "value")
				s.add(unit, record.Wide(all[unit]), &takings{home: record.Wide(all[unit])})
			},
			"remove": func(t *rapid.T) {
				// The largest, as often as any other.
				unit, _, _ := s.largest()
				if rapid.Bool().Draw(t, "any") {
					unit = rapid.Int64Range(0, 2*topSize).Draw(t, "unit")
				}
				s.remove(unit)
				delete(all, unit)
			},
			"": func(*rapid.T) {
				if check() {
					return
				}
				s = top{}
				for unit, v := range all {
					s.add(unit, record.Wide(v), &takings{home: record.Wide(v)})
				}
				if !check() {
					t.Fatal("after everything was added again it is not exact")
				}
			},
		})
	})
}

// Once all that are kept by name are gone, it does not know the next.
func TestTopKnowsWhenItDoesNotKnow(t *testing.T) {
	var s top
	for unit := range int64(topSize + 10) {
		s.add(unit, record.Wide(unit), &takings{})
	}
	for n := range int64(topSize) {
		unit, found, exact := s.largest()
		if want := topSize + 9 - n; unit != want || !found || !exact {
			t.Fatalf("after %d removals the largest is %d, %v, %v; want %d", n, unit, found, exact, want)
		}
		s.remove(unit)
	}
	if _, found, exact := s.largest(); found || exact {
		t.Errorf("found %v, exact %v: ten are left that it has forgotten", found, exact)
	}
	// One that is smaller than what was left out does not help, one that is not does.
	s.add(1000, record.Wide(8), &takings{})
	if _, _, exact := s.largest(); exact {
		t.Error("8 is said to be the largest; 9 is there")
	}
	s.add(1001, record.Wide(9), &takings{})
	if unit, _, exact := s.largest(); unit != 1001 || !exact {
		t.Errorf("the largest is %d, %v: nothing left is larger than 9", unit, exact)
	}
}
