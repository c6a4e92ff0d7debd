package stripe

import (
	"slices"
	"strings"
	"time"
)

// timeline returns what a version of a subscription says of all times. It may need prices and
// coupons that must be read first.
func (f *fetch) timeline(sub *subscription, known past) (*timeline, error) {
	l := &timeline{sub: sub, catalog: f.catalog, since: known.Cut, counts: func(behaviour string) bool {
		return slices.Contains(f.options.CountPaused, behaviour)
	}}
	l.end, l.lapsed = ending(sub), sub.Status == "canceled" && known.Suspended
	var err error
	if l.terms, err = f.terms(sub); err != nil {
		return nil, err
	}
	if l.undated() && l.since == 0 {
		l.since = l.periodStart()
	}
	return l, f.plan(l)
}

// ending returns when a subscription's service has ended or is set to end; 0 for neither.
func ending(sub *subscription) int64 {
	switch {
	case sub.EndedAt > 0:
		return sub.EndedAt
	case sub.Status == "canceled": // of an object that ended before it began
		return max(sub.CanceledAt, sub.StartDate)
	case sub.CancelAt > 0:
		return sub.CancelAt
	}
	end := int64(0)
	if sub.CancelAtPeriodEnd {
		for _, it := range sub.Items.Data {
			end = max(end, it.CurrentPeriodEnd)
		}
	}
	return end
}

// terms returns what a version of a subscription is paid for.
func (f *fetch) terms(sub *subscription) (terms, error) {
	t := terms{taxes: sub.DefaultTaxRates, items: slices.Clone(sub.Items.Data)}
	for i, it := range t.items {
		found, err := f.whole(it.Discounts)
		if err != nil {
			return t, err
		}
		t.items[i].Discounts = found
	}
	found, err := f.whole(sub.Discounts)
	if err != nil {
		return t, err
	}
	for _, d := range found {
		t.discounts = append(t.discounts, *d.Object)
	}
	if sub.Discount != nil && len(found) == 0 {
		t.discounts = append(t.discounts, *sub.Discount)
	}
	t.inherit(sub)
	return t, nil
}

// inherit adds the discount of a subscription's customer, which is for terms that have none.
func (t *terms) inherit(sub *subscription) {
	if c := sub.Customer.Object; c != nil && c.Discount != nil && len(t.discounts) == 0 {
		t.discounts = []discount{*c.Discount}
	}
}

// whole returns discounts as objects.
func (f *fetch) whole(list []reference[discount]) ([]reference[discount], error) {
	list = slices.Clone(list)
	for i, d := range list {
		if d.Object != nil {
			f.discounts[d.ID] = *d.Object
			continue
		}
		known, ok := f.discounts[d.ID]
		if !ok {
			return nil, errDiscount
		}
		list[i].Object = &known
	}
	return list, nil
}

// plan adds the phases of a subscription's schedules.
func (f *fetch) plan(l *timeline) error {
	for _, s := range f.schedules[l.sub.ID] {
		over := max(s.CanceledAt, s.CompletedAt, s.ReleasedAt)
		for _, p := range s.Phases {
			begun := p.StartDate <= f.now
			if over > 0 && p.StartDate >= over || !begun && s.Status != "active" {
				continue
			}
			seg, err := f.segment(l.sub, p)
			if err != nil {
				return err
			}
			if begun {
				l.begun = append(l.begun, seg)
			} else {
				l.planned = append(l.planned, seg)
			}
		}
		if n := len(s.Phases); s.Status == "active" && s.EndBehavior == "cancel" && n > 0 && l.end == 0 {
			l.end = s.Phases[n-1].EndDate
		}
	}
	return nil
}

// segment returns a schedule's phase with its prices and discounts.
func (f *fetch) segment(sub *subscription, p phase) (segment, error) {
	seg := segment{from: p.StartDate, trialEnd: p.TrialEnd, terms: terms{taxes: p.DefaultTaxRates}}
	if p.Trial {
		seg.trialEnd = p.EndDate
	}
	if len(seg.terms.taxes) == 0 {
		seg.terms.taxes = sub.DefaultTaxRates
	}
	var err error
	if seg.terms.discounts, err = f.phaseDiscounts(p.Discounts, p.StartDate); err != nil {
		return seg, err
	}
	seg.terms.inherit(sub)
	for _, it := range p.Items {
		found, err := f.catalog.price(it.Price.ID, strings.ToLower(sub.Currency))
		if err != nil {
			return seg, err
		}
		planned := item{Price: *found, Quantity: it.Quantity, TaxRates: it.TaxRates}
		list, err := f.phaseDiscounts(it.Discounts, p.StartDate)
		if err != nil {
			return seg, err
		}
		for _, d := range list {
			planned.Discounts = append(planned.Discounts, reference[discount]{ID: d.ID, Object: &d})
		}
		seg.terms.items = append(seg.terms.items, planned)
	}
	return seg, nil
}

// phaseDiscounts returns the discounts that exist, and those that coupons will become.
func (f *fetch) phaseDiscounts(list []phaseDiscount, start int64) ([]discount, error) {
	var found []discount
	for _, d := range list {
		switch {
		case d.Discount.ID != "":
			known, ok := f.discounts[d.Discount.ID]
			if d.Discount.Object != nil {
				known, ok = *d.Discount.Object, true
			}
			if !ok {
				return nil, errDiscount
			}
			found = append(found, known)
		case d.Coupon.ID != "":
			cp, err := f.catalog.coupon(d.Coupon.ID, d.Coupon.Object)
			if err != nil {
				return nil, err
			}
			made := discount{Start: start, Coupon: cp}
			if cp.Duration == "repeating" {
				made.End = time.Unix(start, 0).UTC().AddDate(0, cp.DurationInMonths, 0).Unix()
			}
			found = append(found, made)
		default: // a promotion code, whose coupon is not told
			return nil, errDiscount
		}
	}
	return found, nil
}
