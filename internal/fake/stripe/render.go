package stripe

import (
	"encoding/json"
	"slices"
	"strings"
	"time"
)

type object = map[string]any

// expansion says which fields are objects instead of IDs, by their paths.
type expansion []string

func (x expansion) has(path string) bool {
	return slices.ContainsFunc(x, func(p string) bool { return p == path || strings.HasPrefix(p, path+".") })
}

// below returns the paths below a field.
func (x expansion) below(field string) expansion {
	var list expansion
	for _, p := range x {
		if rest, ok := strings.CutPrefix(p, field+"."); ok {
			list = append(list, rest)
		}
	}
	return list
}

// expandable returns the fields of a type that can be expanded.
func expandable(kind string) []string {
	switch kind {
	case typeSubscription:
		return []string{"customer", "discounts", "discounts.source.coupon", "items.data.discounts"}
	case typePrice:
		return []string{"tiers", "currency_options"}
	case typeCoupon:
		return []string{"applies_to", "currency_options"}
	}
	return nil
}

func stamp(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.Unix()
}

// decimal returns a number as it is written, or null.
func decimal(text string) any {
	if text == "" {
		return nil
	}
	return json.Number(text)
}

func text(s string) any {
	if s == "" {
		return nil
	}
	return s
}

func all(data []any, url string) object {
	return object{"object": "list", "data": data, "has_more": false, "url": url}
}

// render returns an object as the vendor writes it.
func (s *Server) render(kind string, e *entry, x expansion) object {
	o := object{}
	switch v := e.value.(type) {
	case Customer:
		o = s.customer(v)
	case Price:
		o = price(v, x)
	case Coupon:
		o = s.coupon(e.id, x)
	case Subscription:
		o = s.subscription(v, x)
	case Schedule:
		o = s.schedule(v)
	case Invoice:
		o = invoice(v, e.created)
	case CreditNote:
		o = creditNote(v)
	case object:
		o = object{"type": v["type"], "data": v["data"], "api_version": Version, "pending_webhooks": 0, "request": nil}
	}
	o["id"], o["object"], o["created"], o["livemode"] = e.id, kind, e.created.Unix(), !s.Test
	return o
}

func (s *Server) customer(c Customer) object {
	metadata := object{}
	for name, value := range c.Metadata {
		metadata[name] = value
	}
	o := object{"email": text(c.Email), "name": text(c.Name), "metadata": metadata, "address": nil, "discount": nil}
	if c.Country != "" {
		o["address"] = object{"country": c.Country, "city": nil, "line1": nil, "line2": nil, "postal_code": nil, "state": nil}
	}
	if c.Discount != nil {
		o["discount"] = s.discount(*c.Discount, nil)
	}
	return o
}

// whole returns a decimal that has no fraction as an integer, and null for others.
func whole(text string) any {
	if text == "" || strings.Contains(text, ".") {
		return nil
	}
	return json.Number(text)
}

func price(p Price, x expansion) object {
	usage := "licensed"
	if p.Metered {
		usage = "metered"
	}
	o := object{
		"active": true, "currency": p.Currency, "metadata": object{}, "product": p.Product, "type": "recurring", "billing_scheme": "per_unit",
		"unit_amount": whole(p.UnitAmount), "unit_amount_decimal": text(p.UnitAmount), "tiers_mode": nil, "transform_quantity": nil,
		"recurring": object{"interval": p.Interval, "interval_count": max(p.IntervalCount, 1), "usage_type": usage, "meter": nil},
	}
	if p.DivideBy > 0 {
		round := "down"
		if p.RoundUp {
			round = "up"
		}
		o["transform_quantity"] = object{"divide_by": p.DivideBy, "round": round}
	}
	if len(p.Tiers) > 0 {
		o["billing_scheme"], o["tiers_mode"] = "tiered", "graduated"
		if p.Volume {
			o["tiers_mode"] = "volume"
		}
		if x.has("tiers") {
			o["tiers"] = tiers(p.Tiers)
		}
	}
	if x.has("currency_options") {
		options := object{}
		for currency, unit := range p.Options {
			options[currency] = object{"unit_amount": whole(unit), "unit_amount_decimal": text(unit), "custom_unit_amount": nil, "tax_behavior": nil}
		}
		o["currency_options"] = options
	}
	return o
}

func tiers(list []Tier) []any {
	var data []any
	for _, t := range list {
		o := object{
			"up_to": nil, "unit_amount": whole(t.Unit), "unit_amount_decimal": text(t.Unit),
			"flat_amount": whole(t.Flat), "flat_amount_decimal": text(t.Flat),
		}
		if t.UpTo > 0 {
			o["up_to"] = t.UpTo
		}
		data = append(data, o)
	}
	return data
}

