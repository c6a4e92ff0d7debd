package woocommerce

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	fakewoo "github.com/b2bexporter/b2b_exporter/internal/fake/woocommerce"
	"github.com/b2bexporter/b2b_exporter/internal/record"
)

// recorded reads a file of what a real shop answered.
func recorded[T any](t *testing.T, name string) T {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	var v T
	if err := json.Unmarshal(data, &v); err != nil {
		t.Fatal(err)
	}
	return v
}

// argument is what a real shop tells about an argument of a list.
type argument struct {
	Type    string
	Enum    []string
	Minimum *int
	Maximum *int
	Format  string
}

func (a argument) check(text string) error {
	if a.Type == "integer" || a.Minimum != nil {
		n, err := strconv.Atoi(text)
		if err != nil || a.Minimum != nil && n < *a.Minimum || a.Maximum != nil && n > *a.Maximum {
			return fmt.Errorf("%s is no such integer", text)
		}
	}
	if a.Type == "boolean" && text != "true" && text != "false" {
		return fmt.Errorf("%s is no boolean", text)
	}
	if len(a.Enum) > 0 && !slices.Contains(a.Enum, text) {
		return fmt.Errorf("%s is not one of %v", text, a.Enum)
	}
	if a.Format == "date-time" {
		if _, err := time.Parse("2006-01-02T15:04:05", text); err != nil {
			return fmt.Errorf("a time without a zone: %w", err)
		}
	}
	return nil
}

// Nobody tells of an argument that a shop does not know: it is ignored.
func TestArgumentsExist(t *testing.T) {
	known := recorded[map[string]map[string]argument](t, "arguments.json")
	routes := map[string]*regexp.Regexp{
		"orders": regexp.MustCompile(`^/wp-json/wc/v3/orders$`), "orders/{id}/refunds": regexp.MustCompile(`^/wp-json/wc/v3/orders/\d+/refunds$`),
		"customers": regexp.MustCompile(`^/wp-json/wc/v3/customers$`),
	}
	seen := map[string]bool{}
	for _, stream := range []string{streamOrder, streamCustomer} {
		r := newRig(t, stream, 4, nil, nil)
		for n := range 9 {
			r.put(n+1, begin().Add(-72*time.Hour), func(o *fakewoo.Order) { o.Refunds = []fakewoo.Refund{{ID: int64(n + 100), At: begin(), Amount: "1"}} })
			r.shop.PutCustomer(fakewoo.Customer{ID: int64(n + 1), Created: begin()})
		}
		var all []asked
		for range 2 { // the second is an increment with a sweep
			r.poll()
			all = append(all, r.asked...)
			r.now = r.now.Add(25 * time.Hour)
		}
		r.asked = nil
		r.source.Check(t.Context(), r.environment())
		for _, a := range append(all, r.asked...) {
			for route, path := range routes {
				if !path.MatchString(a.path) {
					continue
				}
				for name, values := range a.query {
					seen[route+" "+name] = true
					if name == "_fields" { // of WordPress itself, for all lists
						continue
					}
					argument, ok := known[route][name]
					if !ok {
						t.Errorf("%s has no argument %s", route, name)
					} else if err := argument.check(values[0]); err != nil || len(values) != 1 {
						t.Errorf("%s: %s: %v", route, name, err)
					}
				}
			}
		}
	}
	for _, want := range []string{"orders modified_after", "orders status", "orders/{id}/refunds offset", "customers role"} {
		if !seen[want] {
			t.Errorf("no request with %s", want)
		}
	}
}

// fakeOrder makes the fake's order of a recorded one.
func fakeOrder(t *testing.T, o map[string]any, refunds []map[string]any) fakewoo.Order {
	t.Helper()
	at := func(field string) time.Time {
		text, _ := o[field].(string)
		if text == "" {
			return time.Time{}
		}
		moment, err := time.Parse(naive, text)
		if err != nil {
			t.Fatal(err)
		}
		return moment
	}
	text := func(in any, field string) string { s, _ := in.(map[string]any)[field].(string); return s }
	number := func(in any, field string) int64 { n, _ := in.(map[string]any)[field].(float64); return int64(n) }
	put := fakewoo.Order{
		ID: number(o, "id"), Status: text(o, "status"), Currency: text(o, "currency"), Customer: number(o, "customer_id"),
		Created: at("date_created_gmt"), Modified: at("date_modified_gmt"), Paid: at("date_paid_gmt"), Completed: at("date_completed_gmt"),
		Company: text(o["billing"], "company"), Email: text(o["billing"], "email"), Billed: text(o["billing"], "country"),
		Shipped: text(o["shipping"], "country"), Via: text(o, "created_via"), Shipping: text(o, "shipping_total"), ShippingTax: text(o, "shipping_tax"),
	}
	for _, l := range o["line_items"].([]any) {
		put.Lines = append(put.Lines, fakewoo.Line{
			ID: number(l, "id"), Product: number(l, "product_id"), Quantity: int(number(l, "quantity")),
			Subtotal: text(l, "subtotal"), Total: text(l, "total"), Tax: text(l, "total_tax"),
		})
	}
	for _, m := range o["meta_data"].([]any) {
		put.Meta = append(put.Meta, fakewoo.Meta{Key: text(m, "key"), Value: m.(map[string]any)["value"]})
	}
	for _, f := range o["refunds"].([]any) {
		put.Refunds = append(put.Refunds, fakewoo.Refund{ID: number(f, "id"), Reason: text(f, "reason"), Amount: strings.TrimPrefix(text(f, "total"), "-"), At: at("date_modified_gmt")})
	}
	for i, f := range refunds {
		put.Refunds[i].Amount = text(f, "amount")
	}
	return put
}

