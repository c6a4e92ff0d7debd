package woocommerce

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/b2bexporter/b2b_exporter/internal/config"
	"github.com/b2bexporter/b2b_exporter/internal/fake"
	fakewoo "github.com/b2bexporter/b2b_exporter/internal/fake/woocommerce"
	"github.com/b2bexporter/b2b_exporter/internal/record"
	"github.com/b2bexporter/b2b_exporter/sources"
	"github.com/b2bexporter/b2b_exporter/sources/internal/apiclient"
	"github.com/b2bexporter/b2b_exporter/sources/sourcetest"
)

const (
	testKey    = "ck_0123456789abcdef"
	testSecret = "cs_fedcba9876543210" // hexadecimal, as all are: RFC 5849 escapes secrets, the shop does not
	testPage   = 6
)

func testOptions(url string) Options {
	o := DefaultOptions()
	o.URL, o.Key, o.Secret = url, config.LiteralSecret(testKey), config.LiteralSecret(testSecret)
	o.Sweep, o.CustomerSweep = 2*time.Hour, 2*time.Hour
	return *o
}

func newFake(change func(*fakewoo.Options)) *fakewoo.Server {
	o := fakewoo.Options{Now: time.Now, Key: testKey, Secret: testSecret}
	if change != nil {
		change(&o)
	}
	return fakewoo.New(o)
}

func jsonFault(status int, body string) fake.Fault {
	return fake.Fault{Status: status, Header: http.Header{"Content-Type": {"application/json; charset=UTF-8"}}, Body: body}
}

func harness(stream string, account func() sourcetest.Account) sourcetest.Harness {
	return sourcetest.Harness{
		Stream: stream, Account: account, PageSize: testPage, Settle: 5 * time.Hour, Interval: 30 * time.Minute,
		Open: func(url string, deps apiclient.Deps) (sources.Source, error) {
			return open("shop", testOptions(url), deps, testPage)
		},
		Secrets: []string{testKey, testSecret},
		Unauthorized: jsonFault(401,
			`{"code":"woocommerce_rest_cannot_view","message":"Sorry, you cannot list resources.","data":{"status":401}}`),
		Forbidden: jsonFault(403,
			`{"code":"woocommerce_rest_cannot_view","message":"Sorry, you cannot list resources.","data":{"status":403}}`),
		ErrorInside200: jsonFault(200,
			`{"code":"internal_server_error","message":"There has been a critical error on this website.","data":{"status":500}}`),
		Skip: map[string]string{"merges": "WooCommerce merges no records"},
	}
}

func amountText(a record.Amount) string { return fmt.Sprintf("%d.%06d", a.Micros/1e6, a.Micros%1e6) }

func second(t time.Time) time.Time { return t.UTC().Truncate(time.Second) }

// orderAccount has orders with one line: its price is the value and its cost the value, too;
// where the value is null the price is 10 and the cost unknown. Every ninth has a refund.
func orderAccount(change func(*fakewoo.Options)) func() sourcetest.Account {
	return func() sourcetest.Account {
		shop := newFake(change)
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
				line := fakewoo.Line{ID: id, Quantity: 2, Subtotal: "10"}
				if !value.IsNull() {
					line = fakewoo.Line{
						ID: id, Quantity: 1, Subtotal: amountText(value), Meta: []fakewoo.Meta{{Key: "_wc_cog_item_total_cost", Value: amountText(value)}},
					}
				}
				put := fakewoo.Order{
					ID: id, Status: "on-hold", Created: o.created, Modified: at, Customer: 7, Shipped: "DE", Lines: []fakewoo.Line{line},
				}
				if n%9 == 0 {
					back := fakewoo.RefundLine{ID: id + 5000, Item: id, Quantity: 1, Total: "1.25", Tax: "0.25"}
					put.Refunds = []fakewoo.Refund{{ID: id + 5000, At: o.created, Amount: "1.50", Lines: []fakewoo.RefundLine{back}}}
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
					id := fmt.Sprint(1000 + n)
					at, customer := record.At(second(o.created)), record.RefTo("7")
					r := &record.Order{
						Meta: record.Meta{ID: id}, Customer: customer, PlacedAt: at, State: record.StateCounted, Currency: "EUR",
						Gross: o.value, Discount: record.Micros(0), Cost: o.value, CostedNet: o.value, Country: "DE",
					}
					if o.value.IsNull() {
						r.Gross = record.Micros(10_000_000)
					}
					want = append(want, r)
					if n%9 == 0 {
						f := &record.Refund{
							Meta: record.Meta{ID: fmt.Sprint(6000 + n)}, Order: id, Customer: customer, Country: "DE",
							At: at, Currency: "EUR", Amount: record.Micros(1_250_000),
						}
						if !o.value.IsNull() {
							f.Cost, f.CostedAmount = record.Micros(0), f.Amount
						}
						want = append(want, f)
					}
				}
				return want
			},
		}
	}
}

func paris(t testing.TB) *time.Location {
	zone, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		t.Fatal(err)
	}
	return zone
}

func TestConformanceOfOrders(t *testing.T) {
	zone := paris(t)
	for name, change := range map[string]func(*fakewoo.Options){
		"tables": func(o *fakewoo.Options) { o.Zone = zone },
		"posts":  func(o *fakewoo.Options) { o.Posts = true; o.Zone = time.FixedZone("", -5*3600) },
	} {
		t.Run(name, func(t *testing.T) { sourcetest.Run(t, harness(streamOrder, orderAccount(change))) })
	}
}

// customerAccount has customers whose address holds the value; without one where null.
func customerAccount() sourcetest.Account {
	shop := newFake(nil)
	held := map[int]fakewoo.Customer{}
	return sourcetest.Account{
		Handler: shop,
		Put: func(n int, value record.Amount, at time.Time) {
			c, ok := held[n]
			if !ok {
				c = fakewoo.Customer{ID: int64(n + 1), Created: at, Country: "FR"}
			}
			c.Modified, c.Email = at, ""
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
		Want: func() []record.Record {
			var want []record.Record
			for _, c := range held {
				want = append(want, &record.Customer{
					Meta: record.Meta{ID: fmt.Sprint(c.ID)}, CreatedAt: record.At(second(c.Created)), Country: "FR",
					Keys: record.Keys{Email: c.Email},
				})
			}
			return want
		},
	}
}

func TestConformanceOfCustomers(t *testing.T) {
	sourcetest.Run(t, harness(streamCustomer, customerAccount))
}
