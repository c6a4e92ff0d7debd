package stripe

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/b2bexporter/b2b_exporter/internal/config"
	"github.com/b2bexporter/b2b_exporter/internal/fake"
	fakestripe "github.com/b2bexporter/b2b_exporter/internal/fake/stripe"
	"github.com/b2bexporter/b2b_exporter/internal/record"
	"github.com/b2bexporter/b2b_exporter/sources"
	"github.com/b2bexporter/b2b_exporter/sources/internal/apiclient"
	"github.com/b2bexporter/b2b_exporter/sources/sourcetest"
)

const testKey = "rk_live_t0ken/with+odd=signs"

// testOptions are the defaults with a key, changed by change.
func testOptions(url string, change func(*Options)) Options {
	o := DefaultOptions()
	o.URL = url
	o.APIKey = config.LiteralSecret(testKey)
	if change != nil {
		change(o)
	}
	return *o
}

func withAll(o *Options) {
	o.Invoices, o.DomainMetadata, o.ExternalIDs = true, "domain", []ExternalID{{Metadata: "erp_no", Namespace: "erp"}}
}

func openAll(url string, deps apiclient.Deps) (sources.Source, error) {
	return New("billing", testOptions(url, withAll), deps)
}

func vendorFault(status int, kind, code, message string) fake.Fault {
	return fake.Fault{
		Status: status, Header: http.Header{"Content-Type": {"application/json"}, "Request-Id": {"req_1"}},
		Body: `{"error":{"type":"` + kind + `","code":"` + code + `","message":"` + message + `"}}`,
	}
}

func TestConformance(t *testing.T) {
	for _, st := range allStreams(t) {
		t.Run(st.name, func(t *testing.T) {
			sourcetest.Run(t, sourcetest.Harness{
				Stream: st.name, Account: func() sourcetest.Account { return newAccount(st) }, Open: openAll,
				// The address is none, but has no business in a log either.
				Secrets: []string{testKey, "buyer0@firm0.example.com"}, PageSize: mostListed,
				Settle: 25 * time.Hour, Interval: 25 * time.Hour / 2,
				Data: func(r *http.Request) bool {
					return strings.HasPrefix(r.URL.Path, st.path) && r.URL.Path != "/v1/subscription_schedules"
				},
				Unauthorized:   vendorFault(401, "invalid_request_error", "", "Invalid API Key provided: rk_live_***igns"),
				Forbidden:      vendorFault(403, "invalid_request_error", "more_permissions_required", "Having the 'rak_x_read' permission would allow this."),
				Throttled:      vendorFault(429, "invalid_request_error", "rate_limit", "Request rate limit exceeded."),
				ThrottledFor:   time.Second,
				ErrorInside200: vendorFault(200, "api_error", "", "An unknown error occurred"),
				Skip:           map[string]string{"merges": "Stripe merges nothing"},
			})
		})
	}
}

func allStreams(t *testing.T) []stream {
	t.Helper()
	s, err := New("billing", testOptions("http://stripe.test", withAll), apiclient.Deps{})
	if err != nil {
		t.Fatal(err)
	}
	return s.streams()
}

// account keeps what a ledger should hold, beside the fake that serves it.
type account struct {
	server *fakestripe.Server
	stream stream
	want   map[int]record.Record
}

func newAccount(st stream) sourcetest.Account {
	a := &account{server: fakestripe.New(time.Now), stream: st, want: map[int]record.Record{}}
	a.server.Key = testKey
	if st.kind != record.KindCustomer {
		a.server.AddCustomer(time.Now(), fakestripe.Customer{ID: "cus_1", Email: "buyer0@firm0.example.com"})
	}
	a.server.AddPrice(fakestripe.Price{ID: "price_cent", Product: "prod_1", Currency: "usd", UnitAmount: "1", Interval: "month"})
	a.server.AddPrice(fakestripe.Price{ID: "price_open", Product: "prod_1", Currency: "usd", Interval: "month"})
	return sourcetest.Account{Handler: a.server, Put: a.put, Delete: a.remove, Merge: func(int, int, time.Time) {}, Want: a.wanted}
}

func second(t time.Time) record.Instant { return record.At(t.Truncate(time.Second)) }

