package oracle

import (
	"cmp"
	"slices"
	"strings"

	"github.com/b2bexporter/b2b_exporter/internal/record"
)

// world is what the records say, converted and connected, before any moment is chosen.
type world struct {
	Settings
	calendar  *calendar
	rates     *rates
	graph     *graph
	records   []Record
	customers []*customer
	allOrders map[orderID]*order // also those that are not counted
	counted   []*order
	refunds   []*refund
	leads     map[orderID]*customer
	funnel    []*lead
	answered  bool // it is known who was answered
	costs     costBook
	campaigns *campaigns
	predicted map[int64]value // the lifetime value of all customers, by moment
	// firstRecord is the earliest date of any record of a source.
	firstRecord map[string]int64
	// firstSale is the first counted order, also of a guest; ok is false where there is none.
	firstSale   int64
	firstSaleOK bool
	mrrEvents   []mrrEvent
}

type orderID struct{ source, id string }

// order is an order in the reporting currency.
type order struct {
	*record.Order
	source        string
	isCounted     bool
	at            int64
	customer      *customer
	territory     string
	gross         money
	discount      money // 0 where it is not known
	given         money // the discount where it is known
	net           money
	costed        money // the part of net whose cost is known
	profit        money
	costedIsWhole bool
}

// refund is a counted refund in the reporting currency.
type refund struct {
	source    string
	at        int64
	dated     bool
	customer  *customer
	territory string
	amount    money
	costed    money
	profit    money // the gross profit that it takes back
}

// sale is what counts as an order wherever customers are counted.
type sale struct {
	at     int64
	class  record.Class
	net    money
	profit money // known where the sale has costs
}

// subscription is a customer's subscription.
type subscription struct {
	record  *record.Subscription
	world   *world
	start   int64 // of being paid for
	started bool
	steps   []mrrStep
}

// touch is a lead as a first or last touch.
type touch struct {
	at    int64 // always where it has no date
	class record.Class
}

// customer is a group of records that share keys.
type customer struct {
	known         bool
	knownFrom     int64
	sales         []sale // oldest first
	refunds       []*refund
	subscriptions []subscription
	touches       []touch
	owners        []ownership
	firstAt       int64 // the first sale or paid subscription
	bought        bool
}

func newWorld(records []Record, s Settings) *world {
	w := &world{
		Settings: s, calendar: newCalendar(s.Zone), allOrders: map[orderID]*order{},
		leads: map[orderID]*customer{}, firstRecord: map[string]int64{}, predicted: map[int64]value{},
	}
	for _, r := range records {
		delivered := slices.ContainsFunc(s.Sources, func(x Source) bool { return x.Name == r.Source && x.delivers(r.Record.RecordKind()) })
		if delivered && !r.Record.RecordMeta().Deleted {
			w.records = append(w.records, r)
		}
	}
	w.rates = newRates(w.records, s)
	w.graph = newGraph(w.records, s, w.calendar)
	for _, r := range w.records {
		if t, ok := w.calendar.earliest(r.Record.Dates()); ok {
			if first, seen := w.firstRecord[r.Source]; !seen || t < first {
				w.firstRecord[r.Source] = t
			}
		}
	}
	w.addCustomers()
	w.addOrders()
	w.addRefunds()
	w.addDeals()
	w.addSubscriptions()
	w.addMRREvents()
	w.addOwners()
	for _, c := range w.customers {
		slices.SortStableFunc(c.sales, func(a, b sale) int { return cmp.Compare(a.at, b.at) })
		for _, s := range c.sales {
			c.buy(s.at)
		}
		for _, s := range c.subscriptions {
			if s.started {
				c.buy(s.start)
			}
		}
	}
	w.addLeads()
	w.addCosts()
	w.addCampaigns()
	return w
}

func (c *customer) buy(at int64) {
	if !c.bought || at < c.firstAt {
		c.firstAt, c.bought = at, true
	}
}

func (w *world) addCustomers() {
	for _, n := range w.graph.nodes {
		if n.members.customer == nil {
			n.members.customer = &customer{}
			w.customers = append(w.customers, n.members.customer)
		}
		c := n.members.customer
		if n.known && (!c.known || n.knownFrom < c.knownFrom) {
			c.known, c.knownFrom = true, n.knownFrom
		}
	}
	for _, r := range w.records {
		lead, ok := r.Record.(*record.Lead)
		if !ok {
			continue
		}
		c := w.customerOf(lead.Self)
		w.leads[orderID{r.Source, lead.ID}] = c
		at, dated := w.calendar.resolve(lead.CreatedAt)
		if !dated {
			at, dated = w.calendar.earliest(lead.Dates())
		}
		if !dated {
			at = always
		}
		c.touches = append(c.touches, touch{at, w.Channels.Classify(lead.Touch)})
	}
}

// customerOf returns the customer that ref names, or nil.
func (w *world) customerOf(ref record.Ref) *customer {
	if n := w.graph.of(ref); n != nil {
		return n.members.customer
	}
	return nil
}

func (w *world) territory(country string) string {
	switch {
	case country == "":
		return "unknown"
	case w.Territories[country] != "":
		return w.Territories[country]
	}
	return country
}

// sell notes a counted order of any customer or none.
func (w *world) sell(c *customer, s sale) {
	if !w.firstSaleOK || s.at < w.firstSale {
		w.firstSale, w.firstSaleOK = s.at, true
	}
	if c != nil {
		c.sales = append(c.sales, s)
	}
}

