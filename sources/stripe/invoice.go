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
	Currency    string       `json:"currency"`
	Subtotal    *json.Number `json:"subtotal"`
	Total       *json.Number `json:"total"`
	SubtotalNet *json.Number `json:"subtotal_excluding_tax"`
	TotalNet    *json.Number `json:"total_excluding_tax"`
	Shipping    *json.Number `json:"amount_shipping"`
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

// net returns what the lines cost before discounts and after them, both without tax and
// shipping; nil where the vendor does not tell.
func (a *amounts) net() (before, after *big.Rat, err error) {
	if before, err = first("subtotal", a.SubtotalNet, a.Subtotal); err != nil {
		return nil, nil, err
	}
	if after, err = first("total", a.TotalNet, a.Total); err != nil || after == nil {
		return before, nil, err
	}
	shipping, err := number("amount_shipping", a.Shipping)
	if shipping != nil {
		after.Sub(after, shipping)
	}
	return before, after, err
}

// invoiceRecord makes an order of an invoice; none of a subscription's invoice over nothing,
// such as that of a trial.
func invoiceRecord(o object) (record.Record, int, error) {
	var in invoice
	if err := decode(o, &in); err != nil {
		return nil, 0, err
	}
	before, after, err := in.net()
	if err != nil {
		return nil, 0, err
	}
	recurring := in.Parent != nil && in.Parent.Type == "subscription_details"
	if recurring && before != nil && before.Sign() == 0 {
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
	total := 0
	if before != nil {
		if r.Gross, total, err = counted(before, in.Currency); err != nil {
			return nil, 0, err
		}
	}
	if before != nil && after != nil {
		rounded := 0
		if r.Discount, rounded, err = counted(before.Sub(before, after), in.Currency); err != nil {
			return nil, 0, err
		}
		total += rounded
	}
	return r, total, nil
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
	_, after, err := note.net()
	if after == nil || err != nil {
		return r, 0, err
	}
	rounded := 0
	r.Amount, rounded, err = counted(after, note.Currency)
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
