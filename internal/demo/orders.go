package demo

import (
	"slices"
	"time"
)

// Product is an article of the shops. Prices are in cents of euro.
type Product struct {
	price, cost int64 // cost is 0 where the shops do not know it
}

// products returns the range, of which what is printed for one customer has no known cost.
func products() []Product {
	return []Product{
		{price: 89, cost: 52},
		{price: 145, cost: 90},
		{price: 230, cost: 139},
		{price: 390, cost: 236},
		{price: 480, cost: 301},
		{price: 650, cost: 377},
		{price: 890, cost: 561},
		{price: 1_190, cost: 702},
		{price: 1_490, cost: 954},
		{price: 1_990, cost: 1_174},
		{price: 2_450},
		{price: 2_900, cost: 1_798},
		{price: 3_790, cost: 2_388},
		{price: 4_990, cost: 2_994},
		{price: 6_490, cost: 4_219},
		{price: 7_990},
		{price: 11_900, cost: 7_259},
		{price: 18_900, cost: 12_285},
	}
}

// Order is an order of a shop. Amounts are in cents of the shop's currency; moments that
// are zero never come.
type Order struct {
	ID        int64 // counted over all shops, from 1
	Shop      *Shop
	Customer  *Customer // nil for a guest
	Placed    time.Time
	Paid      time.Time // later than placed where it is on account; zero for never
	Cancelled time.Time
	Test      bool
	Country   string
	Origin    *Origin // of the visit that led to it; nil where the shop knows none
	Lines     []Line
	Refund    *Refund
}

// Line is a line of an order.
type Line struct {
	Quantity    int
	Price, Cost int64 // of one; the cost is 0 where it is unknown
	Discount    int64 // on all
}

// Refund gives back some of one line.
type Refund struct {
	At       time.Time
	Line     int
	Quantity int
	Amount   int64
	Restock  bool
}

// moments returns when something about the order happens, in order.
func (o *Order) moments() []time.Time {
	list := []time.Time{o.Placed}
	for _, t := range []time.Time{o.Paid, o.Cancelled} {
		if t.After(o.Placed) {
			list = append(list, t)
		}
	}
	if o.Refund != nil {
		list = append(list, o.Refund.At)
	}
	slices.SortFunc(list, time.Time.Compare)
	return list
}

// Checkout is a cart that was left at the till, and may be taken up again.
type Checkout struct {
	ID        int64
	Shop      *Shop
	Customer  *Customer
	Started   time.Time
	Completed time.Time // zero for never
}

// order places an order of k.
func (c *Company) order(b *Batch, k *Customer, at time.Time) *Order {
	o := c.newOrder(b, k.Shop, k.basket, at)
	o.Customer, o.Country = k, k.Country
	// Many come back by typing the address in, or by what the sales team enters for them.
	switch n := c.r.IntN(100); {
	case at.Sub(k.Since) < 2*time.Hour || n < 30:
		o.Origin = k.Origin
	case n < 78:
		o.Origin = c.Market.direct()
	}
	if c.r.IntN(100) < 20 {
		c.leave(b, k, at)
	}
	return o
}

// guestOrder places an order of someone without an account.
func (c *Company) guestOrder(b *Batch, d int) {
	p := c.prospect()
	o := c.newOrder(b, p.shop, 8_000, c.businessHour(d, p.shop.location))
	o.Country = p.Country
	o.Origin = c.Market.direct()
}

func (m *Market) direct() *Origin {
	return m.origins[slices.IndexFunc(m.origins, func(o *Origin) bool { return o.Channel == "direct" })]
}

// newOrder returns an order for about as many cents of euro as a basket has.
func (c *Company) newOrder(b *Batch, shop *Shop, basket int64, at time.Time) *Order {
	r := c.r
	c.orders++
	o := &Order{ID: int64(c.orders), Shop: shop, Placed: at, Paid: at}
	worth := basket * int64(55+r.IntN(90)) / 100
	n := pick(r, []int{1, 2, 3, 5}, []int{69, 22, 7, 2})
	rebate := int64(0)
	switch {
	case worth >= 120_000:
		rebate = 10
	case worth >= 45_000:
		rebate = 5
	}
	yearly := int64(103) // prices rise by 3 % a year
	for i := range n {
		p := c.products[(r.IntN(len(c.products))+i)%len(c.products)]
		price, cost := p.price, p.cost
		for range int(at.Sub(c.First()).Hours() / (24 * 365)) {
			price, cost = price*yearly/100, cost*yearly/100
		}
		l := Line{Quantity: int(max(worth/int64(n)/price, 1)), Price: price * shop.factor / 100, Cost: cost * shop.factor / 100}
		l.Discount = l.Price * int64(l.Quantity) * rebate / 100
		o.Lines = append(o.Lines, l)
	}
	switch p := r.IntN(1000); {
	case p < 15:
		o.Cancelled = at.Add(time.Duration(1+r.IntN(40)) * time.Hour)
	case p < 18:
		o.Test = true
	case p < 62:
		c.refund(o, c.later(at, 3+r.IntN(20)))
	}
	if r.IntN(100) < 30 {
		if o.Paid = c.later(at, 10+r.IntN(25)); !o.Cancelled.IsZero() {
			o.Paid = time.Time{}
		}
	}
	b.Orders = append(b.Orders, o)
	return o
}

// refund gives back one line of an order, or a part of it.
func (c *Company) refund(o *Order, at time.Time) {
	i := c.r.IntN(len(o.Lines))
	l := o.Lines[i]
	n := 1 + c.r.IntN(l.Quantity)
	amount := (l.Price*int64(l.Quantity) - l.Discount) * int64(n) / int64(l.Quantity)
	o.Refund = &Refund{At: at, Line: i, Quantity: n, Amount: amount, Restock: c.r.IntN(2) == 0}
}

// leave has k leave a cart at the till, in the days before at.
func (c *Company) leave(b *Batch, k *Customer, at time.Time) {
	c.checkouts++
	started := at.Add(-time.Duration(20+c.r.IntN(600)) * time.Minute)
	if started.Before(k.Since) {
		started = k.Since.Add(time.Minute)
	}
	x := &Checkout{ID: int64(c.checkouts), Shop: k.Shop, Customer: k, Started: started}
	if c.r.IntN(100) < 7 {
		x.Completed = started.Add(time.Duration(90+c.r.IntN(900)) * time.Minute)
	}
	b.Checkouts = append(b.Checkouts, x)
}
