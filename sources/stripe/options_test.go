package stripe

import (
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/b2bexporter/b2b_exporter/internal/config"
	fakestripe "github.com/b2bexporter/b2b_exporter/internal/fake/stripe"
	"github.com/b2bexporter/b2b_exporter/sources/internal/apiclient"
	"github.com/b2bexporter/b2b_exporter/sources/sourcetest"
)

func parseOptions(options string) (*Options, error) {
	return sourcetest.Options(Type, DefaultOptions, options)
}

func TestOptions(t *testing.T) {
	o, err := parseOptions(", api_key: abc")
	if err != nil {
		t.Fatal(err)
	}
	want := DefaultOptions()
	want.APIKey = o.APIKey
	if diff := cmp.Diff(want, o, cmp.AllowUnexported(config.SecretRef{}, config.Secret{})); diff != "" {
		t.Errorf("defaults differ (-want +got):\n%s", diff)
	}
	o, err = parseOptions(`, api_key: abc, url: "http://mirror.test", account: acct_123, invoices: true, count_paused: [void],
		domain_metadata: web, external_ids: [{metadata: erp_no, namespace: erp}], requests_per_second: 5, sweep_every: 48h`)
	if err != nil {
		t.Fatal(err)
	}
	if o.SweepEvery != 48*time.Hour || o.ExternalIDs[0].Namespace != "erp" || !o.Invoices || o.CountPaused[0] != "void" {
		t.Errorf("got %+v", o)
	}
	sourcetest.BadOptions(t, Type, DefaultOptions, map[string]string{
		"":                               "api_key",
		", api_key: a, url: stripe.test": "url",
		", api_key: a, account: '1234'":  "account",
		", api_key: a, count_paused: [void, never]":                        "count_paused[1]",
		", api_key: a, external_ids: [{metadata: '', namespace: erp}]":     "external_ids[0].metadata",
		", api_key: a, external_ids: [{metadata: erp, namespace: 'e:rp'}]": "external_ids[0].namespace",
		", api_key: a, requests_per_second: 0":                             "requests_per_second",
		", api_key: a, requests_per_second: 101":                           "requests_per_second",
		", api_key: a, sweep_every: 5m":                                    "sweep_every",
		", api_key: a, invoices: maybe":                                    "invoices",
	})
	bad := testOptions("http://stripe.test", func(o *Options) { o.RequestsPerSecond = 0 })
	if _, err := New("billing", bad, apiclient.Deps{}); err == nil || !strings.Contains(err.Error(), "requests_per_second") {
		t.Errorf("New: got %v, want an error at requests_per_second", err)
	}
}

func TestCheck(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPoller(t, nil)
		want := map[string]string{
			"stream customer":     "/v1/customers and its events can be read",
			"stream subscription": "/v1/subscriptions and its events can be read; there is none yet",
		}
		if diff := cmp.Diff(want, p.Check()); diff != "" {
			t.Errorf("findings differ (-want +got):\n%s", diff)
		}
		p.server.Test = true
		p.server.AddSubscription(time.Now(), fakestripe.Subscription{Customer: "cus_1", Currency: "eur", Items: items("month10", 1)})
		if got := p.Check()["stream subscription"]; !strings.HasSuffix(got, "; these are test data; the newest is in EUR") {
			t.Errorf("of test data: got %q", got)
		}
		for missing, subject := range map[string]string{
			"rak_customer_read": "stream customer", "rak_coupon_read": "stream subscription", "rak_plan_read": "stream subscription",
			"rak_event_read": "stream subscription", "rak_subscription_read": "stream subscription",
		} {
			p.server.Permissions = nil
			for _, name := range []string{"rak_customer_read", "rak_coupon_read", "rak_plan_read", "rak_event_read", "rak_subscription_read"} {
				if name != missing {
					p.server.Permissions = append(p.server.Permissions, name)
				}
			}
			if got := p.Check(); !strings.Contains(got[subject], "the permission "+missing) {
				t.Errorf("without %s: got %v", missing, got)
			}
		}
		p.server.Key = "another"
		if got := p.Check(); len(got) != 1 || !strings.Contains(got["credentials"], "refused") {
			t.Errorf("with another key: got %v", got)
		}
	})
}

func TestClassify(t *testing.T) {
	body := func(kind, code, message string) string {
		return `{"error":{"type":"` + kind + `","code":"` + code + `","message":"` + message + `"}}`
	}
	for name, test := range map[string]struct {
		status int
		header http.Header
		body   string
		want   apiclient.Verdict
	}{
		"good":                         {200, nil, `{"object":"list"}`, apiclient.Verdict{Class: apiclient.ClassOK}},
		"a good object about an error": {200, nil, `{"data":[{"error":{}}]}`, apiclient.Verdict{Class: apiclient.ClassOK}},
		"an error inside a 200":        {200, nil, "{\n  " + body("api_error", "odd", "m")[1:], apiclient.Verdict{Class: apiclient.ClassPermanent, Code: "odd"}},
		"a wrong key":                  {401, nil, body("invalid_request_error", "", "m"), apiclient.Verdict{Class: apiclient.ClassAuth, Code: "invalid_request_error"}},
		"a permission":                 {403, nil, body("invalid_request_error", "more_permissions_required", "Having the 'rak_coupon_read' permission"), apiclient.Verdict{Class: apiclient.ClassScope, Code: "more_permissions_required", Scope: "rak_coupon_read"}},
		"too many":                     {429, nil, body("invalid_request_error", "rate_limit", "m"), apiclient.Verdict{Class: apiclient.ClassThrottled, Code: "rate_limit", Quota: quotaRequests}},
		"too many, with a reason":      {429, http.Header{"Stripe-Rate-Limited-Reason": {"endpoint-rate"}}, body("invalid_request_error", "rate_limit", "m"), apiclient.Verdict{Class: apiclient.ClassThrottled, Code: "rate_limit", Quota: "endpoint-rate"}},
		"a lock":                       {429, nil, body("invalid_request_error", "lock_timeout", "m"), apiclient.Verdict{Class: apiclient.ClassRetry, Code: "lock_timeout"}},
		"a conflict that passes":       {409, http.Header{"Stripe-Should-Retry": {"true"}}, body("api_error", "", "m"), apiclient.Verdict{Class: apiclient.ClassRetry, Code: "api_error"}},
		"an error that does not pass":  {500, http.Header{"Stripe-Should-Retry": {"false"}}, body("api_error", "", "m"), apiclient.Verdict{Class: apiclient.ClassPermanent, Code: "api_error"}},
		"an unknown parameter":         {400, nil, body("invalid_request_error", "parameter_unknown", "m"), apiclient.Verdict{Class: apiclient.ClassPermanent, Code: "parameter_unknown"}},
		"a proxy's page":               {502, nil, "<html>", apiclient.Verdict{Class: apiclient.ClassRetry}},
	} {
		if test.header == nil {
			test.header = http.Header{}
		}
		got := classify(&apiclient.Response{Status: test.status, Header: test.header, Body: []byte(test.body)})
		got.Message, got.RequestID = "", ""
		if got != test.want {
			t.Errorf("%s: got %+v, want %+v", name, got, test.want)
		}
	}
}
