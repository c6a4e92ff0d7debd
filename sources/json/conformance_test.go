package json

import (
	"cmp"
	encjson "encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/b2bexporter/b2b_exporter/internal/config"
	"github.com/b2bexporter/b2b_exporter/internal/fake"
	"github.com/b2bexporter/b2b_exporter/internal/record"
	"github.com/b2bexporter/b2b_exporter/sources"
	"github.com/b2bexporter/b2b_exporter/sources/internal/apiclient"
	"github.com/b2bexporter/b2b_exporter/sources/internal/rows"
	"github.com/b2bexporter/b2b_exporter/sources/internal/rows/endpoint"
	"github.com/b2bexporter/b2b_exporter/sources/sourcetest"
)

const (
	testToken = "t0ken/with+odd=signs"
	pageSize  = 10
)

// erp is a made-up API of orders, which pages in one of the usual ways.
type erp struct {
	by string

	mu     sync.Mutex
	orders map[int]erpOrder
}

type erpOrder struct {
	changed time.Time
	placed  time.Time
	total   record.Amount
}

func (e *erp) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	if r.Header.Get("Authorization") != "Bearer "+testToken && r.URL.Query().Get("api key") != testToken {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	query := r.URL.Query()
	query.Del("api key")
	var list []int
	for _, n := range slices.Sorted(maps.Keys(e.orders)) {
		if since := query.Get("changed_since"); since == "" || e.orders[n].changed.UTC().Format(time.RFC3339) >= since {
			list = append(list, n)
		}
	}
	first := 0
	switch e.by {
	case byPage:
		page, _ := strconv.Atoi(query.Get("page")) // none is 0, which is refused
		if page < 1 {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		first = (page - 1) * pageSize
	case byOffset:
		first, _ = strconv.Atoi(query.Get("skip")) // none is 0
	default:
		after, err := strconv.Atoi(cmp.Or(query.Get("after"), "-1"))
		if err != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		first = len(list)
		if i := slices.IndexFunc(list, func(n int) bool { return n > after }); i >= 0 {
			first = i
		}
	}
	list = list[min(first, len(list)):]
	items, next := make([]map[string]any, 0), ""
	for i, n := range list {
		if i == pageSize {
			next = strconv.Itoa(list[i-1])
			break
		}
		o := e.orders[n]
		item := map[string]any{"no": n, "dates": map[string]any{"placed": o.placed.UTC().Format(time.RFC3339Nano)}, "amount": nil}
		if !o.total.IsNull() {
			item["amount"] = encjson.Number(fmt.Sprintf("%d.%06d", o.total.Micros/1e6, o.total.Micros%1e6))
		}
		items = append(items, item)
	}
	meta := map[string]any{"next": next, "url": nil}
	if next != "" {
		query.Set("after", next)
		address := "/orders?" + query.Encode()
		meta["url"] = address
		if e.by == byLink {
			w.Header().Set("Link", `</orders?x=1>; rel="first", <`+address+`>; rel="next"`)
		}
	}
	_ = encjson.NewEncoder(w).Encode(map[string]any{"data": map[string]any{"items": items}, "meta": meta}) // an error means that the client has gone
}

func (e *erp) account() sourcetest.Account {
	locked := func(f func()) {
		e.mu.Lock()
		defer e.mu.Unlock()
		f()
	}
	return sourcetest.Account{
		Handler: e,
		Put: func(n int, value record.Amount, at time.Time) {
			locked(func() {
				placed := at
				if old, ok := e.orders[n]; ok {
					placed = old.placed
				}
				e.orders[n] = erpOrder{changed: at, placed: placed.Truncate(time.Microsecond), total: value}
			})
		},
		Delete: func(n int, _ time.Time) { locked(func() { delete(e.orders, n) }) },
		Merge:  func(from, _ int, _ time.Time) { locked(func() { delete(e.orders, from) }) },
		Want: func() []record.Record {
			var want []record.Record
			locked(func() {
				for n, o := range e.orders {
					want = append(want, &record.Order{
						Meta: record.Meta{ID: strconv.Itoa(n)}, PlacedAt: record.At(o.placed), Currency: "EUR", Gross: o.total,
					})
				}
			})
			return want
		},
	}
}

// orderList is a list of the made-up API.
func orderList(base string, paging Paging, increment *Increment) List {
	return List{
		Options: endpoint.Options{URL: base + "/orders", BearerToken: config.LiteralSecret(testToken)},
		Rows:    "data.items", Error: "errors", Paging: paging, Increment: increment,
		Config: rows.Config{Record: record.KindOrder, Columns: map[string]string{
			"id": "no", "placed_at": "dates.placed", "gross": "amount", "currency": "=EUR",
		}},
	}
}

func TestConformance(t *testing.T) {
	daily := &Increment{Parameter: "changed_since"}
	for name, c := range map[string]struct {
		paging    Paging
		increment *Increment
	}{
		"cursor, increments": {Paging{By: byCursor, Field: "meta.next", Parameter: "after"}, daily},
		"link, whole":        {Paging{By: byLink}, nil},
		"url, increments":    {Paging{By: byURL, Field: "meta.url"}, daily},
		"page, whole":        {Paging{By: byPage, Parameter: "page"}, nil},
		"offset, increments": {Paging{By: byOffset, Parameter: "skip", Size: pageSize}, daily},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sourcetest.Run(t, sourcetest.Harness{
				Stream:  "order",
				Account: func() sourcetest.Account { return (&erp{by: c.paging.By, orders: map[int]erpOrder{}}).account() },
				Open: func(base string, deps apiclient.Deps) (sources.Source, error) {
					l := orderList(base, c.paging, c.increment)
					if c.paging.counted() {
						l.BearerToken, l.Query = config.SecretRef{}, []endpoint.Parameter{{Name: "api key", Value: config.LiteralSecret(testToken)}}
					}
					return New("erp", Options{Lists: []List{l}}, deps)
				},
				Secrets: []string{testToken, url.QueryEscape(testToken)}, PageSize: pageSize,
				Settle: 25 * time.Hour, Interval: 25 * time.Hour / 2,
				ErrorInside200: fake.Fault{
					Status: 200, Header: http.Header{"Content-Type": {"application/json"}},
					Body: `{"errors":[{"message":"the database is away"}],"data":{"items":[]}}`,
				},
			})
		})
	}
}
