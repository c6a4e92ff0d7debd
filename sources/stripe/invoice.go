package stripe

import (
	"encoding/json"
	"math/big"
	"strings"

	"github.com/b2bexporter/b2b_exporter/internal/record"
)

// amounts are those of invoices and credit notes: with and without tax, the latter null where
// the vendor has not worked it out.
type amounts struct {
	Currency string       `json:"currency"`
	Total    *json.Number `json:"total"`
	TotalNet *json.Number `json:"total_excluding_tax"`
	Shipping *json.Number `json:"amount_shipping"`
}

type invoice struct {
	ID       string              `json:"id"`
	Status   string              `json:"status"`
	Livemode bool                `json:"livemode"`
	Created  int64               `json:"created"`
	Customer reference[struct{}] `json:"customer"`
	Address  *struct {
		Country string `json:"country"`
	} `json:"customer_address"`
	Parent *struct {
		Type string `json:"type"`
	} `json:"parent"`
	Transitions struct {
		FinalizedAt int64 `json:"finalized_at"`
		PaidAt      int64 `json:"paid_at"`
	} `json:"status_transitions"`
	// Subtotal and SubtotalNet, with and without tax that prices include, are after the
	// discounts of items and before those of the invoice. Discounts are both.
	Subtotal    *json.Number `json:"subtotal"`
	SubtotalNet *json.Number `json:"subtotal_excluding_tax"`
	Discounts   []struct {
		Amount *json.Number `json:"amount"`
	} `json:"total_discount_amounts"`
	amounts
}

type creditNote struct {
	ID       string              `json:"id"`
	Status   string              `json:"status"`
	Created  int64               `json:"created"`
	Customer reference[struct{}] `json:"customer"`
	Invoice  reference[struct{}] `json:"invoice"`
	amounts
}

// net returns what the lines cost after discounts, without tax and shipping; nil where the
// vendor does not tell.
func (a *amounts) net() (*big.Rat, error) {
	total, err := first("total", a.TotalNet, a.Total)
	if total == nil || err != nil {
		return nil, err
	}
	shipping, err := number("amount_shipping", a.Shipping)
	if shipping != nil {
		total.Sub(total, shipping)
	}
	return total, err
}

// money returns what the lines cost before discounts and what discounts take off, both without
// tax and shipping; nil where the vendor does not tell.
func (in *invoice) money() (gross, discount *big.Rat, err error) {
	net, err := in.net()
	if net == nil || err != nil {
		return nil, nil, err
	}
	if discount, err = in.discount(net); discount == nil || err != nil {
		return nil, nil, err
	}
	return net.Add(net, discount), discount, nil
}

// discount returns what discounts of the items and of the invoice take off, down to net.
func (in *invoice) discount(net *big.Rat) (*big.Rat, error) {
	subtotal, err := number("subtotal", in.Subtotal)
	if subtotal == nil || err != nil {
		return nil, err
	}
	withoutTax, err := first("subtotal_excluding_tax", in.SubtotalNet, in.Subtotal)
	if err != nil {
		return nil, err
	}
	if in.Discounts == nil {
		return withoutTax.Sub(withoutTax, net), nil
	}
	// The subtotals do not show what items are reduced by, which is off them already.
	sum := new(big.Rat)
	for _, d := range in.Discounts {
		amount, err := number("total_discount_amounts", d.Amount)
		if amount == nil || err != nil {
			return nil, err
		}
		sum.Add(sum, amount)
	}
	// Tax on top is in neither subtotal: they differ by the tax that prices, and with them
	// discounts, include. Where lines of several rates almost cancel out, they do not tell the rate.
	if subtotal.Sign() != 0 {
		if share := withoutTax.Quo(withoutTax, subtotal); share.Sign() > 0 && share.Cmp(big.NewRat(1, 1)) < 0 {
			sum.Mul(sum, share)
		}
	}
	return sum, nil
}

// invoiceRecord makes an order of an invoice; none of a subscription's invoice over nothing,
// such as that of a trial.
func invoiceRecord(o object) (record.Record, int, error) {
	var in invoice
	if err := decode(o, &in); err != nil {
		return nil, 0, err
	}
	gross, discount, err := in.money()
	if err != nil {
		return nil, 0, err
	}
	recurring := in.Parent != nil && in.Parent.Type == "subscription_details"
	if recurring && gross != nil && gross.Sign() == 0 {
		return nil, 0, nil
	}
	r := &record.Order{
		Meta: record.Meta{ID: in.ID}, Customer: record.RefTo(in.Customer.ID), State: in.state(), Recurring: recurring,
		PlacedAt: moment(in.Transitions.FinalizedAt), PaidAt: moment(in.Transitions.PaidAt), Currency: strings.ToUpper(in.Currency),
	}
	if r.PlacedAt.IsNull() {
		r.PlacedAt = moment(in.Created)
	}
	if in.Address != nil {
		r.Country = strings.ToUpper(in.Address.Country)
	}
	if gross == nil {
		return r, 0, nil
	}
	var rounded, more int
	if r.Gross, rounded, err = counted(gross, in.Currency); err != nil {
		return nil, 0, err
	}
	r.Discount, more, err = counted(discount, in.Currency)
	return r, rounded + more, err
}

func (in *invoice) state() string {
	switch {
	case !in.Livemode:
		return record.StateTest
	case in.Status == "draft":
		return record.StateDraft
	case in.Status == "void":
		return record.StateCancelled
	}
	return record.StateCounted
}

// creditRecord makes a refund of a credit note; a voided one is none any more.
func creditRecord(o object) (record.Record, int, error) {
	var note creditNote
	if err := decode(o, &note); err != nil {
		return nil, 0, err
	}
	if note.Status == "void" {
		return record.Tombstone(record.KindRefund, note.ID), 0, nil
	}
	r := &record.Refund{
		Meta: record.Meta{ID: note.ID}, Order: note.Invoice.ID, Customer: record.RefTo(note.Customer.ID),
		At: moment(note.Created), Currency: strings.ToUpper(note.Currency),
	}
	net, err := note.net()
	if net == nil || err != nil {
		return r, 0, err
	}
	rounded := 0
	r.Amount, rounded, err = counted(net, note.Currency)
	return r, rounded, err
}

// counted is micros with the number of amounts that were rounded.
func counted(minor *big.Rat, currency string) (record.Amount, int, error) {
	a, rounded, err := micros(minor, currency)
	if rounded {
		return a, 1, err
	}
	return a, 0, err
}
