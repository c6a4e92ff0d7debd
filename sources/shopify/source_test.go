package shopify

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/b2bexporter/b2b_exporter/internal/config"
	fakeshopify "github.com/b2bexporter/b2b_exporter/internal/fake/shopify"
	"github.com/b2bexporter/b2b_exporter/internal/record"
	"github.com/b2bexporter/b2b_exporter/sources"
	"github.com/b2bexporter/b2b_exporter/sources/internal/apiclient"
)

// asked is a query that the source has sent.
type asked struct {
	Operation string         `json:"operationName"`
	Variables map[string]any `json:"variables"`
	Path      string         `json:"-"`
}

// rig is a source, the shop that it reads, and what it has delivered.
type rig struct {
	t      *testing.T
	shop   *fakeshopify.Server
	source *Source
	stream string
	cursor string
	got    map[string]record.Record
	pages  []sources.Page
	asked  []asked
	logs   bytes.Buffer
	// onPage may stop a Fetch; answers may replace an answer.
	onPage  func(sources.Page) error
	answers func(asked) string
}

func newRig(t *testing.T, stream string, pageSize int, change func(*fakeshopify.Options), options func(*Options)) *rig {
	t.Helper()
	r := &rig{t: t, stream: stream, got: map[string]record.Record{}}
	r.shop = newFake(keptSchema(t), change)
	o := testOptions("http://shop.test")
	o.Review, o.Sweep = 0, 0
	if options != nil {
		options(&o)
	}
	var err error
	r.source, err = open("shop", o, apiclient.Deps{
		Transport: r, Logger: slog.New(slog.NewTextHandler(&r.logs, &slog.HandlerOptions{Level: slog.LevelDebug})),
	}, pageSize)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// RoundTrip answers a request and notes it.
func (r *rig) RoundTrip(req *http.Request) (*http.Response, error) {
	a := asked{Path: req.URL.Path}
	if req.Body != nil {
		body, err := io.ReadAll(req.Body)
		if err != nil {
			return nil, err
		}
		if json.Unmarshal(body, &a) == nil {
			r.asked = append(r.asked, a)
		}
		req.Body = io.NopCloser(bytes.NewReader(body))
	}
	answer := httptest.NewRecorder()
	if r.answers != nil {
		if text := r.answers(a); text != "" {
			fmt.Fprint(answer, text)
			return answer.Result(), nil
		}
	}
	r.shop.ServeHTTP(answer, req)
	return answer.Result(), nil
}

// fetch polls once and returns the operations that were asked for.
func (r *rig) fetch() (string, error) {
	r.asked, r.pages = nil, nil
	req := sources.Request{
		Environment: sources.Environment{Zone: time.UTC, Currency: "EUR", Now: r.shop.Now()}, Stream: r.stream, Cursor: r.cursor,
	}
	err := r.source.Fetch(r.t.Context(), req, func(_ context.Context, p sources.Page) error {
		if r.onPage != nil {
			if err := r.onPage(p); err != nil {
				return err
			}
		}
		for _, rec := range p.Records {
			r.got[rec.RecordMeta().ID] = rec
		}
		r.pages = append(r.pages, p)
		r.cursor = p.Cursor
		return nil
	})
	var names []string
	for _, a := range r.asked {
		names = append(names, a.Operation)
	}
	return strings.Join(slices.Compact(names), " "), err
}

func (r *rig) poll() string {
	r.t.Helper()
	names, err := r.fetch()
	if err != nil {
		r.t.Fatal(err)
	}
	return names
}

func begin() time.Time { return time.Date(2026, 3, 2, 9, 30, 0, 0, time.UTC) }

// still is a clock that stands.
func still(o *fakeshopify.Options) { o.Now = begin }

func (r *rig) put(n int, at time.Time, change func(*fakeshopify.Order)) {
	o := fakeshopify.Order{
		ID: int64(n), Created: at, Updated: at, Customer: 7, Country: "DE",
		Lines: []fakeshopify.Line{{ID: int64(n) * 1000, Quantity: 2, Price: "10.50", Cost: "4"}},
	}
	if change != nil {
		change(&o)
	}
	r.shop.PutOrder(o)
}

func orderID(n int) string { return fmt.Sprint("gid://shopify/Order/", n) }

func (r *rig) order(n int) *record.Order {
	r.t.Helper()
	o, ok := r.got[orderID(n)].(*record.Order)
	if !ok {
		r.t.Fatalf("order %d was not delivered", n)
	}
	return o
}

// manyLines is an order with more items than come with it, in itself and in a refund.
func manyLines(o *fakeshopify.Order) {
	o.Lines = nil
	back := fakeshopify.Refund{ID: o.ID, At: o.Created}
	for i := range 2*linesPerOrder + 5 {
		id := o.ID*1000 + int64(i)
		o.Lines = append(o.Lines, fakeshopify.Line{ID: id, Quantity: 1, Price: "2"})
		back.Lines = append(back.Lines, fakeshopify.RefundLine{Line: id, Quantity: 1, Subtotal: "1"})
		back.Adjustments = append(back.Adjustments, "0.01")
	}
	o.Refunds = []fakeshopify.Refund{back}
}

func TestItemsAreReadWhole(t *testing.T) {
	for _, bulk := range []bool{false, true} {
		r := newRig(t, streamOrder, 10, still, func(o *Options) { o.Bulk = bulk })
		r.put(1, begin().Add(-time.Hour), manyLines)
		asked := r.poll()
		n := int64(2*linesPerOrder + 5)
		if got := r.order(1).Gross; got != record.Micros(n*2_000_000) {
			t.Errorf("bulk %v: gross is %d: items are missing", bulk, got.Micros)
		}
		refund := r.got["gid://shopify/Refund/1"].(*record.Refund)
		if want := record.Micros(n*1_000_000 - n*10_000); refund.Amount != want {
			t.Errorf("bulk %v: the refund is %d, want %d: items are missing", bulk, refund.Amount.Micros, want.Micros)
		}
		for _, query := range []string{"Lines", "RefundLines", "Adjustments"} {
			if !strings.Contains(asked, query) {
				t.Errorf("bulk %v: asked for %s, not for %s", bulk, asked, query)
			}
		}
	}
}

func TestAnOrderThatVanishesMeanwhile(t *testing.T) {
	r := newRig(t, streamOrder, 10, still, nil)
	r.put(1, begin().Add(-time.Hour), manyLines)
	r.put(2, begin().Add(-time.Hour), nil)
	r.answers = func(a asked) string {
		if a.Operation == "Lines" {
			return `{"data":{"order":null}}`
		}
		return ""
	}
	r.poll()
	if r.got[orderID(1)] != nil || r.got[orderID(2)] == nil {
		t.Errorf("got %v, want order 2 and not the part of order 1", r.got)
	}
}

func TestIncrementsOverlap(t *testing.T) {
	now := begin()
	r := newRig(t, streamOrder, 10, func(o *fakeshopify.Options) { o.Now = func() time.Time { return now } }, nil)
	r.put(1, begin().Add(-72*time.Hour), nil)
	r.put(2, begin().Add(-time.Minute), nil)
	if got := r.poll(); got != "Settings Orders" {
		t.Errorf("the first poll asked for %s", got)
	}
	now = now.Add(10 * time.Minute)
	r.got = map[string]record.Record{}
	if got := r.poll(); got != "Orders" {
		t.Errorf("the second poll asked for %s", got)
	}
	if f := r.asked[0].Variables["filter"]; f != "updated_at:>='2026-03-02T08:29:00Z'" {
		t.Errorf("searched for %v, want an hour before the newest change", f)
	}
	if r.got[orderID(1)] != nil || r.got[orderID(2)] == nil {
		t.Errorf("got %v, want order 2 alone", r.got)
	}
	// The local clock is not the shop's: the cursor is a time that the shop has told.
	now = now.Add(48 * time.Hour)
	r.poll()
	if f := r.asked[0].Variables["filter"]; f != "updated_at:>='2026-03-02T08:29:00Z'" {
		t.Errorf("without news it searched for %v", f)
	}
}

func TestReviewFindsWhatDidNotTouchTheOrder(t *testing.T) {
	now := begin()
	r := newRig(t, streamOrder, 10, func(o *fakeshopify.Options) { o.Now = func() time.Time { return now } },
		func(o *Options) { o.Review = 24 * time.Hour })
	r.put(1, begin().Add(-10*24*time.Hour), nil)
	r.put(2, begin(), nil)
	r.poll()
	r.put(1, begin().Add(-10*24*time.Hour), func(o *fakeshopify.Order) {
		o.Visit = &fakeshopify.Visit{Source: "Google", UTM: true, UTMSource: "google", Medium: "cpc"}
	})
	now = now.Add(23 * time.Hour)
	r.poll()
	if touch := r.order(1).Touch; touch != (record.Touch{}) {
		t.Errorf("touch is %+v before the review", touch)
	}
	now = now.Add(time.Hour)
	r.poll()
	if touch := r.order(1).Touch; touch != (record.Touch{Source: "google", Medium: "cpc"}) {
		t.Errorf("touch is %+v after the review", touch)
	}
	r.poll()
	if f := fmt.Sprint(r.asked[0].Variables["filter"]); !strings.Contains(f, "2026-03-02T08:30:00Z") {
		t.Errorf("after the review it searched for %s", f)
	}
}

// A checkout that is completed may leave the list, but so does any in the end: what was begun in
// the last 30 days is listed anew by a review.
func TestReviewListsCheckoutsAgain(t *testing.T) {
	now := begin()
	r := newRig(t, streamCheckout, 10, func(o *fakeshopify.Options) { o.Now = func() time.Time { return now } },
		func(o *Options) { o.Review = 24 * time.Hour })
	const day = 24 * time.Hour
	for id, age := range []time.Duration{10 * day, 31 * day, 29 * day} {
		r.shop.PutCheckout(fakeshopify.Checkout{ID: int64(id + 1), Created: now.Add(-age), Updated: now.Add(-age)})
	}
	r.poll()
	r.shop.DeleteCheckout(1)
	now = now.Add(23 * time.Hour)
	r.poll()
	if swept(r.pages) {
		t.Error("what had left the list was deleted before the review")
	}
	now = now.Add(time.Hour)
	r.poll()
	last := r.pages[len(r.pages)-1]
	if want := now.Add(-30 * day); !last.Sweep || !last.SweepFrom.Equal(want) || len(last.Records) != 1 {
		t.Errorf("the review ends with a sweep %t from %s over %d checkouts, want one from %s over 1", last.Sweep, last.SweepFrom, len(last.Records), want)
	}
	from := now.Add(-30 * day).Format(time.RFC3339)
	if f := r.asked[len(r.asked)-1].Variables["filter"]; f != "created_at:>='"+from+"'" {
		t.Errorf("the review searched for %s", f)
	}
	r.poll()
	if swept(r.pages) || len(r.asked) != 1 {
		t.Error("after the review there was another")
	}
}

func swept(pages []sources.Page) bool {
	return slices.ContainsFunc(pages, func(p sources.Page) bool { return p.Sweep })
}

func TestSweepNeedsAllOrders(t *testing.T) {
	for _, bulk := range []bool{false, true} {
		for _, all := range []bool{false, true} {
			now := begin()
			r := newRig(t, streamOrder, 10, func(o *fakeshopify.Options) {
				o.Now = func() time.Time { return now }
				o.Scopes = []string{"read_orders", "read_customers"}
				if all {
					o.Scopes = append(o.Scopes, "read_all_orders")
				}
			}, func(o *Options) { o.Bulk, o.Sweep = bulk, 24*time.Hour })
			r.put(1, begin().Add(-90*24*time.Hour), nil)
			r.put(2, begin().Add(-24*time.Hour), nil)
			r.poll()
			if hidden := r.got[orderID(1)] == nil; hidden == all {
				t.Errorf("bulk %v, read_all_orders %v: an old order is hidden: %v", bulk, all, hidden)
			}
			if warned := strings.Contains(r.logs.String(), scopeAllOrders); warned == all {
				t.Errorf("bulk %v, read_all_orders %v: a warning was logged: %v", bulk, all, warned)
			}
			if swept(r.pages) {
				t.Error("the first reading was a sweep")
			}
			now = now.Add(25 * time.Hour)
			r.poll()
			if swept(r.pages) != all {
				t.Errorf("bulk %v, read_all_orders %v: swept: %v", bulk, all, swept(r.pages))
			}
			r.poll()
			if swept(r.pages) {
				t.Error("a sweep follows on a sweep")
			}
		}
	}
}

func TestSweepThatFailsIsTriedLater(t *testing.T) {
	now := begin()
	r := newRig(t, streamOrder, 2, func(o *fakeshopify.Options) { o.Now = func() time.Time { return now } },
		func(o *Options) { o.Sweep = 24 * time.Hour })
	for n := range 5 {
		r.put(n+1, begin().Add(time.Duration(n-5)*24*time.Hour), nil)
	}
	r.poll()
	now = now.Add(25 * time.Hour)
	r.put(9, now, nil)
	stop := errors.New("the disk is full")
	r.onPage = func(sources.Page) error {
		if len(r.pages) == 2 {
			return stop
		}
		return nil
	}
	if _, err := r.fetch(); !errors.Is(err, stop) {
		t.Fatalf("got %v, want the error of emit", err)
	}
	r.onPage = nil
	if r.got[orderID(9)] == nil {
		t.Error("a sweep that fails keeps new orders out")
	}
	now = now.Add(10 * time.Minute)
	if got := r.poll(); got != "Orders" || len(r.asked) != 1 {
		t.Errorf("asked for %s in %d requests right after a failed sweep", got, len(r.asked))
	}
	now = now.Add(sweepRetry)
	if r.poll(); !swept(r.pages) {
		t.Error("the sweep was not tried again")
	}
}

func TestPageSizeFollowsTheCost(t *testing.T) {
	r := newRig(t, streamOrder, maxPageSize, func(o *fakeshopify.Options) { still(o); o.MaxCost, o.BucketSize = 300, 1e6 }, nil)
	for n := range 40 {
		r.put(n+1, begin().Add(time.Duration(n-50)*time.Minute), nil)
	}
	r.poll()
	if len(r.got) != 40 {
		t.Errorf("got %d orders of 40", len(r.got))
	}
	var sizes []float64
	for _, a := range r.asked {
		if a.Operation == "Orders" {
			sizes = append(sizes, a.Variables["first"].(float64))
		}
	}
	if sizes[0] != 25 || !slices.Contains(sizes, 12) || slices.Max(sizes[1:]) > 12 {
		t.Errorf("pages of %v were asked for: want them halved until they are not too costly", sizes)
	}

	r = newRig(t, streamOrder, maxPageSize, func(o *fakeshopify.Options) { still(o); o.MaxCost, o.BucketSize = 20, 1e6 }, nil)
	_, err := r.fetch()
	if refused, ok := errors.AsType[*apiclient.APIError](err); !ok || refused.Code != codeMaxCost {
		t.Errorf("got %v, want the refusal of an order that alone is too costly", err)
	}

	p := newPacer(25, maxPageSize)
	p.paid(25, 100)
	if size, cost := p.next(); size != 50 || cost != 200 {
		t.Errorf("after a cheap page: size %d, cost %d", size, cost)
	}
	p.paid(50, 950)
	if size, _ := p.next(); size >= 50 {
		t.Errorf("after a costly page: size %d", size)
	}
}

// The source must neither be throttled nor leave points unused.
func TestPacing(t *testing.T) {
	schema := keptSchema(t)
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(time.Until(begin()))
		r := newRig(t, streamOrder, maxPageSize, nil, nil)
		r.shop = fakeshopify.New(fakeshopify.Options{
			Now: time.Now, ClientID: testClientID, ClientSecret: testSecret, Schema: schema, BucketSize: 1000, Restore: 50,
		})
		throttled := 0
		r.answers = func(asked) string {
			if strings.Contains(r.logs.String(), "reason=throttled") {
				throttled++
				r.logs.Reset()
			}
			return ""
		}
		const orders = 2000
		for n := range orders {
			r.put(n+1, begin().Add(time.Duration(n-orders-60)*time.Minute), nil)
		}
		start := time.Now()
		r.poll()
		took, spent := time.Since(start), r.shop.Spent()
		if len(r.got) != orders {
			t.Errorf("got %d orders of %d", len(r.got), orders)
		}
		if throttled > 1 {
			t.Errorf("throttled %d times", throttled)
		}
		least := time.Duration((spent - 1000) / 50 * float64(time.Second))
		if took > least*12/10 {
			t.Errorf("took %v for %v points, which come in %v", took, spent, least)
		}
		t.Logf("%d requests, %.0f points, %v", len(r.asked), spent, took)
	})
}

