package demo

import (
	"math/rand/v2"
	"slices"
	"time"
)

// Plan is what a contract on service is about. Prices are in cents of euro, for a unit and month.
type Plan struct {
	ID    string
	price int64
	// least and most are how many units a new contract has.
	least, most int64
}

// plans returns the plans, the smallest first.
func plans() []Plan {
	return []Plan{{"starter", 4_900, 1, 1}, {"business", 3_900, 4, 18}, {"enterprise", 62_000, 2, 7}}
}

// Interval is how often a contract is paid.
type Interval struct {
	Unit    string // month or year
	Count   int64
	months  int64
	percent int64 // of the monthly price
}

// intervals returns the intervals, the usual one first.
func intervals() []Interval {
	return []Interval{{"month", 1, 1, 100}, {"month", 3, 3, 95}, {"year", 1, 12, 85}}
}

// amount returns what a unit of a plan costs for an interval, in cents of the shop's currency.
func (i Interval) amount(p Plan, s *Shop) int64 {
	return p.price * i.months * i.percent / 100 * s.factor / 100
}

// Contract is a customer's contract on service. Moments that are zero never come.
type Contract struct {
	ID       int64 // counted from 1
	Customer *Customer
	Interval Interval
	Signed   time.Time
	// TrialEnds is when a trial ends that began with the contract.
	TrialEnds time.Time
	// Rebate is the ID of a rebate, which is given until RebateEnds where that is set.
	Rebate     string
	RebateEnds time.Time
	Terms      []Terms // in order; the first are from the beginning
	Unpaid     []Unpaid
	// Noticed is when it is known that the contract will end, Ended when it ends.
	Noticed, Ended time.Time
}

// Terms are what is agreed on from a moment on.
type Terms struct {
	Agreed, From time.Time
	Plan         Plan
	Units        int64
}

// Unpaid is a time in which a contract's customer is late with paying.
type Unpaid struct{ From, Until time.Time }

// Rebates on contracts.
const (
	rebateWelcome = "welcome" // 20 % for six months
	rebatePartner = "partner" // 10 % for good
)

// contracts makes the contracts of a new customer: few have any, and some of those that
// give it up come back. They have random numbers of their own.
func (c *Company) contracts(b *Batch, k *Customer) {
	r := rand.New(rand.NewPCG(c.Seed, uint64(k.ID)))
	if k.Person || r.IntN(100) >= 22 {
		return
	}
	at := k.Since.AddDate(0, 0, 1+r.IntN(150))
	// Who is content enough for a contract mostly stays.
	if c.Market.date(k.leaves).Before(at.AddDate(2, 0, 0)) && r.IntN(100) < 60 {
		return
	}
	for range 2 {
		x := c.sign(b, k, r, at)
		if x == nil || r.IntN(100) >= 40 {
			return
		}
		at = x.Ended.AddDate(0, 0, 25+r.IntN(120))
	}
}

// sign makes a contract of k, with all that becomes of it. It makes none where k is about to leave.
func (c *Company) sign(b *Batch, k *Customer, r *rand.Rand, at time.Time) *Contract {
	leaves := c.Market.date(k.leaves).AddDate(0, 0, r.IntN(15))
	if leaves.Before(at.AddDate(0, 0, 45)) {
		return nil
	}
	c.signed++
	x := &Contract{
		ID: int64(c.signed), Customer: k, Signed: at,
		Interval: pick(r, intervals(), []int{55, 20, 25}),
		Ended:    at.AddDate(0, 0, 90+int(r.ExpFloat64()*2000)),
	}
	if leaves.Before(x.Ended) {
		x.Ended = leaves
	}
	plan := pick(r, plans(), planWeights(k.basket))
	x.Terms = []Terms{{Agreed: at, From: at, Plan: plan, Units: plan.least + r.Int64N(plan.most-plan.least+1)}}
	if r.IntN(100) < 35 {
		x.TrialEnds = at.AddDate(0, 0, pick(r, []int{14, 30}, []int{3, 2}))
		if r.IntN(100) < 15 {
			x.Ended = x.TrialEnds
		}
	}
	switch {
	case k.Origin != nil && k.Origin.Channel == "partner":
		x.Rebate = rebatePartner
	case r.IntN(100) < 18:
		x.Rebate, x.RebateEnds = rebateWelcome, at.AddDate(0, 6, 0)
	}
	x.Noticed = later(x.Signed, x.Ended.AddDate(0, 0, -10-r.IntN(50)))
	x.renew(r)
	x.fail(r)
	b.Contracts = append(b.Contracts, x)
	return x
}

