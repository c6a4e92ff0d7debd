package stripe

import (
	"encoding/json"
	"math/big"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	fakestripe "github.com/b2bexporter/b2b_exporter/internal/fake/stripe"
	"github.com/b2bexporter/b2b_exporter/internal/record"
	"github.com/b2bexporter/b2b_exporter/sources/internal/apiclient"
)

func TestMicros(t *testing.T) {
	for _, test := range []struct {
		num, den int64
		currency string
		want     int64
		rounded  bool
	}{
		{1200, 1, "eur", 12_000_000, false},
		{100, 3, "EUR", 333_333, true},
		{200, 3, "eur", 666_667, true},
		{5, 100_000, "eur", 0, true},    // half a micro, to the even 0
		{15, 100_000, "eur", 2, true},   // one and a half, to the even 2
		{25, 100_000, "eur", 2, true},   // two and a half, to the even 2
		{-15, 100_000, "eur", -2, true}, // the same below 0
		{-25_001, 1e8, "eur", -3, true}, // a little more than a half
		{1200, 1, "jpy", 1_200_000_000, false},
		{1234, 1, "kwd", 1_234_000, false},
		{500, 1, "ugx", 5_000_000, false},
	} {
		a, rounded, err := micros(big.NewRat(test.num, test.den), test.currency)
		if err != nil || a != record.Micros(test.want) || rounded != test.rounded {
			t.Errorf("%d/%d %s: got %v, %v, %v; want %d, %v", test.num, test.den, test.currency, a, rounded, err, test.want, test.rounded)
		}
	}
	if _, _, err := micros(new(big.Rat).SetInt64(1e18), "eur"); err == nil {
		t.Error("an amount beyond the range of records is no error")
	}
}

func TestTax(t *testing.T) {
	inclusive, exclusive := taxRate{true, "19.0"}, taxRate{false, "19.0"}
	for name, test := range map[string]struct {
		own, byDefault []taxRate
		want           int64
	}{
		"none":                              {nil, nil, 11_900},
		"on top":                            {[]taxRate{exclusive}, nil, 11_900},
		"included":                          {[]taxRate{inclusive}, nil, 10_000},
		"included, of the subscription":     {nil, []taxRate{inclusive, exclusive}, 10_000},
		"the item's own come first":         {[]taxRate{exclusive}, []taxRate{inclusive}, 11_900},
		"two included ones, of 9.5 and 9.5": {[]taxRate{{true, "9.5"}, {true, "9.5"}}, nil, 10_000},
	} {
		net, err := untaxed(charge{item: item{TaxRates: test.own}, amount: big.NewRat(11_900, 1)}, test.byDefault)
		if err != nil || net.Cmp(big.NewRat(test.want, 1)) != 0 {
			t.Errorf("%s: got %v, %v; want %d", name, net, err, test.want)
		}
	}
}

func TestRounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPoller(t, nil)
		p.server.AddPrice(fakestripe.Price{ID: "week1", Currency: "eur", UnitAmount: "100", Interval: "week"})
		p.server.AddPrice(fakestripe.Price{ID: "day1", Currency: "eur", UnitAmount: "100", Interval: "day", IntervalCount: 2})
		start := time.Now()
		p.server.KeepEvents = 0
		p.server.AddSubscription(start, fakestripe.Subscription{ID: "sub_1", Customer: "cus_1", Currency: "eur", Items: items("week1", 1)})
		time.Sleep(time.Hour)
		if got := p.history(start, "sub_1"); got != "active, 0d 4.333333" || p.Pages[0].Rounded != 1 {
			t.Errorf("a week of 1: got %s, pages %+v", got, p.Pages)
		}
		p.server.AddSubscription(start, fakestripe.Subscription{ID: "sub_2", Customer: "cus_1", Currency: "eur", Items: items("day1", 1)})
		time.Sleep(day)
		if got := p.history(start, "sub_2"); got != "active, 0d 15.21875" {
			t.Errorf("two days of 1: got %s", got)
		}
	})
}