func (w *world) addOrders() {
	for _, r := range w.records {
		rec, ok := r.Record.(*record.Order)
		if !ok {
			continue
		}
		o := &order{Order: rec, source: r.Source, customer: w.customerOf(rec.Customer), territory: w.territory(rec.Country)}
		w.allOrders[orderID{r.Source, rec.ID}] = o
		clock := rec.PlacedAt
		if w.CountPaid {
			clock = rec.PaidAt
		}
		at, dated := w.calendar.resolve(clock)
		if !dated || rec.State != "" && rec.State != record.StateCounted {
			continue
		}
		o.isCounted, o.at = true, at
		w.counted = append(w.counted, o)
		w.priceOrder(o)
		if w.Basis != BasisDeals {
			w.sell(o.customer, sale{at, w.Channels.Classify(rec.Touch), o.net, o.profit})
		}
	}
}

// priceOrder fills in the order's money: none at all without gross.
func (w *world) priceOrder(o *order) {
	if o.Gross.IsNull() {
		return
	}
	d := w.calendar.dayOf(o.at)
	o.gross = w.rates.convertAmount(o.Gross, o.Currency, d)
	o.discount = w.rates.convert(o.Discount.Micros, o.Currency, d)
	o.net = o.gross.minus(o.discount)
	o.given = w.rates.convertAmount(o.Discount, o.Currency, d)
	if o.Cost.IsNull() {
		return
	}
	net := o.Gross.Micros - o.Discount.Micros
	o.costed, o.costedIsWhole = o.net, true
	if !o.CostedNet.IsNull() {
		o.costed, o.costedIsWhole = w.rates.convertAmount(o.CostedNet, o.Currency, d), o.CostedNet.Micros == net
	}
	o.profit = o.costed.minus(w.rates.convertAmount(o.Cost, o.Currency, d))
}

func (w *world) addRefunds() {
	for _, r := range w.records {
		rec, ok := r.Record.(*record.Refund)
		if !ok {
			continue
		}
		of := w.allOrders[orderID{r.Source, rec.Order}]
		out := &refund{source: r.Source}
		out.at, out.dated = w.calendar.resolve(rec.At)
		currency := rec.Currency
		if of != nil {
			if !of.isCounted {
				continue
			}
			out.customer, out.territory = of.customer, of.territory
			if currency == "" {
				currency = of.Currency
			}
		} else {
			out.customer, out.territory = w.customerOf(rec.Customer), w.territory(rec.Country)
		}
		if !out.dated {
			continue
		}
		w.priceRefund(out, rec, of, currency)
		w.refunds = append(w.refunds, out)
		if out.customer != nil && w.Basis != BasisDeals {
			out.customer.refunds = append(out.customer.refunds, out)
		}
	}
}

// priceRefund fills in the refund's money: none at all without an amount.
func (w *world) priceRefund(out *refund, rec *record.Refund, of *order, currency string) {
	if rec.Amount.IsNull() {
		return
	}
	d := w.calendar.dayOf(out.at)
	out.amount = w.rates.convertAmount(rec.Amount, currency, d)
	switch {
	case !rec.CostedAmount.IsNull():
		out.costed = w.rates.convertAmount(rec.CostedAmount, currency, d)
	case !rec.Cost.IsNull(), of != nil && of.costedIsWhole:
		out.costed = out.amount
	default:
		return
	}
	out.profit = out.costed.minus(w.rates.convert(rec.Cost.Micros, currency, d))
}

func (w *world) addDeals() {
	if w.Basis == BasisOrders {
		return
	}
	for _, r := range w.records {
		deal, ok := r.Record.(*record.Deal)
		if !ok || deal.State != record.DealWon || w.Basis == BasisBoth && w.isOrder(r.Source, deal) {
			continue
		}
		at, closed := w.calendar.resolve(deal.ClosedAt)
		if !closed {
			continue
		}
		c := w.buyerOf(r.Source, deal)
		d := w.calendar.dayOf(at)
		w.sell(c, sale{
			at: at, class: record.Class{Channel: record.ChannelUnknown},
			net:    w.rates.convertAmount(deal.Amount, deal.Currency, d),
			profit: w.rates.convertAmount(deal.Margin, deal.Currency, d),
		})
	}
}

// buyerOf returns the customer of a deal, or nil.
func (w *world) buyerOf(source string, deal *record.Deal) *customer {
	if c := w.customerOf(deal.Account); c != nil {
		return c
	}
	return w.leads[orderID{source, deal.Lead}]
}

// isOrder reports whether the deal names an order that is there.
func (w *world) isOrder(source string, deal *record.Deal) bool {
	if w.allOrders[orderID{source, deal.Order}] != nil {
		return true
	}
	other, id, qualified := strings.Cut(deal.Order, ":")
	return qualified && w.allOrders[orderID{other, id}] != nil
}

func (w *world) addSubscriptions() {
	for _, r := range w.records {
		rec, ok := r.Record.(*record.Subscription)
		if !ok {
			continue
		}
		c := w.customerOf(rec.Customer)
		if c == nil {
			continue
		}
		s := subscription{record: rec, world: w, steps: w.steps(rec)}
		if i := slices.IndexFunc(s.steps, func(step mrrStep) bool { return brings(step.mrr) }); i >= 0 {
			s.start, s.started = s.steps[i].at, true
		}
		c.subscriptions = append(c.subscriptions, s)
	}
}

// liveAt reports whether the subscription is paid for at t, be it known how much or not.
func (s subscription) liveAt(t int64) bool { return brings(s.mrrAt(t)) }
