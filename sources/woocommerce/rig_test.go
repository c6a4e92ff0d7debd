package woocommerce

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	fakewoo "github.com/b2bexporter/b2b_exporter/internal/fake/woocommerce"
	"github.com/b2bexporter/b2b_exporter/internal/record"
	"github.com/b2bexporter/b2b_exporter/sources"
	"github.com/b2bexporter/b2b_exporter/sources/internal/apiclient"
)

// rig is a source, the shop that it reads by HTTPS, and what it has delivered.
type rig struct {
	t       *testing.T
	shop    *fakewoo.Server
	handler http.Handler // the shop where nil
	source  *Source
	stream  string
	now     time.Time
	cursor  string
	got     map[string]record.Record
	pages   []sources.Page
	asked   []asked
	logs    bytes.Buffer
	// onPage may stop a Fetch; onRequest may change the shop, or answer for it.
	onPage    func(sources.Page) error
	onRequest func(asked) *http.Response
}

type asked struct {
	path  string
	query url.Values
}

func (a asked) String() string {
	return strings.TrimPrefix(a.path, pathAPI) + "?" + a.query.Get("status") + a.query.Get("role") + " " + a.query.Get("orderby") + " " + a.query.Get("offset")
}

func begin() time.Time { return time.Date(2026, 3, 2, 9, 30, 0, 0, time.UTC) }

func newRig(t *testing.T, stream string, size int, change func(*fakewoo.Options), options func(*Options)) *rig {
	t.Helper()
	r := &rig{t: t, stream: stream, now: begin(), got: map[string]record.Record{}}
	r.shop = newFake(func(o *fakewoo.Options) {
		o.Now, o.HTTPS = func() time.Time { return r.now }, true
		if change != nil {
			change(o)
		}
	})
	o := testOptions("https://shop.test")
	o.Sweep, o.CustomerSweep = 24*time.Hour, 24*time.Hour
	o.RequestsPerSecond = 100
	if options != nil {
		options(&o)
	}
	var err error
	r.source, err = open("shop", o, apiclient.Deps{
		Transport: r, Logger: slog.New(slog.NewTextHandler(&r.logs, &slog.HandlerOptions{Level: slog.LevelDebug})),
	}, size)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// RoundTrip answers a request and notes it.
func (r *rig) RoundTrip(req *http.Request) (*http.Response, error) {
	a := asked{path: req.URL.Path, query: req.URL.Query()}
	r.asked = append(r.asked, a)
	if r.onRequest != nil {
		if answer := r.onRequest(a); answer != nil {
			return answer, nil
		}
	}
	w := httptest.NewRecorder()
	if r.handler != nil {
		r.handler.ServeHTTP(w, req)
	} else {
		r.shop.ServeHTTP(w, req)
	}
	return w.Result(), nil
}

func answer(status int, contentType, body string) *http.Response {
	w := httptest.NewRecorder()
	w.Header().Set("Content-Type", contentType)
	w.WriteHeader(status)
	fmt.Fprint(w, body)
	return w.Result()
}

func (r *rig) environment() sources.Environment {
	return sources.Environment{Zone: time.UTC, Currency: "EUR", Now: r.now}
}

// fetch polls once.
func (r *rig) fetch() error {
	r.asked, r.pages = nil, nil
	req := sources.Request{Environment: r.environment(), Stream: r.stream, Cursor: r.cursor}
	return r.source.Fetch(r.t.Context(), req, func(_ context.Context, p sources.Page) error {
		if r.onPage != nil {
			if err := r.onPage(p); err != nil {
				return err
			}
		}
		for _, rec := range p.Records {
			r.got[string(rec.RecordKind())+" "+rec.RecordMeta().ID] = rec
		}
		r.pages = append(r.pages, p)
		r.cursor = p.Cursor
		return nil
	})
}

// poll polls once and returns what was asked for.
func (r *rig) poll() string {
	r.t.Helper()
	if err := r.fetch(); err != nil {
		r.t.Fatal(err)
	}
	var names []string
	for _, a := range r.asked {
		names = append(names, a.String())
	}
	return strings.Join(names, ", ")
}

func (r *rig) swept() bool {
	return slices.ContainsFunc(r.pages, func(p sources.Page) bool { return p.Sweep })
}

func (r *rig) put(n int, at time.Time, change func(*fakewoo.Order)) {
	o := fakewoo.Order{
		ID: int64(n), Created: at, Modified: at, Customer: 7, Billed: "DE",
		Lines: []fakewoo.Line{{ID: int64(n) * 1000, Quantity: 2, Subtotal: "21.00", Tax: "3.99"}},
	}
	if change != nil {
		change(&o)
	}
	r.shop.PutOrder(o)
}

func (r *rig) order(n int) *record.Order {
	r.t.Helper()
	o, ok := r.got[fmt.Sprint("order ", n)].(*record.Order)
	if !ok {
		r.t.Fatalf("order %d was not delivered", n)
	}
	return o
}

func (r *rig) refund(n int) *record.Refund {
	r.t.Helper()
	f, ok := r.got[fmt.Sprint("refund ", n)].(*record.Refund)
	if !ok {
		r.t.Fatalf("refund %d was not delivered", n)
	}
	return f
}

func (r *rig) rejected() (all []string) {
	for _, p := range r.pages {
		for _, j := range p.Rejected {
			all = append(all, j.Where+": "+j.Reason+": "+j.Detail)
		}
	}
	return all
}
