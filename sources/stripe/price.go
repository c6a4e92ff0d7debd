package stripe

import (
	"encoding/json"
	"math/big"
	"slices"
	"strings"

	"github.com/b2bexporter/b2b_exporter/internal/record"
)

// decimals returns how many decimals of a currency the vendor's smallest unit stands for. Of
// ISK and UGX, which have none, the vendor counts hundredths.
func decimals(currency string) int64 {
	switch strings.ToUpper(currency) {
	case "BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "MGA", "PYG", "RWF", "VND", "VUV", "XAF", "XOF", "XPF":
		return 0
	case "BHD", "JOD", "KWD", "OMR", "TND":
		return 3
	}
	return 2
}

// micros returns an amount in a currency's smallest unit as a record's, rounded half to even.
func micros(minor *big.Rat, currency string) (a record.Amount, rounded bool, err error) {
	scale := new(big.Int).Exp(big.NewInt(10), big.NewInt(6-decimals(currency)), nil)
	exact := new(big.Rat).Mul(minor, new(big.Rat).SetInt(scale))
	if a, rounded, err = record.RoundMicros(exact); err != nil {
		return record.Amount{}, false, &valueError{"bad amount", "amount", err.Error()}
	}
	return a, rounded, nil
}

// monthly returns by what an amount of one billing period is multiplied to be one of a month.
func (r *recurring) monthly() (*big.Rat, error) {
	if r.IntervalCount < 1 {
		return nil, &valueError{"bad interval", "items.price.recurring", "interval_count is not above 0"}
	}
	factor := big.NewRat(1, r.IntervalCount)
	switch r.Interval {
	case "day":
		return factor.Mul(factor, big.NewRat(36525, 1200)), nil
	case "week":
		return factor.Mul(factor, big.NewRat(52, 12)), nil
	case "month":
		return factor, nil
	case "year":
		return factor.Mul(factor, big.NewRat(1, 12)), nil
	}
	return nil, &valueError{"bad interval", "items.price.recurring", "interval is none of day, week, month and year"}
}

// number reads a decimal exactly; nil for null.
func number(field string, n *json.Number) (*big.Rat, error) {
	if n == nil || *n == "" {
		return nil, nil
	}
	// ParseDecimal bounds what a rational number would expand without end.
	d, err := record.ParseDecimal(n.String())
	if err != nil {
		return nil, &valueError{"bad amount", field, err.Error()}
	}
	return d.Rat(), nil
}

// first returns the first number that is not null.
func first(field string, numbers ...*json.Number) (*big.Rat, error) {
	for _, n := range numbers {
		if r, err := number(field, n); r != nil || err != nil {
			return r, err
		}
	}
	return nil, nil
}

// gross returns what an item costs in one billing period, in the smallest unit of a currency and
// before discounts; nil where the vendor does not tell.
func (c *catalog) gross(it item, currency string) (*big.Rat, error) {
	p, amounts := &it.Price, it.Price.priceAmounts
	other := !strings.EqualFold(p.Currency, currency)
	if other || p.BillingScheme == "tiered" && len(amounts.Tiers) == 0 {
		whole, err := c.price(p.ID, currency)
		if err != nil {
			return nil, err
		}
		amounts = whole.priceAmounts
		if other {
			option, ok := whole.CurrencyOptions[strings.ToLower(currency)]
			if !ok {
				return nil, &valueError{"unknown price", "items.price", "price " + p.ID + " has no amount in the subscription's currency"}
			}
			amounts = option
		}
	}
	quantity := big.NewInt(1)
	if it.Quantity != nil {
		quantity.SetInt64(*it.Quantity)
	}
	if p.BillingScheme == "tiered" {
		return tiered(amounts.Tiers, p.TiersMode == "volume", quantity)
	}
	unit, err := first("items.price", amounts.UnitAmountDecimal, amounts.UnitAmount)
	if unit == nil || err != nil {
		return nil, err
	}
	if t := p.Transform; t != nil && t.DivideBy > 0 {
		rest := new(big.Int)
		quantity.DivMod(quantity, big.NewInt(t.DivideBy), rest)
		if t.Round == "up" && rest.Sign() > 0 {
			quantity.Add(quantity, big.NewInt(1))
		}
	}
	return unit.Mul(unit, new(big.Rat).SetInt(quantity)), nil
}

