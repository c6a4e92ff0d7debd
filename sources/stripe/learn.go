package stripe

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"math/big"
	"reflect"
	"slices"
	"strings"
)

// learn goes through the changes of a subscription that events tell of and keeps what was before
// each that has changed its revenue: the subscription itself says only what is now.
func (f *fetch) learn(ctx context.Context, sub *subscription) error {
	for _, r := range slices.Backward(f.told[sub.ID]) {
		known := f.cursor.Known[sub.ID]
		if r.at <= known.Cut {
			continue
		}
		r.before.Customer, r.after.Customer = sub.Customer, sub.Customer
		var next past
		err := f.catalog.resolve(ctx, func() error {
			var err error
			next, err = f.compare(r.before, r.after, known, r.at)
			return err
		})
		if _, bad := errors.AsType[*valueError](err); bad || errors.Is(err, errDiscount) {
			continue // the earlier terms cannot be told any more
		}
		if err != nil {
			return err
		}
		f.remember(sub.ID, next)
	}
	return f.suspend(ctx, sub)
}

func (f *fetch) remember(id string, p past) {
	if p.Cut > 0 {
		f.cursor.Known[id] = p
	}
}

// compare returns what was before a change at a moment; nothing where the revenue did not change.
func (f *fetch) compare(before, after *subscription, known past, at int64) (past, error) {
	was, err := f.timeline(before, known)
	if err != nil {
		return past{}, err
	}
	is, err := f.timeline(after, past{Cut: at})
	if err != nil {
		return past{}, err
	}
	old, err := was.value(at)
	if err != nil {
		return past{}, err
	}
	current, err := is.value(at)
	if err != nil || equal(old, current) {
		return past{}, err
	}
	return cutAt(was, known, at, is.undated())
}

func equal(a, b *big.Rat) bool { return a == nil && b == nil || a != nil && b != nil && a.Cmp(b) == 0 }

// cutAt keeps the steps before a moment.
func cutAt(was *timeline, known past, at int64, suspended bool) (past, error) {
	steps, _, err := was.steps(known)
	steps = slices.DeleteFunc(steps, func(s step) bool { return s.At >= at })
	return past{Cut: at, Steps: steps, Suspended: suspended}, err
}

// suspend dates a state that the vendor does not date, where no event has told of its beginning
// or end: with the running period. It is remembered, because periods move on.
func (f *fetch) suspend(ctx context.Context, sub *subscription) error {
	return f.catalog.resolve(ctx, func() error {
		known := f.cursor.Known[sub.ID]
		l, err := f.timeline(sub, known)
		if err != nil {
			return err
		}
		cut := l.periodStart()
		if l.undated() == known.Suspended || cut <= known.Cut {
			return nil
		}
		next := past{Cut: cut, Suspended: l.undated()}
		if next.Suspended {
			l.since = cut
			if next, err = cutAt(l, known, cut, true); err != nil {
				return err
			}
		} else {
			zero := int64(0)
			next.Steps = append(slices.Clone(known.Steps), step{known.Cut, &zero})
		}
		f.remember(sub.ID, next)
		return nil
	})
}

// versions returns a subscription before and after an event.
func versions(e event) (before, after *subscription, err error) {
	text, err := merged(e.Data.Object, e.Data.Previous)
	if err != nil {
		return nil, nil, err
	}
	before, after = &subscription{}, &subscription{}
	if err := json.Unmarshal(text, before); err != nil {
		return nil, nil, err
	}
	return before, after, json.Unmarshal(e.Data.Object, after)
}

// merged returns an object with earlier attributes; of a nested object only those are given that
// have changed.
func merged(object json.RawMessage, earlier map[string]json.RawMessage) (json.RawMessage, error) {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(object, &fields); err != nil {
		return nil, err
	}
	if fields == nil {
		fields = map[string]json.RawMessage{}
	}
	for name, value := range earlier {
		if isObject(value) && isObject(fields[name]) {
			var inner map[string]json.RawMessage
			if err := json.Unmarshal(value, &inner); err != nil {
				return nil, err
			}
			var err error
			if value, err = merged(fields[name], inner); err != nil {
				return nil, err
			}
		}
		fields[name] = value
	}
	return json.Marshal(fields)
}

func isObject(text json.RawMessage) bool { return bytes.HasPrefix(bytes.TrimSpace(text), []byte("{")) }

// revision is a change of a subscription that an event tells of.
type revision struct {
	at            int64
	before, after *subscription
}

// note keeps what an event tells of a subscription or a discount.
func (f *fetch) note(e event) {
	switch {
	case strings.HasPrefix(e.Type, "customer.subscription.") && len(e.Data.Previous) > 0:
		// An event of a version of the API that is not understood teaches nothing, and neither
		// does one of the many that tell of another period or invoice only.
		before, after, err := versions(e)
		if err == nil && !reflect.DeepEqual(withoutPeriods(before), withoutPeriods(after)) {
			f.told[after.ID] = append(f.told[after.ID], revision{e.Created, before, after})
		}
	case strings.HasPrefix(e.Type, "customer.discount."):
		var d discount
		if json.Unmarshal(e.Data.Object, &d) != nil || d.ID == "" {
			return
		}
		if e.Type == "customer.discount.deleted" {
			d.End = 0 // which may be the moment of the deletion
		}
		// The oldest event, which comes last, tells how it was made.
		f.discounts[d.ID] = d
	}
}

func withoutPeriods(sub *subscription) subscription {
	s := *sub
	s.Items.Data = slices.Clone(s.Items.Data)
	for i := range s.Items.Data {
		s.Items.Data[i].CurrentPeriodStart, s.Items.Data[i].CurrentPeriodEnd = 0, 0
	}
	return s
}
