package stripe

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/gorillamux"

	fakestripe "github.com/b2bexporter/b2b_exporter/internal/fake/stripe"
	"github.com/b2bexporter/b2b_exporter/sources"
	"github.com/b2bexporter/b2b_exporter/sources/internal/apiclient"
)

// contract checks requests and answers against the vendor's OpenAPI document.
type contract struct{ router routers.Router }

func loadContract(t *testing.T) contract {
	t.Helper()
	doc, err := openapi3.NewLoader().LoadFromFile("testdata/openapi.json")
	if err != nil {
		t.Fatal(err)
	}
	if doc.Info.Version != apiVersion {
		t.Errorf("the document is of version %s, requests are of %s", doc.Info.Version, apiVersion)
	}
	doc.Servers = nil
	router, err := gorillamux.NewRouter(doc)
	if err != nil {
		t.Fatal(err)
	}
	return contract{router}
}

var bracket = regexp.MustCompile(`^([a-z_]+)\[([a-z]*)\]$`)

// standard writes a query as the document has it, where the elements of an array are name and
// not name[], and returns the names of its parameters.
func standard(query url.Values) (string, []string) {
	out := url.Values{}
	var names []string
	for name, values := range query {
		m := bracket.FindStringSubmatch(name)
		if m == nil {
			names = append(names, name)
			out[name] = values
			continue
		}
		names = append(names, m[1])
		if m[2] == "" {
			name = m[1]
		}
		out[name] = values
	}
	return out.Encode(), names
}

// check returns what is wrong with a request, or with the answer that the handler gives to it.
func (c contract) check(r *http.Request, handler http.Handler) (*httptest.ResponseRecorder, error) {
	answer := httptest.NewRecorder()
	handler.ServeHTTP(answer, r)
	query, names := standard(r.URL.Query())
	plain := r.Clone(r.Context())
	plain.URL.RawQuery = query
	route, path, err := c.router.FindRoute(plain)
	if err != nil {
		return answer, fmt.Errorf("the document has no %s %s", r.Method, r.URL.Path)
	}
	known := map[string]bool{}
	for _, p := range route.Operation.Parameters {
		known[p.Value.Name] = true
	}
	for _, name := range names {
		if !known[name] {
			return answer, fmt.Errorf("%s %s has no parameter %q", r.Method, r.URL.Path, name)
		}
	}
	input := &openapi3filter.RequestValidationInput{
		Request: plain, PathParams: path, Route: route,
		Options: &openapi3filter.Options{AuthenticationFunc: openapi3filter.NoopAuthenticationFunc, IncludeResponseStatus: true},
	}
	if err := openapi3filter.ValidateRequest(r.Context(), input); err != nil {
		return answer, fmt.Errorf("request: %w", err)
	}
	output := &openapi3filter.ResponseValidationInput{
		RequestValidationInput: input, Status: answer.Code, Header: answer.Header(), Options: input.Options,
	}
	output.SetBodyBytes(answer.Body.Bytes())
	if err := openapi3filter.ValidateResponse(r.Context(), output); err != nil {
		return answer, fmt.Errorf("answer to %s %s: %w", r.Method, r.URL, err)
	}
	return answer, nil
}

// checked is a transport that checks all that goes through it and keeps the requests.
type checked struct {
	t        *testing.T
	handler  http.Handler
	contract contract
	seen     map[string]bool
	sent     map[string]*http.Request
}

func (c *checked) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Method != http.MethodGet || r.Body != nil {
		c.t.Errorf("%s %s: only GET without a body reads", r.Method, r.URL.Path)
	}
	if r.Header.Get("Authorization") != "Bearer "+testKey || r.Header.Get("Stripe-Version") != apiVersion {
		c.t.Errorf("%s: the key or the version is missing", r.URL.Path)
	}
	answer, err := c.contract.check(r, c.handler)
	if err != nil {
		c.t.Error(err)
	}
	parts := strings.Split(r.URL.Path, "/")
	if len(parts) > 3 {
		parts[3] = "{id}"
	}
	path := strings.Join(parts, "/")
	c.seen[fmt.Sprintf("%s %d", path, answer.Code)] = true
	if answer.Code == http.StatusOK {
		c.sent[r.URL.String()] = r
	}
	return answer.Result(), nil
}