func TestCostsThatMayNotBeSeen(t *testing.T) {
	r := newRig(t, streamOrder, 10, func(o *fakeshopify.Options) {
		still(o)
		o.Scopes = []string{"read_orders", "read_all_orders", "read_customers"}
	}, nil)
	r.put(1, begin(), nil)
	r.poll()
	if o := r.order(1); !o.Cost.IsNull() || o.Gross != record.Micros(21_000_000) {
		t.Errorf("got %+v, want the order without its cost", o)
	}
	r = newRig(t, streamOrder, 10, func(o *fakeshopify.Options) { still(o); o.Scopes = []string{"read_orders", "read_all_orders"} }, nil)
	r.put(1, begin(), nil)
	_, err := r.fetch()
	if scope, ok := errors.AsType[*apiclient.ScopeError](err); !ok || scope.Scope != "read_customers" {
		t.Errorf("got %v, want the missing scope read_customers: orders of nobody are worse than none", err)
	}
	if len(r.got) > 0 {
		t.Errorf("got %v of an answer without customers", r.got)
	}
}

func TestDeepListsAreBegunAnew(t *testing.T) {
	r := newRig(t, streamCustomer, maxPageSize, still, nil)
	at := begin().Add(-time.Hour)
	page := func(after string, n int) string {
		var nodes []string
		for i := range n {
			nodes = append(nodes, fmt.Sprintf(`{"id":"c%s%d","createdAt":"2026-01-01T00:00:00Z","updatedAt":"%s","companyContactProfiles":[]}`,
				after, i, at.Format(time.RFC3339)))
		}
		at = at.Add(time.Second)
		return fmt.Sprintf(`{"data":{"customers":{"pageInfo":{"hasNextPage":true,"endCursor":"%sx"},"nodes":[%s]}},"extensions":{"cost":{"requestedQueryCost":1,"actualQueryCost":1,"throttleStatus":{"maximumAvailable":1000000.0,"currentlyAvailable":1000000,"restoreRate":1000.0}}}}`,
			after, strings.Join(nodes, ","))
	}
	var filters []string
	depth := 0
	r.answers = func(a asked) string {
		if a.Operation != "Customers" {
			return ""
		}
		filter := fmt.Sprint(a.Variables["filter"])
		if len(filters) == 0 || filters[len(filters)-1] != filter {
			filters, depth = append(filters, filter), 0
			if a.Variables["after"] != nil {
				return `{"errors":[{"message":"a cursor of another query","extensions":{"code":"BAD_REQUEST"}}]}`
			}
		}
		if depth += 250; depth > maxDepth {
			return `{"errors":[{"message":"too deep","extensions":{"code":"BAD_REQUEST"}}]}`
		}
		if len(filters) == 3 {
			return `{"data":{"customers":{"pageInfo":{"hasNextPage":false,"endCursor":null},"nodes":[]}}}`
		}
		after, _ := a.Variables["after"].(string)
		return page(after, 250)
	}
	r.poll()
	if len(filters) != 3 || filters[0] != "" || filters[1] == filters[2] {
		t.Errorf("searched for %q, want the search begun anew twice", filters)
	}
}

