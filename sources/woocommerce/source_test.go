package woocommerce

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	fakewoo "github.com/b2bexporter/b2b_exporter/internal/fake/woocommerce"
	"github.com/b2bexporter/b2b_exporter/internal/record"
	"github.com/b2bexporter/b2b_exporter/sources"
	"github.com/b2bexporter/b2b_exporter/sources/internal/apiclient"
)

func TestIncrementsOverlap(t *testing.T) {
	r := newRig(t, streamOrder, 10, func(o *fakewoo.Options) { o.Zone = paris(t) }, nil)
	r.put(1, begin().Add(-72*time.Hour), nil)
	r.put(2, begin().Add(-time.Minute), nil)
	if got := r.poll(); got != "/orders?any modified 0, /orders?trash modified 0" {
		t.Errorf("the first poll asked for %s", got)
	}
	clear(r.got)
	// The local clock is not the shop's: the cursor is a time that the shop has told.
	for i, want := range []string{"2026-03-02T09:19:00", "2026-03-02T09:19:00", "2026-03-02T09:19:00", "2026-03-02T09:19:00", "2026-03-02T09:29:00"} {
		if i == 1 {
			// Saved late: with a time that was read already.
			r.put(3, begin().Add(-5*time.Minute), nil)
		}
		r.now = r.now.Add(4 * time.Minute)
		r.poll()
		query := r.asked[0].query
		if after := query.Get("modified_after"); after != want || query.Get("dates_are_gmt") != "true" {
			t.Errorf("poll %d: asked for changes after %s, want %s, in UTC without saying so", i, after, want)
		}
		if r.got["order 1"] != nil || r.got["order 2"] == nil || i >= 1 && r.got["order 3"] == nil {
			t.Errorf("poll %d: got %v, want orders 2 and 3", i, r.got)
		}
	}
	if r.asked[1].query.Get("modified_after") != "" {
		t.Error("nothing was ever in the trash, and it was asked for its changes")
	}
}

// The reason for the form of modified_after: with a Z the shop hides an hour.
func TestTheShopHidesChangesFromTimesWithAZone(t *testing.T) {
	r := newRig(t, streamOrder, 10, func(o *fakewoo.Options) { o.Zone = paris(t) }, nil)
	r.put(1, begin().Add(-30*time.Minute), nil)
	r.poll()
	for after, want := range map[string]int{"2026-03-02T08:59:00": 1, "2026-03-02T08:59:00Z": 0, "2026-03-02T07:59:00Z": 1, "2026-03-02T09:00:00": 0} {
		query := r.asked[0].query
		query.Set("modified_after", after)
		query.Set("dates_are_gmt", "true")
		rows, _, err := r.source.rows(t.Context(), pathOrders, query)
		if err != nil || len(rows) != want {
			t.Errorf("%s: %d orders, %v; want %d", after, len(rows), err, want)
		}
	}
}

// What changes while many changes are read is found by the next poll.
func TestManyChangesAreReadByID(t *testing.T) {
	r := newRig(t, streamOrder, 4, func(o *fakewoo.Options) { o.Posts = true }, nil)
	r.put(1, begin().Add(-72*time.Hour), nil)
	r.poll()
	r.now = r.now.Add(time.Hour)
	for n := range 20 { // an import: all at the same time
		r.put(n+2, r.now.Add(-time.Minute), nil)
	}
	moved := false
	r.onRequest = func(a asked) *http.Response {
		if a.query.Get("offset") == "6" && !moved {
			moved = true
			r.put(2, r.now, func(o *fakewoo.Order) { o.Status = "completed" })
			r.put(1, r.now, func(o *fakewoo.Order) { o.Status = "completed" }) // which was not in the list
		}
		return nil
	}
	r.poll()
	if !moved || len(r.got) != 21 {
		t.Fatalf("got %d orders, want 21; asked for %v", len(r.got), r.asked)
	}
	r.put(1, r.now, func(o *fakewoo.Order) { o.Lines[0].Subtotal = "30" })
	r.poll()
	if got := r.order(1).Gross.Micros; got != 30_000_000 {
		t.Errorf("the change during the reading was not found: gross is %d", got)
	}
}

