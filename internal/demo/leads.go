package demo

import (
	"fmt"
	"time"
)

// Rep is someone who sells.
type Rep struct{ ID, FirstName, LastName string }

// Reps returns the sales team. The last one has left.
func Reps() []Rep {
	return []Rep{
		{"501", "Alex", "Northgate"},
		{"502", "Robin", "Westbrook"},
		{"503", "Kim", "Southfield"},
		{"504", "Sam", "Eastwood"},
		{"505", "Noor", "Midway"},
		{"506", "Jo", "Overhill"},
	}
}

// Stage is a stage of the sales pipeline.
type Stage struct{ ID, Label, Probability string }

// Stages returns the pipeline's stages: the open ones in order, then won and lost.
func Stages() []Stage {
	return []Stage{
		{"appointment", "Appointment", "0.2"},
		{"offer", "Offer", "0.45"},
		{"negotiation", "Negotiation", "0.7"},
		{StageWon, "Won", "1.0"},
		{StageLost, "Lost", "0.0"},
	}
}

// The stages that end a deal.
const (
	StageWon  = "closedwon"
	StageLost = "closedlost"
)

// Lead is a contact of the sales team. Moments that are zero never come.
type Lead struct {
	ID       uint64
	Email    string
	Country  string
	Origin   *Origin
	Rep      int // an index of Reps
	Created  time.Time
	Answered time.Time
	// MQL, SQL, Opportunity and Customer are when it enters a stage.
	MQL, SQL, Opportunity, Customer time.Time
	Unqualified                     time.Time
	Archived                        time.Time
	Duplicate                       *Duplicate
	Account                         *Account // nil where it never becomes an opportunity, and for persons
	Deal                            *Deal    // nil where there is no account

	person bool
	shop   *Shop
}

// Duplicate is a second entry of the same contact, until both are merged.
type Duplicate struct {
	ID              uint64
	Created, Merged time.Time
}

// Account is a company in the CRM, known from the moment its lead becomes an opportunity.
type Account struct {
	ID     uint64
	Domain string
	Tier   string // of target accounts; empty for others
}

// Deal is a deal of a lead.
type Deal struct {
	ID       uint64
	Amount   int64 // cents of the currency
	Currency string
	Steps    []Step // in order; the first creates it
}

// Step is the entry of a deal into a stage.
type Step struct {
	At    time.Time
	Stage string // an ID
}

// prospect is someone who could become a customer.
type prospect struct {
	Email, Domain, Country string
	person                 bool
	shop                   *Shop
}

// prospect returns someone who was not there before.
func (c *Company) prospect() prospect {
	c.known++
	n := c.known
	p := prospect{Country: pick(c.r, []string{"DE", "AT", "CH", "NL", "FR", "PL", "GB", "IE", "US", "CA"}, []int{17, 5, 4, 7, 7, 4, 23, 4, 24, 5})}
	switch p.Country {
	case "GB", "IE":
		p.shop = c.shops[1]
	case "US", "CA":
		p.shop = c.shops[2]
	default:
		p.shop = c.shops[0]
	}
	if p.person = c.r.IntN(100) < 7; p.person {
		p.Email = fmt.Sprintf("trader%d@%s", n, freeMail)
		return p
	}
	places := []string{
		"amber", "birch", "cedar", "delta", "elm", "fjord", "grove", "harbour", "iris", "juniper", "kestrel", "linden",
		"meadow", "north", "oak", "pine", "quay", "ridge", "stone", "tidal", "upland", "vale", "willow", "zephyr",
	}
	trades := []string{"logistics", "foods", "works", "tools", "print", "parts", "textiles", "optics", "farms", "build", "labs", "crafts"}
	p.Domain = fmt.Sprintf("%s-%s-%d.example", places[n%len(places)], trades[n/len(places)%len(trades)], n)
	p.Email = pick(c.r, []string{"buying", "office", "stores", "warehouse"}, []int{5, 4, 2, 2}) + "@" + p.Domain
	return p
}

