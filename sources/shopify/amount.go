package shopify

import (
	"fmt"
	"math"
	"math/big"

	"github.com/b2bexporter/b2b_exporter/internal/record"
)

// sum adds amounts of one record exactly and remembers the first that is none.
type sum struct {
	rounded *int // counts amounts that are finer than a millionth
	err     error
}

// read returns an amount in millionths. Field says where it stands.
func (s *sum) read(text, field string) int64 {
	a, rounded, err := record.ParseAmount(text)
	if err != nil && s.err == nil {
		s.err = fmt.Errorf("%s: %.40q: %w", field, text, err)
	}
	if rounded {
		*s.rounded++
	}
	return a.Micros
}

// ratio returns n x over / under, rounded half to even.
func (s *sum) ratio(n int64, over, under *big.Int) int64 {
	if under.Sign() == 0 {
		return 0
	}
	exact := new(big.Rat).SetFrac(over, under)
	a, _, err := record.RoundMicros(exact.Mul(exact, new(big.Rat).SetInt64(n)))
	if err != nil {
		s.fail(err)
	}
	return a.OrZero()
}

// times returns n x by.
func (s *sum) times(n, by int64) int64 {
	product := n * by
	if n != 0 && (product/n != by || n == -1 && by == math.MinInt64) {
		s.fail(record.ErrOverflow)
		return 0
	}
	return product
}

// share returns n x part / whole.
func (s *sum) share(n, part, whole int64) int64 {
	if part == whole {
		return n
	}
	return s.ratio(n, big.NewInt(part), big.NewInt(whole))
}

// add returns a + b.
func (s *sum) add(a, b int64) int64 {
	total := a + b
	if (total > a) != (b > 0) && b != 0 {
		s.fail(record.ErrOverflow)
	}
	return total
}

func (s *sum) fail(err error) {
	if s.err == nil {
		s.err = err
	}
}
