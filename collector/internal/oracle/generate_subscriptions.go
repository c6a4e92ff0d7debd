package oracle

import (
	"cmp"
	"fmt"
	"slices"

	"pgregory.net/rapid"

	"github.com/b2bexporter/b2b_exporter/internal/record"
)

func (g *generator) owner() string { return pick(g, "owner", "", "", "Ann", "Bob", " Ann ", "Zoë") }

// change draws when a subscription changes: often when others do, or when it is to come.
func (g *generator) change(label string) record.Instant {
	switch rapid.IntRange(0, 5).Draw(g.t, label) {
	case 0, 1:
		return pick(g, label, g.renewals...)
	case 2:
		return record.Instant{N: g.asOf + pick(g, label, int64(0), 1, hour, 20*day, 60*day, 89*day, 91*day), Form: record.FormMoment}
	}
	return g.instant(label)
}

// mrr draws what a subscription brings: few amounts, so that what is gained and lost at
// one instant may be worth the same.
func (g *generator) mrr() record.Amount {
	return pick(g, "mrr",
		record.Micros(0), record.Micros(50_000_000), record.Micros(0), record.Micros(100_000_000), record.Micros(33_333_333),
		record.Micros(999_999_999), record.Micros(50_000_000), record.Amount{}, record.Micros(-20_000_000),
	)
}

func (g *generator) subscription() *record.Subscription {
	s := &record.Subscription{
		Customer: g.customer(), StartedAt: g.maybe("started", 8), Currency: pick(g, "currency", g.currencies...),
		State:   pick(g, "state", record.SubscriptionActive, record.SubscriptionPastDue, record.SubscriptionTrialing, record.SubscriptionEnded),
		EndedAt: pick(g, "ended", record.Instant{}, g.change("ended at")),
	}
	if g.chance("starts with others", 4) {
		s.StartedAt = pick(g, "start", g.renewals...)
	}
	for range rapid.IntRange(0, 4).Draw(g.t, "changes") {
		s.History = append(s.History, record.MRRChange{At: g.change("change"), MRR: g.mrr()})
	}
	if len(s.History) > 0 && g.chance("from the start", 3) {
		s.History[0].At = s.StartedAt
	}
	g.sort(s)
	return s
}

// sort puts a history in the order of time; what has no date comes first.
func (g *generator) sort(s *record.Subscription) {
	slices.SortStableFunc(s.History, func(a, b record.MRRChange) int {
		x, _ := g.calendar.resolve(a.At)
		y, _ := g.calendar.resolve(b.At)
		return cmp.Compare(x, y)
	})
}

// contracts puts customers with the usual courses of subscriptions, several of some.
func (g *generator) contracts() {
	for range 3 {
		g.renewals = append(g.renewals, g.instant("renewal"))
	}
	if g.chance("changeover", 3) {
		g.changeover()
	}
	customers := rapid.IntRange(0, 3).Draw(g.t, "contracts")
	for i := range customers {
		for k := range rapid.IntRange(1, 3).Draw(g.t, "subscriptions") {
			g.put(shop, fmt.Sprintf("contract-%d-%d", i, k), g.contract(record.RefTo(fmt.Sprintf("c%d", i+1))))
		}
	}
}

// changeover puts a contract that goes on in another currency, for the same at the first
// published rate, for more, or for less.
func (g *generator) changeover() {
	customer, at := record.RefTo(fmt.Sprintf("c%d", rapid.IntRange(1, 4).Draw(g.t, "customer"))), g.change("changeover")
	before, _ := g.calendar.resolve(at)
	before -= pick(g, "ran", 10*day, 100*day, 400*day)
	from, to := "EUR", pick(g, "into", "USD", "USD", "XAU")
	if g.chance("other way", 2) {
		from, to = to, from
	}
	amount := map[string]int64{"EUR": 100_000_000, "USD": 108_320_000, "XAU": 2_000_000}
	amount[to] += pick(g, "more", int64(0), 1, -1)
	put := func(id, currency string, s record.Subscription, start record.Instant) {
		s.Customer, s.StartedAt, s.Currency, s.State = customer, start, currency, record.SubscriptionActive
		s.History = []record.MRRChange{{At: start, MRR: record.Micros(amount[currency])}}
		g.put(shop, id, &s)
	}
	put("changeover-1", from, record.Subscription{EndedAt: at}, record.Instant{N: before, Form: record.FormMoment})
	put("changeover-2", to, record.Subscription{}, at)
}

// contract draws a trial, what is paid after it, pauses and later trials, and an end, or some
// of it.
func (g *generator) contract(customer record.Ref) *record.Subscription {
	s := &record.Subscription{
		Customer: customer, State: record.SubscriptionActive, Currency: pick(g, "currency", g.currencies...),
	}
	at := g.asOf - rapid.Int64Range(0, 800).Draw(g.t, "age")*day
	if g.chance("with others", 3) {
		at, _ = g.calendar.resolve(pick(g, "beginning", g.renewals...))
	}
	moment := func() record.Instant { return record.Instant{N: at, Form: record.FormMoment} }
	s.StartedAt = moment()
	mrr := func(a record.Amount) {
		s.History = append(s.History, record.MRRChange{At: moment(), MRR: a})
		at += pick(g, "lasts", 30*day, 7*day, day, 200*day)
	}
	if g.chance("trial", 3) {
		mrr(record.Micros(0))
		if s.History[0].At.N < g.asOf && at >= g.asOf {
			s.State = record.SubscriptionTrialing
		}
	}
	for range rapid.IntRange(1, 4).Draw(g.t, "terms") {
		mrr(record.Micros(rapid.Int64Range(1, 40).Draw(g.t, "price") * 25_000_000))
		if g.chance("pause", 4) {
			paused := at
			mrr(record.Micros(0))
			if paused < g.asOf && at >= g.asOf {
				s.State = pick(g, "why", record.SubscriptionActive, record.SubscriptionEnded, record.SubscriptionTrialing)
			}
		}
	}
	if g.chance("ends", 3) {
		s.EndedAt = moment()
		if at < g.asOf {
			s.State = record.SubscriptionEnded
		}
	}
	if s.State == record.SubscriptionActive && g.chance("late", 5) {
		s.State = record.SubscriptionPastDue
	}
	return s
}
