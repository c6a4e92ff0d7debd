package googleads

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"github.com/b2bexporter/b2b_exporter/sources/internal/apiclient"
)

// failure is the vendor's description of an error.
type failure struct {
	Code    int    `json:"code"`
	Message string `json:"message"`
	Status  string `json:"status"`
	Details []struct {
		RequestID string `json:"requestId"`
		Errors    []struct {
			// Code has one field: the family's name and in it the code.
			Code    map[string]string `json:"errorCode"`
			Message string            `json:"message"`
			Details struct {
				Quota struct {
					RateName   string `json:"rateName"`
					RetryDelay string `json:"retryDelay"`
				} `json:"quotaErrorDetails"`
			} `json:"details"`
		} `json:"errors"`
	} `json:"details"`
}

// Waits where the vendor names none.
const (
	// waitDaily is for the operations of a day, which come back in the course of the next 24 hours.
	waitDaily = time.Hour
	// waitExpensive is for queries that have cost too much in some minutes.
	waitExpensive = 5 * time.Minute
)

// classify reads an answer by Google Ads' own signs.
func classify(r *apiclient.Response) apiclient.Verdict {
	v := apiclient.ClassifyStatus(r)
	if v.Class == apiclient.ClassOK {
		return v // an error in it is met when it is read
	}
	f, ok := parseFailure(r.Body)
	if !ok {
		return v // a proxy's page, or an endpoint's for tokens: the status counts
	}
	return f.verdict(v)
}

// parseFailure reads an error, which streams wrap into an array.
func parseFailure(body []byte) (failure, bool) {
	type wrapped struct {
		Error *failure `json:"error"`
	}
	var list []wrapped
	body = bytes.TrimSpace(body)
	if !bytes.HasPrefix(body, []byte("[")) {
		list = make([]wrapped, 1)
		if json.Unmarshal(body, &list[0]) != nil {
			return failure{}, false
		}
	} else if json.Unmarshal(body, &list) != nil {
		return failure{}, false
	}
	if len(list) == 0 || list[0].Error == nil {
		return failure{}, false
	}
	return *list[0].Error, true
}

// verdict completes what the status says.
func (f failure) verdict(v apiclient.Verdict) apiclient.Verdict {
	v.Message, v.Code = f.Message, f.Status
	for _, d := range f.Details {
		if v.RequestID == "" {
			v.RequestID = d.RequestID
		}
		for _, e := range d.Errors {
			for family, code := range e.Code {
				v.Message, v.Code = e.Message, family+"."+code
				delay, err := time.ParseDuration(e.Details.Quota.RetryDelay)
				if err != nil {
					delay = 0 // there is none
				}
				v.Quota = strings.ToLower(strings.Join(strings.Fields(e.Details.Quota.RateName), "_"))
				return judge(v, family, code, delay)
			}
		}
	}
	return v
}

// judge says what a code means for the request.
func judge(v apiclient.Verdict, family, code string, delay time.Duration) apiclient.Verdict {
	switch family {
	case "quotaError":
		v.Class, v.RetryAfter = apiclient.ClassThrottled, delay
		switch code {
		case "ACCESS_PROHIBITED":
			v.Class, v.Scope = apiclient.ClassScope, "to use the API: see the access level of the Google Cloud project"
		case "RESOURCE_EXHAUSTED", "EXCESSIVE_LONG_TERM_QUERY_RESOURCE_CONSUMPTION":
			v.RetryAfter = orElse(delay, waitDaily)
		case "EXCESSIVE_SHORT_TERM_QUERY_RESOURCE_CONSUMPTION":
			v.RetryAfter = orElse(delay, waitExpensive)
		}
	case "authenticationError":
		v.Class = apiclient.ClassAuth
	case "authorizationError":
		v.Class = apiclient.ClassScope
		switch code {
		case "USER_PERMISSION_DENIED":
			v.Scope = "to read the account customer_id (through a manager account only with its ID in login_customer_id)"
		case "CLOUD_PROJECT_NOT_APPROVED_FOR_PRODUCTION", "ACTION_NOT_PERMITTED":
			v.Scope = "to read accounts that are not for tests: the Google Cloud project needs the access level Explorer or above"
		case "CUSTOMER_NOT_ENABLED":
			v.Scope = "to read the account customer_id, which is closed or not yet set up"
		}
	case "internalError":
		v.Class = apiclient.ClassRetry
	case "queryError":
		if code == "REQUESTED_METRICS_FOR_MANAGER" {
			v.Message = "customer_id is a manager account, which has no campaigns: give one of its accounts as customer_id, and it as login_customer_id"
		}
	case "requestError":
		if code == "UNSUPPORTED_VERSION" {
			v.Message = "the version of the API is not supported any more: set api_version to a newer one"
		}
	}
	return v
}

func orElse(d, other time.Duration) time.Duration {
	if d > 0 {
		return d
	}
	return other
}

// inStream returns the error that an answer with the status 200 holds. The vendor's text is left
// out, because it was not redacted.
func inStream(endpoint string, raw json.RawMessage) error {
	var f failure
	if json.Unmarshal(raw, &f) != nil {
		return &apiclient.FormatError{Endpoint: endpoint, Detail: "an error in an unknown form"}
	}
	v := f.verdict(apiclient.ClassifyStatus(&apiclient.Response{Status: f.Code}))
	described := apiclient.Failure{
		Endpoint: endpoint, Status: http.StatusOK, Code: v.Code, RequestID: v.RequestID,
		Message: "an error in the middle of the answer",
	}
	switch v.Class {
	case apiclient.ClassAuth:
		return &apiclient.AuthError{Failure: described}
	case apiclient.ClassScope:
		return &apiclient.ScopeError{Failure: described, Scope: v.Scope}
	}
	return &apiclient.APIError{Failure: described}
}
