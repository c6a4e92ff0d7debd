package googleads

import (
	"encoding/json"
	"reflect"
	"testing"
	"time"

	"github.com/b2bexporter/b2b_exporter/sources/internal/apiclient"
)

func TestClassify(t *testing.T) {
	for name, c := range map[string]struct {
		status int
		body   string
		want   apiclient.Verdict
	}{
		"ok":       {200, `[{"results":[]}]`, apiclient.Verdict{Class: apiclient.ClassOK}},
		"short":    {429, failureBody(429, "RESOURCE_EXHAUSTED", "quotaError", "RESOURCE_TEMPORARILY_EXHAUSTED", quotaDetails("1.5s")), verdict(apiclient.ClassThrottled, "quotaError.RESOURCE_TEMPORARILY_EXHAUSTED", 1500*time.Millisecond, "requests_per_account", "")},
		"no delay": {429, failureBody(429, "RESOURCE_EXHAUSTED", "quotaError", "RESOURCE_TEMPORARILY_EXHAUSTED", ""), verdict(apiclient.ClassThrottled, "quotaError.RESOURCE_TEMPORARILY_EXHAUSTED", 0, "", "")},
		"the day":  {429, failureBody(429, "RESOURCE_EXHAUSTED", "quotaError", "RESOURCE_EXHAUSTED", ""), verdict(apiclient.ClassThrottled, "quotaError.RESOURCE_EXHAUSTED", time.Hour, "", "")},
		"expensive": {
			429, failureBody(429, "RESOURCE_EXHAUSTED", "quotaError", "EXCESSIVE_SHORT_TERM_QUERY_RESOURCE_CONSUMPTION", ""),
			verdict(apiclient.ClassThrottled, "quotaError.EXCESSIVE_SHORT_TERM_QUERY_RESOURCE_CONSUMPTION", 5*time.Minute, "", ""),
		},
		"prohibited": {
			403, failureBody(403, "PERMISSION_DENIED", "quotaError", "ACCESS_PROHIBITED", ""),
			verdict(apiclient.ClassScope, "quotaError.ACCESS_PROHIBITED", 0, "", "to use the API: see the access level of the Google Cloud project"),
		},
		"token": {401, failureBody(401, "UNAUTHENTICATED", "authenticationError", "OAUTH_TOKEN_REVOKED", ""), verdict(apiclient.ClassAuth, "authenticationError.OAUTH_TOKEN_REVOKED", 0, "", "")},
		"not enabled": {
			403, failureBody(403, "PERMISSION_DENIED", "authorizationError", "CUSTOMER_NOT_ENABLED", ""),
			verdict(apiclient.ClassScope, "authorizationError.CUSTOMER_NOT_ENABLED", 0, "", "to read the account customer_id, which is closed or not yet set up"),
		},
		"transient": {500, failureBody(500, "INTERNAL", "internalError", "TRANSIENT_ERROR", ""), verdict(apiclient.ClassRetry, "internalError.TRANSIENT_ERROR", 0, "", "")},
		"query":     {400, failureBody(400, "INVALID_ARGUMENT", "queryError", "UNRECOGNIZED_FIELD", ""), verdict(apiclient.ClassPermanent, "queryError.UNRECOGNIZED_FIELD", 0, "", "")},
		// Not in an array, and without the vendor's details.
		"plain": {401, `{"error":{"code":401,"message":"it went wrong","status":"UNAUTHENTICATED"}}`, apiclient.Verdict{
			Class: apiclient.ClassAuth, Code: "UNAUTHENTICATED", Message: "it went wrong",
		}},
		"a proxy's":   {502, `<html>`, apiclient.Verdict{Class: apiclient.ClassRetry}},
		"an empty":    {403, `[]`, apiclient.Verdict{Class: apiclient.ClassScope}},
		"of a token":  {429, `{"error":"rate","error_description":"slow"}`, apiclient.Verdict{Class: apiclient.ClassThrottled}},
		"of odd JSON": {500, `[1]`, apiclient.Verdict{Class: apiclient.ClassRetry}},
	} {
		if got := classify(&apiclient.Response{Status: c.status, Body: []byte(c.body)}); got != c.want {
			t.Errorf("%s: got %+v, want %+v", name, got, c.want)
		}
	}
}

func verdict(class apiclient.Class, code string, wait time.Duration, quota, scope string) apiclient.Verdict {
	return apiclient.Verdict{Class: class, Code: code, RetryAfter: wait, Quota: quota, Scope: scope, Message: "it went wrong", RequestID: "Xk3pQ9"}
}

func TestErrorsInStreams(t *testing.T) {
	raw := func(status int, name, family, code string) json.RawMessage {
		var list []struct{ Error json.RawMessage }
		if err := json.Unmarshal([]byte(failureBody(status, name, family, code, "")), &list); err != nil {
			t.Fatal(err)
		}
		return list[0].Error
	}
	for name, c := range map[string]struct {
		raw  json.RawMessage
		want error
	}{
		"auth":  {raw(401, "UNAUTHENTICATED", "authenticationError", "OAUTH_TOKEN_EXPIRED"), &apiclient.AuthError{}},
		"scope": {raw(403, "PERMISSION_DENIED", "authorizationError", "USER_PERMISSION_DENIED"), &apiclient.ScopeError{}},
		"other": {raw(429, "RESOURCE_EXHAUSTED", "quotaError", "RESOURCE_EXHAUSTED"), &apiclient.APIError{}},
		"odd":   {json.RawMessage(`"x"`), &apiclient.FormatError{}},
	} {
		err := inStream("POST /", c.raw)
		if reflect.TypeOf(err) != reflect.TypeOf(c.want) {
			t.Errorf("%s: got %T (%v), want %T", name, err, err, c.want)
		}
	}
}
