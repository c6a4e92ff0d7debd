package stripe

import (
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	fakestripe "github.com/b2bexporter/b2b_exporter/internal/fake/stripe"
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
