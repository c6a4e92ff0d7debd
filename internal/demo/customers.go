package demo

import (
	"fmt"
	"math"
	"time"
)

// Shop is one of the company's shops.
type Shop struct {
	Name     string // of the source
	Currency string
	Zone     string
	// factor turns an amount of euro into about as much of the currency, in hundredths.
	factor   int64
	location *time.Location
}

// shops returns the shops.
func shops() ([]*Shop, error) {
	list := []*Shop{
		{Name: "eu-shop", Currency: "EUR", Zone: reportZone, factor: 100},
		{Name: "uk-shop", Currency: "GBP", Zone: "Europe/London", factor: 86},
		{Name: "us-shop", Currency: "USD", Zone: "America/New_York", factor: 109},
	}
	for _, s := range list {
		zone, err := time.LoadLocation(s.Zone)
		if err != nil {
			return nil, fmt.Errorf("load the zone of the demo's shop %s: %w", s.Name, err)
		}
		s.location = zone
	}
	return list, nil
}

// Customer is a company, or a person, that has an account in a shop.
type Customer struct {
	ID      int64
	Shop    *Shop
	Person  bool // a sole trader, whose address is one of a mail provider
	Email   string
	Country string
	Since   time.Time
	Origin  *Origin // of its first visit

	basket int64 // cents of euro that an order is worth
	gap    int   // days between two orders
	leaves int   // the day on which it has gone
}

// wave is when many customers leave, in days before the present: so that they have been
// gone long enough to count as lost within the last three months.
const (
	waveBegins = 205
	waveEnds   = 140
)

// winCustomer makes a customer of a lead, which orders at once.
func (c *Company) winCustomer(b *Batch, d int, l *Lead) {
	k := c.newCustomer(l.Customer, l.shop)
	k.Person, k.Email, k.Country, k.Origin = l.person, l.Email, l.Country, l.Origin
	c.begin(b, d, k)
}

// signUp makes a customer that found the shop by itself.
func (c *Company) signUp(b *Batch, d int) {
	p := c.prospect()
	k := c.newCustomer(time.Time{}, p.shop)
	k.Person, k.Email, k.Country = p.person, p.Email, p.Country
	k.Origin = pick(c.r, c.Market.origins, []int{2, 2, 2, 2, 0, 9, 1, 10, 2, 3, 1, 1, 0})
	c.begin(b, d, k)
}

func (c *Company) newCustomer(since time.Time, shop *Shop) *Customer {
	k := &Customer{ID: 7_000_000_001 + int64(len(c.customers)), Since: since, Shop: shop}
	k.gap = pick(c.r, []int{9, 15, 24, 34, 48}, []int{14, 24, 30, 22, 10}) + c.r.IntN(5)
	k.basket = pick(c.r, []int64{9_000, 21_000, 48_000, 130_000}, []int{34, 38, 21, 7}) * int64(70+c.r.IntN(60)) / 100
	return k
}

// begin opens the account of k, which places its first order.
func (c *Company) begin(b *Batch, d int, k *Customer) {
	if k.Since.IsZero() || c.Market.date(d+1).Before(k.Since) {
		k.Since = c.businessHour(d, k.Shop.location)
	}
	k.leaves = d + c.stays(d)
	c.customers = append(c.customers, k)
	b.Customers = append(b.Customers, k)
	c.order(b, k, k.Since.Add(time.Duration(4+c.r.IntN(50))*time.Minute))
	c.plan(k, d)
	c.contracts(b, k)
}

// stays returns for how many days someone stays who comes on day d.
func (c *Company) stays(d int) int {
	n := 0
	if c.r.IntN(100) < 8 {
		n = 1 + c.r.IntN(20) // an order or two, and not again
	} else {
		n = 60 + int(c.r.ExpFloat64()*1500)
	}
	left := c.Market.days - waveBegins - d
	if left > 0 && n > left && c.r.IntN(100) < 19 {
		n = left + c.r.IntN(waveBegins-waveEnds)
	}
	return n
}

// plan decides on the day of the next order.
func (c *Company) plan(k *Customer, d int) {
	season := c.Market.season(d)
	next := d + max(int(math.Round(float64(k.gap)*(0.5+c.r.Float64())/season)), 1)
	if day := c.Market.date(next).Weekday(); (day == time.Saturday || day == time.Sunday) && c.r.IntN(100) < 85 {
		next += int(8-day) % 7
	}
	if next < k.leaves {
		c.due[next] = append(c.due[next], k)
	}
}
