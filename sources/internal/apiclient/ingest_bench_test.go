package apiclient_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/b2bexporter/b2b_exporter/internal/ledger"
	"github.com/b2bexporter/b2b_exporter/internal/poll"
	"github.com/b2bexporter/b2b_exporter/internal/record"
	"github.com/b2bexporter/b2b_exporter/sources"
	"github.com/b2bexporter/b2b_exporter/sources/internal/apiclient"
)

// perPage is how many orders a page holds: what shops' APIs allow at most.
const perPage = 250

// orderJSON is an order of about a kilobyte as shops' APIs give it, most of which nobody reads.
const orderJSON = `{"id":%[1]d,"admin_graphql_api_id":"gid://shop/Order/%[1]d","name":"#%[1]d","test":false,"confirmed":true,` +
	`"created_at":%[2]q,"processed_at":%[2]q,"updated_at":%[2]q,"cancelled_at":null,"closed_at":null,` +
	`"currency":"EUR","total_price":"%[3]d.%02[4]d","subtotal_price":"%[3]d.00","total_tax":"%[4]d.19","total_discounts":"%[5]d.50","taxes_included":true,` +
	`"financial_status":"paid","fulfillment_status":"fulfilled","source_name":"web","tags":"wholesale, net-30","note":"Deliver to gate 4, please call before",` +
	`"customer":{"id":%[6]d,"email":"buyer%[6]d@company%[6]d.example","first_name":"Maria","last_name":"Schneider","tags":"b2b","orders_count":12},` +
	`"shipping_address":{"company":"Company %[6]d GmbH","address1":"Industriestrasse 12","zip":"80331","city":"Munich","country_code":"DE"},` +
	`"landing_site":"/products/pallets?utm_source=newsletter&utm_medium=email&utm_campaign=spring","referring_site":"https://www.example.com/search?q=pallets",` +
	`"line_items":[{"id":%[1]d1,"sku":"PAL-1200-800","quantity":%[5]d,"price":"24.90","title":"Euro pallet 1200 x 800"},` +
	`{"id":%[1]d2,"sku":"BOX-600","quantity":10,"price":"3.15","title":"Shipping box 600 x 400 x 400"}]}`

// order is what a source reads of it.
type order struct {
	ID         int64     `json:"id"`
	CreatedAt  time.Time `json:"created_at"`
	Currency   string    `json:"currency"`
	TotalPrice string    `json:"total_price"`
	Discounts  string    `json:"total_discounts"`
	Customer   struct {
		ID int64 `json:"id"`
	} `json:"customer"`
	ShippingAddress struct {
		Country string `json:"country_code"`
	} `json:"shipping_address"`
	LandingSite string `json:"landing_site"`
}

func (o *order) record() (record.Record, error) {
	gross, _, err := record.ParseAmount(o.TotalPrice)
	if err != nil {
		return nil, err
	}
	discount, _, err := record.ParseAmount(o.Discounts)
	if err != nil {
		return nil, err
	}
	landing, err := url.Parse(o.LandingSite)
	if err != nil {
		return nil, err
	}
	query := landing.Query()
	r := &record.Order{
		Customer: record.RefTo(strconv.FormatInt(o.Customer.ID, 10)), PlacedAt: record.At(o.CreatedAt), Currency: o.Currency,
		Gross: gross, Discount: discount, Country: o.ShippingAddress.Country,
		Touch: record.Touch{Source: query.Get("utm_source"), Medium: query.Get("utm_medium"), Campaign: query.Get("utm_campaign")},
	}
	r.ID = strconv.FormatInt(o.ID, 10)
	return r, nil
}

// shop is a source of orders in pages.
type shop struct {
	client *apiclient.Client
	pages  int
}

func (s *shop) Name() string { return "shop" }
func (s *shop) Type() string { return "shop" }
func (s *shop) Streams() []sources.Stream {
	return []sources.Stream{{Name: "order", Kinds: []record.Kind{record.KindOrder}}}
}
func (s *shop) Check(context.Context, sources.Environment) []sources.Finding { return nil }

