package shopify

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	fakeshopify "github.com/b2bexporter/b2b_exporter/internal/fake/shopify"
	"github.com/b2bexporter/b2b_exporter/internal/record"
	"github.com/b2bexporter/b2b_exporter/sources"
)

// bulkRig is a shop with more orders than a page holds, every tenth with a refund.
func bulkRig(t *testing.T, orders int) *rig {
	t.Helper()
	r := newRig(t, streamOrder, maxPageSize, func(o *fakeshopify.Options) { still(o); o.BucketSize = 1e6 },
		func(o *Options) { o.Bulk = true })
	for n := range orders {
		r.put(n+1, begin().Add(time.Duration(n-orders)*time.Hour), func(o *fakeshopify.Order) {
			if n%10 == 0 {
				o.Refunds = []fakeshopify.Refund{{ID: o.ID, At: o.Created, Lines: []fakeshopify.RefundLine{
					{Line: o.Lines[0].ID, Quantity: 1, Restock: "RETURN", Subtotal: "10.50"},
				}}}
			}
		})
	}
	return r
}

// mustHold reports orders and refunds that are missing or wrong.
func (r *rig) mustHold(orders int) {
	r.t.Helper()
	refunds := 0
	for n := range orders {
		if o := r.order(n + 1); o.Gross != record.Micros(21_000_000) || o.Cost != record.Micros(8_000_000) {
			r.t.Fatalf("order %d is %+v", n+1, o)
		}
	}
	for _, rec := range r.got {
		if f, ok := rec.(*record.Refund); ok {
			refunds++
			if f.Amount != record.Micros(10_500_000) || f.Cost != record.Micros(4_000_000) {
				r.t.Fatalf("refund %+v", f)
			}
		}
	}
	if want := (orders + 9) / 10; refunds != want {
		r.t.Errorf("%d refunds, want %d", refunds, want)
	}
}

func TestBulkReadsAllOrders(t *testing.T) {
	const orders = 2*bulkPage + 20
	r := bulkRig(t, orders)
	asked := r.poll()
	r.mustHold(orders)
	if want := "Settings StartBulk Bulk"; !strings.HasPrefix(asked, want) || r.shop.Calls()["file"] != 1 {
		t.Errorf("asked for %s and %d files", asked, r.shop.Calls()["file"])
	}
	for _, p := range r.pages {
		if len(p.Records) > 2*bulkPage {
			t.Errorf("a page holds %d records", len(p.Records))
		}
	}
	if strings.Contains(r.logs.String(), "jsonl") || strings.Contains(r.logs.String(), fakeshopify.BulkSignature()) {
		t.Errorf("the log tells the file's address:\n%s", r.logs.String())
	}
	r.got = map[string]record.Record{}
	if asked := r.poll(); asked != "Orders" || len(r.got) > 5 {
		t.Errorf("the second poll asked for %s and got %d records", asked, len(r.got))
	}
}

func TestBulkIsResumed(t *testing.T) {
	const orders = bulkPage + 20
	r := bulkRig(t, orders)
	stop := errors.New("the disk is full")
	r.onPage = func(p sources.Page) error {
		if len(p.Records) > 0 && len(r.got) > 0 {
			return stop
		}
		return nil
	}
	if _, err := r.fetch(); !errors.Is(err, stop) {
		t.Fatalf("got %v, want the error of emit", err)
	}
	r.onPage = nil
	if asked := r.poll(); strings.Contains(asked, "StartBulk") {
		t.Errorf("asked for %s: an operation was started though there is one", asked)
	}
	r.mustHold(orders)
}

func TestBulkThatFails(t *testing.T) {
	const orders = 30
	for name, fail := range map[string]func(*fakeshopify.Server){
		"an error":         func(s *fakeshopify.Server) { s.FailBulk("TIMEOUT") },
		"a file that went": (*fakeshopify.Server).LoseFiles,
	} {
		r := bulkRig(t, orders)
		r.answers = func(a asked) string {
			if a.Operation == "Bulk" {
				fail(r.shop)
			}
			return ""
		}
		if asked := r.poll(); !strings.HasSuffix(asked, "Orders") {
			t.Errorf("%s: asked for %s, want the orders page by page", name, asked)
		}
		r.mustHold(orders)
		if !strings.Contains(r.logs.String(), "a bulk operation has failed") {
			t.Errorf("%s: nothing was logged", name)
		}
	}
}

func TestBulkOfAnEmptyShop(t *testing.T) {
	r := bulkRig(t, 0)
	r.poll()
	r.put(1, begin().Add(-1000*time.Hour), nil)
	r.poll()
	if r.got[orderID(1)] == nil {
		t.Error("an empty file has moved the cursor past an order")
	}
}

func TestBulkCutShort(t *testing.T) {
	r := bulkRig(t, 30)
	r.answers = func(a asked) string {
		if !strings.HasPrefix(a.Path, "/bulk/") {
			return ""
		}
		return `{"id":"gid://shopify/Order/1","updatedAt":"2026-03-01T00:00:00Z","processedAt":"2026-03-01T00:00:00Z","currencyCode":"EUR","refunds":[]}` + "\n"
	}
	if _, err := r.fetch(); err == nil || !strings.Contains(err.Error(), "1 orders of 30") {
		t.Errorf("got %v, want an error about the missing rows", err)
	}
	r.answers = nil
	r.poll()
	r.mustHold(30)
}

func TestOthersBulkOperationsAreLeftAlone(t *testing.T) {
	r := bulkRig(t, 30)
	refusal := `{"data":{"bulkOperationRunQuery":{"bulkOperation":null,"userErrors":[{"code":"OPERATION_IN_PROGRESS","message":"busy"}]}}}`
	r.answers = func(a asked) string {
		switch a.Operation {
		case "StartBulk":
			return refusal
		case "Bulks":
			return `{"data":{"bulkOperations":{"nodes":[{"id":"gid://shopify/BulkOperation/9","status":"RUNNING","query":"{ products { edges { node { id } } } }"}]}}}`
		}
		return ""
	}
	asked, err := r.fetch()
	if err == nil || !strings.Contains(err.Error(), "OPERATION_IN_PROGRESS") || slices.Contains(strings.Fields(asked), "Bulk") {
		t.Errorf("asked for %s: %v", asked, err)
	}
}

func TestRequestsOfADay(t *testing.T) {
	total := 0
	for _, stream := range []string{streamOrder, streamCustomer, streamCompany, streamCheckout} {
		now := begin()
		r := newRig(t, stream, maxPageSize, func(o *fakeshopify.Options) { o.Now = func() time.Time { return now }; o.BucketSize = 1e6 },
			func(o *Options) { o.Review, o.Sweep = 24*time.Hour, 7*24*time.Hour })
		n := 0
		for ; n < 60*20; n++ { // 20 a day
			r.put(n+1, begin().Add(time.Duration(n-60*20)*72*time.Minute), nil)
		}
		r.poll()
		before, spent := calls(r), r.shop.Spent()
		for range 288 {
			now = now.Add(5 * time.Minute)
			if now.Sub(begin())%(70*time.Minute) == 0 {
				n++
				r.put(n, now, nil)
			}
			r.poll()
		}
		t.Logf("%s: %d requests, %.0f points", stream, calls(r)-before, r.shop.Spent()-spent)
		total += calls(r) - before
	}
	// docs/sources/shopify.md says so.
	if total < 4*288 || total > 1250 {
		t.Errorf("%d requests a day, want one for each stream and poll, and few more", total)
	}
}

func calls(r *rig) int {
	n := 0
	for _, c := range r.shop.Calls() {
		n += c
	}
	return n
}