// freeMail is the domain of the mail provider of all persons.
const freeMail = "mail.example"

// newLead makes a lead and decides what becomes of it.
func (c *Company) newLead(b *Batch, d int, origin *Origin, at time.Time) *Lead {
	r, p := c.r, c.prospect()
	c.leads++
	l := &Lead{
		ID: 100_000 + uint64(c.leads)*7, Email: p.Email, Country: p.Country, Origin: origin, Created: at,
		Rep: pick(r, []int{0, 1, 2, 3, 4}, []int{30, 24, 20, 16, 10}), person: p.person, shop: p.shop,
	}
	if c.Market.days-d > 400 && r.IntN(5) == 0 {
		l.Rep = 5
	}
	b.Leads = append(b.Leads, l)
	if r.IntN(100) < 86 {
		l.Answered = at.Add(time.Duration(4+int(r.ExpFloat64()*260)) * time.Minute)
	}
	switch n := r.IntN(1000); {
	case n < 12:
		l.Archived = c.later(at, 1+r.IntN(10))
		return l
	case n < 27:
		created := c.later(at, 1+r.IntN(20))
		l.Duplicate = &Duplicate{ID: l.ID + 3, Created: created, Merged: c.later(created, 1+r.IntN(9))}
	}
	c.qualify(d, l, p)
	return l
}

// qualify takes a lead as far as it gets.
func (c *Company) qualify(d int, l *Lead, p prospect) {
	r := c.r
	good := l.Origin.quality / (1 + 0.35*c.Market.dearer(l.Origin, d))
	chance := func(x float64) bool { return r.Float64() < min(x*good, 0.97) }
	if !chance(0.5) {
		if r.IntN(100) < 55 {
			l.Unqualified = c.later(l.Created, 2+r.IntN(30))
		}
		return
	}
	l.MQL = c.later(l.Created, r.IntN(6))
	if !chance(0.52) {
		return
	}
	l.SQL = c.later(l.MQL, 1+r.IntN(9))
	if !chance(0.72) {
		if r.IntN(100) < 60 {
			l.Unqualified = c.later(l.SQL, 5+r.IntN(30))
		}
		return
	}
	l.Opportunity = c.later(l.SQL, 1+r.IntN(10))
	won := chance(0.58)
	ends := c.later(l.Opportunity, 6+r.IntN(40))
	if won {
		// Won before the shop closes, so that the first order is of the same day or later.
		l.Customer = ends
		day := c.Market.dayOf(ends)
		c.won[day] = append(c.won[day], l)
	}
	if !l.person {
		c.accounts++
		l.Account = &Account{ID: 40_000_000 + uint64(c.accounts), Domain: p.Domain}
		if r.IntN(100) < 14 {
			l.Account.Tier = pick(r, []string{"tier_1", "tier_2", "tier_3"}, []int{2, 3, 4})
		}
		c.deal(l, ends)
	}
}

// deal makes the deal of a lead that ends at a moment.
func (c *Company) deal(l *Lead, ends time.Time) {
	c.deals++
	euro := pick(c.r, []int64{140_000, 420_000, 900_000, 2_400_000, 7_500_000}, []int{26, 34, 24, 12, 4}) * int64(60+c.r.IntN(80)) / 100
	deal := &Deal{ID: 9_000_000 + uint64(c.deals), Amount: euro * l.shop.factor / 100, Currency: l.shop.Currency}
	span := ends.Sub(l.Opportunity)
	last := StageLost
	if !l.Customer.IsZero() {
		last = StageWon
	}
	deal.Steps = []Step{
		{l.Opportunity, "appointment"},
		{l.Opportunity.Add(span / 3).Truncate(time.Second), "offer"},
		{l.Opportunity.Add(span * 2 / 3).Truncate(time.Second), "negotiation"},
		{ends, last},
	}
	l.Deal = deal
}
