package woocommerce

import (
	"encoding/json"
	"time"

	"github.com/shopspring/decimal"
)

// Amounts are decimal numbers without tax, such as "12.50"; empty ones are 0.

// Order is an order.
type Order struct {
	ID              int64
	Status          string // processing where empty
	Created         time.Time
	Modified        time.Time
	Paid, Completed time.Time // zero where it is not
	Currency        string    // the shop's where empty
	Customer        int64     // 0 for a guest
	Company, Email  string    // of the bill
	Billed, Shipped string    // countries
	Via             string    // how it was created, such as checkout
	Lines           []Line
	Shipping        string // cost of shipping
	ShippingTax     string
	Meta            []Meta
	Refunds         []Refund
}

// Line is a product line of an order.
type Line struct {
	ID, Product     int64
	Quantity        int
	Subtotal, Total string // before and after coupons; Total is Subtotal where empty
	Tax             string
	Cost            string // of all units; empty where the shop does not keep costs
	Meta            []Meta
}

// Meta is a field of the shop's or of a plugin; Value is whatever JSON it has.
type Meta struct {
	Key   string
	Value any
}

// Refund is a refund of an order.
type Refund struct {
	ID       int64
	At       time.Time
	Amount   string // with tax
	Reason   string
	Lines    []RefundLine
	Shipping string // the part that was shipping
}

// RefundLine is a line of an order that is given back, in part or whole.
type RefundLine struct {
	ID, Item   int64 // Item is the order's line
	Quantity   int
	Total, Tax string
}

// Customer is a user of the shop.
type Customer struct {
	ID                int64
	Created, Modified time.Time
	Role              string // customer where empty
	Email             string
	Company, Country  string // of the bill
	BillingEmail      string
	Meta              []Meta
}

type object map[string]any

// places renders amounts with as many decimals as a request asks for.
type places int32

func number(text string) decimal.Decimal {
	if text == "" {
		return decimal.Decimal{}
	}
	return decimal.RequireFromString(text)
}

func (p places) text(d decimal.Decimal) string { return d.StringFixed(int32(p)) }

// local and gmt are the two forms of each time; neither tells its zone.
func local(t time.Time, zone *time.Location) any {
	if t.IsZero() {
		return nil
	}
	return t.In(zone).Format("2006-01-02T15:04:05")
}

func gmt(t time.Time) any { return local(t, time.UTC) }

func (s *Server) times(o object, name string, t time.Time) {
	o[name], o[name+"_gmt"] = local(t, s.Zone), gmt(t)
}

func metaData(list []Meta) []object {
	out := make([]object, len(list))
	for i, m := range list {
		out[i] = object{"id": i + 1, "key": m.Key, "value": m.Value}
	}
	return out
}

func address(company, country string) object {
	return object{
		"first_name": "", "last_name": "", "company": company, "address_1": "", "address_2": "", "city": "", "state": "",
		"postcode": "", "country": country, "phone": "",
	}
}

// order renders an order.
func (s *Server) order(o Order, dp places) object {
	sums := map[string]decimal.Decimal{}
	add := func(name, text string) { sums[name] = sums[name].Add(number(text)) }
	lines := make([]object, len(o.Lines))
	for i, l := range o.Lines {
		lines[i] = s.line(l, dp)
		add("net", l.total())
		add("discount", number(l.Subtotal).Sub(number(l.total())).String())
		add("cart_tax", l.Tax)
	}
	add("shipping", o.Shipping)
	add("shipping_tax", o.ShippingTax)
	tax := sums["cart_tax"].Add(sums["shipping_tax"])
	out := object{
		"id": o.ID, "parent_id": 0, "number": decimal.NewFromInt(o.ID).String(), "order_key": "", "created_via": o.Via, "version": "7.9.0",
		"status": o.status(), "currency": s.currency(o), "prices_include_tax": false,
		"discount_total": dp.text(sums["discount"]), "discount_tax": dp.text(decimal.Decimal{}),
		"shipping_total": dp.text(sums["shipping"]), "shipping_tax": dp.text(sums["shipping_tax"]),
		"cart_tax": dp.text(sums["cart_tax"]), "total": dp.text(sums["net"].Add(sums["shipping"]).Add(tax)), "total_tax": dp.text(tax),
		"customer_id": o.Customer, "customer_ip_address": "", "customer_user_agent": "", "customer_note": "",
		"billing": address(o.Company, o.Billed), "shipping": address("", o.Shipped),
		"payment_method": "bacs", "payment_method_title": "", "transaction_id": "", "cart_hash": "",
		"meta_data": metaData(o.Meta), "line_items": lines, "tax_lines": []object{}, "shipping_lines": []object{}, "fee_lines": []object{},
		"coupon_lines": []object{}, "payment_url": "", "is_editable": o.status() == "pending" || o.status() == "on-hold", "needs_payment": o.status() == "pending", "needs_processing": true,
		"currency_symbol": "", "_links": object{},
	}
	out["billing"].(object)["email"] = o.Email
	s.times(out, "date_created", o.Created)
	s.times(out, "date_modified", o.Modified)
	s.times(out, "date_paid", o.Paid)
	s.times(out, "date_completed", o.Completed)
	refunds := make([]object, len(o.Refunds))
	for i, r := range o.Refunds {
		refunds[i] = object{"id": r.ID, "reason": r.Reason, "total": dp.text(number(r.Amount).Neg())}
	}
	out["refunds"] = refunds
	return out
}

