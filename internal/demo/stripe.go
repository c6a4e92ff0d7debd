package demo

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/b2bexporter/b2b_exporter/internal/fake/stripe"
)

// billing shows the contracts on service as subscriptions in a Stripe account.
type billing struct {
	http.Handler
	account   *stripe.Server
	customers map[*Customer]bool // that are in the account
}

func newBilling(shops []*Shop, now func() time.Time) *billing {
	s := &billing{account: stripe.New(now), customers: map[*Customer]bool{}}
	s.Handler, s.account.Key = s.account, token
	// Limits so wide that the first reading need not wait for them.
	s.account.PerSecond = 1000
	for _, shop := range shops {
		for _, p := range plans() {
			for _, i := range intervals() {
				s.account.AddPrice(stripe.Price{
					ID: price(p, i, shop), Product: "service_" + p.ID, Currency: strings.ToLower(shop.Currency),
					UnitAmount: strconv.FormatInt(i.amount(p, shop), 10), Interval: i.Unit, IntervalCount: i.Count,
				})
			}
		}
	}
	s.account.AddCoupon(stripe.Coupon{ID: rebateWelcome, PercentOff: "20", Months: 6})
	s.account.AddCoupon(stripe.Coupon{ID: rebatePartner, PercentOff: "10"})
	return s
}

func price(p Plan, i Interval, s *Shop) string {
	return fmt.Sprintf("price_%s_%d%s_%s", p.ID, i.Count, i.Unit, strings.ToLower(s.Currency))
}

func (s *billing) source(url string) string {
	return "{name: billing, type: stripe, interval: 30s, requests_per_second: 100, url: " + url + ", api_key: " + token + "}"
}

func (s *billing) changes(b *Batch) []change {
	var list []change
	for _, x := range b.Contracts {
		for _, at := range x.moments() {
			list = append(list, change{at, func() { s.put(x, at) }})
		}
	}
	return list
}

// put shows a contract as it stands at a moment.
func (s *billing) put(x *Contract, at time.Time) {
	sub := s.subscription(x, at)
	switch {
	case at.Equal(x.Signed):
		if k := x.Customer; !s.customers[k] {
			s.customers[k] = true
			s.account.AddCustomer(at, stripe.Customer{ID: sub.Customer, Email: k.Email, Country: k.Country})
		}
		s.account.AddSubscription(at, sub)
	case at.Before(x.Ended):
		s.account.ChangeSubscription(sub.ID, at, func(old *stripe.Subscription) { *old = sub })
	default:
		s.account.Cancel(sub.ID, at)
	}
	if agreed, _ := x.agreed(at); len(agreed) > 1 {
		s.account.PutSchedule(at, s.schedule(x, sub, agreed, at))
	}
}

// subscription returns a contract as it stands at a moment.
func (s *billing) subscription(x *Contract, at time.Time) stripe.Subscription {
	agreed, current := x.agreed(at)
	sub := stripe.Subscription{
		ID: fmt.Sprintf("sub_%06d", x.ID), Customer: fmt.Sprintf("cus_%d", x.Customer.ID),
		Currency: strings.ToLower(x.Customer.Shop.Currency), Status: "active", Start: x.Signed, TrialEnd: x.TrialEnds,
		Items: []stripe.Item{x.item(agreed[current])},
	}
	sub.Items[0].ID = fmt.Sprintf("si_%06d", x.ID)
	if !x.TrialEnds.IsZero() {
		sub.TrialStart = x.Signed
	}
	switch {
	case x.TrialEnds.After(at):
		sub.Status = "trialing"
	case x.late(at):
		sub.Status = "past_due"
	}
	if x.Rebate != "" && (x.RebateEnds.IsZero() || at.Before(x.RebateEnds)) {
		sub.Discounts = []stripe.Discount{{ID: fmt.Sprintf("di_%06d", x.ID), Coupon: x.Rebate, Start: x.Signed, End: x.RebateEnds}}
	}
	if !at.Before(x.Noticed) {
		sub.CancelAt, sub.CanceledAt = x.Ended, x.Noticed
	}
	months := int(x.Interval.months)
	for sub.PeriodStart, sub.PeriodEnd = x.Signed, x.Signed.AddDate(0, months, 0); !at.Before(sub.PeriodEnd); {
		sub.PeriodStart, sub.PeriodEnd = sub.PeriodEnd, sub.PeriodEnd.AddDate(0, months, 0)
	}
	return sub
}

func (x *Contract) item(t Terms) stripe.Item {
	return stripe.Item{Price: price(t.Plan, x.Interval, x.Customer.Shop), Quantity: t.Units}
}

// schedule returns the plan of a contract whose terms change: the terms are its phases.
func (s *billing) schedule(x *Contract, sub stripe.Subscription, agreed []Terms, at time.Time) stripe.Schedule {
	sched := stripe.Schedule{ID: fmt.Sprintf("sub_sched_%06d", x.ID), Customer: sub.Customer, Subscription: sub.ID}
	for i, t := range agreed {
		p := stripe.Phase{Start: t.From, End: x.Signed.AddDate(contractYears, 0, 0), Items: []stripe.Item{x.item(t)}}
		if i+1 < len(agreed) {
			p.End = agreed[i+1].From
		}
		if i == 0 {
			p.TrialEnd = x.TrialEnds
		}
		if x.Rebate != "" && (i == 0 || x.RebateEnds.IsZero()) {
			p.Coupons = []string{x.Rebate}
		}
		sched.Phases = append(sched.Phases, p)
	}
	if !at.Before(x.Ended) {
		sched.Status = "canceled"
	}
	return sched
}
