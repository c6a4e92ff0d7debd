package ledger

import (
	"context"
	"math"
	"strings"

	"github.com/b2bexporter/b2b_exporter/internal/ledger/history"
	"github.com/b2bexporter/b2b_exporter/internal/record"
	"github.com/b2bexporter/b2b_exporter/internal/window"
)

// fact is one event that a record gives, and the customer whose history it is part
// of; without one it goes to a chunk. Records of a day give a row instead.
type fact struct {
	customer record.Hash
	event    history.Event
	row      *history.Row
}

func (f *fact) encode() []byte {
	if f.row != nil {
		return f.row.Append(nil)
	}
	return f.event.Append(nil)
}

// stored is a record as the ledger holds it.
type stored struct {
	rid    int64
	source int64 // the dictionary's number of the source's name
	rec    record.Record
}

const checkoutGrace = int64(3600 * 1e6) // a checkout is abandoned 1 h after its last change

// facts derives what a record says, from it and from the records that it names.
func (w *writer) facts(ctx context.Context, s stored) ([]fact, error) {
	if !w.counts(s) {
		return nil, nil
	}
	switch r := s.rec.(type) {
	case *record.Order:
		return w.orderFacts(ctx, s, r)
	case *record.Refund:
		return w.refundFacts(ctx, s, r)
	case *record.Deal:
		return w.dealFacts(ctx, s, r)
	case *record.Subscription:
		return w.subscriptionFacts(ctx, s, r)
	case *record.Checkout:
		return w.checkoutFacts(s, r), nil
	case *record.Quote:
		return w.quoteFacts(ctx, s, r)
	case *record.Lead:
		return w.leadFacts(ctx, s, r)
	case *record.Activity:
		return w.activityFacts(ctx, s, r)
	case *record.Cost:
		// Costs are read as they are; only what converts them must be known.
		_, err := w.number(ctx, r.Currency)
		return nil, err
	case *record.Spend:
		return w.spendFacts(ctx, s, r)
	case *record.AdQuality:
		return w.qualityFacts(ctx, s, r)
	case *record.Traffic:
		return w.trafficFacts(ctx, s, r)
	case *record.Users:
		return w.usersFacts(ctx, s, r)
	case *record.Referrer:
		return w.referrerFacts(ctx, s, r)
	case *record.Customer:
		return w.customerFacts(ctx, s, r)
	case *record.Account:
		return w.accountFacts(ctx, s, r)
	}
	return nil, nil
}

// counts reports whether there is a record, of a source and kind that count.
func (w *writer) counts(s stored) bool {
	return s.rec != nil && w.l.settings.counts(w.l.dict.texts[s.source], s.rec.RecordKind())
}

// at returns an instant in microseconds; ok is false for null.
func (w *writer) at(i record.Instant) (us int64, ok bool) {
	if i.IsNull() {
		return 0, false
	}
	return i.Resolve(func(d record.Day) int64 { return w.l.calendar.Start(window.Day(d)) }), true
}

// earliest returns the earliest of the instants; ok is false where all are null.
func (w *writer) earliest(instants ...record.Instant) (first int64, ok bool) {
	first = math.MaxInt64
	for _, i := range instants {
		if us, known := w.at(i); known {
			first, ok = min(first, us), true
		}
	}
	return first, ok
}

// date gives an event the earliest of the instants, or none.
func (w *writer) date(e *history.Event, instants ...record.Instant) {
	e.Flags &^= history.Always
	var ok bool
	if e.T, ok = w.earliest(instants...); !ok {
		e.T = 0
		e.Flags |= history.Always
	}
}

// known says from when the customer of a reference is known.
func (w *writer) known(s stored, customer record.Ref, dates ...record.Instant) []fact {
	if customer.IsNull() {
		return nil
	}
	e := history.Event{Kind: history.Known, Source: history.Dict(s.source)}
	w.date(&e, dates...)
	return []fact{{customer: customer.Sealed[0], event: e}}
}

// self says from when a record that is a customer itself is known.
func (w *writer) self(ctx context.Context, s stored, customer record.Ref, dates ...record.Instant) ([]fact, error) {
	facts := w.known(s, customer, dates...)
	kind, err := w.number(ctx, string(s.rec.RecordKind()))
	for i := range facts {
		facts[i].event.Label = kind
	}
	return facts, err
}

func hashOf(r record.Ref) record.Hash {
	if r.IsNull() {
		return record.Hash{}
	}
	return r.Sealed[0]
}

// countedAt returns when an order counts from; ok is false where it does not count.
func (w *writer) countedAt(o *record.Order) (us int64, ok bool) {
	if o.State != "" && o.State != record.StateCounted {
		return 0, false
	}
	if w.l.settings.CountPaid {
		return w.at(o.PaidAt)
	}
	return w.at(o.PlacedAt)
}

// costed returns the profit on the part of an order whose cost is known, and that
// part; ok is false where no cost is known.
func costed(o *record.Order) (profit, part int64, ok bool) {
	if o.Cost.IsNull() || o.Gross.IsNull() {
		return 0, 0, false
	}
	part = o.CostedNet.Micros
	if o.CostedNet.IsNull() {
		part = o.Gross.Micros - o.Discount.OrZero()
	}
	return part - o.Cost.Micros, part, true
}

func (w *writer) territory(country string) string {
	if mapped, ok := w.l.settings.Territories[country]; ok && country != "" {
		return mapped
	}
	return country
}

