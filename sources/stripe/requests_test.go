package stripe

import (
	"errors"
	"fmt"
	"reflect"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	fakestripe "github.com/b2bexporter/b2b_exporter/internal/fake/stripe"
	"github.com/b2bexporter/b2b_exporter/internal/record"
	"github.com/b2bexporter/b2b_exporter/sources/internal/apiclient"
	"github.com/b2bexporter/b2b_exporter/sources/sourcetest"
)

// fill makes an account of 250 customers with a subscription each.
func (p *poller) fill(at time.Time) {
	for i := range 249 {
		p.server.AddCustomer(at, fakestripe.Customer{ID: fmt.Sprintf("cus_%d", i+2)})
	}
	for i := range 250 {
		p.server.AddSubscription(at, fakestripe.Subscription{
			ID: fmt.Sprintf("sub_%d", i+1), Customer: fmt.Sprintf("cus_%d", i+1), Currency: "eur", Items: items("month10", 1),
		})
	}
}

// TestRequestsOfADay measures what docs/sources/stripe.md says.
func TestRequestsOfADay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPoller(t, nil)
		p.server.KeepEvents = 0
		p.fill(time.Now())
		time.Sleep(day)
		p.server.KeepEvents = 30 * day
		time.Sleep(30 * day)
		all := func() {
			p.Poll("customer")
			p.Poll("subscription")
		}
		measure := sourcetest.Measure(t, p.server.Requests)
		all()
		measure("the first poll", map[string]int{"/v1/customers": 3, "/v1/subscriptions": 3, "/v1/subscription_schedules": 1, "/v1/events": 3})
		time.Sleep(15 * time.Minute)
		all()
		measure("a poll without changes", map[string]int{"/v1/events": 2})
		p.server.ChangeSubscription("sub_7", time.Now(), func(s *fakestripe.Subscription) { s.Items[0].Quantity = 3 })
		time.Sleep(15 * time.Minute)
		all()
		measure("a poll with one change", map[string]int{"/v1/events": 2, "/v1/subscriptions/{id}": 1, "/v1/subscription_schedules": 1})
		for range 96 {
			time.Sleep(15 * time.Minute)
			all()
		}
		measure("a day without changes", map[string]int{
			"/v1/events": 2 * 96, "/v1/customers": 3, "/v1/subscriptions": 3, "/v1/subscription_schedules": 1,
		})
		if p.statuses[429] > 0 {
			t.Errorf("%d requests were too many", p.statuses[429])
		}
	})
}

func TestLimits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPoller(t, nil)
		p.fill(time.Now())
		begin := time.Now()
		p.Poll("subscription")
		if p.statuses[429] > 0 {
			t.Errorf("%d of %v requests were too many", p.statuses[429], p.statuses)
		}
		if took := time.Since(begin); took > 60*time.Second {
			t.Errorf("%v requests took %v", p.statuses, took)
		}
		p.server.PerSecond = 0
		if limited, ok := errors.AsType[*apiclient.RateLimitedError](p.TryPoll("subscription")); !ok || limited.Quota != "endpoint-rate" {
			t.Errorf("got %v, want the limit", limited)
		}
	})
}

func TestInvoices(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPoller(t, withAll)
		start := time.Now()
		paid := start.Add(day)
		in := fakestripe.Invoice{
			ID: "in_1", Customer: "cus_1", Subscription: "sub_1", Currency: "eur", Country: "de", Status: "draft",
			Subtotal: 10_000, Discount: 1000, Tax: 1710, Shipping: 500,
		}
		p.server.PutInvoice(start, in)
		trial := in
		trial.ID, trial.Subtotal, trial.Discount = "in_2", 0, 0
		p.server.PutInvoice(start, trial)
		p.Poll("order")
		want := &record.Order{
			Meta: record.Meta{ID: "in_1"}, Customer: record.RefTo("cus_1"), PlacedAt: record.At(start), State: record.StateDraft, Currency: "EUR",
			Gross: record.Micros(100_000_000), Discount: record.Micros(10_000_000), Country: "DE", Recurring: true,
		}
		compare := func(when string) {
			t.Helper()
			if diff := cmp.Diff(map[string]record.Record{"in_1": want}, p.Held["order"], cmp.Exporter(func(reflect.Type) bool { return true })); diff != "" {
				t.Errorf("%s: records differ (-want +got):\n%s", when, diff)
			}
		}
		compare("a draft")
		time.Sleep(2 * day)
		in.Status, in.FinalizedAt, in.PaidAt = "paid", start.Add(time.Hour), paid
		p.server.PutInvoice(time.Now(), in)
		p.Poll("order")
		want.State, want.PlacedAt, want.PaidAt = record.StateCounted, record.At(in.FinalizedAt), record.At(paid)
		compare("paid")
		in.Status = "void"
		p.server.PutInvoice(time.Now(), in)
		p.Poll("order")
		want.State = record.StateCancelled
		compare("void")
		p.server.Test = true
		p.server.PutInvoice(time.Now(), in)
		p.Poll("order")
		want.State = record.StateTest
		compare("of test data")
		p.server.DeleteInvoice("in_1", time.Now())
		p.Poll("order")
		if len(p.Held["order"]) > 0 {
			t.Errorf("deleted: %v are held", p.Held["order"])
		}
	})
}
