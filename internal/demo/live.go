package demo

import (
	"math/rand/v2"
	"time"
)

const (
	// firstGap is the time to the first thing that happens while somebody watches.
	firstGap = 15 * time.Second
	// lastGap is the time between two such things in the end: it has become quiet.
	lastGap = 20 * time.Minute
)

// Live goes on with a company from the present moment. Its days are made as those
// before. So that there is something to see within minutes, more happens at first: something
// every few seconds, and later and later until the usual pace is reached after some hours.
type Live struct {
	company *Company
	r       *rand.Rand
	next    time.Time
	gap     time.Duration
}

// Live returns what goes on. The history must have been made before.
func (c *Company) Live() *Live {
	return &Live{company: c, r: rand.New(rand.NewPCG(c.Seed, 0)), next: c.Now.Add(firstGap), gap: firstGap}
}

// Until returns what begins after the last call and up to t. How often it is called
// changes nothing.
func (l *Live) Until(t time.Time) *Batch {
	b, c := &Batch{}, l.company
	for {
		midnight := c.Market.date(c.day)
		switch {
		case l.next.Before(midnight) && !l.next.After(t):
			l.happen(b)
		case !midnight.After(t) && !l.next.Before(midnight):
			c.nextDay(b)
		default:
			return b
		}
	}
}

// happen makes one more thing happen and decides when the next one will.
func (l *Live) happen(b *Batch) {
	c, at := l.company, l.next
	d := c.Market.dayOf(at)
	switch n := l.r.IntN(100); {
	case n < 30:
		c.newLead(b, d, pick(l.r, c.Market.origins, []int{5, 4, 3, 3, 2, 6, 1, 2, 2, 1, 1, 1, 0}), at)
	case n < 89:
		if k := l.customer(d); k != nil {
			o := c.order(b, k, at)
			if o.Refund == nil && l.r.IntN(8) == 0 {
				c.refund(o, at.Add(time.Duration(60+l.r.IntN(600))*time.Second))
			}
		}
	case n < 92:
		if k := l.customer(d); k != nil && !k.Person {
			c.sign(b, k, l.r, at)
		}
	default:
		if k := l.customer(d); k != nil {
			c.leave(b, k, at.Add(10*time.Minute))
		}
	}
	step := time.Duration(float64(l.gap) * (0.4 + 1.2*l.r.Float64()))
	l.next = at.Add(step.Truncate(time.Second))
	l.gap = min(l.gap+l.gap/32, lastGap)
}

// customer returns one that has not left; nil where none is found soon.
func (l *Live) customer(d int) *Customer {
	list := l.company.customers
	for range 100 {
		if len(list) == 0 {
			break
		}
		if k := list[l.r.IntN(len(list))]; k.leaves > d {
			return k
		}
	}
	return nil
}