func (o Order) status() string {
	if o.Status == "" {
		return "processing"
	}
	return o.Status
}

func (s *Server) currency(o Order) string {
	if o.Currency == "" {
		return s.Currency
	}
	return o.Currency
}

func (l Line) total() string {
	if l.Total == "" {
		return l.Subtotal
	}
	return l.Total
}

func (s *Server) line(l Line, dp places) object {
	price := number(l.total())
	if l.Quantity != 0 {
		price = price.DivRound(decimal.NewFromInt(int64(l.Quantity)), 6)
	}
	out := object{
		"id": l.ID, "name": "", "parent_name": nil, "product_id": l.Product, "variation_id": 0, "quantity": l.Quantity, "tax_class": "",
		"subtotal": dp.text(number(l.Subtotal)), "subtotal_tax": dp.text(number(l.Tax)), "total": dp.text(number(l.total())),
		"total_tax": dp.text(number(l.Tax)), "taxes": []object{}, "meta_data": metaData(l.Meta), "sku": "",
		"price": json.Number(price.String()), "image": object{"id": "", "src": ""},
	}
	if l.Cost != "" {
		out["cost_of_goods_sold"] = object{"total_value": json.Number(l.Cost)}
	}
	return out
}

// refund renders a refund, whose lines are negative.
func (s *Server) refund(r Refund, dp places) object {
	lines, shipping := make([]object, len(r.Lines)), []object{}
	for i, l := range r.Lines {
		line := Line{
			ID: l.ID, Quantity: -l.Quantity, Subtotal: number(l.Total).Neg().String(), Tax: number(l.Tax).Neg().String(),
			Meta: []Meta{{Key: "_refunded_item_id", Value: decimal.NewFromInt(l.Item).String()}},
		}
		lines[i] = s.line(line, dp)
	}
	if r.Shipping != "" {
		shipping = append(shipping, object{"id": r.ID, "method_id": "flat_rate", "total": dp.text(number(r.Shipping).Neg()), "total_tax": dp.text(decimal.Decimal{})})
	}
	out := object{
		"id": r.ID, "amount": dp.text(number(r.Amount)), "reason": r.Reason, "refunded_by": 1, "refunded_payment": false, "meta_data": []object{},
		"line_items": lines, "shipping_lines": shipping, "tax_lines": []object{}, "fee_lines": []object{}, "_links": object{},
	}
	s.times(out, "date_created", r.At)
	return out
}

func (s *Server) customer(c Customer) object {
	out := object{
		"id": c.ID, "email": c.Email, "first_name": "", "last_name": "", "role": c.role(), "username": "", "billing": address(c.Company, c.Country),
		"shipping": address("", ""), "is_paying_customer": false, "avatar_url": "", "meta_data": metaData(c.Meta), "_links": object{},
	}
	out["billing"].(object)["email"] = c.BillingEmail
	s.times(out, "date_created", c.Created)
	s.times(out, "date_modified", c.Modified)
	return out
}

func (c Customer) role() string {
	if c.Role == "" {
		return "customer"
	}
	return c.Role
}
