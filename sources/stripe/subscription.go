package stripe

import (
	"context"
	"encoding/json"
	"net/url"
	"strings"
	"time"

	"github.com/b2bexporter/b2b_exporter/internal/record"
)

// subscriptionRecord makes a subscription of a subscription; none of one that has not begun.
// scheduled says that the schedules were read.
func (f *fetch) subscriptionRecord(ctx context.Context, o object, scheduled bool) (record.Record, int, error) {
	var sub subscription
	if err := decode(o, &sub); err != nil {
		return nil, 0, err
	}
	if sub.Status == "incomplete" || sub.Status == "incomplete_expired" {
		return nil, 0, nil
	}
	if sub.StartDate == 0 || sub.Currency == "" {
		return nil, 0, &valueError{"bad value", "start_date, currency", "are missing"}
	}
	if customer := sub.Customer.ID; !scheduled && customer != "" && !f.planned[customer] {
		if err := f.readSchedules(ctx, url.Values{"customer": {customer}}); err != nil {
			return nil, 0, err
		}
		f.planned[customer] = true
	}
	if sub.Items.HasMore {
		if err := f.readItems(ctx, &sub); err != nil {
			return nil, 0, err
		}
	}
	for _, d := range sub.Discounts {
		if d.Object != nil {
			f.discounts[d.ID] = *d.Object
		}
	}
	if err := f.learn(ctx, &sub); err != nil {
		return nil, 0, err
	}
	r := &record.Subscription{
		Meta: record.Meta{ID: sub.ID}, Customer: record.RefTo(sub.Customer.ID),
		StartedAt: moment(sub.StartDate), Currency: strings.ToUpper(sub.Currency),
	}
	var rounded int
	err := f.catalog.resolve(ctx, func() error {
		known := f.cursor.Known[sub.ID]
		l, err := f.timeline(&sub, known)
		if err != nil {
			return err
		}
		var steps []step
		if steps, rounded, err = l.steps(known); err != nil {
			return err
		}
		r.History, r.State = changes(steps), state(l)
		return nil
	})
	if err != nil {
		return nil, 0, err
	}
	if sub.Status == "canceled" {
		r.EndedAt = moment(ending(&sub))
	}
	return r, rounded, nil
}

// state returns the state of a subscription. One that is paused has none of those that are
// counted, though it may be taken up again.
func state(l *timeline) string {
	switch l.sub.Status {
	case "canceled", "paused":
		return record.SubscriptionEnded
	case "unpaid":
		return record.SubscriptionPastDue
	}
	if l.undated() {
		return record.SubscriptionEnded
	}
	switch l.sub.Status {
	case "trialing":
		return record.SubscriptionTrialing
	case "past_due":
		return record.SubscriptionPastDue
	}
	return record.SubscriptionActive
}

// moment returns a time; null for 0.
func moment(seconds int64) record.Instant {
	if seconds == 0 {
		return record.Instant{}
	}
	return record.At(time.Unix(seconds, 0))
}

// readItems reads all items of a subscription, of which its own list holds only the first.
func (f *fetch) readItems(ctx context.Context, sub *subscription) error {
	sub.Items = list[item]{}
	query := expanding(url.Values{"subscription": {sub.ID}}, "", []string{"data.discounts"})
	return f.each(ctx, "/v1/subscription_items", "subscription_item", query, "", func(part []object, _ bool) error {
		for _, o := range part {
			var it item
			if err := json.Unmarshal(o.text, &it); err != nil {
				return &valueError{"bad value", "items", "cannot be read"}
			}
			sub.Items.Data = append(sub.Items.Data, it)
		}
		return nil
	})
}
