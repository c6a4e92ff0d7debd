package shopify

import (
	"strconv"
	"time"

	"github.com/shopspring/decimal"
)

// Amounts are decimal numbers in the shop's currency, such as "12.50".

// Order is an order.
type Order struct {
	ID                          int64
	Created, Processed, Updated time.Time // Processed is Created where zero
	Cancelled                   time.Time // zero where it is not
	Test                        bool
	FinancialStatus             string // PAID where empty
	TaxesIncluded               bool
	Customer, Company           int64 // 0 for none
	Country                     string
	Visit                       *Visit // the first visit; nil where none is known
	Lines                       []Line
	Refunds                     []Refund
	Payments                    []time.Time // successful ones
}

// Line is a line of an order.
type Line struct {
	ID        int64
	Quantity  int
	Removed   int    // units that were removed by editing the order
	Price     string // of a unit, before discounts
	Discounts []string
	Taxes     []Tax
	Cost      string // of a unit, at present; empty where unknown
	Custom    bool   // no product of the shop
	GiftCard  bool
	Plan      string // the selling plan of a subscription
}

// Tax is a tax on a line: its amount for all units, and its rate.
type Tax struct{ Amount, Rate string }

// Refund is a refund of an order.
type Refund struct {
	ID    int64
	At    time.Time
	Lines []RefundLine
	// Adjustments are amounts by which less was paid back than the lines are worth.
	Adjustments []string
}

// RefundLine is a line that is given back.
type RefundLine struct {
	Line          int64
	Quantity      int
	Restock       string // NO_RESTOCK where empty
	Subtotal, Tax string
}

// Visit is a visit of the shop.
type Visit struct {
	Source, Tactic              string
	UTM                         bool // whether the visit has the following
	UTMSource, Medium, Campaign string
}

// Customer is a person.
type Customer struct {
	ID               int64
	Created, Updated time.Time
	Email, Country   string // empty for none
	Companies        []int64
}

// Company is a B2B company.
type Company struct {
	ID                      int64
	Created, Updated, Since time.Time // Since is Created where zero
	ExternalID, Country     string    // empty for none
}

// Checkout is a checkout that was abandoned.
type Checkout struct {
	ID                          int64
	Created, Updated, Completed time.Time // Completed is zero where it is not
	Customer                    int64
}

func gid(typ string, id int64) string {
	return "gid://shopify/" + typ + "/" + strconv.FormatInt(id, 10)
}

func instant(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.UTC().Format("2006-01-02T15:04:05Z")
}