// TestRejected breaks what the vendor answers.
func TestRejected(t *testing.T) {
	for name, test := range map[string]struct{ old, broken, reason, detail string }{
		"an interval":         {`"interval":"month"`, `"interval":"moon"`, "bad interval", "items.price.recurring: interval is none"},
		"an interval's count": {`"interval_count":1`, `"interval_count":0`, "bad interval", "interval_count is not above 0"},
		"an amount":           {`"unit_amount_decimal":"1000"`, `"unit_amount_decimal":"1e99"`, "bad amount", "items.price: "},
		"an amount's text":    {`"unit_amount_decimal":"1000"`, `"unit_amount_decimal":"ten"`, "bad value", "malformed"},
		"a number":            {`"start_date":`, `"start_date":"x","was":`, "bad value", "start_date: is a string"},
		"no currency":         {`"currency":"eur","customer"`, `"currency":"","customer"`, "bad value", "start_date, currency: are missing"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := newPoller(t, nil)
				p.server.KeepEvents = 0
				p.server.AddSubscription(time.Now(), fakestripe.Subscription{ID: "sub_1", Customer: "cus_1", Currency: "eur", Items: items("month10", 1)})
				p.edit = func(path, body string) string {
					if path != "/v1/subscriptions" {
						return body
					}
					if !strings.Contains(body, test.old) {
						t.Fatalf("%s does not hold %s", body, test.old)
					}
					return strings.ReplaceAll(body, test.old, test.broken)
				}
				p.Poll("subscription")
				if len(p.Rejected) != 1 {
					t.Fatalf("got %+v, want one rejection; held are %v", p.Rejected, p.Held)
				}
				r := p.Rejected[0]
				if r.ID != "sub_1" || r.Kind != record.KindSubscription || r.Reason != test.reason || !strings.Contains(r.Detail, test.detail) || r.Where != "subscription sub_1" {
					t.Errorf("got %+v", r)
				}
			})
		})
	}
}

// TestOlderEvents learns from an event of an account whose own version of the API is older.
func TestOlderEvents(t *testing.T) {
	const text = `{"id":"evt_1","type":"customer.subscription.updated","created":1000,"data":{
		"object":{"id":"sub_1","status":"active","currency":"eur","start_date":100,"discount":null,"items":{"data":[
			{"id":"si_1","quantity":2,"price":{"id":"p","currency":"eur","unit_amount":1000,"billing_scheme":"per_unit","recurring":{"interval":"month","interval_count":1,"usage_type":"licensed"}}}]}},
		"previous_attributes":{"quantity":1,"discount":{"id":"di_1","start":100,"end":null,"coupon":{"id":"HALF","duration":"forever","percent_off":50}}}}}`
	var e event
	if err := json.Unmarshal([]byte(text), &e); err != nil {
		t.Fatal(err)
	}
	before, after, err := versions(e)
	if err != nil {
		t.Fatal(err)
	}
	c := newCatalog(nil)
	half := json.Number("50")
	c.coupons["HALF"] = &coupon{ID: "HALF", Duration: "forever", PercentOff: &half}
	f := &fetch{Source: &Source{catalog: c}, discounts: map[string]discount{}, cursor: cursor{Known: map[string]past{}}}
	got, err := f.compare(before, after, past{}, e.Created)
	if err != nil || got.Cut != 1000 || len(got.Steps) != 1 || got.Steps[0].At != 100 || *got.Steps[0].MRR != 10_000_000 {
		t.Errorf("got %+v, %v; want 10 from 100 until 1000", got, err)
	}
}

// TestFakeRefuses shows that the fake refuses what the vendor does.
func TestFakeRefuses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPoller(t, nil)
		types := strings.Repeat("a&types[]=", 20) + "b"
		for _, test := range []struct{ path, part string }{
			{"/v1/customers?lmit=1", "parameter_unknown"},
			{"/v1/customers?limit=101", "between 1 and 100"},
			{"/v1/customers?starting_after=cus_9", "resource_missing"},
			{"/v1/customers/cus_9", "resource_missing"},
			{"/v1/parcels", "Unrecognized request URL"},
			{"/v1/subscriptions?expand[]=data.items.data.price.tiers", "more than 4 levels"},
			{"/v1/subscriptions?expand[]=data.nonsense", "cannot be expanded"},
			{"/v1/subscriptions?expand[]=customer", "cannot be expanded"},
			{"/v1/subscription_items?subscription=sub_9", "resource_missing"},
			{"/v1/events?types[]=" + types, "up to 20 types"},
		} {
			var into object
			_, err := p.source.client.JSON(t.Context(), apiclient.Request{Path: test.path}, &into)
			if err == nil || !strings.Contains(err.Error(), test.part) {
				t.Errorf("GET %s: got %v, want %q in it", test.path, err, test.part)
			}
		}
	})
}
