package woocommerce

import (
	"context"
	"encoding/json"
	"math/big"
	"strings"

	"github.com/b2bexporter/b2b_exporter/internal/record"
	"github.com/b2bexporter/b2b_exporter/sources"
)

// rejection is the rejection of a record of the shop.
func rejection(kind record.Kind, id int64, reason string, err error) sources.Rejection {
	return sources.Rejection{
		Kind: kind, ID: idText(id), Reason: reason, Where: string(kind) + " " + idText(id), Detail: err.Error(),
	}
}

// unreadable adds the rejection of a record whose form is not the expected one; what it lists as
// its refunds stays, too.
func unreadable(kind record.Kind, raw json.RawMessage, reason error, page *sources.Page) {
	var known struct {
		stamp
		Refunds []stamp `json:"refunds"`
	}
	// What lists records has read their IDs already; refunds that cannot be read have none.
	_ = json.Unmarshal(raw, &known)
	page.Rejected = append(page.Rejected, rejection(kind, known.ID, "bad answer", reason))
	for _, f := range known.Refunds {
		page.Rejected = append(page.Rejected, rejection(record.KindRefund, f.ID, "bad order", reason))
	}
}

// addOrder adds an order and its refunds to a page.
func (s *Source) addOrder(ctx context.Context, raw json.RawMessage, page *sources.Page) error {
	var o order
	if err := json.Unmarshal(raw, &o); err != nil {
		unreadable(record.KindOrder, raw, err, page)
		return nil
	}
	var refunds []refund
	if len(o.Refunds) > 0 {
		var err error
		refunds, err = s.refunds(ctx, o.ID, page)
		if gone(err) {
			return nil // deleted since it was listed
		}
		if err != nil {
			return err
		}
	}
	s.mapOrder(&o, refunds, page)
	return nil
}

// sold is what is known of a line of an order, in millionths. What refunds take of it is
// taken off again.
type sold struct {
	quantity, cost *big.Rat // of the line as it was sold; cost is nil where it is unknown
	restocked      *big.Rat // units that went back and that no refund has accounted for yet
}

// sale is an order as its refunds need it.
type sale struct {
	*record.Order
	lines map[int64]sold
	// net and total are what refunds have left: the product lines without tax, and everything with
	// tax. costedNet is the share of the net whose cost is known, as it was sold.
	net, total       *big.Rat
	soldNet, costNet *big.Rat
}

// mapOrder adds the records of an order.
func (s *Source) mapOrder(o *order, refunds []refund, page *sources.Page) {
	in := &reader{rounded: &page.Rounded}
	r := &record.Order{
		Meta: record.Meta{ID: idText(o.ID)}, Customer: s.buyer(o), State: s.state(o.Status), Currency: strings.ToUpper(o.Currency),
		PlacedAt: in.moment(o.Created, "date_created_gmt"), PaidAt: in.moment(o.Paid, "date_paid_gmt"),
		Country: o.Shipping.Country, Touch: o.touch(), Recurring: o.CreatedVia == "subscription" || o.Meta.has("_subscription_renewal"),
	}
	if r.Country == "" {
		r.Country = o.Billing.Country
	}
	whole := &sale{Order: r, lines: map[int64]sold{}, costNet: new(big.Rat)}
	gross, net, cost := new(big.Rat), new(big.Rat), new(big.Rat)
	costed := false
	for _, l := range o.Lines {
		total := in.amount(l.Total, "line_items.total")
		gross.Add(gross, in.amount(l.Subtotal, "line_items.subtotal"))
		net.Add(net, total)
		item := sold{quantity: in.quantity(l.Quantity.String(), "line_items.quantity"), restocked: new(big.Rat)}
		if text := l.Meta.text("_restock_refunded_items"); text != "" {
			item.restocked = in.quantity(text, "_restock_refunded_items")
		}
		if item.cost = s.cost(in, o, l, item.quantity); item.cost != nil {
			costed = true
			cost.Add(cost, item.cost)
			whole.costNet.Add(whole.costNet, total)
		}
		whole.lines[l.ID] = item
	}
	r.Gross, r.Discount = in.micros(gross), in.micros(new(big.Rat).Sub(gross, net))
	if costed {
		r.Cost, r.CostedNet = in.micros(cost), in.micros(whole.costNet)
	}
	if len(refunds) > 0 {
		whole.soldNet, whole.net = net, new(big.Rat).Set(net)
		whole.total = in.amount(o.Total, "total")
	}
	if in.err != nil {
		page.Rejected = append(page.Rejected, rejection(record.KindOrder, o.ID, in.reason, in.err))
		for _, f := range refunds { // their product parts depend on the order's
			page.Rejected = append(page.Rejected, rejection(record.KindRefund, f.ID, "bad order", in.err))
		}
		return
	}
	page.Records = append(page.Records, r)
	for _, f := range refunds {
		whole.addRefund(f, page)
	}
}

// buyer is the account; of a guest the address of the bill, where that is wanted.
func (s *Source) buyer(o *order) record.Ref {
	if o.Customer != 0 {
		return record.RefTo(idText(o.Customer))
	}
	if email := strings.ToLower(strings.TrimSpace(o.Billing.Email)); s.options.Guests == guestsEmail && strings.Contains(email, "@") {
		return record.RefTo(email)
	}
	return record.Ref{}
}

// state maps a status (docs/sources/woocommerce.md, "Statuses").
func (s *Source) state(status string) string {
	if state, ok := s.options.Statuses[status]; ok {
		return state
	}
	switch status {
	case "cancelled", "failed", "trash":
		return record.StateCancelled
	case "checkout-draft", "auto-draft", "draft":
		return record.StateDraft
	}
	return record.StateCounted
}

// cost returns the cost of all units of a line; nil where it is unknown.
func (s *Source) cost(in *reader, o *order, l line, quantity *big.Rat) *big.Rat {
	if s.options.CostCurrency != "" && !strings.EqualFold(s.options.CostCurrency, o.Currency) {
		return nil
	}
	if l.Cost != nil {
		text := l.Cost.Total.String()
		if text == "" {
			text = l.Cost.Value.String()
		}
		// The shop says 0 of products without a cost.
		if cost := in.amount(text, "line_items.cost_of_goods_sold"); cost.Sign() != 0 {
			return cost
		}
	}
	if text := l.Meta.text(s.options.CostMeta); text != "" {
		return in.amount(text, s.options.CostMeta)
	}
	if text := l.Meta.text(s.options.UnitCostMeta); text != "" {
		return new(big.Rat).Mul(in.amount(text, s.options.UnitCostMeta), quantity)
	}
	return nil
}
