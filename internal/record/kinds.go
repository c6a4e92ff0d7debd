package record

// Touch is where a visit, lead or order came from, in the vendor's own words.
type Touch struct {
	Source   string `cbor:"1,keyasint,omitempty"`
	Medium   string `cbor:"2,keyasint,omitempty"`
	Campaign string `cbor:"3,keyasint,omitempty"`
	// Channel is the source's own mapping to a channel of the vocabulary; empty where
	// the source leaves it to the channel rules.
	Channel string `cbor:"4,keyasint,omitempty"`
}

// Keys are what a customer is recognised by. ExternalIDs have the form
// namespace:value or value (namespace: the source's name). Sealing turns all of
// them into Sealed and empties the rest.
type Keys struct {
	ExternalIDs []string `cbor:"-"`
	Domain      string   `cbor:"-"`
	Email       string   `cbor:"-"`
	Sealed      []Hash   `cbor:"1,keyasint,omitempty"`
}

// Ref names a customer or an account of the same source by its ID.
type Ref struct {
	ID string `cbor:"-"`
	// Sealed holds the hash of the ID first and, where the ID is an e-mail address, the
	// hashes of the address and of its domain.
	Sealed []Hash `cbor:"1,keyasint,omitempty"`
}

// RefTo returns a reference to the customer or account id; null for an empty id.
func RefTo(id string) Ref { return Ref{ID: id} }

// IsNull reports whether the reference names nothing.
func (r Ref) IsNull() bool { return r.ID == "" && len(r.Sealed) == 0 }

// Customer is a company or a person known to a store or CRM.
type Customer struct {
	Meta
	Self       Ref     `cbor:"1,keyasint,omitzero"` // filled by Seal from ID
	Keys       Keys    `cbor:"2,keyasint,omitzero"`
	Company    bool    `cbor:"3,keyasint,omitempty"`
	Parent     Ref     `cbor:"4,keyasint,omitzero"`
	CreatedAt  Instant `cbor:"5,keyasint,omitzero"`
	Country    string  `cbor:"6,keyasint,omitempty"`
	Owner      string  `cbor:"7,keyasint,omitempty"`
	Touch      Touch   `cbor:"8,keyasint,omitzero"`
	ReferredBy Ref     `cbor:"9,keyasint,omitzero"`
}

// Order states.
const (
	StateCounted   = "counted"
	StateCancelled = "cancelled"
	StateDraft     = "draft"
	StateTest      = "test"
)

// Order is an order of a store. Gross is price x quantity of the product lines
// before discounts, without tax and shipping.
type Order struct {
	Meta
	Customer Ref     `cbor:"1,keyasint,omitzero"` // null for guests
	PlacedAt Instant `cbor:"2,keyasint,omitzero"`
	PaidAt   Instant `cbor:"3,keyasint,omitzero"`
	State    string  `cbor:"4,keyasint,omitempty"` // StateCounted where empty
	Currency string  `cbor:"5,keyasint,omitempty"`
	Gross    Amount  `cbor:"6,keyasint,omitzero"`
	Discount Amount  `cbor:"7,keyasint,omitzero"`
	Cost     Amount  `cbor:"8,keyasint,omitzero"`
	// CostedNet is the part of gross - discount whose cost is known; all of it where it is
	// null and Cost is not.
	CostedNet Amount `cbor:"9,keyasint,omitzero"`
	Country   string `cbor:"10,keyasint,omitempty"`
	Touch     Touch  `cbor:"11,keyasint,omitzero"`
	Recurring bool   `cbor:"12,keyasint,omitempty"`
}

// Refund is money given back, dated by itself. Amount is its product part.
type Refund struct {
	Meta
	Order    string  `cbor:"1,keyasint,omitempty"` // the order's ID in the same source; empty where unknown
	Customer Ref     `cbor:"2,keyasint,omitzero"`
	Country  string  `cbor:"3,keyasint,omitempty"`
	At       Instant `cbor:"4,keyasint,omitzero"`
	Currency string  `cbor:"5,keyasint,omitempty"` // the order's where empty
	Amount   Amount  `cbor:"6,keyasint,omitzero"`
	Cost     Amount  `cbor:"7,keyasint,omitzero"` // cost of goods given back
	// CostedAmount is the part of Amount whose cost is known.
	CostedAmount Amount `cbor:"8,keyasint,omitzero"`
}

// Checkout is a started checkout.
type Checkout struct {
	Meta
	Customer    Ref     `cbor:"1,keyasint,omitzero"`
	StartedAt   Instant `cbor:"2,keyasint,omitzero"`
	ChangedAt   Instant `cbor:"3,keyasint,omitzero"` // StartedAt where null
	CompletedAt Instant `cbor:"4,keyasint,omitzero"`
}

// Quote states.
const (
	QuoteDraft    = "draft"
	QuoteSent     = "sent"
	QuoteAccepted = "accepted"
	QuoteDeclined = "declined"
	QuoteExpired  = "expired"
)

