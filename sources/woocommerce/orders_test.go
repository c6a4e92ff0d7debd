package woocommerce

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	fakewoo "github.com/b2bexporter/b2b_exporter/internal/fake/woocommerce"
	"github.com/b2bexporter/b2b_exporter/internal/record"
)

// mapped returns a source's reading of one order, and of its refunds.
func mapped(t *testing.T, options func(*Options), change func(*fakewoo.Order)) *rig {
	t.Helper()
	r := newRig(t, streamOrder, 10, nil, options)
	r.put(1, begin().Add(-time.Hour), change)
	r.poll()
	return r
}

func TestStates(t *testing.T) {
	want := map[string]string{
		"pending": "counted", "on-hold": "counted", "processing": "counted", "completed": "counted", "refunded": "counted",
		"shipped": "counted", "cancelled": "cancelled", "failed": "cancelled", "trash": "cancelled",
		"checkout-draft": "draft", "draft": "draft", "auto-draft": "draft",
	}
	s := mapped(t, nil, nil).source
	for status, state := range want {
		if got := s.state(status); got != state {
			t.Errorf("%s: %s, want %s", status, got, state)
		}
	}
	s = mapped(t, func(o *Options) {
		o.Statuses = map[string]string{"pending": "draft", "quote-request": "draft", "failed": "counted"}
	}, nil).source
	for status, state := range map[string]string{"pending": "draft", "quote-request": "draft", "failed": "counted", "on-hold": "counted"} {
		if got := s.state(status); got != state {
			t.Errorf("configured: %s: %s, want %s", status, got, state)
		}
	}
}

func TestOrderFields(t *testing.T) {
	r := mapped(t, nil, func(o *fakewoo.Order) {
		o.Currency, o.Paid, o.Shipped, o.Via = "SEK", begin().Add(-30*time.Minute), "NO", "subscription"
		o.Shipping, o.ShippingTax = "9.90", "1.98"
		o.Lines = []fakewoo.Line{
			{ID: 1, Quantity: 3, Subtotal: "166.666667", Total: "150.000001", Tax: "30", Cost: "60.5"},
			{ID: 2, Quantity: 1, Subtotal: "0.1", Tax: "0.02", Cost: "0"}, // 0 is what the shop says where it knows none
		}
		o.Meta = []fakewoo.Meta{
			{Key: "_wc_order_attribution_source_type", Value: "utm"},
			{Key: "_wc_order_attribution_utm_source", Value: "linkedin"},
			{Key: "_wc_order_attribution_utm_medium", Value: "paid_social"},
			{Key: "_wc_order_attribution_utm_campaign", Value: 2026},
			{Key: "plugin", Value: map[string]any{"a": []int{1}}},
		}
	})
	want := &record.Order{
		Meta: record.Meta{ID: "1"}, Customer: record.RefTo("7"), State: record.StateCounted, Currency: "SEK", Country: "NO", Recurring: true,
		PlacedAt: record.At(begin().Add(-time.Hour)), PaidAt: record.At(begin().Add(-30 * time.Minute)),
		Gross: record.Micros(166_766_667), Discount: record.Micros(16_666_666), Cost: record.Micros(60_500_000), CostedNet: record.Micros(150_000_001),
		Touch: record.Touch{Source: "linkedin", Medium: "paid_social", Campaign: "2026"},
	}
	if diff := cmp.Diff(want, r.order(1), cmp.AllowUnexported(record.Amount{}, record.Instant{})); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	r = mapped(t, nil, func(o *fakewoo.Order) { o.Lines = nil })
	if o := r.order(1); o.Gross != record.Micros(0) || !o.Cost.IsNull() || o.Country != "DE" || !o.PaidAt.IsNull() || o.Recurring {
		t.Errorf("an order without lines: %+v", o)
	}
}

