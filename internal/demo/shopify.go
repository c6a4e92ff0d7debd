package demo

import (
	"time"

	"github.com/shopspring/decimal"

	"github.com/b2bexporter/b2b_exporter/internal/fake/shopify"
)

// store shows one shop as a Shopify shop.
type store struct {
	*shopify.Server
	shop   *Shop
	visits map[*Origin]*shopify.Visit
}

func newStore(shop *Shop, now func() time.Time) *store {
	// Limits so wide that the first reading need not wait for them.
	const points = 1_000_000
	return &store{
		Server: shopify.New(shopify.Options{
			Now: now, AccessToken: token, Currency: shop.Currency, Zone: shop.Zone, BucketSize: points, Restore: points,
			CostShare: 0.4, // pages as large as the API gives
		}),
		shop: shop, visits: map[*Origin]*shopify.Visit{},
	}
}

func (s *store) source(url string) string {
	return "{name: " + s.shop.Name + ", type: shopify, interval: 30s, url: " + url + ", access_token: " + token + "}"
}

func (s *store) changes(b *Batch) []change {
	var list []change
	for _, k := range b.Customers {
		if k.Shop == s.shop {
			list = append(list, change{k.Since, func() { s.putCustomer(k) }})
		}
	}
	for _, o := range b.Orders {
		if o.Shop != s.shop {
			continue
		}
		for _, at := range o.moments() {
			list = append(list, change{at, func() { s.PutOrder(s.order(o, at)) }})
		}
	}
	for _, x := range b.Checkouts {
		if x.Shop != s.shop {
			continue
		}
		put := shopify.Checkout{ID: 3_000_000_000 + x.ID, Created: x.Started, Updated: x.Started, Customer: x.Customer.ID}
		list = append(list, change{x.Started, func() { s.PutCheckout(put) }})
		if !x.Completed.IsZero() {
			done := put
			done.Updated, done.Completed = x.Completed, x.Completed
			list = append(list, change{x.Completed, func() { s.PutCheckout(done) }})
		}
	}
	return list
}

// putCustomer adds a person, and the company that it buys for.
func (s *store) putCustomer(k *Customer) {
	p := shopify.Customer{ID: k.ID, Created: k.Since, Updated: k.Since, Email: k.Email, Country: k.Country}
	if !k.Person {
		s.PutCompany(shopify.Company{ID: k.ID, Created: k.Since, Updated: k.Since, Country: k.Country})
		p.Companies = []int64{k.ID}
	}
	s.PutCustomer(p)
}

// order returns an order as it stands at a moment.
func (s *store) order(o *Order, at time.Time) shopify.Order {
	past := func(t time.Time) bool { return !t.IsZero() && !t.After(at) }
	v := shopify.Order{
		ID: 5_000_000_000 + o.ID, Created: o.Placed, Updated: at, Test: o.Test, Country: o.Country,
		Visit: s.visit(o.Origin), Lines: make([]shopify.Line, len(o.Lines)), FinancialStatus: "PENDING",
	}
	if k := o.Customer; k != nil {
		v.Customer = k.ID
		if !k.Person {
			v.Company = k.ID
		}
	}
	for i, l := range o.Lines {
		v.Lines[i] = shopify.Line{ID: v.ID*10 + int64(i), Quantity: l.Quantity, Price: cents(l.Price)}
		if l.Cost > 0 {
			v.Lines[i].Cost = cents(l.Cost)
		}
		if l.Discount > 0 {
			v.Lines[i].Discounts = []string{cents(l.Discount)}
		}
	}
	paid := past(o.Paid)
	if paid {
		v.FinancialStatus, v.Payments = "PAID", []time.Time{o.Paid}
	}
	if f := o.Refund; f != nil && past(f.At) {
		restock := "NO_RESTOCK"
		if f.Restock {
			restock = "RETURN"
		}
		v.Refunds = []shopify.Refund{{ID: 6_000_000_000 + o.ID, At: f.At, Lines: []shopify.RefundLine{
			{Line: v.Lines[f.Line].ID, Quantity: f.Quantity, Restock: restock, Subtotal: cents(f.Amount)},
		}}}
		if paid {
			v.FinancialStatus = "PARTIALLY_REFUNDED"
		}
	}
	if past(o.Cancelled) {
		v.Cancelled, v.FinancialStatus = o.Cancelled, "VOIDED"
		if paid {
			v.FinancialStatus = "REFUNDED"
		}
	}
	return v
}

// visit returns how the shop's statistics describe where a visitor came from; one for all
// visitors from there.
func (s *store) visit(o *Origin) *shopify.Visit {
	if o == nil {
		return nil
	}
	v := s.visits[o]
	if v == nil {
		v = &shopify.Visit{Source: o.Source}
		switch {
		case o.Campaign != "":
			v.UTM, v.UTMSource, v.Medium, v.Campaign = true, o.Source, o.Medium, o.Campaign
		case o.Channel == "organic_search":
			v.Tactic = "SEO"
		case o.Channel == "referral":
			v.Tactic = "LINK"
		}
		s.visits[o] = v
	}
	return v
}

func cents(n int64) string { return decimal.New(n, -2).StringFixed(2) }