func TestStaticToken(t *testing.T) {
	r := newRig(t, streamOrder, 10, func(o *fakeshopify.Options) { still(o); o.AccessToken = "shpat_static" }, func(o *Options) {
		o.ClientID, o.ClientSecret, o.AccessToken = "", config.SecretRef{}, config.LiteralSecret("shpat_static")
	})
	r.put(1, begin(), nil)
	r.poll()
	if r.order(1); r.shop.Calls()["token"] != 0 {
		t.Error("a token was asked for although one is configured")
	}
}

func TestCheck(t *testing.T) {
	env := sources.Environment{Zone: time.UTC, Currency: "EUR", Now: begin()}
	say := func(r *rig) (text string, failed []string) {
		for _, f := range r.source.Check(t.Context(), env) {
			text += f.Subject + ": " + f.Detail + "\n"
			if f.Err != nil {
				failed = append(failed, f.Subject)
				text += f.Err.Error() + "\n"
			}
		}
		return text, failed
	}
	r := newRig(t, streamOrder, 10, still, nil)
	r.put(1, begin(), nil)
	text, failed := say(r)
	for _, want := range []string{"example.myshopify.com, plan Plus", "scopes: all that is needed", "time zone: UTC\n", "currency: EUR\n", "API version: 2026-10\n", "stream order: 1 records"} {
		if !strings.Contains(text, want) {
			t.Errorf("it does not say %q:\n%s", want, text)
		}
	}
	if failed != nil {
		t.Errorf("failed: %v\n%s", failed, text)
	}
	r = newRig(t, streamOrder, 10, func(o *fakeshopify.Options) {
		still(o)
		o.Scopes, o.Zone, o.Currency = []string{"read_orders"}, "America/New_York", "USD"
	}, nil)
	text, failed = say(r)
	for _, want := range []string{"read_all_orders (without it", "read_customers (", "read_inventory is not granted", "days are in America/New_York", "amounts are in USD"} {
		if !strings.Contains(text, want) {
			t.Errorf("it does not say %q:\n%s", want, text)
		}
	}
	if want := []string{"scopes", "stream customer", "stream company"}; !slices.Equal(failed, want) {
		t.Errorf("failed: %v, want %v", failed, want)
	}
	if got := checkVersion("2026-10", "2026-01"); !strings.Contains(got, "2026-10 has answered") {
		t.Errorf("of another version it says %q", got)
	}
}

