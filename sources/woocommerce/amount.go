package woocommerce

import (
	"fmt"
	"math/big"
	"time"

	"github.com/b2bexporter/b2b_exporter/internal/record"
)

// reader reads the texts of one record and remembers the first that is none.
type reader struct {
	rounded *int // counts amounts that are finer than a millionth
	err     error
	reason  string // of a rejection
}

func (r *reader) fail(reason string, err error) {
	if r.err == nil {
		r.reason, r.err = reason, err
	}
}

// amount returns an amount in millionths. Field says where it stands.
func (r *reader) amount(text, field string) *big.Rat {
	a, rounded, err := record.ParseAmount(text)
	if err != nil {
		r.fail("bad amount", fmt.Errorf("%s: %.40q: %w", field, text, err))
	}
	if rounded {
		*r.rounded++
	}
	return new(big.Rat).SetInt64(a.Micros)
}

// quantity returns a number of units, which plugins allow to have decimals.
func (r *reader) quantity(text, field string) *big.Rat {
	d, err := record.ParseDecimal(text)
	if err != nil {
		r.fail("bad quantity", fmt.Errorf("%s: %.40q: %w", field, text, err))
		return new(big.Rat)
	}
	return d.Rat()
}

// micros returns the amount of so many millionths, rounded half to even.
func (r *reader) micros(n *big.Rat) record.Amount {
	a, _, err := record.RoundMicros(n)
	if err != nil {
		r.fail("bad amount", err)
	}
	return a
}

// moment reads a time, which is UTC without saying so; null where there is none.
func (r *reader) moment(text, field string) record.Instant {
	if text == "" {
		return record.Instant{}
	}
	t, err := time.Parse(naive, text)
	if err != nil {
		r.fail("bad time", fmt.Errorf("%s: %.40q is no time of the form 2006-01-02T15:04:05", field, text))
		return record.Instant{}
	}
	return record.At(t)
}

// smaller returns a copy of the smaller one.
func smaller(a, b *big.Rat) *big.Rat {
	if a.Cmp(b) < 0 {
		return new(big.Rat).Set(a)
	}
	return new(big.Rat).Set(b)
}