func (s *shop) Fetch(ctx context.Context, _ sources.Request, emit sources.Emit) error {
	for n := range s.pages {
		var answer struct {
			Orders []order `json:"orders"`
		}
		if _, err := s.client.JSON(ctx, apiclient.Request{Path: "/orders/" + strconv.Itoa(n)}, &answer); err != nil {
			return err
		}
		page := sources.Page{Cursor: strconv.Itoa(n), Progress: float64(n+1) / float64(s.pages)}
		for i := range answer.Orders {
			r, err := answer.Orders[i].record()
			if err != nil {
				return err
			}
			page.Records = append(page.Records, r)
		}
		if err := emit(ctx, page); err != nil {
			return err
		}
	}
	return nil
}

// pages returns that many answers: orders of three years, one customer for ten of them.
func pages(b *testing.B, n int) [][]byte {
	b.Helper()
	end := time.Date(2026, time.June, 30, 12, 0, 0, 0, time.UTC)
	orders := n * perPage
	var all [][]byte
	for i := range orders {
		if i%perPage == 0 {
			all = append(all, []byte(`{"orders":[`))
		} else {
			all[len(all)-1] = append(all[len(all)-1], ',')
		}
		at := end.Add(-time.Duration(orders-i) * (3 * 365 * 24 * time.Hour / time.Duration(orders))).Format(time.RFC3339)
		all[len(all)-1] = fmt.Appendf(all[len(all)-1], orderJSON, 1_000_000+i, at, 50+i*7%950, i%100, 1+i%20, i*7919%(orders/10))
	}
	for i := range all {
		all[i] = append(all[i], "]}"...)
		if !json.Valid(all[i]) {
			b.Fatalf("page %d is no JSON: %.2000s", i, all[i])
		}
	}
	return all
}

// BenchmarkIngest reads an account's orders page by page from a server on this machine
// into committed rows and derived state. The processor time is that of all of it, the
// server's share included.
func BenchmarkIngest(b *testing.B) {
	orders := 25_000
	if text := os.Getenv("BENCH_ORDERS"); text != "" {
		var err error
		if orders, err = strconv.Atoi(text); err != nil {
			b.Fatalf("BENCH_ORDERS: %v", err)
		}
	}
	answers := pages(b, max(orders/perPage, 1))
	orders = len(answers) * perPage
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n, err := strconv.Atoi(filepath.Base(r.URL.Path))
		if err != nil || n >= len(answers) {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(answers[n]) // a client that has gone says so itself
	}))
	defer server.Close()
	b.ReportAllocs()
	var used time.Duration
	var allocations uint64
	for b.Loop() {
		b.StopTimer()
		client, err := apiclient.New(apiclient.Config{Source: "shop", Vendor: "shop", BaseURL: server.URL})
		if err != nil {
			b.Fatal(err)
		}
		l := openLedger(b)
		poller := &poll.Poller{Ledger: l, Log: slog.New(slog.DiscardHandler), Now: time.Now}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		began := cpu(b)
		b.StartTimer()
		err = poller.Once(b.Context(), &shop{client: client, pages: len(answers)})
		b.StopTimer()
		used += cpu(b) - began
		runtime.ReadMemStats(&after)
		allocations += after.Mallocs - before.Mallocs
		if err != nil {
			b.Fatal(err)
		}
		if got := held(b, l); got != int64(orders) {
			b.Fatalf("the ledger holds %d orders, want %d", got, orders)
		}
		if err := l.Close(); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
	}
	read := float64(orders) * float64(b.N)
	b.ReportMetric(read/used.Seconds(), "orders/cpu-s")
	b.ReportMetric(float64(allocations)/read, "allocs/order")
	b.ReportMetric(float64(len(answers[0]))/perPage, "bytes/order")
}

func openLedger(b *testing.B) *ledger.Ledger {
	b.Helper()
	zone, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		b.Fatal(err)
	}
	l, err := ledger.Open(b.Context(), ledger.Options{
		Path: filepath.Join(b.TempDir(), "b2b.db"), Settings: ledger.Settings{Zone: zone, Currency: "EUR", Basis: ledger.BasisOrders},
	})
	if err != nil {
		b.Fatal(err)
	}
	if err := l.Ready(b.Context(), nil); err != nil {
		b.Fatal(err)
	}
	return l
}

// held returns how many orders a ledger holds.
func held(b *testing.B, l *ledger.Ledger) int64 {
	b.Helper()
	snapshot, err := l.Snapshot(b.Context(), nil)
	if err != nil {
		b.Fatal(err)
	}
	defer snapshot.Close()
	records, err := snapshot.Records(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	return records[record.KindOrder]
}

// cpu returns the processor time that the process has used.
func cpu(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