func TestGuests(t *testing.T) {
	guest := func(o *fakewoo.Order) { o.Customer, o.Email = 0, " Ann@Acme.example" }
	if got := mapped(t, nil, guest).order(1).Customer; !got.IsNull() {
		t.Errorf("a guest is %v", got)
	}
	byEmail := func(o *Options) { o.Guests = guestsEmail }
	if got := mapped(t, byEmail, guest).order(1).Customer; got.ID != "ann@acme.example" {
		t.Errorf("a guest with an address is %v", got)
	}
	if got := mapped(t, byEmail, func(o *fakewoo.Order) { o.Customer = 0 }).order(1).Customer; !got.IsNull() {
		t.Errorf("a guest without an address is %v", got)
	}
}

func TestCosts(t *testing.T) {
	line := func(l fakewoo.Line) func(*fakewoo.Order) {
		return func(o *fakewoo.Order) { l.ID, l.Quantity, l.Subtotal = 1, 4, "100"; o.Lines = []fakewoo.Line{l} }
	}
	unit := []fakewoo.Meta{{Key: "_cost", Value: "2.50"}}
	for name, test := range map[string]struct {
		options func(*Options)
		line    fakewoo.Line
		want    record.Amount
	}{
		"none":             {nil, fakewoo.Line{}, record.Amount{}},
		"the shop's":       {nil, fakewoo.Line{Cost: "12.345678"}, record.Micros(12_345_678)},
		"a plugin's":       {nil, fakewoo.Line{Meta: []fakewoo.Meta{{Key: "_wc_cog_item_total_cost", Value: 7}}}, record.Micros(7_000_000)},
		"a plugin's, zero": {nil, fakewoo.Line{Cost: "0", Meta: []fakewoo.Meta{{Key: "_wc_cog_item_total_cost", Value: "0"}}}, record.Micros(0)},
		"of a unit":        {func(o *Options) { o.UnitCostMeta = "_cost" }, fakewoo.Line{Meta: unit}, record.Micros(10_000_000)},
		"not configured":   {nil, fakewoo.Line{Meta: unit}, record.Amount{}},
		"the same money":   {func(o *Options) { o.CostCurrency = "eur" }, fakewoo.Line{Cost: "5"}, record.Micros(5_000_000)},
		"other money":      {func(o *Options) { o.CostCurrency = "USD" }, fakewoo.Line{Cost: "5"}, record.Amount{}},
	} {
		if got := mapped(t, test.options, line(test.line)).order(1).Cost; got != test.want {
			t.Errorf("%s: %v, want %v", name, got, test.want)
		}
	}
}

func TestRefundsOfLines(t *testing.T) {
	r := mapped(t, nil, func(o *fakewoo.Order) {
		o.Shipping, o.Shipped = "10", "FR"
		o.Lines = []fakewoo.Line{
			{ID: 11, Quantity: 3, Subtotal: "30", Total: "27", Cost: "12", Meta: []fakewoo.Meta{{Key: "_restock_refunded_items", Value: "2"}}},
			{ID: 12, Quantity: 1, Subtotal: "5"},
		}
		at := begin().Add(-30 * time.Minute)
		o.Refunds = []fakewoo.Refund{
			{ID: 21, At: at, Amount: "9", Lines: []fakewoo.RefundLine{{ID: 31, Item: 11, Quantity: 1, Total: "9"}}},
			{ID: 22, At: at.Add(time.Minute), Amount: "33", Shipping: "10", Lines: []fakewoo.RefundLine{
				{ID: 32, Item: 11, Quantity: 2, Total: "18"}, {ID: 33, Item: 12, Quantity: 1, Total: "5"},
			}},
			{ID: 23, At: at.Add(2 * time.Minute), Amount: "1", Shipping: "1"},
		}
	})
	first := &record.Refund{
		Meta: record.Meta{ID: "21"}, Order: "1", Customer: record.RefTo("7"), Country: "FR", Currency: "EUR", At: record.At(begin().Add(-30 * time.Minute)),
		Amount: record.Micros(9_000_000), Cost: record.Micros(4_000_000), CostedAmount: record.Micros(9_000_000),
	}
	if diff := cmp.Diff(first, r.refund(21), cmp.AllowUnexported(record.Amount{}, record.Instant{})); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	// Two units were restocked in all, and one of them with the first refund.
	second := r.refund(22)
	if second.Amount != record.Micros(23_000_000) || second.Cost != record.Micros(4_000_000) || second.CostedAmount != record.Micros(18_000_000) {
		t.Errorf("the second refund is %+v", second)
	}
	if got := r.refund(23).Amount; got != record.Micros(0) {
		t.Errorf("the product part of refunded shipping is %v", got)
	}
}

