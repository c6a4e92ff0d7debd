// Package history encodes what the ledger derives from records: per customer, the
// dated events that the KPIs are computed from. An event depends only on records
// and settings, so a history can be edited by taking out an equal event, and
// can always be rebuilt.
package history

import (
	"bytes"
	"encoding/binary"
	"errors"
	"slices"
)

// Kind tells what an event is.
type Kind uint8

// The kinds of event.
const (
	// Order is a counted order of a store or, where deals count as orders, a won deal.
	Order Kind = iota + 1
	// Refund is money given back.
	Refund
	// Known is the moment from which a customer is known without an order. Label is the kind
	// of record where the record is the customer itself, 0 where it only refers to it.
	Known
	// Lead is a lead: T is its creation (with Created) or else the first that is known of it,
	// Label its touch, Ref itself.
	Lead
	// Live is a paid subscription from T until End (0: without an end).
	Live
	// Checkout is one that is not completed: T is its start, End one hour after its last change.
	Checkout
	// Quote is a quote that entered the state Label at T.
	Quote
	// Step is what a lead, Ref, reached at T: Label is one of the steps.
	Step
	// Won is a deal that was won at T: of the lead Ref, where it names one, and OfCustomer where
	// it is the customer's, too.
	Won
	// Answer is an outgoing activity of a person to the lead Ref.
	Answer
	// Revenue is a change at T of what a subscription brings in a month: from Discount, known
	// with HasDiscount, to Gross, known with HasMoney.
	Revenue
	// Subscribed is a subscription that is in the state Label from T until End (0: without an end).
	Subscribed
	// Owned says who looks after the customer: the sales representative Label. Ref is 0 where
	// an account says so, 1 where another record of a customer does.
	Owned

	// firstRow is where the kinds of Row begin.
	firstRow Kind = 64
)

// The steps of a lead, the Label of a Step.
const (
	StepMQL Dict = iota + 1
	StepSQL
	StepOpportunity
	StepCustomer
	StepDisqualified
	StepResponse // the first answer, as the CRM knows it
)

// The states of a subscription, the Label of a Subscribed; where a customer has several, the
// first counts.
const (
	StateActive Dict = iota + 1
	StatePastDue
	StateTrialing
)

// Flags of an event.
const (
	// HasMoney: Gross (of a refund: its amount) is known.
	HasMoney uint16 = 1 << iota
	// HasDiscount: Discount is known.
	HasDiscount
	// HasCost: Profit and Costed are known.
	HasCost
	// OfStore: the event counts in what the stores sold.
	OfStore
	// OfCustomer: the event counts as an order (or refund) of its customer.
	OfCustomer
	// Always: the event has no date; T is meaningless.
	Always
	// Created: T is the creation itself.
	Created

	wholeSeconds
	wholeCents
)

// Dict is the number of a text in the ledger's dictionary; 0 is the empty text.
type Dict uint32

// Event is one dated fact. Times are microseconds since 1970-01-01 UTC, money is
// in 10^-6 units of Currency.
type Event struct {
	Kind      Kind
	Flags     uint16
	T, End    int64
	Source    Dict
	Label     Dict // touch of an order or lead, state of a quote, kind of a known record, step, owner
	Ref       int64
	Territory Dict
	Currency  Dict
	Gross     int64 // of a refund: its amount
	Discount  int64
	Profit    int64 // costed_net - cost, or costed_amount - cost given back
	Costed    int64 // costed_net, or costed_amount
}

// Has reports whether all of flags are set.
func (e *Event) Has(flags uint16) bool { return e.Flags&flags == flags }

// Net is what the event adds to net revenue; 0 where the amount is not known.
func (e *Event) Net() int64 {
	if e.Kind == Refund {
		return -e.Gross
	}
	return e.Gross - e.Discount
}

const (
	secondMicros = 1_000_000
	centMicros   = 10_000
)

// usualSize is how many bytes most encodings have at most: space for them is made at once.
const usualSize = 32

// Append appends the event's encoding to b.
func (e *Event) Append(b []byte) []byte {
	b = slices.Grow(b, usualSize)
	flags := e.Flags &^ (wholeSeconds | wholeCents)
	if e.T%secondMicros == 0 {
		flags |= wholeSeconds
	}
	if e.Gross%centMicros == 0 && e.Discount%centMicros == 0 && e.Profit%centMicros == 0 && e.Costed%centMicros == 0 {
		flags |= wholeCents
	}
	b = append(b, byte(e.Kind))
	b = binary.AppendUvarint(b, uint64(flags))
	t, unit := e.T, int64(1)
	if flags&wholeSeconds != 0 {
		t /= secondMicros
	}
	if flags&wholeCents != 0 {
		unit = centMicros
	}
	b = binary.AppendVarint(b, t)
	b = binary.AppendUvarint(b, uint64(e.Source))
	switch e.Kind {
	case Live, Checkout:
		b = binary.AppendVarint(b, e.End)
	case Subscribed:
		b = binary.AppendVarint(b, e.End)
		b = binary.AppendUvarint(b, uint64(e.Label))
	case Revenue:
		b = binary.AppendUvarint(b, uint64(e.Currency))
		b = binary.AppendVarint(b, e.Gross/unit)
		b = binary.AppendVarint(b, e.Discount/unit)
	case Quote, Known:
		b = binary.AppendUvarint(b, uint64(e.Label))
	case Lead, Step, Owned:
		b = binary.AppendUvarint(b, uint64(e.Label))
		b = binary.AppendUvarint(b, uint64(e.Ref))
	case Won, Answer:
		b = binary.AppendUvarint(b, uint64(e.Ref))
	case Order, Refund:
		b = binary.AppendUvarint(b, uint64(e.Label))
		b = binary.AppendUvarint(b, uint64(e.Territory))
		b = binary.AppendUvarint(b, uint64(e.Currency))
		b = binary.AppendVarint(b, e.Gross/unit)
		if flags&HasDiscount != 0 {
			b = binary.AppendVarint(b, e.Discount/unit)
		}
		if flags&HasCost != 0 {
			b = binary.AppendVarint(b, e.Profit/unit)
			b = binary.AppendVarint(b, e.Costed/unit)
		}
	}
	return b
}

