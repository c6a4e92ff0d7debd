package stripe

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	fakestripe "github.com/b2bexporter/b2b_exporter/internal/fake/stripe"
	"github.com/b2bexporter/b2b_exporter/sources/internal/cursors"
)

// TestChanges changes a subscription from day to day, and reads it in different ways.
func TestChanges(t *testing.T) {
	type change func(p *poller, s *fakestripe.Subscription)
	quantity := func(n int64) change {
		return func(_ *poller, s *fakestripe.Subscription) { s.Items[0].Quantity = n }
	}
	status := func(text string) change {
		return func(_ *poller, s *fakestripe.Subscription) { s.Status = text }
	}
	pause := func(behavior string) change {
		return func(_ *poller, s *fakestripe.Subscription) {
			if s.Pause = nil; behavior != "" {
				s.Pause = &fakestripe.Pause{Behavior: behavior}
			}
		}
	}
	renew := func(_ *poller, s *fakestripe.Subscription) { s.PeriodStart = time.Now() }
	discounts := func(coupons ...string) change {
		return func(_ *poller, s *fakestripe.Subscription) {
			before := s.Discounts
			s.Discounts = nil
			for _, c := range coupons {
				d := fakestripe.Discount{Coupon: c}
				if i := slices.IndexFunc(before, func(old fakestripe.Discount) bool { return old.Coupon == c }); i >= 0 {
					d = before[i]
				}
				s.Discounts = append(s.Discounts, d)
			}
		}
	}
	for name, test := range map[string]struct {
		first   fakestripe.Subscription
		changes map[int]change // by day
		want    string         // on day 25
		late    string         // the same when nothing was read for 60 days, where it differs
	}{
		"more and fewer": {
			first:   fakestripe.Subscription{Items: items("month10", 1)},
			changes: map[int]change{3: quantity(5), 7: renew, 9: quantity(2)},
			want:    "active, 0d 10, 3d 50, 9d 20", late: "active, 0d 20",
		},
		"another price, on the same item": {
			first: fakestripe.Subscription{Items: items("month10", 1)},
			changes: map[int]change{4: func(_ *poller, s *fakestripe.Subscription) {
				s.Items[0].Price = "year1200"
			}},
			want: "active, 0d 10, 4d 100", late: "active, 0d 100",
		},
		"a second item, gone again": {
			first: fakestripe.Subscription{Items: items("month10", 1)},
			changes: map[int]change{
				4: func(_ *poller, s *fakestripe.Subscription) {
					s.Items = append(s.Items, fakestripe.Item{Price: "month20", Quantity: 1})
				},
				5: func(_ *poller, s *fakestripe.Subscription) { s.Items = s.Items[:1] },
			},
			want: "active, 0d 10, 4d 30, 5d 10", late: "active, 0d 10",
		},
		"paused and taken up": {
			first:   fakestripe.Subscription{Items: items("month10", 1)},
			changes: map[int]change{3: pause("void"), 8: renew, 12: pause("")},
			want:    "active, 0d 10, 3d 0, 12d 10", late: "active, 0d 10",
		},
		"paused, and paused otherwise": {
			first:   fakestripe.Subscription{Items: items("month10", 1)},
			changes: map[int]change{3: pause("void"), 8: pause("mark_uncollectible")},
			want:    "ended, 0d 10, 3d 0", late: "ended, 0d 0",
		},
		"unpaid after failures, then paid": {
			first: fakestripe.Subscription{Items: items("month10", 1)},
			changes: map[int]change{
				3: status("past_due"), 10: status("unpaid"), 20: status("active"),
			},
			want: "active, 0d 10, 10d 0, 20d 10", late: "active, 0d 10",
		},
		"a first payment that took two days": {
			first:   fakestripe.Subscription{Items: items("month10", 1), Status: "incomplete"},
			changes: map[int]change{2: status("active")},
			want:    "active, 0d 0, 2d 10", late: "active, 0d 10",
		},
		"a trial cut short": {
			first: fakestripe.Subscription{Items: items("month10", 1), TrialEnd: time.Date(2000, 1, 15, 0, 0, 0, 0, time.UTC)},
			changes: map[int]change{5: func(_ *poller, s *fakestripe.Subscription) {
				s.Status, s.TrialEnd = "active", time.Now()
			}},
			want: "active, 0d 0, 5d 10",
		},
		"a trial made longer, then paid": {
			first: fakestripe.Subscription{Items: items("month10", 1), TrialEnd: time.Date(2000, 1, 8, 0, 0, 0, 0, time.UTC)},
			changes: map[int]change{
				5:  func(_ *poller, s *fakestripe.Subscription) { s.TrialEnd = time.Date(2000, 1, 11, 0, 0, 0, 0, time.UTC) },
				10: func(_ *poller, s *fakestripe.Subscription) { s.Status = "active" },
			},
			want: "active, 0d 0, 10d 10",
		},
		"a discount taken away, one given": {
			first:   fakestripe.Subscription{Items: items("month10", 1), Discounts: []fakestripe.Discount{{Coupon: "euro"}}},
			changes: map[int]change{3: discounts("half3"), 6: discounts("half3", "euro")},
			want:    "active, 0d 9, 3d 5, 6d 4, 94d 9", late: "active, 0d 10, 3d 5, 6d 4, 94d 9",
		},
		"a discount taken away": {
			first:   fakestripe.Subscription{Items: items("month10", 1), Discounts: []fakestripe.Discount{{Coupon: "euro"}}},
			changes: map[int]change{3: discounts()},
			want:    "active, 0d 9, 3d 10", late: "active, 0d 10",
		},
		"unpaid until it ended": {
			first: fakestripe.Subscription{Items: items("month10", 1)},
			changes: map[int]change{
				10: status("unpaid"), 15: renew, 20: func(_ *poller, s *fakestripe.Subscription) {
					s.Status, s.EndedAt, s.CanceledAt = "canceled", time.Now(), time.Now()
				},
			},
			want: "ended, 0d 10, 10d 0", late: "ended, 0d 10, 20d 0",
		},
		"paused until it ended": {
			first: fakestripe.Subscription{Items: items("month10", 1)},
			changes: map[int]change{
				10: pause("void"), 15: renew, 20: func(_ *poller, s *fakestripe.Subscription) {
					s.Status, s.EndedAt, s.CanceledAt = "canceled", time.Now(), time.Now()
				},
			},
			want: "ended, 0d 10, 10d 0", late: "ended, 0d 10, 15d 0",
		},
		"set to end and then not": {
			first: fakestripe.Subscription{Items: items("month10", 1)},
			changes: map[int]change{
				3: func(_ *poller, s *fakestripe.Subscription) { s.CancelAt = time.Now().Add(30 * day) },
				6: func(_ *poller, s *fakestripe.Subscription) { s.CancelAt = time.Time{} },
			},
			want: "active, 0d 10",
		},
		"changed, then set to end": {
			first: fakestripe.Subscription{Items: items("month10", 1)},
			changes: map[int]change{
				3: quantity(2),
				6: func(_ *poller, s *fakestripe.Subscription) { s.CancelAt = time.Now().Add(30 * day) },
			},
			want: "active, 0d 10, 3d 20, 36d 0", late: "active, 0d 20, 36d 0",
		},
	} {
		if test.late == "" {
			test.late = test.want
		}
		for _, how := range []string{"daily", "once on day 25", "daily, then without events", "after 60 days"} {
			t.Run(name+"/"+how, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					p := newPoller(t, nil)
					p.catalog()
					start := time.Now()
					s := test.first
					s.ID, s.Customer, s.Currency = "sub_1", "cus_1", "eur"
					p.server.AddSubscription(start, s)
					for d := 1; d <= 25; d++ {
						time.Sleep(day)
						if c := test.changes[d]; c != nil {
							p.server.ChangeSubscription("sub_1", time.Now(), func(s *fakestripe.Subscription) { c(p, s) })
						}
						if strings.HasPrefix(how, "daily") {
							p.open(nil)
							p.Poll("subscription")
						}
					}
					want := test.want
					switch how {
					case "daily, then without events":
						time.Sleep(100 * day)
					case "after 60 days":
						time.Sleep(60 * day)
						want = test.late
					}
					if got := p.history(start, "sub_1"); got != want {
						t.Errorf("got  %s\nwant %s", got, want)
					}
				})
			})
		}
	}
}

