package shopify

import (
	"testing"
	"time"

	"github.com/b2bexporter/b2b_exporter/sources/sourcetest"
)

func loadOptions(options string) (*Options, error) {
	return sourcetest.Options(Type, DefaultOptions, options)
}

func TestOptions(t *testing.T) {
	const url = ", url: https://example.myshopify.com"
	o, err := loadOptions(url + ", client_id: abc, client_secret: def, bulk: true, streams: [order, company], sweep: 48h, api_version: 2026-07")
	if err != nil {
		t.Fatal(err)
	}
	if !o.Bulk || len(o.Streams) != 2 || o.Sweep != 48*time.Hour || o.Version != "2026-07" || o.Review == 0 {
		t.Errorf("got %+v", o)
	}
	if o, err = loadOptions(url + ", access_token: shpat_1"); err != nil || len(o.Streams) != 4 || o.Version != "2026-10" {
		t.Errorf("got %+v, %v; want the defaults", o, err)
	}
	sourcetest.BadOptions(t, Type, DefaultOptions, map[string]string{
		", access_token: t":                             "url",
		", url: example.myshopify.com, access_token: t": "expected an http or https URL",
		url:                        "give client_id and client_secret_file",
		url + ", client_id: a":     "client_id needs the client secret",
		url + ", client_secret: a": "client_secret needs the client_id",
		url + ", client_id: a, client_secret: b, access_token: c": "not both",
		url + ", access_token: t, api_version: 2025-10":           "not before 2026-01",
		url + ", access_token: t, api_version: unstable":          "expected a version such as",
		url + ", access_token: t, streams: []":                    "at least one",
		url + ", access_token: t, streams: [order, order]":        "listed twice",
		url + ", access_token: t, streams: [draft]":               "order, customer, company, checkout",
		url + ", access_token: t, sweep: 10m":                     "sweep",
		url + ", access_token: t, review: 10m":                    "review",
		url + ", access_token: t, external_id_namespace: 'a:b'":   "colon",
		url + ", access_token: t, page_size: 5":                   "page_size",
	})
}