// ErrCorrupt says that a history cannot be decoded.
var ErrCorrupt = errors.New("a customer's history is damaged")

type reader struct {
	b   []byte
	bad bool
}

func (r *reader) uvarint() uint64 {
	v, n := binary.Uvarint(r.b)
	if n <= 0 {
		r.bad, r.b = true, nil
		return 0
	}
	r.b = r.b[n:]
	return v
}

func (r *reader) varint() int64 {
	u := r.uvarint()
	v := int64(u >> 1)
	if u&1 != 0 {
		v = ^v
	}
	return v
}

// next decodes the first event of b into e and returns what follows it.
func next(b []byte, e *Event) ([]byte, error) {
	*e = Event{Kind: Kind(b[0])}
	r := reader{b: b[1:]}
	e.Flags = uint16(r.uvarint())
	e.T = r.varint()
	e.Source = Dict(r.uvarint())
	unit := int64(1)
	if e.Flags&wholeSeconds != 0 {
		e.T *= secondMicros
	}
	if e.Flags&wholeCents != 0 {
		unit = centMicros
	}
	switch e.Kind {
	case Live, Checkout:
		e.End = r.varint()
	case Subscribed:
		e.End = r.varint()
		e.Label = Dict(r.uvarint())
	case Revenue:
		e.Currency = Dict(r.uvarint())
		e.Gross = r.varint() * unit
		e.Discount = r.varint() * unit
	case Quote, Known:
		e.Label = Dict(r.uvarint())
	case Lead, Step, Owned:
		e.Label = Dict(r.uvarint())
		e.Ref = int64(r.uvarint())
	case Won, Answer:
		e.Ref = int64(r.uvarint())
	case Order, Refund:
		e.Label = Dict(r.uvarint())
		e.Territory = Dict(r.uvarint())
		e.Currency = Dict(r.uvarint())
		e.Gross = r.varint() * unit
		if e.Flags&HasDiscount != 0 {
			e.Discount = r.varint() * unit
		}
		if e.Flags&HasCost != 0 {
			e.Profit = r.varint() * unit
			e.Costed = r.varint() * unit
		}
	default:
		return nil, ErrCorrupt
	}
	e.Flags &^= wholeSeconds | wholeCents
	if r.bad {
		return nil, ErrCorrupt
	}
	return r.b, nil
}

// Decode appends the events of a history to events, and its rows to rows.
func Decode(b []byte, events []Event, rows []Row) ([]Event, []Row, error) {
	var err error
	for len(b) > 0 {
		if Kind(b[0]) >= firstRow {
			var row Row
			if b, err = nextRow(b, &row); err != nil {
				return events, rows, err
			}
			rows = append(rows, row)
			continue
		}
		var e Event
		if b, err = next(b, &e); err != nil {
			return events, rows, err
		}
		events = append(events, e)
	}
	return events, rows, nil
}

// Edit returns history b without one entry equal to each of remove, and with each
// of add, given as encodings. Taking out an entry that is not there is ErrCorrupt.
func Edit(b []byte, remove, add [][]byte) ([]byte, error) {
	for _, enc := range remove {
		i, err := find(b, enc)
		if err != nil {
			return nil, err
		}
		b = slices.Delete(b, i, i+len(enc))
	}
	for _, enc := range add {
		b = append(b, enc...)
	}
	return b, nil
}

func find(b, enc []byte) (int, error) {
	var e Event
	var row Row
	for i := 0; i < len(b); {
		var rest []byte
		var err error
		if Kind(b[i]) >= firstRow {
			rest, err = nextRow(b[i:], &row)
		} else {
			rest, err = next(b[i:], &e)
		}
		if err != nil {
			return 0, err
		}
		end := len(b) - len(rest)
		if bytes.Equal(b[i:end], enc) {
			return i, nil
		}
		i = end
	}
	return 0, ErrCorrupt
}

// SortByTime sorts events by T, as most histories already are; ties keep their order.
func SortByTime(events []Event) {
	byTime := func(a, b Event) int {
		switch {
		case a.T < b.T:
			return -1
		case a.T > b.T:
			return 1
		}
		return 0
	}
	if !slices.IsSortedFunc(events, byTime) {
		slices.SortStableFunc(events, byTime)
	}
}