// exercise sends every request that the source knows, and gets every answer that the fake
// knows. It returns the requests, without those that are to be refused.
func exercise(t *testing.T) (sent map[string]*http.Request) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) { sent = exerciseNow(t) })
	return sent
}

func exerciseNow(t *testing.T) map[string]*http.Request {
	now := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	server := fakestripe.New(func() time.Time { return now })
	server.Key, server.PerSecond = testKey, 1000
	transport := &checked{t: t, handler: server, contract: loadContract(t), seen: map[string]bool{}, sent: map[string]*http.Request{}}
	src, err := openAll("http://stripe.test", apiclient.Deps{Transport: transport})
	if err != nil {
		t.Fatal(err)
	}
	populate(server, now.Add(-time.Hour))
	cursors := map[string]string{}
	poll := func() {
		t.Helper()
		for _, st := range src.Streams() {
			req := sources.Request{Environment: sources.Environment{Now: now, Zone: time.UTC, Currency: "EUR"}, Stream: st.Name, Cursor: cursors[st.Name]}
			if err := src.Fetch(t.Context(), req, func(_ context.Context, p sources.Page) error {
				if len(p.Rejected) > 0 {
					t.Errorf("rejected: %+v", p.Rejected)
				}
				if p.Cursor != "" {
					cursors[st.Name] = p.Cursor
				}
				return nil
			}); err != nil {
				t.Error(err)
			}
		}
	}
	poll()
	now = now.Add(2 * time.Hour)
	server.ChangeSubscription("sub_1", now.Add(-time.Hour), func(s *fakestripe.Subscription) {
		s.Items[0].Quantity, s.Pause = 2, &fakestripe.Pause{Behavior: "void", ResumesAt: now.Add(day)}
	})
	server.ChangeCustomer("cus_0", now.Add(-time.Hour), func(c *fakestripe.Customer) { c.Email = "c@d.example" })
	server.DeleteCustomer("cus_1", now.Add(-time.Hour))
	server.PutInvoice(now.Add(-time.Hour), fakestripe.Invoice{ID: "in_0", Customer: "cus_0", Currency: "eur", Status: "paid", Subtotal: 100, FinalizedAt: now, PaidAt: now})
	server.PutCreditNote(now.Add(-time.Hour), fakestripe.CreditNote{ID: "cn_0", Customer: "cus_0", Invoice: "in_0", Currency: "eur", Void: true})
	poll()
	check := func() { src.Check(t.Context(), sources.Environment{Now: now, Zone: time.UTC, Currency: "EUR"}) }
	check()
	for _, kind := range []string{
		"customers 200", "customers/{id} 200", "customers/{id} 404", "subscriptions 200", "subscriptions/{id} 200", "subscription_items 200",
		"subscription_schedules 200", "prices 200", "prices/{id} 200", "coupons 200", "coupons/{id} 200", "events 200",
		"invoices 200", "invoices/{id} 200", "credit_notes 200", "credit_notes/{id} 200",
	} {
		if !transport.seen["/v1/"+kind] {
			t.Errorf("no %s among %v", kind, transport.seen)
		}
	}
	// The errors.
	server.Permissions = []string{"rak_event_read"}
	check()
	server.Permissions, server.PerSecond = nil, 0
	check()
	server.Key = "another"
	check()
	for _, kind := range []string{"customers 403", "customers 429", "customers 401"} {
		if !transport.seen["/v1/"+kind] {
			t.Errorf("no %s among %v", kind, transport.seen)
		}
	}
	return transport.sent
}

