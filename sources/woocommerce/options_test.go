package woocommerce

import (
	"testing"
	"time"

	"github.com/b2bexporter/b2b_exporter/sources/sourcetest"
)

func loadOptions(options string) (*Options, error) {
	return sourcetest.Options(Type, DefaultOptions, options)
}

func TestOptions(t *testing.T) {
	const keys = ", consumer_key: ck_1, consumer_secret: cs_1"
	const url = ", url: https://shop.example" + keys
	o, err := loadOptions(url + ", streams: [order], sweep: 48h, statuses: {pending: draft}, guests: email, query_auth: true")
	if err != nil {
		t.Fatal(err)
	}
	if len(o.Streams) != 1 || o.Sweep != 48*time.Hour || o.Statuses["pending"] != "draft" || o.Guests != guestsEmail || !o.QueryAuth {
		t.Errorf("got %+v", o)
	}
	if o, err = loadOptions(url); err != nil || len(o.Streams) != 2 || o.Guests != guestsAnonymous || o.CustomerSweep != 24*time.Hour {
		t.Errorf("got %+v, %v; want the defaults", o, err)
	}
	sourcetest.BadOptions(t, Type, DefaultOptions, map[string]string{
		keys: "url",
		", url: https://shop.example, consumer_key: a":        "consumer_secret",
		", url: https://shop.example, consumer_secret: a":     "consumer_key",
		", url: shop.example" + keys:                          "expected an http or https URL",
		", url: https://shop.example/wp-json/wc/v3" + keys:    "without /wp-json",
		", url: http://shop.example, query_auth: true" + keys: "https alone",
		url + ", streams: []":                                 "at least one",
		url + ", streams: [order, order]":                     "listed twice",
		url + ", streams: [product]":                          "order, customer",
		url + ", statuses: {pending: ignored}":                "counted, cancelled, draft, test",
		url + ", statuses: {wc-shipped: counted}":             "without wc-",
		url + ", guests: all":                                 "anonymous, email",
		url + ", external_id_namespace: 'a:b'":                "colon",
		url + ", requests_per_second: 0":                      "1 to 100",
		url + ", sweep: 10m":                                  "sweep",
		url + ", customer_sweep: 10m":                         "customer_sweep",
		url + ", page_size: 5":                                "page_size",
	})
}