// TestNoEventsLeft changes a subscription while nothing is read for longer than events are kept,
// and before the next sweep is due.
func TestNoEventsLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPoller(t, func(o *Options) { o.SweepEvery = 90 * day })
		start := time.Now()
		p.server.AddSubscription(start, fakestripe.Subscription{ID: "sub_1", Customer: "cus_1", Currency: "eur", Items: items("month10", 1)})
		if got := p.history(start, "sub_1"); got != "active, 0d 10" {
			t.Errorf("at first: %s", got)
		}
		time.Sleep(5 * day)
		p.server.ChangeSubscription("sub_1", time.Now(), func(s *fakestripe.Subscription) { s.Items[0].Quantity = 2 })
		time.Sleep(35 * day)
		if got := p.history(start, "sub_1"); got != "active, 0d 20" {
			t.Errorf("35 days after the change: %s", got)
		}
	})
}

func TestEndings(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPoller(t, nil)
		start := time.Now()
		for _, id := range []string{"sub_1", "sub_2", "sub_3"} {
			customer := p.server.AddCustomer(start, fakestripe.Customer{})
			p.server.AddSubscription(start, fakestripe.Subscription{ID: id, Customer: customer, Currency: "eur", Items: items("month10", 1)})
			if id == "sub_3" {
				defer func() {
					time.Sleep(day)
					p.server.DeleteCustomer(customer, time.Now())
					p.Poll("customer")
					if p.Held["customer"][customer] != nil {
						t.Error("a deleted customer is held")
					}
					if got := p.history(start, id); got != "ended, 0d 10, 4d 0" {
						t.Errorf("the subscription of a deleted customer: %s", got)
					}
				}()
			}
		}
		p.Poll("customer")
		p.Poll("subscription")
		time.Sleep(2 * day)
		p.server.Cancel("sub_1", time.Now())
		if got := p.history(start, "sub_1"); got != "ended, 0d 10, 2d 0" {
			t.Errorf("cancelled: %s", got)
		}
		p.server.RemoveSubscription("sub_2")
		time.Sleep(day)
		p.Poll("subscription")
		if p.Held["subscription"]["sub_2"] != nil {
			t.Error("a subscription that is not listed any more is held after a sweep")
		}
	})
}

