package shopify

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/b2bexporter/b2b_exporter/internal/record"
	"github.com/b2bexporter/b2b_exporter/sources"
	"github.com/b2bexporter/b2b_exporter/sources/internal/apiclient"
)

func equateRecords() cmp.Option {
	return cmpopts.EquateComparable(record.Amount{}, record.Instant{}, record.Hash{})
}

func newSource(t testing.TB) *Source {
	t.Helper()
	o := testOptions("http://shop.test")
	o.ExternalIDs = "erp"
	s, err := New("shop", o, apiclient.Deps{})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// bag is a MoneyBag, in which what the buyer saw is in another currency.
func bag(amount string) string {
	return `{"shopMoney":{"amount":"` + amount + `"},"presentmentMoney":{"amount":"99999.9","currencyCode":"JPY"}}`
}

// lineOf is a line item: an ID, a quantity, how many are left, the total before
// discounts, and further fields that come last and so win.
func lineOf(id, quantity, current, total, more string) string {
	return `{"id":"` + id + `","quantity":` + quantity + `,"currentQuantity":` + current + `,"isGiftCard":false,"sellingPlan":null,
		"originalTotalSet":` + bag(total) + `,"discountAllocations":[],"taxLines":[],"variant":null` + more + `}`
}

func unitCost(amount, currency string) string {
	return `,"variant":{"inventoryItem":{"unitCost":{"amount":"` + amount + `","currencyCode":"` + currency + `"}}}`
}

func discounts(amounts ...string) string {
	var list []string
	for _, a := range amounts {
		list = append(list, `{"allocatedAmountSet":`+bag(a)+`}`)
	}
	return `,"discountAllocations":[` + strings.Join(list, ",") + `]`
}

func tax(amount, rate string) string {
	return `,"taxLines":[{"rate":` + rate + `,"priceSet":` + bag(amount) + `}]`
}

func returned(line, quantity, restock, subtotal, tax string) string {
	return `{"quantity":` + quantity + `,"restockType":"` + restock + `","subtotalSet":` + bag(subtotal) + `,"totalTaxSet":` + bag(tax) + `,"lineItem":{"id":"` + line + `"}}`
}

func refundOf(id string, lines []string, adjustments ...string) string {
	var list []string
	for _, a := range adjustments {
		list = append(list, `{"amountSet":`+bag(a)+`}`)
	}
	return `{"id":"` + id + `","processedAt":"2026-02-03T00:00:00Z","refundLineItems":{"pageInfo":{"hasNextPage":false,"endCursor":null},"nodes":[` + strings.Join(lines, ",") + `]},
		"orderAdjustments":{"pageInfo":{"hasNextPage":false},"nodes":[` + strings.Join(list, ",") + `]}}`
}

// orderOf is an order with lines, refunds, and further fields that win.
func orderOf(lines, refunds []string, more string) string {
	return `{"id":"o1","updatedAt":"2026-02-02T00:00:00Z","processedAt":"2026-02-01T10:00:00Z","cancelledAt":null,"test":false,
		"displayFinancialStatus":"PENDING","currencyCode":"EUR","taxesIncluded":false,"customer":null,"purchasingEntity":null,
		"shippingAddress":null,"customerJourneySummary":null,"transactions":[],
		"refunds":[` + strings.Join(refunds, ",") + `],
		"lineItems":{"pageInfo":{"hasNextPage":false,"endCursor":null},"nodes":[` + strings.Join(lines, ",") + `]}` + more + `}`
}

func mapped(t *testing.T, text string) sources.Page {
	t.Helper()
	if !json.Valid([]byte(text)) {
		t.Fatalf("the test's order is not JSON: %s", text)
	}
	var page sources.Page
	if _, err := newSource(t).addOrder(t.Context(), json.RawMessage(text), &page); err != nil {
		t.Fatal(err)
	}
	return page
}

// amounts are in cents; -1 for null.
type amounts struct{ gross, discount, cost, costedNet int64 }

func cents(a record.Amount) int64 {
	if a.IsNull() {
		return -1
	}
	if a.Micros%10_000 != 0 {
		return a.Micros // shows in the difference
	}
	return a.Micros / 10_000
}

func TestMoneyOfOrders(t *testing.T) {
	included := `,"taxesIncluded":true`
	for name, test := range map[string]struct {
		lines, refunds []string
		more           string
		want           amounts
	}{
		"one line": {lines: []string{lineOf("l1", "3", "3", "30.0", "")}, want: amounts{3000, 0, -1, -1}},
		"no line":  {want: amounts{0, 0, -1, -1}},
		"discounts on line and order": {
			lines: []string{lineOf("l1", "1", "1", "100.0", discounts("10.0", "4.5")), lineOf("l2", "1", "1", "50.0", discounts("2.25"))},
			want:  amounts{15000, 1675, -1, -1},
		},
		"tax on top is not in it": {lines: []string{lineOf("l1", "1", "1", "100.0", tax("19.0", "0.19"))}, want: amounts{10000, 0, -1, -1}},
		"tax included":            {lines: []string{lineOf("l1", "1", "1", "119.0", tax("19.0", "0.19"))}, more: included, want: amounts{10000, 0, -1, -1}},
		"tax included and a discount": {
			lines: []string{lineOf("l1", "2", "2", "238.0", discounts("119.0")+tax("19.0", "0.19"))}, more: included, want: amounts{20000, 10000, -1, -1},
		},
		"tax included in a gift": {
			lines: []string{lineOf("l1", "1", "1", "119.0", discounts("119.0")+tax("0.0", "0.19"))}, more: included, want: amounts{10000, 10000, -1, -1},
		},
		"gift cards are not sales": {
			lines: []string{lineOf("l1", "1", "1", "50.0", `,"isGiftCard":true`+unitCost("1", "EUR")), lineOf("l2", "1", "1", "20.0", "")},
			want:  amounts{2000, 0, -1, -1},
		},
		"only a gift card": {lines: []string{lineOf("l1", "1", "1", "50.0", `,"isGiftCard":true`)}, want: amounts{0, 0, -1, -1}},
		"costs": {
			lines: []string{lineOf("l1", "3", "3", "30.0", discounts("3.0")+unitCost("4.25", "EUR"))}, want: amounts{3000, 300, 1275, 2700},
		},
		"costs of a part": {
			lines: []string{lineOf("l1", "1", "1", "30.0", unitCost("12.0", "EUR")), lineOf("l2", "1", "1", "70.0", ""), lineOf("l3", "1", "1", "5.0", `,"variant":{"inventoryItem":{"unitCost":null}}`)},
			want:  amounts{10500, 0, 1200, 3000},
		},
		"a cost of nothing":            {lines: []string{lineOf("l1", "1", "1", "30.0", unitCost("0.0", "EUR"))}, want: amounts{3000, 0, 0, 3000}},
		"a cost in another currency":   {lines: []string{lineOf("l1", "1", "1", "30.0", unitCost("12.0", "USD"))}, want: amounts{3000, 0, -1, -1}},
		"units removed by an edit":     {lines: []string{lineOf("l1", "3", "1", "30.0", discounts("3.0")+unitCost("4.0", "EUR"))}, want: amounts{1000, 100, 400, 900}},
		"a line removed by an edit":    {lines: []string{lineOf("l1", "3", "0", "30.0", ""), lineOf("l2", "1", "1", "7.0", "")}, want: amounts{700, 0, -1, -1}},
		"units refunded stay":          {lines: []string{lineOf("l1", "3", "1", "30.0", "")}, refunds: []string{refundOf("r1", []string{returned("l1", "2", "RETURN", "20.0", "0.0")})}, want: amounts{3000, 0, -1, -1}},
		"one removed and one refunded": {lines: []string{lineOf("l1", "3", "1", "30.0", "")}, refunds: []string{refundOf("r1", []string{returned("l1", "1", "RETURN", "10.0", "0.0")})}, want: amounts{2000, 0, -1, -1}},
		"a discount above the price":   {lines: []string{lineOf("l1", "1", "1", "10.0", discounts("12.0"))}, want: amounts{1000, 1200, -1, -1}},
	} {
		t.Run(name, func(t *testing.T) {
			page := mapped(t, orderOf(test.lines, test.refunds, test.more))
			if len(page.Records) == 0 || len(page.Rejected) > 0 {
				t.Fatalf("%d records, rejected %+v", len(page.Records), page.Rejected)
			}
			o := page.Records[0].(*record.Order)
			if got := (amounts{cents(o.Gross), cents(o.Discount), cents(o.Cost), cents(o.CostedNet)}); got != test.want {
				t.Errorf("got %+v, want %+v", got, test.want)
			}
		})
	}
}

func TestMoneyOfRefunds(t *testing.T) {
	costed := lineOf("l1", "4", "4", "40.0", unitCost("6.0", "EUR"))
	plain := lineOf("l2", "4", "4", "40.0", "")
	card := lineOf("l3", "1", "1", "50.0", `,"isGiftCard":true`)
	type refunded struct{ amount, cost, costedAmount int64 }
	for name, test := range map[string]struct {
		lines       []string
		refunded    []string
		adjustments []string
		more        string
		want        refunded
	}{
		"restocked":                {lines: []string{costed}, refunded: []string{returned("l1", "2", "RETURN", "20.0", "3.8")}, want: refunded{2000, 1200, 2000}},
		"cancelled before sending": {lines: []string{costed}, refunded: []string{returned("l1", "1", "CANCEL", "10.0", "0.0")}, want: refunded{1000, 600, 1000}},
		"not restocked":            {lines: []string{costed}, refunded: []string{returned("l1", "2", "NO_RESTOCK", "20.0", "0.0")}, want: refunded{2000, 0, 2000}},
		"without a known cost":     {lines: []string{plain}, refunded: []string{returned("l2", "1", "RETURN", "10.0", "0.0")}, want: refunded{1000, -1, -1}},
		"both": {
			lines: []string{costed, plain}, refunded: []string{returned("l1", "1", "RETURN", "10.0", "0.0"), returned("l2", "1", "RETURN", "7.5", "0.0")},
			want: refunded{1750, 600, 1000},
		},
		"tax included":        {lines: []string{costed}, refunded: []string{returned("l1", "1", "RETURN", "11.9", "1.9")}, more: `,"taxesIncluded":true`, want: refunded{1000, 600, 1000}},
		"less was paid back":  {lines: []string{costed}, refunded: []string{returned("l1", "1", "RETURN", "10.0", "0.0")}, adjustments: []string{"2.5"}, want: refunded{750, 600, 750}},
		"goodwill":            {lines: []string{plain}, adjustments: []string{"-15.0"}, want: refunded{1500, -1, -1}},
		"pending and settled": {lines: []string{plain}, adjustments: []string{"15.0", "-15.0"}, want: refunded{0, -1, -1}},
		"a gift card":         {lines: []string{costed, card}, refunded: []string{returned("l3", "1", "NO_RESTOCK", "50.0", "0.0")}, want: refunded{0, -1, -1}},
		"shipping only":       {lines: []string{costed}, want: refunded{0, -1, -1}},
	} {
		t.Run(name, func(t *testing.T) {
			page := mapped(t, orderOf(test.lines, []string{refundOf("r1", test.refunded, test.adjustments...)}, test.more+`,"customer":{"id":"c1"},"shippingAddress":{"countryCodeV2":"FR"}`))
			if len(page.Records) != 2 || len(page.Rejected) > 0 {
				t.Fatalf("%d records, rejected %+v", len(page.Records), page.Rejected)
			}
			got := *page.Records[1].(*record.Refund)
			if g := (refunded{cents(got.Amount), cents(got.Cost), cents(got.CostedAmount)}); g != test.want {
				t.Errorf("got %+v, want %+v", g, test.want)
			}
			got.Amount, got.Cost, got.CostedAmount = record.Amount{}, record.Amount{}, record.Amount{}
			want := record.Refund{
				Meta: record.Meta{ID: "r1"}, Order: "o1", Customer: record.RefTo("c1"), Country: "FR", Currency: "EUR",
				At: record.At(time.Date(2026, 2, 3, 0, 0, 0, 0, time.UTC)),
			}
			if diff := cmp.Diff(want, got, equateRecords()); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestFieldsOfOrders(t *testing.T) {
	placed := record.At(time.Date(2026, 2, 1, 10, 0, 0, 0, time.UTC))
	paid := record.At(time.Date(2026, 2, 5, 0, 0, 0, 0, time.UTC))
	payments := `,"transactions":[{"kind":"SALE","status":"SUCCESS","processedAt":"2026-02-04T00:00:00Z"},{"kind":"CAPTURE","status":"SUCCESS","processedAt":"2026-02-05T00:00:00Z"},
		{"kind":"SALE","status":"FAILURE","processedAt":"2026-02-06T00:00:00Z"},{"kind":"REFUND","status":"SUCCESS","processedAt":"2026-02-07T00:00:00Z"},{"kind":"SALE","status":"SUCCESS","processedAt":null}]`
	for name, test := range map[string]struct {
		more string
		want record.Order
	}{
		"a guest, all null": {"", record.Order{}},
		"a customer":        {`,"customer":{"id":"c1"},"purchasingEntity":{"__typename":"Customer"}`, record.Order{Customer: record.RefTo("c1")}},
		"a company": {
			`,"customer":{"id":"c1"},"purchasingEntity":{"__typename":"PurchasingCompany","company":{"id":"b1"}}`, record.Order{Customer: record.RefTo("b1")},
		},
		"a test":                {`,"test":true,"cancelledAt":"2026-02-02T00:00:00Z"`, record.Order{State: record.StateTest}},
		"cancelled":             {`,"cancelledAt":"2026-02-02T00:00:00Z"`, record.Order{State: record.StateCancelled}},
		"voided":                {`,"displayFinancialStatus":"VOIDED"`, record.Order{State: record.StateCancelled}},
		"without a status":      {`,"displayFinancialStatus":null`, record.Order{}},
		"an address":            {`,"shippingAddress":{"countryCodeV2":"FR"}`, record.Order{Country: "FR"}},
		"an address, null":      {`,"shippingAddress":{"countryCodeV2":null}`, record.Order{}},
		"partly paid":           {`,"displayFinancialStatus":"PARTIALLY_PAID"` + payments, record.Order{}},
		"paid":                  {`,"displayFinancialStatus":"PAID"` + payments, record.Order{PaidAt: paid}},
		"refunded":              {`,"displayFinancialStatus":"REFUNDED"` + payments, record.Order{PaidAt: paid}},
		"paid without payments": {`,"displayFinancialStatus":"PAID"`, record.Order{PaidAt: placed}},
		"another shop currency": {`,"currencyCode":"USD"`, record.Order{Currency: "USD"}},
	} {
		t.Run(name, func(t *testing.T) {
			page := mapped(t, orderOf([]string{lineOf("l1", "1", "1", "10.0", "")}, nil, test.more))
			want := test.want
			want.ID, want.PlacedAt, want.Gross, want.Discount = "o1", placed, record.Micros(10_000_000), record.Micros(0)
			if want.State == "" {
				want.State = record.StateCounted
			}
			if want.Currency == "" {
				want.Currency = "EUR"
			}
			if diff := cmp.Diff([]record.Record{&want}, page.Records, equateRecords()); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
	page := mapped(t, orderOf([]string{lineOf("l1", "1", "1", "10.0", `,"sellingPlan":{"name":"monthly"}`)}, nil, ""))
	if !page.Records[0].(*record.Order).Recurring {
		t.Error("an order by a selling plan is not recurring")
	}
}

func TestTouches(t *testing.T) {
	for name, test := range map[string]struct {
		visit   string
		want    record.Touch
		channel string
	}{
		"no journey":   {"null", record.Touch{}, "unknown"},
		"no visit yet": {`{"firstVisit":null}`, record.Touch{}, "unknown"},
		"UTM": {
			`{"firstVisit":{"source":"Google","sourceType":"AD","utmParameters":{"source":"mailchimp","medium":"email","campaign":"nov"}}}`,
			record.Touch{Source: "mailchimp", Medium: "email", Campaign: "nov"},
			"email",
		},
		"empty UTM": {
			`{"firstVisit":{"source":"direct","sourceType":null,"utmParameters":{"source":null,"medium":null,"campaign":null}}}`,
			record.Touch{Source: "direct"},
			"direct",
		},
		"search":      {visitOf("Google", "null"), record.Touch{Source: "Google", Channel: "organic_search"}, "organic_search"},
		"SEO":         {visitOf("Bing", `"SEO"`), record.Touch{Source: "Bing", Medium: "seo"}, "organic_search"},
		"search ad":   {visitOf("google", `"AD"`), record.Touch{Source: "google", Medium: "ad", Channel: "paid_search"}, "paid_search"},
		"social ad":   {visitOf("facebook", `"RETARGETING"`), record.Touch{Source: "facebook", Medium: "retargeting", Channel: "paid_social"}, "paid_social"},
		"other ad":    {visitOf("criteo", `"RETARGETING"`), record.Touch{Source: "criteo", Medium: "retargeting", Channel: "display"}, "display"},
		"newsletter":  {visitOf("newsletter", `"NEWSLETTER"`), record.Touch{Source: "newsletter", Medium: "newsletter"}, "email"},
		"cart e-mail": {visitOf("email", `"ABANDONED_CART"`), record.Touch{Source: "email", Medium: "abandoned_cart", Channel: "email"}, "email"},
		"e-mail":      {visitOf("email", "null"), record.Touch{Source: "email", Channel: "email"}, "email"},
		"affiliate":   {visitOf("awin", `"AFFILIATE"`), record.Touch{Source: "awin", Medium: "affiliate"}, "affiliate"},
		"link":        {visitOf("blog.example", `"LINK"`), record.Touch{Source: "blog.example", Medium: "link"}, "referral"},
		"website":     {visitOf("blog.example", "null"), record.Touch{Source: "blog.example", Channel: "referral"}, "referral"},
		"social":      {visitOf("l.facebook.com", "null"), record.Touch{Source: "l.facebook.com"}, "organic_social"},
		"social post": {visitOf("LinkedIn", `"POST"`), record.Touch{Source: "LinkedIn", Medium: "post", Channel: "organic_social"}, "organic_social"},
		"blog post":   {visitOf("blog", `"POST"`), record.Touch{Source: "blog", Medium: "post", Channel: "content"}, "content"},
		"not known":   {visitOf("an unknown source", "null"), record.Touch{Source: "an unknown source", Channel: "unknown"}, "unknown"},
		"QR code":     {visitOf("QR code", "null"), record.Touch{Source: "QR code"}, "other"},
	} {
		t.Run(name, func(t *testing.T) {
			page := mapped(t, orderOf(nil, nil, `,"customerJourneySummary":`+test.visit))
			got := page.Records[0].(*record.Order).Touch
			if got != test.want {
				t.Errorf("got %+v, want %+v", got, test.want)
			}
			if c := record.ChannelRules(nil).Classify(got).Channel; c != test.channel {
				t.Errorf("channel %s, want %s", c, test.channel)
			}
		})
	}
}

func visitOf(source, tactic string) string {
	return `{"firstVisit":{"source":"` + source + `","sourceType":` + tactic + `,"utmParameters":null}}`
}

func TestRejectedOrders(t *testing.T) {
	for name, test := range map[string]struct {
		text, want string
		records    int
	}{
		"no amount":       {orderOf([]string{lineOf("l1", "1", "1", "10,0", "")}, nil, ""), "order o1 bad amount", 0},
		"a wrong form":    {orderOf(nil, nil, `,"test":"no"`), "order o1 bad answer", 0},
		"a bad refund":    {orderOf(nil, []string{refundOf("r1", nil, "x")}, ""), "refund r1 bad amount", 1},
		"beyond range":    {orderOf([]string{lineOf("l1", "1", "1", "9000000000000", ""), lineOf("l2", "1", "1", "9000000000000", "")}, nil, ""), "order o1 bad amount", 0},
		"cost beyond all": {orderOf([]string{lineOf("l1", "10", "10", "1", unitCost("9000000000000", "EUR"))}, nil, ""), "order o1 bad amount", 0},
	} {
		t.Run(name, func(t *testing.T) {
			page := mapped(t, test.text)
			if len(page.Rejected) != 1 || len(page.Records) != test.records {
				t.Fatalf("%d records, rejected %+v", len(page.Records), page.Rejected)
			}
			if r := page.Rejected[0]; string(r.Kind)+" "+r.ID+" "+r.Reason != test.want || r.Detail == "" {
				t.Errorf("rejected %+v, want %s", r, test.want)
			}
		})
	}
	page := mapped(t, orderOf([]string{lineOf("l1", "3", "3", "0.0000001", "")}, nil, ""))
	if page.Rounded != 1 {
		t.Errorf("%d amounts were rounded, want 1", page.Rounded)
	}
}

func TestCustomersAndCompanies(t *testing.T) {
	s := newSource(t)
	var page sources.Page
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for _, text := range []string{
		`{"id":"c1","createdAt":"2026-01-01T00:00:00Z","defaultEmailAddress":{"emailAddress":"jane@example.com"},"defaultAddress":{"countryCodeV2":"FR"},
			"companyContactProfiles":[{"company":{"id":"gid://shopify/Company/1"}},{"company":{"id":"gid://shopify/Company/2"}}]}`,
		`{"id":"c2","createdAt":"2026-01-01T00:00:00Z","defaultEmailAddress":null,"defaultAddress":null,"companyContactProfiles":[]}`,
		`{"id":"c3","createdAt":5}`,
	} {
		if _, err := s.addCustomer(t.Context(), json.RawMessage(text), &page); err != nil {
			t.Fatal(err)
		}
	}
	for _, text := range []string{
		`{"id":"b1","externalId":"C:31","createdAt":"2026-02-02T00:00:00Z","customerSince":"2026-01-01T00:00:00Z",
			"locations":{"nodes":[{"billingAddress":{"countryCode":"CH"},"shippingAddress":{"countryCode":"DE"}}]}}`,
		`{"id":"b2","externalId":null,"createdAt":"2026-01-01T00:00:00Z","customerSince":null,"locations":{"nodes":[{"billingAddress":{"countryCode":"CH"},"shippingAddress":null}]}}`,
		`{"id":"b3","externalId":null,"createdAt":"2026-01-01T00:00:00Z","locations":{"nodes":[]}}`,
	} {
		if _, err := s.addCompany(t.Context(), json.RawMessage(text), &page); err != nil {
			t.Fatal(err)
		}
	}
	want := []record.Record{
		&record.Customer{Meta: record.Meta{ID: "c1"}, CreatedAt: record.At(at), Country: "FR", Keys: record.Keys{
			Email: "jane@example.com", ExternalIDs: []string{"shop:gid://shopify/Company/1", "shop:gid://shopify/Company/2"},
		}},
		&record.Customer{Meta: record.Meta{ID: "c2"}, CreatedAt: record.At(at)},
		&record.Customer{Meta: record.Meta{ID: "b1"}, Company: true, CreatedAt: record.At(at), Country: "DE", Keys: record.Keys{ExternalIDs: []string{"erp:C:31"}}},
		&record.Customer{Meta: record.Meta{ID: "b2"}, Company: true, CreatedAt: record.At(at), Country: "CH"},
		&record.Customer{Meta: record.Meta{ID: "b3"}, Company: true, CreatedAt: record.At(at)},
	}
	if diff := cmp.Diff(want, page.Records, equateRecords()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if len(page.Rejected) != 1 || page.Rejected[0].ID != "c3" {
		t.Errorf("rejected %+v, want c3", page.Rejected)
	}
}