func (w *writer) orderFacts(ctx context.Context, s stored, o *record.Order) ([]fact, error) {
	at, counted := w.countedAt(o)
	if !counted {
		return w.known(s, o.Customer, o.Dates()...), nil
	}
	e := history.Event{
		Kind: history.Order, T: at, Source: history.Dict(s.source), Flags: history.OfStore,
		Gross: o.Gross.Micros, Discount: o.Discount.OrZero(),
	}
	if w.l.settings.Basis != BasisDeals {
		e.Flags |= history.OfCustomer
	}
	if !o.Gross.IsNull() {
		e.Flags |= history.HasMoney
	}
	if !o.Discount.IsNull() {
		e.Flags |= history.HasDiscount
	}
	if profit, part, ok := costed(o); ok {
		e.Flags |= history.HasCost
		e.Profit, e.Costed = profit, part
	}
	touch, err := w.touch(ctx, o.Touch)
	if err != nil {
		return nil, err
	}
	if err := w.labels(ctx, &e, touch, o.Country, o.Currency); err != nil {
		return nil, err
	}
	facts := []fact{{customer: hashOf(o.Customer), event: e}}
	if first, _ := w.earliest(o.Dates()...); first < at || !e.Has(history.OfCustomer) {
		facts = append(facts, w.known(s, o.Customer, o.Dates()...)...)
	}
	return facts, nil
}

// touch returns the number of what a touch is counted under.
func (w *writer) touch(ctx context.Context, t record.Touch) (history.Dict, error) {
	class := w.l.settings.Channels.Classify(t)
	channel, err := w.number(ctx, class.Channel)
	if err != nil || class.Program == "" && class.Campaign == "" {
		return channel, err
	}
	return w.number(ctx, history.JoinLabels(class.Channel, class.Program, class.Campaign))
}

func (w *writer) labels(ctx context.Context, e *history.Event, touch history.Dict, country, currency string) (err error) {
	e.Label = touch
	if e.Territory, err = w.number(ctx, w.territory(country)); err != nil {
		return err
	}
	e.Currency, err = w.number(ctx, currency)
	return err
}

func (w *writer) refundFacts(ctx context.Context, s stored, r *record.Refund) ([]fact, error) {
	facts := w.known(s, r.Customer, r.At)
	at, ok := w.at(r.At)
	if !ok {
		return facts, nil
	}
	customer, country, currency := r.Customer, r.Country, r.Currency
	var order *record.Order
	if r.Order != "" {
		of, err := w.find(ctx, s.source, record.KindOrder, r.Order)
		if err != nil {
			return nil, err
		}
		if w.counts(of) {
			order = of.rec.(*record.Order)
			if _, counted := w.countedAt(order); !counted {
				return facts, nil
			}
			customer, country = order.Customer, order.Country
			if currency == "" {
				currency = order.Currency
			}
		}
	}
	e := history.Event{
		Kind: history.Refund, T: at, Source: history.Dict(s.source), Flags: history.OfStore, Gross: r.Amount.Micros,
	}
	if w.l.settings.Basis != BasisDeals {
		e.Flags |= history.OfCustomer
	}
	if !r.Amount.IsNull() {
		e.Flags |= history.HasMoney
	}
	if part, ok := costedRefund(r, order); ok {
		e.Flags |= history.HasCost
		e.Profit, e.Costed = part-r.Cost.OrZero(), part
	}
	if err := w.labels(ctx, &e, 0, country, currency); err != nil {
		return nil, err
	}
	return append(facts, fact{customer: hashOf(customer), event: e}), nil
}

// costedRefund returns the part of a refund whose cost is known: what the vendor says,
// else all of it where the cost given back is known or its whole order has costs.
func costedRefund(r *record.Refund, order *record.Order) (part int64, ok bool) {
	switch {
	case r.Amount.IsNull():
		return 0, false
	case !r.CostedAmount.IsNull():
		return r.CostedAmount.Micros, true
	case !r.Cost.IsNull():
		return r.Amount.Micros, true
	case order == nil:
		return 0, false
	}
	_, costedPart, ok := costed(order)
	return r.Amount.Micros, ok && (order.CostedNet.IsNull() || costedPart == order.Gross.Micros-order.Discount.OrZero())
}

// orderOf resolves a deal's order: value of the same source, or source:value.
func (w *writer) orderOf(ctx context.Context, source int64, order string) (int64, string, error) {
	name, value, ok := strings.Cut(order, ":")
	// IDs hold colons, too.
	if _, delivers := w.l.settings.Delivered[name]; ok && (delivers || w.l.settings.Delivered == nil) {
		n, err := w.number(ctx, name)
		return int64(n), value, err
	}
	return source, order, nil
}

func (w *writer) checkoutFacts(s stored, c *record.Checkout) []fact {
	facts := w.known(s, c.Customer, c.Dates()...)
	started, ok := w.at(c.StartedAt)
	if !ok || !c.CompletedAt.IsNull() {
		return facts
	}
	changed, ok := w.at(c.ChangedAt)
	if !ok || changed < started {
		changed = started
	}
	return append(facts, fact{event: history.Event{
		Kind: history.Checkout, Source: history.Dict(s.source), T: started, End: changed + checkoutGrace,
	}})
}

func (w *writer) quoteFacts(ctx context.Context, s stored, q *record.Quote) ([]fact, error) {
	facts := w.known(s, q.Customer, q.Dates()...)
	var err error
	add := func(i record.Instant, state string) {
		at, ok := w.at(i)
		if !ok || err != nil {
			return
		}
		var label history.Dict
		if label, err = w.number(ctx, state); err == nil {
			facts = append(facts, fact{event: history.Event{
				Kind: history.Quote, Source: history.Dict(s.source), T: at, Label: label,
			}})
		}
	}
	switch q.State {
	case record.QuoteSent:
		add(q.SentAt, record.QuoteSent)
	case record.QuoteAccepted, record.QuoteDeclined, record.QuoteExpired:
		add(q.SentAt, record.QuoteSent)
		add(q.DecidedAt, q.State)
	}
	return facts, err
}
