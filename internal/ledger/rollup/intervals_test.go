package rollup

import (
	"math"
	"math/big"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// The multiset gives what a sorted list of the same values gives.
func TestIntervals(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var s intervals
		var list []int64
		// Few distinct values, so that some are there several times, in a few buckets.
		value := rapid.OneOf(
			rapid.Int64Range(0, 20), rapid.Int64Range(1<<32-3, 1<<32+3), rapid.Int64Range(5<<32-2, 5<<32+2), rapid.Int64Range(0, 400*86_400_000_000),
			rapid.Just(int64(math.MaxInt64)),
		)
		t.Repeat(map[string]func(*rapid.T){
			"add": func(t *rapid.T) {
				v := value.Draw(t, "value")
				s.add(v, 1)
				list = append(list, v)
				slices.Sort(list)
			},
			"take out": func(t *rapid.T) {
				if len(list) == 0 {
					t.Skip("empty")
				}
				i := rapid.IntRange(0, len(list)-1).Draw(t, "which")
				s.add(list[i], -1)
				list = slices.Delete(list, i, i+1)
			},
			"": func(t *rapid.T) {
				if s.n != int64(len(list)) || len(list) == 0 && len(s.buckets) != 0 {
					t.Fatalf("it holds %d values in %d buckets, want %d", s.n, len(s.buckets), len(list))
				}
				for _, tenths := range []int64{0, 1, 5, 8, 9, 10} {
					got, ok := s.quantile(big.NewRat(tenths, 10))
					if ok != (len(list) > 0) {
						t.Fatalf("quantile of %d values: %v", len(list), ok)
					}
					if !ok {
						continue
					}
					rank := max((tenths*int64(len(list))+9)/10, 1)
					if want := list[rank-1]; got != want {
						t.Fatalf("quantile %d/10 of %v is %d, want %d", tenths, list, got, want)
					}
				}
			},
		})
	})
}

// q is exact: 0.8 x 5 is 4, not a little more.
func TestQuantileRank(t *testing.T) {
	for _, test := range []struct {
		q       string
		n, want int64
	}{
		{"0.8", 5, 4},
		{"0.8", 6, 5},
		{"0.5", 1, 1},
		{"0.5", 2, 1},
		{"0.5", 3, 2},
		{"0.9", 10, 9},
		{"0.95", 20, 19},
		{"0.95", 21, 20},
		{"0.1", 3, 1},
		{"0", 3, 1},
		{"1", 3, 3},
		{"0.7", 10, 7},
		{"0.8", math.MaxInt64, 7378697629483820646},
	} {
		q, ok := new(big.Rat).SetString(test.q)
		if !ok {
			t.Fatal(test.q)
		}
		if got := quantileRank(q, test.n); got != test.want {
			t.Errorf("quantile %s of %d values is number %d, want %d", test.q, test.n, got, test.want)
		}
	}
}