func TestManyItems(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPoller(t, nil)
		p.catalog()
		start := time.Now()
		var list []fakestripe.Item
		for range 45 {
			list = append(list, fakestripe.Item{Price: "month10", Quantity: 1, Discounts: []fakestripe.Discount{{Coupon: "euro"}}})
		}
		p.server.AddSubscription(start, fakestripe.Subscription{ID: "sub_1", Customer: "cus_1", Currency: "eur", Items: list})
		if got := p.history(start, "sub_1"); got != "active, 0d 405" {
			t.Errorf("got %s", got)
		}
	})
}

func TestDeletedCoupon(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPoller(t, nil)
		p.catalog()
		start := time.Now()
		s := fakestripe.Subscription{ID: "sub_1", Customer: "cus_1", Currency: "eur", Items: items("month10", 1), Discounts: []fakestripe.Discount{{Coupon: "euro"}}}
		p.server.AddSubscription(start, s)
		p.server.DeleteCoupon("euro")
		if got := p.history(start, "sub_1"); got != "active, 0d 9" || len(p.Rejected) > 0 {
			t.Errorf("got %s, rejected %v", got, p.Rejected)
		}
		// Of an item's discount the vendor gives no coupon with it.
		p.server.ChangeSubscription("sub_1", time.Now(), func(s *fakestripe.Subscription) {
			s.Items[0].Discounts, s.Discounts = s.Discounts, nil
		})
		p.Poll("subscription")
		if len(p.Rejected) == 0 || p.Rejected[0].Reason != "unknown coupon" || p.Rejected[0].ID != "sub_1" {
			t.Errorf("got %+v, want a rejection for a coupon that is gone", p.Rejected)
		}
	})
}

// TestLastReadIsGone interrupts a first read behind an object that is then deleted.
func TestLastReadIsGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPoller(t, nil)
		ids := make([]string, 150)
		for i := range ids {
			ids[i] = p.server.AddCustomer(time.Now(), fakestripe.Customer{})
		}
		p.Poll("customer")
		p.Cursors["customer"] = cursors.Text(cursor{Began: time.Now().Unix(), After: ids[50]})
		p.server.DeleteCustomer(ids[50], time.Now())
		p.Poll("customer")
		if got := len(p.Held["customer"]); got != 150 { // with cus_1
			t.Errorf("%d customers are held, want 150", got)
		}
	})
}
