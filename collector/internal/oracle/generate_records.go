package oracle

import (
	"fmt"
	"slices"

	"pgregory.net/rapid"

	"github.com/b2bexporter/b2b_exporter/internal/record"
)

// draw returns a new record of a kind for source.
func (g *generator) draw(source string, kind record.Kind) record.Record {
	switch kind {
	case record.KindOrder:
		return g.order()
	case record.KindRefund:
		return g.refund()
	case record.KindCustomer:
		return &record.Customer{
			Keys: g.keys(), Company: g.chance("company", 3), CreatedAt: g.maybe("created", 3),
			Parent: g.customer(), Country: g.country(), Touch: g.touch(), Owner: g.owner(),
		}
	case record.KindAccount:
		return &record.Account{
			Keys: g.keys(), CreatedAt: g.maybe("created", 3), Target: g.chance("target", 3),
			TargetSince: g.maybe("target since", 2), QualifiedAt: g.maybe("qualified", 2), Owner: g.owner(),
		}
	case record.KindActivity:
		return g.activity()
	case record.KindCost:
		return g.cost()
	case record.KindSpend:
		return g.spend()
	case record.KindAdQuality:
		return &record.AdQuality{
			Day: g.day("day"), Platform: pick(g, "platform", "google", "meta"), Campaign: "c-1", Score: g.amountOf("score", 10),
			Dimension: pick(g, "dimension", qualityScore, "engagement"), Impressions: g.amountOf("impressions", 1000),
		}
	case record.KindTraffic:
		return g.traffic(source)
	case record.KindPage:
		return &record.Page{
			Day: g.day("day"), Site: source, Page: pick(g, "page", "/", "/prices", "/docs"),
			Sessions: g.amountOf("sessions", 50), Exits: g.amountOf("exits", 20),
		}
	case record.KindSearch:
		return &record.Search{
			Day: g.day("day"), Site: source, Clicks: g.amountOf("clicks", 20), Impressions: g.amountOf("impressions", 300),
			Position: g.amountOf("position", 30),
		}
	case record.KindReferrer:
		return &record.Referrer{
			Day: g.day("day"), Site: source, Domain: pick(g, "domain", "a.example", "b.example"), Sessions: g.amountOf("sessions", 50),
		}
	case record.KindDeal:
		return g.deal()
	case record.KindSubscription:
		return g.subscription()
	case record.KindCheckout:
		return &record.Checkout{
			Customer: g.customer(), StartedAt: g.maybe("started", 10), ChangedAt: g.maybe("changed", 2),
			CompletedAt: pick(g, "completed", record.Instant{}, record.Instant{}, g.instant("completed at")),
		}
	case record.KindQuote:
		return &record.Quote{
			Customer: g.customer(), SentAt: g.maybe("sent", 5), DecidedAt: g.maybe("decided", 3), Currency: "EUR",
			State: pick(g, "state", record.QuoteSent, record.QuoteAccepted, record.QuoteDeclined, record.QuoteExpired, record.QuoteDraft),
		}
	}
	panic("no generator for " + kind)
}

func (g *generator) order() *record.Order {
	o := &record.Order{
		Customer: g.customer(), PlacedAt: g.maybe("placed", 20), PaidAt: g.maybe("paid", 3),
		State:    pick(g, "state", "", record.StateCounted, record.StateCounted, record.StateCounted, record.StateCounted, record.StateCancelled, record.StateDraft, record.StateTest),
		Currency: pick(g, "currency", g.currencies...), Gross: g.amount("gross", 15), Discount: g.amount("discount", 2),
		Country: g.country(), Touch: g.touch(),
	}
	if g.chance("small discount", 2) && o.Discount.Known {
		o.Discount.Micros /= 10
	}
	if g.chance("costs", 2) {
		o.Cost = g.amount("cost", 10)
		o.CostedNet = pick(g, "costed net", record.Amount{}, record.Micros(o.Gross.Micros-o.Discount.Micros), g.amount("part", 2))
	}
	return o
}

func (g *generator) refund() *record.Refund {
	r := &record.Refund{
		Customer: g.customer(), Country: g.country(), At: g.maybe("at", 20),
		Amount: g.amount("amount", 12), Currency: pick(g, "currency", g.currencies...),
	}
	if r.Amount.Known && g.chance("small", 2) {
		r.Amount.Micros /= 7
	}
	if g.chance("costs", 3) {
		r.Cost, r.CostedAmount = g.amount("cost", 3), g.amount("costed", 2)
	}
	switch rapid.IntRange(0, 5).Draw(g.t, "order") {
	case 0:
	case 1:
		r.Order = "never-seen"
	default:
		r.Order = fmt.Sprintf("o%d", rapid.IntRange(1, idsOf(record.KindOrder)).Draw(g.t, "order id"))
		if g.chance("currency of the order", 3) && slices.Contains(g.ids[shop+"/"+string(record.KindOrder)], r.Order) {
			r.Currency = ""
		}
	}
	return r
}

