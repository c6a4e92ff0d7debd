package demo

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func present() time.Time { return time.Date(2026, time.July, 15, 14, 0, 0, 0, time.UTC) }

func newCompany(t *testing.T, o Options) *Company {
	t.Helper()
	if o.Now.IsZero() {
		o.Now = present()
	}
	c, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// text returns all that a batch says, for comparisons.
func text(t *testing.T, batches ...*Batch) string {
	t.Helper()
	data, err := json.Marshal(batches)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func TestSameSeedSameCompany(t *testing.T) {
	small := Options{Seed: 7, Scale: 0.02}
	a, b := newCompany(t, small), newCompany(t, small)
	first := text(t, a.History(), a.Live().Until(present().AddDate(0, 0, 3)))
	if second := text(t, b.History(), b.Live().Until(present().AddDate(0, 0, 3))); first != second {
		t.Error("the same seed gives another company")
	}
	for name, o := range map[string]Options{
		"seed":  {Seed: 8, Scale: 0.02},
		"start": {Seed: 7, Scale: 0.02, Now: present().Add(time.Hour * 24)},
	} {
		if other := newCompany(t, o); text(t, other.History()) == text(t, newCompany(t, small).History()) {
			t.Errorf("another %s gives the same company", name)
		}
	}
}

// However often the systems are asked, the same happens in them.
func TestLiveDoesNotDependOnWhoAsks(t *testing.T) {
	o := Options{Seed: 3, Scale: 0.02}
	once, often := newCompany(t, o), newCompany(t, o)
	once.History()
	often.History()
	end := present().AddDate(0, 0, 2)
	want := once.Live().Until(end)
	got, live := &Batch{}, often.Live()
	for at := present(); !at.After(end); at = at.Add(7 * time.Minute) {
		b := live.Until(at)
		got.Customers = append(got.Customers, b.Customers...)
		got.Orders = append(got.Orders, b.Orders...)
		got.Checkouts = append(got.Checkouts, b.Checkouts...)
		got.Leads = append(got.Leads, b.Leads...)
		got.Contracts = append(got.Contracts, b.Contracts...)
	}
	rest := live.Until(end)
	got.Contracts = append(got.Contracts, rest.Contracts...)
	got.Orders, got.Leads = append(got.Orders, rest.Orders...), append(got.Leads, rest.Leads...)
	got.Customers, got.Checkouts = append(got.Customers, rest.Customers...), append(got.Checkouts, rest.Checkouts...)
	if text(t, got) != text(t, want) {
		t.Error("what goes on depends on how often it is asked for")
	}
}

func TestSizes(t *testing.T) {
	for _, now := range []time.Time{present(), time.Date(2027, time.January, 2, 3, 0, 0, 0, time.UTC), time.Date(2028, time.February, 29, 12, 0, 0, 0, time.UTC)} {
		c := newCompany(t, Options{Seed: 1, Now: now})
		b := c.History()
		for what, size := range map[string][3]int{
			"customers": {len(b.Customers), 3600, 4400},
			"orders":    {len(b.Orders), 55_000, 67_000},
			"leads":     {len(b.Leads), 22_500, 27_500},
			"checkouts": {len(b.Checkouts), 9_000, 15_000},
			"deals":     {c.deals, 4_000, 6_500},
		} {
			if size[0] < size[1] || size[0] > size[2] {
				t.Errorf("%s: %d %s, want %d to %d", now.Format(time.DateOnly), size[0], what, size[1], size[2])
			}
		}
	}
}

// What the CRM has of a day and origin is what the market brought.
func TestLeadsComeFromVisits(t *testing.T) {
	c := newCompany(t, Options{Seed: 5, Scale: 0.1})
	type key struct {
		day    string
		origin *Origin
	}
	got, want := map[key]int{}, map[key]int{}
	for _, l := range c.History().Leads {
		got[key{l.Created.In(c.zone).Format(time.DateOnly), l.Origin}]++
	}
	costs, campaigns := int64(0), map[string]bool{}
	for day := c.First(); !day.After(c.Now); day = day.AddDate(0, 0, 1) {
		for _, a := range c.Market.Day(day.Add(5 * time.Hour)) {
			if a.Leads > 0 {
				want[key{day.Format(time.DateOnly), a.Origin}] = a.Leads
			}
			if a.Leads > a.Visits || a.Clicks > a.Impressions || (a.Cost > 0) != (a.Clicks > 0) {
				t.Fatalf("%s, %s %s: numbers do not go together: %+v", day.Format(time.DateOnly), a.Source, a.Campaign, a)
			}
			costs += a.Cost
			if a.Platform == "google" {
				campaigns[a.Campaign] = true
			}
		}
	}
	if diff := cmp.Diff(want, got, cmp.Comparer(func(a, b *Origin) bool { return a == b })); diff != "" {
		t.Errorf("leads of the market (-) and of the CRM (+):\n%s", diff)
	}
	if len(campaigns) != 4 || costs == 0 {
		t.Errorf("%d campaigns on Google and costs of %d, want 4 and some", len(campaigns), costs)
	}
}

// One campaign becomes too expensive, and no other.
func TestExpensiveCampaign(t *testing.T) {
	c := newCompany(t, Options{Seed: 1})
	perLead := func(from, to int) map[string]float64 {
		cost, leads, ratio := map[string]int64{}, map[string]int{}, map[string]float64{}
		for d := c.Market.days - from; d < c.Market.days-to; d++ {
			for _, a := range c.Market.day(d) {
				cost[a.Campaign] += a.Cost
				leads[a.Campaign] += a.Leads
			}
		}
		for name, n := range leads {
			ratio[name] = float64(cost[name]) / float64(n)
		}
		return ratio
	}
	before, now := perLead(365, 180), perLead(30, 0)
	for _, o := range c.Market.Origins() {
		if o.Platform == "" {
			continue
		}
		if dearer := now[o.Campaign] / before[o.Campaign]; dearer > 3 != (o.Campaign == "tools-generic") {
			t.Errorf("%s: a lead costs %.1f times what it did", o.Campaign, dearer)
		}
	}
}

// Addresses and names lead to nobody.
func TestReservedDomains(t *testing.T) {
	b := newCompany(t, Options{Seed: 2, Scale: 0.05}).History()
	emails := map[string]bool{}
	for _, l := range b.Leads {
		emails[l.Email] = true
		if l.Account != nil && !strings.HasSuffix(l.Account.Domain, ".example") {
			t.Errorf("domain %s is not reserved", l.Account.Domain)
		}
	}
	for _, k := range b.Customers {
		emails[k.Email] = true
	}
	for e := range emails {
		if !strings.HasSuffix(e, ".example") {
			t.Errorf("address %s is not of a reserved domain", e)
		}
	}
	if len(emails) < 500 {
		t.Errorf("only %d addresses", len(emails))
	}
}

// A record's moments are in the order in which such things happen.
func TestMomentsInOrder(t *testing.T) {
	b := newCompany(t, Options{Seed: 4, Scale: 0.1}).History()
	inOrder := func(what string, moments ...time.Time) {
		var last time.Time
		for _, m := range moments {
			if !m.IsZero() && m.Before(last) {
				t.Fatalf("%s: %s comes after %s", what, m, last)
			}
			if !m.IsZero() {
				last = m
			}
		}
	}
	for _, l := range b.Leads {
		inOrder(l.Email, l.Created, l.MQL, l.SQL, l.Opportunity, l.Customer)
		if l.Deal != nil {
			for i := range l.Deal.Steps[1:] {
				inOrder("deal", l.Deal.Steps[i].At, l.Deal.Steps[i+1].At)
			}
		}
	}
	refunds := 0
	for _, o := range b.Orders {
		if o.Customer != nil {
			inOrder("order", o.Customer.Since, o.Placed)
		}
		inOrder("order", o.moments()...)
		if f := o.Refund; f != nil {
			refunds++
			inOrder("refund", o.Placed, f.At)
			if l := o.Lines[f.Line]; f.Quantity > l.Quantity || f.Amount > l.Price*int64(l.Quantity)-l.Discount {
				t.Fatalf("more is given back than was bought: %+v of %+v", *f, l)
			}
		}
	}
	if refunds == 0 {
		t.Error("no refunds")
	}
}

func TestScale(t *testing.T) {
	for _, scale := range []float64{-1, 101} {
		if _, err := New(Options{Now: present(), Scale: scale}); err == nil || !strings.Contains(err.Error(), "scale") {
			t.Errorf("scale %v: got %v", scale, err)
		}
	}
}