func TestClassify(t *testing.T) {
	for name, test := range map[string]struct {
		status int
		body   string
		want   apiclient.Class
	}{
		"data":              {200, `{"data":{"shop":{}}}`, apiclient.ClassOK},
		"no data":           {200, `{"data":null}`, apiclient.ClassPermanent},
		"nothing":           {200, `{}`, apiclient.ClassPermanent},
		"not JSON":          {200, `{"data":`, apiclient.ClassOK}, // for the client to tell
		"throttled":         {200, `{"errors":[{"message":"Throttled","extensions":{"code":"THROTTLED"}}]}`, apiclient.ClassThrottled},
		"server error":      {200, `{"errors":[{"message":"x","extensions":{"code":"INTERNAL_SERVER_ERROR"}}]}`, apiclient.ClassRetry},
		"denied":            {200, `{"data":{"orders":null},"errors":[{"message":"x","path":["orders"],"extensions":{"code":"ACCESS_DENIED"}}]}`, apiclient.ClassScope},
		"a cost denied":     {200, `{"data":{"orders":{}},"errors":[{"message":"x","path":["orders","nodes",0,"variant","inventoryItem","unitCost"],"extensions":{"code":"ACCESS_DENIED"}}]}`, apiclient.ClassOK},
		"cost, then others": {200, `{"data":{"orders":{}},"errors":[{"path":["orders","nodes",0,"variant"],"extensions":{"code":"ACCESS_DENIED"}},{"path":["orders","nodes",0,"customer"],"extensions":{"code":"ACCESS_DENIED"}}]}`, apiclient.ClassScope},
		"unknown field":     {200, `{"errors":[{"message":"x","extensions":{"code":"undefinedField"}}]}`, apiclient.ClassPermanent},
		"too costly":        {200, `{"errors":[{"message":"x","extensions":{"code":"MAX_COST_EXCEEDED"}}]}`, apiclient.ClassPermanent},
		"errors as a text":  {200, `{"errors":"Unavailable Shop"}`, apiclient.ClassPermanent},
		"token":             {401, `{"errors":"[API] Invalid API key or access token"}`, apiclient.ClassAuth},
		"frozen":            {402, `{"errors":"Unavailable Shop"}`, apiclient.ClassPermanent},
		"locked":            {423, `{"errors":"Locked"}`, apiclient.ClassPermanent},
		"security":          {430, ``, apiclient.ClassThrottled},
		"too many":          {429, ``, apiclient.ClassThrottled},
		"no such shop":      {404, `{"errors":"Not Found"}`, apiclient.ClassPermanent},
	} {
		if got := classify(&apiclient.Response{Status: test.status, Header: http.Header{}, Body: []byte(test.body)}); got.Class != test.want {
			t.Errorf("%s: class %d (%s), want %d", name, got.Class, got.Message, test.want)
		}
	}
}