// A page must not skip a record because an earlier one was deleted.
func TestDeletionsDuringASweep(t *testing.T) {
	r := newRig(t, streamOrder, 4, nil, nil)
	for n := range 12 {
		r.put(n+1, begin().Add(-72*time.Hour), nil)
	}
	r.poll()
	r.now = r.now.Add(25 * time.Hour)
	clear(r.got)
	r.onRequest = func(a asked) *http.Response {
		if a.query.Get("orderby") == "id" && a.query.Get("offset") == "6" && a.query.Get("status") == "any" {
			r.shop.DeleteOrder(2)
		}
		return nil
	}
	log := r.poll()
	if !r.swept() || len(r.got) != 12 {
		t.Errorf("swept: %v, %d orders, want all 12; asked for %s", r.swept(), len(r.got), log)
	}
	if !strings.Contains(r.logs.String(), "beginning anew") {
		t.Errorf("the list was not begun anew: asked for %s", log)
	}
	r.now = r.now.Add(25 * time.Hour)
	// One deletion at each page, without an end.
	n := 100
	r.onRequest = func(a asked) *http.Response {
		if a.query.Get("orderby") == "id" && a.query.Get("status") == "any" {
			for id := range 12 {
				r.shop.DeleteOrder(int64(n + id - 12))
				r.put(n+id, begin().Add(-72*time.Hour), nil)
			}
			n += 12
		}
		return nil
	}
	if err := r.fetch(); err == nil || r.swept() {
		t.Errorf("got %v, want an error for a list that is never whole", err)
	}
}

func TestFirstReadingGoesOn(t *testing.T) {
	r := newRig(t, streamOrder, 4, nil, nil)
	for n := range 12 {
		r.put(n+1, begin().Add(-72*time.Hour), nil)
		r.put(n+101, begin().Add(-72*time.Hour), func(o *fakewoo.Order) { o.Status = "trash" })
	}
	stop := errors.New("the disk is full")
	for _, after := range []int{2, 3, 1} { // pages
		r.onPage = func(sources.Page) error {
			if len(r.pages) == after {
				return stop
			}
			return nil
		}
		if err := r.fetch(); !errors.Is(err, stop) {
			t.Fatalf("got %v, want the error of emit", err)
		}
	}
	r.onPage = nil
	log := r.poll()
	if len(r.got) != 24 || strings.Contains(log, "any") {
		t.Errorf("%d orders, want 24; at last asked for %s", len(r.got), log)
	}
	if last := r.pages[len(r.pages)-1]; last.Sweep || last.Progress != 1 {
		t.Errorf("the last page: sweep %v, progress %v", last.Sweep, last.Progress)
	}
	r.poll()
	if len(r.asked) > 10 {
		t.Errorf("%d requests after the first reading", len(r.asked))
	}
}

func TestTrash(t *testing.T) {
	r := newRig(t, streamOrder, 10, nil, nil)
	r.put(1, begin().Add(-time.Hour), nil)
	r.poll()
	state := func(status string) string {
		r.now = r.now.Add(time.Minute)
		r.put(1, r.now, func(o *fakewoo.Order) { o.Status, o.Created = status, begin().Add(-time.Hour) })
		r.poll()
		return r.order(1).State
	}
	for _, step := range [][2]string{{"trash", "cancelled"}, {"processing", "counted"}, {"trash", "cancelled"}} {
		if got := state(step[0]); got != step[1] {
			t.Errorf("%s: state %s, want %s", step[0], got, step[1])
		}
	}
}

func TestSweepThatFailsIsTriedLater(t *testing.T) {
	r := newRig(t, streamOrder, 4, nil, nil)
	for n := range 12 {
		r.put(n+1, begin().Add(-72*time.Hour), nil)
	}
	r.poll()
	r.now = r.now.Add(25 * time.Hour)
	r.put(99, r.now, nil)
	r.onRequest = func(a asked) *http.Response {
		if a.query.Get("modified_after") == "" && a.query.Get("orderby") == "id" {
			return answer(403, "application/json", `{"code":"no","message":"not now","data":{"status":403}}`)
		}
		return nil
	}
	if err := r.fetch(); err == nil {
		t.Fatal("no error")
	}
	r.order(99) // what is new comes before the sweep
	r.now = r.now.Add(5 * time.Hour)
	if r.poll(); r.swept() {
		t.Error("a sweep that failed was tried again after 5 h")
	}
	r.onRequest = nil
	r.now = r.now.Add(time.Hour)
	if r.poll(); !r.swept() {
		t.Error("a sweep that failed was not tried again")
	}
	if r.poll(); r.swept() {
		t.Error("a sweep follows on a sweep")
	}
}

