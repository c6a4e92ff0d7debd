package shopify

import (
	"errors"
	"math"
	"testing"

	"github.com/b2bexporter/b2b_exporter/internal/record"
)

func TestTimes(t *testing.T) {
	for _, test := range []struct {
		n, by, want int64
		overflow    bool
	}{
		{4_500_000, 3, 13_500_000, false},
		{0, 5, 0, false},
		{5, 0, 0, false},
		{-7, 3, -21, false},
		{math.MaxInt64, 1, math.MaxInt64, false},
		{1, math.MinInt64, math.MinInt64, false},
		{math.MinInt64, 1, math.MinInt64, false},
		{math.MaxInt64/2 + 1, 2, 0, true},
		{math.MinInt64, -1, 0, true},
		{-1, math.MinInt64, 0, true},
		{1 << 33, 1 << 33, 0, true},
	} {
		var s sum
		if got := s.times(test.n, test.by); got != test.want || errors.Is(s.err, record.ErrOverflow) != test.overflow {
			t.Errorf("%d x %d: got %d, %v; want %d, overflow %v", test.n, test.by, got, s.err, test.want, test.overflow)
		}
	}
}
