package shopify

import (
	"context"
	"encoding/json"
	"math/big"
	"time"

	"github.com/b2bexporter/b2b_exporter/internal/record"
	"github.com/b2bexporter/b2b_exporter/sources"
)

// unreadable is the rejection of a record whose form is not the expected one.
func unreadable(kind record.Kind, raw json.RawMessage, err error) sources.Rejection {
	var at reference
	r := sources.Rejection{Kind: kind, Reason: "bad answer", Where: "a record without an ID", Detail: err.Error()}
	if json.Unmarshal(raw, &at) == nil && at.ID != "" {
		r.ID, r.Where = at.ID, at.ID
	}
	return r
}

// addOrder adds an order and its refunds to a page.
func (s *Source) addOrder(ctx context.Context, raw json.RawMessage, page *sources.Page) (*stamp, error) {
	var o order
	if err := json.Unmarshal(raw, &o); err != nil {
		page.Rejected = append(page.Rejected, unreadable(record.KindOrder, raw, err))
		return nil, nil
	}
	found, err := s.complete(ctx, &o)
	if !found || err != nil {
		return &o.stamp, err
	}
	s.mapOrder(&o, page)
	return &o.stamp, nil
}

// sale is a line of an order without its tax and without the units that were removed
// from the order. Amounts are in millionths of the shop's currency.
type sale struct {
	gross, net int64
	unitCost   int64
	costed     bool
}

// mapOrder adds the records of an order, all of whose items are there.
func (s *Source) mapOrder(o *order, page *sources.Page) {
	m := &sum{rounded: &page.Rounded}
	r := &record.Order{
		Meta: record.Meta{ID: o.ID}, Customer: o.buyer(), PlacedAt: record.At(o.ProcessedAt), PaidAt: o.paidAt(), State: o.state(),
		Currency: o.CurrencyCode, Touch: o.touch(),
	}
	if o.ShippingAddress != nil {
		r.Country = o.ShippingAddress.CountryCode
	}
	returned := map[string]int64{} // units that a refund names
	for _, f := range o.Refunds {
		for _, l := range f.RefundLineItems.Nodes {
			returned[l.LineItem.ID] += l.Quantity
		}
	}
	sales := map[string]sale{}
	var gross, net, cost, costedNet int64
	costed, allCosted := false, true
	for _, l := range o.LineItems.Nodes {
		if l.SellingPlan != nil {
			r.Recurring = true
		}
		if l.IsGiftCard {
			continue
		}
		// What is neither there nor returned was removed by editing the order.
		kept := l.Quantity - max(l.Quantity-l.CurrentQuantity-returned[l.ID], 0)
		sold := m.sale(l, o, kept)
		sales[l.ID] = sold
		gross, net = m.add(gross, sold.gross), m.add(net, sold.net)
		if !sold.costed {
			allCosted = false
			continue
		}
		costed = true
		cost = m.add(cost, m.times(sold.unitCost, kept))
		costedNet = m.add(costedNet, sold.net)
	}
	r.Gross, r.Discount = record.Micros(gross), record.Micros(m.add(gross, -net))
	if costed {
		r.Cost, r.CostedNet = record.Micros(cost), record.Micros(costedNet)
	}
	if m.err != nil {
		page.Rejected = append(page.Rejected, sources.Rejection{
			Kind: record.KindOrder, ID: o.ID, Reason: "bad amount", Where: o.ID, Detail: m.err.Error(),
		})
	} else {
		page.Records = append(page.Records, r)
	}
	for _, f := range o.Refunds {
		addRefund(f, o, r, sales, allCosted, page)
	}
}

// sale returns what a line contributes, for the units that stayed in the order.
func (s *sum) sale(l line, o *order, kept int64) sale {
	gross := s.read(l.OriginalTotalSet.ShopMoney.Amount, "originalTotalSet")
	net, tax := gross, int64(0)
	for _, d := range l.DiscountAllocations {
		net = s.add(net, -s.read(d.AllocatedAmountSet.ShopMoney.Amount, "discountAllocations"))
	}
	for _, t := range l.TaxLines {
		tax = s.add(tax, s.read(t.PriceSet.ShopMoney.Amount, "taxLines"))
	}
	if o.TaxesIncluded {
		gross, net = s.withoutTax(gross, net, tax, l)
	}
	sold := sale{gross: s.share(gross, kept, l.Quantity), net: s.share(net, kept, l.Quantity)}
	if l.Variant != nil && l.Variant.InventoryItem != nil {
		// A cost in another currency than the order's is of no use: there is no rate for it.
		if c := l.Variant.InventoryItem.UnitCost; c != nil && c.CurrencyCode == o.CurrencyCode {
			sold.unitCost, sold.costed = s.read(c.Amount, "unitCost"), true
		}
	}
	return sold
}

