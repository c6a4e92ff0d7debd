package hubspot

import (
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/b2bexporter/b2b_exporter/internal/config"
	fakehubspot "github.com/b2bexporter/b2b_exporter/internal/fake/hubspot"
	"github.com/b2bexporter/b2b_exporter/sources"
	"github.com/b2bexporter/b2b_exporter/sources/internal/apiclient"
	"github.com/b2bexporter/b2b_exporter/sources/internal/cursors"
	"github.com/b2bexporter/b2b_exporter/sources/sourcetest"
)

func parseOptions(options string) (*Options, error) {
	return sourcetest.Options(Type, DefaultOptions, options)
}

func TestOptions(t *testing.T) {
	o, err := parseOptions(", access_token: abc")
	if err != nil {
		t.Fatal(err)
	}
	want := DefaultOptions()
	want.AccessToken = o.AccessToken
	if diff := cmp.Diff(want, o, cmp.AllowUnexported(config.SecretRef{}, config.Secret{})); diff != "" {
		t.Errorf("defaults differ (-want +got):\n%s", diff)
	}
	o, err = parseOptions(`, access_token: abc, url: "http://mirror.test", api_version: v3, currency: USD, daily_share: 0.2, archived_every: 6h, sweep_every: 48h,
		lifecycle: {mql: [], sql: ["123", salesqualifiedlead], disqualified: [other], disqualified_status: [UNQUALIFIED, BAD_TIMING]},
		first_response_property: first_answer, target_values: ["yes"], external_ids: [{property: erp_no, namespace: erp}]`)
	if err != nil {
		t.Fatal(err)
	}
	if len(o.Lifecycle.MQL) != 0 || len(o.Lifecycle.Customer) != 1 || o.SweepEvery != 48*time.Hour || o.ExternalIDs[0].Namespace != "erp" {
		t.Errorf("got %+v", o)
	}
	sourcetest.BadOptions(t, Type, DefaultOptions, map[string]string{
		"":                                                                            "access_token",
		", access_token: a, url: hubspot.test":                                        "url",
		", access_token: a, api_version: v2":                                          "api_version",
		", access_token: a, currency: euro":                                           "currency",
		", access_token: a, daily_share: 0":                                           "daily_share",
		", access_token: a, daily_share: 1.5":                                         "daily_share",
		", access_token: a, archived_every: 1s":                                       "archived_every",
		", access_token: a, sweep_every: 5m":                                          "sweep_every",
		", access_token: a, tier_property: Tier 1":                                    "tier_property",
		", access_token: a, external_ids: [{property: A, namespace: e}]":              "external_ids[0].property",
		", access_token: a, external_ids: [{property: a, namespace: 'e:'}]":           "external_ids[0].namespace",
		", access_token: a, lifecycle: {mql: [a b]}":                                  "lifecycle.mql[0]",
		", access_token: a, lifecycle: {mql: [customer]}":                             "lifecycle.customer[0]",
		", access_token: a, lifecycle: {won: [customer]}":                             "lifecycle.won",
		", access_token: a, lifecycle: {disqualified_status: ['']}":                   "lifecycle.disqualified_status",
		", access_token: a, target_property: abm, discount_property: 'amount;drop x'": "discount_property",
	})
	bad := testOptions("http://hubspot.test", func(o *Options) { o.DailyShare = 0 })
	if _, err := New("crm", bad, apiclient.Deps{}); err == nil || !strings.Contains(err.Error(), "daily_share") {
		t.Errorf("New: got %v, want an error at daily_share", err)
	}
}

func TestCheck(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPoller(t, nil)
		p.server.PutOwner(fakehubspot.Owner{ID: "1"})
		p.server.PutPipeline(salesPipeline())
		want := map[string]string{
			"owners and pipelines": "1 owners, 1 pipelines",
			"stream lead":          "21 properties are read",
			"stream account":       "7 properties are read",
			"stream deal":          "11 properties are read, the account has no hs_v2_date_entered_closedlost, hs_v2_date_entered_closedwon; deals without a currency are taken to be in EUR",
		}
		if diff := cmp.Diff(want, p.Check()); diff != "" {
			t.Errorf("findings differ (-want +got):\n%s", diff)
		}
		p.open(func(o *Options) {
			o.Lifecycle.MQL, o.Lifecycle.DisqualifiedStatus = []string{"4711"}, []string{"OPEN", "BAD"}
			o.TierProperty, o.OrderProperty = "abm_tier", "order_no"
			o.ExternalIDs = []ExternalID{{"erp_no", "erp"}}
		})
		for subject, parts := range map[string][]string{
			"stream lead":    {`lifecycle.mql: lifecyclestage has no value "4711"`, `lifecycle.disqualified_status: hs_lead_status has no value "BAD"`},
			"stream account": {`tier_property: companies have no property "abm_tier"`, `external_ids[0].property: companies have no property "erp_no"`},
			"stream deal":    {`order_property: deals have no property "order_no"`},
		} {
			for _, part := range parts {
				if text := p.Check()[subject]; !strings.Contains(text, part) {
					t.Errorf("%s: got %q, want %q in it", subject, text, part)
				}
			}
		}
		p.open(nil)
		p.server.Scopes = []string{"crm.objects.owners.read", "crm.objects.contacts.read", "crm.objects.deals.read"}
		got := p.Check()
		if !strings.Contains(got["stream account"], "the permission crm.objects.companies.read") || strings.Contains(got["stream lead"], "ERROR") {
			t.Errorf("without a scope: got %v", got)
		}
		p.server.Token = "another"
		got = p.Check()
		if len(got) != 1 || !strings.Contains(got["credentials"], "refused") {
			t.Errorf("with another token: got %v", got)
		}
	})
}

