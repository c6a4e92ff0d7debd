package rollup

import (
	"cmp"
	"math/big"
	"slices"

	"github.com/b2bexporter/b2b_exporter/internal/ledger/history"
	"github.com/b2bexporter/b2b_exporter/internal/record"
	"github.com/b2bexporter/b2b_exporter/internal/window"
)

// Movement tells what a change of a customer's monthly recurring revenue is.
type Movement int

// The movements. What a customer never had before is new, what it had and lost is
// reactivated; churn is the loss of all of it.
const (
	MovementNew Movement = iota
	MovementExpansion
	MovementContraction
	MovementChurn
	MovementReactivation

	Movements

	// still are changes that are worth nothing, such as one of a currency.
	still = Movements
	// unclear are those of which no rate tells whether they are expansion or contraction.
	unclear = Movements + 1
)

func (m Movement) String() string {
	return [Movements]string{"new", "expansion", "contraction", "churn", "reactivation"}[m]
}

// part is recurring revenue in one currency: as it stands, or a change of it.
type part struct {
	currency history.Dict
	micros   record.Int128
	// live counts subscriptions that bring something, known those of which it is known how much.
	live, known int64
}

// revenue is recurring revenue by currency, in the order of their numbers.
type revenue []part

func (r *revenue) add(p part, sign int64) {
	i, found := slices.BinarySearchFunc(*r, p.currency, func(p part, c history.Dict) int { return cmp.Compare(p.currency, c) })
	if !found {
		*r = slices.Insert(*r, i, part{currency: p.currency})
	}
	to := &(*r)[i]
	to.micros = to.micros.Add(signed(p.micros, sign))
	to.live += sign * p.live
	to.known += sign * p.known
	if *to == (part{currency: p.currency}) {
		*r = slices.Delete(*r, i, i+1)
	}
}

func (r *revenue) addAll(other revenue, sign int64) {
	for _, p := range other {
		r.add(p, sign)
	}
}

func (r revenue) plus(other revenue, sign int64) revenue {
	sum := slices.Clone(r)
	sum.addAll(other, sign)
	return sum
}

// zero reports whether the known amounts are all 0.
func (r revenue) zero() bool {
	return !slices.ContainsFunc(r, func(p part) bool { return p.micros.Sign() != 0 })
}

// rateOf returns what a unit of a currency is worth; ok is false without a rate.
type rateOf func(history.Dict) (rate *big.Rat, ok bool)

// micros returns the value in 10^-6 units of the reporting currency. It needs the rates of
// the amounts that are not 0.
func (r revenue) micros(rate rateOf) (v *big.Rat, ok bool) {
	v = new(big.Rat)
	for _, p := range r {
		if p.micros.Sign() == 0 {
			continue
		}
		f, ok := rate(p.currency)
		if !ok {
			return nil, false
		}
		amount := new(big.Rat).SetInt(p.micros.Big())
		v.Add(v, amount.Mul(amount, f))
	}
	return v, true
}

// sign returns the sign of the value. It needs rates only where the signs differ.
func (r revenue) sign(rate rateOf) (sign int, ok bool) {
	for _, p := range r {
		s := p.micros.Sign()
		if s != 0 && sign != 0 && s != sign {
			v, ok := r.micros(rate)
			if !ok {
				return 0, false
			}
			return v.Sign(), true
		}
		if s != 0 {
			sign = s
		}
	}
	return sign, true
}

// money returns the value at given rates.
func (r revenue) money(rate rateOf) Money {
	var m Money
	for _, p := range r {
		m.Records += p.live
		m.Known += p.known
	}
	v, ok := r.micros(rate)
	m.NoRate = !ok
	if ok && (m.Records == 0 || m.Known > 0) {
		m.Value = inMoney(v)
	}
	return m
}

// inMoney turns 10^-6 units into units, in place.
func inMoney(micros *big.Rat) *big.Rat {
	return micros.Quo(micros, big.NewRat(record.MicrosPerUnit, 1))
}

// mrrChange is what changed of a customer's recurring revenue at one instant, over all its
// subscriptions and currencies.
type mrrChange struct {
	t        int64
	day      window.Day
	movement Movement
	by       revenue
	told     bool // of some subscription it is known what it changed by
	after    revenue
}

// mrrChanges nets the events of a customer, which are in the order of time, at each instant.
// Where currencies go up and down together, the rates of that day tell which of the
// movements it is.
func mrrChanges(events []history.Event, dayOf func(int64) window.Day, rate func(history.Dict, window.Day) (*big.Rat, bool)) []mrrChange {
	var list []mrrChange
	var held revenue
	had := false
	for i := 0; i < len(events); {
		c := mrrChange{t: events[i].T}
		for ; i < len(events) && events[i].T == c.t; i++ {
			p, told := partOf(&events[i])
			c.by.add(p, 1)
			c.told = c.told || told
		}
		if len(c.by) == 0 {
			continue
		}
		c.day = dayOf(c.t)
		c.after = held.plus(c.by, 1)
		sign, ok := c.by.sign(func(currency history.Dict) (*big.Rat, bool) { return rate(currency, c.day) })
		switch {
		case !ok:
			c.movement = unclear
		case sign == 0:
			c.movement = still
		case sign > 0 && !held.zero():
			c.movement = MovementExpansion
		case sign > 0 && had:
			c.movement = MovementReactivation
		case sign > 0:
			c.movement = MovementNew
		case c.after.zero():
			c.movement = MovementChurn
		default:
			c.movement = MovementContraction
		}
		held = c.after
		had = had || !held.zero()
		list = append(list, c)
	}
	return list
}

// partOf returns the change that an event is, and whether it is known how large that is.
func partOf(e *history.Event) (p part, told bool) {
	p = part{currency: e.Currency, micros: record.Wide(e.Gross).Sub(record.Wide(e.Discount))}
	for _, side := range []struct {
		known  uint16
		amount int64
		sign   int64
	}{{history.HasMoney, e.Gross, 1}, {history.HasDiscount, e.Discount, -1}} {
		switch {
		case !e.Has(side.known):
			p.live += side.sign
		case side.amount != 0:
			p.live += side.sign
			p.known += side.sign
		}
	}
	return p, e.Has(history.HasMoney | history.HasDiscount)
}

// standing returns the revenue at t, which counts the changes strictly before it.
func standing(list []mrrChange, t int64) revenue {
	i, _ := slices.BinarySearchFunc(list, t, func(c mrrChange, t int64) int { return cmp.Compare(c.t, t) })
	if i == 0 {
		return nil
	}
	return list[i-1].after
}

// lower returns the one of two revenues that is worth less; ok is false where no rate tells.
func lower(a, b revenue, rate rateOf) (least revenue, ok bool) {
	sign, ok := a.plus(b, -1).sign(rate)
	if sign > 0 {
		return b, ok
	}
	return a, ok
}

// sumOf adds rationals in pairs: so the numbers grow only as long as they must.
func sumOf(list []*big.Rat) *big.Rat {
	switch n := len(list); n {
	case 0:
		return new(big.Rat)
	case 1:
		return new(big.Rat).Set(list[0])
	default:
		return new(big.Rat).Add(sumOf(list[:n/2]), sumOf(list[n/2:]))
	}
}