// A date in the future must not hide what changes until then.
func TestADateInTheFuture(t *testing.T) {
	r := newRig(t, streamOrder, 10, nil, nil)
	r.put(1, begin().AddDate(50, 0, 0), nil)
	r.put(2, begin().Add(-time.Hour), nil)
	r.poll()
	r.put(3, begin(), nil)
	r.poll()
	r.order(3)
}

func TestNewCustomersAndTheOthers(t *testing.T) {
	r := newRig(t, streamCustomer, 4, nil, nil)
	for n := range 12 {
		r.shop.PutCustomer(fakewoo.Customer{ID: int64(n + 1), Created: begin().Add(time.Duration(n-100) * time.Hour), Country: "DE"})
	}
	r.poll()
	r.now = r.now.Add(time.Hour)
	for n := range 6 {
		r.shop.PutCustomer(fakewoo.Customer{ID: int64(n + 50), Created: r.now, Country: "FR"})
	}
	r.shop.PutCustomer(fakewoo.Customer{ID: 3, Created: begin().Add(-98 * time.Hour), Modified: r.now, Country: "AT"})
	country := func(n int) string {
		c, ok := r.got[fmt.Sprint("customer ", n)].(*record.Customer)
		if !ok {
			t.Fatalf("customer %d was not delivered", n)
		}
		return c.Country
	}
	if log := r.poll(); len(r.got) != 18 || len(r.asked) != 2 {
		t.Errorf("%d customers, want 18; asked for %s", len(r.got), log)
	}
	if got := country(3); got != "DE" {
		t.Errorf("the API tells no changes of customers, and the country is %s", got)
	}
	r.now = r.now.Add(24 * time.Hour)
	if r.poll(); !r.swept() || country(3) != "AT" {
		t.Errorf("after a day the country is %s", country(3))
	}
}

func TestSlowShopsAreAskedForLess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, streamOrder, 100, nil, nil)
		r.onRequest = func(a asked) *http.Response {
			if a.query.Get("per_page") > "25" || a.query.Get("per_page") == "100" {
				return answer(504, "text/html", "<html>timeout</html>")
			}
			return nil
		}
		for i := range 2 {
			if err := r.fetch(); err == nil {
				t.Fatalf("poll %d of a shop that is too slow succeeded", i)
			}
		}
		r.poll()
		if got := r.asked[0].query.Get("per_page"); got != "25" {
			t.Errorf("asked for %s at once, want 25", got)
		}
		for range 5 {
			r.source.size.halve()
		}
		if got := r.source.size.get(); got != 12 {
			t.Errorf("asked for %d at once, want no less than 12", got)
		}
	})
}

func TestErrorsSayWhatToDo(t *testing.T) {
	for name, test := range map[string]struct {
		status            int
		contentType, body string
		want              string
	}{
		"a firewall":         {403, "text/html", "<html>Just a moment...</html>", "firewall"},
		"a notice of PHP":    {200, "text/html", "<br /><b>Notice</b>: x [{}]", "HTML"},
		"an object":          {200, "application/json", `{"orders":[]}`, "unexpected answer"},
		"a plain permalink":  {404, "application/json", `{"code":"rest_no_route","message":"No route was found","data":{"status":404}}`, "rest_no_route"},
		"a record of no one": {200, "application/json", `[{"status":"completed"}]`, "record 1 of the list has no ID"},
		"another order":      {200, "application/json", `[{"id":2},{"id":1},{"id":3},{"id":4}]`, "not sorted by ID"},
	} {
		r := newRig(t, streamOrder, 4, nil, nil)
		r.onRequest = func(asked) *http.Response { return answer(test.status, test.contentType, test.body) }
		if err := r.fetch(); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: got %v, want an error about %q", name, err, test.want)
		}
	}
	r := newRig(t, streamOrder, 4, nil, nil)
	r.cursor = `{"list":7}`
	if err := r.fetch(); err == nil || !strings.Contains(err.Error(), "cursor") {
		t.Errorf("got %v for a cursor that is none", err)
	}
	r.stream = "refund"
	if err := r.fetch(); err == nil || !strings.Contains(err.Error(), `no stream "refund"`) {
		t.Errorf("got %v for a stream that is none", err)
	}
}

