package main

import (
	"cmp"
	"fmt"
	"slices"
	"time"
)

type order struct {
	id       string
	shop     bool // placed in the shop; else entered into the ERP
	customer *customer
	at       time.Time
	state    string
	country  string
	currency string
	gross    int // cents of currency
	discount int
	cost     int // 0 where unknown
	costed   int // part of gross - discount that cost belongs to
	touch    touch
}

func (o *order) net() int { return o.gross - o.discount }

type refund struct {
	order        *order
	at           time.Time
	amount, cost int
}

type checkout struct {
	customer           *customer
	started, completed time.Time
}

type quote struct {
	customer      *customer
	sent, decided time.Time
	state         string
	amount        int
	currency      string
}

// trade lets all customers order, day by day. Business follows the seasons of
// packaging, which is bought before Christmas, and the working week.
func (c *company) trade() {
	season := [...]int{75, 80, 95, 95, 100, 95, 85, 75, 110, 125, 145, 115}
	week := [...]int{8, 130, 125, 120, 120, 100, 15}
	for day := c.start; day.Before(c.end); day = day.AddDate(0, 0, 1) {
		for _, k := range c.customers {
			if !day.After(k.since) || !day.Before(k.leaves) {
				continue
			}
			chance := k.perYear * season[day.Month()-1] * week[day.Weekday()] // of 365 x 100 x 100
			if at := c.businessHour(day); c.r.IntN(365*100*100) < chance && at.Before(c.end) {
				c.order(k, at)
			}
		}
	}
	slices.SortStableFunc(c.orders, func(a, b *order) int { return a.at.Compare(b.at) })
	shop, erp := 20000, 0
	for _, o := range c.orders {
		if o.shop {
			shop++
			o.id = fmt.Sprintf("NK%d", shop)
		} else {
			erp++
			o.id = fmt.Sprintf("A-%05d", erp)
		}
	}
}

// businessHour returns a moment of a day between 7:00 and 18:59.
func (c *company) businessHour(day time.Time) time.Time {
	hour := pick(c.r, []int{7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18}, []int{3, 7, 12, 14, 12, 7, 8, 11, 10, 8, 5, 3})
	return time.Date(day.Year(), day.Month(), day.Day(), hour, c.r.IntN(60), 0, 0, c.zone)
}

// order places an order of k.
func (c *company) order(k *customer, at time.Time) {
	r := c.r
	o := &order{
		customer: k, at: at, shop: k.shop != "" && (k.erp == "" || r.IntN(3) > 0), country: k.country,
		state: pick(r, []string{"counted", "cancelled", "draft", "test"}, []int{970, 22, 5, 3}),
	}
	o.currency = currency(k.country)
	// Prices rise by 3 % each September.
	years := at.Year() - c.start.Year()
	if at.Month() < c.start.Month() {
		years--
	}
	euro := k.basket * (40 + r.IntN(161)) / 100 * (100 + 3*years) / 100
	o.gross = inCurrency(euro, o.currency)
	switch {
	case euro >= 250_000:
		o.discount = o.gross / 10
	case euro >= 90_000:
		o.discount = o.gross / 20
	}
	// What the ERP sells from stock has a known cost; the shop knows the cost of most
	// articles, but not of those printed for one customer.
	switch n := r.IntN(100); {
	case !o.shop || n < 65:
		o.costed = o.net()
	case n < 80:
		o.costed = o.net() * 6 / 10
	}
	o.cost = o.costed * (58 + r.IntN(14)) / 100
	if o.shop {
		// Many come back by typing the address in.
		o.touch = k.touch
		if r.IntN(2) == 0 {
			o.touch = touch{"direct", "(none)", ""}
		}
		c.checkouts = append(c.checkouts, checkout{customer: k, started: at.Add(-time.Duration(3+r.IntN(40)) * time.Minute), completed: at})
		if r.IntN(1000) < guestRate {
			o.customer = nil
		}
	} else {
		o.touch = touch{"erp", pick(r, []string{"phone", "edi", "rep"}, []int{5, 3, 2}), ""}
	}
	c.orders = append(c.orders, o)
	if o.state == "counted" && r.IntN(1000) < 48 {
		c.refund(o)
	}
}

// refund gives money back for some of an order's goods.
func (c *company) refund(o *order) {
	f := &refund{order: o, at: c.businessHour(o.at.AddDate(0, 0, 2+c.r.IntN(24)))}
	share := pick(c.r, []int{10, 25, 50, 100}, []int{30, 35, 20, 15})
	f.amount = o.net() * share / 100
	// Half of what comes back can be sold again.
	if c.r.IntN(2) == 0 && o.costed == o.net() {
		f.cost = o.cost * share / 100
	}
	if f.at.Before(c.end) {
		c.refunds = append(c.refunds, f)
	}
}

func currency(country string) string {
	switch country {
	case "PL":
		return "PLN"
	case "CH":
		return "CHF"
	}
	return "EUR"
}

// inCurrency turns cents of euro into about as much of a currency.
func inCurrency(euro int, currency string) int {
	switch currency {
	case "PLN":
		return euro * 428 / 100
	case "CHF":
		return euro * 94 / 100
	}
	return euro
}

// followUp adds what did not become an order, or not at once: checkouts given up, quotes,
// leads. It sorts everything by time.
func (c *company) followUp() {
	var shop []*customer
	for _, k := range c.customers {
		if k.shop != "" {
			shop = append(shop, k)
		}
	}
	days := int(c.end.Sub(c.start).Hours() / 24)
	// known returns a customer that had its account in the shop by a day.
	known := func(day int) *customer {
		for {
			if k := shop[c.r.IntN(len(shop))]; !k.since.After(c.start.AddDate(0, 0, day)) {
				return k
			}
		}
	}
	for range 620 {
		day := c.r.IntN(days)
		c.checkouts = append(c.checkouts, checkout{customer: known(day), started: c.businessHour(c.start.AddDate(0, 0, day))})
	}
	for range 45 {
		day := 200 + c.r.IntN(days-200)
		c.quote(known(day), day)
	}
	c.findLeads(days)
	slices.SortStableFunc(c.refunds, func(a, b *refund) int { return a.at.Compare(b.at) })
	slices.SortStableFunc(c.checkouts, func(a, b checkout) int { return a.started.Compare(b.started) })
	slices.SortStableFunc(c.quotes, func(a, b quote) int { return a.sent.Compare(b.sent) })
	slices.SortStableFunc(c.leads, func(a, b lead) int { return cmp.Or(a.created.Compare(b.created), cmp.Compare(a.email, b.email)) })
}

func (c *company) quote(k *customer, day int) {
	q := quote{customer: k, sent: c.businessHour(c.start.AddDate(0, 0, day)), currency: currency(k.country)}
	q.amount = inCurrency(k.basket*(2+c.r.IntN(6)), q.currency)
	q.state = pick(c.r, []string{"accepted", "declined", "expired"}, []int{55, 25, 20})
	q.decided = c.businessHour(q.sent.AddDate(0, 0, 1+c.r.IntN(20)))
	if q.state == "expired" {
		q.decided = q.sent.AddDate(0, 0, 30)
	}
	if !q.decided.Before(c.end) {
		q.state, q.decided = "sent", time.Time{}
	}
	c.quotes = append(c.quotes, q)
}