func (s *Server) coupon(id string, x expansion) object {
	e := s.objects[typeCoupon][id]
	if e == nil {
		e = s.kept[id]
	}
	if e == nil {
		return nil
	}
	c := e.value.(Coupon)
	duration, months := "forever", any(nil)
	switch {
	case c.Once:
		duration = "once"
	case c.Months > 0:
		duration, months = "repeating", c.Months
	}
	o := object{
		"id": id, "object": typeCoupon, "created": e.created.Unix(), "livemode": !s.Test, "times_redeemed": 0, "valid": true,
		"duration": duration, "duration_in_months": months, "percent_off": decimal(c.PercentOff), "amount_off": nil, "currency": text(c.Currency),
	}
	if c.AmountOff > 0 {
		o["amount_off"] = c.AmountOff
	}
	if x.has("applies_to") && len(c.Products) > 0 {
		o["applies_to"] = object{"products": c.Products}
	}
	if x.has("currency_options") {
		o["currency_options"] = object{}
	}
	return o
}

func (s *Server) discount(d Discount, x expansion) object {
	source := object{"type": "coupon", "coupon": d.Coupon}
	if x.has("source.coupon") {
		if c := s.coupon(d.Coupon, nil); c != nil {
			source["coupon"] = c
		}
	}
	return object{
		"id": d.ID, "object": "discount", "start": d.Start.Unix(), "end": stamp(d.End), "source": source, "customer": text(d.Customer),
		"subscription": text(d.Subscription), "checkout_session": nil, "invoice": nil, "invoice_item": nil, "promotion_code": nil,
	}
}

func (s *Server) discounts(list []Discount, x expansion) []any {
	data := []any{}
	for _, d := range list {
		if x.has("discounts") {
			data = append(data, s.discount(d, x.below("discounts")))
		} else {
			data = append(data, d.ID)
		}
	}
	return data
}

// mostItems is how many items a subscription holds itself.
const mostItems = 20

func (s *Server) subscription(sub Subscription, x expansion) object {
	start, end := sub.PeriodStart, sub.PeriodEnd
	if start.IsZero() {
		start = sub.Start
	}
	if end.IsZero() {
		end = start.AddDate(0, 1, 0)
	}
	items := []any{}
	for _, it := range sub.Items {
		p := object{"id": it.Price, "object": typePrice}
		if e := s.objects[typePrice][it.Price]; e != nil {
			p = s.render(typePrice, e, nil)
		}
		o := object{
			"id": it.ID, "object": "subscription_item", "created": sub.Start.Unix(), "subscription": sub.ID, "metadata": object{}, "price": p,
			"quantity": it.Quantity, "current_period_start": start.Unix(), "current_period_end": end.Unix(),
			"discounts": s.discounts(it.Discounts, x.below("items.data")), "tax_rates": taxRates(it.InclusiveTax),
		}
		if e := s.objects[typePrice][it.Price]; e != nil && e.value.(Price).Metered {
			delete(o, "quantity")
		}
		items = append(items, o)
	}
	o := object{
		"status": sub.Status, "currency": sub.Currency, "customer": sub.Customer, "start_date": sub.Start.Unix(),
		"trial_start": stamp(sub.TrialStart), "trial_end": stamp(sub.TrialEnd), "cancel_at": stamp(sub.CancelAt),
		"cancel_at_period_end": sub.CancelAtPeriodEnd, "canceled_at": stamp(sub.CanceledAt), "ended_at": stamp(sub.EndedAt),
		"pause_collection": nil, "discounts": s.discounts(sub.Discounts, x), "items": all(items, "/v1/subscription_items?subscription="+sub.ID),
		"metadata": object{}, "automatic_tax": object{"enabled": false}, "billing_cycle_anchor": sub.Start.Unix(),
		"billing_mode": object{"type": "flexible"}, "billing_schedules": []any{}, "collection_method": "send_invoice",
		"invoice_settings": object{"issuer": object{"type": "self"}}, "default_tax_rates": []any{},
	}
	if p := sub.Pause; p != nil {
		o["pause_collection"] = object{"behavior": p.Behavior, "resumes_at": stamp(p.ResumesAt)}
	}
	for _, e := range s.list(typeSchedule) {
		if sched := e.value.(Schedule); sched.Subscription == sub.ID && (sched.Status == "" || sched.Status == "active") {
			o["schedule"] = e.id
		}
	}
	if x.has("customer") {
		o["customer"] = object{"id": sub.Customer, "object": typeCustomer, "deleted": true}
		if e := s.objects[typeCustomer][sub.Customer]; e != nil {
			o["customer"] = s.render(typeCustomer, e, nil)
		}
	}
	if held := o["items"].(object); len(items) > mostItems && !slices.Contains(x, "items") {
		held["data"], held["has_more"] = items[:mostItems], true
	}
	return o
}

func taxRates(percent string) []any {
	if percent == "" {
		return []any{}
	}
	return []any{object{
		"id": "txr_inclusive", "object": "tax_rate", "active": true, "created": 0, "display_name": "VAT", "inclusive": true,
		"livemode": true, "percentage": json.Number(percent),
	}}
}