// Of a refund that does not say what it is for the product part is that of what is left.
func TestRefundsOfAmounts(t *testing.T) {
	at := begin().Add(-30 * time.Minute)
	order := func(refunds ...fakewoo.Refund) func(*fakewoo.Order) {
		return func(o *fakewoo.Order) { // 100 without tax, 130 with tax and shipping
			o.Lines = []fakewoo.Line{{ID: 11, Quantity: 4, Subtotal: "100", Tax: "20", Cost: "40"}}
			o.Shipping, o.Refunds = "10", refunds
		}
	}
	line := fakewoo.Refund{ID: 21, At: at, Amount: "30", Lines: []fakewoo.RefundLine{{ID: 31, Item: 11, Quantity: 1, Total: "25", Tax: "5"}}}
	goods := fakewoo.Refund{ID: 21, At: at, Amount: "120", Lines: []fakewoo.RefundLine{{ID: 31, Item: 11, Quantity: 4, Total: "100", Tax: "20"}}}
	restocked := fakewoo.Refund{ID: 22, At: at, Amount: "65", Lines: []fakewoo.RefundLine{{ID: 31, Item: 11, Quantity: 2, Total: "0"}}}
	for name, test := range map[string]struct {
		refunds []fakewoo.Refund
		want    int64
	}{
		"all":                        {[]fakewoo.Refund{{ID: 22, At: at, Amount: "130"}}, 100_000_000},
		"half":                       {[]fakewoo.Refund{{ID: 22, At: at, Amount: "65"}}, 50_000_000},
		"what cannot be divided":     {[]fakewoo.Refund{{ID: 22, At: at, Amount: "1"}}, 769_231},
		"the rest after a line":      {[]fakewoo.Refund{line, {ID: 22, At: at, Amount: "100"}}, 75_000_000},
		"the rest after all lines":   {[]fakewoo.Refund{goods, {ID: 22, At: at, Amount: "10"}}, 0},
		"more than was paid":         {[]fakewoo.Refund{{ID: 22, At: at, Amount: "1300"}}, 100_000_000},
		"lines without their amount": {[]fakewoo.Refund{restocked}, 50_000_000},
	} {
		r := mapped(t, nil, order(test.refunds...))
		f := r.refund(22)
		if f.Amount != record.Micros(test.want) || f.CostedAmount != f.Amount || f.Cost != record.Micros(0) {
			t.Errorf("%s: amount %d, costed %d, cost %d; want %d, all of it costed", name, f.Amount.Micros, f.CostedAmount.Micros, f.Cost.Micros, test.want)
		}
	}
}