func TestClassify(t *testing.T) {
	error429 := func(policy string) string {
		return errorBody("RATE_LIMITS", `,"errorType":"RATE_LIMIT","policyName":"`+policy+`"`)
	}
	for name, test := range map[string]struct {
		status int
		header http.Header
		body   string
		want   apiclient.Verdict
	}{
		"good":                  {200, nil, `{"results":[]}`, apiclient.Verdict{Class: apiclient.ClassOK}},
		"a batch in part":       {207, nil, `{"status":"COMPLETE","results":[]}`, apiclient.Verdict{Class: apiclient.ClassOK}},
		"an error inside a 200": {200, nil, errorBody("ODD", ""), apiclient.Verdict{Class: apiclient.ClassPermanent, Code: "ODD"}},
		"expired":               {401, nil, errorBody("EXPIRED_AUTHENTICATION", ""), apiclient.Verdict{Class: apiclient.ClassAuth, Code: "EXPIRED_AUTHENTICATION"}},
		"scopes": {
			403, nil, errorBody("MISSING_SCOPES", `,"errors":[{"context":{"requiredGranularScopes":["a","b"]}}]`),
			apiclient.Verdict{Class: apiclient.ClassScope, Code: "MISSING_SCOPES", Scope: "a or b"},
		},
		"burst": {
			429, nil, error429("TEN_SECONDLY_ROLLING"),
			apiclient.Verdict{Class: apiclient.ClassThrottled, Code: "RATE_LIMITS", Quota: quotaBurst, RetryAfter: 10 * time.Second},
		},
		"search": {
			429, nil, error429("SECONDLY"),
			apiclient.Verdict{Class: apiclient.ClassThrottled, Code: "RATE_LIMITS", Quota: quotaSearch, RetryAfter: time.Second},
		},
		"day": {
			429, nil, error429("DAILY"),
			apiclient.Verdict{Class: apiclient.ClassThrottled, Code: "RATE_LIMITS", Quota: quotaDaily, RetryAfter: time.Hour},
		},
		"a header comes first": {
			429,
			http.Header{"Retry-After": {"7"}},
			error429("DAILY"),
			apiclient.Verdict{Class: apiclient.ClassThrottled, Code: "RATE_LIMITS", Quota: quotaDaily},
		},
		"a proxy's page": {429, nil, "<html>", apiclient.Verdict{Class: apiclient.ClassThrottled}},
		"migration":      {477, nil, errorBody("MIGRATION", ""), apiclient.Verdict{Class: apiclient.ClassThrottled, Code: "MIGRATION"}},
		"locked":         {423, nil, errorBody("LOCK", ""), apiclient.Verdict{Class: apiclient.ClassRetry, Code: "LOCK", RetryAfter: 2 * time.Second}},
		"bad request":    {400, nil, errorBody("VALIDATION_ERROR", ""), apiclient.Verdict{Class: apiclient.ClassPermanent, Code: "VALIDATION_ERROR"}},
		"an edge's 523":  {523, nil, "", apiclient.Verdict{Class: apiclient.ClassRetry}},
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

func TestSignals(t *testing.T) {
	header := http.Header{}
	for name, value := range map[string]string{
		"Max": "190", "Remaining": "17", "Interval-Milliseconds": "10000", "Daily": "650000", "Daily-Remaining": "1234",
	} {
		header.Set("X-HubSpot-RateLimit-"+name, value)
	}
	want := []apiclient.Signal{
		{Quota: quotaBurst, Size: 190, Remaining: 17}, {Quota: quotaDaily, Size: 650_000, Remaining: 1234, Reset: time.Hour},
	}
	if diff := cmp.Diff(want, signals(&apiclient.Response{Header: header})); diff != "" {
		t.Errorf("signals differ (-want +got):\n%s", diff)
	}
	if got := signals(&apiclient.Response{Header: http.Header{}}); got != nil {
		t.Errorf("a search: got %v, want nothing", got)
	}
}

func TestCursor(t *testing.T) {
	want := cursor{Began: 1, After: "a", Read: 2, From: 3, Until: 4, ID: 1 << 63, Archived: 5, Swept: 6}
	var got cursor
	if err := cursors.Read(sources.Request{Cursor: cursors.Text(want)}, &got); err != nil || got != want {
		t.Errorf("got %+v, %v; want %+v", got, err, want)
	}
}
