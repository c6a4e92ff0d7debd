package stripe

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	fakestripe "github.com/b2bexporter/b2b_exporter/internal/fake/stripe"
	"github.com/b2bexporter/b2b_exporter/internal/record"
)

const day = 24 * time.Hour

// days writes a time as whole days and, where there is more, the rest.
func days(d time.Duration) string {
	if rest := d % day; rest != 0 {
		return fmt.Sprintf("%dd%v", d/day, rest)
	}
	return fmt.Sprintf("%dd", d/day)
}

func amountText(a record.Amount) string {
	if a.IsNull() {
		return "null"
	}
	text := fmt.Sprintf("%d.%06d", a.Micros/1e6, a.Micros%1e6)
	return strings.TrimSuffix(strings.TrimRight(text, "0"), ".")
}

func items(price string, quantity int64) []fakestripe.Item {
	return []fakestripe.Item{{ID: "si_1", Price: price, Quantity: quantity}}
}

// TestHistory tells what the history of a subscription is that began long before the first
// read, without any event.
func TestHistory(t *testing.T) {
	type sub = fakestripe.Subscription
	at := func(start time.Time, days int) time.Time { return start.Add(time.Duration(days) * day) }
	for name, test := range map[string]struct {
		make  func(start time.Time) sub
		after int // days until it is read
		want  string
	}{
		// Worked example 16: 1,200 a year, 300 a quarter and 12 a week are 100, 100 and 52 a month.
		"worked example 16: an annual subscription of 1,200": {func(time.Time) sub { return sub{Items: items("year1200", 1)} }, 100, "active, 0d 100"},
		"worked example 16: a quarterly one of 300":          {func(time.Time) sub { return sub{Items: items("quarter300", 1)} }, 100, "active, 0d 100"},
		"worked example 16: a weekly one of 12":              {func(time.Time) sub { return sub{Items: items("week12", 1)} }, 100, "active, 0d 52"},
		"all together, past due": {func(time.Time) sub {
			return sub{Status: "past_due", Items: append(append(items("year1200", 2), items("week12", 1)...), items("month10", 3)...)}
		}, 100, "past_due, 0d 282"},
		"a trial that is over": {func(s time.Time) sub {
			return sub{Items: items("month10", 1), TrialEnd: at(s, 14), Status: "active"}
		}, 100, "active, 0d 0, 14d 10"},
		"a trial that runs": {func(s time.Time) sub {
			return sub{Items: items("month10", 1), TrialEnd: at(s, 14)}
		}, 3, "trialing, 0d 0, 14d 10"},
		"a trial that will be cancelled": {func(s time.Time) sub {
			return sub{Items: items("month10", 1), TrialEnd: at(s, 14), CancelAt: at(s, 14)}
		}, 3, "trialing, 0d 0"},
		"a trial that led to nothing": {func(s time.Time) sub {
			return sub{Items: items("month10", 1), TrialEnd: at(s, 14), Status: "paused"}
		}, 20, "ended, 0d 0"},
		"set to end": {func(s time.Time) sub {
			return sub{Items: items("month10", 1), CancelAtPeriodEnd: true, CanceledAt: at(s, 5), PeriodEnd: at(s, 31)}
		}, 10, "active, 0d 10, 31d 0"},
		"ended later than asked for": {func(s time.Time) sub {
			return sub{Items: items("month10", 1), Status: "canceled", CanceledAt: at(s, 5), CancelAt: at(s, 30), EndedAt: at(s, 31)}
		}, 100, "ended, 0d 10, 31d 0"},
		"ended in its trial": {func(s time.Time) sub {
			return sub{Items: items("month10", 1), TrialEnd: at(s, 14), Status: "canceled", CanceledAt: at(s, 5), EndedAt: at(s, 5)}
		}, 100, "ended, 0d 0"},
		"a discount of three months and one for ever": {func(s time.Time) sub {
			return sub{Items: items("month10", 1), Discounts: []fakestripe.Discount{{Coupon: "half3", End: at(s, 92)}, {Coupon: "euro"}}}
		}, 10, "active, 0d 4, 92d 9"},
		"a discount for one invoice": {func(time.Time) sub {
			return sub{Items: items("month10", 1), Discounts: []fakestripe.Discount{{Coupon: "once"}}}
		}, 10, "active, 0d 10"},
		"a discount given later": {func(s time.Time) sub {
			return sub{Items: items("month10", 1), Discounts: []fakestripe.Discount{{Coupon: "euro", Start: at(s, 40)}}}
		}, 100, "active, 0d 10, 40d 9"},
		"a discount on one item, then one on all": {func(time.Time) sub {
			list := append(items("month10", 1), items("month20", 1)...)
			list[1].Discounts = []fakestripe.Discount{{Coupon: "euro"}}
			return sub{Items: list, Discounts: []fakestripe.Discount{{Coupon: "half3", End: time.Now().Add(10 * day)}}}
		}, 5, "active, 0d 14.5, 10d 29"},
		"a discount on other products": {func(time.Time) sub {
			return sub{Items: append(items("month10", 1), items("month20", 1)...), Discounts: []fakestripe.Discount{{Coupon: "only20"}}}
		}, 5, "active, 0d 20"},
		"a discount beyond the price": {func(time.Time) sub {
			return sub{Items: items("month10", 1), Discounts: []fakestripe.Discount{{Coupon: "euro100"}}}
		}, 5, "active, 0d 0"},
		"an amount off each year": {func(time.Time) sub {
			return sub{Items: items("year1200", 1), Discounts: []fakestripe.Discount{{Coupon: "euro100"}}}
		}, 5, "active, 0d 91.666667"},
		"an amount off a free item": {func(time.Time) sub {
			return sub{Items: items("free", 1), Discounts: []fakestripe.Discount{{Coupon: "euro"}}}
		}, 5, "active, 0d 0"},
		"an amount off no item": {func(time.Time) sub {
			return sub{Items: items("month10", 0), Discounts: []fakestripe.Discount{{Coupon: "euro"}}}
		}, 5, "active, 0d 0"},
		"an amount off what was free by another discount": {func(time.Time) sub {
			return sub{Items: items("month10", 1), Discounts: []fakestripe.Discount{{Coupon: "all"}, {Coupon: "euro"}}}
		}, 5, "active, 0d 0"},
		"an amount off a free item, none off the one beside it": {func(time.Time) sub {
			list := append(items("free", 1), items("month10", 1)...)
			list[0].Discounts = []fakestripe.Discount{{Coupon: "euro"}}
			return sub{Items: list}
		}, 5, "active, 0d 10"},
		"an amount off a free item and the one beside it": {func(time.Time) sub {
			return sub{Items: append(items("free", 1), items("month10", 1)...), Discounts: []fakestripe.Discount{{Coupon: "euro"}}}
		}, 5, "active, 0d 9"},
		"a pause that no event tells of": {func(s time.Time) sub {
			return sub{Items: items("month10", 1), PeriodStart: at(s, 61), Pause: &fakestripe.Pause{Behavior: "void"}}
		}, 100, "ended, 0d 10, 61d 0"},
		"a pause with an end": {func(s time.Time) sub {
			return sub{Items: items("month10", 1), PeriodStart: at(s, 61), Pause: &fakestripe.Pause{Behavior: "void", ResumesAt: at(s, 120)}}
		}, 100, "ended, 0d 10, 61d 0, 120d 10"},
		"a pause that counts": {func(s time.Time) sub {
			return sub{Items: items("month10", 1), PeriodStart: at(s, 61), Pause: &fakestripe.Pause{Behavior: "keep_as_draft"}}
		}, 100, "active, 0d 10"},
		"unpaid": {func(s time.Time) sub {
			return sub{Items: items("month10", 1), PeriodStart: at(s, 61), Status: "unpaid"}
		}, 100, "past_due, 0d 10, 61d 0"},
		"unpaid, and a pause with an end": {func(s time.Time) sub {
			return sub{Items: items("month10", 1), PeriodStart: at(s, 61), Status: "unpaid", Pause: &fakestripe.Pause{Behavior: "void", ResumesAt: at(s, 120)}}
		}, 100, "past_due, 0d 10, 61d 0"},
		"paused after a trial, and a pause with an end": {func(s time.Time) sub {
			return sub{
				Items: items("month10", 1), TrialEnd: at(s, 14), PeriodStart: at(s, 14), Status: "paused",
				Pause: &fakestripe.Pause{Behavior: "void", ResumesAt: at(s, 120)},
			}
		}, 100, "ended, 0d 0"},
		"metered usage beside a fee": {func(time.Time) sub {
			return sub{Items: append(items("month10", 1), items("usage", 0)...)}
		}, 5, "active, 0d 10"},
		"yen": {func(time.Time) sub { return sub{Currency: "jpy", Items: items("yen", 2)} }, 5, "active, 0d 2400"},
		"another currency of the price": {func(time.Time) sub {
			return sub{Currency: "kwd", Items: items("many", 1)}
		}, 5, "active, 0d 1.234"},
		"dinar, with a fraction of the smallest unit": {func(time.Time) sub {
			return sub{Currency: "bhd", Items: items("fils", 1)}
		}, 5, "active, 0d 0.0015"},
		"graduated tiers": {func(time.Time) sub { return sub{Items: items("graduated", 15)} }, 5, "active, 0d 175"},
		"volume":          {func(time.Time) sub { return sub{Items: items("volume", 15)} }, 5, "active, 0d 125"},
		"packages":        {func(time.Time) sub { return sub{Items: items("packages", 11)} }, 5, "active, 0d 30"},
		"a price with tax": {func(time.Time) sub {
			list := items("month10", 119)
			list[0].InclusiveTax = "19.0"
			return sub{Items: list}
		}, 5, "active, 0d 1000"},
		"a price that is not known": {func(time.Time) sub { return sub{Items: items("open", 1)} }, 5, "active, 0d null"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := newPoller(t, func(o *Options) { o.CountPaused = []string{"keep_as_draft"} })
				p.catalog()
				p.server.KeepEvents = 0
				start := time.Now()
				s := test.make(start)
				if s.Customer = "cus_1"; s.Currency == "" {
					s.Currency = "eur"
				}
				s.ID = "sub_1"
				p.server.AddSubscription(start, s)
				time.Sleep(time.Duration(test.after) * day)
				if got := p.history(start, "sub_1"); got != test.want {
					t.Errorf("got  %s\nwant %s", got, test.want)
				}
				before := p.Cursors["subscription"]
				time.Sleep(40 * day)
				p.server.ChangeSubscription("sub_1", time.Now(), func(s *fakestripe.Subscription) {
					s.PeriodStart, s.PeriodEnd = time.Now(), time.Now().Add(31*day)
				})
				// Another period makes no other history.
				if got := p.history(start, "sub_1"); got != test.want && !strings.Contains(name, "set to end") {
					t.Errorf("40 days later: got %s\nwant %s\nthe cursor was %s", got, test.want, before)
				}
			})
		})
	}
}