// Quote is a store's quote.
type Quote struct {
	Meta
	Customer  Ref     `cbor:"1,keyasint,omitzero"`
	Deal      string  `cbor:"2,keyasint,omitempty"`
	SentAt    Instant `cbor:"3,keyasint,omitzero"`
	DecidedAt Instant `cbor:"4,keyasint,omitzero"`
	State     string  `cbor:"5,keyasint,omitempty"`
	Currency  string  `cbor:"6,keyasint,omitempty"`
	Amount    Amount  `cbor:"7,keyasint,omitzero"`
	Owner     string  `cbor:"8,keyasint,omitempty"`
}

// Subscription states.
const (
	SubscriptionTrialing = "trialing"
	SubscriptionActive   = "active"
	SubscriptionPastDue  = "past_due"
	SubscriptionEnded    = "ended"
)

// MRRChange is one step of a subscription's history.
type MRRChange struct {
	At  Instant `cbor:"1,keyasint,omitzero"`
	MRR Amount  `cbor:"2,keyasint,omitzero"`
}

// Subscription is a recurring contract; History holds every change of its
// monthly recurring revenue, oldest first.
type Subscription struct {
	Meta
	Customer  Ref         `cbor:"1,keyasint,omitzero"`
	State     string      `cbor:"2,keyasint,omitempty"`
	StartedAt Instant     `cbor:"3,keyasint,omitzero"`
	EndedAt   Instant     `cbor:"4,keyasint,omitzero"`
	Currency  string      `cbor:"5,keyasint,omitempty"`
	History   []MRRChange `cbor:"6,keyasint,omitempty"`
}

// Lead is a person or company that may become a customer.
type Lead struct {
	Meta
	Self            Ref     `cbor:"1,keyasint,omitzero"` // filled by Seal from ID
	Keys            Keys    `cbor:"2,keyasint,omitzero"`
	CreatedAt       Instant `cbor:"3,keyasint,omitzero"`
	Touch           Touch   `cbor:"4,keyasint,omitzero"`
	Owner           string  `cbor:"5,keyasint,omitempty"`
	MQLAt           Instant `cbor:"6,keyasint,omitzero"`
	SQLAt           Instant `cbor:"7,keyasint,omitzero"`
	OpportunityAt   Instant `cbor:"8,keyasint,omitzero"`
	CustomerAt      Instant `cbor:"9,keyasint,omitzero"`
	DisqualifiedAt  Instant `cbor:"10,keyasint,omitzero"`
	FirstResponseAt Instant `cbor:"11,keyasint,omitzero"`
	Account         Ref     `cbor:"12,keyasint,omitzero"`
	ReferredBy      Ref     `cbor:"13,keyasint,omitzero"`
}

// Account is a company that sales or marketing works on.
type Account struct {
	Meta
	Self        Ref     `cbor:"1,keyasint,omitzero"` // filled by Seal from ID
	Keys        Keys    `cbor:"2,keyasint,omitzero"`
	Parent      Ref     `cbor:"3,keyasint,omitzero"`
	CreatedAt   Instant `cbor:"4,keyasint,omitzero"`
	Target      bool    `cbor:"5,keyasint,omitempty"`
	TargetSince Instant `cbor:"6,keyasint,omitzero"`
	Tier        string  `cbor:"7,keyasint,omitempty"`
	Owner       string  `cbor:"8,keyasint,omitempty"`
	QualifiedAt Instant `cbor:"9,keyasint,omitzero"`
}

// Deal states.
const (
	DealOpen = "open"
	DealWon  = "won"
	DealLost = "lost"
)

// Deal is a sales opportunity. Order is the ID of the order that it became:
// value (of the same source) or source:value.
type Deal struct {
	Meta
	Account      Ref     `cbor:"1,keyasint,omitzero"`
	Lead         string  `cbor:"2,keyasint,omitempty"` // a lead's ID in the same source, sealed
	Pipeline     string  `cbor:"3,keyasint,omitempty"`
	Stage        string  `cbor:"4,keyasint,omitempty"`
	Probability  Amount  `cbor:"5,keyasint,omitzero"` // 0 to 1
	CreatedAt    Instant `cbor:"6,keyasint,omitzero"`
	ClosedAt     Instant `cbor:"7,keyasint,omitzero"`
	State        string  `cbor:"8,keyasint,omitempty"`
	Currency     string  `cbor:"9,keyasint,omitempty"`
	Amount       Amount  `cbor:"10,keyasint,omitzero"`
	Discount     Amount  `cbor:"11,keyasint,omitzero"`
	Margin       Amount  `cbor:"12,keyasint,omitzero"`
	Owner        string  `cbor:"13,keyasint,omitempty"`
	FirstTouchAt Instant `cbor:"14,keyasint,omitzero"`
	Order        string  `cbor:"15,keyasint,omitempty"`
	LeadRef      Ref     `cbor:"16,keyasint,omitzero"` // filled by Seal from Lead
}

// Rate is the published value of a currency on a day: how many units of it one
// unit of the reference currency was worth.
type Rate struct {
	Meta
	Day          Day     `cbor:"1,keyasint"`
	Currency     string  `cbor:"2,keyasint,omitempty"`
	Reference    string  `cbor:"3,keyasint,omitempty"`
	PerReference Decimal `cbor:"4,keyasint,omitzero"`
}

