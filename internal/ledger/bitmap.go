package ledger

import "slices"

// bitmap is a set of record numbers: one bit each, for they are dense.
type bitmap []uint64

func (b bitmap) has(n int64) bool { return n/64 < int64(len(b)) && b[n/64]&(1<<(n%64)) != 0 }

func (b *bitmap) add(numbers []int64) {
	for _, n := range numbers {
		if need := int(n/64) + 1; need > len(*b) {
			*b = append(*b, make([]uint64, need-len(*b))...)
		}
		(*b)[n/64] |= 1 << (n % 64)
	}
}

func (b bitmap) clone() bitmap { return slices.Clone(b) }