// differences compares a fake's answer with a recorded one. Of the fields in ignore only the types are
// compared.
func differences(path string, want, got any, ignore *regexp.Regexp) (all []string) {
	if want != nil && got != nil && reflect.TypeOf(want) != reflect.TypeOf(got) {
		return []string{fmt.Sprintf("%s: %T, want %T", path, got, want)}
	}
	if ignore.MatchString(path) {
		return nil
	}
	switch want := want.(type) {
	case map[string]any:
		for name, value := range want {
			inner, ok := got.(map[string]any)[name]
			if !ok {
				all = append(all, path+"."+name+" is missing")
				continue
			}
			all = append(all, differences(path+"."+name, value, inner, ignore)...)
		}
		for name := range got.(map[string]any) {
			if _, ok := want[name]; !ok {
				all = append(all, path+"."+name+" is not in the real answer")
			}
		}
	case []any:
		list := got.([]any)
		if len(list) != len(want) {
			return []string{fmt.Sprintf("%s: %d elements, want %d", path, len(list), len(want))}
		}
		for i := range want {
			all = append(all, differences(path, want[i], list[i], ignore)...)
		}
	default:
		if want != got {
			all = append(all, fmt.Sprintf("%s: %v, want %v", path, got, want))
		}
	}
	return all
}

// ask sends a request to the fake.
func ask(t *testing.T, shop http.Handler, key, path string) (int, http.Header, any) {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "https://shop.test"+path, nil)
	r.SetBasicAuth(key, testSecret)
	w := httptest.NewRecorder()
	shop.ServeHTTP(w, r)
	var body any
	if err := json.Unmarshal(w.Body.Bytes(), &body); err != nil {
		t.Fatal(err)
	}
	return w.Code, w.Header(), body
}

func TestTheFakeAnswersLikeARealShop(t *testing.T) {
	shop := newFake(func(o *fakewoo.Options) { o.Zone, o.HTTPS = paris(t), true })
	orders, refunds := recorded[[]any](t, "orders.json"), recorded[[]map[string]any](t, "refunds-13.json")
	for _, o := range orders {
		order := o.(map[string]any)
		var own []map[string]any
		if order["id"] == 13.0 {
			own = refunds
		}
		shop.PutOrder(fakeOrder(t, order, own))
	}
	for _, c := range recorded[[]map[string]any](t, "customers.json") {
		put := fakewoo.Customer{ID: int64(c["id"].(float64)), Email: c["email"].(string), Role: c["role"].(string), Company: c["billing"].(map[string]any)["company"].(string)}
		put.Created, _ = time.Parse(naive, c["date_created_gmt"].(string))
		if text, ok := c["date_modified_gmt"].(string); ok {
			put.Modified, _ = time.Parse(naive, text)
		}
		shop.PutCustomer(put)
	}
	ignore := regexp.MustCompile(`order_key|payment_|symbol|_links|name|city|postcode|sku|taxes|shipping_lines|tax_lines|meta_data\.id|customer\.meta_data|needs_|avatar|is_paying|customer_ip|customer\.billing`)
	for path, test := range map[string]struct {
		want any
		as   string
	}{
		"/orders?orderby=id&order=asc&status=any":          {any(orders), "order"},
		"/orders/13/refunds":                               {any(recorded[[]any](t, "refunds-13.json")), "refund"},
		"/customers?role=all&orderby=id":                   {any(recorded[[]any](t, "customers.json")), "customer"},
		"/settings/general/woocommerce_currency":           {any(recorded[map[string]any](t, "currency.json")), "setting"},
		"/orders?modified_after=2100-01-01T00:00:00":       {[]any{}, "order"},
		"/orders?orderby=id&order=asc&offset=6&per_page=9": {[]any{}, "order"},
	} {
		status, header, got := ask(t, shop, testKey, pathAPI+path)
		if status != 200 || test.as == "order" && header.Get("X-WP-Total") == "" {
			t.Errorf("%s: status %d, headers %v", path, status, header)
		}
		for _, text := range differences(test.as, test.want, got, ignore) {
			t.Errorf("%s: %s", path, text)
		}
	}
}