func text(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// money is an amount, in the shop's currency and as the buyer saw it.
func (s *Server) money(amount string) object {
	if amount == "" {
		amount = "0.0"
	}
	m := object{{"__typename", "MoneyV2"}, {"amount", amount}, {"currencyCode", s.Currency}}
	return object{{"__typename", "MoneyBag"}, {"shopMoney", m}, {"presentmentMoney", m}}
}

// reference is an object of which only the ID is of interest.
func reference(typ string, id int64) object { return object{{"__typename", typ}, {"id", gid(typ, id)}} }

func (o Order) order(s *Server) object {
	processed := o.Processed
	if processed.IsZero() {
		processed = o.Created
	}
	status := o.FinancialStatus
	if status == "" {
		status = "PAID"
	}
	var customer, buyer, address, journey any
	if o.Customer != 0 {
		customer = s.guarded("read_customers", reference("Customer", o.Customer))
		buyer = customer
	}
	if o.Company != 0 {
		buyer = s.guarded("read_customers", object{{"__typename", "PurchasingCompany"}, {"company", reference("Company", o.Company)}})
	}
	if o.Country != "" {
		address = object{{"__typename", "MailingAddress"}, {"countryCodeV2", o.Country}}
	}
	if o.Visit != nil {
		journey = object{{"__typename", "CustomerJourneySummary"}, {"ready", true}, {"firstVisit", o.Visit.visit()}}
	}
	payments, lines, refunds := make([]object, len(o.Payments)), make([]object, len(o.Lines)), make([]object, len(o.Refunds))
	for i, at := range o.Payments {
		payments[i] = object{{"__typename", "OrderTransaction"}, {"kind", "SALE"}, {"status", "SUCCESS"}, {"processedAt", instant(at)}}
	}
	returned := map[int64]int{}
	for i, r := range o.Refunds {
		for _, l := range r.Lines {
			returned[l.Line] += l.Quantity
		}
		refunds[i] = r.refund(s)
	}
	for i, l := range o.Lines {
		lines[i] = l.line(s, l.Quantity-l.Removed-returned[l.ID])
	}
	return object{
		{"__typename", "Order"},
		{"id", gid("Order", o.ID)},
		{"createdAt", instant(o.Created)},
		{"processedAt", instant(processed)},
		{"updatedAt", instant(o.Updated)},
		{"cancelledAt", instant(o.Cancelled)},
		{"test", o.Test},
		{"displayFinancialStatus", status},
		{"currencyCode", s.Currency},
		{"taxesIncluded", o.TaxesIncluded},
		{"customer", customer},
		{"purchasingEntity", buyer},
		{"shippingAddress", address},
		{"customerJourneySummary", journey},
		{"transactions", payments},
		{"refunds", refunds},
		{"lineItems", inner(lines)},
	}
}

func (l Line) line(s *Server, current int) object {
	discounts, taxes := make([]object, len(l.Discounts)), make([]object, len(l.Taxes))
	for i, d := range l.Discounts {
		discounts[i] = object{{"__typename", "DiscountAllocation"}, {"allocatedAmountSet", s.money(d)}}
	}
	for i, t := range l.Taxes {
		var rate any
		if d, err := decimal.NewFromString(t.Rate); err == nil {
			rate = number(d.String())
		}
		taxes[i] = object{{"__typename", "TaxLine"}, {"rate", rate}, {"priceSet", s.money(t.Amount)}}
	}
	var plan, variant any
	if l.Plan != "" {
		plan = object{{"__typename", "LineItemSellingPlan"}, {"name", l.Plan}}
	}
	if !l.Custom {
		var cost any
		if l.Cost != "" {
			cost = s.guarded("read_inventory", object{{"__typename", "MoneyV2"}, {"amount", l.Cost}, {"currencyCode", s.Currency}})
		}
		variant = object{{"__typename", "ProductVariant"}, {"inventoryItem", object{{"__typename", "InventoryItem"}, {"unitCost", cost}}}}
	}
	total := decimal.RequireFromString(l.Price).Mul(decimal.NewFromInt(int64(l.Quantity)))
	return object{
		{"__typename", "LineItem"},
		{"id", gid("LineItem", l.ID)},
		{"quantity", l.Quantity},
		{"currentQuantity", current},
		{"isGiftCard", l.GiftCard},
		{"sellingPlan", plan},
		{"originalTotalSet", s.money(total.String())},
		{"discountAllocations", discounts},
		{"taxLines", taxes},
		{"variant", variant},
	}
}

func (r Refund) refund(s *Server) object {
	lines, adjustments := make([]object, len(r.Lines)), make([]object, len(r.Adjustments))
	for i, l := range r.Lines {
		restock := l.Restock
		if restock == "" {
			restock = "NO_RESTOCK"
		}
		lines[i] = object{
			{"__typename", "RefundLineItem"},
			{"quantity", l.Quantity},
			{"restockType", restock},
			{"subtotalSet", s.money(l.Subtotal)},
			{"totalTaxSet", s.money(l.Tax)},
			{"lineItem", reference("LineItem", l.Line)},
		}
	}
	for i, a := range r.Adjustments {
		adjustments[i] = object{{"__typename", "OrderAdjustment"}, {"amountSet", s.money(a)}}
	}
	return object{
		{"__typename", "Refund"},
		{"id", gid("Refund", r.ID)},
		{"processedAt", instant(r.At)},
		{"refundLineItems", inner(lines)},
		{"orderAdjustments", inner(adjustments)},
	}
}

func (v *Visit) visit() object {
	var utm any
	if v.UTM {
		utm = object{
			{"__typename", "UTMParameters"}, {"source", text(v.UTMSource)}, {"medium", text(v.Medium)}, {"campaign", text(v.Campaign)},
		}
	}
	return object{{"__typename", "CustomerVisit"}, {"source", v.Source}, {"sourceType", text(v.Tactic)}, {"utmParameters", utm}}
}

func (c Customer) customer() object {
	var email, address any
	if c.Email != "" {
		email = object{{"__typename", "CustomerEmailAddress"}, {"emailAddress", c.Email}}
	}
	if c.Country != "" {
		address = object{{"__typename", "MailingAddress"}, {"countryCodeV2", c.Country}}
	}
	contacts := make([]object, len(c.Companies))
	for i, id := range c.Companies {
		contacts[i] = object{{"__typename", "CompanyContact"}, {"company", reference("Company", id)}}
	}
	return object{
		{"__typename", "Customer"},
		{"id", gid("Customer", c.ID)},
		{"createdAt", instant(c.Created)},
		{"updatedAt", instant(c.Updated)},
		{"defaultEmailAddress", email},
		{"defaultAddress", address},
		{"companyContactProfiles", contacts},
	}
}

func (c Company) company() object {
	since := c.Since
	if since.IsZero() {
		since = c.Created
	}
	var address any
	if c.Country != "" {
		address = object{{"__typename", "CompanyAddress"}, {"countryCode", c.Country}}
	}
	location := object{{"__typename", "CompanyLocation"}, {"billingAddress", nil}, {"shippingAddress", address}}
	return object{
		{"__typename", "Company"},
		{"id", gid("Company", c.ID)},
		{"externalId", text(c.ExternalID)},
		{"createdAt", instant(c.Created)},
		{"updatedAt", instant(c.Updated)},
		{"customerSince", instant(since)},
		{"locations", inner([]object{location})},
	}
}

func (c Checkout) checkout() object {
	var customer any
	if c.Customer != 0 {
		customer = reference("Customer", c.Customer)
	}
	return object{
		{"__typename", "AbandonedCheckout"},
		{"id", gid("AbandonedCheckout", c.ID)},
		{"createdAt", instant(c.Created)},
		{"updatedAt", instant(c.Updated)},
		{"completedAt", instant(c.Completed)},
		{"customer", customer},
	}
}
