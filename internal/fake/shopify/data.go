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

func (s *Server) money(amount string) object {
	if amount == "" {
		amount = "0.0"
	}
	m := object{"__typename": "MoneyV2", "amount": amount, "currencyCode": s.Currency}
	return object{"__typename": "MoneyBag", "shopMoney": m, "presentmentMoney": m}
}

func (o Order) order(s *Server) object {
	processed := o.Processed
	if processed.IsZero() {
		processed = o.Created
	}
	status := o.FinancialStatus
	if status == "" {
		status = "PAID"
	}
	v := object{
		"__typename": "Order", "id": gid("Order", o.ID), "createdAt": instant(o.Created), "processedAt": instant(processed),
		"updatedAt": instant(o.Updated), "cancelledAt": instant(o.Cancelled), "test": o.Test,
		"displayFinancialStatus": status, "currencyCode": s.Currency, "taxesIncluded": o.TaxesIncluded,
		"customer": nil, "purchasingEntity": nil, "shippingAddress": nil, "customerJourneySummary": nil,
	}
	if o.Customer != 0 {
		c := object{"__typename": "Customer", "id": gid("Customer", o.Customer)}
		v["customer"], v["purchasingEntity"] = s.guarded("read_customers", c), s.guarded("read_customers", c)
	}
	if o.Company != 0 {
		v["purchasingEntity"] = s.guarded("read_customers", object{
			"__typename": "PurchasingCompany", "company": object{"__typename": "Company", "id": gid("Company", o.Company)},
		})
	}
	if o.Country != "" {
		v["shippingAddress"] = object{"__typename": "MailingAddress", "countryCodeV2": o.Country}
	}
	if o.Visit != nil {
		v["customerJourneySummary"] = object{"__typename": "CustomerJourneySummary", "ready": true, "firstVisit": o.Visit.visit()}
	}
	var payments, lines, refunds []object
	for _, at := range o.Payments {
		payments = append(payments, object{"__typename": "OrderTransaction", "kind": "SALE", "status": "SUCCESS", "processedAt": instant(at)})
	}
	returned := map[int64]int{}
	for _, r := range o.Refunds {
		for _, l := range r.Lines {
			returned[l.Line] += l.Quantity
		}
		refunds = append(refunds, r.refund(s))
	}
	for _, l := range o.Lines {
		lines = append(lines, l.line(s, l.Quantity-l.Removed-returned[l.ID]))
	}
	v["transactions"], v["refunds"], v["lineItems"] = list(payments), list(refunds), inner(lines)
	return v
}

func (l Line) line(s *Server, current int) object {
	var discounts, taxes []object
	for _, d := range l.Discounts {
		discounts = append(discounts, object{"__typename": "DiscountAllocation", "allocatedAmountSet": s.money(d)})
	}
	for _, t := range l.Taxes {
		rate, err := decimal.NewFromString(t.Rate)
		tax := object{"__typename": "TaxLine", "rate": nil, "priceSet": s.money(t.Amount)}
		if err == nil {
			tax["rate"] = number(rate.String())
		}
		taxes = append(taxes, tax)
	}
	total := decimal.RequireFromString(l.Price).Mul(decimal.NewFromInt(int64(l.Quantity)))
	v := object{
		"__typename": "LineItem", "id": gid("LineItem", l.ID), "quantity": l.Quantity, "currentQuantity": current,
		"isGiftCard": l.GiftCard, "sellingPlan": nil, "originalTotalSet": s.money(total.String()),
		"discountAllocations": list(discounts), "taxLines": list(taxes), "variant": nil,
	}
	if l.Plan != "" {
		v["sellingPlan"] = object{"__typename": "LineItemSellingPlan", "name": l.Plan}
	}
	if !l.Custom {
		item := object{"__typename": "InventoryItem", "unitCost": nil}
		if l.Cost != "" {
			item["unitCost"] = s.guarded("read_inventory", object{"__typename": "MoneyV2", "amount": l.Cost, "currencyCode": s.Currency})
		}
		v["variant"] = object{"__typename": "ProductVariant", "inventoryItem": item}
	}
	return v
}

func (r Refund) refund(s *Server) object {
	var lines, adjustments []object
	for _, l := range r.Lines {
		restock := l.Restock
		if restock == "" {
			restock = "NO_RESTOCK"
		}
		lines = append(lines, object{
			"__typename": "RefundLineItem", "quantity": l.Quantity, "restockType": restock,
			"subtotalSet": s.money(l.Subtotal), "totalTaxSet": s.money(l.Tax),
			"lineItem": object{"__typename": "LineItem", "id": gid("LineItem", l.Line)},
		})
	}
	for _, a := range r.Adjustments {
		adjustments = append(adjustments, object{"__typename": "OrderAdjustment", "amountSet": s.money(a)})
	}
	return object{
		"__typename": "Refund", "id": gid("Refund", r.ID), "processedAt": instant(r.At),
		"refundLineItems": inner(lines), "orderAdjustments": inner(adjustments),
	}
}

func (v *Visit) visit() object {
	o := object{"__typename": "CustomerVisit", "source": v.Source, "sourceType": text(v.Tactic), "utmParameters": nil}
	if v.UTM {
		o["utmParameters"] = object{
			"__typename": "UTMParameters", "source": text(v.UTMSource), "medium": text(v.Medium), "campaign": text(v.Campaign),
		}
	}
	return o
}

func (c Customer) customer() object {
	v := object{
		"__typename": "Customer", "id": gid("Customer", c.ID), "createdAt": instant(c.Created), "updatedAt": instant(c.Updated),
		"defaultEmailAddress": nil, "defaultAddress": nil,
	}
	if c.Email != "" {
		v["defaultEmailAddress"] = object{"__typename": "CustomerEmailAddress", "emailAddress": c.Email}
	}
	if c.Country != "" {
		v["defaultAddress"] = object{"__typename": "MailingAddress", "countryCodeV2": c.Country}
	}
	var contacts []object
	for _, id := range c.Companies {
		contacts = append(contacts, object{"__typename": "CompanyContact", "company": object{"__typename": "Company", "id": gid("Company", id)}})
	}
	v["companyContactProfiles"] = list(contacts)
	return v
}

func (c Company) company() object {
	since := c.Since
	if since.IsZero() {
		since = c.Created
	}
	location := object{"__typename": "CompanyLocation", "billingAddress": nil, "shippingAddress": nil}
	if c.Country != "" {
		location["shippingAddress"] = object{"__typename": "CompanyAddress", "countryCode": c.Country}
	}
	return object{
		"__typename": "Company", "id": gid("Company", c.ID), "externalId": text(c.ExternalID), "createdAt": instant(c.Created),
		"updatedAt": instant(c.Updated), "customerSince": instant(since), "locations": inner([]object{location}),
	}
}

func (c Checkout) checkout() object {
	v := object{
		"__typename": "AbandonedCheckout", "id": gid("AbandonedCheckout", c.ID), "createdAt": instant(c.Created),
		"updatedAt": instant(c.Updated), "completedAt": instant(c.Completed), "customer": nil,
	}
	if c.Customer != 0 {
		v["customer"] = object{"__typename": "Customer", "id": gid("Customer", c.Customer)}
	}
	return v
}
