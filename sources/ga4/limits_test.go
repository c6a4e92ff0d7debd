package ga4

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/b2bexporter/b2b_exporter/internal/window"
	"github.com/b2bexporter/b2b_exporter/sources/internal/apiclient"
)

func googleError(status int, name, message, reason string) string {
	return fmt.Sprintf(`{"error":{"code":%d,"message":%q,"status":%q,"details":[{"reason":%q}]}}`, status, message, name, reason)
}

func TestClassify(t *testing.T) {
	for name, tc := range map[string]struct {
		status int
		header http.Header
		body   string
		want   apiclient.Verdict
	}{
		"a report": {status: 200, body: `{"kind":"analyticsData#runReport"}`, want: apiclient.Verdict{Class: apiclient.ClassOK}},
		"an error inside a 200": {
			status: 200, body: googleError(500, "INTERNAL", "oops", ""),
			want: apiclient.Verdict{Class: apiclient.ClassPermanent, Code: "INTERNAL", Message: "oops"},
		},
		"the hour's tokens": {
			status: 429, body: googleError(429, "RESOURCE_EXHAUSTED", "Exhausted property tokens for a project per hour.", ""),
			want: apiclient.Verdict{Class: apiclient.ClassThrottled, Code: "RESOURCE_EXHAUSTED", Message: "Exhausted property tokens for a project per hour.", Quota: quotaProject, RetryAfter: time.Hour},
		},
		"the hour's tokens of all projects": {
			status: 429, body: googleError(429, "RESOURCE_EXHAUSTED", "Exhausted property tokens per hour.", ""),
			want: apiclient.Verdict{Class: apiclient.ClassThrottled, Code: "RESOURCE_EXHAUSTED", Message: "Exhausted property tokens per hour.", Quota: quotaHour, RetryAfter: time.Hour},
		},
		"the day's tokens": {
			status: 429, body: googleError(429, "RESOURCE_EXHAUSTED", "Exhausted property tokens per day.", ""),
			want: apiclient.Verdict{Class: apiclient.ClassThrottled, Code: "RESOURCE_EXHAUSTED", Message: "Exhausted property tokens per day.", Quota: quotaDay, RetryAfter: time.Hour},
		},
		"at the same time": {
			status: 429, header: http.Header{"Retry-After": {"7"}}, body: googleError(429, "RESOURCE_EXHAUSTED", "Exhausted concurrent requests quota.", ""),
			want: apiclient.Verdict{Class: apiclient.ClassThrottled, Code: "RESOURCE_EXHAUSTED", Message: "Exhausted concurrent requests quota.", Quota: quotaConcurrent},
		},
		"the vendor's failures": {
			status: 429, body: googleError(429, "RESOURCE_EXHAUSTED", "Exhausted server errors per project per hour.", ""),
			want: apiclient.Verdict{Class: apiclient.ClassThrottled, Code: "RESOURCE_EXHAUSTED", Message: "Exhausted server errors per project per hour.", Quota: quotaServerErrors, RetryAfter: time.Hour},
		},
		"thresholded requests": {
			status: 429, body: googleError(429, "RESOURCE_EXHAUSTED", "Exhausted potentially thresholded requests quota.", ""),
			want: apiclient.Verdict{Class: apiclient.ClassThrottled, Code: "RESOURCE_EXHAUSTED", Message: "Exhausted potentially thresholded requests quota.", Quota: quotaThresholded, RetryAfter: time.Hour},
		},
		"a scope": {
			status: 403, body: googleError(403, "PERMISSION_DENIED", "Insufficient scopes.", "ACCESS_TOKEN_SCOPE_INSUFFICIENT"),
			want: apiclient.Verdict{Class: apiclient.ClassScope, Code: "PERMISSION_DENIED", Message: "Insufficient scopes.", Scope: scope},
		},
		"an API that is off": {
			status: 403, body: googleError(403, "PERMISSION_DENIED", "It is disabled.", "SERVICE_DISABLED"),
			want: apiclient.Verdict{Class: apiclient.ClassScope, Code: "SERVICE_DISABLED", Message: "It is disabled."},
		},
		"a proxy": {status: 502, body: "<html>", want: apiclient.Verdict{Class: apiclient.ClassRetry}},
	} {
		got := classify(&apiclient.Response{Status: tc.status, Header: tc.header, Body: []byte(tc.body)})
		if diff := cmp.Diff(tc.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestSignals(t *testing.T) {
	q := &quotas{}
	signals := func(status int, body string) []apiclient.Signal {
		return q.signals(&apiclient.Response{Status: status, Body: []byte(body)})
	}
	quota := func(day, hour, project int) string {
		return fmt.Sprintf(`"propertyQuota":{"tokensPerDay":{"consumed":4,"remaining":%d},"tokensPerHour":{"remaining":%d},"tokensPerProjectPerHour":{"remaining":%d},"serverErrorsPerProjectPerHour":{"remaining":10}}`, day, hour, project)
	}
	for _, tc := range []struct {
		what, body string
		want       []apiclient.Signal
	}{
		{"nothing", `{"kind":"analyticsData#runReport"}`, nil},
		{"a report", `{` + quota(150_000, 39_000, 10_000) + `}`, []apiclient.Signal{
			{Quota: quotaDay, Size: 200_000, Remaining: 150_000},
			{Quota: quotaHour, Size: 36_000, Remaining: 35_000},
			{Quota: quotaProject, Size: 12_600, Remaining: 8_600},
		}},
		// A zero is left out; the last report of a batch knows best. Of the hour a tenth is left to others.
		{"a batch", `{"reports":[{` + quota(9, 9, 9) + `},{"propertyQuota":{"tokensPerDay":{},"tokensPerProjectPerHour":{"remaining":900}}}]}`, []apiclient.Signal{
			{Quota: quotaDay, Size: 200_000}, {Quota: quotaProject, Size: 12_600},
		}},
		{"failures of the vendor", `{"propertyQuota":{"serverErrorsPerProjectPerHour":{"remaining":2}}}`, []apiclient.Signal{
			{Quota: quotaServerErrors, Reset: time.Hour},
		}},
		{"Analytics 360", `{` + quota(1_999_990, 300_000, 100_000) + `}`, []apiclient.Signal{
			{Quota: quotaDay, Size: 2_000_000, Remaining: 1_999_990},
			{Quota: quotaHour, Size: 360_000, Remaining: 260_000},
			{Quota: quotaProject, Size: 126_000, Remaining: 86_000},
		}},
		{"Analytics 360, later", `{"propertyQuota":{"tokensPerDay":{"remaining":100000}}}`, []apiclient.Signal{
			{Quota: quotaDay, Size: 2_000_000, Remaining: 100_000},
		}},
	} {
		if diff := cmp.Diff(tc.want, signals(200, tc.body)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tc.what, diff)
		}
	}
	for i := range 2 * mostServerErrors {
		blocked := len(signals(503, "")) > 0
		if blocked != (i%mostServerErrors == mostServerErrors-1) {
			t.Errorf("after %d failures: blocked %v", i+1, blocked)
		}
	}
}

// TestVendorDown stays below the failures at which the vendor blocks a project.
func TestVendorDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPoller(t, nil)
		sent := 0
		p.intercept = func([]byte) (int, string) {
			sent++
			return 500, googleError(500, "INTERNAL", "An internal error has occurred.", "")
		}
		var limited *apiclient.RateLimitedError
		for _, stream := range []string{streamTraffic, streamReferrer, streamUsers} {
			err := p.TryPoll(stream)
			if stream == streamUsers {
				limited, _ = errors.AsType[*apiclient.RateLimitedError](err)
			}
		}
		if sent != mostServerErrors || limited == nil || limited.Quota != quotaServerErrors {
			t.Errorf("%d requests, then %v", sent, limited)
		}
		p.intercept = nil
		time.Sleep(time.Hour + time.Minute)
		p.Poll(streamTraffic)
	})
}