func TestTheFakeRefusesLikeARealShop(t *testing.T) {
	shop := newFake(func(o *fakewoo.Options) { o.HTTPS = true })
	compared := 0
	for _, want := range recorded[[]map[string]any](t, "errors.json") {
		path, key := "", testKey
		switch want["code"] {
		case "rest_invalid_param":
			path = "/orders?per_page=101"
		case "rest_no_route":
			path = "/order"
		case "woocommerce_rest_cannot_view":
			path, key = "/orders", "ck_x"
		default:
			continue // of a single order, which nobody asks for
		}
		compared++
		status, _, body := ask(t, shop, key, pathAPI+path)
		got := body.(map[string]any)
		if float64(status) != want["data"].(map[string]any)["status"] || got["code"] != want["code"] || got["message"] != want["message"] {
			t.Errorf("%s: %d %v, want %v", path, status, got, want)
		}
	}
	if compared != 3 {
		t.Errorf("%d errors were compared, want 3", compared)
	}
}

// TestRecordedAnswers reads what the real shop has answered.
func TestRecordedAnswers(t *testing.T) {
	r := newRig(t, streamOrder, 100, nil, nil)
	file := func(name string) []byte {
		data, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	r.handler = http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		body := []byte("[]")
		switch {
		case strings.HasSuffix(req.URL.Path, "/13/refunds"):
			body = file("refunds-13.json")
		case strings.HasSuffix(req.URL.Path, "/18/refunds"): // as the order has it: only 13's were recorded
			body = []byte(`[{"id":37,"date_created_gmt":"2026-11-21T19:43:41","amount":"491.64","line_items":[],"shipping_lines":[],"fee_lines":[]}]`)
		case req.URL.Path == pathCustomers:
			body = file("customers.json")
		case req.URL.Query().Get("status") == "any":
			body = file("orders.json")
		}
		w.Header().Set("Content-Type", "application/json; charset=UTF-8")
		if _, err := w.Write(body); err != nil {
			t.Error(err)
		}
	})
	r.poll()
	r.stream, r.cursor = streamCustomer, ""
	r.poll()
	at := func(seconds int) record.Instant {
		return record.At(time.Date(2026, 11, 21, 19, 43, seconds, 0, time.UTC))
	}
	touch := record.Touch{Source: "google", Medium: "cpc"}
	order := func(id, customer string, placed, paid int, gross int64) *record.Order {
		o := &record.Order{
			Meta: record.Meta{ID: id}, Customer: record.RefTo(customer), PlacedAt: at(placed), State: record.StateCounted, Currency: "EUR",
			Gross: record.Micros(gross), Discount: record.Micros(0), Country: "FR", Touch: touch,
		}
		if paid >= 0 {
			o.PaidAt = at(paid)
		}
		return o
	}
	cancelled := order("15", "", 34, -1, 399_800_000)
	cancelled.State = record.StateCancelled
	refund := func(id, order, customer string, amount int64) *record.Refund {
		return &record.Refund{
			Meta: record.Meta{ID: id}, Order: order, Customer: record.RefTo(customer), Country: "FR", At: at(41), Currency: "EUR", Amount: record.Micros(amount),
		}
	}
	want := map[string]record.Record{
		"order 11": order("11", "2", 32, -1, 199_900_000), "order 12": order("12", "3", 32, 33, 399_800_000),
		"order 13": order("13", "4", 33, 33, 599_700_000), "order 14": order("14", "2", 33, -1, 199_900_000),
		"order 15": cancelled, "order 18": order("18", "3", 35, 35, 399_800_000),
		// 50.00 x 599.70 / 731.52, and all that was sold.
		"refund 36": refund("36", "13", "4", 40_989_993), "refund 37": refund("37", "18", "3", 399_800_000),
	}
	for id, email := range map[string]string{"2": "buyer1@example.test", "3": "buyer2@example.test", "4": "buyer3@example.test"} {
		c, _ := r.got["customer "+id].(*record.Customer)
		if c == nil || c.Keys.Email != email || c.CreatedAt.IsNull() {
			t.Errorf("customer %s is %+v", id, c)
		}
		delete(r.got, "customer "+id)
	}
	if diff := cmp.Diff(want, r.got, cmp.AllowUnexported(record.Amount{}, record.Instant{})); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}
