package rollup

import (
	"math/big"
	"slices"
)

// intervals is a multiset of times, such as those between orders, in microseconds, from which order
// statistics are read. It keeps 4 bytes a value: buckets of 2^32 microseconds
// (71 minutes), each a list of the lower halves.
type intervals struct {
	buckets map[uint32][]uint32
	n       int64
}

func (s *intervals) add(v, sign int64) {
	high, low := uint32(v>>32), uint32(v)
	if s.buckets == nil {
		s.buckets = map[uint32][]uint32{}
	}
	s.n += sign
	list := s.buckets[high]
	if sign > 0 {
		s.buckets[high] = append(list, low)
		return
	}
	i := slices.Index(list, low)
	list[i] = list[len(list)-1]
	if list = list[:len(list)-1]; len(list) == 0 {
		delete(s.buckets, high)
		return
	}
	s.buckets[high] = list
}

// quantile returns the ceil(q x n)-th smallest value; ok is false where there is none.
func (s *intervals) quantile(q *big.Rat) (v int64, ok bool) {
	if s.n == 0 {
		return 0, false
	}
	rank := quantileRank(q, s.n)
	highs := make([]uint32, 0, len(s.buckets))
	for high := range s.buckets {
		highs = append(highs, high)
	}
	slices.Sort(highs)
	for _, high := range highs {
		list := s.buckets[high]
		if rank <= int64(len(list)) {
			sorted := slices.Sorted(slices.Values(list))
			return int64(high)<<32 | int64(sorted[rank-1]), true
		}
		rank -= int64(len(list))
	}
	return 0, false
}

// below returns how many values are less than v.
func (s *intervals) below(v int64) int64 {
	bound, n := uint32(v>>32), int64(0)
	for high, list := range s.buckets {
		switch {
		case high < bound:
			n += int64(len(list))
		case high == bound:
			for _, low := range list {
				if low < uint32(v) {
					n++
				}
			}
		}
	}
	return n
}

// quantileRank returns ceil(q x n), at least 1.
func quantileRank(q *big.Rat, n int64) int64 {
	product := new(big.Int).Mul(q.Num(), big.NewInt(n))
	product.Add(product, q.Denom()).Sub(product, big.NewInt(1))
	return max(product.Div(product, q.Denom()).Int64(), 1)
}