func TestTokens(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPoller(t, nil)
		p.server.TokensPerProjectPerHour = 1500 // as if other tools had used the rest
		p.sessions(p.day(90), 1)
		var err error
		for range 10 {
			if err = p.TryPoll(streamTraffic); err != nil {
				break
			}
		}
		limited, ok := errors.AsType[*apiclient.RateLimitedError](err)
		if !ok || limited.Quota != quotaProject || p.statuses[429] > 0 || p.server.Requests()["tokens"] > 100 {
			t.Errorf("the last tenth of the hour is for others: %v, %v, %v", err, p.statuses, p.server.Requests())
		}
	})
	synctest.Test(t, func(t *testing.T) {
		p := newPoller(t, nil)
		p.server.TokensPerDay = 100_100
		p.sessions(p.day(90), 1)
		var err error
		for range 10 {
			if err = p.TryPoll(streamTraffic); err != nil {
				break
			}
		}
		limited, ok := errors.AsType[*apiclient.RateLimitedError](err)
		if !ok || limited.Quota != quotaDay || p.statuses[429] > 0 || !strings.Contains(limited.Error(), quotaDay) {
			t.Errorf("half of the day's tokens are for others: %v, %v", err, p.statuses)
		}
	})
}

// TestTokensOfADay measures what docs/sources/ga4.md says.
func TestTokensOfADay(t *testing.T) {
	p := newPoller(t, nil)
	p.history = window.Span{Days: 1100}
	for ago := range 1200 {
		p.sessions(p.day(ago), 10, "a", "b", "c")
	}
	measure := func(what string, want map[string]int, poll func()) {
		t.Helper()
		before := p.server.Requests()
		poll()
		got := p.server.Requests()
		for kind := range got {
			got[kind] -= before[kind]
		}
		if got["tokens"] > want["tokens"] {
			t.Errorf("%s took %d tokens", what, got["tokens"])
		}
		delete(got, "token")
		got["tokens"] = want["tokens"]
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", what, diff)
		}
	}
	all := func() {
		for _, stream := range []string{streamTraffic, streamReferrer, streamUsers} {
			p.Poll(stream)
		}
	}
	measure("the first poll", map[string]int{"runReport": 37 + 1 + 37 + 1, "batchRunReports": 37 + 2, "reports": 37*7 + 2 + 8, "tokens": 1800}, all)
	p.now = p.now.Add(time.Hour)
	measure("a poll", map[string]int{"runReport": 2, "batchRunReports": 3, "reports": 15, "tokens": 120}, all)
	// Once the last 14 days by channel, too.
	measure("a day", map[string]int{"runReport": 24*2 + 1, "batchRunReports": 24 * 3, "reports": 24*15 + 1, "tokens": 3000}, func() {
		for range 24 {
			p.now = p.now.Add(time.Hour)
			p.sessions(p.day(0), 10, "a")
			all()
		}
	})
}