// put changes the record number n. A customer shows its value as an ID of another system.
func (a *account) put(n int, value record.Amount, at time.Time) {
	meta := record.Meta{ID: fmt.Sprintf("obj_%04d", n)}
	cents := value.Micros / 10_000
	switch a.stream.kind {
	case record.KindCustomer:
		a.putCustomer(n, meta, strconv.FormatInt(cents, 10), at)
	case record.KindSubscription:
		a.putSubscription(n, meta, value, cents, at)
	case record.KindOrder:
		in := fakestripe.Invoice{ID: meta.ID, Customer: "cus_1", Currency: "usd", Country: "DE", Status: "open", Subtotal: cents + 100, ItemDiscount: 50, Discount: 100, Tax: 19}
		created := second(at)
		if old, ok := a.want[n].(*record.Order); ok {
			created = old.PlacedAt
		}
		a.server.PutInvoice(at, in)
		a.want[n] = &record.Order{
			Meta: meta, Customer: record.RefTo("cus_1"), State: record.StateCounted, Currency: "USD", Country: "DE", PlacedAt: created,
			Gross: record.Micros(cents*10_000 + 1_500_000), Discount: record.Micros(1_500_000),
		}
	case record.KindRefund:
		created := second(at)
		if old, ok := a.want[n].(*record.Refund); ok {
			created = old.At
		}
		a.server.PutCreditNote(at, fakestripe.CreditNote{ID: meta.ID, Customer: "cus_1", Invoice: "in_1", Currency: "usd", Amount: cents, Tax: 19})
		a.want[n] = &record.Refund{
			Meta: meta, Order: "in_1", Customer: record.RefTo("cus_1"), At: created, Currency: "USD", Amount: record.Micros(cents * 10_000),
		}
	}
}

func (a *account) putCustomer(n int, meta record.Meta, text string, at time.Time) {
	c := fakestripe.Customer{
		ID: meta.ID, Email: fmt.Sprintf("buyer%d@firm%d.example.com", n, n), Country: "DE", Metadata: map[string]string{"erp_no": text},
	}
	created := second(at)
	if old, ok := a.want[n].(*record.Customer); ok {
		created = old.CreatedAt
		a.server.ChangeCustomer(meta.ID, at, func(held *fakestripe.Customer) { *held = c })
	} else {
		a.server.AddCustomer(at, c)
	}
	a.want[n] = &record.Customer{Meta: meta, Keys: record.Keys{Email: c.Email, ExternalIDs: []string{"erp:" + text}}, CreatedAt: created, Country: "DE"}
}

func (a *account) putSubscription(n int, meta record.Meta, value record.Amount, cents int64, at time.Time) {
	it := fakestripe.Item{ID: "si_" + meta.ID, Price: "price_cent", Quantity: cents}
	if value.IsNull() {
		it.Price = "price_open"
	} else {
		value = record.Micros(cents * 10_000)
	}
	change := record.MRRChange{At: second(at), MRR: value}
	if old, ok := a.want[n].(*record.Subscription); ok {
		a.server.ChangeSubscription(meta.ID, at, func(sub *fakestripe.Subscription) { sub.Items = []fakestripe.Item{it} })
		r := *old
		r.History = slices.Clone(r.History)
		if last := &r.History[len(r.History)-1]; last.At == change.At {
			*last = change
		} else if last.MRR != value {
			r.History = append(r.History, change)
		}
		a.want[n] = &r
		return
	}
	a.server.AddSubscription(at, fakestripe.Subscription{ID: meta.ID, Customer: "cus_1", Currency: "usd", Items: []fakestripe.Item{it}})
	a.want[n] = &record.Subscription{
		Meta: meta, Customer: record.RefTo("cus_1"), State: record.SubscriptionActive, StartedAt: second(at), Currency: "USD",
		History: []record.MRRChange{change},
	}
}

func (a *account) remove(n int, at time.Time) {
	id := fmt.Sprintf("obj_%04d", n)
	switch a.stream.kind {
	case record.KindCustomer:
		a.server.DeleteCustomer(id, at)
	case record.KindSubscription:
		a.server.RemoveSubscription(id)
	case record.KindOrder:
		a.server.DeleteInvoice(id, at)
	case record.KindRefund:
		a.server.PutCreditNote(at, fakestripe.CreditNote{ID: id, Customer: "cus_1", Invoice: "in_1", Currency: "usd", Void: true})
	}
	delete(a.want, n)
}

func (a *account) wanted() []record.Record { return slices.Collect(maps.Values(a.want)) }
