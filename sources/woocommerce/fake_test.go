package woocommerce

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	fakewoo "github.com/b2bexporter/b2b_exporter/internal/fake/woocommerce"
	"github.com/b2bexporter/b2b_exporter/sources/internal/apiclient"
)

// signed returns a request that is signed as over plain HTTP.
func signed(t *testing.T, key, secret string) *http.Request {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "http://shop.test"+pathOrders+"?status=any", nil)
	literal := func(s string) apiclient.SecretFunc { return func() (string, error) { return s, nil } }
	if err := apiclient.OAuth1(literal(key), literal(secret)).Apply(r); err != nil {
		t.Fatal(err)
	}
	return r
}

// A fake that takes anything would prove nothing.
func TestTheFakeChecksSignatures(t *testing.T) {
	change := func(name, value string) func(*http.Request) {
		return func(r *http.Request) {
			query := r.URL.Query()
			query.Set(name, value)
			r.URL.RawQuery = query.Encode()
		}
	}
	for name, test := range map[string]struct {
		key, secret string
		change      func(*http.Request)
		want        string
	}{
		"a good one":          {testKey, testSecret, nil, "[]"},
		"another key":         {"ck_x", testSecret, nil, "Consumer key is invalid"},
		"another secret":      {testKey, "cs_x", nil, "does not match"},
		"another argument":    {testKey, testSecret, change("status", "trash"), "does not match"},
		"another nonce":       {testKey, testSecret, change("oauth_nonce", "1"), "does not match"},
		"another method":      {testKey, testSecret, change("oauth_signature_method", "PLAINTEXT"), "method is invalid"},
		"no timestamp":        {testKey, testSecret, change("oauth_timestamp", ""), "Missing OAuth parameter oauth_timestamp"},
		"another address":     {testKey, testSecret, func(r *http.Request) { r.Host = "www.shop.test" }, "does not match"},
		"the secrets as such": {testKey, testSecret, func(r *http.Request) { r.URL.RawQuery = ""; r.SetBasicAuth(testKey, testSecret) }, "cannot_view"},
	} {
		w := httptest.NewRecorder()
		r := signed(t, test.key, test.secret)
		if test.change != nil {
			test.change(r)
		}
		newFake(nil).ServeHTTP(w, r)
		if !strings.Contains(w.Body.String(), test.want) {
			t.Errorf("%s: got %d %s, want %q", name, w.Code, w.Body, test.want)
		}
	}
	shop := newFake(nil)
	r := signed(t, testKey, testSecret)
	for i, want := range []string{"[]", "Invalid nonce"} {
		w := httptest.NewRecorder()
		if shop.ServeHTTP(w, r); !strings.Contains(w.Body.String(), want) {
			t.Errorf("request %d with the same signature: %s, want %s", i+1, w.Body, want)
		}
	}
	w := httptest.NewRecorder()
	newFake(func(o *fakewoo.Options) { o.Now = func() time.Time { return time.Now().Add(16 * time.Minute) } }).ServeHTTP(w, signed(t, testKey, testSecret))
	if !strings.Contains(w.Body.String(), "Invalid timestamp") {
		t.Errorf("an old signature: %s", w.Body)
	}
}

func TestTheFakeLists(t *testing.T) {
	shop := newFake(func(o *fakewoo.Options) { o.HTTPS = true; o.Posts = true })
	for n, status := range []string{"pending", "trash", "auto-draft", "completed", "completed"} {
		shop.PutOrder(fakewoo.Order{ID: int64(n + 1), Status: status, Created: begin().Add(-time.Duration(n) * time.Hour), Modified: begin()})
	}
	for n, role := range []string{"customer", "wholesale"} {
		shop.PutCustomer(fakewoo.Customer{ID: int64(n + 1), Role: role, Email: strconv.Itoa(9-n) + "@a.example", Created: begin()})
	}
	for query, want := range map[string]string{
		"orders":           "1 4 5",
		"orders?order=asc": "5 4 1",
		"orders?status=any,trash&order=asc&orderby=id":   "1 4 5", // any wins
		"orders?status=trash,completed&orderby=id":       "5 4 2",
		"orders?orderby=id&per_page=2&page=2":            "1",
		"orders?modified_after=2026-03-02T09:30:00":      "", // strictly after
		"orders?modified_after=2026-03-02T09:29:59&dp=4": "5 4 1 or 1 4 5",
		"customers":          "1",
		"customers?role=all": "2 1", // by name
		"customers?role=all&orderby=registered_date":   "1 2",
		"customers?role=all&modified_after=2100-01-01": "2 1", // ignored
		"orders?orderby=popularity":                    "rest_invalid_param",
		"orders?order=up":                              "rest_invalid_param",
		"orders?modified_after=yesterday":              "rest_invalid_param",
		"orders?dp=-1":                                 "rest_invalid_param",
		"customers?orderby=modified":                   "rest_invalid_param",
		"orders/9/refunds":                             "woocommerce_rest_invalid_order_id",
		"products":                                     "rest_no_route",
	} {
		_, _, body := ask(t, shop, testKey, pathAPI+"/"+query)
		var ids []string
		switch body := body.(type) {
		case []any:
			for _, o := range body {
				ids = append(ids, idText(int64(o.(map[string]any)["id"].(float64))))
			}
		case map[string]any:
			ids = append(ids, body["code"].(string))
		}
		if got := strings.Join(ids, " "); got != want && !strings.Contains(want, got+" or ") && !strings.HasSuffix(want, " or "+got) {
			t.Errorf("%s: got %s, want %s", query, got, want)
		}
	}
	_, _, body := ask(t, shop, testKey, pathOrders+"?_fields="+url.QueryEscape("id,billing.country,shipping.country,none")+"&per_page=1")
	if got := body.([]any)[0].(map[string]any); len(got) != 3 || len(got["billing"].(map[string]any)) != 1 {
		t.Errorf("asked for four fields, one of which is none: %v", got)
	}
}
