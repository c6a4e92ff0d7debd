package stripe

import "time"

// Times that are zero are null. Amounts are in the currency's smallest unit, those in texts are
// decimals; currencies are in lower case.

// Customer is a customer.
type Customer struct {
	ID, Email, Name, Country string
	Metadata                 map[string]string
	Discount                 *Discount
}

// Price is a recurring price.
type Price struct {
	ID, Product, Currency string
	// UnitAmount is null where it is empty.
	UnitAmount string
	// Interval is day, week, month or year; IntervalCount is 1 where it is 0.
	Interval      string
	IntervalCount int64
	Metered       bool
	// Tiers replace UnitAmount. Volume prices all of a quantity by one tier.
	Tiers  []Tier
	Volume bool
	// DivideBy, where above 0, divides the quantity before it is priced.
	DivideBy int64
	RoundUp  bool
	// Options are the unit amounts in further currencies.
	Options map[string]string
}

// Tier is a part of a quantity. UpTo is 0 for the last one.
type Tier struct {
	UpTo       int64
	Unit, Flat string
}

// Coupon is what discounts are made of. One without Months or Once is for ever.
type Coupon struct {
	ID         string
	PercentOff string
	AmountOff  int64
	Currency   string
	Once       bool
	Months     int
	Products   []string // that it is for; all where empty
}

// Discount is a coupon that is in force from Start (where zero, when it is given) to End.
type Discount struct {
	ID, Coupon             string
	Start, End             time.Time
	Customer, Subscription string // set by the Server
}

// Item is a price in a subscription or in a phase.
type Item struct {
	ID, Price string
	Quantity  int64
	Discounts []Discount
	// InclusiveTax is a tax rate in percent that the price includes; none where empty.
	InclusiveTax string
}

// Pause stops the collection of invoices.
type Pause struct {
	Behavior  string
	ResumesAt time.Time
}

// Subscription is a subscription. Without a Status it is active, or trialing.
type Subscription struct {
	ID, Customer, Currency, Status string
	Start, TrialStart, TrialEnd    time.Time
	CancelAt, CanceledAt, EndedAt  time.Time
	CancelAtPeriodEnd              bool
	PeriodStart, PeriodEnd         time.Time // Start, and a month later, where zero
	Pause                          *Pause
	Items                          []Item
	Discounts                      []Discount
}

// Phase is a part of a schedule. All of it is a trial where Trial is set. Coupons are given to
// discounts that begin with it.
type Phase struct {
	Start, End, TrialEnd time.Time
	Trial                bool
	Items                []Item
	Coupons              []string
}

// Schedule plans a subscription. Status is active and EndBehavior release where empty.
type Schedule struct {
	ID, Customer, Subscription, Status, EndBehavior string
	Phases                                          []Phase
	ReleasedAt                                      time.Time
}

// Invoice is an invoice; of a subscription where that is named.
type Invoice struct {
	ID, Customer, Subscription, Currency, Country, Status string
	// Subtotal is after ItemDiscount, which its lines have, and before Discount, which the
	// invoice has. All are without Tax.
	Subtotal, ItemDiscount, Discount, Tax, Shipping int64
	FinalizedAt, PaidAt                             time.Time
}

// CreditNote gives a part of an invoice back. Amount is without Tax.
type CreditNote struct {
	ID, Customer, Invoice, Currency string
	Amount, Tax                     int64
	Void                            bool
}