func TestCredentials(t *testing.T) {
	for name, test := range map[string]struct {
		https bool
		url   string
		query bool
		key   string
		ok    bool
	}{
		"https":                         {true, "https://shop.test", false, testKey, true},
		"https, in the query":           {true, "https://shop.test", true, testKey, true},
		"https, another key":            {true, "https://shop.test", false, "ck_x", false},
		"http, signed":                  {false, "http://shop.test", false, testKey, true},
		"http, another key":             {false, "http://shop.test", false, "ck_x", false},
		"a shop that knows of no https": {false, "https://shop.test", false, testKey, false},
	} {
		r := newRig(t, streamOrder, 4, func(o *fakewoo.Options) { o.HTTPS, o.Key, o.Now = test.https, test.key, time.Now },
			func(o *Options) { o.URL, o.QueryAuth = test.url, test.query })
		r.onRequest = func(a asked) *http.Response {
			if sent := a.query.Has("consumer_secret"); sent != test.query {
				t.Errorf("%s: the secret was sent in the query: %v", name, sent)
			}
			return nil
		}
		err := r.fetch()
		if _, refused := errors.AsType[*apiclient.AuthError](err); test.ok && err != nil || !test.ok && !refused {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestCheck(t *testing.T) {
	find := func(r *rig, subject string) string {
		for _, f := range r.source.Check(t.Context(), r.environment()) {
			if f.Subject == subject {
				return fmt.Sprint(f.Detail, " ", f.Err)
			}
		}
		return ""
	}
	for name, test := range map[string]struct {
		change        func(*fakewoo.Options)
		order         func(*fakewoo.Order)
		subject, want string
	}{
		"all is well":      {nil, nil, "stream order", "1 records in the first pages; the shop lists 1 <nil>"},
		"another zone":     {func(o *fakewoo.Options) { o.Zone = paris(t) }, nil, "shop", "the shop's days are in Europe/Paris"},
		"another address":  {func(o *fakewoo.Options) { o.URL = "https://www.shop.test" }, nil, "shop", "takes https://www.shop.test for its address"},
		"another currency": {func(o *fakewoo.Options) { o.Currency = "SEK" }, nil, "currency", "source of exchange rates"},
		"no settings":      {func(o *fakewoo.Options) { o.NoSettings = true }, nil, "currency", "may not read settings; orders tell their own currencies <nil>"},
		"an old shop":      {func(o *fakewoo.Options) { o.Old = true }, nil, "changes", "update WooCommerce to 5.8"},
		"a bad amount": {nil, func(o *fakewoo.Order) {
			o.Lines[0].Meta = []fakewoo.Meta{{Key: "_wc_cog_item_total_cost", Value: "a lot"}}
		}, "stream order", "the first: order 1: bad amount: _wc_cog_item_total_cost"},
		"another key": {func(o *fakewoo.Options) { o.Key = "ck_x" }, nil, "stream order", "credentials were refused"},
	} {
		r := newRig(t, streamOrder, 4, test.change, nil)
		r.put(1, begin(), test.order)
		if got := find(r, test.subject); !strings.Contains(got, test.want) {
			t.Errorf("%s: %s: got %q, want %q", name, test.subject, got, test.want)
		}
	}
	r := newRig(t, streamOrder, 4, nil, nil)
	r.onRequest = func(asked) *http.Response { return answer(200, "application/json", `{"namespaces":["wp/v2"]}`) }
	if got := find(r, "shop"); !strings.Contains(got, "no REST API of WooCommerce") {
		t.Errorf("a site without WooCommerce: %q", got)
	}
}