func TestOrdersThatCannotBeRead(t *testing.T) {
	r := newRig(t, streamOrder, 10, nil, nil)
	r.put(1, begin(), func(o *fakewoo.Order) {
		o.Lines[0].Meta = []fakewoo.Meta{{Key: "_wc_cog_item_total_cost", Value: "1,50"}}
		o.Refunds = []fakewoo.Refund{{ID: 9, At: begin(), Amount: "1"}}
	})
	r.put(2, begin(), nil)
	r.put(3, begin(), func(o *fakewoo.Order) { o.Lines[0].Subtotal, o.Lines[0].Total = "99999999999999", "1" })
	r.poll()
	want := `order 3: bad amount: line_items.subtotal: "99999999999999.000000": amount is beyond the ledger's range of ±9.2 x 10^12` + "\n" +
		`order 1: bad amount: _wc_cog_item_total_cost: "1,50": not a decimal number` + "\n" +
		`refund 9: bad order: _wc_cog_item_total_cost: "1,50": not a decimal number`
	if got := strings.Join(r.rejected(), "\n"); got != want {
		t.Errorf("rejected\n%s\nwant\n%s", got, want)
	}
	r.order(2)
}

// What cannot be read is rejected by its ID, so that a sweep does not take it for deleted.
func TestAnswersOfAnotherForm(t *testing.T) {
	good := `"status":"completed","currency":"EUR","date_created_gmt":"2026-03-01T00:00:00","total":"12","line_items":[`
	line := `{"id":9,"quantity":1,"subtotal":"10","total":"10"}`
	for name, test := range map[string]struct{ order, refunds, want string }{
		"an object instead of a text": {`{"id":1,"status":{},"refunds":[{"id":8}]}`, "", "order 1: bad answer, refund 8: bad order"},
		"a time":                      {`{"id":1,"date_created_gmt":"2026-03-01T00:00:00Z","line_items":[]}`, "", "order 1: bad time"},
		"a quantity":                  {`{"id":1,` + good + `{"id":9,"quantity":null,"subtotal":"1","total":"1"}]}`, "", "order 1: bad quantity"},
		"no amount":                   {`{"id":1,` + good + `{"id":9,"quantity":1,"subtotal":"1"}]}`, "", "order 1: bad amount"},
		"a refund's form":             {`{"id":1,` + good + line + `],"refunds":[{"id":8}]}`, `[{"id":8,"amount":3}]`, "refund 8: bad answer"},
		"a refund's amount":           {`{"id":1,` + good + line + `],"refunds":[{"id":8}]}`, `[{"id":8,"amount":""}]`, "refund 8: bad amount"},
		"all is well":                 {`{"id":1,` + good + line + `],"refunds":[{"id":8}]}`, `[{"id":8,"amount":"6"}]`, ""},
	} {
		r := newRig(t, streamOrder, 10, nil, nil)
		r.onRequest = func(a asked) *http.Response {
			switch {
			case strings.HasSuffix(a.path, "/refunds"):
				return answer(200, "application/json", test.refunds)
			case a.query.Get("status") == "any":
				return answer(200, "application/json", "["+test.order+"]")
			}
			return nil
		}
		r.poll()
		var got []string
		for _, p := range r.pages {
			for _, j := range p.Rejected {
				got = append(got, j.Where+": "+j.Reason)
			}
		}
		if text := strings.Join(got, ", "); text != test.want {
			t.Errorf("%s: rejected %q, want %q", name, text, test.want)
		}
	}
	r := newRig(t, streamCustomer, 10, nil, nil)
	r.onRequest = func(asked) *http.Response {
		return answer(200, "application/json", `[{"id":1,"email":{}},{"id":2,"date_created_gmt":"yesterday"},{"id":3,"email":"a@b.example"}]`)
	}
	r.poll()
	if got := r.rejected(); len(got) != 2 || len(r.got) != 1 {
		t.Errorf("rejected %q, delivered %v", got, r.got)
	}
}

func TestAnOrderThatVanishesMeanwhile(t *testing.T) {
	r := newRig(t, streamOrder, 10, nil, nil)
	for _, n := range []int{1, 2} {
		r.put(n, begin(), func(o *fakewoo.Order) { o.Refunds = []fakewoo.Refund{{ID: int64(n + 10), At: begin(), Amount: "1"}} })
	}
	r.onRequest = func(a asked) *http.Response {
		if strings.HasSuffix(a.path, "/1/refunds") {
			r.shop.DeleteOrder(1)
		}
		return nil
	}
	r.poll()
	if r.got["order 1"] != nil || r.got["order 2"] == nil {
		t.Errorf("got %v, want order 2 and not the part of order 1", r.got)
	}
}

