// Package demo is a made-up company that sells workshop and packaging supplies to other
// companies, in three shops: its history up to the present moment and what it does from
// then on, served by fakes of the systems that it would have.
//
// What happens is made by code that knows neither fakes nor clocks (company.go, market.go,
// customers.go, orders.go, leads.go, contracts.go, live.go); each system that shows a part of it
// is a file of its own and an entry in systems (serve.go).
package demo

import (
	"fmt"
	"math"
	"math/rand/v2"
	"time"
)

// years is how long the company's history is.
const years = 3

// Options say which company it is. The same options give the same company.
type Options struct {
	Seed uint64
	// Now is the moment until which there is a history.
	Now time.Time
	// Scale is the company's size: 1 is one of about 4,000 customers, 60,000 orders and 25,000
	// leads; 0 is taken as 1.
	Scale float64
}

// Company is the company. It makes its days one after the other, each from those before.
// It is not safe for concurrent use.
type Company struct {
	Options
	// Market is what the company does to be found.
	Market *Market

	zone *time.Location
	r    *rand.Rand
	day  int // the next day to be made, counted from the first

	products  []Product
	customers []*Customer
	due       map[int][]*Customer // by the day of their next order
	won       map[int][]*Lead     // by the day on which they become customers
	shops     []*Shop
	known     int // prospects so far
	leads     int
	orders    int
	checkouts int
	deals     int
	accounts  int
	signed    int
}

// Batch is what begins in a period. What becomes of it later is in its records, too, also
// where that lies in the future.
type Batch struct {
	Customers []*Customer
	Orders    []*Order
	Checkouts []*Checkout
	Leads     []*Lead
	Contracts []*Contract
}

// New returns a company of which no day has been made.
func New(o Options) (*Company, error) {
	if o.Scale == 0 {
		o.Scale = 1
	}
	if o.Scale < 0 || math.IsNaN(o.Scale) || o.Scale > 100 {
		return nil, fmt.Errorf("the scale of the demo's company is %v; give one above 0, up to 100", o.Scale)
	}
	zone, err := time.LoadLocation(reportZone)
	if err != nil {
		return nil, fmt.Errorf("load the zone of the demo's company: %w", err)
	}
	list, err := shops()
	if err != nil {
		return nil, err
	}
	o.Now = o.Now.In(zone).Truncate(time.Second)
	return &Company{
		Options: o, zone: zone, r: rand.New(rand.NewPCG(o.Seed, 1)), Market: newMarket(o, zone),
		products: products(), shops: list, due: map[int][]*Customer{}, won: map[int][]*Lead{},
	}, nil
}

// reportZone is where the company does its books.
const reportZone = "Europe/Berlin"

// First returns the first instant of the company's first day.
func (c *Company) First() time.Time { return c.Market.date(0) }

// History makes all days up to the present one, which is made to its end.
func (c *Company) History() *Batch {
	b := &Batch{}
	for !c.Market.date(c.day).After(c.Now) {
		c.nextDay(b)
	}
	return b
}

// nextDay makes a day, as a whole.
func (c *Company) nextDay(b *Batch) {
	d := c.day
	for _, a := range c.Market.day(d) {
		for range a.Leads {
			c.newLead(b, d, a.Origin, c.businessHour(d, c.zone))
		}
	}
	for _, l := range c.won[d] {
		c.winCustomer(b, d, l)
	}
	delete(c.won, d)
	// Some find the shop by themselves.
	for range whole(c.r, 0.6*c.Scale*c.Market.growth(d)*c.Market.weekday(d)) {
		c.signUp(b, d)
	}
	ordered := 0
	for _, k := range c.due[d] {
		if k.leaves > d {
			c.order(b, k, c.businessHour(d, k.Shop.location))
			c.plan(k, d)
			ordered++
		}
	}
	delete(c.due, d)
	for range whole(c.r, float64(ordered)*0.02) {
		c.guestOrder(b, d)
	}
	c.day++
}

// businessHour returns a moment of a day, mostly of its business hours.
func (c *Company) businessHour(d int, zone *time.Location) time.Time {
	day := c.Market.date(d)
	hour := pick(c.r, []int{6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 20}, []int{2, 4, 8, 12, 13, 11, 7, 8, 11, 10, 7, 4, 2, 1})
	return time.Date(day.Year(), day.Month(), day.Day(), hour, c.r.IntN(60), c.r.IntN(60), 0, zone)
}

// later returns a moment of a working day some days after t.
func (c *Company) later(t time.Time, days int) time.Time {
	t = t.AddDate(0, 0, days)
	switch t.Weekday() {
	case time.Saturday:
		t = t.AddDate(0, 0, 2)
	case time.Sunday:
		t = t.AddDate(0, 0, 1)
	}
	return t.Add(time.Duration(c.r.IntN(4*3600)) * time.Second)
}

// pick returns one of the values, each as likely as its weight says.
func pick[T any](r *rand.Rand, values []T, weights []int) T {
	sum := 0
	for _, w := range weights {
		sum += w
	}
	n := r.IntN(sum)
	for i, w := range weights {
		if n < w {
			return values[i]
		}
		n -= w
	}
	return values[len(values)-1]
}

// whole returns one of the two whole numbers around x, which is x on average.
func whole(r *rand.Rand, x float64) int {
	n := math.Floor(x)
	if r.Float64() < x-n {
		n++
	}
	return int(n)
}
