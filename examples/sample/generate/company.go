package main

import (
	"fmt"
	"math/rand/v2"
	"time"
)

const (
	companies = 120
	guestRate = 30 // of 1,000 orders in the shop
)

// company is Nordkiste: its customers and what they did, in the order of time.
type company struct {
	r    *rand.Rand
	zone *time.Location
	// The files cover two years and two months up to, but not at, end: noon UTC on the day
	// for which the README computes the figures.
	start, end time.Time
	customers  []*customer
	orders     []*order
	refunds    []*refund
	checkouts  []checkout
	quotes     []quote
	leads      []lead
}

// customer is a business that knows Nordkiste, by its shop account, its debtor
// number in the ERP, or both.
type customer struct {
	shop, erp string // IDs; empty where it is not known there
	// linked: the ERP knows its account in the shop, and not only its domain.
	linked  bool
	person  bool // a sole trader without a domain of its own
	country string
	domain  string
	email   string
	owner   string
	parent  *customer // another debtor of the ERP that it belongs to
	since   time.Time
	leaves  time.Time
	touch   touch
	lead    bool // the sales team knew it before its first order
	// perYear is how many orders it places in a usual year; 0 for one that never does.
	perYear int
	basket  int // cents of euro that a usual order is worth
}

// touch is where a customer came from.
type touch struct{ source, medium, campaign string }

func newCompany() (*company, error) {
	zone, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		return nil, fmt.Errorf("load the company's zone: %w", err)
	}
	return &company{
		r: rand.New(rand.NewPCG(2024, 9)), zone: zone,
		start: time.Date(2024, time.September, 1, 0, 0, 0, 0, zone),
		end:   time.Date(2026, time.October, 31, 13, 0, 0, 0, zone),
	}, nil
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

// found makes the customers. A quarter has been there from the start; the others come
// later, more and more of them.
func (c *company) found() {
	days := int(c.end.Sub(c.start).Hours() / 24)
	for i := range companies {
		day := c.r.IntN(days - 20)
		if later := c.r.IntN(days - 20); later > day && c.r.IntN(3) == 0 {
			day = later
		}
		if i < companies/4 {
			day = 0
		}
		c.customers = append(c.customers, c.newCustomer(i, c.start.AddDate(0, 0, day)))
	}
	for i, n := 0, 0; i < len(c.customers) && n < 3; i++ {
		if child := c.customers[i]; child.erp != "" && child.shop == "" && i > 0 {
			for _, parent := range c.customers[:i] {
				if parent.erp != "" {
					child.parent = parent
					n++
					break
				}
			}
		}
	}
}

func (c *company) newCustomer(i int, since time.Time) *customer {
	r := c.r
	k := &customer{
		country: pick(r, []string{"DE", "AT", "CH", "FR", "PL"}, []int{52, 12, 8, 15, 13}),
		since:   since,
		owner:   pick(r, []string{"Anke Brandt", "Jonas Petersen", "Claire Dubois"}, []int{5, 4, 3}),
		touch:   touches(r),
		lead:    r.IntN(100) < 55,
		perYear: pick(r, []int{0, 5, 11, 20, 38}, []int{8, 30, 34, 20, 8}),
		basket:  pick(r, []int{18_000, 42_000, 95_000, 240_000}, []int{35, 38, 20, 7}) + r.IntN(9_000),
	}
	k.domain = domain(i, k.country)
	switch n := r.IntN(100); {
	case n < 8:
		// Sole traders share the domain of their mail provider, and are told apart by it being
		// configured as one.
		k.person, k.shop = true, fmt.Sprint(1001+i)
		k.email, k.domain = fmt.Sprintf("buyer%d@mail.example", i+1), ""
	case n < 58:
		k.shop = fmt.Sprint(1001 + i)
	case n < 74:
		k.erp = fmt.Sprint(70001 + i)
		k.lead = true
	default:
		k.shop, k.erp = fmt.Sprint(1001+i), fmt.Sprint(70001+i)
		k.linked = r.IntN(4) == 0
		k.perYear = k.perYear * 3 / 2
	}
	if k.domain != "" {
		k.email = pick(r, []string{"einkauf", "info", "order", "lager"}, []int{4, 3, 2, 1}) + "@" + k.domain
	}
	// One in five has left within the year, and half of the rest within three.
	k.leaves = since.AddDate(0, 0, pick(r, []int{r.IntN(365), 365 + r.IntN(730), 5000}, []int{20, 35, 45}))
	return k
}

// touches returns where a customer comes from, in the words of the shop's statistics.
func touches(r *rand.Rand) touch {
	return pick(r, []touch{
		{"google", "organic", ""},
		{"google", "cpc", "kartons-de"},
		{"google", "cpc", "brand"},
		{"linkedin", "paid_social", "logistik-2026"},
		{"newsletter-fruehjahr", "email", "fruehjahr"},
		{"verpackungstage", "", "stand-4-112"},
		{"branchenbuch.example", "referral", ""},
		{"direct", "(none)", ""},
		{"", "", ""},
	}, []int{28, 18, 6, 8, 10, 9, 7, 10, 4})
}

// domain returns the web domain of the i-th company, under a top-level domain that is
// reserved for examples.
func domain(i int, country string) string {
	places := []string{
		"linden", "nordsee", "elbe", "sonnen", "berg", "hafen", "mosel", "kranich", "silber", "eichen",
		"alpen", "weser", "falken", "birken", "kupfer", "insel", "tannen", "donau", "stern", "granit",
	}
	trades := map[string][]string{
		"DE": {"versand", "logistik", "feinkost", "werkzeuge", "druck", "moebel"},
		"AT": {"handel", "bau", "genuss", "technik", "papier", "sport"},
		"CH": {"uhren", "pharma", "kaese", "optik", "maschinen", "textil"},
		"FR": {"emballage", "vins", "meubles", "textiles", "outils", "livres"},
		"PL": {"meble", "logistyka", "narzedzia", "papier", "sport", "druk"},
	}[country]
	return places[i%len(places)] + "-" + trades[i/len(places)] + ".example"
}