// catalog adds prices and coupons of all kinds.
func (p *poller) catalog() {
	for _, price := range []fakestripe.Price{
		{ID: "usage", Currency: "eur", UnitAmount: "5", Interval: "month", Metered: true},
		{ID: "free", Currency: "eur", UnitAmount: "0", Interval: "month"},
		{ID: "yen", Currency: "jpy", UnitAmount: "1200", Interval: "month"},
		{ID: "many", Currency: "eur", UnitAmount: "400", Interval: "month", Options: map[string]string{"kwd": "1234"}},
		{ID: "fils", Currency: "bhd", UnitAmount: "1.5", Interval: "month"},
		{ID: "open", Currency: "eur", Interval: "month"},
		{ID: "packages", Currency: "eur", UnitAmount: "1000", Interval: "month", DivideBy: 5, RoundUp: true},
		{ID: "graduated", Currency: "eur", Interval: "month", Tiers: []fakestripe.Tier{{UpTo: 10, Unit: "1000"}, {Unit: "500", Flat: "5000"}}},
		{ID: "volume", Currency: "eur", Interval: "month", Volume: true, Tiers: []fakestripe.Tier{{UpTo: 10, Unit: "1000"}, {Unit: "500", Flat: "5000"}}},
	} {
		price.Product = "prod_" + price.ID
		p.server.AddPrice(price)
	}
	for _, c := range []fakestripe.Coupon{
		{ID: "half3", PercentOff: "50", Months: 3},
		{ID: "half", PercentOff: "50"},
		{ID: "all", PercentOff: "100"},
		{ID: "euro", AmountOff: 100, Currency: "eur"},
		{ID: "euro100", AmountOff: 10_000, Currency: "eur"},
		{ID: "once", PercentOff: "100", Once: true},
		{ID: "only20", PercentOff: "50", Products: []string{"prod_month20"}},
	} {
		p.server.AddCoupon(c)
	}
}
