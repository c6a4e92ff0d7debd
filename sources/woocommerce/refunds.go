package woocommerce

import (
	"context"
	"encoding/json"
	"fmt"
	"math/big"
	"net/url"
	"slices"
	"strconv"

	"github.com/b2bexporter/b2b_exporter/internal/record"
	"github.com/b2bexporter/b2b_exporter/sources"
	"github.com/b2bexporter/b2b_exporter/sources/internal/apiclient"
)

// refunds returns the refunds of an order, the oldest first: the order itself has neither their
// times nor their lines. Those that cannot be read are rejected in page.
func (s *Source) refunds(ctx context.Context, id int64, page *sources.Page) ([]refund, error) {
	path := pathOrders + "/" + idText(id) + "/refunds"
	var all []refund
	for offset, last := 0, int64(0); ; offset += maxPageSize {
		var list []json.RawMessage
		_, err := s.client.JSON(ctx, apiclient.Request{Path: path, Query: url.Values{
			"orderby": {"id"}, "order": {"asc"}, "per_page": {strconv.Itoa(maxPageSize)}, "offset": {strconv.Itoa(offset)},
			"dp": {decimals}, "_fields": {refundFields},
		}}, &list)
		if err != nil {
			return nil, fmt.Errorf("read the refunds of order %d: %w", id, err)
		}
		for _, raw := range list {
			var at stamp
			if err := json.Unmarshal(raw, &at); err != nil || at.ID <= last {
				return nil, &apiclient.FormatError{Endpoint: "GET " + path, Detail: "the list is not sorted by ID, as it was asked for"}
			}
			last = at.ID
			var f refund
			if err := json.Unmarshal(raw, &f); err != nil {
				page.Rejected = append(page.Rejected, rejection(record.KindRefund, at.ID, "bad answer", err))
				continue
			}
			all = append(all, f)
		}
		if len(list) < maxPageSize {
			return all, nil
		}
	}
}

// addRefund adds a refund: its product part without tax. Refunds are to be added in the order in
// which they were made.
func (s *sale) addRefund(f refund, page *sources.Page) {
	in := &reader{rounded: &page.Rounded}
	r := &record.Refund{
		Meta: record.Meta{ID: idText(f.ID)}, Order: s.ID, Customer: s.Customer, Country: s.Country, Currency: s.Currency,
		At: in.moment(f.Created, "date_created_gmt"),
	}
	amount, cost, costedAmount := new(big.Rat), new(big.Rat), new(big.Rat)
	for _, l := range f.Lines {
		part := new(big.Rat).Neg(in.amount(l.Total, "line_items.total"))
		amount.Add(amount, part)
		item, ok := s.item(l)
		if !ok || item.cost == nil {
			continue
		}
		costedAmount.Add(costedAmount, part)
		units := in.quantity(l.Quantity.String(), "line_items.quantity")
		back := smaller(units.Abs(units), item.restocked)
		if item.quantity.Sign() > 0 {
			share := new(big.Rat).Quo(back, item.quantity)
			cost.Add(cost, share.Mul(share, item.cost))
		}
		item.restocked.Sub(item.restocked, back)
	}
	paid := in.amount(f.Amount, "amount")
	if f.unspecified(in) {
		amount = s.share(paid)
		if s.soldNet.Sign() != 0 {
			costedAmount.Quo(new(big.Rat).Mul(amount, s.costNet), s.soldNet)
		}
	}
	s.net.Sub(s.net, amount)
	s.total.Sub(s.total, paid)
	r.Amount = in.micros(amount)
	if !s.Cost.IsNull() {
		r.Cost, r.CostedAmount = in.micros(cost), in.micros(costedAmount)
	}
	if in.err != nil {
		page.Rejected = append(page.Rejected, rejection(record.KindRefund, f.ID, in.reason, in.err))
		return
	}
	page.Records = append(page.Records, r)
}

// item returns the order's line that a refund's line is about.
func (s *sale) item(l line) (sold, bool) {
	id, err := strconv.ParseInt(l.Meta.text("_refunded_item_id"), 10, 64)
	item, ok := s.lines[id]
	return item, ok && err == nil
}

// unspecified says whether a refund names an amount and not what it is for: so do those that are
// made by setting an order's status to refunded.
func (f refund) unspecified(in *reader) bool {
	for _, l := range slices.Concat(f.Lines, f.Shipping, f.Fees) {
		if in.amount(l.Total, "total").Sign() != 0 || l.TotalTax != "" && in.amount(l.TotalTax, "total_tax").Sign() != 0 {
			return false
		}
	}
	return true
}

// share returns the product part of an amount that was paid back without saying what for: the
// share that products have in what is left of the order.
func (s *sale) share(paid *big.Rat) *big.Rat {
	if s.total.Sign() <= 0 || s.net.Sign() <= 0 {
		return new(big.Rat)
	}
	part := new(big.Rat).Quo(s.net, s.total)
	return smaller(part.Mul(part, paid), s.net)
}