// Cost categories and periods.
const (
	CostMarketing = "marketing"
	CostSales     = "sales"
	PeriodMonth   = "month"
	PeriodOnce    = "once"
)

// Cost is a cost of marketing or sales that no ad platform reports.
type Cost struct {
	Meta
	Name     string `cbor:"1,keyasint,omitempty"`
	Category string `cbor:"2,keyasint,omitempty"`
	Currency string `cbor:"3,keyasint,omitempty"`
	Amount   Amount `cbor:"4,keyasint,omitzero"`
	Period   string `cbor:"5,keyasint,omitempty"`
	From     Day    `cbor:"6,keyasint"`
	To       Day    `cbor:"7,keyasint"` // last day included; NoDay where it has no end
	Channel  string `cbor:"8,keyasint,omitempty"`
	Program  string `cbor:"9,keyasint,omitempty"`
	Campaign string `cbor:"10,keyasint,omitempty"`
}

func (*Customer) RecordKind() Kind     { return KindCustomer }
func (*Order) RecordKind() Kind        { return KindOrder }
func (*Refund) RecordKind() Kind       { return KindRefund }
func (*Checkout) RecordKind() Kind     { return KindCheckout }
func (*Quote) RecordKind() Kind        { return KindQuote }
func (*Subscription) RecordKind() Kind { return KindSubscription }
func (*Lead) RecordKind() Kind         { return KindLead }
func (*Account) RecordKind() Kind      { return KindAccount }
func (*Deal) RecordKind() Kind         { return KindDeal }
func (*Rate) RecordKind() Kind         { return KindRate }
func (*Cost) RecordKind() Kind         { return KindCost }

func (r *Customer) Dates() []Instant { return []Instant{r.CreatedAt} }
func (r *Order) Dates() []Instant    { return []Instant{r.PlacedAt, r.PaidAt} }
func (r *Refund) Dates() []Instant   { return []Instant{r.At} }
func (r *Checkout) Dates() []Instant {
	return []Instant{r.StartedAt, r.ChangedAt, r.CompletedAt}
}
func (r *Quote) Dates() []Instant { return []Instant{r.SentAt, r.DecidedAt} }
func (r *Subscription) Dates() []Instant {
	dates := []Instant{r.StartedAt, r.EndedAt}
	for _, c := range r.History {
		dates = append(dates, c.At)
	}
	return dates
}

func (r *Lead) Dates() []Instant {
	return []Instant{
		r.CreatedAt, r.MQLAt, r.SQLAt, r.OpportunityAt, r.CustomerAt, r.DisqualifiedAt, r.FirstResponseAt,
	}
}
func (r *Account) Dates() []Instant { return []Instant{r.CreatedAt, r.TargetSince, r.QualifiedAt} }
func (r *Deal) Dates() []Instant    { return []Instant{r.CreatedAt, r.ClosedAt, r.FirstTouchAt} }

// Dates returns none: the days for which a rate holds are no business events.
func (*Rate) Dates() []Instant { return nil }

// Dates returns the first day of a cost: what is compared with a time before it would
// look cheap. Without one it was always there.
func (r *Cost) Dates() []Instant {
	if r.From == NoDay {
		return nil
	}
	return []Instant{OnDate(r.From)}
}

func (r *Customer) Seal(s *Sealer, source string) {
	r.Self = s.ref(source, RefTo(r.ID))
	r.Keys = s.keys(source, r.Keys)
	r.Parent = s.ref(source, r.Parent)
	r.ReferredBy = s.ref(source, r.ReferredBy)
}
func (r *Order) Seal(s *Sealer, source string)        { r.Customer = s.ref(source, r.Customer) }
func (r *Refund) Seal(s *Sealer, source string)       { r.Customer = s.ref(source, r.Customer) }
func (r *Checkout) Seal(s *Sealer, source string)     { r.Customer = s.ref(source, r.Customer) }
func (r *Quote) Seal(s *Sealer, source string)        { r.Customer = s.ref(source, r.Customer) }
func (r *Subscription) Seal(s *Sealer, source string) { r.Customer = s.ref(source, r.Customer) }
func (r *Lead) Seal(s *Sealer, source string) {
	r.Self = s.lead(source, r.ID)
	r.Keys = s.keys(source, r.Keys)
	r.Account = s.ref(source, r.Account)
	r.ReferredBy = s.ref(source, r.ReferredBy)
}

func (r *Account) Seal(s *Sealer, source string) {
	r.Self = s.ref(source, RefTo(r.ID))
	r.Keys = s.keys(source, r.Keys)
	r.Parent = s.ref(source, r.Parent)
}

func (r *Deal) Seal(s *Sealer, source string) {
	r.Account = s.ref(source, r.Account)
	r.LeadRef = s.leadRef(source, RefTo(r.Lead))
	if r.Lead != "" {
		r.Lead = s.StoredID(source, KindLead, r.Lead)
	}
}
func (*Rate) Seal(*Sealer, string) {}
func (*Cost) Seal(*Sealer, string) {}