func TestTouch(t *testing.T) {
	for _, test := range []struct {
		fields  map[string]any
		want    record.Touch
		channel string
	}{
		{nil, record.Touch{}, "unknown"},
		{map[string]any{"source_type": "typein", "utm_source": "(direct)"}, record.Touch{Source: "(direct)", Medium: "(none)"}, "direct"},
		{map[string]any{"source_type": "organic", "utm_source": "google"}, record.Touch{Source: "google", Medium: "organic"}, "organic_search"},
		{map[string]any{"source_type": "referral", "utm_source": "blog.example"}, record.Touch{Source: "blog.example", Medium: "referral"}, "referral"},
		{map[string]any{"source_type": "referral", "utm_source": "linkedin.com"}, record.Touch{Source: "linkedin.com", Medium: "referral"}, "organic_social"},
		{
			map[string]any{"source_type": "utm", "utm_source": "google", "utm_medium": "cpc", "utm_campaign": "(none)"},
			record.Touch{Source: "google", Medium: "cpc"},
			"paid_search",
		},
		{map[string]any{"source_type": "admin"}, record.Touch{Source: "admin", Channel: "unknown"}, "unknown"},
		{map[string]any{"source_type": "mobile_app", "utm_source": "(direct)"}, record.Touch{Source: "mobile_app", Channel: "unknown"}, "unknown"},
		{map[string]any{"source_type": "unknown", "utm_source": "unknown"}, record.Touch{}, "unknown"},
		{map[string]any{"utm_source": []string{"a"}}, record.Touch{}, "unknown"},
	} {
		got := mapped(t, nil, func(o *fakewoo.Order) {
			for name, value := range test.fields {
				o.Meta = append(o.Meta, fakewoo.Meta{Key: attribution + name, Value: value})
			}
		}).order(1).Touch
		if got != test.want {
			t.Errorf("%v: %+v, want %+v", test.fields, got, test.want)
		}
		if c := record.ChannelRules(nil).Classify(got).Channel; c != test.channel {
			t.Errorf("%v: channel %s, want %s", test.fields, c, test.channel)
		}
	}
}

func TestCustomerFields(t *testing.T) {
	r := newRig(t, streamCustomer, 10, nil, func(o *Options) { o.CompanyMeta, o.ExternalIDs, o.CompanyNames = "erp_id", "erp", true })
	for id, c := range map[int64]fakewoo.Customer{
		1: {Role: "administrator", Email: "boss@shop.example"},
		2: {Role: "wholesale", Email: "ann@mail.example", Company: " ACME, Inc. ", Country: "DE", BillingEmail: "bills@acme.example", Meta: []fakewoo.Meta{{Key: "erp_id", Value: 4711}}},
		3: {Email: "bob@acme.example", Company: "-", BillingEmail: "BOB@acme.example"},
	} {
		c.ID, c.Created = id, begin()
		r.shop.PutCustomer(c)
	}
	r.poll()
	want := map[string]record.Record{
		"customer 2": &record.Customer{
			Meta: record.Meta{ID: "2"}, CreatedAt: record.At(begin()), Country: "DE",
			Keys: record.Keys{Email: "ann@mail.example", Domain: "acme.example", ExternalIDs: []string{"erp:4711", "shop:company=acme inc"}},
		},
		"customer 3": &record.Customer{Meta: record.Meta{ID: "3"}, CreatedAt: record.At(begin()), Keys: record.Keys{Email: "bob@acme.example"}},
	}
	if diff := cmp.Diff(want, r.got, cmp.AllowUnexported(record.Amount{}, record.Instant{})); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}