func (s *Server) schedule(sched Schedule) object {
	o := object{
		"status": sched.Status, "customer": sched.Customer, "subscription": sched.Subscription, "released_subscription": nil,
		"end_behavior": sched.EndBehavior, "canceled_at": nil, "completed_at": nil, "released_at": stamp(sched.ReleasedAt), "current_phase": nil,
		"billing_mode": object{"type": "flexible"}, "metadata": object{},
		"default_settings": object{
			"billing_cycle_anchor": "automatic", "invoice_settings": object{"issuer": object{"type": "self"}},
		},
	}
	if sched.Status == "" {
		o["status"] = "active"
	}
	if sched.EndBehavior == "" {
		o["end_behavior"] = "release"
	}
	if sched.Status == "released" {
		o["subscription"], o["released_subscription"] = nil, sched.Subscription
	}
	phases := []any{}
	for _, p := range sched.Phases {
		items := []any{}
		for _, it := range p.Items {
			items = append(items, object{
				"price": it.Price, "quantity": it.Quantity, "discounts": []any{}, "metadata": object{}, "tax_rates": taxRates(it.InclusiveTax),
			})
		}
		discounts, currency := []any{}, "eur"
		for _, id := range p.Coupons {
			discounts = append(discounts, object{"coupon": id, "discount": nil, "promotion_code": nil})
		}
		if e := s.objects[typeSubscription][sched.Subscription]; e != nil {
			currency = e.value.(Subscription).Currency
		}
		phases = append(phases, object{
			"start_date": p.Start.Unix(), "end_date": p.End.Unix(), "trial": p.Trial, "trial_end": stamp(p.TrialEnd), "items": items,
			"discounts": discounts, "currency": currency, "add_invoice_items": []any{}, "proration_behavior": "create_prorations", "default_tax_rates": []any{}, "metadata": object{},
		})
		if now := s.now(); !now.Before(p.Start) && now.Before(p.End) && o["status"] == "active" {
			o["current_phase"] = object{"start_date": p.Start.Unix(), "end_date": p.End.Unix()}
		}
	}
	o["phases"] = phases
	return o
}

func invoice(in Invoice, created time.Time) object {
	total := in.Subtotal - in.Discount + in.Shipping
	discounts := []any{}
	if in.ItemDiscount != 0 {
		discounts = append(discounts, object{"amount": in.ItemDiscount, "discount": "di_item"})
	}
	if in.Discount != 0 {
		discounts = append(discounts, object{"amount": in.Discount, "discount": "di_invoice"})
	}
	o := object{
		"status": in.Status, "customer": in.Customer, "currency": in.Currency, "subtotal": in.Subtotal, "subtotal_excluding_tax": in.Subtotal,
		"total": total + in.Tax, "total_excluding_tax": total, "amount_due": total + in.Tax, "amount_overpaid": 0, "amount_paid": 0,
		"amount_paid_off_stripe": 0, "amount_remaining": total + in.Tax, "amount_shipping": in.Shipping, "attempt_count": 0, "attempted": false,
		"auto_advance": false, "automatic_tax": object{"enabled": false, "disabled_reason": nil, "liability": nil, "provider": nil, "status": nil},
		"collection_method": "send_invoice", "default_tax_rates": []any{}, "discounts": []any{}, "issuer": object{"type": "self"},
		"lines": all([]any{}, "/v1/invoices/"+in.ID+"/lines"), "payment_settings": object{
			"default_mandate": nil, "payment_method_options": nil, "payment_method_types": nil,
		},
		"period_start": created.Unix(), "period_end": created.Unix(), "post_payment_credit_notes_amount": 0, "pre_payment_credit_notes_amount": 0,
		"total_discount_amounts": discounts, "starting_balance": 0, "metadata": object{}, "parent": nil, "customer_address": nil, "status_transitions": object{
			"finalized_at": stamp(in.FinalizedAt), "paid_at": stamp(in.PaidAt), "marked_uncollectible_at": nil, "voided_at": nil,
		},
	}
	if in.Country != "" {
		o["customer_address"] = object{"country": in.Country, "city": nil, "line1": nil, "line2": nil, "postal_code": nil, "state": nil}
	}
	if in.Subscription != "" {
		o["parent"] = object{
			"type": "subscription_details", "quote_details": nil,
			"subscription_details": object{"subscription": in.Subscription, "metadata": nil},
		}
	}
	return o
}

func creditNote(n CreditNote) object {
	status := "issued"
	if n.Void {
		status = "void"
	}
	return object{
		"customer": n.Customer, "invoice": n.Invoice, "currency": n.Currency, "amount": n.Amount + n.Tax, "amount_shipping": 0,
		"discount_amount": 0, "discount_amounts": []any{}, "lines": all([]any{}, "/v1/credit_notes/"+n.ID+"/lines"), "number": n.ID,
		"pdf": "https://pay.stripe.com/credit_notes/" + n.ID, "post_payment_amount": n.Amount + n.Tax, "pre_payment_amount": 0,
		"pretax_credit_amounts": []any{}, "refunds": []any{}, "status": status, "subtotal": n.Amount, "subtotal_excluding_tax": n.Amount,
		"total": n.Amount + n.Tax, "total_excluding_tax": n.Amount, "type": "post_payment",
	}
}
