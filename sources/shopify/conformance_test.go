package shopify

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/b2bexporter/b2b_exporter/internal/config"
	"github.com/b2bexporter/b2b_exporter/internal/fake"
	fakeshopify "github.com/b2bexporter/b2b_exporter/internal/fake/shopify"
	"github.com/b2bexporter/b2b_exporter/internal/record"
	"github.com/b2bexporter/b2b_exporter/sources"
	"github.com/b2bexporter/b2b_exporter/sources/internal/apiclient"
	"github.com/b2bexporter/b2b_exporter/sources/sourcetest"
)

const (
	testClientID = "0123456789abcdef"
	testSecret   = "shpss_conformance/secret+1"
	testPage     = 10
)

func testOptions(url string) Options {
	o := DefaultOptions()
	o.URL, o.ClientID, o.ClientSecret = url, testClientID, config.LiteralSecret(testSecret)
	o.Review, o.Sweep = 2*time.Hour, 2*time.Hour
	return *o
}

// newFake returns a shop that holds queries and answers against the schema.
func newFake(schema *ast.Schema, change func(*fakeshopify.Options)) *fakeshopify.Server {
	o := fakeshopify.Options{Now: time.Now, ClientID: testClientID, ClientSecret: testSecret, Schema: schema}
	if change != nil {
		change(&o)
	}
	return fakeshopify.New(o)
}

