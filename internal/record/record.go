// Package record defines the records that sources deliver and the ledger keeps:
// orders, refunds, customers and so on, with exact money, and the keyed hashes
// under which customers are known. It performs no I/O.
package record

// Kind names a kind of record.
type Kind string

// The kinds of record that sources can deliver.
const (
	KindCustomer     Kind = "customer"
	KindOrder        Kind = "order"
	KindRefund       Kind = "refund"
	KindCheckout     Kind = "checkout"
	KindQuote        Kind = "quote"
	KindSubscription Kind = "subscription"
	KindLead         Kind = "lead"
	KindAccount      Kind = "account"
	KindDeal         Kind = "deal"
	KindRate         Kind = "rate"
	KindCost         Kind = "cost"
	KindActivity     Kind = "activity"
	KindEngagement   Kind = "engagement"
	KindSpend        Kind = "spend"
	KindAdQuality    Kind = "ad_quality"
	KindTraffic      Kind = "traffic"
	KindUsers        Kind = "users"
	KindPage         Kind = "page"
	KindReferrer     Kind = "referrer"
	KindSearch       Kind = "search"
	KindBacklink     Kind = "backlink"
	KindEmail        Kind = "email"
	KindAttendance   Kind = "attendance"
	KindSurvey       Kind = "survey"
	KindReferral     Kind = "referral"
	KindTie          Kind = "tie"
	KindMember       Kind = "member"
	KindSocial       Kind = "social"
	KindTimeEntry    Kind = "time_entry"
)

// Kinds returns every kind, in the order in which documentation lists them.
func Kinds() []Kind {
	return []Kind{
		KindCustomer, KindOrder, KindRefund, KindCheckout, KindQuote, KindSubscription,
		KindLead, KindAccount, KindEngagement, KindDeal, KindActivity, KindSpend, KindAdQuality, KindTraffic, KindUsers,
		KindPage, KindReferrer, KindSearch, KindBacklink, KindEmail, KindAttendance, KindSurvey, KindReferral, KindTie,
		KindMember, KindSocial, KindTimeEntry, KindRate, KindCost,
	}
}

// Meta is what every record has. Source is not part of it: a record belongs to
// the source that delivered it.
type Meta struct {
	// ID is the vendor's identifier, unique among the source's records of one kind.
	ID string `cbor:"-"`
	// Deleted says that the vendor no longer has the record.
	Deleted bool `cbor:"-"`
}

// RecordMeta returns the record's Meta.
func (m *Meta) RecordMeta() *Meta { return m }

// Record is one of the pointer types of this package: *Order, *Refund and so on.
// A null field is a zero Amount, Instant or Ref or an empty string.
type Record interface {
	RecordKind() Kind
	RecordMeta() *Meta
	// Seal replaces everything that identifies a person or a company by keyed hashes.
	Seal(s *Sealer, source string)
	// Dates returns the record's business dates; nulls may be among them. The
	// earliest is the moment from which the record is known.
	Dates() []Instant
}

// Tombstone returns the word that the vendor no longer has the record of kind k, which
// must be a known one, with that ID.
func Tombstone(k Kind, id string) Record {
	r := New(k)
	*r.RecordMeta() = Meta{ID: id, Deleted: true}
	return r
}

// New returns an empty record of kind k, or nil for an unknown kind.
func New(k Kind) Record {
	switch k {
	case KindCustomer:
		return &Customer{}
	case KindOrder:
		return &Order{}
	case KindRefund:
		return &Refund{}
	case KindCheckout:
		return &Checkout{}
	case KindQuote:
		return &Quote{}
	case KindSubscription:
		return &Subscription{}
	case KindLead:
		return &Lead{}
	case KindAccount:
		return &Account{}
	case KindDeal:
		return &Deal{}
	case KindRate:
		return &Rate{}
	case KindCost:
		return &Cost{}
	case KindActivity:
		return &Activity{}
	case KindEngagement:
		return &Engagement{}
	case KindSpend:
		return &Spend{}
	case KindAdQuality:
		return &AdQuality{}
	case KindTraffic:
		return &Traffic{}
	case KindUsers:
		return &Users{}
	case KindPage:
		return &Page{}
	case KindReferrer:
		return &Referrer{}
	case KindSearch:
		return &Search{}
	case KindBacklink:
		return &Backlink{}
	case KindEmail:
		return &Email{}
	case KindAttendance:
		return &Attendance{}
	case KindSurvey:
		return &Survey{}
	case KindReferral:
		return &Referral{}
	case KindTie:
		return &Tie{}
	case KindMember:
		return &Member{}
	case KindSocial:
		return &Social{}
	case KindTimeEntry:
		return &TimeEntry{}
	}
	return nil
}
