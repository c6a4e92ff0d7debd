package shopify

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	fakeshopify "github.com/b2bexporter/b2b_exporter/internal/fake/shopify"
	"github.com/b2bexporter/b2b_exporter/sources"
	"github.com/b2bexporter/b2b_exporter/sources/internal/apiclient"
)

// benchOrders are a few pages of the largest size.
const benchOrders = 1000

func benchShop() *fakeshopify.Server {
	const points = 1_000_000
	shop := newFake(nil, func(o *fakeshopify.Options) {
		o.BucketSize, o.Restore, o.CostShare = points, points, 0.1
	})
	from := time.Now().Add(-30 * 24 * time.Hour)
	for i := range int64(benchOrders) {
		at := from.Add(time.Duration(i) * time.Minute)
		shop.PutOrder(fakeshopify.Order{
			ID: 5_000_000_000 + i, Created: at, Updated: at, Customer: 1 + i%100, Company: 1 + i%100, Country: "DE", Payments: []time.Time{at},
			Visit: &fakeshopify.Visit{Source: "google", UTM: true, UTMSource: "google", Medium: "cpc", Campaign: "spring"},
			Lines: []fakeshopify.Line{
				{ID: 10 * i, Quantity: 3, Price: "24.90", Cost: "11.25"},
				{ID: 10*i + 1, Quantity: 10, Price: "3.15", Cost: "1.05", Discounts: []string{"1.50"}},
				{ID: 10*i + 2, Quantity: 1, Price: "189.00", Cost: "97.10"},
			},
		})
	}
	return shop
}

// kept answers a query as it was answered the first time.
type kept struct {
	shop    http.Handler
	answers map[string][]byte
}

func (k *kept) RoundTrip(r *http.Request) (*http.Response, error) {
	query, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	key := r.URL.Path + string(query)
	if k.answers[key] == nil {
		r.Body = io.NopCloser(bytes.NewReader(query))
		w := httptest.NewRecorder()
		k.shop.ServeHTTP(w, r)
		k.answers[key] = w.Body.Bytes()
	}
	return &http.Response{
		StatusCode: http.StatusOK, Header: http.Header{}, Request: r,
		ContentLength: -1, Body: io.NopCloser(bytes.NewReader(k.answers[key])),
	}, nil
}

// BenchmarkFetch reads orders from answers in memory into records.
func BenchmarkFetch(b *testing.B) {
	transport := &kept{shop: benchShop(), answers: map[string][]byte{}}
	read := func() {
		s, err := New("shop", testOptions("http://shop.test"), apiclient.Deps{Transport: transport})
		if err != nil {
			b.Fatal(err)
		}
		n := 0
		req := sources.Request{Environment: sources.Environment{Zone: time.UTC, Currency: "EUR", Now: begin()}, Stream: streamOrder}
		err = s.Fetch(b.Context(), req, func(_ context.Context, p sources.Page) error {
			n += len(p.Records)
			return nil
		})
		if err != nil || n != benchOrders {
			b.Fatalf("%d records and %v, want %d", n, err, benchOrders)
		}
	}
	read() // so that the shop has answered
	b.ReportAllocs()
	for b.Loop() {
		read()
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/benchOrders, "ns/order")
}

// BenchmarkFake lets the fake answer what the source asks for, without a schema as in the demo.
func BenchmarkFake(b *testing.B) {
	shop := benchShop()
	query, err := json.Marshal(map[string]any{
		"query": queryOrders, "operationName": "Orders", "variables": map[string]any{"first": maxPageSize, "lines": linesPerOrder},
	})
	if err != nil {
		b.Fatal(err)
	}
	shop.AccessToken = testSecret
	b.ReportAllocs()
	for b.Loop() {
		r := httptest.NewRequestWithContext(b.Context(), http.MethodPost, "http://shop.test/admin/api/2026-10/graphql.json", bytes.NewReader(query))
		r.Header.Set("X-Shopify-Access-Token", testSecret)
		w := httptest.NewRecorder()
		shop.ServeHTTP(w, r)
		if w.Code != http.StatusOK || w.Body.Len() < 100_000 {
			b.Fatalf("status %d: %.300s", w.Code, w.Body)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/maxPageSize, "ns/order")
}