func (g *generator) deal() *record.Deal {
	d := &record.Deal{
		Account: g.account(), CreatedAt: g.maybe("created", 4), ClosedAt: g.maybe("closed", 6),
		State:    pick(g, "state", record.DealWon, record.DealWon, record.DealLost, record.DealOpen),
		Currency: pick(g, "currency", g.currencies...), Amount: g.amount("amount", 8), FirstTouchAt: g.maybe("first touch", 2),
	}
	if d.Amount.Known {
		d.Margin = pick(g, "margin", record.Amount{}, record.Micros(d.Amount.Micros/3))
	}
	if g.chance("lead", 2) {
		d.Lead = fmt.Sprintf("l%d", rapid.IntRange(1, idsOf(record.KindLead)+1).Draw(g.t, "lead id"))
	}
	if g.chance("order", 3) {
		d.Order = pick(g, "order", "shop:o1", "shop:o2", "shop:o3", "o4", "shop:never-seen")
	}
	return d
}

// amount draws an amount or, in one of n draws, null.
func (g *generator) amount(label string, n int) record.Amount {
	if g.chance("no "+label, n) {
		return record.Amount{}
	}
	if g.chance("odd "+label, 5) {
		return record.Micros(pick(g, label, int64(0), 1, 333_333, 1_234_567_891, 9_000_000_000_000_000))
	}
	return record.Micros(rapid.Int64Range(1, 500_000).Draw(g.t, label) * 10_000)
}

// keys draws what a company or person is known by: few values, so that they meet.
func (g *generator) keys() record.Keys {
	var k record.Keys
	if g.chance("external id", 2) {
		k.ExternalIDs = []string{pick(g, "external", "erp:1", "erp:2", "c1", "shop:c2", "shop:c3", "crm:a1", "wholesale:c1")}
	}
	if g.chance("domain", 3) {
		k.Domain = pick(g, "domain name", "acme.com", "https://www.globex.co.uk/about", "gmail.com", "initech.de")
	}
	if g.chance("email", 3) {
		k.Email = pick(g, "address", "ann@acme.com", " Bob@Mail.ACME.com ", "eve@gmail.com", "mia@gmail.com", "kim@initech.de")
	}
	return k
}

func (g *generator) customer() record.Ref {
	if g.chance("nobody", 5) {
		return record.Ref{}
	}
	if g.chance("address as id", 12) {
		return record.RefTo(pick(g, "customer", "eve@gmail.com", "kim@initech.de"))
	}
	return record.RefTo(fmt.Sprintf("c%d", rapid.IntRange(1, 9).Draw(g.t, "customer")))
}

func (g *generator) account() record.Ref {
	if g.chance("no account", 3) {
		return record.Ref{}
	}
	return record.RefTo(fmt.Sprintf("a%d", rapid.IntRange(1, 8).Draw(g.t, "account")))
}