// populate makes an account with some of everything, in more than one page.
func populate(server *fakestripe.Server, at time.Time) {
	server.AddPrice(fakestripe.Price{ID: "price_plain", Product: "prod_1", Currency: "eur", UnitAmount: "1000", Interval: "month", DivideBy: 2})
	server.AddPrice(fakestripe.Price{
		ID: "price_tiers", Product: "prod_1", Currency: "eur", Interval: "year", Options: map[string]string{"usd": "12.5"},
		Tiers: []fakestripe.Tier{{UpTo: 10, Unit: "100.5"}, {Unit: "50", Flat: "1000"}},
	})
	server.AddPrice(fakestripe.Price{ID: "price_usage", Product: "prod_1", Currency: "eur", UnitAmount: "1", Interval: "month", Metered: true})
	server.AddCoupon(fakestripe.Coupon{ID: "TEN", PercentOff: "10.5", Months: 3, Products: []string{"prod_1"}})
	server.AddCoupon(fakestripe.Coupon{ID: "EURO", AmountOff: 100, Currency: "eur"})
	for i := range 101 {
		id := strconv.Itoa(i)
		server.AddCustomer(at, fakestripe.Customer{
			ID: "cus_" + id, Email: "a@b.example", Name: "A", Country: "DE", Metadata: map[string]string{"erp_no": id},
			Discount: &fakestripe.Discount{Coupon: "TEN"},
		})
		server.PutInvoice(at, fakestripe.Invoice{ID: "in_" + id, Customer: "cus_" + id, Subscription: "sub_" + id, Currency: "eur", Country: "DE", Status: "open", Subtotal: 1000, ItemDiscount: 20, Discount: 10, Tax: 190})
		server.PutCreditNote(at, fakestripe.CreditNote{ID: "cn_" + id, Customer: "cus_" + id, Invoice: "in_" + id, Currency: "eur", Amount: 100, Tax: 19})
		sub := fakestripe.Subscription{
			ID: "sub_" + id, Customer: "cus_" + id, Currency: "eur", Discounts: []fakestripe.Discount{{Coupon: "EURO"}},
			Items: []fakestripe.Item{
				{Price: "price_plain", Quantity: 4, InclusiveTax: "19.0", Discounts: []fakestripe.Discount{{Coupon: "TEN"}}},
				{Price: "price_tiers", Quantity: 15},
				{Price: "price_usage"},
			},
			TrialEnd: at.Add(14 * day),
		}
		for range i % 30 {
			sub.Items = append(sub.Items, fakestripe.Item{Price: "price_plain", Quantity: 1})
		}
		server.AddSubscription(at, sub)
	}
	server.PutSchedule(at, fakestripe.Schedule{ID: "sub_sched_1", Customer: "cus_1", Subscription: "sub_1", Phases: []fakestripe.Phase{
		{Start: at, End: at.Add(100 * day), Trial: true, Items: []fakestripe.Item{{Price: "price_plain", Quantity: 1, InclusiveTax: "7"}}},
		{Start: at.Add(100 * day), End: at.Add(200 * day), TrialEnd: at.Add(110 * day), Items: []fakestripe.Item{{Price: "price_tiers", Quantity: 1}}, Coupons: []string{"TEN"}},
	}})
	server.PutSchedule(at, fakestripe.Schedule{
		ID: "sub_sched_2", Customer: "cus_2", Subscription: "sub_2", Status: "released", ReleasedAt: at, EndBehavior: "cancel",
	})
}

func TestContract(t *testing.T) { exercise(t) }

// TestContractRefuses shows that a mistake in a request or an answer is one.
func TestContractRefuses(t *testing.T) {
	c := loadContract(t)
	const good = `{"object":"list","url":"/v1/customers","has_more":false,"data":[{"id":"cus_1","object":"customer","created":1,"livemode":true}]}`
	for name, test := range map[string]struct {
		path, answer string
		good         bool
	}{
		"a list":                  {"/v1/customers?limit=100&expand[]=data.discount", good, true},
		"an unknown parameter":    {"/v1/customers?lmit=100", good, false},
		"a parameter's type":      {"/v1/customers?limit=many", good, false},
		"a parameter's value":     {"/v1/subscriptions?status=dead", good, false},
		"another path":            {"/v1/parcels", good, false},
		"an answer's field":       {"/v1/customers", strings.Replace(good, "has_more", "more", 1), false},
		"an answer's extra field": {"/v1/customers", strings.Replace(good, `"created"`, `"more":1,"created"`, 1), false},
		"an answer's type":        {"/v1/customers", strings.Replace(good, `"cus_1"`, "1", 1), false},
		"an answer's object":      {"/v1/customers", strings.Replace(good, `"customer"`, `"parcel"`, 1), false},
	} {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "http://stripe.test"+test.path, nil)
		_, err := c.check(r, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			if _, err := io.Copy(w, bytes.NewBufferString(test.answer)); err != nil {
				t.Error(err)
			}
		}))
		if (err == nil) != test.good {
			t.Errorf("%s: got %v, want it good: %v", name, err, test.good)
		}
	}
}