// isList selects the requests for lists from those for tokens, settings and files.
func isList(r *http.Request) bool {
	if !strings.HasSuffix(r.URL.Path, "/graphql.json") {
		return false
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return false
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	return !bytes.Contains(body, []byte(`"operationName":"Settings"`))
}

func jsonFault(status int, body string) fake.Fault {
	return fake.Fault{Status: status, Header: http.Header{"Content-Type": {"application/json; charset=utf-8"}}, Body: body}
}

func harness(stream string, account func() sourcetest.Account) sourcetest.Harness {
	return sourcetest.Harness{
		Stream: stream, Account: account, PageSize: testPage, Settle: 5 * time.Hour, Interval: 30 * time.Minute,
		Open: func(url string, deps apiclient.Deps) (sources.Source, error) {
			return open("shop", testOptions(url), deps, testPage)
		},
		Secrets:   []string{testSecret, "shpat_fake", fakeshopify.BulkSignature()},
		Data:      isList,
		Refreshes: true,
		Unauthorized: jsonFault(401,
			`{"errors":"[API] Invalid API key or access token (unrecognized login or wrong password)"}`),
		Forbidden: jsonFault(200,
			"{\"data\":null,\"errors\":[{\"message\":\"Access denied for orders field.\",\"path\":[\"orders\"],\"extensions\":{\"code\":\"ACCESS_DENIED\",\"requiredAccess\":\"`read_orders` access scope.\"}}]}"),
		Throttled: jsonFault(200,
			`{"errors":[{"message":"Throttled","extensions":{"code":"THROTTLED","documentation":"https://shopify.dev/api/usage/rate-limits"}}],"extensions":{"cost":{"requestedQueryCost":752,"actualQueryCost":null,"throttleStatus":{"maximumAvailable":2000.0,"currentlyAvailable":252,"restoreRate":100.0}}}}`),
		ErrorInside200: jsonFault(200,
			`{"errors":[{"message":"Internal error. Looks like something went wrong on our end.","extensions":{"code":"INTERNAL_SERVER_ERROR","requestId":"6c5e"}}]}`),
		Skip: map[string]string{},
	}
}

func amountText(a record.Amount) string { return fmt.Sprintf("%d.%06d", a.Micros/1e6, a.Micros%1e6) }

func second(t time.Time) time.Time { return t.UTC().Truncate(time.Second) }

// orderAccount has orders with one line: its price is the value and its unit's cost is
// the value, too; where the value is null the price is 10 and the cost unknown. Every third has a refund.
func orderAccount(t testing.TB, change func(*fakeshopify.Options)) func() sourcetest.Account {
	schema := keptSchema(t)
	return func() sourcetest.Account {
		shop := newFake(schema, change)
		type held struct {
			value   record.Amount
			created time.Time
		}
		orders := map[int]held{}
		return sourcetest.Account{
			Handler: shop,
			Put: func(n int, value record.Amount, at time.Time) {
				o, ok := orders[n]
				if !ok {
					o.created = at
				}
				o.value = value
				orders[n] = o
				id := int64(1000 + n)
				line := fakeshopify.Line{ID: id, Quantity: 2, Price: "5", Cost: ""}
				if !value.IsNull() {
					line = fakeshopify.Line{ID: id, Quantity: 1, Price: amountText(value), Cost: amountText(value)}
				}
				put := fakeshopify.Order{
					ID: id, Created: o.created, Updated: at, Customer: 7, Country: "DE", FinancialStatus: "PENDING", Lines: []fakeshopify.Line{line},
				}
				if n%3 == 0 {
					put.Refunds = []fakeshopify.Refund{{ID: id, At: o.created, Adjustments: []string{"-1.25"}}}
				}
				shop.PutOrder(put)
			},
			Delete: func(n int, _ time.Time) {
				delete(orders, n)
				shop.DeleteOrder(int64(1000 + n))
			},
			Want: func() []record.Record {
				var want []record.Record
				for n, o := range orders {
					id := fmt.Sprint("gid://shopify/Order/", 1000+n)
					at, customer := record.At(second(o.created)), record.RefTo("gid://shopify/Customer/7")
					r := &record.Order{
						Meta: record.Meta{ID: id}, Customer: customer, PlacedAt: at, State: record.StateCounted, Currency: "EUR",
						Gross: o.value, Discount: record.Micros(0), Cost: o.value, CostedNet: o.value, Country: "DE",
					}
					if o.value.IsNull() {
						r.Gross = record.Micros(10_000_000)
					}
					want = append(want, r)
					if n%3 == 0 {
						want = append(want, &record.Refund{
							Meta: record.Meta{ID: fmt.Sprint("gid://shopify/Refund/", 1000+n)}, Order: id, Customer: customer, Country: "DE",
							At: at, Currency: "EUR", Amount: record.Micros(1_250_000),
						})
					}
				}
				return want
			},
		}
	}
}

func TestConformanceOfOrders(t *testing.T) {
	h := harness(streamOrder, orderAccount(t, nil))
	h.Skip["merges"] = "orders are not merged"
	sourcetest.Run(t, h)
}

func TestConformanceOfOrdersInBulk(t *testing.T) {
	h := harness(streamOrder, orderAccount(t, func(o *fakeshopify.Options) { o.BulkDelay = 3 * time.Minute }))
	h.Open = func(url string, deps apiclient.Deps) (sources.Source, error) {
		o := testOptions(url)
		o.Bulk = true
		return open("shop", o, deps, testPage)
	}
	h.Skip["merges"] = "orders are not merged"
	sourcetest.Run(t, h)
}

// customerAccount has customers whose address holds the value; without one where null.
func customerAccount(t testing.TB, change func(*fakeshopify.Options)) func() sourcetest.Account {
	schema := keptSchema(t)
	return func() sourcetest.Account {
		shop := newFake(schema, change)
		held := map[int]fakeshopify.Customer{}
		return sourcetest.Account{
			Handler: shop,
			Put: func(n int, value record.Amount, at time.Time) {
				c, ok := held[n]
				if !ok {
					c = fakeshopify.Customer{ID: int64(n + 1), Created: at, Country: "FR", Companies: []int64{31}}
				}
				c.Updated, c.Email = at, ""
				if !value.IsNull() {
					c.Email = amountText(value) + "@example.com"
				}
				held[n] = c
				shop.PutCustomer(c)
			},
			Delete: func(n int, _ time.Time) {
				delete(held, n)
				shop.DeleteCustomer(int64(n + 1))
			},
			Merge: func(from, into int, at time.Time) {
				delete(held, from)
				shop.MergeCustomers(int64(from+1), int64(into+1), at)
			},
			Want: func() []record.Record {
				var want []record.Record
				for _, c := range held {
					want = append(want, &record.Customer{
						Meta: record.Meta{ID: fmt.Sprint("gid://shopify/Customer/", c.ID)}, CreatedAt: record.At(second(c.Created)), Country: "FR",
						Keys: record.Keys{Email: c.Email, ExternalIDs: []string{"shop:gid://shopify/Company/31"}},
					})
				}
				return want
			},
		}
	}
}

func TestConformanceOfCustomers(t *testing.T) {
	sourcetest.Run(t, harness(streamCustomer, customerAccount(t, nil)))
}

// companyAccount has companies whose external ID holds the value.
func companyAccount(t testing.TB, change func(*fakeshopify.Options)) func() sourcetest.Account {
	schema := keptSchema(t)
	return func() sourcetest.Account {
		shop := newFake(schema, change)
		held := map[int]fakeshopify.Company{}
		return sourcetest.Account{
			Handler: shop,
			Put: func(n int, value record.Amount, at time.Time) {
				c, ok := held[n]
				if !ok {
					c = fakeshopify.Company{ID: int64(n + 1), Created: at, Country: "FR"}
				}
				c.Updated, c.ExternalID = at, ""
				if !value.IsNull() {
					c.ExternalID = amountText(value)
				}
				held[n] = c
				shop.PutCompany(c)
			},
			Delete: func(n int, _ time.Time) {
				delete(held, n)
				shop.DeleteCompany(int64(n + 1))
			},
			Want: func() []record.Record {
				var want []record.Record
				for _, c := range held {
					r := &record.Customer{
						Meta: record.Meta{ID: fmt.Sprint("gid://shopify/Company/", c.ID)}, Company: true,
						CreatedAt: record.At(second(c.Created)), Country: "FR",
					}
					if c.ExternalID != "" {
						r.Keys.ExternalIDs = []string{"shop:" + c.ExternalID}
					}
					want = append(want, r)
				}
				return want
			},
		}
	}
}

func TestConformanceOfCompanies(t *testing.T) {
	h := harness(streamCompany, companyAccount(t, nil))
	h.Skip["merges"] = "companies are not merged"
	sourcetest.Run(t, h)
}

// checkoutAccount has checkouts; those with money are completed when they are changed.
func checkoutAccount(t testing.TB, change func(*fakeshopify.Options)) func() sourcetest.Account {
	schema := keptSchema(t)
	return func() sourcetest.Account {
		shop := newFake(schema, change)
		held := map[int]fakeshopify.Checkout{}
		return sourcetest.Account{
			Handler: shop,
			Put: func(n int, value record.Amount, at time.Time) {
				c, ok := held[n]
				if !ok {
					c = fakeshopify.Checkout{ID: int64(n + 1), Created: at, Customer: 7}
				} else if !value.IsNull() {
					c.Completed = at
				}
				c.Updated = at
				held[n] = c
				shop.PutCheckout(c)
			},
			Delete: func(n int, _ time.Time) {
				delete(held, n)
				shop.DeleteCheckout(int64(n + 1))
			},
			Want: func() []record.Record {
				var want []record.Record
				for _, c := range held {
					r := &record.Checkout{
						Meta: record.Meta{ID: fmt.Sprint("gid://shopify/AbandonedCheckout/", c.ID)}, Customer: record.RefTo("gid://shopify/Customer/7"),
						StartedAt: record.At(second(c.Created)), ChangedAt: record.At(second(c.Updated)),
					}
					if !c.Completed.IsZero() {
						r.CompletedAt = record.At(second(c.Completed))
					}
					want = append(want, r)
				}
				return want
			},
		}
	}
}

func TestConformanceOfCheckouts(t *testing.T) {
	h := harness(streamCheckout, checkoutAccount(t, nil))
	h.Skip["merges"] = "checkouts are not merged"
	sourcetest.Run(t, h)
}
