package rollup

import (
	"context"
	"math/big"
	"slices"
	"strings"

	"github.com/b2bexporter/b2b_exporter/internal/ledger"
	"github.com/b2bexporter/b2b_exporter/internal/ledger/history"
	"github.com/b2bexporter/b2b_exporter/internal/record"
	"github.com/b2bexporter/b2b_exporter/internal/window"
)

// costs are the costs that count, and what they come to in spans of days.
type costs struct {
	list    []cost
	sources map[string][]string // by category
	cached  map[days]*costSums
	names   map[string]bool // of campaigns
}

type cost struct {
	record.Cost
	currency history.Dict
	class    record.Class
}

// costSums are costs over a span of days.
type costSums struct {
	marketing map[record.Class]*costSum
	sales     costSum
}

// costSum is a sum of parts of costs. Home is exact; foreign amounts are converted by day.
type costSum struct {
	home           big.Rat // in 10^-6 units
	foreign        total
	records, known int64
	paid           bool // a part of it is not 0
}

func (s *costSum) money() Money {
	m := s.foreign.money(s.records, s.known)
	if m.Value != nil {
		m.Value.Add(m.Value, new(big.Rat).Quo(&s.home, big.NewRat(record.MicrosPerUnit, 1)))
	}
	return m
}

// loadCosts reads the costs.
func loadCosts(ctx context.Context, snap *ledger.Snapshot, home string, currencies map[string]history.Dict) (*costs, error) {
	c := &costs{cached: map[days]*costSums{}, names: map[string]bool{}, sources: map[string][]string{}}
	err := snap.Costs(ctx, func(source string, r record.Cost) error {
		if r.Period == record.PeriodOnce && r.To == record.NoDay {
			r.To = r.From
		}
		if r.Category != record.CostMarketing && r.Category != record.CostSales || !spreads(&r) {
			return nil
		}
		entry := cost{Cost: r, currency: noCurrency, class: record.Class{
			Channel: strings.ToLower(strings.TrimSpace(r.Channel)), Program: strings.TrimSpace(r.Program), Campaign: strings.TrimSpace(r.Campaign),
		}}
		if entry.Currency == "" {
			entry.Currency = home
		}
		if n, ok := currencies[entry.Currency]; ok {
			entry.currency = n
		}
		if !record.IsChannel(entry.class.Channel) {
			entry.class.Channel = record.ChannelUnknown
		}
		if entry.class.Campaign != "" {
			c.names[entry.class.Campaign] = true
		}
		c.list = append(c.list, entry)
		if !slices.Contains(c.sources[r.Category], source) {
			c.sources[r.Category] = append(c.sources[r.Category], source)
		}
		return nil
	})
	return c, err
}

// spreads reports whether it is known over which days a cost is spread.
func spreads(c *record.Cost) bool {
	if c.To != record.NoDay && c.To < c.From {
		return false
	}
	return c.Period == record.PeriodMonth || c.Period == record.PeriodOnce && c.From != record.NoDay
}

// in returns what the costs come to in d.
func (c *costs) in(d days, home string, rates *rates) *costSums {
	if sums := c.cached[d]; sums != nil {
		return sums
	}
	sums := &costSums{marketing: map[record.Class]*costSum{}}
	for i := range c.list {
		entry := &c.list[i]
		to := &sums.sales
		if entry.Category == record.CostMarketing {
			if to = sums.marketing[entry.class]; to == nil {
				to = &costSum{}
			}
		}
		if entry.spread(d, to, entry.Currency == home, rates) && entry.Category == record.CostMarketing {
			sums.marketing[entry.class] = to
		}
	}
	c.cached[d] = sums
	return sums
}

// spread adds the part of a cost that falls on d, and reports whether any day of it does.
// A monthly cost is spread over the days of each calendar month, another over all its days.
func (c *cost) spread(d days, to *costSum, home bool, rates *rates) bool {
	covered := d
	if c.From != record.NoDay {
		covered.first = max(covered.first, window.Day(c.From))
	}
	if c.To != record.NoDay {
		covered.end = min(covered.end, window.Day(c.To)+1)
	}
	if covered.first >= covered.end {
		return false
	}
	to.records++
	if c.Amount.IsNull() {
		return true
	}
	to.known++
	to.paid = to.paid || c.Amount.Micros != 0
	for covered.first < covered.end {
		part, of := covered, int64(c.To-c.From)+1
		if c.Period == record.PeriodMonth {
			month := window.MonthStart(covered.first)
			next := window.AddMonths(month, 1)
			part.end, of = min(covered.end, next), int64(next-month)
		}
		if home {
			to.home.Add(&to.home, new(big.Rat).SetFrac(new(big.Int).Mul(big.NewInt(c.Amount.Micros), big.NewInt(int64(part.end-part.first))), big.NewInt(of)))
		} else {
			c.convert(part, of, to, rates)
		}
		covered.first = part.end
	}
	return true
}

// convert adds the share 1 / of of the cost for each day of part, at the day's rate.
func (c *cost) convert(part days, of int64, to *costSum, rates *rates) {
	for day := part.first; day < part.end; day++ {
		converted, ok := rates.convert(key{c.currency, day}, record.Wide(c.Amount.Micros))
		if !ok {
			to.foreign.noRate = true
			return
		}
		if to.foreign.fixed == nil {
			to.foreign.fixed = new(big.Int)
		}
		to.foreign.fixed.Add(to.foreign.fixed, converted.Quo(converted, big.NewInt(of)))
	}
}
