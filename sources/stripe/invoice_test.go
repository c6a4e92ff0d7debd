package stripe

import (
	"reflect"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	fakestripe "github.com/b2bexporter/b2b_exporter/internal/fake/stripe"
	"github.com/b2bexporter/b2b_exporter/internal/record"
)

func TestInvoices(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPoller(t, withAll)
		start := time.Now()
		paid := start.Add(day)
		in := fakestripe.Invoice{
			ID: "in_1", Customer: "cus_1", Subscription: "sub_1", Currency: "eur", Country: "de", Status: "draft",
			Subtotal: 10_000, ItemDiscount: 2000, Discount: 1000, Tax: 1710, Shipping: 500,
		}
		p.server.PutInvoice(start, in)
		trial := in
		trial.ID, trial.Subtotal, trial.ItemDiscount, trial.Discount = "in_2", 0, 0, 0
		p.server.PutInvoice(start, trial)
		p.Poll("order")
		want := &record.Order{
			Meta: record.Meta{ID: "in_1"}, Customer: record.RefTo("cus_1"), PlacedAt: record.At(start), State: record.StateDraft, Currency: "EUR",
			Gross: record.Micros(120_000_000), Discount: record.Micros(30_000_000), Country: "DE", Recurring: true,
		}
		compare := func(when string) {
			t.Helper()
			if diff := cmp.Diff(map[string]record.Record{"in_1": want}, p.Held["order"], cmp.Exporter(func(reflect.Type) bool { return true })); diff != "" {
				t.Errorf("%s: records differ (-want +got):\n%s", when, diff)
			}
		}
		compare("a draft")
		time.Sleep(2 * day)
		in.Status, in.FinalizedAt, in.PaidAt = "paid", start.Add(time.Hour), paid
		p.server.PutInvoice(time.Now(), in)
		p.Poll("order")
		want.State, want.PlacedAt, want.PaidAt = record.StateCounted, record.At(in.FinalizedAt), record.At(paid)
		compare("paid")
		in.Status = "void"
		p.server.PutInvoice(time.Now(), in)
		p.Poll("order")
		want.State = record.StateCancelled
		compare("void")
		p.server.Test = true
		p.server.PutInvoice(time.Now(), in)
		p.Poll("order")
		want.State = record.StateTest
		compare("of test data")
		p.server.DeleteInvoice("in_1", time.Now())
		p.Poll("order")
		if len(p.Held["order"]) > 0 {
			t.Errorf("deleted: %v are held", p.Held["order"])
		}
	})
}

// TestInvoiceMoney tells gross and discount from an invoice's amounts.
func TestInvoiceMoney(t *testing.T) {
	const (
		off20   = `,"total_discount_amounts":[{"amount":2000,"discount":"di_1"}]`
		off2010 = `,"total_discount_amounts":[{"amount":2000,"discount":"di_1"},{"amount":1000,"discount":"di_2"}]`
	)
	for name, test := range map[string]struct {
		amounts         string
		gross, discount string
	}{
		"100 without a discount":                  {`"subtotal":10000,"subtotal_excluding_tax":10000,"total":11900,"total_excluding_tax":10000,"total_discount_amounts":[]`, "100", "0"},
		"100, 20 off an item":                     {`"subtotal":8000,"subtotal_excluding_tax":8000,"total":9520,"total_excluding_tax":8000` + off20, "100", "20"},
		"100, 20 off the invoice":                 {`"subtotal":10000,"subtotal_excluding_tax":10000,"total":9520,"total_excluding_tax":8000` + off20, "100", "20"},
		"100, 20 off an item, 10 off the invoice": {`"subtotal":8000,"subtotal_excluding_tax":8000,"total":8330,"total_excluding_tax":7000` + off2010, "100", "30"},
		"the same, with shipping":                 {`"subtotal":8000,"subtotal_excluding_tax":8000,"total":8925,"total_excluding_tax":7500,"amount_shipping":500` + off2010, "100", "30"},
		"20, 20 off an item":                      {`"subtotal":0,"subtotal_excluding_tax":0,"total":0,"total_excluding_tax":0` + off20, "20", "20"},
		"tax that is not worked out":              {`"subtotal":8000,"subtotal_excluding_tax":null,"total":8000,"total_excluding_tax":null` + off20, "100", "20"},
		"125 with 25 of tax, half off an item":    {`"subtotal":6250,"subtotal_excluding_tax":5000,"total":6250,"total_excluding_tax":5000,"total_discount_amounts":[{"amount":6250,"discount":"di_1"}]`, "100", "50"},
		"125 with 25 of tax, half off it":         {`"subtotal":12500,"subtotal_excluding_tax":10000,"total":6250,"total_excluding_tax":5000,"total_discount_amounts":[{"amount":6250,"discount":"di_1"}]`, "100", "50"},
		"120 with 7 % of tax, back 119 with 19 %": {`"subtotal":100,"subtotal_excluding_tax":1215,"total":100,"total_excluding_tax":1215,"total_discount_amounts":[{"amount":1000,"discount":"di_1"}]`, "22.15", "10"},
		"discounts that are not told":             {`"subtotal":8000,"subtotal_excluding_tax":8000,"total":8330,"total_excluding_tax":7000,"total_discount_amounts":null`, "80", "10"},
		"a discount without an amount":            {`"subtotal":8000,"total":8000,"total_discount_amounts":[{"amount":null,"discount":"di_1"}]`, "null", "null"},
		"no total":                                {`"subtotal":8000,"total":null,"total_discount_amounts":[]`, "null", "null"},
		"no subtotal":                             {`"subtotal":null,"total":8000,"total_discount_amounts":[]`, "null", "null"},
	} {
		text := `{"id":"in_1","object":"invoice","livemode":true,"status":"open","created":1,"currency":"eur","parent":{"type":"subscription_details"},` + test.amounts + `}`
		r, rounded, err := invoiceRecord(object{ID: "in_1", Type: "invoice", text: []byte(text)})
		if err != nil || rounded != 0 {
			t.Errorf("%s: %d amounts were rounded, %v", name, rounded, err)
			continue
		}
		order, ok := r.(*record.Order)
		if !ok {
			t.Errorf("%s: no order", name)
			continue
		}
		if gross, discount := amountText(order.Gross), amountText(order.Discount); gross != test.gross || discount != test.discount {
			t.Errorf("%s: got gross %s and discount %s, want %s and %s", name, gross, discount, test.gross, test.discount)
		}
	}
}
