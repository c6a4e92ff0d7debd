// Package stripe is a fake of Stripe's API with an account in memory: customers, prices,
// coupons, subscriptions, schedules, invoices, credit notes and the events that changes of them
// make, with paging, expansion, limits and errors as the vendor has them.
package stripe

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"
)

// Version is the only version of the API that the fake speaks.
const Version = "2026-08-26.dahlia"

// Types of object, as the vendor names them.
const (
	typeCustomer     = "customer"
	typePrice        = "price"
	typeCoupon       = "coupon"
	typeSubscription = "subscription"
	typeSchedule     = "subscription_schedule"
	typeInvoice      = "invoice"
	typeCreditNote   = "credit_note"
	typeEvent        = "event"
)

// Server is an account and serves the API for it. Its exported fields must be set before the
// first request. It is safe for concurrent use.
type Server struct {
	// Key is the only API key that is accepted; any where empty.
	Key string
	// Permissions are what the key may read, such as rak_customer_read; all where nil.
	Permissions []string
	// PerSecond are the requests allowed in a second to one endpoint.
	PerSecond int
	// KeepEvents is how long events are listed.
	KeepEvents time.Duration
	// Test says that the account's data are test data.
	Test bool

	now func() time.Time

	mu       sync.Mutex
	objects  map[string]map[string]*entry // by type and ID
	sorted   map[string][]*entry          // newest first; none where it must be made anew
	sent     map[string][]time.Time       // by endpoint
	requests map[string]int
	kept     map[string]*entry // coupons that were deleted, by ID
	made     int               // objects, for IDs and for the order of those made at one moment
}

// entry is an object.
type entry struct {
	id      string
	created time.Time
	number  int
	value   any
}

// New returns an empty account, whose clock is now.
func New(now func() time.Time) *Server {
	s := &Server{
		PerSecond: 25, KeepEvents: 30 * 24 * time.Hour, now: now,
		objects: map[string]map[string]*entry{}, sorted: map[string][]*entry{}, sent: map[string][]time.Time{}, requests: map[string]int{},
		kept: map[string]*entry{},
	}
	for _, kind := range []string{
		typeCustomer, typePrice, typeCoupon, typeSubscription, typeSchedule, typeInvoice, typeCreditNote, typeEvent,
	} {
		s.objects[kind] = map[string]*entry{}
	}
	return s
}

// Requests returns how many requests came, by path; IDs are written as {id}.
func (s *Server) Requests() map[string]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.requests)
}

func (s *Server) id(prefix, given string) string {
	if s.made++; given != "" {
		return given
	}
	return fmt.Sprintf("%s_%08d", prefix, s.made)
}

// set keeps an object.
func (s *Server) set(kind, id string, at time.Time, value any) *entry {
	e := s.objects[kind][id]
	if e == nil {
		e = &entry{id: id, created: at, number: s.made}
		s.objects[kind][id] = e
		delete(s.sorted, kind)
	}
	e.value = value
	return e
}

func (s *Server) drop(kind, id string) {
	delete(s.objects[kind], id)
	delete(s.sorted, kind)
}

// list returns the objects of a type, newest first.
func (s *Server) list(kind string) []*entry {
	if s.sorted[kind] == nil {
		s.sorted[kind] = slices.SortedFunc(maps.Values(s.objects[kind]), func(a, b *entry) int {
			return cmp.Or(b.created.Compare(a.created), cmp.Compare(b.number, a.number))
		})
	}
	return s.sorted[kind]
}

// put keeps an object and makes the event that tells of it.
func (s *Server) put(kind, event, id string, at time.Time, value any) {
	before := s.text(kind, id)
	s.made++
	s.set(kind, id, at, value)
	after := s.text(kind, id)
	if before == nil {
		s.tell(event+".created", at, after, nil)
		return
	}
	previous := object{}
	var old, current map[string]json.RawMessage
	if json.Unmarshal(before, &old) != nil || json.Unmarshal(after, &current) != nil {
		return // objects always are
	}
	for name, value := range old {
		if !bytes.Equal(value, current[name]) {
			previous[name] = value
		}
	}
	if len(previous) > 0 {
		s.tell(event+".updated", at, after, previous)
	}
}