// tiered returns the price of a quantity: all of it at the price of its tier (volume), or each
// part at the price of its own.
func tiered(tiers []tier, volume bool, quantity *big.Int) (*big.Rat, error) {
	total, below := new(big.Rat), new(big.Int)
	for _, t := range tiers {
		last := t.UpTo == nil || quantity.Cmp(big.NewInt(*t.UpTo)) <= 0
		if volume && !last {
			continue
		}
		part := new(big.Int).Sub(quantity, below)
		if !last {
			part.SetInt64(*t.UpTo).Sub(part, below)
			below.SetInt64(*t.UpTo)
		}
		unit, err := first("items.price.tiers", t.UnitAmountDecimal, t.UnitAmount)
		if err != nil {
			return nil, err
		}
		flat, err := first("items.price.tiers", t.FlatAmountDecimal, t.FlatAmount)
		if err != nil {
			return nil, err
		}
		if unit == nil && flat == nil {
			return nil, nil
		}
		if unit != nil {
			total.Add(total, unit.Mul(unit, new(big.Rat).SetInt(part)))
		}
		if flat != nil {
			total.Add(total, flat)
		}
		if last {
			return total, nil
		}
	}
	return nil, &valueError{"bad price", "items.price.tiers", "no tier holds the quantity"}
}

// terms are what a customer has agreed to pay.
type terms struct {
	items     []item
	discounts []discount
	taxes     []taxRate
}

// charge is the price of an item, normalised to a month.
type charge struct {
	item   item
	factor *big.Rat
	amount *big.Rat
}

// mrr returns the monthly recurring revenue of terms at a moment in the smallest unit of a
// currency: without metered items, net of the discounts in force, without tax; nil where a price
// is not known.
func (c *catalog) mrr(t terms, currency string, at int64) (*big.Rat, error) {
	var charges []charge
	for _, it := range t.items {
		r := it.Price.Recurring
		if r == nil || r.UsageType == "metered" {
			continue
		}
		factor, err := r.monthly()
		if err != nil {
			return nil, err
		}
		amount, err := c.gross(it, currency)
		if amount == nil || err != nil {
			return nil, err
		}
		ch := charge{it, factor, amount.Mul(amount, factor)}
		for _, d := range it.Discounts {
			if d.Object == nil {
				return nil, errDiscount
			}
			if err := c.reduce([]charge{ch}, *d.Object, currency, at); err != nil {
				return nil, err
			}
		}
		charges = append(charges, ch)
	}
	for _, d := range t.discounts {
		if err := c.reduce(charges, d, currency, at); err != nil {
			return nil, err
		}
	}
	total := new(big.Rat)
	for _, ch := range charges {
		net, err := untaxed(ch, t.taxes)
		if err != nil {
			return nil, err
		}
		total.Add(total, net)
	}
	return total, nil
}

// reduce takes a discount, where it is in force, off the charges that it is for. A discount that
// is for one invoice only is none of recurring revenue.
func (c *catalog) reduce(charges []charge, d discount, currency string, at int64) error {
	if at < d.Start || d.End != 0 && at >= d.End {
		return nil
	}
	cp, err := c.couponOf(d)
	if err != nil || cp.Duration == "once" {
		return err
	}
	percent, err := number("discounts", cp.PercentOff)
	if err != nil {
		return err
	}
	off := cp.AmountOff
	if !strings.EqualFold(cp.Currency, currency) {
		off = nil
		if option, ok := cp.CurrencyOptions[strings.ToLower(currency)]; ok {
			off = &option.AmountOff
		}
	}
	left, err := number("discounts", off)
	if err != nil {
		return err
	}
	for i, ch := range charges {
		if cp.AppliesTo != nil && !slices.Contains(cp.AppliesTo.Products, ch.item.Price.Product.ID) {
			continue
		}
		switch {
		case percent != nil:
			share := new(big.Rat).Sub(big.NewRat(1, 1), new(big.Rat).Quo(percent, big.NewRat(100, 1)))
			charges[i].amount.Mul(ch.amount, share)
		case left != nil && ch.amount.Sign() > 0:
			// The amount is off each invoice, whose period is that of the items, and at most
			// what the item costs.
			cut := new(big.Rat).Mul(left, ch.factor)
			if cut.Cmp(ch.amount) > 0 {
				cut.Set(ch.amount)
			}
			charges[i].amount.Sub(ch.amount, cut)
			left.Sub(left, cut.Quo(cut, ch.factor))
		}
	}
	return nil
}

func (c *catalog) couponOf(d discount) (*coupon, error) {
	id, embedded := d.Source.Coupon.ID, d.Source.Coupon.Object
	if d.Coupon != nil {
		id, embedded = d.Coupon.ID, d.Coupon
	}
	if id == "" {
		return nil, errDiscount
	}
	return c.coupon(id, embedded)
}

// untaxed returns a charge without the tax that its price includes.
func untaxed(ch charge, byDefault []taxRate) (*big.Rat, error) {
	rates := ch.item.TaxRates
	if len(rates) == 0 {
		rates = byDefault
	}
	divisor := big.NewRat(1, 1)
	for _, r := range rates {
		if !r.Inclusive {
			continue
		}
		percent, err := number("tax_rates", &r.Percentage)
		if err != nil {
			return nil, err
		}
		if percent != nil {
			divisor.Add(divisor, percent.Quo(percent, big.NewRat(100, 1)))
		}
	}
	return new(big.Rat).Quo(ch.amount, divisor), nil
}