func (g *generator) country() string {
	return pick(g, "country", "DE", "AT", "FR", "US", "NZ", "", `say "hi\`)
}

func (g *generator) touch() record.Touch {
	return pick(g, "touch",
		record.Touch{}, record.Touch{Source: "google", Medium: "cpc"}, record.Touch{Source: "news", Medium: "email"},
		record.Touch{Channel: "partner"}, record.Touch{Source: "google", Medium: "cpc", Campaign: "spring sale"},
	)
}

// rates draws the currencies in use and what was published about them. The last of
// the four currencies never has a rate.
func (g *generator) rates() {
	g.currencies = pick(g, "currencies",
		[]string{"EUR"}, []string{"EUR", "EUR", "USD"}, []string{"EUR", "EUR", "USD", "GBP"},
		[]string{"EUR", "EUR", "EUR", "EUR", "EUR", "EUR", "EUR", "EUR", "EUR", "EUR", "EUR", "USD", "XAU"},
	)
	if g.chance("no rates", 10) {
		return
	}
	oldest := g.calendar.dayOf(g.asOf) - 3*366
	if g.chance("late rates", 5) {
		oldest += 3*366 - 60
	}
	g.publish(ecb, "EUR", "USD", oldest, 1_0832)
	g.publish(ecb, "EUR", "GBP", oldest, 8571)
	for range rapid.IntRange(0, 6).Draw(g.t, "rates") {
		g.rate(pick(g, "rate source", ecb, ecb, bank))
	}
}

// rate publishes a rate on the working day before a drawn day.
func (g *generator) rate(source string) {
	t, _ := g.calendar.resolve(g.instant("published"))
	d := g.calendar.dayOf(t)
	for weekday := (d + 4) % 7; weekday == 0 || weekday == 6; weekday = (d + 4) % 7 {
		d--
	}
	reference := "EUR"
	if source == bank {
		reference = pick(g, "reference", "USD", "GBP")
	}
	currency := pick(g, "rated", "USD", "GBP", "EUR")
	if currency != reference {
		g.publish(source, reference, currency, d, int64(rapid.IntRange(5_000, 20_000).Draw(g.t, "rate")))
	}
}

func (g *generator) publish(source, reference, currency string, d record.Day, rate int64) {
	g.put(source, fmt.Sprintf("%s-%s-%s", reference, currency, d), &record.Rate{
		Day: d, Currency: currency, Reference: reference, PerReference: record.Decimal{Coefficient: rate, Scale: 4, Known: true},
	})
}

// anchors puts a first record of each source long ago, so that comparisons exist.
func (g *generator) anchors() {
	if g.chance("young sources", 4) {
		return
	}
	long := record.Instant{N: g.asOf - 1000*day, Form: record.FormMoment}
	for _, s := range g.history.Settings.Sources {
		switch s.Name {
		case shop, wholesale:
			g.put(s.Name, "anchor", &record.Order{
				PlacedAt: long, PaidAt: long, Currency: "EUR", Gross: record.Micros(10_000_000),
				State: pick(g, "anchor", record.StateCounted, record.StateCancelled),
			})
		case budget:
			g.put(budget, "anchor", &record.Cost{
				Category: record.CostSales, Period: record.PeriodMonth, Amount: record.Micros(900_000_000),
				From: g.calendar.dayOf(long.N), To: record.NoDay,
			})
		case ads:
			g.put(ads, "anchor", &record.Spend{Day: g.calendar.dayOf(long.N), Platform: "google", Cost: record.Micros(1)})
		case website, blog:
			g.put(s.Name, "anchor", &record.Traffic{Day: g.calendar.dayOf(long.N), Site: s.Name, By: record.ByTotal, Sessions: record.Micros(1_000_000)})
		case crm:
			g.put(crm, "anchor", &record.Deal{CreatedAt: long, ClosedAt: long, State: record.DealWon, Currency: "EUR", Amount: record.Micros(10_000_000)})
		}
	}
}

// sell puts a sale of the kind that the customers are counted by.
func (g *generator) sell(id string, customer record.Ref, at int64, amount, part record.Amount) {
	when := record.Instant{N: at, Form: record.FormMoment}
	if g.history.Settings.Basis == BasisDeals {
		g.put(crm, id, &record.Deal{
			Account: customer, CreatedAt: when, ClosedAt: when, State: record.DealWon, Currency: "EUR", Amount: amount, Margin: part,
		})
		return
	}
	g.put(shop, id, &record.Order{
		Customer: customer, PlacedAt: when, PaidAt: when, Currency: "EUR", Gross: amount, Cost: part, Country: "DE",
	})
}

// regulars puts customers that order at equal intervals and have not for about 1.5 of them.
func (g *generator) regulars() {
	for i := range rapid.IntRange(0, 4).Draw(g.t, "regulars") {
		interval := pick(g, "interval", 10*day, 20*day, 60*day) + pick(g, "and", 0, 2*second)
		last := g.asOf - interval - interval/2 + pick(g, "since", int64(0), 1, -1, -day, day)
		for k := range int64(rapid.IntRange(2, 6).Draw(g.t, "orders")) {
			g.sell(fmt.Sprintf("regular-%d-%d", i, k), record.RefTo(fmt.Sprintf("regular-%d", i)), last-k*interval, g.amount("sale", 20), record.Amount{})
		}
	}
}

// crowd puts enough customers with plain habits that lifetime values exist.
func (g *generator) crowd() {
	if !g.chance("crowd", 3) {
		return
	}
	costs := g.chance("crowd's costs", 2)
	for i := range int64(rapid.IntRange(30, 36).Draw(g.t, "crowd size")) {
		part := record.Amount{}
		if costs {
			part = record.Micros((60 + i) * 1_000_000)
		}
		for k, age := range []int64{500 + i, 8 * i, 3 * i} {
			g.sell(fmt.Sprintf("crowd-%d-%d", i, k), record.RefTo(fmt.Sprintf("crowd-%d", i)),
				g.asOf-age*day-i*second, record.Micros((100+i)*1_000_000), part)
		}
	}
}