// text returns an object as an event holds it; nil where there is none.
func (s *Server) text(kind, id string) json.RawMessage {
	e := s.objects[kind][id]
	if e == nil {
		return nil
	}
	text, err := json.Marshal(s.render(kind, e, nil))
	if err != nil {
		return nil // texts and numbers always marshal
	}
	return text
}

// tell makes an event.
func (s *Server) tell(name string, at time.Time, about json.RawMessage, previous object) {
	data := object{"object": about}
	if previous != nil {
		data["previous_attributes"] = previous
	}
	id := s.id("evt", "")
	s.set(typeEvent, id, at, object{"type": name, "data": data})
}

// AddCustomer adds a customer, whose ID it returns.
func (s *Server) AddCustomer(at time.Time, c Customer) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	c.ID = s.id("cus", c.ID)
	c.Discount = s.start(at, c.Discount, Discount{Customer: c.ID})
	s.put(typeCustomer, "customer", c.ID, at, c)
	return c.ID
}

// ChangeCustomer changes a customer.
func (s *Server) ChangeCustomer(id string, at time.Time, change func(*Customer)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.objects[typeCustomer][id]
	if e == nil {
		return
	}
	c := e.value.(Customer)
	c.Metadata = maps.Clone(c.Metadata)
	change(&c)
	c.Discount = s.start(at, c.Discount, Discount{Customer: id})
	s.put(typeCustomer, "customer", id, at, c)
}

// DeleteCustomer deletes a customer and cancels its subscriptions.
func (s *Server) DeleteCustomer(id string, at time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	about := s.text(typeCustomer, id)
	if about == nil {
		return
	}
	for _, e := range s.list(typeSubscription) {
		if sub := e.value.(Subscription); sub.Customer == id && sub.EndedAt.IsZero() {
			s.end(e.id, at)
		}
	}
	s.drop(typeCustomer, id)
	s.tell("customer.deleted", at, about, nil)
}

// AddPrice adds a price. It makes no event.
func (s *Server) AddPrice(p Price) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.made++
	s.set(typePrice, p.ID, s.now(), p)
}

// AddCoupon adds a coupon. It makes no event.
func (s *Server) AddCoupon(c Coupon) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.made++
	s.set(typeCoupon, c.ID, s.now(), c)
}

// DeleteCoupon deletes a coupon; discounts made of it stay, and hold it.
func (s *Server) DeleteCoupon(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if e := s.objects[typeCoupon][id]; e != nil {
		s.kept[id] = e
		s.drop(typeCoupon, id)
	}
}

// AddSubscription adds a subscription, whose ID it returns.
func (s *Server) AddSubscription(at time.Time, sub Subscription) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	sub.ID = s.id("sub", sub.ID)
	if sub.Start.IsZero() {
		sub.Start = at
	}
	if sub.Status == "" {
		if sub.Status = "active"; sub.TrialEnd.After(at) {
			sub.Status = "trialing"
		}
	}
	if !sub.TrialEnd.IsZero() && sub.TrialStart.IsZero() {
		sub.TrialStart = sub.Start
	}
	s.store(at, sub)
	return sub.ID
}

// ChangeSubscription changes a subscription.
func (s *Server) ChangeSubscription(id string, at time.Time, change func(*Subscription)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.objects[typeSubscription][id]
	if e == nil {
		return
	}
	sub := e.value.(Subscription)
	sub.Items, sub.Discounts = slices.Clone(sub.Items), slices.Clone(sub.Discounts)
	for i := range sub.Items {
		sub.Items[i].Discounts = slices.Clone(sub.Items[i].Discounts)
	}
	change(&sub)
	s.store(at, sub)
}