func planWeights(basket int64) []int {
	switch {
	case basket < 15_000:
		return []int{75, 25, 0}
	case basket < 60_000:
		return []int{35, 57, 8}
	}
	return []int{8, 52, 40}
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// renew makes the terms change from time to time: mostly more is wanted.
func (x *Contract) renew(r *rand.Rand) {
	for at := x.Signed; ; {
		at = at.AddDate(0, 6+r.IntN(5), 0)
		if !at.Before(x.Ended) || at.After(x.Signed.AddDate(contractYears, 0, 0)) {
			return
		}
		last := x.Terms[len(x.Terms)-1]
		next := Terms{Agreed: later(last.From, at.AddDate(0, 0, -10-r.IntN(50))), From: at, Plan: last.Plan, Units: last.Units}
		i := slices.Index(plans(), last.Plan)
		switch n := r.IntN(100); {
		case n < 10 && i+1 < len(plans()):
			next.Plan = plans()[i+1]
			next.Units = next.Plan.least
		case n < 50 && i > 0:
			next.Units += 1 + r.Int64N(1+last.Units/2)
		case n < 56 && i > 0:
			next.Plan = plans()[i-1]
			next.Units = next.Plan.most
		case n < 68 && last.Units > 1:
			next.Units -= 1 + r.Int64N(max(last.Units/3, 1))
		default:
			continue
		}
		x.Terms = append(x.Terms, next)
	}
}

// contractYears is how long a contract's terms are planned at most.
const contractYears = 5

// fail makes the customer late in some months.
func (x *Contract) fail(r *rand.Rand) {
	for at := later(x.Signed, x.TrialEnds).AddDate(0, 1, 0); ; at = at.AddDate(0, 1, 0) {
		u := Unpaid{at, at.AddDate(0, 0, 3+r.IntN(20))}
		if !u.Until.Before(x.Ended) || u.Until.After(x.Signed.AddDate(contractYears, 0, 0)) {
			return
		}
		if r.IntN(100) < 6 {
			x.Unpaid = append(x.Unpaid, u)
		}
	}
}

// late says whether the customer is late with paying at a moment.
func (x *Contract) late(at time.Time) bool {
	return slices.ContainsFunc(x.Unpaid, func(u Unpaid) bool { return !at.Before(u.From) && at.Before(u.Until) })
}

// agreed returns the terms that are agreed on at a moment, and which of them are in force.
func (x *Contract) agreed(at time.Time) (list []Terms, current int) {
	for i, t := range x.Terms {
		if t.Agreed.After(at) {
			break
		}
		list = append(list, t)
		if !t.From.After(at) {
			current = i
		}
	}
	return list, current
}

// moments returns when something about the contract happens, in order.
func (x *Contract) moments() []time.Time {
	list := []time.Time{x.Signed, x.TrialEnds, x.RebateEnds, x.Noticed, x.Ended}
	for _, t := range x.Terms {
		list = append(list, t.Agreed, t.From)
	}
	for _, u := range x.Unpaid {
		list = append(list, u.From, u.Until)
	}
	list = slices.DeleteFunc(list, func(t time.Time) bool { return t.IsZero() || t.After(x.Ended) })
	slices.SortFunc(list, time.Time.Compare)
	return slices.CompactFunc(list, time.Time.Equal)
}