// withoutTax takes the tax out of prices that include it: exactly out of what was
// charged, and in the same share out of the price before discounts.
func (s *sum) withoutTax(gross, net, tax int64, l line) (int64, int64) {
	if net != 0 {
		return s.ratio(gross, big.NewInt(net-tax), big.NewInt(net)), net - tax
	}
	rate := new(big.Rat).SetInt64(1) // of a line that was given away: nothing was charged
	for _, t := range l.TaxLines {
		if d, err := record.ParseDecimal(t.Rate.String()); err == nil {
			rate.Add(rate, d.Rat())
		}
	}
	return s.ratio(gross, rate.Denom(), rate.Num()), 0
}

// addRefund adds a refund of an order: its product part. AllCosted says that the cost of
// all of the order's lines is known, and so the cost behind any adjustment: none.
func addRefund(f *refund, o *order, of *record.Order, sales map[string]sale, allCosted bool, page *sources.Page) {
	m := &sum{rounded: &page.Rounded}
	r := &record.Refund{
		Meta: record.Meta{ID: f.ID}, Order: o.ID, Customer: of.Customer, Country: of.Country,
		At: record.At(f.ProcessedAt), Currency: of.Currency,
	}
	var amount, cost, costedAmount int64
	costed := false
	for _, l := range f.RefundLineItems.Nodes {
		sold, isProduct := sales[l.LineItem.ID]
		if !isProduct {
			continue // a gift card
		}
		part := m.read(l.SubtotalSet.ShopMoney.Amount, "subtotalSet")
		if o.TaxesIncluded {
			part = m.add(part, -m.read(l.TotalTaxSet.ShopMoney.Amount, "totalTaxSet"))
		}
		amount = m.add(amount, part)
		if sold.costed {
			costed = true
			costedAmount = m.add(costedAmount, part)
			if restocked(l.RestockType) {
				cost = m.add(cost, m.times(sold.unitCost, l.Quantity))
			}
		}
	}
	for _, a := range f.OrderAdjustments.Nodes {
		// Above zero where less was paid back than the items are worth, below where more was.
		amount = m.add(amount, -m.read(a.AmountSet.ShopMoney.Amount, "orderAdjustments"))
	}
	r.Amount = record.Micros(amount)
	if allCosted {
		costedAmount = amount
	}
	if costed {
		r.Cost, r.CostedAmount = record.Micros(cost), record.Micros(costedAmount)
	}
	if m.err != nil {
		page.Rejected = append(page.Rejected, sources.Rejection{
			Kind: record.KindRefund, ID: f.ID, Reason: "bad amount", Where: f.ID, Detail: m.err.Error(),
		})
		return
	}
	page.Records = append(page.Records, r)
}

func restocked(kind string) bool {
	return kind == "RETURN" || kind == "CANCEL" || kind == "LEGACY_RESTOCK"
}

// buyer is the company where there is one, else the customer; null for a guest.
func (o *order) buyer() record.Ref {
	if p := o.PurchasingEntity; p != nil && p.Company != nil {
		return record.RefTo(p.Company.ID)
	}
	if o.Customer != nil {
		return record.RefTo(o.Customer.ID)
	}
	return record.Ref{}
}

func (o *order) state() string {
	switch {
	case o.Test:
		return record.StateTest
	case o.CancelledAt != nil, o.DisplayFinancialStatus == "VOIDED":
		return record.StateCancelled
	}
	return record.StateCounted
}

// paidAt is when an order that has been paid in full got its last payment.
func (o *order) paidAt() record.Instant {
	switch o.DisplayFinancialStatus {
	case "PAID", "PARTIALLY_REFUNDED", "REFUNDED":
	default:
		return record.Instant{}
	}
	var last time.Time
	for _, t := range o.Transactions {
		if (t.Kind == "SALE" || t.Kind == "CAPTURE") && t.Status == "SUCCESS" && t.ProcessedAt != nil && t.ProcessedAt.After(last) {
			last = *t.ProcessedAt
		}
	}
	if last.IsZero() {
		last = o.ProcessedAt // nothing to pay, or marked as paid
	}
	return record.At(last)
}
