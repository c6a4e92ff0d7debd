package shopify

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	fakeshopify "github.com/b2bexporter/b2b_exporter/internal/fake/shopify"
)

// A fake that takes anything would prove nothing.
func TestFakeRefuses(t *testing.T) {
	const token = "shpat_static"
	shop := newFake(keptSchema(t), func(o *fakeshopify.Options) { still(o); o.AccessToken = token })
	send := func(token, document, variables string) (int, string) {
		body, err := json.Marshal(map[string]any{"query": document, "operationName": "Q", "variables": json.RawMessage(variables)})
		if err != nil {
			t.Fatal(err)
		}
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "http://shop.test/admin/api/2026-10/graphql.json", strings.NewReader(string(body)))
		r.Header.Set("X-Shopify-Access-Token", token)
		w := httptest.NewRecorder()
		shop.ServeHTTP(w, r)
		return w.Code, w.Body.String()
	}
	const orders = `query Q($first: Int!, $filter: String) { orders(first: $first, query: $filter) { nodes { id } } }`
	for name, test := range map[string]struct {
		token, document, variables, want string
		status                           int
	}{
		"nothing":             {token, orders, `{"first":10}`, `"data":{"orders":{"nodes":[]}}`, 200},
		"a wrong token":       {"x", orders, `{"first":10}`, "Invalid API key", 401},
		"no token":            {"", orders, `{"first":10}`, "Invalid API key", 401},
		"an unknown field":    {token, `query Q { orders(first: 1) { nodes { total } } }`, `{}`, "undefinedField", 200},
		"an unknown argument": {token, `query Q { orders(limit: 1) { nodes { id } } }`, `{}`, "undefinedField", 200},
		"a missing variable":  {token, orders, `{}`, "INVALID_VARIABLE", 200},
		"a page too large":    {token, orders, `{"first":251}`, "not from 1 to 250", 200},
		"an offset":           {token, orders, `{"first":1,"filter":"updated_at:>='2026-01-01T00:00:00+01:00'"}`, "is not understood", 200},
		"an unknown filter":   {token, orders, `{"first":1,"filter":"company:1"}`, "is not understood", 200},
		"a mutation":          {token, `mutation Q { orderDelete(id: 1) { deletedId } }`, `{}`, "undefinedField", 200},
	} {
		if status, body := send(test.token, test.document, test.variables); status != test.status || !strings.Contains(body, test.want) {
			t.Errorf("%s: status %d, %s; want %d and %q", name, status, body, test.status, test.want)
		}
	}
}

// A wrong value in the fake's own answer is noticed.
func TestFakeChecksItsAnswers(t *testing.T) {
	for name, change := range map[string]func(*fakeshopify.Order){
		"an amount": func(o *fakeshopify.Order) { o.Lines[0].Cost = "4,50" },
		"a country": func(o *fakeshopify.Order) { o.Country = "Germany" },
		"an enum":   func(o *fakeshopify.Order) { o.FinancialStatus = "SETTLED" },
		"a null":    func(o *fakeshopify.Order) { *o = fakeshopify.Order{ID: o.ID, Lines: o.Lines} },
		"a tactic":  func(o *fakeshopify.Order) { o.Visit = &fakeshopify.Visit{Source: "x", Tactic: "TELEPATHY"} },
		"a restock": func(o *fakeshopify.Order) {
			o.Refunds = []fakeshopify.Refund{{ID: 1, At: begin(), Lines: []fakeshopify.RefundLine{{Restock: "MAYBE"}}}}
		},
		"a discount": func(o *fakeshopify.Order) { o.Lines[0].Discounts = []string{"ten"} },
	} {
		r := newRig(t, streamOrder, 10, still, nil)
		r.put(1, begin(), change)
		if _, err := r.fetch(); err == nil || !strings.Contains(err.Error(), "does not agree with the schema") {
			t.Errorf("%s: got %v", name, err)
		}
	}
}
