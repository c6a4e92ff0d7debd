package stripe

import (
	"testing"
	"testing/synctest"
	"time"

	fakestripe "github.com/b2bexporter/b2b_exporter/internal/fake/stripe"
)

// TestSchedules tells a history that is planned, also what has been.
func TestSchedules(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPoller(t, nil)
		p.catalog()
		p.server.KeepEvents = 0
		start := time.Now()
		at := func(days int) time.Time { return start.Add(time.Duration(days) * day) }
		p.server.AddSubscription(start, fakestripe.Subscription{ID: "sub_1", Customer: "cus_1", Currency: "eur", Items: items("month20", 1)})
		sched := fakestripe.Schedule{
			ID: "sub_sched_1", Customer: "cus_1", Subscription: "sub_1", EndBehavior: "cancel",
			Phases: []fakestripe.Phase{
				{Start: start, End: at(50), Items: items("month10", 1)},
				{Start: at(50), End: at(100), Items: items("month20", 1)},
				{Start: at(100), End: at(200), Items: items("month20", 3), Coupons: []string{"half3"}},
				{Start: at(200), End: at(300), TrialEnd: at(210), Items: items("graduated", 15)},
			},
		}
		p.server.PutSchedule(start, sched)
		time.Sleep(60 * day)
		const begun = "active, 0d 10, 50d 20, 100d 30, "
		if got, want := p.history(start, "sub_1"), begun+"191d 60, 200d 0, 210d 175, 300d 0"; got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
		p.server.KeepEvents = 30 * day
		time.Sleep(day)
		sched.EndBehavior, sched.Phases = "release", sched.Phases[:3]
		p.server.PutSchedule(time.Now(), sched)
		if got, want := p.history(start, "sub_1"), begun+"191d 60"; got != want {
			t.Errorf("with a shorter plan: got %s, want %s", got, want)
		}
		time.Sleep(day)
		sched.Status, sched.ReleasedAt = "released", time.Now()
		p.server.PutSchedule(time.Now(), sched)
		if got, want := p.history(start, "sub_1"), "active, 0d 10, 50d 20"; got != want {
			t.Errorf("released: got %s, want %s", got, want)
		}
		time.Sleep(100 * day)
		if got, want := p.history(start, "sub_1"), "active, 0d 10, 50d 20"; got != want {
			t.Errorf("released, from the listing: got %s, want %s", got, want)
		}
	})
}

// TestTrialPhases has phases that are trials as a whole: the first paid time lies between two.
func TestTrialPhases(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPoller(t, nil)
		p.server.KeepEvents = 0
		start := time.Now()
		at := func(days int) time.Time { return start.Add(time.Duration(days) * day) }
		p.server.AddSubscription(start, fakestripe.Subscription{ID: "sub_1", Customer: "cus_1", Currency: "eur", Items: items("month10", 1), TrialEnd: at(30)})
		p.server.PutSchedule(start, fakestripe.Schedule{Customer: "cus_1", Subscription: "sub_1", Phases: []fakestripe.Phase{
			{Start: start, End: at(30), Trial: true, Items: items("month10", 1)},
			{Start: at(30), End: at(60), Items: items("month10", 1)},
			{Start: at(60), End: at(90), Trial: true, Items: items("month20", 1)},
			{Start: at(90), End: at(120), Items: items("month20", 1)},
		}})
		const steps = "0d 0, 30d 10, 60d 0, 90d 20"
		if got, want := p.history(start, "sub_1"), "trialing, "+steps; got != want {
			t.Errorf("before the second trial: got %s, want %s", got, want)
		}
		time.Sleep(95 * day)
		// A subscription tells its latest trial only.
		p.server.ChangeSubscription("sub_1", time.Now(), func(s *fakestripe.Subscription) {
			s.Status, s.TrialStart, s.TrialEnd, s.Items = "active", at(60), at(90), items("month20", 1)
		})
		if got, want := p.history(start, "sub_1"), "active, "+steps; got != want {
			t.Errorf("after the second trial: got %s, want %s", got, want)
		}
	})
}

// TestCustomerDiscount gives a customer a discount, which holds for subscriptions without one.
func TestCustomerDiscount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPoller(t, nil)
		p.catalog()
		start := time.Now()
		customer := p.server.AddCustomer(start, fakestripe.Customer{Discount: &fakestripe.Discount{Coupon: "half3"}})
		for _, id := range []string{"sub_1", "sub_2"} {
			s := fakestripe.Subscription{ID: id, Customer: customer, Currency: "eur", Items: items("month10", 1)}
			if id == "sub_2" {
				s.Discounts = []fakestripe.Discount{{Coupon: "euro"}}
			}
			p.server.AddSubscription(start, s)
		}
		if got := p.history(start, "sub_1"); got != "active, 0d 5, 91d 10" {
			t.Errorf("without a discount of its own: %s", got)
		}
		if got := p.history(start, "sub_2"); got != "active, 0d 9" {
			t.Errorf("with one: %s", got)
		}
	})
}

// TestCustomerDiscountInPhases reads, before and after a phase has ended, a schedule whose phases
// have the discount of the customer, but for one that has its own.
func TestCustomerDiscountInPhases(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPoller(t, nil)
		p.catalog()
		start := time.Now()
		at := func(days int) time.Time { return start.Add(time.Duration(days) * day) }
		customer := p.server.AddCustomer(start, fakestripe.Customer{Discount: &fakestripe.Discount{Coupon: "half"}})
		p.server.AddSubscription(start, fakestripe.Subscription{ID: "sub_1", Customer: customer, Currency: "eur", Items: items("month10", 1)})
		p.server.PutSchedule(start, fakestripe.Schedule{Customer: customer, Subscription: "sub_1", Phases: []fakestripe.Phase{
			{Start: start, End: at(30), Items: items("month10", 1)},
			{Start: at(30), End: at(100), Items: items("month10", 1)},
			{Start: at(100), End: at(200), Items: items("month10", 1), Coupons: []string{"euro"}},
		}})
		for _, days := range []time.Duration{0, 40} {
			time.Sleep(days * day)
			if got, want := p.history(start, "sub_1"), "active, 0d 5, 100d 9"; got != want {
				t.Errorf("on day %d: got %s, want %s", days, got, want)
			}
		}
	})
}