// store completes a subscription and keeps it.
func (s *Server) store(at time.Time, sub Subscription) {
	var before []Discount
	if e := s.objects[typeSubscription][sub.ID]; e != nil {
		before = e.value.(Subscription).discounts()
	}
	for i := range sub.Discounts {
		sub.Discounts[i] = *s.start(at, &sub.Discounts[i], Discount{Customer: sub.Customer, Subscription: sub.ID})
	}
	for i := range sub.Items {
		it := &sub.Items[i]
		it.ID = s.id("si", it.ID)
		for j := range it.Discounts {
			it.Discounts[j] = *s.start(at, &it.Discounts[j], Discount{Customer: sub.Customer, Subscription: sub.ID})
		}
	}
	s.put(typeSubscription, "customer.subscription", sub.ID, at, sub)
	after := sub.discounts()
	s.tellDiscounts("customer.discount.deleted", at, before, after)
	s.tellDiscounts("customer.discount.created", at, after, before)
}

// discounts returns the discounts of a subscription and of its items.
func (sub Subscription) discounts() []Discount {
	list := slices.Clone(sub.Discounts)
	for _, it := range sub.Items {
		list = append(list, it.Discounts...)
	}
	return list
}

// tellDiscounts makes an event for each discount of a list that is not in another.
func (s *Server) tellDiscounts(name string, at time.Time, list, but []Discount) {
	for _, d := range list {
		if slices.ContainsFunc(but, func(other Discount) bool { return other.ID == d.ID }) {
			continue
		}
		if name == "customer.discount.deleted" {
			d.End = at
		}
		if about, err := json.Marshal(s.discount(d, nil)); err == nil {
			s.tell(name, at, about, nil)
		}
	}
}

// start completes a discount.
func (s *Server) start(at time.Time, d *Discount, of Discount) *Discount {
	if d == nil {
		return nil
	}
	made := *d
	made.Customer, made.Subscription = of.Customer, of.Subscription
	if made.ID = s.id("di", made.ID); made.Start.IsZero() {
		made.Start = at
	}
	if e := s.objects[typeCoupon][made.Coupon]; e != nil && made.End.IsZero() {
		if c := e.value.(Coupon); c.Months > 0 {
			made.End = made.Start.UTC().AddDate(0, c.Months, 0)
		}
	}
	return &made
}

// Cancel ends a subscription.
func (s *Server) Cancel(id string, at time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.end(id, at)
}

func (s *Server) end(id string, at time.Time) {
	e := s.objects[typeSubscription][id]
	if e == nil {
		return
	}
	sub := e.value.(Subscription)
	sub.Status, sub.EndedAt = "canceled", at
	if sub.CanceledAt.IsZero() {
		sub.CanceledAt = at
	}
	s.set(typeSubscription, id, at, sub)
	s.tell("customer.subscription.deleted", at, s.text(typeSubscription, id), nil)
}

// RemoveSubscription removes a subscription from every listing without an event, as the
// deletion of test data does.
func (s *Server) RemoveSubscription(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.drop(typeSubscription, id)
}

// PutSchedule adds or replaces a schedule, whose ID it returns.
func (s *Server) PutSchedule(at time.Time, sched Schedule) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	sched.ID = s.id("sub_sched", sched.ID)
	s.put(typeSchedule, typeSchedule, sched.ID, at, sched)
	return sched.ID
}

// PutInvoice adds or replaces an invoice, whose ID it returns.
func (s *Server) PutInvoice(at time.Time, in Invoice) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	in.ID = s.id("in", in.ID)
	s.put(typeInvoice, typeInvoice, in.ID, at, in)
	return in.ID
}

// DeleteInvoice deletes a draft.
func (s *Server) DeleteInvoice(id string, at time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if about := s.text(typeInvoice, id); about != nil {
		s.drop(typeInvoice, id)
		s.tell("invoice.deleted", at, about, nil)
	}
}

// PutCreditNote adds or replaces a credit note, whose ID it returns.
func (s *Server) PutCreditNote(at time.Time, n CreditNote) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	n.ID = s.id("cn", n.ID)
	s.put(typeCreditNote, typeCreditNote, n.ID, at, n)
	return n.ID
}
